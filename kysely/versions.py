"""What a change of a questionnaire means for the answers that are there already, said before it is published.

A definition is compared with the version that is asked now, both as their authors wrote them. Every difference falls
into one of six classes. What takes something away, or lets a name mean something else, has to be said in the file:
a line under `retired` or `changed`, new in this version.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Any

from kysely.instrument import Changed, Instrument, Retired
from kysely.loading._nodes import Node


class Class(StrEnum):
    """What a difference does to answers given before it."""

    TEXT = "text only"
    ORDER = "order"
    OPTION_ADDED = "option added"
    QUESTION_ADDED = "question added"
    MEANING = "meaning changed"
    REMOVED = "removed"


@dataclass(frozen=True)
class Subject:
    """What a difference is of: a question, page, scale, score or key of the file, and a code within it."""

    kind: str
    name: str
    code: str | None = None

    def __str__(self) -> str:
        inner = f", {self.code}" if self.code else ""
        return f"{self.kind} {self.name!r}{inner}" if self.kind != "key" else f"file: {self.name}"


@dataclass(frozen=True)
class Change:
    """One difference. *cure* is "" where nothing more has to be said, otherwise what the author is to do about it."""

    kind: Class
    subject: Subject
    words: str
    line: int
    cure: str = ""

    @property
    def refused(self) -> bool:
        return bool(self.cure)


def compare(old: Instrument, new: Instrument, source: Node | None = None) -> tuple[Change, ...]:
    """Return every difference from *old* to *new* in the order of the lines; *source* is the file that says *new*."""
    changes = tuple(_Comparison(old, new, source or Node(None)).changes())
    return tuple(sorted(changes, key=lambda change: (change.line, str(change.subject), change.kind, change.words)))


_LISTS = {"options": "option", "rows": "row", "levels": "level", "stages": "stage", "pairs": "pair", "items": "item"}
_PUT = frozenset(
    {
        "lines",
        "max_length",
        "required",
        "cards",
        "minutes",
        "revision",
        "schema",
        "languages",
        "autocomplete",
        "edit_after_submit",
    }
)
"""Keys that say how something is put, and nothing about what an answer means."""
_PLACED = frozenset({"fixed", "order", "settles"})
"""Keys that say what stands where, and what a respondent may have read before an answer was given."""
_OFFERED = frozenset({"dont_know", "not_applicable"})
_COUNTED = frozenset({"unit"})
"""Texts that are part of what a number means."""
_ANONYMITY = {"named": 0, "confidential": 1, "open": 2, "anonymous": 3}
_LONGEST = 60


class _Comparison:
    def __init__(self, old: Instrument, new: Instrument, source: Node):
        self.old, self.new, self.source = old, new, source
        self.before: dict[str, Any] = json.loads(old.canonical)
        self.after: dict[str, Any] = json.loads(new.canonical)
        self.languages = set(old.languages) | set(new.languages)
        self.explained: set[tuple[str, str | None]] = set()
        """(question, code) of which it is said already that something came, went or became another type."""
        known = {tuple(sorted(line.items())) for line in self.before.get("changed", ())}
        self.said = [
            Changed(**line) for line in self.after.get("changed", ()) if tuple(sorted(line.items())) not in known
        ]
        self.retired = [Retired(**line) for line in self.after.get("retired", ())]

    def changes(self) -> Iterator[Change]:
        yield from self.file()
        yield from self.pages()
        yield from self.questions()
        yield from self.named("scales", "scale")
        yield from self.scores()
        yield from self.variables()
        yield from self.lines_kept()

    # The file

    def file(self) -> Iterator[Change]:
        apart = {"pages", "scales", "scores", "retired", "changed", "forms", "privacy"}
        before = {key: value for key, value in self.before.items() if key not in apart}
        after = {key: value for key, value in self.after.items() if key not in apart}
        for key in _union(before, after):
            subject = Subject("key", key)
            yield from self.value(
                subject, key, before.get(key), after.get(key), self.source.get(key), self.source.at(key)
            )
        yield from self.form()
        yield from self.privacy()

    def form(self) -> Iterator[Change]:
        before, after = (data.get("forms", {}).get(self.new.form, {}) for data in (self.before, self.after))
        line = self.source.at("forms", self.new.form, "title")
        subject = Subject("key", "forms")
        for key in _union(before, after):
            if key != "pages":
                yield from self.value(subject, key, before.get(key), after.get(key), None, line)

    def privacy(self) -> Iterator[Change]:
        subject, line = Subject("key", "privacy"), self.source.at("privacy")
        modes = self.old.privacy_mode, self.new.privacy_mode
        promise = "Respondents were promised this: keep it, and open a wave of its own for what is to be promised anew"
        if modes[0] != modes[1]:
            words = f"answers are {modes[1]}, and were {modes[0]}"
            loosened = _ANONYMITY.get(modes[1], 0) < _ANONYMITY.get(modes[0], 0)
            yield self.meaning(subject, words, line, cure=promise if loosened else None)
        groups = self.old.min_group, self.new.min_group
        if groups[0] != groups[1]:
            words = f"groups of {groups[1]} may be shown, and {groups[0]} were promised"
            if groups[1] < groups[0]:
                yield self.meaning(subject, words, line, cure=promise)
            else:
                yield Change(Class.TEXT, subject, words, line)
        if self.old.keeps_visits != self.new.keeps_visits:
            words = f"it is {'' if self.new.keeps_visits else 'no longer '}noted when pages are shown and saved"
            if self.new.keeps_visits:
                yield self.meaning(subject, words, line, cure=promise)
            else:
                yield Change(Class.TEXT, subject, words, line)

    # Pages

    def pages(self) -> Iterator[Change]:
        before, after = _by_name(self.before["pages"]), _by_name(self.after["pages"])
        homes = [_homes(pages) for pages in (before, after)]
        common = [id for id in before if id in after]
        if common != [id for id in after if id in before]:
            words = f"the pages come in the order {_listed(after)}, and came as {_listed(before)}"
            yield Change(Class.ORDER, Subject("key", "pages"), words, self.source.at("pages"))
        for id, page in after.items():
            node, subject = self.page_node(id), Subject("page", id)
            moved = [question for question in _ids(page) if question in homes[0]]
            if id not in before:
                if moved:
                    yield Change(Class.ORDER, subject, "a page was added; it asks what was asked elsewhere", node.line)
                continue
            yield from self.maps(subject, before[id], page, node, skip=("questions",))
            same = [
                [one for one in _ids(pages[id]) if one in _ids(other[id])]
                for pages, other in ((before, after), (after, before))
            ]
            if same[0] != same[1]:
                words = f"its questions come in the order {_listed(same[1])}, and came as {_listed(same[0])}"
                yield Change(Class.ORDER, subject, words, node.at("questions"))
        for id, page in before.items():
            if id not in after and any(question in homes[1] for question in _ids(page)):
                words = "the page was taken out; its questions are asked elsewhere"
                yield Change(Class.ORDER, Subject("page", id), words, self.source.at("pages"))
        for question, home in homes[1].items():
            if question in homes[0] and homes[0][question] != home:
                words = f"asked on page {home!r}, and was on {homes[0][question]!r}"
                yield Change(Class.ORDER, Subject("question", question), words, self.question_node(question).at("id"))

    # Questions

    def questions(self) -> Iterator[Change]:
        before, after = _questions(self.before), _questions(self.after)
        for id in after:
            node, subject = self.question_node(id), Subject("question", id)
            if id not in before:
                self.explained.add((id, None))
                yield Change(
                    Class.QUESTION_ADDED, subject, f"asked for the first time: {self.quoted(after[id])}", node.at("id")
                )
            elif before[id].get("type") != after[id].get("type"):
                self.explained.add((id, None))
                words = f"the type is {after[id].get('type')}, and was {before[id].get('type')}"
                yield self.meaning(subject, words, node.at("type"))
            else:
                yield from self.maps(subject, before[id], after[id], node)
        for id in before:
            if id not in after:
                self.explained.add((id, None))
                yield self.removal(
                    Subject("question", id), f"no longer asked: {self.quoted(before[id])}", self.source.at("pages")
                )

    # Scales and scores

    def named(self, section: str, kind: str) -> Iterator[Change]:
        before, after = self.before.get(section, {}), self.after.get(section, {})
        for name in before:
            if name in after:
                node = self.source.get(section)
                node = node.get(name) if node else None
                yield from self.maps(Subject(kind, name), before[name], after[name], node or Node(None))

    def scores(self) -> Iterator[Change]:
        before, after = _by_name(self.before.get("scores", [])), _by_name(self.after.get("scores", []))
        for id in _union(before, after):
            node, subject = self.score_node(id), Subject("score", id)
            if id not in before:
                yield Change(
                    Class.QUESTION_ADDED, subject, "a score was added; it is computed from answers", node.at("id")
                )
            elif id not in after:
                words = "the score was taken out; the answers that it was computed from stay"
                yield Change(Class.REMOVED, subject, words, self.source.at("scores"))
            else:
                yield from self.maps(subject, before[id], after[id], node)

    # What the columns say: whatever the keys above did not explain

    def variables(self) -> Iterator[Change]:
        old, new = self.old.codebook.by_name, self.new.codebook.by_name
        for name, variable in old.items():
            if not self.is_explained(variable.question, variable.code, name) and name not in new:
                subject = Subject("question", variable.question, variable.code)
                yield self.removal(
                    subject,
                    f"the variable {name} is no longer recorded",
                    self.question_line(variable.question),
                    variable=name,
                )
        for name, variable in new.items():
            if self.is_explained(variable.question, variable.code, name):
                continue
            subject, line = Subject("question", variable.question, variable.code), self.question_line(variable.question)
            if name not in old:
                yield Change(Class.QUESTION_ADDED, subject, f"the variable {name} is recorded for the first time", line)
            elif old[name].kind is not variable.kind:
                words = f"the variable {name} holds {variable.kind} values, and held {old[name].kind}"
                yield self.meaning(subject, words, line)

    def is_explained(self, question: str, code: str | None, name: str) -> bool:
        return bool(self.explained & {(question, None), (question, code or ""), (question, name)})

    def lines_kept(self) -> Iterator[Change]:
        """What was retired stays retired: without its line a code could be used again for something else."""
        for line in self.before.get("retired", ()):
            gone = Retired(**line)
            if not any((one.question, one.code) == (gone.question, gone.code) for one in self.retired):
                subject = Subject("question", gone.question, gone.code)
                cure = "Put the line back: answers that were given to it are still there"
                yield Change(
                    Class.REMOVED, subject, "its line under `retired` was deleted", self.source.at("retired"), cure
                )

    # Any keys with values

    def maps(
        self,
        subject: Subject,
        before: Mapping[str, Any],
        after: Mapping[str, Any],
        node: Node,
        skip: Sequence[str] = (),
    ) -> Iterator[Change]:
        for key in _union(before, after):
            if key not in skip:
                yield from self.value(subject, key, before.get(key), after.get(key), node.get(key), node.at(key))

    def value(
        self, subject: Subject, key: str, before: Any, after: Any, node: Node | None, line: int
    ) -> Iterator[Change]:
        if before == after:
            return
        if self.is_text(before) or self.is_text(after):
            yield self.reworded(subject, key, before, after, line)
        elif key in _PUT:
            yield Change(Class.TEXT, subject, f"{key} is {_shown(after)}, and was {_shown(before)}", line)
        elif key in _PLACED:
            yield Change(Class.ORDER, subject, f"{key} is {_shown(after)}, and was {_shown(before)}", line)
        elif key in _OFFERED:
            yield self.offered(subject, key, bool(after), line)
        elif key in ("minimum", "maximum", "integer"):
            yield self.limited(subject, key, before, after, line)
        elif key == "show_if":
            yield self.routed(subject, before, after, line)
        elif key == "scale" and isinstance(before, str) and isinstance(after, str):
            yield from self.rescaled(subject, before, after, line)
        elif _has_members(before) and _has_members(after):
            yield from self.members(subject, key, before or [], after or [], node or Node(None, line), line)
        elif isinstance(before or {}, dict) and isinstance(after or {}, dict):
            yield from self.nested(subject, key, before or {}, after or {}, node or Node(None, line), line)
        else:
            yield self.meaning(subject, f"{key} is {_shown(after)}, and was {_shown(before)}", line)

    def reworded(self, subject: Subject, key: str, before: Any, after: Any, line: int) -> Change:
        base = self.new.languages[0]
        old, new = (before or {}).get(base, ""), (after or {}).get(base, "")
        others = [one for one in self.new.languages if (before or {}).get(one) != (after or {}).get(one)]
        words = f"{key} in {', '.join(others)}" + (f": “{_short(old)}” is now “{_short(new)}”" if old != new else "")
        if key in _COUNTED:
            return self.meaning(subject, words, line)
        return Change(Class.TEXT, subject, words, line)

    def offered(self, subject: Subject, key: str, now: bool, line: int) -> Change:
        subject = Subject(subject.kind, subject.name, key)
        if now:
            return Change(Class.OPTION_ADDED, subject, f"{key} can be answered", line)
        return self.removal(subject, f"{key} can no longer be answered", line)

    def limited(self, subject: Subject, key: str, before: Any, after: Any, line: int) -> Change:
        words = f"{key} is {_shown(after)}, and was {_shown(before)}"
        if key == "integer":
            wider = not after
        else:
            wider = after is None or (before is not None and (after < before) == (key == "minimum"))
        if wider:
            return Change(Class.OPTION_ADDED, subject, f"{words}: more numbers are accepted", line)
        return self.meaning(subject, f"{words}: fewer numbers are accepted", line)

    def routed(self, subject: Subject, before: str | None, after: str | None, line: int) -> Change:
        who = f"asked if {after}" if after else "asked of everybody"
        was = f"if {before}" if before else "of everybody"
        return self.meaning(subject, f"{who}, and was asked {was}", line)

    def rescaled(self, subject: Subject, before: str, after: str, line: int) -> Iterator[Change]:
        old, new = self.before.get("scales", {}).get(before), self.after.get("scales", {}).get(after)
        if old != new:  # a scale that only has another name is the same scale
            yield self.meaning(subject, f"answered on the scale {after}, and was on {before}", line)

    def members(
        self, subject: Subject, key: str, before: list[Any], after: list[Any], node: Node, line: int
    ) -> Iterator[Change]:
        called = _LISTS.get(key, key.removesuffix("s"))
        old, new = _by_name(before), _by_name(after)
        for name in old:
            if name not in new:
                gone = Subject(subject.kind, subject.name, name)
                self.explained.add((subject.name, name))
                words = f"the {called} {self.quoted(old[name])} can no longer be answered"
                yield self.meaning(gone, words, line) if key == "levels" else self.removal(gone, words, line)
        nodes = {named.value: item for item in node.value or () if (named := item.get("code") or item.get("id"))}
        for name in new:
            place, inner = nodes.get(name, Node(None, line)), Subject(subject.kind, subject.name, name)
            if name in old:
                yield from self.maps(inner, old[name], new[name], place, skip=("code", "id"))
                continue
            self.explained.add((subject.name, name))
            words = f"the {called} {self.quoted(new[name])} can be answered"
            if key == "levels":
                yield self.meaning(inner, f"{words}, so the others say less or more", place.line)
            else:
                yield Change(Class.OPTION_ADDED, inner, words, place.line)
        common = [name for name in old if name in new]
        if common != [name for name in new if name in old]:
            words = f"the {called}s {_listed(_moved(common, [name for name in new if name in old]))} stand elsewhere"
            yield Change(Class.ORDER, subject, words, line)

    def nested(
        self, subject: Subject, key: str, before: dict[str, Any], after: dict[str, Any], node: Node, line: int
    ) -> Iterator[Change]:
        """Compare keys within a key; what has an id, such as the line beside "other", is a variable of its own."""
        old, new = before.get("id"), after.get("id")
        if old == new:
            yield from self.maps(subject, before, after, node)
            return
        if old:
            self.explained.add((subject.name, old))
            yield self.removal(Subject(subject.kind, subject.name, old), f"the {key} {old} is no longer asked", line)
        if new:
            self.explained.add((subject.name, new))
            inner = Subject(subject.kind, subject.name, new)
            yield Change(Class.QUESTION_ADDED, inner, f"the {key} {new} is asked for the first time", line)

    # What has to be said

    def removal(self, subject: Subject, words: str, line: int, *, variable: str = "") -> Change:
        said = [one for one in self.retired if one.question == subject.name]
        # What a question took over from another goes when it goes there.
        elsewhere = [one for one in self.retired if variable and one.code is not None and one.code == subject.code]
        found = next((one for one in [*said, *elsewhere] if one.code in (None, subject.code)), None)
        if found is not None:
            goes = f"; its answers count as {found.maps_to} in an extra column" if found.maps_to else ""
            return Change(Class.REMOVED, subject, f"{words} (retired{goes})", line)
        code = f", code: {subject.code}" if subject.code else ""
        entry = f'{{question: {subject.name}{code}, since: "{self.new.revision}"}}'
        cure = f"Add to `retired`: {entry}, with `maps_to` if its answers count as others"
        return Change(Class.REMOVED, subject, words, line, cure)

    def meaning(self, subject: Subject, words: str, line: int, *, cure: str | None = None) -> Change:
        if cure is None:
            for one in self.said:
                if getattr(one, subject.kind) == subject.name and one.code in (None, subject.code):
                    return Change(Class.MEANING, subject, f"{words} (said: it was {one.was})", line)
            code = f", code: {subject.code}" if subject.code else ""
            entry = f'{{{subject.kind}: {subject.name}{code}, since: "{self.new.revision}", was: …}}'
            anew = (
                f"Give the {subject.kind} a new name and retire this one, or a" if subject.kind == "question" else "A"
            )
            cure = f"{anew}dd to `changed`: {entry}"
        return Change(Class.MEANING, subject, words, line, cure)

    # Where things are

    def question_node(self, id: str) -> Node:
        return next(
            (
                node
                for page in _nodes(self.source.get("pages"))
                for node in _nodes(page.get("questions"))
                if _is_called(node, id)
            ),
            Node(None),
        )

    def question_line(self, id: str) -> int:
        return self.question_node(id).at("id") or self.source.at("pages")

    def page_node(self, id: str) -> Node:
        return next((node for node in _nodes(self.source.get("pages")) if _is_called(node, id)), Node(None))

    def score_node(self, id: str) -> Node:
        return next((node for node in _nodes(self.source.get("scores")) if _is_called(node, id)), Node(None))

    def is_text(self, value: Any) -> bool:
        return (
            isinstance(value, dict)
            and bool(value)
            and set(value) <= self.languages
            and all(isinstance(text, str) for text in value.values())
        )

    def quoted(self, part: Mapping[str, Any]) -> str:
        texts = (part[key] for key in ("label", "text") if self.is_text(part.get(key)))
        text: Mapping[str, str] = next(texts, {})
        wording = text.get(self.new.languages[0]) or next(iter(text.values()), "")
        name = part.get("code") or part.get("id") or ""
        return f"{name} “{_short(wording)}”" if wording else str(name)


def _nodes(node: Node | None) -> list[Node]:
    return node.value if node is not None and isinstance(node.value, list) else []


def _is_called(node: Node, id: str) -> bool:
    named = node.get("id")
    return named is not None and named.value == id


def _union(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    return list(dict.fromkeys([*after, *before]))


def _name(part: Any) -> str | None:
    return part.get("code") or part.get("id") if isinstance(part, dict) else None


def _has_members(value: Any) -> bool:
    return value is None or (isinstance(value, list) and all(_name(part) for part in value))


def _by_name(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {str(_name(part)): part for part in parts}


def _ids(page: Mapping[str, Any]) -> list[str]:
    return [question["id"] for question in page["questions"]]


def _homes(pages: Mapping[str, Any]) -> dict[str, str]:
    return {question: id for id, page in pages.items() for question in _ids(page)}


def _questions(data: Mapping[str, Any]) -> dict[str, Any]:
    return {question["id"]: question for page in data["pages"] for question in page["questions"]}


def _moved(before: list[str], after: list[str]) -> list[str]:
    """Return what has to be taken out of both orders to make them the same."""
    kept = {
        name
        for block in SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks()
        for name in before[block.a : block.a + block.size]
    }
    return [name for name in after if name not in kept]


def _listed(names: Any) -> str:
    return ", ".join(names)


def _shown(value: Any) -> str:
    return (
        "not set"
        if value is None
        else _short(json.dumps(value, ensure_ascii=False))
        if isinstance(value, dict | list | bool)
        else str(value)
    )


def _short(text: str) -> str:
    folded = " ".join(text.split())
    return folded if len(folded) <= _LONGEST else folded[: _LONGEST - 1].rstrip() + "…"
