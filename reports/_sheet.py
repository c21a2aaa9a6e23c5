"""One question of the book as a sheet: answers down, the groups of every banner across, every way of counting."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from math import isfinite

from analysis import comparisons, wording
from analysis.estimates import COMPLEMENTARY, HIDDEN, NOT_ESTIMABLE, TOTAL
from analysis.letters import ALPHA
from kysely.codebook import Kind as Scale
from reports._figures import BOOK, HIDDEN_SIGN, Figures, Kind
from reports._material import Line
from reports.parts.workbook import Entry, Look, Sheet

STUB_WIDTH, GROUP_WIDTH = 46.0, 13.0
NOTE_SPAN = 9
"""Columns that a note spans, so that it can be read without scrolling."""

_LOOKS = {"mean": Look.MEAN, "mean100": Look.MEAN100}
_NOTES = ("letters", "small_base", "suppressed", "complementary", "not_estimable", "dash")
_OWN_NOTES = ("letters", "not_estimable")
"""Notes worded for the book, whose groups are columns and whose cells show no interval."""


@dataclass(frozen=True)
class Group:
    """A column of a sheet: the whole sample, or one group of a banner."""

    banner: str
    code: str
    label: str
    letter: str = ""


@dataclass(frozen=True)
class Measure:
    """A run of rows: one statistic of several codes, under a *heading* where a sheet has more than one run."""

    statistic: str
    codes: tuple[str, ...]
    heading: str = ""


@dataclass
class QuestionSheet:
    """Builds the sheet of the variable, set or score *variable*; remembers which signs it has to explain."""

    figures: Figures
    variable: str
    name: str
    index: str
    used: set[str] = field(default_factory=set)

    def build(self) -> Sheet:
        """Return the sheet."""
        say, title = self.figures.say, self.figures.title(self.variable)
        head = (
            (Entry(title, Look.TITLE),),
            (Entry(say("book.back"), Look.LINK, link=self.index),),
            *self._heads(),
        )
        rows = [*head, *(row for kind in self.figures.kinds for row in self._block(kind))]
        across = min(len(self.groups) + 1, NOTE_SPAN)
        rows += [(), *((Entry(note, Look.NOTE, across=across),) for note in self._notes())]
        widths = (STUB_WIDTH, *(GROUP_WIDTH,) * len(self.groups))
        breaks = tuple(1 + self.groups.index(groups[0]) for _, groups in self._banners())
        return Sheet(self.name, title, tuple(rows), widths, head=len(head), stub=True, breaks=breaks)

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """The columns: the whole sample first, then the groups of each banner that somebody is in."""
        figures = self.figures
        found = [Group(TOTAL, TOTAL, figures.say("table.all"))]
        for banner in figures.material.plan.banners:
            of_banner = (
                Group(banner, code, figures.label(banner, code), comparisons.letter(place))
                for place, code in enumerate(figures.codes(banner))
            )
            found += [group for group in of_banner if any(line["base_n"] for line in self._lines(group))]
        return tuple(found)

    @cached_property
    def measures(self) -> tuple[Measure, ...]:
        figures, say = self.figures, self.figures.say
        codes, statistic = figures.codes(self.variable), figures.statistic(self.variable)
        if statistic == "central":
            return tuple(Measure(one, codes, say(f"statistics.{one}")) for one in ("selected", "central", "mean100"))
        if statistic == "share" and figures.material.codebook[self.variable].kind is Scale.LEVEL:
            return (Measure(statistic, codes), Measure("mean", ("",)), Measure("mean100", ("",)))
        return (Measure(statistic, codes),)

    def base(self, column: str) -> int | None:
        """Return the largest base of the whole sample, None if nothing was estimated."""
        return max((int(line[column]) for line in self._lines(self.groups[0])), default=None)

    # ---- the heading ------------------------------------------------------------------------------

    def _heads(self) -> Iterator[tuple[Entry, ...]]:
        runs = [(TOTAL, 1), *((banner, len(groups)) for banner, groups in self._banners())]
        titles = (
            Entry(None if banner == TOTAL else self.figures.title(banner), Look.HEAD, across=wide)
            for banner, wide in runs
        )
        yield (Entry(None, Look.HEAD), *titles)
        yield (Entry(None, Look.HEAD), *(Entry(group.label, Look.HEAD) for group in self.groups))
        yield (Entry(None, Look.LETTER), *(Entry(group.letter or None, Look.LETTER) for group in self.groups))

    def _banners(self) -> Iterator[tuple[str, list[Group]]]:
        """Yield each banner of the sheet with its columns."""
        for banner in dict.fromkeys(group.banner for group in self.groups[1:]):
            yield banner, [group for group in self.groups if group.banner == banner]

    # ---- the figures ------------------------------------------------------------------------------

    def _block(self, kind: Kind) -> Iterator[tuple[Entry, ...]]:
        say = self.figures.say
        yield (Entry(say(f"book.{kind.key}"), Look.SECTION, across=len(self.groups) + 1),)
        yield from self._bases(kind, "base_n", "book.n", marked=True)
        if kind.weighted:
            yield from self._weighted_bases(kind)
        yield from self._bases(kind, "base_organisations", "book.organisations")
        for measure in self.measures:
            if measure.heading:
                yield (Entry(measure.heading, Look.STUB, strong=True),)
            for code in measure.codes:
                yield from self._answer(kind, measure.statistic, code)
        yield from self._tests(kind)

    def _weighted_bases(self, kind: Kind) -> Iterator[tuple[Entry, ...]]:
        """Yield the sums of the weights, as `_bases`; a group that is hidden has none."""
        found = [
            [float(line["base_weighted"]) for line in self._lines(group, kind) if line["flag"] not in HIDDEN]
            for group in self.groups
        ]
        one = all(max(bases) - min(bases) < 1e-9 * max(bases) for bases in found if bases)
        for pick, name in ((max, ""),) if one else ((min, "_smallest"), (max, "_largest")):
            cells = (Entry(pick(bases), Look.MEAN100) if bases else Entry(HIDDEN_SIGN, Look.SIGN) for bases in found)
            yield (Entry(self.figures.say(f"book.weighted_base{name}"), Look.STUB), *cells)

    def _bases(self, kind: Kind, column: str, key: str, *, marked: bool = False) -> Iterator[tuple[Entry, ...]]:
        """Yield the bases; in two rows, from and to, where the answers do not all have the same one."""
        found = [self._lines(group, kind) for group in self.groups]
        ends = [[pick(int(line[column]) for line in lines) for lines in found] for pick in (min, max)]
        small = [any(line["small_base"] and line["flag"] not in HIDDEN for line in lines) for lines in found]
        if marked and any(small):
            self.used.add("small_base")
        one = ends[0] == ends[1]
        for end, name in zip(ends[:1] if one else ends, ("",) if one else ("_smallest", "_largest"), strict=True):
            cells = (
                Entry(base, Look.COUNT, mark="*" if marked and few else "", muted=few)
                for base, few in zip(end, small, strict=True)
            )
            yield (Entry(self.figures.say(f"{key}{name}"), Look.STUB), *cells)

    def _answer(self, kind: Kind, statistic: str, code: str) -> Iterator[tuple[Entry, ...]]:
        """Yield the figures of one answer and, where there are any, the letters under them."""
        lines = [self._line(group, statistic, code, kind) for group in self.groups]
        label = self.figures.label(self.variable, code) if code else self.figures.say(f"statistics.{statistic}")
        yield (Entry(label, Look.STUB), *map(self._cell, lines))
        letters = ["" if line is None or line["flag"] in HIDDEN else str(line["letters"]) for line in lines]
        if any(letters):
            self.used.add("letters")
            yield (Entry(None, Look.STUB), *(Entry(one or None, Look.LETTERS) for one in letters))

    def _cell(self, line: Line | None) -> Entry:
        """Return a figure as a number, or the sign that stands for it."""
        if line is not None and line["flag"] in HIDDEN:
            kind = "complementary" if line["flag"] == COMPLEMENTARY else "suppressed"
            self.used.add(kind)
            return Entry(f"{HIDDEN_SIGN}{'ᵗ' if kind == 'complementary' else ''}", Look.SIGN)
        if line is None or not isfinite(line["estimate"]):
            self.used.add("dash")
            return Entry(wording.EN_DASH, Look.SIGN)
        mark = "‡" if line["flag"] == NOT_ESTIMABLE else ""
        if mark:
            self.used.add("not_estimable")
        look = _LOOKS.get(str(line["statistic"]), Look.SHARE)
        return Entry(float(line["estimate"]), look, mark=mark, muted=bool(line["small_base"]))

    def _tests(self, kind: Kind) -> Iterator[tuple[Entry, ...]]:
        """Yield the adjusted p of each banner under its groups."""
        tests = self.figures.tests_of(kind)
        found = [(tests.get((self.variable, banner)), groups) for banner, groups in self._banners()]
        if any(test is not None for test, _ in found):
            cells = (adjusted(test, across=len(groups)) for test, groups in found)
            yield (Entry(self.figures.say("tests.p_adjusted"), Look.STUB), Entry(), *cells)

    def _lines(self, group: Group, kind: Kind | None = None) -> list[Line]:
        """Return the estimates behind a column, of one way of counting or of all."""
        lines = (
            self._line(group, measure.statistic, code, one)
            for measure in self.measures
            for code in measure.codes
            for one in ((kind,) if kind else self.figures.kinds)
        )
        return [line for line in lines if line is not None]

    def _line(self, group: Group, statistic: str, code: str, kind: Kind) -> Line | None:
        at = (group.banner, group.code)
        return self.figures.find(BOOK, self.variable, code, statistic, kind.estimand, at, weighted=kind.weighted)

    # ---- what is under it -------------------------------------------------------------------------

    def _notes(self) -> Iterator[str]:
        figures, say = self.figures, self.figures.say
        if figures.statistic(self.variable) == "central":
            yield say("reader.central")
            yield say("table.modes_note")
        elif self.variable not in figures.material.codebook:
            yield say("table.several")
        elif figures.material.codebook[self.variable].kind is Scale.LEVEL:
            yield say("crosstabs.two_step")
        if figures.material.weighted:
            yield say("table.weighted_note")
        yield from notes(figures, self.used)


def notes(figures: Figures, used: Iterable[str]) -> tuple[str, ...]:
    """Return what the signs *used* mean, in the order of the house."""
    limit = figures.material.limit
    values = {
        "respondents": limit("suppress_respondents"),
        "organisations": limit("suppress_organisations"),
        "small_base": limit("small_base"),
    }
    kept = [name for name in _NOTES if name in set(used)]
    return tuple(
        figures.say(f"book.{name}_note" if name in _OWN_NOTES else f"signs.{name}_note", **values) for name in kept
    )


def adjusted(test: Line | None, *, across: int = 1) -> Entry:
    """Return the adjusted p of a test, a dash where it could not be made, nothing where there is none to make."""
    if test is None:
        return Entry(None, across=across)
    if test["reason"]:
        return Entry(wording.EN_DASH, Look.SIGN, across=across)
    p = float(test["p_adjusted"])
    return Entry(p, Look.PROBABILITY, across=across, strong=p < ALPHA)
