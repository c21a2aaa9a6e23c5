"""Rank tests: what they share with tests of means, what the order of the rows does, and what they refuse."""

import numpy as np
import pytest

from analysis import rank_tests, significance
from analysis.categories import NotTestable
from analysis.design import Design


def sample(n: int = 300) -> tuple[np.ndarray, np.ndarray, Design]:
    """Return answers with ties, groups a-c and their design."""
    rng = np.random.default_rng(6)
    psu, group = rng.integers(120, size=n), rng.integers(3, size=n)
    y = np.round(rng.normal(size=120)[psu] + 0.3 * group + rng.normal(size=n), 1)
    return y, np.array(list("abc"))[group], Design.of(rng.uniform(0.5, 2, n), psu=psu)


def test_the_rank_of_an_answer_is_the_weight_below_it_and_half_its_own():
    ranks = rank_tests.weighted_ranks(np.array([5.0, 1, 3]), np.array([2.0, 1, 4]))
    assert ranks.tolist() == [6, 0.5, 3]


def test_of_tied_answers_the_midrank_knows_no_order_and_r_s_does():
    # Weights 1 and 3 are tied: together they fill 0 … 4, whose middle is 2.
    tied = np.array([7.0, 7])
    for weight in ([1.0, 3], [3.0, 1]):
        assert rank_tests.weighted_ranks(tied, np.array(weight), ties="midrank").tolist() == [2, 2]
    assert rank_tests.weighted_ranks(tied, np.array([1.0, 3])).tolist() == [1.5, 1.5]
    assert rank_tests.weighted_ranks(tied, np.array([3.0, 1])).tolist() == [2.5, 2.5]


def test_the_median_test_is_the_test_of_being_above_the_median():
    y, group, design = sample()
    two = np.where(group == "c", None, group)
    ours = rank_tests.rank_test(y, two, design, score="median", ties="midrank")
    inside = group != "c"
    ranks = np.full(len(y), np.nan)
    ranks[inside] = rank_tests.weighted_ranks(y[inside], design.weight[inside], ties="midrank")
    above = np.where(inside, ranks > design.weight[inside].sum() / 2, np.nan)
    plain = significance.t_test(above, two, design)
    assert (ours.difference, ours.se, ours.df, ours.p) == pytest.approx((plain.difference, plain.se, plain.df, plain.p))


def test_of_two_groups_the_test_of_several_is_the_square_of_t():
    y, group, design = sample()
    two = np.where(group == "c", None, group)
    pair, several = (test(y, two, design) for test in (rank_tests.rank_test, rank_tests.rank_test_of_several))
    assert several.chi_squared == pytest.approx(pair.t**2)
    assert (several.test.ddf, several.test.p) == pytest.approx((pair.df, pair.p))


def test_a_rank_test_depends_on_the_order_of_the_answers_alone():
    y, group, design = sample()
    plain, stretched = (rank_tests.rank_test_of_several(one, group, design) for one in (y, np.exp(y)))
    assert stretched == plain
    scaled = Design.of(design.weight * 1000, psu=design.psu)
    assert rank_tests.rank_test_of_several(y, group, scaled).test.p == pytest.approx(plain.test.p)
    order = np.random.default_rng(1).permutation(len(y))
    shuffled = Design.of(design.weight[order], psu=design.psu[order])
    middle, again = (
        rank_tests.rank_test_of_several(*of, ties="midrank").test.p
        for of in ((y, group, design), (y[order], group[order], shuffled))
    )
    assert again == pytest.approx(middle, rel=1e-9)


def test_a_missing_answer_or_group_is_out_of_the_base():
    y, group, design = sample()
    gaps, unknown = np.where(np.arange(len(y)) % 5 == 0, np.nan, y), np.where(np.arange(len(y)) % 7 == 0, None, group)
    inside = ~np.isnan(gaps) & (np.arange(len(y)) % 7 != 0)
    ours = rank_tests.rank_test_of_several(gaps, unknown, design)
    assert ours == rank_tests.rank_test_of_several(y, group, design.domain(inside))


def test_kruskal_wallis_of_two_groups_is_mann_whitney():
    y, group, _ = sample()
    two = np.where(group == "c", None, group)
    whole, pair = rank_tests.kruskal(y, two), rank_tests.mann_whitney(y, two)
    (dunn,) = rank_tests.dunn(y, two)
    assert whole.p == pytest.approx(pair.p)
    assert dunn.p == dunn.p_adjusted == pytest.approx(pair.p)
    assert np.sign(dunn.z) == np.sign(pair.cliff_delta)


def test_groups_that_do_not_overlap_have_the_largest_effects():
    ours = rank_tests.mann_whitney([1, 2, 3, 10, 11], list("bbbaa"))
    assert (ours.u, ours.cliff_delta, ours.groups) == (6, 1, ("a", "b"))
    assert rank_tests.mann_whitney([1, 2, 2, 1], list("aabb")).cliff_delta == 0
    spread = rank_tests.kruskal([1, 1, 2, 2, 3, 3], list("aabbcc"))
    assert spread.epsilon_squared == pytest.approx(1)


@pytest.mark.parametrize(
    ("y", "group", "says"),
    [
        ([1, 2, 3, 4, 5, 6], list("aaaaaa"), "1 group"),
        ([4, 4, 4, 4, 4, 4], list("aaabbb"), "everybody gave the same answer"),
        ([np.nan] * 6, list("aaabbb"), "0 groups"),
    ],
)
def test_ranks_without_two_groups_or_without_order_are_refused(y, group, says):
    design = Design.of(np.ones(6))
    for test in (rank_tests.rank_test, rank_tests.rank_test_of_several):
        with pytest.raises(NotTestable, match=says):
            test(y, group, design)
    for test in (rank_tests.kruskal, rank_tests.dunn, rank_tests.mann_whitney):
        with pytest.raises(NotTestable, match=says):
            test(y, group)


def test_a_test_of_two_groups_refuses_three():
    y, group, design = sample()
    with pytest.raises(NotTestable, match=r"3 groups \(a, b, c\); this test compares two"):
        rank_tests.rank_test(y, group, design)


def test_few_organisations_carry_no_rank_test():
    two = Design.of(np.ones(6), psu=[0, 0, 0, 1, 1, 1])
    with pytest.raises(NotTestable, match="1 degrees of freedom"):
        rank_tests.rank_test([1, 2, 3, 4, 5, 6], list("ababab"), two)
    with pytest.raises(NotTestable, match="3 groups need more than 2 degrees of freedom"):
        rank_tests.rank_test_of_several([1, 2, 3, 4, 5, 6], list("abcabc"), two)


def test_a_score_that_has_no_name_is_refused():
    y, group, design = sample()
    with pytest.raises(NotTestable, match="score 'savage'"):
        rank_tests.rank_test_of_several(y, group, design, score="savage")
