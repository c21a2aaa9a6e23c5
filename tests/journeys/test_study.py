"""The main job as a stranger does it: commands in an empty folder, one after the other."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from kysely import loading, population, simulate
from kysely import store as stores
from kysely.config import Settings
from kysely.web import create_app

ROOT = Path(__file__).parents[2]
LANGUAGES = ("fi", "sv", "en")
SYNTHETIC = {"fi": "synteetti", "sv": "syntetisk", "en": "synthetic"}
BUILT = ("png", "svg", "pdf", "csv", "json")


class Folder:
    """An empty folder with nothing but the environment that says so."""

    def __init__(self, path: Path):
        self.path = path
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("KYSELY_")},
            "KYSELY_INSTANCE": str(path / "instance"),
            "KYSELY_BUILD": str(path / "build"),
            "PYTHONPATH": str(ROOT),
        }

    def run(self, *command: str) -> str:
        """Run `python -m …` here and return what it says; it must end well."""
        done = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=self.path,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=1200,
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def analyse(self) -> str:
        """Do what `make analysis` does once there are answers."""
        return "".join(
            self.run(*command.split())
            for command in (
                "kysely extract operating_mode",
                "analysis operating_mode",
                "reports --instrument operating_mode",
            )
        )

    @property
    def build(self) -> Path:
        return self.path / "build" / "operating_mode"

    def manifest(self) -> dict:
        return json.loads((self.build / "extract" / "manifest.json").read_text())

    def estimates(self) -> list[dict[str, str]]:
        with (self.build / "estimates" / "estimates.csv").open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))

    def settings(self) -> Settings:
        return Settings.from_env(self.environment)


@pytest.fixture(scope="module")
def simulated(tmp_path_factory) -> Folder:
    """The folder after the study was simulated and analysed."""
    folder = Folder(tmp_path_factory.mktemp("study"))
    folder.run("kysely", "simulate", "operating_mode", "--if-no-responses")
    folder.analyse()
    return folder


@pytest.fixture(scope="module")
def with_one_answer(simulated) -> Folder:
    """The same folder after one person answered in Swedish and the analysis was run again."""
    people = population.draw(population.REPRODUCTION, np.random.default_rng(1))
    person = next(person for person in people if person.organisation.type == "MUNI" and person.answers["BG01"] == "TOP")
    settings = simulated.settings()
    store = stores.open(settings)
    try:
        now = datetime(2026, 11, 23, 9, tzinfo=UTC)
        clock = simulate.Clock(now)
        app = create_app(settings, store, now=clock)
        respondent = simulate.Study(replace(person, language="sv"), 1, "sv", now)
        instrument = loading.load(settings.questionnaires / "operating_mode")
        (walk,) = simulate.interviews(app, instrument, [respondent], clock)
        assert walk.fault == ""
    finally:
        store.close()
    simulated.run("kysely", "simulate", "operating_mode", "--if-no-responses")
    simulated.analyse()
    return simulated


def test_simulated_answers_become_charts_and_reports_that_say_they_are_synthetic(simulated):
    manifest = simulated.manifest()
    assert manifest["origin"] == "simulated"
    assert manifest["simulation"]["seed"] == 2015
    for language in LANGUAGES:
        report = (simulated.build / f"report.{language}.html").read_text(encoding="utf-8").lower()
        assert SYNTHETIC[language] in report
        assert (simulated.build / f"report.{language}.pdf").read_bytes().startswith(b"%PDF-1.7")
        assert (simulated.build / f"crosstabs.{language}.xlsx").stat().st_size > 0
        for figure in ("OM_FIG01", "OM_FIG02"):
            folder = simulated.build / "charts" / language
            assert all((folder / f"{figure}.{suffix}").stat().st_size > 0 for suffix in BUILT)
            assert SYNTHETIC[language] in (folder / f"{figure}.json").read_text(encoding="utf-8").lower()


def test_the_published_counts_come_out_of_the_whole_pipeline(simulated):
    claims = json.loads((simulated.build / "claims.json").read_text(encoding="utf-8"))
    verdicts = {row["id"]: row["verdict"] for row in claims["claims"]}
    counted = {"PC01", "PC02", "PC03", "PC04", "PC05", "PC06", "PC07"}
    calibrated = {"PC20", "PC21", "PC22", "PC23"}
    assert {verdicts[claim] for claim in counted | calibrated} == {"REPRODUCED"}
    roles = {
        row["code"]: float(row["estimate"])
        for row in simulated.estimates()
        if (row["variable"], row["banner"], row["statistic"], row["estimand"])
        == ("BG01", "total", "count", "respondent")
    }
    # 302 of 360 are top managers
    assert roles["TOP"] == 302
    assert sum(roles.values()) == 360


def test_one_real_answer_is_analysed_alone_and_its_numbers_are_suppressed(with_one_answer):
    manifest = with_one_answer.manifest()
    assert manifest["origin"] == "real" and manifest["simulation"] is None
    assert manifest["counts"]["responses"] == 1
    estimates = with_one_answer.estimates()
    of_type = [row for row in estimates if row["banner_code"] == "MUNI"]
    assert of_type and {row["base_n"] for row in of_type} <= {"0", "1"}
    assert Counter(row["estimate"] for row in estimates if row["statistic"] in ("share", "central")) == {
        "": sum(row["statistic"] in ("share", "central") for row in estimates)
    }
    for language in LANGUAGES:
        report = (with_one_answer.build / f"report.{language}.html").read_text(encoding="utf-8").lower()
        assert SYNTHETIC[language] not in report


def test_nothing_is_simulated_beside_a_real_answer(with_one_answer):
    assert with_one_answer.run("kysely", "simulate", "operating_mode", "--if-no-responses").startswith("1 ")


def test_the_same_seed_elsewhere_gives_the_same_bytes(simulated, tmp_path):
    other = Folder(tmp_path)
    other.run("kysely", "simulate", "operating_mode")
    other.run("kysely", "extract", "operating_mode")
    simulated.run("kysely", "extract", "operating_mode", "--wave", "simulated-2015", "--out", str(tmp_path / "x"))
    for file in ("responses.parquet", "cases.parquet", "codebook.json", "definition.json"):
        assert (other.build / "extract" / file).read_bytes() == (tmp_path / "x" / file).read_bytes(), file
