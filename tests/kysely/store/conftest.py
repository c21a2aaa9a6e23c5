from __future__ import annotations

import pytest

from kysely.store import REAL
from tests.kysely.harvest import NOW, Respondent


@pytest.fixture
def wave(store, harvest) -> str:
    return store.open_wave(harvest, name="open", origin=REAL, now=NOW)


@pytest.fixture
def start(store, harvest, wave):
    def start(wave=wave, origin=REAL, **more) -> Respondent:
        return Respondent(store, store.start(wave, origin, harvest.hash, "en", 7, NOW, **more))

    return start


@pytest.fixture
def respondent(start) -> Respondent:
    return start()
