"""The embedded engine on a Parquet file: only the design and the columns of one table are in memory at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.design import Codes, Design, DesignError, Floats
from analysis.engines import MEMBERS, Bases, Coded, Crossing, DesignColumns, Picks
from analysis.engines.memory import Banners, Memory
from analysis.moments import Moments


class Parquet:
    """Makes Moments from a Parquet file, column by column. See analysis.engines.Engine for what it answers.

    Raises DesignError for a file that can't be read and for columns that it lacks.
    """

    place = "memory"

    def __init__(self, path: Path, columns: DesignColumns):
        self.path = path
        self._columns = columns
        self._banners: tuple[tuple[Coded | None, ...], Banners] | None = None

    @classmethod
    def of(cls, path: Path, design: DesignColumns | Callable[[Sequence[str]], DesignColumns]) -> Parquet:
        """Return the engine of the file; *design* may be a function of the columns it has."""
        if isinstance(design, DesignColumns):
            return cls(path, design)
        found = cls(path, DesignColumns("")).columns
        return cls(path, design(found))

    @cached_property
    def design(self) -> Design:
        """The design of all respondents of the file, in its order."""
        of = self._columns
        if of.respondent is not None:
            self._refuse_twice(of.respondent)
        weight = self.values(of.weight)
        return Design.of(
            weight if of.per is None else weight / self._sizes,
            psu=None if of.psu is None else self._labels(of.psu),
            stratum=None if of.stratum is None else self._labels(of.stratum),
            fpc=None if of.fpc is None else self.values(of.fpc),
            lonely=of.lonely,
        )

    @cached_property
    def memory(self) -> Memory:
        """The engine of the design, for arrays."""
        return Memory(self.design)

    def crosstabs(self, stub: Coded, banners: Sequence[Coded]) -> list[Moments]:
        """Return the Moments of one question by each of *banners*."""
        return self.tables([(stub, banner) for banner in banners])

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(self._schema.names)

    def under(self, design: DesignColumns) -> Parquet:
        """Return the engine of the same file under another design."""
        return Parquet(self.path, design)

    def tables(self, crossings: Sequence[Crossing]) -> list[Moments]:
        """Return the Moments of many tables, in order; those of a question should stand together."""
        made: list[Moments] = []
        for stub, some in groupby(crossings, key=lambda crossing: crossing[0]):
            groups = [group for _, group in some]
            if isinstance(stub, Picks):
                made += [self._picked(stub, group) for group in groups]
            else:
                made += self.memory.tables(self.codes(stub), len(stub.codes), self._prepared(tuple(groups)))
        return made

    def bases(self, crossings: Sequence[Crossing]) -> list[Bases]:
        """Return who is in the base of each, in order."""
        return [self._base(stub, group) for stub, group in crossings]

    def numbers(self, columns: Sequence[str], group: Coded | None = None) -> Moments:
        """Return the Moments of ones and then *columns*, in every group."""
        values = np.stack([self.values(name) for name in columns], axis=1)
        if group is None:
            return self.memory.sums(values)
        return self.memory.sums(values, self.codes(group), len(group.codes))

    def products(self, rows: Sequence[str], columns: Sequence[str]) -> Moments:
        """Return the Moments of all products (1, rows) × (1, columns)."""
        one = np.ones(len(self.design))
        above = [one, *(self.values(name) for name in rows)]
        across = [one, *(self.values(name) for name in columns)]
        return self.memory.sums(np.stack([a * b for a in above for b in across][1:], axis=1))

    def close(self) -> None:
        """Nothing is held open."""

    def __enter__(self) -> Parquet:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def local(self, purpose: str) -> Parquet:
        """Return itself: the data are here."""
        return self

    def codes(self, coded: Coded) -> NDArray[Any]:
        """Return the position of every respondent's code in *coded*, (n,); -1 where the field is empty.

        Raises DesignError for a value that is not among the codes.
        """
        import pyarrow as pa

        column = self._read(coded.column)
        size = np.int8 if len(coded.codes) < 128 else np.int64
        if pa.types.is_integer(column.type) and all(isinstance(code, int) for code in coded.codes):
            return _numbered(column, coded, size)
        encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
        known = {code: position for position, code in enumerate(coded.codes)}
        return np.concatenate(
            [_positions(chunk, known, coded, size) for chunk in encoded.chunks] or [np.empty(0, size)]
        )

    def values(self, column: str) -> Floats:
        """Return a column of numbers, (n,); NaN where the field is empty. Raises DesignError if it holds no numbers."""
        import pyarrow as pa

        try:
            numbers = self._read(column).cast(pa.float64())
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            raise DesignError(f"the column {column!r} of {self.path.name} doesn't hold numbers") from None
        return np.asarray(numbers.to_numpy(), dtype=float)

    def _prepared(self, groups: tuple[Coded | None, ...]) -> Banners:
        """Return the banners; the last that were asked for are kept, as questions share them."""
        if self._banners is None or self._banners[0] != groups:
            self._banners = groups, self.memory.banners([self._group(group) for group in groups])
        return self._banners[1]

    def _group(self, group: Coded | None) -> tuple[NDArray[Any], int]:
        if group is None:
            return np.zeros(len(self.design), np.int8), 1
        return self.codes(group), len(group.codes)

    def _picked(self, picks: Picks, group: Coded | None) -> Moments:
        codes = np.stack([self.codes(item) for item in picks.items], axis=1)
        return self.memory.sums(np.where(codes < 0, np.nan, codes), *self._group(group))

    def _base(self, stub: Coded | Picks, group: Coded | None) -> Bases:
        answered = np.ones(len(self.design), bool)
        for item in stub.items if isinstance(stub, Picks) else (stub,):
            answered &= self.codes(item) >= 0
        of, groups = self._group(group)
        place = np.where(of < 0, groups, of).astype(np.int64) * MEMBERS + np.minimum(self._sizes, MEMBERS) - 1
        shape, cells = (groups + 1, MEMBERS), (groups + 1) * MEMBERS
        n = np.bincount(place[answered], minlength=cells)
        pairs = np.unique(place[answered] * (int(self._owners.max(initial=0)) + 1) + self._owners[answered])
        owners = np.bincount(pairs // (int(self._owners.max(initial=0)) + 1), minlength=cells)
        return Bases(n.reshape(shape), owners.reshape(shape))

    @cached_property
    def _owners(self) -> Codes:
        """(n,) the organisation of every respondent as a number; without one the PSU."""
        per = self._columns.per
        return self.design.psu if per is None else np.unique(self._labels(per), return_inverse=True)[1].astype(np.int64)

    @cached_property
    def _sizes(self) -> Codes:
        """(n,) how many respondents the organisation has; 1 where the design names none."""
        if self._columns.per is None:
            return np.ones(len(self.design), np.int64)
        return np.bincount(self._owners)[self._owners] if len(self._owners) else self._owners

    def _refuse_twice(self, column: str) -> None:
        labels = self._labels(column)
        if (different := len(np.unique(labels))) < len(labels):
            raise DesignError(
                f"{len(labels)} rows have {different} different values in {column!r}: a respondent comes twice, "
                "and counting a person twice would narrow every interval. Take the repetitions out"
            )

    def _labels(self, column: str) -> NDArray[Any]:
        """Return labels as whole numbers: counted from 0 where they are few enough, else as a dictionary has them."""
        import pyarrow as pa

        read = self._read(column)
        if read.null_count:
            raise DesignError(f"{column!r} is missing for {read.null_count} respondents; every one belongs to one")
        if pa.types.is_integer(read.type):
            return np.asarray(read.to_numpy())
        encoded = (
            read.combine_chunks() if pa.types.is_dictionary(read.type) else read.combine_chunks().dictionary_encode()
        )
        whole = encoded.unify_dictionaries() if isinstance(encoded, pa.ChunkedArray) else encoded
        chunks = whole.chunks if isinstance(whole, pa.ChunkedArray) else [whole]
        return np.concatenate([chunk.indices.to_numpy() for chunk in chunks])

    def _read(self, column: str) -> Any:
        import pyarrow as pa
        import pyarrow.parquet as pq

        schema = self._schema
        if column not in schema.names:
            raise DesignError(f"{self.path.name} has no column {column!r}; it has {', '.join(schema.names[:20])} …")
        text = pa.types.is_string(schema.field(column).type) or pa.types.is_large_string(schema.field(column).type)
        with self._unreadable_named():
            return pq.read_table(self.path, columns=[column], read_dictionary=[column] if text else None).column(0)

    @cached_property
    def _schema(self) -> Any:
        import pyarrow.parquet as pq

        with self._unreadable_named():
            return pq.read_schema(self.path)

    @contextmanager
    def _unreadable_named(self) -> Iterator[None]:
        import pyarrow as pa

        try:
            yield
        except (OSError, pa.ArrowInvalid) as error:
            raise DesignError(f"{self.path.name} can't be read as Parquet ({error}); make it anew") from None


def _numbered(column: Any, coded: Coded, size: type) -> NDArray[Any]:
    codes = np.array(coded.codes, np.int64)
    low, high = int(codes.min()), int(codes.max())
    absent = column.is_null().to_numpy() if column.null_count else None
    values = np.asarray((column.fill_null(low) if column.null_count else column).to_numpy())
    if len(values) and (values.min() < low or values.max() > high):
        wrong = values[(values < low) | (values > high)][0]
        raise _unknown(coded, wrong)
    position: NDArray[Any] = np.full(high - low + 1, -1, size)
    position[codes - low] = np.arange(len(codes))
    found = position[values.astype(np.int64) - low] if low else position[values]
    if len(codes) < len(position) and (found < 0).any():
        raise _unknown(coded, values[found < 0][0])
    if absent is not None:
        found[absent] = -1
    return found


def _positions(chunk: Any, known: dict[Any, int], coded: Coded, size: type) -> NDArray[Any]:
    labels = chunk.dictionary.to_pylist()
    position: NDArray[Any] = np.array([known.get(label, -2) for label in labels] + [-1], size)
    indices = chunk.indices.fill_null(len(labels)).to_numpy() if chunk.null_count else chunk.indices.to_numpy()
    found = position[indices]
    if (found == -2).any():
        raise _unknown(coded, labels[int(indices[found == -2][0])])
    return found


def _unknown(coded: Coded, value: object) -> DesignError:
    return DesignError(
        f"the column {coded.column!r} holds {value!r}, which is not among its codes "
        f"({', '.join(map(str, coded.codes[:10]))}); mend the data or the codebook"
    )
