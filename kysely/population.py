"""A simulated study population: organisations, the leaders in them, and what each of them would answer.

Counts are those of the study of spring 2015 and exact; everything else is an assumption of ours
and stands in one place, `StudyParameters`, which is printed wherever the answers are used. The
names can't be mistaken for real organisations. No file, clock or network: chance is an argument.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import accumulate
from math import hypot
from statistics import NormalDist
from zoneinfo import ZoneInfo

import numpy as np

from kysely.codebook import Answer, Codebook, Missing

HELSINKI = ZoneInfo("Europe/Helsinki")
MODES = ("PROD", "DEV", "CUST", "PUB")

Mix = Mapping[str, float]
"""How common each code is: code → weight; the weights need not sum to one."""


def _mix(**weights: float) -> Callable[[], Mix]:
    return lambda: dict(weights)


def _mixes(**mixes: Mix) -> Callable[[], Mapping[str, Mix]]:
    return lambda: {name: dict(mix) for name, mix in mixes.items()}


@dataclass(frozen=True)
class StudyParameters:
    """Every assumption of the generator. A level is where a mode's latent strength falls between the thresholds.

    The latent strength of mode m for a person p of organisation o is
    mode_strength[m] + type_effect[type of o][m] + organisation effect (o, m) + person effect (p, m);
    the two effects are normal with the standard deviations below, and independent between modes.
    """

    # published: 207 organisations with one respondent, 42 with two … are 269 with 360
    organisations_by_respondents: Mapping[str, int] = field(
        default_factory=lambda: {"1": 207, "2": 42, "3": 14, "4": 4, "5": 1, "6": 1}
    )
    top_managers: int = 302
    # beyond the 360, colleagues who could not say which modes describe the organisation; not valid respondents
    cannot_say: int = 4

    # chosen so that customer service comes before development and that before the rest, and nothing finer
    mode_strength: Mix = field(default_factory=_mix(PROD=0.20, DEV=0.50, CUST=1.00, PUB=-1.20))
    type_effect: Mapping[str, Mix] = field(
        default_factory=_mixes(
            COMP={},
            PUBC={"PUB": 0.60},
            COOP={"CUST": 0.15, "PUB": 0.20},
            MUNI={"CUST": -0.10, "DEV": -0.25, "PROD": -0.30, "PUB": 2.00},
            JMA={"CUST": -0.10, "DEV": -0.25, "PROD": -0.10, "PUB": 1.80},
            STATE={"CUST": -0.35, "DEV": -0.20, "PROD": -0.30, "PUB": 2.20},
            OPUB={"CUST": -0.15, "DEV": 0.10, "PROD": -0.20, "PUB": 1.60},
        )
    )
    thresholds: tuple[float, float, float] = (0.0, 0.4, 0.8)
    organisation_sd: float = 0.6
    person_sd: float = 0.8

    item_nonresponse: float = 0.015  # of each background question but role and type of organisation
    unrated: float = 0.012  # of each chosen mode: chosen, its centrality left open
    other_mode: float = 0.03  # names a further way in own words
    typing_variation: float = 0.3  # types the organisation's name in other letters or with other blanks

    # the period and its working hours, Helsinki time; holidays of spring 2015
    first_day: str = "2015-03-02"
    last_day: str = "2015-05-29"
    holidays: tuple[str, ...] = ("2015-04-03", "2015-04-06", "2015-05-01", "2015-05-14")
    office_hours: float = 0.85  # starts between 8 and 16 o'clock; the others in the evening
    seconds_per_page: tuple[int, int] = (12, 75)

    # background
    languages: Mix = field(default_factory=_mix(fi=0.86, sv=0.08, en=0.06))
    swedish_regions: Mix = field(default_factory=_mix(R21=0.95, R15=0.45, R01=0.10, R02=0.10))
    types: Mix = field(
        default_factory=_mix(COMP=0.60, PUBC=0.06, COOP=0.03, MUNI=0.14, JMA=0.05, STATE=0.07, OPUB=0.05)
    )
    sizes: Mapping[str, Mix] = field(
        default_factory=_mixes(
            COMP=dict(P0_4=8, P5_9=9, P10_19=15, P20_49=21, P50_99=15, P100_249=14, P250_499=8, P500_999=5, P1000=5),
            PUBC=dict(P10_19=8, P20_49=18, P50_99=22, P100_249=22, P250_499=14, P500_999=8, P1000=8),
            COOP=dict(P10_19=15, P20_49=25, P50_99=25, P100_249=20, P250_499=10, P500_999=5),
            MUNI=dict(P50_99=6, P100_249=22, P250_499=26, P500_999=24, P1000=22),
            JMA=dict(P50_99=12, P100_249=24, P250_499=24, P500_999=22, P1000=18),
            STATE=dict(P20_49=6, P50_99=14, P100_249=26, P250_499=22, P500_999=16, P1000=16),
            OPUB=dict(P20_49=12, P50_99=18, P100_249=24, P250_499=20, P500_999=14, P1000=12),
        )
    )
    industries: Mapping[str, Mix] = field(
        default_factory=_mixes(
            COMP=dict(A=2, B=1, C=24, D=2, F=11, G=17, H=6, I=4, J=10, K=4, L=3, M=10, N=4, R=1, S=1),
            PUBC=dict(C=5, D=28, E=20, H=17, J=8, L=14, N=8),
            COOP=dict(A=10, C=20, E=5, G=35, K=30),
            MUNI=dict(O=100),
            JMA=dict(E=5, P=42, Q=53),
            STATE=dict(H=4, M=10, O=80, P=6),
            OPUB=dict(K=18, M=12, O=20, P=40, R=10),
        )
    )
    regions: Mix = field(
        default_factory=lambda: dict(
            R01=34,
            R02=9,
            R04=4,
            R05=3,
            R06=10,
            R07=3.5,
            R08=3,
            R09=2.5,
            R10=2.5,
            R11=4.5,
            R12=3,
            R13=5,
            R14=3.5,
            R15=3.5,
            R16=1.5,
            R17=7,
            R18=1.5,
            R19=3.2,
            R21=0.8,
        )  # fmt: skip
    )
    customers: Mapping[str, Mix] = field(  # the share that serves each, all of one's own organisation alike
        default_factory=_mixes(
            COMP=dict(B2B=0.80, B2C=0.45, B2G=0.35, CIT=0.03, MEM=0.02, INT=0.10),
            PUBC=dict(B2B=0.65, B2C=0.55, B2G=0.55, CIT=0.30, MEM=0.02, INT=0.12),
            COOP=dict(B2B=0.45, B2C=0.75, B2G=0.10, CIT=0.05, MEM=0.90, INT=0.05),
            MUNI=dict(B2B=0.45, B2C=0.10, B2G=0.20, CIT=0.99, MEM=0.01, INT=0.05),
            JMA=dict(B2B=0.20, B2C=0.10, B2G=0.45, CIT=0.95, MEM=0.20, INT=0.03),
            STATE=dict(B2B=0.60, B2C=0.10, B2G=0.65, CIT=0.80, MEM=0.01, INT=0.02),
            OPUB=dict(B2B=0.50, B2C=0.15, B2G=0.55, CIT=0.70, MEM=0.10, INT=0.02),
        )
    )
    other_roles: Mix = field(default_factory=_mix(MID=0.45, CTRL=0.25, EXP=0.30))
    heads: Mapping[str, str] = field(  # the position of the one who leads an organisation of the type
        default_factory=lambda: dict(
            COMP="CEO", PUBC="CEO", COOP="CEO", MUNI="GOVL", JMA="GOVL", STATE="GOVC", OPUB="CEO"
        )
    )
    first_is_head: float = 0.72
    positions: Mapping[str, Mix] = field(
        default_factory=_mixes(
            TOP=dict(CFO=24, CHRO=10, CSO=12, COMM=16, RND=8, CIO=6, PROD=20, BOARD=4),
            MID=dict(COMM=18, RND=14, CIO=12, PROD=46, CHRO=10),
            CTRL=dict(CTRL=90, CFO=10),
            EXP=dict(EXP=100),
        )
    )
    leadership_team: Mix = field(default_factory=_mix(TOP=0.97, MID=0.35, CTRL=0.15, EXP=0.05))
    strategy: Mapping[str, Mix] = field(
        default_factory=_mixes(
            TOP=dict(LEAD=62, PART=37, NO=1),
            MID=dict(LEAD=6, PART=74, NO=20),
            CTRL=dict(LEAD=4, PART=66, NO=30),
            EXP=dict(LEAD=3, PART=52, NO=45),
        )
    )
    tenure: Mix = field(default_factory=_mix(LT1=0.07, Y1_2=0.14, Y3_5=0.22, Y6_10=0.24, GT10=0.33))
    own_unit: Mix = field(default_factory=_mix(TOP=0.08, MID=0.45, CTRL=0.15, EXP=0.30))
    names_unit: float = 0.6
    consent: float = 0.8

    def as_note(self) -> dict[str, object]:
        """Return the parameters as plain data, for the wave's note, the manifest and the report."""
        return asdict(self)


