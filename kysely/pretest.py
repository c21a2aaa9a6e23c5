"""Every way through a questionnaire, walked before anybody is asked: what nobody can meet, and how long it takes.

Random ways come first. For what they did not meet there are directed ones, which prefer the answers that conditions
on the way there want. Nothing is stored; the same seed walks the same ways.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from statistics import median
from typing import Any

from werkzeug.datastructures import MultiDict

from kysely import conditions, routing
from kysely.codebook import Answer, Value
from kysely.conditions import Comparison, Condition, Literal, Membership, Name
from kysely.instrument import Instrument, Page, Screen
from kysely.questions._base import InvalidAnswers, Question, wording
from kysely.questions._control import Control

RANDOM_WAYS, DIRECTED_WAYS = 200, 40
LONGEST = 1000
_TRIES = 20

WORDS_A_MINUTE: Mapping[str, int] = {"fi": 161, "sv": 199, "en": 228}
"""Read aloud, which is about as slow as a questionnaire is read: Trauzettel-Klosinski & Dietz (2012), Standardized
Assessment of Reading Performance: the IReST, Investigative Ophthalmology & Visual Science 53(9), table 2."""
OTHER_LANGUAGE = 184
"""The mean of their seventeen languages."""

# Ours. With the words of a short question and its five options they come to the ten seconds or so that Pew Research
# Center reports of its panel for a question that stands alone, and to less for an item of a battery ("How we keep our
# online surveys from running too long", 2022).
CHOICE_SECONDS = 4.0
ROW_SECONDS = 3.0
LINE_SECONDS = 8.0
TEXT_SECONDS = 40.0
SCREEN_SECONDS = 2.0


@dataclass(frozen=True)
class Way:
    """One way to the end: the answers given on it, and the screens met with their questions as they were shown."""

    answers: Mapping[str, Answer]
    screens: tuple[tuple[Screen, tuple[tuple[Question, Control], ...]], ...]

    @property
    def pages(self) -> frozenset[str]:
        return frozenset(screen.page for screen, _ in self.screens)


@dataclass(frozen=True)
class Length:
    """Minutes that answering takes in one language: for half of the ways at most *median*, for all *longest*."""

    language: str
    median: float
    longest: float


@dataclass(frozen=True)
class Findings:
    """What walking a questionnaire found. *members* are (question, code) of rows and options that were never shown."""

    ways: tuple[Way, ...]
    directed: int
    pages: tuple[str, ...]
    questions: tuple[str, ...]
    members: tuple[tuple[str, str], ...]


def walk(instrument: Instrument, seed: int = 0, *, ways: int = RANDOM_WAYS) -> Findings:
    """Return what *ways* random walks, and directed ones to what those missed, find in *instrument*."""
    rng = Random(f"{instrument.hash}/{seed}")
    walker = _Walker(instrument, rng)
    walked = [walker.way(()) for _ in range(ways)]
    met = _Met.of(walked)
    directed = 0
    for part, chain in walker.targets():
        for _ in range(DIRECTED_WAYS):
            if part in met.parts:
                break
            way = walker.way(chain)
            walked.append(way)
            directed += 1
            met.add(way)
    every = _Met.possible(instrument)
    return Findings(
        ways=tuple(walked),
        directed=directed,
        pages=tuple(page.id for page in instrument.pages if (page.id,) not in met.parts),
        questions=tuple(question.id for question in instrument.questions if ("", question.id) not in met.parts),
        members=tuple(part[1:] for part in every if len(part) == 3 and part not in met.parts),
    )


def witnesses(findings: Findings) -> tuple[Way, ...]:
    """Return ways that together meet every page that can be met, few and in the order found."""
    chosen: list[Way] = []
    met: set[str] = set()
    for way in findings.ways:
        if not way.pages <= met:
            chosen.append(way)
            met |= way.pages
    return tuple(chosen)


def lengths(instrument: Instrument, findings: Findings) -> tuple[Length, ...]:
    """Return how long the ways of *findings* take in each language.

    The directed ways are unusual ones: they count for the longest, not for the middle.
    """
    found = []
    for language in instrument.languages:
        minutes = [seconds(instrument, way, language) / 60 for way in findings.ways]
        ordinary = minutes[: len(minutes) - findings.directed]
        found.append(Length(language, median(ordinary), max(minutes)))
    return tuple(found)


def seconds(instrument: Instrument, way: Way, language: str) -> float:
    """Return how long *way* takes in *language*: reading its words, and answering."""
    words, answering = 0, 0.0
    pages: set[str] = set()
    for screen, shown in way.screens:
        answering += SCREEN_SECONDS
        if screen.page not in pages:
            page = instrument.page(screen.page)
            words += _count(wording(page.title, language), wording(page.text, language))
            pages.add(screen.page)
        for question, _ in shown:
            control = drawn(question, screen.stage, way.answers, language)
            words += _words(control)
            answering += _answering(control)
    return words * 60 / WORDS_A_MINUTE.get(language, OTHER_LANGUAGE) + answering


def drawn(question: Question, stage: str, answers: Mapping[str, Answer], language: str) -> Control:
    """Return *question* as shown to somebody who has answered nothing on this screen yet."""
    return question.control(stage, language=language, typed={}, answers=answers, errors={}, seed=0)


def _words(control: Control) -> int:
    scales = {tuple(option.label for option in group.options) for group in control.groups}
    read = [control.legend, control.instruction, *control.paragraphs]
    read += [option.label for option in control.options]
    read += [text for group in control.groups for text in (group.legend, group.within, *(group.poles or ()))]
    read += [label for labels in scales for label in labels]  # a scale that all rows share is read once
    read += [line.label for line in control.lines if line.label != control.legend]
    return _count(*read)


def _count(*texts: str) -> int:
    return sum(len(text.split()) for text in texts)


def _answering(control: Control) -> float:
    lines = sum(TEXT_SECONDS if line.lines > 1 else LINE_SECONDS for line in control.lines)
    return lines + ROW_SECONDS * len(control.groups) + CHOICE_SECONDS * bool(control.options and not control.lines)


# ---- walking

_Part = tuple[str, ...]
"""(page,), ("", question) or ("", question, code): what can be met."""


@dataclass
class _Met:
    parts: set[_Part] = field(default_factory=set)

    @classmethod
    def of(cls, ways: Sequence[Way]) -> _Met:
        met = cls()
        for way in ways:
            met.add(way)
        return met

    def add(self, way: Way) -> None:
        for screen, shown in way.screens:
            self.parts.add((screen.page,))
            for question, _ in shown:
                self.parts.add(("", question.id))
                self.parts.update(("", question.id, code) for code in _codes(question))

    @staticmethod
    def possible(instrument: Instrument) -> tuple[_Part, ...]:
        return tuple(("", question.id, code) for question in instrument.questions for code in _codes(question))


def _codes(question: Question) -> tuple[str, ...]:
    return tuple(member.code for member in getattr(question, question.members)) if question.members else ()


class _Walker:
    def __init__(self, instrument: Instrument, rng: Random):
        self.instrument = instrument
        self.rng = rng
        self.homes = {question.id: page for page in instrument.pages for question in page.questions}
        self.askers = {name: question for question in instrument.questions for name in question.names}
        self.constants = _constants(condition for condition, _ in self._guards())

    def targets(self) -> Iterator[tuple[_Part, tuple[Condition, ...]]]:
        """Yield whatever has a condition, with every condition on the way there."""
        for condition, part in self._guards():
            home = self.homes.get(part[1]) if len(part) > 1 else None
            question = self.instrument.question(part[1]) if len(part) > 1 else None
            own = [condition, home.show_if if home else None, question.show_if if question else None]
            yield part, self._chain([one for one in own if one is not None])

    def way(self, wanted: Sequence[Condition]) -> Way:
        """Return a way to the end, on which answers are preferred that *wanted* conditions want."""
        deciding = {name for condition in wanted for name in self._named(condition)}
        answers: dict[str, Any] = {}
        screens: dict[Screen, tuple[tuple[Question, Control], ...]] = {}
        for _ in range(LONGEST):
            route = routing.route(self.instrument, answers)
            screen = route.position(answers)
            if screen is None:
                break
            language = self.instrument.languages[0]
            shown = tuple(
                (question, drawn(question, screen.stage, answers, language))
                for question in route.questions[screen]
                if screen.stage in question.stages(answers)
            )
            screens[screen] = shown
            for question, _control in shown:
                steers = deciding.intersection(question.names)
                answers |= (
                    self._steered(question, screen.stage, answers, wanted)
                    if steers
                    else self._any(question, screen.stage, answers)
                )
        return Way(answers, tuple(screens.items()))

    def _any(self, question: Question, stage: str, answers: Mapping[str, Answer]) -> dict[str, Any]:
        filled = question.fill(stage, answers, self.rng, seed=0)
        return _parsed(question, stage, filled, answers)

    def _steered(
        self, question: Question, stage: str, answers: Mapping[str, Answer], wanted: Sequence[Condition]
    ) -> dict[str, Any]:
        """Return the answer among many that leaves the fewest of the *wanted* conditions untrue."""
        best: list[dict[str, Any]] = []
        lowest: float | None = None
        for given in self._candidates(question, stage, answers):
            after = {**answers, **given}
            truths = [conditions.evaluate(condition, after, self.instrument.sets) for condition in wanted]
            cost = sum({True: 0.0, None: 0.5, False: 1.0}[truth] for truth in truths)
            if lowest is None or cost < lowest:
                best, lowest = [], cost
            if cost == lowest:
                best.append(given)
        return self.rng.choice(best)

    def _candidates(self, question: Question, stage: str, answers: Mapping[str, Answer]) -> Iterator[dict[str, Any]]:
        some = [self._any(question, stage, answers) for _ in range(_TRIES)]
        yield from some
        for name in question.names:
            for value in self.constants.get(name, ()):
                base = self.rng.choice(some)
                try:
                    given = _parsed(question, stage, question.typed(stage, {**answers, **base, name: value}), answers)
                except (InvalidAnswers, KeyError, ValueError, TypeError):
                    continue  # not a value that can be typed there
                if given.get(name) == value:
                    yield given

    def _guards(self) -> Iterator[tuple[Condition, _Part]]:
        for page in self.instrument.pages:
            if page.show_if:
                yield page.show_if, (page.id,)
            for question in page.questions:
                if question.show_if:
                    yield question.show_if, ("", question.id)
                for member in question.conditional:
                    yield member.show_if, ("", question.id, member.code)

    def _chain(self, first: Sequence[Condition]) -> tuple[Condition, ...]:
        """Return *first* and every condition on which it hangs whether what they name is asked."""
        found: list[Condition] = []
        waiting = list(first)
        while waiting:
            condition = waiting.pop()
            if condition in found:
                continue
            found.append(condition)
            for name in self._named(condition):
                asker = self.askers.get(name)
                if asker is not None:
                    waiting += [one for one in (asker.show_if, self._page(asker).show_if) if one is not None]
        return tuple(found)

    def _named(self, condition: Condition) -> Iterator[str]:
        for name in sorted(condition.names):
            yield from self.instrument.sets.get(name, (name,))

    def _page(self, question: Question) -> Page:
        return self.homes[question.id]


def _parsed(question: Question, stage: str, filled: Mapping[str, Any], answers: Mapping[str, Answer]) -> dict[str, Any]:
    given = question.parse(stage, MultiDict(filled), answers)
    return {name: answer for name, answer in given.items() if name != question.id or not question.identifies}


def _constants(found: Iterator[Condition]) -> dict[str, tuple[Value, ...]]:
    """Return what conditions compare each variable with, and its neighbours."""
    values: dict[str, dict[Value, None]] = {}

    def mention(name: str, value: Value) -> None:
        near = (value,) if isinstance(value, str) else (value, value - 1, value + 1)
        values.setdefault(name, {}).update(dict.fromkeys(near))

    for condition in found:
        for part in conditions.walk(condition.tree):
            match part:
                case Comparison(left=Name(name=name), right=Literal(value=value)):
                    mention(name, value)
                case Comparison(left=Literal(value=value), right=Name(name=name)):
                    mention(name, value)
                case Membership(left=Name(name=name), values=members):
                    for member in members:
                        mention(name, member)
    return {name: tuple(found) for name, found in values.items()}
