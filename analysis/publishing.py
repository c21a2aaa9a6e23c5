"""Which numbers may become public, and in which rounded form: the public release, the strictest of the three.

The leaders of a country's organisations are a small and well-known population, so sampling protects nobody. A
publication is one question, in total or by one classification. Small groups are pooled rather than hidden, so that
nothing is left to subtract; then the table is tested against everything published before (analysis/ledger.py), and
rounded last. A `Snapshot` holds rounded numbers only: whoever draws it never sees an answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

import numpy as np

from analysis import bounds, ledger
from analysis.bounds import Reading
from analysis.design import Codes, Mask
from analysis.ledger import Atoms, Base, Entry, Ledger
from analysis.publishable import ALIKE, Figure, PublishingError, Question, Rules, above_floor, band
from kysely.pseudonyms import keyed

OTHER = "OTHER"
"""The code of the pool of small groups (Muut, Övriga, Other)."""

NOT_STATED = "NOT_STATED"
"""The code of the respondents whom the classification has in no group; a group like the others."""


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


@dataclass(frozen=True)
class Reason:
    """Why not: the rule of TRUST.md §5, a sentence, what to do, and which earlier publications are concerned."""

    rule: str
    says: str
    cure: str
    publications: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"rule {self.rule}: {self.says}. {self.cure}."


@dataclass(frozen=True)
class Refusal:
    reasons: tuple[Reason, ...]

    def __str__(self) -> str:
        return "\n".join(map(str, self.reasons))


@dataclass(frozen=True)
class Wording:
    """What people call questions, classifications and their groups; the code of what has no name here."""

    questions: Mapping[str, str] = field(default_factory=dict)
    classifications: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def question(self, name: str) -> str:
        return f"“{self.questions.get(name, name)}”"

    def group(self, classification: str | None, name: str) -> str:
        named = {OTHER: "small groups together", NOT_STATED: "group not stated"}.get(name, name)
        return f"“{self.groups.get((classification or '', name), named)}”"

    def chart(self, question: str, classification: str | None) -> str:
        by = f" by {self.classifications.get(classification, classification)}" if classification else ""
        return f"{self.question(question)}{by}"

    def base(self, base: Base) -> str:
        question, classification = base.chart
        if base.group is None:
            return f"everybody who answered {self.question(question)}"
        return f"the group {self.group(classification, base.group)} in the table {self.chart(*base.chart)}"

    def publication(self, entry: Entry) -> str:
        return f"publication {entry.id} ({self.chart(*entry.chart)}, data set {entry.dataset})"


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
        if _difference_fault(responses, question, question.valid & ~inside, level, rules):
            return [smallest]
    entry, _ = _entry(responses, question, None, _Table(groups, level, False), rules, None)
    return [smallest] if _told([entry], [], question, rules) else []


def _difference_fault(
    responses: Responses, question: Question, inside: Mask, level: int, rules: Rules, unknown: int = 0
) -> str:
    """Return why the difference of two bases could not be displayed (rule 10c)."""
    fault = question.fault(inside, level, rules, responses.organisation, unknown)
    return fault or (ALIKE if question.one_sided(inside, level, rules, unknown) else "")


# ---- publishing -----------------------------------------------------------------------------------------


def publish(
    responses: Responses,
    question: Question,
    classification: Classification | None,
    earlier: Sequence[Entry],
    *,
    rules: Rules | None = None,
    override: Override | None = None,
    wording: Wording | None = None,
) -> Snapshot | Refusal:
    """Return what may be shown of *question*, in total or by *classification*, beside all that was shown earlier.

    Pure: `release` also writes it into the ledger, without which the next one can't be tested. *wording* is for the
    sentences of a refusal. Raises PublishingError if the arrays don't have one row a respondent.
    """
    decided = decide(responses, question, classification, earlier, rules=rules, override=override, wording=wording)
    return decided if isinstance(decided, Refusal) else decided[0]


def release(
    book: Ledger,
    published_at: str,
    responses: Responses,
    question: Question,
    classification: Classification | None = None,
    *,
    rules: Rules | None = None,
    override: Override | None = None,
    wording: Wording | None = None,
) -> Snapshot | Refusal:
    """Return what `publish` does, after it stands in the ledger *book*. Raises LedgerError if it can't be written."""
    earlier = book.entries()
    decided = decide(responses, question, classification, earlier, rules=rules, override=override, wording=wording)
    if isinstance(decided, Refusal):
        return decided
    book.record(decided[1], published_at, judged_against=earlier)
    return decided[0]


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
    """Return what `publish` does, with the entry that the ledger would have."""
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
    reasons = _against(entry, earlier, responses, question, rules, say)
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


# ---- against everything published before ----------------------------------------------------------------


