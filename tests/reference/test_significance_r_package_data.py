"""The same tests on the California school samples that R's survey package documents itself with."""

import pytest

from tests.reference.conftest import REFERENCE
from tests.validation._cases import cases
from tests.validation._significance_cases import GROUPS

SAMPLES = ("__strat", "__clus1", "__clus2")
"""Stratified, clustered, and drawn in two stages."""

ALL = [(group, case) for group in GROUPS for case in cases(REFERENCE, group) if case.path.stem.endswith(SAMPLES)]


@pytest.mark.parametrize(("group", "case"), ALL, ids=[case.path.stem for _, case in ALL])
def test_tests_under_the_design_agree_with_r_survey(group, case):
    GROUPS[group](case)
