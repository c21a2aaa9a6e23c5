"""One's own account: where one is logged in, the password, and one-time codes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import segno
from flask import Blueprint, abort, g, request
from werkzeug.wrappers import Response

from kysely import clock
from kysely.access import Access, Refusal, Session, WeakPassword, one_time
from kysely.web.access import (
    ACCOUNT,
    LOG_IN,
    LOG_OUT,
    SESSION,
    WAIT,
    new_password,
    repeated,
    roles_said,
    weak,
)
from kysely.web.contexts import Alert, Button, Form, Frame, Link
from kysely.web.forms import REALM, AccountPage, Field, FormPage, Picture, SessionRow, faults, sent
from kysely.web.frames import Frames, language_links
from kysely.web.security import Guard, Passport
from kysely.web.visits import redirect
from kysely.web.wording import Wording, wordings

PASSWORD, CODES, END = f"{ACCOUNT}/password", f"{ACCOUNT}/one-time-codes", f"{ACCOUNT}/end-session"

QUIET_ZONE = 4
"""Empty squares around a QR code, without which readers miss it."""


@dataclass(frozen=True)
class OwnAccount:
    access: Access
    guard: Guard
    frames: Frames
    now: Callable[[], datetime]

    def blueprint(self) -> Blueprint:
        blueprint = Blueprint("account", __name__)
        for rule, name, view, method in (
            (ACCOUNT, "show", self.show, "GET"),
            (END, "end", self.end, "POST"),
            (LOG_OUT, "log_out", self.log_out, "POST"),
            (PASSWORD, "ask_password", self.ask_password, "GET"),
            (PASSWORD, "change_password", self.change_password, "POST"),
            (CODES, "ask_codes", self.ask_codes, "GET"),
            (CODES, "change_codes", self.change_codes, "POST"),
        ):
            blueprint.add_url_rule(f"/<any(fi,sv,en):language>/{rule}", name, view, methods=[method])
        return blueprint

    # ---- where one is logged in

    def show(self, language: str) -> Response:
        say, session = wordings()[language], _session()
        account = session.account
        codes = "codes_on" if account.codes else "codes_off"
        others = [one for one in self.access.sessions.of_account(account, self.now()) if one.id != session.id]
        page = AccountPage(
            frame=self._frame(say, ACCOUNT, say["account_title"]),
            heading=say["account_title"],
            facts=(
                (say["account_name"], account.name),
                (say["account_roles"], roles_said(account.roles, say)),
                (say["codes_title"], say.say(codes, count=self.access.accounts.recovery_left(account))),
            ),
            links=(
                Link(say["change_password"], f"/{language}/{PASSWORD}"),
                Link(say["codes_change"], f"/{language}/{CODES}"),
            ),
            sessions_heading=say["sessions_title"],
            sessions=(self._row(session, say, None), *(self._row(one, say, self._end(say, one.id)) for one in others)),
            others=self._end(say, "others") if len(others) > 1 else None,
            leave=self._form(say, LOG_OUT, Button(say["log_out"], look="second")),
            note=say["is_done"] if "done" in request.args else "",
        )
        return self.frames.draw("account.html", page)

    def end(self, language: str) -> Response:
        session = _session()
        typed = sent(self.guard, _passport(session), END)
        if typed is None:
            abort(403)
        chosen = typed.get("session", "")
        only, but = ("", session.id) if chosen == "others" else (chosen, "")
        ended = self.access.accounts.end_sessions(
            session.account, only=only, but=but, by=session.account.name, now=self.now()
        )
        if not ended and only:
            abort(404)
        return redirect(f"/{language}/{ACCOUNT}?done", 303)

    def log_out(self, language: str) -> Response:
        session = _session()
        if sent(self.guard, _passport(session), LOG_OUT) is None:
            abort(403)
        self.access.log_out(session, self.now())
        answer = redirect(f"/{language}/{LOG_IN}", 303)
        self.guard.forget(SESSION, answer)
        # What the browser kept of pages and pictures goes too; on plain http it takes no notice.
        answer.headers["Clear-Site-Data"] = '"cache"'
        return answer

    def _row(self, session: Session, say: Wording, form: Form | None) -> SessionRow:
        begun, seen = (clock.said(moment, say.language) for moment in (session.begun_at, session.seen_at))
        times = (say.say("session_begun", moment=begun), say.say("session_seen", moment=seen))
        here = () if form else (say["session_this"],)
        return SessionRow(session.browser or say["session_unknown"], (*here, *times), form)

    def _end(self, say: Wording, session: str) -> Form:
        button = Button(say["sessions_end_others" if session == "others" else "session_end"], look="second")
        return self._form(say, END, button, carried=(("session", session),))

    # ---- the password

    def ask_password(self, language: str) -> Response:
        return self._password(language)

    def change_password(self, language: str) -> Response:
        session, say = _session(), wordings()[language]
        typed = sent(self.guard, _passport(session), PASSWORD)
        if typed is None:
            return self._password(language, refused="form_renewed", status=403)
        wrong = dict(repeated(typed, say))
        if not wrong:
            still = self.access.is_still(session.account, typed.get("current", ""), self.now())
            if still is Refusal.TOO_OFTEN:
                return self._password(language, refused="too_often", status=429)
            if not still:
                wrong = {"current": say["password_not_this"]}
        if not wrong:
            password, name = typed.get("password", ""), session.account.name
            try:
                self.access.accounts.set_password(session.account, password, by=name, now=self.now(), but=session.id)
            except WeakPassword as error:
                wrong = {"password": weak(error, say)}
        if wrong:
            return self._password(language, wrong, status=422)
        return redirect(f"/{language}/{ACCOUNT}?done", 303)

    def _password(
        self, language: str, wrong: Mapping[str, str] | None = None, *, refused: str = "", status: int = 200
    ) -> Response:
        say, wrong = wordings()[language], wrong or {}
        fields = (_current(say, wrong), *new_password(say, wrong))
        return self._draw(
            say,
            PASSWORD,
            "change_password",
            ("change_password_text",),
            fields,
            (Button(say["change_password"]),),
            refused=refused,
            status=status,
        )

    # ---- one-time codes

    def ask_codes(self, language: str) -> Response:
        return self._codes(language)

    def change_codes(self, language: str) -> Response:
        session, say = _session(), wordings()[language]
        account = session.account
        typed = sent(self.guard, _passport(session), CODES)
        if typed is None:
            return self._codes(language, refused="form_renewed", status=403)
        wish = typed.get("go", "")
        if wish == "confirm" and not account.codes:
            return self._confirm(language, session, typed.get("code", ""))
        still = self.access.is_still(account, typed.get("current", ""), self.now())
        if still is Refusal.TOO_OFTEN:
            return self._codes(language, refused="too_often", status=429)
        if not still:
            return self._codes(language, {"current": say["password_not_this"]}, status=422)
        if wish == "begin" and not account.codes:
            return self._propose(language, session, self.access.accounts.propose_codes(account))
        if wish == "renew" and account.codes:
            codes = self.access.accounts.renew_recovery(account, by=account.name, now=self.now())
            return self._shown(language, codes)
        if wish == "stop" and account.codes:
            self.access.accounts.stop_codes(account, by=account.name, now=self.now())
        return redirect(f"/{language}/{ACCOUNT}?done", 303)

    def _codes(
        self, language: str, wrong: Mapping[str, str] | None = None, *, refused: str = "", status: int = 200
    ) -> Response:
        say = wordings()[language]
        texts = ("codes_text", "codes_begin_text")
        buttons: tuple[Button, ...] = (Button(say["codes_begin"], "go", "begin"),)
        if _session().account.codes:
            texts = ("codes_text", "codes_change_text")
            buttons = (
                Button(say["codes_renew"], "go", "renew", look="second"),
                Button(say["codes_stop"], "go", "stop", look="second"),
            )
        return self._draw(
            say, CODES, "codes_title", texts, (_current(say, wrong or {}),), buttons, refused=refused, status=status
        )

    def _confirm(self, language: str, session: Session, typed: str) -> Response:
        account = session.account
        secret = self.access.accounts.proposed(account)
        if not secret:
            return self._codes(language)
        if not self.access.attempts.begin({"code": account.id}, self.now()):
            return self._codes(language, refused="too_often", status=429)
        codes = self.access.accounts.confirm_codes(account, typed, but=session.id, now=self.now())
        if not codes:
            return self._propose(language, session, secret, wrong=True)
        self.access.attempts.forgive({"code": account.id})
        return self._shown(language, codes)

    def _propose(self, language: str, session: Session, secret: str, *, wrong: bool = False) -> Response:
        say = wordings()[language]
        address = one_time.address(secret, session.account.name)
        field = Field(
            "code", say["one_time_code"], "one-time-code", digits=True, error=say["code_not_of_this"] if wrong else ""
        )
        return self._draw(
            say,
            CODES,
            "codes_title",
            ("codes_scan", "codes_confirm"),
            (field,),
            (Button(say["codes_confirm_button"], "go", "confirm"),),
            picture=drawn(address, say["codes_picture"]),
            secret=one_time.grouped(secret, between=" "),
            address=Link(say["codes_open_app"], address),
            status=422 if wrong else 200,
        )

    def _shown(self, language: str, codes: tuple[str, ...]) -> Response:
        say = wordings()[language]
        page = FormPage(
            frame=self._frame(say, CODES, say["recovery_title"]),
            heading=say["recovery_title"],
            paragraphs=(say["recovery_text"],),
            codes=codes,
            links=(Link(say["to_account"], f"/{language}/{ACCOUNT}"),),
        )
        return self.frames.draw("form.html", page)

    # ---- what they have in common

    def _draw(
        self,
        say: Wording,
        place: str,
        title: str,
        texts: tuple[str, ...],
        fields: tuple[Field, ...],
        buttons: tuple[Button, ...],
        *,
        refused: str = "",
        status: int = 200,
        picture: Picture | None = None,
        secret: str = "",
        address: Link | None = None,
    ) -> Response:
        alert = faults(fields, say["not_done"])
        if refused:
            alert = Alert(say["not_done"], (say.say(refused, button=buttons[0].label),))
        page = FormPage(
            frame=self._frame(say, place, ": ".join(filter(None, (say["error"] if alert else "", say[title])))),
            heading=say[title],
            paragraphs=tuple(say[text] for text in texts),
            picture=picture,
            secret=secret,
            address=address,
            fields=fields,
            form=self._form(say, place, *buttons),
            alert=alert,
            links=(Link(say["to_account"], f"/{say.language}/{ACCOUNT}"),),
        )
        answer = self.frames.draw("form.html", page, status)
        if status == 429:
            answer.headers["Retry-After"] = WAIT
        return answer

    def _form(self, say: Wording, place: str, *buttons: Button, carried: tuple[tuple[str, str], ...] = ()) -> Form:
        ticket = self.guard.ticket(REALM, _passport(_session()), place)
        return Form(f"/{say.language}/{place}", ticket, buttons, carried)

    def _frame(self, say: Wording, place: str, title: str) -> Frame:
        return self.frames.frame(say, title, languages=language_links(say.language, lambda other: f"/{other}/{place}"))


def drawn(text: str, label: str) -> Picture:
    """Return *text* as a QR code: one path of squares, which needs neither a script nor a style."""
    rows = [list(row) for row in segno.make_qr(text, error="m").matrix]
    squares = [
        f"M{x + QUIET_ZONE} {y + QUIET_ZONE}h1v1h-1z"
        for y, row in enumerate(rows)
        for x, dark in enumerate(row)
        if dark
    ]
    return Picture("".join(squares), len(rows) + 2 * QUIET_ZONE, label)


def _session() -> Session:
    """Return the session that the wall let through."""
    session: Session = g.session
    return session


def _passport(session: Session) -> Passport:
    """Return what binds a form to a session: no form of one account is a form of another."""
    return Passport(session.mark)


def _current(say: Wording, wrong: Mapping[str, str]) -> Field:
    error = wrong.get("current", "")
    return Field("current", say["password_current"], "current-password", hidden=True, error=error)
