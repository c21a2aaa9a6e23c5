"""What the methods tell of the weights to the population: to what, at what cost, with which errors, or why none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from analysis import wording
from analysis.population import TOO_FEW
from reports._figures import Figures
from reports.parts import Bullets, Cell, Column, Paragraph, Part, Row, Table
from reports.parts.table import Head

_SHARES = ("population", "sample", "weighted")
_SIDES = ("unweighted", "weighted")
_ERRORS = ("unweighted_se", "se", "linearised", "fixed")


def parts(figures: Figures) -> Iterator[Part]:
    """Yield the methods' section on weighting."""
    say, told = figures.say, figures.material.estimates.weights
    if not told:
        yield from (Paragraph(text) for text in say.list("methodology.weighting_none"))
    elif told["lacking"]:
        yield from _lacking(figures, told["lacking"])
    else:
        yield from (Paragraph(text) for text in say.list("methodology.weighting"))
        yield _margins(figures, told["margins"])
        yield Paragraph(
            say(
                "methodology.weighting_cost",
                **{name: wording.number(told[name], say.language, 2) for name in ("smallest", "largest", "deff")},
                **{name: wording.number(told[name], say.language) for name in ("n", "effective")},
            )
        )
        if told["side_by_side"]:
            yield Paragraph(say(f"methodology.weighting_errors_{told['errors']}"))
            yield _errors(figures, told["side_by_side"])
        yield Paragraph(say(f"methodology.weighting_tests_{told['errors']}"))


def _lacking(figures: Figures, lacking: Sequence[Mapping[str, str]]) -> Iterator[Part]:
    say = figures.say
    names = {part.name: part.text[figures.language] for part in figures.material.plan.weighting}
    if lacking[0]["why"] == TOO_FEW:
        limits = {name: figures.material.limit(f"suppress_{name}") for name in ("respondents", "organisations")}
        yield Paragraph(say("methodology.weighting_lacking", **limits))
        yield Bullets(
            tuple(
                say(
                    "methodology.weighting_too_few",
                    part=names[one["part"]],
                    label=figures.label(one["variable"], one["code"]),
                )
                for one in lacking
            )
        )
    else:
        yield Paragraph(say("methodology.weighting_not_met_intro"))
        yield Bullets(tuple(names[one["part"]] for one in lacking))


def _margins(figures: Figures, margins: Sequence[Mapping[str, Any]]) -> Table:
    """Return every class with its share of the population, of those who answered, and of those weighted."""
    say, language = figures.say, figures.language
    planned = {part.name: part for part in figures.material.plan.weighting}
    rows: list[Row | Head] = []
    for margin in margins:
        rows.append(Head(planned[margin["part"]].text[language]))
        for one in margin["classes"]:
            shares = (wording.percent(one[name], language, 1, sign=False) for name in _SHARES)
            factor = wording.EN_DASH if one["factor"] is None else wording.number(one["factor"], language, 2)
            counts = (wording.number(one["total"], language), wording.number(one["n"], language))
            cells = tuple(Cell(text) for text in (*counts, *shares, factor))
            rows.append(Row(figures.label(margin["variable"], one["code"]), cells))
    sources = [
        say("methodology.margins_source", part=part.text[language], source=margin.source[language])
        for part in planned.values()
        for margin in part.margins
    ]
    heads = ("total", "n", *_SHARES, "factor")
    return Table(
        id="weighting-margins",
        caption=say("methodology.margins_caption"),
        subtitle=say("methodology.margins_subtitle"),
        stub=say("methodology.margins_group"),
        columns=tuple(Column(say(f"methodology.margins_{head}"), base=head in ("total", "n")) for head in heads),
        rows=tuple(rows),
        notes=(*sources, *(part.note[language] for part in planned.values() if part.note)),
    )


def _errors(figures: Figures, found: Sequence[Mapping[str, Any]]) -> Table:
    """Return the unweighted and the weighted shares of the scores, and the errors of the weighted."""
    say, language = figures.say, figures.language
    rows: list[Row | Head] = []
    for place, one in enumerate(found):
        if place == 0 or one["statistic"] != found[place - 1]["statistic"]:
            rows.append(Head(say(f"table.{one['statistic']}")))
        shares = (wording.percent(one[name], language, 1, sign=False) for name in _SIDES)
        errors = (wording.number(100 * one[name], language, 2) for name in _ERRORS)
        rows.append(Row(figures.label(one["variable"], one["code"]), tuple(Cell(text) for text in (*shares, *errors))))
    return Table(
        id="weighting-errors",
        caption=say("methodology.side_caption"),
        subtitle=say("methodology.side_subtitle"),
        stub=say("table.mode"),
        columns=(
            *(Column(say(f"methodology.side_{name}"), say("methodology.side_share")) for name in _SIDES),
            *(Column(say(f"methodology.side_{name}"), say("methodology.side_errors")) for name in _ERRORS),
        ),
        rows=tuple(rows),
    )
