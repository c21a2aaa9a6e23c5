"""The main results: charts, then the plan's tables."""

from __future__ import annotations

import re
from collections.abc import Iterator

from analysis.estimates import TOTAL
from analysis.plan import TableSpec
from kysely.codebook import Kind
from kysely.errors import AnalystError
from reports._figures import Figures
from reports._material import Material
from reports.parts import Cell, Chart, Column, Head, Note, Paragraph, Part, Row, Section, Table

ESTIMANDS = ("respondent", "organisation")

_FIGURE = re.compile(r"[\d\s.,%−–]*")


def build(material: Material, language: str) -> Section:
    """Return the charts and the tables of the plan."""
    figures = Figures(material, language)
    say = figures.say
    return Section(
        id="topline",
        title=say("topline.title"),
        parts=(Paragraph(say("topline.intro")),),
        sections=(
            Section("charts", say("topline.charts_title"), tuple(_charts(figures))),
            *(
                Section(
                    id=table.id,
                    title=table.title[language],
                    parts=tuple(_table(figures, table)),
                    wide=len(table.banners) > 0,
                )
                for table in material.plan.tables
            ),
        ),
    )


def chart(figures: Figures, name: str) -> Chart:
    """Return the chart *name* of the plan. Raises AnalystError if it was not drawn in this language."""
    drawn = figures.material.drawings.get(figures.language, {})
    if name not in drawn:
        known = ", ".join(drawn) or "none"
        raise AnalystError(f"no chart {name!r} is drawn in {figures.language!r}; there are: {known}")
    say, drawing = figures.say, drawn[name]
    columns = tuple(
        Column(title, numeric=all(_FIGURE.fullmatch(row[place]) for row in drawing.rows))
        for place, title in enumerate(drawing.columns[1:], start=1)
    )
    rows = tuple(Row(row[0], tuple(Cell(cell) for cell in row[1:])) for row in drawing.rows)
    told = (("base", drawing.base), ("note", drawing.note), ("source", drawing.source))
    return Chart(
        id=drawing.id,
        title=drawing.title,
        subtitle=drawing.subtitle,
        svg=drawing.svg,
        alt=drawing.alt,
        notes=tuple(f"{say(f'topline.{name}')} {text}" for name, text in told if text),
        table=Table(f"{drawing.id}-data", drawing.title, drawing.columns[0], columns, rows),
        summary=say("table.data"),
    )


def _charts(figures: Figures) -> Iterator[Part]:
    drawn = figures.material.drawings.get(figures.language, {})
    if not drawn:
        yield Note(figures.say("topline.no_charts"))
    for spec in figures.material.plan.charts:
        if spec.id in drawn:
            yield chart(figures, spec.id)


def _table(figures: Figures, spec: TableSpec) -> Iterator[Part]:
    note = (spec.note[figures.language],) if spec.note else ()
    if spec.organisations:
        yield _organisations(figures, spec, note)
    elif spec.banners:
        for name in spec.variables:
            yield from _by_groups(figures, spec, name, note)
    else:
        yield from _whole(figures, spec, note)


def _organisations(figures: Figures, spec: TableSpec, note: tuple[str, ...]) -> Table:
    """Return how many organisations and respondents each group has."""
    say, signs = figures.say, figures.signs()
    kinds = (("organisations", "organisation"), ("respondents", "respondent"), ("mean_respondents", "organisation"))

    def row(title: str, name: str, code: str, *, strong: bool = False) -> Row | None:
        lines = [figures.find(spec.id, name, code, statistic, estimand) for statistic, estimand in kinds]
        first = next((line for line in lines if line is not None), None)
        if first is None or not first["base_n"]:
            return None
        return Row(title, tuple(signs.cell(line) for line in lines), strong=strong)

    rows: list[Row | Head] = []
    if (total := row(say("table.all"), TOTAL, TOTAL, strong=True)) is not None:
        rows.append(total)
    for name in spec.variables:
        found = [row(figures.label(name, code), name, code) for code in figures.codes(name)]
        rows += [Head(figures.title(name)), *(one for one in found if one is not None)]
    columns = ("table.organisations", "table.respondents", "table.mean_respondents")
    return Table(
        id=f"{spec.id}-table",
        caption=spec.title[figures.language],
        stub=say("table.group"),
        columns=tuple(Column(say(key)) for key in columns),
        rows=tuple(rows),
        notes=(*note, *signs.notes()),
    )


