"""Who works at the terminal, as the audit log says it."""

from __future__ import annotations

import getpass
import os


def actor() -> str:
    try:
        return f"terminal:{getpass.getuser()}"
    except (KeyError, OSError):  # a user of this machine without a name
        return f"terminal:{os.getuid()}"
