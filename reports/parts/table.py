"""Tables: columns with heads, rows in groups, cells that say why a number is not there."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """A column's heading; *group* is the heading it shares with its neighbours, *numeric* sets figures right,
    *base* is of bases and stands back, *code* of hashes."""

    title: str
    group: str = ""
    numeric: bool = True
    base: bool = False
    code: bool = False


@dataclass(frozen=True)
class Cell:
    """One cell. *detail* stands under the text (an interval), *mark* behind it (a sign the table's notes explain).

    *spoken* is what the text means where the text is only a sign. *letters* name the rows of the same heading whose
    figure is significantly smaller.
    """

    text: str
    detail: str = ""
    mark: str = ""
    spoken: str = ""
    letters: str = ""
    muted: bool = False
    strong: bool = False


@dataclass(frozen=True)
class Head:
    """A row that heads the rows under it, across the whole table."""

    title: str


@dataclass(frozen=True)
class Row:
    """One row; *letter* is what other rows' cells call it by."""

    title: str
    cells: tuple[Cell, ...]
    strong: bool = False
    detail: str = ""
    letter: str = ""


@dataclass(frozen=True)
class Table:
    """A table that can be read alone: caption, what it counts, notes on its signs.

    *stub* is the heading of the first column. *folded* tables wait behind their caption
    where a format can do that, *prose* ones hold sentences, *narrow* ones so many columns that paper is short.
    """

    id: str
    caption: str
    stub: str
    columns: tuple[Column, ...]
    rows: tuple[Row | Head, ...]
    subtitle: str = ""
    notes: tuple[str, ...] = ()
    folded: bool = False
    prose: bool = False
    narrow: bool = False

    @property
    def grouped(self) -> bool:
        return any(column.group for column in self.columns)

    def groups(self) -> tuple[tuple[str, int], ...]:
        """Return the shared headings in order, each with the number of columns under it."""
        runs: list[tuple[str, int]] = []
        for column in self.columns:
            if runs and runs[-1][0] == column.group:
                runs[-1] = (column.group, runs[-1][1] + 1)
            else:
                runs.append((column.group, 1))
        return tuple(runs)
