"""`kysely account` and `kysely audit`, as an administrator runs them."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from contextlib import closing
from hashlib import sha256

import pytest

from kysely import store as stores
from kysely.cli import main
from tests.kysely.exchange.test_extract import MARKER, fill
from tests.kysely.web._account import PASSWORD

SECONDS = 90


@pytest.fixture
def embedded(sqlite_settings):
    with closing(stores.open(sqlite_settings)) as opened:
        yield opened


@pytest.fixture
def kysely(sqlite_settings, monkeypatch, capsys):
    """Runs a command and returns its exit code with all that it printed."""
    monkeypatch.setenv("KYSELY_INSTANCE", str(sqlite_settings.instance))

    def kysely(*arguments: str) -> tuple[int, str]:
        with open(os.devnull) as nobody:
            monkeypatch.setattr(sys, "stdin", nobody)
            code = main(arguments)
        said = capsys.readouterr()
        return code, said.out + said.err

    return kysely


def typed_at_a_terminal(settings, arguments: list[str], lines: list[str]) -> tuple[int, str]:
    """Run a command at a terminal of its own, where *lines* are typed when it asks."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("KYSELY_")}
    environ["KYSELY_INSTANCE"] = str(settings.instance)
    main_end, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "kysely", *arguments],
        stdin=terminal, stdout=terminal, stderr=terminal, env=environ, start_new_session=True,
    )  # fmt: skip
    os.close(terminal)
    shown = b""
    for number, line in enumerate(lines, start=1):
        while shown.count(b": ") < number:  # typed ahead of the question, it would be thrown away
            shown += os.read(main_end, 1000)
        os.write(main_end, line.encode() + b"\n")
    try:
        while part := os.read(main_end, 1000):
            shown += part
    except OSError:
        pass  # the other end is closed: it has ended
    os.close(main_end)
    return process.wait(SECONDS), shown.decode()


def test_a_password_is_asked_for_twice_and_never_shown(sqlite_settings, kysely):
    adding = ["account", "add", "maija@example.fi", "--role", "researcher"]
    code, said = typed_at_a_terminal(sqlite_settings, adding, [PASSWORD, PASSWORD])
    assert code == 0 and "Account maija@example.fi (researcher) is made." in said
    assert PASSWORD not in said
    assert kysely("account", "list") == (0, "maija@example.fi: researcher; made " + kysely("account", "list")[1][-11:])


@pytest.mark.parametrize(
    ("typed", "told"),
    [([PASSWORD, "something else"], "not the same"), (["lyhyt", "lyhyt"], "shorter than 12"),
     (["salasana1234", "salasana1234"], "tried first")],
)  # fmt: skip
def test_a_password_that_will_not_do_makes_no_account(sqlite_settings, kysely, typed, told):
    adding = ["account", "add", "maija", "--role", "researcher"]
    code, said = typed_at_a_terminal(sqlite_settings, adding, typed)
    assert code == 6 and told in said and "Traceback" not in said
    assert "There are no accounts yet" in kysely("account", "list")[1]


def test_a_password_is_no_argument_and_nothing_is_asked_where_nobody_can_answer(kysely):
    code, said = kysely("account", "add", "maija", "--role", "author")
    assert code == 6 and "Use --code" in said
    with pytest.raises(SystemExit):
        kysely("account", "password", "maija", PASSWORD)


def test_a_code_is_printed_once_and_kept_nowhere(sqlite_settings, kysely):
    code, said = kysely("account", "add", "maija", "--role", "author", "--code")
    printed = re.search(r"^  (\S+-\S+)$", said, re.MULTILINE)[1]
    assert code == 0 and "http://127.0.0.1:8000/set-password" in said
    assert "no password yet" in kysely("account", "list")[1]
    whole = b"".join(file.read_bytes() for file in sqlite_settings.instance.rglob("*") if file.is_file())
    assert printed.encode() not in whole and printed.replace("-", "").encode() not in whole


def test_an_account_is_changed_listed_disabled_and_enabled(kysely):
    kysely("account", "add", "Maija", "--role", "researcher", "--code")
    for arguments, told in (
        (["role", "maija", "--role", "data_manager", "--role", "administrator"], "administrator, data_manager."),
        (["disable", "maija"], "can't log in any more"),
        (["list"], "maija: administrator, data_manager; disabled; no password yet; made 20"),
        (["enable", "MAIJA"], "can log in again"),
        (["password", "maija", "--code"], "works once"),
        (["sessions", "maija"], "logged in nowhere"),
        (["revoke", "maija"], "ended: 0"),
        (["codes", "maija", "--end"], "the password alone"),
    ):
        code, said = kysely("account", *arguments)
        assert code == 0 and told in said, arguments


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["disable", "nobody"], "There is no account 'nobody'; `kysely account list` shows all."),
        (["add", "maija", "--role", "author", "--code"], "There is an account maija already"),
        (["add", "x/y", "--role", "author", "--code"], "can't be the name of an account"),
        (["add", "pekka", "--role", "author", "--role", "researcher", "--code"], "An author sees what was published"),
        (["role", "maija", "--role", "identity_manager", "--role", "researcher"], "must not read the answers"),
        (["codes", "maija", "--recovery"], "uses no one-time codes"),
        (["revoke", "maija", "--session", "0123"], "has no session 0123"),
    ],
)
def test_what_cannot_be_done_is_refused_with_its_reason(kysely, arguments, told):
    kysely("account", "add", "maija", "--role", "author", "--code")
    code, said = kysely("account", *arguments)
    assert code == 6 and told in said


