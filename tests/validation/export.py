"""`python -m tests.validation.export <extract folder> <file.csv>`: the answers that study.R reads."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

from analysis import extract

MODES = ("PROD", "DEV", "CUST", "PUB")
COLUMNS = (
    *("BG01", "BG10"),
    *(f"OM_B01_{code}" for code in (*MODES, "OTHER")),
    *(f"OM_B02_{code}" for code in MODES),
)


def write(answers: extract.Extract, path: Path) -> None:
    """Write one row a response; a missing answer is an empty field."""
    columns = [answers.organisation, *(answers.column(name) for name in COLUMNS)]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("organisation", *COLUMNS))
        writer.writerows(zip(*columns, strict=True))


if __name__ == "__main__":
    folder, target = sys.argv[1:]
    write(extract.read(Path(folder)), Path(target))
