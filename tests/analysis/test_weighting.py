"""Weights meet what is known of the population, change no more than they have to, and are refused where they can't."""

import inspect
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.design import Design, DesignError
from analysis.weighting import (
    Margin,
    MarginError,
    NotConverged,
    Number,
    calibrate,
    checks,
    diagnose,
    kish,
    kish_by,
    margin_errors,
    poststratify,
    rake,
    trim,
)
from kysely import plugins
from tests.analysis._weighting import KINDS, REGIONS, SIZES, Sample

SAMPLE = Sample()


def ones(n):
    return Design.of(np.ones(n))


# ---- what weights are ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", plugins.names("analysis.weighting"))
def test_every_method_takes_a_design_and_returns_it_weighted(name):
    signature = inspect.signature(plugins.load("analysis.weighting", name).weights)
    first, *others = signature.parameters.values()
    assert (first.name, signature.return_annotation) == ("design", "Weighted")
    assert all(one.name == "margins" or one.kind is one.KEYWORD_ONLY for one in others)


def test_weighting_loads_nothing_but_numpy():
    code = "import sys, analysis.weighting, analysis.replicates; print({'pandas', 'scipy'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


def test_four_equal_respondents_raked_to_two_margins_get_the_products_of_the_shares():
    # No interaction in the sample, so none after: a-x stands for 0.6 · 0.7 of the population.
    first, second = np.array(["a", "a", "b", "b"]), np.array(["x", "y", "x", "y"])
    margins = [
        Margin.of_shares("first", first, {"a": 0.6, "b": 0.4}),
        Margin.of_shares("second", second, {"x": 0.7, "y": 0.3}),
    ]
    raked = rake.weights(ones(4), margins)
    assert raked.weight == pytest.approx(4 * np.array([0.42, 0.18, 0.28, 0.12]))
    assert raked.weight.sum() == pytest.approx(4)


@settings(max_examples=60, deadline=None)
@given(
    counts=st.lists(st.integers(1, 9), min_size=6, max_size=6),
    weights=st.lists(st.floats(0.1, 10), min_size=6, max_size=6),
    rows=st.lists(st.floats(0.1, 1), min_size=2, max_size=2),
    columns=st.lists(st.floats(0.1, 1), min_size=3, max_size=3),
    scale=st.floats(1e-3, 1e6),
)
def test_raking_meets_every_margin_and_keeps_the_odds_ratios_of_the_sample(counts, weights, rows, columns, scale):
    row, column = (np.repeat(index, counts) for index in np.divmod(np.arange(6), 3))
    base = np.repeat(weights, counts)
    shares = [np.array(one) / sum(one) for one in (rows, columns)]
    margins = [
        Margin.of_shares(name, labels, dict(enumerate(share)))
        for name, labels, share in zip(("row", "column"), (row, column), shares, strict=True)
    ]
    raked = rake.weights(Design.of(base * scale), margins, total=1000)
    assert np.bincount(row, raked.weight) == pytest.approx(1000 * shares[0], rel=1e-9)
    assert np.bincount(column, raked.weight) == pytest.approx(1000 * shares[1], rel=1e-9)
    before, after = (np.bincount(row * 3 + column, w).reshape(2, 3) for w in (base, raked.weight))
    for cells in (before, after):
        cells /= cells[:, :1] * cells[:1] / cells[0, 0]
    assert after == pytest.approx(before, rel=1e-6)


def test_to_one_margin_raking_post_stratification_and_calibration_are_the_same():
    margin = SAMPLE.margins()[:1]
    made = [method.weights(SAMPLE.design, margin, total=240).weight for method in (rake, poststratify, calibrate)]
    assert made[1] == pytest.approx(made[0], rel=1e-9)
    assert made[2] == pytest.approx(made[0], rel=1e-9)
    # A large company's weight times 0.2 · 240 over what large ones weighed.
    large = SAMPLE.size == "L"
    assert made[1][large] == pytest.approx(SAMPLE.weight[large] * 0.2 * 240 / SAMPLE.weight[large].sum())


