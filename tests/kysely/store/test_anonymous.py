"""Anonymous mode: what is stored leads from nobody to an answer, and one link gives one response all the same."""

from __future__ import annotations

import secrets
import shutil
from contextlib import closing
from datetime import timedelta

import pytest
from sqlalchemy import text

from kysely import loading
from kysely import store as stores
from kysely.codebook import Missing
from kysely.errors import AuthorError, StoreError
from kysely.outcomes import outcomes, tell_used
from kysely.store import REAL, Closed, Conflict, Replayed, Saved, UnknownResponse, WaveClosed
from tests.kysely.harvest import NOW, QUESTIONNAIRE, Respondent
from tests.kysely.web._invited import invite

ANONYMOUS = (
    QUESTIONNAIRE.replace("mode: confidential", "mode: anonymous")
    .replace("identity: {role: role}\n", "")
    .replace("pages: [farm, person, field]", "pages: [person, field]")
    .replace(
        """  - id: farm
    title: {en: Your farm}
    questions:
      - {id: farm, type: organisation, text: {en: Which farm?}}
""",
        "",
    )
)


def written(folder, text):
    folder = folder / "harvest"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "questionnaire.yaml").write_text(text, encoding="utf8")
    return loading.load(folder)


@pytest.fixture
def anonymous(tmp_path):
    return written(tmp_path / "questionnaires", ANONYMOUS)


@pytest.fixture
def wave(store, anonymous):
    id = store.open_wave(anonymous, name="open", origin=REAL, access="both", closes_at=NOW + timedelta(days=9), now=NOW)
    return next(wave for wave in store.waves() if wave.id == id)


@pytest.fixture
def people(store, wave, tmp_path):
    return invite(store, wave, tmp_path, *(f"p{n}@example.fi,,en" for n in range(12)))


def begin(store, wave, person, code=None):
    """Open a person's link as the mail that it came in was just written."""
    code = code or store.invitations.new_code(person)
    hash = store.publications(wave=wave.id)[0].hash
    begun = {
        "invited": store.invitations.response_of(person, code),
        "withdrawal": store.invitations.keys.withdrawal(person.id),
    }
    id = store.start(wave.id, REAL, hash, "en", secrets.randbits(30), NOW, **begun)
    return Respondent(store, id), code


def answer(store, wave, person, hectares):
    respondent, code = begin(store, wave, person)
    respondent.saves("person", role="OWNER")
    respondent.saves(crop_RYE=1, crop_OATS=0, hectares=hectares)
    store.submit(respondent.id, respondent.state.revision, NOW)
    store.invitations.note_used(store.invitations.keys.completion(person.id), wave.id)
    return respondent, code


def stored(store):
    rows = []
    for database in (store.answers.database, store.identities.database):
        with database.reading() as connection:
            for table in database.metadata.sorted_tables:
                rows += [(table.name, dict(row._mapping)) for row in connection.execute(table.select())]
    return rows


def test_pages_are_saved_replayed_corrected_and_disputed_as_in_the_other_modes(store, wave, people):
    respondent, _ = begin(store, wave, people[0])
    assert respondent.saves("person", key="a", role="OWNER") == Saved(1)
    assert respondent.saves("person", key="a", based_on=0, role="OWNER") == Replayed(1)
    assert respondent.saves("person", key="a", based_on=0, role="WORKER") == Saved(2)
    conflict = respondent.saves("person", key="b", based_on=0, role="OWNER")
    assert isinstance(conflict, Conflict) and conflict.differing == ("role",) and conflict.revision == 2
    assert respondent.saves(hectares=Missing.DONT_KNOW, remark="dry") == Saved(3)
    assert respondent.answers == {"role": "WORKER", "hectares": Missing.DONT_KNOW, "remark": "dry"}
    assert isinstance(store.submit(respondent.id, 1, NOW), Conflict)
    store.submit(respondent.id, 3, NOW)
    assert store.submit(respondent.id, 3, NOW) == Replayed(3)
    assert isinstance(respondent.saves("person", key="c", role="OWNER"), Closed)


def test_a_link_resumes_its_draft_and_gives_one_response(store, wave, people):
    first, code = begin(store, wave, people[0])
    first.saves("person", role="OWNER")
    again, _ = begin(store, wave, people[0], code)
    assert again.id == first.id and again.answers == {"role": "OWNER"}
    for person in people[:5]:
        answer(store, wave, person, 1)
    store.submit(first.id, first.state.revision, NOW)
    begin(store, wave, people[0], code)
    assert store.response(first.id).submitted


