"""The keys of its own that each chart has in the plan, and what they name: read without loading what draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Key:
    """*names* is what the key's word stands for; *tabulated*: the chart's table has to hold it."""

    names: Literal["levels", "score", "banner", "variable", "statistic"]
    required: bool = True
    tabulated: bool = True


STATISTICS = ("mean100", "mean")
"""What score_by_group can draw of a variable: its mean on 0–100, or on its own scale."""

KEYS: Mapping[str, Mapping[str, Key]] = {
    "bars_100": {"variable": Key("variable"), "banner": Key("banner")},
    "combinations": {
        "variable": Key("variable"),
        "levels": Key("levels", tabulated=False),
        "score": Key("score", required=False, tabulated=False),
    },
    "distribution": {"variable": Key("variable")},
    "diverging_levels": {"levels": Key("levels"), "score": Key("score", required=False, tabulated=False)},
    "dots_by_group": {"levels": Key("levels", tabulated=False), "score": Key("score"), "banner": Key("banner")},
    "grid_of_items": {"levels": Key("levels")},
    "heat_map": {
        "levels": Key("levels"),
        "further": Key("levels", required=False),
        "banner": Key("banner"),
    },
    "perspectives": {
        "levels": Key("levels", tabulated=False),
        "score": Key("score"),
        "wished": Key("score"),
        "strategy": Key("score", required=False),
    },
    "score_by_group": {
        "levels": Key("levels", tabulated=False),
        "score": Key("score", required=False),
        "banner": Key("banner"),
        "statistic": Key("statistic", required=False, tabulated=False),
    },
    "trend": {"variable": Key("variable"), "banner": Key("banner")},
}
"""Chart → key → what it is."""
