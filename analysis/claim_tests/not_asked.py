"""A claim about questions that the form of the data does not ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from analysis.claim_tests._finding import Finding, untestable
from analysis.evidence import Evidence
from kysely.errors import AnalystError


@dataclass(frozen=True)
class Test:
    DETAILS: ClassVar[tuple[str, ...]] = ()
    needs: tuple[str, ...]

    def decide(self, evidence: Evidence) -> Finding:
        """Raise AnalystError if the data do hold the variables: then the claim has to be tested."""
        known = {variable.name for variable in evidence.study.asked()}
        asked = [name for name in self.needs if name in known]
        if asked:
            raise AnalystError(f"the answers hold {', '.join(asked)}, but claims.yaml says they are not asked")
        return untestable()
