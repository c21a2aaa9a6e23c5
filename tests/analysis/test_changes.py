"""A change from the present is told with the interval of a paired comparison."""

import numpy as np
import pytest

from analysis.contrasts import CHANGES
from tests.analysis import _full_study, _study


@pytest.fixture(scope="module")
def estimates():
    return _full_study.estimates()[0]


def test_a_change_is_the_difference_of_the_two_figures_of_the_table(estimates):
    figures = estimates.select(table="OM_TAB07", statistic=("central", "mean100"), estimand="respondent")
    shown = {(row.variable, row.code, row.statistic): row.estimate for row in figures.itertuples()}
    changes = estimates.select(table=CHANGES)
    assert len(changes) == 16  # two perspectives, four ways of operating, two statistics
    for row in changes.itertuples():
        before, after = (shown[(score, row.code, row.statistic)] for score in ("OM_B", row.variable))
        assert row.estimate == pytest.approx(after - before, abs=1e-12)


def test_where_everybody_answers_both_its_variance_is_that_of_the_mean_change(tmp_path):
    """Worked by hand: d = after - before; organisation totals of d - mean(d), H / (H - 1) · Σ total² / n²."""
    full = _full_study.answers()
    both = ("OM_B02_DEV", "OM_B04_DEV")
    kept = [row for row in range(len(full)) if all(isinstance(full.columns[name][row], int) for name in both)]
    study = full.take(kept)

    extracted = _study.extracts.read(_study.write(study, tmp_path, _full_study.asked()))
    change = _study.estimates(extracted).select(table=CHANGES, variable="OM_B_DES", code="DEV", statistic="central")

    before, after = (np.array([value == 3 for value in study.columns[name]], float) for name in both)
    d = after - before
    organisations = np.unique(study.organisation, return_inverse=True)[1]
    totals = np.bincount(organisations, d - d.mean())
    h = len(totals)
    assert change["estimate"].item() == pytest.approx(d.mean(), abs=1e-12)
    assert change["se"].item() == pytest.approx(np.sqrt(h / (h - 1) * (totals**2).sum()) / len(d), rel=1e-9)


def test_the_short_form_has_nothing_to_change_to(tmp_path):
    assert _study.estimates(_study.extract(tmp_path)).select(table=CHANGES).empty
