"""The least that can ask the reduced interview: Flask, its own templates and plain sqlite3, WAL with synchronous FULL.

What the survey engine is measured against. The same pages, the same checks of what was posted,
the same rows and the same number of durable commits; but no questionnaire language, no types,
no routing and no languages: everything is written out for this one interview.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import sqlite3
import threading
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from flask import Flask, Response, abort, redirect, render_template, request, session
from werkzeug.datastructures import MultiDict

SCHEMA = """
CREATE TABLE IF NOT EXISTS response (
  id TEXT PRIMARY KEY, language TEXT NOT NULL, seed INTEGER NOT NULL, revision INTEGER NOT NULL DEFAULT 0,
  state TEXT NOT NULL DEFAULT 'open', started_at TEXT NOT NULL, submitted_at TEXT
) STRICT;
CREATE TABLE IF NOT EXISTS page_submission (
  submit_key TEXT PRIMARY KEY, response TEXT NOT NULL REFERENCES response(id),
  page TEXT NOT NULL, revision INTEGER NOT NULL, at TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS answer_event (
  response TEXT NOT NULL REFERENCES response(id), variable TEXT NOT NULL, revision INTEGER NOT NULL,
  number REAL, text TEXT, missing TEXT, at TEXT NOT NULL, PRIMARY KEY (response, variable, revision)
) STRICT;
"""

TYPES = {
    "COMP": "Yksityinen yritys",
    "PUBC": "Valtion tai kuntien omistama yhtiö",
    "COOP": "Osuuskunta",
    "MUNI": "Kunta tai kaupunki",
    "JMA": "Kuntayhtymä",
    "STATE": "Ministeriö, valtion virasto tai laitos",
    "OPUB": "Muu julkinen organisaatio",
}
ROLES = {
    "TOP": "Ylin johto",
    "MID": "Keskijohto",
    "CTRL": "Controller tai talouden asiantuntija",
    "EXP": "Muu asiantuntija",
    "OTH": "Muu",
}
MODES = {
    "PROD": "Tuotantolähtöinen",
    "DEV": "Tuote- tai palvelukehityslähtöinen",
    "CUST": "Asiakaspalvelulähtöinen",
    "PUB": "Julkishallinnollinen",
}
LEVELS = {"NOT": "Ei kuulu toimintaamme", "SOME": "Jonkin verran", "CLEAR": "Selvästi", "CENTRAL": "Keskeinen meille"}
VALUES = {code: float(value) for value, code in enumerate(LEVELS)}
PAGES = ("background", "modes", "words")

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
    "Cache-Control": "no-store",
}

Answers = dict[str, str | float | None]


def create_app() -> Flask:
    app = Flask(__name__)
    app.secret_key = os.environ.get("LIMIT_SECRET", "the limit keeps no secret")
    app.config["MAX_CONTENT_LENGTH"] = 1_000_000
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    store = Store(Path(os.environ["LIMIT_DATABASE"]))

    @app.after_request
    def seal(response: Response) -> Response:
        response.headers.extend(HEADERS)
        return response

    @app.get("/")
    def introduction() -> str:
        return render_template("introduction.html", key=secrets.token_hex(16))

    @app.post("/")
    def start() -> Response:
        session["response"] = store.start("fi", secrets.randbits(31))
        return redirect(f"/{PAGES[0]}", 303)

    @app.get("/<any(background,modes,words):page>")
    def show(page: str) -> str:
        response = _mine()
        return _page(page, store.answers(response), response, {})

    @app.post("/<any(background,modes,words):page>")
    def answer(page: str) -> Response | tuple[str, int]:
        response = _mine()
        answers, errors = CHECKS[page](request.form)
        if page != "words" and "skip" not in request.form:
            errors |= {name: "Tähän ei ole vastattu." for name, answer in answers.items() if answer is None}
        if errors:
            return _page(page, request.form.to_dict(), response, errors), 422
        store.save(response, page, _key(), answers)
        following = (*PAGES, "check-answers")[PAGES.index(page) + 1]
        return redirect(f"/{following}", 303)

    @app.get("/check-answers")
    def review() -> str:
        return render_template("review.html", key=secrets.token_hex(16), pages=_given(store.answers(_mine())))

    @app.post("/check-answers")
    def submit() -> Response:
        store.submit(_mine(), _key())
        return redirect("/thank-you", 303)

    @app.get("/thank-you")
    def thanks() -> str:
        store.answers(_mine())
        return render_template("thanks.html")

    return app


def _mine() -> str:
    response = session.get("response")
    if response is None:
        abort(403)
    return str(response)


def _key() -> str:
    key = request.form.get("key", "")
    if len(key) != 32:
        abort(400)
    return key


def _page(page: str, typed: Mapping[str, object], response: str, errors: dict[str, str]) -> str:
    modes = list(MODES.items())
    Random(response).shuffle(modes)
    return render_template(
        f"{page}.html",
        page=page,
        key=secrets.token_hex(16),
        types=TYPES,
        roles=ROLES,
        modes=modes,
        levels=LEVELS,
        typed=typed,
        errors=errors,
        done=PAGES.index(page),
        pages=len(PAGES),
    )


def _given(answers: Mapping[str, str]) -> list[tuple[str, str, list[tuple[str, list[str]]]]]:
    """Return each page, its title, and its questions with their answers in words."""
    levels = [
        f"{label}: {LEVELS[answers[f'OM_B02_{mode}']]}" for mode, label in MODES.items() if f"OM_B02_{mode}" in answers
    ]
    return [
        (
            "background",
            "Taustatiedot",
            [
                ("Millaista organisaatiota edustat?", [TYPES[answers["BG10"]]] if "BG10" in answers else []),
                ("Mikä on roolisi organisaatiossa?", [ROLES[answers["BG01"]]] if "BG01" in answers else []),
            ],
        ),
        ("modes", "Toimintatavat", [("Kuinka keskeinen kukin toimintatapa on organisaatiossasi?", levels)]),
        (
            "words",
            "Omin sanoin",
            [
                (
                    "Mitä nämä toimintatavat sinulle omin sanoin tarkoittavat?",
                    [answers["OM_F01"]] if "OM_F01" in answers else [],
                )
            ],
        ),
    ]


def _background(form: MultiDict[str, str]) -> tuple[Answers, dict[str, str]]:
    return _chosen(form, {"BG10": TYPES, "BG01": ROLES})


def _modes(form: MultiDict[str, str]) -> tuple[Answers, dict[str, str]]:
    codes, errors = _chosen(form, {f"OM_B02_{mode}": LEVELS for mode in MODES})
    levels = {name: None if code is None else VALUES[str(code)] for name, code in codes.items()}
    chosen = {name.replace("B02", "B01"): None if level is None else float(level > 0) for name, level in levels.items()}
    return {**chosen, **levels}, errors


def _chosen(form: MultiDict[str, str], fields: Mapping[str, Mapping[str, str]]) -> tuple[Answers, dict[str, str]]:
    """Return the code of each field, None where nothing was chosen; an error where it is unknown or there are two."""
    answers: Answers = {}
    errors: dict[str, str] = {}
    for name, options in fields.items():
        posted = form.getlist(name)
        if len(posted) > 1 or any(code not in options for code in posted):
            errors[name] = "Valitse yksi vaihtoehdoista."
        answers[name] = posted[0] if posted else None
    return answers, errors


def _words(form: MultiDict[str, str]) -> tuple[Answers, dict[str, str]]:
    posted = form.getlist("OM_F01")
    text = unicodedata.normalize("NFC", "".join(posted)).replace("\r\n", "\n")
    text = "".join(c for c in text if c in "\n\t" or unicodedata.category(c) != "Cc").strip()
    errors = {"OM_F01": "Vastauksen enimmäispituus on 500 merkkiä."} if len(posted) > 1 or len(text) > 500 else {}
    return {"OM_F01": text or None}, errors


CHECKS: dict[str, Callable[[MultiDict[str, str]], tuple[Answers, dict[str, str]]]] = {
    "background": _background,
    "modes": _modes,
    "words": _words,
}


class Store:
    """One sqlite3 connection per thread; writers queue at a file lock, because SQLite's own waiting is by polling."""

    def __init__(self, path: Path):
        self.path = path
        self.gate = path.with_suffix(".lock")
        self.local = threading.local()
        with self._writing() as database:
            for statement in SCHEMA.split(";\n"):
                database.execute(statement)

    def start(self, language: str, seed: int) -> str:
        response = secrets.token_hex(16)
        with self._writing() as database:
            database.execute(
                "INSERT INTO response (id, language, seed, started_at) VALUES (?, ?, ?, ?)",
                (response, language, seed, _now()),
            )
        return response

    def answers(self, response: str) -> dict[str, str]:
        database = self._database()
        if database.execute("SELECT state FROM response WHERE id = ?", (response,)).fetchone() is None:
            abort(403)
        rows = database.execute(
            "SELECT variable, number, text FROM answer_event WHERE response = ? ORDER BY revision", (response,)
        )
        return {
            variable: text if number is None else tuple(LEVELS)[int(number)]
            for variable, number, text in rows
            if number is not None or text is not None
        }

    def save(self, response: str, page: str, key: str, answers: Answers) -> None:
        now = _now()
        with self._writing() as database:
            if database.execute("SELECT 1 FROM page_submission WHERE submit_key = ?", (key,)).fetchone():
                return
            (revision,) = database.execute(
                "UPDATE response SET revision = revision + 1 WHERE id = ? RETURNING revision", (response,)
            ).fetchone()
            database.execute("INSERT INTO page_submission VALUES (?, ?, ?, ?, ?)", (key, response, page, revision, now))
            database.executemany(
                "INSERT INTO answer_event VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        response,
                        variable,
                        revision,
                        answer if isinstance(answer, float) else None,
                        answer if isinstance(answer, str) else None,
                        "no_answer" if answer is None else None,
                        now,
                    )
                    for variable, answer in answers.items()
                ],
            )

    def submit(self, response: str, key: str) -> None:
        with self._writing() as database:
            database.execute(
                "INSERT OR IGNORE INTO page_submission VALUES (?, ?, 'submit', 0, ?)", (key, response, _now())
            )
            database.execute(
                "UPDATE response SET state = 'submitted', submitted_at = coalesce(submitted_at, ?) WHERE id = ?",
                (_now(), response),
            )

    def _database(self) -> sqlite3.Connection:
        if not hasattr(self.local, "database"):
            database = sqlite3.connect(self.path, isolation_level=None, timeout=5)
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = FULL")
            database.execute("PRAGMA foreign_keys = ON")
            database.execute("PRAGMA secure_delete = ON")
            self.local.database = database
            self.local.gate = os.open(self.gate, os.O_CREAT | os.O_RDWR)
        database = self.local.database
        assert isinstance(database, sqlite3.Connection)
        return database

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        database = self._database()
        fcntl.flock(self.local.gate, fcntl.LOCK_EX)
        try:
            database.execute("BEGIN IMMEDIATE")
            try:
                yield database
            except BaseException:
                database.execute("ROLLBACK")
                raise
            database.execute("COMMIT")
        finally:
            fcntl.flock(self.local.gate, fcntl.LOCK_UN)


def _now() -> str:
    return datetime.now(UTC).isoformat()
