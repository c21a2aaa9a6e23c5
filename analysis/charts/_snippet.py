"""What an author pastes into a page: the picture, its narrow twin for small screens, and the way to the numbers.

It fetches nothing from anybody else and runs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

SMALL_SCREEN = "(max-width: 599px)"
"""Where the full width would be shown at less than five sixths of its size, and its footer under ten pixels."""

_NUMBERS = {
    "fi": "Kuvion luvut (CSV)",
    "sv": "Diagrammets siffror (CSV)",
    "en": "The chart’s figures (CSV)",
}


def snippet(manifest: Mapping[str, Any], address: str = "") -> str:
    """Return the HTML of the chart that *manifest* tells of; *address* is where its files lie, "" beside the page."""
    language = manifest["language"]
    names = {kind: escape(address + file["name"]) for kind, file in manifest["files"].items()}
    wide, narrow = manifest["looks"]["wide"], manifest["looks"]["narrow"]
    numbers = _NUMBERS[language]
    return f"""<figure lang="{language}" style="margin:1em 0">
<picture>
<source media="{SMALL_SCREEN}" srcset="{names["narrow.png"]} 2x" width="{narrow["width"]}" height="{narrow["height"]}">
<img src="{names["png"]}" srcset="{names["png"]} 2x" width="{wide["width"]}" height="{wide["height"]}" \
alt="{escape(manifest["alt"])}" style="max-width:100%;height:auto">
</picture>
<figcaption>{escape(manifest["caption"])} <a href="{names["csv"]}">{numbers}</a></figcaption>
</figure>
"""
