"""A page costs the same in a long questionnaire as in a short one, as far as that can be counted."""

from __future__ import annotations

import sys
from collections import Counter

import pytest

from benchmarks import large
from kysely import conditions, routing
from kysely.questions._base import Question

WATCHED = {function.__code__: function.__name__ for function in (conditions.evaluate, routing.route, Question.parse)}
SHORT, LONG = 30, 300
CONDITIONS = 3
"""How many pages of the long one are shown only to some."""


@pytest.fixture(scope="module")
def questionnaires(tmp_path_factory):
    """One of each length, answered up to its middle."""
    folders = {items: tmp_path_factory.mktemp(f"items_{items}") for items in (SHORT, LONG)}
    made = {items: large.begun(items, large.written(folder, items), folder) for items, folder in folders.items()}
    yield made
    for one in made.values():
        one.store.close()


WORK = {
    "first page": lambda one: large.page(one, large.first(one)),
    "middle page": lambda one: large.page(one, one.middle),
    "save": large.saving,
    "save again": large.saving,
}


@pytest.mark.parametrize("work", WORK)
def test_a_page_takes_as_many_statements_however_long_the_questionnaire_is(questionnaires, work):
    short, long = (statements(one, work) for one in questionnaires.values())
    assert len(short) == len(long) > 0
    assert long.count("BEGIN IMMEDIATE") == work.startswith("save")


@pytest.mark.parametrize("work", WORK)
def test_a_page_walks_the_questionnaire_once_a_request(questionnaires, work):
    """Saving shows the page first; what it answers here leads nowhere else, so the way is not walked again."""
    requests = 2 if work.startswith("save") else 1
    counts = calls(questionnaires[LONG], work)
    assert (counts["route"], counts["evaluate"]) == (requests, requests * CONDITIONS)
    assert counts["parse"] == (3 if work.startswith("save") else 0)


def statements(one: large.Questionnaire, work: str) -> list[str]:
    """Return the statements about the response that *work* sends, and how its transactions begin.

    Every few seconds, whoever comes by looks up what is published; that is left out.
    """
    sent: list[str] = []
    with one.store.answers.database.bare() as connection:
        driver = connection.driver  # the only one of its pool: a test asks for one page after the other
    driver.set_trace_callback(sent.append)
    WORK[work](one)
    driver.set_trace_callback(None)
    return [each for each in sent if each.startswith("BEGIN IMMEDIATE") or "response" in each]


def calls(one: large.Questionnaire, work: str) -> Counter[str]:
    """Return how often *work* does what takes the longer, the longer the questionnaire is."""
    counts: Counter[str] = Counter()

    def count(frame, event, argument) -> None:
        if event == "call" and frame.f_code in WATCHED:
            counts[WATCHED[frame.f_code]] += 1

    sys.setprofile(count)
    try:
        WORK[work](one)
    finally:
        sys.setprofile(None)
    return counts
