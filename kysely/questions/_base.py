"""What every question type answers, so that nothing outside this folder asks which type a question is.

A type is a frozen dataclass whose fields are the keys an author may write. It overrides only
what it does differently: usually `variables`, `fields`, `record`, `control`, `typed` and `fill`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from random import Random
from typing import Any, ClassVar, Literal, Protocol

from kysely import piping
from kysely.codebook import Answer, Category, Missing, Number, Text, Value, Variable
from kysely.conditions import Condition
from kysely.errors import InvalidAnswer
from kysely.questions._control import Control
from kysely.questions._fields import Fields, read
from kysely.questions._text import folded

Required = Literal["soft", "hard", "no"]

DONT_KNOW = "__dont_know"
DOES_NOT_CONCERN = "__does_not_concern"
RESERVED: Mapping[str, Missing] = {DONT_KNOW: Missing.DONT_KNOW, DOES_NOT_CONCERN: Missing.DOES_NOT_CONCERN}
"""Codes that a form posts for the two kinds of missing a respondent may choose. No option code begins with "_"."""

ERROR_CODES: Mapping[str, tuple[str, ...]] = {
    "required": (),
    "ambiguous": (),
    "unknown_code": (),
    "too_long": ("maximum", "length"),
    "not_a_number": (),
    "not_an_integer": (),
    "thousands_separator": (),
    "too_many_digits": ("maximum",),
    "too_small": ("minimum",),
    "too_large": ("maximum",),
    "value_and_missing": (),
    "business_id": (),
    "email": (),
    "points_left": ("total", "used", "left"),
    "points_over": ("total", "used", "over"),
    "rank_twice": ("rank",),
    "rank_missing": ("rank",),
    "too_many_decimals": ("maximum",),
    "date_incomplete": (),
    "date_unknown": (),
    "date_too_early": ("minimum",),
    "date_too_late": ("maximum",),
}
"""Every InvalidAnswer a question type raises, with the names of its figures. The interview has a sentence for each."""


class Typed(Protocol):
    """Form data as posted: werkzeug's MultiDict is one."""

    def getlist(self, key: str) -> list[str]: ...

    def __contains__(self, key: object) -> bool: ...


class InvalidAnswers(Exception):
    """Some fields of a question can't be accepted; *errors* maps field names to what is wrong, in the order shown."""

    def __init__(self, errors: Mapping[str, InvalidAnswer]):
        self.errors = dict(errors)
        super().__init__(", ".join(f"{name}: {error.code}" for name, error in self.errors.items()))


@dataclass(frozen=True)
class Fault:
    """What is wrong with a question as its author wrote it; *keys* leads from the question to the place."""

    code: str
    keys: tuple[str | int, ...]
    cause: str
    cure: str
    fatal: bool = True


@dataclass(frozen=True, kw_only=True)
class Level:
    """One point of a scale: a word code, its number, its label."""

    code: str = field(metadata={"name": True})
    value: Number
    label: Text


@dataclass(frozen=True, kw_only=True)
class Scale:
    """Levels in rising order, shared by the questions that name the scale."""

    levels: tuple[Level, ...]

    @property
    def categories(self) -> tuple[Category, ...]:
        return tuple(Category(level.code, level.label, level.value) for level in self.levels)


