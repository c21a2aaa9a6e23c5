"""A site that asks one questionnaire, and a respondent in Chromium who answers all of it as a robot would."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from playwright.sync_api import Page
from werkzeug.serving import WSGIRequestHandler, make_server

from kysely import loading, routing
from kysely import store as stores
from kysely.codebook import Answer
from kysely.config import Settings
from kysely.instrument import Instrument
from kysely.routing import Screen
from kysely.store import REAL
from kysely.web import create_app
from tests.browser._steps import onward


class Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:
        pass


@contextmanager
def listening(app) -> Iterator[str]:
    """Serve *app* on a free port until the block ends, and yield its address."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass
class Site:
    """A site that asks one questionnaire, and what it has stored. All respondents are born with the same seed."""

    url: str
    instrument: Instrument
    store: stores.Store

    def address(self, place: str = "", language: str = "fi") -> str:
        return f"{self.url}/{language}/{self.instrument.id}/{place}"

    def start(self, page: Page, language: str = "fi") -> None:
        page.goto(self.address(language=language))
        onward(page)

    def place(self, page: Page) -> str:
        """Return where in the study the browser is: a page's name, or check-answers."""
        return page.url.split(f"/{self.instrument.id}/", 1)[1].partition("?")[0]

    def screens(self, page: Page, seed: int, *, keys: bool = False) -> Iterator[str]:
        """Yield each screen as it is come to, and answer it afterwards, up to the review; with *keys* alone if so."""
        while (here := self.place(page)) != "check-answers":
            yield here
            if self.place(page) == here:
                self.answer(page, self.chosen(here, seed), keys=keys)

    def answer(self, page: Page, chosen: Mapping[str, list[str]], *, keys: bool = False) -> None:
        """Fill in the screen and leave it; what is left blank is asked once more, and skipped."""
        here = self.place(page)
        if keys:
            fill_by_keyboard(page, chosen)
        else:
            fill(page, chosen)
            onward(page)
        if self.place(page) == here:
            with page.expect_navigation():
                if keys:
                    tab_to(page, "main form button[name=skip]")
                    page.keyboard.press("Enter")
                else:
                    page.locator("main form button[name=skip]").click()
        assert self.place(page) != here, f"{here} could not be answered"

    def chosen(self, here: str, seed: int) -> dict[str, list[str]]:
        """Return what a robot would type and choose on the screen *here*, by field; the same at every call."""
        id, _, stage = here.partition("/")
        chance = Random(f"{seed}/{here}")
        answers = self.under_way()
        filled: dict[str, list[str]] = {}
        for question in routing.route(self.instrument, answers).questions[Screen(id, stage)]:
            for name, values in question.fill(stage, answers, chance, seed=1).items():
                filled[name] = [values] if isinstance(values, str) else list(values)
        return filled

    def under_way(self) -> Mapping[str, Answer]:
        """Return the answers of the response that isn't sent yet."""
        return next((state.answers for state in self.responses() if not state.submitted), {})

    def sent(self) -> list[dict[str, Answer]]:
        return [dict(state.answers) for state in self.responses() if state.submitted]

    def responses(self) -> list[stores.ResponseState]:
        (wave,) = (wave for wave in self.store.waves(self.instrument.id) if wave.state == stores.OPEN)
        return list(self.store.responses(wave.id))


@contextmanager
def asking(settings: Settings, questionnaire: Path, form: str | None = None) -> Iterator[Site]:
    """Serve the questionnaire in the folder *questionnaire* as a site of its own until the block ends."""
    settings = replace(settings, questionnaires=questionnaire.parent)
    store = stores.open(settings)
    instrument = loading.load(questionnaire, form)
    store.open_wave(instrument, name="spring", origin=REAL, now=datetime.now(UTC))
    with listening(create_app(settings, store, new_seed=lambda: 1)) as url:
        yield Site(url, instrument, store)
    store.close()


def fill(page: Page, chosen: Mapping[str, list[str]]) -> None:
    for name, values in chosen.items():
        for value in values:
            put(page, name, value)


def put(page: Page, name: str, value: str) -> None:
    """Put *value* into the field *name*, whatever it looks like; works without a script."""
    if page.locator(f'main input:is([type=radio], [type=checkbox])[name="{name}"]').count():
        page.locator(f'main input[name="{name}"][value="{value}"]').check()
    elif page.locator(f'main select[name="{name}"]').count():
        page.select_option(f'main select[name="{name}"]', value)
    elif page.locator(f'main :is(input, textarea)[name="{name}"]').is_visible():
        page.fill(f'main :is(input, textarea)[name="{name}"]', value)


STOP = """() => {
  const stop = document.activeElement, form = stop.closest('main form');
  const group = stop.type === 'radio' ? [...form.querySelectorAll(`[name="${stop.name}"]`)] : [...(stop.options || [])];
  return {
    name: stop.name || '', kind: stop.type || stop.tagName, value: stop.value, values: group.map(each => each.value),
    leaves: !!form && stop === form.querySelector('button'),
  };
}"""


def fill_by_keyboard(page: Page, chosen: Mapping[str, list[str]]) -> None:
    """Go from stop to stop by Tab, do at each what keys can do, and press Enter on the button that leads on."""
    for _ in range(300):
        page.keyboard.press("Tab")
        stop = page.evaluate(STOP)
        if stop["leaves"]:
            with page.expect_navigation():
                page.keyboard.press("Enter")
            return
        wanted = chosen.get(stop["name"], [])
        if stop["kind"] == "checkbox" and stop["value"] in wanted:
            page.keyboard.press("Space")
        elif stop["kind"] == "radio" and wanted:
            steps = stop["values"].index(wanted[0])
            for _ in range(steps):
                page.keyboard.press("ArrowDown")
            if not steps:
                page.keyboard.press("Space")
        elif stop["kind"] == "select-one" and wanted:
            for _ in range(stop["values"].index(wanted[0])):
                page.keyboard.press("ArrowDown")
        elif stop["kind"] in ("text", "textarea") and wanted:
            page.keyboard.type(wanted[0])
    raise AssertionError(f"Tab never comes to the button that leads on from {page.url}")


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until the focus is on the first of *selector*; no more often than a page has stops."""
    for _ in range(300):
        page.keyboard.press("Tab")
        if page.locator(selector).first.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"no Tab leads to {selector}")
