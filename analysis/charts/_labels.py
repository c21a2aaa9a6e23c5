"""The words of options and groups: the plan's short wording with its soft hyphens, else the questionnaire's."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.charts import _sentences
from analysis.plan import ChartSpec
from kysely.codebook import Codebook, Variable
from kysely.errors import AnalystError

LEVELS = range(2, 12)
"""How many levels a scale may have to be drawn."""


def key(spec: ChartSpec, name: str) -> str:
    """Return what the plan says under *name* of the chart. Raises AnalystError if the plan doesn't say."""
    value = spec.options.get(name)
    if not isinstance(value, str):
        raise AnalystError(f"{spec.chart} needs `{name}:`; add it to the chart in plan.yaml")
    return value


def members(spec: ChartSpec, codebook: Codebook) -> tuple[Variable, ...]:
    """Return the variables of the set named in `levels:`, in the author's order, or the one variable of that name.

    Raises AnalystError if the codebook has neither.
    """
    name = key(spec, "levels")
    found = tuple(codebook.set(name)) or ((codebook[name],) if name in codebook else ())
    if not found:
        raise AnalystError(f"the codebook has no set {name!r}; name one in `levels:` in plan.yaml")
    return found


def variable(spec: ChartSpec, codebook: Codebook, name: str = "variable") -> Variable:
    """Return the variable that the plan names under *name*. Raises AnalystError if the codebook has none."""
    wanted = key(spec, name)
    if wanted not in codebook:
        raise AnalystError(f"the codebook has no variable {wanted!r}; name one in `{name}:` in plan.yaml")
    return codebook[wanted]


def levels_of(spec: ChartSpec, variables: Sequence[Variable], language: str) -> tuple[str, ...]:
    """Return the names of the levels that all *variables* share, the lowest first.

    Raises AnalystError for a scale that is too short or long to be drawn, and for variables on different scales.
    """
    scales = {tuple(category.value or category.code for category in variable.categories) for variable in variables}
    if len(scales) > 1:
        differing = ", ".join(variable.name for variable in variables)
        raise AnalystError(f"{differing} have different scales; draw those of one scale in a chart")
    if len(variables[0].categories) not in LEVELS:
        raise AnalystError(
            f"{spec.chart} draws scales of {LEVELS[0]} to {LEVELS[-1]} levels and {variables[0].name} has "
            f"{len(variables[0].categories)}; regroup them with a recode, or choose another chart in plan.yaml"
        )
    names = [
        tuple(_sentences.one_line(category.label[language]) for category in variable.categories)
        for variable in variables
    ]
    if len(set(names)) > 1:  # a stage matrix has sentences of its own in every row
        return tuple(_sentences.stage(place, language) for place in range(1, len(names[0]) + 1))
    return names[0]


def option_label(spec: ChartSpec, variable: Variable, language: str) -> str:
    """Return the label of a set's member, with soft hyphens where the plan has put them."""
    for name in (spec.options.get("score"), variable.set):
        wording = spec.labels.get(name or "", {}).get(variable.code or "")
        if wording:
            return _sentences.one_line(wording[language])
    return _sentences.one_line(variable.label[language])


def category_label(spec: ChartSpec, codebook: Codebook, name: str, code: str, language: str) -> str:
    """Return the label of *code* of the variable *name*."""
    if code in spec.labels.get(name, {}):
        return _sentences.one_line(spec.labels[name][code][language])
    category = next(category for category in codebook[name].categories if category.code == code)
    return _sentences.one_line(category.label[language])
