"""Somebody with an account, without a browser."""

from __future__ import annotations

from datetime import UTC, datetime

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from kysely import store as stores
from kysely.access import Access, Account, Role
from tests.kysely.web._visitor import form

PASSWORD = "kolme punaista venettä"


def access_of(store: stores.Store) -> Access:
    return Access.of(store.access, store.settings)


def make_account(store: stores.Store, name: str, *roles: Role) -> Account:
    """Make an account with the password PASSWORD."""
    access, now = access_of(store), datetime.now(UTC)
    account = access.accounts.add(name, roles, by="terminal:test", now=now)
    access.accounts.set_password(account, PASSWORD, by="terminal:test", now=now)
    return access.accounts.named(name)


def log_in(client: FlaskClient, name: str, password: str = PASSWORD, *, next: str = "", **options) -> TestResponse:
    """Fill the form of the log-in page, as a browser would, and return the answer."""
    page = client.get(f"/fi/log-in{f'?next={next}' if next else ''}", **options)
    return post(client, page, name=name, password=password, **options)


def post(client: FlaskClient, page: TestResponse, *, number: int = 0, base_url=None, headers=None, **typed):
    """Post the form of *page* that comes at *number*, with what was *typed*."""
    served = form(_from(page, number))
    options = {"base_url": base_url} if base_url else {}
    return client.post(served.action, data={**dict(served.hidden), **typed}, headers=headers, **options)


class _Part:
    def __init__(self, text: str):
        self.text = text


def _from(page: TestResponse, number: int) -> _Part:
    head, *forms = page.text.split("<form ")
    return _Part(f"<html lang='fi'><form {forms[number]}")
