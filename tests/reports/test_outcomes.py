"""From the door to the page: an invited wave with the outcomes of DOMAIN.md, section e, and their rates."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis import wording
from kysely import loading
from reports.parts.wording import Wording
from tests.analysis import _study
from tests.reports import _built
from tests.reports._built import Page, read
from tests.validation import _outcomes
from tests.validation._outcomes import BY_CODE as VECTOR

ROOT = Path(__file__).parents[2]
LANGUAGES = _built.LANGUAGES
RATES = {**_outcomes.RATES, "e": round(_outcomes.ELIGIBLE, 4)}
SILENT = {
    "R_explicit": 80,
    "NC_bounce_known_person": 120,
    "NC_nothing_opened": 180,
    "O_away": 10,
    "O_language": 5,
    "U_delivered_nothing_known": 1000,
    "U_bounce": 180,
    "NE_left": 60,
    "NE_out_of_target": 40,
}
"""Of those who did not begin: with 40 who broke off they are the refusals, non-contacts and others of VECTOR."""


@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> dict[str, Page]:
    """The reports that the commands write of a hand-made extract: 425 began to answer, 1,675 were invited in vain."""
    build = tmp_path_factory.mktemp("invited")
    extract = build / "operating_mode" / "extract"
    study = _study.answers(seed=3, organisations=300, respondents=425)
    study.manifest["counts"] = {"responses": 425, "complete": 360, "partial": 25, "break_off": 40, "organisations": 300}
    _study.write(study, extract, _built.codebook())
    instrument = loading.load(_built.QUESTIONNAIRES / "operating_mode", "core2015")
    (extract / "definition.json").write_text(instrument.canonical, encoding="utf-8")
    _invite(extract, study)
    run = [sys.executable, "-m"]
    environ = {"KYSELY_BUILD": str(build), "PATH": "/usr/bin:/bin"}
    for command in (["analysis", "--no-charts"], ["reports", "study"]):
        done = subprocess.run([*run, *command], cwd=ROOT, env=environ, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    folder = build / "operating_mode"
    return {one: read((folder / f"report.{one}.html").read_text(encoding="utf-8")) for one in LANGUAGES}


def _invite(extract: Path, study: _study.Answers) -> None:
    """Give the responses their dispositions, add the cases without one, and make the manifest fit."""
    answered = ["I"] * 360 + ["P"] * 25 + ["R_breakoff"] * 40
    responses = pq.read_table(extract / "responses.parquet")
    place = responses.column_names.index("disposition")
    pq.write_table(responses.set_column(place, "disposition", pa.array(answered)), extract / "responses.parquet")
    cases = pq.read_table(extract / "cases.parquet").to_pydict()
    cases["disposition"] = answered
    silent = [disposition for disposition, count in SILENT.items() for _ in range(count)]
    for number, disposition in enumerate(silent):
        row = {"case": f"c{number}", "organisation": f"s{number // 4}", "psu": f"s{number // 4}", "response": None}
        for name, value in {**row, "stratum": None, "design_weight": 1.0, "disposition": disposition}.items():
            cases[name].append(value)
    pq.write_table(pa.table({**cases, "stratum": pa.array([None] * 2100, pa.string())}), extract / "cases.parquet")
    _study.write_manifest(study, extract, _built.codebook())
    manifest = json.loads((extract / "manifest.json").read_text(encoding="utf-8"))
    manifest["files"]["cases.parquet"]["rows"] = 2100
    (extract / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def test_silence_and_answers_add_up_to_the_vector_of_the_specification():
    totals = {outcome: sum(n for name, n in SILENT.items() if name.split("_")[0] == outcome) for outcome in VECTOR}
    assert {**totals, "I": 360, "P": 25, "R": totals["R"] + 40} == VECTOR
    assert sum(VECTOR.values()) == 2100


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_methods_print_the_counts_that_the_rates_come_from(pages, language):
    say, table = Wording(language), pages[language].tables["outcome-counts"]
    persons = {code: table.rows[say(f"methodology.case_{code}")][0] for code in (*VECTOR, "cases")}
    assert persons == {**{code: wording.number(n, language) for code, n in VECTOR.items()}, "cases": persons["cases"]}
    assert persons["cases"] == wording.number(2100, language)
    organisations = [cells[1] for cells in table.rows.values()]
    assert organisations[0] != "0" and organisations[-1] == wording.number(300 + 419, language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_rate_of_persons_is_named_with_its_formula_and_is_the_specifications(pages, language):
    rows = pages[language].tables["outcome-rates"].rows
    for name, rate in RATES.items():
        assert rows[name][1] == wording.percent(rate, language, 1, sign=False), name
    assert rows["RR1"][0] == "I ÷ (I + P + R + NC + O + U)"
    assert rows["RR4"][0] == "(I + P) ÷ (I + P + R + NC + O + e · U)"
    assert rows["COOP3"][0] == "I ÷ (I + P + R)"
    assert rows["CON3"][0] == "(I + P + R + O) ÷ (I + P + R + NC + O)"
    assert rows["REF2"][0] == "R ÷ (I + P + R + NC + O + e · U)"
    assert len(rows) == 17 and all(len(cells) == 4 for cells in rows.values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_wave_of_invitations_is_not_told_as_an_open_link(pages, language):
    say, text = Wording(language), pages[language].text
    assert say("methodology.design_invited") in text and say("methodology.fieldwork_invited") in text
    assert say("methodology.design_open") not in text and say("methodology.fieldwork_open") not in text
    assert say("methodology.rates_silent", silent=wording.number(1000, language)) in text
    assert say("methodology.rates_eligibility") in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_completion_and_break_off_are_of_those_who_began(pages, language):
    say, table = Wording(language), pages[language].tables["fieldwork-outcomes"]
    assert table.rows[say("methodology.outcome_started")][:2] == ["425", ""]
    for outcome, count in {"complete": 360, "partial": 25, "break_off": 40}.items():
        cells = table.rows[say(f"methodology.outcome_{outcome}")]
        assert cells == [str(count), wording.percent(count / 425, language, 1, sign=False)]


def test_an_anonymous_wave_is_told_of_persons_alone(synthetic, language):
    rows = synthetic.estimates.select(table="fieldwork", variable="outcome", statistic="count").iloc[:1]
    told = [rows.assign(table="outcome_rates", variable="person", code=code) for code in (*VECTOR, "cases")]
    ours = replace(synthetic, estimates=replace(synthetic.estimates, rows=pd.concat([synthetic.estimates.rows, *told])))
    page = _built.page(ours, language, "methodology")
    assert {len(cells) for cells in page.tables["outcome-counts"].rows.values()} == {1}
    first, levels = Wording(language).list("methodology.rates", team=3)
    assert first in page.text and levels not in page.text


def test_an_open_link_says_in_one_sentence_that_there_is_no_rate_and_gives_completion_instead(report, language):
    say = Wording(language)
    assert say("methodology.fieldwork_open") in report.text and say("methodology.design_open") in report.text
    assert "outcome-rates" not in report.tables
    complete = report.tables["fieldwork-outcomes"].rows[say("methodology.outcome_complete")]
    assert complete == ["160", wording.percent(1, language, 1, sign=False)]
