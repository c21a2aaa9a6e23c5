"""Columns of a table against each other, with the trade's letters: a cell names the columns it is larger than.

The default takes differences and their errors from the sampling design, overlapping columns included
(`compare_columns`, `compare_columns_of`, `compare_means_of`). What other programs print is kept beside it under
its own name: `compatible_columns` (z tests on weighted, effective or unweighted bases) and, in group_means.py,
tests of means in a simple random sample. Those ignore strata and clusters; see docs/methods.md for what that costs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from analysis import multiplicity
from analysis.categories import NotTestable, categories, several
from analysis.design import Codes, Design, DesignError, Floats, Mask
from analysis.estimators import t_interval
from analysis.moments import Moments
from analysis.variance import covariance

ALPHA = 0.05

SMALL_BASE = 30
"""Respondents below whom a column is not compared."""

FEW_PSUS = 3
"""PSUs below which a column is not compared."""

Base = Literal["weighted", "effective", "unweighted"]


@dataclass(frozen=True)
class Pair:
    """Column *a* against column *b* in one row, all three numbered from 0; a < b.

    difference  a - b; of shares between -1 and 1
    se          its standard error; of compatible_columns that under equality
    low, high   its 95 % interval, not adjusted for the other pairs
    statistic   t, or z where df is None
    p_adjusted  over the pairs of the row
    """

    row: int
    a: int
    b: int
    difference: float
    se: float
    low: float
    high: float
    statistic: float
    df: int | None
    p: float
    p_adjusted: float


@dataclass(frozen=True, eq=False)
class Comparison:
    """The compared columns of a table with K rows and B columns.

    method    "design", or the compatibility mode: "weighted", "effective" or "unweighted" base
    adjust    how the pairs of a row were adjusted
    value     (K, B) shares, or means in a table of one row; NaN in a column without anybody
    base_n    (B,) respondents
    letter    (B,) the column's own: A … Z, AA, AB …
    letters   (K, B) the columns that are significantly smaller, as text
    excluded  why a column is in no pair of any row: column → reason
    alpha     the level of the adjusted p-values below which a letter is given
    """

    method: str
    adjust: multiplicity.Method
    value: Floats
    base_n: Codes
    letter: tuple[str, ...]
    letters: tuple[tuple[str, ...], ...]
    pairs: tuple[Pair, ...]
    excluded: dict[int, str]
    alpha: float


def compare_columns(
    moments: Moments,
    *,
    values: ArrayLike | None = None,
    df: int | None = None,
    adjust: multiplicity.Method = "holm",
    alpha: float = ALPHA,
    small_base: int = SMALL_BASE,
    few_psus: int = FEW_PSUS,
) -> Comparison:
    """Return the comparison of the column shares, or means, of a table, from the Moments of any engine.

    values      (S, K) a number per code for each row that is compared: a scale's values compare its means. None:
                the share of each code
    df          degrees of freedom, PSUs - strata; None: those of the table's base
    adjust      over the pairs of a row: "holm" (default), "bh" or another of multiplicity.Method
    small_base  a column with fewer respondents is in no pair
    few_psus    nor is one with fewer PSUs

    In every row the difference of two columns is tested by t(df) with its variance from the joint covariance of
    the cells (Binder 1983). A column whose respondents are all alike (a share of exactly 0 or 1) is in no pair of
    that row: its error can't be estimated. Raises NotTestable for fewer than two columns to compare, for df < 1
    and for values of another shape.
    """
    groups, codes = moments.total.shape
    counted = np.eye(codes) if values is None else np.asarray(values, dtype=float)
    if counted.ndim != 2 or counted.shape[1] != codes or not np.isfinite(counted).all():
        raise NotTestable(f"a row needs a finite number for each of the {codes} codes, not {counted.shape}")
    excluded = _excluded(moments.base_n, moments.psus, small_base, few_psus)
    base = np.where(moments.base_weighted > 0, moments.base_weighted, np.nan)
    mean = moments.total @ counted.T / base[:, None]
    # d(mean of row s in group b) per cell of b: (value of its code - mean) / base
    slopes = np.nan_to_num((counted[None] - mean[:, :, None]) / base[:, None, None])
    joint = moments.covariance.reshape(groups, codes, groups, codes)
    spread = np.einsum("akc,acbd,bkd->kab", slopes, joint, slopes, optimize=True)
    there = (moments.n > 0)[:, None, :]
    highest = np.where(there, counted, -np.inf).max(axis=2)
    varies = (highest > np.where(there, counted, np.inf).min(axis=2)) & ~np.isnan(mean)
    tester = _design_pairs(mean.T, spread, _degrees(moments.table_df if df is None else df))
    return _comparison("design", mean.T, moments.base_n, varies.T, excluded, tester, adjust, alpha)


def compare_columns_of(
    row: ArrayLike,
    column: ArrayLike,
    design: Design,
    *,
    df: int | None = None,
    adjust: multiplicity.Method = "holm",
    alpha: float = ALPHA,
    small_base: int = SMALL_BASE,
    few_psus: int = FEW_PSUS,
) -> Comparison:
    """Return the comparison of the column shares of a question, rows in the order of its sorted labels.

    row     (n,) labels, None and NaN missing
    column  (n,) labels, None and NaN in no column; or (n, B) true/false or 0/1: columns that may overlap, as
            the pickers of each option. The covariance then has what the columns share.
    df      None: PSUs - strata of all who are in some column with an answer; R's degf(design) is
            design.degrees() of the whole design

    The rest as compare_columns(). Raises NotTestable also for an answer that is the same throughout.
    """
    codes, labels = categories(row, len(design), "the row question")
    inside = _columns(column, design, codes >= 0)
    indicators = [(codes == number).astype(float) for number in range(len(labels))]
    several([one for one, is_so in zip(labels, indicators, strict=True) if is_so[inside.any(axis=1)].any()], "the row")
    return _compare(indicators, inside, design, df, adjust, alpha, small_base, few_psus)


def compare_means_of(
    y: ArrayLike,
    column: ArrayLike,
    design: Design,
    *,
    df: int | None = None,
    adjust: multiplicity.Method = "holm",
    alpha: float = ALPHA,
    small_base: int = SMALL_BASE,
    few_psus: int = FEW_PSUS,
) -> Comparison:
    """Return the comparison of the means of *y*, shape (n,), NaN missing, between columns: a table of one row.

    Arguments as compare_columns_of(). A column in which everybody gave the same answer is in no pair.
    """
    values = np.asarray(y, dtype=float)
    if values.shape != design.weight.shape or np.isinf(values).any():
        raise NotTestable(f"the answers must be {len(design)} finite numbers, NaN where missing")
    inside = _columns(column, design, ~np.isnan(values))
    return _compare([np.nan_to_num(values)], inside, design, df, adjust, alpha, small_base, few_psus)


def compatible_columns(
    row: ArrayLike,
    column: ArrayLike,
    *,
    base: Base,
    weight: ArrayLike | None = None,
    adjust: multiplicity.Method = "bonferroni",
    alpha: float = ALPHA,
) -> Comparison:
    """Return the comparison that table programs make: z tests of weighted column shares on the *base* named.

    row, column  (n,) labels, None and NaN missing
    base         what counts as the size of a column: "weighted" its weights' sum (the default of SPSS Custom
                 Tables), "effective" (Σw)²/Σw², "unweighted" its respondents
    weight       (n,) positive; None: 1 each

    z = (p_a - p_b)/√(p(1 - p)(1/b_a + 1/b_b)) with the pooled share p, against the normal distribution. A column
    whose share is exactly 0 or 1 is in no pair of that row, one with a base under 2 in none.
    For comparing with other programs only: clusters are ignored and, on the weighted base, so is what weights do
    to the error. Raises NotTestable for bad weights and fewer than two rows or columns.
    """
    if base not in get_args(Base):
        raise NotTestable(f"no base is called {base!r}; choose weighted, effective or unweighted")
    labels = np.asarray(row)
    codes, down = categories(labels, len(labels), "the row question")
    groups, across = categories(column, len(labels), "the columns")
    weights = np.ones(len(labels)) if weight is None else np.asarray(weight, float)
    if weights.shape != codes.shape or not (np.isfinite(weights) & (weights > 0)).all():
        raise NotTestable(f"weights are needed for all {len(labels)} respondents, positive and finite")
    both = (codes >= 0) & (groups >= 0)
    size = len(down) * len(across)
    cell, weights = codes[both] * len(across) + groups[both], weights[both]
    n = np.bincount(cell, minlength=size).reshape(len(down), len(across))
    total = np.bincount(cell, weights, size).reshape(len(down), len(across))
    several([name for name, count in zip(down, n.sum(axis=1), strict=True) if count], "the row question")
    column_weight = total.sum(axis=0)
    squares = np.bincount(groups[both], weights**2, len(across))
    with np.errstate(invalid="ignore"):
        effective = column_weight**2 / squares
    sizes = {"weighted": column_weight, "effective": np.nan_to_num(effective), "unweighted": n.sum(axis=0)}[base]
    share = total / np.where(column_weight > 0, column_weight, np.nan)
    excluded = {int(one): f"its {base} base is under 2" for one in np.flatnonzero(sizes < 2)}
    varies = (n > 0) & (n < n.sum(axis=0))
    tester = _pooled_pairs(share, np.asarray(sizes, float))
    return _comparison(base, share, n.sum(axis=0), varies, excluded, tester, adjust, alpha)


def column_letter(number: int) -> str:
    """Return the letter of a column numbered from 0: A … Z, AA, AB …, as a spreadsheet's."""
    text = ""
    while number >= 0:
        number, rest = divmod(number, 26)
        text, number = chr(ord("A") + rest) + text, number - 1
    return text


