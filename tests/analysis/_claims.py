"""Small data sets for the claims, a row a respondent, with arithmetic that a reader can redo."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis import claims as claims_of
from analysis import plan as plans
from analysis.answers import Frame
from analysis.claims import ClaimResult, Claims
from analysis.evidence import Evidence
from analysis.plan import DesignColumns, Plan
from analysis.study import Study
from kysely import loading
from kysely.codebook import Codebook

FOLDER = Path(__file__).parents[2] / "questionnaires" / "operating_mode"
MODES = ("PROD", "DEV", "CUST", "PUB")
SPRING = datetime(2015, 4, 15, 9, tzinfo=UTC)


@cache
def definition_text() -> str:
    return loading.load(FOLDER, "core2015").canonical


def definition() -> dict[str, Any]:
    """Return the questionnaire as frozen, to be changed by a test."""
    return json.loads(definition_text())


@cache
def codebook() -> Codebook:
    return loading.load(FOLDER, "core2015").codebook


@cache
def plan() -> Plan:
    return plans.load(FOLDER / "plan.yaml", codebook())


@cache
def claims() -> Claims:
    return claims_of.load(FOLDER / "claims.yaml", codebook(), plan())


def person(organisation: str, levels: Mapping[str, int | None] | None = None, **answers: Any) -> dict[str, Any]:
    """Return one respondent: *levels* of the modes chosen; None is a mode chosen and left unrated."""
    chosen = {"CUST": 3} if levels is None else levels
    row: dict[str, Any] = {"organisation": organisation, "BG01": "TOP", "BG07": "ORG", "BG10": "COMP"}
    for mode in MODES:
        level = chosen.get(mode, 0)
        row[f"OM_B01_{mode}"] = float(mode in chosen)
        row[f"OM_B02_{mode}"] = np.nan if level is None else float(level)
    return {**row, "OM_B01_OTHER": 0.0, **answers}


def people(count: int, levels: Mapping[str, int | None], *, prefix: str = "o", **answers: Any) -> list[dict[str, Any]]:
    """Return respondents alike, each of an organisation of their own."""
    return [person(f"{prefix}{number}", levels, **answers) for number in range(count)]


def evidence(
    rows: Sequence[Mapping[str, Any]],
    *,
    questionnaire: Mapping[str, Any] | None = None,
    mode: str = "web",
    completed: Iterable[datetime] = (),
    design: DesignColumns | None = None,
) -> Evidence:
    """Return the evidence of *rows*, with the questionnaire as shipped and all answers given in spring 2015."""
    frame = pd.DataFrame(list(rows))
    times = pd.Series([*completed] or [SPRING] * len(frame), dtype=object)
    answers = Frame(frame.assign(mode=mode, completed_at=times), codebook())
    ours = plan() if design is None else replace(plan(), design=design)
    return Evidence(Study(answers, ours), questionnaire or definition())


def decide(found: Evidence, origin: str = "real") -> dict[str, ClaimResult]:
    return {result.id: result for result in claims_of.decide(claims(), found, codebook(), origin)}


def study_of_2015() -> list[dict[str, Any]]:
    """Return 360 people of 269 organisations as published_claims.md §7 has them: 302 of them top management."""
    sizes = [1] * 207 + [2] * 42 + [3] * 14 + [4] * 4 + [5] + [6]
    organisations = [f"o{number}" for number, size in enumerate(sizes) for _ in range(size)]
    roles = ["TOP"] * 302 + ["MID"] * 30 + ["CTRL"] * 14 + ["EXP"] * 14
    kinds = ["COMP" if int(name[1:]) % 3 else "MUNI" for name in organisations]
    return [person(name, BG01=role, BG10=kind) for name, role, kind in zip(organisations, roles, kinds, strict=True)]
