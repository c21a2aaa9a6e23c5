"""Scores: what a questionnaire computes from the answers of one respondent. Nothing of it is stored with them.

A score is a number or a code with the number of items it rests on, or a kind of missing where too few were answered.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from graphlib import TopologicalSorter

from kysely import routing
from kysely.codebook import Answer, Kind, Missing, Number, Variable
from kysely.instrument import Instrument, ScoreRule
from kysely.questions._base import Question

COMBO, NONE = "COMBO", "NONE"
"""What `dominant` gives where several share the highest place, and where all are 0."""

HALF = 0.5
"""An index needs at least half of its items; what stands on every single item needs all of them."""

_FORGIVING = frozenset({"mean", "weighted_mean", "modal"})
_CLOSE = 1e-9


@dataclass(frozen=True)
class Score:
    """The *value* of a score, or why it has none; *valid* of the *asked* items that concern the respondent count.

    *which* names the items that decided it: the lowest of `minimum`, those that share the place of `dominant`, the
    values that are most frequent in `modal`.
    """

    value: Number | str | Missing
    valid: int
    asked: int
    which: tuple[str, ...] = ()


@dataclass(frozen=True)
class Item:
    """One thing that a score is computed from, as resolved: a variable, or another score; *range* None if unknown."""

    name: str
    code: str
    range: tuple[Number, Number] | None
    variable: Variable | None = None


def of(instrument: Instrument, answers: Mapping[str, Answer]) -> Mapping[str, Score]:
    """Return every score of *instrument* for the *answers* of one respondent, by id, in the author's order."""
    effective = routing.effective(instrument, answers)
    rules = {rule.id: rule for rule in instrument.scores}
    scores: dict[str, Score] = {}
    for id in ordered(rules):
        scores[id] = _score(rules[id], instrument.questions, rules, effective, scores)
    return {id: scores[id] for id in rules}


def ordered(rules: Mapping[str, ScoreRule]) -> tuple[str, ...]:
    """Return the ids so that each score comes after those it is computed from.

    Raises graphlib.CycleError where that can't be.
    """
    graph = {id: {name for name in named(rule) if name in rules} for id, rule in rules.items()}
    return tuple(TopologicalSorter(graph).static_order())


def named(rule: ScoreRule) -> tuple[str, ...]:
    """Return everything that *rule* names as it is written."""
    return (*rule.items, *rule.others)


def resolved(
    names: Sequence[str], rule: ScoreRule, questions: Sequence[Question], rules: Mapping[str, ScoreRule]
) -> tuple[Item, ...]:
    """Return the items that *names* stand for, each once, in the order named; names of nothing give nothing."""
    found: dict[str, Item] = {}
    for name in names:
        if name in rules:
            found.setdefault(name, Item(name, name, _range_of_score(rule, rules[name])))
            continue
        for variable in matching(name, questions):
            found.setdefault(
                variable.name, Item(variable.name, variable.code or variable.name, _range(rule, variable), variable)
            )
    return tuple(found.values())


def matching(name: str, questions: Sequence[Question]) -> tuple[Variable, ...]:
    """Return the variables that *name* stands for: itself, a set, a question, or all that a pattern fits."""
    found: list[Variable] = []
    for question in questions:
        variables = [variable for variable in question.variables() if variable.closed]
        if "*" in name:
            found += [variable for variable in variables if fnmatchcase(variable.name, name)]
            continue
        exact = [variable for variable in variables if name in (variable.name, variable.set)]
        whole = (
            [variable for variable in variables if variable.name in question.answering] if question.id == name else []
        )
        found += exact or whole
    return tuple(found)


def number(variable: Variable, answer: Answer) -> Number | None:
    """Return the number that *answer* stands for, None where it has none: a code gives the value of its category."""
    if isinstance(answer, Missing):
        return None
    if not isinstance(answer, str):
        return answer
    return next((category.value for category in variable.categories if category.code == answer), None)


