"""The studies that are open: the questionnaires of the folder, frozen in the store, each with its wave."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from kysely import loading
from kysely.config import Settings
from kysely.instrument import Instrument
from kysely.store import REAL, Store, Wave, WaveClosed
from kysely.web.wording import LANGUAGES


@dataclass(frozen=True)
class Study:
    """An instrument that can be answered now, and the wave that its answers belong to."""

    instrument: Instrument
    wave: Wave

    @property
    def id(self) -> str:
        return self.instrument.id

    @property
    def languages(self) -> tuple[str, ...]:
        """Those of the instrument that the interface speaks too."""
        return tuple(language for language in self.instrument.languages if language in LANGUAGES)


def open_studies(settings: Settings, store: Store, origin: str, now: Callable[[], datetime]) -> Mapping[str, Study]:
    """Return the open studies by instrument.

    A demonstration opens a wave where there is none; production serves only those that an operator has opened,
    which takes a controller, a contact, a purpose, a legal basis and a retention time.
    """
    studies = {}
    for file in sorted(settings.questionnaires.glob("*/questionnaire.yaml")):
        instrument = loading.load(file.parent)
        with suppress(WaveClosed):
            wave = _wave(store, instrument, origin, now())
            store.publish(instrument, now())
            studies[instrument.id] = Study(instrument, wave)
    return studies


def _wave(store: Store, instrument: Instrument, origin: str, now: datetime) -> Wave:
    if origin == REAL:
        return store.collecting(instrument, now)
    wave = store.wave(instrument.id, instrument.form, origin)
    if wave is None:
        raise WaveClosed(f"No {origin} wave of {instrument.id} has been opened.")
    return wave
