"""One HTML file that opens from disk: style, fonts and drawings are inside it, and nothing in it runs."""

from __future__ import annotations

import re
from base64 import b64encode
from functools import cache
from html import escape
from pathlib import Path

import jinja2
from markupsafe import Markup

from kysely import typesetting
from kysely.errors import AnalystError
from reports.parts import Cell, Chart, Column, Document, Row

SUFFIX = "html"
HOLDS = Document

_FOLDER = Path(__file__).parent / "_html"
_FACES = (
    ("Inter-Regular", 400, "normal"),
    ("Inter-Italic", 400, "italic"),
    ("Inter-Medium", 500, "normal"),
    ("Inter-SemiBold", 600, "normal"),
    ("Inter-Bold", 700, "normal"),
)


def render(document: Document) -> bytes:
    """Return *document* as one HTML file in UTF-8."""
    page = _template().render(
        document=document,
        style=Markup(f"{_font_faces()}\n{_style()}\n{_running_head(document)}"),
    )
    return page.lstrip().encode()


def kind(part: object) -> str:
    """Return the name of the macro that shows *part*: its class, in small letters."""
    return type(part).__name__.lower()


def cells(row: Row, columns: tuple[Column, ...]) -> Markup:
    """Return the cells of *row*. A report has ten thousand; as a template they took half of its time."""
    return Markup("".join(_cell(cell, column) for cell, column in zip(row.cells, columns, strict=True)))


def formula(text: str) -> Markup:
    """Return a formula's text with what follows an underscore set low."""
    return Markup(re.sub(r"_(\w)", r"<sub>\1</sub>", escape(text)))


def drawing(chart: Chart) -> Markup:
    """Return the chart's SVG, fit to stand inside a page.

    The file is our own, but it is the one thing here that is not escaped, so it is
    refused if it could run or fetch anything.
    """
    svg = re.sub(r"<metadata>.*?</metadata>", "", chart.svg[chart.svg.index("<svg") :], flags=re.DOTALL)
    # The report's own style sheet sizes it; where a report is served, the policy lets no style attribute through.
    svg = re.sub(r'^(<svg\b[^>]*?)\sstyle="[^"]*"', r"\1", svg)
    if re.search(r"<script|<foreignObject|\son\w+\s*=|javascript:|@import", svg, re.IGNORECASE):
        raise AnalystError(f"the drawing {chart.id} holds something that runs; draw it again with `make analysis`")
    return Markup(svg)


def _cell(cell: Cell, column: Column) -> str:
    styles = ["number" if column.numeric else "words"]
    styles += [name for name, on in (("base", column.base), ("muted", cell.muted), ("strong", cell.strong)) if on]
    text = escape(cell.text)
    if cell.spoken:  # the text is only a sign: who listens hears what it means
        text = f'<span aria-hidden="true">{text}</span><span class="unseen">{escape(cell.spoken)}</span>'
    elif column.code:
        text = f"<code>{text}</code>"
    mark = f"<sup>{escape(cell.mark)}</sup>" if cell.mark else ""
    detail = f"<small>{escape(cell.detail)}</small>" if cell.detail else ""
    letters = f'<b class="letters">{escape(cell.letters)}</b>' if cell.letters else ""
    return f'<td class="{" ".join(styles)}">{letters}{text}{mark}{detail}</td>'


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["kind"] = kind
    environment.filters["cells"] = cells
    environment.filters["formula"] = formula
    environment.filters["drawing"] = drawing
    return environment.get_template("report.html.j2")


@cache
def _style() -> str:
    return (_FOLDER / "report.css").read_text(encoding="utf-8")


@cache
def _font_faces() -> str:
    return "\n".join(
        f'@font-face{{font-family:"Inter";font-weight:{weight};font-style:{style};font-display:block;'
        f"src:url(data:font/woff2;base64,{b64encode((typesetting.FONTS / f'{name}.woff2').read_bytes()).decode()}) "
        'format("woff2")}'
        for name, weight, style in _FACES
    )


def _running_head(document: Document) -> str:
    """Return the rule that prints banner, title, provenance and page number on every sheet."""
    return (
        "@page{"
        f"@top-left{{content:{_css_string(document.banner)}}}"
        f"@top-right{{content:{_css_string(document.title)}}}"
        f"@bottom-left{{content:{_css_string(document.provenance)}}}"
        f"@bottom-right{{content:{_css_string(document.words.page)} ' ' counter(page)}}"
        "}"
    )


def _css_string(text: str) -> str:
    """Quote *text* for CSS inside a style element: neither a quote nor a `<` of it can end anything."""
    return '"' + "".join(c if c.isalnum() or c in " .,–-" else f"\\{ord(c):x} " for c in text) + '"'
