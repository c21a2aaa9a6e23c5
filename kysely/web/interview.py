"""The interview as it is read: introduction, how answers are handled, pages. GET and HEAD change nothing.

Every POST carries a ticket. `saving` takes the pages, `sending` what follows on the last of them.
"""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, abort, request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from kysely.instrument import Instrument, Screen
from kysely.store import ByInvitation, Draft, Phase, ResponseState, WaveClosed
from kysely.web import screens, statements
from kysely.web.contexts import Alert, Link
from kysely.web.interviewer import Interviewer
from kysely.web.screens import Standing
from kysely.web.security import Passport
from kysely.web.visits import CONFLICT, HANDLING, REFUSED, REFUSED_BACK, THANKS, Visit, redirect


class Interview(Interviewer):
    """The views that show the introduction and the pages, and begin a response."""

    def blueprint(self) -> Blueprint:
        return self._blueprint(
            "interview",
            (
                ("/", "introduction", self.introduction, "GET"),
                ("/", "start", self.start, "POST"),
                (f"/{HANDLING}", "handling", self.handling, "GET"),
                ("/<page>", "page", self.page, "GET"),
                ("/<page>/<stage>", "stage", self.page, "GET"),
            ),
        )

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
        if screen in standing.settled:
            return self._show_settled(visit, standing, screen, passport, state)
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
        elsewhere = self._elsewhere(visit, screen, drafts)
        return self.pages.questions(visit, standing, screen, ticket, edit=edit, elsewhere=elsewhere)

    def _show_settled(
        self, visit: Visit, standing: Standing, screen: Screen, passport: Passport, state: ResponseState
    ) -> Response:
        """Return the answers of a page to be read, or what is typed on it and can't be saved any more."""
        drafts = self.store.drafts(state.id, screen.page, screen.stage, passport.browser) if state.drafts else ()
        draft = next((draft for draft in drafts if draft.own or "typed" in request.args), None)
        if draft is None:
            return self.pages.settled(visit, standing, screen, elsewhere=self._elsewhere(visit, screen, drafts))
        typed, onward = MultiDict(draft.typed), visit.screen(standing.position)
        return self.pages.lost(visit, standing, screen, typed, "settled_lost", onward, heading="settled_title")

    def _elsewhere(self, visit: Visit, screen: Screen, drafts: tuple[Draft, ...]) -> Link | None:
        """Return the link to what another browser has typed on the page and not saved."""
        return Link(visit.wording["typed_elsewhere"], f"{visit.screen(screen)}?typed") if drafts else None

    def _milliseconds(self, instrument: Instrument, moment: datetime | None) -> int:
        """Return *moment* as tickets carry it, 0 where the instrument keeps no visits."""
        return int(moment.timestamp() * 1000) if moment and instrument.keeps_visits else 0

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
