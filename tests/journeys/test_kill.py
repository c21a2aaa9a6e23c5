"""The power goes while people answer: what the server confirmed by its redirect is there afterwards, and whole."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections import Counter
from contextlib import closing
from random import Random
from urllib.parse import parse_qsl

from benchmarks import driver
from benchmarks.contenders import CONTENDERS, SERVERS, serving

KILLS = 200 if os.environ.get("KYSELY_LONG") else 3
(KYSELY,) = (contender for contender in CONTENDERS if contender.name == "kysely")


def test_what_was_confirmed_survives_a_server_that_is_killed_again_and_again(tmp_path, monkeypatch):
    confirmed: list[tuple[str, dict[str, str]]] = []

    class Noting(driver.Connection):
        def _exchange(self, method, path, body):
            status, location, answer = super()._exchange(method, path, body)
            if method == "POST" and status == 303:
                confirmed.append((path.rpartition("/")[2], dict(parse_qsl(body.decode()))))
            return status, location, answer

    monkeypatch.setattr(driver, "Connection", Noting)
    chance = Random(2015)
    for kill in range(KILLS):
        with serving(KYSELY, SERVERS["granian"], tmp_path) as served:
            people = threading.Thread(target=driver.drive, args=(served.url, 8, 400, f"kill {kill}"))
            before = len(confirmed)
            people.start()
            while len(confirmed) == before:  # the first page of this server's life
                assert people.is_alive(), "nobody could answer"
                time.sleep(0.005)
            time.sleep(chance.uniform(0, 0.5))
            for process in served.tree():
                process.kill()
            people.join()

    with closing(sqlite3.connect(tmp_path / KYSELY.database)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        texts = {text for (text,) in database.execute("SELECT text FROM answer_event WHERE variable = 'OM_F01'")}
        saved = Counter(page for (page,) in database.execute("SELECT page FROM page_submission"))
        (submitted,) = database.execute("SELECT count(*) FROM response WHERE submitted_at IS NOT NULL").fetchone()
        parts = database.execute(
            "SELECT page_submission.page, count(answer_event.variable) FROM page_submission LEFT JOIN answer_event"
            " USING (response, revision) GROUP BY page_submission.submit_key, page_submission.page"
        ).fetchall()
    pages = Counter(page for page, _ in confirmed)
    assert pages["background"] > KILLS and pages["words"] > 0
    assert {fields["OM_F01"] for page, fields in confirmed if page == "words"} <= texts
    for page in ("background", "modes", "words"):
        assert saved[page] >= pages[page]
        assert len({answers for of_page, answers in parts if of_page == page}) == 1, f"{page} is there in part"
    assert submitted >= pages["check-answers"] > 0
