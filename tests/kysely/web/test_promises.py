"""What a page promises about privacy is what the system does; text, tables and behaviour are looked at together."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from datetime import timedelta

import pytest

from kysely import cli, loading
from kysely import store as stores
from kysely.store import REAL
from kysely.web import create_app
from kysely.web.visits import LATER
from kysely.web.wording import LANGUAGES
from tests.kysely.harvest import NOW, QUESTIONNAIRE
from tests.kysely.store.test_anonymous import ANONYMOUS
from tests.kysely.web._invited import invite
from tests.kysely.web._visitor import Visitor, form, text


def trilingual(questionnaire: str) -> str:
    """Return the questionnaire with its English words in all three languages."""
    questionnaire = questionnaire.replace(
        "languages: {base: en, required: [en]}", "languages: {base: fi, required: [fi, sv, en]}"
    )
    return re.sub(r"\{en: ([^}]*)\}", r"{fi: \1, sv: \1, en: \1}", questionnaire)


@pytest.fixture(params=["confidential", "named", "anonymous"])
def mode(request):
    return request.param


@pytest.fixture
def study(settings, tmp_path, mode):
    source = ANONYMOUS if mode == "anonymous" else QUESTIONNAIRE.replace("mode: confidential", f"mode: {mode}")
    folder = tmp_path / "questionnaires" / "harvest"
    folder.mkdir(parents=True)
    (folder / "questionnaire.yaml").write_text(trilingual(source), encoding="utf8")
    settings = replace(settings, questionnaires=folder.parent)
    store = stores.open(settings)
    instrument = loading.load(folder)
    id = store.open_wave(
        instrument, name="one", origin=REAL, access="invited", closes_at=NOW + timedelta(days=9), now=NOW
    )
    wave = next(wave for wave in store.waves() if wave.id == id)
    people = invite(store, wave, tmp_path, *(f"p{n}@example.fi,Person {n},en" for n in range(7)))
    yield store, wave, people, create_app(settings, store, now=lambda: NOW)
    store.close()


class Farmer(Visitor):
    def enter(self, code):
        self.page = self.client.get(f"/{self.language}/r/{code}")
        return self.send()

    @property
    def place(self):
        return self.address.split("/harvest/", 1)[1].partition("?")[0]

    def finish(self, hectares):
        answers = {
            "farm": {"farm_name": "Farm", "farm_municipality": "Salo"},
            "person": {"role": "OWNER"},
            "field": {"crop": ["RYE"], "hectares": str(hectares), "remark": "dry"},
        }
        while self.place != "check-answers":
            self.send(**answers[self.place])
            assert self.page.status_code == 200, self.page.text
        return self.send()

    def see_code(self):
        self.page = self.client.get(f"/{self.language}/harvest/{LATER}")
        return self.send() if form(self.page).action else self.page


def code_of(store, person):
    keys = store.invitations.keys
    return store.invitations.new_code(person) if person.anonymous else keys.code(person.id, person.generation)


def rows(database, table):
    with database.reading() as connection:
        return [dict(row._mapping) for row in connection.execute(database.metadata.tables[table].select())]


def test_the_promise_of_each_mode_is_what_is_stored(study, mode):
    store, wave, people, app = study
    for number, person in enumerate(people[:5]):
        farmer = Farmer(app, "en")
        code = code_of(store, person)
        farmer.enter(code)
        farmer.finish(number)
        assert farmer.place == "thank-you"
        cookies = " ".join(cookie.value for cookie in farmer.client._cookies.values())
        for secret in (code, person.id, person.contact):
            assert secret not in cookies and secret not in farmer.page.text
    handling = text(app.test_client().get("/en/harvest/how-answers-are-handled"))
    answers, identity = store.answers.database, store.identities.database
    timed = [row for table in ("response", "answer_event", "page_submission") for row in rows(answers, table)]
    invitations = rows(identity, "invitation")
    named = {row["response_id"] for row in invitations} - {None}
    # Who is asked for is told, and stored sealed.
    assert "e-mail address" in handling and "stored encrypted" in handling
    assert not any("p0@" in str(row) or "Person" in str(row) for row in rows(identity, "contact"))
    assert ("no times" in handling) == (not timed) == (mode == "anonymous")
    assert ("linked to your invitation" in handling) == bool(named) == (mode == "named")
    assert ("key that is kept outside" in handling) == (mode == "confidential")
    assert ("Your answers are anonymous" in handling) == (mode == "anonymous")
    assert ("stay in the database" in handling) == (mode != "anonymous")
    if mode == "named":
        assert named >= {row["id"] for row in rows(answers, "response")}
    assert len(list(store.responses(wave.id))) == 5


def test_after_the_button_of_a_personal_link_no_page_address_header_or_cookie_tells_whose_it_was(study):
    store, _, people, app = study
    person = people[3]
    code = code_of(store, person)
    farmer = Farmer(app, "en")
    farmer.enter(code)
    seen = []
    answers = {"farm": {"farm_name": "Farm"}, "person": {"role": "OWNER"}, "field": {"hectares": "3"}}
    while farmer.place != "thank-you":
        seen += [farmer.address, farmer.page.text, str(farmer.page.headers), *_cookies(farmer)]
        farmer.send(**answers.get(farmer.place, {}), skip="1")
    seen += [farmer.address, farmer.page.text, str(farmer.page.headers), *_cookies(farmer)]
    assert len(seen) >= 5 * 4  # the pages, the review and the thank-you
    for secret in (code, code.replace("-", ""), person.id, person.contact, "p3@example.fi", "Person 3"):
        assert not any(secret in one for one in seen)


def _cookies(visitor):
    """Return the visitor's cookies as they are and with each part decoded: a signed value is text in base64."""
    for cookie in visitor.client._cookies.values():
        yield cookie.value
        for part in re.split(r"[.:|]", cookie.value):
            yield base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode("latin-1")


