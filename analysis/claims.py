"""The claims of a study, each with a verdict: what claims.yaml says, decided from the valid respondents.

`load` reads the file (analysis/claims_file.py checks it), `decide` gives one ClaimResult a claim, `write` and
`read` keep them as build/<instrument>/claims.json. The tests themselves are one file each in analysis/claim_tests/.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from analysis.claim_tests._finding import Detail, Finding, Verdict
from analysis.evidence import Evidence, Hidden, Measure
from analysis.plan import Plan
from analysis.study import ESTIMANDS
from kysely.codebook import Codebook, Text
from kysely.errors import AnalystError

FORMAT = "kysely-claims/1"


class Test(Protocol):
    """A way of testing a claim; `reproduced` (only where there is an error rate) is its quick form."""

    def decide(self, evidence: Evidence) -> Finding: ...


@dataclass(frozen=True)
class Claim:
    """One claim as claims.yaml words it, with its test. *details* words the further numbers of the test."""

    id: str
    claim: Text
    expected: Text
    test: Test
    basis: Mapping[str, tuple[str, ...]]
    measure: Text | None = None
    details: Mapping[str, Text] = field(default_factory=dict)
    error_rate: float | None = None
    note: Text | None = None
    note_for: str | None = None


@dataclass(frozen=True)
class Elsewhere:
    """Claims of the study that this form cannot reach, and why."""

    ids: str
    claim: Text
    reason: Text


@dataclass(frozen=True)
class Claims:
    instrument: str
    form: str
    claims: tuple[Claim, ...]
    elsewhere: tuple[Elsewhere, ...] = ()


@dataclass(frozen=True)
class DetailResult:
    """A further number of a claim, with its wording."""

    name: str
    label: Text
    respondent: Measure | None
    organisation: Measure | None
    holds: bool | None


@dataclass(frozen=True)
class ClaimResult:
    """A claim and what became of it. A claim whose *basis* holds by_construction is never a finding.

    *why* says what the data lacked for a NOT TESTABLE (too_few …), *note* is the author's.
    """

    id: str
    claim: Text
    expected: Text
    verdict: Verdict
    basis: tuple[str, ...] = ()
    measure: Text | None = None
    respondent: Measure | None = None
    organisation: Measure | None = None
    details: tuple[DetailResult, ...] = ()
    note: Text | None = None
    why: Hidden = ""
    error_rate: float | None = None


def decide(claims: Claims, evidence: Evidence, codebook: Codebook, origin: str) -> tuple[ClaimResult, ...]:
    """Return a result for every claim, and a NOT TESTABLE for those the form cannot reach.

    *origin* is "simulated" or "real": it decides what agreement would mean.
    """
    options = {
        member.code: member.label
        for score in evidence.study.plan.scores
        for member in codebook.set(score.chosen)
        if member.code is not None
    }
    decided = tuple(_result(claim, claim.test.decide(evidence), origin, options) for claim in claims.claims)
    return decided + tuple(
        ClaimResult(one.ids, one.claim, {}, Verdict.NOT_TESTABLE, note=one.reason) for one in claims.elsewhere
    )


def _result(claim: Claim, finding: Finding, origin: str, options: Mapping[str, Text]) -> ClaimResult:
    decided = finding.verdict is not Verdict.NOT_TESTABLE
    return ClaimResult(
        id=claim.id,
        claim=claim.claim,
        expected=claim.expected,
        verdict=finding.verdict,
        basis=claim.basis[origin] if decided else (),
        measure=claim.measure,
        respondent=finding.respondent,
        organisation=finding.organisation,
        details=tuple(
            DetailResult(name, _label(claim.details[name], found, options), *_numbers(found))
            for name, found in finding.details.items()
        ),
        note=claim.note if claim.note_for in (None, origin) else None,
        why=finding.why,
        error_rate=claim.error_rate,
    )


def _numbers(found: Detail) -> tuple[Measure | None, Measure | None, bool | None]:
    return found.respondent, found.organisation, found.holds


def _label(label: Text, found: Detail, options: Mapping[str, Text]) -> Text:
    """Return the label with the names of its modes, where it has a place for them."""
    named = [options[code] for code in found.modes if code in options]
    return {
        language: text.replace("{modes}", " + ".join(name[language] for name in named))
        for language, text in label.items()
    }


# ---- claims.json ----------------------------------------------------------------------------------


def write(results: tuple[ClaimResult, ...], path: Path, *, about: Mapping[str, Any]) -> None:
    """Write *results* to *path*; *about* is the provenance of the data they were decided on."""
    data = {"format": FORMAT, "about": dict(about), "claims": [asdict(result) for result in results]}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data, ensure_ascii=False, indent=1), encoding="utf-8")


def read(path: Path) -> tuple[ClaimResult, ...]:
    """Return what `write` wrote. Raises AnalystError if there is nothing of the kind."""
    if not path.is_file():
        raise AnalystError(f"{path} is lacking; run `make analysis` first")
    data = json.loads(path.read_text(encoding="utf-8"))
    if data.get("format") != FORMAT:
        raise AnalystError(f"{path} is not in format {FORMAT}; run `make analysis` anew")
    return tuple(_result_from_data(row) for row in data["claims"])


def _result_from_data(row: Mapping[str, Any]) -> ClaimResult:
    details = tuple(DetailResult(**_with_measures(one)) for one in row["details"])
    known = {**_with_measures(row), "verdict": Verdict(row["verdict"]), "basis": tuple(row["basis"])}
    return ClaimResult(**{**known, "details": details})


def _with_measures(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, **{str(estimand): _measure(row[estimand]) for estimand in ESTIMANDS}}


def _measure(row: Mapping[str, Any] | None) -> Measure | None:
    return None if row is None else Measure(**row)


# ---- claims.yaml ----------------------------------------------------------------------------------


def load(path: Path, codebook: Codebook, plan: Plan | None) -> Claims:
    """Return the claims in the file *path*, checked against *codebook* and, where there is one, *plan*.

    Raises AuthorError with every problem, each with its line.
    """
    from analysis.claims_file import read

    return read(path, codebook, plan)
