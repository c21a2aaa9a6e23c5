"""The questionnaire on paper holds every text in its language, and says in words who answers what."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from kysely import cli, conditions, loading, paper, plugins
from kysely.spoken import Speaker, Words

STUDY = Path(__file__).parents[2] / "questionnaires" / "operating_mode"
LANGUAGES = ("fi", "sv", "en")

HEAD = """\
schema: questionnaire/1
id: every_type
revision: "1"
languages: {base: fi, required: [fi, sv, en]}
title: {fi: "Kaikki <b>#tyypit</b> $x$", sv: "Alla *typer* [a]", en: "Every @type \\\\ `x`"}
scales:
  CENT4:
    levels:
      - {code: NOT, value: 0, label: {fi: ei kuulu, sv: ingår inte, en: no part}}
      - {code: SOME, value: 1, label: {fi: vähän, sv: något, en: some}}
      - {code: CENTRAL, value: 2, label: {fi: keskeinen, sv: central, en: central}}
pages:
  - id: first
    title: {fi: Aluksi, sv: Först, en: First}
    questions:
      - id: works
        type: single_choice
        text: {fi: Oletko työssä?, sv: Arbetar du?, en: Do you work?}
        options:
          - {code: YES, label: {fi: Kyllä, sv: Ja, en: "Yes"}}
          - {code: NO, label: {fi: En, sv: Nej, en: "No"}}
      - id: pets
        type: multiple_choice
        text: {fi: Mitä lemmikkejä sinulla on?, sv: Vilka husdjur har du?, en: Which pets do you have?}
        options:
          - {code: DOG, label: {fi: Koira, sv: Hund, en: Dog}}
          - {code: CAT, label: {fi: Kissa, sv: Katt, en: Cat}}
      - id: hours
        type: number
        text: {fi: Montako tuntia viikossa?, sv: Hur många timmar i veckan?, en: How many hours a week?}
        show_if: "works == 'YES'"
        minimum: 0
