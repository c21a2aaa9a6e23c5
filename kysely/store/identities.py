"""The identity database: which organisation a respondent named, in which role. Answers never come here."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from kysely.questions.organisation import OrganisationTyped, business_id
from kysely.store import matching, tables
from kysely.store.databases import Database

_ORGANISATION = tables.Organisation.__table__  # type: ignore[attr-defined]
_RESPONDENT = tables.Respondent.__table__  # type: ignore[attr-defined]
_DRAFT = tables.IdentityDraft.__table__  # type: ignore[attr-defined]

# One number for all: two respondents who name a new organisation at once make one of it.
_MATCHING = 0x6B797366

_ORGANISATION_OF = select(_RESPONDENT.c.organisation_id).where(_RESPONDENT.c.response_id == bindparam("response"))

_DESERTED = select(_ORGANISATION.c.id).where(
    ~select(_RESPONDENT.c.id).where(_RESPONDENT.c.organisation_id == _ORGANISATION.c.id).exists()
)

_SET_ROLE = (
    update(_RESPONDENT)
    .where(_RESPONDENT.c.response_id == bindparam("response"), _RESPONDENT.c.role.is_distinct_from(bindparam("new")))
    .values(role=bindparam("new"))
)


@dataclass(frozen=True)
class Identities:
    database: Database

    def record(self, response: str, typed: OrganisationTyped, *, role: str | None, origin: str, on: date) -> str:
        """Keep what the respondent typed and return the key of the organisation it means; twice is as once.

        A respondent who comes back and corrects the organisation keeps the row, which then points to the other
        one. The organisation that nobody stands for any more stays: answers may still point to it.
        """
        with self._matching() as connection:
            mine = connection.execute(_ORGANISATION_OF, {"response": response}).scalar()
            if typed.named:
                organisation = _match(connection, typed, origin)
            else:
                organisation = _unnamed(connection, mine, typed, origin)
            values = {
                "organisation_id": organisation,
                "role": role,
                "name_typed": typed.name,
                "municipality_typed": typed.municipality,
                "business_id_typed": typed.business_id,
            }
            if mine is None:
                new = {"id": secrets.token_hex(16), "response_id": response, "created_on": on, "origin": origin}
                connection.execute(insert(_RESPONDENT).values({**new, **values}))
            else:
                row = _RESPONDENT.c.response_id == response
                connection.execute(update(_RESPONDENT).where(row).values(values))
        return organisation

    def tidy(self, response: str, *, withdrawn: bool, referred: Callable[[str], bool]) -> None:
        """Remove who the respondent is if that was *withdrawn*, and every organisation that nobody stands for.

        One that answers point to stays: *referred* says so.
        """
        with self._matching() as connection:
            if withdrawn:
                connection.execute(delete(_RESPONDENT).where(_RESPONDENT.c.response_id == response))
            for organisation in connection.execute(_DESERTED).scalars().all():
                if not referred(organisation):
                    connection.execute(delete(_ORGANISATION).where(_ORGANISATION.c.id == organisation))

    def set_role(self, response: str, role: str | None) -> None:
        """Note the respondent's role; a respondent who named no organisation has no row and gets none."""
        with self.database.writing() as connection:
            connection.execute(_SET_ROLE, {"response": response, "new": role})

    def typed(self, response: str) -> OrganisationTyped | None:
        """Return how the respondent named the organisation, to show it in the form again."""
        columns = (_RESPONDENT.c.name_typed, _RESPONDENT.c.municipality_typed, _RESPONDENT.c.business_id_typed)
        with self.database.reading() as connection:
            row = connection.execute(select(*columns).where(_RESPONDENT.c.response_id == response)).one_or_none()
        return OrganisationTyped(*row) if row else None

    # What was typed and isn't saved

    def keep_draft(self, response: str, page: str, stage: str, browser: str, typed: str) -> None:
        """Keep what *browser* typed of who the respondent is, in place of what it typed there before."""
        key = {"response_id": response, "page": page, "stage": stage, "browser": browser}
        insert = (sqlite if self.database.sqlite else postgresql).insert(_DRAFT).values(**key, typed=typed)
        with self.database.writing() as connection:
            connection.execute(insert.on_conflict_do_update(index_elements=list(key), set_={"typed": typed}))

    def drafts(self, response: str, page: str, stage: str) -> dict[str, str]:
        """Return what was typed on a page of who the respondent is, by browser."""
        query = select(_DRAFT.c.browser, _DRAFT.c.typed).where(_of_screen(response, page, stage))
        with self.database.reading() as connection:
            return {row.browser: row.typed for row in connection.execute(query)}

    def drop_drafts(self, response: str, page: str, stage: str, browsers: Iterable[str]) -> None:
        with self.database.writing() as connection:
            which = _of_screen(response, page, stage) & _DRAFT.c.browser.in_(list(browsers))
            connection.execute(delete(_DRAFT).where(which))

    def drop_all_drafts(self, response: str) -> None:
        with self.database.writing() as connection:
            connection.execute(delete(_DRAFT).where(_DRAFT.c.response_id == response))

    # Erasing

    def knows(self, response: str) -> bool:
        """Whether anything is left here of who gave *response*."""
        queries = (
            select(_RESPONDENT.c.id).where(_RESPONDENT.c.response_id == response),
            select(_DRAFT.c.response_id).where(_DRAFT.c.response_id == response),
        )
        with self.database.reading() as connection:
            return any(connection.execute(query.limit(1)).scalar() is not None for query in queries)

    def erase(self, response: str, *, referred: Callable[[str], bool]) -> None:
        """Remove who gave *response*, and the organisation if nobody else stands for it."""
        self.drop_all_drafts(response)
        self.tidy(response, withdrawn=True, referred=referred)

    @contextmanager
    def _matching(self) -> Iterator[Connection]:
        """A transaction in which nobody else names a new organisation or removes one."""
        with self.database.writing() as connection:
            if not self.database.sqlite:
                connection.execute(text(f"SELECT pg_advisory_xact_lock({_MATCHING})"))
            yield connection


