"""The charts of the full form, drawn from the full form's estimates."""

import pytest

from analysis import charts
from analysis.charts._look import LOOKS, WIDE
from tests.analysis import _full_study, _study
from tests.analysis.charts._lint import problems

LANGUAGES = ("fi", "sv", "en")
CHARTS = ("OM_FIG03", "OM_FIG04", "OM_FIG05")


@pytest.fixture(scope="module")
def made():
    estimates, codebook = _full_study.estimates()
    plan = _study.plan(_full_study.asked())
    return estimates, codebook, {spec.id: spec for spec in plan.charts}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("id", CHARTS)
def test_nothing_overlaps_or_is_cut_in_any_look(made, id, language):
    estimates, codebook, specs = made
    for look in LOOKS:
        assert problems(charts.draw(estimates, specs[id], codebook, language, look)) == []


@pytest.mark.parametrize("id", CHARTS)
def test_the_alternative_text_says_that_the_answers_are_made_up_and_where_the_numbers_are(made, id):
    estimates, codebook, specs = made
    for language, said in {"fi": "Synteettinen", "sv": "Syntetiskt", "en": "Synthetic"}.items():
        alt = charts.draw(estimates, specs[id], codebook, language, WIDE).alt
        assert alt.startswith(said) and 150 <= len(alt) <= 470, alt


def test_the_arrow_goes_from_the_share_of_today_to_the_one_wished_for(made):
    estimates, codebook, specs = made
    picture = charts.draw(estimates, specs["OM_FIG03"], codebook, "en", WIDE)
    shown = {row[0]: row for row in picture.rows}
    found = estimates.select(table="OM_TAB07", statistic="central", estimand="respondent", code="DEV")
    share = {row.variable: 100 * row.estimate for row in found.itertuples()}
    row = shown["Product- or service-development-oriented"]
    assert row[1:4] == [share["OM_B"], share["OM_B_STR"], share["OM_B_DES"]]
    assert row[4] == pytest.approx(share["OM_B_DES"] - share["OM_B"])
    assert [row[4] for row in picture.rows] == sorted((row[4] for row in picture.rows), reverse=True)


def test_combinations_are_everybody_and_the_rarest_are_one_row_of_the_picture_alone(made):
    estimates, codebook, specs = made
    picture = charts.draw(estimates, specs["OM_FIG04"], codebook, "en", WIDE)
    assert sum(row[1] for row in picture.rows) == pytest.approx(100)
    assert {sum(row[4] for row in picture.rows)} == {row[5] for row in picture.rows}
    counts = [row[4] for row in picture.rows]
    assert counts == sorted(counts, reverse=True) and len(counts) > 9
    written = [text.get_text() for text in picture.sheet.axes.texts]
    assert f"{len(counts) - 8} other combinations" in [text.replace("\N{NO-BREAK SPACE}", " ") for text in written]


def test_every_cell_of_the_heat_map_is_the_mean_of_the_table_and_few_answers_are_marked(made):
    estimates, codebook, specs = made
    picture = charts.draw(estimates, specs["OM_FIG05"], codebook, "en", WIDE)
    found = estimates.select(table="OM_TAB09", variable="OM_C11", statistic="mean", estimand="respondent")
    mean = {row.banner_code: row for row in found.itertuples()}
    item = next(one for one in codebook.variables if one.name == "OM_C11").label["en"]
    cells = {row[1]: row for row in picture.rows if row[0] == item}
    assert cells["Customer service"][2] == f"{mean['CUST'].estimate:.2f}" and cells["Customer service"][7] == ""
    assert cells["Production"][5] == mean["PROD"].base_n < 30 and cells["Production"][7] == "small group"
    assert "None" not in cells  # nobody's dominant way is none of the four
