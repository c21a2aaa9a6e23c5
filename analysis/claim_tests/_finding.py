"""What a test of a claim comes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from analysis.evidence import Hidden, Measure


class Verdict(StrEnum):
    REPRODUCED = "REPRODUCED"  # inside the tolerance, or the test is passed
    CONSISTENT = "CONSISTENT"  # the direction is right, but the data allow no difference
    NOT_REPRODUCED = "NOT REPRODUCED"
    NOT_TESTABLE = "NOT TESTABLE"


@dataclass(frozen=True)
class Detail:
    """A further number of a claim: *holds* says whether it points the same way; *modes* fills its label."""

    respondent: Measure | None = None
    organisation: Measure | None = None
    holds: bool | None = None
    modes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """A verdict with its numbers; *why* is the reason of a NOT TESTABLE that the data give."""

    verdict: Verdict
    respondent: Measure | None = None
    organisation: Measure | None = None
    details: Mapping[str, Detail] = field(default_factory=dict)
    why: Hidden = ""


def verdict(passed: bool, direction: bool = False) -> Verdict:
    """Return REPRODUCED if *passed*, CONSISTENT if only the *direction* is right."""
    if passed:
        return Verdict.REPRODUCED
    return Verdict.CONSISTENT if direction else Verdict.NOT_REPRODUCED


def untestable(respondent: Measure | None = None, organisation: Measure | None = None, why: Hidden = "") -> Finding:
    return Finding(Verdict.NOT_TESTABLE, respondent, organisation, why=why)
