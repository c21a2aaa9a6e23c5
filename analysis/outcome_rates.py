"""Outcome rates: response, cooperation, contact and refusal at person, organisation and team level (AAPOR).

From the dispositions of the cases that were invited. Answers that came by an open link were invited by nobody: they
have no response rate and are counted apart, as participation. Duplicates are merged, or coded NE_duplicate, before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.design import Codes, Mask
from kysely.errors import AnalystError

OUTCOMES = ("I", "P", "R", "NC", "O", "U", "NE")
"""Complete, partial, refusal and break-off, non-contact, other eligible, unknown eligibility, not eligible."""

DISPOSITIONS: Mapping[str, str] = {
    "I": "I",
    "P": "P",
    "R_explicit": "R",
    "R_breakoff": "R",
    "NC_bounce_known_person": "NC",
    "NC_nothing_opened": "NC",
    "O_away": "O",
    "O_language": "O",
    "O_gatekeeper": "O",
    "U_delivered_nothing_known": "U",
    "U_bounce": "U",
    "NE_left": "NE",
    "NE_out_of_target": "NE",
    "NE_ended": "NE",
    "NE_duplicate": "NE",
}
"""The outcome of each disposition (DOMAIN.md, e2)."""

SILENT = "U_delivered_nothing_known"
"""An invitation that was delivered and not answered: non-contact for a person known to be in post."""

RATES = tuple("RR1 RR2 RR3 RR4 RR5 RR6 COOP1 COOP2 COOP3 COOP4 CON1 CON2 CON3 REF1 REF2 REF3".split())

TEAM = 3
"""Completes that make a team."""


class OutcomeError(AnalystError):
    """The dispositions don't give rates. Says why and what to do."""


@dataclass(frozen=True)
class Counts:
    """How many cases came to each outcome; see OUTCOMES."""

    complete: int = 0
    partial: int = 0
    refusal: int = 0
    noncontact: int = 0
    other: int = 0
    unknown: int = 0
    ineligible: int = 0

    def __post_init__(self) -> None:
        for name, count in vars(self).items():
            if not count >= 0 or count != int(count):
                raise OutcomeError(f"{count} cases are {name}; a count is a whole number from 0 up")

    @property
    def eligible(self) -> int:
        """Cases known to be eligible."""
        return self.complete + self.partial + self.refusal + self.noncontact + self.other

    @property
    def total(self) -> int:
        return self.eligible + self.unknown + self.ineligible


@dataclass(frozen=True)
class Rates:
    """The AAPOR rates of *counts*: RR1–RR6, COOP1–COOP4, CON1–CON3, REF1–REF3; None where there is no base.

    e       share of the cases of unknown eligibility that is taken to be eligible; None if nothing tells
    e_rule  "given", or "known cases": eligible / (eligible + not eligible) among those whose eligibility is known
    """

    counts: Counts
    e: float | None
    e_rule: str
    rate: Mapping[str, float | None]


@dataclass(frozen=True)
class Participation:
    """Responses by open link: no rate can be had of them, for nobody knows whom they reached."""

    complete: int
    partial: int
    break_off: int
    organisations: int


@dataclass(frozen=True)
class OutcomeRates:
    """The rates at three levels, always told together, and what came by open link.

    person        invited persons
    organisation  their organisations; complete with one complete
    team          teams (organisations, if no teams were given) with *team_size* invited persons or more; complete with
                  *team_size* completes
    silent        persons of disposition U_delivered_nothing_known, and how many of them were in post and so counted
                  as non-contacts
    """

    person: Rates
    organisation: Rates
    team: Rates
    team_size: int
    participation: Participation
    silent: int
    silent_in_post: int


