"""Responses in anonymous mode: no times, no order, only the last answers, and nothing that leads to a person.

While it is written, a response is one row, known by a hash of its link's code; whoever holds neither the code nor the
link key can't find it. Once sent it waits until as many have been sent as the smallest group that results show. Then
they move together, shuffled, under new random ids. What stays of the row is empty: it says that the link was used.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from kysely.codebook import Answer, Missing
from kysely.errors import StoreError
from kysely.links import Keys, read_code
from kysely.store import tables
from kysely.store.databases import Database
from kysely.store.saving import Form, _column, _same
from kysely.store.tables import SUBMITTED
from kysely.store.values import Closed, Conflict, Replayed, ResponseState, Saved, Submitted, UnknownResponse

MARK = "x"
"""The first sign of an anonymous response's id, which no other id has: where to look costs no query."""

_DRAFT = tables.AnonymousDraft.__table__  # type: ignore[attr-defined]
_RESPONSE = tables.AnonymousResponse.__table__  # type: ignore[attr-defined]
_ANSWER = tables.AnonymousAnswer.__table__  # type: ignore[attr-defined]

_USED = ""
"""The content of a draft whose answers have moved on."""

_EMPTIED = {
    "state": SUBMITTED,
    "content": _USED,
    "seed": 0,
    "revision": 0,
    "language": "",
    "mode": "",
    "receipt_hash": None,
    "withdrawal": None,
}


def is_anonymous(id: str) -> bool:
    return id.startswith(MARK)


