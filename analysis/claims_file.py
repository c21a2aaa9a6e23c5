"""claims.yaml, read and checked against the codebook and the plan: every fault at once, with its line."""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields
from datetime import date
from pathlib import Path
from typing import Any, Union, cast, get_origin, get_type_hints

from analysis.authored import File, Node, check_identity, listed
from analysis.claims import Claim, Claims, Elsewhere, Test
from analysis.plan import Plan
from kysely import plugins
from kysely.codebook import Codebook, Text

SCHEMA = "claims/1"
TESTS = "analysis.claim_tests"

ORIGINS = ("simulated", "real")
BASES = ("by_design", "by_construction", "emergent", "real")


def read(path: Path, codebook: Codebook, plan: Plan | None) -> Claims:
    """Return the claims in the file *path*. Raises AuthorError with every problem.

    Without a *plan* (it has faults of its own) names that it would define are not looked up.
    """
    file = File(path, "claims", SCHEMA)
    root = file.root()
    claims = None if root is None else _Reader(file, codebook, plan).claims(root)
    file.stop()
    assert claims is not None
    return claims


class _Reader:
    """Walks the file once."""

    def __init__(self, file: File, codebook: Codebook, plan: Plan | None):
        self.codebook, self.plan = codebook, plan
        self.variables = None if plan is None else plan.codebook(codebook)
        file.languages = codebook.languages

    def claims(self, root: Node) -> Claims:
        root.allow(["schema", "instrument", "forms", "claims", "elsewhere"])
        check_identity(root, self.codebook)
        items, seen = root.items("claims"), set()
        claims = [self._claim(item) for item in items]
        for item in items:
            if (id := str(item.data.get("id"))) in seen:
                item.fault("id", "the id comes twice", "Give each claim its own")
            seen.add(id)
        elsewhere = [self._elsewhere(item) for item in root.items("elsewhere")]
        found = tuple(claim for claim in claims if claim is not None)
        return Claims(self.codebook.instrument, self.codebook.form, found, tuple(elsewhere))

    def _elsewhere(self, item: Node) -> Elsewhere:
        item.allow(["ids", "claim", "reason"])
        return Elsewhere(item.text("ids") or "", item.wording("claim"), item.wording("reason"))

    def _claim(self, item: Node) -> Claim | None:
        item.allow([one.name for one in fields(Claim)])
        id, test = item.text("id"), self._test(item)
        claim, expected = item.wording("claim"), item.wording("expected")
        details, basis, rate = self._details(item, test), self._basis(item), self._error_rate(item, test)
        measure = item.wording("measure") if "measure" in item else None
        note = item.wording("note") if "note" in item else None
        note_for = item.text("note_for", required=False)
        if note_for is not None and note_for not in ORIGINS:
            item.fault("note_for", f"there are no {note_for!r} answers", f"Use one of {listed(ORIGINS)}")
        if test is None or id is None:
            return None
        return Claim(id, claim, expected, test, basis, measure, details, rate, note, note_for)

    def _details(self, item: Node, test: Test | None) -> Mapping[str, Text]:
        words = item.child("details") if "details" in item else None
        details = {name: words.wording(name) for name in words.keys()} if words else {}
        named = getattr(test, "DETAILS", ())
        for name in sorted({*named} ^ {*details}) if test is not None else ():
            cause = f"the number {name!r} is {'not worded' if name in named else 'not one the test gives'}"
            item.fault("details", cause, f"Word exactly these: {listed(named)}")
        return details

    def _basis(self, item: Node) -> Mapping[str, tuple[str, ...]]:
        basis = item.child("basis")
        for origin in ORIGINS:
            if origin not in basis and basis.data:
                item.fault("basis", f"there is no basis for {origin} answers", f"Add `{origin}: [...]`")
        basis.allow(ORIGINS)
        given = {origin: basis.texts(origin) for origin in ORIGINS}
        for origin, bases in given.items():
            for one in bases:
                if one not in BASES:
                    basis.fault(origin, f"{one!r} is no basis", f"Use some of {listed(BASES)}")
        return given

    def _error_rate(self, item: Node, test: Test | None) -> float | None:
        if "error_rate" not in item:
            return None
        rate = item.data["error_rate"]
        if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 < rate < 1:
            item.fault("error_rate", f"{rate!r} is no error rate", "Write a number between 0 and 1")
            return None
        if test is not None and not hasattr(test, "reproduced"):
            item.fault("error_rate", "this test has no chance in it", "Take the error rate out")
        return float(rate)

    def _test(self, item: Node) -> Test | None:
        node = item.child("test")
        name, known = str(node.data.get("name", "")), plugins.names(TESTS)
        if name not in known:
            if node.data:
                item.fault("test", f"there is no test {name!r}", f"Use one of {listed(known)}")
            return None
        kind = plugins.load(TESTS, name).Test
        types_, given = get_type_hints(kind), {str(key): node.data[key] for key in node.data if key != "name"}
        allowed = {one.name: one.default is MISSING for one in fields(kind)}
        for key in given:
            if key not in allowed:
                node.fault(key, f"{name} knows no {key!r}", f"Use {listed(allowed)}")
        for key, needed in allowed.items():
            if needed and key not in given:
                item.fault("test", f"{name} needs {key!r}", f"Add `{key}:` to the test")
        values: dict[str, Any] = {}
        for key in given.keys() & allowed.keys():
            try:
                values[key] = _as(types_[key], given[key])
            except ValueError as error:
                node.fault(key, f"{name}: {error}", "Give a value that the test can take")
        self._look_up(node, values)
        for key in values:
            if types_[key] == Mapping[str, Any]:
                group = node.child(key)
                group.allow(["variable", "codes"])
                self._variable(group, group.text("variable"), group.texts("codes"))
        lacking = {key for key, needed in allowed.items() if needed} - values.keys()
        return None if lacking else cast(Test, kind(**values))

    def _look_up(self, node: Node, given: Mapping[str, Any]) -> None:
        """Report what is neither in the codebook nor in the plan; claim_tests/__init__.py says what each key names."""
        questions = {variable.question for variable in self.codebook.variables}
        if (asked := given.get("question", "")) and asked not in questions:
            node.fault("question", f"there is no question {asked!r}", f"Use one of {listed(questions)}")
        if self.plan is None:
            return
        scores = {score.name: score for score in self.plan.scores}
        if (name := given.get("score")) is not None:
            if name not in scores:
                node.fault("score", f"the plan has no score {name!r}", f"Use one of {listed(scores)}")
            elif "mode" in given:
                self._codes(node, "mode", name, [given["mode"]], scores[name].codes)
        if "variable" in given:
            self._variable(node, given["variable"], given.get("codes", ()))

    def _variable(self, node: Node, name: str | None, codes: Iterable[str]) -> None:
        if name is None or self.variables is None:
            return
        if name not in self.variables or not self.variables[name].categories:
            node.fault("variable", f"there is no closed variable {name!r}", "Name one of the codebook, or a recode")
            return
        self._codes(node, "codes", name, codes, [category.code for category in self.variables[name].categories])

    def _codes(self, node: Node, key: str, name: str, codes: Iterable[str], known: Iterable[str]) -> None:
        for code in codes:
            if code not in known:
                node.fault(key, f"{name} has no code {code!r}", f"Use some of {listed(known)}")


def _as(kind: Any, value: Any) -> Any:
    """Return what YAML gave as the type the test declares: lists as tuples, days as dates."""
    if get_origin(kind) is tuple:
        if not isinstance(value, list):
            raise ValueError(f"{value!r} is not a list")
        return tuple(_plain(one) for one in value)
    if get_origin(kind) in (dict, Mapping) and not isinstance(value, dict):
        raise ValueError(f"{value!r} is not a mapping")
    if kind is date:
        if not isinstance(value, date):
            raise ValueError(f"{value!r} is not a day")
        return date(value.year, value.month, value.day)
    if get_origin(kind) in (Union, types.UnionType) and value is None:
        return None
    if kind in (int, float, str):
        wanted = (int, float) if kind is float else kind
        if isinstance(value, bool) or not isinstance(value, wanted):
            raise ValueError(f"{value!r} is not {'a word' if kind is str else 'a number'}")
    return _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return tuple(_plain(inner) for inner in value)
    return str(value) if isinstance(value, str) else value
