"""A report is one file that opens from disk, fetches nothing, runs nothing, and reads well without eyes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, sync_playwright

from analysis.estimates import Estimates
from kysely.errors import AnalystError
from reports import __main__ as command
from reports import study
from reports._material import Material
from reports.formats import html
from reports.parts import Cell, Chart, Column, Document, Facts, Paragraph, Row, Section, Table, Words
from tests import chromium
from tests.reports._built import read

WIDTHS = (320, 1280)


def document(*parts, banner: str = "", title: str = "A report") -> Document:
    words = Words("Contents", "Skip", "Page", "Page {number} of {count}", "Lacking: {signs}")
    return Document(title, "subtitle", "en", (Section("one", "One", parts),), words, banner=banner)


def test_a_report_fetches_nothing_and_runs_nothing(report):
    assert all(link.startswith("#") for link in report.links)
    assert not {"script", "link", "iframe", "img", "object", "form"} & report.tags
    assert not re.search(r"url\((?!data:|#)", report.source)
    assert not re.search(r"<[^>]*\son\w+=", report.source)
    assert "@import" not in report.source
    assert "default-src 'none'" in report.source


def test_every_link_and_reference_of_a_report_leads_somewhere_and_no_id_comes_twice(report):
    assert len(report.ids) == len(set(report.ids))
    assert {link[1:] for link in report.links} <= set(report.ids)
    assert set(report.references) <= set(report.ids)


def test_headings_go_down_one_level_at_a_time(report):
    levels = [level for level, _ in report.headings]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:], strict=False))


def test_every_table_has_a_caption_and_every_head_its_scope(report):
    assert report.tables
    assert all(table.caption for table in report.tables.values())
    assert report.unscoped == 0


def test_a_chart_stands_inside_the_page_with_its_numbers_beside_it(report, synthetic, language):
    drawing = synthetic.drawings[language]["OM_FIG01"]
    assert "svg" in report.tags
    rows = report.tables["OM_FIG01-data"].rows
    assert len(rows) == len(drawing.rows)
    assert drawing.alt in report.source


def test_markup_in_a_text_is_shown_and_never_run():
    evil = "<script>alert(1)</script>"
    table = Table("t", evil, evil, (Column(evil),), (Row(evil, (Cell(evil, detail=evil, mark="<b>"),)),))
    source = html.render(document(Paragraph(evil), table, banner=evil, title=evil)).decode()
    assert "<script" not in source
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in source


def test_a_banner_cannot_end_the_style_it_is_printed_by():
    source = html.render(document(banner='"} body{display:none} </style><p>')).decode()
    style = re.search(r"<style>(.*?)</style>", source, re.DOTALL)
    assert style is not None and "body{display" not in style[1]


@pytest.mark.parametrize(
    "inside", ["<script>1</script>", '<g onclick="x()"/>', "<foreignObject/>", "<a href='javascript:1'/>"]
)
def test_a_drawing_that_could_run_something_is_refused(inside):
    table = Table("t", "c", "s", (), ())
    with pytest.raises(AnalystError, match="OM_FIG01"):
        html.render(
            document(Chart("OM_FIG01", "title", "subtitle", f"<svg>{inside}</svg>", "alt", (), table, "numbers"))
        )


def test_a_sign_is_spoken_as_what_it_means():
    table = Table("t", "c", "s", (Column("x"),), (Row("r", (Cell("···", spoken="hidden"),)),))
    source = html.render(document(table)).decode()
    assert '<span aria-hidden="true">···</span><span class="unseen">hidden</span>' in source


def test_the_same_study_gives_the_same_file_to_the_byte(synthetic):
    assert html.render(study.build(synthetic, "sv")) == html.render(study.build(synthetic, "sv"))


def test_facts_are_a_list_of_names_and_values():
    assert "<dl" in html.render(document(Facts(()))).decode()


# ---- in a real browser ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = chromium.find()
    assert path is not None, chromium.CURE
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


def short(material: Material) -> Material:
    """Return *material* with one table of each make: axe takes minutes for ten thousand cells."""
    rows = material.estimates.rows
    few = rows[
        ~rows["table"].isin(("book", "nonresponse", "OM_TAB05", "OM_TAB06"))
        | (
            rows["table"].isin(("book", "OM_TAB05"))
            & rows["variable"].isin(("BG05", "OM_B"))
            & (rows["banner"] != "BG12")
        )
    ]
    tables = tuple(
        replace(table, variables=("OM_B",)) if table.id == "OM_TAB05" else table
        for table in material.plan.tables
        if table.id not in ("OM_TAB02", "OM_TAB04", "OM_TAB06")
    )
    plan = replace(material.plan, tables=tables)
    return replace(material, estimates=Estimates(few, material.estimates.provenance), plan=plan)


@pytest.mark.browser
def test_a_report_is_accessible_and_never_wider_than_the_screen(synthetic, language, browser, tmp_path):
    file = tmp_path / "report.html"
    file.write_bytes(html.render(study.build(short(synthetic), language)))
    for width in WIDTHS:
        page = browser.new_page(viewport={"width": width, "height": 900})
        complaints: list[str] = []
        page.on("console", lambda message, told=complaints: told.append(message.text))
        page.goto(file.as_uri())
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        found = Axe().run(page).response["violations"]
        assert [(rule["id"], rule["nodes"][0]["html"][:160]) for rule in found] == []
        assert complaints == []
        page.close()


@pytest.mark.browser
def test_the_group_stays_in_view_while_a_wide_table_scrolls(synthetic, browser, tmp_path):
    file = tmp_path / "report.html"
    file.write_bytes(html.render(command.build("crosstabs", synthetic, "fi")))
    page = browser.new_page(viewport={"width": 900, "height": 900})
    page.goto(file.as_uri())
    box = "document.getElementById('book-BG14-respondent').parentElement"
    stub = "document.querySelector('#book-BG14-respondent tbody th').getBoundingClientRect().left"
    before = page.evaluate(stub)
    page.evaluate(f"{box}.scrollLeft = 600")
    assert page.evaluate(f"{box}.scrollLeft") == 600
    assert page.evaluate(stub) == pytest.approx(before, abs=1)
    page.close()


def test_a_reader_of_the_tests_sees_signs_and_figures_apart():
    told = read('<table id="t"><caption>c</caption><tbody><tr><th scope="row">r</th><td>1,5<small>1–2</small></td></tr>'
                "</tbody></table>")  # fmt: skip
    assert told.tables["t"].rows == {"r": ["1,5 1–2"]}
