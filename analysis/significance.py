"""Tests under the sampling design: cross-tabs, given shares, two groups, two waves.

Every test is corrected for the design by the covariance of the sums it is made of, whichever engine or
estimator made that covariance. A test that can't be made raises NotTestable and says why.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from analysis import estimators
from analysis.categories import NotTestable, categories, several, two
from analysis.design import Codes, Design, Floats
from analysis.design_effects import generalised, saddlepoint
from analysis.effect_sizes import bias_corrected_v, cramer_v
from analysis.estimators import Estimate
from analysis.moments import Moments
from analysis.variance import covariance

_NOISE = 1e-12
"""Share of what a simple random sample would have below which a variance is rounding noise."""


@dataclass(frozen=True)
class Test:
    """The outcome of one test.

    statistic  F or chi-squared, as *ndf* and *ddf* say
    ndf        degrees of freedom of the numerator; of a chi-squared, all there are
    ddf        degrees of freedom of the denominator; None for a chi-squared
    """

    __test__ = False  # not for pytest

    statistic: float
    ndf: float
    ddf: float | None
    p: float


@dataclass(frozen=True, eq=False)
class RaoScott:
    """The tests of independence of one cross-tab under the design.

    n        respondents in the table
    df       degrees of freedom of the design: PSUs - strata
    rows, columns  the categories that anybody is in; empty ones are left out of the table
    x2       Pearson's X² of the weighted table scaled to n respondents
    sparse   true where so many cells are empty that the observed shares can't carry the design effects, and
             those expected under independence did; a test to read with care
    deff     the design effect of the table: the mean of the generalised design effects
    cramer_v, cramer_v_corrected  as in effect_sizes, of the weighted table; the second without its bias
    """

    n: int
    df: int
    rows: int
    columns: int
    x2: float
    sparse: bool
    deff: float
    cramer_v: float
    cramer_v_corrected: float
    _effects: Floats = field(repr=False)
    _total: Floats = field(repr=False)
    _covariance: Floats = field(repr=False)

    @cached_property
    def design_effects(self) -> Floats:
        """The (rows - 1)(columns - 1) generalised design effects, largest first; 1 each in a simple random sample."""
        return np.maximum(np.linalg.eigvalsh(self._effects)[::-1][: self._cells], 0)

    @cached_property
    def second_order(self) -> Test:
        """The default: F with Satterthwaite's degrees of freedom. R: svychisq(statistic="F")."""
        trace, squares = float(np.trace(self._effects)), float((self._effects**2).sum())
        ndf = trace**2 / squares
        return _f(self.x2 / trace, ndf, ndf * self.df)

    @cached_property
    def first_order(self) -> Test:
        """Pearson's X² over the mean design effect, against chi-squared. R: svychisq(statistic="Chisq").

        The statistic is the corrected one; R prints the uncorrected X² beside the p-value of this.
        """
        from scipy.special import chdtrc

        statistic = self.x2 / self.deff
        return Test(statistic, self._cells, None, float(chdtrc(self._cells, statistic)))

    @cached_property
    def saddlepoint(self) -> float:
        """The p-value of X² as weighted chi-squares over one more, by saddlepoint. R: statistic="saddlepoint"."""
        second = self.second_order
        assert second.ddf is not None
        tail = saddlepoint(self.x2, self.design_effects, second.ddf)
        return second.p if tail is None else tail

    @cached_property
    def wald(self) -> Test:
        """Wald's F of observed minus expected totals; too liberal with few PSUs. R: svychisq(statistic="Wald")."""
        return _f(self._wald / self._cells, self._cells, self.df)

    @cached_property
    def adjusted_wald(self) -> Test:
        """Wald's F with the denominator's degrees of freedom reduced. R: svychisq(statistic="adjWald")."""
        cells = self._cells
        ddf = self.df - cells + 1
        if ddf < 1:
            raise NotTestable(
                f"the adjusted Wald test of {self.rows} × {self.columns} cells needs more than {cells - 1} degrees of "
                f"freedom and the design has {self.df}; use the Rao-Scott test or merge categories"
            )
        return _f(self._wald * ddf / (cells * self.df), cells, ddf)

    @property
    def _cells(self) -> int:
        return (self.rows - 1) * (self.columns - 1)

    @cached_property
    def _wald(self) -> float:
        cells = self._cells
        if self.df < cells:
            raise NotTestable(
                f"the Wald test of {self.rows} × {self.columns} cells needs at least {cells} degrees of freedom "
                f"and the design has {self.df}; use the Rao-Scott test or merge categories"
            )
        total = self._total
        share_of_group = total.sum(axis=1) / total.sum()
        share_of_code = total.sum(axis=0) / total.sum()
        expected = np.outer(share_of_group, share_of_code) * total.sum()
        # d(O - rc/N) for cell (g, k): own cell 1, its group -c/N, its code -r/N, every cell + rc/N²
        groups, codes = (np.eye(size) for size in total.shape)
        slopes = (
            np.eye(total.size)
            - np.kron(groups, np.outer(share_of_code, np.ones(self.rows)))
            - np.kron(np.outer(share_of_group, np.ones(self.columns)), codes)
            + np.outer(share_of_group, share_of_code).reshape(-1, 1)
        )
        use = np.arange(total.size).reshape(total.shape)[1:, 1:].ravel()
        gap = (total - expected).ravel()[use]
        spread = slopes[use] @ self._covariance @ slopes[use].T
        return quadratic(gap, spread, "the Wald test")


