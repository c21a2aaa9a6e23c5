"""Checks of `show_if`: that it names what is asked before, codes that exist, and that somebody can get there.

A placeholder in a text names what is asked before as well, so it is checked here too.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Any

from kysely import conditions, piping
from kysely.codebook import Kind, Missing, Number, Value, Variable
from kysely.conditions import (
    NOTHING,
    TIED,
    Answered,
    Comparison,
    Condition,
    Count,
    Dominant,
    Literal,
    Membership,
    Name,
    Operand,
)
from kysely.instrument import Page
from kysely.loading._binding import Binder, nearest
from kysely.questions._base import Question

MAXIMUM_TRIES = 50_000

_CODED = (Kind.NOMINAL, Kind.ORDINAL)


Part = Any
"""What may have a condition: a page, a question, a row or option."""


@dataclass(frozen=True)
class _Asked:
    """A variable and where it is asked; the conditions of *parts*, from the page inwards, decide whether it is."""

    variable: Variable
    question: Question
    page: Page
    at: int
    """The place of its question in the form."""
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class _Guarded:
    """A page, question, row or option with a condition, in those of *above*; it may name what stands before *at*."""

    part: Part
    where: str
    condition: Condition
    at: int
    kind: str
    above: tuple[Part, ...] = ()


def check(binder: Binder, form: str, pages: Sequence[Page]) -> None:
    """Note what is wrong with the conditions of the *form* that asks these *pages*."""
    scope = _Scope(pages)
    _check_placeholders(binder, form, scope, pages)
    sound = {id(guarded.part): _check_one(binder, form, scope, guarded) for guarded in scope.guarded}
    for guarded in scope.guarded:
        chain = scope.chain(guarded)
        if all(sound.get(id(part), True) for part in chain) and not binder.unread:
            _check_reachable(binder, scope, guarded)


class _Scope:
    """What one form asks, in its order."""

    def __init__(self, pages: Sequence[Page]):
        self.variables: dict[str, _Asked] = {}
        self._sets: dict[str, list[str]] = {}
        self.guarded: list[_Guarded] = []
        at = itertools.count()
        self.places: dict[int, int] = {}
        """Where each page and question stands, by its identity."""
        for page in pages:
            self.places[id(page)] = next(at)
            if page.show_if:
                self.guarded.append(
                    _Guarded(page, f"page {page.id!r}", page.show_if, self.places[id(page)], "page", (page,))
                )
            for question in page.questions:
                self.places[id(question)] = next(at)
                self._enter(page, question, self.places[id(question)])

    def _enter(self, page: Page, question: Question, here: int) -> None:
        where = f"question {question.id!r}"
        above = (page, question)
        if question.show_if:
            self.guarded.append(_Guarded(question, where, question.show_if, here, "question", above))
        variables = question.variables()
        members = _members(question)
        for variable in variables:
            parts = (*above, *members.get(variable.name, ()))
            self.variables.setdefault(variable.name, _Asked(variable, question, page, here, parts))
            if variable.set:
                self._sets.setdefault(variable.set, []).append(variable.name)
        kind = question.members.removesuffix("s")
        for member in question.conditional:
            called = f"{where}, {kind} {member.code}"
            self.guarded.append(_Guarded(member, called, member.show_if, here, kind, (*above, member)))

    @cached_property
    def sets(self) -> Mapping[str, tuple[str, ...]]:
        return {name: tuple(dict.fromkeys(members)) for name, members in self._sets.items()}

    def members(self, name: str) -> tuple[str, ...]:
        return self.sets.get(name) or ((name,) if name in self.variables else ())

    def chain(self, guarded: _Guarded) -> list[Part]:
        """Return every part whose condition bears on *guarded*: its own, those above, and those of what they name."""
        parts: dict[int, Part] = {}
        waiting: list[Part] = list(guarded.above)
        while waiting:
            part = waiting.pop()
            if part.show_if is None or id(part) in parts:
                continue
            parts[id(part)] = part
            for name in part.show_if.names:
                for member in self.members(name):
                    waiting += self.variables[member].parts
        return list(parts.values())


def _members(question: Question) -> dict[str, tuple[Part, ...]]:
    """Return the rows or options that each variable of *question* hangs on, those that have a condition."""
    found: dict[str, tuple[Part, ...]] = {}
    for member in question.conditional:
        rest = question.without(frozenset({member.code}))
        for name in set(question.names).difference(rest.names if rest else ()):
            found[name] = (*found.get(name, ()), member)
    return found


# References and codes


def _check_one(binder: Binder, form: str, scope: _Scope, guarded: _Guarded) -> bool:
    """Note what *guarded* names wrongly; return whether nothing was."""
    before = binder.noted
    for reference in conditions.references(guarded.condition):
        _check_reference(binder, form, scope, guarded, reference)
    for part in conditions.walk(guarded.condition.tree):
        if isinstance(part, Comparison):
            _check_comparison(binder, scope, guarded, part)
        elif isinstance(part, Membership):
            for value in part.values:
                _check_pair(binder, scope, guarded, part.left, "==", Literal(value))
    return guarded.condition.whole and binder.noted == before


def _check_reference(
    binder: Binder, form: str, scope: _Scope, guarded: _Guarded, reference: Name | Count | Dominant | Answered
) -> None:
    name = reference.set if isinstance(reference, Count | Dominant) else reference.name
    line = binder.node(guarded.part).at("show_if")
    if isinstance(reference, Count | Dominant) and name in scope.variables and name not in scope.sets:
        cause = f"{_named_so(reference)} wants a set of variables, and {name!r} is one variable"
        binder.add(line, guarded.where, cause, f"Compare {name} itself", "not_a_set")
        return
    if isinstance(reference, Dominant) and name in scope.sets:
        _check_dominant(binder, scope, line, guarded.where, name)
    if isinstance(reference, Name) and name in scope.sets and name not in scope.variables:
        cause = f"show_if compares {name!r}, which is a set of variables"
        cure = f"Write count({name}), answered({name}) or one variable such as {scope.sets[name][0]}"
        binder.add(line, guarded.where, cause, cure, "set_as_value")
        return
    members = scope.members(name)
    if not members:
        if not any(name == id or name.startswith(f"{id}_") for id in binder.unread):
            known = [*scope.variables, *scope.sets]
            of = f"form {form!r} asks no {name!r}" if form else f"there is no {name!r}"
            cure = nearest(name, known) or "Name a variable that is asked before"
            binder.add(line, guarded.where, f"show_if names {name!r}, but {of}", cure, "unknown_reference")
        return
    asked = scope.variables[members[0]]
    if asked.at >= guarded.at:
        later = binder.node(asked.question).at("id")
        if any(part is asked.question or part is asked.page for part in guarded.above[1:] or guarded.above):
            cause = f"show_if names {name!r}, which it asks itself"
            binder.add(line, guarded.where, cause, "Name something asked before", "forward_reference")
        else:
            cause = f"show_if names {name!r}, which is asked later (line {later})"
            binder.add(line, guarded.where, cause, f"Move {name!r} before it", "forward_reference")


def _check_comparison(binder: Binder, scope: _Scope, guarded: _Guarded, part: Comparison) -> None:
    left, right = part.left, part.right
    if isinstance(left, Literal) and isinstance(right, Literal):
        cause = f"show_if compares {left.value!r} with {right.value!r}, two fixed values"
        _mistyped(binder, guarded, cause, "Name a variable on one side")
    elif isinstance(right, Literal):
        _check_pair(binder, scope, guarded, left, part.sign, right)
    elif isinstance(left, Literal):
        _check_pair(binder, scope, guarded, right, _MIRRORED.get(part.sign, part.sign), left)
    else:
        _check_two(binder, scope, guarded, part)


_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


def _check_two(binder: Binder, scope: _Scope, guarded: _Guarded, part: Comparison) -> None:
    """Note two variables or counts that can't be compared."""
    kinds = [_holds(scope, operand) for operand in (part.left, part.right)]
    if "" in kinds:  # no such variable, which is told elsewhere
        return
    left, right = (operand for operand in (part.left, part.right))
    if kinds[0] != kinds[1]:
        cause = f"show_if compares {_named_so(left)}, which holds {kinds[0]}, with {_named_so(right)}, which holds "
        _mistyped(binder, guarded, cause + kinds[1], "Compare like with like")
    elif kinds[0] != _NUMBERS and part.sign not in ("==", "!="):
        cause = f"show_if orders {kinds[0]} by {part.sign}"
        _mistyped(binder, guarded, cause, "List the codes meant, as in X in ['A', 'B']")
    elif kinds[0] == _CODES and not _codes(scope, left).keys() & _codes(scope, right).keys():
        cause = f"show_if compares {_named_so(left)} with {_named_so(right)}, which have no code in common"
        _mistyped(binder, guarded, cause, "Compare each with the codes meant")


