"""The interview: introduction, pages, review, thanks. GET and HEAD change nothing; every POST carries a ticket.

A page is saved in one transaction before its redirect. What can't be saved is shown again with everything typed.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import quote

from flask import Blueprint, abort, request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from kysely import paradata
from kysely.errors import StoreError
from kysely.instrument import Instrument
from kysely.questions._base import Question
from kysely.routing import Screen
from kysely.store import ByInvitation, Closed, Conflict, Draft, Phase, ResponseState, Store, UnknownResponse, WaveClosed
from kysely.store.anonymous import is_anonymous
from kysely.web import screens, statements
from kysely.web.contexts import Alert, Link
from kysely.web.invitations import note_used, revoked
from kysely.web.pages import Pages
from kysely.web.problems import RETRY_AFTER, log
from kysely.web.screens import Received, Standing
from kysely.web.security import Guard, Passport, Ticket, same_browser
from kysely.web.studies import Study
from kysely.web.visits import CHANGE, HANDLING, LATER, REVIEW, THANKS, Post, Visit, redirect
from kysely.web.wording import wordings

TYPED, REFUSED, REFUSED_BACK, CONFLICT = "typed", "refused", "refused_back", "conflict"
"""Why something is typed and not saved: nobody tried, it was refused on the way on or back, another was faster."""

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
        blueprint.after_request(_tell_script)
        study = "/<any(fi,sv,en):language>/<study>"
        for rule, name, view, method in (
            ("/", "introduction", self.introduction, "GET"),
            ("/", "start", self.start, "POST"),
            (f"/{HANDLING}", "handling", self.handling, "GET"),
            (f"/{REVIEW}", "review", self.review, "GET"),
            (f"/{REVIEW}", "submit", self.submit, "POST"),
            (f"/{THANKS}", "thanks", self.thanks, "GET"),
            (f"/{CHANGE}", "ask_to_change", self.ask_to_change, "GET"),
            (f"/{CHANGE}", "reopen", self.reopen, "POST"),
            ("/<page>", "page", self.page, "GET"),
            ("/<page>", "save", self.save, "POST"),
            ("/<page>/<stage>", "stage", self.page, "GET"),
            ("/<page>/<stage>", "save_stage", self.save, "POST"),
        ):
            blueprint.add_url_rule(study + rule, name, view, methods=[method])
        return blueprint

    def turn_away(self) -> Response | None:
        """Answer a form that another site sent with the page itself, which knows nothing of what it sent."""
        return turned_away(self.guard)

    # ---- introduction

    def introduction(self, language: str, study: str) -> Response:
        return self._introduce(self._visit(language, study))

    def start(self, language: str, study: str) -> Response:
        visit = self._visit(language, study)
        post = self._post(visit)
        first = visit.screen(Standing(visit.study.instrument, {}, 0).entrance)
        ticket = post.admits(Screen(""))
        if ticket is None and post.ticket and visit.passport and self.guard.begun_by(post.ticket, visit.passport):
            return redirect(first, 303)  # pressed once more before the first page has come
        if ticket is None or not post.whole:
            return self._introduce(visit, refused="start_renewed")
        try:
            response = self._begin(visit, ticket)
        except ByInvitation:
            return self._introduce(visit, refused="by_invitation")
        except WaveClosed:
            return self._introduce(visit, refused="wave_closed")
        answer = redirect(first, 303)
        # A new mark: pages of an earlier response that are still open in another tab are not this one's.
        self.guard.give_passport(study, self.guard.passport_after(ticket, response), answer)
        return answer

    def handling(self, language: str, study: str) -> Response:
        return self.pages.handling(self._visit(language, study))

    def _introduce(self, visit: Visit, *, refused: str = "") -> Response:
        say = visit.wording
        passport = visit.passport or self.guard.new_passport()
        state = self._state(visit.passport)
        answered = state is not None and state.sealed
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
            device=paradata.device(request.user_agent.string) if visit.study.instrument.keeps_visits else None,
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
        if state.sealed:
            return redirect(visit.at(THANKS))
        if not screens.open_to(standing, screen):
            return redirect(visit.screen(standing.position))
        return self._show(visit, standing, screen, passport, state)

    def _show(
        self, visit: Visit, standing: Standing, screen: Screen, passport: Passport, state: ResponseState
    ) -> Response:
        """Return the page with what is typed on it and not saved, otherwise with what is stored."""
        edit = "edit" in request.args
        drafts: tuple[Draft, ...] = ()
        if state.drafts:
            drafts = self.store.drafts(state.id, screen.page, screen.stage, passport.browser)
            asked = "typed" in request.args
            stored = screens.saved(standing, screen)
            # What another browser typed takes nobody's saved answers from the page; a link leads there.
            draft = next((draft for draft in drafts if draft.own or asked or not stored), None)
            if draft is not None:
                return self._show_draft(visit, standing, screen, passport, state, draft, edit=edit, chosen=asked)
        shown = self._milliseconds(standing.instrument, self.now())
        ticket = self.guard.ticket(
            visit.study.id, passport, screen.page, screen.stage, state.revision, edit, shown=shown
        )
        elsewhere = Link(visit.wording["typed_elsewhere"], f"{visit.screen(screen)}?typed") if drafts else None
        return self.pages.questions(visit, standing, screen, ticket, edit=edit, elsewhere=elsewhere)

    def _show_draft(
        self,
        visit: Visit,
        standing: Standing,
        screen: Screen,
        passport: Passport,
        state: ResponseState,
        draft: Draft,
        *,
        edit: bool,
        chosen: bool,
    ) -> Response:
        """Return the page as it was typed; *chosen* is a draft that the respondent has asked for."""
        typed = MultiDict(draft.typed)
        conflict = draft.reason == CONFLICT

        def ticket(revision: int) -> str:
            return self.guard.ticket(
                visit.study.id,
                passport,
                screen.page,
                screen.stage,
                revision,
                edit,
                shown=self._milliseconds(standing.instrument, draft.shown_at),
                draft="" if draft.own else draft.browser,
            )

        if conflict and not chosen:
            revision = state.revision
            both = self.pages.conflict(visit, standing, screen, typed, ticket(revision), revision, edit=edit)
            if both is not None:
                return both
        # Who has seen both versions may overwrite the saved one, as it was then.
        seen = request.args.get("typed", "")
        seen_at = min(int(seen), state.revision) if seen.isascii() and seen.isdigit() and len(seen) < 9 else 0
        given = ticket(max(draft.revision, seen_at) if conflict else draft.revision)
        if draft.reason in (REFUSED, REFUSED_BACK):
            back = draft.reason == REFUSED_BACK
            received = screens.receive(standing, screen, typed, skip=back)
            if received.errors:
                before = self._before(visit, standing, screen, edit=edit) if back else ""
                return self.pages.errors(visit, standing, screen, typed, given, received, edit=edit, before=before)
        return self.pages.questions(
            visit, standing, screen, given, edit=edit, typed=typed, note=visit.wording["typed_before"]
        )

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
            if state and state.sealed:
                return self._closed(visit, standing, screen, post)
            if visit.study.wave.phase(self.now()) is Phase.OVER:
                return self.pages.lost(visit, standing, screen, post, "over", visit.at())
            if state and revoked(self.store, visit.study.wave, state.id):
                return self.pages.lost(visit, standing, screen, post, "link_revoked", visit.at())
            return self._settle(visit, standing, screen, post, ticket, state)
        except UnknownResponse:
            return self._renew(visit, screen, post)
        except StoreError as error:
            log(error)
            return self._unavailable(visit, standing, screen, post)

    def _settle(
        self,
        visit: Visit,
        standing: Standing,
        screen: Screen,
        post: Post,
        ticket: Ticket,
        state: ResponseState | None,
    ) -> Response:
        """Save the page if it can be saved as it is, otherwise put it aside and show it again."""
        again = self.guard.ticket_again(ticket)
        if not screens.exists(standing.instrument, screen):
            abort(404)
        if not standing.questions(screen):
            return self.pages.lost(visit, standing, screen, post, "off_path", visit.screen(standing.position))
        if not post.whole:
            return self.pages.unsaved(visit, standing, screen, post, again, "incomplete", status=422)
        if state and post.keeping:
            self._let_go(screen, ticket, state)
            return redirect(visit.screen(screens.following(standing, screen, edit=post.edit)), 303)
        if post.changing_language or post.later:
            if screens.shows(standing, screen, post.answers):
                self._let_go(screen, ticket, state)
            elif not self._put_aside(standing, screen, post, ticket, TYPED):
                return self.pages.questions(visit, standing, screen, again, edit=post.edit, typed=post.typed)
            return redirect(visit.at(LATER) if post.later else _again(visit, screen, post), 303)
        before = self._before(visit, standing, screen, edit=post.edit)
        received = screens.receive(standing, screen, post.typed, skip=post.skip or post.going_back)
        # A page that was answered before and is blank now has been taken back, which is to be saved.
        if post.going_back and post.blank and not screens.answered(standing, received):
            self._let_go(screen, ticket, state)
            return redirect(before, 303)
        if received.errors:
            if self._put_aside(standing, screen, post, ticket, REFUSED_BACK if post.going_back else REFUSED):
                return redirect(_again(visit, screen, post), 303)
            back = before if post.going_back else ""
            return self.pages.errors(visit, standing, screen, post.typed, again, received, edit=post.edit, before=back)
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
            shown_at=_moment(ticket.shown),
            browser=ticket.browser,
            draft=ticket.draft,
        )
        if isinstance(outcome, Closed):
            return self._closed(visit, standing, screen, post, over=outcome.over)
        if isinstance(outcome, Conflict):
            if self._put_aside(standing, screen, post, ticket, CONFLICT):
                return redirect(_again(visit, screen, post), 303)
            return self._conflict(visit, screen, post, passport, outcome)
        after = standing.with_answers(received.answers)
        following = visit.screen(screens.following(after, screen, edit=post.edit))
        answer = redirect(self._before(visit, after, screen, edit=post.edit) if post.going_back else following, 303)
        self.guard.give_passport(visit.study.id, passport, answer)
        return answer

    def _put_aside(self, standing: Standing, screen: Screen, post: Post, ticket: Ticket, reason: str) -> bool:
        """Keep what was typed until it can be saved, and say whether that is done: not in anonymous mode.

        So that going back, forward, or to another device finds it. The page is then shown by a GET of its own.
        """
        if not ticket.response or standing.instrument.privacy_mode == "anonymous":
            return False
        fields, names = screens.named(standing.instrument, screen)
        return self.store.put_aside(
            ticket.response,
            page=screen.page,
            stage=screen.stage,
            browser=ticket.browser,
            typed=[field for field in post.answers if field[0] in fields],
            names=names,
            reason=reason,
            based_on=ticket.revision,
            shown_at=_moment(ticket.shown),
            now=self.now(),
        )

    def _let_go(self, screen: Screen, ticket: Ticket, state: ResponseState | None) -> None:
        """Forget what this browser typed on the page, if it is kept at all."""
        if state and state.drafts:
            self.store.drop_draft(state.id, screen.page, screen.stage, ticket.browser)

    def _milliseconds(self, instrument: Instrument, moment: datetime | None) -> int:
        """Return *moment* as tickets carry it, 0 where the instrument keeps no visits."""
        return int(moment.timestamp() * 1000) if moment and instrument.keeps_visits else 0

    def _renew(self, visit: Visit, screen: Screen, post: Post) -> Response:
        """Return the page with a new ticket and everything typed: one more press saves it.

        That press is what makes it safe: a post without its cookie doesn't prove who sent it, only our page can.
        """
        passport, state = self._claimed(visit, post)
        standing = self._standing(state, screen.page) if state else Standing(visit.study.instrument, {}, 0)
        if not screens.exists(standing.instrument, screen):
            abort(404)
        if state and state.sealed:
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
        standing = self._standing(state, screen.page)
        both = self.pages.conflict(visit, standing, screen, post.typed, ticket, outcome.revision, edit=post.edit)
        return both or self.pages.questions(visit, standing, screen, ticket, edit=post.edit, typed=post.typed)

    def _closed(self, visit: Visit, standing: Standing, screen: Screen, post: Post, *, over: bool = False) -> Response:
        """Return what this post itself typed: whoever sends it need not be who may see the answers."""
        blank = Standing(standing.instrument, {}, 0)
        reason = "changes_lost" if over else "closed_open" if self._changeable(visit, standing.instrument) else "closed"
        return self.pages.lost(visit, blank, screen, post, reason, visit.at(THANKS), heading="closed_title")

    def _changeable(self, visit: Visit, instrument: Instrument) -> bool:
        """Whether what was sent may be changed; without a trace of who sent it, nobody can be let in to do so."""
        wished = instrument.edit_after_submit and instrument.privacy_mode != "anonymous"
        return wished and visit.study.wave.phase(self.now()) is Phase.OPEN

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
    def _before(visit: Visit, standing: Standing, screen: Screen, *, edit: bool) -> str:
        if edit:
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
        if state.sealed:
            return redirect(visit.at(THANKS))
        standing = self._whole(state)
        if standing.position is not None:
            return redirect(visit.screen(standing.position))
        ticket = self.guard.ticket(study, passport, REVIEW, "", state.revision)
        return self._reviewed(visit, standing, state, ticket)

    def _reviewed(
        self,
        visit: Visit,
        standing: Standing,
        state: ResponseState,
        ticket: str,
        alert: Alert | None = None,
        status: int = 200,
    ) -> Response:
        drafted = self.store.drafted(state.id) if state.drafts else ()
        unsaved = [Screen(*each) for each in drafted if Screen(*each) in standing.route.screens]
        return self.pages.review(
            visit,
            standing,
            ticket,
            alert=alert,
            status=status,
            unsaved=unsaved,
            changing=state.reopened,
            changeable=self._changeable(visit, standing.instrument),
        )

    def submit(self, language: str, study: str) -> Response:
        visit = self._visit(language, study)
        post = self._post(visit)
        ticket = post.admits(Screen(REVIEW))
        passport, state = self._claimed(visit, post)
        if state is None:
            return redirect(visit.at(), 303)
        if not state.sealed:
            gap = self._whole(state).position
            if gap is not None:
                return redirect(visit.screen(gap), 303)
            if ticket is None or not post.whole:
                return self._review_again(visit, passport, state, "submit_renewed", 403)
            if visit.study.wave.phase(self.now()) is Phase.OVER:
                return self._review_again(visit, passport, state, "over", 409)
            if revoked(self.store, visit.study.wave, state.id):
                return self._review_again(visit, passport, state, "link_revoked", 409)
            # That nothing is missing was seen in *state*; the store sends no other revision than the page showed.
            outcome = self.store.submit(state.id, ticket.revision, self.now())
            if isinstance(outcome, Conflict):
                return self._review_again(visit, passport, self._state(passport), "submit_changed", 409)
        if is_anonymous(state.id):
            with suppress(StoreError):  # the response is sent, whoever will be reminded of it
                note_used(self.store, self.guard, visit.study, state.id)
        thanks = redirect(visit.at(THANKS), 303)
        if ticket is not None:
            self.guard.give_passport(study, Passport(ticket.browser, state.id), thanks)
        return thanks

    def _review_again(
        self, visit: Visit, passport: Passport, state: ResponseState | None, reason: str, status: int
    ) -> Response:
        """Return the review as it stands now, with a new ticket and the sentence *reason*: one more press sends it."""
        if state is None or state.sealed:
            return redirect(visit.at(THANKS) if state else visit.at(), 303)
        standing = self._whole(state)
        if standing.position is not None:
            return redirect(visit.screen(standing.position), 303)
        say = visit.wording
        alert = Alert(say["not_sent"], (say.say(reason, button=say["submit"]),))
        ticket = self.guard.ticket(visit.study.id, passport, REVIEW, "", state.revision)
        answer = self._reviewed(visit, standing, state, ticket, alert, status)
        self._mark(visit, passport, answer)
        return answer

    def thanks(self, language: str, study: str) -> Response:
        visit = self._visit(language, study)
        state = self._state(visit.passport)
        if state is None or visit.passport is None:
            return redirect(visit.at())
        if not state.sealed:
            return redirect(visit.at(REVIEW))
        changeable = self._changeable(visit, self.store.instrument(state.version_hash))
        return self.pages.thanks(visit, changeable=changeable)

    def ask_to_change(self, language: str, study: str) -> Response:
        visit = self._visit(language, study)
        state = self._state(visit.passport)
        if state is None or visit.passport is None:
            return redirect(visit.at())
        if not state.sealed:
            return redirect(visit.at(REVIEW))
        return self._offer_changes(visit, visit.passport, state)

    def reopen(self, language: str, study: str) -> Response:
        """Let the respondent change what was sent: seen again only by who presses this button, with the cookie."""
        visit = self._visit(language, study)
        ticket = self._post(visit).admits(Screen(CHANGE))
        state = self._state(visit.passport)
        if state is None or visit.passport is None or not state.submitted:
            return redirect(visit.at(), 303)
        if not self._changeable(visit, self.store.instrument(state.version_hash)):
            return self._offer_changes(visit, visit.passport, state, "changes_over", 409)
        if ticket is None:
            return self._offer_changes(visit, visit.passport, state, "renewed_short", 403)
        try:
            self.store.reopen(state.id, self.now())
        except WaveClosed:
            return self._offer_changes(visit, visit.passport, state, "changes_over", 409)
        return redirect(visit.at(REVIEW), 303)

    def _offer_changes(
        self, visit: Visit, passport: Passport, state: ResponseState, reason: str = "", status: int = 200
    ) -> Response:
        """Return the page whose button opens what was sent, or says why it can't."""
        changeable = reason != "changes_over" and self._changeable(visit, self.store.instrument(state.version_hash))
        ticket = self.guard.ticket(visit.study.id, passport, CHANGE) if changeable else ""
        return self.pages.changes(visit, ticket, reason or ("" if ticket else "changes_over"), status)

    # ---- what the views begin with

    def _visit(self, language: str, study: str) -> Visit:
        return read_visit(self.studies, self.guard, language, study)

    def _post(self, visit: Visit) -> Post:
        return read_post(self.guard, visit)

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


# ---- what every request to a study begins with


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


def _tell_script(answer: Response) -> Response:
    """Tell kysely.js where a redirect leads: a browser keeps that from scripts."""
    if answer.status_code == 303 and "X-Kysely" in request.headers:
        answer.headers["X-Kysely-Location"] = answer.headers.pop("Location")
        answer.status_code = 204
    return answer


def _again(visit: Visit, screen: Screen, post: Post) -> str:
    """Return the address at which a page that wasn't saved is shown again."""
    return visit.screen(screen) + ("?edit" if post.edit else "")


def _moment(milliseconds: int) -> datetime | None:
    return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds else None


def new_seed() -> int:
    """Return the chance a response is born with: the order of its options follows from it."""
    return secrets.randbelow(2**31)


def _identifying(instrument: Instrument, page: str) -> tuple[Question, ...]:
    try:
        questions = instrument.page(page).questions
    except KeyError:
        return ()
    return tuple(question for question in questions if question.identifies)
