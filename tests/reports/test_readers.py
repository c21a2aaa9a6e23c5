"""LibreOffice, librsvg and Chromium open what we write and find in it what we meant."""

from __future__ import annotations

import csv
import subprocess
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import sync_playwright

from analysis import wording
from reports import book
from reports._figures import Figures
from reports.formats import xlsx
from tests import chromium, programs
from tests.reports import _built

SEMICOLONS = "Text - txt - csv (StarCalc):59,34,76,1,,0,false,true"
"""Semicolons, quotation marks, UTF-8, from the first line, numbers as the reader's LibreOffice writes them."""

ALL_SHEETS = "csv:Text - txt - csv (StarCalc):59,34,76,1,,0,false,true,true,false,false,-1"


@pytest.fixture(scope="module")
def cross_tabs(synthetic, tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("book") / "crosstabs.fi.xlsx"
    file.write_bytes(xlsx.render(book.build(synthetic, "fi")))
    return file


def test_the_book_opens_in_libreoffice_with_every_sheet_and_its_figures(cross_tabs, synthetic, tmp_path):
    saved = programs.calc(cross_tabs, ALL_SHEETS, tmp_path)
    assert len(saved) == len(openpyxl.load_workbook(cross_tabs).sheetnames)
    (sheet,) = [file for file in saved if file.stem.endswith("-OM_B")]
    with sheet.open(encoding="utf-8", newline="") as lines:
        rows = {row[0]: row for row in reversed(list(csv.reader(lines, delimiter=";"))) if row}
    figures = Figures(synthetic, "fi")
    for code in figures.codes("OM_B"):
        share = figures.find("book", "OM_B", code, "selected", "respondent")["estimate"]
        assert rows[wording.plain(figures.label("OM_B", code))][1] == wording.percent(share, "fi", 1)


def test_a_book_that_is_cut_short_does_not_pass(cross_tabs, tmp_path):
    broken = tmp_path / "broken.xlsx"
    broken.write_bytes(cross_tabs.read_bytes()[: cross_tabs.stat().st_size // 2])
    try:
        saved = programs.calc(broken, ALL_SHEETS, tmp_path)
    except subprocess.CalledProcessError:
        saved = []
    assert len(saved) != len(openpyxl.load_workbook(cross_tabs).sheetnames)


def test_a_charts_data_opens_in_a_finnish_libreoffice_in_columns_of_numbers(synthetic, synthetic_build, tmp_path):
    file = synthetic_build / "operating_mode" / "charts" / "fi" / "OM_FIG01.csv"
    (saved,) = programs.calc(file, "xlsx", tmp_path, read_as=SEMICOLONS)
    head, *rows = openpyxl.load_workbook(saved).active.iter_rows(values_only=True)
    drawing = synthetic.drawings["fi"]["OM_FIG01"]
    assert set(drawing.columns) <= set(head)
    for row, told in zip(rows, drawing.rows, strict=True):
        for title, text in zip(drawing.columns, told, strict=True):
            cell = row[head.index(title)]
            if title.endswith("(%)"):
                assert isinstance(cell, int | float)
                assert wording.number(cell, "fi", 1) == text


@pytest.mark.parametrize("language", _built.LANGUAGES)
def test_a_drawing_opens_in_librsvg_and_in_chromium(synthetic, language, tmp_path):
    file = tmp_path / "drawing.svg"
    file.write_text(synthetic.drawings[language]["OM_FIG01"].svg, encoding="utf-8")
    programs.run("rsvg-convert", file, "-o", tmp_path / "drawing.png")
    assert (tmp_path / "drawing.png").stat().st_size > 10_000
    path = chromium.find()
    assert path is not None, chromium.CURE
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.goto(file.as_uri())
        assert page.evaluate("document.documentElement.nodeName") == "svg"
        assert (
            page.evaluate("document.querySelector('svg > desc').textContent")
            == synthetic.drawings[language]["OM_FIG01"].alt
        )
        assert page.evaluate("document.documentElement.getBoundingClientRect().width") > 600
        browser.close()
