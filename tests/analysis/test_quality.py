"""Quality of the answers: bases of item nonresponse, where people leave, who rushes, who draws lines; bad input."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from analysis import extract, quality
from analysis.answers import MISSING
from analysis.quality import QualityError
from tests.analysis import _study

NAN = np.nan
VALUE = -1
PAGES = {"background": ["BG10", "BG12"], "respondent": ["BG01"], "modes": ["OM_B01_PROD", "OM_B02_PROD", "OM_order"]}


def kinds(*names):
    """Return positions in MISSING; "" is a value."""
    return [MISSING.index(name) if name else VALUE for name in names]


@pytest.fixture
def study():
    """Return 40 respondents; a test changes columns before `read`."""
    return _study.answers(organisations=30, respondents=40)


@pytest.fixture
def read(tmp_path):
    return lambda study: extract.read(_study.write(study, tmp_path / "extract"))


# ---- item nonresponse ---------------------------------------------------------------------------------------


def test_only_those_asked_are_the_base_of_item_nonresponse():
    ours = quality.item_nonresponse(
        kinds("", "", "no_answer", "dont_know", "does_not_concern", "routed_past", "not_reached"), item="BG06"
    )
    assert (ours.item, ours.n, ours.value, ours.no_answer) == ("BG06", 5, 2, 1)
    assert (ours.dont_know, ours.does_not_concern, ours.not_reached, ours.routed_past) == (1, 1, 1, 1)
    assert (ours.rate, ours.dont_know_rate) == (0.2, 0.2)


def test_an_item_nobody_was_asked_has_no_rate():
    ours = quality.item_nonresponse(kinds("routed_past", "not_reached"))
    assert (ours.n, ours.rate, ours.dont_know_rate) == (0, None, None)


def test_a_question_of_several_items_tells_gaps_from_blanks():
    ours = quality.question_nonresponse(
        [
            kinds("", "", ""),
            kinds("", "no_answer", "dont_know"),
            kinds("no_answer", "no_answer", "no_answer"),
            kinds("no_answer", "routed_past", "routed_past"),
            kinds("", "routed_past", "not_reached"),
            kinds("routed_past", "routed_past", "routed_past"),
        ]
    )
    assert (ours.k, ours.n, ours.complete, ours.partly, ours.empty) == (3, 5, 2, 1, 2)
    assert (ours.items, ours.items_no_answer) == (11, 5)
    assert (ours.rate, ours.item_rate) == (2 / 5, 5 / 11)


def test_every_item_and_every_question_of_an_extract_is_told_with_its_base(study, read):
    for row, kind in enumerate(["no_answer", "no_answer", "dont_know", "routed_past"]):
        study.columns["BG06"][row] = kind
    for name in [name for name in study.columns if name.startswith("BG16")]:
        study.columns[name][7] = "no_answer"
    found = read(study)
    items = {one.item: one for one in quality.nonresponse(found)}
    assert list(items) == [variable.name for variable in found.asked()]
    assert (items["BG06"].n, items["BG06"].rate, items["BG06"].dont_know) == (39, 2 / 39, 1)
    questions = {one.question: one for one in quality.nonresponse_by_question(found)}
    assert (questions["BG16"].k, questions["BG16"].n, questions["BG16"].rate) == (6, 40, 1 / 40)
    some = np.arange(40) < 3
    assert {one.item: one.n for one in quality.nonresponse(found, among=some)}["BG06"] == 3
    assert {one.question: one.empty for one in quality.nonresponse_by_question(found, among=some)}["BG06"] == 2


def test_kinds_of_missing_add_up_to_everybody():
    rng = np.random.default_rng(9)
    drawn = rng.integers(-1, len(MISSING), (300, 4))
    for column in drawn.T:
        ours = quality.item_nonresponse(column)
        asked = ours.value + ours.no_answer + ours.dont_know + ours.does_not_concern
        assert ours.n == asked
        assert ours.n + ours.not_reached + ours.routed_past == 300
    ours = quality.question_nonresponse(drawn)
    assert ours.complete + ours.partly + ours.empty == ours.n


# ---- break-offs ---------------------------------------------------------------------------------------------


def test_who_leaves_a_page_unanswered_left_there(study, read):
    after = {
        0: ["BG12", "BG01", "OM_B01_PROD", "OM_B02_PROD"],  # left on the first page
        1: ["OM_B01_PROD", "OM_B02_PROD"],
        2: ["OM_B02_PROD"],
    }
    for row, names in after.items():
        for name in names:
            study.columns[name][row] = "not_reached"
    finished = np.arange(40) > 3
    ours = quality.break_off_by_page(read(study), PAGES, finished=finished)
    assert [(one.page, one.reached, one.stopped) for one in ours] == [
        ("background", 40, 1),
        ("respondent", 39, 0),
        ("modes", 39, 2),
    ]
    assert ours[0].rate == 1 / 40


def test_a_page_off_the_path_is_reached_by_nobody_and_left_by_nobody():
    shown = np.array([[True, False, True], [True, True, True], [True, False, True]])
    pending = np.array([[False, True, True], [False, True, True], [False, False, False]])
    ours = quality.break_off(shown, pending, finished=np.zeros(3, dtype=bool), pages=["a", "b", "c"])
    assert [(one.reached, one.stopped) for one in ours] == [(3, 0), (1, 1), (2, 1)]


def test_who_finished_broke_off_nowhere():
    everywhere = np.ones((2, 2), dtype=bool)
    ours = quality.break_off(everywhere, everywhere, finished=np.array([True, True]), pages=["a", "b"])
    assert [(one.reached, one.stopped) for one in ours] == [(2, 0), (2, 0)]


def test_pages_are_read_from_the_definition_of_the_extract():
    book = _study.codebook()
    definition = {"pages": [{"id": "one", "questions": [{"id": "BG01"}]}, {"id": "two", "questions": [{"id": "OM_B"}]}]}
    ours = quality.pages_of(json.loads(json.dumps(definition)), book)
    assert ours["one"] == ["BG01"]
    assert ours["two"] == [variable.name for variable in book.variables if variable.question == "OM_B"]


# ---- speed and straight lines -------------------------------------------------------------------------------


def test_who_takes_less_than_half_of_the_median_is_a_speeder():
    ours = quality.speeders([2, 4.9, 5, 10, 12, 15, 11, NAN])
    assert (ours.n, ours.untimed, ours.median, ours.limit) == (7, 1, 10, 5)
    assert ours.speeder.tolist() == [True, True, False, False, False, False, False, False]
    assert (ours.count, ours.rate) == (2, 2 / 7)
    assert quality.speeders([2, 4.9, 5, 10, 12, 15, 11], fraction=0.3).count == 1


def test_where_no_times_are_kept_nobody_is_called_fast():
    ours = quality.speeders([NAN, NAN])
    assert (ours.n, ours.untimed, ours.median, ours.limit, ours.count, ours.rate) == (0, 2, None, None, 0, None)


def test_the_time_of_a_response_runs_from_its_start_to_its_submission(study, read):
    found = read(study)
    start = datetime(2015, 4, 1, 9, tzinfo=UTC)
    ends = [start + timedelta(minutes=row) for row in range(39)] + [None]
    table = found.responses
    for name, column in (("started_at", [start] * 40), ("completed_at", ends)):
        place = table.column_names.index(name)
        table = table.set_column(place, name, pa.array(column, pa.timestamp("us", "UTC")))
    ours = quality.minutes(replace(found, responses=table))
    assert ours[:39].tolist() == list(range(39))
    assert np.isnan(ours[39])


def test_one_answer_in_all_rows_is_a_straight_line():
    ours = quality.straight_lining([[3, 3, 3, 3], [3, 3, NAN, 3], [1, 1, 2, 2], [4, NAN, NAN, 4], [NAN] * 4])
    assert (ours.n, ours.rows, ours.minimum) == (3, 4, 3)
    assert ours.straight.tolist() == [True, True, False, False, False]
    assert (ours.count, ours.rate) == (2, 2 / 3)
    assert ours.differentiation == pytest.approx((0 + 0 + 0.5) / 3)


def test_rows_that_all_differ_are_as_differentiated_as_can_be():
    ours = quality.straight_lining([[1, 2, 3, 4, 5]])
    assert ours.differentiation == pytest.approx(1 - 1 / 5)


def test_a_grid_nobody_answered_has_no_rate():
    ours = quality.straight_lining([[NAN] * 3] * 2)
    assert (ours.n, ours.rate, ours.differentiation) == (0, None, None)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda: quality.item_nonresponse([0.5]), "whole numbers in 1 dimensions"),
        (lambda: quality.item_nonresponse([7]), "kinds of missing are -1 … 4"),
        (lambda: quality.question_nonresponse([0, 1]), "whole numbers in 2 dimensions"),
        (lambda: quality.break_off([[1]], [[True]], finished=np.array([True]), pages=["a"]), "shown is true or false"),
        (
            lambda: quality.break_off(
                np.array([[True]]), np.array([[True, False]]), finished=np.array([True]), pages=["a"]
            ),
            "pending is true or false",
        ),
        (
            lambda: quality.break_off(np.array([[True]]), np.array([[True]]), finished=[1], pages=["a"]),
            "each of 1 respondents",
        ),
        (lambda: quality.speeders([1, -2]), "1 times are negative"),
        (lambda: quality.speeders([1, 2], fraction=1.5), "a fraction of 1.5"),
        (lambda: quality.straight_lining([1, 2]), "shape"),
        (lambda: quality.straight_lining([[1, 2]]), "3 answered rows are asked for in a grid of 2"),
    ],
)
def test_what_is_wrong_is_said(wrong, says):
    with pytest.raises(QualityError, match=says):
        wrong()


def test_pages_of_another_questionnaire_are_refused(study, read):
    with pytest.raises(QualityError, match="no page has a variable"):
        quality.break_off_by_page(read(study), {"page": ["SC_A01"]}, finished=np.ones(40, dtype=bool))
