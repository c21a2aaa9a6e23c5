"""The way of a respondent through the study, page by page."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from kysely.codebook import Missing
from kysely.web import create_app
from tests.kysely.web._visitor import ANSWERS, STUDY, Visitor, form, text


def response_of(app, store):
    """Return the only response of the study."""
    wave = store.wave(STUDY, "core2015", "real")
    (state,) = store.responses(wave.id)
    return state


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
def test_a_respondent_answers_in_any_language_and_the_codes_are_the_same(app, store, language):
    visitor = Visitor(app, language)
    visitor.start()
    visitor.answer()
    assert visitor.place == "check-answers"
    assert visitor.send().status_code == 200
    assert visitor.place == "thank-you"
    state = response_of(app, store)
    assert state.submitted
    assert state.language == language
    expected = {
        "BG10": "COMP",
        "BG12": "P10_19",
        "BG14": "C",
        "BG16_B2B": 1,
        "BG16_B2C": 0,
        "BG01": "TOP",
        "BG07": "UNIT",
        "BG08": "Myynti",
        "OM_B01_CUST": 1,
        "OM_B01_PROD": 0,
        "OM_B02_CUST": 3,
        "OM_B02_PUB": 1,
        "OM_B02_PROD": 0,
        "OM_variant": "choose_then_rate",
    }
    assert {name: state.answers[name] for name in expected} == expected
    assert store.organisation_typed(state.id).name == "Esimerkki Oy"


def test_the_introduction_says_who_asks_why_how_long_and_how_answers_are_handled(visitor):
    page = text(visitor.see())
    for sentence in ("Miksi kysymme", "Kuka kysyy", "Noin 3 minuuttia", "luottamuksellisia, mutta eivät nimettömiä"):
        assert sentence in page
    assert 'hreflang="sv"' in page and 'hreflang="en"' in page


def test_a_demonstration_says_so_on_every_page(site):
    visitor = Visitor(site)
    pages = [visitor.see(), visitor.start()]
    while visitor.place != "check-answers":
        pages.append(visitor.send(**ANSWERS[visitor.place]))
    pages += [visitor.send(), visitor.client.get("/"), visitor.client.get("/log-in"), visitor.client.get("/nowhere")]
    assert all("Tämä on esittely." in text(page) or "This is a demonstration." in text(page) for page in pages)


def test_a_page_may_be_left_unanswered_after_being_asked_once_more(app, store):
    visitor = Visitor(app)
    visitor.start()
    refused = visitor.send(BG10="COMP")
    assert refused.status_code == 422
    assert "2 kohtaa on vastaamatta" in text(refused)
    assert form(refused).title.startswith("Virhe:")
    assert form(refused).typed == {"BG10": ["COMP"]}
    visitor.send(("skip", "1"), BG10="COMP")
    assert visitor.place == "activity"
    assert response_of(app, store).answers["BG12"] is Missing.NO_ANSWER


def test_a_wrong_answer_is_named_at_its_field_and_everything_typed_is_kept(visitor):
    visitor.start()
    refused = visitor.send(
        organisation_name="Näin & noin <Oy>", organisation_business_id="123", BG10="COMP", BG12="P5_9"
    )
    assert refused.status_code == 422
    assert 'href="#f-organisation_business_id"' in refused.text
    assert 'aria-invalid="true"' in refused.text
    assert form(refused).typed == {
        "organisation_name": ["Näin & noin <Oy>"],
        "organisation_business_id": ["123"],
        "BG10": ["COMP"],
        "BG12": ["P5_9"],
    }


def test_the_progress_counts_pages_and_stages_are_turns_of_one_page(visitor):
    visitor.start()
    assert "Sivu 1/5" in text(visitor.page)
    visitor.answer(until="modes/choose")
    assert "Sivu 5/5" in text(visitor.page)
    visitor.answer(until="modes/rate")
    assert "Sivu 5/5" in text(visitor.page)


def test_choosing_none_of_the_modes_leaves_nothing_to_rate(visitor):
    visitor.start()
    visitor.answer(until="modes/choose")
    visitor.send(OM_B01="NONE")
    assert visitor.place == "check-answers"


def test_back_saves_what_was_answered_and_an_empty_page_records_nothing(app, store):
    visitor = Visitor(app)
    visitor.start()
    visitor.answer(until="respondent")
    visitor.send(("go", "back"))
    assert visitor.place == "activity"
    assert "BG01" not in response_of(app, store).answers
    visitor.see("respondent")
    visitor.send(("go", "back"), BG01="MID")
    assert visitor.place == "activity"
    assert response_of(app, store).answers["BG01"] == "MID"


def test_an_answer_taken_back_is_gone_also_when_the_page_is_left_backwards(app, store):
    visitor = Visitor(app)
    visitor.start()
    visitor.answer(until="respondent")
    visitor.see("activity")
    visitor.send(("go", "back"))
    assert visitor.place == "organisation"
    assert response_of(app, store).answers["BG14"] is Missing.NO_ANSWER
    visitor.send(("go", "back"))
    assert store.organisation_typed(response_of(app, store).id) is None


def test_a_later_page_cannot_be_opened_before_its_turn(visitor):
    visitor.start()
    visitor.see("modes/choose")
    assert visitor.place == "organisation"
    visitor.see("check-answers")
    assert visitor.place == "organisation"
    visitor.see("thank-you")
    assert visitor.place == "organisation"


def test_the_review_shows_every_answer_and_a_change_comes_back_to_it(app, store):
    visitor = Visitor(app, "sv")
    visitor.start()
    visitor.answer()
    review = text(visitor.page)
    for answer in (
        "Esimerkki Oy",
        "Privat företag",
        "Företag",
        "Min egen enhet: Myynti",
        "Kundserviceorienterat: Centralt",
    ):
        assert answer in review
    visitor.see("activity?edit")
    visitor.send(BG14="G", BG15="R02", BG16=["B2C"])
    assert visitor.place == "check-answers"
    assert response_of(app, store).answers["BG14"] == "G"


def test_a_change_that_opens_a_gap_leads_to_the_gap_and_not_past_it(visitor):
    visitor.start()
    visitor.answer()
    visitor.see("modes/choose?edit")
    visitor.send(OM_B01=["CUST", "DEV"])
    assert visitor.place == "modes/rate"
    assert form(visitor.page).typed == {"OM_B02_CUST": ["CENTRAL"]}


def test_changing_the_language_keeps_what_was_typed_and_saves_nothing(app, store):
    visitor = Visitor(app)
    visitor.start()
    before = response_of(app, store)
    fields = dict(form(visitor.page).hidden, organisation_name="Åkeri Ab", BG10="PUBC", language="sv")
    page = visitor.client.post(f"/sv/{STUDY}/organisation", data=fields, follow_redirects=True)
    assert (page.status_code, page.request.path) == (200, f"/sv/{STUDY}/organisation")
    assert form(page).language == "sv"
    assert form(page).typed == {"organisation_name": ["Åkeri Ab"], "BG10": ["PUBC"]}
    assert "Vilken organisation företräder du?" in text(page)
    assert "Svaren på den här sidan har inte sparats ännu" in text(page)
    assert response_of(app, store) == replace(before, drafts=1)
    visitor.page = page
    visitor.send(organisation_name="Åkeri Ab", BG10="PUBC", BG12="P0_4")
    assert visitor.address == f"/sv/{STUDY}/activity"


def test_the_order_of_the_modes_is_the_respondents_own_and_survives_reload_and_language(app, store):
    visitor = Visitor(app)
    visitor.start()
    visitor.answer(until="modes/choose")

    def order(page):
        return re.findall(r'name="OM_B01" value="(\w+)"', page.text)

    shown = order(visitor.page)
    assert order(visitor.see("modes/choose")) == shown
    visitor.language = "sv"
    assert order(visitor.see("modes/choose")) == shown
    assert set(shown[:4]) == {"PROD", "DEV", "CUST", "PUB"} and shown[4:] == ["OTHER", "NONE", "DK"]
    visitor.send(**ANSWERS["modes/choose"])
    assert response_of(app, store).answers["OM_order"].split() == shown


def test_the_modes_are_shown_with_label_instruction_and_scale_and_nothing_else(site):
    """The 2015 study gave no definitions, so block B may not (operating_mode.md, section 1)."""
    visitor = Visitor(site, "en")
    visitor.start()
    visitor.answer(until="modes/choose")
    assert _words(visitor.page) == {
        "Ways of operating",
        "Which way or ways of operating describe your organisation at the moment?",
        "Think of your organisation’s operations as a whole. You may choose several options. "
        "Answer by what the words mean to you.",
        "Production-oriented",
        "Product- or service-development-oriented",
        "Customer-service-oriented",
        "Public-administration mode",
        "Something else, what?",
        "None of these",
        "Cannot say",
    }
    visitor.answer(until="modes/rate")
    assert _words(visitor.page) == {
        "Ways of operating",
        "How central is each of the ways you chose?",
        "Customer-service-oriented",
        "Public-administration mode",
        "To some degree",
        "Clearly",
        "Central to us",
    }


def _words(page) -> set[str]:
    """Return the texts of the page's heading and fieldsets."""
    heading = re.search(r"<h1>(.*?)</h1>", page.text, re.DOTALL)[1]
    (questions,) = re.findall(r'<fieldset class="question.*</fieldset>', page.text, re.DOTALL)
    texts = re.split(r"<[^>]+>", f"{heading}<br>{questions}")
    return {" ".join(re.sub("&#39;", "'", piece).split()) for piece in texts if piece.strip()}


