"""A million respondents raked to four margins at 1e-10: ours, what no raking can do without, R and other packages.

`python -m benchmarks.raking` makes the sample once, hands it to everyone in the shape they like best, times the
raking alone (no reading, no conversion, no R starting up), looks at how far each is from the margins, and prints
medians and ratios as Markdown. Other packages are no dependencies of ours: whichever can be imported is measured.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd

from analysis.design import Design
from analysis.replicates import delete_one_psu
from analysis.weighting import Margin, checks, rake
from benchmarks.machine import heading

CODES = {"segment": 20, "role": 6, "size": 4, "region": 8}
TOLERANCE = 1e-10
STUDY = (360, 269)
MILLION = 1_000_000
GOALS = {"R survey": 100, "svy": 10, "weightipy": 10, "ipfn": 10}
"""How many times faster ours is to be at a million respondents; smaller samples are told without a verdict."""

R_SCRIPT = """
suppressMessages(library(survey))
folder <- commandArgs(TRUE)[1]; n <- as.integer(commandArgs(TRUE)[2]); repeats <- as.integer(commandArgs(TRUE)[3])
ints <- function(name) readBin(file.path(folder, name), "integer", n, size = 4)
known <- read.csv(file.path(folder, "known.csv"))
names <- unique(known$variable)
x <- as.data.frame(setNames(lapply(names, function(name) factor(ints(name))), names))
x$w <- readBin(file.path(folder, "w"), "double", n)
design <- svydesign(id = ~1, weights = ~w, data = x)
margins <- lapply(names, function(name) {
  mine <- known[known$variable == name, ]
  setNames(data.frame(factor(mine$code), mine$share * n), c(name, "Freq"))
})
formulas <- lapply(names, function(name) as.formula(paste0("~", name)))
for (i in seq_len(repeats)) {
  took <- system.time(
    raked <- rake(design, formulas, margins, control = list(maxit = 1000, epsilon = 1e-10))
  )
  cat(took[["elapsed"]], "\n")
}
writeBin(as.vector(weights(raked)), file.path(folder, "raked"))
"""


@dataclass(frozen=True)
class Problem:
    """n respondents: four columns of codes from 0, base weights, and the population's share of every code."""

    columns: dict[str, np.ndarray]
    weight: np.ndarray
    shares: dict[str, dict[int, float]]

    @classmethod
    def of(cls, n: int, seed: int = 2015) -> Problem:
        rng = np.random.default_rng(seed)
        columns = {name: rng.choice(k, size=n, p=_falling(k)) for name, k in CODES.items()}
        shares = {}
        for name, k in CODES.items():
            share = _falling(k)[::-1] * rng.uniform(0.8, 1.25, k)
            shares[name] = dict(enumerate((share / share.sum()).tolist()))
        return cls(columns, rng.uniform(0.5, 2, n), shares)

    def __len__(self) -> int:
        return len(self.weight)

    def margins(self) -> list[Margin]:
        return [Margin.of_shares(name, self.columns[name], shares) for name, shares in self.shares.items()]

    def gap(self, weight: np.ndarray) -> float:
        """Return the largest error of a code, as a share of its target."""
        return max(check.gap for check in checks(self.margins(), weight, total=len(self)))


def _falling(k: int) -> np.ndarray:
    return np.linspace(2, 1, k) / np.linspace(2, 1, k).sum()


@dataclass(frozen=True)
class Result:
    name: str
    seconds: float
    gap: float | None
    note: str = ""


def ours(problem: Problem) -> Callable[[], np.ndarray]:
    design = Design.of(problem.weight)
    return lambda: rake.weights(design, problem.margins(), total=len(problem), tolerance=TOLERANCE).weight


def limit(problem: Problem) -> Callable[[], np.ndarray]:
    """The passes over all rows that raking needs, each once: number the cells, sum them, spread a factor."""

    def run() -> np.ndarray:
        cell, size = np.zeros(len(problem), np.int64), 1
        for name, k in CODES.items():
            cell, size = cell * k + problem.columns[name], size * k
        sums = np.bincount(cell, problem.weight, size)
        return problem.weight * (1 + sums)[cell]

    return run


def with_svy(problem: Problem) -> Callable[[], np.ndarray]:
    import polars as pl
    import svy

    frame = pl.DataFrame(
        {**{name: column.astype(str) for name, column in problem.columns.items()}, "w": problem.weight}
    )
    sample = svy.Sample(frame, svy.Design(wgt="w"))
    controls = {
        name: {str(code): share * len(problem) for code, share in shares.items()}
        for name, shares in problem.shares.items()
    }
    return lambda: (
        sample.weighting.rake(controls=controls, tol=TOLERANCE, max_iter=1000, wgt_name="raked")
        .data["raked"]
        .to_numpy()
    )


def with_weightipy(problem: Problem) -> Callable[[], np.ndarray]:
    import weightipy

    frame = pd.DataFrame(problem.columns)
    percent = {name: {code: 100 * share for code, share in shares.items()} for name, shares in problem.shares.items()}
    scheme = weightipy.scheme_from_dict(percent, rim_params={"convcrit": TOLERANCE, "max_iterations": 1000})
    return lambda: weightipy.weight_dataframe(frame, scheme)["weights"].to_numpy()


