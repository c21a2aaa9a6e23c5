"""`python -m analysis` with KYSELY_ENGINE_URL at a database or a cluster: the same numbers, and errors with a cure."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis import sources
from analysis.__main__ import main
from analysis.estimates import HIDDEN, Estimates
from kysely import paths
from reports.__main__ import main as report
from tests import java
from tests.analysis import _study

# pyspark leaves the socket through which it fetched rows to be closed by the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")

KEY = "table variable code estimand weighting banner banner_code statistic".split()
NUMBERS = "estimate se ci_low ci_high df deff base_n base_organisations base_weighted".split()
ONLY_IN_MEMORY = {"fieldwork", "agreement"}
"""Tables that need every respondent at hand."""

BANNERS = ("org3", "role2", "size4")


@dataclass(frozen=True)
class Run:
    """What the command left behind and said."""

    build: Path
    questionnaires: Path
    said: str
    complained: str
    code: int

    @property
    def estimates(self) -> Estimates:
        return Estimates.read(self.build / "operating_mode" / "estimates")


@pytest.fixture(scope="module")
def questionnaires(tmp_path_factory) -> Path:
    """The study's folder with a plan of few banners, whose groups are large enough to be shown."""
    folder = tmp_path_factory.mktemp("questionnaires")
    shutil.copytree(paths.questionnaires({}) / "operating_mode", folder / "operating_mode")
    plan = folder / "operating_mode" / "plan.yaml"
    lines = plan.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if not line.startswith("  - {variable: ") or line[15:].rstrip("}") in BANNERS]
    assert len(lines) - len(kept) == 3
    plan.write_text("\n".join(kept), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory, questionnaires) -> Callable[..., Run]:
    """Run the command on the simulated study with an engine, in a build folder of its own."""

    def at(url: str, *arguments: str, study: _study.Answers | None = None) -> Run:
        build = tmp_path_factory.mktemp("build")
        _study.write(study or _study.answers(), build / "operating_mode" / "extract")
        environ = {"KYSELY_BUILD": str(build), "KYSELY_QUESTIONNAIRES": str(questionnaires), "KYSELY_ENGINE_URL": url}
        return said_by(build, questionnaires, ["operating_mode", "--no-charts", *arguments], environ)

    return at


def said_by(build: Path, questionnaires: Path, arguments: list[str], environ: dict[str, str]) -> Run:
    """Run the command and return what it told, on either stream; capsys is for single tests only."""
    with pytest.MonkeyPatch.context() as patch:
        out, err = Recorder(), Recorder()
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        code = main(arguments, environ)
    return Run(build, questionnaires, out.text, err.text, code)


class Recorder:
    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None: ...

    def isatty(self) -> bool:
        return False


@pytest.fixture(scope="module")
def in_memory(run) -> Run:
    return run("")