def test_raking_is_calibration_with_the_raking_distance():
    raked = rake.weights(SAMPLE.design, SAMPLE.margins()).weight
    calibrated = calibrate.weights(SAMPLE.design, SAMPLE.margins(), distance="raking").weight
    assert calibrated == pytest.approx(raked, rel=1e-8)


def test_a_cross_of_two_variables_is_one_margin():
    shares = {(size, region): p * q for size, p in SIZES.items() for region, q in REGIONS.items()}
    crossed = Margin.of_shares("size × region", (SAMPLE.size, SAMPLE.region), shares)
    weight = poststratify.weights(SAMPLE.design, [crossed], total=100).weight
    inside = (SAMPLE.size == "M") & (SAMPLE.region == 3)
    assert weight[inside].sum() == pytest.approx(100 * 0.3 * 0.25)
    with_kind = rake.weights(SAMPLE.design, [crossed, SAMPLE.margins()[2]], total=100).weight
    assert with_kind[inside].sum() == pytest.approx(7.5)
    assert SAMPLE.sums(with_kind, SAMPLE.kind) == pytest.approx({"company": 70, "public": 30})


def test_population_totals_set_the_sum_of_the_weights_and_shares_follow_them():
    totals = Margin.of_totals("size", SAMPLE.size, {"S": 14769, "M": 2523, "L": 619})
    raked = rake.weights(SAMPLE.design, [totals, *SAMPLE.margins()[1:]])
    assert SAMPLE.sums(raked.weight, SAMPLE.size) == pytest.approx({"L": 619, "M": 2523, "S": 14769})
    assert SAMPLE.sums(raked.weight, SAMPLE.kind) == pytest.approx({"company": 0.7 * 17911, "public": 0.3 * 17911})


def test_margins_of_many_codes_need_no_room_for_cells_that_nobody_is_in():
    # 300 codes in each of four margins would be 8 billion cells.
    n, codes = 2000, 300
    rng = np.random.default_rng(5)
    columns = [np.concatenate([np.arange(codes), rng.integers(codes, size=n - codes)]) for _ in range(4)]
    margins = [Margin.of_totals(str(i), c, dict(enumerate(np.bincount(c).tolist()))) for i, c in enumerate(columns)]
    raked = rake.weights(Design.of(rng.uniform(0.9, 1.1, n)), margins)
    for column in columns:
        assert np.bincount(column, raked.weight) == pytest.approx(np.bincount(column), rel=1e-9)


@pytest.mark.parametrize(
    "labels", [SAMPLE.region, SAMPLE.region.astype(np.int8), SAMPLE.region + 10**9, SAMPLE.region - 5.0]
)
def test_labels_may_be_any_numbers(labels):
    shift = labels[0] - SAMPLE.region[0]
    margin = Margin.of_shares("region", labels, {code + shift: share for code, share in REGIONS.items()})
    weight = rake.weights(SAMPLE.design, [margin], total=1).weight
    assert SAMPLE.sums(weight, SAMPLE.region) == pytest.approx(REGIONS)


def test_only_the_domain_is_weighted_and_labels_outside_it_do_not_matter():
    companies = SAMPLE.kind == "company"
    sizes = np.where(companies, SAMPLE.size.astype(object), None)
    raked = rake.weights(SAMPLE.design.domain(companies), [Margin.of_shares("size", sizes, SIZES)], total=50)
    assert raked.weight[~companies].max() == 0
    assert SAMPLE.sums(raked.weight, SAMPLE.size) == pytest.approx({"L": 10, "M": 15, "S": 25})


# ---- calibration --------------------------------------------------------------------------------------


