"""What a design refuses, and that the table engine and the influence values are the same statistics."""

import numpy as np
import pytest

from analysis import estimators
from analysis.design import Design, DesignError, Stage
from analysis.engines.memory import Memory
from analysis.variance import bootstrap, covariance, covariance_of_totals, percentile_interval


def test_a_weight_that_is_no_number_is_refused():
    with pytest.raises(DesignError, match="weights must be numbers"):
        Design.of(["1", "heavy"])


def test_weights_of_a_table_are_refused():
    with pytest.raises(DesignError, match="one number a respondent"):
        Design.of([[1, 2], [3, 4]])


@pytest.mark.parametrize("wrong", [0.0, -1.0, np.nan, np.inf])
def test_a_weight_that_is_no_positive_number_is_refused_with_its_row(wrong):
    with pytest.raises(DesignError, match="1 of 3 weights .*row 2.*positive weight"):
        Design.of([1, wrong, 1])


def test_a_respondent_without_an_organisation_is_refused():
    with pytest.raises(DesignError, match="psu is missing for 1 respondents"):
        Design.of([1, 1], psu=np.array(["a", None], dtype=object))


def test_more_sampled_than_there_are_in_the_population_is_refused():
    with pytest.raises(DesignError, match="smaller than the number of sampled PSUs"):
        Design.of([1, 1, 1], fpc=[2, 2, 2])


def test_a_population_size_that_varies_within_a_stratum_is_refused():
    with pytest.raises(DesignError, match="varies within a stratum"):
        Design.of([1, 1, 1], fpc=[10, 10, 20])


def test_an_fpc_without_a_number_is_refused():
    for wrong in ([10, np.nan], [10, -1], ["ten", "ten"], [10]):
        with pytest.raises(DesignError, match="fpc"):
            Design.of([1, 1], fpc=wrong)


def test_a_policy_for_single_psus_that_r_does_not_know_is_refused():
    with pytest.raises(DesignError, match="there are: fail, certainty, remove, average, adjust"):
        Design.of([1, 1], lonely="ignore")


def test_a_domain_is_a_true_or_false_for_each_respondent():
    for wrong in ([0, 1], [True]):
        with pytest.raises(DesignError, match="true/false array"):
            Design.of([1, 1]).domain(wrong)


def test_a_domain_keeps_the_organisations_outside_it_in_the_design():
    # Two of four organisations have a woman; her mean's variance still knows that four were drawn.
    design = Design.of(np.ones(8), psu=[1, 1, 2, 2, 3, 3, 4, 4])
    inside = np.array([True, True, True, True, False, False, False, False])
    y = np.array([1, 2, 3, 5, 9, 9, 9, 9.0])
    domain = estimators.mean(y, design.domain(inside))
    filtered = estimators.mean(y[:4], Design.of(np.ones(4), psu=[1, 1, 2, 2]))
    assert domain.value == filtered.value == 2.75
    assert domain.df == filtered.df == 1
    assert domain.se**2 == pytest.approx(filtered.se**2 * (4 / 3) / (2 / 1))


def test_a_census_of_organisations_has_no_sampling_variance():
    design = Design.of(np.ones(4), psu=[1, 2, 3, 4], fpc=[4, 4, 4, 4])
    found = estimators.mean([1, 2, 3, 4.0], design)
    assert (found.value, found.se, found.low, found.high) == (2.5, 0, 2.5, 2.5)
    assert covariance(found.influence, design) == 0
    # A share of a census is known too: no Korn-Graubard bound around it.
    share = estimators.share([1, 1, 1, 1.0], design)
    assert (share.low, share.high) == (1, 1)


def test_colleagues_who_answer_alike_count_as_one():
    # Ten organisations of three leaders with one mind: the standard error is that of ten answers.
    minds = np.array([0, 1, 0, 0, 1, 1, 0, 1, 0, 1.0])
    clustered = estimators.share(np.repeat(minds, 3), Design.of(np.ones(30), psu=np.repeat(np.arange(10), 3)))
    ten = estimators.share(minds, Design.of(np.ones(10)))
    assert clustered.se == pytest.approx(ten.se)
    assert clustered.deff == pytest.approx(29 / 9)


def test_missing_answers_leave_the_base_and_not_the_design():
    design = Design.of(np.ones(6), psu=[1, 1, 2, 2, 3, 3])
    y = np.array([1, np.nan, 0, 1, np.nan, np.nan])
    found = estimators.share(y, design)
    assert (found.value, found.n, found.df) == (pytest.approx(2 / 3), 3, 1)


