"""Answers and groups given as labels: turned into positions once, the same way for every test."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from analysis.design import Codes, Mask
from kysely.errors import AnalystError


class NotTestable(AnalystError):
    """The answers can't carry the test: a single group, a constant answer, no degrees of freedom. Says which."""


def categories(labels: ArrayLike, n: int, what: str) -> tuple[Codes, tuple[str, ...]]:
    """Return the position of each of n respondents' label among the sorted labels, and the labels as text.

    A label that is None, NaN or pandas' NA is missing and has position -1. Numbers are sorted as numbers.
    Raises NotTestable if the labels are not n, or can't be sorted because they mix numbers and text.
    """
    values = np.asarray(labels)
    if values.shape != (n,):
        raise NotTestable(f"{what} has shape {values.shape}; one label for each of {n} respondents is needed")
    absent = _missing(values)
    present = values[~absent]
    try:
        names, positions = np.unique(present, return_inverse=True)
    except TypeError as error:
        raise NotTestable(f"{what} mixes numbers and text; code it one way") from error
    codes = np.full(n, -1, np.int64)
    codes[~absent] = positions
    return codes, tuple(_text(name) for name in names.tolist())


def two(labels: Sequence[str], what: str) -> None:
    """Raise NotTestable unless there are exactly two groups."""
    if len(labels) != 2:
        raise NotTestable(f"{what} has {_groups(labels)} ({', '.join(labels[:6])}); this test compares two")


def several(labels: Sequence[str], what: str) -> None:
    """Raise NotTestable unless there are two groups or more."""
    if len(labels) < 2:
        raise NotTestable(f"{what} has {_groups(labels)} with answers; a comparison needs at least two")


def _groups(labels: Sequence[str]) -> str:
    return "1 group" if len(labels) == 1 else f"{len(labels)} groups"


def _missing(values: np.ndarray) -> Mask:
    if values.dtype.kind == "O":
        from pandas import isna

        return np.asarray(isna(values), dtype=bool)
    return np.isnan(values) if values.dtype.kind == "f" else np.zeros(values.shape, bool)


def _text(label: object) -> str:
    return str(int(label)) if isinstance(label, float) and label.is_integer() else str(label)
