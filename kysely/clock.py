"""Times as people in Finland say them, and as the databases keep them (UTC)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from kysely.errors import ConfigurationError

HELSINKI = ZoneInfo("Europe/Helsinki")

_EXAMPLE = "write 2026-11-30T16:00 (Finnish time) or 2026-11-30"


def moment(text: str, *, end_of_day: bool = False) -> datetime:
    """Return the moment that *text* names in Finnish time, in UTC.

    A date alone is its first moment, with *end_of_day* that of the day after. Raises ConfigurationError for a time
    that the clocks skip in spring, and for one that comes twice in autumn unless its offset is said.
    """
    text = text.strip()
    try:
        if len(text) == 10:
            day = date.fromisoformat(text) + timedelta(days=1 if end_of_day else 0)
            return datetime.combine(day, time(), HELSINKI).astimezone(UTC)
        said = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise ConfigurationError(f"{text!r} is no time; {_EXAMPLE}.") from None
    if said.tzinfo is not None:
        return said.astimezone(UTC)
    first, second = (said.replace(tzinfo=HELSINKI, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first == second:
        return first
    if first.astimezone(HELSINKI).replace(tzinfo=None) != said:
        raise ConfigurationError(f"{text} does not exist: the clocks skip it that night. Choose an hour later.")
    raise ConfigurationError(
        f"{text} comes twice: the clocks are put back that night. Say which: {text}+03:00 (summer) or {text}+02:00."
    )


def finnish(moment: datetime) -> datetime:
    """Return *moment* on a Finnish clock."""
    return moment.astimezone(HELSINKI)


def said(moment: datetime, language: str) -> str:
    """Return *moment* as written in *language*, in Finnish time."""
    return _written(finnish(moment), language)


def said_closing(moment: datetime, language: str) -> str:
    """Return when something closes, as `said`: at midnight it is the end of a day, not the beginning of the next."""
    local = finnish(moment)
    if local.time() != time():
        return _written(local, language)
    day = _day(local.date() - timedelta(days=1), language)
    return {"fi": f"{day} klo 24", "sv": f"{day} kl. 24"}.get(language, f"the end of {day} (Finnish time)")


def _written(local: datetime, language: str) -> str:
    if language == "fi":
        return f"{_day(local, language)} klo {local.hour}.{local.minute:02}"
    if language == "sv":
        return f"{_day(local, language)} kl. {local.hour}.{local.minute:02}"
    return f"{_day(local, language)} at {local.hour}:{local.minute:02} (Finnish time)"


def _day(day: date, language: str) -> str:
    if language in ("fi", "sv"):
        return f"{day.day}.{day.month}.{day.year}"
    months = "January February March April May June July August September October November December".split()
    return f"{day.day} {months[day.month - 1]} {day.year}"
