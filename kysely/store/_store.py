"""The store: one object over the two databases, which share nothing but the organisation's key."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from kysely import loading
from kysely.codebook import Answer
from kysely.config import Settings
from kysely.errors import ConfigurationError, StoreError
from kysely.instrument import Instrument
from kysely.links import Keys
from kysely.questions.organisation import OrganisationTyped
from kysely.store import upgrading
from kysely.store.answers import AnswerLog
from kysely.store.databases import databases
from kysely.store.identities import Identities
from kysely.store.invitations import Invitations
from kysely.store.saving import Form, Saving
from kysely.store.tables import OPEN, REAL
from kysely.store.values import (
    NOBODY,
    Asking,
    Closed,
    Conflict,
    Count,
    Publication,
    Replayed,
    ResponseState,
    Saved,
    Submitted,
    UnknownResponse,
    Wave,
    WaveClosed,
)

_RESPONSE_ID = re.compile(r"[0-9a-f]{32}")


def open(settings: Settings, *, upgrade: bool = True) -> Store:
    """Return the store that *settings* name, brought to the newest schema first.

    With upgrade=False an older schema is refused, and so is a database that isn't there yet. Raises StoreError that
    says what to do. A server opens it in each of its processes, after they have forked.
    """
    if upgrade:
        upgraded(settings, now=datetime.now(UTC))
    answers, identity = opened = databases(settings)
    for database in opened:
        if not upgrade and not upgrading.is_newest(database):
            raise StoreError(f"{database} has an older schema, or is not there yet. Run: kysely database upgrade")
        database.show_writable()
    # A key of its own, so that no digest in the database says anything about the key of the cookies.
    secret = hashlib.blake2b(b"kysely.store", key=settings.secret_key.encode()[:64], digest_size=32).digest()
    return Store(settings, AnswerLog(answers), Identities(identity), secret)


def upgraded(settings: Settings, *, now: datetime) -> tuple[upgrading.Upgraded, ...]:
    """Bring both databases to the newest schema, made where there are none, and return what was done."""
    both = databases(settings)
    if any(database.sqlite and database.file.parent == settings.instance for database in both):
        _make_folder(settings)
    done = tuple(upgrading.upgrade(database, settings.instance / "backups", now=now) for database in both)
    for database in both:
        database.close()
    return done


def backup(settings: Settings, folder: Path, *, now: datetime) -> tuple[Path, ...]:
    """Copy both databases into *folder* while they are in use, check the copies, and return their files.

    The identities are copied last, so that no copied response points to an organisation that was not copied.
    """
    both = databases(settings)
    for database in both:
        if not database.sqlite:
            raise StoreError(
                f"{database}: PostgreSQL has its own tool, and a copy of both schemas that belong together is made by: "
                "pg_dump --format=custom --schema=answers --schema=identity --file=kysely.dump <database>"
            )
        if not upgrading.current(database):
            raise StoreError(f"{database} is not there yet, so there is nothing to copy.")
    return tuple(upgrading.backup(database, folder, now=now) for database in both)


def _make_folder(settings: Settings) -> None:
    try:
        settings.instance.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StoreError(
            f"The folder {settings.instance} can't be made ({error.strerror}); make it, or set KYSELY_INSTANCE."
        ) from None


@dataclass(frozen=True)
class Store:
    settings: Settings
    answers: AnswerLog
    identities: Identities
    secret: bytes = field(repr=False)
    _instruments: dict[str, Instrument] = field(default_factory=dict, repr=False)

    @cached_property
    def invitations(self) -> Invitations:
        """Who is invited; raises ConfigurationError in production without a link key."""
        return Invitations(self.identities.database, Keys.of(self.settings))

    # Instruments

    def publish(self, instrument: Instrument, now: datetime) -> None:
        """Freeze the definition, so that responses can refer to it; a second time changes nothing."""
        if instrument.hash not in self._instruments:
            self.answers.publish(instrument, now)
            self._instruments[instrument.hash] = instrument

    def publish_in(self, wave: str, instrument: Instrument, now: datetime) -> bool:
        """Freeze the definition and let new responses of *wave* begin on it; False where they do already."""
        self.publish(instrument, now)
        return self.answers.publish_in(wave, instrument.hash, now)

    def publications(
        self, instrument: str | None = None, form: str | None = None, *, wave: str | None = None
    ) -> tuple[Publication, ...]:
        """Return what was published and for which wave, the latest first."""
        return self.answers.publications(instrument=instrument, form=form, wave=wave)

    def instrument(self, hash: str) -> Instrument:
        """Return the definition as it was answered on; raises StoreError if it was never published."""
        found = self._instruments.get(hash)
        if found is None:
            canonical = self.answers.canonical(hash)
            if canonical is None:
                raise StoreError(f"No instrument with the hash {hash[:12]}… was published here.")
            found = self._instruments[hash] = loading.from_canonical(canonical)
        return found

    # Waves

    def open_wave(
        self,
        instrument: Instrument,
        *,
        name: str,
        origin: str,
        note: Mapping[str, object] | None = None,
        asking: Asking = NOBODY,
        access: str | None = None,
        opens_at: datetime | None = None,
        closes_at: datetime | None = None,
        now: datetime,
    ) -> str:
        """Open a wave and return its id; an open one of that name is returned as it is, with what *asking* says anew.

        In production a wave for real answers opens only if everything of *asking* is said. It ends a demonstration.
        *access* is whom it takes ("open", "invited", "both"); what is None stays as it is, for a new wave open to all
        from now until it is closed.
        """
        told = {"access": access, "opens_at": opens_at, "closes_at": closes_at}
        told = {name: value for name, value in told.items() if value is not None}
        _refuse_times(opens_at, closes_at)
        if access in ("invited", "both") and instrument.privacy_mode == "open":
            raise ConfigurationError(
                f"{instrument.id} promises that nobody is invited (privacy mode open), so it has no personal links. "
                "Leave --access out, or give the questionnaire another privacy mode."
            )
        if origin == REAL and self.settings.production and asking.unsaid:
            options = " ".join(f"--{name.replace('_', '-')} …" for name in asking.unsaid)
            raise ConfigurationError(
                f"A wave that collects real answers must say who asks and why. Missing: {', '.join(asking.unsaid)}. "
                f"Add: kysely wave open {instrument.id} {options}"
            )
        self.publish(instrument, now)
        wave = Wave("", instrument.id, instrument.form, name, origin, OPEN, now, note=note, asking=asking, **told)
        id = self.answers.open_wave(wave, tuple(told))
        self.answers.publish_in(id, instrument.hash, now)
        return id

    def close_wave(self, wave: str, now: datetime) -> None:
        """Take no new responses; those that are begun can still be finished."""
        self.answers.close_wave(wave, now)

    def waves(self, instrument: str | None = None, form: str | None = None) -> tuple[Wave, ...]:
        """Return the waves of an instrument, or all, the latest opened first."""
        return self.answers.waves(instrument, form)

    def wave(self, instrument: str, form: str, origin: str) -> Wave | None:
        """Return the open wave of that origin, otherwise the latest closed one, None if there was none.

        In production a demonstration's wave is not among them.
        """
        waves = [
            wave
            for wave in self.waves(instrument, form)
            if wave.origin == origin and not (wave.demonstration and self.settings.production)
        ]
        return next((wave for wave in waves if wave.state == OPEN), waves[0] if waves else None)

    def collecting(self, instrument: Instrument, now: datetime) -> Wave:
        """Return the wave that takes real answers now; a demonstration opens one when it is first needed.

        Raises WaveClosed in production until somebody has said who asks: `kysely wave open`.
        """
        wave = self.wave(instrument.id, instrument.form, REAL)
        if wave is None and self.settings.demonstration:
            self.open_wave(instrument, name="open", origin=REAL, now=now)
            wave = self.wave(instrument.id, instrument.form, REAL)
        if wave is None or wave.state != OPEN:
            raise WaveClosed(f"No wave of {instrument.id} is open. Open one: kysely wave open {instrument.id} …")
        return wave

    # Responses

    def start(
        self,
        wave_id: str,
        origin: str,
        version_hash: str,
        language: str,
        seed: int,
        now: datetime,
        *,
        submit_key: str | None = None,
        invited: str = "",
    ) -> str:
        """Begin a response and return its id, 128 random bits.

        With a *submit_key* a second start of the same form gives the same response: a double click begins one.
        *invited* is the id that an invitation's response always has: two browsers begin the same one.
        """
        id = secrets.token_hex(16)
        if submit_key is not None:
            id = hashlib.blake2b(submit_key.encode(), key=self.secret, digest_size=16).hexdigest()
        if invited:
            _require_id(invited)
            id = invited
        self.answers.start(
            id,
            wave=wave_id,
            origin=origin,
            version=version_hash,
            language=language,
            seed=seed,
            now=now,
            asked=self.settings.production,
            invited=bool(invited),
        )
        return id

    def response(self, id: str) -> ResponseState | None:
        """Return the response as it stands, None if there is none of that id."""
        return self.answers.response(id) if _RESPONSE_ID.fullmatch(id) else None

    def responses(self, wave: str) -> Iterator[ResponseState]:
        """Yield every response of the wave as it stands, in an order that says nothing of when they came."""
        return self.answers.responses(wave)

    def save(
        self,
        response_id: str,
        *,
        page: str,
        stage: str,
        submit_key: str,
        based_on: int,
        answers: Mapping[str, Answer],
        variables: Collection[str],
        identity: OrganisationTyped | None = None,
        language: str,
        now: datetime,
    ) -> Saved | Replayed | Conflict | Closed:
        """Store one page durably, or say why nothing was written.

        *based_on* is the response's revision when the form was made. A form that is sent twice is stored once; sent
        again with other content it corrects itself. An identity in which nothing is typed takes back an earlier one.
        """
        _require_id(response_id)
        form = Form(
            response=response_id,
            page=page,
            stage=stage,
            submit_key=submit_key,
            based_on=based_on,
            answers=answers,
            variables=variables,
            organisation=identity,
            language=language,
        )
        return Saving(self.answers.database, self.identities, self.instrument, self.secret).save(form, now)

    def submit(self, response_id: str, based_on: int, now: datetime) -> Submitted | Replayed | Conflict:
        """Close the response as it stood at the revision *based_on*; a second time changes nothing.

        Answers that were changed since are a conflict: what is sent is what the respondent has checked.
        """
        _require_id(response_id)
        return self.answers.submit(response_id, based_on, now)

    def organisation_typed(self, response_id: str) -> OrganisationTyped | None:
        """Return how the respondent named the organisation, None if not at all."""
        return self.identities.typed(response_id)

    def counts(self, instrument: str | None = None, form: str | None = None) -> tuple[Count, ...]:
        """Return the fieldwork counts of each wave, the latest opened first."""
        return self.answers.counts(instrument, form)

    def close(self) -> None:
        """Give back every connection."""
        self.answers.database.close()
        self.identities.database.close()


def _refuse_times(opens: datetime | None, closes: datetime | None) -> None:
    if opens is not None and closes is not None and closes <= opens:
        raise ConfigurationError("The wave would close before it opens; check --opens and --closes.")


def _require_id(response: str) -> None:
    # Whatever else stands in an address never reaches the database: PostgreSQL can't even compare a NUL.
    if not _RESPONSE_ID.fullmatch(response):
        raise UnknownResponse("There is no such response.")