def _check_pair(
    binder: Binder,
    scope: _Scope,
    guarded: _Guarded,
    operand: Operand,
    sign: str,
    literal: Literal,
) -> None:
    """Note a literal that the operand never equals, or can't be compared with."""
    value = literal.value
    if isinstance(operand, Literal):
        cause = f"show_if looks for {operand.value!r} in a list, a fixed value"
        _mistyped(binder, guarded, cause, "Name a variable before `in`")
        return
    if isinstance(operand, Count):
        if isinstance(value, str):
            cause = f"show_if compares count({operand.set}) with {value!r}"
            _mistyped(binder, guarded, cause, "Compare a count with a number")
        elif operand.set in scope.sets:
            _check_possible(binder, guarded, operand, sign, value, range(len(scope.sets[operand.set]) + 1))
        return
    if isinstance(operand, Dominant):
        codes = _codes(scope, operand)
        if operand.set in scope.sets and value not in codes:
            cause = f"show_if names {value!r}, which {_named_so(operand)} never is"
            known = ", ".join(str(one) for one in codes)
            cure = nearest(value, codes) if isinstance(value, str) else ""
            line = binder.node(guarded.part).at("show_if")
            binder.add(line, guarded.where, cause, cure or f"Use one of: {known}", "unknown_code")
        elif sign not in ("==", "!="):
            _mistyped(
                binder,
                guarded,
                f"show_if orders the codes of {_named_so(operand)} by {sign}",
                "List the codes meant, as in dominant(X) in ['A', 'B']",
            )
        return
    asked = scope.variables.get(operand.name)
    if asked is None:
        return
    variable, holds = asked.variable, _holds(scope, operand)
    if isinstance(value, str) is (holds == _NUMBERS):
        cause = f"show_if compares {variable.name!r} with {value!r}, but it holds {holds}"
        _mistyped(binder, guarded, cause, _CURES[holds])
    elif isinstance(value, str) and sign not in ("==", "!="):
        cause = f"show_if orders the {holds} of {variable.name!r} by {sign}"
        _mistyped(binder, guarded, cause, "List the codes meant, as in X in ['A', 'B']")
    elif sign in ("==", "!=") and (allowed := _values(variable)):
        if value not in allowed:
            known = ", ".join(str(one) for one in allowed)
            cause = f"show_if names {value!r}, which is no code of {variable.name!r}"
            cure = nearest(value, allowed) if isinstance(value, str) else ""
            line = binder.node(guarded.part).at("show_if")
            binder.add(line, guarded.where, cause, cure or f"Use one of: {known}", "unknown_code")
    elif not isinstance(value, str):
        _check_possible(binder, guarded, operand, sign, value, _numbers(asked, value))


