"""Bars of 100 %: how the answers to one question are divided in all, and in each group of a banner.

The names of the answers stand above the first bar in their colours, or in a key where they would not fit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil

from analysis.charts import _sentences
from analysis.charts import _theme as theme
from analysis.charts._cells import Cell
from analysis.charts._colours import GRID, MUTED, as_text, ink_on
from analysis.charts._files import Figure, Picture
from analysis.charts._fonts import width
from analysis.charts._labels import category_label
from analysis.charts._lines import wrapped
from analysis.charts._look import Look
from analysis.charts._questions import Question, of_groups
from analysis.charts._recipe import fingerprint
from analysis.charts._swatches import Swatches
from analysis.estimates import TOTAL, Estimates, Provenance
from analysis.plan import ChartSpec
from analysis.wording import SOFT_HYPHEN, base, number, percent, plain, rounded_percent
from kysely.codebook import Codebook

STUB, BASES, LINE = 190.0, 44.0, 16.0
NAME = 44.0  # least width above a part of the first bar that holds a name
UNLABELLED, FIGURE = 0.05, 11.0  # least share, and least width in pixels, that gets a figure


@dataclass(frozen=True)
class Bar:
    """One group, or everybody, and its cell of each answer."""

    label: str
    total: bool
    cells: Mapping[str, Cell]

    @property
    def hidden(self) -> bool:
        return any(cell.hidden for cell in self.cells.values())

    @property
    def sign(self) -> str:
        return next(cell.sign for cell in self.cells.values() if cell.hidden)

    @property
    def n(self) -> int:
        return max(cell.n for cell in self.cells.values())

    @property
    def small(self) -> bool:
        return any(cell.small for cell in self.cells.values())


def picture(
    estimates: Estimates,
    spec: ChartSpec,
    codebook: Codebook,
    asked: Question,
    banner: str | None,
    language: str,
    look: Look,
) -> Picture:
    """Return the chart of *asked* in all and, if a *banner* is given, in each of its groups."""
    bars = _bars(estimates, spec, codebook, asked, banner, language)
    body = _Body(bars, asked.labels, asked.colours(), language, look)
    provenance = estimates.provenance
    words = _sentences.words(
        spec,
        provenance,
        language,
        base=_sentences.base_of([bars[0].n], provenance, language),
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
        alt=_alternative(bars, asked, spec, provenance, language),
        columns=_columns(asked, language),
        rows=[_row(bar, provenance, language) for bar in bars],
        provenance=provenance,
        estimates_sha256=fingerprint(estimates, spec.table),
    )


def _bars(
    estimates: Estimates, spec: ChartSpec, codebook: Codebook, asked: Question, banner: str | None, language: str
) -> list[Bar]:
    found = of_groups(estimates, spec, asked, banner or TOTAL)
    bars = [Bar(_sentences.ALL_RESPONDENTS[language], True, found[TOTAL])]
    for category in codebook[banner].categories if banner else ():
        if category.code in found:
            label = category_label(spec, codebook, str(banner), category.code, language)
            bars.append(Bar(label, False, found[category.code]))
    return bars


@dataclass(frozen=True)
class _Body:
    """Where everything in the body stands. On a narrow sheet a group's name stands above its bar."""

    bars: Sequence[Bar]
    names: Mapping[str, str]
    colours: Mapping[str, str]
    language: str
    look: Look

    @property
    def height(self) -> float:
        return self.head + sum(self.heights) + 2

    def draw(self, sheet: theme.Sheet) -> None:
        y = sheet.top + self.head
        self._head(sheet, y)
        for place, bar in enumerate(self.bars):
            if place == 1:
                sheet.rule((sheet.left, sheet.right), (y, y), GRID)
            self._row(sheet, bar, place, y)
            y += self.heights[place]

    @property
    def alone(self) -> bool:
        """Whether all respondents are the only bar, which then needs neither name nor n."""
        return len(self.bars) == 1

    @property
    def thickness(self) -> float:
        return 26.0 if self.look.narrow else 30.0

    @cached_property
    def labels(self) -> list[list[str]]:
        room = self.look.inner - 74 if self.look.narrow else STUB
        return [wrapped(bar.label, room, self.look.label, _weight(bar)) for bar in self.bars]

    @cached_property
    def heights(self) -> list[float]:
        if self.alone:
            return [self.thickness + 14]
        if self.look.narrow:
            return [LINE * len(lines) + self.thickness + 18 for lines in self.labels]
        return [max(46.0, LINE * len(lines) + 12) for lines in self.labels]

    @cached_property
    def start(self) -> float:
        """Where bars begin."""
        if self.look.narrow or self.alone:
            return self.look.left
        stub = max(
            width(line, self.look.label, _weight(bar))
            for bar, lines in zip(self.bars, self.labels, strict=True)
            for line in lines
        )
        return self.look.left + stub + BASES + 16

    @property
    def length(self) -> float:
        """Pixels of 100 %."""
        return self.look.right - self.start

    @cached_property
    def limit(self) -> float:
        """The smallest share that gets a figure, a whole per cent."""
        return max(UNLABELLED, ceil(100 * FIGURE / self.length) / 100)

    @property
    def shown(self) -> list[Bar]:
        return [bar for bar in self.bars if not bar.hidden]

    @cached_property
    def head(self) -> float:
        if self._above is None:
            return 14 + self._key.height + 8
        return LINE * max(len(lines) for lines in self._above.values()) + 8

    @cached_property
    def _key(self) -> Swatches:
        return Swatches([[(name, self.colours[code]) for code, name in self.names.items()]], self.look)

    @cached_property
    def _above(self) -> dict[str, list[str]] | None:
        """The names in lines as they stand above their parts of the first bar; None if they don't fit there."""
        first = self.bars[0]
        if first.hidden or self.look.narrow and not self.alone:
            return None
        places = list(self._places(first))
        found = {}
        for (code, x, _), following in zip(places, [*places[1:], None], strict=True):
            end = self.look.right if following is None else following[1] - 10
            if end - x < NAME:
                return None
            lines = wrapped(self.names[code], end - x, self.look.label, "SemiBold")
            if len(lines) > 3 or _cut(self.names[code], lines):
                return None
            found[code] = lines
        return found

    def _places(self, bar: Bar) -> Iterator[tuple[str, float, float]]:
        """Yield each answer with the left end and the length of its part of *bar*."""
        x = self.start
        whole = sum(cell.share for cell in bar.cells.values())
        for code, cell in bar.cells.items():
            part = self.length * cell.share / whole if whole else 0.0
            yield code, x, part
            x += part

    def _head(self, sheet: theme.Sheet, y: float) -> None:
        if self._above is None:
            self._key.draw(sheet, sheet.top + 12)
        else:
            for code, x, _ in self._places(self.bars[0]):
                colour = as_text(self.colours[code])
                lines = self._above[code]
                for place, line in enumerate(lines, start=1):
                    sheet.text(x, y - 4 - LINE * (len(lines) - place), line, weight="SemiBold", colour=colour)
        if not (self.look.narrow or self.alone):
            sheet.text(self.start - 16, y - 4, "n", size=self.look.small, colour=MUTED, align="right")

    def _row(self, sheet: theme.Sheet, bar: Bar, place: int, top: float) -> None:
        lines, height = self.labels[place], self.heights[place]
        star = "*" if bar.small and not bar.hidden else ""
        if self.alone:
            middle = top + 4 + self.thickness / 2
        elif self.look.narrow:
            stub = LINE * len(lines)
            sheet.lines(sheet.left, top + 5 + stub / 2, lines, weight=_weight(bar))
            n = base(bar.n, self.language) + star
            sheet.text(sheet.right, top + 5 + LINE / 2, n, size=self.look.axis, colour=MUTED, align="right")
            middle = top + stub + 8 + self.thickness / 2
        else:
            middle = top + height / 2
            sheet.lines(sheet.left, middle, lines, weight=_weight(bar))
            n = number(bar.n, self.language)
            sheet.text(self.start - 16, middle, n, size=self.look.small, colour=MUTED, align="right")
            if star:
                sheet.text(self.start - 15, middle, star, size=self.look.small, colour=MUTED)
        if bar.hidden:
            sheet.text(self.start + 4, middle, bar.sign, colour=MUTED)
            return
        for code, x, part in self._places(bar):
            share = bar.cells[code].share
            if share > 0:
                sheet.box(x, middle - self.thickness / 2, part, self.thickness, self.colours[code], gap=2)
            if share >= self.limit:
                figure = percent(share, self.language, sign=False)
                signed = percent(share, self.language)
                fits = width(signed, self.look.label, "Medium") + 8 <= part
                ink = ink_on(self.colours[code])
                text = signed if bar.total and fits else figure
                sheet.text(x + part / 2, middle, text, weight="Medium", colour=ink, align="center")


