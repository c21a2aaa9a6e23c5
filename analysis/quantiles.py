"""Weighted quantiles by the rules of R's svyquantile(), with Woodruff's intervals.

The rules differ in what they say between two answers and where a cumulated share meets the probability
exactly. They are those of survey 4.5, also below the first answer's share, where "school" and "hf2" give the mean
of the first two answers and "hf3" the second. Not copied: "hf4" there gives the first answer, where R extrapolates
below it, and the largest at probability 1, where R gives NaN; "shahvaish" scales all weights to mean 1, as Shah
and Vaish do, where R scales only some of them and so depends on the unit of the weights.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from analysis.design import Design, DesignError, Floats
from analysis.estimators import answered, share
from analysis.intervals import LEVEL, t_interval

Rule = Literal["math", "school", "shahvaish", "hf1", "hf2", "hf3", "hf4", "hf5", "hf6", "hf7", "hf8", "hf9"]

INTERVALS = ("mean", "beta", "xlogit", "asin")
"""What svyquantile(interval.type=) calls the interval of the share below, which Woodruff's method inverts."""


@dataclass(frozen=True)
class Quantile:
    """One quantile with its uncertainty.

    probability  of the quantile: 0.5 is the median
    value        NaN only if the base is empty
    se           (high - low) / (2 t(df)), as R's; NaN where it is not estimable
    low, high    Woodruff's limits; NaN where they are not estimable, and each where the interval of the share
                 below the value reaches beyond 0 or 1, so that the answers don't bound the quantile
    df           PSUs - strata of the base
    n            respondents of the base, unweighted
    estimable    whether there is a standard error
    """

    probability: float
    value: float
    se: float
    low: float
    high: float
    df: int
    n: int
    estimable: bool


def quantile(
    y: ArrayLike, q: float, design: Design, *, rule: Rule = "math", interval: str = "mean", level: float = LEVEL
) -> Quantile:
    """Return the quantile of *y*, (n,) NaN missing, at probability *q*. R: svyquantile(qrule=rule, interval.type=).

    rule      math = hf1: the smallest answer at or above which the probability is reached; school = hf2: halfway
              to the next where it is met exactly; hf3 … hf9: as in Hyndman and Fan (1996, The American
              Statistician 50), weighted; shahvaish: Shah and Vaish (2006)
    interval  of the share below, one of INTERVALS; its limits are turned into answers by the same rule
              (Woodruff 1952, J. Am. Stat. Assoc. 47)

    An empty base, a single PSU and answers that are all alike give NaN limits and estimable=False.

    Raises DesignError for a probability outside 0 … 1, an unknown rule or interval, and as `estimators`.
    """
    if not 0 <= q <= 1:
        raise DesignError(f"a probability lies between 0 and 1, not {q}; the median is 0.5")
    if rule not in RULES:
        raise DesignError(f"there is no quantile rule {rule!r}; there are: {', '.join(RULES)}")
    if interval not in INTERVALS:
        raise DesignError(f"there is no interval {interval!r} of a quantile; there are: {', '.join(INTERVALS)}")
    answers, base = answered(y, design)
    n, df = int(base.members.sum()), max(base.degrees(), 0)
    if not n:
        return Quantile(q, np.nan, np.nan, np.nan, np.nan, df, n, False)
    distribution = _Distribution.of(answers[base.members], base.weight[base.members])
    value = distribution.at(q, rule)
    below = share(np.asarray(answers <= value, float), base, interval=interval, level=level)
    if below.se == 0:  # nothing is left to chance
        return Quantile(q, value, 0.0, value, value, df, n, True)
    if not below.estimable:
        return Quantile(q, value, np.nan, np.nan, np.nan, df, n, False)
    low, high = (distribution.at(p, rule) if 0 <= p <= 1 else np.nan for p in (below.low, below.high))
    _, t = t_interval(0, 1, df, level)
    se = (high - low) / (2 * float(t))
    return Quantile(q, value, se, low, high, df, n, bool(np.isfinite(se)))


