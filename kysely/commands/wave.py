"""`kysely wave`: open and close the rounds of collecting, and say who asks."""

from __future__ import annotations

import argparse
import os
from datetime import UTC, datetime

from kysely.config import Settings
from kysely.errors import StoreError

HELP = "open, close or list the waves in which answers are collected"


def arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="action", required=True)
    opening = actions.add_parser("open", help="open a wave for real answers; in production it must say who asks")
    opening.add_argument("instrument", help="folder of the questionnaire")
    opening.add_argument("--form", help="form of the questionnaire (default: its first)")
    opening.add_argument("--name", help="name of the wave (default: the month, as 2026-11)")
    for option, meaning in (
        ("controller", "who is responsible for the personal data"),
        ("contact", "whom a respondent can ask"),
        ("purpose", "what the answers are used for"),
        ("legal-basis", "on which legal basis they are processed"),
        ("retention", "how long they are kept"),
    ):
        opening.add_argument(f"--{option}", default="", help=meaning)
    opening.add_argument(
        "--access",
        choices=("open", "invited", "both"),
        help="who may answer: anybody (open), those with a personal link (invited), or both (default: open)",
    )
    opening.add_argument("--opens", help="when it opens, in Finnish time: 2026-11-30T08:00 (default: at once)")
    opening.add_argument("--closes", help="when it closes; a date alone includes that day (default: kysely wave close)")
    closing = actions.add_parser("close", help="take no new responses; begun ones can be finished")
    closing.add_argument("instrument")
    closing.add_argument("--form")
    actions.add_parser("list", help="show every wave")


def run(args: argparse.Namespace) -> int:
    from kysely import store

    opened = store.open(Settings.from_env(os.environ))
    try:
        return {"open": _open, "close": _close, "list": _list}[args.action](opened, args)
    finally:
        opened.close()


def _open(store, args: argparse.Namespace) -> int:
    from kysely import clock, loading
    from kysely.commands import _versions
    from kysely.store import REAL, Asking

    now = datetime.now(UTC)
    path = store.settings.questionnaires / args.instrument
    instrument = loading.load(path, args.form)
    if store.settings.production:  # opening a wave publishes the questionnaire as it is
        _versions.refuse(_versions.refusals(store, instrument, path))
    asking = Asking(args.controller, args.contact, args.purpose, args.legal_basis, args.retention)
    name = args.name or f"{now:%Y-%m}"
    id = store.open_wave(
        instrument,
        name=name,
        origin=REAL,
        asking=asking,
        access=args.access,
        opens_at=clock.moment(args.opens) if args.opens else None,
        closes_at=clock.moment(args.closes, end_of_day=True) if args.closes else None,
        now=now,
    )
    print(f"Wave {name} of {instrument.id} ({instrument.form}) is open for real answers.")
    wave = next(wave for wave in store.waves(instrument.id, instrument.form) if wave.id == id)
    for line in _takes(wave):
        print(f"{line[0].upper()}{line[1:]}.")
    if asking.unsaid:
        print(f"It is a demonstration and says so on every page; nobody has said: {', '.join(asking.unsaid)}.")
    print("A server that is running shows it within seconds.")
    return 0


def _close(store, args: argparse.Namespace) -> int:
    open_waves = [
        wave for wave in store.waves(args.instrument, args.form) if wave.origin == "real" and wave.state == "open"
    ]
    if not open_waves:
        raise StoreError(f"No wave of {args.instrument} is open; `kysely wave list` shows all.")
    for wave in open_waves:
        store.close_wave(wave.id, datetime.now(UTC))
        print(f"Wave {wave.name} of {wave.instrument} ({wave.form}) takes no new responses.")
    return 0


def _list(store, args: argparse.Namespace) -> int:
    waves = store.waves()
    for wave in waves:
        kind = "demonstration" if wave.demonstration else wave.origin
        ended = f", closed {wave.closed_at:%Y-%m-%d}" if wave.closed_at else ""
        asks = f"; asked by {wave.asking.controller}" if wave.asking.controller else ""
        takes = "".join(f"; {line}" for line in _takes(wave))
        opened = f"opened {wave.opened_at:%Y-%m-%d}{ended}"
        print(f"{wave.instrument} ({wave.form}) {wave.name}: {kind}, {opened}{takes}{asks}")
    if not waves:
        print("There are no waves yet.")
    return 0


def _takes(wave) -> list[str]:
    """Return whom and when the wave takes, where that is not everybody from now on."""
    from kysely import clock

    takes = {"open": [], "invited": ["answered by personal link"], "both": ["answered by open and by personal link"]}
    told = list(takes[wave.access])
    if wave.opens_at:
        told.append(f"opens {clock.said(wave.opens_at, 'en')}")
    if wave.closes_at:
        told.append(f"takes answers until {clock.said_closing(wave.closes_at, 'en')}")
    return told
