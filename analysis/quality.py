"""How well the questionnaire was answered: item nonresponse, break-offs by page, speeders, straight-lining.

Every measure is an unweighted count with its base, for it is about this fieldwork and not about a population. The
rules are stated with the numbers; none of them removes a respondent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from analysis.answers import MISSING, Answers
from analysis.design import Floats, Mask
from kysely.codebook import Codebook, Kind, Missing
from kysely.errors import AnalystError

NOT_REACHED, ROUTED_PAST, DOES_NOT_CONCERN, DONT_KNOW, NO_ANSWER = (
    MISSING.index(kind)
    for kind in (
        Missing.NOT_REACHED,
        Missing.ROUTED_PAST,
        Missing.DOES_NOT_CONCERN,
        Missing.DONT_KNOW,
        Missing.NO_ANSWER,
    )
)

SPEED = 0.5
"""Share of the median time below which a respondent is a speeder (Greszki, Meyer and Schoen 2015, the strictest)."""

ROWS = 3
"""Answered rows of a grid from which equal answers count as straight-lining."""


class QualityError(AnalystError):
    """The quality of the answers can't be told from these. Says why and what to do."""


@dataclass(frozen=True)
class ItemNonresponse:
    """How n respondents dealt with one item.

    n         those who were asked: all but routed_past and not_reached
    value     gave an answer
    no_answer, dont_know, does_not_concern  their kind of missing
    """

    item: str
    n: int
    value: int
    no_answer: int
    dont_know: int
    does_not_concern: int
    not_reached: int
    routed_past: int

    @property
    def rate(self) -> float | None:
        """Item nonresponse: no_answer / n; None if nobody was asked. "Cannot say" is an answer here."""
        return self.no_answer / self.n if self.n else None

    @property
    def dont_know_rate(self) -> float | None:
        return self.dont_know / self.n if self.n else None


@dataclass(frozen=True)
class QuestionNonresponse:
    """How respondents dealt with one question of k items.

    n          those who were asked any of its items
    complete   left none of the items asked unanswered; partly: some; empty: all
    items      items asked of all respondents together, of which items_no_answer were left unanswered
    """

    question: str
    k: int
    n: int
    complete: int
    partly: int
    empty: int
    items: int
    items_no_answer: int

    @property
    def rate(self) -> float | None:
        """Share of respondents who left the whole question unanswered; None if nobody was asked."""
        return self.empty / self.n if self.n else None

    @property
    def item_rate(self) -> float | None:
        """Share of asked items that were left unanswered; None if nobody was asked."""
        return self.items_no_answer / self.items if self.items else None


@dataclass(frozen=True)
class PageBreakOff:
    """How many came to a page of the questionnaire, and how many left there without answering it."""

    page: str
    reached: int
    stopped: int

    @property
    def rate(self) -> float | None:
        """Share of those who came to the page and left there; None if nobody came."""
        return self.stopped / self.reached if self.reached else None


@dataclass(frozen=True, eq=False)
class Speeders:
    """Who was faster than *limit* = *fraction* · *median*; with no times (anonymous mode) median and limit are None.

    n, untimed  respondents with a time, which are the base; without
    median      time of half of them
    speeder     (respondents,) true for the fast
    """

    n: int
    untimed: int
    median: float | None
    fraction: float
    limit: float | None
    speeder: Mask

    @property
    def count(self) -> int:
        return int(self.speeder.sum())

    @property
    def rate(self) -> float | None:
        return self.count / self.n if self.n else None


@dataclass(frozen=True, eq=False)
class StraightLining:
    """Who gave all rows of a grid the same answer.

    n                respondents who answered *minimum* rows or more, which are the base
    straight         (respondents,) true for those who gave all the rows they answered one answer
    differentiation  mean over the base of 1 - Σ p², p the shares of a respondent's answers (Krosnick and Alwin
                     1988): 0 where all is one answer; None without a base
    """

    grid: str
    rows: int
    minimum: int
    n: int
    straight: Mask
    differentiation: float | None

    @property
    def count(self) -> int:
        return int(self.straight.sum())

    @property
    def rate(self) -> float | None:
        return self.count / self.n if self.n else None


# ---- item nonresponse -------------------------------------------------------------------------------------


def item_nonresponse(missing: ArrayLike, *, item: str = "item") -> ItemNonresponse:
    """Return how one item was answered; *missing* (n,) holds positions in MISSING, -1 where there is a value."""
    kinds = _kinds(missing, ndim=1)
    times = [int((kinds == kind).sum()) for kind in range(-1, len(MISSING))]
    value, of = times[0], times[1:]
    return ItemNonresponse(
        item=item,
        n=len(kinds) - of[ROUTED_PAST] - of[NOT_REACHED],
        value=value,
        no_answer=of[NO_ANSWER],
        dont_know=of[DONT_KNOW],
        does_not_concern=of[DOES_NOT_CONCERN],
        not_reached=of[NOT_REACHED],
        routed_past=of[ROUTED_PAST],
    )


