"""What each group of reference cases on tests says, in our words; the format is described in README.md."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest

from analysis import rank_tests, significance
from analysis.categories import NotTestable
from tests.validation._cases import Case

SCORES = {"wilcoxon": "wilcoxon", "vanderWaerden": "van_der_waerden", "median": "median"}


def crosstab_tests(case: Case) -> None:
    row, column = case.names(r"svychisq\(~([\w.]+)\+([\w.]+), d")
    ours, theirs = significance.rao_scott_of(case.frame[row], case.frame[column], case.design()), case.expected
    _agree(case, ours.second_order, theirs["F"])
    _agree(case, ours.wald, theirs["Wald"])
    _agree(case, ours.adjusted_wald, theirs["adjWald"])
    # R prints the uncorrected X² with the corrected p-value.
    chi = theirs["Chisq"]
    case.agree([ours.x2, ours.first_order.ndf], [chi["statistic"], chi["parameter"]["df"]])
    case.agree(ours.first_order.p, chi["p"])
    case.agree([ours.x2, ours.saddlepoint], [theirs["saddlepoint"]["statistic"], theirs["saddlepoint"]["p"]])
    assert (ours.n, ours.df, ours.sparse) == (theirs["n"], theirs["df"], False)
    shares = np.array(theirs["shares"]["values"])
    case.agree(np.array(theirs["table"]["values"]) / np.sum(theirs["table"]["values"]), shares, 1e-10)
    case.agree(ours.x2 / ours.n, significance.pearson(shares))


def given_shares(case: Case) -> None:
    (answer,) = case.names(r"svygofchisq\(~factor\(([\w.]+)\)")
    for theirs in case.expected.values():
        if theirs["p"] is None:  # the sample is stratified by this very question, and R gives NaN
            with pytest.raises(NotTestable, match="stratified by them"):
                significance.goodness_of_fit_of(case.frame[answer], case.design(), share=theirs["p0"])
            continue
        ours = significance.goodness_of_fit_of(case.frame[answer], case.design(), share=theirs["p0"])
        case.agree([ours.x2, ours.scale, ours.df], [theirs["statistic"], *theirs["parameter"]])
        if theirs["p"] > 1e-12:
            case.agree(ours.p, theirs["p"])


def two_means(case: Case) -> None:
    answer, group = case.names(r"svyttest\(([\w.]+)~(.*?), d\)")
    ours, theirs = significance.t_test(case.frame[answer], _two(case, group), case.design()), case.expected
    case.agree(
        [ours.difference, ours.t, ours.df, ours.p, ours.low, ours.high],
        [theirs[key] for key in ("diff", "t", "df", "p", "ci_low", "ci_high")],
    )


def ranks(case: Case) -> None:
    (group,) = case.names(r"factor\(with\(x, (.*?)\)\)\); d")
    answer, several = case.names(r"svyranktest\(([\w.]+)~factor\(([\w.]+)\)")
    for name, score in SCORES.items():
        ours = rank_tests.rank_test(case.frame[answer], _two(case, group), case.design(), score=score)
        theirs = case.expected[name]
        case.agree(
            [ours.difference, ours.t, ours.df, ours.p],
            [theirs[key] for key in ("estimate", "statistic", "df", "p")],
        )
    all_groups = rank_tests.rank_test_of_several(case.frame[answer], case.frame[several], case.design())
    theirs = case.expected["kruskal"]
    case.agree(
        [all_groups.chi_squared, all_groups.test.ndf, all_groups.test.p],
        [theirs["parameter"]["values"][0], theirs["statistic"], theirs["p"]],
    )


GROUPS: dict[str, Callable[[Case], None]] = {
    "chisq": crosstab_tests,
    "gof": given_shares,
    "ttest": two_means,
    "rank": ranks,
}


def _agree(case: Case, ours: significance.Test, theirs: dict) -> None:
    case.agree(
        [ours.statistic, ours.ndf, ours.ddf, ours.p],
        [theirs["statistic"], theirs["parameter"]["ndf"], theirs["parameter"]["ddf"], theirs["p"]],
    )


def _two(case: Case, group: str) -> np.ndarray:
    """Return the labels of a variable, or of an R condition such as I(size_band=="XL")."""
    condition = re.fullmatch(r"I\((.*)\)", group)
    return case.is_one(condition.group(1)).astype(bool) if condition else case.frame[group].to_numpy()
