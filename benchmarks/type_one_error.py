"""How often tests find a difference that isn't there: `python -m benchmarks.type_one_error --runs 1000`.

Picks of four modes by a banner of six types of organisation, when type has nothing to do with picking: 360
leaders of 269 organisations, whose picks are alike inside an organisation by a latent correlation of 0, 0.3 or
0.6, with weights of coefficient of variation 0.48. A test at 5 % should be wrong in 5 % of surveys.

The last two rows are `analysis.multiple_response.mmi` itself, called as a report calls it; the others are what
is used elsewhere. METHODS.md, section 4a, has the same simulation from a prototype.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from analysis.bilder_loughin import published_mmi
from analysis.design import Codes, Design, Floats
from analysis.multiple_response import mmi
from benchmarks.machine import heading

LEADERS, ORGANISATIONS, TYPES = 360, 269, 6
CUT = np.array([0.3, 0.0, -0.3, 0.6])
"""A mode is picked where a latent normal exceeds this: by 38, 50, 62 and 27 %."""

WEIGHT_CV = 0.48
CORRELATIONS = (0.0, 0.3, 0.6)
LEVEL = 0.05
BAND = (0.04, 0.065)
"""Where the design-based test's error has to lie."""

NAIVE = "χ² per item, Bonferroni; unweighted"
PUBLISHED = "second-order Rao-Scott (MRCV); unweighted, unclustered"
SCALED = "weighted χ² per item, weights scaled to n, Bonferroni"
KISH = "weighted χ² per item on Kish's effective n, Bonferroni"
WEIGHTS = "design-based MMI, weights only"
DESIGN = "**design-based MMI, weights and organisations**"
TESTS = (NAIVE, PUBLISHED, SCALED, KISH, WEIGHTS, DESIGN)


@dataclass(frozen=True)
class Survey:
    """One simulated survey: picks (n, 4), type (n,) and organisation (n,) as codes, weight (n,)."""

    picks: Floats
    type: Codes
    organisation: Codes
    weight: Floats


def surveys(runs: int, correlation: float, rng: np.random.Generator) -> Iterator[Survey]:
    """Yield surveys in which type has nothing to do with picks; every organisation has a leader at least."""
    sigma = np.sqrt(np.log1p(WEIGHT_CV**2))
    for _ in range(runs):
        extra = rng.integers(0, ORGANISATIONS, LEADERS - ORGANISATIONS)
        organisation = np.concatenate([np.arange(ORGANISATIONS), extra])
        shared = rng.normal(size=(ORGANISATIONS, len(CUT)))[organisation]
        # A leader who picks much picks much of everything: items depend on each other within respondents too.
        own = (rng.normal(size=(LEADERS, len(CUT))) + rng.normal(0, 0.5, (LEADERS, 1))) / np.sqrt(1.25)
        latent = np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * own
        of_type = rng.integers(0, TYPES, ORGANISATIONS)[organisation]
        yield Survey((latent > CUT).astype(float), of_type, organisation, rng.lognormal(0, sigma, LEADERS))


def p_values(survey: Survey) -> dict[str, float]:
    """Return each test's p-value for the picks as a whole."""
    picks, kind, weight = survey.picks, survey.type, survey.weight
    effective = weight.sum() ** 2 / (weight**2).sum() / len(weight)
    weighted = _item_x2(picks, kind, weight)
    return {
        NAIVE: _bonferroni(_item_x2(picks, kind, np.ones(len(weight)))),
        PUBLISHED: published_mmi(picks, kind).rs2.p,
        SCALED: _bonferroni(weighted),
        KISH: _bonferroni(weighted * effective),
        WEIGHTS: mmi(picks, kind, Design.of(weight)).f.p,
        DESIGN: mmi(picks, kind, Design.of(weight, psu=survey.organisation)).f.p,
    }


def _item_x2(picks: Floats, kind: Codes, weight: Floats) -> Floats:
    """Return Pearson's X² of each item's table, (J,), the weights scaled to n."""
    share = weight / weight.sum()
    size = np.bincount(kind, share, TYPES)
    within = np.array([np.bincount(kind, share * item, TYPES) for item in picks.T]) / size
    overall = within @ size
    return len(weight) * ((within - overall[:, None]) ** 2 @ size) / (overall * (1 - overall))


def _bonferroni(x2: Floats) -> float:
    from scipy.special import chdtrc

    return min(1.0, float(chdtrc(TYPES - 1, x2).min()) * len(x2))


def errors(runs: int, correlation: float, seed: int) -> dict[str, float]:
    """Return the share of *runs* surveys in which each test is significant at LEVEL."""
    rng = np.random.default_rng([seed, round(100 * correlation)])
    found = [p_values(survey) for survey in surveys(runs, correlation, rng)]
    return {test: float(np.mean([one[test] < LEVEL for one in found])) for test in TESTS}


def report(found: Mapping[float, Mapping[str, float]], runs: int) -> str:
    """Return the table, with the Monte-Carlo error of each number, and whether the goal is met."""
    head = " | ".join(f"ICC {one:g}" for one in found)
    lines = [f"| test at {LEVEL:.0%}, {runs} surveys each | {head} |", "|---|" + "---|" * len(found)]
    for test in TESTS:
        cells = " | ".join(f"{one[test]:.3f} ± {_noise(one[test], runs):.3f}" for one in found.values())
        lines.append(f"| {test} | {cells} |")
    low, high = BAND
    ours = [one[DESIGN] for one in found.values()]
    # Two Monte-Carlo errors of leeway, so that a short run isn't called a miss by chance.
    within = all(low - 2 * _noise(one, runs) <= one <= high + 2 * _noise(one, runs) for one in ours)
    verdict = "met" if all(low <= one <= high for one in ours) else "met within noise" if within else "**missed**"
    lines += ["", f"± is the Monte-Carlo standard error. Goal {low:.1%} to {high:.1%} for the last row: {verdict}."]
    return "\n".join(lines)


def _noise(error: float, runs: int) -> float:
    return float(np.sqrt(max(error, LEVEL) * (1 - max(error, LEVEL)) / runs))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=2000, help="surveys for each correlation (default %(default)s)")
    parser.add_argument("--seed", type=int, default=20150401)
    options = parser.parse_args()
    began = time.perf_counter()
    found = {}
    for correlation in CORRELATIONS:
        found[correlation] = errors(options.runs, correlation, options.seed)
        print(f"ICC {correlation}: {time.perf_counter() - began:.0f} s", file=sys.stderr)
    took = time.perf_counter() - began
    print(heading("Type I error of multiple-response tests"))
    print(report(found, options.runs))
    print(f"\nSeed {options.seed}, {took:.0f} s.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
