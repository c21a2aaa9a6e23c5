"""A real Chromium for all tests of a worker, and real servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from kysely import store as stores
from kysely.config import Settings
from kysely.web import create_app
from tests import chromium
from tests.browser._site import Site, asking, listening
from tests.browser._steps import STUDY
from tests.kysely import every_type

FLAGS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-sync",
    "--no-first-run",
    "--disable-gpu",
)

PHONE = {"width": 390, "height": 844}

expect.set_options(timeout=20_000)  # a machine that does other work too is slow, not wrong


def pytest_collection_modifyitems(items) -> None:
    for item in items:
        if item.path.parent.name == "browser":
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = chromium.find()
    if path is None:
        pytest.fail(chromium.CURE, pytrace=False)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_browser(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """A function that opens a new profile: own cookies, own size, JavaScript off unless asked for."""
    contexts = []

    def open_browser(**options) -> BrowserContext:
        options = {"viewport": PHONE, "java_script_enabled": False, "locale": "fi-FI", **options}
        contexts.append(browser.new_context(**options))
        return contexts[-1]

    yield open_browser
    for context in contexts:
        context.close()


@pytest.fixture
def page(open_browser) -> Page:
    return open_browser().new_page()


@dataclass
class Server:
    """The application on a free port; `app` may be exchanged, as a restart does."""

    app: Flask
    url: str = ""

    def __call__(self, environ, start_response):
        return self.app(environ, start_response)


@pytest.fixture
def answers(sqlite_settings: Settings) -> Iterator[stores.Store]:
    opened = stores.open(sqlite_settings)
    yield opened
    opened.close()


@pytest.fixture
def server(sqlite_settings: Settings, answers: stores.Store) -> Iterator[Server]:
    server = Server(create_app(sqlite_settings, answers))
    with listening(server) as server.url:
        yield server


@pytest.fixture
def every_type_site(sqlite_settings: Settings, tmp_path) -> Iterator[Site]:
    with asking(sqlite_settings, every_type.write(tmp_path / "questionnaires")) as site:
        yield site


@pytest.fixture
def full_site(sqlite_settings: Settings) -> Iterator[Site]:
    with asking(sqlite_settings, sqlite_settings.questionnaires / STUDY, "full") as site:
        yield site


@pytest.fixture(params=["every_type", "full"])
def site(request) -> Site:
    """Every type of question, and then the full form of the study."""
    return request.getfixturevalue(f"{request.param}_site")