REPRODUCTION = StudyParameters()


def without_differences(parameters: StudyParameters = REPRODUCTION) -> StudyParameters:
    """Return *parameters* of a world where the modes are exchangeable and no group differs from another.

    All modes get the strength at which a mode is central as often as the four are on average in *parameters*.
    Colleagues still agree more than strangers, so that a test which ignores them fails here.
    """
    spread = hypot(parameters.organisation_sd, parameters.person_sd)
    central = parameters.thresholds[-1]
    below = [
        NormalDist(parameters.mode_strength[mode] + effect.get(mode, 0.0), spread).cdf(central)
        for effect in parameters.type_effect.values()
        for mode in MODES
    ]
    weights = [parameters.types[kind] for kind in parameters.type_effect for _ in MODES]
    strength = central - NormalDist(0, spread).inv_cdf(float(np.average(below, weights=weights)))
    return replace(
        parameters,
        mode_strength=dict.fromkeys(MODES, round(strength, 4)),
        type_effect={kind: {} for kind in parameters.types},
    )


def without_combinations(parameters: StudyParameters = REPRODUCTION) -> StudyParameters:
    """Return *parameters* of a world where modes are combined no more often than the claims' own limits.

    Half of the organisations combine modes, and 5 % of respondents name two central ones; no mode or group differs.
    """
    # Found by drawing 400,000 organisations: the shares are 0.499 and 0.049.
    return replace(
        without_differences(parameters),
        mode_strength=dict.fromkeys(MODES, -0.38),
        thresholds=(0.0, 0.45, 0.93),
    )