def test_calibration_meets_margins_and_the_totals_of_numbers():
    staff = Number.of("staff", SAMPLE.staff, 9200)
    for distance, bounds in (("linear", None), ("linear", (0.2, 4)), ("raking", None), ("logit", (0.1, 5))):
        made = calibrate.weights(
            SAMPLE.design, SAMPLE.margins(), numbers=[staff], total=240, distance=distance, bounds=bounds
        )
        assert made.weight @ SAMPLE.staff == pytest.approx(9200)
        assert SAMPLE.sums(made.weight, SAMPLE.kind) == pytest.approx({"company": 168, "public": 72})
        assert [check.n for check in diagnose(made).checks][-1] == 240


def test_bounded_weights_stay_within_the_bounds():
    free = calibrate.weights(SAMPLE.design, SAMPLE.margins(), distance="raking").weight / SAMPLE.weight
    assert free.max() > 2.2
    for distance in ("linear", "logit"):
        g = (
            calibrate.weights(SAMPLE.design, SAMPLE.margins(), distance=distance, bounds=(0.3, 2.9)).weight
            / SAMPLE.weight
        )
        assert (g.min() >= 0.3 - 1e-12, g.max() <= 2.9 + 1e-12) == (True, True)


@pytest.mark.parametrize("distance", ["linear", "logit"])
def test_bounds_that_leave_no_solution_are_named_with_the_margin(distance):
    with pytest.raises(
        NotConverged, match=r"calibration stopped .* margin '(size|region|kind)', code .* off by .*widen"
    ):
        calibrate.weights(SAMPLE.design, SAMPLE.margins(), distance=distance, bounds=(0.95, 1.05))


def test_a_negative_weight_is_refused_rather_than_used():
    labels = np.array(["a"] * 9 + ["b"])
    number = Number.of("x", np.arange(10.0), 90)
    with pytest.raises(MarginError, match="weights of 0 or below.*raking.*logit"):
        calibrate.weights(ones(10), [Margin.of_totals("m", labels, {"a": 9, "b": 1})], numbers=[number])


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"distance": "entropy"}, "no distance 'entropy'; there are linear, raking and logit"),
        ({"distance": "logit"}, "needs bounds"),
        ({"distance": "logit", "bounds": (1.2, 3)}, "below and above 1"),
        ({"distance": "raking", "bounds": (0.5, 3)}, "raking distance has none"),
        ({"numbers": [Number.of("income", [np.nan] * 240, 1)]}, "'income' is missing for 240 respondents"),
        ({"numbers": [Number.of("income", [1.0], 1)]}, "'income' has 1 values"),
        ({"margins": ()}, "nothing to calibrate to"),
    ],
)
def test_a_calibration_that_can_t_be_is_refused_by_name(options, says):
    with pytest.raises(MarginError, match=says):
        calibrate.weights(SAMPLE.design, **{"margins": SAMPLE.margins(), **options})


# ---- trimming -----------------------------------------------------------------------------------------


def test_what_is_cut_off_a_weight_goes_to_the_others_in_equal_parts():
    trimmed = trim.weights(Design.of([1, 1, 1, 1, 6]), upper=3)
    assert trimmed.weight == pytest.approx([1.75, 1.75, 1.75, 1.75, 3])
    assert trimmed.trimmed_mass == pytest.approx(0.3)


def test_trimming_goes_on_until_no_weight_is_beyond_the_bound():
    design = Design.of([1, 3.5, 5.5])
    assert trim.weights(design, upper=4, strict=False).weight == pytest.approx([1.75, 4.25, 4])
    assert trim.weights(design, upper=4).weight == pytest.approx([2, 4, 4])
    # Four tenths of 10 over 3, the mean weight, are 4/3: no weight is below, and 1.2 times the mean is 4.
    assert trim.weights(design, lower=0.4, upper=1.2, of_mean=True).weight == pytest.approx([2, 4, 4])


@pytest.mark.parametrize(
    ("bounds", "says"),
    [
        ({"upper": 2}, "mean weight is 3.33333.*can be between 0 and 2"),
        ({"lower": 4}, "mean weight"),
        ({"lower": 3, "upper": 1}, "lower < upper"),
        ({"lower": -1}, "0 ≤ lower"),
        ({"lower": float("nan")}, "lower < upper"),
    ],
)
def test_bounds_that_no_weights_can_keep_are_refused(bounds, says):
    with pytest.raises(MarginError, match=says):
        trim.weights(Design.of([1, 3.5, 5.5]), **bounds)


