"""From stored answers to the columns of an extract."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest
from werkzeug.datastructures import MultiDict

from kysely import dataset, loading, routing
from kysely.codebook import MISSING_SUFFIX, Kind, Missing
from kysely.dataset import Response

STUDY = Path(__file__).parents[2] / "questionnaires" / "operating_mode"
BEGUN = datetime(2015, 4, 1, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def instrument():
    return loading.load(STUDY, "core2015")


def response(instrument, answers, *, id: str = "r1", organisation: str | None = "o1", **changes) -> Response:
    fields = {
        "response": id,
        "organisation": organisation,
        "wave": "spring 2015",
        "origin": "simulated",
        "version": instrument.hash,
        "language": "fi",
        "answers": answers,
        "started_at": BEGUN,
    }
    return Response(**{**fields, **changes})


def answered(instrument, seed: int) -> dict:
    rng, answers = Random(seed), {}
    while screen := routing.position(instrument, answers):
        for question in routing.route(instrument, answers).questions[screen]:
            typed = MultiDict(question.fill(screen.stage, answers, rng, seed=seed))
            parsed = question.parse(screen.stage, typed, answers, seed=seed)
            answers |= {
                name: answer for name, answer in parsed.items() if not question.identifies or name != question.id
            }
    return answers


def test_each_cell_has_a_value_or_a_kind_of_missing_and_never_both(instrument):
    table = dataset.columns(instrument, [response(instrument, answered(instrument, seed)) for seed in range(40)])
    for variable in dataset.extracted(instrument.codebook):
        pairs = zip(table[variable.name], table[variable.name + MISSING_SUFFIX], strict=True)
        assert all((value is None) is not (missing is None) for value, missing in pairs), variable.name


def test_every_column_has_a_row_for_each_response(instrument):
    table = dataset.columns(instrument, [response(instrument, {}), response(instrument, {"BG01": "TOP"})])
    assert {len(column) for column in table.values()} == {2}


def test_codes_are_stored_and_labels_never(instrument):
    table = dataset.columns(instrument, [response(instrument, answered(instrument, seed)) for seed in range(40)])
    for variable in dataset.extracted(instrument.codebook):
        allowed = {c.value if variable.kind is Kind.LEVEL else c.code for c in variable.categories}
        if variable.kind is Kind.BINARY:
            allowed = {0, 1}
        if allowed:
            assert {value for value in table[variable.name] if value is not None} <= allowed


def test_open_text_and_the_organisation_stay_behind(instrument):
    table = dataset.columns(instrument, [response(instrument, {})])
    for name in ("BG08", "OM_B01_OTHER_text", "organisation_given"):
        assert name in instrument.codebook
        assert name not in table


def test_the_order_and_presentation_shown_are_in_the_extract(instrument):
    table = dataset.columns(instrument, [response(instrument, answered(instrument, 1))])
    assert table["OM_variant"] == ["choose_then_rate"]
    assert sorted(table["OM_order"][0].split()) == sorted(["PROD", "DEV", "CUST", "PUB", "OTHER", "NONE", "DK"])


def test_an_interview_that_broke_off_is_not_reached_from_there_on(instrument):
    table = dataset.columns(instrument, [response(instrument, {"BG10": "COMP"})])
    assert table["BG10"] == ["COMP"]
    assert table["OM_B01_PROD__missing"] == ["not_reached"]
    assert table["disposition"] == ["R_breakoff"]


def test_nought_is_a_value_and_not_missing(instrument):
    answers = {f"OM_B0{n}_{mode}": 0 for n in (1, 2) for mode in ("PROD", "DEV", "CUST", "PUB")}
    table = dataset.columns(instrument, [response(instrument, answers)])
    assert table["OM_B02_PROD"] == [0]
    assert table["OM_B02_PROD__missing"] == [None]


def test_a_response_is_read_along_the_path_of_the_version_it_was_given_on(tmp_path, instrument):
    text = (STUDY / "questionnaire.yaml").read_text(encoding="utf-8")
    assert text.count("code: MUNI") == 1
    (tmp_path / "questionnaire.yaml").write_text(
        text.replace('revision: "2026.1"', 'revision: "2026.2"'), encoding="utf-8"
    )
    later = loading.load(tmp_path, "core2015")
    assert later.hash != instrument.hash
    old = response(instrument, {"BG10": "MUNI"})
    new = response(later, {"BG10": "COMP"}, id="r2")
    table = dataset.columns(later, [old, new], {instrument.hash: instrument})
    assert table["BG10"] == ["MUNI", "COMP"]
    assert table["version"] == [instrument.hash, later.hash]


def test_what_an_older_version_did_not_ask_is_routed_past(tmp_path, instrument):
    text = (STUDY / "questionnaire.yaml").read_text(encoding="utf-8")
    question = """
      - id: BG20
        type: number
        text: {fi: Uusi?, sv: Ny?, en: New?}
"""
    at = text.index("      - id: BG10")
    (tmp_path / "questionnaire.yaml").write_text(text[:at] + question.lstrip("\n") + text[at:], encoding="utf-8")
    later = loading.load(tmp_path, "core2015")
    table = dataset.columns(later, [response(instrument, {"BG10": "MUNI"})], {instrument.hash: instrument})
    assert table["BG20"] == [None]
    assert table["BG20__missing"] == [str(Missing.ROUTED_PAST)]


def test_cases_cluster_by_organisation_and_an_unknown_one_is_a_cluster_of_its_own(instrument):
    table = dataset.columns(
        instrument,
        [
            response(instrument, {}, id="a"),
            response(instrument, {}, id="b"),
            response(instrument, {}, id="c", organisation=None),
        ],
    )
    cases = dataset.cases(table)
    assert tuple(cases) == dataset.CASES
    assert cases["psu"] == ["o1", "o1", "c"]
    assert cases["organisation"] == ["o1", "o1", None]
    assert cases["design_weight"] == [1.0, 1.0, 1.0]
    assert cases["case"] == cases["response"] == ["a", "b", "c"]
