"""A publication beside all that was published before: what readers could work out from both (rules 7, 10 and 11).

Bases that differ by too few people, what is left when one is taken from another, small groups that adding and
subtracting gives away (analysis/ledger.py), and what rounded shares tell together (analysis/bounds.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from analysis import bounds, ledger
from analysis.bounds import Reading
from analysis.design import Codes, Mask
from analysis.ledger import Atoms, Base, Entry
from analysis.publishable import ALIKE, Question, Rules
from analysis.refusals import Reason, Wording

if TYPE_CHECKING:
    from analysis.publishing import Responses


def against(
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


def difference_fault(
    responses: Responses, question: Question, inside: Mask, level: int, rules: Rules, unknown: int = 0
) -> str:
    """Return why the difference of two bases could not be displayed (rule 10c)."""
    fault = question.fault(inside, level, rules, responses.organisation, unknown)
    return fault or (ALIKE if question.one_sided(inside, level, rules, unknown) else "")


def told(new: Sequence[Entry], old: Sequence[Entry], question: Question, rules: Rules) -> str:
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
    if fault := difference_fault(responses, question, inside, level, rules, unknown):
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
    if said := told([entry], same, question, rules):
        beside = f" Published are {'; '.join(map(say.publication, same))}" if same else ""
        return [Reason("10", f"{said}.{beside}" if beside else said, _OTHERWISE, tuple(one.id for one in same))]
    return []


_OTHERWISE = (
    "Publish it in total only, by another grouping, or with groups put together; what was published stays known, "
    "so that retiring it does not help"
)


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
