"""What typed text and numbers become before anything looks at them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from kysely import loading
from kysely.codebook import Missing
from kysely.errors import InvalidAnswer
from kysely.questions._base import InvalidAnswers
from kysely.questions._text import folded, number, shown


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("  työ  ", "työ"),
        ("tyo\u0308", "työ"),
        ("a\x00b\x07c", "abc"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("a\tb", "a\tb"),
        ("a\u0085b", "ab"),
        ("\ud83d", "\ufffd"),
        ("\u200b \ufeff", ""),
        ("👩‍🔬", "👩‍🔬"),
        ("\u00a0x\u00a0", "x"),
    ],
)
def test_text_is_folded_to_one_form(typed, stored):
    assert folded(typed) == stored


@given(st.text())
def test_folding_twice_changes_nothing_and_leaves_what_every_database_can_store(text):
    once = folded(text)
    assert folded(once) == once
    assert "\x00" not in once
    assert once.encode("utf-8").decode("utf-8") == once


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("3,5", 3.5),
        ("3.5", 3.5),
        ("1 000", 1000.0),
        ("1\u00a0000", 1000.0),
        ("1\u202f000,25", 1000.25),
        ("12 345 678", 12345678.0),
        ("\u22122", -2.0),
        ("-2", -2.0),
        ("-0", 0.0),
        ("007", 7.0),
        ("0,125", 0.125),
        ("1,2345", 1.2345),
    ],
)
def test_numbers_are_read_as_finns_swedes_and_britons_write_them(typed, value):
    assert number(typed, integer=False) == value
    assert str(number(typed, integer=False)) == str(value)


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("1_0", "not_a_number"),
        ("١٢", "not_a_number"),
        ("१२", "not_a_number"),
        ("１２", "not_a_number"),
        ("nan", "not_a_number"),
        ("inf", "not_a_number"),
        ("1e3", "not_a_number"),
        ("0x10", "not_a_number"),
        ("5,", "not_a_number"),
        (",5", "not_a_number"),
        ("1 00", "not_a_number"),
        ("10 000 0", "not_a_number"),
        ("1  000", "not_a_number"),
        ("--1", "not_a_number"),
        ("5 %", "not_a_number"),
        ("1,000,000", "not_a_number"),
        ("1" * 100, "not_a_number"),
        ("1,000", "thousands_separator"),
        ("12.500", "thousands_separator"),
        ("1234567890123456", "too_many_digits"),
    ],
)
def test_what_is_no_number_is_refused(typed, code):
    with pytest.raises(InvalidAnswer) as refusal:
        number(typed, integer=False)
    assert refusal.value.code == code


def test_decimals_are_refused_where_a_whole_number_is_asked():
    assert number("12", integer=True) == 12
    with pytest.raises(InvalidAnswer) as refusal:
        number("12,0", integer=True)
    assert refusal.value.code == "not_an_integer"


@given(st.integers(-(10**15) + 1, 10**15 - 1))
def test_a_stored_integer_is_shown_as_it_can_be_typed(value):
    assert number(shown(value), integer=True) == value


@given(st.integers(-(10**14), 10**14), st.integers(0, 12))
def test_a_stored_number_is_shown_as_it_can_be_typed(digits, places):
    text = str(abs(digits)).rjust(places + 1, "0")
    value = float(f"{'-' * (digits < 0)}{text[: len(text) - places]}.{text[len(text) - places :] or 0}")
    assert number(shown(value), integer=False) == value


HOURS = """
id: hours
type: number
text: {fi: Tunnit, sv: Timmar, en: Hours}
minimum: 0
maximum: 168
dont_know: true
"""


def hours(**typed):
    return loading.question(HOURS).parse("", MultiDict(typed), {})


def test_a_number_out_of_range_is_told_its_limit():
    with pytest.raises(InvalidAnswers) as refusal:
        hours(hours="169")
    assert refusal.value.errors["hours"] == InvalidAnswer("too_large", {"maximum": 168})
    with pytest.raises(InvalidAnswers) as refusal:
        hours(hours="-1")
    assert refusal.value.errors["hours"] == InvalidAnswer("too_small", {"minimum": 0})


def test_not_knowing_a_number_is_a_kind_of_missing_and_nought_is_a_value():
    assert hours(hours__missing="__dont_know") == {"hours": Missing.DONT_KNOW}
    assert hours(hours="0") == {"hours": 0}
    assert hours() == {"hours": Missing.NO_ANSWER}


def test_a_number_and_not_knowing_it_is_asked_back_rather_than_guessed():
    with pytest.raises(InvalidAnswers) as refusal:
        hours(hours="40", hours__missing="__dont_know")
    assert refusal.value.errors == {"hours": InvalidAnswer("value_and_missing")}


def test_not_knowing_is_refused_where_it_isnt_offered():
    question = loading.question(HOURS.replace("dont_know: true", ""))
    assert question.parse("", MultiDict(dict(hours__missing="__dont_know")), {}) == {"hours": Missing.NO_ANSWER}


def test_the_length_of_a_text_is_counted_after_folding_in_code_points():
    question = loading.question("{id: note, type: text, text: {fi: a, sv: b, en: c}, max_length: 3}")
    assert question.parse("", MultiDict(dict(note=" \x00o\u0308o\u0308o\u0308 ")), {}) == {"note": "ööö"}
    assert question.parse("", MultiDict(dict(note="👍👍👍")), {}) == {"note": "👍👍👍"}
    with pytest.raises(InvalidAnswers) as refusal:
        question.parse("", MultiDict(dict(note="abcd")), {})
    assert refusal.value.errors["note"] == InvalidAnswer("too_long", {"maximum": 3, "length": 4})


def test_a_refused_text_is_kept_to_be_shown_again():
    question = loading.question("{id: note, type: text, text: {fi: a, sv: b, en: c}, max_length: 3}")
    control = question.control(
        "",
        language="fi",
        typed={"note": ["far too long"]},
        answers={},
        errors={"note": InvalidAnswer("too_long", {"maximum": 3, "length": 12})},
        seed=1,
    )
    assert control.lines[0].value == "far too long"
    assert control.errors["note"].code == "too_long"
