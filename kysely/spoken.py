"""Conditions in words, as a respondent reads them on paper: "you chose “Companies” in question 5"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ruamel.yaml import YAML

from kysely.codebook import Category, Kind, Number, Variable
from kysely.conditions import (
    NOTHING,
    TIED,
    All,
    Answered,
    Any,
    Comparison,
    Condition,
    Count,
    Dominant,
    Literal,
    Membership,
    Name,
    Not,
    Operand,
    Tree,
)
from kysely.instrument import Instrument
from kysely.questions._base import wording

_FILE = Path(__file__).with_name("paper.yaml")
_OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_SIGNS = {"==": "equal", "!=": "unequal", ">=": "at_least", "<=": "at_most", ">": "above", "<": "below"}


@dataclass(frozen=True)
class Words:
    """The sentences of one language; a language that the engine doesn't speak is told in English."""

    language: str

    def say(self, key: str, **figures: object) -> str:
        return wording(_sentences()[key], self.language).format(**figures)

    def quoted(self, text: str) -> str:
        return self.say("quote", text=text)

    def listed(self, texts: list[str], last: str) -> str:
        """Return *texts* with commas between them and the word *last*, and or or, before the last."""
        joined = f" {self.say(last)} "
        return joined.join([*([", ".join(texts[:-1])] if texts[:-1] else []), *texts[-1:]])


@dataclass(frozen=True)
class Speaker:
    """Says conditions of an instrument; *numbers* tells which question each variable and set is asked by."""

    instrument: Instrument
    numbers: Mapping[str, str]
    words: Words

    def say(self, condition: Condition) -> str:
        """Return *condition* as it stands behind "if"."""
        return self._tree(condition.tree, plain=True, inner=False)

    def _tree(self, tree: Tree, *, plain: bool, inner: bool = True) -> str:
        """Return *tree* in words, or its opposite where it isn't *plain*; *inner* parts are put in parentheses."""
        match tree:
            case Not(part=part):
                return self._tree(part, plain=not plain, inner=inner)
            case All(parts=parts) | Any(parts=parts):
                if len(parts) == 1:
                    return self._tree(parts[0], plain=plain, inner=inner)
                joined = "and" if isinstance(tree, All) is plain else "or"
                told = f" {self.words.say(joined)} ".join(self._tree(part, plain=plain) for part in parts)
                return f"({told})" if inner else told
            case Answered(name=name):
                return self._say("if_answered" if plain else "if_not_answered", name)
            case Membership(left=left, values=values, negated=negated):
                return self._among(left, [str(value) for value in values], plain=plain is not negated, inner=inner)
            case Comparison(left=left, sign=sign, right=right):
                if isinstance(left, Literal):
                    left, right, sign = right, left, _MIRRORED.get(sign, sign)
                return self._compared(left, sign if plain else _OPPOSITE[sign], right)
        raise TypeError(tree)

    def _compared(self, left: Operand, sign: str, right: Operand) -> str:
        value = right.value if isinstance(right, Literal) else None
        match left:
            case Count():
                return self._counted(left, sign, value if isinstance(value, int | float) else 0)
            case Dominant(set=set):
                return self._dominant(set, str(value), plain=sign == "==")
            case Name(name=name) if value is None and isinstance(right, Name):
                two = self.words.say(f"two_{_SIGNS[sign]}")
                return self._say("if_two", name, other=self.numbers[right.name], value=two)
            case Name(name=name):
                variable = self.instrument.codebook[name]
                if variable.kind is Kind.BINARY:
                    return self._ticked(variable, sign, value)
                if variable.kind in (Kind.NOMINAL, Kind.ORDINAL):
                    label = self._label(variable, str(value))
                    return self._say("if_is" if sign == "==" else "if_is_not", name, label=label)
                return self._valued(variable, sign, value)
        raise TypeError(left)

    def _ticked(self, variable: Variable, sign: str, value: object) -> str:
        chosen = any(_holds(one, sign, value) for one in (1,))
        label = self.words.quoted(wording(variable.label, self.words.language))
        return self._say("if_is" if chosen else "if_not_chosen", variable.name, label=label)

    def _valued(self, variable: Variable, sign: str, value: object) -> str:
        told = self._signed(sign, self._level(variable, value))
        if variable.set:
            row = self.words.quoted(wording(variable.label, self.words.language))
            return self._say("if_row", variable.name, row=row, value=told)
        return self._say("if_number", variable.name, value=told)

    def _among(self, left: Operand, values: list[str], *, plain: bool, inner: bool) -> str:
        if not isinstance(left, Name):
            parts = tuple(Comparison(left, "==", Literal(value)) for value in values)
            return self._tree(Any(parts), plain=plain, inner=inner)
        variable = self.instrument.codebook[left.name]
        labels = self.words.listed([self._label(variable, value) for value in values], "or")
        return self._say("if_among" if plain else "if_not_among", left.name, labels=labels)

    def _counted(self, count: Count, sign: str, value: Number) -> str:
        rated = (count.sign, count.than) != (">", 0)
        none = (sign, value) in (("==", 0), ("<", 1), ("<=", 0))
        if (sign, value) in ((">", 0), ("!=", 0)):
            sign, value = ">=", 1
        key = ("if_rated" if rated else "if_count") + ("_none" if none else "_one" if value == 1 else "")
        told = self.words.say("one_item" if rated else "one") if value == 1 else _figure(value)
        level = ""
        if rated:
            members = self.instrument.sets.get(count.set, (count.set,))
            variable = self.instrument.codebook[members[0]]
            level = self._signed(count.sign, self._level(variable, count.than))
        return self._say(key, count.set, value=self._signed(sign, told), level=level)

    def _dominant(self, set: str, code: str, *, plain: bool) -> str:
        special = {TIED: "if_tied", NOTHING: "if_nothing"}.get(code)
        if special and plain:
            return self._say(special, set)
        member = next((v for v in self.instrument.codebook.variables if v.set == set and v.code == code), None)
        label = self.words.quoted(wording(member.label, self.words.language) if member else code)
        return self._say("if_dominant" if plain else "if_dominant_not", set, label=label)

    def _signed(self, sign: str, value: str) -> str:
        return self.words.say(f"sign_{_SIGNS[sign]}", value=value)

    def _level(self, variable: Variable, value: object) -> str:
        found: Category | None = next((one for one in variable.categories if one.value == value), None)
        return self.words.quoted(wording(found.label, self.words.language)) if found else _figure(value)

    def _label(self, variable: Variable, code: str) -> str:
        found = next((one for one in variable.categories if one.code == code), None)
        return self.words.quoted(wording(found.label, self.words.language) if found else code)

    def _say(self, key: str, name: str, **figures: object) -> str:
        return self.words.say(key, number=self.numbers.get(name, "?"), **figures)


def _holds(one: int, sign: str, value: object) -> bool:
    number = value if isinstance(value, int | float) else 0
    return {
        "==": one == number,
        "!=": one != number,
        ">=": one >= number,
        "<=": one <= number,
        ">": one > number,
        "<": one < number,
    }[sign]


def _figure(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


@cache
def _sentences() -> Mapping[str, Mapping[str, str]]:
    return YAML(typ="safe", pure=True).load(_FILE)
