"""Numbers, percentages, ranges and dates as a Finnish, a Swedish and an English reader expects them.

Sources: SFS 4175 and the Kielijelppi guide (fi), Isof's Frågelådan and mediesprak.fi (sv), the EU
interinstitutional style guide (en). Babel is not used: it writes a hyphen for the minus sign and rounds
half to even.
"""

from __future__ import annotations

from datetime import date as Date
from decimal import ROUND_HALF_UP, Decimal
from math import isfinite

NBSP = "\u00a0"
MINUS = "\u2212"
EN_DASH = "\u2013"
SOFT_HYPHEN = "\u00ad"
HIDDEN_SIGN = "···"
"""Stands for a figure that disclosure control hides, in charts as in reports; a dash is where there is none."""

_QUOTES = {"fi": ("”", "”"), "sv": ("”", "”"), "en": ("“", "”")}
_PERCENT = {"fi": NBSP + "%", "sv": NBSP + "%", "en": "%"}
_POINTS = {"fi": NBSP + "%-yks.", "sv": NBSP + "%-enh.", "en": NBSP + "pp"}
_SCALE_POINTS = {"fi": NBSP + "pistettä", "sv": NBSP + "poäng", "en": NBSP + "points"}
_MONTHS = {
    "sv": "januari februari mars april maj juni juli augusti september oktober november december".split(),
    "en": "January February March April May June July August September October November December".split(),
}


def number(value: float, language: str, decimals: int = 0) -> str:
    """Return *value* rounded half up, with the language's decimal mark, grouping and minus; a dash for NaN."""
    if not isfinite(value):
        return EN_DASH
    return _written(_rounded(value, decimals), language)


def probability(p: float, language: str) -> str:
    """Return a p-value with three decimals, and "< 0.001" below that."""
    floor = 0.001
    return f"< {number(floor, language, 3)}" if p < floor else number(p, language, 3)


def percent(share: float, language: str, decimals: int = 0, *, sign: bool = True) -> str:
    """Return the share (0–1) in per cent; without *sign* only the figure, for labels whose unit is said nearby."""
    if not isfinite(share):
        return EN_DASH
    figure = _written(_rounded(share, decimals, shift=2), language)
    return figure + _PERCENT[language] if sign else figure


def percent_range(low: float, high: float, language: str, decimals: int = 0) -> str:
    """Return an interval of shares (0–1) as `30–55 %`."""
    return f"{percent(low, language, decimals, sign=False)}{EN_DASH}{percent(high, language, decimals)}"


def points(difference: float, language: str, decimals: int = 0, *, unit: bool = True) -> str:
    """Return a difference of two shares (−1–1) as signed percentage points, `+28 %-yks.`; without *unit* `+28`."""
    return _difference(difference, language, decimals, _POINTS[language] if unit else "")


def scale_points(difference: float, language: str, decimals: int = 0) -> str:
    """Return a difference of two means of a scale (−1–1 of its length) as points of 0–100, `+9 pistettä`."""
    return _difference(difference, language, decimals, _SCALE_POINTS[language])


def points_range(low: float, high: float, language: str, decimals: int = 0) -> str:
    """Return an interval of differences as `+4 … +27`; a dash between two signs would read as a third one."""
    return f"{NBSP}…{NBSP}".join(_difference(end, language, decimals, "") for end in (low, high))


def base(n: int, language: str) -> str:
    """Return `n = 360`, which never breaks over a line."""
    return f"n{NBSP}={NBSP}{number(n, language)}"


def base_range(low: int, high: int, language: str) -> str:
    """Return `n = 352–358`, or `n = 352` where both ends are one."""
    if low == high:
        return base(low, language)
    return f"{base(low, language)}{EN_DASH}{number(high, language)}"


def date(day: Date, language: str) -> str:
    """Return `9.3.2026`, `9 mars 2026` or `9 March 2026`."""
    if language == "fi":
        return f"{day.day}.{day.month}.{day.year}"
    return f"{day.day}{NBSP}{_MONTHS[language][day.month - 1]}{NBSP}{day.year}"


def period(first: Date, last: Date, language: str) -> str:
    """Return the days from *first* to *last*, leaving out the year or month they share."""
    if first == last:
        return date(first, language)
    return f"{_start(first, last, language)}{EN_DASH}{date(last, language)}"


def quoted(text: str, language: str) -> str:
    """Return *text* in the language's quotation marks."""
    opening, closing = _QUOTES[language]
    return f"{opening}{text}{closing}"


def plain(text: str) -> str:
    """Return *text* without the soft hyphens that only a line-breaker needs, on one line."""
    return " ".join(text.replace(SOFT_HYPHEN, "").split(" ")).replace("\n", " ").strip()


def rounded_percent(share: float, decimals: int = 0) -> Decimal:
    """Return the figure that `percent` shows, to find out whether labels add up."""
    return _rounded(share, decimals, shift=2)


def _difference(difference: float, language: str, decimals: int, unit: str) -> str:
    if not isfinite(difference):
        return EN_DASH
    rounded = _rounded(difference, decimals, shift=2)
    return ("+" if rounded > 0 else "") + _written(rounded, language) + unit


def _rounded(value: float, decimals: int, *, shift: int = 0) -> Decimal:
    # Python's own formatting rounds half to even (12.5 → 12, 2.25 → 2.2), readers half up.
    # Twelve digits take away the noise of floating point: a share of 57 in 200 is 0.285 and
    # not 0.28499999999999998, and the decimal point is shifted in decimals, not by 100 * 0.285.
    exact = Decimal(format(float(value), ".12g")).scaleb(shift)
    rounded = exact.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    return abs(rounded) if rounded.is_zero() else rounded


def _written(figure: Decimal, language: str) -> str:
    digits = f"{abs(figure):,f}"
    if language != "en":
        digits = digits.replace(",", NBSP).replace(".", ",")
    return (MINUS if figure < 0 else "") + digits


def _start(first: Date, last: Date, language: str) -> str:
    if first.year != last.year:
        return date(first, language)
    same_month = first.month == last.month
    if language == "fi":
        return f"{first.day}." if same_month else f"{first.day}.{first.month}."
    return str(first.day) if same_month else f"{first.day}{NBSP}{_MONTHS[language][first.month - 1]}"
