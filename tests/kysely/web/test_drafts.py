"""What was typed and could not be saved is there again, by whatever way the respondent comes back."""

from __future__ import annotations

import logging
import sqlite3
from dataclasses import replace

import pytest
from sqlalchemy import text as sql

from kysely import loading
from kysely.web import create_app
from kysely.web.wording import wordings
from tests.kysely.web._visitor import ANSWERS, STUDY, Visitor, form, text
from tests.kysely.web.test_interview import response_of
from tests.kysely.web.test_nothing_is_lost import LONG
from tests.kysely.web.test_security import Writes
from tests.kysely.web.test_twice import second_tab

COOKIE = f"kysely_{STUDY}"
SAY = wordings()["fi"]


def another_browser(visitor: Visitor) -> Visitor:
    """Return another browser of the same respondent, who has come by a code."""
    here, page = visitor.address, visitor.page
    code = code_of(visitor)
    visitor.address, visitor.page = here, page
    other = Visitor(visitor.client.application, visitor.language)
    other.see("continue-with-a-code")
    other.send(code=code)
    return other


def code_of(visitor: Visitor) -> str:
    """Return the code that the respondent is shown."""
    page = visitor.see("continue-later")
    if "<bdi>" not in page.text:
        page = visitor.send()
    return page.text.split("<bdi>")[1].split("</bdi>")[0]


def drafts(store) -> int:
    counts = []
    for database, table in ((store.answers.database, "draft"), (store.identities.database, "identity_draft")):
        with database.reading() as connection:
            counts.append(connection.execute(sql(f"SELECT count(*) FROM {table}")).scalar())
    return sum(counts)


def test_a_refused_page_has_an_address_and_shows_what_was_typed_each_time_it_is_opened(app, store):
    visitor = Visitor(app)
    visitor.start()
    typed = {**ANSWERS["organisation"], "organisation_name": LONG, "organisation_business_id": "123"}
    answer = visitor.post(**typed)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/fi/{STUDY}/organisation")
    for _ in range(3):
        page = visitor.see("organisation")
        assert page.status_code == 422
        assert form(page).typed == {name: [str(value).strip()] for name, value in typed.items()}
        assert "Yksi kohta kaipaa korjausta" in text(page)
        assert form(page).title.startswith("Virhe:")
    assert response_of(app, store).revision == 0
    visitor.send(**{**typed, "organisation_business_id": ""})
    assert visitor.place == "activity"
    assert drafts(store) == 0
    assert form(visitor.see("organisation")).typed["organisation_name"] == [" ".join(LONG.split())]


def test_a_page_that_asks_once_more_can_be_skipped_though_nothing_was_typed(app, store):
    visitor = Visitor(app)
    visitor.start()
    page = visitor.send()
    assert page.status_code == 422 and ("skip", "1") in form(page).buttons
    visitor.send(("skip", "1"))
    assert visitor.place == "activity"
    assert drafts(store) == 0


def test_typed_text_goes_along_into_every_language_and_back(app):
    visitor = Visitor(app)
    visitor.start()
    visitor.answer(until="perspective")
    fields = {**dict(form(visitor.page).hidden), "BG07": "UNIT", "BG08": "Kesken"}
    visitor.client.post(f"/sv/{STUDY}/perspective", data={**fields, "language": "sv"})
    for language in ("sv", "fi", "en"):
        visitor.language = language
        page = visitor.see("perspective")
        assert page.status_code == 200
        assert form(page).typed == {"BG07": ["UNIT"], "BG08": ["Kesken"]}
        assert wordings()[language]["typed_before"] in text(page)


def test_a_language_is_changed_without_a_trace_where_nothing_new_was_typed(app, store):
    visitor = Visitor(app)
    visitor.start()
    visitor.answer(until="activity")
    visitor.see("organisation")
    shown = {name: values[0] for name, values in form(visitor.page).typed.items()}
    fields = {**dict(form(visitor.page).hidden), **shown, "language": "sv"}
    visitor.client.post(f"/sv/{STUDY}/organisation", data=fields)
    assert drafts(store) == 0 and response_of(app, store).drafts == 0


def test_what_was_typed_before_going_back_is_there_afterwards(app):
    visitor = Visitor(app)
    visitor.start()
    visitor.answer(until="respondent")
    page = visitor.send(("go", "back"), BG06="NOPE", BG01="TOP")
    assert page.status_code == 422
    assert f'href="/fi/{STUDY}/activity"' in page.text  # the way back without saving
    visitor.see("activity")
    assert form(visitor.see("respondent")).typed["BG01"] == ["TOP"]


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
def test_the_review_says_which_page_holds_something_that_is_not_saved(app, store, language):
    visitor = Visitor(app, language)
    visitor.start()
    visitor.answer()
    visitor.see("organisation?edit")
    visitor.send(**{**ANSWERS["organisation"], "organisation_business_id": "123"})
    page = visitor.see("check-answers")
    assert f'href="/{language}/{STUDY}/organisation?edit"' in page.text
    title = form(visitor.see("organisation")).title
    assert wordings()[language]["error"] in title
    visitor.see("check-answers")
    visitor.send()
    assert visitor.place == "thank-you"
    assert drafts(store) == 0  # what is sent is what was reviewed


