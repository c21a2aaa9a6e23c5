"""One page of the interview: the one transaction that everything else leads to.

No transaction spans the two databases. What the answers will point to is written to the identities first and can be
written twice without harm; what they no longer point to goes when they have committed. A crash between the two leaves
an organisation without answers, never an answer without its organisation.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import astuple, dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import bindparam, func, insert, select, update

from kysely.codebook import Answer, Missing
from kysely.errors import StoreError
from kysely.instrument import Instrument
from kysely.questions.organisation import OrganisationTyped
from kysely.store import answers as log
from kysely.store import drafts, tables
from kysely.store._prepared import Prepared, Running
from kysely.store.databases import Database
from kysely.store.identities import Identities
from kysely.store.tables import SUBMITTED
from kysely.store.values import Closed, Conflict, Replayed, ResponseState, Saved

_RESPONSE = tables.Response.__table__  # type: ignore[attr-defined]
_EVENT = tables.AnswerEvent.__table__  # type: ignore[attr-defined]
_SUBMISSION = tables.PageSubmission.__table__  # type: ignore[attr-defined]

_FIND_SUBMISSION = Prepared(
    select(_SUBMISSION.c.revision, _SUBMISSION.c.digest).where(_SUBMISSION.c.submit_key == bindparam("key"))
)
_LATEST_OF_PAGE = Prepared(
    select(func.max(_SUBMISSION.c.revision).label("revision")).where(
        _SUBMISSION.c.response == bindparam("response"), _SUBMISSION.c.page == bindparam("of_page")
    )
)
_REFERRING = Prepared(
    select(func.count().label("responses")).where(_RESPONSE.c.organisation_key == bindparam("organisation"))
)
_ADD_EVENTS = Prepared(insert(_EVENT), given=_EVENT.c.keys())
_ADD_SUBMISSION = Prepared(insert(_SUBMISSION), given=_SUBMISSION.c.keys())
_AMEND_SUBMISSION = Prepared(
    update(_SUBMISSION)
    .where(_SUBMISSION.c.submit_key == bindparam("key"))
    .values(revision=bindparam("new_revision"), digest=bindparam("new_digest"), at=bindparam("now"))
)
_ADVANCE = Prepared(
    update(_RESPONSE)
    .where(_RESPONSE.c.id == bindparam("response"))
    .values(
        revision=bindparam("new_revision"),
        language=bindparam("new_language"),
        organisation_key=bindparam("new_organisation"),
    )
)


@dataclass(frozen=True)
class Form:
    """One form as it was posted: *answers* are those it gives, *variables* all of its page.

    *based_on* is the response's revision when the form was made. *organisation* is None where the form asks for
    none, and blank where the respondent named none; so it is with the *address* to write to. *shown_at* is when the
    page was first shown, *drafts* are the marks of browsers whose drafts of the page it takes the place of.
    """

    response: str
    page: str
    stage: str
    submit_key: str
    based_on: int
    answers: Mapping[str, Answer]
    variables: Collection[str]
    organisation: OrganisationTyped | None
    language: str
    address: str | None = None
    shown_at: datetime | None = None
    drafts: tuple[str, ...] = ()

    @property
    def identifies(self) -> bool:
        """Whether the form asks who the respondent is."""
        return self.organisation is not None or self.address is not None

    @cached_property
    def key(self) -> str:
        """Under which this form is known; another response or page may bear the same submit key."""
        scope = json.dumps([self.response, self.page, self.stage, self.submit_key])
        return hashlib.blake2b(scope.encode(), digest_size=16).hexdigest()

    def digest(self, secret: bytes) -> str:
        """Return what tells two contents of a form apart. Keyed: it covers a name that the answers must not betray."""
        answers = sorted((name, _column(answer), answer) for name, answer in self.answers.items())
        named = None if self.organisation is None else astuple(self.organisation)
        addressed = [] if self.address is None else [self.address]
        content = json.dumps([answers, named, *addressed]).encode()
        return hashlib.blake2b(content, digest_size=16, key=secret).hexdigest()


@dataclass(frozen=True)
class Saving:
    """Saves forms. *instrument* returns the definition of a hash, *secret* keeps digests from being guessed."""

    answers: Database
    identities: Identities
    instrument: Callable[[str], Instrument]
    secret: bytes

    def save(self, form: Form, now: datetime) -> Saved | Replayed | Conflict | Closed:
        """Store *form* durably, or say why nothing was written."""
        known = form.organisation is not None and self.identities.typed(form.response) is not None
        outcome = self._save(form, now)
        if known and isinstance(outcome, Saved | Replayed):
            # The page is saved, whatever becomes of this: what stays behind goes another time.
            with suppress(StoreError):
                self._tidy(form.response)
        if form.address == "" and isinstance(outcome, Saved | Replayed):
            with suppress(StoreError):
                self.identities.drop_address(form.response)
        if form.identifies and isinstance(outcome, Saved) and outcome.drafts:
            with suppress(StoreError):
                self.identities.drop_drafts(form.response, form.page, form.stage, form.drafts)
        return outcome

    def _save(self, form: Form, now: datetime) -> Saved | Replayed | Conflict | Closed:
        digest = form.digest(self.secret)
        with self.answers.bare(writes=True) as connection:
            row = log.locked(connection, form.response)
            # After the row is locked: only now does PostgreSQL see what a twin of this request has just saved.
            before = _FIND_SUBMISSION.one(connection, {"key": form.key})
            if before is not None and hmac.compare_digest(before.digest, digest):
                return Replayed(row.revision)
            if row.state == SUBMITTED and not (row.reopened and log.takes_changes(connection, row.wave_id, now)):
                return Closed(row.submitted_at, over=bool(row.reopened))
            # The same form with other content corrects what that form saved: the browser's back button.
            based_on = max(form.based_on, before.revision if before is not None else 0)
            if row.revision > based_on:
                conflict = self._conflict(connection, row, form, based_on)
                if conflict is not None:
                    return conflict
            named = None if form.organisation is None else self._named(row)
            organisation = self._identify(connection, row, form)
            same = (named, row.organisation_key) == (form.organisation, organisation)
            same = same and form.address == (None if form.address is None else self._address(row))
            if form.address:
                self.identities.keep_address(row.id, form.address, wave=row.wave_id, origin=row.origin)
            since = _page_saved(connection, form) if same else 0
            if since and not _says_what_is_stored(form, log.state(connection, row)):
                since = 0
            revision = row.revision if since else row.revision + 1
            _write(connection, form, digest, organisation, now, revision, unchanged_since=since, new=before is None)
            if row.drafts:
                drafts.drop(connection, form.response, form.page, form.stage, form.drafts)
            return Saved(revision, row.drafts)

    def _conflict(self, connection: Running, row: Any, form: Form, based_on: int) -> Conflict | None:
        """Return what another tab changed since and this form would have otherwise; None if there is no such thing."""
        stored = log.state(connection, row)
        differing = tuple(
            variable
            for variable, answer in form.answers.items()
            if stored.revisions.get(variable, 0) > based_on and not _same(stored.answers[variable], answer)
        )
        organisation = None
        if form.organisation is not None:
            # Names are in the other database. That the page was saved since can be seen here.
            if _page_saved(connection, form) > based_on:
                named = self._named(row)
                organisation = named if named != form.organisation else None
        addressed = form.address is not None and _page_saved(connection, form) > based_on
        if not differing and organisation is None and not (addressed and self._address(row) != form.address):
            return None
        kept = {name: stored.answers[name] for name in form.variables if name in stored.answers}
        return Conflict(row.revision, kept, differing, organisation)

    def _named(self, row: Any) -> OrganisationTyped:
        return (self.identities.typed(row.id) if row.organisation_key else None) or OrganisationTyped()

    def _address(self, row: Any) -> str:
        return self.identities.address(row.id) or ""

    def _identify(self, connection: Running, row: Any, form: Form) -> str | None:
        """Keep who the respondent is as far as this form says so, and return the organisation's key.

        Nothing is taken away here: until the answers have committed, they point to what they pointed to before.
        """
        asks = self.instrument(row.version_hash).identity_role
        if form.organisation is None:
            if row.organisation_key and asks and asks in form.answers:
                self.identities.set_role(row.id, _role(form.answers[asks]))
            return row.organisation_key
        if not form.organisation:
            return None
        given = {**log.state(connection, row).answers, **form.answers}
        role = _role(given.get(asks)) if asks else None
        return self.identities.record(row.id, form.organisation, role=role, origin=row.origin)

    def _tidy(self, response: str) -> None:
        """Remove the names that no answers point to any more; once more changes nothing."""
        with self.answers.bare(writes=True) as connection:
            # Locked, so that no other tab is just naming an organisation that the answers don't point to yet.
            withdrawn = log.locked(connection, response).organisation_key is None
            self.identities.tidy(
                response, withdrawn=withdrawn, referred=lambda organisation: _referred(connection, organisation)
            )


def _referred(connection: Running, organisation: str) -> bool:
    return bool(_REFERRING.one(connection, {"organisation": organisation}).responses)


def _page_saved(connection: Running, form: Form) -> int:
    """Return the revision at which the form's page was last changed, 0 if it never was."""
    return _LATEST_OF_PAGE.one(connection, {"response": form.response, "of_page": form.page}).revision or 0


