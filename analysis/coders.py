"""Agreement of coders: Krippendorff's alpha, Fleiss' and Cohen's kappa, intraclass correlations of ratings.

Ratings are an array (units, coders): what each coder made of each unit, e.g. of an open answer. NaN or None is no
rating. Alpha uses every unit with two ratings; kappa and the intraclass correlations only units that all coders
rated, and say how many those were.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.design import Codes, Floats
from kysely.errors import AnalystError

Measure = Literal["nominal", "ordinal", "interval", "ratio"]
Weighting = Literal["unweighted", "linear", "quadratic"]


class RatingError(AnalystError):
    """The ratings can't be compared. Says why and what to do."""


@dataclass(frozen=True)
class Alpha:
    """Krippendorff's alpha: 1 full agreement, 0 as by chance, negative below it.

    units    units with two or more ratings, which are those used
    ratings  ratings of those units
    """

    value: float
    measure: str
    units: int
    ratings: int


@dataclass(frozen=True)
class Kappa:
    """A kappa: (observed - expected) / (1 - expected) agreement.

    z, p   of the hypothesis that the coders agree by chance alone, normal approximation; NaN for Fleiss' kappa
    units  units rated by all coders, which are those used; left_out the others
    """

    value: float
    observed: float
    expected: float
    z: float
    p: float
    units: int
    left_out: int


@dataclass(frozen=True)
class RatingIcc:
    """An intraclass correlation of ratings with its 95 % interval and the F test of no correlation.

    df1, df2  degrees of freedom of the F test
    units     units rated by all coders, which are those used; left_out the others
    """

    value: float
    low: float
    high: float
    f: float
    df1: float
    df2: float
    p: float
    units: int
    left_out: int


def krippendorff_alpha(ratings: ArrayLike, *, measure: Measure, order: Sequence[Any] | None = None) -> Alpha:
    """Return Krippendorff's alpha of *ratings*, (units, coders), missing ratings allowed (Krippendorff 2004, ch. 11).

    measure  how far two codes are apart: "nominal" (0 or 1), "ordinal" (ratings between them), "interval"
             (difference), "ratio" (difference over sum)
    order    the codes from low to high, for ordinal codes that are words

    A unit's pairs count 1/(its ratings - 1). R's irr::kripp.alpha leaves that divisor out where nothing is
    missing and there are more than two coders; there, and only there, the two differ.

    Raises RatingError if no unit has two ratings, if all ratings are one code (agreement is then certain), or if
    words are to be taken as numbers.
    """
    codes, given = _coded(ratings, order)
    if measure not in ("nominal", "ordinal", "interval", "ratio"):
        raise RatingError(f"alpha is nominal, ordinal, interval or ratio, not {measure!r}")
    if measure in ("interval", "ratio") or (measure == "ordinal" and order is None):
        _numeric(given, measure)
    used = codes[(codes >= 0).sum(axis=1) >= 2]
    if not len(used):
        raise RatingError("no unit has two ratings, so there is nothing to compare; have units coded twice")
    counts = _counts(used, len(given))
    per_unit = counts.sum(axis=1)
    # A pair of equal codes is no pair with itself: take the diagonal's own ratings off.
    coincidence = (counts / (per_unit - 1)[:, None]).T @ counts - np.diag(
        (counts / (per_unit - 1)[:, None]).sum(axis=0)
    )
    total = coincidence.sum(axis=1)
    apart = _apart(measure, total, given)
    expected = float((np.outer(total, total) * apart).sum()) / (total.sum() - 1)
    if expected == 0:
        raise RatingError(
            "all ratings are one code, so chance would agree as well; alpha is not defined, say so instead"
        )
    value = 1 - float((coincidence * apart).sum()) / expected
    return Alpha(value, measure, len(used), int(per_unit.sum()))


def cohen_kappa(
    ratings: ArrayLike, *, weighting: Weighting = "unweighted", order: Sequence[Any] | None = None
) -> Kappa:
    """Return Cohen's kappa of two coders, *ratings* (units, 2) (Cohen 1960, 1968).

    weighting  how much a near miss counts: "unweighted" not at all; "linear" and "quadratic" by the steps between
               codes, of *order* if it is given (words need it), else of the numbers that occur, sorted

    z has the variance under the hypothesis of chance (Fleiss, Cohen and Everitt 1969). R: irr::kappa2().
    """
    codes, given = _coded(ratings, order)
    complete, left_out = _complete(codes)
    if codes.shape[1] != 2:
        raise RatingError(f"Cohen's kappa compares two coders, not {codes.shape[1]}; use fleiss_kappa or alpha")
    if weighting not in ("unweighted", "linear", "quadratic"):
        raise RatingError(f"kappa is unweighted, linear or quadratic, not {weighting!r}")
    if weighting != "unweighted" and order is None:
        _numeric(given, weighting)
    if order is None:
        complete = np.unique(complete.ravel(), return_inverse=True)[1].reshape(complete.shape)
    k = len(given) if order is not None else int(complete.max()) + 1
    shares = np.zeros((k, k))
    np.add.at(shares, (complete[:, 0], complete[:, 1]), 1 / len(complete))
    credit = _credit(weighting, k)
    rows, columns = shares.sum(axis=1), shares.sum(axis=0)
    observed, expected = float((shares * credit).sum()), float((np.outer(rows, columns) * credit).sum())
    value = _kappa(observed, expected)
    reach = credit @ columns  # mean credit of a row's code against the other coder, and of a column's
    spread = np.outer(rows, columns) * (credit - reach[:, None] - (credit.T @ rows)[None, :]) ** 2
    error = np.sqrt(max(float(spread.sum()) - expected**2, 0) / len(complete)) / (1 - expected)
    z = value / error if error > 0 else np.nan
    return Kappa(value, observed, expected, z, _two_sided(z), len(complete), left_out)


