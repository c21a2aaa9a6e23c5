"""The organisation a respondent speaks for. The business IDs are those of python-stdnum's documentation and tests."""

from __future__ import annotations

import pytest
from werkzeug.datastructures import MultiDict

from kysely import loading, plugins
from kysely.codebook import Missing
from kysely.questions._base import InvalidAnswers
from kysely.questions.organisation import OrganisationTyped, business_id

QUESTION = loading.question(plugins.load("kysely.questions", "organisation").EXAMPLE)


def parse(**typed: str) -> dict:
    return QUESTION.parse("", MultiDict(typed), {})


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("2077474-0", "2077474-0"),
        ("20774740", "2077474-0"),
        ("2077474 – 0", "2077474-0"),
        ("FI20774740", "2077474-0"),
        ("fi 2077474-0", "2077474-0"),
        ("737546-2", "0737546-2"),
        ("0737546-2", "0737546-2"),
        ("2077474-1", None),
        ("2077474", None),
        ("٢٠٧٧٤٧٤-٠", None),
        ("2077474-0-", None),
        ("0000000-1", None),
    ],
)
def test_a_business_id_is_read_however_it_is_punctuated_if_its_check_digit_agrees(typed, read):
    assert business_id(typed) == read


def test_what_is_typed_goes_apart_and_the_answers_say_only_that_it_was_given():
    answers = parse(organisation_name=" Kauppahuone Oy ", organisation_municipality="Vaasa")
    assert answers.pop("organisation") == OrganisationTyped("Kauppahuone Oy", "Vaasa", "")
    assert answers == {"organisation_given": 1}
    assert QUESTION.identifies


def test_no_table_shows_it():
    assert not any(variable.closed for variable in QUESTION.variables())


def test_a_blank_name_is_item_nonresponse():
    answers = parse(organisation_municipality="Vaasa")
    assert answers["organisation_given"] is Missing.NO_ANSWER
    assert QUESTION.is_blank("", MultiDict(dict(organisation_municipality="Vaasa")), {})


def test_a_municipality_alone_is_kept_though_it_names_no_organisation():
    answers = parse(organisation_municipality="Vaasa")
    assert answers["organisation"] == OrganisationTyped("", "Vaasa", "")
    assert answers["organisation"] and not answers["organisation"].named
    assert not OrganisationTyped()


def test_a_business_id_alone_names_the_organisation():
    answers = parse(organisation_business_id="20774740")
    assert answers["organisation"].business_id == "2077474-0"
    assert answers["organisation_given"] == 1


def test_a_wrong_business_id_is_refused_at_its_field():
    with pytest.raises(InvalidAnswers) as refusal:
        parse(organisation_name="X", organisation_business_id="2077474-1")
    assert {name: error.code for name, error in refusal.value.errors.items()} == {
        "organisation_business_id": "business_id"
    }


def test_what_was_typed_is_shown_again_when_the_identity_database_gives_it_back():
    typed = OrganisationTyped("Kauppahuone Oy", "Vaasa", "2077474-0")
    form = MultiDict(QUESTION.typed("", {"organisation": typed}))
    assert QUESTION.parse("", form, {})["organisation"] == typed
    assert QUESTION.typed("", {"organisation_given": 1}) == {}
