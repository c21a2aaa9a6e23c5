"""The kinds of questions whose numbers can become public: what each may show of a group, and how it is rounded.

analysis/publishing.py decides which groups there are; here is what a kind says about one of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from analysis.design import Codes, Floats, Mask
from kysely.errors import AnalystError

FLOOR = {"respondents": 5, "organisations": 3, "category": 2}
"""No installation and no override goes below these."""


class PublishingError(AnalystError):
    """What is to be published is not described properly. Says what is wrong."""


@dataclass(frozen=True)
class Rules:
    """The thresholds of an installation.

    respondents, organisations  least of a base
    category                    least of a category that is not empty, in a breakdown
    unanimity                   largest share that is shown as it is
    quote                       least respondents of a group that a quote may be attributed to

    The five switches are for tests, which show what each rule is for.
    """

    respondents: int = 10
    organisations: int = 3
    category: int = 3
    unanimity: float = 0.9
    quote: int = 30
    pooling: bool = True
    categories: bool = True
    one_sided: bool = True
    differencing: bool = True
    refresh: bool = True

    def __post_init__(self) -> None:
        above_floor(respondents=self.respondents, organisations=self.organisations, category=self.category)
        if not 0.5 < self.unanimity <= 0.9 or self.quote < 30:
            raise PublishingError("unanimity lies above 0.5 and at most at 0.9, and a quoted group has at least 30")

    @property
    def least(self) -> tuple[int, int]:
        return self.respondents, self.organisations


def above_floor(**given: int) -> None:
    for name, value in given.items():
        if value < FLOOR[name]:
            raise PublishingError(f"{name} is {value}; no rule and no override goes below {FLOOR[name]}")


@dataclass(frozen=True)
class Figure:
    """One rounded number. *bound* is "over" or "under" where the number only limits what is not shown."""

    unit: str
    value: float
    category: str | None = None
    bound: str | None = None


class Question(Protocol):
    """What can be published: `Shares`, `Participation`, `Scale` and `Amount` are such questions."""

    @property
    def name(self) -> str:
        """By what name it is known."""

    @property
    def sources(self) -> tuple[str, ...]:
        """The variables that it is made from."""

    @property
    def first(self) -> int:
        """The finest version that may be shown; 0 is the finest there is."""

    @property
    def levels(self) -> int:
        """In how many versions it can be shown, from the finest on."""

    @property
    def valid(self) -> Mask:
        """(n,) who is in the base."""

    def least(self, rules: Rules) -> int:
        """Return the least respondents of a base."""

    def fault(self, inside: Mask, level: int, rules: Rules, organisation: Sequence[str], unknown: int = 0) -> str:
        """Return why a group can't be shown, whatever *unknown* more members answered; "" if it can."""

    def one_sided(self, inside: Mask, level: int, rules: Rules, unknown: int = 0) -> bool:
        """Return whether so many gave one answer that it tells about each."""

    def labels(self, level: int) -> tuple[str, ...]:
        """Return the categories that are shown."""

    def coarsens(self, finer: int, level: int) -> bool:
        """Return whether the version *level* only puts categories of the version *finer* together, or is the same."""

    def figures(self, inside: Mask, level: int, rules: Rules, *, total: bool) -> tuple[Figure, ...]:
        """Return what is shown, rounded."""

    def allowed(self, row: Mapping[str, Any], level: int, n: int) -> Iterator[tuple[tuple[int, ...], float, float]]:
        """Yield the finest categories that a shown row of *n* counts, with the least and the largest count."""

    @property
    def finest(self) -> int:
        """The number of finest categories whose counts shares tell about; 0 for numbers."""

    def total_fault(self, rules: Rules, organisation: Sequence[str]) -> str:
        """Return why not even the total can be shown; "" if it can."""


