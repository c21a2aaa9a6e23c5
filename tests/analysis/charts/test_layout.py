"""Charts may be printed as they are: in every language, with the data a survey can bring."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import cycle
from typing import Any

import pytest

from analysis import charts
from analysis.charts import _colours as colours
from analysis.charts import _fonts as fonts
from analysis.charts import _lines as lines
from analysis.charts._files import Picture
from analysis.charts._look import LOOKS, NARROW, WIDE, Look
from analysis.estimates import Estimates
from tests.analysis.charts import _estimates as study
from tests.analysis.charts._lint import problems, written
from tests.analysis.charts.conftest import Published

LONG = "Valtakunnallisesti merkittävien kulttuuriympäristöjen ylläpidosta vastaava moniammatillinen yhteistyöelin " * 2
UNBREAKABLE = "Lentokonesuihkuturbiinimoottoriapumekaanikkoaliupseerioppilas" * 3


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.name)
@pytest.mark.parametrize("language", study.LANGUAGES)
@pytest.mark.parametrize("id", ["OM_FIG01", "OM_FIG02"])
def test_a_chart_of_the_study_reads_well_in_every_language_and_look(id: str, language: str, look: Look):
    estimates = study.estimates(study.distribution() + study.central())

    assert problems(charts.draw(estimates, study.specs()[id], study.codebook(), language, look)) == []


def test_a_headline_takes_at_most_two_lines(published: Published):
    headline = published.picture.words.headline
    assert len(lines.balanced(headline, WIDE.inner, WIDE.headline, "Bold")) <= 2
    assert len(lines.balanced(headline, NARROW.inner, NARROW.headline, "Bold")) <= 3


def _zeros_and_ones() -> Estimates:
    totals = {"PROD": (1.0, 0, 0, 0), "DEV": (0, 1.0, 0, 0), "CUST": (0, 0, 0, 1.0), "PUB": (0, 0, 1.0, 0)}
    groups = {code: (n, m, (0.0, 1.0, 0.0, 1.0)) for code, (n, m, _) in study.GROUPS.items()}
    return study.estimates(study.distribution(totals) + study.central(groups, totals))


def _one_answer() -> Estimates:
    alone = replace(study.REAL, responses=1, organisations=1)
    rows = study.distribution(n=1, organisations=1) + study.central(
        {"COMP": (1, 1, (1.0, 0, 1.0, 0))}, n=1, organisations=1
    )
    return study.estimates(rows, alone)


def _one_group() -> Estimates:
    return study.estimates(study.distribution() + study.central({"MUNI": study.GROUPS["MUNI"]}))


def _ten_groups() -> Estimates:
    groups = {code: (36, 27, (0.25, 0.5, 0.75, 0.98)) for code in study.TYPES}
    return study.estimates(study.distribution() + study.central(groups))


def _hidden_by_another() -> Estimates:
    rows = study.distribution() + study.central()
    rows = [study.hide(row) if row["banner_code"] in ("OPUB", "COOP") else row for row in rows]
    rows = [study.hide(row) if row["variable"] == "OM_B02_PUB" else row for row in rows]
    return study.estimates(rows)


def _wide_intervals() -> Estimates:
    rows = study.distribution() + study.central({code: (6, 4, (0.5, 0.35, 0.65, 0.83)) for code in study.TYPES})
    wide = {"ci_low": 0.04, "ci_high": 0.97}
    return study.estimates([{**row, **wide} if row["banner"] == "BG10" else row for row in rows])


def _varying_bases() -> Estimates:
    rows = study.distribution() + study.central()
    fewer = {"PROD": 0, "DEV": 3, "CUST": 5, "PUB": 1}
    return study.estimates(
        [
            {**row, "base_n": row["base_n"] - fewer[row["code"] if row["variable"] == "OM_B" else row["variable"][7:]]}
            for row in rows
        ]
    )


def _small_survey() -> Estimates:
    small = replace(study.PROVENANCE, responses=21, organisations=15)
    groups = {"COMP": (12, 9, (0.5, 0.25, 0.75, 0.0)), "MUNI": (9, 6, (0.11, 0.22, 0.33, 0.89))}
    return study.estimates(
        study.distribution(n=21, organisations=15) + study.central(groups, n=21, organisations=15), small
    )


CASES: dict[str, Callable[[], Estimates]] = {
    "shares of 0 and 100 %": _zeros_and_ones,
    "a single answer, all hidden": _one_answer,
    "one group": _one_group,
    "ten groups": _ten_groups,
    "hidden to protect another group": _hidden_by_another,
    "wide intervals": _wide_intervals,
    "bases that vary": _varying_bases,
    "a survey under 30": _small_survey,
}


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.name)
@pytest.mark.parametrize("id", ["OM_FIG01", "OM_FIG02"])
@pytest.mark.parametrize(("case", "language"), list(zip(CASES, cycle(study.LANGUAGES), strict=False)))
def test_a_chart_reads_well_whatever_the_survey_brings(case: str, language: str, id: str, look: Look):
    picture = charts.draw(CASES[case](), study.specs()[id], study.codebook(), language, look)

    assert problems(picture) == []


@pytest.mark.parametrize("label", [LONG, UNBREAKABLE, "<script>alert('x')</script>", "$\\alpha$ & <b>50 %</b>"])
@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.name)
@pytest.mark.parametrize("id", ["OM_FIG01", "OM_FIG02"])
def test_a_label_is_drawn_whole_whatever_is_written_in_it(label: str, id: str, look: Look):
    words = dict.fromkeys(study.LANGUAGES, label)
    labels = {"OM_B": {"DEV": words}, "BG10": {"MUNI": words}}
    spec = replace(study.specs()[id], labels=labels)
    estimates = study.estimates(study.distribution() + study.central())

    assert problems(charts.draw(estimates, spec, study.codebook(), "fi", look)) == []


def test_a_suppressed_group_keeps_its_n_and_the_sign_of_the_report_and_the_note_says_why():
    picture = charts.draw(study.estimates(study.central()), study.specs()["OM_FIG02"], study.codebook(), "fi")

    assert written(picture).count("\n···") == 4  # CHUR: 3 respondents in 2 organisations, four panels
    assert "··· Tulosta ei näytetä, koska vastaajia on alle 5 tai organisaatioita alle 3." in picture.words.note


def test_a_group_nobody_belongs_to_is_left_out():
    groups = {**study.GROUPS, "WELL": (0, 0, (0.0, 0.0, 0.0, 0.0))}
    picture = charts.draw(study.estimates(study.central(groups)), study.specs()["OM_FIG02"], study.codebook(), "sv")

    assert "Välfärdsområde" not in written(picture)
    assert "Församling" in written(picture)


def _plant_overlap(picture: Picture) -> None:
    picture.sheet.text(WIDE.margin + 3, picture.sheet.top - 24, "yksi sana toisen päällä")


def _plant_cut(picture: Picture) -> None:
    picture.sheet.text(picture.sheet.width - 20, picture.sheet.top + 3, "ulos sivulta")


def _plant_small(picture: Picture) -> None:
    picture.sheet.text(picture.sheet.width - 60, picture.sheet.top + 4, "pieni", size=8)


def _plant_faint_text(picture: Picture) -> None:
    picture.sheet.text(
        picture.sheet.width - 60, picture.sheet.top + 4, "vaalea", colour="#CF7B1F"
    )  # 3.23 on white: a fill, not a text


def _plant_faint_fill(picture: Picture) -> None:
    picture.sheet.box(picture.sheet.width - 60, picture.sheet.top, 20, 10, "#FAAB18")  # 1.93 on white


def _plant_strike(picture: Picture) -> None:
    text = picture.sheet.axes.texts[-1]
    x, y = text.get_position()
    picture.sheet.axes.hlines([y - 5], [x - 40], [x + 40], colors=["#000000"])


def _plant_line(picture: Picture) -> None:
    x, y = picture.sheet.axes.texts[0].get_position()
    picture.sheet.rule((x - 40, x + 40), (y - 5, y - 5), "#000000")


def _plant_loss(picture: Picture) -> None:
    next(text for text in picture.sheet.axes.texts if text.get_text() == picture.words.kicker).remove()


FAULTS: Sequence[tuple[str, Callable[[Picture], Any]]] = (
    ("overlap", _plant_overlap),
    ("cut at the edge", _plant_cut),
    ("too small", _plant_small),
    ("contrast 3.23", _plant_faint_text),
    ("contrast 1.93", _plant_faint_fill),
    ("struck through", _plant_strike),
    ("struck through", _plant_line),
    ("lost words", _plant_loss),
)


@pytest.mark.parametrize(("fault", "plant"), FAULTS)
@pytest.mark.parametrize("look", [WIDE, NARROW], ids=lambda look: look.name)
def test_the_lint_finds_a_planted_fault(fault: str, plant: Callable[[Picture], Any], look: Look):
    estimates = study.estimates(study.central({"MUNI": study.GROUPS["MUNI"]}))
    picture = charts.draw(estimates, study.specs()["OM_FIG02"], study.codebook(), "en", look)

    plant(picture)

    assert any(fault in problem for problem in problems(picture))


def test_text_on_a_fill_and_every_fill_on_white_meet_wcag():
    fills = [*colours.LEVELS, *colours.option_colours(study.MODES).values()]

    assert all(colours.contrast(fill, colours.PAPER) >= 3 for fill in fills)
    assert all(colours.contrast(colours.ink_on(fill), fill) >= 4.5 for fill in fills)
    assert all(colours.contrast(colours.as_text(fill), colours.PAPER) >= 4.5 for fill in fills)


def test_a_mode_keeps_its_colour_in_every_chart():
    assert colours.option_colours(["PUB", "PROD"]) == {"PUB": "#7A2E85", "PROD": "#CF7B1F"}


def test_a_compound_breaks_only_where_its_author_allows_and_only_if_that_saves_a_line():
    compound = "Tuote- tai palvelu\u00adkehitys\u00adlähtöinen"

    assert lines.wrapped(compound, 110, 13, "SemiBold") == ["Tuote- tai", "palvelukehitys-", "lähtöinen"]
    assert lines.wrapped(compound, 190, 13, "SemiBold") == ["Tuote- tai", "palvelukehityslähtöinen"]


def test_no_word_of_a_headline_stands_alone():
    found = lines.balanced("Asiakaspalvelu on yhteinen nimittäjä ja tuotanto jakaa organisaatioita", 672, 24, "Bold")
    first, last = (fonts.width(line, 24, "Bold") for line in found)

    assert last > 0.6 * first
