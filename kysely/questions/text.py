"""Open text."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

from kysely.codebook import Kind, Variable
from kysely.questions._base import wording
from kysely.questions._control import LineControl
from kysely.questions._fields import LineField
from kysely.questions._line import LineQuestion
from kysely.questions._options import some_text

EXAMPLE = """
id: hinders
type: text
text: {fi: Mikä estää tai auttaa?, sv: Vad hindrar eller hjälper?, en: What hinders or helps?}
required: no
max_length: 500
lines: 4
"""


@dataclass(frozen=True, kw_only=True)
class OpenText(LineQuestion):
    """Open text. A variable holds it; it is not part of the extract, because people write names."""

    max_length: int = field(default=500, metadata={"help": "characters accepted", "minimum": 1, "maximum": 10_000})
    lines: int = field(default=1, metadata={"help": "lines shown", "minimum": 1, "maximum": 20})

    def variables(self) -> tuple[Variable, ...]:
        return (Variable(self.id, Kind.TEXT, self.id, self.text, self.text, closed=False),)

    def line_field(self) -> Any:
        return LineField(maximum=self.max_length)

    def line(self, language: str, value: str) -> LineControl:
        return LineControl(
            name=self.id,
            label=wording(self.text, language),
            value=value,
            maximum=self.max_length,
            lines=self.lines,
        )

    def some_answer(self, rng: Random) -> str:
        return some_text(rng, self.max_length)


QUESTION = OpenText
