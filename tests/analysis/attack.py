"""`python -m tests.analysis.attack 0 5000`: the long attack on publishing, survey by survey, to be gone on with later.

Publishes 20 times from each random survey of the range and lets the attacker of tests/analysis/_attacker.py loose on
what came out. A find is told with its survey and ends with status 1; the last line says where to go on.
`make test-long` does the same in one go.
"""

from __future__ import annotations

import argparse
import sys
import time

from analysis.publishable import Rules
from tests.analysis import test_publishing as surveys


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.analysis.attack", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("first", type=int, help="the first survey")
    parser.add_argument("end", type=int, help="the survey before which to stop")
    parser.add_argument("--publications", type=int, default=20, help="attempts to publish, a survey (default: 20)")
    given = parser.parse_args()
    begin, rows, refusals, finds = time.monotonic(), 0, 0, 0
    for seed in range(given.first, given.end):
        seen, firm, refused = surveys.survey(seed, given.publications, Rules())
        rows, refusals = rows + len(seen), refusals + len(refused)
        if seen and (found := surveys.broken(seen, firm)):
            finds += 1
            print(f"survey {seed}: {found[0]}", flush=True)
        if seed % 10 == 9 or seed == given.end - 1:
            print(
                f"surveys {given.first} to {seed}: {finds} finds in {rows} published rows, {refusals} refusals, "
                f"{time.monotonic() - begin:.0f} s; go on with {seed + 1}",
                flush=True,
            )
    return 1 if finds else 0


if __name__ == "__main__":
    sys.exit(main())