def _against(
    entry: Entry, earlier: Sequence[Entry], responses: Responses, question: Question, rules: Rules, say: Wording
) -> list[Reason]:
    """Return every reason that rules 7, 10 and 11 give against *entry*."""
    related = [one for one in earlier if set(one.sources) & set(entry.sources)]
    reasons: list[Reason] = [_beside(one, say) for one in related if _measure(one) != _measure(entry)]
    known = _shown_in_full(entry, related, question)
    new_bases = [base for base in entry.bases if base.members not in known]
    pairs = [(new, old, one) for new in new_bases for one in related for old in one.bases]
    organisation = ledger.organisations_of([*related, entry])
    for new, old, one in pairs:
        reasons += _near(new, old, one, organisation, rules, say)
        if rules.differencing:
            reasons += _nested(new, old, one, entry, responses, question, rules, say)
    if rules.differencing and not reasons:
        reasons = _subtracted(entry, related, organisation, rules, say)
        reasons = reasons or _bounded(entry, related, question, rules, say)
    return list(dict.fromkeys(reasons))


def _shown_in_full(entry: Entry, related: Sequence[Entry], question: Question) -> set[frozenset[str]]:
    """Return the bases of which all that *entry* would show was shown before, in as many categories or more.

    What can be subtracted from them could be so before; only their rounding may tell more, which `_bounded` sees.
    """
    full: set[frozenset[str]] = set()
    for one in related:
        if one.question != entry.question or not question.coarsens(one.level, entry.level):
            continue
        rows = (one.snapshot["total"], *one.snapshot["groups"])
        unmasked = (not any(figure["bound"] for figure in row["figures"]) for row in rows)
        full |= {base.members for base, shown in zip(one.bases, unmasked, strict=True) if shown}
    return full


def _measure(entry: Entry) -> str:
    return str(entry.snapshot["total"]["figures"][0]["unit"])


def _beside(one: Entry, say: Wording) -> Reason:
    says = "shares and another figure of the same answers tell more together than either"
    says += f"; published is {say.publication(one)}"
    return Reason("7", says, "Show the answers in the way that they were first shown in", (one.id,))


def _near(
    new: Base, old: Base, one: Entry, organisation: Mapping[str, str], rules: Rules, say: Wording
) -> list[Reason]:
    """Rules 10b, 10d and 11: bases that differ by too few tell about those few, however many atoms they are."""
    added, removed = new.members - old.members, old.members - new.members
    changed = added | removed
    firms = [frozenset(organisation[member] for member in changed)]
    if not changed or not ledger.few(len(changed), firms, rules.least):
        return []
    few = f"fewer than {rules.respondents} respondents or {rules.organisations} organisations"
    if (new.chart, new.group) == (old.chart, old.group):
        says = f"{say.base(new)} has changed by {few} since {say.publication(one)}"
        cure = f"Publish again when at least {rules.respondents} have come or gone; until then the old one stands"
        return [Reason("11", says, cure, (one.id,))] if rules.refresh else []
    says = f"{say.base(new)} and {say.base(old)} differ by {few}; the second is in {say.publication(one)}"
    return [Reason("10d" if added and removed else "10b", says, _OTHERWISE, (one.id,))] if rules.differencing else []


def _nested(
    new: Base,
    old: Base,
    one: Entry,
    entry: Entry,
    responses: Responses,
    question: Question,
    rules: Rules,
    say: Wording,
) -> list[Reason]:
    """Rule 10c: what a base has more than another inside it is as good as displayed."""
    outer, inner = (new, old) if new.members > old.members else (old, new)
    if not outer.members > inner.members:
        return []
    rest = outer.members - inner.members
    if (new.chart, new.group) != (old.chart, old.group) and len(rest) < rules.respondents:
        return []  # refused already, as near
    inside = np.array([name in rest for name in responses.response], bool) & question.valid
    level = max(entry.level, one.level) if one.question == entry.question else entry.level
    unknown = len(rest) - int(inside.sum())
    if fault := _difference_fault(responses, question, inside, level, rules, unknown):
        says = f"readers can take {say.base(inner)} from {say.base(outer)}, and what is left tells of {fault}"
        return [Reason("10c", f"{says}; one of the two is in {say.publication(one)}", _OTHERWISE, (one.id,))]
    return []


def _subtracted(
    entry: Entry, related: Sequence[Entry], organisation: Mapping[str, str], rules: Rules, say: Wording
) -> list[Reason]:
    """Rule 10b: no small union of atoms lies in the row space, but for those that did so before."""
    bases = list({base.members: base for one in (*related, entry) for base in one.bases}.values())
    found = ledger.atoms(bases, organisation)
    before = {base.members for one in related for base in one.bases}
    public = found.matrix[[base.members in before for base in bases]]
    union = ledger.given_away(found, rules.least, public=public)
    if union is None:
        return []
    used = ledger.involved(bases, found, union)
    charts = [one for one in related if {base.members for base in one.bases} & {base.members for base in used}]
    says = (
        f"by adding and subtracting {len(used)} groups readers can work out the numbers of fewer than "
        f"{rules.respondents} respondents or {rules.organisations} organisations: {'; '.join(map(say.base, used))}"
    )
    says += f". Published are {'; '.join(map(say.publication, charts))}" if charts else ""
    return [Reason("10b", says, _OTHERWISE, tuple(one.id for one in charts))]


