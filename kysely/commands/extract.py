"""`kysely extract`: hand one wave of answers over to the analysis, as codes."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from kysely import pseudonyms
from kysely.config import Settings
from kysely.errors import StoreError

if TYPE_CHECKING:
    from kysely.dataset import Invited, Response
    from kysely.paradata import Visit
    from kysely.store import Count, ResponseState, Store, Wave

    Key = Callable[[bytes, str], str]

HELP = "write the answers of one wave as Parquet, with codebook and manifest, for the analysis"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("instrument", help="id of the instrument")
    parser.add_argument("--form", help="form of the questionnaire (default: the one that was answered)")
    parser.add_argument("--wave", help="name of the wave (default: the latest real one with answers, else simulated)")
    parser.add_argument("--out", type=Path, help="folder to write to (default: build/<instrument>/extract)")


def run(args: argparse.Namespace) -> int:
    """Write the extract and say what it holds."""
    from kysely import store
    from kysely.access import Access
    from kysely.commands._terminal import actor

    settings, ledger_key = Settings.from_env(os.environ), pseudonyms.ledger_key(os.environ)
    opened = store.open(settings)
    try:
        log = Access.of(opened.access, settings).log
        count = _chosen(opened, args)
        print(f"Extracting wave {count.wave.name} of {count.wave.instrument} ({count.wave.form}) …", flush=True)
        folder = args.out or settings.build / args.instrument / "extract"
        manifest = write(opened, count, folder, made_at=_now(), ledger_key=ledger_key)
        hashes = ", ".join(f"{file} {said['sha256'][:12]}" for file, said in manifest["files"].items())
        log.note(
            actor(),
            "extracted",
            f"{args.instrument}, wave {count.wave.name}: {_summary(manifest)}; {hashes}",
            now=_now(),
        )
    finally:
        opened.close()
    print(f"{folder}: {_summary(manifest)}")
    if manifest["origin"] == "real" and ledger_key is None:
        print(
            f"Made without {pseudonyms.VARIABLE}: if anything is published from this extract, nothing can be from a "
            "later one of the same wave, as nobody could tell who has come in between."
        )
    return 0


def write(store: Store, count: Count, folder: Path, *, made_at: datetime, ledger_key: bytes | None = None) -> Mapping:
    """Write the extract of the wave of *count* to *folder* and return its manifest.

    With the *ledger_key* whoever publishes can know respondents again in a later extract (kysely/pseudonyms.py).
    """
    from kysely.exchange import parquet
    from kysely.store.values import GRACE, Phase

    wave = count.wave
    states = sorted((state for state in store.responses(wave.id) if state.answers), key=_when)
    # The version published last describes the extract; each response is read along its own.
    begun = dict.fromkeys(state.version_hash for state in reversed(states))
    published = dict.fromkeys(one.hash for one in store.publications(wave=wave.id))
    hashes = [*(hash for hash in begun if hash not in published), *(hash for hash in published if hash in begun)]
    key, names = keys(wave), None
    if ledger_key is not None and wave.origin == "real":
        names = Names.of(store, wave, states, ledger_key)
        key = names.or_else(key)
    extract = parquet.Extract(
        versions=tuple(store.instrument(hash) for hash in hashes),
        wave=wave.name,
        origin=wave.origin,
        demonstration=wave.demonstration,
        simulation=wave.note,
        made_at=made_at,
        closed_at=wave.closes_at,
        # Who had begun when it closed may finish in the time of GRACE: until then the answers are not all there.
        open=wave.origin == "real" and wave.phase(made_at - GRACE) in (Phase.NOT_YET, Phase.OPEN),
        pseudonyms=None if names is None else {"book": names.book, "salt": names.salt},
    )
    responses = keyed(states, wave, key, store.visits(wave.id))
    return parquet.write(folder, extract, responses, frame(store, wave, key) if wave.by_invitation else ())


@dataclass(frozen=True)
class Names:
    """The keys of one extract that follow from pseudonyms: of its responses and their organisations, not of cases."""

    book: str
    salt: str
    keys: Mapping[tuple[bytes, str], str]

    @classmethod
    def of(cls, store: Store, wave: Wave, states: Sequence[ResponseState], ledger_key: bytes) -> Names:
        organisations = dict.fromkeys(filter(None, (state.organisation_key for state in states)))
        subjects = [
            *((pseudonyms.RESPONSE, state.id) for state in states),
            *((pseudonyms.ORGANISATION, organisation) for organisation in organisations),
        ]
        folder = pseudonyms.books(store.settings.instance, wave.instrument)
        book, salt = pseudonyms.settle(folder, wave.id, subjects, ledger_key), secrets.token_hex(12)
        return cls(book.id, salt, book.keys(salt, subjects))

    def or_else(self, other: Key) -> Key:
        return lambda kind, id: self.keys.get((kind, id)) or other(kind, id)


def keys(wave: Wave) -> Key:
    """Return the function that makes the keys of one extract.

    The keys of real responses come from a secret that is thrown away: no two extracts can be laid side by side, and
    no row leads back to the store. Those of simulated ones come from the simulation's parameters (the wave's note),
    so that the same simulation gives the same bytes.
    """
    simulated = wave.origin == "simulated"
    secret = json.dumps(wave.note, sort_keys=True).encode() if simulated else secrets.token_bytes(32)
    secret = hashlib.blake2b(secret, digest_size=32).digest()
    ordinals: dict[str, int] = {}

    def key(kind: bytes, id: str) -> str:
        # Ids of the store are random, also for robots; the order in which robots come is not.
        subject = str(ordinals.setdefault(id, len(ordinals))) if simulated else id
        return hashlib.blake2b(subject.encode(), key=secret, person=kind, digest_size=12).hexdigest()

    return key


def frame(store: Store, wave: Wave, key: Key) -> list[Invited]:
    """Return everybody who was invited to *wave*, with what became of it, in the order of this extract's keys.

    In anonymous mode nothing leads from a person to an answer, so no case has a response; and none has an
    organisation, or a few questions would do what no table does.
    """
    from kysely.dataset import Invited
    from kysely.outcomes import outcomes, tell_used

    tell_used(store, wave)
    found = outcomes(store, wave)
    answered = {state.id for state in store.responses(wave.id) if state.answers}
    invited = []
    for each in store.invitations.of_wave(wave.id):
        response = store.invitations.response_of(each)
        invited.append(
            Invited(
                case=key(b"case", each.id),
                organisation=key(b"organisation", store.invitations.organisation(each)) if each.organisation else None,
                response=key(b"response", response) if response in answered else None,
                stratum=each.stratum,
                psu=each.psu,
                design_weight=each.design_weight,
                disposition=found[each.id],
            )
        )
    return sorted(invited, key=lambda each: each.case)


def keyed(
    states: Iterable[ResponseState], wave: Wave, key: Key, visits: Mapping[str, tuple[Visit, ...]] | None = None
) -> list[Response]:
    """Return *states*, given in the order they began, with keys of this extract only, in the order of those keys."""
    from kysely.dataset import Response

    responses = [
        Response(
            response=key(b"response", state.id),
            organisation=key(b"organisation", state.organisation_key) if state.organisation_key else None,
            wave=wave.name,
            origin=state.origin,
            version=state.version_hash,
            language=state.language,
            answers=state.answers,
            mode=state.mode,
            started_at=state.started_at,
            completed_at=state.submitted_at,
            submitted=state.submitted,
            device=state.device,
            visits=(visits or {}).get(state.id, ()),
            changes=0 if state.submitted_revision is None else state.revision - state.submitted_revision,
        )
        for state in states
    ]
    return sorted(responses, key=lambda response: response.response)


def _chosen(store: Store, args: argparse.Namespace) -> Count:
    """Return the wave to extract: the latest real one that has answers, else the latest simulated one."""
    counts = [
        count
        for count in store.counts(args.instrument, args.form)
        if count.answered
        and args.wave in (None, count.wave.name)
        and not (count.wave.demonstration and store.settings.production)
    ]
    forms = sorted({count.wave.form for count in counts})
    if len(forms) > 1:
        raise StoreError(f"{args.instrument} was answered in the forms {', '.join(forms)}; choose one with --form.")
    real = [count for count in counts if count.wave.origin == "real"]
    if not counts:
        which = f"wave {args.wave!r} of " if args.wave else ""
        raise StoreError(
            f"Nobody has answered {which}{args.instrument} yet. Run the survey (kysely serve), "
            f"or simulate the study: kysely simulate {args.instrument}"
        )
    return (real or counts)[0]


def _when(state: ResponseState) -> tuple:
    # In anonymous mode there is no time, and the ids are random.
    return state.started_at or datetime.min.replace(tzinfo=UTC), state.seed, state.id


def _now() -> datetime:
    """Return the time that the manifest gives; SOURCE_DATE_EPOCH stands for it in reproducible builds."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    return datetime.fromtimestamp(int(epoch), UTC) if epoch.isdigit() else datetime.now(UTC)


def _summary(manifest: Mapping) -> str:
    counts = manifest["counts"]
    origin = manifest["origin"]
    if origin == "simulated":
        origin = "simulated (synthetic data)"
    elif manifest["demonstration"]:
        origin = "real, collected by a demonstration"
    return (
        f"{_plural(counts['responses'], 'response')} of {_plural(counts['organisations'], 'organisation')} "
        f"({counts['complete']} complete, "
        f"{counts['partial']} partial, {counts['break_off']} broken off), {origin}"
    )


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
