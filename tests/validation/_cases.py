"""Reference cases: data, the R call that was run on them, and what R said. The format is described in README.md."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis import estimators
from analysis.design import Design, Lonely
from analysis.engines.memory import Memory
from analysis.moments import Moments

DATA = Path(__file__).parent / "data"

ONE_STAGE = ("exec", "stratclus", "strat", "clus1")
"""Designs whose variance is that of the first stage; clus2 subsamples within PSUs, which we don't estimate."""


@dataclass(frozen=True)
class Case:
    """One file: the frame it was computed on, the design that the call names, and the expected values."""

    path: Path

    @cached_property
    def data(self) -> dict[str, Any]:
        return json.loads(self.path.read_text(encoding="utf-8"))

    @property
    def expected(self) -> Any:
        return self.data["expected"]

    @cached_property
    def call(self) -> str:
        return " ".join(self.data["r_call"])

    @cached_property
    def frame(self) -> pd.DataFrame:
        return pd.read_csv(self.path.parent / self.data["inputs"][0])

    def argument(self, name: str) -> str | None:
        """Return the variable of a one-sided formula in the call of svydesign: id=~psu gives psu."""
        inside = re.search(r"svydesign\((.*?data=x.*?)\)", self.call)
        found = re.search(rf"\b{name}=~([\w.]+)", inside.group(1)) if inside else None
        return found.group(1) if found and found.group(1) != "1" else None

    def design(self, lonely: Lonely = "fail") -> Design:
        columns = {key: self.argument(name) for key, name in (("psu", "id"), ("stratum", "strata"), ("fpc", "fpc"))}
        given = {key: self.frame[name].to_numpy() for key, name in columns.items() if name}
        return Design.of(self.frame[self.argument("weights")].to_numpy(), **given, lonely=lonely)

    def names(self, pattern: str) -> tuple[str, ...]:
        """Return the groups of *pattern* in the call; raises if the call is not of that form."""
        found = re.search(pattern, self.call)
        assert found, f"{self.path.name}: no {pattern} in {self.call}"
        return found.groups()

    def groups(self, name: str) -> dict[str, np.ndarray]:
        """Return label → who is in it, in the order R lists them."""
        column = self.frame[name]
        return {str(value): (column == value).to_numpy() for value in sorted(column.dropna().unique())}

    def is_one(self, condition: str) -> np.ndarray:
        """Return 0/1 for an R condition such as p1==1 or awards=="Yes"."""
        name, value = (part.strip() for part in condition.split("=="))
        return (self.frame[name].astype(str) == value.strip('"')).to_numpy(float)

    def moments(self, stub: str, banner: str) -> tuple[Moments, list[str], list[str]]:
        """Return the Moments of stub × banner with the labels of codes and groups."""
        codes, groups = (sorted(self.frame[name].dropna().unique()) for name in (stub, banner))
        code, group = (
            np.array([labels.index(value) if pd.notna(value) else -1 for value in self.frame[name]], np.int64)
            for name, labels in ((stub, codes), (banner, groups))
        )
        made = Memory(self.design()).moments(code, len(codes), group, len(groups))
        return made, [str(one) for one in codes], [str(one) for one in groups]

    def agree(self, found: Any, expected: Any, tolerance: float | None = None) -> None:
        """Assert agreement to the case's own tolerance, as the reference README defines it."""
        ours, theirs = np.asarray(found, float), np.asarray(expected, float)
        allowed = (tolerance or self.data["rel_tolerance"]) * np.maximum(np.abs(theirs), 1e-8)
        assert ours.shape == theirs.shape, f"{self.path.name}: {ours.shape} against {theirs.shape}"
        assert (np.abs(ours - theirs) <= allowed).all(), f"{self.path.name}: {ours} against R's {theirs}"


def cases(folder: Path, group: str) -> Iterator[Case]:
    for design in ONE_STAGE:
        path = folder / f"{group}__{design}.json"
        if path.is_file():
            yield Case(path)


# ---- what each group of cases says, in our words ------------------------------------------------------


def means(case: Case) -> None:
    design, expected = case.design(), case.expected
    for name, value in expected["mean"].items():
        ours = estimators.mean(case.frame[name], design)
        case.agree(
            [ours.value, ours.se, ours.low, ours.high, ours.df],
            [value, expected["se"][name], expected["ci_low"][name], expected["ci_high"][name], expected["df"]],
        )
        case.agree(ours.deff, expected["deff_wr"][name])
    ours_of = [estimators.mean(case.frame[name], design) for name in expected["mean"]]
    case.agree(estimators.covariances(ours_of), expected["vcov"]["values"])


def shares_of_a_factor(case: Case) -> None:
    (name,) = case.names(r"svymean\(~factor\(([\w.]+)\)")
    case.frame["everybody"] = "all"
    moments, codes, _ = case.moments(name, "everybody")
    estimate, variance = moments.averages(np.eye(len(codes)))
    shares = [case.expected["share"][f"factor({name}){code}"] for code in codes]
    errors = [case.expected["se"][f"factor({name}){code}"] for code in codes]
    case.agree(estimate[0], shares)
    # In a sample stratified by the very variable its shares are known, and R's errors are rounding noise.
    if max(errors) > 1e-12:
        case.agree(np.sqrt(variance[0]), errors)
    case.agree(moments.total[0], [case.expected["weighted_count"][code] for code in codes])
    case.agree(moments.n[0], [case.expected["unweighted_count"][code] for code in codes])