@dataclass(frozen=True)
class Level:
    """A coarser version of a question: its categories, and for each of the finest the position of its own."""

    categories: tuple[str, ...]
    of: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Shares:
    """A question with one answer out of some categories; an option of a multiple choice has two.

    codes     (n,) position in *categories*; -1 missing, not in the base
    collapse  coarser versions in their order (5 → 3 → 2 classes), fixed beforehand
    sensitive also the total and the zeros are masked (rule 5)
    sources   the variables it is made from; () for a variable of its own name
    first     the finest version that is shown at all
    """

    name: str
    codes: Codes
    categories: tuple[str, ...]
    collapse: tuple[Level, ...] = ()
    sensitive: bool = False
    sources: tuple[str, ...] = ()
    first: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "sources", self.sources or (self.name,))
        if len(self.categories) < 2 or np.any((self.codes < -1) | (self.codes >= len(self.categories))):
            raise PublishingError(f"{self.name}: codes are positions in two categories or more, or -1 for missing")
        for level in self.collapse:
            if len(level.of) != len(self.categories) or set(level.of) != set(range(max(2, len(level.categories)))):
                raise PublishingError(f"{self.name}: a coarser version has one category for each of the finest")
        if not 0 <= self.first < self.levels:
            raise PublishingError(f"{self.name}: there is no version {self.first}")

    @property
    def levels(self) -> int:
        return 1 + len(self.collapse)

    @property
    def valid(self) -> Mask:
        return np.asarray(self.codes >= 0)

    def least(self, rules: Rules) -> int:
        return rules.respondents

    def of(self, level: int) -> tuple[int, ...]:
        """Return the shown category of each of the finest."""
        return tuple(range(len(self.categories))) if level == 0 else self.collapse[level - 1].of

    def labels(self, level: int) -> tuple[str, ...]:
        return self.categories if level == 0 else self.collapse[level - 1].categories

    def coarsens(self, finer: int, level: int) -> bool:
        return len(set(zip(self.of(finer), self.of(level), strict=True))) == len(self.labels(finer))

    def counts(self, inside: Mask, level: int) -> Codes:
        return np.bincount(np.array(self.of(level))[self.codes[inside & self.valid]], minlength=len(self.labels(level)))

    def fault(self, inside: Mask, level: int, rules: Rules, organisation: Sequence[str], unknown: int = 0) -> str:
        counts = self.counts(inside, level)
        few = (counts < rules.category) & (counts + unknown > 0)
        return f"an answer that fewer than {rules.category} gave" if rules.categories and few.any() else ""

    def one_sided(self, inside: Mask, level: int, rules: Rules, unknown: int = 0) -> bool:
        return _nearly_alike(self.counts(inside, level), rules, unknown)

    def figures(self, inside: Mask, level: int, rules: Rules, *, total: bool) -> tuple[Figure, ...]:
        counts, labels = self.counts(inside, level), self.labels(level)
        n = int(counts.sum())
        if (self.sensitive or not total) and self.one_sided(inside, level, rules):
            top = int(counts.argmax())
            return (Figure("percent", _over(int(counts[top]), n, rules), labels[top], "over"),)
        made = []
        for label, count in zip(labels, counts.tolist(), strict=True):
            if self.sensitive and count * 10 < n:
                made.append(Figure("percent", 10, label, "under"))
            else:
                made.append(Figure("percent", percent(count, n), label))
        return tuple(made)

    def allowed(self, row: Mapping[str, Any], level: int, n: int) -> Iterator[tuple[tuple[int, ...], float, float]]:
        labels, of = self.labels(level), np.array(self.of(level))
        for figure in row["figures"]:
            inside = tuple(np.flatnonzero(of == labels.index(figure["category"])).tolist())
            yield (inside, *_interval(figure, n))

    @property
    def finest(self) -> int:
        return len(self.categories)

    def total_fault(self, rules: Rules, organisation: Sequence[str]) -> str:
        return ""


class _OneVersion:
    """What a question has in common with all that are shown in one version only, as one figure."""

    first, levels = 0, 1

    def coarsens(self, finer: int, level: int) -> bool:
        return True

    @property
    def valid(self) -> Mask:
        raise NotImplementedError

    def fault(self, inside: Mask, level: int, rules: Rules, organisation: Sequence[str], unknown: int = 0) -> str:
        raise NotImplementedError

    def total_fault(self, rules: Rules, organisation: Sequence[str]) -> str:
        return self.fault(self.valid, 0, rules, organisation)