# ---- what is refused ----------------------------------------------------------------------------------

LABELS = np.array(["a", "a", "b", "b"])


@pytest.mark.parametrize(
    ("shares", "says"),
    [
        ({"a": 0.5, "b": 0.4}, "shares of margin 'm' sum to 0.9, not to 1"),
        ({"a": 1.5, "b": -0.5}, "wrong: 'b'"),
        ({"a": float("nan"), "b": 1}, "wrong: 'a'"),
        ({"a": 0, "b": 0}, "all are 0"),
        ({"a": "half", "b": 0.5}, "have to be numbers"),
        ({}, "all are 0"),
    ],
)
def test_shares_that_are_none_are_refused_with_the_code(shares, says):
    with pytest.raises(MarginError, match=says):
        Margin.of_shares("m", LABELS, shares)


@pytest.mark.parametrize("method", [rake, poststratify, calibrate])
@pytest.mark.parametrize(
    ("margin", "says"),
    [
        (
            Margin.of_shares("m", LABELS, {"a": 0.5, "b": 0.3, "c": 0.1, "d": 0.1}),
            r"codes without a respondent: 'c', 'd'",
        ),
        (Margin.of_shares("m", LABELS, {"a": 1.0}), r"2 respondents have labels .* does not know: 'b'; it knows 'a'"),
        (Margin.of_shares("m", LABELS, {"A": 0.5, "B": 0.5}), r"4 respondents .*: 'a', 'b'; it knows 'A', 'B'"),
        (
            Margin.of_shares("m", np.array(["a", "a", "b", None], object), {"a": 0.5, "b": 0.5}),
            "1 respondents .*'None'",
        ),
        (Margin.of_shares("m", np.array([1, 1, 2, np.nan]), {1: 0.5, 2: 0.5}), "1 respondents .*'nan'"),
        (Margin.of_shares("m", LABELS, {"a": 1.0, "b": 0.0}), "population has none of the codes .*: 'b'"),
        (Margin.of_shares("m", LABELS[:3], {"a": 0.5, "b": 0.5}), "3 labels, the design 4 respondents"),
    ],
)
def test_a_margin_that_does_not_fit_the_sample_is_refused_with_its_codes(method, margin, says):
    with pytest.raises(MarginError, match=says):
        method.weights(ones(4), [margin])


def test_a_code_that_neither_population_nor_sample_has_does_not_matter():
    margin = Margin.of_shares("m", LABELS, {"a": 0.75, "b": 0.25, "c": 0.0})
    for method in (rake, poststratify, calibrate):
        assert method.weights(ones(4), [margin]).weight == pytest.approx([1.5, 1.5, 0.5, 0.5])


def test_margins_of_different_populations_are_refused_with_their_sums():
    a = Margin.of_totals("size", LABELS, {"a": 60, "b": 40})
    b = Margin.of_totals("region", LABELS, {"a": 70, "b": 40})
    with pytest.raises(MarginError, match="different populations: they sum to 'size' 100, 'region' 110"):
        rake.weights(ones(4), [a, b])
    with pytest.raises(MarginError, match="the total asked for is 90"):
        rake.weights(ones(4), [a], total=90)


@pytest.mark.parametrize("total", [0.0, -1.0, float("nan"), float("inf")])
def test_a_total_that_is_no_positive_number_is_refused(total):
    with pytest.raises(MarginError, match="can't sum to"):
        rake.weights(ones(4), [Margin.of_shares("m", LABELS, {"a": 0.5, "b": 0.5})], total=total)


