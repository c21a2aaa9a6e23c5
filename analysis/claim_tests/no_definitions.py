"""Whether respondents met nothing that tells them what the modes mean: names, instruction and scale only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from analysis.claim_tests._definition import Node, languages, modes, page_of, question, wordings
from analysis.claim_tests._finding import Finding, untestable, verdict
from analysis.evidence import Evidence

KNOWN = {"id", "type", "presentation", "choose", "rate", "scale", "variant", "order", "options", "required", "show_if"}
KNOWN_STEP = {"id", "text", "instruction"}
KNOWN_OPTION = {"code", "value", "label", "detail", "fixed", "missing", "exclusive", "rated"}


@dataclass(frozen=True)
class Test:
    DETAILS: ClassVar[tuple[str, ...]] = ()
    question: str
    longest_label: int

    def decide(self, evidence: Evidence) -> Finding:
        if evidence.definition is None:
            return untestable()
        return Finding(verdict(self._bare(evidence.definition) and not self._named_before(evidence.definition)))

    def _bare(self, definition: Node) -> bool:
        """The question has no place for a definition, and no label is long enough to be one."""
        asked, page = question(definition, self.question), page_of(definition, self.question)
        steps = [asked["choose"], asked["rate"]]
        known = _keys(asked) <= KNOWN and all(_keys(step) <= KNOWN_STEP for step in steps)
        options = all(_keys(option) <= KNOWN_OPTION for option in asked["options"])
        labels = [text for option in modes(asked) for text in option["label"].values()]
        return known and options and not page.get("text") and max(map(len, labels)) <= self.longest_label

    def _named_before(self, definition: Node) -> bool:
        """A mode is named before the question, where it could be explained."""
        own = page_of(definition, self.question)
        spoken = languages(definition)
        names = [text.casefold() for option in modes(question(definition, self.question)) for text in
                 option["label"].values()]  # fmt: skip
        earlier: list[Any] = [definition["title"], definition.get("purpose") or {}]
        for page in definition["pages"]:
            if page is own:
                break
            earlier.append(page)
        return any(name in text.casefold() for text in wordings(earlier, spoken) for name in names)


def _keys(node: Node) -> set[str]:
    """Return the keys that say something; a canonical definition may spell out empty ones."""
    return {key for key, value in node.items() if value not in (None, "", [], {}, False)}
