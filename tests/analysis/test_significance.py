"""What is true of any test under a sampling design, and what happens where there is nothing to test."""

import numpy as np
import pandas as pd
import pytest

from analysis import significance
from analysis.categories import NotTestable
from analysis.design import Design, DesignError
from analysis.engines.memory import Memory

ROW = list("aabbccabcabbaccabacbaabc")
COLUMN = "u v u v w u u v w u w v v u w u v u w v u v u u".split()
WEIGHT = [1, 2, 1, 3, 1, 1, 2, 1, 1.5, 1, 2, 1, 1, 1, 2, 1, 1, 1, 3, 1, 1, 2, 1, 1]
PSU = np.repeat(np.arange(12), 2)


def sample(seed: int = 1, n: int = 400, psus: int = 150) -> tuple[np.ndarray, np.ndarray, Design]:
    """Return answers and groups that depend on each other and on the organisation, and their design."""
    rng = np.random.default_rng(seed)
    psu = rng.integers(psus, size=n)
    tendency = rng.normal(size=psus)[psu]
    group = rng.integers(3, size=n)
    answer = np.digitize(tendency + 0.3 * group + rng.normal(size=n), [-1, 0, 1])
    return answer, group, Design.of(rng.uniform(0.5, 2, n), psu=psu, stratum=psu % 4)


def test_a_table_with_empty_cells_agrees_with_r_survey():
    # R survey 4.1: svychisq(~row+col, svydesign(id=~psu, weights=~w)) for each statistic.
    ours = significance.rao_scott_of(ROW, COLUMN, Design.of(WEIGHT, psu=PSU))
    assert (ours.n, ours.df, ours.rows, ours.columns, ours.sparse) == (24, 11, 3, 3, False)
    found = ours.second_order
    assert [found.statistic, found.ndf, found.ddf, found.p] == pytest.approx(
        [4.23151042567751, 3.13276559622694, 34.4604215584963, 0.0110471559209394], rel=1e-12
    )
    assert [ours.x2, ours.first_order.p, ours.saddlepoint] == pytest.approx(
        [14.1364775575302, 0.00199795885837842, 0.0121868316350781], rel=1e-9
    )
    assert [ours.wald.statistic, ours.wald.p] == pytest.approx([13.8647524393122, 0.00028248750466026], rel=1e-10)
    assert [ours.adjusted_wald.statistic, ours.adjusted_wald.p] == pytest.approx(
        [10.0834563194998, 0.00325565663313011], rel=1e-10
    )


def test_a_two_by_two_table_agrees_with_r_survey():
    # R survey 4.5, as above with the rows a/other and the columns u/other.
    row, column = np.array(ROW) == "a", np.array(COLUMN) == "u"
    ours = significance.rao_scott_of(row, column, Design.of(WEIGHT, psu=PSU))
    found = ours.second_order
    assert [found.statistic, found.ndf, found.ddf, found.p] == pytest.approx(
        [2.683965743258138, 1, 11, 0.129622383253739], rel=1e-12
    )
    assert ours.saddlepoint == pytest.approx(0.132992354834115, rel=1e-8)


def test_in_a_simple_random_sample_every_design_effect_is_that_of_estimating_a_variance():
    # The covariance of shares is the multinomial one times n/(n - 1), so each effect is n/(n - 1) and F is
    # Pearson's X² over its degrees of freedom, times (n - 1)/n.
    answer, group, _ = sample()
    n = len(answer)
    ours = significance.rao_scott_of(answer, group, Design.of(np.ones(n)))
    assert ours.design_effects == pytest.approx(np.full(6, n / (n - 1)), rel=1e-10)
    assert ours.second_order.statistic == pytest.approx(ours.x2 / 6 * (n - 1) / n, rel=1e-12)
    assert [ours.second_order.ndf, ours.second_order.ddf] == pytest.approx([6, 6 * (n - 1)], rel=1e-10)
    table = np.array([[((answer == a) & (group == g)).sum() for a in range(4)] for g in range(3)])
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / n
    assert ours.x2 == pytest.approx(((table - expected) ** 2 / expected).sum(), rel=1e-12)


