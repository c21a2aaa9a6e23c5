"""Conflict classes of organisations: the rules of operating_mode.md, 4.10, one organisation at a time."""

import numpy as np
import pytest

from analysis.agreement import AgreementError
from analysis.conflict import CLASSES, ConflictRules, conflict

NAN = np.nan
CUST, PUB, BOTH, NONE = (0, 0, 3, 0), (0, 0, 0, 3), (0, 0, 3, 3), (0, 0, 0, 0)


def classes_of(current, desired, strategy, no_stand=None, **options):
    """Return the result for one organisation with these members."""
    return conflict(
        current=current,
        desired=desired,
        strategy=strategy,
        organisation=["A"] * len(current),
        no_stand=no_stand,
        **options,
    )


@pytest.mark.parametrize(
    ("current", "desired", "strategy", "expected"),
    [
        ([CUST] * 3, [CUST] * 3, [CUST] * 3, ("ALIGNED",)),
        ([CUST] * 3, [PUB] * 3, [CUST] * 3, ("ALIGNED",)),
        ([CUST] * 3, [PUB] * 3, [PUB] * 3, ("SHIFT",)),
        ([CUST, PUB, CUST], [CUST] * 3, [CUST] * 3, ("BLURRED_NOW",)),
        ([CUST] * 3, [CUST, PUB, CUST], [CUST] * 3, ("SPLIT_DIRECTION",)),
        ([CUST] * 3, [CUST] * 3, [CUST, PUB, CUST], ("UNCLEAR_STRATEGY",)),
        (
            [CUST, PUB, CUST],
            [CUST, PUB, PUB],
            [PUB, PUB, CUST],
            ("BLURRED_NOW", "SPLIT_DIRECTION", "UNCLEAR_STRATEGY"),
        ),
        ([CUST, BOTH, CUST], [CUST] * 3, [CUST] * 3, ("MIXED",)),
    ],
)
def test_an_organisation_is_classed_by_what_its_leaders_see_alike(current, desired, strategy, expected):
    ours = classes_of(current, desired, strategy)
    assert ours.classes == (expected,)
    assert {name for name, times in ours.count().items() if times} == set(expected)


def test_two_of_three_leaders_alike_are_two_thirds_apart_on_average():
    ours = classes_of([CUST, PUB, CUST], [CUST] * 3, [CUST] * 3)
    assert ours.distance[0] == pytest.approx([2 / 3, 0, 0])
    assert ours.fit_strategy == pytest.approx([2 / 3])


@pytest.mark.parametrize(("silent", "unclear"), [(1, False), (2, True), (3, True), (4, True)])
def test_a_strategy_that_takes_no_stand_for_half_of_the_leaders_is_unclear(silent, unclear):
    strategy = [NONE] * silent + [CUST] * (4 - silent)
    ours = classes_of([CUST] * 4, [CUST] * 4, strategy, [1] * silent + [0] * (4 - silent))
    assert ours.no_stand == [silent / 4]
    assert ours.classes == (("UNCLEAR_STRATEGY",) if unclear else ("ALIGNED",),)


def test_a_strategy_nobody_was_asked_about_leaves_the_class_open():
    missing = [(NAN,) * 4] * 3
    ours = classes_of([CUST] * 3, [CUST] * 3, missing)
    assert ours.classes == (("MIXED",),)
    assert np.isnan([ours.distance[0, 2], ours.fit_strategy[0], ours.no_stand[0]]).all()
    assert ours.profiles.tolist() == [[3, 3, 0]]


@pytest.mark.parametrize(
    ("apart", "expected"), [(20, "ALIGNED"), (21, "MIXED"), (39, "MIXED"), (40, "BLURRED_NOW"), (41, "BLURRED_NOW")]
)
def test_the_thresholds_belong_to_low_and_to_high(apart, expected):
    # Two of four leaders stand 3d/2 from the other two (in hundredths): four of six pairs, so the mean is d.
    points = [(1000, 0)] * 2 + [(1000 - 15 * apart, 15 * apart)] * 2
    desired = [(1, 1)] * 4
    ours = classes_of(points, desired, points)
    assert ours.distance[0, 0] == pytest.approx(apart / 100)
    found = set(ours.classes[0]) - {"UNCLEAR_STRATEGY"}
    assert found == {expected}


def test_the_fit_that_counts_as_aligned_is_at_least_four_fifths():
    for moved, expected in ((20, "ALIGNED"), (21, "SHIFT")):
        current, strategy = [(50, 50)] * 3, [(50 - moved, 50 + moved)] * 3
        ours = classes_of(current, current, strategy)
        assert ours.fit_strategy == pytest.approx([1 - moved / 100])
        assert ours.classes == ((expected,),)


def test_organisations_with_two_respondents_are_counted_and_not_classed():
    levels = [CUST] * 6
    ours = conflict(current=levels, desired=levels, strategy=levels, organisation=list("AAABBC"))
    assert ours.organisation.tolist() == ["A"]
    assert (ours.two_or_more, ours.three_or_more) == (2, 1)
    looser = conflict(
        current=levels, desired=levels, strategy=levels, organisation=list("AAABBC"), rules=ConflictRules(minimum=2)
    )
    assert looser.organisation.tolist() == ["A", "B"]


def test_every_classed_organisation_has_a_class_and_aligned_excludes_conflict():
    rng = np.random.default_rng(3)
    current, desired, strategy = rng.integers(0, 4, (3, 400, 4))
    ours = conflict(current=current, desired=desired, strategy=strategy, organisation=rng.integers(0, 90, 400))
    alone = {"ALIGNED", "SHIFT", "MIXED"}
    assert len(ours.classes) == len(ours.n) == ours.three_or_more > 40
    for held in ours.classes:
        assert held
        assert set(held) <= set(CLASSES)
        assert len(held) == 1 or not alone & set(held)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda: classes_of([CUST] * 3, [CUST] * 2, [CUST] * 3), "the same respondents and the same modes"),
        (lambda: classes_of([CUST] * 3, [CUST] * 3, [CUST] * 3, [0, 0]), "no_stand is 1, 0 or missing"),
        (lambda: classes_of([CUST] * 3, [CUST] * 3, [CUST] * 3, [0, 0, 2]), "no_stand is 1, 0 or missing"),
        (lambda: classes_of([CUST] * 3, [CUST] * 3, [(0, 0, -1, 0)] * 3), "negative"),
    ],
)
def test_what_is_wrong_is_said(wrong, says):
    with pytest.raises(AgreementError, match=says):
        wrong()
