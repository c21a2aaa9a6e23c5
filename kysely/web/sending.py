"""The end of an interview: check your answers, send them, thank you, and change what was sent."""

from __future__ import annotations

from contextlib import suppress

from flask import Blueprint
from werkzeug.wrappers import Response

from kysely.errors import StoreError
from kysely.instrument import Instrument, Screen
from kysely.store import Conflict, Phase, ResponseState, WaveClosed
from kysely.store.anonymous import is_anonymous
from kysely.web.contexts import Alert
from kysely.web.interviewer import Interviewer
from kysely.web.invitations import note_used, revoked
from kysely.web.screens import Standing
from kysely.web.security import Passport
from kysely.web.visits import CHANGE, REVIEW, THANKS, Visit, redirect


class Sending(Interviewer):
    """The views after the questions."""

    def blueprint(self) -> Blueprint:
        return self._blueprint(
            "sending",
            (
                (f"/{REVIEW}", "review", self.review, "GET"),
                (f"/{REVIEW}", "submit", self.submit, "POST"),
                (f"/{THANKS}", "thanks", self.thanks, "GET"),
                (f"/{CHANGE}", "ask_to_change", self.ask_to_change, "GET"),
                (f"/{CHANGE}", "reopen", self.reopen, "POST"),
            ),
        )

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
        instrument = self.store.instrument(state.version_hash)
        return self.pages.thanks(visit, _how_far(instrument) if self._changeable(visit, instrument) else "")

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
        instrument = self.store.instrument(state.version_hash)
        changeable = reason != "changes_over" and self._changeable(visit, instrument)
        ticket = self.guard.ticket(visit.study.id, passport, CHANGE) if changeable else ""
        reason = reason or ("" if ticket else "changes_over")
        return self.pages.changes(visit, ticket, _how_far(instrument), reason, status)


def _how_far(instrument: Instrument) -> str:
    """Return the sentence that tells what of a sent response can be changed."""
    return "thanks_change_some" if instrument.settling else "thanks_change"
