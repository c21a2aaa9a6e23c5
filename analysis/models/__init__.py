"""Regressions under the design, their marginal means, and the unweighted companions readers compare them with.

Outcomes and predictors are plain arrays over all respondents of a `Design`; statsmodels is imported by the
functions that need it.
"""

from analysis.models.glm import Separation, linear, logistic
from analysis.models.margins import Margins, average_effects, marginal_means
from analysis.models.mixed import Exchangeable, RandomIntercept, exchangeable_logit, random_intercept
from analysis.models.ordinal import proportional_odds
from analysis.models.predictors import Factor, ModelError
from analysis.models.regression import Contrast, Regression, WaldTest
from analysis.models.small_clusters import ClusterRobust, cluster_robust

__all__ = [
    "ClusterRobust",
    "Contrast",
    "Exchangeable",
    "Factor",
    "Margins",
    "ModelError",
    "RandomIntercept",
    "Regression",
    "Separation",
    "WaldTest",
    "average_effects",
    "cluster_robust",
    "exchangeable_logit",
    "linear",
    "logistic",
    "marginal_means",
    "proportional_odds",
    "random_intercept",
]
