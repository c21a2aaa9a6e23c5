"""Which numbers may become public, and in which rounded form: the public release, the strictest of the three.

The leaders of a country's organisations are a small and well-known population, so sampling protects nobody. A
publication is one question, in total or by one classification. Small groups are pooled rather than hidden, so that
nothing is left to subtract; then the table is tested against everything published before (analysis/differencing.py),
and rounded last. A `Snapshot` holds rounded numbers only: whoever draws it never sees an answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

import numpy as np

from analysis import differencing
from analysis.design import Codes, Mask
from analysis.ledger import Entry
from analysis.publishable import Figure, PublishingError, Question, Rules, above_floor, band
from analysis.refusals import NOT_STATED, OTHER, Reason, Refusal, Wording
from kysely.pseudonyms import keyed


@dataclass(frozen=True)
class Override:
    """Lower thresholds for one publication, which two persons answer for in writing.

    Raises PublishingError for one person, no reason, or a threshold under the floor.
    """

    persons: tuple[str, str]
    reason: str
    respondents: int
    category: int

    def __post_init__(self) -> None:
        named = {name.strip().casefold() for name in self.persons} - {""}
        if len(named) < 2:
            raise PublishingError("lower thresholds need two different persons: name each with --person")
        if not self.reason.strip():
            raise PublishingError("lower thresholds need a written reason: say it with --reason")
        above_floor(respondents=self.respondents, category=self.category)


@dataclass(frozen=True, eq=False)
class Responses:
    """The n respondents of one numbered data set, which no longer changes.

    response and organisation are keyed hashes (`of` makes them). An id stands for one respondent for ever.
    Raises PublishingError if the data set has no number, an id comes twice or the lengths differ.
    """

    dataset: str
    response: tuple[str, ...]
    organisation: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.dataset:
            raise PublishingError("the data set has no number: only a frozen version of the answers is published")
        if len(set(self.response)) < len(self.response) or len(self.response) != len(self.organisation):
            raise PublishingError("each respondent needs an id of their own and the id of one organisation")

    @classmethod
    def of(
        cls, dataset: str, response: Iterable[object], organisation: Iterable[object], *, secret: bytes
    ) -> Responses:
        return cls(dataset, keyed(secret, response), keyed(secret, organisation))

    def __len__(self) -> int:
        return len(self.response)

    def organisations(self, inside: Mask) -> int:
        return len({self.organisation[row] for row in np.flatnonzero(inside)})


@dataclass(frozen=True)
class Row:
    """The figures of a group, or of all (group None), with its base as a range or rounded to 5 (`n_low = n_high`)."""

    group: str | None
    n_low: int
    n_high: int
    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class Snapshot:
    """Everything that a chart, a table, their text and their files are made from; every number in it is rounded.

    survey_n is the exact number of respondents of the whole survey, the only exact number.
    notes says which groups were pooled ("pooled:OTHER") or why there is no breakdown ("no_breakdown").
    """

    question: str
    classification: str | None
    dataset: str
    survey_n: int
    categories: tuple[str, ...]
    total: Row
    groups: tuple[Row, ...]
    threshold: int
    notes: tuple[str, ...] = ()
    overridden: bool = False


# ---- groups ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Classification:
    """A registered partition of the n respondents into named groups.

    codes   (n,) position in *groups*; -1 not stated
    parents the group above each group, where the classification has a hierarchy
    """

    name: str
    codes: Codes
    groups: tuple[str, ...]
    parents: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if np.any((self.codes < -1) | (self.codes >= len(self.groups))) or {OTHER, NOT_STATED} & set(self.groups):
            raise PublishingError(f"{self.name}: codes are positions in groups, none of which is {OTHER}, or -1")

    def merged(self, group: str, into: str) -> Classification:
        """Return the classification with *group* merged into another of the same parent, or all those into the parent.

        Raises PublishingError if the hierarchy has no such merge.
        """
        parent = self.parents.get(group)
        if parent is None or into not in {parent, *(g for g in self.groups if self.parents.get(g) == parent)} - {group}:
            raise PublishingError(f"{self.name}: the hierarchy does not let {group} be merged into {into}")
        leaving = {g for g in self.groups if self.parents.get(g) == parent} if into == parent else {group}
        groups = tuple(dict.fromkeys(into if g in leaving else g for g in self.groups))
        place = np.array([groups.index(into if g in leaving else g) for g in self.groups] + [-1])
        return replace(self, codes=place[self.codes], groups=groups)

    def members(self, valid: Mask) -> dict[str, Mask]:
        """Return who of the base is in each group that has somebody."""
        named = {name: (self.codes == g) & valid for g, name in enumerate(self.groups)}
        named[NOT_STATED] = (self.codes == -1) & valid
        return {name: inside for name, inside in named.items() if inside.any()}


@dataclass(frozen=True, eq=False)
class _Table:
    """What would be shown: the groups after pooling, at one level of the question."""

    groups: Mapping[str, Mask]
    level: int
    pooled: bool


def _breakdown(responses: Responses, question: Question, by: Classification, rules: Rules) -> _Table | None:
    """Return the breakdown after rules 3 to 5, or None if fewer than two groups remain."""
    members = by.members(question.valid)
    pool: set[str] = set()
    while True:
        groups = _pooled(responses, question, members, pool, rules)
        if len(groups) < 2:
            return None
        failing: list[str] = []
        for level in range(question.first, question.levels):
            failing = _failing(responses, question, groups, level, rules)
            if not failing:
                return _Table(groups, level, OTHER in groups)
        into = set(failing) - {OTHER}
        # Of a pool that fails alone, or of groups that only fail together, the next smallest group joins.
        pool |= into or {min(set(groups) - {OTHER}, key=lambda name: int(members[name].sum()))}


def _pooled(
    responses: Responses, question: Question, members: Mapping[str, Mask], pool: set[str], rules: Rules
) -> dict[str, Mask]:
    """Return the groups with all small ones, and *pool*, as one that is large enough (rule 3). Adds to *pool*."""

    def small(inside: Mask) -> bool:
        enough = int(inside.sum()) >= question.least(rules)
        return not enough or responses.organisations(inside) < rules.organisations

    pool |= {name for name, inside in members.items() if small(inside)}
    if not rules.pooling:
        return {name: inside for name, inside in members.items() if name not in pool}
    rest = sorted(members.keys() - pool, key=lambda name: (int(members[name].sum()), name))
    together = np.any([members[name] for name in pool], axis=0) if pool else np.zeros(len(responses), bool)
    while pool and small(together) and rest:
        pool.add(rest[0])
        together = together | members[rest.pop(0)]
    groups = {name: inside for name, inside in members.items() if name not in pool}
    return {**groups, OTHER: together} if pool else groups


def _failing(
    responses: Responses, question: Question, groups: Mapping[str, Mask], level: int, rules: Rules
) -> list[str]:
    """Return the groups that rule 4 keeps from being shown, or the smallest if one can be worked out one-sided."""
    failing = [name for name, g in groups.items() if question.fault(g, level, rules, responses.organisation)]
    if failing or not rules.differencing:
        return failing
    smallest = min(groups, key=lambda name: int(groups[name].sum()))
    for inside in groups.values():
        if differencing.difference_fault(responses, question, question.valid & ~inside, level, rules):
            return [smallest]
    entry, _ = _entry(responses, question, None, _Table(groups, level, False), rules, None)
    return [smallest] if differencing.told([entry], [], question, rules) else []


# ---- publishing -----------------------------------------------------------------------------------------


def decide(
    responses: Responses,
    question: Question,
    classification: Classification | None,
    earlier: Sequence[Entry],
    *,
    rules: Rules | None = None,
    override: Override | None = None,
    wording: Wording | None = None,
) -> tuple[Snapshot, Entry] | Refusal:
    """Return what may be shown of *question*, in total or by *classification*, beside all that was shown earlier.

    With it comes the entry by which the ledger has to know it (`Ledger.record`) before it is shown to anybody. Pure;
    *wording* is for the sentences of a refusal. Raises PublishingError if the arrays don't have one row a respondent.
    """
    rules, say = _under(rules or Rules(), override), wording or Wording()
    if len(question.valid) != len(responses) or (classification and len(classification.codes) != len(responses)):
        raise PublishingError(f"{question.name}: one answer and one group for each of {len(responses)} respondents")
    n, firms = int(question.valid.sum()), responses.organisations(question.valid)
    if n < question.least(rules) or firms < rules.organisations:
        says = f"fewer than {question.least(rules)} respondents or {rules.organisations} organisations answered "
        return Refusal((Reason("2", says + say.question(question.name), "Wait for more answers"),))
    if fault := question.total_fault(rules, responses.organisation):
        says = (
            f"not even the figure of all who answered {say.question(question.name)} can be shown: it tells of {fault}"
        )
        return Refusal((Reason("7-8", says, "Wait for more answers, or leave it out"),))
    table = _breakdown(responses, question, classification, rules) if classification else None
    entry, snapshot = _entry(responses, question, classification, table, rules, override)
    reasons = differencing.against(entry, earlier, responses, question, rules, say)
    return Refusal(tuple(reasons)) if reasons else (snapshot, entry)


def _under(rules: Rules, override: Override | None) -> Rules:
    if override is None:
        return rules
    return replace(rules, respondents=override.respondents, category=override.category)


def _entry(
    responses: Responses,
    question: Question,
    classification: Classification | None,
    table: _Table | None,
    rules: Rules,
    override: Override | None,
) -> tuple[Entry, Snapshot]:
    level = table.level if table else question.first
    groups = table.groups if table else {}

    def row(name: str | None, inside: Mask) -> Row:
        figures = question.figures(inside, level, rules, total=name is None)
        return Row(name, *band(int(inside.sum())), figures)

    pooled = ("pooled:" + OTHER,) if table and table.pooled else ()
    by = classification.name if classification and table else None
    snapshot = Snapshot(
        question=question.name,
        classification=by,
        dataset=responses.dataset,
        survey_n=len(responses),
        categories=question.labels(level),
        total=row(None, question.valid),
        groups=tuple(row(name, inside) for name, inside in groups.items()),
        threshold=rules.respondents,
        notes=("no_breakdown",) if classification and not table else pooled,
        overridden=override is not None,
    )
    place = np.full(len(responses), -1)
    for position, inside in enumerate(groups.values()):
        place[inside] = position
    rows = np.flatnonzero(question.valid)
    entry = Entry(
        question=question.name,
        sources=question.sources,
        classification=by,
        dataset=responses.dataset,
        level=level,
        groups=tuple(groups),
        responses=tuple(responses.response[r] for r in rows),
        organisations=tuple(responses.organisation[r] for r in rows),
        group=tuple(place[rows].tolist()),
        snapshot=asdict(snapshot),
        overridden=asdict(override) if override else None,
    )
    return entry, snapshot
