"""Reference cases: data, the R call that was run on them, and what R said. The format is described in README.md."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis import estimators
from analysis.design import Design, DesignError, Lonely, Stage
from analysis.engines.memory import Memory
from analysis.intervals import METHODS
from analysis.moments import Moments
from analysis.quantiles import quantiles

DATA = Path(__file__).parent / "data"

SAMPLES = ("exec", "stratclus", "strat", "clus1", "clus2")
"""The samples that the cases are of: clustered, stratified, both, and (clus2) drawn in two stages."""


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

    def arguments(self, name: str) -> list[str]:
        """Return the variables of a one-sided formula in the call of svydesign: id=~dnum+snum gives dnum and snum."""
        inside = re.search(r"svydesign\((.*?data=x.*?)\)", self.call)
        found = re.search(rf"\b{name}=~([\w.+]+)", inside.group(1)) if inside else None
        return [one for one in found.group(1).split("+") if one != "1"] if found else []

    def argument(self, name: str) -> str | None:
        """Return the variable of the first stage in such a formula."""
        return next(iter(self.arguments(name)), None)

    def design(self, lonely: Lonely = "fail") -> Design:
        units, strata, sizes = (
            [self.frame[column].to_numpy() for column in self.arguments(name)] for name in ("id", "strata", "fpc")
        )
        later = [
            Stage(unit, stratum=stratum, fpc=fpc)
            for unit, stratum, fpc in zip_longest(units[1:], strata[1:], sizes[1:])
        ]
        first = {name: found[0] for name, found in (("psu", units), ("stratum", strata), ("fpc", sizes)) if found}
        (weight,) = self.arguments("weights")
        return Design.of(self.frame[weight].to_numpy(), **first, stages=later, lonely=lonely)

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

    def coded(self, name: str) -> tuple[np.ndarray, list[Any]]:
        """Return a column as positions in its values, -1 where it is missing, and the values."""
        values = sorted(self.frame[name].dropna().unique())
        codes = [values.index(value) if pd.notna(value) else -1 for value in self.frame[name]]
        return np.array(codes, np.int64), values

    def moments(self, stub: str, banner: str) -> tuple[Moments, list[str], list[str]]:
        """Return the Moments of stub × banner with the labels of codes and groups."""
        (code, codes), (group, groups) = self.coded(stub), self.coded(banner)
        made = Memory(self.design()).moments(code, len(codes), group, len(groups))
        return made, [str(one) for one in codes], [str(one) for one in groups]

    def agree(self, found: Any, expected: Any, tolerance: float | None = None) -> None:
        """Assert agreement to the case's own tolerance, as the reference README defines it."""
        ours, theirs = np.asarray(found, float), np.asarray(expected, float)
        allowed = (tolerance or self.data["rel_tolerance"]) * np.maximum(np.abs(theirs), 1e-8)
        assert ours.shape == theirs.shape, f"{self.path.name}: {ours.shape} against {theirs.shape}"
        assert (np.abs(ours - theirs) <= allowed).all(), f"{self.path.name}: {ours} against R's {theirs}"


def cases(folder: Path, group: str) -> Iterator[Case]:
    for sample in SAMPLES:
        path = folder / f"{group}__{sample}.json"
        if path.is_file():
            yield Case(path)


# ---- what each group of cases says, in our words ------------------------------------------------------


def means(case: Case) -> None:
    design, expected = case.design(), case.expected
    ours_of = [estimators.mean(case.frame[name], design) for name in expected["mean"]]
    for name, ours in zip(expected["mean"], ours_of, strict=True):
        theirs = [expected[key][name] for key in ("mean", "se", "cv", "ci_low", "ci_high", "deff_wr")]
        case.agree([ours.value, ours.se, ours.cv, ours.low, ours.high, ours.deff], theirs)
        assert ours.df == expected["df"]
        if expected["deff_wor"][name] in (None, "Infinity"):  # R divides by 1 - n/N where the weights sum to n
            with pytest.raises(DesignError, match="no population"):
                estimators.design_effect(ours, replacement=False)
        else:
            case.agree(estimators.design_effect(ours, replacement=False), expected["deff_wor"][name])
    case.agree(estimators.covariances(ours_of), expected["vcov"]["values"])


def shares_of_a_factor(case: Case) -> None:
    (name,) = case.names(r"svymean\(~factor\(([\w.]+)\)")
    (code, codes), expected, design = case.coded(name), case.expected, case.design()
    ours = estimators.shares(code, len(codes), design)
    case.agree([one.value for one in ours], [expected["share"][f"factor({name}){value}"] for value in codes])
    errors = np.array([expected["se"][f"factor({name}){value}"] for value in codes])
    theirs = np.array(expected["vcov"]["values"], float)
    # In a sample stratified by the very variable its shares are known, and R's errors are rounding noise.
    if errors.max() > 1e-12:
        case.agree([one.se for one in ours], errors)
        assert np.abs(estimators.covariances(ours) - theirs).max() <= 1e-8 * np.abs(theirs).max()
    else:
        assert not any(one.estimable for one in ours)
    case.agree([design.weight[code == k].sum() for k in range(len(codes))], [*expected["weighted_count"].values()])
    assert [(code == k).sum() for k in range(len(codes))] == [*expected["unweighted_count"].values()]
    if design.by_factor:
        case.frame["everybody"] = "all"
        _same_in_the_engine(case.moments(name, "everybody")[0], [ours])


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
        theirs = _number(case.expected["deff"][name])
        if abs(theirs) < 1e6:
            case.agree(estimators.design_effect(ours, replacement=False), theirs)
        else:  # R divides by 1 - n/N where the weights sum to n
            with pytest.raises(DesignError, match="no population"):
                estimators.design_effect(ours, replacement=False)


