"""Feedback files into what they say, checked against the questionnaire they stand beside."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kysely.errors import AuthorError, Problem
from kysely.feedback import Feedback
from kysely.instrument import Instrument
from kysely.loading._binding import Binder, nearest
from kysely.loading._nodes import from_file

FILE = "feedback.yaml"


def load(folder: Path, forms: Sequence[Instrument]) -> Feedback | None:
    """Return the feedback of the questionnaire in *folder*, whose *forms* are given; None if it has none.

    Raises AuthorError with every problem of the file.
    """
    feedback, problems = _read(folder, forms)
    if problems:
        raise AuthorError(problems)
    return feedback


def check(folder: Path, forms: Sequence[Instrument]) -> tuple[Problem, ...]:
    """Return every problem of the feedback file of *folder*, in the order of its lines; none where there is no file."""
    return tuple(sorted(_read(folder, forms)[1]))


def _read(folder: Path, forms: Sequence[Instrument]) -> tuple[Feedback | None, list[Problem]]:
    file = folder / FILE
    if not file.is_file():
        return None, []
    node, problems = from_file(file, str(file))
    if node is None:
        return None, problems
    binder = Binder(str(file), forms[0].languages)
    feedback: Feedback | None = binder.bind(Feedback, node, "file")
    if feedback is not None:
        _check_names(binder, feedback, forms)
    return feedback, [*problems, *binder.problems]


def _check_names(binder: Binder, feedback: Feedback, forms: Sequence[Instrument]) -> None:
    """Note every name that no form of the questionnaire knows. A form need not ask all that another does."""
    variables = {variable.name: variable for form in forms for variable in form.codebook.variables}
    sets = {variable.set for variable in variables.values()}
    asked = {variable.code for variable in variables.values() if variable.set == feedback.perspectives.current.levels}
    modes = {code for code in asked if code}
    scaled = {name for name, variable in variables.items() if any(one.value is not None for one in variable.categories)}

    def known(name: str, names: set[str], owner: object, key: str, what: str) -> None:
        if name not in names:
            cure = nearest(name, names) or f"Name one of: {', '.join(sorted(names)[:12])}"
            where = f"file: {key}"
            binder.add(binder.node(owner).at(key), where, f"there is no {what} {name!r}", cure, f"unknown_{what}")

    for perspective in feedback.perspectives:
        known(perspective.levels, {one for one in sets if one}, perspective, "levels", "set")
    if feedback.reason:
        known(feedback.reason, {variable.question for variable in variables.values()}, feedback, "reason", "question")
    if not modes:
        return
    for code in feedback.modes:
        known(code, modes, feedback, "modes", "mode")
    for code in sorted(modes - set(feedback.modes)):
        binder.add(
            binder.node(feedback).at("modes"), "file: modes", f"the mode {code!r} is missing", "Write it", "mode"
        )
    for feature in (feature for mode in feedback.modes.values() for feature in mode.features):
        for key in ("items", "low"):
            for name in getattr(feature, key):
                known(name, scaled, feature, key, "item")
        for code in feature.growing:
            known(code, modes, feature, "growing", "mode")
    for combination in feedback.combinations:
        for code in combination.modes:
            known(code, modes, combination, "modes", "mode")
    _check_pairs(binder, feedback)


def _check_pairs(binder: Binder, feedback: Feedback) -> None:
    """Note combinations that aren't of two modes, and those written twice."""
    seen: set[frozenset[str]] = set()
    for combination in feedback.combinations:
        line, pair = binder.node(combination).line, frozenset(combination.modes)
        if len(combination.modes) != 2 or len(pair) != 2:
            cause = "a combination is of two modes; `many` is for more"
            binder.add(line, "file: combinations", cause, "Name two different modes", "not_a_pair")
        elif pair in seen:
            binder.add(line, "file: combinations", "this pair stands twice", "Take one of them out", "pair_twice")
        seen.add(pair)
