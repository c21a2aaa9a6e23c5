"""Nothing typed is lost in a real browser: not by Back, a language, a second device, or a lost connection."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser._steps import STEPS, STUDY, activity, answer_until, onward, organisation, respondent, start
from tests.browser.test_journeys import response

both = pytest.mark.parametrize("scripts", [False, True], ids=["no JavaScript", "with JavaScript"])


def refused(page: Page) -> None:
    """Send the first page with a mistake in it."""
    organisation(page)
    page.fill("#f-organisation_business_id", "123")
    onward(page)
    expect(page.locator("[role=alert]")).to_be_focused()


@both
def test_back_forward_and_reload_after_a_refusal_ask_nothing_and_keep_everything(
    server, open_browser, answers, scripts
):
    page = open_browser(java_script_enabled=scripts).new_page()
    start(page, server.url)
    refused(page)
    page.reload()  # a page that came by POST would ask whether to send it again
    expect(page.locator("[role=alert]")).to_be_focused()
    expect(page.locator("#f-organisation_name")).to_have_value("Exempel Ab")
    page.fill("#f-organisation_business_id", "")
    onward(page)
    page.wait_for_url("**/activity")
    activity(page)
    onward(page)
    page.wait_for_url("**/respondent")
    for _ in range(3):
        page.go_back()
        assert page.url.startswith(server.url), "the browser shows an error of its own"
    page.go_forward()
    page.go_forward()
    page.goto(f"{server.url}/fi/{STUDY}/organisation")
    expect(page.locator("#f-organisation_name")).to_have_value("Exempel Ab")
    page.check("[name=BG12][value=P1000]")
    onward(page)
    page.wait_for_url("**/activity")
    assert response(answers).answers["BG12"] == "P1000"


@both
def test_a_page_left_by_back_after_a_refusal_shows_what_was_typed(server, open_browser, scripts):
    page = open_browser(java_script_enabled=scripts).new_page()
    start(page, server.url)
    answer_until(page, "activity")
    page.select_option("#f-BG14", "C")
    onward(page)  # two answers are missing
    expect(page.locator("[role=alert]")).to_be_focused()
    page.go_back()
    page.goto(f"{server.url}/fi/{STUDY}/")
    page.get_by_role("link", name="Jatka vastaamista").click()
    page.wait_for_url("**/activity")
    expect(page.locator("#f-BG14")).to_have_value("C")


@both
def test_a_language_switch_can_be_gone_back_on(server, open_browser, scripts):
    page = open_browser(java_script_enabled=scripts).new_page()
    start(page, server.url)
    page.fill("#f-organisation_name", "Kesken Oy")
    with page.expect_navigation():
        page.get_by_role("button", name="Svenska").click()
    page.wait_for_url("**/sv/**")
    expect(page.locator("#f-organisation_name")).to_have_value("Kesken Oy")
    page.go_back()
    page.wait_for_url("**/fi/**")
    expect(page.locator("#f-organisation_name")).to_have_value("Kesken Oy")
    page.go_forward()
    page.wait_for_url("**/sv/**")
    expect(page.locator("#f-organisation_name")).to_have_value("Kesken Oy")
    page.reload()
    expect(page.locator("#f-organisation_name")).to_have_value("Kesken Oy")


@both
def test_two_people_on_one_link_lose_no_word(server, open_browser, answers, scripts):
    """They share a response, in two browsers; each sees all of their own words until they have chosen."""
    one = open_browser(java_script_enabled=scripts).new_page()
    start(one, server.url)
    answer_until(one, "perspective")
    other = open_browser(java_script_enabled=scripts).new_page()
    come_by_code(other, server.url, code_of(one, server.url))
    one.goto(f"{server.url}/fi/{STUDY}/perspective")
    other.goto(f"{server.url}/fi/{STUDY}/perspective")
    for page, words in ((one, "Ensimmäisen sanat"), (other, "Toisen sanat")):
        page.check("[name=BG07][value=UNIT]")
        page.fill("#f-BG08", words)
        page.check("[name=BG19][value=YES]")
    onward(one)
    one.wait_for_url("**/choose")
    onward(other)
    expect(other.locator("[role=alert]")).to_be_focused()
    for words in ("Ensimmäisen sanat", "Toisen sanat"):
        expect(other.locator("main")).to_contain_text(words)
    one.go_back()
    expect(one.locator("#f-BG08")).to_have_value("Ensimmäisen sanat")
    other.reload()
    expect(other.locator("main")).to_contain_text("Toisen sanat")
    with other.expect_navigation():
        other.get_by_role("link", name="Muokkaa omia vastauksiasi").click()
    expect(other.locator("#f-BG08")).to_have_value("Toisen sanat")
    other.fill("#f-BG08", "Ensimmäisen sanat ja toisen sanat")
    onward(other)
    other.wait_for_url("**/choose")
    assert response(answers).answers["BG08"] == "Ensimmäisen sanat ja toisen sanat"


def code_of(page: Page, url: str, language: str = "fi") -> str:
    page.goto(f"{url}/{language}/{STUDY}/continue-later")
    if not page.locator(".code").count():
        onward(page)
    return page.locator(".code bdi").inner_text()


def come_by_code(page: Page, url: str, code: str, language: str = "fi") -> None:
    page.goto(f"{url}/{language}/{STUDY}/")
    page.locator("a[href$='continue-with-a-code']").click()
    page.fill("#f-code", code)
    onward(page)


@both
def test_a_respondent_changes_from_phone_to_laptop_in_the_middle_of_a_sentence(server, open_browser, answers, scripts):
    phone = open_browser(java_script_enabled=scripts).new_page()
    start(phone, server.url)
    answer_until(phone, "perspective")
    phone.check("[name=BG07][value=UNIT]")
    phone.fill("#f-BG08", "Kirjoitettu bussissa, ja")
    with phone.expect_navigation():
        phone.get_by_role("button", name="Jatka myöhemmin").click()
    phone.wait_for_url("**/continue-later")
    laptop = open_browser(java_script_enabled=scripts, viewport={"width": 1280, "height": 800}).new_page()
    come_by_code(laptop, server.url, code_of(phone, server.url))
    laptop.wait_for_url("**/perspective")
    expect(laptop.locator("#f-BG08")).to_have_value("Kirjoitettu bussissa, ja")
    laptop.check("[name=BG19][value=YES]")
    onward(laptop)
    laptop.wait_for_url("**/choose")
    for _, step in STEPS[4:]:
        step(laptop)
        onward(laptop)
    onward(laptop)
    laptop.wait_for_url("**/thank-you")
    assert response(answers).submitted


@both
def test_sent_answers_are_changed_and_erased_by_those_who_gave_them(server, open_browser, answers, scripts):
    page = open_browser(java_script_enabled=scripts).new_page()
    start(page, server.url)
    answer_until(page, "check-answers")
    onward(page)
    page.wait_for_url("**/thank-you")
    page.get_by_role("link", name="Muuta vastauksia").click()
    onward(page)
    page.get_by_role("link", name=re.compile("Muuta vastauksia: Organisaatiosi")).click()
    page.check("[name=BG12][value=P1000]")
    onward(page)
    page.wait_for_url("**/check-answers")
    onward(page)
    page.wait_for_url("**/thank-you")
    assert response(answers).answers["BG12"] == "P1000"
    code = code_of(page, server.url)
    page.get_by_role("link", name="Poista vastauksesi").click()
    page.fill("#f-code", code)
    onward(page)
    expect(page.locator("[role=alert] a")).to_have_attribute("href", "#f-sure")
    page.check("#f-sure")
    onward(page)
    expect(page.get_by_role("heading", name="Vastauksesi on poistettu")).to_be_visible()
    assert list(answers.responses(answers.wave(STUDY, "core2015", "real").id)) == []


def test_a_lost_connection_keeps_the_page_and_one_more_press_saves_it(server, open_browser, answers):
    context = open_browser(java_script_enabled=True)
    page = context.new_page()
    start(page, server.url)
    organisation(page)
    context.set_offline(True)
    page.locator("main form button").first.click()
    expect(page.locator("#unsent")).to_be_focused()
    expect(page.locator("#unsent")).to_contain_text("Palvelimeen ei saatu yhteyttä")
    expect(page.locator("#f-organisation_name")).to_have_value("Exempel Ab")
    assert page.url.endswith("/organisation")
    context.set_offline(False)
    onward(page)
    page.wait_for_url("**/activity")
    assert response(answers).revision == 1
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0


def test_a_press_whose_answer_was_lost_is_counted_once(server, open_browser, answers):
    context = open_browser(java_script_enabled=True)
    page = context.new_page()
    start(page, server.url)
    organisation(page)
    # The server gets the form and saves it; its answer never arrives.
    page.route("**/organisation", lambda route: (route.fetch(max_redirects=0), route.abort()))
    page.locator("main form button").first.click()
    expect(page.locator("#unsent")).to_be_focused()
    assert response(answers).revision == 1
    page.unroute("**/organisation")
    onward(page)
    page.wait_for_url("**/activity")
    assert response(answers).revision == 1


def test_with_a_script_a_refusal_a_conflict_and_a_lost_cookie_look_as_without(server, open_browser):
    page = open_browser(java_script_enabled=True).new_page()
    start(page, server.url)
    refused(page)
    page.context.clear_cookies()
    onward(page)
    expect(page.locator("[role=alert]")).to_contain_text("Kaikki kirjoittamasi on tässä")
    expect(page.locator("#f-organisation_name")).to_have_value("Exempel Ab")
    page.fill("#f-organisation_business_id", "")
    onward(page)
    page.wait_for_url("**/activity")


def test_the_script_is_small_and_stores_nothing(server, page: Page):
    page.goto(f"{server.url}/fi/{STUDY}/")
    start(page, server.url)
    address = page.locator("script").get_attribute("src")
    source = page.request.get(f"{server.url}{address}").text()
    assert len(source.encode()) < 3000
    assert not re.search(r"localStorage|sessionStorage|indexedDB|document\.cookie|innerHTML|eval", source)


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
def test_the_pages_of_drafts_codes_and_changes_are_accessible(server, open_browser, language):
    from tests.browser.test_accessibility import Inspector

    page = open_browser(java_script_enabled=True, locale=language).new_page()
    inspector = Inspector(page)
    start(page, server.url, language)
    answer_until(page, "respondent")
    page.check("[name=BG01][value=TOP]")
    with page.expect_navigation():
        page.locator("button[value=later]").click()
    inspector.look("continue later")
    code = code_of(page, server.url, language)
    inspector.look("the code")
    page.goto(f"{server.url}/{language}/{STUDY}/respondent")
    inspector.look("typed and not saved")
    other = open_browser(java_script_enabled=True, locale=language).new_page()
    other_inspector = Inspector(other)
    other.goto(f"{server.url}/{language}/{STUDY}/continue-with-a-code")
    other_inspector.look("enter a code")
    other.fill("#f-code", "abc")
    onward(other)
    other_inspector.look("a wrong code")
    other.fill("#f-code", code)
    onward(other)
    respondent(page)
    respondent(other)
    other.check("[name=BG01][value=EXP]")
    onward(page)
    onward(other)
    other_inspector.look("conflict")
    page.goto(f"{server.url}/{language}/{STUDY}/perspective")
    for _, step in STEPS[3:]:
        step(page)
        onward(page)
    inspector.look("the review, with something unsaved")
    onward(page)
    inspector.look("thanks, with changes")
    page.locator("a[href$='change-my-answers']").click()
    inspector.look("change what was sent")
    onward(page)
    inspector.look("changing what was sent")
    page.goto(f"{server.url}/{language}/{STUDY}/erase-my-answers")
    inspector.look("erase")
    onward(page)
    inspector.look("erase, refused")
    page.fill("#f-code", code)
    page.check("#f-sure")
    onward(page)
    inspector.look("erased")
    assert inspector.found + other_inspector.found == []


def test_a_page_that_could_not_be_sent_is_accessible(server, open_browser):
    from tests.browser.test_accessibility import Inspector

    context = open_browser(java_script_enabled=True)
    page = context.new_page()
    start(page, server.url)
    context.set_offline(True)
    page.locator("main form button").first.click()
    expect(page.locator("#unsent")).to_be_focused()
    context.set_offline(False)
    inspector = Inspector(page)
    inspector.look("not sent")
    assert inspector.found == []
