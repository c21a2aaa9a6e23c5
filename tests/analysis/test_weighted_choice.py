"""The weighted multi-select: its missing answers, ties and sets, and what contradicts itself."""

import numpy as np
import pytest

from analysis import estimators
from analysis.categories import NotTestable
from analysis.design import Design, DesignError
from analysis.multiple_response import combinations
from analysis.plan import combinations as sets_of
from analysis.weighted_choice import (
    MISSING,
    Perspectives,
    WeightedChoice,
    WeightedChoiceError,
    estimate,
    estimate_by_group,
    fit,
    gaps,
    jaccard,
    total_variation,
)

NAN = np.nan
CODES = ("PROD", "DEV", "CUST", "PUB")

CHOSEN = [[1, 0, 1, 0], [1, 1, 0, 0], [0, 0, 0, 0], [1, 1, 0, 0], [NAN] * 4]
LEVEL = [[3, 0, 2, 0], [3, 3, 0, 0], [0, 0, 0, 0], [3, NAN, 0, 0], [NAN] * 4]


@pytest.fixture
def choice():
    return WeightedChoice.of(CHOSEN, LEVEL)


def test_the_dominant_mode_is_the_highest_a_tie_a_combination_and_nothing_none(choice):
    assert choice.dominant.tolist() == [0, 4, 5, MISSING, MISSING]
    assert choice.dominant_label(CODES) == ("PROD", "COMBO", "NONE", None, None)
    assert choice.tied.tolist()[:3] == [[True, False, False, False], [True, True, False, False], [False] * 4]
    assert not choice.tied[3:].any()


def test_a_tie_below_the_top_level_is_a_combination_too():
    ours = WeightedChoice.rated([[2, 2, 1, 0]])
    assert ours.dominant_label(CODES) == ("COMBO",)
    assert (ours.n_central.tolist(), ours.central_set.tolist()) == ([0], [0])


def test_modes_chosen_and_modes_central_are_counted(choice):
    assert choice.n_selected.tolist() == [2, 2, 0, 2, MISSING]
    assert choice.n_central.tolist() == [1, 2, 0, MISSING, MISSING]


def test_a_mode_chosen_and_left_unrated_is_chosen_and_its_level_missing(choice):
    design = Design.of(np.ones(5))
    ours = estimate(choice, design)
    assert (ours.selected[1].value, ours.selected[1].n) == (pytest.approx(2 / 4), 4)
    assert (ours.central[1].value, ours.central[1].n) == (pytest.approx(1 / 3), 3)
    assert (ours.among_pickers[1].value, ours.among_pickers[1].n) == (3, 1)


def test_a_mode_not_chosen_has_level_0_however_it_is_stored():
    stored = WeightedChoice.of([[1, 0]], [[2, NAN]])
    assert stored.level.tolist() == [[2, 0]]
    assert stored.hundred[0] == pytest.approx([200 / 3, 0])


def test_choosing_nothing_is_an_answer_and_not_answering_is_none(choice):
    ours = estimate(choice, Design.of(np.ones(5)))
    assert ours.n_none == 1
    assert ours.picks.n == 4
    assert ours.picks.value == pytest.approx((2 + 2 + 0 + 2) / 4)
    assert ours.own_share[0].n == 2  # not who chose nothing, nor who left a level out


def test_the_five_shares_of_a_mode_differ_and_each_is_arithmetic():
    # Two leaders: one gives PROD 3 and nothing else, one gives PROD 1 and DEV 3.
    ours = estimate(WeightedChoice.rated([[3, 0], [1, 3]]), Design.of(np.ones(2)))
    first = [getattr(ours, name)[0].value for name in ("selected", "mean", "among_pickers", "own_share", "all_share")]
    second = [getattr(ours, name)[1].value for name in ("selected", "mean", "among_pickers", "own_share", "all_share")]
    assert first == pytest.approx([1, 2, 2, (1 + 1 / 4) / 2, 4 / 7])
    assert second == pytest.approx([1 / 2, 3 / 2, 3, 3 / 8, 3 / 7])
    assert ours.mean100[0].value == pytest.approx(200 / 3)


def test_profiles_and_both_shares_of_levels_add_to_one(choice):
    ours = estimate(choice, Design.of(np.ones(5)))
    assert sum(one.value for one in ours.own_share) == pytest.approx(1)
    assert sum(one.value for one in ours.all_share) == pytest.approx(1)
    assert choice.profile[0] == pytest.approx([0.6, 0, 0.4, 0])
    assert np.isnan(choice.profile[2:]).all()


def test_a_group_is_a_domain_and_one_without_levels_is_left_out(choice):
    design = Design.of([1, 2, 3, 1, 1.0])
    groups = estimate_by_group(choice, ["a", "a", "b", None, "a"], design)
    assert list(groups) == ["a"]
    inside = estimators.share(np.where([1, 1, 0, 0, 1], choice.chosen[:, 1], NAN), design)
    assert (groups["a"].selected[1].value, groups["a"].selected[1].se) == (inside.value, inside.se)


