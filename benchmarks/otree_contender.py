"""oTree with the same interview, from the registry: in an environment of its own, which nothing else here needs.

Its own server and its own database on disk, one process of it, as its manual has it. The pages are in benchmarks/otree.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from urllib.request import Request, urlopen

from benchmarks.contenders import HERE, Answers, Contender, Server, by_mark

VERSION = "6.0.15"
PARTICIPANTS = 500
"""How many may answer: oTree lays a place for each when its session is made."""

_PLACE = Path(tempfile.gettempdir()) / f"kysely-otree-{VERSION}"
_KEY = "a key of the benchmark, known to everybody"


def install() -> None:
    """Make the environment where it isn't there yet: a download of 10 MB."""
    if not (_PLACE / "bin" / "otree").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", _PLACE], check=True)
        subprocess.run([_PLACE / "bin" / "pip", "install", "-qq", f"otree=={VERSION}"], check=True)


def _command(factory: str, port: int, workers: int) -> Sequence[str]:
    return ("otree", "prodserver", f"127.0.0.1:{port}")


def _environment(folder: Path) -> dict[str, str]:
    programs = f"{_PLACE / 'bin'}{os.pathsep}{os.environ['PATH']}"  # its server starts a helper by its name
    return {"PATH": programs, "OTREE_PRODUCTION": "1", "OTREE_AUTH_LEVEL": "STUDY", "OTREE_REST_KEY": _KEY}


def _prepare(folder: Path, environment: dict[str, str]) -> None:
    shutil.copytree(HERE / "otree", folder, dirs_exist_ok=True)
    (folder / "_static").mkdir()
    command = [_PLACE / "bin" / "otree", "resetdb", "--noinput"]
    subprocess.run(command, check=True, cwd=folder, env=environment, capture_output=True)


def _start(url: str) -> str:
    """Make a session, and return the address that gives each who opens it the next place."""
    wanted = json.dumps({"session_config_name": "reduced", "num_participants": PARTICIPANTS}).encode()
    headers = {"Content-Type": "application/json", "otree-rest-key": _KEY}
    with urlopen(Request(f"{url}/api/sessions", wanted, headers), timeout=120) as answer:
        made: dict[str, str] = json.load(answer)
    return made["session_wide_url"]


def _answers(folder: Path) -> Answers:
    with sqlite3.connect(folder / "db.sqlite3") as database:
        database.row_factory = sqlite3.Row
        players = [dict(row) for row in database.execute("SELECT * FROM reduced_player")]
    return by_mark(
        {name: str(value) for name, value in player.items() if name[0].isupper() and value is not None}
        for player in players
    )


OTREE = Contender(
    name=f"oTree {VERSION}",
    factory="",
    environment=_environment,
    prepare=_prepare,
    start=_start,
    answers=_answers,
    programs=_PLACE / "bin",
    pace=0.2,
)
PRODSERVER = Server("prodserver", _command)
