"""How a table is laid on paper: the widths of its columns, and where one too wide for the page is divided.

All widths are in points. Letters are counted, not measured: the typeface has one width of figures, and a line that a
label breaks too early or too late is no fault.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil

from analysis import wording
from reports.parts.table import Column, Row, Table

PAGE = {False: 482.0, True: 740.0}
"""Room between the margins, upright and turned sideways."""

FIGURE, DETAIL, LETTER, WORD, TITLE = 5.1, 3.9, 4.3, 4.3, 4.3
"""Widths of a character: of a figure, of its interval, of letters of significance, of words, of a column's title."""

GAP = 7.0
"""What a column has left and right of its text together."""

NARROWEST = 26.0
STUB = (110.0, 200.0)
"""How narrow and how wide the first column may be where the others leave a choice."""

WORDS = (70.0, 190.0)
"""The same of a column of words."""

SYLLABLE, PIECE, COMPOUND = 9, 13, 17
"""Letters that a column must have room for: of a word that is broken anywhere, of what its author's soft hyphens leave
whole; and of a word that should stand whole where the page is wide enough."""


@dataclass(frozen=True)
class Panel:
    """The columns of a table that stand together, by their places, and their widths with that of the stub first."""

    columns: tuple[int, ...]
    widths: tuple[float, ...]


def fits(table: Table, *, wide: bool) -> bool:
    """Return whether *table* stands on the page whole, with nothing narrowed but its first column."""
    natural = [_natural(table, place) for place in range(len(table.columns))]
    return STUB[0] + sum(natural) <= PAGE[wide]


def divide(table: Table, *, wide: bool) -> tuple[Panel, ...]:
    """Return *table* in as few panels as fit on the page; each begins with the stub and the columns of bases."""
    room = PAGE[wide]
    natural = [_natural(table, place) for place in range(len(table.columns))]
    if fits(table, wide=wide) or any(not column.numeric for column in table.columns):
        parts = [tuple(range(len(natural)))]
    else:
        parts = list(_parts(table, natural, room - STUB[0]))
    return tuple(Panel(places, _fitted(table, places, natural, room)) for places in parts)


def whole(title: str, width: float) -> bool:
    """Return whether a column of *width* can hold *title* broken between words and at soft hyphens only."""
    return TITLE * _longest(_at_soft_hyphens(title)) + GAP <= width


def runs(columns: Sequence[Column]) -> Iterator[tuple[str, list[Column]]]:
    """Yield the shared headings of neighbouring columns, each with its columns."""
    run: list[Column] = []
    for column in columns:
        if run and run[-1].group != column.group:
            yield run[-1].group, run
            run = []
        run.append(column)
    if run:
        yield run[-1].group, run


def _parts(table: Table, natural: Sequence[float], room: float) -> Iterator[tuple[int, ...]]:
    """Yield the places of each panel's columns: the bases, then about as many others in each."""
    bases = tuple(place for place, column in enumerate(table.columns) if column.base and not column.group)
    others = [place for place in range(len(natural)) if place not in bases]
    left = room - sum(natural[place] for place in bases)
    count = ceil(sum(natural[place] for place in others) / left)
    each = ceil(len(others) / count)
    start = 0
    while start < len(others):
        end = start + 1
        while end < min(start + each, len(others)) and sum(natural[place] for place in others[start : end + 1]) <= left:
            end += 1
        yield (*bases, *others[start:end])
        start = end


def _fitted(table: Table, places: Sequence[int], natural: Sequence[float], room: float) -> tuple[float, ...]:
    """Return widths that fit: roomier titles if there is room, else the stub narrowed, else all in proportion."""
    stub, widths = _stub(table), [natural[place] for place in places]
    free = room - sum(widths)
    if free < STUB[0]:
        shrink = room / (STUB[0] + sum(widths))
        return tuple(width * shrink for width in (STUB[0], *widths))
    wishes = [max(0.0, _roomy(table, place) - natural[place]) for place in places]
    given = min(1.0, max(0.0, free - stub) / sum(wishes)) if sum(wishes) else 0.0
    return (min(stub, free), *(width + given * wish for width, wish in zip(widths, wishes, strict=True)))


def _stub(table: Table) -> float:
    longest = _most(row.title for row in table.rows if isinstance(row, Row))
    return min(max(longest * WORD + GAP, STUB[0]), STUB[1])


def _texts(table: Table, place: int) -> Iterator[str]:
    return (row.cells[place].text for row in table.rows if isinstance(row, Row))


def _most(texts: Iterable[str]) -> int:
    return max((len(wording.plain(text)) for text in texts), default=0)


def _natural(table: Table, place: int) -> float:
    column = table.columns[place]
    cells = [row.cells[place] for row in table.rows if isinstance(row, Row)]
    title = TITLE * min(
        _longest(_at_soft_hyphens(column.title)), PIECE if wording.SOFT_HYPHEN in column.title else SYLLABLE
    )
    if not column.numeric:
        longest = _most(_texts(table, place))
        widest = WORDS[1] * 2 if column.code else WORDS[1]
        return max(min(longest * WORD + GAP, widest), min(WORDS[0], longest * WORD + GAP), title + GAP)
    text = max((FIGURE * (len(cell.text) + len(cell.mark)) + LETTER * len(cell.letters) for cell in cells), default=0)
    detail = max((DETAIL * len(cell.detail) for cell in cells), default=0)
    return max(text, detail, title, NARROWEST - GAP) + GAP


def _roomy(table: Table, place: int) -> float:
    """Return the width at which a column is easy to read: its title in three lines at most, its words in few."""
    title = wording.plain(table.columns[place].title)
    letters = max(min(_longest(title), COMPOUND), ceil(len(title) / 2.4))
    words = 0 if table.columns[place].numeric else min(_most(_texts(table, place)), 85)
    return max(TITLE * letters, WORD * words) + GAP


def _at_soft_hyphens(title: str) -> str:
    return title.replace(wording.SOFT_HYPHEN, "- ")


def _longest(title: str) -> int:
    return max((len(piece) for piece in title.replace("-", "- ").split()), default=0)
