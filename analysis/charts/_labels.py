"""The words of options and groups: the plan's short wording with its soft hyphens, else the questionnaire's."""

from __future__ import annotations

from analysis.plan import ChartSpec
from kysely.codebook import Codebook, Variable
from kysely.errors import AnalystError


def key(spec: ChartSpec, name: str) -> str:
    """Return what the plan says under *name* of the chart. Raises AnalystError if the plan doesn't say."""
    value = spec.options.get(name)
    if not isinstance(value, str):
        raise AnalystError(f"chart {spec.id}: {spec.chart} needs `{name}:`; add it to the chart in plan.yaml")
    return value


def members(spec: ChartSpec, codebook: Codebook) -> tuple[Variable, ...]:
    """Return the level variables that the chart draws, in the author's order.

    Raises AnalystError if the codebook has no such set.
    """
    name = key(spec, "levels")
    found = tuple(codebook.set(name))
    if not found:
        raise AnalystError(f"chart {spec.id}: the codebook has no set {name!r}; name one in `levels:` in plan.yaml")
    return found


def option_label(spec: ChartSpec, variable: Variable, language: str) -> str:
    """Return the label of a set's member, with soft hyphens where the plan has put them."""
    for name in (spec.options.get("score"), variable.set):
        wording = spec.labels.get(name or "", {}).get(variable.code or "")
        if wording:
            return _one_line(wording[language])
    return _one_line(variable.label[language])


def category_label(spec: ChartSpec, codebook: Codebook, name: str, code: str, language: str) -> str:
    """Return the label of *code* of the variable *name*."""
    if code in spec.labels.get(name, {}):
        return _one_line(spec.labels[name][code][language])
    return _one_line(codebook[name].category(code).label[language])


def _one_line(label: str) -> str:
    return " ".join(label.split(" ")).replace("\n", " ").replace("\t", " ").strip()
