"""What was answered decides which rows, options and words come later."""

from __future__ import annotations

import pytest

from kysely import loading, routing
from kysely.codebook import Missing
from kysely.errors import AuthorError
from kysely.instrument import Screen

QUESTIONNAIRE = """
schema: questionnaire/1
id: tools
revision: "1"
languages: {base: en, required: [en, fi]}
title: {en: Tools, fi: Välineet}
scales:
  AGREE:
    levels:
      - {code: NO, value: 0, label: {en: "No", fi: Ei}}
      - {code: SOME, value: 1, label: {en: Some, fi: Vähän}}
      - {code: MUCH, value: 3, label: {en: Much, fi: Paljon}}
pages:
  - id: which
    title: {en: Which, fi: Mitkä}
    questions:
      - id: used
        type: multiple_choice
        text: {en: Which do you use?, fi: Mitä käytätte?}
        options:
          - {code: CARD, label: {en: scorecard, fi: tuloskortti}}
          - {code: CASH, label: {en: budget, fi: budjetti}}
          - {code: OTHER, label: {en: other, fi: muu}, detail: {id: used_text}}
          - {code: NONE, label: {en: none, fi: ei mitään}, exclusive: true}
  - id: how
    title: {en: "How well {used|they} serve", fi: "Miten {used|ne} palvelevat"}
    questions:
      - id: helps
        type: grid
        text: {en: How much does it help?, fi: Paljonko siitä on apua?}
        scale: AGREE
        rows_from: used
  - id: best
    title: {en: Best, fi: Paras}
    questions:
      - id: best
        type: single_choice
        text: {en: Which is best?, fi: Mikä on paras?}
        options_from: used
        options:
          - {code: ALIKE, label: {en: all alike, fi: samantekevä}}
      - id: share
        type: points
        text: {en: Divide ten points, fi: Jaa kymmenen pistettä}
        total: 10
        options_from: used
  - id: words
    title: {en: Words, fi: Sanat}
    show_if: "dominant(helps) in ['CARD', 'CASH', 'OTHER']"
    questions:
      - id: means
        type: text
        text:
          en: "What does “{dominant(helps)|it}” mean?"
          fi: "Mitä ”{dominant(helps)|se}” tarkoittaa?"
  - id: many
    title: {en: Many, fi: Monta}
    show_if: "count(helps == 3) >= 2"
    questions:
      - id: why
        type: text
        text: {en: "Why several ({used_text|nothing else})?", fi: "Miksi ({used_text|ei muuta})?"}
"""


@pytest.fixture(scope="module")
def load(tmp_path_factory):
    def load(text: str = QUESTIONNAIRE):
        folder = tmp_path_factory.mktemp("piping")
        (folder / "questionnaire.yaml").write_text(text, encoding="utf-8")
        return loading.load(folder)

    return load


@pytest.fixture(scope="module")
def tools(load):
    return load()


def used(*codes: str, other: str = "") -> dict:
    answers: dict = {f"used_{code}": int(code in codes) for code in ("CARD", "CASH", "OTHER")}
    return {**answers, **({"used_text": other} if other else {})}


def shown(instrument, answers, page):
    return {question.id: question for question in routing.route(instrument, answers).questions.get(Screen(page), ())}


def test_the_rows_are_the_options_chosen_with_their_labels(tools):
    helps = shown(tools, used("CARD", "OTHER", other="Kanban"), "how")["helps"]
    assert [(row.code, row.label["en"]) for row in helps.rows] == [("CARD", "scorecard"), ("OTHER", "Kanban")]


def test_a_row_that_was_not_chosen_is_routed_past_rather_than_unanswered(tools):
    effective = routing.effective(tools, {**used("CARD"), "helps_CARD": 3})
    assert effective["helps_CARD"] == 3
    assert effective["helps_CASH"] is effective["helps_OTHER"] is Missing.ROUTED_PAST


def test_a_row_that_hangs_on_a_question_not_seen_yet_is_not_reached(tools):
    assert routing.effective(tools, {})["helps_CARD"] is Missing.NOT_REACHED


def test_where_nothing_was_chosen_the_grid_and_its_page_are_not_shown(tools):
    route = routing.route(tools, used())
    assert Screen("how") not in route.screens and "share" not in shown(tools, used(), "best")


def test_an_answer_to_a_row_that_was_deselected_is_kept_and_found_again(tools):
    before = {**used("CARD", "CASH"), "helps_CARD": 1, "helps_CASH": 3}
    without = {**before, **used("CARD")}
    assert routing.effective(tools, without)["helps_CASH"] is Missing.ROUTED_PAST
    assert routing.effective(tools, {**without, **used("CARD", "CASH")})["helps_CASH"] == 3


def test_an_option_chosen_that_is_no_longer_offered_is_asked_again(tools):
    answers = {**used("CARD"), "helps_CARD": 1, "best": "CARD", "share_CARD": 10}
    later = {**answers, **used("CASH"), "helps_CASH": 1}
    assert routing.effective(tools, later)["best"] is Missing.NOT_REACHED
    assert routing.position(tools, later) == Screen("best")


def test_points_given_to_an_option_that_is_no_longer_offered_are_divided_anew(tools):
    answers = {
        **used("CARD", "CASH", "OTHER", other="x"),
        **dict.fromkeys(("helps_CARD", "helps_CASH", "helps_OTHER"), 1),
        "best": "ALIKE",
        **{"share_CARD": 5, "share_CASH": 3, "share_OTHER": 2},
    }
    assert routing.effective(tools, answers)["share_CARD"] == 5
    fewer = {**answers, **used("CARD", "CASH")}
    assert routing.effective(tools, fewer)["share_CARD"] is Missing.NOT_REACHED
    assert routing.position(tools, fewer) == Screen("best")


