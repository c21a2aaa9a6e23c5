"""axe-core on every page and state, in three languages, on a phone and on a desk: no violation, no exclusion.

What axe can't decide by itself ("incomplete") counts as found, so that there is none left to be looked at by hand.
"""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser._site import fill
from tests.browser._steps import STEPS, STUDY, answer_until, onward, respondent, start
from tests.kysely.web.test_feedback import PEERS, publish

RULES = {
    "runOnly": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"],
    },
    "resultTypes": ["violations", "incomplete"],
}
INSPECT = "rules => axe.run(rules).then(({violations, incomplete}) => ({violations, incomplete}))"
SIZES = ({"width": 320, "height": 640}, {"width": 1280, "height": 900})


class Inspector:
    """Inspects the page as it stands at both widths, and remembers what it found."""

    def __init__(self, page: Page):
        self.page = page
        self.found: list[str] = []

    def look(self, state: str) -> None:
        self.page.evaluate(Axe().axe_script)
        for size in SIZES:
            self.page.set_viewport_size(size)
            for kind, rules in self.page.evaluate(INSPECT, RULES).items():
                self.found += [
                    f"{state} at {size['width']} px: {kind}: {rule['id']}: {node['html'][:160]} {_why(node)}"
                    for rule in rules
                    for node in rule["nodes"]
                ]


def _why(node) -> str:
    return " ".join(check["message"] for kind in ("any", "all", "none") for check in node[kind])[:200]


def test_the_inspector_finds_what_is_wrong(page_with_script: Page):
    page_with_script.set_content("<img src=x><input><p style='color: #999'>pale</p>")
    inspector = Inspector(page_with_script)
    inspector.look("a bad page")
    found = " ".join(inspector.found)
    for rule in ("image-alt", "label", "html-has-lang", "color-contrast", "landmark-one-main"):
        assert rule in found


@pytest.fixture
def page_with_script(open_browser) -> Page:
    return open_browser(java_script_enabled=True).new_page()


THREE = pytest.mark.parametrize(("language", "scheme"), [("fi", "light"), ("sv", "dark"), ("en", "light")])

SPOILT = {
    "organisation_business_id": "123",
    "BG14_OTHER_text": "x" * 2000,
    "divided_PRODUCT": "60",
    "valued_GROW": "1",
    "valued_LAST": "1",
    "adopted_day": "30",
    "adopted_month": "2",
    "adopted_year": "2026",
    "largest": "many",
    "staff": "many",
}
"""Fields of both questionnaires, and what is refused in them."""


@THREE
def test_every_page_of_a_questionnaire_is_accessible_empty_refused_wrong_and_filled(
    site, open_browser, language, scheme
):
    page = open_browser(java_script_enabled=True, locale=language, color_scheme=scheme).new_page()
    inspector = Inspector(page)
    site.start(page, language)
    for here in site.screens(page, 4):
        inspector.look(f"{here}, empty")
        onward(page)
        if site.place(page) == here:
            inspector.look(f"{here}, unanswered")
        else:  # nothing is asked that has to be answered
            page.go_back()
        if spoilt := [name for name in SPOILT if page.locator(f"[name='{name}']:visible").count()]:
            fill(page, {name: [SPOILT[name]] for name in spoilt})
            onward(page)
            assert page.locator(".error").count(), f"{here}: nothing is refused"
            inspector.look(f"{here}, wrong")
            fill(page, {name: [""] for name in spoilt})
        fill(page, site.chosen(here, 4))
        inspector.look(f"{here}, filled")
    inspector.look("check your answers")
    assert inspector.found == []


@THREE
def test_the_pages_before_beside_and_after_the_questions_are_accessible(
    full_site, sqlite_settings, open_browser, language, scheme
):
    publish(sqlite_settings, PEERS)
    site = full_site
    page = open_browser(java_script_enabled=True, locale=language, color_scheme=scheme).new_page()
    inspector = Inspector(page)
    page.goto(f"{site.url}/{language}/")
    inspector.look("front page")
    page.goto(site.address(language=language))
    inspector.look("introduction")
    onward(page)
    for _ in site.screens(page, 6):
        pass
    page.goto(site.address("activity?edit", language))
    inspector.look("activity, changed from the review")
    page.goto(site.address(language=language))
    inspector.look("introduction, under way")
    page.goto(site.address("check-answers", language))
    printed(page, inspector, "check your answers")
    onward(page)
    inspector.look("thank you")
    page.goto(site.address("your-feedback", language))
    inspector.look("feedback")
    printed(page, inspector, "feedback")
    for place in (f"{STUDY}/how-answers-are-handled", "accessibility", "charts/", "nowhere/"):
        page.goto(f"{site.url}/{language}/{place}")
        inspector.look(place)
    assert inspector.found == []


def printed(page: Page, inspector: Inspector, state: str) -> None:
    """Look at the page as it is printed: without the site around it."""
    page.emulate_media(media="print")
    assert not page.locator("header, footer, .buttons").locator("visible=true").count()
    assert page.locator("h1").is_visible()
    inspector.look(f"{state}, printed")
    page.emulate_media(media="screen")


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
def test_the_pages_for_what_came_in_between_are_accessible(server, open_browser, language):
    page = open_browser(java_script_enabled=True, locale=language).new_page()
    inspector = Inspector(page)
    start(page, server.url, language)
    page.fill("#f-organisation_name", "Exempel Ab")
    page.context.clear_cookies()
    onward(page)
    inspector.look("lost cookie")
    page.goto(f"{server.url}/{language}/{STUDY}/")
    onward(page)
    answer_until(page, "respondent")
    other = page.context.new_page()
    other.goto(page.url)
    respondent(page)
    onward(page)
    respondent(other)
    other.check("[name=BG01][value=EXP]")
    onward(other)
    inspector_of_other = Inspector(other)
    inspector_of_other.look("conflict")
    page.goto(f"{server.url}/{language}/{STUDY}/perspective")
    late = page.context.new_page()
    late.goto(page.url)
    for _, step in STEPS[3:]:
        step(page)
        onward(page)
    onward(page)
    onward(late)
    inspector_of_late = Inspector(late)
    inspector_of_late.look("already sent")
    assert inspector.found + inspector_of_other.found + inspector_of_late.found == []
