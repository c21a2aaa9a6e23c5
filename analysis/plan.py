"""The analysis plan of an instrument: what a researcher decides before seeing a number.

`questionnaires/<instrument>/plan.yaml` says which responses count, which columns are the design, how
codes are grouped, what is crossed with what, which tables and charts are made and from which base a
number is shown. `load` reads it and checks it against the codebook; every fault is reported at once,
with its line, cause and cure. The keys are described in docs/methods.md, "The plan".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from analysis import disclosure
from kysely.codebook import Category, Codebook, Kind, Text, Variable
from kysely.errors import AuthorError, Problem

SCHEMA = "plan/1"

DERIVED = ("dominant", "combination", "n_central", "n_selected", "central_2plus", "selected_2plus")
"""What a weighted choice yields besides its levels; the variable is called `<score>_<derived>`."""


@dataclass(frozen=True)
class DesignColumns:
    """Which columns of the extract's cases carry the sampling design."""

    psu: str = "organisation"
    weight: str | None = None
    stratum: str | None = None
    fpc: str | None = None


@dataclass(frozen=True)
class Validity:
    """Which responses count: every variable of *answered*, and of every set in *any_answered* at least one.

    Answered means a value; "cannot say" is missing like the other kinds.
    """

    answered: tuple[str, ...] = ()
    any_answered: tuple[str, ...] = ()


@dataclass(frozen=True)
class Population:
    """A domain for tables that keep to the strict population (of the 2015 study: companies and public bodies)."""

    variable: str
    codes: tuple[str, ...]


@dataclass(frozen=True)
class RecodeCategory:
    code: str
    codes: tuple[str, ...]
    label: Text


@dataclass(frozen=True)
class Recode:
    """Codes of *source* put together; a code named in no category is left out of the base."""

    name: str
    source: str
    text: Text
    categories: tuple[RecodeCategory, ...]


@dataclass(frozen=True)
class Rules:
    """The base under which a figure is marked. From which base it is shown at all, analysis.disclosure decides."""

    small_base: int = 30


@dataclass(frozen=True)
class DerivedWording:
    text: Text
    labels: Mapping[str, Text] = field(default_factory=dict)


@dataclass(frozen=True)
class Score:
    """A weighted choice: *chosen* and *level* are sets of variables with one member per code of *codes*.

    *perspective* tells today's mode (CUR) from the desired and the strategy's, *derived* words the
    variables of DERIVED.
    """

    name: str
    text: Text
    chosen: str
    level: str
    codes: tuple[str, ...]
    perspective: str
    derived: Mapping[str, DerivedWording]

    def variable(self, derived: str) -> str:
        return f"{self.name}_{derived}"


@dataclass(frozen=True)
class TableSpec:
    """One table: *variables* down, *banners* across (none: the whole sample only).

    A variable may be a closed variable, a multiple-response set, a recode, a score or something
    derived from one. *counts* adds unweighted counts, *organisations* makes it a table of
    organisations per category, *strict* keeps to the plan's population.
    """

    id: str
    title: Text
    variables: tuple[str, ...]
    banners: tuple[str, ...] = ()
    note: Text | None = None
    counts: bool = False
    organisations: bool = False
    strict: bool = False


@dataclass(frozen=True)
class ChartSpec:
    """What a chart says in words; which numbers it draws are those of *table*.

    headline, subtitle, note, source and alt are templates of the chart that draws them; *labels* are
    the plan's short wordings, variable or set → code → text; *options* holds every further key.
    """

    id: str
    chart: str
    table: str
    headline: Text
    subtitle: Text
    alt: Text
    note: Text | None = None
    source: Text | None = None
    labels: Mapping[str, Mapping[str, Text]] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    instrument: str
    form: str
    design: DesignColumns
    valid: Validity
    rules: Rules
    banners: tuple[str, ...]
    tables: tuple[TableSpec, ...]
    population: Population | None = None
    recodes: tuple[Recode, ...] = ()
    scores: tuple[Score, ...] = ()
    labels: Mapping[str, Mapping[str, Text]] = field(default_factory=dict)
    charts: tuple[ChartSpec, ...] = ()

    @cached_property
    def recode(self) -> Mapping[str, Recode]:
        return {recode.name: recode for recode in self.recodes}

    def score(self, name: str) -> Score:
        return next(score for score in self.scores if score.name == name)

    def codebook(self, codebook: Codebook) -> Codebook:
        """Return *codebook* with the recodes and the derived variables of the scores added."""
        added = [_recoded(recode, codebook) for recode in self.recodes]
        added += [variable for score in self.scores for variable in _derived(score, codebook)]
        return replace(codebook, variables=(*codebook.variables, *added))


