"""Weighting to what is known of the population: one file a method, `weights(design, …) -> Weighted`.

A method's file name is what a plan writes. The margins, the errors and the diagnostics are common to all:

    sizes = Margin.of_shares("size", size, {"S": 0.7, "M": 0.2, "L": 0.1})
    raked = rake.weights(design, [sizes, regions])
    mean(y, raked.design)                                 # errors linearised: what the margins explain goes
    mean(y, replace(raked.design, calibration=None))      # the weights taken as fixed
    delete_one_psu(design, reweight=raked.reweight)       # analysis.replicates: every replicate raked anew
"""

from analysis.weighting._diagnostics import Check, Diagnosis, Kish, checks, diagnose, kish, kish_by, margin_errors
from analysis.weighting._margins import Margin, MarginError, NotConverged, Number
from analysis.weighting._weighted import Weighted, together

__all__ = [
    "Check",
    "Diagnosis",
    "Kish",
    "Margin",
    "MarginError",
    "NotConverged",
    "Number",
    "Weighted",
    "checks",
    "diagnose",
    "kish",
    "kish_by",
    "margin_errors",
    "together",
]
