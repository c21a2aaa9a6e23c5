"""Bars that part at a line between the lower and the upper half of a scale: how answers lie on its levels, row by row.

On a scale of an odd number of levels the middle one lies across the line and counts on neither side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil

from analysis.charts import _sentences
from analysis.charts import _theme as theme
from analysis.charts._cells import Cell, cells
from analysis.charts._colours import INK, MUTED, ink_on, scale_colours
from analysis.charts._files import Figure, Picture
from analysis.charts._fonts import width
from analysis.charts._labels import levels_of, members, option_label
from analysis.charts._lines import wrapped
from analysis.charts._look import Look
from analysis.charts._recipe import fingerprint
from analysis.charts._swatches import Swatches
from analysis.estimates import TOTAL, Estimates, Provenance
from analysis.plan import ChartSpec
from analysis.wording import base, number, percent, plain, rounded_percent
from kysely.codebook import Codebook
from kysely.errors import AnalystError

STUB, BASES = 190.0, 44.0  # widest label; n column
FIRST_LINE = 14.0  # from the top of the body to the middle of the key's first line
UNLABELLED, FIGURE = 0.04, 11.0  # least share, and least width in pixels, that gets a figure


@dataclass(frozen=True)
class Bar:
    """One row: its cell on each level, and the totals of the two sides from unrounded shares."""

    label: str
    levels: tuple[Cell, ...]

    @property
    def hidden(self) -> bool:
        return any(level.hidden for level in self.levels)

    @property
    def sign(self) -> str:
        return next(level.sign for level in self.levels if level.hidden)

    @property
    def n(self) -> int:
        return self.levels[0].n

    @property
    def small(self) -> bool:
        return self.levels[0].small

    @property
    def shares(self) -> tuple[float, ...]:
        return tuple(level.share for level in self.levels)

    @property
    def below(self) -> tuple[float, ...]:
        return self.shares[: len(self.levels) // 2]

    @property
    def above(self) -> tuple[float, ...]:
        return self.shares[-(len(self.levels) // 2) :]

    @property
    def middle(self) -> float:
        return self.shares[len(self.levels) // 2] if len(self.levels) % 2 else 0.0

    @property
    def top(self) -> float:
        return self.levels[-1].share

    @property
    def left(self) -> float:
        """How much of the bar lies left of the line."""
        return sum(self.below) + self.middle / 2

    @property
    def right(self) -> float:
        return sum(self.above) + self.middle / 2


def picture(
    estimates: Estimates,
    spec: ChartSpec,
    codebook: Codebook,
    language: str,
    look: Look,
    *,
    rank: Callable[[Bar], float],
) -> Picture:
    """Return the chart of the variables under `levels:`, the one of the highest *rank* first, hidden ones last."""
    levels = levels_of(spec, members(spec, codebook), language)
    bars = _bars(estimates, spec, codebook, language)
    bars.sort(key=lambda bar: (bar.hidden, 0.0 if bar.hidden else -rank(bar)))
    body = Body(bars, levels, language, look)
    provenance = estimates.provenance
    words = _sentences.words(
        spec,
        provenance,
        language,
        base=_sentences.base_of([bar.n for bar in bars], provenance, language),
        notes=_notes(body, provenance, language),
    )
    sheet = theme.sheet(words, body.height, look)
    body.draw(sheet)
    return Picture(
        id=spec.id,
        chart=spec.chart,
        language=language,
        sheet=sheet,
        words=words,
        alt=_alternative(bars, levels, spec, provenance, language),
        columns=_columns(levels, language),
        rows=[_row(bar, provenance, language) for bar in bars],
        provenance=provenance,
        estimates_sha256=fingerprint(estimates, spec.table),
    )


@dataclass(frozen=True)
class Body:
    """Where everything in the body stands; made before the sheet, whose note tells of it."""

    bars: Sequence[Bar]
    levels: Sequence[str]
    language: str
    look: Look

    @property
    def height(self) -> float:
        return self.key_height + sum(self.heights) + 2

    def draw(self, sheet: theme.Sheet) -> None:
        self._key.draw(sheet, sheet.top + FIRST_LINE)
        top = sheet.top + self.key_height
        if self.has_bases and not self.look.narrow:
            x = self.look.left + self.stub + BASES
            sheet.text(x, top - 9, "n", size=self.look.small, colour=MUTED, align="right")
        y = top
        for index, bar in enumerate(self.bars):
            self._row(sheet, bar, y, self.heights[index], sign=index == 0)
            y += self.heights[index]
        if self.shown and not self.look.narrow:
            sheet.rule((self.zero, self.zero), (top - 4, y), INK, 1.2, zorder=self.depth)

    @property
    def depth(self) -> float:
        """The line lies over the bars, but for a middle level, whose figure stands on it."""
        return 0.5 if len(self.levels) % 2 else 3

    @property
    def thickness(self) -> float:
        return 28.0 if self.look.narrow else 32.0

    @cached_property
    def heights(self) -> list[float]:
        line = self.look.label * theme.LINE
        if self.look.narrow:
            return [len(self.labels[bar.label]) * line + self.thickness + 19 for bar in self.bars]
        return [max(50.0, len(self.labels[bar.label]) * line + 14) for bar in self.bars]

    @property
    def shown(self) -> list[Bar]:
        return [bar for bar in self.bars if not bar.hidden]

    @cached_property
    def has_bases(self) -> bool:
        """Whether each bar needs its own n: the bases differ, or one is too small."""
        return len({bar.n for bar in self.bars}) > 1 or any(bar.hidden or bar.small for bar in self.bars)

    @cached_property
    def labels(self) -> dict[str, list[str]]:
        room = self.look.inner - (70 if self.has_bases else 0) if self.look.narrow else STUB
        return {bar.label: wrapped(bar.label, room, self.look.label, "SemiBold") for bar in self.bars}

    @cached_property
    def stub(self) -> float:
        return max(width(line, self.look.label, "SemiBold") for lines in self.labels.values() for line in lines)

    @property
    def end(self) -> float:
        """Room for a total at either end."""
        return 46.0 if not self.look.narrow else 40.0

    @cached_property
    def start(self) -> float:
        """The left end of the longest bar that could be."""
        if self.look.narrow:
            return self.look.left + self.end
        return self.look.left + self.stub + 14 + (BASES if self.has_bases else 0) + self.end

    @cached_property
    def scale(self) -> float:
        """Pixels of a share of 1."""
        longest = self._longest_left + max((bar.right for bar in self.shown), default=0.5)
        return (self.look.right - self.end - self.start) / longest

    @cached_property
    def zero(self) -> float:
        return self.start + self._longest_left * self.scale

    @cached_property
    def limit(self) -> float:
        """The smallest share that gets a figure, a whole per cent: narrower segments can't hold one."""
        return max(UNLABELLED, ceil(100 * FIGURE / self.scale) / 100)

    @property
    def _longest_left(self) -> float:
        return max((bar.left for bar in self.shown), default=0.5)

    def _row(self, sheet: theme.Sheet, bar: Bar, top: float, height: float, *, sign: bool) -> None:
        lines = self.labels[bar.label]
        if self.look.narrow:
            stub = len(lines) * self.look.label * theme.LINE
            sheet.lines(self.look.left, top + stub / 2, lines, weight="SemiBold")
            if self.has_bases:
                n = base(bar.n, self.language) + ("*" if bar.small and not bar.hidden else "")
                y = top + self.look.label * theme.LINE / 2
                sheet.text(self.look.right, y, n, size=self.look.axis, colour=MUTED, align="right")
            middle = top + stub + 5 + self.thickness / 2
            if self.shown:
                edge = self.thickness / 2 + 4
                sheet.rule((self.zero, self.zero), (middle - edge, middle + edge), INK, 1.2, zorder=self.depth)
        else:
            middle = top + height / 2
            sheet.lines(self.look.left, middle, lines, weight="SemiBold")
            if self.has_bases:
                x = self.look.left + self.stub + BASES
                n = number(bar.n, self.language)
                sheet.text(x, middle, n, size=self.look.small, colour=MUTED, align="right")
                if bar.small and not bar.hidden:
                    sheet.text(x + 1, middle, "*", size=self.look.small, colour=MUTED)
        if bar.hidden:
            sheet.text(self.zero + 8, middle, bar.sign, colour=MUTED)
        else:
            self._bar(sheet, bar, middle, sign=sign)

    def _bar(self, sheet: theme.Sheet, bar: Bar, y: float, *, sign: bool) -> None:
        left = x = self.zero - bar.left * self.scale
        thickness = self.thickness
        for share, colour in zip(bar.shares, scale_colours(len(bar.levels)), strict=True):
            if share > 0:
                sheet.box(x, y - thickness / 2, share * self.scale, thickness, colour, gap=2)
            if share >= self.limit:
                figure = percent(share, self.language, sign=False)
                middle = x + share * self.scale / 2
                sheet.text(middle, y, figure, weight="Medium", colour=ink_on(colour), align="center")
            x += share * self.scale
        ends = (left - 7, "right"), (x + 7, "left")
        for (place, align), side in zip(ends, (bar.below, bar.above), strict=True):
            sheet.text(place, y, percent(sum(side), self.language, sign=sign), weight="SemiBold", align=align)

    @property
    def key_height(self) -> float:
        # The heading of the n column stands under the key where both would meet on one line.
        heading = self.has_bases and not self.look.narrow
        meets = heading and self._key.last_begins < self.look.left + self.stub + BASES + 16
        return FIRST_LINE + self._key.height + 10 + (10 if meets else 0)

    @cached_property
    def _key(self) -> Swatches:
        """The key: the lower half ends and the upper half begins at the line, as far as the edges allow."""
        names = list(zip(self.levels, scale_colours(len(self.levels)), strict=True))
        half = len(names) // 2
        groups = [names[:half], names[half:]] if len(names) % 2 == 0 else [names]
        return Swatches(groups, self.look, around=self.zero)


