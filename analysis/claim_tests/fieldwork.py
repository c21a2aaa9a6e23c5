"""Whether every respondent answered in one mode within a period, by the clock of Helsinki."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import ClassVar
from zoneinfo import ZoneInfo

import numpy as np

from analysis.claim_tests._finding import Finding, untestable, verdict
from analysis.evidence import Evidence

HELSINKI = ZoneInfo("Europe/Helsinki")


@dataclass(frozen=True)
class Test:
    DETAILS: ClassVar[tuple[str, ...]] = ()
    mode: str
    first: date
    last: date

    def decide(self, evidence: Evidence) -> Finding:
        everyone, study = np.ones(len(evidence), bool), evidence.study
        inside = np.array(
            [
                mode == self.mode and at is not None and self.first <= at.astimezone(HELSINKI).date() <= self.last
                for mode, at in zip(study.column("mode"), study.column("completed_at"), strict=True)
            ],
            dtype=float,
        )
        measure = evidence.share(inside, "respondent", everyone)
        if measure.value is None:
            return untestable(measure, why=measure.hidden)
        return Finding(verdict(bool(inside.all())), measure)
