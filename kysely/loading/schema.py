"""The questionnaire format as JSON Schema and as tables, both read off the dataclasses that read the files."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Mapping
from typing import Any, Literal, get_args, get_origin

from kysely import plugins
from kysely.codebook import Text
from kysely.conditions import MAXIMUM_LENGTH, Condition
from kysely.loading._binding import LANGUAGE, MAXIMUM_NAME, NAME, QUESTIONS, author_keys, without_none
from kysely.loading._document import Document
from kysely.questions._base import Question, Scale

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a questionnaire file, for editors that complete and check while one types.

    It knows keys and types; what contradicts what is for `kysely check`.
    """
    writer = _Writer()
    root = writer.properties(Document)
    return {"$schema": DIALECT, "title": "Kysely questionnaire", **root, "$defs": dict(sorted(writer.defs.items()))}


def question_json_schema() -> dict[str, Any]:
    """Return the JSON Schema of one question."""
    writer = _Writer()
    return {"$schema": DIALECT, **writer.schema(Question), "$defs": writer.defs}


def type_tables() -> str:
    """Return the question types with their keys and examples as Markdown, for docs/authoring.md."""
    shared = author_keys(Question)
    parts = ["### Keys of every question", "", *_table({"type": None, **shared})]
    for name in plugins.names(QUESTIONS):
        module = plugins.load(QUESTIONS, name)
        keys = {key: found for key, found in author_keys(module.QUESTION).items() if _own(key, found, shared)}
        parts += ["", f"### `{name}`", "", inspect.cleandoc(module.QUESTION.__doc__ or ""), ""]
        parts += [*_table(keys), ""] if keys else []
        parts += ["```yaml", module.EXAMPLE.strip(), "```"]
    return "\n".join(parts) + "\n"


class _Writer:
    def __init__(self) -> None:
        self.defs: dict[str, Any] = {}

    def schema(self, hint: Any, metadata: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the schema of what a field of the type *hint* holds."""
        metadata = metadata or {}
        hint = without_none(hint)
        found = self._schema(hint, metadata)
        limits = {key: metadata[key] for key in ("minimum", "maximum") if key in metadata}
        help = {"description": metadata["help"]} if "help" in metadata else {}
        return {**found, **limits, **help}

    def _schema(self, hint: Any, metadata: Mapping[str, Any]) -> dict[str, Any]:
        origin, parts = get_origin(hint), get_args(hint)
        if hint == Text:
            return self.define("Text", _TEXT)
        if hint is Condition:
            return {"type": "string", "maxLength": MAXIMUM_LENGTH}
        if hint is Scale and not metadata.get("written"):
            return {"type": "string"}
        if hint is Question:
            return self.questions()
        if origin is tuple:
            # Lists hold what they hold in full; only a single scale is named.
            return {"type": "array", "items": self.schema(parts[0])}
        if origin is Literal:
            return {"enum": list(parts)}
        if getattr(origin, "__name__", "") == "Mapping":
            inner = self.schema(parts[1], {"written": True})
            return {"type": "object", "patternProperties": {_NAME: inner}, "additionalProperties": False}
        if isinstance(hint, type) and dataclasses.is_dataclass(hint):
            return self.define(hint.__name__, lambda: self.properties(hint))
        if hint is bool:
            return {"type": "boolean"}
        if hint is int:
            return {"type": "integer"}
        if float in parts or hint is float:
            return {"type": "number"}
        return {"type": "string", "pattern": _NAME} if metadata.get("name") else {"type": "string"}

    def define(self, name: str, schema: Any) -> dict[str, Any]:
        if name not in self.defs:
            self.defs[name] = {}  # a definition may hold itself
            self.defs[name] = schema() if callable(schema) else schema
        return {"$ref": f"#/$defs/{name}"}

    def questions(self) -> dict[str, Any]:
        kinds = []
        for name in plugins.names(QUESTIONS):
            cls = plugins.load(QUESTIONS, name).QUESTION
            kinds.append(self.define(name, self.properties(cls, {"type": {"const": name}})))
        # By its type, so that an editor complains about the one that is meant and not about all of them.
        choice = [
            {"if": {"properties": {"type": {"const": name}}}, "then": kind}
            for name, kind in zip(plugins.names(QUESTIONS), kinds, strict=True)
        ]
        names = {"type": {"enum": list(plugins.names(QUESTIONS))}}
        return self.define(
            "Question", {"type": "object", "required": ["id", "type"], "properties": names, "allOf": choice}
        )

    def properties(self, cls: type, first: Mapping[str, Any] | None = None) -> dict[str, Any]:
        keys = author_keys(cls)
        return {
            "type": "object",
            "properties": {**(first or {}), **{key: self.schema(hint, f.metadata) for key, (f, hint) in keys.items()}},
            "required": [*(first or {}), *(key for key, (f, _) in keys.items() if _required(f))],
            "additionalProperties": False,
        }


_NAME = f"^(?=.{{1,{MAXIMUM_NAME}}}$){NAME.pattern}$"
_TEXT = {
    "type": "object",
    "patternProperties": {f"^{LANGUAGE.pattern}$": {"type": "string", "minLength": 1}},
    "additionalProperties": False,
    "minProperties": 1,
}


def _required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _own(key: str, found: tuple[dataclasses.Field[Any], Any], shared: Mapping[str, Any]) -> bool:
    """Whether a type adds *key*, or means something else by it than every question does."""
    return key not in shared or found[0].metadata.get("help") != shared[key][0].metadata.get("help")


def _table(keys: Mapping[str, tuple[dataclasses.Field[Any], Any] | None], prefix: str = "") -> list[str]:
    return ["| key | holds | default | meaning |", "|---|---|---|---|", *_rows(keys, prefix)]


def _rows(keys: Mapping[str, tuple[dataclasses.Field[Any], Any] | None], prefix: str) -> list[str]:
    rows = []
    for key, found in keys.items():
        if found is None:
            rows.append(f"| `{key}` | one of the types below | required | how it is asked and stored |")
            continue
        field, hint = found
        hint = without_none(hint)
        rows.append(f"| `{prefix}{key}` | {_holds(hint)} | {_default(field)} | {field.metadata.get('help', '')} |")
        inner = get_args(hint)[0] if get_origin(hint) is tuple else hint
        if isinstance(inner, type) and dataclasses.is_dataclass(inner) and inner not in (Condition, Scale):
            rows += _rows(author_keys(inner), f"{prefix}{key}.")
    return rows


def _holds(hint: Any) -> str:
    origin, parts = get_origin(hint), get_args(hint)
    if hint == Text:
        return "text in every language"
    if hint is Condition:
        return "condition"
    if hint is Scale:
        return "name of a scale"
    if origin is tuple:
        return "list"
    if origin is Literal:
        return ", ".join(f"`{part}`" for part in parts)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return "keys"
    if hint is bool:
        return "`true`, `false`"
    if hint is int:
        return "whole number"
    return "number" if float in parts else "word"


def _default(field: dataclasses.Field[Any]) -> str:
    if _required(field):
        return "required"
    if field.default in (None, dataclasses.MISSING, ()):
        return ""
    return f"`{str(field.default).lower() if isinstance(field.default, bool) else field.default}`"
