"""Running text: paragraphs, notes, lists, facts and formulas. All of it is plain text; a format escapes it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Paragraph:
    """A paragraph; *lead* opens the report, *screen* is said of a screen and not printed."""

    text: str
    lead: bool = False
    screen: bool = False


@dataclass(frozen=True)
class Note:
    """A remark a reader must not miss; *kind* is "info" or "caution"."""

    text: str
    title: str = ""
    kind: str = "info"


@dataclass(frozen=True)
class Bullets:
    items: tuple[str, ...]


@dataclass(frozen=True)
class Fact:
    """A name and its value; *code* asks for a typeface in which hashes and names of files can be compared."""

    name: str
    value: str
    code: bool = False


@dataclass(frozen=True)
class Facts:
    """Names and values side by side; *key* ones are shown large, as the figures a reader looks for first."""

    facts: tuple[Fact, ...]
    key: bool = False


@dataclass(frozen=True)
class Formula:
    """A formula in ordinary characters, `_` before a letter that stands low, and what its letters stand for."""

    text: str
    where: str = ""
