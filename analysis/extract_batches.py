"""An extract that is too large to be in memory at once: the same checks, a batch of responses at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.extract import (
    Extract,
    ExtractError,
    check_frame,
    check_part,
    check_rows,
    codebook_in,
    compare_counts,
    manifest_in,
    unreadable_named,
    verified,
)
from kysely.codebook import Codebook

if TYPE_CHECKING:
    import pyarrow as pa

BATCH = 65_536
"""Responses that are in memory at a time where an extract is read in batches."""


@dataclass(frozen=True, eq=False)
class Stored:
    """An extract whose rows stay in the file: however many there are, a batch of them is in memory."""

    folder: Path
    codebook: Codebook
    manifest: Mapping[str, Any]
    sha256: str

    @cached_property
    def empty(self) -> Extract:
        """The extract without its rows, which knows what was asked."""
        responses, cases = (_parquet(self.folder / f"{name}.parquet") for name in ("responses", "cases"))
        return self._part(responses.schema_arrow.empty_table(), cases.schema_arrow.empty_table())

    def batches(self, rows: int = BATCH, *, case_columns: Collection[str] = ()) -> Iterator[Extract]:
        """Yield the extract in parts of at most *rows* responses, each checked as `read` checks the whole.

        case_columns  what the parts have to know of the sampled cases; these columns are in memory for all of them

        Whether a response comes twice can't be seen in a part; whoever puts the parts together has to look.
        Raises ExtractError as `read` does.
        """
        cases = _Cases(self.folder / "cases.parquet", case_columns)
        found: Counter[str] = Counter()
        for batch in _batches(self.folder / "responses.parquet", rows):
            part = self._part(batch, cases.of(batch.column("response")))
            check_part(part)
            found.update(part.column("disposition").tolist())
            yield part
        check_rows(self.manifest, found.total())
        compare_counts(self.manifest, found)

    def _part(self, responses: pa.Table, cases: pa.Table) -> Extract:
        return Extract(responses, cases, self.codebook, self.manifest, self.sha256)


class _Cases:
    """Some columns of the sampled cases, looked up by response."""

    def __init__(self, file: Path, columns: Collection[str]):
        import pyarrow.compute as pc

        empty = _parquet(file).schema_arrow.empty_table()
        if lacking := sorted(set(columns) - set(empty.column_names)):
            raise ExtractError(f"the plan's design names the column {lacking[0]!r}, which cases.parquet does not have")
        self._table = empty
        if columns:
            with unreadable_named(file):
                table = _parquet(file).read(["response", *sorted(set(columns))])
            self._table = table.filter(pc.is_valid(table.column("response")))

    def of(self, responses: pa.ChunkedArray) -> pa.Table:
        """Return the cases of *responses*, in their order; none where nothing need be known of them."""
        if self._table.num_rows == 0:
            return self._table
        place = self._places.get_indexer(responses.to_pylist())
        if without := int((place < 0).sum()):
            raise ExtractError(
                f"{without} responses have no case in cases.parquet, so nothing is known of how they were sampled. "
                "Make the extract anew"
            )
        return self._table.take(place)

    @cached_property
    def _places(self) -> Any:
        import pandas as pd

        return pd.Index(self._table.column("response").to_pylist())


def stored(folder: Path) -> Stored:
    """Return the extract in *folder*, its files verified and its rows left where they are. Raises as `read` does."""
    manifest = manifest_in(folder)
    digest = verified(folder, manifest)
    found = Stored(folder, codebook_in(folder / "codebook.json"), manifest, digest)
    check_frame(found.empty)
    return found


def _parquet(path: Path) -> Any:
    import pyarrow.parquet as pq

    with unreadable_named(path):
        return pq.ParquetFile(path)


def _batches(path: Path, rows: int) -> Iterator[pa.Table]:
    import pyarrow as pa

    with unreadable_named(path):
        for batch in _parquet(path).iter_batches(rows):
            yield pa.Table.from_batches([batch])
