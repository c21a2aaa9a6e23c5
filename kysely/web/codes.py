"""Coming back to one's answers from any device, and erasing them: both by a code that only the respondent has.

The code is never in an address. A page that shows it is shown only to the browser that answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from flask import Blueprint, request
from werkzeug.wrappers import Response

from kysely import links
from kysely.instrument import Screen
from kysely.store import ResponseState, Store, UnknownResponse
from kysely.store.anonymous import is_anonymous
from kysely.store.tables import RESPONDENT
from kysely.web.contexts import Alert, Button, CodePage, Form, Frame, Link
from kysely.web.frames import Frames, language_links
from kysely.web.invitations import Misses, network_of
from kysely.web.security import Guard
from kysely.web.studies import Study
from kysely.web.visits import (
    ERASE,
    HANDLING,
    LATER,
    RESUME,
    REVIEW,
    Post,
    Visit,
    read_post,
    read_visit,
    redirect,
    resume,
    turned_away,
)

CODE, SURE = "code", "sure"
"""The fields of these pages."""

EVERYBODY = 600
"""Unknown codes that all networks together may try in ten minutes: a guesser with many addresses is one guesser."""

_WORDS = {
    RESUME: ("resume_title", "resume_text", "resume_button", "resume_refused"),
    ERASE: ("erase_title", "erase_text", "erase_button", "erase_refused"),
}

GROUP = 3
"""Signs of a code that are written together, so that it can be read aloud and copied."""


@dataclass(frozen=True)
class Codes:
    studies: Mapping[str, Study]
    store: Store
    guard: Guard
    frames: Frames
    now: Callable[[], datetime]
    base_url: str = ""
    misses: Misses = field(default_factory=Misses)
    all_misses: Misses = field(default_factory=lambda: Misses(EVERYBODY))

    def blueprint(self) -> Blueprint:
        blueprint = Blueprint("codes", __name__)
        blueprint.before_request(lambda: turned_away(self.guard))
        study = "/<any(fi,sv,en):language>/<study>"
        for rule, name, view, method in (
            (LATER, "later", self.later, "GET"),
            (LATER, "issue", self.issue, "POST"),
            (RESUME, "enter", self.enter, "GET"),
            (RESUME, "resume", self.resume, "POST"),
            (ERASE, "ask_to_erase", self.ask_to_erase, "GET"),
            (ERASE, "erase", self.erase, "POST"),
        ):
            blueprint.add_url_rule(f"{study}/{rule}", name, view, methods=[method])
        return blueprint

    # ---- taking the code along

    def later(self, language: str, study: str) -> Response:
        visit = read_visit(self.studies, self.guard, language, study)
        state = self._mine(visit)
        if state is None:
            return redirect(visit.at())
        return self._show_code(visit, state)

    def issue(self, language: str, study: str) -> Response:
        visit = read_visit(self.studies, self.guard, language, study)
        post = read_post(self.guard, visit)
        state = self._mine(visit)
        if state is None:
            return redirect(visit.at(), 303)
        if post.admits(Screen(LATER)) is None:
            return self._show_code(visit, state, "renewed_short", 403)
        self.store.issue_code(state.id)
        return redirect(visit.at(LATER), 303)

    def _show_code(self, visit: Visit, state: ResponseState, refused: str = "", status: int = 200) -> Response:
        say = visit.wording
        assert visit.passport is not None
        code = self.store.issued_code(state.id)
        onward = Link(say["to_thanks" if state.sealed else "continue"], visit.at(REVIEW))
        texts = ("later_sent",) if state.sealed else ("later_text",)
        what = "receipt_what" if is_anonymous(state.id) else "code_what"
        button = Button(say["show_code"])
        told = ("code_keep", *(() if is_anonymous(state.id) else ("code_private",))) if code else (*texts, what)
        page = CodePage(
            frame=self._frame(visit, LATER, say["error"] if refused else "", say["later_title"]),
            heading=say["later_title"],
            paragraphs=(
                *(say[key] for key in told),
                *([say.say("code_where", address=self._address(visit))] if code else []),
            ),
            code=written(code),
            form=None
            if code
            else Form(visit.at(LATER), self.guard.ticket(visit.study.id, visit.passport, LATER), (button,)),
            alert=Alert(say["code_not_shown"], (say.say(refused, button=button.label),)) if refused else None,
            links=(onward, Link(say["erase_title"], visit.at(ERASE))),
        )
        return self.frames.draw("code.html", page, status)

    def _mine(self, visit: Visit) -> ResponseState | None:
        """Return the response of this browser, None without one or where it can have no code."""
        state = self.store.response(visit.passport.response) if visit.passport and visit.passport.response else None
        # Until it is sent, an anonymous response is found by its link; then the code is all that leads to it.
        if state is None or (is_anonymous(state.id) and not state.sealed):
            return None
        return state

    # ---- coming back with it

    def enter(self, language: str, study: str) -> Response:
        return self._ask(read_visit(self.studies, self.guard, language, study), RESUME)

    def resume(self, language: str, study: str) -> Response:
        visit = read_visit(self.studies, self.guard, language, study)
        post = read_post(self.guard, visit)
        found = self._found(visit, post, RESUME)
        if isinstance(found, Response):
            return found
        return resume(self.guard, visit, found.id)

    # ---- erasing

    def ask_to_erase(self, language: str, study: str) -> Response:
        visit = read_visit(self.studies, self.guard, language, study)
        if "done" in request.args:
            say = visit.wording
            page = CodePage(
                frame=self._frame(visit, f"{ERASE}?done", say["erased_title"]),
                heading=say["erased_title"],
                paragraphs=(say["erased_text"],),
                links=(Link(say["to_introduction"], visit.at()),),
            )
            return self.frames.draw("code.html", page)
        return self._ask(visit, ERASE)

    def erase(self, language: str, study: str) -> Response:
        visit = read_visit(self.studies, self.guard, language, study)
        post = read_post(self.guard, visit)
        found = self._found(visit, post, ERASE)
        if isinstance(found, Response):
            return found
        if SURE not in post.typed:
            return self._ask(visit, ERASE, post, check_error="erase_unsure", status=422)
        try:
            self.store.erase(found.id, by=RESPONDENT, now=self.now())
        except UnknownResponse:
            pass  # a second click was faster
        answer = redirect(f"{visit.at(ERASE)}?done", 303)
        if visit.passport and visit.passport.response == found.id:
            self.guard.take_passport(visit.study.id, answer)
        return answer

    # ---- the field for a code

    def _found(self, visit: Visit, post: Post, place: str) -> ResponseState | Response:
        """Return the response of the code that was typed, or the page that says why there is none."""
        network = network_of(request.remote_addr)
        if self.misses.too_many(network) or self.all_misses.too_many(""):
            return self._ask(visit, place, post, error="code_too_many", status=429)
        if post.admits(Screen(place)) is None or not post.whole:
            return self._ask(visit, place, post, refused="code_renewed", status=403)
        typed = post.typed.get(CODE, "")
        if not typed.strip():
            return self._ask(visit, place, post, error="code_missing", status=422)
        if not links.read_code(typed):
            return self._ask(visit, place, post, error="code_mistyped", status=422)
        state = self.store.response_of_code(typed)
        if state is None or self.store.instrument(state.version_hash).id != visit.study.instrument.id:
            self.misses.note(network)
            self.all_misses.note("")
            return self._ask(visit, place, post, error="code_unknown", status=422)
        return state

    def _ask(
        self,
        visit: Visit,
        place: str,
        post: Post | None = None,
        *,
        error: str = "",
        check_error: str = "",
        refused: str = "",
        status: int = 200,
    ) -> Response:
        say = visit.wording
        known = visit.passport
        passport = known or self.guard.new_passport()
        title, text, pressed, shut = _WORDS[place]
        button = Button(say[pressed])
        wrong = [(CODE, error), (SURE, check_error)]
        told = {key: say.say(key, length=links.LENGTH) for _, key in wrong if key}
        links_to_fields = tuple(Link(told[key], f"#f-{name}") for name, key in wrong if key)
        alert = None
        if refused:
            alert = Alert(say[shut], (say.say(refused, button=button.label),))
        elif links_to_fields:
            alert = Alert(say[shut], (), links_to_fields)
        page = CodePage(
            frame=self._frame(visit, place, say["error"] if alert else "", say[title]),
            heading=say[title],
            paragraphs=(say[text],),
            form=Form(visit.at(place), self.guard.ticket(visit.study.id, passport, place), (button,)),
            ask=say["code_field"],
            typed=post.typed.get(CODE, "")[:100] if post else "",
            error=told.get(error, ""),
            check=say["erase_sure"] if place == ERASE else "",
            check_error=told.get(check_error, ""),
            alert=alert,
            links=(Link(say["to_introduction"], visit.at()),),
        )
        answer = self.frames.draw("code.html", page, status)
        if status == 429:
            answer.headers["Retry-After"] = "600"
        if known is None:
            self.guard.give_passport(visit.study.id, passport, answer)
        return answer

    def _frame(self, visit: Visit, place: str, *titles: str) -> Frame:
        return self.frames.frame(
            visit.wording,
            ": ".join(filter(None, titles)),
            brand=visit.title,
            home=visit.at(),
            languages=language_links(
                visit.language, lambda other: visit.at(place, language=other), visit.study.languages
            ),
            footer=(Link(visit.wording["privacy_short"], visit.at(HANDLING)),),
        )

    def _address(self, visit: Visit) -> str:
        return (self.base_url or request.host_url.rstrip("/")) + visit.at(RESUME)


def written(code: str) -> str:
    """Return *code* in groups, as it is shown; `links.read_code` takes it with and without them."""
    return "-".join(code[place : place + GROUP] for place in range(0, len(code), GROUP)).upper()
