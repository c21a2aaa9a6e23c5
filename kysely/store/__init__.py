"""Where answers and identities are kept. `open` is the way in; everything else is done by the Store it returns."""

from kysely.questions.organisation import OrganisationTyped
from kysely.store._store import Store
from kysely.store.copying import backup, restore
from kysely.store.databases import access_database, databases, every_database
from kysely.store.forgetting import forget
from kysely.store.opening import open, upgraded
from kysely.store.tables import OPEN, REAL, SIMULATED
from kysely.store.upgrading import current, faults, is_newest
from kysely.store.values import (
    GRACE,
    Asking,
    ByInvitation,
    Closed,
    Conflict,
    Count,
    Draft,
    Phase,
    Publication,
    Replayed,
    ResponseState,
    Saved,
    StoreBusy,
    Submitted,
    Tombstone,
    UnknownResponse,
    Wave,
    WaveClosed,
)

__all__ = [
    "OPEN",
    "REAL",
    "SIMULATED",
    "GRACE",
    "Asking",
    "ByInvitation",
    "Closed",
    "Conflict",
    "Count",
    "Draft",
    "OrganisationTyped",
    "Phase",
    "Publication",
    "Replayed",
    "ResponseState",
    "Saved",
    "Store",
    "StoreBusy",
    "Submitted",
    "Tombstone",
    "UnknownResponse",
    "Wave",
    "WaveClosed",
    "access_database",
    "backup",
    "current",
    "databases",
    "every_database",
    "faults",
    "forget",
    "is_newest",
    "open",
    "restore",
    "upgraded",
]
