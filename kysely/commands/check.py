"""`kysely check`: every problem of the questionnaires, with file, line, cause and cure."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

from kysely import paths
from kysely.errors import AuthorError, Problem

HELP = "report every problem of the questionnaires at once"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folder",
        nargs="*",
        type=Path,
        default=[paths.questionnaires(os.environ)],
        help="questionnaire file or folder, or a folder of those (default: those of KYSELY_QUESTIONNAIRES)",
    )

    parser.add_argument(
        "--codebooks",
        action="store_true",
        help="leave the codebooks of sound questionnaires in build/, for `python -m analysis --check`",
    )


def run(args: argparse.Namespace) -> int:
    """Print problems, or a line for each questionnaire that is in order; 2 if any problem is fatal."""
    from kysely import loading, translations

    failed = False
    for path in [found for folder in args.folder for found in questionnaires(folder)]:
        problems = loading.check(path)
        if not any(problem.fatal for problem in problems):
            problems = tuple(sorted((*problems, *translations.problems(path), *_beside(path))))
        if args.codebooks:
            write_codebooks(path, sound=not any(problem.fatal for problem in problems))
        for problem in problems:
            print(problem)
        if any(problem.fatal for problem in problems):
            failed = True
        else:
            for form in loading.forms(path):
                print(_summary(path, form))
    return AuthorError.exit_code if failed else 0


def _beside(path: Path) -> Iterator[Problem]:
    """Yield the problems of what lies beside a sound questionnaire: its feedback and its letters."""
    from kysely import loading
    from kysely.loading import feedback
    from kysely.mail import composing

    folder = path if path.is_dir() else path.parent
    forms = [loading.load(path, form) for form in loading.forms(path)]
    yield from feedback.check(folder, forms)
    yield from composing.check(folder, forms[0])


def questionnaires(folder: Path) -> Iterator[Path]:
    """Yield *folder* itself if it is a questionnaire, else the questionnaires in it.

    Raises AuthorError if there are none.
    """
    from kysely import loading

    if folder.is_file() or (folder / loading.FILE).is_file():
        yield folder
        return
    found = sorted(folder.glob(f"*/{loading.FILE}"))
    if not found:
        cause = "there is no questionnaire here"
        cure = f"Name a file, or a folder with {loading.FILE} in it"
        raise AuthorError([Problem(str(folder), 0, "folder", cause, cure, "no_questionnaire")])
    yield from (path.parent for path in found)


def write_codebooks(path: Path, *, sound: bool) -> None:
    """Write the codebook of every form of *path* into build/; of a questionnaire that is not *sound* none stays there.

    analysis checks plan.yaml and claims.yaml against them: it reads no questionnaire.
    """
    from kysely import loading

    folder = paths.codebooks(os.environ, (path if path.is_dir() else path.parent).resolve().name)
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.json"):
        old.unlink()
    for form in loading.forms(path) if sound else ():
        text = loading.load(path, form).codebook.to_json()
        (folder / f"{form}.json").write_text(text, encoding="utf-8")


def _summary(path: Path, form: str) -> str:
    from kysely import loading

    instrument = loading.load(path, form)
    counts = f"{len(instrument.pages)} pages, {len(instrument.questions)} questions, "
    counts += f"{len(instrument.codebook.variables)} variables"
    return f"{instrument.id}, form {form}: {counts}, in {', '.join(instrument.languages)}; {instrument.hash[:12]}"
