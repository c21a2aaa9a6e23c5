"""By what the ledger of publications knows the respondents of a wave again, in whichever extract of it they are.

An extract names its respondents anew, so that nobody can lay two of them side by side. Whoever publishes has to: that
two people have come since the last publication can be seen in no other way. So with the ledger's key, and only with
it, `kysely extract` gives each response of a real wave a pseudonym for good, in a book beside the ledger, and makes
the keys of the extract from it. Pseudonyms are random: once a response is erased the next extract takes its line out
of the book, and from then on nothing leads from the ledger, or from an extract, to what it was.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kysely.errors import AnalystError, ConfigurationError

VARIABLE = "KYSELY_LEDGER_KEY"
RESPONSE, ORGANISATION = b"response", b"organisation"
Subject = tuple[bytes, str]
"""What has a pseudonym: a kind, and the id that the answers know it by. Never a case, which is a person."""

_SHORTEST_KEY = 32
_HEX = 32


class PseudonymsError(AnalystError):
    """A book of pseudonyms is lacking or can't be trusted; says which and what to do."""


def ledger_key(environ: Mapping[str, str]) -> bytes | None:
    """Return the key of the ledger; None where none is set. Raises ConfigurationError if it is too short."""
    given = environ.get(VARIABLE, "").strip()
    if given and len(given) < _SHORTEST_KEY:
        raise unusable("too short")
    return given.encode() or None


def unusable(why: str) -> ConfigurationError:
    return ConfigurationError(
        f"{VARIABLE} is {why}: the ledger of publications names respondents by hashes with this key. Set it "
        f"to {_SHORTEST_KEY} or more random characters and keep it for as long as the ledger: with another key no "
        "publication can be tested against the earlier ones."
    )


def keyed(secret: bytes, ids: Iterable[object]) -> tuple[str, ...]:
    """Return the keyed hash of each id (HMAC-SHA256, the first 128 bits in hex)."""
    return tuple(hmac.new(secret, str(one).encode(), hashlib.sha256).hexdigest()[:_HEX] for one in ids)


def ledgers(instance: Path, instrument: str) -> Path:
    """Return the folder of the ledgers of an instrument, of real and of simulated answers."""
    return instance / "ledger" / instrument


def books(instance: Path, instrument: str) -> Path:
    """Return the folder of the books; only real answers have some."""
    return ledgers(instance, instrument) / "real" / "pseudonyms"


@dataclass(frozen=True)
class Book:
    """The pseudonyms of one wave.

    id     random; what extracts and the ledger name the book by
    wave   keyed hash of the wave's id
    lines  keyed hash of each subject → its pseudonym
    """

    id: str
    wave: str
    lines: Mapping[str, str]
    secret: bytes = field(repr=False)

    def keys(self, salt: str, subjects: Collection[Subject]) -> dict[Subject, str]:
        """Return by what the extract with *salt* names each of *subjects*."""
        lines = keyed(self.secret, map(_of, subjects))
        return {subject: self._key(salt, self.lines[line]) for subject, line in zip(subjects, lines, strict=True)}

    def names(self, salt: str) -> dict[str, str]:
        """Return key → pseudonym of all whom the extract with *salt* may name."""
        return {self._key(salt, pseudonym): pseudonym for pseudonym in self.lines.values()}

    def _key(self, salt: str, pseudonym: str) -> str:
        return hmac.new(self.secret, f"extract|{salt}|{pseudonym}".encode(), hashlib.sha256).hexdigest()[:24]


def settle(folder: Path, wave: str, subjects: Collection[Subject], secret: bytes) -> Book:
    """Return the book of the wave with the id *wave*, in which exactly *subjects* have a line; those who had keep it.

    Raises PseudonymsError if a book in *folder* can't be trusted.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    (of_wave,) = keyed(secret, [f"wave|{wave}"])
    lines = dict.fromkeys(keyed(secret, map(_of, subjects)))
    with (folder / "settling.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        known = next((book for book in map(_reader(secret), _files(folder)) if book.wave == of_wave), None)
        before = {} if known is None else known.lines
        settled = {line: before.get(line) or secrets.token_hex(16) for line in sorted(lines)}
        book = Book(secrets.token_hex(8) if known is None else known.id, of_wave, settled, secret)
        if known is None or settled != known.lines:
            _write(folder, book)
    return book


def read(folder: Path, id: str, secret: bytes) -> Book:
    """Return the book *id*. Raises PseudonymsError if it is lacking or can't be trusted."""
    if not (folder / f"{id}.json").is_file():
        raise PseudonymsError(
            f"{folder} lacks {id}.json, by which the ledger knows the respondents of this extract again. {_RESTORE}"
        )
    return _reader(secret)(folder / f"{id}.json")


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.json"))


def _of(subject: Subject) -> str:
    kind, id = subject
    return f"{kind.decode()}|{id}"


def _reader(secret: bytes) -> Any:
    def of(path: Path) -> Book:
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            seal = content.pop("seal")
            if not hmac.compare_digest(seal, _seal(content, secret)):
                raise PseudonymsError(f"{path} was changed, or written with another key than {VARIABLE}. {_RESTORE}")
            return Book(content["id"], content["wave"], content["lines"], secret)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise PseudonymsError(f"{path} is damaged ({type(error).__name__}). {_RESTORE}") from error

    return of


def _write(folder: Path, book: Book) -> None:
    content = {"id": book.id, "wave": book.wave, "lines": dict(book.lines)}
    draft = folder / f".{book.id}.draft"
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump({**content, "seal": _seal(content, book.secret)}, file)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / f"{book.id}.json")


def _seal(content: Mapping[str, Any], secret: bytes) -> str:
    return keyed(secret, [json.dumps(content, sort_keys=True)])[0]


_RESTORE = "Restore the folder from a backup, or publish no more from this wave: the ledger can't tell its people apart"
