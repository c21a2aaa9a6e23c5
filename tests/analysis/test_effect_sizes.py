"""Effect sizes at their limits, and planning."""

import numpy as np
import pytest

from analysis import effect_sizes, planning
from analysis.categories import NotTestable
from analysis.planning import PlanningError


def test_a_question_that_tells_the_other_has_a_full_association():
    ours = effect_sizes.association(np.diag([10, 20, 30]))
    assert (ours.cramer_v, ours.tschuprow_t) == pytest.approx((1, 1))
    assert ours.contingency_c == pytest.approx(np.sqrt(2 / 3))
    assert ours.cramer_v_corrected == pytest.approx(1, abs=1e-3)


def test_independent_questions_have_none():
    ours = effect_sizes.association(np.outer([10, 20], [1, 2, 3]))
    assert ours.x2 == pytest.approx(0, abs=1e-20)
    assert (ours.p, ours.cramer_v_corrected) == (1, 0)
    assert ours.g2 == pytest.approx(0, abs=1e-12)


def test_what_chance_adds_to_cramer_s_v_is_taken_off():
    # 300 tables of two unrelated questions of 5 and 4 answers, 100 respondents each.
    rng = np.random.default_rng(7)
    raw, corrected = [], []
    for _ in range(300):
        ours = effect_sizes.association(effect_sizes.counted(rng.integers(5, size=100), rng.integers(4, size=100)))
        raw.append(ours.cramer_v)
        corrected.append(ours.cramer_v_corrected)
    assert np.mean(raw) > 0.18
    assert np.mean(corrected) < 0.06


def test_adjusted_residuals_of_a_two_by_two_table_are_all_the_root_of_x2():
    ours = effect_sizes.association([[30, 10], [20, 40]])
    assert np.abs(ours.adjusted_residuals) == pytest.approx(np.full((2, 2), np.sqrt(ours.x2)))


def test_weights_are_scaled_to_the_respondents_who_have_both_answers():
    row, column = [1, 1, 2, 2, np.nan, 1], ["a", "b", "a", "b", "a", None]
    counts = effect_sizes.counted(row, column, weight=[10, 10, 20, 40, 7, 7])
    assert counts == pytest.approx(np.array([[0.5, 0.5], [1, 2]]))


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ([[1, 2, 3]], "two rows and two columns"),
        ([[1, 0], [2, 0]], "column 2 of the table is empty"),
        ([[0, 0], [2, 1]], "row 1 of the table is empty"),
        ([[1, -1], [2, 1]], "not negative"),
        ([[1, np.nan], [2, 1]], "finite"),
        ([[0.1, 0.2], [0.3, 0.4]], "scale it to the number of respondents"),
    ],
)
def test_a_table_that_holds_no_association_is_refused(table, says):
    with pytest.raises(NotTestable, match=says):
        effect_sizes.association(table)


@pytest.mark.parametrize(
    ("row", "column", "weight", "says"),
    [
        (list("aaaa"), list("uvuv"), None, "the row question has 1 group"),
        (list("abab"), list("uuuu"), None, "the column question has 1 group"),
        (["a", "b", "a", "b"], ["u", None, "v", None], None, "the row question has 1 group"),
        (list("abab"), list("uvuv"), [1, 1, 1, 0], "positive and finite"),
    ],
)
def test_questions_that_cross_in_no_table_are_refused(row, column, weight, says):
    with pytest.raises(NotTestable, match=says):
        effect_sizes.counted(row, column, weight=weight)


def test_two_groups_swapped_have_the_opposite_difference_and_the_inverse_odds():
    ours = effect_sizes.two_groups(yes_a=28, n_a=69, yes_b=100, n_b=291)
    swapped = effect_sizes.two_groups(yes_a=100, n_a=291, yes_b=28, n_b=69)
    assert (swapped.difference, swapped.low, swapped.high) == pytest.approx((-ours.difference, -ours.high, -ours.low))
    assert swapped.odds_ratio == pytest.approx(1 / ours.odds_ratio)
    assert swapped.fisher_p == pytest.approx(ours.fisher_p)
    assert swapped.phi == pytest.approx(-ours.phi)
    assert ours.phi**2 * 360 == pytest.approx(ours.x2)


def test_fisher_s_tea_tasting_lady():
    # Fisher (1935), The Design of Experiments: 3 of 4 cups right on both sides, p = 34/70.
    ours = effect_sizes.two_groups(yes_a=3, n_a=4, yes_b=1, n_b=4)
    assert ours.fisher_p == pytest.approx(34 / 70)
    assert ours.odds_ratio == 9


def test_an_empty_cell_leaves_the_odds_ratio_without_an_interval():
    ours = effect_sizes.two_groups(yes_a=5, n_a=5, yes_b=2, n_b=5)
    assert (ours.odds_ratio, ours.odds_ratio_low, ours.odds_ratio_high) == (np.inf, None, None)
    assert ours.low < ours.difference < ours.high <= 1


def test_yates_correction_never_turns_a_difference_round():
    ours = effect_sizes.two_groups(yes_a=2, n_a=4, yes_b=2, n_b=4)
    assert (ours.x2, ours.yates_x2, ours.yates_p) == (0, 0, 1)


