"""The vector of DOMAIN.md, section e: the outcomes of 2,100 invited persons, and the rates that follow from them."""

from analysis.outcome_rates import Counts

VECTOR = Counts(complete=360, partial=25, refusal=120, noncontact=300, other=15, unknown=1180, ineligible=100)
RATES = {
    "RR1": 0.1800,
    "RR2": 0.1925,
    "RR3": 0.1923,
    "RR4": 0.2057,
    "RR5": 0.4390,
    "RR6": 0.4695,
    "COOP1": 0.6923,
    "COOP2": 0.7404,
    "COOP3": 0.7129,
    "COOP4": 0.7624,
    "REF1": 0.0600,
    "CON1": 0.2600,
}
ELIGIBLE = 820 / 920
"""The estimated share of eligible cases among the unknown, by the known ones."""

BY_CODE = dict(zip(("I", "P", "R", "NC", "O", "U", "NE"), vars(VECTOR).values(), strict=True))
