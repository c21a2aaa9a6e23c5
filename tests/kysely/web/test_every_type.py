"""Every type of question through the application: filled in by robots, attacked, and mended where a sum is wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from random import Random

import pytest
from werkzeug.datastructures import MultiDict

from kysely import loading, plugins, routing, simulate
from kysely.codebook import Missing
from kysely.store import SIMULATED
from kysely.web import create_app, screens
from tests.kysely import every_type
from tests.kysely.web._visitor import Visitor, form, text
from tests.kysely.web.test_hostile import PAYLOADS

NOW = datetime(2015, 4, 20, tzinfo=UTC)
PAGES = [f"p_{name}" for name in plugins.names("kysely.questions") if name != "weighted_choice"]
HOSTILE = ("x" * 60_000, "NOT\x00", "٣", "9" * 400, "-1", "1e309", "__class__", "\ud800", "__dont_know", *PAYLOADS[:3])


@pytest.fixture
def folder(tmp_path):
    every_type.write(tmp_path / "questionnaires")
    return tmp_path / "questionnaires"


@pytest.fixture
def instrument(folder):
    return loading.load(folder / every_type.STUDY)


class Guest(Visitor):
    """A respondent of the questionnaire that has every type."""

    def see(self, place: str = ""):
        self.address = f"/{self.language}/{every_type.STUDY}/{place}"
        return self._arrive(self.client.get(self.address))

    @property
    def place(self) -> str:
        return self.address.split(f"/{every_type.STUDY}/", 1)[1].partition("?")[0]


@pytest.fixture
def guest(settings, store, folder) -> Guest:
    guest = Guest(create_app(replace(settings, questionnaires=folder), store))
    guest.start()
    return guest


def walk(guest: Guest, instrument, until: str) -> None:
    """Answer page after page at random, as a robot does, up to *until*."""
    answers: dict = {}
    rng = Random(3)
    while guest.place != until:
        page, _, stage = guest.place.partition("/")
        typed: dict = {}
        for question in routing.route(instrument, answers).questions[routing.Screen(page, stage)]:
            hard = replace(question, required="hard")
            filled = hard.fill(stage, answers, rng, seed=0)
            typed |= filled
            given = question.parse(stage, MultiDict(filled), answers)
            answers |= {name: answer for name, answer in given.items() if name != "organisation"}
        assert guest.send(**typed).status_code == 200, (guest.place, text(guest.page))


def responses(store):
    return [state for wave in store.waves() for state in store.responses(wave.id)]


def test_robots_answer_every_type_in_three_languages_and_meet_every_question(
    sqlite_settings, embedded, folder, instrument
):
    embedded.open_wave(instrument, name="robots", origin=SIMULATED, now=NOW)
    clock = simulate.Clock()
    app = create_app(replace(sqlite_settings, questionnaires=folder), embedded, now=clock, origin=SIMULATED)
    robots = [simulate.anyone(number, instrument, 1, NOW) for number in range(12)]
    walks = list(simulate.interviews(app, instrument, robots, clock))
    assert [walk.fault for walk in walks if walk.fault] == []
    assert simulate.never_asked(instrument, walks) == ()


@pytest.mark.parametrize("page", PAGES)
def test_nothing_hostile_in_any_field_makes_a_page_fail_or_saves_half_of_it(guest, store, instrument, page):
    walk(guest, instrument, page)
    fields = [name for question in instrument.page(page).questions for name in question.fields("")]
    (before,) = responses(store) or [None]
    for trick in HOSTILE:
        sendable = trick.encode("utf-8", "replace").decode()
        typed = {name: sendable for name in fields}
        if len(typed) * len(sendable) > 200_000:
            typed = dict(list(typed.items())[:2])
        answer = guest.send(**typed)
        assert answer.status_code in (200, 413, 422), (page, trick[:20], answer.status_code)
        assert "<script>alert" not in answer.text and "onerror=alert" not in _attributes(answer.text)
        (after,) = responses(store) or [None]
        if answer.status_code != 200:
            assert (after and after.answers) == (before and before.answers)
        before = after
        guest.see(page)


def _attributes(html: str) -> str:
    from html.parser import HTMLParser

    found: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attrs):
            found.extend(f"{name}={value}" for name, value in attrs if name.startswith("on"))

    Reader().feed(html)
    return " ".join(found)


@pytest.mark.parametrize("page", ["p_grid", "p_pairs", "p_percent", "p_points", "p_ranking"])
def test_a_field_posted_twice_is_refused_and_nothing_is_saved(guest, store, instrument, page):
    walk(guest, instrument, page)
    name = next(name for question in instrument.page(page).questions for name in question.fields(""))
    revision = responses(store)[0].revision
    assert guest.send(**{name: ["1", "1"]}).status_code == 422
    assert responses(store)[0].revision == revision


@pytest.mark.parametrize(
    ("language", "left", "offer"),
    [
        ("fi", "Pisteistä 80/100 on jaettu. Jaa vielä 20.", "Muuta suhteessa niin, että summa on 100, ja jatka"),
        ("sv", "80 av 100 poäng är fördelade. 20 återstår.", "Räkna om till 100 i samma proportioner och fortsätt"),
        ("en", "80 of 100 points used, 20 left.", "Scale to 100 in the same proportions and continue"),
    ],
)
def test_a_wrong_sum_is_told_with_what_is_left_and_one_press_scales_it(guest, store, instrument, language, left, offer):
    walk(guest, instrument, "p_points")
    guest.language = language
    guest.see("p_points")
    guest.send(divided_PRODUCT="60", divided_PRICE="20")
    assert guest.page.status_code == 422 and left in text(guest.page) and offer in text(guest.page)
    buttons = form(guest.page).buttons
    assert buttons[0] == ("", "")  # the Enter key never scales
    assert ("divided__scale", "1") in buttons
    guest.send(("divided__scale", "1"), divided_PRODUCT="60", divided_PRICE="20")
    assert guest.place == "p_ranking"
    answers = responses(store)[0].answers
    assert [answers[f"divided_{code}"] for code in ("PRODUCT", "PRICE", "OTHER")] == [75, 25, 0]


def test_a_text_to_read_is_a_page_of_its_own_and_no_part_of_the_review(guest, instrument):
    walk(guest, instrument, "p_info")
    assert "Ajattele koko organisaatiota." in text(guest.page)
    walk(guest, instrument, "check-answers")
    assert "Seuraavaksi käytännöistä" not in text(guest.page)


def test_piped_words_are_escaped_wherever_they_are_shown(guest, store, instrument):
    walk(guest, instrument, "p_multiple_choice")
    payload = "<script>alert(1)</script>&{serves|x}"
    guest.send(serves=["OTH"], serves_other_text=payload)
    assert responses(store)[0].answers["serves_other_text"] == payload
    while guest.place != "after":
        page, _, stage = guest.place.partition("/")
        current = responses(store)[0].answers
        typed = {}
        for question in routing.route(instrument, current).questions[routing.Screen(page, stage)]:
            typed |= replace(question, required="hard").fill(stage, current, Random(1), seed=0)
        guest.send(**typed)
    assert "<script>alert" not in guest.page.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&amp;{serves|x}" in guest.page.text


def test_a_row_taken_off_by_another_browser_is_not_recorded(guest, store, instrument):
    walk(guest, instrument, "p_multiple_choice")
    guest.send(serves=["B2B", "CIT"])
    answers = {**responses(store)[0].answers, "serves_B2B": 1, "serves_CIT": 0}
    assert routing.effective(instrument, answers)["served_CIT"] is Missing.ROUTED_PAST


def test_an_interview_may_begin_with_a_text_to_read(settings, store, tmp_path):
    page = """  - id: p_words
    title: {fi: Ensin, sv: Först, en: First}
    questions:
      - {id: words, type: info, text: {fi: Tervetuloa, sv: Välkommen, en: Welcome}}
"""
    place = every_type.write(tmp_path / "questionnaires") / "questionnaire.yaml"
    place.write_text(place.read_text(encoding="utf-8").replace("pages:\n", f"pages:\n{page}", 1), encoding="utf-8")
    guest = Guest(create_app(replace(settings, questionnaires=place.parent.parent), store))
    guest.start()
    assert guest.place == "p_words" and "Tervetuloa" in text(guest.page)
    guest.send()
    assert guest.place == "p_date"


def test_words_from_answers_that_are_out_of_reach_are_the_authors_own(instrument):
    screen = routing.Screen("after")
    assert screens.Standing(instrument, {}, 0).page("after").title["en"] == "Once more: customers"
    served, *_ = screens.spoken_of(instrument, screen, MultiDict({"served_OTH": "NOT"}))
    assert [row.label["en"] for row in served.rows] == ["Companies", "Citizens", "Others"]
