"""Multiple-response tests, percentages and combinations agree with R's MRCV and survey on synthetic picks."""

import numpy as np
import pytest

from analysis.bilder_loughin import published_mmi, published_spmi
from analysis.design import Design
from analysis.multiple_response import combinations, mmi, overlap, percent_bases, spmi
from analysis.repeated import cochran_q, mcnemar_pairs
from analysis.weighted_choice import WeightedChoice, estimate
from tests.validation._cases import DATA, Case
from tests.validation._picks import agree_with_mrcv, items_and_banner

MODES = ["p1", "p2", "p3", "p4"]


@pytest.mark.parametrize("name", ["mmi__exec", "mmi__synthetic", "mmi__zero_cell"])
def test_picks_by_a_banner_agree_with_mrcv_where_nobody_is_weighted_or_clustered(name):
    case = Case(DATA / f"{name}.json")
    banner, items = items_and_banner(case)
    agree_with_mrcv(case, published_mmi(case.frame[items], case.frame[banner], zero_cells=0.5))


def test_picks_by_picks_agree_with_mrcv_where_nobody_is_weighted_or_clustered():
    case = Case(DATA / "spmi__exec.json")
    picks = case.frame[MODES].to_numpy()
    agree_with_mrcv(case, published_spmi(picks[:, :2], picks[:, 2:], zero_cells=0.5))


def agree_with_r(case, ours, theirs, items):
    assert (ours.n, len(ours.groups), ours.item_x2.size) == (theirs["n"], theirs["r"], theirs["c"])
    case.agree(ours.item_x2, [theirs["item_x2"][item] for item in items])
    case.agree(ours.x2, theirs["x2"])
    case.agree(ours.eigenvalues, theirs["lambda"])
    case.agree(ours.eigenvalues.sum(), theirs["sum_lambda"])
    case.agree((ours.eigenvalues**2).sum(), theirs["sum_lambda_sq"])
    for one, name in ((ours.first_order, "first_order"), (ours.second_order, "second_order")):
        case.agree([one.statistic, one.ndf, one.p], [theirs[name][key] for key in ("stat", "df", "p")])
        assert one.ddf is None
    f = ours.f
    case.agree([f.statistic, f.ndf, f.ddf, f.p], [theirs["F"][key] for key in ("stat", "ndf", "ddf", "p")])


@pytest.mark.parametrize(("part", "banner"), [("a", "org_type"), ("b", "role")])
def test_weighted_picks_of_leaders_who_share_organisations_agree_with_r_survey(part, banner):
    case = Case(DATA / "mr_design__exec.json")
    ours = mmi(case.frame[MODES], case.frame[banner], case.design())
    agree_with_r(case, ours, case.expected[part], MODES)


def test_the_test_under_the_design_agrees_with_r_survey_without_weights_and_clusters():
    case = Case(DATA / "mr_design__unit.json")
    items = list(case.expected["item_x2"])
    design = Design.of(np.ones(len(case.frame)))
    agree_with_r(case, mmi(case.frame[items], case.frame["g"], design), case.expected, items)


def stratified(case):
    """Return picks and the design with strata, clusters and finite populations, as the case's R call makes them."""
    x = case.frame
    picks = np.column_stack([x["y"] > 13, x["z"] > 5, x["b"], x["y"] + x["z"] > 20]).astype(float)
    return picks, Design.of(x["wt"], psu=x["psu"], stratum=x["stratum"], fpc=12 + 3 * x["stratum"])


@pytest.mark.parametrize(("part", "banner"), [("a", "g"), ("b", "h2")])
def test_strata_and_finite_populations_enter_the_test_as_in_r_survey(part, banner):
    case = Case(DATA / "mr_design__stratclus.json")
    picks, design = stratified(case)
    agree_with_r(case, mmi(picks, case.frame[banner], design), case.expected[part], MODES)


@pytest.mark.parametrize("name", ["spmi_design__exec", "spmi_design__stratclus"])
def test_picks_by_picks_under_the_design_agree_with_r_survey_s_covariance(name):
    # R has no such test; the case linearises p_ij - p_i p_j respondent by respondent and takes svytotal's covariance.
    case = Case(DATA / f"{name}.json")
    picks, design = (case.frame[MODES].to_numpy(float), weighted(case)) if "exec" in name else stratified(case)
    ours, expected = spmi(picks[:, :2], picks[:, 2:], design), case.expected
    case.agree([ours.n, ours.x2], [expected["n"], expected["x2"]])
    case.agree(ours.item_x2, expected["item_x2"]["values"])
    case.agree(ours.eigenvalues, expected["lambda"])
    f = ours.f
    case.agree([f.statistic, f.ndf, f.ddf, f.p], [expected["F"][key] for key in ("stat", "ndf", "ddf", "p")])
    case.agree(ours.item_p, expected["item_p"]["values"])


def test_shares_of_respondents_pickers_and_picks_agree_with_r():
    case = Case(DATA / "mr_percent_bases.json")
    picks, expected = case.frame[MODES], case.expected
    for design, prefix in ((Design.of(np.ones(len(picks))), ""), (weighted(case), "w_")):
        ours = percent_bases(picks, design)
        for found, name in (
            (ours.of_respondents, "pct_respondents"),
            (ours.of_pickers, "pct_cases"),
            (ours.of_picks, "pct_responses"),
        ):
            case.agree([one.value for one in found], [expected[prefix + name][mode] for mode in MODES])
    levels = percent_of_levels(case)
    case.agree(levels, list(expected["w_centrality_share"].values()))


def percent_of_levels(case):
    choice = WeightedChoice.rated(case.frame[["m1", "m2", "m3", "m4"]])
    return [one.value for one in estimate(choice, weighted(case)).all_share]


def weighted(case):
    return Design.of(case.frame["w"], psu=case.frame["org_id"])


def test_combinations_and_overlaps_of_picks_agree_with_r():
    case = Case(DATA / "mr_percent_bases.json")
    picks, expected = case.frame[MODES], case.expected
    ours = combinations(picks, weighted(case))
    names = ["".join(str(int(one)) for one in row) for row in ours.picked]
    assert sorted(names) == sorted(expected["combo"])
    case.agree(ours.n, [expected["combo"][name] for name in names])
    case.agree(ours.weighted, [expected["combo_w"][name] for name in names])
    both = overlap(picks, weighted(case))
    case.agree(both.n, expected["overlap"]["values"])
    case.agree(both.weighted, expected["overlap_w"]["values"])


def test_cochran_s_q_and_mcnemar_of_every_pair_agree_with_r():
    case = Case(DATA / "cochran_q.json")
    picks, expected = case.frame[MODES], case.expected
    q = cochran_q(picks).test
    case.agree([q.statistic, q.ndf, q.p], [expected["Q"], expected["df"], expected["p"]])
    pairs = mcnemar_pairs(picks)
    assert [f"{one.first + 1}-{one.second + 1}" for one in pairs] == expected["pairs"]
    ours = [[one.only_first, one.only_second, one.test.statistic, one.test.p, one.exact] for one in pairs]
    case.agree(np.array(ours).T, expected["mcnemar"]["values"])
    case.agree([one.holm for one in pairs], expected["holm_exact"])
