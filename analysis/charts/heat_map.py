"""Means of many items by group: a row an item, a column a group, the figure in a tint that deepens with it.

Keys of the chart in the plan: `levels`, a set of items on one scale, and `further`, a second set on the same scale;
`banner`, whose codes are the columns, all respondents first. Rows stand in the author's order: who reads of items looks
for them by their words. The figure says everything; the tint only leads the eye.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from analysis.charts import _sentences
from analysis.charts import _theme as theme
from analysis.charts._cells import Cell, cells
from analysis.charts._colours import GRID, MUTED, RULE, TINTS, ink_on
from analysis.charts._files import Figure, Picture
from analysis.charts._labels import category_label, key, levels_of, members, option_label
from analysis.charts._lines import wrapped
from analysis.charts._look import WIDE, Look
from analysis.charts._recipe import fingerprint
from analysis.estimates import TOTAL, Estimates, Provenance
from analysis.plan import ChartSpec
from analysis.stubs import MEAN
from analysis.wording import base, number, plain
from kysely.codebook import Codebook, Variable
from kysely.errors import AnalystError

CELL, LINE, STUB, SEAM = 34.0, 16.0, 306.0, 2.0


@dataclass(frozen=True)
class Group:
    code: str
    label: str
    n: int


@dataclass(frozen=True)
class Item:
    """One row: its mean in each group, all respondents first."""

    label: str
    cells: tuple[Cell, ...]

    @property
    def spread(self) -> float:
        """How far apart the groups of a sound base are; 0 with fewer than two of them."""
        found = [cell.share for cell in self.cells[1:] if not (cell.hidden or cell.small)]
        return max(found) - min(found) if len(found) > 1 else 0.0


def draw(estimates: Estimates, spec: ChartSpec, codebook: Codebook, language: str, look: Look = WIDE) -> Picture:
    """Return the chart of means by item and group."""
    asked = _items(spec, codebook)
    scale = levels_of(spec, asked, language)
    groups, items = _table(estimates, spec, codebook, asked, language)
    values = [float(category.value or 0) for category in asked[0].categories]
    provenance = estimates.provenance
    layout = _Layout(items, groups, (min(values), max(values)), language, look)
    ends = ((number(min(values), language), scale[0]), (number(max(values), language), scale[-1]))
    words = _sentences.words(
        spec,
        provenance,
        language,
        base=_sentences.base_of([item.cells[0].n for item in items], provenance, language, shares=False),
        notes=[_sentences.scale_ends(*ends, language), *_notes(items, provenance, language)],
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
            findings=_findings(items, groups, language),
            flags=_flags(items, groups, provenance, language),
        ),
        columns=[_sentences.COLUMNS[language][name] for name in _COLUMNS],
        rows=[
            _table_row(item, group, cell, provenance, language)
            for item in items
            for group, cell in zip(groups, item.cells, strict=True)
        ],
        provenance=provenance,
        estimates_sha256=fingerprint(estimates, spec.table),
    )


def _items(spec: ChartSpec, codebook: Codebook) -> tuple[Variable, ...]:
    further = codebook.set(key(spec, "further")) if "further" in spec.options else ()
    return (*members(spec, codebook), *further)


def _table(
    estimates: Estimates, spec: ChartSpec, codebook: Codebook, asked: Sequence[Variable], language: str
) -> tuple[list[Group], list[Item]]:
    """Return the groups that somebody belongs to, and the means of each item in them."""
    banner = key(spec, "banner")
    found = cells(
        estimates.select(table=spec.table, statistic=MEAN, estimand="respondent", banner=(TOTAL, banner)),
        ("variable", "banner_code"),
    )
    codes = [category.code for category in codebook[banner].categories]
    lacking = [one.name for one in asked if any((one.name, code) not in found for code in (TOTAL, *codes))]
    if lacking:
        raise AnalystError(
            f"table {spec.table} has no means of {', '.join(lacking)} by {banner}; add them to it in plan.yaml"
        )
    most = {code: max(found[one.name, code].n for one in asked) for code in (TOTAL, *codes)}
    kept = [code for code in (TOTAL, *codes) if most[code]]
    groups = [
        Group(
            code,
            _sentences.ALL_RESPONDENTS[language]
            if code == TOTAL
            else category_label(spec, codebook, banner, code, language),
            most[code],
        )
        for code in kept
    ]
    items = [Item(option_label(spec, one, language), tuple(found[one.name, code] for code in kept)) for one in asked]
    return groups, items


@dataclass(frozen=True)
class _Layout:
    """Where everything in the body stands. On a narrow sheet an item's words stand above its cells."""

    items: Sequence[Item]
    groups: Sequence[Group]
    ends: tuple[float, float]
    language: str
    look: Look

    @property
    def body(self) -> float:
        return self.head + sum(self.heights) + 4

    def draw(self, sheet: theme.Sheet) -> None:
        top = sheet.top + self.head
        for place, (group, lines) in enumerate(zip(self.groups, self.headings, strict=True)):
            x = self._left(place) + self.column / 2
            first = top - 28 - LINE * (len(lines) - 1)
            weight = "SemiBold" if place == 0 else "Medium"
            for index, line in enumerate(lines):
                sheet.text(x, first + LINE * index, line, size=self.look.axis, weight=weight, align="center")
            n = number(group.n, self.language) if place else base(group.n, self.language)
            sheet.text(x, top - 11, n, size=self.look.axis, colour=MUTED, align="center")
        y = top
        for item, lines, height in zip(self.items, self.labels, self.heights, strict=True):
            sheet.rule((sheet.left, sheet.right), (y, y), RULE if y == top else GRID, zorder=1)
            words = y + 6 + LINE * len(lines) / 2 if self.look.narrow else y + height / 2
            sheet.lines(sheet.left, words, lines, size=self.look.small)
            middle = y + height - CELL / 2 - 3 if self.look.narrow else y + height / 2
            for place, cell in enumerate(item.cells):
                self._cell(sheet, cell, place, middle)
            y += height

    @cached_property
    def labels(self) -> list[list[str]]:
        room = self.look.inner if self.look.narrow else STUB - 12
        return [wrapped(item.label, room, self.look.small) for item in self.items]

    @cached_property
    def heights(self) -> list[float]:
        if self.look.narrow:
            return [LINE * len(lines) + CELL + 14 for lines in self.labels]
        return [max(CELL + 6, LINE * len(lines) + 10) for lines in self.labels]

    @cached_property
    def headings(self) -> list[list[str]]:
        return [
            wrapped(group.label, self.column - 4, self.look.axis, "Medium" if place else "SemiBold")
            for place, group in enumerate(self.groups)
        ]

    @property
    def head(self) -> float:
        return LINE * max(len(lines) for lines in self.headings) + 26

    @property
    def column(self) -> float:
        return (self.look.right - self._left(0)) / len(self.groups)

    def _left(self, place: int) -> float:
        first = self.look.left + (0 if self.look.narrow else STUB)
        return first if place == 0 else first + place * self.column

    def _cell(self, sheet: theme.Sheet, cell: Cell, place: int, y: float) -> None:
        x = self._left(place)
        if cell.hidden:
            sheet.text(x + self.column / 2, y, cell.sign, colour=MUTED, align="center")
            return
        low, high = self.ends
        step = min(int((cell.share - low) / (high - low) * len(TINTS)), len(TINTS) - 1)
        sheet.box(x, y - CELL / 2, self.column, CELL, TINTS[step], gap=SEAM)
        figure = number(cell.share, self.language, 1) + ("*" if cell.small else "")
        weight = "SemiBold" if place == 0 else "Regular"
        sheet.text(x + self.column / 2, y, figure, weight=weight, colour=ink_on(TINTS[step]), align="center")


