"""Who asks, and when: a wave that collects real answers in production says so before the first one."""

from contextlib import closing
from datetime import timedelta

import pytest

from kysely import cli
from kysely import store as stores
from kysely.errors import ConfigurationError, StoreError
from kysely.store import REAL, SIMULATED, Asking, WaveClosed
from tests.conftest import in_production
from tests.kysely.harvest import NOW, Respondent

ASKING = Asking("Maatalouden tutkimus", "tutkija@example.fi", "research", "public interest", "five years")


@pytest.fixture
def production(settings):
    opened = stores.open(in_production(settings))
    yield opened
    opened.close()


def test_a_demonstration_opens_its_wave_when_it_is_first_needed(store, harvest):
    wave = store.collecting(harvest, NOW)
    assert (wave.name, wave.origin, wave.state, wave.demonstration) == ("open", REAL, "open", True)
    assert store.collecting(harvest, NOW + timedelta(days=1)) == wave


def test_production_has_no_wave_until_somebody_opens_it(production, harvest):
    with pytest.raises(WaveClosed, match="kysely wave open harvest"):
        production.collecting(harvest, NOW)


@pytest.mark.parametrize("name", ["controller", "contact", "purpose", "legal_basis", "retention"])
def test_production_opens_no_wave_that_leaves_out_who_asks_or_why(production, harvest, name):
    from dataclasses import replace

    with pytest.raises(ConfigurationError, match=rf"Missing: {name}\."):
        production.open_wave(harvest, name="2026", origin=REAL, asking=replace(ASKING, **{name: " "}), now=NOW)
    assert production.waves() == ()


def test_a_wave_that_says_everything_collects_in_production(production, harvest):
    id = production.open_wave(harvest, name="2026", origin=REAL, asking=ASKING, now=NOW)
    wave = production.collecting(harvest, NOW)
    assert (wave.id, wave.asking, wave.demonstration) == (id, ASKING, False)
    assert production.start(id, REAL, harvest.hash, "en", 7, NOW)


def test_a_demonstrations_wave_takes_no_answers_in_production_and_ends_when_a_real_one_opens(settings, harvest):
    with closing(stores.open(settings)) as demonstration:
        played = demonstration.collecting(harvest, NOW)
    with closing(stores.open(in_production(settings))) as production:
        assert production.wave(harvest.id, harvest.form, REAL) is None
        with pytest.raises(WaveClosed, match="demonstration"):
            production.start(played.id, REAL, harvest.hash, "en", 7, NOW)
        with pytest.raises(StoreError, match="holds answers of a demonstration"):
            production.open_wave(harvest, name="open", origin=REAL, asking=ASKING, now=NOW)
        production.open_wave(harvest, name="2026", origin=REAL, asking=ASKING, now=NOW)
        states = {wave.name: wave.state for wave in production.waves()}
        assert states == {"open": "closed", "2026": "open"}


def test_one_wave_at_a_time_collects_real_answers(production, harvest):
    production.open_wave(harvest, name="2026", origin=REAL, asking=ASKING, now=NOW)
    with pytest.raises(StoreError, match="close it first"):
        production.open_wave(harvest, name="2027", origin=REAL, asking=ASKING, now=NOW)


def test_a_closed_wave_takes_no_new_responses_but_lets_begun_ones_finish(store, harvest, wave, respondent):
    store.close_wave(wave, NOW)
    with pytest.raises(WaveClosed):
        store.start(wave, REAL, harvest.hash, "en", 7, NOW)
    respondent.saves(hectares=3)
    store.submit(respondent.id, respondent.state.revision, NOW)
    assert store.counts()[0].submitted == 1


def test_the_parameters_of_a_simulation_are_kept_with_its_wave(store, harvest):
    note = {"name": "study", "seed": 2015, "parameters": {"share": 0.84, "types": ["a", "ä"]}}
    store.open_wave(harvest, name="robots", origin=SIMULATED, note=note, now=NOW)
    wave = store.wave(harvest.id, harvest.form, SIMULATED)
    assert (wave.note, wave.demonstration) == (note, False)
    assert store.wave(harvest.id, harvest.form, REAL) is None