def test_an_answer_that_is_no_yes_or_no_is_no_share():
    with pytest.raises(DesignError, match="0, 1 or missing"):
        estimators.share([0, 1, 2], Design.of(np.ones(3)))


def test_an_empty_base_gives_no_number_and_no_warning():
    found = estimators.share([np.nan, np.nan], Design.of(np.ones(2)))
    assert np.isnan([found.value, found.se, found.low, found.high]).all()
    assert (found.n, found.df, found.estimable) == (0, 0, False)


def test_estimates_of_different_samples_are_not_subtracted_as_if_paired():
    one, other = (estimators.mean([1, 2, 3.0], Design.of(np.ones(3), psu=psu)) for psu in ([1, 2, 3], [1, 1, 2]))
    with pytest.raises(DesignError, match="different designs"):
        estimators.difference(one, other)


def test_a_difference_between_answers_of_the_same_people_knows_their_covariance():
    rng = np.random.default_rng(3)
    design = Design.of(np.ones(40), psu=rng.integers(0, 25, 40))
    a, b = (rng.random((2, 40)) < 0.5).astype(float)
    paired = estimators.difference(estimators.share(a, design), estimators.share(b, design))
    of_differences = estimators.mean(a - b, design)
    assert paired.value == pytest.approx(of_differences.value)
    assert paired.se == pytest.approx(of_differences.se)


# ---- single PSUs ----------------------------------------------------------------------------------------

# Two strata of two organisations with totals 1, 3 and 10, 14; a third stratum has one, with 8.
ALONE = {"psu": [1, 2, 3, 4, 5], "stratum": [1, 1, 2, 2, 3]}
SUMS = np.array([1, 3, 10, 14, 8.0])


def total_variance(lonely, values=SUMS, mask=None):
    design = Design.of(np.ones(5), **ALONE, lonely=lonely)
    design = design if mask is None else design.domain(np.array(mask))
    return covariance(values * design.members, design)[0, 0]


def test_what_a_single_psu_adds_to_the_variance_is_what_the_design_says():
    others = 2 * (1 + 1) + 2 * (4 + 4)
    assert total_variance("certainty") == total_variance("remove") == pytest.approx(others)
    assert total_variance("average") == pytest.approx(others * 3 / 2)  # three strata, two of them known
    assert total_variance("adjust") == pytest.approx(others + (8 - 36 / 5) ** 2)  # 36/5: the mean PSU total
    with pytest.raises(DesignError, match="1 of 3 strata have a single PSU .stratum number 3"):
        total_variance("fail")


def test_a_stratum_without_a_member_of_the_domain_is_not_averaged_over():
    # Members in the first and third stratum: two strata there, one known.
    assert total_variance("average", mask=[1, 1, 0, 0, 1] > np.zeros(5)) == pytest.approx(2 * (1 + 1) * 2)


def test_a_single_psu_without_a_member_of_the_domain_adds_nothing():
    # R 4.5: svyby(~y, ~g, d, svytotal) looks at the strata of the group only.
    with_it, without = ([1, 0, 1, 1, last] > np.zeros(5) for last in (1, 0))
    known = 2 * (0.5**2 + 0.5**2) + 2 * (4 + 4)
    assert total_variance("adjust", mask=with_it) == pytest.approx(known + (8 - 33 / 5) ** 2)
    assert total_variance("adjust", mask=without) == pytest.approx(known)


def test_an_average_needs_a_stratum_to_be_taken_of():
    design = Design.of(np.ones(2), psu=[1, 2], stratum=[1, 2], lonely="average")
    with pytest.raises(DesignError, match="merge strata"):
        covariance(np.ones(2), design)


def test_a_single_psu_that_is_its_whole_stratum_is_certain_under_every_policy():
    for lonely in ("fail", "certainty", "remove", "average", "adjust"):
        design = Design.of(np.ones(5), **ALONE, fpc=[100, 100, 100, 100, 1], lonely=lonely)
        assert covariance(SUMS, design)[0, 0] == pytest.approx(0.98 * (2 * (1 + 1) + 2 * (4 + 4)))


def test_a_design_that_is_no_factor_per_stratum_says_where_its_variance_is():
    for lonely in ("average", "adjust"):
        design = Design.of(np.ones(5), **ALONE, lonely=lonely)
        assert not design.by_factor
        with pytest.raises(DesignError, match="analysis.variance.covariance"):
            _ = design.factor
    assert Design.of(np.ones(5), **ALONE, lonely="remove").by_factor
    assert Design.of(np.ones(4), psu=[1, 1, 2, 2], lonely="adjust").by_factor


