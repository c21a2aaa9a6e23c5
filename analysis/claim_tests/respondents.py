"""How many valid respondents there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from analysis.claim_tests._finding import Finding, verdict
from analysis.evidence import Evidence


@dataclass(frozen=True)
class Test:
    DETAILS: ClassVar[tuple[str, ...]] = ()
    equals: int

    def decide(self, evidence: Evidence) -> Finding:
        return Finding(verdict(len(evidence) == self.equals), respondent=evidence.count(len(evidence)))
