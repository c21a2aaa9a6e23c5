"""Answers of the same respondents: arithmetic a reader can redo, flags, and what is refused."""

import numpy as np
import pytest

from analysis import estimators
from analysis.categories import NotTestable
from analysis.design import Design, DesignError
from analysis.repeated import (
    cochran_q,
    friedman,
    gap,
    gaps_by_group,
    marginal_homogeneity,
    mcnemar_pairs,
    sign_test,
    square_table,
    wilcoxon_pairs,
)

NAN = np.nan


def test_a_gap_is_after_less_before_among_those_who_gave_both():
    now, goal = np.array([1, 2, 3, NAN, 2.0]), np.array([2, 2, 5, 4, NAN])
    ours = gap(now, goal, Design.of(np.ones(5)))
    assert (ours.estimate.value, ours.estimate.n) == (pytest.approx(1), 3)
    # Gaps 1, 0 and 2 of five drawn: variance 5/4 · ((1-1)² + (0-1)² + (2-1)²) / 3².
    assert ours.estimate.se == pytest.approx(np.sqrt(5 / 18))
    assert ours.t == pytest.approx(np.sqrt(18 / 5))
    assert ours.df == 1


def test_colleagues_with_one_mind_make_a_gap_no_surer():
    rng = np.random.default_rng(1)
    now, goal = rng.integers(0, 4, 20), rng.integers(0, 4, 20)
    alone = gap(now, goal, Design.of(np.ones(20)))
    thrice = gap(*(np.repeat(one, 3) for one in (now, goal)), Design.of(np.ones(60), psu=np.repeat(np.arange(20), 3)))
    assert [thrice.t, thrice.df, thrice.p] == pytest.approx([alone.t, alone.df, alone.p])


def test_a_group_s_gap_is_that_of_its_domain_and_holm_counts_all_groups():
    rng = np.random.default_rng(2)
    now, goal, group = rng.integers(0, 4, 60), rng.integers(0, 4, 60), rng.choice(["a", "b", "c"], 60)
    design = Design.of(rng.uniform(1, 2, 60), psu=rng.integers(0, 40, 60))
    ours = gaps_by_group(now, goal, group, design)
    inside = estimators.mean(np.where(group == "b", goal - now, NAN), design)
    assert [ours["b"].estimate.value, ours["b"].estimate.se] == pytest.approx([inside.value, inside.se])
    smallest = min(ours.values(), key=lambda one: one.p)
    assert smallest.holm == pytest.approx(min(1, 3 * smallest.p))
    narrow = gaps_by_group(now, goal, group, design, wide_df=False)
    assert narrow["b"].df == inside.df < ours["b"].df == design.degrees()


def test_where_everybody_has_the_same_gap_there_is_a_number_and_no_test():
    design = Design.of(np.ones(6))
    ours = gaps_by_group([1, 1, 1, 1, 2, 3], [2, 2, 2, 3, 2, 2], ["a", "a", "a", "b", "b", "b"], design)
    assert ours["a"].estimate.value == 1
    assert not ours["a"].estimable
    assert np.isnan([ours["a"].t, ours["a"].p, ours["a"].holm]).all()
    assert ours["b"].holm == pytest.approx(min(1, 2 * ours["b"].p))  # the other counts as p = 1


def test_a_gap_that_nobody_has_is_refused():
    with pytest.raises(NotTestable, match="nobody gave both answers"):
        gap([1, NAN], [NAN, 1], Design.of(np.ones(2)))
    with pytest.raises(NotTestable, match="nobody in any group gave both"):
        gaps_by_group([1, NAN], [NAN, 1], ["a", "b"], Design.of(np.ones(2)))
    with pytest.raises(DesignError, match="the design has 3 respondents"):
        gap([1, 2], [2, 1], Design.of(np.ones(3)))


def test_leaders_who_all_rank_alike_agree_perfectly():
    ours = friedman([[1, 2, 3], [0, 2, 5], [2, 3, 4]])
    assert ours.kendall_w == pytest.approx(1)
    assert ours.test.statistic == pytest.approx(6)  # n (k - 1)


def test_a_respondent_without_all_answers_is_not_ranked():
    ours = friedman([[1, 2, 3], [0, 2, 5], [2, 3, NAN], [2, 3, 4]])
    assert (ours.n, ours.test.statistic) == (3, pytest.approx(6))


def test_answers_that_never_differ_have_no_ranks():
    with pytest.raises(NotTestable, match="nothing to rank"):
        friedman([[2, 2, 2], [3, 3, 3]])
    with pytest.raises(NotTestable, match="no respondent gave all"):
        friedman([[2, NAN], [NAN, 3]])
    with pytest.raises(NotTestable, match="two or more columns"):
        friedman([[2], [3]])
    with pytest.raises(DesignError, match="infinite"):
        friedman([[2, np.inf], [3, 1]])


