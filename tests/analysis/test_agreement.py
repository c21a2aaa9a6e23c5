"""Agreement inside organisations: the vectors of operating_mode.md, arithmetic a reader can redo, and bad input."""

from dataclasses import replace

import numpy as np
import pytest

from analysis import agreement
from analysis.agreement import AgreementError, uniform_null
from analysis.coders import rating_icc

NAN = np.nan
FOUR = [3, 3, 2, 1, 0, 2, 3, 3, 1, 2, 2]
ORGANISATIONS = ["A"] * 3 + ["B"] * 2 + ["C"] * 2 + ["D"] * 4


@pytest.fixture
def rng():
    return np.random.default_rng(20150724)


@pytest.mark.parametrize(
    ("levels", "raw", "deviation"),
    [([3, 3, 2], 0.7333, 0.4444), ([3, 2, 0], -0.8667, 1.1111), ([3, 3, 2, 3, 1], 0.36, 0.72)],
)
def test_leaders_rating_one_mode_agree_as_the_specification_computes(levels, raw, deviation):
    one = ["A"] * len(levels)
    ours = agreement.rwg(levels, one, null=uniform_null(4))
    assert uniform_null(4) == 1.25
    assert ours.raw == pytest.approx([raw], abs=5e-5)
    assert ours.value == pytest.approx([max(raw, 0)], abs=5e-5)
    assert agreement.ad(levels, one).value == pytest.approx([deviation], abs=5e-5)
    assert agreement.ad_cutoff(4) == pytest.approx(0.67, abs=0.005)


@pytest.mark.parametrize(
    ("stages", "raw", "deviation"), [([1, 1, 2], 0.5, 0.4444), ([1, 2, 3], -0.5, 0.6667), ([2, 2, 2, 3, 1], 0.25, 0.4)]
)
def test_a_team_placing_a_row_on_three_stages_agrees_as_its_specification_computes(stages, raw, deviation):
    one = ["A"] * len(stages)
    assert agreement.rwg(stages, one, null=uniform_null(3)).raw == pytest.approx([raw])
    assert agreement.ad(stages, one).value == pytest.approx([deviation], abs=5e-5)
    assert agreement.ad_cutoff(3) == 0.5


def test_four_organisations_share_variance_as_the_specification_computes():
    ours = agreement.icc(FOUR, ORGANISATIONS)
    found = [ours.msb, ours.msw, ours.n0, ours.icc1, ours.icc2]
    assert found == pytest.approx([2.1111, 0.5238, 2.6667, 0.5319, 0.7519], abs=5e-5)
    assert (ours.organisations, ours.two_or_more, ours.three_or_more, ours.n) == (4, 4, 2, 11)


def test_every_measure_tells_how_many_organisations_had_two_and_how_many_three_answers():
    organisations = ["A", "A", "A", "B", "B", "C", "D", "D"]
    ours = agreement.ad([1, 2, 3, 1, 1, 5, 2, NAN], organisations)
    assert ours.organisation.tolist() == ["A", "B"]
    assert (len(ours), ours.two_or_more, ours.three_or_more, ours.alone) == (2, 2, 1, 2)
    assert ours.by_organisation() == {"A": pytest.approx(2 / 3), "B": 0}


def test_leaders_who_all_give_one_answer_agree_fully():
    levels, organisations = [3, 3, 3, 2, 2], ["A", "A", "A", "B", "B"]
    assert (agreement.rwg(levels, organisations, null=2).value == 1).all()
    assert (agreement.ad(levels, organisations).value == 0).all()
    assert (agreement.same_answer(levels, organisations).value == 1).all()
    assert (agreement.rwg_j(np.c_[levels, levels], organisations, null=2).value == 1).all()


def test_shifting_every_answer_changes_no_agreement(rng):
    levels, organisations = rng.integers(1, 6, 60), rng.integers(0, 15, 60)
    for measure in (agreement.ad, lambda y, o: agreement.rwg(y, o, null=2)):
        assert measure(levels, organisations).value == pytest.approx(measure(levels + 10, organisations).value)
    before, after = (agreement.icc(y, organisations) for y in (levels, levels + 10))
    assert after.icc1 == pytest.approx(before.icc1)


def test_the_order_of_respondents_changes_no_agreement(rng):
    levels, organisations, order = rng.integers(0, 4, (80, 4)), rng.integers(0, 20, 80), rng.permutation(80)
    first = agreement.profile_distance(levels, organisations)
    second = agreement.profile_distance(levels[order], organisations[order])
    assert second.value == pytest.approx(first.value)
    first, second = (agreement.ad(levels[o, 0], organisations[o], around="median") for o in (np.arange(80), order))
    assert (second.value == first.value).all()


def test_scales_of_more_items_agree_more_at_the_same_agreement_on_each():
    levels, organisations = [1, 2, 3], ["A"] * 3
    one = agreement.rwg(levels, organisations, null=2).value[0]
    assert one == 0.5
    for j in (2, 5):
        ours = agreement.rwg_j(np.tile(np.c_[levels], j), organisations, null=2)
        assert ours.raw == pytest.approx([one])
        assert ours.value == pytest.approx([j * one / (j * one + 1 - one)])  # Spearman-Brown


