"""The e-mail address for feedback: validated, kept apart from the answers, and gone when the response is erased."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from shutil import copyfile

import pytest
from sqlalchemy import text as sql

from kysely import cli, loading
from kysely import store as stores
from kysely.attack import attack
from kysely.errors import AuthorError, InvalidAnswer
from kysely.links import Keys
from kysely.store import upgrading
from kysely.store.databases import databases
from kysely.web import create_app
from kysely.web.wording import wordings
from tests.conftest import settings_in
from tests.kysely.web._visitor import Visitor, form, text

LANGUAGES = ("fi", "sv", "en")
GUEST_BOOK = """
schema: questionnaire/1
id: guest_book
revision: "1"
languages: {base: fi, required: [fi, sv, en]}
title: {fi: Vieraskirja, sv: Gästbok, en: Guest book}
privacy: {mode: confidential, min_group: 5}
pages:
  - id: visit
    title: {fi: Käynti, sv: Besök, en: Visit}
    questions:
      - {id: organisation, type: organisation, required: no, text: {fi: Mistä?, sv: Varifrån?, en: Where from?}}
      - {id: liked, type: text, text: {fi: Mistä pidit?, sv: Vad gillade du?, en: What did you like?}}
      - {id: reply_to, type: email, required: no, text: {fi: Mihin?, sv: Vart?, en: Where to?}}
