"""What a design refuses, and that the table engine and the influence values are the same statistics."""

import numpy as np
import pytest

from analysis import estimators
from analysis.design import Design, DesignError
from analysis.engines.memory import Memory
from analysis.variance import bootstrap, percentile_interval


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
    assert found.value == 2.5
    assert not found.estimable


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