WORLDS: Mapping[str, Callable[[], StudyParameters]] = {
    "no_mode_differs": without_differences,
    "no_combinations": without_combinations,
}
"""Worlds of the falsification run, by the claims that are not true in them."""


@dataclass(frozen=True)
class Organisation:
    """An invented organisation and the background its leaders share; *effect* is its latent strength per mode."""

    number: int
    name: str
    municipality: str
    type: str
    answers: Mapping[str, Answer]
    effect: Mapping[str, float]


@dataclass(frozen=True)
class Person:
    """An invented respondent: when and in which language they start, and the answer to each variable they know of.

    *typed_name* is the organisation's name as this person types it. A variable that is not
    in *answers* is one the person leaves open.
    """

    number: int
    organisation: Organisation
    typed_name: str
    language: str
    starts: datetime
    seconds: tuple[int, ...]
    answers: Mapping[str, Answer]


ASKED = (
    *("BG10", "BG12", "BG14", "BG15", "BG01", "BG02", "BG04", "BG05", "BG06", "BG07", "BG19"),
    *(f"{step}_{mode}" for step in ("OM_B01", "OM_B02") for mode in MODES),
)
"""The variables that a questionnaire must have for this population to answer it."""


def lacking(codebook: Codebook) -> tuple[str, ...]:
    """Return the variables of this population that the questionnaire doesn't ask."""
    return tuple(name for name in ASKED if name not in codebook)


def draw(parameters: StudyParameters, rng: np.random.Generator) -> tuple[Person, ...]:
    """Return the respondents of one study in the order they start.

    Exactly 269 organisations and 360 valid respondents, 302 of them top managers, with the
    default counts; the colleagues who could not say come in addition, from the same organisations.
    """
    sizes = [int(n) for n, count in parameters.organisations_by_respondents.items() for _ in range(count)]
    sizes = [sizes[i] for i in rng.permutation(len(sizes))]
    organisations = _organisations(parameters, len(sizes), rng)
    seats = [(organisation, place) for organisation, n in zip(organisations, sizes, strict=True) for place in range(n)]
    roles = _roles(parameters, seats, rng)
    lonely = [(organisation, n) for organisation, n in zip(organisations, sizes, strict=True) if n > 1]
    guests = [lonely[i] for i in rng.choice(len(lonely), parameters.cannot_say, replace=False)]
    people = [
        _person(parameters, number, organisation, place, role, rng)
        for number, ((organisation, place), role) in enumerate(zip(seats, roles, strict=True), start=1)
    ]
    people += [
        _cannot_say(_person(parameters, len(seats) + extra, organisation, n, "TOP", rng))
        for extra, (organisation, n) in enumerate(guests, start=1)
    ]
    return tuple(sorted(people, key=lambda person: (person.starts, person.number)))


