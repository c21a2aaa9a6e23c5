"""Questionnaire files into frozen instruments, or every problem of the file at once.

Reading goes in three steps: YAML into nodes that know their lines, nodes into dataclasses whose fields are
the keys, dataclasses into an instrument once nothing contradicts anything else.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from kysely.codebook import Missing
from kysely.errors import AuthorError, Problem
from kysely.instrument import Instrument
from kysely.loading import _history, _lint, _scores
from kysely.loading._binding import LANGUAGE, Binder, missing_labels
from kysely.loading._document import SCHEMA, Document, Form, Languages, MissingLabels
from kysely.loading._nodes import (
    MAXIMUM_BYTES,
    Node,
    from_bytes,
    from_file,
    from_json,
    from_plain,
    from_yaml,
    uncollected,
)
from kysely.questions._base import Question, Scale

FILE = "questionnaire.yaml"
MAIN = "main"
"""The form of a questionnaire that names none: all its pages."""


def load(path: Path, form: str | None = None) -> Instrument:
    """Return the instrument of the questionnaire file or folder *path*, in *form* or its first one.

    Raises AuthorError with every fatal problem of the file; warnings are left to `check`.
    """
    draft = _from_path(Path(path))
    fatal = [problem for problem in draft.problems if problem.fatal]
    if fatal or draft.document is None:
        raise AuthorError(fatal)
    forms = _forms(draft.document)
    if form is not None and form not in forms:
        line = draft.node.at("forms")
        cause = f"there is no form {form!r}"
        raise AuthorError(
            [Problem(draft.file, line, "forms", cause, f"Use one of: {', '.join(forms)}", "unknown_form")]
        )
    return _instrument(draft, form or next(iter(forms)))


def forms(path: Path) -> tuple[str, ...]:
    """Return the forms of the questionnaire *path*, in the author's order.

    Raises AuthorError.
    """
    draft = _from_path(Path(path))
    if draft.document is None:
        raise AuthorError(draft.problems)
    return tuple(_forms(draft.document))


def check(path: Path) -> tuple[Problem, ...]:
    """Return all problems and warnings of the questionnaire file or folder *path*, in the order of its lines."""
    return tuple(sorted(_from_path(Path(path)).problems))


def written(path: Path) -> Node:
    """Return the file of the questionnaire *path* as written, with its lines; raises AuthorError if it is no YAML."""
    file = path / FILE if path.is_dir() else path
    node, problems = from_file(file, str(file))
    if node is None or problems:
        raise AuthorError(problems)
    return node


def from_canonical(text: str) -> Instrument:
    """Return the instrument whose `canonical` was *text*; its hash is the same.

    What was asked stands, so a definition is read back even where a later engine would advise against it.
    Raises AuthorError if this engine can't read it at all.
    """
    draft = _draft(from_json(text), "stored definition", lenient=True)
    if draft.document is None or any(problem.fatal for problem in draft.problems):
        raise AuthorError(draft.problems)
    return _instrument(draft, next(iter(_forms(draft.document))), stored=text)


def question(text: str, scales: Mapping[str, Any] | None = None) -> Question:
    """Return the one question that the YAML *text* writes, as the examples of the types do.

    *scales* are as in a file; CENT4 is there without them. Raises AuthorError.
    """
    node, problems = from_yaml(text, "example")
    if node is None:
        raise AuthorError(problems)
    names = ("fi", "sv", "en")
    page = {"id": "page", "title": dict.fromkeys(names, "Page"), "questions": []}
    frame = from_plain(
        {
            "schema": SCHEMA,
            "id": "example",
            "revision": "1",
            "languages": {"base": "fi", "required": list(names)},
            "title": dict.fromkeys(names, "Example"),
            "scales": scales or _EXAMPLE_SCALES,
            "pages": [page],
        }
    )
    frame.value["pages"].value[0].value["questions"] = Node([node])
    draft = _draft(frame, "example")
    if problems or draft.problems or draft.document is None:
        raise AuthorError([*problems, *draft.problems])
    return draft.document.pages[0].questions[0]


def canonical(data: object) -> str:
    """Return *data* as JSON with sorted keys and no blanks: equal data, equal text."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


_EXAMPLE_SCALES = {
    "CENT4": {
        "levels": [
            {"code": "NOT", "value": 0, "label": {"fi": "ei kuulu", "sv": "ingår inte", "en": "no part"}},
            {"code": "SOME", "value": 1, "label": {"fi": "jonkin verran", "sv": "i någon mån", "en": "to some degree"}},
            {"code": "CLEAR", "value": 2, "label": {"fi": "selvästi", "sv": "tydligt", "en": "clearly"}},
            {"code": "CENTRAL", "value": 3, "label": {"fi": "keskeinen", "sv": "central", "en": "central"}},
        ]
    }
}


@dataclass(frozen=True)
class _Draft:
    """A file as far as it could be read."""

    file: str
    node: Node
    document: Document | None
    missing: Mapping[Missing, Mapping[str, str]]
    problems: tuple[Problem, ...]


