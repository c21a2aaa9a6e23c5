"""YAML that a researcher writes, read with its lines: every fault is collected, and the reading goes on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from math import isfinite
from pathlib import Path
from typing import Any

from kysely.codebook import Codebook, Text
from kysely.errors import AuthorError, Problem

_ID = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")
FORMS = "forms"
"""The key that says which forms of the questionnaire a file, or an entry of one of its lists, is for."""
_NAMES = ("id", "ids", "name", "variable", "code")  # whichever an entry of a list has, it is called by


class File:
    """One file of an instrument's folder, with what is wrong with it; *what* it is stands in the faults."""

    def __init__(self, path: Path, what: str, schema: str):
        self.path, self.what, self.schema = path, what, schema
        self.problems: list[Problem] = []
        self.languages: tuple[str, ...] = ()
        self.form = ""  # the form of the questionnaire for which the file is read
        self.forms: tuple[str, ...] = ()  # all that it is written for
        self.left_out: set[str] = set()  # names of entries that are for other forms than this one

    def problem(self, line: int, where: str, cause: str, cure: str) -> None:
        problem = Problem(f"{self.path.parent.name}/{self.path.name}", line, where, cause, cure)
        if problem not in self.problems:  # an entry that two parts look at is read twice
            self.problems.append(problem)

    def stop(self) -> None:
        """Raise AuthorError if anything is wrong."""
        if self.problems:
            raise AuthorError(self.problems)

    def root(self) -> Node | None:
        """Return the whole file as a node, or None if it can't be read as one."""
        data = self._parsed()
        if data is None:
            return None
        node = Node(self, data, self.what)
        if node.text("schema") != self.schema:
            node.fault("schema", f"the format is not {self.schema!r}", f"Write `schema: {self.schema}`")
        return node

    def _parsed(self) -> dict[str, Any] | None:
        from ruamel.yaml.error import MarkedYAMLError, YAMLError

        try:
            root = self._loaded(self.path.read_text(encoding="utf-8-sig"))
        except FileNotFoundError:
            return self._unreadable(1, "there is no such file", f"Write a {self.path.name} beside questionnaire.yaml")
        except OSError as error:
            return self._unreadable(1, f"the file can't be read ({error.strerror})", "Let it be read")
        except UnicodeDecodeError as error:
            line = error.object[: error.start].count(b"\n") + 1
            return self._unreadable(line, "the text is not UTF-8", "Save the file as UTF-8")
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            cause = " ".join(str(error.problem or error.context).split())
            return self._unreadable(mark.line + 1 if mark else 1, f"not readable as YAML: {cause}", _CURE)
        except (YAMLError, ValueError) as error:
            return self._unreadable(1, f"not readable as YAML: {str(error).splitlines()[0]}", _CURE)
        except RecursionError:
            return self._unreadable(1, "not readable as YAML: brackets or lines are nested too deep", _CURE)
        if not isinstance(root, dict):
            return self._unreadable(1, "the file is not a mapping of keys", f"Begin with `schema: {self.schema}`")
        return root

    def _unreadable(self, line: int, cause: str, cure: str) -> dict[str, Any] | None:
        self.problem(line, self.what, cause, cure)
        return None

    def _loaded(self, text: str) -> Any:
        """Return what *text* says; a key that comes twice is a problem, and its first value is read."""
        from ruamel.yaml import YAML
        from ruamel.yaml.constructor import DuplicateKeyError

        try:
            return YAML(typ="rt").load(text)
        except DuplicateKeyError:
            self._tell_duplicates(YAML(typ="rt").compose(text))
            forgiving = YAML(typ="rt")
            forgiving.allow_duplicate_keys = True
            return forgiving.load(text)

    def _tell_duplicates(self, root: Any) -> None:
        from ruamel.yaml.nodes import MappingNode, SequenceNode

        todo, seen = [root], set()
        while todo:
            node = todo.pop()
            if id(node) in seen:  # an alias leads to what its anchor has led to
                continue
            seen.add(id(node))
            if isinstance(node, SequenceNode):
                todo += node.value
            if not isinstance(node, MappingNode):
                continue
            lines: dict[str, int] = {}
            for key, value in node.value:
                todo += [key, value]
                word, line = str(key.value), key.start_mark.line + 1
                if word in lines:
                    cause = f"the key {word!r} stands here a second time (first on line {lines[word]})"
                    self.problem(line, self.what, cause, "Remove one of them")
                lines.setdefault(word, line)


_CURE = "Look at the indentation, the quotes and the colons of this line and the one above"