def rates(counts: Counts, *, e: float | None = None) -> Rates:
    """Return the outcome rates of *counts* (AAPOR, Standard Definitions; DOMAIN.md, e1).

    e  eligible share of the cases of unknown eligibility, 0 … 1 (1 is the conservative choice); None: that of the
       cases whose eligibility is known (proportional allocation)

    Raises OutcomeError if there is no case, or none but not eligible ones.
    """
    if e is not None and not 0 <= e <= 1:
        raise OutcomeError(f"an eligible share of {e}; it lies between 0 and 1")
    if counts.eligible + counts.unknown == 0:
        raise OutcomeError("no case was eligible, so nobody could respond; rates need cases that were invited")
    rule = "known cases" if e is None else "given"
    known = counts.eligible + counts.ineligible
    if e is None and known:
        e = counts.eligible / known
    i, p, r, o = counts.complete, counts.partial, counts.refusal, counts.other
    # Everybody, those estimated to be eligible, those known to be: the three denominators of every family.
    bases = (counts.eligible + counts.unknown, _estimated(counts, e), counts.eligible)
    found: dict[str, float | None] = {}
    for number, base in enumerate(bases):
        found[f"RR{2 * number + 1}"] = _over(i, base)
        found[f"RR{2 * number + 2}"] = _over(i + p, base)
    for number, base in enumerate((i + p + r + o, i + p + r)):
        found[f"COOP{2 * number + 1}"] = _over(i, base)
        found[f"COOP{2 * number + 2}"] = _over(i + p, base)
    for number, base in enumerate(bases, start=1):
        found[f"CON{number}"] = _over(i + p + r + o, base)
        found[f"REF{number}"] = _over(r, base)
    return Rates(counts, e, rule, {name: found[name] for name in RATES})


def outcome_rates(
    disposition: ArrayLike,
    organisation: ArrayLike,
    *,
    invited: ArrayLike | None = None,
    in_post: ArrayLike | None = None,
    teams: ArrayLike | None = None,
    e: float | None = None,
    team: int = TEAM,
) -> OutcomeRates:
    """Return the rates of persons, organisations and teams from the dispositions of n cases.

    disposition   (n,) codes of DISPOSITIONS
    organisation  (n,) labels
    invited       (n,) true for cases with an invitation, false for responses by open link; None: all were invited
    in_post       (n,) true for persons known to be in post, whose silence is then a non-contact; None: of nobody,
                  the strict reading, by which silence says nothing about eligibility
    teams         (n,) labels of the team each case belongs to, None or NaN for no team; None: the organisations
    e             as in `rates`, for all three levels; None: each level's own

    An organisation takes the best known outcome of its invited persons, in the order I P R O NC U NE: it is of
    unknown eligibility only if that is all that is known of anybody. A team has *team* invited persons or more. It is
    complete with so many completes, partial with so many completes and partials; not
    eligible if fewer persons than that remain that may be eligible; of unknown eligibility if fewer are known to be;
    else it takes the best outcome of those who did not answer, in the order R O NC.

    Raises OutcomeError for a code that is not in DISPOSITIONS, missing organisations, and where nobody was invited.
    `team` has rates None if no organisation was invited with so many persons that are or may be eligible.
    """
    outcome, silent, silent_in_post = _outcomes(disposition, in_post)
    label, code = _organisations(organisation, len(outcome))
    asked = _mask(invited, len(outcome), "invited")
    if not asked.any():
        raise OutcomeError("nobody was invited; responses by open link have no response rate, only participation")
    if team < 2 or team != int(team):
        raise OutcomeError(f"a team of {team}; it has two members at least")
    table = _table(code[asked], outcome[asked], len(label))
    of_teams = table if teams is None else _of_teams(teams, outcome, asked)
    return OutcomeRates(
        person=rates(_counts(outcome[asked]), e=e),
        organisation=rates(_counts(_best(table)), e=e),
        team=_team_rates(of_teams, team, e),
        team_size=team,
        participation=_participation(outcome[~asked], code[~asked]),
        silent=int((silent & asked).sum()),
        silent_in_post=int((silent_in_post & asked).sum()),
    )


_I, _P, _R, _NC, _O, _U, _NE = range(7)


def _estimated(counts: Counts, e: float | None) -> float | None:
    if counts.unknown == 0:
        return counts.eligible
    return None if e is None else counts.eligible + e * counts.unknown


def _over(part: int, base: float | None) -> float | None:
    return part / base if base else None


