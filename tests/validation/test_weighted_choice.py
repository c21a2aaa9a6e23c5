"""The weighted multi-select agrees with R survey in its five shares, and with the specification's vectors."""

import numpy as np
import pytest

from analysis.compositions import clr, distance, replace_zeros
from analysis.weighted_choice import Perspectives, WeightedChoice, estimate, estimate_by_group, total_variation
from tests.validation._cases import DATA, Case

NUMBERS = range(1, 5)


def test_five_shares_of_a_mode_overall_and_by_type_agree_with_r_survey():
    case = Case(DATA / "mr_share.json")
    expected, design = case.expected, case.design()
    choice = WeightedChoice.rated(case.frame[[f"m{j}" for j in NUMBERS]])
    ours = estimate(choice, design)
    assert ours.n_none == expected["n_no_pick"]
    for found, name, letter in (
        (ours.selected, "pick", "p"),
        (ours.mean, "mean_centrality", "m"),
        (ours.own_share, "share_mean_of_ratios", "s"),
    ):
        values = expected["pick_rate" if name == "pick" else name]
        case.agree([one.value for one in found], [values[f"{letter}{j}"] for j in NUMBERS])
        case.agree([one.se for one in found], [expected[f"{name}_se"][f"{letter}{j}"] for j in NUMBERS])
    totals, pickers = expected["share_ratio_of_totals"], expected["mean_among_pickers"]
    case.agree([[one.value, one.se] for one in ours.all_share], [[one["share"], one["se"]] for one in totals])
    case.agree([[one.value, one.se] for one in ours.among_pickers], [[one["mean"], one["se"]] for one in pickers])
    case.agree([ours.picks.value, ours.picks.se], [expected["picks_per_respondent"], expected["picks_se"]])


def test_shares_of_levels_and_of_choices_by_type_agree_with_r_survey():
    case = Case(DATA / "mr_share.json")
    choice = WeightedChoice.rated(case.frame[[f"m{j}" for j in NUMBERS]])
    groups = estimate_by_group(choice, case.frame["org_type"], case.design())
    assert list(groups) == case.expected["by_group"]
    for attribute, name in (("own_share", "by_share"), ("selected", "by_pick")):
        found = [getattr(one, attribute) for one in groups.values()]
        case.agree([[each.value for each in row] for row in found], case.expected[name]["values"])
        case.agree([[each.se for each in row] for row in found], case.expected[f"{name}_se"]["values"])


# The vectors of the specification's scoring chapter; those of agreement inside organisations and of Wilson's
# interval are with the modules that compute them.

CURRENT, DESIRED, STRATEGY = [1, 2, 3, 0], [0, 2, 3, 0], [0, 3, 3, 1]


def test_profiles_of_today_and_strategy_are_those_of_the_specification():
    now, strategy = (WeightedChoice.rated([levels]).profile[0] for levels in (CURRENT, STRATEGY))
    assert now == pytest.approx([0.1667, 0.3333, 0.5, 0], abs=5e-5)
    assert strategy == pytest.approx([0, 0.4286, 0.4286, 0.1429], abs=5e-5)


def test_fits_between_perspectives_are_those_of_the_specification():
    three = Perspectives(*(WeightedChoice.rated([levels]) for levels in (CURRENT, DESIRED, STRATEGY)))
    found = [three.fit_strategy[0], three.fit_wish[0], three.fit_plan[0]]
    assert found == pytest.approx([0.7619, 0.8333, 0.8286], abs=5e-5)
    assert three.gap[0].tolist() == [-1, 0, 0, 0]


def test_distances_between_points_are_those_of_the_specification():
    one, other = [[40, 30, 20, 10]], [[10, 20, 60, 10]]
    assert total_variation(one, other) == pytest.approx([0.4])
    assert distance(one, other) == pytest.approx([1.7813], abs=5e-5)


def test_zeros_are_replaced_and_log_ratios_taken_as_in_the_specification():
    replaced = replace_zeros([[70, 30, 0, 0]])
    assert replaced[0] == pytest.approx([69.3, 29.7, 0.5, 0.5])
    assert clr(replaced)[0] == pytest.approx([2.6776, 1.8303, -2.254, -2.254], abs=5e-5)
    assert np.abs(clr(replaced).sum()) < 1e-12
