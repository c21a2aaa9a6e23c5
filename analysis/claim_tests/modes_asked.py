"""Whether exactly the study's modes are asked and rated; a further "other" is there but apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from analysis.claim_tests._definition import modes, question
from analysis.claim_tests._finding import Finding, untestable, verdict
from analysis.evidence import Evidence, Measure


@dataclass(frozen=True)
class Test:
    DETAILS: ClassVar[tuple[str, ...]] = ()
    question: str
    codes: tuple[str, ...]

    def decide(self, evidence: Evidence) -> Finding:
        if evidence.definition is None:
            return untestable()
        asked = [option["code"] for option in modes(question(evidence.definition, self.question))]
        return Finding(verdict(sorted(asked) == sorted(self.codes)), Measure(float(len(asked)), "count"))
