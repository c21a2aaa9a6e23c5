"""What is true of columns compared with each other, and which are not."""

import numpy as np
import pytest

from analysis import group_means, letters
from analysis.categories import NotTestable
from analysis.design import Design, DesignError
from analysis.engines.memory import Memory


def sample(seed: int = 5, n: int = 600) -> tuple[np.ndarray, np.ndarray, Design]:
    """Return answers 0-2 and columns a-c, of which c gives the third answer far more often, and their design."""
    rng = np.random.default_rng(seed)
    psu, column = rng.integers(250, size=n), rng.integers(3, size=n)
    answer = np.where((column == 2) & (rng.random(n) < 0.5), 2, rng.integers(3, size=n))
    return answer, np.array(list("abc"))[column], Design.of(rng.uniform(0.5, 2, n), psu=psu)


def test_a_cell_names_the_columns_that_are_significantly_smaller():
    answer, column, design = sample()
    ours = letters.compare_columns_of(answer, column, design)
    assert ours.letter == ("A", "B", "C")
    assert ours.letters[2] == ("", "", "AB")
    (pair,) = [one for one in ours.pairs if (one.row, one.a, one.b) == (2, 0, 2)]
    assert pair.difference == pytest.approx(ours.value[2, 0] - ours.value[2, 2])
    assert pair.low < pair.difference < pair.high < 0
    assert pair.statistic == pytest.approx(pair.difference / pair.se)


def test_the_order_of_the_columns_turns_the_signs_and_no_conclusion():
    answer, column, design = sample()
    plain = letters.compare_columns_of(answer, column, design)
    turned = letters.compare_columns_of(answer, np.char.translate(column, str.maketrans("abc", "cba")), design)
    assert turned.letters[2] == ("BC", "", "")
    first = {(one.row, one.a, one.b): one for one in plain.pairs}
    for one in turned.pairs:
        same = first[one.row, 2 - one.b, 2 - one.a]
        assert (one.statistic, one.p_adjusted) == pytest.approx((-same.statistic, same.p_adjusted))


def test_two_columns_of_the_same_respondents_never_differ():
    answer, column, design = sample()
    third, half = column == "c", np.arange(len(answer)) % 2 == 0
    ours = letters.compare_columns_of(answer, np.stack([third, third, half], axis=1), design)
    for pair in ours.pairs:
        if (pair.a, pair.b) == (0, 1):
            assert (pair.difference, pair.se, pair.statistic, pair.p, pair.p_adjusted) == (0, 0, 0, 1, 1)
    assert ours.letters[2] == ("C", "C", "")


def test_columns_given_as_overlapping_but_not_overlapping_are_the_plain_comparison():
    answer, column, design = sample()
    inside = column[:, None] == np.array(list("abc"))
    plain, matrix = (letters.compare_columns_of(answer, one, design) for one in (column, inside))
    assert plain.pairs == matrix.pairs
    assert plain.letters == matrix.letters


def test_an_engine_s_moments_give_the_comparison_of_the_respondents():
    answer, column, design = sample()
    _, group = np.unique(column, return_inverse=True)
    moments = Memory(design).moments(answer, 3, group, 3)
    ours = letters.compare_columns(moments)
    plain = letters.compare_columns_of(answer, column, design)
    assert ours.letters == plain.letters
    assert [one.p for one in ours.pairs] == pytest.approx([one.p for one in plain.pairs], rel=1e-9)


def test_the_adjusted_p_value_is_never_under_the_raw_one():
    answer, column, design = sample()
    for adjust in ("holm", "bh", "bonferroni", "by", "hommel", "hochberg"):
        ours = letters.compare_columns_of(answer, column, design, adjust=adjust)
        assert all(one.p_adjusted >= one.p for one in ours.pairs)


