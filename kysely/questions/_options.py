"""What the types with options share: the options themselves, their details, the order they are shown in."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from random import Random
from typing import Any, Literal, Protocol

from kysely.codebook import Answer, Kind, Missing, Text, Variable
from kysely.conditions import Condition
from kysely.errors import InvalidAnswer
from kysely.questions._base import DOES_NOT_CONCERN, DONT_KNOW, RESERVED, Fault, Question, reached, wording
from kysely.questions._control import Control, LineControl, OptionControl
from kysely.questions._fields import LineField
from kysely.questions._text import folded

BLANK = 0.1
"""How often a robot leaves a question blank."""

Chosen = Literal["dont_know", "does_not_concern"]
"""The kinds of missing that a respondent may choose."""


def options_from() -> Any:
    """Return the field of a type whose options may come from an earlier question."""
    return field(
        default=None,
        metadata={
            "help": "name of a set asked before: its options, each shown if it was chosen, before those of `options`",
            "fills": "options",
        },
    )


class Member(Protocol):
    """A row or an option."""

    @property
    def code(self) -> str: ...
    @property
    def fixed(self) -> bool: ...


@dataclass(frozen=True, kw_only=True)
class Detail:
    """ "Other, what?": a line of open text that belongs to an option and has a variable of its own."""

    id: str = field(metadata={"help": "name of its variable", "name": True})
    max_length: int = field(default=200, metadata={"help": "characters accepted", "minimum": 1, "maximum": 4000})
    label: Text | None = field(default=None, metadata={"help": "what to write; the option's label if left out"})


@dataclass(frozen=True, kw_only=True)
class Order:
    """How the options are ordered on the screen; the codebook keeps the author's order."""

    randomise: bool = field(
        default=False, metadata={"help": "a random order for each respondent, the same on every visit"}
    )
    variable: str | None = field(
        default=None, metadata={"help": "name of the variable that records the order shown", "name": True}
    )
    like: str | None = field(
        default=None,
        metadata={"help": "id of another question: what both offer stands in the same order", "name": True},
    )


@dataclass(frozen=True, kw_only=True)
class Option:
    """What all options have."""

    code: str = field(metadata={"help": "what is stored: a word, never changed once used", "name": True})
    label: Text = field(metadata={"help": "what is shown"})
    detail: Detail | None = field(default=None, metadata={"help": "a line of open text beside it: other, what?"})
    fixed: bool = field(default=False, metadata={"help": "keeps its place when the others are shuffled"})
    missing: Chosen | None = field(default=None, metadata={"help": "choosing it records this kind of missing"})
    show_if: Condition | None = field(default=None, metadata={"help": "condition on earlier answers"})

    @property
    def answerable(self) -> bool:
        """Whether choosing it says something of the matter."""
        return self.missing is None and not self.exclusive

    @property
    def exclusive(self) -> bool:
        """Whether it clears the others; where only one can be chosen there is nothing to clear."""
        return False

    def drawn(self, language: str) -> OptionControl:
        """Return the option as drawn while it isn't chosen and nothing is typed beside it."""
        found = self._drawn.get(language)
        if found is None:
            found = OptionControl(self.code, wording(self.label, language), exclusive=self.exclusive)
            self._drawn[language] = found
        return found

    @cached_property
    def _drawn(self) -> dict[str, OptionControl]:
        # A page shows dozens of options and one or two are chosen, so the others are made once.
        return {}


@dataclass(frozen=True, kw_only=True)
class SetOption(Option):
    """An option of which several are chosen."""

    exclusive: bool = field(
        default=False,
        metadata={"help": "clears the others: none of these, or a kind of missing; it has no variable of its own"},
    )


@dataclass(frozen=True, kw_only=True)
class MayDecline:
    """The two kinds of missing that a question may offer below its answers, in the study's own words."""

    dont_know: bool = field(default=False, metadata={"help": "offers to say that one doesn't know"})
    not_applicable: bool = field(default=False, metadata={"help": "offers to say that it doesn't concern one"})

    @property
    def declines(self) -> tuple[str, ...]:
        """The reserved codes offered."""
        return (DONT_KNOW,) * self.dont_know + (DOES_NOT_CONCERN,) * self.not_applicable


