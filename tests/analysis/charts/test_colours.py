"""The colours of charts: what readers with a colour vision deficiency can tell apart, and what reads on what.

Deficiencies are simulated as in Machado, Oliveira & Fernandes (2009), IEEE TVCG 15(6), severity 1; distances are
CIEDE2000, checked against the test data of Sharma, Wu & Dalal (2005), Color Res. Appl. 30(1), table 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, pairwise

import numpy as np
import pytest

from analysis.charts import _colours as colours
from tests.analysis.charts import _estimates as study

DEFICIENCIES = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}

PALETTES: dict[str, tuple[Sequence[str], float]] = {
    "modes": (list(colours.option_colours(study.MODES).values()), 15),
    "centrality": (colours.LEVELS, 15),
    "stages": (colours.STAGES, 15),
    "yes and no": (list(colours.option_colours(["YES", "NO"]).values()), 15),
    "a scale of three": (colours.scale_colours(3), 15),
    "a scale of five": (colours.scale_colours(5), 10),
    "modes with several and none": (list(colours.option_colours([*study.MODES, "COMBO", "NONE"]).values()), 10),
    "seven answers": (list(colours.option_colours([f"C{place}" for place in range(colours.OPTIONS)]).values()), 10),
}


@pytest.mark.parametrize("vision", DEFICIENCIES)
@pytest.mark.parametrize("name", PALETTES)
def test_the_colours_of_a_palette_differ_for_every_kind_of_colour_vision(name: str, vision: str):
    palette, least = PALETTES[name]
    seen = [_lab(_linear(colour) @ DEFICIENCIES[vision].T) for colour in palette]

    assert min(_distance(one, other) for one, other in combinations(seen, 2)) >= least


@pytest.mark.parametrize("vision", DEFICIENCIES)
@pytest.mark.parametrize("count", range(2, 12))
def test_neighbouring_levels_of_a_scale_differ_for_every_kind_of_colour_vision(count: int, vision: str):
    seen = [_lab(_linear(colour) @ DEFICIENCIES[vision].T) for colour in colours.scale_colours(count)]

    assert min(_distance(one, other) for one, other in pairwise(seen)) >= 3


def test_a_palette_that_readers_confuse_is_found():
    red, green = "#B0563B", "#7A7A22"  # told apart by a reader of normal colour vision only
    normal, deuteranope = (
        _distance(*(_lab(_linear(colour) @ DEFICIENCIES[vision].T) for colour in (red, green)))
        for vision in ("normal", "deuteranopia")
    )

    assert normal > 30 and deuteranope < 10


@pytest.mark.parametrize(
    "fill",
    sorted(
        {
            *(fill for palette, _ in PALETTES.values() for fill in palette),
            *(fill for count in range(2, 12) for fill in colours.scale_colours(count)),
            colours.BAR,
        }
    ),
)
def test_a_fill_stands_out_on_white_and_figures_and_words_in_it_can_be_read(fill: str):
    assert colours.contrast(fill, colours.PAPER) >= 3
    assert colours.contrast(colours.ink_on(fill), fill) >= 4.5
    assert colours.contrast(colours.as_text(fill), colours.PAPER) >= 4.5


@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, -1.3802, -84.2814), (50, 0, -82.7485), 1.0),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((50, 2.5, 0), (58, 24, 15), 19.4535),
        ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_distances_agree_with_the_published_test_data(one, other, distance):
    assert _distance(np.array(one, float), np.array(other, float)) == pytest.approx(distance, abs=5e-5)


def _linear(colour: str) -> np.ndarray:
    channels = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def _lab(linear: np.ndarray) -> np.ndarray:
    to_xyz = np.array(
        [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
    )
    relative = to_xyz @ np.clip(linear, 0, 1) / np.array([0.95047, 1.0, 1.08883])
    f = np.where(relative > 216 / 24389, np.cbrt(relative), (24389 / 27 * relative + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def _distance(one: np.ndarray, other: np.ndarray) -> float:
    """Return CIEDE2000, in the notation of Sharma, Wu & Dalal."""
    c_mean = (np.hypot(*one[1:]) + np.hypot(*other[1:])) / 2
    g = 0.5 * (1 - np.sqrt(c_mean**7 / (c_mean**7 + 25**7)))
    a1, a2 = (1 + g) * one[1], (1 + g) * other[1]
    c1, c2 = np.hypot(a1, one[2]), np.hypot(a2, other[2])
    h1, h2 = (np.degrees(np.arctan2(b, a)) % 360 for b, a in ((one[2], a1), (other[2], a2)))
    turn = 0.0 if c1 * c2 == 0 else (h2 - h1 + 180) % 360 - 180
    dl, dc, dh = other[0] - one[0], c2 - c1, 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2))
    l_mean, c_mean = (one[0] + other[0]) / 2, (c1 + c2) / 2
    h_mean = h1 + h2 if c1 * c2 == 0 else (h1 + turn / 2) % 360
    t = (
        1
        - 0.17 * _cos(h_mean - 30)
        + 0.24 * _cos(2 * h_mean)
        + 0.32 * _cos(3 * h_mean + 6)
        - 0.2 * _cos(4 * h_mean - 63)
    )
    sl = 1 + 0.015 * (l_mean - 50) ** 2 / np.sqrt(20 + (l_mean - 50) ** 2)
    sc, sh = 1 + 0.045 * c_mean, 1 + 0.015 * c_mean * t
    rotation = 60 * np.exp(-(((h_mean - 275) / 25) ** 2))
    rt = -2 * np.sqrt(c_mean**7 / (c_mean**7 + 25**7)) * np.sin(np.radians(rotation))
    return float(np.sqrt((dl / sl) ** 2 + (dc / sc) ** 2 + (dh / sh) ** 2 + rt * dc / sc * dh / sh))


def _cos(degrees: float) -> float:
    return float(np.cos(np.radians(degrees)))
