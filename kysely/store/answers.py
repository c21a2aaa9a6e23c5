"""The answers database: instruments as answered, waves, responses, and the log of answers. Names never come here."""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, bindparam, case, delete, func, insert, literal_column, select, update
from sqlalchemy.dialects import postgresql, sqlite

from kysely.codebook import Answer, Missing
from kysely.errors import StoreError
from kysely.instrument import Instrument
from kysely.paradata import Visit
from kysely.store import tables
from kysely.store._prepared import Prepared, Running
from kysely.store.databases import Database
from kysely.store.tables import CLOSED, OPEN, REAL, SUBMITTED
from kysely.store.values import (
    Asking,
    ByInvitation,
    Conflict,
    Count,
    Phase,
    Publication,
    Replayed,
    ResponseState,
    Submitted,
    UnknownResponse,
    Wave,
    WaveClosed,
)

_TAKES = ("access", "opens_at", "closes_at")
"""What a wave says of whom it asks and when."""

_VERSION = tables.InstrumentVersion.__table__  # type: ignore[attr-defined]
_WAVE = tables.Wave.__table__  # type: ignore[attr-defined]
_PUBLICATION = tables.Publication.__table__  # type: ignore[attr-defined]
_RESPONSE = tables.Response.__table__  # type: ignore[attr-defined]
_EVENT = tables.AnswerEvent.__table__  # type: ignore[attr-defined]
_SUBMISSION = tables.PageSubmission.__table__  # type: ignore[attr-defined]
_DRAFT = tables.Draft.__table__  # type: ignore[attr-defined]
_ERASURE = tables.Erasure.__table__  # type: ignore[attr-defined]

_find = select(_RESPONSE).where(_RESPONSE.c.id == bindparam("response"))
_FIND, _FIND_FOR_UPDATE = Prepared(_find), Prepared(_find.with_for_update())
_EVENT_VALUES = (_EVENT.c.variable, _EVENT.c.revision, _EVENT.c.number, _EVENT.c.text, _EVENT.c.missing)
_FIND_EVENTS = Prepared(
    select(*_EVENT_VALUES)
    # Not later than the response's own revision: on PostgreSQL a page may be saved between the two SELECTs.
    .where(_EVENT.c.response == bindparam("response"), _EVENT.c.revision <= bindparam("revision"))
    .order_by(_EVENT.c.variable, _EVENT.c.revision)
)
_FIND_WAVE = Prepared(select(_WAVE).where(_WAVE.c.id == bindparam("wave")))
_BEGUN = (
    "id wave_id origin version_hash language mode seed revision state started_at device".split()
)  # the columns a response begins with
_begun = [bindparam(name, type_=_RESPONSE.c[name].type) for name in _BEGUN]
_erased = select(_ERASURE.c.response).where(_ERASURE.c.response == _begun[0]).exists()
_BEGIN = {
    dialect.dialect.name: Prepared(
        dialect.insert(_RESPONSE)
        # The form that began a response which was erased since must not begin it again.
        .from_select(_BEGUN, select(*_begun).where(~_erased), include_defaults=False)
        .on_conflict_do_nothing(index_elements=["id"]),
    )
    for dialect in (sqlite, postgresql)
}
_of_response = update(_RESPONSE).where(_RESPONSE.c.id == bindparam("response"))
_NO_DRAFTS: Any = literal_column("0")
_SUBMIT = Prepared(
    _of_response.values(
        state=bindparam("new_state"),
        submitted_at=bindparam("now"),
        submitted_revision=bindparam("sent_revision"),
        drafts=_NO_DRAFTS,
    )
)
_SUBMIT_AGAIN = Prepared(_of_response.values(reopened=bindparam("closed_again"), drafts=_NO_DRAFTS))
_REOPEN = Prepared(_of_response.values(reopened=bindparam("open_again")))
_DROP_DRAFTS = Prepared(delete(_DRAFT).where(_DRAFT.c.response == bindparam("response")))


