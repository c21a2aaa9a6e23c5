"""An extract: one wave of answers as codes, with its codebook and manifest, checked before anything is computed.

The extract is written by `kysely extract`; its columns are described in docs/methods.md, "The extract".
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.answers import MISSING, NUMERIC
from kysely.codebook import MISSING_SUFFIX, Codebook, Kind, Variable
from kysely.errors import AnalystError

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT = "kysely-extract/1"
FILES = ("responses.parquet", "cases.parquet", "codebook.json")
FIXED = (
    "response organisation wave origin form version language mode started_at completed_at disposition".split()
)  # columns that are no answers


DISPOSITIONS = {"complete": "I", "partial": "P", "break_off": "R_breakoff"}
"""The outcomes of a case that began to answer, as the manifest counts them and as the column names them (AAPOR)."""

SMALLEST_GROUP = 2
"""A questionnaire can promise no smaller group than this: of one, everything would be shown."""


class ExtractError(AnalystError):
    """The extract does not hold together. Says what is wrong and how to mend it."""


@dataclass(frozen=True, eq=False)
class Extract:
    """The responses of one wave and origin, n rows, in the order of the file: Answers on disk."""

    responses: pa.Table
    cases: pa.Table
    codebook: Codebook
    manifest: Mapping[str, Any]
    sha256: str

    def __len__(self) -> int:
        return int(self.responses.num_rows)

    @property
    def origin(self) -> str:
        return str(self.manifest["origin"])

    @property
    def promised(self) -> int:
        return int(self.manifest["privacy"]["min_group"])

    @property
    def title(self) -> Mapping[str, str]:
        return dict(self.manifest["title"])

    def column(self, name: str) -> np.ndarray:
        """Return a column that is no answer (organisation, mode, completed_at …), shape (n,); None where null."""
        return np.asarray(self.responses.column(name).to_pylist(), dtype=object)

    def case_column(self, name: str) -> np.ndarray:
        """Return a column of the sampled cases, looked up for each response, shape (n,); None where null."""
        if name not in self.cases.column_names:
            raise ExtractError(f"the plan's design names the column {name!r}, which cases.parquet does not have")
        values = dict(zip(self.cases.column("response").to_pylist(), self.cases.column(name).to_pylist(), strict=True))
        return np.array([values.get(response) for response in self.column("response")], dtype=object)

    @cached_property
    def organisation(self) -> np.ndarray:
        """(n,) organisation keys. A respondent who named none is an organisation of their own."""
        keys = self.column("organisation")
        own = np.array([unnamed(response) for response in self.column("response")], dtype=object)
        return np.where(keys == None, own, keys).astype(str)  # noqa: E711 - elementwise

    def codes(self, name: str) -> np.ndarray:
        """Return a variable with categories as positions in its codebook entry, shape (n,); -1 where missing."""
        variable = self.codebook[name]
        if variable.kind is Kind.BINARY:
            return _filled(self.responses.column(name), -1).astype(np.int64)
        return _filled(_positions(self.responses.column(name), variable), -1).astype(np.int64)

    def numbers(self, name: str) -> np.ndarray:
        """Return a level, binary or number variable as floats, shape (n,); NaN where missing."""
        return np.asarray(self.responses.column(name).to_numpy(zero_copy_only=False), dtype=float)

    def missing(self, name: str) -> np.ndarray:
        """Return the kind of missing as a position in MISSING, shape (n,); -1 where there is a value."""
        import pyarrow as pa
        import pyarrow.compute as pc

        kinds = self.responses.column(name + MISSING_SUFFIX).cast(pa.string())
        return _filled(pc.index_in(kinds, value_set=pa.array(MISSING)), -1).astype(np.int64)

    def asked(self) -> tuple[Variable, ...]:
        """Return the variables of the codebook that the extract has a column of; open text stays behind."""
        names = set(self.responses.column_names)
        return tuple(variable for variable in self.codebook.variables if variable.name in names)


def unnamed(response: str) -> str:
    """Return the key of the organisation that a respondent didn't name."""
    return f"respondent {response}"