def test_nothing_stored_has_a_time_an_order_or_an_earlier_answer(store, wave, people):
    for number, person in enumerate(people[:6]):
        respondent, _ = answer(store, wave, person, number)
        assert respondent.state.started_at is None and respondent.state.submitted_at is None
    rows = stored(store)
    assert not [row for table, row in rows if table in ("response", "answer_event", "page_submission", "respondent")]
    for table, row in rows:
        if table.startswith("anonymous") or table == "completion":
            assert not {"at", "started_at", "submitted_at", "shown_at"} & set(row)
    for database in (store.answers.database, store.identities.database):
        if database.sqlite:
            with database.reading() as connection:
                for table in ("anonymous_draft", "anonymous_response", "anonymous_answer"):
                    if table in database.metadata.tables:
                        with pytest.raises(Exception, match="no such column"):
                            connection.exec_driver_sql(f"SELECT rowid FROM {table}")


def test_answers_become_readable_in_groups_and_in_no_order(store, wave, people):
    for number, person in enumerate(people[:4]):
        answer(store, wave, person, number)
    assert list(store.responses(wave.id)) == [] and store.counts()[0].submitted == 0
    tell_used(store, wave, NOW)
    assert set(outcomes(store, wave).values()) == {"U_delivered_nothing_known"}
    answer(store, wave, people[4], 4)
    assert sorted(state.answers["hectares"] for state in store.responses(wave.id)) == [0, 1, 2, 3, 4]
    tell_used(store, wave, NOW)
    assert list(outcomes(store, wave).values()).count("I") == 5
    if not store.answers.database.sqlite:
        with store.answers.database.reading() as connection:
            query = text("SELECT count(DISTINCT xmin::text) FROM anonymous_response")
            assert connection.execute(query).scalar() == 1
    assert store.counts()[0].submitted == 5


def test_when_the_wave_is_over_the_rest_is_told_and_drafts_are_gone(store, wave, people):
    answer(store, wave, people[0], 1)
    half, _ = begin(store, wave, people[1])
    half.saves("person", role="WORKER")
    begin(store, wave, people[2])
    tell_used(store, wave, NOW + timedelta(days=30))
    states = list(store.responses(wave.id))
    assert sorted(state.submitted for state in states) == [False, True]
    assert list(outcomes(store, wave).values()).count("I") == 1
    assert all(row["content"] == "" for table, row in stored(store) if table == "anonymous_draft")


def test_no_value_leads_from_an_invitation_to_an_answer(store, wave, people):
    codes = [answer(store, wave, person, number)[1] for number, person in enumerate(people[:6])]
    identity, answers = set(), set()
    for table, row in stored(store):
        side = answers if table.startswith("anonymous") else identity
        side |= {str(value) for value in row.values() if value is not None and len(str(value)) > 8}
    shared = identity & answers
    assert shared <= {wave.id, store.publications(wave=wave.id)[0].hash}
    assert not [value for value in identity | answers for code in codes if code in value]


def test_the_receipt_is_all_that_finds_a_response_again_and_erases_it(store, wave, people):
    for number, person in enumerate(people[:5]):
        respondent, _ = answer(store, wave, person, number)
    receipt = store.issue_code(respondent.id)
    found = store.response_of_code(receipt.upper())
    assert found is not None and found.answers["hectares"] == 4 and found.id != respondent.id
    store.erase(found.id, by="respondent", now=NOW)
    assert store.response_of_code(receipt) is None
    assert sorted(state.answers["hectares"] for state in store.responses(wave.id)) == [0, 1, 2, 3]


def test_a_wave_that_is_closed_takes_no_anonymous_response(store, wave, people):
    store.close_wave(wave.id, NOW)
    with pytest.raises(WaveClosed):
        begin(store, wave, people[0])


@pytest.mark.parametrize("mode", ["anonymous", "open"])
def test_who_promises_not_to_know_does_not_ask(tmp_path, mode):
    with pytest.raises(AuthorError, match="promises not to know") as error:
        written(tmp_path, QUESTIONNAIRE.replace("mode: confidential", f"mode: {mode}"))
    assert [problem.where for problem in error.value.problems] == ["question 'farm'"]


@pytest.mark.parametrize(
    ("before", "after", "refused"),
    [
        ("anonymous", "open", True),
        ("anonymous", "confidential", True),
        ("anonymous", "named", True),
        ("open", "confidential", True),
        ("confidential", "named", True),
        ("named", "confidential", False),
        ("confidential", "anonymous", False),
        ("anonymous", "anonymous", False),
    ],
)
def test_a_promise_that_was_given_is_never_loosened(store, tmp_path, before, after, refused):
    first = written(tmp_path, ANONYMOUS.replace("mode: anonymous", f"mode: {before}"))
    wave = store.open_wave(first, name="one", origin=REAL, now=NOW)
    store.start(wave, REAL, first.hash, "en", 1, NOW)
    second = written(tmp_path, ANONYMOUS.replace("mode: anonymous", f"mode: {after}").replace('"1"', '"2"'))
    if refused:
        with pytest.raises(StoreError, match=f"promised {before} answers"):
            store.publish(second, NOW)
    else:
        store.publish(second, NOW)


