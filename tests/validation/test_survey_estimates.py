"""Totals, means, shares, ratios, variances, quantiles and differences agree with R's survey package."""

import numpy as np
import pytest

from analysis import estimators
from analysis.design import Design, DesignError, Stage
from analysis.engines.memory import Memory
from tests.validation._cases import DATA, GROUPS, Case, cases

ALL = [(group, case) for group in GROUPS for case in cases(DATA, group)]


@pytest.mark.parametrize(("group", "case"), ALL, ids=[case.path.stem for _, case in ALL])
def test_estimates_agree_with_r_survey(group, case):
    GROUPS[group](case)


def test_every_share_and_standard_error_of_a_book_of_thirty_tables_agrees_with_r_survey():
    book = Case(DATA / "book.json")
    design = book.design()
    engine = Memory(design)
    for name, table in book.expected.items():
        stub, banner = name.split("_x_")
        codes = book.frame[stub].fillna(0).astype(int).to_numpy() - 1
        columns = [str(one) for one in table["columns"]]
        group = np.array([columns.index(str(value)) for value in book.frame[banner]], np.int64)
        moments = engine.moments(codes, len(table["options"]), group, len(columns))
        estimate, variance = moments.averages(np.eye(len(table["options"])))
        book.agree(moments.n.T, table["n"]["values"])
        book.agree(moments.total.T, table["wn"]["values"])
        book.agree(estimate.T, table["share"]["values"])
        book.agree(np.sqrt(variance).T, table["se"]["values"])


def test_a_stratum_with_a_single_psu_is_refused_by_default():
    # R: options(survey.lonely.psu="fail") says "Stratum (2) has only one PSU at stage 1".
    case = Case(DATA / "lonely__fail.json")
    with pytest.raises(DesignError, match="1 of . strata have a single PSU.*Merge the stratum"):
        estimators.mean(case.frame["y"], case.design())


@pytest.mark.parametrize("lonely", ["certainty", "remove", "average", "adjust"])
def test_a_single_psu_counts_as_the_design_says(lonely):
    case = Case(DATA / f"lonely__{lonely}.json")
    design, expected = case.design(lonely), case.expected
    for name, value in expected["mean"].items():
        ours = estimators.mean(case.frame[name], design)
        case.agree([ours.value, ours.se], [value, expected["se"][name]])
        assert ours.df == expected["df"]
    ours = estimators.total(case.frame["y"], design)
    case.agree([ours.value, ours.se], [expected["total"]["y"], expected["total_se"]])
    groups = case.groups("g")
    assert [*groups] == expected["by_group"]
    of_groups = [estimators.mean(case.frame["y"], design.domain(inside)) for inside in groups.values()]
    case.agree([one.value for one in of_groups], [*expected["by_mean"].values()])
    case.agree([one.se for one in of_groups], expected["by_se"])


def test_two_stages_drawn_without_replacement_add_the_variance_within_organisations():
    case = Case(DATA / "two_stage__fpc.json")
    frame, expected = case.frame, case.expected
    of_cluster = frame.groupby("cl")["cl"]
    rows = Stage(of_cluster.cumcount().to_numpy(), fpc=(of_cluster.transform("size") + frame["cl"] % 7).to_numpy())
    design = Design.of(frame["pw"], psu=frame["cl"], fpc=frame["fpc"], stages=[rows])
    for name, value in expected["mean"].items():
        ours = estimators.mean(frame[name], design)
        case.agree([ours.value, ours.se, ours.df], [value, expected["se"][name], expected["df"]])
    total = estimators.total(frame["size"], design)
    deff = estimators.design_effect(total, replacement=False)
    case.agree([total.value, total.se, deff], [expected[key] for key in ("total", "total_se", "total_deff")])
    ratio = estimators.ratio(frame["tested"], frame["size"], design)
    case.agree([ratio.value, ratio.se], [expected["ratio"], expected["ratio_se"]])
    by_kind = [estimators.mean(frame["score"], design.domain(inside)) for inside in case.groups("kind").values()]
    case.agree([one.value for one in by_kind], [*expected["by_mean"].values()])
    case.agree([one.se for one in by_kind], expected["by_se"])
    case.agree(estimators.covariances(by_kind), expected["by_vcov"])
    code, codes = case.coded("kind")
    shares = estimators.shares(code, len(codes), design)
    case.agree([one.value for one in shares], expected["share"])
    case.agree([one.se for one in shares], expected["share_se"])


@pytest.mark.parametrize("lonely", ["certainty", "adjust"])
def test_strata_within_organisations_may_have_a_single_respondent(lonely):
    case = Case(DATA / f"two_stage__{lonely}.json")
    frame, expected = case.frame, case.expected
    of_stratum = frame.groupby(["cl", "kind"])["cl"]
    rows = Stage(
        frame.groupby("cl").cumcount().to_numpy(),
        stratum=frame["kind"].to_numpy(),
        fpc=(of_stratum.transform("size") + frame["cl"] % 3 + 1).to_numpy(),
    )
    drawn = {"psu": frame["cl"], "fpc": frame["fpc"], "stages": [rows]}
    design = Design.of(frame["pw"], **drawn, lonely=lonely)
    for name, value in expected["mean"].items():
        ours = estimators.mean(frame[name], design)
        case.agree([ours.value, ours.se], [value, expected["se"][name]])
    total = estimators.total(frame["size"], design)
    case.agree([total.value, total.se], [expected["total"], expected["total_se"]])
    with pytest.raises(DesignError, match="single unit of stage 2"):
        estimators.mean(frame["size"], Design.of(frame["pw"], **drawn))


