"""Data sets of worlds in which a claim is not true: what the claim tests are tried on.

Drawn from the same generator as the simulated study and written as columns of an extract, but not by way of the
application: two hundred studies of each world are more interviews than anyone wants to wait for.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from kysely import dataset, population
from kysely.codebook import MISSING_SUFFIX, Kind, Missing, Variable
from kysely.instrument import Instrument
from kysely.population import WORLDS, Person, draw


def write(instrument: Instrument, seed: int, replicates: int, file: Path) -> int:
    """Write *replicates* data sets of each world to the Parquet *file* and return its number of rows.

    A row is a respondent: world, replicate, response, organisation, then the answers as in an extract. What a
    person skips is no answer; nothing is routed past, so a questionnaire with branches would need the application.
    """
    variables = answered(instrument)
    schema = _schema(variables).with_metadata({DRAWN: _drawn(instrument, seed, replicates)})
    rows = 0
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for world, make in WORLDS.items():
            parameters = make()
            for replicate in range(1, replicates + 1):
                table = _table(variables, world, replicate, draw(parameters, _chance(seed, replicate)), schema)
                writer.write_table(table)
                rows += table.num_rows
    return rows


def is_current(file: Path, instrument: Instrument, seed: int, replicates: int) -> bool:
    """Whether *file* is there and holds what `write` would write now."""
    if not file.is_file():
        return False
    return (pq.read_schema(file).metadata or {}).get(DRAWN) == _drawn(instrument, seed, replicates)


DRAWN = b"kysely-drawn"
"""Key of the Parquet metadata that tells from what the file was drawn."""


def _drawn(instrument: Instrument, seed: int, replicates: int) -> bytes:
    generator = sha256(b"".join(Path(file).read_bytes() for file in (__file__, str(population.__file__))))
    return f"{instrument.hash} {generator.hexdigest()} {seed} {replicates}".encode()


def answered(instrument: Instrument) -> tuple[Variable, ...]:
    """Return the variables of an extract that are answers, not notes of how a question was put."""
    answering = {name for question in instrument.questions for name in question.answering}
    return tuple(variable for variable in dataset.extracted(instrument.codebook) if variable.name in answering)


def _chance(seed: int, replicate: int) -> np.random.Generator:
    return np.random.default_rng([seed, replicate])


def _table(
    variables: Sequence[Variable], world: str, replicate: int, people: Sequence[Person], schema: pa.Schema
) -> pa.Table:
    columns: dict[str, list[Any]] = {
        "world": [world] * len(people),
        "replicate": [replicate] * len(people),
        "response": [f"{person.number:04d}" for person in people],
        "organisation": [f"{person.organisation.number:04d}" for person in people],
    }
    for variable in variables:
        given = [person.answers.get(variable.name, Missing.NO_ANSWER) for person in people]
        columns[variable.name] = [None if isinstance(answer, Missing) else answer for answer in given]
        columns[variable.name + MISSING_SUFFIX] = [str(a) if isinstance(a, Missing) else None for a in given]
    return pa.table(columns, schema=schema)


_WORD = pa.dictionary(pa.int32(), pa.string())


def _schema(variables: Sequence[Variable]) -> pa.Schema:
    fields = [("world", _WORD), ("replicate", pa.int32()), ("response", pa.string()), ("organisation", pa.string())]
    for variable in variables:
        fields.append((variable.name, _TYPES.get(variable.kind, _WORD)))
        fields.append((variable.name + MISSING_SUFFIX, _WORD))
    return pa.schema(fields)


_TYPES = {Kind.BINARY: pa.int8(), Kind.LEVEL: pa.int8(), Kind.NUMBER: pa.float64()}
