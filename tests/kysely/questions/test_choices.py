"""One and several of several options."""

from __future__ import annotations

import pytest
from werkzeug.datastructures import MultiDict

from kysely import loading, plugins
from kysely.codebook import Kind, Missing
from kysely.questions._base import InvalidAnswers


def example(name: str, **replaced: str):
    text = plugins.load("kysely.questions", name).EXAMPLE
    for old, new in replaced.items():
        text = text.replace(old, new)
    return loading.question(text)


ROLE = example("single_choice")
SERVES = example("multiple_choice")


def serves(*codes: str, **typed: str) -> dict:
    return SERVES.parse("", MultiDict([("serves", code) for code in codes] + list(typed.items())), {})


def test_the_chosen_code_is_stored_and_not_its_label():
    answers = ROLE.parse("", MultiDict(dict(role="TOP")), {}, seed=1)
    assert answers["role"] == "TOP"


def test_not_knowing_is_stored_as_missing_and_shown_again():
    answers = ROLE.parse("", MultiDict(dict(role="__dont_know")), {}, seed=1)
    assert answers["role"] is Missing.DONT_KNOW
    assert ROLE.typed("", answers) == {"role": ["__dont_know"]}


def test_the_order_shown_is_recorded():
    answers = ROLE.parse("", MultiDict(dict(role="TOP")), {}, seed=1)
    assert answers["role_order"].split() == list(ROLE.order(1))


def test_the_detail_of_the_chosen_option_is_stored():
    answers = ROLE.parse("", MultiDict(dict(role="OTH", role_other=" hallitus ")), {}, seed=1)
    assert answers["role_other"] == "hallitus"
    assert ROLE.parse("", MultiDict(dict(role="OTH")), {}, seed=1)["role_other"] is Missing.NO_ANSWER


def test_text_beside_an_option_that_isnt_chosen_is_not_stored():
    answers = ROLE.parse("", MultiDict(dict(role="TOP", role_other="x" * 5000)), {}, seed=1)
    assert "role_other" not in answers
    assert "role_other" not in ROLE.applicable(answers)


def test_text_beside_an_option_that_isnt_chosen_is_kept_on_the_page_after_an_error():
    control = ROLE.control(
        "", language="en", typed={"role": ["NOWHERE"], "role_other": ["board"]}, answers={}, errors={}, seed=1
    )
    assert [option.detail.value for option in control.options if option.detail] == ["board"]


def test_a_detail_that_is_too_long_is_refused_at_its_own_field():
    with pytest.raises(InvalidAnswers) as refusal:
        ROLE.parse("", MultiDict(dict(role="OTH", role_other="x" * 121)), {}, seed=1)
    assert set(refusal.value.errors) == {"role_other"}


def test_ordered_options_make_an_ordinal_variable():
    question = loading.question(
        """
        id: size
        type: single_choice
        text: {fi: Koko, sv: Storlek, en: Size}
        ordered: true
        options:
          - {code: S, value: 1, label: {fi: pieni, sv: liten, en: small}}
          - {code: L, value: 2, label: {fi: suuri, sv: stor, en: large}}
          - {code: DK, missing: dont_know, label: {fi: eos, sv: vet inte, en: cannot say}}
        """
    )
    (variable,) = question.variables()
    assert variable.kind is Kind.ORDINAL
    assert [(category.code, category.value) for category in variable.categories] == [("S", 1), ("L", 2)]
    assert question.parse("", MultiDict(dict(size="DK")), {}) == {"size": Missing.DONT_KNOW}


def test_each_option_of_several_is_nought_or_one():
    assert serves("B2B") == {"serves_B2B": 1, "serves_CIT": 0, "serves_OTH": 0}


def test_none_of_these_is_all_noughts_and_valid():
    answers = serves("NONE")
    assert answers == {"serves_B2B": 0, "serves_CIT": 0, "serves_OTH": 0}
    assert SERVES.typed("", answers) == {"serves": ["NONE"]}
    assert SERVES.complete(answers)


def test_cannot_say_is_missing_everywhere():
    answers = serves("DK")
    assert set(answers.values()) == {Missing.DONT_KNOW}
    assert SERVES.typed("", answers) == {"serves": ["DK"]}


def test_an_exclusive_option_clears_the_others_on_the_server_too():
    assert serves("B2B", "NONE") == serves("NONE")
    assert serves("B2B", "OTH", "DK", serves_other_text="x") == serves("DK")


def test_of_two_exclusive_options_the_authors_first_counts():
    assert serves("DK", "NONE") == serves("NONE")


def test_a_detail_falls_off_the_path_when_its_option_is_deselected():
    answers = serves("OTH", serves_other_text="seurakunnat")
    assert answers["serves_other_text"] == "seurakunnat"
    assert "serves_other_text" in SERVES.applicable(answers)
    assert "serves_other_text" not in SERVES.applicable(answers | serves("B2B"))
