"""Complete, partial or broken off, as DOMAIN.md e2 draws the lines."""

from __future__ import annotations

import pytest

from kysely import loading
from kysely.codebook import Missing
from kysely.disposition import Disposition, answered_share, disposition

TEXT = """\
schema: questionnaire/1
id: study
revision: "1"
languages: {base: en, required: [en]}
title: {en: Study}
core: [M]
scales:
  CENT4:
    levels: [{code: NOT, value: 0, label: {en: a}}, {code: SOME, value: 1, label: {en: b}}]
pages:
  - id: background
    title: {en: One}
    questions:
QUESTIONS
  - id: modes
    title: {en: Modes}
    questions:
      - id: M
        type: weighted_choice
        choose: {id: MA, text: {en: Which?}}
        rate: {id: MB, text: {en: How much?}}
        scale: CENT4
        options: [{code: X, label: {en: x}}, {code: Y, label: {en: y}}]
"""
QUESTION = "      - {{id: Q{0}, type: number, text: {{en: Number?}}, dont_know: true}}\n"
BACKGROUND = [f"Q{number}" for number in range(1, 10)]
CHOSEN = {"MA_X": 1, "MA_Y": 0, "MB_Y": 0}
RATED = {**CHOSEN, "MB_X": 1}


@pytest.fixture(scope="module")
def instrument(tmp_path_factory):
    """Nine numbers and a weighted choice: ten questions, each a tenth."""
    file = tmp_path_factory.mktemp("study") / "questionnaire.yaml"
    questions = "".join(QUESTION.format(number) for number in range(1, 10))
    file.write_text(TEXT.replace("QUESTIONS\n", questions), encoding="utf-8")
    return loading.load(file)


def numbers(count: int) -> dict:
    return dict.fromkeys(BACKGROUND[:count], 1)


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        ({**numbers(7), **RATED}, Disposition.COMPLETE),
        ({**numbers(6), **RATED}, Disposition.PARTIAL),
        ({**numbers(9), **CHOSEN}, Disposition.PARTIAL),
        ({**numbers(9), **CHOSEN, "MB_X": Missing.NO_ANSWER}, Disposition.PARTIAL),
        ({**numbers(4), **CHOSEN}, Disposition.PARTIAL),
        ({**numbers(3), **CHOSEN}, Disposition.BREAK_OFF),
        (numbers(9), Disposition.BREAK_OFF),
        ({}, Disposition.BREAK_OFF),
    ],
)
def test_the_lines_between_complete_partial_and_broken_off(instrument, answers, outcome):
    assert disposition(instrument, answers, submitted=False) is outcome


def test_who_reached_the_end_page_is_complete(instrument):
    assert disposition(instrument, {}, submitted=True) is Disposition.COMPLETE


def test_not_knowing_is_an_answer_and_leaving_blank_is_none(instrument):
    assert answered_share(instrument, {"Q1": Missing.DONT_KNOW}) == 0.1
    assert answered_share(instrument, {"Q1": Missing.NO_ANSWER}) == 0.0
    assert answered_share(instrument, {"Q1": 0}) == 0.1
