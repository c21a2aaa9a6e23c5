"""Texts that say again what was answered: `{OM_B01|these ways}` shows the labels chosen, or the words after the bar.

A placeholder names a variable or set that was asked before, or the dominant member of a set of levels. What it shows
is text and nothing more: it is escaped wherever it is drawn, and never read as a placeholder itself.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from kysely.codebook import Answer, Codebook, Kind, Missing, Text, Value, Variable
from kysely.conditions import dominant

_NAME = r"[A-Za-z][A-Za-z0-9_]*"
_PLACEHOLDER = re.compile(
    rf"\{{(?:(?P<dominant>dominant)\((?P<set>{_NAME})\)|(?P<name>{_NAME}))(?:\|(?P<fallback>[^{{}}|]*))?\}}"
)
_AND = {"fi": "ja", "sv": "och", "en": "and"}

Part = TypeVar("Part")


@dataclasses.dataclass(frozen=True)
class Placeholder:
    """A place in a text: the answer to *name*, or the *dominant* member of the set *name*; *fallback* without one."""

    name: str
    dominant: bool
    fallback: str | None

    def __str__(self) -> str:
        return f"dominant({self.name})" if self.dominant else self.name


Say = Callable[[Placeholder, str], str | None]
"""What a placeholder shows in a language; None if there is nothing to show."""


def placeholder(name: str, fallback: str) -> str:
    """Return the placeholder that shows *name*, or *fallback*; only the latter where it can't stand in one."""
    return fallback if re.search(r"[{}|]", fallback) else f"{{{name}|{fallback}}}"


def placeholders(text: str) -> tuple[Placeholder, ...]:
    """Return the placeholders of *text*, in the order written."""
    return tuple(_read(match) for match in _PLACEHOLDER.finditer(text)) if "{" in text else ()


def texts(part: Any) -> Iterator[tuple[object, str, Text]]:
    """Yield each text of the page or question *part*: whose it is, under which key, and its wordings."""
    for field in dataclasses.fields(part):
        value = getattr(part, field.name)
        if _is_text(value):
            yield part, field.name, value
        for member in value if isinstance(value, tuple) else (value,):
            if _is_part(member):
                yield from texts(member)


def piped(part: Any) -> frozenset[str]:
    """Return the names that the texts of *part* show the answers of."""
    found = (one for _, _, text in texts(part) for wording in text.values() for one in placeholders(wording))
    return frozenset(one.name for one in found)


def filled(part: Part, say: Say) -> Part:
    """Return *part* with what *say* says in place of every placeholder."""
    changed = {
        field.name: new
        for field in dataclasses.fields(part)  # type: ignore[arg-type]
        if (new := _filled(value := getattr(part, field.name), say)) is not value
    }
    return dataclasses.replace(part, **changed) if changed else part  # type: ignore[type-var]


def neutral(part: Part) -> Part:
    """Return *part* as worded for everybody: what a codebook, a table and a printed form say."""
    return filled(part, lambda one, language: None)


def sayings(codebook: Codebook, answers: Mapping[str, Answer]) -> Say:
    """Return what placeholders show for *answers*, those on the path: labels, numbers and typed text."""

    def say(one: Placeholder, language: str) -> str | None:
        if one.name in codebook:
            variable = codebook[one.name]
            return _said(variable, answers.get(one.name), language)
        members = {variable.name: variable for variable in codebook.set(one.name)}
        known = {name: answer for name in members if not isinstance(answer := answers.get(name), Missing | None)}
        shown = [name for name, answer in known.items() if isinstance(answer, int | float) and answer > 0]
        if one.dominant:
            shown = list(dominant(known)) if all(name in known for name in members if name in answers) else []
        return _joined([_in(members[name].label, language) for name in shown], language) or None

    return say


def _said(variable: Variable, answer: Answer | None, language: str) -> str | None:
    if answer is None or isinstance(answer, Missing):
        return None
    if variable.categories:
        return next((_in(one.label, language) for one in variable.categories if _is(variable, one, answer)), None)
    if variable.kind is Kind.BINARY:
        return _in(variable.label, language) if answer == 1 else None
    if isinstance(answer, float):
        return f"{answer:.10g}" if language == "en" else f"{answer:.10g}".replace(".", ",")
    return str(answer)


def _is(variable: Variable, category: Any, answer: Value) -> bool:
    return bool((category.value if variable.kind is Kind.LEVEL else category.code) == answer)


def _in(text: Text, language: str) -> str:
    return text.get(language) or text.get("en") or next(iter(text.values()))


def _joined(words: list[str], language: str) -> str:
    if len(words) < 2 or language not in _AND:
        return ", ".join(words)
    return f"{', '.join(words[:-1])} {_AND[language]} {words[-1]}"


def _read(match: re.Match[str]) -> Placeholder:
    return Placeholder(match["set"] or match["name"], match["dominant"] is not None, match["fallback"])


def _filled(value: Any, say: Say) -> Any:
    if _is_text(value):
        if not any("{" in wording for wording in value.values()):
            return value
        return {language: _worded(wording, language, say) for language, wording in value.items()}
    if isinstance(value, tuple):
        new = tuple(filled(member, say) if _is_part(member) else member for member in value)
        return new if any(one is not other for one, other in zip(new, value, strict=True)) else value
    return filled(value, say) if _is_part(value) else value


def _worded(wording: str, language: str, say: Say) -> str:
    def shown(match: re.Match[str]) -> str:
        one = _read(match)
        said = say(one, language)
        if said is None:
            # A placeholder without a fallback is refused; in a definition from elsewhere it stays as it stands.
            return match[0] if one.fallback is None else one.fallback
        return said

    return _PLACEHOLDER.sub(shown, wording)


def _is_text(value: object) -> bool:
    return isinstance(value, dict) and bool(value) and all(isinstance(one, str) for one in value.values())


def _is_part(value: object) -> bool:
    """Whether *value* has texts of its own; a scale is shared, so its words are the same for all."""
    return dataclasses.is_dataclass(value) and not isinstance(value, type) and not hasattr(value, "levels")
