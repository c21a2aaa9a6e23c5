"""A name that comes from data is looked up as a file name, never imported on trust."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from types import ModuleType

from kysely.errors import KyselyError


class UnknownName(KyselyError):
    """No module of that name is in the folder; the message lists those that are."""

    exit_code = 2


@cache
def names(package: str) -> tuple[str, ...]:
    """Return the public modules of *package*'s folder, sorted; those with a leading underscore serve the others."""
    folder = import_module(package).__path__
    return tuple(sorted(module.name for module in pkgutil.iter_modules(folder) if not module.name.startswith("_")))


def load(package: str, name: str) -> ModuleType:
    """Return the module *name* of *package*, checked against the folder's listing before anything is imported.

    Raises UnknownName for a name that has no file there.
    """
    known = names(package)
    if name not in known:
        raise UnknownName(f"{package} has no {name!r}; there are: {', '.join(known) or 'none'}")
    return import_module(f"{package}.{name}")
