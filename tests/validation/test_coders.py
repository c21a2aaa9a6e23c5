"""Agreement of coders agrees with R's package irr and with the worked examples of those who defined the measures."""

import numpy as np
import pytest

from analysis import coders
from tests.validation._cases import DATA, Case

CASE = Case(DATA / "irr.json")
RATINGS = CASE.frame.iloc[:, 1:].to_numpy(float)

FOUR_OBSERVERS = np.array(  # Krippendorff (2011), Computing Krippendorff's alpha-reliability, section C; 0: missing
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3],
        [0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0],
    ]
).T

SIX_TARGETS = [  # Shrout and Fleiss (1979), Psychological Bulletin 86(2), table 2
    [9, 2, 5, 8],
    [6, 1, 3, 2],
    [8, 4, 6, 8],
    [7, 1, 2, 6],
    [10, 5, 6, 9],
    [6, 2, 4, 7],
]


@pytest.mark.parametrize("measure", ["nominal", "ordinal", "interval"])
def test_alpha_of_three_coders_with_gaps_agrees_with_r(measure):
    ours = coders.krippendorff_alpha(RATINGS, measure=measure)
    CASE.agree(ours.value, CASE.expected[f"alpha_{measure}"])
    assert ours.units == (np.isfinite(RATINGS).sum(axis=1) >= 2).sum()


@pytest.mark.parametrize(
    ("measure", "alpha"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849), ("ratio", 0.797)]
)
def test_alpha_of_four_observers_is_that_of_krippendorffs_own_example(measure, alpha):
    ours = coders.krippendorff_alpha(np.where(FOUR_OBSERVERS == 0, np.nan, FOUR_OBSERVERS), measure=measure)
    assert ours.value == pytest.approx(alpha, abs=5e-4)
    assert (ours.units, ours.ratings) == (11, 40)


def test_fleiss_kappa_of_the_units_all_coders_rated_agrees_with_r():
    ours = coders.fleiss_kappa(RATINGS)
    CASE.agree([ours.value, ours.units], [CASE.expected["fleiss"], CASE.expected["n_complete"]])
    assert ours.units + ours.left_out == len(RATINGS)


@pytest.mark.parametrize(
    ("weighting", "key"), [("unweighted", "cohen"), ("linear", "cohen_linear"), ("quadratic", "cohen_quadratic")]
)
def test_cohens_kappa_of_the_first_two_coders_agrees_with_r(weighting, key):
    complete = RATINGS[np.isfinite(RATINGS).all(axis=1)]
    ours, theirs = coders.cohen_kappa(complete[:, :2], weighting=weighting), CASE.expected[key]
    CASE.agree([ours.value, ours.z], [theirs["kappa"], theirs["z"]])
    # R takes 1 - pnorm(z), of which few digits are left; README: below 1e-12 compare the statistic, which is above.
    assert ours.p == pytest.approx(theirs["p"], rel=1e-6)


@pytest.mark.parametrize(
    ("key", "options"),
    [
        ("icc1", {"model": "oneway"}),
        ("icc2_agree", {"model": "twoway", "kind": "agreement"}),
        ("icc3_consist_avg", {"model": "twoway", "kind": "consistency", "unit": "average"}),
    ],
)
def test_correlations_of_ratings_with_their_intervals_agree_with_r(key, options):
    ours, theirs = coders.rating_icc(RATINGS, **options), CASE.expected[key]
    found = [ours.value, ours.low, ours.high, ours.f, ours.p]
    CASE.agree(found, [theirs[name] for name in ("icc", "lo", "hi", "F", "p")])
    assert ours.units == CASE.expected["n_complete"]


@pytest.mark.parametrize(
    ("options", "single", "average"),
    [
        ({"model": "oneway"}, 0.17, 0.44),
        ({"model": "twoway", "kind": "agreement"}, 0.29, 0.62),
        ({"model": "twoway", "kind": "consistency"}, 0.71, 0.91),
    ],
)
def test_judges_of_six_targets_are_as_reliable_as_shrout_and_fleiss_say(options, single, average):
    found = [coders.rating_icc(SIX_TARGETS, **options, unit=unit).value for unit in ("single", "average")]
    assert found == pytest.approx([single, average], abs=0.005)
