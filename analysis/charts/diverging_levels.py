"""How central each option is: bars that part at a line between the lower and the upper half of a scale.

Keys of the chart in the plan: `levels`, the set of variables whose levels are drawn, and `score`, whose
short labels they take.
"""

from __future__ import annotations

from collections.abc import Iterator

from analysis.charts import _diverging as diverging
from analysis.charts import _sentences
from analysis.charts import _theme as theme
from analysis.charts._cells import cells
from analysis.charts._diverging import Bar, Body
from analysis.charts._files import Picture, fingerprint
from analysis.charts._labels import levels_of, members, option_label
from analysis.charts._look import WIDE, Look
from analysis.estimates import TOTAL, Estimates, Provenance
from analysis.plan import ChartSpec
from kysely.codebook import Codebook
from kysely.errors import AnalystError


def draw(estimates: Estimates, spec: ChartSpec, codebook: Codebook, language: str, look: Look = WIDE) -> Picture:
    """Return the chart of the distribution over levels, the option with most on the highest level first."""
    variables = members(spec, codebook)
    levels = levels_of(spec, variables, language)
    bars = _bars(estimates, spec, codebook, language)
    body = Body(bars, levels, language, look)
    provenance = estimates.provenance
    words = _sentences.words(
        spec,
        provenance,
        language,
        base=diverging.base_sentences(bars, provenance, language),
        notes=_notes(body, provenance, language),
    )
    sheet = theme.sheet(words, body.height, look)
    body.draw(sheet)
    return Picture(
        id=spec.id,
        chart=spec.chart,
        language=language,
        sheet=sheet,
        words=words,
        alt=diverging.alternative(bars, levels, spec, provenance, language),
        columns=diverging.columns(levels, language),
        rows=[diverging.row(bar, provenance, language) for bar in bars],
        provenance=provenance,
        estimates_sha256=fingerprint(estimates, spec.table),
    )


def _bars(estimates: Estimates, spec: ChartSpec, codebook: Codebook, language: str) -> list[Bar]:
    rows = estimates.select(table=spec.table, statistic="share", estimand="respondent", banner=TOTAL)
    found = cells(rows, ("variable", "code"))
    bars = []
    for variable in members(spec, codebook):
        keys = [(variable.name, category.code) for category in variable.categories]
        if not all(key in found for key in keys):
            raise AnalystError(f"table {spec.table} has no distribution of {variable.name}")
        bars.append(Bar(option_label(spec, variable, language), tuple(found[key] for key in keys)))
    return sorted(bars, key=lambda bar: (bar.hidden, 0.0 if bar.hidden else -bar.top))


def _notes(body: Body, provenance: Provenance, language: str) -> Iterator[str]:
    upper = [sum(bar.above) for bar in body.shown]
    yield from diverging.notes(body, provenance, language)
    if upper != sorted(upper, reverse=True):
        yield _sentences.order(body.levels[-1], language)
