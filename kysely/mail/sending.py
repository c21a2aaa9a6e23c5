"""From the outbox to the server, one mail at a time, at a pace, and at most once."""

from __future__ import annotations

import fcntl
import os
import secrets
import smtplib
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parseaddr
from pathlib import Path
from urllib.parse import unquote, urlsplit

from kysely.config import Settings
from kysely.errors import ConfigurationError, KyselyError
from kysely.mail.composing import INVITATION, REMINDER, Letters
from kysely.store import Store, Wave
from kysely.store.invitations import Invited
from kysely.store.outbox import Outbox, Queued

PATIENCE = 30.0
"""Seconds that a mail server may take to answer."""


class MailNotSent(KyselyError):
    """The mail server can't be reached or refuses us; says what to check."""

    exit_code = 6


@dataclass
class Sent:
    """What one run did."""

    sent: int = 0
    refused: int = 0
    later: int = 0
    left_out: int = 0
    stopped: bool = False


@dataclass
class Sender:
    """Sends what waits. *stopping* is asked before each mail; *pause* waits between two of them."""

    store: Store
    wave: Wave
    letters: Letters
    now: Callable[[], datetime]
    per_minute: int = 60
    stopping: Callable[[], bool] = lambda: False
    pause: Callable[[float], None] = time.sleep
    answered: frozenset[str] = frozenset()
    _server: smtplib.SMTP | None = field(default=None, init=False)

    def run(self) -> Sent:
        """Send everything that waits; raises MailNotSent if the server can't be reached at all."""
        outbox, done = Outbox(self.store.identities.database), Sent()
        invitations = {invited.id: invited for invited in self.store.invitations.of_wave(self.wave.id)}
        try:
            for number, mail in enumerate(outbox.queued(self.wave.id)):
                if self.stopping():
                    done.stopped = True
                    break
                invited = invitations[mail.invitation]
                # Asked for at the last moment: what was queued may have been answered or refused since.
                if not may_write(invited) or (mail.round > 1 and invited.id in self.answered):
                    done.left_out += outbox.cancel(mail.id, self.now())
                    continue
                if number:
                    self.pause(60 / self.per_minute)
                self._send(outbox, mail, invited, done)
        finally:
            self._leave()
        return done

    def _send(self, outbox: Outbox, mail: Queued, invited: Invited, done: Sent) -> None:
        server = self._connected()
        invitations, language = self.store.invitations, self.letters.language(invited.language)
        message_id = _message_id(self.letters.settings)
        answering = outbox.first_message(invited.id) if mail.round > 1 else ""
        if not outbox.claim(mail.id, message_id, self.now()):
            return
        code = ""
        if not invited.anonymous:
            code = invitations.keys.code(invited.id, invited.generation)
        elif mail.round == 1:
            code = invitations.new_code(invited)
        to = invitations.address(invited)
        message = self.letters.message(
            INVITATION if mail.round == 1 else REMINDER,
            language,
            to=to,
            code=code,
            stop=invitations.keys.opt_out(invited.id),
            message_id=message_id,
            now=self.now(),
            name=invitations.name(invited),
            answering=answering,
        )
        sender = parseaddr(self.letters.settings.mail_from)[1]
        try:
            server.send_message(message, from_addr=sender, to_addrs=[to])
        except smtplib.SMTPRecipientsRefused as error:
            code_said = next(iter(error.recipients.values()))[0]
            self._refused(outbox, mail, invited, code_said, done, mailbox=True)
        except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
            self._refused(outbox, mail, invited, error.smtp_code, done, mailbox=False)
        except smtplib.SMTPNotSupportedError:
            # The address has letters that this server can't take.
            self._refused(outbox, mail, invited, 553, done, mailbox=True)
        except (smtplib.SMTPException, OSError):
            # The connection broke after the claim: the server may have taken the mail. It stays unsure.
            self._server = None
        else:
            outbox.sent(mail.id, self.now())
            done.sent += 1

    def _refused(
        self, outbox: Outbox, mail: Queued, invited: Invited, status: int, done: Sent, *, mailbox: bool
    ) -> None:
        if 400 <= status < 500:
            outbox.put_back(mail.id, str(status), self.now())
            done.later += 1
        else:
            outbox.refused(mail.id, str(status), self.now())
            if mailbox:
                outbox.undeliverable(invited.id)
            done.refused += 1
        with suppress(smtplib.SMTPException, OSError):
            if self._server is not None:
                self._server.rset()

    def _connected(self) -> smtplib.SMTP:
        if self._server is not None:
            return self._server
        self._server = connect(self.letters.settings)
        return self._server

    def _leave(self) -> None:
        if self._server is not None:
            with suppress(smtplib.SMTPException, OSError):
                self._server.quit()
            self._server = None


def may_write(invited: Invited) -> bool:
    """Whether the person may be written to: has not refused, is no bounce, and nobody has settled the case."""
    return not (invited.no_mail or invited.bounced or invited.revoked or invited.disposition)


def connect(settings: Settings) -> smtplib.SMTP:
    """Return a connection to the mail server of *settings*, encrypted and logged in."""
    if not settings.smtp_url:
        raise ConfigurationError("KYSELY_SMTP_URL is missing: smtp://user:password@mail.example.fi:587")
    url = urlsplit(settings.smtp_url)
    host, secure = url.hostname or "", url.scheme == "smtps"
    context = ssl.create_default_context()
    try:
        if secure:
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, url.port or 465, timeout=PATIENCE, context=context)
        else:
            server = smtplib.SMTP(host, url.port or 587, timeout=PATIENCE)
            if url.query != "tls=none":
                server.starttls(context=context)
        if url.username:
            server.login(unquote(url.username), unquote(url.password or ""))
    except smtplib.SMTPAuthenticationError:
        raise MailNotSent("The mail server refused the login; check user and password in KYSELY_SMTP_URL.") from None
    except smtplib.SMTPNotSupportedError:
        raise MailNotSent(
            f"The mail server {host} offers no STARTTLS or no login; use smtps://, or ask whoever runs it."
        ) from None
    except (smtplib.SMTPException, OSError) as error:
        raise MailNotSent(
            f"The mail server {host} can't be reached ({type(error).__name__}); check KYSELY_SMTP_URL. "
            "Nothing was lost: what was not sent waits."
        ) from None
    return server


@contextmanager
def only_sender(instance: Path) -> Iterator[None]:
    """Keep a second sender on this machine out; the kernel gives the lock back when a sender dies."""
    instance.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(instance / "mail.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise MailNotSent("Mail is being sent already; wait until that has ended.") from None
        yield
    finally:
        os.close(descriptor)


def _message_id(settings: Settings) -> str:
    domain = parseaddr(settings.mail_from)[1].rpartition("@")[2]
    return f"<{secrets.token_hex(16)}@{domain}>"