def _says_what_is_stored(form: Form, stored: ResponseState) -> bool:
    return all(name in stored.answers and _same(stored.answers[name], answer) for name, answer in form.answers.items())


def _write(
    connection: Running,
    form: Form,
    digest: str,
    organisation: str | None,
    now: datetime,
    revision: int,
    *,
    unchanged_since: int,
    new: bool,
) -> None:
    """Write the answers of *form*, and what tells it when it comes again.

    One that says what is stored since an earlier revision adds none, and is known by that revision.
    """
    known_by = unchanged_since or revision
    if not unchanged_since and form.answers:
        events = [_event(form.response, name, revision, answer, now) for name, answer in form.answers.items()]
        _ADD_EVENTS.run_all(connection, events)
    if new:
        known = {"submit_key": form.key, "revision": known_by, "digest": digest}
        where = {"response": form.response, "page": form.page, "stage": form.stage}
        _ADD_SUBMISSION.run(connection, {**known, **where, "shown_at": form.shown_at, "at": now})
    else:
        amended = {"key": form.key, "new_revision": known_by, "new_digest": digest, "now": now}
        _AMEND_SUBMISSION.run(connection, amended)
    advanced = {"new_revision": revision, "new_language": form.language, "new_organisation": organisation}
    _ADVANCE.run(connection, {"response": form.response, **advanced})


def _event(response: str, variable: str, revision: int, answer: Answer, now: datetime) -> dict[str, Any]:
    event = {
        "response": response,
        "variable": variable,
        "revision": revision,
        "number": None,
        "text": None,
        "missing": None,
        "at": now,
    }
    event[_column(answer)] = str(answer) if isinstance(answer, Missing) else answer
    return event


def _column(answer: Answer) -> str:
    if isinstance(answer, Missing):
        return "missing"
    if isinstance(answer, str):
        return "text"
    if isinstance(answer, int | float):
        return "number"
    # Without the value: it may be a name that has lost its way.
    raise TypeError(f"a {type(answer).__name__} is no answer")


def _same(one: Answer, other: Answer) -> bool:
    # A kind of missing equals its text, and a respondent may well type "dont_know".
    return _column(one) == _column(other) and one == other


def _role(answer: Answer | None) -> str | None:
    return answer if isinstance(answer, str) and not isinstance(answer, Missing) else None
