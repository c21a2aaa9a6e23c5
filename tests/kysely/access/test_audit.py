"""The audit log: nobody changes it, and who does so past the database is found."""

from __future__ import annotations

import random
import threading
from dataclasses import replace

import pytest
from sqlalchemy import text

from kysely.access import AccountError
from kysely.access.audit import Log
from kysely.errors import StoreError
from tests.kysely.access.conftest import NOW

ENTRIES = 12


@pytest.fixture
def log(access) -> Log:
    for number in range(ENTRIES):
        access.log.note(f"actor {number % 3}", "did", f"thing {number}", now=NOW)
    return access.log


def past_the_guards(log: Log, *statements: str) -> None:
    """Change the log as somebody does who owns the database and has taken its guards away."""
    database = log.database
    with database.owner.begin() as connection:
        if database.sqlite:
            guards = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")).all()
            for guard in guards:
                connection.execute(text(f"DROP TRIGGER {guard.name}"))
        else:
            connection.execute(text("SET LOCAL search_path = access"))
            connection.execute(text("SET LOCAL session_replication_role = replica"))
        for statement in statements:
            assert connection.execute(text(statement)).rowcount > 0
        if database.sqlite:
            for guard in guards:
                connection.execute(text(guard.sql))


def test_a_log_that_nobody_touched_has_no_fault(log):
    assert log.faults() == []
    assert [entry.object for entry in log.entries()] == [f"thing {number}" for number in range(ENTRIES)]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET actor = 'somebody else' WHERE number = 3",
        "DELETE FROM audit_entry WHERE number = 12",
        "DELETE FROM audit_entry",
    ],
)
def test_the_database_refuses_to_change_or_delete_an_entry(log, statement):
    with pytest.raises(StoreError), log.database.writing() as connection:
        connection.execute(text(statement))
    # The owner of the tables has every right, and is refused all the same.
    with pytest.raises(Exception, match="audit log is never changed"), log.database.owner.begin() as connection:
        if not log.database.sqlite:
            connection.execute(text("SET LOCAL search_path = access"))
        connection.execute(text(statement))
    assert log.faults() == []


def test_the_owner_of_the_tables_cannot_empty_or_replace_either(log):
    way = (
        "INSERT OR REPLACE INTO audit_entry VALUES (3, '', '', '', '', '')"
        if log.database.sqlite
        else "TRUNCATE access.audit_entry"
    )
    with pytest.raises(Exception, match="audit log is never changed"), log.database.owner.begin() as connection:
        connection.execute(text(way))


def _edit(chance: random.Random) -> list[str]:
    column = chance.choice(["at", "actor", "action", "object", "seal"])
    number = chance.randint(1, ENTRIES)
    return [f"UPDATE audit_entry SET {column} = {column} || '{chance.choice('x 0é')}' WHERE number = {number}"]


def _remove(chance: random.Random) -> list[str]:
    return [f"DELETE FROM audit_entry WHERE number = {chance.randint(1, ENTRIES)}"]


def _cut_off(chance: random.Random) -> list[str]:
    return [f"DELETE FROM audit_entry WHERE number > {chance.randint(0, ENTRIES - 1)}"]


def _remove_and_renumber(chance: random.Random) -> list[str]:
    number = chance.randint(1, ENTRIES - 1)
    moves = [f"UPDATE audit_entry SET number = {after - 1} WHERE number = {after}" for after in range(number + 1, 13)]
    return [f"DELETE FROM audit_entry WHERE number = {number}", *moves]


def _swap(chance: random.Random) -> list[str]:
    one, other = chance.sample(range(1, ENTRIES + 1), 2)
    moves = ((one, 99), (other, one), (99, other))
    return [f"UPDATE audit_entry SET number = {to} WHERE number = {at}" for at, to in moves]


def _forge(chance: random.Random) -> list[str]:
    number = ENTRIES + 1
    copied = chance.randint(1, ENTRIES)
    copy = f"SELECT {number}, at, actor, action, object, seal FROM audit_entry WHERE number = {copied}"
    return [f"INSERT INTO audit_entry {copy}"]


TAMPERINGS = (_edit, _remove, _cut_off, _remove_and_renumber, _swap, _forge)


