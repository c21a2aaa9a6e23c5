"""The generalised design effects of a cross-tab, and the tail of the weighted chi-squares they make of its X²."""

from __future__ import annotations

import numpy as np

from analysis.design import Floats


def generalised(share: Floats, spread: Floats) -> tuple[Floats, bool]:
    """Return a matrix whose non-zero eigenvalues are the generalised design effects, and whether cells are too sparse.

    share   (B, K) cell shares
    spread  (C, C) covariance of the totals over that of a simple random sample's unit, N²/n
    """
    own = share.ravel()
    if not own.all():
        return _with_empty_cells(share, spread)
    # Interactions over √share are what is orthogonal to main effects times √share; those are few. The totals'
    # common factor is one of them, so that totals and shares come to the same.
    root = np.sqrt(own)
    groups, codes = share.shape
    main = np.hstack([np.repeat(np.eye(groups), codes, axis=0), np.tile(np.eye(codes)[:, 1:], (groups, 1))])
    basis, _ = np.linalg.qr(root[:, None] * main)
    scaled = spread / np.outer(root, root)
    scaled -= basis @ (basis.T @ scaled)
    return scaled - (scaled @ basis) @ basis.T, False


def _with_empty_cells(share: Floats, spread: Floats) -> tuple[Floats, bool]:
    own = share.ravel()
    contrasts = np.kron(*(_contrasts(size) for size in share.shape))
    scale = np.sqrt(np.where(own > 0, 1 / np.where(own > 0, own, 1), 0))
    basis, sparse = _orthonormal(scale[:, None] * contrasts)
    if sparse:
        scale = 1 / np.sqrt(np.outer(share.sum(axis=1), share.sum(axis=0)).ravel())
        basis, _ = _orthonormal(scale[:, None] * contrasts)
    return basis.T @ (scale[:, None] * _of_shares(own, spread) * scale) @ basis, sparse


def _of_shares(own: Floats, spread: Floats) -> Floats:
    """Return the covariance of the cells' shares from that of their totals: (I - p1') V (I - p1')'."""
    of_all = spread.sum(axis=1)
    less = np.outer(own, of_all - own * (of_all.sum() / 2))
    return spread - less - less.T


def _contrasts(size: int) -> Floats:
    """Return an orthonormal basis of what sums to zero over *size* categories, shape (size, size - 1): Helmert's."""
    basis = np.triu(np.ones((size, size - 1)))
    steps = np.arange(1, size)
    basis[steps, steps - 1] = -steps
    return basis / np.sqrt(steps * (steps + 1.0))


def _orthonormal(matrix: Floats) -> tuple[Floats, bool]:
    """Return an orthonormal basis of the columns, and whether they fail to be independent."""
    basis, triangle = np.linalg.qr(matrix)
    diagonal = np.abs(np.diag(triangle))
    return basis, bool(diagonal.min() <= 1e-9 * diagonal.max())


def saddlepoint(x2: float, effects: Floats, ddf: float) -> float | None:
    """Return P(Σλχ² > x2 · χ²(ddf)/ddf) by the Lugannani-Rice saddlepoint approximation (Kuonen 1999).

    The chi-squared of the denominator counts as R does: with the whole part of its degrees of freedom.
    Where the saddlepoint is so near 0 that the formula breaks down, None: take Satterthwaite's approximation.
    """
    from scipy.optimize import brentq
    from scipy.special import ndtr

    weight = np.append(effects[effects > 0], -x2 / ddf)
    # Of a two by two table they are whole but for rounding.
    times = np.append(np.ones(len(weight) - 1), np.floor(ddf * (1 + 1e-9)))
    weight = weight / weight.max()
    if x2 == 0:
        return 1.0
    low, high = 0.99999 / (2 * weight.min()), 0.99999 / (2 * weight.max())

    def slope(z: float) -> float:
        return float((times * weight / (1 - 2 * z * weight)).sum())

    if slope(low) * slope(high) >= 0:
        return None
    z = brentq(slope, low, high, xtol=1e-14, rtol=1e-14)
    if abs(z) < 1e-4:
        return None
    height = -float((times * np.log1p(-2 * z * weight)).sum()) / 2
    curvature = 2 * float((times * weight**2 / (1 - 2 * z * weight) ** 2).sum())
    w = np.sign(z) * np.sqrt(-2 * height)
    v = z * np.sqrt(curvature)
    return float(ndtr(-(w + np.log(v / w) / w)))
