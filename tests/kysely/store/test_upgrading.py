"""An upgrade keeps every row and value, or changes nothing at all. The migrations here are made for these tests."""

import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

from kysely import store as stores
from kysely.errors import StoreError
from kysely.links import Keys
from kysely.store import upgrading
from kysely.store.databases import databases
from tests.kysely.harvest import NOW, Respondent

HEADER = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "{next}", "{newest}"
"""
NEWEST = sorted(file.name[:4] for file in (upgrading.MIGRATIONS / "answers").glob("0*.py"))[-1]
NEXT = f"{int(NEWEST) + 1:04}"
RENAME = """
CHANGES_VALUES = {"response": "seed is called chance"}


def upgrade():
    with op.batch_alter_table("response") as batch:
        batch.alter_column("seed", new_column_name="chance")
"""
GROW = """
def upgrade():
    op.add_column("response", sa.Column("weather", sa.String()))
    op.create_table("visit", sa.Column("response", sa.String(), primary_key=True))
"""
LOSE_ROWS = """
def upgrade():
    op.execute("DELETE FROM page_submission WHERE page = 'field'")
"""
LOSE_TABLE = """
def upgrade():
    op.drop_table("page_submission")
"""
EMPTY_VALUES = """
def upgrade():
    op.execute("UPDATE response SET language = 'xx'")
"""
SWAP_VALUES = """
def upgrade():
    op.execute("UPDATE response SET seed = CASE seed WHEN 1 THEN 2 ELSE 1 END")
"""
DANGLE = """
CHANGES_ROWS = {"wave": "this migration says so"}


def upgrade():
    op.execute("DELETE FROM wave")
"""
FAIL = """
def upgrade():
    op.execute("UPDATE response SET language = 'xx'")
    op.execute("SELECT no_such_column FROM response")
"""


@pytest.fixture
def populated(request, harvest):
    """Settings of a database in the newest schema in which two people have answered."""
    settings = request.getfixturevalue(request.param)
    with closing(stores.open(settings)) as store:
        wave = store.collecting(harvest, NOW)
        for seed in (1, 2):
            person = Respondent(store, store.start(wave.id, "real", harvest.hash, "en", seed, NOW))
            person.names(f"Tila {seed} Oy")
            person.saves("person", role="OWNER")
            person.saves(hectares=seed, remark="dry")
    return settings


both = pytest.mark.parametrize("populated", ["sqlite_settings", "empty_postgresql"], indirect=True)
sqlite_only = pytest.mark.parametrize("populated", ["sqlite_settings"], indirect=True)


@pytest.fixture
def migrations(tmp_path):
    """The real migrations, and a function that adds one to those of the answers."""
    folder = tmp_path / "migrations"
    for name in ("answers", "identity"):
        (folder / name).mkdir(parents=True)
        for file in (upgrading.MIGRATIONS / name).glob("0*.py"):
            (folder / name / file.name).write_text(file.read_text())

    def add(body: str) -> Path:
        header = HEADER.format(next=NEXT, newest=NEWEST)
        (folder / "answers" / f"{NEXT}_for_this_test.py").write_text(header + body)
        return folder

    return add


def rows(database):
    """Return every row of every table but Alembic's own."""
    with database.owner.begin() as connection:
        if not database.sqlite:
            connection.execute(text(f"SET LOCAL search_path = {database.name}"))
        return {
            table: sorted(map(tuple, connection.execute(text(f"SELECT * FROM {table}"))), key=str)
            for table in database.metadata.tables
        }


def upgraded(settings, folder):
    keys, database = Keys.of(settings), databases(settings)[0]
    return upgrading.upgrade(database, settings.instance / "backups", keys=keys, now=NOW, folder=folder)


@both
def test_a_renamed_column_costs_no_answer(populated, migrations):
    database, _ = databases(populated)
    before = rows(database)
    assert len(before["answer_event"]) == 6
    done = upgraded(populated, migrations(RENAME))
    assert (done.before, done.after) == (NEWEST, NEXT)
    assert rows(database) == before  # the column kept its place


@both
def test_new_columns_and_tables_need_no_explanation(populated, migrations):
    upgraded(populated, migrations(GROW))
    database, _ = databases(populated)
    assert [row[-1] for row in rows(database)["response"]] == [None, None]


@both
@pytest.mark.parametrize(
    ("migration", "sentence"),
    [
        (LOSE_ROWS, "page_submission had 6 rows, after the upgrade 4 are there"),
        (LOSE_TABLE, "page_submission had 6 rows, after the upgrade the table is gone"),
        (EMPTY_VALUES, "would change values of response.language without saying why"),
        (SWAP_VALUES, "would change values of response.seed without saying why"),
        (DANGLE, "not there|ForeignKeyViolation|IntegrityError"),
        (FAIL, "the upgrade failed"),
    ],
)
def test_an_upgrade_that_cannot_account_for_a_row_is_refused_and_leaves_everything(
    populated, migrations, migration, sentence
):
    database, _ = databases(populated)
    before = rows(database)
    with pytest.raises(StoreError, match=sentence) as error:
        upgraded(populated, migrations(migration))
    assert "Nothing was changed" in str(error.value)
    assert rows(database) == before
    assert upgrading.current(database) == NEWEST
    with closing(stores.open(populated)) as store:
        assert [count.answered for count in store.counts()] == [2]


