"""A real mail server that keeps what it takes, and refuses what it is told to."""

from __future__ import annotations

import socket
import threading
from dataclasses import dataclass, field, replace
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from aiosmtpd.controller import Controller

from kysely import store as stores


@dataclass
class Sink:
    """An SMTP server on a free port. *answers* gives the reply to a recipient; what is taken lies in *taken*."""

    answers: dict[str, str] = field(default_factory=dict)
    taken: list[tuple[str, bytes]] = field(default_factory=list)
    port: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address in self.answers:
            return self.answers[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        with self._lock:
            self.taken += [(address, envelope.content) for address in envelope.rcpt_tos]
        return "250 taken"

    @property
    def mails(self) -> list[EmailMessage]:
        return [message_from_bytes(content, policy=policy.default) for _, content in self.taken]

    @property
    def recipients(self) -> list[str]:
        return [address for address, _ in self.taken]


@pytest.fixture
def sink():
    sink = Sink()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        sink.port = free.getsockname()[1]
    controller = Controller(sink, hostname="127.0.0.1", port=sink.port)
    controller.start()
    yield sink
    controller.stop()


def with_mail(settings, sink):
    return replace(
        settings,
        base_url="https://kysely.example.fi",
        mail_from="Tutkimus <tutkimus@example.fi>",
        smtp_url=f"smtp://127.0.0.1:{sink.port}?tls=none",
    )


@pytest.fixture
def mailing(sqlite_settings, sink):
    """A store whose settings name the sink."""
    opened = stores.open(with_mail(sqlite_settings, sink))
    yield opened
    opened.close()


@pytest.fixture
def environment(sqlite_settings, sink, monkeypatch):
    """The same as an environment, for the command line."""
    for name, value in {
        "KYSELY_INSTANCE": str(sqlite_settings.instance),
        "KYSELY_BUILD": str(sqlite_settings.build),
        "KYSELY_SECRET_KEY": sqlite_settings.secret_key,
        "KYSELY_BASE_URL": "https://kysely.example.fi",
        "KYSELY_MAIL_FROM": "Tutkimus <tutkimus@example.fi>",
        "KYSELY_SMTP_URL": f"smtp://127.0.0.1:{sink.port}?tls=none",
    }.items():
        monkeypatch.setenv(name, value)
    return sqlite_settings
