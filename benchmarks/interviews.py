"""Completed interviews per second, server time and latency: the survey engine, the limit app and oTree, in one run.

`python -m benchmarks.interviews` starts each application on each server again and again in shuffled order,
lets a driver of its own process answer the reduced interview with 1, 8 and 50 respondents at once, looks up
every acknowledged answer in the database, and prints medians and ratios as Markdown.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.contenders import CONTENDERS, SERVERS, Contender, Served, Server, acknowledged_but_absent, serving
from benchmarks.machine import heading
from benchmarks.otree_contender import OTREE, PRODSERVER, install

RESPONDENTS = (1, 8, 50)
INTERVIEWS = {1: 60, 8: 200, 50: 400}
GOALS = {
    "interviews/s": {1: 0.6, 8: 0.5},
    "CPU/interview": {1: 1.8, 8: 1.8, 50: 1.8},
    "p99": {8: 2.0, 50: 2.0},
}


@dataclass(frozen=True)
class Run:
    """One measured run: rates in interviews a second, times in milliseconds, memory in megabytes."""

    contender: str
    server: str
    respondents: int
    rate: float
    cpu: float
    p50: float
    p99: float
    rss: float
    requests: float
    lost: int
    errors: int


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--respondents", type=int, nargs="+", default=list(RESPONDENTS))
    parser.add_argument("--servers", nargs="+", choices=list(SERVERS), default=list(SERVERS))
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of interviews in a run")
    parser.add_argument("--without-otree", action="store_true", help="where the package registry is out of reach")
    args = parser.parse_args()
    served = [(contender, SERVERS[server]) for contender in CONTENDERS for server in args.servers]
    if not args.without_otree:
        install()
        served.append((OTREE, PRODSERVER))
    plan = [(*each, respondents) for each in served for respondents in args.respondents] * args.repeats
    random.Random(2015).shuffle(plan)
    runs = []
    for number, (contender, server, respondents) in enumerate(plan, start=1):
        interviews = round(INTERVIEWS[respondents] * args.scale * contender.pace)
        runs.append(measure(contender, server, respondents, interviews, str(number)))
        print(f"{number}/{len(plan)} {runs[-1]}", file=sys.stderr)
    print(heading("Interviews"))
    print(report(runs))
    return 1 if any(run.lost or run.errors for run in runs) else 0


def measure(contender: Contender, server: Server, respondents: int, interviews: int, mark: str) -> Run:
    """Return one run on a fresh database and a freshly started, warmed-up server."""
    with tempfile.TemporaryDirectory() as folder, serving(contender, server, Path(folder)) as served:
        _drive(served, min(respondents, 8), 24, f"warm {mark}")
        cpu = served.cpu_seconds()
        driven = _drive(served, respondents, interviews, mark)
        cpu = served.cpu_seconds() - cpu
        rss = served.largest_rss()
        lost = acknowledged_but_absent(contender.answers(Path(folder)), driven["acknowledged"])
    latencies = sorted(driven["seconds"])
    done = driven["interviews"]
    for error in sorted(set(driven["errors"]))[:3]:
        print(f"{contender.name} on {server.name}: {error}", file=sys.stderr)
    return Run(
        contender.name,
        server.name,
        respondents,
        rate=done / driven["wall"],
        cpu=1000 * cpu / max(done, 1),
        p50=1000 * _quantile(latencies, 0.50),
        p99=1000 * _quantile(latencies, 0.99),
        rss=rss / 1e6,
        requests=len(latencies) / max(done, 1),
        lost=len(lost),
        errors=len(driven["errors"]),
    )


def _drive(served: Served, respondents: int, interviews: int, mark: str) -> dict:
    command = [sys.executable, "-m", "benchmarks.driver", served.url]
    command += ["--respondents", str(respondents), "--interviews", str(interviews), "--run", mark]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else float("nan")


def report(runs: Sequence[Run]) -> str:
    """Return medians of the runs, and beside them the ratios to the limit app on the same server."""
    lines = [
        "| respondents | server | app | interviews/s | CPU ms/interview | p50 ms | p99 ms | RSS MB | requests | lost |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    ratios = [
        "| respondents | server | interviews/s | CPU/interview | p99 |",
        "|---|---|---|---|---|",
    ]
    medians = {}
    for respondents, server, contender in sorted({(run.respondents, run.server, run.contender) for run in runs}):
        those = [r for r in runs if (r.respondents, r.server, r.contender) == (respondents, server, contender)]
        m = {key: median(getattr(r, key) for r in those) for key in ("rate", "cpu", "p50", "p99", "rss", "requests")}
        medians[respondents, server, contender] = m
        lines.append(
            f"| {respondents} | {server} | {contender} | {m['rate']:.1f} | {m['cpu']:.1f} | {m['p50']:.1f} "
            f"| {m['p99']:.1f} | {m['rss']:.0f} | {m['requests']:.0f} | {sum(r.lost for r in those)} |"
        )
    for respondents, server, contender in medians:
        if contender == CONTENDERS[0].name:
            ours, limit = (medians[respondents, server, c.name] for c in CONTENDERS)
            cells = [
                _ratio("interviews/s", respondents, ours["rate"] / limit["rate"]),
                _ratio("CPU/interview", respondents, ours["cpu"] / limit["cpu"]),
                _ratio("p99", respondents, ours["p99"] / limit["p99"]),
            ]
            ratios.append(f"| {respondents} | {server} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", "Ratios, the survey engine to the limit app:", "", *ratios])


def _ratio(measure: str, respondents: int, ratio: float) -> str:
    goal = GOALS[measure].get(respondents)
    if goal is None:
        return f"{ratio:.2f}"
    met = ratio >= goal if measure == "interviews/s" else ratio <= goal
    return f"{ratio:.2f} ({'goal' if met else '**misses**'} {'≥' if measure == 'interviews/s' else '≤'} {goal})"


if __name__ == "__main__":
    raise SystemExit(main())
