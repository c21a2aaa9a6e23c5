"""Compositions: the laws log-ratios obey, cautions as values, and what is refused."""

import numpy as np
import pytest

from analysis import estimators
from analysis.compositions import (
    CompositionError,
    cautions,
    centre,
    change,
    closure,
    clr,
    distance,
    from_clr,
    from_ilr,
    ilr,
    ilr_basis,
    log_ratio_means,
    replace_zeros,
)
from analysis.design import Design, DesignError

NAN = np.nan


@pytest.fixture
def points():
    return np.random.default_rng(5).dirichlet([2, 1, 3, 1], 50) * 100


@pytest.fixture
def design():
    rng = np.random.default_rng(6)
    return Design.of(rng.uniform(1, 3, 50), psu=rng.integers(0, 30, 50))


def test_closed_rows_add_up_and_a_row_of_zeros_has_no_proportions():
    ours = closure([[1, 3], [0, 0], [2, NAN]], total=100)
    assert ours[0].tolist() == [25, 75]
    assert np.isnan(ours[1:]).all()


def test_replacing_a_zero_keeps_the_sum_and_the_ratios_of_the_others():
    ours = replace_zeros([[60, 30, 10, 0]], delta=1)
    assert ours[0] == pytest.approx([59.4, 29.7, 9.9, 1])
    assert ours.sum() == pytest.approx(100)


def test_a_composition_without_zeros_is_only_closed():
    assert replace_zeros([[1, 3]]).tolist() == [[25, 75]]


def test_log_ratios_by_hand():
    # The geometric mean of 1, 2 and 4 is 2.
    assert clr([[1, 2, 4]])[0] == pytest.approx([-np.log(2), 0, np.log(2)])
    first, second = ilr([[1, 2, 4]])[0]
    assert first == pytest.approx(np.log(1 / 2) / np.sqrt(2))
    assert second == pytest.approx(np.sqrt(2 / 3) * np.log(np.sqrt(2) / 4))


def test_log_ratios_lead_back_and_do_not_know_the_total(points):
    assert clr(points) == pytest.approx(clr(points / 100))
    assert clr(points).sum(axis=1) == pytest.approx(0)
    assert from_clr(clr(points), total=100) == pytest.approx(points)
    assert from_ilr(ilr(points), total=100) == pytest.approx(points)


def test_the_basis_is_orthonormal_and_its_columns_add_to_zero():
    basis = ilr_basis(5)
    assert basis.T @ basis == pytest.approx(np.eye(4))
    assert basis.sum(axis=0) == pytest.approx(0)


def test_distance_is_the_same_in_all_coordinates_and_blind_to_a_common_change(points):
    one, other = points[:20], points[20:40]
    assert distance(one, other) == pytest.approx(np.linalg.norm(ilr(one) - ilr(other), axis=1))
    factor = np.array([1, 2, 0.5, 4])
    assert distance(one * factor, other * factor) == pytest.approx(distance(one, other))
    assert distance(one, other) == pytest.approx(distance(other, one))


def test_a_change_is_undone_by_its_opposite_and_none_is_equal_parts(points):
    assert change(points, points) == pytest.approx(np.full(points.shape, 0.25))
    moved = closure(points * change(points, points[::-1]), total=100)
    assert moved == pytest.approx(points[::-1])


def test_the_centre_is_the_closed_geometric_mean():
    # √(10·40) : √(90·60) = 20 : 73.48
    ours = centre([[10, 90], [40, 60]], Design.of([1, 1]), total=100)
    assert ours == pytest.approx(np.array([20, np.sqrt(5400)]) / (20 + np.sqrt(5400)) * 100)
    weighted = centre([[10, 90], [40, 60]], Design.of([1, 3]))
    assert weighted[0] / weighted[1] == pytest.approx((1 / 9) ** 0.25 * (2 / 3) ** 0.75)