def _score(
    rule: ScoreRule,
    questions: Sequence[Question],
    rules: Mapping[str, ScoreRule],
    answers: Mapping[str, Answer],
    scores: Mapping[str, Score],
) -> Score:
    items = resolved(rule.items, rule, questions, rules)
    others = resolved(rule.others, rule, questions, rules)
    weights = dict(zip((item.name for item in items), rule.weights, strict=False))
    concern: list[Item] = []
    values: dict[str, Number] = {}
    kinds: list[Missing] = []
    for item in (*items, *others):
        answer: Answer = scores[item.name].value if item.variable is None else answers[item.name]
        if answer is Missing.ROUTED_PAST or answer is Missing.DOES_NOT_CONCERN:
            kinds.append(answer)
            continue
        concern.append(item)
        given = _number_of(item, answer)
        if given is None:
            kinds.append(answer if isinstance(answer, Missing) else Missing.NO_ANSWER)
        else:
            values[item.name] = _brought(rule, item, given)
    valid, asked = len(values), len(concern)
    if not values or valid < needed(rule, asked):
        same = kinds[0] if kinds and len(set(kinds)) == 1 and not values else Missing.NO_ANSWER
        return Score(same, valid, asked)
    value, which = _KINDS[rule.kind](_Given(rule, items, others, values, weights))
    return Score(value, valid, asked, which)


def needed(rule: ScoreRule, asked: int) -> int:
    """Return how many of the *asked* items must be answered. A whole number counts items, a fraction is a share."""
    wanted = rule.min_valid if rule.min_valid is not None else HALF if rule.kind in _FORGIVING else 1.0
    return wanted if isinstance(wanted, int) else math.ceil(wanted * asked - _CLOSE)


def _number_of(item: Item, answer: Answer) -> Number | None:
    if item.variable is not None:
        return number(item.variable, answer)
    return None if isinstance(answer, str) else answer  # of a score; a code or a kind of missing is no number


def _range(rule: ScoreRule, variable: Variable) -> tuple[Number, Number] | None:
    if len(rule.range) == 2:
        return rule.range[0], rule.range[1]
    if variable.kind is Kind.BINARY:
        return 0, 1
    values = [category.value for category in variable.categories if category.value is not None]
    return (min(values), max(values)) if values else None


def _range_of_score(rule: ScoreRule, score: ScoreRule) -> tuple[Number, Number] | None:
    if score.out_of is not None and score.kind not in ("sum", "difference", "ratio", "count"):
        return 0, score.out_of
    if score.kind == "count" and score.out_of is not None:
        return 0, score.out_of
    return (rule.range[0], rule.range[1]) if len(rule.range) == 2 else None


def _brought(rule: ScoreRule, item: Item, value: Number) -> Number:
    """Return *value* turned round where it is reversed, and brought to 0 … `out_of`."""
    if item.range is None:
        return value
    low, high = item.range
    if any(fnmatchcase(item.name, name) for name in rule.reversed):
        value = low + high - value
    if rule.out_of is None or rule.kind == "count":
        return value
    return (value - low) / (high - low) * rule.out_of


# The kinds


@dataclass(frozen=True)
class _Given:
    rule: ScoreRule
    items: tuple[Item, ...]
    others: tuple[Item, ...]
    values: Mapping[str, Number]
    weights: Mapping[str, Number]

    @property
    def numbers(self) -> list[Number]:
        """The values of the items, in their order, without those that are missing."""
        return [self.values[item.name] for item in self.items if item.name in self.values]

    def composition(self, items: Sequence[Item]) -> dict[str, float] | None:
        """Return the part of each item by code; None of a whole of 0, which has no parts."""
        values = {item.code: self.values[item.name] for item in items if item.name in self.values}
        whole = sum(values.values())
        return {code: value / whole for code, value in values.items()} if whole > 0 else None


_Result = tuple[Number | str | Missing, tuple[str, ...]]
_NOTHING: _Result = (Missing.DOES_NOT_CONCERN, ())
"""A whole of 0 has no parts, and nothing can be divided by 0: the score doesn't concern this respondent."""


def _sum(given: _Given) -> _Result:
    return sum(given.numbers), ()


def _mean(given: _Given) -> _Result:
    return sum(given.numbers) / len(given.numbers), ()