def load(path: Path, codebook: Codebook) -> Plan:
    """Return the plan in the file *path*, checked against *codebook*. Raises AuthorError with every problem."""
    reader = _Reader(path)
    plan = reader.plan(codebook)
    if reader.problems or plan is None:
        raise AuthorError(reader.problems)
    return plan


def combinations(codes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the codes of every set of *codes*, in order of size: NONE, A, B, A+B …"""
    sets = sorted(range(2 ** len(codes)), key=lambda bits: (bits.bit_count(), [not bits >> i & 1 for i in range(9)]))
    return tuple("+".join(code for i, code in enumerate(codes) if bits >> i & 1) or "NONE" for bits in sets)


def _recoded(recode: Recode, codebook: Codebook) -> Variable:
    categories = tuple(Category(code=category.code, label=category.label) for category in recode.categories)
    question = codebook[recode.source].question
    return Variable(recode.name, Kind.NOMINAL, question, recode.text, recode.text, categories)


def _derived(score: Score, codebook: Codebook) -> Iterator[Variable]:
    options = {member.code: member.label for member in codebook.set(score.chosen)}
    question = next(codebook.set(score.chosen)).question

    def variable(derived: str, categories: Iterator[Category] | list[Category], kind: Kind = Kind.NOMINAL) -> Variable:
        text = score.derived[derived].text
        return Variable(score.variable(derived), kind, question, text, text, tuple(categories))

    def label(derived: str, code: str) -> Text:
        return score.derived[derived].labels[code]

    def joined(combination: str) -> Text:
        if combination == "NONE":
            return label("combination", "NONE")
        members = combination.split("+")
        return {
            language: " + ".join(options[member][language] for member in members) for language in codebook.languages
        }

    def counted(derived: str) -> list[Category]:
        numbers = range(len(score.codes) + 1)
        return [Category(f"N{n}", dict.fromkeys(codebook.languages, str(n)), n) for n in numbers]

    def either(derived: str) -> list[Category]:
        return [Category(code, label(derived, code), value) for code, value in (("NO", 0), ("YES", 1))]

    single = [Category(code, options[code]) for code in score.codes]
    rest = [Category(code, label("dominant", code)) for code in ("COMBO", "NONE")]
    yield variable("dominant", single + rest)
    yield variable("combination", [Category(code, joined(code)) for code in combinations(score.codes)])
    yield variable("n_central", counted("n_central"), Kind.ORDINAL)
    yield variable("n_selected", counted("n_selected"), Kind.ORDINAL)
    yield variable("central_2plus", either("central_2plus"))
    yield variable("selected_2plus", either("selected_2plus"))


_ID = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")


class _Reader:
    """Walks the YAML once and collects every problem with its line."""

    def __init__(self, path: Path):
        self.path = path
        self.file = f"{path.parent.name}/{path.name}"
        self.problems: list[Problem] = []
        self.languages: tuple[str, ...] = ()
        self.codebook: Codebook
        self.known: dict[str, tuple[str, ...]] = {}

    def problem(self, line: int, where: str, cause: str, cure: str) -> None:
        self.problems.append(Problem(self.file, line, where, cause, cure))

    def plan(self, codebook: Codebook) -> Plan | None:
        root = self._parse()
        if root is None:
            return None
        self.codebook, self.languages = codebook, codebook.languages
        self.known = _known(codebook)
        node = _Node(self, root, "plan")
        node.allow(
            "schema instrument form design valid population recodes banners rules scores tables labels charts".split()
        )
        if node.text("schema") != SCHEMA:
            node.fault("schema", f"the format is not {SCHEMA!r}", f"Write `schema: {SCHEMA}`")
        for key, expected in (("instrument", codebook.instrument), ("form", codebook.form)):
            if node.text(key) != expected:
                node.fault(
                    key, f"the codebook is of {expected!r}", "Use the plan of the instrument and form you analyse"
                )
        recodes = tuple(filter(None, (self._recode(item) for item in node.items("recodes"))))
        scores = tuple(filter(None, (self._score(item) for item in node.items("scores"))))
        labels = self._labels(node)
        banners = tuple(self._banner(item) for item in node.items("banners"))
        return Plan(
            instrument=codebook.instrument,
            form=codebook.form,
            design=self._design(node),
            valid=self._validity(node),
            rules=self._rules(node),
            population=self._population(node),
            recodes=recodes,
            banners=tuple(filter(None, banners)),
            scores=scores,
            tables=self._tables(node),
            labels=labels,
            charts=self._charts(node, labels),
        )

    def _parse(self) -> Any:
        from ruamel.yaml import YAML
        from ruamel.yaml.error import MarkedYAMLError, YAMLError

        if not self.path.is_file():
            self.problem(1, "plan", "there is no such file", "Write a plan.yaml beside questionnaire.yaml")
            return None
        try:
            root = YAML(typ="rt").load(self.path.read_text(encoding="utf-8"))
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            cause = " ".join(str(error.problem or error.context).split())
            self.problem(mark.line + 1 if mark else 1, "plan", f"not readable as YAML: {cause}", "Mend the line")
            return None
        except (YAMLError, UnicodeDecodeError) as error:
            self.problem(1, "plan", f"not readable as YAML: {error}", "Save the file as UTF-8 YAML")
            return None
        if not isinstance(root, dict):
            self.problem(1, "plan", "the file is not a mapping of keys", f"Begin with `schema: {SCHEMA}`")
            return None
        return root

    def _design(self, node: _Node) -> DesignColumns:
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

    def _validity(self, node: _Node) -> Validity:
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
                valid.fault("any_answered", f"the codebook has no set {name!r}", f"Name one of {_listed(sets)}")
        return Validity(valid.texts("answered"), valid.texts("any_answered"))

    def _rules(self, node: _Node) -> Rules:
        if "rules" not in node:
            return Rules()
        rules = node.child("rules")
        rules.allow(["small_base"])
        found = rules.integer("small_base", disclosure.RESPONDENTS) if "small_base" in rules else None
        return Rules() if found is None else Rules(found)

    def _population(self, node: _Node) -> Population | None:
        if "population" not in node:
            return None
        population = node.child("population")
        population.allow(["variable", "codes"])
        name = population.text("variable")
        codes = population.texts("codes")
        self._check_codes(population, "codes", name, codes)
        return Population(name, codes) if name else None

    def _check_codes(self, node: _Node, key: str, name: str | None, codes: tuple[str, ...]) -> None:
        if name not in self.known:
            if name:
                node.fault("variable", f"there is no {name!r}", "Name a variable of the codebook or a recode above")
            return
        for code in codes:
            if code not in self.known[name]:
                node.fault(key, f"{name} has no code {code!r}", f"Use some of {_listed(self.known[name])}")

    def _recode(self, node: _Node) -> Recode | None:
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
                    known = _listed(self.known[source])
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

    def _score(self, node: _Node) -> Score | None:
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
            node.fault("derived", "the derived variables have no wording", f"Word each of {_listed(DERIVED)}")
        text = node.wording("text")
        perspective = node.text("perspective") or ""
        if not (name and sets["chosen"] and sets["level"] and codes and derived):
            return None
        for key in DERIVED:
            self.known[f"{name}_{key}"] = ()
        for variable in (
            ()
            if self.problems
            else _derived(Score(name, text, sets["chosen"], sets["level"], codes, perspective, derived), self.codebook)
        ):
            self.known[variable.name] = tuple(category.code for category in variable.categories)
        self.known[name] = codes
        return Score(name, text, sets["chosen"], sets["level"], codes, perspective, derived)

    def _banner(self, node: _Node) -> str | None:
        node.allow(["variable"])
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
        if name not in self.known:
            return False
        return name not in self.codebook or self.codebook[name].kind in (Kind.NOMINAL, Kind.ORDINAL, Kind.LEVEL)

    def _tables(self, node: _Node) -> tuple[TableSpec, ...]:
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

    def _labels(self, node: _Node) -> dict[str, dict[str, Text]]:
        if "labels" not in node:
            return {}
        labels = node.child("labels")
        found: dict[str, dict[str, Text]] = {}
        for name in labels.keys():
            if name not in self.known:
                labels.fault(name, f"there is no {name!r}", "Name a variable, set, recode or score")
                continue
            words = labels.child(name)
            self._check_codes(words, next(iter(words.keys()), name), name, tuple(words.keys()))
            found[name] = {code: words.wording(code) for code in words.keys()}
        return found

    def _charts(self, node: _Node, labels: Mapping[str, Mapping[str, Text]]) -> tuple[ChartSpec, ...]:
        tables = {item.text("id") for item in node.items("tables")}
        charts: dict[str, ChartSpec] = {}
        own = ("id", "chart", "table", "headline", "subtitle", "alt", "note", "source")
        for item in node.items("charts"):
            id, table = item.name("id") or "", item.text("table") or ""
            if id in charts:
                item.fault("id", f"there are two charts {id!r}", "Give each its own id")
            if table and table not in tables:
                item.fault("table", f"there is no table {table!r}", f"Name one of {_listed(filter(None, tables))}")
            charts[id] = ChartSpec(
                id=id,
                chart=item.name("chart") or "",
                table=table,
                headline=item.wording("headline"),
                subtitle=item.wording("subtitle"),
                alt=item.wording("alt"),
                note=item.wording("note") if "note" in item else None,
                source=item.wording("source") if "source" in item else None,
                labels=labels,
                options={key: _plain(item.data[key]) for key in item.keys() if key not in own},
            )
        return tuple(charts.values())


class _Node:
    """A mapping of the file, with its place; every reading method reports its own fault and goes on."""

    def __init__(self, reader: _Reader, data: Any, where: str):
        self.reader, self.where = reader, where
        self.data: Any = data if isinstance(data, dict) else {}

    def __contains__(self, key: str) -> bool:
        return key in self.data

    def keys(self) -> tuple[str, ...]:
        return tuple(str(key) for key in self.data)

    def line(self, key: str | None = None) -> int:
        marks = getattr(self.data, "lc", None)
        if marks is None:
            return 1
        if key is not None and key in self.data:
            return int(marks.key(key)[0]) + 1
        return int(marks.line or 0) + 1

    def fault(self, key: str, cause: str, cure: str) -> None:
        self.reader.problem(self.line(key), f"{self.where} {key}", cause, cure)

    def allow(self, keys: Any) -> None:
        for key in self.keys():
            if key not in keys:
                self.fault(key, "the key is unknown", f"Use some of {_listed(keys)}")

    def child(self, key: str) -> _Node:
        value = self.data.get(key)
        if not isinstance(value, dict):
            cause = "a mapping is needed here" if key in self.data else "the key is lacking"
            self.fault(key, cause, f"Write `{key}:` and its keys, indented")
        return _Node(self.reader, value, f"{self.where} {key}")

    def items(self, key: str) -> list[_Node]:
        value = self.data.get(key, [])
        if not isinstance(value, list):
            self.fault(key, "a list is needed here", "Begin each entry with a dash")
            return []
        nodes = []
        for number, item in enumerate(value, start=1):
            name = (
                next((str(item[k]) for k in ("id", "name", "variable", "code") if k in item), str(number))
                if isinstance(item, dict)
                else str(number)
            )
            if not isinstance(item, dict):
                self.fault(key, f"entry {number} is not a mapping", "Write its keys, as `- {key: value}`")
                continue
            nodes.append(_Node(self.reader, item, f"{key} {name!r}"))
        return nodes

    def text(self, key: str, *, required: bool = True) -> str | None:
        return self._read(key, lambda value: isinstance(value, str) and bool(value.strip()), "a word", required)

    def name(self, key: str) -> str | None:
        return self._read(
            key,
            lambda value: isinstance(value, str) and bool(_ID.match(value)),
            "a name of letters, digits and _",
            True,
        )

    def integer(self, key: str, floor: int) -> int | None:
        def fits(value: Any) -> bool:
            return isinstance(value, int) and not isinstance(value, bool) and value >= floor

        return self._read(key, fits, f"a whole number, at least {floor}", True)

    def flag(self, key: str) -> bool:
        return bool(self._read(key, lambda value: isinstance(value, bool), "true or false", False))

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.data.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self.fault(key, "a list of words is needed here", f"Write `{key}: [A, B]`; quote YES and NO")
            return ()
        return tuple(str(item) for item in value)

    def wording(self, key: str) -> Text:
        """Return the text in every language of the instrument; what lacks is a problem."""
        value = self.data.get(key)
        if not isinstance(value, dict):
            self.fault(key, "the wording is lacking", f"Write it in {_listed(self.reader.languages)}")
            return dict.fromkeys(self.reader.languages, "")
        for language in self.reader.languages:
            if not (isinstance(value.get(language), str) and value[language].strip()):
                self.fault(
                    key, f"there is no text in {language!r}", "Every wording needs all languages of the instrument"
                )
        for language in value:
            if language not in self.reader.languages:
                self.fault(key, f"the language {language!r} is unknown", f"Use {_listed(self.reader.languages)}")
        return {language: str(value.get(language, "")) for language in self.reader.languages}

    def _read(self, key: str, fits: Callable[[Any], bool], what: str, required: bool) -> Any:
        if key not in self.data:
            if required:
                self.fault(key, "the key is lacking", f"Add `{key}:`, {what}")
            return None
        value = self.data[key]
        if not fits(value):
            self.fault(key, f"{value!r} is not {what}", f"Write {what}")
            return None
        return str(value) if isinstance(value, str) else value


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


def _listed(words: Any) -> str:
    return ", ".join(sorted(str(word) for word in words)) or "none"


def _plain(value: Any) -> Any:
    """Return what ruamel read as ordinary dicts, lists and scalars."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, str) else value
