"""Resident memory of one server process after 10,000 completed interviews: `python -m benchmarks.memory`."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.contenders import CONTENDERS, SERVERS, acknowledged_but_absent, serving
from benchmarks.machine import heading

GOAL = 150


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--interviews", type=int, default=10_000)
    parser.add_argument("--server", choices=list(SERVERS), default="granian")
    args = parser.parse_args()
    ours = CONTENDERS[0]
    step = max(args.interviews // 10, 1)
    print(heading("Memory"))
    print(
        f"One process of {args.server}, 8 respondents at once.\n\n"
        "| interviews | largest process, RSS MB | lost |\n|---|---|---|"
    )
    lost = 0
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(ours, SERVERS[args.server], Path(folder), workers=1) as served,
    ):
        acknowledged = []
        print(f"| 0 | {served.largest_rss() / 1e6:.0f} | 0 |", flush=True)
        for done in range(step, args.interviews + 1, step):
            command = [sys.executable, "-m", "benchmarks.driver", served.url, "--respondents", "8"]
            command += ["--interviews", str(step), "--run", f"memory {done}"]
            acknowledged += json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["acknowledged"]
            lost = len(acknowledged_but_absent(ours.answers(Path(folder)), acknowledged)) + done - len(acknowledged)
            rss = served.largest_rss() / 1e6
            print(f"| {done} | {rss:.0f} | {lost} |", flush=True)
    print(f"\nGoal: under {GOAL} MB; {'met' if rss < GOAL else '**missed**'}.")
    return 1 if lost else 0


if __name__ == "__main__":
    raise SystemExit(main())
