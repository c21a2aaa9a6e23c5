"""The applications that are compared, the servers they run on, and what their databases hold afterwards."""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
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
    """An application: how a server finds it, what it needs in its environment, where its interview starts."""

    name: str
    factory: str
    environment: Callable[[Path], Mapping[str, str]]
    start: str
    database: str
    prepare: str

    def answers(self, folder: Path) -> Answers:
        """Return every respondent's answers in the database; both applications keep them in the same shape of table."""
        with sqlite3.connect(folder / self.database) as database:
            rows = database.execute(
                "SELECT response, variable, number, text FROM answer_event WHERE number IS NOT NULL OR text IS NOT NULL"
                " ORDER BY revision"
            ).fetchall()
        by_response: Answers = {}
        for response, variable, number, text in rows:
            by_response.setdefault(response, {})[variable] = _as_given(variable, number, text)
        found: Answers = {}
        for held in by_response.values():
            if "OM_F01" in held:
                if held["OM_F01"] in found:
                    raise ValueError(f"stored twice: {held['OM_F01']}")
                found[held["OM_F01"]] = held
        return found


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
        start="/fi/reduced/",
        database="answers.db",
        prepare="kysely database upgrade",
    ),
    Contender(
        name="limit",
        factory="benchmarks.limit.app:create_app",
        environment=lambda folder: {"LIMIT_DATABASE": str(folder / "limit.db")},
        start="/",
        database="limit.db",
        prepare="",
    ),
)


@dataclass(frozen=True)
class Server:
    """A WSGI server with two processes of four threads each."""

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
    port = _free_port()
    command = list(server.command(contender.factory, port, workers))
    command[0] = str(Path(sys.executable).with_name(command[0]))
    environment = {**os.environ, **contender.environment(folder), "PYTHONPATH": str(HERE.parent)}
    if contender.prepare:
        subprocess.run(
            [sys.executable, "-m", *contender.prepare.split()],
            check=True,
            cwd=HERE.parent,
            env=environment,
            stdout=subprocess.DEVNULL,
        )
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(command, cwd=HERE.parent, env=environment, stdout=log, stderr=log)
    try:
        _wait_for(port, process, folder / "server.log")
        yield Served(f"http://127.0.0.1:{port}{contender.start}", psutil.Process(process.pid))
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


def _free_port() -> int:
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
