"""Every type of question in Chromium: what axe finds, how wide a phone has to be, and the keyboard alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Page

from kysely.web import create_app
from tests.browser._steps import onward
from tests.browser.test_accessibility import Inspector
from tests.kysely import every_type

CHOICES = ("p_grid", "p_now_and_target", "p_pairs", "p_semantic_differential", "p_stage_matrix", "after")


@pytest.fixture
def every(server, sqlite_settings, answers, tmp_path) -> str:
    """The address of a server that serves the questionnaire with every type."""
    every_type.write(tmp_path / "questionnaires")
    server.app = create_app(replace(sqlite_settings, questionnaires=tmp_path / "questionnaires"), answers)
    return server.url


def places(page: Page, url: str, language: str) -> Iterator[str]:
    """Yield each screen as it is come to, and answer it afterwards; the last is the review."""
    page.goto(f"{url}/{language}/{every_type.STUDY}/")
    onward(page)
    while not page.url.endswith("check-answers"):
        place = page.url.split(f"{every_type.STUDY}/")[1]
        yield place
        answer(page, place)
        onward(page)
        if page.url.endswith(place):  # left blank: asked once more
            with page.expect_navigation():
                page.locator("button[name=skip]").click()
    yield "check-answers"


def answer(page: Page, place: str) -> None:
    if place == "p_date":
        for part, text in (("day", "15"), ("month", "3"), ("year", "2024")):
            page.fill(f"#f-adopted_{part}", text)
    elif place == "p_points":
        page.fill("#f-divided_PRODUCT", "60")
        page.fill("#f-divided_OTHER", "40")
    elif place == "p_ranking":
        page.select_option("#f-valued_GROW", "1")
        page.select_option("#f-valued_LAST", "2")
    elif place == "p_percent":
        page.fill("#f-largest", "33,3 %")
    elif place == "p_organisation":
        page.fill(
            "#f-organisation_name" if page.locator("#f-organisation_name").count() else "input.line", "Exempel Ab"
        )
    elif place == "p_multiple_choice":
        page.check("[value=B2B]")
        page.check("[value=CIT]")
    elif place.startswith("p_weighted_choice/choose"):
        page.check("[value=PROD]")
        page.check("[value=CUST]")
    else:
        names = dict.fromkeys(radio.get_attribute("name") for radio in page.locator("main input[type=radio]").all())
        for name in names:
            page.check(f"[name={name}] >> nth=1")


@pytest.mark.parametrize(("language", "scheme"), [("fi", "light"), ("sv", "dark"), ("en", "light")])
def test_every_type_is_accessible_empty_unanswered_wrong_and_answered(every, open_browser, language, scheme):
    page = open_browser(java_script_enabled=True, locale=language, color_scheme=scheme).new_page()
    inspector = Inspector(page)
    for place in places(page, every, language):
        inspector.look(f"{place}, empty")
        if place in ("p_points", "p_ranking", "p_date", "p_grid", "p_semantic_differential", "p_now_and_target"):
            spoil(page, place)
            onward(page)
            inspector.look(f"{place}, wrong or unanswered")
        if place in CHOICES:
            answer(page, place)
            inspector.look(f"{place}, answered")
    assert inspector.found == []


def spoil(page: Page, place: str) -> None:
    if place == "p_points":
        page.fill("#f-divided_PRODUCT", "60")
    elif place == "p_ranking":
        page.select_option("#f-valued_GROW", "1")
        page.select_option("#f-valued_LAST", "1")
    elif place == "p_date":
        for part, text in (("day", "30"), ("month", "2"), ("year", "2026")):
            page.fill(f"#f-adopted_{part}", text)


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
def test_no_type_needs_a_wider_screen_than_320_pixels_or_a_script(every, open_browser, language):
    page = open_browser(viewport={"width": 320, "height": 640}, locale=language).new_page()
    wide = [place for place in places(page, every, language) if not _fits(page)]
    assert wide == []


def _fits(page: Page) -> bool:
    # Scripts of the page are off; the width is read from the layout itself.
    body = page.locator("html").bounding_box()
    widest = max(box["x"] + box["width"] for each in page.locator("main *").all() if (box := each.bounding_box()))
    return body is not None and widest <= 320.5


def test_the_keyboard_alone_answers_a_grid_row_by_row(every, open_browser):
    page = open_browser(java_script_enabled=True, viewport={"width": 1280, "height": 900}).new_page()
    for place in places(page, every, "fi"):
        if place == "p_grid":
            break
    page.locator("[name=view_NOW]").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    focused = page.evaluate("[document.activeElement.name, document.activeElement.value]")
    assert focused == ["view_NOW", "CLEAR"]  # the arrows stay in their row
    row, level = page.evaluate(
        """() => {
            const button = document.activeElement;
            const legend = button.closest('[role=radiogroup]').getAttribute('aria-labelledby');
            return [document.getElementById(legend).textContent, button.labels[0].textContent];
        }"""
    )
    assert (row, level) == ("Näemme nykytilan samoin.", "selvästi")


def test_on_a_wide_screen_the_columns_of_a_grid_stand_under_their_heads(every, open_browser):
    page = open_browser(viewport={"width": 1280, "height": 900}).new_page()
    for place in places(page, every, "fi"):
        if place not in ("p_grid", "p_semantic_differential", "p_now_and_target"):
            continue
        heads = [_middle(head) for head in page.locator(".heads > span").all()]
        for row in page.locator("fieldset.row").all():
            buttons = [_middle(button) for button in row.locator("input").all()]
            assert len(buttons) == len(heads)
            assert all(abs(button - head) < 12 for button, head in zip(buttons, heads, strict=True)), (
                place,
                heads,
                buttons,
            )


def _middle(element) -> float:
    box = element.bounding_box()
    return box["x"] + box["width"] / 2
