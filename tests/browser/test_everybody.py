"""Every type of question for everybody: without a script, by Tab, with wide text, in the system's own colours."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from random import Random

import pytest
from playwright.sync_api import Page
from werkzeug.serving import make_server

from kysely import loading
from kysely import store as stores
from kysely.codebook import Answer
from kysely.config import Settings
from kysely.instrument import Instrument
from kysely.web import create_app
from tests.browser._steps import onward
from tests.browser.conftest import Quiet
from tests.kysely import every_type

SPACING = "* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important }"
"""The wide text of WCAG 2.2, 1.4.12."""


@dataclass
class Site:
    """A site that asks every type, and what it has stored. All respondents are born with the same seed."""

    url: str
    instrument: Instrument
    store: stores.Store

    def start(self, page: Page, language: str = "fi") -> None:
        page.goto(f"{self.url}/{language}/{every_type.STUDY}/")
        onward(page)

    def screens(self, page: Page, chance: Random) -> Iterator[str]:
        """Yield each screen as it is come to, and answer it afterwards as a robot would."""
        while (here := place(page)) != "check-answers":
            yield here
            if place(page) == here:
                self.answer(page, here, chance)

    def answer(self, page: Page, here: str, chance: Random) -> None:
        id, _, stage = here.partition("/")
        answers = self.under_way()
        for question in self.instrument.page(id).questions:
            for name, values in question.fill(stage, answers, chance, seed=1).items():
                for value in [values] if isinstance(values, str) else values:
                    put(page, name, value)
        onward(page)
        if place(page) == here:  # left blank: asked once more
            with page.expect_navigation():
                page.locator("main form button[name=skip]").click()
        assert place(page) != here, f"{here} could not be answered"

    def under_way(self) -> Mapping[str, Answer]:
        """Return the answers of the response that isn't sent yet."""
        return next((state.answers for state in self._responses() if not state.submitted), {})

    def sent(self) -> list[dict[str, Answer]]:
        return [dict(state.answers) for state in self._responses() if state.submitted]

    def _responses(self) -> list[stores.ResponseState]:
        (wave,) = self.store.waves(every_type.STUDY)
        return list(self.store.responses(wave.id))


@pytest.fixture
def site(sqlite_settings: Settings, tmp_path) -> Iterator[Site]:
    every_type.write(tmp_path / "questionnaires")
    settings = replace(sqlite_settings, questionnaires=tmp_path / "questionnaires")
    store = stores.open(settings)
    app = create_app(settings, store, new_seed=lambda: 1)
    listening = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    instrument = loading.load(settings.questionnaires / every_type.STUDY)
    yield Site(f"http://127.0.0.1:{listening.port}", instrument, store)
    listening.shutdown()
    thread.join()
    listening.server_close()
    store.close()


def place(page: Page) -> str:
    return page.url.split(f"/{every_type.STUDY}/", 1)[1].partition("?")[0]


def put(page: Page, name: str, value: str) -> None:
    """Put *value* into the field *name*, whatever it looks like; works without a script."""
    if page.locator(f'main input:is([type=radio], [type=checkbox])[name="{name}"]').count():
        page.locator(f'main input[name="{name}"][value="{value}"]').check()
    elif page.locator(f'main select[name="{name}"]').count():
        page.select_option(f'main select[name="{name}"]', value)
    elif page.locator(f'main :is(input, textarea)[name="{name}"]').is_visible():
        page.fill(f'main :is(input, textarea)[name="{name}"]', value)


def test_three_languages_with_and_without_a_script_store_the_same_answers(site, open_browser):
    for language, script in (("fi", True), ("fi", False), ("sv", False), ("en", False)):
        page = open_browser(java_script_enabled=script, locale=language).new_page()
        site.start(page, language)
        for _ in site.screens(page, Random(42)):
            pass
        onward(page)
        assert place(page) == "thank-you"
    first, *others = site.sent()
    assert len(others) == 3 and len(first) > 30
    assert all(answers == first for answers in others)


def test_wide_text_at_400_per_cent_never_scrolls_sideways(site, open_browser):
    """1280 pixels at 400 % are 320."""
    context = open_browser(java_script_enabled=True, bypass_csp=True, viewport={"width": 320, "height": 256})
    page, wide = context.new_page(), []
    site.start(page)
    for here in site.screens(page, Random(7)):
        with page.expect_navigation():
            page.locator("main form button").first.click()  # with the errors of an empty page
        page.add_style_tag(content=SPACING)
        if page.evaluate("document.documentElement.scrollWidth") > 320:
            wide.append(here)
    assert wide == []


STOP = """() => {
  const element = document.activeElement, box = element.getBoundingClientRect(), option = element.closest('.option');
  const outlined = [element, ...(option ? [option] : [])].map(each => getComputedStyle(each)).some(
    style => style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0);
  return {
    name: element.name || element.textContent.trim(), inside: !!element.closest('main form'),
    over: element === document.body, outlined, top: box.top + window.scrollY,
    unseen: box.bottom < 0 || box.top > window.innerHeight,
  };
}"""


def test_the_tab_key_reaches_every_field_in_the_order_seen_with_the_focus_shown(site, open_browser):
    page, faults = open_browser(java_script_enabled=True).new_page(), []
    site.start(page)
    for here in site.screens(page, Random(3)):
        fields = page.locator("main form :is(input, select, textarea, button):visible").all()
        wanted = {field.get_attribute("name") or field.inner_text().strip() for field in fields}
        reached, last = set(), -1.0
        for _ in range(200):
            page.keyboard.press("Tab")
            stop = page.evaluate(STOP)
            if stop["over"]:
                break
            reached.add(stop["name"])
            if not stop["outlined"]:
                faults.append(f"{here}: no focus is to be seen on {stop['name']}")
            if stop["unseen"]:
                faults.append(f"{here}: {stop['name']} has the focus out of sight")
            if stop["inside"]:
                if stop["top"] < last - 60:  # beside one another is no way back
                    faults.append(f"{here}: {stop['name']} comes after what stands below it")
                last = stop["top"]
        faults += [f"{here}: {name} can't be reached" for name in sorted(wanted - reached)]
    assert faults == []


def test_a_choice_can_be_seen_where_the_system_sets_the_colours(site, open_browser):
    context = open_browser(java_script_enabled=True, forced_colors="active", color_scheme="dark")
    page, seen, unseen = context.new_page(), 0, []
    site.start(page)
    for here in site.screens(page, Random(5)):
        boxes = page.locator("main input:is([type=radio], [type=checkbox]):visible")
        if boxes.count():
            option = boxes.first.locator("xpath=..")
            before = option.screenshot()
            boxes.first.check()
            seen += 1
            if option.screenshot() == before:
                unseen.append(here)
            page.reload()
    assert seen > 5 and unseen == []
