"""The weighted multi-select, as DECISIONS "Weighted choice" and INTERVIEW §3.3 define it."""

from __future__ import annotations

import math
from collections import Counter
from random import Random

import pytest
from werkzeug.datastructures import MultiDict

from kysely import loading
from kysely.codebook import Kind, Missing
from kysely.questions._base import InvalidAnswers

TWO_STEPS = """
id: OM_B
type: weighted_choice
choose: {id: OM_B01, text: {fi: Mitkä?, sv: Vilka?, en: Which?}}
rate: {id: OM_B02, text: {fi: Kuinka?, sv: Hur?, en: How?}}
scale: CENT4
variant: OM_variant
order: {randomise: true, variable: OM_order}
options:
  - {code: PROD, label: {fi: a, sv: a, en: a}}
  - {code: DEV, label: {fi: b, sv: b, en: b}}
  - {code: CUST, label: {fi: c, sv: c, en: c}}
  - {code: PUB, label: {fi: d, sv: d, en: d}}
  - code: OTHER
    label: {fi: muu, sv: annan, en: other}
    detail: {id: OM_B01_OTHER_text, max_length: 200}
    rated: false
    fixed: true
  - {code: NONE, label: {fi: ei, sv: ingen, en: none}, exclusive: true, fixed: true}
  - {code: DK, label: {fi: eos, sv: vet inte, en: cannot say}, exclusive: true, fixed: true, missing: dont_know}
"""
QUESTION = loading.question(TWO_STEPS)
AT_ONCE = loading.question(
    TWO_STEPS + "presentation: rate_each\ntext: {fi: Kuinka keskeinen?, sv: Hur central?, en: How central?}\n"
)
MODES = ("PROD", "DEV", "CUST", "PUB")


def choose(*codes: str, answers: dict | None = None, question=QUESTION, **typed: str) -> dict:
    """Return the answers after choosing *codes*, on top of those before."""
    before = answers or {}
    form = MultiDict([("OM_B01", code) for code in codes] + list(typed.items()))
    return before | question.parse("choose", form, before, seed=1)


def rate(answers: dict, **levels: str) -> dict:
    form = MultiDict({f"OM_B02_{mode}": level for mode, level in levels.items()})
    return answers | QUESTION.parse("rate", form, answers, seed=1)


def chosen(answers: dict) -> list:
    return [answers.get(f"OM_B01_{mode}") for mode in MODES]


def levels(answers: dict) -> list:
    return [answers.get(f"OM_B02_{mode}", Missing.NOT_REACHED) for mode in MODES]


def test_what_is_not_chosen_is_nought_in_both_variables():
    answers = choose("CUST")
    assert chosen(answers) == [0, 0, 1, 0]
    assert levels(answers) == [0, 0, Missing.NOT_REACHED, 0]


def test_what_is_chosen_and_rated_has_its_level():
    answers = rate(choose("PROD", "CUST"), PROD="SOME", CUST="CENTRAL")
    assert chosen(answers) == [1, 0, 1, 0]
    assert levels(answers) == [1, 0, 3, 0]


def test_what_is_chosen_but_unrated_is_one_and_missing_not_nought():
    answers = rate(choose("PROD", "CUST"), CUST="CENTRAL")
    assert chosen(answers) == [1, 0, 1, 0]
    assert levels(answers) == [Missing.NO_ANSWER, 0, 3, 0]


def test_none_of_these_is_four_noughts_and_asks_for_no_rating():
    answers = choose("NONE")
    assert chosen(answers) == levels(answers) == [0, 0, 0, 0]
    assert QUESTION.stages(answers) == ("choose",)
    assert QUESTION.complete(answers)


def test_cannot_say_is_missing_everywhere_and_asks_for_no_rating():
    answers = choose("DK")
    assert set(chosen(answers) + levels(answers)) == {Missing.DONT_KNOW}
    assert answers["OM_B01_OTHER"] is Missing.DONT_KNOW
    assert QUESTION.stages(answers) == ("choose",)


