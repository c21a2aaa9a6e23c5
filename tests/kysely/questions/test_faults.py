"""What an author of the newer question types is told: a code, a line, a cause and a cure."""

from __future__ import annotations

import pytest

from kysely import loading, plugins
from kysely.errors import AuthorError

ROW = "{code: %s, label: {fi: Rivi %s, sv: Rad %s, en: Row %s}}"
MANY = "\n".join(f"  - {ROW % ((f'R{n}',) * 4)}" for n in range(6))

FAULTS = [
    ("grid", "{code: AIM,", "{code: NOW,", "duplicate_code"),
    ("grid", "{code: AIM,", "{code: now,", "duplicate_code"),
    ("grid", "{randomise: true, variable: view_order}", "{variable: view_order}", "order_not_random"),
    ("grid", "rows:\n", f"rows:\n{MANY}\n", "many_rows"),
    ("grid", "scale: CENT4", "scale: CENTRE", "unknown_scale"),
    ("grid", "rows:\n", "rows: []\nlines:\n", "no_rows"),
    ("grid", "{code: AIM,", "{code: a-b,", "bad_name"),
    ("grid", "{code: AIM,", "{code: A234567890123456789012345678,", "long_name"),
    ("grid", "id: view\n", "id: view\nrows_from: nothing\n", "unknown_reference"),
    ("stage_matrix", "{code: S2, value: 2", "{code: S2, value: 1", "not_monotone"),
    ("stage_matrix", "{code: S2, value: 2", "{code: S1, value: 2", "duplicate_code"),
    ("stage_matrix", "value: 3, label: {fi: Seurataan", "value: 2.5, label: {fi: Seurataan", "level_not_integer"),
    (
        "stage_matrix",
        "      - {code: S3, value: 3, label: {fi: Osaaminen kehittyy., sv: Kompetensen växer., "
        "en: Skills grow to a plan.}}",
        "",
        "stages_differ",
    ),
    ("now_and_target", "target: {id: target", "target: {id: now", "name_clash"),
    ("points", "total: 100", "total: 2", "few_points"),
    ("points", "total: 100", "total: 1", "out_of_range"),
    ("points", "{code: PRICE,", "{code: PRODUCT,", "duplicate_code"),
    ("points", "{code: PRICE,", "{code: PRICE, missing: dont_know,", "missing_with_value"),
    ("ranking", "top: 2", "top: 5", "top_over_options"),
    ("ranking", "top: 2", "top: 0", "out_of_range"),
    ("pairs", "{code: PRICE,", "{code: TIE,", "duplicate_code"),
    ("pairs", "options:\n", f"options:\n{MANY}\n", "many_rows"),
    ("date", 'minimum: "2000-01-01"', 'minimum: "2000-02-30"', "bad_date"),
    ("date", 'minimum: "2000-01-01"', "minimum: 1.1.2000", "bad_date"),
    ("date", 'minimum: "2000-01-01"', 'minimum: "2031-01-01"', "minimum_over_maximum"),
    ("date", 'minimum: "2000-01-01"', "minimum: 2000-01-01", "wrong_type"),
    ("percent", "dont_know: true", "minimum: 60\nmaximum: 40", "minimum_over_maximum"),
    ("percent", "dont_know: true", "maximum: 120", "out_of_range"),
    ("percent", "dont_know: true", "decimals: 9", "out_of_range"),
    ("info", "type: info", "type: info\nrequired: hard", "nothing_required"),
]


@pytest.mark.parametrize(("name", "old", "new", "code"), FAULTS)
def test_what_contradicts_itself_is_told_with_its_cause_and_cure(name, old, new, code):
    text = plugins.load("kysely.questions", name).EXAMPLE
    assert old in text
    with pytest.raises(AuthorError) as refusal:
        loading.question(text.replace(old, new, 1))
    found = [problem for problem in refusal.value.problems if problem.code == code]
    assert found, [str(problem) for problem in refusal.value.problems]
    assert found[0].cause and found[0].cure


@pytest.mark.parametrize("name", ["grid", "now_and_target"])
def test_levels_that_are_no_whole_numbers_are_refused_in_rows(name):
    label = {"fi": "a", "sv": "a", "en": "a"}
    halves = {"CENT4": {"levels": [{"code": c, "value": v, "label": label} for c, v in (("A", 0), ("B", 0.5))]}}
    with pytest.raises(AuthorError) as refusal:
        loading.question(plugins.load("kysely.questions", name).EXAMPLE, halves)
    assert {problem.code for problem in refusal.value.problems} == {"level_not_integer"}
