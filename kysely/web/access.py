"""The door for those who work with a study: logging in and out, and the wall in front of what has roles."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask import Blueprint, Flask, g, request
from werkzeug.wrappers import Response

from kysely.access import Access, Begun, Refusal, Role, Session, WeakPassword
from kysely.access.passwords import LONGEST, SHORTEST
from kysely.access.roles import OF_RESULTS
from kysely.web.contexts import Alert, Button, ErrorPage, Form, Frame, Link
from kysely.web.forms import REALM, Field, FormPage, faults, sent
from kysely.web.frames import Frames, language_links, preferred_language, serve_in_languages
from kysely.web.invitations import network_of
from kysely.web.permissions import PUBLIC, routes_of
from kysely.web.security import Guard
from kysely.web.visits import redirect
from kysely.web.wording import LANGUAGES, Wording, wordings

LOG_IN, CODE, LOG_OUT, SET_PASSWORD, ACCOUNT = "log-in", "one-time-code", "log-out", "set-password", "my-account"

SESSION, DEVICE = "kysely-session", "kysely-device"
"""Cookies. Their hyphens keep them apart from those of studies."""

DEVICE_DAYS = 180
WAIT = "900"

ROLE_WORDS = {
    Role.RESEARCHER: "role_researcher",
    Role.IDENTITY_MANAGER: "role_identity_manager",
    Role.DATA_MANAGER: "role_data_manager",
    Role.AUTHOR: "role_author",
    Role.ADMINISTRATOR: "role_administrator",
}
_FIGURES: Mapping[str, Mapping[str, int]] = {
    "password_short": {"minimum": SHORTEST},
    "password_long": {"maximum": LONGEST},
    "password_name": {},
    "password_common": {},
}

# Own addresses are plain: what has two slashes, a backslash, a scheme or a percent sign leads elsewhere or nowhere.
_OWN = re.compile(r"/(?:[A-Za-z0-9_-][A-Za-z0-9_.-]*/)*(?:[A-Za-z0-9_-][A-Za-z0-9_.-]*)?")

_BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
_SYSTEMS = (
    *(("Windows", "Windows"), ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad")),
    *(("Mac OS", "macOS"), ("Linux", "Linux")),
)


@dataclass(frozen=True)
class Wall:
    """Lets requests through to what their session may see; a page without a role never comes past here."""

    access: Access
    guard: Guard
    frames: Frames
    now: Callable[[], datetime]

    def register(self, app: Flask) -> None:
        """Stand before every route of *app*, all of which must be there by now."""
        allowed = routes_of(app)

        def before() -> Response | None:
            rule = request.url_rule
            roles = allowed[rule.rule] if rule is not None else PUBLIC  # there is no such page
            return self.stop(roles) if roles is not None else None

        app.before_request(before)

    def stop(self, roles: frozenset[Role]) -> Response | None:
        """Return where a request is led that may not pass, None for one that may: its session is g.session."""
        session = self.session()
        if session is None or not session.passed:
            back = f"?next={request.path}" if request.method in ("GET", "HEAD") and _OWN.fullmatch(request.path) else ""
            return redirect(f"/{_language()}/{LOG_IN}{back}", 302 if back else 303)
        if not roles & session.account.roles:
            return self._no_access(session, roles)
        g.session = session
        return None

    def session(self) -> Session | None:
        token = self.guard.kept(SESSION, request.cookies)
        return self.access.sessions.find(token, self.now()) if token else None

    def _no_access(self, session: Session, roles: frozenset[Role]) -> Response:
        say = wordings()[_language()]
        paragraphs = (
            say.say("no_access_you", name=session.account.name, roles=roles_said(session.account.roles, say)),
            say.say("no_access_roles", roles=roles_said(roles, say)),
        )
        links = (Link(say["account_title"], f"/{say.language}/{ACCOUNT}"), Link(say["error_home"], f"/{say.language}/"))
        frame = self.frames.frame(say, f"{say['error']}: {say['no_access_title']}")
        return self.frames.draw("error.html", ErrorPage(frame, say["no_access_title"], paragraphs, links), 403)


@dataclass(frozen=True)
class LoggingIn:
    """The pages of those who are not logged in yet."""

    access: Access
    guard: Guard
    frames: Frames
    wall: Wall
    now: Callable[[], datetime]

    def blueprint(self) -> Blueprint:
        blueprint = Blueprint("access", __name__)
        serve_in_languages(blueprint, f"/{LOG_IN}", "log_in", self.ask)
        serve_in_languages(blueprint, f"/{SET_PASSWORD}", "set_password", self.ask_new)
        for rule, name, view, method in (
            (LOG_IN, "enter", self.enter, "POST"),
            (CODE, "ask_code", self.ask_code, "GET"),
            (CODE, "enter_code", self.enter_code, "POST"),
            (SET_PASSWORD, "set_new", self.set_new, "POST"),
        ):
            blueprint.add_url_rule(f"/<any(fi,sv,en):language>/{rule}", name, view, methods=[method])
        return blueprint

    # ---- name and password

    def ask(self, language: str) -> Response:
        """Show the form, or lead who is logged in already to where it would lead."""
        session = self.wall.session()
        if session is not None and session.passed:
            return redirect(_onward(session.account.roles, language))
        return self._log_in(language, note="password_is_set" if "set" in request.args else "")

    def enter(self, language: str) -> Response:
        typed = sent(self.guard, self._passport(), LOG_IN)
        if typed is None:
            return self._log_in(language, refused="form_renewed", status=403)
        begun = self.access.log_in(
            typed.get("name", ""),
            typed.get("password", ""),
            network=network_of(request.remote_addr),
            device=self.guard.kept(DEVICE, request.cookies),
            browser=browser_of(request.headers.get("User-Agent", "")),
            now=self.now(),
            instead=self.wall.session(),
        )
        if begun is Refusal.TOO_OFTEN:
            return self._log_in(language, refused="too_often", status=429)
        if begun is Refusal.WRONG:
            return self._log_in(language, refused="log_in_wrong", status=422)
        return self._let_in(begun, language)

    def _log_in(self, language: str, *, refused: str = "", note: str = "", status: int = 200) -> Response:
        say = wordings()[language]
        name = request.form.get("name", "")[:200]
        fields = (
            Field("name", say["account_name"], "username", value=name),
            Field("password", say["password"], "current-password", hidden=True),
        )
        links = (Link(say["to_set_password"], f"/{language}/{SET_PASSWORD}"),)
        page = _Asked(LOG_IN, "log_in_title", "log_in_text", "log_in_button", fields, links, note)
        return self._draw(language, page, refused=refused, status=status)

    # ---- one-time code

    def ask_code(self, language: str) -> Response:
        session = self.wall.session()
        if session is None or session.passed:
            return redirect(f"/{language}/{LOG_IN}{_query(_next())}")
        return self._code(language)

    def enter_code(self, language: str) -> Response:
        session = self.wall.session()
        if session is None or session.passed:
            return redirect(f"/{language}/{LOG_IN}", 303)
        typed = sent(self.guard, self._passport(), CODE)
        if typed is None:
            return self._code(language, refused="form_renewed", status=403)
        begun = self.access.enter_code(session, typed.get("code", ""), self.now())
        if begun is Refusal.TOO_OFTEN:
            return self._code(language, refused="too_often", status=429)
        if begun is Refusal.WRONG:
            return self._code(language, refused="code_wrong", status=422)
        return self._let_in(begun, language)

    def _code(self, language: str, *, refused: str = "", status: int = 200) -> Response:
        say = wordings()[language]
        fields = (Field("code", say["one_time_code"], "one-time-code", digits=True),)
        page = _Asked(CODE, "code_title", "code_text", "log_in_button", fields)
        return self._draw(language, page, refused=refused, status=status)

    def _let_in(self, begun: Begun, language: str) -> Response:
        onward = _next() or _onward(begun.account.roles, language)
        answer = redirect(onward if begun.passed else f"/{language}/{CODE}{_query(_next())}", 303)
        self.guard.keep(SESSION, begun.token, answer)
        if begun.passed:
            self.guard.keep(DEVICE, begun.device, answer, days=DEVICE_DAYS)
            self.guard.take_passport(REALM, answer)
        return answer

    # ---- a password of one's own

    def ask_new(self, language: str) -> Response:
        return self._new(language)

    def set_new(self, language: str) -> Response:
        typed = sent(self.guard, self._passport(), SET_PASSWORD)
        if typed is None:
            return self._new(language, refused="form_renewed", status=403)
        say, now = wordings()[language], self.now()
        entry, password = typed.get("code", ""), typed.get("password", "")
        who = {"entry": network_of(request.remote_addr)}
        if not self.access.attempts.begin(who, now):
            return self._new(language, refused="too_often", status=429)
        account = self.access.accounts.holder(entry, now)
        if account is None:
            return self._new(language, {"code": say["entry_unknown"]}, status=422)
        self.access.attempts.forgive(who)
        wrong = repeated(typed, say)
        if not wrong:
            try:
                self.access.accounts.set_password(account, password, by=account.name, now=now)
            except WeakPassword as error:
                wrong = {"password": weak(error, say)}
        if wrong:
            return self._new(language, wrong, status=422)
        return redirect(f"/{language}/{LOG_IN}?set", 303)

    def _new(
        self, language: str, wrong: Mapping[str, str] | None = None, *, refused: str = "", status: int = 200
    ) -> Response:
        say, wrong = wordings()[language], wrong or {}
        code = request.form.get("code", "")[:200]
        fields = (
            Field("code", say["entry_code"], "off", value=code, error=wrong.get("code", "")),
            *new_password(say, wrong),
        )
        page = _Asked(SET_PASSWORD, "set_password_title", "set_password_text", "set_password_button", fields)
        return self._draw(language, page, refused=refused, status=status)

    # ---- what they have in common

    def _passport(self):
        return self.guard.read_passport(REALM, dict(request.cookies))

    def _draw(self, language: str, page: _Asked, *, refused: str, status: int) -> Response:
        say = wordings()[language]
        known = self._passport()
        passport = known or self.guard.new_passport()
        button = Button(say[page.button])
        alert = faults(page.fields, say["not_done"])
        if refused:
            alert = Alert(say["not_done"], (say.say(refused, button=button.label),))
        address = f"/{language}/{page.place}{_query(_next())}"
        shown = FormPage(
            frame=self._frame(say, page.place, say["error"] if alert else "", say[page.title]),
            heading=say[page.title],
            paragraphs=(say[page.text],),
            fields=page.fields,
            form=Form(address, self.guard.ticket(REALM, passport, page.place), (button,)),
            alert=alert,
            note=say[page.note] if page.note else "",
            links=page.links,
        )
        answer = self.frames.draw("form.html", shown, status)
        if status == 429:
            answer.headers["Retry-After"] = WAIT
        if known is None:
            self.guard.give_passport(REALM, passport, answer)
        return answer

    def _frame(self, say: Wording, place: str, *titles: str) -> Frame:
        links = language_links(say.language, lambda other: f"/{other}/{place}{_query(_next())}")
        return self.frames.frame(say, ": ".join(filter(None, titles)), languages=links)


@dataclass(frozen=True)
class _Asked:
    """A form of those who are not logged in: keys of its sentences, and its fields."""

    place: str
    title: str
    text: str
    button: str
    fields: tuple[Field, ...]
    links: tuple[Link, ...] = field(default=())
    note: str = ""


def new_password(say: Wording, wrong: Mapping[str, str]) -> tuple[Field, ...]:
    """Return the two fields of a new password; neither is ever filled in again."""
    hint = say.say("password_hint", minimum=SHORTEST)
    return (
        Field("password", say["new_password"], "new-password", True, hint=hint, error=wrong.get("password", "")),
        Field("again", say["password_again"], "new-password", True, error=wrong.get("again", "")),
    )


def repeated(typed: Mapping[str, Any], say: Wording) -> Mapping[str, str]:
    """Return what is wrong if a new password was not typed twice alike."""
    return {} if typed.get("password", "") == typed.get("again", "") else {"again": say["password_differs"]}


def weak(error: WeakPassword, say: Wording) -> str:
    """Return why a password was refused, in the reader's language."""
    return say.say(error.code, **_FIGURES[error.code])


def roles_said(roles: frozenset[Role], say: Wording) -> str:
    return ", ".join(say[word] for role, word in ROLE_WORDS.items() if role in roles)


def browser_of(agent: str) -> str:
    """Return the kind of browser in words that its owner recognises; nothing tells browsers of a kind apart."""
    found = [next((name for sign, name in known if sign in agent), "") for known in (_BROWSERS, _SYSTEMS)]
    return ", ".join(filter(None, found))


def _next() -> str:
    """Return where to go after logging in, "" where nothing was said or it is not an address of ours."""
    wished = request.args.get("next", "")
    return wished if _OWN.fullmatch(wished) else ""


def _query(next: str) -> str:
    return f"?next={next}" if next else ""


def _onward(roles: frozenset[Role], language: str) -> str:
    return f"/{language}/charts/" if roles & OF_RESULTS else f"/{language}/{ACCOUNT}"


def _language() -> str:
    said = (request.view_args or {}).get("language", "")
    return said if said in LANGUAGES else preferred_language()
