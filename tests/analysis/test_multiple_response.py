"""Picks under the design: what the tests leave alone, what they flag, and what they refuse."""

import numpy as np
import pytest

from analysis import estimators
from analysis.bilder_loughin import published_mmi, published_spmi
from analysis.categories import NotTestable
from analysis.design import Design, DesignError
from analysis.multiple_response import (
    CrossTotals,
    combinations,
    cross_totals,
    mmi,
    mmi_of_totals,
    overlap,
    percent_bases,
    spmi,
    spmi_of_totals,
)
from analysis.variance import covariance

ORGANISATIONS, RESPONDENTS = 80, 120


@pytest.fixture
def rng():
    return np.random.default_rng(2015)


@pytest.fixture
def organisation(rng):
    return np.concatenate([np.arange(ORGANISATIONS), rng.integers(ORGANISATIONS, size=RESPONDENTS - ORGANISATIONS)])


@pytest.fixture
def design(rng, organisation):
    return Design.of(rng.uniform(0.5, 3, RESPONDENTS), psu=organisation, stratum=organisation % 3)


@pytest.fixture
def picks(rng):
    return (rng.random((RESPONDENTS, 4)) < [0.3, 0.5, 0.6, 0.2]).astype(float)


@pytest.fixture
def banner(rng):
    return rng.choice(["company", "municipality", "state"], RESPONDENTS)


def same(one, other):
    """Assert that two tests say the same in every number that does not depend on n."""
    assert one.f.statistic == pytest.approx(other.f.statistic, rel=1e-9)
    assert [one.f.ndf, one.f.ddf, one.f.p] == pytest.approx([other.f.ndf, other.f.ddf, other.f.p], rel=1e-8)
    assert one.eigenvalues / one.n == pytest.approx(other.eigenvalues / other.n, rel=1e-8, abs=1e-12)


# ---- what they agree with -----------------------------------------------------------------------------


def test_without_weights_and_clusters_the_statistic_is_that_of_the_published_test(picks, banner):
    # Theirs takes the trace for known and a multinomial's variance: k X² / Σλ² on k² / Σλ².
    plain = Design.of(np.ones(RESPONDENTS))
    for ours, theirs in (
        (mmi(picks, banner, plain), published_mmi(picks, banner)),
        (spmi(picks[:, :2], picks[:, 2:], plain), published_spmi(picks[:, :2], picks[:, 2:])),
    ):
        assert ours.x2 == pytest.approx(theirs.x2, rel=1e-12)
        assert ours.item_x2 == pytest.approx(theirs.item_x2, rel=1e-12)
        k, squares = len(ours.eigenvalues), (ours.eigenvalues**2).sum() * ((ours.n - 1) / ours.n) ** 2
        assert [theirs.rs2.statistic, theirs.rs2.ndf] == pytest.approx([k * ours.x2 / squares, k**2 / squares])


def test_an_item_s_x2_is_pearson_s_of_its_own_table():
    # Ten of twenty against five of twenty: X² = 40 (10·15 - 10·5)² / (20·20·15·25) = 8/3.
    item = np.repeat([1, 0, 1, 0], [10, 10, 5, 15])[:, None]
    ours = mmi(item, np.repeat(["A", "B"], 20), Design.of(np.ones(40)))
    assert ours.x2 == pytest.approx(8 / 3)


def test_one_item_in_two_groups_is_the_t_test_of_their_difference(picks, design, banner):
    company = banner == "company"
    ours = mmi(picks[:, :1], company, design)
    a, b = (estimators.share(np.where(inside, picks[:, 0], np.nan), design) for inside in (company, ~company))
    gap = estimators.difference(a, b)
    assert ours.f.statistic == pytest.approx((gap.value / gap.se) ** 2)
    assert (ours.f.ndf, ours.f.ddf) == (pytest.approx(1), pytest.approx(gap.df))


def test_each_item_is_tested_as_if_it_were_the_only_one(picks, design, banner):
    together = mmi(picks, banner, design)
    for j in range(4):
        alone = mmi(picks[:, [j]], banner, design)
        assert together.item[j].p == pytest.approx(alone.f.p)
        assert together.item[j].statistic == pytest.approx(alone.f.statistic)


