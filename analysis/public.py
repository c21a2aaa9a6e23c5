"""What the plan of a study lets become public, as the questions and groups that analysis/publishing.py judges."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from analysis.extract import unnamed
from analysis.plan import DERIVED, PublicQuestion, RecodeCategory
from analysis.publishable import Amount, Level, PublishingError, Question, Scale, Shares
from analysis.publishing import Classification, Responses
from analysis.refusals import Wording
from analysis.study import Study
from kysely.codebook import Kind

CHOSEN = ("NOT_CHOSEN", "CHOSEN")
"""The categories of an option of a multiple choice."""


def responses(
    study: Study, dataset: str, wave: str, *, secret: bytes, pseudonyms: Mapping[str, str] | None = None
) -> Responses:
    """Return the valid respondents of the study; in another wave the same ids would be other people.

    pseudonyms  by what the ledger knows the ids of this extract; None: as the extract names them

    Raises PublishingError if the extract has respondents who have no pseudonym any more.
    """
    ids = [str(one) for one in study.column("response")]
    organisations = [str(one) for one in study.answers.organisation[study.valid]]
    if pseudonyms is not None:
        if gone := sum(id not in pseudonyms for id in ids):
            raise PublishingError(
                f"of {gone} responses of this extract nothing is known any more: they were erased after it was made. "
                "Make the extract anew (kysely extract), and publish from that"
            )
        alone = {unnamed(id): pseudonyms[id] for id in ids}
        organisations = [pseudonyms.get(one) or alone[one] for one in organisations]
        ids = [pseudonyms[id] for id in ids]
    named = ([f"{wave}|{one}" for one in of] for of in (ids, organisations))
    return Responses.of(dataset, *named, secret=secret)


def names(study: Study, wanted: str) -> tuple[str, ...]:
    """Return the public questions that *wanted* names: one, or the members of a set.

    Raises PublishingError if the plan does not let them become public.
    """
    public = [name for question in study.plan.public.questions for name in question.variables]
    members = [one.name for one in study.codebook.variables if one.set == wanted]
    found = [name for name in public if name == wanted or name in members]
    if not found:
        listed = ", ".join(public) or "none"
        raise PublishingError(
            f"{wanted!r} is not among the questions of `public` in plan.yaml (there are: {listed}). What may become "
            "public, and in which coarser versions, is decided there before the numbers are seen"
        )
    return tuple(found)


def question(study: Study, name: str, *, coarsest: bool = False) -> Question:
    """Return the public question *name*; its coarsest version only, if that is asked for."""
    asked = next(one for one in study.plan.public.questions if name in one.variables)
    sources = tuple(sorted(_sources(study, name)))
    variable = study.codebook[name]
    if asked.show == "median":
        return Amount(name, study.numbers(name), sources=sources)
    if asked.show == "mean":
        values = [float(one.value) for one in variable.categories if one.value is not None]
        low, high = asked.between or (min(values), max(values))
        return Scale(name, _values(study, name), low, high, sources=sources)
    codes = CHOSEN if variable.kind is Kind.BINARY else tuple(one.code for one in variable.categories)
    collapse = tuple(_level(version, codes) for version in asked.coarser)
    first = len(collapse) if coarsest else 0
    return Shares(name, study.codes(name), codes, collapse, asked.sensitive, sources, first)


def classification(study: Study, name: str, merges: Sequence[tuple[str, str]] = ()) -> Classification:
    """Return the registered classification *name*, with each of *merges* (group, into) made in turn.

    Raises PublishingError if the plan does not register it, or its hierarchy does not have the merge.
    """
    registered = {one.variable: one for one in study.plan.public.classifications}
    if name not in registered:
        listed = ", ".join(registered) or "none"
        raise PublishingError(
            f"{name!r} is not among the classifications of `public` in plan.yaml (there are: {listed})"
        )
    groups = tuple(one.code for one in study.codebook[name].categories)
    within = registered[name].within
    recode = study.plan.recode[within] if within else None
    parents = {code: category.code for category in (recode.categories if recode else ()) for code in category.codes}
    made = Classification(name, study.codes(name), groups, parents)
    for group, into in merges:
        made = made.merged(group, into)
    return made


def planned(question: PublicQuestion) -> Iterator[tuple[str, str | None]]:
    """Yield each question with each of its groupings, the total first."""
    for name in question.variables:
        yield name, None
        yield from ((name, by) for by in question.by)


def wording(study: Study, language: str = "en") -> Wording:
    """Return the words of refusals: English as all of the research side, or else the study's first language."""
    book = study.codebook
    language = language if language in book.languages else book.languages[0]
    questions: dict[str, str] = {}
    groups: dict[tuple[str, str], str] = {}
    for one in book.variables:
        text = one.text[language]
        questions[one.name] = text if one.label == one.text else f"{text} {one.label[language]}"
    for registered in study.plan.public.classifications:
        units = {one.code: one.label[language] for one in book[registered.variable].categories}
        if registered.within:
            units |= {one.code: one.label[language] for one in book[registered.within].categories}
        groups |= {(registered.variable, code): label for code, label in units.items()}
    classifications = {one.variable: book[one.variable].text[language] for one in study.plan.public.classifications}
    return Wording(questions, classifications, groups)


def _sources(study: Study, name: str) -> set[str]:
    """Return the variables whose answers *name* is made of, directly or not.

    What was not chosen has level 0, so that the choice and the level of an option are made of both.
    """
    for score in study.plan.scores:
        pairs = {code: {f"{score.chosen}_{code}", f"{score.level}_{code}"} for code in score.codes}
        if name in {score.variable(derived) for derived in DERIVED}:
            return set().union(*pairs.values())
        for pair in pairs.values():
            if name in pair:
                return pair
    return {study.plan.source(name)}


def _values(study: Study, name: str) -> np.ndarray:
    """Return the values of the categories that were answered, or the number; (n,), NaN missing."""
    variable = study.codebook[name]
    if variable.kind in (Kind.NUMBER, Kind.LEVEL, Kind.BINARY):
        return study.numbers(name)
    worth = np.array([one.value for one in variable.categories] + [np.nan], float)
    return np.asarray(worth[study.codes(name)])


def _level(version: Sequence[RecodeCategory], codes: Sequence[str]) -> Level:
    place = {code: position for position, category in enumerate(version) for code in category.codes}
    return Level(tuple(category.code for category in version), tuple(place[code] for code in codes))
