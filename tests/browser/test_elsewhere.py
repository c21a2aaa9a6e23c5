"""A page of another site sends one of our forms, with the attacker's own valid ticket in it, from a real browser."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from html import escape

import pytest
from playwright.sync_api import Page, expect
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from tests.browser._site import Quiet
from tests.browser._steps import STUDY, answer_until, onward, organisation, start

ORGANISATION = f"/fi/{STUDY}/organisation"


@pytest.fixture(params=["localhost", "127.0.0.1"])
def trap(request) -> Iterator[Callable[[str, dict[str, str]], str]]:
    """Builds the page of another site, or of another port of ours, whose only button sends a form to us."""
    page = ""

    @Request.application
    def serve(_: Request) -> Response:
        return Response(page, mimetype="text/html")

    listening = make_server("127.0.0.1", 0, serve, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()

    def build(action: str, fields: dict[str, str]) -> str:
        nonlocal page
        inputs = "".join(f"<input type=hidden name={name} value='{escape(fields[name])}'>" for name in fields)
        page = f"<!doctype html><form method=post action='{action}'>{inputs}<button>A prize</button></form>"
        return f"http://{request.param}:{listening.port}/"

    yield build
    listening.shutdown()
    thread.join()
    listening.server_close()


@pytest.fixture
def ticket(server, open_browser) -> str:
    """A valid ticket for the first page of a response that the attacker has begun."""
    page = open_browser().new_page()
    start(page, server.url)
    return page.locator("[name=ticket]").get_attribute("value") or ""


@pytest.mark.parametrize("place", ["", "organisation"])
def test_a_click_on_another_site_neither_ends_nor_swaps_the_response_under_way(
    server, page: Page, answers, trap, ticket, place
):
    start(page, server.url)
    organisation(page)
    onward(page)
    cookies = page.context.cookies()
    address = f"{server.url}/fi/{STUDY}/{place}"
    page.goto(trap(address, {"ticket": ticket, "end": "1", "organisation_name": "Väärä Oy"}))
    page.get_by_role("button", name="A prize").click()
    page.wait_for_url(address)
    assert page.context.cookies() == cookies
    if place:
        expect(page.locator("#f-organisation_name")).to_have_value("Exempel Ab")
    page.goto(f"{server.url}{ORGANISATION}")
    answer_until(page, "check-answers")
    onward(page)
    page.wait_for_url("**/thank-you")
    assert states(answers) == [(False, False), (True, True)]


def test_a_click_on_another_site_gives_nobody_the_response_of_somebody_else(server, page: Page, answers, trap, ticket):
    page.goto(trap(f"{server.url}{ORGANISATION}", {"ticket": ticket, "end": "1", "organisation_name": "Väärä Oy"}))
    page.get_by_role("button", name="A prize").click()
    page.wait_for_url(f"{server.url}/fi/{STUDY}/")
    onward(page)
    page.wait_for_url(f"{server.url}{ORGANISATION}")
    expect(page.locator("#f-organisation_name")).to_have_value("")
    answer_until(page, "activity")
    assert states(answers) == [(False, False), (True, False)]


def states(answers) -> list[tuple[bool, bool]]:
    """Return of each response whether anything was saved in it, and whether it was sent."""
    found = answers.responses(answers.wave(STUDY, "core2015", "real").id)
    return sorted((state.revision > 0, state.submitted) for state in found)
