"""Intervals: what they are where a share can be estimated, and what is said where it can't."""

import numpy as np
import pytest

from analysis import estimators, intervals
from analysis.design import Design


def test_a_logit_interval_stays_inside_0_and_1():
    low, high = estimators.logit_interval([0.001, 0.5, 0.999], [0.002, 0.05, 0.002], [20, 20, 20])
    assert (low > 0).all() and (high < 1).all() and (low < high).all()


def test_korn_graubard_with_a_whole_sample_is_clopper_pearson():
    # R: binom.test(302, 360)$conf.int and binom.test(0, 20)$conf.int
    low, high = estimators.korn_graubard([302 / 360, 0, 1], [360, 20, 20])
    assert low == pytest.approx([0.7967623, 0, 0.8315665], abs=1e-6)
    assert high == pytest.approx([0.8753309, 0.1684335, 1], abs=1e-6)


def test_the_share_of_top_management_has_the_wilson_interval_of_the_specification():
    # operating_mode.md, 4: Wilson 95 % for 302/360 is 0.7974–0.8733. R: prop.test(302, 360, correct=FALSE)$conf.int
    low, high = intervals.wilson(302 / 360, 360)
    assert (round(float(low), 4), round(float(high), 4)) == (0.7974, 0.8733)


def test_nobody_of_twenty_leaders_of_eight_organisations_is_bounded_by_eight():
    organisation = np.repeat(np.arange(8), [3, 3, 3, 3, 2, 2, 2, 2])
    found = estimators.share(np.zeros(20), Design.of(np.ones(20), psu=organisation))
    effective = 20**2 / (4 * 9 + 4 * 4)
    assert (found.value, found.low, found.estimable) == (0, 0, False)
    assert found.high == pytest.approx(1 - 0.025 ** (1 / effective))


def test_few_organisations_widen_the_interval():
    few, many = (estimators.t_interval(0.5, 0.1, df) for df in (3, 300))
    assert few[1] - few[0] > many[1] - many[0]


def test_every_interval_holds_its_share_and_narrows_with_the_error():
    p = np.array([0.02, 0.3, 0.5, 0.9])
    for method in intervals.METHODS:
        wide, narrow = (intervals.share_interval(method, p, se, df=40, n=300) for se in (0.02, 0.01))
        assert (wide[0] < narrow[0]).all() and (narrow[0] < p).all(), method
        assert (p < narrow[1]).all() and (narrow[1] < wide[1]).all(), method


def test_intervals_but_that_of_the_mean_stay_inside_0_and_1():
    for method in set(intervals.METHODS) - {"mean"}:
        low, high = intervals.share_interval(method, [0.01, 0.99], 0.03, df=5, n=60)
        assert (low >= 0).all() and (high <= 1).all(), method


def test_an_interval_of_a_share_is_that_of_its_complement_turned_round():
    for method in intervals.METHODS:
        low, high = intervals.share_interval(method, 0.2, 0.04, df=12, n=90)
        other_low, other_high = intervals.share_interval(method, 0.8, 0.04, df=12, n=90)
        assert (1 - other_high, 1 - other_low) == (pytest.approx(low), pytest.approx(high)), method


def test_a_simple_random_sample_gives_wilson_s_interval_by_either_way():
    low, high = intervals.design_wilson(0.3, np.sqrt(0.3 * 0.7 / 80), np.inf)
    assert [low, high] == pytest.approx(np.array(intervals.wilson(0.3, 80)))


def test_a_wilson_interval_of_nobody_begins_at_0_and_of_everybody_ends_at_1():
    low, high = intervals.wilson([0, 1], 12)
    z = 1.959963984540054
    assert (low[0], high[1]) == (0, 1)
    assert high[0] == pytest.approx(z**2 / (12 + z**2))
    assert low[1] == pytest.approx(12 / (12 + z**2))


def test_a_correction_for_continuity_is_half_a_respondent_and_none_at_one_half():
    # R: prop.test(10, 20) and prop.test(10, 20, correct=FALSE) print the same interval.
    assert intervals.wilson(0.5, 20, corrected=True) == intervals.wilson(0.5, 20)
    plain, corrected = intervals.wilson(0.3, 20), intervals.wilson(0.3, 20, corrected=True)
    assert corrected[0] < plain[0] and plain[1] < corrected[1]


def test_few_degrees_of_freedom_leave_the_likelihood_interval_finite():
    # R's profile stops before t(2)·√deff here and prints NA.
    low, high = intervals.likelihood_interval(0.4, 0.02, 2, 150)
    assert 0 < low < 0.4 < high < 1


def test_what_is_not_estimable_has_no_limits_and_no_warning():
    nothing = {"p": np.nan, "se": 0.1, "df": 9}, {"p": 0.4, "se": np.nan, "df": 9}, {"p": 0.4, "se": 0.1, "df": 0}
    for method in intervals.METHODS:
        for given in nothing:
            assert np.isnan(intervals.share_interval(method, **given, n=40)).all(), (method, given)
    for method in (intervals.wilson, intervals.korn_graubard, intervals.agresti_coull, intervals.jeffreys):
        assert np.isnan(method(0.4, np.nan)).all()
        assert np.isnan(method(np.nan, 20)).all()


def test_numbers_that_are_no_share_no_error_no_base_and_no_level_are_refused():
    for wrong, message in (
        (lambda: intervals.wilson(30, 50), "between 0 and 1"),
        (lambda: intervals.logit_interval(-0.1, 0.1, 9), "between 0 and 1"),
        (lambda: intervals.t_interval(3, -0.1, 9), "standard error is negative"),
        (lambda: intervals.jeffreys(0.5, 0), "base above 0"),
        (lambda: intervals.wilson(0.5, 20, 95), "level of confidence"),
        (lambda: intervals.korn_graubard(0.5, 20, 1), "level of confidence"),
        (lambda: intervals.share_interval("exact", 0.5, 0.1, df=3, n=9), "there are: logit"),
    ):
        with pytest.raises(intervals.IntervalError, match=message):
            wrong()


def test_a_large_design_effect_leaves_few_points_for_the_likelihood_interval_and_r_s_number():
    # R survey 4.5, 8 clusters of 40 whose members answer nearly alike: svyciprop(~y, d, method="likelihood")
    low, high = intervals.likelihood_interval(0.38125, 0.173960561006552, 7, 320)
    assert (float(low), float(high)) == pytest.approx((0.0720787075432961, 0.795664197994545), rel=1e-9)
