"""Intervals: what they are where a share can be estimated, and what is said where it can't."""

import numpy as np
import pytest

from analysis import estimators
from analysis.design import Design


def test_a_logit_interval_stays_inside_0_and_1():
    low, high = estimators.logit_interval([0.001, 0.5, 0.999], [0.002, 0.05, 0.002], [20, 20, 20])
    assert (low > 0).all() and (high < 1).all() and (low < high).all()


def test_korn_graubard_with_a_whole_sample_is_clopper_pearson():
    # R: binom.test(302, 360)$conf.int and binom.test(0, 20)$conf.int
    low, high = estimators.korn_graubard([302 / 360, 0, 1], [360, 20, 20])
    assert low == pytest.approx([0.7967623, 0, 0.8315665], abs=1e-6)
    assert high == pytest.approx([0.8753309, 0.1684335, 1], abs=1e-6)


def test_nobody_of_twenty_leaders_of_eight_organisations_is_bounded_by_eight():
    organisation = np.repeat(np.arange(8), [3, 3, 3, 3, 2, 2, 2, 2])
    found = estimators.share(np.zeros(20), Design.of(np.ones(20), psu=organisation))
    effective = 20**2 / (4 * 9 + 4 * 4)
    assert (found.value, found.low, found.estimable) == (0, 0, False)
    assert found.high == pytest.approx(1 - 0.025 ** (1 / effective))


def test_few_organisations_widen_the_interval():
    few, many = (estimators.t_interval(0.5, 0.1, df) for df in (3, 300))
    assert few[1] - few[0] > many[1] - many[0]
