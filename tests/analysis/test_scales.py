"""Indices, alpha and omega: the instruments' rules, arithmetic a reader can redo, invariants and bad input."""

import numpy as np
import pytest

from analysis import scales
from analysis.scales import ScaleError

NAN = np.nan


@pytest.fixture
def items():
    """Five parallel items of 200 respondents: a common part and an own one."""
    rng = np.random.default_rng(5)
    return rng.normal(size=(200, 1)) + rng.normal(size=(200, 5))


def with_correlation(matrix, n=40):
    """Return answers whose sample correlations are exactly *matrix*."""
    rng = np.random.default_rng(8)
    raw = rng.normal(size=(n, len(matrix)))
    raw -= raw.mean(axis=0)
    white = raw @ np.linalg.inv(np.linalg.cholesky(raw.T @ raw / n)).T
    return white @ np.linalg.cholesky(np.array(matrix, float)).T


def test_an_index_needs_half_of_its_items_rounded_up_and_is_the_mean_of_those_answered():
    ours = scales.index([[1, 2, 3, 4, 5], [1, 2, 6, NAN, NAN], [1, 2, NAN, NAN, NAN], [NAN] * 5])
    assert ours.minimum == 3
    assert ours.value[:2].tolist() == [3, 3]
    assert np.isnan(ours.value[2:]).all()
    assert (ours.answered.tolist(), ours.n) == ([5, 3, 2, 0], 2)


def test_a_prorated_sum_is_what_a_full_set_of_such_answers_would_sum_to():
    answers = [[1, 2, 3, 4], [2, 4, NAN, NAN]]
    assert scales.index(answers, form="prorated sum").value.tolist() == [10, 12]
    complete = scales.index(answers, form="complete sum")
    assert complete.value[0] == 10
    assert np.isnan(complete.value[1])
    assert complete.n == 1


def test_a_zero_is_an_answer_and_a_missing_one_is_not():
    assert scales.index([[0, 4], [NAN, 4]], minimum=1).value.tolist() == [2, 4]


@pytest.mark.parametrize(
    ("ticks", "score"), [((5, 2, 0), 14.29), ((2, 3, 2), 50.0), ((0, 1, 6), 92.86), ((3, 0, 3), 50.0)]
)
def test_a_section_of_service_culture_scores_as_its_specification_computes(ticks, score):
    rows = [stage for stage, times in zip((1, 2, 3), ticks, strict=True) for _ in range(times)]
    rows += [NAN] * (7 - len(rows))
    assert scales.index(scales.points([rows], low=1, high=3)).value == pytest.approx([score], abs=0.005)


def test_items_are_scored_from_0_to_100_and_reversed_ones_turned_round():
    # mm_PROD of operating_mode.md: a bipolar item -2 … 2 keyed to its left pole.
    assert scales.points([[-2, -2], [2, 0]], low=-2, high=2, reverse=[0]).tolist() == [[100, 0], [0, 50]]


def test_alpha_of_two_items_is_the_spearman_brown_of_their_correlation():
    ours = scales.reliability(with_correlation([[1, 0.6], [0.6, 1]]))
    assert ours.alpha == pytest.approx(2 * 0.6 / 1.6)
    assert ours.standardised == pytest.approx(ours.alpha)
    assert ours.item_rest == pytest.approx([0.6, 0.6])
    assert np.isnan(ours.if_dropped).all()


def test_alpha_of_items_that_measure_the_same_is_one(items):
    same = items[:, [0, 0, 0]] + np.array([0, 5, -2])
    assert scales.reliability(same).alpha == pytest.approx(1)
    assert scales.reliability(same).guttman6 == pytest.approx(1)


def test_alpha_of_unrelated_items_is_zero():
    assert scales.reliability(with_correlation(np.eye(4))).alpha == pytest.approx(0, abs=1e-12)


def test_shifting_an_item_changes_no_alpha_and_no_omega(items):
    moved = items + np.array([0, 10, -3, 100, 0.5])
    before, after = scales.reliability(items), scales.reliability(moved)
    assert after.alpha == pytest.approx(before.alpha)
    assert after.item_rest == pytest.approx(before.item_rest)
    assert scales.omega(moved).total == pytest.approx(scales.omega(items).total)


def test_rescaling_one_item_changes_the_raw_alpha_and_not_the_standardised_one(items):
    wider = items * np.array([1, 1, 1, 1, 4])
    assert scales.reliability(wider).standardised == pytest.approx(scales.reliability(items).standardised)
    assert scales.reliability(wider).alpha != pytest.approx(scales.reliability(items).alpha, abs=0.01)


