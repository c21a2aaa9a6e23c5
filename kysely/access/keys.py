"""What follows from the access key, which lies outside the access database: seals, marks and sealed secrets."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from functools import cached_property

from kysely import links
from kysely.config import DEMONSTRATION, Settings, kept_secret
from kysely.errors import ConfigurationError


@dataclass(frozen=True)
class Keys:
    """One purpose, one key: no hash of one kind says anything about another."""

    key: bytes = field(repr=False)

    @classmethod
    def of(cls, settings: Settings) -> Keys:
        """Return the keys of *settings*; raises ConfigurationError in production without KYSELY_ACCESS_KEY.

        A demonstration makes one when it is first needed and keeps it in the instance folder.
        """
        key = settings.access_key
        if not key and settings.mode == DEMONSTRATION:
            key = kept_secret(settings.instance / "access.key")
        if not key:
            raise ConfigurationError(
                "KYSELY_ACCESS_KEY is missing; accounts and their log need a secret of their own, which stays the same "
                'as long as the log: python -c "import secrets; print(secrets.token_urlsafe(32))"'
            )
        return cls(hashlib.sha256(b"kysely.access" + key.encode()).digest())

    def mark(self, purpose: str, *subject: str) -> str:
        """Return by what something is known without being readable; what is longer is no part of what is shorter."""
        return hmac.digest(self.key, json.dumps([purpose, *subject]).encode(), "sha256").hex()

    def seal(self, text: str, *, of: str) -> str:
        """Return *text* encrypted as something that belongs to the account *of*."""
        return self._sealing.seal(text, of=of)

    def unseal(self, sealed: str, *, of: str) -> str:
        """Return the text; raises ConfigurationError if it was sealed with another key or moved to another account."""
        try:
            return self._sealing.unseal(sealed, of=of)
        except ConfigurationError:
            raise ConfigurationError(
                "KYSELY_ACCESS_KEY is not the one that the accounts were made with; put that one back "
                "(in a demonstration: the file access.key of the instance folder)."
            ) from None

    @cached_property
    def _sealing(self) -> links.Keys:
        return links.Keys(hmac.digest(self.key, b"seal", "sha256"))
