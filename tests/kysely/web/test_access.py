"""Logging in and out through the pages, as a browser does."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

import pyotp
import pytest

from kysely.access import Role
from kysely.access.throttling import MOST
from kysely.web import create_app
from kysely.web.wording import LANGUAGES
from tests.conftest import in_production
from tests.kysely.web._account import PASSWORD, access_of, log_in, make_account, post
from tests.kysely.web._visitor import form, text

SECURE = "https://kysely.example.fi"


@pytest.fixture
def client(site, embedded):
    make_account(embedded, "maija", Role.RESEARCHER)
    return site.test_client()


@pytest.fixture
def logged_in(client):
    log_in(client, "maija")
    return client


def begin_codes(client) -> tuple[str, list[str]]:
    """Take one-time codes into use through the pages; return the code that did it and the recovery codes."""
    shown = post(client, client.get("/fi/my-account/one-time-codes"), current=PASSWORD, go="begin")
    secret = re.search(r"<bdi>([A-Z2-7 ]{39})</bdi>", shown.text)[1].replace(" ", "")
    code = pyotp.TOTP(secret).now()
    confirmed = post(client, shown, code=code, go="confirm")
    return code, re.findall(r"<li><bdi>([a-z0-9-]{14})</bdi></li>", confirmed.text)


# ---- the door


@pytest.mark.parametrize("place", ["/charts/", "/fi/charts/", "/sv/charts/", "/charts/x/fi/x.png", "/reports/x/en"])
def test_who_is_not_logged_in_is_led_to_the_door_and_back(client, place):
    asked = client.get(place)
    assert asked.status_code == 302
    assert asked.headers["Location"].endswith(f"/log-in?next={place}")
    door = client.get(asked.headers["Location"])
    let_in = post(client, door, name="maija", password=PASSWORD)
    assert (let_in.status_code, let_in.headers["Location"]) == (303, place)


def test_without_an_address_one_comes_to_what_one_may_see(client, embedded):
    assert log_in(client, "maija").headers["Location"] == "/fi/charts/"
    make_account(embedded, "boss", Role.ADMINISTRATOR)
    assert log_in(client.application.test_client(), "boss").headers["Location"] == "/fi/my-account"
    assert client.get("/sv/log-in").headers["Location"] == "/sv/charts/"


@pytest.mark.parametrize(
    "next",
    [
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "\t//evil.example",
        "/\t/evil.example",
        "https:evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "/%09/evil.example",
        "/%2f/evil.example",
        "/charts/..//evil.example",
        "/charts/../../etc",
        "//",
        "/fi/charts/?x=//evil.example",
        "/fi/charts/\r\nSet-Cookie: a=b",
        "@evil.example",
        "",
    ],
)
def test_next_leads_to_own_addresses_only(client, next):
    door = client.get("/fi/log-in", query_string={"next": next})
    assert "evil" not in door.text and "Set-Cookie: a" not in door.text
    let_in = post(client, door, name="maija", password=PASSWORD)
    assert let_in.headers["Location"] == "/fi/charts/"
    # Not by changing the address of the form either.
    other = client.application.test_client()
    door = form(other.get("/fi/log-in"))
    typed = {**dict(door.hidden), "name": "maija", "password": PASSWORD}
    assert other.post("/fi/log-in", query_string={"next": next}, data=typed).headers["Location"] == "/fi/charts/"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_refused_login_says_the_same_whatever_was_wrong(client, embedded, language):
    access, now = access_of(embedded), datetime.now(UTC)
    access.accounts.set_disabled(access.accounts.add("vanha", [Role.AUTHOR], by="t", now=now), True, by="t", now=now)
    said = []
    for name, password in (("maija", "väärä salasana"), ("nobody", PASSWORD), ("vanha", PASSWORD), ("", "")):
        door = client.get(f"/{language}/log-in")
        page = post(client, door, name=name, password=password)
        assert page.status_code == 422 and "kysely-session" not in str(page.headers.getlist("Set-Cookie"))
        assert PASSWORD not in page.text and "väärä salasana" not in text(page)
        assert form(page).typed.get("name", [""]) == [name]  # what was typed stays, but for the password
        said.append(re.sub(r'value="[^"]*"', "", page.text))
    assert len(set(said)) == 1


def test_too_many_tries_are_told_to_wait_for_known_and_unknown_names_alike(client):
    for name in ("maija", "nobody"):
        for _ in range(MOST["account"]):
            assert post(client, client.get("/en/log-in"), name=name, password="x").status_code == 422
        stopped = post(client, client.get("/en/log-in"), name=name, password=PASSWORD)
        assert stopped.status_code == 429 and stopped.headers["Retry-After"] == "900"
        assert "Wait a quarter of an hour" in text(stopped)


def test_the_form_of_another_browser_lets_nobody_in(client):
    """Login CSRF: a page elsewhere can't log a victim into the attacker's account."""
    door = form(client.get("/fi/log-in"))
    typed = {**dict(door.hidden), "name": "maija", "password": PASSWORD}
    victim = client.application.test_client()
    assert victim.post("/fi/log-in", data=typed).status_code == 403
    victim.get("/fi/log-in")
    assert victim.post("/fi/log-in", data=typed).status_code == 403
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert client.post("/fi/log-in", data=typed, headers=headers).status_code == 403
    assert client.post("/fi/log-in", data={**typed, "ticket": "x.y"}).status_code == 403
    assert client.post("/fi/log-in", data={k: v for k, v in typed.items() if k != "end"}).status_code == 403
    assert client.post("/fi/log-in", json=typed).status_code == 415
    assert client.get("/fi/charts/").status_code == 302


def test_the_cookie_of_a_session_is_locked_to_the_host_behind_tls(sqlite_settings, embedded):
    settings = in_production(sqlite_settings)
    make_account(replace(embedded, settings=settings), "maija", Role.RESEARCHER)
    client = create_app(settings, embedded).test_client()
    cookies = log_in(client, "maija", base_url=SECURE).headers.getlist("Set-Cookie")
    (session,) = [cookie for cookie in cookies if cookie.startswith("__Host-kysely-session=")]
    (device,) = [cookie for cookie in cookies if cookie.startswith("__Host-kysely-device=")]
    for cookie in (session, device):
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; ")) and "Domain" not in cookie
    assert "Max-Age" not in session and len(session.split("=")[1].split(";")[0]) == 43


def test_logging_in_begins_a_new_session_and_ends_the_one_before(client):
    log_in(client, "maija")
    first = client.get_cookie("kysely-session").value
    other = client.application.test_client()
    other.set_cookie("kysely-session", "planted-by-somebody")
    log_in(other, "maija")
    assert other.get_cookie("kysely-session").value != "planted-by-somebody"
    # Who is sent to the door although logged in (another tab) gets a new session too.
    door = form(client.application.test_client().get("/fi/log-in"))
    assert door.action == "/fi/log-in"
    again = client.application.test_client()
    page = again.get("/fi/log-in")
    again.set_cookie("kysely-session", first)
    post(again, page, name="maija", password=PASSWORD)
    assert again.get_cookie("kysely-session").value != first
    assert client.get("/fi/charts/").status_code == 302


def test_a_copied_cookie_is_of_no_use_after_logging_out(logged_in):
    cookie = logged_in.get_cookie("kysely-session").value
    left = post(logged_in, logged_in.get("/fi/my-account"))
    assert left.headers["Location"] == "/fi/log-in" and left.headers["Clear-Site-Data"] == '"cache"'
    thief = logged_in.application.test_client()
    thief.set_cookie("kysely-session", cookie)
    assert thief.get("/fi/charts/").status_code == 302


def test_logging_out_takes_a_post_with_the_ticket_of_this_session(logged_in, client, embedded):
    make_account(embedded, "pekka", Role.AUTHOR)
    other = client.application.test_client()
    log_in(other, "pekka")
    foreign = dict(form(other.get("/fi/my-account")).hidden)
    assert logged_in.get("/fi/log-out", follow_redirects=True).status_code == 404
    for data in ({}, {"end": "1"}, foreign):
        assert logged_in.post("/fi/log-out", data=data).status_code == 403
    assert logged_in.get("/fi/charts/").status_code == 200


def test_the_pages_of_accounts_and_results_are_kept_by_no_browser(logged_in):
    for place in ("/fi/charts/", "/fi/my-account", "/fi/my-account/one-time-codes", "/fi/set-password"):
        assert logged_in.get(place).headers["Cache-Control"] == "no-store", place


# ---- one's own sessions


def test_one_sees_and_ends_the_own_sessions_and_nobody_elses(client, embedded, site):
    make_account(embedded, "pekka", Role.AUTHOR)
    clients = [site.test_client() for _ in range(3)]
    agents = ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Windows Edg/1 Chrome/1", "?")
    for one, agent in zip(clients, agents, strict=True):
        door = one.get("/fi/log-in")
        post(one, door, name="maija", password=PASSWORD, headers={"User-Agent": agent})
    stranger = site.test_client()
    log_in(stranger, "pekka")
    page = clients[0].get("/fi/my-account")
    for words in ("Firefox, Linux", "Edge, Windows", "Tuntematon selain", "Tämä selain", "tutkija", "Ei käytössä"):
        assert words in text(page)
    (session,) = re.findall(r'name="session" value="([0-9a-f]{32})"', page.text)[:1]
    # A stranger's form, and a stranger who knows the id.
    mine = {**dict(form(page).hidden), "session": session}
    assert stranger.post("/fi/my-account/end-session", data=mine).status_code == 403
    theirs = post_end(stranger, session)
    assert theirs.status_code in (403, 404)
    assert all(one.get("/fi/my-account").status_code == 200 for one in clients)
    assert post(clients[0], page, number=1).status_code == 303
    assert sorted(one.get("/fi/my-account").status_code for one in clients) == [200, 200, 302]
    post(clients[0], clients[0].get("/fi/my-account"), number=1)
    assert [one.get("/fi/my-account").status_code for one in clients] == [200, 302, 302]
    assert stranger.get("/fi/my-account").status_code == 200


def post_end(client, session: str):
    """Send the id of a session with a ticket that this browser has for ending sessions."""
    for _ in range(2):  # a second session of one's own, so that the page has a form to end it
        twin = client.application.test_client()
        log_in(twin, "pekka")
    page = client.get("/fi/my-account")
    ticket = re.findall(
        r'name="session" value="[0-9a-f]{32}">\s*<input type="hidden" name="ticket" value="([^"]+)"', page.text
    )[0]
    return client.post("/fi/my-account/end-session", data={"session": session, "ticket": ticket, "end": "1"})


def test_a_form_of_one_page_is_no_form_of_another(logged_in):
    hidden = dict(form(logged_in.get("/fi/my-account/password")).hidden)
    assert logged_in.post("/fi/log-out", data=hidden).status_code == 403
    assert logged_in.post("/fi/my-account/end-session", data={**hidden, "session": "others"}).status_code == 403
    assert logged_in.get("/fi/my-account").status_code == 200


# ---- passwords


def test_a_new_password_takes_the_old_one_and_ends_other_sessions(logged_in, site):
    other = site.test_client()
    log_in(other, "maija")
    page = logged_in.get("/fi/my-account/password")
    for typed, told in (
        ({"current": "väärä", "password": "aivan uusi sana", "again": "aivan uusi sana"}, "ei ole nykyinen"),
        ({"current": PASSWORD, "password": "aivan uusi sana", "again": "toinen"}, "eivät ole samat"),
        ({"current": PASSWORD, "password": "lyhyt", "again": "lyhyt"}, "vähintään 12 merkkiä."),
        ({"current": PASSWORD, "password": "salasana1234", "again": "salasana1234"}, "kokeillaan ensimmäisenä"),
    ):
        refused = post(logged_in, page, **typed)
        assert refused.status_code == 422 and told in text(refused)
        assert not any(value in refused.text for value in typed.values() if len(value) > 8)
    assert other.get("/fi/my-account").status_code == 200
    done = post(logged_in, page, current=PASSWORD, password="aivan uusi sana", again="aivan uusi sana")
    assert done.headers["Location"] == "/fi/my-account?done"
    assert logged_in.get("/fi/my-account").status_code == 200 and other.get("/fi/my-account").status_code == 302
    assert log_in(site.test_client(), "maija").status_code == 422
    assert log_in(site.test_client(), "maija", "aivan uusi sana").status_code == 303


def test_a_code_from_the_terminal_sets_a_password_once_and_reading_its_page_does_nothing(site, embedded):
    access, now = access_of(embedded), datetime.now(UTC)
    account = access.accounts.add("uusi", [Role.AUTHOR], by="t", now=now)
    code = access.accounts.issue_entry(account, by="t", now=now)
    client = site.test_client()
    for _ in range(3):
        page = client.get("/en/set-password")
    weak = post(client, page, code=code, password="lyhyt", again="lyhyt")
    assert weak.status_code == 422 and form(weak).typed["code"] == [code]
    assert post(client, page, code="x", password=PASSWORD, again=PASSWORD).status_code == 422
    done = post(client, weak, code=code.upper(), password=PASSWORD, again=PASSWORD)
    assert done.headers["Location"] == "/en/log-in?set"
    assert "The password has been set" in client.get("/en/log-in?set").text
    assert post(client, page, code=code, password=PASSWORD, again=PASSWORD).status_code == 422
    assert log_in(client, "uusi").status_code == 303


# ---- one-time codes


def test_one_time_codes_are_taken_into_use_shown_as_a_picture_and_asked_for(logged_in, site):
    page = logged_in.get("/fi/my-account/one-time-codes")
    assert "ei ole nykyinen" in text(post(logged_in, page, current="väärä", go="begin"))
    shown = post(logged_in, page, current=PASSWORD, go="begin")
    assert 'role="img"' in shown.text and "otpauth://totp/Kysely:maija?secret=" in shown.text
    wrong = post(logged_in, shown, code="000000", go="confirm")
    assert wrong.status_code == 422 and "ei ole tämän avaimen" in text(wrong) and 'role="img"' in wrong.text
    assert log_in(site.test_client(), "maija").headers["Location"] == "/fi/charts/"
    used, recovery = begin_codes(logged_in)
    assert len(recovery) == 10
    assert "Käytössä; varakoodeja on jäljellä 10" in text(logged_in.get("/fi/my-account"))

    client = site.test_client()
    half = log_in(client, "maija", next="/sv/charts/")
    assert half.headers["Location"] == "/fi/one-time-code?next=/sv/charts/"
    # With the password alone one is nobody yet.
    for place in ("/fi/charts/", "/fi/my-account", "/fi/my-account/one-time-codes"):
        assert client.get(place).status_code == 302
    before = client.get_cookie("kysely-session").value
    asked = client.get(half.headers["Location"])
    assert post(client, asked, code="000000").status_code == 422
    assert post(client, asked, code=used).status_code == 422  # it confirmed the secret a moment ago
    let_in = post(client, asked, code=recovery[0])
    assert let_in.headers["Location"] == "/sv/charts/"
    assert client.get_cookie("kysely-session").value != before
    assert client.get("/fi/charts/").status_code == 200
    assert client.get("/fi/one-time-code").status_code == 302
    assert "jäljellä 9" in text(client.get("/fi/my-account"))


def test_the_picture_holds_the_address_of_the_secret(logged_in):
    """Read back from its squares by the rules of QR codes: finder patterns, quiet zone, size."""
    import segno

    from kysely.web.account import drawn

    address = "otpauth://totp/Kysely:maija?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Kysely"
    picture = drawn(address, "x")
    dark = {(int(x), int(y)) for x, y in re.findall(r"M(\d+) (\d+)h1v1h-1z", picture.path)}
    matrix = segno.make_qr(address, error="m").matrix
    assert picture.size == len(matrix) + 8
    assert dark == {(x + 4, y + 4) for y, row in enumerate(matrix) for x, cell in enumerate(row) if cell}
    assert all(4 <= x < picture.size - 4 and 4 <= y < picture.size - 4 for x, y in dark)


def test_codes_are_renewed_and_ended_with_the_password_only(logged_in, site):
    _, first = begin_codes(logged_in)
    page = logged_in.get("/fi/my-account/one-time-codes")
    assert post(logged_in, page, current="väärä", go="stop").status_code == 422
    renewed = post(logged_in, page, current=PASSWORD, go="renew")
    second = re.findall(r"<li><bdi>([a-z0-9-]{14})</bdi></li>", renewed.text)
    assert len(second) == 10 and not set(first) & set(second)
    client = site.test_client()
    log_in(client, "maija")
    assert post(client, client.get("/fi/one-time-code"), code=first[0]).status_code == 422
    assert post(logged_in, page, current=PASSWORD, go="stop").headers["Location"] == "/fi/my-account?done"
    assert log_in(site.test_client(), "maija").headers["Location"] == "/fi/charts/"


def test_beginning_codes_ends_the_sessions_that_knew_the_password_only(logged_in, site):
    other = site.test_client()
    log_in(other, "maija")
    begin_codes(logged_in)
    assert logged_in.get("/fi/my-account").status_code == 200
    assert other.get("/fi/my-account").status_code == 302


# ---- whoever works is in the log, respondents are not


def test_the_log_tells_of_logins_and_of_no_respondent(logged_in, embedded, app, visitor):
    post(logged_in, logged_in.get("/fi/my-account"))
    visitor.start()
    visitor.answer()
    actions = [(entry.actor, entry.action) for entry in access_of(embedded).log.entries()]
    assert actions[2:] == [("maija", "logged in"), ("maija", "logged out")]
    assert access_of(embedded).log.faults() == []


def test_respondents_need_no_database_of_accounts(sqlite_settings, embedded):
    """It may be gone: who answers is not even slowed down."""
    from tests.kysely.web._visitor import Visitor

    app = create_app(sqlite_settings, embedded)
    embedded.access.close()
    (sqlite_settings.instance / "access.db").unlink()
    (sqlite_settings.instance / "access.db").mkdir()
    visitor = Visitor(app)
    visitor.start()
    assert visitor.answer().status_code == 200
    visitor.client.set_cookie("kysely-session", "anything")
    assert visitor.client.get("/fi/").status_code == 200
    assert visitor.client.get("/fi/charts/").status_code == 503
