"""One request to a study: in which language, from which browser, and what its form sent."""

from __future__ import annotations

from dataclasses import dataclass

from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from kysely.instrument import OWN_FIELDS
from kysely.questions._base import wording as in_language
from kysely.routing import Screen
from kysely.web.security import Passport, Ticket
from kysely.web.studies import Study
from kysely.web.wording import Wording

REVIEW, THANKS, HANDLING = "check-answers", "thank-you", "how-answers-are-handled"
LATER, RESUME, ERASE = "continue-later", "continue-with-a-code", "erase-my-answers"
CHANGE = "change-my-answers"
FEEDBACK = "your-feedback"
"""Addresses within a study. Their hyphens keep them apart from every page: the names authors give have none."""


@dataclass(frozen=True)
class Visit:
    """Who comes, where to, and in which language they are spoken to."""

    study: Study
    wording: Wording
    passport: Passport | None

    @property
    def language(self) -> str:
        return self.wording.language

    @property
    def title(self) -> str:
        return in_language(self.study.instrument.title, self.language)

    def at(self, *names: str, language: str = "") -> str:
        """Return an address within the study; the introduction's without *names*."""
        return "/".join(["", language or self.language, self.study.id, *filter(None, names)]) + ("" if names else "/")

    def screen(self, screen: Screen | None, language: str = "") -> str:
        """Return the address of *screen*; the review comes after the last."""
        return self.at(screen.page, screen.stage, language=language) if screen else self.at(REVIEW, language=language)


@dataclass(frozen=True)
class Post:
    """What a form sent: its ticket if it is ours, whether this browser was shown it, and everything typed."""

    ticket: Ticket | None
    accepted: bool
    typed: MultiDict[str, str]

    def admits(self, screen: Screen) -> Ticket | None:
        """Return the ticket if it lets this browser post *screen*."""
        ticket = self.ticket
        if ticket is None or not self.accepted or (ticket.page, ticket.stage) != (screen.page, screen.stage):
            return None
        return ticket

    @property
    def whole(self) -> bool:
        """The last field of every form is `end`: without it the request was cut off."""
        return "end" in self.typed

    @property
    def skip(self) -> bool:
        return "skip" in self.typed

    @property
    def going_back(self) -> bool:
        return self.typed.get("go") == "back"

    @property
    def later(self) -> bool:
        return self.typed.get("go") == "later"

    @property
    def keeping(self) -> bool:
        """Whether the respondent wants what is saved, not what this browser typed."""
        return self.typed.get("go") == "keep"

    @property
    def changing_language(self) -> bool:
        return "language" in self.typed

    @property
    def blank(self) -> bool:
        return not any(value.strip() for _, value in self.answers)

    @property
    def answers(self) -> tuple[tuple[str, str], ...]:
        """The fields that are not the interview's own."""
        return tuple((name, value) for name, value in self.typed.items(multi=True) if name not in OWN_FIELDS)

    @property
    def edit(self) -> bool:
        """Whether the page was opened from the review, to which it then returns."""
        return self.ticket is not None and self.ticket.edit


def redirect(address: str, status: int = 302) -> Response:
    """Return a redirect with nothing in it: Flask's own draws a page that no browser shows."""
    answer = Response(status=status)
    answer.headers["Location"] = address
    return answer
