"""Quantiles by every rule and interval of R's svyquantile, on a stratified sample of organisations and on a domain."""

import numpy as np
import pytest

from analysis.design import Design
from analysis.quantiles import INTERVALS, RULES, quantiles
from tests.validation._cases import DATA, Case

CASE = Case(DATA / "quantile_rules__stratclus.json")
FRAME = CASE.frame
# R's "shahvaish" depends on the unit of the weights; with a mean of 1 it is Shah and Vaish's.
DESIGN = Design.of(FRAME["wt"] / FRAME["wt"].mean(), psu=FRAME["psu"], stratum=FRAME["stratum"])


def agree(answers, design, rule, interval, expected):
    ours = quantiles(answers, CASE.expected["probs"], design, rule=rule, interval=interval)
    found = [[one.value, one.low, one.high, one.se] for one in ours]
    theirs = np.array([expected[key] for key in ("quantile", "ci_low", "ci_high", "se")], float).T
    assert (np.isnan(found) == np.isnan(theirs)).all()
    CASE.agree(np.nan_to_num(found), np.nan_to_num(theirs))


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_and_its_woodruff_interval_agree_with_r(rule):
    agree(FRAME["y"], DESIGN, rule, "mean", CASE.expected["rule"][rule])


@pytest.mark.parametrize("rule", RULES)
def test_many_equal_answers_give_r_s_quantiles(rule):
    agree(FRAME["y"].round(), DESIGN, rule, "mean", CASE.expected["ties"][rule])


@pytest.mark.parametrize("interval", INTERVALS)
def test_every_interval_of_the_share_below_agrees_with_r(interval):
    agree(FRAME["y"], DESIGN, "hf7", interval, CASE.expected["interval"][interval])


@pytest.mark.parametrize("rule", CASE.expected["domain"])
def test_quantiles_of_a_domain_agree_with_r(rule):
    agree(FRAME["y"], DESIGN.domain((FRAME["g"] == "a").to_numpy()), rule, "xlogit", CASE.expected["domain"][rule])
