"""Rows on one scale, each asked twice: how it is, and how it should be."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import ClassVar

from kysely.codebook import Text
from kysely.questions._base import Fault, Scale, wording
from kysely.questions._control import GroupControl
from kysely.questions._rows import Item, Row, RowQuestion, level_faults

EXAMPLE = """
id: practices
type: now_and_target
text: {fi: Arvioi jokainen käytäntö kahdesti., sv: Bedöm varje praxis två gånger., en: Rate each practice twice.}
now: {id: now, text: {fi: Nyt, sv: Nu, en: Now}}
target: {id: target, text: {fi: Kahden vuoden päästä, sv: Om två år, en: In two years}}
scale: CENT4
not_applicable: true
rows:
  - {code: DATA, label: {fi: Tiedot ovat yhdessä paikassa., sv: Uppgifterna finns på ett ställe., en: One place.}}
  - {code: PLAN, label: {fi: Asiakassuunnitelmat tehdään., sv: Kundplaner görs upp., en: Customer plans are made.}}
"""


@dataclass(frozen=True, kw_only=True)
class Perspective:
    """One of the two times a row is asked."""

    id: str = field(metadata={"help": "name of the set; its variables are `<id>_<code>`", "name": True})
    text: Text = field(metadata={"help": "what is asked of the row, in a few words"})


@dataclass(frozen=True, kw_only=True)
class NowAndTarget(RowQuestion):
    """Rows on one scale with two levels each, now and wished. The target may be lower than now."""

    now: Perspective = field(metadata={"help": "how it is"})
    target: Perspective = field(metadata={"help": "how it should be"})
    scale: Scale = field(metadata={"help": "name of the scale"})
    rows: tuple[Row, ...] = field(default=(), metadata={"help": "what is rated"})
    rows_from: str | None = field(
        default=None,
        metadata={
            "help": "name of a set asked before: a row for each of its options, shown if it was chosen",
            "fills": "rows",
        },
    )

    template: ClassVar[str] = "now_and_target"

    def items(self) -> Iterator[Item]:
        for row in self.rows:
            for perspective in (self.now, self.target):
                yield Item(
                    f"{perspective.id}_{row.code}",
                    perspective.id,
                    row,
                    self._texts[perspective.id],
                    self.scale.levels,
                    perspective.text,
                )

    def faults(self) -> Iterator[Fault]:
        yield from super().faults()
        yield from level_faults("scale", self.scale.levels)
        for place, row in enumerate(self.rows):
            if row.variable:
                cause = f"row {row.code} has two variables, so `variable` can't name them"
                cure = f"Take it out; they are {self.now.id}_{row.code} and {self.target.id}_{row.code}"
                yield Fault("row_variable", ("rows", place, "variable"), cause, cure)
        if self.now.id.lower() == self.target.id.lower():
            cause = f"now and target have the same id {self.now.id!r}"
            yield Fault("name_clash", ("target", "id"), cause, "Give each its own")

    def group(self, item: Item, language: str, checked: Collection[str]) -> GroupControl:
        return replace(super().group(item, language, checked), within=wording(item.row.label, language))

    @cached_property
    def _texts(self) -> dict[str, Text]:
        """What a table of each set is called."""
        return {
            perspective.id: {
                language: f"{text} – {perspective.text.get(language, '')}" for language, text in self.text.items()
            }
            for perspective in (self.now, self.target)
        }


QUESTION = NowAndTarget
