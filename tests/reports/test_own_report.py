"""A researcher's own report is one file: the example of docs/reports.md is built as it stands there."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kysely.errors import AnalystError
from reports._figures import Figures
from reports.topline import chart
from tests import programs
from tests.reports import _built

ROOT = _built.QUESTIONNAIRES.parent
EXAMPLE = re.search(r"```python\n(.*?)```", (ROOT / "docs" / "reports.md").read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture(scope="module")
def copy(tmp_path_factory, synthetic_build) -> Path:
    """A folder with the reports of its own and a build of the simulated study."""
    folder = tmp_path_factory.mktemp("copy")
    shutil.copytree(ROOT / "reports", folder / "reports", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(synthetic_build, folder / "build")
    return folder


def write(copy: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {
        **programs.scratch(),
        "KYSELY_BUILD": str(copy / "build"),
        "KYSELY_QUESTIONNAIRES": str(_built.QUESTIONNAIRES),
    }
    call = [sys.executable, "-m", "reports", *arguments]
    return subprocess.run(call, cwd=copy, env=environ, capture_output=True, text=True, check=False)


def test_the_example_of_the_documentation_is_found_by_its_name_and_written_in_every_format(copy, synthetic):
    assert EXAMPLE is not None
    (copy / "reports" / "customers.py").write_text(EXAMPLE[1], encoding="utf-8")
    done = write(copy, "customers", "--language", "fi")
    assert done.returncode == 0, done.stderr
    folder = copy / "build" / "operating_mode"
    page = _built.read((folder / "customers.fi.html").read_text(encoding="utf-8"))
    assert "Asiakaspalvelu yrityksissä ja julkisissa organisaatioissa" in page.title
    text = " ".join(programs.run("pdftotext", folder / "customers.fi.pdf", "-").split())
    figures = Figures(synthetic, "fi")
    line = figures.find("OM_TAB05", "OM_B", "CUST", "central", "respondent")
    shown = figures.signs().cell(line).text
    assert shown in text
    assert page.tables["OM_TAB05-OM_B-respondent"].rows[figures.say("table.all")]


def test_without_a_name_an_own_report_is_written_too_but_a_chapter_is_not_written_twice(copy):
    (copy / "reports" / "short.py").write_text(
        "from reports.parts import Section\n\n\ndef build(material, language):\n    return Section('short', 'Short')\n",
        encoding="utf-8",
    )
    done = write(copy, "--language", "en", "--format", "html")
    files = re.findall(r"^ +(\d+%) .*?([\w.]+)  \(", done.stdout, re.MULTILINE)
    assert {name for _, name in files} >= {"report.en.html", "short.en.html"}
    assert "topline.en.html" not in done.stdout
    assert files[-1][0] == "100%"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("X = 1\n", "has no function build"),
        ("def build(material, language):\n    return 'text'\n", "returns a str; return a Section"),
    ],
)
def test_a_file_that_is_no_report_is_told_apart_with_the_cure(copy, content, complaint):
    (copy / "reports" / "wrong.py").write_text(content, encoding="utf-8")
    done = write(copy, "wrong", "--language", "en")
    (copy / "reports" / "wrong.py").unlink()
    assert done.returncode == 5
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr


def test_a_report_that_asks_for_what_the_plan_does_not_tabulate_hears_what_it_does(synthetic):
    figures = Figures(synthetic, "en")

    def crosstab(table: str, name: str, banner: str):
        return figures.crosstab(table, name, (banner,), "respondent", caption="c", subtitle="s")

    with pytest.raises(AnalystError, match="no table 'OM_TAB99'; there are: book, OM_TAB01"):
        crosstab("OM_TAB99", "OM_B", "org3")
    with pytest.raises(AnalystError, match="no variable 'BG99'; it has: OM_B"):
        crosstab("OM_TAB05", "BG99", "org3")
    with pytest.raises(AnalystError, match="no banner 'size4'; it has: org3, BG10"):
        crosstab("OM_TAB05", "OM_B", "size4")
    with pytest.raises(AnalystError, match="no chart 'OM_FIG99' is drawn in 'en'; there are: OM_FIG01"):
        chart(figures, "OM_FIG99")
