"""A questionnaire that asks one question of every type, a page each, and whose last pages hang on the answers."""

from __future__ import annotations

from pathlib import Path
from textwrap import indent

from kysely import plugins
from kysely.loading import _EXAMPLE_SCALES

STUDY = "every_type"

_HEAD = """
schema: questionnaire/1
id: every_type
revision: "1"
languages: {base: fi, required: [fi, sv, en]}
title: {fi: Kaikki kysymystyypit, sv: Alla frågetyper, en: Every type of question}
privacy: {mode: confidential, min_group: 5}
core: [view]
pages:
"""

_HANGING = """
  - id: after
    title:
      fi: "Vielä: {serves|asiakkaat}"
      sv: "Ännu: {serves|kunderna}"
      en: "Once more: {serves|customers}"
    text:
      fi: "Hallitseva: {dominant(level)|ei yhtä}."
      sv: "Dominerande: {dominant(level)|ingen}."
      en: "Dominant: {dominant(level)|none}."
    show_if: "count(serves) >= 1"
    questions:
      - id: served
        type: grid
        text: {fi: Kuinka hyvin onnistutte?, sv: Hur väl lyckas ni?, en: How well do you succeed?}
        scale: CENT4
        rows_from: serves
        cards: true
      - id: best
        type: single_choice
        text: {fi: Kuka on tärkein?, sv: Vem är viktigast?, en: Who matters most?}
        options_from: serves
        options:
          - {code: EQUAL, label: {fi: Kaikki yhtä lailla, sv: Alla lika, en: All alike}}
"""


def questionnaire() -> str:
    """Return the file."""
    scale = _EXAMPLE_SCALES["CENT4"]["levels"]
    levels = [
        f"      - {{code: {level['code']}, value: {level['value']}, "
        f"label: {{{', '.join(f'{language}: {text}' for language, text in level['label'].items())}}}}}"
        for level in scale
    ]
    pages = []
    for name in plugins.names("kysely.questions"):
        example = plugins.load("kysely.questions", name).EXAMPLE.strip()
        title = f"{{fi: Tyyppi {name}, sv: Typen {name}, en: Type {name}}}"
        pages.append(f"  - id: p_{name}\n    title: {title}\n    questions:\n{_item(example)}")
    scales = "scales:\n  CENT4:\n    levels:\n" + "\n".join(levels)
    return f"{_HEAD.strip().removesuffix('pages:')}{scales}\npages:\n" + "\n".join(pages) + _HANGING


def write(folder: Path) -> Path:
    """Write the questionnaire into a folder of its own under *folder*, and return that."""
    place = folder / STUDY
    place.mkdir(parents=True, exist_ok=True)
    (place / "questionnaire.yaml").write_text(questionnaire(), encoding="utf-8")
    return place


def _item(example: str) -> str:
    lines = indent(example, " " * 8)
    return "      - " + lines.lstrip()
