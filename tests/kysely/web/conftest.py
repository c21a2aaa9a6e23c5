from __future__ import annotations

import pytest
from flask import Flask

from kysely import store as stores
from kysely.config import Settings
from kysely.web import create_app
from tests.kysely.web._visitor import Visitor


@pytest.fixture
def app(settings: Settings, store: stores.Store) -> Flask:
    """The whole application over fresh databases of either kind."""
    return create_app(settings, store)


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    return Visitor(app)


@pytest.fixture
def embedded(sqlite_settings: Settings):
    """A store on SQLite, for what has nothing to do with the database."""
    opened = stores.open(sqlite_settings)
    yield opened
    opened.close()


@pytest.fixture
def site(sqlite_settings: Settings, embedded: stores.Store) -> Flask:
    """The whole application on SQLite."""
    return create_app(sqlite_settings, embedded)
