"""`kysely print`: the questionnaire on paper, as a PDF."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from kysely import paths

HELP = "write a questionnaire as a PDF to print, in one language or in all"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("instrument", help="folder of the questionnaire")
    parser.add_argument("--form", help="form of the questionnaire (default: its first)")
    parser.add_argument("--language", action="append", default=[], help="such as fi (may be repeated; default: all)")
    parser.add_argument("--codes", action="store_true", help="also show what is stored for each answer")
    parser.add_argument("--out", type=Path, help="folder to write to (default: build/<instrument>/paper)")


def run(args: argparse.Namespace) -> int:
    from kysely import loading, paper

    instrument = loading.load(paths.questionnaires(os.environ) / args.instrument, args.form)
    folder = args.out or paths.build(os.environ) / instrument.id / "paper"
    for language in args.language or instrument.languages:
        content = paper.printed(instrument, language, codes=args.codes)
        file = folder / f"{instrument.id}-{instrument.form}-{language}.pdf"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        except OSError as error:
            raise paper.NotPrinted(f"{file} can't be written: {error.strerror}; use --out") from None
        print(f"{file}: {len(content) / 1000:.0f} kB")
    return 0