def ratios(case: Case) -> None:
    names = case.names(r"svyratio\(~([\w.]+), ~([\w.]+)")
    above, below = (case.frame[name].to_numpy(float) for name in names)
    ours = estimators.ratio(above, below, case.design())
    theirs = [case.expected[key] for key in ("ratio", "se", "ci_low", "ci_high")]
    if np.isnan(above + below).any():  # R returns NA for everything; we take those who have both
        assert theirs == [None] * 4
        both = ~np.isnan(above + below)
        of_domain = estimators.ratio(np.where(both, above, 0), np.where(both, below, 0), case.design().domain(both))
        case.agree([ours.value, ours.se, ours.n], [of_domain.value, of_domain.se, both.sum()])
    else:
        case.agree([ours.value, ours.se, ours.low, ours.high], theirs)


def variances(case: Case) -> None:
    (name,) = case.names(r"svyvar\(~([\w.]+)")
    ours = estimators.variance(case.frame[name], case.design())
    case.agree([ours.value, ours.se], [case.expected["var"], case.expected["se"]])
    root = estimators.standard_deviation(case.frame[name], case.design())
    case.agree([root.value, root.se], [case.expected["sd"], case.expected["se"] / (2 * case.expected["sd"])])


def quantiles_of_each_rule(case: Case) -> None:
    (name,) = case.names(r"svyquantile\(~([\w.]+)")
    for rule, expected in case.expected.items():
        if rule == "df":
            continue
        ours = quantiles(case.frame[name], expected["probs"], case.design(), rule=rule)
        for key, field in (("quantile", "value"), ("ci_low", "low"), ("ci_high", "high"), ("se", "se")):
            # None: the interval of the share below reaches beyond 0 or 1.
            theirs = np.array([*expected[key].values()], float)
            found = np.array([getattr(one, field) for one in ours])
            assert (np.isnan(found) == np.isnan(theirs)).all()
            case.agree(np.nan_to_num(found), np.nan_to_num(theirs))
        assert {one.df for one in ours} == {case.expected["df"]}


def domains(case: Case) -> None:
    banner, answer = case.names(r"subset\(d, ([\w.]+)==v\); m <- svymean\(~([\w.]+)")
    groups = case.groups(banner)
    for expected in case.expected:
        ours = estimators.mean(case.frame[answer], case.design().domain(groups[expected["group"]]))
        case.agree([ours.value, ours.se, ours.df], [expected[key] for key in ("mean", "se", "df")])


def share_intervals(case: Case) -> None:
    (condition,) = case.names(r"svyciprop\(~I\(([^)]+)\)")
    assert set(case.expected) == set(METHODS)
    for method, theirs in case.expected.items():
        ours = estimators.share(case.is_one(condition), case.design(), interval=method)
        case.agree([ours.value, ours.low, ours.high, ours.se], [theirs[key] for key in ("p", "low", "high", "se")])


def share_intervals_of_domains(case: Case) -> None:
    condition, banner = case.names(r"svyby\(~I\(([^)]+)\), ~([\w.]+), d, svyciprop")
    groups = case.groups(banner)
    for method, theirs in case.expected.items():
        for group, p, low, high in zip(*(theirs[key] for key in ("group", "p", "low", "high")), strict=True):
            answers = np.where(groups[group], case.is_one(condition), np.nan)
            ours = estimators.share(answers, case.design(), interval=method)
            if 0 < p < 1 and not _is_noise(p):
                case.agree([ours.value, ours.low, ours.high], [p, low, high])
            else:  # R prints a point or rounding noise where everybody of a group answered alike
                case.agree(ours.value, round(p))
                assert not ours.estimable
                assert ours.high - ours.low > 0.01


def crosstab(case: Case) -> None:
    stub, banner = case.names(r'factor\(x\[\["([\w.]+)"\]\]\).*svyby\(~\.f, ~([\w.]+)')
    (code, codes), design = case.coded(stub), case.design()
    groups = case.groups(banner)
    ours = [estimators.shares(np.where(inside, code, -1), len(codes), design) for inside in groups.values()]
    assert [*groups] == case.expected["group"]
    case.agree([[one.value for one in group] for group in ours], case.expected["column_share"]["values"])
    errors = np.array(case.expected["se"]["values"], float)
    found = np.array([[one.se for one in group] for group in ours])
    # Where everybody of a group answers alike R prints rounding noise, and we say it can't be estimated.
    noise = errors < 1e-12
    assert np.isnan(found[noise]).all()
    case.agree(found[~noise], errors[~noise])
    if design.by_factor:
        _same_in_the_engine(case.moments(stub, banner)[0], ours)


def _same_in_the_engine(moments: Moments, ours: list[list[estimators.Estimate]]) -> None:
    """Assert that a table's Moments are the same shares and standard errors."""
    estimate, variance = moments.averages(np.eye(len(ours[0])))
    assert estimate == pytest.approx(np.array([[one.value for one in group] for group in ours]), rel=1e-10)
    errors = np.nan_to_num([[one.se for one in group] for group in ours])
    assert np.sqrt(variance) == pytest.approx(errors, rel=1e-8, abs=1e-9)


def _number(value: Any) -> float:
    return {"Infinity": np.inf, "-Infinity": -np.inf}.get(value, value) if isinstance(value, str) else value


def _is_noise(p: float) -> bool:
    return min(p, 1 - p) < 1e-9


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
    "var": variances,
    "quantile": quantiles_of_each_rule,
}
