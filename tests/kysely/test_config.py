"""Settings that can't work or aren't safe are refused before anything starts, each by its name."""

import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kysely import paths
from kysely.config import Settings
from kysely.errors import ConfigurationError

GOOD_SECRET = "vG5m-qL2xR8tYw0ZkB4nD7sJ1hFcA9eU"
PRODUCTION = {
    "KYSELY_MODE": "production",
    "KYSELY_LINK_KEY": "for tests only, and longer than it need be",
    "KYSELY_SECRET_KEY": GOOD_SECRET,
    "KYSELY_BASE_URL": "https://kysely.example.fi",
    "KYSELY_TRUSTED_HOSTS": "kysely.example.fi, www.example.fi",
}


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty checkout, in which one stands."""
    monkeypatch.setattr(paths, "REPOSITORY", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_safe_production_starts(here):
    settings = Settings.from_env(PRODUCTION)
    assert settings.production and not settings.demonstration
    assert settings.trusted_hosts == ("kysely.example.fi", "www.example.fi")
    assert settings.secret_key == GOOD_SECRET


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"KYSELY_SECRET_KEY": None}, "KYSELY_SECRET_KEY is missing"),
        ({"KYSELY_SECRET_KEY": "   "}, "KYSELY_SECRET_KEY is missing"),
        ({"KYSELY_SECRET_KEY": GOOD_SECRET[:31]}, "KYSELY_SECRET_KEY is shorter than 32 bytes"),
        ({"KYSELY_SECRET_KEY": "changeme" * 4}, "KYSELY_SECRET_KEY repeats itself"),
        ({"KYSELY_SECRET_KEY": "x" * 64}, "KYSELY_SECRET_KEY repeats itself"),
        ({"KYSELY_LINK_KEY": None}, "KYSELY_LINK_KEY is missing"),
        ({"KYSELY_LINK_KEY": GOOD_SECRET[:31]}, "KYSELY_LINK_KEY is shorter than 32 bytes"),
        ({"KYSELY_LINK_KEY": GOOD_SECRET}, "KYSELY_LINK_KEY equals KYSELY_SECRET_KEY"),
        ({"KYSELY_SECRET_KEY_FALLBACKS": f"{GOOD_SECRET},short"}, "KYSELY_SECRET_KEY_FALLBACKS is shorter"),
        ({"KYSELY_BASE_URL": None}, "KYSELY_BASE_URL is missing"),
        ({"KYSELY_BASE_URL": "http://kysely.example.fi"}, "KYSELY_BASE_URL begins with http://"),
        ({"KYSELY_BASE_URL": "kysely.example.fi"}, "KYSELY_BASE_URL is 'kysely.example.fi'"),
        ({"KYSELY_BASE_URL": "https://kysely.example.fi:abc"}, "KYSELY_BASE_URL is"),
        ({"KYSELY_BASE_URL": "https://kysely.example.fi/survey"}, "KYSELY_BASE_URL is"),
        ({"KYSELY_BASE_URL": "https://other.example.fi"}, "KYSELY_TRUSTED_HOSTS lacks 'other.example.fi'"),
        ({"KYSELY_QUESTIONNAIRES": "nowhere"}, "KYSELY_QUESTIONNAIRES is"),
        ({"KYSELY_TRUSTED_HOSTS": None}, "KYSELY_TRUSTED_HOSTS is missing"),
        ({"KYSELY_TRUSTED_HOSTS": " , "}, "KYSELY_TRUSTED_HOSTS is missing"),
        ({"KYSELY_TRUSTED_HOSTS": "*"}, "KYSELY_TRUSTED_HOSTS: '*'"),
        ({"KYSELY_TRUSTED_HOSTS": "https://kysely.example.fi"}, "KYSELY_TRUSTED_HOSTS: 'https://"),
        ({"KYSELY_MODE": "prod"}, "KYSELY_MODE is 'prod'"),
        ({"KYSELY_DEBUG": "1"}, "KYSELY_DEBUG is on"),
        ({"FLASK_DEBUG": "true"}, "FLASK_DEBUG is on"),
        ({"KYSELY_DATABASE_URL": "mysql://u:hunter2@db/kysely"}, "KYSELY_DATABASE_URL has the scheme 'mysql'"),
        ({"KYSELY_DATABASE_URL": "postgres://u:hunter2@db/kysely"}, "KYSELY_DATABASE_URL begins with postgres://"),
        ({"KYSELY_DATABASE_URL": "sqlite://"}, "KYSELY_DATABASE_URL names no file"),
        ({"KYSELY_DATABASE_URL": "sqlite:///:memory:"}, "KYSELY_DATABASE_URL names no file"),
        ({"KYSELY_IDENTITY_URL": "oracle://db"}, "KYSELY_IDENTITY_URL has the scheme 'oracle'"),
        (
            {"KYSELY_DATABASE_URL": "sqlite:///one.db", "KYSELY_IDENTITY_URL": "sqlite:///one.db"},
            "KYSELY_IDENTITY_URL names the file of KYSELY_DATABASE_URL",
        ),
        ({"KYSELY_PROXY_HOPS": "two"}, "KYSELY_PROXY_HOPS is 'two'"),
        ({"KYSELY_PROXY_HOPS": "-1"}, "KYSELY_PROXY_HOPS is '-1'"),
        ({"KYSELY_PROXY_HOPS": "1_0"}, "KYSELY_PROXY_HOPS is '1_0'"),
        ({"KYSELY_PROXY_HOPS": "²"}, "KYSELY_PROXY_HOPS is '²'"),
    ],
)
def test_production_refuses_what_is_unsafe_and_names_the_setting(here, changed, named):
    environ = {name: value for name, value in {**PRODUCTION, **changed}.items() if value is not None}
    with pytest.raises(ConfigurationError, match=re.escape(named)) as error:
        Settings.from_env(environ)
    assert "hunter2" not in str(error.value)
    assert error.value.exit_code == 3


def test_production_makes_no_secret_of_its_own(here):
    with pytest.raises(ConfigurationError):
        Settings.from_env({**PRODUCTION, "KYSELY_SECRET_KEY": ""})
    assert not (here / "instance").exists()


def test_without_any_setting_it_is_a_demonstration_that_keeps_its_secret(here):
    settings = Settings.from_env({})
    assert settings.demonstration
    assert settings.database_url == f"sqlite:///{here}/instance/answers.db"
    assert settings.identity_url == f"sqlite:///{here}/instance/identity.db"
    assert settings.build == here / "build"
    assert settings.questionnaires == here / "questionnaires"
    file = here / "instance" / "secret.key"
    assert file.stat().st_mode & 0o077 == 0
    assert len(settings.secret_key) >= 32
    assert Settings.from_env({}).secret_key == settings.secret_key
    assert [file.name for file in file.parent.iterdir()] == ["secret.key"]


def test_server_processes_that_start_together_agree_on_the_secret(here):
    with ThreadPoolExecutor(8) as pool:
        secrets = {settings.secret_key for settings in pool.map(lambda _: Settings.from_env({}), range(8))}
    assert len(secrets) == 1


def test_an_emptied_secret_is_not_used(here):
    (here / "instance").mkdir()
    (here / "instance" / "secret.key").write_text("")
    with pytest.raises(ConfigurationError, match="secret.key"):
        Settings.from_env({})


def test_an_instance_folder_that_cannot_be_made_is_named(here):
    (here / "instance").write_text("a file")
    with pytest.raises(ConfigurationError, match="KYSELY_INSTANCE"):
        Settings.from_env({})


@pytest.mark.parametrize("url", ["postgresql://u@h/db", "postgresql+psycopg://u@h/db"])
def test_on_postgresql_names_are_kept_in_another_schema_of_the_same_database(here, url):
    settings = Settings.from_env({"KYSELY_DATABASE_URL": url})
    assert settings.database_url == settings.identity_url == "postgresql+psycopg://u@h/db"


def test_names_are_kept_in_a_file_beside_the_answers(here):
    settings = Settings.from_env({"KYSELY_DATABASE_URL": "sqlite:////srv/kysely/a.db"})
    assert settings.identity_url == "sqlite:////srv/kysely/identity.db"


def test_no_secret_shows_when_settings_are_printed(here):
    settings = Settings.from_env({**PRODUCTION, "KYSELY_DATABASE_URL": "postgresql://u:hunter2@h/db"})
    assert GOOD_SECRET not in repr(settings) and "hunter2" not in repr(settings)


def test_folders_do_not_move_when_the_program_changes_its_directory(here, monkeypatch):
    settings = Settings.from_env({"KYSELY_BUILD": "out", "KYSELY_SECRET_KEY": GOOD_SECRET})
    monkeypatch.chdir(os.sep)
    assert settings.build == Path(here) / "out"
