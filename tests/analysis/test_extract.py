"""An extract that does not hold together stops the run, and says why and what to do."""

import json
from hashlib import sha256

import pytest

from analysis import extract
from analysis.answers import MISSING
from analysis.extract import ExtractError
from kysely.codebook import MISSING_SUFFIX
from kysely.disposition import Disposition
from tests.analysis import _study


@pytest.fixture
def study():
    return _study.answers(organisations=12, respondents=20)


def edited(folder, **changes):
    """Change the manifest in *folder*; its own hash is not recorded anywhere."""
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **changes}), encoding="utf-8")


def test_an_extract_gives_codes_numbers_and_kinds_of_missing(tmp_path, study):
    study.columns["BG10"][:3] = ["COMP", "CHUR", "no_answer"]
    study.columns["OM_B02_CUST"][:3] = [0, 3, "dont_know"]
    found = _study.extract(tmp_path, study)
    assert found.codes("BG10")[:3].tolist() == [0, 9, -1]
    assert [MISSING[kind] if kind >= 0 else "" for kind in found.missing("BG10")[:3]] == ["", "", "no_answer"]
    assert found.numbers("OM_B02_CUST")[:2].tolist() == [0, 3]
    assert found.numbers("OM_B02_CUST")[2] != found.numbers("OM_B02_CUST")[2]


def test_a_respondent_who_named_no_organisation_is_one_of_their_own(tmp_path, study):
    study.organisation[0] = study.organisation[1] = None
    assert len(set(_study.extract(tmp_path, study).organisation[:2])) == 2


def test_a_folder_without_an_extract_says_which_command_makes_one(tmp_path):
    with pytest.raises(ExtractError, match="run `kysely extract` first"):
        extract.read(tmp_path)


def test_a_file_that_was_changed_after_the_extract_is_refused(tmp_path, study):
    folder = _study.write(study, tmp_path)
    with open(folder / "responses.parquet", "ab") as stream:
        stream.write(b"x")
    with pytest.raises(ExtractError, match="responses.parquet is not the file the manifest describes"):
        extract.read(folder)


def listing_its_questionnaire(study, folder):
    """Write *study* with a definition.json that the manifest lists, as `kysely extract` does."""
    folder.mkdir()
    (folder / "definition.json").write_text("{}", encoding="utf-8")
    _study.write(study, folder)
    files = json.loads((folder / "manifest.json").read_text("utf-8"))["files"]
    edited(folder, files=files | {"definition.json": {"sha256": sha256(b"{}").hexdigest()}})
    return folder


@pytest.mark.parametrize("name", [*extract.FILES, "definition.json"])
def test_a_listed_file_that_is_lacking_is_refused_whichever_it_is(tmp_path, study, name):
    folder = listing_its_questionnaire(study, tmp_path / "extract")
    extract.read(folder)
    (folder / name).unlink()
    with pytest.raises(ExtractError, match=f"{name} is lacking though the manifest lists it"):
        extract.read(folder)


def test_a_questionnaire_that_was_changed_after_the_extract_is_refused(tmp_path, study):
    folder = listing_its_questionnaire(study, tmp_path / "extract")
    (folder / "definition.json").write_text('{"title": {}}', encoding="utf-8")
    with pytest.raises(ExtractError, match="definition.json is not the file the manifest describes"):
        extract.read(folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "kysely-extract/9"}, "not in format kysely-extract/1"),
        ({"instrument": "service_culture"}, "the files are of two extracts"),
        ({"wave": "wave2"}, "the responses are of the waves wave1, the manifest says wave2"),
        ({"origin": "real"}, "the responses are of the origins simulated, the manifest says real"),
        (
            {
                "presentations": [
                    {"question": "OM_B", "presentation": "choose_then_rate"},
                    {"question": "OM_B", "presentation": "rate_each"},
                ]
            },
            "OM_B was asked in 2 presentations .choose_then_rate, rate_each.: .* not pooled",
        ),
    ],
)
def test_a_manifest_that_tells_of_something_else_is_refused(tmp_path, study, changes, message):
    folder = _study.write(study, tmp_path)
    edited(folder, **changes)
    with pytest.raises(ExtractError, match=message):
        extract.read(folder)


def test_a_code_outside_the_codebook_is_refused(tmp_path, study):
    study.columns["BG10"][4] = "BANK"
    with pytest.raises(ExtractError, match="BG10: the codes BANK are not in the codebook .there are: COMP, PUBC"):
        _study.extract(tmp_path, study)


def test_a_level_outside_the_scale_is_refused(tmp_path, study):
    study.columns["OM_B02_CUST"][4] = 4
    with pytest.raises(ExtractError, match="OM_B02_CUST: the codes 4 are not in the codebook"):
        _study.extract(tmp_path, study)


def test_a_choice_that_is_neither_yes_nor_no_is_refused(tmp_path, study):
    study.columns["OM_B01_CUST"][4] = 2
    with pytest.raises(ExtractError, match="OM_B01_CUST: the codes 2"):
        _study.extract(tmp_path, study)


def test_an_answer_that_is_neither_given_nor_missing_is_refused(tmp_path, study):
    study.columns["BG10"][4] = None
    with pytest.raises(ExtractError, match="BG10: 1 responses have both a value and a kind of missing, or neither"):
        _study.extract(tmp_path, study)


def replaced(folder, study, change):
    """Rewrite responses.parquet by *change* of its table, with a manifest that fits."""
    import pyarrow.parquet as pq

    path = folder / "responses.parquet"
    pq.write_table(change(pq.read_table(path)), path)
    _study.write_manifest(study, folder, _study.codebook())


