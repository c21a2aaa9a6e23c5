"""A date."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any

from kysely.codebook import Answer, Kind, Missing, Value, Variable
from kysely.errors import InvalidAnswer
from kysely.questions import _options as shared
from kysely.questions._base import RESERVED, Fault, Question, Typed, wording
from kysely.questions._control import Control, LineControl
from kysely.questions._fields import CodeField, Fields, NumberField
from kysely.questions._options import MayDecline
from kysely.questions._text import folded, spoken

EXAMPLE = """
id: adopted
type: date
text: {fi: Milloin strategia hyväksyttiin?, sv: När godkändes strategin?, en: When was the strategy adopted?}
instruction: {fi: "Esimerkiksi 15.3.2024.", sv: "Till exempel 15.3.2024.", en: "For example 15 3 2024."}
minimum: "2000-01-01"
maximum: "2030-12-31"
dont_know: true
"""

PARTS = {
    "day": {"fi": "Päivä", "sv": "Dag", "en": "Day"},
    "month": {"fi": "Kuukausi", "sv": "Månad", "en": "Month"},
    "year": {"fi": "Vuosi", "sv": "År", "en": "Year"},
}
EARLIEST, LATEST = date(1000, 1, 1), date(9999, 12, 31)


@dataclass(frozen=True, kw_only=True)
class Date(MayDecline, Question):
    """A date, typed as day, month and year in a field each. A variable holds it as text, 2024-03-15.

    The fields are `<id>_day`, `<id>_month` and `<id>_year`; the boxes for giving no date are `<id>__missing`.
    """

    minimum: str | None = field(default=None, metadata={"help": 'earliest date accepted, as "2024-03-15"'})
    maximum: str | None = field(default=None, metadata={"help": 'latest date accepted, as "2024-03-15"'})

    def variables(self) -> tuple[Variable, ...]:
        return (Variable(self.id, Kind.TEXT, self.id, self.text, self.text),)

    def accepts(self, name: str, value: Value) -> bool:
        return isinstance(value, str) and (found := _date(value)) is not None and self._wrong(found) is None

    def faults(self) -> Iterator[Fault]:
        for key in ("minimum", "maximum"):
            written = getattr(self, key)
            if written is not None and _date(written) is None:
                yield Fault("bad_date", (key,), f"{written!r} is no date", 'Write it as "2024-03-15"')
        if self._from > self._to:
            cause = f"the minimum {self.minimum} is after the maximum {self.maximum}"
            yield Fault("minimum_over_maximum", ("minimum",), cause, "Swap them")

    # What it accepts

    def fields(self, stage: str) -> Fields:
        parts = {name: NumberField(minimum=None, maximum=None, integer=True) for name in self._parts}
        return {**parts, **({self._declining: CodeField(codes=self.declines)} if self.declines else {})}

    def unanswered(self, stage: str, typed: Typed, answers: Mapping[str, Answer]) -> tuple[str, ...]:
        names = (*self._parts, self._declining)
        return () if any(folded(text) for name in names for text in typed.getlist(name)) else (self.id,)

    def settled(
        self, stage: str, errors: dict[str, InvalidAnswer], given: Mapping[str, Any], answers: Mapping[str, Answer]
    ) -> dict[str, InvalidAnswer]:
        typed = [name for name in self._parts if given[name] is not None or name in errors]
        if given.get(self._declining) and typed:
            return {self.id: InvalidAnswer("value_and_missing")}
        if errors or not typed:
            return errors
        if len(typed) < len(self._parts):
            return {name: InvalidAnswer("date_incomplete") for name in self._parts if name not in typed}
        found = self._given(given)
        wrong = InvalidAnswer("date_unknown") if found is None else self._wrong(found)
        return {self.id: wrong} if wrong else {}

    def record(self, stage: str, given: Mapping[str, Any], answers: Mapping[str, Answer], seed: int) -> dict[str, Any]:
        declined, found = given.get(self._declining), self._given(given)
        answer: Answer = found.isoformat() if found else Missing.NO_ANSWER
        return {self.id: RESERVED[declined] if declined else answer}

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
        values = {name: shared.first(typed, name) for name in self._parts}
        checked = set(typed.get(self._declining, ()))
        found = _date("-".join(values[name].zfill(2) for name in reversed(self._parts)))
        written = ".".join(value for value in values.values() if value)
        return Control(
            template="date",
            name=self._declining,
            legend=wording(self.text, language),
            instruction=wording(self.instruction, language),
            multiple=True,
            lines=tuple(
                LineControl(name=name, label=wording(label, language), value=values[name], inputmode="numeric")
                for name, label in zip(self._parts, PARTS.values(), strict=True)
            ),
            options=shared.decline_controls(self.declines, self.missing_labels, language, checked, exclusive=True),
            errors=errors,
            required=self.required == "hard",
            whole=self.id,
            summary=(spoken(found, language),) if found else (written,) if written else (),
        )

    def typed(self, stage: str, answers: Mapping[str, Any]) -> dict[str, list[str]]:
        answer = answers.get(self.id)
        if isinstance(answer, Missing):
            codes = [code for code in self.declines if RESERVED[code] is answer]
            return {self._declining: codes} if codes else {}
        found = _date(answer) if isinstance(answer, str) else None
        if found is None:
            return {}
        return {name: [str(part)] for name, part in zip(self._parts, (found.day, found.month, found.year), strict=True)}

    # What robots do

    def fill(self, stage: str, answers: Mapping[str, Answer], rng: Random, *, seed: int) -> dict[str, str | list[str]]:
        if self.required != "hard" and rng.random() < shared.BLANK:
            return {}
        if self.declines and rng.random() < shared.BLANK:
            return {self._declining: rng.choice(self.declines)}
        found = self._from + timedelta(days=rng.randint(0, (self._to - self._from).days))
        day = f"{found.day:02}" if rng.random() < 0.5 else str(found.day)
        return dict(zip(self._parts, (day, str(found.month), str(found.year)), strict=True))

    # How it is put together

    @property
    def _parts(self) -> tuple[str, ...]:
        return tuple(f"{self.id}_{part}" for part in PARTS)

    @property
    def _declining(self) -> str:
        return f"{self.id}__missing"

    @property
    def _from(self) -> date:
        return _date(self.minimum or "") or EARLIEST

    @property
    def _to(self) -> date:
        return _date(self.maximum or "") or LATEST

    def _given(self, given: Mapping[str, Any]) -> date | None:
        day, month, year = (given[name] for name in self._parts)
        try:
            return date(year, month, day) if None not in (day, month, year) and year >= EARLIEST.year else None
        except (ValueError, OverflowError):
            return None

    def _wrong(self, found: date) -> InvalidAnswer | None:
        if found < self._from:
            return InvalidAnswer("date_too_early", {"minimum": self._from})
        if found > self._to:
            return InvalidAnswer("date_too_late", {"maximum": self._to})
        return None


QUESTION = Date


def _date(text: str) -> date | None:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if found >= EARLIEST else None
