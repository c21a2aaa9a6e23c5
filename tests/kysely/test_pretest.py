"""Walking a questionnaire finds what nobody can meet, and meets what only few do."""

from __future__ import annotations

import pytest

from kysely import cli, loading, pretest, routing
from kysely.codebook import Missing

HEAD = """\
schema: questionnaire/1
id: maze
revision: "1"
languages: {base: en, required: [en, fi]}
title: {en: A maze, fi: Sokkelo}
minutes: 2
pages:
  - id: gate
    title: {en: Gate, fi: Portti}
    questions:
      - id: points
        type: points
        text: {en: Divide a hundred points., fi: Jaa sata pistettä.}
        options:
          - {code: LEFT, label: {en: Left, fi: Vasen}}
          - {code: RIGHT, label: {en: Right, fi: Oikea}}
      - id: steps
        type: number
        text: {en: How many steps?, fi: Montako askelta?}
        minimum: 0
        maximum: 1000000
        integer: true
"""


def page(name, condition):
    return f"""\
  - id: {name}
    title: {{en: Room, fi: Huone}}
    show_if: "{condition}"
    questions:
      - id: in_{name}
        type: single_choice
        text: {{en: Go on?, fi: Jatketaanko?}}
        options:
          - {{code: YES, label: {{en: "Yes", fi: Kyllä}}}}
          - {{code: NO, label: {{en: "No", fi: Ei}}, show_if: "points_LEFT > 0"}}
"""


@pytest.fixture
def maze(tmp_path):
    def make(*rooms):
        folder = tmp_path / "questionnaires" / "maze"
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "questionnaire.yaml"
        file.write_text(HEAD + "".join(page(*room) for room in rooms), encoding="utf8")
        return loading.load(folder)

    return make


def test_a_page_that_one_answer_in_a_million_leads_to_is_found_on_purpose(maze):
    instrument = maze(("cellar", "steps == 123457"), ("attic", "in_cellar == 'NO' and points_LEFT >= 90"))
    findings = pretest.walk(instrument)
    assert (findings.pages, findings.questions, findings.members) == ((), (), ())
    assert findings.directed > 0
    assert any("attic" in way.pages for way in pretest.witnesses(findings))
    assert len(pretest.witnesses(findings)) <= 3


def test_a_page_behind_answers_that_exclude_each_other_is_never_met(maze):
    # Of a hundred points no two options have sixty.
    instrument = maze(("both", "points_LEFT >= 60 and points_RIGHT >= 60"), ("cellar", "points_LEFT >= 60"))
    findings = pretest.walk(instrument)
    assert findings.pages == ("both",)
    assert findings.questions == ("in_both",)
    assert findings.members == (("in_both", "YES"), ("in_both", "NO"))


def test_every_way_is_one_that_the_interview_would_take(maze):
    instrument = maze(("cellar", "steps > 10"), ("attic", "points_LEFT >= 50"))
    for way in pretest.walk(instrument).ways:
        assert routing.position(instrument, way.answers) is None
        screens = {screen for screen, _ in way.screens}
        assert set(routing.route(instrument, way.answers).screens) <= screens


def test_the_same_seed_walks_the_same_ways(maze):
    instrument = maze(("cellar", "steps > 10"))
    one, same, other = (pretest.walk(instrument, seed, ways=20) for seed in (1, 1, 2))
    assert [way.answers for way in one.ways] == [way.answers for way in same.ways]
    assert [way.answers for way in one.ways] != [way.answers for way in other.ways]


def test_the_length_is_the_words_read_and_what_there_is_to_answer(maze):
    instrument = maze()
    [length, finnish] = pretest.lengths(instrument, pretest.walk(instrument, ways=5))
    # Page, 1 word; the two questions, 4 + 3 words; the two labels, 2 words: 10 words at 228 a minute. One screen and
    # three lines to fill in.
    screens = pretest.SCREEN_SECONDS + 3 * pretest.LINE_SECONDS
    assert length.language == "en"
    assert length.median == length.longest == pytest.approx((10 / 228 * 60 + screens) / 60)
    # Portti. Jaa sata pistettä. Vasen, oikea. Montako askelta? 8 words at 161.
    assert finnish.median == pytest.approx((8 / 161 * 60 + screens) / 60)


@pytest.fixture
def kysely(tmp_path, monkeypatch):
    monkeypatch.setenv("KYSELY_QUESTIONNAIRES", str(tmp_path / "questionnaires"))
    monkeypatch.setenv("KYSELY_INSTANCE", str(tmp_path / "instance"))
    return lambda *words: cli.main(list(words))


def test_the_terminal_fails_on_a_page_that_nobody_can_meet(maze, kysely, capsys):
    maze(("both", "points_LEFT >= 60 and points_RIGHT >= 60"))
    assert kysely("simulate", "maze", "--walk", "--respondents", "2") == 1
    printed = capsys.readouterr().out
    assert "Nobody met the page both" in printed
    assert "respondents are told 2" in printed


def test_the_terminal_walks_every_branch_through_the_real_application(maze, kysely, capsys, tmp_path):
    maze(("cellar", "steps == 123457"))
    assert kysely("simulate", "maze", "--walk", "--respondents", "2") == 0
    printed = capsys.readouterr().out
    assert "Every page, question, row and option was met by somebody." in printed
    assert "No page went wrong, in en, fi." in printed
    assert not (tmp_path / "instance" / "answers.db").exists()


def test_nothing_on_the_path_is_left_unanswered_by_accident(maze):
    instrument = maze(("cellar", "steps > 10"))
    for way in pretest.walk(instrument, ways=30).ways:
        effective = routing.effective(instrument, way.answers)
        assert Missing.NOT_REACHED not in effective.values()