@dataclass(frozen=True, eq=False)
class Participation(_OneVersion):
    """Who of the n invited responded. Base: the invited, so the ids of `Responses` are those of the cases.

    A rate says who did not answer unless both sides are a base (rule 8).
    """

    name: str
    responded: Mask
    sources: tuple[str, ...] = ("participation",)
    finest = 2

    @property
    def valid(self) -> Mask:
        return np.ones(len(self.responded), bool)

    def least(self, rules: Rules) -> int:
        return 2 * rules.respondents

    def labels(self, level: int) -> tuple[str, ...]:
        return ("RESPONDED",)

    def fault(self, inside: Mask, level: int, rules: Rules, organisation: Sequence[str], unknown: int = 0) -> str:
        yes = int((inside & self.responded).sum())
        if min(yes, int(inside.sum()) - yes) < rules.respondents:
            return f"fewer than {rules.respondents} who answered, or fewer than {rules.respondents} who did not"
        return ""

    def one_sided(self, inside: Mask, level: int, rules: Rules, unknown: int = 0) -> bool:
        return False

    def figures(self, inside: Mask, level: int, rules: Rules, *, total: bool) -> tuple[Figure, ...]:
        return (Figure("percent", percent(int((inside & self.responded).sum()), int(inside.sum())), "RESPONDED"),)

    def allowed(self, row: Mapping[str, Any], level: int, n: int) -> Iterator[tuple[tuple[int, ...], float, float]]:
        yield ((0,), *_interval(row["figures"][0], n))


@dataclass(frozen=True, eq=False)
class _Number(_OneVersion):
    """A number that each respondent gave. values (n,), NaN missing."""

    name: str
    values: Floats
    finest = 0

    @property
    def valid(self) -> Mask:
        return np.isfinite(self.values)

    def given(self, inside: Mask) -> Floats:
        return self.values[inside & self.valid]

    def labels(self, level: int) -> tuple[str, ...]:
        return ()

    def allowed(self, row: Mapping[str, Any], level: int, n: int) -> Iterator[tuple[tuple[int, ...], float, float]]:
        yield from ()

    def one_sided(self, inside: Mask, level: int, rules: Rules, unknown: int = 0) -> bool:
        counts = np.unique(self.given(inside), return_counts=True)[1]
        return _nearly_alike(counts, rules, unknown)


@dataclass(frozen=True, eq=False)
class Scale(_Number):
    """A scale from *low* to *high*, shown as its mean with one decimal."""

    low: float
    high: float
    sources: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "sources", self.sources or (self.name,))
        if np.any((self.values < self.low) | (self.values > self.high)):
            raise PublishingError(f"{self.name}: a value lies outside the scale from {self.low} to {self.high}")

    def least(self, rules: Rules) -> int:
        return rules.respondents

    def fault(self, inside: Mask, level: int, rules: Rules, organisation: Sequence[str], unknown: int = 0) -> str:
        # A mean at the end of the scale says what each answered, so it isn't shown, and can't be masked either.
        return ALIKE if self.one_sided(inside, level, rules, unknown) else ""

    def figures(self, inside: Mask, level: int, rules: Rules, *, total: bool) -> tuple[Figure, ...]:
        return (Figure("mean", _half_up(float(self.given(inside).mean()), 1)),)