def _of_screen(response: str, page: str, stage: str) -> Any:
    return (_DRAFT.c.response_id == response) & (_DRAFT.c.page == page) & (_DRAFT.c.stage == stage)


def _match(connection: Connection, typed: OrganisationTyped, origin: str) -> str:
    """Return the organisation that *typed* means, made where there is none.

    1. The same valid business id is the same organisation, whatever the names.
    2. Otherwise the only one of that name and municipality is, unless both have ids: then they differ.
       If it had no id, it takes this one.
    3. Where several bear the name, only the one without an id can be meant by a respondent without an id.
    """
    organisation = _ORGANISATION.c
    number = business_id(typed.business_id)
    if number:
        same = select(organisation.id).where(organisation.business_id == number, organisation.origin == origin)
        found = connection.execute(same).scalar()
        if found:
            return found
    name_key, municipality_key = matching.key(typed.name), matching.key(typed.municipality)
    namesakes = select(organisation.id, organisation.business_id).where(
        organisation.name_key == name_key,
        organisation.municipality_key == municipality_key,
        organisation.origin == origin,
        func.length(organisation.name_key) > 0,
    )
    candidates = connection.execute(namesakes).all()
    if number and len(candidates) == 1 and candidates[0].business_id is None:
        adopted = update(_ORGANISATION).where(organisation.id == candidates[0].id).values(business_id=number)
        connection.execute(adopted)
        return candidates[0].id
    if not number and len(candidates) == 1:
        return candidates[0].id
    if not number:
        for candidate in candidates:
            if candidate.business_id is None:
                return candidate.id
    return _new(connection, typed, origin)


def _unnamed(connection: Connection, mine: str | None, typed: OrganisationTyped, origin: str) -> str:
    """Return an organisation of the respondent's own, of which only the municipality is known: it matches no other.

    *mine* is the one the respondent stands for so far.
    """
    organisation = _ORGANISATION.c
    own = (organisation.id == mine) & (func.length(organisation.name) == 0) & organisation.business_id.is_(None)
    values = {"municipality": typed.municipality, "municipality_key": matching.key(typed.municipality)}
    if connection.execute(update(_ORGANISATION).where(own).values(values)).rowcount:
        assert mine is not None
        return mine
    return _new(connection, typed, origin)


def _new(connection: Connection, typed: OrganisationTyped, origin: str) -> str:
    new = secrets.token_hex(16)
    values = {
        "id": new,
        "name": typed.name,
        "name_key": matching.key(typed.name),
        "municipality": typed.municipality,
        "municipality_key": matching.key(typed.municipality),
        "business_id": business_id(typed.business_id),
        "origin": origin,
    }
    connection.execute(insert(_ORGANISATION).values(values))
    return new