def test_items_are_adjusted_by_holm_over_all_of_them(picks, design, banner):
    ours = mmi(picks, banner, design)
    best = int(ours.item_p.argmin())
    assert ours.item_holm[best] == pytest.approx(min(1, 4 * ours.item_p[best]))
    assert (ours.item_holm >= ours.item_p).all()


def test_totals_are_those_of_the_estimators_with_their_covariance(picks, design, banner):
    groups = (banner[:, None] == np.unique(banner)).astype(float)
    ours = cross_totals(groups, picks, design)
    cells = (groups[:, :, None] * picks[:, None, :]).reshape(RESPONDENTS, -1)
    assert ours.total.ravel() == pytest.approx(design.weight @ cells)
    assert ours.covariance == pytest.approx(covariance(cells * design.weight[:, None], design), abs=1e-9)


def test_totals_made_in_blocks_are_those_made_at_once(picks, design, banner, monkeypatch):
    groups = (banner[:, None] == np.unique(banner)).astype(float)
    at_once = cross_totals(groups, picks, design)
    monkeypatch.setattr("analysis.multiple_response._BLOCK", 100)
    in_blocks = cross_totals(groups, picks, design)
    assert in_blocks.total == pytest.approx(at_once.total, rel=1e-12)
    assert in_blocks.covariance == pytest.approx(at_once.covariance, abs=1e-10)


def test_a_stratum_of_one_organisation_averaged_over_the_others_is_tested_with_r_s_rule(picks, banner, organisation):
    lonely = np.where(organisation == 0, "alone", "rest")
    weight = np.ones(RESPONDENTS)
    known = Design.of(weight, psu=organisation, stratum=lonely, lonely="certainty")
    averaged = Design.of(weight, psu=organisation, stratum=lonely, lonely="average")
    assert mmi(picks, banner, averaged).eigenvalues.sum() > mmi(picks, banner, known).eigenvalues.sum()


# ---- what changes nothing -----------------------------------------------------------------------------


def test_names_and_order_of_groups_and_items_change_nothing(picks, design, banner):
    renamed = np.select([banner == "company", banner == "state"], [3, 1], 2)
    same(mmi(picks, banner, design), mmi(picks[:, ::-1], renamed, design))
    same(spmi(picks[:, :2], picks[:, 2:], design), spmi(picks[:, [3, 2]], picks[:, [1, 0]], design))


def test_asking_who_did_not_pick_is_the_same_test(picks, design, banner):
    same(mmi(picks, banner, design), mmi(1 - picks, banner, design))


def test_weights_on_another_scale_change_nothing(picks, design, banner, organisation):
    scaled = Design.of(design.weight * 1000, psu=organisation, stratum=organisation % 3)
    same(mmi(picks, banner, design), mmi(picks, banner, scaled))
    same(spmi(picks[:, :2], picks[:, 2:], design), spmi(picks[:, :2], picks[:, 2:], scaled))


def test_colleagues_who_copy_every_answer_make_nothing_more_significant(picks, banner):
    alone = mmi(picks, banner, Design.of(np.ones(RESPONDENTS)))
    thrice = [np.repeat(one, 3, axis=0) for one in (picks, banner, np.arange(RESPONDENTS))]
    same(alone, mmi(thrice[0], thrice[1], Design.of(np.ones(3 * RESPONDENTS), psu=thrice[2])))
    unclustered = mmi(thrice[0], thrice[1], Design.of(np.ones(3 * RESPONDENTS)))
    assert unclustered.f.p < alone.f.p


def test_a_larger_sampled_share_of_the_organisations_makes_a_test_surer(picks, banner, organisation):
    infinite = mmi(picks, banner, Design.of(np.ones(RESPONDENTS), psu=organisation))
    half = Design.of(np.ones(RESPONDENTS), psu=organisation, fpc=np.full(RESPONDENTS, 2 * ORGANISATIONS))
    assert mmi(picks, banner, half).eigenvalues == pytest.approx(infinite.eigenvalues / 2)


