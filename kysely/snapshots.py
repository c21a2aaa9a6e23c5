"""What peers answered, as it was published: build/<instrument>/public/feedback.json, read and checked.

`python -m analysis publish <instrument> --feedback` writes the file, after the rules of the public release. It holds
rounded numbers and codes only; whoever shows it adds the words. Its shape (kysely-peers/1):

    format        "kysely-peers/1"
    release       "public"
    instrument    "operating_mode"
    synthetic     true if robots answered
    dataset       the number of the newest data set in it, a whole number from 1 on
    published_at  the day of the newest publication in it, 2026-11-22
    category      the code whose shares are compared: CENTRAL
    classification null, or
        name      of the groups: org3
        variable  from whose answer a respondent's group follows: BG10
        groups    group → codes of that variable: {"company": ["COMP", "PUBC"], …}
    modes         a list, in the questionnaire's order, of
        code      PROD
        variable  OM_B02_PROD
        dataset, published_at, publication (an id): where its numbers are from
        all       a share
        groups    group → share; small groups together are OTHER, those who named no group NOT_STATED

    a share: {"percent": 35, "bound": null, "n_low": 30, "n_high": 49}
        bound     null, or "over" or "under" where percent only limits what is not shown
        n_low, n_high  between which numbers the respondents lie; from 50 on both are the number rounded to 5
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

from kysely.errors import KyselyError

FORMAT = "kysely-peers/1"
FILE = "feedback.json"
"""Lies in build/<instrument>/public/."""

OTHER = "OTHER"
NOT_STATED = "NOT_STATED"

BANDS = ((5, 9), (10, 19), (20, 29), (30, 49))
"""How a base under 50 is said; the first is that of an override only."""

Bound = Literal["over", "under"]


class SnapshotError(KyselyError):
    """A published file is not what `python -m analysis publish` writes. Says what is wrong and what to do."""


@dataclass(frozen=True)
class Share:
    """A share in whole per cent, of a base that lies between two numbers."""

    percent: int
    bound: Bound | None
    n_low: int
    n_high: int


@dataclass(frozen=True)
class Mode:
    """How central peers say one mode is: the share of `Peers.category` among all and in each group."""

    code: str
    variable: str
    dataset: int
    published_at: date
    publication: str
    all: Share
    groups: Mapping[str, Share]


@dataclass(frozen=True)
class Grouping:
    """By what peers are told apart: *groups* gives the codes of *variable* that each group is made of."""

    name: str
    variable: str
    groups: Mapping[str, tuple[str, ...]]

    def of(self, code: str) -> str | None:
        """Return the group of a respondent who answered *code*."""
        return next((group for group, codes in self.groups.items() if code in codes), None)


@dataclass(frozen=True)
class Peers:
    """Everything that a respondent may be compared with."""

    instrument: str
    synthetic: bool
    dataset: int
    published_at: date
    category: str
    classification: Grouping | None
    modes: tuple[Mode, ...]

    def group(self, mode: Mode, code: str | None) -> tuple[str, Share] | None:
        """Return the group of a respondent who answered *code* to the grouping's variable, with its share.

        A group that is too small to be shown is among OTHER; None where nothing can be told of the respondent's.
        """
        if self.classification is None or code is None:
            return None
        own = self.classification.of(code)
        if own is None:
            return None
        shown = own if own in mode.groups else OTHER
        return (shown, mode.groups[shown]) if shown in mode.groups else None


def read(folder: Path) -> Peers | None:
    """Return what is published for feedback in *folder*, or None if nothing is. Raises SnapshotError."""
    path = folder / FILE
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise SnapshotError(f"{path} can't be read ({type(error).__name__}). {_CURE}") from None
    return peers(text, str(path))


def peers(text: str, where: str = FILE) -> Peers:
    """Return what the JSON *text* says. Raises SnapshotError for anything that was not written by publishing."""
    try:
        data = json.loads(text)
        return _peers(data)
    except _Wrong as error:
        raise SnapshotError(f"{where}: {error}. {_CURE}") from None
    except (ValueError, RecursionError):
        raise SnapshotError(f"{where} is not readable as JSON. {_CURE}") from None


_CURE = "It is shown to nobody; write it again: python -m analysis publish <instrument> --feedback"


class _Wrong(Exception):
    pass


def _peers(data: Any) -> Peers:
    for key, expected in (("format", FORMAT), ("release", "public")):
        if _value(data, key, str) != expected:
            raise _Wrong(f"{key} is not {expected!r}")
    classification = None if data.get("classification") is None else _grouping(_value(data, "classification", dict))
    known = {OTHER, NOT_STATED, *(classification.groups if classification else ())}
    modes = tuple(_mode(one, known) for one in _value(data, "modes", list))
    if not modes or len({mode.code for mode in modes}) < len(modes):
        raise _Wrong("modes lists none, or one twice")
    return Peers(
        instrument=_value(data, "instrument", str),
        synthetic=_value(data, "synthetic", bool),
        dataset=_number(data, "dataset"),
        published_at=_day(data),
        category=_value(data, "category", str),
        classification=classification,
        modes=modes,
    )


def _grouping(data: Any) -> Grouping:
    groups = _value(data, "groups", dict)
    for name, codes in groups.items():
        if not isinstance(codes, list) or not all(isinstance(code, str) for code in codes):
            raise _Wrong(f"the group {name[:40]!r} is no list of codes")
    return Grouping(
        _value(data, "name", str),
        _value(data, "variable", str),
        {name: tuple(codes) for name, codes in groups.items()},
    )


def _mode(data: Any, known: set[str]) -> Mode:
    groups = _value(data, "groups", dict)
    if strangers := sorted(set(groups) - known):
        raise _Wrong(f"there is no group {strangers[0][:40]!r}")
    return Mode(
        code=_value(data, "code", str),
        variable=_value(data, "variable", str),
        dataset=_number(data, "dataset"),
        published_at=_day(data),
        publication=_value(data, "publication", str),
        all=_share(_value(data, "all", dict)),
        groups={name: _share(share) for name, share in groups.items()},
    )


def _share(data: Any) -> Share:
    percent, low, high = (_value(data, key, int) for key in ("percent", "n_low", "n_high"))
    bound = data.get("bound")
    if bound not in (None, "over", "under") or not 0 <= percent <= 100:
        raise _Wrong("a share is no whole per cent with a bound of over, under or none")
    if (low, high) not in BANDS and not (low == high >= 50 and low % 5 == 0):
        raise _Wrong("a base is not rounded as public numbers are")
    if low < 50 and percent % 5:
        raise _Wrong("a share of fewer than 50 respondents is not rounded to five")
    return Share(percent, bound, low, high)


def _number(data: Any, key: str) -> int:
    found: int = _value(data, key, int)
    if found < 1:
        raise _Wrong(f"{key} is below 1")
    return found


def _day(data: Any) -> date:
    try:
        return date.fromisoformat(_value(data, "published_at", str))
    except ValueError:
        raise _Wrong("published_at is no day") from None


def _value(data: Any, key: str, kind: type) -> Any:
    found = data.get(key) if isinstance(data, dict) else None
    if not isinstance(found, kind) or (kind is int and isinstance(found, bool)) or (kind is str and not found):
        raise _Wrong(f"{key} is lacking or of another kind")
    return found
