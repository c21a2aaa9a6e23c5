"""Inter, the font of every chart: how wide it runs, what it lacks, and the part of it that an SVG carries."""

from __future__ import annotations

import unicodedata
from base64 import b64encode
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from matplotlib import font_manager

from analysis.charts._recipe import FONTS
from analysis.wording import SOFT_HYPHEN
from kysely.errors import AnalystError

FAMILY = "Inter"
WEIGHTS = {"Regular": 400, "Medium": 500, "SemiBold": 600, "Bold": 700}

POINTS = 0.72  # points in a pixel at the figures' 100 dots per inch

EMBEDDED = "Kysely Inter"
"""Not `Inter`: a chart inlined in a page must not replace the page's own by a few letters of it."""


class Undrawable(AnalystError):
    """A text holds a character that Inter lacks, such as an emoji or a letter of another script."""


def check(text: str) -> None:
    """Raise Undrawable, naming text and character, if the charts' font can't write *text*."""
    for character in text:
        if ord(character) not in _known() and character != SOFT_HYPHEN:
            name = unicodedata.name(character, "a control character")
            raise Undrawable(
                f"{text!r} has the character U+{ord(character):04X} ({name}), which the charts' font lacks; "
                "write the label without it, or give the chart a wording of its own in `labels:` of plan.yaml"
            )


@lru_cache(64)
def properties(weight: str, size: float) -> font_manager.FontProperties:
    """Return Inter in a *weight* at *size* pixels. Drawn by path; family and weight are what an SVG names."""
    return font_manager.FontProperties(
        family=FAMILY, weight=WEIGHTS[weight], fname=str(_file(weight)), size=size * POINTS
    )


@lru_cache(4096)
def width(text: str, size: float, weight: str = "Regular") -> float:
    """Return how many pixels *text* takes in one line. Raises Undrawable."""
    check(text)
    font = font_manager.get_font(str(_file(weight)))
    # Measured large and scaled down: unhinted letters grow in proportion, rounding does not.
    font.set_size(100 * POINTS, 100)
    font.set_text(text.replace(SOFT_HYPHEN, ""), 0)
    return font.get_width_height()[0] / 64 / 100 * size


def embedded(weights: Iterable[int]) -> str:
    """Return the style sheet that gives an SVG Inter in *weights* under the name EMBEDDED, from the repository's fonts.

    Those are cut down to Latin letters and symbols already; cutting each chart's own letters out of them saves a
    third of the bytes and costs more time than all the drawing.
    """
    used = set(weights)
    return "".join(_face(weight) for weight, number in WEIGHTS.items() if number in used)


@lru_cache
def _face(weight: str) -> str:
    font = b64encode((FONTS / f"Inter-{weight}.woff2").read_bytes()).decode()
    return (
        f"@font-face{{font-family:'{EMBEDDED}';font-weight:{WEIGHTS[weight]};"
        f"src:url(data:font/woff2;base64,{font}) format('woff2')}}"
    )


@lru_cache(1)
def _known() -> frozenset[int]:
    return frozenset(font_manager.get_font(str(_file("Regular"))).get_charmap())


def _file(weight: str) -> Path:
    return FONTS / f"Inter-{weight}.ttf"