@dataclass(frozen=True)
class AnswerLog:
    database: Database

    # instruments

    def publish(self, instrument: Instrument, now: datetime) -> None:
        values = {
            "hash": instrument.hash,
            "instrument": instrument.id,
            "form": instrument.form,
            "revision": instrument.revision,
            "canonical": instrument.canonical,
            "published_at": now,
        }
        with self.database.reading() as connection:
            known = connection.execute(select(_VERSION.c.hash).where(_VERSION.c.hash == instrument.hash)).scalar()
        if not known:
            with self.database.writing() as connection:
                connection.execute(self._insert(_VERSION).values(values).on_conflict_do_nothing())

    def answered_versions(self, instrument: str) -> tuple[str, ...]:
        """Return the versions of *instrument* on which a real response was begun, in any mode."""
        with self.database.reading() as connection:
            found: set[str] = set()
            for table in (_RESPONSE, tables.AnonymousDraft.__table__, tables.AnonymousResponse.__table__):  # type: ignore[attr-defined]
                query = select(table.c.version_hash).join(_VERSION, _VERSION.c.hash == table.c.version_hash)
                query = query.where(_VERSION.c.instrument == instrument, table.c.origin == REAL).distinct()
                found |= set(connection.execute(query).scalars())
        return tuple(sorted(found))

    def canonical(self, hash: str) -> str | None:
        with self.database.reading() as connection:
            found: str | None = connection.execute(select(_VERSION.c.canonical).where(_VERSION.c.hash == hash)).scalar()
        return found

    def publications(
        self, *, instrument: str | None = None, form: str | None = None, wave: str | None = None
    ) -> tuple[Publication, ...]:
        """Return what was published for an instrument, a wave or all: the latest wave and version first."""
        query = (
            select(_WAVE, _PUBLICATION.c.number, _PUBLICATION.c.published_at, _VERSION.c.hash, _VERSION.c.revision)
            .join(_PUBLICATION, _PUBLICATION.c.wave_id == _WAVE.c.id)
            .join(_VERSION, _VERSION.c.hash == _PUBLICATION.c.version_hash)
            # Within a wave by number: clocks are set back at times.
            .order_by(_WAVE.c.opened_at.desc(), _WAVE.c.id, _PUBLICATION.c.number.desc())
        )
        for column, wanted in ((_WAVE.c.instrument, instrument), (_WAVE.c.form, form), (_WAVE.c.id, wave)):
            if wanted is not None:
                query = query.where(column == wanted)
        with self.database.reading() as connection:
            return tuple(
                Publication(_wave(row), row.number, row.hash, row.revision, row.published_at)
                for row in connection.execute(query)
            )

    def publish_in(self, wave: str, hash: str, now: datetime) -> bool:
        """Let *wave* ask the frozen version *hash* from now on; False where it does already."""
        newest = (
            select(_PUBLICATION.c.number, _PUBLICATION.c.version_hash)
            .where(_PUBLICATION.c.wave_id == wave)
            .order_by(_PUBLICATION.c.number.desc())
            .limit(1)
        )
        with self.database.reading() as connection:
            row = connection.execute(newest).one_or_none()
        if row is not None and row.version_hash == hash:
            return False
        with self.database.writing() as connection:
            # Two operators at once: PostgreSQL lets the second wait here for the first.
            connection.execute(select(_WAVE.c.id).where(_WAVE.c.id == wave).with_for_update())
            row = connection.execute(newest).one_or_none()
            if row is not None and row.version_hash == hash:
                return False
            number = 1 if row is None else row.number + 1
            values = {"wave_id": wave, "number": number, "version_hash": hash, "published_at": now}
            connection.execute(insert(_PUBLICATION).values(values))
        return True

    # waves

    def waves(self, instrument: str | None = None, form: str | None = None) -> tuple[Wave, ...]:
        """Return the waves, the latest opened first."""
        query = select(_WAVE).order_by(_WAVE.c.opened_at.desc(), _WAVE.c.id)
        if instrument is not None:
            query = query.where(_WAVE.c.instrument == instrument)
        if form is not None:
            query = query.where(_WAVE.c.form == form)
        with self.database.reading() as connection:
            return tuple(_wave(row) for row in connection.execute(query))

    def open_wave(self, wave: Wave, anew: Collection[str] = _TAKES) -> str:
        """Open *wave*, or say anew who asks in the open wave of that name; returns its id.

        *anew* are those of access, opens_at and closes_at that the open wave of that name takes over.
        """
        note = None if wave.note is None else json.dumps(wave.note, sort_keys=True, ensure_ascii=False)
        told = {name: text.strip() or None for name, text in asdict(wave.asking).items()}
        with self.database.writing() as connection:
            same = (
                (_WAVE.c.instrument == wave.instrument) & (_WAVE.c.form == wave.form) & (_WAVE.c.origin == wave.origin)
            )
            known = connection.execute(select(_WAVE).where(same, _WAVE.c.name == wave.name)).one_or_none()
            if wave.origin == REAL:
                others = connection.execute(select(_WAVE).where(same, _WAVE.c.state == OPEN, _WAVE.c.name != wave.name))
                for other in map(_wave, others.all()):
                    if not other.demonstration:
                        raise StoreError(
                            f"The wave {other.name!r} of {wave.instrument} ({wave.form}) is open; "
                            f"close it first: kysely wave close {wave.instrument}"
                        )
                    _close(connection, other.id, wave.opened_at)
            if known is None:
                id = secrets.token_hex(16)
                described = {
                    name: getattr(wave, name) for name in ("instrument", "form", "name", "origin", "opened_at", *_TAKES)
                }
                connection.execute(insert(_WAVE).values(id=id, note=note, state=OPEN, **described, **told))
                return id
            if _wave(known).demonstration and not wave.asking.unsaid:
                raise StoreError(
                    f"The wave {wave.name!r} holds answers of a demonstration, given before anybody said who asks; "
                    "open one of another name: kysely wave open … --name …"
                )
            if known.state == CLOSED:
                raise StoreError(f"The wave {wave.name!r} is closed; open one of another name.")
            if not wave.asking.unsaid:
                connection.execute(update(_WAVE).where(_WAVE.c.id == known.id).values(told))
            if anew:
                taken = {name: getattr(wave, name) for name in anew}
                connection.execute(update(_WAVE).where(_WAVE.c.id == known.id).values(taken))
            return known.id

    def wave_row(self, connection: Connection, wave: str) -> Any:
        return connection.execute(select(_WAVE).where(_WAVE.c.id == wave)).one_or_none()

    def close_wave(self, wave: str, now: datetime) -> None:
        with self.database.writing() as connection:
            _close(connection, wave, now)

    # responses

    def start(
        self,
        id: str,
        *,
        wave: str,
        origin: str,
        version: str,
        language: str,
        seed: int,
        now: datetime,
        asked: bool,
        invited: bool = False,
        device: str | None = None,
    ) -> None:
        """Begin a response; a second time with the same id changes nothing. *asked*: not in a demonstration."""
        with self.database.bare(writes=True) as connection:
            admit(_FIND_WAVE.one(connection, {"wave": wave}), now, asked=asked, invited=invited)
            values = {
                "id": id,
                "wave_id": wave,
                "origin": origin,
                "version_hash": version,
                "language": language,
                "mode": "web",
                "seed": seed,
                "revision": 0,
                "state": OPEN,
                "started_at": now,
                "device": device,
            }
            _BEGIN[connection.dialect.name].run(connection, values)

    def response(self, id: str) -> ResponseState | None:
        with self.database.bare() as connection:
            row = _FIND.one(connection, {"response": id})
            if row is None:
                return None
            return state(connection, row)

    def responses(self, wave: str) -> Iterator[ResponseState]:
        """Yield every response of *wave* in the order of their ids, which tells nothing of when they came."""
        mine = _RESPONSE.c.wave_id == wave
        events = (
            select(_EVENT.c.response, *_EVENT_VALUES)
            .join(_RESPONSE, _RESPONSE.c.id == _EVENT.c.response)
            .where(mine, _EVENT.c.revision <= _RESPONSE.c.revision)
            .order_by(_EVENT.c.response, _EVENT.c.variable, _EVENT.c.revision)
        )
        with self.database.reading() as connection:
            rows = connection.execute(select(_RESPONSE).where(mine).order_by(_RESPONSE.c.id)).all()
            by_response = groupby(connection.execute(events), key=lambda event: event.response)
            pending = next(by_response, None)
            for row in rows:
                given: list[Any] = []
                if pending is not None and pending[0] == row.id:
                    given = [tuple(event)[1:] for event in pending[1]]
                    pending = next(by_response, None)
                yield _state(row, given)

    def submit(self, response: str, based_on: int, now: datetime) -> Submitted | Replayed | Conflict:
        with self.database.bare(writes=True) as connection:
            row = locked(connection, response)
            if row.state == SUBMITTED and not row.reopened:
                return Replayed(row.revision)
            if row.revision != based_on:
                stored = state(connection, row)
                changed = tuple(name for name, revision in stored.revisions.items() if revision > based_on)
                return Conflict(row.revision, stored.answers, changed)
            if row.state == SUBMITTED:
                _SUBMIT_AGAIN.run(connection, {"response": response, "closed_again": False})
            else:
                sent = {"new_state": SUBMITTED, "now": now, "sent_revision": row.revision}
                _SUBMIT.run(connection, {"response": response, **sent})
            if row.drafts:
                _DROP_DRAFTS.run(connection, {"response": response})
        return Submitted(row.submitted_at or now, row.drafts)

    def reopen(self, response: str, now: datetime) -> bool:
        """Let a response that was sent be changed; False for one that wasn't. Raises WaveClosed once the wave is."""
        with self.database.bare(writes=True) as connection:
            row = locked(connection, response)
            if row.state != SUBMITTED:
                return False
            if not takes_changes(connection, row.wave_id, now):
                raise WaveClosed("The wave is closed: what was sent stays as it is.")
            if not row.reopened:
                _REOPEN.run(connection, {"response": response, "open_again": True})
        return True

    def visits(self, wave: str) -> dict[str, tuple[Visit, ...]]:
        """Return when the pages of each response of *wave* were first shown and saved, in the order of saving."""
        columns = (_SUBMISSION.c.page, _SUBMISSION.c.stage, _SUBMISSION.c.shown_at, _SUBMISSION.c.at)
        query = (
            select(_SUBMISSION.c.response, *columns)
            .join(_RESPONSE, _RESPONSE.c.id == _SUBMISSION.c.response)
            .where(_RESPONSE.c.wave_id == wave, _SUBMISSION.c.shown_at.isnot(None))
            .order_by(_SUBMISSION.c.response, _SUBMISSION.c.at, _SUBMISSION.c.shown_at, *columns[:2])
        )
        with self.database.reading() as connection:
            return {
                response: tuple(Visit(row.page, row.stage, row.shown_at, row.at) for row in rows)
                for response, rows in groupby(connection.execute(query), key=lambda row: row.response)
            }

    def counts(self, instrument: str | None = None, form: str | None = None) -> tuple[Count, ...]:
        answers = select(_EVENT.c.response).distinct().subquery("answers")
        query = (
            select(
                _RESPONSE.c.wave_id,
                func.count().label("started"),
                func.count(answers.c.response).label("answered"),
                func.sum(case((_RESPONSE.c.state == SUBMITTED, 1), else_=0)).label("submitted"),
                func.count(func.distinct(case((answers.c.response.isnot(None), _RESPONSE.c.organisation_key)))).label(
                    "organisations"
                ),
            )
            .outerjoin_from(_RESPONSE, answers, answers.c.response == _RESPONSE.c.id)
            .group_by(_RESPONSE.c.wave_id)
        )
        waves = self.waves(instrument, form)
        with self.database.reading() as connection:
            found = {row.wave_id: row for row in connection.execute(query)}
        return tuple(
            Count(wave, row.started, row.answered, int(row.submitted), row.organisations)
            if (row := found.get(wave.id))
            else Count(wave, 0, 0, 0, 0)
            for wave in waves
        )

    def _insert(self, table: Any) -> Any:
        return (sqlite if self.database.sqlite else postgresql).insert(table)


