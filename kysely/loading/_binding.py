"""From nodes to frozen dataclasses: the fields say which keys there are and what they hold.

Every fault is noted and the rest is read on, so that an author sees all of them at once.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
import types
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from kysely import conditions, plugins
from kysely.codebook import Kind, Missing, Text, Variable
from kysely.conditions import Condition
from kysely.errors import Problem
from kysely.instrument import Page
from kysely.loading._nodes import Node
from kysely.piping import placeholder
from kysely.questions._base import Question, Scale

QUESTIONS = "kysely.questions"
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z]{2})?")
MAXIMUM_NAME = 32  # Stata's limit

# Not to be seen, or turning the direction of writing: left from a word processor, or put there to mislead.
# A soft hyphen is wanted in long Finnish words, a no-break space in figures.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\uf8ff]"
)
_FORMULA = tuple("=+-@")


class Binder:
    """Reads one file; *problems* grow as it goes, *nodes* lead from what was read back to its lines."""

    def __init__(self, file: str, languages: tuple[str, ...], *, lenient: bool = False):
        self.file = file
        self.languages = languages
        self.lenient = lenient
        self.problems: list[Problem] = []
        self.noted = 0
        """How often something was found; more than `problems` where two forms share a fault."""
        self.nodes: dict[int, Node] = {}
        self.bound: dict[tuple[type, int], Any] = {}
        self.written: list[Node] = []
        """Nodes made here, kept so that no other takes the place in memory by which `bound` knows them."""
        self.scales: Mapping[str, Scale] = {}
        self.given: Mapping[str, Any] = {}
        self.asked: dict[str, Question] = {}
        """Questions read so far by their sets and variables: what `rows_from` and `options_from` may name."""
        self.unread: set[str] = set()
        """Ids of questions that could not be read, so that what names them isn't called unknown too."""

    def node(self, value: object) -> Node:
        """Return where *value* was written."""
        return self.nodes.get(id(value), Node(None))

    def add(self, line: int, where: str, cause: str, cure: str, code: str, *, fatal: bool = True) -> None:
        problem = Problem(self.file, line, where, cause, cure, code, fatal)
        self.noted += 1
        if problem not in self.problems:
            self.problems.append(problem)

    def bind(self, cls: type, node: Node, where: str, *, skip: tuple[str, ...] = ()) -> Any:
        """Return a *cls* from *node*, None if something of it can't be read; keys in *skip* are left to others."""
        if (cls, id(node)) not in self.bound:
            self.bound[cls, id(node)] = self._bind(cls, node, where, skip)
        return self.bound[cls, id(node)]

    def _bind(self, cls: type, node: Node, where: str, skip: tuple[str, ...]) -> Any:
        if not isinstance(node.value, dict):
            self.wrong_type(node, where, "keys with values")
            return None
        values: dict[str, Any] = {}
        sound = True
        keys = author_keys(cls)
        for key in node.value:
            if key not in keys and key not in skip:
                self.unknown_key(node, key, where, [*keys, *skip])
        for key, (field, hint) in keys.items():
            optional = field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
            if key in node.value:
                value = self.value(hint, node.value[key], f"{where}: {key}", field.metadata)
                if value is not None:
                    values[field.name] = value
                elif not optional:
                    sound = False
            elif not optional:
                self.add(node.line, where, f"the key {key!r} is missing", f"Add `{key}:`", "missing_key")
                sound = False
        if not sound:
            return None
        for field in dataclasses.fields(cls):
            if "given" in field.metadata:
                values[field.name] = self.given[field.metadata["given"]]
        made = cls(**values)
        self.nodes[id(made)] = node
        return made

    def question(self, node: Node, where: str) -> Question | None:
        """Return the question that *node* writes, of the type it names."""
        name = node.get("id")
        id = name.value if name and isinstance(name.value, str) else None
        where = f"question {id!r}" if id else where
        made = self._question(node, where)
        if made is None and id:
            self.unread.add(id)
        return made

    def _question(self, node: Node, where: str) -> Question | None:
        kind = node.get("type")
        if kind is None:
            if isinstance(node.value, dict):
                self.add(node.line, where, "the key 'type' is missing", _types_cure(""), "missing_key")
            else:
                self.wrong_type(node, where, "keys with values")
            return None
        if kind.value not in plugins.names(QUESTIONS):
            cause = f"there is no question type {kind.value!r}"
            self.add(kind.line, where, cause, _types_cure(str(kind.value)), "unknown_type")
            return None
        cls = plugins.load(QUESTIONS, kind.value).QUESTION
        whole = self.with_chosen(cls, node, where)
        if whole is None:
            return None
        self.written.append(whole)
        made = self.bind(cls, whole, where, skip=("type",))
        if made is None:
            return None
        if not self.lenient:
            for fault in made.faults():
                self.add(whole.at(*fault.keys), where, fault.cause, fault.cure, fault.code, fatal=fault.fatal)
        for variable in made.variables():
            self.asked.setdefault(variable.name, made)
            if variable.set:
                self.asked.setdefault(variable.set, made)
        return made

    # Rows and options that come from an earlier question

    def with_chosen(self, cls: type, node: Node, where: str) -> Node | None:
        """Return *node* with the rows or options that it takes from an earlier set written out; None if it can't.

        They are written as an author would, and so are read, checked and drawn like any others.
        """
        for key, (field, _) in author_keys(cls).items():
            written = node.get(key) if "fills" in field.metadata else None
            if written is None:
                continue
            taken = self.taken(written, f"{where}: {key}")
            if taken is None:
                return None
            filled = field.metadata["fills"]
            own = node.get(filled)
            members = own.value if own is not None and isinstance(own.value, list) else []
            if own is None or isinstance(own.value, list):
                value = {**node.value, filled: Node([*taken, *members], written.line)}
                node = Node(value, node.line, {**node.keys, filled: node.keys.get(filled, written.line)})
        return node

    def taken(self, written: Node, where: str) -> list[Node] | None:
        """Return a row or option for each member of the set that *written* names; None if there is no such set."""
        name = written.value
        if not isinstance(name, str):
            self.wrong_type(written, where, "the name of a set")
            return None
        question = self.asked.get(name)
        if question is None:
            if not any(name == id or name.startswith(f"{id}_") for id in self.unread):
                cause = f"it names {name!r}, and no question before it has such a set"
                cure = nearest(name, self.asked) or "Name the set of a multiple choice that stands before it"
                self.add(written.line, where, cause, cure, "unknown_reference")
            return None
        chosen = [variable for variable in question.variables() if variable.set == name]
        if not chosen:
            cause = f"it wants a set of options, and {name!r} is one variable"
            self.add(written.line, where, cause, "Name the set of a multiple choice", "not_a_set")
            return None
        beside = question.beside()
        return [_chosen(variable, beside.get(variable.code or ""), written.line) for variable in chosen]

    # One value

    def value(self, hint: Any, node: Node, where: str, metadata: Mapping[str, Any]) -> Any:
        """Return what *node* holds as *hint* wants it, None if it can't be used.

        What is at fault but can be used is noted and returned, so that more can be said about the rest.
        """
        hint = without_none(hint)
        origin = get_origin(hint)
        if hint == Text:
            return self.text(node, where)
        if hint is Condition:
            return self.condition(node, where)
        if hint is Scale and isinstance(node.value, str):
            return self.scale(node, where)
        if hint is Question:
            return self.question(node, where)
        if hint is Page:
            return self.bind(Page, node, _page_called(node, where))
        if origin is tuple:
            return self.items(get_args(hint)[0], node, where, metadata)
        if origin in (dict, Mapping) or getattr(origin, "__name__", "") == "Mapping":
            return self.members(get_args(hint)[1], node, where)
        if origin is Literal:
            return self.choice(get_args(hint), node, where)
        if dataclasses.is_dataclass(hint) and isinstance(hint, type):
            return self.bind(hint, node, where)
        return self.scalar(hint, node, where, metadata)

    def items(self, hint: Any, node: Node, where: str, metadata: Mapping[str, Any]) -> tuple[Any, ...] | None:
        if not isinstance(node.value, list):
            self.wrong_type(node, where, "a list")
            return None
        made = [
            self.value(hint, item, f"{where} {_called(item, at)}", metadata) for at, item in enumerate(node.value, 1)
        ]
        found = tuple(item for item in made if item is not None)
        # A file can be looked at without one of its pages or questions, a question not without one of its options.
        return found if len(found) == len(made) or hint in (Page, Question) else None

    def members(self, hint: Any, node: Node, where: str) -> dict[str, Any]:
        if not isinstance(node.value, dict):
            self.wrong_type(node, where, "names with values")
            return {}
        made = {}
        for name, item in node.value.items():
            self.name(name, node.keys.get(name, node.line), where)
            made[name] = self.value(hint, item, f"{where} {name}", {})
        return {name: item for name, item in made.items() if item is not None}

    def choice(self, allowed: tuple[Any, ...], node: Node, where: str) -> Any:
        if node.value not in allowed:
            listed = ", ".join(str(one) for one in allowed)
            cure = nearest(node.value, allowed) or "Write one of them"
            self.add(node.line, where, f"{node.value!r} is none of: {listed}", cure, "wrong_value")
        return node.value

    def scalar(self, hint: Any, node: Node, where: str, metadata: Mapping[str, Any]) -> Any:
        value = node.value
        wanted, called = _scalars(hint)
        if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
            self.wrong_type(node, where, called)
            return None
        if isinstance(value, str):
            self.characters(value, node.line, where)
            if metadata.get("name"):
                self.name(value, node.line, where)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            self.limits(value, node, where, metadata)
        return value

    def limits(self, value: float, node: Node, where: str, metadata: Mapping[str, Any]) -> None:
        low, high = metadata.get("minimum"), metadata.get("maximum")
        if (low is not None and value < low) or (high is not None and value > high):
            allowed = f"at least {low}" if high is None else f"from {low} to {high}"
            self.add(node.line, where, f"{value} is out of range", f"Write a number {allowed}", "out_of_range")

    def name(self, name: str, line: int, where: str) -> None:
        """Note what is wrong with a name or code."""
        if not NAME.fullmatch(name):
            cause = f"{name!r} is no code word"
            self.add(line, where, cause, "Begin with a letter A–Z, then letters, digits and _", "bad_name")
        elif "__" in name:
            cause = f"{name!r} holds two underscores in a row, which the extract keeps for itself"
            self.add(line, where, cause, "Use one underscore", "bad_name")
        elif len(name) > MAXIMUM_NAME:
            cause = f"{name!r} has {len(name)} characters"
            self.add(line, where, cause, f"Use at most {MAXIMUM_NAME}: statistical programs cut the rest", "long_name")

    def text(self, node: Node, where: str) -> Text:
        """Return one wording in every language, and note languages that are missing, blank or unknown."""
        if not isinstance(node.value, dict):
            cure = f"Write it as {{{', '.join(f'{language}: …' for language in self.languages) or 'fi: …'}}}"
            self.add(node.line, where, "a text stands without its language", cure, "wrong_type")
            return {}
        for language in node.value:
            if language not in self.languages:
                cause = f"{language!r} is no language of this questionnaire"
                cure = f"Use {_listed(self.languages)}; text with a comma needs quotes"
                self.add(node.keys.get(language, node.line), where, cause, cure, "language_unknown")
        return {language: self.one_language(node, language, where) for language in self.languages}

    def one_language(self, node: Node, language: str, where: str) -> str:
        item = node.value.get(language)
        if item is None:
            self.add(
                node.line, where, f"the language {language!r} is missing", f"Add `{language}:`", "language_missing"
            )
            return ""
        if not isinstance(item.value, str) and item.value is not None:
            self.wrong_type(item, f"{where}: {language}", "text in quotes")
            return ""
        text = (item.value or "").strip()
        if not text:
            self.add(
                node.keys.get(language, item.line),
                where,
                f"the language {language!r} is blank",
                "Write the text",
                "language_blank",
            )
        self.characters(text, item.line, f"{where}: {language}")
        if text.startswith(_FORMULA):
            cause = f"the text begins with {text[0]!r}, which a spreadsheet reads as a formula"
            self.add(item.line, f"{where}: {language}", cause, "Begin with a letter", "formula", fatal=False)
        return text

    def characters(self, text: str, line: int, where: str) -> None:
        for found in dict.fromkeys(_INVISIBLE.findall(text)):
            cause = f"the text holds the invisible character U+{ord(found):04X}"
            self.add(line, where, cause, "Delete it; type the text anew if you can't find it", "invisible_character")

    def condition(self, node: Node, where: str) -> Condition | None:
        if not isinstance(node.value, str):
            self.wrong_type(node, where, "a condition in quotes")
            return None
        condition, faults = conditions.read(node.value)
        for fault in faults:
            self.add(node.line, where, fault.cause, fault.cure, "bad_condition")
        return condition

    def scale(self, node: Node, where: str) -> Scale | None:
        found = self.scales.get(node.value)
        if found is None and node.value not in self.unread:
            cause = f"there is no scale {node.value!r}"
            self.add(node.line, where, cause, nearest(node.value, self.scales) or "Add it to `scales`", "unknown_scale")
        return found

    # Wordings

    def wrong_type(self, node: Node, where: str, wanted: str) -> None:
        cause = f"{_described(node.value)} stands where {wanted} should"
        cure = "Put it in quotes" if "text" in wanted and not isinstance(node.value, dict | list) else f"Write {wanted}"
        self.add(node.line, where, cause, cure, "wrong_type")

    def unknown_key(self, node: Node, key: str, where: str, known: list[str]) -> None:
        cure = nearest(key, known) or f"Use one of: {', '.join(known)}"
        self.add(node.keys.get(key, node.line), where, f"the key {key!r} is unknown", cure, "unknown_key")


