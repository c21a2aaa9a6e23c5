"""The columns of a regression, from plain arrays: numbers as they are, classifications as 0/1 columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.design import Codes, Floats, Mask
from kysely.errors import AnalystError

INTERCEPT = "(Intercept)"

# A column is taken for a combination of others when less than this share of its length is its own.
OWN_SHARE = 1e-9


class ModelError(AnalystError):
    """A model can't be fitted to these answers: says which column or category is at fault and what to do."""


@dataclass(frozen=True, eq=False)
class Factor:
    """A classification of n respondents; a model compares its other levels with the first, the reference.

    code    (n,) place in levels, -1 where the answer is missing
    levels  at least one label, the reference first
    chosen  whether somebody asked for this reference (then a base without it is an error)
    """

    code: Codes
    levels: tuple[object, ...]
    chosen: bool = False

    @classmethod
    def of(
        cls, values: ArrayLike, *, levels: Sequence[object] | None = None, reference: object | None = None
    ) -> Factor:
        """Return the factor of labels, shape (n,); None and NaN are missing.

        levels     order of the labels; sorted if not given (R: factor())
        reference  the level the others are compared with; the first if not given (R: relevel())

        Raises ModelError for a label outside *levels*, a level given twice and a reference that is no level.
        """
        import pandas

        labels = np.asarray(values, dtype=object)
        if labels.ndim != 1:
            raise ModelError(f"a classification has shape {labels.shape}; one label a respondent is needed")
        found = set(pandas.unique(labels[~pandas.isna(labels)]).tolist())
        order = _sorted(found) if levels is None else list(levels)
        if len(set(order)) != len(order):
            raise ModelError(f"levels {order} name one twice")
        outside = found - set(order)
        if outside:
            raise ModelError(f"{_sorted(outside)[0]!r} is not among the levels {order}; add it, or make it missing")
        if reference is not None and reference not in order:
            raise ModelError(f"the reference {reference!r} is not among the levels {order}")
        if reference is not None:
            order = [reference, *(level for level in order if level != reference)]
        code = pandas.Index(order, dtype=object).get_indexer(labels).astype(np.int64)
        return cls(code, tuple(order), reference is not None)

    def within(self, inside: Mask, name: str) -> Factor:
        """Return the factor with only the levels that somebody *inside* has."""
        used = np.bincount(self.code[inside], minlength=len(self.levels)) > 0
        if self.chosen and not used[0]:
            raise ModelError(f"nobody in the base has the reference {self.levels[0]!r} of {name}; choose another")
        place = np.where(used, np.cumsum(used) - 1, -1)
        code = np.where(self.code >= 0, place[self.code], -1)
        return Factor(code, tuple(label for label, u in zip(self.levels, used, strict=True) if u), self.chosen)


Variable = Floats | Factor


