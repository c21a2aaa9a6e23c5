"""The jackknife on the California school samples that R's survey package documents itself with."""

import pytest

from tests.reference.conftest import REFERENCE
from tests.validation._cases import Case
from tests.validation._weighting import jackknifed


@pytest.mark.parametrize("name", ["jkn__strat", "jkn__clus1"])
def test_the_jackknife_with_finite_populations_agrees_with_r_survey(name):
    jackknifed(Case(REFERENCE / f"{name}.json"))
