"""`kysely audit`: read the log of who did what, see that nobody has touched it, and note what other programs did."""

from __future__ import annotations

import argparse
import os
from datetime import UTC, datetime

from kysely.commands._terminal import actor
from kysely.config import Settings
from kysely.errors import StoreError

HELP = "show or check the log of logins, exports, publications and changed rights"


def arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="action", required=True)
    showing = actions.add_parser("show", help="print the log, the latest entries last")
    showing.add_argument("--last", type=int, default=50, help="how many entries (default: %(default)s; 0 for all)")
    showing.add_argument("--actor", help="only what this account (or terminal:<user>) did")
    showing.add_argument("--about", help="only entries that name this account or thing")
    actions.add_parser("verify", help="check that no entry was changed, removed, added or cut off")
    resuming = actions.add_parser(
        "resume", help="go on after a restore: the log keeps that entries are missing, and why"
    )
    resuming.add_argument("--reason", required=True, help="why entries are missing")
    noting = actions.add_parser("note", help="write down what was done outside of the server")
    noting.add_argument("what", help="what was done, as “published” or “report sent”")
    noting.add_argument("about", help="to what, as “operating_mode, data set 3”; never an answer or a name")


def run(args: argparse.Namespace) -> int:
    from kysely import access

    with access.opened(Settings.from_env(os.environ)) as opened:
        return {"show": _show, "verify": _verify, "resume": _resume, "note": _note}[args.action](opened, args)


def _show(access, args: argparse.Namespace) -> int:
    chosen = [
        entry
        for entry in access.log.entries()
        if (not args.actor or entry.actor == args.actor)
        and (not args.about or args.about.casefold() in entry.object.casefold())
    ]
    for entry in chosen[-args.last :]:
        at = entry.at.partition(".")[0].replace("T", " ")
        print(f"{entry.number}  {at}  {entry.actor}  {entry.action}  {entry.object}".rstrip())
    return 0


def _verify(access, args: argparse.Namespace) -> int:
    faults = access.log.faults()
    if faults:
        raise StoreError(
            "The audit log is not as it was written: " + "; ".join(faults) + ". If an older copy of the database was "
            "put back, say so: kysely audit resume --reason …; otherwise somebody has changed it."
        )
    count = len(access.log.entries())
    print(f"The audit log is as it was written: {count} {'entry' if count == 1 else 'entries'}.")
    return 0


def _resume(access, args: argparse.Namespace) -> int:
    access.log.resume(actor(), args.reason, now=datetime.now(UTC))
    print("The log goes on from here; that entries are missing, and why, stands in it.")
    return 0


def _note(access, args: argparse.Namespace) -> int:
    access.log.note(actor(), args.what, args.about, now=datetime.now(UTC))
    return 0
