"""Copies of everything that can't be made again, and the way back from them.

What only grows is never made shorter: a ledger of publications that stands stays, and what was erased stays erased,
also where the copy is from before.
"""

from __future__ import annotations

import os
import tarfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from kysely.config import Settings
from kysely.errors import StoreError
from kysely.store import opening, upgrading
from kysely.store.databases import every_database
from kysely.store.erasing import LEDGER

PUBLICATIONS = "ledger"
"""The folder of the instance that holds the ledgers of publications (analysis/ledger.py), and the books beside them."""

_LEDGERS = "ledgers"
_NEEDED = ("answers", "identity")
_DUMP = "--format=custom --schema=answers --schema=identity --schema=access"


@dataclass(frozen=True)
class Restored:
    """What came back: the databases by name, how many files of ledgers, how many responses were erased again."""

    databases: tuple[str, ...]
    ledgers: int
    erased: int
    kept: tuple[Path, ...]
    """Copies of the databases that stood there before."""


def backup(settings: Settings, folder: Path, *, now: datetime) -> tuple[Path, ...]:
    """Copy every database and ledger into *folder* while they are in use, check the copies, and return their files.

    The identities are copied after the answers, so that no copied response points to an organisation that was not
    copied; the ledgers last, so that they know of every erasure. Databases on PostgreSQL have a tool of their own.
    """
    every = every_database(settings)
    served = [database for database in every if not database.sqlite]
    if served:
        ledgers = _copy_ledgers(settings.instance, folder, now)
        beside = f" The ledgers, which it doesn't know, are copied: {ledgers}" if ledgers else ""
        raise StoreError(
            f"{served[0]}: PostgreSQL has its own tool, and a copy of the schemas that belong together is made by: "
            f"pg_dump {_DUMP} --file=kysely.dump <database>.{beside}"
        )
    for database in every:
        if not upgrading.current(database):
            raise StoreError(f"{database} is not there yet, so there is nothing to copy.")
    files = [upgrading.backup(database, folder, now=now) for database in every]
    ledgers = _copy_ledgers(settings.instance, folder, now)
    return (*files, *([ledgers] if ledgers else []))


def restore(settings: Settings, folder: Path, *, now: datetime) -> Restored:
    """Bring back the newest whole copy in *folder*, and erase again what was erased since.

    Accounts and their audit log come back only where there are none, or a restore would hide who did what since.
    """
    every = every_database(settings)
    if any(not database.sqlite for database in every):
        raise StoreError(f"PostgreSQL has its own tool: pg_restore --clean {_DUMP} --dbname=<database> kysely.dump")
    stamp = _newest(folder)
    ledgers = _bring_ledgers(folder / f"{_LEDGERS}-{stamp}.tar", settings.instance)
    kept, brought = [], []
    for database in every:
        copy = next(iter(folder.glob(f"{database.name}-*-{stamp}.db")), None)
        there = bool(upgrading.current(database))
        if copy is None or (there and database.name not in _NEEDED):
            continue
        if there:
            kept.append(upgrading.backup(database, settings.instance / "replaced", now=now))
        upgrading.replace(database, copy)
        brought.append(database.name)
    for database in every:
        database.close()
    opening.upgraded(settings, now=now)
    store = opening.open(settings, upgrade=False)
    try:
        return Restored(tuple(brought), ledgers, store.erase_again(now), tuple(kept))
    finally:
        store.close()


def _newest(folder: Path) -> str:
    """Return the moment of the newest copy in *folder* that has both answers and identities."""
    stamps = [{file.stem.rpartition("-")[2] for file in folder.glob(f"{name}-*.db")} for name in _NEEDED]
    whole = set.intersection(*stamps)
    if not whole:
        raise StoreError(f"There is no copy of answers and identities of the same moment in {folder}.")
    return max(whole)


def _copy_ledgers(instance: Path, folder: Path, now: datetime) -> Path | None:
    """Copy the ledgers into one archive and return it; None where there are none yet."""
    found = [path for path in (instance / PUBLICATIONS, instance / LEDGER) if path.exists()]
    if not found:
        return None
    file = folder / f"{_LEDGERS}-{now.astimezone(UTC):%Y%m%dT%H%M%S%f}.tar"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            with tarfile.open(fileobj=stream, mode="w") as archive:
                for path in found:
                    archive.add(path, path.name)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        raise StoreError(
            f"The ledgers can't be copied to {file} ({error.strerror}); make the folder writable."
        ) from None
    return file


def _bring_ledgers(file: Path, instance: Path) -> int:
    """Bring back what the archive *file* has and the instance lacks, and return how many files that were."""
    if not file.exists():
        return 0
    count = 0
    try:
        with tarfile.open(file) as archive:
            for member in archive:
                parts = PurePosixPath(member.name).parts
                stream = archive.extractfile(member) if member.isfile() else None
                if stream is None or ".." in parts or parts[0] not in (PUBLICATIONS, LEDGER):
                    continue
                content, target = stream.read(), instance.joinpath(*parts)
                if parts == (LEDGER,) and target.exists():
                    content = _joined(target.read_bytes(), content)
                elif target.exists():
                    continue
                _write(target, content)
                count += 1
    except (OSError, tarfile.TarError) as error:
        raise StoreError(f"{file} can't be brought back ({error}); no database was changed.") from None
    return count


def _joined(here: bytes, there: bytes) -> bytes:
    """Return the lines of both lists of erased responses, those that stand here first."""
    return b"".join(dict.fromkeys((*here.splitlines(keepends=True), *there.splitlines(keepends=True))))


def _write(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = file.with_name(f".{file.name}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    draft.rename(file)
