"""Personal links in a real browser: a scanner's and a respondent's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kysely import links
from kysely.outcomes import outcomes
from kysely.web import create_app
from tests.browser._steps import STUDY, answer_until
from tests.browser.test_accessibility import Inspector
from tests.kysely.web._invited import code_of, invite, open_wave

VISITS = 50 if os.environ.get("KYSELY_LONG") else 5
LANGUAGES = ("fi", "sv", "en")


@pytest.fixture
def person(answers, server, tmp_path):
    wave = open_wave(answers, access="invited")
    (person,) = invite(answers, wave, tmp_path, "maija@example.fi,Maija Mäki,fi")
    server.app = create_app(answers.settings, answers)  # at once, not when the server looks again
    return person


def test_a_scanner_that_runs_scripts_and_presses_the_first_button_changes_nothing(
    open_browser, answers, server, person
):
    code, stop = code_of(answers, person), answers.invitations.keys.opt_out(person.id)
    before = outcomes(answers, _wave(answers))
    for _ in range(VISITS):
        for address in (f"/r/{code}", f"/fi/stop/{stop}"):
            scanner = open_browser(java_script_enabled=True).new_page()
            scanner.goto(server.url + address)
            scanner.get_by_role("button").first.click()
            scanner.wait_for_load_state()
            scanner.context.close()
    assert outcomes(answers, _wave(answers)) == before
    assert not answers.invitations.of_wave(person.wave)[0].no_mail
    page = open_browser().new_page()
    page.goto(f"{server.url}/r/{code}")
    page.get_by_role("button", name="Siirry kyselyyn").click()
    assert page.url == f"{server.url}/fi/{STUDY}/organisation"
    answer_until(page, "check-answers")


def _wave(answers):
    return next(wave for wave in answers.waves() if wave.name == "invited")


def test_no_address_after_the_link_tells_its_code(open_browser, answers, server, person):
    code = code_of(answers, person)
    page = open_browser(java_script_enabled=True).new_page()
    referers: list[str] = []
    page.on("request", lambda request: referers.append(request.all_headers().get("referer", "")))
    page.goto(f"{server.url}/fi/r/{code}")
    page.get_by_role("button", name="Siirry kyselyyn").click()
    page.wait_for_url(f"**/{STUDY}/organisation")
    assert referers and not any(code in referer for referer in referers)
    assert code not in page.content() and code not in page.evaluate("document.cookie + document.referrer")


@pytest.mark.parametrize("language", LANGUAGES)
def test_axe_finds_nothing_wrong_with_the_pages_of_links(open_browser, answers, server, person, language):
    page = open_browser(java_script_enabled=True, locale=language).new_page()
    inspector = Inspector(page)
    code, stop = code_of(answers, person), answers.invitations.keys.opt_out(person.id)
    folder = os.environ.get("KYSELY_PICTURES")
    for name, address in (
        ("link", f"/{language}/r/{code}"),
        ("unknown", f"/{language}/r/{links.new_code()}"),
        ("enter", f"/{language}/r/"),
        ("stop", f"/{language}/stop/{stop}"),
        ("introduction", f"/{language}/{STUDY}/"),
        ("handling", f"/{language}/{STUDY}/how-answers-are-handled"),
    ):
        page.goto(server.url + address)
        if folder:
            for width in (390, 1280):
                page.set_viewport_size({"width": width, "height": 900})
                page.screenshot(path=str(Path(folder) / f"{name}-{language}-{width}.png"), full_page=True)
        inspector.look(name)
    page.goto(f"{server.url}/{language}/stop/{stop}")
    page.get_by_role("button").nth(1).click()
    inspector.look("stopped")
    assert inspector.found == []