def _weight(bar: Bar) -> str:
    return "SemiBold" if bar.total else "Regular"


def _cut(text: str, lines: Sequence[str]) -> bool:
    """Whether a word of *text* had to be cut where its author allows no break."""
    allowed = {piece for word in text.split() for piece in _prefixes(word)}
    return any(line.split()[-1].rstrip("-") not in allowed for line in lines)


def _prefixes(word: str) -> Iterator[str]:
    """Yield every run of parts of *word* between its soft hyphens and hyphens."""
    parts = word.replace("-", SOFT_HYPHEN).split(SOFT_HYPHEN)
    whole = word.replace(SOFT_HYPHEN, "")
    at = [0]
    for part in parts:
        at.append(whole.index(part, at[-1]) + len(part))
    yield from (whole[begin:end].strip("-") for begin in at for end in at if begin < end)


def _notes(body: _Body, provenance: Provenance, language: str) -> Iterator[str]:
    shown = body.shown
    if any(0 < cell.share < body.limit for bar in shown for cell in bar.cells.values()):
        yield _sentences.unlabelled(body.limit, language)
    if any(sum(rounded_percent(cell.share) for cell in bar.cells.values()) != 100 for bar in shown):
        yield _sentences.rounding(language)
    if any(bar.small for bar in shown):
        yield _sentences.star(provenance.rules["small_base"], language)
    yield _sentences.hidden([cell.flag for bar in body.bars for cell in bar.cells.values()], provenance, language)


