"""A small clustered sample with three variables of which the population is known."""

from __future__ import annotations

import numpy as np

from analysis.design import Design
from analysis.weighting import Margin

SIZES = {"S": 0.5, "M": 0.3, "L": 0.2}
REGIONS = {1: 0.4, 2: 0.35, 3: 0.25}
KINDS = {"company": 0.7, "public": 0.3}


class Sample:
    """n respondents in about n/3 organisations; sizes, regions and kinds are not as in the population."""

    def __init__(self, n: int = 240, seed: int = 1):
        rng = np.random.default_rng(seed)
        self.organisation = rng.integers(n // 3, size=n)
        self.size = rng.choice(list(SIZES), size=n, p=[0.35, 0.3, 0.35])
        self.region = rng.choice(list(REGIONS), size=n, p=[0.5, 0.3, 0.2])
        self.kind = rng.choice(list(KINDS), size=n, p=[0.6, 0.4])
        self.weight = rng.uniform(0.5, 2, size=n)
        self.staff = rng.gamma(2, 20, size=n)
        self.answer = (rng.random(n) < 0.3 + 0.2 * (self.size == "L") + 0.1 * (self.region == 1)).astype(float)
        self.design = Design.of(self.weight, psu=self.organisation)

    def margins(self) -> list[Margin]:
        return [
            Margin.of_shares("size", self.size, SIZES),
            Margin.of_shares("region", self.region, REGIONS),
            Margin.of_shares("kind", self.kind, KINDS),
        ]

    def sums(self, weight: np.ndarray, labels: np.ndarray) -> dict[object, float]:
        return {label: float(weight[labels == label].sum()) for label in np.unique(labels).tolist()}
