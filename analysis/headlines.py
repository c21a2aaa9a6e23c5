"""Whether the headline of a chart is true: what it claims against the interval of that very comparison.

A headline that claims nothing passes. One that says that a figure is more than another rests on their difference,
which `python -m analysis` has estimated with the covariance of the two (analysis/contrasts.py); one that says that a
figure lies above or below a bound rests on the figure's own interval. Nothing but Estimates is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import isclose, isfinite

import pandas as pd

from analysis.estimates import HIDDEN, Estimates
from analysis.plan import CellSpec, ChartSpec, HeadlineClaim
from analysis.stubs import MEAN, MEAN100
from analysis.study import RESPONDENT
from analysis.wording import number, percent, percent_range, points, points_range, scale_points
from kysely.errors import AuthorError, Problem

TABLE, DIFFERENCE = "headlines", "difference"
"""Table and statistic of the differences that headlines claim: `variable` is the chart, `code` counts `than` from 1."""


def check(spec: ChartSpec, estimates: Estimates, language: str) -> None:
    """Raise AuthorError unless *estimates* support all that the headline of *spec* claims.

    The message has the figures and the interval in *language*, with one decimal more than the chart. A figure that
    is hidden, or whose base is marked as small, supports no claim.
    """
    if spec.claim is None:
        return
    why = next(_unsupported(spec, spec.claim, estimates, language), None)
    if why is not None:
        file = f"{estimates.provenance.instrument}/plan.yaml"
        where = f"charts {spec.id!r} headline [{language}]"
        raise AuthorError([Problem(file, spec.claim.line, where, why, _CURE[language])])


def _unsupported(spec: ChartSpec, claim: HeadlineClaim, estimates: Estimates, language: str) -> Iterator[str]:
    """Yield why each part of the claim isn't supported."""
    rows = {cell: _row(estimates, spec, cell) for cell in (claim.cell, *claim.than)}
    for cell, row in rows.items():
        if row is None:
            yield _NO_FIGURE[language].format(cell.name)
            return
        if row["flag"] in HIDDEN or row["small_base"] or not isfinite(row["estimate"]):
            yield _TOO_FEW[language].format(cell.name)
            return
    first = rows[claim.cell]
    for place, cell in enumerate(claim.than, start=1):
        yield from _not_more(spec, (claim.cell, first), (cell, rows[cell]), place, estimates, language)
    yield from _not_beyond(claim, first, language)


def _not_more(
    spec: ChartSpec,
    one: tuple[CellSpec, pd.Series],
    other: tuple[CellSpec, pd.Series],
    place: int,
    estimates: Estimates,
    language: str,
) -> Iterator[str]:
    found = estimates.select(table=TABLE, variable=spec.id, code=str(place), statistic=DIFFERENCE)
    apart = float(one[1]["estimate"] - other[1]["estimate"])
    # The plan may have been changed since: then the difference is one of other figures.
    if len(found) != 1 or not isclose(float(found.iloc[0]["estimate"]), apart, rel_tol=0, abs_tol=1e-9):
        yield _NO_DIFFERENCE[language]
        return
    low, high = float(found.iloc[0]["ci_low"]), float(found.iloc[0]["ci_high"])
    if low > 0:
        return
    cells = [f"{cell.name} ({_figure(row['estimate'], cell.statistic, language)})" for cell, row in (one, other)]
    difference = _difference(apart, one[0].statistic, language)
    if isfinite(low):
        interval = _difference_range(low, high, one[0].statistic, language)
        yield _NOT_MORE[language].format(*cells, difference, interval)
    else:
        yield _NO_ERROR[language].format(*cells, difference)


def _not_beyond(claim: HeadlineClaim, row: pd.Series, language: str) -> Iterator[str]:
    for bound, above in ((claim.above, True), (claim.below, False)):
        if bound is None:
            continue
        limit = bound if claim.cell.statistic in (MEAN, MEAN100) else bound / 100
        low, high = float(row["ci_low"]), float(row["ci_high"])
        if low > limit if above else high < limit:
            continue
        statistic = claim.cell.statistic
        figures = [_figure(value, statistic, language) for value in (limit, row["estimate"])]
        says = (_NOT_ABOVE if above else _NOT_BELOW)[language]
        yield says.format(claim.cell.name, *figures, _range(low, high, statistic, language))


def _row(estimates: Estimates, spec: ChartSpec, cell: CellSpec) -> pd.Series | None:
    found = estimates.select(
        table=spec.table,
        variable=cell.variable,
        code=cell.code,
        statistic=cell.statistic,
        banner=cell.banner,
        banner_code=cell.banner_code,
        estimand=RESPONDENT,
    )
    return found.iloc[0] if len(found) == 1 else None


