"""What a chart says in words: where the numbers come from, what they are of, and what they are not."""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from ruamel.yaml import YAML

from analysis import charts, wording
from analysis.charts import _files
from analysis.charts._files import Picture
from analysis.charts._look import LOOKS
from analysis.estimates import Provenance
from kysely.errors import AnalystError
from kysely.plugins import UnknownName
from tests.analysis.charts import _estimates as study
from tests.analysis.charts._lint import written
from tests.analysis.charts.conftest import Published

KICKERS = {
    "fi": "SYNTEETTINEN ESIMERKKI – EI TUTKIMUSTULOS",
    "sv": "SYNTETISKT EXEMPEL – INGET FORSKNINGSRESULTAT",
    "en": "SYNTHETIC EXAMPLE – NOT A SURVEY RESULT",
}
SYNTHETIC = {"fi": "Synteettinen aineisto", "sv": "Syntetiskt material", "en": "Synthetic data"}


def draw(id: str, language: str, provenance: Provenance = study.PROVENANCE) -> Picture:
    estimates = study.estimates(study.distribution() + study.central(), provenance)
    return charts.draw(estimates, study.specs()[id], study.codebook(), language)


def test_a_chart_of_simulated_answers_says_so_in_every_file(published: Published):
    language = published.picture.language
    kicker = KICKERS[language]

    assert written(published.picture).startswith(kicker)
    assert published.picture.alt.upper().startswith(kicker)
    assert published.manifest["kicker"] == kicker and published.manifest["synthetic"] is True
    assert published.manifest["alt"] == published.picture.alt
    svg = published.path("svg").read_text(encoding="utf-8")
    metadata = re.search(r"<metadata>.*</metadata>", svg, re.DOTALL)
    assert metadata and kicker in metadata[0]
    with Image.open(published.path("png")) as png:
        assert png.info["Disclaimer"] == kicker
    table = list(
        csv.reader(published.path("csv").read_text("utf-8-sig").splitlines(), delimiter=",;"[language != "en"])
    )
    assert all(row[-2] == kicker for row in table[1:])


def test_a_chart_of_simulated_answers_has_the_words_synthetic_data_in_its_source_line(published: Published):
    assert SYNTHETIC[published.picture.language] in published.picture.words.source


@pytest.mark.parametrize("language", study.LANGUAGES)
def test_no_wording_of_a_plan_can_take_the_warning_away(language: str):
    empty = dict.fromkeys(study.LANGUAGES, " ")
    spec = replace(
        study.specs()["OM_FIG01"],
        source=dict.fromkeys(study.LANGUAGES, "Own study"),
        note=empty,
        headline=dict.fromkeys(study.LANGUAGES, "A finding"),
        options={**study.specs()["OM_FIG01"].options, "kicker": "", "synthetic": False, "warning": ""},
    )
    picture = charts.draw(study.estimates(study.distribution()), spec, study.codebook(), language)

    assert written(picture).startswith(KICKERS[language])
    assert SYNTHETIC[language] in picture.words.source


@pytest.mark.parametrize(
    ("language", "kicker"),
    [
        ("fi", "ESITTELYAINEISTO – EI TUTKIMUSTULOS"),
        ("sv", "DEMONSTRATIONSMATERIAL – INGET FORSKNINGSRESULTAT"),
        ("en", "DEMONSTRATION DATA – NOT A SURVEY RESULT"),
    ],
)
def test_real_answers_to_a_demonstration_are_called_that(language: str, kicker: str):
    picture = draw("OM_FIG01", language, replace(study.REAL, demonstration=True))

    assert written(picture).startswith(kicker)
    assert picture.alt.upper().startswith(kicker)
    assert kicker.split(" –")[0].capitalize() in picture.words.source


@pytest.mark.parametrize(
    ("language", "kicker"),
    [
        ("fi", "LUONNOS – TIEDONKERUU ON KESKEN"),
        ("sv", "UTKAST – DATAINSAMLINGEN PÅGÅR"),
        ("en", "DRAFT – FIELDWORK IS STILL OPEN"),
    ],
)
def test_answers_of_open_fieldwork_make_a_draft(language: str, kicker: str):
    picture = draw("OM_FIG01", language, replace(study.REAL, draft=True))

    assert written(picture).startswith(kicker)
    assert picture.alt.upper().startswith(kicker)
    assert all(row[-1] == kicker for row in picture.rows)


def test_real_answers_carry_no_warning():
    picture = draw("OM_FIG02", "sv", study.REAL)

    assert picture.words.kicker == ""
    assert "yntetisk" not in written(picture) + picture.alt
    assert picture.rows[0][-1] == "Enkätsvar"


