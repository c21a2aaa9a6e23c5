"""Estimates of a questionnaire of every kind of closed question, for the charts that any instrument gets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from analysis.estimates import SUPPRESSED, Estimates
from analysis.plan import ChartSpec
from kysely.codebook import Category, Codebook, Kind, Variable
from tests.analysis.charts import _estimates as study
from tests.analysis.charts._estimates import text

TABLE = "TAB"
Words = tuple[str, str, str]

AGREE: Sequence[tuple[str, Words]] = (
    ("A1", ("Täysin eri mieltä", "Helt av annan åsikt", "Strongly disagree")),
    ("A2", ("Jokseenkin eri mieltä", "Delvis av annan åsikt", "Disagree")),
    ("A3", ("Ei samaa eikä eri mieltä", "Varken eller", "Neither agree nor disagree")),
    ("A4", ("Jokseenkin samaa mieltä", "Delvis av samma åsikt", "Agree")),
    ("A5", ("Täysin samaa mieltä", "Helt av samma åsikt", "Strongly agree")),
)
ITEMS: Sequence[tuple[str, Words]] = (
    (
        "NOW",
        (
            "Johtoryhmämme näkee nykyisen toimintatapamme samalla tavalla.",
            "Vår ledningsgrupp ser vårt nuvarande verksamhetssätt på samma sätt.",
            "Our leadership team sees today's way of operating alike.",
        ),
    ),
    (
        "AIM",
        (
            "Olemme yksimielisiä siitä, millaista toimintatapaa tavoittelemme.",
            "Vi är eniga om vilket verksamhetssätt vi eftersträvar.",
            "We agree on the way of operating we aim for.",
        ),
    ),
    (
        "DONE",
        (
            "Olemme onnistuneet viemään strategiamme käytäntöön.",
            "Vi har lyckats omsätta vår strategi i praktiken.",
            "We have succeeded in putting our strategy into practice.",
        ),
    ),
)
REASONS: Sequence[tuple[str, Words]] = (
    (
        "UNITS",
        ("Yksiköillämme on erilaiset tehtävät", "Våra enheter har olika uppgifter", "Our units have different tasks"),
    ),
    (
        "MOVE",
        (
            "Olemme siirtymässä toimintatavasta toiseen",
            "Vi håller på att gå över från ett sätt till ett annat",
            "We are moving from one way to another",
        ),
    ),
    (
        "BAL",
        (
            "Yhdistelmä on harkittu valinta",
            "Kombinationen är ett medvetet val",
            "The combination is a deliberate choice",
        ),
    ),
    (
        "UNRES",
        ("Johto ei ole ratkaissut asiaa", "Ledningen har inte avgjort saken", "Management has not settled the matter"),
    ),
)
YES_NO: Sequence[tuple[str, Words]] = (("YES", ("Kyllä", "Ja", "Yes")), ("NO", ("Ei", "Nej", "No")))
SEVERAL: Words = ("Useampi yhtä keskeinen", "Flera lika centrala", "Several equally central")
WAVES = (("W2015", 2015), ("W2018", 2018), ("W2026", 2026))

AGREEMENT = {
    "NOW": (0.1, 0.2, 0.3, 0.25, 0.15),
    "AIM": (0.05, 0.1, 0.145, 0.4, 0.305),
    "DONE": (0.2, 0.3, 0.0, 0.3, 0.2),
}
WHY = {"UNITS": 0.225, "MOVE": 0.355, "BAL": 0.305, "UNRES": 0.115}
DOMINANT = (0.17, 0.16, 0.375, 0.125, 0.17)
BY_TYPE: dict[str, tuple[int, int, Sequence[float]]] = {
    code: (n, bodies, (shares[0] / 2, shares[1] / 2, shares[2] / 2, shares[3] / 2, 1 - sum(shares) / 2))
    for code, (n, bodies, shares) in study.GROUPS.items()
}
BY_WAVE: dict[str, tuple[int, int, Sequence[float]]] = {
    "W2015": (360, 269, (0.27, 0.16, 0.3, 0.13, 0.14)),
    "W2018": (28, 21, (0.2, 0.18, 0.39, 0.115, 0.115)),
    "W2026": (410, 300, (0.15, 0.19, 0.41, 0.13, 0.12)),
}


def categories(pairs: Sequence[tuple[str, Words]], *, numbered: bool = False) -> tuple[Category, ...]:
    return tuple(
        Category(code, text(words), place if numbered else None) for place, (code, words) in enumerate(pairs, start=1)
    )


def codebook(
    scale: Sequence[tuple[str, Words]] = AGREE,
    types: dict[str, Words] | None = None,
    reasons: Sequence[tuple[str, Words]] = REASONS,
) -> Codebook:
    """Return the study's codebook with a grid, two single choices, the dominant mode and the waves added."""
    asked = text(("Mitä mieltä olet?", "Vad anser du?", "What is your view?"))
    base = study.codebook(types or dict(study.TYPES))
    labels = study.specs()["OM_FIG01"].labels["OM_B"]
    modes = tuple(Category(mode, labels[mode]) for mode in study.MODES)
    levels = categories(scale, numbered=True)
    added = (
        *(
            Variable(f"VIEW_{code}", Kind.LEVEL, "VIEW", asked, text(words), levels, "VIEW", code)
            for code, words in ITEMS
        ),
        Variable("WHY", Kind.NOMINAL, "WHY", asked, asked, categories(reasons)),
        Variable("TEAM", Kind.NOMINAL, "TEAM", asked, asked, categories(YES_NO)),
        Variable("DOM", Kind.NOMINAL, "DOM", asked, asked, (*modes, Category("COMBO", text(SEVERAL)))),
        Variable(
            "wave",
            Kind.ORDINAL,
            "wave",
            asked,
            asked,
            tuple(Category(code, text((str(year),) * 3), year) for code, year in WAVES),
        ),
        *(
            Variable(f"USES_{code}", Kind.BINARY, "USES", asked, text(words), (), "USES", code)
            for code, words in REASONS[:3]
        ),
    )
    return replace(base, variables=(*base.variables, *added))


