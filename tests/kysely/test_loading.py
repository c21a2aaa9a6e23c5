"""Questionnaire files: what is read, and every mistake an author can make, told with line, cause and cure."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kysely import loading
from kysely.codebook import Missing
from kysely.errors import AuthorError, Problem

QUESTIONNAIRES = sorted(Path(__file__).parents[2].glob("questionnaires/*/questionnaire.yaml"))

HEAD = """\
schema: questionnaire/1
id: worklife
revision: "1"
languages: {base: fi, required: [fi, sv, en]}
title: {fi: Työ, sv: Arbete, en: Work}
scales:
  CENT4:
    levels:
      - {code: NOT, value: 0, label: {fi: a, sv: a, en: a}}
      - {code: SOME, value: 1, label: {fi: b, sv: b, en: b}}
"""
PAGES = """\
pages:
  - id: first
    title: {fi: Yksi, sv: Ett, en: One}
    questions:
      - id: works
        type: single_choice
        text: {fi: Työssä?, sv: I arbete?, en: At work?}
        options:
          - {code: YES, label: {fi: kyllä, sv: ja, en: "yes"}}
          - {code: NO, label: {fi: ei, sv: nej, en: "no"}}
  - id: second
    title: {fi: Kaksi, sv: Två, en: Two}
    show_if: "works == 'YES'"
    questions:
      - id: hours
        type: number
        text: {fi: Tunnit?, sv: Timmar?, en: Hours?}
        minimum: 0
        maximum: 168
      - id: why
        type: multiple_choice
        text: {fi: Miksi?, sv: Varför?, en: Why?}
        options:
          - {code: PAY, label: {fi: palkka, sv: lön, en: pay}}
          - {code: JOY, label: {fi: ilo, sv: glädje, en: joy}}
"""
NOTE = """\
      - id: note
        type: text
        text: {fi: Muuta?, sv: Annat?, en: Else?}
"""
SOUND = HEAD + PAGES + NOTE
CHOICE = """\
      - id: late
        type: single_choice
        text: {fi: a, sv: b, en: c}
        options:
          - {code: A, label: {fi: a, sv: a, en: a}}
          - {code: B, label: {fi: b, sv: b, en: b}}
"""
SEVERAL = CHOICE.replace("single_choice", "multiple_choice")
PAGE = """\
  - id: third
    title: {fi: Kolme, sv: Tre, en: Three}
    questions:
"""
WEIGHTED = """\
      - id: OM_B
        type: weighted_choice
        choose: {id: OM_B01, text: {fi: a, sv: a, en: a}}
        rate: {id: OM_B02, text: {fi: a, sv: a, en: a}}
        scale: CENT4
        options:
          - {code: PROD, label: {fi: a, sv: a, en: a}}
          - {code: CUST, label: {fi: b, sv: b, en: b}}
"""
ORGANISATION = """\
      - id: employer
        type: organisation
        text: {fi: a, sv: a, en: a}
