"""What the cases of weighting and of the jackknife say, in our words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from analysis import estimators, replicates
from analysis.design import Design, Floats
from analysis.weighting import Margin, Weighted
from tests.validation._cases import Case

ANSWERS = ["p1", "p2", "p3", "p4", "budget"]


@dataclass(frozen=True)
class WeightingCase(Case):
    """A case whose second input holds the margins; which of them, and the total, stand in the call."""

    @cached_property
    def known(self) -> pd.DataFrame:
        return pd.read_csv(self.path.parent / self.data["inputs"][1])

    def variables(self) -> list[str]:
        (quoted,) = self.names(r'vs <- (c\([^)]*\)|"\w+")')
        return re.findall(r'"(\w+)"', quoted)

    def total(self) -> float:
        (times,) = self.names(r"m\$share\*(nrow\(x\)|\d+)")
        return float(len(self.frame)) if times.startswith("nrow") else float(times)

    def margins(self, variables: list[str] | None = None) -> list[Margin]:
        made = []
        for name in variables or self.variables():
            mine = self.known[self.known["variable"] == name]
            shares = dict(zip(mine["category"], mine["share"], strict=True))
            made.append(Margin.of_shares(name, self.frame[name].to_numpy(), shares))
        return made

    def raw_design(self) -> Design:
        return Design.of(self.frame["w0"].to_numpy(), psu=self.frame["org_id"].to_numpy())


def means_and_errors(case: Case, weighted: Weighted) -> tuple[list[float], Floats]:
    """Return the means of the answers with calibrated weights, and their linearised errors."""
    found = [estimators.mean(case.frame[name], weighted.design) for name in ANSWERS]
    return [one.value for one in found], np.array([one.se for one in found])


def jackknifed(case: Case) -> None:
    """The mean, a share, the total and the ratio that the call names, with their jackknife errors."""
    made = replicates.delete_one_psu(case.design())
    (condition,) = case.names(r"with\(x, I\((.*?)\)\)")
    (name,) = case.names(r"svymean\(~([\w.]+)\+\.b")
    above, below = case.names(r"svyratio\(~([\w.]+), ~([\w.]+)")
    y, is_so, top, bottom = (
        np.asarray(column, float)
        for column in (case.frame[name], case.is_one(condition), case.frame[above], case.frame[below])
    )

    def statistic(w: Floats) -> list[float]:
        return [w @ y / w.sum(), w @ is_so / w.sum(), w @ y, w @ top / (w @ bottom)]

    ours, theirs = replicates.jackknife(statistic, made), case.expected
    case.agree(ours.value, [theirs["mean"][name], theirs["mean"][".b"], theirs["total"][name], theirs["ratio"]])
    case.agree(ours.se, [*theirs["se"], theirs["total_se"], theirs["ratio_se"]])
    assert (ours.df, len(made.weights)) == (theirs["df"], theirs["n_replicates"])
