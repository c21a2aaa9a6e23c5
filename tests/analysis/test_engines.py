"""The same numbers wherever the data are: in memory, in a PostgreSQL database, on a Spark cluster of two workers."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields, replace

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis import agreement, engines, models
from analysis.design import Design, DesignError
from analysis.engines import MEMBERS, Coded, DataElsewhere, DesignColumns, EngineError, Picks
from analysis.engines.memory import Memory
from analysis.moments import Moments
from analysis.multiple_response import CrossTotals, mmi, mmi_of_totals, spmi, spmi_of_totals
from analysis.permutation import between, permute_organisations
from analysis.quantiles import quantile
from analysis.replicates import delete_one_psu, jackknife
from analysis.significance import rao_scott_of_moments
from analysis.variance import covariance
from tests import java

DESIGN = DesignColumns("weight", psu="organisation", stratum="region", fpc="organisations")
COOPERATION = Coded("cooperation", ("LITTLE", "SOME", "MUCH", "NEVER_CHOSEN"))
SECTOR = Coded("sector", (0, 1, 2, 3, 4))
EVERYBODY = Coded("everybody", (1,))

# pyspark leaves the socket through which it fetched rows to be closed by the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")


@pytest.fixture(scope="module")
def survey() -> pa.Table:
    """600 respondents of some 400 organisations in 7 regions; missing answers, one organisation with 40 of them."""
    rng = np.random.default_rng(2015)
    n = 600
    organisation = np.concatenate([np.zeros(40, np.int64), rng.integers(1, 450, n - 40)])
    region = organisation % 7
    sector = organisation * 7919 % 6 - 1
    answer = rng.integers(-1, 3, n)
    return pa.table(
        {
            "weight": rng.random(n) + 0.2,
            "organisation": organisation,
            "region": pa.array([f"R{number}" for number in region]),
            "organisations": np.array([900.0, 800, 700, 900, 1000, 400, 600])[region],
            "sampled": np.full(n, 0.25),
            "cooperation": pa.array([None if a < 0 else COOPERATION.codes[a] for a in answer]),
            "sector": pa.array([None if s < 0 else int(s) for s in sector]),
            "staff": pa.array(np.where(rng.random(n) < 0.1, np.nan, rng.lognormal(3, 1, n)), from_pandas=True),
            "turnover": rng.lognormal(5, 1, n),
            "everybody": np.ones(n, np.int64),
            "goods": rng.integers(0, 2, n),
            "ideas": pa.array(rng.integers(0, 2, n).astype(bool)),
            "services": pa.array([None if rng.random() < 0.05 else int(rng.integers(0, 2)) for _ in range(n)]),
        }
    )


@pytest.fixture(scope="module")
def parquet(survey, tmp_path_factory):
    path = tmp_path_factory.mktemp("survey") / "responses.parquet"
    pq.write_table(survey, path)
    return path


@pytest.fixture(scope="module")
def memory(parquet) -> engines.Engine:
    return engines.engine("", parquet, DESIGN)


@pytest.fixture(scope="module", params=["postgresql", "spark"])
def remote(request) -> Iterator[engines.Engine]:
    url, source = request.getfixturevalue(f"in_{request.param}")
    with engines.engine({"KYSELY_ENGINE_URL": url}, source, DESIGN) as engine:
        yield engine


@pytest.fixture(scope="module")
def in_postgresql(postgresql, worker, survey) -> Iterator[tuple[str, str]]:
    types = {"int64": "bigint", "double": "float8", "string": "text", "bool": "boolean"}
    columns = ", ".join(f"{field.name} {types[str(field.type)]}" for field in survey.schema)
    schema = f"engines_{worker}"
    with psycopg.connect(postgresql(), autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")
        connection.execute(f"CREATE TABLE {schema}.responses ({columns})")
        with connection.cursor().copy(f"COPY {schema}.responses FROM STDIN") as copy:
            for row in survey.to_pylist():
                copy.write_row(tuple(row.values()))
        yield postgresql(), f"{schema}.responses"
        connection.execute(f"DROP SCHEMA {schema} CASCADE")


@pytest.fixture(scope="module")
def in_spark(parquet) -> Iterator[tuple[str, str]]:
    """A master and two workers, each a process of its own."""
    if not java.is_there():
        pytest.fail(java.CURE, pytrace=False)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in java.quick_spark().items():
            patch.setenv(name, value)
        patch.delenv("SPARK_HOME", raising=False)  # the package's own
        yield "local-cluster[2,1,1024]", str(parquet)


def agree(found: Moments, expected: Moments) -> None:
    for field in fields(Moments):
        here, there = np.asarray(getattr(found, field.name)), np.asarray(getattr(expected, field.name))
        assert here.shape == there.shape and here.dtype == there.dtype
        # A covariance is as exact as the standard errors it stands between.
        size = np.sqrt(np.outer(np.diag(there), np.diag(there))) if field.name == "covariance" else np.abs(there)
        assert (np.abs(here - there) <= 1e-9 * size).all(), field.name


def test_every_engine_makes_the_same_cross_tab(remote, memory):
    (found,) = remote.crosstabs(COOPERATION, [SECTOR])
    (expected,) = memory.crosstabs(COOPERATION, [SECTOR])
    agree(found, expected)
    assert found.n[:, 3].tolist() == [0] * 5
    used = [without_the_last(one, codes=3) for one in (found, expected)]
    tests = [rao_scott_of_moments(one, df=one.table_df).second_order for one in used]
    assert tests[0].p == pytest.approx(tests[1].p, rel=1e-9)


def test_every_engine_makes_the_same_totals_means_ratios_and_differences_of_domains(remote, memory):
    found, expected = (engine.numbers(["staff", "turnover"], SECTOR) for engine in (remote, memory))
    agree(found, expected)
    mean_and_ratio = ([[0, 1, 0], [0, 1, 0]], [[1, 0, 0], [0, 0, 1]])
    for here, there in zip(found.joint(*mean_and_ratio), expected.joint(*mean_and_ratio), strict=True):
        assert here == pytest.approx(there, rel=1e-9, abs=1e-9 * np.abs(there).max())


def test_every_engine_makes_the_same_tests_of_multiple_response_questions(remote, memory):
    found, expected = (engine.products(["goods", "ideas"], ["services"]) for engine in (remote, memory))
    agree(found, expected)
    tests = [spmi_of_totals(cross_totals(one, (3, 2))) for one in (found, expected)]
    assert tests[0].second_order.p == pytest.approx(tests[1].second_order.p, rel=1e-9)


def test_every_engine_makes_many_tables_at_once_as_it_makes_them_one_by_one(remote, memory):
    goods = Picks(("goods", "ideas", "services"))
    crossings = [(COOPERATION, None), (goods, SECTOR), (COOPERATION, SECTOR), (SECTOR, COOPERATION), (goods, None)]
    found, expected = (engine.tables(crossings) for engine in (remote, memory))
    for here, there in zip(found, expected, strict=True):
        agree(here, there)
    agree(found[1], memory.numbers(goods.columns, SECTOR))
    agree(found[2], memory.crosstabs(COOPERATION, [SECTOR])[0])
    agree(found[0], memory.crosstabs(COOPERATION, [EVERYBODY])[0])


def test_every_organisation_can_count_once_in_every_engine(remote, memory, survey):
    per_organisation = replace(DESIGN, weight="turnover", per="organisation")
    found, expected = (engine.under(per_organisation).tables([(COOPERATION, SECTOR)]) for engine in (remote, memory))
    agree(found[0], expected[0])
    organisation, weight = survey["organisation"].to_numpy(), survey["turnover"].to_numpy()
    shared = weight / np.bincount(organisation)[organisation]
    known = survey["cooperation"].is_valid().to_numpy() & survey["sector"].is_valid().to_numpy()
    assert found[0].total.sum() == pytest.approx(shared[known].sum(), rel=1e-12)


def test_every_engine_counts_who_is_in_a_base_by_group_and_by_how_many_colleagues_answered(remote, memory, survey):
    crossings = [(COOPERATION, SECTOR), (COOPERATION, None), (Picks(("goods", "services")), SECTOR)]
    for design in (DESIGN, replace(DESIGN, per="organisation")):
        found, expected = (engine.under(design).bases(crossings) for engine in (remote, memory))
        for here, there in zip(found, expected, strict=True):
            assert here.respondents.tolist() == there.respondents.tolist()
            assert here.organisations.tolist() == there.organisations.tolist()
    rows = [row for row in survey.to_pylist() if row["cooperation"]]
    sizes = Counter(row["organisation"] for row in survey.to_pylist())
    of_none = [row for row in rows if row["sector"] is None and min(sizes[row["organisation"]], MEMBERS) == 2]
    assert found[0].respondents[5, 1] == len(of_none) > 0
    assert found[0].organisations[5, 1] == len({row["organisation"] for row in of_none})
    assert found[1].respondents.sum() == len(rows) and found[1].organisations.sum() == len(
        {row["organisation"] for row in rows}
    )


PURPOSES = {
    "quantiles": lambda here: quantile(here.values("turnover"), 0.5, here.design).value,
    "the jackknife": lambda here: jackknife(
        lambda weight: np.average(here.values("turnover"), weights=weight), delete_one_psu(here.design)
    ).se[0],
    "permutations": lambda here: (
        permute_organisations(
            between(here.values("turnover")),
            here.design.stratum,
            here.design.psu,
            rng=np.random.default_rng(1),
            permutations=9,
        ).p
    ),
    "models": lambda here: models.linear(
        here.values("turnover"), {"staff": here.values("staff")}, here.design
    ).coefficients[1],
    "agreement": lambda here: agreement.ad(here.values("goods"), here.design.psu).value.mean(),
}
"""What takes arrays, by the words in which an engine is asked for them."""


@pytest.mark.parametrize("purpose", PURPOSES)
def test_what_needs_every_respondent_gets_them_from_memory_and_elsewhere_says_so(purpose, remote, memory):
    assert np.isfinite(PURPOSES[purpose](memory.local(purpose)))
    with pytest.raises(DataElsewhere, match=f"{purpose}: every respondent must be in memory.* Copy them to a Parquet"):
        PURPOSES[purpose](remote.local(purpose))


def test_the_median_and_its_error_from_an_engine_are_those_of_the_arrays(memory, survey):
    here = memory.local("quantiles")
    found = quantile(here.values("turnover"), 0.5, here.design)
    order = np.argsort(survey["turnover"].to_numpy())
    share = np.cumsum(survey["weight"].to_numpy()[order])
    assert found.value == survey["turnover"].to_numpy()[order][np.searchsorted(share, share[-1] / 2)]


def test_a_code_outside_the_codebook_stops_every_engine(remote, memory):
    for engine in (remote, memory):
        with pytest.raises(DesignError, match="not among its codes"):
            engine.crosstabs(Coded("cooperation", ("LITTLE", "SOME")), [SECTOR])


def test_a_column_that_is_not_there_or_holds_no_numbers_stops_every_engine(remote, memory):
    for engine in (remote, memory):
        with pytest.raises(DesignError, match="has no column 'profit'"):
            engine.numbers(["profit"])
        with pytest.raises(DesignError, match="'cooperation'.* doesn't hold numbers"):
            engine.numbers(["cooperation"])


@pytest.mark.parametrize(
    "change, message",
    [
        ("weight = -1 WHERE organisation = 5", "weights are zero, negative, missing or not finite"),
        ("weight = 'NaN' WHERE organisation = 5", "weights are zero, negative, missing or not finite"),
        ("organisation = NULL WHERE organisation = 5", "PSU is missing"),
        ("region = 'R9' WHERE organisation = 5", "1 of 8 strata have a single PSU"),
        ("organisations = 5", "fpc is smaller than the number of sampled PSUs"),
        ("organisations = 7777 WHERE organisation = 5", "fpc varies within a stratum"),
    ],
)
def test_a_design_that_cannot_be_is_refused_in_the_database_as_in_memory(in_postgresql, change, message):
    url, table = in_postgresql
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"DROP TABLE IF EXISTS {table}_broken; CREATE TABLE {table}_broken AS TABLE {table}")
        connection.execute(f"UPDATE {table}_broken SET {change}")
    with pytest.raises(DesignError, match=message), engines.engine(url, f"{table}_broken", DESIGN) as engine:
        engine.numbers(["turnover"])


def test_a_database_wants_psus_and_policies_it_can_follow(in_postgresql):
    for design, message in (
        (DesignColumns("weight"), "must name a PSU"),
        (DesignColumns("weight", psu="organisation", lonely="adjust"), "in memory only"),
        (DesignColumns("gewicht", psu="organisation"), "no column 'gewicht'"),
    ):
        with pytest.raises(DesignError, match=message):
            engines.engine(*in_postgresql, design)
    with pytest.raises(EngineError, match="no table 'nowhere'"):
        engines.engine(in_postgresql[0], "nowhere", DESIGN)


@pytest.mark.parametrize(
    "design",
    [
        DesignColumns("weight", psu="organisation", stratum="organisation", lonely="certainty"),
        DesignColumns("weight", psu="organisation", stratum="region", fpc="sampled"),
        DesignColumns("weight", psu="organisation"),
    ],
)
def test_certain_psus_sampled_shares_and_a_single_stratum_mean_the_same_in_the_database(in_postgresql, parquet, design):
    with engines.engine(*in_postgresql, design) as engine:
        found = engine.numbers(["turnover"])
    agree(found, engines.engine("memory", parquet, design).numbers(["turnover"]))
    assert (found.covariance == 0).all() == (design.lonely == "certainty")


def test_an_engine_that_is_none_or_is_not_there_is_named(parquet):
    with pytest.raises(EngineError, match="names no engine there is \\(mysql\\)"):
        engines.engine("mysql://there/db", parquet, DESIGN)
    with pytest.raises(EngineError, match="can't be reached"):
        engines.engine("postgresql://127.0.0.1:1/none", "responses", DESIGN)


def test_a_parquet_file_that_is_none_is_named(tmp_path, parquet):
    broken = tmp_path / "responses.parquet"
    broken.write_text("no Parquet")
    with pytest.raises(DesignError, match="can't be read as Parquet"):
        engines.engine("", broken, DESIGN).numbers(["turnover"])
    assert engines.engine("", parquet, DESIGN).local("quantiles").values("goods").sum() > 0


@pytest.mark.parametrize("seed", range(12))
def test_moments_are_those_of_the_influence_values_of_every_cell(seed):
    design, code, banners = a_survey(np.random.default_rng(seed))
    engine = Memory(design)
    made = engine.tables(code, 4, engine.banners(banners))
    for (group, groups), moments in zip(banners, made, strict=True):
        inside = (code >= 0) & (group >= 0) & design.members
        cell = np.where(inside, group.astype(np.int64) * 4 + code, -1)
        values = (cell[:, None] == np.arange(groups * 4)) * design.weight[:, None]
        assert moments.total.ravel() == pytest.approx(values.sum(axis=0))
        assert moments.n.ravel().tolist() == (values > 0).sum(axis=0).tolist()
        expected = covariance(values, design.domain(inside))
        assert moments.covariance == pytest.approx(expected, abs=1e-9 * np.abs(expected).max() + 1e-30)
        assert moments.table_df == design.domain(inside).degrees()
        for number in range(groups):
            domain = design.domain(inside & (group == number))
            assert moments.df[number] == domain.degrees()
            per_psu = np.bincount(domain.psu, domain.weight)
            assert moments.squares[number] == pytest.approx((per_psu**2).sum())


@pytest.mark.parametrize("seed", range(4))
def test_a_cross_tab_is_the_same_table_as_one_indicator_column_per_code(seed):
    design, code, banners = a_survey(np.random.default_rng(seed))
    engine = Memory(design)
    group, groups = banners[0]
    table = engine.moments(code, 4, group, groups)
    columns = np.where(code[:, None] < 0, np.nan, code[:, None] == np.arange(4))
    sums = engine.sums(columns, group, groups)
    of_codes = np.flatnonzero(np.arange(groups * 5) % 5)
    spread = sums.covariance[np.ix_(of_codes, of_codes)]
    assert spread == pytest.approx(table.covariance, abs=1e-9 * np.abs(table.covariance).max() + 1e-30)
    assert sums.total[:, 1:] == pytest.approx(table.total)
    assert (sums.psus.tolist(), sums.table_df, sums.table_n) == (table.psus.tolist(), table.table_df, table.table_n)


def test_the_tests_of_multiple_response_questions_follow_from_moments(memory):
    here = memory.local("items")
    items = np.stack([here.values("goods"), here.values("ideas")], axis=1)
    sector = here.codes(SECTOR)
    known = here.design.domain(sector >= 0)
    by_group = mmi_of_totals(cross_totals(memory.numbers(["goods", "ideas"], SECTOR), (5, 3)))
    labels = np.where(sector >= 0, sector.astype(float), np.nan)
    assert by_group.second_order.p == pytest.approx(mmi(items, labels, known).second_order.p, rel=1e-9)
    together = spmi_of_totals(cross_totals(memory.products(["goods"], ["ideas"]), (2, 2)))
    expected = spmi(items[:, :1], items[:, 1:], here.design)
    assert together.second_order.p == pytest.approx(expected.second_order.p, rel=1e-9)


def test_a_code_or_group_outside_the_table_is_refused():
    engine = Memory(Design.of(np.ones(3)))
    code, group = np.array([0, 1, 1]), np.zeros(3, np.int64)
    for wrong, message in (
        (np.array([0, 2, 1]), "a code is 2; the table has 0 … 1"),
        (np.array([0, -2, 1]), "a code is -2"),
        (np.array([0.0, 1.0, 1.0]), "not float64"),
        (np.array([0, 1]), r"not int64 \(2,\)"),
    ):
        with pytest.raises(DesignError, match=message):
            engine.moments(wrong, 2, group, 1)
    with pytest.raises(DesignError, match="infinite"):
        engine.sums([1, np.inf, 2])
    with pytest.raises(DesignError, match="don't fit a table of 2 columns"):
        engine.moments(code, 2, group, 1).ratios([[1, 0, 0]], [[1, 1, 1]])


def test_an_empty_base_is_a_table_of_nothing():
    nobody = np.full(3, -1)
    moments = Memory(Design.of(np.ones(3))).moments(nobody, 2, np.zeros(3, np.int64), 1)
    assert (moments.table_n, moments.table_psus, moments.psus.tolist()) == (0, 0, [0])
    assert np.isnan(moments.averages(np.eye(2))[0]).all()


def test_importing_analysis_and_its_engines_imports_no_engine_that_is_not_used():
    program = (
        "import sys, analysis.engines, analysis.engines.memory, analysis.engines.parquet, analysis.moments; "
        "print(*sorted({name.split('.')[0] for name in sys.modules}))"
    )
    loaded = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split()
    assert "numpy" in loaded
    heavy = {
        "ibis",
        "sqlglot",
        "pyspark",
        "psycopg",
        "pyarrow",
        "scipy",
        "pandas",
        "statsmodels",
        "matplotlib",
        "seaborn",
    }
    assert not heavy & set(loaded)


def a_survey(rng: np.random.Generator) -> tuple[Design, np.ndarray, list[tuple[np.ndarray, int]]]:
    """A random design of a random shape: few or many colleagues, large organisations, strata, a domain; and answers."""
    n = int(rng.integers(30, 400))
    psu = rng.integers(0, max(int(n / rng.choice([1, 1.3, 5, 40])), 4), n)
    stratum = psu % int(rng.choice([1, 2, 4]))
    fpc = None if rng.random() < 0.5 else np.full(n, 0.1)
    if rng.random() < 0.5:
        stratum[psu == psu[0]] = 99  # a lonely PSU
    lonely = rng.choice(["certainty", "adjust"])
    design = Design.of(rng.random(n) + 0.1, psu=psu, stratum=stratum, fpc=fpc, lonely=str(lonely))
    if rng.random() < 0.5:
        design = design.domain(rng.random(n) < 0.7)
    banners = [(np.where(psu % 3 == 0, -1, psu % 5), 5), (rng.integers(0, 3, n), 3), (rng.integers(-1, 8, n), 8)]
    banners.append((rng.integers(0, 100, n).astype(np.int8), 100))
    return design, rng.integers(-1 if rng.random() < 0.5 else 0, 4, n).astype(np.int8), banners


def cross_totals(moments: Moments, shape: tuple[int, int]) -> CrossTotals:
    return CrossTotals(moments.table_n, moments.table_df, moments.total.reshape(shape), moments.covariance)


def without_the_last(moments: Moments, codes: int) -> Moments:
    """The table without the codes that nobody chose, which no test can say anything of."""
    groups, columns = moments.total.shape
    keep = np.flatnonzero(np.arange(groups * columns) % columns < codes)
    spread = moments.covariance[np.ix_(keep, keep)]
    return replace(moments, n=moments.n[:, :codes], total=moments.total[:, :codes], covariance=spread)
