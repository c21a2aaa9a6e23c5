"""The full form's study on disk: the real questionnaire, answered by the simulated leaders without their pages."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from analysis import extract as extracts
from kysely import loading, paths, population, population_full
from tests.analysis._study import Answers, write

SEED = 2015


def answers() -> Answers:
    """Return what `kysely simulate operating_mode --form full` would store."""
    book = loading.load(paths.REPOSITORY / "questionnaires" / "operating_mode", "full").codebook
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
    book = loading.load(paths.REPOSITORY / "questionnaires" / "operating_mode", "full").codebook
    return extracts.read(write(answers(), folder, book))
