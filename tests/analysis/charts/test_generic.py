"""The charts that any instrument gets: what they show of a question, a grid, a mean and waves, and what they refuse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from analysis import charts
from analysis.charts._files import Picture
from analysis.charts._look import LOOKS, NARROW, WIDE, Look
from analysis.estimates import Estimates
from kysely.codebook import Codebook
from kysely.errors import AnalystError
from tests.analysis.charts import _estimates as study
from tests.analysis.charts import _generic as generic
from tests.analysis.charts._lint import problems, written

LONG = "Valtakunnallisesti merkittävien kulttuuriympäristöjen ylläpidosta vastaava moniammatillinen yhteistyöelin " * 2
POINTS = {
    count: [(f"P{place}", (str(place), str(place), str(place))) for place in range(1, count + 1)]
    for count in range(2, 12)
}


def draw(
    id: str,
    language: str = "en",
    look: Look = WIDE,
    *,
    estimates: Estimates | None = None,
    codebook: Codebook | None = None,
    **options: str,
) -> Picture:
    spec = generic.SPECS[id]
    spec = replace(spec, options={**spec.options, **options})
    return charts.draw(estimates or generic.estimates(), spec, codebook or generic.codebook(), language, look)


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.name)
@pytest.mark.parametrize("language", study.LANGUAGES)
@pytest.mark.parametrize("id", generic.SPECS)
def test_a_chart_of_any_instrument_reads_well_in_every_language_and_look(id: str, language: str, look: Look):
    picture = draw(id, language, look)

    assert problems(picture) == []
    assert 150 <= len(picture.alt) <= 400


def test_answers_of_one_question_stand_by_size_and_levels_of_a_scale_in_their_order():
    assert [row[1] for row in draw("SINGLE").rows] == pytest.approx([35.5, 30.5, 22.5, 11.5])
    assert [row[0] for row in draw("SCALE").rows] == [words[2] for _, words in generic.AGREE]


def test_of_a_question_with_two_answers_one_bar_is_parted():
    picture = draw("YES_NO", "fi")

    assert {"64\u00a0%", "37\u00a0%", "Kyllä", "Ei"} <= set(written(picture).split("\n"))
    assert "Pyöristyksen vuoksi luvut eivät aina summaudu sataan." in picture.words.note  # 64 + 37 is 101


def test_options_of_which_several_can_be_picked_are_no_parts_of_a_hundred():
    assert [row[1] for row in draw("SET").rows] == pytest.approx([81.0, 62.5, 40.0])
    with pytest.raises(AnalystError, match="several options of USES can be picked"):
        draw("HUNDRED", variable="USES")


def test_the_middle_of_a_scale_is_in_neither_total_and_the_note_says_so():
    picture = draw("GRID", "fi")

    row = next(row for row in picture.rows if str(row[0]).startswith("Olemme yksimielisiä"))
    assert row[1:8] == pytest.approx([5.0, 10.0, 14.5, 40.0, 30.5, 15.0, 70.5])
    assert "Keskimmäinen vastaus ”Ei samaa eikä eri mieltä” ei ole mukana summissa." in picture.words.note
    assert [str(row[0]).split()[0] for row in picture.rows] == ["Olemme", "Olemme", "Johtoryhmämme"]  # 70.5, 50, 40


def test_a_stage_matrix_names_its_stages_as_every_row_has_statements_of_its_own():
    book = generic.codebook(POINTS[3])
    own = [
        replace(
            one,
            categories=tuple(
                replace(category, label=study.text((f"{one.code} {category.code}",) * 3)) for category in one.categories
            ),
        )
        if one.set == "VIEW"
        else one
        for one in book.variables
    ]
    picture = draw("GRID", "sv", estimates=_scale(3), codebook=replace(book, variables=tuple(own)))

    assert picture.columns[1:4] == ["Stadium 1 (%)", "Stadium 2 (%)", "Stadium 3 (%)"]
    assert problems(picture) == []


@pytest.mark.parametrize("look", [WIDE, NARROW], ids=lambda look: look.name)
@pytest.mark.parametrize("count", [2, 3, 7, 10, 11])
def test_scales_of_two_to_eleven_points_are_drawn(count: int, look: Look):
    for id in ("GRID", "SCALE"):
        picture = draw(id, "fi", look, estimates=_scale(count), codebook=generic.codebook(POINTS[count]))
        assert problems(picture) == []


def test_a_scale_of_twelve_points_is_refused_with_a_cure():
    twelve = [*POINTS[11], ("P12", ("12", "12", "12"))]
    with pytest.raises(AnalystError, match=r"chart GRID: grid_of_items draws scales of 2 to 11 levels .* has 12"):
        draw("GRID", codebook=generic.codebook(twelve))


def _scale(count: int) -> Estimates:
    values = {code: 1 / count for code, _ in POINTS[count]}
    return study.estimates([row for item in generic.AGREEMENT for row in generic.shares(f"VIEW_{item}", values)])


def test_a_mean_stands_with_its_interval_and_n_and_the_note_says_what_the_ends_of_the_scale_are():
    picture = draw("SCORE_ONE", "fi")

    assert picture.rows[0][:6] == ["Kaikki vastaajat", generic.ITEMS[0][1][0], 50.0, *picture.rows[0][3:5], 360]
    assert "Asteikko: 0\u00a0= ”Täysin eri mieltä”, 100\u00a0= ”Täysin samaa mieltä”." in picture.words.note


def test_a_mean_on_the_scale_s_own_numbers_keeps_a_decimal():
    rows = [{**row, "statistic": "mean"} for row in generic.rows() if row["statistic"] == "mean100"]
    rows = [{**row, "estimate": 3.26, "ci_low": 3.1, "ci_high": 3.4} if row["estimate"] == 50 else row for row in rows]
    rows = [row for row in rows if row["variable"] == "VIEW_NOW" and row["banner"] == "total"]
    picture = draw("SCORE_ONE", "fi", estimates=study.estimates(rows), statistic="mean")

    assert {"3,3", "1", "5"} <= set(written(picture).replace("5,0", "5").split("\n"))


def test_the_means_of_a_score_are_found_under_its_name():
    rows = [{**generic.mean("OM_B", 40.0 + place), "code": mode} for place, mode in enumerate(study.MODES)]
    picture = draw("SCORE", "en", estimates=study.estimates(rows), levels="OM_B02", score="OM_B")

    assert [row[2] for row in picture.rows] == [40.0, 41.0, 42.0, 43.0]
    assert problems(picture) == []


def test_answers_without_numbers_have_no_mean():
    with pytest.raises(AnalystError, match="WHY has answers without a number"):
        draw("SCORE_ONE", levels="WHY")


def test_a_trend_says_what_was_at_the_first_and_the_last_wave_and_hollows_small_ones():
    picture = draw("TREND", "en")

    assert "2015: 27% (n\u00a0=\u00a0360) – 2026: 15% (n\u00a0=\u00a0410)" in picture.alt
    assert "Hollow dot: fewer than 30 respondents" in picture.words.note.replace("\u00a0", " ")
    assert [row[1] for row in picture.rows[:3]] == ["2015", "2018", "2026"]


def test_a_trend_of_one_wave_is_refused_and_says_what_to_draw_instead():
    rows = [row for row in generic.rows() if row["banner_code"] not in ("W2018", "W2026")]

    with pytest.raises(AnalystError, match=r"chart TREND: .* two waves or more .* has W2015 .* `distribution`"):
        draw("TREND", estimates=study.estimates(rows))


def test_more_answers_than_colours_tell_apart_are_refused():
    eight = [(f"R{place}", (f"Syy {place}",) * 3) for place in range(8)]
    values = {code: 0.125 for code, _ in eight}
    rows = generic.shares("WHY", values) + generic.shares("WHY", values, 90, 60, banner="BG10", banner_code="COMP")

    with pytest.raises(AnalystError, match="WHY has 8 answers and no more than 7 colours"):
        draw("HUNDRED", estimates=study.estimates(rows), codebook=generic.codebook(reasons=eight), variable="WHY")


def _hidden(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [study.hide(row, "suppressed") for row in rows]


def _extreme(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return *rows* with everything on the first answer of each question."""
    found = []
    for row in rows:
        value = 1.0 if row["code"] in ("A1", "UNITS", "YES", "PROD") else 0.0
        keys = {name: row[name] for name in ("table", "variable", "code", "statistic", "banner", "banner_code")}
        whole = row["statistic"] == "mean100"
        found.append(row if whole else study.share(value, row["base_n"], row["base_organisations"], **keys))
    return found