def test_the_log_tells_what_was_done_at_the_terminal(kysely):
    kysely("account", "add", "maija", "--role", "author", "--code")
    kysely("account", "disable", "maija")
    assert kysely("audit", "note", "published", "operating_mode, data set 3") == (0, "")
    _, shown = kysely("audit", "show")
    lines = [re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  terminal:\S+", "…", line) for line in shown.splitlines()]
    assert lines == [
        "1  …  account added  maija (author)",
        "2  …  entry code issued  maija",
        "3  …  account disabled  maija",
        "4  …  published  operating_mode, data set 3",
    ]
    assert kysely("audit", "show", "--last", "1")[1] == shown.splitlines(keepends=True)[-1]
    assert kysely("audit", "show", "--about", "Operating_Mode")[1] == shown.splitlines(keepends=True)[-1]
    assert kysely("audit", "show", "--actor", "nobody") == (0, "")
    assert kysely("audit", "verify") == (0, "The audit log is as it was written: 4 entries.\n")


def test_a_log_that_was_cut_off_is_told_and_goes_on_only_with_a_reason(sqlite_settings, kysely):
    kysely("account", "add", "maija", "--role", "author", "--code")
    access = sqlite_settings.instance / "access.db"
    copy = access.read_bytes()
    kysely("account", "disable", "maija")
    for beside in ("access.db-wal", "access.db-shm"):
        (sqlite_settings.instance / beside).unlink(missing_ok=True)
    access.write_bytes(copy)
    code, said = kysely("audit", "verify")
    assert code == 4 and "entry 3 is missing at the end" in said and "kysely audit resume" in said
    assert kysely("audit", "resume", "--reason", "the copy of Monday was put back")[0] == 0
    assert kysely("audit", "verify")[0] == 0
    assert "log resumed  entry 3 is missing at the end – the copy of Monday" in kysely("audit", "show")[1]


def test_production_needs_a_key_for_accounts(sqlite_settings, kysely, monkeypatch):
    for name, value in (
        ("MODE", "production"),
        ("SECRET_KEY", "vG5m-qL2xR8tYw0ZkB4nD7sJ1hFcA9eU"),
        ("LINK_KEY", (sqlite_settings.instance / "link.key").read_text()),
        ("BASE_URL", "https://kysely.example.fi"),
        ("TRUSTED_HOSTS", "kysely.example.fi"),
    ):
        monkeypatch.setenv(f"KYSELY_{name}", value)
    for wrong, told in (
        ("", "KYSELY_ACCESS_KEY is missing"),
        ("short", "KYSELY_ACCESS_KEY is shorter than 32 bytes"),
        ("changeme" * 4, "KYSELY_ACCESS_KEY repeats itself"),
        ("vG5m-qL2xR8tYw0ZkB4nD7sJ1hFcA9eU", "KYSELY_ACCESS_KEY equals"),
    ):
        monkeypatch.setenv("KYSELY_ACCESS_KEY", wrong)
        for command in (["account", "list"], ["serve", "--port", "8123"]):
            code, said = kysely(*command)
            assert code == 3 and told in said, (wrong, command)
    assert not (sqlite_settings.instance / "access.key").exists()
    monkeypatch.setenv("KYSELY_ACCESS_KEY", "xG5m-qL2xR8tYw0ZkB4nD7sJ1hFcA9eU")
    assert kysely("account", "list")[0] == 0


def test_the_database_of_accounts_is_kept_apart(kysely, monkeypatch, tmp_path):
    monkeypatch.setenv("KYSELY_ACCESS_URL", f"sqlite:///{tmp_path / 'here.db'}")
    monkeypatch.setenv("KYSELY_DATABASE_URL", f"sqlite:///{tmp_path / 'here.db'}")
    code, said = kysely("account", "list")
    assert code == 3 and said.startswith("KYSELY_ACCESS_URL names the file of another database")


def test_whoever_takes_answers_out_is_in_the_log_with_what_was_taken_and_no_answer(
    sqlite_settings, embedded, harvest, kysely, tmp_path, monkeypatch
):
    monkeypatch.setenv("KYSELY_SECRET_KEY", sqlite_settings.secret_key)
    fill(embedded, harvest)
    assert kysely("extract", "harvest", "--out", str(tmp_path / "extract"))[0] == 0
    file = tmp_path / "extract" / "responses.parquet"
    _, shown = kysely("audit", "show")
    assert "extracted  harvest, wave open: 5 responses of 3 organisations" in shown
    assert f"responses.parquet {sha256(file.read_bytes()).hexdigest()[:12]}" in shown
    assert MARKER not in shown and "Salo" not in shown
    kysely("extract", "harvest", "--wave", "nowhere")
    assert kysely("audit", "verify") == (0, "The audit log is as it was written: 1 entry.\n")
