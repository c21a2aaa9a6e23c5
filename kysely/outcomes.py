"""What became of every invitation of a wave: the dispositions from which response rates are computed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kysely.disposition import disposition
from kysely.store import Phase
from kysely.store.invitations import outcome

if TYPE_CHECKING:
    from kysely.store import Store, Wave


def outcomes(store: Store, wave: Wave) -> dict[str, str]:
    """Return the disposition of each invitation of *wave* by the invitation's id.

    In anonymous mode nothing leads from a person to an answer; that a link was used is known once enough were
    (tell_used), and of those who broke off nothing is.
    """
    answered = {
        state.id: str(disposition(store.instrument(state.version_hash), state.answers, submitted=state.submitted))
        for state in store.responses(wave.id)
        if state.answers
    }
    mailed = store.invitations.mailed(wave.id)
    return {
        invited.id: outcome(invited, answered.get(store.invitations.response_of(invited)), mailed.get(invited.id))
        for invited in store.invitations.of_wave(wave.id)
    }


def answered(disposition: str) -> bool:
    """Whether a case with this disposition has given enough not to be reminded."""
    return disposition in ("I", "P")


def tell_used(store: Store, wave: Wave, now: datetime | None = None) -> None:
    """Bring up to date what is known of anonymous links: in groups of the smallest size that results show.

    When nothing can be answered any more, the rest is told too, however few they are.
    """
    now = now or datetime.now(UTC)
    store.move_on(wave, now)
    over = wave.phase(now) is Phase.OVER or wave.state == "closed"
    store.invitations.tell_used(wave.id, at_least=1 if over else store.smallest_group(wave.id))
