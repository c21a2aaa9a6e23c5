"""The fieldwork as rows of the estimates: who finished, where people left, how long it took, who drew lines."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest

from analysis import extract, fieldwork, quality
from analysis.estimates import COLUMNS, HIDDEN, Provenance
from analysis.quality import QualityError
from analysis.study import Study
from analysis.tabulate import tabulate
from tests.analysis import _study

PAGES = {"background": ["BG10", "BG12"], "respondent": ["BG01", "BG02"], "modes": ["OM_B01_PROD", "OM_order"]}
MODES = _study.MODES


@pytest.fixture
def answers():
    """Return 40 respondents of 30 organisations; a test changes columns before `study`."""
    return _study.answers(organisations=30, respondents=40)


@pytest.fixture
def study(tmp_path):
    """Make a study; *columns* replace columns of the responses that are no answers."""

    def made(answers, **columns) -> Study:
        found = _study.extract(tmp_path, answers)
        table = found.responses
        for name, values in columns.items():
            column = pa.array(values, table.schema.field(name).type)
            table = table.set_column(table.column_names.index(name), name, column)
        return _study.study(replace(found, responses=table))

    return made


def rows(study, *, simulated=False, pages=None):
    """Return the table with its rows by variable, code and statistic."""
    (table,) = fieldwork.tables(study, simulated=simulated, pages=pages)
    assert tuple(table.columns) == COLUMNS
    return table.set_index(["variable", "code", "statistic"])


def test_everybody_who_began_is_counted_with_how_far_they_came(answers, study):
    answers.columns["BG01"][3] = "no_answer"  # counts in no result, and yet answered
    ours = rows(study(answers, disposition=["I"] * 33 + ["P"] * 5 + ["R_breakoff"] * 2))
    told = {name: rows["estimate"].droplevel("statistic") for name, rows in ours.loc["outcome"].groupby("statistic")}
    assert told["count"].to_dict() == {"started": 40, "complete": 33, "partial": 5, "break_off": 2}
    assert told["outcome_share"].to_dict() == {"complete": 33 / 40, "partial": 5 / 40, "break_off": 2 / 40}
    assert set(ours.loc["outcome"]["base_n"]) == {40}
    assert set(ours.loc["outcome"]["base_organisations"]) == {30}


def test_a_page_tells_how_many_came_and_how_many_of_them_left_there(answers, study):
    left = {0: ["BG12", "BG01", "BG02", "OM_B01_PROD"], 1: ["OM_B01_PROD"], 2: ["OM_B01_PROD"], 3: ["OM_B01_PROD"]}
    for row, names in left.items():
        for name in names:
            answers.columns[name][row] = "not_reached"
    ours = study(answers)
    times = ours.answers.column("completed_at").tolist()
    unsubmitted = study(answers, completed_at=[None] * 3 + times[3:])  # the fourth submitted all the same
    told = rows(unsubmitted, pages=PAGES)
    stopped = told.xs("stopped", level="statistic")
    assert stopped["estimate"].tolist() == [1, 0, 2]
    assert stopped["base_n"].tolist() == [40, 39, 39]
    assert told.xs("stopped_share", level="statistic")["estimate"].tolist() == [1 / 40, 0, 2 / 39]
    assert stopped.index.tolist() == [("BG10", "background"), ("BG01", "respondent"), ("OM_B01_PROD", "modes")]


def test_pages_have_the_bases_and_break_offs_that_quality_tells(answers, study):
    rng = np.random.default_rng(4)
    names = [name for name in answers.columns if name != "BG01"]
    for row in range(25):
        for name in names[rng.integers(len(names)) :]:
            answers.columns[name][row] = "not_reached"
    for row in rng.integers(0, 40, 12):
        answers.columns["BG12"][row] = answers.columns["BG10"][row] = "routed_past"
    ours = study(answers)
    ours = study(answers, completed_at=[None] * 30 + ours.answers.column("completed_at").tolist()[30:])
    expected = quality.break_off_by_page(ours.answers, PAGES, finished=np.arange(40) >= 30)
    told = rows(ours, pages=PAGES).xs("stopped", level="statistic")
    assert sum(page.stopped for page in expected) > 10
    assert told["base_n"].tolist() == [page.reached for page in expected]
    assert told["estimate"].tolist() == [page.stopped for page in expected]


def test_without_the_pages_of_the_form_nobody_is_said_to_have_left_at_one(answers, study):
    assert "stopped" not in rows(study(answers)).index.get_level_values("statistic")


def test_the_median_time_and_the_fast_are_of_those_who_submitted_in_one_mode(answers, study):
    begun = study(answers).answers.column("started_at").tolist()
    took = [timedelta(minutes=4)] * 5 + [timedelta(minutes=10)] * 25 + [None] * 4 + [timedelta(minutes=30)] * 6
    ended = [None if time is None else start + time for start, time in zip(begun, took, strict=True)]
    ours = rows(study(answers, completed_at=ended, mode=["web"] * 34 + ["paper"] * 6)).loc["minutes"]
    assert ours["estimate"].to_dict() == {
        ("paper", "median"): 30,
        ("paper", "speeders"): 0,
        ("web", "median"): 10,
        ("web", "speeders"): 5 / 30,
    }
    assert ours.loc["web", "base_n"].tolist() == [30, 30]


def test_a_program_that_hurries_nobody_has_no_speeders(answers, study):
    found = rows(study(answers), simulated=True).loc["minutes"]
    assert found.index.get_level_values("statistic").tolist() == ["median"]


def test_a_time_that_runs_backwards_stops_the_analysis(answers, study):
    begun = study(answers).answers.column("started_at").tolist()
    backwards = study(answers, completed_at=[begun[0] - timedelta(minutes=1), *begun[1:]])
    with pytest.raises(QualityError, match="an end lies before its start"):
        fieldwork.tables(backwards, simulated=False)


def test_a_straight_line_is_drawn_through_the_modes_that_were_chosen(answers, study):
    for row, levels in enumerate([(2, 2, 2, 0), (3, 3, 3, 3), (0, 0, 0, 0), (2, 2, 0, 0), (1, 2, 3, 0)]):
        for mode, level in zip(MODES, levels, strict=True):
            answers.columns[f"OM_B01_{mode}"][row] = int(level > 0)
            answers.columns[f"OM_B02_{mode}"][row] = level
    for row in range(5, 40):
        for mode, level in zip(MODES, (1, 1, 2, 0), strict=True):
            answers.columns[f"OM_B01_{mode}"][row] = int(level > 0)
            answers.columns[f"OM_B02_{mode}"][row] = level
    answers.columns["BG01"][1] = "no_answer"  # no valid respondent, and so in no base
    line = rows(study(answers)).loc["OM_B02", "OM_B02", "straight"]
    assert line["base_n"] == 37  # the third and the fourth rated fewer than three
    assert line["estimate"] == 1 / 37


def test_a_base_under_the_thresholds_keeps_its_size_and_loses_its_numbers(answers, study):
    submitted = study(answers).answers.column("completed_at").tolist()
    few = rows(study(answers, completed_at=submitted[:4] + [None] * 36))
    median = few.loc["minutes", "web", "median"]
    assert (median["base_n"], median["flag"], median["small_base"]) == (4, "suppressed", True)
    assert np.isnan(median["estimate"]) and np.isnan(median["base_weighted"])
    alone = rows(study(answers.take([0, 0, 0, 0])))
    assert set(alone["flag"]) <= set(HIDDEN)
    assert alone["estimate"].isna().all()


def test_where_nobody_counts_nothing_is_told(answers, study):
    answers.columns["BG01"] = ["no_answer"] * 40
    assert fieldwork.tables(study(answers), simulated=False) == ()


def test_the_estimates_hold_the_fieldwork_once(tmp_path, answers):
    _study.write(answers, tmp_path)
    definition = {"pages": [{"id": "you", "questions": [{"id": "BG01"}, {"id": "BG02"}]}]}
    (tmp_path / "definition.json").write_text(json.dumps(definition), encoding="utf-8")
    found = extract.read(tmp_path)
    pages = quality.pages_of(definition, found.codebook)
    under_plan = _study.study(found)
    about = Provenance.of(found, under_plan, "2026-01-01T00:00:00+00:00")
    told = tabulate(under_plan, about, pages=pages).select(table=fieldwork.FIELDWORK)
    assert not told.duplicated(["variable", "code", "statistic"]).any()
    assert set(told["statistic"]) == {"count", "outcome_share", "stopped", "stopped_share", "median", "straight"}
