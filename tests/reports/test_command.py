"""`python -m reports`: what it writes, and what it says when it can't."""

from __future__ import annotations

import json
import shutil

import pytest

from reports import __main__ as command
from reports import _material
from tests.reports import _built


def environ(build) -> dict[str, str]:
    return {"KYSELY_BUILD": str(build), "KYSELY_QUESTIONNAIRES": str(_built.QUESTIONNAIRES)}


def test_every_report_there_is_can_be_asked_for():
    assert command.names() == ("agreement", "book", "crosstabs", "methodology", "reproduction", "study", "topline")


def test_the_command_writes_one_file_a_language_and_says_where(synthetic_build, capsys):
    assert command.main(["methodology", "--language", "sv"], environ(synthetic_build)) == 0
    file = synthetic_build / "operating_mode" / "methodology.sv.html"
    assert file.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert str(file) in capsys.readouterr().out


def test_the_whole_report_is_called_report(synthetic_build):
    assert command.main(["--language", "en"], environ(synthetic_build)) == 0
    assert (synthetic_build / "operating_mode" / "report.en.html").is_file()


def test_without_an_analysis_the_command_says_what_to_run_first(tmp_path, capsys):
    assert command.main([], environ(tmp_path)) == 5
    assert "make analysis" in capsys.readouterr().err


def test_an_unknown_report_or_format_is_refused_with_the_known_ones(capsys):
    for wrong in (["gossip"], ["--format", "papyrus"], ["--language", "de"]):
        with pytest.raises(SystemExit):
            command.main(wrong, {})
    assert "topline" in capsys.readouterr().err


def test_a_chart_of_older_answers_is_left_out(synthetic_build, tmp_path):
    build = tmp_path / "build"
    shutil.copytree(synthetic_build, build)
    manifest = build / "operating_mode" / "charts" / "fi" / "OM_FIG01.json"
    data = json.loads(manifest.read_text(encoding="utf-8"))
    data["provenance"]["extract_sha256"] = "0" * 64
    manifest.write_text(json.dumps(data), encoding="utf-8")
    material = _material.read(build, _built.QUESTIONNAIRES, _built.INSTRUMENT)
    assert "OM_FIG01" not in material.drawings["fi"]
    assert "OM_FIG01" in material.drawings["sv"]
