"""What an instrument's folder says about its analysis, plan.yaml and claims.yaml, checked as one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from analysis import claims as claims_of
from analysis import plan as plans
from analysis.authored import FORMS, File
from analysis.claims import Claims
from analysis.claims_file import SCHEMA as CLAIMS
from analysis.plan import Plan
from analysis.plan_file import SCHEMA as PLAN
from kysely.codebook import Codebook
from kysely.errors import AnalystError, AuthorError, Problem


@dataclass(frozen=True)
class Checked:
    """What is wrong with an instrument's files, or the line that says what they plan."""

    problems: tuple[Problem, ...] = ()
    sound: str = ""


def load(folder: Path, codebook: Codebook) -> tuple[Plan, Claims | None]:
    """Return the plan of the instrument *folder*, and its claims if it makes any of the codebook's form.

    Raises AuthorError with every problem of both files.
    """
    problems: list[Problem] = []
    plan: Plan | None = None
    claims: Claims | None = None
    try:
        plan = plans.load(folder / "plan.yaml", codebook)
    except AuthorError as error:
        problems += error.problems
    file = File(folder / "claims.yaml", "claims", CLAIMS)
    if file.path.exists() and codebook.form in (_forms(file) or (codebook.form,)):
        try:
            claims = claims_of.load(file.path, codebook, plan)
        except AuthorError as error:
            problems += error.problems
    if problems:
        raise AuthorError(problems)
    assert plan is not None
    return plan, claims


def check(folder: Path, codebooks: Path) -> Checked:
    """Return what is wrong with the files of the instrument *folder*; one without them has nothing to check.

    *codebooks* is the folder in which `kysely check --codebooks` leaves the codebook of each form.

    Raises AnalystError if there is no such instrument.
    """
    if not folder.is_dir():
        raise AnalystError(f"{folder} is not there; name an instrument by its folder in {folder.parent}")
    problems: dict[Problem, None] = {}  # a fault that every form shares is told once
    forms: dict[str, None] = {}
    for name, schema in (("plan", PLAN), ("claims", CLAIMS)):
        file = File(folder / f"{name}.yaml", name, schema)
        if file.path.exists():
            forms |= dict.fromkeys(_forms(file, codebooks))
            problems |= dict.fromkeys(file.problems)
    sound = []
    for form in forms:
        try:
            plan, claims = load(folder, Codebook.from_json((codebooks / f"{form}.json").read_text(encoding="utf-8")))
        except AuthorError as error:
            problems |= dict.fromkeys(error.problems)
            continue
        parts = f"{len(plan.tables)} tables, {len(plan.charts)} charts"
        parts += "" if claims is None else f", {len(claims.claims)} claims"
        sound.append(f"{plan.instrument}, plan for form {form}: {parts}")
    return Checked(tuple(problems), "\n".join(sound))


def _forms(file: File, codebooks: Path | None = None) -> tuple[str, ...]:
    """Return the forms that *file* is for; with *codebooks*, those whose codebook is there."""
    root = file.root()
    named = () if root is None else root.texts(FORMS)
    if root is None or codebooks is None:
        return named
    if not named:
        root.fault(FORMS, "it names no form of the questionnaire", f"Write `{FORMS}: [name of a form, …]`")
    for form in named:
        if not (codebooks / f"{form}.json").is_file():
            cure = "Name a form of questionnaire.yaml, mend its faults first, and say `make check-questionnaires`"
            root.fault(FORMS, f"there is no codebook of form {form!r}", cure)
    return tuple(form for form in named if (codebooks / f"{form}.json").is_file())
