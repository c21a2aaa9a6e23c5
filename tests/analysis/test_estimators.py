"""What holds for every estimate, and what is said where there is nothing to estimate."""

import numpy as np
import pytest

from analysis import estimators
from analysis.design import Design, DesignError
from analysis.intervals import METHODS, IntervalError


@pytest.fixture(scope="module")
def sample():
    rng = np.random.default_rng(21)
    psu = rng.integers(0, 60, 150)
    design = Design.of(rng.uniform(0.5, 3, 150), psu=psu, stratum=psu % 4)
    return design, rng.gamma(2, 10, 150), rng.gamma(3, 5, 150), rng.integers(-1, 4, 150)


def test_the_influence_values_of_means_shares_and_ratios_sum_to_zero(sample):
    design, y, x, code = sample
    found = [estimators.mean(y, design), estimators.ratio(y, x, design), estimators.variance(y, design)]
    for one in [*found, *estimators.shares(code, 4, design)]:
        assert one.influence.sum() == pytest.approx(0, abs=1e-12 * np.abs(one.influence).sum())


def test_shares_of_all_answers_sum_to_one_and_their_covariances_to_zero(sample):
    design, _, _, code = sample
    found = estimators.shares(code, 4, design)
    assert sum(one.value for one in found) == pytest.approx(1)
    assert {one.n for one in found} == {(code >= 0).sum()}
    matrix = estimators.covariances(found)
    assert matrix.sum(axis=1) == pytest.approx(np.zeros(4), abs=1e-15)


def test_what_always_sums_to_one_has_no_standard_error(sample):
    design, _, _, code = sample
    found = estimators.combination(estimators.shares(code, 4, design), [1, 1, 1, 1])
    assert found.value == pytest.approx(1)
    assert not found.estimable


def test_a_ratio_of_proportional_amounts_is_no_estimate_but_a_number(sample):
    design, y, _, _ = sample
    found = estimators.ratio(3 * y, y, design)
    assert found.value == pytest.approx(3)
    assert not found.estimable


def test_a_mean_is_the_ratio_of_a_total_to_the_respondents(sample):
    design, y, _, _ = sample
    mean, ratio = estimators.mean(y, design), estimators.ratio(y, np.ones(len(y)), design)
    assert (ratio.value, ratio.se, ratio.low) == pytest.approx((mean.value, mean.se, mean.low))


def test_a_share_is_the_mean_of_zeros_and_ones(sample):
    design, _, _, code = sample
    yes = np.where(code < 0, np.nan, code == 1)
    share, mean = estimators.share(yes, design, interval="mean"), estimators.mean(yes, design)
    assert (share.value, share.se, share.low, share.deff) == (mean.value, mean.se, mean.low, mean.deff)


def test_the_variance_of_a_share_s_answers_is_p_times_one_minus_p(sample):
    design, _, _, code = sample
    yes = (code == 1).astype(float)
    p, n = estimators.share(yes, design).value, len(yes)
    assert estimators.variance(yes, design).value == pytest.approx(p * (1 - p) * n / (n - 1))


def test_with_equal_weights_and_no_clusters_the_textbook_is_right():
    y = np.array([2, 4, 4, 5, 7, 9, 11, 14.0])
    design = Design.of(np.full(8, 10.0))
    mean = estimators.mean(y, design)
    assert mean.se == pytest.approx(y.std(ddof=1) / np.sqrt(8))
    assert (mean.df, mean.deff) == (7, pytest.approx(1))
    assert mean.cv == pytest.approx(mean.se / 7)
    assert estimators.design_effect(mean, replacement=False) == pytest.approx(1 / (1 - 8 / 80))
    assert estimators.standard_deviation(y, design).value == pytest.approx(y.std(ddof=1))
    assert estimators.total(y, design).se == pytest.approx(80 * mean.se)
    assert estimators.total(y, design).deff == pytest.approx(1)


def test_a_higher_level_of_confidence_gives_a_wider_interval(sample):
    design, y, x, code = sample
    of_codes = estimators.shares(code, 4, design)
    for estimate in (
        lambda level: estimators.mean(y, design, level=level),
        lambda level: estimators.total(y, design, level=level),
        lambda level: estimators.ratio(y, x, design, level=level),
        lambda level: estimators.variance(y, design, level=level),
        lambda level: estimators.difference(*of_codes[:2], level=level),
        *(lambda level, name=name: estimators.share(code == 1, design, interval=name, level=level) for name in METHODS),
    ):
        wide, narrow = estimate(0.99), estimate(0.8)
        assert wide.low < narrow.low < narrow.value < narrow.high < wide.high


