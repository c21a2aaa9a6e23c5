"""Checks of `retired` and `changed`: what is retired is gone for good, and every line speaks of something."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kysely.instrument import Changed, Retired
from kysely.loading._binding import Binder, nearest
from kysely.loading._nodes import Node

_OFFERED = ("dont_know", "not_applicable")
"""Answers that a question offers by a key of its own; in `retired` the key stands for the code."""


def check(binder: Binder, root: Node) -> None:
    """Note what is wrong with the lines of *root* about earlier versions."""
    asked = {id: _codes(node) for id, node in _questions(root)}
    retired = binder.items(Retired, node, "file: retired", {}) if (node := root.get("retired")) else ()
    changed = binder.items(Changed, node, "file: changed", {}) if (node := root.get("changed")) else ()
    _check_retired(binder, retired or (), asked)
    _check_changed(binder, changed or (), asked, root)


def _check_retired(binder: Binder, retired: tuple[Retired, ...], asked: Mapping[str, frozenset[str]]) -> None:
    known: dict[tuple[str, str | None], Retired] = {}
    for one in retired:
        line, where = binder.node(one).line, f"retired {_called(one)}"
        if (one.question, one.code) in known:
            binder.add(line, where, "it is retired twice", "Keep one of the lines", "retired_twice")
        known.setdefault((one.question, one.code), one)
        again = one.question in asked if one.code is None else one.code in asked.get(one.question, ())
        if again:
            cause = "what was retired is asked again, and its old answers would be taken for new ones"
            binder.add(line, where, cause, "Give the new one another name", "retired_reused")
    for one in retired:
        if one.maps_to is not None:
            _check_mapping(binder, one, known, asked)


def _check_mapping(
    binder: Binder,
    one: Retired,
    known: Mapping[tuple[str, str | None], Retired],
    asked: Mapping[str, frozenset[str]],
) -> None:
    line, where = binder.node(one).at("maps_to"), f"retired {_called(one)}"
    met, step = {(one.question, one.code)}, one
    while step.maps_to is not None:
        goal = (step.maps_to, None) if step.code is None else (step.question, step.maps_to)
        there = goal[0] in asked if goal[1] is None else goal[1] in asked.get(goal[0], ())
        if there:
            return
        if goal in met:
            cause = "it counts as something that counts as it"
            binder.add(line, where, cause, "Let one of them count as what is asked now", "maps_in_a_circle")
            return
        met.add(goal)
        following = known.get(goal)
        if following is None:
            names = asked if goal[1] is None else asked.get(goal[0], frozenset())
            cure = nearest(step.maps_to, names) or "Name what is asked now, or what was retired with a `maps_to`"
            binder.add(line, where, f"maps_to names {step.maps_to!r}, which isn't there", cure, "maps_to_nothing")
            return
        step = following


def _check_changed(
    binder: Binder, changed: tuple[Changed, ...], asked: Mapping[str, frozenset[str]], root: Node
) -> None:
    for one in changed:
        line = binder.node(one).line
        named = {kind: getattr(one, kind) for kind in _SUBJECTS if getattr(one, kind) is not None}
        where = f"changed {' '.join(named.values()) or 'line'}"
        if len(named) != 1:
            cure = f"Name one of: {', '.join(_SUBJECTS)}"
            binder.add(line, where, "the line doesn't say what has changed", cure, "changed_what")
            continue
        [(kind, name)] = named.items()
        names = asked if kind == "question" else frozenset(_names(root, kind))
        if name not in names:
            cure = nearest(name, names) or "Name what is in the file; what is gone belongs under `retired`"
            binder.add(line, where, f"there is no {kind} {name!r}", cure, "changed_nothing")


_SUBJECTS = ("question", "page", "scale", "score", "key")


def _names(root: Node, kind: str) -> Iterator[str]:
    if kind == "key":
        yield from root.value
    elif kind == "scale":
        scales = root.get("scales")
        yield from scales.value if scales and isinstance(scales.value, dict) else ()
    else:
        yield from (id for id, _ in _called_parts(root.get(f"{kind}s")))


def _called(one: Retired) -> str:
    return f"{one.question} {one.code}" if one.code else one.question


def _questions(root: Node) -> Iterator[tuple[str, Node]]:
    for _, page in _called_parts(root.get("pages")):
        yield from _called_parts(page.get("questions"))


def _called_parts(node: Node | None) -> Iterator[tuple[str, Node]]:
    for part in node.value if node is not None and isinstance(node.value, list) else ():
        named = part.get("id")
        if named is not None and isinstance(named.value, str):
            yield named.value, part


def _codes(question: Node) -> frozenset[str]:
    """Return every code and id within *question*, whatever its type calls them."""
    return frozenset([*_written(question), *(key for key in _OFFERED if (node := question.get(key)) and node.value)])


def _written(node: Node, *, inner: bool = False) -> Iterator[str]:
    if isinstance(node.value, list):
        for item in node.value:
            yield from _written(item, inner=True)
    elif isinstance(node.value, dict):
        for key, item in node.value.items():
            if inner and key in ("code", "id") and isinstance(item.value, str):
                yield item.value
            else:
                yield from _written(item, inner=True)
