"""The anatomy every chart shares, its fonts and its colours. One unit is one CSS pixel, y runs downwards.

Kicker, headline, subtitle, body, rule and footer stand in the order and sizes of the study's chart
conventions; a chart fills the body and nothing else.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")  # before seaborn, which imports pyplot: no display is there to draw on

import pandas as pd
import seaborn
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from analysis.charts._sentences import Words
from analysis.wording import SOFT_HYPHEN

WIDTH = 720.0
MARGIN = 24.0
POINTS = 0.72  # points in a pixel at the figure's 100 dots per inch

INK, SUBTITLE, MUTED, RULE, GRID, WARNING = "#1A1A1A", "#404040", "#595959", "#BFBFBF", "#E3E3E3", "#A3281E"
PAPER = "#FFFFFF"

LEVELS = ("#5E5E5E", "#949494", "#4A90C2", "#0E3F6E")
"""Four levels of an ordered scale, grey for the lower half: no level is good or bad."""

_OPTIONS = {"PROD": "#CF7B1F", "DEV": "#2F8AC0", "CUST": "#06463C", "PUB": "#7A2E85"}

HEADLINE_SIZE, SUBTITLE_SIZE, KICKER_SIZE, FOOTER_SIZE = 24, 15, 11, 12
LABEL_SIZE, SMALL_SIZE, AXIS_SIZE = 13, 12, 11
LINE = 1.24  # line height of labels and headlines, in ems
_SUBTITLE_LINE, _FOOTER_LINE = 1.4, 1.42
_CAP_CENTRE = 0.364  # half of Inter's cap height, in ems

FONTS = Path(__file__).parents[2] / "kysely" / "fonts"

STYLE: dict[Any, Any] = {
    **seaborn.axes_style("white"),
    "figure.facecolor": PAPER,
    "text.hinting": "none",
    # Inter is given to each text by path; a letter it lacks must be noticed, not drawn as a box.
    "font.enable_last_resort": False,
    "text.parse_math": False,
    "svg.fonttype": "path",
    "svg.hashsalt": "kysely",
    "pdf.fonttype": 42,
}


class Sheet:
    """A drawing surface in pixels; `top` is where the chart's body begins."""

    def __init__(self, width: float, height: float, top: float):
        self.width, self.height, self.top = width, height, top
        self.left, self.right = MARGIN, width - MARGIN
        with matplotlib.rc_context(STYLE):
            self.figure = Figure(figsize=(width / 100, height / 100), dpi=100)
            self.axes: Axes = self.figure.add_axes(
                (0, 0, 1, 1), xlim=(0, width), ylim=(height, 0), xticks=(), yticks=()
            )
        self.axes.set_axis_off()

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float = LABEL_SIZE,
        weight: str = "Regular",
        colour: str = INK,
        align: str = "left",
        clear: bool = False,
    ) -> None:
        """Write *text* with its capitals centred on *y*; *clear* keeps lines from running through it."""
        self.axes.text(
            x,
            y + _CAP_CENTRE * size,
            text,
            fontproperties=_font(weight, size),
            color=colour,
            ha=align,
            va="baseline",
            # A box and no halo: path effects turn letters into outlines in PDF and SVG.
            bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 1.5 * POINTS} if clear else None,
        )

    def lines(
        self,
        x: float,
        y: float,
        lines: Sequence[str],
        *,
        size: float = LABEL_SIZE,
        weight: str = "Regular",
        colour: str = INK,
        align: str = "left",
    ) -> None:
        """Write several lines of text as a block centred on *y*."""
        for index, line in enumerate(lines):
            offset = (index - (len(lines) - 1) / 2) * size * LINE
            self.text(x, y + offset, line, size=size, weight=weight, colour=colour, align=align)

    def rule(self, x: tuple[float, float], y: tuple[float, float], colour: str, width: float = 1, **style) -> None:
        """Draw one straight line from (x0, y0) to (x1, y1)."""
        self.axes.plot(x, y, color=colour, linewidth=width * POINTS, solid_capstyle="butt", **style)

    def box(self, x: float, y: float, width: float, height: float, colour: str, *, gap: float = 0) -> None:
        """Fill a rectangle; *gap* is the white seam that parts it from its neighbours."""
        self.axes.add_patch(Rectangle((x, y), width, height, facecolor=colour, edgecolor=PAPER, linewidth=gap * POINTS))

    def dots(self, dots: pd.DataFrame, colours: Mapping[str, str], *, area: float) -> None:
        """Draw a dot at each x, y of *dots*, in the colour of its option; *area* in square points."""
        if dots.empty:
            return
        seaborn.scatterplot(
            dots,
            x="x",
            y="y",
            hue="option",
            palette=dict(colours),
            s=area,
            edgecolor="none",
            legend=False,
            clip_on=False,
            zorder=5,
            ax=self.axes,
        )


