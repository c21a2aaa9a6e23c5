"""From an engine to Estimates: the plan's tables and the book, where the respondents are not in memory.

The same stubs, banners, rows, letters and tests as analysis/tabulate.py, from Moments that the engine sums where
the data are. What can be hidden by counts only is hidden by analysis/disclosure_by_counts.py, which hides more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

import numpy as np
import pandas as pd

from analysis import blocks, comparisons, disclosure, tabulate
from analysis.blocks import Banner, Block
from analysis.categories import NotTestable
from analysis.comparisons import MMI, NOT_TESTED, Independence
from analysis.design import Codes
from analysis.disclosure_by_counts import together, verdicts
from analysis.engines import Bases, Coded, Crossing, DataElsewhere, Engine, Picks
from analysis.estimates import COLUMNS, TOTAL, Estimates, Provenance
from analysis.moments import Moments
from analysis.multiple_response import CrossTotals, mmi_of_totals
from analysis.plan import Plan
from analysis.population import NONE
from analysis.respondents import KEY, Layout
from analysis.stubs import Stub
from analysis.study import ESTIMANDS, ORGANISATION, RESPONDENT
from kysely.codebook import Kind

Answer = TypeVar("Answer")

EVERYBODY = Picks(())
"""A question that everybody is in the base of."""

CLAIMS, WEIGHTS, FIELDWORK = "claims", "weights", "fieldwork"
AGREEMENT, MEAN = "agreement", "respondents_per_organisation"
HEADLINES, CHANGES = "headlines", "changes"

PURPOSES: Mapping[str, str] = {
    CLAIMS: "the claims",
    WEIGHTS: "the weights to the population and their jackknife",
    FIELDWORK: "the fieldwork",
    AGREEMENT: "the agreement inside organisations",
    MEAN: "the mean number of respondents per organisation",
    HEADLINES: "the differences that headlines claim",
    CHANGES: "the changes from one score to the others",
}
"""What a study tells that needs every respondent, and how an engine is asked for it."""


@dataclass(frozen=True)
class Account:
    """Where the respondents are and what was left out for it; part of the provenance of estimates.

    place     the engine's, in words
    left_out  those of PURPOSES that the plan asks for
    """

    place: str
    left_out: tuple[str, ...]

    @classmethod
    def of(cls, engine: Engine, plan: Plan, *, claims: bool) -> Account:
        """Return the account of what the plan asks for beside its tables, all of which needs an extract in memory."""
        asked = {
            CLAIMS: claims,
            WEIGHTS: bool(plan.weighting),
            FIELDWORK: True,
            AGREEMENT: plan.agreement is not None,
            MEAN: any(table.organisations for table in plan.tables),
            HEADLINES: any(chart.claim is not None and chart.claim.than for chart in plan.charts),
            CHANGES: bool(plan.changes_from) and len(plan.scores) > 1,
        }
        return cls(engine.place, tuple(purpose for purpose, wanted in asked.items() if wanted))


def refusal(engine: Engine, about: Provenance) -> str:
    """Return what was left out and why, in the engine's own words where it has no respondents to give."""
    wanted = ", ".join(PURPOSES[purpose] for purpose in (about.elsewhere or {}).get("left_out", ()))
    try:
        engine.local(wanted)
    except DataElsewhere as error:
        return str(error)
    return f"{wanted}: a table of respondents does not tell it. Analyse the extract that it came from"


def everybody(engine: Engine) -> tuple[int, int]:
    """Return how many respondents and organisations there are."""
    (found,) = engine.bases([(EVERYBODY, None)])
    return int(found.respondents.sum()), int(found.organisations.sum())


def tabulate_from(
    engine: Engine, layout: Layout, about: Provenance, unanswered: tabulate.Unanswered | None = None
) -> Estimates:
    """Return the numbers of the plan's tables and of the book, after disclosure control.

    engine      of the design per respondent
    unanswered  the missing answers by kind, where they were counted; None: nothing is told of them
    """
    study = layout.study
    desk = _Desk(engine, layout)
    found = desk.blocks()
    rows = blocks.rows(found, small_base=study.plan.rules.small_base)
    tables = [tabulate.tabled(rows, table, study) for table in study.plan.tables if not table.organisations]
    tables += [desk.organisations(table.id, table.variables) for table in study.plan.tables if table.organisations]
    tables.append(tabulate.book(rows, study))
    if unanswered is not None:
        tables.append(tabulate.nonresponse(study, unanswered))
    whole = pd.concat(tables, ignore_index=True)[list(COLUMNS)]
    whole["weighting"] = whole["weighting"].where(whole["weighting"].notna(), NONE)
    tests = [*tabulate.cross_tab_tests(found), *desk.pick_tests()]
    return Estimates(whole, about, comparisons.frame(tests, adjust=study.plan.rules.adjust))


