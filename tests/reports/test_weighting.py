"""Weighted figures in the report: beside the unweighted, with what they were weighted to, or why there are none."""

from __future__ import annotations

import pytest

from analysis import wording
from analysis.estimates import HIDDEN
from analysis.population import POPULATION
from reports._material import Material
from reports.parts.wording import Wording
from tests.analysis import _study
from tests.reports._built import build, page


@pytest.fixture(scope="module")
def weighted(tmp_path_factory) -> Material:
    """A simulated study with companies of every size and municipalities of every major region of the mainland."""
    study = _study.answers(seed=5, organisations=120, respondents=160)
    number = [int(name.removeprefix("org")) for name in study.organisation]
    study.columns["BG10"] = [("COMP", "MUNI")[k % 2] for k in number]
    study.columns["BG12"] = [("P10_19", "P50_99", "P1000")[k // 2 % 3] for k in number]
    study.columns["BG15"] = [("R01", "R02", "R04", "R10")[k // 2 % 4] for k in number]
    return build(tmp_path_factory.mktemp("weighted"), study)


def test_the_weighted_share_stands_beside_the_unweighted_one(weighted, language):
    say, table = Wording(language), page(weighted, language).tables["OM_TAB03-OM_B-beside"]
    assert say("table.weighted_note") in page(weighted, language).text
    lines = weighted.estimates.select(table="OM_TAB03", variable="OM_B", statistic="central", estimand="respondent")
    again = weighted.estimates.select(
        table="OM_TAB03", variable="OM_B", statistic="central", estimand="respondent", weighting=POPULATION
    )
    for (_, plain), (_, other) in zip(lines.iterrows(), again.iterrows(), strict=True):
        label = next(label for label in table.rows if _names(weighted, plain["code"], language) in label)
        assert plain["estimate"] != other["estimate"]
        for cell, line in zip(table.rows[label][3:5], (plain, other), strict=True):
            assert line["flag"] not in HIDDEN
            assert cell.startswith(wording.percent(line["estimate"], language, 1, sign=False))


def test_the_methods_tell_what_was_weighted_to_what_and_who_counted_it(weighted, language):
    told = page(weighted, language, "methodology")
    table = told.tables["weighting-margins"]
    assert len(table.rows) == 7
    for part in weighted.plan.weighting:
        assert part.margins[0].source[language] in told.text
        assert part.note is not None and part.note[language] in told.text
    for cells in table.rows.values():
        population, _, after = cells[2:5]
        assert population == after
    assert len(told.tables["weighting-errors"].rows) == 8


def test_a_report_of_one_real_answer_says_why_nothing_is_weighted(first_report, first_answer, language):
    say = Wording(language)
    assert say("methodology.weighting_lacking", respondents=5, organisations=3) in first_report.text
    assert not first_answer.weighted
    assert "OM_TAB03-OM_B-beside" not in first_report.tables
    for part in first_answer.plan.weighting:
        assert f"{part.text[language]}: " in first_report.text
    assert say("table.weighted_note") not in first_report.text


def _names(material: Material, code: str, language: str) -> str:
    return str(material.plan.labels["OM_B"][code][language])
