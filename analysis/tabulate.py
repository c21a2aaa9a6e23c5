"""From a study to Estimates: the plan's tables, the book of every closed question, item nonresponse, the fieldwork.

A *stub* is one variable with what is counted of it; it is estimated for every banner that any table
crosses it with, in both estimands, and disclosure control looks at all of these together. Tables are then
selections of the same rows, so that two tables cannot differ in a number or give away what the other hides.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from analysis import agreement_table, blocks, comparisons, contrasts, disclosure, fieldwork
from analysis.answers import MISSING
from analysis.blocks import Banner, Block
from analysis.design import Codes, Design, Floats, Mask
from analysis.disclosure import Limits
from analysis.engines.memory import Memory
from analysis.estimates import (
    COLUMNS,
    NOT_ESTIMABLE,
    SHOWN,
    SMALL_BASE,
    SUPPRESSED,
    TOTAL,
    Estimates,
    Provenance,
)
from analysis.estimators import ratio
from analysis.moments import Moments
from analysis.multiple_response import Totals
from analysis.plan import TableSpec
from analysis.population import NONE, POPULATION, ReplicatedTable, account
from analysis.stubs import CENTRAL, SELECTED, SHARE, Stub, stubs
from analysis.study import ESTIMANDS, ORGANISATION, RESPONDENT, Estimand, Study
from kysely.codebook import Kind
from kysely.errors import AnalystError

BOOK = "book"
"""Table of every closed question by every banner of the plan."""

NONRESPONSE = "nonresponse"
"""Table of the kinds of missing answers of every closed question."""

COUNT, MISSING_SHARE = "count", "missing"
RESPONDENTS, ORGANISATIONS, MEAN_RESPONDENTS = "respondents", "organisations", "mean_respondents"


def tabulate(study: Study, about: Provenance, *, pages: Mapping[str, Sequence[str]] | None = None) -> Estimates:
    """Return every number of the plan's tables, the book, item nonresponse and fieldwork, after disclosure control.

    pages  page of the questionnaire → its variables (quality.pages_of), for break-offs by page; None: without them
    """
    desk = _Desk(study)
    crossings = crossings_of(study)
    found = [block for stub, banners in crossings.items() for block in desk.estimate(stub, banners)]
    rows = blocks.rows(found, small_base=study.plan.rules.small_base)
    tables = [tabled(rows, table, study) for table in study.plan.tables if not table.organisations]
    tables += [_organisations(study, table) for table in study.plan.tables if table.organisations]
    tables += [book(rows, study), nonresponse(study, unanswered(study))]
    tables += fieldwork.tables(study, simulated=about.synthetic, pages=pages)
    tables += agreement_table.tables(study)
    tables += contrasts.tables(study, tables)
    together = pd.concat(tables, ignore_index=True)[list(COLUMNS)]
    # What is counted and not estimated has no weights but its own.
    together["weighting"] = together["weighting"].where(together["weighting"].notna(), NONE)
    tests = [*cross_tab_tests(found), *_pick_tests(desk, crossings)]
    if study.weighted:
        about = replace(about, weighting=POPULATION)
    weights = account(study, study.weighted or study.unweighted)
    if study.weighted:
        weights["side_by_side"] = _side_by_side(study, rows)
    return Estimates(together, about, comparisons.frame(tests, adjust=study.plan.rules.adjust), weights)


def crossings_of(study: Study) -> Mapping[Stub, tuple[Banner, ...]]:
    """Return every stub with every banner that some table crosses it with, the total first."""
    found: dict[Stub, tuple[Banner, ...]] = {}
    for stub in stubs(study):
        banners = [Banner(TOTAL)]
        if stub.variable in study.answers.codebook:
            banners += [Banner(name) for name in study.plan.banners]
        for table in study.plan.tables:
            if stub.names & set(table.variables) and not table.organisations:
                banners += [Banner(name, table.strict) for name in (TOTAL, *table.banners)]
        found[stub] = tuple(dict.fromkeys(banners))
    return found


def _measures(study: Study) -> tuple[tuple[Estimand, str], ...]:
    """Return the estimands with their weightings.

    To the population per respondent only: a fourth measure beside the others would hide more than it told.
    """
    again: tuple[tuple[Estimand, str], ...] = ((RESPONDENT, POPULATION),) if study.weighted else ()
    return (*((estimand, NONE) for estimand in ESTIMANDS), *again)


@dataclass(frozen=True, eq=False)
class _Groups:
    """A banner as arrays: *of* (n,) is the group of each respondent or -1."""

    banner: Banner
    codes: tuple[str, ...]
    of: Codes


_Set = tuple[Estimand, str, Sequence[_Groups]]
"""An estimand, its weighting, and the banners that it is estimated for."""


class _Desk:
    """Estimates stubs of one study; keeps its engines, and a judge of each set of banners."""

    def __init__(self, study: Study):
        self.study = study
        self.engines: dict[tuple[str, str, bool], Memory] = {}
        self.judges: dict[tuple[tuple[str, str, tuple[Banner, ...]], ...], disclosure.Judge] = {}

    def estimate(self, stub: Stub, banners: Sequence[Banner]) -> Iterator[Block]:
        codes = self.study.codes(stub.variable)
        answered = codes >= 0
        columns = [self._groups(banner) for banner in banners]
        sets = [(*measure, columns) for measure in _measures(self.study)]
        verdicts = self._verdicts(sets, answered)
        shown = any((verdict == disclosure.SHOWN).any() for of_set in verdicts for verdict in of_set)
        for (estimand, weighting, _), of_set in zip(sets, verdicts, strict=True):
            engine = self._engine(estimand, weighting, shown)
            for groups, verdict in zip(columns, of_set, strict=True):
                crossed = _Crossed(self.study, engine, estimand, weighting, stub, codes)
                yield crossed.block(groups, verdict, self._distinct(groups.of, answered, len(groups.codes)))

    def picks(self, answered: Mask, banner: Banner) -> Iterator[tuple[Estimand, str, Codes]]:
        """Yield, of every measure, each respondent's group of *banner*, -1 where none that is shown."""
        groups = self._groups(banner)
        sets = [(*measure, [groups]) for measure in _measures(self.study)]
        for (estimand, weighting, _), (verdict,) in zip(sets, self._verdicts(sets, answered), strict=True):
            yield estimand, weighting, _of_shown(groups, verdict)

    def _engine(self, estimand: Estimand, weighting: str, shown: bool) -> Memory:
        """Return the engine of an estimand. Where no group is shown no variance is needed.

        So a study of a single organisation, which has no variance, still has its bases.
        """
        key = (estimand, weighting, shown)
        if key not in self.engines:
            design = self._design(estimand, weighting)
            self.engines[key] = Memory(design if shown else replace(design, lonely="certainty"))
        return self.engines[key]

    def _design(self, estimand: Estimand, weighting: str) -> Design:
        if weighting == POPULATION and self.study.weighted:
            # Its errors come from replicates, or else its weights count as fixed.
            return self.study.weighted.fixed(estimand)
        return self.study.designs[estimand]

    def _groups(self, banner: Banner) -> _Groups:
        if banner.variable == TOTAL:
            codes: tuple[str, ...] = (TOTAL,)
            of = np.zeros(len(self.study), np.int64)
        else:
            codes = tuple(category.code for category in self.study.codebook[banner.variable].categories)
            of = self.study.codes(banner.variable)
        return _Groups(banner, codes, np.where(self.study.strict, of, -1) if banner.strict else of)

    def _distinct(self, group: Codes, answered: Mask, groups: int) -> Codes:
        """Return the number of organisations in the base of each group."""
        inside = answered & (group >= 0)
        size = max(self.study.organisations, 1)
        pairs = np.unique(group[inside] * size + self.study.organisation[inside])
        return np.bincount(pairs // size, minlength=groups)

    def _verdicts(self, sets: Sequence[_Set], answered: Mask) -> list[list[Codes]]:
        """Return disclosure's verdict on each group of each set of banners: all of one stub judged together."""
        key = tuple(
            (estimand, weighting, tuple(one.banner for one in columns)) for estimand, weighting, columns in sets
        )
        if key not in self.judges:
            member = [one.of == place for _, _, columns in sets for one in columns for place in range(len(one.codes))]
            sizes = [sum(len(one.codes) for one in columns) for _, _, columns in sets]
            self.judges[key] = disclosure.Judge(
                np.array(member),
                np.repeat(range(len(sets)), sizes),
                [self._design(estimand, weighting).weight for estimand, weighting, _ in sets],
                self.study.organisation,
                least=self.study.limits.least,
            )
        found = iter(np.split(self.judges[key].verdicts(answered), _ends(sets)))
        return [[next(found) for _ in columns] for _, _, columns in sets]


@dataclass(frozen=True, eq=False)
class _Crossed:
    """One stub in one measure, to be crossed with banners."""

    study: Study
    engine: Memory
    estimand: Estimand
    weighting: str
    stub: Stub
    codes: Codes

    def block(self, groups: _Groups, verdict: Codes, organisations: Codes) -> Block:
        moments, again = self._moments(groups.of, len(groups.codes))
        block = Block(
            stub=self.stub,
            banner=groups.banner,
            codes=groups.codes,
            estimand=self.estimand,
            weighting=self.weighting,
            moments=moments,
            organisations=organisations,
            verdict=verdict,
            compared=self._compared(groups, verdict, moments),
        )
        return block if again is None else replace(block, replicated=again.variances(block.values))

    def _moments(self, group: Codes, groups: int) -> tuple[Moments, ReplicatedTable | None]:
        """Return the moments of a table; of one weighted to the population by the jackknife, with its replicates."""
        moments = self.engine.moments(self.codes, self.stub.codes, group, groups)
        if self.weighting == NONE or self.study.weighted is None:
            return moments, None
        again = self.study.weighted.replicated(
            self.estimand, code=self.codes, codes=self.stub.codes, group=group, groups=groups
        )
        return moments if again is None else replace(
            moments, covariance=again.covariance(float(moments.total.sum()))
        ), again

    def _compared(self, groups: _Groups, verdict: Codes, moments: Moments) -> Moments | None:
        """Return the moments of the groups that are shown, which is what may be compared.

        None where there is nothing to compare: a total, or groups that are made of the question itself.
        """
        source = self.study.plan.source
        if groups.banner.variable == TOTAL or groups.banner.strict:
            return None
        if source(self.stub.variable) == source(groups.banner.variable):
            return None
        if (verdict == disclosure.SHOWN).all():
            return moments
        return self._moments(_of_shown(groups, verdict), len(groups.codes))[0]


def _ends(sets: Sequence[_Set]) -> Codes:
    """Return where each banner's groups end among those of all sets, but for the last."""
    return np.cumsum([len(one.codes) for _, _, columns in sets for one in columns])[:-1]


def _of_shown(groups: _Groups, verdict: Codes) -> Codes:
    """Return each respondent's group, -1 where it is none or hidden."""
    shown = np.append(verdict == disclosure.SHOWN, False)
    return np.where(shown[groups.of], groups.of, -1)


def cross_tab_tests(found: Sequence[Block]) -> Iterator[comparisons.Independence]:
    """Yield the test of every question with one answer against every banner. Picks are tested as a set."""
    for block in found:
        if block.compared is not None and block.stub.statistics[0].name == SHARE:
            banner = block.banner.variable
            yield comparisons.of_crosstab(
                block.stub.variable, banner, block.estimand, block.compared, weighting=block.weighting
            )


def _pick_tests(desk: _Desk, crossings: Mapping[Stub, Sequence[Banner]]) -> Iterator[comparisons.Independence]:
    """Yield the tests of what is picked and of what is central, as sets, against the banners of their members."""
    study = desk.study
    for name, picks, members in _picks(study):
        banners = [banner for stub, found in crossings.items() if stub.variable in members for banner in found]
        answered = np.asarray(~np.isnan(picks).any(axis=1))
        for banner in dict.fromkeys(banners):
            if banner.variable != TOTAL and not banner.strict:
                for estimand, weighting, group in desk.picks(answered, banner):
                    design, totals = _totals(study, estimand, weighting)
                    yield comparisons.of_picks(
                        name,
                        banner.variable,
                        estimand,
                        picks=picks,
                        group=group,
                        design=design,
                        weighting=weighting,
                        totals=totals,
                    )


def _totals(study: Study, estimand: Estimand, weighting: str) -> tuple[Design, Totals | None]:
    """Return the design of a measure and what makes its totals, as a test of picks takes them."""
    if weighting == NONE or study.weighted is None:
        return study.designs[estimand], None
    return study.weighted.fixed(estimand), partial(study.weighted.cross_totals, estimand)


def _picks(study: Study) -> Iterator[tuple[str, Floats, frozenset[str]]]:
    """Yield each set of options and each score: its name, who picked what (n, J), and the variables behind it."""
    sets: dict[str, list[str]] = {}
    for variable in study.asked():
        if variable.set and variable.kind is Kind.BINARY:
            sets.setdefault(variable.set, []).append(variable.name)
    for name, members in sets.items():
        yield name, np.stack([study.numbers(member) for member in members], axis=1), frozenset(members)
    for score in study.plan.scores:
        members = [f"{score.level}_{code}" for code in score.codes]
        yield score.name, study.central(score), frozenset(members)


def tabled(rows: pd.DataFrame, table: TableSpec, study: Study) -> pd.DataFrame:
    """Return the rows of one table of the plan, in its order."""
    parts = []
    wanted = {TOTAL, *table.banners}
    within = rows[rows["banner"].isin(wanted) & (rows["strict"] == table.strict)]
    for name in table.variables:
        of_score = name in {score.name for score in study.plan.scores}
        found = within[within["variable"] == name]
        if not of_score and found.empty:  # a set of level variables, each with its own rows
            members = [variable.name for variable in study.codebook.variables if variable.set == name]
            found = within[within["stub"].isin(members) & (within["variable"] == within["stub"])]
        if found.empty:
            raise AnalystError(f"{table.id}: nothing was estimated for {name!r}; is it in the extract?")
        parts.append(found)
    chosen = pd.concat(parts).drop_duplicates(
        subset=["variable", "code", "statistic", "estimand", "weighting", "banner", "banner_code"]
    )
    if table.counts:
        chosen = pd.concat([chosen, _counts(chosen)])
    return chosen.assign(table=table.id)


def _counts(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the number of respondents behind every share per respondent."""
    shares = rows[(rows["statistic"] == SHARE) & (rows["estimand"] == RESPONDENT) & (rows["weighting"] == NONE)]
    empty = dict.fromkeys(("se", "ci_low", "ci_high", "df", "deff"), np.nan)
    shown = np.where(shares["flag"] == NOT_ESTIMABLE, np.where(shares["small_base"], SMALL_BASE, SHOWN), shares["flag"])
    counted = (shares["estimate"] * shares["base_n"]).round()
    return shares.assign(statistic=COUNT, estimate=counted, letters="", flag=shown, **empty)


def book(rows: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Return every closed question of the codebook by every banner of the plan."""
    questions = {name for stub in stubs(study) if stub.variable in study.answers.codebook for name in (stub.variable,)}
    keep = rows["stub"].isin(questions) & rows["banner"].isin([TOTAL, *study.plan.banners]) & ~rows["strict"]
    return rows[keep].assign(table=BOOK)


def _side_by_side(study: Study, rows: pd.DataFrame) -> list[dict[str, object]]:
    """Return, of every score's shown shares per respondent of the whole, both estimates and all their errors."""
    assert study.weighted
    found: list[dict[str, object]] = []
    whole = rows[(rows["banner"] == TOTAL) & ~rows["strict"] & (rows["estimand"] == RESPONDENT)]
    for score in study.plan.scores:
        for statistic, answers in ((SELECTED, study.chosen(score)), (CENTRAL, study.central(score))):
            of_score = whole[(whole["variable"] == score.name) & (whole["statistic"] == statistic)]
            for code, is_so in zip(score.codes, answers.T, strict=True):
                pair = of_score[of_score["code"] == code].set_index("weighting")
                if len(pair) == 2 and pair["flag"].isin([SHOWN, SMALL_BASE]).all():
                    about = {"variable": score.name, "code": code, "statistic": statistic}
                    plain, again = pair.loc[NONE], pair.loc[POPULATION]
                    errors = {"unweighted": plain["estimate"], "unweighted_se": plain["se"], "se": again["se"]}
                    found.append({**about, **errors, **study.weighted.linearised(is_so)})
    return found


def _organisations(study: Study, table: TableSpec) -> pd.DataFrame:
    """Return organisations, respondents and their ratio per category: facts of the sample, with its bases.

    An organisation whose respondents differ in a background answer counts in each category they chose.
    """
    rows = [_organisation_rows(study, TOTAL, TOTAL, np.ones(len(study), bool))]
    for name in table.variables:
        for position, category in enumerate(study.codebook[name].categories):
            rows.append(_organisation_rows(study, name, category.code, study.codes(name) == position))
    return pd.DataFrame([row for group in rows for row in group]).assign(table=table.id)


def _organisation_rows(study: Study, variable: str, code: str, inside: Mask) -> list[dict[str, object]]:
    held = study.organisation[inside]
    rows = organisation_rows(variable, code, len(held), len(np.unique(held)), study.limits)
    mean: dict[str, object] = {**rows[0], "statistic": MEAN_RESPONDENTS, "estimand": ORGANISATION}
    if mean["flag"] == SUPPRESSED:
        return [*rows, mean]
    return [*rows, mean | _respondents_per_organisation(study, inside, mean["flag"])]


def organisation_rows(
    variable: str, code: str, respondents: int, organisations: int, limits: Limits
) -> list[dict[str, object]]:
    """Return the rows of how many organisations and respondents are in a category."""
    hidden = limits.hide(respondents, organisations)
    small = respondents < limits.small_base
    common: dict[str, object] = {
        **{"variable": variable, "code": code, "banner": TOTAL, "banner_code": TOTAL},
        **{"base_n": respondents, "base_organisations": organisations, "small_base": small},
        **dict.fromkeys(("estimate", "se", "ci_low", "ci_high", "df", "deff", "base_weighted"), np.nan),
        "letters": "",
        "flag": SUPPRESSED if hidden else SMALL_BASE if small else SHOWN,
    }
    counts = ((ORGANISATIONS, ORGANISATION, organisations), (RESPONDENTS, RESPONDENT, respondents))
    rows = []
    for statistic, estimand, count in counts:
        number = {} if hidden else {"estimate": float(count), "base_weighted": float(count)}
        rows.append({**common, "statistic": statistic, "estimand": estimand, **number})
    return rows


def _respondents_per_organisation(study: Study, inside: Mask, flag: object) -> dict[str, object]:
    """Return the mean number of the group's respondents per organisation, as a ratio of totals."""
    members = np.bincount(study.organisation[inside], minlength=study.organisations)
    one = np.where(inside, 1.0, np.nan)
    found = ratio(one, one / np.maximum(members[study.organisation], 1), study.designs[RESPONDENT])
    return {
        "estimate": found.value,
        "se": found.se,
        "ci_low": found.low,
        "ci_high": found.high,
        "df": float(found.df),
        "base_weighted": float((members > 0).sum()),
        "flag": flag if found.estimable else NOT_ESTIMABLE,
    }


@dataclass(frozen=True, eq=False)
class Unanswered:
    """How many of *n* valid respondents of *organisations* lack an answer: (variables, kinds of MISSING)."""

    n: int
    organisations: int
    counts: Codes


def unanswered(study: Study) -> Unanswered:
    """Count the missing answers of the closed questions that were asked, in their order."""
    kinds = [np.bincount(study.missing(one.name) + 1, minlength=len(MISSING) + 1)[1:] for one in study.asked()]
    return Unanswered(len(study), study.organisations, np.array(kinds).reshape(-1, len(MISSING)))


def nonresponse(study: Study, found: Unanswered) -> pd.DataFrame:
    """Return the share of each kind of missing answer among the valid respondents: a fact of the sample."""
    n, counts, variables = found.n, found.counts, study.asked()
    hidden = study.limits.hide(n, found.organisations)
    cells = len(variables) * len(MISSING)
    columns: dict[str, object] = {
        "variable": np.repeat(np.array([variable.name for variable in variables], object), len(MISSING)),
        "code": np.tile(np.array(MISSING, object), len(variables)),
        "estimate": np.full(cells, np.nan) if hidden else counts.ravel() / n,
        "base_weighted": np.nan if hidden else float(n),
    }
    fixed: dict[str, object] = {
        **{"table": NONRESPONSE, "statistic": MISSING_SHARE, "estimand": RESPONDENT},
        **{"banner": TOTAL, "banner_code": TOTAL, "base_n": n, "base_organisations": found.organisations},
        **dict.fromkeys(("se", "ci_low", "ci_high", "df", "deff"), np.nan),
        "small_base": n < study.plan.rules.small_base,
        "letters": "",
        "flag": SUPPRESSED if hidden else SMALL_BASE if n < study.plan.rules.small_base else SHOWN,
    }
    return pd.DataFrame(columns).assign(**fixed)
