"""What calibrated weights do to the errors of estimates: linearised, by the jackknife, and part by part."""

from dataclasses import replace

import numpy as np
import pytest

from analysis import estimators
from analysis.design import Design, DesignError
from analysis.replicates import delete_one_psu, jackknife, side_by_side
from analysis.variance import covariance
from analysis.weighting import Margin, MarginError, Number, calibrate, diagnose, poststratify, rake, together, trim
from tests.analysis._weighting import KINDS, REGIONS, SIZES, Sample

SAMPLE = Sample()
METHODS = {
    "rake": lambda design, total: rake.weights(design, SAMPLE.margins(), total=total),
    "poststratify": lambda design, total: poststratify.weights(design, SAMPLE.margins()[:1], total=total),
    "linear": lambda design, total: calibrate.weights(design, SAMPLE.margins(), total=total),
    "logit": lambda design, total: calibrate.weights(
        design, SAMPLE.margins(), total=total, distance="logit", bounds=(0.1, 5)
    ),
}


def fixed(estimate):
    """The error of an estimate if its weights had not been made from the sample."""
    return float(np.sqrt(covariance(estimate.influence, replace(estimate.design, calibration=None))[0, 0]))


# ---- what is known has no error -----------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_a_figure_that_the_margins_fix_has_no_sampling_error(method):
    weighted = METHODS[method](SAMPLE.design, 240)
    replicates = delete_one_psu(SAMPLE.design, reweight=weighted.reweight)
    large = (SAMPLE.size == "L").astype(float)
    share, number = estimators.share(large, weighted.design), estimators.total(large, weighted.design)
    assert (share.value, number.value) == (pytest.approx(0.2), pytest.approx(48))
    assert share.se < 1e-6 * fixed(share)
    assert number.se < 1e-6 * fixed(number)
    assert share.low == pytest.approx(0.2) == share.high
    assert jackknife(lambda w: [w @ large / w.sum(), w @ large], replicates).se == pytest.approx([0, 0], abs=1e-7)


def test_a_number_whose_total_is_known_has_no_sampling_error():
    staff = Number.of("staff", SAMPLE.staff, 9200)
    weighted = calibrate.weights(SAMPLE.design, SAMPLE.margins(), numbers=[staff], total=240, distance="raking")
    estimate = estimators.total(SAMPLE.staff, weighted.design)
    assert estimate.se < 1e-9 * fixed(estimate)


@pytest.mark.parametrize("method", METHODS)
def test_the_three_errors_of_an_answer_are_close_and_weighting_to_what_explains_it_helps(method):
    weighted = METHODS[method](SAMPLE.design, 240)
    errors = side_by_side(lambda design: estimators.share(SAMPLE.answer, design), weighted)
    assert errors.linearised < errors.jackknife < 1.2 * errors.linearised
    assert errors.fixed == pytest.approx(errors.jackknife, rel=0.2)
    assert errors.df == SAMPLE.design.degrees()


def test_a_domain_of_a_raked_sample_keeps_what_is_known_of_the_whole():
    # The share of large among companies is known if the margin crosses the two, though the domain is companies alone.
    shares = {(size, kind): p * q for size, p in SIZES.items() for kind, q in KINDS.items()}
    crossed = Margin.of_shares("size × kind", (SAMPLE.size, SAMPLE.kind), shares)
    companies = SAMPLE.kind == "company"
    large = (SAMPLE.size == "L").astype(float)
    for method in (rake, poststratify, calibrate):
        weighted = method.weights(SAMPLE.design, [crossed], total=240)
        share = estimators.share(large, weighted.design.domain(companies))
        assert share.value == pytest.approx(0.2)
        assert share.se < 1e-9 * fixed(share)


def test_weights_scaled_to_their_own_sum_leave_totals_the_error_of_that_sum():
    plain = float(np.sqrt(covariance(SAMPLE.weight, SAMPLE.design)[0, 0]))
    for method, margins in ((rake, SAMPLE.margins()), (poststratify, SAMPLE.margins()[:1])):
        own = method.weights(SAMPLE.design, margins)
        known = method.weights(SAMPLE.design, margins, total=240)
        assert own.weight.sum() == pytest.approx(SAMPLE.weight.sum())
        assert covariance(own.weight, own.design)[0, 0] == pytest.approx(plain**2)
        assert covariance(known.weight, known.design)[0, 0] < 1e-18 * plain**2
        again = delete_one_psu(SAMPLE.design, reweight=own.reweight)
        assert jackknife(np.sum, again).se[0] == pytest.approx(plain)
        answer = [estimators.mean(SAMPLE.answer, weighted.design) for weighted in (own, known)]
        assert answer[0].se == pytest.approx(answer[1].se)


