"""How the fieldwork went, as rows of Estimates: who finished, where people left, how long it took, straight lines.

These are unweighted facts of the sample, told of everybody who began to answer, also of those who do not count in the
results. Straight-lining alone is told of those who do. A base under the thresholds of disclosure keeps its size
and loses its numbers, counts included. Item nonresponse is a table of its own (tabulate.NONRESPONSE) and of the valid
respondents only: a second one of everybody would give away, by subtraction, the few who do not count.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from analysis import outcome_table, quality
from analysis.answers import Answers
from analysis.design import Floats, Mask
from analysis.estimates import COLUMNS
from analysis.extract import DISPOSITIONS
from analysis.facts import fact
from analysis.population import NONE
from analysis.study import Study
from kysely.codebook import Kind, Variable

FIELDWORK = "fieldwork"
"""Table of what is told here."""

OUTCOME, MINUTES = "outcome", "minutes"
"""Variables that are no question: how far respondents came, and how long those took who submitted."""

STARTED = "started"
OUTCOMES = (STARTED, *DISPOSITIONS)
"""Codes of OUTCOME."""

COUNT, OUTCOME_SHARE, STOPPED, STOPPED_SHARE = "count", "outcome_share", "stopped", "stopped_share"
MEDIAN, SPEEDERS, STRAIGHT = "median", "speeders", "straight"
"""Statistics. Shares lie between 0 and 1 and have no interval: they are of this fieldwork, not of a population."""


def tables(
    study: Study, *, simulated: bool, pages: Mapping[str, Sequence[str]] | None = None
) -> tuple[pd.DataFrame, ...]:
    """Return the table of the fieldwork, columns as in estimates.COLUMNS; nothing if nobody counts in *study*.

    Of a wave whose cases were invited, the table of outcome_table.tables follows.

    simulated  true of answers that a program gave: it hurries nobody, so that speeders are left out. The median is
               told, and whoever shows it says that it is the program's.
    pages      page → its variables, in the order asked (quality.pages_of); None: break-offs by page are left out,
               for by question they would all seem to be the fault of a page's first question

    variable    code         statistic               base
    outcome     OUTCOMES     count, outcome_share    everybody who began; no share of themselves
    the first   the page     stopped, stopped_share  those who came to the page
      of a page
    minutes     the mode     median, speeders        those who submitted in the mode, and whose time is known
    a grid      the grid     straight                valid respondents who rated quality.ROWS rows of it or more

    A row of a weighted choice is in the grid where the respondent chose it: the level of the others is 0 unasked.
    Raises QualityError for a response that was submitted before it was begun.
    """
    if not len(study):
        return ()
    rows = [*_outcomes(study), *_pages(study, pages or {}), *_speed(study, simulated), *_straight_lines(study)]
    table = pd.DataFrame(rows).assign(table=FIELDWORK, weighting=NONE)[list(COLUMNS)]
    return (table, *outcome_table.tables(study))


def _outcomes(study: Study) -> Iterator[dict[str, object]]:
    disposition = study.answers.column("disposition")
    everybody = np.ones(len(disposition), bool)
    counts = {STARTED: len(disposition)}
    counts |= {outcome: int((disposition == code).sum()) for outcome, code in DISPOSITIONS.items()}
    for outcome, count in counts.items():
        yield _row(study, everybody, OUTCOME, outcome, COUNT, count)
        if outcome != STARTED:
            yield _row(study, everybody, OUTCOME, outcome, OUTCOME_SHARE, count / max(len(disposition), 1))


def _pages(study: Study, pages: Mapping[str, Sequence[str]]) -> Iterator[dict[str, object]]:
    if not pages:
        return
    answers = study.answers
    closed = {variable.name for variable in answers.asked()}
    finished = answers.column("completed_at") != None  # noqa: E711 - elementwise
    left = np.full(len(answers), False)
    for page in quality.break_off_by_page(answers, pages, finished=finished):
        names = [name for name in pages[page.page] if name in closed]
        reached, stopped = _at(answers, names, ~left, finished)
        left |= stopped
        yield _row(study, reached, names[0], page.page, STOPPED, page.stopped)
        yield _row(study, reached, names[0], page.page, STOPPED_SHARE, page.rate)


def _speed(study: Study, simulated: bool) -> Iterator[dict[str, object]]:
    time, mode = quality.minutes(study.answers), study.answers.column("mode")
    for code in dict.fromkeys(sorted(mode.astype(str))):
        timed = (mode.astype(str) == code) & ~np.isnan(time)
        found = quality.speeders(np.where(timed, time, np.nan))
        if found.median is None:
            continue
        yield _row(study, timed, MINUTES, code, MEDIAN, found.median)
        if not simulated:
            yield _row(study, timed, MINUTES, code, SPEEDERS, found.rate)


def _straight_lines(study: Study) -> Iterator[dict[str, object]]:
    grids: dict[str, list[Variable]] = {}
    for variable in study.asked():
        if variable.kind is Kind.LEVEL and variable.set:
            grids.setdefault(variable.set, []).append(variable)
    for grid, members in grids.items():
        if len(members) >= quality.ROWS:
            rated = _rated(study, grid, members)
            found = quality.straight_lining(rated, grid=grid)
            base = (~np.isnan(rated)).sum(axis=1) >= quality.ROWS
            inside = np.zeros(len(study.answers), bool)
            inside[np.flatnonzero(study.valid)[base]] = True
            yield _row(study, inside, grid, grid, STRAIGHT, found.rate)


def _rated(study: Study, grid: str, members: Sequence[Variable]) -> Floats:
    """Return the levels of a grid, (n, members), NaN where the respondent was not asked for one or gave none."""
    levels = np.stack([study.numbers(member.name) for member in members], axis=1)
    for score in study.plan.scores:
        if score.level == grid:
            chosen = dict(zip(score.codes, study.chosen(score).T, strict=True))
            for place, member in enumerate(members):
                if member.code in chosen:
                    levels[chosen[member.code] == 0, place] = np.nan
    return levels


def _at(answers: Answers, names: Sequence[str], still: Mask, finished: Mask) -> tuple[Mask, Mask]:
    """Return which of those *still* there came to the page with *names*, and which of them left it (n,), (n,)."""
    kinds = np.stack([answers.missing(name) for name in names], axis=1)
    reached = still & (kinds != quality.ROUTED_PAST).any(axis=1)
    return reached, reached & ~finished & (kinds == quality.NOT_REACHED).any(axis=1)


def _row(
    study: Study, base: Mask, variable: str, code: str, statistic: str, estimate: float | None
) -> dict[str, object]:
    """Return one row; *base* is true for the answers it is told of. Under the thresholds it has its bases only."""
    n, organisations = int(base.sum()), len(np.unique(study.answers.organisation[base]))
    return fact(variable, code, statistic, estimate, n=n, organisations=organisations, limits=study.limits)
