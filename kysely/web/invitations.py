"""Personal links: the page a link opens, the press that starts, and the page that ends all mail.

Mail scanners fetch every address of a mail, some in a browser that presses the first button it finds. So a link
shows nothing about a person and changes nothing; the press begins an empty response, which counts for nothing until
a page is saved; and the first button of the page that ends all mail is the one that leaves things as they are.
"""

from __future__ import annotations

import hmac
import ipaddress
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b

from flask import Blueprint, abort, request
from werkzeug.wrappers import Response

from kysely import clock
from kysely.links import read_code
from kysely.store import Phase, Store, Wave, WaveClosed
from kysely.store.anonymous import is_anonymous
from kysely.store.invitations import Invited
from kysely.store.tables import RESPONDENT
from kysely.web.contexts import Alert, Button, Form, Frame, InvitationPage
from kysely.web.frames import Frames, language_links, preferred_language
from kysely.web.pages import introduction_facts
from kysely.web.screens import Standing
from kysely.web.security import Guard, Passport, same_browser
from kysely.web.studies import Study
from kysely.web.visits import Visit, resume
from kysely.web.wording import Wording, wordings

LINK, STOP = "r", "stop"
"""Addresses beside the studies'; the ticket and the cookie of a link's page are known by the first."""

MISSES, MEANWHILE = 30, 600.0
"""Unknown links that one network may try in so many seconds. Links that exist don't count: an office shares one."""

_ONE_CLICK = ("List-Unsubscribe", "One-Click")