def _check_possible(
    binder: Binder, guarded: _Guarded, operand: Operand, sign: str, value: Number, numbers: Sequence[Number]
) -> None:
    """Note a comparison that holds for none of the *numbers* that the operand can be."""
    compared = (Condition("", Comparison(Literal(number), sign, Literal(value))) for number in numbers)
    if not numbers or any(conditions.evaluate(one, {}, {}) for one in compared):
        return
    cause = f"show_if asks whether {_named_so(operand)} {sign} {value}, which is never so"
    cure = "Compare it with a number that it can be"
    binder.add(binder.node(guarded.part).at("show_if"), guarded.where, cause, cure, "never_so")


_CODES, _TEXT, _NUMBERS = "codes", "text", "numbers"
_CURES = {
    _CODES: "Write the code in quotes",
    _TEXT: "Write the text in quotes",
    _NUMBERS: "Write a number without quotes",
}


def _mistyped(binder: Binder, guarded: _Guarded, cause: str, cure: str) -> None:
    binder.add(binder.node(guarded.part).at("show_if"), guarded.where, cause, cure, "condition_type")


def _holds(scope: _Scope, operand: Operand) -> str:
    """Return what *operand* holds in a word, "" where there is no such variable."""
    if isinstance(operand, Dominant):
        return _CODES
    if not isinstance(operand, Name):
        return _NUMBERS
    if operand.name not in scope.variables:
        return ""
    kind = scope.variables[operand.name].variable.kind
    return _CODES if kind in _CODED else _TEXT if kind is Kind.TEXT else _NUMBERS


