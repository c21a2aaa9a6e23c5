"""A page of another site may send our forms from a respondent's browser: it changes nothing there.

Browsers keep the cookie back then (SameSite=Lax), so the test client sends none. With a real browser:
tests/browser/test_elsewhere.py.
"""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import unquote

import pytest

from kysely.web import create_app
from tests.kysely.web._visitor import ANSWERS, STUDY, Visitor, form, text
from tests.kysely.web.test_interview import response_of

COOKIE = f"kysely_{STUDY}"
PLACES = ("", *ANSWERS, "check-answers", "thank-you", "nowhere", "a%0d%0aSet-Cookie:%20a=b")

FROM_ELSEWHERE = (
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
    {"Sec-Fetch-Site": "same-site", "Origin": "http://localhost:8080"},
    {"Sec-Fetch-Site": "none", "Origin": "https://evil.example"},
    {"Origin": "https://evil.example"},
    {"Origin": "https://localhost"},
    {"Origin": "null"},
)
OURS = (
    {},
    {"Sec-Fetch-Site": "same-origin"},
    # As a program in between may see to; the browser's own word counts more.
    {"Sec-Fetch-Site": "same-origin", "Origin": "null"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "http://localhost"},
)


@pytest.fixture
def attacker(app) -> Visitor:
    visitor = Visitor(app)
    visitor.start()
    return visitor


@pytest.mark.parametrize("headers", FROM_ELSEWHERE)
def test_a_form_sent_from_elsewhere_leads_to_the_page_itself_and_sets_no_cookie(app, store, attacker, headers):
    for place in PLACES:
        for hidden in ([], form(attacker.page).hidden):
            typed = {**dict(hidden), **ANSWERS.get(place, {})}
            answer = app.test_client().post(f"/fi/{STUDY}/{place}", data=typed, headers=headers)
            assert answer.status_code == 303
            assert unquote(answer.headers["Location"]) == unquote(f"/fi/{STUDY}/{place}")
            assert "Set-Cookie" not in answer.headers and answer.data == b""
    assert response_of(app, store).revision == 0


@pytest.mark.parametrize("headers", FROM_ELSEWHERE)
def test_a_response_under_way_goes_on_after_another_site_sent_a_form(app, store, attacker, headers):
    victim = Visitor(app)
    victim.start()
    victim.answer(until="respondent")
    mark = victim.client.get_cookie(COOKIE).value
    victim.client.delete_cookie(COOKIE)
    for place in ("", "organisation"):
        victim.client.post(
            f"/fi/{STUDY}/{place}",
            data={**dict(form(attacker.page).hidden), **ANSWERS.get(place, {})},
            headers=headers,
        )
        assert victim.client.get_cookie(COOKIE) is None
    victim.client.set_cookie(COOKIE, mark)
    victim.answer()
    assert victim.send().status_code == 200
    states = list(store.responses(store.wave(STUDY, "core2015", "real").id))
    assert sorted((state.revision > 0, state.submitted) for state in states) == [(False, False), (True, True)]


@pytest.mark.parametrize("headers", FROM_ELSEWHERE)
def test_nobody_is_led_to_go_on_with_the_response_of_somebody_else(app, attacker, headers):
    attacker.answer(until="activity")
    stranger = Visitor(app)
    page = stranger.client.post(
        f"/fi/{STUDY}/activity",
        data={**dict(form(attacker.page).hidden), **ANSWERS["activity"]},
        headers=headers,
        follow_redirects=True,
    )
    assert page.request.path == f"/fi/{STUDY}/"
    assert "Jatka" not in text(page) and "Esimerkki Oy" not in text(page)


@pytest.mark.parametrize("headers", OURS)
def test_our_own_form_whose_cookie_was_lost_keeps_what_was_typed(app, headers):
    visitor = Visitor(app)
    visitor.start()
    visitor.client.delete_cookie(COOKIE)
    page = visitor.client.post(
        visitor.address, data={**dict(form(visitor.page).hidden), **ANSWERS["organisation"]}, headers=headers
    )
    assert page.status_code == 403
    assert form(page).typed["organisation_name"] == ["Esimerkki Oy"]
    assert "Set-Cookie" in page.headers


def test_behind_a_proxy_that_ends_https_the_own_origin_is_the_one_that_browsers_see(sqlite_settings, embedded):
    settings = replace(sqlite_settings, base_url="https://localhost/")
    client = create_app(settings, embedded).test_client()
    for origin, status in (("https://localhost", 403), ("https://localhost:444", 303)):
        answer = client.post(f"/fi/{STUDY}/organisation", data={}, headers={"Origin": origin})
        assert answer.status_code == status
