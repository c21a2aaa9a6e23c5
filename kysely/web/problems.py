"""What a reader sees when a request can't be served: a page like the others, in the right language, without a trace.

The log gets a number and where in our code it happened, never what was typed: messages of exceptions can hold answers.
"""

from __future__ import annotations

import logging
import secrets
import traceback
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from flask import Flask, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from kysely.errors import StoreError
from kysely.web.contexts import ErrorPage, Link
from kysely.web.frames import Frames, preferred_language
from kysely.web.wording import LANGUAGES, Wording, wordings

RETRY_AFTER = "10"

_LOG = logging.getLogger("kysely.web")
_WORDED = (400, 404, 405, 413, 414, 415, 429, 500, 503)


@dataclass(frozen=True)
class Problems:
    frames: Frames

    def register(self, app: Flask) -> None:
        app.after_request(_within_site)
        app.register_error_handler(HTTPException, self.refused)
        app.register_error_handler(StoreError, self.unavailable)
        app.register_error_handler(Exception, self.defect)

    def refused(self, error: HTTPException) -> Response:
        response = error.get_response()
        if response.status_code < 400:
            return response  # a redirect of the router
        page = self._page(response.status_code)
        for name in ("Allow", "Retry-After"):
            if name in response.headers:
                page.headers[name] = response.headers[name]
        return page

    def unavailable(self, error: StoreError) -> Response:
        log(error)
        page = self._page(503)
        page.headers["Retry-After"] = RETRY_AFTER
        return page

    def defect(self, error: Exception) -> Response:
        return self._page(500, log(error))

    def _page(self, status: int, reference: str = "") -> Response:
        say = _wording()
        key = status if status in _WORDED else 400 if status < 500 else 500
        title = say[f"error_{key}_title"]
        paragraphs = [say[f"error_{key}"]]
        if reference:
            paragraphs.append(say.say("error_reference", reference=reference))
        home = Link(say["error_home"], f"/{say.language}/")
        frame = self.frames.frame(say, f"{say['error']}: {title}")
        return self.frames.draw("error.html", ErrorPage(frame, title, tuple(paragraphs), (home,)), status)


def _within_site(answer: Response) -> Response:
    """Return *answer*; one of the router's redirects without the scheme and host that it takes from the request."""
    if answer.status_code != 308:
        return answer
    place = urlsplit(answer.headers["Location"])
    answer.set_data(b"")
    # One slash: two would begin the name of another host.
    answer.headers["Location"] = urlunsplit(("", "", f"/{place.path.lstrip('/')}", place.query, ""))
    return answer


def log(error: Exception) -> str:
    """Log which exception came from where, and return the number it is logged under."""
    reference = secrets.token_hex(4)
    places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    _LOG.error("%s %s\n  %s", reference, type(error).__qualname__, "\n  ".join(places))
    return reference


def _wording() -> Wording:
    first = request.path.split("/", 2)[1]
    return wordings()[first if first in LANGUAGES else preferred_language()]
