"""What is true of every question type. A new file in kysely/questions is tested by being there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from kysely import loading, plugins
from kysely.codebook import Kind, Missing
from kysely.questions._base import ERROR_CODES, InvalidAnswers, Question

LANGUAGES = ("fi", "sv", "en")
SEED = 7

EXAMPLES: dict[str, Question] = {
    name: loading.question(plugins.load("kysely.questions", name).EXAMPLE) for name in plugins.names("kysely.questions")
}
EXAMPLES["weighted_choice, rate_each"] = loading.question(
    plugins.load("kysely.questions", "weighted_choice").EXAMPLE.replace("choose_then_rate", "rate_each")
    + "text: {fi: Kuinka keskeinen kukin on?, sv: Hur central är var och en?, en: How central is each?}\n"
)


@pytest.fixture(params=EXAMPLES)
def question(request) -> Question:
    return EXAMPLES[request.param]


@pytest.fixture(params=[name for name, question in EXAMPLES.items() if question.names])
def asking(request) -> Question:
    """A question that asks something; a text to read asks nothing."""
    return EXAMPLES[request.param]


def stages(question: Question, rng: Random) -> Iterator[tuple[str, dict]]:
    """Yield each stage with the answers before it, as a robot comes through the question."""
    answers: dict = {}
    done: list[str] = []
    while stage := [stage for stage in question.stages(answers) if stage not in done][:1]:
        yield stage[0], answers
        answers |= parse(question, stage[0], question.fill(stage[0], answers, rng, seed=SEED), answers)
        done += stage


def parse(question: Question, stage: str, typed: Mapping, answers: Mapping | None = None) -> dict:
    return question.parse(stage, MultiDict(typed), answers or {}, seed=SEED)


def control(question: Question, stage: str, answers: Mapping, language: str = "fi", typed: Mapping | None = None):
    return question.control(
        stage,
        language=language,
        typed=question.typed(stage, answers) if typed is None else typed,
        answers=answers,
        errors={},
        seed=SEED,
    )


def test_every_variable_is_labelled_in_every_language(question):
    for variable in question.variables():
        texts = [variable.text, variable.label, *(category.label for category in variable.categories)]
        assert all(text[language].strip() for text in texts for language in LANGUAGES), variable.name
        assert variable.question == question.id


def test_what_has_no_variable_has_nothing_to_fill_in_and_what_has_one_is_answered_by_it(question):
    fields = [name for stage in question.all_stages for name in question.fields(stage)]
    assert bool(question.names) == bool(fields) == bool(question.answering)


def test_what_asks_nothing_is_always_done_and_leaves_nothing_behind(question):
    if question.names:
        return
    assert parse(question, "", {"anything": "x"}) == {} == question.typed("", {})
    assert question.asked("", {}) == question.unanswered("", MultiDict(), {}) == ()
    assert not question.begun({}) and question.complete({})


def test_a_set_names_variables_that_have_a_code_each(question):
    for name in question.sets():
        codes = [variable.code for variable in question.variables() if variable.set == name]
        assert len(codes) == len(set(codes)) and None not in codes


def test_an_empty_form_is_item_nonresponse(question):
    stage = question.stages({})[0]
    answers = parse(question, stage, {})
    for name in question.answering:
        assert answers[name] is Missing.NO_ANSWER
    assert question.is_blank(stage, MultiDict(), {}) == bool(question.names)
    assert not question.begun(answers)


def test_an_empty_form_is_refused_where_an_answer_is_required_hard(asking):
    hard = replace(asking, required="hard")
    with pytest.raises(InvalidAnswers) as refusal:
        parse(hard, hard.stages({})[0], {})
    assert {error.code for error in refusal.value.errors.values()} == {"required"}


@pytest.mark.parametrize("required", ["soft", "hard", "no"])
def test_what_a_robot_fills_in_is_accepted(question, required):
    question = replace(question, required=required)
    for seed in range(200):
        for stage, answers in stages(question, Random(seed)):
            typed = question.fill(stage, answers, Random(seed), seed=SEED)
            recorded = parse(question, stage, typed, answers)
            assert set(question.asked(stage, answers | recorded)) <= set(answers | recorded)
            if required == "hard":
                assert not question.is_blank(stage, MultiDict(typed), answers)


def test_a_robot_reaches_every_value_of_every_closed_variable(question):
    found: dict[str, set] = {}
    for seed in range(400):
        for stage, answers in stages(question, Random(seed)):
            filled = question.fill(stage, answers, Random(seed + 1), seed=SEED)
            for name, answer in parse(question, stage, filled, answers).items():
                found.setdefault(name, set()).add(answer)
    for variable in question.variables():
        if variable.kind is Kind.BINARY and variable.set:
            assert {0, 1} <= found[variable.name]
        wanted = {c.value if variable.kind is Kind.LEVEL else c.code for c in variable.categories}
        assert wanted <= found[variable.name], variable.name


def test_stored_answers_are_shown_again_as_they_were_typed(question):
    for seed in range(200):
        for stage, answers in stages(question, Random(seed)):
            filled = question.fill(stage, answers, Random(seed), seed=SEED)
            recorded = parse(question, stage, filled, answers)
            again = parse(question, stage, question.typed(stage, answers | recorded), answers)
            assert again == recorded


def test_an_unknown_code_is_refused(question):
    stage = question.stages({})[0]
    shown = control(question, stage, {})
    choices = [shown.name] * bool(shown.options) + [group.name for group in shown.groups]
    for name in choices:
        with pytest.raises(InvalidAnswers) as refusal:
            parse(question, stage, {name: "NOWHERE"})
        assert refusal.value.errors[name].code == "unknown_code"


def test_a_key_posted_twice_is_refused(question):
    stage = question.stages({})[0]
    shown = control(question, stage, {})
    code = shown.options[-1].code if shown.options else ""
    for name in shown.fields:
        beside = [each.detail for each in (*shown.options, *shown.groups, *shown.lines) if each.detail]
        if name == shown.whole or any(detail.name == name for detail in beside):
            continue
        texts = [code, code] if name == shown.name else ["1", "1"]
        with pytest.raises(InvalidAnswers) as refusal:
            parse(question, stage, MultiDict([(name, text) for text in texts]))
        assert refusal.value.errors[name].code == "ambiguous"


def test_every_field_survives_any_text(question):
    @settings(max_examples=60, deadline=None)
    @given(st.data())
    def survives(data):
        for stage, answers in stages(question, Random(data.draw(st.integers(0, 50)))):
            fields = control(question, stage, answers).fields
            typed = MultiDict((name, data.draw(st.text(max_size=300))) for name in fields)
            shown = control(question, stage, answers, typed=typed.to_dict(flat=False))
            assert "\x00" not in repr(shown)
            try:
                recorded = question.parse(stage, typed, answers, seed=SEED)
            except InvalidAnswers as refusal:
                assert set(refusal.errors) <= set(fields)
                for error in refusal.errors.values():
                    assert set(error.params) == set(ERROR_CODES[error.code])
            else:
                for answer in recorded.values():
                    assert not (isinstance(answer, str) and "\x00" in answer)

    survives()


def test_nul_is_folded_away_rather_than_stored_or_crashing_the_database(question):
    stage = question.stages({})[0]
    shown = control(question, stage, {})
    for name in shown.fields:
        try:
            answers = parse(question, stage, {name: "\x00 1\x00 "})
        except InvalidAnswers:
            continue
        assert "\x00" not in repr(answers)


def test_every_control_has_a_legend_and_labels_in_every_language(question):
    for language in LANGUAGES:
        for stage, answers in stages(question, Random(3)):
            shown = control(question, stage, answers, language)
            assert shown.legend.strip()
            assert bool(shown.options or shown.groups or shown.lines) == bool(question.names)
            beside = [each.detail for each in (*shown.options, *shown.groups, *shown.lines) if each.detail]
            lines = [*shown.lines, *beside]
            assert all(option.label.strip() for option in shown.options)
            assert all(group.legend.strip() and len(group.options) > 1 for group in shown.groups)
            assert all(line.label.strip() for line in lines)
            assert len(shown.fields) == len(set(shown.fields))
            labels = [group.called for group in shown.groups] + [line.label for line in lines]
            assert len(labels) == len(set(labels))


def test_a_respondent_sees_the_same_order_on_every_visit_and_in_every_language(question):
    stage = question.stages({})[0]
    orders = {tuple(o.code for o in control(question, stage, {}, language).options) for language in LANGUAGES}
    assert len(orders) == 1
    assert question.order(SEED) == question.order(SEED)


def test_what_is_asked_is_among_the_variables(question):
    for seed in range(30):
        for stage, answers in stages(question, Random(seed)):
            names = {variable.name for variable in question.variables()}
            assert set(question.asked(stage, answers)) <= set(question.applicable(answers)) <= names
            assert set(question.answering) <= names


def test_a_question_is_complete_once_every_part_is_answered(asking):
    hard = replace(asking, required="hard")
    answers: dict = {}
    for stage, before in stages(hard, Random(5)):
        answers = before | parse(hard, stage, hard.fill(stage, before, Random(5), seed=SEED), before)
    assert hard.begun(answers)
    assert hard.complete(answers)
