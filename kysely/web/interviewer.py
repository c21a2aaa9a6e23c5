"""What the views of the interview share: who asks, and how the response stands that a request speaks of."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from flask import Blueprint, request
from werkzeug.wrappers import Response

from kysely import paradata
from kysely.instrument import Instrument, Screen
from kysely.questions._base import Question
from kysely.store import OrganisationTyped, Phase, ResponseState, Store
from kysely.web import screens
from kysely.web.pages import Pages
from kysely.web.screens import Standing
from kysely.web.security import Guard, Passport, Ticket
from kysely.web.studies import Study
from kysely.web.visits import REVIEW, Post, Visit, read_post, read_visit, turned_away

Rules = tuple[tuple[str, str, Callable[..., Response], str], ...]
"""Address within a study, name, view, method."""


@dataclass(frozen=True)
class Interviewer:
    """What the views need, and what they begin with."""

    studies: Mapping[str, Study]
    store: Store
    guard: Guard
    pages: Pages
    now: Callable[[], datetime]
    new_seed: Callable[[], int]

    def _blueprint(self, name: str, rules: Rules) -> Blueprint:
        blueprint = Blueprint(name, __name__)
        blueprint.before_request(lambda: turned_away(self.guard))
        blueprint.after_request(_tell_script)
        for rule, endpoint, view, method in rules:
            blueprint.add_url_rule(f"/<any(fi,sv,en):language>/<study>{rule}", endpoint, view, methods=[method])
        return blueprint

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
        asking = [question for page in pages for question in _identifying(instrument, page)]
        return Standing(instrument, state.answers, state.seed, {one.id: self._identity(one, state) for one in asking})

    def _identity(self, question: Question, state: ResponseState) -> OrganisationTyped | str | None:
        """Return what was typed; a name that the answers don't point to was taken back, or its page never saved."""
        if question.identity == "organisation":
            return self.store.organisation_typed(state.id) if state.organisation_key else None
        return self.store.address(state.id) if 1 in (state.answers.get(name) for name in question.names) else None

    def _whole(self, state: ResponseState) -> Standing:
        return self._standing(state, *(page.id for page in self.store.instrument(state.version_hash).pages))

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

    @staticmethod
    def _before(visit: Visit, standing: Standing, screen: Screen, *, edit: bool) -> str:
        if edit:
            return visit.at(REVIEW)
        before = screens.previous(standing, screen)
        return visit.screen(before) if before else visit.at()

    def _changeable(self, visit: Visit, instrument: Instrument) -> bool:
        """Whether what was sent may be changed; without a trace of who sent it, nobody can be let in to do so."""
        wished = instrument.edit_after_submit and instrument.privacy_mode != "anonymous"
        return wished and visit.study.wave.phase(self.now()) is Phase.OPEN


def _tell_script(answer: Response) -> Response:
    """Tell kysely.js where a redirect leads: a browser keeps that from scripts."""
    if answer.status_code == 303 and "X-Kysely" in request.headers:
        answer.headers["X-Kysely-Location"] = answer.headers.pop("Location")
        answer.status_code = 204
    return answer


def new_seed() -> int:
    """Return the chance a response is born with: the order of its options follows from it."""
    return secrets.randbelow(2**31)


def _identifying(instrument: Instrument, page: str) -> tuple[Question, ...]:
    try:
        questions = instrument.page(page).questions
    except KeyError:
        return ()
    return tuple(question for question in questions if question.identifies)