def test_influence_values_of_other_respondents_are_refused():
    raked = METHODS["rake"](SAMPLE.design, 240)
    with pytest.raises(DesignError, match="one row for each of the 240 respondents"):
        covariance(np.ones(3), raked.design)


# ---- parts that are weighted apart --------------------------------------------------------------------


def in_classes():
    """Companies by size, public bodies of region 1 by nothing, the other public bodies by region."""
    companies = SAMPLE.kind == "company"
    others = (SAMPLE.kind == "public") & (SAMPLE.region != 1)
    sizes = Margin.of_totals("size", SAMPLE.size, {"S": 500, "M": 300, "L": 200})
    regions = Margin.of_shares("region", SAMPLE.region, {2: 0.6, 3: 0.4})
    design = Design.of(np.ones(240), psu=SAMPLE.organisation)
    parts = [rake.weights(design.domain(companies), [sizes]), rake.weights(design.domain(others), [regions])]
    return design, companies, others, parts


def test_classes_are_weighted_apart_and_those_without_a_margin_keep_their_weight():
    design, companies, others, parts = in_classes()
    whole = together(design, parts)
    assert SAMPLE.sums(whole.weight[companies], SAMPLE.size[companies]) == pytest.approx({"L": 200, "M": 300, "S": 500})
    assert whole.weight[others].sum() == pytest.approx(others.sum())
    assert whole.weight[others & (SAMPLE.region == 2)].sum() == pytest.approx(0.6 * others.sum())
    assert set(whole.weight[~companies & ~others]) == {1.0}
    found = diagnose(whole)
    assert [check.margin for check in found.checks] == ["size"] * 3 + ["region"] * 2
    assert sum(check.n for check in found.checks) == (companies | others).sum()
    assert found.max_gap < 1e-10


def test_the_errors_of_classes_weighted_apart_know_each_class_s_figures():
    design, companies, others, parts = in_classes()
    whole = together(design, parts)
    large = (companies & (SAMPLE.size == "L")).astype(float)
    assert estimators.total(large, whole.design).se < 1e-9
    # A class without margins has the errors of the unweighted sample, by any method.
    untouched = (~companies & ~others).astype(float) * SAMPLE.answer
    plain = estimators.total(untouched, design).se
    assert estimators.total(untouched, whole.design).se == pytest.approx(plain)
    replicates = delete_one_psu(design, reweight=whole.reweight)
    assert jackknife(lambda w: [w @ large, w @ untouched], replicates).se == pytest.approx([0, plain], abs=1e-7)
    share = side_by_side(lambda one: estimators.share(SAMPLE.answer, one), whole, replicates)
    assert share.linearised < share.jackknife < 1.2 * share.linearised


def test_parts_that_overlap_or_are_of_another_sample_are_refused():
    design, companies, _, parts = in_classes()
    with pytest.raises(DesignError, match=f"{companies.sum()} respondents are in two of the parts"):
        together(design, [parts[0], parts[0]])
    with pytest.raises(DesignError, match="another design"):
        together(Design.of(np.ones(240)), parts)
    assert (together(design, []).weight == 1).all()


# ---- the jackknife ------------------------------------------------------------------------------------


def test_the_jackknife_error_of_a_mean_is_the_textbook_s_over_root_n():
    y = np.array([3.0, 5, 9, 1, 4, 8])
    made = jackknife(lambda w: w @ y / w.sum(), delete_one_psu(Design.of(np.ones(6))))
    assert (made.value[0], made.df) == (5, 5)
    assert made.se[0] == pytest.approx(y.std(ddof=1) / np.sqrt(6))
    half = delete_one_psu(Design.of(np.ones(6), fpc=np.full(6, 12)))
    assert jackknife(lambda w: w @ y / w.sum(), half).se[0] == pytest.approx(made.se[0] * np.sqrt(0.5))
    assert jackknife(lambda w: w @ y / w.sum(), half, centre="estimate").se[0] == pytest.approx(
        made.se[0] * np.sqrt(0.5)
    )


def test_for_a_total_the_jackknife_of_strata_is_the_linearised_error():
    # A total is linear: from the estimate, every replicate's deviation is a PSU's influence.
    stratum = SAMPLE.organisation % 3
    design = Design.of(SAMPLE.weight, psu=SAMPLE.organisation, stratum=stratum, fpc=np.array([90, 120, 60])[stratum])
    made = jackknife(lambda w: w @ SAMPLE.staff, delete_one_psu(design), centre="estimate")
    assert made.se[0] == pytest.approx(estimators.total(SAMPLE.staff, design).se)
    assert made.df == design.psus - 3


