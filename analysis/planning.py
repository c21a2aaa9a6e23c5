"""Planning a survey: how large a difference it will see, how many respondents that takes, how wide its intervals are.

A design effect enters as the number of respondents that one of a simple random sample is worth: n / deff.
"""

from __future__ import annotations

import math

from analysis.estimators import LEVEL
from kysely.errors import AnalystError


class PlanningError(AnalystError):
    """A share, a size or a level can't be: says which and what it must be."""


def power_of_two_shares(
    *, p1: float, p2: float, n: float, alpha: float = 0.05, deff: float = 1.0, two_sided: bool = True
) -> float:
    """Return the chance that shares *p1* and *p2* of two groups of *n* respondents each come out different.

    Normal approximation with the pooled share under equality (Fleiss 1981; R: power.prop.test()); of a two-sided
    test, the chance of a finding in the wrong direction is left out. Raises PlanningError.
    """
    from scipy.special import ndtr

    _positive(n, "n")
    gap, equal, apart, z = _two_shares(p1, p2, alpha, deff, two_sided)
    return float(ndtr((math.sqrt(n / deff) * gap - z * equal) / apart))


def size_for_two_shares(
    *, p1: float, p2: float, power: float = 0.8, alpha: float = 0.05, deff: float = 1.0, two_sided: bool = True
) -> float:
    """Return the respondents each of two groups needs so that *p1* and *p2* come out different with *power*.

    The inverse of power_of_two_shares(); not rounded. Raises PlanningError for equal shares.
    """
    from scipy.special import ndtri

    if not 0 < power < 1:
        raise PlanningError(f"power is {power}; it lies between 0 and 1")
    gap, equal, apart, z = _two_shares(p1, p2, alpha, deff, two_sided)
    if gap == 0:
        raise PlanningError(f"both shares are {p1}; no number of respondents tells them apart")
    root = (z * equal + float(ndtri(power)) * apart) / gap
    if root <= 0:
        raise PlanningError(f"a power of {power} is below the test's own level {alpha}; ask for more")
    return root**2 * deff


def margin_of_error(p: float, *, n: float, deff: float = 1.0, level: float = LEVEL) -> float:
    """Return half the width of the normal interval of a share *p* among *n* respondents. Raises PlanningError."""
    from scipy.special import ndtri

    _positive(n, "n")
    _positive(deff, "deff")
    _inside(level, "level")
    if not 0 <= p <= 1:
        raise PlanningError(f"the share is {p}; it lies between 0 and 1")
    return float(ndtri((1 + level) / 2)) * math.sqrt(p * (1 - p) * deff / n)


def size_for_margin(margin: float, *, p: float = 0.5, deff: float = 1.0, level: float = LEVEL) -> float:
    """Return the respondents that bring margin_of_error() down to *margin*; not rounded. Raises PlanningError."""
    _positive(margin, "the margin")
    return (margin_of_error(p, n=1, deff=deff, level=level) / margin) ** 2


def _two_shares(p1: float, p2: float, alpha: float, deff: float, two_sided: bool) -> tuple[float, float, float, float]:
    """Return the gap, √(2 p̄ q̄), √(p₁q₁ + p₂q₂) and the critical value."""
    from scipy.special import ndtri

    _inside(p1, "p1")
    _inside(p2, "p2")
    _inside(alpha, "alpha")
    _positive(deff, "deff")
    middle = (p1 + p2) / 2
    z = -float(ndtri(alpha / 2 if two_sided else alpha))
    return abs(p1 - p2), math.sqrt(2 * middle * (1 - middle)), math.sqrt(p1 * (1 - p1) + p2 * (1 - p2)), z


def _inside(value: float, what: str) -> None:
    if not 0 < value < 1:
        raise PlanningError(f"{what} is {value}; it lies between 0 and 1")


def _positive(value: float, what: str) -> None:
    if not (value > 0 and math.isfinite(value)):
        raise PlanningError(f"{what} is {value}; it is a positive number")
