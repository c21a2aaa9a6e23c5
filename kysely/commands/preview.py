"""`kysely preview`: a questionnaire as respondents will see it, from its file, with databases that are thrown away."""

from __future__ import annotations

import argparse
import os
import secrets
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from kysely.config import DEMONSTRATION, Settings
from kysely.errors import ConfigurationError

if TYPE_CHECKING:
    from flask import Flask

HELP = "show a questionnaire as respondents will see it; nothing of it is kept"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("instrument", help="folder of the questionnaire")
    parser.add_argument("--form", help="form of the questionnaire (default: its first)")
    parser.add_argument("--port", type=int, default=8001, help="port to listen on (default: %(default)s)")


def run(args: argparse.Namespace) -> int:
    """Serve the preview until it is interrupted."""
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        def log(self, type: str, message: str, *values: object) -> None:
            """An access log would only hide what the author has to read."""

    settings = Settings.from_env(os.environ)
    with previewed(settings, args.instrument, args.form) as app:
        try:
            server = make_server("127.0.0.1", args.port, app, threaded=True, request_handler=Quiet)
        except (OSError, SystemExit):
            raise ConfigurationError(
                f"Nothing can listen on 127.0.0.1, port {args.port}; choose another with --port."
            ) from None
        print(f"The preview: http://127.0.0.1:{server.server_port}/preview/   Stop it with Ctrl-C; nothing is kept.")
        sys.stdout.flush()
        with _interruptible(server.shutdown):
            server.serve_forever()  # and close, when it is done
    return 0


@contextmanager
def _interruptible(stop: Callable[[], None]) -> Iterator[None]:
    """Call *stop*, in a thread of its own, when the user or the system ends the command.

    Python's own answer, an exception in the midst of whatever runs, is lost where that is the end of a thread.
    """

    def ended(signal_number: int, frame: object) -> None:
        threading.Thread(target=stop, daemon=True).start()

    before = {number: signal.signal(number, ended) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def previewed(settings: Settings, instrument: str, form: str | None) -> Iterator[Flask]:
    """Make the application over databases of its own, in a folder that goes with it; real answers are out of reach.

    Raises AuthorError for a questionnaire that can't be asked.
    """
    from kysely import loading, store
    from kysely.store import REAL
    from kysely.web import create_app

    source = settings.questionnaires / instrument
    loaded = loading.load(source, form)
    with tempfile.TemporaryDirectory(prefix="kysely-preview-") as name:
        folder = Path(name)
        (folder / "questionnaires").mkdir()
        (folder / "questionnaires" / loaded.id).symlink_to(source.resolve(), target_is_directory=True)
        apart = replace(
            settings,
            mode=DEMONSTRATION,
            database_url=f"sqlite:///{folder / 'answers.db'}",
            identity_url=f"sqlite:///{folder / 'identity.db'}",
            access_url=f"sqlite:///{folder / 'access.db'}",
            secret_key=secrets.token_urlsafe(32),
            secret_key_fallbacks=(),
            trusted_hosts=(),
            base_url="",
            proxy_hops=0,
            questionnaires=folder / "questionnaires",
            build=folder / "build",
            instance=folder,
        )
        opened = store.open(apart)
        try:
            opened.open_wave(loaded, name="preview", origin=REAL, now=datetime.now(UTC))
            yield create_app(apart, opened, preview=True)
        finally:
            opened.close()
