"""Checks of `show_if`: that it names what is asked before, codes that exist, and that somebody can get there."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from kysely import conditions
from kysely.codebook import Kind, Missing, Value, Variable
from kysely.conditions import Answered, Comparison, Condition, Count, Literal, Membership, Name
from kysely.instrument import Page
from kysely.loading._binding import Binder, nearest
from kysely.questions._base import Question

MAXIMUM_TRIES = 50_000

_CODED = (Kind.NOMINAL, Kind.ORDINAL)


@dataclass(frozen=True)
class _Asked:
    """A variable and where it is asked: the condition of its page and of its question decide whether it is."""

    variable: Variable
    question: Question
    page: Page
    at: int
    """The place of its question in the form."""


@dataclass(frozen=True)
class _Guarded:
    """A page or question with a condition; it may name what stands before *at*."""

    part: Page | Question
    where: str
    condition: Condition
    at: int


def check(binder: Binder, form: str, pages: Sequence[Page]) -> None:
    """Note what is wrong with the conditions of the *form* that asks these *pages*."""
    scope = _Scope(pages)
    sound = {id(guarded.part): _check_one(binder, form, scope, guarded) for guarded in scope.guarded}
    for guarded in scope.guarded:
        chain = scope.chain(guarded)
        if all(sound.get(id(part), True) for part in chain) and not binder.unread:
            _check_reachable(binder, scope, guarded)


class _Scope:
    """What one form asks, in its order."""

    def __init__(self, pages: Sequence[Page]):
        self.variables: dict[str, _Asked] = {}
        self.sets: dict[str, tuple[str, ...]] = {}
        self.guarded: list[_Guarded] = []
        at = itertools.count()
        for page in pages:
            if page.show_if:
                self.guarded.append(_Guarded(page, f"page {page.id!r}", page.show_if, next(at)))
            for question in page.questions:
                here = next(at)
                if question.show_if:
                    self.guarded.append(_Guarded(question, f"question {question.id!r}", question.show_if, here))
                for variable in question.variables():
                    self.variables.setdefault(variable.name, _Asked(variable, question, page, here))
                for name in question.sets():
                    members = tuple(v.name for v in question.variables() if v.set == name)
                    self.sets.setdefault(name, members)

    def members(self, name: str) -> tuple[str, ...]:
        return self.sets.get(name) or ((name,) if name in self.variables else ())

    def page_of(self, part: Page | Question) -> Page | None:
        return next((asked.page for asked in self.variables.values() if asked.question is part), None)

    def chain(self, guarded: _Guarded) -> list[Page | Question]:
        """Return every part whose condition bears on *guarded*: its own, its page's, and those of what they name."""
        parts: list[Page | Question] = []
        waiting: list[Page | Question | None] = [guarded.part, self.page_of(guarded.part)]
        while waiting:
            part = waiting.pop()
            if part is None or part.show_if is None or any(part is known for known in parts):
                continue
            parts.append(part)
            for name in part.show_if.names:
                for member in self.members(name):
                    waiting += [self.variables[member].question, self.variables[member].page]
        return parts


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
    return binder.noted == before


def _check_reference(
    binder: Binder, form: str, scope: _Scope, guarded: _Guarded, reference: Name | Count | Answered
) -> None:
    name = reference.set if isinstance(reference, Count) else reference.name
    line = binder.node(guarded.part).at("show_if")
    if isinstance(reference, Count) and name in scope.variables and name not in scope.sets:
        cause = f"count({name}) wants a multiple-response set, and {name!r} is one variable"
        binder.add(line, guarded.where, cause, f"Compare {name} itself", "not_a_set")
        return
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
        if asked.question is guarded.part or asked.page is guarded.part:
            cause = f"show_if names {name!r}, which it asks itself"
            binder.add(line, guarded.where, cause, "Name something asked before", "forward_reference")
        else:
            cause = f"show_if names {name!r}, which is asked later (line {later})"
            binder.add(line, guarded.where, cause, f"Move {name!r} before it", "forward_reference")


def _check_comparison(binder: Binder, scope: _Scope, guarded: _Guarded, part: Comparison) -> None:
    if isinstance(part.left, Literal) and isinstance(part.right, Literal):
        line = binder.node(guarded.part).at("show_if")
        cause = f"show_if compares {part.left.value!r} with {part.right.value!r}, two fixed values"
        binder.add(line, guarded.where, cause, "Name a variable on one side", "condition_type")
    elif isinstance(part.right, Literal):
        _check_pair(binder, scope, guarded, part.left, part.sign, part.right)
    elif isinstance(part.left, Literal):
        _check_pair(binder, scope, guarded, part.right, part.sign, part.left)
    elif _counted(scope, part.left) is not _counted(scope, part.right):
        line = binder.node(guarded.part).at("show_if")
        cause = "show_if compares a number with a code"
        binder.add(line, guarded.where, cause, "Compare like with like", "condition_type")


