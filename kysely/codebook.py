"""Variables, codes and kinds of missing: what a column of the extract means.

The codebook crosses the border to analysis and reports; it holds labels, the
responses hold codes only.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

Text = Mapping[str, str]
"""One wording in every language of the instrument: language code → text."""

Number = int | float


class Missing(StrEnum):
    """Why a variable has no value; none of the five is the number 0."""

    NOT_REACHED = "not_reached"
    ROUTED_PAST = "routed_past"
    DOES_NOT_CONCERN = "does_not_concern"
    DONT_KNOW = "dont_know"
    NO_ANSWER = "no_answer"


Value = str | int | float
"""A code of a closed question, a level or number, or a text."""

Answer = Value | Missing

MISSING_SUFFIX = "__missing"
"""Of an extract, column X holds the value or null, X__missing the kind of missing or null: one of the two is null."""


class Kind(StrEnum):
    """What a variable's values are, which decides what may be computed from them."""

    NOMINAL = "nominal"  # a word code of `categories`
    ORDINAL = "ordinal"  # a word code of `categories`, which stand in order and have values
    BINARY = "binary"  # 0 or 1
    LEVEL = "level"  # an integer that is the value of one of `categories`, in order
    NUMBER = "number"
    TEXT = "text"


@dataclass(frozen=True)
class Category:
    """One code of a closed variable; *value* is its number where the scale has one."""

    code: str
    label: Text
    value: Number | None = None


@dataclass(frozen=True)
class Variable:
    """One column of the extract: an item of a question, or an option of a multiple-response set.

    *question* is the id of the question that asks it, *text* that question's wording, *label* what
    this variable adds to it (the option or row; equal to *text* where a question has one variable).
    *set* names the multiple-response set the variable belongs to, *code* its option in that set.
    *closed* is false for open text and identifying matter, which no table ever shows.
    """

    name: str
    kind: Kind
    question: str
    text: Text
    label: Text
    categories: tuple[Category, ...] = ()
    set: str | None = None
    code: str | None = None
    closed: bool = True

    def category(self, code: Value) -> Category:
        """Return the category of *code*, or of the level *code* where the variable holds levels.

        Raises KeyError for a code the codebook does not list.
        """
        for category in self.categories:
            if (category.value if self.kind is Kind.LEVEL else category.code) == code:
                return category
        raise KeyError(f"{self.name} has no code {code!r}")


@dataclass(frozen=True)
class Version:
    """One version whose answers are pooled: its hash, the names it asked, and the variables it showed otherwise.

    *changed* holds what its author said that a name meant before, by name.
    """

    hash: str
    revision: str
    asked: tuple[str, ...]
    shown: tuple[Variable, ...] = ()
    changed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Codebook:
    """Every variable of one form of an instrument, in the order it is asked.

    Where several *versions* were answered it holds the variables of all of them, in the words of the newest that
    asked each, and every code that any of them offered.
    """

    instrument: str
    form: str
    revision: str
    languages: tuple[str, ...]
    title: Text
    variables: tuple[Variable, ...]
    missing: Mapping[Missing, Text] = field(default_factory=dict)
    versions: tuple[Version, ...] = ()

    def asked_in(self, name: str) -> tuple[str, ...]:
        """Return the hashes of the versions that asked *name*, the newest first; () of a single version's codebook."""
        return tuple(version.hash for version in self.versions if name in version.asked)

    def shown_in(self, name: str, hash: str) -> Variable:
        """Return *name* with the words and codes that respondents of the version *hash* saw.

        Raises KeyError if that version did not ask it.
        """
        version = next((version for version in self.versions if version.hash == hash), None)
        if version is None or name not in version.asked:
            raise KeyError(f"{name} was not asked in version {hash[:12]}")
        return next((variable for variable in version.shown if variable.name == name), self[name])

    @cached_property
    def by_name(self) -> Mapping[str, Variable]:
        return {variable.name: variable for variable in self.variables}

    def __getitem__(self, name: str) -> Variable:
        return self.by_name[name]

    def __contains__(self, name: object) -> bool:
        return name in self.by_name

    def set(self, name: str) -> Iterator[Variable]:
        """Yield the variables of the multiple-response set *name*, in the author's order."""
        return (variable for variable in self.variables if variable.set == name)

    def to_json(self) -> str:
        """Return the codebook as JSON that `from_json` reads back to an equal one."""
        return json.dumps(
            {
                "format": "kysely-codebook/1",
                "instrument": self.instrument,
                "form": self.form,
                "revision": self.revision,
                "languages": list(self.languages),
                "title": dict(self.title),
                "missing": {str(kind): dict(text) for kind, text in self.missing.items()},
                "variables": [_variable_to_data(variable) for variable in self.variables],
                "versions": [_version_to_data(version) for version in self.versions],
            },
            ensure_ascii=False,
            indent=1,
        )

    @classmethod
    def from_json(cls, text: str) -> Codebook:
        data = json.loads(text)
        return cls(
            instrument=data["instrument"],
            form=data["form"],
            revision=data["revision"],
            languages=tuple(data["languages"]),
            title=data["title"],
            missing={Missing(kind): wording for kind, wording in data["missing"].items()},
            variables=tuple(_variable_from_data(row) for row in data["variables"]),
            versions=tuple(_version_from_data(row) for row in data.get("versions", ())),
        )


def _version_to_data(version: Version) -> dict[str, object]:
    return {
        "hash": version.hash,
        "revision": version.revision,
        "asked": list(version.asked),
        "shown": [_variable_to_data(variable) for variable in version.shown],
        "changed": dict(version.changed),
    }


def _version_from_data(row: dict) -> Version:
    shown = tuple(_variable_from_data(variable) for variable in row["shown"])
    return Version(row["hash"], row["revision"], tuple(row["asked"]), shown, row["changed"])


def _variable_to_data(variable: Variable) -> dict[str, object]:
    return {
        "name": variable.name,
        "kind": str(variable.kind),
        "question": variable.question,
        "text": dict(variable.text),
        "label": dict(variable.label),
        "categories": [
            {"code": category.code, "value": category.value, "label": dict(category.label)}
            for category in variable.categories
        ],
        "set": variable.set,
        "code": variable.code,
        "closed": variable.closed,
    }


def _variable_from_data(row: dict) -> Variable:
    return Variable(
        **{
            **row,
            "kind": Kind(row["kind"]),
            "categories": tuple(Category(**category) for category in row["categories"]),
        }
    )
