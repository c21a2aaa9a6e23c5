"""The outbox: which mail of which round was queued, claimed and sent, so that a kill sends none twice.

A mail is claimed, durably, before its text goes out, and marked after the server has taken it. A sender that dies
between the two leaves it claimed: whether it arrived nobody here knows, so it is listed and not sent again unless
somebody says so. At most once; a person who gets no invitation can be asked, one who gets two is annoyed.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from kysely.store import tables
from kysely.store.databases import Database

QUEUED, CLAIMED, SENT, REFUSED, BOUNCED = "queued", "claimed", "sent", "refused", "bounced"
CANCELLED = "cancelled"

_MAIL = tables.Mail.__table__  # type: ignore[attr-defined]
_INVITATION = tables.Invitation.__table__  # type: ignore[attr-defined]
_CONTACT = tables.Contact.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Queued:
    """A mail of the outbox: to whom, and of which round (1 is the invitation)."""

    id: str
    invitation: str
    round: int


@dataclass(frozen=True)
class Outbox:
    database: Database

    def fill(self, invitations: Collection[str], round: int, now: datetime) -> int:
        """Queue one mail of *round* to each of *invitations*; who has one of that round already gets no second."""
        made = 0
        with self.database.writing() as connection:
            known = set(connection.execute(select(_MAIL.c.invitation_id).where(_MAIL.c.round == round)).scalars())
            new = [invitation for invitation in invitations if invitation not in known]
            secrets.SystemRandom().shuffle(new)
            for invitation in new:
                values = {
                    "id": secrets.token_hex(16),
                    "invitation_id": invitation,
                    "round": round,
                    "state": QUEUED,
                    "attempts": 0,
                    "queued_at": now,
                }
                insert: Any = (sqlite if self.database.sqlite else postgresql).insert(_MAIL)
                made += connection.execute(insert.values(values).on_conflict_do_nothing()).rowcount
        return made

    def queued(self, wave: str) -> tuple[Queued, ...]:
        """Return what waits for *wave*, in the order of random ids."""
        return self._of(wave, QUEUED)

    def unsure(self, wave: str) -> tuple[Queued, ...]:
        """Return the mails of which nobody knows whether the server took them."""
        return self._of(wave, CLAIMED)

    def _of(self, wave: str, state: str) -> tuple[Queued, ...]:
        query = (
            select(_MAIL.c.id, _MAIL.c.invitation_id, _MAIL.c.round)
            .join(_INVITATION, _INVITATION.c.id == _MAIL.c.invitation_id)
            .where(_INVITATION.c.wave_id == wave, _MAIL.c.state == state)
            .order_by(_MAIL.c.id)
        )
        with self.database.reading() as connection:
            return tuple(Queued(*row) for row in connection.execute(query))

    def latest_round(self, wave: str) -> int:
        """Return the number of the newest round, 0 where nobody was written to."""
        query = (
            select(func.max(_MAIL.c.round))
            .join(_INVITATION, _INVITATION.c.id == _MAIL.c.invitation_id)
            .where(_INVITATION.c.wave_id == wave)
        )
        with self.database.reading() as connection:
            return connection.execute(query).scalar() or 0

    def first_message(self, invitation: str) -> str:
        """Return the Message-ID of the invitation that a person got, "" for none."""
        query = select(_MAIL.c.message_id).where(_MAIL.c.invitation_id == invitation, _MAIL.c.round == 1)
        with self.database.reading() as connection:
            return connection.execute(query).scalar() or ""

    def claim(self, mail: str, message_id: str, now: datetime) -> bool:
        """Take *mail* before its text goes out; False where somebody else has."""
        return self._move(mail, QUEUED, CLAIMED, message_id=message_id, attempts=_MAIL.c.attempts + 1, settled_at=now)

    def sent(self, mail: str, now: datetime) -> None:
        self._move(mail, CLAIMED, SENT, settled_at=now)

    def refused(self, mail: str, said: str, now: datetime) -> None:
        """The server will not take this mail, now or later."""
        self._move(mail, CLAIMED, REFUSED, said=said, settled_at=now)

    def put_back(self, mail: str, said: str, now: datetime) -> None:
        """The server has not taken the mail and may later."""
        self._move(mail, CLAIMED, QUEUED, said=said, message_id=None, settled_at=now)

    def retry_unsure(self, wave: str) -> int:
        """Queue again what may have arrived: some persons may get it twice."""
        unsure = [mail.id for mail in self.unsure(wave)]
        for mail in unsure:
            self._move(mail, CLAIMED, QUEUED, message_id=None)
        return len(unsure)

    def cancel(self, mail: str, now: datetime) -> bool:
        """Forget a mail that waits."""
        return self._move(mail, QUEUED, CANCELLED, settled_at=now)

    def bounced(self, *, message_id: str = "", address_hash: str = "", said: str, now: datetime) -> bool:
        """Note that a mail came back for good; False where no mail of ours is meant.

        By the Message-ID, which nobody else knows, or else by the address, where a mail was sent to it.
        """
        query = select(_MAIL.c.id, _MAIL.c.state, _INVITATION.c.contact_id).join(
            _INVITATION, _INVITATION.c.id == _MAIL.c.invitation_id
        )
        if message_id:
            query = query.where(_MAIL.c.message_id == message_id)
        else:
            query = query.join(_CONTACT, _CONTACT.c.id == _INVITATION.c.contact_id)
            query = query.where(_CONTACT.c.address_hash == address_hash, _MAIL.c.state.in_((SENT, CLAIMED, BOUNCED)))
            query = query.order_by(_MAIL.c.round.desc())
        with self.database.writing() as connection:
            row = connection.execute(query).first()
            if row is None:
                return False
            bounced = {"state": BOUNCED, "said": said, "settled_at": now}
            connection.execute(update(_MAIL).where(_MAIL.c.id == row.id).values(bounced))
            connection.execute(update(_CONTACT).where(_CONTACT.c.id == row.contact_id).values(bounced=True))
        return True

    def undeliverable(self, invitation: str) -> None:
        """Write to the contact of *invitation* no more: there is no such mailbox."""
        mine = select(_INVITATION.c.contact_id).where(_INVITATION.c.id == invitation).scalar_subquery()
        with self.database.writing() as connection:
            connection.execute(update(_CONTACT).where(_CONTACT.c.id == mine).values(bounced=True))

    def counts(self, wave: str) -> dict[tuple[int, str], int]:
        """Return the number of mails by round and state."""
        query = (
            select(_MAIL.c.round, _MAIL.c.state, func.count())
            .join(_INVITATION, _INVITATION.c.id == _MAIL.c.invitation_id)
            .where(_INVITATION.c.wave_id == wave)
            .group_by(_MAIL.c.round, _MAIL.c.state)
            .order_by(_MAIL.c.round, _MAIL.c.state)
        )
        with self.database.reading() as connection:
            return {(round, state): count for round, state, count in connection.execute(query)}

    def _move(self, mail: str, before: str, after: str, **values: Any) -> bool:
        with self.database.writing() as connection:
            mine = (_MAIL.c.id == mail) & (_MAIL.c.state == before)
            return bool(connection.execute(update(_MAIL).where(mine).values(state=after, **values)).rowcount)
