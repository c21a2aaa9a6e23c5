"""How central each option is: bars that part at a line between the lower and the upper half of a scale.

Keys of the chart in the plan: `levels`, the set of variables whose levels are drawn, and `score`, whose
short labels they take.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil

from analysis.charts import _sentences
from analysis.charts import _theme as theme
from analysis.charts._cells import Cell, cells
from analysis.charts._files import Figure, Picture, fingerprint
from analysis.charts._labels import members, option_label
from analysis.estimates import TOTAL, Estimates, Provenance
from analysis.plan import ChartSpec
from analysis.wording import number, percent, plain, rounded_percent
from kysely.codebook import Codebook
from kysely.errors import AnalystError

ROW, BAR, KEY = 50.0, 32.0, 42.0
STUB, BASES, END = 190.0, 44.0, 46.0  # widest label; n column; room for a total at either end
SWATCH, KEY_GAP, KEY_FIRST, KEY_LINE = 11.0, 16.0, 14.0, 18.0
UNLABELLED, FIGURE = 0.04, 11.0  # least share, and least width in pixels, that gets a figure


@dataclass(frozen=True)
class Bar:
    """One option: its cell on each level, and the totals of the two sides from unrounded shares."""

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
    def below(self) -> tuple[float, ...]:
        return tuple(level.share for level in self.levels[: len(self.levels) // 2])

    @property
    def above(self) -> tuple[float, ...]:
        return tuple(level.share for level in self.levels[len(self.levels) // 2 :])

    @property
    def top(self) -> float:
        return self.levels[-1].share


def draw(estimates: Estimates, spec: ChartSpec, codebook: Codebook, language: str) -> Picture:
    """Return the chart of the distribution over levels, the option with most on the highest level first."""
    levels = _levels(spec, codebook, language)
    bars = _bars(estimates, spec, codebook, language)
    layout = _Layout(bars, levels, language)
    words = _sentences.words(
        spec,
        estimates.provenance,
        language,
        base=_base(bars, estimates.provenance, language),
        notes=_notes(layout, estimates.provenance, language),
    )
    sheet = theme.sheet(words, layout.body)
    layout.draw(sheet)
    return Picture(
        id=spec.id,
        chart=spec.chart,
        language=language,
        sheet=sheet,
        words=words,
        alt=_alternative(bars, levels, spec, estimates.provenance, language),
        columns=_columns(levels, language),
        rows=[_row(bar, estimates.provenance, language) for bar in bars],
        provenance=estimates.provenance,
        estimates_sha256=fingerprint(estimates, spec.table),
    )


def _levels(spec: ChartSpec, codebook: Codebook, language: str) -> tuple[str, ...]:
    scale = members(spec, codebook)[0].categories
    if len(scale) != len(theme.LEVELS):
        raise AnalystError(
            f"chart {spec.id}: {spec.chart} draws scales of {len(theme.LEVELS)} levels and this one has {len(scale)}; "
            "choose another chart in plan.yaml"
        )
    return tuple(category.label[language] for category in scale)


def _bars(estimates: Estimates, spec: ChartSpec, codebook: Codebook, language: str) -> list[Bar]:
    variables = members(spec, codebook)
    rows = estimates.select(table=spec.table, statistic="share", estimand="respondent", banner=TOTAL)
    found = cells(rows, ("variable", "code"))
    bars = []
    for variable in variables:
        keys = [(variable.name, category.code) for category in variable.categories]
        if not all(key in found for key in keys):
            raise AnalystError(f"chart {spec.id}: table {spec.table} has no distribution of {variable.name}")
        bars.append(Bar(option_label(spec, variable, language), tuple(found[key] for key in keys)))
    return sorted(bars, key=lambda bar: (bar.hidden, 0.0 if bar.hidden else -bar.top))


@dataclass(frozen=True)
class _Layout:
    """Where everything in the body stands; made before the sheet, whose note tells of it."""

    bars: Sequence[Bar]
    levels: Sequence[str]
    language: str

    def draw(self, sheet: theme.Sheet) -> None:
        self._key(sheet)
        top = sheet.top + self.key_height
        if self.shown:
            sheet.rule((self.zero, self.zero), (top - 4, top + sum(self.heights)), theme.INK, 1.2, zorder=3)
        if self.has_bases:
            x = theme.MARGIN + self.stub + BASES
            sheet.text(x, top - 9, "n", size=theme.SMALL_SIZE, colour=theme.MUTED, align="right")
        y = top
        for index, bar in enumerate(self.bars):
            height = self.heights[index]
            y += height / 2
            self._stub(sheet, bar, y)
            if bar.hidden:
                sheet.text(self.zero + 8, y, bar.sign, colour=theme.MUTED)
            else:
                self._bar(sheet, bar, y, sign=index == 0)
            y += height / 2

    @property
    def body(self) -> float:
        return self.key_height + sum(self.heights) + 2

    @cached_property
    def heights(self) -> list[float]:
        line = theme.LABEL_SIZE * theme.LINE
        return [max(ROW, len(self.labels[bar.label]) * line + 14) for bar in self.bars]

    @property
    def shown(self) -> list[Bar]:
        return [bar for bar in self.bars if not bar.hidden]

    @cached_property
    def has_bases(self) -> bool:
        """Whether each bar needs its own n: the bases differ, or one is too small."""
        return len({bar.n for bar in self.bars}) > 1 or any(bar.hidden or bar.small for bar in self.bars)

    @cached_property
    def labels(self) -> dict[str, list[str]]:
        return {bar.label: theme.wrapped(bar.label, STUB, theme.LABEL_SIZE, "SemiBold") for bar in self.bars}

    @cached_property
    def stub(self) -> float:
        widths = (
            theme.text_width(line, theme.LABEL_SIZE, "SemiBold") for lines in self.labels.values() for line in lines
        )
        return max(widths)

    @cached_property
    def start(self) -> float:
        """The left end of the longest bar that could be."""
        return theme.MARGIN + self.stub + 14 + (BASES if self.has_bases else 0) + END

    @cached_property
    def scale(self) -> float:
        """Pixels of a share of 1."""
        longest = sum(max((sum(side) for side in sides), default=0.5) for sides in self._sides)
        return (theme.WIDTH - theme.MARGIN - END - self.start) / longest

    @cached_property
    def zero(self) -> float:
        return self.start + max((sum(side) for side in self._sides[0]), default=0.5) * self.scale

    @cached_property
    def limit(self) -> float:
        """The smallest share that gets a figure, a whole per cent: narrower segments can't hold one."""
        return max(UNLABELLED, ceil(100 * FIGURE / self.scale) / 100)

    @property
    def _sides(self) -> tuple[list[tuple[float, ...]], list[tuple[float, ...]]]:
        return [bar.below for bar in self.shown], [bar.above for bar in self.shown]

    def _stub(self, sheet: theme.Sheet, bar: Bar, y: float) -> None:
        sheet.lines(theme.MARGIN, y, self.labels[bar.label], weight="SemiBold")
        if self.has_bases:
            n = number(bar.n, self.language)
            x = theme.MARGIN + self.stub + BASES
            sheet.text(x, y, n, size=theme.SMALL_SIZE, colour=theme.MUTED, align="right")
            if bar.small and not bar.hidden:
                sheet.text(x + 1, y, "*", size=theme.SMALL_SIZE, colour=theme.MUTED)

    def _bar(self, sheet: theme.Sheet, bar: Bar, y: float, *, sign: bool) -> None:
        x = self.zero - sum(bar.below) * self.scale
        for share, colour in zip((*bar.below, *bar.above), theme.LEVELS, strict=True):
            if share > 0:
                sheet.box(x, y - BAR / 2, share * self.scale, BAR, colour, gap=2)
            if share >= self.limit:
                figure = percent(share, self.language, sign=False)
                ink = theme.ink_on(colour)
                sheet.text(x + share * self.scale / 2, y, figure, weight="Medium", colour=ink, align="center")
            x += share * self.scale
        ends = (self.zero - sum(bar.below) * self.scale - 7, "right"), (x + 7, "left")
        for (place, align), side in zip(ends, (bar.below, bar.above), strict=True):
            sheet.text(place, y, percent(sum(side), self.language, sign=sign), weight="SemiBold", align=align)

    @property
    def key_height(self) -> float:
        height = KEY + KEY_LINE * (len(self._key_rows) - 1)
        # The heading of the n column stands under the key where both would meet on one line.
        meets = self.has_bases and self._key_rows[-1][0] < theme.MARGIN + self.stub + BASES + KEY_GAP
        return height + (10 if meets else 0)

    @cached_property
    def _key_rows(self) -> list[tuple[float, list[int]]]:
        """Return each row of the key: where it begins and which levels it names.

        The lower half ends and the upper half begins at the line that parts the bars, as far as the
        page's edges allow; where both don't fit beside one another they stand in two rows.
        """
        half = len(self.levels) // 2
        lower, upper = list(range(half)), list(range(half, len(self.levels)))
        left, right = self._key_width(lower), self._key_width(upper)
        page = theme.WIDTH - theme.MARGIN
        if left + right + KEY_GAP > page - theme.MARGIN:
            return [(theme.MARGIN, lower), (theme.MARGIN, upper)]
        begin = max(theme.MARGIN, self.zero - KEY_GAP / 2 - left)
        begin = min(begin, page - right - KEY_GAP - left)
        return [(begin, lower + upper)]

    def _key_width(self, levels: Sequence[int]) -> float:
        names = sum(theme.text_width(self.levels[level], theme.SMALL_SIZE) for level in levels)
        return names + len(levels) * (SWATCH + 5) + (len(levels) - 1) * KEY_GAP

    def _key(self, sheet: theme.Sheet) -> None:
        for row, (x, levels) in enumerate(self._key_rows):
            y = sheet.top + KEY_FIRST + row * KEY_LINE
            for level in levels:
                sheet.box(x, y - SWATCH / 2, SWATCH, SWATCH, theme.LEVELS[level])
                sheet.text(x + SWATCH + 5, y, self.levels[level], size=theme.SMALL_SIZE)
                x += SWATCH + 5 + theme.text_width(self.levels[level], theme.SMALL_SIZE) + KEY_GAP


