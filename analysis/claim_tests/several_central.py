"""Whether more than a given share of respondents calls two modes or more central."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import ClassVar

import numpy as np

from analysis.claim_tests._finding import Detail, Finding, untestable, verdict
from analysis.claim_tests._modes import number_central
from analysis.design import Floats
from analysis.evidence import Evidence, Measure


@dataclass(frozen=True)
class Test:
    DETAILS: ClassVar[tuple[str, ...]] = ("exactly_two", "pair")
    score: str
    more_than: float

    def decide(self, evidence: Evidence) -> Finding:
        number = number_central(self._central(evidence))
        main = self._shares(evidence, _at_least_two(number))
        assert main.respondent is not None
        if why := evidence.undecided(main.respondent):
            return untestable(main.respondent, main.organisation, why)
        two = self._shares(evidence, np.where(np.isnan(number), np.nan, number == 2))
        return Finding(
            verdict(self._sure(main.respondent), (main.respondent.value or 0) > self.more_than),
            main.respondent,
            main.organisation,
            {"exactly_two": two, "pair": self._pair(evidence)},
        )

    def reproduced(self, evidence: Evidence) -> bool:
        number = number_central(self._central(evidence))
        return self._sure(evidence.share(_at_least_two(number), "respondent", evidence.study.strict))

    def _sure(self, measure: Measure) -> bool:
        return (measure.low or 0) > self.more_than

    def _shares(self, evidence: Evidence, is_so: Floats) -> Detail:
        return Detail(
            evidence.share(is_so, "respondent", evidence.study.strict),
            evidence.share(is_so, "organisation", evidence.study.strict),
        )

    def _pair(self, evidence: Evidence) -> Detail:
        """Return the pair of modes that is most often central together; a third one may be central too."""
        codes, values = evidence.study.plan.score(self.score).codes, self._central(evidence)
        pairs = list(combinations(range(len(codes)), 2))
        together = np.stack([values[:, a] * values[:, b] for a, b in pairs], axis=1)
        most = int(np.nanargmax(evidence.means(together, "respondent", evidence.study.strict)))
        shares = self._shares(evidence, together[:, most])
        return Detail(shares.respondent, shares.organisation, modes=tuple(codes[mode] for mode in pairs[most]))

    def _central(self, evidence: Evidence) -> Floats:
        return evidence.study.central(evidence.study.plan.score(self.score))


def _at_least_two(number: Floats) -> Floats:
    return np.where(np.isnan(number), np.nan, number >= 2)
