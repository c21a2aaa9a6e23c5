"""Agreement inside organisations agrees with R: aov, and the measures of the package multilevel."""

import numpy as np
import pytest

from analysis import agreement
from tests.validation._cases import DATA, Case

GROUPS = Case(DATA / "icc_rwg.json")
EXEC = Case(DATA / "icc_exec.json")
NULL = GROUPS.expected["null_variance"]
ITEMS = ["a1", "a2", "a3", "a4"]


def of_r(name):
    """Return R's value of each organisation; null where it has none."""
    return {group: np.nan if value is None else value for group, value in GROUPS.expected[name].items()}


def found(measure, **options):
    return measure(GROUPS.frame["a1"], GROUPS.frame["org"], **options)


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("rwg", found(agreement.rwg, null=NULL)),
        ("rwgj", agreement.rwg_j(GROUPS.frame[ITEMS], GROUPS.frame["org"], null=NULL)),
        ("ad_mean", found(agreement.ad)),
        ("ad_median", found(agreement.ad, around="median")),
        ("awg", found(agreement.awg, low=1, high=5)),
    ],
)
def test_each_organisation_agrees_within_itself_as_r_says(name, ours):
    theirs = of_r(name)
    assert list(ours.by_organisation()) == list(theirs)
    values, expected = ours.value, np.array(list(theirs.values()))
    assert (np.isnan(values) == np.isnan(expected)).all()
    GROUPS.agree(values[~np.isnan(values)], expected[~np.isnan(expected)])
    assert (ours.two_or_more, ours.three_or_more, ours.alone) == (40, int((ours.n >= 3).sum()), 0)


def test_the_null_of_five_categories_is_two_and_what_lies_below_zero_is_kept_beside_the_truncated_value():
    ours = found(agreement.rwg, null=agreement.uniform_null(5))
    GROUPS.agree(ours.raw, [of_r("rwg_unbounded")[group] for group in ours.organisation])
    assert ours.raw.min() < 0 == ours.value.min()
    GROUPS.agree(
        [np.median(ours.value), ours.value.mean()], [GROUPS.expected[key] for key in ("rwg_median", "rwg_mean")]
    )


def test_variance_between_organisations_of_unequal_size_agrees_with_r():
    ours, theirs = found(agreement.icc), GROUPS.expected
    pairs = {
        "MSB": ours.msb,
        "MSW": ours.msw,
        "F": ours.f,
        "p": ours.p,
        "n_groups": ours.organisations,
        "n0": ours.n0,
        "mean_size": ours.mean_size,
        "icc1_n0": ours.icc1,
        "icc1_multilevel": ours.icc1_mean_size,
        "icc2": ours.icc2,
        "icc2_multilevel": ours.icc2,
        "deff_cluster_mean_size": 1 + (ours.mean_size - 1) * ours.icc1_mean_size,
    }
    GROUPS.agree(list(pairs.values()), [theirs[name] for name in pairs])


@pytest.mark.parametrize("mode", ["m1", "m2", "m3", "m4"])
def test_leaders_of_one_organisation_resemble_each_other_as_much_as_r_finds(mode):
    ours, theirs = agreement.icc(EXEC.frame[mode], EXEC.frame["org_id"]), EXEC.expected[mode]
    EXEC.agree(
        [ours.msb, ours.msw, ours.f, ours.p, ours.n0, ours.icc1],
        [theirs[name] for name in ("MSB", "MSW", "F", "p", "n0", "icc1")],
    )
    assert (ours.organisations, ours.n) == (EXEC.expected["n_org"], EXEC.expected["n"])
    assert ours.two_or_more == EXEC.expected["n_org"]
    assert ours.alone == EXEC.frame["org_id"].nunique() - EXEC.expected["n_org"]