def fleiss_kappa(ratings: ArrayLike) -> Kappa:
    """Return Fleiss' kappa of two or more coders, *ratings* (units, coders), nominal (Fleiss 1971).

    R: irr::kappam.fleiss(). With two coders it is Scott's pi, not Cohen's kappa: coders are exchangeable.
    """
    codes, given = _coded(ratings, None)
    complete, left_out = _complete(codes)
    coders = codes.shape[1]
    counts = _counts(complete, len(given))
    share = counts.sum(axis=0) / counts.sum()
    observed = float(((counts * (counts - 1)).sum(axis=1) / (coders * (coders - 1))).mean())
    expected = float((share**2).sum())
    return Kappa(_kappa(observed, expected), observed, expected, np.nan, np.nan, len(complete), left_out)


def rating_icc(
    ratings: ArrayLike,
    *,
    model: Literal["oneway", "twoway"],
    kind: Literal["agreement", "consistency"] = "agreement",
    unit: Literal["single", "average"] = "single",
    level: float = 0.95,
) -> RatingIcc:
    """Return the intraclass correlation of numeric *ratings*, (units, coders) (McGraw and Wong 1996).

    model  "oneway": each unit has coders of its own; "twoway": the same coders rated all units
    kind   of a twoway model: "agreement" counts differences between coders' levels as error, "consistency" doesn't
    unit   reliability of one coder's rating, or of the mean of all coders

    R: irr::icc(), including the degrees of freedom of its F test for twoway agreement, which are those of the
    interval at the estimate. Raises RatingError if units don't differ at all.
    """
    _options(model, kind, unit)
    values = _numbers(ratings)
    kept = ~np.isnan(values).any(axis=1)
    left_out, values = int((~kept).sum()), values[kept]
    n, k = values.shape
    if n < 2 or k < 2:
        raise RatingError(f"{n} units rated by all of {k} coders; two of each are needed")
    grand, by_unit, by_coder = values.mean(), values.mean(axis=1), values.mean(axis=0)
    msr = k * ((by_unit - grand) ** 2).sum() / (n - 1)
    msw = ((values - by_unit[:, None]) ** 2).sum() / (n * (k - 1))
    msc = n * ((by_coder - grand) ** 2).sum() / (k - 1)
    mse = ((values - by_unit[:, None] - by_coder + grand) ** 2).sum() / ((n - 1) * (k - 1))
    if msr <= 1e-15 * max(grand**2, 1):
        raise RatingError("the units all have the same mean rating, so there is nothing to be reliable about")
    if model == "oneway" or kind == "consistency":
        error, df2 = (msw, n * (k - 1)) if model == "oneway" else (mse, (n - 1) * (k - 1))
        found = _simple_icc(msr, error, n=n, k=k, df2=df2, single=unit == "single", level=level)
    else:
        found = _agreement_icc(msr, msc, mse, n=n, k=k, single=unit == "single", level=level)
    return RatingIcc(*found, units=n, left_out=left_out)


def _simple_icc(
    msr: float, error: float, *, n: int, k: int, df2: int, single: bool, level: float
) -> tuple[float, float, float, float, float, float, float]:
    from scipy.special import fdtrc, fdtri

    if error == 0:
        return 1.0, 1.0, 1.0, np.inf, n - 1, df2, 0.0
    f, tail = msr / error, (1 + level) / 2
    bounds = f / fdtri(n - 1, df2, tail), f * fdtri(df2, n - 1, tail)
    # One coder: (F - 1)/(F + k - 1); the mean of k: 1 - 1/F. Limits are the same functions of the limits of F.
    value, low, high = ((one - 1) / (one + k - 1) if single else 1 - 1 / one for one in (f, *bounds))
    return float(value), float(low), float(high), float(f), n - 1, df2, float(fdtrc(n - 1, df2, f))


