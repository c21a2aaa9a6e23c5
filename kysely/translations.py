"""Which translations still say what the base language says: the lock beside a questionnaire, and PO files.

The lock holds, for each text and language, the hash of the base wording that the translation was confirmed against.
A base wording that has changed since makes the translation stale, and a stale one is never published.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import textwrap
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from kysely import loading, piping
from kysely.errors import KyselyError, Problem
from kysely.loading._nodes import Node, from_json

if TYPE_CHECKING:
    import polib

LOCK = "questionnaire.lock"
FORMAT = "kysely-translations/1"


class TranslationError(KyselyError):
    """A lock or a PO file can't be used; says what is wrong with it."""

    exit_code = 2


class State(StrEnum):
    """How a translation stands to the base wording."""

    CURRENT = "current"
    STALE = "stale"
    UNCONFIRMED = "unconfirmed"
    MISSING = "missing"


@dataclass(frozen=True)
class Wording:
    """One text of the questionnaire in every language, by its key; *lines* says where each language stands."""

    key: str
    texts: Mapping[str, str]
    lines: Mapping[str, int]


@dataclass(frozen=True)
class Status:
    """One translation: what the base language says *now*, and what it *was* confirmed against ("" if never)."""

    key: str
    language: str
    state: State
    now: str
    was: str
    text: str
    line: int


@dataclass(frozen=True)
class Source:
    """A questionnaire file with its texts and its lock."""

    file: Path
    base: str
    languages: tuple[str, ...]
    wordings: tuple[Wording, ...]
    lock: Lock

    @property
    def translated(self) -> tuple[str, ...]:
        return tuple(language for language in self.languages if language != self.base)

    def statuses(self) -> Iterator[Status]:
        """Yield how each translation stands, in the order of the file."""
        for wording in self.wordings:
            now = wording.texts.get(self.base, "")
            for language in self.translated:
                text = wording.texts.get(language, "")
                was = self.lock.texts.get(wording.key, {}).get(language)
                state = (
                    State.MISSING
                    if not text
                    else State.UNCONFIRMED
                    if was is None
                    else State.CURRENT
                    if was == digest(now)
                    else State.STALE
                )
                line = wording.lines.get(language) or min(wording.lines.values(), default=0)
                yield Status(wording.key, language, state, now, self.lock.wordings.get(was or "", ""), text, line)


@dataclass(frozen=True)
class Lock:
    """What was confirmed: key → language → hash of the base wording, and the wordings by their hashes."""

    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    wordings: Mapping[str, str] = field(default_factory=dict)
    there: bool = False


def read(path: Path) -> Source:
    """Return the texts of the questionnaire file or folder *path* and its lock.

    Raises AuthorError for a file that is no YAML, TranslationError for a lock that can't be read.
    """
    file = path / loading.FILE if path.is_dir() else path
    root = loading.written(file)
    plain = root.plain()
    written = plain.get("languages") if isinstance(plain, dict) else None
    written = written if isinstance(written, dict) else {}
    base, required = str(written.get("base", "")), written.get("required")
    languages = tuple(dict.fromkeys((base, *(str(one) for one in required)))) if isinstance(required, list) else ()
    wordings = tuple(_wordings(root, set(languages))) if languages else ()
    return Source(file, base, languages, wordings, _read_lock(file.with_name(LOCK)))


def problems(path: Path, form: str | None = None) -> tuple[Problem, ...]:
    """Return a warning for each translation that isn't current, of *form* or of the whole file.

    One warning stands for all where nothing was ever confirmed.
    """
    source = read(path)
    asked = None if form is None else _keys(path, form)
    found = [one for one in source.statuses() if one.state is not State.CURRENT and (asked is None or one.key in asked)]
    name = source.file.parent.resolve().name
    confirm = f"kysely translations confirm {name}"
    if found and not source.lock.there:
        cause = f"nobody has confirmed that its {len(found)} translations say what {source.base} says"
        cure = f"Read them, then write {LOCK} with: {confirm}"
        return (Problem(str(source.file), 1, "translations", cause, cure, "translations_unconfirmed", fatal=False),)
    return tuple(
        Problem(
            str(source.file),
            one.line,
            one.key,
            _cause(one, source.base),
            f"Translate it{' anew' if one.state is State.STALE else ''}, then: {confirm} --language {one.language}",
            f"translation_{one.state}",
            fatal=False,
        )
        for one in found
    )


