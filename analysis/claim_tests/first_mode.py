"""Whether one mode leads clearly: first, by a margin, with an interval of the lead above zero."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from analysis.claim_tests._finding import Detail, Finding, untestable, verdict
from analysis.claim_tests._modes import lead
from analysis.design import Floats, Mask
from analysis.evidence import Contrast, Evidence, Measure, Unit


@dataclass(frozen=True)
class Test:
    DETAILS: ClassVar[tuple[str, ...]] = ("selected", "mean100", "top")
    score: str
    mode: str
    lead: float
    top: Mapping[str, Any]

    def decide(self, evidence: Evidence) -> Finding:
        study = evidence.study
        score = study.plan.score(self.score)
        central, everyone = study.central(score), study.strict
        top = everyone & study.among(self.top["variable"], self.top["codes"])
        details = {
            "selected": self._detail(evidence, study.chosen(score), everyone),
            "mean100": self._detail(evidence, study.levels(score) / study.top(score), everyone, "scale"),
            "top": self._detail(evidence, central, top),
        }
        main = self._detail(evidence, central, everyone)
        assert main.respondent is not None
        if why := evidence.undecided(main.respondent):
            return untestable(main.respondent, main.organisation, why)
        outcome = verdict(self._clear(main.respondent), bool(main.holds))
        return Finding(outcome, main.respondent, main.organisation, details)

    def reproduced(self, evidence: Evidence) -> bool:
        """Return whether `decide` says REPRODUCED, making no interval where the lead is too short anyway."""
        study, contrast = evidence.study, self._contrast(evidence)
        values = study.central(study.plan.score(self.score))
        if evidence.point(values, "respondent", study.strict, contrast) < self.lead:
            return False
        return self._clear(evidence.difference(values, "respondent", study.strict, contrast))

    def _clear(self, measure: Measure) -> bool:
        return measure.value is not None and measure.value >= self.lead and (measure.low or 0) > 0

    def _detail(self, evidence: Evidence, values: Floats, inside: Mask, unit: Unit = "points") -> Detail:
        contrast = self._contrast(evidence)
        respondent = evidence.difference(values, "respondent", inside, contrast, unit)
        organisation = evidence.difference(values, "organisation", inside, contrast, unit)
        return Detail(respondent, organisation, None if respondent.value is None else respondent.value > 0)

    def _contrast(self, evidence: Evidence) -> Contrast:
        return lead(evidence.study.plan.score(self.score).codes.index(self.mode))