def test_fieldwork_counts_are_of_one_wave_each(store, harvest, start):
    simulated = store.open_wave(harvest, name="robots", origin=SIMULATED, now=NOW)
    people = [start() for _ in range(4)]
    people[0].names("Tila Oy")
    people[1].names("Tila Oy")
    people[2].saves(hectares=1)
    store.submit(people[0].id, people[0].state.revision, NOW)
    Respondent(store, store.start(simulated, SIMULATED, harvest.hash, "en", 7, NOW)).saves(hectares=1)
    found = {
        count.wave.name: (count.started, count.answered, count.submitted, count.organisations)
        for count in store.counts(harvest.id)
    }
    # A name without an answer is no answer: the page holds no variable here.
    assert found == {"open": (4, 1, 1, 0), "robots": (1, 1, 0, 0)}


@pytest.fixture
def kysely(sqlite_settings, harvest, monkeypatch, tmp_path):
    """Run `kysely …` in a demonstration's folder and return the exit code."""
    from tests.kysely.harvest import QUESTIONNAIRE

    (tmp_path / "q" / "harvest").mkdir(parents=True)
    (tmp_path / "q" / "harvest" / "questionnaire.yaml").write_text(QUESTIONNAIRE, encoding="utf8")
    monkeypatch.setenv("KYSELY_INSTANCE", str(sqlite_settings.instance))
    monkeypatch.setenv("KYSELY_QUESTIONNAIRES", str(tmp_path / "q"))
    return lambda *words: cli.main(words)


def test_an_operator_opens_lists_and_closes_waves_from_the_terminal(kysely, capsys):
    assert kysely("wave", "open", "harvest", "--name", "spring") == 0
    assert "demonstration" in capsys.readouterr().out
    assert kysely("wave", "list") == 0
    assert "harvest (short) spring: demonstration, opened" in capsys.readouterr().out
    assert kysely("wave", "close", "harvest") == 0
    assert kysely("wave", "close", "harvest") == 4
    assert "kysely wave list" in capsys.readouterr().err


def test_in_production_the_terminal_says_which_options_are_missing(kysely, capsys, monkeypatch, sqlite_settings):
    monkeypatch.setenv("KYSELY_MODE", "production")
    monkeypatch.setenv("KYSELY_SECRET_KEY", "vG5m-qL2xR8tYw0ZkB4nD7sJ1hFcA9eU")
    monkeypatch.setenv("KYSELY_LINK_KEY", in_production(sqlite_settings).link_key)
    monkeypatch.setenv("KYSELY_BASE_URL", "https://kysely.example.fi")
    monkeypatch.setenv("KYSELY_TRUSTED_HOSTS", "kysely.example.fi")
    assert kysely("wave", "open", "harvest", "--controller", "Us", "--contact", "us@example.fi") == 3
    assert "--purpose … --legal-basis … --retention …" in capsys.readouterr().err
    options = ("--purpose", "research", "--legal-basis", "public interest", "--retention", "five years")
    assert kysely("wave", "open", "harvest", "--controller", "Us", "--contact", "us@example.fi", *options) == 0
    assert "demonstration" not in capsys.readouterr().out


def test_the_databases_are_upgraded_looked_at_and_copied_from_the_terminal(kysely, capsys, tmp_path, monkeypatch):
    assert kysely("database", "upgrade") == 0
    assert capsys.readouterr().out.count("is the newest, nothing to do") == 3
    kysely("wave", "open", "harvest", "--name", "spring")
    assert kysely("database", "status") == 0
    out = capsys.readouterr().out
    assert out.count("the newest; sound") == 3
    assert "wave spring of harvest (short), real, demonstration, open: 0 started" in out
    assert kysely("database", "backup", "--to", str(tmp_path / "copies")) == 0
    assert len(list((tmp_path / "copies").iterdir())) == 3
    monkeypatch.setenv("KYSELY_INSTANCE", str(tmp_path / "nothing here"))
    assert kysely("database", "status") == 4
    assert "Run: kysely database upgrade" in capsys.readouterr().out + capsys.readouterr().err
    assert kysely("database", "upgrade") == 0
    assert capsys.readouterr().out.count("made, with schema 0") == 3
