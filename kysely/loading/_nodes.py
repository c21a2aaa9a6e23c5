"""YAML and JSON read into plain values that remember their lines: text, numbers, true, false, lists, keys."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from kysely.errors import Problem

MAXIMUM_BYTES = 2_000_000
MAXIMUM_DEPTH = 40
MAXIMUM_NODES = 200_000  # an alias repeats what it names, so a small file can be large


@dataclass(frozen=True)
class Node:
    """A value of the file; *value* is a scalar, a list of nodes or a dict of nodes."""

    value: Any
    line: int = 0
    keys: dict[str, int] = field(default_factory=dict)
    """The line of each key, where the value is a dict."""

    def at(self, *path: str | int) -> int:
        """Return the line of what *path* leads to, or of the nearest thing on the way there."""
        node, line = self, self.line
        for step in path:
            if isinstance(node.value, dict) and step in node.value:
                line = node.keys.get(str(step), line)
                node = node.value[step]
            elif isinstance(node.value, list) and isinstance(step, int) and step < len(node.value):
                node = node.value[step]
                line = node.line
            else:
                break
        return line

    def get(self, key: str) -> Node | None:
        return self.value.get(key) if isinstance(self.value, dict) else None

    def plain(self) -> Any:
        """Return the value without its lines."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value


def from_file(path: Path, name: str) -> tuple[Node | None, list[Problem]]:
    """Return what the YAML file *path* says and what is wrong with it as YAML; *name* stands in the problems."""
    try:
        if path.stat().st_size > MAXIMUM_BYTES:
            return None, [_problem(name, 1, f"the file is larger than {MAXIMUM_BYTES} bytes", "Split it", "too_large")]
        content = path.read_bytes()
    except OSError as error:
        cause = f"the file can't be read ({error.strerror})"
        return None, [_problem(name, 1, cause, "Put the file there and let it be read", "unreadable")]
    return from_bytes(content, name)


def from_bytes(content: bytes, name: str) -> tuple[Node | None, list[Problem]]:
    """Return what the YAML in *content* says and what is wrong with it as YAML."""
    node, problems = _composed(content)
    return node, [replace(problem, file=name) for problem in problems]


@contextmanager
def uncollected() -> Iterator[None]:
    """Put garbage collection off: it would look at every node again while they are made, a quarter of the work."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


@lru_cache(maxsize=8)
@uncollected()
def _composed(content: bytes) -> tuple[Node | None, list[Problem]]:
    """Return the same for equal content, wherever it lies: to compose YAML is the slow part of a start."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        return None, [_problem("", line, "the text is not UTF-8", "Save the file as UTF-8", "not_utf8")]
    return from_yaml(text, "")


def from_yaml(text: str, name: str) -> tuple[Node | None, list[Problem]]:
    """Return what *text* says and what is wrong with it as YAML."""
    try:
        root = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        return None, [_problem(name, line, f"this is no YAML: {error.problem or error.context}", _YAML_CURE, "yaml")]
    except RecursionError:
        return None, [_problem(name, 1, "brackets or lines are nested too deep", _YAML_CURE, "yaml")]
    except (YAMLError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        line = text[: getattr(error, "position", 0)].count("\n") + 1
        return None, [_problem(name, line, f"this is no YAML: {reason}", _YAML_CURE, "yaml")]
    if root is None:
        return None, [_problem(name, 1, "the file is empty", "Begin with `schema: questionnaire/1`", "yaml")]
    reader = _Reader(name)
    node = reader.read(root, 0)
    return node, reader.problems


def from_json(text: str) -> Node:
    """Return what the JSON *text* says, without lines."""
    return from_plain(json.loads(text))


def from_plain(value: Any) -> Node:
    if isinstance(value, dict):
        return Node({key: from_plain(item) for key, item in value.items()})
    if isinstance(value, list):
        return Node([from_plain(item) for item in value])
    return Node(value)


_YAML_CURE = "Look at the indentation, the quotes and the colons of this line and the one above"


class _Reader:
    """Walks the composed YAML, and collects duplicate keys and values of a kind that a questionnaire has no use for."""

    def __init__(self, name: str):
        self.name = name
        self.problems: list[Problem] = []
        self.count = 0

    def read(self, node: Any, depth: int) -> Node:
        line = node.start_mark.line + 1
        self.count += 1
        if depth > MAXIMUM_DEPTH or self.count > MAXIMUM_NODES:
            if self.count <= MAXIMUM_NODES + 1:
                self.count = MAXIMUM_NODES + 1
                self.add(line, "the file is nested too deep or repeats itself by aliases", "Write it flat", "yaml")
            return Node(None, line)
        if isinstance(node, MappingNode):
            return self.mapping(node, line, depth)
        if isinstance(node, SequenceNode):
            return Node([self.read(item, depth + 1) for item in node.value], line)
        return Node(self.scalar(node, line), line)

    def mapping(self, node: MappingNode, line: int, depth: int) -> Node:
        value: dict[str, Node] = {}
        keys: dict[str, int] = {}
        for key_node, value_node in node.value:
            key_line = key_node.start_mark.line + 1
            if not isinstance(key_node, ScalarNode):
                self.add(key_line, "a key is not a word", "Write the key as plain text", "bad_key")
                continue
            key = str(key_node.value)
            if key in value:
                self.add(
                    key_line,
                    f"the key {key!r} stands here a second time (first on line {keys[key]})",
                    "Remove one of them",
                    "duplicate_key",
                )
                continue
            keys[key] = key_line
            value[key] = self.read(value_node, depth + 1)
        return Node(value, line, keys)

    def scalar(self, node: ScalarNode, line: int) -> Any:
        tag = str(node.tag).rsplit(":", 1)[-1]
        if tag == "str":
            return node.value
        convert = _SCALARS.get(tag)
        if convert is None:
            self.add(line, f"{node.value!r} reads as a {tag}", "Put it in quotes if text is meant", "wrong_type")
            return None
        try:
            return convert(node.value)
        except ValueError:
            self.add(line, f"{node.value!r} is no number", "Put it in quotes if text is meant", "wrong_type")
            return None

    def add(self, line: int, cause: str, cure: str, code: str) -> None:
        self.problems.append(_problem(self.name, line, cause, cure, code))


def _integer(text: str) -> int:
    return int(text.replace("_", ""), 0 if text.lstrip("+-")[:2].lower() in ("0x", "0o", "0b") else 10)


def _float(text: str) -> float:
    value = float(text.replace("_", ""))
    if value != value or value in (float("inf"), float("-inf")):
        raise ValueError(text)
    return value


_SCALARS: dict[str, Callable[[str], Any]] = {
    "int": _integer,
    "float": _float,
    "bool": lambda text: text.lower() == "true",
    "null": lambda text: None,
}


def _problem(name: str, line: int, cause: str, cure: str, code: str) -> Problem:
    return Problem(name, line, "file", cause, cure, code)
