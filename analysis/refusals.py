"""Why something can't become public, in words that say what to do: refusals, and what people call what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from analysis.ledger import Base, Entry

OTHER = "OTHER"
"""The code of the pool of small groups (Muut, Övriga, Other)."""

NOT_STATED = "NOT_STATED"
"""The code of the respondents whom the classification has in no group; a group like the others."""


@dataclass(frozen=True)
class Reason:
    """Why not: the rule of TRUST.md §5, a sentence, what to do, and which earlier publications are concerned."""

    rule: str
    says: str
    cure: str
    publications: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"rule {self.rule}: {self.says}. {self.cure}."


@dataclass(frozen=True)
class Refusal:
    reasons: tuple[Reason, ...]

    def __str__(self) -> str:
        return "\n".join(map(str, self.reasons))


@dataclass(frozen=True)
class Wording:
    """What people call questions, classifications and their groups; the code of what has no name here."""

    questions: Mapping[str, str] = field(default_factory=dict)
    classifications: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def question(self, name: str) -> str:
        return f"“{self.questions.get(name, name)}”"

    def group(self, classification: str | None, name: str) -> str:
        named = {OTHER: "small groups together", NOT_STATED: "group not stated"}.get(name, name)
        return f"“{self.groups.get((classification or '', name), named)}”"

    def chart(self, question: str, classification: str | None) -> str:
        by = f" by {self.classifications.get(classification, classification)}" if classification else ""
        return f"{self.question(question)}{by}"

    def base(self, base: Base) -> str:
        question, classification = base.chart
        if base.group is None:
            return f"everybody who answered {self.question(question)}"
        return f"the group {self.group(classification, base.group)} in the table {self.chart(*base.chart)}"

    def publication(self, entry: Entry) -> str:
        return f"publication {entry.id} ({self.chart(*entry.chart)}, data set {entry.dataset})"
