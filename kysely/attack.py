"""The attack on our own anonymity: everything an operator has, used to link people to answers.

What it is given: both databases with every hidden number that they keep (rowid, ctid, xmin), their files and logs byte
by byte, the backups, the log files, and of the mail when and to whom it was sent. What it is not given: the link key
and the memory of the running server. It tries four things. Values that both sides share. How many of each organisation
there are. What is new on both sides between two backups. And every order of the people against every order of the
responses. What the link key adds is told beside it, and is no attack: named and confidential answers rest on it.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import text

from kysely.store import Store, Wave
from kysely.store.databases import Database

SHORTEST = 8
"""Signs of a value that can't be shared by accident, such as an id; a code or a number can."""

SHARED = "values that both sides share"

_HIDDEN = {"sqlite": ("rowid",), "postgresql": ("ctid", "xmin")}
_RESPONSES = ("response", "anonymous_response")
_HANGING = ("answer_event", "page_submission", "draft", "resume_code", "anonymous_answer")
_INVITED = ("I", "P", "R_breakoff")


@dataclass(frozen=True)
class Method:
    """One way to link: for each person the responses that it leaves, the likeliest alone where it dares a guess."""

    name: str
    candidates: Mapping[str, frozenset[str]]

    def rate(self, people: int) -> float:
        """Return the share of *people* that is linked, if of those it leaves one is as likely as the other."""
        return sum(1 / len(found) for found in self.candidates.values() if found) / people if people else 0.0


@dataclass(frozen=True)
class Attack:
    """What was found of one wave. *certain* narrows down what can be true, *orders* are guesses that truth judges."""

    people: tuple[str, ...]
    responses: tuple[str, ...]
    certain: tuple[Method, ...]
    orders: tuple[Method, ...]
    traced: int = 0
    """How many of the people the link key leads to what they answered."""

    @property
    def chance(self) -> float:
        """The share that blind guessing links."""
        return 1 / len(self.responses) if self.responses else 0.0

    @property
    def rate(self) -> float:
        """The share of people that shared values and backups link."""
        best: dict[str, int] = {}
        for method in self.certain:
            for person, found in method.candidates.items():
                if found:
                    best[person] = min(len(found), best.get(person, len(self.responses)))
        blind = (len(self.people) - len(best)) * self.chance
        return (sum(1 / count for count in best.values()) + blind) / len(self.people) if self.people else 0.0

    def breaks(self, mode: str, allowed: float) -> bool:
        """Whether this is more than the privacy mode *mode* lets happen; *allowed* is the rate of a smallest group.

        Confidential answers have times, so backups and orders narrow them down; but no table may lead to them.
        """
        if not self.responses:
            return False
        if mode == "anonymous":
            return self.rate > max(allowed, self.chance) + 1e-9
        return mode == "confidential" and any(method.candidates for method in self.certain if method.name == SHARED)

    def right(self, truth: Mapping[str, str]) -> dict[str, float]:
        """Return for each method the share of *truth* (person to response) that its guesses hit."""
        return {
            method.name: sum(
                1 / len(found) for person, found in method.candidates.items() if truth.get(person) in found
            )
            / max(1, len(truth))
            for method in (*self.certain, *self.orders)
        }


@dataclass
class View:
    """One state of both databases: the rows of each person and of each response, and in which orders they stand."""

    people: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    responses: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    answered: set[str] = field(default_factory=set)
    person_orders: dict[str, dict[str, Any]] = field(default_factory=lambda: defaultdict(dict))
    response_orders: dict[str, dict[str, Any]] = field(default_factory=lambda: defaultdict(dict))
    respondents: list[dict[str, Any]] = field(default_factory=list)
    named: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """The respondents that named each organisation, by its id in the identity database."""
    belonging: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """The people of each organisation."""
    answered_for: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """The responses of each organisation, by its key in the answers."""


def attack(store: Store, wave: Wave, *, backups: Sequence[Path] = (), logs: Sequence[Path] = ()) -> Attack:
    """Attack *wave* with the store's databases and files, the *backups* (files of ours, oldest first) and *logs*."""
    now = _view(
        {database.name: _tables(database) for database in (store.answers.database, store.identities.database)}, wave.id
    )
    people, responses = tuple(sorted(now.people)), tuple(sorted(now.responses))
    certain = [_shared(now), _sized(now)]
    certain += _grown([View(), *_backed_up(backups, wave.id), now])  # before the first there was nothing
    files = [
        path
        for database in (store.answers.database, store.identities.database)
        if database.sqlite
        for path in sorted(database.file.parent.glob(database.file.name + "*"))
    ]
    for path in (*files, *backups, *logs):
        _note_places(now, path)
    return Attack(people, responses, tuple(certain), tuple(_orders(now)), _traced(store, wave, now))


