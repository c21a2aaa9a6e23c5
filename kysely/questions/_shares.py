"""What points and ranking share: options that each take a number, and a box or two for not giving any."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from random import Random
from typing import Any, ClassVar

from kysely.codebook import Answer, Missing, Variable
from kysely.errors import InvalidAnswer
from kysely.questions import _options as shared
from kysely.questions._base import RESERVED, Fault, Question, Typed, reached, wording
from kysely.questions._control import LineControl, OptionControl
from kysely.questions._fields import CodeField, Fields
from kysely.questions._options import MayDecline, Option, Order
from kysely.questions._text import folded

_WHAT = {"fi": "mikä?", "sv": "vad?", "en": "what?"}


@dataclass(frozen=True, kw_only=True)
class ShareQuestion(MayDecline, Question):
    """Options that take a number each, `<id>_<code>`. The boxes for giving none are `<id>__missing`."""

    options: tuple[Option, ...] = field(default=(), metadata={"help": "what the numbers are given to"})
    options_from: str | None = shared.options_from()
    ordering: Order | None = field(
        default=None, metadata={"key": "order", "help": "a random order, recorded in a variable"}
    )

    members: ClassVar[str] = "options"
    fewest: ClassVar[int] = 2

    def share(self, option: Option) -> Variable:
        """Return the variable of *option*."""
        raise NotImplementedError

    def number_field(self) -> Any:
        """Return the WTForms field that reads the number of an option."""
        raise NotImplementedError

    def judged(self, numbers: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, InvalidAnswer]:
        """Return what is wrong with *numbers*, by code, taken together."""
        raise NotImplementedError

    def shares(self, numbers: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Answer]:
        """Return the answer to each option, by code; some of *numbers* are given and nothing is wrong with them."""
        raise NotImplementedError

    # What it asks

    def variables(self) -> tuple[Variable, ...]:
        return (
            *(self.share(option) for option in self.options),
            *shared.detail_variables(self.id, self.text, self.options),
            *shared.order_variable(self.ordering, self.id, self.text),
        )

    def applicable(self, answers: Mapping[str, Answer]) -> tuple[str, ...]:
        details = tuple(
            option.detail.id
            for option in self.options
            if option.detail and self._may_be_chosen(answers, self._members[option.code])
        )
        return (*self.answering, *details, *shared.order_names(self.ordering))

    @property
    def answering(self) -> tuple[str, ...]:
        return tuple(self._members.values())

    def faults(self) -> Iterator[Fault]:
        yield from shared.code_faults("options", self.options)
        yield from shared.order_faults(self.options, self.ordering)
        for place, option in enumerate(self.options):
            if option.missing:
                cause = f"{option.code} records a kind of missing, and takes a number"
                cure = "Take out `missing`; `dont_know: true` on the question offers it for all"
                yield Fault("missing_with_value", ("options", place), cause, cure)
        if len(self.options) < 2:
            yield Fault("no_options", ("options",), "there are no two options", "Write at least two")

    # What it accepts

    def fields(self, stage: str) -> Fields:
        declining = {self._declining: CodeField(codes=self.declines)} if self.declines else {}
        numbers = {name: self.number_field() for name in self._members.values()}
        return {**numbers, **declining, **shared.detail_fields(self.options)}

    def unanswered(self, stage: str, typed: Typed, answers: Mapping[str, Answer]) -> tuple[str, ...]:
        names = (*self._members.values(), self._declining)
        return () if any(folded(text) for name in names for text in typed.getlist(name)) else (self.id,)

    def settled(
        self, stage: str, errors: dict[str, InvalidAnswer], given: Mapping[str, Any], answers: Mapping[str, Answer]
    ) -> dict[str, InvalidAnswer]:
        numbers = self._numbers(given)
        wrong = {name: error for name, error in errors.items() if name in self._members.values()}
        if given.get(self._declining) and (numbers or wrong):
            return {self.id: InvalidAnswer("value_and_missing")}
        idle = {option.detail.id for option in self.options if option.detail and not numbers.get(option.code)}
        errors = {name: error for name, error in errors.items() if name not in idle}
        if numbers and not wrong:
            for code, error in self.judged(numbers, given).items():
                errors.setdefault(self._members.get(code, code), error)
        return errors

    def record(self, stage: str, given: Mapping[str, Any], answers: Mapping[str, Answer], seed: int) -> dict[str, Any]:
        numbers, declined = self._numbers(given), given.get(self._declining)
        if numbers:
            shares = self.shares(numbers, given)
        else:
            shares = dict.fromkeys(self._members, RESERVED[declined] if declined else Missing.NO_ANSWER)
        chosen = {code for code, share in shares.items() if not isinstance(share, Missing) and share}
        return {
            **{self._members[code]: share for code, share in shares.items()},
            **shared.detail_answers(self.options, chosen, given),
            **shared.order_answer(self.ordering, self.order(seed)),
        }

    # What it shows

    def typed(self, stage: str, answers: Mapping[str, Any]) -> dict[str, list[str]]:
        found = {code: answers.get(name) for code, name in self._members.items()}
        kinds = {answer for answer in found.values() if isinstance(answer, Missing)}
        for code in self.declines:
            if RESERVED[code] in kinds:
                return {self._declining: [code]}
        numbers = {c: a for c, a in found.items() if a is not None and not isinstance(a, Missing)}
        chosen = {code for code, number in numbers.items() if number}
        return {
            **{self._members[code]: [self.shown(number)] for code, number in numbers.items()},
            **shared.detail_typed(self.options, chosen, answers),
        }

    def shown(self, answer: Answer) -> str:
        """Return the stored *answer* as one would type it."""
        return str(answer)

    def order(self, seed: int) -> tuple[str, ...]:
        return shared.shuffled(self.id, self.options, self.ordering, seed)

    def ordered(self, seed: int) -> tuple[Option, ...]:
        """Return the options as the respondent with *seed* sees them."""
        by_code = {option.code: option for option in self.options}
        return tuple(by_code[code] for code in self.order(seed))

    def beside_line(self, option: Option, language: str, typed: Mapping[str, Sequence[str]]) -> LineControl | None:
        """Return the line that belongs to *option*, if there is one."""
        drawn = shared.detail_control(option, language, typed)
        if drawn is None or (option.detail and option.detail.label):
            return drawn
        return replace(drawn, label=f"{drawn.label} – {wording(_WHAT, language)}")

    def boxes(self, language: str, typed: Mapping[str, Sequence[str]]) -> tuple[OptionControl, ...]:
        """Return the boxes for giving no number."""
        checked = set(typed.get(self._declining, ()))
        return shared.decline_controls(self.declines, self.missing_labels, language, checked, exclusive=True)

    # What robots do

    def fill(self, stage: str, answers: Mapping[str, Answer], rng: Random, *, seed: int) -> dict[str, str | list[str]]:
        if self.required != "hard" and rng.random() < shared.BLANK:
            return {}
        if self.declines and rng.random() < shared.BLANK:
            return {self._declining: rng.choice(self.declines)}
        numbers = self.some_numbers(rng)
        chosen = {code for code, number in numbers.items() if number}
        return {
            **{self._members[code]: str(number) for code, number in numbers.items()},
            **shared.detail_fill(self.options, chosen, rng),
        }

    def some_numbers(self, rng: Random) -> dict[str, int]:
        """Return numbers that a robot may give, by code."""
        raise NotImplementedError

    # How it is put together

    @cached_property
    def _members(self) -> Mapping[str, str]:
        """Code → the variable that holds the number."""
        return {option.code: f"{self.id}_{option.code}" for option in self.options}

    @property
    def _declining(self) -> str:
        return f"{self.id}__missing"

    @staticmethod
    def _may_be_chosen(answers: Mapping[str, Answer], name: str) -> bool:
        return not reached(answers, name) or (not isinstance(answers[name], Missing) and bool(answers[name]))

    def _numbers(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the numbers given, by code."""
        return {code: given[name] for code, name in self._members.items() if given.get(name) is not None}
