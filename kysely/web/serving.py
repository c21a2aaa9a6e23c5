"""What stands between a server's threads and the application: whole requests, a few at a time."""

from __future__ import annotations

import gc
import os
import signal
import threading
import time
from collections.abc import Iterable
from io import BytesIO
from typing import Any

PLACES = 4
"""Requests of one process that are worked on at a time; more would only make each other wait."""


class WholeRequests:
    """WSGI middleware that reads the whole body before it takes one of the few places where requests are worked on.

    A client that sends slowly, or stops in the middle, holds a thread, which there are many of, and no place.
    A body without a stated length is counted as it comes, so that the application's limit holds for it too.
    """

    def __init__(self, app: Any, *, limit: int, places: int = PLACES):
        self._app = app
        self._limit = limit
        self._places = threading.BoundedSemaphore(places)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            self._read(environ)
        with self._places:
            return self._app(environ, start_response)

    def _read(self, environ: dict[str, Any]) -> None:
        stated = environ.get("CONTENT_LENGTH") or ""
        if stated and (not stated.isdecimal() or int(stated) > self._limit):
            return  # the application refuses it by its length, unread
        # One byte more than is allowed tells that there is more.
        body = environ["wsgi.input"].read(int(stated) if stated else self._limit + 1)
        environ["wsgi.input"] = BytesIO(body)
        if not stated:
            environ["CONTENT_LENGTH"] = str(len(body))
            environ.pop("HTTP_TRANSFER_ENCODING", None)
            environ.pop("wsgi.input_terminated", None)


def settle() -> None:
    """Do before the first request what would make a respondent wait: count what stays.

    A full garbage collection of everything that was imported halts all threads for some 60 ms; frozen, none of it is
    looked at again.
    """
    gc.collect()
    gc.freeze()


def stop_without_parent(patience: float = 10) -> None:
    """Stop this process when the one that started it is gone: an orphan would go on serving on the shared port."""
    parent = os.getppid()
    threading.Thread(target=_watch, args=(parent, patience), name="parent", daemon=True).start()


def _watch(parent: int, patience: float) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(patience)
    os._exit(1)