@dataclass(frozen=True, kw_only=True)
class Question:
    """The part that all types share; see the module's first lines."""

    id: str = field(metadata={"help": "name of the question, and of its variable where it has one", "name": True})
    text: Text = field(metadata={"help": "the question itself"})
    instruction: Text | None = field(default=None, metadata={"help": "how to answer, in one line"})
    required: Required = field(
        default="soft",
        metadata={"help": "`soft` asks once more and then accepts nothing, `hard` insists, `no` never asks"},
    )
    show_if: Condition | None = field(default=None, metadata={"help": "condition on earlier answers"})
    missing_labels: Mapping[Missing, Text] = field(default_factory=dict, metadata={"given": "missing"})

    identity: ClassVar[str] = ""
    """What of who the respondent is the question asks, "" for nothing: that goes to the identity database alone."""

    members: ClassVar[str] = ""
    """The field that holds its rows or options, each of which may be shown only to some; "" if it has none."""

    fewest: ClassVar[int] = 1
    """How many of them there have to be for the question to be asked."""

    # What it asks

    def variables(self) -> tuple[Variable, ...]:
        """Return the columns this question adds to the extract, in the author's order."""
        raise NotImplementedError

    def sets(self) -> tuple[str, ...]:
        """Return the names of the multiple-response sets among the variables."""
        return tuple(dict.fromkeys(variable.set for variable in self.variables() if variable.set))

    def stages(self, answers: Mapping[str, Answer]) -> tuple[str, ...]:
        """Return the screens this question needs; "" is the ordinary one, shared with the page's other questions."""
        return ("",)

    @property
    def identifies(self) -> bool:
        """Whether what is typed says who the respondent is; it is given and shown under the question's id."""
        return bool(self.identity)

    @property
    def all_stages(self) -> tuple[str, ...]:
        """The screens it may come to need."""
        return ("",)

    @property
    def ordered_like(self) -> str | None:
        """The id of the question whose random order this one takes, None if it has its own."""
        ordering = getattr(self, "ordering", None)
        return ordering.like if ordering else None

    @property
    def staged(self) -> bool:
        """Whether it may need several screens, and so has to be alone on its page."""
        return len(self.all_stages) > 1

    def claims(self) -> tuple[str, ...]:
        """Return every name that only this question may use: its id, variables, sets and form fields."""
        fields = (name for stage in self.all_stages for name in self.fields(stage))
        return tuple(dict.fromkeys((self.id, *self.names, *self.sets(), *fields)))

    def asked(self, stage: str, answers: Mapping[str, Answer]) -> tuple[str, ...]:
        """Return the variables that *stage* records; the screen is done when all of them are reached."""
        return self.applicable(answers)

    def applicable(self, answers: Mapping[str, Answer]) -> tuple[str, ...]:
        """Return the variables on the path once the question is shown; the detail of an option not chosen is not."""
        return self.names

    def accepts(self, name: str, value: Value) -> bool:
        """Whether the variable *name* may come to hold *value*, as far as its kind leaves that open."""
        return True

    def faults(self) -> Iterator[Fault]:
        """Yield what the author should mend beyond wrong keys and types."""
        return iter(())

    # To whom its rows and options are shown

    @cached_property
    def conditional(self) -> tuple[Any, ...]:
        """The rows or options that have a condition."""
        return tuple(member for member in getattr(self, self.members, ()) if member.show_if) if self.members else ()

    @cached_property
    def piped(self) -> frozenset[str]:
        """The names whose answers its texts show."""
        return piping.piped(self)

    @cached_property
    def plain(self) -> bool:
        """Whether it is the same for all respondents who meet it: one screen, and all its variables on the path."""
        return not (self.staged or self.conditional or self.piped or self.beside())

    def without(self, codes: frozenset[str]) -> Question | None:
        """Return the question as asked of those whom its rows or options *codes* don't concern.

        None if that leaves nothing to answer.
        """
        if codes not in self._narrowed:
            kept = tuple(member for member in getattr(self, self.members) if member.code not in codes)
            whole = sum(member.answerable for member in kept) >= self.fewest
            changed: dict[str, Any] = {self.members: kept}
            self._narrowed[codes] = replace(self, **changed) if whole else None
        return self._narrowed[codes]

    def stands(self, answers: Mapping[str, Answer], gone: Collection[str]) -> bool:
        """Whether *answers*, given perhaps when other rows or options were shown, can stand for those shown now.

        *gone* are the variables of those that aren't.
        """
        return True

    def beside(self) -> Mapping[str, str]:
        """Return option code → the variable of the text that belongs to it: other, what?"""
        return {
            member.code: member.detail.id
            for member in getattr(self, self.members, ())
            if getattr(member, "detail", None) is not None
        }

    # What it accepts

    def parse(self, stage: str, typed: Typed, answers: Mapping[str, Answer], *, seed: int = 0) -> dict[str, Any]:
        """Return variable → value or kind of missing for what was typed on *stage*.

        *answers* are those stored before this post, *seed* the response's, from which the order shown is recorded.
        A question that `identifies` returns its typed values under its own id as well.
        Raises InvalidAnswers; a blank answer is only refused where it is required hard.
        """
        given, errors = read(self._fields_of(stage), typed)
        if self.required == "hard":
            for name in self.unanswered(stage, typed, answers):
                errors.setdefault(name, InvalidAnswer("required"))
        errors = self.settled(stage, errors, given, answers)
        if errors:
            raise InvalidAnswers(errors)
        return self.record(stage, given, answers, seed)

    def is_blank(self, stage: str, typed: Typed, answers: Mapping[str, Answer]) -> bool:
        """Whether something asked on *stage* was left unanswered: what "soft" asks for once more."""
        return bool(self.unanswered(stage, typed, answers))

    def unanswered(self, stage: str, typed: Typed, answers: Mapping[str, Answer]) -> tuple[str, ...]:
        """Return the form fields left blank on *stage*; details of options are never among them."""
        name = self.id
        return () if any(folded(text) for text in typed.getlist(name)) else (name,)

    def fields(self, stage: str) -> Fields:
        """Return the WTForms fields of *stage* by name."""
        raise NotImplementedError

    def settled(
        self, stage: str, errors: dict[str, InvalidAnswer], given: Mapping[str, Any], answers: Mapping[str, Answer]
    ) -> dict[str, InvalidAnswer]:
        """Return *errors* without those of fields that don't count: the detail of an option that isn't chosen."""
        return errors

    def record(self, stage: str, given: Mapping[str, Any], answers: Mapping[str, Answer], seed: int) -> dict[str, Any]:
        """Return the answers that the accepted form data *given* stands for."""
        raise NotImplementedError

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
        """Return what the template draws: *typed* is a refused post, or `typed(stage, answers)` of stored answers."""
        raise NotImplementedError

    def typed(self, stage: str, answers: Mapping[str, Any]) -> dict[str, list[str]]:
        """Return form data that shows the stored *answers* again; `parse` of it gives the same answers."""
        raise NotImplementedError

    def order(self, seed: int) -> tuple[str, ...]:
        """Return the option codes as shown; () where there are none."""
        return ()

    # What robots do

    def fill(self, stage: str, answers: Mapping[str, Answer], rng: Random, *, seed: int) -> dict[str, str | list[str]]:
        """Return form data that `parse` accepts, at random over all it may answer.

        A blank is among that unless the question is required hard.
        """
        raise NotImplementedError

    # How far a response has come (DOMAIN.md e2)

    def begun(self, answers: Mapping[str, Answer]) -> bool:
        """Whether anything is answered; a kind of missing that the respondent chose is an answer."""
        return any(_is_answer(answers.get(name)) for name in self.answering)

    def complete(self, answers: Mapping[str, Answer]) -> bool:
        """Whether everything this question asks of this respondent is answered."""
        applicable = set(self.applicable(answers))
        return all(_is_answer(answers.get(name)) for name in self.answering if name in applicable)

    @property
    def answering(self) -> tuple[str, ...]:
        """The variables that make the question answered: no details of options, no record of how it was put."""
        return self.names

    @cached_property
    def _narrowed(self) -> dict[frozenset[str], Question | None]:
        # As many as there are ways through the conditions, which are few; made once, as their fields are.
        return {}

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of its variables."""
        return tuple(variable.name for variable in self.variables())

    @cached_property
    def _stage_fields(self) -> dict[str, Fields]:
        return {}

    def _fields_of(self, stage: str) -> Fields:
        # Making the fields is the slow part of a form, so each question makes them once a stage.
        found = self._stage_fields.get(stage)
        if found is None:
            found = self._stage_fields[stage] = self.fields(stage)
        return found


def reached(answers: Mapping[str, Answer], name: str) -> bool:
    """Whether *name* has an event; a level made unreached again by choosing its option anew counts as none."""
    return answers.get(name, Missing.NOT_REACHED) is not Missing.NOT_REACHED


def wording(text: Text | None, language: str) -> str:
    """Return *text* in *language*; a default of the engine that lacks the language is given in English."""
    if not text:
        return ""
    return text.get(language) or text.get("en") or next(iter(text.values()))


def _is_answer(answer: Answer | None) -> bool:
    return answer is not None and answer not in _UNANSWERED


_UNANSWERED = frozenset({Missing.NOT_REACHED, Missing.ROUTED_PAST, Missing.NO_ANSWER})
