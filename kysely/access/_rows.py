"""An account as the database holds it: its columns in any query, and the value they make."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from kysely.access.roles import Role
from kysely.access.values import Account
from kysely.store import access

_ACCOUNT = access.Account.__table__  # type: ignore[attr-defined]
_ROLE = access.AccountRole.__table__  # type: ignore[attr-defined]

OF_ACCOUNT = tuple(
    column.label(f"account_{column.name}")
    for column in (_ACCOUNT.c.name, _ACCOUNT.c.disabled, _ACCOUNT.c.password_hash, _ACCOUNT.c.made_at)
) + (_ACCOUNT.c.id.label("account_key"), _ACCOUNT.c.secret_sealed.is_not(None).label("account_codes"))


def account(connection: Connection, row: Any) -> Account:
    """Return the account of a *row* that has the columns OF_ACCOUNT."""
    roles = connection.execute(select(_ROLE.c.role).where(_ROLE.c.account_id == row.account_key)).scalars()
    return Account(
        id=row.account_key,
        name=row.account_name,
        roles=frozenset(map(Role, roles)),
        disabled=row.account_disabled,
        has_password=row.account_password_hash is not None,
        codes=bool(row.account_codes),
        made_at=row.account_made_at,
    )