def read(folder: Path) -> Extract:
    """Return the extract in *folder*.

    Raises ExtractError if a file is lacking, damaged or was changed after it was written, if columns and
    codebook differ, if a code or a disposition is unknown, a response comes twice or without its case,
    simulated and real answers, two waves or two forms are mixed, an answer is both given and missing, the
    manifest counts other rows or versions than there are or promises smaller groups than can be kept, or one
    question was shown in two presentations.
    """
    manifest = manifest_in(folder)
    digest = verified(folder, manifest)
    extract = Extract(
        responses=_table(folder / "responses.parquet"),
        cases=_table(folder / "cases.parquet"),
        codebook=codebook_in(folder / "codebook.json"),
        manifest=manifest,
        sha256=digest,
    )
    check(extract)
    return extract


def check(extract: Extract) -> None:
    """Raise ExtractError at the first thing that does not hold together; see `read`."""
    check_frame(extract)
    check_rows(extract.manifest, len(extract))
    ids = extract.column("response")
    _check_given(ids)
    _check_once(ids)
    _check_cases(extract, ids)
    check_part(extract)
    _check_counts(extract)


def check_frame(extract: Extract) -> None:
    """Check what can be seen without a row."""
    _check_identity(extract)
    _check_promise(extract)
    _check_columns(extract)
    _check_presentations(extract)


def check_part(extract: Extract) -> None:
    """Check what can be seen of some of the rows."""
    _check_given(extract.column("response"))
    _check_one_of_each(extract)
    _check_versions(extract)
    for variable in extract.asked():
        _check_type(extract, variable)
        _check_answers(extract, variable)


def manifest_in(folder: Path) -> Mapping[str, Any]:
    path = folder / "manifest.json"
    if not path.is_file():
        raise ExtractError(f"{folder} holds no extract (manifest.json is lacking); run `kysely extract` first")
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ExtractError(f"{path} is not readable as JSON ({error}); make the extract anew") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ExtractError(f"{path} is not in format {FORMAT}; make the extract anew with this version of kysely")
    needed = "instrument form revision versions wave origin demonstration privacy title made_at counts files".split()
    lacking = [key for key in needed if key not in manifest]
    if lacking:
        raise ExtractError(f"{path} lacks {', '.join(lacking)}; make the extract anew")
    for key, kind in {"versions": list, "title": dict, "counts": dict, "privacy": dict, "files": dict}.items():
        if not isinstance(manifest[key], kind):
            what = "a list" if kind is list else "a set of keys"
            raise ExtractError(f"{path} has no {what} under {key!r}; make the extract anew")
    return manifest


def verified(folder: Path, manifest: Mapping[str, Any]) -> str:
    """Check each file against its hash and return one hash over all of them."""
    together = hashlib.sha256()
    for name in FILES:
        if name not in manifest["files"]:
            raise ExtractError(f"the manifest does not list {name}; make the extract anew")
    for name, entry in sorted(manifest["files"].items()):
        path = folder / name
        if not path.is_file():
            raise ExtractError(f"{path} is lacking though the manifest lists it; make the extract anew")
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if not isinstance(entry, dict) or found != entry.get("sha256"):
            raise ExtractError(
                f"{path} is not the file the manifest describes (its SHA-256 differs): it was changed or half "
                "written after the extract was made. Make the extract anew"
            )
        together.update(f"{name} {found}\n".encode())
    return together.hexdigest()


def _table(path: Path) -> pa.Table:
    import pyarrow.parquet as pq

    with unreadable_named(path):
        return pq.read_table(path)


@contextmanager
def unreadable_named(path: Path) -> Iterator[None]:
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise ExtractError(
            f"{path} can't be read as Parquet ({reason}): it is damaged, though the manifest lists it as it is. "
            "Make the extract anew"
        ) from error


def codebook_in(path: Path) -> Codebook:
    try:
        return Codebook.from_json(path.read_text(encoding="utf-8"))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ExtractError(
            f"{path} can't be read as a codebook ({type(error).__name__}: {error}): it is damaged, though the "
            "manifest lists it as it is. Make the extract anew"
        ) from error


def _check_identity(extract: Extract) -> None:
    for key in ("instrument", "form"):
        if getattr(extract.codebook, key) != extract.manifest[key]:
            raise ExtractError(
                f"the codebook is of {key} {getattr(extract.codebook, key)!r}, the manifest of "
                f"{extract.manifest[key]!r}: the files are of two extracts. Make the extract anew"
            )


