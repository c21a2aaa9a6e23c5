"""The analysis plan of an instrument: what a researcher decides before seeing a number.

`questionnaires/<instrument>/plan.yaml` says which responses count, which columns are the design, how
codes are grouped, what is crossed with what, which tables and charts are made and from which base a
number is shown. Here are its values; analysis/plan_file.py reads them from the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args

from kysely.codebook import Category, Codebook, Kind, Text, Variable

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


WeightMethod = Literal["rake", "poststratify"]
WEIGHT_METHODS: tuple[WeightMethod, ...] = get_args(WeightMethod)


@dataclass(frozen=True)
class PopulationMargin:
    """How many organisations of the population have each code of *variable*, and who counted them."""

    variable: str
    totals: Mapping[str, float]
    source: Text


@dataclass(frozen=True)
class WeightedPart:
    """Respondents who are weighted to *margins*: those with one of the codes of every variable of *among*.

    The part as a whole keeps its weight beside the others; only how it divides is changed.
    """

    name: str
    text: Text
    among: Mapping[str, tuple[str, ...]]
    method: WeightMethod
    margins: tuple[PopulationMargin, ...]
    note: Text | None = None


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


Adjustment = Literal["holm", "bh"]
ADJUSTMENTS: tuple[Adjustment, ...] = get_args(Adjustment)


@dataclass(frozen=True)
class Rules:
    """The base under which a figure is marked, and how the tests of the book are adjusted for being many.

    From which base a figure is shown at all, analysis.disclosure decides.
    """

    small_base: int = 30
    adjust: Adjustment = "holm"


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
class CellSpec:
    """One figure per respondent of a chart's table, by the columns of its row in the estimates."""

    variable: str
    code: str
    statistic: str
    banner: str = "total"
    banner_code: str = "total"

    @property
    def name(self) -> str:
        """What an author recognises it by."""
        of = " ".join(filter(None, (self.variable, self.code, self.statistic)))
        return of if self.banner == "total" else f"{of} [{self.banner} {self.banner_code}]"


@dataclass(frozen=True)
class HeadlineClaim:
    """What a headline says of the figure *cell*: it is more than each of *than*, or lies above or below a bound.

    A bound is in the figure's own unit, for a share in per cent. *line* is where plan.yaml says it.
    """

    cell: CellSpec
    than: tuple[CellSpec, ...] = ()
    above: float | None = None
    below: float | None = None
    line: int = 1


@dataclass(frozen=True)
class ChartSpec:
    """What a chart says in words; which numbers it draws are those of *table*.

    headline, subtitle, note, source and alt are templates of the chart that draws them; *labels* are
    the plan's short wordings, variable or set → code → text; *options* holds every further key.
    A headline without a *claim* compares nothing: it is the table's title, or the author calls it descriptive.
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
    claim: HeadlineClaim | None = None


@dataclass(frozen=True)
class AgreementSpec:
    """The scores of which agreement inside organisations is told, at most one of each perspective.

    *conflict* holds the thresholds of the conflict classes that differ from those of conflict.ConflictRules.
    """

    scores: tuple[str, ...]
    conflict: Mapping[str, float] = field(default_factory=dict)


PublicMeasure = Literal["shares", "mean", "median"]
PUBLIC_MEASURES: tuple[PublicMeasure, ...] = get_args(PublicMeasure)


@dataclass(frozen=True)
class PublicClassification:
    """Groups by which numbers may become public; *within* names a recode of *variable* that unites them."""

    variable: str
    within: str | None = None


@dataclass(frozen=True)
class PublicQuestion:
    """What may become public of each of *variables*, in total and by each of *by*.

    *coarser* are the versions with fewer categories, in their order, that are shown where the finest can't be;
    *between* the ends of a scale whose codebook entry has none.
    """

    variables: tuple[str, ...]
    by: tuple[str, ...] = ()
    show: PublicMeasure = "shares"
    coarser: tuple[tuple[RecodeCategory, ...], ...] = ()
    between: tuple[float, float] | None = None
    sensitive: bool = False


@dataclass(frozen=True)
class PublicFeedback:
    """What a respondent may compare the own answer with: the share of *category* in each of the set *levels*."""

    levels: str
    category: str
    by: str | None = None


@dataclass(frozen=True)
class Public:
    """What may become public at all, decided before the numbers are seen."""

    classifications: tuple[PublicClassification, ...] = ()
    questions: tuple[PublicQuestion, ...] = ()
    feedback: PublicFeedback | None = None


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
    weighting: tuple[WeightedPart, ...] = ()
    agreement: AgreementSpec | None = None
    changes_from: str = ""  # the score from which the others with its options are told as changes
    public: Public = Public()

    @cached_property
    def recode(self) -> Mapping[str, Recode]:
        return {recode.name: recode for recode in self.recodes}

    def source(self, name: str) -> str:
        """Return the variable that *name* regroups; *name* itself where it is no recode."""
        return self.recode[name].source if name in self.recode else name

    def score(self, name: str) -> Score:
        return next(score for score in self.scores if score.name == name)

    def codebook(self, codebook: Codebook) -> Codebook:
        """Return *codebook* with the recodes and the derived variables of the scores added."""
        added = [_recoded(recode, codebook) for recode in self.recodes]
        added += [variable for score in self.scores for variable in derived_variables(score, codebook)]
        return replace(codebook, variables=(*codebook.variables, *added))


def load(path: Path, codebook: Codebook) -> Plan:
    """Return the plan in the file *path*, checked against *codebook*. Raises AuthorError with every problem."""
    from analysis.plan_file import read

    return read(path, codebook)


def combinations(codes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the codes of every set of *codes*, in order of size: NONE, A, B, A+B …"""
    sets = sorted(range(2 ** len(codes)), key=lambda bits: (bits.bit_count(), [not bits >> i & 1 for i in range(9)]))
    return tuple("+".join(code for i, code in enumerate(codes) if bits >> i & 1) or "NONE" for bits in sets)


def _recoded(recode: Recode, codebook: Codebook) -> Variable:
    categories = tuple(Category(code=category.code, label=category.label) for category in recode.categories)
    question = codebook[recode.source].question
    return Variable(recode.name, Kind.NOMINAL, question, recode.text, recode.text, categories)


def derived_variables(score: Score, codebook: Codebook) -> Iterator[Variable]:
    """Yield the variables of DERIVED that *score* adds to *codebook*."""
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
