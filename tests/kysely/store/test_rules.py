"""What the databases themselves refuse, whatever program writes to them."""

import pytest
from sqlalchemy import text

from kysely.errors import StoreError
from kysely.store import REAL, SIMULATED
from tests.kysely.harvest import NOW


def run(store, statement, **values):
    """Run *statement* as the owner of the tables: triggers and keys hold for everybody."""
    database = store.answers.database
    with database.explained(), database.turn(), database.owner.begin() as connection:
        if not database.sqlite:
            connection.execute(text("SET LOCAL search_path = answers"))
        return connection.execute(text(statement), values).rowcount


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE answer_event SET number = 4",
        "UPDATE answer_event SET revision = revision + 1",
        "DELETE FROM answer_event",
        "DELETE FROM answer_event WHERE variable = 'hectares'",
    ],
)
def test_an_answer_is_never_changed_or_deleted(store, respondent, statement):
    respondent.saves(hectares=3)
    with pytest.raises(StoreError, match="never changed or deleted"):
        run(store, statement)
    assert respondent.answers == {"hectares": 3}


def test_a_database_offers_no_other_way_to_lose_an_answer(store, respondent):
    respondent.saves(hectares=3)
    sqlite = store.answers.database.sqlite
    way = "INSERT OR REPLACE INTO answer_event SELECT * FROM answer_event" if sqlite else "TRUNCATE answer_event"
    with pytest.raises(StoreError, match="never changed or deleted"):
        run(store, way)
    assert respondent.answers == {"hectares": 3}


def test_a_response_with_answers_and_a_wave_with_responses_cannot_be_deleted(store, respondent):
    respondent.saves(hectares=3)
    for table in ("response", "wave", "instrument_version"):
        with pytest.raises(StoreError, match="CONSTRAINT|23503"), store.answers.database.writing() as connection:
            if not store.answers.database.sqlite:
                connection.execute(text("RESET ROLE"))
            connection.execute(text(f"DELETE FROM {table}"))


@pytest.mark.parametrize(("wave_of", "claims"), [(REAL, SIMULATED), (SIMULATED, REAL)])
def test_a_simulated_response_cannot_enter_a_real_wave_nor_a_real_one_a_simulated(store, harvest, wave_of, claims):
    wave = store.open_wave(harvest, name="wave", origin=wave_of, now=NOW)
    with pytest.raises(StoreError, match="CONSTRAINT|fk_response_wave"):
        store.start(wave, claims, harvest.hash, "en", 7, NOW)
    response = store.start(wave, wave_of, harvest.hash, "en", 7, NOW)
    with pytest.raises(StoreError, match="CONSTRAINT|fk_response_wave"), store.answers.database.writing() as connection:
        connection.execute(text("UPDATE response SET origin = :origin"), {"origin": claims})
    assert store.response(response).origin == wave_of


def test_the_origin_of_a_wave_with_responses_cannot_be_changed(store, respondent):
    with pytest.raises(StoreError, match="CONSTRAINT|fk_response_wave"), store.answers.database.writing() as connection:
        connection.execute(text("UPDATE wave SET origin = 'simulated'"))


def test_a_simulated_respondent_cannot_belong_to_a_real_organisation(store, respondent):
    respondent.names("Tila Oy")
    with (
        pytest.raises(StoreError, match="CONSTRAINT|fk_respondent_organisation"),
        store.identities.database.writing() as connection,
    ):
        connection.execute(text("UPDATE respondent SET origin = 'simulated'"))


@pytest.mark.parametrize(
    "values",
    [
        "NULL, NULL, NULL",
        "1, 'RYE', NULL",
        "NULL, 'RYE', 'dont_know'",
        "NULL, NULL, 'lost'",
    ],
)
def test_an_answer_is_exactly_one_of_number_text_and_one_of_the_five_kinds_of_missing(store, respondent, values):
    with pytest.raises(StoreError, match="ck_answer_event|CONSTRAINT"):
        run(
            store,
            "INSERT INTO answer_event (response, variable, revision, number, text, missing, at) "
            f"VALUES ('{respondent.id}', 'v', 1, {values}, '2015-04-20 00:00:00')",
        )


def test_a_response_needs_a_version_that_was_published(store, wave):
    with pytest.raises(StoreError, match="was published here"):
        store.start(wave, REAL, "0" * 64, "en", 7, NOW)


def test_every_sqlite_connection_is_durable_and_minds_foreign_keys(sqlite_settings):
    from kysely import store as stores

    store = stores.open(sqlite_settings)
    for database in (store.answers.database, store.identities.database):
        with database.reading() as one, database.reading() as other:
            for connection in (one, other):
                found = {
                    name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                    for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "busy_timeout")
                }
                full = 2
                assert found.pop("busy_timeout") >= 5000
                assert found == {"journal_mode": "wal", "synchronous": full, "foreign_keys": 1, "secure_delete": 1}
    store.close()


def test_answers_lie_in_no_order_of_arrival(sqlite_settings):
    from kysely import store as stores

    store = stores.open(sqlite_settings)
    with pytest.raises(StoreError), store.answers.database.reading() as connection:
        connection.execute(text("SELECT rowid FROM answer_event"))
    store.close()
