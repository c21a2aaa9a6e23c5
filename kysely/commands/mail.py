"""`kysely mail`: write to the people invited, and take note of what comes back."""

from __future__ import annotations

import argparse
import os
import signal
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from kysely.commands import _waves
from kysely.config import Settings
from kysely.errors import ConfigurationError, StoreError

if TYPE_CHECKING:
    from kysely.mail.composing import Letters
    from kysely.store import Store, Wave

HELP = "send invitations and reminders, and read what comes back"


def arguments(parser: argparse.ArgumentParser) -> None:
    action = _waves.actions(parser)
    previewing = action("preview", "show the letters in every language, with a link that opens nothing")
    previewing.add_argument("--out", type=Path, help="folder for the letters as pages (default: only printed)")
    testing = action("test", "send both letters to yourself, with a link that opens nothing")
    testing.add_argument("--to", required=True)
    sending = action("send", "write to everybody who has not been written to; can be stopped and run again")
    sending.add_argument("--reminder", action="store_true", help="a new round to those who have not answered")
    sending.add_argument("--per-minute", type=int, default=60, help="mails in a minute (default: %(default)s)")
    sending.add_argument(
        "--retry-unsure", action="store_true", help="also those that may have arrived; some may get it twice"
    )
    action("unsure", "list the mails of which nobody knows whether they arrived")
    action("status", "count the mails by round and state")
    action("cancel", "forget what waits to be sent")
    bouncing = action("bounces", "read the mailbox of the sender and note the addresses that don't exist")
    box = bouncing.add_mutually_exclusive_group(required=True)
    box.add_argument("--mbox", type=Path)
    box.add_argument("--maildir", type=Path)


def run(args: argparse.Namespace) -> int:
    from kysely import store

    opened = store.open(Settings.from_env(os.environ))
    try:
        wave = _waves.inviting(opened, args)
        actions = {
            "preview": _preview,
            "test": _test,
            "send": _send,
            "unsure": _unsure,
            "status": _status,
            "cancel": _cancel,
            "bounces": _bounces,
        }
        return actions[args.action](opened, wave, args)
    finally:
        opened.close()


def _letters(store: Store, wave: Wave) -> Letters:
    from kysely.mail.composing import letters
    from kysely.web.statements import promise
    from kysely.web.wording import wordings

    publications = store.publications(wave=wave.id)
    instrument = store.instrument(publications[0].hash)
    unspoken = [language for language in instrument.languages if language not in wordings()]
    if unspoken:
        raise ConfigurationError(f"There are no letters in {', '.join(unspoken)}.")
    promises: Mapping[str, str] = {name: promise(instrument, wordings()[name]) for name in instrument.languages}
    return letters(store.settings, instrument, wave, promises)


def _preview(store: Store, wave: Wave, args: argparse.Namespace) -> int:
    from kysely.mail.composing import DUMMY, INVITATION, REMINDER, html

    letters = _letters(store, wave)
    for kind in (INVITATION, REMINDER):
        for language in letters.instrument.languages:
            subject, text = letters.text(kind, language, code=DUMMY, stop=DUMMY, name="N. N.")
            print(f"---- {kind}, {language}\nSubject: {subject}\n\n{text}")
            if args.out:
                args.out.mkdir(parents=True, exist_ok=True)
                (args.out / f"{kind}-{language}.html").write_text(html(subject, text, language), encoding="utf-8")
    if args.out:
        print(f"The letters as pages: {args.out}")
    return 0


def _test(store: Store, wave: Wave, args: argparse.Namespace) -> int:
    from email.utils import make_msgid, parseaddr

    from kysely.mail.composing import DUMMY, INVITATION, REMINDER
    from kysely.mail.sending import connect
    from kysely.questions._text import email_address

    try:
        to = email_address(args.to)
    except ValueError as error:
        raise ConfigurationError(f"--to is no e-mail address: {error}.") from None
    letters = _letters(store, wave)
    sender = parseaddr(store.settings.mail_from)[1]
    server = connect(store.settings)
    count = 0
    for kind in (INVITATION, REMINDER):
        for language in letters.instrument.languages:
            mail = letters.message(
                kind,
                language,
                to=to,
                code=DUMMY,
                stop=DUMMY,
                message_id=make_msgid(domain=sender.rpartition("@")[2]),
                now=datetime.now(UTC),
                name="N. N.",
            )
            server.send_message(mail, from_addr=sender, to_addrs=[to])
            count += 1
    server.quit()
    print(f"{count} letters sent to {to}; their links open nothing.")
    return 0


