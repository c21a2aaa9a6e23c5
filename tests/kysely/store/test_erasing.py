"""An erased response is gone from the files, and nothing else is; no other way deletes an answer."""

from __future__ import annotations

import random
import secrets
import shutil
from contextlib import closing
from dataclasses import replace

import pytest
from sqlalchemy import text

from kysely import store as stores
from kysely.errors import StoreError
from kysely.store import OrganisationTyped, UnknownResponse
from tests.kysely.harvest import NOW, Respondent

MARKER = "Wxyzmarkerå"


def files(settings) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(settings.instance.rglob("*")) if file.is_file())


def counts(store) -> dict[str, int]:
    found = {}
    for database in (store.answers.database, store.identities.database):
        with database.reading() as connection:
            for table in database.metadata.tables:
                found[table] = connection.execute(text(f"SELECT count(*) FROM {table}")).scalar()
    return found


@pytest.fixture
def people(start) -> list[Respondent]:
    """Three who have answered, typed what isn't saved, and taken their code along."""
    found = [start() for _ in range(3)]
    for number, person in enumerate(found):
        person.names(f"Tila {number} Oy", "Turku")
        person.saves(hectares=number, remark=f"words of {number}")
        person.store.put_aside(
            person.id,
            page="field",
            stage="",
            browser="x",
            typed=[("remark", f"draft of {number}")],
            names=(),
            reason="refused",
            based_on=2,
            shown_at=NOW,
            now=NOW,
        )
        person.store.issue_code(person.id)
    return found


def test_an_erased_response_leaves_a_tombstone_and_touches_nobody_elses(store, people):
    before = counts(store)
    others = [person.state for person in people[1:]]
    tombstone = store.erase(people[0].id, by="respondent", now=NOW)
    assert (tombstone.response, tombstone.erased_by, tombstone.erased_on) == (people[0].id, "respondent", NOW.date())
    after = counts(store)
    each = {"answer_event": 2, "page_submission": 2, "response": 1, "draft": 1, "resume_code": 1, "erasure": -1}
    each |= {"respondent": 1, "organisation": 1}
    assert {name: before[name] - after[name] for name in before} == {name: each.get(name, 0) for name in before}
    assert [person.state for person in people[1:]] == others
    assert store.organisation_typed(people[1].id) == OrganisationTyped("Tila 1 Oy", "Turku", "")
    with pytest.raises(UnknownResponse):
        store.erase(people[0].id, by="respondent", now=NOW)


def test_an_organisation_that_somebody_else_named_too_stays(store, start):
    one, other = start(), start()
    for person in (one, other):
        person.names("Yhteinen Oy", "Turku")
    store.erase(one.id, by="operator", now=NOW)
    assert other.organisation and store.organisation_typed(other.id).name == "Yhteinen Oy"


def test_an_erased_response_is_not_begun_again(store, start, wave, harvest):
    person = start(submit_key="the introduction")
    store.erase(person.id, by="respondent", now=NOW)
    assert start(submit_key="the introduction").id == person.id
    assert store.response(person.id) is None
    assert store.counts()[0].started == 0


@pytest.mark.parametrize(
    "statement",
    ["DELETE FROM erasure", "UPDATE erasure SET erased_by = 'operator'", "DELETE FROM answer_event"],
)
def test_a_tombstone_stands_and_guards_the_answers_of_everybody_else(store, people, statement):
    from tests.kysely.store.test_rules import run

    store.erase(people[0].id, by="respondent", now=NOW)
    with pytest.raises(StoreError, match="never changed or deleted"):
        run(store, statement)
    assert people[1].answers["remark"] == "words of 1"


def test_a_forged_tombstone_is_seen(store, people):
    from tests.kysely.store.test_rules import run

    store.erase(people[0].id, by="respondent", now=NOW)
    run(
        store,
        "INSERT INTO erasure (response, wave_id, erased_by, erased_on, signature) "
        "SELECT id, wave_id, 'operator', '2015-04-20', 'x' FROM response WHERE id = :id",
        id=people[1].id,
    )
    assert {one.response: one.genuine for one in store.tombstones()} == {people[0].id: True, people[1].id: False}


def test_a_tombstone_signed_before_a_key_was_rotated_is_still_genuine(settings, store, people):
    store.erase(people[0].id, by="respondent", now=NOW)
    rotated = replace(settings, secret_key="k" * 40, secret_key_fallbacks=(settings.secret_key,))
    with closing(stores.open(rotated)) as again:
        assert [one.genuine for one in again.tombstones()] == [True]


