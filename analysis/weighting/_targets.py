"""Margins as targets of one sample: that everybody needed is there, and what the weights of each code sum to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.design import Codes, Design, Floats
from analysis.weighting._cells import Cells
from analysis.weighting._margins import SUM_TOLERANCE, Margin, MarginError, listed


@dataclass(frozen=True, eq=False)
class Target:
    """A margin that a domain can be weighted to: *share* (K,), respondents counted *n* (K,), and the *total*."""

    margin: Margin
    share: Floats
    n: Codes
    total: float

    @property
    def amount(self) -> Floats:
        """(K,) what the weights of each code have to sum to."""
        return self.share * self.total


def targets(margins: Sequence[Margin], design: Design, cells: Cells, total: float | None) -> tuple[Target, ...]:
    """Return the margins as targets of the design's domain, each scaled to exactly the same total.

    total  what the weights are to sum to. None: the margins' own total; if all are shares, the sum of the
           design's weights.
    cells  those of the same margins

    Raises MarginError, with a list, for a code with a target and no respondent, a code with respondents and
    target 0, and margins with different totals.
    """
    counts = [cells.margin(m, cells.n.astype(float)).astype(np.int64) for m in range(len(margins))]
    for margin, n in zip(margins, counts, strict=True):
        _require_match(margin, n)
    amount = _total(margins, design, total)
    return tuple(
        Target(margin, margin.target / margin.sum, n, amount) for margin, n in zip(margins, counts, strict=True)
    )


def require_somebody(cells: Cells, targets: Sequence[Target], base: Floats) -> None:
    """Raise MarginError if a replicate, column of *base* (C, R), has nobody left with a code that is needed."""
    for m, target in enumerate(targets):
        reached = cells.margin_of_replicates(m, base)
        empty = np.flatnonzero((reached == 0).any(axis=1) & (target.share > 0))
        if len(empty):
            raise MarginError(
                f"margin {target.margin.name!r} has codes whose respondents all are of one PSU, so that the "
                f"replicate without it can't meet the margin: {listed([target.margin.codes[k] for k in empty])}. "
                "Merge each with a similar code"
            )


def _require_match(margin: Margin, n: Codes) -> None:
    """Make sure that every target has its respondents, and every respondent a target."""
    empty = [code for code, target, k in zip(margin.codes, margin.target, n, strict=True) if target > 0 and k == 0]
    if empty:
        raise MarginError(
            f"margin {margin.name!r} has codes without a respondent: {listed(empty)}. "
            "Nobody can stand for them: merge each with a similar code"
        )
    nobody = [code for code, target, k in zip(margin.codes, margin.target, n, strict=True) if target == 0 and k > 0]
    if nobody:
        raise MarginError(
            f"margin {margin.name!r} says that the population has none of the codes that respondents have: "
            f"{listed(nobody)}. Weight a domain without these respondents, or correct the margin"
        )


def _total(margins: Sequence[Margin], design: Design, total: float | None) -> float:
    own = [margin for margin in margins if margin.kind == "totals"]
    sums = [margin.sum for margin in own] + ([total] if total is not None else [])
    if total is not None and not (np.isfinite(total) and total > 0):
        raise MarginError(f"the weights can't sum to {total}; give a positive number")
    if not sums:
        return float(design.weight.sum())
    if max(sums) - min(sums) > SUM_TOLERANCE * max(sums):
        each = ", ".join(f"{margin.name!r} {margin.sum:.10g}" for margin in own)
        asked = f", and the total asked for is {total:.10g}" if total is not None else ""
        raise MarginError(f"the margins are of different populations: they sum to {each}{asked}. Give one total")
    return float(sums[0])
