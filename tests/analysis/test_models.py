"""What regressions must be whatever the data, and what they refuse."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analysis import models
from analysis.design import Design, DesignError
from analysis.estimators import difference, mean, share
from analysis.models import Factor, ModelError, Separation

N = 180


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """Return a sample of 3 strata and 45 PSUs, with answers that depend on age, role and PSU."""
    rng = np.random.default_rng(20261122)
    psu = rng.integers(0, 45, N)
    role = rng.choice(["ceo", "cfo", "cio"], N)
    age = rng.normal(50, 10, N).round(1)
    latent = 0.04 * (age - 50) + 0.8 * (role == "cio") + rng.normal(0, 0.7, 45)[psu] + rng.logistic(size=N)
    return pd.DataFrame(
        {
            "psu": psu,
            "stratum": psu % 3,
            "weight": rng.uniform(0.5, 3, N).round(2),
            "role": role,
            "sector": rng.choice(["private", "public"], N),
            "age": age,
            "number": 20 + 3 * latent + rng.normal(size=N),
            "yes": (latent > 0.2).astype(float),
            "rating": np.digitize(latent, [-1, 0.3, 1.5]).astype(float),
        }
    )


def designed(frame: pd.DataFrame, weight: np.ndarray | None = None) -> Design:
    weights = frame["weight"].to_numpy() if weight is None else weight
    return Design.of(weights, psu=frame["psu"], stratum=frame["stratum"])


KINDS = {
    "linear": (models.linear, "number"),
    "logistic": (models.logistic, "yes"),
    "ordinal": (models.proportional_odds, "rating"),
}


@pytest.fixture(params=KINDS)
def kind(request) -> str:
    return request.param


def fitted(kind: str, frame: pd.DataFrame, design: Design | None = None, **options) -> models.Regression:
    fit, outcome = KINDS[kind]
    chosen = {"age": frame["age"], "role": frame["role"], "sector": frame["sector"]}
    return fit(frame[outcome], chosen, designed(frame) if design is None else design, **options)


# ---- what must hold ----------------------------------------------------------------------------------


def test_rescaling_the_weights_changes_no_coefficient_and_no_error(kind, frame):
    one, other = fitted(kind, frame), fitted(kind, frame, designed(frame, frame["weight"].to_numpy() * 1000))
    assert other.coefficients == pytest.approx(one.coefficients, rel=1e-9)
    assert other.covariance == pytest.approx(one.covariance, rel=1e-8)
    assert [other.dispersion, other.loglik] == pytest.approx([one.dispersion, one.loglik])
    assert other.model_covariance == pytest.approx(one.model_covariance, rel=1e-8)


def test_the_order_of_respondents_changes_nothing(kind, frame):
    shuffled = frame.sample(frac=1, random_state=4).reset_index(drop=True)
    one, other = fitted(kind, frame), fitted(kind, shuffled)
    assert other.names == one.names
    assert other.coefficients == pytest.approx(one.coefficients, rel=1e-9)
    assert other.covariance == pytest.approx(one.covariance, rel=1e-7)


def test_the_unit_of_a_predictor_changes_its_coefficient_and_nothing_else(kind, frame):
    one, other = fitted(kind, frame), fitted(kind, frame.assign(age=frame["age"] * 1e6))
    place = one.names.index("age")
    assert other.coefficients[place] * 1e6 == pytest.approx(one.coefficients[place], rel=1e-7)
    assert other.t == pytest.approx(one.t, rel=1e-6)


def test_the_influence_of_a_respondent_is_what_a_change_of_their_weight_does(kind, frame):
    # The definition: w ∂θ/∂w, by refitting with the weight of one respondent a little up and a little down.
    def numbers(weight):
        fit = fitted(kind, frame, designed(frame, weight), interactions=[("age", "sector")])
        margins = models.marginal_means(fit, "role")
        effects = models.average_effects(fit, "age")
        return np.concatenate([fit.coefficients, margins.value, effects.value])

    fit = fitted(kind, frame, interactions=[("age", "sector")])
    margins, effects = models.marginal_means(fit, "role"), models.average_effects(fit, "age")
    ours = np.column_stack([fit.influence, margins.influence, effects.influence])
    weight, step = frame["weight"].to_numpy(), 1e-4
    for respondent in (0, 17, 99):
        up, down = weight.copy(), weight.copy()
        up[respondent] *= 1 + step
        down[respondent] *= 1 - step
        change = (numbers(up) - numbers(down)) / (2 * step)
        assert ours[respondent] == pytest.approx(change, rel=1e-4, abs=1e-8)


def test_the_reference_level_changes_neither_the_test_of_a_factor_nor_its_margins(kind, frame):
    one = fitted(kind, frame)
    fit, outcome = KINDS[kind]
    chosen = {"age": frame["age"], "role": Factor.of(frame["role"], reference="cio"), "sector": frame["sector"]}
    other = fit(frame[outcome], chosen, designed(frame))
    assert "rolecio" in one.names
    assert "rolecio" not in other.names
    assert other.test("role").statistic == pytest.approx(one.test("role").statistic)
    a, b = models.marginal_means(one, "role"), models.marginal_means(other, "role", at=["ceo", "cfo", "cio"])
    assert b.value == pytest.approx(a.value)
    assert b.se == pytest.approx(a.se)


def test_who_lacks_an_answer_is_out_as_a_domain_and_their_psu_stays(kind, frame):
    gap = np.arange(N) % 7 == 0
    holes = frame.assign(
        age=frame["age"].where(~gap), role=frame["role"].where(np.arange(N) % 11 > 0), number=frame["number"]
    )
    complete = (~gap & (np.arange(N) % 11 > 0)).astype(bool)
    one, other = fitted(kind, holes), fitted(kind, frame, designed(frame).domain(complete))
    assert one.n == other.n == complete.sum()
    assert one.coefficients == pytest.approx(other.coefficients)
    assert one.covariance == pytest.approx(other.covariance)
    assert (one.influence[~complete] == 0).all()
    assert one.df == other.df


def test_an_intercept_alone_is_the_share_with_its_error_and_logit_interval(frame):
    fit, yes = models.logistic(frame["yes"], {}, designed(frame)), share(frame["yes"], designed(frame))
    odds = fit.coefficient("(Intercept)")
    assert 1 / (1 + np.exp(-odds.value)) == pytest.approx(yes.value)
    assert odds.se * yes.value * (1 - yes.value) == pytest.approx(yes.se)
    assert [1 / (1 + np.exp(-odds.low)), 1 / (1 + np.exp(-odds.high))] == pytest.approx([yes.low, yes.high])
    assert odds.df == yes.df


def test_thresholds_alone_are_the_log_odds_of_the_cumulated_shares(frame):
    fit = models.proportional_odds(frame["rating"], {}, designed(frame))
    assert fit.names == ("0|1", "1|2", "2|3")
    for j, (value, se) in enumerate(zip(fit.coefficients, fit.se, strict=True)):
        below = share(frame["rating"] <= j, designed(frame))
        assert 1 / (1 + np.exp(-value)) == pytest.approx(below.value)
        assert se * below.value * (1 - below.value) == pytest.approx(below.se)


def test_a_linear_model_of_one_factor_is_the_means_of_its_domains(frame):
    design = designed(frame)
    fit = models.linear(frame["number"], {"role": frame["role"]}, design)
    means = [mean(frame["number"].where(frame["role"] == level), design) for level in ("ceo", "cfo", "cio")]
    assert fit.coefficients[0] == pytest.approx(means[0].value)
    for name, other in (("rolecfo", means[1]), ("rolecio", means[2])):
        gap = difference(other, means[0])
        assert [fit.coefficient(name).value, fit.coefficient(name).se] == pytest.approx([gap.value, gap.se])
    margins = models.marginal_means(fit, "role")
    assert margins.at == ("ceo", "cfo", "cio")
    assert margins.value == pytest.approx([one.value for one in means])
    assert margins.se == pytest.approx([one.se for one in means])
    gap = margins.difference("cio", "cfo")
    assert [gap.value, gap.se] == pytest.approx(
        [difference(means[2], means[1]).value, difference(means[2], means[1]).se]
    )


def test_the_margins_of_a_saturated_logit_are_the_shares_of_its_domains(frame):
    design = designed(frame)
    fit = models.logistic(frame["yes"], {"role": frame["role"]}, design)
    shares = [share(frame["yes"].where(frame["role"] == level), design) for level in ("ceo", "cfo", "cio")]
    for covariates in ("sampled", "fixed"):  # there are no covariates, so the two are one
        margins = models.marginal_means(fit, "role", covariates=covariates)
        assert margins.value == pytest.approx([one.value for one in shares])
        assert margins.se == pytest.approx([one.se for one in shares])
    low, high = margins.interval()
    assert ((low > 0) & (low < margins.value) & (margins.value < high) & (high < 1)).all()


def test_margins_average_the_predictions_of_everybody_in_the_base(frame):
    # By hand: give everybody the level, predict, average by weight.
    fit = fitted("logistic", frame)
    b = dict(zip(fit.names, fit.coefficients, strict=True))
    public = (frame["sector"] == "public") * b["sectorpublic"]
    eta = b["(Intercept)"] + b["rolecio"] + b["age"] * frame["age"] + public
    by_hand = np.average(1 / (1 + np.exp(-eta)), weights=frame["weight"])
    margins = models.marginal_means(fit, "role")
    assert margins.value[margins.at.index("cio")] == pytest.approx(by_hand)
    at_50 = models.marginal_means(fit, "age", at=[50])
    eta += b["age"] * (50 - frame["age"]) + b["rolecfo"] * (frame["role"] == "cfo")
    eta -= b["rolecio"] * (frame["role"] != "cio")
    assert at_50.value == pytest.approx([np.average(1 / (1 + np.exp(-eta)), weights=frame["weight"])])


def test_shares_of_the_categories_of_an_ordinal_model_add_up_and_give_the_mean(frame):
    fit = fitted("ordinal", frame)
    shares = np.array([models.marginal_means(fit, "role", scores=one).value for one in np.eye(4)])
    assert shares.sum(axis=0) == pytest.approx(np.ones(3))
    assert models.marginal_means(fit, "role").value == pytest.approx(np.arange(4) @ shares)
    highest = models.marginal_means(fit, "role", scores=[0, 0, 0, 1])
    assert highest.scale == "share"
    assert models.marginal_means(fit, "role", scores=[0, 100 / 3, 200 / 3, 100]).scale == "number"


def test_reading_a_scale_backwards_turns_the_slopes_of_an_ordinal_model(frame):
    one, other = fitted("ordinal", frame), fitted("ordinal", frame.assign(rating=3 - frame["rating"]))
    assert other.coefficients[:4] == pytest.approx(-one.coefficients[:4], rel=1e-7)
    assert other.thresholds == pytest.approx(-one.thresholds[::-1], rel=1e-7)
    assert other.se[:4] == pytest.approx(one.se[:4], rel=1e-7)


def test_average_effects_of_an_unweighted_logit_agree_with_statsmodels(frame):
    from statsmodels.discrete.discrete_model import Logit

    alone = Design.of(np.ones(N))
    fit = models.logistic(frame["yes"], {"age": frame["age"], "sector": frame["sector"]}, alone)
    x = np.column_stack([np.ones(N), frame["age"], frame["sector"] == "public"]).astype(float)
    theirs = Logit(frame["yes"].to_numpy(), x).fit(disp=False, cov_type="HC0").get_margeff(dummy=True)
    for place, name in enumerate(("age", "sector")):
        ours = models.average_effects(fit, name, covariates="fixed")
        assert ours.value == pytest.approx([theirs.margeff[place]], rel=1e-6)
        assert ours.se * np.sqrt((N - 1) / N) == pytest.approx([theirs.margeff_se[place]], rel=1e-5)


def test_the_average_effect_in_a_linear_model_is_the_coefficient(frame):
    fit = fitted("linear", frame)
    slope, gaps = models.average_effects(fit, "age"), models.average_effects(fit, "role")
    assert (slope.at, gaps.at) == (("slope",), ("cfo", "cio"))
    for found, name in ((slope, "age"), (gaps, "rolecfo")):
        coefficient = fit.coefficient(name)
        assert [found.value[0], found.se[0]] == pytest.approx([coefficient.value, coefficient.se])


def test_cr2_of_respondents_alone_is_hc2(frame):
    from statsmodels.regression.linear_model import OLS

    fit = models.linear(frame["number"], {"age": frame["age"]}, Design.of(np.ones(N)))
    theirs = OLS(frame["number"].to_numpy(), np.column_stack([np.ones(N), frame["age"]])).fit(cov_type="HC2")
    assert models.cluster_robust(fit).se == pytest.approx(theirs.bse)


def test_cr2_takes_the_same_root_in_large_clusters_as_in_small(frame):
    # A cluster of many respondents who differ in nothing but weight and a small one go different ways inside.
    design, region = Design.of(frame["weight"]), (frame["psu"] % 4).to_numpy()
    fit = models.linear(frame["number"], {"age": frame["age"]}, design)
    few = models.cluster_robust(fit, region)
    x = np.column_stack([np.ones(N), frame["age"]])
    w = (frame["weight"] / frame["weight"].mean()).to_numpy()
    bread = np.linalg.inv(x.T @ (w[:, None] * x))
    hat = np.eye(N) - x @ bread @ (w[:, None] * x).T  # by hand, with the whole matrix
    residual, covariance = hat @ frame["number"].to_numpy(), np.zeros((2, 2))
    for one in range(4):
        rows = region == one
        values, vectors = np.linalg.eigh(hat[rows] @ hat[rows].T)
        root = vectors @ np.diag(values**-0.5) @ vectors.T
        score = bread @ (w[rows, None] * x[rows]).T @ root @ residual[rows]
        covariance += np.outer(score, score)
    assert few.covariance == pytest.approx(covariance)
    assert (few.df < 4).all()


def test_random_intercepts_inside_the_boundary_agree_with_statsmodels_mixedlm(frame):
    from statsmodels.regression.mixed_linear_model import MixedLM

    fit = models.random_intercept(frame["number"], frame["psu"], {"age": frame["age"]})
    x = np.column_stack([np.ones(N), frame["age"]])
    theirs = MixedLM(frame["number"].to_numpy(), x, groups=frame["psu"].to_numpy()).fit(reml=True)
    assert not fit.boundary
    assert fit.coefficients == pytest.approx(theirs.fe_params, rel=1e-5)
    ours = [fit.var_cluster, fit.var_residual]
    assert ours == pytest.approx([theirs.cov_re[0, 0], theirs.scale], rel=1e-3)
    assert fit.loglik == pytest.approx(theirs.llf, rel=1e-6)
    assert fit.loglik >= theirs.llf  # which stops a little before the top


def test_an_icc_is_free_of_the_unit_and_the_zero_of_the_answers(frame):
    one = models.random_intercept(frame["number"], frame["psu"], {"age": frame["age"]})
    other = models.random_intercept(1e6 + frame["number"] / 100, frame["psu"], {"born": 2026 - frame["age"]})
    assert other.icc == pytest.approx(one.icc, rel=1e-5)
    assert other.se[1] * 100 == pytest.approx(one.se[1], rel=1e-5)
    assert -other.coefficients[1] * 100 == pytest.approx(one.coefficients[1], rel=1e-5)


def test_clusters_less_alike_within_than_by_chance_have_an_icc_of_0_on_the_boundary():
    cluster = np.repeat(np.arange(30), 3)
    fit = models.random_intercept(np.tile([1.0, 2.0, 3.0], 30), cluster)
    assert (fit.icc, fit.var_cluster, fit.boundary) == (0, 0, True)
    assert fit.var_residual == pytest.approx(60 / 89)  # Σ (y - 2)² = 60 with 89 degrees of freedom


def test_coefficients_that_are_tested_alone_have_the_t_test_as_their_wald_test(kind, frame):
    fit = fitted(kind, frame)
    place, test = fit.names.index("age"), fit.test("age")
    assert [test.statistic, test.p] == pytest.approx([fit.t[place] ** 2, fit.p[place]])
    assert (test.df, test.ddf) == (1, fit.df)


def test_a_contrast_of_two_coefficients_knows_their_covariance(frame):
    fit = fitted("linear", frame)
    ours = fit.contrast({"rolecio": 1, "rolecfo": -1})
    other = models.linear(
        frame["number"],
        {"age": frame["age"], "role": Factor.of(frame["role"], reference="cfo"), "sector": frame["sector"]},
        designed(frame),
    ).coefficient("rolecio")
    assert [ours.value, ours.se, ours.p] == pytest.approx([other.value, other.se, other.p])


def test_numbers_text_and_truth_values_enter_as_they_are(frame):
    kept = frame.assign(old=frame["age"] > 50, code=pd.array(frame["psu"] % 3, dtype="Int64"))
    by_truth = models.linear(kept["number"], {"old": kept["old"], "code": kept["code"]}, designed(kept))
    assert by_truth.names == ("(Intercept)", "old", "code")
    grades = {"role": pd.Categorical(frame["role"], ["cio", "ceo", "cfo"])}
    assert models.linear(kept["number"], grades, designed(kept)).names == ("(Intercept)", "roleceo", "rolecfo")
    by_class = models.linear(kept["number"], {"code": Factor.of(kept["code"], levels=[2, 1, 0])}, designed(kept))
    assert by_class.names == ("(Intercept)", "code1", "code0")


def test_a_level_nobody_in_the_base_has_is_no_column(frame):
    few = designed(frame).domain((frame["role"] != "ceo").to_numpy())
    fit = models.linear(frame["number"], {"role": frame["role"]}, few)
    assert fit.names == ("(Intercept)", "rolecio")
    with pytest.raises(ModelError, match="nobody in the base has the reference 'ceo' of role"):
        models.linear(frame["number"], {"role": Factor.of(frame["role"], reference="ceo")}, few)


def test_a_level_inside_one_psu_is_flagged(frame):
    only = frame.assign(role=np.where(frame["psu"] == frame["psu"].iloc[0], "coo", frame["role"]))
    assert fitted("linear", only).single_psu == ("role=coo",)
    assert fitted("linear", frame).single_psu == ()


# ---- what is refused ---------------------------------------------------------------------------------


def changed(frame: pd.DataFrame, **columns) -> dict:
    return {"age": frame["age"], "role": frame["role"]} | columns


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"year": np.full(N, 2026.0)}, "year is 2026 for everybody in the base; leave it out"),
        ({"country": np.full(N, "FI")}, r"country has a single level in the base, \('FI',\)"),
        ({"age": np.full(N, np.nan)}, "nobody of the base has an answer.*age is missing for 180"),
        ({"age": np.r_[np.inf, np.ones(N - 1)]}, "age is infinite for 1 respondents"),
        ({"age": np.ones(N - 1)}, r"age has shape \(179,\), the design has 180 respondents"),
        ({"role": np.array(["a", 1] * (N // 2), dtype=object)}, "labels mix text and numbers"),
    ],
)
def test_a_predictor_that_can_t_be_one_is_named(kind, frame, columns, message):
    fit, outcome = KINDS[kind]
    with pytest.raises(ModelError, match=message):
        fit(frame[outcome], changed(frame, **columns), designed(frame))


def test_collinear_columns_are_named_with_what_they_follow_from(kind, frame):
    fit, outcome = KINDS[kind]
    columns = changed(frame, months=frame["age"] * 12 + 3, chief=(frame["role"] == "ceo").astype(float))
    with pytest.raises(ModelError) as refusal:
        fit(frame[outcome], columns, designed(frame))
    assert "months follows from (Intercept), age" in str(refusal.value)
    assert "chief follows from (Intercept), rolecfo, rolecio" in str(refusal.value)


def test_an_interaction_with_an_empty_cell_is_named(frame):
    columns = {"role": frame["role"], "sector": np.where(frame["role"] == "cio", "public", frame["sector"])}
    with pytest.raises(ModelError, match="rolecio:sectorpublic follows from rolecio"):
        models.linear(frame["number"], columns, designed(frame), interactions=[("role", "sector")])
    with pytest.raises(ModelError, match="not a pair of two of the predictors"):
        models.linear(frame["number"], columns, designed(frame), interactions=[("role", "age")])


def test_an_outcome_without_difference_or_base_is_refused(kind, frame):
    fit, _ = KINDS[kind]
    with pytest.raises(ModelError, match="the outcome is 1 for all 180 respondents"):
        fit(np.ones(N), changed(frame), designed(frame))
    with pytest.raises(ModelError, match="the outcome is missing for 180"):
        fit(np.full(N, np.nan), changed(frame), designed(frame))
    with pytest.raises(ModelError, match="nobody of the base"):
        fit(frame["yes"], changed(frame), designed(frame).domain(np.zeros(N, bool)))
    with pytest.raises(ModelError, match=r"the outcome has shape \(3,\)"):
        fit(np.array([0.0, 1, 2]), changed(frame), designed(frame))
    with pytest.raises(ModelError, match="the outcome is not made of numbers"):
        fit(frame["role"], changed(frame), designed(frame))
    with pytest.raises(ModelError, match="the outcome is infinite"):
        fit(np.r_[np.inf, np.ones(N - 1)], changed(frame), designed(frame))


def test_a_logit_needs_zeros_and_ones(frame):
    with pytest.raises(ModelError, match="answers that are 0, 1 or missing"):
        models.logistic(frame["rating"], changed(frame), designed(frame))
    with pytest.raises(ModelError, match="answers that are 0, 1 or missing"):
        models.exchangeable_logit(frame["rating"], frame["psu"], changed(frame))


def test_answers_split_by_a_number_are_refused_by_its_name(frame):
    with pytest.raises(Separation, match="age split the answers without exception"):
        models.logistic((frame["age"] > 50).astype(float), changed(frame), designed(frame))
    with pytest.raises(Separation, match="age split the answers"):
        models.proportional_odds(np.digitize(frame["age"], [40, 50]).astype(float), changed(frame), designed(frame))
    with pytest.raises(Separation, match="age split the answers"):
        models.exchangeable_logit((frame["age"] > 50).astype(float), frame["psu"], changed(frame))


def test_a_level_in_which_everybody_says_yes_is_refused_by_its_name(frame):
    always = frame["yes"].where(frame["role"] != "cio", 1.0)
    with pytest.raises(Separation, match="rolecio split the answers"):
        models.logistic(always, changed(frame), designed(frame))
    highest = frame["rating"].where(frame["role"] != "cio", 3.0)
    with pytest.raises(Separation, match="rolecio split the answers"):
        models.proportional_odds(highest, changed(frame), designed(frame))


def test_steep_but_overlapping_answers_are_no_separation():
    x = np.r_[np.linspace(-40, -1, 60), np.linspace(1, 40, 60), 0.5, -0.5]
    y = np.r_[np.zeros(60), np.ones(60), 0, 1]
    fit = models.logistic(y, {"x": x}, Design.of(np.ones(122)))
    assert fit.coefficient("x").value > 1
    assert np.abs(fit.influence.sum(axis=0)).max() < 1e-9


def test_predictors_that_give_the_outcome_leave_no_error_to_estimate(frame):
    with pytest.raises(ModelError, match="give the outcome exactly"):
        models.linear(3 + 2 * frame["age"], changed(frame), designed(frame))


def test_more_coefficients_than_psus_are_refused(kind, frame):
    fit, outcome = KINDS[kind]
    design = Design.of(frame["weight"], psu=frame["psu"] % 3)
    with pytest.raises(ModelError, match=r"the base has 2 degrees of freedom \(PSUs - strata\)"):
        fit(frame[outcome], changed(frame), design)


def test_a_stratum_with_a_single_psu_is_refused_for_models_too(kind, frame):
    fit, outcome = KINDS[kind]
    design = Design.of(frame["weight"], psu=frame["psu"], stratum=np.where(frame["psu"] == 7, 1, 0))
    with pytest.raises(DesignError, match="have a single PSU"):
        _ = fit(frame[outcome], changed(frame), design).se


def test_ordered_categories_must_be_three_in_order_and_given_by_somebody(frame):
    def ordinal(y, categories=None):
        return models.proportional_odds(y, changed(frame), designed(frame), categories=categories)

    with pytest.raises(ModelError, match="three categories or more; with two, use logistic"):
        ordinal(frame["yes"])
    with pytest.raises(ModelError, match="nobody in the base gave category 4"):
        ordinal(frame["rating"], [0, 1, 2, 3, 4])
    with pytest.raises(ModelError, match="the outcome has 3, which is not among the categories"):
        ordinal(frame["rating"], [0, 1, 2])
    with pytest.raises(ModelError, match="not in rising order"):
        ordinal(frame["rating"], [3, 2, 1, 0])


def test_labels_outside_a_classification_are_refused(frame):
    with pytest.raises(ModelError, match="'cio' is not among the levels"):
        Factor.of(frame["role"], levels=["ceo", "cfo"])
    with pytest.raises(ModelError, match="the reference 'cto' is not among the levels"):
        Factor.of(frame["role"], reference="cto")
    with pytest.raises(ModelError, match="name one twice"):
        Factor.of(frame["role"], levels=["ceo", "cfo", "cio", "ceo"])
    with pytest.raises(ModelError, match="one label a respondent"):
        Factor.of(np.array([["ceo"], ["cfo"]]))


def test_names_the_model_lacks_are_refused(frame):
    fit, ordinal = fitted("linear", frame), fitted("ordinal", frame)
    with pytest.raises(ModelError, match="'rolecto' is not a coefficient of this model"):
        fit.coefficient("rolecto")
    with pytest.raises(ModelError, match="are not terms of this model"):
        fit.test("rolecfo")
    with pytest.raises(ModelError, match="are not terms of this model"):
        fit.test("")
    with pytest.raises(ModelError, match="the contrast {'age': 0} has no variance"):
        fit.contrast({"age": 0})
    with pytest.raises(ModelError, match="'tenure' is not a predictor"):
        models.marginal_means(fit, "tenure")
    with pytest.raises(ModelError, match="say at which values to predict"):
        models.marginal_means(fit, "age")
    with pytest.raises(ModelError, match="'cto' is not a level of role"):
        models.marginal_means(fit, "role", at=["cto"])
    with pytest.raises(ModelError, match="names no value"):
        models.marginal_means(fit, "role", at=[])
    with pytest.raises(ModelError, match="scores are for ordinal models"):
        models.marginal_means(fit, "role", scores=[0, 1])
    with pytest.raises(ModelError, match="one number for each of the categories"):
        models.marginal_means(ordinal, "role", scores=[0, 1])
    with pytest.raises(ModelError, match="'cto' is not among the margins of role"):
        models.marginal_means(fit, "role").difference("cto", "ceo")
    with pytest.raises(ModelError, match='"sampled" or "fixed"'):
        models.marginal_means(fit, "role", covariates="both")


def test_a_term_the_design_can_t_test_is_refused(frame):
    fit = fitted("linear", frame)
    doubled = replace(fit, influence=fit.influence[:, [0, 1, 2, 2, 4]])  # two coefficients that move as one
    with pytest.raises(ModelError, match="2 coefficients of role can't be tested together"):
        doubled.test("role")


def test_cluster_corrections_refuse_what_they_do_not_know(frame):
    fit = fitted("linear", frame)
    with pytest.raises(ModelError, match="the design has strata or sampling fractions"):
        models.cluster_robust(fit)
    with pytest.raises(ModelError, match="an ordinal one has design errors"):
        models.cluster_robust(fitted("ordinal", frame), frame["psu"])
    with pytest.raises(ModelError, match="share one cluster"):
        models.cluster_robust(fit, np.zeros(N))
    with pytest.raises(ModelError, match="cluster has shape"):
        models.cluster_robust(fit, np.zeros(3))
    with pytest.raises(ModelError, match="cluster is missing"):
        models.cluster_robust(fit, np.r_[np.nan, np.ones(N - 1)])
    with pytest.raises(ModelError, match="HC3 takes every respondent alone"):
        models.cluster_robust(fit, frame["psu"], correction="HC3")


def test_models_of_clusters_need_clusters_with_two_respondents_who_differ(frame):
    with pytest.raises(ModelError, match="no cluster has two respondents"):
        models.random_intercept(frame["number"], np.arange(N))
    with pytest.raises(ModelError, match="no cluster has two respondents"):
        models.exchangeable_logit(frame["yes"], np.arange(N), changed(frame))
    with pytest.raises(ModelError, match="no variance within clusters"):
        models.random_intercept(frame["psu"].astype(float), frame["psu"])
    with pytest.raises(ModelError, match="cluster is missing for 1 respondents"):
        models.random_intercept(frame["number"], frame["psu"].astype(float).where(frame.index > 0))
    with pytest.raises(ModelError, match="cluster has shape"):
        models.random_intercept(frame["number"], np.zeros(3))
    with pytest.raises(ModelError, match="2 clusters can't carry 2 coefficients"):
        models.random_intercept(frame["number"], frame["psu"] % 2, {"age": frame["age"]})


def test_a_base_of_two_who_differ_in_everything_is_refused_before_anything_is_divided(kind, frame):
    fit, outcome = KINDS[kind]
    two = designed(frame).domain(np.isin(np.arange(N), [0, 1]))
    with pytest.raises(ModelError):
        fit(frame[outcome], changed(frame), two)


def test_importing_the_models_loads_numpy_and_nothing_heavier():
    script = "import sys, analysis.models; print([m for m in ('pandas', 'scipy', 'statsmodels') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
