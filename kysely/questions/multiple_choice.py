"""Several of several options."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from random import Random
from typing import Any, ClassVar

from kysely.codebook import Answer, Missing, Variable
from kysely.errors import InvalidAnswer
from kysely.questions import _options as shared
from kysely.questions._base import Fault, Question
from kysely.questions._control import Control
from kysely.questions._fields import CodesField, Fields
from kysely.questions._options import MayDecline, Order, SetOption

EXAMPLE = """
id: serves
type: multiple_choice
text: {fi: Keitä palvelette?, sv: Vilka betjänar ni?, en: Whom do you serve?}
instruction: {fi: Valitse kaikki sopivat., sv: Välj alla som passar., en: Choose all that apply.}
options:
  - {code: B2B, label: {fi: Yrityksiä, sv: Företag, en: Companies}}
  - {code: CIT, label: {fi: Kansalaisia, sv: Medborgare, en: Citizens}}
  - {code: OTH, label: {fi: Muita, sv: Andra, en: Others}, detail: {id: serves_other_text, max_length: 120}}
  - {code: NONE, label: {fi: Ei ketään näistä, sv: Ingen av dessa, en: None of these}, exclusive: true}
  - {code: DK, label: {fi: En osaa sanoa, sv: Kan inte säga, en: Cannot say}, exclusive: true, missing: dont_know}
"""


@dataclass(frozen=True, kw_only=True)
class MultipleChoice(MayDecline, Question):
    """Several of several options. Each option has a variable, 0 or 1, except those that are exclusive."""

    options: tuple[SetOption, ...] = field(default=(), metadata={"help": "what can be chosen"})
    options_from: str | None = shared.options_from()
    ordering: Order | None = field(
        default=None, metadata={"key": "order", "help": "a random order, recorded in a variable"}
    )

    members: ClassVar[str] = "options"

    def variables(self) -> tuple[Variable, ...]:
        return (
            *shared.set_variables(self.id, self.id, self.text, self.options),
            *shared.detail_variables(self.id, self.text, self.options),
            *shared.order_variable(self.ordering, self.id, self.text),
        )

    def applicable(self, answers: Mapping[str, Answer]) -> tuple[str, ...]:
        if not shared.detail_names(self.options):
            return self.names
        details = shared.details_on_path(self.options, answers, self._members)
        return (*self._members.values(), *details, *shared.order_names(self.ordering))

    def stands(self, answers: Mapping[str, Answer], gone: Collection[str]) -> bool:
        return shared.set_stands(self._members.values(), answers, gone)

    def faults(self) -> Iterator[Fault]:
        yield from shared.option_faults(self.options, several=True, declines=self.declines)
        yield from shared.order_faults(self.options, self.ordering)

    def fields(self, stage: str) -> Fields:
        codes = tuple(option.code for option in self.options) + self.declines
        return {self.id: CodesField(codes=codes), **shared.detail_fields(self.options)}

    def settled(
        self, stage: str, errors: dict[str, InvalidAnswer], given: Mapping[str, Any], answers: Mapping[str, Answer]
    ) -> dict[str, InvalidAnswer]:
        return shared.detail_errors(errors, self.options, self._standing(given[self.id]))

    def record(self, stage: str, given: Mapping[str, Any], answers: Mapping[str, Answer], seed: int) -> dict[str, Any]:
        chosen = self._standing(given[self.id])
        return {
            **shared.set_answers(self._members, chosen, self._missing),
            **shared.detail_answers(self.options, chosen, given),
            **shared.order_answer(self.ordering, self.order(seed)),
        }

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
        return shared.choice_control(
            self,
            self.options,
            self.declines,
            several=True,
            language=language,
            typed=typed,
            errors=errors,
            seed=seed,
        )

    def typed(self, stage: str, answers: Mapping[str, Any]) -> dict[str, list[str]]:
        chosen = shared.set_codes(self.options, self._members, self._missing, answers)
        return {self.id: chosen, **shared.detail_typed(self.options, chosen, answers)} if chosen else {}

    def order(self, seed: int) -> tuple[str, ...]:
        return shared.shuffled(self.id, self.options, self.ordering, seed)

    def fill(self, stage: str, answers: Mapping[str, Answer], rng: Random, *, seed: int) -> dict[str, str | list[str]]:
        if self.required != "hard" and rng.random() < shared.BLANK:
            return {}
        chosen = shared.some_codes(self.options, self.declines, rng)
        return {self.id: chosen, **shared.detail_fill(self.options, chosen, rng)}

    @property
    def answering(self) -> tuple[str, ...]:
        return tuple(self._members.values())

    def _standing(self, codes: tuple[str, ...] | None) -> tuple[str, ...]:
        """Return the codes that count: an exclusive one clears the others, also where no script did it in the page."""
        return shared.standing(codes or (), self.options, self.declines)

    @cached_property
    def _members(self) -> Mapping[str, str]:
        return shared.members(self.id, self.options)

    @cached_property
    def _missing(self) -> Mapping[str, Missing]:
        return shared.missing_by_code(self.options, self.declines)


QUESTION = MultipleChoice
