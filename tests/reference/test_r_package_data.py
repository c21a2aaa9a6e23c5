"""The same estimators on the California school samples that R's survey package documents itself with."""

import pytest

from tests.reference.conftest import REFERENCE
from tests.validation._cases import GROUPS, cases

ALL = [
    (group, case)
    for group in GROUPS
    for case in cases(REFERENCE, group)
    if case.path.stem.endswith(("__strat", "__clus1", "__clus2"))
]


@pytest.mark.parametrize(("group", "case"), ALL, ids=[case.path.stem for _, case in ALL])
def test_estimates_agree_with_r_survey(group, case):
    GROUPS[group](case)