# ---- several stages -------------------------------------------------------------------------------------


def test_the_variance_within_organisations_counts_by_the_share_of_organisations_that_was_drawn():
    # 2 of 8 organisations, in each 2 of 4 people with totals 1, 3 and 5, 9.
    y = np.array([1, 3, 5, 9.0])
    stage = Stage([1, 2, 1, 2], fpc=[4, 4, 4, 4])
    design = Design.of(np.ones(4), psu=[1, 1, 2, 2], fpc=[8, 8, 8, 8], stages=[stage])
    between = (1 - 2 / 8) * 2 * ((4 - 9) ** 2 + (14 - 9) ** 2)
    within = 2 / 8 * (1 - 2 / 4) * 2 * ((1 + 1) + (4 + 4))
    assert covariance(y, design)[0, 0] == pytest.approx(between + within)
    assert not design.by_factor


def test_organisations_drawn_with_replacement_hide_what_was_drawn_within_them():
    people = Stage([1, 2, 3, 4, 5, 6], fpc=[9, 9, 9, 9, 9, 9])
    y = np.array([1, 3, 5, 9, 2, 2.0])
    two, one = (Design.of(np.ones(6), psu=[1, 1, 2, 2, 3, 3], stages=stages) for stages in ([people], []))
    assert covariance(y, two) == covariance(y, one)
    assert two.by_factor


def test_a_census_of_people_in_sampled_organisations_is_a_sample_of_clusters():
    y = np.array([1, 3, 5, 9, 2, 2.0])
    drawn = {"psu": [1, 1, 2, 2, 3, 3], "fpc": [10] * 6}
    all_asked = Stage([1, 2, 1, 2, 1, 2], fpc=[2] * 6)
    two, one = (Design.of(np.ones(6), **drawn, stages=stages) for stages in ([all_asked], []))
    assert covariance(y, two) == covariance(y, one)


def test_an_fpc_that_is_smaller_than_the_sample_of_a_later_stage_is_refused():
    with pytest.raises(DesignError, match="smaller than the number of sampled"):
        Design.of(np.ones(4), psu=[1, 1, 1, 2], fpc=[8] * 4, stages=[Stage([1, 2, 3, 1], fpc=[2, 2, 2, 2])])


# ---- organisations instead of respondents ----------------------------------------------------------------


def test_every_organisation_counts_once_however_many_answered():
    # Three of four people say yes, all of one organisation: one organisation of two does.
    design = Design.of(np.ones(4), psu=["a", "a", "a", "b"])
    assert estimators.share([1, 1, 1, 0], design).value == 0.75
    found = estimators.share([1, 1, 1, 0], design.per_organisation())
    assert found.value == 0.5
    # The same as two organisations' own shares.
    assert found.se == pytest.approx(estimators.share([1, 0], Design.of([1, 1])).se)


def test_organisations_need_not_be_the_psus():
    design = Design.of([2, 2, 4, 1.0], psu=[1, 1, 1, 2]).per_organisation(["a", "a", "b", "c"])
    assert design.weight.tolist() == [1, 1, 4, 1]
    assert design.psus == 2


def test_in_a_domain_an_organisation_counts_by_its_members_there():
    design = Design.of(np.ones(4), psu=["a", "a", "b", "b"]).domain(np.array([True, False, True, True]))
    assert design.per_organisation().weight.tolist() == [1, 0, 0.5, 0.5]


# ---- invariants ------------------------------------------------------------------------------------------


def test_the_unit_of_the_weights_changes_no_mean_and_no_standard_error():
    rng = np.random.default_rng(8)
    weight, psu, y = rng.uniform(0.2, 5, 60), rng.integers(0, 25, 60), rng.normal(size=60)
    one, other = (Design.of(weight * unit, psu=psu) for unit in (1, 1e6))
    for estimator in (estimators.mean, estimators.variance, estimators.standard_deviation):
        a, b = estimator(y, one), estimator(y, other)
        assert (b.value, b.se, b.low, b.high) == pytest.approx((a.value, a.se, a.low, a.high), rel=1e-11)
    assert other.effective_n == pytest.approx(one.effective_n)