def rao_scott(total: ArrayLike, covariance: ArrayLike, *, n: int, df: int) -> RaoScott:
    """Return the tests of independence of a table known by its weighted totals and their covariance.

    total       (B, K) weighted total of each cell, groups × codes as in Moments
    covariance  (C, C) sampling covariance of the cells, C = B·K, numbered group by group
    n           respondents in the table
    df          degrees of freedom of the design, PSUs - strata

    Second and first order after Rao and Scott (1981, 1984), F form of Thomas and Rao (1987): X² is referred to
    Σλχ², λ the eigenvalues of (C'D⁻¹C)⁻¹(C'D⁻¹VD⁻¹C)·n with C a basis of the interactions, D the observed cell
    shares and V their covariance. As in R's svychisq() an empty cell enters D⁻¹ as 0. Where empty cells make the
    first matrix singular (R stops), D holds the shares expected under independence, as Rao and Scott first had it,
    and `sparse` says so.

    Raises NotTestable for fewer than two rows or columns with answers, for df < 1, and where the design
    leaves the table no variance.
    """
    totals, spread = _table(total, covariance)
    _testable(totals, df)
    groups, codes = totals.shape
    size = totals.sum()
    effects, sparse = generalised(totals / size, n * spread / size**2)
    cells = (groups - 1) * (codes - 1)
    if np.trace(effects) <= _NOISE * cells:
        raise NotTestable("the design leaves the table no variance: its cells are known without error")
    x2 = float(n * pearson(totals / size))
    return RaoScott(
        n=int(n),
        df=int(df),
        rows=codes,
        columns=groups,
        x2=x2,
        sparse=sparse,
        deff=float(np.trace(effects)) / cells,
        cramer_v=cramer_v(x2 / n, codes, groups),
        cramer_v_corrected=bias_corrected_v(x2 / n, codes, groups, n),
        _effects=effects,
        _total=totals,
        _covariance=spread,
    )


def rao_scott_of_moments(moments: Moments, *, df: int | None = None) -> RaoScott:
    """Return the tests of a table from the Moments of any engine; df None: those of the whole table's base."""
    degrees = moments.table_df if df is None else df
    return rao_scott(moments.total, moments.covariance, n=int(moments.base_n.sum()), df=degrees)


def rao_scott_of(row: ArrayLike, column: ArrayLike, design: Design, *, df: int | None = None) -> RaoScott:
    """Return the tests of independence of two questions, labels of shape (n,); None and NaN are missing.

    Who misses either answer is out of the base, as a domain. n and the degrees of freedom are the base's; R's
    svychisq(na.rm=TRUE) takes those of all respondents, which makes its X² too large and changes ddf. Give
    df=design.degrees() for R's F.

    Holds n × cells numbers; for large samples make Moments by an engine and use rao_scott_of_moments().
    Raises NotTestable as rao_scott().
    """
    codes, code_labels = categories(row, len(design), "the row question")
    groups, group_labels = categories(column, len(design), "the column question")
    several(code_labels, "the row question")
    several(group_labels, "the column question")
    base = design.domain((codes >= 0) & (groups >= 0) & design.members)
    cell = np.where(base.members, groups * len(code_labels) + codes, -1)
    total, spread = _totals(cell, len(code_labels) * len(group_labels), base)
    table = total.reshape(len(group_labels), len(code_labels))
    return rao_scott(table, spread, n=int(base.members.sum()), df=base.degrees() if df is None else df)