def test_a_scale_on_which_leaders_spread_more_than_chance_has_no_agreement_rather_than_a_meaningless_one():
    assert agreement.rwg_j([[1, 1], [5, 5]], ["A", "A"], null=2).value == [0]


def test_agreement_at_the_end_of_a_scale_has_no_a_wg():
    ours = agreement.awg([1, 1, 2, 3, 3, 3, 1, 3, 5], list("AAABBBCCC"), low=1, high=5)
    assert np.isnan(ours.value[0])
    assert ours.value[1:] == pytest.approx([1, 1 - 2 * 4 / ((6 * 3 - 9 - 5) * 3 / 2)])


def test_half_at_each_end_is_the_largest_disagreement():
    assert agreement.awg([1, 5, 1, 5], ["A"] * 4, low=1, high=5).value == pytest.approx([-1])
    assert agreement.maximum_null(1, 5) == 4 == np.var([1, 5])


def test_three_answers_two_alike_are_one_pair_in_three():
    assert agreement.same_answer([2, 2, 3], ["A"] * 3).value == pytest.approx([1 / 3])


def test_profiles_of_two_leaders_are_as_far_apart_as_the_specification_computes():
    # operating_mode.md, 4: CUR (1, 2, 3, 0) and STR (0, 3, 3, 1): fit 0.7619; points (40, 30, 20, 10), (10, 20, 60, 10)
    assert agreement.profile_distance([[1, 2, 3, 0], [0, 3, 3, 1]], ["A", "A"]).value == pytest.approx(
        [1 - 0.7619], abs=5e-5
    )
    assert agreement.profile_distance([[40, 30, 20, 10], [10, 20, 60, 10]], ["A", "A"]).value == pytest.approx([0.4])


def test_the_distance_inside_an_organisation_is_the_mean_over_all_its_pairs(rng):
    levels, organisations = rng.integers(0, 4, (60, 4)), rng.integers(0, 12, 60)
    shares = agreement.profiles(levels)
    for organisation, distance in agreement.profile_distance(levels, organisations).by_organisation().items():
        members = shares[(organisations == organisation) & ~np.isnan(shares).any(axis=1)]
        pairs = [np.abs(p - q).sum() / 2 for i, p in enumerate(members) for q in members[:i]]
        assert distance == pytest.approx(np.mean(pairs))


def test_profiles_of_different_modes_are_opposite_and_none_of_these_is_no_profile():
    ours = agreement.profile_distance([[3, 0], [0, 2], [0, 0], [NAN, 1]], ["A"] * 4)
    assert ours.value == pytest.approx([1])
    assert ours.n == [2]


def test_organisations_with_one_mean_have_the_lowest_icc():
    ours = agreement.icc([1, 3, 1, 3, 1, 3, 1, 3], list("AABBCCDD"))
    assert ours.msb == 0
    assert ours.icc1 == -1 / (ours.n0 - 1) == -1
    assert ours.icc2 == -np.inf
    assert ours.p == 1


def test_organisations_that_differ_as_much_as_their_members_have_icc_zero():
    # Means 1 and 2, two answers each ±1/2: msb = 1, msw = 1/2; with answers ±√½ both are 1.
    half = np.sqrt(0.5)
    ours = agreement.icc([1 - half, 1 + half, 2 - half, 2 + half], list("AABB"))
    assert ours.icc1 == pytest.approx(0, abs=1e-12)
    assert ours.icc2 == pytest.approx(0, abs=1e-12)


def test_organisations_that_agree_within_and_differ_between_have_icc_one():
    ours = agreement.icc([1, 1, 2, 2, 5, 5], list("AABBCC"))
    assert (ours.icc1, ours.icc2, ours.p, ours.f) == (1, 1, 0, np.inf)
    assert ours.design_effect(1.34) == pytest.approx(1.34)


def test_the_limits_of_the_icc_are_those_of_mcgraw_and_wong_where_organisations_are_of_one_size(rng):
    # coders.rating_icc agrees with R's irr::icc(model="oneway"); see tests/validation/test_coders.py.
    answers = rng.normal(size=(30, 1)) + rng.normal(size=(30, 3))
    ours = agreement.icc(answers.ravel(), np.repeat(np.arange(30), 3))
    for found, unit in zip(ours.limits(), ("single", "average"), strict=True):
        theirs = rating_icc(answers, model="oneway", unit=unit)
        assert found == pytest.approx((theirs.low, theirs.high))
    assert ours.limits(0.5)[0][0] > ours.limits()[0][0]
    with pytest.raises(AgreementError, match="a level lies between 0 and 1, not 95"):
        ours.limits(95)


@pytest.mark.parametrize("icc", [0.0, 0.3])
def test_the_limits_hold_the_icc_also_for_sizes_as_in_the_study(icc):
    # 42 organisations of two, 14 of three, four of four, one of five and one of six.
    rng, sizes = np.random.default_rng(11), [2] * 42 + [3] * 14 + [4] * 4 + [5, 6]
    organisation = np.repeat(np.arange(62), sizes)
    inside = 0
    for _ in range(1000):
        between, within = rng.normal(size=62), rng.normal(size=sum(sizes))
        drawn = np.sqrt(icc) * between[organisation] + np.sqrt(1 - icc) * within
        low, high = agreement.icc(drawn, organisation).limits()[0]
        inside += low <= icc <= high
    assert 930 <= inside <= 970


