"""A respondent in Chromium, one step a screen."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page

STUDY = "operating_mode"


def onward(page: Page) -> None:
    """Press the button that leads on, the first of the form, and wait until the page that answers is whole."""
    with page.expect_navigation():
        page.locator("main form button").first.click()


def start(page: Page, url: str, language: str = "fi") -> None:
    page.goto(f"{url}/{language}/{STUDY}/")
    onward(page)


def organisation(page: Page) -> None:
    page.fill("#f-organisation_name", "Exempel Ab")
    page.fill("#f-organisation_municipality", "Ekenäs")
    page.select_option("#f-BG10", "COMP")
    page.check("[name=BG12][value=P50_99]")


def activity(page: Page) -> None:
    page.select_option("#f-BG14", "C")
    page.select_option("#f-BG15", "R01")
    page.check("[name=BG16][value=B2B]")


def respondent(page: Page) -> None:
    page.check("[name=BG01][value=TOP]")
    page.select_option("#f-BG02", "CEO")
    page.check("[name=BG04][value=YES]")
    page.check("[name=BG05][value=LEAD]")
    page.check("[name=BG06][value=Y3_5]")


def perspective(page: Page) -> None:
    page.check("[name=BG07][value=ORG]")
    page.check("[name=BG19][value=YES]")


def choose(page: Page) -> None:
    page.check("[name=OM_B01][value=CUST]")
    page.check("[name=OM_B01][value=DEV]")


def rate(page: Page) -> None:
    page.check("[name=OM_B02_CUST][value=CENTRAL]")
    page.check("[name=OM_B02_DEV][value=SOME]")


STEPS: tuple[tuple[str, Callable[[Page], None]], ...] = (
    ("organisation", organisation),
    ("activity", activity),
    ("respondent", respondent),
    ("perspective", perspective),
    ("modes/choose", choose),
    ("modes/rate", rate),
)


def answer_until(page: Page, place: str) -> None:
    """Answer screen after screen, up to *place*."""
    for name, step in STEPS:
        if name == place:
            break
        step(page)
        onward(page)
    assert page.url.endswith(place)