@dataclass(frozen=True)
class PersonalLinks:
    studies: Mapping[str, Study]
    store: Store
    guard: Guard
    frames: Frames
    now: Callable[[], datetime]
    new_seed: Callable[[], int]
    misses: Misses = field(default_factory=lambda: Misses())

    def blueprint(self) -> Blueprint:
        blueprint = Blueprint("links", __name__)
        blueprint.after_request(_shy)
        language = "/<any(fi,sv,en):language>"
        for rule, name, view, methods in (
            (f"/{LINK}/<path:code>", "choose_link", self.link, ["GET"]),
            (f"{language}/{LINK}/<path:code>", "link", self.link, ["GET"]),
            (f"/{LINK}/", "choose_enter", self.enter, ["GET"]),
            (f"{language}/{LINK}/", "enter", self.enter, ["GET"]),
            (f"{language}/{LINK}/", "open", self.open, ["POST"]),
            (f"/{STOP}/<path:code>", "choose_stop", self.stop, ["GET"]),
            (f"{language}/{STOP}/<path:code>", "stop", self.stop, ["GET"]),
            (f"/{STOP}/<path:code>", "one_click", self.leave, ["POST"]),
            (f"{language}/{STOP}/<path:code>", "leave", self.leave, ["POST"]),
        ):
            blueprint.add_url_rule(rule, name, view, methods=methods)
        return blueprint

    # ---- the link

    def link(self, code: str, language: str = "") -> Response:
        """Show who asks and what about. It is the same page for everybody, and changes nothing."""
        say = wordings()[language or preferred_language()]
        found = self._found(code)
        if found is None:
            return self._unknown(say)
        return self._invite(say, code, *found)

    def enter(self, language: str = "") -> Response:
        """Show the field for a code that was torn off its link."""
        say = wordings()[language or preferred_language()]
        return self._enter(say, say["link_title"], say["link_enter"], 200)

    def open(self, language: str) -> Response:
        """Begin or go on with the response of the link, on a clean address: the code stays behind in this form."""
        if self.guard.sent_from_elsewhere(request):
            abort(403)
        say = wordings()[language]
        code = request.form.get("code", "")
        found = self._found(code)
        if found is None:
            return self._unknown(say)
        invited, study = found
        if not self._shown_here() and not self._opened_here(study, invited, code):
            alert = Alert(say["link_not_started"], (say.say("link_renewed", button=say["link_start"]),))
            return self._invite(say, code, invited, study, alert)
        if study is None:
            return self._told(say, "over_title", say["over"], 410)
        return self._open(say, read_code(code), invited, study)

    def _open(self, say: Wording, code: str, invited: Invited, study: Study) -> Response:
        if say.language not in study.languages:
            say = wordings()[study.languages[0]]
        if invited.anonymous and self.store.invitations.used(invited):
            return self._told(say, "link_used_title", say["link_used"], 200)
        id = self.store.invitations.response_of(invited, code)
        state = self.store.response(id)
        phase = study.wave.phase(self.now())
        if state is None:
            if phase is not Phase.OPEN:
                return self._shut(say, study.wave, phase)
            try:
                self.store.start(
                    study.wave.id,
                    study.wave.origin,
                    study.instrument.hash,
                    say.language,
                    self.new_seed(),
                    self.now(),
                    invited=id,
                    withdrawal=self.store.invitations.keys.withdrawal(invited.id),
                )
            except WaveClosed:
                return self._shut(say, study.wave, Phase.OVER)
        visit = Visit(study, say, self.guard.read_passport(study.id, request.cookies))
        place = ""
        if state is None or not (state.revision or state.submitted):
            instrument = self.store.instrument(state.version_hash) if state else study.instrument
            place = visit.screen(Standing(instrument, {}, 0).entrance)
        answer = resume(self.guard, visit, id, place)
        self.guard.take_passport(LINK, answer)
        if invited.anonymous:
            mark = self.store.invitations.keys.completion(invited.id)
            self.guard.give_passport(_marked(study.id), Passport(id, mark), answer)
        return answer

    def _found(self, code: str) -> tuple[Invited, Study | None] | None:
        """Return the invitation of *code* with its study, None where the link opens nothing, whatever the reason."""
        network = network_of(request.remote_addr)
        if self.misses.too_many(network):
            abort(429)
        read = read_code(code)
        invited = self.store.invitations.find(read) if read else None
        if invited is None:
            self.misses.note(network)
            return None
        return invited, next((study for study in self.studies.values() if study.wave.id == invited.wave), None)

    def _shown_here(self) -> bool:
        ticket = self.guard.read_ticket(LINK, request.form.get("ticket", ""))
        passport = self.guard.read_passport(LINK, request.cookies)
        return ticket is not None and passport is not None and same_browser(ticket, passport) and "end" in request.form

    def _opened_here(self, study: Study | None, invited: Invited, code: str) -> bool:
        """Whether this browser has the response already: its button was pressed again before the page came."""
        passport = self.guard.read_passport(study.id, request.cookies) if study else None
        return passport is not None and passport.response == self.store.invitations.response_of(
            invited, read_code(code)
        )

    def _invite(
        self, say: Wording, code: str, invited: Invited, study: Study | None, alert: Alert | None = None
    ) -> Response:
        if study is None:
            return self._told(say, "over_title", say["over"], 410)
        if say.language not in study.languages:
            say = wordings()[study.languages[0]]
        visit = Visit(study, say, None)
        frame = self.frames.frame(
            say,
            say["error"] if alert else "",
            brand=visit.title,
            home=visit.at(),
            languages=language_links(say.language, lambda other: f"/{other}/{LINK}/{read_code(code)}", study.languages),
        )
        return self._asking(
            InvitationPage(
                frame=frame,
                heading=visit.title,
                alert=alert,
                facts=introduction_facts(visit),
                note=say["link_personal"],
                form=Form(f"/{say.language}/{LINK}/", "", (Button(say["link_start"]),), (("code", read_code(code)),)),
            ),
            403 if alert else 200,
        )

    def _unknown(self, say: Wording) -> Response:
        return self._enter(say, say["link_unknown_title"], say["link_unknown"], 404)

    def _enter(self, say: Wording, title: str, text: str, status: int) -> Response:
        languages = language_links(say.language, lambda other: f"/{other}/{LINK}/")
        page = InvitationPage(
            frame=self.frames.frame(say, title, languages=languages),
            heading=title,
            paragraphs=(text,),
            ask=say["link_code"],
            form=Form(f"/{say.language}/{LINK}/", "", (Button(say["link_start"]),)),
        )
        return self._asking(page, status)

    def _asking(self, page: InvitationPage, status: int) -> Response:
        """Return *page* with a ticket in its form, and the browser's mark if it has none yet."""
        known = self.guard.read_passport(LINK, request.cookies)
        passport = known or self.guard.new_passport()
        answer = self.frames.draw("invitation.html", page.with_ticket(self.guard.ticket(LINK, passport)), status)
        if known is None:
            self.guard.give_passport(LINK, passport, answer)
        return answer

    def _shut(self, say: Wording, wave: Wave, phase: Phase) -> Response:
        if phase is Phase.NOT_YET and wave.opens_at:
            text = say.say("not_yet", time=clock.said(wave.opens_at, say.language))
            return self._told(say, "not_yet_title", text, 200)
        return self._told(say, "over_title", say["over"], 410)

    def _told(self, say: Wording, title: str, text: str, status: int) -> Response:
        page = InvitationPage(frame=self._frame(say, say[title]), heading=say[title], paragraphs=(text,))
        return self.frames.draw("invitation.html", page, status)

    def _frame(self, say: Wording, title: str) -> Frame:
        return self.frames.frame(say, title)

    # ---- no more mail

    def stop(self, code: str, language: str = "") -> Response:
        """Ask whether mail should end."""
        say = wordings()[language or preferred_language()]
        invited = self._leaving(code)
        if invited is None:
            return self._unknown(say)
        address = f"/{say.language}/{STOP}/{read_code(code)}"
        page = InvitationPage(
            frame=self.frames.frame(
                say,
                say["stop_title"],
                languages=language_links(say.language, lambda other: f"/{other}/{STOP}/{read_code(code)}"),
            ),
            heading=say["stop_title"],
            paragraphs=(say["stop_text_anonymous" if invited.anonymous else "stop_text"],),
            # The first button is what a scanner presses, and the Enter key.
            form=Form(address, "", (Button(say["stop_keep"]), Button(say["stop_leave"], "leave", "1", look="second"))),
        )
        return self.frames.draw("invitation.html", page)

    def leave(self, code: str, language: str = "") -> Response:
        """End mail to the person of *code*: by the page's second button, or by RFC 8058 from a mail program.

        No ticket is asked for: a mail program has no cookies, and who knows the code may say this.
        """
        say = wordings()[language or preferred_language()]
        invited = self._leaving(code)
        if invited is None:
            return self._unknown(say)
        name, value = _ONE_CLICK
        if "leave" not in request.form and request.form.get(name) != value:
            return self._told(say, "stop_kept_title", say["stop_kept"], 200)
        self.store.invitations.opt_out(invited)
        self.store.withdraw(invited, by=RESPONDENT, now=self.now())
        return self._told(say, "stop_done_title", say["stop_done"], 200)

    def _leaving(self, code: str) -> Invited | None:
        network = network_of(request.remote_addr)
        if self.misses.too_many(network):
            abort(429)
        read = read_code(code)
        invited = self.store.invitations.find_by_opt_out(read) if read else None
        if invited is None:
            self.misses.note(network)
        return invited


