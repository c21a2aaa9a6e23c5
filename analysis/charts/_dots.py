"""Panels of dots with their intervals: a row for each group, all respondents first, a panel for each option."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from analysis.charts import _sentences
from analysis.charts import _theme as theme
from analysis.charts._cells import Cell, cells
from analysis.charts._colours import GRID, MUTED, PAPER, RULE, as_text
from analysis.charts._fonts import width
from analysis.charts._labels import category_label
from analysis.charts._lines import wrapped
from analysis.charts._look import Look
from analysis.estimates import TOTAL, Provenance
from analysis.plan import ChartSpec
from analysis.wording import base, number, plain
from kysely.codebook import Codebook

ROW, LINE = 36.0, 16.0
STUB, BASES = 190.0, 36.0  # label column; n column
AXIS = 26.0
GAP = 6.0  # between the end of an interval and its figure


@dataclass(frozen=True)
class Axis:
    """What a panel spans: *ticks* from its low to its high end; *figure* writes a value, with its unit if told."""

    ticks: tuple[float, ...]
    figure: Callable[[float, bool], str]

    def place(self, value: float) -> float:
        """Return where *value* lies, 0 at the low end and 1 at the high one."""
        # The interval of a mean can reach beyond the ends of its scale; a line beyond the panel would cross another.
        return min(max((value - self.ticks[0]) / (self.ticks[-1] - self.ticks[0]), 0.0), 1.0)


@dataclass(frozen=True)
class Option:
    """One panel: an option of the weighted choice in its colour."""

    code: str
    label: str
    colour: str


@dataclass(frozen=True)
class Row:
    """One group and its cell in each panel."""

    label: str
    total: bool
    cells: Mapping[str, Cell]

    @property
    def n(self) -> int:
        return max(cell.n for cell in self.cells.values())

    @property
    def hidden(self) -> bool:
        return all(cell.hidden for cell in self.cells.values())

    @property
    def small(self) -> bool:
        return any(cell.small and not cell.hidden for cell in self.cells.values())


def groups(
    found: pd.DataFrame,
    spec: ChartSpec,
    codebook: Codebook,
    banner: str,
    keys: Mapping[str, tuple[str, str]],
    language: str,
) -> list[Row]:
    """Return everybody and each group of *banner* that somebody belongs to; none if everybody is lacking.

    *keys* are the variable and code of each option in the estimates *found*.
    """
    there = cells(found, ("banner", "banner_code", "variable", "code"))

    def row(name: str, code: str, label: str) -> Row | None:
        own = {option: there[name, code, *key] for option, key in keys.items() if (name, code, *key) in there}
        complete = len(own) == len(keys) and any(cell.n for cell in own.values())
        return Row(label, name == TOTAL, own) if complete else None

    everyone = row(TOTAL, TOTAL, _sentences.ALL_RESPONDENTS[language])
    if everyone is None:
        return []
    members = (
        row(banner, category.code, category_label(spec, codebook, banner, category.code, language))
        for category in codebook[banner].categories
    )
    return [everyone, *(member for member in members if member is not None)]


@dataclass(frozen=True)
class Layout:
    """Where everything in the body stands. On a narrow sheet each group's name stands above its dots."""

    rows: Sequence[Row]
    options: Sequence[Option]
    axis: Axis
    language: str
    look: Look

    @property
    def body(self) -> float:
        return self.head + sum(self.heights) + AXIS

    def draw(self, sheet: theme.Sheet) -> None:
        top = sheet.top + self.head
        centres = self._stubs(sheet, top)
        for index, option in enumerate(self.options):
            self._panel(sheet, option, self._left(index), top)
        self._intervals(sheet, centres)
        self._dots(sheet, centres)
        for index, option in enumerate(self.options):
            for row, y in zip(self.rows, centres, strict=True):
                self._figure(sheet, row.cells[option.code], row.total, self._left(index), y)

    @cached_property
    def labels(self) -> list[list[str]]:
        room = self.look.inner - 70 if self.look.narrow else STUB - 8
        return [wrapped(row.label, room, self.look.label, "SemiBold" if row.total else "Regular") for row in self.rows]

    @cached_property
    def headings(self) -> list[list[str]]:
        beside = self.gutter - (4 if self.look.narrow else 12)
        rooms = [self.panel + beside] * (len(self.options) - 1) + [self.panel]
        return [
            wrapped(option.label, room, self.heading, "SemiBold")
            for option, room in zip(self.options, rooms, strict=True)
        ]

    @property
    def heading(self) -> float:
        """The size of the panels' headings."""
        return self.look.axis if self.look.narrow else self.look.label

    @cached_property
    def heights(self) -> list[float]:
        if self.look.narrow:
            return [LINE * len(lines) + 36 for lines in self.labels]
        return [max(ROW, LINE * len(lines) + 8) for lines in self.labels]

    @cached_property
    def head(self) -> float:
        return LINE * max(len(lines) for lines in self.headings) + 14

    @property
    def gutter(self) -> float:
        """Space between two panels."""
        return 14.0 if self.look.narrow else 22.0

    @property
    def panel(self) -> float:
        """The width of 0–100 % in one panel."""
        count = len(self.options)
        return (self.look.right - self._left(0) - (count - 1) * self.gutter) / count

    def _left(self, index: int) -> float:
        # A dot at 0 % reaches out of its panel.
        first = self.look.left + (6 if self.look.narrow else STUB + BASES + 14)
        return first if index == 0 else first + index * (self.panel + self.gutter)

    def _stubs(self, sheet: theme.Sheet, top: float) -> list[float]:
        """Write labels and bases between hairlines and return where the dots of each row lie."""
        n_right = self.look.left + STUB + BASES
        if not self.look.narrow:
            sheet.text(n_right, top - 13, "n", size=self.look.small, colour=MUTED, align="right")
        centres, y = [], top
        for index, (row, lines, height) in enumerate(zip(self.rows, self.labels, self.heights, strict=True)):
            sheet.rule((sheet.left, sheet.right), (y, y), RULE if index < 2 else GRID, zorder=1)
            weight = "SemiBold" if row.total else "Regular"
            if self.look.narrow:
                middle = y + 5 + LINE * len(lines) / 2
                n, right = base(row.n, self.language), sheet.right
                sheet.text(right, y + 5 + LINE / 2, n, size=self.look.axis, colour=MUTED, align="right")
                centres.append(y + LINE * len(lines) + 21)
            else:
                middle = y + height / 2
                n = number(row.n, self.language)
                sheet.text(n_right, middle, n, size=self.look.small, colour=MUTED, align="right")
                centres.append(middle)
            sheet.lines(sheet.left, middle, lines, weight=weight)
            y += height
        return centres

    def _panel(self, sheet: theme.Sheet, option: Option, left: float, top: float) -> None:
        heading = self.headings[self.options.index(option)]
        for index, line in enumerate(reversed(heading)):
            y = top - 13 - LINE * index
            sheet.text(left, y, line, size=self.heading, weight="SemiBold", colour=as_text(option.colour))
        bottom = top + sum(self.heights)
        self._ticks(sheet, left, top, bottom)
        total = self.rows[0].cells[option.code]
        if not total.hidden:
            x = self._x(left, total.share)
            self._line(sheet, x, top, option.colour, after=1, linestyle=(0, (2, 2)), zorder=1.5)

    def _ticks(self, sheet: theme.Sheet, left: float, top: float, bottom: float) -> None:
        written = left - GAP
        last = len(self.axis.ticks) - 1
        for place, tick in enumerate(self.axis.ticks):
            x = self._x(left, tick)
            self._line(sheet, x, top, GRID, zorder=1)
            label = self.axis.figure(tick, place == last)
            room = width(label, self.look.axis)
            align = "left" if place == 0 else "right" if place == last else "center"
            begin = {"left": x, "right": x - room, "center": x - room / 2}[align]
            end = self._x(left, self.axis.ticks[-1])
            last_begins = end - width(self.axis.figure(self.axis.ticks[-1], True), self.look.axis)
            if place == last or (begin >= written + GAP and begin + room + GAP <= last_begins):
                sheet.text(x, bottom + 13, label, size=self.look.axis, colour=MUTED, align=align)
                written = begin + room

    def _x(self, left: float, value: float) -> float:
        return left + self.panel * self.axis.place(value)

    def _line(self, sheet: theme.Sheet, x: float, top: float, colour: str, *, after: int = 0, **style) -> None:
        """Draw a vertical line through the rows from the one at *after* on, but not through names above dots."""
        y = top
        for place, (height, lines) in enumerate(zip(self.heights, self.labels, strict=True)):
            begin = y + LINE * len(lines) + 6 if self.look.narrow else y
            if place >= after:
                sheet.rule((x, x), (begin, y + height), colour, **style)
            y += height

    def _intervals(self, sheet: theme.Sheet, centres: Sequence[float]) -> None:
        marks = [mark for mark in self._marks(centres) if mark[0].has_interval]
        sheet.intervals(
            [(self._x(left, cell.low), self._x(left, cell.high), y, option.colour) for cell, option, left, y in marks]
        )

    def _dots(self, sheet: theme.Sheet, centres: Sequence[float]) -> None:
        marks = list(self._marks(centres))
        dots = pd.DataFrame(
            {
                "x": [self._x(left, cell.share) for cell, _, left, _ in marks],
                "y": [y for _, _, _, y in marks],
                "option": [option.code for _, option, _, _ in marks],
                "small": [cell.small for cell, _, _, _ in marks],
            }
        )
        sheet.dots(dots, {option.code: option.colour for option in self.options}, area=theme.DOT)
        sheet.dots(dots[dots.small], dict.fromkeys(dots.option, PAPER), area=theme.HOLE)

    def _marks(self, centres: Sequence[float]) -> Iterator[tuple[Cell, Option, float, float]]:
        for index, option in enumerate(self.options):
            for row, y in zip(self.rows, centres, strict=True):
                cell = row.cells[option.code]
                if not cell.hidden:
                    yield cell, option, self._left(index), y

    def _figure(self, sheet: theme.Sheet, cell: Cell, total: bool, left: float, y: float) -> None:
        """Write the share where there is room: right of its interval, left of it, or above it."""
        if cell.hidden:
            sheet.text(left + 4, y, cell.sign, colour=MUTED, clear=True)
            return
        figure = self.axis.figure(cell.share, total)
        weight = "SemiBold" if total else "Medium"
        room = width(figure, self.look.label, weight)
        low, high = (cell.low, cell.high) if cell.has_interval else (cell.share, cell.share)
        dot = self._x(left, cell.share)
        start = min(self._x(left, low), dot - 5) - GAP
        end = max(self._x(left, high), dot + 5) + GAP
        right = end + room <= left + self.panel + self.gutter - 8
        if right and (self.axis.place(high) <= 0.62 or start - room < left - 4):
            sheet.text(end, y, figure, weight=weight, clear=True)
        elif start - room >= left - 4:
            sheet.text(start, y, figure, weight=weight, align="right", clear=True)
        elif right:
            sheet.text(end, y, figure, weight=weight, clear=True)
        else:
            x = min(max(dot, left + room / 2), left + self.panel - room / 2)
            sheet.text(x, y - 11, figure, size=self.look.axis, weight=weight, align="center", clear=True)


