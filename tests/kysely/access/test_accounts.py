"""Accounts, logging in, one-time codes and sessions, on both databases."""

from __future__ import annotations

import threading
from datetime import timedelta

import pyotp
import pytest
from sqlalchemy import text

from kysely.access import AccountError, Begun, Refusal, Role, WeakPassword, roles
from kysely.access.throttling import MOST, WHILE
from kysely.access.values import BETWEEN, ENTRY, IDLE, LONGEST
from kysely.commands import account as command
from kysely.store import access as tables
from tests.kysely.access.conftest import NOW
from tests.kysely.web._account import PASSWORD, access_of


def try_in(access, name="maija@example.fi", password=PASSWORD, *, network="192.0.2.1", device="", now=NOW):
    return access.log_in(name, password, network=network, device=device, browser="Firefox, Linux", now=now)


def code_of(secret: str, now=NOW) -> str:
    return pyotp.TOTP(secret).at(now)


@pytest.fixture
def secret(access, maija) -> str:
    """Maija uses one-time codes; the one of a minute ago was her first."""
    secret = access.accounts.propose_codes(maija)
    assert access.accounts.confirm_codes(
        maija, code_of(secret, NOW - timedelta(minutes=1)), but="", now=NOW - timedelta(minutes=1)
    )
    return secret


# ---- accounts


def test_the_roles_of_the_code_the_database_and_the_command_are_the_same():
    assert {*Role} == {*tables.ROLES} == {*command.ROLES}


@pytest.mark.parametrize("name", ["", "x", "two words", "a/b", "<b>", "a" * 65, "\x00ab", "-maija", "maija\n"])
def test_a_name_is_something_that_can_be_typed(access, name):
    if name == "maija\n":  # blanks around it are cut
        assert access.accounts.add(name, [Role.AUTHOR], by="t", now=NOW).name == "maija"
        return
    with pytest.raises(AccountError, match="can't be the name|needs"):
        access.accounts.add(name if name != "\x00ab" else "\x00a", [Role.AUTHOR], by="t", now=NOW)


def test_neither_capitals_nor_composed_letters_make_a_second_account(access, maija):
    for again in ("maija@example.fi", "MAIJA@EXAMPLE.FI", " Maija@example.fi "):
        with pytest.raises(AccountError, match="already"):
            access.accounts.add(again, [Role.AUTHOR], by="t", now=NOW)


@pytest.mark.parametrize(
    "together",
    [
        (Role.AUTHOR, Role.RESEARCHER),
        (Role.AUTHOR, Role.ADMINISTRATOR),
        (Role.IDENTITY_MANAGER, Role.RESEARCHER),
        (Role.IDENTITY_MANAGER, Role.DATA_MANAGER),
        (),
    ],
)
def test_roles_that_undo_each_other_are_not_given_together(access, maija, together):
    with pytest.raises(AccountError):
        access.accounts.set_roles(maija, together, by="t", now=NOW)
    assert access.accounts.named(maija.name).roles == {Role.RESEARCHER}


def test_everything_that_changes_an_account_is_in_the_log(access, maija):
    accounts = access.accounts
    accounts.set_roles(maija, [Role.DATA_MANAGER], by="terminal:boss", now=NOW)
    accounts.issue_entry(maija, by="terminal:boss", now=NOW)
    accounts.set_disabled(maija, True, by="terminal:boss", now=NOW)
    accounts.set_disabled(maija, False, by="terminal:boss", now=NOW)
    accounts.stop_codes(maija, by="terminal:boss", now=NOW)
    assert [(entry.actor, entry.action) for entry in access.log.entries()] == [
        ("terminal:test", "account added"),
        ("terminal:test", "password set"),
        ("terminal:boss", "roles changed"),
        ("terminal:boss", "entry code issued"),
        ("terminal:boss", "account disabled"),
        ("terminal:boss", "account enabled"),
        ("terminal:boss", "one-time codes ended"),
    ]
    assert access.log.entries()[2].object == "maija@example.fi: researcher → data_manager"
    assert access.log.faults() == []