def test_values_that_change_places_are_seen_whatever_the_keys_are():
    # Keys are random. A sum of Python's hashes missed such a swap between two rows once in six.
    with create_engine("sqlite://").begin() as connection:
        connection.exec_driver_sql("CREATE TABLE pair (id TEXT PRIMARY KEY, seed INTEGER)")
        for n in range(200):
            seen = []
            for seeds in ((1, 2), (2, 1)):
                connection.exec_driver_sql("DELETE FROM pair")
                for key, seed in zip((f"one-{n}", f"other-{n}"), seeds, strict=True):
                    connection.exec_driver_sql("INSERT INTO pair VALUES (?, ?)", (key, seed))
                seen.append(upgrading._inventory(connection)["pair"])
            assert seen[0].columns["id"] == seen[1].columns["id"]
            assert seen[0].columns["seed"] != seen[1].columns["seed"]


@sqlite_only
def test_the_copy_from_before_the_upgrade_is_whole(populated, migrations):
    database, _ = databases(populated)
    before = rows(database)
    done = upgraded(populated, migrations(RENAME))
    assert done.backup.parent == populated.instance / "backups"
    kept = upgrading.Database("answers", database.url.set(database=str(done.backup)), "", database.metadata)
    assert rows(kept) == before
    assert upgrading.current(kept) == NEWEST


@both
def test_a_second_upgrade_has_nothing_to_do(populated, migrations):
    folder = migrations(RENAME)
    upgraded(populated, folder)
    done = upgraded(populated, folder)
    assert (done.before, done.after, done.backup) == (NEXT, NEXT, None)


@sqlite_only
def test_a_table_that_is_rebuilt_with_cascading_keys_loses_nothing(populated, migrations):
    # The accident that this wrapper is there for: foreign keys on, CASCADE, a batch rename, no error, no answers.
    cascade = """
CHANGES_VALUES = {"response": "seed is called chance"}


def upgrade():
    with op.batch_alter_table("page_submission") as batch:
        batch.drop_constraint("fk_page_submission_response", type_="foreignkey")
        batch.create_foreign_key("fk_page_submission_response", "response", ["response"], ["id"], ondelete="CASCADE")
    with op.batch_alter_table("response") as batch:
        batch.alter_column("seed", new_column_name="chance")
"""
    database, _ = databases(populated)
    before = rows(database)
    upgraded(populated, migrations(cascade))
    assert rows(database) == before


@sqlite_only
def test_a_rebuilt_log_of_answers_that_lost_its_guard_is_refused(populated, migrations):
    rebuild = """
def upgrade():
    with op.batch_alter_table("answer_event", recreate="always") as batch:
        batch.add_column(sa.Column("device", sa.String()))
"""
    with pytest.raises(StoreError, match="would drop answer_event_no_delete"):
        upgraded(populated, migrations(rebuild))


@sqlite_only
@pytest.mark.parametrize("moment", [0.0, 0.3, 0.6])
def test_an_upgrade_that_is_killed_leaves_the_old_database_and_can_be_run_again(populated, migrations, moment):
    slow = f"""
import pathlib, time

CHANGES_VALUES = {{"response": "seed is called chance"}}


def upgrade():
    op.execute("UPDATE response SET language = 'sv'")
    with op.batch_alter_table("response") as batch:
        batch.alter_column("seed", new_column_name="chance")
    started = pathlib.Path({str(populated.instance / "started")!r})
    if not started.exists():
        started.touch()
        time.sleep(60)
"""
    folder = migrations(slow)
    database, _ = databases(populated)
    before = rows(database)
    program = (
        "import sys; from pathlib import Path; from tests.kysely.store.test_upgrading import upgraded; "
        "from tests.conftest import settings_in; upgraded(settings_in(Path(sys.argv[1])), Path(sys.argv[2]))"
    )
    victim = subprocess.Popen(
        [sys.executable, "-c", program, str(populated.instance.parent), str(folder)],
        cwd=Path(__file__).resolve().parents[3],
    )
    deadline = time.monotonic() + 60
    while not (populated.instance / "started").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(moment)
    os.kill(victim.pid, signal.SIGKILL)
    assert victim.wait() == -signal.SIGKILL
    assert rows(database) == before
    assert upgrading.current(database) == NEWEST
    assert upgraded(populated, folder).after == NEXT
    assert {row[5] for row in rows(database)["response"]} == {"sv"}


@both
def test_the_migrations_build_exactly_the_tables_that_are_declared(populated):
    for database in databases(populated):
        with database.owner.begin() as connection:
            if not database.sqlite:
                connection.execute(text(f"SET LOCAL search_path = {database.name}"))
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, database.metadata) == []


def test_the_newest_schema_is_the_one_that_alembic_would_run_to():
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    for name in ("answers", "identity"):
        config = Config()
        config.set_main_option("script_location", str(upgrading.MIGRATIONS))
        config.set_main_option("version_locations", str(upgrading.MIGRATIONS / name))
        config.set_main_option("path_separator", "newline")
        script = ScriptDirectory.from_config(config)
        files = sorted(file.name[:4] for file in (upgrading.MIGRATIONS / name).glob("0*.py"))
        assert script.get_heads() == [files[-1]]
        assert sorted(revision.revision for revision in script.walk_revisions()) == files


def test_no_foreign_key_cascades():
    from kysely.store import tables

    for metadata in (tables.Answers.metadata, tables.Identity.metadata):
        for table in metadata.tables.values():
            for key in table.foreign_key_constraints:
                assert (key.ondelete, key.onupdate) == (None, None)


def test_migrations_run_through_the_wrapper_only():
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(upgrading.MIGRATIONS))
    config.set_main_option("version_locations", str(upgrading.MIGRATIONS / "answers"))
    config.set_main_option("path_separator", "newline")
    with pytest.raises(SystemExit, match="kysely database upgrade"):
        command.upgrade(config, "head")
