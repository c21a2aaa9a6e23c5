"""What came back: delivery status notifications (RFC 3464) in a mailbox, read without opening anything else."""

from __future__ import annotations

import mailbox
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from pathlib import Path

from kysely.errors import StoreError
from kysely.questions._text import email_address


@dataclass(frozen=True)
class Bounce:
    """One recipient of one mail that came back; *hard* is for good (5.x.x), the others are tried on by the server."""

    hard: bool
    status: str
    message_id: str
    address: str


def read(path: Path, kind: str) -> Iterator[Bounce]:
    """Yield every bounce in an mbox file or a Maildir; answers out of office and all other mail are passed over."""
    if not path.exists():
        raise StoreError(f"{path} is not there; name the {kind} that takes the mail of KYSELY_MAIL_FROM.")
    if (kind == "maildir") != path.is_dir():
        raise StoreError(f"{path} is no {kind}; an mbox is a file, a Maildir a folder with cur, new and tmp.")
    box: mailbox.Mailbox = (
        mailbox.Maildir(path, create=False) if kind == "maildir" else mailbox.mbox(path, create=False)
    )
    try:
        for key in box.keys():
            yield from bounces(message_from_bytes(box.get_bytes(key), policy=policy.default))
    except FileNotFoundError:
        raise StoreError(f"{path} is no {kind}.") from None
    finally:
        box.close()


def bounces(mail: EmailMessage | Message) -> Iterator[Bounce]:
    """Yield what a mail says of recipients that it did not reach."""
    if mail.get_content_type() != "multipart/report" or not mail.is_multipart():
        return
    about = _message_id(mail)
    for part in mail.walk():
        if part.get_content_type() != "message/delivery-status":
            continue
        groups = part.get_payload()
        for group in groups if isinstance(groups, list) else []:
            if not isinstance(group, Message) or _field(group, "Action").lower() != "failed":
                continue
            status = _field(group, "Status").split(" ")[0][:16]
            recipient = _field(group, "Original-Recipient") or _field(group, "Final-Recipient")
            yield Bounce(status.startswith("5"), status, about, _address(recipient))


def _message_id(mail: Message) -> str:
    """Return the Message-ID of the mail that came back, "" where the notification has not kept it."""
    for part in mail.walk():
        if part.get_content_type() in ("message/rfc822", "text/rfc822-headers", "message/global-headers"):
            payload = part.get_payload()
            if isinstance(payload, list) and payload and isinstance(payload[0], Message):
                return _field(payload[0], "Message-ID")
            if isinstance(payload, str):
                raw = part.get_payload(decode=True)
                inner = message_from_bytes(raw if isinstance(raw, bytes) else payload.encode(), policy=policy.compat32)
                return _field(inner, "Message-ID")
    return ""


def _field(message: Message, name: str) -> str:
    try:
        return str(message.get(name, "")).strip()
    except Exception:  # the parser of headers fails on some that are broken; such a field says nothing
        return ""


def _address(recipient: str) -> str:
    try:
        return email_address(recipient.partition(";")[2] or recipient)
    except ValueError:
        return ""
