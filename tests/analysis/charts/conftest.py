"""The study's two charts, drawn once in every language."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from analysis import charts
from analysis.charts import _files
from analysis.charts._files import Picture
from analysis.charts._look import LOOKS
from tests.analysis.charts import _estimates as study

IDS = ("OM_FIG01", "OM_FIG02")


@dataclass(frozen=True)
class Published:
    """One chart in one language: the picture, and where its files lie."""

    picture: Picture
    folder: Path

    def path(self, extension: str) -> Path:
        return self.folder / f"{self.picture.id}.{extension}"

    @property
    def manifest(self) -> Mapping[str, Any]:
        return json.loads(self.path("json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Mapping[tuple[str, str], Published]:
    folder = tmp_path_factory.mktemp("charts")
    estimates = study.estimates(study.distribution() + study.central())
    found = {}
    specs = study.specs()
    for id, spec in ((id, specs[id]) for id in IDS):
        for language in study.LANGUAGES:
            pictures = [charts.draw(estimates, spec, study.codebook(), language, look) for look in LOOKS]
            _files.write(pictures, folder / language)
            found[id, language] = Published(pictures[0], folder / language)
    return found


@pytest.fixture(params=[f"{id}-{language}" for id in IDS for language in study.LANGUAGES])
def published(request: pytest.FixtureRequest, everything: Mapping[tuple[str, str], Published]) -> Published:
    """Each chart in each language."""
    id, language = request.param.split("-")
    return everything[id, language]
