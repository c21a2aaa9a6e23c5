"""A share in per cent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from kysely.codebook import Answer, Kind, Number, Value, Variable
from kysely.errors import InvalidAnswer
from kysely.questions._base import Fault, wording
from kysely.questions._control import LineControl
from kysely.questions._fields import NumberField
from kysely.questions._line import LineQuestion
from kysely.questions._text import shown

EXAMPLE = """
id: largest
type: percent
text:
  fi: Kuinka suuri osa tuloista tulee suurimmalta viidennekseltä?
  sv: Hur stor del av intäkterna kommer från den största femtedelen?
  en: What share of the income comes from the largest fifth?
dont_know: true
"""


@dataclass(frozen=True, kw_only=True)
class Percent(LineQuestion):
    """A share from 0 to 100, with a decimal comma or point, with or without a per cent sign. A variable holds it."""

    minimum: Number = field(default=0, metadata={"help": "smallest share accepted", "minimum": 0, "maximum": 100})
    maximum: Number = field(default=100, metadata={"help": "largest share accepted", "minimum": 0, "maximum": 100})
    decimals: int = field(default=1, metadata={"help": "decimals accepted", "minimum": 0, "maximum": 6})

    def variables(self) -> tuple[Variable, ...]:
        return (Variable(self.id, Kind.NUMBER, self.id, self.text, self.text),)

    def accepts(self, name: str, value: Value) -> bool:
        return not isinstance(value, str) and self.minimum <= value <= self.maximum

    def faults(self) -> Iterator[Fault]:
        if self.minimum > self.maximum:
            cause = f"the minimum {self.minimum} is above the maximum {self.maximum}"
            yield Fault("minimum_over_maximum", ("minimum",), cause, "Swap them")

    def line_field(self) -> Any:
        return _PercentField(minimum=self.minimum, maximum=self.maximum, decimals=self.decimals)

    def line(self, language: str, value: str) -> LineControl:
        return LineControl(
            name=self.id,
            label=wording(self.text, language),
            value=value.removesuffix("%").rstrip(),
            inputmode="decimal" if self.decimals else "numeric",
            unit="%",
        )

    def shown(self, answer: Answer) -> str:
        return shown(answer) if isinstance(answer, int | float) else str(answer)

    def some_answer(self, rng: Random) -> str:
        value = min(max(round(rng.uniform(self.minimum, self.maximum), self.decimals), self.minimum), self.maximum)
        return shown(value) + rng.choice(("", " %", "%"))


class _PercentField(NumberField):
    def __init__(self, *, decimals: int, **limits: Any):
        super().__init__(integer=False, **limits)
        self.decimals = decimals

    def cleaned(self, text: str) -> str:
        return text.removesuffix("%").rstrip()

    def judged(self, value: Number) -> Number:
        if round(value, self.decimals) != value:
            raise InvalidAnswer("too_many_decimals", {"maximum": self.decimals})
        return super().judged(value)


QUESTION = Percent
