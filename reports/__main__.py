"""`python -m reports <report>`: writes build/<instrument>/report.<language>.html, or one chapter by its own name.

`python -m reports book` writes the workbook of all cross-tabs, build/<instrument>/crosstabs.<language>.xlsx.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from analysis.parallel import each
from kysely import paths, plugins
from kysely.errors import KyselyError
from reports import _material, book, study
from reports.parts.wording import languages

NO_REPORT = ("formats", "parts")
"""The folders of this package that hold no report."""

FILES = {"study": "report", "book": "crosstabs"}
"""What a report's file is called where it is not called like the report."""

READ = {"html": "Open a report in a browser; it needs nothing else.", "xlsx": "Open the book in Excel or LibreOffice."}
"""What the command says at the end, by format."""


def names() -> tuple[str, ...]:
    """Return the reports there are: the files of this package."""
    return tuple(name for name in plugins.names("reports") if name not in NO_REPORT)


def form_of(report: str, wanted: str | None = None) -> str:
    """Return the format to write a report in: the book is a workbook and nothing else, any other report is none.

    Raises UnknownName for a format that can't hold the report.
    """
    form = wanted or (book.FORMAT if report == "book" else "html")
    if (report == "book") != (form == book.FORMAT):
        raise plugins.UnknownName(f"the report {report!r} can't be written as {form}; only the book is a workbook")
    return form


def write(report: str, material: _material.Material, folder: Path, *, language: str, form: str | None = None) -> Path:
    """Write one report in one language into *folder* and return its path."""
    chosen = plugins.load("reports.formats", form_of(report, form))
    made = book.build(material, language) if report == "book" else study.build(material, language, report=report)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{FILES.get(report, report)}.{language}.{chosen.SUFFIX}"
    unfinished = path.with_name(f".{path.name}")
    unfinished.write_bytes(chosen.render(made))
    unfinished.replace(path)
    return path


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m reports", description="Write a report from what analysis has built.")
    made.add_argument(
        "report", nargs="?", default="study", choices=names(), help="which report (default: study, all of it)"
    )
    made.add_argument("--instrument", default="operating_mode", help="whose results (default: operating_mode)")
    made.add_argument("--language", default="all", choices=(*languages(), "all"), help="default: all")
    made.add_argument(
        "--format",
        choices=plugins.names("reports.formats"),
        help="default: xlsx for the book, html for every other report",
    )
    return made


def main(arguments: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> int:
    given = parser().parse_args(arguments)
    build = paths.build(environ)
    questionnaires = paths.questionnaires(environ)
    try:
        form = form_of(given.report, given.format)
        material = _material.read(build, questionnaires, given.instrument)
        wanted = languages() if given.language == "all" else (given.language,)
        print(f"Writing the report {given.report!r} of {given.instrument} …", flush=True)

        def write_in(language: str) -> Path:
            return write(given.report, material, build / given.instrument, language=language, form=form)

        plugins.load("reports.formats", form)  # once, before the processes part
        for language, path in zip(wanted, each(write_in, wanted), strict=True):
            print(f"  {language}  {path}  ({path.stat().st_size / 1024:,.0f} kB)", flush=True)
    except KyselyError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    if form in READ:
        print(READ[form])
    return 0


if __name__ == "__main__":
    sys.exit(main())
