"""The whole cross-tab book with honest inference against numpy's sums alone, svy and R survey, in one run.

`python -m benchmarks.book --rows 10000 100000 1000000 10000000` makes a survey of each size (N / 1.3 organisations in
32 strata, weights, 30 questions with 3 to 7 options, banners of 20, 6 and 4 groups), lets every contender make the
book in a process of its own and prints seconds, peak memory and ratios as Markdown. A book is 90 tables: weighted
counts, column shares with cluster-robust standard errors, second-order Rao-Scott. svy and R make the three tables
of one question; their book is 30 times that, which is said. svy is found by --svy-python, R by Rscript.

Ours has the strata in its design throughout; "ours without strata" tells what they cost. BLAS has one thread for
everybody, as `python -m analysis` sets it: the matrices are small, and threads would wait for each other.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from benchmarks.book_contenders import BANNERS, options
from benchmarks.machine import heading

QUESTIONS = 30
STUDY = (360, 10)
"""Respondents and questions of the study itself: 30 tables."""

ROWS_FOR_ALL = 1_000_000
"""Above this many rows only our book is made, for its memory."""


@dataclass(frozen=True)
class Result:
    """Seconds of the whole book, extrapolated from *tables* where they are fewer; peak memory in megabytes."""

    seconds: float
    tables: int
    peak: float
    version: str


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000, 10_000_000])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--svy-python", help="a Python that has svy, where this one has not", default=sys.executable)
    parser.add_argument("--without-peers", action="store_true", help="neither svy nor R, which take minutes")
    args = parser.parse_args()
    print(heading("The cross-tab book"))
    print("| respondents | who | seconds | of our seconds | peak MB | tables made |\n|---|---|---|---|---|---|")
    verdicts = []
    with tempfile.TemporaryDirectory() as folder:
        study = survey(*STUDY, Path(folder))
        found = {name: measured(name, study, STUDY[1], 200) for name in ("ours", "pairs", "sums")}
        print(lines(STUDY[0], found))
        verdicts.append(verdict("study: our book to the prototype's way", found["ours"], found["pairs"], 5))
        before: tuple[int, Result] | None = None
        for rows in sorted(args.rows):
            path = survey(rows, QUESTIONS, Path(folder))
            found = book(path, rows, args)
            print(lines(rows, found), flush=True)
            verdicts += judged(rows, found)
            if before is not None:
                verdicts.append(grown(*before, rows, found["ours_from_parquet"]))
            before = rows, found["ours_from_parquet"]
            path.unlink()
    print("\nGoals:\n\n" + "\n".join(f"- {one}" for one in verdicts))
    return 0


def survey(rows: int, questions: int, folder: Path) -> Path:
    """Write a survey without missing answers, in which organisations colour those of their people; return its file."""
    rng = np.random.default_rng(rows)
    organisations = max(round(rows / 1.3), 1)
    organisation = np.concatenate([np.arange(organisations), rng.integers(0, organisations, rows - organisations)])
    rng.shuffle(organisation)
    size, region = rng.integers(0, 4, organisations), rng.integers(0, 8, organisations)
    share = np.linspace(2, 1, 20)
    seg = rng.choice(20, organisations, p=share / share.sum())
    lean = rng.normal(size=organisations)
    columns = {
        "weight": np.exp(rng.normal(0, 0.35, rows)),
        "organisation": organisation.astype(np.int32),
        "stratum": (region * 4 + size if rows >= 10_000 else region)[organisation].astype(np.int16),
        "seg": seg[organisation].astype(np.int8),
        "size": size[organisation].astype(np.int8),
        "role": rng.integers(0, 6, rows).astype(np.int8),
    }
    for question in range(questions):
        codes = options(question)
        latent = 0.5 * lean[organisation] + 0.02 * (seg[organisation] - 10) * (question % 3) + rng.normal(size=rows)
        cuts = np.quantile(latent[:100_000], np.arange(1, codes) / codes)
        columns[f"q{question:02d}"] = np.searchsorted(cuts, latent).astype(np.int8)
    path = folder / f"survey-{rows}.parquet"
    pq.write_table(pa.table(columns), path)
    return path


def book(path: Path, rows: int, args: argparse.Namespace) -> dict[str, Result]:
    if rows > ROWS_FOR_ALL:
        return {"ours_from_parquet": measured("ours_from_parquet", path, QUESTIONS, args.repeats)}
    names = ("ours_from_parquet", "ours", "ours_without_strata", "sums", "sums_and_counts", "pairs")
    found = {name: measured(name, path, QUESTIONS, args.repeats) for name in names}
    if args.without_peers:
        return found
    if subprocess.run([args.svy_python, "-c", "import svy"], capture_output=True, check=False).returncode == 0:
        found["svy"] = measured("svy", path, QUESTIONS, 1, python=args.svy_python)
    if shutil.which("Rscript"):
        found["R survey"] = measured_in_r(path)
    return found


def measured(name: str, path: Path, questions: int, repeats: int, *, python: str = sys.executable) -> Result:
    command = [python, "-m", "benchmarks.book_contenders", name, str(path), "--questions", str(questions)]
    alone = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run([*command, "--repeats", str(repeats)], check=True, capture_output=True, text=True, env=alone)
    read = json.loads(done.stdout.splitlines()[-1])
    whole = questions * len(BANNERS)
    return Result(read["seconds"] * whole / read["tables"], read["tables"], read["peak"], read["version"])


def measured_in_r(path: Path) -> Result:
    """Return R's seconds for the first question by three banners, times the questions of the book."""
    table = path.with_suffix(".csv")
    columns = ["weight", "organisation", "stratum", *BANNERS, "q00"]
    pyarrow.csv.write_csv(pq.read_table(path, columns=columns), table)
    script = Path(__file__).with_name("book.R")
    done = subprocess.run(["Rscript", str(script), str(table)], check=True, capture_output=True, text=True)
    table.unlink()
    version, tables, seconds = done.stdout.split()
    return Result(float(seconds) * QUESTIONS * len(BANNERS) / int(tables), int(tables), float("nan"), version)


