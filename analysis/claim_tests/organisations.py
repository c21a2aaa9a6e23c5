"""How many different organisations the valid respondents come from: one too many or too few is a failure."""

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
        found = evidence.study.organisations
        return Finding(verdict(found == self.equals), organisation=evidence.count(found))