@dataclass(frozen=True, eq=False)
class Amount(_Number):
    """Money or a count of staff, at least 0, shown as its median with two significant digits.

    With mean=True the mean is shown, if no organisation gives half of the sum and the second largest can't
    estimate the largest to 10 % (the p%-rule; Hundepool et al. 2012, Statistical Disclosure Control, §4.2.2).
    """

    mean: bool = False
    sources: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "sources", self.sources or (self.name,))
        if np.any((self.values < 0) | np.isinf(self.values)):
            raise PublishingError(f"{self.name}: an amount is neither negative nor infinite")

    def least(self, rules: Rules) -> int:
        return 2 * rules.respondents

    def fault(self, inside: Mask, level: int, rules: Rules, organisation: Sequence[str], unknown: int = 0) -> str:
        # What others who are not known gave can be anything, and so can the median of them.
        if unknown or self.one_sided(inside, level, rules):
            return ALIKE
        return (
            "an organisation that makes up most of the sum"
            if self.mean and self._dominated(inside, organisation)
            else ""
        )

    def figures(self, inside: Mask, level: int, rules: Rules, *, total: bool) -> tuple[Figure, ...]:
        values = self.given(inside)
        centre = float(values.mean() if self.mean else np.median(values))
        digits = 1 - int(np.floor(np.log10(centre))) if centre > 0 else 0
        return (Figure("mean" if self.mean else "median", _half_up(centre, digits)),)

    def _dominated(self, inside: Mask, organisation: Sequence[str]) -> bool:
        rows = np.flatnonzero(inside & self.valid)
        firms = np.unique(np.array([organisation[row] for row in rows.tolist()]), return_inverse=True)[1]
        largest = np.sort(np.bincount(firms, self.values[rows]))[::-1]
        total = float(largest.sum())
        return bool(largest[0] >= 0.5 * total or total - largest[:2].sum() < 0.1 * largest[0])


ALIKE = "nearly the same answer from everybody"


def _nearly_alike(counts: Codes, rules: Rules, unknown: int) -> bool:
    """Return whether so many gave one answer that it tells about each, whatever *unknown* more gave."""
    n, most = int(counts.sum()) + unknown, int(counts.max(initial=0)) + unknown
    return rules.one_sided and (most > rules.unanimity * n or n - most < rules.category)


# ---- rounding -------------------------------------------------------------------------------------------


def percent(count: int, n: int) -> int:
    """Return a share in percent, rounded half up: to 5 where n < 50, else to 1. In whole numbers, so exactly."""
    step = 5 if n < 50 else 1
    return (200 * count + step * n) // (2 * step * n) * step


def band(n: int) -> tuple[int, int]:
    """Return between which numbers a base is said to lie: 10–19, 20–29, 30–49; from 50 on n rounded to 5, twice."""
    if n >= 50:
        rounded = (2 * n + 5) // 10 * 5
        return rounded, rounded
    return next((low, high) for low, high in ((30, 49), (20, 29), (10, 19), (5, 9)) if n >= low)


def _over(count: int, n: int, rules: Rules) -> int:
    """Return the ten per cent that a share is over: 90, or less where 2 of 12 others make it a lower share."""
    return min(round(rules.unanimity * 100), (count * 10 - 1) // n * 10)


def _interval(figure: Mapping[str, Any], n: int) -> tuple[float, float]:
    """Return between which counts of *n* the share of a figure lies."""
    share = figure["value"] * n / 100
    if figure["bound"] is None:
        slack = (5 if n < 50 else 1) * n / 200
        return share - slack, share + slack
    return (share, float(n)) if figure["bound"] == "over" else (0.0, share)


def _half_up(value: float, digits: int) -> float:
    scale = 10.0**digits
    return round(float(np.floor(value * scale + 0.5) / scale), max(digits, 0))


# ---- quotes ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Quote:
    """A respondent's own words that may be shown, and the group they may be attributed to, if any."""

    text: str
    group: str | None


def quote(
    text: str,
    *,
    chosen_by: str,
    approved_by: str,
    names_checked: bool,
    companies_checked: bool,
    group: str | None = None,
    group_n: int = 0,
    rules: Rules | None = None,
) -> Quote:
    """Return a quote for publication; the group is left out if fewer than 30 respondents are in it (rule 9).

    Nothing publishes quotes by itself. Raises PublishingError if nobody but the one who chose it approved it, if
    names of persons or of companies have not been looked for, or if there is no text.
    """
    persons = {chosen_by.strip().casefold(), approved_by.strip().casefold()} - {""}
    if len(persons) < 2:
        raise PublishingError("a quote needs a second person who approves it")
    if not (names_checked and companies_checked):
        raise PublishingError("a quote is read for names of persons and of companies before it is approved")
    if not text.strip():
        raise PublishingError("the quote is empty")
    return Quote(text.strip(), group if group_n >= (rules or Rules()).quote else None)