def test_leaving_everything_blank_is_item_nonresponse():
    answers = choose()
    assert set(chosen(answers) + levels(answers)) == {Missing.NO_ANSWER}
    assert QUESTION.stages(answers) == ("choose",)


def test_an_exclusive_option_clears_the_others():
    assert choose("PROD", "NONE") == choose("NONE")
    assert choose("PROD", "DK") == choose("DK")


def test_other_is_chosen_and_described_but_never_rated():
    answers = choose("OTHER", OM_B01_OTHER_text="osuustoiminta")
    assert answers["OM_B01_OTHER"] == 1
    assert answers["OM_B01_OTHER_text"] == "osuustoiminta"
    assert levels(answers) == [0, 0, 0, 0]
    assert QUESTION.stages(answers) == ("choose",)
    assert "OM_B02_OTHER" not in {variable.name for variable in QUESTION.variables()}


def test_the_exclusive_options_have_no_variables():
    names = {variable.name for variable in QUESTION.variables()}
    assert not names & {"OM_B01_NONE", "OM_B01_DK", "OM_B02_NONE", "OM_B02_DK"}


def test_deselecting_later_sets_the_level_back_to_nought():
    answers = choose("PROD", answers=rate(choose("PROD", "CUST"), PROD="SOME", CUST="CENTRAL"))
    assert levels(answers) == [1, 0, 0, 0]


def test_selecting_again_asks_for_the_level_again():
    answers = rate(choose("PROD", "CUST"), PROD="SOME", CUST="CENTRAL")
    answers = choose("PROD", "CUST", answers=choose("PROD", answers=answers))
    assert levels(answers) == [1, 0, Missing.NOT_REACHED, 0]


def test_choosing_after_cannot_say_asks_for_the_level():
    answers = choose("PROD", answers=choose("DK"))
    assert levels(answers) == [Missing.NOT_REACHED, 0, 0, 0]


def test_choosing_the_same_again_keeps_the_levels():
    answers = rate(choose("PROD", "CUST"), PROD="SOME", CUST="CENTRAL")
    assert choose("PROD", "CUST", answers=answers) == answers


def test_only_what_was_chosen_is_rated_and_nought_is_not_offered():
    answers = choose("PROD", "PUB")
    control = QUESTION.control("rate", language="fi", typed={}, answers=answers, errors={}, seed=1)
    assert {group.name for group in control.groups} == {"OM_B02_PROD", "OM_B02_PUB"}
    assert {option.code for group in control.groups for option in group.options} == {"SOME", "CLEAR", "CENTRAL"}
    with pytest.raises(InvalidAnswers):
        rate(answers, PROD="NOT")


def test_a_rating_of_what_was_not_chosen_is_not_recorded():
    assert levels(rate(choose("PROD"), PROD="SOME", CUST="CENTRAL")) == [1, 0, 0, 0]


def test_the_rows_stand_in_the_order_in_which_the_options_stood():
    answers = choose(*MODES)
    for seed in range(20):
        control = QUESTION.control("rate", language="fi", typed={}, answers=answers, errors={}, seed=seed)
        shown = [code for code in QUESTION.order(seed) if code in MODES]
        assert [group.name.removeprefix("OM_B02_") for group in control.groups] == shown


def test_the_presentation_and_the_order_are_recorded():
    answers = choose("PROD")
    assert answers["OM_variant"] == "choose_then_rate"
    assert answers["OM_order"].split() == list(QUESTION.order(1))
    assert AT_ONCE.parse("", MultiDict(), {}, seed=1)["OM_variant"] == "rate_each"


def test_levels_are_whole_numbers_with_their_labels():
    level = next(variable for variable in QUESTION.variables() if variable.name == "OM_B02_PROD")
    assert level.kind is Kind.LEVEL
    assert [category.value for category in level.categories] == [0, 1, 2, 3]
    assert (level.set, level.code) == ("OM_B02", "PROD")


def at_once(**typed: str) -> dict:
    form = MultiDict({f"OM_B02_{name}" if name in MODES else name: text for name, text in typed.items()})
    return AT_ONCE.parse("", form, {}, seed=1)