def shares(
    variable: str, values: dict[str, float], n: int = 360, bodies: int = 269, statistic: str = "share", **keys: Any
) -> list[dict[str, Any]]:
    """Return a row for each code and its share."""
    return [
        study.share(value, n, bodies, table=TABLE, variable=variable, code=code, statistic=statistic, **keys)
        for code, value in values.items()
    ]


def mean(variable: str, value: float, n: int = 360, bodies: int = 269, **keys: Any) -> dict[str, Any]:
    """Return the row of a mean on 0–100 with an interval as wide as n makes it."""
    row = study.share(0.5, n, bodies, table=TABLE, variable=variable, statistic="mean100", **keys)
    if row["flag"] == SUPPRESSED:
        return row
    half = 60 / n**0.5
    return {**row, "estimate": value, "ci_low": value - half, "ci_high": value + half}


def by_groups(
    variable: str, codes: Sequence[str], groups: dict[str, tuple[int, int, Sequence[float]]], banner: str
) -> list[dict[str, Any]]:
    return [
        row
        for group, (n, bodies, values) in groups.items()
        for row in shares(variable, dict(zip(codes, values, strict=True)), n, bodies, banner=banner, banner_code=group)
    ]


def rows() -> list[dict[str, Any]]:
    """Return everything the charts of `specs` draw."""
    codes = (*study.MODES, "COMBO")
    views = [shares(f"VIEW_{item}", dict(zip((c for c, _ in AGREE), p, strict=True))) for item, p in AGREEMENT.items()]
    means = [mean(f"VIEW_{item}", 50.0 + 4 * place) for place, item in enumerate(AGREEMENT)]
    means += [
        mean(f"VIEW_{item}", 30.0 + 5 * place + 7 * number, n, bodies, banner="BG10", banner_code=code)
        for number, item in enumerate(AGREEMENT)
        for place, (code, (n, bodies, _)) in enumerate(study.GROUPS.items())
    ]
    return [
        *(row for view in views for row in view),
        *means,
        *shares("WHY", WHY),
        *shares("TEAM", {"YES": 0.635, "NO": 0.365}),
        *shares("USES", {"UNITS": 0.81, "MOVE": 0.4, "BAL": 0.625}, statistic="selected"),
        *shares("DOM", dict(zip(codes, DOMINANT, strict=True))),
        *by_groups("DOM", codes, BY_TYPE, "BG10"),
        *by_groups("DOM", codes, BY_WAVE, "wave"),
    ]


def estimates() -> Estimates:
    return study.estimates(rows())


def spec(id: str, chart: str, headline: Words, **options: str) -> ChartSpec:
    return ChartSpec(
        id,
        chart,
        TABLE,
        text(headline),
        text(
            (
                "”Mitä mieltä olet?” Osuus vastaajista, %",
                "”Vad anser du?” Andel av de svarande, %",
                "“What is your view?” Share of respondents, %",
            )
        ),
        text(
            (
                "Vaakapalkit, joiden rivit ovat kysymyksen kohtia ja pituudet vastausten osuuksia.",
                "Liggande staplar, vars rader är frågans delar och längder svarens andelar.",
                "Horizontal bars, whose rows are the parts of the question and lengths the shares of answers.",
            )
        ),
        labels=study.specs()["OM_FIG02"].labels,
        options=options,
    )


SPECS: dict[str, ChartSpec] = {
    one.id: one
    for one in (
        spec("SINGLE", "distribution", ("Yhdistelmien syyt", "Orsaker till kombinationer", "Reasons"), variable="WHY"),
        spec("SCALE", "distribution", ("Näkemys nykytilasta", "Syn på nuläget", "View of today"), variable="VIEW_NOW"),
        spec("YES_NO", "distribution", ("Johtoryhmän jäsenet", "Ledningsgruppen", "Leadership team"), variable="TEAM"),
        spec("SET", "distribution", ("Käytössä olevat keinot", "Medel som används", "Means in use"), variable="USES"),
        spec("GRID", "grid_of_items", ("Johdon näkemykset", "Ledningens åsikter", "Views of leaders"), levels="VIEW"),
        spec(
            "SCORE",
            "score_by_group",
            ("Näkemykset tyypeittäin", "Åsikter efter typ", "Views by type"),
            levels="VIEW",
            banner="BG10",
        ),
        spec(
            "SCORE_ONE",
            "score_by_group",
            ("Näkemys nykytilasta tyypeittäin", "Syn på nuläget efter typ", "View of today by type"),
            levels="VIEW_NOW",
            banner="BG10",
        ),
        spec(
            "HUNDRED",
            "bars_100",
            ("Hallitseva toimintatapa", "Dominerande verksamhetssätt", "Dominant way of operating"),
            variable="DOM",
            banner="BG10",
        ),
        spec(
            "TREND",
            "trend",
            ("Hallitseva toimintatapa", "Dominerande verksamhetssätt", "Dominant way of operating"),
            variable="DOM",
            banner="wave",
        ),
    )
}
