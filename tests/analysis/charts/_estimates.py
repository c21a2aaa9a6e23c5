"""Estimates and a codebook for charts: numbers and wording stand here, so that a test can say what a chart shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import nan, sqrt
from pathlib import Path
from typing import Any

import pandas as pd
from ruamel.yaml import YAML

from analysis.estimates import (
    COLUMNS,
    COMPLEMENTARY,
    NOT_ESTIMABLE,
    SHOWN,
    SMALL_BASE,
    SUPPRESSED,
    Estimates,
    Provenance,
)
from analysis.plan import ChartSpec
from kysely.codebook import Category, Codebook, Kind, Text, Variable

PLAN = Path(__file__).parents[3] / "questionnaires" / "operating_mode" / "plan.yaml"
LANGUAGES = ("fi", "sv", "en")
MODES = ("PROD", "DEV", "CUST", "PUB")

TYPES: Mapping[str, tuple[str, str, str]] = {
    "COMP": ("Yksityinen yritys", "Privat företag", "Private company"),
    "PUBC": (
        "Valtion tai kuntien omistama yhtiö",
        "Bolag ägt av staten eller kommuner",
        "Company owned by the state or municipalities",
    ),
    "COOP": ("Osuuskunta", "Andelslag", "Co-operative"),
    "MUNI": ("Kunta tai kaupunki", "Kommun eller stad", "Municipality or city"),
    "JMA": ("Kuntayhtymä", "Samkommun", "Joint municipal authority"),
    "WELL": ("Hyvinvointialue", "Välfärdsområde", "Wellbeing services county"),
    "STATE": (
        "Ministeriö, valtion virasto tai laitos",
        "Ministerium, statligt ämbetsverk eller inrättning",
        "Ministry, state agency or institution",
    ),
    "OPUB": ("Muu julkinen organisaatio", "Annan offentlig organisation", "Other public body"),
    "NGO": (
        "Yhdistys, säätiö tai järjestö",
        "Förening, stiftelse eller organisation",
        "Association, foundation or interest organisation",
    ),
    "CHUR": (
        "Seurakunta tai muu uskonnollinen yhteisö",
        "Församling eller annat religiöst samfund",
        "Parish or other religious body",
    ),
}
LEVELS = (
    ("NOT", 0, ("Ei kuulu toimintaamme", "Ingår inte i vår verksamhet", "Not part of how we work")),
    ("SOME", 1, ("Jonkin verran", "I någon mån", "To some degree")),
    ("CLEAR", 2, ("Selvästi", "Tydligt", "Clearly")),
    ("CENTRAL", 3, ("Keskeinen meille", "Centralt för oss", "Central to us")),
)

# Respondents, organisations and the share of each mode at the highest level; 360 in 269, as in 2015.
GROUPS: Mapping[str, tuple[int, int, tuple[float, float, float, float]]] = {
    "COMP": (133, 109, (0.42, 0.31, 0.55, 0.02)),
    "PUBC": (41, 28, (0.36, 0.22, 0.49, 0.17)),
    "COOP": (12, 10, (0.25, 0.33, 0.58, 0.0)),
    "MUNI": (64, 44, (0.11, 0.14, 0.44, 0.63)),
    "JMA": (31, 21, (0.16, 0.19, 0.52, 0.48)),
    "STATE": (28, 19, (0.07, 0.21, 0.29, 1.0)),
    "OPUB": (15, 11, (0.13, 0.40, 0.33, 0.47)),
    "NGO": (33, 25, (0.06, 0.27, 0.64, 0.09)),
    "CHUR": (3, 2, (0.0, 0.0, 0.67, 0.33)),
}
TOTALS: Mapping[str, tuple[float, float, float, float]] = {
    "PROD": (0.31, 0.20, 0.235, 0.255),
    "DEV": (0.21, 0.27, 0.275, 0.245),
    "CUST": (0.035, 0.175, 0.285, 0.505),
    "PUB": (0.54, 0.18, 0.125, 0.155),
}

PROVENANCE = Provenance(
    instrument="operating_mode",
    form="core2015",
    revision="2026.1",
    title={
        "fi": "Organisaation toimintatapa",
        "sv": "Organisationens verksamhetssätt",
        "en": "The organisation's way of operating",
    },
    versions=("a" * 64,),
    wave="2015",
    origin="simulated",
    demonstration=True,
    responses=360,
    organisations=269,
    first_completed="2015-03-02T08:11:00+00:00",
    last_completed="2015-05-29T13:45:00+00:00",
    extract_sha256="b" * 64,
    made_at="2026-03-09T10:00:00+00:00",
    rules={"suppress_respondents": 5, "suppress_organisations": 3, "small_base": 30},
)
REAL = replace(PROVENANCE, origin="real", demonstration=False)


def text(words: tuple[str, str, str]) -> Text:
    return dict(zip(LANGUAGES, words, strict=True))


def codebook(types: Mapping[str, tuple[str, str, str]] = TYPES) -> Codebook:
    """Return the organisation types and the four modes with the study's wording."""
    asked = text(("Millaista organisaatiota edustat?", "Vilken typ av organisation?", "What type of organisation?"))
    kinds = tuple(Category(code, text(words)) for code, words in types.items())
    scale = tuple(Category(code, text(words), value) for code, value, words in LEVELS)
    modes = {
        "PROD": ("Tuotantolähtöinen", "Produktionsorienterat", "Production-oriented"),
        "DEV": (
            "Tuote- tai palvelukehityslähtöinen",
            "Produkt- eller tjänsteutvecklingsorienterat",
            "Product- or service-development-oriented",
        ),
        "CUST": ("Asiakaspalvelulähtöinen", "Kundserviceorienterat", "Customer-service-oriented"),
        "PUB": (
            "Julkishallinnollinen",
            "Förvaltningsmässigt (offentlig förvaltning)",
            "Public-administration mode",
        ),
    }
    how = text(
        (
            "Kuinka keskeinen kukin valitsemasi toimintatapa on?",
            "Hur centralt är vart och ett av de verksamhetssätt du valde?",
            "How central is each of the ways you chose?",
        )
    )
    return Codebook(
        instrument="operating_mode",
        form="core2015",
        revision="2026.1",
        languages=LANGUAGES,
        title=PROVENANCE.title,
        variables=(
            Variable("BG10", Kind.NOMINAL, "BG10", asked, asked, kinds),
            *(
                Variable(f"OM_B02_{code}", Kind.LEVEL, "OM_B", how, text(modes[code]), scale, "OM_B02", code)
                for code in MODES
            ),
        ),
    )


