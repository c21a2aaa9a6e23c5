"""The interview: introduction, pages, review, thanks. GET and HEAD change nothing; every POST carries a ticket.

A page is saved in one transaction before its redirect. What can't be saved is shown again with everything typed.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import quote

from flask import Blueprint, abort, request
from werkzeug.wrappers import Response

from kysely.errors import StoreError
from kysely.instrument import Instrument
from kysely.questions._base import Question
from kysely.routing import Screen
from kysely.store import ByInvitation, Closed, Conflict, Phase, ResponseState, Store, UnknownResponse, WaveClosed
from kysely.web import screens, statements
from kysely.web.contexts import Alert
from kysely.web.pages import Pages
from kysely.web.problems import RETRY_AFTER, log
from kysely.web.screens import Received, Standing
from kysely.web.security import Guard, Passport, Ticket, same_browser
from kysely.web.studies import Study
from kysely.web.visits import HANDLING, REVIEW, THANKS, Post, Visit, redirect
from kysely.web.wording import wordings

_FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data", "")
"""A post without a body has no type; it is a form in which nothing arrived."""


@dataclass(frozen=True)
class Interview:
    """The views of the interview and what they need."""

    studies: Mapping[str, Study]
    store: Store
    guard: Guard
    pages: Pages
    now: Callable[[], datetime]
    new_seed: Callable[[], int]

    def blueprint(self) -> Blueprint:
        blueprint = Blueprint("interview", __name__)
        blueprint.before_request(self.turn_away)
        study = "/<any(fi,sv,en):language>/<study>"
        for rule, name, view, method in (
            ("/", "introduction", self.introduction, "GET"),
            ("/", "start", self.start, "POST"),
            (f"/{HANDLING}", "handling", self.handling, "GET"),
            (f"/{REVIEW}", "review", self.review, "GET"),
            (f"/{REVIEW}", "submit", self.submit, "POST"),
            (f"/{THANKS}", "thanks", self.thanks, "GET"),
            ("/<page>", "page", self.page, "GET"),
            ("/<page>", "save", self.save, "POST"),
            ("/<page>/<stage>", "stage", self.page, "GET"),
            ("/<page>/<stage>", "save_stage", self.save, "POST"),
        ):
            blueprint.add_url_rule(study + rule, name, view, methods=[method])
        return blueprint

    def turn_away(self) -> Response | None:
        """Answer a form that another site sent with the page itself, which knows nothing of what it sent."""
        if request.method == "POST" and self.guard.sent_from_elsewhere(request):
            return redirect(quote(request.path), 303)
        return None

    # ---- introduction

    def introduction(self, language: str, study: str) -> Response:
        return self._introduce(self._visit(language, study))

    def start(self, language: str, study: str) -> Response:
        visit = self._visit(language, study)
        post = self._post(visit)
        ticket = post.admits(Screen(""))
        if ticket is None or not post.whole:
            return self._introduce(visit, refused="start_renewed")
        try:
            response = self._begin(visit, ticket)
        except ByInvitation:
            return self._introduce(visit, refused="by_invitation")
        except WaveClosed:
            return self._introduce(visit, refused="wave_closed")
        first = Standing(visit.study.instrument, {}, 0).position
        answer = redirect(visit.screen(first), 303)
        # A new mark: pages of an earlier response that are still open in another tab are not this one's.
        self.guard.give_passport(study, self.guard.passport_after(ticket, response), answer)
        return answer

    def handling(self, language: str, study: str) -> Response:
        return self.pages.handling(self._visit(language, study))

    def _introduce(self, visit: Visit, *, refused: str = "") -> Response:
        say = visit.wording
        passport = visit.passport or self.guard.new_passport()
        state = self._state(visit.passport)
        answered = state is not None and state.submitted
        onward = visit.screen(self._standing(state).position) if state and not answered else ""
        button = say["start_anew" if state else "start"]
        alert = Alert(say["not_started"], (say.say(refused, button=button),)) if refused else None
        wave = visit.study.wave
        ticket = self.guard.ticket(visit.study.id, passport)
        phase = wave.phase(self.now())
        if phase is not Phase.OPEN or not wave.by_link:
            ticket = ""
        shut = "" if state else statements.shut(wave, phase, say)
        answer = self.pages.introduction(visit, ticket, onward=onward, answered=answered, alert=alert, shut=shut)
        if visit.passport is None:
            self.guard.give_passport(visit.study.id, passport, answer)
        return answer

    def _begin(self, visit: Visit, ticket: Ticket) -> str:
        """Begin a response; a form that is sent twice begins one."""
        return self.store.start(
            visit.study.wave.id,
            visit.study.wave.origin,
            visit.study.instrument.hash,
            visit.language,
            self.new_seed(),
            self.now(),
            submit_key=ticket.key,
        )

    # ---- pages

    def page(self, language: str, study: str, page: str, stage: str = "") -> Response:
        visit = self._visit(language, study)
        screen = Screen(page, stage)
        passport = visit.passport
        state = self._state(passport)
        standing = self._standing(state, page) if state else Standing(visit.study.instrument, {}, 0)
        if not screens.exists(standing.instrument, screen):
            abort(404)
        if state is None or passport is None:
            return redirect(visit.at())
        if state.submitted:
            return redirect(visit.at(THANKS))
        if not screens.open_to(standing, screen):
            return redirect(visit.screen(standing.position))
        edit = "edit" in request.args
        ticket = self.guard.ticket(study, passport, page, stage, state.revision, edit)
        return self.pages.questions(visit, standing, screen, ticket, edit=edit)

    def save(self, language: str, study: str, page: str, stage: str = "") -> Response:
        visit = self._visit(language, study)
        screen = Screen(page, stage)
        post = self._post(visit)
        standing = None
        try:
            ticket = post.admits(screen)
            state = self._state_of(ticket) if ticket else None
            if ticket is None or (ticket.response and state is None):
                return self._renew(visit, screen, post)
            standing = self._standing(state, page) if state else Standing(visit.study.instrument, {}, 0)
            if state and state.submitted:
                return self._closed(visit, standing, screen, post)
            if visit.study.wave.phase(self.now()) is Phase.OVER:
                return self.pages.lost(visit, standing, screen, post, "over", visit.at())
            return self._settle(visit, standing, screen, post, ticket)
        except UnknownResponse:
            return self._renew(visit, screen, post)
        except StoreError as error:
            log(error)
            return self._unavailable(visit, standing, screen, post)

    def _settle(self, visit: Visit, standing: Standing, screen: Screen, post: Post, ticket: Ticket) -> Response:
        """Save the page if it can be saved as it is, otherwise show it again."""
        again = self.guard.ticket_again(ticket)
        if not screens.exists(standing.instrument, screen):
            abort(404)
        if not standing.questions(screen):
            return self.pages.lost(visit, standing, screen, post, "off_path", visit.screen(standing.position))
        if post.changing_language:
            return self.pages.questions(visit, standing, screen, again, edit=post.edit, typed=post.typed)
        if not post.whole:
            return self.pages.unsaved(visit, standing, screen, post, again, "incomplete", status=422)
        before = self._before(visit, standing, screen, post)
        received = screens.receive(standing, screen, post.typed, skip=post.skip or post.going_back)
        # A page that was answered before and is blank now has been taken back, which is to be saved.
        if post.going_back and post.blank and not screens.answered(standing, received):
            return redirect(before, 303)
        if received.errors:
            return self.pages.errors(visit, standing, screen, post, again, received, before=before)
        return self._keep(visit, standing, screen, post, ticket, received)

    def _keep(
        self, visit: Visit, standing: Standing, screen: Screen, post: Post, ticket: Ticket, received: Received
    ) -> Response:
        try:
            passport = Passport(ticket.browser, ticket.response or self._begin(visit, ticket))
        except WaveClosed:
            return self.pages.lost(visit, standing, screen, post, "wave_closed", visit.at())
        outcome = self.store.save(
            passport.response,
            page=screen.page,
            stage=screen.stage,
            submit_key=ticket.key,
            based_on=ticket.revision,
            answers=received.answers,
            variables=received.variables,
            identity=next(iter(received.identity.values()), None),
            language=visit.language,
            now=self.now(),
        )
        if isinstance(outcome, Closed):
            return self._closed(visit, standing, screen, post)
        if isinstance(outcome, Conflict):
            return self._conflict(visit, screen, post, passport, outcome)
        after = standing.with_answers(received.answers)
        following = visit.screen(screens.following(after, screen, edit=post.edit))
        answer = redirect(self._before(visit, after, screen, post) if post.going_back else following, 303)
        self.guard.give_passport(visit.study.id, passport, answer)
        return answer

    def _renew(self, visit: Visit, screen: Screen, post: Post) -> Response:
        """Return the page with a new ticket and everything typed: one more press saves it.

        That press is what makes it safe: a post without its cookie doesn't prove who sent it, only our page can.
        """
        passport, state = self._claimed(visit, post)
        standing = self._standing(state, screen.page) if state else Standing(visit.study.instrument, {}, 0)
        if not screens.exists(standing.instrument, screen):
            abort(404)
        if state and state.submitted:
            return self._closed(visit, standing, screen, post)
        if not standing.questions(screen):
            reason, onward = ("off_path", visit.screen(standing.position)) if state else ("start_again", visit.at())
            return self.pages.lost(visit, standing, screen, post, reason, onward)
        same = state is not None and post.ticket is not None and post.ticket.response == state.id
        revision = post.ticket.revision if same and post.ticket else state.revision if state else 0
        ticket = self.guard.ticket(visit.study.id, passport, screen.page, screen.stage, revision, post.edit)
        answer = self.pages.unsaved(visit, standing, screen, post, ticket, "renewed", status=403)
        self._mark(visit, passport, answer)
        return answer

    def _conflict(self, visit: Visit, screen: Screen, post: Post, passport: Passport, outcome: Conflict) -> Response:
        state = self._state(passport)
        if state is None:
            raise UnknownResponse("The response has been erased.")
        study = visit.study.id
        ticket = self.guard.ticket(study, passport, screen.page, screen.stage, outcome.revision, post.edit)
        return self.pages.conflict(visit, self._standing(state, screen.page), screen, post, ticket)

    def _closed(self, visit: Visit, standing: Standing, screen: Screen, post: Post) -> Response:
        """Return what this post itself typed: whoever sends it need not be who may see the answers."""
        blank = Standing(standing.instrument, {}, 0)
        return self.pages.lost(visit, blank, screen, post, "closed", visit.at(THANKS), heading="closed_title")

    def _unavailable(self, visit: Visit, standing: Standing | None, screen: Screen, post: Post) -> Response:
        """Return the page as it was sent while the store is out of reach; its own ticket sends it again."""
        known = standing or Standing(visit.study.instrument, {}, 0)
        if not screens.exists(known.instrument, screen):
            abort(404)
        shown = standing.questions(screen) if standing else screens.spoken_of(known.instrument, screen, post.typed)
        answer = self.pages.unsaved(
            visit,
            known,
            screen,
            post,
            post.typed.get("ticket", ""),
            "unavailable",
            shown=shown,
            # Without the answers so far some fields can't be drawn; what was typed into them goes along.
            carried=screens.undrawn(known, screen, shown, visit.language, post.answers),
            status=503,
        )
        answer.headers["Retry-After"] = RETRY_AFTER
        return answer

    @staticmethod
    def _before(visit: Visit, standing: Standing, screen: Screen, post: Post) -> str:
        if post.edit:
            return visit.at(REVIEW)
        before = screens.previous(standing, screen)
        return visit.screen(before) if before else visit.at()

    # ---- check your answers, thank you

    def review(self, language: str, study: str) -> Response:
        visit = self._visit(language, study)
        passport = visit.passport
        state = self._state(passport)
        if state is None or passport is None:
            return redirect(visit.at())
        if state.submitted:
            return redirect(visit.at(THANKS))
        standing = self._whole(state)
        if standing.position is not None:
            return redirect(visit.screen(standing.position))
        return self.pages.review(visit, standing, self.guard.ticket(study, passport, REVIEW, "", state.revision))

    def submit(self, language: str, study: str) -> Response:
        visit = self._visit(language, study)
        post = self._post(visit)
        ticket = post.admits(Screen(REVIEW))
        passport, state = self._claimed(visit, post)
        if state is None:
            return redirect(visit.at(), 303)
        if not state.submitted:
            gap = self._whole(state).position
            if gap is not None:
                return redirect(visit.screen(gap), 303)
            if ticket is None or not post.whole:
                return self._review_again(visit, passport, state, "submit_renewed", 403)
            if visit.study.wave.phase(self.now()) is Phase.OVER:
                return self._review_again(visit, passport, state, "over", 409)
            # That nothing is missing was seen in *state*; the store sends no other revision than the page showed.
            outcome = self.store.submit(state.id, ticket.revision, self.now())
            if isinstance(outcome, Conflict):
                return self._review_again(visit, passport, self._state(passport), "submit_changed", 409)
        thanks = redirect(visit.at(THANKS), 303)
        if ticket is not None:
            self.guard.give_passport(study, Passport(ticket.browser, state.id), thanks)
        return thanks

    def _review_again(
        self, visit: Visit, passport: Passport, state: ResponseState | None, reason: str, status: int
    ) -> Response:
        """Return the review as it stands now, with a new ticket and the sentence *reason*: one more press sends it."""
        if state is None or state.submitted:
            return redirect(visit.at(THANKS) if state else visit.at(), 303)
        standing = self._whole(state)
        if standing.position is not None:
            return redirect(visit.screen(standing.position), 303)
        say = visit.wording
        alert = Alert(say["not_sent"], (say.say(reason, button=say["submit"]),))
        ticket = self.guard.ticket(visit.study.id, passport, REVIEW, "", state.revision)
        answer = self.pages.review(visit, standing, ticket, alert=alert, status=status)
        self._mark(visit, passport, answer)
        return answer

    def thanks(self, language: str, study: str) -> Response:
        visit = self._visit(language, study)
        state = self._state(visit.passport)
        if state is None:
            return redirect(visit.at())
        if not state.submitted:
            return redirect(visit.at(REVIEW))
        return self.pages.thanks(visit)

    # ---- what the views begin with

    def _visit(self, language: str, study: str) -> Visit:
        found = self.studies.get(study)
        if found is None or language not in found.languages:
            abort(404)
        return Visit(found, wordings()[language], self.guard.read_passport(study, request.cookies))

    def _post(self, visit: Visit) -> Post:
        if request.mimetype not in _FORM_TYPES:
            abort(415)
        ticket = self.guard.read_ticket(visit.study.id, request.form.get("ticket", ""))
        accepted = ticket is not None and visit.passport is not None and same_browser(ticket, visit.passport)
        return Post(ticket, accepted, request.form)

    def _claimed(self, visit: Visit, post: Post) -> tuple[Passport, ResponseState | None]:
        """Return the response that a post speaks of, accepted or not, and a passport for the next one.

        It is this browser's own if it has one, otherwise the one that a ticket of ours names.
        """
        state = self._state(visit.passport)
        if state is None and post.ticket is not None:
            state = self._state_of(post.ticket)
        passport = visit.passport or self.guard.new_passport()
        return replace(passport, response=state.id if state else ""), state

    def _mark(self, visit: Visit, passport: Passport, answer: Response) -> None:
        """Give a browser without a cookie its mark; the response follows with the post that comes next."""
        if visit.passport is None:
            self.guard.give_passport(visit.study.id, replace(passport, response=""), answer)

    def _state(self, passport: Passport | None) -> ResponseState | None:
        return self.store.response(passport.response) if passport and passport.response else None

    def _state_of(self, ticket: Ticket) -> ResponseState | None:
        return self.store.response(ticket.response) if ticket.response else None

    def _standing(self, state: ResponseState, *pages: str) -> Standing:
        """Return how the response stands; where one of *pages* shows who answers, with that."""
        instrument = self.store.instrument(state.version_hash)
        asking = [question.id for page in pages for question in _identifying(instrument, page)]
        # A name that the answers don't point to was taken back, or its page was never saved.
        known = asking and state.organisation_key
        identity = dict.fromkeys(asking, self.store.organisation_typed(state.id)) if known else {}
        return Standing(instrument, state.answers, state.seed, identity)

    def _whole(self, state: ResponseState) -> Standing:
        return self._standing(state, *(page.id for page in self.store.instrument(state.version_hash).pages))


def new_seed() -> int:
    """Return the chance a response is born with: the order of its options follows from it."""
    return secrets.randbelow(2**31)


def _identifying(instrument: Instrument, page: str) -> tuple[Question, ...]:
    try:
        questions = instrument.page(page).questions
    except KeyError:
        return ()
    return tuple(question for question in questions if question.identifies)