@dataclass(frozen=True)
class GoodnessOfFit:
    """The test that the shares in the population are the given ones.

    x2          Pearson's X² of the weighted totals, in units of the weights (R prints this one)
    scale, df   X² / scale is referred to chi-squared with df degrees of freedom; the weights' unit cancels
    statistic   x2 / scale
    n           respondents
    """

    x2: float
    scale: float
    statistic: float
    df: float
    p: float
    n: int


def goodness_of_fit(total: ArrayLike, covariance: ArrayLike, *, share: ArrayLike, n: int) -> GoodnessOfFit:
    """Return the test of given shares from weighted totals, shape (K,), and their covariance. R: svygofchisq().

    share  (K,) positive; divided by their sum
    n      respondents

    Second-order Rao-Scott (1981): X² = Σ(O - E)²/E has the eigenvalues of the covariance of (O - E)/√E, by
    linearisation, as weights of its chi-squares; Satterthwaite's approximation over all K of them.
    Raises NotTestable if the totals have no variance, as where the sample is stratified by this very question.
    """
    from scipy.special import chdtrc

    totals, spread = np.asarray(total, float), np.asarray(covariance, float)
    wanted = np.asarray(share, float)
    if wanted.shape != totals.shape or totals.ndim != 1 or spread.shape != (totals.size, totals.size):
        raise NotTestable(f"{totals.size} categories need {totals.size} given shares; there are {wanted.size}")
    if len(wanted) < 2 or not (np.isfinite(wanted) & (wanted > 0)).all():
        raise NotTestable("the given shares must be two or more positive numbers; leave out what nobody can be in")
    if not n or not totals.sum() > 0:
        raise NotTestable("nobody has an answer; there is nothing to compare with the given shares")
    wanted = wanted / wanted.sum()
    expected = wanted * totals.sum()
    # (O - E)/√E with E = pN: its own total moves it by 1/√E, every total by the change of E
    through_size = (totals / expected + 1) / 2 * np.sqrt(wanted / totals.sum())
    slopes = np.diag(1 / np.sqrt(expected)) - through_size[:, None]
    effects = np.maximum(np.linalg.eigvalsh(slopes @ spread @ slopes.T), 0)
    if effects.mean() <= _NOISE * totals.sum() / n:
        raise NotTestable("the design fixes these shares (it is stratified by them), so they have no variance to test")
    x2 = float(((totals - expected) ** 2 / expected).sum())
    scale = float((effects**2).sum() / effects.sum())
    df = float(effects.sum() ** 2 / (effects**2).sum())
    return GoodnessOfFit(x2, scale, x2 / scale, df, float(chdtrc(df, x2 / scale)), int(n))


def goodness_of_fit_of(answer: ArrayLike, design: Design, *, share: ArrayLike) -> GoodnessOfFit:
    """Return the test that the labels *answer*, shape (n,), have the given shares, in the order of the sorted labels.

    None and NaN are missing, out of the base. Raises NotTestable as goodness_of_fit().
    """
    codes, labels = categories(answer, len(design), "the answer")
    base = design.domain((codes >= 0) & design.members)
    total, spread = _totals(np.where(base.members, codes, -1), len(labels), base)
    return goodness_of_fit(total, spread, share=share, n=int(base.members.sum()))


@dataclass(frozen=True)
class TTest:
    """A difference (second group - first), its standard error and test; *groups* are the labels, in that order."""

    groups: tuple[str, str]
    difference: float
    se: float
    t: float
    df: int
    p: float
    low: float
    high: float


def t_test(y: ArrayLike, group: ArrayLike, design: Design) -> TTest:
    """Return the comparison of the means of *y* in the two groups, second sorted label - first. R: svyttest().

    y      (n,) numbers, NaN missing
    group  (n,) two labels (false < true), None or NaN missing

    The standard error has the covariance between the groups, who may share PSUs. Degrees of freedom as R's
    regression: PSUs - strata of both groups' base, less one.
    Raises NotTestable unless there are two groups, a degree of freedom and a spread.
    """
    estimates, labels = _means(y, group, design, "the group")
    two(labels, "the group")
    difference = estimators.difference(estimates[1], estimates[0])
    return _t_test(difference, difference.df - 1, (labels[0], labels[1]))


