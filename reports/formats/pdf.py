"""A report as a PDF to print, send and archive: Typst sets it, tagged for those who listen to it (PDF/UA-1).

This module says what stands where as data; the template `_pdf/report.typ` says how it looks.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from functools import cache, singledispatch
from pathlib import Path
from typing import Any

from analysis import wording
from kysely import typesetting
from kysely.errors import AnalystError
from reports.formats import _panels
from reports.parts import (
    Bullets,
    Chart,
    Document,
    Facts,
    Formula,
    Note,
    Paragraph,
    Part,
    Section,
    Table,
)
from reports.parts.table import Cell, Row

SUFFIX = "pdf"
HOLDS = Document

TEMPLATE = Path(__file__).parent / "_pdf" / "report.typ"

SQUARE = "□"
"""Stands for a character that the typeface lacks: an emoji, a letter of another script."""

_ENDLESS = re.compile(rf"[^\s{wording.SOFT_HYPHEN}-]{{41,}}")
"""What no language has as a word and no line has room for."""

SHORT = 24
"""So many lines of contents still stand on the first page."""

_ORDINARY = re.compile(r"[\n -~\xa0-ſ]*")
"""Text that needs no look into the typeface."""


def render(document: Document) -> bytes:
    """Return *document* as a tagged PDF. Raises AnalystError if it can't be set."""
    try:
        return typesetting.pdf(TEMPLATE, content(document))
    except typesetting.NotSet as error:
        raise AnalystError(f"the report {document.title!r} can't be set as a PDF: {error}") from None


def content(document: Document) -> dict[str, Any]:
    """Return everything that stands on the pages, as data; what the typeface lacks is told of at the end."""
    lacking: set[str] = set()
    found: dict[str, Any] = _writable(_document(document), lacking)
    if lacking:
        signs = ", ".join(sorted(f"U+{ord(sign):04X}" for sign in lacking))
        found["closing"].append(_part(Paragraph(document.words.lacking.format(signs=signs)), wide=False))
    return found


def _document(document: Document) -> dict[str, Any]:
    words = document.words
    return {
        "language": document.language,
        "heading": wording.plain(document.heading),
        "title": document.title,
        "subtitle": document.subtitle,
        "banner": document.banner,
        "banner_text": document.banner_text,
        "provenance": document.provenance,
        "contents": words.contents,
        "long": sum(section.listed for section in document.walk()) > SHORT,
        "page_of": words.page_of,
        "opening": _parts(document.opening, wide=False),
        "runs": list(_runs(document)),
        "closing": _parts(document.closing, wide=False),
    }


def _runs(document: Document) -> Iterator[dict[str, Any]]:
    """Yield the sections in reading order, in runs of those that stand on pages turned the same way."""
    run: dict[str, Any] | None = None
    for section, level, wide in _walk(document.sections, 1, wide=False):
        if run is None or run["wide"] != wide:
            if run is not None:
                yield run
            run = {"wide": wide, "sections": []}
        run["sections"].append(
            {
                "level": level,
                "title": section.title,
                "kicker": section.kicker if level == 1 else "",
                "listed": section.listed,
                "new_page": level == 1 or section.wide,
                "parts": _parts(section.parts, wide=wide),
            }
        )
    if run is not None:
        yield run


def _walk(sections: tuple[Section, ...], level: int, *, wide: bool) -> Iterator[tuple[Section, int, bool]]:
    """Yield every section with its level and whether its page is turned: where that was asked for and is needed."""
    for section in sections:
        asked = wide or section.wide
        yield section, level, asked and not all(map(_upright, section.parts))
        yield from _walk(section.sections, level + 1, wide=asked)


def _upright(part: Part) -> bool:
    """Return whether *part* needs no page turned sideways."""
    return not isinstance(part, Table) or _panels.fits(part, wide=False)


# ---- parts ----------------------------------------------------------------------------------------


def _parts(parts: tuple[Part, ...], *, wide: bool) -> list[dict[str, Any]]:
    return [_part(part, wide=wide) for part in parts if not (isinstance(part, Paragraph) and part.screen)]


@singledispatch
def _part(part: Part, *, wide: bool) -> dict[str, Any]:
    """Return *part* as data, with its kind; *wide* says that it stands on a page turned sideways."""
    raise TypeError(f"no {type(part).__name__} stands in a PDF")


@_part.register
def _(part: Paragraph, *, wide: bool) -> dict[str, Any]:
    return {"kind": "paragraph", "text": part.text, "lead": part.lead}


