"""Checks of `scores`: that they are computed from what is asked, can be computed at all, and not from each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from graphlib import CycleError

from kysely import scores
from kysely.codebook import Kind, Variable
from kysely.instrument import Page, ScoreRule
from kysely.loading._binding import Binder, nearest
from kysely.loading._nodes import Node
from kysely.questions._base import Question

_TWO = ("difference", "ratio")
_COMPARING = ("distance", "fit", "overlap")
_OWN_KEYS = {
    "others": _COMPARING,
    "of": ("share_of",),
    "weights": ("weighted_mean",),
    "at_least": ("count",),
    "equals": ("count",),
    "cap": ("count",),
    "floor": ("difference",),
    "margin": ("dominant",),
}


def check(binder: Binder, root: Node) -> None:
    """Note what is wrong with the scores of *root*."""
    written, pages = root.get("scores"), root.get("pages")
    rules = binder.items(ScoreRule, written, "file: scores", {}) if written else ()
    asked = binder.items(Page, pages, "file: pages", {}) if pages else ()
    if not rules or asked is None or binder.unread:
        return
    questions = tuple(question for page in asked for question in page.questions)
    known: dict[str, ScoreRule] = {}
    taken = {name.lower() for question in questions for name in question.claims()}
    for rule in rules:
        where = f"score {rule.id!r}"
        if rule.id.lower() in taken:
            cause = "a question, variable or score has this name already; case makes no difference"
            binder.add(binder.node(rule).at("id"), where, cause, "Choose another id", "duplicate_id")
        taken.add(rule.id.lower())
        known.setdefault(rule.id, rule)
    for rule in known.values():
        for key, cause, cure, code in _faults(rule, questions, known):
            binder.add(binder.node(rule).at(key), f"score {rule.id!r}", cause, cure, code)
    try:
        scores.ordered(known)
    except CycleError as error:
        circle = list(dict.fromkeys(error.args[1]))
        rule = known[circle[0]]
        cause = f"it is computed from itself, by way of {', '.join(circle)}"
        binder.add(
            binder.node(rule).at("items"), f"score {rule.id!r}", cause, "Compute it from answers", "score_circle"
        )


def computable(rules: Sequence[ScoreRule], pages: Sequence[Page]) -> frozenset[str]:
    """Return the ids of the *rules* whose every item is asked on *pages*, or computed from what is."""
    questions = tuple(question for page in pages for question in page.questions)
    kept = {rule.id for rule in rules}
    while True:
        left = {
            rule.id
            for rule in rules
            if rule.id in kept and all(name in kept or scores.matching(name, questions) for name in scores.named(rule))
        }
        if left == kept:
            return frozenset(kept)
        kept = left


def _faults(
    rule: ScoreRule, questions: Sequence[Question], known: dict[str, ScoreRule]
) -> Iterator[tuple[str, str, str, str]]:
    """Yield key, cause, cure and code of what is wrong with *rule*."""
    for key, names in (("items", rule.items), ("with", rule.others)):
        for name in names:
            if name not in known and not scores.matching(name, questions):
                names_known = [*known, *(one for question in questions for one in question.claims())]
                cure = nearest(name, names_known) or "Name a variable, set, question or score"
                yield key, f"{name!r} is nothing that is asked or computed", cure, "unknown_item"
    items = scores.resolved(rule.items, rule, questions, known)
    everything = (*items, *scores.resolved(rule.others, rule, questions, known))
    for item in everything:
        if item.variable is not None and not _counts(item.variable):
            cause = f"{item.name} holds words without numbers"
            yield "items", cause, "Give its codes a `value`, or leave it out", "item_without_number"
        elif item.range is None and (rule.out_of is not None and rule.kind != "count" or item.name in rule.reversed):
            cause = f"nobody knows the lowest and highest value of {item.name}"
            yield "items", cause, "Add `range: [lowest, highest]`", "range_unknown"
    present = {item.name for item in everything}
    for name in rule.reversed:
        if name not in present:
            yield "reversed", f"{name!r} is none of its items", nearest(name, present) or "Name items", "unknown_item"
    if rule.min_valid is not None:
        limit = len(everything) if isinstance(rule.min_valid, int) else 1
        if not 0 < rule.min_valid <= limit:
            cause = f"min_valid is {rule.min_valid}, and there are {len(everything)} items"
            cure = f"Write a whole number up to {len(everything)}, or a share such as 0.5"
            yield "min_valid", cause, cure, "min_valid_too_large"
    if rule.kind in _TWO and len(items) != 2:
        yield "items", f"{rule.kind} takes two items, and these are {len(items)}", "Name two", "score_items"
    if rule.kind in _COMPARING and not rule.others:
        yield "kind", f"{rule.kind} compares two compositions", "Add the second as `with`", "score_items"
    if rule.kind == "share_of" and rule.of not in {one for item in items for one in (item.name, item.code)}:
        yield "of", "`of` names none of its items", "Name the item whose share is meant", "score_items"
    if rule.kind == "weighted_mean" and len(rule.weights) != len(items):
        cause = f"there are {len(rule.weights)} weights for {len(items)} items"
        yield "weights", cause, "Write one for each item, in their order", "score_items"
    if rule.range and (len(rule.range) != 2 or rule.range[0] >= rule.range[1]):
        yield "range", "the range is not a lowest and a highest number", "Write it as [0, 100]", "score_range"
    for key, kinds in _OWN_KEYS.items():
        if rule.kind not in kinds and getattr(rule, key) not in (None, (), 0):
            written = "with" if key == "others" else key
            yield written, f"{rule.kind} has no use for `{written}`", f"It belongs to {', '.join(kinds)}", "score_key"


def _counts(variable: Variable) -> bool:
    if variable.kind in (Kind.BINARY, Kind.LEVEL, Kind.NUMBER):
        return True
    return bool(variable.categories) and all(category.value is not None for category in variable.categories)
