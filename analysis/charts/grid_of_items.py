"""The rows of a grid on their common scale: bars that part at its middle, the row with most above it first.

Key of the chart in the plan: `levels`, the set of variables of a grid, a stage matrix or another question in rows.
"""

from __future__ import annotations

from analysis.charts import _diverging as diverging
from analysis.charts._diverging import Bar
from analysis.charts._files import Picture
from analysis.charts._look import WIDE, Look
from analysis.estimates import Estimates
from analysis.plan import ChartSpec
from kysely.codebook import Codebook


def draw(estimates: Estimates, spec: ChartSpec, codebook: Codebook, language: str, look: Look = WIDE) -> Picture:
    """Return the chart of the rows' distributions."""
    return diverging.picture(estimates, spec, codebook, language, look, rank=_upper)


def _upper(bar: Bar) -> float:
    return sum(bar.above)
