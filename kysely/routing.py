"""The way through the questionnaire, computed from the answers each time and stored nowhere.

Conditions name only earlier questions, so one walk from the first page to the last decides everything.
A condition sees the answers on the path only: an answer kept from a branch that was left again counts as missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from kysely import conditions, piping
from kysely.codebook import Answer, Missing
from kysely.conditions import Condition
from kysely.instrument import Instrument, Page, Screen, Stretch
from kysely.piping import Placeholder
from kysely.questions._base import Question, reached


@dataclass(frozen=True)
class Route:
    """Everything one walk finds; *pending* are variables whose question hangs on an answer that isn't there yet.

    *questions* are as this respondent meets them: without the rows and options that don't concern them. *stale* are
    variables whose answer speaks of an option that isn't shown any more, so they are asked again.
    """

    screens: tuple[Screen, ...]
    questions: Mapping[Screen, tuple[Question, ...]]
    on_path: frozenset[str]
    pending: frozenset[str]
    stale: frozenset[str] = frozenset()
    pages: Mapping[str, Page] = field(default_factory=dict)
    """Pages whose title or text shows earlier answers, without their questions."""
    plain: Mapping[Screen, frozenset[str]] = field(default_factory=dict)
    """What is asked on the screens that are the same for everybody."""
    settling: frozenset[str] = frozenset()
    """The pages that settle what was answered before them."""

    def position(self, answers: Mapping[str, Answer]) -> Screen | None:
        """Return the first screen with a gap in *answers*, those walked with; None if there is none."""
        return next(self.gaps(answers), None)

    def gaps(self, answers: Mapping[str, Answer]) -> Iterator[Screen]:
        """Yield the screens on which something has no answer yet, in the order of the path."""
        known = frozenset(name for name, answer in answers.items() if answer is not Missing.NOT_REACHED) - self.stale
        return (screen for screen in self.screens if not self._done(screen, answers, known))

    def settled(self, answers: Mapping[str, Answer]) -> frozenset[Screen]:
        """Return the screens whose answers stand, because a page after them settles them and has been reached.

        That page is the next to be answered, or something on it or after it was answered. The first gap is open in
        any case: nobody could go on otherwise. Texts to read have nothing to settle.
        """
        if not self.settling:
            return frozenset()
        gap = self.position(answers)
        asked = [self._asked(screen, answers) for screen in self.screens]
        begun = [place for place, names in enumerate(asked) if any(reached(answers, name) for name in names)]
        farthest = max([len(self.screens) if gap is None else self.screens.index(gap), *begun])
        pages = [screen.page for screen in self.screens]
        settling = [pages.index(page) for page in self.settling if page in pages]
        last = max((place for place in settling if place <= farthest), default=0)
        return frozenset(self.screens[place] for place in range(last) if asked[place]).difference((gap,))

    def _done(self, screen: Screen, answers: Mapping[str, Answer], known: frozenset[str]) -> bool:
        if screen in self.plain:
            return self.plain[screen] <= known
        return known.issuperset(self._asked(screen, answers))

    def _asked(self, screen: Screen, answers: Mapping[str, Answer]) -> tuple[str, ...]:
        return tuple(name for question in self.questions[screen] for name in question.asked(screen.stage, answers))


def position(instrument: Instrument, answers: Mapping[str, Answer]) -> Screen | None:
    """Return the first screen that asks something without an event, None when everything is answered or passed."""
    return route(instrument, answers).position(answers)


def on_path(instrument: Instrument, answers: Mapping[str, Answer]) -> frozenset[str]:
    """Return the variables that this respondent is asked."""
    return route(instrument, answers).on_path


def effective(instrument: Instrument, answers: Mapping[str, Answer]) -> dict[str, Answer]:
    """Return every variable of the codebook with its value or kind of missing.

    Off the path is routed past, though an earlier answer be kept; on the path without an event is not reached,
    and so is what hangs on an answer that isn't there yet.
    """
    found = route(instrument, answers)
    result: dict[str, Answer] = {}
    for variable in instrument.codebook.variables:
        name = variable.name
        if name in found.on_path:
            result[name] = Missing.NOT_REACHED if name in found.stale else answers.get(name, Missing.NOT_REACHED)
        else:
            result[name] = Missing.NOT_REACHED if name in found.pending else Missing.ROUTED_PAST
    return result


def route(instrument: Instrument, answers: Mapping[str, Answer]) -> Route:
    """Walk the questionnaire once with these *answers*."""
    walk = _Walk(instrument, answers)
    for part in instrument.stretches:
        if isinstance(part, Page):
            walk.enter(part)
        else:
            walk.pass_along(part)
    return Route(
        tuple(walk.questions),
        walk.questions,
        frozenset(walk.on_path),
        frozenset(walk.pending),
        frozenset(walk.stale),
        walk.pages,
        walk.plain,
        instrument.settling,
    )


class _Walk:
    def __init__(self, instrument: Instrument, answers: Mapping[str, Answer]):
        self.instrument = instrument
        self.answers = answers
        self.sets = instrument.sets
        self.questions: dict[Screen, tuple[Question, ...]] = {}
        self.pages: dict[str, Page] = {}
        self.plain: dict[Screen, frozenset[str]] = {}
        self.on_path: set[str] = set()
        self.pending: set[str] = set()
        self.stale: set[str] = set()

    def enter(self, page: Page) -> None:
        hidden = self.hidden(page.show_if)
        if not page.plain:
            self.look_at(page, hidden)
        elif hidden is None:
            self.pass_along(page.stretch)
        elif hidden is Missing.NOT_REACHED:
            self.pending |= page.names

    def pass_along(self, stretch: Stretch) -> None:
        self.on_path |= stretch.names
        self.questions |= stretch.questions
        self.plain |= stretch.asked

    def look_at(self, page: Page, hidden: Missing | None) -> None:
        shown = []
        for question in page.questions:
            # A question may hang on an earlier one of its own page: the page is shown again once it is relevant.
            missing = hidden or self.hidden(question.show_if)
            if missing is Missing.NOT_REACHED:
                self.pending.update(question.names)
            asked = self.narrowed(question) if missing is None else None
            if asked is not None:
                shown.append(self.worded(asked))
                self.on_path.update(asked.applicable(self.answers))
        if shown and page.piped:
            self.pages[page.id] = piping.filled(replace(page, questions=()), self.say)
        for stage in dict.fromkeys(stage for question in shown for stage in question.stages(self.answers)):
            self.questions[Screen(page.id, stage)] = tuple(shown)

    def worded(self, question: Question) -> Question:
        """Return *question* with earlier answers in the places that its texts leave for them."""
        return piping.filled(question, self.say) if question.piped else question

    def say(self, one: Placeholder, language: str) -> str | None:
        codebook = self.instrument.codebook
        named = (one.name,) if one.name in codebook else self.sets.get(one.name, ())
        visible = {
            name: self.answers[name] if self.answered(name) else Missing.NOT_REACHED
            for name in named
            if name in self.on_path or name in self.pending
        }
        return piping.sayings(codebook, visible)(one, language)

    def narrowed(self, question: Question) -> Question | None:
        """Return *question* with the rows and options that are shown; None if there is nothing to answer in it."""
        if not question.conditional:
            return question
        hidden = {
            member.code: why for member in question.conditional if (why := self.hidden(member.show_if)) is not None
        }
        if not hidden:
            return question
        waiting = question.without(frozenset(code for code, why in hidden.items() if why is Missing.NOT_REACHED))
        self.pending.update(set(question.names).difference(waiting.names if waiting else ()))
        asked = question.without(frozenset(hidden))
        if asked is not None and not asked.stands(self.answers, set(question.names).difference(asked.names)):
            self.stale.update(asked.names)
        return asked

    def hidden(self, condition: Condition | None) -> Missing | None:
        """Return None if what hangs on *condition* is shown, else whether that may change with answers to come."""
        if condition is None:
            return None
        named = [member for name in condition.names for member in self.sets.get(name, (name,))]
        visible = {name: self.answers[name] for name in named if self.answered(name)}
        truth = conditions.evaluate(condition, visible, self.members(condition))
        if truth:
            return None
        waits = any(name in self.pending or (name in self.on_path and not reached(visible, name)) for name in named)
        return Missing.NOT_REACHED if truth is None and waits else Missing.ROUTED_PAST

    def answered(self, name: str) -> bool:
        return name in self.on_path and name in self.answers and name not in self.stale

    def members(self, condition: Condition) -> Mapping[str, tuple[str, ...]]:
        """Return the sets that *condition* names, without rows and options that were not shown: they are in no count.

        A set of which nothing was shown stays whole, and so unknown.
        """
        found = {}
        for name in condition.names:
            if name in self.sets:
                asked = tuple(one for one in self.sets[name] if one in self.on_path or one in self.pending)
                found[name] = asked or self.sets[name]
        return found
