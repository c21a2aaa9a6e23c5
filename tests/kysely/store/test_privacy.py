"""Names and answers stay apart, and no error message repeats either."""

import sqlite3
from contextlib import closing

import psycopg
import pytest
from sqlalchemy import text

from kysely import store as stores
from kysely.errors import StoreError

MARKER = "Wxyzmarkerå"


def everything(settings):
    """Return every byte of every file in the instance folder but the identity database's."""
    files = [file for file in settings.instance.rglob("*") if file.is_file() and "identity" not in file.name]
    assert any(file.name == "answers.db" for file in files)
    return b"".join(file.read_bytes() for file in files)


def test_no_byte_of_the_answers_database_or_its_log_holds_a_name(sqlite_settings, harvest):
    from tests.kysely.harvest import NOW, Respondent

    store = stores.open(sqlite_settings)
    wave = store.collecting(harvest, NOW)
    respondent = Respondent(store, store.start(wave.id, "real", harvest.hash, "en", 7, NOW))
    respondent.names(f"{MARKER} Oy", f"{MARKER}kylä", "2077474-0", farm_given=1)
    respondent.saves(hectares=3)
    identity = b"".join(file.read_bytes() for file in sqlite_settings.instance.glob("identity*"))
    assert MARKER.encode() in identity
    for name in (MARKER, MARKER.casefold(), "2077474"):
        assert name.encode() not in everything(sqlite_settings)
    store.close()
    assert MARKER.encode() not in everything(sqlite_settings)


def test_on_postgresql_the_connection_for_answers_cannot_read_names_nor_the_other_way_round(
    postgresql_settings, harvest
):
    store = stores.open(postgresql_settings)
    for database, other in (
        (store.answers.database, "identity.organisation"),
        (store.answers.database, "identity.respondent"),
        (store.identities.database, "answers.answer_event"),
        (store.identities.database, "answers.response"),
    ):
        with pytest.raises(StoreError, match="may not"), database.reading() as connection:
            connection.execute(text(f"SELECT * FROM {other}"))
    store.close()


def test_on_postgresql_daily_work_has_no_right_to_delete_an_answer_or_to_change_a_table(postgresql_settings):
    store = stores.open(postgresql_settings)
    for statement in ("DELETE FROM response", "DELETE FROM page_submission", "UPDATE answer_event SET number = 1"):
        with pytest.raises(StoreError, match="may not"), store.answers.database.writing() as connection:
            connection.execute(text(statement))
    for statement in ("DROP TABLE answer_event", "CREATE TABLE answers.more (x int)", "TRUNCATE response"):
        with pytest.raises(StoreError, match="may not"), store.answers.database.writing() as connection:
            connection.execute(text(statement))
    store.close()


def test_on_postgresql_every_connection_has_its_role_and_its_time_limits(postgresql_settings):
    store = stores.open(postgresql_settings)
    for database in (store.answers.database, store.identities.database):
        for _ in range(3):
            with database.reading() as connection:
                wanted = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "search_path")
                found = [connection.execute(text(f"SHOW {name}")).scalar() for name in wanted]
                assert found == ["30s", "6s", "30s", database.name]
                assert connection.execute(text("SELECT current_user")).scalar() == f"kysely_{database.name}"
    store.close()


def test_an_error_of_the_database_repeats_no_answer(store, respondent, harvest):
    respondent.saves(hectares=3)
    with pytest.raises(StoreError) as error, store.answers.database.writing() as connection:
        connection.execute(
            text(
                "INSERT INTO answer_event (response, variable, revision, text, number, at) "
                "VALUES (:r, 'v', 9, :t, 1, :a)"
            ),
            {"r": respondent.id, "t": MARKER, "a": "2015-04-20 00:00:00"},
        )
    chain, seen = error.value, []
    while chain is not None and not chain.__suppress_context__:
        seen.append(chain)
        chain = chain.__cause__ or chain.__context__
    assert "one_of_number_text_missing" in str(error.value)
    assert not any(MARKER in str(one) for one in [*seen, error.value])


def test_an_answer_postgresql_cannot_hold_is_refused_without_being_repeated(store, respondent):
    if store.answers.database.sqlite:
        respondent.saves(remark=f"{MARKER}\x00")  # SQLite holds it; questions fold it away before it comes here
        return
    with pytest.raises(StoreError) as error:
        respondent.saves(remark=f"{MARKER}\x00")
    assert MARKER not in str(error.value)


def test_settings_and_databases_show_no_password_when_printed(tmp_path):
    from tests.conftest import settings_in

    settings = settings_in(tmp_path, "postgresql://kysely:hunter2@db.example.fi/kysely")
    databases = stores.databases(settings)
    assert "hunter2" not in repr(settings) + str(databases[0]) + repr(databases[0].url)


def test_the_files_of_a_demonstration_are_the_owners_alone(sqlite_settings):
    stores.open(sqlite_settings).close()
    for file in [sqlite_settings.instance, *sqlite_settings.instance.iterdir()]:
        assert file.stat().st_mode & 0o077 == 0, file.name


def test_psycopg_and_sqlite_are_what_is_tested(postgresql_settings, sqlite_settings):
    with psycopg.connect(postgresql_settings.database_url.replace("+psycopg", "")) as connection:
        assert connection.info.server_version >= 180000
    with closing(sqlite3.connect(sqlite_settings.instance / "answers.db")) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
