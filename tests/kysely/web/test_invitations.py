"""Personal links: they survive scanners and mail programs, belong to one person, and leak nowhere."""

from __future__ import annotations

import logging
import os
import re
from dataclasses import replace
from datetime import timedelta
from shutil import copytree

import pytest

from kysely import links
from kysely import store as stores
from kysely.web import create_app
from tests.kysely.web._invited import NOW, code_of, invite, open_wave
from tests.kysely.web._visitor import ANSWERS, STUDY, Visitor, form, text

ADDRESS = "Maija.Meikäläinen@Esimerkki.fi"

CODES, GUESSES = (1_000_000, 10_000) if os.environ.get("KYSELY_LONG") else (2_000, 200)
"""Random codes looked up in the database, and tried at the door."""


@pytest.fixture
def wave(store):
    return open_wave(store)


@pytest.fixture
def invited(store, wave, tmp_path):
    return invite(store, wave, tmp_path, f"{ADDRESS},Maija Meikäläinen,fi")[0]


@pytest.fixture
def code(store, invited):
    return code_of(store, invited)


@pytest.fixture
def clock():
    """A clock that tests put forward."""

    class Clock:
        now = NOW

        def __call__(self):
            return self.now

    return Clock()


@pytest.fixture
def app(settings, store, wave, clock):
    return create_app(settings, store, now=clock)


class Guest(Visitor):
    """A respondent who came by a personal link."""

    def arrive(self, code):
        self.page = self.client.get(f"/{self.language}/r/{code}")
        return self.page

    def enter(self, code):
        self.arrive(code)
        return self.send()


def responses(store, wave):
    return list(store.responses(wave.id))


def test_a_link_whose_button_is_pressed_again_before_the_page_has_come_leads_there(app, store, wave, code):
    guest = Guest(app)
    guest.arrive(code)
    first, second = guest.post(), guest.post()
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.headers["Location"] == second.headers["Location"]
    assert len(responses(store, wave)) == 1
    guest.see("organisation")
    guest.send(**ANSWERS["organisation"])
    assert guest.place == "activity"
    assert Guest(app).client.post("/fi/r/", data=dict(form(guest.page).hidden) | {"code": code}).status_code == 403


def test_a_link_leads_to_the_questions_and_leaves_the_address_at_once(app, store, wave, code):
    guest = Guest(app)
    page = guest.enter(code)
    assert page.status_code == 200 and guest.address == f"/fi/{STUDY}/organisation"
    assert code not in page.text and code not in str(page.headers)
    guest.answer()
    guest.send()
    assert guest.place == "thank-you"
    (response,) = responses(store, wave)
    assert response.submitted


def test_a_link_begins_with_the_text_that_stands_before_the_questions(sqlite_settings, tmp_path):
    folder = copytree(sqlite_settings.questionnaires / STUDY, tmp_path / "questionnaires" / STUDY)
    written = (folder / "questionnaire.yaml").read_text(encoding="utf8")
    word = """  - id: word
    title: {fi: Aluksi, sv: Till först, en: To begin}
    questions: [{id: hello, type: info, text: {fi: Tervetuloa., sv: Välkommen., en: Welcome.}}]
"""
    written = written.replace("pages: [organisation, ", "pages: [word, organisation, ").replace(
        "\npages:\n", "\npages:\n" + word
    )
    (folder / "questionnaire.yaml").write_text(written, encoding="utf8")
    store = stores.open(replace(sqlite_settings, questionnaires=folder.parent))
    wave = open_wave(store)
    (invited,) = invite(store, wave, tmp_path, "eeva@example.fi,Eeva,fi")
    guest, code = Guest(create_app(store.settings, store, now=lambda: NOW)), code_of(store, invited)
    guest.enter(code)
    assert guest.address == f"/fi/{STUDY}/word"
    guest.send()
    guest.send(**ANSWERS["organisation"])
    guest.enter(code)
    assert guest.address == f"/fi/{STUDY}/activity"
    store.close()


def test_fifty_visits_of_scanners_neither_use_a_link_up_nor_say_that_anybody_began(app, store, wave, code):
    from kysely.outcomes import outcomes

    for number in range(50):
        scanner = Guest(app)
        headers = {"User-Agent": f"scanner {number}", "Sec-Purpose": "prefetch"}
        assert scanner.client.get(f"/r/{code}", headers=headers).status_code == 200
        assert scanner.client.head(f"/r/{code}").status_code == 200
        assert scanner.enter(code).status_code == 200  # it presses the first button
    assert set(outcomes(store, wave).values()) == {"U_delivered_nothing_known"}
    assert [response.answers for response in responses(store, wave)] == [{}]
    guest = Guest(app)
    guest.enter(code)
    guest.answer()
    assert set(outcomes(store, wave).values()) != {"U_delivered_nothing_known"}


