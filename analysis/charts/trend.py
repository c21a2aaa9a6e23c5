"""How shares moved between waves: a line an answer through the waves, with a 95 % interval at each of them.

Keys of the chart in the plan: `variable`, a question with one answer or a set of options, and `banner`, the variable
whose codes are the waves, the earliest first. Waves with a number (a year) lie as far apart as their numbers do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from analysis.charts import _sentences
from analysis.charts import _theme as theme
from analysis.charts._cells import Cell
from analysis.charts._colours import GRID, INK, MUTED, PAPER, as_text
from analysis.charts._files import Figure, Picture
from analysis.charts._fonts import POINTS, width
from analysis.charts._labels import category_label, variable
from analysis.charts._lines import wrapped
from analysis.charts._look import WIDE, Look
from analysis.charts._questions import Question, of_groups, question
from analysis.charts._recipe import fingerprint
from analysis.estimates import Estimates, Provenance
from analysis.plan import ChartSpec
from analysis.wording import base, number, percent, plain
from kysely.codebook import Codebook
from kysely.errors import AnalystError

HEAD, PLOT, FOOT, LINE = 16.0, 280.0, 44.0, 15.0
ASIDE = 4.0  # from one line to the next within a wave
CEILINGS = (0.2, 0.4, 0.6, 0.8, 1.0)
"""Where the axis may end: the least of them that all points and intervals stay under. Their quarters are whole."""


def draw(estimates: Estimates, spec: ChartSpec, codebook: Codebook, language: str, look: Look = WIDE) -> Picture:
    """Return the chart of shares by wave. Raises AnalystError where there are fewer than two waves."""
    asked = question(spec, codebook, language)
    waves = _waves(estimates, spec, codebook, asked, language)
    colours = asked.colours()
    series = [
        Series(label, colours[code], [wave.cells[code] for wave in waves]) for code, label in asked.labels.items()
    ]
    layout = _Layout(waves, series, language, look)
    provenance = estimates.provenance
    words = _sentences.words(
        spec,
        provenance,
        language,
        base=_sentences.base_of([wave.n for wave in waves], provenance, language),
        notes=_notes(series, provenance, language),
    )
    sheet = theme.sheet(words, layout.height, look)
    layout.draw(sheet)
    return Picture(
        id=spec.id,
        chart=spec.chart,
        language=language,
        sheet=sheet,
        words=words,
        alt=_alternative(waves, series, spec, provenance, language),
        columns=_columns(language),
        rows=[
            _row(one, wave, cell, provenance, language)
            for one in series
            for wave, cell in zip(waves, one.cells, strict=True)
        ],
        provenance=provenance,
        estimates_sha256=fingerprint(estimates, spec.table),
    )


@dataclass(frozen=True)
class Wave:
    """One round of fieldwork: where it lies in time, and its cell of each answer."""

    label: str
    place: float
    cells: Mapping[str, Cell]

    @property
    def n(self) -> int:
        return max(cell.n for cell in self.cells.values())


@dataclass(frozen=True)
class Series:
    """One answer through the waves."""

    label: str
    colour: str
    cells: Sequence[Cell]

    @property
    def shown(self) -> list[Cell]:
        return [cell for cell in self.cells if not cell.hidden]


def _waves(estimates: Estimates, spec: ChartSpec, codebook: Codebook, asked: Question, language: str) -> list[Wave]:
    banner = variable(spec, codebook, "banner")
    found = of_groups(estimates, spec, asked, banner.name)
    there = [category for category in banner.categories if category.code in found]
    if len(there) < 2:
        names = ", ".join(category.code for category in there) or "none"
        raise AnalystError(
            f"{spec.chart} needs two waves or more and table {spec.table} has {names} of {banner.name}; "
            "draw one wave as `distribution`"
        )
    numbered = all(category.value is not None for category in there)
    return [
        Wave(
            category_label(spec, codebook, banner.name, category.code, language),
            float(category.value) if numbered and category.value is not None else float(place),
            found[category.code],
        )
        for place, category in enumerate(there)
    ]


@dataclass(frozen=True)
class _Layout:
    """Where lines, points and names stand: shares upwards, waves to the right, each line's name at its end."""

    waves: Sequence[Wave]
    series: Sequence[Series]
    language: str
    look: Look

    @property
    def height(self) -> float:
        return HEAD + max(PLOT, self._names_height) + FOOT

    def draw(self, sheet: theme.Sheet) -> None:
        top, bottom = sheet.top + HEAD, sheet.top + self.height - FOOT
        self._grid(sheet, top, bottom)
        for one in self.series:
            self._line(sheet, one, top, bottom)
        self._dots(sheet, top, bottom)
        self._names(sheet, top, bottom)

    @cached_property
    def ceiling(self) -> float:
        ends = [max(cell.share, cell.high if cell.has_interval else 0) for one in self.series for cell in one.shown]
        return next(ceiling for ceiling in CEILINGS if ceiling >= max([*ends, 0.0]))

    @property
    def left(self) -> float:
        """The x of the first wave: the axis stands before it, and half of what is written under it."""
        first = max(width(line, self.look.small) for line in self._under(self.waves[0])) / 2
        axis = width(percent(1, self.language), self.look.axis) + 10
        return self.look.left + max(axis, first) + ASIDE * len(self.series) / 2

    @property
    def right(self) -> float:
        """The x of the last wave; the names of the lines stand after it."""
        names = max(width(line, self.look.label, "SemiBold") for lines in self.names for line in lines)
        return self.look.right - names - 12 - ASIDE * len(self.series) / 2

    @cached_property
    def names(self) -> list[list[str]]:
        """Each line's name with its last figure, in lines of text."""
        room = 120.0 if self.look.narrow else 190.0
        found = []
        highest = max((one.cells[-1].share for one in self.series if not one.cells[-1].hidden), default=0.0)
        for one in self.series:
            cell = one.cells[-1]
            figure = cell.sign if cell.hidden else percent(cell.share, self.language, sign=cell.share == highest)
            found.append(wrapped(f"{figure} {one.label}", room, self.look.label, "SemiBold"))
        return found

    @property
    def _names_height(self) -> float:
        return sum(LINE * len(lines) + 4 for lines in self.names)

    def _x(self, wave: Wave) -> float:
        first, last = self.waves[0].place, self.waves[-1].place
        return self.left + (self.right - self.left) * (wave.place - first) / (last - first)

    def _aside(self, one: Series) -> float:
        """How far a line is moved aside, so that intervals of one wave don't cover each other."""
        return ASIDE * (self.series.index(one) - (len(self.series) - 1) / 2)

    def _y(self, share: float, top: float, bottom: float) -> float:
        return bottom - (bottom - top) * share / self.ceiling

    def _grid(self, sheet: theme.Sheet, top: float, bottom: float) -> None:
        for quarter in range(5):
            share = self.ceiling * quarter / 4
            y = self._y(share, top, bottom)
            sheet.rule((sheet.left, self.right), (y, y), GRID if quarter else MUTED, zorder=1)
            label = percent(share, self.language, sign=quarter == 4)
            sheet.text(sheet.left, y - 8, label, size=self.look.axis, colour=MUTED)
        for wave in self._written:
            for place, line in enumerate(self._under(wave)):
                y = bottom + 14 + LINE * place
                sheet.text(self._x(wave), y, line, size=self.look.small, colour=(INK, MUTED)[place], align="center")

    def _under(self, wave: Wave) -> list[str]:
        """Return what stands under the axis: the wave and its base, which the first one says to be one."""
        return [wave.label, (base if wave is self.waves[0] else number)(wave.n, self.language)]

    @property
    def _written(self) -> list[Wave]:
        """The waves whose names fit: the first, the last, and between them those that touch no other."""
        found, last = [self.waves[0]], self.waves[-1]
        for wave in self.waves[1:-1]:
            if self._apart(found[-1], wave) and self._apart(wave, last):
                found.append(wave)
        return [*found, last]

    def _apart(self, one: Wave, other: Wave) -> bool:
        halves = [max(width(line, self.look.small) for line in self._under(wave)) / 2 for wave in (one, other)]
        return self._x(other) - self._x(one) >= sum(halves) + 8

    def _line(self, sheet: theme.Sheet, one: Series, top: float, bottom: float) -> None:
        """Draw the line between neighbouring waves that are both shown, and the interval of each."""
        points = [(self._x(wave) + self._aside(one), cell) for wave, cell in zip(self.waves, one.cells, strict=True)]
        for (x0, before), (x1, after) in zip(points, points[1:], strict=False):
            if not (before.hidden or after.hidden):
                ys = (self._y(before.share, top, bottom), self._y(after.share, top, bottom))
                sheet.rule((x0, x1), ys, one.colour, 2.4, zorder=3)
        for x, cell in points:
            if not cell.hidden and cell.has_interval:
                ys = (self._y(cell.low, top, bottom), self._y(cell.high, top, bottom))
                sheet.rule((x, x), ys, one.colour, 1.4, zorder=2)

    def _dots(self, sheet: theme.Sheet, top: float, bottom: float) -> None:
        marks = [
            (self._x(wave) + self._aside(one), self._y(cell.share, top, bottom), one.label, cell.small)
            for one in self.series
            for wave, cell in zip(self.waves, one.cells, strict=True)
            if not cell.hidden
        ]
        dots = pd.DataFrame(marks, columns=["x", "y", "option", "small"])
        sheet.dots(dots, {one.label: one.colour for one in self.series}, area=80 * POINTS)
        sheet.dots(dots[dots.small], dict.fromkeys(dots.option, PAPER), area=theme.HOLE)

    def _names(self, sheet: theme.Sheet, top: float, bottom: float) -> None:
        """Write the names at the ends of their lines, pushed apart where lines end close to one another."""
        wanted = []
        for one, lines in zip(self.series, self.names, strict=True):
            last = one.shown[-1].share if one.shown else 0.0
            wanted.append((self._y(last, top, bottom), LINE * len(lines) + 4, one, lines))
        wanted.sort(key=lambda name: name[0])
        places, end = [], top - 6
        for y, height, _, _ in wanted:
            places.append(max(y - height / 2, end))
            end = places[-1] + height
        begin = bottom + 6
        for index in range(len(wanted) - 1, -1, -1):
            places[index] = min(places[index], begin - wanted[index][1])
            begin = places[index]
        for place, (_, height, one, lines) in zip(places, wanted, strict=True):
            for index, line in enumerate(lines):
                y = place + height / 2 + (index - (len(lines) - 1) / 2) * LINE
                sheet.text(
                    self.right + 12 + ASIDE * len(self.series) / 2,
                    y,
                    line,
                    weight="SemiBold",
                    colour=as_text(one.colour),
                )


