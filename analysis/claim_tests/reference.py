"""A fact about the publication, kept for reference: no data can test it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from analysis.claim_tests._finding import Finding, untestable
from analysis.evidence import Evidence


@dataclass(frozen=True)
class Test:
    DETAILS: ClassVar[tuple[str, ...]] = ()

    def decide(self, evidence: Evidence) -> Finding:
        return untestable()
