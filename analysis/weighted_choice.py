"""The weighted multi-select: which of several modes were chosen, and how central each is (operating_mode.md, 4).

A `WeightedChoice` holds the answers of n respondents to one perspective (today, wished, strategy) and derives
everything that is said of them. Two kinds of missing are kept apart: a mode chosen and left unrated is chosen
(1) with its level missing; a question not answered is missing throughout. What needs all levels (dominant
mode, number and set of central modes, profile) is missing for a respondent with any level missing, because an
unknown level could change it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from analysis import agreement
from analysis.categories import categories
from analysis.design import Codes, Design, DesignError, Floats, Mask
from analysis.estimators import Estimate, mean, ratio, share
from analysis.repeated import Gap, gap, together
from kysely.errors import AnalystError

MISSING = -1

TOP = 3.0
"""The highest level of CENT4, which is what "central" means."""


class WeightedChoiceError(AnalystError):
    """The choices and levels contradict each other or the scale. Says in which row, and what is allowed."""


@dataclass(frozen=True, eq=False)
class WeightedChoice:
    """The answers of n respondents to one weighted multi-select of M modes.

    chosen  (n, M) 1 chosen, 0 not, NaN not answered
    level   (n, M) 0 not chosen, up to *top*; NaN unrated or not answered
    top     the level that means central
    """

    chosen: Floats
    level: Floats
    top: float = TOP

    @classmethod
    def of(cls, chosen: ArrayLike, level: ArrayLike, *, top: float = TOP) -> WeightedChoice:
        """Return the choice made in two steps: which, then how much of the chosen.

        The level of a mode that was not chosen is 0 whether stored as 0 or missing.

        Raises WeightedChoiceError for shapes that differ, choices other than 0, 1 or missing, levels outside
        0 … top, a level above 0 of a mode not chosen, a level 0 of a chosen one, and a level without a choice.
        """
        picks, levels = _two_dimensional(chosen, "choices"), _two_dimensional(level, "levels")
        if picks.shape != levels.shape:
            raise WeightedChoiceError(f"choices have shape {picks.shape}, levels {levels.shape}; they need the same")
        levels = np.where((picks == 0) & np.isnan(levels), 0.0, levels)
        _refuse(~(np.isnan(picks) | (picks == 0) | (picks == 1)), "a choice is not 0, 1 or missing")
        _refuse((levels < 0) | (levels > top), f"a level is outside 0 to {top:g}")
        _refuse((picks == 0) & (levels > 0), "a mode that was not chosen has a level above 0")
        _refuse((picks == 1) & (levels == 0), "a chosen mode has level 0, which means not chosen")
        _refuse(
            np.isnan(picks) & ~np.isnan(levels), "a level is given without a choice; rated one by one, take rated()"
        )
        return cls(picks, levels, float(top))

    @classmethod
    def rated(cls, level: ArrayLike, *, top: float = TOP) -> WeightedChoice:
        """Return the choice made by rating every mode from 0: chosen is a level above 0.

        Never pool it with the two-step form: rating each gives more choices (operating_mode.md, 3).
        """
        levels = _two_dimensional(level, "levels")
        return cls.of(np.where(np.isnan(levels), np.nan, levels > 0), levels, top=top)

    def __len__(self) -> int:
        return len(self.chosen)

    @property
    def modes(self) -> int:
        return self.chosen.shape[1]

    def take(self, rows: Any) -> WeightedChoice:
        """Return the answers of some respondents: a mask, a slice or row numbers."""
        return WeightedChoice(self.chosen[rows], self.level[rows], self.top)

    @cached_property
    def answered(self) -> Mask:
        """(n,) who answered which modes were chosen, all of them."""
        return np.asarray(~np.isnan(self.chosen).any(axis=1))

    @cached_property
    def complete(self) -> Mask:
        """(n,) whose levels are all known."""
        return np.asarray(~np.isnan(self.level).any(axis=1))

    @cached_property
    def central(self) -> Floats:
        """(n, M) 1 where the level is the top one, 0 where lower, NaN where missing."""
        return np.where(np.isnan(self.level), np.nan, self.level == self.top)

    @cached_property
    def hundred(self) -> Floats:
        """(n, M) levels on 0-100."""
        return self.level / self.top * 100

    @cached_property
    def n_selected(self) -> Codes:
        """(n,) modes chosen; MISSING where not answered."""
        return _known(np.nansum(self.chosen, axis=1), self.answered)

    @cached_property
    def n_central(self) -> Codes:
        """(n,) modes at the top level; MISSING where a level is."""
        return _known(np.nansum(self.central, axis=1), self.complete)

    @cached_property
    def tied(self) -> Mask:
        """(n, M) true for the modes at the respondent's highest level above 0: one, or a tie; none if missing."""
        level = np.where(self.complete[:, None], self.level, 0.0)
        highest = level.max(axis=1, initial=0, keepdims=True)
        return np.asarray((level == highest) & (highest > 0))

    @cached_property
    def dominant(self) -> Codes:
        """(n,) the one mode with the highest level, 0 … M-1; M a tie (COMBO), M + 1 none above 0; MISSING."""
        ties = self.tied.sum(axis=1)
        found = np.where(ties == 1, self.tied.argmax(axis=1), np.where(ties > 1, self.modes, self.modes + 1))
        return _known(found, self.complete)

    def dominant_label(self, codes: Sequence[str]) -> tuple[str | None, ...]:
        """Return the dominant mode of each respondent in words: a code, "COMBO", "NONE", or None where missing."""
        names = (*self._codes(codes), "COMBO", "NONE")
        return tuple(None if one == MISSING else names[one] for one in self.dominant.tolist())

    @cached_property
    def central_set(self) -> Codes:
        """(n,) the set of central modes as a number, mode m adding 2^m; 0 the empty set; MISSING. At most 62 modes."""
        if self.modes > 62:
            raise WeightedChoiceError(
                f"sets of {self.modes} modes don't fit a number; take multiple_response.combinations"
            )
        bits = (self.central == 1) @ (np.int64(1) << np.arange(self.modes, dtype=np.int64))
        return _known(bits, self.complete)

    @cached_property
    def profile(self) -> Floats:
        """(n, M) each mode's part of the respondent's levels; NaN where a level is missing or all are 0."""
        return agreement.profiles(self.level)

    def _codes(self, codes: Sequence[str]) -> tuple[str, ...]:
        if len(codes) != self.modes:
            raise WeightedChoiceError(f"{len(codes)} codes were given for {self.modes} modes")
        return tuple(codes)


