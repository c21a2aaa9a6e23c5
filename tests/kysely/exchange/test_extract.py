"""What `kysely extract` hands over: one wave as codes, whole, traceable, and without anybody's name."""

import hashlib
import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pyarrow.parquet as pq
import pytest

from analysis import extract as reader
from kysely import cli, loading
from kysely import store as stores
from kysely.codebook import Missing
from kysely.commands import extract as command
from kysely.exchange.parquet import ExtractNotWritten
from kysely.store import REAL, SIMULATED, OrganisationTyped
from tests.kysely.harvest import NOW, QUESTIONNAIRE, Respondent

MARKER = "Wxyzmarkerå"
MADE = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def local(sqlite_settings):
    opened = stores.open(sqlite_settings)
    yield opened
    opened.close()


def fill(store, harvest, *, origin=REAL, name="open", note=None, people=5, seed=1):
    """Let *people* answer, two of each farm, and return the wave's id."""
    chance = Random(seed)
    wave = store.open_wave(harvest, name=name, origin=origin, note=note, now=NOW)
    for number in range(people):
        began = NOW + timedelta(minutes=number)
        person = Respondent(store, store.start(wave, origin, harvest.hash, "en", chance.getrandbits(31), began))
        person.names(f"{MARKER} {number // 2}", "Salo", farm_given=1)
        person.saves("person", role=chance.choice(["OWNER", "WORKER"]))
        person.saves(crop_RYE=1, crop_OATS=0, hectares=number + 0.5, remark=f"{MARKER} says")
        store.submit(person.id, person.state.revision, began + timedelta(minutes=3))
    return wave


def extracted(store, folder, wave=0):
    command.write(store, store.counts()[wave], folder, made_at=MADE)
    return reader.read(folder)


def test_the_reader_of_the_analysis_accepts_what_is_written(store, harvest, tmp_path):
    fill(store, harvest)
    extract = extracted(store, tmp_path / "extract")
    assert len(extract) == 5
    assert extract.manifest["counts"] == {
        "responses": 5,
        "organisations": 3,
        "invited": 0,
        "late": 0,
        "complete": 5,
        "partial": 0,
        "break_off": 0,
    }
    assert sorted(extract.numbers("hectares")) == [0.5, 1.5, 2.5, 3.5, 4.5]
    assert extract.manifest["first_completed"] == "2015-04-20T09:33:00+00:00"
    assert extract.manifest["last_completed"] == "2015-04-20T09:37:00+00:00"


def test_columns_have_the_types_that_their_kinds_promise(local, harvest, tmp_path):
    fill(local, harvest)
    schema = extracted(local, tmp_path / "extract").responses.schema
    assert [schema.field(name).type for name in ("role", "crop_RYE", "hectares")] == ["string", "int8", "double"]
    assert str(schema.field("role__missing").type) == "dictionary<values=string, indices=int8, ordered=0>"
    assert str(schema.field("started_at").type) == "timestamp[us, tz=UTC]"


def test_value_and_kind_of_missing_exclude_each_other(local, harvest, tmp_path):
    wave = local.open_wave(harvest, name="open", origin=REAL, now=NOW)
    for answers in ({"hectares": 0}, {"hectares": Missing.NO_ANSWER}, {"crop_RYE": Missing.DONT_KNOW}):
        Respondent(local, local.start(wave, REAL, harvest.hash, "en", 7, NOW)).saves(**answers)
    table = extracted(local, tmp_path / "extract").responses
    rows = set(zip(table["hectares"].to_pylist(), table["hectares__missing"].to_pylist(), strict=True))
    assert rows == {(0.0, None), (None, "no_answer"), (None, "not_reached")}


def test_no_name_no_open_text_and_no_key_of_the_store_is_in_any_file(local, harvest, tmp_path):
    wave = fill(local, harvest)
    extract = extracted(local, tmp_path / "extract")
    columns = set(extract.responses.column_names)
    assert "remark" not in columns and "farm_given" not in columns
    cells = {str(value) for name in columns for value in extract.responses[name].to_pylist()}
    states = list(local.responses(wave))
    for secret in (MARKER, *(state.id for state in states), *(state.organisation_key for state in states)):
        assert not any(secret in cell for cell in cells)
        assert not any(secret.encode() in file.read_bytes() for file in (tmp_path / "extract").iterdir())


def test_two_extracts_of_real_answers_cannot_be_laid_side_by_side(local, harvest, tmp_path):
    fill(local, harvest)
    one, other = extracted(local, tmp_path / "one"), extracted(local, tmp_path / "other")
    for column in ("response", "organisation"):
        assert not set(one.responses[column].to_pylist()) & set(other.responses[column].to_pylist())
    # Nor does the order of rows tell who came first.
    assert one.responses["response"].to_pylist() == sorted(one.responses["response"].to_pylist())


