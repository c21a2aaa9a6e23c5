"""The server is killed while people answer: what it confirmed by its redirect is there afterwards, once and whole."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from datetime import UTC, datetime
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from kysely import crashtest, loading
from kysely import store as stores
from kysely.crashtest import _people as robots
from kysely.paths import REPOSITORY

LONG = bool(os.environ.get("KYSELY_LONG"))
NOW = datetime(2026, 4, 20, 9, 30, tzinfo=UTC)
SENDS_ONCE = 9
"""A seed with which robot 1 sends its first three forms on one connection only."""
EVERYTHING = list(robots.STEPS)

# kills, terminations, stops of the database, forms
COUNTS = {
    "sqlite": (200, 10, 0, 20_000) if LONG else (3, 1, 0, 300),
    "postgresql": (10, 2, 50, 10_000) if LONG else (1, 1, 2, 300),
}


@pytest.mark.long
@pytest.mark.parametrize("database", COUNTS)
def test_what_was_acknowledged_survives_a_server_that_is_killed_again_and_again(tmp_path, database):
    kills, terminations, stops, submissions = COUNTS[database]
    command = [sys.executable, "-m", "kysely", "crashtest", f"--certificate={tmp_path / 'certificates'}"]
    command += [f"--kills={kills}", f"--terminations={terminations}", f"--submissions={submissions}"]
    command += ["--postgresql", f"--stops={stops}"] if database == "postgresql" else []
    done = subprocess.run(command, cwd=REPOSITORY, env=_environ(tmp_path), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (written,) = (tmp_path / "certificates").glob("*.json")
    certificate = json.loads(written.read_text())
    assert certificate["kept"]
    assert certificate["acknowledged"] >= submissions
    assert certificate["struck_under_way"] >= kills + terminations + stops
    assert certificate["met"]["connections cut off"] > 0
    assert certificate["met"]["sent twice at once"] > 0
    assert "Passed: yes" in written.with_suffix(".md").read_text()
    if stops:
        assert certificate["met"]["503 with what was typed"] > 0
    assert list((tmp_path / "instance").iterdir()) == [], "the databases of the settings were never opened"


@pytest.mark.long
def test_a_hundred_forms_that_are_under_way_when_the_server_is_told_to_stop_are_saved_once(tmp_path):
    plan = crashtest.Plan(submissions=3_000 if LONG else 600, kills=0, terminations=10 if LONG else 1, respondents=100)
    certificate = crashtest.run(plan, tmp_path, lambda line: None)
    assert certificate.faults == dict.fromkeys(certificate.faults, [])
    assert certificate.struck_under_way > plan.terminations
    assert certificate.acknowledged >= plan.submissions


def test_stops_of_postgresql_are_refused_where_there_is_none(tmp_path):
    command = [sys.executable, "-m", "kysely", "crashtest", "--stops=1"]
    done = subprocess.run(command, cwd=REPOSITORY, env=_environ(tmp_path), capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == "--stops are of PostgreSQL: add --postgresql, or leave them out.\n"


# ---- the judge: a test that can't fail proves nothing


def test_the_judge_acquits_what_was_saved_once_and_whole(study):
    study.answers(1)
    study.answers(2)
    assert study.judged({1: EVERYTHING, 2: EVERYTHING}) == crashtest.Verdict()


def test_the_judge_finds_what_was_acknowledged_and_is_not_there(study):
    study.answers(1, pages=("who", "ways"), submit=False)
    lost = study.judged({1: EVERYTHING, 2: ["start", "who"]}).lost
    assert "robot 1: what was typed on the page words" in lost
    assert "robot 1: the answer people of the page words" in lost
    assert "robot 1: the response was sent and stands open" in lost
    assert "robot 2: what was typed on the page who" in lost


def test_the_judge_finds_an_answer_other_than_the_one_that_was_typed(study):
    study.answers(1, people=77777)
    assert study.judged({1: EVERYTHING}).lost == ["robot 1: the answer people of the page words"]


def test_the_judge_finds_a_respondent_who_was_begun_twice(study):
    study.answers(1)
    study.answers(1)
    duplicate = study.judged({1: EVERYTHING}).duplicate
    assert "robot 1 has 2 responses" in duplicate and "2 responses of 1 robots" in duplicate


def test_the_judge_finds_a_response_that_nobody_was_told_of(study):
    study.answers(1)
    study.begin()
    assert study.judged({1: EVERYTHING}).duplicate == ["2 responses of 1 robots"]


def test_the_judge_finds_a_page_that_was_saved_twice(study):
    response = study.answers(1, submit=False)
    study.save(response, 1, "words", people=5)
    study.save(response, 1, "words")
    duplicate = study.judged({1: EVERYTHING[:-1]}).duplicate
    assert f"{response}: the page words was saved 3 times" in duplicate
    assert f"{response}: people was written 3 times" in duplicate


def test_the_judge_finds_a_page_that_is_there_in_part(study):
    response = study.answers(1, pages=("who", "ways"), submit=False, view_C=None)
    (partial,) = study.judged({1: ["start", "who"]}).partial
    assert partial == f"{response}: of the saved pages who, ways, these differ: view_C"


def test_the_judge_finds_a_name_without_a_response(study):
    response = study.answers(1)
    typed = stores.OrganisationTyped("Nobody's Oy", "Turku")
    study.store.identities.record("f" * 32, typed, role="TOP", origin=stores.REAL)
    assert study.judged({1: EVERYTHING}).partial == [
        f"{'f' * 32} is known to the identity database, and there is no response"
    ]
    assert response != "f" * 32


def test_the_judge_finds_a_row_that_points_nowhere(study):
    study.answers(1)
    with closing(sqlite3.connect(study.store.answers.database.file)) as database:
        database.execute("INSERT INTO resume_code (hash, response) VALUES ('1', 'nobody')")
        database.commit()
    assert study.judged({1: EVERYTHING}).damaged == ["answers: a row of resume_code points to no row of response"]


class Study:
    """The questionnaire of the crash test with a wave that is open, answered straight into the store."""

    def __init__(self, store):
        self.store = store
        self.instrument = loading.load(crashtest.QUESTIONNAIRES / "crash")
        self.wave = store.open_wave(self.instrument, name="crash", origin=stores.REAL, now=NOW)
        self.forms = 0

    def begin(self):
        return self.store.start(self.wave, stores.REAL, self.instrument.hash, "en", 1, NOW)

    def answers(self, number, *, pages=("who", "ways", "words"), submit=True, **otherwise):
        response = self.begin()
        for page in pages:
            self.save(response, number, page, **otherwise)
        if submit:
            self.store.submit(response, self.store.response(response).revision, NOW)
        return response

    def save(self, response, number, page, **otherwise):
        self.forms += 1
        person = crashtest.Person(number, 2015)
        asked = person.stored[page]
        answers = asked | {name: value for name, value in otherwise.items() if name in asked}
        answers = {name: value for name, value in answers.items() if value is not None}
        self.store.save(
            response,
            page=page,
            stage="",
            submit_key=f"form {self.forms}",
            based_on=self.store.response(response).revision,
            answers=answers,
            variables=tuple(answers),
            identity=stores.OrganisationTyped(person.organisation, "Jyväskylä") if page == "who" else None,
            language="en",
            now=NOW,
        )

    def judged(self, acknowledged):
        return crashtest.judge(self.store, 2015, acknowledged)


@pytest.fixture
def study(sqlite_settings):
    store = stores.open(sqlite_settings)
    yield Study(store)
    store.close()


# ---- the robots: they tell of every answer that a respondent should not get


def test_a_robot_tells_of_errors_of_texts_that_are_gone_and_of_pages_that_are_not_left():
    text = robots.Person(1, SENDS_ONCE).typed["ways"]["remark"]
    tally = _met(
        {
            "/en/crash/": [(303, "who")],
            "/en/crash/who": [(500, ""), (503, "<form method=post></form>"), (303, "ways")],
            "/en/crash/ways": [(503, _form("ways", kept=True)), (303, "ways")],
        }
    )
    assert text in dict(robots.form_of(_form("ways", kept=True), "/en/crash/ways").filled).values()
    assert tally.faults == [
        "POST /en/crash/who was answered with 500",
        "POST /en/crash/who was answered with 503 and without what was typed into "
        "organisation_municipality, organisation_name, role",
        "robot 1: POST /en/crash/ways was answered with 303 /en/crash/ways",
    ]
    assert tally.met["503 with what was typed"] == 1
    assert tally.acknowledged == {1: ["start", "who"]}


def _met(answers):
    """Return what a robot meets on a server that gives *answers* to the forms posted to each address, in turn."""

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            self._answer(200, _form(self.path.rpartition("/")[2], kept=False))

        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            status, what = answers[self.path].pop(0)
            self._answer(status, what)

        def _answer(self, status, what):
            body = b"" if status == 303 else what.encode()
            self.send_response(status)
            if status == 303:
                self.send_header("Location", f"/en/crash/{what}")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        tally = robots.Tally()
        people = robots.People(server.server_port, tally, SENDS_ONCE)
        (robot,) = people.begin(1)
        robot.join()
        server.shutdown()
        serving.join()
    return tally


def _form(page, *, kept):
    """Return a page of the interview with its form; *kept* with what robot 1 typed into it."""
    typed = robots.Person(1, SENDS_ONCE).typed.get(page, {})
    fields = ""
    for name, value in typed.items():
        shown = escape(value) if kept else ""
        if name in ("remark", "words"):
            fields += f'<textarea name="{name}">\n{shown}</textarea>'
        elif name.startswith("view_") or name == "role":
            fields += f'<input type="radio" name="{name}" value="{value}"{" checked" if kept else ""}>'
        else:
            fields += f'<input name="{name}" value="{shown}">'
    address = f"/en/crash/{page}"
    return f'<form method="post" action="{address}"><input type="hidden" name="ticket" value="t">{fields}</form>'


def _environ(folder):
    environ = {name: value for name, value in os.environ.items() if not name.startswith("KYSELY_")}
    return {**environ, "KYSELY_INSTANCE": str(folder / "instance"), "KYSELY_BUILD": str(folder / "build")}
