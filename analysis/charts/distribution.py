"""How the answers to one question are divided: a bar an answer, or one bar parted in two where there are two answers.

Key of the chart in the plan: `variable`, a question with one answer or a set of options. The levels of a scale stand
in their order, other answers by size. A line in a bar is its 95 % interval.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from analysis.charts import _hundred as hundred
from analysis.charts import _sentences
from analysis.charts import _theme as theme
from analysis.charts._cells import Cell
from analysis.charts._colours import BAR, INK, MUTED
from analysis.charts._files import Figure, Picture
from analysis.charts._fonts import width
from analysis.charts._lines import wrapped
from analysis.charts._look import WIDE, Look
from analysis.charts._questions import of_groups, question
from analysis.charts._recipe import fingerprint
from analysis.estimates import TOTAL, Estimates, Provenance
from analysis.plan import ChartSpec
from analysis.wording import percent, plain
from kysely.codebook import Codebook

STUB = 250.0
LINE = 16.0


def draw(estimates: Estimates, spec: ChartSpec, codebook: Codebook, language: str, look: Look = WIDE) -> Picture:
    """Return the chart of how the answers to one question are divided."""
    asked = question(spec, codebook, language)
    found = of_groups(estimates, spec, asked)[TOTAL]
    bars = [Bar(label, found[code]) for code, label in asked.labels.items()]
    if asked.exclusive and len(bars) == 2:
        drawn = hundred.picture(estimates, spec, codebook, asked, None, language, look)
        rows = [_row(bar, estimates.provenance, language) for bar in bars]
        return replace(drawn, columns=_columns(language), rows=rows)
    if not asked.ordered:
        bars.sort(key=lambda bar: (bar.cell.hidden, 0.0 if bar.cell.hidden else -bar.cell.share))
    body = _Body(bars, language, look)
    provenance = estimates.provenance
    words = _sentences.words(
        spec,
        provenance,
        language,
        base=_sentences.base_of([bar.cell.n for bar in bars], provenance, language),
        notes=_notes(bars, provenance, language),
    )
    sheet = theme.sheet(words, body.height, look)
    body.draw(sheet)
    return Picture(
        id=spec.id,
        chart=spec.chart,
        language=language,
        sheet=sheet,
        words=words,
        alt=_alternative(bars, spec, provenance, language),
        columns=_columns(language),
        rows=[_row(bar, provenance, language) for bar in bars],
        provenance=provenance,
        estimates_sha256=fingerprint(estimates, spec.table),
    )


@dataclass(frozen=True)
class Bar:
    label: str
    cell: Cell


@dataclass(frozen=True)
class _Body:
    """Where the bars stand: beside their names, or under them on a narrow sheet."""

    bars: Sequence[Bar]
    language: str
    look: Look

    @property
    def height(self) -> float:
        return sum(self.heights) + 6

    def draw(self, sheet: theme.Sheet) -> None:
        y = sheet.top + 2
        for place, (bar, lines, height) in enumerate(zip(self.bars, self.labels, self.heights, strict=True)):
            if self.look.narrow:
                stub = LINE * len(lines)
                sheet.lines(sheet.left, y + stub / 2, lines)
                middle = y + stub + 4 + self.thickness / 2
            else:
                middle = y + height / 2
                sheet.lines(sheet.left, middle, lines)
            self._bar(sheet, bar.cell, middle, sign=place == 0)
            y += height
        if not self.look.narrow:
            sheet.rule((self.zero, self.zero), (sheet.top + 2, y), INK, 1.2, zorder=6)

    @property
    def thickness(self) -> float:
        return 18.0 if self.look.narrow else 22.0

    @cached_property
    def labels(self) -> list[list[str]]:
        room = self.look.inner if self.look.narrow else STUB
        return [wrapped(bar.label, room, self.look.label) for bar in self.bars]

    @cached_property
    def heights(self) -> list[float]:
        if self.look.narrow:
            return [LINE * len(lines) + self.thickness + 14 for lines in self.labels]
        return [max(34.0, LINE * len(lines) + 10) for lines in self.labels]

    @cached_property
    def zero(self) -> float:
        if self.look.narrow:
            return self.look.left
        return self.look.left + max(width(line, self.look.label) for lines in self.labels for line in lines) + 14

    @cached_property
    def scale(self) -> float:
        """Pixels of a share of 1: the longest bar or interval leaves room for its figure."""
        ends = [
            max(bar.cell.share, bar.cell.high if bar.cell.has_interval else 0)
            for bar in self.bars
            if not bar.cell.hidden
        ]
        room = width("100\u00a0%*", self.look.label, "Medium") + 8
        return (self.look.right - room - self.zero) / max([*ends, 0.05])

    def _bar(self, sheet: theme.Sheet, cell: Cell, y: float, *, sign: bool) -> None:
        if cell.hidden:
            sheet.text(self.zero + 7, y, cell.sign, colour=MUTED)
            return
        end = self.zero + cell.share * self.scale
        if cell.share > 0:
            sheet.box(self.zero, y - self.thickness / 2, end - self.zero, self.thickness, BAR)
        if cell.has_interval:
            low, high = (self.zero + value * self.scale for value in (cell.low, cell.high))
            sheet.intervals([(low, high, y, INK)], width=1.4)
            end = max(end, high)
        figure = percent(cell.share, self.language, sign=sign) + ("*" if cell.small else "")
        sheet.text(end + 7, y, figure, weight="Medium")


def _notes(bars: Sequence[Bar], provenance: Provenance, language: str) -> Iterator[str]:
    shown = [bar.cell for bar in bars if not bar.cell.hidden]
    if any(cell.has_interval for cell in shown):
        yield _sentences.interval(language)
    if any(cell.bounded for cell in shown):
        yield _sentences.bound(language)
    if any(cell.small for cell in shown):
        yield _sentences.star(provenance.rules["small_base"], language)
    yield _sentences.hidden([bar.cell.flag for bar in bars], provenance, language)


def _alternative(bars: Sequence[Bar], spec: ChartSpec, provenance: Provenance, language: str) -> str:
    shown = sorted((bar for bar in bars if not bar.cell.hidden), key=lambda bar: -bar.cell.share)
    findings = []
    if len(shown) > 1:
        ends = [(plain(bar.label), bar.cell.share) for bar in (shown[0], shown[-1])]
        bases = [bar.cell.n for bar in shown]
        findings.append(_sentences.range_of_totals(ends[0], ends[1], bases, language))
    flags = [] if shown else [_sentences.nothing_shown(language)]
    if any(bar.cell.small for bar in shown):
        flags.append(_sentences.star(provenance.rules["small_base"], language).removeprefix("* "))
    return _sentences.alternative(spec, provenance, language, findings=findings, flags=flags)


def _columns(language: str) -> list[str]:
    names = ("option", "share", "low", "high", "n", "organisations", "mark", "data")
    return [_sentences.COLUMNS[language][name] for name in names]


def _row(bar: Bar, provenance: Provenance, language: str) -> list[Figure]:
    cell = bar.cell
    return [
        plain(bar.label),
        100 * cell.share,
        100 * cell.low,
        100 * cell.high,
        cell.n,
        cell.organisations,
        _sentences.mark(hidden=cell.hidden, small=cell.small, language=language),
        _sentences.data(provenance, language),
    ]
