"""Comparisons of answers of the same respondents agree with R."""

import numpy as np
import pytest

from analysis.repeated import friedman, gap, gaps_by_group, marginal_homogeneity, wilcoxon_pairs
from tests.validation._cases import DATA, Case

STAGES = ("past", "now", "goal")


@pytest.mark.parametrize("part", ["item", "mean6"])
def test_ranks_of_three_stages_agree_with_r(part):
    case = Case(DATA / "friedman.json")
    items = range(1, 2) if part == "item" else range(1, 7)
    y = np.stack([case.frame[[f"i{i}_{stage}" for i in items]].mean(axis=1) for stage in STAGES], axis=1)
    expected = case.expected[part]
    ours = friedman(y)
    found = [ours.test.statistic, ours.test.ndf, ours.test.p, ours.kendall_w]
    case.agree(found, [expected[key] for key in ("chi2", "df", "p", "kendall_W")])
    pairs = wilcoxon_pairs(y, names=STAGES)
    assert [f"{one.first}-{one.second}" for one in pairs] == expected["pairs"]["cols"]
    names = {"V": "v", "p_cc": "p_corrected", "mean_diff": "mean_difference"}
    rows = [[getattr(one, names.get(row, row)) for one in pairs] for row in expected["pairs"]["rows"]]
    case.agree(rows, expected["pairs"]["values"])
    case.agree([one.holm for one in pairs], list(expected["holm"].values()))


def test_the_gap_from_now_to_goal_agrees_with_r_survey_overall_and_by_type():
    case = Case(DATA / "gap_design.json")
    now, goal, expected, design = case.frame["i2_now"], case.frame["i2_goal"], case.expected, case.design()
    ours = gap(now, goal, design)
    case.agree([ours.estimate.value, ours.t, ours.df, ours.p], [expected[key] for key in ("mean", "t", "df", "p")])
    groups = gaps_by_group(now, goal, case.frame["org_type"], design)
    assert list(groups) == expected["group"]
    case.agree([one.estimate.value for one in groups.values()], list(expected["by_mean"].values()))
    case.agree([one.estimate.se for one in groups.values()], expected["by_se"])
    case.agree([one.p for one in groups.values()], list(expected["by_p"].values()))
    case.agree([one.holm for one in groups.values()], list(expected["by_p_holm"].values()))


def test_a_square_table_of_changed_answers_agrees_with_r():
    case = Case(DATA / "marginal_homogeneity.json")
    table = np.zeros((5, 5))
    table[case.frame["row"] - 1, case.frame["col"] - 1] = case.frame["n"]
    expected = case.expected
    ours = marginal_homogeneity(table)
    case.agree(ours.table, expected["table"]["values"])
    found = [ours.bowker.statistic, ours.bowker.ndf, ours.bowker.p]
    case.agree(found, [expected[key] for key in ("bowker", "bowker_df", "bowker_p")])
    found = [ours.stuart_maxwell.statistic, ours.stuart_maxwell.ndf, ours.stuart_maxwell.p]
    case.agree(found, [expected[key] for key in ("stuart_maxwell", "df", "p")])
