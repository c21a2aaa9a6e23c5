"""`kysely translations`: which translations are current, and the way to translators and back."""

from __future__ import annotations

import argparse
import os
from collections import Counter
from pathlib import Path

from kysely import paths

HELP = "tell stale translations, confirm them, export and import PO files"


def arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="action", required=True)
    status = actions.add_parser("status", help="count the current translations and list the others; 1 if there are any")
    confirming = actions.add_parser("confirm", help="say that translations were read and are right, in the lock file")
    confirming.add_argument("--language", action="append", default=[], help="only this language (may be repeated)")
    confirming.add_argument(
        "--key", action="append", default=[], help="only this text, or those below it (may be repeated)"
    )
    exporting = actions.add_parser("export", help="write a PO file for a translator")
    exporting.add_argument("--language", required=True)
    exporting.add_argument("--out", type=Path, help="file to write (default: <instrument>.<language>.po)")
    importing = actions.add_parser("import", help="take the translations of a PO file; an empty one changes nothing")
    for action in (status, confirming, exporting, importing):
        action.add_argument("instrument", help="folder of the questionnaire")
    importing.add_argument("file", type=Path)


def run(args: argparse.Namespace) -> int:
    actions = {"status": _status, "confirm": _confirm, "export": _export, "import": _import}
    return actions[args.action](paths.questionnaires(os.environ) / args.instrument, args)


def _status(path: Path, args: argparse.Namespace) -> int:
    from kysely import translations

    source = translations.read(path)
    for language in source.translated:
        counts = Counter(one.state for one in source.statuses() if one.language == language)
        print(f"{language}: " + ", ".join(f"{counts[state]} {state}" for state in translations.State if counts[state]))
    problems = translations.problems(path)
    for problem in problems:
        print(str(problem).replace("warning: ", ""))
    return 1 if problems else 0


def _confirm(path: Path, args: argparse.Namespace) -> int:
    from kysely import translations

    confirmed = translations.confirm(path, languages=args.language, keys=args.key)
    for one in confirmed:
        print(f"{one.key}, {one.language}: {one.text}")
    print(f"{len(confirmed)} translations are confirmed now; {path / translations.LOCK} says so. Commit it.")
    return 0


def _export(path: Path, args: argparse.Namespace) -> int:
    from kysely import translations

    text = translations.exported(path, args.language)
    out = args.out or Path(f"{args.instrument}.{args.language}.po")
    try:
        out.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise translations.TranslationError(f"{out} can't be written: {error.strerror}") from None
    print(f"{out}: {text.count('msgctxt')} texts, of which {text.count('fuzzy')} are to be translated or confirmed")
    return 0


def _import(path: Path, args: argparse.Namespace) -> int:
    from kysely import translations

    done = translations.imported(path, args.file)
    for problem in done.refused:
        print(problem)
    left = [f"{len(done.fuzzy)} fuzzy"] * bool(done.fuzzy) + [f"{len(done.empty)} empty"] * bool(done.empty)
    print(
        f"{done.language}: {len(done.written)} texts written, {len(done.confirmed)} confirmed"
        + (f"; {' and '.join(left)} entries changed nothing" if left else "")
        + (f"; {len(done.refused)} refused" if done.refused else "")
    )
    return 1 if done.refused else 0