def _from_path(path: Path) -> _Draft:
    file = path / FILE if path.is_dir() else path
    try:
        content = file.read_bytes()
    except OSError:
        content = b""
    if not 0 < len(content) <= MAXIMUM_BYTES:
        _, problems = from_file(file, str(file))
        return _Draft(str(file), Node(None), None, {}, tuple(problems))
    return _from_content(str(file), content)


@lru_cache(maxsize=8)
def _from_content(file: str, content: bytes) -> _Draft:
    """Return the draft of a file that holds *content*; its forms are loaded one after the other, it is read once."""
    node, problems = from_bytes(content, file)
    if node is None:
        return _Draft(file, Node(None), None, {}, tuple(problems))
    draft = _draft(node, file)
    return _Draft(draft.file, draft.node, draft.document, draft.missing, (*problems, *draft.problems))


@uncollected()
def _draft(node: Node, file: str, *, lenient: bool = False) -> _Draft:
    binder = Binder(file, (), lenient=lenient)
    if not isinstance(node.value, dict):
        binder.wrong_type(node, "file", "keys with values")
        return _Draft(file, node, None, {}, tuple(binder.problems))
    binder.languages = _languages(binder, node)
    binder.scales = _scales(binder, node)
    written = node.get("missing")
    labels = binder.bind(MissingLabels, written, "file: missing") if written else None
    missing = missing_labels(labels, binder.languages)
    binder.given = {"missing": missing}
    document = binder.bind(Document, node, "file")
    if not lenient:
        _lint.check(binder, node)
        _history.check(binder, node)
        _scores.check(binder, node)
    return _Draft(file, node, document, missing, tuple(binder.problems))


def _languages(binder: Binder, root: Node) -> tuple[str, ...]:
    node = root.get("languages")
    bound = binder.bind(Languages, node, "file: languages") if node else None
    if node is None or bound is None:
        return ()
    known = tuple(language for language in bound.ordered if LANGUAGE.fullmatch(language))
    for language in bound.ordered:
        if language not in known:
            cause = f"{language!r} is no language code"
            binder.add(node.line, "file: languages", cause, "Use codes like fi, sv, en", "bad_language")
    if bound.base not in bound.required:
        cause = f"the base language {bound.base!r} is not among those required"
        binder.add(node.line, "file: languages", cause, "Add it to `required`", "bad_language")
    return known


def _scales(binder: Binder, root: Node) -> Mapping[str, Any]:
    node = root.get("scales")
    if node is None or not isinstance(node.value, dict):
        return {}
    scales = binder.members(Scale, node, "file: scales")
    binder.unread.update(name for name in node.value if name not in scales)
    return scales


def _forms(document: Document) -> Mapping[str, Form]:
    return document.forms or {MAIN: Form(pages=tuple(page.id for page in document.pages))}


def _instrument(draft: _Draft, name: str, *, stored: str | None = None) -> Instrument:
    document = draft.document
    assert document is not None
    form = _forms(document)[name]
    by_id = {page.id: page for page in document.pages}
    pages = tuple(by_id[id] for id in form.pages)
    asked = {question.id for page in pages for question in page.questions}
    kept = _scores.computable(document.scores, pages)
    data = _reduced(draft.node.plain(), name, form, kept)
    text = canonical(data) if stored is None else stored
    return Instrument(
        id=document.id,
        form=name,
        revision=document.revision,
        title=document.title,
        purpose=document.purpose,
        minutes=form.minutes or document.minutes,
        languages=document.languages.ordered,
        privacy_mode=document.privacy.mode,
        min_group=document.privacy.min_group,
        edit_after_submit=document.edit_after_submit,
        paradata=document.privacy.paradata,
        missing=draft.missing,
        scales={scale: levels for scale, levels in document.scales.items() if scale in data["scales"]},
        core=tuple(id for id in document.core if id in asked),
        identity_role=document.identity.role if document.identity and document.identity.role in asked else None,
        pages=pages,
        canonical=text,
        hash=hashlib.sha256(text.encode()).hexdigest(),
        retired=document.retired,
        changed=document.changed,
        scores=tuple(score for score in document.scores if score.id in kept),
    )


def _reduced(data: dict[str, Any], name: str, form: Form, scores: Collection[str]) -> dict[str, Any]:
    """Return the file's own words for one form: a questionnaire of its own that reads back to the same instrument.

    Keys left out stay out: what they default to belongs to the version of the format.
    """
    pages = {page["id"]: page for page in data["pages"]}
    kept = [pages[id] for id in form.pages]
    asked = [question for page in kept for question in page["questions"]]
    ids = {question["id"] for question in asked}
    scales = {question["scale"] for question in asked if isinstance(question.get("scale"), str)}
    written = data.get("forms", {}).get(name, {})
    reduced = {
        **data,
        "forms": {name: {**written, "pages": list(form.pages)}},
        "pages": kept,
        "scales": {scale: levels for scale, levels in data.get("scales", {}).items() if scale in scales},
        "core": [id for id in data.get("core", []) if id in ids],
    }
    if "scores" in data:
        reduced["scores"] = [score for score in data["scores"] if score["id"] in scores]
    if data.get("identity", {}).get("role") not in ids:
        reduced.pop("identity", None)
    return reduced
