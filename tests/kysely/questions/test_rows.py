"""Grids, stage matrices, semantic differentials, now and target: rows that are answered one by one."""

from __future__ import annotations

import pytest
from werkzeug.datastructures import MultiDict

from kysely import loading, plugins
from kysely.codebook import Kind, Missing
from kysely.errors import AuthorError
from kysely.questions._base import InvalidAnswers

ROW_TYPES = ("grid", "stage_matrix", "semantic_differential", "now_and_target")


def example(name: str, *changes: tuple[str, str]):
    text = plugins.load("kysely.questions", name).EXAMPLE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return loading.question(text)


def parse(question, **typed):
    return question.parse("", MultiDict(typed), {}, seed=1)


@pytest.mark.parametrize("name", ROW_TYPES)
def test_each_row_is_left_blank_on_its_own(name):
    question = example(name)
    first, *others = question.answering
    code = next(iter(question._by_name[first].values))
    answers = parse(question, **{first: code})
    assert answers[first] == question._by_name[first].values[code]
    assert {answers[other] for other in others} == {Missing.NO_ANSWER}
    assert question.unanswered("", MultiDict({first: code}), {}) == tuple(others)


@pytest.mark.parametrize("name", ROW_TYPES)
def test_the_variables_of_rows_hold_the_numbers_of_levels_in_a_set(name):
    question = example(name)
    rows = [variable for variable in question.variables() if variable.set]
    assert all(variable.kind is Kind.LEVEL for variable in rows)
    assert [variable.name for variable in rows] == [f"{variable.set}_{variable.code}" for variable in rows]
    assert all(variable.category(variable.categories[0].value).code for variable in rows)


def test_a_grid_offers_not_knowing_on_each_row_and_keeps_it_apart_from_the_levels():
    answers = parse(example("grid"), view_NOW="__dont_know", view_AIM="NOT", view_WAY="CENTRAL")
    assert (answers["view_NOW"], answers["view_AIM"], answers["view_WAY"]) == (Missing.DONT_KNOW, 0, 3)


def test_the_order_of_rows_is_recorded_and_differs_between_respondents():
    grid = example("grid")
    assert parse(grid)["view_order"] == " ".join(grid.order(1))
    assert len({grid.order(seed) for seed in range(40)}) == 6  # the six orders of three rows


def test_stages_are_never_shuffled_and_no_key_asks_for_it():
    stages = example("stage_matrix")
    for seed in range(20):
        shown = stages.control("", language="fi", typed={}, answers={}, errors={}, seed=seed)
        assert [[option.code for option in group.options[:3]] for group in shown.groups] == [["S1", "S2", "S3"]] * 2
    with pytest.raises(AuthorError, match="unknown"):
        loading.question(plugins.load("kysely.questions", "stage_matrix").EXAMPLE + "order: {randomise: true}\n")


def test_a_row_between_two_poles_goes_from_minus_two_on_the_left_to_two_on_the_right():
    poles = example("semantic_differential")
    answers = parse(poles, leading_GROWTH="FIRST", leading_TRIAL="SECOND")
    assert (answers["leading_GROWTH"], answers["leading_TRIAL"]) == (-2, 2)
    group = poles.control("", language="en", typed={}, answers={}, errors={}, seed=0).groups[0]
    assert group.poles is not None
    assert all(pole in group.legend for pole in group.poles)


def test_a_target_may_lie_below_now():
    answers = parse(example("now_and_target"), now_DATA="CENTRAL", target_DATA="NOT")
    assert (answers["now_DATA"], answers["target_DATA"]) == (3, 0)


def test_a_practice_that_does_not_concern_us_is_neither_zero_nor_unanswered():
    answers = parse(example("now_and_target"), now_DATA="__does_not_concern")
    assert answers["now_DATA"] is Missing.DOES_NOT_CONCERN


def test_the_accessible_name_of_a_row_asked_twice_has_both_the_row_and_the_time():
    shown = example("now_and_target").control("", language="en", typed={}, answers={}, errors={}, seed=0)
    assert [group.called for group in shown.groups][:2] == ["One place – Now", "One place – In two years"]


@pytest.mark.parametrize("text", ["٣", "3", " NOT NOT", "not", "__proto__", "9" * 5000, "x" * 10_000_000, "NOT\x00X"])
@pytest.mark.parametrize("name", ROW_TYPES)
def test_only_the_codes_offered_are_accepted_on_a_row(name, text):
    question = example(name)
    row = question.answering[0]
    with pytest.raises(InvalidAnswers) as refusal:
        parse(question, **{row: text})
    assert refusal.value.errors[row].code == "unknown_code"


NOMINAL = """
id: angle
type: grid
text: {fi: Mikä ratkaisee?, sv: Vad avgör?, en: What decides?}
options:
  - {code: PRODUCT, label: {fi: Tuote, sv: Produkten, en: The product}}
  - {code: PRICE, label: {fi: Hinta, sv: Priset, en: The price}}
  - {code: CUSTOMER, label: {fi: Asiakas, sv: Kunden, en: The customer}}
dont_know: true
rows:
  - {code: LARGE, label: {fi: Suuret asiakkaat, sv: Stora kunder, en: Large customers}}
  - {code: SMALL, label: {fi: Pienet asiakkaat, sv: Små kunder, en: Small customers}}
"""


def test_rows_may_take_answers_that_have_no_order_and_then_hold_their_codes():
    grid = loading.question(NOMINAL)
    large, small = grid.variables()
    assert (large.name, large.kind, large.set, large.code) == ("angle_LARGE", Kind.NOMINAL, "angle", "LARGE")
    assert [(one.code, one.value) for one in large.categories] == [
        ("PRODUCT", None),
        ("PRICE", None),
        ("CUSTOMER", None),
    ]
    answers = parse(grid, angle_LARGE="PRICE", angle_SMALL="__dont_know")
    assert answers == {"angle_LARGE": "PRICE", "angle_SMALL": Missing.DONT_KNOW}
    assert grid.typed("", answers) == {"angle_LARGE": ["PRICE"], "angle_SMALL": ["__dont_know"]}
    shown = grid.control("", language="fi", typed={"angle_LARGE": ["PRICE"]}, answers={}, errors={}, seed=0)
    assert [option.label for option in shown.groups[0].options[:3]] == ["Tuote", "Hinta", "Asiakas"]
    assert [option.checked for option in shown.groups[0].options[:3]] == [False, True, False]


@pytest.mark.parametrize(
    ("edit", "fault"),
    [
        (("rows:\n", "scale: CENT4\nrows:\n"), "the rows have a scale and answers of their own"),
        (("code: PRICE", "code: PRODUCT"), "code PRODUCT is used already"),
    ],
)
def test_a_grid_has_a_scale_or_answers_of_its_own(edit, fault):
    with pytest.raises(AuthorError, match=fault):
        loading.question(NOMINAL.replace(*edit))


def test_a_grid_without_answers_is_refused():
    start, end = NOMINAL.index("options:"), NOMINAL.index("dont_know")
    with pytest.raises(AuthorError, match="the rows have no answers. Write `scale`, or `options`"):
        loading.question(NOMINAL[:start] + NOMINAL[end:])
