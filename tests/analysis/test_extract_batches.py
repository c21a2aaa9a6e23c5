"""An extract read in batches, and the respondents table made of it, are those of the extract read as a whole."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis import extract, extract_batches
from analysis.elsewhere import tabulate_from
from analysis.engines import DesignColumns, engine
from analysis.estimates import HIDDEN, Provenance
from analysis.extract import ExtractError
from analysis.plan import DesignColumns as PlannedDesign
from analysis.respondents import Layout, Making, RespondentsError, put
from analysis.study import ESTIMANDS, Study
from analysis.tabulate import tabulate, unanswered
from kysely.codebook import Kind, Variable
from tests.analysis import _study

SAMPLED = PlannedDesign(psu="organisation", weight="design_weight", stratum="stratum")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """An extract whose cases stand in another order than the responses, with people who did not answer."""
    folder = _study.write(_study.answers(), tmp_path_factory.mktemp("study") / "extract")
    cases = pq.read_table(folder / "cases.parquet").to_pydict()
    n = len(cases["case"])
    cases["stratum"] = [f"S{int(key[3:]) % 4}" for key in cases["organisation"]]
    cases["design_weight"] = [1.0 + int(key[3:]) % 3 for key in cases["organisation"]]
    order = np.random.default_rng(3).permutation(n)
    mixed = {name: [column[row] for row in order] for name, column in cases.items()}
    silent = {"case": "nobody", "organisation": "org0001", "psu": "org0001", "stratum": "S1", "design_weight": 2.0}
    silent["disposition"] = "NC_nothing_opened"
    for name, column in mixed.items():
        column.insert(7, silent.get(name))
    pq.write_table(pa.table(mixed, pq.read_schema(folder / "cases.parquet")), folder / "cases.parquet")
    _study.write_manifest(_study.answers(), folder, _study.codebook())
    return folder


def test_batches_are_the_extract(folder):
    whole, stored = extract.read(folder), extract_batches.stored(folder)
    parts = list(stored.batches(50, case_columns=["stratum"]))
    assert [len(part) for part in parts] == [50] * 7 + [10]
    assert pa.concat_tables([part.responses for part in parts]).to_pydict() == whole.responses.to_pydict()
    strata = np.concatenate([part.case_column("stratum") for part in parts])
    assert strata.tolist() == whole.case_column("stratum").tolist()
    assert stored.empty.asked() == whole.asked() and len(stored.empty) == 0


def test_the_respondents_table_in_batches_is_the_study(folder, tmp_path):
    plan = replace(_study.plan(), design=SAMPLED)
    study, making = Study(extract.read(folder), plan), Making(extract_batches.stored(folder), plan, rows=64)
    path = put(making, "spark://nowhere:1", tmp_path)
    assert making.n == len(study) == pq.read_metadata(path).num_rows
    assert (making.counts == unanswered(study).counts).all()
    for estimand in ESTIMANDS:
        here = engine("", path, making.layout.design(estimand)).local("a comparison")
        assert (here.design.weight == study.designs[estimand].weight).all()
        assert same_classes(here.design.psu, study.designs[estimand].psu)
        assert same_classes(here.design.stratum, study.designs[estimand].stratum)
    for variable in making.layout.variables:
        assert (here.codes(making.layout.coded(variable.name)) == study.codes(variable.name)).all(), variable.name
    score = plan.scores[0]
    for name, central in zip(making.layout.central(score).columns, study.central(score).T, strict=True):
        np.testing.assert_array_equal(here.values(name), central)


def test_a_sample_in_strata_with_weights_gives_the_same_estimates_from_its_table(folder, tmp_path):
    answers, plan = extract.read(folder), replace(_study.plan(), design=SAMPLED, weighting=())
    study, making = Study(answers, plan), Making(extract_batches.stored(folder), plan, rows=64)
    about = Provenance.of(answers, study, "2026-01-01T00:00:00+00:00")
    table = engine("", put(making, "spark://nowhere:1", tmp_path), making.layout.design("respondent"))
    key = "table variable code estimand banner banner_code statistic".split()
    expected = tabulate(study, about).rows.set_index(key)
    found = tabulate_from(table, making.layout, about).rows.set_index(key)
    shown = found[~found["flag"].isin(HIDDEN)]
    expected = expected.loc[shown.index]
    assert len(shown) > 3000 and shown["flag"].tolist() == expected["flag"].tolist()
    for name in ("estimate", "se", "ci_low", "df", "base_weighted"):
        np.testing.assert_allclose(shown[name].astype(float), expected[name].astype(float), rtol=1e-9, atol=1e-12)


def same_classes(one: np.ndarray, other: np.ndarray) -> bool:
    return len(np.unique(np.stack([one, other]), axis=1).T) == len(np.unique(one)) == len(np.unique(other))


def test_no_name_and_no_word_of_a_respondent_is_in_the_table(folder):
    making = Making(extract_batches.stored(folder), _study.plan())
    design = {"respondent", "organisation", "weight"}
    known = {one.name for one in making.layout.variables} | set(making.layout.central(_study.plan().scores[0]).columns)
    for table in making.tables():
        assert set(table.column_names) == design | known


def test_the_order_in_which_options_were_shown_stays_out_of_the_table(tmp_path):
    study, book = _study.answers(respondents=60, organisations=40), _study.codebook()
    study.columns["OM_order"] = ["PROD CUST PUB DEV"] * len(study)
    words = {language: "order" for language in book.languages}
    shown = Variable("OM_order", Kind.TEXT, "OM_B", words, words)
    folder = _study.write(study, tmp_path / "extract", replace(book, variables=(*book.variables, shown)))
    for table in Making(extract_batches.stored(folder), _study.plan()).tables():
        assert "OM_B01_PROD" in table.column_names and "OM_order" not in table.column_names


def test_a_batch_is_checked_as_the_whole_is(tmp_path):
    study = _study.answers(organisations=30, respondents=40)
    study.columns["BG04"][35] = "MAYBE"
    stored = extract_batches.stored(_study.write(study, tmp_path / "codes"))
    with pytest.raises(ExtractError, match="BG04: the codes MAYBE are not in the codebook"):
        list(stored.batches(10))
    study = _study.answers(organisations=30, respondents=40)
    study.manifest["counts"] = {"responses": 40, "organisations": 30, "complete": 39, "partial": 1, "break_off": 0}
    stored = extract_batches.stored(_study.write(study, tmp_path / "counts"))
    with pytest.raises(ExtractError, match="the manifest counts 39 under 'complete', the rows are 40"):
        list(stored.batches(10))


def test_a_design_that_the_cases_do_not_hold_is_named(folder):
    stored = extract_batches.stored(folder)
    with pytest.raises(ExtractError, match="names the column 'region', which cases.parquet does not have"):
        list(stored.batches(case_columns=["region"]))


def test_a_table_without_a_question_of_the_codebook_is_refused():
    with pytest.raises(RespondentsError, match="no column of the codebook's closed questions"):
        Layout.of(_study.codebook(), _study.plan(), ["id", "weight"])


def test_the_file_of_respondents_is_whole_or_not_there(folder, tmp_path):
    making = Making(extract_batches.stored(folder), replace(_study.plan(), design=PlannedDesign(stratum="region")))
    with pytest.raises(ExtractError, match="region"):
        put(making, "spark://nowhere:1", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_respondent_who_comes_twice_is_refused_by_the_engine(tmp_path):
    path = tmp_path / "respondents.parquet"
    pq.write_table(pa.table({"respondent": ["a", "b", "a"], "weight": [1.0, 1, 1], "yes": [1, 0, 1]}), path)
    with pytest.raises(Exception, match="a respondent comes twice"):
        engine("", path, DesignColumns("weight", respondent="respondent")).numbers(["yes"])
