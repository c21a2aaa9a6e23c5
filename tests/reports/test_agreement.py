"""The chapter on agreement: how few organisations it rests on, figures as estimated, and no organisation's own."""

from __future__ import annotations

import io
from dataclasses import replace

import openpyxl
import pandas as pd
import pytest

from analysis import wording
from analysis.agreement_table import AGREEMENT, CONFLICT
from analysis.conflict import CLASSES
from analysis.estimates import Estimates
from reports import agreement, book
from reports.formats import xlsx
from reports.parts.wording import Wording
from tests.analysis import _study
from tests.reports._built import build, page

SIGN = "···"


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    """The material of a study in which two organisations have two respondents."""
    whole = _study.answers(seed=5)
    answers = [column for name, column in whole.columns.items() if name.startswith("OM_B")]
    rated = [all(isinstance(column[row], int) for column in answers) for row in range(len(whole))]
    members: dict[str, list[int]] = {}
    for row, name in enumerate(whole.organisation):
        if rated[row]:
            members.setdefault(name, []).append(row)
    pairs = [rows[:2] for rows in members.values() if len(rows) > 1][:2]
    ones = [rows[:1] for rows in members.values() if len(rows) == 1][:28]
    return build(tmp_path_factory.mktemp("few"), whole.take([row for rows in (*pairs, *ones) for row in rows]))


def one(material, variable, code, statistic):
    return material.estimates.one(table=AGREEMENT, variable=variable, code=code, statistic=statistic)


def test_the_chapter_begins_with_how_few_organisations_it_rests_on(report, synthetic, language):
    members = [one(synthetic, "total", "total", name)["estimate"] for name in ("two_or_more", "three_or_more")]
    say = Wording(language)
    counts = dict(zip(("two_or_more", "three_or_more"), (f"{count:.0f}" for count in members), strict=True))
    assert members[0] >= 5
    assert say("agreement.bases", organisations=synthetic.estimates.provenance.organisations, **counts) in report.text


def test_a_mode_has_its_figures_with_intervals_and_organisations_of_two_and_of_three(report, synthetic, language):
    table = report.tables["agreement-modes-table"]
    for code, label in synthetic.plan.labels["OM_B"].items():
        cells = table.rows[label[language]]
        for place, statistic in ((1, "ad"), (3, "icc1"), (4, "icc2"), (6, "rwg")):
            line = one(synthetic, "OM_B", code, statistic)
            if line["flag"] == "suppressed":
                assert cells[place].startswith(SIGN)
                continue
            low, high = (wording.number(line[end], language, 2) for end in ("ci_low", "ci_high"))
            assert cells[place].split()[0] == wording.number(line["estimate"], language, 2)
            assert f"{low}–{high}" in cells[place]
        assert cells[0].split()[0] == str(one(synthetic, "OM_B", code, "ad")["base_organisations"])
        assert cells[5].split()[0] == str(one(synthetic, "OM_B", code, "rwg")["base_organisations"])


def test_the_distance_inside_organisations_stands_beside_that_of_any_two_respondents(report, synthetic, language):
    rows = report.tables["agreement-distance-table"].rows
    for statistic in ("profile_distance", "profile_distance_random"):
        (cell,) = rows[Wording(language)(f"agreement.{statistic}")]
        line = one(synthetic, "OM_B", "", statistic)
        assert cell.split()[0] == wording.number(line["estimate"], language, 2)


def test_a_form_that_asks_of_today_only_has_no_conflict_classes_and_says_why(report, language):
    assert Wording(language)("agreement.classes_none") in report.text
    assert "agreement-classes-table" not in report.tables


def test_classes_stand_in_their_order_with_their_share_where_they_were_estimated(synthetic, language):
    line = one(synthetic, "OM_B", "", "low_conflict").to_dict()
    rows = [
        {**line, "variable": CONFLICT, "code": code, "statistic": statistic, "estimate": estimate}
        for place, code in enumerate(CLASSES)
        for statistic, estimate in (("organisations", place), ("share", place / 20))
    ]
    told = Estimates(pd.concat([synthetic.estimates.rows, pd.DataFrame(rows)]), synthetic.estimates.provenance)
    ours = page(replace(synthetic, estimates=told), language, "agreement")
    say, table = Wording(language), ours.tables["agreement-classes-table"]
    assert list(table.rows) == [say(f"agreement.class_{code}") for code in CLASSES]
    assert table.rows[say("agreement.class_MIXED")][1] == "5"
    assert table.rows[say("agreement.class_MIXED")][2].split()[0] == wording.percent(0.25, language, 1, sign=False)


def test_two_organisations_show_their_number_and_no_figure(few, language):
    ours, say = page(few, language), Wording(language)
    assert say("agreement.bases", organisations=30, two_or_more=2, three_or_more=0) in ours.text
    for cells in ours.tables["agreement-modes-table"].rows.values():
        assert [cell.split()[0] for cell in cells if SIGN not in cell] == ["2", "0"]
    assert say("agreement.suppressed_note", least=5) in ours.text


def test_the_chapter_stands_alone_and_is_missing_where_the_plan_asks_for_none(synthetic, language):
    alone = page(synthetic, language, "agreement")
    assert "agreement-modes-table" in alone.tables and "OM_TAB03-OM_B" not in alone.tables
    rows = synthetic.estimates.rows
    without = Estimates(rows[rows["table"] != AGREEMENT], synthetic.estimates.provenance)
    none = replace(synthetic, estimates=without)
    assert not agreement.told(none)
    assert "agreement" not in page(none, language).ids
    assert Wording(language)("agreement.none") in page(none, language, "agreement").text
    assert Wording(language)("agreement.sheet") not in [sheet.name for sheet in book.build(none, language).sheets]


def test_the_first_answer_has_a_chapter_without_a_figure(first_report, language):
    assert "agreement" in first_report.ids
    for cells in first_report.tables["agreement-modes-table"].rows.values():
        assert all(cell in ("0", "1") or cell.startswith(SIGN) for cell in cells)


def test_the_book_has_a_sheet_of_agreement_with_exact_numbers(synthetic, language):
    say = Wording(language)
    opened = openpyxl.load_workbook(io.BytesIO(xlsx.render(book.build(synthetic, language))))
    sheet = opened[say("agreement.sheet")]
    rows = {tuple(row[1:3]): row[3:] for row in sheet.iter_rows(values_only=True) if row[3] is not None}
    label = wording.plain(synthetic.plan.labels["OM_B"]["CUST"][language])
    found = rows[label, say("agreement.measure.ad")]
    line = one(synthetic, "OM_B", "CUST", "ad")
    assert found[:2] == (line["base_organisations"], line["base_n"])
    assert found[2:5] == pytest.approx((line["estimate"], line["ci_low"], line["ci_high"]))
    assert say("agreement.sheet") in [cell.value for row in opened.worksheets[0].iter_rows() for cell in row]
