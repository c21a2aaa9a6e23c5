"""What the types share that ask about rows one by one: each row takes one level, or is passed over on its own.

A row has a variable of its own, `<id>_<code>`, which holds the number of the level. A row that doesn't concern a
respondent is routed past; it is in no base.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from random import Random
from typing import Any, ClassVar, Protocol

from kysely.codebook import Answer, Category, Kind, Missing, Text, Variable
from kysely.conditions import Condition
from kysely.errors import InvalidAnswer
from kysely.questions import _options as shared
from kysely.questions._base import RESERVED, Fault, Level, Question, Typed, wording
from kysely.questions._control import Control, GroupControl, OptionControl
from kysely.questions._fields import CodeField, Fields
from kysely.questions._options import MayDecline, Order

MANY_ROWS = 7


@dataclass(frozen=True, kw_only=True)
class PlainRow:
    """What all rows have."""

    code: str = field(
        metadata={"help": "what its variable is named after: a word, never changed once used", "name": True}
    )
    variable: str | None = field(
        default=None, metadata={"help": "name of its variable, where that isn't `<id>_<code>`", "name": True}
    )
    show_if: Condition | None = field(default=None, metadata={"help": "condition on earlier answers"})

    answerable: ClassVar[bool] = True
    fixed: ClassVar[bool] = False

    def words(self) -> Text:
        """Return what the row asks about."""
        raise NotImplementedError

    def named(self, question: str) -> str:
        """Return the variable that the row has in *question*."""
        return self.variable or f"{question}_{self.code}"


@dataclass(frozen=True, kw_only=True)
class Row(PlainRow):
    """One line to answer."""

    label: Text = field(metadata={"help": "what is shown"})

    def words(self) -> Text:
        return self.label


class Answerable(Protocol):
    """What a row can be answered with: a code and its label, and the value that is stored for it."""

    @property
    def code(self) -> str: ...
    @property
    def label(self) -> Text: ...
    @property
    def value(self) -> Any: ...


@dataclass(frozen=True)
class Item:
    """A row as asked once: its variable, the set that belongs to, the words of the question, what can be answered.

    kind  of its variable: of levels the number is stored, of answers that have no order their code
    """

    name: str
    set: str
    row: Any
    text: Text
    levels: tuple[Answerable, ...]
    legend: Text
    kind: Kind = Kind.LEVEL

    @property
    def categories(self) -> Iterator[Category]:
        for one in self.levels:
            yield Category(one.code, one.label, one.value if self.kind is Kind.LEVEL else None)

    @cached_property
    def codes(self) -> Mapping[Any, str]:
        return {level.value: level.code for level in self.levels}

    @cached_property
    def values(self) -> Mapping[str, Answer]:
        return {level.code: level.value for level in self.levels}


@dataclass(frozen=True, kw_only=True)
class RowQuestion(MayDecline, Question):
    """Rows that are answered one by one. `rows` is the field of a type that holds them."""

    members: ClassVar[str] = "rows"
    template: ClassVar[str] = "rows"

    def items(self) -> Iterator[Item]:
        """Yield what is asked, in the author's order."""
        raise NotImplementedError

    @property
    def shuffling(self) -> Order | None:
        """How the rows are ordered."""
        return getattr(self, "ordering", None)

    # What it asks

    def variables(self) -> tuple[Variable, ...]:
        return (
            *(
                Variable(
                    item.name,
                    item.kind,
                    self.id,
                    item.text,
                    item.row.words(),
                    tuple(item.categories),
                    set=item.set,
                    code=item.row.code,
                )
                for item in self._items
            ),
            *shared.order_variable(self.shuffling, self.id, self.text),
        )

    @property
    def answering(self) -> tuple[str, ...]:
        return tuple(self._by_name)

    def faults(self) -> Iterator[Fault]:
        rows = getattr(self, self.members)
        if not rows:
            yield Fault("no_rows", (), "the question has no rows", "Write `rows`, or `rows_from`")
        yield from shared.code_faults(self.members, rows)
        yield from shared.order_faults(rows, self.shuffling)
        # Rows made of earlier options are shown where they were chosen: how many, no author can know.
        if len(rows) > MANY_ROWS and not getattr(self, "rows_from", None):
            yield Fault(
                "many_rows",
                (self.members,),
                f"the question has {len(rows)} rows, more than {MANY_ROWS}, which are long on a phone",
                "Divide it over two questions or pages",
                fatal=False,
            )

    # What it accepts

    def fields(self, stage: str) -> Fields:
        return {item.name: CodeField(codes=(*item.values, *self.declines)) for item in self._items}

    def unanswered(self, stage: str, typed: Typed, answers: Mapping[str, Answer]) -> tuple[str, ...]:
        return tuple(name for name in self._by_name if not any(text.strip() for text in typed.getlist(name)))

    def record(self, stage: str, given: Mapping[str, Any], answers: Mapping[str, Answer], seed: int) -> dict[str, Any]:
        return {
            **{item.name: self._answer(item, given[item.name]) for item in self._items},
            **shared.order_answer(self.shuffling, self.order(seed)),
        }

    # What it shows

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
        place = {code: at for at, code in enumerate(self.order(seed))}
        items = sorted(self._items, key=lambda item: place[item.row.code])
        return Control(
            template=self.template,
            name=self.id,
            legend=wording(self.text, language),
            instruction=wording(self.instruction, language),
            groups=tuple(self.group(item, language, set(typed.get(item.name, ()))) for item in items),
            errors=errors,
            required=self.required == "hard",
        )

    def group(self, item: Item, language: str, checked: Collection[str]) -> GroupControl:
        """Return *item* as drawn."""
        return GroupControl(
            name=item.name,
            legend=wording(item.legend, language),
            options=(
                *(OptionControl(one.code, wording(one.label, language), one.code in checked) for one in item.levels),
                *shared.decline_controls(self.declines, self.missing_labels, language, checked, exclusive=False),
            ),
        )

    def typed(self, stage: str, answers: Mapping[str, Any]) -> dict[str, list[str]]:
        found = {item.name: self._code(item, answers.get(item.name)) for item in self._items}
        return {name: [code] for name, code in found.items() if code}

    def order(self, seed: int) -> tuple[str, ...]:
        return shared.shuffled(self.id, getattr(self, self.members), self.shuffling, seed)

    # What robots do

    def fill(self, stage: str, answers: Mapping[str, Answer], rng: Random, *, seed: int) -> dict[str, str | list[str]]:
        return {
            item.name: rng.choice((*item.values, *self.declines))
            for item in self._items
            if self.required == "hard" or rng.random() >= shared.BLANK
        }

    # How it is put together

    @cached_property
    def _items(self) -> tuple[Item, ...]:
        return tuple(self.items())

    @cached_property
    def _by_name(self) -> Mapping[str, Item]:
        return {item.name: item for item in self._items}

    def _answer(self, item: Item, code: str | None) -> Answer:
        if code is None:
            return Missing.NO_ANSWER
        return RESERVED[code] if code in RESERVED else item.values[code]

    def _code(self, item: Item, answer: Any) -> str | None:
        if isinstance(answer, Missing):
            return next((code for code in self.declines if RESERVED[code] is answer), None)
        return item.codes.get(answer)


def level_faults(key: str, levels: Sequence[Level], *, at: tuple[str | int, ...] | None = None) -> Iterator[Fault]:
    """Yield what keeps *levels* from being stored as the numbers of a row."""
    where = at or (key,)
    if any(not isinstance(level.value, int) or not -100 <= level.value <= 100 for level in levels):
        yield Fault(
            "level_not_integer",
            where,
            "the levels are stored as whole numbers, and the scale has others (or larger than 100)",
            "Number the levels 1, 2, 3 …; what they weigh is for the scores",
        )
    if len(levels) < 2:
        yield Fault("one_level", where, "there is only one level to choose", "Write at least two")
