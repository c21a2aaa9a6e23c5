"""The report's numbers of the simulated study are those of R's survey package on the same answers."""

import pytest

from analysis import extract
from tests.analysis import _study
from tests.validation import _simulated


@pytest.fixture(scope="module")
def estimates(tmp_path_factory):
    book = _simulated.codebook()
    folder = tmp_path_factory.mktemp("study")
    return _study.estimates(extract.read(_study.write(_simulated.answers(book), folder, book)))


def test_every_shown_share_and_mean_of_the_modes_agrees_with_r_survey_in_both_estimands(estimates):
    assert _simulated.compare(estimates, _simulated.results()) > 200


def test_every_mode_is_tested_against_who_answers_as_r_survey_tests_it(estimates):
    # R survey: svychisq(statistic="F") on the respondents with both answers
    assert _simulated.compare_tests(estimates, _simulated.results()) == 16
