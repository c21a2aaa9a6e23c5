"""Robots: respondents that fill in any questionnaire through the real application, and how far each one came.

A robot sees what a browser would see: it reads the form that was served, posts what that form
offers, follows redirects and notices where the page differs from the questionnaire's own route.
Time and chance are arguments, so robots can answer in the spring of 2015, and twice the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from random import Random
from typing import Any, Protocol
from urllib.parse import urljoin

from flask import Flask
from werkzeug.datastructures import MultiDict
from werkzeug.test import Client, TestResponse

from kysely import routing
from kysely.codebook import Answer
from kysely.instrument import Instrument
from kysely.population import Person
from kysely.questions._base import InvalidAnswers, Question
from kysely.questions.organisation import OrganisationTyped

LONGEST = 1000
"""More screens than this and the robot is going round in circles."""

THANKS = "thank-you"
"""The last part of the address at which an interview ends; a button there opens it again, which no robot wants."""

SKIP = "skip"
"""The name of the button that says: I leave this blank."""

Typed = dict[str, list[str]]
"""Form data: field name → what was typed or chosen there."""


class Clock:
    """The time as the application sees it; the robot moves it on."""

    def __init__(self, now: datetime = datetime(2015, 3, 2, 7, tzinfo=UTC)):
        self.now = now

    def __call__(self) -> datetime:
        return self.now


class Respondent(Protocol):
    """Somebody who answers: in which language, when, how slowly, and what."""

    @property
    def number(self) -> int: ...
    @property
    def language(self) -> str: ...
    @property
    def starts(self) -> datetime: ...

    def pause(self, screen: int) -> timedelta:
        """Return how long the respondent looks at the *screen*-th screen before moving on."""
        ...

    def answer(self, question: Question, stage: str, answers: Mapping[str, Answer]) -> Typed:
        """Return the form data for one question; {} leaves it blank."""
        ...


@dataclass(frozen=True)
class Study:
    """A respondent of the simulated study, who answers as the generated person would."""

    person: Person
    number: int
    language: str
    starts: datetime

    @classmethod
    def of(cls, person: Person) -> Study:
        return cls(person, person.number, person.language, person.starts)

    def pause(self, screen: int) -> timedelta:
        return timedelta(seconds=self.person.seconds[screen % len(self.person.seconds)])

    def answer(self, question: Question, stage: str, answers: Mapping[str, Answer]) -> Typed:
        known: dict[str, Any] = {**self.person.answers}
        if question.identity == "organisation":
            known[question.id] = OrganisationTyped(self.person.typed_name, self.person.organisation.municipality)
        return question.typed(stage, known)


@dataclass(frozen=True)
class Anyone:
    """A respondent without views: takes any of what each question accepts, or leaves it blank."""

    number: int
    language: str
    starts: datetime
    rng: Random

    def pause(self, screen: int) -> timedelta:
        return timedelta(seconds=self.rng.randint(3, 60))

    def answer(self, question: Question, stage: str, answers: Mapping[str, Answer]) -> Typed:
        filled = question.fill(stage, answers, self.rng, seed=0)
        return {name: [text] if isinstance(text, str) else list(text) for name, text in filled.items()}


@dataclass(frozen=True)
class Witness:
    """A respondent that goes a way walked before: gives the answers given on it."""

    number: int
    language: str
    starts: datetime
    given: Mapping[str, Answer]

    def pause(self, screen: int) -> timedelta:
        return timedelta(seconds=10)

    def answer(self, question: Question, stage: str, answers: Mapping[str, Answer]) -> Typed:
        return question.typed(stage, self.given)


def anyone(number: int, instrument: Instrument, seed: int, opens: datetime) -> Anyone:
    """Return the *number*-th respondent without views; the languages take turns."""
    rng = Random(f"{seed}/{number}")
    starts = opens + timedelta(minutes=rng.randrange(60 * 24 * 60))
    return Anyone(number, instrument.languages[number % len(instrument.languages)], starts, rng)


@dataclass(frozen=True)
class Walk:
    """The way of one respondent: the questions met in order, and what went wrong, "" if nothing did."""

    number: int
    language: str
    asked: tuple[str, ...]
    pages: tuple[str, ...]
    answers: Mapping[str, Answer]
    fault: str = ""


class Astray(Exception):
    """The page isn't what the questionnaire says it should be, or refuses what it offers."""


