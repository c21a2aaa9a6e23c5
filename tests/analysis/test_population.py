"""The study weighted to the figures of the population: which weights, which errors, and what stays hidden."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from analysis.estimates import HIDDEN, TOTAL, Estimates
from analysis.estimators import share
from analysis.multiple_response import CrossTotals, mmi, mmi_of_totals
from analysis.multiplicity import adjusted
from analysis.plan import PopulationMargin
from analysis.population import LARGEST, NOT_MET, POPULATION, TOO_FEW, members
from analysis.replicates import jackknife, side_by_side
from analysis.significance import rao_scott, rao_scott_of
from analysis.study import ESTIMANDS, Study
from analysis.tabulate import tabulate
from kysely.errors import AuthorError
from tests.analysis import _study

COUNTED = ("fieldwork", "nonresponse", "agreement")
"""Tables of facts that are not weighted."""

KEY = ["table", "variable", "code", "statistic", "estimand", "banner", "banner_code"]


@pytest.fixture(scope="module")
def extract(tmp_path_factory):
    return _study.extract(tmp_path_factory.mktemp("population"))


@pytest.fixture(scope="module")
def study(extract) -> Study:
    """The imitated study, weighted by size alone: its municipalities are too few for regions."""
    plan = _study.plan()
    return Study(extract, replace(plan, weighting=plan.weighting[:1]))


@pytest.fixture(scope="module")
def estimates(study, extract) -> Estimates:
    from analysis.estimates import Provenance

    return tabulate(study, Provenance.of(extract, study, "2026-01-01T00:00:00+00:00"))


def test_organisations_of_a_part_stand_in_the_proportions_of_the_population(study):
    (part,) = study.plan.weighting
    weight, inside = study.weighted.of("organisation"), members(study, part)
    assert weight[inside].sum() == pytest.approx(study.designs["organisation"].weight[inside].sum(), rel=1e-12)
    for code, total in part.margins[0].totals.items():
        there = inside & study.among("size4", [code])
        assert weight[there].sum() / weight[inside].sum() == pytest.approx(total / (14769 + 2523 + 619), rel=1e-9)


def test_whoever_is_in_no_part_keeps_the_weight(study):
    (part,) = study.plan.weighting
    outside = ~members(study, part)
    assert outside.any()
    for estimand in ESTIMANDS:
        assert np.array_equal(study.weighted.of(estimand)[outside], study.designs[estimand].weight[outside])


def test_the_errors_of_the_tables_are_those_of_the_jackknife_that_weights_anew(study, estimates):
    central, weights = study.central(study.plan.scores[0]), study.weighted
    of = weights.replicates
    replicates = replace(of, weight=weights.of("respondent"), weights=of.weights * weights.members)
    for place, code in enumerate(study.plan.scores[0].codes):
        is_so = central[:, place]
        rated = ~np.isnan(is_so)
        found = jackknife(lambda w, y=is_so, base=rated: w[base] @ y[base] / w[base].sum(), replicates)
        told = estimates.one(
            **{"table": "OM_TAB03", "variable": "OM_B", "statistic": "central", "code": code},
            **{"estimand": "respondent", "banner": TOTAL, "weighting": POPULATION},
        )
        assert told["estimate"] == pytest.approx(found.value[0], rel=1e-12)
        assert told["se"] == pytest.approx(found.se[0], rel=1e-9)
        assert told["df"] == len(np.unique(study.organisation[rated])) - 1


def test_the_three_errors_are_those_of_the_public_function(study, estimates):
    chosen = study.chosen(study.plan.scores[0])[:, 0]
    own = side_by_side(
        lambda design: share(chosen, replace(design, weight=design.weight * study.members)), study.weighted.weighted
    )
    (told,) = [
        line for line in estimates.weights["side_by_side"] if (line["statistic"], line["code"]) == ("selected", "PROD")
    ]
    assert told["weighted"] == pytest.approx(own.value, rel=1e-12)
    assert told["se"] == pytest.approx(own.jackknife, rel=1e-9)
    assert 0.8 < told["linearised"] / told["se"] < 1.2
    assert 0.8 < told["fixed"] / told["se"] < 1.3


def test_unweighted_figures_are_what_they_are_without_a_weighting(study, extract, estimates):
    bare = Study(extract, replace(study.plan, weighting=()))
    without = tabulate(bare, replace(estimates.provenance, weighting="none"))
    assert set(without.rows["weighting"]) == {"none"}
    assert without.weights == {}
    assert estimates.select().reset_index(drop=True).equals(without.rows)
    assert set(without.tests["weighting"]) == {"none"}
    assert estimates.tests[estimates.tests["weighting"] == "none"].reset_index(drop=True).equals(without.tests)


def test_a_group_that_is_hidden_unweighted_is_hidden_weighted(estimates):
    weighted = estimates.select(weighting=POPULATION)
    both = weighted.merge(estimates.select(), on=KEY, suffixes=("", "_unweighted"), validate="one_to_one")
    # Everything that is estimated per respondent is there weighted as well, in the book and in every table.
    plain = estimates.select(estimand="respondent", statistic=("share", "selected", "central", "mean", "mean100"))
    assert len(both) == len(weighted) == len(plain[~plain["table"].isin(COUNTED)])
    hidden = both["flag_unweighted"].isin(HIDDEN)
    assert hidden.any()
    assert both.loc[hidden, "flag"].isin(HIDDEN).all()
    assert (both["base_n"] == both["base_n_unweighted"]).all()
    assert (
        weighted.loc[weighted["flag"].isin(HIDDEN), ["estimate", "se", "ci_low", "base_weighted"]]
        .isna()
        .to_numpy()
        .all()
    )
    assert (weighted.loc[weighted["flag"].isin(HIDDEN), "letters"] == "").all()
    assert (weighted["letters"] != "").any()


def test_a_group_that_its_weighted_figure_would_give_away_is_hidden_beside_the_others(estimates):
    weighted = estimates.select(weighting=POPULATION)
    both = weighted.merge(estimates.select(), on=KEY, suffixes=("", "_unweighted"))
    assert ((both["flag"] == "complementary") & ~both["flag_unweighted"].isin(HIDDEN)).any()


def cells(study, question: str, banner: str) -> tuple[np.ndarray, int, int]:
    """Return the cell of each respondent, -1 where one is missing, and the numbers of groups and codes."""
    code, group = study.codes(question), study.codes(banner)
    groups, codes = (len(study.codebook[name].categories) for name in (banner, question))
    return np.where((code >= 0) & (group >= 0), group * codes + code, -1), groups, codes


def jackknifed(study, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return weighted totals of *columns* and their covariance from shares of the base, replicate by replicate."""
    weights = study.weighted
    of = weights.replicates
    replicates = replace(of, weight=weights.of("respondent"), weights=of.weights * weights.members)
    base = columns.any(axis=1)
    made = jackknife(lambda w: w @ columns / w[base].sum(), replicates)
    size = weights.of("respondent")[base].sum()
    return made.value * size, made.covariance * size**2


