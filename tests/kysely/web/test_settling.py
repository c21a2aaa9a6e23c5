"""A page that settles what was answered before it: from then on earlier answers can be read and not changed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kysely import loading
from kysely import store as stores
from kysely.web import create_app
from kysely.web.wording import wordings
from tests.kysely.web._visitor import Visitor, form, text

LANGUAGES = ("fi", "sv", "en")
SAY = wordings()["fi"]
ORCHARD = """
schema: questionnaire/1
id: orchard
revision: "1"
languages: {base: fi, required: [fi, sv, en]}
title: {fi: Hedelmätarha, sv: Fruktträdgård, en: Orchard}
privacy: {mode: confidential, min_group: 5}
pages:
  - id: trees
    title: {fi: Puut, sv: Träd, en: Trees}
    questions:
      - {id: kinds, type: text, text: {fi: Mitä puita?, sv: Vilka träd?, en: Which trees?}}
      - {id: many, type: number, text: {fi: Kuinka monta?, sv: Hur många?, en: How many?}, minimum: 1}
  - id: harvest
    title: {fi: Sato, sv: Skörd, en: Harvest}
    questions:
      - id: good
        type: single_choice
        text: {fi: Oliko sato hyvä?, sv: Var skörden god?, en: Was the harvest good?}
        options:
          - {code: YES, label: {fi: Kyllä, sv: Ja, en: "Yes"}}
          - {code: NO, label: {fi: Ei, sv: Nej, en: "No"}}
  - id: meaning
    settles: true
    title: {fi: Sanat, sv: Orden, en: Words}
    questions:
      - {id: harvest_is, type: text, text: {fi: Mitä sato on?, sv: Vad är skörd?, en: What is a harvest?}}
  - id: closing
    title: {fi: Lopuksi, sv: Till sist, en: To finish}
    questions:
      - {id: remark, type: text, required: no, text: {fi: Muuta?, sv: Annat?, en: Anything else?}}
