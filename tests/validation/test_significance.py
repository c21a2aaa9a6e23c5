"""Tests of cross-tabs, given shares, two groups and two waves agree with R's survey package on synthetic samples."""

import numpy as np
import pytest

from analysis import significance
from tests.validation._cases import DATA, Case, cases
from tests.validation._significance_cases import GROUPS

ALL = [(group, case) for group in GROUPS for case in cases(DATA, group)]


@pytest.mark.parametrize(("group", "case"), ALL, ids=[case.path.stem for _, case in ALL])
def test_tests_under_the_design_agree_with_r_survey(group, case):
    GROUPS[group](case)


def test_missing_answers_are_out_of_the_base_of_a_test_and_of_its_degrees_of_freedom():
    case = Case(DATA / "chisq_na__exec.json")
    design, expected = case.design(), case.expected
    ours = significance.rao_scott_of(case.frame["q01"], case.frame["org_type"], design)
    theirs = expected["subset_valid"]
    found, stated = ours.second_order, theirs["F"]
    case.agree([found.statistic, found.p], [stated["statistic"], stated["p"]])
    case.agree([found.ndf, found.ddf], [stated["parameter"]["ndf"], stated["parameter"]["ddf"]])
    case.agree([ours.x2, ours.first_order.p], [theirs["Chisq"]["statistic"], theirs["Chisq"]["p"]])
    assert ours.n == expected["n_valid"]


def test_with_the_degrees_of_freedom_of_all_respondents_the_f_test_is_that_of_r_with_missing_answers():
    # R's X² (29.38) takes those without an answer for respondents of the table; ours never does (27.26).
    case = Case(DATA / "chisq_na__exec.json")
    design, theirs = case.design(), case.expected["na_rm"]
    ours = significance.rao_scott_of(case.frame["q01"], case.frame["org_type"], design, df=design.degrees())
    found, stated = ours.second_order, theirs["F"]
    case.agree([found.statistic, found.p], [stated["statistic"], stated["p"]])
    case.agree([found.ndf, found.ddf], [stated["parameter"]["ndf"], stated["parameter"]["ddf"]])
    case.agree(ours.first_order.p, theirs["Chisq"]["p"])
    case.agree(ours.x2 * case.expected["n_all"] / case.expected["n_valid"], theirs["Chisq"]["statistic"])


def test_every_rao_scott_test_of_a_book_of_thirty_tables_agrees_with_r_survey():
    book = Case(DATA / "book.json")
    design = book.design()
    for name, table in book.expected.items():
        stub, banner = name.split("_x_")
        found = significance.rao_scott_of(book.frame[stub], book.frame[banner], design).second_order
        book.agree([found.statistic, found.ndf, found.ddf, found.p], [table[key] for key in ("F", "ndf", "ddf", "p")])


def test_the_moments_of_an_engine_give_the_same_test_as_the_respondents_themselves():
    case = Case(DATA / "chisq__exec.json")
    moments, _, _ = case.moments("org_type", "size_band")
    ours = significance.rao_scott_of_moments(moments)
    assert ours.df == case.expected["df"]
    theirs = case.expected["F"]
    case.agree([ours.second_order.statistic, ours.second_order.p], [theirs["statistic"], theirs["p"]])


def test_the_unit_of_the_weights_changes_no_test():
    case = Case(DATA / "edge_duplicate_weights_scale.json")
    for factor, key in ((1, "k1"), (1000, "k1000")):
        case.frame["w"] = Case(case.path).frame["w"] * factor
        ours = significance.rao_scott_of(case.frame["org_type"], case.frame["size_band"], case.design())
        case.agree(
            [ours.second_order.statistic, ours.second_order.p], [case.expected[key]["F"], case.expected[key]["p"]]
        )


def test_two_waves_are_compared_as_strata_with_their_own_organisations():
    case = Case(DATA / "waves.json")
    frame, expected = case.frame, case.expected
    # R: ifelse(as.integer(factor(org_id)) %% 2 == 0, 1, 2)
    frame["wave"] = np.where((np.unique(frame["org_id"], return_inverse=True)[1] + 1) % 2 == 0, 1, 2)
    for name in ("p1", "p2", "budget"):
        ours = significance.compare_waves(frame[name], frame["wave"], case.design())
        theirs = [expected[name][key] for key in ("diff", "se", "t", "p")]
        case.agree([ours.difference, ours.se, ours.t, ours.p, ours.df], [*theirs, expected["df"]])