def test_a_link_that_is_opened_says_nothing_about_the_person(app, code):
    page = Guest(app).arrive(code)
    for secret in ("Maija", "Meikäläinen", "meikäläinen", "esimerkki.fi"):
        assert secret not in text(page)
    assert page.headers["Referrer-Policy"] == "strict-origin"
    assert "noindex" in page.headers["X-Robots-Tag"]


@pytest.mark.parametrize("around", ["{}.", "{})", "<{}>", "{} ", "{}?utm_source=mail", "»{}«,", "{}/"])
def test_what_mail_programs_add_to_a_link_does_no_harm(app, code, around):
    assert Guest(app).arrive(around.format(code)).status_code == 200
    assert Guest(app).arrive(around.format(code.upper())).status_code == 200


def test_a_link_broken_by_a_line_can_be_typed(app, store, wave, code):
    guest = Guest(app)
    page = guest.arrive(code[:14])
    assert page.status_code == 404 and 'name="code"' in page.text
    assert guest.send(code=f" {code[:14]}\n{code[14:].upper()} ").status_code == 200
    assert guest.place == "organisation"


@pytest.mark.parametrize(
    "wrong",
    ["x%0d%0aSet-Cookie:a=b", "..%2f", "<script>", "2" * 27, "a" * 5000, "\x00", "'", "%ff", "../../etc/passwd"],
)
def test_a_link_that_is_none_is_the_same_page_whatever_it_is(app, store, wave, code, tmp_path, wrong):
    others = invite(store, wave, tmp_path, "other@example.fi,,")
    assert len(others) == 2
    revoked = next(one for one in others if code_of(store, one) != code)
    store.invitations.revoke(revoked)
    client = app.test_client()
    expected = client.get(f"/fi/r/{code_of(store, revoked)}")
    answer = client.get(f"/fi/r/{wrong}")
    assert (answer.status_code, expected.status_code) == (404, 404)
    if "%0a" in wrong:
        assert "Set-Cookie" not in answer.headers  # no address at all
        return
    ticket = re.compile(r'value="[\w.-]{60,}"')
    assert ticket.sub("", answer.text) == ticket.sub("", expected.text)
    assert "a=b" not in str(answer.headers)


def test_two_browsers_that_press_start_at_once_go_on_with_one_response(app, store, wave, code):
    one, other = Guest(app), Guest(app)
    for guest in (one, other):
        guest.arrive(code)
    for guest in (one, other):
        guest.send()
    one.send(**ANSWERS["organisation"])
    conflict = other.send(**{**ANSWERS["organisation"], "BG10": "MUNI"})
    assert conflict.status_code == 409
    assert len(responses(store, wave)) == 1


def test_a_link_goes_on_where_the_respondent_stopped_on_another_device(app, code):
    first = Guest(app)
    first.enter(code)
    first.answer(until="respondent")
    other = Guest(app, "en")
    other.enter(code)
    assert other.address == f"/en/{STUDY}/respondent"


def test_a_link_that_was_used_leads_to_the_thanks(app, store, wave, code):
    guest = Guest(app)
    guest.enter(code)
    guest.answer()
    guest.send()
    again = Guest(app)
    again.enter(code)
    assert again.place == "thank-you"
    assert len(responses(store, wave)) == 1


def test_a_press_without_a_ticket_of_this_browser_begins_nothing(app, store, wave, code):
    assert app.test_client().post("/fi/r/", data={"code": code, "end": "1"}).status_code == 403
    guest, stranger = Guest(app), Guest(app)
    guest.arrive(code)
    stranger.arrive(code)
    foreign = dict(form(guest.page).hidden)
    assert stranger.client.post("/fi/r/", data=foreign).status_code == 403
    elsewhere = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    assert guest.client.post("/fi/r/", data=foreign, headers=elsewhere).status_code == 403
    assert responses(store, wave) == []


def test_nobody_begins_an_invited_wave_without_a_link(app, store, wave):
    visitor = Visitor(app)
    page = visitor.see()
    assert "<form" not in page.text and 'href="/fi/r/"' in page.text
    open_to_all = form(Guest(app).arrive("2" * 27))
    assert open_to_all.action == "/fi/r/"
    assert visitor.client.post(f"/fi/{STUDY}/", data={"end": "1"}).status_code == 403
    assert responses(store, wave) == []


def test_a_wave_that_takes_both_takes_both(settings, store, tmp_path):
    wave = open_wave(store, access="both")
    (person,) = invite(store, wave, tmp_path, "one@example.fi,,")
    app = create_app(settings, store)
    Guest(app).enter(code_of(store, person))
    visitor = Visitor(app)
    visitor.start()
    assert visitor.place == "organisation"
    assert len(responses(store, wave)) == 2