def test_where_one_kind_of_variance_lacks_the_icc_has_no_limits():
    for answers in ([1, 1, 2, 2, 5, 5], [1, 3, 1, 3, 1, 3]):
        assert np.isnan(agreement.icc(answers, list("AABBCC")).limits()).all()


def test_single_answers_enter_the_icc_only_where_that_is_asked_for():
    answers, organisations = [1, 2, 4, 5, 3], list("AABBC")
    assert agreement.icc(answers, organisations).organisations == 2
    every = agreement.icc(answers, organisations, minimum=1)
    assert (every.organisations, every.n, every.two_or_more, every.alone) == (3, 5, 2, 1)


def test_a_team_that_agrees_is_told_from_chance_and_one_drawn_at_random_is_not(rng):
    levels, organisations = rng.integers(1, 6, 200), np.arange(200) // 5
    levels[:5] = 3
    ours = agreement.chance(agreement.ad, levels, organisations, agreeing="low", rng=rng)
    # Five alike: at least 5 · (1/5)^5 = 0.0016 of random teams are, and p counts in steps of 1/1000.
    assert ours.p[0] <= 0.01
    assert ours.observed.value[0] == 0
    assert 0.3 < ours.p[1:].mean() < 0.7
    assert ours.expected == pytest.approx(ours.observed.value[1:].mean(), abs=0.15)


def test_who_gave_a_single_answer_is_part_of_what_chance_draws_from(rng):
    levels = [1, 1] + [5] * 100 + [NAN]
    organisations = ["A", "A", *(f"single {number}" for number in range(100)), "A"]
    ours = agreement.chance(agreement.ad, levels, organisations, agreeing="low", rng=rng)
    assert ours.observed.organisation.tolist() == ["A"]
    assert ours.expected[0] < 0.2  # nearly always 5 and 5
    assert ours.p[0] > 0.9  # two alike are nothing rare there


def test_agreement_that_is_high_and_distance_that_is_low_have_the_same_chance(rng):
    levels, organisations = rng.integers(1, 6, 60), np.arange(60) // 4
    low = agreement.chance(agreement.ad, levels, organisations, agreeing="low", rng=np.random.default_rng(1))
    turned = agreement.chance(
        lambda y, o: replace(found := agreement.ad(y, o), value=-found.value),
        levels,
        organisations,
        agreeing="high",
        rng=np.random.default_rng(1),
    )
    assert (low.p == turned.p).all()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda: agreement.rwg([1, 2], ["A"], null=2), "organisations have shape"),
        (lambda: agreement.rwg([1, 2], ["A", None], null=2), "a respondent has no organisation"),
        (lambda: agreement.rwg([1, 2], ["A", "B"], null=2), "no organisation has 2 answers"),
        (lambda: agreement.rwg([NAN, NAN], ["A", "A"], null=2), "no organisation has 2 answers"),
        (lambda: agreement.rwg([1, 2], ["A", "A"], null=0), "null variance is 0"),
        (lambda: agreement.rwg([1, np.inf], ["A", "A"], null=2), "infinite"),
        (lambda: agreement.rwg([[1, 2]], ["A"], null=2), "takes one item"),
        (lambda: agreement.rwg_j([1, 2], ["A", "A"], null=2), "2 items or more"),
        (lambda: agreement.ad([1, 2], ["A", "A"], around="mode"), "not 'mode'"),
        (lambda: agreement.awg([1, 7], ["A", "A"], low=1, high=5), "1 answers lie outside 1 … 5"),
        (lambda: agreement.awg([1, 2], ["A", "A"], low=5, high=1), "has no room"),
        (lambda: agreement.uniform_null(1), "no spread"),
        (lambda: agreement.ad_cutoff(1), "no spread"),
        (lambda: agreement.profile_distance([[1, -1], [1, 1]], ["A", "A"]), "negative"),
        (
            lambda: agreement.chance(agreement.ad, [1, 2], ["A", "A"], agreeing="up", rng=np.random.default_rng(1)),
            'agreeing="low" or "high"',
        ),
        (
            lambda: agreement.chance(
                lambda y, o: agreement.awg(y, o, low=1, high=5),
                [1, 1, 2, 5],
                ["A", "A", "B", "B"],
                agreeing="high",
                rng=np.random.default_rng(1),
            ),
            "undefined for some teams",
        ),
        (lambda: agreement.icc([1, 2, 3], ["A", "A", "B"]), "1 organisations with 2 answers"),
        (lambda: agreement.icc([1, 2, 3], ["A", "B", "C"], minimum=1), "3 organisations with 3 answers"),
        (lambda: agreement.icc([2, 2, 2, 2], ["A", "A", "B", "B"]), "all answers are the same"),
    ],
)
def test_what_is_wrong_is_said(wrong, says):
    with pytest.raises(AgreementError, match=says):
        wrong()
