"""Two studies, built once: the simulated one, and the first person who really answered."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports._material import Material
from tests.analysis import _study
from tests.reports import _built


@pytest.fixture(scope="session")
def synthetic_build(tmp_path_factory) -> Path:
    """The build folder of a simulated study of 120 organisations, with one chart drawn."""
    folder = tmp_path_factory.mktemp("synthetic")
    _built.build(folder, _study.answers(seed=5, organisations=120, respondents=160), draw=True)
    return folder


@pytest.fixture(scope="session")
def synthetic(synthetic_build) -> Material:
    from reports import _material

    return _material.read(synthetic_build, _built.QUESTIONNAIRES, _built.INSTRUMENT)


@pytest.fixture(scope="session")
def first_answer(tmp_path_factory) -> Material:
    """One real respondent, of a municipality, who calls customer service central."""
    study = _study.answers(seed=5).take([0])
    study.origin = "real"
    for name, value in {"BG10": "MUNI", "BG01": "TOP", "OM_B01_CUST": 1, "OM_B02_CUST": 3}.items():
        study.columns[name] = [value]
    study.manifest["demonstration"] = True
    return _built.build(tmp_path_factory.mktemp("first_answer"), study)


@pytest.fixture(scope="session", params=_built.LANGUAGES)
def language(request) -> str:
    return request.param


@pytest.fixture(scope="session")
def report(synthetic, language) -> _built.Page:
    """The whole report of the simulated study."""
    return _built.page(synthetic, language)


@pytest.fixture(scope="session")
def first_report(first_answer, language) -> _built.Page:
    return _built.page(first_answer, language)
