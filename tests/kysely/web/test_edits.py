"""What was sent can be changed while the study is open, and what it was before stays readable."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import text as sql

from kysely.disposition import Disposition, disposition
from kysely.web import create_app
from kysely.web.wording import wordings
from tests.kysely.web._visitor import ANSWERS, STUDY, Visitor, form, text
from tests.kysely.web.test_interview import response_of

COOKIE = f"kysely_{STUDY}"
SAY = wordings()["fi"]


def sent(app, language="fi") -> Visitor:
    visitor = Visitor(app, language)
    visitor.start()
    visitor.answer()
    visitor.send()
    assert visitor.place == "thank-you"
    return visitor


def reopened(app) -> Visitor:
    visitor = sent(app)
    visitor.see("change-my-answers")
    visitor.send()
    assert visitor.place == "check-answers"
    return visitor


def history(store, variable):
    query = sql("SELECT text FROM answer_event WHERE variable = :variable ORDER BY revision")
    with store.answers.database.reading() as connection:
        return list(connection.execute(query, {"variable": variable}).scalars())


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
def test_sent_answers_are_changed_and_sent_again(app, store, language):
    visitor = sent(app, language)
    first = response_of(app, store)
    assert wordings()[language]["thanks_change"] in text(visitor.page)
    assert form(visitor.page).action == ""  # here an interview ends
    visitor.see("change-my-answers")
    visitor.send()
    assert visitor.place == "check-answers"
    assert wordings()[language]["changing_text"] in text(visitor.page)
    assert "Esimerkki Oy" in text(visitor.page)
    visitor.see("perspective?edit")
    visitor.send(**{**ANSWERS["perspective"], "BG08": "Hankinta"})
    assert visitor.place == "check-answers"
    visitor.send()
    assert visitor.place == "thank-you"
    after = response_of(app, store)
    assert after.answers["BG08"] == "Hankinta"
    assert history(store, "BG08") == ["Myynti", "Hankinta"]
    assert (after.submitted_at, after.submitted_revision) == (first.submitted_at, first.revision)
    assert after.submitted and not after.reopened and after.revision == first.revision + 1


def test_a_change_counts_as_soon_as_its_page_is_saved_and_the_response_stays_complete(app, store):
    visitor = reopened(app)
    visitor.see("modes/choose?edit")
    visitor.send(OM_B01=["DEV"])
    state = response_of(app, store)
    assert state.answers["OM_B01_DEV"] == 1 and state.submitted
    instrument = store.instrument(state.version_hash)
    assert disposition(instrument, state.answers, submitted=state.submitted) is Disposition.COMPLETE
    assert visitor.place == "modes/rate"  # what the change has opened is asked


def test_before_the_button_is_pressed_nothing_that_was_sent_can_be_seen_or_changed(app, store):
    visitor = sent(app)
    before = response_of(app, store)
    for place in ("organisation", "check-answers", "modes/rate"):
        page = visitor.see(place)
        assert visitor.place == "thank-you" and "Esimerkki Oy" not in text(page)
    assert response_of(app, store) == before


def test_twenty_presses_to_send_again_are_one(app, store):
    visitor = reopened(app)
    visitor.see("perspective?edit")
    visitor.send(**{**ANSWERS["perspective"], "BG08": "Hankinta"})
    fields, cookie = dict(form(visitor.page).hidden), visitor.client.get_cookie(COOKIE).value

    def press(_: int) -> tuple[int, str]:
        client = app.test_client()
        client.set_cookie(COOKIE, cookie)
        answer = client.post(f"/fi/{STUDY}/check-answers", data=fields)
        return answer.status_code, answer.headers["Location"]

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(press, range(20))) == {(303, f"/fi/{STUDY}/thank-you")}
    state = response_of(app, store)
    assert not state.reopened and state.answers["BG08"] == "Hankinta"


@pytest.mark.parametrize("when", ["before the press", "after it"])
def test_a_wave_that_has_closed_refuses_politely_and_shows_what_was_typed(app, store, when):
    visitor = sent(app) if when == "before the press" else reopened(app)
    before = response_of(app, store)
    visitor.see("change-my-answers" if when == "before the press" else "perspective?edit")
    store.close_wave(before.wave, datetime.now(UTC))
    if when == "before the press":
        page = visitor.send()
        assert page.status_code == 409 and SAY["changes_over"] in text(page)
    else:
        page = visitor.send(**{**ANSWERS["perspective"], "BG08": "Liian myöhään"})
        assert page.status_code == 409 and SAY["changes_lost"] in text(page)
        assert form(page).typed["BG08"] == ["Liian myöhään"]
    assert response_of(app, store) == before


@pytest.mark.parametrize("key", ["edit_after_submit: false", "privacy: {mode: anonymous, min_group: 5}"])
def test_a_definition_may_keep_what_was_sent_as_it_is(sqlite_settings, embedded, tmp_path, key):
    from tests.kysely.web.test_drafts import ANONYMOUS

    folder = tmp_path / "questionnaires" / "quiet"
    folder.mkdir(parents=True)
    definition = ANONYMOUS.replace("privacy: {mode: anonymous, min_group: 5}", key)
    (folder / "questionnaire.yaml").write_text(definition, encoding="utf8")
    client = create_app(replace(sqlite_settings, questionnaires=folder.parent), embedded).test_client()
    page = client.get("/en/quiet/")
    client.post("/en/quiet/", data=dict(form(page).hidden))
    page = client.get("/en/quiet/field")
    client.post("/en/quiet/field", data={**dict(form(page).hidden), "hectares": "3", "remark": "dry"})
    page = client.get("/en/quiet/check-answers")
    assert "they can no longer be changed" in text(page)
    thanks = client.post("/en/quiet/check-answers", data=dict(form(page).hidden), follow_redirects=True)
    assert "Thank you" in text(thanks) and "Change your answers" not in text(thanks)
    assert client.post("/en/quiet/change-my-answers", data={"end": "1"}).status_code in (303, 409)
    assert client.get("/en/quiet/field").status_code == 302


def test_a_press_without_the_cookie_or_the_ticket_opens_nothing(app, store):
    visitor = sent(app)
    visitor.see("change-my-answers")
    stranger = app.test_client()
    answer = stranger.post(f"/fi/{STUDY}/change-my-answers", data=dict(form(visitor.page).hidden))
    assert answer.headers["Location"] == f"/fi/{STUDY}/"
    page = visitor.client.post(f"/fi/{STUDY}/change-my-answers", data={"end": "1"})
    assert page.status_code == 403 and "Esimerkki Oy" not in text(page)
    assert not response_of(app, store).reopened


def test_a_page_from_before_the_sending_tells_how_to_change_it(app, store):
    visitor = Visitor(app)
    visitor.start()
    visitor.answer(until="perspective")
    old = visitor.page
    visitor.answer()
    visitor.send()
    visitor.page = old
    page = visitor.post(BG07="UNIT", BG08="Muutettu", BG19="NO")
    assert page.status_code == 409 and SAY["closed_open"] in text(page)
    assert form(page).typed["BG08"] == ["Muutettu"]
    assert response_of(app, store).answers["BG08"] == "Myynti"