@dataclass(frozen=True)
class Anonymous:
    """*secret* keeps digests of forms from being guessed."""

    database: Database
    keys: Keys
    secret: bytes

    def begin(self, connection: Connection, values: Mapping[str, Any]) -> None:
        """Begin a response; a second time with the same id changes nothing, nor does one with a link that was used."""
        content = json.dumps({"id": _random_id()})
        new = {**values, "receipt_hash": self.keys.receipt_hash(self.keys.receipt(values["id"])), "content": content}
        insert: Any = (sqlite if self.database.sqlite else postgresql).insert(_DRAFT)
        connection.execute(insert.values(new).on_conflict_do_nothing())

    def response(self, id: str) -> ResponseState | None:
        """Return a response under way, or one that was sent and can be found by its receipt."""
        with self.database.reading() as connection:
            row = connection.execute(select(_DRAFT).where(_DRAFT.c.id == id)).one_or_none()
            if row is not None:
                return _draft_state(row)
            sent = connection.execute(select(_RESPONSE).where(_RESPONSE.c.id == id)).one_or_none()
            if sent is None:
                return None
            given = connection.execute(select(_ANSWER).where(_ANSWER.c.response == id))
            return _sent_state(sent, given)

    def responses(self, wave: str) -> Iterator[ResponseState]:
        """Yield the responses of *wave* that have moved on, in the order of their random ids."""
        mine = _RESPONSE.c.wave_id == wave
        with self.database.reading() as connection:
            rows = connection.execute(select(_RESPONSE).where(mine).order_by(_RESPONSE.c.id)).all()
            query = select(_ANSWER).join(_RESPONSE, _RESPONSE.c.id == _ANSWER.c.response).where(mine)
            query = query.order_by(_ANSWER.c.response, _ANSWER.c.variable)
            given = {id: list(group) for id, group in groupby(connection.execute(query), lambda row: row.response)}
        for row in rows:
            yield _sent_state(row, given.get(row.id, ()))

    def save(self, form: Form) -> Saved | Replayed | Conflict | Closed:
        """Store one page, or say why not; as in the other modes, but nothing of what was there before stays."""
        digest = form.digest(self.secret)
        with self.database.writing() as connection:
            row = self._locked(connection, form.response)
            content = json.loads(row.content or "{}")
            forms = content.setdefault("forms", {})
            before = forms.get(form.key)
            if before and hmac.compare_digest(before[1], digest):
                return Replayed(row.revision)
            if row.state == SUBMITTED:
                return Closed(None)
            based_on = max(form.based_on, before[0] if before else 0)
            stored, revisions = _read(content), content.get("revisions", {})
            differing = tuple(
                name
                for name, answer in form.answers.items()
                if revisions.get(name, 0) > based_on and not _same(stored[name], answer)
            )
            if differing:
                kept = {name: stored[name] for name in form.variables if name in stored}
                return Conflict(row.revision, kept, differing)
            revision = row.revision + 1
            forms[form.key] = [revision, digest]
            content["answers"] = {**content.get("answers", {}), **_written(form.answers)}
            content["revisions"] = {**revisions, **dict.fromkeys(form.answers, revision)}
            values = {"revision": revision, "language": form.language, "content": json.dumps(content)}
            connection.execute(update(_DRAFT).where(_DRAFT.c.id == row.id).values(values))
        return Saved(revision)

    def submit(self, id: str, based_on: int) -> Submitted | Replayed | Conflict:
        """Close the response as it stood at *based_on*; from now on its link is used."""
        with self.database.writing() as connection:
            row = self._locked(connection, id)
            if row.state == SUBMITTED:
                return Replayed(row.revision)
            if row.revision != based_on:
                state = _draft_state(row)
                changed = tuple(name for name, revision in state.revisions.items() if revision > based_on)
                return Conflict(row.revision, state.answers, changed)
            content = json.loads(row.content)
            kept = json.dumps({"answers": content.get("answers", {}), "id": content.get("id")})
            values = {"state": SUBMITTED, "content": kept, "withdrawal": None}
            connection.execute(update(_DRAFT).where(_DRAFT.c.id == id).values(values))
        return Submitted(None)

    def move(self, wave: str, *, at_least: int, unsent: bool = False) -> int:
        """Move what was sent to its new ids if *at_least* so many wait; returns how many moved.

        *unsent* also moves what was begun and not sent, when nothing can be answered any more; then drafts are gone.
        """
        with self.database.writing() as connection:
            waiting = (_DRAFT.c.wave_id == wave) & (_DRAFT.c.content != _USED)
            if not unsent:
                waiting &= _DRAFT.c.state == SUBMITTED
            rows = list(connection.execute(select(_DRAFT).where(waiting).with_for_update()))
            if not rows or len(rows) < at_least:
                return 0
            secrets.SystemRandom().shuffle(rows)
            moved = 0
            for row in rows:
                content = json.loads(row.content)
                if content.get("answers"):
                    self._move(connection, row, content["answers"], self._moved_id(content))
                    moved += 1
            connection.execute(update(_DRAFT).where(waiting).values(_EMPTIED))
        # The log of the database would still tell who came with whom; it is emptied when nobody reads.
        with suppress(StoreError):
            self.database.scrub()
        return moved

    def _moved_id(self, content: Mapping[str, Any]) -> str:
        """Return the id that a response moves to; it bears it from its beginning, so that a backup knows it erased."""
        return content.get("id") or _random_id()

    def _move(self, connection: Connection, row: Any, answers: Mapping[str, Any], id: str) -> None:
        same = ("wave_id", "origin", "version_hash", "language", "mode", "seed", "state", "receipt_hash")
        connection.execute(insert(_RESPONSE).values(id=id, **{name: getattr(row, name) for name in same}))
        columns = ({"number": None, "text": None, "missing": None, **answer} for answer in answers.values())
        given = [{"response": id, "variable": name, **one} for name, one in zip(answers, columns, strict=True)]
        connection.execute(insert(_ANSWER), given)

    def count(self, wave: str) -> tuple[int, int]:
        """Return how many responses of *wave* have moved on, and how many of them were sent."""
        with self.database.reading() as connection:
            query = (
                select(_RESPONSE.c.state, func.count()).where(_RESPONSE.c.wave_id == wave).group_by(_RESPONSE.c.state)
            )
            by_state: dict[str, int] = {state: count for state, count in connection.execute(query)}
        return sum(by_state.values()), by_state.get(SUBMITTED, 0)

    # ---- the receipt: all that leads back to a response, and only its respondent has it

    def receipt(self, id: str) -> str:
        return self.keys.receipt(id)

    def of_receipt(self, typed: str) -> str:
        """Return the id of the response that a receipt is of, "" for none."""
        code = read_code(typed)
        if not code:
            return ""
        known = self.keys.receipt_hash(code)
        with self.database.reading() as connection:
            for table in (_DRAFT, _RESPONSE):
                id = connection.execute(select(table.c.id).where(table.c.receipt_hash == known)).scalar()
                if id:
                    return str(id)
        return ""

    # ---- erasing: `Erasing` does it

    def begun_by(self, invitation: str) -> str:
        """Return the response that was begun by the link of *invitation* and not sent, "" for none."""
        mine = _DRAFT.c.withdrawal == self.keys.withdrawal(invitation)
        with self.database.reading() as connection:
            return connection.execute(select(_DRAFT.c.id).where(mine)).scalar() or ""

    def graves(self, id: str = "") -> dict[str, str]:
        """Return under which name each response is buried, or that of *id* alone.

        What is known by its link is buried as what it would move to: the same link may begin anew, and that stays.
        """
        drafts = select(_DRAFT.c.id, _DRAFT.c.content).where(_DRAFT.c.content != _USED)
        sent = select(_RESPONSE.c.id)
        if id:
            drafts, sent = drafts.where(_DRAFT.c.id == id), sent.where(_RESPONSE.c.id == id)
        with self.database.reading() as connection:
            found = {row.id: json.loads(row.content).get("id") or row.id for row in connection.execute(drafts)}
            return found | {id: id for id in connection.execute(sent).scalars()}

    def remove(self, connection: Connection, id: str) -> str:
        """Take the answers of a response away and return its wave, within the transaction that buries it.

        A link that was used stays so. Raises UnknownResponse.
        """
        row = connection.execute(select(_DRAFT).where(_DRAFT.c.id == id).with_for_update()).one_or_none()
        if row is None:
            wave = connection.execute(select(_RESPONSE.c.wave_id).where(_RESPONSE.c.id == id)).scalar()
            if wave is None:
                raise UnknownResponse("There is no such response.")
            connection.execute(delete(_ANSWER).where(_ANSWER.c.response == id))
            connection.execute(delete(_RESPONSE).where(_RESPONSE.c.id == id))
            return wave
        if row.state == SUBMITTED:
            connection.execute(update(_DRAFT).where(_DRAFT.c.id == id).values(_EMPTIED))
        else:
            connection.execute(delete(_DRAFT).where(_DRAFT.c.id == id))
        return row.wave_id

    def _locked(self, connection: Connection, id: str) -> Any:
        row = connection.execute(select(_DRAFT).where(_DRAFT.c.id == id).with_for_update()).one_or_none()
        if row is None:
            raise UnknownResponse("There is no such response.")
        return row