def lines(rows: int, found: Mapping[str, Result]) -> str:
    ours = found.get("ours", next(iter(found.values()))).seconds
    return "\n".join(
        f"| {rows:,} | {name.replace('_', ' ')} {one.version} | {one.seconds:.4g} | {one.seconds / ours:.3g} | "
        f"{one.peak:.0f} | {one.tables} |"
        for name, one in found.items()
    )


def judged(rows: int, found: Mapping[str, Result]) -> list[str]:
    whole = found["ours_from_parquet"]
    room = 1024 if rows <= ROWS_FOR_ALL else 6144
    verdicts = [f"{rows:,} rows from Parquet: {whole.peak:.0f} MB; {_met(whole.peak < room)} (under {room} MB)"]
    if "sums" in found and rows == ROWS_FOR_ALL:
        what = f"{rows:,} rows in 32 strata: our book to the weighted sums alone"
        verdicts.append(verdict(what, found["ours"], found["sums"], 3))
        limit = found["sums_and_counts"]
        verdicts.append(verdict(f"{rows:,} rows: our book to weighted sums and counts", found["ours"], limit, 3))
    least = {"svy": 20, "R survey": 800 if rows >= 1_000_000 else 400 if rows >= 100_000 else 0}
    for name, times in least.items():
        if name in found and times:
            ratio = found[name].seconds / whole.seconds
            verdicts.append(
                f"{rows:,} rows: {ratio:.0f} times as fast from Parquet as {name} {found[name].version}, whose book is "
                f"extrapolated from {found[name].tables} tables; {_met(ratio >= times)} (at least {times})"
            )
    return verdicts


def grown(fewer: int, before: Result, rows: int, after: Result) -> str:
    """Return whether time from the file to the last test grew no faster than rows."""
    most, ratio = rows / fewer, after.seconds / before.seconds
    met = _met(ratio <= most)
    return f"from {fewer:,} to {rows:,} rows: {ratio:.1f} times the time from Parquet; {met} (at most {most:g})"


def verdict(what: str, ours: Result, other: Result, most: float) -> str:
    ratio = ours.seconds / other.seconds
    return f"{what}: {ratio:.2f}; {_met(ratio <= most)} (at most {most})"


def _met(met: bool) -> str:
    return "met" if met else "**missed**"


if __name__ == "__main__":
    raise SystemExit(main())
