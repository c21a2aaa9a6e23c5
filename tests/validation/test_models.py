"""Regressions agree with R: svyglm and svyolr; unweighted, with MASS, ordinal, clubSandwich, geepack and lme4."""

import numpy as np
import pytest

from analysis import models
from analysis.design import Design
from tests.validation._cases import DATA, Case, cases
from tests.validation._models import agree, generalised_linear, predictors

GLM = list(cases(DATA, "glm"))


def case_of(name: str) -> Case:
    return Case(DATA / f"{name}.json")


@pytest.mark.parametrize("case", GLM, ids=[case.path.stem for case in GLM])
def test_linear_and_logistic_regressions_agree_with_r_svyglm(case):
    generalised_linear(case)


def test_proportional_odds_of_a_clustered_weighted_sample_agree_with_r_svyolr():
    case = case_of("olr__exec")
    fit = models.proportional_odds(case.frame["m1"], predictors(case, "tenure", "size_band"), case.design())
    # R's Hessian is numerical, in steps of 0.001; ours is exact. Errors differ by up to 5e-5 for that.
    agree(case, fit, case.expected, "coef", "se", "t")


def test_unweighted_proportional_odds_are_those_of_mass_polr_and_ordinal_clm():
    case = case_of("polr__exec")
    alone = Design.of(np.ones(len(case.frame)))
    fit = models.proportional_odds(case.frame["m2"], predictors(case, "tenure", "size_band"), alone)
    expected, place = case.expected, {name: i for i, name in enumerate(fit.names)}
    assert set(place) == set(expected["clm"]) == set(expected["clm_se"])
    ours = {**expected["polr_coef"], **expected["polr_zeta"]}
    case.agree([fit.coefficients[place[name]] for name in ours], list(ours.values()))
    case.agree(fit.thresholds, list(expected["polr_zeta"].values()))
    case.agree([fit.coefficients[place[name]] for name in expected["clm"]], list(expected["clm"].values()))
    errors = np.sqrt(np.diag(fit.model_covariance))
    case.agree([errors[place[name]] for name in expected["clm_se"]], list(expected["clm_se"].values()))
    case.agree(fit.loglik, expected["loglik"])


def test_cluster_robust_errors_agree_with_sandwich_and_clubsandwich():
    case = case_of("cr_ols__exec")
    expected, frame = case.expected, case.frame
    chosen = predictors(case, "tenure", "size_band")
    design = Design.of(np.ones(len(frame)), psu=frame["org_id"])
    linear, logistic = (
        models.linear(np.log(frame["budget"]), chosen, design),
        models.logistic(frame["p2"], chosen, design),
    )
    assert list(linear.names) == list(expected["coef"])
    case.agree(linear.coefficients, list(expected["coef"].values()))
    case.agree(np.sqrt(np.diag(linear.model_covariance)), list(expected["se_ols"].values()))
    for correction, key in (("CR0", "se_cr0"), ("CR1", "se_cr1_G"), ("CR1S", "se_cr1s"), ("HC3", "se_hc3")):
        case.agree(models.cluster_robust(linear, correction=correction).se, list(expected[key].values()))
    few = models.cluster_robust(linear, correction="CR2")
    for ours, key in ((few.se, "cr2_se"), (few.df, "cr2_df"), (few.p, "cr2_p")):
        case.agree(ours, list(expected[key].values()))
    assert few.clusters == expected["n_clusters"]
    case.agree(logistic.coefficients, list(expected["logit_coef"].values()))
    for correction, key in (("CR0", "logit_se_cr0"), ("CR1", "logit_se_cr1_G")):
        case.agree(models.cluster_robust(logistic, correction=correction).se, list(expected[key].values()))
    case.agree(logistic.se, list(expected["logit_se_cr1_G"].values()))  # one stratum: the design's error is CR1


def test_cr2_knows_weights_few_clusters_and_log_odds_as_clubsandwich_does():
    case = case_of("regression_cr2")
    frame, chosen = case.frame, predictors(case, "tenure", "size_band")
    equal, weighted = Design.of(np.ones(len(frame))), Design.of(frame["w"])
    budget, picked = np.log(frame["budget"]), (frame["p2"] == 1).to_numpy(float)
    fits = {
        "weighted": (models.linear(budget, chosen, weighted), "org_id"),
        "few": (models.linear(budget, chosen, equal), "region"),
        "few_weighted": (models.linear(budget, chosen, weighted), "region"),
        "logit": (models.logistic(picked, chosen, equal), "org_id"),
        "weighted_logit": (models.logistic(picked, chosen, weighted), "org_id"),
        "few_logit": (models.logistic(picked, chosen, equal), "region"),
    }
    assert set(fits) == set(case.expected)
    for name, (fit, cluster) in fits.items():
        ours, theirs = models.cluster_robust(fit, frame[cluster]), case.expected[name]
        assert list(ours.names) == list(theirs["coef"])
        for found, key in ((ours.coefficients, "coef"), (ours.se, "se"), (ours.df, "df")):
            case.agree(found, list(theirs[key].values()))