def decline_controls(
    codes: Collection[str], labels: Mapping[Missing, Text], language: str, checked: Collection[str], *, exclusive: bool
) -> tuple[OptionControl, ...]:
    return tuple(
        OptionControl(code, wording(labels.get(RESERVED[code]), language), code in checked, exclusive) for code in codes
    )


def shuffled(id: str, options: Sequence[Member], order: Order | None, seed: int) -> tuple[str, ...]:
    """Return the codes of *options* as the respondent with *seed* sees them; fixed ones keep their places.

    Each code gets a random-looking number from the question, the seed and itself, and the codes stand in the
    order of their numbers. That is uniform, needs nothing stored, and no Python version changes it.
    """
    codes = [option.code for option in options]
    if order is None or not order.randomise:
        return tuple(codes)
    loose = sorted(
        (option.code for option in options if not option.fixed),
        key=lambda code: sha256(f"{order.like or id}\n{seed}\n{code}".encode()).digest(),
    )
    following = iter(loose)
    return tuple(option.code if option.fixed else next(following) for option in options)


def order_variable(order: Order | None, question: str, text: Text) -> tuple[Variable, ...]:
    if order is None or order.variable is None:
        return ()
    return (Variable(order.variable, Kind.TEXT, question, text, text),)


def order_names(order: Order | None) -> tuple[str, ...]:
    return (order.variable,) if order and order.variable else ()


def order_answer(order: Order | None, shown: Sequence[str]) -> dict[str, Answer]:
    return {name: " ".join(shown) for name in order_names(order)}


def members(id: str, options: Sequence[Option]) -> dict[str, str]:
    """Return code → variable for the options that have one: all but the exclusive."""
    return {option.code: f"{id}_{option.code}" for option in options if not option.exclusive}


def missing_by_code(options: Sequence[Option], declines: Collection[str] = ()) -> dict[str, Missing]:
    """Return code → kind of missing for the codes that record one."""
    chosen = {option.code: Missing(option.missing) for option in options if option.missing}
    return chosen | {code: RESERVED[code] for code in declines}


def standing(codes: Sequence[str], options: Sequence[Option], declines: Collection[str] = ()) -> tuple[str, ...]:
    """Return the codes that count: an exclusive one clears the others, the author's first if there are several."""
    exclusive = [option.code for option in options if option.exclusive] + list(declines)
    return next(((code,) for code in exclusive if code in codes), tuple(codes))


def cleared(codes: Collection[str], options: Sequence[Option]) -> bool:
    """Whether an exclusive option is among *codes*."""
    return any(option.code in codes for option in options if option.exclusive)


def set_variables(set: str, question: str, text: Text, options: Sequence[Option]) -> tuple[Variable, ...]:
    names = members(set, options)
    return tuple(
        Variable(names[option.code], Kind.BINARY, question, text, option.label, set=set, code=option.code)
        for option in options
        if option.code in names
    )


def set_answers(names: Mapping[str, str], chosen: Collection[str], missing: Mapping[str, Missing]) -> dict[str, Answer]:
    """Return 0 or 1 for each variable of a set, or the same kind of missing for all of them."""
    if not chosen:
        return dict.fromkeys(names.values(), Missing.NO_ANSWER)
    for code in chosen:
        if code in missing:
            return dict.fromkeys(names.values(), missing[code])
    return {name: int(code in chosen) for code, name in names.items()}


def set_stands(names: Collection[str], answers: Mapping[str, Answer], gone: Collection[str]) -> bool:
    """Whether the stored answers of the set *names* can stand, though what was chosen may be *gone*.

    If all that was chosen is gone, the zeros that remain were never meant as "none of these".
    """
    nothing = all(answers.get(name) == 0 for name in names)
    return not (nothing and any(answers.get(name) == 1 for name in gone))


def set_codes(
    options: Sequence[Option], names: Mapping[str, str], missing: Mapping[str, Missing], answers: Mapping[str, Answer]
) -> list[str]:
    """Return the codes that stand for the stored *answers*: the way back from `set_answers`."""
    stored = [answers.get(name) for name in names.values()]
    if not stored or None in stored:
        return []
    for code, kind in missing.items():
        if all(answer is kind for answer in stored):
            return [code]
    if all(answer == 0 for answer in stored):
        return [o.code for o in options if o.exclusive and o.missing is None]
    return [code for code, name in names.items() if answers[name] == 1]


