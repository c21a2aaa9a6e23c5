"""The whole way: robots answer the study, and what R makes of the extract is what is stored and what is reported."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from analysis import extract
from tests.analysis import _study
from tests.reference.conftest import RSCRIPT
from tests.validation import _simulated, export

SCRIPT = Path(_simulated.__file__).parent / "study.R"


@pytest.fixture(scope="module")
def answers(tmp_path_factory) -> extract.Extract:
    """The extract of the simulated study, made by the commands a user runs."""
    folder = tmp_path_factory.mktemp("study")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KYSELY_")}
    environment |= {"KYSELY_INSTANCE": str(folder / "instance"), "KYSELY_BUILD": str(folder / "build")}
    for command in ("simulate", "extract"):
        done = subprocess.run(
            [sys.executable, "-m", "kysely", command, "operating_mode"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=1200,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    return extract.read(folder / "build" / "operating_mode" / "extract")


def test_the_report_s_numbers_of_the_extract_are_the_stored_results_of_r(answers):
    assert _simulated.compare(_study.estimates(answers), _simulated.results()) > 200


if RSCRIPT:

    def test_r_computes_the_stored_results_again(answers, tmp_path):
        export.write(answers, tmp_path / "study.csv")
        done = subprocess.run(
            [RSCRIPT, str(SCRIPT), str(tmp_path / "study.csv"), str(tmp_path / "study.json")],
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert done.returncode == 0, done.stderr
        again, stored = json.loads((tmp_path / "study.json").read_text("utf-8")), _simulated.results()
        assert [row["group"] for row in again["rows"]] == [row["group"] for row in stored["rows"]]
        new, old = (np.array([row["values"] for row in made["rows"]], float) for made in (again, stored))
        assert new == pytest.approx(old, rel=1e-9, nan_ok=True)
        new, old = (np.array([row["values"] for row in made["tests"]], float) for made in (again, stored))
        assert new == pytest.approx(old, rel=1e-9)
