"""A number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from kysely.codebook import Answer, Kind, Number, Text, Value, Variable
from kysely.questions._base import Fault, wording
from kysely.questions._control import LineControl
from kysely.questions._fields import NumberField
from kysely.questions._line import LineQuestion
from kysely.questions._text import shown

EXAMPLE = """
id: statutory_share
type: number
text:
  fi: Kuinka suuri osa tehtävistä on lakisääteisiä?
  sv: Hur stor del av uppgifterna är lagstadgade?
  en: What share of the tasks is statutory?
minimum: 0
maximum: 100
unit: {fi: prosenttia, sv: procent, en: per cent}
dont_know: true
"""


@dataclass(frozen=True, kw_only=True)
class NumberQuestion(LineQuestion):
    """A number, written with a decimal comma or point. A variable holds it."""

    minimum: Number | None = field(default=None, metadata={"help": "smallest number accepted"})
    maximum: Number | None = field(default=None, metadata={"help": "largest number accepted"})
    integer: bool = field(default=False, metadata={"help": "refuses decimals"})
    unit: Text | None = field(default=None, metadata={"help": "what is counted, shown after the line"})

    def variables(self) -> tuple[Variable, ...]:
        return (Variable(self.id, Kind.NUMBER, self.id, self.text, self.text),)

    def accepts(self, name: str, value: Value) -> bool:
        if isinstance(value, str) or (self.integer and value != int(value)):
            return False
        return (self.minimum is None or value >= self.minimum) and (self.maximum is None or value <= self.maximum)

    def faults(self) -> Iterator[Fault]:
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            yield Fault(
                "minimum_over_maximum",
                ("minimum",),
                f"the minimum {self.minimum} is above the maximum {self.maximum}",
                "Swap them",
            )
        for key in ("minimum", "maximum"):
            limit = getattr(self, key)
            if self.integer and isinstance(limit, float) and not limit.is_integer():
                yield Fault(
                    "limit_not_integer",
                    (key,),
                    f"the answer is an integer and its {key} is {limit}",
                    "Write a whole number, or take out `integer: true`",
                )

    def line_field(self) -> Any:
        return NumberField(minimum=self.minimum, maximum=self.maximum, integer=self.integer)

    def line(self, language: str, value: str) -> LineControl:
        return LineControl(
            name=self.id,
            label=wording(self.text, language),
            value=value,
            # The number pads of some phones have no minus.
            inputmode="text" if self.minimum is None or self.minimum < 0 else "numeric" if self.integer else "decimal",
            unit=wording(self.unit, language),
        )

    def shown(self, answer: Answer) -> str:
        return shown(answer) if isinstance(answer, int | float) else str(answer)

    def some_answer(self, rng: Random) -> str:
        low = 0 if self.minimum is None else self.minimum
        high = max(low, 1000) if self.maximum is None else self.maximum
        if self.integer:
            return str(rng.randint(int(low), int(high)))
        return shown(min(max(round(rng.uniform(low, high), 1), low), high))


QUESTION = NumberQuestion
