"""Concentration agrees with R: laeken::gini, and the Lorenz curve of the reference cases' own function."""

import numpy as np
import pytest

from analysis import concentration
from tests.validation._cases import DATA, Case

CASE = Case(DATA / "gini.json")
REVENUE = CASE.frame["revenue"]


@pytest.mark.parametrize(("key", "weight"), [("unweighted", None), ("weighted", CASE.frame["w"])])
def test_revenue_is_as_concentrated_in_customers_as_r_finds(key, weight):
    ours, theirs = concentration.concentration(REVENUE, weight), CASE.expected[key]
    CASE.agree(ours.gini, theirs["gini_trapezoid"])
    CASE.agree(ours.gini, theirs["gini_laeken"])
    CASE.agree([ours.top[0.2], ours.top[0.1], ours.top[0.01]], [theirs[name] for name in ("top20", "top10", "top1")])
    CASE.agree([ours.holders, ours.hhi], [theirs["customers_for_80pct"], theirs["hhi"]])
    deciles = concentration.lorenz(REVENUE, weight).at(np.arange(1, 10) / 10)
    CASE.agree(deciles, theirs["lorenz_deciles"])


def test_the_gini_of_few_customers_is_corrected_as_in_r():
    ours = concentration.concentration(REVENUE)
    CASE.agree(ours.gini_corrected, CASE.expected["unweighted_n_over_n_minus_1"])