def row(**values: Any) -> dict[str, Any]:
    """Return one row of estimates; what isn't said is the main table's, of all respondents, and unknown."""
    empty = dict.fromkeys(COLUMNS, nan)
    return {
        **empty,
        "table": "OM_TAB05",
        "code": "",
        "estimand": "respondent",
        "weighting": "none",
        "banner": "total",
        "banner_code": "total",
        "statistic": "central",
        "flag": SHOWN,
        "small_base": False,
        **values,
    }


def share(value: float, n: int, organisations: int, **values: Any) -> dict[str, Any]:
    """Return a row that shows *value*, flagged and hidden as the plan's rules want it."""
    base = {"base_n": n, "base_organisations": organisations, "small_base": n < 30}
    if n < 5 or organisations < 3:
        return row(**base, flag=SUPPRESSED, **values)
    if value in (0.0, 1.0):
        bound = 1 - 0.05 ** (1 / n)
        ends = {"ci_low": 0.0, "ci_high": bound} if value == 0 else {"ci_low": 1 - bound, "ci_high": 1.0}
        return row(estimate=value, **ends, **base, flag=NOT_ESTIMABLE, **values)
    half = 1.96 * sqrt(1.15 * value * (1 - value) / n)
    ends = {"se": half / 1.96, "ci_low": max(value - half, 0.001), "ci_high": min(value + half, 0.999)}
    return row(estimate=value, **ends, **base, flag=SMALL_BASE if n < 30 else SHOWN, **values)


def hide(row: dict[str, Any], flag: str = COMPLEMENTARY) -> dict[str, Any]:
    """Return *row* as disclosure control leaves it."""
    return {**row, **dict.fromkeys(("estimate", "se", "ci_low", "ci_high", "base_weighted"), nan), "flag": flag}


def distribution(
    totals: Mapping[str, tuple[float, ...]] = TOTALS, n: int = 360, organisations: int = 269
) -> list[dict[str, Any]]:
    """Return the rows of OM_FIG01: each mode's share on each level."""
    return [
        share(
            value,
            n,
            organisations,
            table="OM_TAB03",
            variable=f"OM_B02_{mode}",
            code=level,
            statistic="share",
        )
        for mode, shares in totals.items()
        for (level, _, _), value in zip(LEVELS, shares, strict=True)
    ]


def central(
    groups: Mapping[str, tuple[int, int, tuple[float, ...]]] = GROUPS,
    totals: Mapping[str, tuple[float, ...]] = TOTALS,
    n: int = 360,
    organisations: int = 269,
) -> list[dict[str, Any]]:
    """Return the rows of OM_FIG02: the share on the highest level, of everybody and by organisation type."""
    everyone = [share(totals[mode][-1], n, organisations, variable="OM_B", code=mode) for mode in MODES]
    return everyone + [
        share(value, size, bodies, variable="OM_B", code=mode, banner="BG10", banner_code=code)
        for code, (size, bodies, shares) in groups.items()
        for mode, value in zip(MODES, shares, strict=True)
    ]


def estimates(rows: list[dict[str, Any]], provenance: Provenance = PROVENANCE) -> Estimates:
    return Estimates(pd.DataFrame(rows, columns=list(COLUMNS)), provenance)


def specs() -> dict[str, ChartSpec]:
    """Return the charts of the shipped plan by id, with the labels it gives them."""
    plan = YAML(typ="safe").load(PLAN.read_text(encoding="utf-8"))
    own = ("id", "chart", "table", "headline", "subtitle", "alt", "note", "source")
    return {
        chart["id"]: ChartSpec(
            **{name: chart[name] for name in own if name in chart},
            labels=plan["labels"],
            options={name: value for name, value in chart.items() if name not in (*own, "claim", "descriptive")},
        )
        for chart in plan["charts"]
    }