def test_titles_and_questions_say_what_was_chosen_in_the_respondents_language(tools):
    page = routing.route(tools, used("CARD", "CASH")).pages["how"]
    assert page.title == {"en": "How well scorecard and budget serve", "fi": "Miten tuloskortti ja budjetti palvelevat"}


@pytest.mark.parametrize(
    ("levels", "words"),
    [
        ({"CARD": 3, "CASH": 1}, "What does “scorecard” mean?"),
        ({"CARD": 1, "CASH": 3}, "What does “budget” mean?"),
        ({"CARD": 3, "CASH": 3}, None),  # a tie is COMBO, which the page's condition leaves out
        ({"CARD": 0, "CASH": 0}, None),
        ({"CARD": 3, "CASH": Missing.NO_ANSWER}, None),
    ],
)
def test_the_dominant_one_is_the_only_one_with_the_highest_level(tools, levels, words):
    answers = {**used("CARD", "CASH"), **{f"helps_{code}": level for code, level in levels.items()}}
    found = shown(tools, answers, "words")
    assert (found["means"].text["en"] if found else None) == words


def test_rows_not_shown_are_in_no_count(tools):
    answers = {**used("CARD", "CASH"), "helps_CARD": 3, "helps_CASH": 3}
    assert shown(tools, answers, "many")["why"].text["en"] == "Why several (nothing else)?"
    assert shown(tools, {**answers, "helps_CASH": 1}, "many") == {}


def test_typed_text_is_shown_again_as_it_was_typed_even_if_it_looks_like_a_placeholder(tools):
    answers = {**used("CARD", "OTHER", other="{used|x} <b>"), "helps_CARD": 3, "helps_OTHER": 3}
    assert shown(tools, answers, "many")["why"].text["en"] == "Why several ({used|x} <b>)?"


def test_the_codebook_says_what_everybody_was_asked(tools):
    assert tools.codebook["means"].text["en"] == "What does “it” mean?"
    assert tools.codebook["helps_OTHER"].label["en"] == "other"


def test_a_stored_definition_reads_back_with_the_same_rows_and_the_same_hash(tools):
    again = loading.from_canonical(tools.canonical)
    assert again.hash == tools.hash and again.codebook == tools.codebook


FAULTS = [
    ("rows_from: used", "rows_from: usd", "unknown_reference", "usd"),
    ("rows_from: used", "rows_from: best", "unknown_reference", "best"),
    ("{used|they}", "{used}", "placeholder_fallback", "no answer"),
    ("{used|they}", "they", "placeholder_missing", "missing in en"),
    ("{used|they}", "{uses|they}", "unknown_reference", "uses"),
    ("{used|they}", "{why|they}", "forward_reference", "asked later"),
    ("{dominant(helps)|it}", "{dominant(used)|it}", "not_levels", "levels"),
    ("dominant(helps) in ['CARD', 'CASH', 'OTHER']", "dominant(helps) == 'CRAD'", "unknown_code", "CRAD"),
    ("dominant(helps) in ['CARD', 'CASH', 'OTHER']", "dominant(used) == 'CARD'", "not_levels", "levels"),
    ("dominant(helps) in ['CARD', 'CASH', 'OTHER']", "dominant(best) == 'CARD'", "not_a_set", "one variable"),
    ("count(helps == 3) >= 2", "count(helps == 3) >= 4", "never_so", "never so"),
    ("count(helps == 3) >= 2", "count(helps == 2) >= 2", "unreachable_page", "no answers"),
    ("options_from: used\n        options:", "options_from: used_CARD\n        options:", "not_a_set", "one variable"),
    (
        "{code: ALIKE, label: {en: all alike, fi: samantekevä}}",
        "{code: ALIKE, show_if: \"why == 'x'\", label: {en: all alike, fi: samantekevä}}",
        "forward_reference",
        "asked later",
    ),
    (
        "{code: ALIKE, label: {en: all alike, fi: samantekevä}}",
        '{code: ALIKE, show_if: "used_CARD == 1 and used_CARD == 0", label: {en: all alike, fi: samantekevä}}',
        "unreachable_option",
        "no answers",
    ),
    (
        "{code: ALIKE, label: {en: all alike, fi: samantekevä}}",
        "{code: CARD, label: {en: all alike, fi: samantekevä}}",
        "duplicate_code",
        "CARD",
    ),
]


@pytest.mark.parametrize(("old", "new", "code", "says"), FAULTS)
def test_an_author_is_told_what_a_row_option_or_text_refers_to_in_vain(load, old, new, code, says):
    assert old in QUESTIONNAIRE
    with pytest.raises(AuthorError) as refusal:
        load(QUESTIONNAIRE.replace(old, new, 1))
    found = [problem for problem in refusal.value.problems if problem.code == code]
    assert found, [str(problem) for problem in refusal.value.problems]
    assert says in found[0].cause and found[0].cure and found[0].line > 0
    changed = QUESTIONNAIRE[: QUESTIONNAIRE.index(old)].count("\n") + 1
    assert abs(found[0].line - changed) <= 2


def test_a_form_that_leaves_out_where_its_rows_come_from_is_refused(load):
    forms = "forms:\n  short: {pages: [how]}\npages:"
    with pytest.raises(AuthorError) as refusal:
        load(QUESTIONNAIRE.replace("pages:", forms, 1))
    assert "unknown_reference" in {problem.code for problem in refusal.value.problems}
