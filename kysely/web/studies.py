"""The studies that are open: what was published for each wave. Publishing anew needs no restart.

Looked at anew every few seconds at most, by one query; between two looks a study is a look-up in memory.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from kysely import loading
from kysely.config import Settings
from kysely.errors import KyselyError
from kysely.instrument import Instrument
from kysely.store import OPEN, REAL, Publication, Store, Wave, WaveClosed
from kysely.web.wording import LANGUAGES

LOOK_AGAIN = 5.0
"""Seconds after which a running server has seen what was published."""


@dataclass(frozen=True)
class Study:
    """An instrument that can be answered now, and the wave that its answers belong to."""

    instrument: Instrument
    wave: Wave

    @property
    def id(self) -> str:
        return self.instrument.id

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """Those of the instrument that the interface speaks too."""
        return tuple(language for language in self.instrument.languages if language in LANGUAGES)


@dataclass
class Studies(Mapping[str, Study]):
    """The open studies by instrument, as published."""

    store: Store
    origin: str
    known: dict[str, Study]
    clock: Callable[[], float] = time.monotonic
    _looked: float = 0.0
    _looking: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __post_init__(self) -> None:
        self._looked = self.clock()

    def __getitem__(self, instrument: str) -> Study:
        self._look_again()
        return self.known[instrument]

    def __iter__(self) -> Iterator[str]:
        self._look_again()
        return iter(tuple(self.known))

    def __len__(self) -> int:
        return len(self.known)

    def _look_again(self) -> None:
        """Take up what was published since the last look; one thread looks, the others go on with what is known."""
        if self.clock() - self._looked < LOOK_AGAIN or not self._looking.acquire(blocking=False):
            return
        try:
            # A store that is out of reach is told to the respondent where something has to be saved.
            with suppress(KyselyError):
                self.known = {**self.known, **self._published()}
            self._looked = self.clock()
        finally:
            self._looking.release()

    def _published(self) -> dict[str, Study]:
        return {
            publication.wave.instrument: Study(self.store.instrument(publication.hash), publication.wave)
            for publication in asked_now(self.store, self.origin)
        }


def open_studies(settings: Settings, store: Store, origin: str, now: Callable[[], datetime]) -> Studies:
    """Return the open studies.

    A demonstration opens a wave where there is none and publishes the questionnaires as it finds them; production
    serves only waves that an operator has opened, which takes a controller, a contact, a purpose, a legal basis and
    a retention time, and of each what was published last. Robots are asked what their wave was opened with.
    """
    if origin == REAL and settings.demonstration:
        for file in sorted(settings.questionnaires.glob("*/questionnaire.yaml")):
            form = _form_under_way(store, file.parent.name)
            if form is None or form in loading.forms(file.parent):  # what is asked may have left the file
                with suppress(WaveClosed):
                    _demonstrate(store, loading.load(file.parent, form), now())
    studies = Studies(store, origin, {})
    studies.known = studies._published()
    return studies


def asked_now(store: Store, origin: str) -> tuple[Publication, ...]:
    """Return what is asked of each instrument: what its open wave asks, of several the one opened last.

    Where none is open it is the last closed one, which takes no new responses: those begun can still be finished.
    """
    found: dict[str, Publication] = {}
    for publication in sorted(store.publications(), key=lambda one: one.wave.state != OPEN):
        wave = publication.wave
        if wave.origin == origin and not (wave.demonstration and store.settings.production):
            found.setdefault(wave.instrument, publication)
    return tuple(sorted(found.values(), key=lambda publication: publication.wave.instrument))


def _form_under_way(store: Store, instrument: str) -> str | None:
    """Return the form whose wave is open for real answers, None where there is none: then the first form is asked."""
    asked = (found.wave for found in asked_now(store, REAL) if found.wave.instrument == instrument)
    return next((wave.form for wave in asked if wave.state == OPEN), None)


def _demonstrate(store: Store, instrument: Instrument, now: datetime) -> None:
    """Publish *instrument* as its file is, in the open wave or in a first one."""
    store.publish_in(store.collecting(instrument, now).id, instrument, now)
