"""Reports of studies built for the tests, and a reader that takes a report apart again."""

from __future__ import annotations

import contextlib
import io
import re
from dataclasses import dataclass, field, replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

from analysis import charts
from analysis.__main__ import analyse
from kysely import loading
from kysely.codebook import Codebook
from reports import __main__ as command
from reports import _material
from reports._material import Material
from reports.formats import html
from tests.analysis import _study

QUESTIONNAIRES = Path(__file__).parents[2] / "questionnaires"
INSTRUMENT = "operating_mode"
LANGUAGES = ("fi", "sv", "en")

VOID = {"meta", "br", "path", "use", "rect", "line"}


@cache
def codebook() -> Codebook:
    """Return the real codebook, as far as the imitated study answers it."""
    known = _study.codebook().by_name
    book = loading.load(QUESTIONNAIRES / INSTRUMENT, "core2015").codebook
    return replace(book, variables=tuple(variable for variable in book.variables if variable.name in known))


def build(folder: Path, answers: _study.Answers, *, draw: bool = False) -> Material:
    """Write *answers* as an extract, analyse it as the command does, and return the reports' material."""
    here = folder / INSTRUMENT
    _study.write(answers, here / "extract", codebook())
    instrument = loading.load(QUESTIONNAIRES / INSTRUMENT, "core2015")
    (here / "extract" / "definition.json").write_text(instrument.canonical, encoding="utf-8")
    with contextlib.redirect_stdout(io.StringIO()):
        analyse(QUESTIONNAIRES / INSTRUMENT, here / "extract", here, charts=False)
    material = _material.read(folder, QUESTIONNAIRES, INSTRUMENT)
    if draw:
        specs = material.plan.charts[:1]
        list(charts.write_all(material.estimates, specs, material.codebook, here / "charts", languages=LANGUAGES))
        material = _material.read(folder, QUESTIONNAIRES, INSTRUMENT)
    return material


def page(material: Material, language: str, report: str = "study") -> Page:
    return read(html.render(command.build(report, material, language)).decode())


@dataclass
class Table:
    """A table as a reader sees it: caption, heads, rows as title → cells, and their letters."""

    caption: str = ""
    heads: list[str] = field(default_factory=list)
    rows: dict[str, list[str]] = field(default_factory=dict)
    letters: dict[str, list[str]] = field(default_factory=dict)  # a row's own, then its cells'


@dataclass
class Page:
    """What the tests want to know about an HTML file."""

    source: str
    title: str = ""
    text: str = ""
    ids: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    contents: list[str] = field(default_factory=list)
    references: list[str] = field(default_factory=list)
    headings: list[tuple[int, str]] = field(default_factory=list)
    tags: set[str] = field(default_factory=set)
    tables: dict[str, Table] = field(default_factory=dict)
    unscoped: int = 0


def read(source: str) -> Page:
    reader = _Reader(source)
    reader.feed(source)
    return reader.page


class _Reader(HTMLParser):
    def __init__(self, source: str):
        super().__init__()
        self.page = Page(source)
        self.open: list[str] = []
        self.table: Table | None = None
        self.section = ""
        self.cells: list[str] = []
        self.words: list[str] = []
        self.letters: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.page.tags.add(tag)
        if "id" in given:
            self.page.ids.append(given["id"])
        for name in ("href", "src", "xlink:href"):
            if name in given:
                self.page.links.append(given[name])
        if tag == "a" and "nav" in self.open:
            self.page.contents.append(given["href"])
        for name in ("aria-labelledby", "aria-describedby"):
            self.page.references += given.get(name, "").split()
        if tag == "table":
            self.table = self.page.tables[given["id"]] = Table()
        if tag == "th" and "scope" not in given:
            self.page.unscoped += 1
        if tag in ("td", "th", "caption", "tr", "h1", "h2", "h3", "h4", "h5", "title"):
            self.words = []
        if tag == "tr":
            self.cells, self.letters = [], []
        if tag in ("td", "th"):
            self.letters.append("")
        if given.get("class") == "letters":
            tag = "letters"
        if given.get("aria-hidden") == "true" and tag == "span":
            tag = "sign"
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.open:
            self.open.pop()
        said = (
            re.sub(r"[ \n]+", " ", " ".join(self.words)).strip().rstrip("\xa0")
        )  # a no-break space is a sign of its own
        if tag in ("h1", "h2", "h3", "h4", "h5"):
            self.page.headings.append((int(tag[1]), said))
        elif tag == "title" and "svg" not in self.open:
            self.page.title = said
        elif tag == "caption" and self.table is not None:
            self.table.caption = said
        elif tag in ("td", "th"):
            self.cells.append(said)
        elif tag == "tr" and self.table is not None:
            self._row()
        elif tag == "table":
            self.table = None

    def _row(self) -> None:
        assert self.table is not None
        if "thead" in self.open:
            self.table.heads = self.cells
        elif len(self.cells) == 1:
            self.section = self.cells[0]
        elif self.cells:
            title = self.cells[0]
            key = title if title not in self.table.rows else f"{self.section} / {title}"
            self.table.rows[key] = self.cells[1:]
            self.table.letters[key] = self.letters

    def handle_data(self, data: str) -> None:
        if "style" in self.open or "svg" in self.open:
            return
        if "letters" in self.open:
            self.letters[-1] = data
            return
        self.words.append(data)
        if data.strip():
            self.page.text += f" {data.strip()}"