def _bounded(entry: Entry, related: Sequence[Entry], question: Question, rules: Rules, say: Wording) -> list[Reason]:
    same = [one for one in related if one.question == entry.question]
    if told := _told([entry], same, question, rules):
        beside = f" Published are {'; '.join(map(say.publication, same))}" if same else ""
        return [Reason("10", f"{told}.{beside}" if beside else told, _OTHERWISE, tuple(one.id for one in same))]
    return []


_OTHERWISE = (
    "Publish it in total only, by another grouping, or with groups put together; what was published stays known, "
    "so that retiring it does not help"
)


def _told(new: Sequence[Entry], old: Sequence[Entry], question: Question, rules: Rules) -> str:
    """Return what the rounded numbers tell about a small atom, or about everybody of a one-sided group; "" if nothing.

    What *old* publications tell alone is known already and doesn't count.
    """
    if not question.finest:
        return ""
    entries = [*old, *new]
    bases = [base for one in entries for base in one.bases]
    found = ledger.atoms(bases, ledger.organisations_of(entries))
    inside = [tuple(np.flatnonzero(row).tolist()) for row in found.matrix]
    before, now = _figures(old, inside, question), _figures(new, inside[sum(len(one.bases) for one in old) :], question)
    columns = sorted({(c,) for c in range(question.finest)} | {figure.categories for figure in (*before, *now)})
    groups = {rows for base, rows in zip(bases, inside, strict=True) if base.group}
    own = sorted({(f.atoms, f.categories) for f in (*before, *now) if f.atoms in groups}) if rules.one_sided else []
    try:
        news = _news(Reading(found.n, question.finest, [*before, *now]), found, columns, own, rules)
        if news and before:
            news -= _news(Reading(found.n, question.finest, before), found, columns, own, rules, excuse=False)
    except bounds.Contradiction:
        return "the figures contradict those published earlier: answers were changed, but the respondents are the same"
    except bounds.Unsettled:
        return "so many tables of the question cross each other that nobody can work out what they tell together"
    return "the rounded shares together leave only one possible number of answers in a small group" if news else ""


def _news(
    told: Reading,
    found: Atoms,
    columns: Sequence[tuple[int, ...]],
    own: Sequence[tuple[tuple[int, ...], tuple[int, ...]]],
    rules: Rules,
    *,
    excuse: bool = True,
) -> set[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Return which atoms and columns have one possible count that is news about few people.

    Of the displayed groups in *own*, those with their columns in which everybody must be.
    """
    small = [atom for atom in range(len(found.n)) if found.small([atom], rules.least)]
    fixed = told.counts(small, columns) >= 0
    if fixed.any() and excuse:
        # Only now is it of interest what is fixed of the large atoms beside a small one.
        fixed &= ~_excused(told.counts(range(len(found.n)), columns), columns, found, rules)[small]
    news: set[tuple[tuple[int, ...], tuple[int, ...]]]
    news = {((small[atom],), columns[column]) for atom, column in np.argwhere(fixed).tolist()}
    if own:
        everybody = told.everybody([rows for rows, _ in own], [column for _, column in own])
        news |= {own[place] for place in np.flatnonzero(everybody).tolist()}
    return news


def _figures(entries: Sequence[Entry], inside: Sequence[tuple[int, ...]], question: Question) -> list[bounds.Shown]:
    """Return the figures of *entries*, whose bases have the atoms *inside*."""
    rows = [(one, row) for one in entries for row in (one.snapshot["total"], *one.snapshot["groups"])]
    made: list[bounds.Shown] = []
    bases = [base for one in entries for base in one.bases]
    for (entry, row), base, atoms in zip(rows, bases, inside, strict=False):
        made += [bounds.Shown(atoms, *of) for of in question.allowed(row, entry.level, len(base.members))]
    return made


def _excused(fixed: Codes, columns: Sequence[tuple[int, ...]], found: Atoms, rules: Rules) -> Mask:
    """Return which fixed counts (atoms, columns) are no news, though they are of a small atom.

    That nobody in a large base, or in a large difference of two, gave an answer is as good as displayed (rule 4
    lets it be), and so it is that everybody gave one of several; for the atoms in it neither is news.
    """
    rows = found.matrix.astype(bool)
    nested = [a & ~b for a in rows for b in rows if (b <= a).all() and (a & ~b).any()]
    large = [np.flatnonzero(one).tolist() for one in (*rows, *nested)]
    large = [one for one in large if not found.small(one, rules.least)]
    several = np.array([len(column) > 1 for column in columns])
    nobody, everybody = fixed == 0, (fixed == found.n[:, None]) & several
    return bounds.excused(nobody, large) | bounds.excused(everybody, large)