def test_a_copy_of_the_database_lets_nobody_in(access, maija, secret):
    entry = access.accounts.issue_entry(maija, by="t", now=NOW)
    recovery = access.accounts.renew_recovery(access.accounts.named(maija.name), by="t", now=NOW)
    begun = try_in(access)
    with access.log.database.reading() as connection:
        whole = repr([connection.execute(table.select()).all() for table in tables.Access.metadata.tables.values()])
    for hidden in (PASSWORD, entry, secret, begun.token, "192.0.2.1", *recovery):
        assert hidden not in whole


# ---- setting a password by a code


def test_a_code_sets_one_password_within_two_days(access, maija):
    code = access.accounts.issue_entry(maija, by="t", now=NOW)
    assert access.accounts.holder("x", NOW) is None and access.accounts.holder("", NOW) is None
    assert access.accounts.holder(code.upper(), NOW + ENTRY) is None
    holder = access.accounts.holder(f" {code.upper()} ", NOW + ENTRY - timedelta(minutes=1))
    assert holder is not None and holder.name == "maija@example.fi"
    with pytest.raises(WeakPassword):
        access.accounts.set_password(holder, "salasana1234", by="maija", now=NOW)
    access.accounts.set_password(holder, "aivan uusi salasana", by="maija", now=NOW)
    assert access.accounts.holder(code, NOW) is None
    assert isinstance(try_in(access, password="aivan uusi salasana"), Begun)


def test_a_newer_code_ends_the_older_and_a_disabled_account_has_none(access, maija):
    old = access.accounts.issue_entry(maija, by="t", now=NOW)
    new = access.accounts.issue_entry(maija, by="t", now=NOW)
    assert access.accounts.holder(old, NOW) is None and access.accounts.holder(new, NOW) is not None
    access.accounts.set_disabled(maija, True, by="t", now=NOW)
    assert access.accounts.holder(new, NOW) is None


# ---- logging in


def test_only_the_password_lets_in_and_every_failure_is_the_same(access, maija):
    assert isinstance(try_in(access, "MAIJA@example.fi "), Begun)
    access.accounts.add("uusi", [Role.AUTHOR], by="t", now=NOW)
    access.accounts.set_disabled(access.accounts.add("vanha", [Role.AUTHOR], by="t", now=NOW), True, by="t", now=NOW)
    for name, password in (
        ("maija@example.fi", "väärä salasana"),
        ("maija@example.fi", ""),
        ("nobody@example.fi", PASSWORD),
        ("", ""),
        ("\x00'; --", PASSWORD),
        ("uusi", ""),
        ("vanha", PASSWORD),
    ):
        assert try_in(access, name, password) is Refusal.WRONG


def test_a_failed_login_is_in_the_log_without_what_was_typed(access, maija):
    try_in(access, "maija@example.fi", "secret typed in the wrong place")
    try_in(access, "kolme punaista venettä", "x")
    failed = [entry for entry in access.log.entries() if entry.action == "login failed"]
    assert [(entry.actor, entry.object) for entry in failed] == [("nobody", "maija@example.fi"), ("nobody", "")]


def test_for_names_that_nobody_has_the_same_work_is_done(access, maija, monkeypatch):
    from kysely.access import passwords

    hashed = []
    verify = type(passwords._HASHER).verify
    monkeypatch.setattr(
        type(passwords._HASHER),
        "verify",
        lambda self, kept, typed: hashed.append(kept[:30]) or verify(self, kept, typed),
    )
    try_in(access, "maija@example.fi", "väärä salasana")
    try_in(access, "nobody@example.fi", "väärä salasana")
    assert len(hashed) == 2 and hashed[0] == hashed[1] == "$argon2id$v=19$m=48128,t=2,p=1"


def test_who_tries_one_account_from_twenty_addresses_is_stopped_and_its_owner_is_not(access, maija):
    known = try_in(access).device
    said = [try_in(access, password="väärä", network=f"198.51.100.{number}") for number in range(20)]
    assert said == [Refusal.WRONG] * MOST["account"] + [Refusal.TOO_OFTEN] * (20 - MOST["account"])
    # The right password doesn't help where one has to wait, or trying would go on.
    assert try_in(access, network="198.51.100.99") is Refusal.TOO_OFTEN
    assert isinstance(try_in(access, device=known), Begun)
    assert isinstance(try_in(access, network="198.51.100.99", now=NOW + WHILE), Begun)


