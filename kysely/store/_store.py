"""The store: one object over the databases, which share no id."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from itertools import chain
from typing import Any

from kysely import loading
from kysely.codebook import Answer
from kysely.config import Settings
from kysely.errors import ConfigurationError, StoreError
from kysely.instrument import Instrument
from kysely.paradata import Visit
from kysely.questions.organisation import OrganisationTyped
from kysely.store.anonymous import MARK, Anonymous, is_anonymous
from kysely.store.answers import AnswerLog, admit
from kysely.store.codes import Codes
from kysely.store.databases import Database
from kysely.store.drafts import Drafts
from kysely.store.erasing import LEDGER, Erasing
from kysely.store.identities import Identities
from kysely.store.invitations import Invitations, Invited
from kysely.store.saving import Form, Saving
from kysely.store.tables import OPEN, REAL
from kysely.store.values import (
    NOBODY,
    Asking,
    Closed,
    Conflict,
    Count,
    Draft,
    Phase,
    Publication,
    Replayed,
    ResponseState,
    Saved,
    Submitted,
    Tombstone,
    UnknownResponse,
    Wave,
    WaveClosed,
)

PROMISES = ("named", "confidential", "open", "anonymous")
"""Privacy modes, from the one that promises least; what was promised once is never loosened."""

_RESPONSE_ID = re.compile(r"[0-9a-fx][0-9a-f]{31}")


def secret_of(key: str) -> bytes:
    """Return a key of the store's own, so that no digest in the database says anything about the key of the cookies."""
    return hashlib.blake2b(b"kysely.store", key=key.encode()[:64], digest_size=32).digest()


