"""Charts: one file a chart, `draw(estimates, spec, codebook, language) -> Picture`. They draw numbers and make none.

Importing this package loads no matplotlib; drawing does.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from kysely import plugins

if TYPE_CHECKING:
    from analysis.charts._files import Picture
    from analysis.estimates import Estimates
    from analysis.plan import ChartSpec
    from kysely.codebook import Codebook


FILES = ("json", "png", "svg", "pdf", "csv")
"""What a chart consists of, by extension; its manifest comes first."""


def draw(estimates: Estimates, spec: ChartSpec, codebook: Codebook, language: str) -> Picture:
    """Return the chart that *spec* names. Raises UnknownName if there is no such chart."""
    return plugins.load("analysis.charts", spec.chart).draw(estimates, spec, codebook, language)


def write_all(
    estimates: Estimates, specs: Sequence[ChartSpec], codebook: Codebook, folder: Path, *, languages: Sequence[str]
) -> Iterator[Path]:
    """Draw every chart in every language into <folder>/<language>/ and yield each manifest once it is there.

    On Linux every processor draws. If a chart can't be drawn, those begun are finished before the error is raised.
    """
    for name in {spec.chart for spec in specs}:
        plugins.load("analysis.charts", name)  # once, before the processes part
    write = partial(_write, estimates, codebook, folder)
    tasks = [(spec, language) for spec in specs for language in languages]
    # Elsewhere a new process would have to import everything again, which takes longer than it saves.
    processes = min(len(os.sched_getaffinity(0)), len(tasks)) if sys.platform == "linux" else 1
    if processes < 2:
        yield from map(write, tasks)
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("fork")) as pool, warnings.catch_warnings():
        # Python from 3.12 on warns of threads at a fork. They are numpy's own, which wait for work.
        warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
        yield from pool.map(write, tasks)


def _write(estimates: Estimates, codebook: Codebook, folder: Path, task: tuple[ChartSpec, str]) -> Path:
    from analysis.charts import _files

    spec, language = task
    return _files.write(draw(estimates, spec, codebook, language), folder / language)


def remove_others(folder: Path, drawn: Collection[Path]) -> None:
    """Remove the charts in <folder>/<language>/ but those whose manifests are *drawn*.

    They may be of other answers, even of simulated ones. Manifests go first: one that is there speaks of
    files that are there.
    """
    kept = {manifest.with_suffix("") for manifest in drawn}
    for extension in FILES:
        for file in folder.glob(f"*/*.{extension}"):
            if file.with_suffix("") not in kept:
                file.unlink()