@cache
def author_keys(cls: type) -> dict[str, tuple[dataclasses.Field[Any], Any]]:
    """Return the keys an author may write for *cls*, each with its field and type; in the order of the fields."""
    hints = get_type_hints(cls)
    fields = [field for field in dataclasses.fields(cls) if "given" not in field.metadata]
    return {field.metadata.get("key", field.name): (field, hints[field.name]) for field in fields}


def without_none(hint: Any) -> Any:
    """Return *hint* without its None: X of X | None."""
    if get_origin(hint) not in (Union, types.UnionType):
        return hint
    rest = tuple(one for one in get_args(hint) if one is not type(None))
    return rest[0] if len(rest) == 1 else Union[rest]  # noqa: UP007 - the parts are known only here


def missing_labels(written: object, languages: tuple[str, ...]) -> dict[Missing, Text]:
    """Return the words for the five kinds of missing: the author's where there are any, else the engine's."""
    return {
        kind: getattr(written, str(kind), None)
        or {language: texts.get(language, texts["en"]) for language in languages}
        for kind, texts in _MISSING.items()
    }


_MISSING: Mapping[Missing, Text] = {
    Missing.NOT_REACHED: {"fi": "Ei edennyt tähän asti", "sv": "Kom inte hit", "en": "Not reached"},
    Missing.ROUTED_PAST: {"fi": "Ei kysytty", "sv": "Ställdes inte", "en": "Not asked"},
    Missing.DOES_NOT_CONCERN: {"fi": "Ei koske meitä", "sv": "Gäller inte oss", "en": "Does not concern us"},
    Missing.DONT_KNOW: {"fi": "En osaa sanoa", "sv": "Kan inte säga", "en": "Cannot say"},
    Missing.NO_ANSWER: {"fi": "Ei vastausta", "sv": "Inget svar", "en": "No answer"},
}