def test_rating_each_derives_what_was_chosen():
    answers = at_once(PROD="NOT", DEV="SOME", CUST="CENTRAL", PUB="NOT")
    assert chosen(answers) == [0, 1, 1, 0]
    assert levels(answers) == [0, 1, 3, 0]


def test_a_row_left_blank_is_missing_in_both_variables():
    answers = at_once(DEV="SOME")
    assert chosen(answers) == [Missing.NO_ANSWER, 1, Missing.NO_ANSWER, Missing.NO_ANSWER]
    assert levels(answers) == [Missing.NO_ANSWER, 1, Missing.NO_ANSWER, Missing.NO_ANSWER]
    assert answers["OM_B01_OTHER"] == 0


def test_rating_each_takes_one_screen_and_offers_all_levels_and_what_is_only_ticked():
    assert AT_ONCE.stages({}) == ("",)
    control = AT_ONCE.control("", language="en", typed={}, answers={}, errors={}, seed=1)
    assert len(control.groups) == 4
    assert all(len(group.options) == 4 for group in control.groups)
    assert [option.code for option in control.options] == ["OTHER", "DK"]
    assert control.legend == "How central?"


def test_cannot_say_outweighs_the_rows_of_rating_each():
    answers = at_once(PROD="CENTRAL", OM_B01="DK")
    assert set(chosen(answers) + levels(answers)) == {Missing.DONT_KNOW}


def test_both_presentations_store_the_same_for_the_same_meaning():
    two_steps = rate(choose("DEV", "CUST"), DEV="SOME", CUST="CENTRAL")
    one_step = at_once(PROD="NOT", DEV="SOME", CUST="CENTRAL", PUB="NOT")
    for answers in (two_steps, one_step):
        del answers["OM_variant"]
    assert one_step == two_steps


def test_required_hard_insists_on_every_row_that_was_chosen():
    hard = loading.question(TWO_STEPS + "required: hard\n")
    with pytest.raises(InvalidAnswers) as refusal:
        hard.parse("rate", MultiDict(dict(OM_B02_PROD="SOME")), choose("PROD", "CUST"))
    assert {name: error.code for name, error in refusal.value.errors.items()} == {"OM_B02_CUST": "required"}


def test_fixed_options_keep_their_places():
    assert all(QUESTION.order(seed)[4:] == ("OTHER", "NONE", "DK") for seed in range(100))


def test_every_order_of_the_four_modes_is_as_likely_as_any_other():
    seeds = 5000
    counts = Counter(QUESTION.order(seed)[:4] for seed in range(seeds))
    expected = seeds / math.factorial(4)
    assert len(counts) == 24
    chi_square = sum((count - expected) ** 2 / expected for count in counts.values())
    assert chi_square < 49.7  # the 99.9th percentile with 23 degrees of freedom


def test_the_order_does_not_hang_on_python_or_the_day():
    # Computed with sha256sum: the codes stand in the order of SHA-256("OM_B\n<seed>\n<code>").
    assert QUESTION.order(2015)[:4] == ("DEV", "CUST", "PUB", "PROD")


def test_orders_of_two_questions_are_unrelated():
    other = loading.question(TWO_STEPS.replace("id: OM_B\n", "id: OM_D\n"))
    same = sum(QUESTION.order(seed) == other.order(seed) for seed in range(2400))
    assert 60 < same < 140  # 100 expected, standard deviation 9.8


def test_random_histories_keep_the_two_variables_in_step():
    for seed in range(300):
        rng = Random(seed)
        answers: dict = {}
        for _ in range(rng.randint(1, 6)):
            stage = rng.choice(QUESTION.stages(answers))
            typed = MultiDict(QUESTION.fill(stage, answers, rng, seed=seed))
            answers |= QUESTION.parse(stage, typed, answers, seed=seed)
            for picked, level in zip(chosen(answers), levels(answers), strict=True):
                if isinstance(picked, Missing):
                    assert level is picked
                elif picked == 0:
                    assert level == 0
                else:
                    assert level in (1, 2, 3, Missing.NO_ANSWER, Missing.NOT_REACHED)