def sheet(words: Words, body: float, width: float = WIDTH) -> Sheet:
    """Return a sheet with everything written except the body, which gets *body* pixels from `sheet.top`."""
    inner = width - 2 * MARGIN
    headline = balanced(words.headline, inner, HEADLINE_SIZE, "Bold")
    subtitle = without_orphan(words.subtitle, inner, SUBTITLE_SIZE)
    footer = [(label, _footer_lines(label, text, inner)) for label, text in words.footer if text]

    kicker_height = 20.0 if words.kicker else 0.0
    top = MARGIN - 4 + kicker_height
    top += len(headline) * HEADLINE_SIZE * LINE + 5 + len(subtitle) * SUBTITLE_SIZE * _SUBTITLE_LINE + 14
    rule = top + body + 12
    height = rule + 10 + sum(len(lines) for _, lines in footer) * FOOTER_SIZE * _FOOTER_LINE + MARGIN - 8

    page = Sheet(width, float(round(height)), top)
    y = MARGIN - 4
    if words.kicker:
        page.text(MARGIN, y + 6, words.kicker, size=KICKER_SIZE, weight="SemiBold", colour=WARNING)
        y += kicker_height
    for line in headline:
        page.text(MARGIN, y + HEADLINE_SIZE * LINE / 2, line, size=HEADLINE_SIZE, weight="Bold")
        y += HEADLINE_SIZE * LINE
    y += 5
    for line in subtitle:
        page.text(MARGIN, y + SUBTITLE_SIZE * _SUBTITLE_LINE / 2, line, size=SUBTITLE_SIZE, colour=SUBTITLE)
        y += SUBTITLE_SIZE * _SUBTITLE_LINE
    page.rule((MARGIN, width - MARGIN), (rule, rule), RULE)
    y = rule + 10
    for label, lines in footer:
        page.text(MARGIN, y + FOOTER_SIZE / 2, label, size=FOOTER_SIZE, weight="SemiBold", colour=MUTED)
        for index, line in enumerate(lines):
            x = MARGIN if index else MARGIN + _footer_indent(label)
            page.text(x, y + FOOTER_SIZE / 2, line, size=FOOTER_SIZE, colour=MUTED)
            y += FOOTER_SIZE * _FOOTER_LINE
    return page


def option_colours(codes: Iterable[str]) -> dict[str, str]:
    """Return each option's colour: the study's modes keep theirs in every chart, others take what is left."""
    codes = tuple(codes)
    left = (colour for code, colour in _OPTIONS.items() if code not in codes)
    spare = chain(left, repeat(MUTED))
    return {code: _OPTIONS.get(code) or next(spare) for code in codes}


