"""`kysely authoring`: write the tables of question types in docs/authoring.md anew from the code."""

from __future__ import annotations

import argparse
from pathlib import Path

from kysely.errors import KyselyError

HELP = "write the tables of question types in docs/authoring.md anew"

BEGIN = "<!-- question types: written by `kysely authoring`, edit the code instead -->"
END = "<!-- end of question types -->"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("page", nargs="?", type=Path, default=Path("docs/authoring.md"))


def run(args: argparse.Namespace) -> int:
    try:
        text = args.page.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise KyselyError(f"{args.page} is not there; run this from the checkout, or name the page") from None
    args.page.write_text(rewritten(text), encoding="utf-8")
    return 0


def rewritten(page: str) -> str:
    """Return *page* with the tables of the code as it is.

    Raises KyselyError if the page has no place for them.
    """
    from kysely.loading.schema import type_tables

    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise KyselyError(f"the page has no lines {BEGIN!r} and {END!r} to write between")
    return f"{before}{BEGIN}\n\n{type_tables()}\n{END}{after}"
