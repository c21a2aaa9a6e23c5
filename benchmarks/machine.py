"""Under which result a measurement may be filed: date, commit and machine, without anything that names the host."""

from __future__ import annotations

import platform
import subprocess
from datetime import date
from importlib.metadata import version

import psutil


def heading(title: str) -> str:
    """Return a Markdown heading that says when, on which commit and on what kind of machine."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    dirty = subprocess.run(["git", "status", "--porcelain"], capture_output=True, text=True, check=False).stdout.strip()
    packages = ", ".join(f"{name} {version(name)}" for name in ("flask", "granian", "gunicorn", "sqlalchemy"))
    return (
        f"## {title}\n\n{date.today().isoformat()}, commit {commit.stdout.strip()}{' with changes' if dirty else ''}, "
        f"{psutil.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GB, {platform.system()}, "
        f"Python {platform.python_version()}, {packages}; "
        f"load of the machine before the run {psutil.getloadavg()[0]:.1f}.\n"
    )
