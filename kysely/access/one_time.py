"""One-time codes that change with time (RFC 6238), and the recovery codes that stand in for a lost phone."""

from __future__ import annotations

import secrets
import unicodedata
from datetime import datetime

import pyotp

from kysely import links

PERIOD = 30
"""Seconds that one code is shown."""

RECOVERY_CODES = 10
RECOVERY_LENGTH = 12
"""Signs of a recovery code: 30^12 is about 2^59, and only a few can be tried in a quarter of an hour."""

_GROUP = 4
ISSUER = "Kysely"


def new_secret() -> str:
    """Return a secret of 160 random bits, as authenticator apps take it."""
    return pyotp.random_base32()


def address(secret: str, name: str) -> str:
    """Return the otpauth address that a QR code shows to an authenticator app."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=ISSUER)


def counter_of(secret: str, typed: str, *, now: datetime, after: int) -> int | None:
    """Return which period the code *typed* is of, None for none that counts.

    The periods before and after this one count too, for clocks that differ; one up to *after* was used already.
    """
    code = "".join(unicodedata.normalize("NFKC", typed).split())
    present = int(now.timestamp()) // PERIOD
    totp = pyotp.TOTP(secret)
    for counter in (present, present - 1, present + 1):
        right = secrets.compare_digest(totp.generate_otp(counter).encode(), code.encode("utf-8", "replace"))
        if right and counter > after:
            return counter
    return None


def new_recovery_codes() -> tuple[str, ...]:
    """Return codes to write down, each in groups of four signs."""
    return tuple(
        grouped("".join(secrets.choice(links.ALPHABET) for _ in range(RECOVERY_LENGTH))) for _ in range(RECOVERY_CODES)
    )


def read_recovery_code(typed: str) -> str:
    """Return the recovery code that was *typed*, as it was shown; "" for what can be none."""
    signs = "".join(sign for sign in typed[:100].lower() if sign.isalnum())
    return grouped(signs) if len(signs) == RECOVERY_LENGTH and set(signs) <= set(links.ALPHABET) else ""


def grouped(signs: str, *, between: str = "-") -> str:
    """Return *signs* in groups, so that they can be read aloud and copied."""
    return between.join(signs[place : place + _GROUP] for place in range(0, len(signs), _GROUP))
