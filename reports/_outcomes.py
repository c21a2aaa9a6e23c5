"""What the methods tell of those who were invited: outcomes and outcome rates of persons, organisations and teams."""

from __future__ import annotations

from collections.abc import Iterator

from analysis import outcome_table, wording
from analysis.estimates import HIDDEN
from analysis.outcome_rates import OUTCOMES, RATES, TEAM
from analysis.outcome_table import CASES, COUNT, ELIGIBLE_SHARE, LEVELS, OPEN_LINK, OUTCOME_RATES, PERSON, RATE
from reports._figures import Figures, Signs
from reports._material import Line, Material
from reports.parts import Bullets, Cell, Column, Head, Paragraph, Part, Row, Table

FAMILIES = {"response": RATES[:6], "cooperation": RATES[6:10], "contact": RATES[10:13], "refusal": RATES[13:]}
"""The rates under the headings of their tables."""

_KNOWN = "I + P + R + NC + O"
_ASKED = f"({_KNOWN} + U)", f"({_KNOWN} + e · U)", f"({_KNOWN})"
_REACHED = "(I + P + R + O)", "(I + P + R)"
_COMPLETE, _ANSWERED = "I", "(I + P)"

FORMULAS = (
    *(f"{part} ÷ {base}" for base in _ASKED for part in (_COMPLETE, _ANSWERED)),
    *(f"{part} ÷ {base}" for base in _REACHED for part in (_COMPLETE, _ANSWERED)),
    *(f"{_REACHED[0]} ÷ {base}" for base in _ASKED),
    *(f"R ÷ {base}" for base in _ASKED),
)
"""What each of RATES divides by what, in the letters of OUTCOMES."""


def invited(material: Material) -> bool:
    """Return whether the estimates tell outcome rates: where cases were invited."""
    return any(line["table"] == OUTCOME_RATES for line in material.lines.values())


def parts(figures: Figures) -> Iterator[Part]:
    """Yield what came of the invitations; nothing of a wave by open link."""
    if not invited(figures.material):
        return
    say = figures.say
    first, levels = say.list("methodology.rates", team=TEAM)
    yield Paragraph(first)
    if len(_levels(figures)) > 1:
        yield Paragraph(levels)
    yield _counts(figures)
    yield _rates(figures)
    yield Bullets(tuple(_remarks(figures)))


def _levels(figures: Figures) -> tuple[str, ...]:
    """Return the levels that the estimates tell of: an anonymous wave has persons only."""
    return tuple(level for level in LEVELS if _find(figures, level, CASES, COUNT) is not None)


def _counts(figures: Figures) -> Table:
    say, signs = figures.say, figures.signs()
    rows = []
    for outcome in (*OUTCOMES, CASES):
        lines = [_find(figures, level, outcome, COUNT) for level in _levels(figures)]
        cells = tuple(_cell(signs, line, "count") for line in lines)
        rows.append(Row(say(f"methodology.case_{outcome}"), cells, strong=outcome == CASES))
    return Table(
        id="outcome-counts",
        caption=say("methodology.cases_caption"),
        stub=say("methodology.case"),
        columns=tuple(Column(say(f"methodology.level_{level}")) for level in _levels(figures)),
        rows=tuple(rows),
        notes=signs.notes(),
    )


def _rates(figures: Figures) -> Table:
    """Return the rates with what each divides by what, in the letters of the counts."""
    say, signs = figures.say, figures.signs()
    rows: list[Row | Head] = []
    for family, names in FAMILIES.items():
        rows.append(Head(say(f"methodology.rates_{family}")))
        for name in names:
            cells = tuple(_cell(signs, _find(figures, level, name, RATE), "share") for level in _levels(figures))
            rows.append(Row(name, (Cell(FORMULAS[RATES.index(name)]), *cells)))
    rows.append(Head(say("methodology.rates_eligible")))
    cells = tuple(_cell(signs, _find(figures, level, ELIGIBLE_SHARE, RATE), "share") for level in _levels(figures))
    rows.append(Row("e", (Cell(say("methodology.rates_known")), *cells)))
    return Table(
        id="outcome-rates",
        caption=say("methodology.rates_caption"),
        subtitle=say("methodology.rates_subtitle"),
        stub=say("methodology.rate"),
        columns=(
            Column(say("methodology.rate_of"), numeric=False),
            *(Column(say(f"methodology.level_{level}")) for level in _levels(figures)),
        ),
        rows=tuple(rows),
        notes=_notes(figures, signs),
    )


def _notes(figures: Figures, signs: Signs) -> tuple[str, ...]:
    """Return the explanations of the signs; a rate without a base has a dash for another reason than a table."""
    none = (figures.say("methodology.rates_dash"),) if "dash" in signs.used else ()
    signs.used.discard("dash")
    return (*none, *signs.notes())


def _remarks(figures: Figures) -> Iterator[str]:
    say = figures.say
    yield say("methodology.rates_eligibility")
    silent = _number(figures, PERSON, outcome_table.SILENT)
    if silent is not None:
        in_post = _number(figures, PERSON, outcome_table.SILENT_IN_POST) or 0
        said = {"silent": silent, "in_post": in_post}
        key = "methodology.rates_silent_in_post" if in_post else "methodology.rates_silent"
        yield say(key, **{name: wording.number(value, say.language) for name, value in said.items()})
    there = {code: _number(figures, OPEN_LINK, code) for code in outcome_table.PARTICIPATION}
    if all(number is not None for number in there.values()):
        numbers = {code: wording.number(number or 0, say.language) for code, number in there.items()}
        yield say("methodology.rates_open_link", **numbers)


def _find(figures: Figures, level: str, code: str, statistic: str) -> Line | None:
    return figures.find(OUTCOME_RATES, level, code, statistic, "respondent")


def _cell(signs: Signs, line: Line | None, kind: str) -> Cell:
    """Return a count or a rate; a dash where there is no case that it could be of."""
    nothing = line is not None and line["flag"] not in HIDDEN and line["estimate"] != line["estimate"]
    return signs.cell(None if line is None or nothing else {**line, "statistic": kind})


def _number(figures: Figures, level: str, code: str) -> float | None:
    """Return a count, or None where it is hidden or there is none."""
    line = _find(figures, level, code, COUNT)
    return None if line is None or line["flag"] in HIDDEN else float(line["estimate"])