def test_a_draft_survives_deleted_cookies_a_restart_and_a_rotated_key(settings, store):
    visitor = Visitor(create_app(settings, store))
    visitor.start()
    visitor.send(**{**ANSWERS["organisation"], "organisation_business_id": "123"})
    rotated = replace(
        settings, secret_key="another key that is long enough for anybody", secret_key_fallbacks=(settings.secret_key,)
    )
    visitor.client.application = create_app(rotated, store)
    assert form(visitor.see("organisation")).typed["organisation_name"] == ["Esimerkki Oy"]
    other = another_browser(visitor)
    other.see("organisation")
    assert form(other.page).typed["organisation_name"] == ["Esimerkki Oy"]


def test_what_was_begun_on_a_phone_is_finished_on_a_laptop(app, store):
    phone = Visitor(app)
    phone.start()
    phone.answer(until="perspective")
    answer = phone.post(("go", "later"), BG07="UNIT", BG08="Bussissa kirjoitettu")
    assert answer.headers["Location"] == f"/fi/{STUDY}/continue-later"
    laptop = another_browser(phone)
    assert laptop.place == "perspective"
    assert form(laptop.page).typed == {"BG07": ["UNIT"], "BG08": ["Bussissa kirjoitettu"]}
    laptop.send(BG07="UNIT", BG08="Bussissa kirjoitettu", BG19="NO")
    assert laptop.place == "modes/choose"
    assert drafts(store) == 0


def test_what_another_browser_typed_takes_no_saved_answer_from_the_page(app):
    one = Visitor(app)
    one.start()
    one.answer(until="modes/choose")
    other = another_browser(one)
    other.see("perspective")
    other.send(BG07="NOPE", BG08="Toisen sanat")
    page = one.see("perspective")
    assert form(page).typed["BG08"] == ["Myynti"] and "Toisen sanat" not in text(page)
    assert SAY["typed_elsewhere"] in text(page)
    page = one.see("perspective?typed")
    assert form(page).typed["BG08"] == ["Toisen sanat"]
    one.send(BG07="UNIT", BG08="Sovittu", BG19="NO")
    assert "Toisen sanat" not in text(other.see("perspective"))


def test_two_drafts_of_one_page_do_not_overwrite_each_other(app):
    one = Visitor(app)
    one.start()
    one.answer(until="perspective")
    other = another_browser(one)
    one.send(BG07="NOPE", BG08="Ensimmäisen sanat")
    other.send(BG07="NOPE", BG08="Toisen sanat")
    assert form(one.see("perspective")).typed["BG08"] == ["Ensimmäisen sanat"]
    assert form(other.see("perspective")).typed["BG08"] == ["Toisen sanat"]


def test_a_conflict_stands_at_its_address_until_the_respondent_has_chosen(app, store):
    visitor = Visitor(app)
    visitor.start()
    visitor.answer(until="respondent")
    other = second_tab(visitor)
    visitor.send(**ANSWERS["respondent"])
    page = other.send(**{**ANSWERS["respondent"], "BG01": "MID"})
    for _ in range(3):
        assert page.status_code == 409 and "Ylin johto" in text(page) and "Keskijohto" in text(page)
        page = other.see("respondent")
    page = other.see(edit_link(page))
    assert form(page).typed["BG01"] == ["MID"]
    other.send(**{**ANSWERS["respondent"], "BG01": "EXP"})
    assert other.place == "perspective"
    assert response_of(app, store).answers["BG01"] == "EXP"
    assert drafts(store) == 0


def edit_link(page) -> str:
    """Return where one's own version of a conflict is edited."""
    return "respondent?typed" + page.text.split(f'href="/fi/{STUDY}/respondent?typed')[1].partition('"')[0]


def test_what_was_saved_after_the_conflict_was_seen_is_another_conflict(app):
    visitor = Visitor(app)
    visitor.start()
    visitor.answer(until="respondent")
    other = another_browser(visitor)
    visitor.send(**ANSWERS["respondent"])
    seen = other.send(**{**ANSWERS["respondent"], "BG01": "MID"})
    visitor.see("respondent")
    visitor.send(**{**ANSWERS["respondent"], "BG01": "EXP"})
    other.see(edit_link(seen))
    page = other.send(**{**ANSWERS["respondent"], "BG01": "MID"})
    assert page.status_code == 409 and "Muu asiantuntija" in text(page)


def test_a_page_corrected_after_another_tab_saved_it_is_a_conflict_and_no_overwriting(app):
    visitor = Visitor(app)
    visitor.start()
    visitor.answer(until="perspective")
    other = another_browser(visitor)
    other.send(BG07="NOPE", BG08="Kirjoitan tätä yhä")
    visitor.send(**ANSWERS["perspective"])
    other.see("perspective")
    page = other.send(BG07="UNIT", BG08="Kirjoitan tätä yhä", BG19="NO")
    assert page.status_code == 409
    assert "Myynti" in text(page) and "Kirjoitan tätä yhä" in text(page)


