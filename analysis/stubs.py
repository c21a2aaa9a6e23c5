"""What is counted of each variable: a stub has its categories' places, and the statistics they give."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.study import Study
from kysely.codebook import Kind, Variable

SHARE, SELECTED, CENTRAL = "share", "selected", "central"
MEAN, MEAN100 = "mean", "mean100"


@dataclass(frozen=True)
class Statistic:
    """One number per group: the mean of *values*, one per code of the stub."""

    name: str
    variable: str
    code: str
    values: tuple[float, ...]

    @property
    def ends(self) -> tuple[float, float]:
        """Between which numbers it lies, whatever the answers are; 0 and 1 for a share."""
        low, high = min(self.values), max(self.values)
        return (low, high) if self.name in (MEAN, MEAN100) and low < high else (0.0, 1.0)

    @property
    def only(self) -> int | None:
        """The code whose share this is; None for a mean."""
        return self.values.index(1) if sorted(self.values)[-2:] == [0, 1] and sum(self.values) == 1 else None


@dataclass(frozen=True)
class Stub:
    """A variable with positions 0 … codes-1 for its categories, and what is computed of it.

    *names* are all the names a plan may call it by: its own, its set, its score.
    """

    variable: str
    codes: int
    statistics: tuple[Statistic, ...]
    names: frozenset[str]


def stubs(study: Study) -> tuple[Stub, ...]:
    """Return every stub of the study: its closed variables, recodes and derived variables."""
    return tuple(_stub(variable, study) for variable in study.codebook.variables if _is_tabulated(variable, study))


def _is_tabulated(variable: Variable, study: Study) -> bool:
    asked = variable in study.asked()
    derived = variable.name not in study.answers.codebook
    return variable.closed and (asked or derived) and (bool(variable.categories) or variable.kind is Kind.BINARY)


def _stub(variable: Variable, study: Study) -> Stub:
    names = {variable.name} | ({variable.set} if variable.set else set())
    statistics: list[Statistic] = []
    if variable.kind is Kind.BINARY:
        statistics.append(Statistic(SELECTED, variable.set or variable.name, variable.code or "1", (0.0, 1.0)))
    else:
        size = len(variable.categories)
        for position, category in enumerate(variable.categories):
            only = tuple(float(other == position) for other in range(size))
            statistics.append(Statistic(SHARE, variable.name, category.code, only))
    if variable.kind is Kind.LEVEL:
        values = tuple(float(category.value or 0) for category in variable.categories)
        low, high = min(values), max(values)
        hundred = tuple((value - low) / (high - low) * 100 for value in values) if high > low else values
        statistics.append(Statistic(MEAN, variable.name, "", values))
        statistics.append(Statistic(MEAN100, variable.name, "", hundred))
    for score in study.plan.scores:
        code = variable.code or ""
        if variable.set == score.chosen and code in score.codes:
            names.add(score.name)
            statistics.append(Statistic(SELECTED, score.name, code, (0.0, 1.0)))
        if variable.set == score.level and code in score.codes:
            names.add(score.name)
            top = tuple(float(value == high) for value in values)
            statistics.append(Statistic(CENTRAL, score.name, code, top))
            statistics.append(Statistic(MEAN, score.name, code, values))
            statistics.append(Statistic(MEAN100, score.name, code, hundred))
    size = 2 if variable.kind is Kind.BINARY else len(variable.categories)
    return Stub(variable.name, size, tuple(statistics), frozenset(names))