def _check_promise(extract: Extract) -> None:
    """Respondents were told of how many people a figure is at least; Study.limits keeps to it."""
    promised = extract.manifest["privacy"].get("min_group")
    if isinstance(promised, bool) or not isinstance(promised, int) or promised < SMALLEST_GROUP:
        raise ExtractError(
            f"the manifest says that figures are of groups of at least {promised!r} respondents; that is no size of "
            f"a group (a whole number from {SMALLEST_GROUP} on is). Write `privacy: {{min_group: …}}` in the "
            "questionnaire and make the extract anew"
        )


def _check_columns(extract: Extract) -> None:
    names = extract.responses.column_names
    lacking = [name for name in FIXED if name not in names]
    answers = [variable.name for variable in extract.codebook.variables]
    for name in answers:
        closed = extract.codebook[name].closed
        for column in (name, name + MISSING_SUFFIX):
            if column not in names and (closed or name in names):
                lacking.append(column)
    if lacking:
        raise ExtractError(f"responses.parquet lacks the columns {', '.join(lacking)}; make the extract anew")
    known = {*FIXED, *answers, *(name + MISSING_SUFFIX for name in answers)}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ExtractError(
            f"responses.parquet has columns that the codebook does not describe: {', '.join(unknown)}. "
            "Nothing can be said about them; make the extract anew with the instrument's own codebook"
        )
    for name in ("response", "organisation", "psu"):
        if name not in extract.cases.column_names:
            raise ExtractError(f"cases.parquet lacks the column {name}; make the extract anew")


def check_rows(manifest: Mapping[str, Any], found: int) -> None:
    rows = manifest["files"]["responses.parquet"].get("rows")
    if rows is not None and rows != found:
        raise ExtractError(f"the manifest counts {rows} responses, the file has {found}; make the extract anew")


def _check_given(ids: np.ndarray) -> None:
    if (ids == None).any():  # noqa: E711 - elementwise
        raise ExtractError("a response has no id; make the extract anew")


def _check_once(ids: np.ndarray) -> None:
    unique, times = np.unique(ids.astype(str), return_counts=True)
    if (times > 1).any():
        raise ExtractError(
            f"{(times > 1).sum()} responses come more than once (the first: {unique[times > 1][0]}); "
            "counting a person twice would narrow every interval. Take the repetitions out and make the extract anew"
        )


def _check_cases(extract: Extract, ids: np.ndarray) -> None:
    without = len(set(ids) - set(extract.cases.column("response").to_pylist()))
    if without:
        raise ExtractError(
            f"{without} responses have no case in cases.parquet, so nothing is known of how they were sampled. "
            "Make the extract anew"
        )


def _check_one_of_each(extract: Extract) -> None:
    for name, kind in (("origin", "origins"), ("wave", "waves"), ("form", "forms")):
        found = sorted({str(value) for value in extract.column(name)})
        if found and found != [str(extract.manifest[name])]:
            raise ExtractError(
                f"the responses are of the {kind} {', '.join(found)}, the manifest says {extract.manifest[name]}; "
                f"one extract is of one {name}. Extract each by itself"
            )


def _check_versions(extract: Extract) -> None:
    listed = extract.manifest["versions"]
    strangers = sorted({str(version) for version in extract.column("version")} - {str(one) for one in listed})
    if strangers:
        raise ExtractError(
            f"there are answers to {len(strangers)} versions of the questionnaire that the manifest does not list "
            f"(the first: {strangers[0][:12]}): what was asked in them is not known. Make the extract anew"
        )


def _check_counts(extract: Extract) -> None:
    columns = (extract.cases.column(name).to_pylist() for name in ("psu", "response"))
    organisations = len({psu for psu, response in zip(*columns, strict=True) if response is not None})
    compare_counts(extract.manifest, Counter(extract.column("disposition").tolist()), organisations=organisations)


