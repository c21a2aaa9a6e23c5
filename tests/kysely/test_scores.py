"""Scores give the numbers that the instruments' own documents give, and say on how many answers they rest.

The expected values are copied from the test vectors of the four instruments (operating mode §4, service culture §4,
customer management §7), or are arithmetic that a reader can redo.
"""

from __future__ import annotations

import json
from random import Random

import numpy as np
import pytest

from analysis import agreement
from kysely import loading, scores
from kysely.codebook import Missing
from kysely.errors import AuthorError

DK, NA = Missing.DONT_KNOW, Missing.DOES_NOT_CONCERN


def questionnaire(names, rules, *, extra="", show_if=None):
    conditions = show_if or {}
    questions = "".join(
        f"      - {{id: {name}, type: number, text: {{en: Question}}, dont_know: true, not_applicable: true"
        + (f", show_if: {json.dumps(conditions[name])}" if name in conditions else "")
        + "}\n"
        for name in names
    )
    return f"""\
schema: questionnaire/1
id: scored
revision: "1"
languages: {{base: en, required: [en]}}
title: {{en: Scored}}
{extra}scores:
{"".join(f"  - {{label: {{en: Score}}, {rule}}}" + chr(10) for rule in rules)}
pages:
  - id: page
    title: {{en: Page}}
    questions:
{questions}"""


@pytest.fixture
def scored(tmp_path):
    """A function that computes one score of numbers, asked one by one."""

    def score(rule, given, **frame):
        file = tmp_path / "scored.yaml"
        file.write_text(questionnaire(given, [f"id: the_score, {rule}"], **frame), encoding="utf8")
        instrument = loading.load(file)
        return scores.of(instrument, {name: answer for name, answer in given.items() if answer is not None})[
            "the_score"
        ]

    return score


def modes(prefix, *levels):
    return {f"{prefix}_{code}": level for code, level in zip(("PROD", "DEV", "CUST", "PUB"), levels, strict=True)}


# ---- operating_mode.md §4


def composition(scored, rule, one, other):
    # As two sets of the same four options would be: matched by what follows the set's name.
    file = f"kind: {rule}, items: [{', '.join(one)}], with: [{', '.join(other)}]"
    return scored(file, {**one, **other})


@pytest.mark.parametrize(
    ("one", "other", "fit"),
    [
        ((1, 2, 3, 0), (0, 3, 3, 1), 0.7619),  # fit_strategy
        ((1, 2, 3, 0), (0, 2, 3, 0), 0.8333),  # fit_wish
        ((0, 2, 3, 0), (0, 3, 3, 1), 0.8286),  # fit_plan
    ],
)
def test_the_fit_of_two_profiles_is_that_of_the_specification(tmp_path, one, other, fit):
    instrument = loading.load(_two_sets(tmp_path))
    found = scores.of(
        instrument,
        {**modes("now_level", *one), **_chosen("now", one), **modes("plan_level", *other), **_chosen("plan", other)},
    )
    assert found["fit"].value == pytest.approx(fit, abs=5e-5)
    assert found["distance"].value == pytest.approx(1 - fit, abs=5e-5)
    assert (found["fit"].valid, found["fit"].asked) == (8, 8)
    profiles = agreement.profiles(np.array([one, other], dtype=float))
    assert found["distance"].value == pytest.approx(np.abs(profiles[0] - profiles[1]).sum() / 2)
    sets = {at for at, level in enumerate(one) if level}, {at for at, level in enumerate(other) if level}
    assert found["overlap"].value == len(sets[0] & sets[1]) / len(sets[0] | sets[1])


def test_a_profile_is_the_part_that_each_mode_has(tmp_path):
    instrument = loading.load(_two_sets(tmp_path))
    levels = (1, 2, 3, 0)
    found = scores.of(instrument, {**modes("now_level", *levels), **_chosen("now", levels)})
    assert found["share"].value == pytest.approx(0.3333, abs=5e-5)  # DEV of (.1667, .3333, .5, 0)
    assert found["focus"].value == pytest.approx(1 / 36 + 4 / 36 + 9 / 36)


