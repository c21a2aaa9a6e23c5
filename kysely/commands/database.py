"""`kysely database`: bring the databases up to date, look at them, copy them."""

from __future__ import annotations

import argparse
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from kysely.config import Settings
from kysely.errors import StoreError

HELP = "upgrade, check or back up the databases of answers, identities and accounts"


def arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="action", required=True)
    actions.add_parser("upgrade", help="bring every database to the newest schema, after a copy of each")
    actions.add_parser("status", help="say where the databases are, their schema, what a full check finds, the counts")
    backup = actions.add_parser("backup", help="copy every database and ledger while in use, and check the copies")
    backup.add_argument("--to", type=Path, help="folder for the copies (default: backups in the instance folder)")
    restore = actions.add_parser("restore", help="bring the newest copies back; what was erased since is erased again")
    restore.add_argument("--from", dest="folder", type=Path, help="folder of the copies (default: as for backup)")
    forget = actions.add_parser("forget", help="delete who was invited and who answered; the answers stay")
    for asking in (restore, forget):
        asking.add_argument("--yes", action="store_true", help="do not ask whether it is meant")


def run(args: argparse.Namespace) -> int:
    settings = Settings.from_env(os.environ)
    actions = {"upgrade": _upgrade, "status": _status, "backup": _backup, "restore": _restore, "forget": _forget}
    return actions[args.action](settings, args)


def _upgrade(settings: Settings, args: argparse.Namespace) -> int:
    from kysely import store

    for done in store.upgraded(settings, now=datetime.now(UTC)):
        copy = f"; the copy from before is {done.backup}, to be deleted once all is well" if done.backup else ""
        if done.before == done.after:
            print(f"{done.database}: schema {done.after} is the newest, nothing to do")
        elif done.before:
            print(f"{done.database}: upgraded from schema {done.before} to {done.after}, no row lost{copy}")
        else:
            print(f"{done.database}: made, with schema {done.after}")
    return 0


def _status(settings: Settings, args: argparse.Namespace) -> int:
    from kysely import store

    sound = True
    for database in store.every_database(settings):
        schema = store.current(database)
        where = f"{database.name}: {database}"
        if not schema:
            print(f"{where}: not there yet. Run: kysely database upgrade")
            sound = False
            continue
        newest, faults = store.is_newest(database), store.faults(database)
        age = "the newest" if newest else "there is a newer one. Run: kysely database upgrade"
        print(f"{where}: schema {schema}, {age}; {'DAMAGED: ' + '; '.join(faults) if faults else 'sound'}")
        sound = sound and newest and not faults
    if not sound:
        return StoreError.exit_code
    opened = store.open(settings, upgrade=False)
    try:
        for count in opened.counts():
            wave = count.wave
            print(
                f"wave {wave.name} of {wave.instrument} ({wave.form}), {wave.origin}"
                f"{', demonstration' if wave.demonstration else ''}, {wave.state}: {count.started} started, "
                f"{count.answered} with answers, {count.submitted} submitted, {count.organisations} organisations"
            )
    finally:
        opened.close()
    return 0


def _backup(settings: Settings, args: argparse.Namespace) -> int:
    from kysely import store

    for file in store.backup(settings, args.to or settings.instance / "backups", now=datetime.now(UTC)):
        print(f"{file}: copied and checked ({file.stat().st_size / 1e6:.1f} MB)")
    print("A copy holds what people answered: keep it as safe as the database.")
    return 0


def _restore(settings: Settings, args: argparse.Namespace) -> int:
    from kysely import store

    folder = args.folder or settings.instance / "backups"
    print(f"What was answered since the newest copy in {folder} will be gone. Stop the server first.")
    if not (args.yes or _meant("Restore it?")):
        print("Nothing was restored.")
        return StoreError.exit_code
    done = store.restore(settings, folder, now=datetime.now(UTC))
    print(f"Restored: {', '.join(done.databases)}, and {done.ledgers} files of ledgers.")
    for file in done.kept:
        print(f"What stood there before is kept: {file}")
    print(f"Erased again, since it was erased after that copy: {done.erased}.")
    return 0


def _forget(settings: Settings, args: argparse.Namespace) -> int:
    from kysely import store

    print("Names, contacts, invitations and mails will be gone; make the last extract first, for the response rates.")
    if not (args.yes or _meant("Delete them?")):
        print("Nobody was deleted.")
        return StoreError.exit_code
    counts = store.forget(settings, now=datetime.now(UTC))
    print(f"Deleted: {counts['respondent']} respondents, {counts['organisation']} organisations, ", end="")
    print(f"{counts['contact']} contacts with {counts['invitation']} invitations. The answers stay.")
    print(
        "Backups hold them until they are deleted. Destroy KYSELY_LINK_KEY, and nothing leads there from the answers."
    )
    return 0


def _meant(question: str) -> bool:
    print(f"{question} Type yes: ", end="", flush=True)
    return sys.stdin.readline().strip().lower() == "yes"
