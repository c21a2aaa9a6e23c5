"""The same tests on the California school samples that R's survey package documents itself with."""

import re

import pytest

from analysis.design import Design, Lonely, Stage
from tests.reference.conftest import REFERENCE
from tests.validation._cases import Case, cases
from tests.validation._significance_cases import GROUPS


class TwoStages(Case):
    """A case whose call draws units within PSUs: id=~psu+unit, fpc=~fpc1+fpc2."""

    def design(self, lonely: Lonely = "fail") -> Design:
        psu, unit = self._both("id")
        first, second = self._both("fpc")
        weight = self.frame[self.argument("weights")]
        stage = Stage(self.frame[unit], fpc=self.frame[second])
        return Design.of(weight, psu=self.frame[psu], fpc=self.frame[first], stages=[stage], lonely=lonely)

    def _both(self, name: str) -> tuple[str, str]:
        first, second = re.search(rf"svydesign\(.*?\b{name}=~(\w+)\+(\w+)", self.call).groups()
        return first, second


ONE_STAGE = [
    (group, case)
    for group in GROUPS
    for case in cases(REFERENCE, group)
    if case.path.stem.endswith(("__strat", "__clus1"))
]
TWO_STAGES = [(group, TwoStages(path)) for group in GROUPS if (path := REFERENCE / f"{group}__clus2.json").is_file()]
ALL = ONE_STAGE + TWO_STAGES


@pytest.mark.parametrize(("group", "case"), ALL, ids=[case.path.stem for _, case in ALL])
def test_tests_under_the_design_agree_with_r_survey(group, case):
    GROUPS[group](case)
