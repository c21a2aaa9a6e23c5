"""The weighted multi-select: which of these, and how much each.

Per option `<choose.id>_<code>` holds 0 or 1 and `<rate.id>_<code>` the level, 0 where the option isn't chosen.
Chosen but unrated is 1 and missing; "none of these" is all zeros; "cannot say" is missing everywhere.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from random import Random
from typing import Any, ClassVar, Literal

from kysely.codebook import Answer, Kind, Missing, Text, Variable
from kysely.errors import InvalidAnswer
from kysely.questions import _options as shared
from kysely.questions._base import Fault, Level, Question, Scale, Typed, reached, wording
from kysely.questions._control import Control, GroupControl, OptionControl
from kysely.questions._fields import CodeField, CodesField, Fields
from kysely.questions._options import Order, SetOption

CHOOSE = "choose"
RATE = "rate"

EXAMPLE = """
id: modes
type: weighted_choice
presentation: choose_then_rate
choose:
  id: mode
  text: {fi: Mitkä kuvaavat toimintaanne?, sv: Vilka beskriver er verksamhet?, en: Which describe your operations?}
  instruction: {fi: Valitse kaikki sopivat., sv: Välj alla som passar., en: Choose all that apply.}
rate:
  id: level
  text: {fi: Kuinka keskeinen kukin on?, sv: Hur central är var och en?, en: How central is each?}
scale: CENT4
variant: mode_variant
order: {randomise: true, variable: mode_order}
options:
  - {code: PROD, label: {fi: tuotantolähtöinen, sv: produktionsorienterad, en: production-oriented}}
  - {code: CUST, label: {fi: asiakaspalvelulähtöinen, sv: kundserviceorienterad, en: customer-service-oriented}}
  - code: OTHER
    label: {fi: muu, sv: annan, en: other}
    detail: {id: mode_other_text, max_length: 200}
    rated: false
    fixed: true
  - {code: NONE, label: {fi: ei mikään näistä, sv: ingen av dessa, en: none of these}, exclusive: true, fixed: true}
  - code: DK
    label: {fi: en osaa sanoa, sv: kan inte säga, en: cannot say}
    exclusive: true
    fixed: true
    missing: dont_know
"""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One of the two questions: its set of variables is named by *id*."""

    id: str = field(metadata={"help": "name of the set; its variables are `<id>_<code>`", "name": True})
    text: Text = field(metadata={"help": "the question itself"})
    instruction: Text | None = field(default=None, metadata={"help": "how to answer, in one line"})


@dataclass(frozen=True, kw_only=True)
class RatedOption(SetOption):
    """An option that is chosen and then rated."""

    rated: bool = field(default=True, metadata={"help": "whether it is rated too"})


