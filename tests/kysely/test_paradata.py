"""Times by the server's clock: how long pages were open, where people stopped, on what kind of device."""

from datetime import UTC, datetime, timedelta

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kysely import paradata
from kysely.paradata import IDLE, Visit, active_time, break_off_page, device, page_durations

NINE = datetime(2015, 4, 20, 9, tzinfo=UTC)


def visit(page, shown, saved, stage=""):
    return Visit(page, stage, NINE + timedelta(seconds=shown), NINE + timedelta(seconds=saved))


def seconds(duration):
    return duration.total_seconds()


def test_a_page_was_open_as_long_as_its_visits_together_and_stages_are_turns_of_it():
    visits = [
        visit("farm", 0, 20),
        visit("modes", 20, 50, "choose"),
        visit("modes", 50, 65, "rate"),
        visit("farm", 70, 75),
    ]
    assert {page: seconds(time) for page, time in page_durations(visits).items()} == {"farm": 25, "modes": 45}
    assert seconds(active_time(visits)) == 70


def test_two_tabs_that_are_open_at_once_do_not_count_twice():
    assert seconds(active_time([visit("farm", 0, 60), visit("field", 30, 90)])) == 90
    assert seconds(active_time([visit("farm", 0, 100), visit("field", 30, 60)])) == 100


def test_a_page_left_open_overnight_counts_as_half_an_hour():
    assert active_time([visit("farm", 0, 12 * 3600), visit("field", 12 * 3600, 12 * 3600 + 60)]) == IDLE + timedelta(
        minutes=1
    )


def test_a_clock_that_was_set_back_makes_no_time_negative():
    assert active_time([visit("farm", 100, 40)]) == timedelta(0)
    assert page_durations([visit("farm", 100, 40)]) == {"farm": timedelta(0)}


@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 5000))))
def test_active_time_is_never_longer_than_the_pages_together_nor_than_from_first_to_last(spans):
    visits = [visit("farm", *sorted(span)) for span in spans]
    total = active_time(visits)
    assert timedelta(0) <= total <= sum((each.duration for each in visits), timedelta(0))
    if visits:
        assert total <= max(v.saved_at for v in visits) - min(v.shown_at for v in visits)


@pytest.mark.parametrize(
    ("answers", "submitted", "page"),
    [
        ({}, False, "farm"),
        ({"farm_given": 1}, False, "person"),
        ({"farm_given": 1, "role": "OWNER"}, False, "field"),
        ({"farm_given": 1, "role": "OWNER", "crop_RYE": 1, "crop_OATS": 0, "hectares": 3, "remark": ""}, False,
         "check-answers"),
        ({"farm_given": 1}, True, None),
    ],
)  # fmt: skip
def test_a_respondent_stopped_at_the_first_page_with_a_gap(harvest, answers, submitted, page):
    assert break_off_page(harvest, answers, submitted=submitted) == page


@pytest.mark.parametrize(
    ("says", "kind"),
    [
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148",
            "phone",
        ),
        ("Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36", "phone"),
        ("Mozilla/5.0 (Linux; Android 14; SM-X710) AppleWebKit/537.36 Chrome/140.0 Safari/537.36", "tablet"),
        ("Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148", "tablet"),
        ("Mozilla/5.0 (Android 14; Tablet; rv:140.0) Gecko/140.0 Firefox/140.0", "tablet"),
        ("Mozilla/5.0 (Android 14; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0", "phone"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36", "desktop"),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.0 Safari/605.1.15",
            "desktop",
        ),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "desktop"),
        ("Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36", "desktop"),
        ("", None),
        ("curl/8.5.0", None),
    ],
)
def test_a_device_is_a_phone_a_tablet_or_a_desktop_and_nothing_finer(says, kind):
    assert device(says) == kind


