"""plan.yaml, read and checked against the codebook: every fault at once, with its line, cause and cure.

The keys are described in docs/methods.md, "The plan"; what they become stands in analysis/plan.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from analysis import disclosure
from analysis.authored import File, Node, check_identity, listed
from analysis.charts_file import ChartsReader
from analysis.conflict import ConflictRules
from analysis.plan import (
    ADJUSTMENTS,
    DERIVED,
    WEIGHT_METHODS,
    AgreementSpec,
    DerivedWording,
    DesignColumns,
    Plan,
    Population,
    PopulationMargin,
    Recode,
    RecodeCategory,
    Rules,
    Score,
    TableSpec,
    Validity,
    WeightedPart,
    derived_variables,
)
from analysis.public_file import PublicReader
from kysely.codebook import Codebook, Kind, Text

SCHEMA = "plan/1"

CONFLICT = ConflictRules()
THRESHOLDS = ("low", "high", "aligned", "no_stand")
"""The thresholds of the conflict classes that a plan may set, each between 0 and 1."""


def read(path: Path, codebook: Codebook) -> Plan:
    """Return the plan in the file *path*, checked against *codebook*. Raises AuthorError with every problem."""
    file = File(path, "plan", SCHEMA)
    root = file.root()
    plan = None if root is None else _Reader(file, codebook).plan(root)
    file.stop()
    assert plan is not None
    return plan


class _Reader:
    """Walks the file once; a name that a part defines is known to the parts after it."""

    def __init__(self, file: File, codebook: Codebook):
        self.file, self.codebook = file, codebook
        file.languages = codebook.languages
        self.known = _known(codebook)
        self.several = {variable.set for variable in codebook.variables if variable.set}

    def plan(self, node: Node) -> Plan:
        node.allow(
            "schema instrument forms design valid population recodes weighting banners rules scores tables labels "
            "charts agreement changes_from public".split()
        )
        check_identity(node, self.codebook)
        recodes = tuple(filter(None, (self._recode(item) for item in node.items("recodes"))))
        scores = tuple(filter(None, (self._score(item) for item in node.items("scores"))))
        labels = self._labels(node)
        banners = tuple(self._banner(item) for item in node.items("banners"))
        return Plan(
            instrument=self.codebook.instrument,
            form=self.codebook.form,
            design=self._design(node),
            valid=self._validity(node),
            rules=self._rules(node),
            population=self._population(node),
            recodes=recodes,
            banners=tuple(filter(None, banners)),
            scores=scores,
            tables=self._tables(node),
            labels=labels,
            charts=ChartsReader(self.codebook, self.known, self._bannerable, scores, labels).charts(node),
            weighting=self._weighting(node),
            agreement=self._agreement(node, scores),
            changes_from=self._changes_from(node, scores),
            public=PublicReader(self.codebook, self.known, recodes, scores).public(node),
        )

    def _agreement(self, node: Node, scores: tuple[Score, ...]) -> AgreementSpec | None:
        if "agreement" not in node:
            return None
        child = node.child("agreement")
        child.allow(["scores", "conflict"])
        there = {score.name: score for score in scores}
        names = tuple(name for name in child.texts("scores") if name in there or name not in self.file.left_out)
        if not names:
            child.fault("scores", "no score is named", f"Name some of {listed(there)}")
        seen: dict[str, str] = {}
        for name in names:
            if name not in there:
                child.fault("scores", f"there is no score {name!r}", f"Name some of {listed(there)}")
                continue
            score = there[name]
            if score.perspective in seen:
                cause = f"{name!r} has the perspective {score.perspective!r} of {seen[score.perspective]!r}"
                child.fault("scores", cause, "Name one score of each perspective")
            elif score.codes != there[next(iter(seen.values()), name)].codes:
                child.fault("scores", f"{name!r} has other codes than the scores before it", "Compare like with like")
            seen.setdefault(score.perspective, name)
        limits = child.child("conflict") if "conflict" in child else None
        if limits is None:
            return AgreementSpec(names)
        limits.allow(THRESHOLDS)
        given = {key: limits.share(key) for key in limits.keys() if key in THRESHOLDS}
        found = {key: value for key, value in given.items() if value is not None}
        if found.get("low", CONFLICT.low) >= found.get("high", CONFLICT.high):
            child.fault("conflict", "a low distance reaches up to a high one", "Let `low` be less than `high`")
        return AgreementSpec(names, found)

    def _changes_from(self, node: Node, scores: tuple[Score, ...]) -> str:
        name = node.text("changes_from", required=False) or ""
        if name and name not in {score.name for score in scores}:
            cause = f"there is no score {name!r}"
            node.fault("changes_from", cause, f"Name one of {listed(score.name for score in scores)}")
        return name

    def _weighting(self, node: Node) -> tuple[WeightedPart, ...]:
        parts: dict[str, WeightedPart] = {}
        for item in node.items("weighting"):
            item.allow(["name", "text", "among", "method", "margins", "note"])
            name, among = item.name("name") or "", self._among(item)
            if name in parts:
                item.fault("name", f"there are two parts {name!r}", "Give each its own name")
            named = item.text("method")
            method = next((one for one in WEIGHT_METHODS if one == named), None)
            if named and method is None:
                item.fault("method", f"no method is called {named!r}", f"Write one of {listed(WEIGHT_METHODS)}")
            margins = tuple(filter(None, (self._margin(margin, among) for margin in item.items("margins"))))
            if "margins" not in item:
                item.fault("margins", "the part has no margins", "List them with variable, totals and source")
            elif method == "poststratify" and len(margins) > 1:
                item.fault("method", "post-stratification is to one margin", "Write `method: rake`")
            parts[name] = WeightedPart(
                name=name,
                text=item.wording("text"),
                among=among,
                method=method or "rake",
                margins=margins,
                note=item.wording("note") if "note" in item else None,
            )
        return tuple(parts.values())

    def _among(self, node: Node) -> dict[str, tuple[str, ...]]:
        if "among" not in node:
            node.fault("among", "nobody is named whom the part is made of", "Write `among: {variable: [code, …]}`")
            return {}
        child = node.child("among")
        found: dict[str, tuple[str, ...]] = {}
        for name in child.keys():
            if not self._bannerable(name):
                child.fault(name, f"{name!r} is no single-choice variable or recode", "Name one with codes")
                continue
            found[name] = child.texts(name)
            self._check_codes(child, name, name, found[name])
        return found

    def _margin(self, node: Node, among: Mapping[str, tuple[str, ...]]) -> PopulationMargin | None:
        """Return a margin whose codes are exactly those that respondents of the part can have."""
        node.allow(["variable", "totals", "source"])
        source, name = node.wording("source"), self._banner_of(node)
        if "totals" not in node:
            node.fault("totals", "the margin has no totals", "Write `totals: {code: number, …}`")
            return None
        child = node.child("totals")
        totals = {code: self._total(child, code) for code in child.keys()}
        if name is None:
            return None
        self._check_codes(child, next(iter(totals), name), name, tuple(totals))
        wanted = among.get(name, self.known[name])
        if lacking := [code for code in wanted if code not in totals]:
            node.fault("totals", f"there is no total of {listed(lacking)}", "Give every code of the part a total")
        if beyond := [code for code in totals if code in self.known[name] and code not in wanted]:
            node.fault("totals", f"the part has nobody with {listed(beyond)}", "Name the code in `among` too")
        return PopulationMargin(name, totals, source)

    def _total(self, node: Node, code: str) -> float:
        value = node.data[code]
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
            node.fault(code, f"{value!r} is no number of organisations", "Write a number above 0")
            return 1.0
        return float(value)

    def _design(self, node: Node) -> DesignColumns:
        if "design" not in node:
            return DesignColumns()
        design = node.child("design")
        design.allow(["psu", "weight", "stratum", "fpc"])
        return DesignColumns(
            psu=design.text("psu") or "organisation",
            weight=design.text("weight", required=False),
            stratum=design.text("stratum", required=False),
            fpc=design.text("fpc", required=False),
        )

    def _validity(self, node: Node) -> Validity:
        if "valid" not in node:
            return Validity()
        valid = node.child("valid")
        valid.allow(["answered", "any_answered"])
        sets = {variable.set for variable in self.codebook.variables if variable.set}
        for name in valid.texts("answered"):
            if name not in self.codebook:
                valid.fault("answered", f"the codebook has no variable {name!r}", "Name a variable of the instrument")
        for name in valid.texts("any_answered"):
            if name not in sets:
                valid.fault("any_answered", f"the codebook has no set {name!r}", f"Name one of {listed(sets)}")
        return Validity(valid.texts("answered"), valid.texts("any_answered"))

    def _rules(self, node: Node) -> Rules:
        if "rules" not in node:
            return Rules()
        rules = node.child("rules")
        rules.allow(["small_base", "adjust"])
        found = rules.integer("small_base", disclosure.RESPONDENTS) if "small_base" in rules else None
        named = rules.text("adjust") if "adjust" in rules else Rules.adjust
        adjust = next((one for one in ADJUSTMENTS if one == named), None)
        if adjust is None:
            rules.fault("adjust", f"no adjustment is called {named!r}", f"Write one of {listed(ADJUSTMENTS)}")
        return Rules(found or Rules.small_base, adjust or Rules.adjust)

    def _population(self, node: Node) -> Population | None:
        if "population" not in node:
            return None
        population = node.child("population")
        population.allow(["variable", "codes"])
        name = population.text("variable")
        codes = population.texts("codes")
        self._check_codes(population, "codes", name, codes)
        return Population(name, codes) if name else None

    def _check_codes(self, node: Node, key: str, name: str | None, codes: tuple[str, ...]) -> None:
        if name not in self.known:
            if name:
                node.fault("variable", f"there is no {name!r}", "Name a variable of the codebook or a recode above")
            return
        for code in codes:
            if code not in self.known[name]:
                node.fault(key, f"{name} has no code {code!r}", f"Use some of {listed(self.known[name])}")

    def _recode(self, node: Node) -> Recode | None:
        node.allow(["name", "from", "text", "categories"])
        name, source = node.name("name"), node.text("from")
        text = node.wording("text")
        if source and (source not in self.codebook or not self.codebook[source].categories):
            node.fault("from", f"the codebook has no closed variable {source!r}", "Name a variable that has codes")
            source = None
        taken: dict[str, str] = {}
        categories = []
        for item in node.items("categories"):
            item.allow(["code", "codes", "label"])
            category = RecodeCategory(item.name("code") or "", item.texts("codes"), item.wording("label"))
            for code in category.codes:
                if source and code not in self.known[source]:
                    known = listed(self.known[source])
                    item.fault("codes", f"{source} has no code {code!r}", f"Use some of {known}")
                elif code in taken:
                    item.fault("codes", f"{code!r} is in {taken[code]!r} already", "Put each code into one category")
                taken.setdefault(code, category.code)
            categories.append(category)
        if not categories:
            node.fault("categories", "the recode has no categories", "List them with code, codes and label")
        if not (name and source):
            return None
        if name in self.known:
            node.fault("name", f"{name!r} is taken", "Choose another name")
        self.known[name] = tuple(category.code for category in categories)
        return Recode(name, source, text, tuple(categories))

    def _score(self, node: Node) -> Score | None:
        node.allow(["name", "kind", "text", "chosen", "level", "codes", "perspective", "derived"])
        name, codes = node.name("name"), node.texts("codes")
        if node.text("kind") != "weighted_choice":
            node.fault("kind", "the kind is unknown", "Write `kind: weighted_choice`")
        sets = {key: node.text(key) for key in ("chosen", "level")}
        for key, kind in (("chosen", Kind.BINARY), ("level", Kind.LEVEL)):
            for code in codes:
                member = f"{sets[key]}_{code}"
                if member not in self.codebook or self.codebook[member].kind is not kind:
                    node.fault(key, f"the codebook has no {kind} variable {member!r}", "Name the set and its codes")
        derived = {}
        if "derived" in node:
            child = node.child("derived")
            child.allow(DERIVED)
            needed = {
                "dominant": ("COMBO", "NONE"),
                "combination": ("NONE",),
                "central_2plus": ("NO", "YES"),
                "selected_2plus": ("NO", "YES"),
            }
            for key in DERIVED:
                part = child.child(key)
                part.allow(["text", "labels"])
                words = part.child("labels") if key in needed else None
                labels = {code: words.wording(code) for code in needed.get(key, ())} if words else {}
                derived[key] = DerivedWording(part.wording("text"), labels)
        else:
            node.fault("derived", "the derived variables have no wording", f"Word each of {listed(DERIVED)}")
        text = node.wording("text")
        perspective = node.text("perspective") or ""
        if not (name and sets["chosen"] and sets["level"] and codes and derived):
            return None
        for key in DERIVED:
            self.known[f"{name}_{key}"] = ()
        for variable in (
            ()
            if self.file.problems
            else derived_variables(
                Score(name, text, sets["chosen"], sets["level"], codes, perspective, derived), self.codebook
            )
        ):
            self.known[variable.name] = tuple(category.code for category in variable.categories)
        self.known[name] = codes
        self.several.add(name)
        return Score(name, text, sets["chosen"], sets["level"], codes, perspective, derived)

    def _banner(self, node: Node) -> str | None:
        node.allow(["variable"])
        return self._banner_of(node)

    def _banner_of(self, node: Node) -> str | None:
        name = node.text("variable")
        if name and not self._bannerable(name):
            node.fault(
                "variable",
                f"{name!r} is no single-choice variable or recode",
                "Name one whose codes exclude one another",
            )
            return None
        return name

    def _bannerable(self, name: str) -> bool:
        if name not in self.known or name in self.several:
            return False
        return name not in self.codebook or self.codebook[name].kind in (Kind.NOMINAL, Kind.ORDINAL, Kind.LEVEL)

    def _tables(self, node: Node) -> tuple[TableSpec, ...]:
        tables: dict[str, TableSpec] = {}
        for item in node.items("tables"):
            item.allow(["id", "title", "variables", "banners", "note", "counts", "organisations", "strict"])
            id = item.name("id") or ""
            if id in tables:
                item.fault("id", f"there are two tables {id!r}", "Give each its own id")
            for name in item.texts("variables"):
                if name not in self.known:
                    item.fault("variables", f"there is no {name!r}", "Name a closed variable, set, recode or score")
            for name in item.texts("banners"):
                if not self._bannerable(name):
                    item.fault(
                        "banners",
                        f"{name!r} is no single-choice variable or recode",
                        "Name one whose codes exclude one another",
                    )
            if not item.texts("variables"):
                item.fault("variables", "the table has no variables", "List what stands in its rows")
            tables[id] = TableSpec(
                id=id,
                title=item.wording("title"),
                variables=item.texts("variables"),
                banners=item.texts("banners"),
                note=item.wording("note") if "note" in item else None,
                counts=item.flag("counts"),
                organisations=item.flag("organisations"),
                strict=item.flag("strict"),
            )
            if item.flag("strict") and "population" not in node:
                item.fault("strict", "the plan names no population", "Add `population: {variable: …, codes: […]}`")
        return tuple(tables.values())

    def _labels(self, node: Node) -> dict[str, dict[str, Text]]:
        if "labels" not in node:
            return {}
        labels = node.child("labels")
        found: dict[str, dict[str, Text]] = {}
        for name in labels.keys():
            if name not in self.known:
                if name not in self.file.left_out:
                    labels.fault(name, f"there is no {name!r}", "Name a variable, set, recode or score")
                continue
            words = labels.child(name)
            self._check_codes(words, next(iter(words.keys()), name), name, tuple(words.keys()))
            found[name] = {code: words.wording(code) for code in words.keys()}
        return found


def _known(codebook: Codebook) -> dict[str, tuple[str, ...]]:
    """Every name a table may hold, with its codes: closed variables and multiple-response sets."""
    known = {
        variable.name: tuple(category.code for category in variable.categories)
        for variable in codebook.variables
        if variable.closed
    }
    for variable in codebook.variables:
        if variable.set and variable.closed:
            known[variable.set] = (*known.get(variable.set, ()), variable.code or "")
    return known
