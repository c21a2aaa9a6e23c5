"""A page is stored exactly once, and no tab overwrites another unseen."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import text

from kysely.codebook import Missing
from kysely.store import Closed, Conflict, OrganisationTyped, Replayed, Saved, Submitted, UnknownResponse
from tests.kysely.harvest import NOW, Respondent


def events(store):
    with store.answers.database.reading() as connection:
        return connection.execute(text("SELECT count(*) FROM answer_event")).scalar()


def together(count, work):
    barrier = Barrier(count)

    def one(number):
        barrier.wait()
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


@pytest.mark.parametrize(
    "answer",
    [
        "RYE",
        0,
        3,
        2.5,
        -0.125,
        999_999_999_999_999,
        "",
        "dont_know",
        "Zürich\nÅbo \U0001f33e",
        *Missing,
    ],
    ids=repr,
)
def test_what_is_saved_is_what_is_read_whatever_kind_of_answer(respondent, answer):
    assert isinstance(respondent.saves(remark=answer), Saved)
    read = respondent.answers["remark"]
    assert (type(read), read) == (type(answer), answer)


def test_a_response_knows_its_wave_version_language_seed_and_times(store, respondent, wave, harvest):
    state = respondent.state
    assert (state.wave, state.origin, state.version_hash) == (wave, "real", harvest.hash)
    assert (state.language, state.seed, state.revision, state.state) == ("en", 7, 0, "open")
    assert (state.started_at, state.submitted_at, state.answers) == (NOW, None, {})
    assert store.instrument(state.version_hash) == harvest


def test_a_number_that_is_text_stays_text_and_a_page_may_hold_both(respondent):
    respondent.saves(remark="12", hectares=12)
    assert respondent.answers == {"remark": "12", "hectares": 12}


def test_every_accepted_page_is_one_revision_and_the_last_answer_counts(respondent):
    respondent.saves("person", role="OWNER")
    respondent.saves(hectares=3)
    respondent.saves("person", role="WORKER")
    assert respondent.answers == {"role": "WORKER", "hectares": 3}
    assert respondent.state.revisions == {"role": 3, "hectares": 2}
    assert respondent.state.revision == 3


def test_twenty_identical_posts_at_once_are_one(store, respondent):
    outcomes = together(20, lambda _: respondent.saves(key="the form", based_on=0, hectares=3, remark="dry"))
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Replayed"] * 19 + ["Saved"]
    assert events(store) == 2
    assert respondent.state.revision == 1


def test_a_post_repeated_after_other_pages_changes_nothing(store, respondent):
    respondent.saves("person", key="first", based_on=0, role="OWNER")
    respondent.saves("person", role="WORKER")
    assert respondent.saves("person", key="first", based_on=0, role="OWNER") == Replayed(2)
    assert respondent.answers["role"] == "WORKER"
    assert events(store) == 2


def test_eight_pages_at_once_are_all_stored(respondent):
    outcomes = together(8, lambda n: respondent.saves(f"page{n}", key=f"k{n}", based_on=0, **{f"v{n}": n}))
    assert sorted(outcome.revision for outcome in outcomes) == list(range(1, 9))
    assert respondent.answers == {f"v{n}": n for n in range(8)}


def test_many_respondents_at_once_lose_nothing_and_meet_no_lock(store, start):
    respondents = [start() for _ in range(12)]
    together(12, lambda n: [respondents[n].saves(key=f"k{page}", hectares=page) for page in range(10)])
    assert [one.answers["hectares"] for one in respondents] == [9] * 12
    assert events(store) == 120


def test_a_second_tab_with_another_answer_gets_both_and_overwrites_nothing(respondent):
    respondent.saves(key="one tab", based_on=0, hectares=3, remark="dry")
    outcome = respondent.saves(key="other tab", based_on=0, hectares=4, remark="dry")
    assert outcome == Conflict(1, {"hectares": 3, "remark": "dry"}, ("hectares",))
    assert respondent.answers["hectares"] == 3
    # Having seen both, the respondent may decide.
    assert respondent.saves(key="decided", based_on=outcome.revision, hectares=4) == Saved(2)


def test_two_tabs_that_agree_or_are_on_different_pages_are_no_conflict(respondent):
    respondent.saves(key="one tab", based_on=0, hectares=3)
    assert respondent.saves(key="other tab", based_on=0, hectares=3) == Saved(1)
    assert respondent.saves("person", key="other page", based_on=0, role="OWNER") == Saved(2)


def test_no_answer_and_the_typed_words_no_answer_differ(respondent):
    respondent.saves(key="one tab", based_on=0, remark=Missing.NO_ANSWER)
    assert isinstance(respondent.saves(key="other tab", based_on=0, remark="no_answer"), Conflict)


def test_the_same_form_sent_again_with_another_answer_corrects_it(respondent):
    # The browser's back button shows the old form, with the old key and revision.
    respondent.saves(key="the form", based_on=0, hectares=3)
    respondent.saves("person", role="OWNER")
    assert respondent.saves(key="the form", based_on=0, hectares=4) == Saved(3)
    assert respondent.saves(key="the form", based_on=0, hectares=3) == Saved(4)
    assert respondent.answers["hectares"] == 3


def test_a_correction_by_the_back_button_does_not_overwrite_what_another_tab_saved_since(respondent):
    respondent.saves(key="the form", based_on=0, hectares=3)
    respondent.saves(key="other tab", hectares=5)
    assert isinstance(respondent.saves(key="the form", based_on=0, hectares=4), Conflict)


def test_a_page_saved_again_as_it_was_is_no_new_revision(store, respondent):
    respondent.saves(hectares=3, remark="dry")
    respondent.saves("person", role="OWNER")
    before = events(store)
    assert respondent.saves(key="unchanged", hectares=3, remark="dry") == Saved(2)
    assert respondent.saves(key="unchanged", based_on=2, hectares=3, remark="dry") == Replayed(2)
    assert (respondent.state.revision, events(store)) == (2, before)


def test_a_review_that_is_open_while_a_page_is_saved_unchanged_can_still_be_sent(store, respondent):
    respondent.saves(hectares=3)
    shown = respondent.state.revision
    respondent.saves(hectares=3)
    assert store.submit(respondent.id, shown, NOW) == Submitted(NOW)


def test_a_page_saved_unchanged_in_another_language_is_of_that_language(store, respondent):
    respondent.saves(hectares=3)
    swedish = {"answers": {"hectares": 3}, "variables": ["hectares"], "language": "sv", "now": NOW}
    saved = store.save(respondent.id, page="field", stage="", submit_key="på svenska", based_on=1, **swedish)
    assert (saved, respondent.state.language) == (Saved(1), "sv")


@pytest.mark.parametrize(
    "other", [{"hectares": 3.5}, {"hectares": "3"}, {"remark": "dry"}, {"hectares": Missing.NO_ANSWER}]
)
def test_a_page_that_says_anything_else_is_a_new_revision(respondent, other):
    respondent.saves(hectares=3)
    assert respondent.saves(**other) == Saved(2)


def test_a_form_that_changed_nothing_can_still_be_corrected_by_the_back_button(respondent):
    respondent.saves(hectares=3)
    respondent.saves("person", role="OWNER")
    assert respondent.saves(key="unchanged", hectares=3) == Saved(2)
    respondent.saves("person", role="WORKER")
    assert respondent.saves(key="unchanged", based_on=2, hectares=4) == Saved(4)
    assert respondent.saves(key="another tab", based_on=3, hectares=5).differing == ("hectares",)


def test_a_form_that_changed_nothing_hides_no_change_from_a_tab_opened_before(respondent):
    respondent.saves(hectares=3)
    respondent.saves(hectares=4)
    assert respondent.saves(key="unchanged", hectares=4) == Saved(2)
    assert isinstance(respondent.saves(key="old tab", based_on=1, hectares=3), Conflict)


def test_twenty_unchanged_posts_at_once_are_none(store, respondent):
    respondent.saves(hectares=3)
    outcomes = together(20, lambda n: respondent.saves(key=f"tab {n}", based_on=1, hectares=3))
    assert set(outcomes) == {Saved(1)}
    assert (respondent.state.revision, events(store)) == (1, 1)


def test_a_page_without_answers_is_saved_once(respondent):
    assert respondent.saves("info") == Saved(1)
    assert respondent.saves("info") == Saved(1)


def test_a_submit_key_belongs_to_its_response_and_page(start):
    one, other = start(), start()
    assert one.saves(key="k", based_on=0, hectares=1) == Saved(1)
    assert other.saves(key="k", based_on=0, hectares=1) == Saved(1)
    assert one.saves("person", key="k", based_on=0, role="OWNER") == Saved(2)


@pytest.mark.parametrize("key", ["", "\x00", "\ud800", "x" * 100_000, "'; DROP TABLE response; --"], ids=repr)
def test_no_submit_key_is_too_odd(respondent, key):
    respondent.saves("person", role="OWNER")
    first = respondent.store.save(
        respondent.id,
        page="field",
        stage="",
        submit_key=key,
        based_on=1,
        answers={"hectares": 1},
        variables=["hectares"],
        language="en",
        now=NOW,
    )
    assert first == Saved(2)


def test_submitting_twice_submits_once(store, respondent):
    respondent.saves(hectares=3)
    outcomes = together(8, lambda _: store.submit(respondent.id, 1, NOW))
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Replayed"] * 7 + ["Submitted"]
    assert Submitted(NOW) in outcomes
    assert respondent.state.submitted
    assert respondent.state.submitted_at == NOW


def test_what_changed_since_the_review_was_shown_is_not_sent(store, respondent):
    respondent.saves(hectares=3, remark="dry")
    respondent.saves(hectares=4)
    outcome = store.submit(respondent.id, 1, NOW)
    assert outcome == Conflict(2, {"hectares": 4, "remark": "dry"}, ("hectares",))
    assert not respondent.state.submitted
    assert store.submit(respondent.id, outcome.revision, NOW) == Submitted(NOW)
    assert store.submit(respondent.id, 1, NOW) == Replayed(2)


def test_after_submitting_a_changed_page_is_refused_aloud_and_a_repeated_one_is_harmless(store, respondent):
    respondent.saves(key="last", based_on=0, hectares=3)
    store.submit(respondent.id, respondent.state.revision, NOW)
    assert isinstance(respondent.saves(key="last", based_on=0, hectares=3), Replayed)
    assert respondent.saves(hectares=4) == Closed(NOW)
    assert respondent.answers["hectares"] == 3


def test_a_double_click_on_start_begins_one_response(store, start):
    ids = together(8, lambda _: start(submit_key="the introduction").id)
    assert len(set(ids)) == 1
    assert len(set(ids) | {start(submit_key="another").id, start().id, start().id}) == 4
    assert store.counts()[0].started == 4


@pytest.mark.parametrize("id", ["", "0" * 32, "\x00", "../..", "ä" * 32, "0" * 31 + "\n"], ids=repr)
def test_a_response_that_is_not_there_is_none_and_takes_no_page(store, id):
    assert store.response(id) is None
    with pytest.raises(UnknownResponse):
        Respondent(store, id).saves(based_on=0, hectares=1)


def test_a_name_that_strays_among_the_answers_is_refused_without_being_repeated(respondent):
    with pytest.raises(TypeError) as error:
        respondent.saves(farm=OrganisationTyped("Mäkelän tila"))
    assert "Mäkelä" not in str(error.value)
    assert respondent.state.revision == 0
