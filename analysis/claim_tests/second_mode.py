"""Whether one mode is second: behind the first, surely ahead of the third, and central to many."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from analysis.claim_tests._finding import Detail, Finding, untestable, verdict
from analysis.claim_tests._modes import lead, rank
from analysis.design import Floats, Mask
from analysis.evidence import Contrast, Evidence, Measure


@dataclass(frozen=True)
class Test:
    DETAILS: ClassVar[tuple[str, ...]] = ("lead", "selected", "company")
    score: str
    mode: str
    at_least: float
    company: Mapping[str, Any]

    def decide(self, evidence: Evidence) -> Finding:
        study = evidence.study
        score = study.plan.score(self.score)
        values, everyone = study.central(score), study.strict
        company = everyone & study.among(self.company["variable"], self.company["codes"])
        main = self._shares(evidence, values, everyone)
        assert main.respondent is not None
        if why := evidence.undecided(main.respondent):
            return untestable(main.respondent, main.organisation, why)
        contrast = self._contrast(evidence)
        ahead = evidence.difference(values, "respondent", everyone, contrast)
        ahead_by_organisation = evidence.difference(values, "organisation", everyone, contrast)
        second = self._second(evidence, values)
        many = (main.respondent.value or 0) >= self.at_least
        return Finding(
            verdict(second and many and (ahead.low or 0) > 0, second and many),
            main.respondent,
            main.organisation,
            {
                "lead": Detail(ahead, ahead_by_organisation, (ahead.value or 0) > 0),
                "selected": self._shares(evidence, study.chosen(score), everyone),
                "company": self._shares(evidence, values, company),
            },
        )

    def reproduced(self, evidence: Evidence) -> bool:
        """Return whether `decide` says REPRODUCED, making no interval where the order is wrong anyway."""
        study = evidence.study
        values, everyone = study.central(study.plan.score(self.score)), study.strict
        place = self._place(evidence)
        if not self._second(evidence, values):
            return False
        if evidence.means(values, "respondent", everyone)[place] < self.at_least:
            return False
        return (evidence.difference(values, "respondent", everyone, self._contrast(evidence)).low or 0) > 0

    def _second(self, evidence: Evidence, values: Floats) -> bool:
        return rank(evidence.means(values, "respondent", evidence.study.strict), self._place(evidence)) == 2

    def _shares(self, evidence: Evidence, values: Floats, inside: Mask) -> Detail:
        of_mode = values[:, self._place(evidence)]
        respondent: Measure = evidence.share(of_mode, "respondent", inside)
        organisation = evidence.share(of_mode, "organisation", inside)
        return Detail(respondent, organisation)

    def _place(self, evidence: Evidence) -> int:
        return evidence.study.plan.score(self.score).codes.index(self.mode)

    def _contrast(self, evidence: Evidence) -> Contrast:
        return lead(self._place(evidence), places=2)
