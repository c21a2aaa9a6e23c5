"""`show_if` as data: read it into a frozen tree, evaluate it with three truth values, list what it names.

The notation is a small part of Python's, read by `ast` against a whitelist and evaluated by the
functions below; nothing is ever run as code.
"""

from __future__ import annotations

import ast
import operator
import typing as _t
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from kysely.codebook import Answer, Missing, Number

MAXIMUM_LENGTH = 500
MAXIMUM_DEPTH = 20

TIED = "COMBO"
NOTHING = "NONE"
"""What `dominant` says where there is no one member with the highest level."""


class ConditionError(Exception):
    """The text is no condition; *cause* says what was found, *cure* what to write."""

    def __init__(self, cause: str, cure: str):
        self.cause = cause
        self.cure = cure
        super().__init__(f"{cause}. {cure}.")


@dataclass(frozen=True)
class Name:
    """The value of a variable."""

    name: str


@dataclass(frozen=True)
class Count:
    """How many options of a multiple-response set are chosen, or how many rows of a set compare so with a number."""

    set: str
    sign: str = ">"
    than: Number = 0


@dataclass(frozen=True)
class Dominant:
    """The code of the member of a set that has the highest level; TIED if several have, NOTHING if all are 0."""

    set: str


@dataclass(frozen=True)
class Literal:
    value: str | Number


@dataclass(frozen=True)
class Comparison:
    left: Operand
    sign: str
    right: Operand


@dataclass(frozen=True)
class Membership:
    left: Operand
    values: tuple[str | Number, ...]
    negated: bool


@dataclass(frozen=True)
class Answered:
    """Whether a variable, or any variable of a set, holds a value; never unknown."""

    name: str


@dataclass(frozen=True)
class Not:
    part: Tree


@dataclass(frozen=True)
class All:
    parts: tuple[Tree, ...]


@dataclass(frozen=True)
class Any:
    parts: tuple[Tree, ...]


Operand = Name | Count | Dominant | Literal
Tree = Comparison | Membership | Answered | Not | All | Any
Sets = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Condition:
    """A condition as its author wrote it, and the tree it was read into; not *whole* where a part can't be read."""

    source: str
    tree: Tree
    whole: bool = True

    @cached_property
    def names(self) -> frozenset[str]:
        """Every variable and set that the condition names."""
        return frozenset(part.set if isinstance(part, Count | Dominant) else part.name for part in references(self))

    def __str__(self) -> str:
        return self.source


def parse(source: str) -> Condition:
    """Return the condition that *source* writes.

    Raises ConditionError with the first fault; `read` tells them all.
    """
    condition, faults = read(source)
    if faults or condition is None:
        raise faults[0]
    return condition