def test_a_respondent_of_weight_two_counts_as_two(items):
    weight = np.ones(len(items))
    weight[:50] = 2
    doubled = np.vstack([items, items[:50]])
    assert scales.reliability(items, weight=weight).alpha == pytest.approx(scales.reliability(doubled).alpha)
    assert scales.omega(items, weight=weight).total == pytest.approx(scales.omega(doubled).total)


def test_a_respondent_with_a_gap_is_left_out_and_counted(items):
    gaps = items.copy()
    gaps[:30, 2] = NAN
    ours = scales.reliability(gaps)
    assert (ours.n, ours.incomplete) == (170, 30)
    assert ours.alpha == pytest.approx(scales.reliability(items[30:]).alpha)


def test_alpha_without_an_item_is_the_alpha_of_the_others(items):
    ours = scales.reliability(items)
    for dropped in range(5):
        others = np.delete(items, dropped, axis=1)
        assert ours.if_dropped[dropped] == pytest.approx(scales.reliability(others).alpha)
        assert ours.item_rest[dropped] == pytest.approx(np.corrcoef(items[:, dropped], others.sum(axis=1))[0, 1])


def test_a_reversed_item_is_a_flag_on_alpha_and_on_omega(items):
    turned = items * np.array([1, 1, 1, -1, 1])
    names = ["a", "b", "c", "d", "e"]
    assert scales.reliability(turned, names=names).reversed_key == ("d",)
    assert scales.omega(turned, names=names).reversed_key == ("d",)
    assert scales.omega(items, names=names).reversed_key == ()


def test_three_items_have_the_loadings_of_the_textbook():
    # Just identified: λ1² = r12 r13 / r23 (Spearman's triads).
    ours = scales.omega(with_correlation([[1, 0.48, 0.40], [0.48, 1, 0.30], [0.40, 0.30, 1]]))
    assert ours.loadings == pytest.approx([0.8, 0.6, 0.5], abs=1e-5)
    assert ours.error_variance == pytest.approx([0.36, 0.64, 0.75], abs=1e-5)
    assert ours.total == pytest.approx(1.9**2 / (1.9**2 + 1.75), abs=1e-6)
    assert ours.total == pytest.approx(ours.total_observed, abs=1e-6)


def test_omega_equals_alpha_where_items_are_parallel():
    parallel = np.full((4, 4), 0.4) + np.eye(4) * 0.6
    answers = with_correlation(parallel)
    assert scales.omega(answers).total == pytest.approx(scales.reliability(answers).alpha, abs=1e-6)


def test_an_item_that_one_factor_explains_more_than_wholly_has_no_omega():
    with pytest.raises(ScaleError, match="all of item 1 and more .Heywood"):
        scales.omega(with_correlation([[1, 0.8, 0.8], [0.8, 1, 0.4], [0.8, 0.4, 1]]))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda: scales.index([1, 2]), "shape"),
        (lambda: scales.index([[1, 2]], minimum=3), "1 … 2 items"),
        (lambda: scales.index([[1, 2]], minimum=0), "1 … 2 items"),
        (lambda: scales.index([[1, 2]], minimum=1, form="complete sum"), "all of them"),
        (lambda: scales.index([[1, 2]], form="median"), "not 'median'"),
        (lambda: scales.index([[1, np.inf]]), "infinite"),
        (lambda: scales.points([[1, 9]], low=1, high=5), "1 answers lie outside 1 … 5 .*row 1, item 2"),
        (lambda: scales.points([[1, 2]], low=5, high=5), "no room"),
        (lambda: scales.points([[1, 2]], low=1, high=5, reverse=[2]), "reverse names the columns"),
        (lambda: scales.reliability([[1], [2], [3]]), "1 items are no scale"),
        (lambda: scales.omega([[1, 2], [2, 1], [3, 3]]), "2 items are no scale here; 3"),
        (lambda: scales.reliability([[1, 2], [2, 2], [3, 2]], names=["a", "b"]), "same answer to b"),
        (lambda: scales.reliability([[1, 2], [2, NAN], [3, 2]]), "2 respondents answered every item"),
        (lambda: scales.reliability([[NAN, NAN]] * 5), "0 respondents answered every item"),
        (lambda: scales.reliability([[1, 2], [2, 4], [3, 3]], names=["a"]), "1 names for 2 items"),
        (lambda: scales.reliability([[1, 2], [2, 4], [3, 3]], weight=[1, 1]), "weights have shape"),
        (lambda: scales.reliability([[1, 2], [2, 4], [3, 3]], weight=[1, 0, 1]), "1 weights are zero.*row 2"),
        (lambda: scales.reliability([[1, 5], [2, 4], [3, 3]]), "cancel out"),
    ],
)
def test_what_is_wrong_is_said(wrong, says):
    with pytest.raises(ScaleError, match=says):
        wrong()
