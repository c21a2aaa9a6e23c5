"""Which wave a command is about, for those that name an instrument."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from kysely.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from kysely.store import Store, Wave


def actions(parser: argparse.ArgumentParser) -> Callable[[str, str], argparse.ArgumentParser]:
    """Return a function that adds an action, which names an instrument and perhaps a form, to the command *parser*."""
    added = parser.add_subparsers(dest="action", metavar="action", required=True)

    def add(name: str, meaning: str) -> argparse.ArgumentParser:
        action = added.add_parser(name, help=meaning, description=meaning)
        instrument(action)
        return action

    return add


def instrument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("instrument", help="id of the instrument")
    parser.add_argument("--form", help="form of the questionnaire (default: the only one whose wave is open)")


def inviting(store: Store, args: argparse.Namespace) -> Wave:
    """Return the wave that takes answers by personal link: the open one, else the latest."""
    waves = [wave for wave in _real(store, args) if wave.by_invitation]
    if not waves:
        raise StoreError(
            f"No wave of {args.instrument} takes answers by personal link. "
            f"Open one: kysely wave open {args.instrument} --access invited …"
        )
    return _current(waves)


def collected(store: Store, args: argparse.Namespace) -> Wave:
    """Return the wave that takes real answers: the open one, else the latest."""
    waves = _real(store, args)
    if not waves:
        raise StoreError(f"{args.instrument} has no wave for real answers; `kysely wave list` shows all.")
    return _current(waves)


def _real(store: Store, args: argparse.Namespace) -> list[Wave]:
    return [wave for wave in store.waves(args.instrument, args.form) if wave.origin == "real"]


def _current(waves: list[Wave]) -> Wave:
    forms = sorted({wave.form for wave in waves if wave.state == "open"})
    if len(forms) > 1:
        raise StoreError(f"Waves of the forms {', '.join(forms)} are open; choose one with --form.")
    return next((wave for wave in waves if wave.state == "open"), waves[0])
