"""A document and its sections."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from reports.parts.chart import Chart
from reports.parts.table import Table
from reports.parts.text import Bullets, Facts, Formula, Note, Paragraph

Part = Paragraph | Note | Bullets | Facts | Formula | Table | Chart


@dataclass(frozen=True)
class Section:
    """A heading, what stands under it, and the sections inside it.

    *kicker* is a line above the heading that belongs to it, such as "Synthetic data".
    *wide* asks for a page turned sideways where the format has pages.
    *listed* is false for a section too small for the contents list.
    """

    id: str
    title: str
    parts: tuple[Part, ...] = ()
    sections: tuple[Section, ...] = ()
    kicker: str = ""
    wide: bool = False
    listed: bool = True

    def walk(self) -> Iterator[Section]:
        """Yield this section and all inside it, in reading order."""
        yield self
        for section in self.sections:
            yield from section.walk()


@dataclass(frozen=True)
class Document:
    """A whole report in one language.

    *banner* stands above everything and on every printed page; empty where nothing has to be said.
    *provenance* is one line for the foot of every printed page: of which answers, made when.
    *words* are the few fixed words that a format needs around the parts ("Contents", "Skip to …").
    """

    title: str
    subtitle: str
    language: str
    sections: tuple[Section, ...]
    words: Words
    banner: str = ""
    banner_text: str = ""
    opening: tuple[Part, ...] = ()
    closing: tuple[Part, ...] = ()
    provenance: str = ""

    @property
    def heading(self) -> str:
        """The title as it stands in a window or a list of files: with the banner where there is one."""
        return f"{self.banner} – {self.title}" if self.banner else self.title

    def walk(self) -> Iterator[Section]:
        for section in self.sections:
            yield from section.walk()


@dataclass(frozen=True)
class Words:
    """What a format says by itself. *page_of* has places for {number} and {count}, *lacking* one for {signs}."""

    contents: str
    skip: str
    page: str
    page_of: str
    lacking: str
