"""Who may post what: signed tickets in the forms, a signed cookie a study, and the headers of every response.

A ticket does three things at once. It binds a form to the browser that was shown it (no request can be forged),
it carries a random key (a form counts once, however often it is sent), and it names the revision that the page was
made from (a page changed elsewhere in the meantime is noticed). Nothing in it expires.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from itsdangerous import BadData, Signer
from itsdangerous.encoding import base64_decode, base64_encode
from werkzeug.wrappers import Request, Response

from kysely.config import Settings

COOKIE_DAYS = 30

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"
)

_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Tells other sites nothing, like no-referrer; under that, browsers call the origin of our own forms null.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True)
class Ticket:
    """What a form knows about itself; *response* is "" before there is one, *edit* when it came from the review.

    *shown* is when its page was first shown, in milliseconds since 1970, 0 where that isn't kept; *draft* the browser
    from whose draft the form was filled, "" for its own.
    """

    study: str
    browser: str
    response: str
    page: str
    stage: str
    revision: int
    key: str
    edit: bool = False
    shown: int = 0
    draft: str = ""


@dataclass(frozen=True)
class Passport:
    """What the cookie of one study says: a random mark of this browser, and its response if it has one."""

    browser: str
    response: str = ""


class Guard:
    """Signs and reads tickets and passports; keys retired by rotation still open what they signed."""

    def __init__(self, settings: Settings):
        keys = [*reversed(settings.secret_key_fallbacks), settings.secret_key]
        self._key = hashlib.sha256(b"kysely.mark" + settings.secret_key.encode()).digest()
        self._tickets = _Signed(keys, "kysely.ticket")
        self._passports = _Signed(keys, "kysely.passport")
        base = urlsplit(settings.base_url)
        self._secure = base.scheme == "https"
        self._origin = f"{base.scheme}://{base.netloc}"
        self._headers = [
            *_HEADERS.items(),
            *([("Strict-Transport-Security", "max-age=31536000")] if self._secure else []),
        ]

    def ticket(
        self,
        study: str,
        passport: Passport,
        page: str = "",
        stage: str = "",
        revision: int = 0,
        edit: bool = False,
        *,
        shown: int = 0,
        draft: str = "",
    ) -> str:
        """Return a new signed ticket for a form of *study* shown to the browser of *passport*."""
        who = (study, passport.browser, passport.response)
        return self._tickets.dumps((*who, page, stage, revision, secrets.token_hex(16), int(edit), shown, draft))

    def ticket_again(self, ticket: Ticket) -> str:
        """Return a new ticket for the same page at the same revision: nothing has been saved in between."""
        passport = Passport(ticket.browser, ticket.response)
        where = (ticket.page, ticket.stage, ticket.revision, ticket.edit)
        return self.ticket(ticket.study, passport, *where, shown=ticket.shown, draft=ticket.draft)

    def read_ticket(self, study: str, text: str) -> Ticket | None:
        """Return the ticket, or None for one we have not signed for *study*."""
        try:
            # Forms that were open while the program was exchanged end with *edit*.
            of, browser, response, page, stage, revision, key, edit, *more = self._tickets.loads(text)
            ticket = Ticket(of, browser, response, page, stage, revision, key, bool(edit), *more)
        except (BadData, ValueError, TypeError):
            return None
        return ticket if of == study else None

    def sent_from_elsewhere(self, request: Request) -> bool:
        """Whether the browser says that a page of another origin sent this form.

        The cookie stays behind then (SameSite), so such a post looks like one of ours whose cookie was lost. What
        helps there would harm here: a new cookie ends the response under way, the ticket's own puts another in its
        place.
        """
        site = request.headers.get("Sec-Fetch-Site")
        if site in ("same-origin", "cross-site"):
            return site == "cross-site"
        # Browsers before 2023, and all of them over plain http: there it hangs on the origin.
        origin = request.headers.get("Origin")
        return origin is not None and origin not in (self._origin, f"{request.scheme}://{request.host}")

    def new_passport(self) -> Passport:
        return Passport(secrets.token_hex(16))

    def passport_after(self, ticket: Ticket, response: str) -> Passport:
        """Return a passport with a new mark, the same each time the form of *ticket* is sent."""
        mark = hmac.new(self._key, ticket.key.encode(), hashlib.sha256)
        return Passport(mark.hexdigest()[:32], response)

    def begun_by(self, ticket: Ticket, passport: Passport) -> bool:
        """Whether this browser has its *passport* because it sent the form of *ticket*."""
        return hmac.compare_digest(self.passport_after(ticket, "").browser, passport.browser)

    def read_passport(self, study: str, cookies: dict[str, str]) -> Passport | None:
        """Return what this browser's cookie for *study* says, or None without a cookie of ours."""
        try:
            of, browser, response = self._passports.loads(self.kept(f"kysely_{study}", cookies))
        except (BadData, ValueError, TypeError):
            return None
        return Passport(browser, response) if of == study else None

    def give_passport(self, study: str, passport: Passport, response: Response) -> None:
        """Set the cookie of *study* on *response*."""
        said = self._passports.dumps((study, passport.browser, passport.response))
        self.keep(f"kysely_{study}", said, response, days=COOKIE_DAYS if passport.response else None)

    def take_passport(self, study: str, response: Response) -> None:
        """Let the browser forget the cookie of *study*."""
        self.forget(f"kysely_{study}", response)

    def keep(self, name: str, said: str, response: Response, *, days: int | None = None) -> None:
        """Let the browser keep what is *said* under *name*: for some *days*, or until it is closed."""
        response.set_cookie(
            self._cookie(name),
            said,
            max_age=None if days is None else days * 24 * 60 * 60,
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="Lax",
        )

    def kept(self, name: str, cookies: Mapping[str, str]) -> str:
        """Return what the browser keeps under *name*, "" for nothing."""
        return cookies.get(self._cookie(name), "")

    def forget(self, name: str, response: Response) -> None:
        response.delete_cookie(self._cookie(name), path="/", secure=self._secure, httponly=True, samesite="Lax")

    def seal(self, response: Response) -> Response:
        """Put the headers of TRUST F1–F4 on *response*; a view that set one itself keeps its own."""
        own = {name.lower() for name, _ in response.headers}
        response.headers.extend([header for header in self._headers if header[0].lower() not in own])
        return response

    def _cookie(self, name: str) -> str:
        return f"__Host-{name}" if self._secure else name


def same_browser(ticket: Ticket, passport: Passport) -> bool:
    """Whether the form was shown to the browser that now sends it."""
    if not hmac.compare_digest(ticket.browser, passport.browser):
        return False
    return passport.response in ("", ticket.response)


class _Signed:
    """Short tuples as signed text.

    Not with itsdangerous' serializer: it compresses what is random, and makes its parts anew at every call.
    That was a twentieth of the work of a page.
    """

    def __init__(self, keys: list[str], purpose: str):
        derived = [Signer(key, salt=purpose, digest_method=hashlib.sha256).derive_key() for key in keys]
        self._signer = Signer(derived, key_derivation="none", digest_method=hashlib.sha256)

    def dumps(self, fields: tuple[str | int, ...]) -> str:
        return self._signer.sign(base64_encode(_PLAIN.encode(fields))).decode()

    def loads(self, text: str) -> list[Any]:
        """Return the fields; raises BadData or ValueError for what was not signed here for this purpose."""
        fields: list[Any] = json.loads(base64_decode(self._signer.unsign(text)))
        return fields


_PLAIN = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