@pytest.mark.parametrize(
    ("levels", "dominant", "which"),
    [
        ((1, 2, 3, 0), "CUST", ("CUST",)),
        ((3, 2, 3, 0), "COMBO", ("PROD", "CUST")),
        ((0, 0, 0, 0), "NONE", ()),
        ((1, Missing.NO_ANSWER, 2, 0), Missing.NO_ANSWER, ()),
    ],
)
def test_the_dominant_mode_is_the_only_one_with_the_highest_centrality(tmp_path, levels, dominant, which):
    instrument = loading.load(_two_sets(tmp_path))
    found = scores.of(instrument, {**modes("now_level", *levels), **_chosen("now", levels)})
    assert (found["dominant"].value, found["dominant"].which) == (dominant, which)


def test_points_that_lie_close_together_are_no_dominant_angle(scored):
    rule = "kind: dominant, items: [a, b, c], margin: 5"
    assert scored(rule, {"a": 40, "b": 36, "c": 24}).which == ("a", "b")
    assert scored(rule, {"a": 40, "b": 34, "c": 26}).value == "a"


def test_all_zero_has_no_profile(tmp_path):
    instrument = loading.load(_two_sets(tmp_path))
    found = scores.of(instrument, {**modes("now_level", 0, 0, 0, 0), **_chosen("now", (0, 0, 0, 0))})
    assert {found[name].value for name in ("share", "focus")} == {NA}


def test_the_distance_of_points_is_that_of_the_specification(scored):
    given = {"a": 40, "b": 30, "c": 20, "d": 10}
    later = {"a2": 10, "b2": 20, "c2": 60, "d2": 10}
    # Numbers asked one by one have nothing in common but their names, so nothing of one is in the other.
    assert composition(scored, "distance", given, later).value == pytest.approx(1)
    parts = agreement.profiles(np.array([list(given.values()), list(later.values())], dtype=float))
    assert np.abs(parts[0] - parts[1]).sum() / 2 == pytest.approx(0.4)


def test_a_management_model_is_the_mean_on_a_hundred_with_its_items_turned_towards_the_mode(scored):
    # mm_PROD: C01–C03 reversed on −2 … +2. (−2, 0, 2) counts as (100, 50, 0).
    rule = "kind: mean, items: [C01, C02, C03], reversed: [C01, C02, C03], range: [-2, 2], out_of: 100"
    assert scored(rule, {"C01": -2, "C02": 0, "C03": 2}).value == 50
    assert scored(rule, {"C01": -2, "C02": -1, "C03": None}).value == 87.5
    assert scored(rule, {"C01": -2, "C02": None, "C03": None}).value is Missing.NO_ANSWER


# ---- service_culture.md §4: ticks of rows on three stages


@pytest.mark.parametrize(
    ("ticks", "index", "hundred"),
    [((5, 2, 0), 1.2857, 14.29), ((2, 3, 2), 2.0, 50.0), ((0, 1, 6), 2.8571, 92.86), ((3, 0, 3), 2.0, 50.0)],
)
def test_ticks_of_a_section_give_its_index(scored, ticks, index, hundred):
    rows = [stage for stage, count in enumerate(ticks, start=1) for _ in range(count)]
    given = {f"row{number}": stage for number, stage in enumerate(rows)}
    items = f"items: [{', '.join(given)}]"
    assert scored(f"kind: mean, {items}", given).value == pytest.approx(index, abs=5e-5)
    on_a_hundred = scored("kind: mean, items: ['row*'], range: [1, 3], out_of: 100", given)
    assert on_a_hundred.value == pytest.approx(hundred, abs=5e-3)
    for stage, count in enumerate(ticks, start=1):
        assert scored(f"kind: count, equals: {stage}, {items}", given).value == count


def test_a_tie_between_stages_is_told_as_such_and_never_rounded_up(scored):
    given = {f"row{number}": stage for number, stage in enumerate((1, 1, 1, 3, 3, 3))}
    tied = scored("kind: modal, items: ['row*']", given)
    assert (tied.value, tied.which) == (scores.COMBO, ("1", "3"))
    assert scored("kind: modal, items: ['row*']", {**given, "row6": 3}).value == 3


def test_rows_that_do_not_concern_the_respondent_are_in_no_denominator(scored):
    given = {"row1": 1, "row2": 3, "row3": NA, "row4": NA, "row5": DK}
    found = scored("kind: mean, items: ['row*']", given)
    assert (found.value, found.valid, found.asked) == (2, 2, 3)
    assert scored("kind: mean, items: ['row*'], min_valid: 3", given).value is Missing.NO_ANSWER
    assert scored("kind: mean, items: ['row*'], min_valid: 1.0", given).value is Missing.NO_ANSWER