def test_sets_of_central_modes_are_numbered_and_counted(choice):
    assert choice.central_set.tolist() == [0b0001, 0b0011, 0, MISSING, MISSING]
    ours = combinations(choice.central, Design.of(np.ones(5)))
    assert ours.n.tolist() == [1, 1, 1]
    names = ["+".join(code for code, on in zip(CODES, row, strict=True) if on) or "NONE" for row in ours.picked]
    assert set(names) == {"PROD", "PROD+DEV", "NONE"} <= set(sets_of(CODES))


def test_taking_some_respondents_takes_their_answers(choice):
    assert choice.take(slice(0, 2)).dominant.tolist() == [0, 4]
    assert len(choice.take(np.array([True, False, True, False, False]))) == 2


# ---- perspectives -------------------------------------------------------------------------------------


def test_distance_is_0_of_the_same_and_1_of_opposites_and_a_fit_is_the_rest():
    p, q = [[3, 0], [3, 0], [0, 0], [1, 1]], [[1, 0], [0, 2], [1, 0], [NAN, 1]]
    assert total_variation(p, q)[:2].tolist() == [0, 1]
    assert fit(p, q)[:2].tolist() == [1, 0]
    assert np.isnan(total_variation(p, q)[2:]).all()


def test_overlap_of_choices_is_what_both_have_of_what_either_has():
    a, b = [[1, 1, 0], [1, 0, 0], [0, 0, 0], [NAN, 1, 0]], [[0, 1, 1], [1, 0, 0], [0, 0, 0], [1, 1, 0]]
    assert jaccard(a, b)[:2] == pytest.approx([1 / 3, 1])
    assert np.isnan(jaccard(a, b)[2:]).all()


def test_a_strategy_that_takes_no_stand_has_no_fit():
    levels = [[3, 1]]
    nothing = WeightedChoice.of([[NAN, NAN]], [[NAN, NAN]])
    three = Perspectives(WeightedChoice.rated(levels), WeightedChoice.rated([[1, 3]]), nothing)
    assert np.isnan([three.fit_strategy[0], three.fit_plan[0]]).all()
    assert three.fit_wish[0] == pytest.approx(0.5)
    assert three.gap.tolist() == [[-2, 2]]


def test_the_gap_of_each_mode_is_its_mean_change_and_holm_counts_all_modes():
    rng = np.random.default_rng(8)
    now, wished = (WeightedChoice.rated(rng.integers(0, 4, (60, 4))) for _ in range(2))
    design = Design.of(rng.uniform(1, 2, 60), psu=rng.integers(0, 40, 60))
    ours = gaps(now, wished, design)
    three = Perspectives(now, wished, wished)
    theirs = estimators.mean(three.gap[:, 2], design)
    assert (ours[2].estimate.value, ours[2].estimate.se) == (theirs.value, theirs.se)
    assert three.gap_strategy.tolist() == three.gap.tolist()
    least = min(ours, key=lambda one: one.p)
    assert least.holm == pytest.approx(min(1, 4 * least.p))


def test_perspectives_of_other_respondents_are_refused(choice):
    with pytest.raises(WeightedChoiceError, match="need the same"):
        Perspectives(choice, choice, choice.take(slice(0, 2)))
    with pytest.raises(WeightedChoiceError, match="the perspectives have shapes"):
        gaps(choice, choice.take(slice(0, 2)), Design.of(np.ones(5)))
    for run in (total_variation, jaccard):
        with pytest.raises(WeightedChoiceError, match="need the same"):
            run([[1, 0]], [[1, 0, 0]])


# ---- contradictions -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("chosen", "level", "says"),
    [
        ([[2, 0]], [[1, 0]], "a choice is not 0, 1 or missing"),
        ([[1, 0]], [[4, 0]], "outside 0 to 3"),
        ([[1, 0]], [[-1, 0]], "outside 0 to 3"),
        ([[1, 0]], [[1, 2]], "not chosen has a level above 0 .row 1, mode 2; 1 in all"),
        ([[1, 0]], [[0, 0]], "level 0, which means not chosen"),
        ([[NAN, 0]], [[1, 0]], "without a choice"),
        ([[1, 0]], [[1, 0, 0]], "need the same"),
        ([1, 0], [1, 0], "a row a respondent"),
        ([["yes"]], [[1]], "must be numbers"),
    ],
)
def test_answers_that_contradict_themselves_are_refused(chosen, level, says):
    with pytest.raises(WeightedChoiceError, match=says):
        WeightedChoice.of(chosen, level)


def test_what_cannot_be_estimated_or_named_is_refused(choice):
    with pytest.raises(DesignError, match="5 answers, the design has 2"):
        estimate(choice, Design.of([1, 1]))
    with pytest.raises(WeightedChoiceError, match="some a level above 0"):
        estimate(WeightedChoice.rated([[0, 0], [NAN, NAN]]), Design.of([1, 1]))
    with pytest.raises(WeightedChoiceError, match="1 codes were given for 4 modes"):
        choice.dominant_label(["PROD"])
    with pytest.raises(WeightedChoiceError, match="63 modes"):
        _ = WeightedChoice.rated(np.zeros((1, 63))).central_set
    with pytest.raises(NotTestable, match="the groups"):
        estimate_by_group(choice, ["a"], Design.of(np.ones(5)))