def _weighted_mean(given: _Given) -> _Result:
    weights = [given.weights.get(item.name, 1) for item in given.items if item.name in given.values]
    if not sum(weights):
        return _NOTHING
    return sum(weight * value for weight, value in zip(weights, given.numbers, strict=True)) / sum(weights), ()


def _count(given: _Given) -> _Result:
    rule = given.rule
    if rule.equals is not None:
        found = sum(value == rule.equals for value in given.numbers)
    else:
        low = rule.at_least
        found = sum(value > 0 if low is None else value >= low for value in given.numbers)
    counted: Number = found if rule.cap is None else min(found, rule.cap)
    if rule.out_of is not None:
        counted = counted / (rule.cap or len(given.numbers)) * rule.out_of
    return counted, ()


def _minimum(given: _Given) -> _Result:
    return _extreme(given, min(given.numbers))


def _maximum(given: _Given) -> _Result:
    return _extreme(given, max(given.numbers))


def _extreme(given: _Given, value: Number) -> _Result:
    which = (item.code for item in given.items if abs(given.values.get(item.name, math.inf) - value) < _CLOSE)
    return value, tuple(which)


def _spread(given: _Given) -> _Result:
    return max(given.numbers) - min(given.numbers), ()


def _difference(given: _Given) -> _Result:
    one, other = given.numbers
    floor = given.rule.floor
    return (one - other if floor is None else max(one - other, floor)), ()


def _ratio(given: _Given) -> _Result:
    one, other = given.numbers
    return (one / other, ()) if other else _NOTHING


def _product(given: _Given) -> _Result:
    """The first, times each of the others read as a percentage."""
    first, *others = given.numbers
    return math.prod([first, *(value / 100 for value in others)]), ()


def _share_of(given: _Given) -> _Result:
    composition = given.composition(given.items)
    named = next((item.code for item in given.items if given.rule.of in (item.name, item.code)), None)
    return _NOTHING if composition is None or named not in composition else (composition[named], ())


def _herfindahl(given: _Given) -> _Result:
    composition = given.composition(given.items)
    return _NOTHING if composition is None else (sum(part**2 for part in composition.values()), ())


def _dominant(given: _Given) -> _Result:
    highest = max(given.numbers)
    if highest <= 0:
        return NONE, ()
    close = given.rule.margin + _CLOSE
    top = tuple(item.code for item in given.items if given.values.get(item.name, -math.inf) >= highest - close)
    return (top[0] if len(top) == 1 else COMBO), top


def _modal(given: _Given) -> _Result:
    counts = Counter(given.numbers)
    most = max(counts.values())
    top = sorted(value for value, count in counts.items() if count == most)
    return (top[0] if len(top) == 1 else COMBO), tuple(f"{value:g}" for value in top)


def _distance(given: _Given) -> _Result:
    """Total variation: half the sum of the differences between two compositions, 0 the same, 1 nothing in common."""
    one, other = given.composition(given.items), given.composition(given.others)
    if one is None or other is None:
        return _NOTHING
    return sum(abs(one.get(code, 0) - other.get(code, 0)) for code in dict.fromkeys([*one, *other])) / 2, ()


def _fit(given: _Given) -> _Result:
    distance, _ = _distance(given)
    return _NOTHING if isinstance(distance, str) else (1 - distance, ())


def _overlap(given: _Given) -> _Result:
    """Jaccard: those above 0 in both, of those above 0 in either."""
    one, other = (
        {item.code for item in items if given.values.get(item.name, 0) > 0} for items in (given.items, given.others)
    )
    return (len(one & other) / len(one | other), ()) if one | other else _NOTHING


_KINDS: Mapping[str, Callable[[_Given], _Result]] = {
    "sum": _sum,
    "mean": _mean,
    "weighted_mean": _weighted_mean,
    "count": _count,
    "minimum": _minimum,
    "maximum": _maximum,
    "spread": _spread,
    "difference": _difference,
    "ratio": _ratio,
    "product": _product,
    "share_of": _share_of,
    "herfindahl": _herfindahl,
    "dominant": _dominant,
    "modal": _modal,
    "distance": _distance,
    "fit": _fit,
    "overlap": _overlap,
}