def test_the_exchangeable_logit_agrees_with_geepack():
    case = case_of("gee__exec")
    frame, expected = case.frame, case.expected
    fit = models.exchangeable_logit(frame["p1"], frame["org_id"], predictors(case, "tenure", "size_band"))
    assert list(fit.names) == list(expected["coef"])
    case.agree(fit.coefficients, list(expected["coef"].values()))
    case.agree(fit.se, expected["se"])
    case.agree(fit.correlation, expected["alpha"])


def test_the_random_intercept_agrees_with_lme4():
    case = case_of("lmer__exec")
    fit = models.random_intercept(case.frame["m1"], case.frame["org_id"])
    ours = [fit.coefficients[0], fit.var_cluster, fit.var_residual, fit.icc, fit.loglik]
    case.agree(ours, [case.expected[key] for key in ("intercept", "var_org", "var_resid", "icc", "reml_loglik")])
    assert (fit.clusters, fit.repeated, fit.boundary) == (269, 77, False)


def test_a_domain_with_missing_answers_keeps_the_design_as_r_does():
    case = case_of("regression_domain")
    frame = case.frame
    domain, chosen = case.design().domain((frame["tenure"] > 4).to_numpy()), predictors(case, "q01", "role")
    linear = models.linear(frame["budget"], chosen, domain)
    logistic = models.logistic(case.is_one("p1==1"), chosen, domain)
    for fit, theirs in ((linear, case.expected["gaussian"]), (logistic, case.expected["logit"])):
        agree(case, fit, theirs, "coef", "se", "low", "high")
        case.agree([fit.df, fit.n], [theirs[key] for key in ("df_resid", "n")])
        # R scales weights to mean 1 twice, before and after answers went missing; ours has no such factor.
        twice = fit.base.weight[fit.base.members].mean() / domain.weight[domain.members].mean()
        case.agree(fit.dispersion * twice, theirs["dispersion"])


def test_proportional_odds_of_a_domain_have_the_degrees_of_freedom_and_term_test_of_svyolr():
    case = case_of("regression_olr")
    frame, expected = case.frame, case.expected
    domain = case.design().domain((frame["tenure"] > 4).to_numpy())
    fit = models.proportional_odds(frame["m2"], predictors(case, "q01", "role"), domain)
    agree(case, fit, expected, "coef", "se")
    test = fit.test("role")
    ours = [fit.df, test.statistic, test.df, test.p]
    case.agree(ours, [expected[key] for key in ("df_resid", "F", "df", "p")])


def test_interactions_are_named_ordered_and_tested_as_in_r():
    case = case_of("regression_interaction")
    expected = case.expected
    pairs = [("g", "h2"), ("z", "g")]
    fit = models.linear(case.frame["y"], predictors(case, "z", "g", "h2"), case.design(), interactions=pairs)
    agree(case, fit, expected, "coef", "se")
    test = fit.test("z:g")
    ours = [fit.df, fit.dispersion, test.statistic, test.df, test.p]
    case.agree(ours, [expected[key] for key in ("df_resid", "dispersion", "F", "df", "p")])


def test_a_finite_population_shortens_the_errors_of_a_regression_as_in_r():
    case = case_of("regression_fpc")
    frame, expected = case.frame, case.expected
    design = Design.of(frame["wt"], psu=frame["psu"], stratum=frame["stratum"], fpc=np.full(len(frame), 40))
    fit = models.logistic(frame["b"], predictors(case, "z", "g"), design)
    agree(case, fit, expected, "coef", "se")
    case.agree([fit.df, fit.dispersion], [expected["df_resid"], expected["dispersion"]])


def test_marginal_means_and_the_two_parts_of_their_errors_agree_with_r_svypredmeans():
    case = case_of("regression_margins")
    expected = case.expected
    fit = models.logistic(case.is_one("p1==1"), predictors(case, "tenure", "size_band"), case.design())
    fixed = models.marginal_means(fit, "size_band", covariates="fixed")
    assert list(fixed.at) == list(expected["predmeans"]) == list(expected["parts"])
    case.agree(fixed.value, list(expected["predmeans"].values()))
    case.agree(fixed.se, [part["se_fixed"] for part in expected["parts"].values()])
    # R adds the variance of the mean prediction and leaves the covariance out; ours has all three.
    of_the_mean = np.array([part["se_mean"] for part in expected["parts"].values()])
    case.agree(np.hypot(fixed.se, of_the_mean), list(expected["predmeans_se"].values()))
    sampled = models.marginal_means(fit, "size_band")
    assert (np.abs(sampled.se - fixed.se) <= of_the_mean).all()  # |covariance| ≤ product of errors
