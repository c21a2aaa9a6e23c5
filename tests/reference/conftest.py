"""Cases on data that can't be in this repository (GPL), and R itself: run where they are at hand, said where not."""

import os
import shutil
from pathlib import Path

REFERENCE = Path(os.environ.get("KYSELY_REFERENCE") or Path(__file__).parents[3] / "shared" / "reference")
RSCRIPT = shutil.which("Rscript")

collect_ignore_glob = [] if REFERENCE.is_dir() else ["test_*r_package_data.py"]


def pytest_report_header() -> list[str]:
    """Say on top what is compared, so that nobody takes silence for agreement."""
    data = f"R package data: {REFERENCE}" if REFERENCE.is_dir() else "R package data: not found (KYSELY_REFERENCE)"
    return [data, f"Rscript: {RSCRIPT or 'not installed; Debian: apt-get install r-base-core r-cran-survey'}"]
