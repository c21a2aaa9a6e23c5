"""Raking: weights that meet several margins at once, and change the design's own as little as that allows.

Iterative proportional fitting (Deming and Stephan 1940) of the cells that the margins cut the sample into:
all respondents of a cell get one factor, so a million of them cost what their cells cost. R: rake().
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from analysis.design import Calibration, Codes, Design, Floats
from analysis.weighting._cells import Cells
from analysis.weighting._margins import Margin, NotConverged
from analysis.weighting._residuals import Scaled, Swept
from analysis.weighting._targets import Target, require_somebody, targets
from analysis.weighting._weighted import Reweight, Weighted, per_cell, spread

TOLERANCE = 1e-10
ROUNDS = 1000

Sum = Callable[[int, Floats], Floats]
"""(number of a margin, weights of the cells) → sums of its codes; weights (C,) → (K,), or (C, R) → (K, R)."""


def weights(
    design: Design,
    margins: Sequence[Margin],
    *,
    total: float | None = None,
    tolerance: float = TOLERANCE,
    rounds: int = ROUNDS,
) -> Weighted:
    """Return the design's domain with weights that meet every margin.

    design     its weights are those that are changed; only members of the domain are weighted
    total      what the weights sum to. None: the total of the margins; where all are shares, the sum of
               the design's weights, which then counts as estimated and not as known
    tolerance  converged is when no code of any margin is off by more than this share of its target
    rounds     sweeps over all margins after which it is given up, at least 1

    Linearised errors are those of R's survey after rake(); the jackknife rakes anew (`reweight`).

    Raises MarginError for margins that the sample can't meet (see Margin) and NotConverged, which names the
    margin, the code and the gap.
    """
    cells = Cells.of(margins, design)
    aims = targets(margins, design, cells, total)
    base = cells.sums(design.weight[cells.rows])
    amounts = [aim.amount for aim in aims]
    raked, done = _fit(cells.margin, cells.position, aims, amounts, base, tolerance=tolerance, rounds=rounds)
    factor = raked / base
    weight = spread(cells, design.weight[None, :], factor[:, None])[0]
    known = total is not None or any(margin.kind == "totals" for margin in margins)
    calibration: Calibration = Swept(cells, weight)
    if not known:
        calibration = Scaled(calibration, cells.rows, design.weight)
    again = _again(cells, aims, factor, known, tolerance=tolerance, rounds=rounds)
    return Weighted(design, weight, calibration, again, targets=aims, rounds=done)


def _fit(
    summed: Sum,
    position: Sequence[Codes],
    aims: Sequence[Target],
    amounts: Sequence[Floats],
    made: Floats,
    *,
    tolerance: float,
    rounds: int,
) -> tuple[Floats, int]:
    """Return the raked weights of the cells, (C,) or (C, R), and the sweeps it took.

    amounts  what each margin's codes have to sum to, (K,), (K, 1) or (K, R)
    made     the weights to begin with; the result is the same for all that differ by factors of codes alone
    """
    made = made.copy()
    for done in range(1, rounds + 1):
        largest = 0.0
        for m, amount in enumerate(amounts):
            reached = summed(m, made)
            largest = max(largest, float(_gaps(reached, amount).max()))
            # A code that the population does not have has no respondents: 0 of 0.
            made *= np.divide(amount, reached, out=np.ones_like(reached), where=reached > 0)[position[m]]
        # What a margin was off by when its turn came says when it is worth to look at all of them together.
        if largest <= tolerance or done == rounds:
            gaps = [_gaps(summed(m, made), amount) for m, amount in enumerate(amounts)]
            if max(float(gap.max()) for gap in gaps) <= tolerance:
                return made, done
    raise _not_converged(aims, gaps, amounts, rounds)


def _gaps(reached: Floats, amount: Floats) -> Floats:
    """Return how far the codes of a margin are off, as shares of their targets."""
    return np.divide(np.abs(reached - amount), amount, out=np.zeros_like(reached), where=amount > 0)


def _not_converged(
    aims: Sequence[Target], gaps: Sequence[Floats], amounts: Sequence[Floats], rounds: int
) -> NotConverged:
    m = int(np.argmax([gap.max() for gap in gaps]))
    code = int(np.unravel_index(np.argmax(gaps[m]), gaps[m].shape)[0])
    return NotConverged(
        "raking",
        margin=aims[m].margin.name,
        code=aims[m].margin.codes[code],
        gap=float(gaps[m].max()),
        rounds=rounds,
        margin_errors={
            aim.margin.name: float((gap * amount).max()) for aim, gap, amount in zip(aims, gaps, amounts, strict=True)
        },
    )


def _again(
    cells: Cells, aims: Sequence[Target], factor: Floats, known: bool, *, tolerance: float, rounds: int
) -> Reweight:
    """Return the raking of replicates, all at once, from where the sample's own raking ended.

    A replicate's weights are the sample's but for one PSU's, so its factors are close to the sample's.
    """

    def reweight(replicates: Floats) -> Floats:
        base = per_cell(cells, replicates)
        require_somebody(cells, aims, base)
        amounts = [aim.amount[:, None] if known else aim.share[:, None] * base.sum(axis=0) for aim in aims]
        raked, _ = _fit(
            cells.margin_of_replicates,
            cells.position,
            aims,
            amounts,
            base * factor[:, None],
            tolerance=tolerance,
            rounds=rounds,
        )
        return spread(cells, replicates, np.divide(raked, base, out=np.ones_like(base), where=base > 0))

    return reweight
