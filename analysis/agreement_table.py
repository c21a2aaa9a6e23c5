"""How alike the members of one organisation answer, as rows of Estimates: distributions over organisations only.

An organisation's own figure never leaves: with two members, either could read the other's answer off it. So a row
is a mean, a share or a quantile over at least ORGANISATIONS of them, and a quantile has as many on either side;
docs/decisions/0013 says why that is enough. No weights: an organisation that sent several answers stands for itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis import agreement
from analysis.agreement import Agreement, Intraclass
from analysis.answers import MISSING
from analysis.conflict import CLASSES, ConflictRules, conflict
from analysis.design import Design, Floats, Mask
from analysis.disclosure import Limits
from analysis.estimates import COLUMNS, TOTAL
from analysis.estimators import Estimate, mean, share
from analysis.facts import fact
from analysis.plan import Score
from analysis.population import NONE
from analysis.study import ORGANISATION as ESTIMAND
from analysis.study import Study
from kysely.codebook import Missing

AGREEMENT = "agreement"
"""Table of what is told here."""

ORGANISATIONS = 5
"""Organisations that a figure is of at least; a quantile has as many on either side of it."""

CONFLICT = "conflict"
"""Variable of the conflict classes, which are of all perspectives together."""

TWO, THREE = "two_or_more", "three_or_more"
"""Organisations with so many answers."""

RWG, RWG_RAW, AD, AD_ACCEPTABLE, ICC1, ICC2 = "rwg", "rwg_raw", "ad", "ad_acceptable", "icc1", "icc2"
DISTANCE, RANDOM, LOW, HIGH = "profile_distance", "profile_distance_random", "low_conflict", "high_conflict"
CLASSED, CLASS_SHARE = "organisations", "share"

QUANTILES: Mapping[str, float] = {"q1": 0.25, "median": 0.5, "q3": 0.75}
"""What a statistic's quantiles are called, behind its name and a line: `ad_q1`."""

PERSPECTIVES = ("CUR", "DES", "STR")
"""Perspectives of the scores that the conflict classes need: today, the wish, the strategy."""

_NO_STAND = [MISSING.index(str(kind)) for kind in (Missing.DONT_KNOW, Missing.DOES_NOT_CONCERN)]


def tables(study: Study) -> tuple[pd.DataFrame, ...]:
    """Return the table of agreement, columns as in estimates.COLUMNS; nothing if the plan asks for none.

    variable  code      statistic                                 organisations it is over
    total     total     two_or_more, three_or_more                all that answered
    a score   a mode    two_or_more, three_or_more                the same, of answers on the mode
                        ad, its quantiles, ad_acceptable (share)  two answers or more
                        icc1, icc2 (F limits)                     two answers or more
                        rwg, its quantiles, rwg_raw               three answers or more: of two it says nothing
    a score   ""        profile_distance, its quantiles,          two profiles or more
                        low_conflict, high_conflict (shares)
                        profile_distance_random                   all pairs of respondents with a profile
    conflict  a class   organisations, share                      three respondents or more, in three perspectives

    A mean has a t interval, cut to what the measure can be, and a share a logit interval over organisations, of which
    base_n counts the respondents.
    """
    spec = study.plan.agreement
    if spec is None or not len(study):
        return ()
    members = np.bincount(study.organisation)
    whole = {TWO: int((members >= 2).sum()), THREE: int((members >= 3).sum())}
    rows = list(_counted(study, TOTAL, TOTAL, whole))
    rows += [row for name in spec.scores for row in _of_score(study, study.plan.score(name), _rules(study))]
    rows += _classes(study)
    return (pd.DataFrame(rows).assign(table=AGREEMENT, weighting=NONE)[list(COLUMNS)],)


@dataclass(frozen=True)
class _Base:
    """What rows are of: a score or the classes, a mode or a class, and the answers of organisations.

    *own* is false of numbers of organisations among all that answered: they are bases, and tell of no answer.
    """

    variable: str
    code: str
    respondents: int
    organisations: int
    limits: Limits
    own: bool = True

    @property
    def hidden(self) -> bool:
        few = self.limits.hide(self.respondents, self.organisations)
        return few or (self.own and self.organisations < ORGANISATIONS)

    def row(
        self, statistic: str, estimate: float | None = None, *, estimable: bool = True, **numbers: float
    ) -> dict[str, object]:
        """Return a row with its numbers, or without them where the base is hidden."""
        return fact(
            self.variable,
            self.code,
            statistic,
            estimate,
            n=self.respondents,
            organisations=self.organisations,
            limits=self.limits,
            estimand=ESTIMAND,
            hidden=self.hidden,
            estimable=estimable,
            **numbers,
        )


