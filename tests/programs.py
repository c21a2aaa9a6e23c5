"""Debian's programs that open what we write, as its readers do."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

PACKAGES = {
    "pdfinfo": "poppler-utils",
    "pdffonts": "poppler-utils",
    "pdftotext": "poppler-utils",
    "qpdf": "qpdf",
    "rsvg-convert": "librsvg2-bin",
    "soffice": "libreoffice-calc",
}

FINNISH = """\
<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Setup/L10N"><prop oor:name="ooSetupSystemLocale" oor:op="fuse">
<value>fi-FI</value></prop></item>
</oor:items>
"""


def run(program: str, *arguments: str | Path, silent: bool = False) -> str:
    """Return what *program* prints; *silent*: it must have nothing to complain of.

    Fails the test, saying what to install, where the program can't be had.
    """
    if shutil.which(program) is None:
        _install(PACKAGES[program])
    if shutil.which(program) is None:
        pytest.fail(f"the tests need {program}: apt-get install {PACKAGES[program]}", pytrace=False)
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, check=True)
    assert not (silent and done.stderr), done.stderr
    return done.stdout.decode(errors="replace")  # pdfinfo prints titles of headings as they stand in the file: UTF-16


def calc(file: Path, into: str, folder: Path, *, read_as: str = "") -> list[Path]:
    """Open *file* in LibreOffice in a Finnish locale, save it as *into* in *folder*, and return what was saved."""
    profile = folder / "profile"
    (profile / "user").mkdir(parents=True, exist_ok=True)
    (profile / "user" / "registrymodifications.xcu").write_text(FINNISH, encoding="utf-8")
    out = folder / "saved"
    out.mkdir(exist_ok=True)
    options = ["--headless", "--norestore", f"-env:UserInstallation={profile.as_uri()}"]
    options += [f"--infilter={read_as}"] if read_as else []
    run("soffice", *options, "--convert-to", into, "--outdir", out, file)
    return sorted(out.iterdir())


def _install(package: str) -> None:
    if not (shutil.which("apt-get") and os.geteuid() == 0):
        return
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "check": False}
    with (Path(tempfile.gettempdir()) / "kysely-tests-apt.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test processes, one package database
        subprocess.run(["apt-get", "update", "-qq"], **quiet)
        subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", package], **quiet)


def scratch() -> dict[str, str]:
    """Return the environment for a command of ours, without settings of the machine's own."""
    return {name: value for name, value in os.environ.items() if not name.startswith("KYSELY_")}