def test_ten_fetches_of_every_address_in_a_mail_leave_every_row_of_both_databases_as_it_was(app, store, invited, code):
    stop = store.invitations.keys.opt_out(invited.id)
    before = everything(store)
    for _ in range(10):
        for address in (f"/r/{code}", f"/fi/r/{code}", f"/stop/{stop}", f"/sv/stop/{stop}"):
            assert app.test_client().get(address).status_code == 200
            assert app.test_client().head(address).status_code == 200
    assert everything(store) == before


def everything(store):
    rows = []
    for database in (store.answers.database, store.identities.database):
        with database.reading() as connection:
            for table in database.metadata.sorted_tables:
                rows += sorted(map(str, connection.execute(table.select())))
    return rows


def test_random_codes_open_nothing(store, wave, tmp_path):
    people = invite(store, wave, tmp_path, *(f"p{n}@example.fi,," for n in range(30)))
    find = store.invitations.find
    assert all(find(code_of(store, person)) for person in people)
    assert not any(find(links.new_code()) for _ in range(CODES))


def test_many_guesses_hit_nothing_and_stop_only_the_guesser(app, store, wave, tmp_path):
    people = invite(store, wave, tmp_path, *(f"p{n}@example.fi,," for n in range(30)))
    office = app.test_client()
    for person in people:
        assert office.get(f"/r/{code_of(store, person)}", environ_base={"REMOTE_ADDR": "192.0.2.7"}).status_code == 200
    seen = [
        app.test_client().get(f"/r/{links.new_code()}", environ_base={"REMOTE_ADDR": "192.0.2.66"}).status_code
        for _ in range(GUESSES)
    ]
    assert seen[:30] == [404] * 30 and set(seen[30:]) == {429}
    for person in people:
        assert office.get(f"/r/{code_of(store, person)}", environ_base={"REMOTE_ADDR": "192.0.2.7"}).status_code == 200


def test_codes_have_128_random_bits_in_signs_that_nobody_mixes_up():
    assert not set("01ilou") & set(links.ALPHABET)
    assert len(links.ALPHABET) ** links.LENGTH >= 2**128
    assert links.written(b"\xff" * 16) != links.written(b"\x00" * 16)
    codes = {links.new_code() for _ in range(1000)}
    assert len(codes) == 1000 and {links.read_code(code.upper()) for code in codes} == codes


def test_the_databases_hold_no_usable_link_no_address_and_no_name(store, settings, wave, invited, code, app):
    guest = Guest(app)
    guest.enter(code)
    guest.answer()
    stored = []
    for database in (store.answers.database, store.identities.database):
        with database.reading() as connection:
            for table in database.metadata.sorted_tables:
                stored += [str(value) for row in connection.execute(table.select()) for value in row]
    everything = "\n".join(stored)
    for secret in (code, store.invitations.keys.opt_out(invited.id), "meikäläinen", "Maija", "esimerkki.fi"):
        assert secret not in everything
    # Nor does any table lead from the invitation to its response.
    assert everything.count(store.invitations.response_of(invited)) > 0
    with store.identities.database.reading() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM invitation").fetchall()
    assert store.invitations.response_of(invited) not in str(rows)


def test_no_log_holds_a_link(app, store, wave, code, caplog):
    with caplog.at_level(logging.DEBUG):
        guest = Guest(app)
        guest.enter(code)
        guest.answer()
        guest.client.get(f"/stop/{code}")
        guest.client.get(f"/r/{code}x")
    assert code not in caplog.text


# ---- opening and closing


def test_a_link_waits_for_the_wave_to_open_and_says_when(settings, store, tmp_path, clock):
    wave = open_wave(store, opens_at=NOW + timedelta(days=1))
    (person,) = invite(store, wave, tmp_path, "one@example.fi,,")
    app = create_app(settings, store, now=clock)
    page = Guest(app).enter(code_of(store, person))
    assert "24.11.2026 klo 11.00" in text(page) and responses(store, wave) == []
    clock.now = NOW + timedelta(days=1)
    guest = Guest(app)
    guest.enter(code_of(store, person))
    assert guest.place == "organisation"