@pytest.mark.parametrize("mode", ["anonymous"], indirect=True)
def test_an_anonymous_respondent_resumes_sends_once_and_keeps_a_code_that_erases(study):
    store, wave, people, app = study
    code = code_of(store, people[0])
    first = Farmer(app, "en")
    first.enter(code)
    first.send(role="OWNER")
    other = Farmer(app, "sv")
    other.enter(code)
    assert other.address == "/sv/harvest/field"
    other.finish(77)
    assert other.place == "thank-you"
    again = Farmer(app, "en")
    assert "This link has already been used" in text(again.enter(code))
    # The code that leads to the response, and to nobody.
    page = other.see_code()
    receipt = re.search(r"([0-9a-z-]{27,40})</", page.text, re.I)
    assert receipt is not None
    for person in people[1:5]:
        farmer = Farmer(app, "en")
        farmer.enter(code_of(store, person))
        farmer.finish(1)
    assert sorted(state.answers["hectares"] for state in store.responses(wave.id)) == [1, 1, 1, 1, 77]
    found = store.response_of_code(receipt[1])
    assert found.answers["hectares"] == 77
    store.erase(found.id, by="respondent", now=NOW)
    assert sorted(state.answers["hectares"] for state in store.responses(wave.id)) == [1, 1, 1, 1]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("mode", ["anonymous"], indirect=True)
def test_the_promise_is_told_before_anything_is_asked_in_every_language(study, language):
    store, _, people, app = study
    page = text(app.test_client().get(f"/{language}/r/{code_of(store, people[0])}"))
    assert {"fi": "nimettömiä", "sv": "anonyma", "en": "anonymous"}[language] in page


@pytest.mark.parametrize("mode", ["anonymous"], indirect=True)
@pytest.mark.parametrize("way", ["opt-out", "revoked"])
def test_an_anonymous_draft_goes_with_its_invitation_and_what_is_typed_then_can_be_copied(study, way, monkeypatch):
    store, wave, people, app = study
    code = code_of(store, people[0])
    farmer = Farmer(app, "en")
    farmer.enter(code)
    farmer.send(role="OWNER")
    if way == "revoked":
        for name, value in (("INSTANCE", store.settings.instance), ("QUESTIONNAIRES", store.settings.questionnaires)):
            monkeypatch.setenv(f"KYSELY_{name}", str(value))
        monkeypatch.setenv("KYSELY_SECRET_KEY", store.settings.secret_key)
        monkeypatch.setenv("KYSELY_DATABASE_URL", store.settings.database_url.replace("+psycopg", ""))
        assert cli.main(["invite", "revoke", "harvest", "--email", store.invitations.address(people[0])]) == 0
    else:
        stop = f"/en/stop/{store.invitations.keys.opt_out(people[0].id)}"
        asked = text(app.test_client().get(stop))
        assert "not sent your answers yet, they will be deleted" in asked
        app.test_client().post(stop, data={"leave": "1"})
        assert store.invitations.find(code).no_mail
    assert b"OWNER" not in b"".join(str(row).encode() for row in rows(store.answers.database, "anonymous_draft"))
    farmer.send(crop=["RYE"], hectares="3", remark="words that are nowhere else")
    assert 400 <= farmer.page.status_code < 500
    assert "words that are nowhere else" in text(farmer.page)
    assert rows(store.answers.database, "anonymous_draft") == []
    assert [one.genuine for one in store.tombstones()] == [True]
    entered = Farmer(app, "en").enter(code)
    # A link that was revoked opens nothing; who has only refused may still change their mind.
    assert entered.status_code == (404 if way == "revoked" else 200)