def confirm(path: Path, *, languages: Collection[str] = (), keys: Collection[str] = ()) -> tuple[Status, ...]:
    """Write into the lock that translations say what the base language says now, and return those that were not so.

    Of all languages and texts, or of those given; a key also stands for those below it. Texts that have left the
    questionnaire leave the lock.
    """
    source = read(path)
    for language in languages:
        if language not in source.translated:
            raise TranslationError(f"{language!r} is no language to translate into; there are: {_listed(source)}")
    chosen = [one for one in source.statuses() if one.state in (State.STALE, State.UNCONFIRMED)]
    chosen = [one for one in chosen if not languages or one.language in languages]
    chosen = [one for one in chosen if not keys or any(_below(one.key, key) for key in keys)]
    _write_lock(source, chosen)
    return tuple(chosen)


def digest(text: str) -> str:
    """Return the hash that the lock keeps of a wording."""
    return hashlib.sha256(text.strip().encode()).hexdigest()[:16]


# PO files


def exported(path: Path, language: str) -> str:
    """Return a PO file for translating into *language*; what is not current is marked fuzzy.

    Raises TranslationError for a language that the questionnaire doesn't have.
    """
    import polib

    source = read(path)
    if language not in source.translated:
        raise TranslationError(f"{language!r} is no language to translate into; there are: {_listed(source)}")
    file = polib.POFile(wrapwidth=0)
    file.metadata = {
        "Project-Id-Version": source.file.parent.resolve().name,
        "Language": language,
        "X-Base-Language": source.base,
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
    }
    for one in source.statuses():
        if one.language != language:
            continue
        entry = polib.POEntry(
            msgctxt=one.key, msgid=one.now, msgstr=one.text, occurrences=[(source.file.name, str(one.line))]
        )
        if one.state in (State.STALE, State.UNCONFIRMED):
            entry.flags.append("fuzzy")
        if one.state is State.STALE and one.was:
            entry.previous_msgid = one.was
        file.append(entry)
    return str(file)


@dataclass(frozen=True)
class Imported:
    """What a PO file brought: texts *written* anew, entries *confirmed*, those left as they were, those *refused*."""

    language: str
    written: tuple[str, ...]
    confirmed: tuple[str, ...]
    fuzzy: tuple[str, ...]
    empty: tuple[str, ...]
    refused: tuple[Problem, ...]


def imported(path: Path, po: Path) -> Imported:
    """Take the translations of the PO file *po* into the questionnaire and its lock.

    Only what was translated from the present base wording is taken. An empty entry never empties a text, and a fuzzy
    one, which its translator isn't sure of, changes nothing. Comments and form of the YAML stay as they are.
    Raises TranslationError where the PO file can't be read.
    """
    source = read(path)
    language, entries = _read_po(po, source)
    known = {wording.key: wording for wording in source.wordings}
    new: dict[str, str] = {}
    fuzzy, empty, refused, confirmed = [], [], [], []
    for entry in entries:
        key, text = entry.msgctxt or "", entry.msgstr.strip()
        problem = _unfit(po, entry, known.get(key), source.base)
        if problem is not None:
            refused.append(problem)
        elif not text:
            empty.append(key)
        elif "fuzzy" in entry.flags:
            fuzzy.append(key)
        else:
            confirmed.append(key)
            if text != known[key].texts.get(language, ""):
                new[key] = text
    if new:
        _rewrite(source, language, new)
    source = read(path)
    statuses = [one for one in source.statuses() if one.language == language and one.key in set(confirmed)]
    _write_lock(source, statuses)
    return Imported(language, tuple(new), tuple(confirmed), tuple(fuzzy), tuple(empty), tuple(refused))


def _read_po(po: Path, source: Source) -> tuple[str, list[polib.POEntry]]:
    import polib

    try:
        text = po.read_text(encoding="utf-8-sig")
        file = polib.pofile(text, wrapwidth=0)
    except UnicodeDecodeError:
        raise TranslationError(f"{po} is not UTF-8; save it as UTF-8") from None
    except OSError as error:
        raise TranslationError(f"{po} can't be read: {error.strerror}") from None
    except ValueError as error:
        raise TranslationError(f"{po} is no PO file: {str(error).splitlines()[0]}") from None
    language = file.metadata.get("Language", "").strip()
    if language not in source.translated:
        told = repr(language) if language else "nothing"
        raise TranslationError(f"{po} says {told} as its Language; it must be one of: {_listed(source)}")
    return language, [entry for entry in file if not entry.obsolete]


