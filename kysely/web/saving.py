"""One page as it was sent: saved in one transaction before its redirect, or shown again with everything typed."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, abort
from werkzeug.wrappers import Response

from kysely.errors import StoreError
from kysely.instrument import Screen
from kysely.store import Closed, Conflict, Phase, ResponseState, UnknownResponse, WaveClosed
from kysely.web import screens
from kysely.web.interviewer import Interviewer
from kysely.web.invitations import revoked
from kysely.web.problems import RETRY_AFTER, log
from kysely.web.screens import Received, Standing
from kysely.web.security import Passport, Ticket
from kysely.web.visits import CONFLICT, LATER, REFUSED, REFUSED_BACK, THANKS, TYPED, Post, Visit, redirect


class Saving(Interviewer):
    """The views that take a page."""

    def blueprint(self) -> Blueprint:
        return self._blueprint(
            "saving",
            (
                ("/<page>", "save", self.save, "POST"),
                ("/<page>/<stage>", "save_stage", self.save, "POST"),
            ),
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
                return self.pages.lost(visit, standing, screen, post.typed, "over", visit.at())
            if state and revoked(self.store, visit.study.wave, state.id):
                return self.pages.lost(visit, standing, screen, post.typed, "link_revoked", visit.at())
            return self._take(visit, standing, screen, post, ticket, state)
        except UnknownResponse:
            return self._renew(visit, screen, post)
        except StoreError as error:
            log(error)
            return self._unavailable(visit, standing, screen, post)

    def _take(
        self,
        visit: Visit,
        standing: Standing,
        screen: Screen,
        post: Post,
        ticket: Ticket,
        state: ResponseState | None,
    ) -> Response:
        """Save the page if it can be saved as it is, otherwise put it aside and show it again."""
        if not screens.exists(standing.instrument, screen):
            abort(404)
        if not standing.questions(screen):
            return self.pages.lost(visit, standing, screen, post.typed, "off_path", visit.screen(standing.position))
        if screen in standing.settled:
            return self._take_settled(visit, standing, screen, post, ticket, state)
        if not post.whole:
            return self.pages.unsaved(
                visit, standing, screen, post, self.guard.ticket_again(ticket), "incomplete", status=422
            )
        if state and post.keeping:
            self._let_go(screen, ticket, state)
            return redirect(visit.screen(screens.following(standing, screen, edit=post.edit)), 303)
        if post.changing_language or post.later:
            if screens.shows(standing, screen, post.answers):
                self._let_go(screen, ticket, state)
            elif not self._put_aside(standing, screen, post, ticket, TYPED):
                again = self.guard.ticket_again(ticket)
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
            again, back = self.guard.ticket_again(ticket), before if post.going_back else ""
            return self.pages.errors(visit, standing, screen, post.typed, again, received, edit=post.edit, before=back)
        if post.going_back and standing.with_answers(received.answers).settled != standing.settled:
            # Saved, it would have settled what the respondent goes back to.
            if self._put_aside(standing, screen, post, ticket, TYPED):
                return redirect(before, 303)
            again = self.guard.ticket_again(ticket)
            return self.pages.unsaved(visit, standing, screen, post, again, "back_settles", before=before, status=422)
        return self._keep(visit, standing, screen, post, ticket, received)

    def _take_settled(
        self,
        visit: Visit,
        standing: Standing,
        screen: Screen,
        post: Post,
        ticket: Ticket,
        state: ResponseState | None,
    ) -> Response:
        """Lead on whoever sends a settled page as it is stored, a second click for one; it takes nothing else."""
        received = screens.receive(standing, screen, post.typed, skip=True)
        if not post.keeping and not screens.says_what_is_stored(standing, received):
            return self._settled(visit, standing, screen, post)
        self._let_go(screen, ticket, state)
        if post.later:
            return redirect(visit.at(LATER), 303)
        if post.changing_language:
            return redirect(visit.screen(screen), 303)
        if post.going_back:
            return redirect(self._before(visit, standing, screen, edit=post.edit), 303)
        return redirect(visit.screen(screens.following(standing, screen, edit=post.edit)), 303)

    def _settled(self, visit: Visit, standing: Standing, screen: Screen, post: Post) -> Response:
        onward = visit.screen(standing.position)
        return self.pages.lost(visit, standing, screen, post.typed, "settled_lost", onward, heading="settled_title")

    def _keep(
        self, visit: Visit, standing: Standing, screen: Screen, post: Post, ticket: Ticket, received: Received
    ) -> Response:
        try:
            passport = Passport(ticket.browser, ticket.response or self._begin(visit, ticket))
        except WaveClosed:
            return self.pages.lost(visit, standing, screen, post.typed, "wave_closed", visit.at())
        identity = {each.identity: received.identity.get(each.id) for each in received.questions if each.identifies}
        outcome = self.store.save(
            passport.response,
            page=screen.page,
            stage=screen.stage,
            submit_key=ticket.key,
            based_on=ticket.revision,
            answers=received.answers,
            variables=received.variables,
            identity=identity.get("organisation"),
            address=identity.get("address"),
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
        if screen in standing.settled:
            return self._settled(visit, standing, screen, post)
        if not standing.questions(screen):
            reason, onward = ("off_path", visit.screen(standing.position)) if state else ("start_again", visit.at())
            return self.pages.lost(visit, standing, screen, post.typed, reason, onward)
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
        return self.pages.lost(visit, blank, screen, post.typed, reason, visit.at(THANKS), heading="closed_title")

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


def _again(visit: Visit, screen: Screen, post: Post) -> str:
    """Return the address at which a page that wasn't saved is shown again."""
    return visit.screen(screen) + ("?edit" if post.edit else "")


def _moment(milliseconds: int) -> datetime | None:
    return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds else None