def test_a_respondent_with_a_missing_pick_or_group_is_out_as_a_domain(picks, design, banner):
    missing = picks.copy()
    missing[:10, 1] = np.nan
    group = banner.astype(object)
    group[10:15] = None
    inside = np.arange(RESPONDENTS) >= 15
    ours = mmi(missing, group, design)
    same(ours, mmi(picks, banner, design.domain(inside)))
    assert ours.n == RESPONDENTS - 15


def test_twenty_items_are_tested_without_looking_at_their_million_combinations(rng, design, banner):
    many = (rng.random((RESPONDENTS, 20)) < 0.4).astype(float)
    assert len(mmi(many, banner, design).eigenvalues) == 20 * 2
    assert spmi(many[:, :10], many[:, 10:], design).item_x2.shape == (10, 10)


# ---- what is flagged ----------------------------------------------------------------------------------


def test_items_nobody_or_everybody_picks_are_flagged_and_change_no_other(picks, design, banner):
    extended = np.column_stack([np.zeros(RESPONDENTS), picks, np.ones(RESPONDENTS)])
    ours = mmi(extended, banner, design)
    same(ours, mmi(picks, banner, design))
    assert ours.status.tolist() == ["nobody", "", "", "", "", "everybody"]
    assert np.isnan(ours.item_x2[[0, 5]]).all()
    assert np.isnan(ours.item_holm[[0, 5]]).all()
    assert ours.estimable
    crossed = spmi(extended[:, :3], extended[:, 3:], design)
    assert crossed.status.tolist() == [["nobody"] * 3, ["", "", "everybody"], ["", "", "everybody"]]
    same(crossed, spmi(picks[:, :2], picks[:, 2:], design))


def test_a_flagged_item_counts_in_holm_as_one_that_was_not_significant(picks, design, banner):
    best = mmi(picks, banner, design).item_p.min()
    ours = mmi(np.column_stack([picks, np.zeros(RESPONDENTS)]), banner, design)
    assert np.nanmin(ours.item_holm) == pytest.approx(min(1, 5 * best))


def test_where_no_item_varies_there_is_a_flagged_result_and_no_number(design, banner):
    ours = mmi(np.ones((RESPONDENTS, 2)), banner, design)
    assert not ours.estimable
    assert np.isnan([ours.x2, ours.f.p, ours.second_order.p, *ours.item_p]).all()
    theirs = published_mmi(np.ones((RESPONDENTS, 2)), banner)
    assert theirs.status.tolist() == ["everybody", "everybody"]
    assert np.isnan([theirs.x2, theirs.bonferroni]).all()


def test_an_item_that_the_group_decides_alone_leaves_nothing_to_test_it_with(picks, design, banner):
    decided = np.column_stack([picks, banner == "state"])
    ours = mmi(decided, banner, design)
    assert ours.status.tolist() == ["", "", "", "", "no_variance"]
    same(ours, mmi(picks, banner, design))


def test_a_census_of_organisations_leaves_nothing_to_test(picks, banner, organisation):
    census = Design.of(np.ones(RESPONDENTS), psu=organisation, fpc=np.full(RESPONDENTS, ORGANISATIONS))
    ours = mmi(picks, banner, census)
    assert set(ours.status) == {"no_variance"}
    assert not ours.estimable


def test_a_group_inside_one_organisation_is_named(picks, organisation):
    group = np.where(organisation == organisation[-1], "one organisation", "others")
    ours = mmi(picks, group, Design.of(np.ones(RESPONDENTS), psu=organisation))
    assert ours.groups == ("one organisation", "others")
    assert ours.fixed == (True, False)


# ---- what is refused ----------------------------------------------------------------------------------


def test_a_banner_of_one_group_is_refused(picks, design):
    with pytest.raises(NotTestable, match="the banner has .* group.*needs at least two"):
        mmi(picks, np.full(RESPONDENTS, "all"), design)


def test_levels_are_not_taken_for_picks(picks, design, banner):
    with pytest.raises(DesignError, match=r"a pick is 3.0 \(row 1, item 1\).*level > 0"):
        mmi(picks + 2 * (np.arange(RESPONDENTS) == 0)[:, None] + 1 - picks, banner, design)


def test_text_is_not_taken_for_picks(design, banner):
    with pytest.raises(DesignError, match="picks must be numbers"):
        mmi(np.full((RESPONDENTS, 2), "yes"), banner, design)


