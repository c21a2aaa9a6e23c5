"""Who is invited to which wave, and what became of it. Answers never come here, and of the link's code only a hash."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from kysely.contacts import Contact
from kysely.errors import StoreError
from kysely.links import Keys, new_code
from kysely.questions._text import email_address
from kysely.store import identities, tables
from kysely.store.databases import Database

ANONYMOUS, NAMED = "anonymous", "named"

REFUSED = "R_explicit"

SETTLED = (
    REFUSED,
    "O_away",
    "O_language",
    "O_gatekeeper",
    "NE_left",
    "NE_out_of_target",
    "NE_ended",
    "NE_duplicate",
)
"""Dispositions that somebody has to tell us (DOMAIN.md, e2); the others follow from mail and answers."""

_CONTACT = tables.Contact.__table__  # type: ignore[attr-defined]
_INVITATION = tables.Invitation.__table__  # type: ignore[attr-defined]
_COMPLETION = tables.Completion.__table__  # type: ignore[attr-defined]
_MAIL = tables.Mail.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Invited:
    """One invitation with its contact, who stays sealed."""

    id: str
    wave: str
    contact: str
    privacy_mode: str
    generation: int
    address_sealed: str
    name_sealed: str | None
    language: str | None
    organisation: str | None
    stratum: str | None
    psu: str | None
    design_weight: float
    in_post: bool
    disposition: str | None
    revoked: bool
    no_mail: bool
    bounced: bool

    @property
    def anonymous(self) -> bool:
        return self.privacy_mode == ANONYMOUS


@dataclass(frozen=True)
class Imported:
    """What an import did."""

    contacts: int
    invitations: int
    known: int
    unwilling: int


@dataclass(frozen=True)
class Invitations:
    database: Database
    keys: Keys

    # ---- lists of contacts

    def add(self, contacts: Iterable[Contact], *, wave: str, origin: str, privacy_mode: str, on: date) -> Imported:
        """Invite *contacts* to *wave* in one transaction; who is invited already stays so, with the newest particulars.

        In anonymous mode an invitation knows no organisation: with a few questions that would be a name.
        """
        done: Counter[str] = Counter()
        with self.database.writing() as connection:
            for each in contacts:
                organisation = None
                if each.organisation and privacy_mode != ANONYMOUS:
                    organisation = identities.match(connection, each.organisation, origin)
                contact = self._known(connection, each, organisation, origin, done)
                if contact is None:
                    contact = self._new(connection, each, organisation, origin, on)
                    done["contacts"] += 1
                done[self._invite(connection, each, contact, wave, privacy_mode)] += 1
        return Imported(done["contacts"], done["invitations"], done["known"], done["unwilling"])

    def _known(
        self, connection: Connection, each: Contact, organisation: str | None, origin: str, done: Counter[str]
    ) -> str | None:
        """Return the contact of that address, brought up to date with what the list says; None where there is none."""
        address = self.keys.address(each.email)
        row = connection.execute(select(_CONTACT).where(_CONTACT.c.address_hash == address)).one_or_none()
        if row is None:
            return None
        if row.origin != origin:
            raise StoreError(f"A contact is {row.origin} and can't be invited to a wave that is {origin}.")
        done["unwilling"] += row.no_mail
        said = {
            "name_sealed": self._name(row.id, each.name),
            "language": each.language,
            "organisation_id": organisation,
        }
        newer = {name: value for name, value in said.items() if value}
        if newer:
            connection.execute(update(_CONTACT).where(_CONTACT.c.id == row.id).values(newer))
        return row.id

    def _new(self, connection: Connection, each: Contact, organisation: str | None, origin: str, on: date) -> str:
        contact = secrets.token_hex(16)
        connection.execute(
            insert(_CONTACT).values(
                id=contact,
                address_hash=self.keys.address(each.email),
                address_sealed=self.keys.seal(each.email, of=f"{contact} address"),
                name_sealed=self._name(contact, each.name),
                language=each.language or None,
                organisation_id=organisation,
                origin=origin,
                no_mail=False,
                bounced=False,
                imported_on=on,
            )
        )
        return contact

    def _invite(self, connection: Connection, each: Contact, contact: str, wave: str, privacy_mode: str) -> str:
        """Invite *contact*, or bring the sampling of one who is up to date; returns which: "invitations" or "known"."""
        sampled = {
            "stratum": each.stratum or None,
            "psu": each.psu or None,
            "design_weight": each.design_weight,
            "in_post": each.in_post,
        }
        mine = (_INVITATION.c.contact_id == contact) & (_INVITATION.c.wave_id == wave)
        if connection.execute(update(_INVITATION).where(mine).values(sampled)).rowcount:
            return "known"
        id = secrets.token_hex(16)
        connection.execute(
            insert(_INVITATION).values(
                id=id,
                contact_id=contact,
                wave_id=wave,
                privacy_mode=privacy_mode,
                generation=1,
                # An anonymous code is made when its mail is written, and nobody can make it again.
                code_hash=None if privacy_mode == ANONYMOUS else self.keys.hash(self.keys.code(id, 1)),
                opt_out_hash=self.keys.opt_out_hash(self.keys.opt_out(id)),
                response_id=self.keys.response(id) if privacy_mode == NAMED else None,
                revoked=False,
                **sampled,
            )
        )
        return "invitations"

    def _name(self, contact: str, name: str) -> str | None:
        return self.keys.seal(name, of=f"{contact} name") if name else None

    # ---- who is it

    def find(self, code: str) -> Invited | None:
        """Return the invitation that the code of a personal link opens; a revoked one opens nothing."""
        with self.database.reading() as connection:
            row = connection.execute(_invited().where(_INVITATION.c.code_hash == self.keys.hash(code))).one_or_none()
        return Invited(*row) if row is not None and not row.revoked else None

    def find_by_opt_out(self, code: str) -> Invited | None:
        """Return the invitation whose mail can be ended with *code*."""
        known = _INVITATION.c.opt_out_hash == self.keys.opt_out_hash(code)
        with self.database.reading() as connection:
            row = connection.execute(_invited().where(known)).one_or_none()
        return Invited(*row) if row is not None else None

    def of_wave(self, wave: str) -> tuple[Invited, ...]:
        """Return every invitation of the wave in the order of their random ids."""
        query = _invited().where(_INVITATION.c.wave_id == wave).order_by(_INVITATION.c.id)
        with self.database.reading() as connection:
            return tuple(Invited(*row) for row in connection.execute(query))

    def find_by_address(self, wave: str, email: str) -> Invited:
        """Return the invitation of a person to *wave*; raises StoreError where there is none."""
        try:
            address = self.keys.address(email_address(email))
        except ValueError as error:
            raise StoreError(f"This is no e-mail address: {error}.") from None
        query = _invited().where(_CONTACT.c.address_hash == address, _INVITATION.c.wave_id == wave)
        with self.database.reading() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise StoreError("Nobody with that address is invited to this wave.")
        return Invited(*row)

    def address(self, invited: Invited) -> str:
        return self.keys.unseal(invited.address_sealed, of=f"{invited.contact} address")

    def name(self, invited: Invited) -> str:
        return self.keys.unseal(invited.name_sealed, of=f"{invited.contact} name") if invited.name_sealed else ""

    def organisation(self, invited: Invited) -> str:
        """Return the organisation as the answers know it, "" where the list says none."""
        return self.keys.answers_id(invited.organisation) if invited.organisation else ""

    # ---- what becomes of it

    def response_of(self, invited: Invited, code: str = "") -> str:
        """Return the id of the one response of an invitation; in anonymous mode only its *code* leads there."""
        if invited.anonymous:
            return f"x{self.keys.draft(code)[1:]}" if code else ""
        return self.keys.response(invited.id)

    def opt_out(self, invited: Invited) -> None:
        """Write to this person no more, and note the refusal; what was answered stays. Twice is as once."""
        with self.database.writing() as connection:
            connection.execute(update(_CONTACT).where(_CONTACT.c.id == invited.contact).values(no_mail=True))
            mine = _INVITATION.c.id == invited.id
            silent = _INVITATION.c.disposition.is_(None)
            connection.execute(update(_INVITATION).where(mine, silent).values(disposition=REFUSED))

    def settle(self, invited: Invited, disposition: str | None) -> None:
        """Note what somebody told of the person, one of SETTLED, or take that back."""
        if disposition is not None and disposition not in SETTLED:
            raise StoreError(f"{disposition!r} can't be noted by hand; there are: {', '.join(SETTLED)}")
        with self.database.writing() as connection:
            mine = _INVITATION.c.id == invited.id
            connection.execute(update(_INVITATION).where(mine).values(disposition=disposition))

    def revoke(self, invited: Invited) -> None:
        """Let the personal link open nothing any more."""
        with self.database.writing() as connection:
            connection.execute(update(_INVITATION).where(_INVITATION.c.id == invited.id).values(revoked=True))

    def revoked(self, wave: str) -> frozenset[str]:
        """Return the responses of *wave* whose link was revoked; of anonymous ones nobody can say which they are."""
        query = select(_INVITATION.c.id).where(_INVITATION.c.wave_id == wave, _INVITATION.c.revoked.is_(True))
        with self.database.reading() as connection:
            return frozenset(self.keys.response(id) for id in connection.execute(query).scalars())

    def new_code(self, invited: Invited) -> str:
        """Return a new random code for an anonymous invitation; it is stored nowhere, and the one before is void."""
        code = new_code()
        with self.database.writing() as connection:
            values = {"code_hash": self.keys.hash(code), "generation": _INVITATION.c.generation + 1}
            connection.execute(update(_INVITATION).where(_INVITATION.c.id == invited.id).values(values))
        return code

    # ---- anonymous completions

    def used(self, invited: Invited) -> bool:
        """Return whether an anonymous invitation was used: the mark is made anew from the key, no table leads there."""
        mark = self.keys.completion(invited.id)
        with self.database.reading() as connection:
            known = select(_COMPLETION.c.mark).where(_COMPLETION.c.mark == mark)
            return connection.execute(known).one_or_none() is not None

    def note_used(self, mark: str, wave: str) -> None:
        """Note that an anonymous invitation was used, without a time; twice is as once."""
        values = {"mark": mark, "wave_id": wave, "told": False}
        with self.database.writing() as connection:
            connection.execute(self._insert(_COMPLETION).values(values).on_conflict_do_nothing())

    def tell_used(self, wave: str, *, at_least: int) -> int:
        """Set the disposition of anonymous invitations that were used, if *at_least* so many are new; return how many.

        One by one they would tell who had just answered.
        """
        with self.database.writing() as connection:
            query = select(_COMPLETION.c.mark).where(_COMPLETION.c.wave_id == wave, _COMPLETION.c.told.is_(False))
            new = set(connection.execute(query).scalars())
            if not new or len(new) < at_least:
                return 0
            ids = connection.execute(select(_INVITATION.c.id).where(_INVITATION.c.wave_id == wave)).scalars().all()
            mine = [id for id in ids if self.keys.completion(id) in new]
            secrets.SystemRandom().shuffle(mine)
            for id in mine:
                connection.execute(update(_INVITATION).where(_INVITATION.c.id == id).values(disposition="I"))
            connection.execute(update(_COMPLETION).where(_COMPLETION.c.wave_id == wave).values(told=True))
        return len(mine)

    # ---- mail

    def mailed(self, wave: str) -> Mapping[str, str]:
        """Return for each invitation that a mail was written to how the newest that is settled ended."""
        query = (
            select(_MAIL.c.invitation_id, _MAIL.c.state)
            .join(_INVITATION, _INVITATION.c.id == _MAIL.c.invitation_id)
            .where(_INVITATION.c.wave_id == wave, _MAIL.c.state.not_in(("queued", "cancelled")))
            .order_by(_MAIL.c.round)
        )
        with self.database.reading() as connection:
            return {row.invitation_id: row.state for row in connection.execute(query)}

    def _insert(self, table: Any) -> Any:
        return (sqlite if self.database.sqlite else postgresql).insert(table)


def outcome(invited: Invited, answered: str | None, mailed: str | None) -> str:
    """Return the disposition of an invitation (DOMAIN.md, e2).

    *answered* is how far its response came, None without an answer; *mailed* how its newest mail ended, None without.
    What was answered counts before everything else, then what somebody told, then what the mail tells.
    """
    if answered in ("I", "P"):
        return answered
    if invited.disposition:
        return invited.disposition
    if answered:
        return answered
    if invited.bounced or mailed in ("bounced", "refused"):
        return "NC_bounce_known_person" if invited.in_post else "U_bounce"
    return "NC_nothing_opened" if invited.in_post else "U_delivered_nothing_known"


def _invited() -> Any:
    return select(
        _INVITATION.c.id,
        _INVITATION.c.wave_id,
        _INVITATION.c.contact_id,
        _INVITATION.c.privacy_mode,
        _INVITATION.c.generation,
        _CONTACT.c.address_sealed,
        _CONTACT.c.name_sealed,
        _CONTACT.c.language,
        _CONTACT.c.organisation_id,
        _INVITATION.c.stratum,
        _INVITATION.c.psu,
        _INVITATION.c.design_weight,
        _INVITATION.c.in_post,
        _INVITATION.c.disposition,
        _INVITATION.c.revoked,
        _CONTACT.c.no_mail,
        _CONTACT.c.bounced,
    ).join(_CONTACT, _CONTACT.c.id == _INVITATION.c.contact_id)
