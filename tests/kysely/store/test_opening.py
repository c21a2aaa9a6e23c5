"""A fresh database, an old one, a read-only one, a locked one, something else: each works or says what to do."""

import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from kysely import store as stores
from kysely.errors import ConfigurationError, StoreError
from kysely.store import StoreBusy, upgrading
from kysely.store.databases import databases
from tests.conftest import settings_in
from tests.kysely.harvest import NOW, Respondent


def answered(store, harvest):
    """Let one person answer and return the response's id."""
    wave = store.collecting(harvest, NOW)
    person = Respondent(store, store.start(wave.id, "real", harvest.hash, "en", 7, NOW))
    person.names("Tila Oy")
    person.saves(hectares=3)
    return person.id


def refused(settings, **more):
    """Return what the store says when it can't be opened."""
    with pytest.raises(StoreError) as error:
        stores.open(settings, **more)
    sentence = str(error.value)
    assert not re.search(r"Traceback|sqlalche|psycopg\.|Error\b", sentence), sentence
    return sentence


def test_a_fresh_folder_becomes_two_databases_and_keeps_what_it_is_given(tmp_path, harvest):
    settings = settings_in(tmp_path)
    assert not settings.instance.exists()
    with closing(stores.open(settings)) as store:
        id = answered(store, harvest)
    assert {"answers.db", "identity.db"} <= {file.name for file in settings.instance.iterdir()}
    with closing(stores.open(settings)) as store:
        assert store.response(id).answers == {"hectares": 3}


def test_an_empty_file_is_a_fresh_database(tmp_path):
    settings = settings_in(tmp_path)
    settings.instance.mkdir()
    (settings.instance / "answers.db").touch()
    stores.open(settings).close()


def test_a_fresh_database_is_not_made_where_nobody_asked_for_it(tmp_path):
    settings = settings_in(tmp_path)
    settings.instance.mkdir()
    assert "kysely database upgrade" in refused(settings, upgrade=False)
    assert not (settings.instance / "answers.db").exists()


def test_a_folder_that_is_not_there_is_named(tmp_path):
    settings = settings_in(tmp_path, f"sqlite:///{tmp_path / 'typo' / 'answers.db'}")
    sentence = refused(settings)
    assert f"no folder {tmp_path / 'typo'}" in sentence and "KYSELY_DATABASE_URL" in sentence
    assert not (tmp_path / "typo").exists()


def test_a_folder_in_place_of_the_file_is_named(tmp_path):
    sentence = refused(settings_in(tmp_path, f"sqlite:///{tmp_path}"))
    assert "is a folder" in sentence


@pytest.mark.parametrize("name", ["answers.db", "identity.db"])
def test_a_file_that_is_no_database_is_named_and_left_alone(tmp_path, name):
    settings = settings_in(tmp_path)
    settings.instance.mkdir()
    (settings.instance / name).write_text("my thesis\n" * 1000)
    sentence = refused(settings)
    assert "is not a SQLite database" in sentence and name in sentence
    assert (settings.instance / name).read_text() == "my thesis\n" * 1000


def test_a_database_of_another_program_is_left_alone(tmp_path):
    settings = settings_in(tmp_path)
    settings.instance.mkdir()
    with closing(sqlite3.connect(settings.instance / "answers.db")) as other:
        other.execute("CREATE TABLE recipes (id)")
    assert "belongs to another program (its tables: recipes)" in refused(settings)


def test_a_damaged_database_is_not_served(sqlite_settings, harvest):
    with closing(stores.open(sqlite_settings)) as store:
        answered(store, harvest)
    file = sqlite_settings.instance / "answers.db"
    pages = bytearray(file.read_bytes())
    pages[4096 * 2 : 4096 * 3] = b"\xff" * 4096
    file.write_bytes(bytes(pages))
    found = [fault for database in databases(sqlite_settings) for fault in found_in(database)]
    assert found


def found_in(database):
    try:
        return stores.faults(database)
    except StoreError as error:
        return [str(error)]


