"""The claims of a study, each with a verdict: what claims.yaml says, decided from the valid respondents.

`load` reads and checks the file, `decide` gives one ClaimResult a claim, `write` and `read` keep them as
build/<instrument>/claims.json. The tests themselves are one file each in analysis/claim_tests/.
"""

from __future__ import annotations

import json
import types
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields
from datetime import date
from pathlib import Path
from typing import Any, Protocol, Union, cast, get_origin, get_type_hints

from analysis.claim_tests._finding import Detail, Finding, Verdict
from analysis.evidence import Evidence, Hidden, Measure
from analysis.study import ESTIMANDS
from kysely import plugins
from kysely.codebook import Codebook, Text
from kysely.errors import AnalystError, AuthorError, Problem

SCHEMA = "claims/1"
FORMAT = "kysely-claims/1"
TESTS = "analysis.claim_tests"

ORIGINS = ("simulated", "real")
BASES = ("by_design", "by_construction", "emergent", "real")


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


def load(path: Path, languages: tuple[str, ...]) -> Claims:
    """Return the claims in the file *path*. Raises AuthorError with every problem, each with its line."""
    reader = _Reader(path, languages)
    claims = reader.claims()
    if reader.problems or claims is None:
        raise AuthorError(reader.problems)
    return claims


