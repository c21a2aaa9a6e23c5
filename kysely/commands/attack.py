"""`kysely attack`: try to link people to their answers with all that the operator has."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from kysely.commands import _waves
from kysely.config import Settings

HELP = "try to link people to answers with your own databases, logs and backups, and tell the rate"


def arguments(parser: argparse.ArgumentParser) -> None:
    _waves.instrument(parser)
    parser.add_argument(
        "--backups",
        type=Path,
        help="folder of copies of both databases (default: instance/backups), oldest first by name",
    )
    parser.add_argument("--log", type=Path, action="append", default=[], help="a log file to search; may be repeated")


def run(args: argparse.Namespace) -> int:
    """Attack, tell what came of it, and return 1 if the privacy mode promises more than is kept."""
    from kysely import store
    from kysely.attack import attack, told

    opened = store.open(Settings.from_env(os.environ))
    try:
        wave = _waves.collected(opened, args)
        folder = args.backups or opened.settings.instance / "backups"
        backups = sorted(folder.glob("*.db"), key=_when) if folder.is_dir() else []
        found = attack(opened, wave, backups=backups, logs=args.log)
        mode = opened.instrument(opened.publications(wave=wave.id)[0].hash).privacy_mode
        allowed = 1 / opened.smallest_group(wave.id)
    finally:
        opened.close()
    print(f"Wave {wave.name} of {wave.instrument} ({wave.form}), privacy mode {mode}, {len(backups)} backups:")
    for line in told(found):
        print(f"  {line}")
    broken = found.breaks(mode, allowed)
    print(f"The promise of the mode {mode} is broken." if broken else f"The mode {mode} promises no less.")
    return int(broken)


def _when(file: Path) -> tuple[str, str]:
    """Order copies by the time in their names, answers before the identities of the same moment."""
    return file.stem.rpartition("-")[2], file.stem
