"""The gallery and the page of a chart in a real browser: accessible, whole on a phone, and usable without a script."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from kysely.access import Role
from tests.browser.test_accessibility import SIZES, Inspector
from tests.kysely.web import _charts
from tests.kysely.web._account import PASSWORD, make_account

LANGUAGES = [("fi", "light"), ("sv", "dark"), ("en", "light")]


@pytest.fixture
def gallery(server, sqlite_settings, answers) -> str:
    """The address of a site with two charts and a report, of which a researcher may see all."""
    make_account(answers, "maija", Role.RESEARCHER)
    for language, _ in LANGUAGES:
        for id in ("OM_FIG01", "OM_FIG02"):
            manifest = _charts.leave(sqlite_settings.build, id, language=language, title=f"Title of {id}")
        (manifest.parent.parent.parent / f"report.{language}.html").write_text("<p>Report</p>")
    return server.url


def log_in(page: Page, url: str, language: str = "fi") -> None:
    page.goto(f"{url}/{language}/log-in")
    page.fill("[name=name]", "maija")
    page.fill("[name=password]", PASSWORD)
    page.click("main button")


@pytest.mark.parametrize(("language", "scheme"), LANGUAGES)
def test_every_page_of_the_gallery_is_accessible_and_whole(gallery, open_browser, language, scheme):
    page = open_browser(java_script_enabled=True, locale=language, color_scheme=scheme).new_page()
    inspector = Inspector(page)
    log_in(page, gallery, language)
    expect(page.locator("main li a")).to_have_count(2)
    for place in ("", "operating_mode/OM_FIG01", "operating_mode/OM_FIG01?width=narrow"):
        page.goto(f"{gallery}/{language}/charts/{place}")
        inspector.look(place or "gallery")
        for size in SIZES:
            page.set_viewport_size(size)
            assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert inspector.found == []


def test_without_a_script_one_finds_a_chart_chooses_its_width_and_takes_it_along(gallery, page, sqlite_settings):
    log_in(page, gallery)
    page.get_by_role("link", name="Title of OM_FIG02").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Title of OM_FIG02")
    picture = page.get_by_role("img", name="Pylväät")
    assert picture.evaluate("image => image.currentSrc").endswith("/OM_FIG02.narrow.svg")  # this is a phone
    page.get_by_role("link", name="Leveä, 720 px").click()
    assert picture.evaluate("image => [image.currentSrc.split('/').at(-1), image.naturalWidth]") == [
        "OM_FIG02.svg",
        720,
    ]
    with page.expect_download() as download:
        page.get_by_role("link", name="Kuva verkkosivulle tai esitykseen").click()
    assert download.value.suggested_filename == "OM_FIG02.png"
    png = sqlite_settings.build / "operating_mode" / "charts" / "fi" / "OM_FIG02.png"
    assert download.value.path().read_bytes() == png.read_bytes()
    page.get_by_role("navigation", name="Kuvion kieli").get_by_role("link", name="Svenska").click()
    expect(page).to_have_url(f"{gallery}/sv/charts/operating_mode/OM_FIG02?width=wide")


@pytest.mark.parametrize("label", ["Vaihtoehtoinen teksti", "Upotuskoodi"])
def test_what_is_pasted_can_be_selected_and_copied_by_keyboard_and_not_changed(gallery, open_browser, label):
    page = open_browser(permissions=["clipboard-read", "clipboard-write"]).new_page()
    log_in(page, gallery)
    page.goto(f"{gallery}/fi/charts/operating_mode/OM_FIG01")
    field = page.get_by_label(label, exact=True)
    shown = field.input_value()
    field.focus()
    page.keyboard.type("x")
    page.keyboard.press("Control+A")
    page.keyboard.press("Control+C")
    assert field.input_value() == shown != ""
    page.set_content("<textarea></textarea>")
    page.focus("textarea")
    page.keyboard.press("Control+V")
    assert page.input_value("textarea") == shown
