"""A chart that analysis has drawn, with its words and the numbers it shows."""

from __future__ import annotations

from dataclasses import dataclass

from reports.parts.table import Table


@dataclass(frozen=True)
class Chart:
    """*svg* is the drawing itself; *alt* says what it shows; *table* holds the same numbers."""

    id: str
    svg: str
    alt: str
    table: Table
    summary: str
