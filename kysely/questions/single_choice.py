"""One of several options."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from random import Random
from typing import Any, ClassVar

from kysely.codebook import Answer, Category, Kind, Missing, Number, Variable
from kysely.errors import InvalidAnswer
from kysely.questions import _options as shared
from kysely.questions._base import Fault, Question
from kysely.questions._control import Control
from kysely.questions._fields import CodeField, Fields
from kysely.questions._options import MayDecline, Option, Order

EXAMPLE = """
id: role
type: single_choice
text: {fi: Mikä on roolisi?, sv: Vilken är din roll?, en: What is your role?}
dont_know: true
options:
  - {code: TOP, label: {fi: Ylin johto, sv: Högsta ledningen, en: Top management}}
  - {code: MID, label: {fi: Keskijohto, sv: Mellanledningen, en: Middle management}}
  - {code: OTH, label: {fi: Muu, sv: Annan, en: Other}, detail: {id: role_other, max_length: 120}, fixed: true}
order: {randomise: true, variable: role_order}
"""


@dataclass(frozen=True, kw_only=True)
class ValuedOption(Option):
    """An option of which one is chosen."""

    value: Number | None = field(default=None, metadata={"help": "its number, where the scale has one"})


@dataclass(frozen=True, kw_only=True)
class SingleChoice(MayDecline, Question):
    """One of several options. A variable holds the code that was chosen."""

    options: tuple[ValuedOption, ...] = field(default=(), metadata={"help": "what can be chosen"})
    options_from: str | None = shared.options_from()
    ordered: bool = field(default=False, metadata={"help": "the options rise from first to last, and each has a value"})
    ordering: Order | None = field(
        default=None, metadata={"key": "order", "help": "a random order, recorded in a variable"}
    )

    members: ClassVar[str] = "options"

    def variables(self) -> tuple[Variable, ...]:
        kind = Kind.ORDINAL if self.ordered else Kind.NOMINAL
        return (
            Variable(self.id, kind, self.id, self.text, self.text, self._categories),
            *shared.detail_variables(self.id, self.text, self.options),
            *shared.order_variable(self.ordering, self.id, self.text),
        )

    def applicable(self, answers: Mapping[str, Answer]) -> tuple[str, ...]:
        if not self._details:
            return self.names
        return (
            self.id,
            *shared.details_on_path(self.options, answers, self._chosen_in),
            *shared.order_names(self.ordering),
        )

    def stands(self, answers: Mapping[str, Answer], gone: Collection[str]) -> bool:
        code = answers.get(self.id)
        return code is None or isinstance(code, Missing) or any(option.code == code for option in self.options)

    def faults(self) -> Iterator[Fault]:
        yield from shared.option_faults(self.options, several=False, declines=self.declines)
        yield from shared.order_faults(self.options, self.ordering)
        yield from _faults_of_values(self.options)
        if self.ordered:
            yield from _faults_of_order(self.options)

    def fields(self, stage: str) -> Fields:
        codes = tuple(option.code for option in self.options) + self.declines
        return {self.id: CodeField(codes=codes), **shared.detail_fields(self.options)}

    def settled(
        self, stage: str, errors: dict[str, InvalidAnswer], given: Mapping[str, Any], answers: Mapping[str, Answer]
    ) -> dict[str, InvalidAnswer]:
        return shared.detail_errors(errors, self.options, {given[self.id]})

    def record(self, stage: str, given: Mapping[str, Any], answers: Mapping[str, Answer], seed: int) -> dict[str, Any]:
        code = given[self.id]
        return {
            self.id: self._missing.get(code, code) if code else Missing.NO_ANSWER,
            **shared.detail_answers(self.options, {code}, given),
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
            several=False,
            language=language,
            typed=typed,
            errors=errors,
            seed=seed,
        )

    def typed(self, stage: str, answers: Mapping[str, Any]) -> dict[str, list[str]]:
        answer = answers.get(self.id)
        code = self._code_of_missing.get(answer) if isinstance(answer, Missing) else answer
        if code is None:
            return {}
        return {self.id: [code], **shared.detail_typed(self.options, {code}, answers)}

    def order(self, seed: int) -> tuple[str, ...]:
        return shared.shuffled(self.id, self.options, self.ordering, seed)

    def fill(self, stage: str, answers: Mapping[str, Answer], rng: Random, *, seed: int) -> dict[str, str | list[str]]:
        if self.required != "hard" and rng.random() < shared.BLANK:
            return {}
        code = rng.choice([option.code for option in self.options] + list(self.declines))
        return {self.id: code, **shared.detail_fill(self.options, {code}, rng)}

    @property
    def answering(self) -> tuple[str, ...]:
        return (self.id,)

    @property
    def _categories(self) -> tuple[Category, ...]:
        return tuple(Category(o.code, o.label, o.value) for o in self.options if o.missing is None)

    @cached_property
    def _details(self) -> frozenset[str]:
        return shared.detail_names(self.options)

    @cached_property
    def _chosen_in(self) -> Mapping[str, str]:
        return {option.code: self.id for option in self.options}

    @cached_property
    def _missing(self) -> Mapping[str, Missing]:
        return shared.missing_by_code(self.options, self.declines)

    @cached_property
    def _code_of_missing(self) -> Mapping[Missing, str]:
        return {kind: code for code, kind in self._missing.items()}


QUESTION = SingleChoice


def _faults_of_values(options: Sequence[ValuedOption]) -> Iterator[Fault]:
    seen: dict[Number, str] = {}
    for place, option in enumerate(options):
        if option.value is None:
            continue
        if option.missing:
            cause = f"{option.code} records a kind of missing and has the value {option.value}"
            yield Fault("missing_with_value", ("options", place), cause, "Take out `value`, or `missing`")
        elif seen.setdefault(option.value, option.code) != option.code:
            cause = f"{option.code} and {seen[option.value]} both have the value {option.value}"
            yield Fault("duplicate_value", ("options", place, "value"), cause, "Give each option its own value")


def _faults_of_order(options: Sequence[ValuedOption]) -> Iterator[Fault]:
    highest = None
    for place, option in enumerate(options):
        if option.missing:
            continue
        if option.value is None:
            yield Fault(
                "value_missing",
                ("options", place),
                f"the options are ordered and {option.code} has no value",
                "Add `value`, or take out `ordered: true`",
            )
        elif highest is not None and option.value < highest:
            yield Fault(
                "not_monotone",
                ("options", place, "value"),
                f"the options are ordered and {option.code} falls from {highest} to {option.value}",
                "Put the options in the order of their values",
            )
        else:
            highest = option.value
