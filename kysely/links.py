"""Personal links, and what links people to answers: nothing of either can be used without the link key.

Everything here follows from that one key, which lies outside both databases. A database, a backup or a dump without it
holds no usable link and no e-mail address, and neither database leads to the other. So it is kept as long as links are
out and answers may be traced to who gave them; destroying it parts the two for good.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from functools import cached_property

from kysely.config import Settings, kept_secret
from kysely.errors import ConfigurationError

ALPHABET = "23456789abcdefghjkmnpqrstvwxyz"
"""No 0 and o, 1, i and l, and no u, which is v in some hands."""

LENGTH = 27
"""Signs of a code: 30^27 is more than 2^128."""

_CODE = re.compile(f"[{ALPHABET}]{{{LENGTH}}}")
_BREAKS = re.compile(r"[\s\u00ad\u200b-\u2015\u2060\u2212\ufeff=-]+")
_AROUND = "<>()[]{}\"'`´’‘”“„«».,:;!?*_/\\|"


def new_code() -> str:
    """Return a code of 128 random bits."""
    return written(secrets.token_bytes(16))


def written(bits: bytes) -> str:
    """Return 128 bits in the alphabet of codes."""
    number, signs = int.from_bytes(bits, "big"), []
    for _ in range(LENGTH):
        number, place = divmod(number, len(ALPHABET))
        signs.append(ALPHABET[place])
    return "".join(reversed(signs))


def read_code(text: str) -> str:
    """Return the code that *text* gives, "" for none: capitals, line breaks and a full stop behind it do no harm."""
    code = _BREAKS.sub("", text[:200]).strip(_AROUND).lower()
    return code if _CODE.fullmatch(code) else ""


def other_key() -> ConfigurationError:
    return ConfigurationError(
        "KYSELY_LINK_KEY is not the one that the database of identities was written with; put that one back "
        "(in a demonstration: the file link.key of the instance folder)."
    )


@dataclass(frozen=True)
class Keys:
    """One purpose, one key: no hash of one kind says anything about another."""

    link_key: bytes = field(repr=False)

    @classmethod
    def of(cls, settings: Settings) -> Keys:
        """Return the keys of *settings*. A demonstration makes one and keeps it in the instance folder."""
        key = settings.link_key
        if not key and settings.demonstration:
            key = kept_secret(settings.instance / "link.key")
        assert key, "production has none without a link key"
        return cls(hashlib.sha256(b"kysely.links" + key.encode()).digest())

    @property
    def mark(self) -> str:
        """By what a database knows the key that it was written with."""
        return self._hex("mark", "identity")

    def code(self, invitation: str, generation: int) -> str:
        """Return the code of an invitation whose link can be written again: nothing of it is stored."""
        return written(self._bits("code", f"{invitation}:{generation}"))

    def hash(self, code: str) -> str:
        """Return by what the identity database knows a code."""
        return self._hex("invite", code)

    def opt_out(self, invitation: str) -> str:
        """Return the code that ends all mail to the person invited, and does nothing else."""
        return written(self._bits("opt-out", invitation))

    def opt_out_hash(self, code: str) -> str:
        return self._hex("opt-out", code)

    def response(self, invitation: str) -> str:
        """Return the response of an invitation: always the same one, and no table says which."""
        return self._bits("response", invitation).hex()

    def draft(self, code: str) -> str:
        """Return the anonymous draft of a code: only who holds the code finds it."""
        return self._bits("draft", code).hex()

    def completion(self, invitation: str) -> str:
        """Return the mark that an anonymous invitation was used: without the key it tells of nobody."""
        return self._hex("completion", invitation)

    def withdrawal(self, invitation: str) -> str:
        """Return the mark of an anonymous response that its invitation's person has begun and not sent."""
        return self._hex("withdrawal", invitation)

    def receipt(self, draft: str) -> str:
        """Return the receipt of an anonymous response, which only its browser can be shown."""
        return written(self._bits("receipt", draft))

    def receipt_hash(self, receipt: str) -> str:
        return self._hex("receipt", receipt)

    def identity_id(self, answers_id: str) -> str:
        """Return as what the identity database knows a response or an organisation of the answers.

        One block of AES-256: a permutation of all 128-bit ids, so that each leads to one other and with the key back.
        The ids are random, and a block that never repeats tells nothing.
        """
        return self._permutation.encryptor().update(bytes.fromhex(answers_id)).hex()

    def answers_id(self, identity_id: str) -> str:
        """Return as what the answers know what is *identity_id* in the identity database."""
        return self._permutation.decryptor().update(bytes.fromhex(identity_id)).hex()

    def address(self, email: str) -> str:
        """Return by what a folded e-mail address is found without being readable."""
        return self._hex("address", email)

    def seal(self, text: str, *, of: str) -> str:
        """Return *text* encrypted (AES-256-GCM) as something that belongs to the row *of*."""
        nonce = secrets.token_bytes(12)
        return base64.b64encode(nonce + self._cipher.encrypt(nonce, text.encode(), of.encode())).decode()

    def unseal(self, sealed: str, *, of: str) -> str:
        """Return the text; raises ConfigurationError if it was sealed with another link key or moved to another row."""
        from cryptography.exceptions import InvalidTag

        raw = base64.b64decode(sealed)
        try:
            return self._cipher.decrypt(raw[:12], raw[12:], of.encode()).decode()
        except InvalidTag:
            raise other_key() from None

    # The imports are a twentieth of a second, which only those need who handle contacts and names.

    @cached_property
    def _cipher(self):
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        return AESGCM(hmac.digest(self.link_key, b"seal", "sha256"))

    @cached_property
    def _permutation(self):
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        return Cipher(algorithms.AES(hmac.digest(self.link_key, b"id", "sha256")), modes.ECB())

    def _bits(self, purpose: str, subject: str) -> bytes:
        return hmac.digest(self.link_key, f"{purpose}|{subject}".encode(), "sha256")[:16]

    def _hex(self, purpose: str, subject: str) -> str:
        return hmac.digest(self.link_key, f"{purpose}#|{subject}".encode(), "sha256").hex()
