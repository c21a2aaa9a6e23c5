from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from kysely import cli, falsification, loading, population, routing, simulate
from kysely import store as stores
from kysely.codebook import Missing
from kysely.config import Settings
from kysely.errors import StoreError
from kysely.store import REAL, SIMULATED
from kysely.web import create_app
from tests.conftest import SECRET

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
OPENS = datetime(2015, 3, 2, 7, tzinfo=UTC)
STUDY = Path(__file__).parents[2] / "questionnaires" / "operating_mode"

BRANCHING = """
schema: questionnaire/1
id: branching
revision: "1"
languages: {base: fi, required: [fi, sv, en]}
title: {fi: Haarat, sv: Grenar, en: Branches}
purpose: {fi: Kokeillaan., sv: Vi provar., en: We are trying.}
minutes: 1
privacy: {mode: confidential, min_group: 5}
scales:
  CENT4:
    levels:
      - {code: NOT, value: 0, label: {fi: Ei, sv: Nej, en: No}}
      - {code: SOME, value: 1, label: {fi: Vähän, sv: Lite, en: Some}}
      - {code: CENTRAL, value: 2, label: {fi: Paljon, sv: Mycket, en: Much}}
forms:
  all:
    title: {fi: Kaikki, sv: Allt, en: All}
    pages: [who, company, public, both, apart, together, end]
pages:
  - id: who
    title: {fi: Kuka, sv: Vem, en: Who}
    questions:
      - {id: organisation, type: organisation, text: {fi: Mikä?, sv: Vilken?, en: Which?}}
      - id: KIND
        type: single_choice
        required: hard
        text: {fi: Laji?, sv: Slag?, en: Kind?}
        options:
          - {code: COMP, label: {fi: Yritys, sv: Företag, en: Company}}
          - {code: PUB, label: {fi: Julkinen, sv: Offentlig, en: Public}}
          - {code: OTH, label: {fi: Muu, sv: Annan, en: Other}, detail: {id: KIND_text, max_length: 20}}
  - id: company
    title: {fi: Yritys, sv: Företag, en: Company}
    show_if: "KIND == 'COMP'"
    questions:
      - {id: SHARE, type: number, minimum: 0, maximum: 100, text: {fi: Osuus?, sv: Andel?, en: Share?}}
  - id: public
    title: {fi: Julkinen, sv: Offentlig, en: Public}
    show_if: "KIND == 'PUB'"
    questions:
      - id: SERVES
        type: multiple_choice
        text: {fi: Ketä?, sv: Vem?, en: Whom?}
        options:
          - {code: CIT, label: {fi: Asukkaita, sv: Invånare, en: Residents}}
          - {code: NONE, label: {fi: Ei ketään, sv: Ingen, en: Nobody}, exclusive: true}
  - id: both
    title: {fi: Asukkaat, sv: Invånare, en: Residents}
    show_if: "SERVES_CIT == 1"
    questions:
      - {id: HOW, type: text, max_length: 60, required: "no", text: {fi: Miten?, sv: Hur?, en: How?}}
  - id: apart
    title: {fi: Kahdessa osassa, sv: I två steg, en: In two steps}
    questions:
      - id: A
        type: weighted_choice
        presentation: choose_then_rate
        choose: {id: A1, text: {fi: Mitkä?, sv: Vilka?, en: Which?}}
        rate: {id: A2, text: {fi: Kuinka?, sv: Hur?, en: How?}}
        scale: CENT4
        variant: A_variant
        order: {randomise: true, variable: A_order}
        options:
          - {code: X, label: {fi: Iks, sv: Ex, en: Ex}}
          - {code: Y, label: {fi: Yy, sv: Y, en: Why}}
          - {code: NONE, label: {fi: Ei, sv: Ingen, en: None}, exclusive: true, fixed: true}
          - {code: DK, label: {fi: EOS, sv: Vet ej, en: DK}, exclusive: true, fixed: true, missing: dont_know}
  - id: together
    title: {fi: Yhdessä, sv: På en gång, en: At once}
    questions:
      - id: B
        type: weighted_choice
        presentation: rate_each
        text: {fi: Kuinka kukin?, sv: Hur var och en?, en: How each?}
        choose: {id: B1, text: {fi: Mitkä?, sv: Vilka?, en: Which?}}
        rate: {id: B2, text: {fi: Kuinka?, sv: Hur?, en: How?}}
        scale: CENT4
        options:
          - {code: X, label: {fi: Iks, sv: Ex, en: Ex}}
          - {code: Y, label: {fi: Yy, sv: Y, en: Why}}
          - {code: DK, label: {fi: EOS, sv: Vet ej, en: DK}, exclusive: true, fixed: true, missing: dont_know}
  - id: end
    title: {fi: Loppu, sv: Slut, en: End}
    questions:
      - id: AGAIN
        type: single_choice
        dont_know: true
        not_applicable: true
        text: {fi: Uudestaan?, sv: Igen?, en: Again?}
        options:
          - {code: "YES", label: {fi: Kyllä, sv: Ja, en: "Yes"}}
          - {code: "NO", label: {fi: Ei, sv: Nej, en: "No"}}
"""