Tested = tuple[Floats, Floats, Floats, Floats, int | None]
"""Of the pairs of one row: difference, standard error, statistic, p, and degrees of freedom of all."""

Tester = Callable[[int, Codes, Codes], Tested]


def _compare(
    answers: Sequence[Floats],
    inside: Mask,
    design: Design,
    df: int | None,
    adjust: multiplicity.Method,
    alpha: float,
    small_base: int,
    few_psus: int,
) -> Comparison:
    """Compare the means of each of *answers*, shape (n,), between the columns *inside*, shape (n, B)."""
    base_n = inside.sum(axis=0)
    psus = np.array([len(np.unique(design.psu[one])) for one in inside.T])
    excluded = _excluded(base_n, psus, small_base, few_psus)
    weight = design.weight[:, None] * inside
    size = weight.sum(axis=0)
    base = np.where(size > 0, size, np.nan)
    value, spread, varies = [], [], []
    for answer in answers:
        mean = answer @ weight / base
        influence = np.nan_to_num(weight * (answer[:, None] - mean) / base)
        value.append(mean)
        spread.append(covariance(influence, design))
        varies.append([bool(one.any()) and np.ptp(answer[one]) > 0 for one in inside.T])
    degrees = design.domain(inside.any(axis=1)).degrees() if df is None else df
    tester = _design_pairs(np.array(value), np.array(spread), _degrees(degrees))
    return _comparison("design", np.array(value), base_n, np.array(varies), excluded, tester, adjust, alpha)


