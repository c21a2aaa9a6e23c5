"""A report as a PDF: what poppler and qpdf find in it is what the report says, in order, tagged, on every page."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from kysely import typesetting
from reports import __main__ as command
from reports.formats import _panels, pdf
from reports.parts import (
    Bullets,
    Cell,
    Chart,
    Column,
    Document,
    Fact,
    Facts,
    Formula,
    Head,
    Note,
    Paragraph,
    Row,
    Section,
    Table,
    Words,
)
from reports.parts.wording import FOLDER, Wording
from tests import programs
from tests.reports import _built

HOSTILE = (
    "#set text(red) $x^2$ *b* _i_ @ref <label> [content] \\ `raw` // c /* d */ ~ --- ...",
    "<script>alert(1)</script> & “quotes” \"straight\" 'single'",
    "= Not a heading - not a list + not one / either: 1. #1",
)
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="72" height="20"><text x="0" y="15">mark</text></svg>'
SQUARES = "The typeface lacks {signs}."


def document(*parts, wide: bool = False, **given) -> Document:
    words = Words("Contents", "Skip", "Page", "Page {number} of {count}", SQUARES)
    told = {"title": "A report", "provenance": "wave 1", **given}
    return Document(told.pop("title"), "subtitle", "en", (Section("one", "One", parts, wide=wide),), words, **told)


def grid(columns: int, rows: int, *, title: str = "Answer", cell: Cell | None = None) -> Table:
    heads = (Column("n", base=True), *(Column(f"{title} {place + 1}") for place in range(columns)))
    cells = (Cell("360"), *(cell or Cell(f"{place},5", detail="10,0–20,0") for place in range(columns)))
    return Table("t", "Caption", "Group", heads, tuple(Row(f"Row {place + 1}", cells) for place in range(rows)))


class Opened:
    """A PDF in a file, and what the programs say of it."""

    def __init__(self, content: bytes, folder: Path):
        self.file = folder / "report.pdf"
        self.file.write_bytes(content)

    @property
    def facts(self) -> dict[str, str]:
        lines = programs.run("pdfinfo", self.file).splitlines()
        return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}

    @property
    def pages(self) -> list[str]:
        text = programs.run("pdftotext", "-layout", self.file, "-")
        return [" ".join(page.split()) for page in text.removesuffix("\f").split("\f")]

    @property
    def text(self) -> str:
        """All of it in reading order, words whole again where a line broke them."""
        text = programs.run("pdftotext", self.file, "-").replace("\f", "\n")
        return " ".join(re.sub("\u00ad\u00ad?\n?", "", text).split())

    @property
    def structure(self) -> str:
        return programs.run("pdfinfo", "-struct-text", self.file)

    @property
    def objects(self) -> str:
        return programs.run("qpdf", "--json", self.file)


@pytest.fixture(scope="module")
def opened(synthetic, language, tmp_path_factory) -> Opened:
    return Opened(pdf.render(command.build("topline", synthetic, language)), tmp_path_factory.mktemp(language))


# ---- for everybody ----------------------------------------------------------------------------------


def test_a_report_is_a_tagged_pdf_with_title_and_language(opened, synthetic, language):
    made = command.build("topline", synthetic, language)
    assert opened.facts["Title"] == made.heading
    assert opened.facts["Tagged"] == "yes"
    assert "<pdfuaid:part>1</pdfuaid:part>" in programs.run("pdfinfo", "-meta", opened.file)
    assert f'"/Lang": "u:{language}"' in opened.objects


def test_headings_tables_and_charts_are_tagged_as_what_they_are(opened, synthetic, language):
    tags = opened.structure
    for tag in ("H1", "H2", "Table", "THead", "TH", "TD", "Caption", "Figure", "TOC", "LBody"):
        assert re.search(rf"^ *{tag}\b", tags, re.MULTILINE), tag
    assert f'"{Wording(language)("topline.title")}"' in tags


def test_every_chart_has_its_alternative_text(opened, synthetic, language):
    # poppler 22 lists the tags but not the alternative texts, so qpdf reads them.
    told = set(re.findall(r'"/Alt": ("u:(?:[^"\\]|\\.)*")', opened.objects))
    texts = {json.loads(one).removeprefix("u:") for one in told}
    assert {drawing.alt for drawing in synthetic.drawings[language].values()} == texts


def test_every_section_of_the_contents_is_a_bookmark(opened, synthetic, language):
    outlines = json.loads(opened.objects)["outlines"]
    listed = [section.title for section in command.build("topline", synthetic, language).sections if section.listed]
    assert [one["title"] for one in outlines] == listed


def test_only_the_repositorys_font_is_used_and_all_of_it_is_embedded(opened):
    lines = programs.run("pdffonts", opened.file).splitlines()[2:]
    assert lines
    for line in lines:
        assert re.match(r"[A-Z]{6}\+Inter-", line), line
        assert line.split()[-5:-2] == ["yes", "yes", "yes"]  # embedded, subset, with Unicode


def test_the_report_reads_in_order_with_every_letter_of_its_language(opened, language):
    say, place, text = Wording(language), -1, opened.text
    for key in ("front.lead", "reader.intro", "reader.interval", "reader.release", "topline.intro", "closing.intro"):
        found = text.find(" ".join(say(key).split()), place + 1)
        assert found > place, key
        place = found


def test_every_page_says_that_the_data_is_synthetic_and_where_it_comes_from(opened, synthetic, language):
    made = command.build("topline", synthetic, language)
    pages = opened.pages
    assert int(opened.facts["Pages"]) == len(pages) > 4
    for number, page in enumerate(pages, start=1):
        assert made.banner in page
        assert " ".join(made.provenance.split()) in page
        assert made.words.page_of.format(number=number, count=len(pages)) in page


def test_a_report_of_the_first_answer_is_set_too(first_answer, language, tmp_path):
    shown = Opened(pdf.render(command.build("study", first_answer, language)), tmp_path)
    assert Wording(language)("front.few_title") in shown.text
    assert "···" in shown.text


def test_the_same_study_gives_the_same_pdf_from_another_process(synthetic_build, tmp_path):
    environ = {
        **programs.scratch(),
        "KYSELY_BUILD": str(synthetic_build),
        "KYSELY_QUESTIONNAIRES": str(_built.QUESTIONNAIRES),
    }
    call = [sys.executable, "-m", "reports", "topline", "--language", "sv", "--format", "pdf"]
    file = synthetic_build / "operating_mode" / "topline.sv.pdf"
    made = []
    for _ in range(2):
        subprocess.run(call, env=environ, check=True, capture_output=True, cwd=_built.QUESTIONNAIRES.parent)
        made.append(file.read_bytes())
    assert made[0] == made[1]


def test_what_is_said_of_a_screen_is_not_printed(synthetic, language, tmp_path):
    text = Opened(pdf.render(command.build("crosstabs", synthetic, language)), tmp_path).text
    assert Wording(language)("crosstabs.empty") in text
    assert Wording(language)("crosstabs.wide") not in text


# ---- on the page ------------------------------------------------------------------------------------


def margins(shown: Opened) -> float:
    """Return how near to the edge of its page any word comes, in points."""
    found = programs.run("pdftotext", "-bbox", shown.file, "-")
    nearest, width = 1e9, 0.0
    for line in found.splitlines():
        if page := re.search(r'<page width="([\d.]+)"', line):
            width = float(page[1])
        elif word := re.search(r'xMin="([-\d.]+)" yMin="[-\d.]+" xMax="([-\d.]+)"', line):
            nearest = min(nearest, float(word[1]), width - float(word[2]))
    return nearest


def test_no_word_leaves_the_margins_of_its_page(synthetic, language, tmp_path):
    assert margins(Opened(pdf.render(command.build("study", synthetic, language)), tmp_path)) > 45


def test_a_table_over_several_pages_repeats_its_head_and_the_group_it_continues(tmp_path):
    rows = (Head("The group"), *(Row(f"Row {place}", (Cell("1"),)) for place in range(120)))
    shown = Opened(pdf.render(document(Table("t", "Caption", "Stub", (Column("Head"),), rows))), tmp_path)
    held = [page for page in shown.pages if "Row " in page]
    assert len(held) > 2
    assert all("Stub Head" in page and "The group" in page for page in held)


def test_a_row_is_never_broken_over_two_pages(tmp_path):
    rows = tuple(Row(f"Start{place} {'word ' * 60}End{place}", (Cell("1"),)) for place in range(40))
    shown = Opened(pdf.render(document(Table("t", "Caption", "Stub", (Column("Head"),), rows))), tmp_path)
    for place in range(40):
        (page,) = [page for page in shown.pages if f"Start{place} " in page]
        assert f"End{place} " in page


def test_a_drawing_taller_than_a_page_is_made_to_fit_with_its_title_and_notes(tmp_path):
    tall = SVG.replace('height="20"', 'height="400"').replace('y="15"', 'y="390"')
    chart = Chart("C", "Headline", "", tall, "alt", ("Note under it",), grid(1, 1), "Figures")
    shown = Opened(pdf.render(document(chart)), tmp_path)
    (page,) = [page for page in shown.pages if "Headline" in page]
    assert "mark" in page and "Note under it" in page


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("columns", [1, 9, 21, 40])
def test_a_table_too_wide_is_divided_and_every_part_repeats_the_groups_and_their_bases(columns, wide):
    table = grid(columns, 2)
    parts = _panels.divide(table, wide=wide)
    assert [place for part in parts for place in part.columns if place] == list(range(1, columns + 1))
    assert all(part.columns[0] == 0 for part in parts)
    assert all(sum(part.widths) <= _panels.PAGE[wide] + 1e-6 for part in parts)
    assert len(parts) <= columns // 9 + 1


def test_a_page_is_turned_only_for_a_table_that_needs_it(tmp_path):
    sizes = {}
    for columns in (2, 12):
        shown = Opened(pdf.render(document(grid(columns, 3), wide=True)), tmp_path)
        (size,) = re.findall(
            r"Page +\d+ size: +([\d.]+) x ([\d.]+)", programs.run("pdfinfo", "-f", "2", "-l", "2", shown.file)
        )
        sizes[columns] = float(size[0]) > float(size[1])
    assert sizes == {2: False, 12: True}


def test_a_label_of_200_characters_stays_on_its_page(tmp_path):
    for label in ("Organisaatio" * 17, "pitkä sana " * 19, "x" * 200):
        table = Table("t", label, label, tuple(Column(label) for _ in range(8)), (Row(label, (Cell("1,5"),) * 8),))
        parts = (table, Bullets((label,)), Facts((Fact(label, label),)), Facts((Fact(label, label),), key=True))
        shown = Opened(pdf.render(document(*parts, title=label)), tmp_path)
        assert margins(shown) > 20


# ---- what authors and respondents may have written --------------------------------------------------


@pytest.mark.parametrize("text", HOSTILE)
def test_markup_in_a_text_is_text(text, tmp_path):
    table = Table("t", text, text, (Column(text, group=text),), (Head(text), Row(text, (Cell(text),))), text, (text,))
    chart = Chart("C", text, text, SVG, text, (text,), table, text)
    parts = (
        Paragraph(text),
        Note(text, text),
        Bullets((text,)),
        Facts((Fact(text, text),)),
        Formula("x"),
        table,
        chart,
    )
    shown = Opened(pdf.render(document(*parts, title=text, banner=text, banner_text=text, provenance=text)), tmp_path)
    words = re.sub(r"\s", "", shown.text)
    assert words.count(re.sub(r"\s", "", text)) >= 12
    assert shown.facts["Title"] == f"{text} – {text}"


def test_a_character_that_the_typeface_lacks_is_a_square_and_told_of(tmp_path):
    shown = Opened(pdf.render(document(Paragraph("smile 😀, שלום, end"))), tmp_path)
    assert "smile □, □□□□, end" in shown.text
    assert SQUARES.format(signs="U+05D5, U+05DC, U+05DD, U+05E9, U+1F600") in shown.text
    assert "lacks" not in Opened(pdf.render(document(Paragraph("å ‡ − š"))), tmp_path).text


def test_a_table_without_rows_or_with_nothing_to_show_is_still_set(tmp_path):
    hidden = grid(3, 4, cell=Cell("···", spoken="hidden"))
    empty = Table("e", "Nothing here", "Stub", (), ())
    shown = Opened(pdf.render(document(hidden, empty, Bullets(()), Facts(()), Facts((), key=True))), tmp_path)
    assert shown.text.count("···") == 12
    assert "Nothing here" in shown.text


def test_every_letter_of_the_reports_own_words_is_in_the_typeface():
    for file in FOLDER.glob("*.toml"):
        lacking: set[str] = set()
        pdf._writable(tomllib.loads(file.read_text(encoding="utf-8")), lacking)
        assert lacking == set(), file.name


def test_a_pdf_that_cannot_be_set_says_why(tmp_path):
    template = tmp_path / "broken.typ"
    template.write_text("#let x = ", encoding="utf-8")
    with pytest.raises(typesetting.NotSet, match="expected expression"):
        typesetting.pdf(template, {})