def _scalars(hint: Any) -> tuple[tuple[type, ...], str]:
    parts = get_args(hint) or (hint,)
    if bool in parts:
        return (bool,), "true or false"
    if float in parts:
        return (int, float), "a number"
    if int in parts:
        return (int,), "a whole number"
    return (str,), "text"


def _described(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a group of keys"
    if isinstance(value, list):
        return "a list"
    kind = {bool: "true or false", int: "the number", float: "the number"}.get(type(value))
    written = str(value).lower() if isinstance(value, bool) else repr(value)
    return f"{kind} {written}" if kind and not isinstance(value, bool) else written


def _called(node: Node, at: int) -> str:
    for key in ("id", "code"):
        named = node.get(key)
        if named is not None and isinstance(named.value, str):
            return named.value
    return str(at)


def nearest(name: object, known: Any) -> str:
    """Return "Did you mean …" for a name much like one that is known, else ""."""
    found = difflib.get_close_matches(str(name).lower(), [str(one).lower() for one in known], 1, 0.6)
    original = next((str(one) for one in known if found and str(one).lower() == found[0]), "")
    return f"Did you mean {original!r}?".rstrip("?") if original else ""


def _page_called(node: Node, where: str) -> str:
    id = node.get("id")
    return f"page {id.value!r}" if id and isinstance(id.value, str) else where


def _chosen(variable: Variable, beside: str | None, line: int) -> Node:
    """Return a row or option that is shown to those who chose what *variable* says, under the label chosen.

    Where something was typed *beside* it ("other, what?"), that is the label.
    """
    label = dict(variable.label)
    if beside is not None:
        label = {language: placeholder(beside, text) for language, text in label.items()}
    sign = "== 1" if variable.kind is Kind.BINARY else "> 0"
    written = {"code": variable.code, "label": label, "show_if": f"{variable.name} {sign}"}
    return Node(
        {
            key: Node({language: Node(text, line) for language, text in value.items()}, line)
            if isinstance(value, dict)
            else Node(value, line)
            for key, value in written.items()
        },
        line,
    )


def _types_cure(name: str) -> str:
    known = plugins.names(QUESTIONS)
    return nearest(name, known) or f"Use one of: {', '.join(known)}"


def _listed(languages: tuple[str, ...]) -> str:
    return ", ".join(languages) or "the languages of `languages`"