def _named_so(operand: Operand | Answered) -> str:
    match operand:
        case Count(set=name, sign=sign, than=than):
            return f"count({name})" if (sign, than) == (">", 0) else f"count({name} {sign} {than})"
        case Dominant(set=name):
            return f"dominant({name})"
    return repr(getattr(operand, "name", ""))


def _codes(scope: _Scope, operand: Operand) -> dict[Value, None]:
    match operand:
        case Name(name=name):
            return dict.fromkeys(_values(scope.variables[name].variable))
        case Dominant(set=name):
            codes = [scope.variables[member].variable.code or "" for member in scope.sets.get(name, ())]
            return dict.fromkeys((*codes, TIED, NOTHING))
    return {}


def _numbers(asked: _Asked, value: Number) -> list[Number]:
    """Return numbers that *asked* can hold, on either side of *value* and far from it."""
    listed = _values(asked.variable)
    steps = (0, 0.5, *(10.0**power for power in range(-6, 16)))
    tried = listed or (0, 1, value, *(value + sign * step for step in steps for sign in (1, -1)))
    return [one for one in tried if not isinstance(one, str) and asked.question.accepts(asked.variable.name, one)]


def _values(variable: Variable) -> tuple[Value, ...]:
    """Return everything a closed variable can hold; () where that isn't listed."""
    if variable.kind is Kind.BINARY:
        return (0, 1)
    if variable.kind is Kind.LEVEL:
        return tuple(category.value for category in variable.categories if category.value is not None)
    return tuple(category.code for category in variable.categories)


# Reachability


def _check_reachable(binder: Binder, scope: _Scope, guarded: _Guarded) -> None:
    """Try every combination of answers that matters, and note a part that none of them shows.

    Answers matter as far as conditions can tell them apart, so the domains are small. Where there are still
    too many combinations a sample is tried, and finding none is a warning.
    """
    chain = scope.chain(guarded)
    named = _named(scope, chain)
    domains = [_domain(scope, asked, chain) for asked in named]
    count = 1
    for domain in domains:
        count *= len(domain)
    exhaustive = count <= MAXIMUM_TRIES
    for values in itertools.product(*domains) if exhaustive else _sample(domains):
        if _shown(scope, guarded, dict(zip((asked.variable.name for asked in named), values, strict=True)), named):
            return
    kind = guarded.kind
    line = binder.node(guarded.part).at("show_if")
    cause = (
        f"no answers lead to this {kind}"
        if exhaustive
        else f"none of {MAXIMUM_TRIES} combinations of answers leads to this {kind}"
    )
    cure = f"Look at the condition {guarded.condition.source!r}, and at those of what it names"
    binder.add(line, guarded.where, cause, cure, f"unreachable_{kind}", fatal=exhaustive)


