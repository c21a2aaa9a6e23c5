from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kysely.access import Access, Account, Role
from tests.kysely.web._account import PASSWORD, access_of

NOW = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)


@pytest.fixture
def access(store) -> Access:
    return access_of(store)


@pytest.fixture
def maija(access) -> Account:
    """A researcher with the password PASSWORD."""
    account = access.accounts.add("Maija@example.fi", [Role.RESEARCHER], by="terminal:test", now=NOW)
    access.accounts.set_password(account, PASSWORD, by="terminal:test", now=NOW)
    return access.accounts.named("maija@example.fi")
