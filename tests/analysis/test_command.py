"""`python -m analysis`: what it says and leaves behind, and what importing it costs."""

import subprocess
import sys

import pytest

from analysis import charts
from analysis.__main__ import main
from analysis.estimates import Estimates
from tests.analysis import _study


def test_the_command_writes_estimates_and_says_whose_answers_they_are(tmp_path, capsys):
    build = tmp_path / "build"
    _study.write(_study.answers(), build / "operating_mode" / "extract")
    assert main(["operating_mode", "--no-charts"], {"KYSELY_BUILD": str(build)}) == 0
    said = capsys.readouterr().out
    assert "SIMULATED answers (synthetic data): 357 respondents of 266 organisations" in said
    assert "not counted, because they lack what the plan calls valid: 3" in said
    assert "estimates.csv" in said.splitlines()[-1] and "charts" not in said.splitlines()[-1]
    written = Estimates.read(build / "operating_mode" / "estimates")
    assert written.provenance.responses == 357
    assert (build / "operating_mode" / "claims.json").is_file()


def test_a_response_that_does_not_count_yet_ends_well_and_draws_nothing(tmp_path, capsys):
    answers = _study.answers(organisations=1, respondents=1)
    answers.origin, answers.columns["BG01"] = "real", ["no_answer"]
    _study.write(answers, tmp_path / "operating_mode" / "extract")
    assert main(["operating_mode"], {"KYSELY_BUILD": str(tmp_path)}) == 0
    said = capsys.readouterr().out
    assert "real answers: 0 respondents of 0 organisations" in said
    assert "no charts: nobody counts yet" in said


def files(folder):
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


def test_no_chart_of_simulated_answers_is_left_once_real_ones_are_analysed(tmp_path, capsys):
    build = tmp_path / "operating_mode"
    _study.write(_study.answers(organisations=1, respondents=1), build / "extract")
    assert main(["operating_mode"], {"KYSELY_BUILD": str(tmp_path)}) == 0
    assert "fi/OM_FIG01.json" in files(build / "charts")
    assert str(build / "charts") in capsys.readouterr().out.splitlines()[-1]
    real = _study.answers(organisations=1, respondents=1)
    real.origin, real.columns["BG01"] = "real", ["no_answer"]
    _study.write(real, build / "extract")
    assert main(["operating_mode"], {"KYSELY_BUILD": str(tmp_path)}) == 0
    assert files(build / "charts") == []
    assert "charts" not in capsys.readouterr().out.splitlines()[-1]


def test_a_chart_that_the_plan_no_longer_has_is_removed_with_its_files(tmp_path):
    for name in ("OLD.json", "OLD.png", "OM_FIG01.json", "OM_FIG01.svg", "notes.txt"):
        (tmp_path / "fi").mkdir(exist_ok=True)
        (tmp_path / "fi" / name).touch()
    charts.remove_others(tmp_path, [tmp_path / "fi" / "OM_FIG01.json"])
    assert files(tmp_path) == ["fi/OM_FIG01.json", "fi/OM_FIG01.svg", "fi/notes.txt"]


def test_without_an_extract_the_command_says_which_comes_first(tmp_path, capsys):
    assert main(["operating_mode"], {"KYSELY_BUILD": str(tmp_path)}) == 5
    assert "run `kysely extract` first" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("analysis.estimators", ("pandas", "pyarrow", "scipy", "matplotlib", "ruamel")),
        ("analysis.disclosure", ("pandas", "pyarrow", "scipy", "matplotlib", "ruamel")),
        ("analysis.tabulate", ("pyarrow.parquet", "scipy.stats", "matplotlib", "seaborn", "statsmodels", "ruamel")),
        ("analysis.__main__", ("numpy", "pandas")),
    ],
)
def test_importing_it_loads_nothing_heavier_than_it_needs(module, heavy):
    asked = f"import sys, {module}; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
