"""Databases of the first schema, with answers in them, are brought to the newest, whenever somebody pulls the plug."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from kysely import store as stores
from kysely.links import Keys
from kysely.questions.organisation import OrganisationTyped
from kysely.store import _postgresql, upgrading
from kysely.store.databases import databases
from tests.conftest import settings_in
from tests.kysely.harvest import NOW

PEOPLE = 30

GONE = {
    "identity": {
        "organisation": {"id"},
        "respondent": {"organisation_id", "response_id", "role", "created_on"},
    }
}
"""What an upgrade may change of the first schema's values: the ids that answers were found by, roles, and days."""

POINTS = [
    (name, file.name[:4], when)
    for name in ("answers", "identity")
    for file in sorted((upgrading.MIGRATIONS / name).glob("000[2-9]*.py"))
    for when in ("before", "after")
]
POINTS = POINTS if os.environ.get("KYSELY_LONG") else [POINTS[1], POINTS[-4], POINTS[-1]]

STOPPING = """

_migrate = upgrade


def upgrade():
    import pathlib, time

    started = pathlib.Path({mark!r})

    def stop():
        if not started.exists():
            started.touch()
            time.sleep(60)

    if {when!r} == "before":
        stop()
    _migrate()
    if {when!r} == "after":
        stop()
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def first(request, tmp_path, harvest):
    """Settings of databases in which people answered when the schema was the first one."""
    if request.param == "postgresql":
        settings = request.getfixturevalue("empty_postgresql")
        settings.instance.mkdir(parents=True, exist_ok=True)
    else:
        settings = settings_in(tmp_path)
        settings.instance.mkdir(parents=True)
    keys, folder = Keys.of(settings), tmp_path / "first"
    for database in databases(settings):
        (folder / database.name).mkdir(parents=True)
        for file in (upgrading.MIGRATIONS / database.name).glob("0001*.py"):
            (folder / database.name / file.name).write_text(file.read_text())
        if not database.sqlite:
            _postgresql.prepare(database)
        with database.owner.begin() as connection:
            if not database.sqlite:
                _postgresql.enter(database, connection)
            upgrading._run(database, connection, folder, keys)
            fill(connection, answers(harvest) if database.name == "answers" else identity())
        database.close()
    return settings


def fill(connection, rows):
    for table, values in rows:
        columns = ", ".join(values)
        connection.execute(text(f"INSERT INTO {table} ({columns}) VALUES (:{', :'.join(values)})"), values)


def id(kind, number):
    return f"{kind:02x}{number:030x}"


def answers(instrument):
    """Yield what that Kysely would have written: answers of several pages, some of them sent."""
    yield (
        "instrument_version",
        {
            "hash": instrument.hash,
            "instrument": instrument.id,
            "form": instrument.form,
            "revision": "1",
            "canonical": instrument.canonical,
            "published_at": NOW,
        },
    )
    wave = {
        "id": id(1, 1),
        "instrument": instrument.id,
        "form": instrument.form,
        "name": "2015",
        "origin": "real",
        "state": "open",
    }
    yield "wave", {**wave, "opened_at": NOW}
    for number in range(PEOPLE):
        sent = NOW if number % 3 else None
        yield (
            "response",
            {
                "id": id(2, number),
                "wave_id": id(1, 1),
                "origin": "real",
                "version_hash": instrument.hash,
                "organisation_key": id(3, number // 2),
                "language": "fi",
                "mode": "web",
                "seed": number,
                "revision": 2,
                "state": "submitted" if sent else "open",
                "started_at": NOW,
                "submitted_at": sent,
            },
        )
        event = {"response": id(2, number), "at": NOW, "number": None, "text": None, "missing": None}
        yield "answer_event", {**event, "variable": "hectares", "revision": 1, "number": number / 2}
        yield "answer_event", {**event, "variable": "remark", "revision": 2, "text": f"härkä {number}"}
        yield "answer_event", {**event, "variable": "role", "revision": 2, "missing": "no_answer"}
        page = {"response": id(2, number), "page": "field", "stage": "", "revision": 2, "at": NOW}
        yield "page_submission", {**page, "submit_key": secrets.token_hex(16), "digest": secrets.token_hex(16)}


def identity():
    """Yield who gave them, two of each organisation."""
    for number in range(PEOPLE // 2):
        named = {"name": f"Tila {number}", "name_key": f"tila {number}", "municipality": "Salo"}
        given = {"municipality_key": "salo", "business_id": None, "origin": "real"}
        yield "organisation", {"id": id(3, number), **named, **given}
    for number in range(PEOPLE):
        typed = {"name_typed": f"TILA {number // 2}", "municipality_typed": "Salo", "business_id_typed": ""}
        belongs = {"organisation_id": id(3, number // 2), "response_id": id(2, number), "role": "OWNER"}
        yield (
            "respondent",
            {"id": id(4, number), **belongs, **typed, "created_on": date(2015, 4, 20), "origin": "real"},
        )


def held(settings):
    """Return of each database its tables by column: every value, sorted by the row's key."""
    found = {}
    for database in databases(settings):
        with database.owner.begin() as connection:
            if not database.sqlite:
                connection.execute(text(f"SET LOCAL search_path = {database.name}"))
            inventory = upgrading._inventory(connection)
        found[database.name] = inventory
        database.close()
    return found