def test_doubling_every_respondent_within_its_organisation_changes_no_test_but_pearson_s_x2():
    answer, group, design = sample()
    once = significance.rao_scott_of(answer, group, design)
    twice = np.repeat(np.arange(len(answer)), 2)
    doubled = Design.of(design.weight[twice], psu=design.psu[twice], stratum=design.stratum[twice])
    again = significance.rao_scott_of(answer[twice], group[twice], doubled)
    assert again.second_order.p == pytest.approx(once.second_order.p, rel=1e-9)
    assert again.x2 == pytest.approx(2 * once.x2, rel=1e-12)
    assert again.deff == pytest.approx(2 * once.deff, rel=1e-9)


def test_the_names_and_order_of_categories_and_respondents_change_no_test():
    answer, group, design = sample()
    renamed, order = np.array([30, 10, 40, 20])[answer], np.random.default_rng(2).permutation(len(answer))
    shuffled = Design.of(design.weight[order], psu=design.psu[order], stratum=design.stratum[order])
    plain = significance.rao_scott_of(answer, group, design)
    ours = significance.rao_scott_of(renamed[order], np.array(["z", "a", "m"])[group][order], shuffled)
    turned = significance.rao_scott_of(group, answer, design)
    for one in (ours, turned):
        assert one.second_order.p == pytest.approx(plain.second_order.p, rel=1e-10)
        assert one.wald.p == pytest.approx(plain.wald.p, rel=1e-9)
        assert one.saddlepoint == pytest.approx(plain.saddlepoint, rel=1e-9)
        assert one.cramer_v_corrected == pytest.approx(plain.cramer_v_corrected, rel=1e-12)


def test_the_unit_of_the_weights_changes_no_test():
    answer, group, design = sample()
    scaled = Design.of(design.weight * 1e6, psu=design.psu, stratum=design.stratum)
    for test in (
        lambda d: significance.rao_scott_of(answer, group, d).second_order.p,
        lambda d: significance.goodness_of_fit_of(answer, d, share=[1, 2, 2, 1]).p,
        lambda d: significance.t_test(answer, group > 0, d).p,
    ):
        assert test(scaled) == pytest.approx(test(design), rel=1e-9)


def test_a_missing_answer_is_out_of_the_base_and_leaves_the_design_whole():
    answer, group, design = sample()
    gaps = np.where(np.arange(len(answer)) % 7 == 0, np.nan, answer)
    ours = significance.rao_scott_of(gaps, group, design)
    domain = significance.rao_scott_of(answer, group, design.domain(~np.isnan(gaps)))
    assert ours.n == (~np.isnan(gaps)).sum()
    assert ours.second_order == domain.second_order


def test_missing_is_none_nan_and_the_na_of_pandas():
    answer, group, design = sample()
    gap = np.arange(len(answer)) % 7 == 0
    plain = significance.rao_scott_of(np.where(gap, np.nan, answer), group, design)
    for missing in (
        np.where(gap, None, answer),
        pd.array(np.where(gap, None, answer), dtype="Int64"),
        pd.Series(np.where(gap, None, answer.astype(str)), dtype="string"),
        pd.Categorical(np.where(gap, None, answer)),
    ):
        assert significance.rao_scott_of(missing, group, design).second_order == plain.second_order


def test_a_category_that_nobody_is_in_is_left_out_of_the_table():
    answer, group, design = sample()
    engine = Memory(design)
    plain = engine.moments(answer, 4, group, 3)
    wider = engine.moments(answer, 6, group + 1, 5)
    ours = significance.rao_scott_of_moments(wider, df=100)
    assert (ours.rows, ours.columns) == (4, 3)
    assert ours.second_order.p == pytest.approx(significance.rao_scott_of_moments(plain, df=100).second_order.p)


