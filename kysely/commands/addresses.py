"""`kysely addresses`: the e-mail addresses to which respondents want their feedback."""

from __future__ import annotations

import argparse
import os

from kysely.commands import _waves
from kysely.config import Settings

HELP = "list the e-mail addresses that respondents of a wave gave for their feedback"


def arguments(parser: argparse.ArgumentParser) -> None:
    _waves.instrument(parser)


def run(args: argparse.Namespace) -> int:
    """Print the addresses one a line, in the order of their letters: that tells nothing of who answered what."""
    from kysely import store

    opened = store.open(Settings.from_env(os.environ))
    try:
        for address in opened.addresses(_waves.collected(opened, args).id):
            print(address)
    finally:
        opened.close()
    return 0