@pytest.mark.parametrize("seed", range(5))
def test_no_byte_of_an_erased_response_is_left_in_the_files(sqlite_settings, harvest, seed):
    """Pages of the file are divided and merged as people answer; what they held before must not stay behind."""
    chance = random.Random(seed)
    store = stores.open(sqlite_settings)
    wave = store.collecting(harvest, NOW)
    everybody = [Respondent(store, store.start(wave.id, "real", harvest.hash, "en", 7, NOW)) for _ in range(60)]
    erased = everybody[chance.randrange(60)]
    for _ in range(6):
        for person in chance.sample(everybody, 60):
            words = (
                f"{MARKER} " * chance.randint(1, 300) if person is erased else "other words " * chance.randint(1, 300)
            )
            person.saves(remark=words + secrets.token_hex(4), hectares=chance.random())
    erased.names(f"{MARKER} Oy", MARKER)
    store.put_aside(
        erased.id,
        page="farm",
        stage="",
        browser="x",
        typed=[("farm_name", MARKER), ("remark", MARKER)],
        names={"farm_name"},
        reason="refused",
        based_on=1,
        shown_at=NOW,
        now=NOW,
    )
    assert MARKER.encode() in files(sqlite_settings)
    with closing(stores.open(sqlite_settings, upgrade=False)) as reading:  # another process has the files open too
        assert reading.response(erased.id)
        store.erase(erased.id, by="respondent", now=NOW)
        assert MARKER.encode() not in files(sqlite_settings)
        for trace in (MARKER, MARKER.casefold(), '"' + MARKER[:4]):
            assert trace.encode() not in files(sqlite_settings)
    assert sum(1 for _ in store.responses(wave.id)) == 59
    store.close()


def test_a_restored_backup_is_erased_again_when_it_is_opened(sqlite_settings, harvest):
    with closing(stores.open(sqlite_settings)) as store:
        wave = store.collecting(harvest, NOW)
        person = Respondent(store, store.start(wave.id, "real", harvest.hash, "en", 7, NOW))
        other = Respondent(store, store.start(wave.id, "real", harvest.hash, "en", 7, NOW))
        person.names(f"{MARKER} Oy")
        person.saves(remark=MARKER)
        other.saves(remark="kept")
        copies = stores.backup(sqlite_settings, sqlite_settings.instance.parent / "elsewhere", now=NOW)
        store.erase(person.id, by="respondent", now=NOW)
    for copy, name in zip(copies, ("answers.db", "identity.db"), strict=False):
        for old in sqlite_settings.instance.glob(f"{name}*"):
            old.unlink()
        shutil.copy(copy, sqlite_settings.instance / name)
    assert MARKER.encode() in files(sqlite_settings)
    with closing(stores.open(sqlite_settings)) as store:
        assert store.response(person.id) is None and store.organisation_typed(person.id) is None
        assert store.response(other.id).answers == {"remark": "kept"}
    assert MARKER.encode() not in files(sqlite_settings)
    ledger = (sqlite_settings.instance / "erased.txt").read_text()
    assert person.id not in ledger and len(ledger.splitlines()) == 1


def test_on_postgresql_daily_work_erases_through_the_one_function_and_only_with_a_tombstone(
    postgresql_settings, harvest
):
    with closing(stores.open(postgresql_settings)) as store:
        wave = store.collecting(harvest, NOW)
        person = Respondent(store, store.start(wave.id, "real", harvest.hash, "en", 7, NOW))
        person.saves(remark="words")
        with (
            pytest.raises(StoreError, match="never changed or deleted"),
            store.answers.database.writing() as connection,
        ):
            connection.execute(text("SELECT erase_response(:id)"), {"id": person.id})
        for statement in (
            "DELETE FROM erasure",
            "UPDATE erasure SET erased_by = 'operator'",
            "DELETE FROM resume_code",
        ):
            with pytest.raises(StoreError, match="may not"), store.answers.database.writing() as connection:
                connection.execute(text(statement))
        with pytest.raises(StoreError, match="may not"), store.identities.database.reading() as connection:
            connection.execute(text("SELECT answers.erase_response('x')"))
        store.erase(person.id, by="respondent", now=NOW)
        assert store.response(person.id) is None


def test_an_operator_erases_by_code_or_id_and_is_asked_first(sqlite_settings, harvest, monkeypatch, capsys):
    import io

    from kysely.cli import main

    for name, value in {
        "KYSELY_INSTANCE": str(sqlite_settings.instance),
        "KYSELY_SECRET_KEY": sqlite_settings.secret_key,
    }.items():
        monkeypatch.setenv(name, value)

    def kysely(*arguments, typed=""):
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        status = main(arguments)
        return status, "".join(capsys.readouterr())

    with closing(stores.open(sqlite_settings)) as store:
        wave = store.collecting(harvest, NOW)
        one, other = (Respondent(store, store.start(wave.id, "real", harvest.hash, "en", 7, NOW)) for _ in range(2))
        for person in (one, other):
            person.saves(remark=MARKER, hectares=1)
        code = store.issue_code(one.id)
    status, said = kysely("erase", typed=f"{code.upper()}\nno\n")
    assert status != 0 and "Nothing was erased" in said and "with 2 answers" in said
    status, said = kysely("erase", typed=f"{code}\nyes\n")
    assert status == 0 and "Erased" in said and code not in said and one.id not in said and MARKER not in said
    status, said = kysely("erase", typed=f"{code}\n")
    assert status == 4 and "no response with this code" in said
    assert kysely("erase", "--response", other.id, "--yes")[0] == 0
    status, said = kysely("erase", "--list")
    assert status == 0 and "2 responses erased." in said and "FORGED" not in said
    assert kysely("erase", "--again") == (0, "0 responses erased again.\n")
    assert MARKER.encode() not in files(sqlite_settings)
