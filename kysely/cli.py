"""The terminal: one parser, a file of kysely/commands for each command."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from kysely import plugins
from kysely.errors import KyselyError

COMMANDS = "kysely.commands"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that *argv* names and return the exit code; errors meant for people are printed to stderr."""
    args = parser().parse_args(argv)
    try:
        return int(plugins.load(COMMANDS, args.command).run(args))
    except KyselyError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        # The reader has seen enough (`kysely schema | head`); Python must not complain when it closes stdout again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def parser() -> argparse.ArgumentParser:
    """Return the parser with every command of the folder."""
    parser = argparse.ArgumentParser(prog="kysely", description="Ask, keep and hand over the answers of a survey.")
    commands = parser.add_subparsers(dest="command", metavar="command", required=True)
    for name in plugins.names(COMMANDS):
        module = plugins.load(COMMANDS, name)
        module.arguments(commands.add_parser(name, help=module.HELP, description=module.HELP))
    return parser
