"""A chart draws the estimates and makes none: its figures and its CSV are theirs, rounded once."""

from __future__ import annotations

import csv
from dataclasses import replace

import pytest

from analysis import charts
from analysis.charts._look import LOOKS
from analysis.estimates import Estimates
from kysely.errors import AnalystError
from tests.analysis.charts import _estimates as study
from tests.analysis.charts._lint import written
from tests.analysis.charts.conftest import Published


def _table(published: Published) -> list[list[str]]:
    separator = "," if published.picture.language == "en" else ";"
    text = published.path("csv").read_bytes().decode("utf-8-sig")
    return list(csv.reader(text.splitlines(), delimiter=separator))[1:]


def _number(text: str, language: str) -> float:
    return float(text if language == "en" else text.replace(",", "."))


@pytest.mark.parametrize("language", study.LANGUAGES)
def test_the_csv_of_the_distribution_holds_the_estimates(everything, language):
    rows = _table(everything["OM_FIG01", language])
    labels = [variable.label[language] for variable in study.codebook().set("OM_B02")]
    short = [study.specs()["OM_FIG01"].labels["OM_B"][mode][language].replace("\u00ad", "") for mode in study.MODES]

    assert len(rows) == len(labels) == 4
    for row in rows:
        mode = study.MODES[short.index(row[0])]
        a, b, c, d = study.TOTALS[mode]
        expected = [a, b, c, d, a + b, c + d]
        assert [_number(cell, language) for cell in row[1:7]] == pytest.approx([100 * p for p in expected], abs=0.05)
        assert row[7:9] == ["360", "269"]


@pytest.mark.parametrize("language", study.LANGUAGES)
def test_the_csv_by_group_holds_the_estimates_with_their_intervals_and_bases(everything, language):
    rows = iter(_table(everything["OM_FIG02", language]))
    wanted = study.central()

    for estimate in [row for row in wanted if row["banner"] == "total"] + [
        row for row in wanted if row["banner"] == "BG10"
    ]:
        row = next(rows)
        shown = [_number(cell, language) for cell in row[2:5] if cell]
        known = [100 * estimate[name] for name in ("estimate", "ci_low", "ci_high") if estimate["flag"] != "suppressed"]
        assert shown == pytest.approx(known, abs=0.05)
        assert row[5:7] == [str(estimate["base_n"]), str(estimate["base_organisations"])]
    assert next(rows, None) is None


def test_a_finnish_spreadsheet_gets_semicolons_decimal_commas_and_a_byte_order_mark(everything):
    text = everything["OM_FIG01", "fi"].path("csv").read_bytes()

    assert text.startswith(b"\xef\xbb\xbf")
    assert "Asiakaspalvelulähtöinen;3,5;17,5;28,5;50,5;21,0;79,0;360;269" in text.decode("utf-8-sig")


def test_an_english_spreadsheet_gets_commas_and_decimal_points(everything):
    text = everything["OM_FIG01", "en"].path("csv").read_bytes().decode("utf-8-sig")

    assert "Customer-service-oriented,3.5,17.5,28.5,50.5,21.0,79.0,360,269" in text


def test_a_label_that_looks_like_a_formula_stays_a_label(tmp_path):
    from analysis.charts import _files

    spec = study.specs()["OM_FIG01"]
    labels = {"OM_B": {"PROD": dict.fromkeys(study.LANGUAGES, '=HYPERLINK("http://example.org")')}}
    spec, estimates = replace(spec, labels=labels), study.estimates(study.distribution())
    _files.write([charts.draw(estimates, spec, study.codebook(), "en", look) for look in LOOKS], tmp_path)

    cells = [row[0] for row in csv.reader((tmp_path / "OM_FIG01.csv").read_text("utf-8-sig").splitlines())]
    assert '\'=HYPERLINK("http://example.org")' in cells


def test_the_most_central_option_stands_first_and_a_hidden_one_last():
    rows = study.distribution()
    rows = [study.hide(row) if row["variable"] == "OM_B02_CUST" else row for row in rows]
    picture = charts.draw(study.estimates(rows), study.specs()["OM_FIG01"], study.codebook(), "en")

    assert [row[0] for row in picture.rows] == [
        "Production-oriented",  # 25.5
        "Product- or service-development-oriented",  # 24.5
        "Public-administration mode",  # 15.5
        "Customer-service-oriented",
    ]


def test_totals_are_of_unrounded_shares_and_the_note_says_so_only_where_the_labels_do_not_add_up():
    whole = {mode: (0.25, 0.25, 0.25, 0.25) for mode in study.MODES}
    halves = {mode: (0.205, 0.205, 0.295, 0.295) for mode in study.MODES}  # 21 + 21 is not 41
    spec, codebook = study.specs()["OM_FIG01"], study.codebook()

    adding = charts.draw(study.estimates(study.distribution(whole)), spec, codebook, "en")
    not_adding = charts.draw(study.estimates(study.distribution(halves)), spec, codebook, "en")

    assert "unrounded" not in adding.words.note
    assert "Totals are computed from unrounded shares." in not_adding.words.note
    assert {"21", "30", "41", "59"} <= set(written(not_adding).split("\n"))


def test_only_the_first_figure_has_a_per_cent_sign():
    picture = charts.draw(study.estimates(study.distribution()), study.specs()["OM_FIG01"], study.codebook(), "fi")

    figures = [line for line in written(picture).split("\n") if line.endswith("\u00a0%")]
    assert figures == ["21\u00a0%", "79\u00a0%"]


def test_the_base_tells_how_many_answered_where_some_did_not():
    rows = study.distribution(n=352)
    picture = charts.draw(study.estimates(rows), study.specs()["OM_FIG01"], study.codebook(), "fi")

    assert picture.words.base == (
        "360\u00a0vastaajaa 269\u00a0organisaatiosta. Osuudet on laskettu kysymykseen vastanneista "
        "(n\u00a0=\u00a0352). Jokainen vastaaja painaa yhtä paljon."
    )


def test_a_chart_of_other_estimates_has_another_fingerprint():
    spec, codebook = study.specs()["OM_FIG01"], study.codebook()
    other = {**study.TOTALS, "PUB": (0.55, 0.17, 0.125, 0.155)}

    def fingerprint(estimates: Estimates) -> str:
        return charts.draw(estimates, spec, codebook, "en").estimates_sha256

    assert fingerprint(study.estimates(study.distribution())) == fingerprint(study.estimates(study.distribution()))
    assert fingerprint(study.estimates(study.distribution())) != fingerprint(study.estimates(study.distribution(other)))


@pytest.mark.parametrize("id", ["OM_FIG01", "OM_FIG02"])
def test_a_table_without_the_numbers_stops_the_chart_and_is_named(id):
    spec = replace(study.specs()[id], table="OM_TAB99")

    with pytest.raises(AnalystError, match="OM_TAB99"):
        charts.draw(study.estimates(study.distribution() + study.central()), spec, study.codebook(), "fi")


def test_a_set_or_key_the_plan_got_wrong_is_named():
    spec = study.specs()["OM_FIG02"]
    estimates = study.estimates(study.central())

    with pytest.raises(AnalystError, match="'OM_B99'"):
        charts.draw(estimates, replace(spec, options={**spec.options, "levels": "OM_B99"}), study.codebook(), "fi")
    with pytest.raises(AnalystError, match="banner"):
        charts.draw(estimates, replace(spec, options={"levels": "OM_B02", "score": "OM_B"}), study.codebook(), "fi")
