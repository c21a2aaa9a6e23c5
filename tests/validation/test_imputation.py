"""Pooling of imputations agrees with R's mitools."""

from analysis import estimators, imputation
from tests.validation._cases import DATA, Case

CASE = Case(DATA / "mi_rubin.json")


def test_a_mean_over_five_imputations_agrees_with_r_mitools():
    theirs, design = CASE.expected, CASE.design()
    each = [estimators.mean(CASE.frame[f"budget_imp{number}"], design) for number in range(1, 6)]
    CASE.agree([one.value for one in each], theirs["each"])
    CASE.agree([one.se for one in each], theirs["each_se"])
    ours = imputation.pool([one.value for one in each], [one.se**2 for one in each])
    found = [ours.value[0], ours.se[0], ours.df[0], ours.missing_information[0]]
    CASE.agree(found, [theirs[key] for key in ("est", "se", "df", "missinfo")])


def test_degrees_of_freedom_of_the_complete_data_agree_with_r_mitools_where_its_formula_is_asked_for():
    # mitools leaves the factor 1 + 1/m out of Barnard and Rubin's observed-data part: 221.9 for 220.3.
    each = [estimators.mean(CASE.frame[f"budget_imp{number}"], CASE.design()) for number in range(1, 6)]
    ours = imputation.pool_estimates(each)
    CASE.agree(ours.df_mitools, [CASE.expected["df_barnard_rubin"]])
    assert 0.99 < ours.df[0] / ours.df_mitools[0] < 1
