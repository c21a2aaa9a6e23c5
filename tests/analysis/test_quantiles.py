"""Quantiles a reader can find by counting, and what is said where there is nothing to count."""

import numpy as np
import pytest

from analysis.design import Design, DesignError
from analysis.quantiles import INTERVALS, RULES, quantile, quantiles

SIMPLE = Design.of(np.ones(9), psu=np.arange(9))


@pytest.mark.parametrize("rule", RULES)
def test_the_median_of_nine_people_is_the_fifth_by_every_rule_but_one(rule):
    # hf4 lets an answer stand at the end of its ninth part, and so puts the half between the fourth and the fifth.
    found = quantile([9, 1, 8, 2, 7, 3, 6, 4, 5], 0.5, SIMPLE, rule=rule)
    assert found.value == {"hf4": 4.5}.get(rule, 5)
    assert (found.n, found.df) == (9, 8)


def test_who_has_a_weight_of_three_counts_three_times():
    thrice = quantile([1, 2, 3, 4], 0.5, Design.of([3, 1, 1, 1])).value
    assert thrice == quantile([1, 1, 1, 2, 3, 4], 0.5, Design.of(np.ones(6))).value == 1
    halfway = quantile([1, 2, 3, 4], 0.5, Design.of([3, 1, 1, 1]), rule="school").value
    assert halfway == quantile([1, 1, 1, 2, 3, 4], 0.5, Design.of(np.ones(6)), rule="school").value == 1.5


@pytest.mark.parametrize("rule", RULES)
def test_quantiles_rise_with_the_probability_and_stay_among_the_answers(rule):
    rng = np.random.default_rng(3)
    y, design = rng.gamma(2, 10, 50), Design.of(rng.uniform(0.2, 4, 50))
    found = [one.value for one in quantiles(y, np.linspace(0, 1, 41).tolist(), design, rule=rule)]
    assert (np.diff(found) >= 0).all()
    assert y.min() <= found[0] <= found[-1] <= y.max()
    # R's rules for the first answer's share: see analysis/quantiles.py.
    first, second = np.sort(y)[:2]
    halfway = (first + second) / 2
    assert found[0] == {"school": halfway, "hf2": halfway, "hf3": second}.get(rule, first)
    assert found[-1] == y.max()


@pytest.mark.parametrize("rule", RULES)
def test_the_unit_of_the_weights_and_of_the_answers_changes_no_quantile(rule):
    rng = np.random.default_rng(4)
    y, weight, psu = rng.gamma(2, 10, 80), rng.uniform(0.2, 4, 80), rng.integers(0, 40, 80)
    a = quantile(y, 0.37, Design.of(weight, psu=psu), rule=rule)
    b = quantile(1000 * y, 0.37, Design.of(weight * 512, psu=psu), rule=rule)
    assert np.array([b.value, b.low, b.high, b.se]) / 1000 == pytest.approx([a.value, a.low, a.high, a.se])


def test_a_quantile_of_a_domain_is_that_of_its_members():
    y = np.arange(20.0)
    inside = y < 9
    design = Design.of(np.ones(20)).domain(inside)
    of_missing = quantile(np.where(inside, y, np.nan), 0.5, Design.of(np.ones(20)))
    assert quantile(y, 0.5, design) == of_missing
    assert (of_missing.value, of_missing.n) == (4, 9)


@pytest.mark.parametrize("interval", INTERVALS)
def test_an_interval_holds_its_quantile(interval):
    y = np.random.default_rng(6).normal(size=200)
    found = quantile(y, 0.5, Design.of(np.ones(200), psu=np.arange(200) // 2), rule="hf7", interval=interval)
    assert found.low < found.value < found.high
    assert found.estimable


def test_the_median_of_a_large_normal_sample_has_the_error_that_theory_gives():
    # σ √(π / 2n)
    y = np.random.default_rng(7).normal(size=20_000)
    assert quantile(y, 0.5, Design.of(np.ones(20_000)), rule="hf7").se == pytest.approx(
        np.sqrt(np.pi / 40_000), rel=0.1
    )


def test_where_the_answers_do_not_bound_a_quantile_the_limit_is_missing():
    found = quantile(np.arange(9.0), 0.8, SIMPLE)
    assert found.low < found.value
    assert np.isnan([found.high, found.se]).all()
    assert not found.estimable


def test_an_empty_base_a_single_psu_and_equal_answers_have_no_interval():
    nobody = quantile(np.full(9, np.nan), 0.5, SIMPLE)
    assert (np.isnan(nobody.value), nobody.n, nobody.estimable) == (True, 0, False)
    alike = quantile(np.full(9, 4.0), 0.5, SIMPLE)
    assert (alike.value, alike.estimable) == (4, False)
    one = quantile([1, 2, 3], 0.5, Design.of(np.ones(3), psu=[1, 1, 1]))
    assert (one.value, one.df, one.estimable) == (2, 0, False)
    for found in (nobody, alike, one):
        assert np.isnan([found.low, found.high, found.se]).all()


def test_a_census_knows_its_quantiles():
    found = quantile([1, 2, 3, 4], 0.5, Design.of(np.ones(4), fpc=[4] * 4))
    assert (found.value, found.low, found.high, found.se) == (2, 2, 2, 0)


def test_what_is_no_quantile_is_refused():
    for wrong, message in (
        ({"q": 50}, "between 0 and 1"),
        ({"q": np.nan}, "between 0 and 1"),
        ({"rule": "hf10"}, "there are: math, school"),
        ({"interval": "score"}, "there are: mean, beta"),
        ({"y": [1, np.inf, 3]}, "infinite"),
        ({"y": [1, 2]}, "shape"),
    ):
        arguments = {"y": [1, 2, 3], "q": 0.5, "design": Design.of(np.ones(3))} | wrong
        with pytest.raises(DesignError, match=message):
            quantile(**arguments)