def _send(store: Store, wave: Wave, args: argparse.Namespace) -> int:
    from kysely.mail.sending import Sender, may_write, only_sender
    from kysely.outcomes import answered, outcomes, tell_used
    from kysely.store import Phase
    from kysely.store.outbox import Outbox

    if not 1 <= args.per_minute <= 6000:
        raise ConfigurationError("--per-minute must be from 1 to 6000.")
    now = datetime.now(UTC)
    if wave.state != "open" or wave.phase(now) not in (Phase.OPEN, Phase.NOT_YET):
        raise StoreError(f"The wave {wave.name!r} takes no new responses; nobody should be written to.")
    letters = _letters(store, wave)
    outbox = Outbox(store.identities.database)
    with only_sender(store.settings.instance):
        if args.retry_unsure:
            print(f"{outbox.retry_unsure(wave.id)} that may have arrived are sent again.")
        tell_used(store, wave)
        found = outcomes(store, wave)
        have = frozenset(id for id, disposition in found.items() if answered(disposition))
        people = [invited for invited in store.invitations.of_wave(wave.id) if may_write(invited)]
        if args.reminder:
            queue, round = _to_remind(store, wave, outbox, {invited.id for invited in people} - have)
        else:
            queue, round = {invited.id for invited in people} - have, 1
        queued = outbox.fill(queue, round, now)
        waiting = len(outbox.queued(wave.id))
        print(f"{queued} mails queued, {waiting} wait; {args.per_minute} a minute.", flush=True)
        stop = _Stop()
        sender = Sender(
            store,
            wave,
            letters,
            lambda: datetime.now(UTC),
            per_minute=args.per_minute,
            stopping=stop,
            pause=stop.wait,
            answered=have,
        )
        done = sender.run()
    unsure = len(outbox.unsure(wave.id))
    print(
        f"{done.sent} sent, {done.refused} refused for good, {done.later} to be tried later, "
        f"{done.left_out} left out because they need no mail any more."
    )
    if done.stopped:
        print("Stopped; run the same command again to go on.")
    if unsure:
        print(f"{unsure} may or may not have arrived: kysely mail unsure {wave.instrument}")
    return 0


def _to_remind(store: Store, wave: Wave, outbox, people: set[str]) -> tuple[set[str], int]:
    """Return whom to remind and the number of the round: a round that was begun is finished first."""
    from kysely.store.outbox import QUEUED

    latest = outbox.latest_round(wave.id)
    if latest == 0:
        raise StoreError("Nobody has been invited by mail yet, so nobody can be reminded: kysely mail send …")
    reached = {id for id, state in store.invitations.mailed(wave.id).items() if state in ("sent", "claimed")}
    waiting = any(state == QUEUED and round == latest for round, state in outbox.counts(wave.id))
    return people & reached, latest if waiting and latest > 1 else latest + 1


class _Stop:
    """Hears that the sender should stop, and lets it finish the mail at hand."""

    def __init__(self) -> None:
        self.asked = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._hear)

    def __call__(self) -> bool:
        return self.asked

    def wait(self, seconds: float) -> None:
        import time

        until = time.monotonic() + seconds
        while not self.asked and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 0.2))

    def _hear(self, number: int, frame: object) -> None:
        self.asked = True


def _unsure(store: Store, wave: Wave, args: argparse.Namespace) -> int:
    from kysely.store.outbox import Outbox

    invitations = {invited.id: invited for invited in store.invitations.of_wave(wave.id)}
    unsure = Outbox(store.identities.database).unsure(wave.id)
    for mail in unsure:
        print(f"round {mail.round}: {store.invitations.address(invitations[mail.invitation])}")
    print(f"{len(unsure)} may or may not have arrived. Send them again: kysely mail send … --retry-unsure")
    return 0


def _status(store: Store, wave: Wave, args: argparse.Namespace) -> int:
    from kysely.store.outbox import Outbox

    counts = Outbox(store.identities.database).counts(wave.id)
    for (round, state), count in counts.items():
        print(f"round {round}: {state:<10}{count:>7}")
    if not counts:
        print("No mail has been written yet.")
    return 0


def _cancel(store: Store, wave: Wave, args: argparse.Namespace) -> int:
    from kysely.mail.sending import only_sender
    from kysely.store.outbox import Outbox

    with only_sender(store.settings.instance):
        outbox = Outbox(store.identities.database)
        count = sum(outbox.cancel(mail.id, datetime.now(UTC)) for mail in outbox.queued(wave.id))
    print(f"{count} mails will not be sent.")
    return 0


def _bounces(store: Store, wave: Wave, args: argparse.Namespace) -> int:
    from kysely.mail import bounces
    from kysely.store.outbox import Outbox

    outbox, keys = Outbox(store.identities.database), store.invitations.keys
    hard = soft = strange = 0
    for bounce in bounces.read(args.mbox or args.maildir, "mbox" if args.mbox else "maildir"):
        if not bounce.hard:
            soft += 1
            continue
        now = datetime.now(UTC)
        noted = bool(bounce.message_id) and outbox.bounced(message_id=bounce.message_id, said=bounce.status, now=now)
        if not noted and not bounce.message_id and bounce.address:
            noted = outbox.bounced(address_hash=keys.address(bounce.address), said=bounce.status, now=now)
        hard, strange = hard + noted, strange + (not noted)
    print(f"{hard} addresses don't exist and get no more mail, {soft} notices are of delays, {strange} of other mail.")
    return 0
