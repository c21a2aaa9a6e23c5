"""Finished charts as analysis left them in build/: which there are, and what their manifests tell of them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

KINDS = ("png", "narrow.png", "svg", "narrow.svg", "text.svg", "pdf", "csv", "html")
"""The files of a chart that are handed out, by extension, the most wanted first.

Not its picture for reports: that one says nothing of where its figures come from, as the report around it does.
"""

PUBLIC = "public"

_NAME = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class File:
    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Look:
    """One width that the chart is drawn in; the note under it tells of the marks of this width."""

    width: int
    height: int
    note: str


@dataclass(frozen=True)
class Chart:
    """One chart in one language, as its manifest tells. *heading* is the title of the questionnaire."""

    id: str
    language: str
    title: str
    subtitle: str
    kicker: str
    alt: str
    base: str
    source: str
    heading: str
    release: str
    synthetic: bool
    extract_sha256: str
    looks: Mapping[str, Look]
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    files: Mapping[str, File]

    @property
    def public(self) -> bool:
        return self.release == PUBLIC


def folder(build: Path, instrument: str, language: str) -> Path:
    """Return where the charts of *instrument* are. Raises ValueError for what can't be a name."""
    if not _NAME.fullmatch(instrument) or not _NAME.fullmatch(language):
        raise ValueError(f"{instrument!r} or {language!r} is no name of a folder")
    return build / instrument / "charts" / language


def charts(folder: Path) -> tuple[Chart, ...]:
    """Return the charts of a folder, by id; one whose manifest can't be read, or is half-written, is left out."""
    found = (chart(folder, file.stem) for file in sorted(folder.glob("*.json")))
    return tuple(one for one in found if one)


def chart(folder: Path, id: str) -> Chart | None:
    """Return the chart *id* of a folder, or None if there is none that can be read."""
    if not _NAME.fullmatch(id):
        return None
    file = folder / f"{id}.json"
    try:
        state = file.stat()
    except OSError:
        return None
    return _read(file, (state.st_mtime_ns, state.st_size, state.st_ino))


@lru_cache(maxsize=256)
def _read(file: Path, state: tuple[int, ...]) -> Chart | None:
    """Return the chart that a manifest tells of. Remembered as long as the *state* of the file is the same."""
    try:
        manifest: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        about = manifest["provenance"]
        columns, rows = table(manifest)
        files = {kind: _file(manifest, kind) for kind in KINDS}
        if manifest["id"] != file.stem or any(one.name != f"{file.stem}.{kind}" for kind, one in files.items()):
            return None
        return Chart(
            id=file.stem,
            language=manifest["language"],
            title=manifest["title"],
            subtitle=manifest["subtitle"],
            kicker=manifest["kicker"],
            alt=manifest["alt"],
            base=manifest["base"],
            source=manifest["source"],
            heading=about["title"][manifest["language"]],
            release=about["release"],
            synthetic=bool(manifest["synthetic"]),
            extract_sha256=about["extract_sha256"],
            looks={name: Look(**look) for name, look in manifest["looks"].items()},
            columns=columns,
            rows=rows,
            files=files,
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError):
        return None


def table(manifest: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Return the columns and rows of a chart's figures, as they are read beside the chart's kicker.

    Without a column that is empty, or repeats the kicker in every row.
    """
    columns: Sequence[str] = manifest["table"]["columns"]
    rows: Sequence[Sequence[str]] = manifest["table"]["rows"]
    told = [place for place, _ in enumerate(columns) if not {row[place] for row in rows} <= {"", manifest["kicker"]}]
    return tuple(columns[place] for place in told), tuple(tuple(row[place] for place in told) for row in rows)


def _file(manifest: Mapping[str, Any], kind: str) -> File:
    told = manifest["files"][kind]
    return File(str(told["name"]), int(told["bytes"]), str(told["sha256"]))
