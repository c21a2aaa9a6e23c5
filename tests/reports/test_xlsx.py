"""The cross-tab book read back by another library: its numbers are the estimates', and nothing else is in it."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import replace
from math import isfinite

import openpyxl
import pytest

from analysis.estimates import HIDDEN, TOTAL, Estimates
from analysis.wording import plain
from kysely.errors import AnalystError
from reports import __main__ as command
from reports import book
from reports._figures import Figures
from reports.crosstabs import questions
from reports.formats import xlsx
from reports.parts.wording import Wording
from reports.parts.workbook import Entry, Look, Sheet, Workbook
from tests.reports import _built
from tests.reports.test_study import SYNTHETIC

SIGN = "···"
SECRET = 0.123456789
FORMULAS = ("=1+1", "+358 40", "-2+5", "@SUM(A1)", "＝1", "https://example.org", "mailto:a@example.org", "{=1}", "007")


@pytest.fixture(scope="module")
def made(synthetic, language) -> bytes:
    return xlsx.render(book.build(synthetic, language))


@pytest.fixture(scope="module")
def opened(made):
    return openpyxl.load_workbook(io.BytesIO(made))


def parts(file: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(file)) as packed:
        return {name: packed.read(name).decode() for name in packed.namelist()}


def small(*rows: tuple[Entry, ...], title: str = "Title") -> Workbook:
    sheet = Sheet("One", title, rows, (20,), head=1)
    return Workbook("Book", "en", (sheet,), "2026-03-09T10:00:00+00:00", "about", "Page")


def columns(sheet, figures: Figures) -> dict[int, tuple[str, str]]:
    """Return which group stands in each column: its banner and code, told by the headings alone."""
    titles = {plain(figures.title(banner)): banner for banner in figures.material.plan.banners}
    found, banner = {2: (TOTAL, TOTAL)}, ""
    for column in range(3, sheet.max_column + 1):
        banner = titles[sheet.cell(4, column).value] if sheet.cell(4, column).value else banner
        label = sheet.cell(5, column).value
        codes = figures.codes(banner)
        found[column] = (banner, next(code for code in codes if plain(figures.label(banner, code)) == label))
    return found


def answers(sheet, figures: Figures, name: str):
    """Yield (row, code, estimand) of every row of shares."""
    labels = {plain(figures.label(name, code)): code for code in figures.codes(name)}
    heads = {figures.say(f"book.{estimand}"): estimand for estimand in ("respondent", "organisation")}
    estimand = ""
    for row in range(7, sheet.max_row + 1):
        value = sheet.cell(row, 1).value
        estimand = heads.get(value, estimand)
        if value in labels:
            yield row, labels[value], estimand


def links(sheet) -> list[str]:
    """Return the names of the sheets that the links of *sheet* lead to; none may leave the file."""
    found = [cell.hyperlink for row in sheet.iter_rows() for cell in row if cell.hyperlink]
    assert all(link.target is None for link in found)
    return [re.fullmatch(r"'?([^']+)'?!A1", link.location)[1] for link in found]


# ---- numbers ------------------------------------------------------------------------------------


def test_every_share_of_the_book_is_that_of_the_estimates_and_is_a_number(opened, synthetic, language):
    figures = Figures(synthetic, language)
    compared = hidden = 0
    for name in questions(synthetic):
        sheet = opened[name]
        groups, statistic = columns(sheet, figures), figures.statistic(name)
        for row, code, estimand in answers(sheet, figures, name):
            for column, group in groups.items():
                line, cell = figures.find("book", name, code, statistic, estimand, group), sheet.cell(row, column)
                if line["flag"] in HIDDEN:
                    assert cell.data_type == "s" and cell.value.startswith(SIGN)
                    hidden += 1
                elif isfinite(line["estimate"]):
                    assert cell.value == pytest.approx(line["estimate"], rel=1e-14), (name, code, group)
                    assert "%" in cell.number_format
                    compared += 1
    shares = synthetic.estimates.select(table="book", statistic=("share", "selected"))
    shares = shares[shares["variable"].isin(questions(synthetic)) & (shares["base_n"] > 0)]
    assert compared == (~shares["flag"].isin(HIDDEN)).sum()
    assert hidden == shares["flag"].isin(HIDDEN).sum()


def test_a_sheet_of_a_score_shows_the_means_too(opened, synthetic, language):
    figures, sheet = Figures(synthetic, language), opened["OM_B"]
    titles = [sheet.cell(row, 1).value for row in range(1, sheet.max_row + 1)]
    first = titles.index(figures.say("statistics.mean100")) + 2
    for place, code in enumerate(figures.codes("OM_B")):
        line = figures.find("book", "OM_B", code, "mean100", "respondent")
        assert sheet.cell(first + place, 2).value == pytest.approx(line["estimate"], rel=1e-14)


def test_the_letters_stand_under_the_share_they_belong_to(opened, synthetic, language):
    figures, found = Figures(synthetic, language), 0
    for name in questions(synthetic):
        sheet, statistic = opened[name], figures.statistic(name)
        groups = columns(sheet, figures)
        for row, code, estimand in answers(sheet, figures, name):
            lines = {one: figures.find("book", name, code, statistic, estimand, group) for one, group in groups.items()}
            for column, line in lines.items():
                if line["letters"]:
                    assert sheet.cell(row + 1, column).value == line["letters"]
                    found += 1
    assert found


def test_the_bases_are_numbers_and_a_small_one_is_marked_by_its_format(opened, synthetic, language):
    sheet = opened["BG05"]
    line = Figures(synthetic, language).find("book", "BG05", "", "share", "respondent")
    assert line is None  # a base belongs to answers, never to a question without one
    assert sheet["B8"].value == synthetic.estimates.provenance.responses
    assert sheet["B8"].number_format == "#,##0"
    small_ones = [cell for cell in sheet[8][1:] if cell.value < synthetic.limit("small_base")]
    assert any(cell.number_format == '#,##0"*"' for cell in small_ones)
    assert Wording(language)("signs.small_base_note", small_base=30) in [row[0].value for row in sheet.iter_rows()]


def test_the_tests_sheet_holds_every_test_of_the_questions_with_its_figures(opened, synthetic, language):
    sheet = opened[Wording(language)("book.tests")]
    rows = [row for row in sheet.iter_rows(min_row=5, values_only=True) if isinstance(row[5], int)]
    tests = list(synthetic.tests.values())
    assert len(rows) == len(tests)
    test = synthetic.tests["BG05", "role2", "respondent"]
    row = next(row for row in rows if row[0] == "BG05" and row[3] == Figures(synthetic, language).title("role2"))
    shown = [test[name] for name in ("n", "groups", "f", "ndf", "ddf", "p", "p_adjusted", "cramer_v", "deff")]
    assert list(row[5:]) == pytest.approx(shown, rel=1e-14)


# ---- hidden -------------------------------------------------------------------------------------


def test_what_is_hidden_is_in_no_part_of_the_file(synthetic, language):
    """Even if disclosure control left the numbers in the estimates, the flag alone keeps them out."""
    rows = synthetic.estimates.rows.copy()
    hidden = rows["flag"].isin(HIDDEN)
    assert hidden.any()
    rows.loc[hidden, ["estimate", "se", "ci_low", "ci_high"]] = SECRET
    rows.loc[hidden, "letters"] = "QXZ"
    told = replace(synthetic, estimates=Estimates(rows, synthetic.estimates.provenance, synthetic.estimates.tests))
    file = xlsx.render(book.build(told, language))
    for name, text in parts(file).items():
        assert "12345678" not in text and "QXZ" not in text, name
        assert "comment" not in name
    assert all(sheet.sheet_state == "visible" for sheet in openpyxl.load_workbook(io.BytesIO(file)))


def test_a_study_of_one_respondent_shows_bases_and_no_share(first_answer, language):
    opened = openpyxl.load_workbook(io.BytesIO(xlsx.render(book.build(first_answer, language))))
    sheet = opened["OM_B01"]
    assert sheet["B8"].value == 1
    numbers = {cell.value for row in sheet.iter_rows(min_row=7) for cell in row if cell.data_type == "n" and cell.value}
    assert numbers == {1}
    assert SIGN in {cell.value for row in sheet.iter_rows(min_row=7) for cell in row}


# ---- sheets and links ---------------------------------------------------------------------------


def test_every_link_leads_to_a_sheet_and_every_sheet_is_in_the_index(opened):
    index = opened.worksheets[0]
    led = {sheet.title: links(sheet) for sheet in opened.worksheets}
    assert led[index.title] == opened.sheetnames[1:]
    for name in opened.sheetnames[1:]:
        assert led[name] and set(led[name]) <= set(opened.sheetnames), name


def test_the_index_tells_the_adjusted_p_of_every_question_and_banner(opened, synthetic):
    index, found = opened.worksheets[0], 0
    banners = synthetic.plan.banners
    for row in index.iter_rows(min_row=6):
        for place, cell in enumerate(row[4 : 4 + 2 * len(banners)]):
            estimand = ("respondent", "organisation")[place // len(banners)]
            test = synthetic.tests.get((row[0].value, banners[place % len(banners)], estimand))
            if test is not None and not test["reason"]:
                assert cell.value == pytest.approx(test["p_adjusted"], rel=1e-14)
                assert cell.font.bold == (test["p_adjusted"] < 0.05)
                found += 1
            elif test is not None:
                assert cell.value == "–"
    assert found > 100


def test_the_names_of_sheets_are_such_as_excel_takes(opened):
    names = opened.sheetnames
    assert len({name.casefold() for name in names}) == len(names)
    assert all(len(name) <= 31 and not re.search(r"[\[\]:*?/\\']", name) for name in names)


def test_names_that_excel_would_refuse_or_mix_up_are_changed():
    long = "Kuinka paljon organisaatiossa on henkilöstöä nyt"
    names = book.sheet_names(("a/b", "A?B", "History", "'", long, long, "\u00adTests"))
    assert names == ("a b", "A B 2", "History 2", "2", long[:31].strip(), f"{long[:29].strip()} 2", "Tests")


def test_headings_stay_in_sight_and_are_printed_on_every_page(opened):
    sheet = opened["BG05"]
    assert sheet.freeze_panes == "B7"
    assert (sheet.print_title_rows, sheet.print_title_cols) == ("$1:$6", "$A:$A")
    assert sheet.page_setup.orientation == "landscape"
    assert sheet.page_setup.scale == 65


def test_a_printed_page_begins_where_a_banner_does(opened, synthetic, language):
    sheet = opened["BG05"]
    begins = [brk.id + 1 for brk in sheet.col_breaks.brk]
    heads = [column for column in range(2, sheet.max_column + 1) if sheet.cell(4, column).value]
    assert begins and set(begins) <= set(heads)
    ends = [*(begin - 1 for begin in begins), sheet.max_column]
    for first, last in zip([2, *begins], ends, strict=True):
        assert 46 + 13 * (last - first + 1) <= 230


def test_a_sheet_that_is_not_too_wide_is_printed_on_one_page_across(opened):
    for sheet in (opened.worksheets[0], *opened.worksheets[-2:]):
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert (sheet.page_setup.fitToHeight, len(sheet.col_breaks.brk)) == (0, 0)


# ---- words --------------------------------------------------------------------------------------


def test_a_simulated_study_is_called_synthetic_on_every_sheet_and_every_page(opened, language):
    for sheet in opened.worksheets:
        assert sheet["A1"].value.startswith(SYNTHETIC[language])
        assert sheet.oddHeader.left.text == SYNTHETIC[language]
    assert opened.properties.title.startswith(SYNTHETIC[language])


def test_real_answers_are_nowhere_called_synthetic(first_answer, language):
    word = SYNTHETIC[language].split()[0].casefold()
    for name, text in parts(xlsx.render(book.build(first_answer, language))).items():
        assert word not in text.casefold(), name


def test_the_methods_sheet_says_how_and_from_what_the_book_was_made(opened, synthetic, language):
    say, about = Wording(language), synthetic.estimates.provenance
    views = say.list("reader.views")
    texts = {str(cell.value) for row in opened.worksheets[-1].iter_rows() for cell in row if cell.value}
    assert {*say.list("methodology.tests"), *say.list("book.methods"), *map("• {}".format, views)} <= texts
    assert {about.extract_sha256, *synthetic.files.values(), *about.versions} <= texts


def test_no_text_becomes_a_formula_or_a_link():
    file = xlsx.render(small((Entry("head"),), *((Entry(text),) for text in FORMULAS)))
    cells = openpyxl.load_workbook(io.BytesIO(file))["One"]
    assert [cells.cell(row, 1).value for row in range(3, 3 + len(FORMULAS))] == list(FORMULAS)
    sheet = parts(file)["xl/worksheets/sheet1.xml"]
    assert "<f>" not in sheet and "hyperlink" not in sheet
    assert sheet.count('t="s"') == len(FORMULAS) + 2


def test_the_real_book_holds_no_formula(made):
    assert not any("<f>" in text or "<f " in text for name, text in parts(made).items() if "worksheets" in name)


def test_an_ampersand_in_a_title_is_no_command_in_the_header():
    file = xlsx.render(small((Entry("x"),), title="R&D & more"))
    assert "R&amp;&amp;D &amp;&amp; more" in parts(file)["xl/worksheets/sheet1.xml"]


def test_a_text_longer_than_a_cell_is_refused_rather_than_cut():
    with pytest.raises(AnalystError, match="32767 characters"):
        xlsx.render(small((Entry("x" * 32_768),)))


def test_a_document_is_no_workbook_and_the_message_says_what_to_do(synthetic):
    with pytest.raises(AnalystError, match="--format html"):
        xlsx.render(command.build("methodology", synthetic, "en"))


# ---- the file -----------------------------------------------------------------------------------


def test_the_same_estimates_give_the_same_bytes(made, synthetic, language):
    assert xlsx.render(book.build(synthetic, language)) == made


def test_a_small_p_is_written_with_the_sign_of_the_language():
    book_fi = replace(small((Entry(0.0002, Look.PROBABILITY),)), language="fi")
    cell = openpyxl.load_workbook(io.BytesIO(xlsx.render(book_fi)))["One"]["A2"]
    assert cell.value == 0.0002
    assert cell.number_format == '[<0.001]"< 0,001";0.000'


def test_the_command_writes_the_book_and_says_where(synthetic_build, capsys):
    environ = {"KYSELY_BUILD": str(synthetic_build), "KYSELY_QUESTIONNAIRES": str(_built.QUESTIONNAIRES)}
    assert command.main(["book", "--language", "sv", "--format", "xlsx"], environ) == 0
    file = synthetic_build / "operating_mode" / "crosstabs.sv.xlsx"
    assert openpyxl.load_workbook(file).sheetnames[0] == "Innehåll"
    said = capsys.readouterr().out
    assert str(file) in said and "Excel" in said
    assert not list(file.parent.glob(".crosstabs*"))


@pytest.mark.parametrize(("report", "form"), [("book", "html"), ("study", "xlsx")])
def test_a_report_asked_for_in_a_format_that_cannot_hold_it_is_refused(report, form, capsys):
    assert command.main([report, "--format", form], {}) == 2
    assert f"{report!r} can't be written as {form}" in capsys.readouterr().err