def test_in_a_column_with_few_respondents_or_organisations_nothing_is_compared_and_the_reason_is_said():
    answer, column, design = sample()
    rare = np.where(np.arange(len(answer)) < 25, "d", column)
    one_house = design.psu == np.bincount(design.psu).argmax()
    lonely = np.where(one_house, "e", rare)
    ours = letters.compare_columns_of(answer, lonely, design, small_base=4)
    assert ours.excluded == {4: "respondents of 1 PSUs, fewer than 3"}
    ours = letters.compare_columns_of(answer, rare, design)
    assert ours.excluded == {3: "25 respondents, fewer than 30"}
    assert not any(3 in (one.a, one.b) for one in ours.pairs)
    assert {row[3] for row in ours.letters} == {""}


def test_a_share_of_nobody_or_everybody_is_in_no_pair_of_its_row():
    answer, column, design = sample()
    never = np.where((column == "a") & (answer == 0), 1, answer)
    ours = letters.compare_columns_of(never, column, design)
    assert ours.value[0, 0] == 0
    assert [(one.a, one.b) for one in ours.pairs if one.row == 0] == [(1, 2)]
    assert [(one.a, one.b) for one in ours.pairs if one.row == 1] == [(0, 1), (0, 2), (1, 2)]


def test_a_column_of_the_codebook_that_nobody_is_in_is_said_to_be_empty():
    answer, column, design = sample()
    _, group = np.unique(column, return_inverse=True)
    moments = Memory(design).moments(answer, 4, group, 4)
    ours = letters.compare_columns(moments, df=100)
    assert ours.excluded == {3: "nobody is in it"}
    assert np.isnan(ours.value[:, 3]).all()
    assert not any(one.row == 3 for one in ours.pairs)


def test_means_of_columns_are_compared_with_the_same_design():
    answer, column, design = sample()
    ours = letters.compare_means_of((answer == 2).astype(float), column, design)
    shares = letters.compare_columns_of(answer, column, design)
    assert ours.value[0] == pytest.approx(shares.value[2])
    assert [one.p for one in ours.pairs] == pytest.approx([one.p for one in shares.pairs if one.row == 2])
    assert ours.letters[0] == shares.letters[2]


def test_columns_after_the_twenty_sixth_have_two_letters():
    assert [letters.column_letter(number) for number in (0, 25, 26, 27, 51, 52, 701, 702)] == [
        "A", "Z", "AA", "AB", "AZ", "BA", "ZZ", "AAA"
    ]  # fmt: skip