def test_signed_ranks_by_hand():
    # Differences 1, -2, 3, 0: ranks 1, 2, 3, so V = 1 + 3; rank-biserial (4 - 2) / 6.
    (ours,) = wilcoxon_pairs([[2, 1], [1, 3], [4, 1], [2, 2]], names=["now", "goal"])
    assert (ours.first, ours.second, ours.n, ours.n_nonzero, ours.v) == ("now", "goal", 4, 3, 4)
    assert ours.rank_biserial == pytest.approx(1 / 3)
    assert ours.mean_difference == pytest.approx(0.5)
    assert ours.sign_p == 1


def test_columns_the_other_way_round_turn_the_sign_and_nothing_else():
    y = np.random.default_rng(3).integers(1, 6, (40, 2)).astype(float)
    (one,), (other,) = wilcoxon_pairs(y), wilcoxon_pairs(y[:, ::-1])
    assert [one.p, one.p_corrected, one.sign_p] == pytest.approx([other.p, other.p_corrected, other.sign_p])
    assert [one.dz, one.rank_biserial] == pytest.approx([-other.dz, -other.rank_biserial])


def test_two_answers_that_never_differ_are_no_evidence():
    (ours,) = wilcoxon_pairs([[2, 2], [3, 3]])
    assert (ours.v, ours.p, ours.p_corrected, ours.sign_p, ours.rank_biserial) == (0, 1, 1, 1, 0)
    assert np.isnan(ours.dz)


def test_five_of_five_in_one_direction_have_a_sign_probability_of_a_sixteenth():
    assert sign_test([1, 2, 1, 3, 1, 0, NAN]) == pytest.approx(2 / 32)
    assert sign_test([0, 0]) == 1


def test_cochran_s_q_of_two_items_is_mcnemar_s_chi_squared():
    picks = np.array([[1, 0]] * 7 + [[0, 1]] * 2 + [[1, 1]] * 4 + [[0, 0]] * 3)
    q, (pair,) = cochran_q(picks), mcnemar_pairs(picks)
    assert q.test.statistic == pytest.approx(pair.test.statistic) == pytest.approx(25 / 9)
    assert (q.n, q.informative) == (16, 9)
    assert (pair.only_first, pair.only_second, pair.n) == (7, 2, 16)
    assert pair.exact == pytest.approx(2 * (1 + 9 + 36) / 2**9)


def test_items_that_nobody_tells_apart_are_no_evidence():
    q, (pair,) = cochran_q([[1, 1], [0, 0]]), mcnemar_pairs([[1, 1], [0, 0]])
    assert (q.test.statistic, q.test.p, q.informative) == (0, 1, 0)
    assert (pair.test.statistic, pair.test.p, pair.exact, pair.holm) == (0, 1, 1, 1)


def test_levels_are_not_taken_for_picks():
    for run in (cochran_q, mcnemar_pairs):
        with pytest.raises(DesignError, match="1, 0 or missing"):
            run([[1, 2], [0, 3]])
    with pytest.raises(DesignError, match="1 names were given for 2 columns"):
        mcnemar_pairs([[1, 0]], names=["one"])


def test_a_two_by_two_table_of_changes_is_mcnemar_s_both_ways():
    ours = marginal_homogeneity([[20, 12], [4, 9]])
    assert ours.bowker.statistic == pytest.approx(64 / 16)
    assert ours.stuart_maxwell.statistic == pytest.approx(64 / 16)
    assert (ours.bowker.ndf, ours.stuart_maxwell.ndf) == (1, 1)


def test_a_category_that_nobody_left_or_entered_changes_nothing():
    table = np.array([[20, 12, 3], [4, 9, 5], [6, 7, 8]])
    wider = np.zeros((4, 4))
    wider[:3, :3] = table
    wider[3, 3] = 11
    one, other = marginal_homogeneity(table), marginal_homogeneity(wider)
    assert other.stuart_maxwell.statistic == pytest.approx(one.stuart_maxwell.statistic)
    assert (other.bowker, other.stuart_maxwell.ndf) == (one.bowker, one.stuart_maxwell.ndf)


def test_where_nobody_changed_there_is_no_evidence_of_change():
    ours = marginal_homogeneity(np.diag([3, 4]))
    assert [(one.statistic, one.ndf, one.p) for one in (ours.bowker, ours.stuart_maxwell)] == [(0, 0, 1), (0, 0, 1)]


def test_two_answers_of_respondents_become_a_square_table():
    counts, labels = square_table(["a", "b", None, "c"], ["b", "b", "a", "a"])
    assert labels == ("a", "b", "c")
    assert counts.tolist() == [[0, 1, 0], [0, 1, 0], [1, 0, 0]]
    with pytest.raises(DesignError, match="two of each respondent"):
        square_table(["a"], ["a", "b"])


@pytest.mark.parametrize("table", [[[1, 2, 3]], [[1]], [[1, -1], [0, 2]], [[NAN, 1], [0, 2]], [[0, 0], [0, 0]]])
def test_what_is_no_square_table_of_counts_is_refused(table):
    with pytest.raises(DesignError):
        marginal_homogeneity(table)
