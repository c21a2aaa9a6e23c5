"""Requests that nobody meant, or that were meant badly."""

from __future__ import annotations

import hashlib
import logging
import re
import sqlite3
from dataclasses import replace
from shutil import copytree

import psycopg
import pytest
from sqlalchemy import event

from kysely import store as stores
from kysely.web import MAXIMUM_REQUEST, create_app
from tests.conftest import in_production
from tests.kysely.web._visitor import ANSWERS, OWN_SCRIPT, STUDY, Visitor, form, text
from tests.kysely.web.test_interview import response_of

COOKIE = f"kysely_{STUDY}"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"
)


class Writes:
    """Counts the statements that change one of the two databases.

    At the cursors of the driver: the statements of a page are prepared, and go past SQLAlchemy.
    """

    def __init__(self, store: stores.Store):
        self.statements: list[str] = []
        for database in (store.answers.database, store.identities.database):
            for one in (database, database.hurried):
                event.listen(one.engine, "do_connect", self._connect)
                one.engine.dispose()  # connections made before are not watched

    def _connect(self, dialect, record, arguments, options) -> None:
        note = self._note

        class Noting:
            def execute(self, statement, *parameters, **more):
                done = super().execute(statement, *parameters, **more)
                note(statement, self.rowcount)
                return done

            def executemany(self, statement, *parameters, **more):
                done = super().executemany(statement, *parameters, **more)
                note(statement, self.rowcount)
                return done

        if dialect.name == "postgresql":
            options["cursor_factory"] = type("Cursor", (Noting, psycopg.Cursor), {})
            return
        cursors = type("Cursor", (Noting, sqlite3.Cursor), {})

        class Watched(sqlite3.Connection):
            def cursor(self):
                return super().cursor(cursors)

            def execute(self, *statement):  # sqlite3's own makes a cursor of its own kind
                return self.cursor().execute(*statement)

        options["factory"] = Watched

    def _note(self, statement: str, rows: int) -> None:
        changing = statement.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "ALTER"))
        if changing and rows != 0:
            self.statements.append(statement)

    def taken(self) -> list[str]:
        statements, self.statements = self.statements, []
        return statements


def test_the_counter_sees_every_statement_of_a_page_that_is_saved(app, writes):
    visitor = Visitor(app)
    visitor.start()
    assert {table(statement) for statement in writes.taken()} >= {"response"}
    visitor.send(**ANSWERS["organisation"])
    touched = {table(statement) for statement in writes.taken()}
    assert touched == {"answer_event", "page_submission", "response", "organisation", "respondent"}


def table(statement: str) -> str:
    return re.sub(r"(?i)^(insert into|update|delete from)\s+", "", statement.strip()).split()[0]


@pytest.fixture
def writes(store) -> Writes:
    return Writes(store)


PLACES = (
    "/",
    "/fi/",
    "/fi/accessibility",
    "/charts/",
    "/sv/charts/",
    "/fi/charts/x/x",
    "/healthz",
    f"/fi/{STUDY}/",
    f"/fi/{STUDY}/how-answers-are-handled",
    f"/fi/{STUDY}/organisation",
    f"/fi/{STUDY}/modes/choose",
    f"/fi/{STUDY}/modes/rate",
    f"/fi/{STUDY}/check-answers",
    f"/fi/{STUDY}/thank-you",
    f"/fi/{STUDY}/continue-later",
    f"/fi/{STUDY}/continue-with-a-code",
    f"/fi/{STUDY}/erase-my-answers",
    f"/fi/{STUDY}/change-my-answers",
    f"/fi/{STUDY}/your-feedback",
    "/assets/x/kysely.css",
    "/charts/x/fi/x.png",
    "/reports/x/fi",
    "/log-in",
    "/sv/log-in",
    "/fi/one-time-code",
    "/set-password",
    "/en/set-password",
    "/fi/my-account",
    "/fi/my-account/password",
    "/fi/my-account/one-time-codes",
    "/r/",
    "/fi/r/",
    "/r/x",
    "/sv/r/x",
    "/stop/x",
    "/en/stop/x",
)


