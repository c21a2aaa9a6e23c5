"""Whatever comes between a respondent and the database, what was typed is on the page, and one more press saves it."""

from __future__ import annotations

import sqlite3
import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import make_url

from kysely import loading
from kysely import store as stores
from kysely.web import create_app
from kysely.web.wording import wordings
from tests.kysely.web._visitor import ANSWERS, STUDY, Visitor, form, text
from tests.kysely.web.test_interview import response_of

COOKIE = f"kysely_{STUDY}"
LONG = "Pitkä vastaus: å ä ö € 👩‍👩‍👧 <b>&amp;</b> “lainaus” " * 3
TYPED = {**ANSWERS["organisation"], "organisation_name": LONG}


def shows_everything(page) -> bool:
    return form(page).typed == {name: [str(text).strip()] for name, text in TYPED.items()}


def begun(app, language="fi") -> Visitor:
    visitor = Visitor(app, language)
    visitor.start()
    return visitor


def saved_after_one_more_press(visitor) -> bool:
    visitor.send(**TYPED)
    return visitor.place == "activity"


@pytest.mark.parametrize("ticket", ["", "x", "WyJhIl0.AAAA", None])
def test_a_page_with_a_bad_ticket_is_shown_again_as_typed(app, store, ticket):
    visitor = begun(app)
    fields = {name: value for name, value in form(visitor.page).hidden if name != "ticket"}
    if ticket is not None:
        fields["ticket"] = ticket
    visitor.page = visitor.client.post(f"/fi/{STUDY}/organisation", data={**fields, **TYPED})
    assert visitor.page.status_code == 403
    assert "Kaikki kirjoittamasi on tässä" in text(visitor.page)
    assert shows_everything(visitor.page)
    assert response_of(app, store).revision == 0
    assert saved_after_one_more_press(visitor)
    assert response_of(app, store).revision == 1


def test_deleted_cookies_cost_one_more_press_and_no_answer(app, store):
    visitor = begun(app)
    visitor.send(**TYPED)
    visitor.client.delete_cookie(COOKIE)
    visitor.page = visitor.post(**ANSWERS["activity"])
    assert visitor.page.status_code == 403
    assert form(visitor.page).typed["BG16"] == ["B2B", "CIT"]
    visitor.send(**ANSWERS["activity"])
    assert visitor.place == "respondent"
    state = response_of(app, store)
    assert state.answers["BG10"] == "COMP" and state.answers["BG14"] == "C"


def test_deleted_cookies_before_sending_lead_through_the_review_once_more(app, store):
    visitor = begun(app)
    visitor.answer()
    visitor.client.delete_cookie(COOKIE)
    visitor.page = visitor.post()
    assert visitor.page.status_code == 403
    assert "Esimerkki Oy" in text(visitor.page)
    assert not response_of(app, store).submitted
    visitor.send()
    assert visitor.place == "thank-you"
    assert response_of(app, store).submitted


def test_a_browser_that_refuses_cookies_never_loses_the_text(app):
    visitor = begun(app)
    for _ in range(3):
        visitor.client.delete_cookie(COOKIE)
        visitor.page = visitor.post(**TYPED)
        assert visitor.page.status_code == 403
        assert shows_everything(visitor.page)


def test_a_page_begun_before_a_restart_is_saved_after_it(settings, store):
    visitor = begun(create_app(settings, store))
    again = create_app(settings, store)
    visitor.client.application = again
    visitor.send(**TYPED)
    assert visitor.place == "activity"


def test_a_page_signed_with_a_key_that_was_rotated_is_saved(settings, store):
    visitor = begun(create_app(settings, store))
    rotated = replace(
        settings, secret_key="another key that is long enough for anybody", secret_key_fallbacks=(settings.secret_key,)
    )
    visitor.client.application = create_app(rotated, store)
    visitor.send(**TYPED)
    assert visitor.place == "activity"


def test_after_a_key_is_lost_the_first_page_starts_a_new_response_with_what_was_typed(settings, store):
    visitor = begun(create_app(settings, store))
    replaced = replace(settings, secret_key="another key that is long enough for anybody")
    app = create_app(replaced, store)
    visitor.client.application = app
    visitor.page = visitor.post(**TYPED)
    assert visitor.page.status_code == 403
    assert shows_everything(visitor.page)
    visitor.send(**TYPED)
    assert visitor.place == "activity"
    wave = store.wave(STUDY, "core2015", "real")
    assert sorted(state.revision for state in store.responses(wave.id)) == [0, 1]


def test_a_first_page_sent_after_the_wave_was_closed_says_so_and_shows_what_was_typed(settings, store):
    visitor = begun(create_app(settings, store))
    replaced = replace(settings, secret_key="another key that is long enough for anybody")
    visitor.client.application = create_app(replaced, store)
    visitor.page = visitor.post(**TYPED)
    store.close_wave(store.wave(STUDY, "core2015", "real").id, datetime.now(UTC))
    page = visitor.post(**TYPED)
    assert page.status_code == 409
    assert wordings()["fi"]["wave_closed"] in text(page)
    assert wordings()["fi"]["unavailable"].split(":")[0] not in text(page)
    assert shows_everything(page)


def test_a_form_that_was_cut_off_is_refused_as_incomplete(app, store):
    visitor = begun(app)
    fields = {name: value for name, value in form(visitor.page).hidden if name != "end"}
    page = visitor.client.post(f"/fi/{STUDY}/organisation", data={**fields, **TYPED})
    assert page.status_code == 422
    assert "Sivu ei tullut perille kokonaan" in text(page)
    assert shows_everything(page)
    assert response_of(app, store).revision == 0


