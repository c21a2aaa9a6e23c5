"""A study reads its design from the sampled cases when the plan says so."""

from dataclasses import replace

import numpy as np
import pytest

from analysis.plan import DesignColumns
from analysis.study import ORGANISATION, RESPONDENT, Study
from kysely.errors import AnalystError
from tests.analysis import _study


@pytest.fixture
def extract(tmp_path):
    return _study.extract(tmp_path, _study.answers(organisations=30, respondents=40))


def test_the_cases_own_columns_can_be_the_design(extract):
    plan = replace(_study.plan(), design=DesignColumns(psu="psu", weight="design_weight"))
    from_cases, by_default = (Study(extract, each).designs for each in (plan, _study.plan()))
    for estimand in (RESPONDENT, ORGANISATION):
        assert np.array_equal(from_cases[estimand].weight, by_default[estimand].weight)
        assert from_cases[estimand].psus == by_default[estimand].psus


def test_a_design_column_that_is_not_there_is_refused(extract):
    plan = replace(_study.plan(), design=DesignColumns(weight="calibrated_weight"))
    with pytest.raises(AnalystError, match="names the column 'calibrated_weight', which cases.parquet does not have"):
        _ = Study(extract, plan).designs


def test_a_stratum_that_is_missing_is_no_stratum(extract):
    plan = replace(_study.plan(), design=DesignColumns(stratum="stratum"))
    with pytest.raises(AnalystError, match="respondents have no 'stratum' in cases.parquet"):
        _ = Study(extract, plan).designs


def test_per_organisation_the_weights_of_colleagues_add_up_to_one(extract):
    study = Study(extract, _study.plan())
    weights = np.bincount(study.organisation, study.designs[ORGANISATION].weight)
    assert weights == pytest.approx(np.ones(study.organisations))


def test_the_strict_population_is_companies_and_public_bodies(extract):
    study = Study(extract, _study.plan())
    kinds = [study.codebook["BG10"].categories[code].code for code in study.codes("BG10")]
    assert study.strict.tolist() == [kind not in ("NGO", "CHUR") for kind in kinds]