def _outcomes(disposition: ArrayLike, in_post: ArrayLike | None) -> tuple[Codes, Mask, Mask]:
    """Return the outcome of each case as a position in OUTCOMES, who was silent, and who of them was in post."""
    codes = np.asarray(disposition, dtype=object)
    if codes.ndim != 1:
        raise OutcomeError(f"dispositions have shape {codes.shape}; one a case is needed")
    if strangers := sorted({str(one) for one in codes if one not in DISPOSITIONS}):
        raise OutcomeError(
            f"{', '.join(strangers)} are no dispositions; there are: {', '.join(DISPOSITIONS)}. "
            "A case nobody has heard of is U_delivered_nothing_known or NC_nothing_opened"
        )
    outcome = np.array([OUTCOMES.index(DISPOSITIONS[one]) for one in codes], np.int64)
    silent = np.array([one == SILENT for one in codes], dtype=bool)
    present = silent & (_mask(in_post, len(codes), "in_post") if in_post is not None else False)
    return np.where(present, _NC, outcome), silent, present


def _organisations(organisation: ArrayLike, n: int) -> tuple[NDArray[Any], Codes]:
    labels = np.asarray(organisation)
    if labels.shape != (n,):
        raise OutcomeError(f"organisations have shape {labels.shape}, the dispositions are of {n} cases")
    if labels.dtype.kind in "fO" and any(one is None or one != one for one in labels.tolist()):
        raise OutcomeError("a case has no organisation; give each case without one a label of its own")
    label, code = np.unique(labels, return_inverse=True)
    return label, code.astype(np.int64)


def _mask(given: ArrayLike | None, n: int, what: str) -> Mask:
    if given is None:
        return np.ones(n, dtype=bool)
    mask = np.asarray(given)
    if mask.dtype != bool or mask.shape != (n,):
        raise OutcomeError(f"{what} is true or false for each of {n} cases, not {mask.dtype} of shape {mask.shape}")
    return mask


def _counts(outcome: Codes) -> Counts:
    complete, partial, refusal, noncontact, other, unknown, ineligible = np.bincount(
        outcome, minlength=len(OUTCOMES)
    ).tolist()
    return Counts(complete, partial, refusal, noncontact, other, unknown, ineligible)


def _table(code: Codes, outcome: Codes, groups: int) -> Codes:
    """Return the persons of each group by outcome, (G, 7), of the groups that have any."""
    table = np.zeros((groups, len(OUTCOMES)), np.int64)
    np.add.at(table, (code, outcome), 1)
    return table[table.sum(axis=1) > 0]


def _of_teams(teams: ArrayLike, outcome: Codes, asked: Mask) -> Codes:
    labels = np.asarray(teams, dtype=object)
    if labels.shape != outcome.shape:
        raise OutcomeError(f"teams have shape {labels.shape}, the dispositions are of {len(outcome)} cases")
    inside = asked & np.array([one is not None and one == one for one in labels], dtype=bool)
    label, code = np.unique(labels[inside].astype(str), return_inverse=True)
    return _table(code.astype(np.int64), outcome[inside], len(label))


def _best(table: Codes) -> Codes:
    """Return the best known outcome of each organisation, from its persons' counts (G, 7)."""
    order = np.array([_I, _P, _R, _O, _NC, _U, _NE])
    return order[(table[:, order] > 0).argmax(axis=1)]


def _team_rates(table: Codes, team: int, e: float | None) -> Rates:
    """Return the rates of organisations with *team* invited persons or more, None throughout if there are none."""
    asked = table[table.sum(axis=1) >= team]
    known = asked[:, [_I, _P, _R, _NC, _O]].sum(axis=1)
    fallen = np.array([_R, _O, _NC])
    outcome = np.select(
        [
            asked[:, _I] >= team,
            asked[:, _I] + asked[:, _P] >= team,
            known + asked[:, _U] < team,
            known < team,
        ],
        [_I, _P, _NE, _U],
        fallen[(asked[:, fallen] > 0).argmax(axis=1)],
    )
    counts = _counts(outcome.astype(np.int64))
    if counts.eligible + counts.unknown:
        return rates(counts, e=e)
    return Rates(counts, e, "known cases" if e is None else "given", dict.fromkeys(RATES))


def _participation(outcome: Codes, code: Codes) -> Participation:
    counts = _counts(outcome)
    if counts.total > counts.complete + counts.partial + counts.refusal:
        raise OutcomeError(
            "a case that was not invited has a disposition of an invitation; who came by open link answered"
        )
    answered = outcome <= _P
    return Participation(counts.complete, counts.partial, counts.refusal, len(np.unique(code[answered])))
