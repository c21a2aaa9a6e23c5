"""Every edit of a questionnaire falls into one class, and what would lose or blur answers has to be said."""

from __future__ import annotations

import pytest

from kysely import loading, versions
from kysely.errors import AuthorError
from kysely.versions import Class
from tests.kysely.versions._barn import BARN, edited

TEXT, ORDER, OPTION, QUESTION, MEANING, REMOVED = Class

COW = "          - {code: COW, label: {en: Cows, fi: Lehmiä}}\n"
HEN = "          - {code: HEN, label: {en: Hens, fi: Kanoja}}\n"
MIDDLE = "          - {code: MIDDLE, label: {en: Middling, fi: Keskikokoinen}}\n"
REMARK = """      - id: remark
        type: text
        required: "no"
        text: {en: Anything else?, fi: Muuta?}
"""
SHEEP = "          - {code: SHEEP, label: {en: Sheep, fi: Lampaita}}\n"
AGE = "      - {id: age, type: number, text: {en: How old is the barn?, fi: Kuinka vanha navetta on?}}\n"

INSTRUCTION = "        instruction: {en: Fields too., fi: Myös pellot.}\n"

GOLDEN = [
    # what was edited, the edits, the class, the line of the new file
    ("a label is reworded", [("en: Middling", "en: Medium")], TEXT, 22),
    ("a translation is mended", [("fi: Pieni", "fi: Pienehkö")], TEXT, 21),
    (
        "an instruction is added",
        [("        minimum: 0\n        maximum", INSTRUCTION + "        minimum: 0\n        maximum")],
        TEXT,
        28,
    ),
    ("a page gets another heading", [("title: {en: Farm, fi: Tila}", "title: {en: Your farm, fi: Tilasi}")], TEXT, 15),
    ("two options change places", [(COW + HEN, HEN + COW)], ORDER, 36),
    (
        "a question moves to another page",
        [(REMARK, ""), ("  - id: barn\n    title", REMARK + "  - id: barn\n    title")],
        ORDER,
        30,
    ),
    (
        "options are shuffled",
        [("        options:\n" + COW, "        order: {randomise: true}\n        options:\n" + COW)],
        ORDER,
        36,
    ),
    ("an option is added", [(HEN, HEN + SHEEP)], OPTION, 39),
    (
        "not knowing can be answered",
        [("        maximum: 1000\n", "        maximum: 1000\n        dont_know: true\n")],
        OPTION,
        30,
    ),
    ("larger numbers are accepted", [("maximum: 1000", "maximum: 5000")], OPTION, 29),
    ("a question is added", [(REMARK, AGE + REMARK)], QUESTION, 46),
    (
        "a line beside an option is added",
        [("Hens, fi: Kanoja}", "Hens, fi: Kanoja}, detail: {id: hens}")],
        QUESTION,
        38,
    ),
    ("fewer numbers are accepted", [("maximum: 1000", "maximum: 100")], MEANING, 29),
    ("another unit is counted", [("en: hectares, fi: hehtaaria", "en: acres, fi: eekkeriä")], MEANING, 27),
    ("others are asked", [("animals_COW == 1", "animals_COW == 1 or animals_HEN == 1")], MEANING, 43),
    (
        "the type becomes another",
        [("id: size\n        type: single_choice", "id: size\n        type: multiple_choice")],
        MEANING,
        18,
    ),
    ("a promise to respondents is loosened", [("mode: confidential", "mode: named")], MEANING, 6),
    ("an option is taken out", [(MIDDLE, "")], REMOVED, 20),
    ("a question is taken out", [(REMARK, "")], REMOVED, 13),
    ("a line beside an option is taken out", [(", detail: {id: which_others}", "")], REMOVED, 39),
]


def instrument(tmp_path, text, name="barn.yaml"):
    (tmp_path / name).write_text(text, encoding="utf8")
    return loading.load(tmp_path / name)


@pytest.fixture
def barn(tmp_path):
    return instrument(tmp_path, BARN, "old.yaml")


@pytest.fixture
def compared(barn, tmp_path):
    def compare(*edits, text=BARN, old=barn):
        new = instrument(tmp_path, edited(*edits, text=text))
        return versions.compare(old, new, loading.written(tmp_path / "barn.yaml"))

    return compare


def test_the_golden_edits_are_twenty():
    assert len(GOLDEN) == 20
    assert {kind for _, _, kind, _ in GOLDEN} == set(Class)


@pytest.mark.parametrize(("edits", "kind", "line"), [row[1:] for row in GOLDEN], ids=[row[0] for row in GOLDEN])
def test_each_edit_has_its_class_and_its_line(compared, edits, kind, line):
    changes = compared(*edits)
    assert {change.kind for change in changes} == {kind}
    assert line in {change.line for change in changes}
    # Only what takes away or changes the meaning needs a line that says so.
    assert all(change.refused is (kind in (MEANING, REMOVED)) for change in changes)


def test_comments_and_indentation_are_no_change(compared):
    assert compared(("id: barn\nrevision", "id: barn   # of the farm\nrevision")) == ()