def read(source: str) -> tuple[Condition | None, tuple[ConditionError, ...]]:
    """Return the condition that *source* writes, as far as it can be read, and what can't."""
    if len(source) > MAXIMUM_LENGTH:
        cause = f"the condition has {len(source)} characters, {MAXIMUM_LENGTH} are allowed"
        return None, (ConditionError(cause, "Ask a question that sums the matter up, or split the page"),)
    if "\\" in source or "\n" in source.strip():
        cause = "the condition holds a backslash or a line break"
        return None, (ConditionError(cause, "Write it on one line, codes as they are"),)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of Python's reader, about text that we refuse below anyway
            expression = ast.parse(source.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        cause = f"{source.strip()!r} can't be read as a condition"
        return None, (ConditionError(cause, "Write it like BG07 == 'UNIT' and count(BG16) >= 2"),)
    reader = _Reader()
    tree = reader.tree(expression, 0)
    faults = tuple(reader.faults)
    return None if tree is None else Condition(source.strip(), tree, whole=not faults), faults


def evaluate(condition: Condition, answers: Mapping[str, Answer], sets: Sets) -> bool | None:
    """Return whether the condition holds for the *answers* that are on the path, None where that is unknown.

    A variable that is absent or missing is unknown, and so is what hangs on it: `not` of unknown is unknown,
    `and` is false as soon as a part is false, `or` true as soon as a part is true. *sets* lists the variables
    of each multiple-response set.
    """
    return _truth(condition.tree, answers, sets)


def dominant(levels: Mapping[str, Answer]) -> tuple[str, ...]:
    """Return the names with the highest of *levels*, several if they share it, none if it is 0."""
    numbers = {name: level for name, level in levels.items() if isinstance(level, int | float)}
    highest = max(numbers.values(), default=0)
    return tuple(name for name, level in numbers.items() if level == highest) if highest > 0 else ()


def references(condition: Condition) -> Iterator[Name | Count | Dominant | Answered]:
    """Yield each mention of a variable or set, in the order written."""
    return (part for part in walk(condition.tree) if isinstance(part, Name | Count | Dominant | Answered))


def walk(tree: Tree | Operand) -> Iterator[Tree | Operand]:
    """Yield *tree* and everything in it, in the order written."""
    yield tree
    match tree:
        case Comparison(left=left, right=right):
            yield from walk(left)
            yield from walk(right)
        case Membership(left=left):
            yield from walk(left)
        case Not(part=part):
            yield from walk(part)
        case All(parts=parts) | Any(parts=parts):
            for part in parts:
                yield from walk(part)


# Reading

_SIGNS: Mapping[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}


class _Reader:
    """Reads what it can of a condition; None stands for what it can't, and the fault is kept."""

    def __init__(self) -> None:
        self.faults: list[ConditionError] = []

    def fault(self, cause: str, cure: str) -> None:
        self.faults.append(ConditionError(cause, cure))

    def tree(self, node: ast.expr, depth: int) -> Tree | None:
        if depth > MAXIMUM_DEPTH:
            self.fault(
                f"the condition is nested more than {MAXIMUM_DEPTH} deep", "Take out parentheses that aren't needed"
            )
            return None
        match node:
            case ast.BoolOp(op=op, values=values):
                parts = _kept(self.tree(value, depth + 1) for value in values)
                joined = All if isinstance(op, ast.And) else Any
                return joined(parts) if parts else None
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                part = self.tree(operand, depth + 1)
                return None if part is None else Not(part)
            case ast.Compare(left=left, ops=ops, comparators=comparators):
                return self.comparisons(left, ops, comparators)
            case ast.Call(func=ast.Name(id="answered"), args=[ast.Name(id=name)], keywords=[]):
                return Answered(name)
        self.fault(
            f"{_written(node)} is no statement that is true or false",
            "Compare a variable with a value, as in BG07 == 'UNIT', or write answered(BG07)",
        )
        return None

    def comparisons(self, left: ast.expr, ops: list[ast.cmpop], comparators: list[ast.expr]) -> Tree | None:
        lefts = [left, *comparators]
        parts = _kept(self.comparison(*three) for three in zip(lefts, ops, comparators, strict=False))
        if not parts:
            return None
        return parts[0] if len(parts) == 1 else All(parts)

    def comparison(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> Tree | None:
        if isinstance(op, ast.In | ast.NotIn):
            operand, values = self.operand(left), self.values(right)
            return Membership(operand, values, isinstance(op, ast.NotIn)) if operand and values else None
        sign = _SIGNS.get(type(op))
        if sign is None:
            self.fault("a comparison by `is`", "Write == or !=")
        one, other = self.operand(left), self.operand(right)
        return Comparison(one, sign, other) if one and sign and other else None

    def values(self, node: ast.expr) -> tuple[str | Number, ...]:
        if not isinstance(node, ast.List | ast.Tuple) or not node.elts:
            self.fault(f"{_written(node)} is no list of values", "Write it like BG01 in ['TOP', 'MID']")
            return ()
        return tuple(value for each in node.elts if (value := self.literal(each)) is not None)

    def operand(self, node: ast.expr) -> Operand | None:
        match node:
            case ast.Name(id=name):
                return Name(name)
            case ast.Call(func=ast.Name(id="count"), args=[ast.Name(id=name)], keywords=[]):
                return Count(name)
            case ast.Call(
                func=ast.Name(id="count"),
                args=[ast.Compare(left=ast.Name(id=name), ops=[op], comparators=[ast.Constant(value=than)])],
                keywords=[],
            ) if type(op) in _SIGNS and isinstance(than, int | float) and not isinstance(than, bool):
                return Count(name, _SIGNS[type(op)], than)
            case ast.Call(func=ast.Name(id="dominant"), args=[ast.Name(id=name)], keywords=[]):
                return Dominant(name)
        value = self.literal(node)
        return None if value is None else Literal(value)

    def literal(self, node: ast.expr) -> str | Number | None:
        match node:
            case ast.Constant(value=value) if isinstance(value, str | int | float) and not isinstance(value, bool):
                return value
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=value)) if isinstance(
                value, int | float
            ) and not isinstance(value, bool):
                return -value
            case ast.Name(id=name):
                self.fault(f"{name} stands where a code or number should", f"Put codes in quotes: '{name}'")
                return None
        self.fault(
            f"{_written(node)} can't be used in a condition",
            "Use variables, codes in quotes, numbers, count(SET), count(SET >= 3), dominant(SET) and answered(NAME)",
        )
        return None


