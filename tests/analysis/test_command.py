"""`python -m analysis`: what it says and leaves behind, and what importing it costs."""

import os
import shutil
import subprocess
import sys

import pytest

from analysis import charts
from analysis.__main__ import main
from analysis.estimates import Estimates
from kysely import paths
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


def instruments(folder, **changes: tuple[str, str]):
    """Copy the study's folder into *folder*, with a text of plan or claims replaced by another."""
    shutil.copytree(paths.questionnaires({}) / "operating_mode", folder / "operating_mode")
    for name, (old, new) in changes.items():
        file = folder / "operating_mode" / f"{name}.yaml"
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new, 1), encoding="utf-8")
    return folder


BROKEN = {"plan": ("variables: [role2, BG01, BG02]", "variables: [role9]"), "claims": ("equals: 360", "equals: many")}


def test_faults_of_plan_and_claims_are_told_together_before_anything_is_estimated(tmp_path, capsys):
    asked = instruments(tmp_path / "asked", **BROKEN)
    _study.write(_study.answers(organisations=20, respondents=30), tmp_path / "operating_mode" / "extract")
    assert main(["operating_mode"], {"KYSELY_BUILD": str(tmp_path), "KYSELY_QUESTIONNAIRES": str(asked)}) == 2
    said = capsys.readouterr()
    assert "there is no 'role9'" in said.err and "'many' is not a number" in said.err
    assert "estimating" not in said.out
    assert not (tmp_path / "operating_mode" / "estimates").exists()


def check(environ):
    """Do what `make check-questionnaires` does, each step a program of its own; return its status and output."""
    environ = {**os.environ, **environ}
    steps = (["kysely", "check", "--codebooks"], ["analysis", "--check"])
    done = [
        subprocess.run([sys.executable, "-m", *one], env=environ, cwd=paths.REPOSITORY, capture_output=True, text=True)
        for one in steps
    ]
    return [one.returncode for one in done], "".join(one.stdout + one.stderr for one in done)


def test_plans_and_claims_are_checked_without_an_extract(tmp_path):
    status, said = check({"KYSELY_BUILD": str(tmp_path)})
    assert status == [0, 0]
    assert "operating_mode, plan for form core2015: 6 tables, 3 charts, 18 claims" in said


def test_a_fault_of_the_plan_and_one_of_the_claims_are_found_without_an_extract(tmp_path):
    asked = instruments(tmp_path / "asked", **BROKEN)
    status, said = check({"KYSELY_BUILD": str(tmp_path), "KYSELY_QUESTIONNAIRES": str(asked)})
    assert status == [0, 2]
    assert "operating_mode/plan.yaml:" in said and "there is no 'role9'" in said
    assert "operating_mode/claims.yaml:28: claims 'PC01' test equals: respondents: 'many' is not a number." in said


def test_a_plan_for_a_questionnaire_with_faults_waits_for_that_and_says_so(tmp_path):
    environ = {"KYSELY_BUILD": str(tmp_path), "KYSELY_QUESTIONNAIRES": str(tmp_path / "asked")}
    instruments(tmp_path / "asked")
    assert check(environ)[0] == [0, 0]
    shutil.rmtree(tmp_path / "asked")
    instruments(tmp_path / "asked", questionnaire=("code: MUNI", "code: COMP"), claims=("equals: 360", "equals: 360,"))
    status, said = check(environ)
    assert status == [2, 2]
    assert "option code COMP is used already" in said
    assert "plan forms: there is no codebook of form 'core2015'. " in said and "mend its faults first" in said


def test_an_instrument_that_is_not_there_is_named(tmp_path, capsys):
    assert main(["--check", "nowhere"], {"KYSELY_BUILD": str(tmp_path)}) == 5
    assert "nowhere is not there" in capsys.readouterr().err


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
