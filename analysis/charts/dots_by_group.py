"""A share by group: one panel an option, a dot and its 95 % interval for each group, all respondents first.

Keys of the chart in the plan: `levels` and `score` as in diverging_levels; `banner`, the variable whose
codes are the groups, in the author's order in every chart. Groups that nobody belongs to are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from analysis.charts import _sentences
from analysis.charts import _theme as theme
from analysis.charts._cells import Cell, cells
from analysis.charts._colours import GRID, MUTED, PAPER, RULE, as_text, option_colours
from analysis.charts._files import Figure, Picture, fingerprint
from analysis.charts._fonts import width
from analysis.charts._labels import category_label, key, members, option_label
from analysis.charts._lines import wrapped
from analysis.charts._look import WIDE, Look
from analysis.estimates import TOTAL, Estimates, Provenance
from analysis.plan import ChartSpec
from analysis.wording import base, number, percent, plain
from kysely.codebook import Codebook
from kysely.errors import AnalystError

ROW, LINE = 36.0, 16.0
STUB, BASES = 190.0, 36.0  # label column; n column
AXIS = 26.0
GAP = 6.0  # between the end of an interval and its figure


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


def draw(estimates: Estimates, spec: ChartSpec, codebook: Codebook, language: str, look: Look = WIDE) -> Picture:
    """Return the chart of central shares by group."""
    options = _options(spec, codebook, language)
    rows = _rows(estimates, spec, codebook, options, language)
    provenance = estimates.provenance
    layout = _Layout(rows, options, language, look)
    words = _sentences.words(
        spec,
        provenance,
        language,
        base=_base(rows[0], provenance, language),
        notes=_notes(rows, provenance, language),
    )
    sheet = theme.sheet(words, layout.body, look)
    layout.draw(sheet)
    return Picture(
        id=spec.id,
        chart=spec.chart,
        language=language,
        sheet=sheet,
        words=words,
        alt=_alternative(rows, options, spec, provenance, language),
        columns=_columns(language),
        rows=[_table_row(row, option, provenance, language) for row in rows for option in options],
        provenance=provenance,
        estimates_sha256=fingerprint(estimates, spec.table),
    )


def _options(spec: ChartSpec, codebook: Codebook, language: str) -> list[Option]:
    variables = members(spec, codebook)
    colours = option_colours(str(variable.code) for variable in variables)
    return [
        Option(str(variable.code), option_label(spec, variable, language), colours[str(variable.code)])
        for variable in variables
    ]


def _rows(
    estimates: Estimates, spec: ChartSpec, codebook: Codebook, options: Sequence[Option], language: str
) -> list[Row]:
    banner, score = key(spec, "banner"), key(spec, "score")
    chosen = estimates.select(
        table=spec.table, variable=score, statistic="central", estimand="respondent", banner=(TOTAL, banner)
    )
    found = cells(chosen, ("banner", "banner_code", "code"))

    def row(name: str, code: str, label: str) -> Row | None:
        own = {option.code: found[name, code, option.code] for option in options if (name, code, option.code) in found}
        complete = len(own) == len(options) and any(cell.n for cell in own.values())
        return Row(label, name == TOTAL, own) if complete else None

    everyone = row(TOTAL, TOTAL, _sentences.ALL_RESPONDENTS[language])
    if everyone is None:
        raise AnalystError(f"table {spec.table} has no central shares of {score}")
    groups = (
        row(banner, category.code, category_label(spec, codebook, banner, category.code, language))
        for category in codebook[banner].categories
    )
    return [everyone, *(group for group in groups if group is not None)]


@dataclass(frozen=True)
class _Layout:
    """Where everything in the body stands. On a narrow sheet each group's name stands above its dots."""

    rows: Sequence[Row]
    options: Sequence[Option]
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
        room = self.panel + self.gutter - (4 if self.look.narrow else 12)
        return [wrapped(option.label, room, self.heading, "SemiBold") for option in self.options]

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
        for percentage in (0, 50, 100):
            x = left + self.panel * percentage / 100
            self._line(sheet, x, top, GRID, zorder=1)
            if percentage == 50 and self.look.narrow:
                continue  # no room between both ends
            label = percent(percentage / 100, self.language, sign=percentage == 100)
            align = {0: "left", 50: "center", 100: "right"}[percentage]
            sheet.text(x, bottom + 13, label, size=self.look.axis, colour=MUTED, align=align)
        total = self.rows[0].cells[option.code]
        if not total.hidden:
            x = left + self.panel * total.share
            self._line(sheet, x, top, option.colour, after=1, linestyle=(0, (2, 2)), zorder=1.5)

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
            [
                (left + self.panel * cell.low, left + self.panel * cell.high, y, option.colour)
                for cell, option, left, y in marks
            ]
        )

    def _dots(self, sheet: theme.Sheet, centres: Sequence[float]) -> None:
        marks = list(self._marks(centres))
        dots = pd.DataFrame(
            {
                "x": [left + self.panel * cell.share for cell, _, left, _ in marks],
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
        figure = percent(cell.share, self.language, sign=total)
        weight = "SemiBold" if total else "Medium"
        room = width(figure, self.look.label, weight)
        low, high = (cell.low, cell.high) if cell.has_interval else (cell.share, cell.share)
        start = min(left + self.panel * low, left + self.panel * cell.share - 5) - GAP
        end = max(left + self.panel * high, left + self.panel * cell.share + 5) + GAP
        right = end + room <= left + self.panel + self.gutter - 8
        if right and (high <= 0.62 or start - room < left - 4):
            sheet.text(end, y, figure, weight=weight, clear=True)
        elif start - room >= left - 4:
            sheet.text(start, y, figure, weight=weight, align="right", clear=True)
        elif right:
            sheet.text(end, y, figure, weight=weight, clear=True)
        else:
            x = min(max(left + self.panel * cell.share, left + room / 2), left + self.panel - room / 2)
            sheet.text(x, y - 11, figure, size=self.look.axis, weight=weight, align="center")


def _base(everyone: Row, provenance: Provenance, language: str) -> list[str]:
    counts = [cell.n for cell in everyone.cells.values()]
    complete = all(n == provenance.responses for n in counts)
    return [
        "" if complete else _sentences.answered(counts, language),
        _sentences.estimand("respondent", language),
    ]


def _notes(rows: Sequence[Row], provenance: Provenance, language: str) -> Iterator[str]:
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


def _alternative(
    rows: Sequence[Row], options: Sequence[Option], spec: ChartSpec, provenance: Provenance, language: str
) -> str:
    findings = [*_totals(rows[0], options, language), *_spread(rows[1:], options, language)]
    shown = [row for row in rows if not row.hidden]
    flags = [] if shown else [_sentences.nothing_shown(language)]
    small = [plain(row.label) for row in shown if row.small]
    if small:
        flags.append(_sentences.small_groups(small, provenance.rules["small_base"], language))
    if shown and len(shown) < len(rows):
        flags.append(_sentences.hidden_groups(len(rows) - len(shown), language))
    return _sentences.alternative(spec, provenance, language, findings=findings, flags=flags)


def _totals(everyone: Row, options: Sequence[Option], language: str) -> Iterator[str]:
    shown = [(plain(option.label), everyone.cells[option.code]) for option in options]
    shown = [(label, cell) for label, cell in shown if not cell.hidden]
    if len(shown) > 1:
        (most, high), (least, low) = (pick(shown, key=lambda pair: pair[1].share) for pick in (max, min))
        yield _sentences.range_of_totals((most, high.share), (least, low.share), [high.n, low.n], language)


def _spread(groups: Sequence[Row], options: Sequence[Option], language: str) -> Iterator[str]:
    """Tell where groups of a sound base lie farthest apart."""
    widest = None
    for option in options:
        sound = [(row, row.cells[option.code]) for row in groups]
        sound = [(row, cell) for row, cell in sound if not (cell.hidden or cell.small)]
        if len(sound) > 1:
            low, high = (pick(sound, key=lambda pair: pair[1].share) for pick in (min, max))
            distance = high[1].share - low[1].share
            if widest is None or distance > widest[0]:
                widest = distance, option, low, high
    if widest:
        _, option, low, high = widest
        ends = [(plain(row.label), cell.share, cell.n) for row, cell in (low, high)]
        yield _sentences.spread(plain(option.label), ends[0], ends[1], language)


def _columns(language: str) -> list[str]:
    names = ("group", "option", "share", "low", "high", "n", "organisations", "mark", "data")
    return [_sentences.COLUMNS[language][name] for name in names]


def _table_row(row: Row, option: Option, provenance: Provenance, language: str) -> list[Figure]:
    cell = row.cells[option.code]
    return [
        plain(row.label),
        plain(option.label),
        100 * cell.share,
        100 * cell.low,
        100 * cell.high,
        cell.n,
        cell.organisations,
        _sentences.mark(hidden=cell.hidden, small=cell.small, language=language),
        _sentences.data(provenance, language),
    ]
