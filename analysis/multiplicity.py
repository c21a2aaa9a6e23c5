"""Many tests at once: adjusted p-values, and the family that says beforehand which tests count together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from analysis.design import Floats
from kysely.errors import AnalystError

Method = Literal["none", "bonferroni", "holm", "hochberg", "hommel", "bh", "by"]


class FamilyError(AnalystError):
    """The p-values are no family of tests: one is missing, twice there, undeclared or no probability."""


def adjusted(p: ArrayLike, method: Method) -> Floats:
    """Return the p-values *p*, shape (m,), adjusted for being m at once; in the same order. R: p.adjust().

    bonferroni, holm, hochberg, hommel keep the chance of any false finding in the family at the level; bh and
    by the expected share of false ones among the findings. hochberg, hommel and bh suppose tests that are
    independent or positively dependent; bonferroni, holm and by suppose nothing.
    Bonferroni; Holm (1979); Hochberg (1988); Hommel (1988); Benjamini and Hochberg (1995); Benjamini and
    Yekutieli (2001).

    Raises FamilyError for p-values that are missing or outside 0 … 1, and for an unknown method.
    """
    values = np.asarray(p, dtype=float)
    if method not in get_args(Method):
        raise FamilyError(f"no adjustment is called {method!r}; choose one of {', '.join(get_args(Method))}")
    if values.ndim != 1:
        raise FamilyError(f"p-values have shape {values.shape}; give one list of them")
    wrong = ~((values >= 0) & (values <= 1))
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        raise FamilyError(
            f"p-value number {first + 1} of {len(values)} is {values[first]}, which is no probability; "
            "leave tests that can't be made out of the list, or count them as 1"
        )
    return _METHODS[method](values) if len(values) else values


def _none(p: Floats) -> Floats:
    return p.copy()


def _bonferroni(p: Floats) -> Floats:
    return np.minimum(1, p * len(p))


def _holm(p: Floats) -> Floats:
    order = np.argsort(p, kind="stable")
    steps = p[order] * np.arange(len(p), 0, -1)
    return _in_place(np.maximum.accumulate(steps), order)


def _hochberg(p: Floats) -> Floats:
    return _step_up(p, np.arange(1, len(p) + 1, dtype=float))


def _bh(p: Floats) -> Floats:
    m = len(p)
    return _step_up(p, m / np.arange(m, 0, -1))


def _by(p: Floats) -> Floats:
    m = len(p)
    return _step_up(p, (1 / np.arange(1, m + 1)).sum() * m / np.arange(m, 0, -1))


def _step_up(p: Floats, factor: Floats) -> Floats:
    """From the largest p-value down: multiply by *factor*, never above a larger one's result."""
    order = np.argsort(-p, kind="stable")
    return _in_place(np.minimum.accumulate(p[order] * factor), order)


def _hommel(p: Floats) -> Floats:
    """Closed testing with Simes' test; the algorithm of Wright (1992), Biometrics 48, appendix."""
    m = len(p)
    order = np.argsort(p, kind="stable")
    ranked = p[order]
    result = np.full(m, (m * ranked / np.arange(1, m + 1)).min())
    for size in range(m - 1, 1, -1):
        small, large = slice(0, m - size + 1), slice(m - size + 1, m)
        least = (size * ranked[large] / np.arange(2, size + 1)).min()
        bound = np.empty(m)
        bound[small] = np.minimum(size * ranked[small], least)
        bound[large] = bound[m - size]
        result = np.maximum(result, bound)
    return _in_place(np.maximum(result, ranked), order)


def _in_place(ranked: Floats, order: np.ndarray) -> Floats:
    """Put results, given in the order of the sorted p-values, back where the p-values stood."""
    result = np.empty(len(ranked))
    result[order] = np.minimum(1, ranked)
    return result


_METHODS = {
    "none": _none,
    "bonferroni": _bonferroni,
    "holm": _holm,
    "hochberg": _hochberg,
    "hommel": _hommel,
    "bh": _bh,
    "by": _by,
}


@dataclass(frozen=True)
class Family:
    """The tests that are read together, declared by name before any p-value is seen.

    name    what the table's note calls it: "row" (the columns of one row) or "book" (all tables)
    method  how it is adjusted
    tests   the name of each test, unique
    """

    name: str
    method: Method
    tests: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.method not in get_args(Method):
            raise FamilyError(f"family {self.name!r}: no adjustment is called {self.method!r}")
        twice = [test for test, times in Counter(self.tests).items() if times > 1]
        if twice:
            raise FamilyError(f"family {self.name!r} declares {', '.join(twice)} twice; each test has one name")
        if not self.tests:
            raise FamilyError(f"family {self.name!r} has no tests; declare at least one")

    def adjusted(self, p: Mapping[str, float | None]) -> dict[str, float | None]:
        """Return the adjusted p-value of every declared test, in the order of declaration.

        None stands for a test that couldn't be made; it stays None and counts as one with p = 1, so that what
        turns out not to be testable never makes the others look better.
        Raises FamilyError unless *p* has exactly the declared tests.
        """
        missing = [test for test in self.tests if test not in p]
        declared = set(self.tests)
        strange = [test for test in p if test not in declared]
        if missing or strange:
            parts = [f"{', '.join(missing)} declared without a p-value"] if missing else []
            parts += [f"{', '.join(strange)} not declared"] if strange else []
            raise FamilyError(f"family {self.name!r}: {' and '.join(parts)}; a family is settled before its tests")
        given = [p[test] for test in self.tests]
        results = adjusted([1.0 if value is None else value for value in given], self.method)
        return {
            test: None if value is None else float(result)
            for test, value, result in zip(self.tests, given, results, strict=True)
        }