def _notes(items: Sequence[Item], provenance: Provenance, language: str) -> Iterator[str]:
    every = [cell for item in items for cell in item.cells]
    if any(cell.small and not cell.hidden for cell in every):
        yield _sentences.star(provenance.rules["small_base"], language)
    yield _sentences.hidden([cell.flag for cell in every], provenance, language)
    if any(len({item.cells[place].n for item in items}) > 1 for place in range(len(items[0].cells))):
        yield _sentences.group_bases_vary(language)


def _findings(items: Sequence[Item], groups: Sequence[Group], language: str) -> Iterator[str]:
    widest = max(items, key=lambda item: item.spread)
    if widest.spread:
        sound = [
            (group, cell) for group, cell in zip(groups, widest.cells, strict=True) if not (cell.hidden or cell.small)
        ][1:]
        ends = (pick(sound, key=lambda pair: pair[1].share) for pick in (min, max))
        low, high = ((plain(group.label), number(cell.share, language, 1), cell.n) for group, cell in ends)
        yield _sentences.spread(plain(widest.label), low, high, language)


def _flags(items: Sequence[Item], groups: Sequence[Group], provenance: Provenance, language: str) -> Iterator[str]:
    columns = list(zip(groups, zip(*(item.cells for item in items), strict=True), strict=True))
    hidden = [group for group, column in columns if all(cell.hidden for cell in column)]
    if len(hidden) == len(groups):
        yield _sentences.nothing_shown(language)
        return
    small = [plain(group.label) for group, column in columns if any(cell.small and not cell.hidden for cell in column)]
    if small:
        yield _sentences.small_groups(small, provenance.rules["small_base"], language)
    if hidden:
        yield _sentences.hidden_groups(len(hidden), language)


_COLUMNS = ("question", "group", "mean", "mean_low", "mean_high", "n", "organisations", "mark", "data")


def _table_row(item: Item, group: Group, cell: Cell, provenance: Provenance, language: str) -> list[Figure]:
    return [
        plain(item.label),
        plain(group.label),
        *(number(value, language, 2) for value in (cell.share, cell.low, cell.high)),
        cell.n,
        cell.organisations,
        _sentences.mark(hidden=cell.hidden, small=cell.small, language=language),
        _sentences.data(provenance, language),
    ]