@pytest.mark.parametrize(
    ("counts", "says"),
    [
        ({"yes_a": 3, "n_a": 2, "yes_b": 1, "n_b": 2}, "no two groups"),
        ({"yes_a": 0, "n_a": 0, "yes_b": 1, "n_b": 2}, "no two groups"),
        ({"yes_a": 0.5, "n_a": 2, "yes_b": 1, "n_b": 2}, "no two groups"),
        ({"yes_a": 0, "n_a": 2, "yes_b": 0, "n_b": 2}, "same answer throughout"),
        ({"yes_a": 2, "n_a": 2, "yes_b": 2, "n_b": 2}, "same answer throughout"),
    ],
)
def test_counts_that_compare_nothing_are_refused(counts, says):
    with pytest.raises(NotTestable, match=says):
        effect_sizes.two_groups(**counts)


def test_weights_that_are_whole_numbers_count_respondents_several_times():
    x = np.array([[1, 2], [2, 1], [3, 5], [4, 4.0]])
    weight = np.array([1, 3, 2, 1])
    ours = effect_sizes.correlation(x, weight=weight)
    assert ours == pytest.approx(effect_sizes.correlation(np.repeat(x, weight, axis=0)))


def test_a_respondent_without_one_of_the_answers_is_in_no_correlation():
    x = np.array([[1, 2], [2, 1], [np.nan, 50], [4, 4], [5, 9]])
    for method in ("pearson", "spearman", "kendall"):
        ours = effect_sizes.correlation(x, method=method)
        assert ours == pytest.approx(effect_sizes.correlation(x[[0, 1, 3, 4]], method=method))


@pytest.mark.parametrize(
    ("x", "more", "says"),
    [
        ([[1, 2], [1, 3], [1, 4]], {}, "answer the same throughout"),
        ([[1, np.nan], [np.nan, 3]], {}, "0 respondents have all variables"),
        ([1, 2, 3], {}, "finite numbers of shape"),
        ([[1, np.inf], [2, 3]], {}, "finite numbers of shape"),
        ([[1, 2], [2, 3]], {"weight": [1, -1]}, "positive and finite"),
        ([[1, 2], [2, 3]], {"weight": [1, 1], "method": "kendall"}, "take no weights"),
    ],
)
def test_a_correlation_of_what_does_not_vary_is_refused(x, more, says):
    with pytest.raises(NotTestable, match=says):
        effect_sizes.correlation(x, **more)


def test_the_dimensions_of_a_correspondence_analysis_rebuild_the_table():
    counts = np.array([[20, 5, 3], [4, 12, 9], [6, 7, 15], [2, 2, 8.0]])
    ours = effect_sizes.correspondence(counts)
    share = counts / counts.sum()
    row, column = share.sum(axis=1), share.sum(axis=0)
    rebuilt = np.outer(row, column) * (1 + ours.rows / ours.correlation @ ours.columns.T)
    assert rebuilt == pytest.approx(share)
    assert ours.total * counts.sum() == pytest.approx(effect_sizes.association(counts).x2)
    assert row @ ours.rows == pytest.approx(np.zeros(2), abs=1e-12)
    assert (ours.rows[np.abs(ours.rows).argmax(axis=0), [0, 1]] > 0).all()


def test_independent_rows_and_columns_have_no_dimensions():
    with pytest.raises(NotTestable, match="exactly independent"):
        effect_sizes.correspondence(np.outer([1, 2], [3, 4]))


def test_the_size_for_a_power_has_that_power():
    n = planning.size_for_two_shares(p1=0.4, p2=0.55, power=0.9, deff=1.45)
    assert planning.power_of_two_shares(p1=0.4, p2=0.55, n=n, deff=1.45) == pytest.approx(0.9)
    assert n == pytest.approx(1.45 * planning.size_for_two_shares(p1=0.4, p2=0.55, power=0.9))
    one_sided = planning.size_for_two_shares(p1=0.4, p2=0.55, power=0.9, two_sided=False)
    assert one_sided < n / 1.45


def test_ten_thousand_respondents_know_a_half_to_one_point():
    assert planning.margin_of_error(0.5, n=9604) == pytest.approx(0.01, rel=1e-4)
    assert planning.size_for_margin(0.01) == pytest.approx(9604, rel=1e-4)


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (lambda: planning.power_of_two_shares(p1=0, p2=0.5, n=10), "p1 is 0"),
        (lambda: planning.power_of_two_shares(p1=0.5, p2=1.5, n=10), "p2 is 1.5"),
        (lambda: planning.power_of_two_shares(p1=0.4, p2=0.5, n=0), "n is 0"),
        (lambda: planning.power_of_two_shares(p1=0.4, p2=0.5, n=10, alpha=5), "alpha is 5"),
        (lambda: planning.size_for_two_shares(p1=0.4, p2=0.4), "no number of respondents"),
        (lambda: planning.size_for_two_shares(p1=0.4, p2=0.5, power=1), "power is 1"),
        (lambda: planning.size_for_two_shares(p1=0.4, p2=0.5, power=0.01), "below the test's own level"),
        (lambda: planning.margin_of_error(0.5, n=10, deff=-1), "deff is -1"),
        (lambda: planning.margin_of_error(2, n=10), "the share is 2"),
        (lambda: planning.margin_of_error(0.5, n=10, level=95), "level is 95"),
        (lambda: planning.size_for_margin(0), "the margin is 0"),
    ],
)
def test_a_plan_that_can_t_be_is_refused(ask, says):
    with pytest.raises(PlanningError, match=says):
        ask()
