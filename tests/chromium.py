"""Where the tests' browser is and how it gets there: Debian's package, or Playwright's own where that can be had."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

CURE = (
    "The tests need Chromium: install it (Debian: apt-get install chromium; elsewhere: "
    ".venv/bin/playwright install chromium) or set KYSELY_CHROMIUM to a browser's path."
)


def find() -> str | None:
    """Return the path of a Chromium that Playwright can drive, or None."""
    named = os.environ.get("KYSELY_CHROMIUM")
    if named:
        return named if Path(named).exists() else None
    for name in NAMES:
        if path := shutil.which(name):
            return path
    return _playwrights_own()


def _playwrights_own() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def install() -> None:
    """Try Debian's package, then Playwright's download; quiet, since `find` judges the outcome."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "check": False}
    if shutil.which("apt-get") and os.geteuid() == 0:
        subprocess.run(["apt-get", "update", "-qq"], **quiet)
        subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"], **quiet)
    if find() is None:
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], **quiet, timeout=600)


def main() -> int:
    if find() is None:
        print("Setting up Chromium for the tests …", flush=True)
        install()
    if find() is None:
        print(CURE, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
