"""Whether each chosen mode has a level or a recorded kind of missing, and each other mode level 0."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from analysis.claim_tests._finding import Finding, untestable, verdict
from analysis.evidence import Evidence, Measure


@dataclass(frozen=True)
class Test:
    DETAILS: ClassVar[tuple[str, ...]] = ()
    question: str

    def decide(self, evidence: Evidence) -> Finding:
        """The extract holds a kind of missing wherever it holds no level (analysis.extract refuses it otherwise)."""
        if not len(evidence):
            return untestable(why="no_data")
        study = evidence.study
        score = study.plan.score(self.question)
        chosen, level = study.chosen(score), study.levels(score)
        unrated = (chosen == 1) & np.isnan(level)
        wrong = ((chosen == 1) & (level < 1)) | ((chosen == 0) & (level != 0))
        picks = chosen == 1
        if hidden := evidence.hidden(picks.any(axis=1)) or evidence.hidden(np.ones(len(evidence), bool)):
            return untestable(why=hidden)
        share = Measure(float(unrated.sum() / picks.sum()), "share", base_n=int(picks.sum()))
        return Finding(verdict(not wrong.any()), share)