def test_an_interview_leaves_its_times_in_the_extract_from_first_shown_to_saved(sqlite_settings, tmp_path):
    """A refusal in between belongs to the visit; one write holds it, that of the page."""
    from kysely import store as stores
    from kysely.commands.extract import write
    from kysely.web import create_app
    from tests.kysely.web._visitor import ANSWERS, STUDY, Visitor

    clock = [NINE]
    store = stores.open(sqlite_settings)
    app = create_app(sqlite_settings, store, now=lambda: clock[0])

    def after(seconds):
        clock[0] += timedelta(seconds=seconds)

    visitor = Visitor(app)
    visitor.client.environ_base["HTTP_USER_AGENT"] = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile/1"
    visitor.start()
    after(10)
    visitor.send(**{**ANSWERS["organisation"], "organisation_business_id": "123"})  # refused
    after(5)
    visitor.send(**{**ANSWERS["organisation"], "organisation_business_id": ""})
    after(20)
    visitor.send(**ANSWERS["activity"])
    after(7)
    (count,) = store.counts()
    write(store, count, tmp_path / "extract", made_at=NINE)
    visits = pq.read_table(tmp_path / "extract" / "visits.parquet").to_pylist()
    assert [(row["visit"], row["page"], row["seconds"]) for row in visits] == [
        (1, "organisation", 15.0),
        (2, "activity", 20.0),
    ]
    assert visits[0]["shown_at"] == NINE and visits[1]["saved_at"] == NINE + timedelta(seconds=35)
    (row,) = pq.read_table(tmp_path / "extract" / "paradata.parquet").to_pylist()
    del row["response"]
    assert row == {
        "device": "phone", "pages": 2, "active_seconds": 35.0, "break_off_page": "respondent", "changes": 0,
    }  # fmt: skip
    visitor.answer()
    visitor.send()
    visitor.see("change-my-answers")
    visitor.send()
    visitor.see("perspective?edit")
    visitor.send(**{**ANSWERS["perspective"], "BG08": "Muutettu"})
    write(store, count, tmp_path / "extract", made_at=NINE)
    (row,) = pq.read_table(tmp_path / "extract" / "paradata.parquet").to_pylist()
    assert (row["break_off_page"], row["changes"]) == (None, 1)
    (response,) = pq.read_table(tmp_path / "extract" / "responses.parquet").to_pylist()
    assert response["disposition"] == "I"
    store.close()
    assert STUDY and paradata.PHONE == "phone"


def test_a_definition_may_ask_for_no_paradata_at_all(sqlite_settings, tmp_path):
    from contextlib import closing
    from dataclasses import replace

    from kysely import store as stores
    from kysely.commands.extract import write
    from kysely.web import create_app
    from tests.kysely.web._visitor import form
    from tests.kysely.web.test_drafts import ANONYMOUS

    folder = tmp_path / "questionnaires" / "quiet"
    folder.mkdir(parents=True)
    definition = ANONYMOUS.replace("{mode: anonymous, min_group: 5}", "{mode: confidential, paradata: none}")
    (folder / "questionnaire.yaml").write_text(definition, encoding="utf8")
    with closing(stores.open(sqlite_settings)) as store:
        app = create_app(replace(sqlite_settings, questionnaires=folder.parent), store)
        client = app.test_client()
        client.environ_base["HTTP_USER_AGENT"] = "Mozilla/5.0 (iPhone)"
        page = client.get("/en/quiet/")
        page = client.post("/en/quiet/", data=dict(form(page).hidden), follow_redirects=True)
        client.post("/en/quiet/field", data={**dict(form(page).hidden), "hectares": "3", "remark": "dry"})
        (count,) = store.counts()
        write(store, count, tmp_path / "extract", made_at=NINE)
        assert store.visits(count.wave.id) == {}
        assert [state.device for state in store.responses(count.wave.id)] == [None]
    for name in ("visits", "paradata"):
        assert pq.read_table(tmp_path / "extract" / f"{name}.parquet").num_rows == 0
