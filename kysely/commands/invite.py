"""`kysely invite`: whom a wave asks by a personal link, and what became of it."""

from __future__ import annotations

import argparse
import os
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from kysely.commands import _waves
from kysely.config import Settings
from kysely.errors import StoreError

if TYPE_CHECKING:
    from kysely.store import Store, Wave
    from kysely.store.invitations import Invited

HELP = "invite people by personal links, and see what became of the invitations"


def arguments(parser: argparse.ArgumentParser) -> None:
    action = _waves.actions(parser)
    importing = action("import", "invite everybody on a list, or nobody if a row of it is wrong")
    importing.add_argument(
        "--file", type=Path, required=True, help="CSV or .xlsx with the columns email, name, language …"
    )
    action("status", "count the invitations by outcome")
    link = action("link", "print a person's link, for somebody who has lost it")
    marking = action("mark", "note what somebody told of a person: on leave, no longer there, refuses …")
    marking.add_argument("--as", dest="disposition", required=True, help="the disposition; none takes it back")
    revoking = action("revoke", "let a person's link open nothing any more")
    for one in (link, marking, revoking):
        one.add_argument("--email", required=True)


def run(args: argparse.Namespace) -> int:
    from kysely import store

    opened = store.open(Settings.from_env(os.environ))
    try:
        actions = {"import": _import, "status": _status, "link": _link, "mark": _mark, "revoke": _revoke}
        return actions[args.action](opened, _waves.inviting(opened, args), args)
    finally:
        opened.close()


def _import(store: Store, wave: Wave, args: argparse.Namespace) -> int:
    from kysely import contacts, loading

    if wave.state != "open":
        raise StoreError(f"The wave {wave.name!r} is closed; nobody can be invited to it.")
    instrument = loading.load(store.settings.questionnaires / args.instrument, wave.form)
    listed = contacts.read(args.file, instrument.languages)
    done = store.invitations.add(
        listed.contacts,
        wave=wave.id,
        origin=wave.origin,
        privacy_mode=instrument.privacy_mode,
        on=datetime.now(UTC).date(),
    )
    print(
        f"{done.invitations} invited to the wave {wave.name} of {wave.instrument} ({wave.form}); {done.contacts} of "
        f"them are new contacts, {done.known} were invited already."
    )
    for line in listed.repeated:
        print(f"{args.file.name}: {line}")
    if done.unwilling:
        print(f"{done.unwilling} have asked for no more mail and will get none.")
    return 0


def _status(store: Store, wave: Wave, args: argparse.Namespace) -> int:
    from kysely.outcomes import outcomes, tell_used

    tell_used(store, wave)
    found = outcomes(store, wave)
    mailed = store.invitations.mailed(wave.id)
    counts = Counter(found.values())
    print(f"Wave {wave.name} of {wave.instrument} ({wave.form}): {len(found)} invited, {len(mailed)} written to")
    for disposition, count in sorted(counts.items()):
        print(f"  {disposition:<28}{count:>7}")
    states = Counter(mailed.values())
    if states["claimed"]:
        print(f"{states['claimed']} mails may or may not have arrived: kysely mail unsure {wave.instrument}")
    return 0


def _link(store: Store, wave: Wave, args: argparse.Namespace) -> int:
    from kysely.mail.composing import link_to

    invited = store.invitations.find_by_address(wave.id, args.email)
    if invited.anonymous:
        raise StoreError(
            "In anonymous mode nobody can see a link again, or it would lead from the person to the answers. "
            "It is in the mail that the person got."
        )
    print(link_to(store.settings, store.invitations.keys.code(invited.id, invited.generation), invited.language or ""))
    return 0


def _mark(store: Store, wave: Wave, args: argparse.Namespace) -> int:
    from kysely.store.invitations import REFUSED

    invited = store.invitations.find_by_address(wave.id, args.email)
    store.invitations.settle(invited, None if args.disposition == "none" else args.disposition)
    print(f"Noted: {args.disposition}.")
    if args.disposition == REFUSED:
        _withdraw(store, invited)
    return 0


def _revoke(store: Store, wave: Wave, args: argparse.Namespace) -> int:
    invited = store.invitations.find_by_address(wave.id, args.email)
    store.invitations.revoke(invited)
    print("The link opens nothing any more.")
    _withdraw(store, invited)
    return 0


def _withdraw(store: Store, invited: Invited) -> None:
    from kysely.store.tables import OPERATOR

    if store.withdraw(invited, by=OPERATOR, now=datetime.now(UTC)):
        print("What had been answered anonymously and not sent is erased.")
