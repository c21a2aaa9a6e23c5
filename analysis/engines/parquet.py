"""The embedded engine on a Parquet file: only the design and the columns of one table are in memory at a time."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.design import Design, DesignError, Floats
from analysis.engines import Coded, DesignColumns
from analysis.engines.memory import Banners, Memory
from analysis.moments import Moments


class Parquet:
    """Makes Moments from a Parquet file, column by column. See analysis.engines.Engine for what it answers.

    Raises DesignError for a file that can't be read and for columns that it lacks.
    """

    def __init__(self, path: Path, columns: DesignColumns):
        self.path = path
        self._columns = columns
        self._banners: tuple[tuple[Coded, ...], Banners] | None = None

    @cached_property
    def design(self) -> Design:
        """The design of all respondents of the file, in its order."""
        of = self._columns
        return Design.of(
            self.values(of.weight),
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
        """Return the Moments of one question by each of *banners*. The last banners asked for are kept."""
        if self._banners is None or self._banners[0] != tuple(banners):
            prepared = self.memory.banners([(self.codes(each), len(each.codes)) for each in banners])
            self._banners = tuple(banners), prepared
        return self.memory.tables(self.codes(stub), len(stub.codes), self._banners[1])

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

        try:
            schema = self._schema
            if column not in schema.names:
                raise DesignError(f"{self.path.name} has no column {column!r}; it has {', '.join(schema.names[:20])} …")
            text = pa.types.is_string(schema.field(column).type) or pa.types.is_large_string(schema.field(column).type)
            table = pq.read_table(self.path, columns=[column], read_dictionary=[column] if text else None)
        except (OSError, pa.ArrowInvalid) as error:
            raise DesignError(f"{self.path.name} can't be read as Parquet ({error}); make the extract anew") from None
        return table.column(0)

    @cached_property
    def _schema(self) -> Any:
        import pyarrow.parquet as pq

        return pq.read_schema(self.path)


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
