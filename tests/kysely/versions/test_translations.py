"""A translation of a wording that has changed is never shown, and the way to translators and back loses nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import polib
import pytest

from kysely import cli, loading, translations
from kysely.translations import State

STUDY = Path(__file__).parents[3] / "questionnaires" / "operating_mode"


@pytest.fixture
def study(tmp_path, monkeypatch) -> Path:
    """A copy of the operating-mode questionnaire in which every translation is confirmed."""
    folder = tmp_path / "questionnaires" / "operating_mode"
    folder.mkdir(parents=True)
    shutil.copy(STUDY / "questionnaire.yaml", folder)
    monkeypatch.setenv("KYSELY_QUESTIONNAIRES", str(folder.parent))
    monkeypatch.setenv("KYSELY_INSTANCE", str(tmp_path / "instance"))
    translations.confirm(folder)
    return folder


def edit(folder: Path, before: str, after: str) -> None:
    file = folder / "questionnaire.yaml"
    text = file.read_text(encoding="utf8")
    assert before in text
    file.write_text(text.replace(before, after, 1), encoding="utf8")


def texts(folder: Path) -> int:
    return len(translations.read(folder).wordings)


def stale(folder: Path) -> list[tuple[str, str, State]]:
    found = translations.read(folder).statuses()
    return [(one.key, one.language, one.state) for one in found if one.state is not State.CURRENT]


def kysely(*words: object) -> int:
    return cli.main([str(word) for word in words])


def test_the_translations_of_the_study_that_is_shipped_are_current():
    assert stale(STUDY) == []


def test_a_finnish_label_that_is_reworded_makes_both_translations_stale(study):
    edit(study, "fi: Yksityinen yritys", "fi: Yritys yksityisomistuksessa")
    key = "BG10/options/COMP/label"
    assert stale(study) == [(key, "sv", State.STALE), (key, "en", State.STALE)]
    one, other = translations.problems(study, "core2015")
    assert (one.where, one.fatal) == (key, False)
    for problem, language in ((one, "sv"), (other, "en")):
        assert f"the {language} translation is stale" in problem.cause
        assert "“Yksityinen yritys”" in problem.cause and "“Yritys yksityisomistuksessa”" in problem.cause


def test_a_stale_translation_is_not_published_and_is_a_warning_of_the_check(study, capsys):
    assert kysely("wave", "open", "operating_mode") == 0
    edit(study, "fi: Yksityinen yritys", "fi: Yritys yksityisomistuksessa")
    edit(study, "\nrevision: ", "\nrevision: 1")
    assert kysely("check") == 0
    assert capsys.readouterr().out.count("warning: BG10/options/COMP/label") == 2
    assert kysely("publish", "operating_mode") == 1
    told = capsys.readouterr().err
    assert "the sv translation is stale" in told and "the en translation is stale" in told
    assert "Nothing was published" in told
    assert kysely("translations", "confirm", "operating_mode", "--language", "sv") == 0
    assert kysely("publish", "operating_mode") == 1
    assert kysely("translations", "confirm", "operating_mode", "--key", "BG10") == 0
    assert kysely("publish", "operating_mode") == 0
    assert "text only" in capsys.readouterr().out


def test_a_questionnaire_whose_translations_nobody_confirmed_says_so_once(study, capsys):
    (study / "questionnaire.lock").unlink()
    [problem] = translations.problems(study)
    assert f"{2 * texts(study)} translations" in problem.cause
    assert kysely("translations", "status", "operating_mode") == 1
    assert f"sv: {texts(study)} unconfirmed" in capsys.readouterr().out


def test_a_question_that_moves_to_another_page_keeps_its_translations(study):
    moved = "      - id: BG04\n"
    text = (study / "questionnaire.yaml").read_text(encoding="utf8")
    start = text.index(moved)
    question = text[start : text.index("      - id: BG05\n")]
    place = "  - id: perspective\n"
    changed = text.replace(question, "").replace("      - id: BG07\n", question + "      - id: BG07\n")
    assert place in changed and changed != text
    (study / "questionnaire.yaml").write_text(changed, encoding="utf8")
    assert loading.load(study).page("perspective").questions[0].id == "BG04"
    assert stale(study) == []


@pytest.mark.parametrize("language", ["sv", "en"])
def test_a_po_file_goes_to_the_translator_and_back_without_a_change(study, tmp_path, language):
    before = (study / "questionnaire.yaml").read_bytes(), (study / "questionnaire.lock").read_bytes()
    po = tmp_path / "study.po"
    assert kysely("translations", "export", "operating_mode", "--language", language, "--out", po) == 0
    exported = po.read_bytes()
    assert len(polib.pofile(str(po))) == texts(study) > 100
    assert kysely("translations", "import", "operating_mode", po) == 0
    assert ((study / "questionnaire.yaml").read_bytes(), (study / "questionnaire.lock").read_bytes()) == before
    assert kysely("translations", "export", "operating_mode", "--language", language, "--out", po) == 0
    assert po.read_bytes() == exported


def test_a_translation_is_written_into_the_file_and_nothing_else_of_it_changes(study, tmp_path):
    edit(study, "fi: Yksityinen yritys", "fi: Yritys yksityisomistuksessa")
    before = (study / "questionnaire.yaml").read_text(encoding="utf8").splitlines()
    po = tmp_path / "study.po"
    po.write_text(translations.exported(study, "sv"), encoding="utf8")
    file = polib.pofile(str(po))
    for entry in file:
        if entry.msgctxt == "BG10/options/COMP/label":
            assert entry.previous_msgid == "Yksityinen yritys"
            entry.msgstr, entry.flags = "Företag: privat, inte börsnoterat", []
        if entry.msgctxt == "purpose":
            entry.msgstr = "Vi undersöker " + "hur ledningen ser på sin organisation " * 6 + "i dag."
    file.save(str(po))
    done = translations.imported(study, po)
    assert set(done.written) == {"BG10/options/COMP/label", "purpose"}
    after = (study / "questionnaire.yaml").read_text(encoding="utf8").splitlines()
    kept = [line for line in before if line in after]
    assert len(before) - len(kept) == 4  # the line of the option and the three of the purpose
    assert '{code: COMP, label: {fi: Yritys yksityisomistuksessa, sv: "Företag: privat, inte börsnoterat"' in "\n".join(
        after
    )
    assert [line for line in after if line.startswith("#")] == [line for line in before if line.startswith("#")]
    assert stale(study) == [("BG10/options/COMP/label", "en", State.STALE)]
    instrument = loading.load(study)
    assert instrument.question("BG10").options[0].label["sv"] == "Företag: privat, inte börsnoterat"
    assert instrument.purpose["sv"].endswith("organisation i dag.")


def test_an_empty_or_unsure_translation_changes_nothing(study, tmp_path):
    before = (study / "questionnaire.yaml").read_bytes()
    po = tmp_path / "study.po"
    file = polib.pofile(translations.exported(study, "en"))
    file[0].msgstr = ""
    file[1].msgstr, file[1].flags = "We study", ["fuzzy"]
    file.save(str(po))
    done = translations.imported(study, po)
    assert (done.written, done.empty, done.fuzzy) == ((), ("title",), ("purpose",))
    assert (study / "questionnaire.yaml").read_bytes() == before


def test_what_was_translated_from_an_older_wording_is_refused(study, tmp_path, capsys):
    po = tmp_path / "study.po"
    po.write_text(translations.exported(study, "sv"), encoding="utf8")
    edit(study, "fi: Yksityinen yritys", "fi: Yritys yksityisomistuksessa")
    assert kysely("translations", "import", "operating_mode", po) == 1
    printed = capsys.readouterr().out
    assert "it translates “Yksityinen yritys”, and the text is now “Yritys yksityisomistuksessa”" in printed
    assert [key for key, language, _ in stale(study) if language == "sv"] == ["BG10/options/COMP/label"]


def test_a_placeholder_that_is_lost_or_invented_is_refused(study, tmp_path):
    edit(study, "fi: Kuinka keskeinen kukin valitsemasi toimintatapa on?", 'fi: "Kuinka keskeisiä {BG10|nämä} ovat?"')
    translations.confirm(study)
    po = tmp_path / "study.po"
    file = polib.pofile(translations.exported(study, "sv"))
    [entry] = [entry for entry in file if "{BG10" in entry.msgid]
    for text, fits in (
        ("Hur centrala är dessa?", 0),
        ("Hur centrala är {BG12|dessa}?", 0),
        ("Är {BG10|de} centrala?", 1),
    ):
        entry.msgstr = text
        file.save(str(po))
        assert len(translations.imported(study, po).written) == fits


@pytest.mark.parametrize("content", [b"\xff\xfe", b"msgid", b'msgid ""\nmsgstr "Language: de\\n"\n'])
def test_a_file_that_is_no_translation_of_the_questionnaire_is_refused_in_a_sentence(study, tmp_path, capsys, content):
    po = tmp_path / "study.po"
    po.write_bytes(content)
    assert kysely("translations", "import", "operating_mode", po) == 2
    assert "study.po" in capsys.readouterr().err