# ---- what is estimated of it --------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class ChoiceEstimates:
    """What is said of one weighted choice; every tuple has one Estimate a mode.

    selected, central  shares of respondents who chose the mode, and for whom it is at the top level
    mean, mean100      mean level, on the scale and on 0-100; 0 where not chosen
    among_pickers      mean level among those who chose it; base: pickers who rated it
    own_share          mean of the respondents' profiles: the mode's share of each one's own levels, every
                       respondent counting alike; base: those with a level above 0 and none missing
    all_share          the mode's share of all levels given: a ratio of totals, so that those who give more
                       count more; base: those without a missing level
    picks              modes chosen per respondent
    n_none             respondents who answered and chose nothing: in the base of all but own_share

    selected, mean, among_pickers, own_share and all_share are five different answers to "the share of a mode";
    a table names which it shows.
    """

    selected: tuple[Estimate, ...]
    central: tuple[Estimate, ...]
    mean: tuple[Estimate, ...]
    mean100: tuple[Estimate, ...]
    among_pickers: tuple[Estimate, ...]
    own_share: tuple[Estimate, ...]
    all_share: tuple[Estimate, ...]
    picks: Estimate
    n_none: int


def estimate(choice: WeightedChoice, design: Design) -> ChoiceEstimates:
    """Return what is said of *choice* under the design. R: svyciprop, svymean and svyratio.

    A respondent with a missing answer is out of the base of what needs it, as a domain. Give a domain of the
    design for a subgroup. Raises DesignError if the design has another number of respondents, and
    WeightedChoiceError where nobody chose anything, so that there are no levels to take shares of.
    """
    if len(choice) != len(design):
        raise DesignError(f"there are {len(choice)} answers, the design has {len(design)} respondents")
    level, inside = choice.level, design.members
    sums = level.sum(axis=1)
    if not (np.nan_to_num(sums)[inside] > 0).any():
        raise WeightedChoiceError("nobody in this base gave every mode a level and some a level above 0; take it out")
    return ChoiceEstimates(
        selected=tuple(share(column, design) for column in choice.chosen.T),
        central=tuple(share(column, design) for column in choice.central.T),
        mean=tuple(mean(column, design, between=(0, choice.top)) for column in level.T),
        mean100=tuple(mean(column, design, between=(0, 100)) for column in choice.hundred.T),
        among_pickers=tuple(mean(np.where(column > 0, column, np.nan), design) for column in level.T),
        own_share=tuple(mean(column, design) for column in choice.profile.T),
        all_share=tuple(ratio(column, sums, design) for column in level.T),
        picks=mean(choice.chosen.sum(axis=1), design),
        n_none=int((inside & (choice.n_selected == 0)).sum()),
    )


def estimate_by_group(choice: WeightedChoice, group: ArrayLike, design: Design) -> dict[str, ChoiceEstimates]:
    """Return `estimate` of every group that has levels; *group*, (n,), labels, None or NaN in no group. R: svyby."""
    codes, labels = categories(group, len(design), "the groups")
    found = {}
    for position, label in enumerate(labels):
        inside = design.members & (codes == position)
        if (np.nan_to_num(choice.level.sum(axis=1))[inside] > 0).any():
            found[label] = estimate(choice, design.domain(inside))
    return found


