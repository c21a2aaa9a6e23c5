"""Whether the members of one organisation answer alike: distances between them, mode by mode, and conflict classes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from analysis import wording
from analysis.agreement import ad_cutoff
from analysis.agreement_table import (
    AD,
    AD_ACCEPTABLE,
    AGREEMENT,
    CLASS_SHARE,
    CLASSED,
    CONFLICT,
    DISTANCE,
    HIGH,
    ICC1,
    ICC2,
    LOW,
    ORGANISATIONS,
    QUANTILES,
    RANDOM,
    RWG,
    RWG_RAW,
    THREE,
    TWO,
)
from analysis.conflict import CLASSES, ConflictRules
from analysis.estimates import HIDDEN, TOTAL
from analysis.plan import Score
from reports._figures import Figures, Signs
from reports._material import Line, Material
from reports.parts import Bullets, Cell, Column, Head, Paragraph, Part, Row, Section, Table

SHARES = (AD_ACCEPTABLE, LOW, HIGH, CLASS_SHARE)
"""Statistics between 0 and 1 that are written as per cent."""

_NOTES = ("few", "suppressed", "not_estimable", "dash")


def told(material: Material) -> bool:
    """Return whether the estimates tell of agreement: where the plan asks for it and somebody has answered."""
    return any(line["table"] == AGREEMENT for line in material.lines.values())


def build(material: Material, language: str) -> Section:
    """Return the chapter; without estimates of agreement, the sentence that there are none."""
    figures = Figures(material, language)
    say = figures.say
    if not told(material):
        return Section("agreement", say("agreement.title"), (Paragraph(say("agreement.none")),))
    sections = [
        Section("agreement-distance", say("agreement.distance_title"), tuple(_distances(figures))),
        Section("agreement-modes", say("agreement.modes_title"), tuple(_modes(figures)), wide=True),
        Section("agreement-classes", say("agreement.classes_title"), tuple(_classes(figures))),
        Section("agreement-limits", say("agreement.limits_title"), (Bullets(_warnings(figures)),)),
    ]
    return Section("agreement", say("agreement.title"), tuple(_opening(figures)), sections=tuple(sections))


def counts(figures: Figures) -> Mapping[str, int]:
    """Return how many organisations answered, with two and with three respondents or more."""
    about = figures.material.estimates.provenance
    found = {"organisations": about.organisations, "respondents": about.responses}
    for name in (TWO, THREE):
        line = find(figures, TOTAL, TOTAL, name)
        found[name] = 0 if line is None or line["flag"] in HIDDEN else int(line["estimate"])
    return found


def find(figures: Figures, variable: str, code: str, statistic: str) -> Line | None:
    """Return a row of the table of agreement."""
    return figures.find(AGREEMENT, variable, code, statistic, "organisation")


def scores(figures: Figures) -> tuple[Score, ...]:
    """Return the scores that agreement is told of."""
    spec = figures.material.plan.agreement
    return () if spec is None else tuple(figures.material.plan.score(name) for name in spec.scores)


def _opening(figures: Figures) -> Iterator[Part]:
    say, found = figures.say, counts(figures)
    yield Paragraph(say("agreement.intro"))
    if not figures.material.few:
        numbers = {name: wording.number(count, say.language) for name, count in found.items()}
        yield Paragraph(say("agreement.bases", **numbers))
    yield Paragraph(say("agreement.secrecy", least=ORGANISATIONS))


# ---- profiles ---------------------------------------------------------------------------------------


def _distances(figures: Figures) -> Iterator[Part]:
    say, signs = figures.say, figures.signs()
    low, high = (wording.number(limit, say.language, 2) for limit in _limits(figures))
    yield from (Paragraph(text) for text in say.list("agreement.distance", low=low, high=high))
    held = scores(figures)
    bases = [_base(figures, signs, find(figures, score.name, "", DISTANCE)) for score in held]
    rows = [Row(say("agreement.organisations_2"), tuple(bases))]
    for statistic in (DISTANCE, RANDOM, *(f"{DISTANCE}_{name}" for name in QUANTILES), LOW, HIGH):
        cells = _cells(signs, [find(figures, score.name, "", statistic) for score in held])
        rows.append(Row(say(f"agreement.{statistic}", low=low, high=high), cells))
    yield Table(
        id="agreement-distance-table",
        caption=say("agreement.distance_caption"),
        subtitle=say("agreement.subtitle"),
        stub=say("agreement.measured"),
        columns=tuple(Column(figures.title(score.name)) for score in held),
        rows=tuple(rows),
        notes=(say("agreement.profile_note"), *_notes(figures, signs)),
    )


def _limits(figures: Figures) -> tuple[float, float]:
    spec = figures.material.plan.agreement
    given, usual = {} if spec is None else spec.conflict, ConflictRules()
    return given.get("low", usual.low), given.get("high", usual.high)


# ---- modes ------------------------------------------------------------------------------------------


def _modes(figures: Figures) -> Iterator[Part]:
    say, signs = figures.say, figures.signs()
    yield Paragraph(say("agreement.modes"))
    cutoff = wording.number(_cutoff(figures), say.language, 2)
    yield Bullets(say.list("agreement.measures", cutoff=cutoff))
    two, three = (AD, AD_ACCEPTABLE, ICC1, ICC2), (RWG, RWG_RAW)
    rows: list[Row | Head] = []
    for score in scores(figures):
        if len(scores(figures)) > 1:
            rows.append(Head(figures.title(score.name)))
        for code in score.codes:
            of_two = [find(figures, score.name, code, statistic) for statistic in two]
            of_three = [find(figures, score.name, code, statistic) for statistic in three]
            cells = (_base(figures, signs, of_two[0]), *_cells(signs, of_two))
            cells += (_base(figures, signs, of_three[0]), *_cells(signs, of_three))
            rows.append(Row(figures.label(score.name, code), cells))
    groups = ((say("agreement.two"), two), (say("agreement.three"), three))
    yield Table(
        id="agreement-modes-table",
        caption=say("agreement.modes_caption"),
        subtitle=say("agreement.subtitle"),
        stub=say("table.mode"),
        columns=tuple(
            column
            for group, statistics in groups
            for column in (
                Column(say("agreement.organisations"), group, base=True),
                *(Column(say(f"agreement.{statistic}", cutoff=cutoff), group) for statistic in statistics),
            )
        ),
        rows=tuple(rows),
        notes=(say("agreement.intervals"), *_notes(figures, signs)),
    )


def _cutoff(figures: Figures) -> float:
    """Return the average deviation up to which agreement is called acceptable on the scale of the scores."""
    score = scores(figures)[0]
    values = [one.value or 0.0 for one in figures.material.codebook[f"{score.level}_{score.codes[0]}"].categories]
    return ad_cutoff(len(values)) * (max(values) - min(values)) / (len(values) - 1)


# ---- conflict classes -------------------------------------------------------------------------------


def _classes(figures: Figures) -> Iterator[Part]:
    say, signs = figures.say, figures.signs()
    if find(figures, CONFLICT, CLASSES[0], CLASSED) is None:
        yield Paragraph(say("agreement.classes_none"))
        return
    yield Paragraph(say("agreement.classes"))
    rows = []
    for code in CLASSES:
        lines = [find(figures, CONFLICT, code, statistic) for statistic in (CLASSED, CLASS_SHARE)]
        rows.append(Row(say(f"agreement.class_{code}"), (_base(figures, signs, lines[1]), *_cells(signs, lines))))
    yield Table(
        id="agreement-classes-table",
        caption=say("agreement.classes_caption"),
        stub=say("agreement.class"),
        columns=(
            Column(say("agreement.organisations_3"), base=True),
            Column(say("agreement.classed")),
            Column(say("agreement.class_share")),
        ),
        rows=tuple(rows),
        notes=_notes(figures, signs),
    )


# ---- words and cells --------------------------------------------------------------------------------


def _warnings(figures: Figures) -> tuple[str, ...]:
    about = figures.material.estimates.provenance
    mean = wording.number(about.responses / max(about.organisations, 1), figures.language, 1)
    return figures.say.list("agreement.limits", mean=mean)


def _cells(signs: Signs, lines: list[Line | None]) -> tuple[Cell, ...]:
    return tuple(signs.cell(line and {**line, "statistic": _kind(line)}) for line in lines)


def _kind(line: Line) -> str:
    """Return how a figure is written: per cent, a count, or a number with two decimals as a mean is."""
    if line["statistic"] in SHARES:
        return "share"
    return "count" if line["statistic"] == CLASSED else "mean"


def _base(figures: Figures, signs: Signs, line: Line | None) -> Cell:
    """Return the organisations that a row's figures are over, marked where they are few."""
    held = 0 if line is None else int(line["base_organisations"])
    few = line is not None and line["flag"] not in HIDDEN and held < figures.material.limit("small_base")
    if few:
        signs.used.add("few")
    return Cell(wording.number(held, figures.language), mark="*" if few else "")


def _notes(figures: Figures, signs: Signs) -> tuple[str, ...]:
    values = {"small_base": figures.material.limit("small_base"), "least": ORGANISATIONS}
    return tuple(figures.say(f"agreement.{name}_note", **values) for name in _NOTES if name in signs.used)
