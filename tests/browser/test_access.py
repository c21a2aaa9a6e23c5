"""The pages of those who work with a study, in a real browser: accessible, usable without a script and by keyboard."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pyotp
import pytest
from playwright.sync_api import Page, expect

from kysely.access import Role
from tests.browser.test_accessibility import Inspector
from tests.kysely.web._account import PASSWORD, access_of, make_account

LANGUAGES = [("fi", "light"), ("sv", "dark"), ("en", "light")]


@pytest.fixture
def maija(answers):
    return make_account(answers, "maija", Role.RESEARCHER)


def log_in(page: Page, url: str, language: str = "fi") -> None:
    page.goto(f"{url}/{language}/log-in")
    page.fill("[name=name]", "maija")
    page.fill("[name=password]", PASSWORD)
    page.click("main button")


def secret_of(page: Page) -> str:
    return page.locator(".code bdi").inner_text().replace(" ", "")


@pytest.mark.parametrize(("language", "scheme"), LANGUAGES)
def test_every_page_about_accounts_is_accessible(server, open_browser, answers, maija, language, scheme):
    page = open_browser(java_script_enabled=True, locale=language, color_scheme=scheme).new_page()
    inspector = Inspector(page)
    page.goto(f"{server.url}/{language}/log-in")
    inspector.look("log in")
    page.fill("[name=name]", "maija")
    page.click("main button")
    inspector.look("log in, wrong")
    page.goto(f"{server.url}/{language}/set-password")
    inspector.look("set password")
    page.click("main button")
    inspector.look("set password, wrong")
    log_in(page, server.url, language)
    page.goto(f"{server.url}/{language}/my-account")
    inspector.look("account")
    page.goto(f"{server.url}/{language}/my-account/password")
    inspector.look("password")
    page.fill("[name=password]", "x")
    page.click("main button")
    inspector.look("password, wrong")
    page.goto(f"{server.url}/{language}/my-account/one-time-codes")
    inspector.look("codes, not in use")
    page.fill("[name=current]", PASSWORD)
    page.click("main button")
    inspector.look("codes, picture")
    secret = secret_of(page)
    page.fill("[name=code]", "000000")
    page.click("main button")
    inspector.look("codes, wrong")
    page.fill("[name=code]", pyotp.TOTP(secret).now())
    page.click("main button")
    inspector.look("recovery codes")
    page.goto(f"{server.url}/{language}/my-account/one-time-codes")
    inspector.look("codes, in use")
    other = page.context.browser.new_context(java_script_enabled=True, locale=language)
    half = other.new_page()
    log_in(half, server.url, language)
    seen = Inspector(half)
    seen.look("one-time code")
    half.click("main button")
    seen.look("one-time code, wrong")
    other.close()
    page.goto(f"{server.url}/{language}/my-account")
    inspector.look("account with codes")
    access_of(answers).accounts.set_roles(maija, [Role.ADMINISTRATOR], by="t", now=datetime.now(UTC))
    page.goto(f"{server.url}/{language}/charts/")
    inspector.look("no access")
    assert inspector.found + seen.found == []


def test_a_password_manager_knows_the_fields_and_may_paste(server, open_browser, maija):
    """WCAG 2.2, 3.3.8: nothing must be remembered or copied by hand."""
    page = open_browser(java_script_enabled=True, permissions=["clipboard-read", "clipboard-write"]).new_page()
    page.goto(f"{server.url}/fi/log-in")
    assert page.get_attribute("[name=name]", "autocomplete") == "username"
    assert page.get_attribute("[name=password]", "autocomplete") == "current-password"
    page.fill("[name=name]", PASSWORD)
    page.press("[name=name]", "Control+A")
    page.press("[name=name]", "Control+X")
    page.focus("[name=password]")
    page.keyboard.press("Control+V")
    page.fill("[name=name]", "maija")
    page.click("main button")
    page.wait_for_url("**/fi/charts/")
    page.goto(f"{server.url}/fi/my-account/password")
    for name, fills in (("current", "current-password"), ("password", "new-password"), ("again", "new-password")):
        assert page.get_attribute(f"[name={name}]", "autocomplete") == fills
    log_in_code = open_browser().new_page()
    log_in_code.goto(f"{server.url}/fi/set-password")
    assert log_in_code.get_attribute("[name=code]", "autocomplete") == "off"


def test_by_keyboard_alone_and_without_a_script_one_comes_in_and_out(server, page, maija):
    page.goto(f"{server.url}/fi/charts/")
    page.focus("[name=name]")
    page.keyboard.type("maija")
    page.keyboard.press("Tab")
    page.keyboard.type("väärä salasana")
    page.keyboard.press("Enter")
    expect(page).to_have_title(re.compile("^Virhe: "))
    expect(page.locator(".alert")).to_be_focused()
    assert page.input_value("[name=name]") == "maija" and page.input_value("[name=password]") == ""
    page.focus("[name=password]")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/fi/charts/")
    page.get_by_role("link", name="Oma tunnus").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Kirjaudu ulos").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/fi/log-in")
    page.goto(f"{server.url}/fi/my-account")
    expect(page).to_have_url(re.compile(r"/fi/log-in\?next=/fi/my-account$"))


def test_at_320_pixels_nothing_is_cut_off(server, open_browser, maija):
    page = open_browser(viewport={"width": 320, "height": 640}).new_page()
    places = []
    page.goto(f"{server.url}/fi/log-in")
    log_in(page, server.url)
    for place in ("my-account", "my-account/password", "my-account/one-time-codes"):
        page.goto(f"{server.url}/fi/{place}")
        places.append(page.evaluate("document.documentElement.scrollWidth"))
    page.fill("[name=current]", PASSWORD)
    page.click("main button")
    places.append(page.evaluate("document.documentElement.scrollWidth"))
    page.fill("[name=code]", pyotp.TOTP(secret_of(page)).now())
    page.click("main button")
    places.append(page.evaluate("document.documentElement.scrollWidth"))
    assert max(places) <= 320