"""
SHOWN = "works == 'YES'"


class Mistake(NamedTuple):
    """The sound file with *old* replaced by *new*, and what the author is told at the first line that holds *at*."""

    code: str
    old: str
    new: str
    at: str
    says: str


def added(code: str, text: str, at: str, says: str) -> Mistake:
    """The sound file with *text* at its end."""
    return Mistake(code, NOTE, NOTE + text, at, says)


def shown_if(code: str, condition: str, says: str) -> Mistake:
    """The sound file with a last question that has a condition."""
    return added(code, f'{CHOICE}        show_if: "{condition}"\n', condition, says)


KEYS_AND_TYPES = [
    Mistake("unknown_key", "minimum: 0", "minimun: 0", "minimun", "Did you mean 'minimum'"),
    Mistake("unknown_key", "code: PAY,", "code: PAY, value: 1,", "PAY", "Use one of: code, label"),
    Mistake("missing_key", 'revision: "1"\n', "", "schema", "Add `revision:`"),
    Mistake("missing_key", "        type: number\n", "", "- id: hours", "number"),
    Mistake("duplicate_key", "        maximum: 168", "        minimum: 168", "minimum: 168", "first on line 28"),
    Mistake("wrong_type", "maximum: 168", "maximum: many", "many", "'many' stands where a number should"),
    Mistake("wrong_type", "maximum: 168", "maximum: 12:30", "12:30", "a number"),
    Mistake("wrong_type", "minimum: 0", "minimum: true", "minimum: true", "a number"),
    Mistake("wrong_type", "minimum: 0", "minimum: .nan", "minimum: .nan", "no number"),
    Mistake("wrong_type", "minimum: 0", "integer: 1", "integer: 1", "true or false"),
    Mistake("wrong_type", "en: Hours?", "en: 12", "en: 12", "Put it in quotes"),
    Mistake("wrong_type", "en: Hours?", "en: [a]", "en: [a]", "a list"),
    Mistake("wrong_type", 'revision: "1"', "revision: 2026.1", "revision", "Put it in quotes"),
    Mistake("wrong_type", 'revision: "1"', "revision: 2026-01-01", "revision", "quotes"),
    Mistake("wrong_type", "{fi: Tunnit?, sv: Timmar?, en: Hours?}", "Tunnit?", "Tunnit", "fi: …"),
    Mistake("wrong_type", "pages:\n", "core: works\npages:\n", "core", "a list"),
    Mistake("wrong_type", f'show_if: "{SHOWN}"', "show_if: [works]", "show_if", "a condition in quotes"),
    Mistake("wrong_type", "      - id: hours", "      - hours\n      - id: hours", "- hours", "keys with values"),
    Mistake("bad_key", 'revision: "1"', 'revision: "1"\n? [a]\n: b', "? [a]", "plain text"),
    Mistake("wrong_value", "minimum: 0", "required: maybe", "maybe", "soft, hard, no"),
    Mistake("wrong_value", "questionnaire/1", "questionnaire/2", "schema", "Did you mean 'questionnaire/1'"),
    Mistake("out_of_range", "pages:\n", "minutes: 0\npages:\n", "minutes", "from 1 to 240"),
    Mistake("unknown_type", "type: number", "type: nunber", "nunber", "Did you mean 'number'"),
    Mistake("unknown_type", "type: number", "type: ../os", "../os", "single_choice"),
]
NAMES = [
    Mistake("bad_name", "id: hours", "id: 2hours", "2hours", "Begin with a letter"),
    Mistake("bad_name", "id: hours", "id: työ", "id: työ", "letters"),
    Mistake("bad_name", "id: hours", "id: hours__missing", "hours__missing", "two underscores"),
    Mistake("bad_name", "code: PAY,", "code: P-Y,", "P-Y", "'P-Y' is no code word"),
    Mistake("long_name", "id: hours", f"id: {'h' * 33}", "h" * 33, "at most 32"),
    Mistake("long_name", "code: PAY,", f"code: {'P' * 30},", "P" * 30, "34 characters"),
    Mistake("reserved_name", "id: hours", "id: mode", "id: mode", "every extract"),
    *(
        Mistake("reserved_name", "id: hours", f"id: {name}", f"id: {name}", "adds to every form")
        for name in ("ticket", "end", "skip", "go")
    ),
    Mistake("reserved_name", "id: worklife", "id: charts", "id: charts", "another page of the site"),
    Mistake("duplicate_id", "id: hours", "id: Works", "id: Works", "line 15"),
    Mistake("duplicate_id", "id: second", "id: First", "id: First", "line 12"),
    Mistake("duplicate_code", "code: JOY,", "code: PAY,", "joy", "its own code"),
    Mistake("duplicate_code", "code: JOY,", "code: pay,", "joy", "differs in case only"),
    Mistake("duplicate_code", "code: SOME, value: 1", "code: NOT, value: 1", "value: 1", "stands twice"),
    Mistake("name_clash", "id: hours", "id: why_pay", "code: PAY", "'why_pay' of question 'why_pay'"),
    Mistake("name_clash", "id: note", "id: WHY_joy", "id: WHY_joy", "'why_JOY' of question 'why'"),
    Mistake("name_clash", "code: JOY,", "code: JOY, detail: {id: WHY_PAY},", "WHY_PAY", "'WHY_PAY' clash"),
    added("name_clash", ORGANISATION + CHOICE.replace("late", "employer_name"), "id: employer_name", "'employer'"),
    added("identified_twice", ORGANISATION + ORGANISATION.replace("employer", "owner"), "id: owner", "'employer'"),
]
WORDING = [
    Mistake("language_missing", "sv: Timmar?, ", "", "fi: Tunnit?", "'sv' is missing"),
    Mistake("language_blank", "sv: Timmar?", "sv: ' '", "sv: ' '", "'sv' is blank"),
    Mistake("language_blank", "sv: Timmar?", "sv: ", "sv: , en", "'sv' is blank"),
    Mistake("language_unknown", "sv: Timmar?", "sv: Timmar?, se: T?", "se: T?", "'se' is no language"),
    Mistake("language_unknown", "en: Hours?", "en: Hours, about", "about", "text with a comma needs quotes"),
    Mistake("bad_language", "[fi, sv, en]", "[sv, en]", "languages", "'fi' is not among those required"),
    Mistake("bad_language", "base: fi", "base: FI", "languages", "'FI' is no language code"),
    Mistake("invisible_character", "en: Hours?", 'en: "Ho\\u200burs?"', "Ho", "U+200B"),
    Mistake("invisible_character", "en: Hours?", 'en: "Ho\\u202eurs?"', "Ho", "U+202E"),
    Mistake("invisible_character", "en: Hours?", 'en: "Ho\\ud800urs?"', "Ho", "U+D800"),
    Mistake("formula", "en: Hours?", "en: '=Hours?'", "=Hours", "a spreadsheet reads as a formula"),
    Mistake("formula", "en: Hours?", "en: '@Hours?'", "@Hours", "a spreadsheet reads as a formula"),
]
CONDITIONS = [
    Mistake("bad_condition", SHOWN, "works = 'YES'", "show_if", "can't be read"),
    Mistake("unknown_reference", SHOWN, "work == 'YES'", "show_if", "Did you mean 'works'"),
    Mistake("unknown_reference", SHOWN, "answered(x)", "show_if", "there is no 'x'"),
    Mistake("forward_reference", SHOWN, "hours > 1", "show_if", "asks itself"),
    Mistake("forward_reference", NOTE, f"{NOTE}        show_if: answered(note)\n", "answered(note)", "asks itself"),
    Mistake(
        "forward_reference",
        "      - id: works\n",
        '      - id: works\n        show_if: "hours > 1"\n',
        "hours > 1",
        "asked later (line 26). Move 'hours' before it",
    ),
    Mistake("unknown_code", SHOWN, "works == 'YSE'", "show_if", "Did you mean 'YES'"),
    Mistake("unknown_code", SHOWN, "works in ['YES', 'MAYBE']", "show_if", "Use one of: YES, NO"),
    shown_if("unknown_code", "why_PAY == 2", "Use one of: 0, 1"),
    Mistake("condition_type", SHOWN, "works == 1", "show_if", "holds codes"),
    Mistake("condition_type", SHOWN, "works > 'NO'", "show_if", "List the codes"),
    Mistake("condition_type", SHOWN, "'a' == 'b'", "show_if", "two fixed values"),
    shown_if("condition_type", "hours == 'x'", "holds numbers"),
    shown_if("condition_type", "count(why) == 'x'", "with a number"),
    shown_if("condition_type", "hours == works", "holds numbers, with 'works', which holds codes"),
    shown_if("condition_type", "works > 3", "holds codes. Write the code in quotes"),
    shown_if("condition_type", "note == 3", "holds text. Write the text in quotes"),
    shown_if("condition_type", "note == works", "holds text, with 'works', which holds codes"),
    shown_if("condition_type", "works >= works", "orders codes by >="),
    shown_if("never_so", "works == 'YES' or hours > 200", "'hours' > 200, which is never so"),
    shown_if("never_so", "works == 'YES' or 200 < hours", "'hours' > 200, which is never so"),
    shown_if("never_so", "works == 'YES' or hours in [3, -1]", "'hours' == -1, which is never so"),
    shown_if("never_so", "works == 'YES' or why_PAY > 1", "'why_PAY' > 1, which is never so"),
    shown_if("never_so", "works == 'YES' or count(why) > 2", "count(why) > 2, which is never so"),
    shown_if("set_as_value", "why == 1", "count(why)"),
    Mistake("not_a_set", SHOWN, "count(works) == 1", "show_if", "is one variable"),
    Mistake("unreachable_page", SHOWN, "works == 'YES' and works == 'NO'", "show_if", "no answers lead"),
    Mistake("unreachable_page", SHOWN, "works not in ['YES', 'NO']", "show_if", "no answers lead"),
    shown_if("unreachable_question", "hours > 100 and hours < 50", "no answers lead"),
    shown_if("unreachable_question", "works == 'NO'", "no answers lead"),
    shown_if("unreachable_question", "count(why) > 1 and why_PAY == 0", "no answers lead"),
]
ORDERED = "        ordered: true\n"
OPTIONS = [
    added(
        "no_options",
        SEVERAL.replace("A,", "A, exclusive: true,").split("          - {code: B")[0],
        "options:\n          - {code: A, e",
        "at least one ordinary option",
    ),
    added("duplicate_value", CHOICE.replace(" label", " value: 1, label"), "code: B", "both have the value 1"),
    added(
        "not_monotone",
        CHOICE.replace("A,", "A, value: 2,").replace("B,", "B, value: 1,") + ORDERED,
        "code: B",
        "from 2 to 1",
    ),
    added("value_missing", CHOICE.replace("B,", "B, value: 1,") + ORDERED, "code: A", "A has no value"),
    added("missing_with_value", CHOICE.replace("B,", "B, value: 9, missing: dont_know,"), "code: B", "the value 9"),
    added(
        "missing_twice",
        CHOICE.replace("B,", "B, missing: dont_know,") + "        dont_know: true\n",
        "code: B",
        "the question itself both offer dont_know",
    ),
    added("missing_not_exclusive", SEVERAL.replace("B,", "B, missing: dont_know,"), "code: B", "Add `exclusive: true`"),
    added("exclusive_with_detail", SEVERAL.replace("B,", "B, exclusive: true, detail: {id: d},"), "code: B", "clears"),
    added(
        "exclusive_with_detail", CHOICE.replace("B,", "B, missing: dont_know, detail: {id: d},"), "code: B", "missing"
    ),
    added(
        "two_none",
        SEVERAL.replace("B,", "B, exclusive: true,")
        + "          - {code: C, exclusive: true, label: {fi: c, sv: c, en: c}}\n",
        "code: C",
        "stored alike",
    ),
    added(
        "order_fixed",
        CHOICE.replace("B,", "B, fixed: true,") + "        order: {randomise: true}\n",
        "order:",
        "to shuffle",
    ),
    added("order_not_random", CHOICE + "        order: {variable: late_order}\n", "order:", "never random"),
    Mistake("minimum_over_maximum", "minimum: 0", "minimum: 200", "minimum: 200", "above the maximum 168"),
    Mistake("limit_not_integer", "minimum: 0", "integer: true\n        minimum: 0.5", "minimum: 0.5", "whole number"),
]
SCALES = [
    Mistake("duplicate_value", "SOME, value: 1", "SOME, value: 0", "SOME", "as the level before it"),
    Mistake("not_monotone", "SOME, value: 1", "SOME, value: -1", "SOME", "rising order"),
    Mistake("no_levels", "scales:\n", "scales:\n  EMPTY: {levels: []}\n", "EMPTY", "no levels"),
]
PAGES_AND_FORMS = [
    added(
        "many_questions",
        "".join(NOTE.replace("note", f"note{n}") for n in range(5)),
        "questions:\n      - id: hours",
        "8 q",
    ),
    Mistake("no_questions", NOTE, f"{NOTE}{PAGE.rstrip()} []\n", "questions: []", "no questions"),
    Mistake("no_pages", PAGES + NOTE, "pages: []\n", "pages", "Add a page"),
    Mistake(
        "unknown_page",
        "pages:\n",
        "forms:\n  f: {pages: [first, second, secnd]}\npages:\n",
        "secnd",
        "Did you mean 'second'",
    ),
    Mistake(
        "page_twice", "pages:\n", "forms:\n  f: {pages: [first, second, first]}\npages:\n", "second, f", "stands twice"
    ),
    Mistake(
        "no_pages", "pages:\n", "forms:\n  f: {pages: [first, second]}\n  g: {pages: []}\npages:\n", "g: {", "no pages"
    ),
    Mistake("unused_page", "pages:\n", "forms:\n  f: {pages: [first]}\npages:\n", "- id: second", "no form"),
    Mistake(
        "unknown_reference",
        "pages:\n",
        "forms:\n  f: {pages: [first, second]}\n  g: {pages: [second]}\npages:\n",
        "show_if",
        "form 'g' asks no 'works'",
    ),
    Mistake(
        "forward_reference", "pages:\n", "forms:\n  f: {pages: [second, first]}\npages:\n", "show_if", "asked later"
    ),
    Mistake("settles_nothing", "  - id: first\n", "  - id: first\n    settles: true\n", "settles", "nothing is asked"),
    Mistake("unknown_question", "pages:\n", "core: [wroks]\npages:\n", "core", "Did you mean 'works'"),
    Mistake("unknown_question", "pages:\n", "identity: {role: nobody}\npages:\n", "identity", "Name a question"),
]
WEIGHTED_CHOICES = [
    added("not_alone", WEIGHTED, "id: OM_B\n", "a page of its own"),
    added("unknown_scale", PAGE + WEIGHTED.replace("CENT4", "CENT5"), "scale: CENT5", "Did you mean 'CENT4'"),
    added("text_missing", PAGE + WEIGHTED + "        presentation: rate_each\n", "- id: OM_B\n", "Write `text`"),
    added(
        "exclusive_rated",
        PAGE + WEIGHTED.replace("CUST,", "CUST, exclusive: true, rated: false,"),
        "code: CUST",
        "never rated",
    ),
]
MISTAKES = [*KEYS_AND_TYPES, *NAMES, *WORDING, *CONDITIONS, *OPTIONS, *SCALES, *PAGES_AND_FORMS, *WEIGHTED_CHOICES]


def check(tmp_path: Path, text: str) -> list[Problem]:
    (tmp_path / "questionnaire.yaml").write_text(text, encoding="utf-8")
    return list(loading.check(tmp_path))


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.code)
def test_a_mistake_is_told_with_its_line_cause_and_cure_and_nothing_else_is(tmp_path, mistake):
    assert mistake.old in SOUND
    text = SOUND.replace(mistake.old, mistake.new, 1)
    problems = check(tmp_path, text)
    told = [str(problem) for problem in problems]
    assert {problem.code for problem in problems} == {mistake.code}, told
    line = text[: text.index(mistake.at)].count("\n") + 1
    assert any(problem.line == line and mistake.says in str(problem) for problem in problems), (line, told)


@pytest.mark.parametrize(
    ("lowest", "code"), [("0.5", "level_not_integer"), ("-1", "level_not_integer"), ("1", "level_zero_missing")]
)
def test_a_weighted_choice_needs_a_scale_of_whole_numbers_from_nought(tmp_path, lowest, code):
    text = SOUND.replace("NOT, value: 0", f"NOT, value: {lowest}").replace("SOME, value: 1", "SOME, value: 2")
    (problem,) = check(tmp_path, text + PAGE + WEIGHTED)
    assert problem.code == code
    assert problem.line == (text + PAGE + WEIGHTED)[: (text + PAGE + WEIGHTED).index("scale: CENT4")].count("\n") + 1


def test_a_weighted_choice_needs_a_level_above_nought(tmp_path):
    levels = SOUND.splitlines(keepends=True)
    text = "".join(line for line in levels if "code: SOME" not in line)
    assert [problem.code for problem in check(tmp_path, text + PAGE + WEIGHTED)] == ["level_zero_only"]


def test_a_sound_questionnaire_has_no_problems(tmp_path):
    assert check(tmp_path, SOUND + PAGE + WEIGHTED) == []


@pytest.mark.parametrize("path", QUESTIONNAIRES, ids=lambda path: path.parent.name)
def test_the_studys_questionnaires_have_no_problems(path):
    assert [str(problem) for problem in loading.check(path)] == []


def test_all_problems_are_told_at_once_and_in_the_order_of_the_lines(tmp_path):
    text = SOUND
    for mistake in (KEYS_AND_TYPES[0], NAMES[3], WORDING[0], CONDITIONS[1]):
        text = text.replace(mistake.old, mistake.new, 1)
    problems = check(tmp_path, text.replace("id: note", "id: mode"))
    assert [problem.code for problem in problems] == [
        "unknown_reference",
        "language_missing",
        "unknown_key",
        "bad_name",
        "reserved_name",
    ]
    assert [problem.line for problem in problems] == sorted(problem.line for problem in problems)


def test_several_problems_of_one_question_are_told_at_once(tmp_path):
    text = SOUND.replace("minimum: 0", "minimum: 200\n        integr: true").replace("sv: Timmar?, ", "")
    assert {problem.code for problem in check(tmp_path, text)} == {
        "minimum_over_maximum",
        "unknown_key",
        "language_missing",
    }


def test_every_fault_of_one_condition_is_told(tmp_path):
    condition = "works == True and hours is 2 or hours == 'a' and nope > 1 and works == 'YSE' or works in hours"
    text = SOUND + CHOICE + f'        show_if: "{condition}"\n'
    problems = check(tmp_path, text)
    told = "\n".join(str(problem) for problem in problems)
    for says in (
        "'True' can't be used in a condition",
        "a comparison by `is`",
        "'hours' is no list of values",
        "compares 'hours' with 'a', but it holds numbers",
        "there is no 'nope'",
        "names 'YSE', which is no code of 'works'. Did you mean 'YES'",
    ):
        assert says in told
    assert {problem.line for problem in problems} == {text[: text.index('show_if: "works == True')].count("\n") + 1}
    assert len(problems) == 6


@pytest.mark.parametrize(
    "condition",
    ["hours > 167.9", "hours < 0.1", "hours >= 0", "hours != 3", "why_PAY >= 1", "count(why) == 2", "2 > hours"],
)
def test_a_comparison_that_some_answer_meets_is_sound(tmp_path, condition):
    assert check(tmp_path, SOUND + CHOICE + f'        show_if: "{condition}"\n') == []


def test_two_questions_without_a_code_in_common_are_never_equal(tmp_path):
    other = CHOICE.replace("late", "later").replace("code: A", "code: C").replace("code: B", "code: D")
    text = SOUND + CHOICE + other + NOTE.replace("note", "last") + '        show_if: "late == later or hours > 1"\n'
    (problem,) = check(tmp_path, text)
    assert (problem.code, problem.cause) == (
        "condition_type",
        "show_if compares 'late' with 'later', which have no code in common",
    )


def test_what_names_a_question_that_cant_be_read_is_not_called_wrong_too(tmp_path):
    text = SOUND.replace("type: single_choice", "type: single")
    assert [problem.code for problem in check(tmp_path, text)] == ["unknown_type"]


def test_a_mistake_that_two_forms_share_is_told_once(tmp_path):
    forms = "forms:\n  f: {pages: [second, first]}\n  g: {pages: [second, first]}\npages:\n"
    assert [problem.code for problem in check(tmp_path, SOUND.replace("pages:\n", forms, 1))] == ["forward_reference"]


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        (b"", "yaml", 1),
        (b"# nothing\n", "yaml", 1),
        (b"a: [1\nb: 2\n", "yaml", 2),
        (b"a: 1\n\tb: 2\n", "yaml", 2),
        (b"a: \x07\n", "yaml", 1),
        (b"a: *x\n", "yaml", 1),
        (b"a: 1\n---\nb: 2\n", "yaml", 2),
        (b"id: x\na: \xff\n", "not_utf8", 2),
        (b"- a\n- b\n", "wrong_type", 1),
        (b"just text\n", "wrong_type", 1),
        (b"a: &x [*x]\n", "yaml", 1),
    ],
)
def test_a_file_that_is_no_yaml_of_ours_is_told_so(tmp_path, content, code, line):
    (tmp_path / "questionnaire.yaml").write_bytes(content)
    problems = loading.check(tmp_path)
    assert (problems[0].code, problems[0].line) == (code, line), [str(problem) for problem in problems]


def test_a_small_file_that_grows_by_aliases_is_refused(tmp_path):
    layers = "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9))
    problems = check(tmp_path, f"a0: &a0 [x]\n{layers}\n")
    assert "yaml" in {problem.code for problem in problems}


def test_a_file_that_isnt_there_is_told_so(tmp_path):
    (problem,) = loading.check(tmp_path)
    assert problem.code == "unreadable"


def test_an_unknown_form_is_told_with_those_there_are(tmp_path):
    (tmp_path / "questionnaire.yaml").write_text(SOUND, encoding="utf-8")
    with pytest.raises(AuthorError, match="Use one of: main"):
        loading.load(tmp_path, "pulse")


def test_warnings_dont_stop_a_questionnaire(tmp_path):
    (problem,) = check(tmp_path, SOUND.replace("en: Hours?", "en: '=Hours?'"))
    assert not problem.fatal
    assert "warning" in str(problem)
    assert loading.load(tmp_path).question("hours").text["en"] == "=Hours?"


def test_soft_hyphens_and_no_break_spaces_are_welcome_in_a_text(tmp_path):
    assert check(tmp_path, SOUND.replace("fi: Tunnit?", 'fi: "Työ\\u00ADtunnit 1\\u00a0000?"')) == []


# The hash


def load(tmp_path: Path, text: str, form: str | None = None):
    assert not [problem for problem in check(tmp_path, text) if problem.fatal]
    return loading.load(tmp_path, form)


def test_the_hash_is_the_sha256_of_canonical_json(tmp_path):
    instrument = load(tmp_path, SOUND)
    assert instrument.hash == hashlib.sha256(instrument.canonical.encode()).hexdigest()
    data = json.loads(instrument.canonical)
    again = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert again == instrument.canonical


def test_comments_indentation_and_the_order_of_keys_dont_change_the_hash(tmp_path):
    changed = (
        SOUND.replace("id: worklife\n", "# a comment\n\nid:   worklife   # another\n")
        .replace("        minimum: 0\n        maximum: 168\n", "        maximum: 168\n        minimum: 0\n")
        .replace(
            "{fi: Tunnit?, sv: Timmar?, en: Hours?}",
            "\n          sv: Timmar?\n          en: Hours?\n          fi: Tunnit?",
        )
    )
    assert load(tmp_path, changed).hash == load(tmp_path, SOUND).hash


@pytest.mark.parametrize(
    ("old", "new"),
    [("Hours?", "Hours"), ("168", "100"), ("code: PAY", "code: WAGE"), ('"1"', '"2"'), (SHOWN, "works == 'NO'")],
)
def test_any_change_of_what_is_asked_changes_the_hash(tmp_path, old, new):
    assert load(tmp_path, SOUND.replace(old, new)).hash != load(tmp_path, SOUND).hash


def test_the_hash_covers_the_chosen_form_only(tmp_path):
    forms = "forms:\n  short: {pages: [first]}\n  long: {pages: [first, second]}\npages:\n"
    before = SOUND.replace("pages:\n", forms, 1)
    after = before.replace("Hours?", "How many hours?")
    assert load(tmp_path, before, "short").hash == load(tmp_path, after, "short").hash
    assert load(tmp_path, before, "long").hash != load(tmp_path, after, "long").hash


def test_a_form_asks_its_pages_in_its_own_order(tmp_path):
    text = SOUND.replace(f'    show_if: "{SHOWN}"\n', "").replace(
        "pages:\n", "forms:\n  f: {pages: [second, first]}\npages:\n", 1
    )
    assert [page.id for page in load(tmp_path, text).pages] == ["second", "first"]


@pytest.mark.parametrize("path", QUESTIONNAIRES, ids=lambda path: path.parent.name)
def test_every_form_of_the_study_is_read_back_from_its_canonical_definition(path):
    for form in loading.forms(path):
        instrument = loading.load(path, form)
        again = loading.from_canonical(instrument.canonical)
        assert again == instrument
        assert again.codebook == instrument.codebook


def test_a_definition_with_keys_this_engine_doesnt_know_is_refused_rather_than_half_understood(tmp_path):
    data = json.loads(load(tmp_path, SOUND).canonical)
    data["pages"][0]["questions"][0]["later_invention"] = True
    with pytest.raises(AuthorError, match="later_invention"):
        loading.from_canonical(json.dumps(data))


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=12).filter(str.strip)
TEXTS = st.fixed_dictionaries({language: WORDS for language in ("fi", "sv", "en")})
CODES = st.from_regex(r"[A-Za-z][A-Za-z0-9]{0,6}", fullmatch=True)
CHOICES = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["single_choice", "multiple_choice"]),
        "text": TEXTS,
        "options": st.lists(
            st.fixed_dictionaries({"code": CODES, "label": TEXTS}, optional={"fixed": st.booleans()}),
            min_size=1,
            max_size=5,
            unique_by=lambda option: option["code"].lower(),
        ),
    },
    optional={"required": st.sampled_from(["soft", "hard", "no"]), "dont_know": st.booleans(), "instruction": TEXTS},
)
NUMBERS = st.fixed_dictionaries(
    {"type": st.just("number"), "text": TEXTS},
    optional={"minimum": st.floats(-1e6, 0), "maximum": st.integers(0, 10**9), "unit": TEXTS},
)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.one_of(CHOICES, NUMBERS), min_size=1, max_size=4), TEXTS)
def test_any_questionnaire_is_read_back_from_its_canonical_definition(tmp_path, questions, title):
    data = {
        "schema": "questionnaire/1",
        "id": "any",
        "revision": "1",
        "languages": {"base": "fi", "required": ["fi", "sv", "en"]},
        "title": title,
        "pages": [
            {"id": f"p{at}", "title": title, "questions": [{"id": f"Q{at}", **question}]}
            for at, question in enumerate(questions)
        ],
    }
    # Every JSON text is a YAML text.
    instrument = load(tmp_path, json.dumps(data, ensure_ascii=False))
    again = loading.from_canonical(instrument.canonical)
    assert again == instrument
    assert again.hash == instrument.hash


# What is made of it


def test_the_codebook_lists_the_variables_in_the_order_asked(tmp_path):
    codebook = load(tmp_path, SOUND + PAGE + WEIGHTED).codebook
    names = [variable.name for variable in codebook.variables]
    assert names[:5] == ["works", "hours", "why_PAY", "why_JOY", "note"]
    assert names[5:] == ["OM_B01_PROD", "OM_B01_CUST", "OM_B02_PROD", "OM_B02_CUST"]
    assert [variable.name for variable in codebook.set("why")] == ["why_PAY", "why_JOY"]


def test_the_studys_own_words_for_missing_replace_the_engines(tmp_path):
    text = SOUND.replace("pages:\n", "missing: {dont_know: {fi: Eos, sv: Vet ej, en: No idea}}\npages:\n", 1)
    instrument = load(tmp_path, text)
    assert instrument.missing[Missing.DONT_KNOW] == {"fi": "Eos", "sv": "Vet ej", "en": "No idea"}
    assert set(instrument.missing) == set(Missing)
    assert all(instrument.missing[kind][language] for kind in Missing for language in ("fi", "sv", "en"))


def test_codes_that_other_yaml_readers_take_for_false_stay_words(tmp_path):
    instrument = load(tmp_path, SOUND)
    assert [category.code for category in instrument.codebook["works"].categories] == ["YES", "NO"]


def test_privacy_is_confidential_unless_said_otherwise(tmp_path):
    assert load(tmp_path, SOUND).privacy_mode == "confidential"


def test_core_and_identity_name_only_what_the_form_asks(tmp_path):
    head = "core: [works, hours]\nidentity: {role: hours}\nforms: {s: {pages: [first]}, l: {pages: [first, second]}}\n"
    text = SOUND.replace("pages:\n", f"{head}pages:\n", 1)
    short, long = load(tmp_path, text, "s"), load(tmp_path, text, "l")
    assert (short.core, short.identity_role) == (("works",), None)
    assert (long.core, long.identity_role) == (("works", "hours"), "hours")
    assert loading.from_canonical(short.canonical) == short
