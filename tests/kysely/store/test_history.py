"""Whatever people and researchers do, in whatever order: every value that was ever accepted can still be read."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from kysely import loading
from kysely.store import Closed, Conflict, Replayed, Saved, Submitted
from tests.kysely.harvest import NOW, QUESTIONNAIRE, Respondent

EXAMPLES = 500 if os.environ.get("KYSELY_LONG") else 25

VALUES = {
    "hectares": st.integers(0, 99),
    "remark": st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20),
}
PEOPLE = st.integers(0, 2)
SAVES = st.tuples(
    st.just("save"),
    PEOPLE,
    st.fixed_dictionaries({}, optional=VALUES),
    st.sampled_from(["now", "long ago"]),
    st.sampled_from(["new", "the form before"]),
)
OTHERS = st.tuples(
    st.sampled_from(["submit", "reopen", "draft", "code", "publish", "erase", "begin"]), PEOPLE, st.just({})
)


@pytest.fixture(scope="session")
def editions(tmp_path_factory):
    """The questionnaire as published again and again: reworded, without a question, with it back."""
    folder = tmp_path_factory.mktemp("editions") / "harvest"
    folder.mkdir()
    found = []
    for text_of in (
        QUESTIONNAIRE,
        QUESTIONNAIRE.replace("Anything else?", "What else?").replace('revision: "1"', 'revision: "2"'),
        QUESTIONNAIRE.partition("      - {id: remark")[0].replace('revision: "1"', 'revision: "3"'),
    ):
        (folder / "questionnaire.yaml").write_text(text_of, encoding="utf8")
        found.append(loading.load(folder))
    return found


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(SAVES | OTHERS, max_size=25))
def test_every_value_ever_accepted_is_still_readable(store, wave, editions, steps):
    people = [Respondent(store, store.start(wave, "real", editions[0].hash, "en", 7, NOW)) for _ in range(3)]
    accepted: dict[str, list[tuple[int, str, object]]] = {person.id: [] for person in people}
    erased: set[str] = set()
    published = 0
    for step, who, answers, *how in steps:
        person = people[who]
        if person.id in erased and step not in ("begin", "publish"):
            continue
        if step == "save":
            before = person.state
            key = "the form before" if how[1] == "the form before" else None
            outcome = person.saves(based_on=0 if how[0] == "long ago" else None, key=key, **answers)
            after = person.state
            assert isinstance(outcome, Saved | Replayed | Conflict | Closed)
            if isinstance(outcome, Saved):
                written = {name: value for name, value in answers.items() if after.revisions[name] == after.revision}
                if after.revision > before.revision:
                    accepted[person.id] += [(after.revision, name, value) for name, value in written.items()]
                assert all(after.answers[name] == value for name, value in answers.items())
            elif not isinstance(outcome, Replayed):
                assert after == before
            assert not (before.sealed and isinstance(outcome, Saved))
        elif step == "submit":
            first = person.state.submitted_at
            outcome = store.submit(person.id, person.state.revision, NOW)
            assert isinstance(outcome, Submitted | Replayed)
            assert person.state.sealed and person.state.drafts == 0
            assert first in (None, person.state.submitted_at)
        elif step == "reopen":
            assert store.reopen(person.id, NOW) == person.state.submitted
        elif step == "draft":
            sealed = person.state.sealed
            kept = store.put_aside(
                person.id, page="field", stage="", browser=f"b{who}", typed=[("remark", "half a word")], names=(),
                reason="refused", based_on=person.state.revision, shown_at=None, now=NOW,
            )  # fmt: skip
            assert kept != sealed
        elif step == "code":
            assert store.response_of_code(store.issue_code(person.id)).id == person.id
        elif step == "publish":
            published += 1
            store.publish(editions[published % 3], NOW)
        elif step == "erase":
            store.erase(person.id, by="respondent", now=NOW)
            erased.add(person.id)
        elif step == "begin":
            people[who] = Respondent(store, store.start(wave, "real", editions[published % 3].hash, "en", 7, NOW))
            accepted[people[who].id] = []
    for response, values in accepted.items():
        if response in erased:
            assert events(store, response) == [] and store.response(response) is None
        else:
            assert sorted(events(store, response), key=repr) == sorted(values, key=repr)


def events(store, response):
    query = text("SELECT revision, variable, number, text FROM answer_event WHERE response = :response")
    with store.answers.database.reading() as connection:
        rows = connection.execute(query, {"response": response}).all()
    return [(row.revision, row.variable, row.text if row.number is None else int(row.number)) for row in rows]
