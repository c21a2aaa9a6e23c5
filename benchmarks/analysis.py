"""`make analysis` on the 360 simulated answers, against what it can't do without: `python -m benchmarks.analysis`.

What it can't do without is importing its modules and drawing its figures: the modules each of its commands has
loaded when it ends, imported by a fresh Python; and the finished figures, saved by matplotlib in the same formats.
The simulation of a first run doesn't count.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.machine import heading

GOAL = 1.3
ROOT = Path(__file__).parents[1]
INSTRUMENT = "operating_mode"
COMMANDS = (
    f"kysely simulate {INSTRUMENT} --if-no-responses",
    f"kysely simulate {INSTRUMENT} --falsification",
    f"kysely extract {INSTRUMENT}",
    f"analysis {INSTRUMENT}",
    f"reports --instrument {INSTRUMENT}",
)

LOADED = """
import json, runpy, sys
sys.argv = sys.argv[1:]
try:
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
except SystemExit as ended:
    assert not ended.code, ended.code
here = sorted(name for name, module in sys.modules.items() if getattr(module, "__spec__", None) and name != "__main__")
print("\\nLOADED " + json.dumps(here))
"""

BARE = """
import io, sys, time
from pathlib import Path
from analysis import charts, extract, plan
from analysis.estimates import Estimates
from matplotlib import rc_context
from analysis.charts._theme import STYLE
import matplotlib.backends.backend_agg, matplotlib.backends.backend_pdf, matplotlib.backends.backend_svg
build, questionnaires = map(Path, sys.argv[1:])
codebook = extract.read(build / "extract").codebook
specs = plan.load(questionnaires / "plan.yaml", codebook).charts
estimates = Estimates.read(build / "estimates")
pictures = [charts.draw(estimates, spec, codebook, language) for spec in specs for language in codebook.languages]
began = time.perf_counter(), time.process_time()
with rc_context(STYLE):
    for picture in pictures:
        picture.sheet.figure.savefig(io.BytesIO(), format="png", dpi=200)
        picture.sheet.figure.savefig(io.BytesIO(), format="svg")
        picture.sheet.figure.savefig(io.BytesIO(), format="pdf")
print(time.perf_counter() - began[0], time.process_time() - began[1], len(pictures))
"""


@dataclass(frozen=True)
class Took:
    """Seconds on the clock and of processor time, of one child process."""

    wall: float
    cpu: float


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        environment = environment_in(Path(folder))
        first = {command: _loaded(command, environment) for command in COMMANDS}  # simulates, and warms the caches
        rounds = [_round(first, environment, Path(folder)) for _ in range(args.repeats)]
    print(heading("Analysis"))
    print(report(rounds))
    return 0


def _round(loaded: Mapping[str, Sequence[str]], environment: Mapping[str, str], folder: Path) -> dict[str, Took]:
    """Measure whole commands, their imports and the bare drawing once, side by side."""
    took: dict[str, Took] = {}
    for command in COMMANDS:
        took[command] = _timed([sys.executable, "-m", *command.split()], environment)
        took[f"import {command}"] = _timed([sys.executable, "-c", _imports(loaded[command])], environment)
    build = folder / "build" / INSTRUMENT
    code = [sys.executable, "-c", BARE, str(build), str(ROOT / "questionnaires" / INSTRUMENT)]
    wall, cpu, _ = map(float, subprocess.run(code, env=environment, check=True, capture_output=True).stdout.split())
    took["drawing"] = Took(wall, cpu)
    return took


def report(rounds: Sequence[Mapping[str, Took]]) -> str:
    """Return where the time goes, as medians, and the ratio that the goal is about."""

    def middle(name: str, kind: str) -> float:
        return median(getattr(took[name], kind) for took in rounds)

    def row(words: str, names: Sequence[str]) -> str:
        return f"| {words} | {sum(middle(n, 'wall') for n in names):.2f} | {sum(middle(n, 'cpu') for n in names):.2f} |"

    imports = [f"import {command}" for command in COMMANDS]
    lines = ["| | seconds | processor seconds |", "|---|---|---|"]
    lines += [row(f"`python -m {command}`", [command]) for command in COMMANDS]
    lines += [row("**make analysis**", COMMANDS)]
    lines += [row(f"importing what `python -m {command}` imports", [f"import {command}"]) for command in COMMANDS]
    lines += [row("saving the finished figures as PNG, SVG and PDF", ["drawing"])]
    lines += [row("**imports and bare drawing**", [*imports, "drawing"])]
    ratios = {
        kind: sum(middle(c, kind) for c in COMMANDS) / sum(middle(n, kind) for n in [*imports, "drawing"])
        for kind in ("wall", "cpu")
    }
    verdict = "met" if ratios["wall"] < GOAL else "**missed**"
    by = f"{ratios['wall']:.2f} by the clock, {ratios['cpu']:.2f} by processor time"
    lines += ["", f"Ratio {by}; goal under {GOAL}: {verdict}."]
    return "\n".join(lines)


def environment_in(folder: Path) -> dict[str, str]:
    """Return the environment for commands whose instance and build are in *folder*."""
    ours = {"KYSELY_INSTANCE": str(folder / "instance"), "KYSELY_BUILD": str(folder / "build"), "PYTHONPATH": str(ROOT)}
    return {**{name: value for name, value in os.environ.items() if not name.startswith("KYSELY_")}, **ours}


def _loaded(command: str, environment: Mapping[str, str]) -> list[str]:
    """Return the modules that *command* has loaded when it ends, the packages before what is in them."""
    print(f"python -m {command} …", file=sys.stderr)
    code = [sys.executable, "-c", LOADED, *command.split()]
    done = subprocess.run(code, env=environment, check=True, capture_output=True, text=True)
    modules: list[str] = json.loads(done.stdout.rpartition("LOADED ")[2])
    return modules


def _imports(modules: Sequence[str]) -> str:
    names = [name for name in modules if all(part.isidentifier() for part in name.split("."))]
    return (
        "from importlib import import_module\n"
        f"for name in {names!r}:\n"
        "    try:\n        import_module(name)\n    except Exception:\n        pass\n"  # some are made, not imported
    )


def _timed(command: Sequence[str], environment: Mapping[str, str]) -> Took:
    used = _children()
    began = time.perf_counter()
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    return Took(time.perf_counter() - began, _children() - used)


def _children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    raise SystemExit(main())