def question_nonresponse(missing: ArrayLike, *, question: str = "question") -> QuestionNonresponse:
    """Return how one question of k items was answered; *missing* (n, k) as in `item_nonresponse`."""
    kinds = _kinds(missing, ndim=2)
    asked = (kinds != ROUTED_PAST) & (kinds != NOT_REACHED)
    blank = kinds == NO_ANSWER
    items, blanks = asked.sum(axis=1), blank.sum(axis=1)
    concerned = items > 0
    return QuestionNonresponse(
        question=question,
        k=kinds.shape[1],
        n=int(concerned.sum()),
        complete=int((concerned & (blanks == 0)).sum()),
        partly=int(((blanks > 0) & (blanks < items)).sum()),
        empty=int((concerned & (blanks == items)).sum()),
        items=int(items.sum()),
        items_no_answer=int(blanks.sum()),
    )


def nonresponse(answers: Answers, *, among: ArrayLike | None = None) -> tuple[ItemNonresponse, ...]:
    """Return how each item of *answers* was answered, in the order asked.

    among  (n,) true for the respondents to look at, e.g. those who did not break off; None: all
    """
    inside = _among(among, len(answers))
    return tuple(
        item_nonresponse(answers.missing(name)[inside], item=name)
        for names in _questions(answers).values()
        for name in names
    )


def nonresponse_by_question(answers: Answers, *, among: ArrayLike | None = None) -> tuple[QuestionNonresponse, ...]:
    """Return how each question of *answers* was answered, in the order asked; *among* as in `nonresponse`."""
    inside = _among(among, len(answers))
    return tuple(
        question_nonresponse(np.stack([answers.missing(name)[inside] for name in names], axis=1), question=question)
        for question, names in _questions(answers).items()
    )


# ---- break-offs -------------------------------------------------------------------------------------------


def break_off(shown: ArrayLike, pending: ArrayLike, *, finished: ArrayLike, pages: Sequence[str]) -> list[PageBreakOff]:
    """Return at which page respondents left; shown and pending are (n, p), pages p names in the order asked.

    shown     true where the page is on the respondent's path
    pending   true where something on it was not reached
    finished  (n,) true for those who submitted; what they did not reach is no break-off

    A respondent who did not finish left at the first page of the path with something pending; who has none left
    after the last. A page is reached by those on whose path it is and who did not leave before it.
    """
    on_path, open_ = _table(shown, pages, "shown"), _table(pending, pages, "pending")
    done = _among(finished, len(on_path))
    stuck = on_path & open_ & ~done[:, None]
    stop = np.where(stuck.any(axis=1), stuck.argmax(axis=1), len(pages))
    reached = on_path & (np.arange(len(pages)) <= stop[:, None])
    return [
        PageBreakOff(page, int(reached[:, number].sum()), int((stop == number).sum()))
        for number, page in enumerate(pages)
    ]


def break_off_by_page(
    answers: Answers, pages: Mapping[str, Sequence[str]], *, finished: ArrayLike
) -> list[PageBreakOff]:
    """Return at which page respondents left; *pages* maps each page to its variables, in the order asked.

    finished  (n,) true for those who submitted. Variables that *answers* does not have (open text) tell nothing;
              a page without any other is left out. `pages_of` makes *pages* from an extract's definition.json.
    """
    known = {variable.name for variable in answers.asked()}
    names = {page: [name for name in variables if name in known] for page, variables in pages.items()}
    told = [page for page, variables in names.items() if variables]
    if not told:
        raise QualityError("no page has a variable of these answers; give the pages of the questionnaire they are from")
    kinds = [np.stack([answers.missing(name) for name in names[page]], axis=1) for page in told]
    return break_off(
        np.stack([(kind != ROUTED_PAST).any(axis=1) for kind in kinds], axis=1),
        np.stack([(kind == NOT_REACHED).any(axis=1) for kind in kinds], axis=1),
        finished=finished,
        pages=told,
    )


def pages_of(definition: Mapping[str, Any], codebook: Codebook) -> dict[str, list[str]]:
    """Return page → variables, from the definition of an extract (definition.json, parsed) and its codebook."""
    by_question: dict[str, list[str]] = {}
    for variable in codebook.variables:
        by_question.setdefault(variable.question, []).append(variable.name)
    return {
        str(page["id"]): [name for question in page["questions"] for name in by_question.get(question["id"], ())]
        for page in definition["pages"]
    }