def notes(rows: Sequence[Row], provenance: Provenance, language: str) -> Iterator[str]:
    """Yield what must be said of the marks."""
    shown = [cell for row in rows for cell in row.cells.values() if not cell.hidden]
    if any(cell.has_interval for cell in shown):
        yield _sentences.interval(language)
    if any(cell.bounded for cell in shown):
        yield _sentences.bound(language)
    if len(rows) > 1 and any(not cell.hidden for cell in rows[0].cells.values()):
        yield _sentences.total_line(language)
    if any(cell.small for cell in shown):
        yield _sentences.hollow(provenance.rules["small_base"], language)
    yield _sentences.hidden([cell.flag for row in rows for cell in row.cells.values()], provenance, language)
    if any(len({cell.n for cell in row.cells.values()}) > 1 for row in rows):
        yield _sentences.group_bases_vary(language)


def flags(rows: Sequence[Row], provenance: Provenance, language: str) -> Iterator[str]:
    """Yield, for the alt text, which groups are of few answers and how many aren't shown."""
    shown = [row for row in rows if not row.hidden]
    if not shown:
        yield _sentences.nothing_shown(language)
    small = [plain(row.label) for row in shown if row.small]
    if small:
        yield _sentences.small_groups(small, provenance.rules["small_base"], language)
    if shown and len(shown) < len(rows):
        yield _sentences.hidden_groups(len(rows) - len(shown), language)


def widest(
    groups: Sequence[Row], options: Sequence[Option]
) -> tuple[Option, tuple[Row, Cell], tuple[Row, Cell]] | None:
    """Return the option on which groups of a sound base lie farthest apart, with the lowest and the highest of them."""
    found = None
    for option in options:
        sound = [(row, row.cells[option.code]) for row in groups]
        sound = [(row, cell) for row, cell in sound if not (cell.hidden or cell.small)]
        if len(sound) > 1:
            low, high = (pick(sound, key=lambda pair: pair[1].share) for pick in (min, max))
            distance = high[1].share - low[1].share
            if found is None or distance > found[0]:
                found = distance, option, low, high
    return None if found is None else found[1:]
