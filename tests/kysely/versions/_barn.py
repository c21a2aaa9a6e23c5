"""A questionnaire about barns that is changed in every way a questionnaire can be."""

BARN = """\
schema: questionnaire/1
id: barn
revision: "1"
languages: {base: en, required: [en, fi]}
title: {en: The barn, fi: Navetta}
privacy: {mode: confidential, min_group: 5}
core: [animals]
scales:
  SURE:
    levels:
      - {code: LOW, value: 1, label: {en: Hardly, fi: Tuskin}}
      - {code: HIGH, value: 2, label: {en: Surely, fi: Varmasti}}
pages:
  - id: farm
    title: {en: Farm, fi: Tila}
    questions:
      - id: size
        type: single_choice
        text: {en: How large is the farm?, fi: Kuinka suuri tila on?}
        options:
          - {code: SMALL, label: {en: Small, fi: Pieni}}
          - {code: MIDDLE, label: {en: Middling, fi: Keskikokoinen}}
          - {code: LARGE, label: {en: Large, fi: Suuri}}
      - id: hectares
        type: number
        text: {en: How much land?, fi: Paljonko maata?}
        unit: {en: hectares, fi: hehtaaria}
        minimum: 0
        maximum: 1000
  - id: barn
    title: {en: Barn, fi: Navetta}
    questions:
      - id: animals
        type: multiple_choice
        text: {en: Which animals live there?, fi: Mitä eläimiä siellä on?}
        options:
          - {code: COW, label: {en: Cows, fi: Lehmiä}}
          - {code: HEN, label: {en: Hens, fi: Kanoja}}
          - {code: OTHER, label: {en: "Others, which?", fi: "Muita, mitä?"}, detail: {id: which_others}}
      - id: milk
        type: number
        text: {en: How many litres of milk a day?, fi: Montako litraa maitoa päivässä?}
        show_if: "animals_COW == 1"
        minimum: 0
        dont_know: true
      - id: remark
        type: text
        required: "no"
        text: {en: Anything else?, fi: Muuta?}
"""


def edited(*edits: tuple[str, str], text: str = BARN) -> str:
    """Return *text* with every edit made; each must find its place, once."""
    for before, after in edits:
        assert text.count(before) == 1, (before, text.count(before))
        text = text.replace(before, after)
    return text
