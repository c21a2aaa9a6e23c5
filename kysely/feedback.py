"""What a respondent reads after submitting: the own profile, and what leading typically goes with it.

`feedback.yaml` beside a questionnaire holds the texts; here is which of them a response is shown. Everything follows
from the respondent's own answers; what peers answered comes from published snapshots only (kysely/snapshots.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from kysely import routing
from kysely.codebook import Answer, Missing, Number, Text
from kysely.instrument import Instrument

SCHEMA = "feedback/1"


@dataclass(frozen=True, kw_only=True)
class Perspective:
    """One way of looking at the modes: today, wished for, in the strategy."""

    levels: str = field(metadata={"help": "the set of level variables, one a mode: the `rate.id` of a weighted choice"})
    label: Text


@dataclass(frozen=True, kw_only=True)
class Perspectives:
    """Those that a form doesn't ask are left out of its feedback."""

    current: Perspective
    desired: Perspective | None = None
    strategy: Perspective | None = None

    def __iter__(self) -> Iterator[Perspective]:
        return iter(one for one in (self.current, self.desired, self.strategy) if one)


@dataclass(frozen=True, kw_only=True)
class Feature:
    """A typical feature of leading in a mode, and how the respondent's own answers speak of it.

    *items* are variables whose high values are a sign of it, *low* those whose low values are, *growing* modes that
    the respondent wants to become more central than they are.
    """

    feature: Text
    items: tuple[str, ...] = ()
    low: tuple[str, ...] = ()
    growing: tuple[str, ...] = ()
    supports: Text
    watch: Text


@dataclass(frozen=True, kw_only=True)
class Mode:
    summary: Text
    short: Text
    features: tuple[Feature, ...]


@dataclass(frozen=True, kw_only=True)
class Combination:
    """What goes with two modes that are equally central."""

    modes: tuple[str, ...]
    text: Text


@dataclass(frozen=True, kw_only=True)
class Feedback:
    """A feedback file."""

    schema: Literal["feedback/1"]
    perspectives: Perspectives
    reason: str | None = field(default=None, metadata={"help": "the question on the reason for several central modes"})
    groups: Mapping[str, Text] = field(
        default_factory=dict, metadata={"help": "what the groups of the published comparison are called"}
    )
    modes: Mapping[str, Mode]
    combinations: tuple[Combination, ...] = ()
    many: Text = field(metadata={"help": "what goes with three or more equally central modes"})
    closing: Text
    source: Text


class Sign(StrEnum):
    """What the respondent's answers say of a feature."""

    YES = "yes"
    BETWEEN = "between"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Profile:
    """One perspective of one respondent: the level of each mode, None where it wasn't given.

    top  the modes at the highest level above 0: one is dominant, several are tied; () if all are 0; None if a level
         is missing, which could change it
    """

    label: Text
    levels: Mapping[str, Number | None]
    top: tuple[str, ...] | None


@dataclass(frozen=True)
class Marked:
    feature: Feature
    sign: Sign


@dataclass(frozen=True)
class Reading:
    """What one respondent is told.

    profiles     the perspectives that were asked and answered, today's first
    dominant     the mode that is described in full, with its *features*; None where there is no single one
    tied         the modes that are described in short because they are equally central
    combination  what goes with the tied modes
    reason       the respondent's own reason for several central modes
    changes      modes at the top of another perspective and not of today's, by that perspective
    """

    profiles: tuple[Profile, ...]
    dominant: str | None = None
    features: tuple[Marked, ...] = ()
    tied: tuple[str, ...] = ()
    combination: Text | None = None
    reason: Text | None = None
    changes: tuple[tuple[Profile, tuple[str, ...]], ...] = ()

    @property
    def current(self) -> Profile:
        return self.profiles[0]