class Node:
    """A mapping of the file, with its place; every reading method reports its own fault and goes on."""

    def __init__(self, file: File, data: Any, where: str, above: int = 1, *, entry: bool = False):
        self.file, self.where, self.above, self.entry = file, where, above, entry
        self.data: Any = data if isinstance(data, dict) else {}

    def __contains__(self, key: str) -> bool:
        return key in self.data

    def keys(self) -> tuple[str, ...]:
        return tuple(str(key) for key in self.data)

    def line(self, key: str | None = None) -> int:
        marks = getattr(self.data, "lc", None)
        if marks is None:
            return self.above
        if key is not None and key in (marks.data or {}):
            return int(marks.key(key)[0]) + 1
        return int(marks.line or 0) + 1

    def fault(self, key: str, cause: str, cure: str) -> None:
        self.file.problem(self.line(key), f"{self.where} {key}", cause, cure)

    def allow(self, keys: Any) -> None:
        for key in self.keys():
            if key not in keys and not (self.entry and key == FORMS):
                self.fault(key, "the key is unknown", f"Use some of {listed(keys)}")

    def child(self, key: str) -> Node:
        value = self.data.get(key)
        if not isinstance(value, dict):
            cause = "a mapping is needed here" if key in self.data else "the key is lacking"
            self.fault(key, cause, f"Write `{key}:` and its keys, indented")
        return Node(self.file, value, f"{self.where} {key}", self.line(key))

    def items(self, key: str) -> list[Node]:
        """Return the entries of the list at *key*, without those that say `forms` and don't name this one."""
        value = self.data.get(key, [])
        if not isinstance(value, list):
            self.fault(key, "a list is needed here", "Begin each entry with a dash")
            return []
        nodes = []
        for number, item in enumerate(value, start=1):
            if not isinstance(item, dict):
                self.fault(key, f"entry {number} is not a mapping", "Write its keys, as `- {key: value}`")
                continue
            name = next((str(item[k]) for k in _NAMES if k in item), str(number))
            node = Node(self.file, item, f"{key} {name!r}", self.line(key), entry=True)
            if node.concerns_form():
                nodes.append(node)
            else:
                self.file.left_out.add(name)
        return nodes

    def concerns_form(self) -> bool:
        """Whether it is for the form that the file is read for; what names no form is for all of them."""
        named = self.texts(FORMS)
        if unknown := [form for form in named if form not in self.file.forms]:
            cause = f"the file is not for the form {listed(unknown)}"
            self.fault(FORMS, cause, f"Name some of {listed(self.file.forms)}")
        return not named or self.file.form in named

    def text(self, key: str, *, required: bool = True) -> str | None:
        return self._read(key, lambda value: isinstance(value, str) and bool(value.strip()), "a word", required)

    def name(self, key: str) -> str | None:
        return self._read(
            key,
            lambda value: isinstance(value, str) and bool(_ID.match(value)),
            "a name of letters, digits and _",
            True,
        )

    def integer(self, key: str, floor: int) -> int | None:
        def fits(value: Any) -> bool:
            return isinstance(value, int) and not isinstance(value, bool) and value >= floor

        return self._read(key, fits, f"a whole number, at least {floor}", True)

    def number(self, key: str) -> float | None:
        return self._read(key, _is_number, "a number", True)

    def share(self, key: str) -> float | None:
        return self._read(key, lambda value: _is_number(value) and 0 <= value <= 1, "a number from 0 to 1", True)

    def flag(self, key: str) -> bool:
        return bool(self._read(key, lambda value: isinstance(value, bool), "true or false", False))

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.data.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self.fault(key, "a list of words is needed here", f"Write `{key}: [A, B]`; quote YES and NO")
            return ()
        return tuple(str(item) for item in value)

    def wording(self, key: str) -> Text:
        """Return the text in every language of the instrument; what lacks is a problem."""
        value = self.data.get(key)
        if not isinstance(value, dict):
            self.fault(key, "the wording is lacking", f"Write it in {listed(self.file.languages)}")
            return dict.fromkeys(self.file.languages, "")
        for language in self.file.languages:
            if not (isinstance(value.get(language), str) and value[language].strip()):
                self.fault(
                    key, f"there is no text in {language!r}", "Every wording needs all languages of the instrument"
                )
        for language in value:
            if language not in self.file.languages:
                self.fault(key, f"the language {language!r} is unknown", f"Use {listed(self.file.languages)}")
        return {language: str(value.get(language, "")) for language in self.file.languages}

    def _read(self, key: str, fits: Callable[[Any], bool], what: str, required: bool) -> Any:
        if key not in self.data:
            if required:
                self.fault(key, "the key is lacking", f"Add `{key}:`, {what}")
            return None
        value = self.data[key]
        if not fits(value):
            self.fault(key, f"{value!r} is not {what}", f"Write {what}")
            return None
        return str(value) if isinstance(value, str) else value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def check_identity(root: Node, codebook: Codebook) -> None:
    """Read the file for the codebook's form; report if it is of another instrument, or not for that form."""
    if root.text("instrument") != codebook.instrument:
        cure = f"Use the {root.where} of the instrument you analyse"
        root.fault("instrument", f"the codebook is of {codebook.instrument!r}", cure)
    root.file.form, root.file.forms = codebook.form, root.texts(FORMS)
    if codebook.form not in root.file.forms:
        cure = f"Write `{FORMS}: [{codebook.form}]`, or analyse a form that the {root.where} is for"
        root.fault(FORMS, f"the codebook is of the form {codebook.form!r}", cure)


def listed(words: Iterable[Any]) -> str:
    """Return *words* as one line of a sentence, in order."""
    return ", ".join(sorted(str(word) for word in words)) or "none"


def plain(value: Any) -> Any:
    """Return what ruamel read as ordinary dicts, lists and scalars."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return str(value) if isinstance(value, str) else value
