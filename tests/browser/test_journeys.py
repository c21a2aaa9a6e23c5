"""Whole interviews in a real browser, with JavaScript off unless it says otherwise."""

from __future__ import annotations

from dataclasses import replace

from playwright.sync_api import Page, expect

from kysely.web import create_app
from tests.browser._steps import STUDY, activity, answer_until, onward, organisation, respondent, start


def response(answers):
    (state,) = answers.responses(answers.wave(STUDY, "core2015", "real").id)
    return state


def test_a_swedish_respondent_answers_on_a_phone_without_javascript(server, page: Page, answers):
    page.goto(server.url)
    page.get_by_role("link", name="Svenska").click()
    page.get_by_role("link", name="Organisationens verksamhetssätt").click()
    page.get_by_role("button", name="Börja svara").click()
    answer_until(page, "check-answers")
    expect(page.get_by_text("Exempel Ab")).to_be_visible()
    page.get_by_role("button", name="Skicka svaren").click()
    expect(page.get_by_role("heading", name="Tack för ditt svar")).to_be_visible()
    state = response(answers)
    assert state.submitted and state.language == "sv"
    assert state.answers["BG12"] == "P50_99"
    assert state.answers["OM_B02_CUST"] == 3 and state.answers["OM_B02_DEV"] == 1 and state.answers["OM_B02_PROD"] == 0
    assert answers.organisation_typed(state.id).municipality == "Ekenäs"


def test_the_focus_lands_in_the_summary_whose_links_lead_to_the_fields(server, page: Page):
    start(page, server.url)
    page.fill("#f-organisation_business_id", "123")
    onward(page)
    expect(page).to_have_title("Virhe: Organisaatiosi – Sivu 1/5 – Organisaation toimintatapa")
    expect(page.locator("[role=alert]")).to_be_focused()
    for name in ("f-organisation_business_id", "f-BG10", "f-BG12"):
        page.locator(f"[role=alert] a[href='#{name}']").click()
        expect(page.locator(f"#{name}")).to_be_focused()


def test_the_line_beside_an_option_waits_until_the_option_is_chosen(server, page: Page):
    start(page, server.url)
    answer_until(page, "perspective")
    expect(page.locator("#f-BG08")).to_be_hidden()
    page.get_by_text("Oman yksikköni").click()
    expect(page.locator("#f-BG08")).to_be_visible()


def test_the_whole_row_of_an_option_is_its_label_and_44_pixels_high(server, page: Page):
    start(page, server.url)
    option = page.locator(".option", has_text="10–19")
    option.scroll_into_view_if_needed()
    row = option.bounding_box()
    assert row["height"] >= 44
    page.mouse.click(row["x"] + row["width"] - 10, row["y"] + row["height"] / 2)
    expect(page.get_by_label("10–19")).to_be_checked()
    for button in page.locator("button, main select, main input[type=text]").all():
        assert button.bounding_box()["height"] >= 44


def test_typed_text_survives_a_lost_cookie_a_restart_and_a_new_key(server, page: Page, answers, sqlite_settings):
    start(page, server.url)
    organisation(page)
    page.context.clear_cookies()
    onward(page)
    expect(page.locator("[role=alert]")).to_contain_text("Kaikki kirjoittamasi on tässä")
    expect(page.locator("#f-organisation_name")).to_have_value("Exempel Ab")
    expect(page.locator("#f-BG10")).to_have_value("COMP")
    onward(page)
    page.wait_for_url("**/activity")
    activity(page)
    rotated = replace(
        sqlite_settings,
        secret_key="a new key that is as long as it needs to be",
        secret_key_fallbacks=(sqlite_settings.secret_key,),
    )
    server.app = create_app(rotated, answers)
    onward(page)
    page.wait_for_url("**/respondent")
    respondent(page)
    server.app = create_app(
        replace(rotated, secret_key_fallbacks=(), secret_key="yet another key, just as long"), answers
    )
    onward(page)
    # Nothing is known of this browser any more, but its text is here to copy.
    expect(page.locator("[role=alert]")).to_be_focused()
    expect(page.locator("[name=BG01][value=TOP]")).to_be_checked()


def test_the_language_can_be_changed_in_the_middle_of_a_page(server, page: Page):
    start(page, server.url)
    page.fill("#f-organisation_name", "Kesken Oy")
    page.check("[name=BG12][value=P50_99]")
    page.get_by_role("button", name="Svenska").click()
    expect(page.get_by_role("heading", name="Din organisation")).to_be_visible()
    expect(page.locator("#f-organisation_name")).to_have_value("Kesken Oy")
    expect(page.locator("[name=BG12][value=P50_99]")).to_be_checked()
    assert page.url == f"{server.url}/sv/{STUDY}/organisation"


def test_two_tabs_meet_on_a_page_that_shows_both_answers(server, page: Page):
    start(page, server.url)
    answer_until(page, "respondent")
    other = page.context.new_page()
    other.goto(page.url)
    respondent(page)
    onward(page)
    respondent(other)
    other.check("[name=BG01][value=EXP]")
    onward(other)
    expect(other.locator("[role=alert]")).to_be_focused()
    expect(other.locator("main")).to_contain_text("Ylin johto")
    expect(other.locator("main")).to_contain_text("Muu asiantuntija")
    other.get_by_role("button", name="Käytä juuri lähettämiäni vastauksia").click()
    other.wait_for_url("**/perspective")


def test_back_forward_and_reload_ask_no_questions(server, page: Page, answers):
    start(page, server.url)
    answer_until(page, "perspective")
    for _ in range(3):
        page.go_back()
    expect(page.locator("#f-organisation_name")).to_have_value("Exempel Ab")
    page.reload()
    page.check("[name=BG12][value=P1000]")
    onward(page)
    page.wait_for_url("**/activity")
    page.go_back()
    page.go_forward()
    assert response(answers).answers["BG12"] == "P1000"


def test_nothing_is_fetched_from_elsewhere_and_no_policy_is_broken(server, page: Page):
    fetched, complaints = [], []
    page.on("request", lambda request: fetched.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    start(page, server.url)
    answer_until(page, "check-answers")
    onward(page)
    assert all(url.startswith(server.url) for url in fetched)
    assert complaints == []
    assert {url.rpartition("/")[2] for url in fetched} >= {"kysely.css", "Inter-Regular.woff2", "Inter-SemiBold.woff2"}
