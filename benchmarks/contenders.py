"""The applications that are compared, the servers they run on, and what their databases hold afterwards."""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.driver import LEVELS

HERE = Path(__file__).parent

Answers = dict[str, dict[str, str]]
"""What a database holds: the free text that marks a respondent → that respondent's answers, as the driver gave them."""


@dataclass(frozen=True)
class Contender:
    """An application: how a server finds it, what it needs, where its interview starts and what it has stored.

    *prepare* readies a folder before the server starts there, with the given environment; *start* returns the address
    of the interview on a server at a URL. *programs* is where the server's command lies, *pace* the part of the
    interviews that are driven: a slow one would take the whole run.
    """

    name: str
    factory: str
    environment: Callable[[Path], Mapping[str, str]]
    prepare: Callable[[Path, dict[str, str]], None]
    start: Callable[[str], str]
    answers: Callable[[Path], Answers]
    programs: Path = Path(sys.executable).parent
    pace: float = 1.0


def answers_in(folder: Path, name: str) -> Answers:
    """Return the answers in the database *name*: the survey engine and the limit app have the same shape of table."""
    with sqlite3.connect(folder / name) as database:
        rows = database.execute(
            "SELECT response, variable, number, text FROM answer_event WHERE number IS NOT NULL OR text IS NOT NULL"
            " ORDER BY revision"
        ).fetchall()
    by_response: Answers = {}
    for response, variable, number, text in rows:
        by_response.setdefault(response, {})[variable] = _as_given(variable, number, text)
    return by_mark(by_response.values())


def by_mark(responses: Iterable[dict[str, str]]) -> Answers:
    """Return *responses* by the free text that marks each; raises ValueError for one that is there twice."""
    found: Answers = {}
    for held in responses:
        if "OM_F01" in held:
            if held["OM_F01"] in found:
                raise ValueError(f"stored twice: {held['OM_F01']}")
            found[held["OM_F01"]] = held
    return found


def _upgrade(folder: Path, environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "kysely", "database", "upgrade"]
    subprocess.run(command, check=True, cwd=folder, env=environment, stdout=subprocess.DEVNULL)


def _as_given(variable: str, number: float | None, text: str | None) -> str:
    if number is None:
        return str(text)
    return LEVELS[int(number)] if variable.startswith("OM_B02_") else str(number)


CONTENDERS = (
    Contender(
        name="kysely",
        factory="kysely.web:from_environment",
        environment=lambda folder: {
            "KYSELY_DATABASE_URL": f"sqlite:///{folder / 'answers.db'}",
            "KYSELY_INSTANCE": str(folder),
            "KYSELY_QUESTIONNAIRES": str(HERE / "instruments"),
        },
        prepare=_upgrade,
        start=lambda url: f"{url}/fi/reduced/",
        answers=lambda folder: answers_in(folder, "answers.db"),
    ),
    Contender(
        name="limit",
        factory="benchmarks.limit.app:create_app",
        environment=lambda folder: {"LIMIT_DATABASE": str(folder / "limit.db")},
        prepare=lambda folder, environment: None,
        start=lambda url: f"{url}/",
        answers=lambda folder: answers_in(folder, "limit.db"),
    ),
)


@dataclass(frozen=True)
class Server:
    """A server; those of WSGI have two processes of four threads each."""

    name: str
    command: Callable[[str, int, int], Sequence[str]]


SERVERS = {
    "granian": Server(
        "granian",
        lambda factory, port, workers: (
            *("granian", "--interface", "wsgi", "--factory", "--no-ws", "--log-level", "warning"),
            *("--workers", str(workers), "--blocking-threads", "4", "--host", "127.0.0.1", "--port", str(port)),
            factory,
        ),
    ),
    "gunicorn": Server(
        "gunicorn",
        lambda factory, port, workers: (
            *(
                "gunicorn",
                "--worker-class",
                "gthread",
                "--threads",
                "4",
                "--keep-alive",
                "65",
                "--log-level",
                "warning",
            ),
            *("--workers", str(workers), "--bind", f"127.0.0.1:{port}", f"{factory}()"),
        ),
    ),
}


@dataclass(frozen=True)
class Served:
    """An application that answers: its address and its processes."""

    url: str
    process: psutil.Process

    def tree(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]

    def cpu_seconds(self) -> float:
        """Return the processor time the processes have used, in user and system mode."""
        times = [process.cpu_times() for process in self.tree()]
        return sum(t.user + t.system for t in times)

    def largest_rss(self) -> int:
        """Return the resident memory of the largest process, in bytes."""
        return max(process.memory_info().rss for process in self.tree())


@contextmanager
def serving(contender: Contender, server: Server, folder: Path, *, workers: int = 2) -> Iterator[Served]:
    """Run *contender* on *server* with its data in *folder* until the block ends."""
    port = free_port()
    command = list(server.command(contender.factory, port, workers))
    command[0] = str(contender.programs / command[0])
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent), **contender.environment(folder)}
    contender.prepare(folder, environment)
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        _wait_for(port, process, folder / "server.log")
        yield Served(contender.start(f"http://127.0.0.1:{port}"), psutil.Process(process.pid))
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def acknowledged_but_absent(held: Answers, acknowledged: Sequence[Mapping[str, str]]) -> list[str]:
    """Return what the server confirmed by its redirect and the database doesn't hold, or holds otherwise."""
    absent = []
    for answers in acknowledged:
        found = held.get(answers["OM_F01"], {})
        absent += [f"{name} of {answers['OM_F01']!r}" for name, given in answers.items() if found.get(name) != given]
    return absent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise RuntimeError(f"the server stopped:\n{log.read_text()[-2000:]}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"the server did not answer:\n{log.read_text()[-2000:]}")