class _Desk:
    """Asks one engine in each of the two designs for everything at once, and keeps the answers."""

    def __init__(self, engine: Engine, layout: Layout):
        self.layout, self.study = layout, layout.study
        told_apart = KEY in engine.columns
        self.designs = {estimand: layout.design(estimand, told_apart=told_apart) for estimand in ESTIMANDS}
        self.engines = {
            estimand: engine if estimand == RESPONDENT else engine.under(design)
            for estimand, design in self.designs.items()
        }

    @cached_property
    def crossings(self) -> Mapping[tuple[Stub, Banner], Crossing]:
        """Every stub by every banner that some table crosses it with, as the engine is asked for it."""
        found = tabulate.crossings_of(self.study)
        return {
            (stub, banner): (self.layout.coded(stub.variable), self.layout.groups(banner))
            for stub, banners in found.items()
            for banner in banners
        }

    @cached_property
    def picks(self) -> Mapping[tuple[str, Banner], Crossing]:
        """What is picked and what is central, as sets, by the banners of their members."""
        members: dict[str, list[str]] = {}
        for variable in self.study.asked():
            if variable.set and variable.kind is Kind.BINARY:
                members.setdefault(variable.set, []).append(variable.name)
        sets = [(name, names, Picks(tuple(names))) for name, names in members.items()]
        for score in self.study.plan.scores:
            names = [f"{score.level}_{code}" for code in score.codes]
            sets.append((score.name, names, self.layout.central(score)))
        return {
            (name, banner): (picks, self.layout.groups(banner))
            for name, names, picks in sets
            for stub, banner in self.crossings
            if stub.variable in names and banner.variable != TOTAL and not banner.strict
        }

    @cached_property
    def bases(self) -> Mapping[Crossing, Bases]:
        """Who is in the base of every table, and of every banner if everybody answered."""
        asked = [*self.crossings.values(), *self.picks.values()]
        asked += [(EVERYBODY, group) for _, group in asked]
        return _answered(self.engines[ORGANISATION].bases, asked)

    @cached_property
    def moments(self) -> Mapping[str, Mapping[Crossing, Moments]]:
        asked = [*self.crossings.values(), *self.picks.values()]
        engines = self.engines
        if not self._shows_something:
            # Then no variance is needed, and a study of a single organisation, which has none, still has its bases.
            engines = {
                estimand: engine.under(replace(self.designs[estimand], lonely="certainty"))
                for estimand, engine in engines.items()
            }
        return {estimand: _answered(engine.tables, asked) for estimand, engine in engines.items()}

    @property
    def _shows_something(self) -> bool:
        return any(
            (self._verdict(crossing, banner, estimand) == disclosure.SHOWN).any()
            for (_, banner), crossing in self.crossings.items()
            for estimand in ESTIMANDS
        )

    def blocks(self) -> list[Block]:
        """Return the estimates of every stub by every banner, in both estimands."""
        return [
            self._block(stub, banner, estimand)
            for stub in dict.fromkeys(stub for stub, _ in self.crossings)
            for estimand in ESTIMANDS
            for of, banner in self.crossings
            if of == stub
        ]

    def _block(self, stub: Stub, banner: Banner, estimand: str) -> Block:
        crossing = self.crossings[stub, banner]
        moments = self.moments[estimand][crossing]
        verdict = self._verdict(crossing, banner, estimand)
        group = crossing[1]
        return Block(
            stub=stub,
            banner=banner,
            codes=(TOTAL,) if group is None else tuple(map(str, self._codes(banner))),
            estimand=estimand,
            weighting=NONE,
            moments=moments,
            organisations=self.bases[crossing].organisations[:-1].sum(axis=1),
            verdict=verdict,
            compared=self._compared(stub, banner, moments, verdict),
        )

    def _codes(self, banner: Banner) -> tuple[str, ...]:
        if banner.variable == TOTAL:
            return (TOTAL,)
        return tuple(category.code for category in self.study.codebook[banner.variable].categories)

    def _verdict(self, crossing: Crossing, banner: Banner, estimand: str) -> Codes:
        least = self.study.limits.least
        of_all = verdicts(self.bases[EVERYBODY, crossing[1]], estimand, least=least)
        found = together(verdicts(self.bases[crossing], estimand, least=least), of_all)
        if banner.strict and banner.variable != TOTAL:
            # Who is in the strict population and in no group is the strict total without the groups.
            whole = self.bases[crossing[0], self.layout.groups(Banner(TOTAL, strict=True))]
            if whole.respondents[0].sum() > self.bases[crossing].respondents[:-1].sum():
                return np.where(found == disclosure.SHOWN, disclosure.COMPLEMENTARY, found)
        return found

    def _compared(self, stub: Stub, banner: Banner, moments: Moments, verdict: Codes) -> Moments | None:
        """Return what may be compared: the groups that are shown, others being empty; None as in tabulate."""
        source = self.study.plan.source
        if banner.variable == TOTAL or banner.strict or source(stub.variable) == source(banner.variable):
            return None
        return moments if (verdict == disclosure.SHOWN).any() else _of_nobody(moments)

    def pick_tests(self) -> Iterator[Independence]:
        """Yield the tests of what is picked and of what is central against the banners of their members."""
        for (name, banner), crossing in self.picks.items():
            for estimand in ESTIMANDS:
                verdict = self._verdict(crossing, banner, estimand)
                moments = self.moments[estimand][crossing]
                shown = (verdict == disclosure.SHOWN).any()
                yield _of_picks(name, banner.variable, estimand, moments if shown else _of_nobody(moments))

    def organisations(self, table: str, variables: Sequence[str]) -> pd.DataFrame:
        """Return the organisations and respondents of every category of *variables*."""
        asked: list[tuple[str, Coded | None]] = [
            (TOTAL, None),
            *((name, self.layout.coded(name)) for name in variables),
        ]
        found = self.engines[ORGANISATION].bases([(EVERYBODY, group) for _, group in asked])
        rows = []
        for (name, group), bases in zip(asked, found, strict=True):
            codes = (TOTAL,) if group is None else self._codes(Banner(name))
            counts = zip(bases.respondents.sum(axis=1), bases.organisations.sum(axis=1), strict=True)
            for code, (n, organisations) in zip(codes, counts, strict=False):
                rows += tabulate.organisation_rows(name, code, int(n), int(organisations), self.study.limits)
        return pd.DataFrame(rows).assign(table=table)


