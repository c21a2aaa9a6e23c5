"""Data about the answering: when pages were shown and saved, by the server's clock, and on what kind of device.

A page is shown when it is first served and saved when its answers are accepted; refusals in between belong to it. What
happens after the last saved page is not seen: nothing is written when somebody merely looks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from kysely import routing
from kysely.codebook import Answer
from kysely.instrument import Instrument

IDLE = timedelta(minutes=30)
"""A page that was open for longer was not worked on all the time: no visit counts for more."""

PHONE, TABLET, DESKTOP = "phone", "tablet", "desktop"


@dataclass(frozen=True)
class Visit:
    """One form of one page, from when it was first shown until it was saved."""

    page: str
    stage: str
    shown_at: datetime
    saved_at: datetime

    @property
    def duration(self) -> timedelta:
        """How long the page was open, at most IDLE; a clock that was set back makes it nothing, never less."""
        return min(max(self.saved_at - self.shown_at, timedelta(0)), IDLE)


def page_durations(visits: Iterable[Visit]) -> Mapping[str, timedelta]:
    """Return how long each page was open in all, in the order first saved; stages are turns of one page."""
    found: dict[str, timedelta] = {}
    for visit in visits:
        found[visit.page] = found.get(visit.page, timedelta(0)) + visit.duration
    return found


def active_time(visits: Iterable[Visit]) -> timedelta:
    """Return how long at least one page was open: the union of the visits, so that two tabs don't count twice."""
    total, until = timedelta(0), None
    for begin, end in sorted((visit.saved_at - visit.duration, visit.saved_at) for visit in visits):
        if until is not None:
            begin = max(begin, until)
        if end > begin:
            total += end - begin
            until = end
    return total


def break_off_page(instrument: Instrument, answers: Mapping[str, Answer], *, submitted: bool) -> str | None:
    """Return the page at which the respondent stopped: the first with a gap, None for a response that was sent."""
    if submitted:
        return None
    position = routing.position(instrument, answers)
    return position.page if position else REVIEW


REVIEW = "check-answers"
"""Where those stop who have answered everything and sent nothing. Its hyphen keeps it apart from every page."""


def device(user_agent: str) -> str | None:
    """Return the class of the device that calls itself *user_agent*, None for one that says nothing of the kind.

    Three classes and no more: anything finer would help to tell respondents apart.
    """
    said = user_agent.lower()
    if "ipad" in said or "tablet" in said or "silk/" in said or ("android" in said and "mobile" not in said):
        return TABLET
    if "mobi" in said or "iphone" in said or "ipod" in said:
        return PHONE
    if any(system in said for system in ("windows", "macintosh", "x11", "cros")):
        return DESKTOP
    return None