def _base(bars: Sequence[Bar], provenance: Provenance, language: str) -> list[str]:
    counts = [bar.n for bar in bars]
    everyone = all(n == provenance.responses for n in counts)
    return [
        "" if everyone else _sentences.answered(counts, language),
        _sentences.estimand("respondent", language),
    ]


def _notes(layout: _Layout, provenance: Provenance, language: str) -> Iterator[str]:
    shown = layout.shown
    if shown:
        yield _sentences.bar_ends(language)
        yield (
            ""
            if all(_adds_up(side) for bar in shown for side in (bar.below, bar.above))
            else (_sentences.unrounded(language))
        )
        if any(0 < share < layout.limit for bar in shown for share in (*bar.below, *bar.above)):
            yield _sentences.unlabelled(layout.limit, language)
        if [sum(bar.above) for bar in shown] != sorted((sum(bar.above) for bar in shown), reverse=True):
            yield _sentences.order(layout.levels[-1], language)
        if any(bar.small for bar in shown):
            yield _sentences.star(provenance.rules["small_base"], language)
    yield _sentences.hidden([level.flag for bar in layout.bars for level in bar.levels], provenance, language)


def _adds_up(shares: Sequence[float]) -> bool:
    return sum(rounded_percent(share) for share in shares) == rounded_percent(sum(shares))