def _few(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**row, "base_n": 12, "small_base": True} for row in rows]


CASES: dict[str, Callable[[list[dict[str, Any]]], list[dict[str, Any]]]] = {
    "all hidden": _hidden,
    "shares of 0 and 100 %": _extreme,
    "few answers": _few,
}


@pytest.mark.parametrize("look", [WIDE, NARROW], ids=lambda look: look.name)
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("id", generic.SPECS)
def test_a_chart_reads_well_whatever_its_table_holds(id: str, case: str, look: Look):
    picture = draw(id, "sv", look, estimates=study.estimates(CASES[case](generic.rows())))

    assert problems(picture) == []


@pytest.mark.parametrize("look", [WIDE, NARROW], ids=lambda look: look.name)
@pytest.mark.parametrize("id", ["SCORE", "HUNDRED"])
@pytest.mark.parametrize("count", [1, 40])
def test_one_group_and_forty_can_be_compared(id: str, count: int, look: Look):
    names = {f"G{place}": (f"Ryhmä {place}", f"Grupp {place}", f"Group {place}") for place in range(count)}
    total = [row for row in generic.rows() if row["banner"] == "total"]
    groups = [
        {**row, "banner": "BG10", "banner_code": group, "base_n": 90, "small_base": False}
        for group in names
        for row in total
    ]
    picture = draw(id, "fi", look, estimates=study.estimates(total + groups), codebook=generic.codebook(types=names))

    assert problems(picture) == []


