"""One screen of an interview as values: what is asked on it, what came in for it, how it is drawn, where it leads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from werkzeug.datastructures import MultiDict

from kysely import piping, routing
from kysely.codebook import Answer, Missing
from kysely.errors import InvalidAnswer
from kysely.instrument import Instrument, Page, Screen
from kysely.questions._base import InvalidAnswers, Question
from kysely.questions._control import Control
from kysely.routing import Route
from kysely.web import contexts
from kysely.web.contexts import Asked
from kysely.web.wording import Wording

Errors = Mapping[str, Mapping[str, InvalidAnswer]]
"""By question, then by field."""

UNANSWERED = InvalidAnswer("unanswered")


@dataclass(frozen=True)
class Standing:
    """A response as its pages see it: what it is answered on, and the answers so far.

    *identity* holds what identifying questions were given, by question; only screens that show it load it.
    """

    instrument: Instrument
    answers: Mapping[str, Answer]
    seed: int
    identity: Mapping[str, Any] = field(default_factory=dict)
    walked: Route | None = None
    """The route, where it is known that the answers lead along one that was walked before."""

    def with_answers(self, answers: Mapping[str, Answer]) -> Standing:
        same = self.instrument.steering.isdisjoint(answers)
        together = {**self.answers, **answers}
        return Standing(self.instrument, together, self.seed, self.identity, self.route if same else None)

    @cached_property
    def route(self) -> Route:
        return self.walked or routing.route(self.instrument, self.answers)

    @cached_property
    def position(self) -> Screen | None:
        """The first screen with a gap; None when only the review is left."""
        return self.route.position(self.answers)

    @cached_property
    def settled(self) -> frozenset[Screen]:
        """The screens whose answers stand for good: they can be read and not changed."""
        return self.route.settled(self.answers)

    def precedes_settling(self, screen: Screen) -> bool:
        """Whether going on from *screen* may settle what was answered so far: nothing before that has to be answered.

        A page that is shown only to some needn't be.
        """
        if not self.instrument.settling or screen in self.settled or not self.instrument.page(screen.page).names:
            return False
        on_path = {each.page for each in self.route.screens}
        waiting = {each.page for each in self.route.gaps(self.answers)}
        pages = self.instrument.pages
        for page in pages[pages.index(self.instrument.page(screen.page)) + 1 :]:
            if page.settles and (page.id in on_path or page.names & self.route.pending):
                return True
            if page.id in waiting and page.show_if is None:
                return False
        return False

    @property
    def entrance(self) -> Screen | None:
        """The screen on which a new response begins, though it be a text that asks nothing."""
        return next(iter(self.route.screens), None)

    def page(self, id: str) -> Page:
        """Return the page *id* as worded for this respondent; its questions are those of `questions`."""
        page = self.route.pages.get(id) or self.instrument.page(id)
        return piping.neutral(replace(page, questions=())) if page.piped else page

    def questions(self, screen: Screen) -> tuple[Question, ...]:
        """Return the questions on *screen*; () if it is not on the path."""
        return self.route.questions.get(screen, ())


@dataclass(frozen=True)
class Received:
    """What a post of one screen amounts to.

    *answers* go to the answers database and *identity* to the other; *questions* are those of the screen in the
    light of the new answers, *variables* what they record.
    """

    answers: Mapping[str, Answer]
    identity: Mapping[str, Any]
    errors: Errors
    questions: tuple[Question, ...]
    variables: tuple[str, ...]

    @property
    def unanswered(self) -> bool:
        """Whether something may be left out on purpose."""
        return UNANSWERED in self._faults

    @property
    def merely_unanswered(self) -> bool:
        return all(fault == UNANSWERED for fault in self._faults)

    @property
    def _faults(self) -> list[InvalidAnswer]:
        return [fault for faults in self.errors.values() for fault in faults.values()]


def receive(standing: Standing, screen: Screen, typed: MultiDict[str, str], *, skip: bool) -> Received:
    """Return what *typed* answers; *skip* says that blanks were left on purpose.

    A question that this very post brings onto the screen was not seen yet, so it waits for the next turn.
    One that the post takes off the screen is not recorded.
    """
    seen = standing.questions(screen)
    after, given, errors = standing, {}, {}
    for question in seen:
        given[question.id], errors[question.id] = _parse(question, screen.stage, typed, after, skip)
        after = after.with_answers(_without_identity(question, given[question.id]))
    shown = after.questions(screen)
    kept = [question for question in shown if question.id in given]
    return Received(
        # Rows and options come and go with other answers, as whole questions do.
        answers={
            name: answer
            for question in kept
            for name, answer in _without_identity(question, given[question.id]).items()
            if name in after.route.on_path
        },
        identity={q.id: given[q.id][q.id] for q in kept if q.identifies and q.id in given[q.id]},
        errors={question.id: errors[question.id] for question in kept if errors[question.id]},
        questions=shown,
        variables=tuple(name for question in kept for name in question.asked(screen.stage, after.answers)),
    )


def says_what_is_stored(standing: Standing, received: Received) -> bool:
    """Whether nothing would change if *received* were saved: a form that is sent once more says this."""
    return (
        not received.errors
        and all(_same(standing.answers.get(name), answer) for name, answer in received.answers.items())
        and all(standing.identity.get(question) == typed for question, typed in received.identity.items() if typed)
        and not any(standing.identity.get(question) for question, typed in received.identity.items() if not typed)
    )


def answered(standing: Standing, received: Received) -> bool:
    """Whether anything is stored of what *received* records."""
    return any(name in standing.answers for name in received.variables) or any(
        standing.identity.get(question) for question in received.identity
    )


def saved(standing: Standing, screen: Screen) -> bool:
    """Whether anything is stored of what *screen* asks."""
    return any(
        name in standing.answers
        for question in standing.questions(screen)
        for name in question.asked(screen.stage, standing.answers)
    ) or any(standing.identity.get(question.id) for question in standing.questions(screen))


def named(instrument: Instrument, screen: Screen) -> tuple[frozenset[str], frozenset[str]]:
    """Return the fields that *screen* may have, and those of them that say who the respondent is."""
    asked = [question for question in instrument.page(screen.page).questions if screen.stage in question.all_stages]
    fields = frozenset(name for question in asked for name in question.fields(screen.stage))
    who = frozenset(name for question in asked if question.identifies for name in question.fields(screen.stage))
    return fields, who


def shows(standing: Standing, screen: Screen, typed: Sequence[tuple[str, str]]) -> bool:
    """Whether *typed* is what the page shows anyway."""
    stored = {
        (name, value)
        for question in standing.questions(screen)
        for name, values in question.typed(screen.stage, {**standing.answers, **standing.identity}).items()
        for value in values
        if value.strip()
    }
    return stored == {(name, value) for name, value in typed if value.strip()}


def draw(
    standing: Standing,
    screen: Screen,
    wording: Wording,
    *,
    typed: MultiDict[str, str] | None = None,
    shown: Sequence[Question] | None = None,
    errors: Errors | None = None,
) -> tuple[Asked, ...]:
    """Return the questions of *screen* ready to draw: with what was *typed*, else with the stored answers."""
    wrong = errors or {}
    return tuple(
        contexts.asked(
            control(standing, screen, question, wording.language, typed, wrong.get(question.id)),
            wording,
            optional=question.required == "no",
        )
        for question in (standing.questions(screen) if shown is None else shown)
    )


def control(
    standing: Standing,
    screen: Screen,
    question: Question,
    language: str,
    typed: MultiDict[str, str] | None = None,
    errors: Mapping[str, InvalidAnswer] | None = None,
) -> Control:
    """Return *question* with what was *typed*, else with the stored answers."""
    if typed is None:
        shown: Mapping[str, Sequence[str]] = question.typed(screen.stage, {**standing.answers, **standing.identity})
    else:
        shown = typed.to_dict(flat=False)
    return question.control(
        screen.stage,
        language=language,
        typed=shown,
        answers=standing.answers,
        errors=errors or {},
        seed=standing.seed,
    )


def spoken_of(instrument: Instrument, screen: Screen, typed: MultiDict[str, str]) -> tuple[Question, ...]:
    """Return the questions of *screen* that *typed* has fields of: what to show when the answers are out of reach."""
    return tuple(
        piping.neutral(question)
        for question in instrument.page(screen.page).questions
        if screen.stage in question.all_stages and any(name in typed for name in question.fields(screen.stage))
    )


def undrawn(
    standing: Standing, screen: Screen, shown: Sequence[Question], language: str, typed: Sequence[tuple[str, str]]
) -> tuple[tuple[str, str], ...]:
    """Return what of *typed* has no field among the questions *shown*."""
    drawn = {name for question in shown for name in control(standing, screen, question, language).fields}
    return tuple((name, value) for name, value in typed if name not in drawn)


def exists(instrument: Instrument, screen: Screen) -> bool:
    """Whether some respondent may see *screen*."""
    try:
        page = instrument.page(screen.page)
    except KeyError:
        return False
    return any(screen.stage in question.all_stages for question in page.questions)


def following(standing: Standing, screen: Screen, *, edit: bool) -> Screen | None:
    """Return the screen after *screen*, never beyond the first gap; None when only the review is left.

    From the review one comes back to it at once, unless the change has opened a gap.
    """
    path = standing.route.screens
    if edit or screen not in path:
        return standing.position
    after = path[path.index(screen) + 1 :]
    if standing.position is not None and (not after or path.index(standing.position) < path.index(after[0])):
        return standing.position
    return after[0] if after else None


def previous(standing: Standing, screen: Screen) -> Screen | None:
    """Return the screen before *screen*; None on the first."""
    path = standing.route.screens
    place = path.index(screen) if screen in path else 0
    return path[place - 1] if place else None


def open_to(standing: Standing, screen: Screen) -> bool:
    """Whether the respondent has come as far as *screen*."""
    path = standing.route.screens
    if screen not in path:
        return False
    return standing.position is None or path.index(screen) <= path.index(standing.position)


def progress(standing: Standing, screen: Screen) -> tuple[int, int]:
    """Return the number of the page and how many there are, as far as one can tell: stages are turns of one page."""
    pages = list(dict.fromkeys(each.page for each in standing.route.screens))
    number = pages.index(screen.page) + 1 if screen.page in pages else 1
    return number, max(len(pages), number)


def _parse(
    question: Question, stage: str, typed: MultiDict[str, str], standing: Standing, skip: bool
) -> tuple[dict[str, Any], Mapping[str, InvalidAnswer]]:
    try:
        given, wrong = question.parse(stage, typed, standing.answers, seed=standing.seed), {}
    except InvalidAnswers as refused:
        given, wrong = {}, refused.errors
    if not skip and question.required == "soft":
        wrong = {**dict.fromkeys(question.unanswered(stage, typed, standing.answers), UNANSWERED), **wrong}
    return given, wrong


def _without_identity(question: Question, given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: answer for name, answer in given.items() if not (question.identifies and name == question.id)}


def _same(one: Answer | None, other: Answer) -> bool:
    # A kind of missing equals its text, and a respondent may well type "dont_know".
    return one == other and isinstance(one, Missing) == isinstance(other, Missing)
