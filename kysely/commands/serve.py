"""Run the survey and the page of charts with a production WSGI server."""

from __future__ import annotations

import argparse
import logging
import os
import socket
import sys

from kysely.config import Settings
from kysely.errors import ConfigurationError

HELP = "run the survey and the page of charts on http://127.0.0.1:8000"

STOPPING_SECONDS = 10

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8000, help="port to listen on (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=2, help="processes (default: %(default)s)")
    parser.add_argument(
        "--threads",
        type=int,
        default=128,
        help="threads of each process, which are the clients that may be slow at the same time (default: %(default)s)",
    )


def run(args: argparse.Namespace) -> int:
    from granian import Granian

    settings = Settings.from_env(os.environ)
    if args.host not in LOOPBACK and not settings.trusted_hosts:
        raise ConfigurationError(
            f"KYSELY_TRUSTED_HOSTS is missing; to serve on {args.host} say which host names to answer to."
        )
    _refuse_a_port_in_use(args.host, args.port)
    accounts = _prepare(settings)
    address = f"http://{f'[{args.host}]' if ':' in args.host else args.host}:{args.port}"
    print(
        f"The survey: {settings.base_url or address}/   The charts: {settings.base_url or address}/charts/", flush=True
    )
    if not accounts:
        print("The charts need an account: kysely account add <name> --role researcher", flush=True)
    server = Granian(
        "kysely.web:from_environment",
        factory=True,
        interface="wsgi",  # type: ignore[arg-type]
        address=args.host,
        port=args.port,
        workers=args.workers,
        blocking_threads=args.threads,
        # An access log would hold the way each respondent took; Kysely writes none.
        log_access=False,
        log_level="warning",  # type: ignore[arg-type]
        websockets=False,
        respawn_failed_workers=True,
        # A process that is told to stop while it is starting would otherwise never hear of it.
        workers_kill_timeout=STOPPING_SECONDS,
    )
    # Slow clients hold threads, so there are to be more than granian advises; WholeRequests lets few of them work.
    logging.getLogger("_granian").addFilter(lambda record: "Python threads" not in record.getMessage())
    server.serve()
    return 0


def _refuse_a_port_in_use(host: str, port: int) -> None:
    """Raise ConfigurationError if somebody listens there already: the port would be shared with them."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ConfigurationError(
                f"Nothing can listen on {host}, port {port} ({error.strerror}): "
                "stop the server that runs there, or choose another with --port."
            ) from error


def _prepare(settings: Settings) -> bool:
    """Bring the databases up to date once, before the processes open them; and say at once what can't work.

    Returns whether there are accounts.
    """
    from kysely import store
    from kysely.access import Access
    from kysely.web import create_app

    opened = store.open(settings)
    try:
        create_app(settings, opened)
        return bool(Access.of(opened.access, settings).accounts.all())
    finally:
        opened.close()
    sys.stdout.flush()
