"""A finished picture as files: PNG at twice the size, accessible SVG, PDF, CSV and a JSON manifest.

The same picture gives the same bytes every time, and a file is either the old one or the whole new one.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import matplotlib

from analysis import wording
from analysis.charts._sentences import Words
from analysis.charts._theme import STYLE, Sheet
from analysis.estimates import Estimates, Provenance
from kysely.errors import AnalystError

FORMAT = "kysely-chart/1"

Figure = float | int | str
"""A cell of a chart's data table: a float is a percentage, an int a count."""

_SVG, _XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
_SOFTWARE = "Kysely"


@dataclass(frozen=True)
class Picture:
    """A drawn chart in one language, its words, and the numbers it shows.

    *rows* of *columns* are the data table, percentages unrounded; *estimates_sha256* is the hash of
    the estimates they were taken from.
    """

    id: str
    chart: str
    language: str
    sheet: Sheet
    words: Words
    alt: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Figure]]
    provenance: Provenance
    estimates_sha256: str

    @cached_property
    def title(self) -> str:
        return wording.plain(self.words.headline)


def fingerprint(estimates: Estimates, table: str) -> str:
    """Return the SHA-256 of the rows of *table*, as text with every digit."""
    rows = estimates.select(table=table)
    return sha256(rows.to_csv(index=False, lineterminator="\n").encode()).hexdigest()


def write(picture: Picture, folder: Path) -> Path:
    """Write the picture's five files into *folder* and return its manifest.

    Raises AnalystError for a picture without an alternative text: who can't see it would get nothing.
    """
    if not picture.alt.strip():
        raise AnalystError(
            f"chart {picture.id} has no alternative text in {picture.language!r}; write `alt` in the plan"
        )
    with matplotlib.rc_context(STYLE):
        made = {"png": _png(picture), "svg": _svg(picture), "pdf": _pdf(picture), "csv": _csv(picture)}
    folder.mkdir(parents=True, exist_ok=True)
    for extension, content in made.items():
        _replace(folder / f"{picture.id}.{extension}", content)
    # Last: a manifest that is there speaks of files that are there.
    manifest = folder / f"{picture.id}.json"
    _replace(manifest, _manifest(picture, made))
    return manifest


def _png(picture: Picture) -> bytes:
    buffer = io.BytesIO()
    texts = {
        "Title": picture.title,
        "Description": picture.alt,
        "Source": picture.words.source,
        "Software": _SOFTWARE,
        **({"Disclaimer": picture.words.kicker} if picture.words.kicker else {}),
    }
    picture.sheet.figure.savefig(buffer, format="png", dpi=200, metadata=texts, pil_kwargs={"compress_level": 3})
    return buffer.getvalue()


def _pdf(picture: Picture) -> bytes:
    buffer = io.BytesIO()
    information = {
        "Title": picture.title,
        "Subject": picture.alt,
        "Keywords": picture.words.kicker,
        "Creator": _SOFTWARE,
        "Producer": _SOFTWARE,
        "CreationDate": None,  # the only thing that would differ between two runs
    }
    picture.sheet.figure.savefig(buffer, format="pdf", metadata=information)
    return buffer.getvalue()


def _svg(picture: Picture) -> bytes:
    buffer = io.BytesIO()
    record = {
        "Title": picture.title,
        "Description": picture.alt,
        "Source": picture.words.source,
        "Language": picture.language,
        "Keywords": [picture.words.kicker] if picture.words.kicker else [],
        "Creator": _SOFTWARE,
        "Date": None,
    }
    picture.sheet.figure.savefig(buffer, format="svg", metadata=record)
    return _accessible(buffer.getvalue(), picture)


