"""Column comparisons agree with R under the design, and with table programs in the modes named after their bases."""

import re

import numpy as np
import pytest

from analysis import group_means, letters
from tests.validation._cases import DATA, Case

COMPATIBLE = sorted(path for path in DATA.glob("letters__*_b*.json"))


def test_letters_from_the_design_agree_with_r_survey():
    case = Case(DATA / "letters__design_holm.json")
    design, frame, theirs = case.design(), case.frame, case.expected
    ours = letters.compare_columns_of(frame["q03"], frame["size_band"], design, df=design.degrees(), small_base=0)
    _same_table(case, ours, theirs)
    keys = {"diff": "difference", "se": "se", "t": "statistic", "df": "df", "p": "p", "p_adj": "p_adjusted"}
    for key, name in keys.items():
        case.agree([getattr(pair, name) for pair in ours.pairs], [test[key] for test in theirs["tests"]])


def test_the_moments_of_an_engine_give_the_same_comparison_as_the_respondents_themselves():
    case = Case(DATA / "letters__design_holm.json")
    moments, _, _ = case.moments("q03", "size_band")
    ours = letters.compare_columns(moments, df=case.expected["tests"][0]["df"])
    _same_table(case, ours, case.expected)
    case.agree([pair.p_adjusted for pair in ours.pairs], [test["p_adj"] for test in case.expected["tests"]])


def test_means_of_groups_are_compared_by_moments_as_r_survey_contrasts_them():
    case = Case(DATA / "letters_of_means.json")
    for theirs in case.expected:
        moments, codes, groups = case.moments(theirs["variable"], "org_type")
        values = np.array([codes], float)
        ours = letters.compare_columns(moments, values=values, small_base=0)
        assert [(groups[pair.a], groups[pair.b]) for pair in ours.pairs] == [
            *zip(theirs["a"], theirs["b"], strict=True)
        ]
        for key, name in {"difference": "difference", "se": "se", "p": "p", "p_holm": "p_adjusted"}.items():
            case.agree([getattr(pair, name) for pair in ours.pairs], theirs[key])
        assert {pair.df for pair in ours.pairs} == {theirs["df"]}
        again = letters.compare_means_of(
            case.frame[theirs["variable"]], case.frame["org_type"], case.design(), small_base=0
        )
        assert again.letters == ours.letters
        assert any(ours.letters[0])


def test_columns_that_share_respondents_are_compared_with_what_they_share():
    case = Case(DATA / "overlap_banner.json")
    frame, design, theirs = case.frame, case.design(), case.expected
    first = np.where(frame["q04"].isna(), np.nan, frame["q04"] == 1)
    ours = letters.compare_columns_of(first, frame[["p1", "p2", "p3", "p4"]], design, df=design.degrees())
    pairs = [pair for pair in ours.pairs if pair.row == 1]
    assert [f"{pair.a + 1}-{pair.b + 1}" for pair in pairs] == theirs["pairs"]
    case.agree(ours.value[1], theirs["share"])
    found = np.array([[pair.difference, pair.se, pair.statistic, pair.p, pair.p_adjusted] for pair in pairs]).T
    case.agree(found, [theirs[key] for key in ("diff", "se", "t", "p", "holm")])
    assert {pair.df for pair in pairs} == {theirs["df"]}
    # The second and third mode are larger than the first: the only adjusted p-values under 5 %.
    assert ours.letters[1] == ("", "A", "A", "")


@pytest.mark.parametrize("path", COMPATIBLE, ids=[path.stem for path in COMPATIBLE])
def test_compatibility_modes_agree_with_the_documented_rules_of_table_programs(path):
    case = Case(path)
    calls = re.findall(r"(\w)=colz\(x\$(\w+), x\$(\w+), x\$w, base=\"(\w+)\", adjust=\"(\w+)\"\)", case.call)
    assert [part for part, *_ in calls] == list(case.expected)
    for part, row, column, base, adjust in calls:
        ours = letters.compatible_columns(
            case.frame[row], case.frame[column], weight=case.frame["w"], base=base, adjust=adjust
        )
        _same_tests(case, ours, case.expected[part])
        assert ours.method == base


def test_a_column_of_which_all_or_none_gave_the_answer_is_in_no_pair_of_the_compatibility_modes():
    case = Case(DATA / "letters__unit.json")
    ours = letters.compatible_columns(case.frame["y1"], case.frame["g"], base="weighted")
    _same_tests(case, ours, case.expected)
    assert not any(1 in (pair.a, pair.b) for pair in ours.pairs)


def test_pairs_of_means_in_a_simple_random_sample_agree_with_r():
    case = Case(DATA / "means_letters.json")
    y, role, theirs = np.log(case.frame["budget"]), case.frame["role"], case.expected
    of = group_means.group_means(y, role)
    for found, key in ((of.mean, "means"), (of.sd, "sd"), (of.n, "n")):
        case.agree(found, [theirs[key][group] for group in of.groups])
    for key, matrix in theirs.items():
        if not key.startswith(("pooled", "welch_b", "welch_n")):
            continue
        spread, adjust = key.split("_")
        for pair in group_means.compare_means(y, role, spread=spread, adjust=adjust):
            cell = matrix["values"][matrix["rows"].index(pair.second)][matrix["cols"].index(pair.first)]
            case.agree(pair.p_adjusted, cell)


def test_tukey_s_differences_agree_with_r():
    case = Case(DATA / "means_letters.json")
    pairs = {
        f"{pair.second}-{pair.first}": pair
        for pair in group_means.tukey(np.log(case.frame["budget"]), case.frame["role"])
    }
    theirs = case.expected["tukey"]
    ours = [pairs[name] for name in theirs["rows"]]  # R takes the first from the second
    case.agree([[-one.difference, -one.high, -one.low, one.p_adjusted] for one in ours], theirs["values"])


def test_analyses_of_variance_agree_with_r():
    case = Case(DATA / "means_letters.json")
    y, role, theirs = np.log(case.frame["budget"]), case.frame["role"], case.expected
    plain, welch = group_means.anova(y, role), group_means.welch_anova(y, role)
    case.agree(
        [plain.f, plain.p, plain.eta_squared, plain.omega_squared],
        [theirs[key] for key in ("anova_F", "anova_p", "eta_sq", "omega_sq")],
    )
    case.agree([welch.f, welch.ndf, welch.ddf, welch.p], [theirs["welch_F"], *theirs["welch_df"], theirs["welch_p"]])


def _same_table(case: Case, ours: letters.Comparison, theirs: dict) -> None:
    assert list(theirs["columns"].values()) == list(ours.letter)
    case.agree(ours.value, theirs["proportion"]["values"])
    assert [list(row) for row in ours.letters] == theirs["letters"]["values"]
    rows = theirs["proportion"]["rows"]
    places = [(rows[pair.row], ours.letter[pair.a], ours.letter[pair.b]) for pair in ours.pairs]
    assert places == [(test["row"], test["col_a"], test["col_b"]) for test in theirs["tests"]]


def _same_tests(case: Case, ours: letters.Comparison, theirs: dict) -> None:
    _same_table(case, ours, theirs)
    for key, name in {"z": "statistic", "p": "p", "p_adj": "p_adjusted"}.items():
        case.agree([getattr(pair, name) for pair in ours.pairs], [test[key] for test in theirs["tests"]])
