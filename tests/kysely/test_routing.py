"""The way through a questionnaire, from the answers alone."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from kysely import loading, routing
from kysely.codebook import Missing
from kysely.instrument import Screen
from tests.kysely import every_type as every_types

STUDY = Path(__file__).parents[2] / "questionnaires" / "operating_mode"

TEXT = """\
schema: questionnaire/1
id: worklife
revision: "1"
languages: {base: en, required: [en]}
title: {en: Work}
scales:
  CENT4:
    levels:
      - {code: NOT, value: 0, label: {en: a}}
      - {code: SOME, value: 1, label: {en: b}}
      - {code: CENTRAL, value: 2, label: {en: c}}
pages:
  - id: first
    title: {en: One}
    questions:
      - id: scope
        type: single_choice
        text: {en: For whom?}
        options: [{code: ORG, label: {en: all}}, {code: UNIT, label: {en: unit}}]
      - id: unit
        type: text
        text: {en: Which unit?}
        show_if: "scope == 'UNIT'"
  - id: modes
    title: {en: Modes}
    questions:
      - id: M
        type: weighted_choice
        choose: {id: MA, text: {en: Which?}}
        rate: {id: MB, text: {en: How much?}}
        scale: CENT4
        options:
          - {code: X, label: {en: x}}
          - {code: Y, label: {en: y}}
          - {code: NONE, exclusive: true, label: {en: none}}
  - id: units
    title: {en: Units}
    show_if: "scope == 'UNIT'"
    questions:
      - id: size
        type: number
        text: {en: Size?}
      - id: large
        type: text
        text: {en: Why large?}
        show_if: "size > 100"
  - id: last
    title: {en: Last}
    show_if: "MB_X >= 1 or count(MA) == 0"
    questions:
      - id: why
        type: text
        text: {en: Why?}
        show_if: "answered(large) or scope == 'ORG' or scope == 'UNIT'"