def _accessible(svg: bytes, picture: Picture) -> bytes:
    """Give the drawing a role, a name and a description, and ids that stay unique when a page holds several.

    The drawing itself is hidden from screen readers: Chromium would read out every label on its own.
    Styles become attributes, so that a strict content security policy leaves the colours alone.
    """
    for prefix, uri in _namespaces(svg).items():
        ElementTree.register_namespace(prefix, uri)
    root = ElementTree.fromstring(svg)
    prefix = f"{picture.id}-{picture.language}-"
    for element in root.iter():
        _scope(element, prefix)
        _as_attributes(element)
    for title in root.findall(f"{{{_SVG}}}title"):
        root.remove(title)
    for defs in root.findall(f"{{{_SVG}}}defs"):
        for style in defs.findall(f"{{{_SVG}}}style"):
            defs.remove(style)
    for group in root.findall(f"{{{_SVG}}}g"):
        # What matplotlib's style sheet says of everything, without reaching into the page around.
        group.attrib.update({"stroke-linejoin": "round", "stroke-linecap": "butt", "aria-hidden": "true"})
    root.attrib.update(
        {
            "id": f"{prefix}root",
            "role": "img",
            "lang": picture.language,
            "{http://www.w3.org/XML/1998/namespace}lang": picture.language,
            "aria-labelledby": f"{prefix}title",
            "aria-describedby": f"{prefix}desc",
            "width": f"{picture.sheet.width:g}",
            "height": f"{picture.sheet.height:g}",
            "style": "max-width:100%;height:auto",
        }
    )
    for place, (name, text) in enumerate((("title", picture.title), ("desc", picture.alt))):
        element = ElementTree.Element(f"{{{_SVG}}}{name}", {"id": f"{prefix}{name}"})
        element.text = text
        element.tail = "\n"
        root.insert(place, element)
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="utf-8") + b"\n"


def _namespaces(svg: bytes) -> dict[str, str]:
    found = re.findall(rb'xmlns(?::(\w+))?="([^"]+)"', svg[:4096])
    return {prefix.decode(): uri.decode() for prefix, uri in found}


def _scope(element: ElementTree.Element, prefix: str) -> None:
    for name, value in element.attrib.items():
        if name == "id":
            element.set(name, prefix + value)
        elif name in ("href", f"{{{_XLINK}}}href") and value.startswith("#"):
            element.set(name, f"#{prefix}{value[1:]}")
        elif "url(#" in value:
            element.set(name, value.replace("url(#", f"url(#{prefix}"))


def _as_attributes(element: ElementTree.Element) -> None:
    declarations = element.attrib.pop("style", "")
    for declaration in filter(None, (part.strip() for part in declarations.split(";"))):
        name, value = declaration.split(":", 1)
        element.set(name.strip(), value.strip())


def _csv(picture: Picture) -> bytes:
    """Return the data table as the language's spreadsheet opens it: one decimal, its own decimal mark and separator."""
    english = picture.language == "en"
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter="," if english else ";", lineterminator="\r\n")
    writer.writerow([_spreadsheet_text(column) for column in picture.columns])
    for row in picture.rows:
        writer.writerow([_spreadsheet_cell(cell, english=english) for cell in row])
    return buffer.getvalue().encode("utf-8-sig")


def _spreadsheet_cell(cell: Figure, *, english: bool) -> str:
    if isinstance(cell, str):
        return _spreadsheet_text(cell)
    if isinstance(cell, int):
        return str(cell)
    figure = wording.number(cell, "en", 1).replace(",", "").replace(wording.MINUS, "-")
    if figure == wording.EN_DASH:
        return ""
    return figure if english else figure.replace(".", ",")


def _spreadsheet_text(text: str) -> str:
    # A label that a spreadsheet would take for a formula stays a label.
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _manifest(picture: Picture, made: Mapping[str, bytes]) -> bytes:
    words, provenance = picture.words, picture.provenance
    content: dict[str, Any] = {
        "format": FORMAT,
        "id": picture.id,
        "chart": picture.chart,
        "language": picture.language,
        "kicker": words.kicker,
        "title": picture.title,
        "subtitle": wording.plain(words.subtitle),
        "alt": picture.alt,
        "base": words.base,
        "note": words.note,
        "source": words.source,
        "width": int(picture.sheet.width),
        "height": int(picture.sheet.height),
        "synthetic": provenance.synthetic,
        "table": {"columns": list(picture.columns), "rows": [_shown(row, picture.language) for row in picture.rows]},
        "files": {
            extension: {
                "name": f"{picture.id}.{extension}",
                "bytes": len(data),
                "sha256": sha256(data).hexdigest(),
            }
            for extension, data in made.items()
        },
        "estimates_sha256": picture.estimates_sha256,
        "provenance": asdict(provenance),
    }
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()


def _shown(row: Sequence[Figure], language: str) -> list[str]:
    return [
        cell if isinstance(cell, str) else wording.number(cell, language, 1 if isinstance(cell, float) else 0)
        for cell in row
    ]


def _replace(path: Path, content: bytes) -> None:
    """Put *content* at *path* in one step; who reads meanwhile sees the old file or the new one."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_bytes(content)
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