"""


@pytest.fixture
def orchard(settings, tmp_path):
    """A function that opens the application with a questionnaire, over databases of either kind."""
    opened: list[stores.Store] = []

    def open_app(definition: str = ORCHARD):
        folder = tmp_path / "questionnaires" / "orchard"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "questionnaire.yaml").write_text(definition, encoding="utf8")
        opened.append(stores.open(settings))
        return create_app(replace(settings, questionnaires=folder.parent), opened[-1])

    open_app.opened = opened
    yield open_app
    for store in opened:
        store.close()


def answers(orchard):
    store = orchard.opened[-1]
    (state,) = store.responses(store.wave("orchard", "main", "real").id)
    return state.answers


def at_harvest(app, language="fi") -> Visitor:
    visitor = Visitor(app, language, "orchard")
    visitor.start()
    visitor.send(kinds="Omena", many="12")
    assert visitor.place == "harvest"
    return visitor


def at_meaning(app, language="fi") -> Visitor:
    visitor = at_harvest(app, language)
    visitor.send(good="YES")
    assert visitor.place == "meaning"
    return visitor


def at_review(app) -> Visitor:
    visitor = at_meaning(app)
    visitor.send(harvest_is="Mitä puista saadaan")
    visitor.send(remark="Ei muuta")
    assert visitor.place == "check-answers"
    return visitor


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_before_says_that_going_on_settles_the_answers(orchard, language):
    app, sentence = orchard(), wordings()[language]["settles_next"]
    visitor = Visitor(app, language, "orchard")
    visitor.start()
    assert sentence not in text(visitor.page)
    visitor.send(kinds="Omena", many="12")
    assert sentence in text(visitor.page)
    visitor.send(good="YES")
    assert sentence not in text(visitor.page)


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_earlier_page_can_be_read_and_has_no_form(orchard, language):
    visitor = at_meaning(orchard(), language)
    say = wordings()[language]
    page = visitor.see("trees")
    assert visitor.place == "trees" and page.status_code == 200
    assert say["settled_text"] in text(page) and "Omena" in text(page) and "12" in text(page)
    assert form(page).action == ""
    assert f'href="/{language}/orchard/meaning"' in page.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_another_tab_sends_for_an_earlier_page_is_refused_and_shown(orchard, language):
    app = orchard()
    visitor = at_harvest(app, language)
    other_tab = visitor.see("trees")
    visitor.see("harvest")
    visitor.send(good="NO")
    visitor.page = other_tab
    page = visitor.post(kinds="Päärynä", many="7")
    say = wordings()[language]
    assert page.status_code == 409
    assert say["settled_title"] in text(page) and say["settled_lost"] in text(page)
    assert form(page).typed == {"kinds": ["Päärynä"], "many": ["7"]} and form(page).action == ""
    assert answers(orchard)["kinds"] == "Omena"


@pytest.mark.parametrize("button", [("go", "back"), ("go", "later"), ("language", "sv")])
def test_no_button_of_another_tab_takes_what_is_typed_there(orchard, button):
    visitor = at_harvest(orchard())
    other_tab = visitor.see("trees")
    visitor.see("harvest")
    visitor.send(good="NO")
    visitor.page = other_tab
    page = visitor.post(button, kinds="Päärynä", many="7")
    assert page.status_code == 409 and form(page).typed == {"kinds": ["Päärynä"], "many": ["7"]}
    assert answers(orchard)["kinds"] == "Omena"


def test_a_tab_that_lost_its_cookie_meets_the_same_refusal(orchard):
    app = orchard()
    visitor = at_harvest(app)
    other_tab = visitor.see("trees")
    visitor.see("harvest")
    visitor.send(good="NO")
    fields = {**dict(form(other_tab).hidden), "kinds": "Päärynä", "many": "7"}
    page = app.test_client().post("/fi/orchard/trees", data=fields)
    assert page.status_code == 409 and SAY["settled_lost"] in text(page)
    assert form(page).typed == {"kinds": ["Päärynä"], "many": ["7"]}
    assert answers(orchard)["kinds"] == "Omena"


def test_a_second_click_on_the_last_page_before_leads_on(orchard):
    visitor = at_harvest(orchard())
    before = visitor.page
    visitor.send(good="YES")
    for _ in range(2):
        visitor.page = before
        visitor.send(good="YES")
        assert visitor.place == "meaning"
    visitor.page = before
    assert visitor.post(good="NO").status_code == 409
    assert answers(orchard)["good"] == "YES"


@pytest.mark.parametrize("typed", [{"good": ""}, {}])
def test_a_second_click_that_leaves_the_page_blank_on_purpose_leads_on_too(orchard, typed):
    visitor = at_harvest(orchard())
    visitor.send(**typed)
    asked_once_more = visitor.page
    visitor.send(("skip", "1"), **typed)
    assert visitor.place == "meaning"
    visitor.page = asked_once_more
    visitor.send(("skip", "1"), **typed)
    assert visitor.place == "meaning"


def test_going_back_from_the_page_before_settles_nothing_and_keeps_what_was_typed(orchard):
    visitor = at_harvest(orchard())
    visitor.send(("go", "back"), good="YES")
    assert visitor.place == "trees" and form(visitor.page).typed == {"kinds": ["Omena"], "many": ["12"]}
    visitor.send(kinds="Omena ja päärynä", many="12")
    assert visitor.place == "harvest" and form(visitor.page).typed == {"good": ["YES"]}
    assert answers(orchard)["kinds"] == "Omena ja päärynä" and "good" not in answers(orchard)
    visitor.send(good="YES")
    assert visitor.place == "meaning"


def test_where_nothing_typed_is_kept_going_back_says_what_it_would_settle(orchard):
    visitor = at_harvest(orchard(ORCHARD.replace("mode: confidential", "mode: anonymous")))
    page = visitor.send(("go", "back"), good="YES")
    assert page.status_code == 422 and SAY["back_settles"] in text(page)
    assert form(page).typed == {"good": ["YES"]} and 'href="/fi/orchard/trees"' in page.text
    visitor.see("trees")
    visitor.send(kinds="Päärynä", many="12")
    assert visitor.place == "harvest"


def test_the_way_back_from_a_settling_page_leads_to_what_was_answered(orchard):
    visitor = at_meaning(orchard())
    visitor.send(("go", "back"), harvest_is="Mitä puista saadaan")
    assert visitor.place == "harvest" and SAY["settled_text"] in text(visitor.page)
    visitor.see("meaning")
    assert form(visitor.page).typed == {"harvest_is": ["Mitä puista saadaan"]}


@pytest.mark.parametrize("sent", [False, True])
def test_the_review_offers_to_change_only_what_may_be_changed(orchard, sent):
    visitor = at_review(orchard())
    assert SAY["review_text_some"] in text(visitor.page)
    if sent:
        visitor.send()
        assert SAY["thanks_change_some"] in text(visitor.page)
        visitor.see("change-my-answers")
        assert SAY["thanks_change_some"] in text(visitor.page)
        visitor.send()
    page = visitor.page
    assert visitor.place == "check-answers" and (SAY["settled_review"] in text(page)) is sent
    assert "Omena" in text(page)
    for place, changeable in (("trees", False), ("harvest", False), ("meaning", True), ("closing", True)):
        assert (f"/fi/orchard/{place}?edit" in page.text) is changeable
    visitor.see("trees?edit")
    assert SAY["settled_text"] in text(visitor.page) and 'href="/fi/orchard/check-answers"' in visitor.page.text
    visitor.see("meaning?edit")
    visitor.send(harvest_is="Omenat")
    assert visitor.place == "check-answers" and answers(orchard)["harvest_is"] == "Omenat"


def test_what_was_typed_and_never_saved_is_still_shown(orchard):
    visitor = at_harvest(orchard())
    visitor.see("trees")
    visitor.send(kinds="Päärynä", many="paljon")  # no number, so it is not saved
    visitor.see("harvest")
    visitor.send(good="YES")
    page = visitor.see("trees")
    assert page.status_code == 409 and SAY["settled_lost"] in text(page)
    assert form(page).typed == {"kinds": ["Päärynä"], "many": ["paljon"]} and form(page).action == ""
    assert answers(orchard)["many"] == 12


def test_what_another_browser_typed_is_a_link_away(orchard):
    app = orchard()
    visitor = at_harvest(app)
    visitor.see("continue-later")
    visitor.send()
    (code,) = [line.split("<")[0] for line in visitor.page.text.split(">") if line.count("-") == 8 and "\n" not in line]
    other = Visitor(app, "fi", "orchard")
    other.see("continue-with-a-code")
    other.send(code=code)
    other.see("trees")
    other.send(kinds="Kriikuna", many="monta")
    visitor.see("harvest")
    visitor.send(good="YES")
    page = visitor.see("trees")
    assert SAY["settled_text"] in text(page) and "Omena" in text(page) and "Kriikuna" not in text(page)
    assert SAY["typed_elsewhere"] in text(page)
    assert form(visitor.see("trees?typed")).typed["kinds"] == ["Kriikuna"]


CONDITIONAL = ORCHARD.replace(
    "  - id: meaning\n",
    """  - id: why
    show_if: "good == 'NO'"
    title: {fi: Miksi, sv: Varför, en: Why}
    questions:
      - {id: reason, type: text, text: {fi: Miksi ei?, sv: Varför inte?, en: Why not?}}
  - id: word
    title: {fi: Ohje, sv: Anvisning, en: Note}
    questions:
      - {id: pause, type: info, text: {fi: Vielä hetki., sv: Ett ögonblick till., en: A moment more.}}
  - id: meaning
