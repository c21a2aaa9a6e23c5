"""`python -m reports <report>`: writes build/<instrument>/report.<language>.html, or one chapter by its own name."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from kysely import paths, plugins
from kysely.errors import KyselyError
from reports import _material, study
from reports.parts.wording import languages

NO_REPORT = ("formats", "parts")
"""The folders of this package that hold no report."""


def names() -> tuple[str, ...]:
    """Return the reports there are: the files of this package."""
    return tuple(name for name in plugins.names("reports") if name not in NO_REPORT)


def write(report: str, material: _material.Material, folder: Path, *, language: str, form: str = "html") -> Path:
    """Write one report in one language into *folder* and return its path."""
    chosen = plugins.load("reports.formats", form)
    document = study.build(material, language, report=report)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{'report' if report == 'study' else report}.{language}.{chosen.SUFFIX}"
    unfinished = path.with_name(f".{path.name}")
    unfinished.write_bytes(chosen.render(document))
    unfinished.replace(path)
    return path


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m reports", description="Write a report from what analysis has built.")
    made.add_argument(
        "report", nargs="?", default="study", choices=names(), help="which report (default: study, all of it)"
    )
    made.add_argument("--instrument", default="operating_mode", help="whose results (default: operating_mode)")
    made.add_argument("--language", default="all", choices=(*languages(), "all"), help="default: all")
    made.add_argument("--format", default="html", choices=plugins.names("reports.formats"), help="default: html")
    return made


def main(arguments: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> int:
    given = parser().parse_args(arguments)
    build = paths.build(environ)
    questionnaires = paths.questionnaires(environ)
    try:
        material = _material.read(build, questionnaires, given.instrument)
        wanted = languages() if given.language == "all" else (given.language,)
        print(f"Writing the report {given.report!r} of {given.instrument} …", flush=True)
        for language in wanted:
            path = write(given.report, material, build / given.instrument, language=language, form=given.format)
            print(f"  {language}  {path}  ({path.stat().st_size / 1024:,.0f} kB)", flush=True)
    except KyselyError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print("Open a report in a browser; it needs nothing else.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