"""


@pytest.fixture(scope="session")
def every_type(tmp_path_factory):
    """A questionnaire with the example of every question type, each on a page that only some are asked."""
    file = tmp_path_factory.mktemp("every_type") / "questionnaire.yaml"
    pages = []
    for name in plugins.names("kysely.questions"):
        example = plugins.load("kysely.questions", name).EXAMPLE.strip().splitlines()
        question = "\n".join(f"        {line}" if at else f"      - {line}" for at, line in enumerate(example))
        title = f"{{fi: Sivu {name}, sv: Sida {name}, en: Page {name}}}"
        pages.append(
            f"  - id: page_{name}\n    title: {title}\n    show_if: \"works == 'YES' or pets_DOG == 1\"\n"
            f"    questions:\n{question}\n"
        )
    file.write_text(HEAD + "".join(pages), encoding="utf8")
    return loading.load(file)


def text_of(pdf: bytes, folder: Path) -> str:
    (folder / "paper.pdf").write_bytes(pdf)
    done = subprocess.run(["pdftotext", "-layout", str(folder / "paper.pdf"), "-"], capture_output=True, check=True)
    return re.sub(r"\s+", " ", done.stdout.decode().replace("\u00ad", "").replace("-\n", ""))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_question_type_is_printed_with_all_of_its_words(every_type, language, tmp_path):
    text = text_of(paper.printed(every_type, language), tmp_path)
    squeezed = re.sub(r"[\s-]", "", text)
    for question in every_type.questions:
        for variable in question.variables():
            for category in variable.categories:
                label = category.label[language]
                if label in every_type.canonical:  # "not chosen" of a ranking is the engine's own
                    assert re.sub(r"[\s-]", "", label) in squeezed, (question.id, category.code)


def test_a_page_that_settles_asks_for_what_comes_before_it_first():
    full = loading.load(STUDY, "full")
    for language, sentence in {
        "fi": "Vastaa kaikkiin edellisiin osiin ennen tätä osaa.",
        "sv": "Besvara alla tidigare delar före den här.",
        "en": "Answer all earlier parts before this one.",
    }.items():
        pages = paper.document(full, language)["pages"]
        told = [page["heading"] for page in pages if any(sentence in note for note in page["notes"])]
        assert told == [full.page(id).title[language] for id in ("meaning", "described")]


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_an_author_wrote_is_text_and_never_markup(every_type, language, tmp_path):
    text = text_of(paper.printed(every_type, language), tmp_path)
    assert {"fi": "Kaikki <b>#tyypit</b> $x$", "sv": "Alla *typer* [a]", "en": "Every @type \\ `x`"}[language] in text


def test_routing_is_said_in_words(every_type, tmp_path):
    said = {
        "fi": "Vastaa tämän osan kysymyksiin vain, jos valitsit kysymyksessä 1 vaihtoehdon ”Kyllä” "
        "tai valitsit kysymyksessä 2 vaihtoehdon ”Koira”.",
        "sv": "Besvara frågorna i den här delen bara om du valde ”Ja” i fråga 1 eller du valde ”Hund” i fråga 2.",
        "en": "Answer the questions of this part only if you chose “Yes” in question 1 "
        "or you chose “Dog” in question 2.",
    }
    for language, sentence in said.items():
        document = paper.document(every_type, language)
        assert document["pages"][1]["notes"] == [sentence]
        assert document["pages"][0]["notes"] == []
    [hours] = [one for one in document["pages"][0]["questions"] if one["number"] == "3"]
    assert hours["notes"] == ["Answer this only if you chose “Yes” in question 1."]


@pytest.mark.parametrize(
    ("source", "english"),
    [
        ("works != 'YES'", "you chose something other than “Yes” in question 1"),
        ("works in ['YES', 'NO']", "you chose one of these in question 1: “Yes” or “No”"),
        ("works not in ['YES']", "you chose something other than “Yes” in question 1"),
        ("pets_DOG == 0", "you did not choose “Dog” in question 2"),
        ("count(pets) >= 2", "you chose at least 2 options in question 2"),
        ("count(pets) >= 1", "you chose at least one option in question 2"),
        ("count(pets) == 0", "you chose no option in question 2"),
        ("hours > 35", "your answer to question 3 is more than 35"),
        ("35 <= hours", "your answer to question 3 is at least 35"),
        ("not hours < 35.5", "your answer to question 3 is at least 35.5"),
        ("answered(hours)", "you answered question 3"),
        ("not answered(hours)", "you did not answer question 3"),
        (
            "not (works == 'YES' and hours > 3)",
            "you chose something other than “Yes” in question 1 or your answer to question 3 is at most 3",
        ),
        (
            "works == 'NO' and (hours > 3 or count(pets) > 0)",
            "you chose “No” in question 1 and (your answer to question 3 is more than 3 "
            "or you chose at least one option in question 2)",
        ),
    ],
)
def test_a_condition_in_words_says_what_the_condition_says(every_type, source, english):
    numbers = {"works": "1", "pets": "2", "pets_DOG": "2", "pets_CAT": "2", "hours": "3"}
    assert Speaker(every_type, numbers, Words("en")).say(conditions.parse(source)) == english
    for language in ("fi", "sv"):
        said = Speaker(every_type, numbers, Words(language)).say(conditions.parse(source))
        assert said and "{" not in said and "?" not in said


def test_codes_are_shown_only_where_they_are_wished(every_type, tmp_path):
    assert "[YES]" not in text_of(paper.printed(every_type, "en"), tmp_path)
    assert "[YES]" in text_of(paper.printed(every_type, "en", codes=True), tmp_path)


def test_paper_keeps_the_authors_order_and_the_same_questionnaire_gives_the_same_bytes():
    instrument = loading.load(STUDY)
    first, second = (paper.printed(instrument, "fi") for _ in range(2))
    assert first == second
    [modes] = [page for page in paper.document(instrument, "en")["pages"] if page["heading"] == "Ways of operating"]
    chosen, rated = modes["questions"]
    assert [option["label"] for option in chosen["options"]][:2] == [
        "Production-oriented",
        "Product- or service-development-oriented",
    ]
    assert [row["label"] for row in rated["table"]["rows"]][-1] == "Public-administration mode"
    assert rated["notes"] == [f"Answer only for the options that you chose in question {chosen['number']}."]


def test_the_terminal_prints_every_language(tmp_path, capsys):
    assert cli.main(["print", "operating_mode", "--out", str(tmp_path)]) == 0
    names = sorted(file.name for file in tmp_path.iterdir())
    assert names == [f"operating_mode-core2015-{language}.pdf" for language in sorted(LANGUAGES)]
    assert all(file.read_bytes().startswith(b"%PDF-") for file in tmp_path.iterdir())
    assert cli.main(["print", "operating_mode", "--language", "de", "--out", str(tmp_path)]) == 1
    assert "there are: fi, sv, en" in capsys.readouterr().err
