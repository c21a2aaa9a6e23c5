"""People with personal links to the study, for tests."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from kysely import contacts, loading
from kysely.store import REAL, Store, Wave
from kysely.store.invitations import Invited

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def open_wave(store: Store, *, access: str = "invited", **more) -> Wave:
    """Open a wave of the study and return it."""
    instrument = loading.load(store.settings.questionnaires / "operating_mode")
    id = store.open_wave(instrument, name="invited", origin=REAL, access=access, now=NOW, **more)
    return next(wave for wave in store.waves() if wave.id == id)


def invite(
    store: Store, wave: Wave, folder: Path, *rows: str, header: str = "email,name,language"
) -> tuple[Invited, ...]:
    """Import rows of a list and return every invitation of the wave."""
    file = folder / "contacts.csv"
    file.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    instrument = store.instrument(store.publications(wave=wave.id)[0].hash)
    listed = contacts.read(file, instrument.languages)
    store.invitations.add(
        listed.contacts, wave=wave.id, origin=wave.origin, privacy_mode=instrument.privacy_mode, on=NOW.date()
    )
    return store.invitations.of_wave(wave.id)


def code_of(store: Store, invited: Invited) -> str:
    return store.invitations.keys.code(invited.id, invited.generation)
