"""The crash test: robots answer while their server is killed, and what they were told is saved is looked for.

It runs on the user's own machine and disk, in an instance of its own that is made for it; the databases of the
settings are never opened. A process that is killed leaves the system's cache as it is: this tests crashes of the
program and of the database, not a power cut.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from kysely import store as stores
from kysely.config import Settings
from kysely.crashtest._judging import Verdict, judge
from kysely.crashtest._people import People, Person, Tally
from kysely.crashtest._power import PostgreSQL, Server, ServerFailed

__all__ = ["Certificate", "Person", "Plan", "ServerFailed", "Verdict", "judge", "run"]

KILL, TERMINATE, STOP = "kill", "terminate", "stop"

QUESTIONNAIRES = Path(__file__).parent / "questionnaires"


@dataclass(frozen=True)
class Plan:
    """What is done to the server while *submissions* forms are acknowledged; *stops* are of PostgreSQL itself."""

    submissions: int = 20_000
    kills: int = 200
    terminations: int = 10
    stops: int = 0
    respondents: int = 8
    postgresql: bool = False
    seed: int = 2015

    @property
    def blows(self) -> list[str]:
        """Return what happens, in an order of chance."""
        blows = [KILL] * self.kills + [TERMINATE] * self.terminations + [STOP] * self.stops
        Random(self.seed).shuffle(blows)
        return blows


@dataclass(frozen=True)
class Certificate:
    """What was done, what the robots met, and what was found afterwards."""

    made_at: str
    database: str
    machine: str
    plan: Plan
    seconds: float
    acknowledged: int
    responses: int
    struck_under_way: int
    met: Mapping[str, int]
    lost: list[str]
    duplicate: list[str]
    partial: list[str]
    damaged: list[str]
    refused: list[str] = field(default_factory=list)

    @property
    def faults(self) -> dict[str, list[str]]:
        """Every kind of fault; all of them are empty where the promise was kept."""
        return {
            "acknowledged and lost": self.lost,
            "duplicate": self.duplicate,
            "partial": self.partial,
            "damage in the database": self.damaged,
            "answers other than the next page, or 503 with what was typed": self.refused,
        }

    @property
    def kept(self) -> bool:
        return not any(self.faults.values())

    def as_json(self) -> str:
        return json.dumps({"kept": self.kept, **asdict(self)}, indent=2, ensure_ascii=False) + "\n"

    def as_markdown(self) -> str:
        plan = self.plan
        blows = f"{plan.kills} × kill -9, {plan.terminations} × SIGTERM"
        if plan.stops:
            blows += f", {plan.stops} × immediate stop of PostgreSQL"
        lines = [
            "# Crash test",
            "",
            "Passed: " + ("yes" if self.kept else "NO"),
            "",
            "| | |",
            "|---|---|",
            f"| made | {self.made_at} |",
            f"| database | {self.database} |",
            f"| machine | {self.machine} |",
            f"| done to the server | {blows} |",
            f"| while people answered | {plan.respondents} at once, {self.responses} responses |",
            f"| requests under way when it happened | {self.struck_under_way} |",
            f"| forms acknowledged | {self.acknowledged} |",
            *(f"| {what} | {len(found)} |" for what, found in self.faults.items()),
            *(f"| {what} | {times} |" for what, times in sorted(self.met.items())),
            f"| seconds | {self.seconds:.0f} |",
            "",
            "Each form was sent again with its key until a redirect acknowledged it; one in five was sent twice at",
            "once. Afterwards every acknowledged page was looked for in the answers and the identity database: there",
            "once, whole, with the values that were typed. A process that is killed leaves the cache of the system as",
            "it is: this is no test of a power cut.",
        ]
        for what, found in self.faults.items():
            if found:
                lines += ["", f"## {what}", "", *(f"- {one}" for one in found[:100])]
        return "\n".join(lines) + "\n"


def run(plan: Plan, folder: Path, say: Callable[[str], None]) -> Certificate:
    """Carry out *plan* with its own instance inside *folder*, and return what came of it.

    The instance is removed if nothing was wrong. Raises ServerFailed if there is no server to test.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    instance = Path(tempfile.mkdtemp(prefix="crashtest-", dir=folder))
    kept = False
    try:
        certificate = _certified(plan, instance, say)
        kept = certificate.kept
        return certificate
    finally:
        if kept:
            shutil.rmtree(instance)
        else:
            say(f"The databases and the server's log are kept for you to look at: {instance}")


