"""`kysely crashtest`: kill the server while people answer, and certify that nothing they sent was lost."""

from __future__ import annotations

import argparse
import os
from datetime import UTC, datetime
from pathlib import Path

from kysely import paths
from kysely.errors import ConfigurationError

HELP = "kill the server while robots answer, on this machine and disk, and write a certificate of what was lost"

SUBMISSIONS, KILLS, TERMINATIONS, STOPS = 20_000, 200, 10, 50


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--submissions", type=_positive, default=SUBMISSIONS, help="forms to send (default: 20000)")
    parser.add_argument("--kills", type=_count, default=KILLS, help="kill -9 of the server (default: 200)")
    parser.add_argument("--terminations", type=_count, default=TERMINATIONS, help="SIGTERM to it (default: 10)")
    parser.add_argument("--postgresql", action="store_true", help="on a PostgreSQL server that is made for the test")
    parser.add_argument("--stops", type=_count, help="immediate stops of PostgreSQL (default: 50 with --postgresql)")
    parser.add_argument("--respondents", type=_positive, default=8, help="robots at a time (default: 8)")
    parser.add_argument("--seed", type=int, default=2015, help="of the answers and of the moments (default: 2015)")
    parser.add_argument(
        "--certificate", type=Path, metavar="FOLDER", help="where it is written (default: build/crashtest)"
    )


def run(args: argparse.Namespace) -> int:
    """Run the test, write the certificate, and return 1 unless everything that was acknowledged is there once."""
    from kysely import crashtest

    if args.stops and not args.postgresql:
        raise ConfigurationError("--stops are of PostgreSQL: add --postgresql, or leave them out.")
    plan = crashtest.Plan(
        submissions=args.submissions,
        kills=args.kills,
        terminations=args.terminations,
        stops=(STOPS if args.stops is None else args.stops) if args.postgresql else 0,
        respondents=args.respondents,
        postgresql=args.postgresql,
        seed=args.seed,
    )
    print(
        f"{plan.respondents} robots send {plan.submissions} forms while their server is struck {len(plan.blows)} times."
    )
    # Beside the real databases and not in them: the same disk is tested.
    certificate = crashtest.run(plan, paths.instance(os.environ), lambda text: print(text, flush=True))
    folder = args.certificate or paths.build(os.environ) / "crashtest"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{datetime.now(UTC):%Y-%m-%dT%H%M%SZ}-{'postgresql' if plan.postgresql else 'sqlite'}.md"
    file.write_text(certificate.as_markdown(), encoding="utf8")
    file.with_suffix(".json").write_text(certificate.as_json(), encoding="utf8")
    print(f"{certificate.acknowledged} forms were acknowledged, in {certificate.seconds:.0f} seconds:")
    for what, found in certificate.faults.items():
        print(f"  {what}: {len(found)}")
    print(f"The certificate: {file}")
    return 0 if certificate.kept else 1


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError("must be 0 or more")
    return number
