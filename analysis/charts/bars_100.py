"""How the answers to one question are divided in each group: bars of 100 %, all respondents first.

Keys of the chart in the plan: `variable`, a question with one answer, and `banner`, whose codes are the groups.
"""

from __future__ import annotations

from analysis.charts import _hundred as hundred
from analysis.charts._files import Picture
from analysis.charts._labels import key, variable
from analysis.charts._look import WIDE, Look
from analysis.charts._questions import question
from analysis.estimates import Estimates
from analysis.plan import ChartSpec
from kysely.codebook import Codebook
from kysely.errors import AnalystError


def draw(estimates: Estimates, spec: ChartSpec, codebook: Codebook, language: str, look: Look = WIDE) -> Picture:
    """Return the chart. Raises AnalystError for a question of which several answers can be picked."""
    asked = question(spec, codebook, language)
    if not asked.exclusive:
        raise AnalystError(
            f"several options of {key(spec, 'variable')} can be picked, so that shares don't make 100 %; "
            "draw it as `distribution`, or each option by group as `dots_by_group`"
        )
    banner = variable(spec, codebook, "banner").name
    return hundred.picture(estimates, spec, codebook, asked, banner, language, look)
