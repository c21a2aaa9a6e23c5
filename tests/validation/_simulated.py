"""The answers of the simulated study, and how its estimates compare with what R made of them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from analysis.estimates import HIDDEN, NOT_ESTIMABLE, Estimates
from kysely import loading, population
from kysely.codebook import Codebook, Kind, Missing
from tests.analysis import _study

RESULTS = Path(__file__).parent / "data" / "study.json"
SEED = 2015  # the seed of `kysely simulate`
TABLES = {"total": "OM_TAB03", "org3": "OM_TAB05", "BG10": "OM_TAB05"}


def codebook() -> Codebook:
    """Return the study's codebook without text and identifying matter."""
    book = loading.load(_study.PLAN.parent).codebook
    kept = tuple(variable for variable in book.variables if variable.closed and variable.kind is not Kind.TEXT)
    return replace(book, variables=kept)


def answers(book: Codebook) -> _study.Answers:
    """Return what the simulated leaders answer, without the interviews that `kysely simulate` leads with them."""
    people = population.draw(population.REPRODUCTION, np.random.default_rng(SEED))
    columns = {
        variable.name: [_stored(person.answers.get(variable.name, Missing.NO_ANSWER)) for person in people]
        for variable in book.variables
    }
    return _study.Answers([f"{person.organisation.number:04d}" for person in people], columns)


def _stored(answer: Any) -> Any:
    return str(answer) if isinstance(answer, Missing) else answer


def compare(estimates: Estimates, results: dict[str, Any]) -> int:
    """Assert that every number R made and we show is the same; return how many rows were compared."""
    assert estimates.provenance.responses == results["respondents"]
    assert estimates.provenance.organisations == results["organisations"]
    index = (
        estimates.select()
        .set_index(["table", "variable", "code", "statistic", "estimand", "banner", "banner_code"])
        .sort_index()
    )
    compared = 0
    for row in results["rows"]:
        theirs = dict(zip(results["columns"], row["values"], strict=True))
        ours = index.loc[_key(row["number"], row["estimand"], row["banner"], row["group"])]
        assert ours["base_n"] == theirs["base_n"], row
        if ours["flag"] in HIDDEN:
            continue
        compared += 1
        names = ["estimate"] if ours["flag"] == NOT_ESTIMABLE else ["estimate", "se", "ci_low", "ci_high", "df", "deff"]
        for name in names:
            # R fits the share by iteration, so its logit limits are good to about 1e-7.
            tolerance = 1e-6 if name in ("ci_low", "ci_high") else 1e-9
            scale = max(abs(theirs[name]), 1e-8)
            assert abs(ours[name] - theirs[name]) <= tolerance * scale, f"{name} of {row}: ours is {ours[name]}"
    return compared


def compare_tests(estimates: Estimates, results: dict[str, Any]) -> int:
    """Assert that every test R made is ours too; return how many were compared."""
    unweighted = estimates.tests[estimates.tests["weighting"] == "none"]
    index = unweighted.set_index(["estimand", "variable", "banner"])
    for row in results["tests"]:
        ours = index.loc[row["estimand"], row["variable"], row["banner"]]
        for name, theirs in zip(("f", "ndf", "ddf", "p", "n"), row["values"], strict=True):
            assert abs(ours[name] - theirs) <= 1e-7 * abs(theirs), f"{name} of {row}: ours is {ours[name]}"
    return len(results["tests"])


def _key(number: str, estimand: str, banner: str, group: str) -> tuple[str, ...]:
    if number == "two_central":
        table = "OM_TAB04" if banner == "total" else "OM_TAB05"
        return table, "OM_B_central_2plus", "YES", "share", estimand, banner, group
    statistic, mode = number.split("_")
    return TABLES[banner], "OM_B", mode, statistic, estimand, banner, group


def results() -> dict[str, Any]:
    return json.loads(RESULTS.read_text(encoding="utf-8"))