def interviews(
    app: Flask,
    instrument: Instrument,
    respondents: Iterable[Respondent],
    clock: Clock,
    address: str = "http://localhost",
) -> Iterator[Walk]:
    """Yield the walk of each respondent, one after the other, each in a browser of its own.

    *app* must tell the time by *clock* and serve the instrument; *address* is how it lets itself be called.
    """
    entrance = f"{address}/{instrument.languages[0]}/{instrument.id}/"
    for respondent in respondents:
        yield interview(Client(app), instrument, entrance, respondent, clock)


def interview(client: Client, instrument: Instrument, entrance: str, respondent: Respondent, clock: Clock) -> Walk:
    """Answer everything that is asked from the introduction at *entrance* to the thank-you; never raises Astray."""
    way = _Way(client, instrument, respondent, clock)
    fault = ""
    try:
        way.walk(entrance)
    except Astray as astray:
        fault = f"{astray} (respondent {respondent.number}, {respondent.language}, at {way.address})"
    return Walk(respondent.number, respondent.language, tuple(way.asked), tuple(way.pages), dict(way.answers), fault)


def never_asked(instrument: Instrument, walks: Iterable[Walk]) -> tuple[str, ...]:
    """Return the questions that no respondent met, in the order of the questionnaire."""
    met = {question for walk in walks for question in walk.asked}
    return tuple(question.id for question in instrument.questions if question.names and question.id not in met)


@dataclass
class _Way:
    client: Client
    instrument: Instrument
    respondent: Respondent
    clock: Clock
    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    pages: list[str] = field(default_factory=list)
    address: str = ""

    def walk(self, entrance: str) -> None:
        self.clock.now = self.respondent.starts
        page = self._in_my_language(self._get(entrance))
        for screen in range(LONGEST):
            form = page.form
            if form is None or self.address.endswith(f"/{THANKS}"):
                self._arrived()
                return
            if screen:  # the response begins with the start button, and so does its time
                self.clock.now += self.respondent.pause(screen)
            page = self._answered(form, page)
        raise Astray(f"no end after {LONGEST} screens")

    def _in_my_language(self, page: Page) -> Page:
        link = page.languages.get(self.respondent.language)
        if link is None and page.language != self.respondent.language:
            raise Astray(f"the introduction offers no {self.respondent.language}")
        page = self._get(urljoin(self.address, link)) if link else page
        if page.language != self.respondent.language:
            raise Astray(f"asked for {self.respondent.language}, got {page.language}")
        return page

    def _answered(self, form: Form, page: Page) -> Page:
        """Return the page after this one; a page that asks once more for what was left blank gets the same again."""
        shown = tuple(_shown(self.instrument, self.answers, form))
        self._check_route(shown)
        typed: Typed = {}
        for question, stage in shown:
            typed |= self.respondent.answer(question, stage, self.answers)
        self.asked += [question.id for question, _ in shown]
        for attempt in range(2):
            following = self._post(form, typed, skip=attempt > 0)
            if following is not None:
                self._remember(shown, typed)
                return following
            again = self._page.form
            if again is None or not any(
                question.is_blank(stage, MultiDict(typed), self.answers) for question, stage in shown
            ):
                break
            form = again
        raise Astray(f"refused {sorted(typed)}: {self._page.alert or 'without a word'}")

    def _check_route(self, shown: Sequence[tuple[Question, str]]) -> None:
        expected = routing.position(self.instrument, self.answers)
        if not shown or expected is None:
            return
        asked = shown[0][0].id
        page = next(page.id for page in self.instrument.pages for question in page.questions if question.id == asked)
        self.pages.append(page)
        if (page, shown[0][1]) != (expected.page, expected.stage):
            raise Astray(
                f"served page {page} {shown[0][1]}, but the route goes on with {expected.page} {expected.stage}"
            )

    def _remember(self, shown: Sequence[tuple[Question, str]], typed: Typed) -> None:
        for question, stage in shown:
            try:
                given = question.parse(stage, MultiDict(typed), self.answers)
            except InvalidAnswers as refused:
                raise Astray(f"the page accepted what {question.id} refuses: {refused}") from None
            self.answers |= {
                name: answer for name, answer in given.items() if name != question.id or not question.identifies
            }

    def _arrived(self) -> None:
        missing = routing.position(self.instrument, self.answers)
        if missing is not None:
            raise Astray(f"the interview ended before page {missing.page} {missing.stage}")

    def _get(self, address: str) -> Page:
        return self._read(self.client.get(address), address)

    def _post(self, form: Form, typed: Typed, *, skip: bool = False) -> Page | None:
        """Return the page that the redirect leads to, or None for a page that shows the form again.

        *skip* presses the button that leaves blanks as they are, if the form has one.
        """
        refusals = tuple(form.refusals(typed))
        if refusals:
            raise Astray("; ".join(refusals))
        pressed = [button for button in form.buttons if skip and button[0] == SKIP]
        given = [(name, text) for name, texts in typed.items() for text in texts]
        fields = MultiDict([*form.hidden, *given, *pressed])
        address = urljoin(self.address, form.action)
        response = self.client.post(address, data=fields)
        while response.status_code == 303:
            address = urljoin(address, response.headers["Location"])
            response = self.client.get(address)
        if response.status_code == 200:
            return self._read(response, address)
        if response.status_code >= 500:
            raise Astray(f"POST {address} was answered with {response.status}")
        self.address = address
        self._page = read(response.text)
        return None

    def _read(self, response: TestResponse, address: str) -> Page:
        while response.status_code in (302, 303):
            address = urljoin(address, response.headers["Location"])
            response = self.client.get(address)
        self.address = address
        if response.status_code != 200:
            raise Astray(f"GET {address} was answered with {response.status}")
        self._page = read(response.text)
        return self._page


