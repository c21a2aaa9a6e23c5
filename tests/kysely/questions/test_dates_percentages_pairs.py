"""Dates, percentages and paired comparisons."""

from __future__ import annotations

import pytest
from werkzeug.datastructures import MultiDict

from kysely import loading, plugins
from kysely.codebook import Missing
from kysely.questions._base import InvalidAnswers
from kysely.questions._text import spoken

DATE = loading.question(plugins.load("kysely.questions", "date").EXAMPLE)
PERCENT = loading.question(plugins.load("kysely.questions", "percent").EXAMPLE)
PAIRS = loading.question(plugins.load("kysely.questions", "pairs").EXAMPLE)


def parse(question, typed):
    return question.parse("", MultiDict(typed), {}, seed=1)


def wrong(question, typed):
    with pytest.raises(InvalidAnswers) as refusal:
        parse(question, typed)
    return {name: error.code for name, error in refusal.value.errors.items()}


def on(day="", month="", year="", **more):
    return {"adopted_day": day, "adopted_month": month, "adopted_year": year, **more}


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        (on("15", "3", "2024"), "2024-03-15"),
        (on(" 01", "03 ", "2024"), "2024-03-01"),
        (on("29", "2", "2024"), "2024-02-29"),
        (on(adopted__missing="__dont_know"), Missing.DONT_KNOW),
        (on(), Missing.NO_ANSWER),
    ],
)
def test_a_date_is_stored_year_first(typed, stored):
    assert parse(DATE, typed) == {"adopted": stored}


@pytest.mark.parametrize(
    ("typed", "errors"),
    [
        (on("30", "2", "2026"), {"adopted": "date_unknown"}),
        (on("29", "2", "2027"), {"adopted": "date_unknown"}),
        (on("0", "0", "0000"), {"adopted": "date_unknown"}),
        (on("1", "13", "2024"), {"adopted": "date_unknown"}),
        (on("1", "1", "10000"), {"adopted": "date_unknown"}),
        (on("1", "1", "24"), {"adopted": "date_unknown"}),
        (on("1", "1", "999999999999999"), {"adopted": "date_unknown"}),
        (on("-1", "1", "2024"), {"adopted": "date_unknown"}),
        (on("31", "12", "1999"), {"adopted": "date_too_early"}),
        (on("1", "1", "2031"), {"adopted": "date_too_late"}),
        (on("15", "", "2024"), {"adopted_month": "date_incomplete"}),
        (on("", "", "2024"), {"adopted_day": "date_incomplete", "adopted_month": "date_incomplete"}),
        (on("x", "3", "2024"), {"adopted_day": "not_a_number"}),
        (on("١٥", "3", "2024"), {"adopted_day": "not_a_number"}),
        (on("1,5", "3", "2024"), {"adopted_day": "not_an_integer"}),
        (on("9" * 5000, "3", "2024"), {"adopted_day": "not_a_number"}),
        (on("15", "3", "2024", adopted__missing="__dont_know"), {"adopted": "value_and_missing"}),
    ],
)
def test_a_day_that_is_not_in_the_calendar_or_out_of_bounds_is_refused(typed, errors):
    assert wrong(DATE, typed) == errors


def test_a_date_is_read_back_as_one_writes_it_in_each_language():
    typed = {name: [text] for name, text in on("15", "3", "2024").items()}
    shown = {
        language: DATE.control("", language=language, typed=typed, answers={}, errors={}, seed=0).summary
        for language in ("fi", "sv", "en")
    }
    assert shown == {"fi": ("15.3.2024",), "sv": ("15.3.2024",), "en": ("15 March 2024",)}
    assert spoken(DATE._from, "en") == "1 January 2000"


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("12,5", 12.5),
        ("12.5", 12.5),
        ("12,5 %", 12.5),
        ("100%", 100),
        ("0", 0),
        ("33\u00a0%", 33),
        ("", Missing.NO_ANSWER),
    ],
)
def test_a_share_may_have_a_comma_and_a_per_cent_sign(text, stored):
    assert parse(PERCENT, {"largest": text}) == {"largest": stored}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("100,1", "too_large"),
        ("-1", "too_small"),
        ("12,55", "too_many_decimals"),
        ("%", "not_a_number"),
        ("5 %%", "not_a_number"),
        ("%5", "not_a_number"),
        ("٥", "not_a_number"),
        ("1e1", "not_a_number"),
        ("9" * 100, "not_a_number"),
        ("puolet", "not_a_number"),
    ],
)
def test_what_is_no_share_of_a_hundred_is_refused(text, code):
    assert wrong(PERCENT, {"largest": text}) == {"largest": code}


def test_each_option_is_compared_with_each_other_once():
    assert PAIRS.answering == ("weigh_QUALITY_PRICE", "weigh_QUALITY_SPEED", "weigh_PRICE_SPEED")
    answers = parse(PAIRS, {"weigh_QUALITY_PRICE": "PRICE", "weigh_QUALITY_SPEED": "TIE"})
    assert [answers[name] for name in PAIRS.answering] == ["PRICE", "TIE", Missing.NO_ANSWER]


def test_neither_is_preferred_only_where_the_author_allows_it():
    strict = loading.question(
        "\n".join(row for row in plugins.load("kysely.questions", "pairs").EXAMPLE.split("\n") if "ties" not in row)
    )
    assert wrong(strict, {"weigh_QUALITY_PRICE": "TIE"}) == {"weigh_QUALITY_PRICE": "unknown_code"}


def test_an_option_of_another_pair_is_refused():
    assert wrong(PAIRS, {"weigh_QUALITY_PRICE": "SPEED"}) == {"weigh_QUALITY_PRICE": "unknown_code"}


def test_pairs_and_the_two_in_each_stand_in_an_order_of_the_respondents_own_that_is_recorded():
    orders = [PAIRS.order(seed) for seed in range(2000)]
    firsts = [order[0] for order in orders]
    counts = {one: firsts.count(one) for one in set(firsts)}
    assert len(counts) == 6  # three pairs, each either way round
    # Chi-square with 5 degrees of freedom; 20.5 is exceeded once in a thousand.
    assert sum((count - 2000 / 6) ** 2 / (2000 / 6) for count in counts.values()) < 20.5
    assert parse(PAIRS, {})["weigh_order"] == " ".join(PAIRS.order(1))