def test_the_list_of_places_covers_every_rule(site):
    """A new address must be added above, or the tests below would pass it by."""
    adapter = site.url_map.bind("localhost")
    met = {adapter.match(place, method="GET", return_rule=True)[0].rule for place in PLACES}
    unmet = {rule.rule for rule in site.url_map.iter_rules() if "GET" in rule.methods} - met
    assert unmet == set()


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "PATCH", "DELETE"])
def test_no_method_but_post_writes(app, store, writes, method):
    visitor = Visitor(app)
    visitor.start()
    visitor.answer(until="respondent")
    writes.taken()
    before = response_of(app, store)
    for place in PLACES:
        answer = visitor.client.open(place, method=method)
        assert answer.status_code < 500
        if method not in ("GET", "HEAD", "OPTIONS"):
            assert answer.status_code in (404, 405)
    assert writes.taken() == []
    assert response_of(app, store) == before


def test_a_post_without_a_ticket_of_this_browser_writes_nothing(app, store, writes):
    attacker = Visitor(app)
    attacker.start()
    foreign = form(attacker.page).hidden
    starting = form(attacker.see()).hidden
    visitor = Visitor(app)
    visitor.start()
    visitor.answer()
    writes.taken()
    places = [f"/fi/{STUDY}/{place}" for place in ("", *ANSWERS, "check-answers")]
    for hidden in ([], [("end", "1")], foreign, starting):
        for place in places:
            answer = visitor.client.post(place, data={**dict(hidden), **ANSWERS.get(place.split(f"{STUDY}/")[1], {})})
            assert answer.status_code in (403, 409), place
    fresh = app.test_client()
    for hidden in ([], foreign, starting):
        for place in places:
            answer = fresh.post(place, data=dict(hidden))
            assert answer.status_code in (303, 403, 409), place
            assert answer.status_code != 303 or answer.headers["Location"].startswith(f"/fi/{STUDY}/")
    assert writes.taken() == []


def test_a_forged_page_of_another_site_needs_a_press_here_and_shows_no_answer_of_the_victim(app, store):
    """The attacker's own form, sent from the victim's browser: what comes back is a page, never a saved answer."""
    attacker = Visitor(app)
    attacker.start()
    victim = Visitor(app)
    victim.start()
    victim.answer(until="respondent")
    mark = victim.client.get_cookie(COOKIE).value
    page = victim.client.post(
        f"/fi/{STUDY}/organisation", data={**dict(form(attacker.page).hidden), "organisation_name": "Väärä"}
    )
    assert page.status_code == 403
    assert "Esimerkki Oy" not in text(page)
    assert victim.client.get_cookie(COOKIE).value == mark


def test_a_form_of_one_study_is_no_form_of_another(sqlite_settings, embedded, tmp_path):
    folder = tmp_path / "questionnaires"
    for id in (STUDY, "sibling"):
        copytree(sqlite_settings.questionnaires / STUDY, folder / id)
        file = folder / id / "questionnaire.yaml"
        file.write_text(re.sub(r"(?m)^id: .*$", f"id: {id}", file.read_text(encoding="utf-8")), encoding="utf-8")
    app = create_app(replace(sqlite_settings, questionnaires=folder), embedded)
    visitor = Visitor(app)
    visitor.start()
    fields = {**dict(form(visitor.page).hidden), **ANSWERS["organisation"]}
    visitor.page = visitor.client.post("/fi/sibling/organisation", data=fields)
    assert visitor.page.status_code == 403
    assert visitor.client.get_cookie("kysely_sibling") is not None
    visitor.send(**ANSWERS["organisation"])
    assert response_of(app, embedded).revision == 0  # what was typed began a response of the sibling's own
    (other,) = embedded.responses(embedded.wave("sibling", "core2015", "real").id)
    assert other.revision == 1


@pytest.mark.parametrize("path", [f"/en/{STUDY}", f"/en/{STUDY}?a=b", "//evil.example/..//fi"])
def test_redirects_of_the_router_name_no_host(site, path):
    answer = site.test_client().get(path, headers={"Host": "localhost", "X-Forwarded-Host": "evil.example"})
    place = answer.headers.get("Location", "/")
    assert place.startswith("/") and not place.startswith("//")
    assert "localhost" not in place + answer.text


def test_no_address_and_no_page_before_the_form_tells_who_answers(app, store):
    visitor = Visitor(app)
    visitor.start()
    visitor.answer()
    state = response_of(app, store)
    assert state.id not in visitor.address
    assert state.id not in visitor.page.text.replace(form(visitor.page).hidden[0][1], "")
    stranger = Visitor(app)
    for place in PLACES:
        assert "Esimerkki Oy" not in text(stranger.client.get(place, follow_redirects=True))


