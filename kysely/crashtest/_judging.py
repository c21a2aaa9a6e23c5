"""What the databases hold when it is over, held against what the robots were told is saved."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import select, text

from kysely import store as stores
from kysely.crashtest._people import SUBMIT, WHO, Person
from kysely.questions.organisation import OrganisationTyped
from kysely.store import Store, tables
from kysely.store.databases import Database
from kysely.store.tables import SUBMITTED

_EVENT = tables.AnswerEvent.__table__  # type: ignore[attr-defined]
_SUBMISSION = tables.PageSubmission.__table__  # type: ignore[attr-defined]
_ORGANISATION = tables.Organisation.__table__  # type: ignore[attr-defined]
_RESPONDENT = tables.Respondent.__table__  # type: ignore[attr-defined]


@dataclass
class Verdict:
    """Each fault as a sentence: what was acknowledged and is not there, is there twice, or is there in part."""

    lost: list[str] = field(default_factory=list)
    duplicate: list[str] = field(default_factory=list)
    partial: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)


def judge(store: Store, seed: int, acknowledged: Mapping[int, Iterable[str]]) -> Verdict:
    """Return what is wrong in *store* with the steps that were *acknowledged*, by number of the robot.

    Every robot has gone on until all its forms were acknowledged, so that nothing may be there beyond them either.
    """
    verdict = Verdict()
    held = _Held.of(store)
    people = {number: Person(number, seed) for number, steps in acknowledged.items() if steps}
    for number, person in people.items():
        _judge_person(verdict, held, person, set(acknowledged[number]))
    _judge_whole(verdict, held, len(acknowledged))
    for database in (store.answers.database, store.identities.database):
        verdict.damaged += _damage(database)
    return verdict


@dataclass(frozen=True)
class _Held:
    """Every response as it stands, its saved pages, how often each variable was written, and who gave it."""

    responses: Mapping[str, stores.ResponseState]
    pages: Mapping[str, list[str]]
    events: Mapping[str, Counter[str]]
    respondents: Mapping[str, list[tuple]]
    organisations: Mapping[str, list[str]]
    by_text: Mapping[object, list[str]]

    @classmethod
    def of(cls, store: Store) -> _Held:
        responses = {state.id: state for wave in store.waves() for state in store.responses(wave.id)}
        pages: dict[str, list[str]] = defaultdict(list)
        events: dict[str, Counter[str]] = defaultdict(Counter)
        by_text: dict[object, list[str]] = defaultdict(list)
        with store.answers.database.reading() as connection:
            for row in connection.execute(select(_SUBMISSION.c.response, _SUBMISSION.c.page)):
                pages[row.response].append(row.page)
            for row in connection.execute(select(_EVENT.c.response, _EVENT.c.variable, _EVENT.c.text)):
                events[row.response][row.variable] += 1
                if row.text is not None and row.response not in by_text[row.text]:
                    by_text[row.text].append(row.response)
        respondents: dict[str, list[tuple]] = defaultdict(list)
        organisations: dict[str, list[str]] = defaultdict(list)
        keys = store.identities.keys
        with store.identities.database.reading() as connection:
            for row in connection.execute(select(_RESPONDENT)):
                response = keys.answers_id(row.response_link)
                organisation, role = keys.answers_id(row.organisation_id), store.identities.role(response)
                respondents[response].append((row.name_typed, row.municipality_typed, organisation, role))
                by_text[row.name_typed].append(response)
            for row in connection.execute(select(_ORGANISATION.c.id, _ORGANISATION.c.name)):
                organisations[row.name].append(keys.answers_id(row.id))
        return cls(responses, pages, events, respondents, organisations, by_text)


def _judge_person(verdict: Verdict, held: _Held, person: Person, steps: set[str]) -> None:
    """Judge what is there of one robot, found by the texts that nobody else has typed."""
    who = f"robot {person.number}"
    typed = person.typed
    marks = {WHO: person.organisation, "ways": typed["ways"]["remark"], "words": typed["words"]["words"]}
    mine: set[str] = set()
    for page, mark in marks.items():
        owners = held.by_text.get(mark, [])
        mine.update(owners)
        if page in steps and not owners:
            verdict.lost.append(f"{who}: what was typed on the page {page}")
    if len(mine) > 1:
        verdict.duplicate.append(f"{who} has {len(mine)} responses")
    for response in mine:
        state = held.responses.get(response)
        if state is None:
            verdict.partial.append(f"{who} is known to the identity database, and there is no response")
            continue
        for page, answers in person.stored.items():
            if page in steps:
                wrong = sorted(name for name, value in answers.items() if state.answers.get(name) != value)
                verdict.lost += [f"{who}: the answer {name} of the page {page}" for name in wrong]
        if SUBMIT in steps and state.state != SUBMITTED:
            verdict.lost.append(f"{who}: the response was sent and stands open")
        if WHO in steps:
            _judge_identity(verdict, held, person, state)


def _judge_identity(verdict: Verdict, held: _Held, person: Person, state: stores.ResponseState) -> None:
    who = f"robot {person.number}"
    rows = held.respondents.get(state.id, [])
    named = OrganisationTyped(person.organisation, person.typed[WHO]["organisation_municipality"])
    if not rows:
        verdict.lost.append(f"{who}: the name of the organisation")
    elif [row[:2] for row in rows] != [(named.name, named.municipality)]:
        verdict.duplicate.append(f"{who} is in the identity database {len(rows)} times, or otherwise than typed")
    elif rows[0][2:] != (state.organisation_key, state.answers.get("role")):
        verdict.partial.append(f"{who}: answers and identity name two organisations or roles")
    organisations = held.organisations.get(person.organisation, [])
    if len(organisations) > 1:
        verdict.duplicate.append(f"{who}: the organisation is there {len(organisations)} times")
    if state.organisation_key not in organisations:
        verdict.partial.append(f"{who}: the answers point to an organisation that is not there")


def _judge_whole(verdict: Verdict, held: _Held, people: int) -> None:
    """Judge every response by itself: each saved page once, with all its variables, and nothing without its page."""
    if len(held.responses) > people:
        verdict.duplicate.append(f"{len(held.responses)} responses of {people} robots")
    variables = {page: set(answers) for page, answers in Person(0, 0).stored.items()}
    for response, state in held.responses.items():
        pages = Counter(held.pages.get(response, []))
        verdict.duplicate += [
            f"{response}: the page {page} was saved {times} times" for page, times in pages.items() if times > 1
        ]
        events = held.events.get(response, Counter())
        verdict.duplicate += [
            f"{response}: {name} was written {times} times" for name, times in events.items() if times > 1
        ]
        expected = set().union(*(variables[page] for page in pages))
        if set(events) != expected:
            strange = ", ".join(sorted(expected ^ set(events)))
            verdict.partial.append(
                f"{response}: of the saved pages {', '.join(pages) or 'none'}, these differ: {strange}"
            )
        if state.revision != sum(pages.values()):
            verdict.partial.append(f"{response}: revision {state.revision} after {sum(pages.values())} saved pages")
    for response in held.respondents:
        if response not in held.responses:
            verdict.partial.append(f"{response} is known to the identity database, and there is no response")


def _damage(database: Database) -> list[str]:
    """Return what SQLite's own checks find; PostgreSQL is checked by its server."""
    if not database.sqlite:
        return []
    with database.reading() as connection:
        found = [row[0] for row in connection.execute(text("PRAGMA integrity_check"))]
        keys = connection.execute(text("PRAGMA foreign_key_check")).all()
    wrong = [f"{database.name}: {line}" for line in found if line != "ok"]
    return wrong + [f"{database.name}: a row of {row[0]} points to no row of {row[2]}" for row in keys]