def _shown(instrument: Instrument, answers: Mapping[str, Answer], form: Form) -> Iterator[tuple[Question, str]]:
    """Yield the questions whose fields the form has, with the stage it is at."""
    for screen, questions in routing.route(instrument, answers).questions.items():
        for question in questions:
            if any(name in form.offered for name in question.fields(screen.stage)):
                yield question, screen.stage


# ---- what a page says


@dataclass
class Form:
    """A form as served: its hidden fields, its buttons, and for every field the values offered, None to type."""

    action: str
    hidden: list[tuple[str, str]] = field(default_factory=list)
    offered: dict[str, set[str] | None] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)

    def refusals(self, typed: Typed) -> Iterator[str]:
        """Yield what a browser could not have sent from this form."""
        for name, texts in typed.items():
            if name not in self.offered:
                yield f"the page has no field {name}"
            elif (values := self.offered[name]) is not None:
                yield from (f"{name} is not offered {text!r}" for text in texts if text not in values)


@dataclass
class Page:
    """A page as served: its language, links to the others, the form of the interview, what its alert says."""

    language: str = ""
    languages: dict[str, str] = field(default_factory=dict)
    form: Form | None = None
    alert: str = ""


def read(html: str) -> Page:
    """Return what a robot needs to know of a page."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.page


class _Reader(HTMLParser):
    """Collects posting forms; a page has one, and if it has more the last with a ticket is the interview's."""

    def __init__(self) -> None:
        super().__init__()
        self.page = Page()
        self._form: Form | None = None
        self._select: str | None = None
        self._in_alert = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "html":
            self.page.language = attributes.get("lang", "")
        elif tag == "a" and "hreflang" in attributes:
            self.page.languages[attributes["hreflang"]] = attributes.get("href", "")
        elif tag == "form" and attributes.get("method", "").lower() == "post":
            self._form = Form(attributes.get("action", ""))
        elif tag == "section" and (attributes.get("role") == "alert" or self._in_alert):
            self._in_alert += 1
        if self._form is not None:
            self._field(tag, attributes)

    def _field(self, tag: str, attributes: Mapping[str, str]) -> None:
        assert self._form is not None
        name, kind = attributes.get("name", ""), attributes.get("type", "text")
        if tag == "option" and self._select is not None:
            self._offer(self._select, attributes.get("value", ""))
        elif not name:
            return
        elif tag == "button":
            self._form.buttons.append((name, attributes.get("value", "")))
        elif tag == "input" and kind == "hidden":
            self._form.hidden.append((name, attributes.get("value", "")))
        elif tag == "input" and kind in ("radio", "checkbox"):
            self._offer(name, attributes.get("value", "on"))
        elif tag in ("input", "textarea"):
            self._form.offered[name] = None
        elif tag == "select":
            self._select = name
            self._form.offered[name] = set()

    def _offer(self, name: str, value: str) -> None:
        assert self._form is not None
        values = self._form.offered.setdefault(name, set())
        assert values is not None
        values.add(value)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form" and self._form is not None:
            if any(name == "ticket" for name, _ in self._form.hidden):
                self.page.form = self._form
            self._form = None
        elif tag == "select":
            self._select = None
        elif tag == "section" and self._in_alert:
            self._in_alert -= 1

    def handle_data(self, data: str) -> None:
        if self._in_alert and data.strip():
            self.page.alert = f"{self.page.alert} {data.strip()}".strip()
