"""The outcome rates of a wave whose cases were invited, as rows of Estimates; a wave by open link has none.

The extract's `cases` says who was invited: by its column `invited`, or, where it has none, by holding cases without
a response. Nobody can know of an open link whom it reached, so that a case without a response was invited.

In an anonymous wave nothing leads from a case to a response or an organisation: rates are of persons alone then, and
the responses, whose cases nobody invited, are no participation by open link.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.design import Mask
from analysis.disclosure import Limits
from analysis.estimates import COLUMNS
from analysis.extract import Extract
from analysis.facts import fact
from analysis.outcome_rates import DISPOSITIONS, OUTCOMES, TEAM, Counts, OutcomeError, Rates, outcome_rates
from analysis.population import NONE
from analysis.study import Study

if TYPE_CHECKING:
    import pyarrow as pa

OUTCOME_RATES = "outcome_rates"
"""Table of what is told here."""

LEVELS = PERSON, ORGANISATION, TEAMS = "person", "organisation", "team"
OPEN_LINK = "open_link"
"""Variables: the levels at which rates are told, and the answers that came by open link, which are in none."""

COUNT, RATE = "count", "rate"
CASES, ELIGIBLE_SHARE, SILENT, SILENT_IN_POST = "cases", "e", "silent", "silent_in_post"
PARTICIPATION = ("complete", "partial", "break_off", "organisations")

_ANSWERED = ("I", "P")


def tables(study: Study) -> tuple[pd.DataFrame, ...]:
    """Return the table of the outcome rates, columns as in estimates.COLUMNS; nothing where nobody was invited.

    variable   code                       statistic   base
    LEVELS     OUTCOMES, cases            count       the invited persons (of teams: those in teams); of
                                                      base_organisations, their organisations or teams
               RATES, e                   rate        the same; e is the share taken to be eligible of the unknown
    person     silent, silent_in_post     count       invited persons
    open_link  PARTICIPATION              count       those who came by open link

    These are facts of the fieldwork without interval. A base under the thresholds of disclosure keeps its size only.
    Where no organisation of an invited person is known there is the level of persons only. Raises OutcomeError for
    cases that don't fit together; it says which file and what to do.
    """
    if not isinstance(study.answers, Extract):
        return ()
    cases = _Cases(study.answers)
    if not cases.invited.any():
        return ()
    rows = pd.DataFrame(_rows(cases, study.limits))
    return (rows.assign(table=OUTCOME_RATES, weighting=NONE)[list(COLUMNS)],)


class _Cases:
    """The sampled cases of an extract as arrays, (n,), checked against each other and the responses."""

    def __init__(self, extract: Extract):
        table = extract.cases
        self.anonymous = extract.manifest["privacy"].get("mode") == "anonymous"
        self.response = _column(table, "response")
        self.invited = self._invited(table)
        if not self.invited.any():
            return
        self.disposition = _column(table, "disposition")
        if "disposition" not in table.column_names:
            raise OutcomeError(
                f"cases.parquet has {(self.response == None).sum()} cases without a response and no column "  # noqa: E711
                "disposition, so that nothing is known of them. Make the extract anew"
            )
        organisation = _column(table, "organisation")
        own = np.array([f"case {place}" for place in range(len(organisation))], dtype=object)
        self.known = np.asarray(self.invited & (organisation != None), dtype=bool)  # noqa: E711 - elementwise
        self.organisation = np.where(organisation == None, own, organisation).astype(str)  # noqa: E711 - elementwise
        self.in_post = _flags(table, "in_post")
        self.teams = _column(table, "team") if "team" in table.column_names else None
        self._check(extract)

    def _invited(self, table: pa.Table) -> Mask:
        flags = _flags(table, "invited")
        if flags is not None:
            return flags
        silent = np.asarray(self.response == None, dtype=bool)  # noqa: E711 - elementwise
        return np.full(len(silent), bool(silent.any()))

    def _check(self, extract: Extract) -> None:
        if strangers := sorted({str(one) for one in self.disposition if one not in DISPOSITIONS}):
            raise OutcomeError(
                f"cases.parquet: {', '.join(strangers)} are no dispositions; there are: {', '.join(DISPOSITIONS)}. "
                "Make the extract anew"
            )
        known = dict(zip(extract.column("response").tolist(), extract.column("disposition").tolist(), strict=True))
        given = [one for one in self.response if one is not None]
        if len(given) != len(set(given)):
            raise OutcomeError(
                "cases.parquet: a response is in two cases, and one person would be invited twice; merge the cases, or "
                "give one the disposition NE_duplicate and no response. Make the extract anew"
            )
        for response, disposition in zip(self.response, self.disposition, strict=True):
            outcome = DISPOSITIONS[disposition]
            if response is None and outcome in _ANSWERED and not self.anonymous:
                raise OutcomeError(
                    f"cases.parquet: a case has the disposition {disposition} and no response; only who answered is "
                    "complete or partial. Make the extract anew"
                )
            if response in known and not _fits(disposition, known[response]):
                raise OutcomeError(
                    f"cases.parquet: a case has the disposition {disposition}, its response {known[response]}: cases "
                    "and responses are of two moments. Make the extract anew"
                )


def _fits(disposition: str, of_response: str) -> bool:
    """Return whether a case may have *disposition*: answers count first, but who is not eligible stays that."""
    if of_response in _ANSWERED:
        return disposition == of_response or DISPOSITIONS[disposition] == "NE"
    return disposition not in _ANSWERED


def _column(table: pa.Table, name: str) -> NDArray[Any]:
    if name not in table.column_names:
        return np.full(table.num_rows, None, dtype=object)
    return np.array(table.column(name).to_pylist() or [], dtype=object)


def _flags(table: pa.Table, name: str) -> Mask | None:
    """Return a column of yes and no; None where there is none."""
    if name not in table.column_names:
        return None
    values = table.column(name).to_pylist()
    if not all(isinstance(one, bool) for one in values):
        raise OutcomeError(f"cases.parquet: {name} is true or false for every case. Make the extract anew")
    return np.array(values, dtype=bool)


def _rows(cases: _Cases, limits: Limits) -> Iterator[dict[str, object]]:
    asked = cases.invited
    found = outcome_rates(
        cases.disposition, cases.organisation, invited=asked, in_post=cases.in_post, teams=cases.teams
    )
    groups = cases.organisation if cases.teams is None else cases.teams
    in_teams = asked & _large(groups, asked)
    bases = {PERSON: asked, ORGANISATION: asked, TEAMS: in_teams}
    by_level = {PERSON: found.person, ORGANISATION: found.organisation, TEAMS: found.team}
    for level in LEVELS if cases.known.any() else (PERSON,):
        rates = by_level[level]
        held = groups if level == TEAMS else cases.organisation
        inside = bases[level]
        base = _Base(level, int(inside.sum()), len({str(one) for one in held[inside]}), limits)
        yield from _of_level(base, rates)
        if level == PERSON:
            yield base.row(SILENT, COUNT, found.silent)
            yield base.row(SILENT_IN_POST, COUNT, found.silent_in_post)
    there = found.participation
    if (~asked).any() and not cases.anonymous:
        base = _Base(OPEN_LINK, int((~asked).sum()), len(set(cases.organisation[~asked])), limits)
        for code in PARTICIPATION:
            yield base.row(code, COUNT, getattr(there, code))


def _of_level(base: _Base, rates: Rates) -> Iterator[dict[str, object]]:
    counts: Counts = rates.counts
    for code, count in zip(OUTCOMES, vars(counts).values(), strict=True):
        yield base.row(code, COUNT, count)
    yield base.row(CASES, COUNT, counts.total)
    for name, rate in {**rates.rate, ELIGIBLE_SHARE: rates.e}.items():
        yield base.row(name, RATE, rate)


def _large(groups: NDArray[Any], asked: Mask) -> Mask:
    """Return who belongs to a group of which TEAM persons or more were invited."""
    labels = ["" if one is None or one != one else str(one) for one in groups]
    size: dict[str, int] = {}
    for label, invited in zip(labels, asked, strict=True):
        size[label] = size.get(label, 0) + int(invited)
    return np.array([bool(label) and size[label] >= TEAM for label in labels], dtype=bool)


@dataclass(frozen=True)
class _Base:
    """What rows are of: a level with its invited persons, and their organisations or teams."""

    variable: str
    n: int
    organisations: int
    limits: Limits

    def row(self, code: str, statistic: str, estimate: float | None) -> dict[str, object]:
        return fact(
            self.variable,
            code,
            statistic,
            estimate,
            n=self.n,
            organisations=self.organisations,
            limits=self.limits,
        )