def answers_of_every_kind(app, monkeypatch):
    visitor = Visitor(app)
    yield 200, visitor.see()
    yield 303, visitor.post()
    yield 200, visitor.start()
    yield 303, visitor.post()
    yield 422, visitor.see("organisation")
    yield 403, visitor.client.post(visitor.address, data={})
    yield 302, app.test_client().get(f"/fi/{STUDY}/organisation")
    yield 308, visitor.client.get(f"/fi/{STUDY}")
    yield 400, visitor.client.get("/", headers={"Host": "evil.example"})
    yield 404, visitor.client.get("/nowhere/at/all")
    yield 405, visitor.client.delete("/")
    yield 413, visitor.client.post(visitor.address, data={"BG01": "x" * MAXIMUM_REQUEST})
    yield 415, visitor.client.post(visitor.address, json={})
    yield 200, visitor.client.get(stylesheet(visitor.page))
    with monkeypatch.context() as patch:
        patch.setattr("kysely.web.frames.preferred_language", lambda: 1 / 0)
        yield 500, visitor.client.get("/")


def test_the_headers_stand_on_every_kind_of_answer(site, monkeypatch):
    for status, answer in answers_of_every_kind(site, monkeypatch):
        assert answer.status_code == status
        headers = answer.headers
        assert headers["Content-Security-Policy"] == POLICY
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cross-Origin-Opener-Policy"] == headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert headers["Referrer-Policy"] == "same-origin"
        assert "geolocation=()" in headers["Permissions-Policy"]
        if answer.mimetype == "text/html":
            assert headers["Cache-Control"] == "no-store"
        assert "Strict-Transport-Security" not in headers  # a demonstration runs on http


def test_errors_look_like_the_site_and_speak_the_address_language(site, monkeypatch):
    client = site.test_client()
    for language, sentence in (("fi", "Sivua ei löytynyt"), ("sv", "Sidan hittades inte"), ("en", "Page not found")):
        page = client.get(f"/{language}/nowhere/")
        assert page.status_code == 404 and sentence in text(page) and f'lang="{language}"' in page.text
        page = client.post(f"/{language}/{STUDY}/organisation", data={"x": "y" * MAXIMUM_REQUEST})
        assert page.status_code == 413 and f'lang="{language}"' in page.text
    assert "Sidan hittades inte" in text(client.get("/x", headers={"Accept-Language": "sv-FI, en;q=0.5"}))


def test_an_exception_shows_a_number_and_logs_no_answer(site, monkeypatch, caplog):
    monkeypatch.setattr("kysely.web.screens.receive", _explode)
    visitor = Visitor(site)
    visitor.start()
    with caplog.at_level(logging.DEBUG):
        page = visitor.post(organisation_name="Salainen Oy")
    assert page.status_code == 500
    reference = text(page).split("Tapahtuman numero: ")[1][:8]
    logged = caplog.text
    assert reference in logged and "ZeroDivisionError" in logged and "saving.py" in logged
    assert "Salainen" not in logged and "Salainen" not in page.text and "Traceback" not in page.text


def _explode(standing, screen, typed, *, skip):
    raise ZeroDivisionError(typed["organisation_name"])


@pytest.mark.parametrize("kind", ["urlencoded", "multipart", "many small fields"])
def test_a_request_over_the_limit_is_refused_and_saves_nothing(app, store, kind):
    visitor = Visitor(app)
    visitor.start()
    fields = {**dict(form(visitor.page).hidden), **ANSWERS["organisation"]}
    if kind == "many small fields":
        fields |= {f"x{number}": "y" for number in range(60_000)}
    else:
        fields["organisation_name"] = "x" * MAXIMUM_REQUEST
    more = {"content_type": "multipart/form-data"} if kind == "multipart" else {}
    page = visitor.client.post(visitor.address, data=fields, **more)
    assert page.status_code == 413
    assert "Aiemmin tallennetut sivut ovat tallessa" in text(page) and "akaisin-painik" not in text(page)
    assert response_of(app, store).revision == 0


def test_text_over_a_fields_limit_is_kept_and_told_with_its_length(site):
    visitor = Visitor(site)
    visitor.start()
    page = visitor.send(**{**ANSWERS["organisation"], "organisation_name": "ä" * 40_000})
    assert page.status_code == 422
    assert "Siinä on 40\u00a0000 merkkiä, ja enintään 200 mahtuu." in text(page)
    assert form(page).typed["organisation_name"] == ["ä" * 40_000]