"""


@pytest.fixture(scope="module")
def instrument(tmp_path_factory):
    file = tmp_path_factory.mktemp("worklife") / "questionnaire.yaml"
    file.write_text(TEXT, encoding="utf-8")
    return loading.load(file)


NOTHING_CHOSEN = {"MA_X": 0, "MA_Y": 0, "MB_X": 0, "MB_Y": 0}
X_CHOSEN = {"MA_X": 1, "MA_Y": 0, "MB_Y": 0}


def screens(instrument, **answers) -> list[str]:
    return ["/".join(filter(None, (s.page, s.stage))) for s in routing.route(instrument, answers).screens]


def test_the_path_begins_with_what_hangs_on_nothing(instrument):
    assert screens(instrument) == ["first", "modes/choose"]
    assert routing.position(instrument, {}) == Screen("first")


def test_a_page_is_shown_once_its_condition_holds(instrument):
    assert "units" in screens(instrument, scope="UNIT")
    assert "units" not in screens(instrument, scope="ORG")


@pytest.mark.parametrize("missing", [Missing.NO_ANSWER, Missing.DONT_KNOW, Missing.DOES_NOT_CONCERN])
def test_unknown_does_not_show_the_page(instrument, missing):
    assert "units" not in screens(instrument, scope=missing)


def test_the_second_screen_of_a_weighted_choice_comes_when_something_was_chosen(instrument):
    assert screens(instrument, scope="ORG", **X_CHOSEN) == ["first", "modes/choose", "modes/rate"]
    assert screens(instrument, scope="ORG", **NOTHING_CHOSEN) == ["first", "modes/choose", "last"]
    assert routing.position(instrument, {"scope": "ORG", **X_CHOSEN}) == Screen("modes", "rate")


def test_an_option_chosen_anew_leads_back_to_its_rating(instrument):
    answers = {"scope": "ORG", "why": "x", **X_CHOSEN, "MB_X": Missing.NOT_REACHED}
    assert routing.position(instrument, answers) == Screen("modes", "rate")


def test_the_position_is_the_first_gap_and_not_where_one_was_last(instrument):
    answers = {"scope": "ORG", "why": "x"}
    assert routing.position(instrument, answers) == Screen("modes", "choose")


def test_everything_answered_has_no_position(instrument):
    answers = {"scope": "ORG", **X_CHOSEN, "MB_X": 2, "why": Missing.NO_ANSWER}
    assert routing.position(instrument, answers) is None


def test_a_question_that_becomes_relevant_on_its_own_page_brings_the_page_back(instrument):
    first = Screen("first")
    assert [q.id for q in routing.route(instrument, {}).questions[first]] == ["scope"]
    assert [q.id for q in routing.route(instrument, {"scope": "UNIT"}).questions[first]] == ["scope", "unit"]
    assert routing.position(instrument, {"scope": "UNIT"}) == first


def test_no_questions_are_asked_on_a_screen_that_is_off_the_path(instrument):
    route = routing.route(instrument, {"scope": "ORG"})
    assert Screen("units") not in route.questions
    assert set(route.questions) == set(route.screens)


def test_an_answer_kept_from_a_branch_that_was_left_decides_nothing(instrument):
    answers = {"scope": "ORG", "size": 500, "large": "x"}
    assert not {"size", "large"} & routing.on_path(instrument, answers)
    assert routing.effective(instrument, answers)["size"] is Missing.ROUTED_PAST


def test_coming_back_to_a_branch_finds_its_answers_again(instrument):
    answers = {"scope": "ORG", "size": 500, "unit": "sales"}
    effective = routing.effective(instrument, answers | {"scope": "UNIT"})
    assert (effective["size"], effective["unit"]) == (500, "sales")


def test_a_question_routed_past_is_not_applicable_rather_than_unanswered(instrument):
    effective = routing.effective(instrument, {"scope": "ORG", **NOTHING_CHOSEN})
    assert effective["unit"] is Missing.ROUTED_PAST
    assert effective["why"] is Missing.NOT_REACHED


def test_what_hangs_on_a_question_not_reached_is_not_reached_either(instrument):
    effective = routing.effective(instrument, {})
    assert set(effective.values()) == {Missing.NOT_REACHED}


def test_what_hangs_on_a_question_left_blank_is_routed_past(instrument):
    assert routing.effective(instrument, {"scope": Missing.NO_ANSWER})["size"] is Missing.ROUTED_PAST


def test_every_variable_of_the_codebook_has_a_value_or_a_kind_of_missing(instrument):
    for answers in ({}, {"scope": "UNIT"}, {"scope": "ORG", **X_CHOSEN}):
        assert set(routing.effective(instrument, answers)) == set(instrument.codebook.by_name)


ANSWERS = st.fixed_dictionaries(
    {},
    optional={
        "scope": st.sampled_from(["ORG", "UNIT", *Missing]),
        "unit": st.sampled_from(["x", Missing.NO_ANSWER]),
        "size": st.sampled_from([1, 500, Missing.NO_ANSWER]),
        "large": st.sampled_from(["x", Missing.NO_ANSWER]),
        "why": st.sampled_from(["x", Missing.NO_ANSWER]),
        **{name: st.sampled_from([0, 1, Missing.NO_ANSWER]) for name in ("MA_X", "MA_Y")},
        **{name: st.sampled_from([0, 1, 2, Missing.NO_ANSWER, Missing.NOT_REACHED]) for name in ("MB_X", "MB_Y")},
    },
)


@settings(max_examples=300)
@given(answers=ANSWERS)
def test_whatever_the_answers_the_path_is_a_function_of_those_on_it(instrument, answers):
    """Answers off the path change nothing; and the position is on the path, with something left to answer."""
    on_path = routing.on_path(instrument, answers)
    kept = {name: answer for name, answer in answers.items() if name in on_path}
    assert routing.route(instrument, kept).screens == routing.route(instrument, answers).screens
    assert routing.effective(instrument, kept) == routing.effective(instrument, answers)
    position = routing.position(instrument, answers)
    assert position is None or position in routing.route(instrument, answers).screens


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 10**9))
def test_a_respondent_who_answers_what_is_asked_comes_to_the_end(instrument, seed):
    rng = Random(seed)
    answers: dict = {}
    for _ in range(20):
        screen = routing.position(instrument, answers)
        if screen is None:
            break
        for question in routing.route(instrument, answers).questions[screen]:
            typed = MultiDict(question.fill(screen.stage, answers, rng, seed=seed))
            answers |= question.parse(screen.stage, typed, answers, seed=seed)
    assert routing.position(instrument, answers) is None
    assert Missing.NOT_REACHED not in routing.effective(instrument, answers).values()


@pytest.fixture(scope="module")
def every_type(tmp_path_factory):
    return loading.load(every_types.write(tmp_path_factory.mktemp("questionnaires")))


@pytest.mark.parametrize("questionnaire", ["every_type", "full"])
def test_an_answer_that_steers_nothing_leaves_the_way_as_it_is(questionnaire, every_type):
    """So the way need not be walked again for it; here it is, by respondents who answer everything twice."""
    asked = every_type if questionnaire == "every_type" else loading.load(STUDY, "full")
    steered = []
    for seed in range(4):
        rng, answers = Random(seed), {}
        for screen in [*asked_screens(asked)] * 2:
            for question in routing.route(asked, answers).questions.get(screen, ()):
                typed = MultiDict(question.fill(screen.stage, answers, rng, seed=seed))
                given = question.parse(screen.stage, typed, answers, seed=seed)
                steered.append(not asked.steering.isdisjoint(given))
                assert steered[-1] or routing.route(asked, {**answers, **given}) == routing.route(asked, answers)
                answers |= given
    assert any(steered) and not all(steered)


def asked_screens(instrument):
    return [Screen(p.id, stage) for p in instrument.pages for question in p.questions for stage in question.all_stages]
