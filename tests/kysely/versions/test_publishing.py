"""Who has begun goes on with the version begun, new respondents get what was published, and one extract holds all."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from analysis import extract as reader
from kysely import cli, dataset, loading
from kysely import store as stores
from kysely.codebook import Missing
from kysely.commands import extract as command
from kysely.store import REAL
from kysely.web import create_app, studies
from tests.conftest import in_production
from tests.kysely.harvest import NOW, Respondent
from tests.kysely.versions._barn import BARN, edited
from tests.kysely.web._visitor import ANSWERS, Visitor

STUDY = Path(__file__).parents[3] / "questionnaires" / "operating_mode"
MUNICIPALITY = (
    "          - {code: MUNI, label: {fi: Kunta tai kaupunki, sv: Kommun eller stad, en: Municipality or city}}\n"
)
TENURE = "      - id: BG06\n"


@pytest.fixture
def study(settings, tmp_path):
    """Settings and folder of a copy of the operating-mode questionnaire that can be edited."""
    folder = tmp_path / "questionnaires" / "operating_mode"
    folder.mkdir(parents=True)
    for name in ("questionnaire.yaml", "questionnaire.lock"):
        shutil.copy(STUDY / name, folder)
    return replace(settings, questionnaires=folder.parent), folder


def second_version(folder):
    """Reword one option and take out a question, and say so."""
    file = folder / "questionnaire.yaml"
    text = file.read_text(encoding="utf8")
    tenure = text[text.index(TENURE) : text.index("  - id: perspective\n")]
    text = edited(
        (tenure, "\n"),
        ("fi: Yksityinen yritys", "fi: Yritys yksityisomistuksessa"),
        ('revision: "2026.1"', 'revision: "2026.2"'),
        ("scales:\n", 'retired: [{question: BG06, since: "2026.2", why: too long}]\nscales:\n'),
        text=text,
    )
    file.write_text(text, encoding="utf8")
    return loading.load(folder)


def test_who_began_before_a_change_finishes_what_was_begun_and_loses_no_answer(study, store, tmp_path, monkeypatch):
    settings, folder = study
    monkeypatch.setattr(studies, "LOOK_AGAIN", 0)
    store = replace(store, settings=settings)
    app = create_app(settings, store)
    early, late = Visitor(app), Visitor(app)
    early.start()
    assert "Yksityinen yritys" in early.page.text
    early.answer(until="respondent")
    second = second_version(folder)
    [wave] = store.waves()
    assert store.publish_in(wave.id, second, NOW)
    # The page of the version begun, in its words, with the question that the new version lacks.
    assert early.see("organisation").status_code == 200 and "Yksityinen yritys" in early.page.text
    assert early.see("respondent").status_code == 200 and "BG06" in early.page.text
    early.answer()
    assert early.send().status_code == 200
    # Whoever begins now is asked the new version, without a restart.
    late.start()
    assert "Yritys yksityisomistuksessa" in late.page.text and "Yksityinen yritys" not in late.page.text
    late.answer(until="respondent")
    assert "BG06" not in late.page.text
    late.send(**{name: value for name, value in ANSWERS["respondent"].items() if name != "BG06"})
    late.answer()
    assert late.send().status_code == 200

    command.write(store, store.counts()[0], tmp_path / "extract", made_at=NOW)
    extract = reader.read(tmp_path / "extract")
    found = {
        version: (value, missing)
        for version, value, missing in zip(
            *(extract.responses[name].to_pylist() for name in ("version", "BG06", "BG06__missing")), strict=True
        )
    }
    first = next(hash for hash in found if hash != second.hash)
    assert found == {first: ("GT10", None), second.hash: (None, "routed_past")}
    assert extract.codebook.asked_in("BG06") == (first,)
    assert extract.codebook.asked_in("BG10") == (second.hash, first)
    labels = [extract.codebook.shown_in("BG10", hash).category("COMP").label["fi"] for hash in (first, second.hash)]
    assert labels == ["Yksityinen yritys", "Yritys yksityisomistuksessa"]


def test_a_demonstration_asks_the_file_as_it_is_at_the_start(study, store):
    settings, folder = study
    store = replace(store, settings=settings)
    first = create_app(settings, store)
    second = second_version(folder)
    assert "Yksityinen yritys" in Visitor(first).start().text
    assert "Yritys yksityisomistuksessa" in Visitor(create_app(settings, store)).start().text
    assert [one.hash for one in store.publications()][0] == second.hash
    assert [one.number for one in store.publications()] == [2, 1]


def test_production_asks_what_was_published_whatever_the_file_says_now(study, store):
    settings, folder = study
    settings = in_production(settings)
    store = replace(store, settings=settings)
    asking = stores.Asking("Us", "us@example.fi", "research", "consent", "a year")
    first = loading.load(folder)
    store.open_wave(first, name="2026", origin=REAL, asking=asking, now=NOW)
    second_version(folder)
    open_now = studies.open_studies(settings, store, REAL, lambda: NOW)
    assert open_now["operating_mode"].instrument.hash == first.hash
    (folder / "questionnaire.yaml").write_text("half a fi", encoding="utf8")
    assert studies.open_studies(settings, store, REAL, lambda: NOW)["operating_mode"].instrument.hash == first.hash


def test_going_back_to_an_earlier_version_is_a_publication_of_its_own(store, harvest):
    wave = store.open_wave(harvest, name="open", origin=REAL, now=NOW)
    other = replace(harvest, canonical=harvest.canonical + " ", hash="f" * 64)
    assert [store.publish_in(wave, one, NOW) for one in (harvest, other, other, harvest)] == [False, True, False, True]
    assert [one.hash for one in store.publications(wave=wave)] == [harvest.hash, other.hash, harvest.hash]


def test_a_publication_can_be_neither_changed_nor_deleted(store, harvest):
    from sqlalchemy import text

    from kysely.errors import StoreError

    store.open_wave(harvest, name="open", origin=REAL, now=NOW)
    for statement in ("UPDATE publication SET number = 7", "DELETE FROM publication"):
        with (
            pytest.raises(StoreError, match="publish anew|may not do this"),
            store.answers.database.writing() as connection,
        ):
            connection.execute(text(statement))


# ---- from the terminal


@pytest.fixture
def barn(sqlite_settings, tmp_path, monkeypatch):
    """A function that runs `kysely …` over a folder with the barn questionnaire, and its file."""
    folder = tmp_path / "questionnaires" / "barn"
    folder.mkdir(parents=True)
    file = folder / "questionnaire.yaml"
    file.write_text(BARN, encoding="utf8")
    monkeypatch.setenv("KYSELY_QUESTIONNAIRES", str(folder.parent))
    monkeypatch.setenv("KYSELY_INSTANCE", str(sqlite_settings.instance))
    monkeypatch.setenv("KYSELY_BUILD", str(sqlite_settings.build))
    monkeypatch.setenv("KYSELY_SECRET_KEY", sqlite_settings.secret_key)

    def kysely(*words):
        return cli.main(list(words))

    assert kysely("translations", "confirm", "barn") == 0
    return kysely, file


def test_nothing_can_be_published_before_a_wave_is_open(barn, capsys):
    kysely, _ = barn
    assert kysely("diff", "barn") == 0
    assert "nothing has been published yet" in capsys.readouterr().out
    assert kysely("publish", "barn") == 4
    assert "kysely wave open barn" in capsys.readouterr().err


def test_what_diff_refuses_publish_refuses_and_what_is_said_may_go(barn, capsys):
    kysely, file = barn
    kysely("wave", "open", "barn")
    middle = "          - {code: MIDDLE, label: {en: Middling, fi: Keskikokoinen}}\n"
    file.write_text(edited((middle, ""), ("en: Small", "en: Little")), encoding="utf8")
    kysely("translations", "confirm", "barn")
    capsys.readouterr()
    assert kysely("diff", "barn") == 1
    printed = capsys.readouterr().out
    assert f"! removed    {file}:20: question 'size', MIDDLE: the option MIDDLE “Middling”" in printed
    assert f"  text only  {file}:21: question 'size', SMALL: label in en: “Small” is now “Little”" in printed
    assert "Both are called revision '1'" in printed
    assert 'Add to `retired`: {question: size, code: MIDDLE, since: "1"}' in printed
    assert kysely("publish", "barn") == 1
    refused = capsys.readouterr().err
    assert "the option MIDDLE" in refused and "Nothing was published." in refused and "Small" not in refused
    said = 'retired:\n  - {question: size, code: MIDDLE, since: "2", maps_to: LARGE}\npages:\n'
    file.write_text(
        edited((middle, ""), ("en: Small", "en: Little"), ("pages:\n", said), ('revision: "1"', 'revision: "2"')),
        encoding="utf8",
    )
    assert kysely("diff", "barn") == 0
    assert kysely("publish", "barn") == 0
    assert "Published barn, form main, revision 2" in capsys.readouterr().out
    assert kysely("publish", "barn") == 0
    assert "asks this very version already" in capsys.readouterr().out
    assert kysely("diff", "barn") == 0
    assert "Nothing has changed." in capsys.readouterr().out


def test_a_file_can_be_compared_with_any_version_and_with_another_file(barn, capsys, tmp_path):
    kysely, file = barn
    kysely("wave", "open", "barn")
    first = loading.load(file).hash
    (tmp_path / "other.yaml").write_text(BARN, encoding="utf8")
    file.write_text(edited(("en: Small", "en: Little"), ('revision: "1"', 'revision: "2"')), encoding="utf8")
    kysely("translations", "confirm", "barn")
    assert kysely("publish", "barn") == 0
    capsys.readouterr()
    assert kysely("diff", "barn", "--against", first[:8]) == 0
    assert "“Small” is now “Little”" in capsys.readouterr().out
    assert kysely("diff", "barn", "--against", str(tmp_path / "other.yaml")) == 0
    assert "“Small” is now “Little”" in capsys.readouterr().out
    assert kysely("diff", "barn", "--against", "no version") == 1
    assert first[:12] in capsys.readouterr().err


def test_a_changed_file_is_not_published_under_a_revision_that_is_taken(barn, capsys):
    kysely, file = barn
    kysely("wave", "open", "barn")
    first = loading.load(file).hash
    file.write_text(edited(("en: Small", "en: Little")), encoding="utf8")
    kysely("translations", "confirm", "barn")
    capsys.readouterr()
    assert kysely("publish", "barn") == 1
    said = capsys.readouterr().err
    assert (
        f"{file}:3: file: revision: '1' is what another version is called ({first[:12]}), which was published" in said
    )
    assert "Give the changed file a new `revision`" in said and "Nothing was published." in said
    file.write_text(edited(("en: Small", "en: Little"), ('revision: "1"', 'revision: "1b"')), encoding="utf8")
    assert kysely("publish", "barn") == 0
    # Nor under an older one, when a third version comes.
    file.write_text(edited(("en: Small", "en: Tiny")), encoding="utf8")
    kysely("translations", "confirm", "barn")
    assert kysely("publish", "barn") == 1
    assert "'1' is what another version is called" in capsys.readouterr().err


def test_a_pooled_column_whose_name_no_program_reads_is_refused_before_anybody_answers(barn, capsys):
    kysely, file = barn
    long = "size_of_the_buildings_27_"  # 25 characters: with __mapped, 33
    text = edited(("id: size\n", f"id: {long}\n"))
    file.write_text(text, encoding="utf8")
    kysely("translations", "confirm", "barn")
    assert kysely("wave", "open", "barn") == 0
    middle = "          - {code: MIDDLE, label: {en: Middling, fi: Keskikokoinen}}\n"
    retired = f'retired:\n  - {{question: {long}, code: MIDDLE, since: "2", maps_to: LARGE}}\npages:\n'
    changed = edited((middle, ""), ("pages:\n", retired), ('revision: "1"', 'revision: "2"'), text=text)
    file.write_text(changed, encoding="utf8")
    kysely("translations", "confirm", "barn")
    capsys.readouterr()
    assert kysely("publish", "barn") == 1
    said = capsys.readouterr().err
    assert (
        f"file: retired: with the earlier versions of the wave '{long}__mapped' comes to 33 characters, 32 at most"
        in said
    )
    assert "Let `maps_to` name a question whose variables have at most 24 characters, or leave it out" in said
    file.write_text(changed.replace(", maps_to: LARGE", ""), encoding="utf8")
    assert kysely("publish", "barn") == 0


def test_in_production_a_wave_opens_only_on_what_could_be_published(barn, sqlite_settings, capsys, monkeypatch):
    kysely, file = barn
    monkeypatch.setenv("KYSELY_MODE", "production")
    monkeypatch.setenv("KYSELY_BASE_URL", "https://kysely.example.fi")
    monkeypatch.setenv("KYSELY_TRUSTED_HOSTS", "kysely.example.fi")
    monkeypatch.setenv("KYSELY_SECRET_KEY", "0123456789abcdefghijklmnopqrstuvwxyz")
    monkeypatch.setenv("KYSELY_LINK_KEY", (sqlite_settings.instance / "link.key").read_text(encoding="utf8").strip())
    who = [f"--{name}=x" for name in ("controller", "contact", "purpose", "legal-basis", "retention")]
    file.write_text(edited(("en: Small", "en: Little")), encoding="utf8")
    assert kysely("wave", "open", "barn", *who) == 1
    assert "the fi translation is stale" in capsys.readouterr().err
    kysely("translations", "confirm", "barn")
    assert kysely("wave", "open", "barn", *who) == 0


# ---- one extract of three versions


def versions(tmp_path):
    """Three versions of the barn: an option goes, a question goes and another comes, a number changes its unit."""
    middle = "          - {code: MIDDLE, label: {en: Middling, fi: Keskikokoinen}}\n"
    hen = "          - {code: HEN, label: {en: Hens, fi: Kanoja}}\n"
    second = edited(
        (middle, ""),
        (hen, hen + "          - {code: SHEEP, label: {en: Sheep, fi: Lampaita}}\n"),
        ('revision: "1"', 'revision: "2"'),
        ("pages:\n", 'retired:\n  - {question: size, code: MIDDLE, since: "2", maps_to: LARGE}\npages:\n'),
    )
    third = edited(
        (hen, ""),
        ("      - id: milk\n        type: number", "      - id: milk\n        type: text"),
        ("        minimum: 0\n        dont_know: true\n", ""),
        (
            "      - id: remark\n",
            "      - id: litres\n        type: number\n        text: {en: Litres?, fi: Litraa?}\n      - id: remark\n",
        ),
        ('revision: "2"', 'revision: "3"'),
        ("maps_to: LARGE}\n", 'maps_to: LARGE}\n  - {question: animals, code: HEN, since: "3", maps_to: SHEEP}\n'),
        ("pages:\n", 'changed:\n  - {question: milk, since: "3", was: a number}\npages:\n'),
        text=second,
    )
    made = []
    for number, text in enumerate((BARN, second, third), start=1):
        file = tmp_path / f"{number}.yaml"
        file.write_text(text, encoding="utf8")
        made.append(loading.load(file))
    return made


def answered(version, chance):
    """Return answers to everything that *version* asks, as a robot gives them."""
    from werkzeug.datastructures import MultiDict

    answers: dict = {}
    for question in version.questions:
        typed = MultiDict(question.fill("", answers, chance, seed=0))
        answers |= question.parse("", typed, answers)
    return answers


def test_no_answer_is_lost_when_three_versions_are_pooled(store, tmp_path):
    first, second, third = versions(tmp_path)
    wave = store.open_wave(first, name="open", origin=REAL, now=NOW)
    chance, given, began = Random(1), Counter(), NOW
    for version in (first, second, third):
        store.publish_in(wave, version, began)
        for _ in range(10):
            began += timedelta(minutes=1)
            person = Respondent(store, store.start(wave, REAL, version.hash, "en", 1, began))
            answers = answered(version, chance)
            person.saves("barn", **answers)
            on_path = dataset.routing.effective(version, answers)
            given.update(
                (version.hash, name)
                for name, value in on_path.items()
                if not isinstance(value, Missing) and version.codebook[name].closed
            )
    command.write(store, store.counts()[0], tmp_path / "extract", made_at=NOW)
    extract = reader.read(tmp_path / "extract")
    book = extract.codebook
    assert extract.manifest["versions"] == [third.hash, second.hash, first.hash]
    assert [version.revision for version in book.versions] == ["3", "2", "1"]
    table = {name: extract.responses[name].to_pylist() for name in extract.responses.column_names}

    # Count in = count out, version by version and variable by variable.
    found = Counter(
        (version, name.split("__was")[0])
        for name in table
        if name in book and not name.endswith("__mapped")
        for version, value in zip(table["version"], table[name], strict=True)
        if value is not None
    )
    assert found == given and sum(given.values()) > 100

    # Retired options and questions keep their columns and codes; a name that became another type has two.
    assert [category.code for category in book["size"].categories] == ["SMALL", "MIDDLE", "LARGE"]
    assert book.asked_in("animals_HEN") == (second.hash, first.hash)
    assert book.asked_in("litres") == (third.hash,)
    assert str(book["milk__was"].kind) == "number" and "milk" not in table  # text stays behind
    assert book.versions[0].changed == {"milk": "a number"}

    # What retired codes count as stands beside the answers and never in their place.
    assert "MIDDLE" in table["size"] and "MIDDLE" not in table["size__mapped"]
    for was, counts_as in zip(table["size"], table["size__mapped"], strict=True):
        assert counts_as == ("LARGE" if was == "MIDDLE" else was)
    both = zip(table["animals_HEN"], table["animals_SHEEP"], table["animals_SHEEP__mapped"], strict=True)
    for hen, sheep, counts_as in both:
        ticks = [one for one in (hen, sheep) if one is not None]
        assert counts_as == (max(ticks) if ticks else None)


def test_an_extract_of_one_version_is_as_it_was(store, tmp_path):
    first, *_ = versions(tmp_path)
    wave = store.open_wave(first, name="open", origin=REAL, now=NOW)
    Respondent(store, store.start(wave, REAL, first.hash, "en", 1, NOW)).saves("farm", size="SMALL")
    command.write(store, store.counts()[0], tmp_path / "extract", made_at=NOW)
    assert reader.read(tmp_path / "extract").codebook == first.codebook


def test_a_question_that_counts_as_another_is_pooled_with_it(tmp_path):
    old = edited(('id: remark\n        type: text\n        required: "no"', "id: age\n        type: number"))
    new = edited(
        ('id: remark\n        type: text\n        required: "no"', "id: years\n        type: number"),
        ("pages:\n", 'retired: [{question: age, since: "2", maps_to: years}]\npages:\n'),
    )
    made = []
    for name, text in (("old", old), ("new", new)):
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf8")
        made.append(loading.load(tmp_path / f"{name}.yaml"))
    first, second = made
    rows = [
        dataset.Response(
            response=str(at),
            organisation=None,
            wave="w",
            origin=REAL,
            version=version.hash,
            language="en",
            answers=answers,
        )
        for at, (version, answers) in enumerate(((first, {"age": 30}), (second, {"years": 40}), (second, {})))
    ]
    table = dataset.columns(second, rows, {first.hash: first})
    assert table["age"] == [30.0, None, None]
    assert table["years"] == [None, 40.0, None]
    assert table["years__mapped"] == [30.0, 40.0, None]
    assert table["years__mapped__missing"] == [None, None, "not_reached"]