def test_production_sets_its_cookies_for_https_and_this_host_only(sqlite_settings, embedded):
    settings = in_production(replace(sqlite_settings, secret_key="k" * 20 + "0123456789abcdef"))
    from datetime import UTC, datetime

    from kysely import loading

    instrument = loading.load(settings.questionnaires / STUDY)
    asking = stores.Asking("Tutkimuslaitos", "tutkimus@example.fi", "Tutkimus", "Yleinen etu", "Viisi vuotta")
    embedded.open_wave(instrument, name="2026", origin="real", asking=asking, now=datetime.now(UTC))
    client = create_app(settings, embedded).test_client()
    page = client.get(f"/fi/{STUDY}/", base_url="https://kysely.example.fi")
    assert page.status_code == 200
    (cookie,) = page.headers.getlist("Set-Cookie")
    assert cookie.startswith(f"__Host-kysely_{STUDY}=")
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
    assert page.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert "Tutkimuslaitos" in text(page) and "tutkimus@example.fi" in text(page)
    assert "esittely" not in text(page)
    assert client.get("/", base_url="https://other.example").status_code == 400


def test_production_serves_no_study_that_nobody_has_opened(sqlite_settings):
    settings = in_production(sqlite_settings)
    store = stores.open(settings)
    client = create_app(settings, store).test_client()
    base = "https://kysely.example.fi"
    assert "Yhtään kyselyä ei ole juuri nyt auki." in text(client.get("/fi/", base_url=base))
    assert client.get(f"/fi/{STUDY}/", base_url=base).status_code == 404
    store.close()


def test_a_forwarded_host_is_believed_only_from_the_proxies_there_are(sqlite_settings, embedded):
    forged = {"X-Forwarded-Host": "evil.example", "X-Forwarded-For": "1.2.3.4", "X-Forwarded-Proto": "https"}
    assert create_app(sqlite_settings, embedded).test_client().get("/", headers=forged).status_code == 200
    behind = replace(sqlite_settings, proxy_hops=1)
    assert create_app(behind, embedded).test_client().get("/", headers=forged).status_code == 400


def test_a_page_and_all_its_assets_weigh_under_30_kilobytes_compressed(site):
    """Fonts are not counted (PERFORMANCE.md); LimeSurvey's page weighs 358 kB, oTree's 82 kB."""
    import gzip
    import re

    visitor = Visitor(site)
    visitor.start()
    heaviest = 0
    while visitor.place != "check-answers":
        page = visitor.page
        assets = set(re.findall(r'(?:href|src)="(/assets/[^"]+)"', page.text))
        fetched = [visitor.client.get(asset).data for asset in assets if not asset.endswith(".woff2")]
        assert len(fetched) == 3
        heaviest = max(heaviest, sum(len(gzip.compress(content)) for content in (page.data, *fetched)))
        assert "<script" not in OWN_SCRIPT.sub("", page.text)
        visitor.send(**ANSWERS[visitor.place])
    assert heaviest < 30_000


def test_assets_are_kept_for_ever_and_change_their_address_with_their_content(site):
    client = site.test_client()
    address = stylesheet(client.get("/"))
    plain, packed = client.get(address), client.get(address, headers={"Accept-Encoding": "gzip"})
    assert plain.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert packed.headers["Content-Encoding"] == "gzip" and len(packed.data) < len(plain.data) / 2
    assert client.get(address.replace("kysely.css", "Inter-Regular.woff2")).mimetype == "font/woff2"
    for wrong in ("/assets/000000000000/kysely.css", address + "x", address.replace("kysely.css", "..%2fwording.py")):
        assert client.get(wrong).status_code == 404


def test_the_log_of_a_whole_interview_holds_nothing_of_it(app, store, caplog):
    with caplog.at_level(logging.DEBUG):
        visitor = Visitor(app)
        visitor.start()
        visitor.answer()
        visitor.send()
    state = response_of(app, store)
    for secret in (state.id, "Esimerkki Oy", "Myynti", visitor.client.get_cookie(COOKIE).value):
        assert secret not in caplog.text


def test_a_get_leaves_the_files_of_the_database_byte_for_byte(sqlite_settings, embedded):
    visitor = Visitor(create_app(sqlite_settings, embedded))
    visitor.start()
    visitor.answer(until="respondent")
    before = digests(sqlite_settings)
    for _ in range(10):
        for place in PLACES:
            visitor.client.get(place)
            visitor.client.head(place)
    assert digests(sqlite_settings) == before


def digests(settings) -> dict[str, str]:
    files = [file for file in sorted(settings.instance.glob("*.db*")) if not file.name.endswith(("-shm", ".lock"))]
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def stylesheet(page) -> str:
    return page.text.split('rel="stylesheet" href="')[1].split('"')[0]
