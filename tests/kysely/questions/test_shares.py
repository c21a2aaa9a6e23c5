"""Points that add up, and ranks that follow each other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from kysely import loading, plugins
from kysely.codebook import Missing
from kysely.questions._base import InvalidAnswers
from kysely.questions.points import scaled

POINTS = loading.question(plugins.load("kysely.questions", "points").EXAMPLE)
RANKING = loading.question(plugins.load("kysely.questions", "ranking").EXAMPLE)
ALL = loading.question(plugins.load("kysely.questions", "ranking").EXAMPLE.replace("top: 2\n", ""))


def parse(question, typed):
    return question.parse("", MultiDict(typed), {}, seed=1)


def wrong(question, typed):
    with pytest.raises(InvalidAnswers) as refusal:
        parse(question, typed)
    return {name: (error.code, *error.params.values()) for name, error in refusal.value.errors.items()}


def divided(product="", price="", other="", **more):
    return {"divided_PRODUCT": product, "divided_PRICE": price, "divided_OTHER": other, **more}


@pytest.mark.parametrize(
    ("typed", "points"),
    [
        (divided("40", "30", "30"), (40, 30, 30)),
        (divided("100"), (100, 0, 0)),  # what is blank beside a whole sum got none
        (divided("1 00", "0", "0"), None),
        (divided(" 50 ", "50", "0"), (50, 50, 0)),
        (divided(divided__missing="__dont_know"), (Missing.DONT_KNOW,) * 3),
        (divided(), (Missing.NO_ANSWER,) * 3),
    ],
)
def test_points_are_stored_once_they_add_up(typed, points):
    if points is None:
        assert wrong(POINTS, typed)["divided_PRODUCT"] == ("not_a_number",)
        return
    answers = parse(POINTS, typed)
    assert tuple(answers[f"divided_{code}"] for code in ("PRODUCT", "PRICE", "OTHER")) == points


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        (divided("60", "35"), ("points_left", 100, 95, 5)),
        (divided("60", "60"), ("points_over", 100, 120, 20)),
        (divided("0", "0", "0"), ("points_left", 100, 0, 100)),
        (divided("1"), ("points_left", 100, 1, 99)),
    ],
)
def test_a_wrong_sum_comes_back_with_what_is_left(typed, says):
    assert wrong(POINTS, typed) == {"divided": says}


@pytest.mark.parametrize(
    ("typed", "points"),
    [
        (divided("60", "35", ""), (63, 37, 0)),  # 63.16 and 36.84
        (divided("1", "1", "1"), (34, 33, 33)),  # equal remainders: the first is rounded up
        (divided("200", "200", "0"), (50, 50, 0)),
        (divided("3"), (100, 0, 0)),
        (divided("999999999999999", "999999999999999"), (50, 50, 0)),
    ],
)
def test_points_are_scaled_by_the_largest_remainder_when_that_is_asked_for(typed, points):
    answers = parse(POINTS, {**typed, "divided__scale": "1"})
    assert tuple(answers[f"divided_{code}"] for code in ("PRODUCT", "PRICE", "OTHER")) == points


def test_the_offer_to_scale_is_made_only_where_there_is_something_to_scale():
    for typed, offered in ((divided("60", "35"), True), (divided("0", "0", "0"), False), (divided("x"), False)):
        with pytest.raises(InvalidAnswers) as refusal:
            parse(POINTS, typed)
        posted = {name: [text] for name, text in typed.items()}
        shown = POINTS.control("", language="fi", typed=posted, answers={}, errors=refusal.value.errors, seed=0)
        assert bool(shown.offers) is offered


def test_nothing_is_scaled_to_a_hundred_without_points():
    assert wrong(POINTS, {**divided("0"), "divided__scale": "1"}) == {"divided": ("points_left", 100, 0, 100)}


def test_a_page_that_comes_back_for_another_reason_shows_the_scaled_points():
    typed = {name: [text] for name, text in divided("60", "35", divided__scale="1").items()}
    shown = POINTS.control("", language="fi", typed=typed, answers={}, errors={}, seed=0)
    assert {line.name: line.value for line in shown.lines} == divided("63", "37", "0")


@given(st.lists(st.integers(0, 10**15), min_size=1, max_size=12).filter(any), st.integers(1, 1000))
def test_scaling_keeps_the_sum_and_never_moves_a_share_by_a_whole_point(given, total):
    numbers = {str(place): number for place, number in enumerate(given)}
    found = scaled(numbers, total)
    assert sum(found.values()) == total
    used = sum(given)
    assert all(abs(found[code] * used - number * total) < used for code, number in numbers.items())


@pytest.mark.parametrize("text", ["٤٠", "-5", "1e2", "40,5", "nan", "9" * 20, "0x10", "1_0", "x" * 10_000_000])
def test_points_are_whole_numbers_in_ascii_digits(text):
    assert set(wrong(POINTS, divided(text, "60"))) == {"divided_PRODUCT"}


def test_points_and_a_tick_for_not_knowing_contradict_each_other():
    assert wrong(POINTS, divided("100", divided__missing="__dont_know")) == {"divided": ("value_and_missing",)}


def test_what_other_means_is_asked_only_if_it_got_points():
    answers = parse(POINTS, divided("50", "0", "50", divided_other_text="Maine"))
    assert answers["divided_other_text"] == "Maine"
    assert "divided_other_text" not in parse(POINTS, divided("100", divided_other_text="Maine"))
    assert "divided_other_text" not in POINTS.applicable(parse(POINTS, divided("100")))


def ranked(**ranks):
    return {f"valued_{code}": rank for code, rank in ranks.items()}


@pytest.mark.parametrize(
    ("typed", "ranks"),
    [
        (ranked(GROW="1", LARGE="2"), (2, 1, 0, 0)),
        (ranked(LAST="1"), (0, 0, 1, 0)),
        ({"valued__missing": "__dont_know"}, (Missing.DONT_KNOW,) * 4),
        ({}, (Missing.NO_ANSWER,) * 4),
    ],
)
def test_of_the_first_few_the_others_have_rank_zero(typed, ranks):
    answers = parse(RANKING, typed)
    assert tuple(answers[f"valued_{code}"] for code in ("LARGE", "GROW", "LAST", "OTHER")) == ranks


def test_a_rank_given_twice_is_told_at_both_with_its_number():
    assert wrong(RANKING, ranked(LARGE="1", LAST="1")) == {
        "valued_LARGE": ("rank_twice", 1),
        "valued_LAST": ("rank_twice", 1),
    }


def test_a_rank_left_out_is_named():
    assert wrong(RANKING, ranked(LARGE="2")) == {"valued": ("rank_missing", 1)}


def test_where_all_are_ranked_those_left_blank_are_unanswered_rather_than_last():
    assert ALL.unanswered("", MultiDict(ranked(LARGE="1", GROW="2")), {}) == ("valued_LAST", "valued_OTHER")
    answers = parse(ALL, ranked(LARGE="1", GROW="2"))
    assert answers["valued_LAST"] is answers["valued_OTHER"] is Missing.NO_ANSWER


@pytest.mark.parametrize("text", ["0", "3", "01", "٢", "1.5", "x" * 10_000_000, "-1"])
def test_only_the_ranks_offered_are_accepted(text):
    assert wrong(RANKING, ranked(LARGE=text)) == {"valued_LARGE": ("unknown_code",)}


def test_a_ranking_is_read_back_in_its_own_order():
    posted = {
        name: [text]
        for name, text in ranked(
            GROW="1",
            OTHER="2",
        ).items()
    } | {"valued_other_text": ["Sijainti"]}
    shown = RANKING.control("", language="fi", typed=posted, answers={}, errors={}, seed=0)
    assert shown.summary == ("1. Kasvu", "2. Muu: Sijainti")
