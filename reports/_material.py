"""What a report is written from: everything analysis has left in build/<instrument>, and the plan it followed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from analysis import claims as claims_of
from analysis import falsification as falsification_of
from analysis import plan as plans
from analysis.claims import ClaimResult
from analysis.estimates import Estimates
from analysis.falsification import Falsification
from analysis.plan import Plan
from analysis.population import NONE, POPULATION
from kysely import finished
from kysely.codebook import Codebook
from kysely.errors import AnalystError

KEY = ("table", "variable", "code", "statistic", "estimand", "banner", "banner_code")
"""The columns that tell one row of the estimates from every other of the same weighting."""

Key = tuple[str, ...]
Line = Mapping[str, Any]
"""One row of the estimates: column → value."""


@dataclass(frozen=True)
class Drawing:
    """A chart as analysis drew it in one language: the SVG without a frame, and its manifest's words and numbers.

    *base*, *note* and *source* are what would stand in the frame under it.
    """

    id: str
    svg: str
    alt: str
    title: str
    subtitle: str
    base: str
    note: str
    source: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Material:
    """Aggregates and wording; no respondent is in it.

    *codebook* holds the plan's recodes and derived variables too. *drawings* is language → chart id →
    Drawing, *files* the SHA-256 of each file the report rests on.
    """

    estimates: Estimates
    claims: tuple[ClaimResult, ...]
    codebook: Codebook
    plan: Plan
    falsification: Falsification | None = None
    drawings: Mapping[str, Mapping[str, Drawing]] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def lines(self) -> Mapping[Key, Line]:
        """Every row of the estimates by its KEY, but for those weighted to the population."""
        return self._lines(NONE)

    @cached_property
    def weighted(self) -> Mapping[Key, Line]:
        """Every row of the estimates that is weighted to the population, by its KEY."""
        return self._lines(POPULATION)

    def _lines(self, weighting: str) -> Mapping[Key, Line]:
        found = self.estimates.select(weighting=weighting)
        columns = {name: found[name].tolist() for name in found.columns}
        keys = zip(*(columns[name] for name in KEY), strict=True)
        rows = zip(*columns.values(), strict=True)
        return {key: dict(zip(columns, row, strict=True)) for key, row in zip(keys, rows, strict=True)}

    @cached_property
    def tests(self) -> Mapping[Key, Line]:
        """Every test of the book by its question, banner and estimand, but for those weighted to the population."""
        return self._tests(NONE)

    @cached_property
    def weighted_tests(self) -> Mapping[Key, Line]:
        """Every test of the book that is weighted to the population, by its question, banner and estimand."""
        return self._tests(POPULATION)

    def _tests(self, weighting: str) -> Mapping[Key, Line]:
        rows = self.estimates.tests.to_dict("records")
        key = ("variable", "banner", "estimand")
        return {tuple(row[name] for name in key): {**row} for row in rows if row["weighting"] == weighting}

    @cached_property
    def few(self) -> bool:
        """Whether the whole sample is under the thresholds, so that no figure at all is shown."""
        about = self.estimates.provenance
        return about.responses < self.limit("suppress_respondents") or about.organisations < self.limit(
            "suppress_organisations"
        )

    def limit(self, rule: str) -> int:
        """Return a threshold that was applied to the estimates."""
        return int(self.estimates.provenance.rules[rule])


def read(build: Path, questionnaires: Path, instrument: str) -> Material:
    """Return the material of *instrument*. Raises AnalystError if its analysis has not been run."""
    folder = build / instrument
    estimates = Estimates.read(folder / "estimates")
    codebook_file = folder / "extract" / "codebook.json"
    if not codebook_file.is_file():
        raise AnalystError(f"{codebook_file} is lacking; run `make analysis` first")
    codebook = Codebook.from_json(codebook_file.read_text(encoding="utf-8"))
    plan = plans.load(questionnaires / instrument / "plan.yaml", codebook)
    claims = claims_of.read(folder / "claims.json") if (folder / "claims.json").is_file() else ()
    return Material(
        estimates=estimates,
        claims=claims,
        codebook=plan.codebook(codebook),
        plan=plan,
        # The counter-test is about the simulator's worlds, not about answers: it stands beside either.
        falsification=falsification_of.read(folder / "falsification.json"),
        drawings={language: _drawings(folder / "charts" / language, estimates) for language in codebook.languages},
        files=_hashes(folder),
    )


def _drawings(folder: Path, estimates: Estimates) -> dict[str, Drawing]:
    """Return the charts of *folder* that were drawn from these very answers, for reports; an older one is left out."""
    found = {}
    for manifest in sorted(folder.glob("*.json")):
        data = json.loads(manifest.read_text(encoding="utf-8"))
        same = data["provenance"]["extract_sha256"] == estimates.provenance.extract_sha256
        if same and "report.svg" in data["files"]:
            found[data["id"]] = _drawing(folder, data)
    return found


def _drawing(folder: Path, manifest: Mapping[str, Any]) -> Drawing:
    columns, rows = finished.table(manifest)
    return Drawing(
        id=manifest["id"],
        svg=(folder / manifest["files"]["report.svg"]["name"]).read_text(encoding="utf-8"),
        alt=manifest["alt"],
        title=manifest["title"],
        subtitle=manifest["subtitle"],
        base=manifest["base"],
        note=manifest["looks"]["report"]["note"],
        source=manifest["source"],
        columns=columns,
        rows=rows,
    )


def _hashes(folder: Path) -> dict[str, str]:
    names = (
        "estimates/estimates.parquet",
        "estimates/provenance.json",
        "estimates/weights.json",
        "claims.json",
        "falsification.json",
    )
    return {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names if (folder / name).is_file()
    }