def _organisations(parameters: StudyParameters, count: int, rng: np.random.Generator) -> list[Organisation]:
    numbers: dict[str, int] = {}
    return [_organisation(parameters, number, numbers, rng) for number in range(1, count + 1)]


_NAMES = {
    "COMP": "Esimerkkiyritys {} Oy",
    "PUBC": "Esimerkkilaitosyhtiö {} Oy",
    "COOP": "Esimerkkiosuuskunta {}",
    "MUNI": "Esimerkkikunta {}",
    "JMA": "Esimerkkikuntayhtymä {}",
    "STATE": "Esimerkkivirasto {}",
    "OPUB": "Esimerkkilaitos {}",
}


def _organisation(
    parameters: StudyParameters, number: int, numbers: dict[str, int], rng: np.random.Generator
) -> Organisation:
    kind = _pick(parameters.types, rng)
    numbers[kind] = numbers.get(kind, 0) + 1
    region = _pick(parameters.regions, rng)
    served = {code: rng.random() < share for code, share in parameters.customers[kind].items()}
    if not any(served.values()):
        served[max(parameters.customers[kind], key=parameters.customers[kind].__getitem__)] = True
    return Organisation(
        number=number,
        name=_NAMES[kind].format(numbers[kind]),
        municipality=f"Esimerkkilä {region[1:]}",
        type=kind,
        answers={
            "BG10": kind,
            "BG12": _pick(parameters.sizes[kind], rng),
            "BG14": _pick(parameters.industries[kind], rng),
            "BG15": region,
            **{f"BG16_{code}": int(serves) for code, serves in served.items()},
        },
        effect={
            mode: parameters.mode_strength[mode]
            + parameters.type_effect[kind].get(mode, 0.0)
            + parameters.organisation_sd * rng.standard_normal()
            for mode in MODES
        },
    )


def _roles(
    parameters: StudyParameters, seats: Sequence[tuple[Organisation, int]], rng: np.random.Generator
) -> list[str]:
    """Return a role for each seat: exactly so many top managers, rarer among an organisation's later seats."""
    weight = np.array([1.0 if place == 0 else 3.0 for _, place in seats])
    others = len(seats) - parameters.top_managers
    not_top = set(rng.choice(len(seats), others, replace=False, p=weight / weight.sum()).tolist())
    return [_pick(parameters.other_roles, rng) if seat in not_top else "TOP" for seat in range(len(seats))]


def _person(
    parameters: StudyParameters,
    number: int,
    organisation: Organisation,
    place: int,
    role: str,
    rng: np.random.Generator,
) -> Person:
    background = {**organisation.answers, **_background(parameters, organisation, place, role, rng)}
    low, high = parameters.seconds_per_page
    return Person(
        number=number,
        organisation=organisation,
        typed_name=_typed(parameters, organisation.name, rng),
        language=_language(parameters, str(organisation.answers["BG15"]), rng),
        starts=_start(parameters, rng),
        seconds=tuple(int(s) for s in rng.integers(low, high, size=16)),
        answers={**_left_open(parameters, background, rng), **_modes(parameters, organisation, rng)},
    )


def _background(
    parameters: StudyParameters, organisation: Organisation, place: int, role: str, rng: np.random.Generator
) -> dict[str, Answer]:
    leads = role == "TOP" and place == 0 and rng.random() < parameters.first_is_head
    position = parameters.heads[organisation.type] if leads else _pick(parameters.positions[role], rng)
    in_unit = not leads and rng.random() < parameters.own_unit[role]
    answers: dict[str, Answer] = {
        "BG01": role,
        "BG02": position,
        "BG04": "YES" if leads or rng.random() < parameters.leadership_team[role] else "NO",
        "BG05": "LEAD" if leads else _pick(parameters.strategy[role], rng),
        "BG06": _pick(parameters.tenure, rng),
        "BG07": "UNIT" if in_unit else "ORG",
        "BG19": "YES" if rng.random() < parameters.consent else "NO",
    }
    if in_unit and rng.random() < parameters.names_unit:
        answers["BG08"] = f"Esimerkkiyksikkö {rng.integers(1, 10)}"
    return answers