def contrast(one: str, other: str) -> float:
    """Return the WCAG contrast ratio of two colours, 1 to 21."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def ink_on(fill: str) -> str:
    """Return white or near black, whichever reads better on *fill*."""
    return max((PAPER, "#111111"), key=lambda ink: contrast(ink, fill))


@lru_cache
def as_text(colour: str) -> str:
    """Return *colour* darkened until words written in it on white pass WCAG 1.4.3 with a little to spare."""
    channels: tuple[float, ...] = _channels(colour)
    while contrast(_hex(channels), PAPER) < 4.6:
        channels = tuple(0.98 * channel for channel in channels)
    return _hex(channels)


@lru_cache(4096)
def text_width(text: str, size: float, weight: str = "Regular") -> float:
    """Return how many pixels *text* takes in one line."""
    font = font_manager.get_font(str(FONTS / f"Inter-{weight}.ttf"))
    # Measured large and scaled down: unhinted letters grow in proportion, rounding does not.
    font.set_size(100 * POINTS, 100)
    font.set_text(text.replace(SOFT_HYPHEN, ""), 0)
    return font.get_width_height()[0] / 64 / 100 * size


def wrapped(text: str, limit: float, size: float, weight: str = "Regular", *, indent: float = 0) -> list[str]:
    """Return *text* in lines of at most *limit* pixels, the first one *indent* pixels shorter.

    Breaks at spaces and after hyphens; at a soft hyphen only where that saves a line or a word would
    not fit at all. A word without any break is cut: cut text is seen and mended, lost text is not.
    """
    hyphenated = _filled(text, limit, size, weight, indent)
    if SOFT_HYPHEN not in text:
        return hyphenated
    unbroken = text.replace(SOFT_HYPHEN, "")
    whole = _filled(unbroken, limit, size, weight, indent)
    fits = all(text_width(piece.rstrip(" "), size, weight) <= limit for piece in _pieces(unbroken))
    return whole if fits and len(whole) <= len(hyphenated) else hyphenated


def balanced(text: str, limit: float, size: float, weight: str) -> list[str]:
    """Return *text* wrapped into lines of similar length, so that no word stands alone on the last one."""
    best = wrapped(text, limit, size, weight)
    whole = text.replace(SOFT_HYPHEN, "")
    text = whole if len(wrapped(whole, limit, size, weight)) == len(best) else text
    for step in range(1, 25):
        lines = wrapped(text, limit * (1 - 0.02 * step), size, weight)
        if len(lines) > len(best):
            break
        best = lines
    return best


def without_orphan(text: str, limit: float, size: float, weight: str = "Regular") -> list[str]:
    """Return *text* wrapped so that the last line is no mere word or two, if that costs no further line."""
    first = lines = wrapped(text, limit, size, weight)
    narrower = limit
    while len(lines) > 1 and text_width(lines[-1], size, weight) < limit / 4:
        narrower -= limit / 50
        lines = wrapped(text, narrower, size, weight)
        if len(lines) > len(first):
            return first
    return lines


def _filled(text: str, limit: float, size: float, weight: str, indent: float) -> list[str]:
    lines: list[str] = []
    line = ""
    pieces = _pieces(text)[::-1]
    while pieces:
        room = limit if lines else limit - indent
        piece = pieces.pop()
        if text_width(_ended(line + piece), size, weight) <= room:
            line += piece
        elif line:
            lines.append(_ended(line))
            line = ""
            pieces.append(piece)
        else:
            head = _longest_head(piece, room, size, weight)
            rest = piece[len(head) :]
            lines.append(_ended(head + SOFT_HYPHEN if head[-1:].isalpha() and rest[:1].isalpha() else head))
            if rest:
                pieces.append(rest)
    return lines + [_ended(line)] if line else lines


def _pieces(text: str) -> list[str]:
    """Cut *text* after each place where a line may end; the mark that allows it stays with its piece."""
    return [piece for piece in re.split(rf"(?<= )|(?<={SOFT_HYPHEN})|(?<=\w-)(?=\w)", text) if piece]


def _ended(line: str) -> str:
    """Return *line* as it looks when it ends here: a soft hyphen shows only at the end."""
    line = line.rstrip(" ")
    return line.replace(SOFT_HYPHEN, "") + ("-" if line.endswith(SOFT_HYPHEN) else "")


def _longest_head(piece: str, room: float, size: float, weight: str) -> str:
    """Return as much of a word as fits with a hyphen, leaving at least three letters for the next line."""
    word = piece.rstrip(" ")
    lengths = range(1, len(word) + 1)
    fitting = bisect_right(lengths, room, key=lambda length: text_width(word[:length] + "-", size, weight))
    return piece[: max(1, min(fitting, len(word) - 3))]


def _footer_indent(label: str) -> float:
    return text_width(label, FOOTER_SIZE, "SemiBold") + 5


def _footer_lines(label: str, text: str, limit: float) -> list[str]:
    return wrapped(text, limit, FOOTER_SIZE, indent=_footer_indent(label))


@lru_cache(64)
def _font(weight: str, size: float) -> font_manager.FontProperties:
    return font_manager.FontProperties(fname=FONTS / f"Inter-{weight}.ttf", size=size * POINTS)


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
