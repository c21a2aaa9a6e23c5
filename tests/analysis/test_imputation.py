"""Pooling of imputations: Rubin's rules as a reader can redo them, their limits, and bad input."""

import numpy as np
import pytest

from analysis import estimators, imputation
from analysis.design import Design
from analysis.imputation import ImputationError


def test_two_imputations_can_be_pooled_by_hand():
    # Means 10 and 12, variances 3 and 5: W = 4, B = 2, T = 4 + 1.5·2 = 7; r = 3/4; df = (1 + 4/3)² = 49/9.
    ours = imputation.pool([10, 12], [3, 5])
    assert (ours.value[0], ours.within[0], ours.between[0]) == (11, 4, 2)
    assert ours.se**2 == pytest.approx([7])
    assert ours.df == pytest.approx([49 / 9])
    # Barnard and Rubin with 20: observed 21/23 · 20 · 4/7.
    observed = 21 / 23 * 20 * 4 / 7
    assert imputation.pool([10, 12], [3, 5], complete_df=20).df == pytest.approx([1 / (1 / observed + 9 / 49)])


def test_imputations_that_agree_leave_the_error_of_complete_data():
    ours = imputation.pool([5, 5, 5], [4, 4, 4])
    assert (ours.se[0], ours.df[0], ours.missing_information[0]) == (2, np.inf, 0)
    assert (ours.high - ours.low)[0] == pytest.approx(2 * 1.959964 * 2, rel=1e-6)
    assert imputation.pool([5, 5], [4, 4], complete_df=97).df == pytest.approx([97 * 98 / 100])


def test_filling_in_never_narrows_an_interval_nor_adds_organisations():
    rng = np.random.default_rng(2)
    for _ in range(20):
        values, variances = rng.normal(size=5), rng.uniform(0.5, 2, 5)
        ours = imputation.pool(values, variances, complete_df=40)
        assert ours.se[0] >= np.sqrt(variances.mean())
        assert 0 < ours.df[0] < 40
        assert 0 < ours.missing_information[0] < 1


def test_several_statistics_are_pooled_with_their_covariances():
    values = np.array([[1, 10], [2, 14], [3, 12.0]])
    matrices = np.array([[[1, 0.5], [0.5, 4]]] * 3)
    ours = imputation.pool(values, matrices)
    between = np.cov(values.T)
    assert ours.covariance == pytest.approx(matrices[0] + 4 / 3 * between)
    for one in range(2):
        alone = imputation.pool(values[:, one], matrices[:, one, one])
        assert (alone.se[0], alone.df[0]) == pytest.approx((ours.se[one], ours.df[one]))
    diagonal = imputation.pool(values, matrices[:, [0, 1], [0, 1]])
    assert diagonal.se == pytest.approx(ours.se)


def test_estimates_of_one_design_are_pooled_with_its_degrees_of_freedom():
    design = Design.of(np.ones(8), psu=[1, 1, 2, 2, 3, 3, 4, 4])
    each = [estimators.mean([1, 2, 3, 4, 5, 6, 7, filled], design) for filled in (7, 8, 9)]
    ours = imputation.pool_estimates(each)
    assert ours.value[0] == pytest.approx(4.5)
    assert ours.df[0] < 3


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda: imputation.pool([1], [1]), "at least two imputations"),
        (lambda: imputation.pool([1, 2], [1]), "don't fit 2 imputations of 1"),
        (lambda: imputation.pool([1, 2], [1, 0]), "not positive"),
        (lambda: imputation.pool([1, np.nan], [1, 1]), "missing or infinite"),
        (lambda: imputation.pool([1, 2], [1, 1], complete_df=0), "0 degrees of freedom"),
        (lambda: imputation.pool_estimates([]), "at least two imputations"),
        (lambda: imputation.pool_estimates([estimators.mean([2, 2, 2], Design.of(np.ones(3)))] * 2), "no standard"),
    ],
)
def test_what_is_wrong_is_said(wrong, says):
    with pytest.raises(ImputationError, match=says):
        wrong()