def test_a_table_with_too_many_empty_cells_is_tested_with_the_expected_shares_and_says_so():
    # Everybody of a group gives its answer: three cells of nine have respondents, and R stops here.
    group = np.repeat([0, 1, 2], 20)
    ours = significance.rao_scott_of(group, group, Design.of(np.ones(60), psu=np.arange(60) // 2))
    assert ours.sparse
    assert ours.second_order.p < 1e-6
    assert (ours.cramer_v, len(ours.design_effects)) == (1, 4)


def test_a_whole_organisation_that_answers_alike_counts_once():
    # 40 organisations of 5 who answer alike are 40 answers: the design effect of the table is 5.
    rng = np.random.default_rng(3)
    answer, group = np.repeat(rng.integers(2, size=40), 5), np.repeat(rng.integers(2, size=40), 5)
    ours = significance.rao_scott_of(answer, group, Design.of(np.ones(200), psu=np.arange(200) // 5))
    assert ours.deff == pytest.approx(5 * 40 / 39, rel=1e-9)
    once = significance.rao_scott_of(answer[::5], group[::5], Design.of(np.ones(40)))
    assert ours.second_order.p == pytest.approx(once.second_order.p, rel=1e-9)


def test_shares_that_are_those_observed_differ_by_nothing():
    answer, _, design = sample()
    observed = np.bincount(answer, design.weight)
    assert significance.goodness_of_fit_of(answer, design, share=observed).p == pytest.approx(1)


def test_of_two_groups_the_test_of_a_difference_is_the_ratio_of_its_estimate_and_error():
    answer, group, design = sample()
    ours = significance.t_test(answer, np.where(group == 2, None, group), design)
    assert ours.groups == ("0", "1")
    assert ours.t == pytest.approx(ours.difference / ours.se)
    assert ours.low < ours.difference < ours.high
    back = significance.t_test(answer, np.where(group == 2, None, 1 - group), design)
    assert (back.difference, back.p) == pytest.approx((-ours.difference, ours.p))


def test_in_a_panel_what_an_organisation_said_before_is_taken_off():
    # Every organisation answers in both waves and moves by about one: between-organisation differences cancel.
    rng = np.random.default_rng(4)
    level, wave = np.tile(rng.normal(0, 10, 50), 2), np.repeat([2015, 2016], 50)
    y = level + (wave == 2016) + rng.normal(0, 0.1, 100)
    panel = significance.compare_waves(y, wave, Design.of(np.ones(100), psu=np.tile(np.arange(50), 2)))
    apart = significance.compare_waves(y, wave, Design.of(np.ones(100), psu=np.arange(100), stratum=wave))
    assert panel.difference == apart.difference == pytest.approx(1, abs=0.1)
    assert (panel.df, apart.df) == (49, 98)
    assert panel.se < 0.05 < 1 < apart.se
    assert panel.groups == ("2015", "2016")


@pytest.mark.parametrize(
    ("row", "column", "says"),
    [
        (["a"] * 6, list("uvuvuv"), "the row question has 1 group"),
        (list("abcabc"), ["u"] * 6, "the column question has 1 group"),
        (list("abcabc"), [None] * 6, "the column question has 0 groups"),
        (["a", "b", "a", "b", None, None], [None, None, None, None, "u", "v"], "answers in 0 of its columns"),
        (list("ababab"), ["u", "u", "u", "u", None, None], "the column question has 1 group"),
        (list("abcab"), list("uvuvuv"), r"the row question has shape \(5,\)"),
        (np.array(["a", 1, "a", 1, "a", 1], dtype=object), list("uvuvuv"), "mixes numbers and text"),
    ],
)
def test_a_table_without_two_rows_and_two_columns_is_refused(row, column, says):
    with pytest.raises(NotTestable, match=says):
        significance.rao_scott_of(row, column, Design.of(np.ones(6)))


def test_a_single_organisation_carries_no_test():
    design = Design.of(np.ones(6), psu=np.zeros(6))
    with pytest.raises(DesignError, match="single PSU"):
        significance.rao_scott_of(list("ababab"), list("uuvvuv"), design)
    two = Design.of(np.ones(8), psu=[0, 0, 0, 0, 1, 2, 3, 4])
    with pytest.raises(NotTestable, match="0 degrees of freedom"):
        significance.rao_scott_of(["a", "b", "a", "b", *[None] * 4], list("uuvvuuvv"), two)


def test_a_wald_test_needs_as_many_degrees_of_freedom_as_it_has_cells():
    answer, group, _ = sample(n=60)
    ours = significance.rao_scott_of(answer, group, Design.of(np.ones(60), psu=np.arange(60) % 7))
    assert 0 < ours.second_order.p < 1
    assert 0 < ours.wald.p < 1
    few = significance.rao_scott_of(answer, group, Design.of(np.ones(60), psu=np.arange(60) % 5))
    with pytest.raises(NotTestable, match="at least 6 degrees of freedom and the design has 4"):
        few.wald.p  # noqa: B018
    with pytest.raises(NotTestable, match="more than 5 degrees of freedom and the design has 4"):
        few.adjusted_wald.p  # noqa: B018


def test_a_wald_test_of_a_singular_table_is_refused_and_the_rao_scott_test_is_not():
    group = np.repeat([0, 1, 2], 20)
    ours = significance.rao_scott_of(group, group, Design.of(np.ones(60)))
    with pytest.raises(NotTestable, match="the covariance is singular"):
        ours.wald.p  # noqa: B018


def test_a_sample_of_everybody_has_nothing_to_test():
    everybody = Design.of(np.ones(8), fpc=np.full(8, 8))
    with pytest.raises(NotTestable, match="known without error"):
        significance.rao_scott_of(list("abababab"), list("uuvvuvuv"), everybody)


@pytest.mark.parametrize(
    ("total", "covariance", "says"),
    [
        (np.ones(4), np.eye(4), "shape"),
        (np.ones((2, 2)), np.eye(3), "covariance of all its cells"),
        (np.array([[1, 2], [3, -1.0]]), np.eye(4), "not negative"),
        (np.array([[1, 2], [3, np.nan]]), np.eye(4), "finite"),
    ],
)
def test_totals_that_are_no_table_are_refused(total, covariance, says):
    with pytest.raises(NotTestable, match=says):
        significance.rao_scott(total, covariance, n=10, df=5)


@pytest.mark.parametrize(
    ("share", "says"),
    [
        ([1, 1], "4 categories need 4 given shares; there are 2"),
        ([1, 1, 0, 1], "positive"),
        ([1, 1, 1, np.nan], "positive"),
    ],
)
def test_given_shares_that_do_not_fit_are_refused(share, says):
    answer, _, design = sample()
    with pytest.raises(NotTestable, match=says):
        significance.goodness_of_fit_of(answer, design, share=share)


def test_shares_that_the_sample_was_drawn_by_are_not_tested():
    # Stratified by the question: its totals are the same in every sample.
    stratum = np.repeat([0, 1], 10)
    with pytest.raises(NotTestable, match="stratified by them"):
        significance.goodness_of_fit_of(stratum, Design.of(np.ones(20), stratum=stratum), share=[1, 2])


@pytest.mark.parametrize(
    ("y", "group", "says"),
    [
        ([1, 2, 3, 4, 5, 6], list("aaaaaa"), r"the group has 1 group \(a\); this test compares two"),
        ([1, 2, 3, 4, 5, 6], list("aabbcc"), "the group has 3 groups"),
        ([1, 2, np.nan, np.nan, np.nan, np.nan], list("aabbbb"), "the group has 1 group"),
        ([3, 3, 3, 3, 3, 3], list("aaabbb"), "the same answer"),
        ([1, 2, 3], list("aaabbb"), "the answers have shape"),
    ],
)
def test_two_groups_are_needed_and_a_spread(y, group, says):
    with pytest.raises(NotTestable, match=says):
        significance.t_test(y, group, Design.of(np.ones(6)))


def test_two_organisations_are_too_few_to_compare_two_groups():
    with pytest.raises(NotTestable, match="1 degrees of freedom"):
        significance.t_test([1, 2, 3, 4], list("abab"), Design.of(np.ones(4), psu=[0, 0, 1, 1]))
