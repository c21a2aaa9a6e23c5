"""`kysely erase`: remove everything of one response, at the request of who gave it."""

from __future__ import annotations

import argparse
import os
import sys
from datetime import UTC, datetime

from kysely.config import Settings
from kysely.errors import StoreError

HELP = "erase a response for good, by its code or its id; or again what an old backup brought back"


def arguments(parser: argparse.ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--response", metavar="ID", help="id of the response (without it, the code is read from standard input)"
    )
    what.add_argument("--again", action="store_true", help="erase what a restored backup has brought back")
    what.add_argument("--list", action="store_true", help="show what was erased, and whether each record is genuine")
    parser.add_argument("--yes", action="store_true", help="do not ask whether it is meant")


def run(args: argparse.Namespace) -> int:
    from kysely import store

    opened = store.open(Settings.from_env(os.environ))
    try:
        if args.list:
            return _list(opened)
        if args.again:
            # Opening the databases has done it already; this says so, and does it for those of a running server.
            print(f"{_responses(opened.erase_again(datetime.now(UTC)))} erased again.")
            return 0
        return _erase(opened, args)
    finally:
        opened.close()


def _erase(opened, args: argparse.Namespace) -> int:
    found = opened.response(args.response) if args.response else opened.response_of_code(_asked("Code: "))
    if found is None:
        what = "id" if args.response else "code"
        raise StoreError(f"There is no response with this {what}; nothing was erased.")
    wave = next(wave for wave in opened.waves() if wave.id == found.wave)
    print(
        f"A response to {wave.instrument} ({wave.form}), wave {wave.name}, {wave.origin}, "
        f"{'sent' if found.submitted else 'not sent'}, with {len(found.answers)} answers."
    )
    if not args.yes and _asked("Erase it for good? Type yes: ").strip().lower() != "yes":
        print("Nothing was erased.")
        return StoreError.exit_code
    opened.erase(found.id, by="operator", now=datetime.now(UTC))
    print("Erased, with who gave it. A signed record of the erasure is left, and no answer.")
    print("Backups hold it until they are deleted; one that is restored is erased again when it is opened.")
    print("Whoever has received an extract keeps what it holds: tell them, or make a new one.")
    return 0


def _list(opened) -> int:
    genuine = True
    tombstones = tuple(opened.tombstones())
    for one in tombstones:
        genuine = genuine and one.genuine
        print(f"{one.erased_on} by the {one.erased_by}, wave {one.wave[:8]}…{'' if one.genuine else ', FORGED'}")
    print(f"{_responses(len(tombstones))} erased.")
    return 0 if genuine else StoreError.exit_code


def _asked(prompt: str) -> str:
    if sys.stdin.isatty():
        print(prompt, end="", flush=True)
    # Not as an argument: those are seen by everybody on the machine and stay in the shell's history.
    return sys.stdin.readline()


def _responses(count: int) -> str:
    return "1 response" if count == 1 else f"{count} responses"