def some_codes(options: Sequence[Option], declines: Collection[str], rng: Random) -> list[str]:
    """Return codes as a robot ticks them: one time in six an exclusive one, else any number of the others."""
    exclusive = [option.code for option in options if option.exclusive] + list(declines)
    others = [option.code for option in options if option.code not in exclusive]
    if exclusive and rng.random() < 1 / 6:
        return [rng.choice(exclusive)]
    chosen = rng.sample(others, rng.randint(1, len(others)))
    return [code for code in others if code in chosen]


def detail_names(options: Sequence[Option]) -> frozenset[str]:
    return frozenset(option.detail.id for option in options if option.detail)


def detail_variables(question: str, text: Text, options: Sequence[Option]) -> tuple[Variable, ...]:
    return tuple(
        Variable(option.detail.id, Kind.TEXT, question, text, option.detail.label or option.label, closed=False)
        for option in options
        if option.detail
    )


def detail_fields(options: Sequence[Option]) -> dict[str, Any]:
    return {option.detail.id: LineField(maximum=option.detail.max_length) for option in options if option.detail}


def detail_errors(
    errors: Mapping[str, InvalidAnswer], options: Sequence[Option], chosen: Collection[str]
) -> dict[str, InvalidAnswer]:
    """Return *errors* without those of details whose option isn't chosen: what is not recorded can't be wrong."""
    idle = {option.detail.id for option in options if option.detail and option.code not in chosen}
    return {name: error for name, error in errors.items() if name not in idle}


def detail_answers(options: Sequence[Option], chosen: Collection[str], given: Mapping[str, Any]) -> dict[str, Answer]:
    """Return the details of the *chosen* options. Text beside an option that isn't chosen is not recorded."""
    return {
        option.detail.id: given.get(option.detail.id) or Missing.NO_ANSWER
        for option in options
        if option.detail and option.code in chosen
    }


def detail_typed(
    options: Sequence[Option], chosen: Collection[str], answers: Mapping[str, Answer]
) -> dict[str, list[str]]:
    found = {o.detail.id: answers.get(o.detail.id) for o in options if o.detail and o.code in chosen}
    return {
        name: [str(answer)] for name, answer in found.items() if answer is not None and not isinstance(answer, Missing)
    }


def detail_fill(options: Sequence[Option], chosen: Collection[str], rng: Random) -> dict[str, str | list[str]]:
    return {
        option.detail.id: some_text(rng, option.detail.max_length)
        for option in options
        if option.detail and option.code in chosen
    }


def option_controls(
    options: Sequence[Option],
    order: Sequence[str],
    *,
    language: str,
    checked: Collection[str],
    typed: Mapping[str, Sequence[str]],
) -> tuple[OptionControl, ...]:
    """Return the controls of *options* in the order of the codes *order*."""
    by_code = {option.code: option for option in options}
    return tuple(_option_control(by_code[code], language, checked, typed) for code in order)


def choice_control(
    question: Question,
    options: Sequence[Option],
    declines: Collection[str],
    *,
    several: bool,
    language: str,
    typed: Mapping[str, Sequence[str]],
    errors: Mapping[str, InvalidAnswer],
    seed: int,
) -> Control:
    """Return the control of a question with one list of *options*, of which one or *several* are chosen."""
    checked = set(typed.get(question.id, ()))
    return Control(
        template="choices",
        name=question.id,
        legend=wording(question.text, language),
        instruction=wording(question.instruction, language),
        multiple=several,
        options=(
            *option_controls(options, question.order(seed), language=language, checked=checked, typed=typed),
            *decline_controls(declines, question.missing_labels, language, checked, exclusive=several),
        ),
        errors=errors,
        required=question.required == "hard",
    )


def details_on_path(
    options: Sequence[Option], answers: Mapping[str, Answer], chosen_in: Mapping[str, str]
) -> tuple[str, ...]:
    """Return the details of options that are chosen, or may yet be.

    *chosen_in* maps an option's code to the variable that says whether it is chosen: by 1, or by the code itself.
    """
    return tuple(
        option.detail.id
        for option in options
        if option.detail
        and (not reached(answers, chosen_in[option.code]) or answers[chosen_in[option.code]] in (1, option.code))
    )