def test_estimates_of_the_jackknife_have_a_covariance():
    y = np.stack([SAMPLE.answer, SAMPLE.staff], axis=1)
    both = jackknife(lambda w: w @ y / w.sum(), delete_one_psu(SAMPLE.design))
    apart = jackknife(lambda w: w @ (y[:, 1] - y[:, 0]) / w.sum(), delete_one_psu(SAMPLE.design))
    assert np.array([-1, 1]) @ both.covariance @ np.array([-1, 1]) == pytest.approx(apart.covariance[0, 0])
    assert both.replicates.shape == (SAMPLE.design.psus, 2)


def test_post_stratified_calibrated_and_trimmed_replicates_are_made_as_the_sample_was():
    for weighted in (METHODS["poststratify"](SAMPLE.design, 240), METHODS["logit"](SAMPLE.design, 240)):
        made = delete_one_psu(SAMPLE.design, reweight=weighted.reweight)
        assert made.weight == pytest.approx(weighted.weight, rel=1e-9)
        assert made.weights[5][SAMPLE.size == "S"].sum() == pytest.approx(120)
        assert (made.weights[5][SAMPLE.design.psu == 5] == 0).all()
    raked = METHODS["rake"](SAMPLE.design, 240)
    trimmed = trim.weights(raked.design, lower=0.3, upper=2.5, of_mean=True)
    made = delete_one_psu(SAMPLE.design, reweight=lambda w: trimmed.reweight(raked.reweight(w)))
    assert made.weight == pytest.approx(trimmed.weight, rel=1e-9)
    largest = [2.5 * row[row > 0].mean() for row in made.weights]
    assert (made.weights.max(axis=1) <= np.array(largest) * (1 + 1e-12)).all()
    assert made.weights.sum(axis=1) == pytest.approx(240)


def test_a_code_that_only_one_organisation_has_can_t_be_met_without_it():
    sizes = SAMPLE.size.astype(object)
    sizes[SAMPLE.organisation == SAMPLE.organisation[0]] = "XL"
    shares = {"S": 0.4, "M": 0.3, "L": 0.2, "XL": 0.1}
    for method in (rake, poststratify):
        weighted = method.weights(SAMPLE.design, [Margin.of_shares("size", sizes, shares)])
        with pytest.raises(MarginError, match="'size' has codes whose respondents all are of one PSU.*'XL'"):
            delete_one_psu(SAMPLE.design, reweight=weighted.reweight)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Design.of([1, 1, 1], stratum=[1, 1, 2]), "1 of 2 strata have a single PSU .stratum number 2"),
        (lambda: Design.of([1, 1], fpc=[2, 2]), "every PSU of the population is in the sample"),
        (lambda: Design.of(np.ones(20_000)), "20000 replicates of 20000 respondents do not fit"),
    ],
)
def test_a_design_without_replicates_is_refused(make, says):
    with pytest.raises(DesignError, match=says):
        delete_one_psu(make())


def test_a_stratum_with_a_certain_psu_or_a_complete_one_adds_no_replicates():
    certain = delete_one_psu(Design.of([1, 1, 1], stratum=[1, 1, 2], lonely="certainty"))
    assert certain.psu.tolist() == [0, 1]
    assert certain.weights.tolist() == [[0, 2, 1], [2, 0, 1]]
    complete = delete_one_psu(Design.of(np.ones(4), stratum=[1, 1, 2, 2], fpc=[2, 2, 8, 8]))
    assert complete.psu.tolist() == [2, 3]
    assert complete.scale == pytest.approx([0.375, 0.375])


def test_a_statistic_that_one_replicate_does_not_have_is_refused_with_the_psu():
    first = SAMPLE.design.psu == 3
    replicates = delete_one_psu(SAMPLE.design)
    with pytest.raises(DesignError, match="replicate that leaves out PSU number 4"):
        jackknife(lambda w: (w * first) @ SAMPLE.answer / (w @ first), replicates)
    with pytest.raises(DesignError, match="the whole sample"):
        jackknife(lambda w: np.average(SAMPLE.answer, weights=w * 0), replicates)


def test_replicates_that_come_back_wrong_from_reweighting_are_refused():
    with pytest.raises(DesignError, match="finite weights of shape"):
        delete_one_psu(SAMPLE.design, reweight=lambda weights: weights[:, :5])
    with pytest.raises(DesignError, match="finite weights"):
        delete_one_psu(SAMPLE.design, reweight=lambda weights: weights * np.nan)


def test_regions_are_those_of_the_population():
    # Keeps the sample of these tests honest: it is off, and weighting mends it.
    raked = METHODS["rake"](SAMPLE.design, 1)
    assert SAMPLE.sums(raked.weight, SAMPLE.region) == pytest.approx(REGIONS)
    assert SAMPLE.sums(SAMPLE.weight / SAMPLE.weight.sum(), SAMPLE.region)[1] > 0.45
