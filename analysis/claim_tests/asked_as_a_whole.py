"""Whether the question asks about operations as a whole, and who answered for a unit can be told apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from analysis.claim_tests._definition import question
from analysis.claim_tests._finding import Finding, untestable, verdict
from analysis.evidence import Evidence


@dataclass(frozen=True)
class Test:
    DETAILS: ClassVar[tuple[str, ...]] = ()
    question: str
    words: Mapping[str, str]
    standpoint: str
    unit: str

    def decide(self, evidence: Evidence) -> Finding:
        if evidence.definition is None:
            return untestable()
        asked = question(evidence.definition, self.question)["choose"]
        whole = all(
            words in f"{asked['text'][language]} {(asked.get('instruction') or {}).get(language, '')}"
            for language, words in self.words.items()
        )
        standpoints = {option["code"] for option in question(evidence.definition, self.standpoint)["options"]}
        given = evidence.study.codes(self.standpoint) >= 0
        everyone = np.ones(len(evidence), bool)
        of_unit = np.where(given, evidence.study.among(self.standpoint, [self.unit]), np.nan)
        return Finding(
            verdict(whole and self.unit in standpoints and len(standpoints) > 1),
            evidence.share(of_unit, "respondent", everyone),
            evidence.share(of_unit, "organisation", everyone),
        )