def first(typed: Mapping[str, Sequence[str]], name: str) -> str:
    """Return what was typed at *name*, fit to be shown again."""
    texts = typed.get(name) or [""]
    return folded(texts[0])


def some_text(rng: Random, maximum: int) -> str:
    """Return a short text with letters, accents and blanks, as a robot types it."""
    words = ("liikenne", "työ", "hälsa", "Åbo", "service", "€", "data-analyysi", "näin & noin", "ö")
    text = " ".join(rng.choice(words) for _ in range(rng.randint(1, 6)))
    return folded(text[:maximum]) or "x"


# Faults that options share


def option_faults(options: Sequence[Option], *, several: bool, declines: Collection[str] = ()) -> Iterator[Fault]:
    yield from code_faults("options", options)
    yield from _missing_twice(options, declines)
    if not any(option.missing is None and not option.exclusive for option in options):
        yield Fault("no_options", ("options",), "no option can be answered", "Write at least one ordinary option")
    for place, option in enumerate(options):
        effect = "clears the others" if option.exclusive else "records a kind of missing"
        if option.detail and (option.exclusive or option.missing):
            yield Fault(
                "exclusive_with_detail",
                ("options", place),
                f"{option.code} asks for a detail but {effect}",
                "Take out `detail`, or make it an ordinary option",
            )
        if several and option.missing and not option.exclusive:
            yield Fault(
                "missing_not_exclusive",
                ("options", place),
                f"{option.code} records a kind of missing but can be chosen with others",
                "Add `exclusive: true`",
            )
    nothing = [place for place, o in enumerate(options) if o.exclusive and o.missing is None]
    for place in nothing[1:]:
        yield Fault(
            "two_none",
            ("options", place),
            f"{options[place].code} and {options[nothing[0]].code} both mean none of these, and would be stored alike",
            "Keep one of them, or give one a `missing`",
        )


def code_faults(key: str, members: Sequence[Member]) -> Iterator[Fault]:
    """Yield the codes that stand twice among the rows or options of the key *key*."""
    seen: dict[str, str] = {}
    for place, member in enumerate(members):
        other = seen.get(member.code.lower())
        if other is not None:
            yield Fault(
                "duplicate_code",
                (key, place, "code"),
                f"{key.removesuffix('s')} code {member.code} is used already"
                + ("" if other == member.code else f" as {other}, which differs in case only"),
                f"Give each {key.removesuffix('s')} its own code",
            )
        seen.setdefault(member.code.lower(), member.code)


def order_faults(options: Sequence[Member], order: Order | None) -> Iterator[Fault]:
    if order and order.variable and not order.randomise:
        yield Fault(
            "order_not_random",
            ("order",),
            "a variable records the order but the order is never random",
            "Add `randomise: true`, or take out `order`",
        )
    if order and order.randomise and sum(not option.fixed for option in options) < 2:
        yield Fault("order_fixed", ("order",), "there is nothing to shuffle", "Take out `order`, or some `fixed: true`")


def _missing_twice(options: Sequence[Option], declines: Collection[str]) -> Iterator[Fault]:
    kinds = {str(RESERVED[code]): "the question itself" for code in declines}
    for place, option in enumerate(options):
        if option.missing and kinds.setdefault(option.missing, option.code) != option.code:
            yield Fault(
                "missing_twice",
                ("options", place),
                f"{option.code} and {kinds[option.missing]} both offer {option.missing}",
                "Keep one of them",
            )


def _option_control(
    option: Option, language: str, checked: Collection[str], typed: Mapping[str, Sequence[str]]
) -> OptionControl:
    drawn = option.drawn(language)
    if option.code not in checked and option.detail is None:
        return drawn
    detail = detail_control(option, language, typed)
    return OptionControl(drawn.code, drawn.label, option.code in checked, drawn.exclusive, detail)


def detail_control(option: Option, language: str, typed: Mapping[str, Sequence[str]]) -> LineControl | None:
    detail = option.detail
    if detail is None:
        return None
    return LineControl(
        name=detail.id,
        label=wording(detail.label or option.label, language),
        value=first(typed, detail.id),
        maximum=detail.max_length,
    )
