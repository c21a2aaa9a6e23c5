"""`kysely attack`: try to link the people invited to their answers with all that the operator has."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from kysely.config import Settings

HELP = "try to link people to answers with your own databases, logs and backups, and tell the rate"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("instrument", help="id of the instrument")
    parser.add_argument("--form", help="form of the questionnaire (default: the only one that invites)")
    parser.add_argument(
        "--backups",
        type=Path,
        help="folder of copies of both databases (default: instance/backups), oldest first by name",
    )
    parser.add_argument("--log", type=Path, action="append", default=[], help="a log file to search; may be repeated")


def run(args: argparse.Namespace) -> int:
    """Attack, tell what came of it, and return 1 if a mode that promises anonymity is broken."""
    from kysely import store
    from kysely.attack import attack, told
    from kysely.commands.invite import inviting

    opened = store.open(Settings.from_env(os.environ))
    try:
        wave = inviting(opened, args.instrument, args.form)
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
    broken = mode == "anonymous" and found.responses and found.rate > max(allowed, found.chance) + 1e-9
    print("The promise of anonymity is broken." if broken else f"The mode {mode} promises no less.")
    return int(bool(broken))


def _when(file: Path) -> tuple[str, str]:
    """Order copies by the time in their names, answers before the identities of the same moment."""
    return file.stem.rpartition("-")[2], file.stem
