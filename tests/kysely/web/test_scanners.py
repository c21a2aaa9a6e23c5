"""Mail scanners: whatever fetches the addresses of a letter, and however often, leaves no trace in the databases."""

from __future__ import annotations

import pytest

from kysely.web import create_app
from tests.kysely.web._invited import code_of, invite, open_wave
from tests.kysely.web.test_security import digests


@pytest.mark.parametrize("answering", [False, True], ids=["before it was used", "while it is being answered"])
def test_ten_heads_and_ten_gets_of_every_address_in_a_letter_leave_the_databases_byte_for_byte(
    sqlite_settings, embedded, tmp_path, answering
):
    wave = open_wave(embedded)
    (person,) = invite(embedded, wave, tmp_path, "maija@example.fi,Maija,fi")
    app = create_app(sqlite_settings, embedded)
    code, stop = code_of(embedded, person), embedded.invitations.keys.opt_out(person.id)
    places = (f"r/{code}", f"stop/{stop}")
    addresses = [f"{language}/{place}" for language in ("", "/fi", "/sv", "/en") for place in places]
    if answering:
        page = app.test_client()
        served = page.get(f"/fi/r/{code}").text
        ticket = served.split('name="ticket" value="')[1].split('"')[0]
        assert page.post("/fi/r/", data={"code": code, "ticket": ticket, "end": "1"}).status_code == 303
    before = digests(sqlite_settings)
    for number in range(10):
        for address in addresses:
            headers = {"User-Agent": f"scanner {number}", "Sec-Purpose": "prefetch"}
            scanner = app.test_client()
            assert scanner.get(address, headers=headers).status_code == 200
            assert scanner.head(address, headers=headers).status_code == 200
            assert scanner.options(address).status_code == 200
            for method in ("PUT", "PATCH", "DELETE", "TRACE"):
                assert scanner.open(address, method=method).status_code == 405
    assert digests(sqlite_settings) == before
