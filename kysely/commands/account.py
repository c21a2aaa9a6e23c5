"""`kysely account`: who may log in and as what. Everything done here stands in the audit log."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kysely.commands._terminal import actor
from kysely.config import Settings

if TYPE_CHECKING:
    from kysely.access import Access, Account

HELP = "make and change the accounts of those who work with a study: researchers, authors and others"

ROLES = ("researcher", "identity_manager", "data_manager", "author", "administrator")


def arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="action", required=True)
    adding = actions.add_parser("add", help="make an account; its password is asked for")
    adding.add_argument("name", help="name to log in with, for instance an e-mail address")
    adding.add_argument("--role", action="append", required=True, choices=ROLES, help="may be given several times")
    actions.add_parser("list", help="show every account with its roles")
    setting = actions.add_parser("password", help="set a new password, which ends every session")
    for asking in (adding, setting):
        asking.add_argument(
            "--code",
            action="store_true",
            help="print a code, good once and for two days, with which the person sets the password in the browser",
        )
    role = actions.add_parser("role", help="give an account exactly these roles")
    role.add_argument("--role", action="append", required=True, choices=ROLES, help="may be given several times")
    codes = actions.add_parser("codes", help="end the one-time codes of who has lost the phone, or make recovery codes")
    wish = codes.add_mutually_exclusive_group(required=True)
    wish.add_argument("--end", action="store_true", help="ask for no one-time codes any more")
    wish.add_argument("--recovery", action="store_true", help="print new recovery codes; earlier ones no longer count")
    revoke = actions.add_parser("revoke", help="end sessions: all of an account, or one")
    revoke.add_argument("--session", default="", help="id of the session, as `kysely account sessions` shows it")
    for action, meaning in (
        ("disable", "let an account log in no more, and end its sessions"),
        ("enable", "let a disabled account log in again"),
        ("sessions", "show where an account is logged in"),
    ):
        actions.add_parser(action, help=meaning)
    for action, chosen in actions.choices.items():
        if action not in ("add", "list"):
            chosen.add_argument("name", help="name of the account")


def run(args: argparse.Namespace) -> int:
    from kysely import access

    with access.opened(Settings.from_env(os.environ)) as opened:
        if args.action == "list":
            return _list(opened)
        if args.action == "add":
            return _add(opened, args)
        account = opened.accounts.named(args.name)
        return _ACTIONS[args.action](opened, account, args)


def _add(access: Access, args: argparse.Namespace) -> int:
    from kysely.access import Role, passwords
    from kysely.access.accounts import folded
    from kysely.access.roles import refuse_together

    roles = frozenset(map(Role, args.role))
    refuse_together(roles)  # before anybody thinks of a password
    password = None if args.code else _asked()
    if password is not None:
        passwords.refuse_weak(password, folded(args.name))
    account = access.accounts.add(args.name, roles, by=actor(), now=_now())
    print(f"Account {account.name} ({', '.join(sorted(roles))}) is made.")
    _give_password(access, account, password)
    return 0


def _list(access: Access) -> int:
    accounts = access.accounts.all()
    for account in accounts:
        marks = [
            *(["disabled"] if account.disabled else []),
            *([] if account.has_password else ["no password yet"]),
            *(["one-time codes"] if account.codes else []),
        ]
        said = "; ".join([", ".join(sorted(account.roles)), *marks])
        print(f"{account.name}: {said}; made {account.made_at:%Y-%m-%d}")
    if not accounts:
        print("There are no accounts yet. Make one: kysely account add <name> --role researcher")
    return 0


def _password(access: Access, account: Account, args: argparse.Namespace) -> int:
    _give_password(access, account, None if args.code else _asked())
    return 0


def _give_password(access: Access, account: Account, password: str | None) -> None:
    """Set the *password*, or print a code to set one with."""
    if password is not None:
        access.accounts.set_password(account, password, by=actor(), now=_now())
        print(f"The password of {account.name} is set; every session of it has ended.")
        return
    from kysely.access import one_time

    code = access.accounts.issue_entry(account, by=actor(), now=_now())
    base = Settings.from_env(os.environ).base_url or "http://127.0.0.1:8000"
    print(
        f"{account.name} sets the password at {base}/set-password within two days, with this code, which works once\n"
        f"and is not shown again:\n\n  {one_time.grouped(code)}\n"
    )


def _asked() -> str:
    """Return the password typed twice at the terminal; it is never an argument, which others can see."""
    from kysely.access import AccountError

    if not sys.stdin.isatty():
        raise AccountError(
            "There is no terminal to ask for a password at. Use --code: the person sets it in the browser."
        )
    password = getpass.getpass("Password: ")
    if getpass.getpass("The same again: ") != password:
        raise AccountError("The passwords are not the same; nothing was changed.")
    return password


def _disable(access: Access, account: Account, args: argparse.Namespace) -> int:
    access.accounts.set_disabled(account, True, by=actor(), now=_now())
    print(f"{account.name} can't log in any more; every session of it has ended.")
    return 0


def _enable(access: Access, account: Account, args: argparse.Namespace) -> int:
    access.accounts.set_disabled(account, False, by=actor(), now=_now())
    print(f"{account.name} can log in again.")
    return 0


def _role(access: Access, account: Account, args: argparse.Namespace) -> int:
    from kysely.access import Role

    roles = frozenset(map(Role, args.role))
    access.accounts.set_roles(account, roles, by=actor(), now=_now())
    print(f"{account.name} is now: {', '.join(sorted(roles))}.")
    return 0


def _codes(access: Access, account: Account, args: argparse.Namespace) -> int:
    if args.end:
        access.accounts.stop_codes(account, by=actor(), now=_now())
        print(f"{account.name} logs in with the password alone.")
        return 0
    codes = access.accounts.renew_recovery(account, by=actor(), now=_now())
    print(f"Recovery codes of {account.name}, each good once; they are not shown again:\n")
    print("\n".join(f"  {code}" for code in codes))
    return 0


def _sessions(access: Access, account: Account, args: argparse.Namespace) -> int:
    sessions = access.sessions.of_account(account, _now())
    for session in sessions:
        times = f"begun {session.begun_at:%Y-%m-%d %H:%M}, last used {session.seen_at:%Y-%m-%d %H:%M} (UTC)"
        print(f"{session.id}: {session.browser or 'unknown browser'}; {times}")
    if not sessions:
        print(f"{account.name} is logged in nowhere.")
    return 0


def _revoke(access: Access, account: Account, args: argparse.Namespace) -> int:
    from kysely.access import AccountError

    ended = access.accounts.end_sessions(account, only=args.session, by=actor(), now=_now())
    if args.session and not ended:
        raise AccountError(f"{account.name} has no session {args.session}; `kysely account sessions` shows them.")
    print(f"Sessions of {account.name} ended: {ended}.")
    return 0


def _now() -> datetime:
    return datetime.now(UTC)


_ACTIONS = {
    "codes": _codes,
    "disable": _disable,
    "enable": _enable,
    "password": _password,
    "revoke": _revoke,
    "role": _role,
    "sessions": _sessions,
}
