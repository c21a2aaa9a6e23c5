"""What a workbook is made of: sheets of cells whose numbers stay numbers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Look(StrEnum):
    """What a cell is, from which a format decides how it is set."""

    TEXT = "text"
    TITLE = "title"
    SUBTITLE = "subtitle"
    SECTION = "section"
    HEAD = "head"
    LETTER = "letter"
    STUB = "stub"
    NOTE = "note"
    WORDS = "words"
    CODE = "code"
    LINK = "link"
    SIGN = "sign"
    LETTERS = "letters"
    COUNT = "count"
    SHARE = "share"
    MEAN = "mean"
    MEAN100 = "mean100"
    STATISTIC = "statistic"
    DF = "df"
    PROBABILITY = "probability"


@dataclass(frozen=True)
class Entry:
    """One cell. *value* is text, a number, or None for an empty cell that only takes its place.

    *mark* is shown behind a number that stays one, *link* is the name of the sheet it leads to, *across* the columns
    it spans. *muted* sets a figure back.
    """

    value: str | int | float | None = None
    look: Look = Look.TEXT
    mark: str = ""
    link: str = ""
    across: int = 1
    strong: bool = False
    muted: bool = False


@dataclass(frozen=True)
class Sheet:
    """One sheet. *widths* are those of its columns in characters, the last one for all that follow.

    The first *head* rows stay in sight and are printed on every page, as does the first column where *stub* is true.
    A sheet too wide for one page is divided at some of *breaks*: the columns, from 0, that a page may begin with.
    """

    name: str
    title: str
    rows: tuple[tuple[Entry, ...], ...]
    widths: tuple[float, ...]
    head: int = 0
    stub: bool = False
    breaks: tuple[int, ...] = ()


@dataclass(frozen=True)
class Workbook:
    """A whole book in one language. *banner* and its text stand first on every sheet and every printed page.

    *made_at* (ISO 8601) is the moment the book carries, *about* is one sentence for the properties of the file,
    *page* the word before a page's number.
    """

    title: str
    language: str
    sheets: tuple[Sheet, ...]
    made_at: str
    about: str
    page: str
    banner: str = ""
    banner_text: str = ""
