"""The terminal, as an author uses it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kysely import cli, plugins

STUDY = Path(__file__).parents[2] / "questionnaires"


def test_check_sums_up_what_is_in_order(capsys):
    assert cli.main(["check", str(STUDY)]) == 0
    printed = capsys.readouterr().out
    assert "operating_mode, form core2015" in printed
    assert "fi, sv, en" in printed


def test_check_reports_everything_and_fails_when_something_is_fatal(capsys, tmp_path):
    file = tmp_path / "questionnaire.yaml"
    text = (STUDY / "operating_mode" / "questionnaire.yaml").read_text(encoding="utf-8")
    file.write_text(
        text.replace("code: MUNI", "code: COMP", 1).replace("minutes: 3", "minutes: three"), encoding="utf-8"
    )
    assert cli.main(["check", str(tmp_path)]) == 2
    printed = capsys.readouterr().out
    assert "option code COMP is used already" in printed
    assert "'three' stands where a whole number should" in printed
    assert f"{file}:" in printed


def test_warnings_alone_dont_fail(capsys, tmp_path):
    text = (STUDY / "operating_mode" / "questionnaire.yaml").read_text(encoding="utf-8")
    changed = text.replace("en: What type of organisation", "en: =What type of organisation", 1)
    assert changed != text
    (tmp_path / "questionnaire.yaml").write_text(changed, encoding="utf-8")
    assert cli.main(["check", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "warning" in printed
    assert "core2015" in printed


def test_a_folder_without_questionnaires_is_an_error_in_a_sentence(capsys, tmp_path):
    assert cli.main(["check", str(tmp_path)]) == 2
    assert "there is no questionnaire here" in capsys.readouterr().err


def test_schema_prints_json(capsys):
    assert cli.main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "Kysely questionnaire"


def test_every_command_has_help(capsys):
    with pytest.raises(SystemExit) as end:
        cli.main(["--help"])
    assert end.value.code == 0
    printed = capsys.readouterr().out
    for name in plugins.names(cli.COMMANDS):
        assert name in printed
        assert plugins.load(cli.COMMANDS, name).HELP


def test_the_terminal_answers_without_loading_the_web_or_the_database():
    program = (
        "import sys\nfrom kysely import cli\n"
        "try:\n    cli.main(['--help'])\nexcept SystemExit:\n    pass\n"
        "print([name for name in ('flask', 'numpy', 'pyarrow', 'sqlalchemy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_check_looks_where_the_settings_say(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("KYSELY_QUESTIONNAIRES", str(tmp_path))
    assert cli.main(["check"]) == 2
    assert str(tmp_path) in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "before", "after", "told"),
    [
        ("feedback.yaml", "levels: OM_B02", "levels: OM_B99", "there is no set 'OM_B99'"),
        ("mail.yaml", "{stop}", "{halt}", "the placeholder {halt} is unknown"),
    ],
)
def test_check_reads_the_feedback_and_the_letters_too(capsys, tmp_path, name, before, after, told):
    folder = tmp_path / "operating_mode"
    shutil.copytree(STUDY / "operating_mode", folder)
    words = "{" + ", ".join(f'{language}: "{{link}} {{stop}}"' for language in ("fi", "sv", "en")) + "}"
    subject = "{fi: Kysely, sv: Enkät, en: Survey}"
    (folder / "mail.yaml").write_text(f"invitation:\n  subject: {subject}\n  body: {words}\n", encoding="utf-8")
    assert cli.main(["check", str(folder)]) == 0
    file = folder / name
    text = file.read_text(encoding="utf-8")
    assert before in text
    file.write_text(text.replace(before, after, 1), encoding="utf-8")
    line = text[: text.index(before)].count("\n") + 1
    capsys.readouterr()
    assert cli.main(["check", str(folder)]) == 2
    printed = capsys.readouterr().out
    assert told in printed and f"{file}:{line}: " in printed