def means_of_domains(case: Case) -> None:
    answer, banner = case.names(r"svyby\(~([\w.]+), ~([\w.]+), d, svymean")
    design, expected = case.design(), case.expected
    ours = [
        estimators.mean(np.where(inside, case.frame[answer], np.nan), design) for inside in case.groups(banner).values()
    ]
    case.agree([one.value for one in ours], [expected["mean"][group] for group in expected["group"]])
    case.agree([one.se for one in ours], expected["se"])
    # svyby's confint takes the degrees of freedom of the whole design.
    low, high = estimators.t_interval([one.value for one in ours], [one.se for one in ours], expected["df"])
    case.agree(low, [expected["ci_low"][group] for group in expected["group"]])
    case.agree(high, [expected["ci_high"][group] for group in expected["group"]])
    theirs = np.array(expected["vcov"]["values"], float)
    assert np.abs(estimators.covariances(ours) - theirs).max() <= 1e-8 * np.abs(theirs).max()


def totals_of_domains(case: Case) -> None:
    answer, banner = case.names(r"svyby\(~([\w.]+), ~([\w.]+), d, svytotal")
    ours = [
        estimators.total(np.where(inside, case.frame[answer], np.nan), case.design())
        for inside in case.groups(banner).values()
    ]
    case.agree([one.value for one in ours], [case.expected["total"][group] for group in case.expected["group"]])
    case.agree([one.se for one in ours], case.expected["se"])


def differences(case: Case) -> None:
    answer, banner = case.names(r"svyby\(~([\w.]+), ~([\w.]+), d, svymean")
    design = case.design()
    ours = {
        group: estimators.mean(np.where(inside, case.frame[answer], np.nan), design)
        for group, inside in case.groups(banner).items()
    }
    pairs = zip(case.expected["a"], case.expected["b"], strict=True)
    found = [estimators.difference(ours[a], ours[b]) for a, b in pairs]
    case.agree([one.value for one in found], case.expected["diff"])
    case.agree([one.se for one in found], case.expected["se"])


def totals(case: Case) -> None:
    for name, value in case.expected["total"].items():
        ours = estimators.total(case.frame[name], case.design())
        theirs = [value, *(case.expected[key][name] for key in ("se", "ci_low", "ci_high"))]
        case.agree([ours.value, ours.se, ours.low, ours.high], theirs)


def ratios(case: Case) -> None:
    above, below = case.names(r"svyratio\(~([\w.]+), ~([\w.]+)")
    ours = estimators.ratio(case.frame[above], case.frame[below], case.design())
    theirs = [case.expected[key] for key in ("ratio", "se", "ci_low", "ci_high")]
    case.agree([ours.value, ours.se, ours.low, ours.high], theirs)


def domains(case: Case) -> None:
    banner, answer = case.names(r"subset\(d, ([\w.]+)==v\); m <- svymean\(~([\w.]+)")
    groups = case.groups(banner)
    for expected in case.expected:
        ours = estimators.mean(case.frame[answer], case.design().domain(groups[expected["group"]]))
        case.agree([ours.value, ours.se, ours.df], [expected[key] for key in ("mean", "se", "df")])


def share_intervals(case: Case) -> None:
    (condition,) = case.names(r"svyciprop\(~I\(([^)]+)\)")
    ours = estimators.share(case.is_one(condition), case.design())
    theirs = case.expected["logit"]
    case.agree([ours.value, ours.low, ours.high, ours.se], [theirs[key] for key in ("p", "low", "high", "se")])


def share_intervals_of_domains(case: Case) -> None:
    condition, banner = case.names(r"svyby\(~I\(([^)]+)\), ~([\w.]+), d, svyciprop")
    theirs, groups = case.expected["logit"], case.groups(banner)
    for group, p, low, high in zip(*(theirs[key] for key in ("group", "p", "low", "high")), strict=True):
        ours = estimators.share(np.where(groups[group], case.is_one(condition), np.nan), case.design())
        case.agree([ours.value, ours.low, ours.high], [p, low, high])


def crosstab(case: Case) -> None:
    stub, banner = case.names(r'factor\(x\[\["([\w.]+)"\]\]\).*svyby\(~\.f, ~([\w.]+)')
    moments, codes, groups = case.moments(stub, banner)
    estimate, variance = moments.averages(np.eye(len(codes)))
    assert groups == case.expected["group"]
    case.agree(estimate, case.expected["column_share"]["values"])
    errors = np.array(case.expected["se"]["values"], float)
    # Where everybody of a group answers alike R prints rounding noise; ours is exactly that too, and flagged later.
    case.agree(np.where(errors > 1e-12, np.sqrt(variance), 0), np.where(errors > 1e-12, errors, 0))


GROUPS: dict[str, Callable[[Case], None]] = {
    "mean": means,
    "props": shares_of_a_factor,
    "by_mean": means_of_domains,
    "by_total": totals_of_domains,
    "contrast": differences,
    "total": totals,
    "ratio": ratios,
    "subset": domains,
    "ciprop": share_intervals,
    "ciprop_by": share_intervals_of_domains,
    "by_props": crosstab,
}
