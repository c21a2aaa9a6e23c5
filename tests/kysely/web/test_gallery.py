"""The page of finished charts and reports: what is there, and nothing else."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from kysely.access import Role
from kysely.web import create_app
from tests.conftest import in_production
from tests.kysely.web._account import log_in, make_account
from tests.kysely.web._visitor import text

MANIFEST = {
    "format": "kysely-chart/1",
    "id": "OM_FIG01",
    "chart": "diverging_levels",
    "language": "fi",
    "kicker": "SYNTEETTINEN AINEISTO – EI TUTKIMUSTULOS",
    "title": "Asiakaspalvelu <keskellä>",
    "alt": "Pylväät: asiakaspalvelu 47 prosenttia.",
    "width": 720,
    "height": 430,
    "table": {"columns": ["Toimintatapa", "Keskeinen, %"], "rows": [["Asiakaspalvelulähtöinen", "47,1"]]},
    "files": {kind: {"name": f"OM_FIG01.{kind}"} for kind in ("png", "svg", "pdf", "csv")},
    "provenance": {"title": {"fi": "Organisaation toimintatapa", "sv": "x", "en": "y"}, "release": "research"},
}
REPORT = "<!doctype html><html><head><style>p { color: red }</style></head><body><p>Raportti</p></body></html>"


@pytest.fixture
def build(sqlite_settings):
    folder = sqlite_settings.build / "operating_mode" / "charts" / "fi"
    folder.mkdir(parents=True)
    (folder / "OM_FIG01.json").write_text(json.dumps(MANIFEST))
    for kind in MANIFEST["files"]:
        (folder / f"OM_FIG01.{kind}").write_bytes(kind.encode())
    (folder.parent.parent / "report.fi.html").write_text(REPORT)
    (folder / "secret.txt").write_text("not in a manifest")
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


def test_each_chart_has_its_text_its_figures_and_its_files(build, client):
    page = text(client.get("/fi/charts/"))
    for word in ("Asiakaspalvelu <keskellä>", "Pylväät: asiakaspalvelu", "SYNTEETTINEN", "47,1", "Lue raportti"):
        assert word in page
    assert "Tutkijan omat luvut" in page
    assert "<keskellä>" not in client.get("/fi/charts/").text
    for kind, mimetype in (
        ("png", "image/png"),
        ("svg", "image/svg+xml"),
        ("pdf", "application/pdf"),
        ("csv", "text/csv"),
    ):
        file = client.get(f"/charts/operating_mode/fi/OM_FIG01.{kind}")
        assert (file.status_code, file.mimetype, file.data) == (200, mimetype, kind.encode())
        assert file.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert "Inga diagram har gjorts ännu" in text(client.get("/sv/charts/"))


@pytest.mark.parametrize(
    "address",
    [
        "/charts/operating_mode/fi/secret.txt",
        "/charts/operating_mode/fi/OM_FIG01.json",
        "/charts/operating_mode/fi/..%2f..%2freport.fi.html",
        "/charts/operating_mode/fi/%2e%2e",
        "/charts/operating_mode/fi//etc/passwd",
        "/charts/../fi/outside.png",
        "/charts/%2e%2e/fi/outside.png",
        "/charts/operating_mode/xx/OM_FIG01.png",
        "/charts/operating_mode/fi/OM_FIG01.png%00.svg",
        "/reports/..%2foperating_mode/fi",
        "/reports/operating_mode/sv",
        "/reports/nothing/fi",
    ],
)
def test_no_other_file_can_be_fetched(build, client, address):
    assert client.get(address).status_code == 404


def test_a_report_may_use_its_own_style_and_nothing_else(build, client):
    report = client.get("/reports/operating_mode/fi")
    assert report.status_code == 200
    policy = report.headers["Content-Security-Policy"]
    # SHA-256 of "p { color: red }", as `openssl dgst -sha256 -binary | base64` gives it.
    assert "style-src 'sha256-ngewhhP73WDIbgwseeu52VAAJgKdGUsu1IUQQsAm8m4='" in policy
    assert "unsafe" not in policy and "script" not in policy and "sandbox" in policy


@pytest.mark.parametrize("broken", ["", "{", "[]", '{"id": 1}', json.dumps({**MANIFEST, "files": {}})])
def test_a_manifest_that_cannot_be_read_hides_its_chart_only(build, client, broken):
    (build / "operating_mode" / "charts" / "fi" / "OM_FIG02.json").write_text(broken)
    page = client.get("/fi/charts/")
    assert page.status_code == 200 and "Asiakaspalvelu" in text(page)


def test_a_manifest_cannot_name_a_file_elsewhere(build, client):
    folder = build / "operating_mode" / "charts" / "fi"
    files = {**MANIFEST["files"], "png": {"name": "../../../outside.png"}}
    (folder / "OM_FIG01.json").write_text(json.dumps({**MANIFEST, "files": files}))
    assert "Asiakaspalvelu" not in text(client.get("/fi/charts/"))


def test_an_author_sees_what_was_released_to_the_public_and_nothing_else(build, sqlite_settings, embedded):
    settings = in_production(sqlite_settings)
    client, base = create_app(settings, embedded).test_client(), "https://kysely.example.fi"
    make_account(replace(embedded, settings=settings), "kirjoittaja", Role.AUTHOR)
    log_in(client, "kirjoittaja", base_url=base)
    assert "Tuloksia ei ole vielä julkaistu." in text(client.get("/fi/charts/", base_url=base))
    assert client.get("/charts/operating_mode/fi/OM_FIG01.png", base_url=base).status_code == 404
    assert client.get("/reports/operating_mode/fi", base_url=base).status_code == 403
    manifest = {**MANIFEST, "provenance": {**MANIFEST["provenance"], "release": "public"}}
    (build / "operating_mode" / "charts" / "fi" / "OM_FIG01.json").write_text(json.dumps(manifest))
    file = client.get("/charts/operating_mode/fi/OM_FIG01.png", base_url=base)
    assert file.status_code == 200 and file.headers["Cache-Control"] == "private, no-cache"
    page = text(client.get("/fi/charts/", base_url=base))
    assert "Asiakaspalvelu <keskellä>" in page and "Lue raportti" not in page and "Tutkijan omat" not in page


def test_numbers_that_were_not_published_stay_in_no_cache(build, client):
    for place in ("/fi/charts/", "/charts/operating_mode/fi/OM_FIG01.png", "/reports/operating_mode/fi"):
        assert client.get(place).headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("place", ["/", "/charts/"])
def test_only_the_address_without_a_language_varies_with_the_browsers(client, place):
    assert client.get(place).headers["Vary"] == "Accept-Language"
    assert "Vary" not in client.get(f"/fi{place}").headers
