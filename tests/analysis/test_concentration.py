"""Concentration: equality, one owner, arithmetic a reader can redo, the jackknife, and bad input."""

import numpy as np
import pytest

from analysis.concentration import ConcentrationError, concentration, concentration_estimates, lorenz
from analysis.design import Design, DesignError

NAN = np.nan


@pytest.fixture
def amounts():
    return np.random.default_rng(4).lognormal(sigma=1.2, size=60)


def test_equal_holders_have_gini_zero_and_the_top_fifth_holds_a_fifth():
    ours = concentration([7, 7, 7, 7, 7])
    assert ours.gini == pytest.approx(0, abs=1e-15)
    assert ours.top[0.2] == pytest.approx(0.2)
    assert ours.holders == pytest.approx(0.8)
    assert ours.hhi == pytest.approx(1 / 5)


def test_one_owner_of_all_has_gini_of_all_but_one_in_n():
    ours = concentration([0, 0, 0, 9])
    assert ours.gini == pytest.approx(3 / 4)
    assert ours.gini_corrected == pytest.approx(1)
    assert ours.hhi == 1
    assert ours.top[0.2] == pytest.approx(0.8)  # a fifth is four fifths of that one owner
    assert ours.holders == pytest.approx(0.8 / 4)


def test_amounts_of_one_two_and_three_have_the_gini_of_the_mean_difference():
    # Mean difference over all 9 ordered pairs 8/9, mean 2: G = (8/9)/(2·2) = 2/9.
    assert concentration([2, 3, 1]).gini == pytest.approx(2 / 9)
    assert lorenz([2, 3, 1]).amount == pytest.approx([0, 1 / 6, 3 / 6, 1])
    assert lorenz([2, 3, 1]).at(0.5) == pytest.approx((1 / 6 + 3 / 6) / 2)


def test_the_poorest_who_hold_nothing_are_not_needed_for_all_of_it():
    assert concentration([0, 0, 5, 5], held=1).holders == pytest.approx(0.5)


def test_the_unit_of_money_changes_nothing_and_giving_everybody_more_lowers_the_gini(amounts):
    before = concentration(amounts)
    assert concentration(amounts * 1000).gini == pytest.approx(before.gini)
    assert concentration(amounts + 1).gini < before.gini


def test_a_holder_of_weight_two_is_two_holders(amounts):
    weight = np.where(np.arange(60) < 20, 2, 1)
    ours, doubled = concentration(amounts, weight), concentration(np.r_[amounts, amounts[:20]])
    assert ours.gini == pytest.approx(doubled.gini)
    assert ours.top == pytest.approx(doubled.top)
    assert ours.holders == pytest.approx(doubled.holders)


def test_a_missing_amount_is_in_no_base(amounts):
    ours = concentration(np.r_[amounts, NAN, NAN])
    assert (ours.n, ours.gini) == (60, pytest.approx(concentration(amounts).gini))


def test_the_largest_hold_at_least_their_share_and_more_of_them_more(amounts):
    shares = [0.01, 0.1, 0.25, 0.5, 0.9, 1]
    held = list(concentration(amounts, top=shares).top.values())
    assert held == sorted(held)
    assert all(part >= share for share, part in zip(shares, held, strict=True))
    assert held[-1] == 1


def test_the_error_of_a_gini_is_that_of_leaving_out_each_organisation_in_turn(amounts):
    psu = np.arange(60) // 3
    weight = np.where(np.arange(60) % 2, 1.5, 0.5)
    ours = concentration_estimates(amounts, Design.of(weight, psu=psu))
    left = np.array([concentration(amounts[psu != out], weight[psu != out]).gini for out in range(20)])
    assert ours.gini.value == pytest.approx(concentration(amounts, weight).gini)
    assert ours.gini.se == pytest.approx(np.sqrt(19 / 20 * ((left - left.mean()) ** 2).sum()))
    assert ours.gini.df == 19
    assert ours.gini.low < ours.gini.value < ours.gini.high
    tops = np.array([concentration(amounts[psu != out], weight[psu != out]).top[0.2] for out in range(20)])
    assert ours.top[0.2].se == pytest.approx(np.sqrt(19 / 20 * ((tops - tops.mean()) ** 2).sum()))
    assert ours.hhi.value == pytest.approx(concentration(amounts, weight).hhi)
    assert ours.holders.value == pytest.approx(concentration(amounts, weight).holders)


def test_a_domain_has_the_gini_of_its_members_and_leaves_out_those_without_an_amount(amounts):
    inside = np.arange(60) < 40
    gaps = np.where(np.arange(60) == 5, NAN, amounts)
    ours = concentration_estimates(gaps, Design.of(np.ones(60), psu=np.arange(60) // 2).domain(inside))
    kept = inside & ~np.isnan(gaps)
    assert (ours.n, ours.gini.value) == (39, pytest.approx(concentration(amounts[kept]).gini))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda: concentration([1, -2, 3]), "1 amounts are negative .*row 2"),
        (lambda: concentration([1, np.inf]), "1 amounts are negative or infinite"),
        (lambda: concentration([0, 0]), "all amounts are missing or 0"),
        (lambda: concentration([NAN, NAN]), "all amounts are missing or 0"),
        (lambda: concentration([]), "all amounts are missing or 0"),
        (lambda: concentration([1, 2], [1, -1]), "1 weights are negative.*row 2"),
        (lambda: concentration([1, 2], [1, NAN]), "1 weights are negative, missing"),
        (lambda: concentration([1, 2], [1]), "both are"),
        (lambda: concentration([[1, 2]]), "both are"),
        (lambda: concentration([1, 2], top=[20]), "is no share"),
        (lambda: concentration([1, 2], held=80), "is no share"),
        (lambda: lorenz([1, 2]).at(1.5), "is no share"),
        (lambda: concentration_estimates([5, 0, 0], Design.of(np.ones(3))), "nobody holds anything"),
    ],
)
def test_what_is_wrong_is_said(wrong, says):
    with pytest.raises(ConcentrationError, match=says):
        wrong()


def test_a_single_organisation_has_no_error_of_its_concentration():
    with pytest.raises(DesignError, match="single PSU"):
        concentration_estimates([1, 2, 3], Design.of(np.ones(3), psu=[1, 1, 1]))
