"""A small seeded study on disk, in the shape `kysely extract` writes: for tests of analysis, charts and reports.

It imitates no finding. Organisations have 1–6 respondents who share part of their answer, so that the
clustering is real, and every kind of answer occurs: cannot say, none of these, chosen but unrated.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from analysis import extract as extracts
from analysis import plan as plans
from analysis.answers import MISSING
from analysis.estimates import Estimates, Provenance
from analysis.study import Study
from analysis.tabulate import tabulate
from kysely.codebook import MISSING_SUFFIX, Category, Codebook, Kind, Text, Variable

PLAN = Path(__file__).parents[2] / "questionnaires" / "operating_mode" / "plan.yaml"
LANGUAGES = ("fi", "sv", "en")
MODES = ("PROD", "DEV", "CUST", "PUB")
TYPES = ("COMP", "PUBC", "COOP", "MUNI", "JMA", "WELL", "STATE", "OPUB", "NGO", "CHUR")
SIZES = ("P0_4", "P5_9", "P10_19", "P20_49", "P50_99", "P100_249", "P250_499", "P500_999", "P1000")
SINGLES: Mapping[str, Sequence[str]] = {
    "BG10": TYPES,
    "BG12": SIZES,
    "BG14": tuple("ABCDEFGHIJKLMNOPQRSTUX"),
    "BG15": tuple(f"R{number:02d}" for number in (1, 2, *range(4, 20), 21)),
    "BG01": ("TOP", "MID", "CTRL", "EXP", "OTH"),
    "BG02": tuple("CEO GOVC GOVL ORGH CFO CHRO CSO COMM RND CIO PROD CTRL EXP BOARD".split()),
    "BG04": ("YES", "NO"),
    "BG05": ("LEAD", "PART", "NO"),
    "BG06": ("LT1", "Y1_2", "Y3_5", "Y6_10", "GT10"),
    "BG07": ("ORG", "UNIT"),
    "BG19": ("YES", "NO"),
}
SERVED = ("B2B", "B2C", "B2G", "CIT", "MEM", "INT")
LEVELS = (("NOT", 0), ("SOME", 1), ("CLEAR", 2), ("CENTRAL", 3))


def words(text: str) -> Text:
    return {language: f"{text} ({language})" for language in LANGUAGES}


def codebook() -> Codebook:
    """Return the codebook of operating_mode/core2015, with wording that is only the id."""
    variables = [
        Variable(id, Kind.NOMINAL, id, words(id), words(id), tuple(Category(code, words(code)) for code in codes))
        for id, codes in SINGLES.items()
    ]
    variables += [_member("BG16", "BG16", code, Kind.BINARY) for code in SERVED]
    variables += [_member("OM_B", "OM_B01", code, Kind.BINARY) for code in (*MODES, "OTHER")]
    levels = tuple(Category(code, words(code), value) for code, value in LEVELS)
    variables += [_member("OM_B", "OM_B02", code, Kind.LEVEL, levels) for code in MODES]
    return Codebook("operating_mode", "core2015", "2026.1", LANGUAGES, words("Operating mode"), tuple(variables))


def _member(question: str, set: str, code: str, kind: Kind, categories: tuple[Category, ...] = ()) -> Variable:
    return Variable(f"{set}_{code}", kind, question, words(set), words(code), categories, set, code)


@dataclass
class Answers:
    """Columns of a study, to be changed by a test before it is written: a value, or a kind of missing."""

    organisation: list[str]
    columns: dict[str, list[Any]]
    origin: str = "simulated"
    wave: str = "wave1"
    manifest: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.organisation)

    def take(self, rows: Sequence[int]) -> Answers:
        """Return the study of the respondents *rows* only."""
        columns = {name: [column[row] for row in rows] for name, column in self.columns.items()}
        return Answers([self.organisation[row] for row in rows], columns, self.origin, self.wave, dict(self.manifest))


def answers(seed: int = 1, organisations: int = 269, respondents: int = 360) -> Answers:
    """Return a seeded study: sizes as in the study of 2015 where the numbers are its own (269 and 360)."""
    rng = np.random.default_rng(seed)
    sizes = np.ones(organisations, int)
    np.add.at(sizes, rng.integers(0, max(organisations * 62 // 269, 1), respondents - organisations), 1)
    of = np.repeat(np.arange(organisations), sizes)
    columns: dict[str, list[Any]] = {}
    for id, codes in SINGLES.items():
        chances = rng.dirichlet(np.linspace(4, 0.4, len(codes)))
        if id == "BG01":
            chances = np.array([0.84, 0.08, 0.04, 0.03, 0.01])
        shared = id in ("BG10", "BG12", "BG14", "BG15")
        drawn = rng.choice(len(codes), organisations if shared else respondents, p=chances)
        columns[id] = [codes[k] for k in (drawn[of] if shared else drawn)]
    for code in SERVED:
        columns[f"BG16_{code}"] = [int(k) for k in (rng.random(respondents) < 0.4)]
    lean = rng.normal(0, 1, (organisations, 4))[of] + rng.normal(0, 1, (respondents, 4)) + [-0.4, 0.2, 0.9, -0.5]
    levels = np.digitize(lean, [-0.3, 0.3, 1.1])
    for m, mode in enumerate(MODES):
        columns[f"OM_B01_{mode}"] = [int(k > 0) for k in levels[:, m]]
        columns[f"OM_B02_{mode}"] = [int(k) for k in levels[:, m]]
    columns["OM_B01_OTHER"] = [int(k) for k in (rng.random(respondents) < 0.05)]
    for row in range(respondents):
        fate = rng.random()
        if fate < 0.01:
            for name in columns:
                if name.startswith("OM_B"):
                    columns[name][row] = "dont_know"
        elif fate < 0.03:
            for mode in MODES:
                if columns[f"OM_B01_{mode}"][row]:
                    columns[f"OM_B02_{mode}"][row] = "no_answer"
                    break
        elif fate < 0.05:
            columns["BG14"][row] = "no_answer"
    return Answers([f"org{number:04d}" for number in of], columns)


def write(study: Answers, folder: Path, book: Codebook | None = None) -> Path:
    """Write *study* as an extract into *folder* and return it."""
    book = book or codebook()
    folder.mkdir(parents=True, exist_ok=True)
    n = len(study)
    start = datetime(2015, 4, 1, 9, tzinfo=UTC)
    times = pa.array([start + timedelta(hours=2 * row) for row in range(n)], pa.timestamp("us", "UTC"))
    ids = [f"{row:032x}" for row in range(n)]
    table: dict[str, Any] = {
        "response": pa.array(ids, pa.string()),
        "organisation": pa.array(study.organisation, pa.string()),
        "wave": pa.array([study.wave] * n),
        "origin": pa.array([study.origin] * n),
        "form": pa.array([book.form] * n),
        "version": pa.array(["v" * 64] * n),
        "language": pa.array(["fi"] * n),
        "mode": pa.array(["web"] * n),
        "started_at": times,
        "completed_at": times,
        "disposition": pa.array(["I"] * n),
    }
    types = {Kind.BINARY: pa.int8(), Kind.LEVEL: pa.int8(), Kind.NUMBER: pa.float64()}
    for variable in book.variables:
        column = study.columns[variable.name]
        gone = [value if value in MISSING else None for value in column]
        kept = [None if missing else value for value, missing in zip(column, gone, strict=True)]
        table[variable.name] = pa.array(kept, types.get(variable.kind, pa.string()))
        table[variable.name + MISSING_SUFFIX] = pa.array(gone, pa.string()).dictionary_encode()
    cases = {
        "case": table["response"],
        "organisation": table["organisation"],
        "response": table["response"],
        "stratum": pa.array([None] * n, pa.string()),
        "psu": table["organisation"],
        "design_weight": pa.array([1.0] * n),
        "disposition": table["disposition"],
    }
    pq.write_table(pa.table(table), folder / "responses.parquet")
    pq.write_table(pa.table(cases), folder / "cases.parquet")
    (folder / "codebook.json").write_text(book.to_json(), encoding="utf-8")
    write_manifest(study, folder, book)
    return folder


def write_manifest(study: Answers, folder: Path, book: Codebook) -> None:
    """Write the manifest of the files in *folder*, hashes included."""
    files = {
        name: {"sha256": hashlib.sha256((folder / name).read_bytes()).hexdigest(), "rows": len(study)}
        for name in extracts.FILES
    }
    manifest = {
        "format": extracts.FORMAT,
        "instrument": book.instrument,
        "form": book.form,
        "revision": book.revision,
        "versions": ["v" * 64],
        "wave": study.wave,
        "origin": study.origin,
        "demonstration": True,
        "privacy": {"mode": "confidential", "min_group": 5},
        "title": dict(book.title),
        "made_at": "2026-01-01T00:00:00+00:00",
        "first_completed": "2015-04-01T09:00:00+00:00",
        "last_completed": "2015-05-01T07:00:00+00:00",
        "counts": {
            "responses": len(study),
            "organisations": len(set(study.organisation)),
            "complete": len(study),
            "partial": 0,
            "break_off": 0,
        },
        "simulation": {"name": "test", "seed": 1, "parameters": {}} if study.origin == "simulated" else None,
        "presentations": [{"question": "OM_B", "presentation": "choose_then_rate"}],
        "files": files,
        **study.manifest,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, ensure_ascii=False, indent=1), encoding="utf-8")


def plan(book: Codebook | None = None) -> plans.Plan:
    """Return the plan of the operating-mode study, as shipped."""
    return plans.load(PLAN, book or codebook())


def extract(folder: Path, study: Answers | None = None) -> extracts.Extract:
    """Return *study* (by default `answers()`) written to *folder* and read back."""
    return extracts.read(write(study or answers(), folder))


def study(answers: extracts.Extract) -> Study:
    """Return the study of *answers* under the shipped plan."""
    return Study(answers, plan(answers.codebook))


def estimates(answers: extracts.Extract) -> Estimates:
    """Return the estimates of `study`, made at a fixed time."""
    under_plan = study(answers)
    return tabulate(under_plan, Provenance.of(answers, under_plan, "2026-01-01T00:00:00+00:00"))
