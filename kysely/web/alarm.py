"""Whether answers can be saved: told on every page before somebody types, not only when it has failed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from kysely.errors import StoreError
from kysely.store import Store, StoreBusy

LOOK_AGAIN = 5.0
"""Seconds for which what was found is taken to hold; a page looks no more often than that."""


@dataclass
class Alarm:
    """Knows whether the two databases take answers; one for the whole application."""

    store: Store
    clock: Callable[[], float] = time.monotonic
    _sounding: bool = False
    _looked: float | None = None
    _looking: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __call__(self) -> bool:
        """Whether nothing can be saved at the moment. One thread looks, the others take what is known."""
        fresh = self._looked is not None and self.clock() - self._looked < LOOK_AGAIN
        if not fresh and self._looking.acquire(blocking=False):
            try:
                self._sounding = not self._takes_answers()
                self._looked = self.clock()
            finally:
                self._looking.release()
        return self._sounding

    def _takes_answers(self) -> bool:
        try:
            for database in (self.store.answers.database, self.store.identities.database):
                database.hurried.show_writable()
        except StoreBusy:
            return True  # somebody else is writing, and will be done soon: a save waits longer than this look
        except StoreError:
            return False
        return True
