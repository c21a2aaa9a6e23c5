"""A chart that analysis has drawn, with its words and the numbers it shows."""

from __future__ import annotations

from dataclasses import dataclass

from reports.parts.table import Table


@dataclass(frozen=True)
class Chart:
    """*svg* is the drawing without its frame: *title*, *subtitle* and *notes* (base, remarks, source) stand around it.

    *alt* says what it shows, *table* holds the same numbers behind the words *summary*.
    """

    id: str
    title: str
    subtitle: str
    svg: str
    alt: str
    notes: tuple[str, ...]
    table: Table
    summary: str