class _Reader:
    """Walks the file once and collects what is wrong with it."""

    def __init__(self, path: Path, languages: tuple[str, ...]):
        self.path, self.languages = path, languages
        self.problems: list[Problem] = []

    def claims(self) -> Claims | None:
        root = self._parse()
        if root is None:
            return None
        self._keys(root, "claims.yaml", {"schema", "instrument", "form", "claims", "elsewhere"})
        if root.get("schema") != SCHEMA:
            self._fault(root, "schema", "claims.yaml", f"the format is not {SCHEMA!r}", f"Write `schema: {SCHEMA}`")
        claims = [self._claim(node) for node in root.get("claims", ())]
        seen: set[str] = set()
        for node in root.get("claims", ()):
            if node.get("id") in seen:
                self._fault(node, "id", str(node["id"]), "the id comes twice", "Give each claim its own")
            seen.add(str(node.get("id")))
        elsewhere = [self._elsewhere(node) for node in root.get("elsewhere", ())]
        return Claims(
            str(root.get("instrument")),
            str(root.get("form")),
            tuple(claim for claim in claims if claim is not None),
            tuple(elsewhere),
        )

    def _parse(self) -> Any:
        from ruamel.yaml import YAML
        from ruamel.yaml.error import MarkedYAMLError

        if not self.path.is_file():
            self._problem(1, "claims.yaml", "there is no such file", "Write one beside questionnaire.yaml")
            return None
        try:
            root = YAML(typ="rt").load(self.path.read_text(encoding="utf-8"))
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            cause = " ".join(str(error.problem or error.context).split())
            self._problem(mark.line + 1 if mark else 1, "claims.yaml", f"not readable: {cause}", "Mend the line")
            return None
        if not isinstance(root, dict):
            self._problem(1, "claims.yaml", "the file is not a mapping", f"Begin with `schema: {SCHEMA}`")
            return None
        return root

    def _claim(self, node: Any) -> Claim | None:
        where = str(node.get("id", "a claim"))
        self._keys(node, where, {one.name for one in fields(Claim)})
        test = self._test(node, where)
        claim, expected = self._text(node, "claim", where), self._text(node, "expected", where)
        details = {name: self._text(node["details"], name, where) for name in node.get("details", ())}
        named = getattr(test, "DETAILS", ())
        for name in {*named} ^ {*details} if test is not None else ():
            cause = f"the number {name!r} is {'not worded' if name in named else 'not one the test gives'}"
            self._fault(node, "details", where, cause, f"Word exactly these: {', '.join(named) or 'none'}")
        basis = self._basis(node, where)
        rate = node.get("error_rate")
        if rate is not None and not 0 < float(rate) < 1:
            self._fault(node, "error_rate", where, f"{rate} is no error rate", "Write a number between 0 and 1")
        if rate is not None and test is not None and not hasattr(test, "reproduced"):
            self._fault(node, "error_rate", where, "this test has no chance in it", "Take the error rate out")
        if test is None:
            return None
        return Claim(
            id=where,
            claim=claim,
            expected=expected,
            test=test,
            basis=basis,
            measure=self._text(node, "measure", where) if "measure" in node else None,
            details=details,
            error_rate=None if rate is None else float(rate),
            note=self._text(node, "note", where) if "note" in node else None,
            note_for=node.get("note_for"),
        )

    def _elsewhere(self, node: Any) -> Elsewhere:
        where = str(node.get("ids", "elsewhere"))
        self._keys(node, where, {"ids", "claim", "reason"})
        return Elsewhere(where, self._text(node, "claim", where), self._text(node, "reason", where))

    def _test(self, node: Any, where: str) -> Test | None:
        given = dict(node.get("test") or {})
        name = str(given.pop("name", ""))
        if name not in plugins.names(TESTS):
            known = ", ".join(plugins.names(TESTS))
            self._fault(node, "test", where, f"there is no test {name!r}", f"Use one of {known}")
            return None
        kind = plugins.load(TESTS, name).Test
        types_ = get_type_hints(kind)
        allowed = {one.name: one.default is MISSING for one in fields(kind)}
        for key in given:
            if key not in allowed:
                self._fault(node["test"], key, where, f"{name} knows no {key!r}", f"Use {', '.join(allowed)}")
        for key, needed in allowed.items():
            if needed and key not in given:
                self._fault(node, "test", where, f"{name} needs {key!r}", f"Add `{key}:` to the test")
        if set(given) != set(allowed):
            return None
        try:
            return cast(Test, kind(**{key: _as(types_[key], value) for key, value in given.items()}))
        except (TypeError, ValueError) as error:
            self._fault(node, "test", where, f"{name}: {error}", "Give the values the test can take")
            return None

    def _basis(self, node: Any, where: str) -> dict[str, tuple[str, ...]]:
        given = node.get("basis") or {}
        for origin in ORIGINS:
            if origin not in given:
                self._fault(node, "basis", where, f"there is no basis for {origin} answers", f"Add `{origin}: [...]`")
        for one in (one for listed in given.values() for one in listed):
            if one not in BASES:
                self._fault(node, "basis", where, f"{one!r} is no basis", f"Use some of {', '.join(BASES)}")
        return {origin: tuple(given.get(origin, ())) for origin in ORIGINS}

    def _text(self, node: Any, key: str, where: str) -> Text:
        given = node.get(key) if isinstance(node, dict) else None
        for language in self.languages:
            if not isinstance(given, dict) or not str(given.get(language) or "").strip():
                self._fault(node, key, where, f"{key} has no text in {language!r}", "Word it in every language")
        return {language: str((given or {}).get(language, "")) for language in self.languages}

    def _keys(self, node: Any, where: str, allowed: set[str]) -> None:
        for key in node:
            if key not in allowed:
                self._fault(node, key, where, f"the key {key!r} is unknown", f"Use {', '.join(sorted(allowed))}")

    def _fault(self, node: Any, key: str, where: str, cause: str, cure: str) -> None:
        marks = getattr(node, "lc", None)
        known = marks is not None and key in getattr(marks, "data", {})
        line = marks.key(key)[0] if marks is not None and known else getattr(marks, "line", 0) or 0
        self._problem(int(line) + 1, where, cause, cure)

    def _problem(self, line: int, where: str, cause: str, cure: str) -> None:
        self.problems.append(Problem(f"{self.path.parent.name}/{self.path.name}", line, where, cause, cure))


def _as(kind: Any, value: Any) -> Any:
    """Return what YAML gave as the type the test declares: lists as tuples, days as dates."""
    if get_origin(kind) is tuple:
        if not isinstance(value, list):
            raise ValueError(f"{value!r} is not a list")
        return tuple(_plain(one) for one in value)
    if kind is date:
        if not isinstance(value, date):
            raise ValueError(f"{value!r} is not a day")
        return date(value.year, value.month, value.day)
    if get_origin(kind) in (Union, types.UnionType) and value is None:
        return None
    if kind in (int, float, str) and not isinstance(value, (int, float) if kind is float else kind):
        raise ValueError(f"{value!r} is not {'a number' if kind in (int, float) else 'a word'}")
    return _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return tuple(_plain(inner) for inner in value)
    return str(value) if isinstance(value, str) else value