def _rules(study: Study) -> ConflictRules:
    assert study.plan.agreement is not None
    given, usual = study.plan.agreement.conflict, ConflictRules()
    return ConflictRules(
        low=given.get("low", usual.low),
        high=given.get("high", usual.high),
        aligned=given.get("aligned", usual.aligned),
        no_stand=given.get("no_stand", usual.no_stand),
    )


def _of_score(study: Study, score: Score, rules: ConflictRules) -> Iterator[dict[str, object]]:
    levels = study.levels(score)
    for code, level in zip(score.codes, levels.T, strict=True):
        yield from _of_mode(study, score, code, level)
    yield from _of_profiles(study, score, levels, rules)


def _of_mode(study: Study, score: Score, code: str, level: Floats) -> Iterator[dict[str, object]]:
    values = [category.value or 0.0 for category in study.codebook[f"{score.level}_{code}"].categories]
    step = float(np.ptp(values)) / (len(values) - 1)
    two, three = (_base(study, score.name, code, ~np.isnan(level), least) for least in (2, 3))
    yield from _counts(study, two, three)
    if two.hidden:
        yield from (two.row(statistic) for statistic in (AD, AD_ACCEPTABLE, ICC1, ICC2))
    else:
        deviation = agreement.ad(level, study.organisation)
        yield from _distribution(two, AD, deviation, most=float(np.ptp(values)) / 2)
        cutoff = agreement.ad_cutoff(len(values)) * step
        yield _share(two, AD_ACCEPTABLE, deviation.value <= cutoff + 1e-9)
        yield from _intraclass(two, level, study)
    if three.hidden:
        yield from (three.row(statistic) for statistic in (RWG, RWG_RAW))
    else:
        # Two answers are at one of a few distances from each other, and r_wg of them is worthless.
        enough = np.bincount(study.organisation[~np.isnan(level)], minlength=study.organisations) >= 3
        of_three = np.where(enough[study.organisation], level, np.nan)
        found = agreement.rwg(of_three, study.organisation, null=agreement.uniform_null(len(values)) * step**2)
        yield from _distribution(three, RWG, found)
        yield _estimated(three, RWG_RAW, mean(found.raw, _organisations(len(found))))


def _of_profiles(study: Study, score: Score, levels: Floats, rules: ConflictRules) -> Iterator[dict[str, object]]:
    has = np.asarray(~np.isnan(agreement.profiles(levels)).any(axis=1))
    two, three = (_base(study, score.name, "", has, least) for least in (2, 3))
    yield from _counts(study, two, three)
    if two.hidden:
        yield from (two.row(statistic) for statistic in (DISTANCE, LOW, HIGH, RANDOM))
        return
    found = agreement.profile_distance(levels, study.organisation)
    yield from _distribution(two, DISTANCE, found)
    # A limit belongs to its class; sums of floats may miss it by a hair.
    yield _share(two, LOW, found.value <= rules.low + 1e-9)
    yield _share(two, HIGH, found.value >= rules.high - 1e-9)
    whole = _base(study, score.name, "", has, 1)
    # A team drawn at random is as far apart, on average, as all pairs of respondents are, whatever its size.
    anybody = agreement.profile_distance(levels, np.zeros(len(study), np.int64))
    yield whole.row(RANDOM, float(anybody.value[0]))


