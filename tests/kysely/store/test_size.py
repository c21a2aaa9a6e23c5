"""However many items a questionnaire has, the databases stay as they are: no table of its own, no column of its own."""

from __future__ import annotations

from benchmarks.large import written
from kysely import loading
from kysely.store import REAL
from tests.kysely.harvest import NOW


def test_a_questionnaire_of_3000_items_is_published_without_changing_the_schema(settings, store, tmp_path):
    instrument = loading.load(written(tmp_path, 3000))
    assert sum(len(question.names) for question in instrument.questions) >= 3000
    before = schema(store)
    store.open_wave(instrument, name="large", origin=REAL, now=NOW)
    assert store.instrument(store.publications()[0].hash) == instrument
    assert schema(store) == before


def schema(store) -> list[tuple[str, ...]]:
    """Return every table with its columns and every index, of both databases."""
    found: list[tuple[str, ...]] = []
    for database in (store.answers.database, store.identities.database):
        with database.reading() as connection:
            if database.sqlite:
                rows = connection.exec_driver_sql("SELECT type, name, sql FROM sqlite_master ORDER BY 1, 2")
            else:
                rows = connection.exec_driver_sql(
                    "SELECT table_schema, table_name, column_name, data_type FROM information_schema.columns"
                    " ORDER BY 1, 2, 3"
                )
            found += [tuple(str(each) for each in row) for row in rows]
    return found