def test_who_tries_two_hundred_accounts_from_one_address_is_stopped(access, maija):
    said = [try_in(access, f"name{number}", "väärä") for number in range(MOST["network"] + 5)]
    assert said == [Refusal.WRONG] * MOST["network"] + [Refusal.TOO_OFTEN] * 5
    assert try_in(access) is Refusal.TOO_OFTEN
    assert isinstance(try_in(access, network="192.0.2.2"), Begun)


def test_trying_on_does_not_keep_the_owner_out_for_longer(access, maija):
    for minute in range(15):
        for _ in range(4):
            try_in(access, password="väärä", network=str(minute), now=NOW + timedelta(minutes=minute))
    assert isinstance(try_in(access, network="own", now=NOW + WHILE), Begun)


def test_a_device_is_known_to_its_own_account_only_and_has_a_count_of_its_own(access, maija):
    access.accounts.set_password(
        access.accounts.add("pekka", [Role.AUTHOR], by="t", now=NOW), PASSWORD, by="t", now=NOW
    )
    device = try_in(access, "pekka").device
    for number in range(MOST["account"]):
        try_in(access, password="väärä", network=str(number))
    for forged in (device, "x.y", "", device[:-1] + "x", "\ud800"):
        assert try_in(access, device=forged, network="own") is Refusal.TOO_OFTEN
    for _ in range(MOST["device"]):
        try_in(access, "pekka", "väärä", device=device)
    assert try_in(access, "pekka", device=device) is Refusal.TOO_OFTEN