def _bars(estimates: Estimates, spec: ChartSpec, codebook: Codebook, language: str) -> list[Bar]:
    rows = estimates.select(table=spec.table, statistic="share", estimand="respondent", banner=TOTAL)
    found = cells(rows, ("variable", "code"))
    bars = []
    for variable in members(spec, codebook):
        keys = [(variable.name, category.code) for category in variable.categories]
        if not all(key in found for key in keys):
            raise AnalystError(f"table {spec.table} has no distribution of {variable.name}")
        bars.append(Bar(option_label(spec, variable, language), tuple(found[key] for key in keys)))
    return bars


def _notes(body: Body, provenance: Provenance, language: str) -> Iterator[str]:
    """Yield what must be said of the marks and figures of *body*."""
    shown = body.shown
    if shown:
        yield _sentences.bar_ends(language)
        if len(body.levels) % 2:
            yield _sentences.middle_apart(body.levels[len(body.levels) // 2], language)
        if not all(_adds_up(side) for bar in shown for side in (bar.below, bar.above)):
            yield _sentences.unrounded(language)
        if any(0 < share < body.limit for bar in shown for share in bar.shares):
            yield _sentences.unlabelled(body.limit, language)
        upper = [sum(bar.above) for bar in shown]
        if upper != sorted(upper, reverse=True):
            yield _sentences.order(body.levels[-1], language)
        if any(bar.small for bar in shown):
            yield _sentences.star(provenance.rules["small_base"], language)
    yield _sentences.hidden([level.flag for bar in body.bars for level in bar.levels], provenance, language)


def _flags(bars: Sequence[Bar], provenance: Provenance, language: str) -> Iterator[str]:
    """Yield, for the alt text, which rows are of few answers and how many aren't shown."""
    shown = [bar for bar in bars if not bar.hidden]
    if not shown:
        yield _sentences.nothing_shown(language)
    small = [plain(bar.label) for bar in shown if bar.small]
    if small:
        yield _sentences.small_groups(small, provenance.rules["small_base"], language)
    if shown and len(shown) < len(bars):
        yield _sentences.hidden_groups(len(bars) - len(shown), language)


def _columns(levels: Sequence[str], language: str) -> list[str]:
    """Return the headings of the data table: every level, the two sides, the bases."""
    words = _sentences.COLUMNS[language]
    half = len(levels) // 2
    sides = [" + ".join(side) for side in (levels[:half], levels[-half:])] if half > 1 else []
    return [
        words["option"],
        *(f"{level} (%)" for level in (*levels, *sides)),
        words["n"],
        words["organisations"],
        words["mark"],
        words["data"],
    ]


def _row(bar: Bar, provenance: Provenance, language: str) -> list[Figure]:
    """Return *bar* as a row of the data table."""
    sides = [sum(bar.below), sum(bar.above)] if len(bar.below) > 1 else []
    return [
        plain(bar.label),
        *(100 * share for share in (*bar.shares, *sides)),
        bar.n,
        bar.levels[0].organisations,
        _sentences.mark(hidden=bar.hidden, small=bar.small, language=language),
        _sentences.data(provenance, language),
    ]


def _alternative(
    bars: Sequence[Bar], levels: Sequence[str], spec: ChartSpec, provenance: Provenance, language: str
) -> str:
    """Return the alt text: where the highest level has most and least, of the rows that are shown."""
    shown = sorted((bar for bar in bars if not bar.hidden), key=lambda bar: -bar.top)
    findings = []
    if len(shown) > 1:
        ends = [(plain(bar.label), bar.top) for bar in (shown[0], shown[-1])]
        bases = [shown[0].n, shown[-1].n]
        findings.append(_sentences.extremes(levels[-1], ends[0], ends[1], bases, language))
    elif shown:
        findings.append(_sentences.only(levels[-1], plain(shown[0].label), shown[0].top, shown[0].n, language))
    return _sentences.alternative(
        spec, provenance, language, findings=findings, flags=_flags(bars, provenance, language)
    )


def _adds_up(shares: Sequence[float]) -> bool:
    return sum(rounded_percent(share) for share in shares) == rounded_percent(sum(shares))
