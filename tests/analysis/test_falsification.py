"""A test that says "reproduced" where nothing is to be found is no test."""

from __future__ import annotations

import os

import numpy as np
import pandas as pd
import pytest

from analysis import falsification
from analysis.claims import Claims
from kysely import falsification as simulated
from kysely import loading
from kysely.errors import AnalystError
from tests.analysis._claims import FOLDER, MODES, claims, codebook, people, plan

REPLICATES = 200 if os.environ.get("KYSELY_LONG") else 10
CLAIMS_OF_CHANCE = ("PC20", "PC21", "PC22", "PC23")


def frame(replicates: int, levels: dict, world: str = "") -> pd.DataFrame:
    rows = [{"replicate": r, **row} for r in range(1, replicates + 1) for row in people(40, levels)]
    return pd.DataFrame(rows if not world else [{"world": world, **row} for row in rows])


def run(data: pd.DataFrame, tested: Claims | None = None) -> falsification.Falsification:
    return falsification.run(data, tested or claims(), plan(), codebook())


def rates(data: pd.DataFrame) -> dict[str, falsification.Rate]:
    return {rate.id: rate for rate in run(data).rates}


def test_a_claim_that_comes_true_without_cause_is_caught():
    # Data "without differences" in which everyone calls customer service central: PC20 is reproduced in all.
    found = rates(frame(10, {"CUST": 3}))
    assert (found["PC20"].reproduced, found["PC20"].share, found["PC20"].upper) == (10, 1, 1)
    assert not found["PC20"].kept
    assert (found["PC22"].reproduced, found["PC22"].kept) == (0, True)


def test_a_rate_of_exactly_the_error_rate_is_kept_and_one_more_is_not():
    assert falsification.Rate("A", "", 200, 10, 0.09, 0.05).kept
    assert not falsification.Rate("A", "", 200, 11, 0.1, 0.05).kept


def test_the_upper_limit_is_that_of_clopper_and_pearson():
    # R 4.2: binom.test(0, 200)$conf.int[2] = 0.01827534, binom.test(5, 200)$conf.int[2] = 0.05737435
    assert falsification._upper(0, 200) == pytest.approx(0.01827534, abs=1e-8)
    assert falsification._upper(5, 200) == pytest.approx(0.05737435, abs=1e-8)


def test_each_claim_is_tried_in_the_world_in_which_it_is_untrue():
    # Everyone combines modes that are alike: in that world only claims about differences can be tried.
    alike = frame(5, dict.fromkeys(MODES, 3), "no_mode_differs")
    single = frame(5, {"PROD": 1}, "no_combinations")
    found = rates(pd.concat([alike, single]))
    assert {id: rate.world for id, rate in found.items()} == {
        "PC20": "no_mode_differs",
        "PC21": "no_mode_differs",
        "PC22": "no_combinations",
        "PC23": "no_combinations",
    }
    assert all(rate.reproduced == 0 for rate in found.values())


def test_facts_of_the_sample_and_the_form_are_exempt_and_untestable_ones_are_not_named():
    exempt = run(frame(2, {"CUST": 3})).exempt
    assert "PC01" in exempt and "PC13" in exempt
    assert not {"PC08", "PC24", *CLAIMS_OF_CHANCE} & set(exempt)


def test_data_without_replicates_or_without_a_world_are_refused():
    with pytest.raises(AnalystError, match="replicate"):
        run(frame(1, {"CUST": 3}).drop(columns="replicate"))
    with pytest.raises(AnalystError, match="no_combinations"):
        run(frame(1, {"CUST": 3}, "no_mode_differs"))


def test_the_result_is_kept_until_the_data_or_the_claims_change(tmp_path):
    file, claims_file = tmp_path / "falsification.parquet", tmp_path / "claims.yaml"
    claims_file.write_bytes((FOLDER / "claims.yaml").read_bytes())
    frame(3, {"CUST": 3}).to_parquet(file)

    def result() -> falsification.Falsification:
        return falsification.cached(file, claims_file, claims(), plan(), codebook())

    first = result()
    kept = tmp_path / "falsification.json"
    assert falsification.read(kept) == first
    kept.write_text(kept.read_text().replace('"reproduced": 3', '"reproduced": 2'))
    assert {rate.reproduced for rate in result().rates if rate.id == "PC20"} == {2}  # read, not run
    claims_file.write_text(claims_file.read_text() + "\n# another thought\n")
    assert result() == first
    frame(4, {"CUST": 3}).to_parquet(file)
    assert next(rate for rate in result().rates if rate.id == "PC20").replicates == 4


def test_no_claim_is_reproduced_more_often_than_its_error_rate_where_it_is_untrue(tmp_path):
    file = tmp_path / "falsification.parquet"
    simulated.write(loading.load(FOLDER, "core2015"), 2015, REPLICATES, file)
    found = rates(pd.read_parquet(file))
    assert set(found) == set(CLAIMS_OF_CHANCE)
    for rate in found.values():
        assert rate.replicates == REPLICATES
        # Of 10 data sets a single one is 10 %; two would be beyond chance at 5 %.
        assert rate.kept if REPLICATES > 20 else rate.reproduced <= 1, rate


def test_a_missing_level_does_not_stop_the_run():
    data = frame(2, {"CUST": 3, "DEV": None})
    data.loc[0, "OM_B02_CUST"] = np.nan
    assert all(rate.replicates == 2 for rate in run(data).rates)