def test_the_same_simulation_gives_the_same_bytes_in_whatever_database(tmp_path, harvest):
    from tests.conftest import settings_in

    digests = []
    for place in ("here", "there"):
        store = stores.open(settings_in(tmp_path / place))
        fill(store, harvest, origin=SIMULATED, note={"seed": 2015}, people=12)
        extracted(store, tmp_path / place / "extract")
        store.close()
        files = sorted((tmp_path / place / "extract").iterdir())
        digests.append({file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files})
    assert digests[0] == digests[1]
    assert set(digests[0]) == {
        "responses.parquet",
        "cases.parquet",
        "codebook.json",
        "definition.json",
        "manifest.json",
        "paradata.parquet",
        "visits.parquet",
    }


def test_another_simulation_gives_other_keys(local, harvest, tmp_path):
    fill(local, harvest, origin=SIMULATED, name="one", note={"seed": 1})
    fill(local, harvest, origin=SIMULATED, name="two", note={"seed": 2})
    one, other = extracted(local, tmp_path / "one", 0), extracted(local, tmp_path / "other", 1)
    assert not set(one.responses["response"].to_pylist()) & set(other.responses["response"].to_pylist())


def test_a_response_without_any_answer_is_no_response_and_an_organisation_unnamed_is_null(local, harvest, tmp_path):
    wave = local.open_wave(harvest, name="open", origin=REAL, now=NOW)
    local.start(wave, REAL, harvest.hash, "en", 7, NOW)
    Respondent(local, local.start(wave, REAL, harvest.hash, "en", 7, NOW)).saves("person", role="OWNER")
    extract = extracted(local, tmp_path / "extract")
    assert extract.responses["organisation"].to_pylist() == [None]
    assert extract.responses["disposition"].to_pylist() == ["R_breakoff"]
    assert extract.responses["completed_at"].to_pylist() == [None]
    cases = pq.read_table(tmp_path / "extract" / "cases.parquet")
    assert cases["psu"].to_pylist() == extract.responses["response"].to_pylist()


def test_a_definition_changed_in_mid_wave_leaves_old_answers_on_their_own_version(local, harvest, tmp_path):
    wave = fill(local, harvest, people=2)
    folder = tmp_path / "later"
    folder.mkdir()
    later = QUESTIONNAIRE.replace('revision: "1"', 'revision: "2"').replace(
        "- {code: OATS, label: {en: Oats}}",
        "- {code: OATS, label: {en: Oats}}\n          - {code: FLAX, label: {en: Flax}}",
    )
    (folder / "questionnaire.yaml").write_text(later, encoding="utf8")
    second = loading.load(folder)
    local.publish(second, NOW)
    began = NOW + timedelta(days=1)
    person = Respondent(local, local.start(wave, REAL, second.hash, "en", 7, began))
    person.names("Muu", farm_given=1)
    person.saves("person", role="OWNER")
    person.saves(crop_RYE=0, crop_OATS=0, crop_FLAX=1, hectares=1, remark="")
    extract = extracted(local, tmp_path / "extract")
    assert extract.manifest["versions"] == [second.hash, harvest.hash]
    assert extract.manifest["revision"] == "2"
    flax = zip(
        extract.responses["crop_FLAX"].to_pylist(), extract.responses["crop_FLAX__missing"].to_pylist(), strict=True
    )
    assert sorted(flax, key=str) == [(1, None), (None, "routed_past"), (None, "routed_past")]


def test_real_answers_come_before_simulated_ones_and_are_never_mixed_with_them(
    local, harvest, tmp_path, capsys, command_line
):
    fill(local, harvest, origin=SIMULATED, name="robots", note={"seed": 1}, people=4)
    assert command_line("extract", "harvest") == 0
    assert "4 responses of 2 organisations" in capsys.readouterr().out
    fill(local, harvest, people=1)
    assert command_line("extract", "harvest") == 0
    assert "1 response of 1 organisation " in capsys.readouterr().out
    extract = reader.read(tmp_path / "build" / "harvest" / "extract")
    assert (extract.origin, extract.manifest["demonstration"]) == ("real", True)
    assert command_line("extract", "harvest", "--wave", "robots", "--out", str(tmp_path / "robots")) == 0
    assert set(reader.read(tmp_path / "robots").responses["origin"].to_pylist()) == {"simulated"}


@pytest.fixture
def command_line(local, monkeypatch):
    """Run `kysely …` on the databases of *local* and return the exit code."""
    monkeypatch.setenv("KYSELY_INSTANCE", str(local.settings.instance))
    monkeypatch.setenv("KYSELY_BUILD", str(local.settings.build))
    monkeypatch.setenv("KYSELY_SECRET_KEY", local.settings.secret_key)
    return lambda *words: cli.main(words)


