"""What `variable:` of a chart names: a question with one answer, or a set of options of which several can be picked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from analysis.charts._cells import Cell, cells
from analysis.charts._colours import BAR, OPTIONS, option_colours, scale_colours
from analysis.charts._labels import LEVELS, category_label, key, option_label
from analysis.estimates import TOTAL, Estimates
from analysis.plan import ChartSpec
from kysely.codebook import Codebook, Kind
from kysely.errors import AnalystError


@dataclass(frozen=True)
class Question:
    """The rows of estimates that are drawn: *statistic* of *name*, a row a code of *labels*, in the author's order.

    *ordered*: the codes are levels of a scale; *exclusive*: a respondent has one of them, so that shares make 100 %.
    """

    name: str
    statistic: str
    labels: Mapping[str, str]
    ordered: bool
    exclusive: bool

    def colours(self) -> dict[str, str]:
        """Return a colour for each code. Raises AnalystError if there are more than can be told apart."""
        if self.ordered and len(self.labels) in LEVELS:
            return dict(zip(self.labels, scale_colours(len(self.labels)), strict=True))
        if len(self.labels) > OPTIONS:
            raise AnalystError(
                f"{self.name} has {len(self.labels)} answers and no more than {OPTIONS} colours can be told apart; "
                "regroup them with a recode, or draw it as `distribution`"
            )
        return {self.only: BAR} if len(self.labels) == 1 else option_colours(self.labels)

    @property
    def only(self) -> str:
        return next(iter(self.labels))


def question(spec: ChartSpec, codebook: Codebook, language: str) -> Question:
    """Return what the plan names under `variable:`. Raises AnalystError if the codebook has no such thing."""
    name = key(spec, "variable")
    members = tuple(one for one in codebook.set(name) if one.kind is Kind.BINARY)
    if members:
        labels = {str(one.code): option_label(spec, one, language) for one in members}
        return Question(name, "selected", labels, ordered=False, exclusive=False)
    if name not in codebook or not codebook[name].categories:
        raise AnalystError(
            f"the codebook has no question {name!r} with answers to choose from; name one in `variable:`"
        )
    variable = codebook[name]
    labels = {one.code: category_label(spec, codebook, name, one.code, language) for one in variable.categories}
    return Question(name, "share", labels, ordered=variable.kind in (Kind.ORDINAL, Kind.LEVEL), exclusive=True)


def of_groups(
    estimates: Estimates, spec: ChartSpec, asked: Question, banner: str = TOTAL
) -> dict[str, dict[str, Cell]]:
    """Return code of the banner → code of the question → cell, of everybody under TOTAL.

    A group that the table lacks, or to which nobody belongs, is not in it. Raises AnalystError if the table lacks
    everybody.
    """
    rows = estimates.select(
        table=spec.table,
        variable=asked.name,
        statistic=asked.statistic,
        estimand="respondent",
        banner=(TOTAL, banner),
    )
    found: dict[str, dict[str, Cell]] = {}
    for (group, code), cell in cells(rows, ("banner_code", "code")).items():
        found.setdefault(group, {})[code] = cell
    whole = {
        group: {code: own[code] for code in asked.labels}
        for group, own in found.items()
        if set(asked.labels) <= set(own) and any(cell.n for cell in own.values())
    }
    if TOTAL not in whole:
        raise AnalystError(f"table {spec.table} has no shares of {asked.name}; name another table or variable")
    return whole
