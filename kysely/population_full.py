"""What the simulated leaders would answer to the blocks that only the longer forms ask.

They are the people of kysely/population.py; every further assumption stands in `FullParameters`. What the blocks
measure is tied to the present way of operating, as the study's models expect, so that tables and charts have
something to show; nothing of it is a finding.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

import numpy as np

from kysely.codebook import Answer, Codebook, Missing
from kysely.population import MODES, Organisation, Person

_PERSPECTIVES = {"wish": ("OM_B03", "OM_B04"), "strategy": ("OM_B05", "OM_B06")}
_ITEMS = {  # which mode each statement is typical of
    **dict.fromkeys(("OM_C11", "OM_C12", "OM_C13"), "PROD"),
    **dict.fromkeys(("OM_C14", "OM_C15", "OM_C16", "OM_C17"), "DEV"),
    **dict.fromkeys(("OM_C18", "OM_C19", "OM_C20", "OM_C21", "OM_C24"), "CUST"),
    **dict.fromkeys(("OM_C22", "OM_C23"), "PUB"),
    **{f"OM_F04_{mode}": mode for mode in MODES},
}
_PAIRS = {  # which modes pull to the first and to the second statement
    "OM_C01": ("PROD", "DEV"),
    "OM_C02": ("PROD", "DEV"),
    "OM_C03": ("PROD", "DEV"),
    "OM_C04": ("PROD", "CUST"),
    "OM_C05": ("PROD", "CUST"),
    "OM_C06": ("PUB", "CUST"),
    "OM_C07": ("PROD", "PUB"),
}


@dataclass(frozen=True)
class FullParameters:
    """Assumptions behind the answers to the longer forms; strengths are on the latent scale of StudyParameters."""

    # what is wished for, and chosen in the strategy, beyond the present strength of each mode
    change: Mapping[str, Mapping[str, float]] = field(
        default_factory=lambda: {
            "wish": {"PROD": -0.25, "DEV": 0.35, "CUST": 0.40, "PUB": -0.25},
            "strategy": {"PROD": -0.10, "DEV": 0.30, "CUST": 0.30, "PUB": -0.10},
        }
    )
    organisation_sd: float = 0.35  # of a change, among organisations
    person_sd: float = 0.60  # of a change, among colleagues
    no_stand: float = 0.07  # the strategy takes no stand on this
    cannot_say: float = 0.05  # of the wish and of the strategy
    points: float = 1.3  # a hundred points are shared in proportion to this base to the power of the latent strength
    typical: float = 0.55  # steps of a five-point scale by which a statement rises with each level of its mode
    item_sd: float = 0.95
    not_applicable: float = 0.02  # of a statement
    tools: Mapping[str, float] = field(
        default_factory=lambda: dict(
            BSC=0.35, FIN=0.93, TS=0.30, MILE=0.55, CFB=0.60, LOY=0.25, STAFF=0.62, AGR=0.22, RT=0.18
        )
    )
    freshness: Mapping[str, float] = field(  # mean on the scale from once a year, 1, to daily, 5
        default_factory=lambda: dict(BSC=2.2, FIN=2.9, TS=2.8, MILE=2.9, CFB=2.5, LOY=2.0, STAFF=1.5, AGR=1.3, RT=4.6)
    )
    reasons: Mapping[str, float] = field(default_factory=lambda: dict(UNITS=26, SEGM=30, MOVE=16, BAL=18, UNRES=10))
    expects_varies: float = 0.18  # expectations vary from customer to customer
    shared: Sequence[float] = (3.3, 3.5, 3.2, 3.1)  # mean agreement with the four statements on a shared view
    same_words: Mapping[str, float] = field(default_factory=lambda: dict(SAME=22, PARTLY=45, DIFF=33))
    writes: float = 0.25  # puts something in own words where asked to

    def as_note(self) -> dict[str, object]:
        """Return the parameters as plain data, for the wave's note."""
        return asdict(self)


REPRODUCTION = FullParameters()

_TODAY = (-0.4, 0.2, 0.6, 1.1)
"""The latent strength that stands for each level said of today."""
_THRESHOLDS = (0.0, 0.4, 0.8)


def asked(codebook: Codebook) -> bool:
    """Return whether a questionnaire asks anything that only the longer forms ask."""
    return any(name in codebook for name in (f"{chosen}_{MODES[0]}" for chosen, _ in _PERSPECTIVES.values()))


def complete(people: Iterable[Person], parameters: FullParameters, rng: np.random.Generator) -> tuple[Person, ...]:
    """Return *people* with answers to all that the longer forms ask; what they said before stays as it is."""
    shared: dict[int, Mapping[str, float]] = {}
    completed = []
    for person in people:
        if person.organisation.number not in shared:
            shared[person.organisation.number] = _shared_change(parameters, rng)
        further = _answers(parameters, shared[person.organisation.number], person, rng)
        completed.append(replace(person, answers={**person.answers, **further}))
    return tuple(completed)


def _answers(
    parameters: FullParameters, change: Mapping[str, float], person: Person, rng: np.random.Generator
) -> dict[str, Answer]:
    strength = {mode: _today(person.answers.get(f"OM_B02_{mode}"), person.organisation, mode) for mode in MODES}
    levels = {mode: bisect_right(_THRESHOLDS, strength[mode]) for mode in MODES}
    found: dict[str, Answer] = {}
    for perspective, (chosen, level) in _PERSPECTIVES.items():
        changed = {mode: strength[mode] + change[f"{perspective} {mode}"] for mode in MODES}
        found |= _perspective(parameters, perspective, chosen, level, changed, rng)
    found |= _points("OM_B09", parameters, strength)
    found |= _points("OM_B10", parameters, {mode: strength[mode] + change[f"wish {mode}"] for mode in MODES})
    found |= _customers(parameters, levels, strength, rng)
    found |= _leading(parameters, levels, rng)
    found |= _tools(parameters, rng)
    found |= _words(parameters, rng)
    return found