def _columns(column: ArrayLike, design: Design, answered: Mask) -> Mask:
    """Return who is in which column and has an answer, shape (n, B)."""
    given = np.asarray(column)
    if given.ndim == 2:
        if len(given) != len(design) or not np.isin(given, (0, 1)).all():
            raise NotTestable(f"overlapping columns are an array of 0 and 1 with {len(design)} rows")
        inside = given.astype(bool)
    else:
        groups, labels = categories(given, len(design), "the columns")
        inside = groups[:, None] == np.arange(len(labels))
    return inside & (answered & design.members)[:, None]


def _degrees(df: int) -> int:
    if df < 1:
        raise NotTestable(f"{df} degrees of freedom (PSUs - strata) are too few to compare columns")
    return int(df)


def _excluded(base_n: Codes, psus: Codes, small_base: int, few_psus: int) -> dict[int, str]:
    reasons = {}
    for number, (n, units) in enumerate(zip(base_n.tolist(), psus.tolist(), strict=True)):
        if n == 0:
            reasons[number] = "nobody is in it"
        elif n < small_base:
            reasons[number] = f"{n} respondents, fewer than {small_base}"
        elif units < few_psus:
            reasons[number] = f"respondents of {units} PSUs, fewer than {few_psus}"
    return reasons


def _design_pairs(value: Floats, spread: Floats, df: int) -> Tester:
    """Return the tester of pairs by t(df); *value* (K, B), *spread* (K, B, B)."""
    from scipy.special import stdtr

    def test(row: int, a: Codes, b: Codes) -> Tested:
        difference, matrix = value[row, a] - value[row, b], spread[row]
        own = matrix[a, a] + matrix[b, b]
        variance = own - 2 * matrix[a, b]
        # Columns of the same respondents differ by rounding noise at most.
        same = variance <= 1e-12 * own
        if (same & (np.abs(difference) > 1e-9 * np.abs(value[row, a]))).any():
            raise DesignError("the design says that two columns differ without error; there is nothing to test in it")
        se = np.sqrt(np.where(same, 0, variance))
        t = np.where(same, 0, difference / np.where(same, 1, se))
        return np.where(same, 0, difference), se, t, np.where(same, 1, 2 * stdtr(df, -np.abs(t))), df

    return test