def quantiles(
    y: ArrayLike,
    probabilities: Sequence[float],
    design: Design,
    *,
    rule: Rule = "math",
    interval: str = "mean",
    level: float = LEVEL,
) -> list[Quantile]:
    """Return the quantiles of *y* at each of *probabilities*; see `quantile`."""
    return [quantile(y, q, design, rule=rule, interval=interval, level=level) for q in probabilities]


@dataclass(frozen=True, eq=False)
class _Distribution:
    """Answers in ascending order with their weights, and the weights cumulated; all (n,)."""

    x: Floats
    w: Floats
    cumulated: Floats
    total: float

    @classmethod
    def of(cls, x: Floats, w: Floats) -> _Distribution:
        order = np.argsort(x, kind="stable")
        # Whether a cumulated weight meets the probability exactly hangs on the last bit. R sums in extended
        # precision, which equal weights survive better than plain sums.
        cumulated = np.cumsum(w[order].astype(np.longdouble)).astype(float)
        return cls(x[order], w[order], cumulated, float(w.astype(np.longdouble).sum()))

    def at(self, p: float, rule: Rule) -> float:
        return float(self.x[0]) if len(self.x) == 1 else float(RULES[rule](self, p))

    def position(self, p: float) -> tuple[int, bool]:
        """Return the last answer whose cumulated share is at most *p*, or the first; and whether it isn't below *p*."""
        place = max(int(np.searchsorted(self.cumulated, p * self.total, side="right")) - 1, 0)
        return place, bool(p - self.cumulated[place] / self.total <= 0)

    @property
    def before(self) -> Floats:
        """The weights cumulated up to the answer, without it."""
        return np.concatenate([[0.0], self.cumulated[:-1]])

    @property
    def ties_joined(self) -> _Distribution:
        x, where = np.unique(self.x, return_inverse=True)
        return _Distribution.of(x, np.bincount(where, self.w).astype(float))


def _inverse(d: _Distribution, p: float) -> float:
    place, exact = d.position(p)
    return float(d.x[place if exact else min(place + 1, len(d.x) - 1)])


def _averaged(d: _Distribution, p: float) -> float:
    place, exact = d.position(p)
    above = float(d.x[min(place + 1, len(d.x) - 1)])
    return (float(d.x[place]) + above) / 2 if exact else above


def _even(d: _Distribution, p: float) -> float:
    d = d.ties_joined
    place, exact = d.position(p)
    even = (place + 1) % 2 == 0
    return float(d.x[place if exact and even else min(place + 1, len(d.x) - 1)])


def _stepwise(d: _Distribution, p: float) -> float:
    relative = d.w * len(d.w) / d.total
    points = (np.cumsum(relative) + 0.5 - relative / 2) / (len(d.x) + 1)
    return float(d.x[max(int(np.searchsorted(points, p, side="right")) - 1, 0)])


def _linear(points: Callable[[_Distribution], Floats]) -> Callable[[_Distribution, float], float]:
    """Return the rule that joins the answers by lines, each at the probability that *points* gives it."""
    return lambda d, p: float(np.interp(p, points(d), d.x))


RULES: Mapping[str, Callable[[_Distribution, float], float]] = {
    "math": _inverse,
    "school": _averaged,
    "shahvaish": _stepwise,
    "hf1": _inverse,
    "hf2": _averaged,
    "hf3": _even,
    "hf4": _linear(lambda d: d.cumulated / d.total),
    "hf5": _linear(lambda d: (d.cumulated - d.w / 2) / d.total),
    "hf6": _linear(lambda d: d.cumulated / (d.total + d.w[-1])),
    "hf7": _linear(lambda d: d.before / d.cumulated[-2]),
    "hf8": _linear(lambda d: (d.before / 3 + d.cumulated * 2 / 3) / (d.total + d.w[-1] / 3)),
    "hf9": _linear(lambda d: (d.before * 3 / 8 + d.cumulated * 5 / 8) / (d.total + d.w[-1] / 4)),
}
"""The rules by the names that svyquantile(qrule=) gives them."""
