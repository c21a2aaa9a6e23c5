"""The simulated leaders answer the longer forms too, and say of today what they said in the short one."""

from itertools import permutations

import numpy as np
import pytest

from kysely import loading, paths, population, population_full
from kysely.codebook import Kind, Missing
from kysely.population import MODES

FOLDER = paths.REPOSITORY / "questionnaires" / "operating_mode"


@pytest.fixture(scope="module")
def core():
    return population.draw(population.REPRODUCTION, np.random.default_rng(2015))


@pytest.fixture(scope="module")
def people(core):
    return population_full.complete(core, population_full.REPRODUCTION, np.random.default_rng([2015, 1]))


@pytest.mark.parametrize(
    ("form", "longer"), [("core2015", False), ("full", True), ("full_points", True), ("pulse", True)]
)
def test_only_the_forms_that_ask_more_than_2015_get_more(form, longer):
    assert population_full.asked(loading.load(FOLDER, form).codebook) is longer


@pytest.mark.parametrize("form", ["full", "full_points"])
def test_every_closed_question_of_the_longer_forms_has_answers_that_it_accepts(people, form):
    codebook = loading.load(FOLDER, form).codebook
    given = {name for person in people for name in person.answers}
    closed = [
        one for one in codebook.variables if one.closed and one.name.startswith("OM_") and (one.categories or one.set)
    ]
    assert len(closed) > 80 and {one.name for one in closed} <= given
    for variable in closed:
        codes = {value for one in variable.categories for value in (one.code, one.value) if value is not None}
        allowed = codes or set(range(2 if variable.kind is Kind.BINARY else 101))
        answered = {person.answers[variable.name] for person in people if variable.name in person.answers}
        values = {one for one in answered if not isinstance(one, Missing)}
        assert values and values <= allowed, variable.name


def test_a_hundred_points_are_always_a_hundred(people):
    for question in ("OM_B09", "OM_B10"):
        assert {sum(person.answers[f"{question}_{mode}"] for mode in MODES) for person in people} == {100}


def test_what_was_answered_in_the_short_form_stays_as_it_is(core, people):
    for before, after in zip(core, people, strict=True):
        assert {name: after.answers[name] for name in before.answers} == before.answers


def test_colleagues_wish_for_more_of_the_same_than_strangers_do(people):
    """Colleagues also see the same today, so this holds for the wish as far as it goes beyond today."""
    changes: dict[int, list[int]] = {}
    for person in people:
        wished, today = person.answers["OM_B04_CUST"], person.answers["OM_B02_CUST"]
        if isinstance(wished, int) and isinstance(today, int):
            changes.setdefault(person.organisation.number, []).append(wished - today)
    pairs = np.array([pair for held in changes.values() for pair in permutations(held, 2)])
    assert len(pairs) > 200 and np.corrcoef(pairs.T)[0, 1] > 0.05


def test_the_same_seed_gives_the_same_answers(core, people):
    again = population_full.complete(core, population_full.REPRODUCTION, np.random.default_rng([2015, 1]))
    assert [person.answers for person in again] == [person.answers for person in people]