@pytest.fixture(scope="module")
def url(postgresql, worker) -> Iterator[str]:
    """A database of our own."""
    name = f"door_{worker}"
    with psycopg.connect(postgresql(), autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        yield postgresql(name)
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def on_postgresql(run, url) -> Run:
    return run(url)


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """A cluster of Spark of our own."""
    if not java.is_there():
        pytest.fail(java.CURE, pytrace=False)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in java.quick_spark().items():
            patch.setenv(name, value)
        patch.delenv("SPARK_HOME", raising=False)
        yield "local-cluster[2,1,1024]"


@pytest.fixture(scope="module")
def on_spark(run, cluster) -> Run:
    return run(cluster)


@pytest.fixture(scope="module", params=["postgresql", "spark"])
def elsewhere(request) -> Run:
    return request.getfixturevalue(f"on_{request.param}")


def test_every_number_of_the_study_is_the_same_wherever_it_is_summed(elsewhere, in_memory):
    assert (elsewhere.code, elsewhere.complained) == (0, "")
    here, there = (one.estimates.rows.set_index(KEY) for one in (in_memory, elsewhere))
    assert here.index.is_unique and there.index.is_unique
    told_here_only = here.loc[here.index.difference(there.index)].reset_index()
    left_out = told_here_only["table"].isin(ONLY_IN_MEMORY) | (told_here_only["statistic"] == "mean_respondents")
    assert left_out.all() and set(told_here_only["weighting"]) == {"none"}
    here = here.loc[there.index]
    assert len(there) > 3000
    assert (here[["base_n", "base_organisations"]] == there[["base_n", "base_organisations"]]).all(axis=None)
    hidden_here, hidden_there = here["flag"].isin(HIDDEN), there["flag"].isin(HIDDEN)
    assert (hidden_there | ~hidden_here).all(), "what memory hides is hidden everywhere"
    shown = ~hidden_there
    assert shown.sum() > 1500
    for name in NUMBERS:
        near(there.loc[shown, name], here.loc[shown, name])
    for name in ("letters", "flag", "small_base"):
        assert here.loc[shown, name].tolist() == there.loc[shown, name].tolist()
    assert any(there.loc[shown, "letters"])


def test_every_test_of_the_study_is_the_same_wherever_it_is_summed(elsewhere, in_memory):
    key = ["variable", "banner", "estimand", "weighting", "test"]
    here, there = (one.estimates.tests.set_index(key) for one in (in_memory, elsewhere))
    assert set(here.index) == set(there.index)
    here = here.loc[there.index]
    made = there["reason"] == ""
    assert (here.loc[made, "reason"] == "").all() and {"mmi", "rao_scott"} <= set(there[made].reset_index()["test"])
    for name in ("f", "ndf", "ddf", "p", "cramer_v", "deff", "n", "groups"):
        near(there.loc[made, name], here.loc[made, name])


def near(found, expected) -> None:
    here, there = found.to_numpy(dtype=float), expected.to_numpy(dtype=float)
    assert (np.isnan(here) == np.isnan(there)).all(), expected.name
    known = ~np.isnan(here)
    assert (np.abs(here - there)[known] <= 1e-9 * np.maximum(np.abs(there[known]), 1e-8)).all(), expected.name


def test_what_needs_respondents_in_memory_is_left_out_aloud(on_postgresql):
    assert "  left out: the claims, the weights to the population" in on_postgresql.said
    assert ": every respondent must be in memory, and the data are on PostgreSQL. Copy them" in on_postgresql.said
    told = json.loads((on_postgresql.build / "operating_mode/estimates/provenance.json").read_text(encoding="utf-8"))
    assert told["elsewhere"]["place"] == "PostgreSQL"
    assert set(told["elsewhere"]["left_out"]) == {
        "claims",
        "weights",
        "fieldwork",
        "agreement",
        "respondents_per_organisation",
    }
    assert not (on_postgresql.build / "operating_mode" / "claims.json").exists()


def test_a_banner_with_a_group_too_small_shows_its_total_only(on_postgresql):
    rows = on_postgresql.estimates.select(table="book", banner="org3", estimand="respondent", statistic="share")
    small = rows[(rows["base_n"] > 0) & ((rows["base_n"] < 5) | (rows["base_organisations"] < 3))]
    for variable, of_question in rows.groupby("variable"):
        if variable in set(small["variable"]):
            assert of_question["flag"].isin(HIDDEN).all()
    total = on_postgresql.estimates.select(table="book", banner="total", estimand="respondent", statistic="share")
    assert not total["flag"].isin(HIDDEN).any()


def test_reports_and_the_book_are_written_from_another_engines_numbers(on_postgresql, capsys):
    environ = {"KYSELY_BUILD": str(on_postgresql.build), "KYSELY_QUESTIONNAIRES": str(on_postgresql.questionnaires)}
    assert report(["study"], environ) == report(["book"], environ) == 0
    folder = on_postgresql.build / "operating_mode"
    for language, words in {
        "fi": "Vastauksia ei haettu muistiin",
        "sv": "Svaren hämtades inte till minnet",
        "en": "The answers were not fetched into memory",
    }.items():
        text = (folder / f"report.{language}.html").read_text(encoding="utf-8")
        assert words in text and 'id="reproduction"' not in text
        assert (folder / f"crosstabs.{language}.xlsx").stat().st_size > 10_000


def test_a_second_run_replaces_the_table_and_a_strangers_table_stays(run, url):
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute('DROP TABLE IF EXISTS "kysely_respondents_operating_mode"')
        connection.execute('CREATE TABLE "kysely_respondents_operating_mode" (mine text)')
        refused = run(url)
        assert refused.code and "a table 'kysely_respondents_operating_mode' that kysely did not make" in (
            refused.complained
        )
        connection.execute('DROP TABLE "kysely_respondents_operating_mode"')
        for respondents in (40, 50):
            assert run(url, study=_study.answers(organisations=30, respondents=respondents)).code == 0
        table = "kysely_respondents_operating_mode"
        count = connection.execute(f"SELECT count(*) > 40, count(*) <= 50 FROM {table}").fetchone()
        assert count == (True, True)
        left = connection.execute("SELECT count(*) FROM pg_tables WHERE tablename LIKE 'kysely\\_%'").fetchone()
        assert left == (1,)


@pytest.fixture(scope="module")
def table(url, on_postgresql, questionnaires) -> str:
    """A respondents table of somebody's own, with its columns as docs/methods.md has them."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS theirs")
    making = sources.OfExtract(questionnaires / "operating_mode", extract_of(on_postgresql))
    engine = making.engine(url, on_postgresql.build)
    engine.close()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute('CREATE TABLE theirs AS TABLE "kysely_respondents_operating_mode"')
    return "theirs"


def extract_of(run: Run) -> Path:
    return run.build / "operating_mode" / "extract"


@pytest.fixture
def given(tmp_path, on_postgresql, questionnaires) -> Callable[..., Run]:
    """Run the command on a table that is there already, with nothing of the extract but its codebook."""

    def at(url: str, *arguments: str) -> Run:
        folder = tmp_path / "operating_mode" / "extract"
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(extract_of(on_postgresql) / "codebook.json", folder)
        environ = {"KYSELY_BUILD": str(tmp_path), "KYSELY_QUESTIONNAIRES": str(questionnaires)}
        environ["KYSELY_ENGINE_URL"] = url
        return said_by(tmp_path, questionnaires, ["operating_mode", *arguments], environ)

    return at


def test_a_table_that_is_there_already_gives_the_same_numbers_and_needs_no_extract(given, url, table, on_postgresql):
    found = given(url, "--respondents", table, "--origin", "simulated", "--wave", "wave1")
    assert (found.code, found.complained) == (0, "")
    assert "SIMULATED answers (synthetic data): 357 respondents of 266 organisations" in found.said
    rows, expected = (one.estimates.rows for one in (found, on_postgresql))
    expected = expected[expected["table"] != "nonresponse"].reset_index(drop=True)
    assert (rows[KEY] == expected[KEY]).all(axis=None)
    for name in NUMBERS:
        near(rows[name], expected[name])
    assert rows["letters"].tolist() == expected["letters"].tolist()
    environ = {"KYSELY_BUILD": str(found.build), "KYSELY_QUESTIONNAIRES": str(found.questionnaires)}
    assert report(["study"], environ) == report(["book"], environ) == 0
    assert (found.build / "operating_mode" / "charts" / "fi" / "OM_FIG01.svg").is_file()


def test_a_parquet_file_of_respondents_needs_no_engine_at_all(given, url, table, tmp_path, on_postgresql):
    file = tmp_path / "respondents.parquet"
    exported(url, table, file)
    found = given("", "--respondents", str(file), "--origin", "simulated", "--no-charts")
    assert (found.code, found.complained) == (0, "")
    assert "left out: the claims" in found.said and "a table of respondents does not tell it" in found.said
    rows, expected = (one.estimates.rows.set_index(KEY) for one in (found, on_postgresql))
    near(rows["se"], expected.loc[rows.index, "se"])
    assert rows["letters"].tolist() == expected.loc[rows.index, "letters"].tolist()


def exported(url: str, table: str, file: Path) -> None:
    with psycopg.connect(url) as connection:
        cursor = connection.execute(f"SELECT * FROM {table}")
        names = [column.name for column in cursor.description or ()]
        columns = zip(*cursor.fetchall(), strict=True)
        pq.write_table(pa.table({name: list(column) for name, column in zip(names, columns, strict=True)}), file)


@pytest.mark.parametrize(
    "change, complaint",
    [
        ('DROP COLUMN weight, DROP COLUMN "OM_B_central_PROD"', "the table lacks 2 columns that the plan needs: OM_B_"),
        ("DROP COLUMN size4", "the table lacks 1 columns that the plan needs: size4"),
        ("weight = 0 WHERE organisation = 'org0001'", "weights are zero, negative, missing or not finite"),
        ("weight = -2 WHERE organisation = 'org0001'", "weights are zero, negative, missing or not finite"),
        ("weight = NULL WHERE organisation = 'org0001'", "weights are zero, negative, missing or not finite"),
        ("weight = 'Infinity' WHERE organisation = 'org0001'", "weights are zero, negative, missing or not finite"),
        ("ALTER COLUMN weight TYPE text", "the column 'weight' doesn't hold numbers"),
        ("\"BG01\" = 'BOSS' WHERE organisation = 'org0001'", "the column 'BG01' holds values that are not among its"),
        ('"OM_B02_PROD" = 7', "the column 'OM_B02_PROD' holds values that are not among its codes (0, 1, 2, 3)"),
        ("organisation = NULL WHERE organisation = 'org0001'", "PSU is missing for"),
        ("respondent = 'the same'", "a respondent comes twice or has none"),
    ],
)
def test_a_table_that_can_not_be_right_is_refused_with_the_cure(given, url, table, change, complaint):
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"DROP TABLE IF EXISTS broken; CREATE TABLE broken AS TABLE {table}")
        alters = change.startswith(("DROP", "ALTER"))
        connection.execute(f"ALTER TABLE broken {change}" if alters else f"UPDATE broken SET {change}")
    found = given(url, "--respondents", "broken", "--origin", "real")
    assert found.code and complaint in found.complained, found.complained
    assert "Traceback" not in found.complained and len(found.complained.splitlines()) == 1
    assert not (found.build / "operating_mode" / "estimates").exists()


@pytest.mark.parametrize("place", ["postgresql", "spark"])
def test_a_study_of_a_single_organisation_has_its_bases_and_no_number_wherever_it_is_summed(run, request, place):
    at = request.getfixturevalue("url") if place == "postgresql" else request.getfixturevalue("cluster")
    study = _study.answers(organisations=1, respondents=1)
    study = study.take([0] * 12)
    here, there = run("", study=study), run(at, study=study)
    assert (there.code, there.complained) == (0, "")
    rows = there.estimates.rows
    assert rows["flag"].isin(HIDDEN).all() and rows["estimate"].isna().all() and rows["base_n"].max() == 12
    here_rows = here.estimates.rows.set_index(KEY).loc[rows.set_index(KEY).index]
    for name in ("flag", "base_n", "base_organisations"):
        assert rows[name].tolist() == here_rows[name].tolist(), name


def test_where_nobody_counts_yet_an_engine_has_nothing_to_sum(run, url):
    study = _study.answers(organisations=1, respondents=1)
    study.columns["BG01"] = ["no_answer"]
    assert (
        "the table has no respondents: nobody has answered yet, or the plan's `valid`"
        in run(url, study=study).complained
    )


@pytest.mark.parametrize(
    "url, complaint",
    [
        ("mysql://there/db", "KYSELY_ENGINE_URL names no engine there is (mysql)"),
        ("nonsense", "KYSELY_ENGINE_URL names no engine there is (it has no scheme)"),
        ("postgresql://anna:hunter2@127.0.0.1:1/none", "PostgreSQL can't be reached"),
        ("postgresql://anna:hunter2/x@127.0.0.1:1/none", "percent-encoded"),
        ("postgresql://anna:hunter2@@127.0.0.1:1/none", "PostgreSQL can't be reached"),
        ("spark://127.0.0.1:1", "Spark at spark://127.0.0.1:1 can't be reached: Connection refused. Is its master"),
        ("spark://127.0.0.1", "is no address of Spark; write spark://host:port"),
    ],
)
def test_an_engine_that_is_not_there_is_told_without_its_password(run, url, complaint):
    found = run(url)
    assert found.code and complaint in found.complained, found.complained
    assert "hunter2" not in found.said + found.complained and "Traceback" not in found.complained
    assert len(found.complained.splitlines()) == 1


def test_a_table_is_named_with_whose_answers_they_are_and_what_its_codes_mean(
    given, url, table, tmp_path, questionnaires
):
    assert "--respondents needs --origin real or --origin simulated" in given(url, "--respondents", table).complained
    assert "there is no table 'nowhere' where KYSELY_ENGINE_URL points" in (
        given(url, "--respondents", "nowhere", "--origin", "real").complained
    )
    lacking = given("", "--respondents", str(tmp_path / "none.parquet"), "--origin", "real")
    assert "none.parquet can't be read as Parquet" in lacking.complained
    elsewhere = ["--extract", str(tmp_path / "empty"), "--respondents", table, "--origin", "real"]
    assert "codebook.json is lacking: it says what the codes of the table mean" in given(url, *elsewhere).complained