def test_a_newer_schema_is_not_touched_by_an_older_program(settings):
    with closing(stores.open(settings)) as store, store.answers.database.owner.begin() as connection:
        if not store.answers.database.sqlite:
            connection.execute(text("SET LOCAL search_path = answers"))
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    try:
        for upgrade in (True, False):
            sentence = refused(settings, upgrade=upgrade)
            assert "schema 9999" in sentence and "newer Kysely" in sentence
    finally:  # the PostgreSQL database serves the other tests too
        with databases(settings)[0].owner.begin() as connection:
            if not databases(settings)[0].sqlite:
                connection.execute(text("SET LOCAL search_path = answers"))
            newest = upgrading.known(databases(settings)[0])[-1]
            connection.execute(text(f"UPDATE alembic_version SET version_num = '{newest}'"))


def test_a_read_only_database_says_so_at_the_start(sqlite_settings):
    url = f"sqlite:///file:{sqlite_settings.instance / 'answers.db'}?mode=ro&uri=true"
    sentence = refused(replace(sqlite_settings, database_url=url))
    assert "can't be written" in sentence and "KYSELY_DATABASE_URL" in sentence


@pytest.mark.parametrize("protected", ["file", "folder"])
def test_a_database_that_may_only_be_read_says_whom_to_ask_for_what(protected):
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        settings = settings_in(Path(folder))
        stores.open(settings).close()
        for file in settings.instance.iterdir():
            file.chmod(0o444 if protected == "file" else 0o666)
        for leftover in settings.instance.glob("*-*"):
            leftover.unlink()
        settings.instance.chmod(0o777 if protected == "file" else 0o555)
        sentence = opened_without_rights(settings)
        settings.instance.chmod(0o755)
    assert "can't be written" in sentence, sentence
    assert "Traceback" not in sentence