@dataclass(frozen=True, eq=False)
class Predictors:
    """The right-hand side of a model of n respondents, with treatment-coded factors.

    n             respondents
    variables     name → numbers (n,), NaN missing; or a Factor
    interactions  pairs of names whose products enter after the variables
    intercept     whether a first column of ones belongs to the model
    """

    n: int
    variables: dict[str, Variable]
    interactions: tuple[tuple[str, str], ...]
    intercept: bool

    @classmethod
    def of(
        cls,
        variables: Mapping[str, ArrayLike | Factor],
        n: int,
        *,
        interactions: Sequence[tuple[str, str]] = (),
        intercept: bool = True,
    ) -> Predictors:
        """Return the predictors of named arrays, each of shape (n,).

        Numbers and booleans enter as they are; text becomes a Factor with sorted levels, a pandas categorical
        one in its own order. Codes that are numbers but mean classes must be given as Factor.of(codes).

        Raises ModelError for another shape, an infinite number and an interaction of something unnamed.
        """
        taken = {name: _variable(name, values, n) for name, values in variables.items()}
        for pair in interactions:
            if len(pair) != 2 or pair[0] == pair[1] or not set(pair) <= set(taken):
                raise ModelError(f"interaction {pair} is not a pair of two of the predictors {list(taken)}")
        return cls(n, taken, tuple((a, b) for a, b in interactions), intercept)

    @cached_property
    def complete(self) -> Mask:
        """(n,) true where no predictor is missing."""
        return np.logical_and.reduce([np.ones(self.n, bool), *map(present, self.variables.values())])

    def within(self, inside: Mask) -> Predictors:
        """Return the same predictors without the levels nobody *inside* has (R: drop.unused.levels)."""
        kept = {
            name: variable.within(inside, name) if isinstance(variable, Factor) else variable
            for name, variable in self.variables.items()
        }
        return replace(self, variables=kept)

    def setting(self, name: str, value: object) -> Predictors:
        """Return the predictors as they would be if *name* were *value* for everybody."""
        variable = self.variable(name)
        if isinstance(variable, Factor):
            if value not in variable.levels:
                raise ModelError(f"{value!r} is not a level of {name} in this model: {list(variable.levels)}")
            changed: Variable = replace(variable, code=np.full_like(variable.code, variable.levels.index(value)))
        else:
            changed = np.full_like(variable, float(value))  # type: ignore[arg-type]
        return replace(self, variables=self.variables | {name: changed})

    def shifted(self, name: str) -> Predictors:
        """Return the predictors as they would be if the number *name* were larger by one for everybody."""
        variable = self.variable(name)
        if isinstance(variable, Factor):
            raise ModelError(f"{name} is a classification; it can't grow by one")
        return replace(self, variables=self.variables | {name: variable + 1})

    def variable(self, name: str) -> Variable:
        if name not in self.variables:
            raise ModelError(f"{name!r} is not a predictor of this model: {list(self.variables)}")
        return self.variables[name]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns as R gives them: (Intercept), tenure, roleCFO, tenure:roleCFO."""
        return (*[INTERCEPT] * self.intercept, *(name for name, _, _ in self._columns))

    @property
    def terms(self) -> tuple[str, ...]:
        """The variable or interaction ("a:b") each column belongs to; "" for the intercept."""
        return (*[""] * self.intercept, *(term for _, term, _ in self._columns))

    @cached_property
    def matrix(self) -> Floats:
        """(n, k) the columns, led by ones with an intercept; 0 for what is missing, a row that has no weight."""
        led = [np.ones(self.n)] if self.intercept else []
        columns = [*led, *(column for _, _, column in self._columns)]
        return np.nan_to_num(np.column_stack(columns)) if columns else np.zeros((self.n, 0))

    @cached_property
    def _columns(self) -> list[tuple[str, str, Floats]]:
        own = {name: _columns_of(name, variable) for name, variable in self.variables.items()}
        made = [(label, name, column) for name, columns in own.items() for label, column in columns]
        for a, b in self.interactions:  # the first varies fastest, as in R
            made += [(f"{i}:{j}", f"{a}:{b}", x * z) for j, z in own[b] for i, x in own[a]]
        return made


def check_columns(predictors: Predictors, inside: Mask) -> None:
    """Raise ModelError if a column is constant or a combination of others among those *inside*; names them."""
    for name, variable in predictors.variables.items():
        if isinstance(variable, Factor) and len(variable.levels) < 2:
            raise ModelError(f"{name} has a single level in the base, {variable.levels}; leave it out of the model")
    # Slopes are estimable only beside a constant, whether it is called intercept or thresholds.
    beside = replace(predictors, intercept=True)
    matrix, names = beside.matrix[inside], beside.names
    for name, column in zip(names[1:], matrix.T[1:], strict=True):
        if np.ptp(column) == 0:
            raise ModelError(f"{name} is {column[0]:g} for everybody in the base; leave it out, or merge its levels")
    # Lengths and angles of the columns are those of the triangle, which has only k rows.
    triangle = np.asarray(np.linalg.qr(matrix / np.abs(matrix).max(axis=0), mode="r"))
    dependent = _dependent(triangle)
    if dependent:
        described = "; ".join(f"{names[j]} follows from {', '.join(names[i] for i in o)}" for j, o in dependent)
        raise ModelError(f"columns are collinear: {described}. Leave one of them out, or merge levels")


def _dependent(columns: Floats) -> list[tuple[int, list[int]]]:
    """Return each column that earlier ones give, with the places of those that it needs."""
    kept: list[int] = []
    found = []
    for j in range(columns.shape[1]):
        basis, column = columns[:, kept], columns[:, j]
        weights = np.linalg.lstsq(basis, column, rcond=None)[0] if kept else np.zeros(0)
        if np.linalg.norm(column - basis @ weights) > OWN_SHARE * np.linalg.norm(column):
            kept.append(j)
        else:
            large = np.abs(weights) > 1e-7 * np.abs(weights).max(initial=0)
            found.append((j, [kept[i] for i in np.flatnonzero(large)]))
    return found


def _variable(name: str, values: ArrayLike | Factor, n: int) -> Variable:
    if isinstance(values, Factor):
        variable: Variable = values
    elif (categories := getattr(getattr(values, "dtype", None), "categories", None)) is not None:  # pandas' own
        variable = Factor.of(values, levels=list(categories))
    else:
        given: NDArray[np.generic] = np.asarray(values)
        variable = _numbers(given) if _is_numeric(given) else Factor.of(given)
    shape = variable.code.shape if isinstance(variable, Factor) else variable.shape
    if shape != (n,):
        raise ModelError(f"{name} has shape {shape}, the design has {n} respondents")
    if not isinstance(variable, Factor) and np.isinf(variable).any():
        raise ModelError(f"{name} is infinite for {np.isinf(variable).sum()} respondents; missing answers are NaN")
    return variable


def numbers(values: ArrayLike, what: str) -> Floats:
    """Return *values* as floats, NaN for what is missing. Raises ModelError for text; *what* names them."""
    given: NDArray[np.generic] = np.asarray(values)
    if not _is_numeric(given):
        raise ModelError(f"{what} is not made of numbers; code its categories, or make it 0 and 1")
    return _numbers(given)


def _is_numeric(values: NDArray[np.generic]) -> bool:
    if values.dtype.kind != "O":
        return values.dtype.kind in "biuf"
    from numbers import Real

    import pandas

    return all(isinstance(value, Real) for value in values[~pandas.isna(values)].tolist())


def _numbers(values: NDArray[np.generic]) -> Floats:
    if values.dtype.kind != "O":
        return values.astype(float)
    import pandas

    return np.where(pandas.isna(values), np.nan, values).astype(float)


def present(variable: Variable) -> Mask:
    return variable.code >= 0 if isinstance(variable, Factor) else ~np.isnan(variable)


def _columns_of(name: str, variable: Variable) -> list[tuple[str, Floats]]:
    if not isinstance(variable, Factor):
        return [(name, variable)]
    return [
        (f"{name}{label(level)}", (variable.code == i).astype(float))
        for i, level in enumerate(variable.levels)
        if i > 0
    ]


def label(level: object) -> str:
    """Return a level as R prints it: 2.0 is "2"."""
    return f"{level:g}" if isinstance(level, float) else str(level)


def _sorted(labels: set[object]) -> list[object]:
    try:
        return sorted(labels)  # type: ignore[type-var]
    except TypeError:
        raise ModelError(f"labels mix text and numbers: {sorted(map(str, labels))}; give them one type") from None