def test_groups_of_one_sample_are_compared_with_their_covariance(sample):
    # Groups that share organisations are no independent samples.
    design, y, _, code = sample
    a, b = (estimators.mean(y, design.domain(code == k)) for k in (0, 1))
    matrix = estimators.covariances([a, b])
    found = estimators.difference(a, b)
    assert found.se**2 == pytest.approx(matrix[0, 0] + matrix[1, 1] - 2 * matrix[0, 1])
    assert matrix[0, 1] != 0
    assert found.df == design.domain((code == 0) | (code == 1)).degrees()


# ---- nothing to estimate ---------------------------------------------------------------------------------

ESTIMATORS = [
    estimators.total,
    estimators.mean,
    estimators.share,
    estimators.variance,
    estimators.standard_deviation,
    lambda y, design: estimators.ratio(y, np.ones(len(design)), design),
]


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_an_empty_domain_and_missing_answers_give_an_estimate_that_says_so(estimator):
    design = Design.of(np.ones(6), psu=[1, 1, 2, 2, 3, 3])
    nobody = np.zeros(6, bool)
    for found in (estimator(np.full(6, np.nan), design), estimator(np.ones(6), design.domain(nobody))):
        assert np.isnan([found.value, found.se, found.low, found.high, found.deff, found.cv]).all()
        assert (found.n, found.df, found.estimable) == (0, 0, False)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_a_single_psu_gives_a_value_without_a_standard_error(estimator):
    found = estimator(np.array([1, 0, 1.0]), Design.of(np.ones(3), psu=[1, 1, 1]))
    assert found.value > 0
    assert np.isnan(found.se)
    assert (found.n, found.df, found.estimable) == (3, 0, False)


def test_one_respondent_has_no_variance():
    found = estimators.variance([3, np.nan], Design.of([1, 1]))
    assert (np.isnan(found.value), found.n, found.estimable) == (True, 1, False)


@pytest.mark.parametrize("estimator", [estimators.mean, estimators.variance, estimators.standard_deviation])
def test_a_constant_column_has_no_standard_error(estimator):
    found = estimator(np.full(6, 0.1), Design.of([1, 2, 3, 4, 5, 6.5], psu=[1, 1, 2, 2, 3, 3]))
    assert found.value == (0.1 if estimator is estimators.mean else 0)
    assert np.isnan(found.se)
    assert not found.estimable


def test_a_combination_with_an_empty_domain_is_not_estimable():
    design = Design.of(np.ones(6))
    y = np.arange(6.0)
    none = estimators.mean(y, design.domain(np.zeros(6, bool)))
    found = estimators.difference(estimators.mean(y, design), none)
    assert np.isnan([found.value, found.low, found.high]).all()


def test_answers_that_can_not_be_estimated_from_are_refused():
    design = Design.of(np.ones(3))
    for wrong, message in (
        ([1, 2], "shape"),
        ([1, 2, np.inf], "infinite"),
        (["1", "2", "three"], "must be numbers"),
    ):
        with pytest.raises(DesignError, match=message):
            estimators.mean(wrong, design)
    with pytest.raises(DesignError, match="sums to 0"):
        estimators.ratio([1, 2, 3], [1, -1, 0], design)
    with pytest.raises(DesignError, match="differ in shape"):
        estimators.ratio([1, 2, 3], [1, 2], design)
    with pytest.raises(DesignError, match="no estimate"):
        estimators.combination([], [])


def test_codes_outside_the_codebook_are_refused():
    design = Design.of(np.ones(3))
    for wrong, message in (([0, 1, 2], "outside"), ([0, -2, 1], "outside"), ([0, 1, 0.5], "whole"), ([0, 1], "shape")):
        with pytest.raises(DesignError, match=message):
            estimators.shares(wrong, 2, design)


def test_an_interval_that_r_does_not_know_is_refused(sample):
    with pytest.raises(IntervalError, match="there are: logit, xlogit"):
        estimators.share(np.resize([0, 1], 150), sample[0], interval="wald")


def test_weights_scaled_to_the_sample_have_no_design_effect_without_replacement(sample):
    design, y, _, _ = sample
    scaled = Design.of(design.weight / design.weight.mean(), psu=design.psu)
    with pytest.raises(DesignError, match="no population"):
        estimators.design_effect(estimators.mean(y, scaled), replacement=False)
