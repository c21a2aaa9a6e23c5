"""A share by group: one panel an option, a dot and its 95 % interval for each group, all respondents first.

Keys of the chart in the plan: `levels` and `score` as in diverging_levels; `banner`, the variable whose
codes are the groups, in the author's order in every chart. Groups that nobody belongs to are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from analysis.charts import _dots as dots
from analysis.charts import _sentences
from analysis.charts import _theme as theme
from analysis.charts._colours import option_colours
from analysis.charts._dots import Axis, Layout, Option, Row
from analysis.charts._files import Figure, Picture
from analysis.charts._labels import key, members, option_label
from analysis.charts._look import WIDE, Look
from analysis.charts._recipe import fingerprint
from analysis.estimates import TOTAL, Estimates, Provenance
from analysis.plan import ChartSpec
from analysis.wording import percent, plain
from kysely.codebook import Codebook
from kysely.errors import AnalystError


def draw(estimates: Estimates, spec: ChartSpec, codebook: Codebook, language: str, look: Look = WIDE) -> Picture:
    """Return the chart of central shares by group."""
    options = _options(spec, codebook, language)
    rows = _rows(estimates, spec, codebook, options, language)
    provenance = estimates.provenance
    axis = Axis((0, 0.5, 1), lambda share, sign: percent(share, language, sign=sign))
    layout = Layout(rows, options, axis, language, look)
    words = _sentences.words(
        spec,
        provenance,
        language,
        base=_sentences.base_of([cell.n for cell in rows[0].cells.values()], provenance, language),
        notes=dots.notes(rows, provenance, language),
    )
    sheet = theme.sheet(words, layout.body, look)
    layout.draw(sheet)
    return Picture(
        id=spec.id,
        chart=spec.chart,
        language=language,
        sheet=sheet,
        words=words,
        alt=_sentences.alternative(
            spec,
            provenance,
            language,
            findings=_findings(rows, options, language),
            flags=dots.flags(rows, provenance, language),
        ),
        columns=_columns(language),
        rows=[_table_row(row, option, provenance, language) for row in rows for option in options],
        provenance=provenance,
        estimates_sha256=fingerprint(estimates, spec.table),
    )


def _options(spec: ChartSpec, codebook: Codebook, language: str) -> list[Option]:
    variables = members(spec, codebook)
    colours = option_colours(str(variable.code) for variable in variables)
    return [
        Option(str(variable.code), option_label(spec, variable, language), colours[str(variable.code)])
        for variable in variables
    ]


def _rows(
    estimates: Estimates, spec: ChartSpec, codebook: Codebook, options: Sequence[Option], language: str
) -> list[Row]:
    banner, score = key(spec, "banner"), key(spec, "score")
    found = estimates.select(
        table=spec.table, variable=score, statistic="central", estimand="respondent", banner=(TOTAL, banner)
    )
    keys = {option.code: (score, option.code) for option in options}
    rows = dots.groups(found, spec, codebook, banner, keys, language)
    if not rows:
        raise AnalystError(f"table {spec.table} has no central shares of {score}")
    return rows


def _findings(rows: Sequence[Row], options: Sequence[Option], language: str) -> Iterator[str]:
    shown = [(plain(option.label), rows[0].cells[option.code]) for option in options]
    shown = [(label, cell) for label, cell in shown if not cell.hidden]
    if len(shown) > 1:
        (most, high), (least, low) = (pick(shown, key=lambda pair: pair[1].share) for pick in (max, min))
        yield _sentences.range_of_totals((most, high.share), (least, low.share), [high.n, low.n], language)
    if widest := dots.widest(rows[1:], options):
        option, *ends = widest
        low_end, high_end = ((plain(row.label), percent(cell.share, language), cell.n) for row, cell in ends)
        yield _sentences.spread(plain(option.label), low_end, high_end, language)


def _columns(language: str) -> list[str]:
    names = ("group", "option", "share", "low", "high", "n", "organisations", "mark", "data")
    return [_sentences.COLUMNS[language][name] for name in names]


def _table_row(row: Row, option: Option, provenance: Provenance, language: str) -> list[Figure]:
    cell = row.cells[option.code]
    return [
        plain(row.label),
        plain(option.label),
        100 * cell.share,
        100 * cell.low,
        100 * cell.high,
        cell.n,
        cell.organisations,
        _sentences.mark(hidden=cell.hidden, small=cell.small, language=language),
        _sentences.data(provenance, language),
    ]
