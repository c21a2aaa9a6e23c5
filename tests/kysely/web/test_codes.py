"""Coming back from any device with a code, and erasing one's answers with it."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from kysely import links
from kysely.web import create_app
from kysely.web.codes import written
from kysely.web.wording import wordings
from tests.kysely.web._visitor import ANSWERS, STUDY, Visitor, form, text
from tests.kysely.web.test_drafts import another_browser, code_of
from tests.kysely.web.test_interview import response_of
from tests.kysely.web.test_twice import responses

COOKIE = f"kysely_{STUDY}"
SAY = wordings()["fi"]


def tries(app, code: str, place="continue-with-a-code", **more) -> Visitor:
    visitor = Visitor(app)
    visitor.see(place)
    visitor.send(code=code, **more)
    return visitor


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
def test_a_code_brings_a_respondent_back_to_where_they_were(app, store, language):
    visitor = Visitor(app, language)
    visitor.start()
    visitor.answer(until="respondent")
    other = another_browser(visitor)
    assert other.place == "respondent"
    assert form(other.see("activity")).typed["BG16"] == ["B2B", "CIT"]
    other.see("respondent")
    other.answer()
    other.send()
    assert other.place == "thank-you"
    assert response_of(app, store).submitted
    assert visitor.see("respondent").status_code == 200 and visitor.place == "thank-you"


def test_a_code_is_shown_by_a_press_and_is_the_same_each_time(app, store, writes):
    visitor = Visitor(app)
    visitor.start()
    writes.taken()
    assert "<bdi>" not in visitor.see("continue-later").text
    assert writes.taken() == []
    code = code_of(visitor)
    assert code_of(visitor) == code
    assert len(links.read_code(code)) == links.LENGTH and links.LENGTH * 4.9 > 128
    assert not set(code.replace("-", "")) & set("01OILU")


@pytest.fixture
def writes(store):
    from tests.kysely.web.test_security import Writes

    return Writes(store)


def test_a_code_is_read_however_it_is_written_down(app):
    visitor = Visitor(app)
    visitor.start()
    code = code_of(visitor)
    plain = code.replace("-", "")
    for typed in (
        code,
        code.lower(),
        plain,
        f" {plain[:9]} {plain[9:]} ",
        f"{code}.",
        f"<{code}>",
        f"”{code}”",
        "\n".join(code.split("-")),
        code.replace("-", "\u00a0"),
        code.replace("-", "\u2011"),
        code.replace("-", "–"),
    ):
        assert tries(app, typed).place == "organisation", repr(typed)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [("", "code_missing"), ("abc", "code_mistyped"), ("0" * 27, "code_mistyped"), ("2" * 27, "code_unknown")],
)
@pytest.mark.parametrize("place", ["continue-with-a-code", "erase-my-answers"])
def test_a_wrong_code_is_told_at_its_field_and_stays_there(site, typed, sentence, place):
    visitor = tries(site, typed, place, sure="1")
    assert visitor.page.status_code == 422
    assert SAY.say(sentence, length=links.LENGTH) in text(visitor.page)
    assert 'href="#f-code"' in visitor.page.text and form(visitor.page).title.startswith("Virhe:")
    assert form(visitor.page).typed == ({"code": [typed]} if typed else {})


def test_a_guesser_is_stopped_and_thirty_colleagues_behind_one_address_are_not(site):
    codes = []
    for _ in range(30):
        visitor = Visitor(site)
        visitor.start()
        codes.append(code_of(visitor))
    for code in codes:
        assert tries(site, code).place == "organisation"
    visitor = Visitor(site)
    visitor.see("continue-with-a-code")
    statuses = [visitor.send(code=written(links.new_code())).status_code for _ in range(40)]
    assert statuses == [422] * 30 + [429] * 10
    assert SAY["code_too_many"] in text(visitor.page)
    assert int(visitor.page.headers["Retry-After"]) > 0
    elsewhere = Visitor(site)
    elsewhere.see("continue-with-a-code")
    fields = {**dict(form(elsewhere.page).hidden), "code": codes[0]}
    answer = elsewhere.client.post(elsewhere.address, data=fields, environ_base={"REMOTE_ADDR": "192.0.2.7"})
    assert answer.status_code == 303


def test_a_code_of_one_study_opens_no_other(sqlite_settings, embedded, tmp_path):
    import re
    from shutil import copytree

    folder = tmp_path / "questionnaires"
    for id in (STUDY, "sibling"):
        copytree(sqlite_settings.questionnaires / STUDY, folder / id)
        file = folder / id / "questionnaire.yaml"
        file.write_text(re.sub(r"(?m)^id: .*$", f"id: {id}", file.read_text(encoding="utf-8")), encoding="utf-8")
    app = create_app(replace(sqlite_settings, questionnaires=folder), embedded)
    visitor = Visitor(app)
    visitor.start()
    code = code_of(visitor)
    client = app.test_client()
    page = client.get("/fi/sibling/continue-with-a-code")
    page = client.post("/fi/sibling/continue-with-a-code", data={**dict(form(page).hidden), "code": code})
    assert page.status_code == 422


def test_a_code_outlives_a_restart_and_a_rotated_key(settings, store):
    visitor = Visitor(create_app(settings, store))
    visitor.start()
    visitor.answer(until="activity")
    code = code_of(visitor)
    rotated = replace(
        settings, secret_key="another key that is long enough for anybody", secret_key_fallbacks=(settings.secret_key,)
    )
    from kysely import store as stores

    again = stores.open(rotated)
    assert tries(create_app(rotated, again), code).place == "activity"
    again.close()


def test_nobody_is_made_to_go_on_with_a_response_of_somebody_elses(site):
    """An attacker's code in a form of theirs, sent from the victim's browser: the victim would answer for them."""
    attacker = Visitor(site)
    attacker.start()
    code = code_of(attacker)
    attacker.see("continue-with-a-code")
    forged = {**dict(form(attacker.page).hidden), "code": code}
    victim = Visitor(site)
    victim.see()
    page = victim.client.post(f"/fi/{STUDY}/continue-with-a-code", data=forged)
    assert page.status_code == 403
    page = victim.client.post(
        f"/fi/{STUDY}/continue-with-a-code", data=forged, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert (page.status_code, page.headers["Location"]) == (303, f"/fi/{STUDY}/continue-with-a-code")


def test_no_log_no_address_and_no_file_holds_a_code(sqlite_settings, embedded, caplog):
    with caplog.at_level(logging.DEBUG):
        visitor = Visitor(create_app(sqlite_settings, embedded))
        visitor.start()
        code = code_of(visitor)
        other = another_browser(visitor)
    plain = links.read_code(code)
    files = b"".join(file.read_bytes() for file in sqlite_settings.instance.glob("*") if file.is_file())
    for form_of in (code, plain, plain.upper()):
        assert form_of not in caplog.text + visitor.address + other.address
        assert form_of.encode() not in files


def test_only_the_browser_that_answers_is_shown_the_code(site):
    visitor = Visitor(site)
    visitor.start()
    code_of(visitor)
    stranger = Visitor(site)
    stranger.see("continue-later")
    assert stranger.place == ""  # the introduction


# ---- erasing


@pytest.mark.parametrize("sent", [False, True], ids=["under way", "sent"])
def test_a_respondent_erases_everything_with_the_code(app, store, sent):
    visitor = Visitor(app)
    visitor.start()
    visitor.answer()
    if sent:
        visitor.send()
    id, code = response_of(app, store).id, code_of(visitor)
    visitor.see("erase-my-answers")
    page = visitor.send(code=code)
    assert page.status_code == 422 and SAY["erase_unsure"] in text(page)
    assert store.response(id)
    page = visitor.send(code=code, sure="1")
    assert page.status_code == 200 and SAY["erased_title"] in text(page)
    assert store.response(id) is None and store.organisation_typed(id) is None
    assert responses(store) == []
    assert [one.response for one in store.tombstones() if one.genuine] == [id]
    assert visitor.client.get_cookie(COOKIE) is None
    assert tries(app, code).page.status_code == 422


def test_erasing_is_not_undone_by_the_form_that_began_the_response(app, store):
    visitor = Visitor(app)
    visitor.see()
    begins = visitor.page
    visitor.send()
    visitor.answer(until="activity")
    kept, cookie = visitor.page, visitor.client.get_cookie(COOKIE).value
    code = code_of(visitor)
    tries(app, code, "erase-my-answers", sure="1")
    visitor.client.set_cookie(COOKIE, cookie)
    visitor.page = kept
    page = visitor.post(**ANSWERS["activity"])  # in another tab, the erased response is still open
    assert page.status_code in (403, 409)
    assert form(page).typed["BG14"] == ["C"]
    visitor.page = begins
    visitor.post()
    assert responses(store) == []
    visitor.see()
    visitor.send()
    assert visitor.place == "organisation"
    assert len(responses(store)) == 1


def test_a_code_alone_shows_no_answer_before_it_is_used(site):
    visitor = Visitor(site)
    visitor.start()
    visitor.answer(until="respondent")
    code = code_of(visitor)
    page = tries(site, code, "erase-my-answers").page  # without the tick
    assert "Esimerkki Oy" not in text(page)