def test_what_concerns_nobody_in_any_row_does_not_concern_and_what_was_not_asked_is_routed_past(scored):
    assert scored("kind: mean, items: [a, b]", {"a": NA, "b": NA}).value is NA
    asked = {"gate": 0, "a": None, "b": None}
    hidden = {"a": "gate == 1", "b": "gate == 1"}
    found = scored("kind: mean, items: [a, b]", asked, show_if=hidden)
    assert (found.value, found.asked) == (Missing.ROUTED_PAST, 0)


# ---- customer_management.md §7: its one test vector, six scores that build on each other


def test_the_area_of_customer_information_scores_as_in_the_specification(tmp_path):
    practices = [f"INF{number}" for number in range(1, 7)]
    rules = [
        f"id: NOW, kind: mean, items: [{', '.join(practices)}], range: [0, 4], out_of: 100",
        f"id: TGT, kind: mean, items: [{', '.join(name + 'T' for name in practices)}], range: [0, 4], out_of: 100",
        "id: GAP, kind: difference, items: [TGT, NOW]",
        "id: EN, kind: mean, items: [ENT, ENP, ENO], range: [0, 4], out_of: 100",
        "id: BN, kind: minimum, items: [ENT, ENP, ENO], range: [0, 4], out_of: 100",
        "id: PRIO, kind: product, items: [GAP, BN], reversed: [BN]",
    ]
    names = [*practices, *(name + "T" for name in practices), "ENT", "ENP", "ENO"]
    file = tmp_path / "scored.yaml"
    file.write_text(questionnaire(names, rules), encoding="utf8")
    now, target = (1, 1, 2, 0, 1, DK), (3, 3, 3, 2, 3, 3)
    given = dict(zip(names, (*now, *target, 3, 1, 2), strict=True))
    found = scores.of(loading.load(file), given)
    expected = {"NOW": 25.0, "TGT": 70.83, "GAP": 45.83, "EN": 50.0, "BN": 25.0, "PRIO": 34.38}
    assert list(found) == list(expected)
    for id, value in expected.items():
        assert found[id].value == pytest.approx(value, abs=5.1e-3)
    assert found["BN"].which == ("ENP",)
    assert (found["NOW"].valid, found["NOW"].asked) == (5, 6)


# ---- customer_approach.md §3 and customer_retention.md §3: arithmetic on their formulas


def test_unused_potential_is_never_negative_and_never_divided_by_nothing(scored):
    potential = "kind: difference, items: [D03, D02], floor: 0"
    assert scored(potential, {"D02": 40, "D03": 60}).value == 20
    assert scored(potential, {"D02": 60, "D03": 40}).value == 0
    ratio = "kind: ratio, items: [D02, D03]"
    assert scored(ratio, {"D02": 30, "D03": 60}).value == 0.5
    assert scored(ratio, {"D02": 30, "D03": 0}).value is NA


def test_strength_weighs_what_was_delivered_against_the_number_of_bonds(tmp_path):
    rules = [
        "id: STR, kind: weighted_mean, items: [quality, bonds], weights: [0.7, 0.3]",
        "id: quality, kind: mean, items: [G01, G02], range: [1, 5], out_of: 100",
        "id: bonds, kind: count, items: ['B*'], cap: 4, out_of: 100",
    ]
    file = tmp_path / "scored.yaml"
    file.write_text(questionnaire(["G01", "G02", "B1", "B2", "B3", "B4", "B5", "B6"], rules), encoding="utf8")
    given = {"G01": 5, "G02": 3, **dict.fromkeys(("B1", "B2", "B3"), 1), **dict.fromkeys(("B4", "B5", "B6"), 0)}
    found = scores.of(loading.load(file), given)
    assert found["STR"].value == pytest.approx(0.7 * 75 + 0.3 * 75)
    assert found["bonds"].value == 75
    assert scores.of(loading.load(file), {**given, "B4": 1, "B5": 1})["bonds"].value == 100