def _named(scope: _Scope, chain: Sequence[Part]) -> list[_Asked]:
    """Return the variables that conditions of *chain* name, in the order asked."""
    names = {member for part in chain if part.show_if for name in part.show_if.names for member in scope.members(name)}
    return sorted((scope.variables[name] for name in names), key=lambda asked: (asked.at, asked.variable.name))


def _domain(scope: _Scope, asked: _Asked, chain: Sequence[Part]) -> tuple[Value | Missing, ...]:
    """Return values that stand for all that *asked* may hold: those conditions mention, those between, and none."""
    variable = asked.variable
    mentioned = list(dict.fromkeys(_mentioned(variable.name, chain)))
    if variable.kind in (Kind.BINARY, Kind.LEVEL):
        values = list(_values(variable))
        if not mentioned and variable.set and not _compared_in_set(variable.set, chain):  # only counted: chosen or not
            return (max(values), min(values))
    elif variable.kind is Kind.NUMBER:
        numbers = sorted(value for value in mentioned if not isinstance(value, str))
        values = [number + step for number in numbers for step in (0, -1, 1, -0.5, 0.5, -1e-6, 1e-6)]
        values += [(low + high) / 2 for low, high in itertools.pairwise(numbers)] + [0, 1]
    elif variable.kind in _CODED:
        codes = _values(variable)
        others = [code for code in codes if code not in mentioned]
        values = [code for code in mentioned if code in codes] + (list(codes) if not mentioned else others[:1])
    else:
        values = [*mentioned, "x"]
    return (
        *dict.fromkeys(value for value in values if asked.question.accepts(variable.name, value)),
        Missing.NO_ANSWER,
    )


def _compared_in_set(name: str, chain: Sequence[Part]) -> bool:
    """Whether it matters how high the members of the set stand, not only whether above 0."""
    trees = (tree for part in chain if part.show_if for tree in conditions.walk(part.show_if.tree))
    return any(isinstance(tree, Dominant | Count) and tree.set == name and tree != Count(name) for tree in trees)


def _mentioned(name: str, chain: Sequence[Part]) -> Iterator[Value]:
    for part in chain:
        for tree in conditions.walk(part.show_if.tree) if part.show_if else ():
            match tree:
                case Comparison(left=Name(name=found), right=Literal(value=value)) if found == name:
                    yield value
                case Comparison(left=Literal(value=value), right=Name(name=found)) if found == name:
                    yield value
                case Membership(left=Name(name=found), values=values) if found == name:
                    yield from values


def _sample(domains: Sequence[Sequence[Value | Missing]]) -> Iterator[tuple[Value | Missing, ...]]:
    rng = Random(0)  # the same file must always be told the same
    return (tuple(rng.choice(domain) for domain in domains) for _ in range(MAXIMUM_TRIES))


def _shown(scope: _Scope, guarded: _Guarded, values: Mapping[str, Value | Missing], named: Sequence[_Asked]) -> bool:
    visible: dict[str, Value | Missing] = {}
    passed: set[str] = set()

    def holds(part: Part) -> bool:
        if part.show_if is None:
            return True
        # As on the real way: what isn't shown is in no count, unless nothing of its set is.
        sets = {
            name: tuple(one for one in scope.sets[name] if one not in passed) or scope.sets[name]
            for name in part.show_if.names
            if name in scope.sets
        }
        return conditions.evaluate(part.show_if, visible, sets) is True

    for asked in named:
        if all(holds(part) for part in asked.parts):
            visible[asked.variable.name] = values[asked.variable.name]
        else:
            passed.add(asked.variable.name)
    return all(holds(part) for part in guarded.above)


# Placeholders


