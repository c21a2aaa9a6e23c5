"""What a chart is made from, as one hash: the same hash, the same chart. Loads nothing that draws.

Not the moment of estimating: the same answers estimated again give the same picture.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from analysis import wording
from analysis.estimates import Estimates
from analysis.plan import ChartSpec
from kysely.codebook import Codebook

FORMAT = "kysely-chart/1"
FONTS = Path(__file__).parents[2] / "kysely" / "fonts"

_DRAWN_BY = ("matplotlib", "seaborn")


def made_from(estimates: Estimates, spec: ChartSpec, codebook: Codebook, language: str) -> str:
    """Return the SHA-256 of the chart's estimates, their provenance, its words, the codebook, and what draws it."""
    about = {name: value for name, value in asdict(estimates.provenance).items() if name != "made_at"}
    parts = [fingerprint(estimates, spec.table), about, asdict(spec), codebook.to_json(), language, _drawer()]
    return sha256(json.dumps(parts, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def is_current(manifest: Path, made_from: str) -> bool:
    """Whether *manifest* tells of a chart made from *made_from* whose files are all there as they were written."""
    try:
        told = json.loads(manifest.read_bytes())
        return (
            told["format"] == FORMAT
            and told["made_from"] == made_from
            and all(
                sha256((manifest.parent / file["name"]).read_bytes()).hexdigest() == file["sha256"]
                for file in told["files"].values()
            )
        )
    except (OSError, ValueError, KeyError, TypeError):
        return False


def fingerprint(estimates: Estimates, table: str) -> str:
    """Return the SHA-256 of the rows of *table*, as text with every digit."""
    rows = estimates.select(table=table)
    return sha256(rows.to_csv(index=False, lineterminator="\n").encode()).hexdigest()


@lru_cache(1)
def _drawer() -> str:
    """Return the SHA-256 of the chart modules, the fonts and the versions of the libraries that draw."""
    files = [*sorted(Path(__file__).parent.glob("*.py")), Path(wording.__file__), *sorted(FONTS.glob("*.ttf"))]
    together = sha256("".join(f"{name} {version(name)}\n" for name in _DRAWN_BY).encode())
    for file in files:
        together.update(file.read_bytes())
    return together.hexdigest()
