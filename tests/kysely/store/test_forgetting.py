"""When nobody may be traced any more: people are deleted, answers stay, and the key can be destroyed."""

from __future__ import annotations

import io
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from kysely import cli
from kysely import store as stores
from kysely.errors import StoreError
from tests.kysely.harvest import NOW
from tests.kysely.web._invited import invite


def rows(store):
    database = store.identities.database
    with database.reading() as connection:
        return sum(
            connection.execute(text(f"SELECT count(*) FROM {name}")).scalar() for name in database.metadata.tables
        )


@pytest.fixture
def answered(store, start, wave, tmp_path):
    person = start()
    person.names("Wxyzmarker Oy", "Salo")
    person.saves("person", role="OWNER")
    invite(store, next(one for one in store.waves() if one.id == wave), tmp_path, "maija@example.fi,Maija,en")
    return person


def test_people_are_gone_and_answers_stay_under_another_key(settings, store, answered, wave):
    with pytest.raises(StoreError, match="is open; nobody was deleted"):
        stores.forget(settings, now=NOW)
    store.close_wave(wave, NOW)
    assert store.organisation_typed(answered.id)
    counts = stores.forget(settings, now=NOW + timedelta(days=2))
    assert (counts["respondent"], counts["contact"], counts["invitation"]) == (1, 1, 1)
    assert rows(store) == 0
    store.close()
    if store.identities.database.sqlite:
        assert b"Wxyzmarker" not in b"".join(file.read_bytes() for file in settings.instance.glob("identity.db*"))
    with closing(
        stores.open(replace(settings, link_key="a key that was made when the old one was destroyed"))
    ) as later:
        assert later.response(answered.id).answers == {"role": "OWNER"}
        assert later.organisation_typed(answered.id) is None


def test_the_terminal_asks_before_it_forgets(sqlite_settings, harvest, monkeypatch, capsys):
    monkeypatch.setenv("KYSELY_INSTANCE", str(sqlite_settings.instance))
    monkeypatch.setenv("KYSELY_SECRET_KEY", sqlite_settings.secret_key)
    with closing(stores.open(sqlite_settings)) as store:
        wave = store.collecting(harvest, NOW)
        store.close_wave(wave.id, datetime.now(UTC) - timedelta(days=3))
    monkeypatch.setattr("sys.stdin", io.StringIO("no\n"))
    assert cli.main(["database", "forget"]) == 4
    assert "Nobody was deleted." in capsys.readouterr().out
    assert cli.main(["database", "forget", "--yes"]) == 0
    assert "0 respondents" in capsys.readouterr().out