def _check_placeholders(binder: Binder, form: str, scope: _Scope, pages: Sequence[Page]) -> None:
    for page in pages:
        if page.piped:
            _check_texts(binder, form, scope, page, f"page {page.id!r}")
        for question in page.questions:
            if question.piped:
                _check_texts(binder, form, scope, question, f"question {question.id!r}")


def _check_texts(binder: Binder, form: str, scope: _Scope, part: Page | Question, where: str) -> None:
    """Note placeholders of *part* that show nothing, or not in every language."""
    for owner, key, text in piping.texts(part):
        if isinstance(owner, Question) and owner is not part:
            continue  # a page's questions are looked at one by one
        line = binder.node(owner).at(key)
        found = {language: piping.placeholders(wording) for language, wording in text.items()}
        for one in dict.fromkeys(one for each in found.values() for one in each):
            lacking = [language for language, each in found.items() if str(one) not in map(str, each)]
            if lacking:
                cause = f"the placeholder {{{one}}} is missing in {', '.join(lacking)}"
                binder.add(line, where, cause, "Write it in every language", "placeholder_missing")
            if one.fallback is None or not one.fallback.strip():
                cause = f"the placeholder {{{one}}} doesn't say what is shown if there is no answer"
                cure = f"Write it with other words after a bar: {{{one}|…}}"
                binder.add(line, where, cause, cure, "placeholder_fallback")
            _check_placeholder(binder, form, scope, part, where, line, one)


def _check_placeholder(
    binder: Binder, form: str, scope: _Scope, part: Page | Question, where: str, line: int, one: piping.Placeholder
) -> None:
    members = scope.members(one.name)
    if not members:
        if not any(one.name == id or one.name.startswith(f"{id}_") for id in binder.unread):
            known = [*scope.variables, *scope.sets]
            of = f"form {form!r} asks no {one.name!r}" if form else f"there is no {one.name!r}"
            cure = nearest(one.name, known) or "Name a variable that is asked before"
            binder.add(line, where, f"the text shows {one.name!r}, but {of}", cure, "unknown_reference")
        return
    asked = scope.variables[members[0]]
    if asked.at >= scope.places[id(part)]:
        later = binder.node(asked.question).at("id")
        cause = f"the text shows {one.name!r}, which is asked later (line {later})"
        if asked.question is part:
            cause = f"the text shows {one.name!r}, which the question asks itself"
        binder.add(line, where, cause, f"Show something asked before {where}", "forward_reference")
    elif asked.question.identifies:
        cause = f"the text shows {one.name!r}, which says who the respondent is"
        binder.add(line, where, cause, "Take it out: it is kept apart from the answers", "placeholder_identity")
    elif one.dominant:
        _check_dominant(binder, scope, line, where, one.name)
    elif one.name not in scope.variables and asked.variable.kind not in (Kind.BINARY, Kind.LEVEL, Kind.NUMBER):
        cause = f"the text shows {one.name!r}, which is no set of options"
        binder.add(line, where, cause, f"Name one of its variables such as {members[0]}", "not_a_set")


def _check_dominant(binder: Binder, scope: _Scope, line: int, where: str, name: str) -> None:
    """Note a set *name* that has no highest member, or whose codes say what `dominant` says in other words."""
    if name not in scope.sets:
        cause = f"dominant({name}) wants a set of levels, and {name!r} is one variable"
        binder.add(line, where, cause, "Name the set that is rated", "not_a_set")
        return
    variables = [scope.variables[member].variable for member in scope.sets[name]]
    if any(variable.kind not in (Kind.LEVEL, Kind.NUMBER) for variable in variables):
        cause = f"dominant({name}) wants levels or numbers, and the set holds others"
        binder.add(line, where, cause, "Name the set that is rated, not the one that is chosen", "not_levels")
    for variable in variables:
        if variable.code in (TIED, NOTHING):
            cause = f"dominant({name}) says {variable.code} for a tie or for none, and an option has that code"
            binder.add(line, where, cause, "Give the option another code", "dominant_code")
