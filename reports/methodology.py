"""How the answers were collected, how the figures were made, what they cannot say."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from analysis import fieldwork, quality, wording
from analysis.evidence import REPLICATES
from analysis.fieldwork import FIELDWORK
from kysely.codebook import Kind, Missing
from reports import _elsewhere, _outcomes, _weighting
from reports._figures import Figures, Signs
from reports._material import Line, Material
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
        Section("design", say("methodology.design_title"), _paragraphs(_design(figures))),
        Section("estimators", say("methodology.estimators_title"), tuple(_estimators(say))),
        Section("tests", say("methodology.tests_title"), _paragraphs(say.list("methodology.tests"))),
        Section("scores", say("methodology.scores_title"), (Bullets(say.list("methodology.scores")),)),
        Section(
            "weighting",
            say("methodology.weighting_title"),
            _elsewhere.weighting(figures) or tuple(_weighting.parts(figures)),
        ),
        *_elsewhere.sections(figures),
        Section(
            "disclosure", say("methodology.disclosure_title"), (Paragraph(say("methodology.disclosure", **limits)),)
        ),
        Section("missing", say("methodology.missing_title"), tuple(_missing(figures))),
        *_fieldwork(figures),
    ]
    if about.simulation is not None:
        sections.append(Section("simulation", say("methodology.simulation_title"), _simulation(say, about.simulation)))
    sections.append(
        Section("limits", say("methodology.limits_title"), (Bullets(say.list("methodology.limits")),)),
    )
    return Section(
        "methodology", say("methodology.title"), (Paragraph(say("methodology.intro")),), sections=tuple(sections)
    )


def _design(figures: Figures) -> tuple[str, ...]:
    frame = "invited" if _outcomes.invited(figures.material) else "open"
    return (figures.say(f"methodology.design_{frame}"), *figures.say.list("methodology.design"))


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


def _fieldwork(figures: Figures) -> Iterator[Section]:
    """Yield the section of how the survey was answered: a table for each thing that the estimates tell of it."""
    lines = [line for line in figures.material.lines.values() if line["table"] == FIELDWORK]
    if not lines:
        return
    say = figures.say
    frame = "invited" if _outcomes.invited(figures.material) else "open"
    parts: list[Part] = [Paragraph(say(f"methodology.fieldwork_{frame}")), *_outcomes.parts(figures)]
    parts.append(Paragraph(say("methodology.fieldwork", design=say("methodology.design_title"))))
    simulated = figures.material.estimates.provenance.synthetic
    if simulated:
        parts.append(Paragraph(say("methodology.fieldwork_simulated")))
    found = (_begun(figures), _pages(figures, lines), _speed(figures, lines, simulated), _lines(figures, lines))
    yield Section("fieldwork", say("methodology.fieldwork_title"), (*parts, *(table for table in found if table)))


def _begun(figures: Figures) -> Table:
    """Return how far those came who began: completion and break-off, which every wave has."""
    say, signs = figures.say, figures.signs()
    rows = []
    for outcome in fieldwork.OUTCOMES:
        line, share = (
            figures.find(FIELDWORK, fieldwork.OUTCOME, outcome, statistic, "respondent")
            for statistic in (fieldwork.COUNT, fieldwork.OUTCOME_SHARE)
        )
        cells = (signs.cell(line), Cell("") if share is None else _share(signs, share))
        rows.append(Row(say(f"methodology.outcome_{outcome}"), cells))
    return Table(
        id="fieldwork-outcomes",
        caption=say("methodology.outcome_caption"),
        stub=say("methodology.outcome"),
        columns=(Column(say("table.respondents"), base=True), *_columns(say, ("outcome_share",))),
        rows=tuple(rows),
        notes=(say("methodology.outcome_note"), *signs.notes()),
    )


def _pages(figures: Figures, lines: list[Line]) -> Table | None:
    say, signs = figures.say, figures.signs()
    rows = []
    for line in _of(lines, fieldwork.STOPPED):
        share = figures.find(FIELDWORK, line["variable"], line["code"], fieldwork.STOPPED_SHARE, "respondent")
        text = figures.material.codebook[line["variable"]].text[figures.language]
        rows.append(Row(text, (signs.base([line]), _count(signs, line), _share(signs, share))))
    if not rows:
        return None
    titles = ("pages_stopped", "pages_share")
    return Table(
        id="fieldwork-pages",
        caption=say("methodology.pages_caption"),
        stub=say("methodology.pages_stub"),
        columns=(Column(say("methodology.pages_reached"), base=True), *_columns(say, titles)),
        rows=tuple(rows),
        notes=(say("methodology.pages_note"), *signs.notes()),
    )


def _speed(figures: Figures, lines: list[Line], simulated: bool) -> Table | None:
    """Return the median time of each mode, with the speeders' share where the estimates have it."""
    say, signs = figures.say, figures.signs()
    fast = bool(_of(lines, fieldwork.SPEEDERS))
    rows = []
    for line in _of(lines, fieldwork.MEDIAN):
        cells = [signs.base([line]), signs.cell(line)]
        if fast:
            share = figures.find(FIELDWORK, line["variable"], line["code"], fieldwork.SPEEDERS, "respondent")
            cells.append(_share(signs, share))
        mode = f"methodology.speed_{line['code']}"
        rows.append(Row(say(mode) if say.has(mode) else str(line["code"]), tuple(cells)))
    if not rows:
        return None
    titles = ("speed_median", "speed_speeders") if fast else ("speed_median",)
    notes = [say("methodology.speed_note"), *([say("methodology.speed_speeders_note")] if fast else [])]
    return Table(
        id="fieldwork-speed",
        caption=say(f"methodology.speed_{'simulated_' if simulated else ''}caption"),
        stub=say("methodology.speed_stub"),
        columns=(Column(say("methodology.speed_n"), base=True), *_columns(say, titles)),
        rows=tuple(rows),
        notes=(*notes, *signs.notes()),
    )


def _lines(figures: Figures, lines: list[Line]) -> Table | None:
    """Return how many gave every row of a grid of levels one answer."""
    say, signs = figures.say, figures.signs()
    rows = [
        Row(figures.title(line["variable"]), (signs.base([line]), _share(signs, line)))
        for line in _of(lines, fieldwork.STRAIGHT)
    ]
    if not rows:
        return None
    asked = Column(say("methodology.straight_n", rows=quality.ROWS), base=True)
    return Table(
        id="fieldwork-straight-lines",
        caption=say("methodology.straight_caption"),
        stub=say("table.question"),
        columns=(asked, *_columns(say, ("straight_share",))),
        rows=tuple(rows),
        notes=(say("methodology.straight_note"), *signs.notes()),
    )


def _of(lines: list[Line], statistic: str) -> list[Line]:
    return [line for line in lines if line["statistic"] == statistic]


def _columns(say: Wording, titles: tuple[str, ...]) -> tuple[Column, ...]:
    return tuple(Column(say(f"methodology.{title}")) for title in titles)


def _count(signs: Signs, line: Line) -> Cell:
    """Return the cell of a number of respondents, written as the tables write those."""
    return signs.cell({**line, "statistic": "count"})


def _share(signs: Signs, line: Line | None) -> Cell:
    """Return the cell of a share between 0 and 1, written as the tables write those."""
    return signs.cell(line and {**line, "statistic": "share"})


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
