"""The rows of an Excel workbook as text, or a sentence on why it isn't read. Nothing in it is computed or fetched.

What a file unpacks to is known before anything is unpacked, and what would take long is counted before it is parsed.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

UNPACKED = 64 * 1024 * 1024
"""Bytes that the parts of a workbook may have together: a hundred thousand contacts have less."""

PARTS = 500
"""Files within the file."""

_OLE = b"\xd0\xcf\x11\xe0"
_FAR = re.compile(rb'<c [^>]*\br="[A-Z]{2,}[0-9]')
_HIDDEN = ("hidden", "veryHidden")


class UnreadableWorkbook(ValueError):
    """Why a workbook is not read, and what to do about it."""

    def __init__(self, cause: str, cure: str):
        super().__init__(cause)
        self.cause, self.cure = cause, cure


@dataclass(frozen=True)
class Sheet:
    """The rows that aren't blank, each with its number; *formulas* are the cells (row, column) that compute."""

    name: str
    rows: Sequence[tuple[int, list[str]]]
    formulas: Sequence[tuple[int, int]]


def is_workbook(content: bytes) -> bool:
    return content.startswith((b"PK\x03\x04", _OLE))


def read(content: bytes, *, most: int) -> Sheet:
    """Return the one sheet of a workbook that holds something, of at most *most* rows; raises UnreadableWorkbook."""
    _look_before(content, most)
    try:
        return _parsed(content)
    except UnreadableWorkbook:
        raise
    except Exception:
        # A broken workbook fails in any of a dozen ways: archive, compression, XML, dates, styles.
        raise _unsound() from None


def _unsound() -> UnreadableWorkbook:
    return UnreadableWorkbook("it is no sound workbook", "Save it as .xlsx from the spreadsheet program")


def _look_before(content: bytes, most: int) -> None:
    """Raise UnreadableWorkbook for what would take long to find out, or would reach out of the file."""
    if content.startswith(_OLE):
        raise UnreadableWorkbook(
            "it is protected by a password, or of Excel before 2007", "Save it as .xlsx without a password"
        )
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            if len(parts) > PARTS or sum(part.file_size for part in parts) > UNPACKED:
                size = f"{UNPACKED // 1024 // 1024} MB"
                raise UnreadableWorkbook(f"it unpacks to more than {size}", "Keep the list alone, or save it as CSV")
            names = {part.filename.lower() for part in parts}
            if any("vbaproject" in name or "macrosheets/" in name for name in names):
                raise UnreadableWorkbook("it has macros", "Save it as .xlsx, which has none")
            if any("externallinks/" in name or "connections.xml" in name for name in names):
                raise UnreadableWorkbook("it takes values from other files", "Paste them as values")
            for part in parts:
                if part.filename.lower().endswith((".xml", ".rels")):
                    _look_into(archive, part, most)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError):
        raise _unsound() from None


def _look_into(archive: zipfile.ZipFile, part: zipfile.ZipInfo, most: int) -> None:
    with archive.open(part) as stream:
        text = stream.read(part.file_size + 1)  # not more than it says it has, or it fails its checksum
    if b"<!DOCTYPE" in text or b"\x00" in text[:4]:  # entities of its own; XML of another width hides from this
        raise UnreadableWorkbook("it declares things that no workbook needs", "Save it from the original again")
    if text.count(b"<row") > most + 1 or text.count(b"<si") > most * 12:
        raise UnreadableWorkbook(f"it has more than {most} rows", "Split it")
    if _FAR.search(text):
        raise UnreadableWorkbook("it has more than 26 columns", "Delete those behind the list")
    if b"<mergeCell " in text:
        raise UnreadableWorkbook("it has merged cells", "Unmerge them: each row is a person, each column one thing")


def _parsed(content: bytes) -> Sheet:
    from openpyxl import load_workbook  # a fifth of a second, which only who reads a workbook needs

    book = load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
    try:
        found = []
        for sheet in book.worksheets:
            read = _sheet(sheet)
            if read.rows and sheet.sheet_state in _HIDDEN:
                cause = f"the sheet {sheet.title!r} is hidden and holds something"
                raise UnreadableWorkbook(cause, "Show it or delete it")
            if read.rows:
                found.append(read)
    finally:
        book.close()
    if len(found) > 1:
        names = ", ".join(repr(sheet.name) for sheet in found[:5])
        raise UnreadableWorkbook(f"several sheets hold something: {names}", "Leave only the list")
    return found[0] if found else Sheet("", (), ())


def _sheet(sheet: Any) -> Sheet:
    sheet.reset_dimensions()  # what the file says of its size may be anything
    rows, formulas = [], []
    for number, cells in enumerate(_cells(sheet), 1):
        row = []
        for column, (value, kind) in enumerate(cells):
            if kind == "f":
                formulas.append((number, column))
            row.append(_text(value))
        if any(row):
            rows.append((number, row))
    return Sheet(sheet.title, rows, formulas)


def _cells(sheet: Any) -> Iterator[list[tuple[Any, str]]]:
    for row in sheet.iter_rows():
        yield [(cell.value, cell.data_type) for cell in row]


def _text(value: Any) -> str:
    """Return a cell as a person reads it: whole numbers without decimals, dates as 2026-12-18."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime) and value.time() == time():
        value = value.date()
    return value.isoformat() if isinstance(value, date | time) else str(value).strip()
