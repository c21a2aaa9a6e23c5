"""Conflict classes: do the leaders of an organisation see today, the aim and the strategy alike?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.agreement import AgreementError, organisations, profile_distance, profiles
from analysis.design import Codes, Floats, Mask
from analysis.weighted_choice import fit as overlap

PERSPECTIVES = ("current", "desired", "strategy")
CLASSES = ("ALIGNED", "SHIFT", "BLURRED_NOW", "SPLIT_DIRECTION", "UNCLEAR_STRATEGY", "MIXED")


@dataclass(frozen=True)
class ConflictRules:
    """Thresholds of the conflict classes; the defaults are those of operating_mode.md, 4.10.

    low, high  mean distance between members' profiles up to which they agree, from which they are in conflict
    aligned    mean fit of today with the strategy from which the strategy matches today
    no_stand   share for whom the strategy takes no stand, or who can't say, from which it is unclear
    minimum    respondents an organisation needs to be classified
    """

    low: float = 0.20
    high: float = 0.40
    aligned: float = 0.80
    no_stand: float = 0.50
    minimum: int = 3


@dataclass(frozen=True, eq=False)
class Conflicts:
    """The conflict classes of the G organisations with enough respondents; columns follow PERSPECTIVES.

    n             (G,) respondents with a profile, or an answer that the strategy takes no stand
    profiles      (G, 3) profiles in each perspective
    distance      (G, 3) mean distance between them; NaN with fewer than two: unknown, neither low nor high
    fit_strategy  (G,) mean over members of 1 - TV(current, strategy); NaN if nobody has both profiles
    no_stand      (G,) share without a stand among those asked about the strategy; NaN if nobody was
    classes       the classes of each organisation, at least one
    two_or_more, three_or_more  organisations with so many respondents, classified or not
    """

    organisation: NDArray[Any]
    n: Codes
    profiles: Codes
    distance: Floats
    fit_strategy: Floats
    no_stand: Floats
    classes: tuple[tuple[str, ...], ...]
    two_or_more: int
    three_or_more: int

    def count(self) -> dict[str, int]:
        """Return class → organisations in it; an organisation may be in several, so the sum may exceed G."""
        return {name: sum(name in held for held in self.classes) for name in CLASSES}


def conflict(
    *,
    current: ArrayLike,
    desired: ArrayLike,
    strategy: ArrayLike,
    organisation: ArrayLike,
    no_stand: ArrayLike | None = None,
    rules: ConflictRules | None = None,
) -> Conflicts:
    """Return the conflict classes of organisations (operating_mode.md, 4.10).

    current, desired, strategy  (n, k) levels or points of the same k modes; see `profiles`
    no_stand                    (n,) 1 for "takes no stand" or "cannot say" in the strategy question, 0 for
                                another answer, NaN not asked or no answer; None: 0 where there is a profile

    ALIGNED     all three distances low and fit_strategy at least *aligned*; SHIFT: low, and the fit below it
    BLURRED_NOW, SPLIT_DIRECTION, UNCLEAR_STRATEGY  current, desired, strategy distance high, the last also where
                the share without a stand reaches its limit; they may hold together, and exclude the first two
    MIXED       none of these
    """
    rules = rules or ConflictRules()
    given = tuple(profiles(one) for one in (current, desired, strategy))
    label, code = _members(given, organisation)
    stand = _stand(no_stand, given[2])
    has = [np.asarray(~np.isnan(one).any(axis=1)) for one in given]
    n = np.bincount(code[np.any(has, axis=0) | (stand == 1)], minlength=len(label))
    distance = np.stack([_distances(one, ok, code, len(label)) for one, ok in zip(given, has, strict=True)], axis=1)
    fits = overlap(given[0], given[2])
    fit, shares = (_means(one, code, len(label)) for one in (fits, stand))
    kept = n >= max(rules.minimum, 2)
    return Conflicts(
        organisation=label[kept],
        n=n[kept],
        profiles=np.stack([np.bincount(code[one], minlength=len(label)) for one in has], axis=1)[kept],
        distance=distance[kept],
        fit_strategy=fit[kept],
        no_stand=shares[kept],
        classes=tuple(_classes(*one, rules) for one in zip(distance[kept], fit[kept], shares[kept], strict=True)),
        two_or_more=int((n >= 2).sum()),
        three_or_more=int((n >= 3).sum()),
    )


def _classes(distance: Floats, fit: float, no_stand: float, rules: ConflictRules) -> tuple[str, ...]:
    # Thresholds are met exactly by round shares such as 2/5, which sums of floats may miss by a hair.
    close = 1e-9
    split = [name for name, far in zip(CLASSES[2:5], distance >= rules.high - close, strict=True) if far]
    if no_stand >= rules.no_stand - close and "UNCLEAR_STRATEGY" not in split:
        split.append("UNCLEAR_STRATEGY")
    if split:
        return tuple(split)
    if (distance <= rules.low + close).all() and not np.isnan(fit):
        return ("ALIGNED",) if fit >= rules.aligned - close else ("SHIFT",)
    return ("MIXED",)


def _members(given: tuple[Floats, ...], organisation: ArrayLike) -> tuple[NDArray[Any], Codes]:
    if len({one.shape for one in given}) > 1:
        raise AgreementError(
            f"the perspectives have shapes {', '.join(str(one.shape) for one in given)}; "
            "each needs the same respondents and the same modes"
        )
    return organisations(organisation, len(given[0]))


def _stand(no_stand: ArrayLike | None, strategy: Floats) -> Floats:
    if no_stand is None:
        return np.where(np.isnan(strategy).any(axis=1), np.nan, 0.0)
    stand = np.asarray(no_stand, dtype=float)
    if stand.shape != (len(strategy),) or not np.isin(stand[~np.isnan(stand)], (0, 1)).all():
        raise AgreementError("no_stand is 1, 0 or missing for each respondent")
    return stand


def _distances(given: Floats, has: Mask, code: Codes, big: int) -> Floats:
    n = np.bincount(code[has], minlength=big)
    result = np.full(big, np.nan)
    kept = has & (n[code] >= 2)
    if kept.any():
        found = profile_distance(given[kept], code[kept])
        result[found.organisation] = found.value
    return result


def _means(values: Floats, code: Codes, big: int) -> Floats:
    known = ~np.isnan(values)
    n = np.bincount(code[known], minlength=big)
    total = np.bincount(code[known], values[known], big)
    return np.where(n > 0, total / np.maximum(n, 1), np.nan)
