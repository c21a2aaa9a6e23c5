"""Inviting from the command line: a wave that takes personal links, a list, and what became of it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from kysely import cli
from kysely import store as stores
from kysely.errors import ConfigurationError
from kysely.links import Keys
from kysely.store.invitations import Invitations
from kysely.web import create_app
from tests.kysely.web._invited import code_of, invite, open_wave
from tests.kysely.web.test_invitations import Guest

STUDY = "operating_mode"


@pytest.fixture
def run(sqlite_settings, monkeypatch, capsys):
    monkeypatch.setenv("KYSELY_INSTANCE", str(sqlite_settings.instance))
    monkeypatch.setenv("KYSELY_SECRET_KEY", sqlite_settings.secret_key)
    monkeypatch.setenv("KYSELY_BASE_URL", "https://kysely.example.fi")

    def run(*command: str) -> str:
        code = cli.main(list(command))
        said = capsys.readouterr()
        return f"{code}\n{said.out}{said.err}"

    return run


def test_a_wave_says_whom_it_takes_and_when(run):
    assert "twice" in run("wave", "open", STUDY, "--closes", "2026-10-25T03:30")
    assert "before it opens" in run("wave", "open", STUDY, "--opens", "2027-01-02", "--closes", "2027-01-01")
    said = run("wave", "open", STUDY, "--access", "invited", "--opens", "2026-01-01T08:00", "--closes", "2098-01-31")
    assert (
        "Answered by personal link." in said
        and "Takes answers until the end of 31 January 2098 (Finnish time)." in said
    )
    assert "answered by personal link; opens 1 January 2026 at 8:00" in run("wave", "list")


def test_a_list_is_imported_whole_or_not_at_all_and_once(run, sqlite_settings, tmp_path):
    file = tmp_path / "people.csv"
    file.write_text("email;name\nmaija@example.fi;Maija\nbad\n")
    assert "takes answers by personal link" in run("invite", "import", STUDY, "--file", str(file))
    run("wave", "open", STUDY, "--access", "invited")
    assert run("invite", "import", STUDY, "--file", str(file)).startswith("2\npeople.csv:3: email")
    assert "0 invited" in run("invite", "status", STUDY)
    file.write_text("email;name\nmaija@example.fi;Maija\nMAIJA@example.fi;Maija\nsven@example.fi;\n")
    said = run("invite", "import", STUDY, "--file", str(file))
    assert said.startswith("0\n2 invited") and "row 3 repeats row 2" in said
    assert "0 invited" in run("invite", "import", STUDY, "--file", str(file))
    assert "2 invited, 0 written to" in run("invite", "status", STUDY)
    for kept in sqlite_settings.instance.glob("*.db*"):
        assert b"example.fi" not in kept.read_bytes()
    assert (sqlite_settings.instance / "link.key").stat().st_mode & 0o077 == 0


def test_a_person_who_lost_the_link_gets_it_and_what_somebody_tells_is_noted(run, sqlite_settings, tmp_path):
    file = tmp_path / "people.csv"
    file.write_text("email\nmaija@example.fi\nsven@example.fi\n")
    run("wave", "open", STUDY, "--access", "invited")
    run("invite", "import", STUDY, "--file", str(file))
    said = run("invite", "link", STUDY, "--email", "Maija@Example.fi")
    code = re.search(r"https://kysely\.example\.fi/r/(\w+)", said)[1]
    store = stores.open(sqlite_settings)
    assert Guest(create_app(sqlite_settings, store)).arrive(code).status_code == 200
    assert "Nobody with that address" in run("invite", "link", STUDY, "--email", "other@example.fi")
    assert "can't be noted by hand" in run("invite", "mark", STUDY, "--email", "sven@example.fi", "--as", "I")
    run("invite", "mark", STUDY, "--email", "sven@example.fi", "--as", "O_away")
    assert re.search(r"O_away +1\n", run("invite", "status", STUDY))
    run("invite", "revoke", STUDY, "--email", "maija@example.fi")
    assert Guest(create_app(sqlite_settings, store)).arrive(code).status_code == 404
    store.close()


def test_contacts_can_not_be_read_with_another_link_key(sqlite_settings, tmp_path):
    store = stores.open(sqlite_settings)
    (person,) = invite(store, open_wave(store), tmp_path, "maija@example.fi,Maija,fi")
    another = replace(sqlite_settings, link_key="another key, of which nobody has heard yet")
    with pytest.raises(ConfigurationError, match="KYSELY_LINK_KEY is not the one"):
        stores.open(another)
    other = Invitations(store.identities.database, Keys.of(another))
    with pytest.raises(ConfigurationError, match="KYSELY_LINK_KEY is not the one"):
        other.address(person)
    assert other.find(code_of(store, person)) is None
    assert store.invitations.address(person) == "maija@example.fi"
    store.close()


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("KYSELY_SMTP_URL", "http://mail.example.fi", "must look like smtp"),
        ("KYSELY_SMTP_URL", "smtp://u:secret@", "must look like smtp"),
        ("KYSELY_MAIL_FROM", "nobody", "must look like survey@"),
        ("KYSELY_MAIL_FROM", "a\r\nBcc: x@y.fi <a@b.fi>", "must look like survey@"),
    ],
)
def test_a_setting_of_mail_that_can_not_work_is_named_without_its_secret(run, monkeypatch, name, value, told):
    monkeypatch.setenv(name, value)
    said = run("wave", "list")
    assert said.startswith("3\n") and name in said and told in said and "secret" not in said.replace("_SECRET_", "")
