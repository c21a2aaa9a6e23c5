"""After submission a respondent gets a description back, and peers' figures only as they were published."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from shutil import copyfile, copytree, ignore_patterns

import pytest

from kysely import loading
from kysely import store as stores
from kysely.web import create_app
from kysely.web.wording import wordings
from tests.conftest import in_production
from tests.kysely.web._visitor import STUDY, Visitor, text

FEEDBACK = "your-feedback"
SHARE = {"bound": None, "n_low": 50, "n_high": 50}
PEERS = {
    "format": "kysely-peers/1",
    "release": "public",
    "instrument": STUDY,
    "synthetic": False,
    "dataset": 1,
    "published_at": "2026-11-22",
    "category": "CENTRAL",
    "classification": {"name": "org3", "variable": "BG10", "groups": {"company": ["COMP"], "public": ["MUNI"]}},
    "modes": [
        {
            **{"code": mode, "variable": f"OM_B02_{mode}", "dataset": 1, "published_at": "2026-11-22"},
            "publication": f"p-{mode}",
            "all": {**SHARE, "percent": 37},
            "groups": {"company": {**SHARE, "percent": 90, "bound": "over"}, "public": {**SHARE, "percent": 12}},
        }
        for mode in ("PROD", "DEV", "CUST", "PUB")
    ],
}


def publish(app_settings, peers: object) -> None:
    folder = app_settings.build / STUDY / "public"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "feedback.json").write_text(json.dumps(peers), encoding="utf-8")


@pytest.fixture
def submitted(site) -> Visitor:
    visitor = Visitor(site)
    visitor.start()
    visitor.answer()
    visitor.send()
    assert visitor.place == "thank-you"
    return visitor


def test_nothing_is_shown_before_ones_own_answers_are_in(site, sqlite_settings):
    publish(sqlite_settings, PEERS)
    visitor = Visitor(site)
    visitor.see(FEEDBACK)
    assert visitor.place == "" and "37\u00a0%" not in text(visitor.page)
    visitor.start()
    visitor.see(FEEDBACK)
    assert visitor.place != FEEDBACK and "37\u00a0%" not in text(visitor.page)
    visitor.answer()
    visitor.see(FEEDBACK)
    assert visitor.place == "check-answers" and "37\u00a0%" not in text(visitor.page)


@pytest.mark.parametrize(
    ("language", "mode", "marked", "waits"),
    [
        ("fi", "asiakaspalvelulähtöinen", "Et vastannut tähän", "vähintään 10 vastaajaa"),
        ("sv", "kundserviceorienterat", "Du svarade inte på detta", "minst 10 svarande"),
        ("en", "customer-service-oriented", "You did not answer this", "at least 10 respondents"),
    ],
)
def test_the_thank_you_page_leads_to_the_description_of_ones_own_mode(site, language, mode, marked, waits):
    visitor = Visitor(site, language)
    visitor.start()
    visitor.answer()
    visitor.send()
    assert f"/{language}/{STUDY}/{FEEDBACK}" in visitor.page.text
    page = text(visitor.see(FEEDBACK))
    assert visitor.page.status_code == 200
    assert mode in page and marked in page and waits in page


def test_peers_are_shown_as_published_among_all_and_in_ones_own_group(submitted, sqlite_settings):
    publish(sqlite_settings, PEERS)
    page = text(submitted.see(FEEDBACK))
    assert page.count("37\u00a0%") == 4 and page.count("yli 90\u00a0%") == 4
    assert "12\u00a0%" not in page  # the other group's
    assert "Ryhmäsi: Yritykset" in page and "22.11.2026" in page and "simuloiduista" not in page


def test_a_group_that_was_too_small_to_be_shown_is_among_the_others(submitted, sqlite_settings):
    pooled = {"OTHER": {**SHARE, "percent": 15}, "public": {**SHARE, "percent": 12}}
    publish(sqlite_settings, {**PEERS, "modes": [{**mode, "groups": pooled} for mode in PEERS["modes"]]})
    page = text(submitted.see(FEEDBACK))
    assert "Ryhmäsi: Muut" in page and "15\u00a0%" in page and "12\u00a0%" not in page


def test_figures_of_robots_say_so(submitted, sqlite_settings):
    publish(sqlite_settings, {**PEERS, "synthetic": True})
    assert "simuloiduista" in text(submitted.see(FEEDBACK))


def test_in_production_nobody_is_compared_with_robots(submitted, sqlite_settings, embedded):
    settings = in_production(sqlite_settings)
    instrument = loading.load(settings.questionnaires / STUDY)
    asking = stores.Asking("Tutkimuslaitos", "tutkimus@example.fi", "Tutkimus", "Yleinen etu", "Viisi vuotta")
    embedded.open_wave(instrument, name="2026", origin="real", asking=asking, now=datetime.now(UTC))
    client = create_app(settings, embedded).test_client()
    host = "kysely.example.fi"
    passport = submitted.client.get_cookie(f"kysely_{STUDY}").value
    client.set_cookie(f"__Host-kysely_{STUDY}", passport, domain=host, secure=True)
    for synthetic, shown in ((False, True), (True, False)):
        publish(settings, {**PEERS, "synthetic": synthetic})
        page = client.get(f"/fi/{STUDY}/{FEEDBACK}", base_url=f"https://{host}")
        assert page.status_code == 200
        assert ("37\u00a0%" in text(page)) is shown


@pytest.mark.parametrize("broken", ["{", "[]", {**PEERS, "release": "research"}, {**PEERS, "modes": []}])
def test_a_file_that_publishing_did_not_write_is_shown_to_nobody(submitted, sqlite_settings, broken):
    publish(sqlite_settings, broken)
    page = text(submitted.see(FEEDBACK))
    assert submitted.page.status_code == 200
    assert "37\u00a0%" not in page and "vähintään 10 vastaajaa" in page


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
def test_who_changes_what_was_sent_reads_feedback_on_it_as_it_stands(site, language):
    visitor, say = Visitor(site, language), wordings()[language]
    visitor.start()
    visitor.answer()
    visitor.send()
    assert say["feedback_changing"] not in text(visitor.see(FEEDBACK))
    visitor.see("change-my-answers")
    visitor.send()
    visitor.see("modes/choose?edit")
    visitor.send(OM_B01=["DEV"])
    assert visitor.place == "modes/rate"
    page = text(visitor.see(FEEDBACK))
    assert say["feedback_changing"] in page and say["feedback_incomplete"] in page
    assert f"/{language}/{STUDY}/check-answers" in page
    visitor.see("modes/rate")
    visitor.send(OM_B02_DEV="CENTRAL")
    own = {"fi": "tuote- tai palvelukehitys", "sv": "tjänsteutveckling", "en": "service-development-oriented"}
    assert own[language] in text(visitor.see(FEEDBACK))


@pytest.fixture
def anonymous(settings, tmp_path):
    """The study as an anonymous one, which never asks who answers, over databases of either kind."""
    study = settings.questionnaires / STUDY
    whole = (study / "questionnaire.yaml").read_text(encoding="utf8")
    named = whole.index("  - id: organisation\n"), whole.index("  - id: activity\n")
    address = whole.index("      - id: OM_G03\n")  # the file's last question
    anonymous = whole[: named[0]] + whole[named[1] : address]
    for confidential, instead in (
        ("mode: confidential", "mode: anonymous"),
        ("pages: [organisation, ", "pages: ["),
        ("identity: {role: BG01}\n", ""),
    ):
        anonymous = anonymous.replace(confidential, instead)
    folder = tmp_path / "anonymous" / STUDY
    folder.mkdir(parents=True)
    (folder / "questionnaire.yaml").write_text(anonymous, encoding="utf8")
    copyfile(study / "feedback.yaml", folder / "feedback.yaml")
    store = stores.open(settings)
    yield create_app(replace(settings, questionnaires=folder.parent), store)
    store.close()


def test_anonymous_respondents_read_their_feedback_before_and_after_their_answers_move(anonymous):
    visitors = [Visitor(anonymous) for _ in range(5)]
    for visitor in visitors:
        visitor.start()
        visitor.see(FEEDBACK)
        assert visitor.place != FEEDBACK  # nothing before one's own answers are in
        visitor.answer()
        visitor.send()
        assert f"/fi/{STUDY}/{FEEDBACK}" in visitor.page.text
        assert "asiakaspalvelulähtöinen" in text(visitor.see(FEEDBACK))
    # The fifth made the group: all five have moved to other ids.
    for visitor in visitors:
        assert "asiakaspalvelulähtöinen" in text(visitor.see(FEEDBACK))


def test_who_has_erased_an_anonymous_response_reads_nothing_of_it(anonymous):
    visitor = Visitor(anonymous)
    visitor.start()
    visitor.answer()
    visitor.send()
    passport = visitor.client.get_cookie(f"kysely_{STUDY}").value
    visitor.see("continue-later")
    (code,) = re.findall(r"(?:[2-9A-Z]{3}-){8}[2-9A-Z]{3}", visitor.page.text)
    visitor.see("erase-my-answers")
    visitor.send(code=code, sure="1")
    assert wordings()["fi"]["erased_title"] in text(visitor.page)
    visitor.client.set_cookie(f"kysely_{STUDY}", passport)
    visitor.see(FEEDBACK)
    assert visitor.place == "" and "asiakaspalvelulähtöinen" not in text(visitor.page)


def test_a_study_without_a_feedback_file_offers_none(sqlite_settings, tmp_path):
    copytree(sqlite_settings.questionnaires, tmp_path / "questionnaires", ignore=ignore_patterns("feedback.yaml"))
    settings = replace(sqlite_settings, questionnaires=tmp_path / "questionnaires")
    store = stores.open(settings)
    try:
        visitor = Visitor(create_app(settings, store))
        visitor.start()
        visitor.answer()
        visitor.send()
        assert FEEDBACK not in visitor.page.text
        assert visitor.client.get(f"/fi/{STUDY}/{FEEDBACK}").status_code == 404
    finally:
        store.close()