@_part.register
def _(part: Note, *, wide: bool) -> dict[str, Any]:
    return {"kind": "note", "title": part.title, "text": part.text, "caution": part.kind == "caution"}


@_part.register
def _(part: Bullets, *, wide: bool) -> dict[str, Any]:
    return {"kind": "bullets", "items": part.items}


@_part.register
def _(part: Facts, *, wide: bool) -> dict[str, Any]:
    return {
        "kind": "key_facts" if part.key else "facts",
        "facts": [[fact.name, fact.value, fact.code] for fact in part.facts],
    }


@_part.register
def _(part: Formula, *, wide: bool) -> dict[str, Any]:
    return {"kind": "formula", "text": _lowered(part.text), "where": _lowered(part.where)}


def _lowered(text: str) -> list[str]:
    """Return *text* in pieces, every second of which stands low: what followed an underscore."""
    return re.split(r"_(\w)", text)


@_part.register
def _(part: Chart, *, wide: bool) -> dict[str, Any]:
    return {
        "kind": "chart",
        "title": part.title,
        "subtitle": part.subtitle,
        "svg": part.svg,
        "alt": part.alt,
        "notes": part.notes,
        "table": _part(replace(part.table, caption=part.summary), wide=wide),  # its title stands above the drawing
    }


@_part.register
def _(part: Table, *, wide: bool) -> dict[str, Any]:
    return {
        "kind": "table",
        "caption": part.caption,
        "subtitle": part.subtitle,
        "prose": part.prose,
        "panels": [_panel(part, panel) for panel in _panels.divide(part, wide=wide)],
        "notes": part.notes,
    }


def _panel(table: Table, panel: _panels.Panel) -> dict[str, Any]:
    columns = [table.columns[place] for place in panel.columns]
    return {
        "widths": panel.widths,
        "stub": table.stub,
        "broken": not all(_panels.whole(row.title, panel.widths[0]) for row in table.rows if isinstance(row, Row)),
        "groups": [[title, len(run)] for title, run in _panels.runs(columns)] if table.grouped else [],
        "columns": [
            [column.title, column.numeric, not _panels.whole(column.title, width)]
            for column, width in zip(columns, panel.widths[1:], strict=True)
        ],
        "rows": [
            [row.title, row.letter, row.detail, row.strong, [_cell(row.cells[place]) for place in panel.columns]]
            if isinstance(row, Row)
            else row.title
            for row in table.rows
        ],
    }


def _cell(cell: Cell) -> list[Any]:
    """Return a cell as text, then only as much of the rest as there is: a report has ten thousand."""
    whole = [cell.text, cell.detail, cell.mark, cell.letters, int(cell.strong), int(cell.muted)]
    while len(whole) > 1 and not whole[-1]:
        whole.pop()
    return whole


# ---- characters -----------------------------------------------------------------------------------


def _writable(content: Any, lacking: set[str]) -> Any:
    """Return *content* with a square for every character that the typeface lacks; collect those in *lacking*.

    PDF/UA allows no text without its letters, and another typeface would not look like this one.
    """
    if isinstance(content, str):
        known = content if _ORDINARY.fullmatch(content) else _in_typeface(content, lacking)
        return _ENDLESS.sub(_breakable, known)
    if isinstance(content, dict):
        return {key: value if key == "svg" else _writable(value, lacking) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_writable(value, lacking) for value in content]
    return content


def _breakable(word: re.Match[str]) -> str:
    """Return an endless word with places to break; a hash or an address keeps its own letters, to be copied."""
    if re.fullmatch(r"[0-9a-f]{64}", word[0]):
        return word[0]
    return wording.SOFT_HYPHEN.join(re.findall(r".{1,8}", word[0]))


def _in_typeface(text: str, lacking: set[str]) -> str:
    known = _typeface()
    written = []
    for sign in text:
        if ord(sign) in known:
            written.append(sign)
        elif unicodedata.category(sign) in ("Cc", "Cf", "Mn", "Me"):  # invisible by itself; one that counts is \n
            written.append("\n" if sign == "\n" else "")
        else:
            lacking.add(sign)
            written.append(SQUARE)
    return "".join(written)


@cache
def _typeface() -> frozenset[int]:
    from matplotlib.ft2font import FT2Font

    return frozenset(FT2Font(str(typesetting.FONTS / "Inter-Regular.ttf")).get_charmap())
