"""Outcome rates agree with the vector of DOMAIN.md, section e, and with AAPOR's formulas computed by hand."""

import pytest

from analysis.outcome_rates import Counts, rates
from tests.validation._outcomes import ELIGIBLE, RATES, VECTOR


def test_the_rates_of_the_specifications_vector():
    ours = rates(VECTOR)
    assert (ours.e, ours.e_rule) == (pytest.approx(ELIGIBLE), "known cases")
    assert {name: round(ours.rate[name], 4) for name in RATES} == RATES


@pytest.mark.parametrize(
    ("counts", "e", "expected"),
    [
        # I P R NC O U NE; each rate as a fraction a reader can check against AAPOR's Standard Definitions.
        (Counts(10, 0, 0, 0, 0, 0, 0), None, {"RR1": 1, "RR6": 1, "COOP1": 1, "REF1": 0, "CON1": 1}),
        (Counts(5, 5, 5, 5, 5, 25, 0), None, {"RR1": 5 / 50, "RR2": 10 / 50, "RR3": 5 / 50, "RR5": 5 / 25}),
        (Counts(5, 5, 5, 5, 5, 25, 25), None, {"RR3": 5 / 37.5, "RR4": 10 / 37.5, "CON2": 20 / 37.5, "REF2": 5 / 37.5}),
        (Counts(5, 5, 5, 5, 5, 25, 25), 0.2, {"RR3": 5 / 30, "RR4": 10 / 30, "CON2": 20 / 30, "REF2": 5 / 30}),
        (Counts(5, 5, 5, 5, 5, 25, 25), 1, {"RR3": 5 / 50, "RR4": 10 / 50, "CON2": 20 / 50, "REF2": 5 / 50}),
        (Counts(5, 5, 5, 5, 5, 25, 25), 0, {"RR3": 5 / 25, "RR4": 10 / 25, "CON2": 20 / 25, "REF2": 5 / 25}),
        (Counts(8, 2, 6, 0, 4, 0, 3), None, {"COOP1": 8 / 20, "COOP2": 10 / 20, "COOP3": 8 / 16, "COOP4": 10 / 16}),
        (Counts(0, 3, 1, 4, 0, 2, 0), None, {"RR1": 0, "RR2": 3 / 10, "RR6": 3 / 8, "CON3": 4 / 8, "REF3": 1 / 8}),
        (Counts(0, 0, 0, 4, 0, 0, 1), None, {"RR1": 0, "COOP1": None, "COOP4": None, "CON1": 0, "REF3": 0}),
        (Counts(0, 0, 0, 0, 0, 9, 0), None, {"RR1": 0, "RR3": None, "RR5": None, "CON1": 0, "CON2": None}),
    ],
)
def test_every_rate_is_the_fraction_that_aapor_defines(counts, e, expected):
    ours = rates(counts, e=e)
    for name, value in expected.items():
        assert ours.rate[name] == (None if value is None else pytest.approx(value)), name
