"""A preview shows the questionnaire as it will be asked, says on every page that nothing counts, and keeps nothing."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest

from kysely import simulate
from kysely import store as stores
from kysely.commands.preview import previewed
from kysely.errors import AuthorError
from kysely.store import Store
from kysely.web import alarm, create_app
from kysely.web.wording import wordings
from tests.kysely.web._visitor import Visitor, text
from tests.kysely.web.test_nothing_is_lost import read_only

LANGUAGES = ("fi", "sv", "en")

BRANCHES = """\
schema: questionnaire/1
id: branches
revision: "1"
languages: {base: en, required: [en, fi, sv]}
title: {en: Branches, fi: Haarat, sv: Grenar}
forms: {long: {pages: [start, side, end]}, short: {pages: [start, end]}}
pages:
  - id: start
    title: {en: Start, fi: Alku, sv: Början}
    questions:
      - id: way
        type: single_choice
        text: {en: Which way?, fi: Mihin suuntaan?, sv: Åt vilket håll?}
        options:
          - {code: SIDE, label: {en: To the side, fi: Sivulle, sv: Åt sidan}}
          - {code: AHEAD, label: {en: Ahead, fi: Eteenpäin, sv: Framåt}}
  - id: side
    title: {en: The side, fi: Sivu, sv: Sidan}
    show_if: "way == 'SIDE'"
    questions:
      - {id: seen, type: text, text: {en: What is there?, fi: Mitä siellä on?, sv: Vad finns där?}}
  - id: end
    title: {en: The end, fi: Loppu, sv: Slutet}
    questions:
      - {id: said, type: text, text: {en: Anything else?, fi: Muuta?, sv: Något annat?}}
"""


@pytest.fixture
def branches(sqlite_settings, tmp_path):
    """Settings whose questionnaires are one with branches, beside a broken one that nobody previews."""
    for name, content in (("branches", BRANCHES), ("broken", "half a fi")):
        folder = tmp_path / "questionnaires" / name
        folder.mkdir(parents=True)
        (folder / "questionnaire.yaml").write_text(content, encoding="utf8")
    return replace(sqlite_settings, questionnaires=tmp_path / "questionnaires")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_of_a_preview_says_that_nothing_counts(branches, language):
    with previewed(branches, "branches", None) as app:
        client = app.test_client()
        for address in ("preview/", "branches/", "branches/how-answers-are-handled", "", "accessibility"):
            page = client.get(f"/{language}/{address}")
            assert page.status_code == 200
            assert wordings()[language]["preview"] in text(page)


def test_every_page_is_opened_from_the_index_with_answers_that_lead_there(branches):
    with previewed(branches, "branches", None) as app:
        client = app.test_client()
        index = text(client.get("/en/preview/"))
        assert "way == 'SIDE'" in index and "Which way? To the side" in index
        actions = re.findall(r'<form method="post" action="([^"]+)"', index)
        assert actions == [f"/en/preview/{page}" for page in ("start", "side", "end")]
        for action, heading in zip(actions, ("Start", "The side", "The end"), strict=True):
            opened = app.test_client().post(action, follow_redirects=True)
            assert opened.status_code == 200
            assert f"<h1>{heading}</h1>" in opened.text
        assert client.post("/en/preview/nowhere").status_code == 404


def test_a_preview_can_be_gone_through_to_the_end(branches):
    with previewed(branches, "branches", None) as app:
        store: Store = app.view_functions["interview.start"].__self__.store
        instrument = store.instrument(store.publications()[0].hash)
        people = [simulate.anyone(number, instrument, 1, simulate.Clock().now) for number in range(1, 7)]
        walks = list(simulate.interviews(app, instrument, people, simulate.Clock()))
        assert [walk.fault for walk in walks] == [""] * 6


def test_a_preview_keeps_nothing_and_never_touches_the_real_databases(branches):
    real = stores.open(branches)
    before = {file.name: file.read_bytes() for file in branches.instance.iterdir() if file.suffix == ".db"}
    with previewed(replace(branches, mode="production"), "branches", "short") as app:
        opened = app.test_client().post("/sv/preview/end", follow_redirects=True)
        assert "<h1>Slutet</h1>" in opened.text
        store: Store = app.view_functions["interview.start"].__self__.store
        folder = store.settings.instance
        assert store.counts()[0].started == 1 and folder.is_dir()
    assert not folder.exists()
    assert real.counts() == ()
    real.close()
    assert {file.name: file.read_bytes() for file in branches.instance.iterdir() if file.suffix == ".db"} == before


def test_the_public_site_has_no_preview(site):
    assert site.test_client().get("/fi/preview/").status_code == 404


def test_what_cannot_be_asked_cannot_be_previewed(branches):
    with pytest.raises(AuthorError), previewed(branches, "broken", None):
        pass


def test_the_preview_of_the_study_shows_all_of_its_pages(sqlite_settings):
    with previewed(sqlite_settings, "operating_mode", None) as app:
        store: Store = app.view_functions["interview.start"].__self__.store
        instrument = store.instrument(store.publications()[0].hash)
        for page in instrument.pages:
            opened = app.test_client().post(f"/fi/preview/{page.id}", follow_redirects=True)
            assert opened.status_code == 200 and page.title["fi"] in text(opened)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_the_terminal_serves_a_preview_and_leaves_nothing_when_it_is_ended(branches, tmp_path, ending):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    program = [sys.executable, "-m", "kysely", "preview", "branches", "--port", "0"]
    environment = {
        "KYSELY_QUESTIONNAIRES": str(branches.questionnaires),
        "KYSELY_INSTANCE": str(tmp_path / "elsewhere"),
        "TMPDIR": str(scratch),
    }
    server = subprocess.Popen(
        program, env=environment, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]
    )
    assert server.stdout is not None
    address = re.search(r"http://\S+", server.stdout.readline())
    assert address is not None
    with urllib.request.urlopen(address[0]) as page:
        assert page.status == 200
    server.send_signal(ending)
    assert server.wait(60) == 0
    server.stdout.close()
    assert not list(scratch.iterdir()) and not list((tmp_path / "elsewhere").glob("*.db"))


# ---- nothing is being saved


@pytest.mark.parametrize("language", LANGUAGES)
def test_before_anybody_types_the_page_says_that_nothing_can_be_saved(settings, store, language):
    sentence = wordings()[language]["nothing_saved"]
    assert sentence not in text(Visitor(create_app(settings, store), language).see())
    with read_only(store) as reading:
        shown = text(Visitor(create_app(settings, reading), language).see())
    assert sentence in shown and 'role="alert"' in shown


def test_a_writer_who_will_be_done_soon_raises_no_alarm(embedded):
    with embedded.answers.database.writing():
        assert alarm.Alarm(embedded)() is False


def test_pages_look_once_in_a_while_and_no_more_often(embedded):
    now = [0.0]
    sounding = alarm.Alarm(embedded, clock=lambda: now[0])

    def at(seconds):
        now[0] = seconds
        return sounding()

    assert at(0) is False
    with read_only(embedded) as reading:
        sounding.store = reading
        assert at(4) is False
        assert at(6) is True
    sounding.store = embedded
    assert at(10) is True
    assert at(12) is False
