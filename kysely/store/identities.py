"""The identity database: which organisation a respondent named, in which role. Answers never come here.

Nor do the ids of responses and organisations that the answers have: what is given and returned here is theirs, what is
stored are others, and only the link key leads from one to the other.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from kysely.links import Keys, other_key
from kysely.questions.organisation import OrganisationTyped, business_id
from kysely.store import matching, tables
from kysely.store.databases import Database

_ORGANISATION = tables.Organisation.__table__  # type: ignore[attr-defined]
_RESPONDENT = tables.Respondent.__table__  # type: ignore[attr-defined]
_KEY = tables.LinkKey.__table__  # type: ignore[attr-defined]
_DRAFT = tables.IdentityDraft.__table__  # type: ignore[attr-defined]
_ADDRESS = tables.ReplyAddress.__table__  # type: ignore[attr-defined]

# One number for all: two respondents who name a new organisation at once make one of it.
_MATCHING = 0x6B797366

_OF_RESPONSE = select(_RESPONDENT).where(_RESPONDENT.c.response_link == bindparam("link"))

_DESERTED = select(_ORGANISATION.c.id).where(
    ~select(_RESPONDENT.c.id).where(_RESPONDENT.c.organisation_id == _ORGANISATION.c.id).exists()
)


@dataclass(frozen=True)
class Identities:
    database: Database
    keys: Keys

    def show_key(self) -> None:
        """Raise ConfigurationError now if the database was written with another link key; the first is noted."""
        with self.database.reading() as connection:
            marks = connection.execute(select(_KEY.c.mark)).scalars().all()
        if not marks:
            with self.database.writing() as connection:
                if connection.execute(select(_KEY.c.mark)).first() is None:
                    connection.execute(insert(_KEY).values(mark=self.keys.mark))
        elif marks != [self.keys.mark]:
            raise other_key()

    def record(self, response: str, typed: OrganisationTyped, *, role: str | None, origin: str) -> str:
        """Keep what the respondent typed and return the key of the organisation it means; twice is as once.

        A respondent who comes back and corrects the organisation keeps the row, which then points to the other
        one. The organisation that nobody stands for any more stays: answers may still point to it.
        """
        with self._matching() as connection:
            link = self.keys.identity_id(response)
            mine = connection.execute(_OF_RESPONSE, {"link": link}).one_or_none()
            if typed.named:
                organisation = match(connection, typed, origin)
            else:
                organisation = _unnamed(connection, mine.organisation_id if mine else None, typed, origin)
            id = mine.id if mine else secrets.token_hex(16)
            values = {
                "organisation_id": organisation,
                "role_sealed": self._sealed(id, role),
                "name_typed": typed.name,
                "municipality_typed": typed.municipality,
                "business_id_typed": typed.business_id,
            }
            if mine is None:
                new = {"id": id, "response_link": link, "origin": origin}
                connection.execute(insert(_RESPONDENT).values({**new, **values}))
            else:
                connection.execute(update(_RESPONDENT).where(_RESPONDENT.c.id == id).values(values))
        return self.keys.answers_id(organisation)

    def tidy(self, response: str, *, withdrawn: bool, referred: Callable[[str], bool]) -> None:
        """Remove who the respondent is if that was *withdrawn*, and every organisation that nobody stands for.

        One that answers point to stays: *referred* says so.
        """
        with self._matching() as connection:
            if withdrawn:
                link = self.keys.identity_id(response)
                connection.execute(delete(_RESPONDENT).where(_RESPONDENT.c.response_link == link))
            for organisation in connection.execute(_DESERTED).scalars().all():
                if not referred(self.keys.answers_id(organisation)):
                    connection.execute(delete(_ORGANISATION).where(_ORGANISATION.c.id == organisation))

    def set_role(self, response: str, role: str | None) -> None:
        """Note the respondent's role; a respondent who named no organisation has no row and gets none."""
        with self.database.writing() as connection:
            mine = connection.execute(_OF_RESPONSE, {"link": self.keys.identity_id(response)}).one_or_none()
            if mine is not None and self._role(mine) != role:
                sealed = self._sealed(mine.id, role)
                connection.execute(update(_RESPONDENT).where(_RESPONDENT.c.id == mine.id).values(role_sealed=sealed))

    def role(self, response: str) -> str | None:
        """Return the role of the respondent, None where it isn't known."""
        with self.database.reading() as connection:
            mine = connection.execute(_OF_RESPONSE, {"link": self.keys.identity_id(response)}).one_or_none()
        return self._role(mine) if mine else None

    def typed(self, response: str) -> OrganisationTyped | None:
        """Return how the respondent named the organisation, to show it in the form again."""
        with self.database.reading() as connection:
            row = connection.execute(_OF_RESPONSE, {"link": self.keys.identity_id(response)}).one_or_none()
        return OrganisationTyped(row.name_typed, row.municipality_typed, row.business_id_typed) if row else None

    # Where the respondent wants to be written to

    def keep_address(self, response: str, address: str, *, wave: str, origin: str) -> None:
        """Keep the e-mail address of the respondent, sealed, in place of an earlier one."""
        link = self.keys.identity_id(response)
        sealed = {"address_sealed": self.keys.seal(address, of=f"{link} address")}
        insert = (sqlite if self.database.sqlite else postgresql).insert(_ADDRESS)
        row = insert.values(response_link=link, wave_id=wave, origin=origin, **sealed)
        with self.database.writing() as connection:
            connection.execute(row.on_conflict_do_update(index_elements=["response_link"], set_=sealed))

    def address(self, response: str) -> str | None:
        link = self.keys.identity_id(response)
        with self.database.reading() as connection:
            row = connection.execute(select(_ADDRESS).where(_ADDRESS.c.response_link == link)).one_or_none()
        return self._unsealed(row) if row else None

    def addresses(self, wave: str) -> tuple[str, ...]:
        with self.database.reading() as connection:
            rows = connection.execute(select(_ADDRESS).where(_ADDRESS.c.wave_id == wave)).all()
        return tuple(sorted({self._unsealed(row) for row in rows}))

    def drop_address(self, response: str) -> None:
        with self.database.writing() as connection:
            connection.execute(delete(_ADDRESS).where(_ADDRESS.c.response_link == self.keys.identity_id(response)))

    # What was typed and isn't saved

    def keep_draft(self, response: str, page: str, stage: str, browser: str, typed: str) -> None:
        """Keep what *browser* typed of who the respondent is, in place of what it typed there before."""
        key = {"response_link": self.keys.identity_id(response), "page": page, "stage": stage, "browser": browser}
        sealed = {"typed": self.keys.seal(typed, of=" ".join(key.values()))}
        insert = (sqlite if self.database.sqlite else postgresql).insert(_DRAFT).values(**key, **sealed)
        with self.database.writing() as connection:
            connection.execute(insert.on_conflict_do_update(index_elements=list(key), set_=sealed))

    def drafts(self, response: str, page: str, stage: str) -> dict[str, str]:
        """Return what was typed on a page of who the respondent is, by browser."""
        query = select(_DRAFT).where(self._of_screen(response, page, stage))
        with self.database.reading() as connection:
            rows = connection.execute(query).all()
        return {
            row.browser: self.keys.unseal(row.typed, of=f"{row.response_link} {page} {stage} {row.browser}")
            for row in rows
        }

    def drop_drafts(self, response: str, page: str, stage: str, browsers: Iterable[str]) -> None:
        with self.database.writing() as connection:
            which = self._of_screen(response, page, stage) & _DRAFT.c.browser.in_(list(browsers))
            connection.execute(delete(_DRAFT).where(which))

    def drop_all_drafts(self, response: str) -> None:
        with self.database.writing() as connection:
            connection.execute(delete(_DRAFT).where(_DRAFT.c.response_link == self.keys.identity_id(response)))

    # Erasing

    def knows(self, response: str) -> bool:
        """Whether anything is left here of who gave *response*."""
        link = self.keys.identity_id(response)
        queries = (
            select(_RESPONDENT.c.id).where(_RESPONDENT.c.response_link == link),
            select(_DRAFT.c.page).where(_DRAFT.c.response_link == link),
            select(_ADDRESS.c.wave_id).where(_ADDRESS.c.response_link == link),
        )
        with self.database.reading() as connection:
            return any(connection.execute(query.limit(1)).scalar() is not None for query in queries)

    def erase(self, response: str, *, referred: Callable[[str], bool]) -> None:
        """Remove who gave *response*, and the organisation if nobody else stands for it."""
        self.drop_all_drafts(response)
        self.drop_address(response)
        self.tidy(response, withdrawn=True, referred=referred)

    def mix(self) -> None:
        """Leave organisations and who answered in the order of their random ids, as if all had come at once.

        PostgreSQL keeps where and by which transaction a row was written; the answers have times to hold that against.
        """
        if self.database.sqlite:
            return
        tables = self.database.metadata.tables.items()
        keys = {
            name: next(iter(table.primary_key)).name
            for name, table in tables
            if name == "organisation" or "response_link" in table.c
        }
        with self.database.explained(), self.database.owner.connect() as connection:
            raw: Any = connection.connection.driver_connection
            raw.autocommit = True
            raw.execute(f"SET search_path = {self.database.name}")
            # An update that changes nothing writes every row anew, and all in this one transaction.
            rewritten = (f"UPDATE {name} SET {key} = {key}" for name, key in keys.items())
            raw.execute("; ".join(["BEGIN", *rewritten, "COMMIT"]))
            for name in keys:
                raw.execute(f"CLUSTER {name} USING pk_{name}")

    @contextmanager
    def _matching(self) -> Iterator[Connection]:
        """A transaction in which nobody else names a new organisation or removes one."""
        with self.database.writing() as connection:
            if not self.database.sqlite:
                connection.execute(text(f"SELECT pg_advisory_xact_lock({_MATCHING})"))
            yield connection

    def _of_screen(self, response: str, page: str, stage: str) -> Any:
        mine = _DRAFT.c.response_link == self.keys.identity_id(response)
        return mine & (_DRAFT.c.page == page) & (_DRAFT.c.stage == stage)

    def _sealed(self, respondent: str, role: str | None) -> str | None:
        return self.keys.seal(role, of=f"{respondent} role") if role is not None else None

    def _unsealed(self, row: Any) -> str:
        return self.keys.unseal(row.address_sealed, of=f"{row.response_link} address")

    def _role(self, row: Any) -> str | None:
        return self.keys.unseal(row.role_sealed, of=f"{row.id} role") if row.role_sealed else None


def match(connection: Connection, typed: OrganisationTyped, origin: str) -> str:
    """Return the organisation of this database that *typed* means, made where there is none.

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
