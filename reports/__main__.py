"""`python -m reports`: writes every report in every language and format; or what --language and --format leave of one.

The files are build/<instrument>/<report>.<language>.<format>; the study is called report there, the book crosstabs.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from analysis.__main__ import progress
from analysis.parallel import each
from kysely import paths, plugins
from kysely.errors import AnalystError, KyselyError
from reports import _charts, _material, study
from reports.parts import Section
from reports.parts.wording import languages

NO_REPORT = ("formats", "parts")
"""The folders of this package that hold no report."""

FILES = {"study": "report", "book": "crosstabs"}
"""What a report's file is called where it is not called like the report."""

CHARTS = "charts"
"""What stands in the place of a report where finished charts are asked for (`reports._charts`)."""

READ = {
    "html": "Open a report in a browser; it needs nothing else.",
    "pdf": "Open the PDF to read, print or send the report; it is tagged for screen readers.",
    "xlsx": "Open the book in Excel or LibreOffice.",
}
"""What the command says at the end, by format."""


def names() -> tuple[str, ...]:
    """Return the reports there are: the files of this package."""
    return tuple(name for name in plugins.names("reports") if name not in NO_REPORT)


def whole() -> tuple[str, ...]:
    """Return the reports that are written if none is named: all but those that are chapters of the study."""
    others = (name for name in names() if name not in (*study.CHAPTERS, "study"))
    return ("study", *others)  # the longest first, so that no processor waits for it at the end


def formats_of(report: str) -> tuple[str, ...]:
    """Return the formats that can hold what *report* makes."""
    made = _makes(report)
    return tuple(
        name for name in plugins.names("reports.formats") if plugins.load("reports.formats", name).HOLDS is made
    )


def build(report: str, material: _material.Material, language: str) -> object:
    """Return what *report* makes, once for all formats; a chapter with what a reader must know around it.

    Raises AnalystError for a report file that makes nothing a format could hold.
    """
    module = plugins.load("reports", report)
    if not hasattr(module, "build"):
        raise AnalystError(f"reports/{report}.py has no function build(material, language); write one")
    made = module.build(material, language)
    if isinstance(made, Section):
        made = study.framed(material, language, report=report, chapters=[made])
    if not isinstance(made, _makes(report)):
        raise AnalystError(
            f"build() of reports/{report}.py returns a {type(made).__name__}; "
            "return a Section, or say in MAKES what it returns"
        )
    return made


def _makes(report: str) -> type:
    made: type = getattr(plugins.load("reports", report), "MAKES", study.MAKES)
    return made


def write(
    report: str, material: _material.Material, folder: Path, *, language: str, formats: Sequence[str] = ()
) -> list[Path]:
    """Write one report in one language into *folder*, in *formats* or all it can have, and return the files.

    Raises UnknownName for a format that can't hold the report.
    """
    known = _check(report, formats)
    made = build(report, material, language)
    folder.mkdir(parents=True, exist_ok=True)
    return [_written(made, folder / f"{FILES.get(report, report)}.{language}", form) for form in formats or known]


def _check(report: str, formats: Sequence[str]) -> tuple[str, ...]:
    """Return the formats that *report* can have. Raises UnknownName if one of *formats* is none of them."""
    known = formats_of(report)
    if unfit := [form for form in formats if form not in known]:
        raise plugins.UnknownName(f"the report {report!r} can't be written as {unfit[0]}; it can as {', '.join(known)}")
    return known


def _written(made: object, stem: Path, form: str) -> Path:
    chosen = plugins.load("reports.formats", form)
    path = stem.with_name(f"{stem.name}.{chosen.SUFFIX}")
    unfinished = path.with_name(f".{path.name}")
    unfinished.write_bytes(chosen.render(made))
    unfinished.replace(path)
    return path


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m reports",
        description="Write reports from what analysis has built.",
        epilog=f"python -m reports {CHARTS} list|export: the finished charts.",
    )
    made.add_argument(
        "report",
        nargs="?",
        choices=names(),
        help=f"which report (default: {', '.join(whole())}; the others are chapters of the study)",
    )
    made.add_argument("--instrument", default="operating_mode", help="whose results (default: operating_mode)")
    made.add_argument("--language", default="all", choices=(*languages(), "all"), help="default: all")
    made.add_argument(
        "--format", choices=plugins.names("reports.formats"), help="default: all that the report can be written in"
    )
    return made


def main(arguments: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> int:
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == [CHARTS]:
        return _charts.main(arguments[1:], environ)
    given = parser().parse_args(arguments)
    folder = paths.build(environ) / given.instrument
    wanted = languages() if given.language == "all" else (given.language,)
    try:
        tasks = _tasks(given.report, wanted, given.format)
        material = _material.read(folder.parent, paths.questionnaires(environ), given.instrument)
        written = _write_all(tasks, material, folder)
    except KyselyError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    for form in dict.fromkeys(path.suffix[1:] for path in written):
        if form in READ:
            print(READ[form])
    return 0


Task = tuple[str, str, tuple[str, ...]]
"""A report, a language, and the formats to write it in."""


def _tasks(report: str | None, wanted: Sequence[str], form: str | None) -> list[Task]:
    """Return what is to be written; if no report is named, those that can have the format."""
    if report is not None:
        _check(report, (form,) if form else ())
        return [(report, language, (form,) if form else formats_of(report)) for language in wanted]
    chosen = {name: tuple(one for one in formats_of(name) if form in (None, one)) for name in whole()}
    return [(name, language, formats) for name, formats in chosen.items() if formats for language in wanted]


def _write_all(tasks: Sequence[Task], material: _material.Material, folder: Path) -> list[Path]:
    """Write all of *tasks* on every processor, with a line a file and what share of the files is there."""

    def write_one(task: Task) -> list[Path]:
        report, language, formats = task
        return write(report, material, folder, language=language, formats=formats)

    count = sum(len(formats) for _, _, formats in tasks)
    written: list[Path] = []
    progress(f"writing {count} files …")
    try:
        for files in each(write_one, tasks):
            progress("")
            for path in files:
                written.append(path)
                size = path.stat().st_size / 1024
                print(f"  {len(written) / count:4.0%}  {path}  ({size:,.0f} kB)", flush=True)
            progress(f"writing {count} files: {len(written)} done …")
    finally:
        progress("")
    return written


if __name__ == "__main__":
    sys.exit(main())