# ---- speed and straight lines -----------------------------------------------------------------------------


def minutes(answers: Answers) -> Floats:
    """Return how long each respondent took, (n,) minutes from start to submission; NaN where either is not known.

    The clock runs on while a respondent does something else: the median is of use, the mean is not.
    """
    started, completed = answers.column("started_at"), answers.column("completed_at")
    return np.array(
        [
            np.nan if begin is None or end is None else (end - begin).total_seconds() / 60
            for begin, end in zip(started, completed, strict=True)
        ],
        dtype=float,
    )


def speeders(time: ArrayLike, *, fraction: float = SPEED) -> Speeders:
    """Return who took less than *fraction* of the median of *time*, (n,), in any unit; NaN has no time.

    Give the times of those who finished one form in one mode: others have other medians.
    Raises QualityError for a time that is negative or infinite, and a fraction outside 0 … 1.
    """
    times = np.asarray(time, dtype=float)
    if times.ndim != 1 or not 0 < fraction < 1:
        raise QualityError(f"times of shape {times.shape} and a fraction of {fraction}; (n,) and 0 … 1 are needed")
    if (times < 0).any() or np.isinf(times).any():
        raise QualityError(
            f"{((times < 0) | np.isinf(times)).sum()} times are negative or infinite: an end lies before its start. "
            "Look at the clocks before anything is made of them"
        )
    known = ~np.isnan(times)
    n = int(known.sum())
    if not n:
        return Speeders(0, len(times), None, fraction, None, np.zeros(len(times), dtype=bool))
    median = float(np.median(times[known]))
    limit = fraction * median
    return Speeders(n, len(times) - n, median, fraction, limit, known & (np.where(known, times, limit) < limit))


def straight_lining(rows: ArrayLike, *, grid: str = "grid", minimum: int = ROWS) -> StraightLining:
    """Return who gave all rows of a grid the same answer; *rows* (n, k) numbers, NaN where not answered.

    minimum  answered rows from which a respondent is in the base

    A straight line is suspect in a grid with rows worded both ways, and may be the truth in one without.
    """
    values = np.asarray(rows, dtype=float)
    if values.ndim != 2 or np.isinf(values).any():
        raise QualityError(f"a grid has finite answers of shape (respondents, rows), not {values.shape}")
    k = values.shape[1]
    if not 2 <= minimum <= k:
        raise QualityError(f"{minimum} answered rows are asked for in a grid of {k}; a line needs 2 … {k}")
    given = ~np.isnan(values)
    base = given.sum(axis=1) >= minimum
    kept = values[base]
    # Two answers of a respondent drawn with replacement differ with probability 1 - Σ p².
    pairs = sum(((kept == kept[:, [row]]).sum(axis=1) for row in range(k)), np.zeros(len(kept)))
    equal = pairs / given[base].sum(axis=1) ** 2
    straight = np.zeros(len(values), dtype=bool)
    straight[base] = equal == 1
    spread = float((1 - equal).mean()) if base.any() else None
    return StraightLining(grid, k, minimum, int(base.sum()), straight, spread)


# ---- what is given ----------------------------------------------------------------------------------------


def _questions(answers: Answers) -> dict[str, list[str]]:
    questions: dict[str, list[str]] = {}
    for variable in answers.asked():
        if variable.kind is not Kind.TEXT:
            questions.setdefault(variable.question, []).append(variable.name)
    return questions


def _kinds(missing: ArrayLike, *, ndim: int) -> np.ndarray:
    kinds = np.asarray(missing)
    if kinds.ndim != ndim or kinds.dtype.kind not in "iu":
        raise QualityError(f"kinds of missing are whole numbers in {ndim} dimensions, not {kinds.dtype} {kinds.shape}")
    if ((kinds < -1) | (kinds >= len(MISSING))).any():
        raise QualityError(f"kinds of missing are -1 … {len(MISSING) - 1}: {', '.join(MISSING)}, -1 for a value")
    return kinds


def _among(among: ArrayLike | None, n: int) -> Mask:
    if among is None:
        return np.ones(n, dtype=bool)
    mask = np.asarray(among)
    if mask.dtype != bool or mask.shape != (n,):
        raise QualityError(f"true or false for each of {n} respondents is needed, not {mask.dtype} of {mask.shape}")
    return mask


def _table(values: ArrayLike, pages: Sequence[str], what: str) -> Mask:
    table = np.asarray(values)
    if table.dtype != bool or table.ndim != 2 or table.shape[1] != len(pages):
        raise QualityError(
            f"{what} is true or false for each respondent and each of {len(pages)} pages, not {table.dtype} "
            f"{table.shape}"
        )
    return table