def _alternative(
    bars: Sequence[Bar], levels: Sequence[str], spec: ChartSpec, provenance: Provenance, language: str
) -> str:
    shown = [bar for bar in bars if not bar.hidden]
    findings = []
    if len(shown) > 1:
        most, least = shown[0], shown[-1]
        findings.append(
            _sentences.extremes(
                levels[-1], (plain(most.label), most.top), (plain(least.label), least.top), [most.n, least.n], language
            )
        )
    elif shown:
        findings.append(_sentences.only(levels[-1], plain(shown[0].label), shown[0].top, shown[0].n, language))
    flags = []
    if not shown:
        flags.append(_sentences.nothing_shown(language))
    small = [plain(bar.label) for bar in shown if bar.small]
    if small:
        flags.append(_sentences.small_groups(small, provenance.rules["small_base"], language))
    if shown and len(shown) < len(bars):
        flags.append(_sentences.hidden_groups(len(bars) - len(shown), language))
    return _sentences.alternative(spec, provenance, language, findings=findings, flags=flags)


def _columns(levels: Sequence[str], language: str) -> list[str]:
    words = _sentences.COLUMNS[language]
    half = len(levels) // 2
    sides = [" + ".join(side) for side in (levels[:half], levels[half:])]
    return [
        words["option"],
        *(f"{level} (%)" for level in (*levels, *sides)),
        words["n"],
        words["organisations"],
        words["mark"],
        words["data"],
    ]


def _row(bar: Bar, provenance: Provenance, language: str) -> list[Figure]:
    sides = [sum(bar.below), sum(bar.above)]
    return [
        plain(bar.label),
        *(100 * share for share in (*bar.below, *bar.above, *sides)),
        bar.n,
        bar.levels[0].organisations,
        _sentences.mark(hidden=bar.hidden, small=bar.small, language=language),
        _sentences.data(provenance, language),
    ]
