"""The ledger of what was published, and the exact test whether a new publication gives a small group away.

A publication is a few *bases*: the respondents of its total and of each group it shows. All bases together
part the respondents into *atoms*, those whom no base tells apart. What a reader can compute by adding and
subtracting published counts are the vectors in the row space of the 0/1 matrix of bases × atoms, so a union of
atoms that is too small is given away exactly if its vector lies in it.

The file is one line of JSON a publication, a data set or a retirement; lines are only added. Each is sealed with
the key, over the seal of the line before, so that without the key no line can be changed, added or taken out; a small
file beside it remembers the last line, so that none is cut off at the end. Respondents and organisations stand in it
as keyed hashes, so that it tells nothing without the key.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from itertools import islice
from math import ceil, isqrt, log2
from pathlib import Path
from typing import Any

import numpy as np

from analysis.design import Codes
from kysely.errors import AnalystError
from kysely.pseudonyms import VARIABLE, keyed, ledger_key, unusable

FILE = "ledger.jsonl"
"""Lies in instance/ledger/<instrument>/real/ or simulated/: what is derived in build/ may be lost, this may not."""

_DEMONSTRATION = b"answers of robots need no secret, those of people do"

Thresholds = tuple[int, int]
"""The least respondents and the least organisations of a set whose numbers may be known."""


class LedgerError(AnalystError):
    """The ledger can't be trusted or written. Says which line and what to do."""


def key(environ: Mapping[str, str], *, real: bool) -> bytes:
    """Return the key of the hashes and seals. Simulated answers have one that everybody may know.

    Raises ConfigurationError if KYSELY_LEDGER_KEY is missing or too short for *real* answers.
    """
    if not real:
        return _DEMONSTRATION
    given = ledger_key(environ)
    if given is None:
        raise unusable("not set")
    return given


@dataclass(frozen=True)
class Base:
    """Whom a published row is of: *group* of publication *entry* (an id); the total where the group is None."""

    entry: str
    chart: tuple[str, str | None]
    group: str | None
    members: frozenset[str] = field(repr=False)


@dataclass(frozen=True)
class Entry:
    """A publication as the ledger keeps it.

    sources       the variables its question is made from; only publications that share one can be subtracted
    responses     (n,) keyed hash of each respondent of the total
    organisations (n,) keyed hash of the organisation of each
    group         (n,) position in *groups*, -1 for a respondent of no shown group
    snapshot      all that was shown, rounded
    overridden    who lowered which threshold, and why; None where nobody did
    """

    question: str
    sources: tuple[str, ...]
    classification: str | None
    dataset: str
    level: int
    groups: tuple[str, ...]
    responses: tuple[str, ...] = field(repr=False)
    organisations: tuple[str, ...] = field(repr=False)
    group: tuple[int, ...] = field(repr=False)
    snapshot: Mapping[str, Any] = field(repr=False)
    overridden: Mapping[str, Any] | None = None
    published_at: str = ""
    retired_at: str | None = None

    @cached_property
    def id(self) -> str:
        """The name of the publication in refusals: a hash of what it shows and of whom."""
        content = json.dumps([self.snapshot, self.responses, self.group], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:12]

    @property
    def chart(self) -> tuple[str, str | None]:
        return self.question, self.classification

    @cached_property
    def bases(self) -> tuple[Base, ...]:
        """The total, then each shown group."""
        members: dict[int, set[str]] = defaultdict(set)
        for response, group in zip(self.responses, self.group, strict=True):
            members[group].add(response)
        total = Base(self.id, self.chart, None, frozenset(self.responses))
        named = enumerate(self.groups)
        return (total, *(Base(self.id, self.chart, name, frozenset(members[g])) for g, name in named))

    def __str__(self) -> str:
        by = f" by {self.classification}" if self.classification else ""
        return f"{self.id} ({self.question}{by}, data set {self.dataset})"


@dataclass(frozen=True)
class DataSet:
    """A frozen version of the answers: the extract whose files have the hash *sha256*, under a number for ever."""

    number: str
    sha256: str
    wave: str
    responses: int
    organisations: int
    frozen_at: str
    book: str = ""
    """By which respondents are known again in another data set with the same (kysely/pseudonyms.py); "" for none."""