def test_a_set_of_margins_that_says_nothing_or_twice_the_same_is_refused():
    margin = Margin.of_shares("m", LABELS, {"a": 0.5, "b": 0.5})
    with pytest.raises(MarginError, match="no margin"):
        rake.weights(ones(4), [])
    with pytest.raises(MarginError, match="one name.*'m', 'm'"):
        rake.weights(ones(4), [margin, margin])
    with pytest.raises(MarginError, match="to one margin, not 2.*cross"):
        poststratify.weights(ones(4), [margin, margin])
    with pytest.raises(MarginError, match="domain .* has no respondents"):
        rake.weights(ones(4).domain(np.zeros(4, bool)), [margin])
    with pytest.raises(MarginError, match="crosses 2 variables: its codes are tuples of 2"):
        Margin.of_shares("m", (LABELS, LABELS), {"a": 1.0})
    with pytest.raises(MarginError, match="one label a respondent"):
        Margin.of_shares("m", (LABELS, LABELS[:2]), {("a", "a"): 1.0})


def test_margins_that_contradict_each_other_give_no_weights():
    # Everybody in "a" is in "x", yet "x" should be smaller than "a".
    a = Margin.of_shares("first", LABELS, {"a": 0.6, "b": 0.4})
    x = Margin.of_shares("second", np.array(["x", "x", "x", "y"]), {"x": 0.5, "y": 0.5})
    with pytest.raises(
        NotConverged, match="raking stopped after 1000 rounds: margin '(first|second)', code"
    ) as stopped:
        rake.weights(ones(4), [a, x])
    assert stopped.value.gap > 0.01
    assert stopped.value.rounds == 1000
    assert set(stopped.value.margin_errors) == {"first", "second"}
    assert max(stopped.value.margin_errors.values()) > 0.1


# ---- diagnostics --------------------------------------------------------------------------------------


def test_four_weights_of_which_one_is_three_times_the_others_are_worth_three():
    # (1 + 1 + 1 + 3)² / (1 + 1 + 1 + 9) = 36 / 12
    found = kish([1, 1, 1, 3])
    assert found.effective == pytest.approx(3)
    assert found.deff == pytest.approx(4 / 3)
    assert (found.n, found.total, found.range) == (4, 6, 3)
    assert (found.smallest, found.largest) == (pytest.approx(2 / 3), 2)
    assert found.deff == pytest.approx(1 + found.cv**2)
    assert kish([5, 5, 0]).effective == 2
    assert kish_by([1, 1, 1, 3], ["a", "a", "b", "b"])["b"].effective == pytest.approx(16 / 10)


@pytest.mark.parametrize("wrong", [[1, np.nan], [1, -1], [1, np.inf], [0, 0], []])
def test_weights_that_are_none_have_no_diagnosis(wrong):
    with pytest.raises(DesignError):
        kish(wrong)


def test_a_diagnosis_tells_each_code_before_and_after():
    sizes = np.array(["S", "S", "S", "L"])
    made = rake.weights(ones(4), [Margin.of_shares("size", sizes, {"S": 0.9, "L": 0.1})], total=40)
    small, large = diagnose(made).checks
    assert (small.margin, small.code, small.n) == ("size", "S", 3)
    assert (small.before, small.target, small.after) == pytest.approx((30, 36, 36))
    assert (small.smallest, small.largest) == pytest.approx((12, 12))
    assert (large.before, large.after, large.gap) == pytest.approx((10, 4, 0))
    assert diagnose(made).before.deff == pytest.approx(1)
    assert diagnose(made).after.deff == pytest.approx(4 * (3 * 144 + 16) / 40**2)


def test_any_weights_can_be_held_against_margins():
    found = checks([Margin.of_shares("kind", SAMPLE.kind, KINDS)], SAMPLE.weight)
    share = SAMPLE.weight[SAMPLE.kind == "public"].sum() / SAMPLE.weight.sum()
    assert found[1].error == pytest.approx((share - 0.3) * SAMPLE.weight.sum())
    assert margin_errors(found)["kind"] == pytest.approx(abs(found[1].error))
    with pytest.raises(MarginError, match="does not know the code of every respondent"):
        checks([Margin.of_shares("kind", SAMPLE.kind, {"company": 1.0})], SAMPLE.weight)
