"""Programs that read our files as others do: Debian's poppler and librsvg, set up where they are missing."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

PACKAGES = {
    "rsvg-convert": "librsvg2-bin",
    "pdftotext": "poppler-utils",
    "pdffonts": "poppler-utils",
    "pdfinfo": "poppler-utils",
}


def run(program: str, *arguments: str | Path) -> str:
    """Return what *program* writes. Fails the test, saying what to install, where it can't be had."""
    if shutil.which(program) is None:
        _install(PACKAGES[program])
    if shutil.which(program) is None:
        pytest.fail(f"The tests need {program}: apt-get install {PACKAGES[program]}", pytrace=False)
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=True, timeout=60)
    assert not done.stderr, done.stderr
    return done.stdout


def _install(package: str) -> None:
    if not (shutil.which("apt-get") and os.geteuid() == 0):
        return
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "check": False}
    with (Path(tempfile.gettempdir()) / "kysely-tests-apt.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test processes, one package database
        subprocess.run(["apt-get", "update", "-qq"], **quiet)
        subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", package], **quiet)