def _random_id() -> str:
    return MARK + secrets.token_hex(16)[1:]


def _written(answers: Mapping[str, Answer]) -> dict[str, dict[str, Any]]:
    return {
        name: {_column(answer): str(answer) if isinstance(answer, Missing) else answer}
        for name, answer in answers.items()
    }


def _read(content: Mapping[str, Any]) -> dict[str, Answer]:
    return {name: _answer(**answer) for name, answer in content.get("answers", {}).items()}


def _answer(number: float | None = None, text: str | None = None, missing: str | None = None) -> Answer:
    if number is not None:
        return int(number) if int(number) == number else number
    return text if text is not None else Missing(str(missing))


def _draft_state(row: Any) -> ResponseState:
    content = json.loads(row.content or "{}")
    return _state(row, row.revision, _read(content), content.get("revisions", {}))


def _sent_state(row: Any, given: Any) -> ResponseState:
    return _state(row, 0, {each.variable: _answer(each.number, each.text, each.missing) for each in given}, {})


def _state(row: Any, revision: int, answers: Mapping[str, Answer], revisions: Mapping[str, int]) -> ResponseState:
    return ResponseState(
        id=row.id,
        wave=row.wave_id,
        origin=row.origin,
        version_hash=row.version_hash,
        organisation_key=None,
        language=row.language,
        mode=row.mode,
        seed=row.seed,
        revision=revision,
        state=row.state,
        started_at=None,
        submitted_at=None,
        answers=answers,
        revisions=revisions,
    )
