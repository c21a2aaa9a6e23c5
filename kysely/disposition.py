"""How far a response came: complete, partial or broken off (DOMAIN.md e2, after AAPOR)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from kysely import routing
from kysely.codebook import Answer
from kysely.instrument import Instrument
from kysely.questions._base import Question

COMPLETE_SHARE = 0.8
PARTIAL_SHARE = 0.5


class Disposition(StrEnum):
    """The outcomes of a case that began to answer."""

    COMPLETE = "I"
    PARTIAL = "P"
    BREAK_OFF = "R_breakoff"


def disposition(instrument: Instrument, answers: Mapping[str, Answer], *, submitted: bool) -> Disposition:
    """Return how far the response came.

    Complete: submitted, or every core question answered in full and at least 80 % of the questions on the path.
    Partial: every core question begun and at least 50 %. Otherwise it broke off. A kind of missing that the
    respondent chose is an answer. Without core questions the shares alone decide.
    """
    if submitted:
        return Disposition.COMPLETE
    shown = _shown(instrument, answers)
    share = _share(shown, answers)
    core = [shown[id] for id in instrument.core if id in shown]
    if share >= COMPLETE_SHARE and all(question.complete(answers) for question in core):
        return Disposition.COMPLETE
    if share >= PARTIAL_SHARE and all(question.begun(answers) for question in core):
        return Disposition.PARTIAL
    return Disposition.BREAK_OFF


def answered_share(instrument: Instrument, answers: Mapping[str, Answer]) -> float:
    """Return the share of the questions on the path that are answered, 0 if there are none."""
    return _share(_shown(instrument, answers), answers)


def _shown(instrument: Instrument, answers: Mapping[str, Answer]) -> dict[str, Question]:
    """Return the questions on the path that ask anything, by id."""
    pages = routing.route(instrument, answers).questions.values()
    return {question.id: question for page in pages for question in page if question.answering}


def _share(shown: Mapping[str, Question], answers: Mapping[str, Answer]) -> float:
    return sum(question.begun(answers) for question in shown.values()) / len(shown) if shown else 0.0
