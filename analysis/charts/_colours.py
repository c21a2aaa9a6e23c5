"""The colours of charts: every fill at least 3:1 on white, every text at least 4.5:1 on what it stands on.

White seams part the fills, so that no demand is left on the contrast of neighbours (WCAG 1.4.11, technique G209).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from itertools import chain

PAPER = "#FFFFFF"
INK, SUBTITLE, MUTED, RULE, GRID, WARNING = "#1A1A1A", "#404040", "#595959", "#BFBFBF", "#E3E3E3", "#A3281E"

LEVELS = ("#5E5E5E", "#949494", "#4A90C2", "#0E3F6E")
"""Four levels of an ordered scale, grey for the lower half: no level is good or bad."""

STAGES = ("#6A98C0", "#2F6AA3", "#0B2F57")
"""Three stages of a stage matrix."""

BAR = "#2F6AA3"
"""Bars and dots of what has no colour of its own."""

TINTS = ("#F1F5F9", "#DCE7F1", "#B4CDE2", "#6A98C0", "#2F6AA3")
"""Behind figures, deeper as they grow; what they say stands in the figure."""

BAND = "#F4F4F4"
"""Behind every other row, where rows are long."""

GOAL = "#0E5A8A"
"""What is wished for, beside the grey of today."""

_GREYS, _BLUES = LEVELS[:2], LEVELS[2:]
_BROWNS, _MIDDLE = ("#6E3B0C", "#C77C2E"), "#8A8A8A"

_OPTIONS = {"PROD": "#CF7B1F", "DEV": "#2F8AC0", "CUST": "#06463C", "PUB": "#7A2E85"}
_SPARE = ("#5E5E5E", "#949494", "#AA3311")

_PAIR = (GOAL, "#949494")

OPTIONS = len(_OPTIONS) + len(_SPARE)
"""How many options can have a colour that tells them apart."""


def option_colours(codes: Iterable[str]) -> dict[str, str]:
    """Return each option's colour: the study's modes keep theirs in every chart, others take what is left.

    Two answers that are no modes, such as yes and no, are blue and grey. Those beyond OPTIONS are all of one grey.
    """
    codes = tuple(codes)
    if len(codes) == len(_PAIR) and not set(codes) & set(_OPTIONS):
        return dict(zip(codes, _PAIR, strict=True))
    left = chain((colour for code, colour in _OPTIONS.items() if code not in codes), _SPARE)
    return {code: _OPTIONS.get(code) or next(left, MUTED) for code in codes}


def scale_colours(count: int) -> tuple[str, ...]:
    """Return the colours of an ordered scale of *count* levels, the lowest first.

    An even scale parts into grey and blue. One with a middle has it in grey, between brown and blue, which nobody
    reads as bad and good and everybody tells apart.
    """
    half = count // 2
    if count % 2 == 0:
        return (*_ramp(*_GREYS, half, outer=_GREYS[0]), *_ramp(*_BLUES, half, outer=_BLUES[1]))
    return (*_ramp(*_BROWNS, half, outer=_BROWNS[0]), _MIDDLE, *_ramp(*_BLUES, half, outer=_BLUES[1]))


def contrast(one: str, other: str) -> float:
    """Return the WCAG contrast ratio of two colours, 1 to 21."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def ink_on(fill: str) -> str:
    """Return white or near black, whichever reads better on *fill*; black on the few where neither reads well."""
    better = max((PAPER, "#111111"), key=lambda ink: contrast(ink, fill))
    return better if contrast(better, fill) >= 4.5 else "#000000"


@lru_cache
def as_text(colour: str) -> str:
    """Return *colour* darkened until words written in it on white pass WCAG 1.4.3 with a little to spare."""
    channels: tuple[float, ...] = _channels(colour)
    while contrast(_hex(channels), PAPER) < 4.6:
        channels = tuple(0.98 * channel for channel in channels)
    return _hex(channels)


def _ramp(first: str, last: str, count: int, *, outer: str) -> list[str]:
    """Return *count* colours from one end to the other; a single one is the *outer* end of its side."""
    if count == 1:
        return [outer]
    ends = _channels(first), _channels(last)
    steps = [place / (count - 1) for place in range(count)]
    return [_hex(a + (b - a) * step for a, b in zip(*ends, strict=True)) for step in steps]


def _luminance(colour: str) -> float:
    linear = [
        channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
        for channel in (value / 255 for value in _channels(colour))
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _hex(channels: Iterable[float]) -> str:
    return "#" + "".join(f"{int(channel):02X}" for channel in channels)