def test_scaling_the_weights_changes_totals_and_nothing_else():
    case = Case(DATA / "edge_duplicate_weights_scale.json")
    for factor, key in ((1, "k1"), (1000, "k1000")):
        case.frame["w"] = Case(case.path).frame["w"] * factor
        design, expected = case.design(), case.expected[key]
        mean, total = (one(case.frame["budget"], design) for one in (estimators.mean, estimators.total))
        found = [mean.value, mean.se, total.value, total.se]
        case.agree(found, [expected[name] for name in ("mean", "se", "total", "total_se")])


def test_where_everybody_answers_alike_nothing_is_estimated_but_a_bound():
    # R prints an interval of [0.999999999996, 0.999999999998] and a standard error of 1.7e-17.
    case = Case(DATA / "edge_constant_group.json")
    large = (case.frame["size_band"] == "XL").to_numpy()
    yes = ((case.frame["p1"] == 1) | large).to_numpy(float)
    ours = estimators.share(yes, case.design().domain(large))
    assert ours.value == case.expected["mean"] == 1
    assert not ours.estimable
    assert np.isnan(ours.se)
    assert ours.high == 1
    assert 0.9 < ours.low < 0.975


def test_a_group_inside_one_organisation_has_an_estimate_and_no_standard_error():
    # R prints a standard error of 1.1e-15 with 0 degrees of freedom.
    case = Case(DATA / "edge_single_cluster_domain.json")
    inside = (case.frame["org_id"] == case.expected["org"]).to_numpy()
    ours = estimators.mean(case.frame["tenure"], case.design().domain(inside))
    case.agree(ours.value, case.expected["mean"])
    assert (ours.n, ours.df, ours.estimable) == (case.expected["n"], 0, False)
    assert np.isnan([ours.se, ours.low, ours.high]).all()
    share = estimators.share((case.frame["p1"] == 1).to_numpy(float), case.design().domain(inside))
    assert share.low < share.value < share.high


def test_picks_levels_and_shares_of_a_weighted_choice_agree_with_r_survey():
    case = Case(DATA / "mr_share.json")
    design, frame, expected = case.design(), case.frame, case.expected
    levels = frame[["m1", "m2", "m3", "m4"]].to_numpy(float)
    sums = levels.sum(axis=1)
    for j in range(4):
        picked = estimators.share(frame[f"p{j + 1}"], design)
        case.agree([picked.value, picked.se], [expected["pick_rate"][f"p{j + 1}"], expected["pick_se"][f"p{j + 1}"]])
        mean = estimators.mean(levels[:, j], design)
        key = f"m{j + 1}"
        case.agree([mean.value, mean.se], [expected["mean_centrality"][key], expected["mean_centrality_se"][key]])
        of_all = estimators.ratio(levels[:, j], sums, design)
        theirs = expected["share_ratio_of_totals"][j]
        case.agree([of_all.value, of_all.se], [theirs["share"], theirs["se"]])
        among = estimators.mean(np.where(levels[:, j] > 0, levels[:, j], np.nan), design)
        theirs = expected["mean_among_pickers"][j]
        case.agree([among.value, among.se], [theirs["mean"], theirs["se"]])


def test_the_interval_of_a_mean_between_known_ends_agrees_with_r_survey():
    # R survey 4.1-1: d <- svydesign(ids=~org, weights=~w, data=...); m <- svymean(~y, d)
    # 100 * plogis(confint(svycontrast(m, quote(log(y / (100 - y)))), df=degf(d))) -> 65.5794850510934 97.7985570699237
    # and confint(m, df=degf(d)) -> 76.2723389945 104.119817868, beyond the scale
    y = np.array([3, 3, 3, 2, 3, 3, 1, 3, 3, 3, 3, 2]) * 100 / 3
    design = Design.of([1, 2, 1, 1, 3, 1, 1, 2, 1, 1, 1, 2], psu=[1, 1, 2, 3, 4, 4, 5, 6, 7, 8, 8, 9])
    bounded = estimators.mean(y, design, between=(0, 100))
    assert (bounded.value, bounded.se) == pytest.approx((90.1960784313726, 6.03803749709867), rel=1e-12)
    assert (bounded.low, bounded.high) == pytest.approx((65.5794850510934, 97.7985570699237), rel=1e-12)
    plain = estimators.mean(y, design)
    assert (plain.low, plain.high) == pytest.approx((76.2723389945, 104.119817868), rel=1e-11)
    levels = estimators.mean(y * 3 / 100 + 1, design, between=(1, 4))
    assert ((levels.low - 1) / 0.03, (levels.high - 1) / 0.03) == pytest.approx((bounded.low, bounded.high), rel=1e-12)
    for ends in ((0, 90), (40, 100), (100, 0)):
        with pytest.raises(DesignError, match="beyond the ends of its scale"):
            estimators.mean(y, design, between=ends)
