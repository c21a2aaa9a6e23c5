"""The extract: one wave of one origin as codes, with everything that says what the codes mean.

Names, open text and the keys of the store stay behind. Equal responses give equal bytes, so that a chart can be
traced to the very file it was drawn from. The folder appears whole or not at all.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from kysely import dataset, pooling, scores
from kysely.codebook import MISSING_SUFFIX, Codebook, Kind
from kysely.disposition import Disposition
from kysely.errors import KyselyError
from kysely.instrument import Instrument

FORMAT = "kysely-extract/1"
MANIFEST = "manifest.json"

_MOMENT = pa.timestamp("us", tz="UTC")
_TYPES = {Kind.BINARY: pa.int8(), Kind.LEVEL: pa.int8(), Kind.NUMBER: pa.float64()}
_MISSING = pa.dictionary(pa.int8(), pa.string())


class ExtractNotWritten(KyselyError):
    """The extract can't be written where it was asked for; says why."""


@dataclass(frozen=True)
class Extract:
    """What one extract is about, before its rows: *versions* are those answered, the newest first.

    open        whether more answers could still come when it was made
    pseudonyms  the book and the salt from which the keys follow; None where they came from a secret thrown away
    """

    versions: tuple[Instrument, ...]
    wave: str
    origin: str
    demonstration: bool
    simulation: Mapping[str, Any] | None
    made_at: datetime
    closed_at: datetime | None = None
    open: bool = False
    pseudonyms: Mapping[str, str] | None = None

    @property
    def instrument(self) -> Instrument:
        return self.versions[0]


def write(
    folder: Path,
    extract: Extract,
    responses: Iterable[dataset.Response],
    invited: Sequence[dataset.Invited] = (),
) -> Mapping[str, Any]:
    """Write the extract of *responses* to *folder*, in place of an earlier one, and return its manifest."""
    _refuse_to_replace_other_files(folder)
    versions = {version.hash: version for version in extract.versions}
    responses = list(responses)
    codebook = pooling.pool(extract.versions).codebook
    columns = dataset.columns(extract.instrument, responses, versions)
    cases = dataset.cases(columns, invited)
    visits = dataset.visits(responses)
    about = dataset.about(extract.instrument, responses, versions)
    draft = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    try:
        draft.mkdir(parents=True)
        _write_table(draft / "responses.parquet", columns, _schema(columns, codebook))
        _write_table(draft / "cases.parquet", cases, _CASES)
        _write_table(draft / "visits.parquet", visits, _VISITS)
        _write_table(draft / "paradata.parquet", about, _PARADATA)
        _write_text(draft / "codebook.json", codebook.to_json())
        _write_text(draft / "definition.json", extract.instrument.canonical)
        for version in extract.versions[1:]:
            _write_text(draft / f"definition-{version.hash[:12]}.json", version.canonical)
        rows = {
            "responses.parquet": len(columns["response"]),
            "cases.parquet": len(cases["case"]),
            "visits.parquet": len(visits["response"]),
            "paradata.parquet": len(about["response"]),
        }
        manifest = _manifest(extract, columns, cases, draft, rows)
        _write_text(draft / MANIFEST, json.dumps(manifest, ensure_ascii=False, indent=1))
        _put_in_place(draft, folder)
    except OSError as error:
        raise ExtractNotWritten(
            f"{folder} can't be written: {error.strerror}. Make it writable, or use --out."
        ) from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return manifest


_CASES = pa.schema(
    [
        ("case", pa.string()),
        ("organisation", pa.string()),
        ("response", pa.string()),
        ("stratum", pa.string()),
        ("psu", pa.string()),
        ("design_weight", pa.float64()),
        ("disposition", pa.string()),
        ("invited", pa.bool_()),
    ]
)


_VISITS = pa.schema(
    [
        ("response", pa.string()),
        ("visit", pa.int32()),
        ("page", pa.string()),
        ("stage", pa.string()),
        ("shown_at", _MOMENT),
        ("saved_at", _MOMENT),
        ("seconds", pa.float64()),
    ]
)

_PARADATA = pa.schema(
    [
        ("response", pa.string()),
        ("device", pa.string()),
        ("pages", pa.int32()),
        ("active_seconds", pa.float64()),
        ("break_off_page", pa.string()),
        ("changes", pa.int32()),
    ]
)


