"""The three looks of a chart: wide, its narrow twin for telephones, and without a frame for reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Look:
    """Widths and sizes in pixels. *framed*: kicker, headline, subtitle and footer are written around the body.

    A report prints those itself, next to the drawing without a frame. A headline takes *headlines* lines at most.
    """

    name: Literal["wide", "narrow", "report"]
    width: float
    margin: float
    headline: float
    subtitle: float
    label: float
    footer: float
    headlines: int = 2
    framed: bool = True
    small: float = 12
    axis: float = 11
    kicker: float = 11

    @property
    def left(self) -> float:
        return self.margin

    @property
    def right(self) -> float:
        return self.width - self.margin

    @property
    def inner(self) -> float:
        return self.width - 2 * self.margin

    @property
    def narrow(self) -> bool:
        return self.name == "narrow"


WIDE = Look("wide", width=720, margin=24, headline=24, subtitle=15, label=13, footer=12)
# A Swedish compound fills half a line here: a headline of two lines at full width may take three.
NARROW = Look("narrow", width=400, margin=24, headline=20, subtitle=14, label=12, footer=11, headlines=3)
# The margin keeps a dot at 100 % on the sheet, and no more: the report's text has margins of its own.
REPORT = Look("report", width=720, margin=6, headline=24, subtitle=15, label=13, footer=12, framed=False)

LOOKS = (WIDE, NARROW, REPORT)
