"""`python -m reports charts`: lists the finished charts of build/, and copies the files of one to where one wants them.

It hands out what the gallery does, to whoever can read the build folder already.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from kysely import finished, paths
from kysely.errors import AnalystError, KyselyError
from kysely.finished import KINDS, Chart
from kysely.plugins import UnknownName
from reports.parts.wording import languages


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m reports charts", description="List and copy the finished charts.")
    commands = made.add_subparsers(dest="command", required=True)
    listing = commands.add_parser("list", help="which charts there are: id, languages, release, files and titles")
    copying = commands.add_parser("export", help="copy the files of one chart, and its manifest, into a folder")
    copying.add_argument("id", metavar="ID", help="as `list` tells it: OM_FIG01")
    copying.add_argument("--language", required=True, choices=languages())
    copying.add_argument("--to", required=True, type=Path, metavar="FOLDER", help="made if it isn't there")
    for command in (listing, copying):
        command.add_argument("--instrument", default="operating_mode", help="whose charts (default: operating_mode)")
    return made


def main(arguments: Sequence[str], environ: Mapping[str, str] = os.environ) -> int:
    given = parser().parse_args(arguments)
    build = paths.build(environ)
    try:
        there = _charts(build, given.instrument)
        if given.command == "list":
            lines = [line for charts in there.values() for line in _told(charts)]
        else:
            chart = _named(there, given.id, given.language)
            copied = export(chart, finished.folder(build, given.instrument, given.language), given.to)
            lines = [str(path) for path in copied]
    except KyselyError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print("\n".join(lines))
    return 0


def export(chart: Chart, folder: Path, to: Path) -> list[Path]:
    """Copy the files of *chart* and its manifest from *folder* into the folder *to* and return where they are.

    Raises AnalystError, and copies nothing, if a file isn't the one that the manifest names, or if *to* has
    another file of its name.
    """
    contents = {file.name: _read(folder / file.name, file.sha256) for file in chart.files.values()}
    contents[f"{chart.id}.json"] = (folder / f"{chart.id}.json").read_bytes()
    for name, content in contents.items():
        if (to / name).exists() and (not (to / name).is_file() or (to / name).read_bytes() != content):
            raise AnalystError(f"{to / name} is there already and is another file; remove it, or name another folder")
    try:
        to.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            (to / name).write_bytes(content)
    except OSError as error:
        raise AnalystError(f"{to} can't be written: {error.strerror}; name another folder") from error
    return [to / name for name in contents]


def _read(file: Path, expected: str) -> bytes:
    content = file.read_bytes() if file.is_file() else b""
    if sha256(content).hexdigest() != expected:
        raise AnalystError(f"{file} isn't as its manifest says; run `make analysis` again")
    return content


def _charts(build: Path, instrument: str) -> Mapping[str, Mapping[str, Chart]]:
    """Return the finished charts: id → language → chart. Raises AnalystError if there are none."""
    there: dict[str, dict[str, Chart]] = {}
    for language in languages():
        try:
            folder = finished.folder(build, instrument, language)
        except ValueError as error:
            raise UnknownName(f"{error}; --instrument is the name of a folder in {build}") from error
        for chart in finished.charts(folder):
            there.setdefault(chart.id, {})[language] = chart
    if not there:
        raise AnalystError(f"{build / instrument / 'charts'} has no finished charts; run `make analysis` first")
    return {id: there[id] for id in sorted(there)}


def _named(there: Mapping[str, Mapping[str, Chart]], id: str, language: str) -> Chart:
    if id not in there:
        raise UnknownName(f"there is no chart {id!r}; there are: {', '.join(there)}")
    if language not in there[id]:
        raise UnknownName(f"the chart {id} is not there in {language!r}; it is in: {', '.join(there[id])}")
    return there[id][language]


def _told(charts: Mapping[str, Chart]) -> Iterator[str]:
    """Yield what the list says of one chart: a line of facts, its files, and its title in every language."""
    one = next(iter(charts.values()))
    origins = {f"{chart.release}, {'synthetic' if chart.synthetic else 'from answers'}" for chart in charts.values()}
    yield f"{one.id}  {' '.join(charts)}  {'; '.join(sorted(origins))}"
    yield f"  files: {' '.join((*KINDS, 'json'))}"
    for language, chart in charts.items():
        yield f"  {language}: {chart.title}"
