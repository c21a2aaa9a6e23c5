"""Answers: what a study reads respondents from, be it an extract (analysis.extract) or a table in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from analysis.design import Codes, Floats
from analysis.disclosure import RESPONDENTS
from kysely.codebook import Codebook, Kind, Missing, Variable
from kysely.errors import AnalystError

if TYPE_CHECKING:
    import pandas as pd

MISSING = tuple(str(kind) for kind in Missing)
"""The kinds of missing, in the order of their numbers in `Answers.missing`."""

NUMERIC = (Kind.BINARY, Kind.LEVEL, Kind.NUMBER)


class Answers(Protocol):
    """The answers of n respondents; every array has shape (n,), in one order."""

    @property
    def codebook(self) -> Codebook: ...

    @property
    def organisation(self) -> NDArray[np.str_]:
        """The organisation of each respondent, by its key."""
        ...

    @property
    def promised(self) -> int:
        """Of how many respondents they were told that figures are at least (min_group)."""
        ...

    def __len__(self) -> int: ...

    def asked(self) -> tuple[Variable, ...]:
        """Return the variables of the codebook that there are answers to, in its order."""
        ...

    def codes(self, name: str) -> Codes:
        """Return a variable as positions in its categories, a binary one as 0 and 1; -1 where missing."""
        ...

    def numbers(self, name: str) -> Floats:
        """Return a level, binary or number variable as floats; NaN where missing."""
        ...

    def missing(self, name: str) -> Codes:
        """Return the kind of missing as a position in MISSING; -1 where there is a value."""
        ...

    def column(self, name: str) -> NDArray[Any]:
        """Return what is known of a respondent beside the answers (mode, completed_at …); None where nothing is."""
        ...

    def case_column(self, name: str) -> NDArray[Any]:
        """Return what is known of the sampled case (weight, stratum …); None where nothing is.

        Raises AnalystError if nothing of the name is known of any.
        """
        ...


@dataclass(frozen=True, eq=False)
class Part:
    """Some of the respondents of *whole*, as answers of their own."""

    whole: Answers
    rows: slice

    @property
    def codebook(self) -> Codebook:
        return self.whole.codebook

    @property
    def organisation(self) -> NDArray[np.str_]:
        return self.whole.organisation[self.rows]

    @property
    def promised(self) -> int:
        return self.whole.promised

    def __len__(self) -> int:
        return len(range(*self.rows.indices(len(self.whole))))

    def asked(self) -> tuple[Variable, ...]:
        return self.whole.asked()

    def codes(self, name: str) -> Codes:
        return self.whole.codes(name)[self.rows]

    def numbers(self, name: str) -> Floats:
        return self.whole.numbers(name)[self.rows]

    def missing(self, name: str) -> Codes:
        return self.whole.missing(name)[self.rows]

    def column(self, name: str) -> NDArray[Any]:
        return self.whole.column(name)[self.rows]

    def case_column(self, name: str) -> NDArray[Any]:
        return self.whole.case_column(name)[self.rows]


@dataclass(frozen=True, eq=False)
class Frame:
    """The answers in a table with an extract's columns of answers and `organisation`, as the simulator writes them.

    It does not tell why an answer is missing: NO_ANSWER stands for every kind.
    """

    table: pd.DataFrame
    codebook: Codebook
    promised: int = field(default=RESPONDENTS, kw_only=True)

    def __len__(self) -> int:
        return len(self.table)

    @cached_property
    def organisation(self) -> NDArray[np.str_]:
        return self.table["organisation"].to_numpy(dtype=object).astype(str)

    def asked(self) -> tuple[Variable, ...]:
        return tuple(one for one in self.codebook.variables if one.closed and one.name in self.table.columns)

    # Everything is decoded once for the whole table: the counter-test looks at hundreds of its parts.

    def codes(self, name: str) -> Codes:
        if name not in self._codes:
            self._codes[name] = self._decoded(self.codebook[name])
        return self._codes[name]

    def numbers(self, name: str) -> Floats:
        if name not in self._numbers:
            self._numbers[name] = self.table[name].to_numpy(dtype=float, na_value=np.nan)
        return self._numbers[name]

    def missing(self, name: str) -> Codes:
        if name not in self._missing:
            given = self.table[name].notna().to_numpy()
            self._missing[name] = np.where(given, -1, MISSING.index(Missing.NO_ANSWER)).astype(np.int64)
        return self._missing[name]

    def column(self, name: str) -> NDArray[Any]:
        found = self.table[name].astype(object)
        return found.where(found.notna(), None).to_numpy()

    def case_column(self, name: str) -> NDArray[Any]:
        if name not in self.table.columns:
            raise AnalystError(f"the plan's design names the column {name!r}, which the table does not have")
        return self.column(name)

    def _decoded(self, variable: Variable) -> Codes:
        if variable.kind is Kind.BINARY:
            return np.nan_to_num(self.numbers(variable.name), nan=-1).astype(np.int64)
        known = [one.value if variable.kind in NUMERIC else one.code for one in variable.categories]
        place = {answer: position for position, answer in enumerate(known)}
        column = self.table[variable.name]
        found = column.map(place)
        if strangers := sorted(set(column[found.isna() & column.notna()].astype(str))):
            raise AnalystError(f"{variable.name}: the codes {', '.join(strangers)} are not in the codebook")
        return found.fillna(-1).to_numpy(dtype=np.int64)

    @cached_property
    def _codes(self) -> dict[str, Codes]:
        return {}

    @cached_property
    def _numbers(self) -> dict[str, Floats]:
        return {}

    @cached_property
    def _missing(self) -> dict[str, Codes]:
        return {}
