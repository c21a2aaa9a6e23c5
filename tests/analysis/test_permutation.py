"""Permutations of organisations: what moves, that the seed decides, the level they keep, and what is refused."""

from itertools import permutations

import numpy as np
import pytest

from analysis.categories import NotTestable
from analysis.design import Design, DesignError
from analysis.multiple_response import mmi
from analysis.permutation import between, correlate, flip_organisations, permute_organisations, permute_within

ORGANISATION = np.array([0, 0, 0, 1, 1, 2, 3, 3, 4, 5])
TYPE = np.array(["a", "a", "b", "b", "a", "b"])[ORGANISATION]


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def test_organisations_move_whole_and_groups_keep_their_number_of_them(rng):
    seen = []

    def remember(codes):
        seen.append(codes)
        return 0.0

    permute_organisations(remember, TYPE, ORGANISATION, rng=rng, permutations=50)
    for codes in seen:
        of = [np.unique(codes[ORGANISATION == one]) for one in range(6)]
        assert all(len(one) == 1 for one in of)
        assert np.bincount(np.concatenate(of)).tolist() == [3, 3]
    assert len({tuple(codes) for codes in seen}) > 10


def test_organisations_change_places_only_inside_their_stratum(rng):
    stratum = np.array([0, 0, 0, 1, 1, 1])[ORGANISATION]
    first = set()

    def remember(codes):
        first.add(int((codes[stratum == 0][[0, 3, 5]] == 0).sum()))
        return 0.0

    permute_organisations(remember, TYPE, ORGANISATION, rng=rng, stratum=stratum, permutations=50)
    assert first == {2}  # two of type a among the three organisations of the first stratum, always


def test_the_p_value_is_that_of_all_arrangements_listed(rng):
    y = np.array([3, 2, 3, 0, 1, 3, 2, 2, 0, 1.0])
    statistic = between(y)
    types = np.array([0, 0, 1, 1, 0, 1])
    observed = statistic(types[ORGANISATION])
    arranged = [statistic(np.array(one)[ORGANISATION]) for one in permutations(types.tolist())]
    exact = np.mean(np.array(arranged) >= observed - 1e-12)
    ours = permute_organisations(statistic, TYPE, ORGANISATION, rng=rng, permutations=4000)
    assert ours.p == pytest.approx(exact, abs=0.03)
    assert ours.p == (ours.exceeding + 1) / 4001
    assert ours.units == 6


def test_the_seed_decides_and_nothing_else():
    one, same, other = (
        permute_organisations(
            between(np.arange(10)), TYPE, ORGANISATION, rng=np.random.default_rng(seed), permutations=99
        )
        for seed in (1, 1, 2)
    )
    assert one.draws.tolist() == same.draws.tolist() != other.draws.tolist()


def test_a_p_value_is_never_zero(rng):
    y = np.repeat([0.0, 100.0], 20)
    ours = permute_organisations(between(y), y > 0, np.arange(40), rng=rng, permutations=99)
    assert ours.p == 1 / 100


def test_the_statistic_of_picks_is_that_of_the_design_based_test(rng):
    picks, weight = (rng.random((10, 3)) < 0.5).astype(float), rng.uniform(1, 2, 10)
    picks[0], picks[1] = 0, 1  # so that every item varies
    found = mmi(picks, TYPE, Design.of(weight, psu=ORGANISATION)).x2 / 10
    assert between(picks, weight=weight)(np.unique(TYPE, return_inverse=True)[1]) == pytest.approx(found)


def test_a_mean_that_varies_between_organisations_only_is_found_no_more_often_than_the_level(rng):
    # 60 organisations of four with one mind each: respondents shuffled singly would be "significant" far oftener.
    organisation = np.repeat(np.arange(60), 4)
    found = []
    for _ in range(120):
        y, group = rng.normal(size=60)[organisation], rng.integers(0, 3, 60)[organisation]
        found.append(permute_organisations(between(y), group, organisation, rng=rng, permutations=39).p <= 0.05)
    assert np.mean(found) < 0.05 + 4 * np.sqrt(0.05 * 0.95 / 120)