def test_means_of_log_ratios_have_the_design_s_standard_errors(points, design):
    ours = log_ratio_means(points, design)
    theirs = estimators.mean(clr(points)[:, 2], design)
    assert (ours[2].value, ours[2].se) == (theirs.value, theirs.se)
    assert sum(one.value for one in ours) == pytest.approx(0)


def test_a_respondent_without_all_parts_is_out_of_the_centre(points, design):
    holed = points.copy()
    holed[:5, 1] = NAN
    assert centre(holed, design) == pytest.approx(centre(points, design.domain(np.arange(50) >= 5)))


def test_parts_that_add_up_always_carry_the_caution_about_correlations(points, design):
    (only,) = cautions(points, design)
    assert (only.kind, only.amount) == ("closed", pytest.approx(-1 / 3))
    assert "-0.33" in only.text


def test_a_part_that_many_give_nothing_is_named(points, design):
    zeroed = points.copy()
    zeroed[:20, 1] = 0
    found = [one for one in cautions(zeroed, design, names=["A", "B", "C", "D"]) if one.kind == "zeros"]
    assert [one.parts for one in found] == [(1,)]
    assert found[0].amount == pytest.approx(design.weight[:20].sum() / design.weight.sum())
    assert "give B nothing" in found[0].text


def test_a_few_large_answers_can_turn_the_order_of_the_means():
    # Nine give B a little more than A; one gives nearly all to A.
    x = np.array([[15, 20, 65]] * 9 + [[80, 10, 10]])
    found = {one.kind: one for one in cautions(x, Design.of(np.ones(10)))}
    assert found["centre"].parts == (0, 1)
    plain = x.mean(axis=0)
    assert plain[0] > plain[1]
    middle = centre(x, Design.of(np.ones(10)))
    assert middle[0] < middle[1]


def test_an_order_that_hangs_on_what_replaces_zeros_is_told():
    # The geometric mean of A is √(40 δ), of B √(4 · 4): equal near δ = 0.4, so A leads with 0.5 and not with 0.25.
    x = np.array([[0, 4, 96], [40, 4, 56]] * 5)
    found = {one.kind: one for one in cautions(x, Design.of(np.ones(10)))}
    assert found["delta"].parts == (0, 1)
    assert found["delta"].amount > 0


def test_a_zero_has_no_logarithm_and_is_not_replaced_silently():
    for run in (clr, ilr, lambda x: distance(x, x), lambda x: centre(x, Design.of([1, 1]))):
        with pytest.raises(CompositionError, match=r"1 of 2 compositions have a zero.*row 2.*replace_zeros"):
            run([[1, 2], [0, 3]])


@pytest.mark.parametrize(
    ("wrong", "says"),
    [([[1, -2]], "negative part"), ([1, 2], "one row for each"), ([[1]], "no ratios"), ([[1, np.inf]], "infinite")],
)
def test_what_is_no_composition_is_refused(wrong, says):
    with pytest.raises(CompositionError, match=says):
        closure(wrong)


def test_settings_that_leave_nothing_are_refused(points, design):
    with pytest.raises(CompositionError, match="smaller delta"):
        replace_zeros([[0, 0, 1]], delta=50)
    with pytest.raises(CompositionError, match="delta is 0"):
        replace_zeros([[1, 1]], delta=0)
    with pytest.raises(CompositionError, match="two parts"):
        ilr_basis(1)
    with pytest.raises(CompositionError, match="2 names were given for 4 parts"):
        cautions(points, design, names=["A", "B"])
    with pytest.raises(DesignError, match="the design has 50 respondents"):
        centre(points[:3], design)
    with pytest.raises(DesignError, match="the design has 50 respondents"):
        cautions(points[:3], design)
    with pytest.raises(CompositionError, match="nobody in this base"):
        centre(points * NAN, design)
    with pytest.raises(CompositionError, match="nobody in this base"):
        cautions(points * NAN, design)
