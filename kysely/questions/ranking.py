"""Options put in order."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from kysely.codebook import Answer, Category, Kind, Missing, Variable
from kysely.errors import InvalidAnswer
from kysely.questions._base import Fault, Typed, wording
from kysely.questions._control import Control, GroupControl, OptionControl
from kysely.questions._fields import CodeField
from kysely.questions._options import Option
from kysely.questions._shares import ShareQuestion

EXAMPLE = """
id: valued
type: ranking
text: {fi: Mikä tekee asiakkaasta arvokkaan?, sv: Vad gör en kund värdefull?, en: What makes a customer valuable?}
instruction: {fi: Valitse kaksi tärkeintä., sv: Välj de två viktigaste., en: Choose the two most important.}
top: 2
dont_know: true
order: {randomise: true, variable: valued_order}
options:
  - {code: LARGE, label: {fi: Suuri koko, sv: Storlek, en: Size}}
  - {code: GROW, label: {fi: Kasvu, sv: Tillväxt, en: Growth}}
  - {code: LAST, label: {fi: Pitkä suhde, sv: Lång relation, en: A long relationship}}
  - {code: OTHER, label: {fi: Muu, sv: Annat, en: Other}, detail: {id: valued_other_text, max_length: 80}, fixed: true}
"""

NOT_RANKED = {"fi": "Ei valittu", "sv": "Inte vald", "en": "Not chosen"}


@dataclass(frozen=True, kw_only=True)
class Ranking(ShareQuestion):
    """Options put in order, all of them or the first few. An option's variable `<id>_<code>` holds its rank, from 1.

    Where only the first few are asked for, 0 is the rank of the others.
    """

    top: int | None = field(default=None, metadata={"help": "how many are put in order; all without it", "minimum": 1})

    def share(self, option: Option) -> Variable:
        ranks = tuple(Category(f"R{rank}", _nth(rank, self.text), rank) for rank in self._ranks)
        rest = () if self._all else (Category("NOT", _worded(NOT_RANKED, self.text), 0),)
        return Variable(
            f"{self.id}_{option.code}",
            Kind.LEVEL,
            self.id,
            self.text,
            option.label,
            (*rest, *ranks),
            set=self.id,
            code=option.code,
        )

    def faults(self) -> Iterator[Fault]:
        yield from super().faults()
        if self.top is not None and self.top > len(self.options) >= 2:
            yield Fault(
                "top_over_options",
                ("top",),
                f"the first {self.top} are asked for, and there are {len(self.options)} options",
                "Ask for fewer, or take out `top`",
            )

    def stands(self, answers: Mapping[str, Answer], gone: Collection[str]) -> bool:
        # A rank that went with its option leaves a gap.
        return not any(isinstance(answers.get(name), int) and answers[name] for name in gone)

    def number_field(self) -> Any:
        return CodeField(codes=tuple(str(rank) for rank in self._ranks))

    def unanswered(self, stage: str, typed: Typed, answers: Mapping[str, Answer]) -> tuple[str, ...]:
        blank = super().unanswered(stage, typed, answers)
        if blank or not self._all or any(text.strip() for text in typed.getlist(self._declining)):
            return blank
        return tuple(name for name in self._members.values() if not any(t.strip() for t in typed.getlist(name)))

    def judged(self, numbers: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, InvalidAnswer]:
        ranks = list(numbers.values())
        twice = {
            code: InvalidAnswer("rank_twice", {"rank": rank}) for code, rank in numbers.items() if ranks.count(rank) > 1
        }
        gap = next((rank for rank in range(1, max(ranks)) if rank not in ranks), None)
        return twice or ({self.id: InvalidAnswer("rank_missing", {"rank": gap})} if gap else {})

    def shares(self, numbers: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Answer]:
        rest: Answer = Missing.NO_ANSWER if self._all else 0
        return {code: numbers.get(code, rest) for code in self._members}

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
        options = self.ordered(seed)
        return Control(
            template="ranking",
            name=self._declining,
            legend=wording(self.text, language),
            instruction=wording(self.instruction, language),
            multiple=True,
            groups=tuple(self._group(option, language, typed) for option in options),
            options=self.boxes(language, typed),
            errors=errors,
            required=self.required == "hard",
            whole=self.id,
            summary=self._summary(options, language, typed),
        )

    def some_numbers(self, rng: Random) -> dict[str, int]:
        count = len(self._ranks) if self._all else rng.randint(1, len(self._ranks))
        chosen = rng.sample(list(self._members), count)
        return {code: rank for rank, code in enumerate(chosen, 1)}

    def typed(self, stage: str, answers: Mapping[str, Any]) -> dict[str, list[str]]:
        return {name: texts for name, texts in super().typed(stage, answers).items() if texts != ["0"]}

    def _numbers(self, given: Mapping[str, Any]) -> dict[str, Any]:
        return {code: int(rank) for code, rank in super()._numbers(given).items()}

    @property
    def _all(self) -> bool:
        return self.top is None or self.top >= len(self.options)

    @property
    def _ranks(self) -> range:
        return range(1, (len(self.options) if self._all else self.top or 0) + 1)

    def _group(self, option: Option, language: str, typed: Mapping[str, Sequence[str]]) -> GroupControl:
        name = self._members[option.code]
        checked = set(typed.get(name, ()))
        ranks = (str(rank) for rank in self._ranks)
        return GroupControl(
            name=name,
            legend=wording(option.label, language),
            options=tuple(OptionControl(rank, f"{rank}.", rank in checked) for rank in ranks),
            detail=self.beside_line(option, language, typed),
        )

    def _summary(self, options: Sequence[Option], language: str, typed: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
        ranked = []
        for option in options:
            for rank in typed.get(self._members[option.code], ()):
                if rank.isdecimal() and len(rank) < 4:
                    beside = self.beside_line(option, language, typed)
                    label = wording(option.label, language)
                    ranked.append((int(rank), f"{label}: {beside.value}" if beside and beside.value else label))
        return tuple(f"{rank}. {label}" for rank, label in sorted(ranked, key=lambda one: one[0]))


QUESTION = Ranking


def _nth(rank: int, text: Mapping[str, str]) -> dict[str, str]:
    return {language: f"{rank}." for language in text}


def _worded(text: Mapping[str, str], like: Mapping[str, str]) -> dict[str, str]:
    return {language: text.get(language, text["en"]) for language in like}
