"""`kysely diff`: what a changed questionnaire means for the answers that are there already."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from kysely.config import Settings
from kysely.errors import KyselyError

HELP = "class every change of a questionnaire against what was published; 1 if something would be lost or blurred"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("instrument", help="folder of the questionnaire")
    parser.add_argument("--form", help="form of the questionnaire (default: its first)")
    parser.add_argument(
        "--against",
        default="published",
        metavar="VERSION",
        help="the first digits of a version's hash, another questionnaire file or folder, "
        "or `published`, which is what is asked now (default)",
    )


def run(args: argparse.Namespace) -> int:
    """Print every change with its class, file and line; 1 if the file has to say more before it can be published."""
    from kysely import loading, store
    from kysely.commands import _versions

    settings = Settings.from_env(os.environ)
    path = settings.questionnaires / args.instrument
    new = loading.load(path, args.form)
    if _is_questionnaire(args.against):
        old, called = loading.load(Path(args.against), args.form), args.against
    else:
        opened = store.open(settings)
        try:
            found = _found(opened, new, args.against)
            if found is None:
                print(f"{new.id}, form {new.form}: nothing has been published yet, so nothing can be lost.")
                return 0
            old, called = opened.instrument(found.hash), f"revision {found.revision}, {found.hash[:12]}"
        finally:
            opened.close()
    compared = _versions.difference(old, new, path)
    print(f"{new.id}, form {new.form}: the file (revision {new.revision}) against {called}")
    for line in compared.told():
        print(line)
    if compared.changes and old.revision == new.revision:
        print(f"\nBoth are called revision {new.revision!r}; give the new one another `revision`.")
    for problem in compared.refused:
        print(f"\n{problem}")
    return 1 if compared.refused else 0


def _is_questionnaire(name: str) -> bool:
    return Path(name).is_file() or (Path(name) / "questionnaire.yaml").is_file()


def _found(store, instrument, against: str):
    """Return the publication that *against* names, None where nothing was ever published."""
    from kysely.commands import _versions

    if against == "published":
        return _versions.published(store, instrument.id, instrument.form)
    known = {one.hash: one for one in store.publications(instrument.id, instrument.form)}
    found = [one for hash, one in known.items() if hash.startswith(against.lower())]
    if len(found) != 1:
        listed = ", ".join(f"{one.hash[:12]} (revision {one.revision})" for one in known.values()) or "none"
        cause = "fits several versions" if found else "is the hash of no version, and no questionnaire"
        raise KyselyError(f"--against: {against!r} {cause}. There are: {listed}.")
    return found[0]
