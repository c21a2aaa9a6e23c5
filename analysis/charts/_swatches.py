"""The key of a chart: a square of each colour with its name, in as few rows as they take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil

from analysis.charts import _theme as theme
from analysis.charts._fonts import width
from analysis.charts._lines import wrapped
from analysis.charts._look import Look

SQUARE, INDENT, GAP, ROW = 11.0, 16.0, 16.0, 18.0  # the square; from its left to its name; between two; between rows


@dataclass(frozen=True)
class _Name:
    x: float
    colour: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Swatches:
    """Names with their colours, in *groups* that begin a row each if they don't fit beside one another.

    *around* is an x that the last name of the first group should end before, and the second group begin after.
    """

    groups: Sequence[Sequence[tuple[str, str]]]
    look: Look
    around: float | None = None

    @property
    def height(self) -> float:
        return sum(ROW + (self._lines(row) - 1) * self._line for row in self.rows)

    @property
    def last_begins(self) -> float:
        return self.rows[-1][0].x

    def draw(self, sheet: theme.Sheet, y: float) -> None:
        """Draw the key with the middle of its first line at *y*."""
        for row in self.rows:
            for name in row:
                sheet.box(name.x, y - SQUARE / 2, SQUARE, SQUARE, name.colour)
                for place, line in enumerate(name.lines):
                    sheet.text(name.x + INDENT, y + place * self._line, line, size=self.look.small)
            y += ROW + (self._lines(row) - 1) * self._line

    @cached_property
    def rows(self) -> list[list[_Name]]:
        together = [name for group in self.groups for name in group]
        if self._length(together) <= self.look.inner:
            return [self._placed(together, self._begin(together))]
        return [self._placed(row, self.look.left) for group in self.groups for row in self._broken(group)]

    def _broken(self, group: Sequence[tuple[str, str]]) -> list[Sequence[tuple[str, str]]]:
        """Return *group* in as few rows as it takes, with about as many names in each."""
        for count in range(1, len(group) + 1):
            size = ceil(len(group) / count)
            rows = [group[place : place + size] for place in range(0, len(group), size)]
            if all(self._length(row) <= self.look.inner for row in rows):
                break
        return rows

    @property
    def _line(self) -> float:
        return self.look.small * theme.LINE

    def _lines(self, row: Sequence[_Name]) -> int:
        return max(len(name.lines) for name in row)

    def _begin(self, together: Sequence[tuple[str, str]]) -> float:
        if self.around is None:
            return self.look.left
        first = self._length(self.groups[0])
        before = self.around - (first + GAP / 2 if len(self.groups) > 1 else first / 2)
        return min(max(self.look.left, before), self.look.right - self._length(together))

    def _placed(self, names: Sequence[tuple[str, str]], x: float) -> list[_Name]:
        placed = []
        for text, colour in names:
            placed.append(_Name(x, colour, tuple(self._wrapped(text))))
            x += self._length([(text, colour)]) + GAP
        return placed

    def _length(self, names: Sequence[tuple[str, str]]) -> float:
        widths = [max(width(line, self.look.small) for line in self._wrapped(text)) for text, _ in names]
        return sum(widths) + INDENT * len(names) + GAP * (len(names) - 1)

    def _wrapped(self, text: str) -> list[str]:
        return wrapped(text, self.look.inner - INDENT, self.look.small)