def test_who_opts_out_half_way_takes_along_what_was_begun_and_can_change_their_mind(store, wave, people):
    half, code = begin(store, wave, people[0])
    half.saves("person", role="WORKER")
    other, _ = begin(store, wave, people[1])
    other.saves("person", role="OWNER")
    store.invitations.opt_out(people[0])
    assert store.withdraw(people[0], by="respondent", now=NOW)
    assert store.response(half.id) is None and other.answers == {"role": "OWNER"}
    with pytest.raises(UnknownResponse):
        half.saves("person", key="late", based_on=1, role="WORKER")
    with pytest.raises(UnknownResponse):
        store.submit(half.id, 1, NOW)
    assert not store.withdraw(people[0], by="respondent", now=NOW)
    # The link begins anew, and what was erased doesn't take that along when the databases are opened again.
    again, _ = begin(store, wave, people[0], code)
    again.saves("person", role="OWNER")
    assert store.erase_again(NOW) == 0
    assert again.answers == {"role": "OWNER"}


def test_what_was_sent_is_out_of_reach_of_whom_it_came_from(store, wave, people):
    respondent, _ = answer(store, wave, people[0], 1)
    marks = {row["withdrawal"] for table, row in stored(store) if table == "anonymous_draft"}
    assert marks == {None}
    assert not store.withdraw(people[0], by="operator", now=NOW)
    assert store.response(respondent.id).submitted


def test_an_erased_anonymous_response_leaves_a_signed_tombstone_that_names_nobody(store, wave, people):
    for number, person in enumerate(people[:5]):
        answer(store, wave, person, number)
    waiting, _ = answer(store, wave, people[5], 5)
    half, _ = begin(store, wave, people[6])
    half.saves("person", role="WORKER")
    gone = next(state for state in store.responses(wave.id) if state.answers["hectares"] == 3)
    for id in (gone.id, waiting.id, half.id):
        store.erase(id, by="respondent", now=NOW)
    stones = list(store.tombstones())
    assert len(stones) == 3 and all(one.genuine and one.erased_by == "respondent" for one in stones)
    # Those of links bear no name that a link leads to.
    assert {gone.id} == {one.response for one in stones} & {gone.id, waiting.id, half.id}
    invited = {value for table, row in stored(store) if table in ("invitation", "contact") for value in row.values()}
    assert not invited & {one.response for one in stones}
    assert sorted(state.answers["hectares"] for state in store.responses(wave.id)) == [0, 1, 2, 4]
    assert [row["content"] for table, row in stored(store) if table == "anonymous_draft"] == [""] * 6


def test_an_anonymous_response_that_a_backup_brings_back_is_erased_again(sqlite_settings, tmp_path, anonymous):
    with closing(stores.open(sqlite_settings)) as store:
        id = store.open_wave(anonymous, name="open", origin=REAL, access="both", now=NOW)
        wave = next(wave for wave in store.waves() if wave.id == id)
        people = invite(store, wave, tmp_path, *(f"p{n}@example.fi,,en" for n in range(7)))
        for number, person in enumerate(people[:5]):
            answer(store, wave, person, number)
        half, _ = begin(store, wave, people[5])
        half.saves("person", role="WORKER")
        answer(store, wave, people[6], 6)
        files = stores.backup(sqlite_settings, tmp_path / "copies", now=NOW)
        gone = next(store.responses(wave.id))
        store.erase(gone.id, by="respondent", now=NOW)
        store.withdraw(people[5], by="respondent", now=NOW)
    for file in files:
        name = f"{file.name.partition('-')[0]}.db"
        for old in sqlite_settings.instance.glob(f"{name}*"):
            old.unlink()
        shutil.copy(file, sqlite_settings.instance / name)
    with closing(stores.open(sqlite_settings)) as store:
        assert store.response(gone.id) is None and store.response(half.id) is None
        assert len(list(store.responses(wave.id))) == 4
        assert [one.genuine for one in store.tombstones()] == [True, True]


def test_what_was_erased_after_it_moved_is_erased_in_a_backup_from_before(sqlite_settings, tmp_path, anonymous):
    with closing(stores.open(sqlite_settings)) as store:
        id = store.open_wave(anonymous, name="open", origin=REAL, access="both", now=NOW)
        wave = next(wave for wave in store.waves() if wave.id == id)
        people = invite(store, wave, tmp_path, *(f"p{n}@example.fi,,en" for n in range(5)))
        for number, person in enumerate(people[:4]):
            answer(store, wave, person, number)
        stores.backup(sqlite_settings, tmp_path / "copies", now=NOW)
        answer(store, wave, people[4], 4)
        gone = next(state for state in store.responses(wave.id) if state.answers["hectares"] == 2)
        store.erase(gone.id, by="respondent", now=NOW)
    assert stores.restore(sqlite_settings, tmp_path / "copies", now=NOW + timedelta(hours=1)).erased == 1
    with closing(stores.open(sqlite_settings)) as store:
        store.close_wave(wave.id, NOW)
        tell_used(store, next(iter(store.waves())), NOW + timedelta(days=30))
        assert sorted(state.answers["hectares"] for state in store.responses(wave.id)) == [0, 1, 3]
