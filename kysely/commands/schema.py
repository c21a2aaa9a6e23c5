"""`kysely schema`: the questionnaire format for editors."""

from __future__ import annotations

import argparse
import json

HELP = "print the JSON Schema of questionnaires, for editors"


def arguments(parser: argparse.ArgumentParser) -> None:
    pass


def run(args: argparse.Namespace) -> int:
    from kysely.loading.schema import json_schema

    print(json.dumps(json_schema(), ensure_ascii=False, indent=2))
    return 0
