"""The counter-test: how often a claim comes out REPRODUCED on data in which it is not true.

`kysely simulate … --falsification` writes data sets of a world without differences; a claim that is
REPRODUCED there more often than its error rate is not being tested at all. Nor may a headline that calls
one figure more than another pass there more often (analysis/headlines.py).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis import claim_tests, contrasts
from analysis.answers import Frame
from analysis.claims import Claim, Claims
from analysis.estimators import LEVEL
from analysis.evidence import Evidence
from analysis.plan import DesignColumns, Plan
from analysis.study import Study
from kysely.codebook import Codebook
from kysely.errors import AnalystError

if TYPE_CHECKING:
    import pandas as pd

FORMAT = "kysely-falsification/2"
WORLD = "world"
NEEDED = ("replicate", "organisation")

NOTHING_DIFFERS = "no_mode_differs"
"""The world in which all modes are alike, and all groups."""

WORLDS: Mapping[str, tuple[str, ...]] = {
    NOTHING_DIFFERS: ("first_mode", "second_mode"),
    "no_combinations": ("combinations", "several_central"),
}
"""In which world each test's claim is untrue. A claim that most people combine modes is no claim that modes
differ: modes can be alike and combined by everyone, so it needs a world of its own."""


@dataclass(frozen=True)
class Rate:
    """How often one claim was REPRODUCED in *replicates* data sets of *world*; *upper* is the Clopper-Pearson
    upper 95 % limit of its true rate."""

    id: str
    world: str
    replicates: int
    reproduced: int
    upper: float
    error_rate: float

    @property
    def share(self) -> float:
        return self.reproduced / self.replicates

    @property
    def kept(self) -> bool:
        """Whether the claim stays within its error rate."""
        return self.share <= self.error_rate


@dataclass(frozen=True)
class Falsification:
    """The rates of all claims that have an error rate, and the ids of those that are decided without one.

    headlines  the rates of the charts whose headline calls one figure more than another
    """

    rates: tuple[Rate, ...]
    exempt: tuple[str, ...]
    headlines: tuple[Rate, ...] = ()


def run(frame: pd.DataFrame, claims: Claims, plan: Plan, codebook: Codebook) -> Falsification:
    """Return how often each claim is REPRODUCED in the data sets of *frame*.

    frame  a row a respondent: replicate, organisation, the variables as in an extract, and *world*
           (WORLDS) where there is more than one; without it all data sets are taken for every claim

    Raises AnalystError if a column is lacking or a world has no data.
    """
    lacking = [name for name in NEEDED if name not in frame.columns]
    if lacking:
        raise AnalystError(f"the falsification data lack {', '.join(lacking)}; simulate them anew")
    tested = tuple(claim for claim in claims.claims if claim.error_rate is not None)
    worlds = tuple(WORLDS) if WORLD in frame.columns else ("",)
    rates: dict[str, Rate] = {}
    for world in worlds:
        data = frame[frame[WORLD] == world] if world else frame
        judged = tuple(claim for claim in tested if not world or world == _world(claim))
        rates |= {rate.id: rate for rate in _rates(data, judged, world, plan, codebook)}
    return Falsification(
        tuple(rates[claim.id] for claim in tested),
        tuple(claim.id for claim in claims.claims if claim.error_rate is None and claim.basis["simulated"]),
        headlines(frame, plan, codebook),
    )


def headlines(frame: pd.DataFrame, plan: Plan, codebook: Codebook) -> tuple[Rate, ...]:
    """Return how often each headline that calls one figure more than another is supported where nothing differs.

    frame  as `run` takes it. All that a headline calls less has to be so, as for its export; whether the figures
           would be shown is not looked at, so that it is never supported less often than there
    """
    charts = [chart for chart in plan.charts if chart.claim is not None and chart.claim.than]
    world = NOTHING_DIFFERS if WORLD in frame.columns else ""
    data = frame[frame[WORLD] == world] if world else frame
    times, replicates = dict.fromkeys((chart.id for chart in charts), 0), 0
    for found in _data_sets(data, plan, codebook) if charts else ():
        replicates += 1
        for chart in charts:
            times[chart.id] += all(apart.low > 0 for _, apart in contrasts.differences(found.study, chart))
    return tuple(
        Rate(id, world, replicates, count, _upper(count, replicates), round(1 - LEVEL, 9))
        for id, count in times.items()
    )


def _rates(
    data: pd.DataFrame, claims: tuple[Claim, ...], world: str, plan: Plan, codebook: Codebook
) -> tuple[Rate, ...]:
    times = dict.fromkeys((claim.id for claim in claims), 0)
    replicates = 0
    for found in _data_sets(data, plan, codebook):
        replicates += 1
        for claim in claims:
            times[claim.id] += bool(_reproduced(claim)(found))
    if not replicates:
        raise AnalystError(f"the falsification data hold no data set {world}".rstrip() + "; simulate them anew")
    return tuple(
        Rate(claim.id, world, replicates, times[claim.id], _upper(times[claim.id], replicates), claim.error_rate or 0)
        for claim in claims
    )


def _data_sets(data: pd.DataFrame, plan: Plan, codebook: Codebook) -> Iterator[Evidence]:
    """Yield each replicate; all of them are decoded in one go, which is what takes the time."""
    ordered = data.sort_values("replicate", kind="stable")
    # Nobody is sampled from these worlds: their people come as they are drawn, whatever the plan's own design is.
    together = Study(Frame(ordered, codebook), replace(plan, design=DesignColumns()))
    ends = np.flatnonzero(np.diff(ordered["replicate"].to_numpy())) + 1
    for start, end in zip([0, *ends], [*ends, len(ordered)], strict=True):
        if end > start:
            yield Evidence(together.take(slice(start, end)))


def _reproduced(claim: Claim) -> Callable[[Evidence], bool]:
    return claim.test.reproduced  # type: ignore[attr-defined]  # claims.load has looked for it


def _world(claim: Claim) -> str:
    test = type(claim.test).__module__.rpartition(".")[2]
    for world, tests in WORLDS.items():
        if test in tests:
            return world
    raise AnalystError(f"{claim.id}: the test {test!r} has an error rate but no world in which it is untrue")


def _upper(times: int, replicates: int) -> float:
    from scipy.special import betaincinv

    return 1.0 if times == replicates else float(betaincinv(times + 1, replicates - times, 0.975))


# ---- the result, kept until something it depends on changes -----------------------------------------


def cached(path: Path, claims_file: Path, claims: Claims, plan: Plan, codebook: Codebook) -> Falsification:
    """Return `run` on the Parquet file *path*, from falsification.json beside it while nothing has changed.

    What may change: the data, claims.yaml, what the plan says of respondents, and the code that decides.
    """
    if not path.is_file():
        raise AnalystError(f"{path} is lacking; run `kysely simulate {claims.instrument} --falsification` first")
    kept = path.with_suffix(".json")
    key = _key(path, claims_file, plan)
    if (found := _read(kept, key)) is not None:
        return found
    import pandas as pd
    import pyarrow.parquet as pq

    known = {WORLD, *NEEDED, *(variable.name for variable in codebook.variables if variable.closed)}
    wanted = [name for name in pq.read_schema(path).names if name in known]
    result = run(pd.read_parquet(path, columns=wanted), claims, plan, codebook)
    kept.write_text(json.dumps({"format": FORMAT, "key": key, **asdict(result)}, indent=1), encoding="utf-8")
    return result


def read(path: Path) -> Falsification | None:
    """Return the result kept in *path*, None if there is none."""
    return _read(path, None)


def _read(path: Path, key: str | None) -> Falsification | None:
    if not path.is_file():
        return None
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if data.get("format") != FORMAT or (key is not None and data.get("key") != key):
        return None
    rates, headlines = (tuple(Rate(**rate) for rate in data[name]) for name in ("rates", "headlines"))
    return Falsification(rates, tuple(data["exempt"]), headlines)


def _key(path: Path, claims_file: Path, plan: Plan) -> str:
    headlines = [(chart.table, chart.claim) for chart in plan.charts]
    read = (plan.valid, plan.population, plan.recodes, plan.scores, plan.rules, plan.tables, headlines)
    together = hashlib.sha256(repr(read).encode())
    folder = Path(claim_tests.__file__).parent
    code = [*sorted(folder.glob("*.py")), *(folder.parent / name for name in CODE)]
    for file in (path, claims_file, *code):
        together.update(file.read_bytes())
    return together.hexdigest()


CODE = tuple(
    f"{name}.py"
    for name in "answers claims contrasts design disclosure estimators evidence falsification plan stubs study "
    "variance".split()
)