def _by_groups(figures: Figures, spec: TableSpec, name: str, note: tuple[str, ...]) -> Iterator[Table]:
    say = figures.say
    central = figures.statistic(name) == "central"
    for estimand in ESTIMANDS:
        by = "table.percent_of_respondents" if estimand == "respondent" else "table.percent_of_organisations"
        yield figures.crosstab(
            spec.id,
            name,
            spec.banners,
            estimand,
            caption=say(f"crosstabs.{estimand}_caption", question=sentence(figures.title(name))),
            subtitle=say("table.central_share") if central else say(by),
            notes=note,
            folded=estimand == "organisation",
        )


def _whole(figures: Figures, spec: TableSpec, note: tuple[str, ...]) -> Iterator[Table]:
    """Yield the tables of the whole sample: scores, then sets, then variables together in one."""
    scores = {score.name for score in figures.material.plan.scores}
    single = [name for name in spec.variables if name in figures.material.codebook]
    for name in spec.variables:
        if name in scores:
            yield _modes(figures, spec, name, note)
            if figures.material.weighted:
                yield _beside(figures, spec, name, note)
        elif name not in single:
            yield _set(figures, spec, name)
    if single:
        yield _distributions(figures, spec, single, note)


def _modes(figures: Figures, spec: TableSpec, name: str, note: tuple[str, ...]) -> Table:
    """Return a score's modes: chosen, central and mean, in both estimands."""
    say, signs = figures.say, figures.signs()
    statistics = ("selected", "central", "mean100")
    rows = []
    for code in _order(figures, spec, name):
        lines = [figures.find(spec.id, name, code, what, estimand) for estimand in ESTIMANDS for what in statistics]
        rows.append(Row(figures.label(name, code), (signs.base(lines), *(signs.cell(line) for line in lines))))
    columns = [Column(say("table.n"), base=True)]
    columns += [Column(say(f"table.{what}"), say(f"table.{estimand}")) for estimand in ESTIMANDS for what in statistics]
    return Table(
        id=f"{spec.id}-{name}",
        caption=figures.title(name),
        subtitle=say("table.percent_both"),
        stub=say("table.mode"),
        columns=tuple(columns),
        rows=tuple(rows),
        notes=(*note, say("table.modes_note"), *signs.notes()),
    )


def _order(figures: Figures, spec: TableSpec, name: str) -> list[str]:
    """Return the codes of a score, the most central first."""
    return sorted(
        figures.codes(name),
        key=lambda code: -((figures.find(spec.id, name, code, "central", "respondent") or {}).get("estimate") or 0),
    )


def _beside(figures: Figures, spec: TableSpec, name: str, note: tuple[str, ...]) -> Table:
    """Return a score's modes per respondent: chosen, central and mean, each unweighted and weighted."""
    say, signs = figures.say, figures.signs()
    statistics = ("selected", "central", "mean100")
    rows = []
    for code in _order(figures, spec, name):
        lines = [
            figures.find(spec.id, name, code, what, "respondent", weighted=weighted)
            for what in statistics
            for weighted in (False, True)
        ]
        rows.append(Row(figures.label(name, code), (signs.base(lines), *(signs.cell(line) for line in lines))))
    columns = [Column(say("table.n"), base=True)]
    columns += [
        Column(say(f"table.{how}"), say(f"table.{what}")) for what in statistics for how in ("unweighted", "weighted")
    ]
    return Table(
        id=f"{spec.id}-{name}-beside",
        caption=say("table.beside_caption", title=_bare(figures.title(name))),
        subtitle=say("table.percent_of_respondents"),
        stub=say("table.mode"),
        columns=tuple(columns),
        rows=tuple(rows),
        notes=(*note, say("table.modes_note"), say("table.weighted_note"), *signs.notes()),
    )