def _today(level: Answer | None, organisation: Organisation, mode: str) -> float:
    """Return the strength a person sees in *mode*; one who could not say sees what the organisation is like."""
    return _TODAY[level] if isinstance(level, int) else organisation.effect[mode]


def _shared_change(parameters: FullParameters, rng: np.random.Generator) -> dict[str, float]:
    """Return by how much the leaders of one organisation, on average, wish and plan to change each mode."""
    sd = parameters.organisation_sd
    return {
        f"{perspective} {mode}": parameters.change[perspective][mode] + sd * rng.standard_normal()
        for perspective in _PERSPECTIVES
        for mode in MODES
    }


def _perspective(
    parameters: FullParameters,
    perspective: str,
    chosen: str,
    level: str,
    changed: Mapping[str, float],
    rng: np.random.Generator,
) -> dict[str, Answer]:
    variables = [f"{step}_{mode}" for step in (chosen, level) for mode in MODES] + [f"{chosen}_OTHER"]
    if perspective == "strategy" and rng.random() < parameters.no_stand:
        return dict.fromkeys(variables, Missing.DOES_NOT_CONCERN)
    if rng.random() < parameters.cannot_say:
        return dict.fromkeys(variables, Missing.DONT_KNOW)
    strength = {mode: changed[mode] + parameters.person_sd * rng.standard_normal() for mode in MODES}
    levels = {mode: bisect_right(_THRESHOLDS, z) for mode, z in strength.items()}
    if not any(levels.values()):
        levels[max(strength, key=strength.__getitem__)] = 1
    return {
        **{f"{chosen}_{mode}": int(n > 0) for mode, n in levels.items()},
        **{f"{level}_{mode}": n for mode, n in levels.items()},
        f"{chosen}_OTHER": 0,
    }


def _points(question: str, parameters: FullParameters, strength: Mapping[str, float]) -> dict[str, Answer]:
    """Return a hundred points shared by strength in whole fives, as people share them."""
    weights = np.array([parameters.points ** (4 * strength[mode]) for mode in MODES])
    fives = np.floor(20 * weights / weights.sum()).astype(int)
    fives[int(np.argmax(weights))] += 20 - fives.sum()
    return {f"{question}_{mode}": int(5 * n) for mode, n in zip(MODES, fives, strict=True)}


def _customers(
    parameters: FullParameters, levels: Mapping[str, int], strength: Mapping[str, float], rng: np.random.Generator
) -> dict[str, Answer]:
    wanted = {mode: strength[mode] + (0.6 if mode == "CUST" else 0.0) + rng.standard_normal() for mode in MODES}
    varies = rng.random() < parameters.expects_varies
    return {
        "OM_B07": _pick(parameters.reasons, rng) if sum(n == 3 for n in levels.values()) > 1 else Missing.ROUTED_PAST,
        "OM_B08": "VARIES" if varies else max(wanted, key=wanted.__getitem__),
    }


def _leading(parameters: FullParameters, levels: Mapping[str, int], rng: np.random.Generator) -> dict[str, Answer]:
    """Return what is said of leading: each statement rises with its mode, each pair leans towards one of two."""
    found: dict[str, Answer] = {}
    for item, mode in _ITEMS.items():
        centre = 2.4 + parameters.typical * levels[mode]
        concerns = rng.random() >= parameters.not_applicable
        found[item] = _step(centre, parameters.item_sd, 1, 5, rng) if concerns else Missing.DOES_NOT_CONCERN
    for pair, (first, second) in _PAIRS.items():
        centre = parameters.typical * (levels[second] - levels[first])
        found[pair] = _step(centre, parameters.item_sd, -2, 2, rng)
    for number, centre in enumerate(parameters.shared, start=1):
        found[f"OM_E0{number}"] = _step(centre, parameters.item_sd, 1, 5, rng)
    return found


def _tools(parameters: FullParameters, rng: np.random.Generator) -> dict[str, Answer]:
    found: dict[str, Answer] = {}
    for tool, share in parameters.tools.items():
        used = rng.random() < share
        found[f"OM_D01_{tool}"] = int(used)
        for question, centre in (("OM_D02", 3.6), ("OM_D03", parameters.freshness[tool])):
            answer = _step(centre, parameters.item_sd, 1, 5, rng)
            found[f"{question}_{tool}"] = answer if used else Missing.ROUTED_PAST
    return found


def _words(parameters: FullParameters, rng: np.random.Generator) -> dict[str, Answer]:
    found: dict[str, Answer] = {
        "OM_F02": _pick(parameters.same_words, rng),
        "OM_F03": _pick(parameters.same_words, rng),
        "OM_G01": "YES" if rng.random() < 0.6 else "NO",
        "OM_G02": "YES" if rng.random() < 0.3 else "NO",
    }
    for question in ("OM_E05", "OM_F01"):
        if rng.random() < parameters.writes:
            found[question] = f"Esimerkkivastaus {rng.integers(1, 100)}"
    return found


def _step(centre: float, sd: float, low: int, high: int, rng: np.random.Generator) -> int:
    return int(min(high, max(low, round(centre + sd * rng.standard_normal()))))


def _pick(mix: Mapping[str, float], rng: np.random.Generator) -> str:
    weights = np.array(list(mix.values()))
    return str(rng.choice(list(mix), p=weights / weights.sum()))