@pytest.fixture
def impatient(embedded) -> stores.Store:
    """A store that waits for another writer for a moment only."""
    database = replace(embedded.answers.database, patience=0.1)
    yield replace(embedded, answers=replace(embedded.answers, database=database))
    database.close()


def test_a_locked_database_gives_the_page_back_and_says_when_to_try_again(sqlite_settings, impatient):
    visitor = begun(create_app(sqlite_settings, impatient))
    other = sqlite3.connect(impatient.answers.database.file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    visitor.page = visitor.post(**TYPED)
    assert visitor.page.status_code == 503
    assert int(visitor.page.headers["Retry-After"]) > 0
    assert "Tallennus ei juuri nyt onnistu" in text(visitor.page)
    assert shows_everything(visitor.page)
    other.close()
    assert saved_after_one_more_press(visitor)


@pytest.mark.parametrize("place", ["organisation", "modes/rate"])
def test_a_database_out_of_reach_gives_the_page_back_too(sqlite_settings, embedded, place):
    app = create_app(sqlite_settings, embedded)
    visitor = begun(app)
    visitor.answer(until=place)
    with out_of_reach(embedded):
        page = visitor.post(**ANSWERS[place])
        assert visitor.client.get(f"/fi/{STUDY}/organisation").status_code == 503
        assert visitor.client.get("/healthz").status_code == 503
    assert page.status_code == 503
    # What can't be drawn without the earlier answers goes along unseen.
    kept = {name for name, _ in form(page).hidden} | set(form(page).typed)
    assert set(ANSWERS[place]) <= kept
    visitor.page = page
    visitor.send(**({} if place == "modes/rate" else ANSWERS[place]))
    assert visitor.place == ("check-answers" if place == "modes/rate" else "activity")
    if place == "modes/rate":
        assert response_of(app, embedded).answers["OM_B02_CUST"] == 3


@contextmanager
def out_of_reach(store):
    """The answers' file is another file's bytes for a while, as after a failed copy."""
    database = store.answers.database
    database.close()  # open connections would go on with the old file
    aside = database.file.with_suffix(".aside")
    database.file.rename(aside)
    database.file.write_bytes(b"this is no database " * 1000)
    try:
        yield
    finally:
        database.close()
        aside.replace(database.file)


def test_a_service_that_can_only_read_says_that_it_is_not_ready_and_nothing_else(settings, store):
    with read_only(store) as reading:
        answer = create_app(settings, reading).test_client().get("/healthz")
    assert (answer.status_code, answer.text) == (503, "Answers can't be saved at the moment.\n")
    assert create_app(settings, store).test_client().get("/healthz").status_code == 200


def test_a_service_whose_database_is_locked_says_so_soon_and_is_well_again_afterwards(settings, store):
    client = create_app(settings, store).test_client()
    for database in (store.answers.database, store.identities.database):
        with occupied(database):
            begin = time.perf_counter()
            answer = client.get("/healthz")
            assert time.perf_counter() - begin < 2
        assert (answer.status_code, answer.text) == (503, "Answers can't be saved at the moment.\n")
        assert int(answer.headers["Retry-After"]) > 0
    assert client.get("/healthz").text == "ok\n"


@contextmanager
def occupied(database):
    """Another program holds the whole database, as a copy or a repair does."""
    if database.sqlite:
        other = sqlite3.connect(database.file, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.close()
    else:
        table = next(iter(database.metadata.tables))
        with database.owner.begin() as connection:
            connection.exec_driver_sql(f"LOCK TABLE {database.name}.{table} IN ACCESS EXCLUSIVE MODE")
            yield


@contextmanager
def read_only(store):
    """The same store on connections that may not write: a file opened for reading, a standby server."""
    store.collecting(loading.load(store.settings.questionnaires / STUDY), datetime.now(UTC))
    database = store.answers.database
    if database.sqlite:
        url = make_url(f"sqlite:///file:{database.file}?mode=ro&uri=true")
    else:
        url = database.url.update_query_dict({"options": "-c default_transaction_read_only=on"})
    database = replace(database, url=url)
    try:
        yield replace(store, answers=replace(store.answers, database=database))
    finally:
        database.close()


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
def test_a_municipality_typed_without_a_name_is_still_there_when_one_comes_back(app, store, language):
    visitor = Visitor(app, language)
    visitor.start()
    visitor.send(("skip", "1"), organisation_municipality="Vaasa", BG10="MUNI", BG12="P10_19")
    assert visitor.place == "activity"
    visitor.see("organisation")
    assert form(visitor.page).typed["organisation_municipality"] == ["Vaasa"]


def test_what_was_begun_before_the_wave_closed_is_finished_after_it_and_after_a_restart(app, settings, store):
    early = begun(app)
    early.send(**ANSWERS["organisation"])
    (wave,) = store.waves(STUDY)
    store.close_wave(wave.id, datetime.now(UTC))
    restarted = create_app(settings, store)
    early.client = moved(early.client, restarted)
    early.see("activity")
    early.answer()
    early.send()
    assert early.place == "thank-you"
    late = Visitor(restarted)
    page = late.see()
    assert wordings()["fi"]["over"] in text(page) and not form(page).typed
    assert len(list(store.responses(wave.id))) == 1


def moved(client, app):
    """Return the same browser, now at the restarted application."""
    other = app.test_client()
    other.set_cookie(COOKIE, client.get_cookie(COOKIE).value)
    return other
