"""The keys of its own that each chart has in the plan, and what they name: read without loading what draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Key:
    """*names* is what the key's word stands for; *tabulated*: the chart's table has to hold it."""

    names: Literal["levels", "score", "banner"]
    required: bool = True
    tabulated: bool = True


KEYS: Mapping[str, Mapping[str, Key]] = {
    "diverging_levels": {"levels": Key("levels"), "score": Key("score", required=False, tabulated=False)},
    "dots_by_group": {"levels": Key("levels", tabulated=False), "score": Key("score"), "banner": Key("banner")},
}
"""Chart → key → what it is."""
