"""Weighted figures in the report: beside the unweighted, with what they were weighted to, or why there are none."""

from __future__ import annotations

import io
from dataclasses import replace

import openpyxl
import pytest

from analysis import wording
from analysis.estimates import HIDDEN
from analysis.population import POPULATION
from reports import book
from reports._figures import Figures
from reports._material import Material
from reports.formats import xlsx
from reports.parts.wording import Wording
from tests.analysis import _study
from tests.reports._built import build, page


@pytest.fixture(scope="module")
def weighted(tmp_path_factory) -> Material:
    """A simulated study with companies of every size and municipalities of every major region of the mainland."""
    study = _study.answers(seed=5, organisations=120, respondents=160)
    number = [int(name.removeprefix("org")) for name in study.organisation]
    study.columns["BG10"] = [("COMP", "MUNI")[k % 2] for k in number]
    study.columns["BG12"] = [("P10_19", "P50_99", "P1000")[k // 2 % 3] for k in number]
    study.columns["BG15"] = [("R01", "R02", "R04", "R10")[k // 2 % 4] for k in number]
    return build(tmp_path_factory.mktemp("weighted"), study)


def test_the_weighted_share_stands_beside_the_unweighted_one(weighted, language):
    say, table = Wording(language), page(weighted, language).tables["OM_TAB03-OM_B-beside"]
    assert say("table.weighted_note") in page(weighted, language).text
    lines = weighted.estimates.select(table="OM_TAB03", variable="OM_B", statistic="central", estimand="respondent")
    again = weighted.estimates.select(
        table="OM_TAB03", variable="OM_B", statistic="central", estimand="respondent", weighting=POPULATION
    )
    for (_, plain), (_, other) in zip(lines.iterrows(), again.iterrows(), strict=True):
        label = next(label for label in table.rows if _names(weighted, plain["code"], language) in label)
        assert plain["estimate"] != other["estimate"]
        for cell, line in zip(table.rows[label][3:5], (plain, other), strict=True):
            assert line["flag"] not in HIDDEN
            assert cell.startswith(wording.percent(line["estimate"], language, 1, sign=False))


def test_the_methods_tell_what_was_weighted_to_what_and_who_counted_it(weighted, language):
    told = page(weighted, language, "methodology")
    table = told.tables["weighting-margins"]
    assert len(table.rows) == 7
    for part in weighted.plan.weighting:
        assert part.margins[0].source[language] in told.text
        assert part.note is not None and part.note[language] in told.text
    for cells in table.rows.values():
        population, _, after = cells[2:5]
        assert population == after
    assert len(told.tables["weighting-errors"].rows) == 8


def test_a_report_of_one_real_answer_says_why_nothing_is_weighted(first_report, first_answer, language):
    say = Wording(language)
    assert say("methodology.weighting_lacking", respondents=5, organisations=3) in first_report.text
    assert not first_answer.weighted
    assert "OM_TAB03-OM_B-beside" not in first_report.tables
    for part in first_answer.plan.weighting:
        assert f"{part.text[language]}: " in first_report.text
    assert say("table.weighted_note") not in first_report.text


def test_a_group_has_its_weighted_row_under_its_own_with_base_figures_and_letters(weighted, language):
    say, shown = Wording(language), page(weighted, language, "crosstabs")
    assert say("crosstabs.weighted") in shown.text
    figures, checked = Figures(weighted, language), 0
    table = shown.tables["book-BG05-respondent"]
    assert table.heads[2] == say("table.weighted_n")
    book = weighted.estimates.select(table="book", variable="BG05", estimand="respondent", weighting=POPULATION)
    for (banner, group), lines in book.groupby(["banner", "banner_code"], sort=False):
        if banner != "role2" or not lines["base_n"].any():
            continue
        title = f"{figures.label(banner, group)} {say('table.weighted_row')}"
        key = next(key for key in table.rows if " ".join(key.split()).endswith(title))
        cells, letters = table.rows[key], table.letters[key]
        assert cells[0].startswith(wording.number(int(lines["base_n"].iloc[0]), language))
        if lines["flag"].isin(HIDDEN).any():
            assert cells[1] == ""
            continue
        assert cells[1] == wording.number(lines["base_weighted"].iloc[0], language, 1)
        for cell, letter, (_, line) in zip(cells[3:], letters[4:], lines.iterrows(), strict=True):
            assert cell.startswith(wording.percent(line["estimate"], language, 1, sign=False))
            assert letter == line["letters"]
            checked += 1
    assert checked >= 3


def test_a_weighted_test_stands_under_the_unweighted_one(weighted, language):
    say, shown = Wording(language), page(weighted, language, "crosstabs")
    table = shown.tables["tests-BG05-respondent"]
    tests = weighted.weighted_tests
    rows = [cells for title, cells in table.rows.items() if title.endswith(f" {say('table.weighted_row')}")]
    assert len(rows) == len(weighted.plan.banners) == len(table.rows) / 2
    for banner, cells in zip(weighted.plan.banners, rows, strict=True):
        test = tests["BG05", banner, "respondent"]
        assert cells[0] == wording.number(test["n"], language)
        if not test["reason"]:
            assert cells[2] == wording.number(test["f"], language, 2)
            assert cells[5] == wording.probability(test["p_adjusted"], language)
    made = sum(not test["reason"] for test in tests.values())
    method = say(f"tests.{weighted.plan.rules.adjust}")
    assert say("tests.family_weighted_note", count=wording.number(made, language), method=method) in shown.text


def test_a_question_of_levels_has_its_mean_after_its_shares(weighted, language):
    table = page(weighted, language, "crosstabs").tables["book-OM_B02_CUST-respondent"]
    assert table.heads[-1] == Wording(language)("table.mean100")
    whole = [cells for title, cells in table.rows.items() if title.startswith(Wording(language)("table.all"))]
    for weighting, cells in zip(("none", POPULATION), whole, strict=True):
        line = weighted.estimates.one(
            **{"table": "book", "variable": "OM_B02_CUST", "statistic": "mean100", "estimand": "respondent"},
            **{"banner": "total", "weighting": weighting},
        )
        assert cells[-1].startswith(wording.number(line["estimate"], language, 1))


def test_the_book_has_a_weighted_block_with_its_base_its_tests_and_nothing_hidden(weighted, language):
    say = Wording(language)
    opened = openpyxl.load_workbook(io.BytesIO(xlsx.render(book.build(weighted, language))))
    sheet = opened["BG05"]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=7)]
    begin = next(k for k, row in enumerate(rows) if row[0] == say("book.respondent_weighted"))
    end = next(k for k, row in enumerate(rows) if row[0] == say("book.organisation"))
    block = {row[0]: row for row in rows[begin:end] if row[0]}
    figures = Figures(weighted, language)
    for code in figures.codes("BG05"):
        line = weighted.estimates.one(
            **{"table": "book", "variable": "BG05", "code": code, "statistic": "share", "estimand": "respondent"},
            **{"banner": "total", "weighting": POPULATION},
        )
        assert block[wording.plain(figures.label("BG05", code))][1] == pytest.approx(line["estimate"], rel=1e-14)
        assert block[say("book.weighted_base")][1] == pytest.approx(line["base_weighted"], rel=1e-12)
    assert block[say("book.n")][1] == line["base_n"]
    index = opened.worksheets[0]
    heads = [cell.value for row in index.iter_rows(min_row=4, max_row=5) for cell in row]
    assert say("book.p_respondent_weighted") in heads
    tests = [row for row in opened[say("book.tests")].iter_rows(values_only=True) if row[0] == "BG05"]
    ours = [row for row in tests if row[2] == say("table.respondent_weighted")]
    assert [row[11] for row in ours if isinstance(row[11], int | float)] == pytest.approx(
        [
            test["p_adjusted"]
            for (name, _, _), test in weighted.weighted_tests.items()
            if name == "BG05" and not test["reason"]
        ]
    )
    methods = [row[0] for row in opened[wording.plain(say("methodology.title"))].iter_rows(values_only=True)]
    assert say("book.methods_weighted") in methods


def test_what_is_hidden_weighted_is_in_no_part_of_book_and_report(weighted, language):
    rows = weighted.estimates.rows.copy()
    hidden = (rows["weighting"] == POPULATION) & rows["flag"].isin(HIDDEN)
    assert hidden.sum() > 100
    rows.loc[hidden, ["estimate", "se", "ci_low", "ci_high", "base_weighted"]] = 0.123456789
    rows.loc[hidden, "letters"] = "QXZ"
    told = replace(weighted, estimates=replace(weighted.estimates, rows=rows))
    opened = openpyxl.load_workbook(io.BytesIO(xlsx.render(book.build(told, language))))
    values = {str(cell.value) for sheet in opened for row in sheet.iter_rows() for cell in row}
    assert not any("0.12345678" in value or value == "QXZ" for value in values)
    assert "QXZ" not in page(told, language).source


def test_the_cross_tabs_of_a_study_without_weights_say_where_the_reason_is(first_report, first_answer, language):
    say = Wording(language)
    assert say("crosstabs.not_weighted") in first_report.text
    assert say("crosstabs.weighted") not in first_report.text
    assert say("table.weighted_n") not in first_report.tables["book-BG05-respondent"].heads
    opened = openpyxl.load_workbook(io.BytesIO(xlsx.render(book.build(first_answer, language))))
    values = {cell.value for sheet in opened for row in sheet.iter_rows() for cell in row}
    assert say("crosstabs.not_weighted") in values
    assert say("book.respondent_weighted") not in values


def _names(material: Material, code: str, language: str) -> str:
    return str(material.plan.labels["OM_B"][code][language])
