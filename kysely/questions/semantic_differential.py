"""Rows between two poles."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from typing import ClassVar

from kysely.codebook import Text
from kysely.questions._base import Fault, Level, Scale, wording
from kysely.questions._control import GroupControl
from kysely.questions._options import Order
from kysely.questions._rows import Item, PlainRow, RowQuestion, level_faults

EXAMPLE = """
id: leading
type: semantic_differential
text: {fi: Kumpi kuvaa teitä paremmin?, sv: Vilket beskriver er bättre?, en: Which describes you better?}
order: {randomise: true, variable: leading_order}
rows:
  - code: GROWTH
    left: {fi: Varmistamme kannattavuuden, sv: Vi säkrar lönsamheten, en: We secure profitability}
    right: {fi: Haemme kasvua, sv: Vi söker tillväxt, en: We seek growth}
  - code: TRIAL
    left: {fi: Johtaminen tuo vakautta, sv: Ledningen skapar stabilitet, en: Leading brings stability}
    right: {fi: Johtaminen rohkaisee kokeilemaan, sv: Ledningen uppmuntrar till försök, en: Leading encourages trials}
"""


@dataclass(frozen=True, kw_only=True)
class PoleRow(PlainRow):
    """One line between two poles."""

    left: Text = field(metadata={"help": "the pole of the lowest level"})
    right: Text = field(metadata={"help": "the pole of the highest level"})

    def words(self) -> Text:
        return {language: f"{left} – {self.right.get(language, '')}" for language, left in self.left.items()}


def _level(code: str, value: int, fi: str, sv: str, en: str) -> Level:
    return Level(code=code, value=value, label={"fi": fi, "sv": sv, "en": en})


BIPOLAR = Scale(
    levels=(
        _level("FIRST", -2, "Täysin ensimmäinen", "Helt det första", "Fully the first"),
        _level("RATHER_FIRST", -1, "Pikemmin ensimmäinen", "Snarare det första", "Rather the first"),
        _level("BOTH", 0, "Molemmat yhtä lailla", "Båda lika mycket", "Both equally"),
        _level("RATHER_SECOND", 1, "Pikemmin toinen", "Snarare det andra", "Rather the second"),
        _level("SECOND", 2, "Täysin toinen", "Helt det andra", "Fully the second"),
    )
)


@dataclass(frozen=True, kw_only=True)
class SemanticDifferential(RowQuestion):
    """Rows between two poles, one level each, from -2 to 2 unless a scale says otherwise.

    A row's variable `<id>_<code>` holds the number of the level.
    """

    scale: Scale = field(
        default=BIPOLAR,
        metadata={"help": "name of a scale from the left pole to the right; five levels from -2 to 2 without one"},
    )
    rows: tuple[PoleRow, ...] = field(default=(), metadata={"help": "pairs of poles"})
    ordering: Order | None = field(
        default=None, metadata={"key": "order", "help": "a random order of the rows, recorded in a variable"}
    )

    template: ClassVar[str] = "semantic_differential"

    def items(self) -> Iterator[Item]:
        return (Item(row.named(self.id), self.id, row, self.text, self.scale.levels, row.words()) for row in self.rows)

    def faults(self) -> Iterator[Fault]:
        yield from super().faults()
        yield from level_faults("scale", self.scale.levels)

    def group(self, item: Item, language: str, checked: Collection[str]) -> GroupControl:
        poles = (wording(item.row.left, language), wording(item.row.right, language))
        return replace(super().group(item, language, checked), poles=poles)


QUESTION = SemanticDifferential