# No answer is ruled out here, so the questionnaire is in order; but robots will hardly hit on it.
DEAD_END = BRANCHING.replace("KIND == 'PUB'", "SHARE == 31.4159")


@pytest.fixture
def folder(tmp_path) -> Path:
    return questionnaire(tmp_path, BRANCHING)


def questionnaire(tmp_path: Path, text: str) -> Path:
    folder = tmp_path / "questionnaires"
    (folder / "branching").mkdir(parents=True)
    (folder / "branching" / "questionnaire.yaml").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def robots(sqlite_settings):
    """Return a function that lets robots answer the questionnaires of a folder, and gives their walks and the store."""
    opened = []

    def answer(folder: Path, name: str, respondents):
        settings = replace(sqlite_settings, questionnaires=folder)
        store = stores.open(settings)
        opened.append(store)
        instrument = loading.load(folder / name)
        store.open_wave(instrument, name="robots", origin=SIMULATED, now=NOW)
        clock = simulate.Clock()
        app = create_app(settings, store, now=clock, origin=SIMULATED)
        walks = list(simulate.interviews(app, instrument, respondents(instrument), clock))
        return walks, store, instrument

    yield answer
    for store in opened:
        store.close()


def anyone(count: int, seed: int = 1):
    return lambda instrument: [simulate.anyone(number, instrument, seed, OPENS) for number in range(count)]


def test_robots_in_three_languages_take_every_branch_and_both_presentations(robots, folder):
    walks, _, instrument = robots(folder, "branching", anyone(48))
    assert [walk.fault for walk in walks if walk.fault] == []
    assert Counter(walk.language for walk in walks) == {"fi": 16, "sv": 16, "en": 16}
    for language in ("fi", "sv", "en"):
        assert simulate.never_asked(instrument, [walk for walk in walks if walk.language == language]) == ()
    ways = {tuple(dict.fromkeys(walk.pages)) for walk in walks}
    assert {"company", "public", "both", "apart", "together"} <= {page for way in ways for page in way}
    assert len(ways) == 4  # a company; a public body with and without residents; neither


def test_robots_give_every_answer_that_is_offered(robots, folder):
    walks, _, _ = robots(folder, "branching", anyone(60))
    given = {(name, answer) for walk in walks for name, answer in walk.answers.items() if not isinstance(answer, float)}
    for name, answers in {
        "KIND": {"COMP", "PUB", "OTH"},
        "A1_X": {0, 1, Missing.DONT_KNOW, Missing.NO_ANSWER},
        "A2_Y": {0, 1, 2, Missing.DONT_KNOW},
        "B2_X": {0, 1, 2, Missing.DONT_KNOW, Missing.NO_ANSWER},
        "AGAIN": {"YES", "NO", Missing.DONT_KNOW, Missing.DOES_NOT_CONCERN, Missing.NO_ANSWER},
    }.items():
        assert answers <= {answer for variable, answer in given if variable == name}, name


def test_the_store_holds_what_each_robot_answered(robots, folder):
    walks, store, instrument = robots(folder, "branching", anyone(20))
    wave = store.wave(instrument.id, instrument.form, SIMULATED)
    held = list(store.responses(wave.id))
    assert len(held) == 20 and all(response.submitted for response in held)
    by_start = {response.started_at: response for response in held}
    for walk in walks:
        stored = dict(by_start[simulate.anyone(walk.number, instrument, 1, OPENS).starts].answers)
        # The order shown comes of the response's own seed, which no robot knows.
        assert {**stored, "A_order": None} == {**walk.answers, "A_order": None}