def compare_waves(y: ArrayLike, wave: ArrayLike, design: Design) -> TTest:
    """Return the change of the mean of *y* (0/1 for a share) from the first to the second wave.

    y     (n,) numbers, NaN missing
    wave  (n,) two labels, the earlier sorting first

    Say in the design how the waves hang together. Independent samples: stratum=wave, so that an organisation
    is a PSU of its own in each. A panel of organisations: the organisations as PSUs, no stratum of waves; then
    what an organisation answered in one wave is set against what it answered in the other.
    Degrees of freedom: PSUs - strata. R: svycontrast() of svyby(covmat=TRUE). Raises NotTestable as t_test().
    """
    estimates, labels = _means(y, wave, design, "the wave")
    two(labels, "the wave")
    difference = estimators.difference(estimates[1], estimates[0])
    return _t_test(difference, difference.df, (labels[0], labels[1]))


def _means(y: ArrayLike, group: ArrayLike, design: Design, what: str) -> tuple[list[Estimate], tuple[str, ...]]:
    codes, labels = categories(group, len(design), what)
    values = np.asarray(y, dtype=float)
    if values.shape != codes.shape:
        raise NotTestable(f"the answers have shape {values.shape}, {what} has {codes.shape}")
    answered = [np.where(codes == number, values, np.nan) for number in range(len(labels))]
    some = [number for number, one in enumerate(answered) if (~np.isnan(one) & design.members).any()]
    return [estimators.mean(answered[number], design) for number in some], tuple(labels[number] for number in some)


def _t_test(difference: Estimate, df: int, groups: tuple[str, str]) -> TTest:
    if df < 1:
        raise NotTestable(f"{difference.df} degrees of freedom (PSUs - strata) are too few to compare two groups")
    if not difference.estimable:
        raise NotTestable("everybody of both groups gave the same answer, or the design leaves it no variance")
    t = difference.value / difference.se
    low, high = estimators.t_interval(difference.value, difference.se, df)
    p = two_sided(t, df)
    return TTest(groups, difference.value, difference.se, t, df, p, float(low), float(high))


def two_sided(t: float, df: float) -> float:
    """Return the two-sided p-value of Student's *t*."""
    from scipy.special import stdtr

    return float(2 * stdtr(df, -abs(t)))


def pearson(share: Floats) -> float:
    """Return Pearson's φ² of a table of shares that sum to 1, without empty rows or columns."""
    expected = np.outer(share.sum(axis=1), share.sum(axis=0))
    return float(((share - expected) ** 2 / expected).sum())


def quadratic(gap: Floats, spread: Floats, what: str) -> float:
    """Return gap' spread⁻¹ gap; raises NotTestable, naming *what*, if the covariance is singular."""
    scale = np.sqrt(np.diag(spread))
    if not (scale > 0).all() or np.linalg.matrix_rank(spread / np.outer(scale, scale), tol=1e-10) < len(gap):
        raise NotTestable(
            f"{what}: the covariance is singular (empty cells, or fewer PSUs than it has directions); merge categories"
        )
    return float(gap @ np.linalg.solve(spread, gap))


def _totals(cell: Codes, cells: int, base: Design) -> tuple[Floats, Floats]:
    """Return the weighted totals of the cells and their covariance; cell -1 is none."""
    influence = np.zeros((len(base), cells))
    inside = np.flatnonzero(cell >= 0)
    influence[inside, cell[inside]] = base.weight[inside]
    return influence.sum(axis=0), covariance(influence, base)


def _table(total: ArrayLike, spread: ArrayLike) -> tuple[Floats, Floats]:
    """Return the table and its covariance without empty rows and columns."""
    totals, matrix = np.asarray(total, float), np.asarray(spread, float)
    if totals.ndim != 2 or matrix.shape != (totals.size, totals.size):
        raise NotTestable(f"a table of shape {totals.shape} needs a covariance of all its cells, not {matrix.shape}")
    if not np.isfinite(totals).all() or (totals < 0).any() or not np.isfinite(matrix).all():
        raise NotTestable("the totals of a table must be finite and not negative, and their covariance finite")
    groups, codes = totals.sum(axis=1) > 0, totals.sum(axis=0) > 0
    kept = np.outer(groups, codes).ravel()
    return totals[np.ix_(groups, codes)], matrix[np.ix_(kept, kept)]


def _testable(totals: Floats, df: int) -> None:
    groups, codes = totals.shape
    if groups < 2 or codes < 2:
        what, number = ("columns", groups) if groups < 2 else ("rows", codes)
        raise NotTestable(f"the table has answers in {number} of its {what}; independence needs at least two")
    if df < 1:
        raise NotTestable(f"the table's base has {df} degrees of freedom (PSUs - strata); a test needs at least one")


def _f(statistic: float, ndf: float, ddf: float) -> Test:
    from scipy.special import fdtrc

    return Test(float(statistic), float(ndf), float(ddf), float(fdtrc(ndf, ddf, statistic)))