class Ledger:
    """The ledger of one instrument, of real or of simulated answers: a file that only grows, and what it says."""

    def __init__(self, path: Path, secret: bytes):
        self.path, self.secret = path, secret

    def entries(self) -> tuple[Entry, ...]:
        """Return every publication in its order, retired ones too: the web archives keep them.

        Raises LedgerError if a line was changed, added, taken out or cut off, or written with another key.
        """
        return self._parsed(self._lines()).entries

    def data_sets(self) -> tuple[DataSet, ...]:
        """Return every frozen version of the answers, from number 1 on. Raises LedgerError like `entries`."""
        return self._parsed(self._lines()).data_sets

    def record(self, entry: Entry, published_at: str, *, judged_against: Sequence[Entry]) -> Entry:
        """Add *entry*, which was found publishable beside the entries *judged_against*, and return it as written.

        Raises LedgerError if another publication was added in the meantime.
        """
        made = replace(entry, published_at=published_at)
        with self._alone() as lines:
            if [one.id for one in self._parsed(lines).entries] != [one.id for one in judged_against]:
                raise LedgerError(f"{self.path}: another publication was added meanwhile. Judge this one again.")
            record = {name: value for name, value in asdict(made).items() if name != "retired_at"}
            self._add(lines, {"publication": record})
        return made

    def retire(self, id: str, retired_at: str) -> None:
        """Note that publication *id* is no longer shown; later ones are still tested against it."""
        with self._alone() as lines:
            if id not in {one.id for one in self._parsed(lines).entries}:
                raise LedgerError(f"{self.path} has no publication {id!r} to retire.")
            self._add(lines, {"retired": id, "at": retired_at})

    def freeze(self, found: DataSet) -> DataSet:
        """Return the data set with the hash of *found*; the first time it gets the number of *found*."""
        with self._alone() as lines:
            known = {one.sha256: one for one in self._parsed(lines).data_sets}
            if found.sha256 not in known:
                self._add(lines, {"data_set": asdict(found)})
            return known.get(found.sha256, found)

    def _alone(self) -> _Alone:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return _Alone(self)

    def _lines(self) -> list[str]:
        """Return the lines that were written to their end; a line cut short by a crash was never acknowledged."""
        text = self.path.read_bytes().decode("utf-8", "replace") if self.path.exists() else ""
        return text.split("\n")[:-1]

    def _add(self, lines: list[str], content: Mapping[str, Any]) -> None:
        head = {"before": _seal_of(lines), "key": self._fingerprint, **content}
        lines.append(json.dumps({**head, "seal": self._seal(head)}, ensure_ascii=False))
        kept = sum(len(line.encode()) + 1 for line in lines[:-1])
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "r+b") as file:
            file.seek(kept)
            file.truncate()
            file.write(lines[-1].encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self._remember(lines)

    def _remember(self, lines: Sequence[str]) -> None:
        """Note how far the ledger goes; after the line, so a crash between the two only leaves the note behind."""
        draft = self._last.with_suffix(".draft")
        draft.write_text(json.dumps({"lines": len(lines), "seal": _seal_of(lines)}), encoding="utf-8")
        os.replace(draft, self._last)

    @property
    def _last(self) -> Path:
        return self.path.with_name("last.json")

    @property
    def _fingerprint(self) -> str:
        return keyed(self.secret, ["which key"])[0][:8]

    def _seal(self, content: Mapping[str, Any]) -> str:
        return keyed(self.secret, [json.dumps(content, sort_keys=True, ensure_ascii=False)])[0]

    def _parsed(self, lines: Sequence[str]) -> _Said:
        self._check_end(lines)
        found: dict[str, Entry] = {}
        frozen: dict[str, DataSet] = {}
        for number, line in enumerate(lines, start=1):
            where = f"{self.path}, line {number}"
            try:
                content = json.loads(line)
                self._check(content, lines[: number - 1], where)
                if "retired" in content:
                    found[content["retired"]] = replace(found[content["retired"]], retired_at=content["at"])
                elif "data_set" in content:
                    frozen[content["data_set"]["number"]] = DataSet(**content["data_set"])
                else:
                    entry = _entry(content["publication"])
                    found[entry.id] = entry
            except (ValueError, KeyError, TypeError) as error:
                raise LedgerError(f"{where}: it is damaged ({type(error).__name__}). {_RESTORE}") from error
        return _Said(tuple(found.values()), tuple(frozen.values()))

    def _check(self, content: dict[str, Any], before: Sequence[str], where: str) -> None:
        """Raise LedgerError unless the line was written with this key, after the lines *before*, and is unchanged."""
        if content["key"] != self._fingerprint:
            raise LedgerError(f"{where}: it was written with another key. Set {VARIABLE} to that one.")
        if not hmac.compare_digest(content.pop("seal"), self._seal(content)):
            raise LedgerError(f"{where}: it was changed. {_RESTORE}")
        if content["before"] != _seal_of(before):
            raise LedgerError(f"{where}: a line before it was changed, added or taken out. {_RESTORE}")

    def _check_end(self, lines: Sequence[str]) -> None:
        if not self._last.exists():
            if len(lines) > 1:
                raise LedgerError(f"{self._last} is lacking, which tells how far the ledger goes. {_RESTORE}")
            return
        try:
            last = json.loads(self._last.read_text(encoding="utf-8"))
            count, seal = int(last["lines"]), str(last["seal"])
        except (ValueError, KeyError, TypeError) as error:
            raise LedgerError(f"{self._last} is damaged ({type(error).__name__}). {_RESTORE}") from error
        if len(lines) < count:
            raise LedgerError(f"{self.path}: {count - len(lines)} lines at its end are lacking. {_RESTORE}")
        if _seal_of(lines[:count]) != seal:
            raise LedgerError(f"{self.path}, line {count}: it is not the one that was written. {_RESTORE}")


_RESTORE = "Restore the folder from a backup: without all of it no publication can be tested against the earlier ones."


@dataclass(frozen=True)
class _Said:
    entries: tuple[Entry, ...]
    data_sets: tuple[DataSet, ...]


class _Alone:
    """The lines of a ledger while no other process can add one."""

    def __init__(self, ledger: Ledger):
        self.ledger = ledger

    def __enter__(self) -> list[str]:
        self.lock = self.ledger.path.with_suffix(".lock").open("w")
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        return self.ledger._lines()

    def __exit__(self, *_: object) -> None:
        self.lock.close()


def _seal_of(lines: Sequence[str]) -> str:
    """Return the seal of the last line, which hangs on the one before it, and so on; "" where there is none."""
    if not lines:
        return ""
    try:
        return str(json.loads(lines[-1])["seal"])
    except (ValueError, KeyError, TypeError):
        return "damaged"


def _entry(content: Mapping[str, Any]) -> Entry:
    lists = ("sources", "groups", "responses", "organisations", "group")
    return Entry(**{**content, **{name: tuple(content[name]) for name in lists}})


# ---- differencing ---------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Atoms:
    """The classes of respondents whom no base tells apart.

    matrix        (bases, atoms) 1 where the atom is in the base
    n             (atoms,) respondents
    organisations the organisations of each atom
    """

    matrix: Codes
    n: Codes
    organisations: tuple[frozenset[str], ...]
    members: tuple[frozenset[str], ...] = field(repr=False)

    def small(self, union: Iterable[int], least: Thresholds) -> bool:
        """Return whether the atoms of *union* are too few people, or people of too few organisations, together."""
        atoms = list(union)
        return few(int(self.n[atoms].sum()), (self.organisations[atom] for atom in atoms), least)


def few(n: int, organisations: Iterable[frozenset[str]], least: Thresholds) -> bool:
    respondents, firms = least
    return n < respondents or len(frozenset().union(*organisations)) < firms


def organisations_of(entries: Iterable[Entry]) -> dict[str, str]:
    """Return the organisation of every respondent, as the last entry has it."""
    found: dict[str, str] = {}
    for entry in entries:
        found.update(zip(entry.responses, entry.organisations, strict=True))
    return found


def atoms(bases: Sequence[Base], organisation: Mapping[str, str]) -> Atoms:
    """Return the atoms of *bases*."""
    inside: dict[str, list[int]] = defaultdict(list)
    for position, base in enumerate(bases):
        for member in base.members:
            inside[member].append(position)
    classes: dict[tuple[int, ...], set[str]] = defaultdict(set)
    for member, of in inside.items():
        classes[tuple(of)].add(member)
    matrix = np.zeros((len(bases), len(classes)), np.int64)
    for column, positions in enumerate(classes):
        matrix[list(positions), column] = 1
    members = tuple(frozenset(people) for people in classes.values())
    firms = tuple(frozenset(organisation[one] for one in people) for people in members)
    return Atoms(matrix, np.array([len(people) for people in members], np.int64), firms, members)


def given_away(found: Atoms, least: Thresholds, *, public: Codes | None = None) -> tuple[int, ...] | None:
    """Return a union of up to three atoms that is too small and whose count the bases determine, if there is one.

    A union that the rows *public* of the matrix determine alone is known already (an override) and doesn't count.
    """
    span = _span(found.matrix)
    for union in _candidates(found, span.keys(), span.prime, least):
        vector = np.zeros((1, len(found.n)), np.int64)
        vector[0, list(union)] = 1
        # The keys are a random projection modulo a prime: they miss nothing, but what they find is confirmed.
        if _within(vector, found.matrix) and (public is None or not _within(vector, public)):
            return union
    return None


def _within(vector: Codes, rows: Codes) -> bool:
    """Return whether *vector*, shape (1, atoms), lies in the row space of *rows*."""
    return bool(len(rows)) and _span(np.concatenate([rows, vector])).rank == _span(rows).rank


def involved(bases: Sequence[Base], found: Atoms, union: Sequence[int]) -> list[Base]:
    """Return bases from which the count of *union* can be worked out, none of which could be left out."""
    vector = np.zeros((1, len(found.n)), np.int64)
    vector[0, list(union)] = 1
    kept = list(range(len(bases)))
    for position in range(len(bases)):
        fewer = [one for one in kept if one != position]
        if _within(vector, found.matrix[fewer]):
            kept = fewer
    return [bases[position] for position in kept]


def _candidates(found: Atoms, keys: Sequence[int], prime: int, least: Thresholds) -> Iterator[tuple[int, ...]]:
    """Yield the small unions of one, two and three atoms whose keys sum to 0."""
    small = [atom for atom in range(len(keys)) if found.small([atom], least)]
    of_key: dict[int, list[int]] = defaultdict(list)
    for atom in small:
        of_key[keys[atom]].append(atom)
    yield from ((atom,) for atom in of_key[0])
    for place, first in enumerate(small):
        for second in small[place + 1 :]:
            if not found.small((first, second), least):
                continue
            both = (keys[first] + keys[second]) % prime
            if both == 0:
                yield first, second
            for third in of_key.get(-both % prime, ()):
                if third > second and found.small((first, second, third), least):
                    yield first, second, third


@dataclass(frozen=True, eq=False)
class _Span:
    """The row space of a 0/1 matrix: its reduced echelon form modulo a prime that does not lower the rank."""

    rows: Codes
    pivots: tuple[int, ...]
    prime: int

    @property
    def rank(self) -> int:
        return len(self.pivots)

    def keys(self) -> list[int]:
        """Return a number an atom, such that those of a vector in the row space sum to 0 modulo the prime.

        They are one random vector orthogonal to every row; a fixed seed, as a verdict may not differ from run
        to run.
        """
        width = self.rows.shape[1]
        free = np.setdiff1d(np.arange(width), self.pivots)
        drawn = np.random.default_rng(20150724).integers(1, self.prime, len(free))
        found = np.zeros(width, np.int64)
        found[free] = drawn
        found[list(self.pivots)] = -((self.rows[:, free] * drawn) % self.prime).sum(axis=1) % self.prime
        return [int(one) for one in found]


def _span(matrix: Codes) -> _Span:
    """Return the row space of a 0/1 *matrix*, shape (rows, columns), with its exact rank.

    A prime lowers the rank only if it divides every largest minor. By Hadamard's bound such a minor of order m is
    at most (m+1)^((m+1)/2) / 2^m, so of primes whose product is larger one does not, and its rank is the rank.
    """
    order = min(matrix.shape)
    bits = (order + 1) / 2 * log2(order + 1) - order
    tried = (_reduced(matrix, prime) for prime in islice(_primes(), max(1, ceil(bits / 30))))
    return max(tried, key=lambda one: one.rank)


def _reduced(matrix: Codes, prime: int) -> _Span:
    rows = matrix % prime
    pivots: list[int] = []
    for column in range(rows.shape[1]):
        top = len(pivots)
        found = np.flatnonzero(rows[top:, column])
        if not len(found):
            continue
        rows[[top, top + found[0]]] = rows[[top + found[0], top]]
        rows[top] = rows[top] * pow(int(rows[top, column]), -1, prime) % prime
        factors = rows[:, column].copy()
        factors[top] = 0
        others = np.flatnonzero(factors)
        rows[others] = (rows[others] - factors[others, None] * rows[top]) % prime
        pivots.append(column)
    return _Span(rows[: len(pivots)], tuple(pivots), prime)


def _primes() -> Iterator[int]:
    """Yield primes from 2^31 down: the largest whose products fit into 64 bits."""
    for number in range(2**31 - 1, 2**30, -2):
        if all(number % divisor for divisor in range(3, isqrt(number) + 1, 2)):
            yield number
