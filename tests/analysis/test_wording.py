"""Numbers and dates as readers of Finnish, Swedish and English expect them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from math import nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import wording

NB = "\u00a0"
LANGUAGES = ("fi", "sv", "en")


@pytest.mark.parametrize(
    ("value", "decimals", "fi", "en"),
    [
        (12345.678, 3, f"12{NB}345,678", "12,345.678"),
        (1234, 0, f"1{NB}234", "1,234"),
        (45.7, 1, "45,7", "45.7"),
        (2.25, 1, "2,3", "2.3"),  # Python's format gives 2.2
        (12.5, 0, "13", "13"),  # and 12
        (0.5, 0, "1", "1"),  # and 0
        (-2.5, 0, "\u22123", "\u22123"),
        (-0.4, 0, "0", "0"),
        (nan, 0, "–", "–"),
    ],
)
def test_a_number_is_rounded_half_up_and_has_the_marks_of_its_language(value, decimals, fi, en):
    assert wording.number(value, "fi", decimals) == fi
    assert wording.number(value, "sv", decimals) == fi
    assert wording.number(value, "en", decimals) == en


def test_a_share_that_is_57_in_200_is_28_5_per_cent_and_so_29():
    assert 100 * 0.285 < 28.5  # what a computer makes of it
    assert [wording.percent(57 / 200, language) for language in LANGUAGES] == [f"29{NB}%", f"29{NB}%", "29%"]
    assert wording.percent(57 / 200, "fi", 1) == f"28,5{NB}%"


@given(st.integers(0, 400), st.integers(1, 400))
def test_a_share_of_people_is_rounded_as_on_paper(count, extra):
    n = count + extra
    exact = Decimal(200 * count + n) // Decimal(2 * n)  # floor(100 k/n + 1/2)

    assert wording.percent(count / n, "en", sign=False) == str(exact)


def test_ranges_differences_and_bases_never_break_over_a_line():
    texts = [
        wording.percent_range(0.3, 0.55, "fi"),
        wording.points(0.28, "fi"),
        wording.points(-0.05, "sv"),
        wording.scale_points(0.096, "fi", 1),
        wording.scale_points(-0.05, "sv"),
        wording.scale_points(0.09, "en"),
        wording.points_range(0.04, 0.27, "en"),
        wording.base(1360, "sv"),
        wording.base_range(352, 358, "en"),
        wording.base_range(352, 352, "en"),
    ]

    assert texts == [
        f"30–55{NB}%",
        f"+28{NB}%-yks.",
        f"\u22125{NB}%-enh.",
        f"+9,6{NB}pistettä",
        f"\u22125{NB}poäng",
        f"+9{NB}points",
        f"+4{NB}…{NB}+27",
        f"n{NB}={NB}1{NB}360",
        f"n{NB}={NB}352–358",
        f"n{NB}={NB}352",
    ]
    assert not any(" " in text for text in texts)


def test_a_difference_of_nothing_has_no_sign():
    assert wording.points(0.004, "en") == wording.points(-0.004, "en") == f"0{NB}pp"


def test_a_date_reads_as_in_a_newspaper():
    day = date(2026, 3, 9)

    assert [wording.date(day, language) for language in LANGUAGES] == [
        "9.3.2026",
        f"9{NB}mars{NB}2026",
        f"9{NB}March{NB}2026",
    ]


@pytest.mark.parametrize(
    ("first", "last", "fi", "sv"),
    [
        (date(2015, 3, 2), date(2015, 5, 29), "2.3.–29.5.2015", f"2{NB}mars–29{NB}maj{NB}2015"),
        (date(2015, 3, 2), date(2015, 3, 20), "2.–20.3.2015", f"2–20{NB}mars{NB}2015"),
        (date(2015, 12, 30), date(2016, 1, 2), "30.12.2015–2.1.2016", f"30{NB}december{NB}2015–2{NB}januari{NB}2016"),
        (date(2015, 3, 2), date(2015, 3, 2), "2.3.2015", f"2{NB}mars{NB}2015"),
    ],
)
def test_a_period_leaves_out_what_its_ends_share(first, last, fi, sv):
    assert wording.period(first, last, "fi") == fi
    assert wording.period(first, last, "sv") == sv


def test_quotation_marks_are_the_language_s_own():
    assert [wording.quoted("ja", language) for language in LANGUAGES] == ["”ja”", "”ja”", "“ja”"]


def test_plain_text_has_no_soft_hyphens_and_one_line():
    assert wording.plain("palvelu\u00adkehitys\u00adlähtöinen \n") == "palvelukehityslähtöinen"