def opened_without_rights(settings):
    """Open the store as a user whom permissions bind, which root has to become first, and return what is said."""
    program = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from kysely import store\n"
        "from kysely.errors import StoreError\n"
        "from tests.conftest import settings_in\n"
        "if os.geteuid() == 0:\n"
        "    os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "try:\n"
        "    store.open(settings_in(Path(sys.argv[1])))\n"
        "except StoreError as error:\n"
        "    print(error)\n"
    )
    root = Path(__file__).resolve().parents[3]
    command = [sys.executable, "-c", program, str(settings.instance.parent)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_database_that_another_program_holds_says_so_and_loses_nothing(sqlite_settings, harvest):
    with closing(stores.open(sqlite_settings)) as store:
        id = answered(store, harvest)
        quick = impatient(store)
        with closing(sqlite3.connect(sqlite_settings.instance / "answers.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreBusy, match="in use by another program"):
                Respondent(quick, id).saves(hectares=4)
            assert quick.response(id).answers == {"hectares": 3}  # reading goes on
        assert Respondent(quick, id).saves(hectares=4).revision == 3
        quick.close()


def test_a_writer_waits_for_another_program_that_is_soon_done(sqlite_settings, harvest):
    with closing(stores.open(sqlite_settings)) as store:
        id = answered(store, harvest)
        other = sqlite3.connect(sqlite_settings.instance / "answers.db", isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        threading.Timer(0.5, other.execute, ["COMMIT"]).start()
        assert Respondent(store, id).saves(hectares=4).revision == 3
        other.close()


def impatient(store):
    """Return *store* with databases that wait a tenth of a second."""
    answers = replace(store.answers.database, patience=0.1)
    return replace(store, answers=replace(store.answers, database=answers))


def test_a_server_process_that_dies_gives_its_turn_back(sqlite_settings, harvest):
    with closing(stores.open(sqlite_settings)) as store:
        id = answered(store, harvest)
        lock = sqlite_settings.instance / "answers.db.lock"
        program = (
            "import fcntl, os, sys; fcntl.flock(os.open(sys.argv[1], os.O_RDWR), 2); print('held', flush=True); input()"
        )
        holder = subprocess.Popen([sys.executable, "-c", program, str(lock)], stdin=-1, stdout=-1)
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(StoreBusy):
            Respondent(impatient(store), id).saves(hectares=4)
        holder.kill()
        holder.communicate()
        assert Respondent(store, id).saves(hectares=4).revision == 3


def test_a_postgresql_server_that_is_not_there_is_named_without_the_password(tmp_path):
    sentence = refused(settings_in(tmp_path, "postgresql://kysely:hunter2@127.0.0.1:1/kysely"))
    assert "127.0.0.1:1" in sentence and "does not answer" in sentence and "hunter2" not in sentence


def test_a_postgresql_database_that_is_not_there_is_named(tmp_path, postgresql):
    sentence = refused(settings_in(tmp_path, postgresql("harvest_of_1866")))
    assert "createdb" in sentence and "harvest_of_1866" in sentence


def test_a_postgresql_login_that_is_unknown_is_named(tmp_path, postgresql):
    assert "refused the login" in refused(settings_in(tmp_path, postgresql("postgres", "nobody_known")))


def test_a_login_without_rights_is_told_what_an_administrator_must_run(empty_postgresql, tmp_path):
    url = empty_postgresql.database_url.replace("+psycopg", "")
    name = url.partition("/@/")[0] or url
    database = re.search(r"@/(\w+)", url)[1]
    with psycopg.connect(url, autocommit=True) as server:
        for role in ("farmhand", "farmer"):
            server.execute(f"DROP ROLE IF EXISTS {role}")
        server.execute("CREATE ROLE farmhand LOGIN")
        server.execute("CREATE ROLE farmer LOGIN CREATEROLE")
        server.execute(f"GRANT CREATE ON DATABASE {database} TO farmer")
    assert name
    hand = settings_in(tmp_path, url.replace("postgres@", "farmhand@"))
    sentence = refused(hand)
    assert 'TO "farmhand";' in sentence and "Have an administrator run" in sentence
    with psycopg.connect(url, autocommit=True) as server:
        for role in ("kysely_answers", "kysely_identity", "kysely_access"):
            server.execute(f"DO $$ BEGIN CREATE ROLE {role} NOLOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
            server.execute(f"GRANT {role} TO farmhand")
    assert 'CREATE SCHEMA answers AUTHORIZATION "farmhand";' in refused(hand)
    with psycopg.connect(url, autocommit=True) as server:
        for schema in ("answers", "identity", "access"):
            server.execute(f"CREATE SCHEMA {schema} AUTHORIZATION farmhand")
    stores.open(hand).close()
    with psycopg.connect(url, autocommit=True) as server:
        server.execute("DROP SCHEMA answers CASCADE; DROP SCHEMA identity CASCADE; DROP SCHEMA access CASCADE")
        server.execute("DROP OWNED BY farmhand; DROP ROLE farmhand; DROP OWNED BY farmer; DROP ROLE farmer")


def test_two_processes_that_open_a_fresh_database_at_once_both_work(tmp_path):
    settings = settings_in(tmp_path)
    settings.instance.mkdir()
    failures = []

    def open_it():
        try:
            stores.open(settings).close()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the failure of this test
            failures.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_a_copy_of_the_file_alone_is_told_apart_from_a_backup(sqlite_settings, harvest, tmp_path):
    """The .db file of a running server lacks what lies in its -wal file; a backup has it."""
    with closing(stores.open(sqlite_settings)) as store:
        answered(store, harvest)
        files = stores.backup(sqlite_settings, tmp_path / "backups", now=NOW)
    restored = settings_in(tmp_path / "restored")
    restored.instance.mkdir(parents=True)
    for file in files:
        assert file.stat().st_mode & 0o077 == 0
        shutil.copy(file, restored.instance / f"{file.name.partition('-')[0]}.db")
    # With a key of its own it would find nobody, and begin everybody anew.
    with pytest.raises(ConfigurationError, match="KYSELY_LINK_KEY is not the one"):
        stores.open(restored)
    shutil.copy(sqlite_settings.instance / "link.key", restored.instance)
    with closing(stores.open(restored)) as store:
        assert [count.answered for count in store.counts()] == [1]
        [state] = store.responses(store.waves()[0].id)
        assert store.organisation_typed(state.id).name == "Tila Oy"


def test_a_backup_of_postgresql_is_made_by_its_own_tool(postgresql_settings, tmp_path):
    with pytest.raises(StoreError, match="pg_dump"):
        stores.backup(postgresql_settings, tmp_path, now=NOW)


def test_connections_that_the_server_has_cut_are_replaced_and_nothing_acknowledged_is_lost(
    postgresql_settings, harvest
):
    with closing(stores.open(postgresql_settings)) as store:
        person = Respondent(store, answered(store, harvest))
        with psycopg.connect(postgresql_settings.database_url.replace("+psycopg", ""), autocommit=True) as server:
            for hectares in range(4, 8):
                server.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
                person.saves(hectares=hectares)
                assert person.answers == {"hectares": hectares}