def test_the_order_of_respondents_and_the_names_of_organisations_change_nothing():
    rng = np.random.default_rng(9)
    weight, y = rng.uniform(0.2, 5, 60), rng.normal(size=60)
    psu, stratum = np.arange(60) // 3, np.arange(60) // 15
    order = rng.permutation(60)
    names = np.array([f"org {number * 7 % 61}" for number in psu])
    a = estimators.mean(y, Design.of(weight, psu=psu, stratum=stratum, fpc=[40] * 60))
    b = estimators.mean(y[order], Design.of(weight[order], psu=names[order], stratum=stratum[order], fpc=[40] * 60))
    assert (b.value, b.se, b.df) == pytest.approx((a.value, a.se, a.df), rel=1e-11)


def test_the_covariance_of_cell_totals_is_that_of_their_influence_values():
    design, code, _ = sample(4, 200, 40, 3)
    totals = [estimators.total(code == k, design) for k in range(3)]
    assert covariance_of_totals(code, 3, design) == pytest.approx(estimators.covariances(totals), rel=1e-10)


# ---- the same numbers by two ways ------------------------------------------------------------------


def sample(seed: int, size: int, psus: int, strata: int):
    rng = np.random.default_rng(seed)
    psu = np.concatenate([np.arange(psus), rng.integers(0, psus, size - psus)])
    design = Design.of(rng.uniform(0.5, 2, size), psu=psu, stratum=psu % strata, fpc=np.full(size, 600.0))
    return design, rng.integers(-1, 3, size), rng.integers(-1, 4, size)


@pytest.mark.parametrize("shape", [(200, 150, 1), (200, 24, 3), (400, 9, 2)])
def test_a_table_and_its_cells_one_by_one_are_the_same_estimates(shape):
    # The last shape has more pairs of colleagues than cells, so the engine sums by PSU instead of by pair.
    design, code, group = sample(11, *shape)
    moments = Memory(design).moments(code, 3, group, 4)
    estimate, variance = moments.averages(np.eye(3))
    simple = moments.simple_variance(np.eye(3))
    for g in range(4):
        for k in range(3):
            answer = np.where((code >= 0) & (group == g), code == k, np.nan)
            one = estimators.share(answer, design)
            assert estimate[g, k] == pytest.approx(one.value, rel=1e-10)
            assert variance[g, k] == pytest.approx(one.se**2, rel=1e-9)
            assert variance[g, k] / simple[g, k] == pytest.approx(one.deff, rel=1e-9)
            assert (moments.base_n[g], moments.df[g]) == (one.n, one.df)


def test_the_mean_of_a_scale_follows_from_the_shares_of_its_levels():
    design, code, group = sample(5, 200, 150, 1)
    estimate, variance = Memory(design).moments(code, 3, group, 4).averages(np.array([[0.0, 1.0, 2.0]]))
    one = estimators.mean(np.where((code >= 0) & (group == 2), code, np.nan), design)
    assert estimate[2, 0] == pytest.approx(one.value)
    assert np.sqrt(variance[2, 0]) == pytest.approx(one.se)


# ---- the bootstrap -----------------------------------------------------------------------------------


def test_the_bootstrap_of_organisations_agrees_with_the_linearised_error():
    rng = np.random.default_rng(1)
    organisation = np.concatenate([np.arange(269), rng.integers(0, 269, 91)])
    mind = rng.normal(size=269)[organisation]
    a, b = (mind + rng.normal(size=(2, 360)) > [[0.2], [0.6]]).astype(float)
    design = Design.of(np.ones(360), psu=organisation)
    drawn = bootstrap(
        design,
        lambda totals: (totals[:, 0] - totals[:, 1]) / totals[:, 2],
        values=np.stack([a, b, np.ones(360)], axis=1),
        replicates=4000,
        seed=2015,
    )
    linearised = estimators.difference(estimators.share(a, design), estimators.share(b, design))
    assert drawn.std() == pytest.approx(linearised.se, rel=0.04)
    assert percentile_interval(drawn) == pytest.approx((linearised.low, linearised.high), abs=0.01)


def test_a_seed_gives_the_same_replicates_on_every_run():
    design = Design.of(np.ones(20), psu=np.arange(20) // 2)
    values = np.arange(20.0)[:, None]
    first, second = (bootstrap(design, lambda t: t[:, 0], values=values, replicates=5, seed=7) for _ in range(2))
    assert np.array_equal(first, second)


def test_a_single_organisation_cannot_be_resampled():
    with pytest.raises(DesignError, match="nothing to resample"):
        bootstrap(Design.of(np.ones(2), psu=[1, 1]), lambda t: t[:, 0], values=np.ones((2, 1)), seed=1)