def test_a_hundred_random_tamperings_are_all_found(log):
    chance = random.Random(20261123)
    columns = "number, at, actor, action, object, seal"
    database = log.database
    with database.reading() as connection:
        whole = [tuple(row) for row in connection.execute(text(f"SELECT {columns} FROM audit_entry"))]
    missed = []
    for _ in range(100):
        statements = chance.choice(TAMPERINGS)(chance)
        past_the_guards(log, *statements)
        if not log.faults():
            missed.append(statements)
        past_the_guards(
            log,
            *(["DELETE FROM audit_entry"] if _rows(log) else []),
            *(f"INSERT INTO audit_entry ({columns}) VALUES {row!r}" for row in whole),
        )
        assert log.faults() == []
    assert missed == []


def _rows(log: Log) -> int:
    with log.database.reading() as connection:
        return connection.execute(text("SELECT count(*) FROM audit_entry")).scalar() or 0


def test_every_way_to_tamper_says_what_is_wrong(log):
    past_the_guards(log, "DELETE FROM audit_entry WHERE number IN (4, 5)")
    assert log.faults() == ["entries 4–5 are missing"]
    past_the_guards(log, "UPDATE audit_entry SET object = 'another' WHERE number = 9")
    assert "entry 9 is not as it was written" in log.faults()
    past_the_guards(log, "DELETE FROM audit_entry WHERE number > 10")
    assert log.faults()[-1] == "entries 11–12 are missing at the end"


def test_a_tail_cut_off_is_not_hidden_by_what_is_written_later(log):
    past_the_guards(log, "DELETE FROM audit_entry WHERE number > 8")
    for _ in range(9):
        log.note("actor", "did", "more", now=NOW)
    assert log.faults() == ["entry 12 is another one than was written"]


def test_an_anchor_that_was_changed_removed_or_set_back_is_found(log):
    old = log.anchor.read_text()
    log.note("actor", "did", "the last thing", now=NOW)
    new = log.anchor.read_text()
    log.anchor.write_text(new.replace(new[:2], "12", 1))
    assert "was changed" in log.faults()[0]
    log.anchor.unlink()
    assert "is missing" in log.faults()[0]
    # Who keeps an older copy of the file can cut the log to it: the reason why the two are kept apart on PostgreSQL.
    log.anchor.write_text(old)
    assert log.faults() == []
    log.note("actor", "did", "goes on", now=NOW)
    assert log.anchor.read_text().startswith("14 ")


def test_without_the_key_no_entry_can_be_added_that_holds(log):
    stranger = Log(log.database, replace(log.keys, key=b"x" * 32), log.anchor.with_name("another.anchor"))
    stranger.note("actor", "did", "a forged thing", now=NOW)
    assert log.faults() == ["entry 13 is not as it was written"]


def test_a_log_that_was_emptied_together_with_its_anchor_is_missed_by_its_accounts(access, maija):
    past_the_guards(access.log, "DELETE FROM audit_entry")
    access.log.anchor.unlink()
    assert access.log.faults() == ["there are accounts, but the log is empty"]


def test_after_a_restore_the_log_goes_on_and_keeps_that_entries_are_missing(log):
    with pytest.raises(AccountError, match="nothing to resume"):
        log.resume("terminal:test", "no reason", now=NOW)
    past_the_guards(log, "DELETE FROM audit_entry WHERE number > 9")  # the copy of the night before
    log.resume("terminal:test", "the disk broke; copy of 1 November", now=NOW)
    assert log.faults() == []
    last = log.entries()[-1]
    assert (last.actor, last.action) == ("terminal:test", "log resumed")
    assert last.object == "entries 10–12 are missing at the end – the disk broke; copy of 1 November"


def test_many_who_write_at_once_make_one_chain(access):
    def write(number: int) -> None:
        for step in range(5):
            access.log.note(f"writer {number}", "did", str(step), now=NOW)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert access.log.faults() == []
    assert len(access.log.entries()) == 30
    assert access.log.anchor.read_text().startswith("30 ")


def test_what_fails_is_not_in_the_log(access):
    with pytest.raises(RuntimeError), access.log.recorded("actor", "did", "thing", now=NOW):
        raise RuntimeError("before it was done")
    assert access.log.entries() == () and access.log.faults() == []
