"""A mean by group: one panel a question of the set, a dot and its 95 % interval for each group, all respondents first.

Keys of the chart in the plan: `levels`, a set of variables on one scale, or one variable; `score`, where the table
has the set as a score; `banner`, whose codes are the groups; `statistic`, `mean100` (on 0–100, the default) or `mean`
(on the scale's own numbers).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from analysis.charts import _dots as dots
from analysis.charts import _sentences
from analysis.charts import _theme as theme
from analysis.charts._colours import BAR, OPTIONS, option_colours
from analysis.charts._dots import Axis, Layout, Option, Row
from analysis.charts._files import Figure, Picture
from analysis.charts._keys import STATISTICS
from analysis.charts._labels import levels_of, members, option_label, variable
from analysis.charts._look import WIDE, Look
from analysis.charts._recipe import fingerprint
from analysis.estimates import TOTAL, Estimates, Provenance
from analysis.plan import ChartSpec
from analysis.wording import number, plain
from kysely.codebook import Codebook, Variable
from kysely.errors import AnalystError

PANELS = 5
"""As many questions as can stand beside one another."""


def draw(estimates: Estimates, spec: ChartSpec, codebook: Codebook, language: str, look: Look = WIDE) -> Picture:
    """Return the chart of means by group."""
    variables = members(spec, codebook)
    _check(spec, variables, language)
    statistic = str(spec.options.get("statistic", STATISTICS[0]))
    options = _options(spec, variables, language)
    axis = _axis(variables[0], statistic, language)
    banner = variable(spec, codebook, "banner").name
    found = estimates.select(table=spec.table, statistic=statistic, estimand="respondent", banner=(TOTAL, banner))
    score = spec.options.get("score")
    names = [(score, str(one.code)) if score else (one.name, "") for one in variables]
    keys = {option.code: name for option, name in zip(options, names, strict=True)}
    rows = dots.groups(found, spec, codebook, banner, keys, language)
    if not rows:
        raise AnalystError(f"table {spec.table} has no {statistic} of {score or spec.options['levels']}")
    provenance = estimates.provenance
    layout = Layout(rows, options, axis, language, look)
    counts = [cell.n for cell in rows[0].cells.values()]
    words = _sentences.words(
        spec,
        provenance,
        language,
        base=_sentences.base_of(counts, provenance, language, shares=False),
        notes=[_scale(variables[0], statistic, language), *dots.notes(rows, provenance, language)],
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
            findings=_findings(rows, options, axis, language),
            flags=dots.flags(rows, provenance, language),
        ),
        columns=_columns(language),
        rows=[_table_row(row, option, provenance, language) for row in rows for option in options],
        provenance=provenance,
        estimates_sha256=fingerprint(estimates, spec.table),
    )


def _check(spec: ChartSpec, variables: Sequence[Variable], language: str) -> None:
    levels_of(spec, variables, language)
    if len(variables) > PANELS:
        raise AnalystError(
            f"{spec.options['levels']} has {len(variables)} questions and {PANELS} can stand beside one another; "
            "name one of them in `levels:`, or draw them as `grid_of_items`"
        )
    if any(category.value is None for category in variables[0].categories):
        raise AnalystError(f"{variables[0].name} has answers without a number, which have no mean; draw its shares")


def _options(spec: ChartSpec, variables: Sequence[Variable], language: str) -> list[Option]:
    if len(variables) == 1:
        return [Option(variables[0].name, option_label(spec, variables[0], language), BAR)]
    codes = [str(one.code) for one in variables]
    colours = option_colours(codes) if len(codes) <= OPTIONS else dict.fromkeys(codes, BAR)
    return [
        Option(code, option_label(spec, one, language), colours[code])
        for code, one in zip(codes, variables, strict=True)
    ]


def _axis(one: Variable, statistic: str, language: str) -> Axis:
    if statistic == "mean100":
        return Axis((0, 50, 100), lambda value, unit: number(value, language))
    low, high = _ends(one)
    ticks = tuple(low + step for step in range(round(high - low) + 1))
    # The ends of the scale are whole numbers, means are told to a tenth.
    return Axis(ticks, lambda value, unit: number(value, language, 0 if value in ticks and not unit else 1))


def _ends(one: Variable) -> tuple[float, float]:
    values = [float(category.value) for category in one.categories if category.value is not None]
    return min(values), max(values)


def _scale(one: Variable, statistic: str, language: str) -> str:
    """Return what the lowest and the highest mean would say."""
    first, last = (_sentences.one_line(one.categories[place].label[language]) for place in (0, -1))
    low, high = (0.0, 100.0) if statistic == "mean100" else _ends(one)
    return _sentences.scale_ends((number(low, language), first), (number(high, language), last), language)


def _findings(rows: Sequence[Row], options: Sequence[Option], axis: Axis, language: str) -> Iterator[str]:
    told = [(plain(option.label), rows[0].cells[option.code]) for option in options]
    for label, cell in told[:2]:
        if not cell.hidden:
            yield _sentences.mean_of_all(label, axis.figure(cell.share, True), cell.n, language)
    if widest := dots.widest(rows[1:], options):
        option, *ends = widest
        low, high = ((plain(row.label), axis.figure(cell.share, True), cell.n) for row, cell in ends)
        yield _sentences.spread(plain(option.label), low, high, language)


def _columns(language: str) -> list[str]:
    words = _sentences.COLUMNS[language]
    names = ("group", "question", "mean", "mean_low", "mean_high", "n", "organisations", "mark", "data")
    return [words[name] for name in names]


def _table_row(row: Row, option: Option, provenance: Provenance, language: str) -> list[Figure]:
    cell = row.cells[option.code]
    return [
        plain(row.label),
        plain(option.label),
        cell.share,
        cell.low,
        cell.high,
        cell.n,
        cell.organisations,
        _sentences.mark(hidden=cell.hidden, small=cell.small, language=language),
        _sentences.data(provenance, language),
    ]