def _kept(parts: Iterable[Tree | None]) -> tuple[Tree, ...]:
    return tuple(part for part in parts if part is not None)


def _written(node: ast.expr) -> str:
    return repr(ast.unparse(node)[:60])


# Evaluating

_COMPARE: Mapping[str, Callable[[_t.Any, _t.Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True)
class _Between:
    """A count some of whose options are unknown: from *low*, if none of them is chosen, to *high*."""

    low: int
    high: int


def _truth(tree: Tree, answers: Mapping[str, Answer], sets: Sets) -> bool | None:
    match tree:
        case Comparison(left=left, sign=sign, right=right):
            return _compared(_value(left, answers, sets), sign, _value(right, answers, sets))
        case Membership(left=left, values=values, negated=negated):
            value = _value(left, answers, sets)
            found = _any([_compared(value, "==", each) for each in values])
            return _negated(found) if negated else found
        case Answered(name=name):
            return any(_known(answers.get(member)) for member in sets.get(name, (name,)))
        case Not(part=part):
            return _negated(_truth(part, answers, sets))
        case All(parts=parts):
            return _negated(_any([_negated(_truth(part, answers, sets)) for part in parts]))
        case Any(parts=parts):
            return _any([_truth(part, answers, sets) for part in parts])


def _value(operand: Operand, answers: Mapping[str, Answer], sets: Sets) -> str | Number | _Between | None:
    match operand:
        case Literal(value=value):
            return value
        case Name(name=name):
            answer = answers.get(name)
            return None if isinstance(answer, Missing) else answer
        case Count(set=name, sign=sign, than=than):
            members = sets.get(name, ())
            known = [answer for member in members if _known(answer := answers.get(member))]
            chosen = sum(1 for answer in known if isinstance(answer, int | float) and _COMPARE[sign](answer, than))
            unknown = len(members) - len(known)
            return _Between(chosen, chosen + unknown) if unknown else chosen
        case Dominant(set=name):
            members = sets.get(name, ())
            levels = {member: answers[member] for member in members if _known(answers.get(member))}
            if not members or len(levels) < len(members):
                return None
            highest = dominant(levels)
            return NOTHING if not highest else TIED if len(highest) > 1 else highest[0].removeprefix(f"{name}_")


def _known(answer: Answer | None) -> bool:
    return answer is not None and not isinstance(answer, Missing)


def _compared(left: str | Number | _Between | None, sign: str, right: str | Number | _Between | None) -> bool | None:
    if left is None or right is None:
        return None
    if isinstance(left, _Between) or isinstance(right, _Between):
        # The count is one of these; what holds for all of them is known.
        found = {_compared(a, sign, b) for a in _possible(left) for b in _possible(right)}
        return found.pop() if len(found) == 1 else None
    if isinstance(left, str) is not isinstance(right, str):
        return {"==": False, "!=": True}.get(sign)
    return _COMPARE[sign](left, right)


def _possible(value: str | Number | _Between) -> tuple[str | Number, ...]:
    return tuple(range(value.low, value.high + 1)) if isinstance(value, _Between) else (value,)


def _any(parts: list[bool | None]) -> bool | None:
    if True in parts:
        return True
    return None if None in parts else False


def _negated(truth: bool | None) -> bool | None:
    return None if truth is None else not truth
