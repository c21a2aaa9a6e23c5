"""A list of people to invite, as CSV or .xlsx: read whole, or refused with every fault and its row."""

from __future__ import annotations

import csv
import io
import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from kysely import workbooks
from kysely.errors import AuthorError, Problem
from kysely.questions._text import email_address
from kysely.questions.organisation import OrganisationTyped, business_id

LARGEST = 20 * 1024 * 1024
"""Bytes of a file, and MOST its rows; a list of persons that is longer is some other file."""

MOST = 100_000

COLUMNS = (
    "email",
    "name",
    "language",
    "organisation",
    "municipality",
    "business_id",
    "stratum",
    "psu",
    "design_weight",
    "in_post",
)
"""What a file may hold; only email is needed. in_post says that the person is known to hold the post (yes, no)."""

_LONGEST = 300
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_TWICE_ENCODED = re.compile("Ã[¤¶¥\u0084\u0096\u0085]|Â[ \u00a0-\u00bf]")
_YES = {"yes": True, "1": True, "true": True, "kyllä": True, "ja": True}
_NO = {"no": False, "0": False, "false": False, "ei": False, "nej": False, "": False}


@dataclass(frozen=True)
class Contact:
    """One person of the file, checked and folded; "" is what the file doesn't say."""

    email: str
    name: str = ""
    language: str = ""
    organisation: OrganisationTyped = OrganisationTyped()
    stratum: str = ""
    psu: str = ""
    design_weight: float = 1.0
    in_post: bool = False


@dataclass(frozen=True)
class ContactList:
    """The persons of a file, each once; *repeated* tells rows that say the same person again."""

    contacts: tuple[Contact, ...]
    repeated: tuple[str, ...] = ()


def read(file: Path, languages: Sequence[str]) -> ContactList:
    """Return the persons of *file*; raises AuthorError with every fault: a list is taken whole or not at all."""
    return _Reading(file.name, tuple(languages)).read(_bytes(file))


def _bytes(file: Path) -> bytes:
    try:
        with open(file, "rb") as stream:
            content = stream.read(LARGEST + 1)
    except OSError as error:
        raise _refused(file.name, 1, f"it can't be read ({error.strerror})", "Check its name and its rights") from None
    if len(content) > LARGEST:
        raise _refused(file.name, 1, "it is larger than 20 MB", "Is it the right file? Split it otherwise")
    return content


def _refused(file: str, line: int, cause: str, cure: str) -> AuthorError:
    return AuthorError([Problem(file, line, "file", cause, cure)])


