"""Pages that few respondents ever meet, with axe: errors, waves that are shut, previews, and alarms."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import Page, Route

from kysely import links, loading
from kysely.commands.preview import previewed
from kysely.store import SIMULATED
from kysely.web import MAXIMUM_REQUEST, create_app
from tests.browser._steps import STUDY, answer_until, onward, organisation, start
from tests.browser.test_accessibility import THREE, Inspector
from tests.kysely.web._invited import NOW, code_of, invite, open_wave
from tests.kysely.web.test_nothing_is_lost import read_only

ERRORS = {
    404: ("{language}/nowhere/", {}),
    405: ("{language}/", {"method": "DELETE"}),
    413: (f"{{language}}/{STUDY}/organisation", {"method": "POST", "post_data": "x" * (MAXIMUM_REQUEST + 1)}),
    415: (f"{{language}}/{STUDY}/organisation", {"method": "POST", "post_data": "{}", "kind": "application/json"}),
}
"""What is asked for, and how, so that it is refused with each number."""


@pytest.fixture
def open_page(open_browser):
    def open_page(language: str, scheme: str) -> Page:
        return open_browser(java_script_enabled=True, locale=language, color_scheme=scheme).new_page()

    return open_page


@THREE
def test_every_refusal_of_the_server_is_an_accessible_page(server, open_page, monkeypatch, language, scheme):
    page = open_page(language, scheme)
    inspector = Inspector(page)
    for status, (place, request) in ERRORS.items():
        assert arrive(page, f"{server.url}/{place.format(language=language)}", **request) == status
        inspector.look(str(status))
    for _ in range(40):
        server.app.test_client().get(f"/{language}/r/{links.new_code()}")
    assert arrive(page, f"{server.url}/{language}/r/{links.new_code()}") == 429
    inspector.look("429")
    with monkeypatch.context() as patch:
        patch.setattr("kysely.web.frames.preferred_language", lambda: 1 / 0)
        assert arrive(page, f"{server.url}/") == 500
    inspector.look("500")
    assert inspector.found == []


def arrive(page: Page, url: str, *, method: str = "GET", post_data: str | None = None, kind: str = "") -> int:
    """Open *url* by a request of that kind, and return the status of the page that comes."""

    def send(route: Route) -> None:
        headers = {**route.request.headers, **({"content-type": kind} if kind else {})}
        route.continue_(method=method, post_data=post_data, headers=headers)

    page.route(url, send)
    answer = page.goto(url)
    page.unroute(url)
    assert answer is not None
    return answer.status


@THREE
def test_a_wave_that_is_not_open_yet_or_no_more_says_so_on_an_accessible_page(
    server, answers, sqlite_settings, open_page, tmp_path, language, scheme
):
    wave = open_wave(answers, access="both", opens_at=NOW, closes_at=NOW + timedelta(days=9))
    (person,) = invite(answers, wave, tmp_path, f"maija@example.fi,Maija,{language}")
    link = f"{server.url}/{language}/r/{code_of(answers, person)}"
    page = open_page(language, scheme)
    inspector = Inspector(page)
    now = NOW - timedelta(days=1)
    server.app = create_app(sqlite_settings, answers, now=lambda: now)
    page.goto(f"{server.url}/{language}/{STUDY}/")
    assert not page.locator("main form").count()
    inspector.look("not open yet")
    page.goto(link)
    onward(page)
    inspector.look("a link of a wave that isn't open yet")
    now = NOW
    start(page, server.url, language)
    organisation(page)
    now = NOW + timedelta(days=30)
    onward(page)
    inspector.look("a page sent when all is over")
    page.goto(f"{server.url}/{language}/{STUDY}/")
    inspector.look("over")
    page.goto(link)
    onward(page)
    inspector.look("a link when all is over")
    assert inspector.found == []


@THREE
def test_when_nothing_can_be_saved_the_alarm_and_the_page_that_comes_back_are_accessible(
    server, answers, sqlite_settings, open_page, language, scheme
):
    page = open_page(language, scheme)
    inspector = Inspector(page)
    start(page, server.url, language)
    answer_until(page, "activity")
    with read_only(answers) as reading:
        server.app = create_app(sqlite_settings, reading)
        page.reload()
        assert page.locator(".alarm").is_visible()
        inspector.look("the alarm")
        page.locator("main form").evaluate("form => form.removeAttribute('data-unsent')")  # as without a script
        onward(page)
        assert page.locator("main [role=alert]").is_visible()
        inspector.look("sent while nothing can be saved")
    assert inspector.found == []


@THREE
def test_a_preview_and_a_simulation_say_so_on_accessible_pages(
    server, answers, sqlite_settings, open_page, language, scheme
):
    page = open_page(language, scheme)
    inspector = Inspector(page)
    instrument = loading.load(sqlite_settings.questionnaires / STUDY)
    answers.open_wave(instrument, name="robots", origin=SIMULATED, now=NOW)
    server.app = create_app(sqlite_settings, answers, origin=SIMULATED)
    page.goto(f"{server.url}/{language}/{STUDY}/")
    inspector.look("simulation")
    with previewed(sqlite_settings, STUDY, "full") as app:
        server.app = app
        page.goto(f"{server.url}/{language}/preview/")
        inspector.look("index of a preview")
        with page.expect_navigation():
            page.locator(f"form[action$='/preview/{instrument.pages[2].id}'] button").click()
        assert page.locator(".notice").is_visible()
        inspector.look("page of a preview")
    assert inspector.found == []