def _notes(series: Sequence[Series], provenance: Provenance, language: str) -> Iterator[str]:
    shown = [cell for one in series for cell in one.shown]
    if any(cell.has_interval for cell in shown):
        yield _sentences.vertical_interval(language)
    if any(cell.bounded for cell in shown):
        yield _sentences.bound(language)
    if any(cell.small for cell in shown):
        yield _sentences.hollow(provenance.rules["small_base"], language)
    yield _sentences.hidden([cell.flag for one in series for cell in one.cells], provenance, language)


def _alternative(
    waves: Sequence[Wave], series: Sequence[Series], spec: ChartSpec, provenance: Provenance, language: str
) -> str:
    findings = []
    for one in series:
        ends = [(wave.label, cell) for wave, cell in zip(waves, one.cells, strict=True)]
        first, last = ends[0], ends[-1]
        if not (first[1].hidden or last[1].hidden):
            told = [(plain(label), percent(cell.share, language), cell.n) for label, cell in (first, last)]
            findings.append(_sentences.change(plain(one.label), told[0], told[1], language))
    flags = [] if any(one.shown for one in series) else [_sentences.nothing_shown(language)]
    small = [plain(wave.label) for wave in waves if any(cell.small and not cell.hidden for cell in wave.cells.values())]
    if small:
        flags.append(_sentences.small_groups(small, provenance.rules["small_base"], language))
    return _sentences.alternative(spec, provenance, language, findings=findings, flags=flags)


def _columns(language: str) -> list[str]:
    names = ("option", "wave", "share", "low", "high", "n", "organisations", "mark", "data")
    return [_sentences.COLUMNS[language][name] for name in names]


def _row(one: Series, wave: Wave, cell: Cell, provenance: Provenance, language: str) -> list[Figure]:
    return [
        plain(one.label),
        plain(wave.label),
        100 * cell.share,
        100 * cell.low,
        100 * cell.high,
        cell.n,
        cell.organisations,
        _sentences.mark(hidden=cell.hidden, small=cell.small, language=language),
        _sentences.data(provenance, language),
    ]
