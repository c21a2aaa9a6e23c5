"""Post-stratification: weights that meet one margin, or one cross of several, in a single step. R: postStratify()."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.design import Calibration, Design, Floats
from analysis.weighting._cells import Cells
from analysis.weighting._margins import Margin, MarginError
from analysis.weighting._residuals import Scaled, Stratified
from analysis.weighting._targets import require_somebody, targets
from analysis.weighting._weighted import Weighted, per_cell, spread


def weights(design: Design, margins: Sequence[Margin], *, total: float | None = None) -> Weighted:
    """Return the design's domain with its weights scaled, within each code, to the population's figure.

    margins  exactly one; cross variables within it (a tuple of labels) for finer post-strata
    total    what the weights sum to. None: the margin's own total; of shares, the sum of the design's
             weights, which then counts as estimated and not as known

    Linearised errors take deviations from post-stratum means, weighted by the design's own weights (Särndal,
    Swensson and Wretman 1992, section 7.6; R: svyrecvar()). Raises MarginError as Margin says.
    """
    if len(margins) != 1:
        raise MarginError(
            f"post-stratification is to one margin, not {len(margins)}: cross the variables in one margin, or rake"
        )
    cells = Cells.of(margins, design)
    (aim,) = targets(margins, design, cells, total)
    share = aim.share[cells.position[0]]
    known = total is not None or margins[0].kind == "totals"
    factor = share * aim.total / cells.sums(design.weight[cells.rows])
    weight = spread(cells, design.weight[None, :], factor[:, None])[0]

    def reweight(replicates: Floats) -> Floats:
        base = per_cell(cells, replicates)
        require_somebody(cells, [aim], base)
        return spread(cells, replicates, share[:, None] * (aim.total if known else base.sum(axis=0)) / base)

    calibration: Calibration = Stratified(cells, design.weight, weight)
    if not known:
        calibration = Scaled(calibration, cells.rows, design.weight)
    return Weighted(design, weight, calibration, reweight, targets=(aim,), rounds=1)