def _check_pair(
    binder: Binder,
    scope: _Scope,
    guarded: _Guarded,
    operand: Name | Count | Literal,
    sign: str,
    literal: Literal,
) -> None:
    """Note a literal that the operand never equals, or can't be compared with."""
    line = binder.node(guarded.part).at("show_if")
    value = literal.value
    if isinstance(operand, Literal):
        cause = f"show_if looks for {operand.value!r} in a list, a fixed value"
        binder.add(line, guarded.where, cause, "Name a variable before `in`", "condition_type")
        return
    if isinstance(operand, Count):
        if isinstance(value, str):
            cause = f"show_if compares count({operand.set}) with {value!r}"
            binder.add(line, guarded.where, cause, "Compare a count with a number", "condition_type")
        return
    asked = scope.variables.get(operand.name)
    if asked is None:
        return
    variable = asked.variable
    if isinstance(value, str) is not (variable.kind in (*_CODED, Kind.TEXT)):
        holds = "codes" if variable.kind in _CODED else "text" if variable.kind is Kind.TEXT else "numbers"
        cause = f"show_if compares {variable.name!r} with {value!r}, but it holds {holds}"
        cure = "Write the code in quotes" if variable.kind in _CODED else "Write a number without quotes"
        binder.add(line, guarded.where, cause, cure, "condition_type")
    elif variable.kind in (*_CODED, Kind.TEXT) and sign not in ("==", "!="):
        cause = f"show_if orders the codes of {variable.name!r} by {sign}"
        binder.add(line, guarded.where, cause, "List the codes meant, as in X in ['A', 'B']", "condition_type")
    elif sign in ("==", "!=") and (allowed := _values(variable)) and value not in allowed:
        known = ", ".join(str(one) for one in allowed)
        cause = f"show_if names {value!r}, which is no code of {variable.name!r}"
        cure = nearest(value, allowed) if isinstance(value, str) else ""
        binder.add(line, guarded.where, cause, cure or f"Use one of: {known}", "unknown_code")


def _values(variable: Variable) -> tuple[Value, ...]:
    """Return everything a closed variable can hold; () where that isn't listed."""
    if variable.kind is Kind.BINARY:
        return (0, 1)
    if variable.kind is Kind.LEVEL:
        return tuple(category.value for category in variable.categories if category.value is not None)
    return tuple(category.code for category in variable.categories)


def _counted(scope: _Scope, operand: Name | Count | Literal) -> bool:
    if isinstance(operand, Name) and operand.name in scope.variables:
        return scope.variables[operand.name].variable.kind not in (*_CODED, Kind.TEXT)
    return True


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
    kind = "page" if isinstance(guarded.part, Page) else "question"
    line = binder.node(guarded.part).at("show_if")
    cause = (
        f"no answers lead to this {kind}"
        if exhaustive
        else f"none of {MAXIMUM_TRIES} combinations of answers leads to this {kind}"
    )
    cure = f"Look at the condition {guarded.condition.source!r}, and at those of what it names"
    binder.add(line, guarded.where, cause, cure, f"unreachable_{kind}", fatal=exhaustive)


def _named(scope: _Scope, chain: Sequence[Page | Question]) -> list[_Asked]:
    """Return the variables that conditions of *chain* name, in the order asked."""
    names = {member for part in chain if part.show_if for name in part.show_if.names for member in scope.members(name)}
    return sorted((scope.variables[name] for name in names), key=lambda asked: (asked.at, asked.variable.name))


def _domain(scope: _Scope, asked: _Asked, chain: Sequence[Page | Question]) -> tuple[Value | Missing, ...]:
    """Return values that stand for all that *asked* may hold: those conditions mention, those between, and none."""
    variable = asked.variable
    mentioned = list(dict.fromkeys(_mentioned(variable.name, chain)))
    if variable.kind in (Kind.BINARY, Kind.LEVEL):
        values = list(_values(variable))
        if not mentioned and variable.set:  # only counted: chosen or not
            return (max(values), min(values))
    elif variable.kind is Kind.NUMBER:
        numbers = sorted(value for value in mentioned if not isinstance(value, str))
        values = [near for number in numbers for near in (number, number - 1, number + 1, number - 0.5, number + 0.5)]
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


def _mentioned(name: str, chain: Sequence[Page | Question]) -> Iterator[Value]:
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

    def holds(part: Page | Question | None) -> bool:
        if part is None or part.show_if is None:
            return True
        return conditions.evaluate(part.show_if, visible, scope.sets) is True

    for asked in named:
        if holds(asked.page) and holds(asked.question):
            visible[asked.variable.name] = values[asked.variable.name]
    return holds(guarded.part) and holds(scope.page_of(guarded.part))
