"""`python -m benchmarks`: every measurement after the other, as Markdown for benchmarks/RESULTS.md."""

from __future__ import annotations

import subprocess
import sys

PARTS = ("interviews", "pages", "large", "memory", "analysis", "reports", "book", "raking", "type_one_error")


def main() -> int:
    codes = [subprocess.run([sys.executable, "-m", f"benchmarks.{part}"], check=False).returncode for part in PARTS]
    return max(codes)


if __name__ == "__main__":
    raise SystemExit(main())
