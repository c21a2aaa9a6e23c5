"""An extract that is too large to be in memory at once: the same checks, a batch of responses at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
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

    def batches(self, rows: int = BATCH) -> Iterator[Extract]:
        """Yield the extract in parts of at most *rows* responses, each checked as `read` checks the whole.

        Whether a response comes twice can't be seen in a part; whoever puts the parts together has to look.

        Raises ExtractError as `read` does, and for cases that stand in another order than the responses.
        """
        cases = _Cases(self.folder / "cases.parquet")
        found: Counter[str] = Counter()
        for batch in _batches(self.folder / "responses.parquet", rows):
            part = self._part(batch, cases.of(batch.column("response").to_pylist()))
            check_part(part)
            found.update(part.column("disposition").tolist())
        check_rows(self.manifest, found.total())
        compare_counts(self.manifest, found)

    def _part(self, responses: pa.Table, cases: pa.Table) -> Extract:
        return Extract(responses, cases, self.codebook, self.manifest, self.sha256)


class _Cases:
    """The sampled cases of a file, taken in the order of their responses."""

    def __init__(self, file: Path):
        self._batches = _batches(file, BATCH)
        self._waiting: pa.Table = _parquet(file).schema_arrow.empty_table()

    def of(self, responses: list[str]) -> pa.Table:
        """Return the cases of the next *responses*. Cases without a response are passed over."""
        import pyarrow as pa
        import pyarrow.compute as pc

        while self._waiting.num_rows < len(responses) and (batch := next(self._batches, None)) is not None:
            self._waiting = pa.concat_tables([self._waiting, batch.filter(pc.is_valid(batch.column("response")))])
        found, self._waiting = self._waiting.slice(0, len(responses)), self._waiting.slice(len(responses))
        if found.column("response").to_pylist() != responses:
            raise ExtractError(
                "cases.parquet does not list the cases in the order of responses.parquet, or lacks some: where the "
                "extract is read in batches the two must go together. Make the extract anew"
            )
        return found


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