def _pooled_pairs(share: Floats, size: Floats) -> Tester:
    """Return the tester of pairs by z; *share* (K, B), *size* (B,)."""
    from scipy.special import ndtr

    def test(row: int, a: Codes, b: Codes) -> Tested:
        first, second = share[row, a], share[row, b]
        pooled = (size[a] * first + size[b] * second) / (size[a] + size[b])
        se = np.sqrt(pooled * (1 - pooled) * (1 / size[a] + 1 / size[b]))
        z = (first - second) / se
        return first - second, se, z, 2 * ndtr(-np.abs(z)), None

    return test


def _comparison(
    method: str,
    value: Floats,
    base_n: Codes,
    varies: Mask,
    excluded: dict[int, str],
    tester: Tester,
    adjust: multiplicity.Method,
    alpha: float,
) -> Comparison:
    """Test every pair of usable columns in every row; *value* and *varies* have shape (K, B)."""
    rows, columns = value.shape
    compared = np.array([number not in excluded for number in range(columns)], dtype=bool)
    if compared.sum() < 2:
        reasons = "; ".join(f"{column_letter(number)}: {reason}" for number, reason in excluded.items())
        raise NotTestable(f"{compared.sum()} of {columns} columns can be compared ({reasons}); it takes two")
    letter = tuple(column_letter(number) for number in range(columns))
    pairs: list[Pair] = []
    letters = [["" for _ in range(columns)] for _ in range(rows)]
    for row in range(rows):
        found = _row(row, np.flatnonzero(compared & varies[row]), tester, adjust)
        pairs += found
        for column, smaller in _smaller(found, alpha).items():
            letters[row][column] = ("" if columns <= 26 else " ").join(letter[other] for other in sorted(smaller))
    return Comparison(
        method, adjust, value, base_n, letter, tuple(map(tuple, letters)), tuple(pairs), dict(excluded), alpha
    )


def _row(row: int, use: Codes, tester: Tester, adjust: multiplicity.Method) -> list[Pair]:
    if len(use) < 2:
        return []
    a, b = np.array(list(combinations(use.tolist(), 2))).T
    difference, se, statistic, p, df = tester(row, a, b)
    low, high = t_interval(difference, se, np.inf if df is None else df)
    p_adjusted = multiplicity.adjusted(p, adjust)
    columns = (one.tolist() for one in (difference, se, low, high, statistic, p, p_adjusted))
    return [
        Pair(row, first, second, gap, error, below, above, test, df, raw, new)
        for first, second, gap, error, below, above, test, raw, new in zip(
            a.tolist(), b.tolist(), *columns, strict=True
        )
    ]


def _smaller(pairs: Sequence[Pair], alpha: float) -> dict[int, list[int]]:
    """Return, for each column that is significantly larger than another, those others."""
    found: dict[int, list[int]] = {}
    for pair in pairs:
        if pair.p_adjusted < alpha and pair.difference:
            larger, smaller = (pair.a, pair.b) if pair.difference > 0 else (pair.b, pair.a)
            found.setdefault(larger, []).append(smaller)
    return found
