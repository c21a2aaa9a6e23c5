"""How central each option is: bars that part at a line between the lower and the upper half of a scale.

Keys of the chart in the plan: `levels`, the set of variables whose levels are drawn, and `score`, whose
short labels they take.
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
    """Return the chart of the distribution over levels, the option with most on the highest level first."""
    return diverging.picture(estimates, spec, codebook, language, look, rank=_top)


def _top(bar: Bar) -> float:
    return bar.top
