"""What is known of the population: margins of codes, and the checks that a sample can be weighted to them."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.design import Codes, Floats
from kysely.errors import AnalystError

SUM_TOLERANCE = 1e-6
"""How far shares may be from 1, and totals of two margins from each other, relatively: rounding, and no more."""

LISTED = 10
"""How many faulty codes a message lists before it says how many more there are."""

Kind = Literal["shares", "totals"]


class MarginError(AnalystError):
    """The sample can't be weighted to the margins as they are: says which margin and code, and what to do."""


class NotConverged(AnalystError):
    """The weights do not meet the margins to the tolerance asked for, so there are none.

    margin, code   where the gap is largest; None for a Number
    gap            relative: |reached - target| / target
    rounds         rounds made
    margin_errors  name → largest |reached - target| of the margin, in units of the weights
    """

    def __init__(
        self, what: str, *, margin: str, code: object, gap: float, rounds: int, margin_errors: Mapping[str, float]
    ):
        self.margin, self.code, self.gap, self.rounds = margin, code, gap, rounds
        self.margin_errors = dict(margin_errors)
        where = f"margin {margin!r}, code {code!r}" if code is not None else f"the total of {margin!r}"
        super().__init__(
            f"{what} stopped after {rounds} rounds: {where}, is still off by {gap:.2g} of its target. "
            "Margins that contradict each other, or cells without respondents, can't be met: merge codes, drop a "
            "margin, widen the bounds or allow more rounds"
        )


@dataclass(frozen=True, eq=False)
class Margin:
    """How the population divides by one variable, or by several crossed, and where each respondent stands.

    name      as messages and diagnostics name it
    codes     the K codes; of a crossed margin, tuples
    target    (K,) their shares or totals
    kind      which of the two
    columns   the respondents' labels: one array of shape (n,), or one for each variable crossed

    A respondent whose label is missing or not among *codes* may stand outside the domain that is weighted,
    never in it.
    """

    name: str
    codes: tuple[Hashable, ...]
    target: Floats
    kind: Kind
    columns: tuple[NDArray[Any], ...]

    @classmethod
    def of_shares(cls, name: str, labels: ArrayLike | tuple[ArrayLike, ...], shares: Mapping[Any, float]) -> Margin:
        """Return the margin of population *shares*, code → share, which sum to 1.

        labels  (n,) the code of each respondent; for a crossed margin a tuple of such arrays, the keys of
                *shares* being tuples of codes in the same order

        Raises MarginError for shares that are negative, missing or do not sum to 1.
        """
        margin = cls._of(name, labels, shares, "shares")
        if abs(margin.sum - 1) > SUM_TOLERANCE:
            raise MarginError(
                f"the shares of margin {name!r} sum to {margin.sum:.6g}, not to 1. "
                "Add the missing codes, or give totals and let them be scaled"
            )
        return margin

    @classmethod
    def of_totals(cls, name: str, labels: ArrayLike | tuple[ArrayLike, ...], totals: Mapping[Any, float]) -> Margin:
        """Return the margin of population *totals*, code → number in the population. As of_shares() otherwise."""
        return cls._of(name, labels, totals, "totals")

    @classmethod
    def _of(
        cls, name: str, labels: ArrayLike | tuple[ArrayLike, ...], targets: Mapping[Any, float], kind: Kind
    ) -> Margin:
        columns = tuple(np.asarray(one) for one in (labels if isinstance(labels, tuple) else (labels,)))
        if any(column.ndim != 1 or len(column) != len(columns[0]) for column in columns):
            shapes = ", ".join(str(column.shape) for column in columns)
            raise MarginError(f"margin {name!r} needs one label a respondent in each variable, not shapes {shapes}")
        if len(columns) > 1 and not all(isinstance(code, tuple) and len(code) == len(columns) for code in targets):
            raise MarginError(
                f"margin {name!r} crosses {len(columns)} variables: its codes are tuples of {len(columns)}"
            )
        try:
            target = np.array(list(targets.values()), dtype=float)
        except (TypeError, ValueError) as error:
            raise MarginError(f"the {kind} of margin {name!r} have to be numbers ({error})") from None
        wrong = [code for code, value in zip(targets, target, strict=True) if not (np.isfinite(value) and value >= 0)]
        if wrong or not target.sum() > 0:
            raise MarginError(
                f"the {kind} of margin {name!r} have to be numbers from 0 up, and some above 0; "
                f"wrong: {listed(wrong) or 'all are 0'}"
            )
        return cls(name, tuple(targets), target, kind, columns)

    def __len__(self) -> int:
        return len(self.columns[0])

    @property
    def sum(self) -> float:
        return float(self.target.sum())

    @cached_property
    def position(self) -> Codes:
        """(n,) which of the codes each respondent has, 0 … K-1; -1: none of them, or missing."""
        numbered = [_numbered(column) for column in self.columns]
        # One slot more than there are labels: a missing label is numbered -1, which is the last.
        table = np.full([len(labels) + 1 for _, labels in numbered], -1, np.int64)
        where = [{label: number for number, label in enumerate(labels)} for _, labels in numbered]
        for k, code in enumerate(self.codes):
            parts = code if len(self.columns) > 1 and isinstance(code, tuple) else (code,)
            slots = tuple(labels.get(part) for labels, part in zip(where, parts, strict=True))
            if None not in slots:
                table[slots] = k
        return np.asarray(table[tuple(numbers for numbers, _ in numbered)])

    def label(self, row: int) -> object:
        """Return the respondent's own label, as it was given."""
        found = tuple(column[row].item() if hasattr(column[row], "item") else column[row] for column in self.columns)
        return found if len(found) > 1 else found[0]


@dataclass(frozen=True, eq=False)
class Number:
    """A number whose population *total* is known: *values*, shape (n,), one a respondent.

    Respondents outside the domain that is weighted may have any value, or none.
    """

    name: str
    values: Floats
    total: float

    @classmethod
    def of(cls, name: str, values: ArrayLike, total: float) -> Number:
        """Return the number. Raises MarginError for a total or for values that are no finite numbers, or not (n,)."""
        numbers = np.asarray(values, dtype=float)
        if numbers.ndim != 1 or np.isinf(numbers).any() or not np.isfinite(total):
            raise MarginError(f"{name!r} needs a finite number a respondent, shape (n,), and a finite population total")
        return cls(name, numbers, float(total))


def listed(codes: Sequence[object]) -> str:
    """Return the first codes in words, and how many more there are."""
    shown = ", ".join(repr(code) for code in codes[:LISTED])
    return shown + (f" and {len(codes) - LISTED} more" if len(codes) > LISTED else "")


def _numbered(column: NDArray[Any]) -> tuple[NDArray[Any], list[Hashable]]:
    """Return the number of each respondent's label, -1 where it is missing, and the labels."""
    if column.dtype.kind in "iu" and len(column):
        low, high = int(column.min()), int(column.max())
        if 0 <= low and high < 65536:  # already numbered: a million labels are not worth hashing
            return column, list(range(high + 1))
    import pandas as pd

    numbers, labels = pd.factorize(column)
    return numbers, labels.tolist()
