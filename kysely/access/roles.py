"""Who may be what: the roles of those who work with a study, and which of them no single account holds together."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from kysely.access.values import AccountError


class Role(StrEnum):
    RESEARCHER = "researcher"
    IDENTITY_MANAGER = "identity_manager"
    DATA_MANAGER = "data_manager"
    AUTHOR = "author"
    ADMINISTRATOR = "administrator"


EVERYBODY = frozenset(Role)
"""Whoever has an account."""

OF_ANSWERS = frozenset({Role.RESEARCHER, Role.DATA_MANAGER})
"""Those who work with answers, and so may see numbers that were not published."""

OF_RESULTS = OF_ANSWERS | {Role.AUTHOR}


def refuse_together(roles: Collection[Role]) -> None:
    """Raise AccountError for roles that would undo each other's limits if one account had both."""
    if not roles:
        raise AccountError("An account needs a role: --role " + "|".join(Role))
    if Role.AUTHOR in roles and len(set(roles)) > 1:
        raise AccountError(
            "An author sees what was published and nothing else, so an author's account has no other role. "
            "Make a second account for the other work."
        )
    if Role.IDENTITY_MANAGER in roles and OF_ANSWERS & set(roles):
        raise AccountError(
            "Who knows the names must not read the answers: the account of an identity manager is neither a "
            "researcher's nor a data manager's. Make a second account, for another person if there is one."
        )
