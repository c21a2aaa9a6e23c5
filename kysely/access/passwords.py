"""Passwords: which are refused, and how the others are kept.

Length, and not being among what everybody tries first, is all that is asked: rules about digits and signs make
passwords worse (NIST SP 800-63B, 5.1.1.2). A password is never cut off, and is taken in the form NFC, so that it is the
same from every keyboard.
"""

from __future__ import annotations

import re
import secrets
import threading
import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from kysely.access.values import WeakPassword

SHORTEST, LONGEST = 12, 1000

AT_ONCE = 2
"""Passwords of one process that are hashed at the same time: each takes the memory below, the others wait."""

MEMORY = 47 * 1024
"""KiB; with two rounds a little above the first recommendation of OWASP's password storage cheat sheet."""

_HASHER = PasswordHasher(time_cost=2, memory_cost=MEMORY, parallelism=1)
_ROOM = threading.BoundedSemaphore(AT_ONCE)

_SAID = {
    "password_short": f"The password is shorter than {SHORTEST} characters. A few words that mean something do well.",
    "password_long": f"The password is longer than {LONGEST} characters.",
    "password_name": "The password is the name of the account. Choose something that nobody would try first.",
    "password_common": "The password is among those that are tried first, or repeats itself. Choose another one.",
}

# What is left of a password without the digits and signs around it: many are one of these and a year.
_COMMON = frozenset(
    """
    password passwort passw0rd p@ssword p@ssw0rd letmein welcome admin administrator root superuser master login
    default secret temporary guest test testing user username monkey dragon sunshine princess football baseball superman
    batman iloveyou trustno starwars whatever computer internet qwerty qwertyuiop qwertyuiopå asdfgh asdfghjkl
    changeme asdfghjklö zxcvbn zxcvbnm qwertyasdfgh qazwsx qazwsxedc qazwsxedcrfv asdfqwer abcdef abcdefgh
    abcdefghijkl salasana salasanani salainen tervetuloa kissa koira suomi perkele helsinki kesäloma kesä syksy
    talvi kevät jääkiekko rakastan minärakastansinua hyvääpäivää kirjautuminen tunnus ylläpito
    ylläpitäjä pääkäyttäjä vaihdaminut lösenord hemligt välkommen sommar vinter sverige finland
    svenska inloggning bytmig kysely survey tutkimus enkät research researcher author vastaaja toimintatapa
    """.split()
)
_AROUND = re.compile(r"^[\W\d_]+|[\W\d_]+$")


def refuse_weak(password: str, name: str) -> None:
    """Raise WeakPassword if *password* is not fit for the account *name*."""
    taken = _taken(password)
    code = _fault(taken, name)
    if code:
        raise WeakPassword(code, _SAID[code])


def hashed(password: str) -> str:
    """Return the password as it is kept (Argon2id)."""
    with _ROOM:
        return _HASHER.hash(_taken(password))


def matches(kept: str | None, password: str) -> bool:
    """Return whether *password* is the one that was *kept*; for an account without one the same work is done."""
    taken = _taken(password[: LONGEST + 1])
    nobody = _nobody()
    with _ROOM:
        try:
            return (
                _HASHER.verify(nobody if kept is None else kept, taken) and kept is not None and len(taken) <= LONGEST
            )
        except (VerificationError, InvalidHashError):
            return False


def outdated(kept: str) -> bool:
    """Return whether a password was hashed with less work than is done now."""
    return _HASHER.check_needs_rehash(kept)


def _taken(password: str) -> str:
    # A lone surrogate can't be encoded; typed in a form there is none, but anything can be sent.
    return unicodedata.normalize("NFC", password.encode("utf-8", "replace").decode())


def _fault(password: str, name: str) -> str:
    if len(password) < SHORTEST:
        return "password_short"
    if len(password) > LONGEST:
        return "password_long"
    folded = password.casefold()
    core = _AROUND.sub("", folded)
    if core in (name, name.partition("@")[0]) or folded == name:
        return "password_name"
    if core in _COMMON or _repeats(folded) or _climbs(folded):
        return "password_common"
    return ""


def _repeats(text: str) -> bool:
    """Return whether *text* is a shorter one several times over, or is made of three signs or fewer."""
    return len(set(text)) <= 3 or any(
        text == (text[:length] * len(text))[: len(text)] for length in range(1, len(text) // 2 + 1)
    )


def _climbs(text: str) -> bool:
    """Return whether each sign follows the one before: 123456789012, abcdefghijkl, and the same downwards."""
    steps = {(ord(after) - ord(before)) % 10 for before, after in zip(text, text[1:], strict=False)}
    return steps in ({1}, {9})


@cache
def _nobody() -> str:
    """A hash of what nobody knows: whoever has no password costs as much to check as everybody."""
    return hashed(secrets.token_hex(32))