def _traced(store: Store, wave: Wave, view: View) -> int:
    """Return how many people the link key leads to what they answered; of anonymous ones, to what isn't sent yet."""
    keys, invitations = store.invitations.keys, store.invitations.of_wave(wave.id)
    if not invitations:
        return sum(keys.answers_id(row["response_link"]) in view.responses for row in view.respondents)
    return sum(
        bool(store.anonymous.begun_by(invited.id)) if invited.anonymous else keys.response(invited.id) in view.responses
        for invited in invitations
    )


def _shared(view: View) -> Method:
    """Link who has a value that a response has too."""
    owners: dict[str, set[str]] = defaultdict(set)
    for response, values in view.responses.items():
        for value in values:
            owners[value].add(response)
    found: dict[str, frozenset[str]] = {}
    for person, values in view.people.items():
        linked = [owners[value] for value in values if value in owners and len(owners[value]) < len(view.responses)]
        if linked:
            fewest: set[str] = min(linked, key=len)
            found[person] = frozenset(fewest)
    return Method(SHARED, found)


def _sized(view: View) -> Method:
    """Link who is of an organisation that as many named as answered for one."""
    of_size: dict[int, set[str]] = defaultdict(set)
    for responses in view.answered_for.values():
        of_size[len(responses)] |= responses
    found: dict[str, frozenset[str]] = {}
    for organisation, respondents in view.named.items():
        alike = frozenset(of_size[len(respondents)])
        if alike and len(alike) < len(view.responses):
            found |= dict.fromkeys(view.belonging[organisation], alike)
    return Method("how many of each organisation there are", found)


def _grown(views: Sequence[View]) -> Iterator[Method]:
    """Link who is new among those who answered to what is new among the responses, from one backup to the next."""
    found: dict[str, frozenset[str]] = {}
    for before, after in zip(views, views[1:], strict=False):
        people = after.answered - before.answered
        responses = frozenset(set(after.responses) - set(before.responses))
        for person in people:
            if responses and len(responses) < len(found.get(person, views[-1].responses)):
                found[person] = responses
    if len(views) > 2:
        yield Method("what is new from one backup to the next", found)


def _orders(view: View) -> Iterator[Method]:
    """Pair every order of the people with every order of the responses."""
    asked = view.answered or set(view.people)
    for of_people, places in sorted(view.person_orders.items()):
        people = [person for person in sorted(places, key=lambda one: _sortable(places[one])) if person in asked]
        if len({_sortable(places[person]) for person in people}) < 2:
            continue
        for of_responses, stands in sorted(view.response_orders.items()):
            ranked = sorted(stands, key=lambda one: _sortable(stands[one]))
            if len({_sortable(place) for place in stands.values()}) < 2:
                continue
            pairs = {person: frozenset([response]) for person, response in zip(people, ranked, strict=False)}
            yield Method(f"people by {of_people}, responses by {of_responses}", pairs)


def _sortable(place: Any) -> tuple:
    if isinstance(place, int | float):
        return (0, place, "")
    if isinstance(place, str) and place.startswith("("):  # a ctid: (page, line)
        return (0, *(int(part) for part in place.strip("()").split(",")))
    return (1, 0, str(place))


# ---- reading


def _tables(database: Database) -> dict[str, list[dict[str, Any]]]:
    """Return every row of every table with the hidden numbers that the database keeps of it."""
    found = {}
    dialect = "sqlite" if database.sqlite else "postgresql"
    for name in database.metadata.tables:
        hidden = [_cast(one, dialect) for one in _HIDDEN[dialect]]
        if dialect == "sqlite" and not database.metadata.tables[name].dialect_options["sqlite"]["with_rowid"]:
            hidden = []
        with database.reading() as connection:
            rows = connection.execute(text(f"SELECT {', '.join([*hidden, '*'])} FROM {name}"))
            found[name] = [dict(row._mapping) for row in rows]
    return found


def _cast(name: str, dialect: str) -> str:
    return f"{name} AS hidden_{name}" if dialect == "sqlite" else f"{name}::text AS hidden_{name}"


def _backed_up(backups: Sequence[Path], wave: str) -> Iterator[View]:
    """Yield a view of each pair of backups: the state of the answers, and that of the identities copied next."""
    answers: dict[str, list[dict[str, Any]]] | None = None
    for path in backups:
        tables = _file_tables(path)
        if "wave" in tables:
            answers = tables
        elif "respondent" in tables and answers is not None:
            yield _view({"answers": answers, "identity": tables}, wave)
            answers = None