def test_the_manifest_says_whether_more_answers_could_still_come(local, harvest, tmp_path):
    wave = fill(local, harvest)
    assert extracted(local, tmp_path / "extract").manifest["open"] is True
    local.close_wave(wave, MADE - timedelta(hours=23))  # those who had begun may finish within a day
    assert extracted(local, tmp_path / "extract").manifest["open"] is True
    later = local.counts()[0]
    command.write(local, later, tmp_path / "extract", made_at=MADE + timedelta(hours=1))
    assert reader.read(tmp_path / "extract").manifest["open"] is False


def test_robots_have_all_answered(local, harvest, tmp_path):
    fill(local, harvest, origin=SIMULATED, name="robots", note={"seed": 1})
    assert extracted(local, tmp_path / "extract").manifest["open"] is False


def test_without_answers_it_says_what_to_do(command_line, capsys):
    assert command_line("extract", "harvest") == 4
    assert "kysely simulate harvest" in capsys.readouterr().err


def test_the_manifest_lists_each_file_with_its_hash(local, harvest, tmp_path):
    fill(local, harvest)
    extracted(local, tmp_path / "extract")
    manifest = json.loads((tmp_path / "extract" / "manifest.json").read_text(encoding="utf8"))
    for name, entry in manifest["files"].items():
        assert entry["sha256"] == hashlib.sha256((tmp_path / "extract" / name).read_bytes()).hexdigest()
    assert manifest["made_at"] == "2026-01-01T00:00:00+00:00"
    definition = (tmp_path / "extract" / "definition.json").read_text(encoding="utf8").rstrip("\n")
    assert hashlib.sha256(definition.encode()).hexdigest() == harvest.hash


def test_an_earlier_extract_is_replaced_whole_and_other_files_are_never_touched(local, harvest, tmp_path):
    fill(local, harvest)
    folder = tmp_path / "extract"
    extracted(local, folder)
    (folder / "left behind").touch()
    extracted(local, folder)
    assert not (folder / "left behind").exists()
    mine = tmp_path / "thesis"
    mine.mkdir()
    (mine / "chapter 1").write_text("years of work")
    with pytest.raises(ExtractNotWritten, match="no extract"):
        extracted(local, mine)
    assert (mine / "chapter 1").read_text() == "years of work"
    assert {file.name for file in tmp_path.iterdir() if file.name.startswith(".")} == set()


def test_a_failure_in_mid_writing_leaves_the_earlier_extract(local, harvest, tmp_path, monkeypatch):
    from kysely.exchange import parquet

    fill(local, harvest)
    folder = tmp_path / "extract"
    before = extracted(local, folder).sha256

    def disk_full(file: Path, text: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(parquet, "_write_text", disk_full)
    with pytest.raises(ExtractNotWritten, match="No space left"):
        extracted(local, folder)
    assert reader.read(folder).sha256 == before


def test_ten_thousand_responses_are_extracted_in_seconds(local, harvest, tmp_path):
    many(local, harvest, 10_000)
    began = time.process_time()
    extract = extracted(local, tmp_path / "extract")
    assert len(extract) == 10_000
    assert time.process_time() - began < 20


def many(store, harvest, count):
    """Write *count* responses at one stroke, as no server would."""
    from sqlalchemy import insert

    wave = store.open_wave(harvest, name="open", origin=REAL, now=NOW)
    responses, events = [], []
    for number in range(count):
        id = f"{number:032x}"
        responses.append(
            dict(id=id, wave_id=wave, origin=REAL, version_hash=harvest.hash, organisation_key=f"{number // 3:032x}")
            | dict(language="en", mode="web", seed=number, revision=1, state="submitted")
            | dict(started_at=NOW, submitted_at=NOW)
        )
        for variable, column, value in (
            ("role", "text", "OWNER"),
            ("crop_RYE", "number", 1),
            ("crop_OATS", "number", 0),
            ("hectares", "number", number / 2),
            ("remark", "text", "dry"),
        ):
            cell = {"number": None, "text": None, "missing": None, column: value}
            events.append(dict(response=id, variable=variable, revision=1, at=NOW, **cell))
    with store.answers.database.writing() as connection:
        connection.execute(insert(stores.tables.Response), responses)
        connection.execute(insert(stores.tables.AnswerEvent), events)


def test_a_name_typed_stays_where_it_belongs(local, harvest):
    wave = fill(local, harvest, people=1)
    [state] = local.responses(wave)
    assert local.organisation_typed(state.id) == OrganisationTyped(f"{MARKER} 0", "Salo", "")