@pytest.mark.parametrize("id", ["OM_FIG01", "OM_FIG02"])
def test_a_chart_names_study_revision_wave_base_weighting_release_and_date(id: str):
    words = draw(id, "fi").words

    assert words.base.startswith("360\u00a0vastaajaa 269\u00a0organisaatiosta. Jokainen vastaaja painaa yhtä paljon.")
    assert words.source == (
        "Organisaation toimintatapa, 2015 (operating_mode, versio\u00a02026.1). Synteettinen aineisto, painottamaton. "
        "Tutkijan luvut. Vastaukset saatu 2.3.–29.5.2015."
    )


def test_one_respondent_is_spoken_of_in_the_singular():
    alone = replace(study.PROVENANCE, responses=1, organisations=1)
    bases = {language: draw("OM_FIG01", language, alone).words.base for language in study.LANGUAGES}

    assert bases["fi"].startswith("1\u00a0vastaaja yhdestä organisaatiosta.")
    assert bases["sv"].startswith("1\u00a0svarande i 1\u00a0organisation.")
    assert bases["en"].startswith("1\u00a0respondent in 1\u00a0organisation.")


def test_the_note_says_what_the_interval_the_hollow_dot_and_the_sign_are():
    note = draw("OM_FIG02", "fi").words.note

    assert "Vaakaviiva on 95\u00a0%:n luottamusväli (organisaatiot ryppäinä)." in note
    assert "Ontto piste: alle 30\u00a0vastaajaa" in note
    assert "··· Tulosta ei näytetä" in note


def test_the_alternative_text_tells_chart_numbers_bases_and_table_in_150_to_400_characters(published: Published):
    alt = published.picture.alt

    assert 150 <= len(alt) <= 400
    assert "\u00ad" not in alt and "\n" not in alt
    assert len(re.findall(r"\d\u00a0?%", alt)) >= 2
    assert "n\u00a0=\u00a0360" in alt
    assert {"fi": "taulukossa", "sv": "tabell", "en": "table"}[published.picture.language] in alt
    assert published.picture.title not in alt


@pytest.mark.parametrize("language", study.LANGUAGES)
def test_the_alternative_text_of_a_chart_without_numbers_says_why(language: str):
    alone = replace(study.REAL, responses=1, organisations=1)
    rows = study.central({"COMP": (1, 1, (1.0, 0, 1.0, 0))}, n=1, organisations=1)
    picture = charts.draw(study.estimates(rows, alone), study.specs()["OM_FIG02"], study.codebook(), language)

    assert {"fi": "liian vähän", "sv": "för få", "en": "too few"}[language] in picture.alt
    assert not re.search(r"\d\u00a0?%", picture.alt.replace("0–100", ""))


def test_a_chart_without_an_alternative_text_is_not_written(tmp_path: Path):
    spec = replace(study.specs()["OM_FIG01"], alt=dict.fromkeys(study.LANGUAGES, " "))
    estimates = study.estimates(study.distribution())
    pictures = [charts.draw(estimates, spec, study.codebook(), "fi", look) for look in LOOKS]

    with pytest.raises(AnalystError, match="alternative text"):
        _files.write(pictures, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_small_groups_are_named_in_the_alternative_text_and_marked_in_the_table(everything):
    picture = everything["OM_FIG02", "en"].picture

    assert "Groups with fewer than 30 respondents: 3." in picture.alt.replace("\u00a0", " ")
    marks = {row[0]: row[-2] for row in picture.rows}
    assert marks["Co-operative"] == "small group" and marks["Parish"] == "not shown" and marks["Private company"] == ""


def test_a_chart_nobody_wrote_is_refused_by_name():
    with pytest.raises(UnknownName, match="pie"):
        charts.draw(study.estimates([]), replace(study.specs()["OM_FIG01"], chart="pie"), study.codebook(), "fi")


@pytest.mark.parametrize("language", study.LANGUAGES)
@pytest.mark.parametrize("id", ["OM_FIG01", "OM_FIG02"])
def test_the_subtitle_quotes_the_question_as_it_was_asked(id: str, language: str):
    text = (study.PLAN.parent / "questionnaire.yaml").read_text(encoding="utf-8")
    pages = YAML(typ="safe").load(text)["pages"]
    asked = next(
        question["rate"]["text"][language]
        for page in pages
        for question in page["questions"]
        if question["id"] == "OM_B"
    )

    assert study.specs()[id].subtitle[language].startswith(wording.quoted(asked, language))


@pytest.mark.parametrize("language", study.LANGUAGES)
def test_the_note_and_subtitle_name_levels_as_the_scale_does(language: str):
    scale = YAML(typ="safe").load((study.PLAN.parent / "questionnaire.yaml").read_text(encoding="utf-8"))["scales"]
    lowest, *_, highest = (level["label"][language] for level in scale["CENT4"]["levels"])
    specs = study.specs()

    assert wording.quoted(highest, language) in specs["OM_FIG02"].subtitle[language]
    for spec in (specs["OM_FIG01"], specs["OM_FIG02"]):
        assert spec.note and wording.quoted(lowest, language) in spec.note[language]
