"""What `kysely diff`, `publish` and `wave open` have in common: the version asked now, the changes, what is refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kysely.errors import KyselyError, Problem

if TYPE_CHECKING:
    from kysely.instrument import Instrument
    from kysely.store import Publication, Store
    from kysely.versions import Change


class Refused(KyselyError):
    """Publishing would lose or blur answers, or show stale texts; every reason with its place and cure."""

    exit_code = 1


@dataclass(frozen=True)
class Difference:
    """The changes from an earlier version to the file, ready to be told."""

    file: str
    changes: tuple[Change, ...]

    @property
    def refused(self) -> tuple[Problem, ...]:
        return tuple(
            Problem(self.file, change.line, str(change.subject), f"{change.kind}: {change.words}", change.cure)
            for change in self.changes
            if change.refused
        )

    def told(self) -> Iterator[str]:
        """Yield one line a change, with its place and class, and then how many there are of each."""
        if not self.changes:
            yield "Nothing has changed."
            return
        wide = max(len(change.kind) for change in self.changes)
        for change in self.changes:
            mark = "!" if change.refused else " "
            yield f"{mark} {change.kind:<{wide}}  {self.file}:{change.line}: {change.subject}: {change.words}"
        counts = Counter(str(change.kind) for change in self.changes)
        yield ""
        yield from (f"{counts[str(kind)]:>4}  {kind}" for kind in type(self.changes[0].kind) if counts[str(kind)])


def difference(old: Instrument, new: Instrument, path: Path) -> Difference:
    """Return what changes from *old* to *new*, the questionnaire at *path*."""
    from kysely import loading, versions

    file, _ = _place(path, 1)
    return Difference(file, versions.compare(old, new, loading.written(path)))


def published(store: Store, instrument: str, form: str) -> Publication | None:
    """Return what real answers were asked with last: in the open wave, otherwise in the latest; None if never."""
    found = [one for one in store.publications(instrument, form) if one.wave.origin == "real"]
    if store.settings.production:
        found = [one for one in found if not one.wave.demonstration]
    return next((one for one in found if one.wave.state == "open"), found[0] if found else None)


def refusals(store: Store, instrument: Instrument, path: Path) -> tuple[Problem, ...]:
    """Return every reason not to publish *instrument*, the questionnaire at *path*: its texts, changes and names."""
    from kysely import translations

    problems = list(translations.problems(path, instrument.form))
    before = published(store, instrument.id, instrument.form)
    if before is not None and before.hash != instrument.hash:
        problems += difference(store.instrument(before.hash), instrument, path).refused
        problems += _taken_revision(store, instrument, path)
        problems += _long_names(store, instrument, path, before)
    return tuple(problems)


def _taken_revision(store: Store, instrument: Instrument, path: Path) -> Iterator[Problem]:
    """Yield a problem if another definition was asked of people under the same revision: reports name it by that."""
    from kysely import loading

    for one in store.publications(instrument.id, instrument.form):
        if one.wave.origin != "real" or one.hash == instrument.hash:
            continue
        if store.instrument(one.hash).revision == instrument.revision:
            file, line = _place(path, loading.written(path).at("revision"))
            cause = f"{instrument.revision!r} is what another version is called ({one.hash[:12]}), which was published"
            yield Problem(file, line, "file: revision", cause, "Give the changed file a new `revision`")
            return


def _long_names(store: Store, instrument: Instrument, path: Path, before: Publication) -> Iterator[Problem]:
    """Yield the names, longer than any program reads, that an extract would give to pooled columns of the wave."""
    from kysely import loading, pooling
    from kysely.loading._binding import MAXIMUM_NAME

    earlier = dict.fromkeys(one.hash for one in store.publications(wave=before.wave.id) if one.hash != instrument.hash)
    pool = pooling.pool((instrument, *map(store.instrument, earlier)))
    source = loading.written(path)
    for variable in pool.codebook.variables:
        name = variable.name
        if len(name) <= MAXIMUM_NAME:
            continue
        mapped = name.endswith(pooling.MAPPED)
        key = "retired" if mapped else "changed"
        file, line = _place(path, source.at(key))
        cause = (
            f"with the earlier versions of the wave {name!r} comes to {len(name)} characters, {MAXIMUM_NAME} at most"
        )
        longest = MAXIMUM_NAME - len(pooling.MAPPED if mapped else pooling.EARLIER)
        cure = (
            f"Let `maps_to` name a question whose variables have at most {longest} characters, or leave it out"
            if mapped
            else f"Give what means something else now another id, so that its variables have at most {longest}"
        )
        yield Problem(file, line, f"file: {key}", cause, cure)


def _place(path: Path, line: int) -> tuple[str, int]:
    from kysely import loading

    return str(path / loading.FILE if path.is_dir() else path), line


def refuse(problems: Sequence[Problem]) -> None:
    """Raise Refused if there are any *problems*."""
    if problems:
        told = "\n".join(str(problem).replace("warning: ", "") for problem in problems)
        raise Refused(f"{told}\nNothing was published.")