# ---- between perspectives -----------------------------------------------------------------------------


def total_variation(p: ArrayLike, q: ArrayLike) -> Floats:
    """Return the distance ½ Σ |p - q| of each row's two profiles, (n, M) each: 0 the same, 1 nothing in common.

    Rows are closed first, so levels and points may be given; NaN where a profile is missing.
    """
    one, other = agreement.profiles(p), agreement.profiles(q)
    if one.shape != other.shape:
        raise WeightedChoiceError(f"the profiles have shapes {one.shape} and {other.shape}; they need the same")
    return np.abs(one - other).sum(axis=1) / 2


def fit(p: ArrayLike, q: ArrayLike) -> Floats:
    """Return 1 - total variation of two profiles, (n,): 1 the same, 0 nothing in common; NaN missing."""
    return 1 - total_variation(p, q)


def jaccard(a: ArrayLike, b: ArrayLike) -> Floats:
    """Return |A ∩ B| / |A ∪ B| of two sets of chosen modes, (n, M) of 1 and 0: the overlap, (n,).

    NaN where an answer is missing, or both sets are empty and there is nothing to overlap.
    """
    one, other = _two_dimensional(a, "choices"), _two_dimensional(b, "choices")
    if one.shape != other.shape:
        raise WeightedChoiceError(f"the choices have shapes {one.shape} and {other.shape}; they need the same")
    known = ~np.isnan(one).any(axis=1) & ~np.isnan(other).any(axis=1)
    both = ((one == 1) & (other == 1)).sum(axis=1)
    either = ((one == 1) | (other == 1)).sum(axis=1)
    return np.where(known & (either > 0), both / np.maximum(either, 1), np.nan)


@dataclass(frozen=True, eq=False)
class Perspectives:
    """One question in three perspectives, of the same respondents and modes.

    now, wished, strategy  a respondent for whom the strategy takes no stand has a missing strategy
    """

    now: WeightedChoice
    wished: WeightedChoice
    strategy: WeightedChoice

    def __post_init__(self) -> None:
        shapes = {one.chosen.shape for one in (self.now, self.wished, self.strategy)}
        if len(shapes) > 1:
            raise WeightedChoiceError(f"the perspectives have shapes {sorted(shapes)}; they need the same")

    @cached_property
    def fit_strategy(self) -> Floats:
        """(n,) does today match the strategy? 1 - TV(now, strategy)."""
        return fit(self.now.level, self.strategy.level)

    @cached_property
    def fit_wish(self) -> Floats:
        """(n,) does today match the wish? 1 - TV(now, wished)."""
        return fit(self.now.level, self.wished.level)

    @cached_property
    def fit_plan(self) -> Floats:
        """(n,) does the wish match the strategy? 1 - TV(wished, strategy)."""
        return fit(self.wished.level, self.strategy.level)

    @cached_property
    def gap(self) -> Floats:
        """(n, M) wished - now, -top … top; NaN where one is missing."""
        return self.wished.level - self.now.level

    @cached_property
    def gap_strategy(self) -> Floats:
        """(n, M) strategy - now, -top … top; NaN where one is missing."""
        return self.strategy.level - self.now.level


def gaps(before: WeightedChoice, after: WeightedChoice, design: Design) -> tuple[Gap, ...]:
    """Return each mode's mean gap in levels, after - before, under the design; tested, with Holm over the modes.

    Raises as `repeated.gap` does, and WeightedChoiceError for choices of different modes or respondents.
    """
    if before.level.shape != after.level.shape:
        raise WeightedChoiceError(f"the perspectives have shapes {before.level.shape} and {after.level.shape}")
    return together([gap(one, other, design) for one, other in zip(before.level.T, after.level.T, strict=True)])


# ---- reading the arguments ----------------------------------------------------------------------------


def _known(found: np.ndarray, where: Mask) -> Codes:
    return np.where(where, found, MISSING).astype(np.int64)


def _two_dimensional(values: ArrayLike, what: str) -> Floats:
    try:
        numbers = np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise WeightedChoiceError(f"{what} must be numbers or NaN: {error}") from error
    if numbers.ndim != 2 or not numbers.shape[1]:
        raise WeightedChoiceError(
            f"{what} have shape {numbers.shape}; a row a respondent and a column a mode are needed"
        )
    return numbers


def _refuse(wrong: np.ndarray, what: str) -> None:
    if wrong.any():
        row, mode = (int(place[0]) for place in np.nonzero(wrong))
        raise WeightedChoiceError(f"{what} (row {row + 1}, mode {mode + 1}; {wrong.sum()} in all)")
