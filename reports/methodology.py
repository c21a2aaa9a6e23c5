"""How the answers were collected, how the figures were made, what they cannot say."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from analysis import wording
from analysis.evidence import REPLICATES
from kysely.codebook import Kind, Missing
from reports._figures import Figures
from reports._material import Material
from reports.parts import Bullets, Cell, Column, Fact, Facts, Formula, Paragraph, Part, Row, Section, Table
from reports.parts.wording import Wording

NONRESPONSE = "nonresponse"


def build(material: Material, language: str) -> Section:
    """Return the methods in words and formulas, with the simulator's parameters where it made the answers."""
    figures = Figures(material, language)
    say = figures.say
    about = material.estimates.provenance
    limits = {
        "respondents": material.limit("suppress_respondents"),
        "organisations": material.limit("suppress_organisations"),
        "small_base": material.limit("small_base"),
    }
    sections = [
        Section("design", say("methodology.design_title"), _paragraphs(say.list("methodology.design"))),
        Section("estimators", say("methodology.estimators_title"), tuple(_estimators(say))),
        Section("tests", say("methodology.tests_title"), _paragraphs(say.list("methodology.tests"))),
        Section("scores", say("methodology.scores_title"), (Bullets(say.list("methodology.scores")),)),
        Section("weighting", say("methodology.weighting_title"), _weighting(say, about.weighting)),
        Section(
            "disclosure", say("methodology.disclosure_title"), (Paragraph(say("methodology.disclosure", **limits)),)
        ),
        Section("missing", say("methodology.missing_title"), tuple(_missing(figures))),
    ]
    if about.simulation is not None:
        sections.append(Section("simulation", say("methodology.simulation_title"), _simulation(say, about.simulation)))
    sections.append(
        Section("limits", say("methodology.limits_title"), (Bullets(say.list("methodology.limits")),)),
    )
    return Section(
        "methodology", say("methodology.title"), (Paragraph(say("methodology.intro")),), sections=tuple(sections)
    )


def _paragraphs(texts: tuple[str, ...]) -> tuple[Part, ...]:
    return tuple(Paragraph(text) for text in texts)


def _estimators(say: Wording) -> Iterator[Part]:
    yield Paragraph(say("methodology.estimators"))
    yield Formula(say("methodology.share_formula"), say("methodology.share_where"))
    yield Paragraph(say("methodology.variance"))
    yield Formula(say("methodology.variance_formula"), say("methodology.variance_where"))
    yield Paragraph(say("methodology.interval"))
    yield Formula(say("methodology.interval_formula"), say("methodology.interval_where"))
    yield Paragraph(say("methodology.not_estimable"))
    yield Paragraph(say("methodology.bootstrap", replicates=wording.number(REPLICATES, say.language)))


def _weighting(say: Wording, weighting: str) -> tuple[Part, ...]:
    if weighting == "none":
        return _paragraphs(say.list("methodology.weighting_none"))
    return (Paragraph(say("methodology.weighting_other", weighting=weighting)),)


def _missing(figures: Figures) -> Iterator[Part]:
    say, language = figures.say, figures.language
    yield Paragraph(say("methodology.missing"))
    rows = []
    for kind in Missing:
        label = figures.material.codebook.missing.get(kind)
        shown = label[language] if label else say("methodology.missing_none")
        rows.append(Row(shown, (Cell(say(f"missing.{kind}")),)))
    yield Table(
        id="missing-kinds",
        caption=say("methodology.missing_caption"),
        stub=say("methodology.missing_kind"),
        columns=(Column(say("methodology.missing_meaning"), numeric=False),),
        rows=tuple(rows),
        prose=True,
    )
    if table := _nonresponse(figures):
        yield table


def _nonresponse(figures: Figures) -> Table | None:
    """Return how often each question went unanswered, by kind of missing."""
    say, signs = figures.say, figures.signs()
    rows = []
    for name in _once_a_question(figures.material):
        lines = [figures.find(NONRESPONSE, name, str(kind), "missing", "respondent") for kind in Missing]
        if any(line is not None for line in lines):
            variable = figures.material.codebook[name]
            title = variable.text[figures.language] if variable.kind is Kind.BINARY else figures.title(name)
            rows.append(Row(title, (signs.base(lines), *map(signs.cell, lines))))
    if not rows:
        return None
    columns = [Column(say("table.n"), base=True)]
    for kind in Missing:
        label = figures.material.codebook.missing.get(kind)
        columns.append(Column(label[figures.language] if label else str(kind)))
    return Table(
        id="nonresponse",
        caption=say("methodology.nonresponse_caption"),
        subtitle=say("methodology.nonresponse_subtitle"),
        stub=say("table.question"),
        columns=tuple(columns),
        rows=tuple(rows),
        notes=signs.notes(),
        folded=True,
    )


def _once_a_question(material: Material) -> Iterator[str]:
    """Yield one variable of each set of options, which are answered together, and every other variable."""
    sets: set[str] = set()
    for variable in material.codebook.variables:
        if variable.kind is Kind.BINARY and variable.set:
            if variable.set in sets:
                continue
            sets.add(variable.set)
        yield variable.name


def _simulation(say: Wording, simulation: Mapping[str, Any]) -> tuple[Part, ...]:
    parameters = simulation.get("parameters") or {}
    facts = (
        Fact(say("methodology.simulation_name"), str(simulation.get("name", ""))),
        Fact(say("methodology.simulation_seed"), str(simulation.get("seed", ""))),
    )
    rows = tuple(Row(str(name), (Cell(_written(value)),)) for name, value in parameters.items())
    table = Table(
        id="simulation-parameters",
        caption=say("methodology.simulation_caption"),
        stub=say("methodology.parameter"),
        columns=(Column(say("methodology.value"), numeric=False),),
        rows=rows,
        prose=True,
        folded=True,
    )
    return (Paragraph(say("methodology.simulation")), Facts(facts), *((table,) if rows else ()))


def _written(value: Any) -> str:
    """Return a parameter as the program holds it; a mapping as `code: value, …`, nested ones in brackets."""
    if isinstance(value, Mapping):
        return ", ".join(
            f"{key}: {{{_written(inner)}}}" if isinstance(inner, Mapping) else f"{key}: {_written(inner)}"
            for key, inner in value.items()
        )
    if isinstance(value, list | tuple):
        return ", ".join(_written(inner) for inner in value)
    return value if isinstance(value, str) else json.dumps(value)