def _answered(
    ask: Callable[[Sequence[Crossing]], list[Answer]], asked: Sequence[Crossing]
) -> Mapping[Crossing, Answer]:
    """Return the answers to the different ones of what is asked."""
    different = list(dict.fromkeys(asked))
    return dict(zip(different, ask(different), strict=True))


def _of_nobody(moments: Moments) -> Moments:
    """Return the Moments of the same table with everybody hidden."""
    nothing = {name: np.zeros_like(getattr(moments, name)) for name in _ARRAYS}
    return Moments(**nothing, table_psus=0, table_strata=0)


_ARRAYS = "n total covariance base_n base_weighted psus strata squares".split()


def _of_picks(name: str, banner: str, estimand: str, moments: Moments) -> Independence:
    """Return the design-based MMI test from the Moments of (1, items) by group; as comparisons.of_picks."""
    there = np.flatnonzero(moments.base_n > 0)
    about = Independence(name, banner, estimand, MMI, n=moments.table_n, groups=len(there))
    groups, columns = moments.total.shape
    keep = (there[:, None] * columns + np.arange(columns)).ravel()
    totals = CrossTotals(
        moments.table_n, moments.table_df, moments.total[there], moments.covariance[np.ix_(keep, keep)]
    )
    if len(there) < 2:
        return replace(about, reason=NOT_TESTED)
    try:
        return comparisons.of_mmi(about, mmi_of_totals(totals))
    except NotTestable:
        return replace(about, reason=NOT_TESTED)
