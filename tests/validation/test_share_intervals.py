"""Intervals of shares: unweighted ones against R's prop.test, binom.test and qbeta, rare answers against svyciprop."""

import numpy as np
import pytest

from analysis import estimators, intervals
from analysis.design import Design
from tests.validation._cases import DATA, Case

WILSON = Case(DATA / "wilson.json")
RARE = Case(DATA / "ciprop_rare__stratclus.json")

UNWEIGHTED = {
    "wilson": intervals.wilson,
    "wilson_cc": lambda p, n: intervals.wilson(p, n, corrected=True),
    "clopper_pearson": intervals.korn_graubard,
    "agresti_coull": intervals.agresti_coull,
    "jeffreys": intervals.jeffreys,
}


@pytest.mark.parametrize("method", UNWEIGHTED)
def test_intervals_of_counts_agree_with_r(method):
    counts = WILSON.expected["unweighted"]
    k, n = (np.array([one[key] for one in counts], float) for key in ("k", "n"))
    low, high = UNWEIGHTED[method](k / n, n)
    WILSON.agree(np.stack([low, high], axis=1), [one[method] for one in counts])


def test_wilson_s_interval_of_a_weighted_share_takes_kish_s_effective_size():
    theirs = WILSON.expected["weighted"]
    design = Design.of(WILSON.frame["w"])
    share = estimators.share(WILSON.frame["p2"], design)
    WILSON.agree([share.value, design.effective_n], [theirs["p"], theirs["n_eff"]])
    low, high = intervals.wilson(share.value, design.effective_n)
    WILSON.agree([low, high], [theirs["wilson_neff"]["lower"], theirs["wilson_neff"]["upper"]])


@pytest.mark.parametrize("method", intervals.METHODS)
@pytest.mark.parametrize(("answer", "level"), [("rare", 0.95), ("often", 0.9)])
def test_intervals_of_rare_and_frequent_answers_agree_with_r(answer, level, method):
    frame, theirs = RARE.frame, RARE.expected[answer][method]
    design = Design.of(frame["wt"], psu=frame["psu"], stratum=frame["stratum"])
    given = (frame["y"] > {"rare": 18, "often": 10.2}[answer]).astype(float)
    ours = estimators.share(given, design, interval=method, level=level)
    RARE.agree([ours.value, ours.low, ours.high], [theirs[key] for key in ("p", "low", "high")])
