"""Typed text and numbers, folded to one form before anything looks at them: identical on every database."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from decimal import Decimal

from kysely.errors import InvalidAnswer

MAXIMUM_DIGITS = 15

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
# What str.strip() leaves: a text of zero-width marks looks blank to a reader, so it is blank.
_INVISIBLE_EDGE = "\u200b\u200c\u200d\u2060\ufeff"
_GROUPING = " \u00a0\u202f"
_NUMBER = re.compile(
    rf"(?P<sign>[-\u2212])?(?P<whole>[0-9]{{1,3}}(?:[{_GROUPING}][0-9]{{3}})+|[0-9]+)(?:[.,](?P<fraction>[0-9]+))?"
)
_PERHAPS_THOUSANDS = re.compile(r"[-\u2212]?[1-9][0-9]{0,2}[.,][0-9]{3}")


def folded(text: str) -> str:
    """Return *text* in the one form that is stored.

    NFC; lines end with a line feed; control characters other than line feed and tab are dropped,
    NUL among them; a lone surrogate becomes U+FFFD; outer blanks go.
    """
    if text.isascii() and text.isprintable():  # nearly every answer, and the slow way changes nothing but its blanks
        return text.strip()
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = _SURROGATE.sub("\ufffd", _CONTROL.sub("", text))
    return _stripped(unicodedata.normalize("NFC", text))


def within(text: str, maximum: int) -> str:
    """Return *text* if it has at most *maximum* code points, else raise InvalidAnswer("too_long")."""
    if len(text) > maximum:
        raise InvalidAnswer("too_long", {"maximum": maximum, "length": len(text)})
    return text


def number(text: str, *, integer: bool) -> int | float:
    """Return the number that the folded *text* writes as a Finn, Swede or Briton would.

    A comma or a point begins the decimals, blanks group thousands: `3,5`, `3.5`, `1 000`, `−2`.
    Only ASCII digits count, at most 15 of them. `1_0`, `1e3`, `nan` are no numbers, and `1,000` is
    refused because it is a thousand to some and one to others.
    """
    if len(text) > 4 * MAXIMUM_DIGITS:
        raise InvalidAnswer("not_a_number")
    if _PERHAPS_THOUSANDS.fullmatch(text):
        raise InvalidAnswer("thousands_separator")
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise InvalidAnswer("not_a_number")
    whole = re.sub(f"[{_GROUPING}]", "", match["whole"])
    fraction = match["fraction"]
    if len(whole) + len(fraction or "") > MAXIMUM_DIGITS:
        raise InvalidAnswer("too_many_digits", {"maximum": MAXIMUM_DIGITS})
    if integer and fraction is not None:
        raise InvalidAnswer("not_an_integer")
    value = Decimal(f"{whole}.{fraction or 0}")
    if match["sign"] and value:  # minus nought is nought
        value = -value
    return int(value) if integer else float(value)


def shown(value: int | float) -> str:
    """Return *value* as `number` reads it back: with a decimal comma, which no language takes for anything else."""
    text = format(Decimal(repr(value)), "f")
    text = text.removesuffix(".0").replace(".", ",")
    return f"{text}0" if _PERHAPS_THOUSANDS.fullmatch(text) else text


_LOCAL = re.compile(r"[^\s()<>\[\]:;@\\,\"\x00-\x20\x7f.]+(\.[^\s()<>\[\]:;@\\,\"\x00-\x20\x7f.]+)*")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_MONTHS = "January February March April May June July August September October November December".split()


def email_address(text: str) -> str:
    """Return an e-mail address as it is compared and written to; raises ValueError that says what is wrong with it.

    Case, compatibility forms and blanks around it don't tell two addresses apart; a domain of other letters becomes
    its ASCII form.
    """
    address = unicodedata.normalize("NFC", unicodedata.normalize("NFKC", text).strip().casefold())
    local, at, domain = address.rpartition("@")
    if not at or not local or not domain:
        raise ValueError("it has no @ between a name and a domain")
    if not _LOCAL.fullmatch(local) or len(local.encode()) > 64:
        raise ValueError("what stands before the @ is no mailbox")
    try:
        domain = domain.encode("idna").decode()
    except UnicodeError:
        raise ValueError("what stands behind the @ is no domain") from None
    labels = domain.split(".")
    if len(labels) < 2 or not all(map(_LABEL.fullmatch, labels)) or labels[-1].isdecimal():
        raise ValueError("what stands behind the @ is no domain")
    if len(local.encode()) + len(domain) + 1 > 254:
        raise ValueError("it is longer than 254 signs")
    return f"{local}@{domain}"


def spoken(day: date, language: str) -> str:
    """Return *day* as one writes it: 15.3.2024 in Finland in either language, 15 March 2024 in English."""
    if language == "en":
        return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
    return f"{day.day}.{day.month}.{day.year}"


def _stripped(text: str) -> str:
    while (shorter := text.strip().strip(_INVISIBLE_EDGE)) != text:
        text = shorter
    return text
