"""A finished chart as files: pictures of every look, its numbers, what to paste into a page, and a manifest of them.

The same chart gives the same bytes every time, and a file is either the old one or the whole new one.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import matplotlib

from analysis import wording
from analysis.charts import _sentences, _svg
from analysis.charts._look import NARROW, REPORT, WIDE, Look
from analysis.charts._recipe import FORMAT
from analysis.charts._sentences import Words
from analysis.charts._snippet import snippet
from analysis.charts._theme import STYLE, Sheet
from analysis.estimates import Provenance
from kysely.errors import AnalystError

Figure = float | int | str
"""A cell of a chart's data table: a float is a percentage, an int a count."""

_SOFTWARE = "Kysely"


@dataclass(frozen=True)
class Picture:
    """A chart drawn in one language and look, its words, and the numbers it shows.

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

    @property
    def look(self) -> Look:
        return self.sheet.look

    @property
    def provenance_line(self) -> str:
        """Who answered what, when and for whom, for files that are read without their picture."""
        return wording.plain(f"{self.words.base} {self.words.source}")

    @cached_property
    def title(self) -> str:
        return wording.plain(self.words.headline)


def write(pictures: Sequence[Picture], folder: Path, *, made_from: str = "") -> Path:
    """Write the files of one chart, drawn in every look, into *folder* and return its manifest.

    *made_from* is kept in it, to tell later whether the chart would come out the same (`_recipe`).
    Raises AnalystError for a chart without an alternative text: who can't see it would get nothing.
    """
    looks: dict[str, Picture] = {picture.look.name: picture for picture in pictures}
    wide, narrow, report = (looks[look.name] for look in (WIDE, NARROW, REPORT))
    if not wide.alt.strip():
        raise AnalystError(f"chart {wide.id} has no alternative text in {wide.language!r}; write `alt` in the plan")
    with matplotlib.rc_context(STYLE):
        made = {
            "png": _png(wide),
            "svg": _svg.paths(wide.sheet.figure, _telling(wide)),
            "text.svg": _svg.text(wide.sheet.figure, _telling(wide), embed=True),
            "pdf": _pdf(wide),
            "csv": _csv(wide),
            "narrow.png": _png(narrow),
            "narrow.svg": _svg.paths(narrow.sheet.figure, _telling(narrow)),
            # Reports have Inter: Typst takes the repository's, our own pages embed it once.
            "report.svg": _svg.text(report.sheet.figure, _telling(report), embed=False),
        }
    told = _manifest(looks, made_from)
    told["files"] = {extension: _told(wide, extension, content) for extension, content in made.items()}
    told["files"]["html"] = {"name": f"{wide.id}.html"}
    made["html"] = snippet(told).encode()
    told["files"]["html"] = _told(wide, "html", made["html"])
    folder.mkdir(parents=True, exist_ok=True)
    for extension, content in made.items():
        _replace(folder / f"{wide.id}.{extension}", content)
    # Last: a manifest that is there speaks of files that are there.
    manifest = folder / f"{wide.id}.json"
    _replace(manifest, (json.dumps(told, ensure_ascii=False, indent=1) + "\n").encode())
    return manifest


def _told(picture: Picture, extension: str, content: bytes) -> dict[str, Any]:
    return {
        "name": f"{picture.id}.{extension}",
        "bytes": len(content),
        "sha256": sha256(content).hexdigest(),
    }


def _telling(picture: Picture) -> _svg.Telling:
    return _svg.Telling(
        id=f"{picture.id}-{picture.language}-{picture.look.name}",
        language=picture.language,
        title=picture.title,
        description=picture.alt,
        source=picture.provenance_line,
        warning=picture.words.kicker,
    )


def _png(picture: Picture) -> bytes:
    buffer = io.BytesIO()
    texts = {
        "Title": picture.title,
        "Description": picture.alt,
        "Source": picture.provenance_line,
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
        "Author": picture.provenance_line,
        "Creator": _SOFTWARE,
        "Producer": _SOFTWARE,
        "CreationDate": None,  # the only thing that would differ between two runs
    }
    picture.sheet.figure.savefig(buffer, format="pdf", metadata=information)
    return buffer.getvalue()


def _csv(picture: Picture) -> bytes:
    """Return the data table as the language's spreadsheet opens it: one decimal, its own decimal mark and separator."""
    english = picture.language == "en"
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter="," if english else ";", lineterminator="\r\n")
    columns = [*picture.columns, _sentences.COLUMNS[picture.language]["source"]]
    writer.writerow([_spreadsheet_text(column) for column in columns])
    for row in picture.rows:
        writer.writerow([_spreadsheet_cell(cell, english=english) for cell in (*row, picture.provenance_line)])
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


def _manifest(looks: Mapping[str, Picture], made_from: str) -> dict[str, Any]:
    """Return what the manifest tells, but for the files. Notes tell of marks, and so belong to a look."""
    picture = looks[WIDE.name]
    words, provenance = picture.words, picture.provenance
    return {
        "format": FORMAT,
        "id": picture.id,
        "chart": picture.chart,
        "language": picture.language,
        "kicker": words.kicker,
        "title": picture.title,
        "subtitle": wording.plain(words.subtitle),
        "alt": picture.alt,
        "caption": _sentences.caption(words, picture.title, provenance, picture.language),
        "base": words.base,
        "note": words.note,
        "source": words.source,
        "width": int(picture.sheet.width),
        "height": int(picture.sheet.height),
        "looks": {
            name: {"width": int(one.sheet.width), "height": int(one.sheet.height), "note": one.words.note}
            for name, one in looks.items()
        },
        "synthetic": provenance.synthetic,
        "table": {"columns": list(picture.columns), "rows": [_shown(row, picture.language) for row in picture.rows]},
        "made_from": made_from,
        "estimates_sha256": picture.estimates_sha256,
        "provenance": asdict(provenance),
    }


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