"""
ADDRESS = "Eeva.Esimerkki@Yritys.fi"
FOLDED = "eeva.esimerkki@yritys.fi"


@pytest.fixture
def book(settings, tmp_path):
    folder = tmp_path / "questionnaires" / "guest_book"
    folder.mkdir(parents=True)
    (folder / "questionnaire.yaml").write_text(GUEST_BOOK, encoding="utf8")
    return replace(settings, questionnaires=folder.parent)


@pytest.fixture
def kept(book):
    store = stores.open(book)
    yield store
    store.close()


@pytest.fixture
def guest(book, kept) -> Visitor:
    visitor = Visitor(create_app(book, kept), "fi", "guest_book")
    visitor.start()
    return visitor


def response(store):
    (state,) = store.responses(store.wave("guest_book", "main", "real").id)
    return state


def rows(store, database, table):
    with getattr(store, database).database.reading() as connection:
        return [dict(row) for row in connection.execute(sql(f"SELECT * FROM {table}")).mappings()]


def everything(store) -> str:
    """All that both databases hold, as one text."""
    return "".join(
        str(rows(store, name, table))
        for name in ("answers", "identities")
        for table in getattr(store, name).database.metadata.tables
    )


def test_the_address_is_kept_apart_sealed_and_shown_only_to_who_gave_it(guest, kept):
    guest.send(liked="Saunasta", reply_to=ADDRESS)
    assert guest.place == "check-answers" and FOLDED in text(guest.page)
    state = response(kept)
    assert state.answers["reply_to_given"] == 1 and set(state.answers) == {
        "organisation_given",
        "liked",
        "reply_to_given",
    }
    assert kept.address(state.id) == FOLDED
    assert FOLDED not in everything(kept) and ADDRESS not in everything(kept)
    (row,) = rows(kept, "identities", "reply_address")
    assert state.id not in str(row)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("typed", ["eeva", "eeva@", "@yritys.fi", "eeva@yritys", "eeva yritys.fi", "a@b.fi, c@d.fi"])
def test_what_is_no_address_is_asked_for_again_and_not_kept_where_it_can_be_read(book, kept, language, typed):
    visitor = Visitor(create_app(book, kept), language, "guest_book")
    visitor.start()
    page = visitor.send(liked="Saunasta", reply_to=typed)
    assert page.status_code == 422 and wordings()[language].error(InvalidAnswer("email")) in text(page)
    assert form(page).typed["reply_to"] == [typed]
    assert typed not in everything(kept)


def test_it_can_be_corrected_and_taken_back(guest, kept):
    guest.send(liked="Saunasta", reply_to=ADDRESS)
    guest.see("visit?edit")
    assert form(guest.page).typed["reply_to"] == [FOLDED]
    guest.send(liked="Saunasta", reply_to="olli@yritys.fi")
    assert kept.address(response(kept).id) == "olli@yritys.fi"
    guest.see("visit?edit")
    guest.send(liked="Saunasta", reply_to="")
    assert kept.address(response(kept).id) is None and rows(kept, "identities", "reply_address") == []
    assert "reply_to" not in form(guest.see("visit?edit")).typed


def test_two_tabs_with_different_addresses_meet_the_page_with_both(guest, kept):
    guest.send(liked="Saunasta", reply_to=ADDRESS)
    other = guest.see("visit")
    guest.see("visit")
    guest.send(liked="Saunasta", reply_to="olli@yritys.fi")
    guest.page = other
    page = guest.send(liked="Saunasta", reply_to="kolmas@yritys.fi")
    assert page.status_code == 409 and "olli@yritys.fi" in text(page) and "kolmas@yritys.fi" in text(page)
    assert kept.address(response(kept).id) == "olli@yritys.fi"


def test_an_organisation_on_the_same_page_is_kept_beside_it(guest, kept):
    guest.send(organisation_name="Esimerkki Oy", liked="Saunasta", reply_to=ADDRESS)
    state = response(kept)
    assert kept.organisation_typed(state.id).name == "Esimerkki Oy" and kept.address(state.id) == FOLDED


def test_erasing_a_response_erases_its_address(guest, kept):
    guest.send(liked="Saunasta", reply_to=ADDRESS)
    kept.erase(response(kept).id, by="operator", now=datetime.now(UTC))
    assert rows(kept, "identities", "reply_address") == []


def test_the_operator_reads_the_addresses_without_what_was_answered(book, kept, monkeypatch, capsys):
    for address in ("pekka@yritys.fi", "anna@yritys.fi", "pekka@yritys.fi", ""):
        visitor = Visitor(create_app(book, kept), "fi", "guest_book")
        visitor.start()
        visitor.send(liked="Saunasta", reply_to=address)
    environment = {
        "KYSELY_INSTANCE": book.instance,
        "KYSELY_DATABASE_URL": book.database_url,
        "KYSELY_IDENTITY_URL": book.identity_url,
        "KYSELY_ACCESS_URL": book.access_url,
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, str(value))
    assert cli.main(["addresses", "guest_book"]) == 0
    assert capsys.readouterr().out == "anna@yritys.fi\npekka@yritys.fi\n"


@pytest.mark.parametrize("mode", ["anonymous", "open"])
def test_where_nobody_is_to_be_known_no_address_is_asked(tmp_path, mode):
    text = GUEST_BOOK.replace("mode: confidential", f"mode: {mode}")
    text = "\n".join(line for line in text.splitlines() if "type: organisation" not in line)
    (tmp_path / "questionnaire.yaml").write_text(text, encoding="utf8")
    with pytest.raises(AuthorError) as refused:
        loading.load(tmp_path)
    assert [problem.code for problem in refused.value.problems] == ["identifies"]


def test_two_addresses_are_one_too_many(tmp_path):
    (tmp_path / "questionnaire.yaml").write_text(
        GUEST_BOOK + "      - {id: other, type: email, text: {fi: Mihin?, sv: Vart?, en: Where to?}}\n", encoding="utf8"
    )
    with pytest.raises(AuthorError) as refused:
        loading.load(tmp_path)
    assert [problem.code for problem in refused.value.problems] == ["identified_twice"]


def test_what_was_typed_and_not_saved_before_the_upgrade_is_sealed_by_it(tmp_path):
    book = settings_in(tmp_path)
    book.instance.mkdir()
    keys, response, on = Keys.of(book), "0" * 32, datetime.now(UTC)
    (identity,) = (database for database in databases(book) if database.name == "identity")
    folder = tmp_path / "before" / "identity"
    folder.mkdir(parents=True)
    for file in (upgrading.MIGRATIONS / "identity").glob("000[1-4]*.py"):
        copyfile(file, folder / file.name)
    upgrading.upgrade(identity, book.instance / "backups", keys=keys, now=on, folder=folder.parent)
    typed = {"link": keys.identity_id(response), "typed": '[["reply_to", "eeva@"]]'}
    with identity.writing() as connection:
        connection.execute(sql("INSERT INTO identity_draft VALUES (:link, 'visit', '', 'mark', :typed)"), typed)
    identity.close()
    store = stores.open(book)
    assert "eeva" not in everything(store)
    assert store.identities.drafts(response, "visit", "") == {"mark": typed["typed"]}
    store.close()


def test_addresses_tell_an_attacker_with_both_databases_nothing_more(book, kept):
    app = create_app(book, kept)
    for number in range(6):
        visitor = Visitor(app, "fi", "guest_book")
        visitor.start()
        visitor.send(organisation_name=f"Tila {number}", liked="Saunasta", reply_to=f"vieras{number}@yritys.fi")
        visitor.send()
    found = attack(kept, kept.wave("guest_book", "main", "real"))
    assert any("reply_address" in method.name for method in found.orders)  # it has looked there
    assert found.rate == pytest.approx(found.chance) == pytest.approx(1 / 6)


def test_how_answers_are_handled_says_where_the_address_lies(guest):
    assert wordings()["fi"]["stored_reply"] in text(guest.see("how-answers-are-handled"))
