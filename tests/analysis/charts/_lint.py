"""What is wrong with the layout of a chart, found on the drawing itself: where each text lies and what is behind it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import to_hex, to_rgb
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from analysis.charts import _colours as colours
from analysis.charts import _theme as theme
from analysis.charts._files import Picture
from analysis.charts._fonts import POINTS

SMALLEST = 11
TEXT_CONTRAST, FILL_CONTRAST = 4.5, 3.0
EDGE = 4


def problems(picture: Picture) -> list[str]:
    """Return every fault of the drawing in words; empty for a chart that may be printed."""
    with matplotlib.rc_context(theme.STYLE):  # as files are written: hinted letters would be wider
        return list(_problems(picture))


def _problems(picture: Picture) -> list[str]:
    texts = _texts(picture)
    return [
        *_overlaps(texts),
        *_outside(texts, picture),
        *_small(texts),
        *_faint_texts(texts, picture),
        *_faint_fills(picture),
        *_struck_through(texts, picture),
        *_lost_words(texts, picture),
    ]


def written(picture: Picture) -> str:
    """Return everything that is written in the drawing, line after line."""
    return "\n".join(text.get_text() for text in picture.sheet.axes.texts)


def _texts(picture: Picture) -> list[tuple[Text, Bbox]]:
    renderer = FigureCanvasAgg(picture.sheet.figure).get_renderer()
    found = [text for text in picture.sheet.axes.texts if text.get_text().strip()]
    return [(text, text.get_window_extent(renderer)) for text in found]


def _overlaps(texts: list[tuple[Text, Bbox]]) -> Iterator[str]:
    for (one, a), (other, b) in combinations(texts, 2):
        wide, high = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
        # A line's box holds its ascenders and descenders; boxes of close lines touch by a pixel or two.
        if wide > 1 and high > 3:
            yield f"overlap of {wide:.0f} × {high:.0f} px: {one.get_text()!r} and {other.get_text()!r}"


def _outside(texts: list[tuple[Text, Bbox]], picture: Picture) -> Iterator[str]:
    for text, box in texts:
        if (
            box.x0 < EDGE
            or box.x1 > picture.sheet.width - EDGE
            or box.y0 < EDGE
            or box.y1 > picture.sheet.height - EDGE
        ):
            yield f"cut at the edge: {text.get_text()!r} from {box.x0:.0f} to {box.x1:.0f}"


def _small(texts: list[tuple[Text, Bbox]]) -> Iterator[str]:
    for text, _ in texts:
        pixels = text.get_fontsize() / POINTS
        if pixels < SMALLEST - 0.01:
            yield f"{pixels:.1f} px is too small: {text.get_text()!r}"


def _faint_texts(texts: list[tuple[Text, Bbox]], picture: Picture) -> Iterator[str]:
    painted = _without_letters(texts, picture)
    for text, box in texts:
        rows = slice(max(int(picture.sheet.height - box.y1) + 1, 0), int(picture.sheet.height - box.y0))
        behind = painted[rows, max(int(box.x0) + 1, 0) : int(box.x1)].reshape(-1, 3)
        if not len(behind):
            continue  # off the sheet, which is a fault of its own
        ground = to_hex(np.median(behind, axis=0)) if text.get_bbox_patch() is None else colours.PAPER
        ratio = colours.contrast(to_hex(to_rgb(text.get_color())), ground)
        if ratio < TEXT_CONTRAST:
            yield f"contrast {ratio:.2f}: {text.get_text()!r} on {ground}"


def _without_letters(texts: list[tuple[Text, Bbox]], picture: Picture) -> np.ndarray:
    for text, _ in texts:
        text.set_visible(False)
    canvas = FigureCanvasAgg(picture.sheet.figure)
    canvas.draw()
    painted = np.asarray(canvas.buffer_rgba())[..., :3] / 255
    for text, _ in texts:
        text.set_visible(True)
    return painted


def _faint_fills(picture: Picture) -> Iterator[str]:
    for colour in sorted(_fills(picture)):
        ratio = colours.contrast(colour, colours.PAPER)
        if ratio < FILL_CONTRAST:
            yield f"contrast {ratio:.2f}: the fill {colour} on white"


def _fills(picture: Picture) -> set[str]:
    """Return the colours of bars, dots and intervals; white, bands and tints behind figures are ground, not fill."""
    axes = picture.sheet.axes
    found = {to_hex(patch.get_facecolor()) for patch in axes.patches if isinstance(patch, Rectangle)}
    for collection in axes.collections:
        if isinstance(collection, PathCollection):
            found |= {to_hex(colour) for colour in collection.get_facecolors()}
        elif isinstance(collection, LineCollection):
            found |= {to_hex(colour) for colour in collection.get_colors()}
    return {colour.upper() for colour in found} - {colours.PAPER, colours.BAND, *colours.TINTS}


def _struck_through(texts: list[tuple[Text, Bbox]], picture: Picture) -> Iterator[str]:
    """Find texts that an interval or a dot is drawn across."""
    height = picture.sheet.height
    marks = []
    for collection in picture.sheet.axes.collections:
        if isinstance(collection, LineCollection):
            for (x0, y), (x1, _) in collection.get_segments():
                marks.append((x0, x1, y, 1.0))
        elif isinstance(collection, PathCollection):
            for x, y in np.asarray(collection.get_offsets()):
                marks.append((x - 4.5, x + 4.5, y, 4.5))
    for text, box in texts:
        # The box of a line is taller than its letters; figures and capitals keep to the middle.
        middle, half = (box.y0 + box.y1) / 2, text.get_fontsize() / POINTS * 0.37
        if any(_crosses(line, text, box, picture) for line in picture.sheet.axes.lines):
            yield f"struck through: {text.get_text()!r}"
            continue
        for x0, x1, y, radius in marks:
            if x0 < box.x1 - 1 and x1 > box.x0 + 1 and abs(height - y - middle) < half + radius - 1:
                yield f"struck through: {text.get_text()!r}"
                break


def _crosses(line: Line2D, text: Text, box: Bbox, picture: Picture) -> bool:
    """Whether a straight line runs through the letters of *text*, with neither a fill nor its own ground between."""
    if text.get_bbox_patch() is not None:
        return False
    height = picture.sheet.height
    (x0, x1), (y0, y1) = (sorted(float(value) for value in data) for data in (line.get_xdata(), line.get_ydata()))
    middle, half = height - (box.y0 + box.y1) / 2, text.get_fontsize() / POINTS * 0.37
    crossed = x0 < box.x1 - 1 and x1 > box.x0 + 1 and y0 < middle + half - 1 and y1 > middle - half + 1
    return crossed and not any(
        patch.get_zorder() > line.get_zorder()
        and patch.get_x() <= box.x0 + 1
        and patch.get_x() + patch.get_width() >= box.x1 - 1
        and patch.get_y() <= middle <= patch.get_y() + patch.get_height()
        for patch in picture.sheet.axes.patches
        if isinstance(patch, Rectangle)
    )


def _lost_words(texts: list[tuple[Text, Bbox]], picture: Picture) -> Iterator[str]:
    drawn = _letters(" ".join(text.get_text() for text, _ in texts))
    words = picture.words
    frame = (words.kicker, words.headline, words.subtitle, words.base, words.note, words.source)
    for wanted in frame if picture.look.framed else ():
        if _letters(wanted) not in drawn:
            yield f"lost words: {wanted!r}"
    # A combination is drawn as dots under the names of its members.
    for label in {label for row in picture.rows for label in str(row[0]).split(" + ")}:
        if _letters(label) not in drawn:
            yield f"lost label: {label!r}"


def _letters(text: str) -> str:
    return "".join(character for character in text if character.isalnum())
