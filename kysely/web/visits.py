"""One request to a study: in which language, from which browser, and what its form sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import quote

from flask import abort, request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from kysely.instrument import OWN_FIELDS, Screen
from kysely.questions._base import wording as in_language
from kysely.web.security import Guard, Passport, Ticket, same_browser
from kysely.web.studies import Study
from kysely.web.wording import Wording, wordings

REVIEW, THANKS, HANDLING = "check-answers", "thank-you", "how-answers-are-handled"
LATER, RESUME, ERASE = "continue-later", "continue-with-a-code", "erase-my-answers"
CHANGE = "change-my-answers"
FEEDBACK = "your-feedback"
"""Addresses within a study. Their hyphens keep them apart from every page: the names authors give have none."""

TYPED, REFUSED, REFUSED_BACK, CONFLICT = "typed", "refused", "refused_back", "conflict"
"""Why something is typed and not saved: nobody tried, it was refused on the way on or back, another was faster."""

_FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data", "")
"""A post without a body has no type; it is a form in which nothing arrived."""


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


def turned_away(guard: Guard) -> Response | None:
    """Return where a form leads that another site has sent: to the page itself, which knows nothing of what it sent."""
    if request.method == "POST" and guard.sent_from_elsewhere(request):
        return redirect(quote(request.path), 303)
    return None


def read_visit(studies: Mapping[str, Study], guard: Guard, language: str, study: str) -> Visit:
    """Return who comes to *study*, in which language; aborts where there is no such page."""
    found = studies.get(study)
    if found is None or language not in found.languages:
        abort(404)
    return Visit(found, wordings()[language], guard.read_passport(study, request.cookies))


def read_post(guard: Guard, visit: Visit) -> Post:
    """Return what the form of this request sent; aborts for what is no form."""
    if request.mimetype not in _FORM_TYPES:
        abort(415)
    ticket = guard.read_ticket(visit.study.id, request.form.get("ticket", ""))
    accepted = ticket is not None and visit.passport is not None and same_browser(ticket, visit.passport)
    return Post(ticket, accepted, request.form)


def resume(guard: Guard, visit: Visit, response: str, place: str = "") -> Response:
    """Give this browser the passport of *response* and lead to *place*, otherwise to where its respondent was.

    For a POST that has shown that the respondent is behind it. The mark is a new one, unless the browser has the
    response already: pages that it still shows of an earlier response are not this one's.
    """
    known = visit.passport if visit.passport and visit.passport.response == response else None
    # The review sends on to the first gap, and to the thanks once everything was sent.
    answer = redirect(place or visit.at(REVIEW), 303)
    guard.give_passport(visit.study.id, known or replace(guard.new_passport(), response=response), answer)
    return answer