def _certified(plan: Plan, instance: Path, say: Callable[[str], None]) -> Certificate:
    began, started = datetime.now(UTC), time.monotonic()
    with _postgresql(plan) as postgresql:
        environ = _environ(instance, postgresql)
        server = Server(environ, instance / "server.log")
        tally = Tally()
        try:
            struck = _strike(plan, server, postgresql, tally, say)
            server.terminate()
        finally:
            server.remove()
        say("Looking for every acknowledged page …")
        settings = Settings.from_env(environ)
        store = stores.open(settings, upgrade=False)
        try:
            verdict = judge(store, plan.seed, tally.acknowledged)
            damaged = verdict.damaged + (postgresql.damage() if postgresql else [])
            database = _named(store)
            responses = sum(count.started for count in store.counts())
        finally:
            store.close()
    return Certificate(
        made_at=began.strftime("%Y-%m-%d %H:%M UTC"),
        database=database,
        machine=f"{platform.system()} {platform.release()}, {os.cpu_count()} CPUs, Python {platform.python_version()}",
        plan=plan,
        seconds=time.monotonic() - started,
        acknowledged=tally.forms,
        responses=responses,
        struck_under_way=struck,
        met=dict(tally.met),
        lost=verdict.lost,
        duplicate=verdict.duplicate,
        partial=verdict.partial,
        damaged=damaged,
        refused=tally.faults,
    )


def _strike(plan: Plan, server: Server, postgresql: PostgreSQL | None, tally: Tally, say: Callable[[str], None]) -> int:
    """Let people answer and strike, each time when some of them wait for an answer; returns how many did in all."""
    chance = Random(plan.seed)
    server.start()
    people = People(server.port, tally, plan.seed)
    threads = people.begin(plan.respondents)
    struck = 0
    blows = plan.blows
    try:
        for number, blow in enumerate(blows):
            share = (plan.submissions - tally.forms) / (len(blows) - number + 1)
            _wait(people, server, tally.forms + max(1, round(share)))
            time.sleep(chance.uniform(0, 0.05))
            while tally.under_way == 0 and not people.enough.is_set():
                time.sleep(0.0005)
            if people.enough.is_set():
                break
            struck += tally.under_way
            _deliver(blow, server, postgresql, chance)
            if (number + 1) * 10 // len(blows) > number * 10 // len(blows):
                say(f"  {number + 1} of {len(blows)} blows, {tally.forms} forms acknowledged")
        _wait(people, server, plan.submissions)
    except BaseException:
        tally.hopeless = True
        raise
    finally:
        people.enough.set()
        for thread in threads:
            thread.join()
    return struck


def _wait(people: People, server: Server, forms: int) -> None:
    """Wait until so many forms are acknowledged, or a robot can't go on."""
    while people.tally.forms < forms and not people.enough.is_set():
        server.refuse_if_gone()
        time.sleep(0.002)


def _deliver(blow: str, server: Server, postgresql: PostgreSQL | None, chance: Random) -> None:
    if blow == STOP:
        assert postgresql is not None
        postgresql.stop_immediately()
        time.sleep(chance.uniform(0, 1))  # so that people meet an application without its database
        postgresql.start()
        return
    if blow == KILL:
        server.kill()
    else:
        server.terminate()
    server.start()


@contextmanager
def _postgresql(plan: Plan) -> Iterator[PostgreSQL | None]:
    if not plan.postgresql:
        yield None
        return
    server = PostgreSQL()
    try:
        yield server
    finally:
        server.remove()


def _environ(instance: Path, postgresql: PostgreSQL | None) -> dict[str, str]:
    """Return an environment in which no setting of the user's own is left: a demonstration in *instance*."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("KYSELY_")}
    environ |= {
        "KYSELY_INSTANCE": str(instance),
        "KYSELY_BUILD": str(instance / "build"),
        "KYSELY_QUESTIONNAIRES": str(QUESTIONNAIRES),
    }
    if postgresql is not None:
        environ["KYSELY_DATABASE_URL"] = postgresql.url
    return environ


def _named(store: stores.Store) -> str:
    from sqlalchemy import text

    database = store.answers.database
    with database.reading() as connection:
        version = connection.execute(text("SELECT sqlite_version()" if database.sqlite else "SHOW server_version"))
        return f"{'SQLite' if database.sqlite else 'PostgreSQL'} {version.scalar()}"