def test_a_bottleneck_has_a_name_and_a_profile_a_spread(scored):
    found = scored("kind: minimum, items: [Q1, Q2, Q3]", {"Q1": 60, "Q2": 40, "Q3": 40})
    assert (found.value, found.which) == (40, ("Q2", "Q3"))
    assert scored("kind: spread, items: [Q1, Q2, Q3]", {"Q1": 60, "Q2": 40, "Q3": 45}).value == 20
    assert scored("kind: maximum, items: [Q1, Q2, Q3]", {"Q1": 60, "Q2": 40, "Q3": 45}).which == ("Q1",)
    assert scored("kind: sum, items: [Q1, Q2, Q3]", {"Q1": 60, "Q2": 40, "Q3": 45}).value == 145
    # Evidence: what doesn't rest on assumptions, of a hundred points.
    assert scored("kind: mean, items: [A], reversed: [A], range: [0, 100], out_of: 1", {"A": 35}).value == 0.65


def test_a_mean_never_leaves_its_scale_however_much_is_missing(scored):
    rng = Random(3)
    for _ in range(60):
        given = {f"i{number}": rng.choice([1, 2, 3, 4, 5, DK, NA, None]) for number in range(6)}
        found = scored("kind: mean, items: ['i*'], range: [1, 5], out_of: 100", given)
        numbers = [value for value in given.values() if isinstance(value, int)]
        assert found.valid == len(numbers) <= found.asked <= 6
        if isinstance(found.value, Missing):
            assert 2 * len(numbers) < max(found.asked, 1)
        else:
            assert found.value == pytest.approx((np.mean(numbers) - 1) * 25)


# ---- scores and the questionnaire


def test_the_manifest_of_an_extract_says_how_scores_are_computed(sqlite_settings, tmp_path):
    from contextlib import closing

    from kysely import store as stores
    from kysely.commands import extract
    from tests.kysely.harvest import NOW, Respondent

    file = tmp_path / "scored.yaml"
    file.write_text(questionnaire(["a1", "a2"], ["id: s, kind: mean, items: ['a*'], min_valid: 1"]), encoding="utf8")
    instrument = loading.load(file)
    with closing(stores.open(sqlite_settings)) as store:
        wave = store.open_wave(instrument, name="open", origin="real", now=NOW)
        Respondent(store, store.start(wave, "real", instrument.hash, "en", 1, NOW)).saves("page", a1=1, a2=2)
        manifest = extract.write(store, store.counts()[0], tmp_path / "extract", made_at=NOW)
    [listed] = manifest["scores"]
    assert (listed["id"], listed["items"], listed["rule"]) == ("s", ["a1", "a2"], {"min_valid": 1})


def test_scores_are_part_of_a_form_that_asks_all_of_their_items(tmp_path):
    file = tmp_path / "scored.yaml"
    text = questionnaire(
        ["a", "b"],
        [
            "id: both, kind: sum, items: [a, c]",
            "id: one, kind: sum, items: [a]",
            "id: of_both, kind: mean, items: [both]",
        ],
        extra="forms: {short: {pages: [page]}, long: {pages: [page, more]}}\n",
    )
    more = "  - id: more\n    title: {en: More}\n    questions:\n      - {id: c, type: number, text: {en: C}}\n"
    file.write_text(text + more, encoding="utf8")
    short, long = loading.load(file, "short"), loading.load(file, "long")
    assert [rule.id for rule in short.scores] == ["one"]
    assert [rule.id for rule in long.scores] == ["both", "one", "of_both"]
    for instrument in (short, long):
        assert loading.from_canonical(instrument.canonical).scores == instrument.scores


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("id: s, kind: mean, items: [a, z]", "unknown_item"),
        ("id: s, kind: mean, items: ['z*']", "unknown_item"),
        ("id: s, kind: mean, items: [a, b], min_valid: 3", "min_valid_too_large"),
        ("id: s, kind: mean, items: [a, b], min_valid: 1.5", "min_valid_too_large"),
        ("id: s, kind: mean, items: [a, b], min_valid: 0", "min_valid_too_large"),
        ("id: s, kind: mean, items: [a, s]", "score_circle"),
        ("id: s, kind: mean, items: [a], out_of: 100", "range_unknown"),
        ("id: s, kind: mean, items: [a], reversed: [a]", "range_unknown"),
        ("id: s, kind: mean, items: [a], reversed: [b], range: [0, 1]", "unknown_item"),
        ("id: s, kind: mean, items: [a], range: [5, 1]", "score_range"),
        ("id: s, kind: difference, items: [a]", "score_items"),
        ("id: s, kind: distance, items: [a]", "score_items"),
        ("id: s, kind: share_of, items: [a], of: b", "score_items"),
        ("id: s, kind: weighted_mean, items: [a, b], weights: [1]", "score_items"),
        ("id: s, kind: mean, items: [a], cap: 3", "score_key"),
        ("id: a, kind: mean, items: [b]", "duplicate_id"),
        ("id: s, kind: median, items: [a]", "wrong_value"),
    ],
)
def test_a_score_that_cannot_be_computed_is_an_error_of_the_file(tmp_path, rule, code):
    file = tmp_path / "scored.yaml"
    file.write_text(questionnaire(["a", "b"], [rule]), encoding="utf8")
    with pytest.raises(AuthorError) as refused:
        loading.load(file)
    assert {problem.code for problem in refused.value.problems} == {code}
    assert {problem.line for problem in refused.value.problems} == {7}


