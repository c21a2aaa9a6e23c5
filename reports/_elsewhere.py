"""What the methods tell where the respondents were not in memory: where they were, and what is left out for it."""

from __future__ import annotations

from collections.abc import Iterator

from reports._figures import Figures
from reports.parts import Bullets, Paragraph, Part, Section

MEMORY = "memory"
"""Place of a table of respondents on this machine, which came without its extract."""


def sections(figures: Figures) -> Iterator[Section]:
    """Yield the section; none where the respondents were in memory."""
    account, say = figures.material.estimates.provenance.elsewhere, figures.say
    if account is None:
        return
    how = "elsewhere_table" if account["place"] == MEMORY else "elsewhere_place"
    parts: list[Part] = [Paragraph(say(f"methodology.{how}", place=account["place"]))]
    if account["left_out"]:
        parts.append(Paragraph(say("methodology.elsewhere_left_out")))
        parts.append(Bullets(tuple(say(f"methodology.elsewhere_{purpose}") for purpose in account["left_out"])))
    parts.append(Paragraph(say("methodology.elsewhere_disclosure")))
    yield Section("elsewhere", say("methodology.elsewhere_title"), tuple(parts))


def weighting(figures: Figures) -> tuple[Part, ...]:
    """Return why there are no weights, where the respondents' place is the reason."""
    account = figures.material.estimates.provenance.elsewhere
    if account is None or "weights" not in account["left_out"]:
        return ()
    return (Paragraph(figures.say("methodology.elsewhere_weighting")),)
