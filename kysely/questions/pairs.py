"""Options compared two by two."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from itertools import combinations
from random import Random
from typing import Any, ClassVar

from kysely.codebook import Answer, Category, Kind, Missing, Text, Variable
from kysely.errors import InvalidAnswer
from kysely.questions import _options as shared
from kysely.questions._base import RESERVED, Fault, Question, Typed, wording
from kysely.questions._control import Control, GroupControl, OptionControl
from kysely.questions._fields import CodeField, Fields
from kysely.questions._options import MayDecline, Order
from kysely.questions._rows import Row

EXAMPLE = """
id: weigh
type: pairs
text: {fi: Kumpi on teille tärkeämpi?, sv: Vilket är viktigare för er?, en: Which matters more to you?}
ties: {fi: Yhtä tärkeät, sv: Lika viktiga, en: Equally important}
order: {randomise: true, variable: weigh_order}
options:
  - {code: QUALITY, label: {fi: Laatu, sv: Kvalitet, en: Quality}}
  - {code: PRICE, label: {fi: Hinta, sv: Pris, en: Price}}
  - {code: SPEED, label: {fi: Nopeus, sv: Snabbhet, en: Speed}}
"""

TIE = "TIE"
MANY_PAIRS = 10


@dataclass(frozen=True)
class Pair:
    """Two options as compared; *name* is the variable."""

    name: str
    code: str
    options: tuple[Row, Row]

    fixed: ClassVar[bool] = False


@dataclass(frozen=True, kw_only=True)
class Pairs(MayDecline, Question):
    """Options compared two by two. A variable `<id>_<code>_<code>` a pair holds the code preferred, or TIE.

    With `order`, the pairs stand in a random order and so do the two of each; the variable records both.
    """

    options: tuple[Row, ...] = field(default=(), metadata={"help": "what is compared, each with each other"})
    options_from: str | None = shared.options_from()
    ties: Text | None = field(default=None, metadata={"help": "offers to prefer neither, in these words"})
    ordering: Order | None = field(
        default=None, metadata={"key": "order", "help": "a random order, recorded in a variable"}
    )

    members: ClassVar[str] = "options"
    fewest: ClassVar[int] = 2

    # What it asks

    def variables(self) -> tuple[Variable, ...]:
        tie = (Category(TIE, self.ties),) if self.ties else ()
        return (
            *(
                Variable(
                    pair.name,
                    Kind.NOMINAL,
                    self.id,
                    self.text,
                    _both(pair.options),
                    (*(Category(option.code, option.label) for option in pair.options), *tie),
                )
                for pair in self._pairs
            ),
            *shared.order_variable(self.ordering, self.id, self.text),
        )

    @property
    def answering(self) -> tuple[str, ...]:
        return tuple(pair.name for pair in self._pairs)

    def faults(self) -> Iterator[Fault]:
        yield from shared.code_faults("options", self.options)
        yield from shared.order_faults(self.options, self.ordering)
        if len(self.options) < 2:
            yield Fault("no_options", ("options",), "there are no two options", "Write at least two")
        if len(self._pairs) > MANY_PAIRS:
            cause = f"{len(self.options)} options make {len(self._pairs)} pairs, more than {MANY_PAIRS}"
            yield Fault("many_rows", ("options",), cause, "Compare fewer, or let them be ranked", fatal=False)
        for place, option in enumerate(self.options):
            if self.ties and option.code == TIE:
                cause = f"{TIE} is the code for preferring neither"
                yield Fault("duplicate_code", ("options", place, "code"), cause, "Give the option another code")

    # What it accepts

    def fields(self, stage: str) -> Fields:
        return {pair.name: CodeField(codes=self._codes(pair)) for pair in self._pairs}

    def unanswered(self, stage: str, typed: Typed, answers: Mapping[str, Answer]) -> tuple[str, ...]:
        return tuple(name for name in self.answering if not any(text.strip() for text in typed.getlist(name)))

    def record(self, stage: str, given: Mapping[str, Any], answers: Mapping[str, Answer], seed: int) -> dict[str, Any]:
        codes = {name: given[name] for name in self.answering}
        return {
            **{name: RESERVED.get(code, code) if code else Missing.NO_ANSWER for name, code in codes.items()},
            **shared.order_answer(self.ordering, self.order(seed)),
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
        return Control(
            template="rows",
            name=self.id,
            legend=wording(self.text, language),
            instruction=wording(self.instruction, language),
            groups=tuple(self._group(pair, language, set(typed.get(pair.name, ()))) for pair in self._shown(seed)),
            errors=errors,
            required=self.required == "hard",
        )

    def typed(self, stage: str, answers: Mapping[str, Any]) -> dict[str, list[str]]:
        kinds = {RESERVED[code]: code for code in self.declines}
        found = {name: answers.get(name) for name in self.answering}
        codes = {name: kinds.get(a) if isinstance(a, Missing) else a for name, a in found.items()}
        return {name: [code] for name, code in codes.items() if code}

    def order(self, seed: int) -> tuple[str, ...]:
        return tuple(f"{pair.options[0].code}_{pair.options[1].code}" for pair in self._shown(seed))

    # What robots do

    def fill(self, stage: str, answers: Mapping[str, Answer], rng: Random, *, seed: int) -> dict[str, str | list[str]]:
        return {
            pair.name: rng.choice(self._codes(pair))
            for pair in self._pairs
            if self.required == "hard" or rng.random() >= shared.BLANK
        }

    # How it is put together

    @cached_property
    def _pairs(self) -> tuple[Pair, ...]:
        """Every pair, in the author's order."""
        return tuple(
            Pair(f"{self.id}_{one.code}_{other.code}", f"{one.code}_{other.code}", (one, other))
            for one, other in combinations(self.options, 2)
        )

    def _shown(self, seed: int) -> tuple[Pair, ...]:
        """Return the pairs as the respondent with *seed* sees them."""
        by_code = {pair.code: pair for pair in self._pairs}
        pairs = [by_code[code] for code in shared.shuffled(self.id, self._pairs, self.ordering, seed)]
        if self.ordering is None or not self.ordering.randomise:
            return tuple(pairs)
        return tuple(self._turned(pair, seed) for pair in pairs)

    def _turned(self, pair: Pair, seed: int) -> Pair:
        one, other = pair.options
        turned = sha256(f"{self.id}\n{seed}\n{pair.code}\nturn".encode()).digest()[0] & 1
        return Pair(pair.name, pair.code, (other, one)) if turned else pair

    def _codes(self, pair: Pair) -> tuple[str, ...]:
        return (*(option.code for option in pair.options), *((TIE,) if self.ties else ()), *self.declines)

    def _group(self, pair: Pair, language: str, checked: set[str]) -> GroupControl:
        tie = (OptionControl(TIE, wording(self.ties, language), TIE in checked),) if self.ties else ()
        return GroupControl(
            name=pair.name,
            legend=_both(pair.options)[language] if language in pair.options[0].label else "",
            options=(
                *(OptionControl(o.code, wording(o.label, language), o.code in checked) for o in pair.options),
                *tie,
                *shared.decline_controls(self.declines, self.missing_labels, language, checked, exclusive=False),
            ),
        )


QUESTION = Pairs


def _both(options: tuple[Row, Row]) -> dict[str, str]:
    one, other = options
    return {language: f"{text} – {other.label.get(language, '')}" for language, text in one.label.items()}