def read(feedback: Feedback, instrument: Instrument, answers: Mapping[str, Answer]) -> Reading | None:
    """Return what the respondent with *answers* is told; None if today's modes were not answered at all."""
    effective = routing.effective(instrument, answers)
    profiles = [_profile(one, instrument, effective) for one in feedback.perspectives]
    current, *others = profiles
    if current is None:
        return None
    answered = (current, *(one for one in others if one))
    top = current.top or ()
    dominant = top[0] if len(top) == 1 else None
    several = len(top) > 1
    return Reading(
        profiles=answered,
        dominant=dominant,
        features=tuple(
            Marked(one, _sign(one, feedback, instrument, effective)) for one in feedback.modes[dominant].features
        )
        if dominant
        else (),
        tied=top if several else (),
        combination=_combination(feedback, top) if several else None,
        reason=_reason(feedback, instrument, effective) if several else None,
        changes=tuple(_changes(current, answered[1:])),
    )


def levels(perspective: Perspective, instrument: Instrument) -> dict[str, str]:
    """Return mode → the variable that holds its level; empty where the form doesn't ask for them."""
    return {variable.code: variable.name for variable in instrument.codebook.set(perspective.levels) if variable.code}


def _profile(perspective: Perspective, instrument: Instrument, answers: Mapping[str, Answer]) -> Profile | None:
    found = {mode: _number(answers.get(name)) for mode, name in levels(perspective, instrument).items()}
    known = [level for level in found.values() if level is not None]
    if not known:
        return None
    if len(known) < len(found):
        return Profile(perspective.label, found, None)
    highest = max(known)
    return Profile(perspective.label, found, tuple(mode for mode in found if found[mode] == highest and highest > 0))


def _combination(feedback: Feedback, top: tuple[str, ...]) -> Text | None:
    if len(top) > 2:
        return feedback.many
    return next((one.text for one in feedback.combinations if set(one.modes) == set(top)), None)


def _reason(feedback: Feedback, instrument: Instrument, answers: Mapping[str, Answer]) -> Text | None:
    """Return the label of the answer to the question on the reason, None where there is none."""
    answer = answers.get(feedback.reason or "")
    if answer is None or isinstance(answer, Missing) or feedback.reason is None:
        return None
    return instrument.codebook[feedback.reason].category(answer).label


def _changes(current: Profile, others: tuple[Profile, ...]) -> Iterator[tuple[Profile, tuple[str, ...]]]:
    for other in others:
        new = tuple(mode for mode in other.top or () if mode not in (current.top or ()))
        if current.top is not None and new:
            yield other, new


def _sign(feature: Feature, feedback: Feedback, instrument: Instrument, answers: Mapping[str, Answer]) -> Sign:
    """Return the mean of what the items say: over the middle of their scale, at it, or under it."""
    said = [_towards(name, instrument, answers) for name in feature.items]
    said += [_turned(_towards(name, instrument, answers)) for name in feature.low]
    said += [_grows(mode, feedback, instrument, answers) for mode in feature.growing]
    known = [one for one in said if one is not None]
    if not known:
        return Sign.UNKNOWN
    together = sum(known)
    return Sign.YES if together > 0 else Sign.NO if together < 0 else Sign.BETWEEN


def _towards(name: str, instrument: Instrument, answers: Mapping[str, Answer]) -> int | None:
    """Return 1, 0 or -1: the answer lies over, at or under the middle of its scale; None where there is none."""
    number = _number(answers.get(name))
    if number is None:
        return None
    values = [float(one.value) for one in instrument.codebook[name].categories if one.value is not None]
    return _direction(2 * float(number) - min(values) - max(values))


def _grows(mode: str, feedback: Feedback, instrument: Instrument, answers: Mapping[str, Answer]) -> int | None:
    perspectives = feedback.perspectives
    if perspectives.desired is None:
        return None
    now, then = (
        _number(answers.get(levels(one, instrument).get(mode, "")))
        for one in (perspectives.current, perspectives.desired)
    )
    return None if now is None or then is None else _direction(float(then) - float(now))


def _direction(number: float) -> int:
    return (number > 0) - (number < 0)


def _turned(direction: int | None) -> int | None:
    return None if direction is None else -direction


def _number(answer: Answer | None) -> Number | None:
    return None if answer is None or isinstance(answer, Missing | str) else answer