class _Reading:
    def __init__(self, file: str, languages: tuple[str, ...]):
        self._file = file
        self._languages = languages
        self._problems: list[Problem] = []

    def read(self, content: bytes) -> ContactList:
        rows = self._rows_of(content)
        if not rows:
            raise _refused(self._file, 1, "it is empty", "The first row names the columns: email, name, language …")
        columns = self._columns(rows[0][1])
        found: dict[str, tuple[int, Contact]] = {}
        repeated = []
        for line, row in rows[1:]:
            contact = self._contact(line, columns, row)
            if contact is None:
                continue
            earlier = found.setdefault(contact.email, (line, contact))
            if earlier[0] == line:
                continue
            if earlier[1] == contact:
                repeated.append(f"row {line} repeats row {earlier[0]}")
            else:
                cause = f"the address of row {earlier[0]} comes again, with other particulars"
                self._add(line, "email", cause, "Keep the row that is right")
        if self._problems:
            raise AuthorError(self._problems)
        if not found:
            raise _refused(self._file, 1, "it names no person", "Each row after the first is a person")
        return ContactList(tuple(contact for _, contact in found.values()), tuple(repeated))

    def _rows_of(self, content: bytes) -> Sequence[tuple[int, list[str]]]:
        """Return the rows that aren't blank, each with the line or row of the sheet that it ends on."""
        named = self._file.lower().endswith(".xlsx")
        if named != workbooks.is_workbook(content):
            cause = "it is no workbook, whatever its name says" if named else "it is a workbook by another name"
            raise _refused(self._file, 1, cause, "Save it as .xlsx, or as CSV (UTF-8), from the spreadsheet program")
        return self._workbook(content) if named else self._rows(self._decoded(content))

    def _workbook(self, content: bytes) -> Sequence[tuple[int, list[str]]]:
        try:
            sheet = workbooks.read(content, most=MOST)
        except workbooks.UnreadableWorkbook as error:
            raise _refused(self._file, 1, error.cause, error.cure) from None
        self._file = f"{self._file} ({sheet.name})"
        header = sheet.rows[0][1] if sheet.rows else []
        for line, column in sheet.formulas:
            where = header[column] if column < len(header) and header[column] else f"column {column + 1}"
            self._add(line, where, "it holds a formula", "Paste its value")
        return sheet.rows

    def _decoded(self, content: bytes) -> str:
        if content.startswith((b"\xff\xfe", b"\xfe\xff")):
            encodings = ["utf-16"]
        else:
            encodings = ["utf-8-sig", "cp1252"]
        for encoding in encodings:
            try:
                text = content.decode(encoding)
            except UnicodeError:
                continue
            if "\x00" in text:
                break
            twice = _TWICE_ENCODED.search(text)
            if twice:
                line = text.count("\n", 0, twice.start()) + 1
                cause = f"letters were encoded twice ({twice[0]!r})"
                raise _refused(self._file, line, cause, "Save it from the original again, as CSV (UTF-8)")
            return text
        raise _refused(self._file, 1, "its letters can't be read", "Save it as CSV (UTF-8)")

    def _rows(self, text: str) -> list[tuple[int, list[str]]]:
        header = text.lstrip().split("\n", 1)[0]
        delimiter = max((";", ",", "\t"), key=header.count)
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        rows = []
        try:
            for row in reader:
                if any(cell.strip() for cell in row):
                    rows.append((reader.line_num, row))
                if len(rows) > MOST:
                    raise _refused(self._file, reader.line_num, f"it has more than {MOST} rows", "Split it")
        except csv.Error as error:
            cause = f"it is no CSV ({error})"
            raise _refused(self._file, reader.line_num, cause, "Check the quotation marks of this row") from None
        return rows

    def _columns(self, header: list[str]) -> list[str]:
        names = [" ".join(cell.replace("-", "_").split()).lower().replace(" ", "_") for cell in header]
        names = ["email" if name in ("e_mail", "mail") else name for name in names]
        for name in names:
            if name not in COLUMNS and name:
                self._add(1, "columns", f"{name[:40]!r} is unknown", f"There are: {', '.join(COLUMNS)}")
            elif name and names.count(name) > 1:
                self._add(1, "columns", f"{name} comes twice", "Keep one")
        if "email" not in names:
            self._add(1, "columns", "there is no column email", "Name the columns in the first row")
        if any(problem.where == "columns" for problem in self._problems):
            raise AuthorError(list(dict.fromkeys(self._problems)))
        return names

    def _contact(self, line: int, columns: list[str], row: list[str]) -> Contact | None:
        before = len(self._problems)
        if len(row) > len(columns) and any(cell.strip() for cell in row[len(columns) :]):
            self._add(line, "row", f"it has {len(row)} cells, the first row {len(columns)}", "Check the delimiters")
        given = {name: self._cell(line, name, cell) for name, cell in zip(columns, row, strict=False) if name}
        contact = self._checked(line, given)
        return contact if len(self._problems) == before else None

    def _cell(self, line: int, name: str, cell: str) -> str:
        text = unicodedata.normalize("NFC", cell).strip()
        if _CONTROL.search(text):
            self._add(line, name, "it holds a line break or a control character", "Take it out")
        elif len(text) > _LONGEST:
            self._add(line, name, f"it is longer than {_LONGEST} signs", "Shorten it")
        elif text.startswith("#") and text.endswith(("!", "?")):
            self._add(line, name, f"it holds the spreadsheet's error {text[:12]}", "Mend the formula")
        return text

    def _checked(self, line: int, given: Mapping[str, str]) -> Contact:
        email = given.get("email", "")
        try:
            email = email_address(email) if email else email
            if not email:
                self._add(line, "email", "it is empty", "Each person needs an address")
        except ValueError as error:
            self._add(line, "email", f"this is no e-mail address: {error}", "Correct it")
        language = given.get("language", "").lower()
        if language and language not in self._languages:
            self._add(line, "language", "the questionnaire isn't asked in it", f"Use {', '.join(self._languages)}")
        typed = given.get("business_id", "")
        number = business_id(typed) or ""
        if typed and not number:
            self._add(line, "business_id", "its check digit is wrong", "A business ID looks like 2077474-0")
        weight = self._weight(line, given.get("design_weight", ""))
        in_post = {**_YES, **_NO}.get(given.get("in_post", "").lower())
        if in_post is None:
            self._add(line, "in_post", "it is neither yes nor no", "Write yes or no")
        organisation = OrganisationTyped(given.get("organisation", ""), given.get("municipality", ""), number)
        stratum, psu = given.get("stratum", ""), given.get("psu", "")
        return Contact(email, given.get("name", ""), language, organisation, stratum, psu, weight, bool(in_post))

    def _weight(self, line: int, text: str) -> float:
        try:
            weight = float(text.replace(",", ".")) if text else 1.0
        except ValueError:
            weight = math.nan
        if not (math.isfinite(weight) and weight > 0):
            self._add(line, "design_weight", "it is no number over 0", "Write how many persons this one stands for")
        return weight

    def _add(self, line: int, where: str, cause: str, cure: str) -> None:
        self._problems.append(Problem(self._file, line, where, cause, cure))


assert {field.name for field in fields(Contact)} < {*COLUMNS}
