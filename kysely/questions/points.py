"""Points divided between options."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from kysely.codebook import Answer, Kind, Text, Value, Variable
from kysely.errors import InvalidAnswer
from kysely.questions._base import Fault, wording
from kysely.questions._control import Control, LineControl, Offer
from kysely.questions._fields import CodeField, Fields, NumberField
from kysely.questions._options import Option, first
from kysely.questions._shares import ShareQuestion
from kysely.questions._text import folded, number

SCALE = "1"

EXAMPLE = """
id: divided
type: points
text: {fi: Jaa 100 pistettä., sv: Fördela 100 poäng., en: Divide 100 points.}
unit: {fi: pistettä, sv: poäng, en: points}
total: 100
dont_know: true
order: {randomise: true, variable: divided_order}
options:
  - {code: PRODUCT, label: {fi: Ainutlaatuinen tuote, sv: Unik produkt, en: Unique product}}
  - {code: PRICE, label: {fi: Hinta, sv: Pris, en: Price}}
  - {code: OTHER, label: {fi: Muu, sv: Annat, en: Other}, detail: {id: divided_other_text, max_length: 80}, fixed: true}
"""


@dataclass(frozen=True, kw_only=True)
class Points(ShareQuestion):
    """Points divided between options; all of them have to be used. An option's variable `<id>_<code>` holds its points.

    A wrong sum comes back with what is left, and with an offer to scale what was given.
    """

    total: int = field(default=100, metadata={"help": "how many points there are", "minimum": 2, "maximum": 1_000_000})
    unit: Text | None = field(default=None, metadata={"help": "what is counted, shown after each line"})

    def share(self, option: Option) -> Variable:
        name = f"{self.id}_{option.code}"
        return Variable(name, Kind.NUMBER, self.id, self.text, option.label, set=self.id, code=option.code)

    def accepts(self, name: str, value: Value) -> bool:
        return not isinstance(value, str) and 0 <= value <= self.total and value == int(value)

    def faults(self) -> Iterator[Fault]:
        yield from super().faults()
        if self.total < len(self.options):
            yield Fault(
                "few_points",
                ("total",),
                f"{self.total} points can't reach each of the {len(self.options)} options",
                "Give more points, or fewer options",
                fatal=False,
            )

    def stands(self, answers: Mapping[str, Answer], gone: Collection[str]) -> bool:
        # Points of an option that is gone are missing from the sum.
        return not any(isinstance(answers.get(name), int | float) and answers[name] for name in gone)

    def number_field(self) -> Any:
        return NumberField(minimum=0, maximum=None, integer=True)

    def fields(self, stage: str) -> Fields:
        return {**super().fields(stage), self._scaling: CodeField(codes=(SCALE,))}

    def judged(self, numbers: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, InvalidAnswer]:
        used = sum(numbers.values())
        if used == self.total or (given.get(self._scaling) and used):
            return {}
        if used < self.total:
            return {self.id: InvalidAnswer("points_left", self._figures(used, left=self.total - used))}
        return {self.id: InvalidAnswer("points_over", self._figures(used, over=used - self.total))}

    def shares(self, numbers: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Answer]:
        whole = {code: numbers.get(code, 0) for code in self._members}
        return dict(scaled(whole, self.total) if given.get(self._scaling) else whole)

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
        values = self._values(typed)
        wrong = errors.get(self.id)
        can_scale = wrong is not None and wrong.code in ("points_left", "points_over") and wrong.params["used"]
        return Control(
            template="points",
            name=self._declining,
            legend=wording(self.text, language),
            instruction=wording(self.instruction, language),
            multiple=True,
            lines=tuple(self._line(option, language, typed, values) for option in self.ordered(seed)),
            options=self.boxes(language, typed),
            errors=errors,
            required=self.required == "hard",
            whole=self.id,
            offers=(Offer(self._scaling, SCALE, "scale_points", {"total": self.total}),) if can_scale else (),
        )

    def some_numbers(self, rng: Random) -> dict[str, int]:
        cuts = sorted(rng.randint(0, self.total) for _ in self.options[1:])
        parts = [high - low for low, high in zip([0, *cuts], [*cuts, self.total], strict=True)]
        return dict(zip(self._members, parts, strict=True))

    @property
    def _scaling(self) -> str:
        return f"{self.id}__scale"

    def _figures(self, used: int, **rest: int) -> dict[str, object]:
        return {"total": self.total, "used": used, **rest}

    def _values(self, typed: Mapping[str, Sequence[str]]) -> dict[str, str]:
        """Return what each line shows: what was typed, or scaled if that was asked for and another field was wrong."""
        shown = {code: first(typed, name) for code, name in self._members.items()}
        if SCALE not in typed.get(self._scaling, ()):
            return shown
        try:
            numbers = {code: int(number(folded(text), integer=True)) if text else 0 for code, text in shown.items()}
        except InvalidAnswer:
            return shown
        if min(numbers.values()) < 0 or not any(numbers.values()):
            return shown
        return {code: str(points) for code, points in scaled(numbers, self.total).items()}

    def _line(
        self, option: Option, language: str, typed: Mapping[str, Sequence[str]], values: Mapping[str, str]
    ) -> LineControl:
        return LineControl(
            name=self._members[option.code],
            label=wording(option.label, language),
            value=values[option.code],
            inputmode="numeric",
            unit=wording(self.unit, language),
            detail=self.beside_line(option, language, typed),
        )


QUESTION = Points


def scaled(numbers: Mapping[str, int], total: int) -> dict[str, int]:
    """Return *numbers* in proportion, as whole numbers that add up to *total*: the largest remainders are rounded up.

    Equal remainders are rounded up in the order given. *numbers* are not negative, and not all 0.
    """
    used = sum(numbers.values())
    floors = {code: given * total // used for code, given in numbers.items()}
    remainders = {code: given * total % used for code, given in numbers.items()}
    left = total - sum(floors.values())
    up = sorted(numbers, key=lambda code: -remainders[code])[:left]
    return {code: floor + (code in up) for code, floor in floors.items()}