def admit(row: Any, now: datetime, *, asked: bool, invited: bool) -> None:
    """Raise WaveClosed if the wave of *row* takes no new response; see AnswerLog.start."""
    if row is None or row.state == CLOSED:
        raise WaveClosed("The wave takes no new responses: it is closed.")
    wave = _wave(row)
    phase = wave.phase(now)
    if phase is not Phase.OPEN:
        raise WaveClosed(f"The wave {row.name!r} takes no new responses: it is {phase.value.replace('_', ' ')}.")
    if not invited and not wave.by_link:
        raise ByInvitation(f"The wave {row.name!r} takes answers by personal link only.")
    if asked and wave.demonstration:
        raise WaveClosed(f"The wave {row.name!r} is a demonstration and takes no answers in production.")


def locked(connection: Running, response: str) -> Any:
    """Return the row of *response*, which nobody else changes before the transaction ends; raises UnknownResponse."""
    row = _FIND_FOR_UPDATE.one(connection, {"response": response})
    if row is None:
        raise UnknownResponse("There is no such response.")
    return row


def state(connection: Running, row: Any) -> ResponseState:
    """Return the response of *row* with its last answers."""
    return _state(row, _FIND_EVENTS.tuples(connection, {"response": row.id, "revision": row.revision}))


def takes_changes(connection: Running, wave: str, now: datetime) -> bool:
    """Whether what was sent in *wave* may still be changed: as long as new responses are taken."""
    row = _FIND_WAVE.one(connection, {"wave": wave})
    return row.state == OPEN and _wave(row).phase(now) is Phase.OPEN


