"""Agreement of coders: words and gaps, invariants, arithmetic a reader can redo, and bad input."""

import numpy as np
import pytest

from analysis import coders
from analysis.coders import RatingError

NAN = np.nan
MEASURES = ["nominal", "ordinal", "interval", "ratio"]


@pytest.fixture
def ratings():
    rng = np.random.default_rng(11)
    truth = rng.integers(1, 5, 40)
    return np.where(rng.random((3, 40)) < 0.7, truth, rng.integers(1, 5, (3, 40))).T.astype(float)


def test_coders_who_always_agree_have_every_measure_one(ratings):
    same = ratings[:, [0, 0, 0]]
    for measure in MEASURES:
        assert coders.krippendorff_alpha(same, measure=measure).value == 1
    assert coders.fleiss_kappa(same).value == pytest.approx(1)
    assert coders.cohen_kappa(same[:, :2], weighting="quadratic").value == pytest.approx(1)
    for model, kind in (("oneway", "agreement"), ("twoway", "agreement"), ("twoway", "consistency")):
        ours = coders.rating_icc(same, model=model, kind=kind)
        assert (ours.value, ours.low, ours.high, ours.p) == (1, 1, 1, 0)


def test_codes_may_be_words_with_an_order_of_their_own(ratings):
    words = np.array(["", "none", "some", "clear", "central"], dtype=object)
    labelled = words[ratings.astype(int)]
    labelled[0, 0] = None
    ratings[0, 0] = NAN
    order = words[1:].tolist()
    ours = coders.krippendorff_alpha(labelled, measure="ordinal", order=order).value
    assert ours == pytest.approx(coders.krippendorff_alpha(ratings, measure="ordinal").value)
    nominal = coders.krippendorff_alpha(labelled, measure="nominal").value
    assert nominal == pytest.approx(coders.krippendorff_alpha(ratings, measure="nominal").value)
    kappa = coders.cohen_kappa(labelled[:, :2], weighting="linear", order=order)
    assert kappa.value == pytest.approx(coders.cohen_kappa(ratings[:, :2], weighting="linear").value)
    assert (kappa.units, kappa.left_out) == (39, 1)


def test_two_coders_and_two_codes_can_be_counted_by_hand():
    # Both say 1 in 4 units, both 2 in 3, they differ in 3 (2 and 1): agreement 0.7, by chance 0.6·0.5 + 0.4·0.5 = 0.5.
    ratings = [[1, 1]] * 4 + [[2, 2]] * 3 + [[1, 2]] * 2 + [[2, 1]]
    ours = coders.cohen_kappa(ratings)
    assert (ours.observed, ours.expected, ours.value) == pytest.approx((0.7, 0.5, 0.4))
    # Fleiss: both coders together say 1 in 11 of 20 ratings.
    fleiss = coders.fleiss_kappa(ratings)
    chance = (11 / 20) ** 2 + (9 / 20) ** 2
    assert fleiss.value == pytest.approx((0.7 - chance) / (1 - chance))
    # Alpha: 6 of 20 ordered pairs differ; of 20·19 ordered pairs of ratings 2·11·9.
    alpha = coders.krippendorff_alpha(ratings, measure="nominal")
    assert alpha.value == pytest.approx(1 - (6 / 20) / (2 * 11 * 9 / (20 * 19)))


def test_fourteen_raters_of_ten_subjects_have_the_kappa_of_the_textbook_example():
    # The worked example in Wikipedia, "Fleiss' kappa": 0.210.
    counts = [
        [0, 0, 0, 0, 14],
        [0, 2, 6, 4, 2],
        [0, 0, 3, 5, 6],
        [0, 3, 9, 2, 0],
        [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0],
        [3, 2, 6, 3, 0],
        [2, 5, 3, 2, 2],
        [6, 5, 2, 1, 0],
        [0, 2, 2, 3, 7],
    ]
    ratings = [np.repeat(np.arange(5), row) for row in counts]
    assert coders.fleiss_kappa(ratings).value == pytest.approx(0.210, abs=5e-4)