def test_every_kind_of_answer_is_shown_side_by_side_in_a_conflict(app):
    for place, mine, both in (
        ("organisation", {"organisation_municipality": "Vaasa"}, ("Kunta: Vaasa", "Kunta: Turku")),
        ("activity", {"BG16": ["B2C"]}, ("Yrityksiä", "Kuluttajia")),
        ("perspective", {"BG08": "Hankinta"}, ("Hankinta", "Myynti")),
        ("modes/rate", {"OM_B02_PUB": "CENTRAL"}, ("keskeinen", "jonkin verran")),
    ):
        visitor = Visitor(app)
        visitor.start()
        visitor.answer(until=place)
        other = second_tab(visitor)
        visitor.send(**ANSWERS[place])
        page = other.send(**{**ANSWERS[place], **mine})
        assert page.status_code == 409, place
        for word in both:
            assert word.lower() in text(page).lower(), (place, word)


def test_a_name_that_was_typed_and_not_saved_never_comes_among_the_answers(sqlite_settings, embedded, caplog):
    marker = "Tunnistemerkki"
    with caplog.at_level(logging.DEBUG):
        visitor = Visitor(create_app(sqlite_settings, embedded))
        visitor.start()
        visitor.send(organisation_name=f"{marker} Oy", organisation_business_id="123")
    answers = b"".join(file.read_bytes() for file in sqlite_settings.instance.glob("answers*"))
    identity = b"".join(file.read_bytes() for file in sqlite_settings.instance.glob("identity*"))
    assert marker.encode() not in identity  # sealed
    assert marker.encode() not in answers and marker not in caplog.text
    assert form(visitor.see("organisation")).typed["organisation_name"] == [f"{marker} Oy"]


def test_fields_that_no_question_has_and_odd_signs_are_kept_out_or_kept_whole(app, store):
    visitor = Visitor(app)
    visitor.start()
    visitor.answer(until="perspective")
    visitor.send(BG07="NOPE", BG08="a\x00b \ud800".encode("utf-8", "replace").decode(), hax="<script>")
    assert form(visitor.see("perspective")).typed["BG08"][0].startswith("a")
    with store.answers.database.reading() as connection:
        assert "hax" not in connection.execute(sql("SELECT typed FROM draft")).scalar()


def test_a_page_saved_at_once_costs_no_statement_for_drafts(app, store):
    visitor = Visitor(app)
    visitor.start()
    visitor.answer(until="activity")
    writes = Writes(store)
    visitor.post(**ANSWERS["activity"])
    tables = [statement.split()[2 if statement.startswith("INSERT") else 1] for statement in writes.taken()]
    assert sorted(set(tables)) == ["answer_event", "page_submission", "response"]
    assert tables.count("response") == tables.count("page_submission") == 1


def test_in_anonymous_mode_nothing_unsaved_is_kept_and_the_page_itself_carries_it(sqlite_settings, embedded, tmp_path):
    folder = tmp_path / "questionnaires" / "quiet"
    folder.mkdir(parents=True)
    (folder / "questionnaire.yaml").write_text(ANONYMOUS, encoding="utf8")
    app = create_app(replace(sqlite_settings, questionnaires=folder.parent), embedded)
    client = app.test_client()
    page = client.get("/en/quiet/")
    client.post("/en/quiet/", data=dict(form(page).hidden))
    page = client.get("/en/quiet/field")
    assert "Continue later" not in text(page)
    page = client.post("/en/quiet/field", data={**dict(form(page).hidden), "hectares": "many", "remark": "dry"})
    assert page.status_code == 422
    assert form(page).typed == {"hectares": ["many"], "remark": ["dry"]}
    assert drafts(embedded) == 0
    instrument = loading.load(folder)
    wave = embedded.wave(instrument.id, instrument.form, "real")
    assert embedded.visits(wave.id) == {}


ANONYMOUS = """
schema: questionnaire/1
id: quiet
revision: "1"
languages: {base: en, required: [en]}
title: {en: Quiet}
privacy: {mode: anonymous, min_group: 5}
pages:
  - id: field
    title: {en: Your field}
    questions:
      - {id: hectares, type: number, text: {en: How many hectares?}, minimum: 0, maximum: 100000}
      - {id: remark, type: text, text: {en: Anything else?}, max_length: 500, lines: 3}
"""


def test_a_mistake_sent_while_the_database_is_locked_gives_the_page_back(sqlite_settings, embedded):
    database = replace(embedded.answers.database, patience=0.1)
    impatient = replace(embedded, answers=replace(embedded.answers, database=database))
    visitor = Visitor(create_app(sqlite_settings, impatient))
    visitor.start()
    other = sqlite3.connect(database.file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    typed = {**ANSWERS["organisation"], "organisation_business_id": "123"}
    page = visitor.post(**typed)
    assert page.status_code == 503 and form(page).typed == {name: [value] for name, value in typed.items()}
    other.close()
    visitor.page = page
    assert visitor.send(**typed).status_code == 422
    database.close()