def test_an_option_that_is_retired_may_go_and_says_what_its_answers_count_as(compared):
    retired = 'retired:\n  - {question: size, code: MIDDLE, since: "2", maps_to: LARGE}\npages:\n'
    [change] = compared((MIDDLE, ""), ("pages:\n", retired))
    assert (change.kind, change.refused) == (REMOVED, False)
    assert "count as LARGE" in change.words


def test_what_could_be_read_before_answering_is_a_matter_of_order(compared, tmp_path):
    settling = ("  - id: barn\n", "  - id: barn\n    settles: true\n")
    old = instrument(tmp_path, edited(settling), "settling.yaml")
    for changes in (compared(settling), compared(old=old)):
        [change] = changes
        assert (change.kind, change.refused) == (ORDER, False) and "settles" in change.words


def test_a_meaning_that_changes_on_purpose_may_change(compared):
    said = 'changed:\n  - {question: hectares, since: "2", was: hectares}\npages:\n'
    [change] = compared(("en: hectares, fi: hehtaaria", "en: acres, fi: eekkeriä"), ("pages:\n", said))
    assert (change.kind, change.refused) == (MEANING, False)


def test_a_line_said_for_an_earlier_change_says_nothing_of_the_next(compared, tmp_path):
    said = 'changed:\n  - {question: hectares, since: "2", was: hectares}\npages:\n'
    second = edited(("en: hectares, fi: hehtaaria", "en: acres, fi: eekkeriä"), ("pages:\n", said))
    old = instrument(tmp_path, second, "second.yaml")
    [change] = compared(("en: acres, fi: eekkeriä", "en: ares, fi: aareja"), text=second, old=old)
    assert change.refused


def test_no_line_lets_a_promise_to_respondents_be_loosened(compared):
    said = 'changed:\n  - {key: privacy, since: "2", was: confidential}\npages:\n'
    [change] = compared(("mode: confidential", "mode: named"), ("pages:\n", said))
    assert change.refused and "wave of its own" in change.cure
    [smaller] = compared(("min_group: 5", "min_group: 3"))
    assert smaller.refused


def test_a_line_about_what_was_retired_is_never_taken_out_again(compared, tmp_path):
    retired = 'retired:\n  - {question: size, code: MIDDLE, since: "2"}\npages:\n'
    second = edited((MIDDLE, ""), ("pages:\n", retired))
    old = instrument(tmp_path, second, "second.yaml")
    [change] = compared((retired, "pages:\n"), text=second, old=old)
    assert change.refused and "Put the line back" in change.cure


def test_a_scale_that_gets_another_level_means_something_else(tmp_path):
    rated = edited(
        ("        options:\n" + COW + HEN, "        scale: SURE\n        options:\n" + COW + HEN),
        (
            "type: multiple_choice",
            "type: weighted_choice\n        presentation: rate_each\n        choose: {id: kept, text: {en: A, fi: A}}\n"
            "        rate: {id: rated, text: {en: B, fi: B}}",
        ),
        ("animals_COW == 1", "kept_COW == 1"),
        ("value: 1, label", "value: 0, label"),
    )
    old = instrument(tmp_path, rated, "old.yaml")
    more = "label: {en: Surely, fi: Varmasti}}\n      - {code: MOST, value: 3, label: {en: Most, fi: Eniten}}"
    new = instrument(tmp_path, edited(("label: {en: Surely, fi: Varmasti}}", more), text=rated))
    [change] = versions.compare(old, new)
    assert (change.kind, str(change.subject), change.refused) == (MEANING, "scale 'SURE', MOST", True)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ('retired: [{question: size, code: SMALL, since: "2"}]', "retired_reused"),
        ('retired: [{question: size, since: "2"}]', "retired_reused"),
        (
            'retired: [{question: size, code: OLD, since: "2"}, {question: size, code: OLD, since: "3"}]',
            "retired_twice",
        ),
        ('retired: [{question: size, code: OLD, since: "2", maps_to: HUGE}]', "maps_to_nothing"),
        ('retired: [{question: width, since: "2", maps_to: breadth}]', "maps_to_nothing"),
        (
            'retired: [{question: size, code: A, since: "2", maps_to: B}, '
            '{question: size, code: B, since: "3", maps_to: A}]',
            "maps_in_a_circle",
        ),
        ('changed: [{question: width, since: "2", was: other}]', "changed_nothing"),
        ('changed: [{since: "2", was: other}]', "changed_what"),
        ('changed: [{scale: SURER, since: "2", was: other}]', "changed_nothing"),
    ],
)
def test_a_line_about_earlier_versions_that_cannot_be_true_is_an_error(tmp_path, line, code):
    file = tmp_path / "barn.yaml"
    file.write_text(edited(("pages:\n", f"{line}\npages:\n")), encoding="utf8")
    with pytest.raises(AuthorError) as refused:
        loading.load(file)
    assert {problem.code for problem in refused.value.problems} == {code}


def test_lines_about_earlier_versions_are_part_of_the_definition(tmp_path):
    plain = instrument(tmp_path, BARN)
    assert "retired" not in plain.canonical
    retired = 'retired:\n  - {question: width, since: "2", why: nobody knew it}\npages:\n'
    later = instrument(tmp_path, edited(("pages:\n", retired)))
    assert loading.from_canonical(later.canonical).retired == later.retired != ()