def _file_tables(path: Path) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            try:
                rows = connection.execute(f'SELECT rowid AS hidden_rowid, * FROM "{name}"').fetchall()
            except sqlite3.OperationalError:  # it has none
                rows = connection.execute(f'SELECT * FROM "{name}"').fetchall()
            found[name] = [dict(row) for row in rows]
    return found


def _view(databases: Mapping[str, Mapping[str, list[dict[str, Any]]]], wave: str) -> View:
    view = View()
    identity, answers = databases["identity"], databases["answers"]
    mine = {row["id"]: row for row in identity.get("invitation", ()) if row["wave_id"] == wave}
    contacts = {row["contact_id"]: row["id"] for row in mine.values()}
    for person, row in mine.items():
        _note(view.people, view.person_orders, "invitation", person, row)
        if row.get("disposition") in _INVITED:
            view.answered.add(person)
    for row in identity.get("contact", ()):
        if row["id"] in contacts:
            _note(view.people, view.person_orders, "contact", contacts[row["id"]], row)
            if row.get("organisation_id"):
                view.belonging[row["organisation_id"]].add(contacts[row["id"]])
    for row in identity.get("mail", ()):
        if row["invitation_id"] in mine:
            _note(view.people, view.person_orders, f"mail of round {row['round']}", row["invitation_id"], row)
    behind: dict[str, Iterable[str]] = {}
    for row in identity.get("respondent", ()):
        view.respondents.append(row)
        view.named[row["organisation_id"]].add(row["id"])
        if not mine:  # nobody is invited: people are those who said who they are
            view.belonging[row["organisation_id"]].add(row["id"])
            view.answered.add(row["id"])
        people = view.belonging[row["organisation_id"]] if mine else {row["id"]}
        for person in people:
            _note(view.people, view.person_orders, "respondent", person, row)
        behind[row.get("response_link", "")] = people
    for row in identity.get("reply_address", ()):
        for person in behind.get(row["response_link"], ()):
            _note(view.people, view.person_orders, "reply_address", person, row)
    for table in _RESPONSES:
        for row in answers.get(table, ()):
            if row["wave_id"] == wave:
                _note(view.responses, view.response_orders, table, row["id"], row)
                if row.get("organisation_key"):
                    view.answered_for[row["organisation_key"]].add(row["id"])
    for table in _HANGING:
        for row in answers.get(table, ()):
            if row["response"] in view.responses:
                _note(view.responses, view.response_orders, table, row["response"], row)
    for person, values in view.people.items():
        values -= {wave, *(row["privacy_mode"] for row in mine.values())}
        values.discard(person)
        values.add(person)
    for values in view.responses.values():
        values.discard(wave)
    return view


def _note(
    owners: dict[str, set[str]], orders: dict[str, dict[str, Any]], table: str, owner: str, row: Mapping[str, Any]
) -> None:
    """Note the values of a row as its owner's, and each of them that stands in an order; the first row counts."""
    for name, value in row.items():
        if value is None or isinstance(value, bool):
            continue
        if isinstance(value, str) and len(value) >= SHORTEST and not name.startswith("hidden_"):
            owners[owner].add(value)
        orders[f"{table}.{name.removeprefix('hidden_')}"].setdefault(owner, value)


def _note_places(view: View, path: Path) -> None:
    """Note where in a file each person and each response stands first."""
    try:
        content = path.read_bytes()
    except OSError:
        return
    for owners, orders in ((view.people, view.person_orders), (view.responses, view.response_orders)):
        places = {owner: place for owner in owners if (place := content.find(owner.encode())) >= 0}
        if len(places) > 1:
            orders[f"place in {path.name}"] = dict(places)


def told(found: Attack) -> Iterable[str]:
    """Yield what the attack came to, for the operator."""
    yield f"{len(found.people)} people are known, {len(found.responses)} responses can be read."
    for method in found.certain:
        linked = sum(len(one) == 1 for one in method.candidates.values())
        narrowed = sum(len(one) > 1 for one in method.candidates.values())
        yield f"{method.name}: {linked} linked for certain, {narrowed} narrowed down"
    told = sorted({method.name.partition("responses by ")[2] for method in found.orders})
    orders = [name for name in told if not name.startswith("place in ")]
    yield f"orders in which the responses stand, besides their places in files: {', '.join(orders) or 'none'}"
    yield f"rate {found.rate:.1%}, by chance {found.chance:.1%}"
    yield f"with the link key, which this attack has not: {found.traced} of {len(found.people)} people"