def test_the_order_of_coders_and_units_changes_no_alpha(ratings):
    ratings[3, 1] = NAN
    shuffled = ratings[::-1][:, [2, 0, 1]]
    for measure in MEASURES:
        before, after = (coders.krippendorff_alpha(one, measure=measure).value for one in (ratings, shuffled))
        assert after == pytest.approx(before)


def test_a_unit_that_one_coder_rated_changes_no_alpha(ratings):
    more = np.vstack([ratings, [[1, NAN, NAN], [NAN, NAN, NAN]]])
    for measure in MEASURES:
        before, after = (coders.krippendorff_alpha(one, measure=measure) for one in (ratings, more))
        assert after.value == pytest.approx(before.value)
        assert after.units == before.units


def test_a_coder_who_is_stricter_by_a_step_is_consistent_and_does_not_agree():
    ratings = np.array([[1, 2], [2, 3], [4, 5], [3, 4.0]])
    assert coders.rating_icc(ratings, model="twoway", kind="consistency").value == 1
    ours = coders.rating_icc(ratings, model="twoway", kind="agreement")
    assert 0 < ours.value < 1
    assert (ours.f, ours.p) == (np.inf, 0)


def test_alpha_counts_steps_between_codes_only_where_the_codes_have_some():
    near, far = [[1, 2], [2, 2], [3, 3], [1, 1]], [[1, 3], [2, 2], [3, 3], [1, 1]]
    for measure in ("ordinal", "interval"):
        values = [coders.krippendorff_alpha(one, measure=measure).value for one in (near, far)]
        assert values[0] > values[1]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda: coders.krippendorff_alpha([[1, NAN], [NAN, 2]], measure="nominal"), "no unit has two ratings"),
        (lambda: coders.krippendorff_alpha([[1, 1], [1, 1]], measure="nominal"), "all ratings are one code"),
        (lambda: coders.krippendorff_alpha([["a", "b"], ["b", "b"]], measure="ordinal"), "distances of words"),
        (lambda: coders.krippendorff_alpha([["a", "b"]], measure="ordinal", order=["a"]), "does not name the codes b"),
        (lambda: coders.krippendorff_alpha([[1, 2], [2, 2]], measure="fuzzy"), "not 'fuzzy'"),
        (lambda: coders.krippendorff_alpha([[-1, 2], [2, 2]], measure="ratio"), "not negative"),
        (lambda: coders.krippendorff_alpha(np.array([["a", 1]], object), measure="nominal"), "some ratings are words"),
        (lambda: coders.krippendorff_alpha([[1], [2]], measure="nominal"), "two coders or more"),
        (lambda: coders.cohen_kappa([[1, 2, 3]]), "compares two coders, not 3"),
        (lambda: coders.cohen_kappa([[1, 1], [1, 1]]), "kappa is not defined"),
        (lambda: coders.cohen_kappa([[1, NAN], [NAN, 1]]), "no unit was rated by all"),
        (lambda: coders.cohen_kappa([[1, 2], [2, 2]], weighting="cubic"), "not 'cubic'"),
        (lambda: coders.cohen_kappa([["a", "b"], ["b", "b"]], weighting="linear"), "distances of words"),
        (lambda: coders.fleiss_kappa([[1, 1], [1, 1]]), "kappa is not defined"),
        (lambda: coders.rating_icc([[1, 2], [NAN, 2]], model="oneway"), "1 units rated by all of 2 coders"),
        (lambda: coders.rating_icc([["a", "b"], ["b", "b"]], model="oneway"), "ratings that are numbers"),
        (lambda: coders.rating_icc([[1, 2], [2, 1]], model="oneway"), "the same mean rating"),
        (lambda: coders.rating_icc([[1, 2], [2, 4]], model="threeway"), "model is oneway or twoway"),
    ],
)
def test_what_is_wrong_is_said(wrong, says):
    with pytest.raises(RatingError, match=says):
        wrong()