def the_test(estimates, variable: str, banner: str):
    tests = estimates.tests
    keep = (tests["variable"] == variable) & (tests["banner"] == banner) & (tests["weighting"] == POPULATION)
    (found,) = tests[keep].itertuples()
    return found


@pytest.mark.parametrize(("question", "banner"), [("BG05", "role2"), ("OM_B02_CUST", "BG01"), ("BG06", "role2")])
def test_a_weighted_cross_tab_is_tested_by_the_jackknife_that_weights_anew(study, estimates, question, banner):
    rows = estimates.select(table="book", variable=question, banner=banner, weighting=POPULATION)
    hidden = set(rows[rows["flag"].isin(HIDDEN)]["banner_code"])
    cell, groups, codes = cells(study, question, banner)
    banned = [place for place, one in enumerate(study.codebook[banner].categories) if one.code in hidden]
    cell = np.where(np.isin(cell // codes, banned) & (cell >= 0), -1, cell)
    total, covariance = jackknifed(study, (cell[:, None] == np.arange(groups * codes)).astype(float))
    base = study.designs["respondent"].domain(cell >= 0)
    expected = rao_scott(total.reshape(groups, codes), covariance, n=int((cell >= 0).sum()), df=base.degrees())
    ours = the_test(estimates, question, banner)
    assert (ours.estimand, ours.test, ours.n) == ("respondent", "rao_scott", expected.n)
    assert (ours.f, ours.p) == pytest.approx((expected.second_order.statistic, expected.second_order.p), rel=1e-6)
    # The linearised errors of the same calibrated design, as R's svychisq() takes them, are not far.
    row, column = (cell % codes).astype(float), (cell // codes).astype(float)
    row[cell < 0] = np.nan
    again = rao_scott_of(row, column, study.weighted.design("respondent"))
    assert ours.f == pytest.approx(again.second_order.statistic, rel=0.15)


def test_weighted_picks_are_tested_by_the_jackknife_that_weights_anew(study, estimates):
    picks, group = study.central(study.plan.scores[0]), study.codes("role2")
    inside = ~np.isnan(picks).any(axis=1) & (group >= 0)
    with_base = np.column_stack([np.ones(len(picks)), np.nan_to_num(picks)]) * inside[:, None]
    columns = (with_base[:, None, :] * (group[:, None, None] == np.arange(2)[None, :, None])).reshape(len(picks), -1)
    total, covariance = jackknifed(study, columns)
    base = study.designs["respondent"].domain(inside)
    expected = mmi_of_totals(CrossTotals(int(inside.sum()), base.degrees(), total.reshape(2, -1), covariance)).f
    ours = the_test(estimates, "OM_B", "role2")
    assert (ours.test, ours.f, ours.p) == (
        "mmi",
        pytest.approx(expected.statistic, rel=1e-9),
        pytest.approx(expected.p, rel=1e-6),
    )
    again = mmi(picks, np.where(inside, group.astype(float), np.nan), study.weighted.design("respondent")).f
    assert ours.f == pytest.approx(again.statistic, rel=0.15)


def test_weighted_tests_are_a_family_of_their_own(estimates):
    of = estimates.tests[(estimates.tests["weighting"] == POPULATION) & (estimates.tests["reason"] == "")]
    assert set(of["estimand"]) == {"respondent"} and len(of) > 50
    assert of["p_adjusted"].to_numpy() == pytest.approx(adjusted(of["p"].to_numpy(), "holm"))


def test_a_weighted_letter_is_given_where_the_jackknife_error_of_the_difference_is_small_enough(study, estimates):
    rows = estimates.select(table="book", weighting=POPULATION, banner="role2", statistic=("share", "selected", "mean"))
    pairs = 0
    for key, pair in rows.groupby(["variable", "code", "statistic"]):
        if len(pair) != 2 or pair["flag"].isin([*HIDDEN, "not_estimable"]).any() or (pair["base_n"] < 30).any():
            continue
        low, high = pair.sort_values("estimate").to_dict("records")
        # Two groups: one pair in the row, so nothing to adjust. Their covariance is what the bounds leave open.
        t = (high["estimate"] - low["estimate"]) / np.hypot(high["se"], low["se"])
        if key[0] != "BG01" and not 1.7 < t < 2.3:
            assert (high["letters"] != "") == (t > 2), key
            pairs += 1
        assert low["letters"] == ""
    assert pairs > 20


def test_the_account_tells_population_sample_and_weighted_shares(study, estimates):
    told = estimates.weights
    assert estimates.provenance.weighting == POPULATION
    assert told["lacking"] == []
    (margin,) = told["margins"]
    for name in ("population", "sample", "weighted"):
        assert sum(one[name] for one in margin["classes"]) == pytest.approx(1)
    for one in margin["classes"]:
        assert one["weighted"] == pytest.approx(one["population"])
        assert one["factor"] == pytest.approx(one["population"] / one["sample"])
    weight = study.weighted.of("respondent")
    assert told["deff"] == pytest.approx(len(weight) * (weight**2).sum() / weight.sum() ** 2)
    assert told["effective"] == pytest.approx(len(weight) / told["deff"])


def test_estimates_come_back_from_disk_with_their_weights(estimates, tmp_path):
    estimates.write(tmp_path)
    back = Estimates.read(tmp_path)
    assert back.weights == estimates.weights
    assert back.rows["weighting"].tolist() == estimates.rows["weighting"].tolist()


@pytest.mark.parametrize("respondents", [0, 1, 40])
def test_a_study_of_too_few_is_not_weighted_and_says_which_classes_lack(tmp_path, respondents):
    few = _study.extract(tmp_path, _study.answers().take(range(respondents)))
    found = _study.estimates(few)
    assert set(found.rows["weighting"]) == {"none"}
    assert found.provenance.weighting == "none"
    assert {one["why"] for one in found.weights["lacking"]} == {TOO_FEW}
    assert {"companies", "municipalities"} >= {one["part"] for one in found.weights["lacking"]}


def test_margins_that_cannot_be_met_together_leave_the_study_unweighted(study, extract):
    (part,) = study.plan.weighting
    # The second margin knows nothing of the large companies that the first one has.
    other = PopulationMargin("size4", {"small": 1, "medium": 1}, part.margins[0].source)
    clash = replace(part, margins=(*part.margins, other))
    made = Study(extract, replace(study.plan, weighting=(clash,)))
    assert made.weighted is None
    assert [one.why for one in made.unweighted] == [NOT_MET]


def test_a_sample_too_large_for_the_jackknife_says_that_its_weights_count_as_fixed(study, monkeypatch):
    assert study.weighted.errors == "jackknife"
    assert int(study.weighted.weighted.base.psus_in.sum()) * len(study) < LARGEST
    monkeypatch.setattr("analysis.population.LARGEST", 10)
    assert study.weighted.errors == "fixed"
    code = np.zeros(len(study), np.int64)
    assert study.weighted.replicated("respondent", code=code, codes=1, group=code, groups=1) is None


def test_every_fault_of_a_weighting_is_told_at_once(tmp_path):
    text = _study.PLAN.read_text(encoding="utf-8")
    for right, wrong in (
        ("among: {BG10: [MUNI], area:", "among: {BG10: [CITY], area:"),
        ("    method: rake\n", "    method: guess\n"),
        ("totals: {small: 14769, medium: 2523, large: 619}", "totals: {small: 0, large: 619}"),
        ("totals: {uusimaa: 26, south: 65,", "totals: {aland: 16, uusimaa: 26, south: 65,"),
    ):
        assert right in text
        text = text.replace(right, wrong, 1)
    start = text.index('        source: {fi: "Tilastokeskus')
    text = text[:start] + text[text.index("\n", start) + 1 :]
    (tmp_path / "plan.yaml").write_text(text, encoding="utf-8")
    from analysis import plan as plans

    with pytest.raises(AuthorError) as caught:
        plans.load(tmp_path / "plan.yaml", _study.codebook())
    told = str(caught.value)
    for cause in ("'CITY'", "'guess'", "0 is no number of organisations", "no total of medium", "nobody with aland"):
        assert cause in told
    assert "source" in told
