"""A workbook for Excel and LibreOffice: real numbers, text that stays text, the same bytes for the same figures."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import ceil
from typing import Any

from analysis import wording
from kysely.errors import AnalystError
from reports.parts import Document
from reports.parts.workbook import Entry, Look, Sheet, Workbook

SUFFIX = "xlsx"
HOLDS = Workbook

LONGEST = 32_767
"""Characters a cell holds; a longer text would be cut without a word."""

_A4 = 9
_LINE = 15.0
_TALLEST = 409.0
"""Heights in points: of a line of text, and of the tallest row that Excel takes."""

_MARGINS = {"left": 0.4, "right": 0.4, "top": 0.75, "bottom": 0.6}
_SCALE, _ROOM = 65, 230
"""The smallest print that can be read, in per cent, and the characters a page across then holds."""

_HEADER = 80
"""Characters of a title in the header of a page, of 255 that it holds in all."""

_WRAPPED = (Look.HEAD, Look.STUB, Look.NOTE, Look.WORDS, Look.SECTION)
_INK, _GREY, _BLUE, _RED, _LINES, _FILL = "#1a2b3c", "#6b7785", "#1f5f99", "#a3282e", "#b8c2cc", "#eef3f7"

_LOOKS: dict[Look, dict[str, Any]] = {
    Look.TITLE: {"bold": True, "font_size": 13},
    Look.SUBTITLE: {"font_color": _GREY},
    Look.SECTION: {"bold": True, "bg_color": _FILL, "top": 1, "top_color": _LINES},
    Look.HEAD: {"bold": True, "align": "center", "valign": "bottom", "bottom": 1, "bottom_color": _LINES},
    Look.LETTER: {"bold": True, "align": "center", "font_color": _BLUE, "bottom": 2, "bottom_color": _LINES},
    Look.NOTE: {"font_size": 9, "font_color": _GREY},
    Look.CODE: {"font_name": "Consolas", "font_size": 9},
    Look.LINK: {"font_color": _BLUE, "underline": 1},
    Look.SIGN: {"align": "right", "font_color": _GREY},
    Look.LETTERS: {"align": "right", "bold": True, "font_size": 9, "font_color": _BLUE},
}


def render(book: Workbook | Document) -> bytes:
    """Return *book* as an XLSX file. Raises AnalystError for a document, which is no table, and for too long a text."""
    if isinstance(book, Document):
        raise AnalystError(f"{book.title!r} is running text and no workbook; write it with --format html")
    import xlsxwriter

    made = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    file = xlsxwriter.Workbook(made, options)
    file.set_properties(
        {
            "title": f"{book.banner} – {book.title}" if book.banner else book.title,
            "comments": book.about,
            "author": "Kysely",
            "created": datetime.fromisoformat(book.made_at).astimezone(UTC).replace(tzinfo=None),
        }
    )
    pen = _Pen(book, file)
    for sheet in book.sheets:
        pen.sheet(sheet)
    file.close()
    return made.getvalue()


@dataclass
class _Pen:
    """Writes sheets; makes each style once."""

    book: Workbook
    file: Any
    styles: dict[tuple[object, ...], Any] = field(default_factory=dict)

    def sheet(self, sheet: Sheet) -> None:
        page = self.file.add_worksheet(sheet.name)
        self._paper(page, sheet)
        self._write(page, 0, 0, self._running_head())
        for number, row in enumerate(sheet.rows, start=1):
            column = 0
            for entry in row:
                self._write(page, number, column, entry)
                column += entry.across
            page.set_row(number, _height(row, sheet.widths))

    def _running_head(self) -> Entry:
        if self.book.banner:
            return Entry(f"{self.book.banner}. {self.book.banner_text}", Look.SUBTITLE, strong=True)
        return Entry(self.book.title, Look.SUBTITLE)

    def _paper(self, page: Any, sheet: Sheet) -> None:
        columns = max((sum(entry.across for entry in row) for row in sheet.rows), default=1)
        for column in range(columns):
            page.set_column(column, column, _width(sheet.widths, column))
        page.hide_gridlines(2)
        page.set_landscape()
        page.set_paper(_A4)
        widths = [_width(sheet.widths, column) for column in range(columns)]
        if sum(widths) > _ROOM and sheet.breaks:
            page.set_print_scale(_SCALE)
            page.set_v_pagebreaks(_breaks(widths, sheet.breaks))
        else:
            page.fit_to_pages(1, 0)
        page.set_margins(**_MARGINS)
        page.set_header(f"&L{_escaped(self.book.banner)}&R{_escaped(self.book.title)}")
        page.set_footer(f"&L{_escaped(sheet.title)}&R{_escaped(self.book.page)} &P / &N")
        if sheet.head:
            page.repeat_rows(0, sheet.head)
        if sheet.stub:
            page.repeat_columns(0)
        page.freeze_panes(sheet.head + 1 if sheet.head else 1, int(sheet.stub))

    def _write(self, page: Any, row: int, column: int, entry: Entry) -> None:
        style = self._style(entry)
        if entry.across > 1:
            page.merge_range(row, column, row, column + entry.across - 1, "", style)
        if entry.value is None:
            page.write_blank(row, column, None, style)
        elif not isinstance(entry.value, str):
            page.write_number(row, column, entry.value, style)
        else:
            self._write_text(page, row, column, entry, style)

    def _write_text(self, page: Any, row: int, column: int, entry: Entry, style: Any) -> None:
        text = wording.plain(str(entry.value))
        if len(text) > LONGEST:
            raise AnalystError(f"a cell of a workbook holds {LONGEST} characters; shorten the text {text[:60]!r} …")
        if entry.link:
            page.write_url(row, column, f"internal:'{entry.link}'!A1", style, text)
        else:
            page.write_string(row, column, text, style)

    def _style(self, entry: Entry) -> Any:
        key = (entry.look, entry.mark, entry.strong, entry.muted)
        if key not in self.styles:
            given: dict[str, Any] = {"font_name": "Calibri", "font_size": 11, "font_color": _INK, "valign": "top"}
            given |= _LOOKS.get(entry.look, {})
            number = _number_format(entry.look, self.book.language)
            if number:
                given |= {"num_format": number + (f'"{entry.mark}"' if entry.mark else ""), "align": "right"}
            if entry.look in _WRAPPED:
                given["text_wrap"] = True
            if entry.strong:
                given |= {"bold": True} | ({"font_color": _RED} if entry.look is Look.SUBTITLE else {})
            if entry.muted:
                given["font_color"] = _GREY
            self.styles[key] = self.file.add_format(given)
        return self.styles[key]


def _number_format(look: Look, language: str) -> str:
    """Return the format of a number in Excel's own code, to which the reader's Excel lends its decimal mark."""
    small = wording.probability(0, language)
    return {
        Look.COUNT: "#,##0",
        Look.SHARE: "0.0%" if language == "en" else f'0.0"{wording.NBSP}"%',
        Look.MEAN: "0.00",
        Look.MEAN100: "0.0",
        Look.STATISTIC: "0.00",
        Look.DF: "#,##0.0",
        Look.PROBABILITY: f'[<0.001]"{small}";0.000',
    }.get(look, "")


def _width(widths: tuple[float, ...], column: int) -> float:
    return widths[min(column, len(widths) - 1)]


def _breaks(widths: Sequence[float], allowed: Sequence[int]) -> list[int]:
    """Return at which of the *allowed* columns a page begins, so that each holds as much as it can after the stub."""
    found: list[int] = []
    first = 1
    for begin, end in zip(allowed, (*allowed[1:], len(widths)), strict=True):
        if begin > first and widths[0] + sum(widths[first:end]) > _ROOM:
            found.append(begin)
            first = begin
    return found


def _height(row: Iterable[Entry], widths: tuple[float, ...]) -> float:
    """Return the height a row needs: no program widens a row by itself for a cell that spans columns."""
    lines, column = 1, 0
    for entry in row:
        if entry.look in _WRAPPED and isinstance(entry.value, str):
            room = sum(_width(widths, place) for place in range(column, column + entry.across))
            lines = max(lines, _lines(wording.plain(entry.value), room - 1))
        column += entry.across
    return min(_LINE * lines + (6 if any(entry.look is Look.TITLE for entry in row) else 0), _TALLEST)


def _lines(text: str, room: float) -> int:
    """Return how many lines of *room* characters *text* takes, words kept whole unless one is longer than a line."""
    lines, left = 1, room
    for word in text.split(" "):
        if len(word) > left and left < room:
            lines, left = lines + 1, room
        lines += ceil(len(word) / room) - 1 if len(word) > room else 0
        left -= len(word) + 1
    return lines


def _escaped(text: str) -> str:
    """Return *text* for the header of a page, where an ampersand begins a command."""
    short = text if len(text) <= _HEADER else text[: _HEADER - 1] + "…"
    return wording.plain(short).replace("&", "&&")
