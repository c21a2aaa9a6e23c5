"""The report's numbers of the simulated study are those of R's survey package on the same answers."""

from analysis import extract
from tests.analysis import _study
from tests.validation import _simulated


def test_every_shown_share_and_mean_of_the_modes_agrees_with_r_survey_in_both_estimands(tmp_path):
    book = _simulated.codebook()
    answers = extract.read(_study.write(_simulated.answers(book), tmp_path, book))
    assert _simulated.compare(_study.estimates(answers), _simulated.results()) > 200
