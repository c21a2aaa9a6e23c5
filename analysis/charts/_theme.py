"""The anatomy every chart shares. One unit is one CSS pixel, y runs downwards.

Kicker, headline, subtitle, body, rule and footer stand in the order and sizes of the study's chart
conventions; a chart fills the body and nothing else. In a report the body stands alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib

matplotlib.use("Agg")  # before seaborn, which imports pyplot: no display is there to draw on

import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from analysis.charts import _fonts
from analysis.charts._colours import INK, MUTED, PAPER, RULE, SUBTITLE, WARNING
from analysis.charts._lines import balanced, without_orphan, wrapped
from analysis.charts._look import Look
from analysis.charts._sentences import Words

DOT, HOLE = 62 * _fonts.POINTS, 22 * _fonts.POINTS  # areas of a dot and of a hollow one's hole, in square points
LINE = 1.24  # line height of labels and headlines, in ems
_SUBTITLE_LINE, _FOOTER_LINE = 1.4, 1.42
_CAP_CENTRE = 0.364  # half of Inter's cap height, in ems

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

    def __init__(self, look: Look, height: float, top: float):
        self.look, self.height, self.top = look, height, top
        self.width, self.left, self.right = look.width, look.left, look.right
        with matplotlib.rc_context(STYLE):
            self.figure = Figure(figsize=(look.width / 100, height / 100), dpi=100)
            self.axes: Axes = self.figure.add_axes(
                (0, 0, 1, 1), xlim=(0, look.width), ylim=(height, 0), xticks=(), yticks=()
            )
        self.axes.set_axis_off()

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float | None = None,
        weight: str = "Regular",
        colour: str = INK,
        align: str = "left",
        clear: bool = False,
    ) -> None:
        """Write *text* with its capitals centred on *y*; *clear* keeps lines from running through it.

        Raises Undrawable for a character that the font lacks.
        """
        _fonts.check(text)
        size = size or self.look.label
        self.axes.text(
            x,
            y + _CAP_CENTRE * size,
            text,
            fontproperties=_fonts.properties(weight, size),
            color=colour,
            ha=align,
            va="baseline",
            # A box and no halo: path effects turn letters into outlines in PDF and SVG.
            bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 1.5 * _fonts.POINTS} if clear else None,
        )

    def lines(
        self,
        x: float,
        y: float,
        lines: Sequence[str],
        *,
        size: float | None = None,
        weight: str = "Regular",
        colour: str = INK,
        align: str = "left",
    ) -> None:
        """Write several lines of text as a block centred on *y*."""
        size = size or self.look.label
        for index, line in enumerate(lines):
            offset = (index - (len(lines) - 1) / 2) * size * LINE
            self.text(x, y + offset, line, size=size, weight=weight, colour=colour, align=align)

    def rule(self, x: tuple[float, float], y: tuple[float, float], colour: str, width: float = 1, **style) -> None:
        """Draw one straight line from (x0, y0) to (x1, y1)."""
        self.axes.plot(x, y, color=colour, linewidth=width * _fonts.POINTS, solid_capstyle="butt", **style)

    def intervals(self, marks: Sequence[tuple[float, float, float, str]], *, width: float = 2.4) -> None:
        """Draw horizontal intervals, each from x to x at a y in a colour."""
        self.axes.hlines(
            [y for _, _, y, _ in marks],
            [low for low, _, _, _ in marks],
            [high for _, high, _, _ in marks],
            colors=[colour for _, _, _, colour in marks],
            linewidths=width * _fonts.POINTS,
            zorder=4,
        )

    def box(self, x: float, y: float, width: float, height: float, colour: str, *, gap: float = 0) -> None:
        """Fill a rectangle; *gap* is the white seam that parts it from its neighbours."""
        self.axes.add_patch(
            Rectangle((x, y), width, height, facecolor=colour, edgecolor=PAPER, linewidth=gap * _fonts.POINTS)
        )

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


def sheet(words: Words, body: float, look: Look) -> Sheet:
    """Return a sheet with everything written except the body, which gets *body* pixels from `sheet.top`.

    Raises Undrawable if the headline needs more lines than it may have.
    """
    if not look.framed:
        return Sheet(look, float(round(body + 2 * look.margin)), look.margin)
    headline = _headline(words.headline, look)
    subtitle = without_orphan(words.subtitle, look.inner, look.subtitle)
    footer = [(label, _footer_lines(label, text, look)) for label, text in words.footer if text]
    kicker = wrapped(words.kicker, look.inner, look.kicker, "SemiBold")

    kicker_height = 6 + 14.0 * len(kicker) if kicker else 0.0
    top = look.margin - 4 + kicker_height
    top += len(headline) * look.headline * LINE + 5 + len(subtitle) * look.subtitle * _SUBTITLE_LINE + 14
    rule = top + body + 12
    height = rule + 10 + sum(len(lines) for _, lines in footer) * look.footer * _FOOTER_LINE + look.margin - 8

    page = Sheet(look, float(round(height)), top)
    y = look.margin - 4
    for index, line in enumerate(kicker):
        page.text(look.left, y + 6 + 14 * index, line, size=look.kicker, weight="SemiBold", colour=WARNING)
    y += kicker_height
    for line in headline:
        page.text(look.left, y + look.headline * LINE / 2, line, size=look.headline, weight="Bold")
        y += look.headline * LINE
    y += 5
    for line in subtitle:
        page.text(look.left, y + look.subtitle * _SUBTITLE_LINE / 2, line, size=look.subtitle, colour=SUBTITLE)
        y += look.subtitle * _SUBTITLE_LINE
    page.rule((look.left, look.right), (rule, rule), RULE)
    y = rule + 10
    for label, lines in footer:
        page.text(look.left, y + look.footer / 2, label, size=look.footer, weight="SemiBold", colour=MUTED)
        for index, line in enumerate(lines):
            x = look.left if index else look.left + _footer_indent(label, look)
            page.text(x, y + look.footer / 2, line, size=look.footer, colour=MUTED)
            y += look.footer * _FOOTER_LINE
    return page


def _headline(text: str, look: Look) -> list[str]:
    lines = balanced(text, look.inner, look.headline, "Bold")
    if len(lines) > look.headlines:
        raise _fonts.Undrawable(
            f"the headline takes {len(lines)} lines of the {look.name} chart and may take {look.headlines}; "
            "shorten `headline:` and say the rest in `subtitle:`"
        )
    return lines


def _footer_indent(label: str, look: Look) -> float:
    return _fonts.width(label, look.footer, "SemiBold") + 5


def _footer_lines(label: str, text: str, look: Look) -> list[str]:
    return wrapped(text, look.inner, look.footer, indent=_footer_indent(label, look))
