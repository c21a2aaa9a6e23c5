"""Charts: one file a chart, `draw(estimates, spec, codebook, language, look) -> Picture`. They draw numbers, make none.

Importing this package loads no matplotlib; drawing does.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.charts._look import LOOKS, WIDE, Look
from analysis.parallel import each
from kysely import plugins
from kysely.errors import AnalystError

if TYPE_CHECKING:
    from analysis.charts._files import Picture
    from analysis.estimates import Estimates
    from analysis.plan import ChartSpec
    from kysely.codebook import Codebook


_BACKEND = "matplotlib.backends.backend"

FILES = (
    "json",
    "png",
    "svg",
    "text.svg",
    "pdf",
    "csv",
    "html",
    "narrow.png",
    "narrow.svg",
    "report.svg",
)
"""What a chart consists of, by extension; its manifest comes first."""


def draw(estimates: Estimates, spec: ChartSpec, codebook: Codebook, language: str, look: Look = WIDE) -> Picture:
    """Return the chart that *spec* names in one *look*.

    Raises UnknownName if there is no such chart, and AnalystError, naming it, if it can't be drawn.
    """
    chart = plugins.load("analysis.charts", spec.chart)
    try:
        return chart.draw(estimates, spec, codebook, language, look)
    except AnalystError as error:
        raise AnalystError(f"chart {spec.id}: {error}") from error


def write(estimates: Estimates, spec: ChartSpec, codebook: Codebook, language: str, folder: Path) -> Path:
    """Draw one chart in every look, write its files into *folder* and return its manifest.

    Does nothing if the files that are there were made from the very same.
    Raises AuthorError if the headline claims what the figures don't support.
    """
    if is_current(estimates, spec, codebook, language, folder):
        return _manifest(spec, folder)
    from analysis.charts import _files, _recipe

    pictures = [draw(estimates, spec, codebook, language, look) for look in LOOKS]
    return _files.write(pictures, folder, made_from=_recipe.made_from(estimates, spec, codebook, language))


def write_all(
    estimates: Estimates, specs: Sequence[ChartSpec], codebook: Codebook, folder: Path, *, languages: Sequence[str]
) -> Iterator[Path]:
    """Draw every chart in every language into <folder>/<language>/ and yield each manifest once it is there.

    Those that would come out as they are come first. If a chart can't be drawn, those begun are finished before the
    error is raised.
    """
    wanted = [(spec, language) for spec in specs for language in languages]
    stale = []
    for spec, language in wanted:
        if is_current(estimates, spec, codebook, language, folder / language):
            yield _manifest(spec, folder / language)
        else:
            stale.append((spec, language))
    if not stale:
        return
    # Once, before the processes part: the charts, and what matplotlib would import while it saves.
    for module in ("PIL.PngImagePlugin", "fontTools.subset", *(f"{_BACKEND}_{name}" for name in ("agg", "pdf", "svg"))):
        import_module(module)
    for name in {spec.chart for spec, _ in stale}:
        plugins.load("analysis.charts", name)

    def one(task: tuple[ChartSpec, str]) -> Path:
        spec, language = task
        return write(estimates, spec, codebook, language, folder / language)

    yield from each(one, stale)


def is_current(estimates: Estimates, spec: ChartSpec, codebook: Codebook, language: str, folder: Path) -> bool:
    """Whether *folder* has the chart as it would come out now. Loads nothing that draws.

    Raises AuthorError if the headline claims what the figures don't support.
    """
    from analysis import headlines
    from analysis.charts import _recipe

    headlines.check(spec, estimates, language)
    return _recipe.is_current(_manifest(spec, folder), _recipe.made_from(estimates, spec, codebook, language))


def _manifest(spec: ChartSpec, folder: Path) -> Path:
    return folder / f"{spec.id}.json"


def remove_others(folder: Path, drawn: Collection[Path]) -> None:
    """Remove the charts in <folder>/<language>/ but those whose manifests are *drawn*.

    They may be of other answers, even of simulated ones. Manifests go first: one that is there speaks of
    files that are there.
    """
    kept = {manifest.with_name(f"{manifest.stem}.{extension}") for manifest in drawn for extension in FILES}
    for extension in FILES:
        for file in folder.glob(f"*/*.{extension}"):
            if file not in kept:
                file.unlink(missing_ok=True)