@dataclass(frozen=True)
class Store:
    settings: Settings
    answers: AnswerLog
    identities: Identities
    access: Database
    secret: bytes = field(repr=False)
    _instruments: dict[str, Instrument] = field(default_factory=dict, repr=False)

    @cached_property
    def invitations(self) -> Invitations:
        """Who is invited."""
        return Invitations(self.identities.database, self.identities.keys)

    # Instruments

    def publish(self, instrument: Instrument, now: datetime) -> None:
        """Freeze the definition, so that responses can refer to it; a second time changes nothing.

        Raises StoreError if it promises respondents less than a version that some have answered already.
        """
        if instrument.hash not in self._instruments:
            self._refuse_loosening(instrument)
            self.answers.publish(instrument, now)
            self._instruments[instrument.hash] = instrument

    def _refuse_loosening(self, instrument: Instrument) -> None:
        for hash in self.answers.answered_versions(instrument.id):
            promised = self.instrument(hash).privacy_mode
            if PROMISES.index(instrument.privacy_mode) < PROMISES.index(promised):
                raise StoreError(
                    f"{instrument.id} has promised {promised} answers to people who have answered; it can't become "
                    f"{instrument.privacy_mode}. Keep the mode, or give the questionnaire another id."
                )

    def publish_in(self, wave: str, instrument: Instrument, now: datetime) -> bool:
        """Freeze the definition and let new responses of *wave* begin on it; False where they do already."""
        self.publish(instrument, now)
        return self.answers.publish_in(wave, instrument.hash, now)

    def publications(
        self, instrument: str | None = None, form: str | None = None, *, wave: str | None = None
    ) -> tuple[Publication, ...]:
        """Return what was published and for which wave: the latest wave first, and of each the latest version."""
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
        said = {"access": access, "opens_at": opens_at, "closes_at": closes_at}
        told: dict[str, Any] = {name: value for name, value in said.items() if value is not None}
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
        with suppress(StoreError):  # the wave is closed; another one's end mixes these too
            self.identities.mix()

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
        withdrawal: str = "",
        device: str | None = None,
    ) -> str:
        """Begin a response and return its id, 128 random bits.

        With a *submit_key* a second start of the same form gives the same response: a double click begins one.
        *invited* is the id that an invitation's response always has: two browsers begin the same one. *withdrawal* is
        by what that of an anonymous one is found until it is sent.
        *device* is what kind it is begun on. One that was erased is not begun again: there is no response of that id.
        """
        id = secrets.token_hex(16)
        if submit_key is not None:
            id = hashlib.blake2b(submit_key.encode(), key=self.secret, digest_size=16).hexdigest()
        if invited:
            _require_id(invited)
            id = invited
        if self.instrument(version_hash).privacy_mode == "anonymous":
            values = {"wave_id": wave_id, "origin": origin, "version_hash": version_hash, "language": language}
            begun = {**values, "id": MARK + id[1:], "seed": seed, "withdrawal": withdrawal or None}
            return self._begin_anonymously(begun, now, invited=bool(invited))
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
            device=device,
        )
        return id

    def _begin_anonymously(self, begun: Mapping[str, Any], now: datetime, *, invited: bool) -> str:
        with self.answers.database.writing() as connection:
            row = self.answers.wave_row(connection, begun["wave_id"])
            admit(row, now, asked=self.settings.production, invited=invited)
            self.anonymous.begin(connection, {**begun, "mode": "web", "revision": 0, "state": OPEN})
        return begun["id"]

    def response(self, id: str) -> ResponseState | None:
        """Return the response as it stands, None if there is none of that id."""
        if is_anonymous(id) and _RESPONSE_ID.fullmatch(id):
            return self.anonymous.response(id)
        return self.answers.response(id) if _RESPONSE_ID.fullmatch(id) else None

    def responses(self, wave: str) -> Iterator[ResponseState]:
        """Yield every response of the wave as it stands, in an order that says nothing of when they came."""
        if self._anonymous(wave):
            return chain(self.answers.responses(wave), self.anonymous.responses(wave))
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
        address: str | None = None,
        language: str,
        now: datetime,
        shown_at: datetime | None = None,
        browser: str = "",
        draft: str = "",
    ) -> Saved | Replayed | Conflict | Closed:
        """Store one page durably, or say why nothing was written.

        *based_on* is the response's revision when the form was made. A form that is sent twice is stored once; sent
        again with other content it corrects itself. An identity in which nothing is typed takes back an earlier one,
        and so does a blank *address*: the one to which the respondent wants to be written.
        *shown_at* is when the page was first shown. What *browser* had typed there is settled by this, and so is the
        *draft*, by the mark of its browser, that the form was filled from.
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
            address=address,
            language=language,
            shown_at=shown_at,
            drafts=tuple(filter(None, (self._drafts.mark(browser), draft))),
        )
        if is_anonymous(response_id):
            return self.anonymous.save(form)
        return Saving(self.answers.database, self.identities, self.instrument, self.secret).save(form, now)

    def submit(self, response_id: str, based_on: int, now: datetime) -> Submitted | Replayed | Conflict:
        """Close the response as it stood at the revision *based_on*; a second time changes nothing.

        Answers that were changed since are a conflict: what is sent is what the respondent has checked.
        """
        _require_id(response_id)
        if is_anonymous(response_id):
            sent = self.anonymous.submit(response_id, based_on)
            with suppress(StoreError):  # it is sent; what waits moves on another time
                self._move_on(response_id)
            return sent
        outcome = self.answers.submit(response_id, based_on, now)
        if isinstance(outcome, Submitted) and outcome.drafts:
            # The response is sent, whatever becomes of this: no draft asks for these names any more.
            with suppress(StoreError):
                self.identities.drop_all_drafts(response_id)
        return outcome

    def reopen(self, response_id: str, now: datetime) -> bool:
        """Let what was sent be changed until it is sent again; False for a response that wasn't sent.

        Raises WaveClosed once the wave takes no new responses, and UnknownResponse.
        """
        _require_id(response_id)
        if is_anonymous(response_id):
            return False  # what was sent can't be told from the others any more
        return self.answers.reopen(response_id, now)

    # What is typed and not saved

    def put_aside(
        self,
        response_id: str,
        *,
        page: str,
        stage: str,
        browser: str,
        typed: Iterable[tuple[str, str]],
        names: Collection[str],
        reason: str,
        based_on: int,
        shown_at: datetime | None,
        now: datetime,
    ) -> bool:
        """Keep what *browser* typed on a page that can't be saved as it is, until it is; False if that can't be kept.

        *names* are the fields that say who the respondent is; *reason* says why the page isn't saved.
        """
        _require_id(response_id)
        if is_anonymous(response_id):
            return False
        return self._drafts.keep(
            response_id,
            page=page,
            stage=stage,
            browser=browser,
            typed=typed,
            names=names,
            reason=reason,
            revision=based_on,
            shown_at=shown_at,
            now=now,
        )

    def drafts(self, response_id: str, page: str, stage: str, browser: str) -> tuple[Draft, ...]:
        """Return what was typed on a page and not saved: by *browser* first, then by others, the latest first."""
        return () if is_anonymous(response_id) else self._drafts.find(response_id, page, stage, browser)

    def drafted(self, response_id: str) -> tuple[tuple[str, str], ...]:
        """Return the pages, with their stages, on which something is typed and not saved."""
        return () if is_anonymous(response_id) else self._drafts.screens(response_id)

    def drop_draft(self, response_id: str, page: str, stage: str, browser: str) -> None:
        """Forget what *browser* typed on a page: its respondent keeps what is saved."""
        _require_id(response_id)
        if is_anonymous(response_id):
            return
        self._drafts.drop(response_id, page, stage, browser)

    # Codes, and erasing

    def issue_code(self, response_id: str) -> str:
        """Return the code with which the respondent comes back from any device; the same each time."""
        _require_id(response_id)
        return self.anonymous.receipt(response_id) if is_anonymous(response_id) else self._codes.issue(response_id)

    def issued_code(self, response_id: str) -> str:
        """Return the code of the response if it was issued, otherwise ""."""
        return self.anonymous.receipt(response_id) if is_anonymous(response_id) else self._codes.issued(response_id)

    def response_of_code(self, typed: str) -> ResponseState | None:
        """Return the response whose code somebody *typed*, with any blanks and hyphens; None if there is none."""
        found = self._codes.response(typed) or self.anonymous.of_receipt(typed)
        return self.response(found) if found else None

    def erase(self, response_id: str, *, by: str, now: datetime) -> Tombstone:
        """Erase everything of a response, *by* the respondent or an operator; raises UnknownResponse.

        What is left is a tombstone: which response of which wave, when and by whom. Backups keep it until they are
        gone, and a restored one is erased again.
        """
        _require_id(response_id)
        if is_anonymous(response_id):
            return self._erasing.erase_anonymously(response_id, by=by, now=now)
        return self._erasing.erase(response_id, by=by, now=now)

    def withdraw(self, invited: Invited, *, by: str, now: datetime) -> bool:
        """Erase what a person invited has begun anonymously and not sent; False where there is nothing.

        In the other modes what is saved stays, until its respondent or an operator erases it.
        """
        begun = self.anonymous.begun_by(invited.id) if invited.anonymous else ""
        if begun:
            self.erase(begun, by=by, now=now)
        return bool(begun)

    def erase_again(self, now: datetime) -> int:
        """Erase what a restored backup has brought back; returns how many responses that were."""
        return self._erasing.again(now)

    def tombstones(self) -> Iterator[Tombstone]:
        """Yield what is left of erased responses."""
        return self._erasing.tombstones()

    # Data about the answering

    def visits(self, wave: str) -> Mapping[str, tuple[Visit, ...]]:
        """Return when the pages of each response of the wave were first shown and saved; none in anonymous mode."""
        return self.answers.visits(wave)

    def organisation_typed(self, response_id: str) -> OrganisationTyped | None:
        """Return how the respondent named the organisation, None if not at all."""
        return self.identities.typed(response_id)

    def address(self, response_id: str) -> str | None:
        """Return the e-mail address that the respondent gave to be written to, None if none."""
        return self.identities.address(response_id)

    def addresses(self, wave: str) -> tuple[str, ...]:
        """Return the e-mail addresses that respondents of the wave gave, each once, in an order that tells nothing."""
        return self.identities.addresses(wave)

    def counts(self, instrument: str | None = None, form: str | None = None) -> tuple[Count, ...]:
        """Return the fieldwork counts of each wave, the latest opened first."""
        return tuple(self._counted(count) for count in self.answers.counts(instrument, form))

    def move_on(self, wave: Wave, now: datetime) -> int:
        """Bring anonymous responses of *wave* to where they can be read, once enough wait or the wave is over."""
        if not self._anonymous(wave.id):
            return 0
        over = wave.state != OPEN or wave.phase(now) is Phase.OVER
        return self.anonymous.move(wave.id, at_least=1 if over else self.smallest_group(wave.id), unsent=over)

    def smallest_group(self, wave: str) -> int:
        """Return how many anonymous responses become known at a time: the smallest group that results may show."""
        return max((self.instrument(one.hash).min_group for one in self.publications(wave=wave)), default=5)

    def _move_on(self, response: str) -> None:
        state = self.anonymous.response(response)
        if state is not None:
            self.anonymous.move(state.wave, at_least=self.smallest_group(state.wave))

    def _counted(self, count: Count) -> Count:
        if not self._anonymous(count.wave.id):
            return count
        answered, submitted = self.anonymous.count(count.wave.id)
        return replace(
            count,
            started=count.started + answered,
            answered=count.answered + answered,
            submitted=count.submitted + submitted,
        )

    def _anonymous(self, wave: str) -> bool:
        return any(self.instrument(one.hash).privacy_mode == "anonymous" for one in self.publications(wave=wave))

    @cached_property
    def anonymous(self) -> Anonymous:
        """Responses in anonymous mode."""
        return Anonymous(self.answers.database, self.identities.keys, self.secret)

    @cached_property
    def _drafts(self) -> Drafts:
        return Drafts(self.answers.database, self.identities, self.secret)

    @cached_property
    def _codes(self) -> Codes:
        return Codes(self.answers.database, self._secrets)

    @cached_property
    def _erasing(self) -> Erasing:
        ledger = self.settings.instance / LEDGER
        return Erasing(self.answers.database, self.identities, self.anonymous, self._secrets, ledger)

    @cached_property
    def _secrets(self) -> tuple[bytes, ...]:
        """The store's secret and those that followed from retired keys: what was hidden with them is still found."""
        return (self.secret, *(secret_of(key) for key in self.settings.secret_key_fallbacks))

    def close(self) -> None:
        """Give back every connection."""
        self.answers.database.close()
        self.identities.database.close()
        self.access.close()


def _refuse_times(opens: datetime | None, closes: datetime | None) -> None:
    if opens is not None and closes is not None and closes <= opens:
        raise ConfigurationError("The wave would close before it opens; check --opens and --closes.")


def _require_id(response: str) -> None:
    # Whatever else stands in an address never reaches the database: PostgreSQL can't even compare a NUL.
    if not _RESPONSE_ID.fullmatch(response):
        raise UnknownResponse("There is no such response.")