def _agreement_icc(
    msr: float, msc: float, mse: float, *, n: int, k: int, single: bool, level: float
) -> tuple[float, float, float, float, float, float, float]:
    from scipy.special import fdtrc, fdtri

    if mse == 0 and msc == 0:
        return 1.0, 1.0, 1.0, np.inf, n - 1, (n - 1) * (k - 1), 0.0
    one = (msr - mse) / (msr + (k - 1) * mse + k * (msc - mse) / n)
    # Satterthwaite's degrees of freedom of the error, a mixture of coders and residual, at the estimate.
    a, b = k * one / (n * (1 - one)), 1 + k * one * (n - 1) / (n * (1 - one))
    df2 = (a * msc + b * mse) ** 2 / ((a * msc) ** 2 / (k - 1) + (b * mse) ** 2 / ((n - 1) * (k - 1)))
    below, above = fdtri(n - 1, df2, (1 + level) / 2), fdtri(df2, n - 1, (1 + level) / 2)
    error = k * msc + (k * n - k - n) * mse
    low = n * (msr - below * mse) / (below * error + n * msr)
    high = n * (above * msr - mse) / (error + n * above * msr)
    f = msr / mse if mse else np.inf
    p = float(fdtrc(n - 1, df2, f)) if mse else 0.0
    value, low, high = (r if single else r * k / (1 + r * (k - 1)) for r in (one, low, high))
    return float(value), float(low), float(high), float(f), n - 1, float(df2), p


# ---- from labels to codes ---------------------------------------------------------------------------------


def _coded(ratings: ArrayLike, order: Sequence[Any] | None) -> tuple[Codes, NDArray[Any]]:
    """Return the ratings as positions in the sorted or *order*ed codes, -1 where missing, and the codes."""
    labels = np.asarray(ratings)
    if labels.ndim != 2 or labels.shape[1] < 2 or not len(labels):
        raise RatingError(f"the ratings have shape {labels.shape}; (units, coders) with two coders or more is needed")
    flat = labels.ravel().tolist()
    given = [one for one in flat if not (one is None or one != one)]
    try:
        known = list(order) if order is not None else sorted(set(given))
    except TypeError:
        raise RatingError("some ratings are words and some numbers; give every code in one form") from None
    place = {code: position for position, code in enumerate(known)}
    if strangers := sorted({str(one) for one in given if one not in place}):
        raise RatingError(f"the order does not name the codes {', '.join(strangers)}")
    codes = np.array([-1 if one is None or one != one else place[one] for one in flat], np.int64)
    return codes.reshape(labels.shape), np.array(known)


def _numeric(given: NDArray[Any], measure: str) -> None:
    if given.dtype.kind not in "iufb":
        raise RatingError(f"{measure} distances of words are not known; give numbers, or the order of the codes")


def _numbers(ratings: ArrayLike) -> Floats:
    try:
        values = np.asarray(ratings, dtype=float)
    except (TypeError, ValueError):
        raise RatingError("an intraclass correlation needs ratings that are numbers") from None
    if values.ndim != 2 or np.isinf(values).any():
        raise RatingError(f"ratings of shape {values.shape} are not finite numbers of (units, coders)")
    return values


def _counts(codes: Codes, k: int) -> Floats:
    """Return how many coders gave each unit each code, shape (units, k)."""
    counts = np.zeros((len(codes), k))
    unit, coder = np.nonzero(codes >= 0)
    np.add.at(counts, (unit, codes[unit, coder]), 1)
    return counts


def _complete(codes: Codes) -> tuple[Codes, int]:
    kept = (codes >= 0).all(axis=1)
    if not kept.any():
        raise RatingError("no unit was rated by all coders; use krippendorff_alpha, which takes missing ratings")
    return codes[kept], int((~kept).sum())


def _apart(measure: str, total: Floats, given: NDArray[Any]) -> Floats:
    """Return the squared distance between any two codes, shape (k, k)."""
    if measure == "nominal":
        return 1 - np.eye(len(total))
    if measure == "ordinal":
        middle = np.cumsum(total) - total / 2
        return (middle[:, None] - middle[None, :]) ** 2
    value = given.astype(float)
    difference = (value[:, None] - value[None, :]) ** 2
    if measure == "interval":
        return difference
    if (value < 0).any():
        raise RatingError("ratio distances need ratings that are not negative")
    both = (value[:, None] + value[None, :]) ** 2
    return difference / np.where(both == 0, 1, both)


def _credit(weighting: str, k: int) -> Floats:
    steps = np.abs(np.arange(k)[:, None] - np.arange(k)[None, :])
    if weighting == "unweighted":
        return (steps == 0).astype(float)
    return 1 - (steps / max(k - 1, 1)) ** (1 if weighting == "linear" else 2)


def _kappa(observed: float, expected: float) -> float:
    if expected > 1 - 1e-12:
        raise RatingError(
            "all ratings are one code, so chance would agree as well; kappa is not defined, say so instead"
        )
    return (observed - expected) / (1 - expected)


def _two_sided(z: float) -> float:
    from scipy.special import ndtr

    return float(2 * ndtr(-abs(z)))


def _options(model: str, kind: str, unit: str) -> None:
    for name, value, known in (
        ("model", model, ("oneway", "twoway")),
        ("kind", kind, ("agreement", "consistency")),
        ("unit", unit, ("single", "average")),
    ):
        if value not in known:
            raise RatingError(f"{name} is {' or '.join(known)}, not {value!r}")
