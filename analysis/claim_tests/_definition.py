"""Looking things up in a frozen questionnaire, for the tests of claims about the questionnaire itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kysely.errors import AnalystError

Node = Mapping[str, Any]


def question(definition: Node, id: str) -> Node:
    """Return the question *id*. Raises AnalystError if the form has none."""
    for page in definition["pages"]:
        for found in page["questions"]:
            if found["id"] == id:
                return found
    raise AnalystError(f"the questionnaire has no question {id!r}; look at the claims that name it")


def page_of(definition: Node, id: str) -> Node:
    """Return the page on which the question *id* is asked."""
    return next(page for page in definition["pages"] if any(found["id"] == id for found in page["questions"]))


def modes(found: Node) -> tuple[Node, ...]:
    """Return the options of a weighted choice that are modes: those that are rated."""
    return tuple(
        option for option in found["options"] if option.get("rated", True) and not option.get("exclusive", False)
    )


def wordings(node: object, languages: tuple[str, ...]) -> Iterator[str]:
    """Yield every text inside *node*, whatever its key and language."""
    if isinstance(node, Mapping):
        if node and set(node) <= set(languages):
            yield from (str(text) for text in node.values())
        else:
            for inner in node.values():
                yield from wordings(inner, languages)
    elif isinstance(node, list | tuple):
        for inner in node:
            yield from wordings(inner, languages)


def languages(definition: Node) -> tuple[str, ...]:
    return tuple(definition["title"])
