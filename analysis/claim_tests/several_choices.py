"""Whether the question takes several options, and someone chose several."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from analysis.claim_tests._definition import modes, question
from analysis.claim_tests._finding import Finding, untestable, verdict
from analysis.evidence import Evidence


@dataclass(frozen=True)
class Test:
    DETAILS: ClassVar[tuple[str, ...]] = ()
    question: str

    def decide(self, evidence: Evidence) -> Finding:
        if evidence.definition is None:
            return untestable()
        asked = question(evidence.definition, self.question)
        several = asked["type"] in ("weighted_choice", "multiple_choice") and len(modes(asked)) > 1
        chosen = evidence.study.chosen(evidence.study.plan.score(self.question))
        number = np.where(np.isnan(chosen).any(axis=1), np.nan, chosen.sum(axis=1))
        is_so = np.where(np.isnan(number), np.nan, number >= 2)
        everyone = np.ones(len(evidence), bool)
        respondent = evidence.share(is_so, "respondent", everyone)
        organisation = evidence.share(is_so, "organisation", everyone)
        if respondent.value is None:
            return untestable(respondent, organisation, respondent.hidden)
        return Finding(verdict(several and bool((number >= 2).any())), respondent, organisation)