def test_clusters_widen_the_comparison_that_table_programs_make_without_them():
    # 60 organisations of 10 who answer alike: the effective base of weights of 1 is 600, the organisations' 60.
    rng = np.random.default_rng(8)
    answer, column = np.repeat(rng.integers(2, size=60), 10), np.repeat(np.arange(60) % 2, 10)
    ours = letters.compare_columns_of(answer, column, Design.of(np.ones(600), psu=np.arange(600) // 10))
    theirs = letters.compatible_columns(answer, column, base="effective")
    # The pooled share of z and the two shares of t differ a little.
    assert ours.pairs[0].se / theirs.pairs[0].se == pytest.approx(np.sqrt(10), rel=0.05)


@pytest.mark.parametrize("weight", [[1, 1, 0, 1, 1, 1], [1, 1, np.nan, 1, 1, 1], [1, 1]])
def test_bad_weights_are_refused_by_the_compatibility_modes(weight):
    with pytest.raises(NotTestable, match="positive and finite"):
        letters.compatible_columns(list("ababab"), list("uuuvvv"), base="weighted", weight=weight)


def test_a_base_that_has_no_name_is_refused():
    with pytest.raises(NotTestable, match="no base is called 'kish'"):
        letters.compatible_columns(list("ababab"), list("uuuvvv"), base="kish")


@pytest.mark.parametrize(
    ("row", "column", "says"),
    [
        (list("ababab"), list("uuuuuu"), "0 of 1 columns can be compared"),
        (list("ababab"), list("uuuvvv"), r"0 of 2 columns can be compared \(A: 3 respondents, fewer than 30; B: 3"),
        (list("aaaaaa"), list("uuuvvv"), "the row has 1 group"),
        ([None] * 6, list("uuuvvv"), "the row has 0 groups"),
        (list("ababab"), np.full((6, 2), 2), "an array of 0 and 1 with 6 rows"),
        (list("ababab"), np.full((5, 2), 1), "an array of 0 and 1 with 6 rows"),
    ],
)
def test_fewer_than_two_columns_to_compare_are_refused(row, column, says):
    with pytest.raises(NotTestable, match=says):
        letters.compare_columns_of(row, column, Design.of(np.ones(6)))


def test_a_sample_of_everybody_has_no_differences_to_test():
    everybody = Design.of(np.ones(8), fpc=np.full(8, 8))
    with pytest.raises(DesignError, match="differ without error"):
        letters.compare_columns_of(list("abaaabab"), list("uuuuvvvv"), everybody, small_base=0)


def test_no_degrees_of_freedom_compare_no_columns():
    with pytest.raises(NotTestable, match="0 degrees of freedom"):
        letters.compare_columns_of(*sample(), df=0)


def test_infinite_answers_have_no_means_to_compare():
    answer, column, design = sample()
    with pytest.raises(NotTestable, match="finite numbers"):
        letters.compare_means_of(np.where(answer == 0, np.inf, answer), column, design)


# ---- means in a simple random sample -----------------------------------------------------------------


Y, GROUP = [1.0, 2, 3, 4, 6, 8, 1, 1, 7], list("aaabbbccc")


def test_of_two_groups_the_pooled_t_is_the_root_of_the_analysis_of_variance():
    two = [one if one != "c" else None for one in GROUP]
    (pair,) = group_means.compare_means(Y, two, spread="pooled", adjust="none")
    whole = group_means.anova(Y, two)
    assert (pair.t**2, pair.p) == pytest.approx((whole.f, whole.p))
    # means 2 and 6, variances 1 and 4: pooled 2.5, error √(2.5 · 2/3)
    assert (pair.difference, pair.se, pair.df) == pytest.approx((-4, np.sqrt(5 / 3), 4))
    (tukey,) = group_means.tukey(Y, two)
    assert (tukey.p_adjusted, tukey.low, tukey.high) == pytest.approx((pair.p, pair.low, pair.high), rel=1e-6)


def test_of_two_groups_welch_s_t_is_the_root_of_welch_s_analysis_of_variance():
    two = [one if one != "c" else None for one in GROUP]
    (pair,) = group_means.compare_means(Y, two, spread="welch", adjust="none")
    whole = group_means.welch_anova(Y, two)
    assert (pair.t**2, pair.p, pair.df) == pytest.approx((whole.f, whole.p, whole.ddf))


def test_a_group_without_spread_is_compared_with_the_pooled_one_only():
    y = [1.0, 2, 3, 5, 5, 5]
    assert group_means.compare_means(y, list("aaabbb"), spread="pooled")[0].df == 4
    for test in (group_means.welch_anova, lambda *of: group_means.compare_means(*of, spread="welch")):
        with pytest.raises(NotTestable, match="group b has 3 respondents and no spread"):
            test(y, list("aaabbb"))


@pytest.mark.parametrize(
    ("y", "group", "says"),
    [
        ([1, 2, 3], list("aaa"), "1 group"),
        ([1, 1, 2, 2], list("aabb"), "all answers are the same"),
        ([1, 2], list("ab"), "all answers are the same"),
        ([1, np.inf], list("ab"), "finite number"),
        ([np.nan, np.nan], list("ab"), "0 groups"),
    ],
)
def test_means_without_two_groups_or_without_spread_are_refused(y, group, says):
    for test in (group_means.anova, group_means.welch_anova, group_means.tukey):
        with pytest.raises(NotTestable, match=says):
            test(y, group)


def test_a_spread_that_has_no_name_is_refused():
    with pytest.raises(NotTestable, match="no spread is called 'equal'"):
        group_means.compare_means(Y, GROUP, spread="equal")
