"""What an instrument's folder says about its analysis, plan.yaml and claims.yaml, checked as one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from analysis import claims as claims_of
from analysis import plan as plans
from analysis.authored import File
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
    """Return the plan of the instrument *folder*, and its claims if it makes any.

    Raises AuthorError with every problem of both files.
    """
    problems: list[Problem] = []
    plan: Plan | None = None
    claims: Claims | None = None
    try:
        plan = plans.load(folder / "plan.yaml", codebook)
    except AuthorError as error:
        problems += error.problems
    if (folder / "claims.yaml").exists():
        try:
            claims = claims_of.load(folder / "claims.yaml", codebook, plan)
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
    forms = {}
    problems: list[Problem] = []
    for name, schema in (("plan", PLAN), ("claims", CLAIMS)):
        file = File(folder / f"{name}.yaml", name, schema)
        if file.path.exists():
            forms[name] = _form(file, codebooks)
            problems += file.problems
    if not forms:
        return Checked()
    found = next((form for form in forms.values() if form), None)
    if found is None:
        return Checked(tuple(problems))
    try:
        plan, claims = load(folder, Codebook.from_json((codebooks / f"{found}.json").read_text(encoding="utf-8")))
    except AuthorError as error:
        return Checked(tuple({*problems, *error.problems}))
    parts = f"{len(plan.tables)} tables, {len(plan.charts)} charts"
    parts += "" if claims is None else f", {len(claims.claims)} claims"
    return Checked(tuple(problems), f"{plan.instrument}, plan for form {plan.form}: {parts}")


def _form(file: File, codebooks: Path) -> str | None:
    """Return the form that *file* is for, if its codebook is there."""
    root = file.root()
    form = None if root is None else root.name("form")
    if root is None or form is None:
        return None
    if not (codebooks / f"{form}.json").is_file():
        cure = "Name a form of questionnaire.yaml, mend its faults first, and say `make check-questionnaires`"
        root.fault("form", f"there is no codebook of form {form!r}", cure)
        return None
    return form