def test_a_question_that_nobody_can_reach_is_reported(robots, tmp_path):
    walks, _, instrument = robots(questionnaire(tmp_path, DEAD_END), "branching", anyone(30))
    assert simulate.never_asked(instrument, walks) == ("SERVES", "HOW")


def test_a_page_that_does_not_offer_what_the_questionnaire_has_stops_the_robot():
    form = simulate.read('<form method="post"><input type="radio" name="KIND" value="COMP"></form>').form
    assert form is None  # not the interview's: it has no ticket
    page = simulate.read(
        '<form method="post" action="/x"><input type="hidden" name="ticket" value="t">'
        '<input type="radio" name="KIND" value="COMP"><select name="R"><option value="A">A</option></select>'
        '<textarea name="T"></textarea></form>'
    )
    assert list(page.form.refusals({"KIND": ["COMP"], "R": ["A"], "T": ["anything"]})) == []
    assert len(list(page.form.refusals({"KIND": ["PUB"], "R": ["B"], "U": [""]}))) == 3


def test_a_person_of_the_study_answers_through_the_application_what_the_generator_meant(robots):
    people = population.draw(population.REPRODUCTION, np.random.default_rng(2015))
    unsure = [person for person in people if person.answers["OM_B01_CUST"] is Missing.DONT_KNOW]
    chosen = [*people[:16], *unsure[:1]]
    walks, store, instrument = robots(
        STUDY.parent, "operating_mode", lambda _: [simulate.Study.of(person) for person in chosen]
    )
    assert [walk.fault for walk in walks if walk.fault] == []
    held = {response.started_at: response for response in store.responses(_wave(store, instrument).id)}
    closed = [variable.name for variable in falsification.answered(instrument)]
    for person in chosen:
        response = held[person.starts]
        stored = routing.effective(instrument, response.answers)
        assert {name: stored[name] for name in closed} == {
            name: person.answers.get(name, Missing.NO_ANSWER) for name in closed
        }
        assert response.language == person.language
        assert person.starts < response.submitted_at < datetime(2015, 6, 1, tzinfo=UTC)


def test_colleagues_who_type_the_name_differently_are_one_organisation(robots):
    people = population.draw(population.REPRODUCTION, np.random.default_rng(2015))
    of = Counter(person.organisation.number for person in people)
    colleagues = [person for person in people if of[person.organisation.number] >= 4]
    _, store, instrument = robots(STUDY.parent, "operating_mode", lambda _: [simulate.Study.of(p) for p in colleagues])
    keys = {response.organisation_key for response in store.responses(_wave(store, instrument).id)}
    assert len({person.typed_name for person in colleagues}) > len(keys)
    assert len(keys) == len({person.organisation.number for person in colleagues})


def _wave(store, instrument):
    return store.wave(instrument.id, instrument.form, SIMULATED)


def test_a_simulated_response_cannot_enter_a_real_wave(robots, folder):
    _, store, instrument = robots(folder, "branching", anyone(1))
    real = store.open_wave(instrument, name="people", origin=REAL, now=NOW)
    with pytest.raises(StoreError):
        store.start(real, SIMULATED, instrument.hash, "fi", 1, NOW)
    assert list(store.responses(real)) == []


# ---- the command


@pytest.fixture
def command(tmp_path, monkeypatch, capsys, folder):
    """Return a function that runs `kysely simulate` in an empty folder and gives its exit code and its words."""
    for name, value in {
        "KYSELY_INSTANCE": str(tmp_path / "instance"),
        "KYSELY_BUILD": str(tmp_path / "build"),
        "KYSELY_QUESTIONNAIRES": str(folder),
        "KYSELY_SECRET_KEY": SECRET,
    }.items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str) -> tuple[int, str]:
        code = cli.main(["simulate", *arguments])
        out, err = capsys.readouterr()
        return code, out + err

    return run


def counts() -> list[tuple[str, int, int]]:
    with _store() as store:
        return [(count.wave.name, count.started, count.submitted) for count in store.counts()]


