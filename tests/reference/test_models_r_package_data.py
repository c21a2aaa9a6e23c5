"""Regressions on the California school samples agree with R's svyglm: stratified, one-stage and two-stage samples."""

import pytest

from tests.reference.conftest import REFERENCE
from tests.validation._cases import Case
from tests.validation._models import generalised_linear


@pytest.mark.parametrize("sample", ["strat", "clus1", "clus2"])
def test_linear_and_logistic_regressions_agree_with_r_svyglm(sample):
    generalised_linear(Case(REFERENCE / f"glm__{sample}.json"))