@dataclass(frozen=True, kw_only=True)
class WeightedChoice(Question):
    """Several of several options and a level for each; 0 means not chosen. Records how it was presented."""

    text: Text = field(default_factory=dict, metadata={"help": "the question of `rate_each`"})
    choose: Step = field(metadata={"help": "the first step: which"})
    rate: Step = field(metadata={"help": "the second step: how much"})
    scale: Scale = field(metadata={"help": "name of a scale whose level 0 means not chosen"})
    options: tuple[RatedOption, ...] = field(default=(), metadata={"help": "what can be chosen"})
    options_from: str | None = shared.options_from()
    presentation: Literal["choose_then_rate", "rate_each"] = field(
        default="choose_then_rate",
        metadata={"help": "two screens, the second for what was chosen; or one with all levels for every option"},
    )
    variant: str | None = field(
        default=None, metadata={"help": "name of the variable that records the presentation", "name": True}
    )
    ordering: Order | None = field(
        default=None, metadata={"key": "order", "help": "a random order, recorded in a variable"}
    )

    members: ClassVar[str] = "options"

    # What it asks

    def variables(self) -> tuple[Variable, ...]:
        levels = tuple(
            Variable(
                self._levels[option.code],
                Kind.LEVEL,
                self.id,
                self.text if self._at_once and self.text else self.rate.text,
                option.label,
                self.scale.categories,
                set=self.rate.id,
                code=option.code,
            )
            for option in self.options
            if option.code in self._levels
        )
        return (
            *shared.set_variables(self.choose.id, self.id, self._choosing_text, self.options),
            *levels,
            *shared.detail_variables(self.id, self._choosing_text, self.options),
            *(Variable(name, Kind.TEXT, self.id, self._choosing_text, self._choosing_text) for name in self._variant),
            *shared.order_variable(self.ordering, self.id, self._choosing_text),
        )

    def stages(self, answers: Mapping[str, Answer]) -> tuple[str, ...]:
        if self._at_once:
            return ("",)
        return (CHOOSE, RATE) if self._to_rate(answers) else (CHOOSE,)

    @property
    def all_stages(self) -> tuple[str, ...]:
        return ("",) if self._at_once else (CHOOSE, RATE)

    def asked(self, stage: str, answers: Mapping[str, Answer]) -> tuple[str, ...]:
        if stage == RATE:
            return tuple(self._levels[code] for code in self._to_rate(answers))
        chosen = (*self._members.values(), *self._details(answers), *self._recorded)
        return chosen if stage == CHOOSE else (*chosen, *self._levels.values())

    def applicable(self, answers: Mapping[str, Answer]) -> tuple[str, ...]:
        return (*self.answering, *self._details(answers), *self._recorded)

    @property
    def answering(self) -> tuple[str, ...]:
        return (*self._members.values(), *self._levels.values())

    def stands(self, answers: Mapping[str, Answer], gone: Collection[str]) -> bool:
        return shared.set_stands(self._members.values(), answers, gone)

    def faults(self) -> Iterator[Fault]:
        yield from shared.option_faults(self.options, several=True)
        yield from shared.order_faults(self.options, self.ordering)
        yield from self._scale_faults()
        if self._at_once and not self.text:
            yield Fault(
                "text_missing",
                (),
                "rate_each shows one question and it has no `text`",
                "Write `text` in every language",
            )
        for place, option in enumerate(self.options):
            if option.exclusive and not option.rated:
                yield Fault(
                    "exclusive_rated",
                    ("options", place, "rated"),
                    f"{option.code} clears the others, so it is never rated",
                    "Take out `rated`",
                    fatal=False,
                )

    # What it accepts

    def fields(self, stage: str) -> Fields:
        if stage == RATE:
            return {name: CodeField(codes=self._offered) for name in self._levels.values()}
        codes = tuple(option.code for option in self.options)
        if stage == CHOOSE:
            return {self.choose.id: CodesField(codes=codes), **shared.detail_fields(self.options)}
        levels = tuple(level.code for level in self.scale.levels)
        return {
            **{name: CodeField(codes=levels) for name in self._levels.values()},
            self.choose.id: CodesField(codes=tuple(option.code for option in self._beside)),
            **shared.detail_fields(self.options),
        }

    def unanswered(self, stage: str, typed: Typed, answers: Mapping[str, Answer]) -> tuple[str, ...]:
        ticked = [text for text in typed.getlist(self.choose.id) if text.strip()]
        if stage == CHOOSE:
            return () if ticked else (self.choose.id,)
        if stage == "" and shared.cleared(ticked, self.options):
            return ()
        asked = self._to_rate(answers) if stage == RATE else self._levels
        names = (self._levels[code] for code in asked)
        return tuple(name for name in names if not any(text.strip() for text in typed.getlist(name)))

    def settled(
        self, stage: str, errors: dict[str, InvalidAnswer], given: Mapping[str, Any], answers: Mapping[str, Answer]
    ) -> dict[str, InvalidAnswer]:
        if stage == RATE:
            asked = {self._levels[code] for code in self._to_rate(answers)}
            return {name: error for name, error in errors.items() if name in asked}
        return shared.detail_errors(errors, self.options, self._standing(given[self.choose.id]))

    def record(self, stage: str, given: Mapping[str, Any], answers: Mapping[str, Answer], seed: int) -> dict[str, Any]:
        if stage == RATE:
            return {self._levels[code]: self._level(given[self._levels[code]]) for code in self._to_rate(answers)}
        chosen = self._standing(given[self.choose.id])
        answered = self._chosen(chosen, answers) if stage == CHOOSE else self._rated(chosen, given)
        return {
            **answered,
            **shared.detail_answers(self.options, chosen, given),
            **dict.fromkeys(self._variant, self.presentation),
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
        order = self.order(seed)
        step = self.rate if stage == RATE else self.choose
        rows = {CHOOSE: (), RATE: self._to_rate(answers), "": tuple(self._levels)}[stage]
        boxes = {CHOOSE: self.options, RATE: (), "": self._beside}[stage]
        beside = {option.code for option in boxes}
        return Control(
            template="choices" if stage == CHOOSE else "rows",
            name=self.choose.id,
            legend=wording(step.text if stage else self.text, language),
            instruction=wording(step.instruction if stage else self.instruction, language),
            multiple=True,
            groups=tuple(self._group(code, stage, language, typed) for code in order if code in rows),
            options=shared.option_controls(
                boxes,
                [code for code in order if code in beside],
                language=language,
                checked=set(typed.get(self.choose.id, ())),
                typed=typed,
            ),
            errors=errors,
            required=self.required == "hard",
        )

    def typed(self, stage: str, answers: Mapping[str, Any]) -> dict[str, list[str]]:
        if stage == RATE:
            return self._levels_typed(self._to_rate(answers), answers)
        chosen = shared.set_codes(self.options, self._members, self._missing, answers)
        details = shared.detail_typed(self.options, chosen, answers)
        if stage == CHOOSE:
            return {self.choose.id: chosen, **details} if chosen else {}
        beside = [option.code for option in self._beside if option.code in chosen]
        return {
            **self._levels_typed(tuple(self._levels), answers),
            **({self.choose.id: beside} if beside else {}),
            **details,
        }

    def order(self, seed: int) -> tuple[str, ...]:
        return shared.shuffled(self.id, self.options, self.ordering, seed)

    # What robots do

    def fill(self, stage: str, answers: Mapping[str, Answer], rng: Random, *, seed: int) -> dict[str, str | list[str]]:
        if stage == RATE:
            return self._levels_fill(self._to_rate(answers), self._offered, rng)
        if stage == CHOOSE:
            if self.required != "hard" and rng.random() < shared.BLANK:
                return {}
            chosen = shared.some_codes(self.options, (), rng)
            return {self.choose.id: chosen, **shared.detail_fill(self.options, chosen, rng)}
        ticked = [option.code for option in self._beside if rng.random() < 0.2]
        standing = self._standing(tuple(ticked))
        return {
            **self._levels_fill(tuple(self._levels), tuple(level.code for level in self.scale.levels), rng),
            **({self.choose.id: list(standing)} if standing else {}),
            **shared.detail_fill(self.options, standing, rng),
        }

    def begun(self, answers: Mapping[str, Answer]) -> bool:
        return any(
            answers.get(name, Missing.NO_ANSWER) not in (Missing.NO_ANSWER, Missing.NOT_REACHED)
            for name in self._members.values()
        )

    # How it is put together

    @property
    def _at_once(self) -> bool:
        return self.presentation == "rate_each"

    @property
    def _choosing_text(self) -> Text:
        return self.text if self._at_once and self.text else self.choose.text

    @cached_property
    def _members(self) -> Mapping[str, str]:
        """Code → the variable that holds 0 or 1."""
        return shared.members(self.choose.id, self.options)

    @cached_property
    def _levels(self) -> Mapping[str, str]:
        """Code → the variable that holds the level."""
        return {o.code: f"{self.rate.id}_{o.code}" for o in self.options if o.rated and not o.exclusive}

    @cached_property
    def _beside(self) -> tuple[RatedOption, ...]:
        """The options of rate_each that are ticked, not rated. "None of these" isn't among them: all rows say it."""
        return tuple(o for o in self.options if o.missing or (not o.exclusive and not o.rated))

    @cached_property
    def _variant(self) -> tuple[str, ...]:
        return (self.variant,) if self.variant else ()

    @cached_property
    def _recorded(self) -> tuple[str, ...]:
        return (*self._variant, *shared.order_names(self.ordering))

    @cached_property
    def _missing(self) -> Mapping[str, Missing]:
        return shared.missing_by_code(self.options)

    @cached_property
    def _offered(self) -> tuple[str, ...]:
        """The levels of the rate step: what was chosen can't be rated "not part of it"."""
        return tuple(level.code for level in self.scale.levels if level.value > 0)

    @cached_property
    def _level_by_code(self) -> Mapping[str, Level]:
        return {level.code: level for level in self.scale.levels}

    @cached_property
    def _code_by_value(self) -> Mapping[Any, str]:
        return {level.value: level.code for level in self.scale.levels}

    def _details(self, answers: Mapping[str, Answer]) -> tuple[str, ...]:
        return shared.details_on_path(self.options, answers, self._members)

    def _standing(self, codes: tuple[str, ...] | None) -> tuple[str, ...]:
        return shared.standing(codes or (), self.options)

    def _to_rate(self, answers: Mapping[str, Answer]) -> tuple[str, ...]:
        """Return the codes of the options chosen that are to be rated, in the author's order."""
        return tuple(code for code in self._levels if answers.get(self._members[code]) == 1)

    def _level(self, code: str | None) -> Answer:
        return Missing.NO_ANSWER if code is None else self._level_by_code[code].value

    def _chosen(self, chosen: tuple[str, ...], answers: Mapping[str, Answer]) -> dict[str, Answer]:
        """Return 0 or 1 per option, and the levels that follow from it: 0 for what isn't chosen, missing for all.

        What was chosen before and still is keeps its level. What is chosen anew has none yet, even if an
        earlier choice left one or a 0, so it is marked not reached and the rate step asks for it.
        """
        picked = shared.set_answers(self._members, chosen, self._missing)
        levels: dict[str, Answer] = {}
        for code, name in self._levels.items():
            answer = picked[self._members[code]]
            if answer != 1:
                levels[name] = answer
            elif answers.get(self._members[code]) != 1 and reached(answers, name):
                levels[name] = Missing.NOT_REACHED
        return picked | levels

    def _rated(self, ticked: tuple[str, ...], given: Mapping[str, Any]) -> dict[str, Answer]:
        """Return the levels of rate_each, and the 0 or 1 per option that follows from them."""
        for code in ticked:
            if code in self._missing:
                return dict.fromkeys((*self._members.values(), *self._levels.values()), self._missing[code])
        levels = {name: self._level(given[name]) for name in self._levels.values()}
        blank = not ticked and all(isinstance(level, Missing) for level in levels.values())
        picked: dict[str, Answer] = {}
        for code, name in self._members.items():
            if code in self._levels:
                level = levels[self._levels[code]]
                picked[name] = level if isinstance(level, Missing) else int(level != 0)
            else:
                picked[name] = Missing.NO_ANSWER if blank else int(code in ticked)
        return picked | levels

    def _group(self, code: str, stage: str, language: str, typed: Mapping[str, Sequence[str]]) -> GroupControl:
        name = self._levels[code]
        checked = set(typed.get(name, ()))
        option = next(option for option in self.options if option.code == code)
        return GroupControl(
            name=name,
            legend=wording(option.label, language),
            options=tuple(
                OptionControl(level.code, wording(level.label, language), level.code in checked)
                for level in self.scale.levels
                if stage != RATE or level.value > 0
            ),
        )

    def _levels_typed(self, codes: Sequence[str], answers: Mapping[str, Any]) -> dict[str, list[str]]:
        found = {self._levels[code]: answers.get(self._levels[code]) for code in codes}
        return {
            name: [self._code_by_value[answer]]
            for name, answer in found.items()
            if answer is not None and not isinstance(answer, Missing)
        }

    def _levels_fill(self, codes: Sequence[str], levels: Sequence[str], rng: Random) -> dict[str, str | list[str]]:
        return {
            self._levels[code]: rng.choice(levels)
            for code in codes
            if self.required == "hard" or rng.random() >= shared.BLANK
        }

    def _scale_faults(self) -> Iterator[Fault]:
        values = [level.value for level in self.scale.levels]
        if any(not isinstance(value, int) or value < 0 for value in values):
            yield Fault(
                "level_not_integer",
                ("scale",),
                "a weighted choice needs levels 0, 1, 2 …, and the scale has others",
                "Name a scale of whole numbers from 0",
            )
        elif 0 not in values:
            yield Fault(
                "level_zero_missing",
                ("scale",),
                "the scale has no level 0, which says that an option isn't chosen",
                "Add a level with `value: 0` to the scale",
            )
        elif len(values) < 2:
            yield Fault(
                "level_zero_only", ("scale",), "the scale has no level above 0", "Add levels above 0 to the scale"
            )


QUESTION = WeightedChoice