@pytest.mark.parametrize("look", [WIDE, NARROW], ids=lambda look: look.name)
@pytest.mark.parametrize("label", [LONG, "<script>alert('x')</script>", "$\\alpha$ & <b>50 %</b>"])
@pytest.mark.parametrize("id", generic.SPECS)
def test_a_long_or_strange_label_is_drawn_whole(id: str, label: str, look: Look):
    assert problems(draw(id, "fi", look, codebook=_labelled(label))) == []


@pytest.mark.parametrize(
    ("label", "named"), [("Hyvä 😀", "U+1F600 (GRINNING FACE)"), ("שלום", "HEBREW LETTER"), ("a\u202eb", "OVERRIDE")]
)
@pytest.mark.parametrize("id", generic.SPECS)
def test_a_sign_the_font_lacks_is_an_error_that_names_label_and_sign(id: str, label: str, named: str):
    with pytest.raises(AnalystError) as refused:
        draw(id, "fi", codebook=_labelled(label))

    assert str(refused.value).startswith(f"chart {id}: ")
    assert repr(label)[1:-1] in str(refused.value) and named in str(refused.value)


def _labelled(label: str) -> Codebook:
    """Return the codebook with *label* for one answer, item or option of every question."""
    words = study.text((label, label, label))
    book = generic.codebook()
    return replace(
        book,
        variables=tuple(
            replace(
                one,
                label=words if one.code in ("NOW", "MOVE") else one.label,
                categories=tuple(
                    replace(category, label=words) if category.code in ("A2", "MOVE", "NO", "COMBO") else category
                    for category in one.categories
                ),
            )
            for one in book.variables
        ),
    )


@pytest.mark.parametrize("id", generic.SPECS)
def test_a_table_without_the_numbers_is_named(id: str):
    with pytest.raises(AnalystError, match=f"chart {id}: table TAB"):
        draw(id, estimates=study.estimates([]))


def test_a_name_the_codebook_lacks_is_named():
    for id, wrong in (("SINGLE", "variable"), ("GRID", "levels"), ("HUNDRED", "banner")):
        with pytest.raises(AnalystError, match="NOWHERE"):
            draw(id, **{wrong: "NOWHERE"})
