"""A test at 5 % finds a difference that isn't there in 5 % of surveys, but only if it knows the organisations."""

import os

import numpy as np
import pytest

from benchmarks.type_one_error import (
    BAND,
    CORRELATIONS,
    DESIGN,
    NAIVE,
    PUBLISHED,
    TESTS,
    errors,
    p_values,
    report,
    surveys,
)

SURVEYS = 4000 if os.environ.get("KYSELY_LONG") else 150
NOISE = np.sqrt(0.05 * 0.95 / SURVEYS)


@pytest.fixture(scope="module")
def found():
    return {correlation: errors(SURVEYS, correlation, seed=4) for correlation in CORRELATIONS}


@pytest.mark.parametrize("correlation", CORRELATIONS)
def test_the_design_based_test_is_wrong_about_as_often_as_it_says(found, correlation):
    low, high = BAND
    assert low - 3 * NOISE <= found[correlation][DESIGN] <= high + 3 * NOISE


def test_tests_that_do_not_know_organisations_are_wrong_far_more_often(found):
    for test in (NAIVE, PUBLISHED):
        assert found[0.6][test] > 0.065 + 2 * NOISE
        assert found[0.6][test] > found[0][test]


def test_every_survey_has_every_organisation_and_a_type_for_each():
    (survey,) = surveys(1, 0.3, np.random.default_rng(1))
    types = [np.unique(survey.type[survey.organisation == one]) for one in range(269)]
    assert len(survey.weight) == 360
    assert all(len(one) == 1 for one in types)
    assert set(p_values(survey)) == set(TESTS)


def test_the_report_gives_each_number_with_its_monte_carlo_error():
    text = report({0.0: dict.fromkeys(TESTS, 0.06)}, runs=950)
    assert "0.060 ± 0.008" in text
    assert "met" in text
    assert "**missed**" in report({0.6: dict.fromkeys(TESTS, 0.18)}, runs=950)