def _schema(columns: Mapping[str, Sequence[Any]], codebook: Codebook) -> pa.Schema:
    """Return the type of each column: codes are strings, levels and 0/1 small integers, numbers doubles."""

    def kind(name: str) -> pa.DataType:
        if name in codebook:
            return _TYPES.get(codebook[name].kind, pa.string())
        if name.removesuffix(MISSING_SUFFIX) in codebook:
            return _MISSING
        return _MOMENT if name in ("started_at", "completed_at") else pa.string()

    return pa.schema([(name, kind(name)) for name in columns])


def _manifest(
    extract: Extract,
    columns: Mapping[str, Sequence[Any]],
    cases: Mapping[str, Sequence[Any]],
    draft: Path,
    rows: Mapping[str, int],
) -> dict[str, Any]:
    instrument = extract.instrument
    dispositions = list(columns["disposition"])
    completed = [moment for moment in columns["completed_at"] if moment is not None]
    return {
        "format": FORMAT,
        "instrument": instrument.id,
        "form": instrument.form,
        "revision": instrument.revision,
        "versions": [version.hash for version in extract.versions],
        "wave": extract.wave,
        "origin": extract.origin,
        "demonstration": extract.demonstration,
        "open": extract.open,
        "privacy": {"mode": instrument.privacy_mode, "min_group": instrument.min_group},
        "title": dict(instrument.title),
        "made_at": extract.made_at.astimezone(UTC).isoformat(timespec="seconds"),
        "first_completed": min(completed).isoformat() if completed else None,
        "last_completed": max(completed).isoformat() if completed else None,
        "counts": {
            "responses": len(dispositions),
            "organisations": len(
                {psu for psu, response in zip(cases["psu"], cases["response"], strict=True) if response is not None}
            ),
            "invited": sum(cases["invited"]),
            "late": sum(
                extract.closed_at is not None and moment is not None and moment >= extract.closed_at
                for moment in columns["completed_at"]
            ),
            "complete": dispositions.count(Disposition.COMPLETE),
            "partial": dispositions.count(Disposition.PARTIAL),
            "break_off": dispositions.count(Disposition.BREAK_OFF),
        },
        "pseudonyms": None if extract.pseudonyms is None else dict(extract.pseudonyms),
        "simulation": None if extract.simulation is None else dict(extract.simulation),
        "presentations": _presentations(extract.versions),
        "scores": _scores(instrument),
        "files": {
            file.name: {"sha256": hashlib.sha256(file.read_bytes()).hexdigest(), "rows": rows.get(file.name)}
            for file in sorted(draft.iterdir())
        },
    }


def _presentations(versions: Iterable[Instrument]) -> list[dict[str, str]]:
    """Return how each question that can be put in several ways was put; two ways of one question are never pooled."""
    found = {
        (question.id, presentation): None
        for version in versions
        for question in version.questions
        if (presentation := getattr(question, "presentation", None)) is not None
    }
    return [{"question": question, "presentation": presentation} for question, presentation in found]


def _scores(instrument: Instrument) -> list[dict[str, Any]]:
    """Return what the questionnaire computes from the answers, so that others can compute it too."""
    rules = {rule.id: rule for rule in instrument.scores}
    return [
        {
            "id": rule.id,
            "kind": rule.kind,
            "label": dict(rule.label),
            "items": [item.name for item in scores.resolved(rule.items, rule, instrument.questions, rules)],
            "with": [item.name for item in scores.resolved(rule.others, rule, instrument.questions, rules)],
            "rule": {
                key: list(value) if isinstance(value, tuple) else value
                for key in ("of", "reversed", "weights", "out_of", "range", "min_valid", "at_least", "equals", "cap")
                if (value := getattr(rule, key)) not in (None, ())
            },
        }
        for rule in instrument.scores
    ]


def _write_table(file: Path, columns: Mapping[str, Sequence[Any]], schema: pa.Schema) -> None:
    pq.write_table(pa.table(dict(columns), schema=schema), file, compression="zstd")
    _sync(file)


def _write_text(file: Path, text: str) -> None:
    file.write_text(text + "\n", encoding="utf-8")
    _sync(file)


def _sync(file: Path) -> None:
    with open(file, "rb+") as stream:
        os.fsync(stream.fileno())


def _refuse_to_replace_other_files(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise ExtractNotWritten(f"{folder} is a file; name a folder with --out.")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MANIFEST).is_file():
        raise ExtractNotWritten(f"{folder} holds files that are no extract; nothing was written. Use another --out.")


def _put_in_place(draft: Path, folder: Path) -> None:
    """Rename *draft* to *folder*; what was there goes only when the new one is whole."""
    old = draft.with_name(draft.name + ".old")
    if folder.exists():
        folder.rename(old)
    try:
        draft.rename(folder)
    except OSError:
        if old.exists():
            old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)
