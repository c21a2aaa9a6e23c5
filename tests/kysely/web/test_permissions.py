"""Every address × every kind of visitor × (own, foreign, public): who is let in is written here a second time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from flask import Flask

from kysely.access import Role
from kysely.finished import KINDS
from kysely.web import create_app, permissions
from tests.kysely.web import _charts
from tests.kysely.web._account import access_of, log_in, make_account
from tests.kysely.web._visitor import STUDY, Visitor
from tests.kysely.web.test_gallery import REPORT

NOBODY, RESPONDENT, HALF = "nobody", "respondent", "password given, code not"
OUTSIDE = (NOBODY, RESPONDENT, HALF)
VISITORS = (*OUTSIDE, *Role)

WORKING = {Role.RESEARCHER, Role.DATA_MANAGER}
RESULTS = {*WORKING, Role.AUTHOR}

# What is asked of each rule: the address of each variant, and whom it is answered with 2xx.
# "own" and "foreign" are things of one account; "public" is what was released, "unpublished" what was not.
EXPECTED: Mapping[str, Mapping[str, tuple[str, set]]] = {
    "/charts/": {"page": ("/charts/", RESULTS)},
    "/<language>/charts/": {"page": ("/sv/charts/", RESULTS)},
    "/<language>/charts/<instrument>/<id>": {
        "public": ("/fi/charts/operating_mode/OM_FIG01", RESULTS),
        "unpublished": ("/fi/charts/operating_mode/OM_FIG02", WORKING),
        "nothing": ("/fi/charts/operating_mode/OM_FIG03", set()),
    },
    "/charts/<instrument>/<language>/<name>": {
        "public": ("/charts/operating_mode/fi/OM_FIG01.png", RESULTS),
        "unpublished": ("/charts/operating_mode/fi/OM_FIG02.png", WORKING),
        "nothing": ("/charts/operating_mode/fi/OM_FIG03.png", set()),
    },
    "/reports/<instrument>/<language>": {"unpublished": ("/reports/operating_mode/fi", WORKING)},
    "/<language>/my-account": {"own": ("/fi/my-account", set(Role))},
    "/<language>/my-account/password": {"own": ("/fi/my-account/password", set(Role))},
    "/<language>/my-account/one-time-codes": {"own": ("/fi/my-account/one-time-codes", set(Role))},
    "/<language>/my-account/end-session": {"own": ("/fi/my-account/end-session", set())},  # takes a POST
    "/<language>/log-out": {"own": ("/fi/log-out", set())},
}

# What anybody may ask for, whether or not there is something to see.
OPEN = {
    "/", "/<language>/", "/<language>/accessibility", "/healthz", "/assets/<digest>/<name>",
    "/log-in", "/<language>/log-in", "/<language>/one-time-code", "/set-password", "/<language>/set-password",
    "/r/", "/r/<code>", "/<language>/r/", "/<language>/r/<code>", "/stop/<code>", "/<language>/stop/<code>",
    *(
        f"/<language>/<study>/{place}"
        for place in (
            "", "how-answers-are-handled", "check-answers", "thank-you", "continue-later", "continue-with-a-code",
            "erase-my-answers", "change-my-answers", "your-feedback", "<page>", "<page>/<stage>",
        )
    ),
}  # fmt: skip

PARTS = {"language": "fi", "study": STUDY, "page": "organisation", "stage": "choose", "code": "x", "digest": "x",
         "name": "kysely.css", "instrument": STUDY}  # fmt: skip


@pytest.fixture
def build(sqlite_settings):
    for id, release in (("OM_FIG01", "public"), ("OM_FIG02", "research")):
        folder = _charts.leave(sqlite_settings.build, id, release=release, title=f"The {release} one").parent
    (folder.parent.parent / "report.fi.html").write_text(REPORT)


@pytest.fixture
def clients(site, embedded, build):
    """A browser of each kind of visitor."""
    access = access_of(embedded)
    clients = {NOBODY: site.test_client()}
    respondent = Visitor(site)
    respondent.start()
    respondent.answer(until="respondent")
    clients[RESPONDENT] = respondent.client
    for role in Role:
        make_account(embedded, f"{role}@example.fi", role)
        clients[role] = site.test_client()
        assert log_in(clients[role], f"{role}@example.fi").status_code == 303
    half = make_account(embedded, "half@example.fi", Role.RESEARCHER)
    secret = access.accounts.propose_codes(half)
    import pyotp

    now = datetime.now(UTC)
    assert access.accounts.confirm_codes(half, pyotp.TOTP(secret).at(now), but="", now=now)
    clients[HALF] = site.test_client()
    assert "one-time-code" in log_in(clients[HALF], "half@example.fi").headers["Location"]
    return clients


def rules(app: Flask) -> set[str]:
    return {permissions.plain(rule.rule) for rule in app.url_map.iter_rules()}


def test_the_table_of_the_code_and_the_one_of_this_test_name_every_address(site):
    unknown = rules(site) - OPEN - set(EXPECTED)
    assert not unknown, f"say here who may open it, and what is own, foreign and public of it: {unknown}"
    assert rules(site) <= set(permissions.ROUTES)
    assert {address for address, roles in permissions.ROUTES.items() if roles is not permissions.PUBLIC} == set(
        EXPECTED
    )


def test_the_table_names_no_address_that_is_not_there(sqlite_settings, embedded):
    there = rules(create_app(sqlite_settings, embedded))
    there |= {"/preview/", "/<language>/preview/", "/<language>/preview/<page>"}
    assert set(permissions.ROUTES) == there


def test_an_address_that_the_table_does_not_know_stops_the_application(site):
    app = Flask("another", static_folder=None)
    app.add_url_rule("/export/<any(csv,sav):format>", "export", lambda format: "answers")
    with pytest.raises(LookupError, match="/export/<format> has no row in kysely/web/permissions.py"):
        permissions.routes_of(app)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_every_address_lets_in_those_it_should_and_nobody_else(clients, method):
    wrong = []
    for rule, variants in EXPECTED.items():
        for variant, (address, allowed) in variants.items():
            for visitor in VISITORS:
                answer = clients[visitor].open(address, method=method)
                seen = 200 <= answer.status_code < 300
                if seen != (visitor in allowed):
                    wrong.append((rule, variant, str(visitor), answer.status_code))
                # Who isn't logged in is led to the door, and learns nothing of what there is.
                if visitor in OUTSIDE and answer.status_code != 302 and allowed:
                    wrong.append((rule, variant, visitor, answer.status_code))
    assert wrong == []


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE"])
def test_no_address_with_roles_takes_a_change_without_its_form(clients, method):
    for variants in EXPECTED.values():
        for address, _ in variants.values():
            for visitor in VISITORS:
                for data in ({}, {"ticket": "x.y", "end": "1"}):
                    answer = clients[visitor].open(address, method=method, data=data)
                    assert answer.status_code in (303, 308, 403, 404, 405)


def test_what_everybody_may_open_asks_nobody_who_they_are(clients, site):
    for rule in OPEN:
        address = re.sub(r"<(\w+)>", lambda part: PARTS[part[1]], rule)
        said = {clients[visitor].get(address).status_code for visitor in VISITORS if visitor != RESPONDENT}
        if "one-time-code" not in address and "log-in" not in address:
            assert len(said) == 1, (address, said)
        assert not said & {401, 403}


def test_an_author_never_meets_a_number_that_was_not_published(clients):
    """Every address there is, with every instrument, language and file name: only what was released comes back."""
    author = clients[Role.AUTHOR]
    page = author.get("/fi/charts/").text
    assert "The public one" in page and "The research one" not in page and "/reports/" not in page
    for id in ("OM_FIG01", "OM_FIG02", "report.fi", "om_fig02", "OM_FIG02%00", "..%2fOM_FIG02"):
        for language in ("fi", "sv", "en"):
            for kind in (*KINDS, "report.svg", "json"):
                answer = author.get(f"/charts/operating_mode/{language}/{id}.{kind}")
                assert answer.status_code == 404 or b"OM_FIG01, fi, public" in answer.data
            answer = author.get(f"/{language}/charts/operating_mode/{id}")
            assert answer.status_code in (308, 404) or "The public one" in answer.text
    for place in ("/reports/operating_mode/fi", "/reports/operating_mode/sv"):
        refused = author.get(place)
        assert refused.status_code == 403 and "Raportti" not in refused.text
    researcher = clients[Role.RESEARCHER].get("/fi/charts/").text
    assert "The public one" in researcher and "The research one" in researcher


def test_a_page_that_one_may_not_open_says_who_may(clients):
    refused = clients[Role.IDENTITY_MANAGER].get("/en/charts/")
    assert refused.status_code == 403
    for words in ("identity_manager@example.fi", "role: identity manager", "researcher, data manager, author"):
        assert words in refused.text


def test_a_role_that_is_taken_away_is_gone_with_the_next_page(clients, embedded):
    access = access_of(embedded)
    account = access.accounts.named("researcher@example.fi")
    assert clients[Role.RESEARCHER].get("/reports/operating_mode/fi").status_code == 200
    access.accounts.set_roles(account, [Role.AUTHOR], by="terminal:test", now=datetime.now(UTC))
    assert clients[Role.RESEARCHER].get("/reports/operating_mode/fi").status_code == 403
    access.accounts.set_disabled(account, True, by="terminal:test", now=datetime.now(UTC))
    assert clients[Role.RESEARCHER].get("/charts/operating_mode/fi/OM_FIG01.png").status_code == 302


def test_no_field_of_a_form_gives_a_role(clients, embedded):
    """Over-posting: what a form doesn't ask for is not taken."""
    author = clients[Role.AUTHOR]
    from tests.kysely.web._account import PASSWORD, post

    page = author.get("/fi/my-account/password")
    more = {"role": "researcher", "roles": "researcher", "name": "researcher@example.fi", "id": "1", "is_admin": "1"}
    done = post(author, page, current=PASSWORD, password="aivan uusi sana", again="aivan uusi sana", **more)
    assert done.status_code == 303
    access = access_of(embedded)
    assert access.accounts.named("author@example.fi").roles == {Role.AUTHOR}
    assert author.get("/reports/operating_mode/fi").status_code == 403
