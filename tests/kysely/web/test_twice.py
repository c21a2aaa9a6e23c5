"""Double clicks, reloads, back buttons and second tabs do no harm."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from kysely.web.wording import wordings
from tests.kysely.web._visitor import ANSWERS, STUDY, Visitor, form, text
from tests.kysely.web.test_interview import response_of

COOKIE = f"kysely_{STUDY}"


def second_tab(visitor: Visitor) -> Visitor:
    """Return another tab of the same browser on the same page."""
    tab = Visitor(visitor.client.application, visitor.language)
    tab.client.set_cookie(COOKIE, visitor.client.get_cookie(COOKIE).value)
    tab.see(visitor.place)
    return tab


def test_a_form_sent_twice_is_saved_once(app, store):
    visitor = Visitor(app)
    visitor.start()
    first, second = visitor.post(**ANSWERS["organisation"]), visitor.post(**ANSWERS["organisation"])
    assert first.headers["Location"] == second.headers["Location"]
    assert response_of(app, store).revision == 1


def test_twenty_final_posts_at_once_give_one_response_and_twenty_receipts(app, store):
    visitor = Visitor(app)
    visitor.start()
    visitor.answer()
    fields, cookie = dict(form(visitor.page).hidden), visitor.client.get_cookie(COOKIE).value

    def press(_: int) -> tuple[int, str]:
        client = app.test_client()
        client.set_cookie(COOKIE, cookie)
        answer = client.post(f"/fi/{STUDY}/check-answers", data=fields)
        return answer.status_code, answer.headers["Location"]

    with ThreadPoolExecutor(8) as pool:
        receipts = list(pool.map(press, range(20)))
    assert set(receipts) == {(303, f"/fi/{STUDY}/thank-you")}
    state = response_of(app, store)
    assert state.submitted and state.revision == len(ANSWERS)


def test_a_change_after_the_browsers_back_button_is_saved(app, store):
    visitor = Visitor(app)
    visitor.start()
    kept = visitor.page
    visitor.send(**ANSWERS["organisation"])
    visitor.page = kept  # the browser shows the page as it was, with its old ticket
    visitor.send(**{**ANSWERS["organisation"], "BG12": "P1000"})
    assert visitor.place == "activity"
    assert response_of(app, store).answers["BG12"] == "P1000"


def test_two_tabs_with_the_same_answers_do_not_quarrel(app, store):
    visitor = Visitor(app)
    visitor.start()
    visitor.answer(until="respondent")
    other = second_tab(visitor)
    visitor.send(**ANSWERS["respondent"])
    other.send(**ANSWERS["respondent"])
    assert other.place == "perspective"


def test_two_tabs_with_different_answers_show_both_and_let_the_respondent_choose(app, store):
    for choice, stored in (("mine", "MID"), ("saved", "TOP")):
        visitor = Visitor(app)
        visitor.start()
        visitor.answer(until="respondent")
        other = second_tab(visitor)
        visitor.send(**ANSWERS["respondent"])
        page = other.send(**{**ANSWERS["respondent"], "BG01": "MID"})
        assert page.status_code == 409
        assert "Ylin johto" in text(page) and "Keskijohto" in text(page)
        assert "Toimitusjohtaja" not in text(page)  # what both say is no matter
        if choice == "mine":
            other.send()
        else:
            other.send(("go", "keep"))
        assert other.place == "perspective"
        answers = {state.answers["BG01"] for state in responses(store) if state.answers.get("BG01")}
        assert stored in answers


def test_tabs_that_name_different_organisations_are_told(app, store):
    visitor = Visitor(app, "sv")
    visitor.start()
    other = second_tab(visitor)
    visitor.send(**ANSWERS["organisation"])
    page = other.send(**{**ANSWERS["organisation"], "organisation_name": "Annan Ab"})
    assert page.status_code == 409
    assert "Esimerkki Oy" in text(page) and "Annan Ab" in text(page)
    other.send()
    assert store.organisation_typed(response_of(app, store).id).name == "Annan Ab"


def test_a_page_sent_after_the_answers_says_so_and_shows_what_was_typed(app, store):
    visitor = Visitor(app)
    visitor.start()
    visitor.answer(until="perspective")
    other = second_tab(visitor)
    visitor.answer()
    visitor.send()
    page = other.send(BG07="UNIT", BG08="Liian myöhään", BG19="YES")
    assert page.status_code == 409
    assert "Vastauksesi on jo lähetetty" in text(page) and "Liian myöhään" in text(page)
    assert form(page).buttons == []
    assert response_of(app, store).answers["BG08"] == "Myynti"


def test_a_page_that_is_no_longer_asked_is_refused_politely(app, store):
    visitor = Visitor(app)
    visitor.start()
    visitor.answer(until="modes/rate")
    other = second_tab(visitor)
    visitor.see("modes/choose")
    visitor.send(OM_B01="NONE")
    before = response_of(app, store)
    page = other.send(**ANSWERS["modes/rate"])
    assert page.status_code == 409
    assert wordings()["fi"]["off_path"] in text(page)
    assert response_of(app, store) == before


def test_a_new_response_in_the_same_browser_does_not_take_pages_of_the_old_one(app, store):
    visitor = Visitor(app)
    visitor.start()
    visitor.answer(until="respondent")
    old = visitor.page
    visitor.see()
    visitor.send()
    new = visitor.client.get_cookie(COOKIE).value
    visitor.page = old
    page = visitor.post(**ANSWERS["respondent"])
    assert page.status_code == 403
    assert form(page).typed["BG01"] == ["TOP"]
    assert visitor.client.get_cookie(COOKIE).value == new
    assert not any("BG01" in state.answers for state in responses(store))


def test_submitting_without_the_pages_leads_to_the_first_gap(app, store):
    visitor = Visitor(app)
    visitor.start()
    visitor.answer()
    review = visitor.page
    visitor.see("modes/choose")
    visitor.send(OM_B01=["DEV"])
    assert visitor.place == "modes/rate"
    visitor.page = review
    visitor.send()
    assert visitor.place == "modes/rate"
    assert not response_of(app, store).submitted


def test_a_review_that_another_tab_has_overtaken_is_shown_anew_before_it_is_sent(app, store):
    visitor = Visitor(app)
    visitor.start()
    visitor.answer()
    other = second_tab(visitor)
    visitor.see("perspective?edit")
    visitor.send(BG07="UNIT", BG08="Hankinta", BG19="NO")
    page = other.send()
    assert page.status_code == 409
    assert "Hankinta" in text(page) and "Myynti" not in text(page)
    assert "Vastauksiasi on muutettu" in text(page)
    assert not response_of(app, store).submitted
    other.send()
    assert other.place == "thank-you"
    assert response_of(app, store).submitted


@pytest.mark.parametrize("cookie", [True, False], ids=["with the cookie", "without the cookie"])
@pytest.mark.parametrize("ticket", [True, False], ids=["with the ticket", "without the ticket"])
def test_after_sending_no_post_shows_an_answer(app, cookie, ticket):
    visitor = Visitor(app)
    pages = [visitor.start()]
    while visitor.place != "check-answers":
        pages.append(visitor.send(**ANSWERS[visitor.place]))
    visitor.send()
    client = visitor.client if cookie else app.test_client()
    for page in pages:
        fields = dict(form(page).hidden) if ticket else {"end": "1"}
        answer = client.post(form(page).action, data=fields)
        final = form(page).action.endswith("check-answers")
        assert "Esimerkki Oy" not in text(answer)
        assert form(answer).typed == {}
        if final and (cookie or ticket):
            assert (answer.status_code, answer.headers["Location"]) == (303, f"/fi/{STUDY}/thank-you")
        if not final and (cookie or ticket):
            assert answer.status_code == 409
            assert "Vastauksesi on jo lähetetty" in text(answer)


def responses(store):
    return list(store.responses(store.wave(STUDY, "core2015", "real").id))


def test_a_page_saved_unchanged_in_another_tab_does_not_hold_up_an_open_review(app, store):
    visitor = Visitor(app)
    visitor.start()
    visitor.answer()
    other = second_tab(visitor)
    for place, answers in ANSWERS.items():
        if place.startswith("modes/"):
            continue  # both of its screens follow at once
        other.see(f"{place}?edit")
        other.send(**answers)
        assert other.place == "check-answers"
    other.see("modes/choose")
    other.send(**ANSWERS["modes/choose"])
    other.send(**ANSWERS["modes/rate"])
    assert visitor.send().status_code == 200
    assert visitor.place == "thank-you"
    assert response_of(app, store).submitted
