"""What the terminal says of differences between groups is what the estimates hold, hidden figures left out."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from analysis import differences, wording
from analysis.estimates import HIDDEN, Estimates, Provenance
from analysis.study import Study
from analysis.tabulate import tabulate
from tests.analysis import _study


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Study:
    """The imitated study, weighted by size alone, and public bodies for whom another mode is central."""
    answers = _study.answers()
    for row, kind in enumerate(answers.columns["BG10"]):
        if kind != "COMP" and row % 5:
            answers.columns["OM_B01_PUB"][row], answers.columns["OM_B02_PUB"][row] = 1, 3
    plan = _study.plan()
    extract = _study.extract(tmp_path_factory.mktemp("differences"), answers)
    return Study(extract, replace(plan, weighting=plan.weighting[:1]))


@pytest.fixture(scope="module")
def estimates(study) -> Estimates:
    return tabulate(study, Provenance.of(study.answers, study, "2026-01-01T00:00:00+00:00"))


@pytest.fixture(scope="module")
def lines(study, estimates) -> list[str]:
    return list(differences.told(estimates, ["OM_B"], study.codebook))


def test_the_tests_that_find_a_difference_are_counted_unweighted_and_weighted(estimates, lines):
    tests = estimates.tests[(estimates.tests["estimand"] == "respondent") & (estimates.tests["reason"] == "")]
    for side, weighting in (("unweighted", "none"), ("weighted", "population")):
        of = tests[tests["weighting"] == weighting]
        assert f"{side} {(of['p_adjusted'] < 0.05).sum()} of {len(of)}" in lines[0]


def test_every_test_of_a_score_stands_there_with_both_sides(study, estimates, lines):
    tests = estimates.tests.set_index(["variable", "banner", "estimand", "weighting"])
    for banner in study.plan.banners:
        (line,) = [line for line in lines if line.startswith(f"    OM_B by {banner}: ")]
        for side, weighting in (("unweighted", "none"), ("weighted", "population")):
            test = tests.loc["OM_B", banner, "respondent", weighting]
            assert f"{side} F {test['f']:.2f}, p {wording.probability(test['p'], 'en')}, " in line


def test_letters_name_the_groups_whose_share_is_smaller_on_either_side(estimates, lines):
    found = [line for line in lines if line.startswith("      PUB central")]
    assert found
    company = estimates.one(
        **{"table": "book", "variable": "OM_B", "code": "PUB", "statistic": "central", "estimand": "respondent"},
        **{"banner": "org3", "banner_code": "company"},
    )
    assert f"A company {100 * company['estimate']:.1f} / " in found[0]
    assert re.search(r"B public \d+\.\d > A / \d+\.\d > A", found[0])


def test_a_hidden_figure_is_not_told(study, estimates):
    rows = estimates.rows.copy()
    rows.loc[rows["flag"].isin(HIDDEN), "estimate"] = 0.98765
    told = "\n".join(differences.told(replace(estimates, rows=rows), ["OM_B"], study.codebook))
    assert "98.8" not in told


def test_a_study_of_one_respondent_has_no_difference_to_tell(tmp_path):
    answers = _study.extract(tmp_path, _study.answers(organisations=1, respondents=1))
    found = _study.estimates(answers)
    assert list(differences.told(found, ["OM_B"], _study.study(answers).codebook)) == []
