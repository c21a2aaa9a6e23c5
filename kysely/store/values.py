"""What the store takes and returns: frozen values, never rows of a session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from kysely.codebook import Answer
from kysely.errors import StoreError
from kysely.questions.organisation import OrganisationTyped


class StoreBusy(StoreError):
    """Another program holds the database for longer than a respondent can wait; the same request may work later."""


class UnknownResponse(StoreError):
    """No response has that id."""


class WaveClosed(StoreError):
    """The wave takes no new responses."""


class ByInvitation(WaveClosed):
    """The wave takes answers by personal link only."""


GRACE = timedelta(hours=24)
"""How long after the closing time a response that was begun before can be finished."""


class Phase(StrEnum):
    """What a wave takes: nothing yet; new responses; only what was begun before it closed; nothing any more."""

    NOT_YET = "not_yet"
    OPEN = "open"
    FINISHING = "finishing"
    OVER = "over"


@dataclass(frozen=True)
class Asking:
    """Who asks and why: what a wave must say before it collects real answers in production."""

    controller: str = ""
    contact: str = ""
    purpose: str = ""
    legal_basis: str = ""
    retention: str = ""

    @property
    def unsaid(self) -> tuple[str, ...]:
        return tuple(name for name, text in vars(self).items() if not text.strip())


NOBODY = Asking()
"""Nobody has said who asks: a demonstration, or robots."""


@dataclass(frozen=True)
class Wave:
    """One round of collecting with one form of an instrument; *note* holds the parameters of a simulation."""

    id: str
    instrument: str
    form: str
    name: str
    origin: str
    state: str
    opened_at: datetime
    closed_at: datetime | None = None
    note: Mapping[str, object] | None = None
    asking: Asking = NOBODY
    access: str = "open"
    opens_at: datetime | None = None
    closes_at: datetime | None = None

    @property
    def by_link(self) -> bool:
        """Whether anybody may begin a response."""
        return self.access in ("open", "both")

    @property
    def by_invitation(self) -> bool:
        """Whether personal links begin responses."""
        return self.access in ("invited", "both")

    def phase(self, now: datetime) -> Phase:
        """Return what the wave takes at *now*. The moment it opens belongs to it, the moment it closes does not.

        Who has begun may finish in the time of GRACE; that it came late can be seen ever after.
        """
        if self.opens_at is not None and now < self.opens_at:
            return Phase.NOT_YET
        closed = min((at for at in (self.closes_at, self.closed_at) if at is not None), default=None)
        if closed is None or now < closed:
            return Phase.OPEN
        if self.closes_at is not None and now >= self.closes_at + GRACE:
            return Phase.OVER
        return Phase.FINISHING

    @property
    def demonstration(self) -> bool:
        """True for a wave that takes answers of people although nobody has said who asks."""
        return self.origin == "real" and bool(self.asking.unsaid)


@dataclass(frozen=True)
class Publication:
    """A version of an instrument and the wave that asked it from *published_at* on; *number* counts the wave's."""

    wave: Wave
    number: int
    hash: str
    revision: str
    published_at: datetime


@dataclass(frozen=True)
class ResponseState:
    """One response as it stands: *answers* holds the last answer to each variable, *revisions* when it was given.

    In anonymous mode there are no times.

    *drafts* counts pages on which something is typed and not saved. *submitted_revision* is what was sent first;
    *reopened* is one whose respondent is changing what was sent.
    """

    id: str
    wave: str
    origin: str
    version_hash: str
    organisation_key: str | None
    language: str
    mode: str
    seed: int
    revision: int
    state: str
    started_at: datetime | None
    submitted_at: datetime | None
    answers: Mapping[str, Answer] = field(default_factory=dict)
    revisions: Mapping[str, int] = field(default_factory=dict)
    drafts: int = 0
    reopened: bool = False
    submitted_revision: int | None = None
    device: str | None = None

    @property
    def submitted(self) -> bool:
        return self.state == "submitted"

    @property
    def sealed(self) -> bool:
        """Whether its pages can't be seen or changed: it was sent, and nobody has opened it again to change it."""
        return self.submitted and not self.reopened


@dataclass(frozen=True)
class Saved:
    """The page is durable; *revision* is what the next page is based on: a page that changes nothing is no new one."""

    revision: int
    drafts: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Replayed:
    """The very same form with the same content was saved before; nothing was written."""

    revision: int


@dataclass(frozen=True)
class Conflict:
    """Another tab changed these variables after the form was shown; nothing was written.

    *answers* are the stored answers of the page, or of all pages where the form is the final one; *differing* are
    the variables that both tabs want otherwise;
    *organisation* is what is stored of the organisation, where the two tabs name different ones. A form that
    shows the stored answers and is based on *revision* may overwrite them.
    """

    revision: int
    answers: Mapping[str, Answer]
    differing: tuple[str, ...]
    organisation: OrganisationTyped | None = None


@dataclass(frozen=True)
class Closed:
    """The response was submitted before; nothing was written. *over*: it was being changed when the wave ended."""

    submitted_at: datetime | None
    over: bool = False


@dataclass(frozen=True)
class Submitted:
    """The response is complete and durable; *submitted_at* is when it was sent first."""

    submitted_at: datetime | None
    drafts: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Draft:
    """What a browser typed on a page and could not save: the fields, why, and from which revision its form was made.

    *shown_at* is when the page was first shown, *browser* a mark of who typed it, *own* whether that is who asks.
    """

    typed: tuple[tuple[str, str], ...]
    reason: str
    revision: int
    shown_at: datetime | None
    browser: str
    own: bool


@dataclass(frozen=True)
class Tombstone:
    """All that is left of a response that was erased."""

    response: str
    wave: str
    erased_by: str
    erased_on: date
    genuine: bool


@dataclass(frozen=True)
class Count:
    """Fieldwork counts of one wave: responses begun, with an answer, submitted; organisations with an answer."""

    wave: Wave
    started: int
    answered: int
    submitted: int
    organisations: int
