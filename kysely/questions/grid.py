"""Rows on one scale, or with one set of answers that have no order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from kysely.codebook import Answer, Kind, Text
from kysely.errors import InvalidAnswer
from kysely.questions._base import Fault, Scale
from kysely.questions._control import Control
from kysely.questions._options import Order, code_faults
from kysely.questions._rows import Item, Row, RowQuestion, level_faults

EXAMPLE = """
id: view
type: grid
text: {fi: Mitä mieltä olet?, sv: Vad anser du?, en: What is your view?}
instruction: {fi: Valitse joka riviltä yksi., sv: Välj ett alternativ på varje rad., en: Choose one on each row.}
scale: CENT4
dont_know: true
order: {randomise: true, variable: view_order}
rows:
  - {code: NOW, label: {fi: Näemme nykytilan samoin., sv: Vi ser nuläget lika., en: We see today alike.}}
  - {code: AIM, label: {fi: Näemme tavoitteen samoin., sv: Vi ser målet lika., en: We see the aim alike.}}
  - {code: WAY, label: {fi: Näemme keinot samoin., sv: Vi ser medlen lika., en: We see the means alike.}}
"""


@dataclass(frozen=True, kw_only=True)
class Column:
    """An answer that any row may take."""

    code: str = field(metadata={"help": "what is stored: a word, never changed once used", "name": True})
    label: Text = field(metadata={"help": "what is shown"})

    fixed: ClassVar[bool] = False

    @property
    def value(self) -> str:
        return self.code


@dataclass(frozen=True, kw_only=True)
class Grid(RowQuestion):
    """Rows on one scale, one level each. A row's variable `<id>_<code>` holds the number of the level.

    With `options` instead of a scale, a row takes one of them and its variable holds the code.
    """

    scale: Scale | None = field(default=None, metadata={"help": "name of the scale"})
    options: tuple[Column, ...] = field(
        default=(), metadata={"help": "instead of `scale`: the answers, which have no order of size"}
    )
    rows: tuple[Row, ...] = field(default=(), metadata={"help": "what is rated"})
    rows_from: str | None = field(
        default=None,
        metadata={
            "help": "name of a set asked before: a row for each of its options, shown if it was chosen",
            "fills": "rows",
        },
    )
    cards: bool = field(default=False, metadata={"help": "on a phone, each row on a card of its own"})
    ordering: Order | None = field(
        default=None, metadata={"key": "order", "help": "a random order of the rows, recorded in a variable"}
    )

    template: ClassVar[str] = "grid"

    def items(self) -> Iterator[Item]:
        answers = self.options if self.scale is None else self.scale.levels
        kind = Kind.NOMINAL if self.scale is None else Kind.LEVEL
        return (Item(row.named(self.id), self.id, row, self.text, answers, row.label, kind) for row in self.rows)

    def faults(self) -> Iterator[Fault]:
        yield from super().faults()
        if self.scale is not None:
            yield from level_faults("scale", self.scale.levels)
        if (self.scale is None) == (not self.options):
            both = "the rows have a scale and answers of their own" if self.options else "the rows have no answers"
            yield Fault("grid_answers", ("options",), both, "Write `scale`, or `options` where they have no order")
        yield from code_faults("options", self.options)
        if len(self.options) == 1:
            yield Fault("one_level", ("options",), "there is only one answer to choose", "Write at least two")

    def control(
        self,
        stage: str,
        *,
        language: str,
        typed: Mapping[str, Sequence[str]],
        answers: Mapping[str, Answer],
        errors: Mapping[str, InvalidAnswer],
        seed: int,
    ) -> Control:
        drawn = super().control(stage, language=language, typed=typed, answers=answers, errors=errors, seed=seed)
        return replace(drawn, cards=self.cards)


QUESTION = Grid