def _classes(study: Study) -> Iterator[dict[str, object]]:
    assert study.plan.agreement is not None
    scores = {study.plan.score(name).perspective: study.plan.score(name) for name in study.plan.agreement.scores}
    if not set(PERSPECTIVES) <= set(scores):
        return
    strategy = scores["STR"]
    kinds = np.stack([study.missing(f"{strategy.chosen}_{code}") for code in strategy.codes], axis=1)
    answered = ~np.isnan(study.chosen(strategy)).any(axis=1)
    no_stand = np.where(np.isin(kinds, _NO_STAND).any(axis=1), 1.0, np.where(answered, 0.0, np.nan))
    current, desired, chosen = (study.levels(scores[one]) for one in PERSPECTIVES)
    found = conflict(
        current=current,
        desired=desired,
        strategy=chosen,
        organisation=study.organisation,
        no_stand=no_stand,
        rules=_rules(study),
    )
    classed = len(found.organisation)
    respondents = int(np.isin(study.organisation, found.organisation).sum())
    base = _Base(CONFLICT, "", respondents, classed, study.limits)
    yield from _counted(study, CONFLICT, "", {TWO: found.two_or_more, THREE: found.three_or_more})
    for code in CLASSES:
        inside = np.array([code in held for held in found.classes], bool)
        of_class = replace(base, code=code)
        yield of_class.row(CLASSED, float(inside.sum()))
        yield of_class.row(CLASS_SHARE) if of_class.hidden else _share(of_class, CLASS_SHARE, inside)


def _base(study: Study, variable: str, code: str, answered: Mask, least: int) -> _Base:
    """Return the organisations with at least *least* answers, and their answers."""
    n = np.bincount(study.organisation[answered], minlength=study.organisations)
    inside = n[n >= least]
    return _Base(variable, code, int(inside.sum()), len(inside), study.limits)


def _counts(study: Study, two: _Base, three: _Base) -> Iterator[dict[str, object]]:
    counts = {TWO: two.organisations, THREE: three.organisations}
    yield from _counted(study, two.variable, two.code, counts)


def _counted(study: Study, variable: str, code: str, counts: Mapping[str, int]) -> Iterator[dict[str, object]]:
    """Yield numbers of organisations, of all that answered."""
    base = _Base(variable, code, len(study), study.organisations, study.limits, own=False)
    yield from (base.row(statistic, float(count)) for statistic, count in counts.items())


def _distribution(base: _Base, statistic: str, found: Agreement, *, most: float = 1.0) -> Iterator[dict[str, object]]:
    """Yield the mean over organisations, 0 … *most*, and the quantiles that have enough of them on either side."""
    average = mean(found.value, _organisations(len(found)))
    low, high = np.clip([average.low, average.high], 0, most)
    yield _estimated(base, statistic, replace(average, low=float(low), high=float(high)))
    for name, probability in QUANTILES.items():
        if min(probability, 1 - probability) * base.organisations >= ORGANISATIONS:
            yield base.row(f"{statistic}_{name}", float(np.quantile(found.value, probability)))


def _share(base: _Base, statistic: str, is_so: Mask) -> dict[str, object]:
    return _estimated(base, statistic, share(is_so.astype(float), _organisations(len(is_so))))


def _estimated(base: _Base, statistic: str, found: Estimate) -> dict[str, object]:
    numbers = {"se": found.se, "ci_low": found.low, "ci_high": found.high, "df": float(found.df)}
    return base.row(statistic, found.value, estimable=found.estimable, **numbers)


def _organisations(count: int) -> Design:
    """Return the design of *count* organisations, each a respondent of its own."""
    return Design.of(np.ones(count), psu=np.arange(count))


def _intraclass(base: _Base, level: Floats, study: Study) -> Iterator[dict[str, object]]:
    found = _icc(level, study)
    values = (np.nan, np.nan) if found is None else (found.icc1, found.icc2)
    limits = ((np.nan, np.nan),) * 2 if found is None else found.limits()
    df = float(base.organisations - 1)
    for statistic, value, (low, high) in zip((ICC1, ICC2), values, limits, strict=True):
        # Where all means are alike ICC(2) is minus infinity, which is no reliability to show.
        estimate = value if np.isfinite(value) else None
        estimable = bool(np.isfinite(low) and np.isfinite(high))
        yield base.row(statistic, estimate, estimable=estimable, ci_low=low, ci_high=high, df=df)


def _icc(level: Floats, study: Study) -> Intraclass | None:
    """Return the variance between and within organisations with two answers or more; None if there is none."""
    enough = np.bincount(study.organisation[~np.isnan(level)], minlength=study.organisations) >= 2
    inside = level[enough[study.organisation] & ~np.isnan(level)]
    return None if np.ptp(inside) == 0 else agreement.icc(level, study.organisation)