def test_who_began_before_the_closing_time_may_finish_within_a_day_and_is_seen_to_be_late(
    settings, store, tmp_path, clock
):
    wave = open_wave(store, closes_at=NOW + timedelta(hours=1))
    early, late, never = invite(store, wave, tmp_path, *(f"p{n}@example.fi,," for n in range(3)))
    app = create_app(settings, store, now=clock)
    first, second = Guest(app), Guest(app)
    for guest, person in ((first, early), (second, late)):
        guest.enter(code_of(store, person))
        guest.answer()
    clock.now = NOW + timedelta(hours=1, minutes=10)
    assert first.send().status_code == 200 and first.place == "thank-you"
    assert Guest(app).enter(code_of(store, never)).status_code == 410
    clock.now = NOW + timedelta(hours=26)
    refused = second.send()
    assert refused.status_code == 409 and "Vastausaika on päättynyt" in text(refused)
    state = next(state for state in responses(store, wave) if state.submitted)
    assert state.submitted_at >= wave.closes_at


def test_a_page_typed_after_the_end_is_shown_to_be_copied(settings, store, tmp_path, clock):
    wave = open_wave(store, closes_at=NOW + timedelta(hours=1))
    (person,) = invite(store, wave, tmp_path, "one@example.fi,,")
    app = create_app(settings, store, now=clock)
    guest = Guest(app)
    guest.enter(code_of(store, person))
    clock.now = NOW + timedelta(days=3)
    page = guest.send(**{**ANSWERS["organisation"], "organisation_name": "Hyvin pitkä nimi Oy"})
    assert page.status_code == 409 and "Hyvin pitkä nimi Oy" in text(page)
    assert responses(store, wave)[0].answers == {}


def test_who_is_revoked_while_answering_keeps_what_was_typed_and_nothing_is_stored(app, store, wave, invited, code):
    guest = Guest(app)
    guest.enter(code)
    store.invitations.revoke(invited)
    page = guest.send(**{**ANSWERS["organisation"], "organisation_name": "Hyvin pitkä nimi Oy"})
    assert page.status_code == 409 and "Hyvin pitkä nimi Oy" in text(page) and "ei ole enää voimassa" in text(page)
    assert responses(store, wave)[0].answers == {}


# ---- who may post

VALUES = {"language": "fi", "study": STUDY, "page": "organisation", "stage": "choose", "code": links.ALPHABET[:27]}


def test_every_route_that_takes_a_form_refuses_one_of_another_browser_and_writes_nothing(
    app, store, wave, invited, code
):
    from tests.kysely.web.test_security import Writes

    guest, stranger = Guest(app), Guest(app)
    guest.enter(code)
    foreign = dict(form(guest.page).hidden)
    stranger.arrive(code)
    stop = store.invitations.keys.opt_out(invited.id)
    writes = Writes(store)
    adapter = app.url_map.bind("localhost")
    routes = [rule for rule in app.url_map.iter_rules() if "POST" in rule.methods]
    assert len(routes) > 5
    for rule in routes:
        values = {**VALUES, "code": stop} if "stop" in rule.rule else VALUES
        address = adapter.build(rule.endpoint, {name: values[name] for name in rule.arguments})
        for fields in ({}, {"end": "1"}, {**foreign, "code": code}, {"ticket": "x.y", "end": "1", "code": code}):
            for browser in (stranger.client, app.test_client()):
                assert browser.post(address, data=fields).status_code < 500
    assert writes.taken() == []
    # Ending mail takes no ticket (RFC 8058), but the word that says so.
    guest.client.post(f"/stop/{stop}", data={"leave": "1"})
    assert writes.taken() != []


# ---- no more mail


def test_only_the_second_button_ends_mail_and_a_fetch_never_does(app, store, wave, invited):
    from kysely.outcomes import outcomes

    stop = store.invitations.keys.opt_out(invited.id)
    guest = Guest(app)
    for _ in range(10):
        guest.page = guest.client.get(f"/fi/stop/{stop}")
        assert guest.client.head(f"/stop/{stop}").status_code == 200
        guest.send()
    assert not store.invitations.of_wave(wave.id)[0].no_mail
    guest.page = guest.client.get(f"/fi/stop/{stop}")
    assert "Viestit on lopetettu" in text(guest.send(("leave", "1")))
    assert store.invitations.of_wave(wave.id)[0].no_mail
    assert list(outcomes(store, wave).values()) == ["R_explicit"]


def test_a_mail_program_ends_mail_by_one_post_without_a_cookie(app, store, wave, invited):
    stop = store.invitations.keys.opt_out(invited.id)
    answer = app.test_client().post(f"/stop/{stop}", data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200 and "Set-Cookie" not in answer.headers
    assert store.invitations.of_wave(wave.id)[0].no_mail


def test_the_codes_of_a_link_and_of_its_opt_out_do_only_their_own(app, store, wave, invited, code):
    stop = store.invitations.keys.opt_out(invited.id)
    assert app.test_client().get(f"/r/{stop}").status_code == 404
    assert app.test_client().post(f"/stop/{code}", data={"leave": "1"}).status_code == 404
    assert not store.invitations.of_wave(wave.id)[0].no_mail