def _alternative(bars: Sequence[Bar], asked: Question, spec: ChartSpec, provenance: Provenance, language: str) -> str:
    everyone, groups = bars[0], [bar for bar in bars[1:] if not (bar.hidden or bar.small)]
    findings = []
    if not everyone.hidden:
        ordered = sorted(everyone.cells.items(), key=lambda pair: -pair[1].share)
        ends = [(plain(asked.labels[code]), cell.share) for code, cell in (ordered[0], ordered[-1])]
        findings.append(_sentences.range_of_totals(ends[0], ends[1], [everyone.n], language))
    if len(groups) > 1:
        spread = {code: [bar.cells[code].share for bar in groups] for code in asked.labels}
        code = max(spread, key=lambda one: max(spread[one]) - min(spread[one]))
        pair = [pick(groups, key=lambda bar: bar.cells[code].share) for pick in (min, max)]
        told = [(plain(bar.label), percent(bar.cells[code].share, language), bar.n) for bar in pair]
        findings.append(_sentences.spread(plain(asked.labels[code]), told[0], told[1], language))
    flags = list(_flags(bars, provenance, language))
    return _sentences.alternative(spec, provenance, language, findings=findings, flags=flags)


def _flags(bars: Sequence[Bar], provenance: Provenance, language: str) -> Iterator[str]:
    shown = [bar for bar in bars if not bar.hidden]
    if not shown:
        yield _sentences.nothing_shown(language)
    if small := [plain(bar.label) for bar in shown if bar.small]:
        yield _sentences.small_groups(small, provenance.rules["small_base"], language)
    if shown and len(shown) < len(bars):
        yield _sentences.hidden_groups(len(bars) - len(shown), language)


def _columns(asked: Question, language: str) -> list[str]:
    words = _sentences.COLUMNS[language]
    answers = [f"{plain(label)} (%)" for label in asked.labels.values()]
    return [words["group"], *answers, words["n"], words["organisations"], words["mark"], words["data"]]


def _row(bar: Bar, provenance: Provenance, language: str) -> list[Figure]:
    first = next(iter(bar.cells.values()))
    return [
        plain(bar.label),
        *(100 * cell.share for cell in bar.cells.values()),
        bar.n,
        first.organisations,
        _sentences.mark(hidden=bar.hidden, small=bar.small, language=language),
        _sentences.data(provenance, language),
    ]