def compare_counts(manifest: Mapping[str, Any], dispositions: Counter[str], **others: int) -> None:
    """The manifest's counts are printed on reports: they have to be those of the rows."""
    strangers = sorted({str(one) for one in dispositions} - {*DISPOSITIONS.values()})
    if strangers:
        raise ExtractError(
            f"unknown dispositions {', '.join(strangers)} in responses.parquet (there are: "
            f"{', '.join(DISPOSITIONS.values())}). Make the extract anew with this version of kysely"
        )
    rows = {name: dispositions[code] for name, code in DISPOSITIONS.items()}
    for name, found in {**rows, "responses": dispositions.total(), **others}.items():
        if manifest["counts"].get(name) != found:
            raise ExtractError(
                f"the manifest counts {manifest['counts'].get(name)!r} under {name!r}, the rows are {found}: manifest "
                "and rows are of two extracts, or one was changed. Make the extract anew"
            )


def _check_type(extract: Extract, variable: Variable) -> None:
    """A column is of the type its kind of variable has: a word can't be looked up among levels."""
    import pyarrow as pa

    kind = extract.responses.schema.field(variable.name).type
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    numeric = pa.types.is_integer(kind) or pa.types.is_floating(kind)
    if numeric != (variable.kind in NUMERIC) or not (numeric or pa.types.is_string(kind)):
        raise ExtractError(
            f"{variable.name}: the column holds {kind}, which no {variable.kind} variable is written as. "
            "Make the extract anew"
        )


def _check_answers(extract: Extract, variable: Variable) -> None:
    import pyarrow as pa
    import pyarrow.compute as pc

    name = variable.name
    value, missing = extract.responses.column(name), extract.responses.column(name + MISSING_SUFFIX)
    wrong = pc.sum(pc.equal(pc.is_null(value), pc.is_null(missing))).as_py() or 0
    if wrong:
        raise ExtractError(
            f"{name}: {wrong} responses have both a value and a kind of missing, or neither; exactly one is "
            "needed. Make the extract anew"
        )
    strangers = pc.and_(
        pc.is_valid(missing), pc.is_null(pc.index_in(missing.cast(pa.string()), value_set=pa.array(MISSING)))
    )
    if pc.any(strangers).as_py():
        found = pc.unique(pc.filter(missing.cast(pa.string()), strangers)).to_pylist()
        raise ExtractError(f"{name}: unknown kinds of missing {found}; there are: {', '.join(MISSING)}")
    if variable.kind is Kind.BINARY:
        strangers = pc.and_(pc.is_valid(value), pc.invert(pc.is_in(value.cast(pa.int64()), value_set=pa.array([0, 1]))))
    elif variable.categories:
        strangers = pc.and_(pc.is_valid(value), pc.is_null(_positions(value, variable)))
    else:
        return
    if pc.any(strangers).as_py():
        found = pc.unique(pc.filter(value, strangers)).to_pylist()
        known = [c.value if variable.kind is Kind.LEVEL else c.code for c in variable.categories] or [0, 1]
        raise ExtractError(
            f"{name}: the codes {', '.join(map(str, found))} are not in the codebook (there are: "
            f"{', '.join(map(str, known))}). Extract with the definition the answers were given on"
        )


def _check_presentations(extract: Extract) -> None:
    for question, shown in _presentations(extract.manifest.get("presentations") or ()).items():
        if len(shown) > 1:
            raise ExtractError(
                f"{question} was asked in {len(shown)} presentations ({', '.join(sorted(shown))}): their answers "
                "are different measurements and are not pooled. Extract one presentation at a time"
            )


def _presentations(listed: Any) -> dict[str, set[str]]:
    """Return question → presentations, from a mapping or a list of {question, presentation} of the manifest."""
    shown: dict[str, set[str]] = {}
    if isinstance(listed, Mapping):
        for question, names in listed.items():
            shown[question] = {names} if isinstance(names, str) else set(names)
        return shown
    for entry in listed:
        if isinstance(entry, Mapping):
            shown.setdefault(str(entry["question"]), set()).add(str(entry["presentation"]))
        else:
            shown.setdefault("a question", set()).add(str(entry))
    return shown


def _positions(column: Any, variable: Variable) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    if variable.kind is Kind.LEVEL:
        values = pa.array([category.value for category in variable.categories], pa.int64())
        return pc.index_in(column.cast(pa.int64()), value_set=values)
    return pc.index_in(column.cast(pa.string()), value_set=pa.array([c.code for c in variable.categories]))


def _filled(column: Any, value: int) -> np.ndarray:
    import pyarrow.compute as pc

    return np.asarray(pc.fill_null(column, value).to_numpy(zero_copy_only=False))
