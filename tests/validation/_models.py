"""How a regression case is run: outcome and predictors are read from the R call. Used for free and for GPL data."""

from __future__ import annotations

from typing import Any

from analysis import models
from analysis.models import Regression
from tests.validation._cases import Case


def predictors(case: Case, *names: str) -> dict[str, Any]:
    return {name: case.frame[name] for name in names}


def agree(case: Case, fit: Regression, expected: Any, *keys: str) -> None:
    """Assert that names and what *keys* say of the coefficients are R's."""
    assert list(fit.names) == list(expected["coef"])
    ours = {"coef": fit.coefficients, "se": fit.se, "t": fit.t, "p": fit.p}
    ours |= dict(zip(("low", "high"), fit.interval(), strict=True))
    for key in keys:
        case.agree(ours[key], list(expected[key].values()))


def generalised_linear(case: Case) -> None:
    outcome, right = case.names(r"svyglm\(([\w.]+)~([\w.+]+), d,")
    (condition,) = case.names(r"svyglm\(I\(([^)]+)\)~")
    chosen, expected = predictors(case, *right.split("+")), case.expected
    linear = models.linear(case.frame[outcome], chosen, case.design())
    logistic = models.logistic(case.is_one(condition), chosen, case.design())
    for fit, theirs in ((linear, expected["gaussian"]), (logistic, expected["logit"])):
        agree(case, fit, theirs, "coef", "se", "t", "p")
        case.agree(fit.df, theirs["df_resid"])
        assert list(fit.names) == theirs["vcov"]["rows"] == theirs["vcov"]["cols"]
        case.agree(fit.covariance, theirs["vcov"]["values"])
    assert set(logistic.terms) - {""} == set(expected["term_wald_logit"])
    for term, theirs in expected["term_wald_logit"].items():
        test = logistic.test(term)
        case.agree([test.statistic, test.df, test.ddf, test.p], [theirs[key] for key in ("F", "df", "ddf", "p")])
