"""Who may see what: every address of the application, and the roles that may open it. There is no other such list.

An address that is not here stops the application from starting, so none is open because it was forgotten.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from flask import Flask

from kysely.access import Role
from kysely.access.roles import EVERYBODY, OF_ANSWERS, OF_RESULTS

PUBLIC: frozenset[Role] | None = None
"""For everybody, respondents above all: who opens it is not asked, and the database of accounts is not needed."""

_STUDY = "/<language>/<study>"

ROUTES: Mapping[str, frozenset[Role] | None] = {
    "/": PUBLIC,
    "/<language>/": PUBLIC,
    "/<language>/accessibility": PUBLIC,
    "/healthz": PUBLIC,
    "/assets/<digest>/<name>": PUBLIC,
    # A study, as respondents meet it. Whose answers a page shows hangs on the browser's own cookie (web/security.py).
    f"{_STUDY}/": PUBLIC,
    f"{_STUDY}/how-answers-are-handled": PUBLIC,
    f"{_STUDY}/check-answers": PUBLIC,
    f"{_STUDY}/thank-you": PUBLIC,
    f"{_STUDY}/continue-later": PUBLIC,
    f"{_STUDY}/continue-with-a-code": PUBLIC,
    f"{_STUDY}/erase-my-answers": PUBLIC,
    f"{_STUDY}/change-my-answers": PUBLIC,
    f"{_STUDY}/your-feedback": PUBLIC,
    f"{_STUDY}/<page>": PUBLIC,
    f"{_STUDY}/<page>/<stage>": PUBLIC,
    # Personal links, and the way out of mail.
    "/r/": PUBLIC,
    "/r/<code>": PUBLIC,
    "/<language>/r/": PUBLIC,
    "/<language>/r/<code>": PUBLIC,
    "/stop/<code>": PUBLIC,
    "/<language>/stop/<code>": PUBLIC,
    # A preview runs on its author's machine, over databases that are thrown away.
    "/preview/": PUBLIC,
    "/<language>/preview/": PUBLIC,
    "/<language>/preview/<page>": PUBLIC,
    # Logging in, which nobody is yet.
    "/log-in": PUBLIC,
    "/<language>/log-in": PUBLIC,
    "/<language>/one-time-code": PUBLIC,
    "/set-password": PUBLIC,
    "/<language>/set-password": PUBLIC,
    # What is one's own.
    "/<language>/log-out": EVERYBODY,
    "/<language>/my-account": EVERYBODY,
    "/<language>/my-account/end-session": EVERYBODY,
    "/<language>/my-account/password": EVERYBODY,
    "/<language>/my-account/one-time-codes": EVERYBODY,
    # Results. Of those that were not published an author sees none: the gallery asks `may_see_unpublished`.
    "/charts/": OF_RESULTS,
    "/<language>/charts/": OF_RESULTS,
    "/<language>/charts/<instrument>/<id>": OF_RESULTS,
    "/charts/<instrument>/<language>/<name>": OF_RESULTS,
    "/reports/<instrument>/<language>": OF_ANSWERS,
}

_CONVERTER = re.compile(r"<[^:<>]*:(\w+)>")


def may_see_unpublished(roles: frozenset[Role]) -> bool:
    return bool(roles & OF_ANSWERS)


def routes_of(app: Flask) -> Mapping[str, frozenset[Role] | None]:
    """Return who may open each rule of *app*; raises LookupError for one of which nothing is said."""
    said = {}
    for rule in app.url_map.iter_rules():
        address = plain(rule.rule)
        if address not in ROUTES:
            raise LookupError(f"{address} has no row in kysely/web/permissions.py: say there who may open it.")
        said[rule.rule] = ROUTES[address]
    return said


def plain(rule: str) -> str:
    """Return a rule as it stands in the table: without the converters of its parts."""
    return _CONVERTER.sub(r"<\1>", rule)
