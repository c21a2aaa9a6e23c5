"""What editors and authors are told about the questionnaire language agrees with what the code reads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from kysely import loading, plugins
from kysely.commands.authoring import rewritten
from kysely.errors import KyselyError
from kysely.loading.schema import json_schema, question_json_schema

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "authoring.md"
SCHEMA = Draft202012Validator(json_schema())


def read(text: str):
    return YAML(typ="safe", pure=True).load(text)


def test_the_schema_is_a_json_schema():
    Draft202012Validator.check_schema(json_schema())
    Draft202012Validator.check_schema(question_json_schema())


@pytest.mark.parametrize("path", sorted(ROOT.glob("questionnaires/*/questionnaire.yaml")), ids=lambda p: p.parent.name)
def test_the_studys_questionnaires_fit_the_schema(path):
    assert list(SCHEMA.iter_errors(read(path.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize("name", plugins.names("kysely.questions"))
def test_the_example_of_every_type_fits_the_schema(name):
    example = read(plugins.load("kysely.questions", name).EXAMPLE)
    assert example["type"] == name
    assert list(Draft202012Validator(question_json_schema()).iter_errors(example)) == []


@pytest.mark.parametrize(
    "change",
    [
        {"tpye": "text"},
        {"type": "nunber"},
        {"text": "no language"},
        {"text": {"fi": ""}},
        {"required": "maybe"},
        {"id": "2x"},
        {"id": "x" * 33},
        {"max_length": 0},
        {"max_length": "many"},
    ],
    ids=str,
)
def test_an_editor_sees_wrong_keys_and_types(change):
    question = {"id": "note", "type": "text", "text": {"fi": "a"}}
    validator = Draft202012Validator(question_json_schema())
    assert list(validator.iter_errors(question)) == []
    assert list(validator.iter_errors(question | change)) != []


def test_the_table_of_question_types_is_up_to_date():
    page = PAGE.read_text(encoding="utf-8")
    assert page == rewritten(page), "run `kysely authoring`"


def test_a_page_without_a_place_for_the_tables_is_told_so():
    with pytest.raises(KyselyError, match="no lines"):
        rewritten("# A page\n")


def test_the_questionnaire_shown_to_authors_has_no_problems(tmp_path):
    examples = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.S)
    whole = next(example for example in examples if example.startswith("schema:"))
    (tmp_path / "questionnaire.yaml").write_text(whole, encoding="utf-8")
    assert loading.check(tmp_path) == ()


def test_every_key_an_author_may_write_is_in_the_tables():
    page = PAGE.read_text(encoding="utf-8")
    for name in plugins.names("kysely.questions"):
        for key in read(plugins.load("kysely.questions", name).EXAMPLE):
            assert f"| `{key}` |" in page


def test_conditions_shown_to_authors_can_be_read():
    from kysely import conditions

    section = PAGE.read_text(encoding="utf-8").partition("## Showing a page")[2].partition("## Options")[0]
    shown = [text for row in re.findall(r"^\| (`.*?) \|", section, flags=re.M) for text in re.findall("`([^`]+)`", row)]
    assert len(shown) >= 8
    for text in shown:
        if text != "not in":
            conditions.parse(text)