def test_tries_at_the_same_moment_are_counted_one_by_one(access, maija):
    said: list[bool] = []
    threads = [
        threading.Thread(target=lambda: said.append(access.attempts.begin({"code": maija.id}, NOW))) for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == [False] * (20 - MOST["code"]) + [True] * MOST["code"]


# ---- one-time codes


def test_codes_are_asked_for_only_after_one_has_been_typed(access, maija):
    secret = access.accounts.propose_codes(maija)
    assert try_in(access).passed
    assert access.accounts.confirm_codes(maija, "000000", but="", now=NOW) == ()
    assert try_in(access).passed
    recovery = access.accounts.confirm_codes(maija, code_of(secret), but="", now=NOW)
    assert len(recovery) == len(set(recovery)) == 10
    begun = try_in(access)
    assert not begun.passed and begun.device == ""
    assert access.accounts.proposed(maija) == ""


def test_the_codes_are_those_of_rfc_6238():
    # RFC 6238, appendix B: the secret 12345678901234567890, SHA-1, at 59 and 1111111109 seconds; the last six digits.
    from datetime import UTC, datetime

    from kysely.access import one_time

    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    for second, code in ((59, "287082"), (1111111109, "081804"), (20000000000, "353130")):
        moment = datetime.fromtimestamp(second, UTC)
        assert one_time.counter_of(secret, code, now=moment, after=0) == second // 30
        assert one_time.counter_of(secret, f" {code[:3]} {code[3:]} ", now=moment, after=0) == second // 30
        assert one_time.counter_of(secret, code, now=moment, after=second // 30) is None
        assert one_time.counter_of(secret, code, now=moment + timedelta(seconds=90), after=0) is None


def test_a_code_lets_in_once(access, maija, secret):
    half = access.sessions.find(try_in(access).token, NOW)
    begun = access.enter_code(half, code_of(secret), NOW)
    assert begun.passed and begun.device
    assert access.sessions.find(begun.token, NOW).passed
    again = access.sessions.find(try_in(access).token, NOW)
    assert access.enter_code(again, code_of(secret), NOW) is Refusal.WRONG
    assert access.enter_code(again, code_of(secret, NOW - timedelta(seconds=30)), NOW) is Refusal.WRONG
    later = NOW + timedelta(seconds=30)
    assert access.enter_code(again, code_of(secret, later), later).passed


def test_of_two_who_send_the_same_code_at_once_one_comes_in(access, maija, secret):
    account = access.accounts.named(maija.name)
    said: list[bool] = []
    threads = [
        threading.Thread(target=lambda: said.append(access.accounts.use_code(account, code_of(secret), now=NOW)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == [False] * 7 + [True]


def test_wrong_codes_are_stopped_after_a_few(access, maija, secret):
    half = access.sessions.find(try_in(access).token, NOW)
    said = [access.enter_code(half, "000000", NOW) for _ in range(MOST["code"] + 1)]
    assert said == [Refusal.WRONG] * MOST["code"] + [Refusal.TOO_OFTEN]
    assert access.enter_code(half, code_of(secret), NOW) is Refusal.TOO_OFTEN


def test_a_recovery_code_stands_in_once_and_for_its_own_account(access, maija, secret):
    recovery = access.accounts.renew_recovery(access.accounts.named(maija.name), by="t", now=NOW)
    half = access.sessions.find(try_in(access).token, NOW)
    assert access.enter_code(half, recovery[0].upper().replace("-", " "), NOW).passed
    half = access.sessions.find(try_in(access).token, NOW)
    assert access.enter_code(half, recovery[0], NOW) is Refusal.WRONG
    assert access.accounts.recovery_left(maija) == 9
    assert "recovery code used" in [entry.action for entry in access.log.entries()]
    pekka = access.accounts.add("pekka", [Role.AUTHOR], by="t", now=NOW)
    assert not access.accounts.use_code(pekka, recovery[1], now=NOW)


def test_the_secret_of_one_account_is_of_no_use_in_another(access, maija, secret):
    from kysely.errors import ConfigurationError

    pekka = access.accounts.add("pekka", [Role.AUTHOR], by="t", now=NOW)
    with access.log.database.writing() as connection:
        connection.execute(
            text(
                "UPDATE account SET secret_sealed = "
                "(SELECT secret_sealed FROM account WHERE name = 'maija@example.fi') WHERE name = 'pekka'"
            )
        )
    with pytest.raises(ConfigurationError, match="KYSELY_ACCESS_KEY"):
        access.accounts.use_code(pekka, code_of(secret), now=NOW)


# ---- sessions


def test_a_session_ends_when_nothing_is_done_and_at_the_latest_after_half_a_day(access, maija):
    token = try_in(access).token
    assert access.sessions.find(token, NOW + IDLE) is None
    moment = NOW
    while moment < NOW + LONGEST:
        assert access.sessions.find(token, moment) is not None
        moment += IDLE - timedelta(minutes=1)
    assert access.sessions.find(token, NOW + LONGEST) is None


def test_the_time_between_password_and_code_is_short(access, maija, secret):
    token = try_in(access).token
    assert access.sessions.find(token, NOW + BETWEEN - timedelta(seconds=1)) is not None
    assert access.sessions.find(token, NOW + BETWEEN) is None


def test_a_new_password_ends_every_session_but_the_one_it_was_changed_in(access, maija):
    mine, other = try_in(access).token, try_in(access).token
    keep = access.sessions.find(mine, NOW).id
    access.accounts.set_password(maija, "aivan uusi salasana", by=maija.name, now=NOW, but=keep)
    assert access.sessions.find(mine, NOW) is not None and access.sessions.find(other, NOW) is None
    access.accounts.set_password(maija, PASSWORD, by="terminal:test", now=NOW)
    assert access.sessions.find(mine, NOW) is None


def test_disabling_ends_sessions_and_enabling_brings_none_back(access, maija):
    token = try_in(access).token
    access.accounts.set_disabled(maija, True, by="t", now=NOW)
    assert access.sessions.find(token, NOW) is None and try_in(access) is Refusal.WRONG
    access.accounts.set_disabled(maija, False, by="t", now=NOW)
    assert access.sessions.find(token, NOW) is None and isinstance(try_in(access), Begun)


def test_a_changed_role_holds_at_once(access, maija):
    token = try_in(access).token
    access.accounts.set_roles(maija, [Role.ADMINISTRATOR], by="t", now=NOW)
    assert access.sessions.find(token, NOW).account.roles == {Role.ADMINISTRATOR}


def test_one_account_cannot_end_the_sessions_of_another(access, maija):
    pekka = access.accounts.add("pekka", [Role.AUTHOR], by="t", now=NOW)
    session = access.sessions.find(try_in(access).token, NOW)
    assert access.accounts.end_sessions(pekka, only=session.id, by="pekka", now=NOW) == 0
    assert access.accounts.end_sessions(maija, only=session.id, by="maija", now=NOW) == 1


def test_reading_writes_nothing_for_five_minutes(access, maija):
    token = try_in(access).token
    assert access.sessions.find(token, NOW + timedelta(minutes=4)).seen_at == NOW
    assert access.sessions.find(token, NOW + timedelta(minutes=5)).seen_at == NOW
    assert access.sessions.find(token, NOW + timedelta(minutes=6)).seen_at == NOW + timedelta(minutes=5)


def test_guessed_tokens_are_nobody(access, maija):
    try_in(access)
    for token in ("", "x", "\ud800", "a" * 43, "'; DROP TABLE session; --"):
        assert access.sessions.find(token, NOW) is None


def test_an_older_hash_is_renewed_when_its_password_is_given(access, maija):
    from argon2 import PasswordHasher

    weaker = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    with access.log.database.writing() as connection:
        connection.execute(text("UPDATE account SET password_hash = :hash"), {"hash": weaker})
    assert isinstance(try_in(access), Begun)
    with access.log.database.reading() as connection:
        assert "m=48128" in connection.execute(text("SELECT password_hash FROM account")).scalar()


# ---- the database


def test_the_role_of_this_database_reaches_neither_answers_nor_names(postgresql_settings):
    from contextlib import closing

    from kysely import store as stores
    from kysely.errors import StoreError

    with closing(stores.open(postgresql_settings)) as store:
        for table in ("answers.answer_event", "identity.organisation"):
            with pytest.raises(StoreError, match="may not"), store.access.reading() as connection:
                connection.execute(text(f"SELECT * FROM {table}"))
        for database in (store.answers.database, store.identities.database):
            with pytest.raises(StoreError, match="may not"), database.reading() as connection:
                connection.execute(text("SELECT * FROM access.account"))


def test_a_copy_of_the_accounts_works_in_their_place(sqlite_settings, tmp_path):
    from contextlib import closing

    from kysely import store as stores

    with closing(stores.open(sqlite_settings)) as store:
        access = access_of(store)
        account = access.accounts.add("maija", [Role.RESEARCHER], by="t", now=NOW)
        access.accounts.set_password(account, PASSWORD, by="t", now=NOW)
        copies = stores.backup(sqlite_settings, tmp_path / "backups", now=NOW)
        assert [copy.name.partition("-")[0] for copy in copies] == ["answers", "identity", "access"]
        access.accounts.set_disabled(account, True, by="t", now=NOW)
    (sqlite_settings.instance / "access.db").write_bytes(copies[2].read_bytes())
    for beside in ("access.db-wal", "access.db-shm"):
        (sqlite_settings.instance / beside).unlink(missing_ok=True)
    with closing(stores.open(sqlite_settings)) as store:
        access = access_of(store)
        assert isinstance(try_in(access, "maija"), Begun)
        # What was written after the copy is missed, the account that it disabled too.
        assert access.log.faults() == ["entry 3 is another one than was written"]


def test_the_tables_are_those_of_the_migration(sqlite_settings, postgresql_settings):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from kysely import store as stores

    for settings in (sqlite_settings, postgresql_settings):
        database = stores.access_database(settings)
        with database.engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, database.metadata) == []
        database.close()


def test_every_role_may_something():
    from kysely.web.permissions import ROUTES

    for role in Role:
        assert any(allowed and role in allowed for allowed in ROUTES.values())
    assert roles.OF_ANSWERS < roles.OF_RESULTS < roles.EVERYBODY