def test_scores_in_a_circle_are_told(tmp_path):
    file = tmp_path / "scored.yaml"
    rules = ["id: one, kind: mean, items: [other]", "id: other, kind: mean, items: [one]"]
    file.write_text(questionnaire(["a"], rules), encoding="utf8")
    with pytest.raises(AuthorError, match="computed from itself"):
        loading.load(file)


def test_codes_without_numbers_cannot_be_averaged(tmp_path):
    file = tmp_path / "scored.yaml"
    choice = (
        "      - id: c\n        type: single_choice\n        text: {en: C}\n        options:\n"
        "          - {code: ONE, label: {en: One}}\n          - {code: TWO, label: {en: Two}}\n"
    )
    file.write_text(questionnaire(["a"], ["id: s, kind: mean, items: [c]"]) + choice, encoding="utf8")
    with pytest.raises(AuthorError, match="words without numbers"):
        loading.load(file)
    valued = choice.replace("ONE, ", "ONE, value: 1, ").replace("TWO, ", "TWO, value: 3, ")
    file.write_text(questionnaire(["a"], ["id: s, kind: mean, items: [c], out_of: 100"]) + valued, encoding="utf8")
    assert scores.of(loading.load(file), {"c": "TWO"})["s"].value == 100


def _chosen(prefix, levels):
    return modes(f"{prefix}_chosen", *(level if isinstance(level, Missing) else int(level > 0) for level in levels))


def _two_sets(tmp_path):
    options = "".join(
        f"          - {{code: {code}, label: {{en: {code}}}}}\n" for code in ("PROD", "DEV", "CUST", "PUB")
    )
    pages = "".join(
        f"""\
  - id: page_{name}
    title: {{en: Page}}
    questions:
      - id: {name}
        type: weighted_choice
        presentation: rate_each
        text: {{en: How central?}}
        choose: {{id: {name}_chosen, text: {{en: Which?}}}}
        rate: {{id: {name}_level, text: {{en: How central?}}}}
        scale: CENT4
        options:
{options}"""
        for name in ("now", "plan")
    )
    levels = "".join(
        f"      - {{code: L{value}, value: {value}, label: {{en: Level {value}}}}}\n" for value in range(4)
    )
    text = f"""\
schema: questionnaire/1
id: two
revision: "1"
languages: {{base: en, required: [en]}}
title: {{en: Two}}
scales:
  CENT4:
    levels:
{levels}scores:
  - {{id: fit, kind: fit, label: {{en: Fit}}, items: [now_level], with: [plan_level]}}
  - {{id: distance, kind: distance, label: {{en: Distance}}, items: [now_level], with: [plan_level]}}
  - {{id: overlap, kind: overlap, label: {{en: Overlap}}, items: [now_chosen], with: [plan_chosen]}}
  - {{id: share, kind: share_of, of: DEV, label: {{en: Share}}, items: [now_level]}}
  - {{id: focus, kind: herfindahl, label: {{en: Focus}}, items: [now_level]}}
  - {{id: dominant, kind: dominant, label: {{en: Dominant}}, items: [now_level]}}
pages:
{pages}"""
    file = tmp_path / "two.yaml"
    file.write_text(text, encoding="utf8")
    return file
