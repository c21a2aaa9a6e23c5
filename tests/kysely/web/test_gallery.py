"""The pages of finished charts and reports: what is there, and nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from html import unescape

import pytest

from kysely.access import Role
from kysely.finished import KINDS
from kysely.web import create_app
from kysely.web.wording import LANGUAGES
from tests.conftest import in_production
from tests.kysely.web import _charts
from tests.kysely.web._account import log_in, make_account
from tests.kysely.web._visitor import text

REPORT = "<!doctype html><html><head><style>p { color: red }</style></head><body><p>Raportti</p></body></html>"
CHART = "/fi/charts/operating_mode/OM_FIG01"


@pytest.fixture
def build(sqlite_settings):
    manifest = _charts.leave(sqlite_settings.build)
    (manifest.parent.parent.parent / "report.fi.html").write_text(REPORT)
    (manifest.parent / "secret.txt").write_text("not in a manifest")
    (sqlite_settings.build / "outside.png").write_bytes(b"outside")
    return sqlite_settings.build


@pytest.fixture
def client(site, embedded):
    """The browser of a researcher."""
    make_account(embedded, "tutkija", Role.RESEARCHER)
    client = site.test_client()
    log_in(client, "tutkija")
    return client


def test_without_charts_the_page_says_how_they_are_made(client):
    assert "Ne syntyvät komennolla ”make analysis”." in text(client.get("/fi/charts/"))


def test_the_gallery_lists_the_charts_of_each_questionnaire_and_leads_to_their_pages(build, client):
    page = client.get("/fi/charts/")
    for word in ("Organisaation toimintatapa", "Asiakaspalvelu <keskellä>", "SYNTEETTINEN", "Lue raportti"):
        assert word in text(page)
    assert "Tutkijan omat luvut" in text(page)
    assert f'href="{CHART}"' in page.text and "<keskellä>" not in page.text
    assert "Inga diagram har gjorts ännu" in text(client.get("/sv/charts/"))


def test_a_chart_has_its_figures_its_words_and_all_that_is_pasted(build, client):
    page = client.get(CHART)
    for word in (
        *("Asiakaspalvelu <keskellä>", "Osuus vastaajista, %", "SYNTEETTINEN", "47,1", "Tutkijan omat luvut"),
        *("360 vastaajaa 269 organisaatiosta.", "Summat on laskettu", "simulated-2015", "15a4" * 16),
    ):
        assert word in text(page)
    assert "<keskellä>" not in page.text
    assert (
        page.headers["Cache-Control"] == "no-store" and "script-src 'self'" in page.headers["Content-Security-Policy"]
    )
    pasted = [unescape(part.split(">", 1)[1].split("</textarea>")[0]) for part in page.text.split("<textarea")[1:]]
    assert pasted == ["Pylväät: asiakaspalvelu 47 prosenttia.", "\n<figure>OM_FIG01, fi, research</figure>\n"]
    # What is empty, or says in every row what stands above the chart, is no column.
    assert "Merkintä" not in text(page) and "Aineisto</th>" not in page.text


def test_every_file_can_be_downloaded_the_picture_first_and_its_size_is_said(build, client):
    manifest = build / "operating_mode" / "charts" / "fi" / "OM_FIG01.json"
    files = json.loads(manifest.read_text())["files"]
    files["png"]["bytes"] = 210_400
    _charts.leave(build, files=files)
    page = client.get(CHART).text
    assert "Kuva verkkosivulle tai esitykseen (PNG, 210\u00a0kt)" in page
    addresses = [part.split('"')[0] for part in page.split('<li><a href="')[1:]]
    assert [address.partition(".")[2] for address in addresses] == [
        *("png", "narrow.png", "svg", "narrow.svg", "text.svg", "pdf", "csv", "html")
    ]
    types = {
        "png": "image/png",
        "svg": "image/svg+xml",
        "pdf": "application/pdf",
        "csv": "text/csv",
        "html": "text/plain",
    }
    for address in addresses:
        file = client.get(address)
        assert (file.status_code, file.mimetype) == (200, types[address.rpartition(".")[2]])
        assert file.data == (build / "operating_mode" / "charts" / "fi" / address.rpartition("/")[2]).read_bytes()
        policy = file.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'") and policy.endswith("; sandbox") and "script" not in policy


def test_the_width_can_be_chosen_and_the_note_is_that_of_the_width(build, client):
    fitting, wide, narrow, other = (
        client.get(f"{CHART}{query}") for query in ("", "?width=wide", "?width=narrow", "?width=x")
    )
    assert "<source" in fitting.text and "<source" not in wide.text and "<source" not in narrow.text
    assert '<img src="/charts/operating_mode/fi/OM_FIG01.narrow.svg"' in narrow.text
    assert 'width="400" height="610"' in narrow.text and "Ontto merkki" in text(narrow)
    assert '<img src="/charts/operating_mode/fi/OM_FIG01.svg"' in wide.text and "Ontto merkki" not in text(wide)
    assert other.text == fitting.text
    chosen = [page.text.split('aria-current="true">')[1].split("<")[0] for page in (fitting, wide, narrow)]
    assert chosen == ["Näytön mukaan", "Leveä, 720 px", "Kapea, 400 px"]


def test_the_languages_to_choose_are_those_the_chart_was_drawn_in(build, client):
    assert "hreflang" not in client.get(CHART).text
    _charts.leave(build, language="sv")
    page = client.get(f"{CHART}?width=narrow").text
    assert 'href="/sv/charts/operating_mode/OM_FIG01?width=narrow" lang="sv"' in page and "/en/charts/" not in page
    assert client.get("/en/charts/operating_mode/OM_FIG01").status_code == 404
    swedish = text(client.get("/sv/charts/operating_mode/OM_FIG01"))
    assert "Organisationens verksamhetssätt" not in swedish and "Bild för en webbsida" in swedish


@pytest.mark.parametrize(
    "address",
    [
        "/charts/operating_mode/fi/secret.txt",
        "/charts/operating_mode/fi/OM_FIG01.json",
        "/charts/operating_mode/fi/OM_FIG01.report.svg",  # which doesn't say where its figures come from
        "/charts/operating_mode/fi/OM_FIG01",
        "/charts/operating_mode/fi/..%2f..%2freport.fi.html",
        "/charts/operating_mode/fi/%2e%2e",
        "/charts/operating_mode/fi//etc/passwd",
        "/charts/../fi/outside.png",
        "/charts/%2e%2e/fi/outside.png",
        "/charts/operating_mode/xx/OM_FIG01.png",
        "/charts/operating_mode/fi/OM_FIG01.png%00.svg",
        "/fi/charts/operating_mode/OM_FIG09",
        "/fi/charts/operating_mode/OM_FIG01.json",
        "/fi/charts/operating_mode/..%2ffi%2fOM_FIG01",
        "/fi/charts/%2e%2e/OM_FIG01",
        "/fi/charts/nothing/OM_FIG01",
        "/reports/..%2foperating_mode/fi",
        "/reports/operating_mode/sv",
        "/reports/nothing/fi",
    ],
)
def test_nothing_else_can_be_fetched(build, client, address):
    assert client.get(address).status_code == 404


def test_a_report_may_use_its_own_style_and_nothing_else(build, client):
    report = client.get("/reports/operating_mode/fi")
    assert report.status_code == 200
    policy = report.headers["Content-Security-Policy"]
    # SHA-256 of "p { color: red }", as `openssl dgst -sha256 -binary | base64` gives it.
    assert "style-src 'sha256-ngewhhP73WDIbgwseeu52VAAJgKdGUsu1IUQQsAm8m4='" in policy
    assert "unsafe" not in policy and "script" not in policy and "sandbox" in policy


@pytest.mark.parametrize("broken", ["", "{", "[]", '{"id": 1}', '{"id": "OM_FIG02", "files": {}}'])
def test_a_manifest_that_cannot_be_read_hides_its_chart_only(build, client, broken):
    manifest = _charts.leave(build, "OM_FIG02")
    manifest.write_text(broken)
    page = client.get("/fi/charts/")
    assert page.status_code == 200 and "OM_FIG01" in page.text and "OM_FIG02" not in page.text
    assert client.get("/fi/charts/operating_mode/OM_FIG02").status_code == 404
    assert client.get("/charts/operating_mode/fi/OM_FIG02.png").status_code == 404


def test_a_manifest_cannot_name_a_file_elsewhere(build, client):
    files = json.loads((build / "operating_mode" / "charts" / "fi" / "OM_FIG01.json").read_text())["files"]
    _charts.leave(build, files={**files, "png": {**files["png"], "name": "../../../outside.png"}})
    assert "Asiakaspalvelu" not in text(client.get("/fi/charts/"))
    assert client.get("/charts/operating_mode/fi/OM_FIG01.png").status_code == 404


def test_a_chart_drawn_anew_is_shown_anew(build, client):
    assert "Uusi otsikko" not in text(client.get(CHART))
    _charts.leave(build, title="Uusi otsikko")
    assert "Uusi otsikko" in text(client.get(CHART))


@pytest.mark.parametrize("production", [True, False])
def test_an_author_sees_what_was_released_to_the_public_and_nothing_else(build, sqlite_settings, embedded, production):
    settings = in_production(sqlite_settings) if production else sqlite_settings
    client, base = create_app(settings, embedded).test_client(), "https://kysely.example.fi" if production else None
    make_account(replace(embedded, settings=settings), "kirjoittaja", Role.AUTHOR)
    log_in(client, "kirjoittaja", base_url=base)
    assert "Tuloksia ei ole vielä julkaistu." in text(client.get("/fi/charts/", base_url=base))
    for language in LANGUAGES:
        assert client.get(f"/{language}/charts/operating_mode/OM_FIG01", base_url=base).status_code == 404
    for kind in KINDS:
        assert client.get(f"/charts/operating_mode/fi/OM_FIG01.{kind}", base_url=base).status_code == 404
    assert client.get("/reports/operating_mode/fi", base_url=base).status_code == 403
    _charts.leave(build, release="public")
    _charts.leave(build, language="sv")
    file = client.get("/charts/operating_mode/fi/OM_FIG01.png", base_url=base)
    assert file.status_code == 200 and file.headers["Cache-Control"] == "private, no-cache"
    page = text(client.get("/fi/charts/", base_url=base))
    assert "Asiakaspalvelu <keskellä>" in page and "Lue raportti" not in page and "Tutkijan omat" not in page
    page = client.get(CHART, base_url=base)
    assert page.status_code == 200 and "47,1" in page.text and "Tutkijan omat" not in page.text
    # Of the language that was not released, not even that it is there.
    assert "/sv/charts/operating_mode" not in page.text


def test_numbers_that_were_not_published_stay_in_no_cache(build, client):
    for place in ("/fi/charts/", CHART, "/charts/operating_mode/fi/OM_FIG01.png", "/reports/operating_mode/fi"):
        assert client.get(place).headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("place", ["/", "/charts/"])
def test_only_the_address_without_a_language_varies_with_the_browsers(client, place):
    assert client.get(place).headers["Vary"] == "Accept-Language"
    assert "Vary" not in client.get(f"/fi{place}").headers