def _share_columns(figures: Figures) -> tuple[Column, ...]:
    say = figures.say
    if not figures.material.weighted:
        return tuple(Column(say(f"table.{estimand}")) for estimand in ESTIMANDS)
    return tuple(
        Column(say("table.weighted" if kind.weighted else "table.unweighted"), say(f"table.{kind.estimand}"))
        for kind in figures.kinds
    )


def _weighted_note(figures: Figures) -> tuple[str, ...]:
    return (figures.say("table.weighted_note"),) if figures.material.weighted else ()


def _set(figures: Figures, spec: TableSpec, name: str) -> Table:
    """Return a multiple-response set: who chose each option; or, of levels, how each option spreads over them."""
    members = list(figures.material.codebook.set(name))
    if members[0].kind is Kind.LEVEL:
        return _levels(figures, spec, name)
    say, signs = figures.say, figures.signs()
    rows = []
    for member in members:
        lines = [
            figures.find(spec.id, name, member.code or "", "selected", kind.estimand, weighted=kind.weighted)
            for kind in figures.kinds
        ]
        rows.append(Row(member.label[figures.language], (signs.base(lines), *(signs.cell(line) for line in lines))))
    columns = (Column(say("table.n"), base=True), *_share_columns(figures))
    return Table(
        id=f"{spec.id}-{name}",
        caption=figures.title(name),
        subtitle=say("table.percent_both"),
        stub=say("table.code"),
        columns=columns,
        rows=tuple(rows),
        notes=(say("table.several"), *_weighted_note(figures), *signs.notes()),
    )


def _levels(figures: Figures, spec: TableSpec, name: str) -> Table:
    say, signs = figures.say, figures.signs()
    members = list(figures.material.codebook.set(name))
    levels = members[0].categories
    rows = []
    for member in members:
        lines = [figures.find(spec.id, member.name, level.code, "share", "respondent") for level in levels]
        rows.append(Row(member.label[figures.language], (signs.base(lines), *(signs.cell(line) for line in lines))))
    columns = (Column(say("table.n"), base=True), *(Column(level.label[figures.language]) for level in levels))
    return Table(
        id=f"{spec.id}-{name}",
        caption=members[0].text[figures.language],
        subtitle=say("table.percent_of_respondents"),
        stub=say("table.mode"),
        columns=columns,
        rows=tuple(rows),
        notes=signs.notes(),
    )


def _distributions(figures: Figures, spec: TableSpec, names: list[str], note: tuple[str, ...]) -> Table:
    """Return variables one under the other: respondents, share per respondent, share per organisation."""
    say, signs = figures.say, figures.signs()
    kinds = [("count", "respondent", False)] if spec.counts else []
    kinds += [("share", kind.estimand, kind.weighted) for kind in figures.kinds]
    rows: list[Row | Head] = []
    for name in names:
        rows.append(Head(figures.title(name)))
        for code in figures.codes(name):
            lines = [
                figures.find(spec.id, name, code, statistic, estimand, weighted=weighted)
                for statistic, estimand, weighted in kinds
            ]
            rows.append(Row(figures.label(name, code), tuple(signs.cell(line) for line in lines)))
    columns = [Column(say("table.respondents"), base=True)] if spec.counts else []
    columns += _share_columns(figures)
    return Table(
        id=f"{spec.id}-table",
        caption=spec.title[figures.language],
        subtitle=say("table.percent_both"),
        stub=say("table.group"),
        columns=tuple(columns),
        rows=tuple(rows),
        notes=(*note, *_weighted_note(figures), *signs.notes()),
    )


def _bare(title: str) -> str:
    """Return a title without the full stop, fit to be followed by a colon."""
    return title.removesuffix(".")


def sentence(title: str) -> str:
    """Return a title fit to be followed by another sentence."""
    return title if title[-1:] in ".?!" else f"{title}."
