"""What was typed and could not be saved: kept until its page is saved or the response is sent.

Typed names go to the identity database like saved ones. They are written first and removed last: a crash between the
two leaves a name that no draft asks for, never a draft without its name.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from kysely.store import answers as log
from kysely.store import tables
from kysely.store._prepared import Prepared, Running
from kysely.store.databases import Database
from kysely.store.identities import Identities
from kysely.store.tables import SUBMITTED
from kysely.store.values import Draft

_RESPONSE = tables.Response.__table__  # type: ignore[attr-defined]
_DRAFT = tables.Draft.__table__  # type: ignore[attr-defined]

Fields = tuple[tuple[str, str], ...]

_of_screen = (
    (_DRAFT.c.response == bindparam("response"))
    & (_DRAFT.c.page == bindparam("of_page"))
    & (_DRAFT.c.stage == bindparam("of_stage"))
)
_FIND = Prepared(select(_DRAFT).where(_of_screen))
_SCREENS = Prepared(select(_DRAFT.c.page, _DRAFT.c.stage).distinct().where(_DRAFT.c.response == bindparam("response")))
_DROP = Prepared(delete(_DRAFT).where(_of_screen, _DRAFT.c.browser == bindparam("of_browser")))
_COUNT = Prepared(
    update(_RESPONSE)
    .where(_RESPONSE.c.id == bindparam("response"))
    .values(
        drafts=select(func.count())
        .select_from(_DRAFT)
        .where(_DRAFT.c.response == bindparam("response"))
        .scalar_subquery()
    )
)
_CONTENT = ("typed", "reason", "revision", "shown_at", "at")


@dataclass(frozen=True)
class Drafts:
    """*secret* keeps the marks of browsers from being told by the database."""

    answers: Database
    identities: Identities
    secret: bytes

    def keep(
        self,
        response: str,
        *,
        page: str,
        stage: str,
        browser: str,
        typed: Iterable[tuple[str, str]],
        names: Collection[str],
        reason: str,
        revision: int,
        shown_at: datetime | None,
        now: datetime,
    ) -> bool:
        """Keep what *browser* typed on a page in place of what it typed there before; False once nothing may change.

        *names* are the fields that say who the respondent is.
        """
        mark = self.mark(browser)
        fields = tuple(typed)
        named = tuple(field for field in fields if field[0] in names)
        if names:
            self.identities.keep_draft(response, page, stage, mark, _text(named))
        values = {
            "response": response,
            "page": page,
            "stage": stage,
            "browser": mark,
            "typed": _text(field for field in fields if field[0] not in names),
            "reason": reason,
            "revision": revision,
            "shown_at": shown_at,
            "at": now,
        }
        insert = (sqlite if self.answers.sqlite else postgresql).insert(_DRAFT).values(values)
        with self.answers.writing() as connection:
            row = log.locked(connection, response)
            if row.state == SUBMITTED and not row.reopened:
                return False
            connection.execute(
                insert.on_conflict_do_update(
                    index_elements=["response", "page", "stage", "browser"],
                    set_={name: values[name] for name in _CONTENT},
                )
            )
            _COUNT.run(connection, {"response": response})
        return True

    def find(self, response: str, page: str, stage: str, browser: str) -> tuple[Draft, ...]:
        """Return what was typed on a page and not saved: by this browser first, then by others, the latest first."""
        mark = self.mark(browser)
        with self.answers.bare() as connection:
            rows = _FIND.all(connection, {"response": response, "of_page": page, "of_stage": stage})
        if not rows:
            return ()
        named = self.identities.drafts(response, page, stage)
        # Two stable sorts: newest first, then this browser's own before all.
        rows = sorted(rows, key=lambda row: row.at.timestamp() if row.at else 0.0, reverse=True)
        return tuple(
            Draft(
                typed=(*_fields(row.typed), *_fields(named.get(row.browser, "[]"))),
                reason=row.reason,
                revision=row.revision,
                shown_at=row.shown_at,
                browser=row.browser,
                own=row.browser == mark,
            )
            for row in sorted(rows, key=lambda row: row.browser != mark)
        )

    def screens(self, response: str) -> tuple[tuple[str, str], ...]:
        """Return the pages, with their stages, on which something is typed and not saved."""
        with self.answers.bare() as connection:
            return tuple((row.page, row.stage) for row in _SCREENS.all(connection, {"response": response}))

    def drop(self, response: str, page: str, stage: str, browser: str) -> None:
        """Forget what *browser* typed on a page: its respondent has chosen what is saved."""
        mark = self.mark(browser)
        with self.answers.bare(writes=True) as connection:
            log.locked(connection, response)
            drop(connection, response, page, stage, (mark,))
        self.identities.drop_drafts(response, page, stage, (mark,))

    def mark(self, browser: str) -> str:
        """Return by what the databases know a browser."""
        return hashlib.blake2b(browser.encode(), key=self.secret, person=b"draft", digest_size=8).hexdigest()


def drop(connection: Running, response: str, page: str, stage: str, marks: Iterable[str]) -> None:
    """Remove the drafts of a page by the browsers *marks*, within a transaction that has locked the response."""
    for mark in marks:
        _DROP.run(connection, {"response": response, "of_page": page, "of_stage": stage, "of_browser": mark})
    _COUNT.run(connection, {"response": response})


def _text(fields: Iterable[tuple[str, str]]) -> str:
    # Escaped as ASCII: a NUL or half a character that somebody sends must not hinder keeping the rest.
    return json.dumps(list(fields))


def _fields(text: str) -> Fields:
    return tuple((name, value) for name, value in json.loads(text))