def test_inside_organisations_what_differs_between_them_cannot_matter(rng):
    role = np.tile([0, 1], 20)
    organisation = np.repeat(np.arange(20), 2)
    level = np.where(role == 1, 1.0, 0.0) + 1000 * organisation

    def difference(codes):
        return float(level[codes == 1].mean() - level[codes == 0].mean())

    ours = permute_within(difference, role, organisation, rng=rng, permutations=999)
    assert ours.statistic == pytest.approx(1)
    assert ours.p == 1 / 1000
    assert ours.units == 20
    assert np.abs(ours.draws).max() <= 1


def test_signs_turn_for_whole_organisations(rng):
    # Two organisations: four equally likely arrangements, of which the answers and their mirror are as extreme.
    ours = flip_organisations([1, 1, 1, 2, NAN], [0, 0, 0, 1, 1], rng=rng, permutations=4000)
    assert set(np.round(ours.draws * 4)) == {-5, -1, 1, 5}
    assert ours.statistic == pytest.approx(5 / 4)
    assert ours.p == pytest.approx(0.5, abs=0.03)


NAN = np.nan


def test_a_rank_correlation_over_organisations_is_spearman_s(rng):
    # Ranks 1 2 3 4 against 2 1 4 3: 1 - 6·4 / (4·15) = 0.6.
    ours = correlate([1, 20, 300, 4000, 5], [0.2, 0.1, 0.4, 0.3, NAN], rng=rng, permutations=4000)
    assert ours.statistic == pytest.approx(0.6)
    listed = [np.corrcoef([1, 2, 3, 4], one)[0, 1] for one in permutations([2, 1, 4, 3])]
    assert ours.p == pytest.approx(np.mean(np.abs(listed) >= 0.6 - 1e-12), abs=0.03)
    assert ours.units == 4


def test_a_test_of_one_side_counts_that_side(rng):
    down = correlate(np.arange(8), -np.arange(8), rng=rng, permutations=199, alternative="less")
    up = correlate(np.arange(8), -np.arange(8), rng=rng, permutations=199, alternative="greater")
    assert (down.p, up.p) == (1 / 200, 1)


def test_a_banner_that_differs_between_colleagues_is_refused_where_organisations_move(rng):
    with pytest.raises(DesignError, match="respondents of 1 organisations differ in group.*permute_within"):
        permute_organisations(between(np.arange(3)), ["a", "b", "b"], [0, 0, 1], rng=rng)
    with pytest.raises(DesignError, match="differ in stratum"):
        permute_organisations(between(np.arange(3)), ["a", "a", "b"], [0, 0, 1], rng=rng, stratum=[1, 2, 2])


def test_what_has_nothing_to_exchange_is_refused(rng):
    statistic = between(np.arange(4))
    with pytest.raises(NotTestable, match="group"):
        permute_organisations(statistic, ["a"] * 4, [0, 1, 2, 3], rng=rng)
    with pytest.raises(NotTestable, match="single organisation"):
        permute_organisations(statistic, ["a", "b", "a", "b"], [0] * 4, rng=rng)
    with pytest.raises(NotTestable, match="no organisation has respondents of two groups"):
        permute_within(statistic, ["a", "a", "b", "b"], [0, 0, 1, 1], rng=rng)
    with pytest.raises(NotTestable, match="missing for 1 respondents"):
        permute_organisations(statistic, ["a", "b", None, "b"], [0, 1, 2, 3], rng=rng)
    with pytest.raises(NotTestable, match="all are 0"):
        flip_organisations([0, 0, NAN], [0, 1, 2], rng=rng)
    with pytest.raises(NotTestable, match="2 organisations have both values"):
        correlate([1, 2, NAN], [1, 2, 3], rng=rng)


def test_missing_answers_and_wrong_settings_are_refused(rng):
    with pytest.raises(DesignError, match="missing or infinite"):
        between([1, NAN])
    with pytest.raises(DesignError, match="one positive weight"):
        between([1, 2], weight=[1, 0])
    with pytest.raises(DesignError, match="one positive weight"):
        flip_organisations([1, 2], [0, 1], rng=rng, weight=[1, -1])
    with pytest.raises(DesignError, match="a difference is infinite"):
        flip_organisations([1, np.inf], [0, 1], rng=rng)
    with pytest.raises(DesignError, match="0 permutations"):
        correlate([1, 2, 3], [1, 3, 2], rng=rng, permutations=0)
    with pytest.raises(NotTestable, match="not finite"):
        permute_organisations(lambda codes: NAN, TYPE, ORGANISATION, rng=rng, permutations=1)
