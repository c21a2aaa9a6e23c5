"""Opening and closing times are those of a Finnish clock, also in the nights when it is put forward or back."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from kysely import clock
from kysely.errors import ConfigurationError
from kysely.store import GRACE, Phase, Wave


@pytest.mark.parametrize(
    ("said", "utc"),
    [
        ("2026-11-30T08:00", datetime(2026, 11, 30, 6, tzinfo=UTC)),
        ("2026-06-30T08:00", datetime(2026, 6, 30, 5, tzinfo=UTC)),
        ("2027-03-28T02:59", datetime(2027, 3, 28, 0, 59, tzinfo=UTC)),
        ("2027-03-28T04:00", datetime(2027, 3, 28, 1, 0, tzinfo=UTC)),
        ("2026-10-25T02:59", datetime(2026, 10, 24, 23, 59, tzinfo=UTC)),
        ("2026-10-25T03:30+03:00", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("2026-10-25T03:30+02:00", datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
        ("2026-10-25", datetime(2026, 10, 24, 21, tzinfo=UTC)),
    ],
)
def test_a_time_is_that_of_a_finnish_clock(said, utc):
    assert clock.moment(said) == utc


def test_a_closing_day_belongs_to_the_time_for_answering():
    assert clock.moment("2026-10-25", end_of_day=True) == datetime(2026, 10, 25, 22, tzinfo=UTC)  # a day of 25 hours
    assert clock.moment("2027-03-28", end_of_day=True) == datetime(2027, 3, 28, 21, tzinfo=UTC)  # one of 23


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("2027-03-28T03:30", "does not exist"),
        ("2026-10-25T03:30", "comes twice"),
        ("tomorrow", "is no time"),
        ("2026-02-30", "is no time"),
        ("9999-12-31", "is no time"),
    ],
)
def test_a_time_that_the_clock_never_shows_or_shows_twice_is_refused(said, told):
    with pytest.raises(ConfigurationError, match=told):
        clock.moment(said, end_of_day=True)


def test_a_thousand_moments_around_both_clock_changes_are_judged_right():
    # By hand: Finland is at UTC+3 from the last Sunday of March, 01:00 UTC, to the last of October, 01:00 UTC.
    dice = random.Random(4)
    changes = [datetime(2026, 10, 25, 1, tzinfo=UTC), datetime(2027, 3, 28, 1, tzinfo=UTC)]
    for _ in range(1000):
        now = dice.choice(changes) + timedelta(seconds=dice.randint(-100_000, 100_000))
        summer = not (changes[0] <= now < changes[1])
        local = (now + timedelta(hours=3 if summer else 2)).replace(tzinfo=None)
        assert clock.finnish(now).replace(tzinfo=None) == local
        opens = dice.choice(changes) + timedelta(hours=dice.randint(-30, 30))
        closes = opens + timedelta(hours=dice.randint(1, 60))
        wave = Wave("", "i", "f", "w", "real", "open", opens, opens_at=opens, closes_at=closes)
        expected = (
            Phase.NOT_YET
            if now < opens
            else Phase.OPEN
            if now < closes
            else Phase.FINISHING
            if now < closes + GRACE
            else Phase.OVER
        )
        assert wave.phase(now) is expected
        # Said on a Finnish clock and read again it is the same moment, unless the clock shows it twice.
        try:
            assert clock.moment(local.isoformat()) == now
        except ConfigurationError:
            assert abs(now - changes[0]) <= timedelta(hours=1)


def test_times_are_written_as_each_language_does():
    moment = datetime(2026, 11, 30, 14, 5, tzinfo=UTC)
    assert clock.said(moment, "fi") == "30.11.2026 klo 16.05"
    assert clock.said(moment, "sv") == "30.11.2026 kl. 16.05"
    assert clock.said(moment, "en") == "30 November 2026 at 16:05 (Finnish time)"


@pytest.mark.parametrize("day", ["2026-12-18", "2026-10-25", "2026-10-24", "2027-03-28", "2027-03-27", "2026-12-31"])
def test_a_closing_day_is_said_to_last_to_its_end(day):
    closes = clock.moment(day, end_of_day=True)
    year, month, number = (int(part) for part in day.split("-"))
    assert clock.said_closing(closes, "fi") == f"{number}.{month}.{year} klo 24"
    assert clock.said_closing(closes, "sv") == f"{number}.{month}.{year} kl. 24"
    assert clock.said_closing(closes, "en").startswith(f"the end of {number} ")
    assert clock.said_closing(closes, "en").endswith(f"{year} (Finnish time)")
    # A minute earlier, or later, it is a time like any other.
    for moment in (closes - timedelta(minutes=1), closes + timedelta(minutes=1)):
        for language in ("fi", "sv", "en"):
            assert clock.said_closing(moment, language) == clock.said(moment, language)