# ---- in words -------------------------------------------------------------------------------------------


def _figure(value: float, statistic: str, language: str) -> str:
    if statistic in (MEAN, MEAN100):
        return number(value, language, 2 if statistic == MEAN else 1)
    return percent(value, language, 1)


def _range(low: float, high: float, statistic: str, language: str) -> str:
    if statistic in (MEAN, MEAN100):
        return f"{_figure(low, statistic, language)} … {_figure(high, statistic, language)}"
    return percent_range(low, high, language, 1)


def _difference(value: float, statistic: str, language: str) -> str:
    if statistic == MEAN:
        return number(value, language, 2)
    return scale_points(value / 100, language, 1) if statistic == MEAN100 else points(value, language, 1)


def _difference_range(low: float, high: float, statistic: str, language: str) -> str:
    if statistic == MEAN:
        return _range(low, high, statistic, language)
    scale = 100 if statistic == MEAN100 else 1
    return points_range(low / scale, high / scale, language, 1)


_NOT_MORE = {
    "fi": "otsikon mukaan {0} on suurempi kuin {1}, mutta eron ({2}) 95 %:n luottamusväli on {3}, eikä se tue väitettä",
    "sv": "enligt rubriken är {0} större än {1}, men skillnaden ({2}) har det 95-procentiga konfidensintervallet {3}, "
    "som inte stöder påståendet",
    "en": "it says that {0} is more than {1}, but the difference ({2}) has the 95% interval {3}, "
    "which does not support it",
}
_NO_ERROR = {
    "fi": "otsikon mukaan {0} on suurempi kuin {1}, mutta eron ({2}) luottamusväliä ei voi laskea",
    "sv": "enligt rubriken är {0} större än {1}, men för skillnaden ({2}) kan inget konfidensintervall beräknas",
    "en": "it says that {0} is more than {1}, but no interval can be given for the difference ({2})",
}
_NOT_ABOVE = {
    "fi": "otsikon mukaan {0} on yli {1}, mutta luvun {2} 95 %:n luottamusväli on {3}, eikä se tue väitettä",
    "sv": "enligt rubriken är {0} över {1}, men siffran {2} har det 95-procentiga konfidensintervallet {3}, "
    "som inte stöder påståendet",
    "en": "it says that {0} is above {1}, but the figure {2} has the 95% interval {3}, which does not support it",
}
_NOT_BELOW = {
    "fi": "otsikon mukaan {0} on alle {1}, mutta luvun {2} 95 %:n luottamusväli on {3}, eikä se tue väitettä",
    "sv": "enligt rubriken är {0} under {1}, men siffran {2} har det 95-procentiga konfidensintervallet {3}, "
    "som inte stöder påståendet",
    "en": "it says that {0} is below {1}, but the figure {2} has the 95% interval {3}, which does not support it",
}
_TOO_FEW = {
    "fi": "luku {0} perustuu liian harvaan vastaukseen: se on peitetty tai merkitty pieneksi ryhmäksi, "
    "eikä väite voi nojata siihen",
    "sv": "siffran {0} bygger på för få svar: den är dold eller märkt som liten grupp, "
    "och inget påstående kan vila på den",
    "en": "the figure {0} rests on too few answers: it is hidden or marked as a small base, "
    "and no claim can rest on it",
}
_NO_FIGURE = {
    "fi": "lukua {0} ei ole kuvion taulukossa",
    "sv": "siffran {0} finns inte i diagrammets tabell",
    "en": "the figure {0} is not in the chart's table",
}
_NO_DIFFERENCE = {
    "fi": "väitetyn eron luottamusväliä ei ole estimaateissa: ne on tehty toisella suunnitelmalla "
    "tai laskentamoottorilla",
    "sv": "skattningarna saknar konfidensintervallet för den påstådda skillnaden: de är gjorda med en annan plan "
    "eller av en beräkningsmotor",
    "en": "the estimates lack the interval of the claimed difference: they were made with another plan, "
    "or by an engine",
}
_CURE = {
    "fi": "Väitä otsikossa ja kohdassa `claim` vain se, mitä luvut tukevat, tai jätä otsikko pois, "
    "jolloin kuvio saa taulukkonsa nimen",
    "sv": "Påstå i rubriken och under `claim` bara det som siffrorna stöder, eller lämna bort rubriken "
    "så får diagrammet tabellens namn",
    "en": "Claim in the headline and under `claim` only what the figures support, or leave the headline out: "
    "the chart then carries its table's title",
}