def _unfit(po: Path, entry: polib.POEntry, wording: Wording | None, base: str) -> Problem | None:
    key, line = entry.msgctxt or entry.msgid[:40], entry.linenum or 0
    if wording is None:
        cause = "the questionnaire has no such text"
        return Problem(str(po), line, key, cause, "Export the file anew", "po_unknown")
    now = wording.texts.get(base, "")
    if entry.msgid.strip() != now:
        cause = f"it translates “{_short(entry.msgid)}”, and the text is now “{_short(now)}”"
        return Problem(str(po), line, key, cause, "Export the file anew and translate that", "po_outdated")
    wanted, found = _placeholders(now), _placeholders(entry.msgstr)
    if entry.msgstr.strip() and wanted != found:
        cause = f"its placeholders are {_braced(found)}, and those of the text are {_braced(wanted)}"
        return Problem(str(po), line, key, cause, "Write the same ones, as they are", "po_placeholders")
    return None


def _placeholders(text: str) -> Counter[str]:
    return Counter(str(one) for one in piping.placeholders(text))


def _braced(names: Counter[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in sorted(names.elements())) or "none"


# Finding the texts


def _wordings(node: Node, languages: set[str], path: tuple[str, ...] = ()) -> Iterator[Wording]:
    """Yield the texts within *node*. A question's key begins with its id, so that it may move to another page."""
    if isinstance(node.value, dict):
        if _is_text(node, languages):
            texts = {name: str(item.value or "").strip() for name, item in node.value.items()}
            yield Wording("/".join(path), texts, {name: node.keys.get(name, node.line) for name in texts})
            return
        for key, item in node.value.items():
            yield from _wordings(item, languages, (*path, str(key)))
    elif isinstance(node.value, list):
        for place, item in enumerate(node.value):
            yield from _wordings(item, languages, _step(path, item, place))


def _is_text(node: Node, languages: set[str]) -> bool:
    return (
        bool(node.value)
        and set(node.value) <= languages
        and all(item.value is None or isinstance(item.value, str) for item in node.value.values())
    )


def _step(path: tuple[str, ...], item: Node, place: int) -> tuple[str, ...]:
    named = item.get("id") or item.get("code")
    name = str(named.value) if named is not None else str(place + 1)
    return (name,) if path and path[-1] == "questions" else (*path, name)


def _keys(path: Path, form: str) -> set[str]:
    instrument = loading.load(path, form)
    return {wording.key for wording in _wordings(from_json(instrument.canonical), set(instrument.languages))}


# The lock


def _read_lock(file: Path) -> Lock:
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Lock()
    except (OSError, ValueError) as error:
        raise TranslationError(
            f"{file} can't be read ({error}); get it from git again, or delete it and confirm anew"
        ) from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise TranslationError(f"{file} is not in the format {FORMAT}; get it from git again")
    return Lock(data["texts"], data["wordings"], there=True)


def _write_lock(source: Source, confirmed: Collection[Status]) -> None:
    present = {wording.key for wording in source.wordings}
    texts = {key: dict(languages) for key, languages in source.lock.texts.items() if key in present}
    wordings = dict(source.lock.wordings)
    for one in confirmed:
        texts.setdefault(one.key, {})[one.language] = digest(one.now)
        wordings[digest(one.now)] = one.now
    used = {hash for languages in texts.values() for hash in languages.values()}
    ordered = {wording.key: texts[wording.key] for wording in source.wordings if wording.key in texts}
    data = {
        "format": FORMAT,
        "base": source.base,
        "texts": {key: dict(sorted(languages.items())) for key, languages in ordered.items()},
        "wordings": {hash: wordings[hash] for hash in sorted(used)},
    }
    _replace(source.file.with_name(LOCK), json.dumps(data, ensure_ascii=False, indent=1) + "\n")


def _replace(file: Path, text: str) -> None:
    """Write *file* whole or not at all."""
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        draft.write_text(text, encoding="utf-8", newline="")
        os.replace(draft, file)
    except OSError as error:
        raise TranslationError(f"{file} can't be written: {error.strerror}") from None
    finally:
        draft.unlink(missing_ok=True)


# Writing texts into the YAML, and touching nothing else of it

_WIDTH = 118


def _rewrite(source: Source, language: str, new: Mapping[str, str]) -> None:
    """Put the *new* texts in place of those of *language*; every other byte of the file stays."""
    raw = source.file.read_bytes().decode("utf-8")
    mark, text = ("\ufeff", raw[1:]) if raw.startswith("\ufeff") else ("", raw)
    root = YAML(typ="rt", pure=True).compose(text)
    edits = []
    for key, wording in new.items():
        found = _scalar(root, key, set(source.languages), language)
        if found is None:
            raise TranslationError(f"{source.file}: {key} can't be written by a program here; write it by hand")
        node, column = found
        start, end = node.start_mark.index, node.end_mark.index
        edits.append((start, end, _written(node, wording, column, text[start:end])))
    changed = text
    for start, end, wording in sorted(edits, reverse=True):
        changed = changed[:start] + wording + changed[end:]
    _show_nothing_else_changed(source, changed, language, new)
    _replace(source.file, mark + changed)


def _scalar(root: Any, key: str, languages: set[str], language: str) -> tuple[ScalarNode, int] | None:
    """Return the scalar that holds the text *key* in *language*, and the column its key stands in."""
    for found, texts in _text_nodes(root, languages, ()):
        if "/".join(found) == key:
            for name, value in texts.value:
                if name.value == language and isinstance(value, ScalarNode) and value.anchor is None:
                    return value, name.start_mark.column
    return None


def _text_nodes(node: Any, languages: set[str], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], MappingNode]]:
    if isinstance(node, MappingNode):
        names = [key.value for key, _ in node.value]
        if names and set(names) <= languages and all(isinstance(value, ScalarNode) for _, value in node.value):
            yield path, node
            return
        for key, value in node.value:
            yield from _text_nodes(value, languages, (*path, str(key.value)))
    elif isinstance(node, SequenceNode):
        for place, item in enumerate(node.value):
            named = {}
            if isinstance(item, MappingNode):
                named = {key.value: value.value for key, value in item.value if key.value in ("id", "code")}
            name = str(named.get("id") or named.get("code") or place + 1)
            yield from _text_nodes(item, languages, (name,) if path and path[-1] == "questions" else (*path, name))