def check(settings, before):
    """Everything of *before* is there, row by row and value by value, but what is declared; and people are found."""
    after = held(settings)
    for name, tables in before.items():
        for table, inventory in tables.items():
            gone = GONE.get(name, {}).get(table, set())
            assert after[name][table].rows == inventory.rows
            if "id" in gone:  # every sum is over the key as well
                continue
            for column, total in inventory.columns.items():
                assert column in gone or after[name][table].columns[column] == total, (table, column)
    with closing(stores.open(settings)) as store:
        for number in range(PEOPLE):
            state = store.response(id(2, number))
            assert state.answers["remark"] == f"härkä {number}" and state.answers["hectares"] == number / 2
            assert store.organisation_typed(state.id) == OrganisationTyped(f"TILA {number // 2}", "Salo", "")
            assert store.identities.role(state.id) == "OWNER"
            with store.identities.database.reading() as connection:
                organisation = store.identities.keys.identity_id(state.organisation_key)
                named = text("SELECT name FROM organisation WHERE id = :id")
                assert connection.execute(named, {"id": organisation}).scalar() == f"Tila {number // 2}"
        assert [count.answered for count in store.counts()] == [PEOPLE]
        with store.identities.database.reading() as connection:
            kept = connection.execute(text("SELECT * FROM respondent")).all()
    assert not any(id(kind, number) in row for kind in (2, 3) for number in range(PEOPLE) for row in kept)


def test_nothing_is_lost_on_the_way_from_the_first_schema_but_the_ids_that_led_to_answers(first):
    before = held(first)
    done = {one.database: one for one in stores.upgraded(first, now=datetime.now(UTC))}
    assert done["answers"].before == done["identity"].before == "0001"
    check(first, before)
    if first.database_url.startswith("sqlite"):
        # The file itself is rebuilt: what joined the two isn't among its free pages either.
        content = b"".join(file.read_bytes() for file in first.instance.glob("identity.db*"))
        assert not any(id(kind, 3).encode() in content for kind in (2, 3))


@pytest.mark.parametrize(("name", "revision", "when"), POINTS)
def test_an_upgrade_from_the_first_schema_that_is_killed_anywhere_is_finished_by_the_next(
    first, tmp_path, name, revision, when
):
    before = held(first)
    folder, mark = tmp_path / "stopping", tmp_path / "started"
    for database in ("answers", "identity"):
        (folder / database).mkdir(parents=True)
        for file in (upgrading.MIGRATIONS / database).glob("0*.py"):
            here = STOPPING.format(mark=str(mark), when=when) if (database, file.name[:4]) == (name, revision) else ""
            (folder / database / file.name).write_text(file.read_text() + here)
    program = (
        "import sys; from pathlib import Path; from tests.kysely.store.test_first_schema import bring; "
        "bring(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))"
    )
    url = "" if first.database_url.startswith("sqlite") else first.database_url.replace("+psycopg", "")
    victim = subprocess.Popen(
        [sys.executable, "-c", program, str(first.instance.parent), url, str(folder)],
        cwd=Path(__file__).resolve().parents[3],
    )
    deadline = time.monotonic() + 120
    while not mark.exists() and victim.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    assert mark.exists()
    os.kill(victim.pid, signal.SIGKILL)
    assert victim.wait() == -signal.SIGKILL
    schemas = [upgrading.current(database) for database in databases(first)]
    assert schemas[0 if name == "answers" else 1] == "0001"
    check(first, before)


def bring(folder: Path, url: str, migrations: Path) -> None:
    """Upgrade as a process of its own, by *migrations*."""
    settings = settings_in(folder, url or None)
    for database in databases(settings):
        upgrading.upgrade(database, folder / "copies", keys=Keys.of(settings), now=NOW, folder=migrations)
