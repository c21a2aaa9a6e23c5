"""Which options go together: a row a combination, its members as dots that a line joins, its share as a bar.

Keys of the chart in the plan: `variable`, a derived variable whose codes are combinations (`PROD+CUST`); `levels`,
the set whose members they are made of, with `score` for their short labels. The commonest are drawn, the most common
first, and the others as one row; combinations overlap in nothing, so that the rows add up to everybody.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil

import pandas as pd

from analysis.charts import _sentences
from analysis.charts import _theme as theme
from analysis.charts._cells import Cell, cells
from analysis.charts._colours import BAND, BAR, INK, LEVELS, MUTED, PAPER, as_text, option_colours
from analysis.charts._files import Figure, Picture
from analysis.charts._fonts import POINTS, width
from analysis.charts._labels import category_label, members, option_label, variable
from analysis.charts._lines import wrapped
from analysis.charts._look import WIDE, Look
from analysis.charts._recipe import fingerprint
from analysis.estimates import TOTAL, Estimates, Provenance
from analysis.plan import ChartSpec
from analysis.wording import number, percent, plain
from kysely.codebook import Codebook
from kysely.errors import AnalystError

SHOWN = 8
"""How many combinations have a row of their own."""

ROW, LINE, BAR_HEIGHT = 36.0, 16.0, 20.0
DOT, EMPTY = 110 * POINTS, 26 * POINTS  # areas of a member's dot and of an empty place, in square points
JOIN = "+"  # between the members of a combination's code
EMPTY_COLOUR = LEVELS[1]


@dataclass(frozen=True)
class Row:
    """One combination: its members, none of them where the row has a label instead; the others together."""

    label: str
    members: tuple[str, ...]
    cell: Cell
    count: int
    others: bool = False


@dataclass(frozen=True)
class Member:
    code: str
    label: str
    colour: str


def draw(estimates: Estimates, spec: ChartSpec, codebook: Codebook, language: str, look: Look = WIDE) -> Picture:
    """Return the chart of the commonest combinations."""
    columns = _members(spec, codebook, language)
    every = _rows(estimates, spec, codebook, columns, language)
    rows, provenance = _drawn(every, language), estimates.provenance
    layout = _Layout(rows, columns, language, look)
    words = _sentences.words(
        spec,
        provenance,
        language,
        base=_sentences.base_of([row.cell.n for row in every], provenance, language),
        notes=_notes(rows, every, provenance, language),
    )
    sheet = theme.sheet(words, layout.body, look)
    layout.draw(sheet)
    return Picture(
        id=spec.id,
        chart=spec.chart,
        language=language,
        sheet=sheet,
        words=words,
        alt=_sentences.alternative(
            spec,
            provenance,
            language,
            findings=_findings(rows, language),
            flags=[_sentences.nothing_shown(language)] if all(row.cell.hidden for row in every) else [],
        ),
        columns=[_sentences.COLUMNS[language][name] for name in _COLUMNS],
        rows=[_table_row(row, provenance, language) for row in every],
        provenance=provenance,
        estimates_sha256=fingerprint(estimates, spec.table),
    )


def _members(spec: ChartSpec, codebook: Codebook, language: str) -> list[Member]:
    found = members(spec, codebook)
    colours = option_colours(str(one.code) for one in found)
    return [Member(str(one.code), option_label(spec, one, language), colours[str(one.code)]) for one in found]


def _rows(
    estimates: Estimates, spec: ChartSpec, codebook: Codebook, columns: Sequence[Member], language: str
) -> list[Row]:
    """Return every combination that somebody has, or whose share is hidden, the commonest first."""
    combined = variable(spec, codebook)
    found = estimates.select(
        table=spec.table, variable=combined.name, statistic=("share", "count"), estimand="respondent", banner=TOTAL
    )
    held = cells(found, ("statistic", "code"))
    labels = {column.code: plain(column.label) for column in columns}
    rows = []
    for category in combined.categories:
        parts = tuple(part for part in category.code.split(JOIN) if part in labels)
        if ("share", category.code) not in held or ("count", category.code) not in held:
            raise AnalystError(
                f"table {spec.table} has no shares and counts of {combined.name}; write `counts: true` in plan.yaml"
            )
        cell, count = held["share", category.code], held["count", category.code]
        own = category_label(spec, codebook, combined.name, category.code, language)
        label = " + ".join(labels[part] for part in parts) or own
        rows.append(Row(label, parts, cell, 0 if count.hidden else int(count.share)))
    return sorted((row for row in rows if row.cell.hidden or row.count), key=lambda row: -row.count)


def _drawn(every: Sequence[Row], language: str) -> list[Row]:
    """Return the rows to draw: the commonest, and the others as one where there are others and all can be shown."""
    shown, rest = list(every[:SHOWN]), every[SHOWN:]
    if len(rest) < 2 or any(row.cell.hidden for row in rest):
        return [*shown, *rest]
    share = sum(row.cell.share for row in rest)
    first = rest[0].cell
    together = Cell(share, float("nan"), float("nan"), first.n, first.organisations, first.small, "")
    return [
        *shown,
        Row(_sentences.other_combinations(len(rest), language), (), together, sum(row.count for row in rest), True),
    ]


@dataclass(frozen=True)
class _Layout:
    """Where everything in the body stands: the matrix of members at the left, the bars, the counts."""

    rows: Sequence[Row]
    columns: Sequence[Member]
    language: str
    look: Look

    @property
    def body(self) -> float:
        return self.head + ROW * len(self.rows) + 4

    def draw(self, sheet: theme.Sheet) -> None:
        top = sheet.top + self.head
        self._names(sheet, top)
        sheet.text(sheet.right, top - 12, "n", size=self.look.small, colour=MUTED, align="right")
        for index in range(0, len(self.rows), 2):
            sheet.box(sheet.left, top + ROW * index, sheet.right - sheet.left, ROW, BAND)
        sheet.rule((self.zero, self.zero), (top - 2, top + ROW * len(self.rows)), INK, 1.2, zorder=3)
        for index, row in enumerate(self.rows):
            self._row(sheet, row, top + ROW * (index + 0.5), first=index == 0)

    def _names(self, sheet: theme.Sheet, top: float) -> None:
        """Name the members above their columns; on a narrow sheet above the matrix, in the order of its dots."""
        y = sheet.top + LINE / 2
        for place, (column, lines) in enumerate(zip(self.columns, self.headings, strict=True)):
            colour = as_text(column.colour)
            if self.look.narrow:
                dot = pd.DataFrame({"x": [self._x(0)], "y": [y], "option": [column.code]})
                sheet.dots(dot, {column.code: column.colour}, area=DOT / 1.6)
                for line in lines:
                    sheet.text(self._x(0) + 12, y, line, size=self.look.small, weight="SemiBold", colour=colour)
                    y += LINE
                continue
            for index, line in enumerate(lines, start=1):
                above = top - 12 - LINE * (len(lines) - index)
                sheet.text(self._x(place), above, line, weight="SemiBold", colour=colour, align="center")

    @cached_property
    def headings(self) -> list[list[str]]:
        if self.look.narrow:
            room = self.look.inner - self.step - 12
            return [wrapped(column.label, room, self.look.small, "SemiBold") for column in self.columns]
        return [wrapped(column.label, self.step - 6, self.look.label, "SemiBold") for column in self.columns]

    @property
    def head(self) -> float:
        if self.look.narrow:
            return LINE * sum(len(lines) for lines in self.headings) + 24
        return LINE * max(len(lines) for lines in self.headings) + 14

    @property
    def step(self) -> float:
        """From one member's column to the next."""
        return 34.0 if self.look.narrow else 0.52 * self.look.inner / len(self.columns)

    @property
    def zero(self) -> float:
        """Where the bars begin."""
        return self.look.left + self.step * len(self.columns) + 8

    @cached_property
    def scale(self) -> float:
        """Pixels of a share of 1; the longest bar and the interval leave room for its figure and the count."""
        room = self.look.right - self.zero - self._count_room - width("100 %", self.look.label, "SemiBold") - 16
        longest = max((self._end(row.cell) for row in self.rows if not row.cell.hidden), default=0.5)
        return room / max(ceil(20 * longest) / 20, 0.05)

    @property
    def _count_room(self) -> float:
        return max(width(number(row.count, self.language), self.look.small) for row in self.rows) + 8

    def _end(self, cell: Cell) -> float:
        return max(cell.share, cell.high) if cell.has_interval else cell.share

    def _x(self, place: int) -> float:
        return self.look.left + self.step * (place + 0.5)

    def _row(self, sheet: theme.Sheet, row: Row, y: float, *, first: bool) -> None:
        if row.members:
            self._matrix(sheet, row, y)
        else:
            room = self.zero - sheet.left - 14
            lines = wrapped(row.label, room, self.look.small)
            sheet.lines(sheet.left + 6, y, lines, size=self.look.small, colour=MUTED)
        if row.cell.hidden:
            sheet.text(self.zero + 8, y, row.cell.sign, colour=MUTED)
            return
        end = self.zero + row.cell.share * self.scale
        sheet.box(self.zero, y - BAR_HEIGHT / 2, end - self.zero, BAR_HEIGHT, MUTED if row.others else BAR)
        figure_at = end + 7
        if row.cell.has_interval:
            low, high = (self.zero + limit * self.scale for limit in (row.cell.low, row.cell.high))
            # White where it lies on the bar, dark beyond it: seen on both.
            sheet.intervals([(low, min(high, end), y, PAPER)], width=1.6)
            sheet.intervals([(max(low, end), high, y, INK)], width=1.6)
            figure_at = max(figure_at, high + 7)
        sheet.text(figure_at, y, percent(row.cell.share, self.language, sign=first), weight="SemiBold")
        sheet.text(
            sheet.right - 2, y, number(row.count, self.language), size=self.look.small, colour=MUTED, align="right"
        )

    def _matrix(self, sheet: theme.Sheet, row: Row, y: float) -> None:
        there = [place for place, column in enumerate(self.columns) if column.code in row.members]
        if len(there) > 1:
            sheet.rule((self._x(there[0]), self._x(there[-1])), (y, y), MUTED, 2.4, zorder=3)
        dots = pd.DataFrame(
            {
                "x": [self._x(place) for place in range(len(self.columns))],
                "y": [y] * len(self.columns),
                "option": [column.code for column in self.columns],
                "member": [place in there for place in range(len(self.columns))],
            }
        )
        colours = {column.code: column.colour for column in self.columns}
        sheet.dots(dots[~dots.member], dict.fromkeys(colours, EMPTY_COLOUR), area=EMPTY)
        sheet.dots(dots[dots.member], colours, area=DOT)


def _notes(rows: Sequence[Row], every: Sequence[Row], provenance: Provenance, language: str) -> Iterator[str]:
    if any(row.cell.has_interval for row in rows):
        yield _sentences.interval(language)
    if any(row.others for row in rows):
        yield _sentences.commonest(SHOWN, len(every), language)
    yield _sentences.hidden([row.cell.flag for row in every], provenance, language)


def _findings(rows: Sequence[Row], language: str) -> Iterator[str]:
    shown = [row for row in rows if not row.cell.hidden and not row.others][:3]
    if shown:
        told = [(row.label, percent(row.cell.share, language), row.count) for row in shown]
        yield _sentences.most_common(told, shown[0].cell.n, language)


_COLUMNS = ("combination", "share", "low", "high", "count", "n", "organisations", "mark", "data")


def _table_row(row: Row, provenance: Provenance, language: str) -> list[Figure]:
    return [
        row.label,
        100 * row.cell.share,
        100 * row.cell.low,
        100 * row.cell.high,
        row.count,
        row.cell.n,
        row.cell.organisations,
        _sentences.mark(hidden=row.cell.hidden, small=row.cell.small, language=language),
        _sentences.data(provenance, language),
    ]
