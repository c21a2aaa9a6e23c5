"""The full form's study on disk: the real questionnaire, answered by the simulated leaders without their pages."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from analysis import extract as extracts
from analysis.estimates import Estimates
from kysely import loading, paths, population, population_full
from kysely.codebook import Codebook
from tests.analysis import _study
from tests.analysis._study import Answers, write

SEED = 2015


def asked() -> Codebook:
    """Return the codebook of the full form."""
    return loading.load(paths.REPOSITORY / "questionnaires" / "operating_mode", "full").codebook


def answers() -> Answers:
    """Return what `kysely simulate operating_mode --form full` would store."""
    book = asked()
    drawn = population.draw(population.REPRODUCTION, np.random.default_rng(SEED))
    people = population_full.complete(drawn, population_full.REPRODUCTION, np.random.default_rng([SEED, 1]))
    columns = {
        variable.name: [
            str(answer) if isinstance(answer := person.answers.get(variable.name, "no_answer"), str) else answer
            for person in people
        ]
        for variable in book.variables
    }
    return Answers([f"org{person.organisation.number:04d}" for person in people], columns)


def extract(folder: Path) -> extracts.Extract:
    """Return the study written to *folder* and read back."""
    return extracts.read(write(answers(), folder, asked()))


@cache
def estimates() -> tuple[Estimates, Codebook]:
    """Return the estimates of the study under the shipped plan, and the codebook with what the plan derives."""
    with TemporaryDirectory() as folder:
        answers = extract(Path(folder))
    return _study.estimates(answers), _study.plan(answers.codebook).codebook(answers.codebook)