""",
)


@pytest.mark.parametrize(("good", "between"), [("NO", ["why"]), ("YES", [])])
def test_every_page_from_which_one_may_come_to_it_says_so(orchard, good, between):
    visitor = at_harvest(orchard(CONDITIONAL))
    typed = {"harvest": {"good": good}, "why": {"reason": "Halla"}, "word": {}}
    told = []
    for place in ("harvest", *between, "word"):
        assert visitor.place == place
        if SAY["settles_next"] in text(visitor.page):
            told.append(place)
        visitor.send(**typed[place])
    assert visitor.place == "meaning" and told == ["harvest", *between]


def test_a_settling_page_that_is_passed_by_settles_nothing(orchard):
    passed = ORCHARD.replace("    settles: true\n", "    settles: true\n    show_if: \"good == 'NO'\"\n")
    visitor = at_harvest(orchard(passed))
    visitor.send(good="YES")
    assert visitor.place == "closing"
    visitor.see("trees")
    visitor.send(kinds="Päärynä", many="1")
    assert answers(orchard)["kinds"] == "Päärynä"


def test_how_answers_are_handled_tells_that_some_are_settled(orchard):
    visitor = Visitor(orchard(), "fi", "orchard")
    assert SAY["changed_settled"] in text(visitor.see("how-answers-are-handled"))


def test_a_definition_without_the_key_has_the_hash_it_had(tmp_path):
    def load(definition):
        (tmp_path / "questionnaire.yaml").write_text(definition, encoding="utf8")
        return loading.load(tmp_path)

    plain, settling = load(ORCHARD.replace("    settles: true\n", "")), load(ORCHARD)
    assert "settles" not in plain.canonical and settling.hash != plain.hash
    assert loading.from_canonical(settling.canonical).settling == {"meaning"}
