"""What a respondent is told follows from the own answers alone, by the rules of the instrument."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import pytest

from kysely import feedback, loading
from kysely.codebook import Missing
from kysely.errors import AuthorError
from kysely.feedback import Sign
from kysely.loading import feedback as files
from kysely.paths import REPOSITORY

FOLDER = REPOSITORY / "questionnaires" / "operating_mode"
MODES = ("PROD", "DEV", "CUST", "PUB")


@pytest.fixture(scope="module")
def forms():
    return {form: loading.load(FOLDER, form) for form in loading.forms(FOLDER)}


@pytest.fixture(scope="module")
def told(forms):
    return files.load(FOLDER, list(forms.values()))


def levels(levels: tuple[int | None, ...], chosen: str = "OM_B01", rated: str = "OM_B02") -> dict[str, object]:
    """Return the answers of somebody whose modes have these levels; None is chosen and not rated."""
    answers: dict[str, object] = {}
    for mode, level in zip(MODES, levels, strict=True):
        answers[f"{chosen}_{mode}"] = 0 if level == 0 else 1
        answers[f"{rated}_{mode}"] = Missing.NO_ANSWER if level is None else level
    return answers


def read(told, forms, answers: Mapping[str, object], form: str = "full"):
    return feedback.read(told, forms[form], answers)


def test_the_one_highest_mode_is_described_in_full(told, forms):
    reading = read(told, forms, levels((1, 2, 3, 0)))
    assert reading.dominant == "CUST" and reading.tied == ()
    assert [marked.feature for marked in reading.features] == list(told.modes["CUST"].features)


def test_two_equally_central_modes_get_what_goes_with_the_pair(told, forms):
    for pair in combinations(MODES, 2):
        reading = read(told, forms, levels(tuple(3 if mode in pair else 1 for mode in MODES)))
        assert reading.dominant is None and set(reading.tied) == set(pair) and not reading.features
        (text,) = (one.text for one in told.combinations if set(one.modes) == set(pair))
        assert reading.combination == text


def test_three_equally_central_modes_get_one_text_for_all(told, forms):
    assert read(told, forms, levels((2, 2, 2, 0))).combination == told.many


def test_the_respondents_own_reason_is_said_again(told, forms):
    answers = {**levels((3, 3, 0, 0)), "OM_B07": "UNITS"}
    assert read(told, forms, answers).reason["fi"] == "Yksiköillämme on erilaiset tehtävät"
    assert read(told, forms, {**answers, "OM_B07": Missing.NO_ANSWER}).reason is None


def test_a_level_that_is_missing_leaves_open_which_mode_is_highest(told, forms):
    reading = read(told, forms, levels((3, None, 0, 0)))
    assert reading.current.top is None and reading.dominant is None and reading.tied == ()


def test_none_of_the_modes_is_no_mode_and_no_answer_is_no_feedback(told, forms):
    assert read(told, forms, levels((0, 0, 0, 0))).current.top == ()
    assert read(told, forms, {}) is None


def test_a_wish_or_a_strategy_for_another_mode_is_a_change(told, forms):
    answers = levels((3, 0, 1, 0)) | levels((1, 0, 3, 0), "OM_B03", "OM_B04") | levels((3, 0, 2, 0), "OM_B05", "OM_B06")
    ((profile, modes),) = read(told, forms, answers).changes
    assert profile.label["en"] == "In three years" and modes == ("CUST",)


def test_a_form_that_asks_todays_modes_only_gives_todays_feedback(told, forms):
    reading = read(told, forms, levels((3, 0, 0, 0)), "core2015")
    assert len(reading.profiles) == 1 and reading.changes == ()
    assert {marked.sign for marked in reading.features} == {Sign.UNKNOWN}


@pytest.mark.parametrize(
    ("mode", "feature", "answers", "sign"),
    [
        ("PROD", 0, {"OM_C11": 4}, Sign.YES),
        ("PROD", 0, {"OM_C11": 3}, Sign.BETWEEN),
        ("PROD", 0, {"OM_C11": 2}, Sign.NO),
        ("PROD", 0, {"OM_C11": Missing.DOES_NOT_CONCERN}, Sign.UNKNOWN),
        ("PROD", 1, {"OM_C01": -1}, Sign.YES),  # the left pole: profitability first
        ("DEV", 3, {"OM_C01": 1}, Sign.YES),  # the right pole: growth first
        ("DEV", 3, {"OM_C01": 0}, Sign.BETWEEN),
        ("DEV", 5, {"OM_C17": 5, "OM_C12": 1}, Sign.YES),  # milestones, and no scorecard
        ("DEV", 5, {"OM_C17": 5, "OM_C12": 5}, Sign.BETWEEN),
        ("CUST", 0, {"OM_C21": 5, "OM_C06": -2}, Sign.BETWEEN),
        ("CUST", 5, {"OM_D01_FIN": 1, "OM_D03_FIN": 1}, Sign.YES),  # figures once a year come late
        ("PUB", 3, levels((0, 0, 2, 3), "OM_B03", "OM_B04"), Sign.YES),  # more customer service is wished for
        ("PUB", 3, levels((0, 0, 0, 3), "OM_B03", "OM_B04"), Sign.NO),
    ],
)
def test_a_feature_is_marked_by_what_was_answered_of_it(told, forms, mode, feature, answers, sign):
    current = levels(tuple(3 if one == mode else 1 if one == "CUST" else 0 for one in MODES))
    reading = read(told, forms, current | answers)
    assert reading.dominant == mode
    assert reading.features[feature].sign is sign


def test_a_feedback_file_that_fits_no_form_is_told_with_its_lines(tmp_path, forms):
    text = (FOLDER / "feedback.yaml").read_text(encoding="utf-8")
    faulty = text.replace("items: [OM_C11]", "items: [OM_C99]").replace("reason: OM_B07", "reason: OM_B77")
    faulty = faulty.replace("modes: [PROD, DEV]", "modes: [PROD, PROD]").replace("growing: [CUST, DEV]", "growing: [X]")
    (tmp_path / "feedback.yaml").write_text(faulty, encoding="utf-8")
    with pytest.raises(AuthorError) as refusal:
        files.load(tmp_path, list(forms.values()))
    found = {problem.code: problem for problem in refusal.value.problems}
    assert {"unknown_item", "unknown_question", "not_a_pair", "unknown_mode"} <= set(found)
    lines = faulty.splitlines()
    assert "OM_C99" in lines[found["unknown_item"].line - 1]
    assert "OM_B77" in lines[found["unknown_question"].line - 1]


def test_a_questionnaire_without_feedback_has_none(tmp_path, forms):
    assert files.load(tmp_path, list(forms.values())) is None