def with_ipfn(problem: Problem) -> Callable[[], np.ndarray]:
    from ipfn.ipfn import ipfn

    frame = pd.DataFrame({**problem.columns, "total": problem.weight})
    aggregates = [pd.Series(shares).rename_axis(name) * len(problem) for name, shares in problem.shares.items()]
    dimensions = [[name] for name in problem.shares]
    return lambda: (
        ipfn(frame.copy(), aggregates, dimensions, convergence_rate=TOLERANCE, max_iteration=1000, rate_tolerance=0)
        .iteration()["total"]
        .to_numpy()
    )


PACKAGES = {"svy": with_svy, "weightipy": with_weightipy, "ipfn": with_ipfn}
NOTES = {"weightipy": "takes no base weights: raked from equal ones"}


def timed(run: Callable[[], np.ndarray], repeats: int) -> tuple[list[float], np.ndarray]:
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        weight = run()
        seconds.append(time.perf_counter() - began)
    return seconds, weight


def in_r(problem: Problem, repeats: int) -> Result | str:
    """Return what R's survey measures of itself, or why it can't."""
    rscript = shutil.which("Rscript")
    if rscript is None:
        return "R survey: no Rscript"
    with tempfile.TemporaryDirectory() as folder:
        known = [(name, code, repr(share)) for name, shares in problem.shares.items() for code, share in shares.items()]
        pd.DataFrame(known, columns=["variable", "code", "share"]).to_csv(Path(folder, "known.csv"), index=False)
        for name, column in problem.columns.items():
            column.astype(np.int32).tofile(Path(folder, name))
        problem.weight.tofile(Path(folder, "w"))
        done = subprocess.run(
            [rscript, "-e", R_SCRIPT, folder, str(len(problem)), str(repeats)], capture_output=True, text=True
        )
        if done.returncode:
            return f"R survey: {done.stderr.strip().splitlines()[-1]}"
        seconds = [float(line) for line in done.stdout.split()]
        weight = np.fromfile(Path(folder, "raked"))
    version = subprocess.run(
        [rscript, "-e", 'cat(as.character(packageVersion("survey")))'], capture_output=True, text=True, check=True
    ).stdout
    return Result("R survey", median(seconds), problem.gap(weight), f"survey {version}")


def results(problem: Problem, repeats: int) -> tuple[list[Result], list[str]]:
    """Return every result, ours first, and who is absent.

    Ours and the limit are run again around every other contender, so that a machine that is busy for a while
    is so for all.
    """
    own, least = ours(problem), limit(problem)
    own_seconds, least_seconds, found, absent = [], [], [], []

    def again() -> np.ndarray:
        seconds, weight = timed(own, repeats)
        own_seconds.extend(seconds)
        least_seconds.extend(timed(least, repeats)[0])
        return weight

    weight = again()
    for name, prepare in PACKAGES.items():
        if find_spec(name) is None:
            absent.append(f"{name}: not installed")
            continue
        seconds, theirs = timed(prepare(problem), max(1, repeats // 3))
        found.append(Result(name, median(seconds), problem.gap(theirs), NOTES.get(name, "")))
        again()
    r = in_r(problem, 1 if len(problem) >= MILLION else repeats)
    again()
    if isinstance(r, str):
        absent.append(r)
    else:
        found.append(r)
    first = [
        Result("ours", median(own_seconds), problem.gap(weight)),
        Result("limit: numpy's sums alone", median(least_seconds), None),
    ]
    return first + found, absent


def report(found: list[Result], respondents: int) -> str:
    own = found[0].seconds
    lines = ["| raking | ms | largest gap | over ours | |", "|---|---|---|---|---|"]
    for one in found:
        ratio = one.seconds / own
        goal = GOALS.get(one.name) if respondents >= MILLION else None
        said = f"{ratio:.2g}" if ratio < 10 else f"{ratio:.0f}"
        if goal is not None:
            said += f" ({'goal' if ratio >= goal else '**misses**'} ≥ {goal})"
        gap = "" if one.gap is None else f"{one.gap:.0e}"
        lines.append(f"| {one.name} | {1000 * one.seconds:.2f} | {gap} | {said} | {one.note} |")
    return "\n".join(lines)


def jackknife() -> str:
    """Return a line on the study's own size: every organisation left out in turn, and the rest raked anew."""
    problem = Problem.of(STUDY[0])
    organisation = np.r_[np.arange(STUDY[1]), np.random.default_rng(1).integers(STUDY[1], size=STUDY[0] - STUDY[1])]
    design = Design.of(problem.weight, psu=organisation)
    raked = rake.weights(design, problem.margins(), total=len(problem))
    seconds = []
    for _ in range(9):
        began = time.perf_counter()
        delete_one_psu(design, reweight=raked.reweight)
        seconds.append(time.perf_counter() - began)
    return (
        f"Jackknife of {STUDY[0]} respondents in {STUDY[1]} organisations, {STUDY[1]} rakings to the same margins: "
        f"{1000 * median(seconds):.0f} ms."
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--respondents", type=int, default=MILLION)
    parser.add_argument("--repeats", type=int, default=9)
    args = parser.parse_args()
    problem = Problem.of(args.respondents)
    print(heading("Raking"), flush=True)
    print(
        f"{args.respondents:,} respondents, margins of {', '.join(map(str, CODES.values()))} codes, to {TOLERANCE:g}.\n"
    )
    found, absent = results(problem, args.repeats)
    print(report(found, args.respondents))
    print(f"\n{jackknife()}")
    if absent:
        print(f"\nNot measured: {'; '.join(absent)}.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