def _written(node: ScalarNode, text: str, column: int, before: str) -> str:
    """Return *text* as YAML in the manner of *node*: folded, plain or quoted, whichever it was and can stay."""
    if node.style == ">" and not re.search(r"\n|^\s|\s$|\s\s", text):
        indent = " " * (column + 2)
        lines = textwrap.wrap(text, _WIDTH - len(indent), break_long_words=False, break_on_hyphens=False)
        tail = before[len(before.rstrip("\n ")) :]
        return ">-\n" + "\n".join(indent + line for line in lines) + (tail or "\n")
    quoted = json.dumps(text, ensure_ascii=False)
    if node.style in (">", "|"):
        return quoted + before[len(before.rstrip("\n ")) :]
    return text if node.style is None and _is_plain(text) else quoted


def _is_plain(text: str) -> bool:
    """Whether *text* reads back as itself without quotes, also within braces."""
    if re.search(r"[\n{}\[\],#&*!|>'\"%@`]|: |:$|^[-?:\s]|\s$|\s\s", text):
        return False
    return bool(YAML(typ="safe", pure=True).load(f"{{key: {text}}}") == {"key": text})


def _show_nothing_else_changed(source: Source, changed: str, language: str, new: Mapping[str, str]) -> None:
    """Raise TranslationError unless *changed* says what the file said, with the *new* texts."""
    from kysely.loading._nodes import from_yaml

    node, problems = from_yaml(changed, str(source.file))
    before = {wording.key: dict(wording.texts) for wording in source.wordings}
    for key, text in new.items():
        before[key][language] = text
    after = {} if node is None else {one.key: dict(one.texts) for one in _wordings(node, set(source.languages))}
    if problems or before != after:
        raise TranslationError(f"{source.file} is written in a way that can't be changed by a program; write by hand")


def _cause(one: Status, base: str) -> str:
    if one.state is State.MISSING:
        return f"the {one.language} translation of “{_short(one.now)}” is missing"
    if one.state is State.UNCONFIRMED:
        return f"nobody has confirmed the {one.language} translation of “{_short(one.now)}”"
    return (
        f"the {one.language} translation is stale: {base} said “{_short(one.was)}” when it was confirmed, "
        f"and says “{_short(one.now)}” now"
    )


def _below(key: str, above: str) -> bool:
    return key == above or key.startswith(f"{above}/")


def _listed(source: Source) -> str:
    return ", ".join(source.translated) or "none"


def _short(text: str) -> str:
    folded = " ".join(text.split())
    return folded if len(folded) <= 80 else folded[:79].rstrip() + "…"
