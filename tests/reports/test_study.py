"""What the report says, and what it keeps to itself."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from pandas import concat

from analysis import wording
from analysis.claim_tests._finding import Verdict
from analysis.estimates import HIDDEN, Estimates
from analysis.falsification import Falsification, Rate
from reports import book, study
from reports.parts.wording import Wording
from tests.reports._built import page

SYNTHETIC = {"fi": "Synteettinen aineisto", "sv": "Syntetiskt material", "en": "Synthetic data"}
SIGN = "···"
FIGURE = re.compile(r"\d[.,]\d")


# ---- synthetic or real --------------------------------------------------------------------------


def test_a_simulated_study_is_called_synthetic_in_the_title_the_banner_and_every_section(report, language):
    word = SYNTHETIC[language]
    assert report.title.startswith(word)
    sections = [title for level, title in report.headings if level > 1 and title.startswith(word)]
    assert len(sections) == len(report.contents) > 20
    assert f'content:"{word}"' in report.source  # at the head of every printed page


def test_real_answers_are_never_called_synthetic(first_report, language):
    assert SYNTHETIC[language].split()[0].casefold() not in first_report.source.casefold()
    assert 'content:""' in first_report.source


def test_answers_to_a_demonstration_are_said_to_be_that(first_report, first_answer, language):
    assert Wording(language)("front.demonstration_title") in first_report.text
    about = replace(first_answer.estimates.provenance, demonstration=False)
    ours = replace(first_answer, estimates=Estimates(first_answer.estimates.rows, about))
    assert Wording(language)("front.demonstration_title") not in page(ours, language).text


def test_a_row_that_was_set_beforehand_is_never_worded_as_a_finding(report, synthetic, language):
    said = Wording(language)("reproduction.set_beforehand")
    agreeing = [
        claim
        for claim in synthetic.claims
        if "by_construction" in claim.basis and claim.verdict in (Verdict.REPRODUCED, Verdict.CONSISTENT)
    ]
    assert agreeing
    for claim in agreeing:
        row = next(cells for title, cells in report.tables["claims"].rows.items() if title.startswith(claim.id))
        assert said in row[3], claim.id


def test_the_simulators_parameters_are_printed_where_it_made_the_answers(synthetic, report, first_report):
    assert "simulation" in report.ids
    assert "simulation" not in first_report.ids
    about = synthetic.estimates.provenance
    simulation = {"name": "s", "seed": 7, "parameters": {"mode_strength": {"CUST": 1.0}, "thresholds": [0, 0.4]}}
    told = replace(synthetic, estimates=Estimates(synthetic.estimates.rows, replace(about, simulation=simulation)))
    rows = page(told, "en", "methodology").tables["simulation-parameters"].rows
    assert rows == {"mode_strength": ["CUST: 1.0"], "thresholds": ["0, 0.4"]}


# ---- numbers ------------------------------------------------------------------------------------


def test_every_figure_of_a_cross_table_is_that_of_the_estimates(report, synthetic, language):
    lines = synthetic.estimates.select(table="book", variable="BG05", estimand="respondent", banner="org3")
    table = report.tables["book-BG05-respondent"]
    labels = {c.code: c.label[language] for c in synthetic.codebook["org3"].categories}
    checked = 0
    for group, rows in lines.groupby("banner_code"):
        if not rows["base_n"].iloc[0]:
            continue
        cells = table.rows[labels[group]]
        assert cells[0].rstrip(" *") == wording.number(rows["base_n"].iloc[0], language)
        for cell, (_, line) in zip(cells[2:], rows.iterrows(), strict=True):
            if line["flag"] in HIDDEN:
                assert cell.startswith(SIGN)
                continue
            assert cell.split()[0] == wording.percent(line["estimate"], language, 1, sign=False)
            low, high = (wording.percent(line[end], language, 1, sign=False) for end in ("ci_low", "ci_high"))
            assert f"{low}–{high}" in cell
            checked += 1
    assert checked >= 6


def test_a_cross_table_names_its_groups_by_letters_and_the_smaller_ones_in_its_cells(report, synthetic, language):
    book = synthetic.estimates.select(table="book", statistic=("share", "selected"))
    for _, line in book[book["letters"] != ""].iterrows():
        table = report.tables[f"book-{line['variable']}-{line['estimand']}"]
        groups = synthetic.codebook[line["banner"]].categories
        (place,) = (place for place, group in enumerate(groups) if group.code == line["banner_code"])
        codes = [code for code in book[book["variable"] == line["variable"]]["code"].unique()]
        letters = [
            row[3 + codes.index(line["code"])] for row in table.letters.values() if row[0] == "ABCDEFGHIJKLMNOP"[place]
        ]
        assert line["letters"] in letters
    assert (book["letters"] != "").sum() > 3


def test_every_test_of_a_question_stands_under_its_table(report, synthetic, language):
    tests = synthetic.estimates.tests
    for name, columns in (("BG05", 7), ("BG16", 6)):
        lines = tests[(tests["variable"] == name) & (tests["estimand"] == "respondent")].set_index("banner")
        table = report.tables[f"tests-{name}-respondent"]
        assert len(table.rows) == len(synthetic.plan.banners)
        for banner, cells in zip(synthetic.plan.banners, table.rows.values(), strict=True):
            line = lines.loc[banner]
            assert len(cells) == columns
            assert cells[0] == wording.number(line["n"], language)
            assert cells[2] == wording.number(line["f"], language, 2)
            assert cells[4] == wording.probability(line["p"], language)
            assert cells[5] == wording.probability(line["p_adjusted"], language)


def test_a_very_small_p_value_is_not_called_nought():
    assert wording.probability(0.0004, "fi") == "< 0,001"
    assert wording.probability(0.0449, "en") == "0.045"


def test_the_main_table_gives_both_ways_of_counting(report, synthetic, language):
    table = report.tables["OM_TAB03-OM_B"]
    for mode, label in synthetic.plan.labels["OM_B"].items():
        cells = table.rows[label[language]]
        for place, estimand in ((2, "respondent"), (5, "organisation")):
            line = synthetic.estimates.one(
                table="OM_TAB03", variable="OM_B", code=mode, statistic="central", estimand=estimand
            )
            assert cells[place].split()[0] == wording.percent(line["estimate"], language, 1, sign=False)


def test_every_closed_question_has_a_cross_table_in_both_ways_of_counting(report, synthetic):
    for name in (*(v.name for v in synthetic.codebook.variables if v.question.startswith("BG") and not v.set), "BG16"):
        if name in ("org3", "role2", "size4", "industry", "area"):
            continue
        for estimand in ("respondent", "organisation"):
            assert f"book-{name}-{estimand}" in report.tables, name


def test_a_claim_shows_its_figure_as_the_tables_show_theirs(report, synthetic, language):
    claim = next(claim for claim in synthetic.claims if claim.id == "PC03")
    row = next(cells for title, cells in report.tables["claims"].rows.items() if title.startswith("PC03"))
    assert row[1].startswith(wording.percent(claim.respondent.value, language, 1))
    table = report.tables["OM_TAB01-table"]
    label = next(c.label[language] for c in synthetic.codebook["role2"].categories if c.code == "top")
    assert table.rows[label][1].split()[0] == wording.percent(claim.respondent.value, language, 1, sign=False)


# ---- what is hidden -----------------------------------------------------------------------------


def test_a_difference_of_means_is_in_points_of_the_scale_and_one_of_shares_in_percentage_points(
    report, synthetic, language
):
    details = next(claim for claim in synthetic.claims if claim.id == "PC20").details
    rows = report.tables["claim-details"].rows
    units = {detail.name: rows[detail.label[language]][0] for detail in details}
    scale = {"fi": "pistettä", "sv": "poäng", "en": "points"}[language]
    shares = {"fi": "%-yks.", "sv": "%-enh.", "en": "pp"}[language]
    assert scale in units["mean100"] and shares not in units["mean100"]
    assert shares in units["selected"] and scale not in units["selected"]


def test_a_hidden_figure_is_a_sign_in_every_cell_of_its_row(report, synthetic, language):
    book = synthetic.estimates.select(table="book", estimand="respondent")
    hidden = book[book["flag"].isin(HIDDEN) & (book["base_n"] > 0) & (book["banner"] == "BG10")]
    assert len(hidden)
    labels = synthetic.plan.labels["BG10"]
    for variable, group in {(line.variable, line.banner_code) for line in hidden.itertuples()}:
        table = report.tables.get(f"book-{variable}-respondent")
        if table is None:
            continue
        cells = table.rows[labels[group][language]]
        assert all(cell.startswith(SIGN) for cell in cells[2:]), (variable, group)
        assert not any(FIGURE.search(cell) for cell in cells)


def test_the_first_real_answer_shows_its_row_with_one_respondent_and_no_figure(first_report, first_answer, language):
    rows = first_report.tables["book-BG01-respondent"].rows
    municipality = first_answer.plan.labels["BG10"]["MUNI"][language]
    assert rows[municipality][:2] == ["1", "1"]
    assert all(cell.startswith(SIGN) for cell in rows[municipality][2:])
    company = first_answer.plan.labels["BG10"]["COMP"][language]
    assert company not in rows


def test_the_report_of_the_first_real_answer_says_why_it_shows_nothing(first_report, language):
    say = Wording(language)
    assert say("front.few_title") in first_report.text
    notes = say("signs.suppressed_note", respondents=5, organisations=3)
    assert notes in first_report.text


def test_no_figure_of_the_first_real_answer_stands_anywhere(first_report):
    """Every share of one person is 0 or 100 %, so any share in any table would be theirs."""
    for id, table in first_report.tables.items():
        if id in ("files", "missing-kinds"):
            continue
        for title, cells in table.rows.items():
            shown = cells if id != "claims" else cells[1:3]
            assert not any(FIGURE.search(cell) or "100" in cell for cell in shown), (id, title)


def test_a_group_under_thirty_is_marked_and_the_mark_explained(report, synthetic, language):
    book = synthetic.estimates.select(table="book", variable="BG01", estimand="respondent", banner="BG10")
    small = book[book["small_base"] & ~book["flag"].isin(HIDDEN)]["banner_code"].unique()
    assert len(small)
    rows = report.tables["book-BG01-respondent"].rows
    for group in small:
        assert rows[synthetic.plan.labels["BG10"][group][language]][0].endswith("*")
    assert Wording(language)("signs.small_base_note", small_base=30) in report.text


# ---- claims and counter-test ----------------------------------------------------------------------


def test_every_claim_stands_in_the_table_and_those_out_of_reach_say_so(report, synthetic, language):
    rows = report.tables["claims"].rows
    say = Wording(language)
    assert len(rows) == len(synthetic.claims)
    for claim in synthetic.claims:
        cells = next(cells for title, cells in rows.items() if title.startswith(claim.id))
        assert cells[3].startswith(say(f"verdict.{claim.verdict.name}"))


def test_the_counter_test_says_how_often_a_claim_came_true_without_cause(synthetic, language):
    rates = (Rate("PC20", "no_mode_differs", 200, 3, 0.0432, 0.05), Rate("PC22", "no_combinations", 200, 11, 0.1, 0.05))
    told = page(replace(synthetic, falsification=Falsification(rates, ("PC01",))), language, "reproduction")
    say = Wording(language)
    first, second = told.tables["falsification-rates"].rows.values()
    assert first[2] == wording.percent(0.015, language, 1)
    assert first[5] == say("reproduction.yes")
    assert second[5] == say("reproduction.no")
    assert say("reproduction.exempt", ids="PC01") in told.text


def test_without_a_counter_test_the_report_says_how_to_get_one(report, language):
    assert Wording(language)("reproduction.falsification_none") in report.text


# ---- one chapter alone ----------------------------------------------------------------------------


@pytest.mark.parametrize("chapter", ["topline", "crosstabs", "methodology", "reproduction"])
def test_a_chapter_can_be_had_alone_and_still_says_what_it_rests_on(synthetic, chapter):
    alone = page(synthetic, "fi", chapter)
    assert alone.title.startswith(SYNTHETIC["fi"])
    assert {chapter, "reader", "provenance"} <= set(alone.ids)
    assert synthetic.estimates.provenance.extract_sha256 in alone.text


# ---- the fieldwork --------------------------------------------------------------------------------


def test_the_methods_tell_how_many_began_and_that_an_open_link_has_no_response_rate(report, synthetic, language):
    say = Wording(language)
    assert say("methodology.fieldwork_open") in report.text
    cells = report.tables["fieldwork-outcomes"].rows
    for outcome in ("started", "complete", "partial", "break_off"):
        line = synthetic.estimates.one(table="fieldwork", variable="outcome", code=outcome, statistic="count")
        assert cells[say(f"methodology.outcome_{outcome}")][0] == wording.number(line["estimate"], language)


def test_a_straight_line_through_the_levels_is_told_with_its_base(report, synthetic, language):
    line = synthetic.estimates.one(table="fieldwork", statistic="straight")
    (cells,) = report.tables["fieldwork-straight-lines"].rows.values()
    assert cells[0].rstrip(" *") == wording.number(line["base_n"], language)
    assert cells[1] == wording.percent(line["estimate"], language, 1, sign=False)


def test_simulated_times_are_said_to_be_that_and_make_nobody_a_speeder(report, first_report, language):
    say = Wording(language)
    assert say("methodology.fieldwork_simulated") in report.text
    table = report.tables["fieldwork-speed"]
    assert table.caption == say("methodology.speed_simulated_caption")
    assert [len(cells) for cells in table.rows.values()] == [2]
    assert say("methodology.fieldwork_simulated") not in first_report.text
    assert first_report.tables["fieldwork-speed"].caption == say("methodology.speed_caption")


def test_pages_and_speeders_of_real_answers_are_told_where_the_estimates_have_them(synthetic, language):
    rows, about = synthetic.estimates.rows, synthetic.estimates.provenance
    like = rows[(rows["table"] == "fieldwork") & (rows["statistic"] == "median")]
    rows = rows[~rows["statistic"].isin(["stopped", "stopped_share"])]
    added = [
        like.assign(variable="BG01", code="you", statistic="stopped", estimate=1200.0, base_n=4800),
        like.assign(variable="BG01", code="you", statistic="stopped_share", estimate=0.25, base_n=4800),
        like.assign(statistic="speeders", estimate=0.125),
    ]
    told = Estimates(concat([rows, *added], ignore_index=True), replace(about, origin="real"))
    tables = page(replace(synthetic, estimates=told), language, "methodology").tables
    question = synthetic.codebook["BG01"].text[language]
    shares = [wording.percent(share, language, 1, sign=False) for share in (0.25, 0.125)]
    numbers = [wording.number(count, language) for count in (4800, 1200)]
    assert tables["fieldwork-pages"].rows == {question: [*numbers, shares[0]]}
    (cells,) = tables["fieldwork-speed"].rows.values()
    assert cells[2] == shares[1]


def test_estimates_without_a_fieldwork_have_no_section_of_it(synthetic, language):
    rows, about = synthetic.estimates.rows, synthetic.estimates.provenance
    told = replace(synthetic, estimates=Estimates(rows[rows["table"] != "fieldwork"], about))
    assert "fieldwork" not in page(told, language, "methodology").ids


def test_answers_of_open_fieldwork_are_a_draft_on_every_page_and_sheet(first_answer, language):
    about = replace(first_answer.estimates.provenance, draft=True)
    material = replace(first_answer, estimates=Estimates(first_answer.estimates.rows, about))
    banner, warning = (Wording(language)(f"draft.{name}") for name in ("banner", "text"))
    made = study.build(material, language)
    assert (made.banner, made.banner_text) == (banner, warning)
    assert all(section.kicker == banner for section in made.sections if section.listed)
    assert (book.build(material, language).banner, study.build(first_answer, language).banner) == (banner, "")