def _close(connection: Connection, wave: str, now: datetime) -> None:
    connection.execute(
        update(_WAVE).where(_WAVE.c.id == wave, _WAVE.c.state == OPEN).values(state=CLOSED, closed_at=now)
    )


def _wave(row: Any) -> Wave:
    return Wave(
        access=row.access,
        opens_at=row.opens_at,
        closes_at=row.closes_at,
        id=row.id,
        instrument=row.instrument,
        form=row.form,
        name=row.name,
        origin=row.origin,
        state=row.state,
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        note=json.loads(row.note) if row.note else None,
        asking=Asking(
            controller=row.controller or "",
            contact=row.contact or "",
            purpose=row.purpose or "",
            legal_basis=row.legal_basis or "",
            retention=row.retention or "",
        ),
    )


def _state(row: Any, events: Iterable[tuple[Any, ...]]) -> ResponseState:
    """Return the response of *row* with its *events*, each of them the columns _EVENT_VALUES."""
    answers: dict[str, Answer] = {}
    revisions: dict[str, int] = {}
    for variable, revision, number, text, missing in events:  # in the order of revisions, so that the last one stays
        answers[variable] = _answer(number, text, missing)
        revisions[variable] = revision
    return ResponseState(
        id=row.id,
        wave=row.wave_id,
        origin=row.origin,
        version_hash=row.version_hash,
        organisation_key=row.organisation_key,
        language=row.language,
        mode=row.mode,
        seed=row.seed,
        revision=row.revision,
        state=row.state,
        started_at=row.started_at,
        submitted_at=row.submitted_at,
        answers=answers,
        revisions=revisions,
        drafts=row.drafts,
        reopened=bool(row.reopened),
        submitted_revision=row.submitted_revision,
        device=row.device,
    )


def _answer(number: float | None, text: str | None, missing: str | None) -> Answer:
    if number is not None:
        whole = int(number)
        return whole if whole == number else number
    return text if text is not None else Missing(str(missing))
