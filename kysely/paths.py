"""Where things are unless an environment variable says otherwise: in the checkout, whatever folder one stands in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent


def questionnaires(environ: Mapping[str, str]) -> Path:
    """Return the folder of the instruments; KYSELY_QUESTIONNAIRES moves it."""
    return _folder(environ, "KYSELY_QUESTIONNAIRES", "questionnaires")


def build(environ: Mapping[str, str]) -> Path:
    """Return the folder of everything derived; KYSELY_BUILD moves it."""
    return _folder(environ, "KYSELY_BUILD", "build")


def codebooks(environ: Mapping[str, str], instrument: str) -> Path:
    """Return where `kysely check --codebooks` leaves <form>.json, for the check of the instrument's plan and claims."""
    return build(environ) / instrument / "codebooks"


def instance(environ: Mapping[str, str]) -> Path:
    """Return the folder of local databases and secrets; KYSELY_INSTANCE moves it."""
    return _folder(environ, "KYSELY_INSTANCE", "instance")


def _folder(environ: Mapping[str, str], name: str, default: str) -> Path:
    return Path(environ.get(name, "").strip() or REPOSITORY / default).expanduser().absolute()