def test_a_double_click_on_start_begins_one_response(app, store):
    visitor = Visitor(app)
    visitor.see()
    passport = visitor.client.get_cookie(f"kysely_{STUDY}").value
    hidden = form(visitor.page).hidden
    for _ in range(2):
        visitor.client.set_cookie(f"kysely_{STUDY}", passport)
        assert visitor.client.post(f"/fi/{STUDY}/", data=dict(hidden)).status_code == 303
    response_of(app, store)
    assert visitor.see("organisation").status_code == 200
    assert visitor.send(**ANSWERS["organisation"]).status_code == 200


def test_start_pressed_again_before_the_first_page_has_come_leads_there(app, store):
    visitor = Visitor(app)
    visitor.see()
    assert visitor.post().status_code == 303  # with the cookie of the response that it began
    again = visitor.post()
    assert (again.status_code, again.headers["Location"]) == (303, f"/fi/{STUDY}/organisation")
    response_of(app, store)
    visitor.see("organisation")
    assert visitor.send(**ANSWERS["organisation"]).status_code == 200
    assert visitor.place == "activity"


def test_a_response_under_way_is_continued_or_left_for_a_new_one(app, store):
    visitor = Visitor(app)
    visitor.start()
    visitor.answer(until="respondent")
    page = text(visitor.see())
    assert "Jatka vastaamista" in page and f"/fi/{STUDY}/respondent" in page
    visitor.send()
    assert visitor.place == "organisation"
    wave = store.wave(STUDY, "core2015", "real")
    assert len(list(store.responses(wave.id))) == 2


def test_after_sending_the_answers_every_page_leads_to_the_thanks(visitor):
    visitor.start()
    visitor.answer()
    visitor.send()
    for place in ("organisation", "modes/rate", "check-answers"):
        visitor.see(place)
        assert visitor.place == "thank-you"
    assert "Tästä selaimesta on jo lähetetty vastaus" in text(visitor.see())


def test_robots_answers_are_marked_on_every_page(sqlite_settings, embedded):
    from datetime import UTC, datetime

    from kysely import loading

    instrument = loading.load(sqlite_settings.questionnaires / STUDY)
    embedded.open_wave(instrument, name="trial", origin="simulated", note={"seed": 1}, now=datetime.now(UTC))
    visitor = Visitor(create_app(sqlite_settings, embedded, origin="simulated"))
    assert "Tämä on koekäyttö." in text(visitor.start())
    wave = embedded.wave(STUDY, "core2015", "simulated")
    assert [state.origin for state in embedded.responses(wave.id)] == ["simulated"]
