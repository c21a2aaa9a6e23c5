"""Estimates: one row per statistic, and where the numbers come from. Charts and reports take nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from analysis import comparisons, disclosure
from analysis.population import NONE
from kysely.codebook import Text
from kysely.errors import AnalystError

if TYPE_CHECKING:
    from analysis.extract import Extract
    from analysis.study import Study

FORMAT = "kysely-estimates/1"

TEXT_COLUMNS = ("table", "variable", "code", "estimand", "weighting", "banner", "banner_code", "statistic")
NUMBER_COLUMNS = ("estimate", "se", "ci_low", "ci_high", "df")
BASE_COLUMNS = ("base_n", "base_organisations", "base_weighted")
COLUMNS = (*TEXT_COLUMNS, *NUMBER_COLUMNS, *BASE_COLUMNS, "deff", "small_base", "letters", "flag")

TOTAL = "total"
"""Banner and banner code of the whole sample."""

SHOWN = ""
SMALL_BASE = "small_base"
NOT_ESTIMABLE = "not_estimable"
SUPPRESSED = "suppressed"
COMPLEMENTARY = "complementary"
HIDDEN = (SUPPRESSED, COMPLEMENTARY)


@dataclass(frozen=True)
class Provenance:
    """What the numbers are of: printed on every chart and report.

    *synthetic* is true of simulated answers, and nobody who draws a chart can switch it off.
    *draft* says that fieldwork was still open when the extract was made.
    *rules* are the thresholds that were applied (suppress_respondents, suppress_organisations, small_base).
    *elsewhere* says where the respondents were if not in memory, and what was left out for it (elsewhere.Account).
    """

    instrument: str
    form: str
    revision: str
    title: Text
    versions: tuple[str, ...]
    wave: str
    origin: str
    demonstration: bool
    responses: int
    organisations: int
    first_completed: str | None
    last_completed: str | None
    extract_sha256: str
    made_at: str
    weighting: str = NONE
    release: str = "research"
    rules: Mapping[str, int] = field(default_factory=dict)
    simulation: Mapping[str, Any] | None = None
    elsewhere: Mapping[str, Any] | None = None
    draft: bool = False

    @classmethod
    def of(cls, extract: Extract, study: Study, made_at: str) -> Provenance:
        """Return the provenance of what is estimated from *study*, the valid respondents of *extract*."""
        manifest = extract.manifest
        return cls(
            instrument=manifest["instrument"],
            form=manifest["form"],
            revision=manifest["revision"],
            title=extract.title,
            versions=tuple(manifest["versions"]),
            wave=str(manifest["wave"]),
            origin=extract.origin,
            demonstration=bool(manifest["demonstration"]),
            responses=len(study),
            organisations=study.organisations,
            first_completed=manifest.get("first_completed"),
            last_completed=manifest.get("last_completed"),
            extract_sha256=extract.sha256,
            made_at=made_at,
            rules={
                "suppress_respondents": study.limits.least,
                "suppress_organisations": disclosure.ORGANISATIONS,
                "small_base": study.plan.rules.small_base,
            },
            simulation=manifest.get("simulation"),
            draft=bool(manifest.get("open")),
        )

    @property
    def synthetic(self) -> bool:
        return self.origin == "simulated"

    def to_json(self) -> str:
        return json.dumps({"format": FORMAT, **asdict(self)}, ensure_ascii=False, indent=1)

    @classmethod
    def from_json(cls, text: str) -> Provenance:
        data = json.loads(text)
        if data.pop("format", None) != FORMAT:
            raise AnalystError(f"provenance.json is not in format {FORMAT}; make the estimates anew")
        return cls(**{**data, "versions": tuple(data["versions"])})


@dataclass(frozen=True)
class Estimates:
    """Statistics with their uncertainty, bases and flags; columns as in COLUMNS, shares between 0 and 1.

    A hidden row (flag suppressed: its base is under the thresholds; complementary: it would give a
    hidden one away) keeps base_n and base_organisations and has NaN for everything that was estimated.
    A row that is not_estimable has its estimate and no standard error; for a share, ci_low and
    ci_high are a Korn-Graubard bound. *small_base* is true under the plan's small_base, whatever the flag.
    *letters* names the groups of the same banner whose share is significantly smaller (comparisons.py).

    *weighting* is "none" or, of a row weighted to the figures of the plan, "population"; `select` and `one` mean
    "none" unless they are told otherwise. *weights* tells what those weights did (population.account).

    *tests* is one row per question, banner and estimand, columns as in comparisons.COLUMNS.
    """

    rows: pd.DataFrame
    provenance: Provenance
    tests: pd.DataFrame = field(default_factory=lambda: comparisons.frame([]))
    weights: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        lacking = (set(COLUMNS) - set(self.rows.columns)) | (set(comparisons.COLUMNS) - set(self.tests.columns))
        if lacking:
            raise AnalystError(f"estimates lack the columns {', '.join(sorted(lacking))}")

    def select(self, **values: Any) -> pd.DataFrame:
        """Return the rows whose columns equal *values*, in the order they were made.

        A tuple or list of values means any of them: ``select(table="OM_TAB03", statistic=("selected", "central"))``.
        """
        keep = pd.Series(True, index=self.rows.index)
        for column, value in {"weighting": NONE, **values}.items():
            wanted = list(value) if isinstance(value, tuple | list) else [value]
            keep &= self.rows[column].isin(wanted)
        return self.rows[keep]

    def one(self, **values: Any) -> pd.Series:
        """Return the only row with *values*. Raises AnalystError if there is none or more than one."""
        found = self.select(**values)
        if len(found) != 1:
            raise AnalystError(f"{len(found)} estimates, not one, with {values}")
        return found.iloc[0]

    def write(self, folder: Path) -> None:
        """Write estimates and tests, each as .parquet and .csv (the same rows), and two JSON files into *folder*.

        They are provenance.json and weights.json.
        """
        folder.mkdir(parents=True, exist_ok=True)
        for name, rows in (("estimates", self.rows), ("tests", self.tests)):
            rows.to_parquet(folder / f"{name}.parquet", index=False)
            rows.to_csv(folder / f"{name}.csv", index=False, float_format="%.10g")
        (folder / "provenance.json").write_text(self.provenance.to_json(), encoding="utf-8")
        (folder / "weights.json").write_text(json.dumps(dict(self.weights), indent=1), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Estimates:
        """Return what `write` wrote. Raises AnalystError if there is nothing."""
        table, tests, provenance = (folder / name for name in ("estimates.parquet", "tests.parquet", "provenance.json"))
        needed = (table, tests, provenance, folder / "weights.json")
        if not all(file.is_file() for file in needed):
            raise AnalystError(f"{folder} holds no estimates; run `make analysis` first")
        about = Provenance.from_json(provenance.read_text(encoding="utf-8"))
        weights = json.loads((folder / "weights.json").read_text(encoding="utf-8"))
        return cls(pd.read_parquet(table), about, pd.read_parquet(tests), weights)
