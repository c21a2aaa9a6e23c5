"""`kysely publish`: freeze a questionnaire as it is and ask it from now on."""

from __future__ import annotations

import argparse
import os
from datetime import UTC, datetime

from kysely.config import Settings
from kysely.errors import StoreError

HELP = "freeze a questionnaire for its open wave, unless answers would be lost or texts are not translated"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("instrument", help="folder of the questionnaire")
    parser.add_argument("--form", help="form of the questionnaire (default: the one that is asked now)")


def run(args: argparse.Namespace) -> int:
    """Publish, and say what changes for whom; 1 and every reason where it is refused."""
    from kysely import loading, store
    from kysely.commands import _versions

    settings = Settings.from_env(os.environ)
    path = settings.questionnaires / args.instrument
    opened = store.open(settings)
    try:
        wave = _wave(opened, args.instrument, args.form)
        instrument = loading.load(path, wave.form)
        before = _versions.published(opened, instrument.id, instrument.form)
        _versions.refuse(_versions.refusals(opened, instrument, path))
        changes: tuple[str, ...] = ()
        if before is not None:
            changes = tuple(_versions.difference(opened.instrument(before.hash), instrument, path).told())
        if not opened.publish_in(wave.id, instrument, datetime.now(UTC)):
            print(f"Wave {wave.name} asks this very version already ({instrument.hash[:12]}).")
            return 0
    finally:
        opened.close()
    for line in changes:
        print(line)
    print(
        f"Published {instrument.id}, form {instrument.form}, revision {instrument.revision} ({instrument.hash[:12]}) "
        f"for wave {wave.name}. A server that is running asks it of new respondents within seconds; "
        "who has begun goes on with the version begun."
    )
    return 0


def _wave(store, instrument: str, form: str | None):
    """Return the wave to publish for: the open one, of *form* where it is given."""
    waves = [wave for wave in store.waves(instrument, form) if wave.origin == "real" and wave.state == "open"]
    if store.settings.production:
        waves = [wave for wave in waves if not wave.demonstration]
    if not waves:
        which = f"{instrument} ({form})" if form else instrument
        raise StoreError(
            f"No wave of {which} is open. Opening one publishes the questionnaire: kysely wave open {instrument} …"
        )
    if len({wave.form for wave in waves}) > 1:
        forms = ", ".join(sorted({wave.form for wave in waves}))
        raise StoreError(f"Waves of the forms {forms} are open; choose one with --form.")
    return waves[0]