def test_the_same_seed_answers_once_and_another_seed_beside_it(command):
    assert command("branching", "--respondents", "12", "--keep", "--seed", "7")[0] == 0
    again = command("branching", "--respondents", "12", "--keep", "--seed", "7")
    assert again[0] == 0 and "again" in again[1]
    assert command("branching", "--respondents", "12", "--keep", "--seed", "8")[0] == 0
    assert sorted(counts()) == [("robots-7", 12, 12), ("robots-8", 12, 12)]


def test_a_run_that_was_interrupted_is_not_taken_for_a_whole_one(command, folder):
    instrument = loading.load(folder / "branching")
    note = {"name": "robots", "seed": 7, "parameters": {"respondents": 3}}
    with _store() as store:
        store.open_wave(
            instrument,
            name="robots-7",
            origin=SIMULATED,
            note={**note, "respondents": 3, "questionnaire": instrument.hash},
            now=NOW,
        )
    assert command("branching", "--respondents", "3", "--keep", "--seed", "7")[0] == 0
    assert sorted(counts()) == [("robots-7", 0, 0), ("robots-7-2", 3, 3)]
    assert "again" in command("branching", "--respondents", "3", "--keep", "--seed", "7")[1]


def test_a_trial_leaves_nothing_behind_and_says_what_nobody_was_asked(command, folder):
    code, words = command("branching", "--respondents", "48")
    assert code == 0 and "en, fi, sv" in words
    assert counts() == []
    (folder / "branching" / "questionnaire.yaml").write_text(DEAD_END, encoding="utf-8")
    code, words = command("branching", "--respondents", "30")
    assert code == 0 and "SERVES, HOW" in words


def test_robots_keep_out_of_production(command, monkeypatch):
    monkeypatch.setenv("KYSELY_MODE", "production")
    monkeypatch.setenv("KYSELY_TRUSTED_HOSTS", "kysely.example.fi")
    monkeypatch.setenv("KYSELY_BASE_URL", "https://kysely.example.fi")
    monkeypatch.setenv("KYSELY_LINK_KEY", "for tests only, and longer than it need be")
    code, words = command("branching", "--respondents", "3", "--keep")
    assert code != 0 and "demonstration" in words


def test_where_people_have_answered_nothing_is_simulated_instead(command, monkeypatch):
    monkeypatch.setenv("KYSELY_QUESTIONNAIRES", str(STUDY.parent))
    instrument = loading.load(STUDY)
    with _store() as store:
        wave = store.open_wave(instrument, name="people", origin=REAL, now=NOW)
        response = store.start(wave, REAL, instrument.hash, "sv", 1, NOW)
        store.save(
            response,
            page="respondent",
            stage="",
            submit_key="0" * 32,
            based_on=0,
            answers={"BG01": "TOP"},
            variables=["BG01"],
            language="sv",
            now=NOW,
        )
    code, words = command("operating_mode", "--if-no-responses")
    assert code == 0 and words.startswith("1 ")
    assert [name for name, _, _ in counts()] == ["people"]


def test_only_a_questionnaire_that_asks_for_it_is_answered_by_the_study_population(command):
    code, words = command("branching")
    assert code != 0 and "OM_B01_CUST" in words and "--respondents" in words


def test_the_falsification_run_gets_both_worlds_with_the_columns_of_an_extract(command, tmp_path, monkeypatch):
    monkeypatch.setenv("KYSELY_QUESTIONNAIRES", str(STUDY.parent))
    for file in ("one.parquet", "two.parquet"):
        code, _ = command("operating_mode", "--falsification", str(tmp_path / file), "--replicates", "2")
        assert code == 0
    table = pq.read_table(tmp_path / "one.parquet").to_pandas()
    assert Counter(zip(table["world"], table["replicate"], strict=True)) == {
        (world, replicate): 360 + population.REPRODUCTION.cannot_say
        for world in ("no_mode_differs", "no_combinations")
        for replicate in (1, 2)
    }
    instrument = loading.load(STUDY)
    for variable in falsification.answered(instrument):
        held = table[variable.name].notna()
        assert (held != table[f"{variable.name}__missing"].notna()).all(), variable.name
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()


@contextmanager
def _store() -> Iterator[stores.Store]:
    store = stores.open(Settings.from_env(os.environ))
    try:
        yield store
    finally:
        store.close()