_ALWAYS_ANSWERED = ("BG01", "BG10")


def _left_open(
    parameters: StudyParameters, answers: Mapping[str, Answer], rng: np.random.Generator
) -> dict[str, Answer]:
    """Return *answers* without the questions this person skips; a multiple choice is skipped as a whole."""
    questions = sorted({_question(variable) for variable in answers} - set(_ALWAYS_ANSWERED))
    skipped = {question for question in questions if rng.random() < parameters.item_nonresponse}
    if "BG07" in skipped:
        skipped.add("BG08")  # the unit's name is a detail of that choice
    return {variable: answer for variable, answer in answers.items() if _question(variable) not in skipped}


@cache
def _question(variable: str) -> str:
    return variable.split("_")[0]


def _modes(parameters: StudyParameters, organisation: Organisation, rng: np.random.Generator) -> dict[str, Answer]:
    """Return the mode variables of one person; a mode below the first threshold is not chosen.

    Whom no mode fits names the strongest one to some degree: every one of the 360 chose a mode.
    """
    strength = {mode: organisation.effect[mode] + parameters.person_sd * rng.standard_normal() for mode in MODES}
    level = {mode: bisect_right(parameters.thresholds, z) for mode, z in strength.items()}
    if not any(level.values()):
        level[max(strength, key=strength.__getitem__)] = 1
    answers: dict[str, Answer] = {f"OM_B01_{mode}": int(n > 0) for mode, n in level.items()}
    for mode, n in level.items():
        answers[f"OM_B02_{mode}"] = Missing.NO_ANSWER if n and rng.random() < parameters.unrated else n
    other = rng.random() < parameters.other_mode
    answers["OM_B01_OTHER"] = int(other)
    if other:
        answers["OM_B01_OTHER_text"] = f"Esimerkkitapa {rng.integers(1, 10)}"
    return answers


def _cannot_say(person: Person) -> Person:
    about_modes = {
        variable: Missing.DONT_KNOW
        for variable in person.answers
        if variable.startswith("OM_B") and variable != "OM_B01_OTHER_text"
    }
    kept = {variable: answer for variable, answer in person.answers.items() if not variable.startswith("OM_B")}
    return replace(person, answers={**kept, **about_modes})


def _typed(parameters: StudyParameters, name: str, rng: np.random.Generator) -> str:
    """Return *name* as someone types it; all the ways are one organisation to whoever folds case and blanks."""
    if rng.random() >= parameters.typing_variation:
        return name
    ways = (str.upper, str.lower, lambda text: text.replace(" ", "  "), lambda text: f" {text} ")
    return ways[int(rng.integers(len(ways)))](name)


def _language(parameters: StudyParameters, region: str, rng: np.random.Generator) -> str:
    if rng.random() < parameters.swedish_regions.get(region, 0.0):
        return "sv"
    return _pick(parameters.languages, rng)


def _start(parameters: StudyParameters, rng: np.random.Generator) -> datetime:
    """Return a working day's moment in the fieldwork, in UTC."""
    first, last = date.fromisoformat(parameters.first_day), date.fromisoformat(parameters.last_day)
    while True:
        day = first + timedelta(days=int(rng.integers((last - first).days + 1)))
        if day.weekday() < 5 and day.isoformat() not in parameters.holidays:
            break
    opens, closes = (8, 16) if rng.random() < parameters.office_hours else (18, 22)
    seconds = int(rng.integers((closes - opens) * 3600))
    at = datetime.combine(day, time(opens), HELSINKI) + timedelta(seconds=seconds)
    return at.astimezone(UTC)


def _pick(mix: Mix, rng: np.random.Generator) -> str:
    cumulated = list(accumulate(mix.values()))
    return list(mix)[bisect_right(cumulated, rng.random() * cumulated[-1])]
