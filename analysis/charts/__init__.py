"""Charts: one file a chart, `draw(estimates, spec, codebook, language) -> Picture`. They draw numbers and make none.

Importing this package loads no matplotlib; drawing does.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.parallel import each
from kysely import plugins

if TYPE_CHECKING:
    from analysis.charts._files import Picture
    from analysis.estimates import Estimates
    from analysis.plan import ChartSpec
    from kysely.codebook import Codebook


_BACKEND = "matplotlib.backends.backend"

FILES = ("json", "png", "svg", "pdf", "csv")
"""What a chart consists of, by extension; its manifest comes first."""


def draw(estimates: Estimates, spec: ChartSpec, codebook: Codebook, language: str) -> Picture:
    """Return the chart that *spec* names. Raises UnknownName if there is no such chart."""
    return plugins.load("analysis.charts", spec.chart).draw(estimates, spec, codebook, language)


def write_all(
    estimates: Estimates, specs: Sequence[ChartSpec], codebook: Codebook, folder: Path, *, languages: Sequence[str]
) -> Iterator[Path]:
    """Draw every chart in every language into <folder>/<language>/ and yield each manifest once it is there.

    If a chart can't be drawn, those begun are finished before the error is raised.
    """
    from analysis.charts import _files

    # Once, before the processes part: the charts, and what matplotlib would import while it saves.
    for module in ("PIL.PngImagePlugin", "fontTools.subset", *(f"{_BACKEND}_{name}" for name in ("agg", "pdf", "svg"))):
        import_module(module)
    for name in {spec.chart for spec in specs}:
        plugins.load("analysis.charts", name)

    def write(task: tuple[ChartSpec, str]) -> Path:
        spec, language = task
        return _files.write(draw(estimates, spec, codebook, language), folder / language)

    yield from each(write, [(spec, language) for spec in specs for language in languages])


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