def note_used(store: Store, guard: Guard, study: Study, response: str) -> None:
    """Note that the anonymous link of a response that was just sent is used.

    The mark comes from the browser's cookie, where it came from the link: with the answers it is never stored, and
    whose it is only the link key tells. A browser without it leaves the person on the list of those to be reminded.
    """
    known = guard.read_passport(_marked(study.id), request.cookies)
    if known is not None and hmac.compare_digest(known.browser, response):
        store.invitations.note_used(known.response, study.wave.id)


def _marked(study: str) -> str:
    return f"{study}-link"


def revoked(store: Store, wave: Wave, response: str) -> bool:
    """Whether the link of *response* was revoked: it takes no more answers. Only invited waves are asked about.

    An anonymous one was erased with its link, as far as it wasn't sent.
    """
    return wave.by_invitation and not is_anonymous(response) and response in store.invitations.revoked(wave.id)


class Misses:
    """How many unknown links a network has tried lately, in this process's memory: addresses are stored nowhere."""

    def __init__(self, limit: int = MISSES, meanwhile: float = MEANWHILE, most: int = 10_000):
        self._limit, self._meanwhile, self._most = limit, meanwhile, most
        self._key = secrets.token_bytes(16)
        self._since: dict[bytes, tuple[float, int]] = {}
        self._lock = threading.Lock()

    def too_many(self, network: str) -> bool:
        with self._lock:
            since, count = self._since.get(self._mark(network), (0.0, 0))
        return count >= self._limit and time.monotonic() - since < self._meanwhile

    def note(self, network: str) -> None:
        mark, now = self._mark(network), time.monotonic()
        with self._lock:
            since, count = self._since.pop(mark, (now, 0))
            if now - since >= self._meanwhile:
                since, count = now, 0
            self._since[mark] = (since, count + 1)
            while len(self._since) > self._most:
                del self._since[next(iter(self._since))]

    def _mark(self, network: str) -> bytes:
        return blake2b(network.encode(), key=self._key, digest_size=8).digest()


def network_of(address: str | None) -> str:
    """Return the address, of IPv6 the network of one customer."""
    try:
        known = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return address or ""
    if known.version == 6:
        return str(ipaddress.ip_network((known, 64), strict=False))
    return str(known)


def _shy(answer: Response) -> Response:
    """Keep the code out of what the browser tells of where it comes from, and the page out of searches."""
    # Not no-referrer: under that, browsers call the origin of our own forms null.
    answer.headers["Referrer-Policy"] = "strict-origin"
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    return answer