def test_a_response_that_comes_twice_is_refused(tmp_path, study):
    import pyarrow as pa

    folder = _study.write(study, tmp_path)
    replaced(folder, study, lambda table: pa.concat_tables([table.slice(0, 19), table.slice(0, 1)]))
    with pytest.raises(ExtractError, match="1 responses come more than once"):
        extract.read(folder)


def test_a_column_without_a_codebook_entry_is_refused(tmp_path, study):
    folder = _study.write(study, tmp_path)
    replaced(folder, study, lambda table: table.append_column("salary", table.column("BG10")))
    with pytest.raises(ExtractError, match="columns that the codebook does not describe: salary"):
        extract.read(folder)


def test_a_question_without_its_column_is_refused(tmp_path, study):
    folder = _study.write(study, tmp_path)
    replaced(folder, study, lambda table: table.drop_columns(["BG10", "BG10" + MISSING_SUFFIX]))
    with pytest.raises(ExtractError, match="lacks the columns BG10, BG10__missing"):
        extract.read(folder)


@pytest.mark.parametrize("name", ["responses.parquet", "cases.parquet"])
@pytest.mark.parametrize("damage", [lambda good: b"", lambda good: good[:-200], lambda good: b"\0" * len(good)])
def test_a_damaged_table_is_told_as_one_even_if_its_hash_was_renewed(tmp_path, study, name, damage):
    folder = _study.write(study, tmp_path)
    (folder / name).write_bytes(damage((folder / name).read_bytes()))
    _study.write_manifest(study, folder, _study.codebook())
    with pytest.raises(ExtractError, match=f"{name} can't be read as Parquet .* Make the extract anew"):
        extract.read(folder)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"instrument": 1}'])
def test_a_damaged_codebook_is_told_as_one_even_if_its_hash_was_renewed(tmp_path, study, text):
    folder = _study.write(study, tmp_path)
    (folder / "codebook.json").write_text(text, encoding="utf-8")
    _study.write_manifest(study, folder, _study.codebook())
    with pytest.raises(ExtractError, match="codebook.json can't be read as a codebook .* Make the extract anew"):
        extract.read(folder)


def with_column(name, values):
    import pyarrow as pa

    return lambda table: table.set_column(table.column_names.index(name), name, pa.array(values))


def test_the_dispositions_are_those_that_the_engine_gives():
    assert set(extract.DISPOSITIONS.values()) == {str(one) for one in Disposition}


def test_an_unknown_disposition_is_refused_with_those_there_are(tmp_path, study):
    folder = _study.write(study, tmp_path)
    replaced(folder, study, with_column("disposition", ["I"] * 19 + ["DONE"]))
    with pytest.raises(ExtractError, match="unknown dispositions DONE .* .there are: I, P, R_breakoff."):
        extract.read(folder)


def test_answers_to_a_version_that_the_manifest_does_not_list_are_refused(tmp_path, study):
    folder = _study.write(study, tmp_path)
    replaced(folder, study, with_column("version", ["v" * 64] * 19 + ["w" * 64]))
    with pytest.raises(ExtractError, match="1 versions of the questionnaire that the manifest does not list .*wwww"):
        extract.read(folder)


@pytest.mark.parametrize("name", ["responses", "organisations", "complete", "partial", "break_off"])
@pytest.mark.parametrize("count", [7, None, "many"])
def test_a_manifest_that_counts_other_rows_than_there_are_is_refused(tmp_path, study, name, count):
    folder = _study.write(study, tmp_path)
    counts = {"responses": 20, "organisations": 12, "complete": 20, "partial": 0, "break_off": 0}
    edited(folder, counts=counts)
    extract.read(folder)
    edited(folder, counts={**counts, name: count})
    with pytest.raises(ExtractError, match=f"the manifest counts {count!r} under '{name}', the rows are"):
        extract.read(folder)


@pytest.mark.parametrize("size", [0, 1, -5, "five", 2.5, None, True])
def test_a_smallest_group_that_is_none_is_refused(tmp_path, study, size):
    folder = _study.write(study, tmp_path)
    edited(folder, privacy={"mode": "confidential", "min_group": size})
    with pytest.raises(ExtractError, match="that is no size of a group .* in the questionnaire"):
        extract.read(folder)


@pytest.mark.parametrize("key", ["versions", "title", "counts", "privacy", "files"])
def test_a_manifest_of_another_shape_is_refused(tmp_path, study, key):
    folder = _study.write(study, tmp_path)
    edited(folder, **{key: 3})
    with pytest.raises(ExtractError, match=f"under '{key}'; make the extract anew"):
        extract.read(folder)


def test_a_response_without_its_case_is_refused(tmp_path, study):
    import pyarrow.parquet as pq

    folder = _study.write(study, tmp_path)
    pq.write_table(pq.read_table(folder / "cases.parquet").slice(1), folder / "cases.parquet")
    _study.write_manifest(study, folder, _study.codebook())
    with pytest.raises(ExtractError, match="1 responses have no case in cases.parquet"):
        extract.read(folder)


@pytest.mark.parametrize(("name", "values"), [("OM_B02_CUST", ["CENTRAL"] * 20), ("BG10", [1] * 20)])
def test_a_column_of_another_type_than_its_variable_is_refused(tmp_path, study, name, values):
    folder = _study.write(study, tmp_path)
    replaced(folder, study, with_column(name, values))
    with pytest.raises(ExtractError, match=f"{name}: the column holds .* Make the extract anew"):
        extract.read(folder)
