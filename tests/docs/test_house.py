"""The rooms of ARCHITECTURE.md are those of the code."""

from __future__ import annotations

import tomllib
from pathlib import Path

from kysely import plugins

ROOT = Path(__file__).parents[2]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf8"))["tool"]["importlinter"]["contracts"]

CROSSES_THE_BORDER = {"codebook", "errors", "finished", "paths", "plugins", "pseudonyms", "typesetting"}


def test_of_the_engine_analysis_and_reports_may_import_only_what_crosses_the_border():
    (contract,) = [one for one in CONTRACTS if one["type"] == "forbidden"]
    forbidden = {name.removeprefix("kysely.") for name in contract["forbidden_modules"] if name.startswith("kysely.")}
    assert forbidden | CROSSES_THE_BORDER == set(plugins.names("kysely"))
    assert not forbidden & CROSSES_THE_BORDER


def test_every_module_of_the_engine_has_its_layer():
    layers = [one for one in CONTRACTS if one["type"] == "layers"][1]["layers"]
    named = {name.strip().removeprefix("kysely.") for layer in layers for name in layer.split("|")}
    assert named == set(plugins.names("kysely"))
