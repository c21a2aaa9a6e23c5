"""Alpha and omega agree with R: psych::alpha, lavaan::cfa, survey::svycralpha."""

import pytest

from analysis import scales
from tests.validation._cases import DATA, Case

STAGES = Case(DATA / "reliability.json")
REVERSED = Case(DATA / "reliability_reversed.json")

EXACT = 1e-8
"""Closed forms; only the maximum likelihood part has the case's own tolerance."""


def items_of(stage):
    return [f"i{number}_{stage}" for number in range(1, 7)]


@pytest.mark.parametrize("stage", STAGES.expected)
def test_alpha_and_what_each_item_does_to_it_agree_with_r_psych(stage):
    names, theirs = items_of(stage), STAGES.expected[stage]
    ours = scales.reliability(STAGES.frame[names], names=names)
    found = [ours.alpha, ours.standardised, ours.average_r, ours.guttman6]
    STAGES.agree(found, [theirs[key] for key in ("raw_alpha", "std_alpha", "average_r", "guttman6")], EXACT)
    STAGES.agree(ours.if_dropped, [theirs["alpha_drop"][name] for name in names], EXACT)
    STAGES.agree(ours.item_rest, [theirs["r_drop"][name] for name in names], EXACT)
    assert (ours.n, ours.incomplete, ours.reversed_key) == (len(STAGES.frame), 0, ())


@pytest.mark.parametrize("stage", STAGES.expected)
def test_alpha_with_survey_weights_agrees_with_r_survey(stage):
    ours = scales.reliability(STAGES.frame[items_of(stage)], weight=STAGES.frame["w"])
    STAGES.agree(ours.alpha, STAGES.expected[stage]["svycralpha"], EXACT)


@pytest.mark.parametrize("stage", STAGES.expected)
def test_omega_of_one_factor_agrees_with_r_lavaan(stage):
    names, theirs = items_of(stage), STAGES.expected[stage]
    ours = scales.omega(STAGES.frame[names], names=names)
    STAGES.agree(ours.loadings, [theirs["loadings"][name] for name in names])
    STAGES.agree(ours.error_variance, [theirs["error_var"][name] for name in names])
    found = [ours.total, ours.total_observed]
    STAGES.agree(found, [theirs[key] for key in ("omega_total", "omega_observed_denominator")])


def test_an_item_worded_the_other_way_round_is_named_until_it_is_recoded():
    names = ["l1", "l2", "l3", "l4", "l5"]
    raw = scales.reliability(REVERSED.frame[names], names=names)
    REVERSED.agree(raw.alpha, REVERSED.expected["alpha_raw"])
    assert raw.reversed_key == ("l5",)
    keyed = scales.reliability(scales.points(REVERSED.frame[names], low=1, high=7, reverse=[4]), names=names)
    REVERSED.agree(keyed.alpha, REVERSED.expected["alpha_keyed"])
    REVERSED.agree(keyed.item_rest, [REVERSED.expected["r_drop_keyed"][name] for name in names])
    assert keyed.reversed_key == ()
    table = REVERSED.expected["corr"]
    r = [value for row, line in enumerate(table["values"]) for value in line[row + 1 :]]
    assert table["rows"] == names
    REVERSED.agree(raw.average_r, sum(r) / len(r))
