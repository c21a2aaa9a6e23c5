"""What the terminal says of the differences between groups: the tests and the letters, unweighted beside weighted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from analysis import comparisons, wording
from analysis.estimates import HIDDEN, Estimates
from analysis.letters import ALPHA
from analysis.population import NONE, POPULATION
from kysely.codebook import Codebook

BOOK, RESPONDENT = "book", "respondent"
SIDES = {NONE: "unweighted", POPULATION: "weighted"}
Line = Mapping[Any, Any]
SHARES = ("selected", "central", "share")


def told(estimates: Estimates, names: Sequence[str], codebook: Codebook) -> Iterator[str]:
    """Yield how many tests of the book found a difference, per respondent, and what they found of *names*.

    names     scores or questions, whose tests are shown in full, with the shares of the groups that letters tell apart
    codebook  with the plan's recodes: in which order a banner's groups stand, and so their letters
    """
    tests = estimates.tests[estimates.tests["estimand"] == RESPONDENT]
    if not (tests["reason"] == "").any():
        return
    counts = ", ".join(
        f"{SIDES[weighting]} {int((made['p_adjusted'] < ALPHA).sum())} of {len(made)}"
        for weighting, made in tests[tests["reason"] == ""].groupby("weighting", sort=False)
    )
    yield f"  differences between groups, per respondent, by tests of the book with adjusted p < {ALPHA:g}: {counts}"
    rows = estimates.rows
    rows = rows[(rows["table"] == BOOK) & (rows["estimand"] == RESPONDENT) & rows["statistic"].isin(SHARES)]
    for name in names:
        of_name = tests[tests["variable"] == name]
        for banner, found in of_name.groupby("banner", sort=False):
            by_side = {str(test["weighting"]): test for test in found.to_dict("records")}
            yield f"    {name} by {banner}: " + "  ".join(_test(side, test) for side, test in by_side.items())
            letters = [category.code for category in codebook[str(banner)].categories]
            yield from _letters(rows[(rows["variable"] == name) & (rows["banner"] == banner)], letters)


def _test(weighting: str, test: Line) -> str:
    if test["reason"]:
        return f"{SIDES[weighting]} not tested"
    p, adjusted = (wording.probability(test[name], "en") for name in ("p", "p_adjusted"))
    return f"{SIDES[weighting]} F {test['f']:.2f}, p {p}, adjusted {adjusted}"


def _letters(rows: pd.DataFrame, codes: Sequence[str]) -> Iterator[str]:
    """Yield a line for every code and statistic of which a letter tells two groups apart, with these groups."""
    for (statistic, code), of_code in rows.groupby(["statistic", "code"], sort=False):
        own = {group: comparisons.letter(codes.index(group)) for group in of_code["banner_code"].unique()}
        smaller = "".join(of_code["letters"])
        lines = of_code.to_dict("records")
        groups = []
        for group, letter in own.items():
            sides = [line for line in lines if line["banner_code"] == group]
            if letter in smaller or any(line["letters"] for line in sides):
                groups.append(f"{letter} {group} {' / '.join(map(_figure, sides))}")
        if groups:
            yield f"      {code} {statistic}, per cent: {'   '.join(groups)}"


def _figure(line: Line) -> str:
    if line["flag"] in HIDDEN:
        return "hidden"
    return f"{100 * line['estimate']:.1f}{' > ' + line['letters'] if line['letters'] else ''}"
