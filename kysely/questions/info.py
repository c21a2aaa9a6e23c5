"""Text to read, between questions or on a page of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from kysely.codebook import Answer, Text, Variable
from kysely.errors import InvalidAnswer
from kysely.questions._base import Fault, Question, Required, Typed, wording
from kysely.questions._control import Control
from kysely.questions._fields import Fields

EXAMPLE = """
id: before_you_go_on
type: info
text: {fi: Seuraavaksi käytännöistä, sv: Sedan om praxis, en: Practices come next}
body:
  fi: Ajattele koko organisaatiota.
  sv: Tänk på hela organisationen.
  en: Think of the whole organisation.
"""


@dataclass(frozen=True, kw_only=True)
class Info(Question):
    """A heading with text to read. It asks nothing and has no variable."""

    text: Text = field(metadata={"help": "its heading"})
    body: Text | None = field(default=None, metadata={"help": "what follows; a blank line begins a new paragraph"})
    required: Required = field(default="no", metadata={"help": "has no meaning here: there is nothing to answer"})

    def variables(self) -> tuple[Variable, ...]:
        return ()

    def faults(self) -> Iterator[Fault]:
        if self.required != "no":
            yield Fault(
                "nothing_required",
                ("required",),
                "the text asks nothing, so it can't be required",
                "Take out `required`",
            )

    def fields(self, stage: str) -> Fields:
        return {}

    def unanswered(self, stage: str, typed: Typed, answers: Mapping[str, Answer]) -> tuple[str, ...]:
        return ()

    def record(self, stage: str, given: Mapping[str, Any], answers: Mapping[str, Answer], seed: int) -> dict[str, Any]:
        return {}

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
        paragraphs = wording(self.body, language).split("\n\n")
        return Control(
            template="info",
            name=self.id,
            legend=wording(self.text, language),
            instruction=wording(self.instruction, language),
            paragraphs=tuple(text.strip() for text in paragraphs if text.strip()),
        )

    def typed(self, stage: str, answers: Mapping[str, Any]) -> dict[str, list[str]]:
        return {}

    def fill(self, stage: str, answers: Mapping[str, Answer], rng: Random, *, seed: int) -> dict[str, str | list[str]]:
        return {}


QUESTION = Info