@pytest.mark.parametrize("shape", [(3, 2), (RESPONDENTS,), (RESPONDENTS, 0)])
def test_picks_of_other_respondents_are_refused(shape, design, banner):
    with pytest.raises(DesignError, match="one row for each of the 120 respondents"):
        mmi(np.zeros(shape), banner, design)


def test_a_banner_of_other_respondents_is_refused(picks, design):
    with pytest.raises(NotTestable, match="the banner has shape"):
        mmi(picks, ["a", "b"], design)


def test_picks_that_nobody_gave_are_refused(picks, design, banner):
    for run in (
        lambda: mmi(picks * np.nan, banner, design),
        lambda: spmi(picks * np.nan, picks, design),
        lambda: percent_bases(picks * np.nan, design),
        lambda: combinations(picks, design.domain(np.zeros(RESPONDENTS, bool))),
    ):
        with pytest.raises(NotTestable, match="nobody is in the base"):
            run()


def test_a_single_organisation_is_refused(picks, banner):
    one = Design.of(np.ones(RESPONDENTS), psu=np.zeros(RESPONDENTS), lonely="certainty")
    with pytest.raises(NotTestable, match="single PSU.*at least two organisations"):
        mmi(picks, banner, one)


def test_a_stratum_with_a_single_organisation_is_refused_unless_its_design_says_otherwise(picks, banner, organisation):
    with pytest.raises(DesignError, match="strata have a single PSU"):
        mmi(picks, banner, Design.of(np.ones(RESPONDENTS), psu=organisation, stratum=organisation == 0))


def test_totals_of_an_engine_without_a_base_are_refused():
    empty = CrossTotals(n=5, df=4, total=np.array([[5.0, 2.0], [0.0, 0.0]]), covariance=np.eye(4))
    with pytest.raises(NotTestable, match="leave it out of the totals"):
        mmi_of_totals(empty)
    with pytest.raises(NotTestable, match="nobody is in the base of both"):
        spmi_of_totals(CrossTotals(n=0, df=0, total=np.zeros((2, 2)), covariance=np.eye(4)))


def test_a_zero_cell_is_replaced_by_less_than_a_respondent(picks, banner):
    with pytest.raises(DesignError, match="MRCV: 0.5"):
        published_mmi(picks, banner, zero_cells=2)


# ---- percentages, overlaps and combinations -----------------------------------------------------------

THREE = np.array([[1, 1, 0], [1, 0, 0], [0, 0, 0], [1, 1, 0]])


def test_the_three_bases_of_percentages_by_hand():
    # Three of four pick A, two B, nobody C; three pick anything; five picks in all.
    ours = percent_bases(THREE, Design.of(np.ones(4)))
    assert [one.value for one in ours.of_respondents] == pytest.approx([3 / 4, 2 / 4, 0])
    assert [one.value for one in ours.of_pickers] == pytest.approx([1, 2 / 3, 0])
    assert [one.value for one in ours.of_picks] == pytest.approx([3 / 5, 2 / 5, 0])
    assert ours.pickers.value == pytest.approx(3 / 4)
    assert [one.n for one in ours.of_pickers] == [3, 3, 3]


def test_shares_of_picks_are_refused_where_nobody_picked():
    with pytest.raises(NotTestable, match="nobody picked anything"):
        percent_bases(np.zeros((4, 2)), Design.of(np.ones(4)))


def test_only_the_combinations_that_occur_are_listed_the_largest_first():
    ours = combinations([*THREE.tolist(), [np.nan, 1, 1]], Design.of([1, 3, 1, 1, 9]))
    assert ours.picked.astype(int).tolist() == [[1, 0, 0], [1, 1, 0], [0, 0, 0]]
    assert (ours.n.tolist(), ours.weighted.tolist()) == ([1, 2, 1], [3, 2, 1])
    assert ours.of.tolist() == [1, 0, 2, 1, -1]


def test_overlaps_count_who_picks_both():
    ours = overlap(THREE, Design.of([1, 3, 1, 2]))
    assert ours.n.tolist() == [[3, 2, 0], [2, 2, 0], [0, 0, 0]]
    assert ours.weighted.tolist() == [[6, 3, 0], [3, 3, 0], [0, 0, 0]]
