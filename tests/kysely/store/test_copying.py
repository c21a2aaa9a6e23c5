"""Backups that bring everything back, but never what was erased, and no ledger in a shorter state."""

from __future__ import annotations

import io
import shutil
import tarfile
from contextlib import closing
from datetime import timedelta

import pytest

from kysely import cli
from kysely import store as stores
from kysely.errors import StoreError
from tests.kysely.harvest import NOW, Respondent

LEDGER = "ledger/harvest/real/ledger.jsonl"


@pytest.fixture
def study(sqlite_settings, harvest):
    """Three who have answered, a ledger of publications, and one response that was erased."""
    with closing(stores.open(sqlite_settings)) as store:
        wave = store.collecting(harvest, NOW)
        people = [Respondent(store, store.start(wave.id, "real", harvest.hash, "en", n, NOW)) for n in range(4)]
        for number, person in enumerate(people):
            person.names(f"Tila {number}")
            person.saves(remark=f"words of {number}")
        store.erase(people[3].id, by="respondent", now=NOW)
    file = sqlite_settings.instance / LEDGER
    file.parent.mkdir(parents=True)
    file.write_text("first\n")
    return sqlite_settings, [person.id for person in people]


def told(settings, ids):
    with closing(stores.open(settings)) as store:
        return [state.answers.get("remark") if (state := store.response(id)) else None for id in ids]


def test_a_backup_brings_back_answers_names_and_ledgers_on_an_empty_machine(study, tmp_path):
    settings, ids = study
    files = stores.backup(settings, tmp_path / "copies", now=NOW)
    assert [file.stat().st_mode & 0o077 for file in files] == [0] * 4
    key = (settings.instance / "link.key").read_bytes()
    shutil.rmtree(settings.instance)
    settings.instance.mkdir()
    (settings.instance / "link.key").write_bytes(key)
    done = stores.restore(settings, tmp_path / "copies", now=NOW)
    assert done.databases == ("answers", "identity", "access") and (done.ledgers, done.erased) == (2, 0)
    assert told(settings, ids) == ["words of 0", "words of 1", "words of 2", None]
    assert (settings.instance / LEDGER).read_text() == "first\n"
    with closing(stores.open(settings)) as store:
        assert store.organisation_typed(ids[1]).name == "Tila 1"
        assert [one.genuine for one in store.tombstones()] == [True]


def test_what_was_erased_after_the_backup_is_erased_again_and_no_ledger_forgets(study, tmp_path):
    settings, ids = study
    stores.backup(settings, tmp_path / "copies", now=NOW)
    with closing(stores.open(settings)) as store:
        store.erase(ids[0], by="respondent", now=NOW)
    with (settings.instance / LEDGER).open("a") as ledger:
        ledger.write("second\n")
    done = stores.restore(settings, tmp_path / "copies", now=NOW + timedelta(hours=1))
    assert done.databases == ("answers", "identity") and done.erased == 1
    assert told(settings, ids) == [None, "words of 1", "words of 2", None]
    assert (settings.instance / LEDGER).read_text() == "first\nsecond\n"
    assert len((settings.instance / "erased.txt").read_text().splitlines()) == 2
    # What stood there before is not lost either.
    assert [file.exists() for file in done.kept] == [True, True]


def test_erasures_that_only_the_backup_knows_of_are_replayed_too(study, tmp_path):
    settings, ids = study
    early = stores.backup(settings, tmp_path / "early", now=NOW)
    with closing(stores.open(settings)) as store:
        store.erase(ids[0], by="respondent", now=NOW)
    late = stores.backup(settings, tmp_path / "late", now=NOW)
    # Old databases beside the newest ledgers, on a machine that has lost its own.
    (settings.instance / "erased.txt").unlink()
    shutil.copy(late[-1], tmp_path / "early" / early[-1].name)
    assert stores.restore(settings, tmp_path / "early", now=NOW).erased == 1
    assert told(settings, ids)[0] is None


def test_a_server_that_reads_meanwhile_sees_the_restored_answers(study, tmp_path):
    settings, ids = study
    stores.backup(settings, tmp_path / "copies", now=NOW)
    with closing(stores.open(settings)) as running:
        Respondent(running, ids[0]).saves(key="later", remark="later words")
        assert running.response(ids[0]).answers["remark"] == "later words"
        stores.restore(settings, tmp_path / "copies", now=NOW)
        assert running.response(ids[0]).answers["remark"] == "words of 0"


def test_a_copy_that_is_not_whole_changes_nothing(study, tmp_path):
    settings, ids = study
    files = stores.backup(settings, tmp_path / "copies", now=NOW)
    damaged = bytearray(files[0].read_bytes())
    damaged[4096:12288] = bytes(8192)
    files[0].write_bytes(damaged)
    with pytest.raises(StoreError):
        stores.restore(settings, tmp_path / "copies", now=NOW)
    assert told(settings, ids)[:3] == ["words of 0", "words of 1", "words of 2"]
    files[1].unlink()
    with pytest.raises(StoreError, match="no copy of answers and identities of the same moment"):
        stores.restore(settings, tmp_path / "copies", now=NOW)


def test_an_archive_of_ledgers_writes_nowhere_but_among_the_ledgers(study, tmp_path):
    settings, _ = study
    files = stores.backup(settings, tmp_path / "copies", now=NOW)
    with tarfile.open(files[-1], "w") as archive:
        for name in ("../outside", "ledger/../../outside", "answers.db", f"{tmp_path}/outside"):
            member = tarfile.TarInfo(name)
            member.size = 4
            archive.addfile(member, io.BytesIO(b"evil"))
    assert stores.restore(settings, tmp_path / "copies", now=NOW).ledgers == 0
    assert not list(tmp_path.rglob("outside*"))


def test_on_postgresql_the_ledgers_are_copied_and_the_rest_is_told(postgresql_settings, tmp_path):
    stores.open(postgresql_settings).close()
    (postgresql_settings.instance / "ledger").mkdir(parents=True, exist_ok=True)
    (postgresql_settings.instance / "ledger" / "book").write_text("x")
    with pytest.raises(StoreError, match="pg_dump .*The ledgers, which it doesn't know, are copied") as error:
        stores.backup(postgresql_settings, tmp_path / "copies", now=NOW)
    (file,) = (tmp_path / "copies").iterdir()
    with tarfile.open(file) as archive:
        assert str(file) in str(error.value) and "ledger/book" in archive.getnames()
    with pytest.raises(StoreError, match="pg_restore"):
        stores.restore(postgresql_settings, tmp_path / "copies", now=NOW)


def test_the_terminal_asks_before_it_restores(study, tmp_path, monkeypatch, capsys):
    settings, ids = study
    monkeypatch.setenv("KYSELY_INSTANCE", str(settings.instance))
    monkeypatch.setenv("KYSELY_SECRET_KEY", settings.secret_key)
    assert cli.main(["database", "backup"]) == 0
    monkeypatch.setattr("sys.stdin", io.StringIO("no\n"))
    assert cli.main(["database", "restore"]) == 4
    assert "Nothing was restored" in capsys.readouterr().out
    monkeypatch.setattr("sys.stdin", io.StringIO("yes\n"))
    assert cli.main(["database", "restore"]) == 0
    assert "Restored: answers, identity" in capsys.readouterr().out
    assert told(settings, ids)[:3] == ["words of 0", "words of 1", "words of 2"]
