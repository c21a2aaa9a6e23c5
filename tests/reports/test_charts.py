"""`python -m reports charts`: which finished charts there are, and how one takes one along."""

from __future__ import annotations

import json
import shutil
from hashlib import sha256

import pytest

from reports import __main__ as command

LANGUAGES = ("fi", "sv", "en")


@pytest.fixture
def build(synthetic_build, tmp_path):
    """The build folder of the simulated study, which has OM_FIG01 in three languages."""
    shutil.copytree(synthetic_build / "operating_mode" / "charts", tmp_path / "build" / "operating_mode" / "charts")
    return tmp_path / "build"


def run(build, *arguments: str) -> int:
    return command.main(["charts", *arguments], {"KYSELY_BUILD": str(build)})


def export(build, to, id="OM_FIG01", language="sv") -> int:
    return run(build, "export", id, "--language", language, "--to", str(to))


def test_the_list_tells_of_every_chart_its_languages_release_files_and_titles(build, capsys):
    assert run(build, "list") == 0
    first, files, *titles = capsys.readouterr().out.splitlines()
    assert first == "OM_FIG01  fi sv en  research, synthetic"
    assert files == "  files: png narrow.png svg narrow.svg text.svg pdf csv html json"
    told = [json.loads((build / f"operating_mode/charts/{one}/OM_FIG01.json").read_text()) for one in LANGUAGES]
    assert titles == [f"  {manifest['language']}: {manifest['title']}" for manifest in told]


def test_the_list_does_not_call_synthetic_what_people_answered(build, capsys):
    for language in LANGUAGES:
        manifest = build / f"operating_mode/charts/{language}/OM_FIG01.json"
        told = json.loads(manifest.read_text())
        told["synthetic"], told["provenance"]["release"] = False, "public"
        manifest.write_text(json.dumps(told))
    assert run(build, "list") == 0
    assert capsys.readouterr().out.startswith("OM_FIG01  fi sv en  public, from answers\n")


def test_a_chart_is_copied_with_all_that_its_snippet_needs_and_its_manifest(build, tmp_path, capsys):
    to = tmp_path / "blog" / "pictures"
    assert export(build, to) == 0
    assert {str(file) for file in to.iterdir()} == set(capsys.readouterr().out.splitlines())
    manifest = json.loads((to / "OM_FIG01.json").read_text())
    assert manifest["language"] == "sv"
    for file in to.glob("OM_FIG01.*"):
        kind = file.name.partition(".")[2]
        if kind != "json":
            assert sha256(file.read_bytes()).hexdigest() == manifest["files"][kind]["sha256"]
    snippet = (to / "OM_FIG01.html").read_text()
    for name in ("OM_FIG01.png", "OM_FIG01.narrow.png", "OM_FIG01.csv"):
        assert f'"{name}' in snippet and (to / name).is_file()
    # The picture for reports doesn't say where its figures come from, so it isn't given away by itself.
    assert not (to / "OM_FIG01.report.svg").exists()


def test_copying_again_is_no_fault_and_another_file_of_the_name_is_left_alone(build, tmp_path, capsys):
    to = tmp_path / "blog"
    assert export(build, to) == export(build, to) == 0
    (to / "OM_FIG01.csv").write_text("my own corrections")
    (to / "OM_FIG01.png").unlink()
    assert export(build, to) == 5
    assert f"{to / 'OM_FIG01.csv'} is there already and is another file" in capsys.readouterr().err
    assert (to / "OM_FIG01.csv").read_text() == "my own corrections"
    assert not (to / "OM_FIG01.png").exists(), "a refused copy copies nothing"


def test_an_unknown_chart_or_language_is_refused_with_those_there_are(build, tmp_path, capsys):
    assert export(build, tmp_path / "to", id="OM_FIG99") == 2
    assert "there is no chart 'OM_FIG99'; there are: OM_FIG01" in capsys.readouterr().err
    shutil.rmtree(build / "operating_mode" / "charts" / "sv")
    assert export(build, tmp_path / "to") == 2
    assert "OM_FIG01 is not there in 'sv'; it is in: fi, en" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        export(build, tmp_path / "to", language="de")
    assert "invalid choice: 'de'" in capsys.readouterr().err
    assert not (tmp_path / "to").exists()


def test_a_file_that_is_not_the_manifests_is_not_copied(build, tmp_path, capsys):
    (build / "operating_mode/charts/sv/OM_FIG01.pdf").write_bytes(b"another")
    assert export(build, tmp_path / "to") == 5
    assert "OM_FIG01.pdf isn't as its manifest says; run `make analysis` again" in capsys.readouterr().err
    assert not (tmp_path / "to").exists()


def test_a_folder_that_cannot_be_written_is_named(build, tmp_path, capsys):
    (tmp_path / "to").write_text("a file")
    assert export(build, tmp_path / "to") == 5
    assert f"{tmp_path / 'to'} can't be written" in capsys.readouterr().err


@pytest.mark.parametrize(("instrument", "code"), [("nothing", 5), ("../build", 2)])
def test_without_charts_the_command_says_what_to_run_first(build, capsys, instrument, code):
    assert run(build, "list", "--instrument", instrument) == code
    said = capsys.readouterr().err
    assert "make analysis" in said or "--instrument is the name of a folder" in said
