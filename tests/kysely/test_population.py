from __future__ import annotations

import json
from collections import Counter
from datetime import date
from functools import cache

import numpy as np
import pytest

from kysely.codebook import Missing
from kysely.population import HELSINKI, MODES, REPRODUCTION, Person, draw, without_combinations, without_differences

# published_claims.md §7: organisations by their number of respondents
PUBLISHED = {1: 207, 2: 42, 3: 14, 4: 4, 5: 1, 6: 1}
COMPANIES = {"COMP", "PUBC", "COOP"}
PUBLIC = {"MUNI", "JMA", "STATE", "OPUB"}


def people(seed: int, parameters=REPRODUCTION) -> tuple[Person, ...]:
    return draw(parameters, np.random.default_rng(seed))


@cache
def without_difference(seed: int) -> list[Person]:
    return valid(people(seed, without_differences()))


def valid(everyone: tuple[Person, ...]) -> list[Person]:
    """Return those whose role is known and who named at least one way of operating."""
    return [
        person
        for person in everyone
        if isinstance(person.answers.get("BG01"), str)
        and any(person.answers[f"OM_B01_{mode}"] == 1 for mode in (*MODES, "OTHER"))
    ]


@pytest.mark.parametrize("seed", [1, 2, 2015])
def test_360_leaders_of_269_organisations_answer_and_302_of_them_are_top_managers(seed):
    respondents = valid(people(seed))
    by_organisation = Counter(person.organisation.number for person in respondents)
    assert len(respondents) == 360
    assert len(by_organisation) == 269
    assert Counter(by_organisation.values()) == PUBLISHED
    roles = Counter(person.answers["BG01"] for person in respondents)
    assert roles["TOP"] == 302
    assert roles["MID"] + roles["CTRL"] + roles["EXP"] == 58


def test_a_few_colleagues_cannot_say_and_none_of_them_is_a_valid_respondent():
    everyone = people(2015)
    unsure = [person for person in everyone if person.answers["OM_B01_CUST"] is Missing.DONT_KNOW]
    assert len(unsure) == REPRODUCTION.cannot_say == len(everyone) - 360
    organisations = {person.organisation.number for person in valid(everyone)}
    assert all(person.organisation.number in organisations for person in unsure)


def test_they_answer_in_spring_2015_on_working_days_in_finland():
    for person in people(2015):
        local = person.starts.astimezone(HELSINKI)
        assert date(2015, 3, 1) <= local.date() <= date(2015, 5, 31)
        assert local.weekday() < 5
        assert local.date().isoformat() not in {"2015-04-03", "2015-04-06", "2015-05-01", "2015-05-14"}
        assert 8 <= local.hour < 22
    assert sum(p.starts.astimezone(HELSINKI).hour < 16 for p in people(2015)) > 0.75 * 360


def test_only_companies_and_public_organisations_of_2015_take_part():
    types = {person.organisation.type for person in people(2015)}
    assert types <= COMPANIES | PUBLIC
    assert types & COMPANIES and types & PUBLIC


def test_no_organisation_could_be_mistaken_for_a_real_one():
    for person in people(3):
        assert person.organisation.name.startswith("Esimerkki")
        assert person.organisation.municipality.startswith("Esimerkki")
    assert len({person.organisation.name for person in people(3)}) == 269


def test_however_a_name_is_typed_case_and_blanks_folded_it_is_the_organisation_s():
    typed = {(" ".join(p.typed_name.split()).casefold(), p.organisation.name.casefold()) for p in people(4)}
    assert all(folded == name for folded, name in typed)
    assert any(p.typed_name != p.organisation.name for p in people(4))


def test_what_is_chosen_has_a_level_of_1_to_3_or_none_and_what_is_not_has_0():
    for person in valid(people(5)):
        for mode in MODES:
            chosen, level = person.answers[f"OM_B01_{mode}"], person.answers[f"OM_B02_{mode}"]
            assert level in (1, 2, 3, Missing.NO_ANSWER) if chosen else level == 0


def test_some_background_questions_are_skipped_but_never_role_and_type_of_organisation():
    everyone = people(6)
    assert all("BG01" in person.answers and "BG10" in person.answers for person in everyone)
    assert 0 < sum("BG06" not in person.answers for person in everyone) < 0.05 * len(everyone)


def test_the_same_seed_gives_the_same_people_and_another_seed_others():
    assert people(2015) == people(2015)
    assert people(2015) != people(2016)


def test_the_parameters_can_be_printed_whole():
    assert json.loads(json.dumps(REPRODUCTION.as_note()))["top_managers"] == 302


def shares(respondents: list[Person], level: int) -> np.ndarray:
    """Return per mode the share of respondents who give it at least *level*, unrated ones left out."""
    levels = np.array([[_number(person.answers[f"OM_B02_{mode}"]) for mode in MODES] for person in respondents])
    return np.nanmean(np.where(np.isnan(levels), np.nan, levels >= level), axis=0)


def _number(answer) -> float:
    return np.nan if isinstance(answer, Missing) else float(answer)


def test_customer_service_comes_first_and_development_second_with_every_seed():
    for seed in range(2000, 2030):
        central = dict(zip(MODES, shares(valid(people(seed)), 3), strict=True))
        assert sorted(central, key=central.__getitem__, reverse=True)[:2] == ["CUST", "DEV"]
        assert central["DEV"] >= 0.25


def test_colleagues_agree_more_than_strangers():
    # ICC(1) of the latent strength is 0.6² / (0.6² + 0.8²) = 0.36; rounding to levels takes some of it off.
    assert 0.15 < np.mean([intraclass(without_difference(seed), mode) for seed in range(40) for mode in MODES]) < 0.36


def intraclass(respondents: list[Person], mode: str) -> float:
    """Return ICC(1) of a mode being chosen: (MSB − MSW) / (MSB + (k0 − 1) MSW), DOMAIN.md §d."""
    groups: dict[int, list[float]] = {}
    for person in respondents:
        groups.setdefault(person.organisation.number, []).append(_number(person.answers[f"OM_B01_{mode}"]))
    sizes = np.array([len(group) for group in groups.values()])
    everyone = np.concatenate([np.array(group) for group in groups.values()])
    between = sum(len(group) * (np.mean(group) - everyone.mean()) ** 2 for group in groups.values())
    within = sum(((np.array(group) - np.mean(group)) ** 2).sum() for group in groups.values())
    msb, msw = between / (len(groups) - 1), within / (len(everyone) - len(groups))
    k0 = (len(everyone) - (sizes**2).sum() / len(everyone)) / (len(groups) - 1)
    return float((msb - msw) / (msb + (k0 - 1) * msw))


def test_in_the_world_without_differences_every_mode_leads_equally_often():
    draws = 200
    first = Counter(MODES[int(np.argmax(shares(without_difference(seed), 3)))] for seed in range(draws))
    # Each leads 50 times of 200, with a standard deviation of sqrt(200 · 1/4 · 3/4) = 6.1; ties go to the first.
    assert all(25 <= first[mode] <= 78 for mode in MODES)


def test_the_world_without_combinations_stands_on_the_limits_of_the_claims_about_combinations():
    combining, two_central = [], []
    for seed in range(100):
        respondents = valid(people(seed, without_combinations()))
        several = {
            p.organisation.number for p in respondents if sum(p.answers[f"OM_B01_{mode}"] for mode in MODES) >= 2
        }
        combining.append(len(several) / 269)
        two_central.append(np.mean([sum(p.answers[f"OM_B02_{mode}"] == 3 for mode in MODES) >= 2 for p in respondents]))
    # PC22: 50 % of organisations; PC23: 5 % of respondents
    assert np.mean(combining) == pytest.approx(0.50, abs=0.01)
    assert np.mean(two_central) == pytest.approx(0.05, abs=0.005)


def test_in_the_world_without_differences_companies_and_public_organisations_are_alike():
    company, public = [], []
    for seed in range(100):
        respondents = without_difference(seed)
        company.append(shares([p for p in respondents if p.organisation.type in COMPANIES], 3))
        public.append(shares([p for p in respondents if p.organisation.type in PUBLIC], 3))
    assert np.mean(company, axis=0) == pytest.approx(np.mean(public, axis=0), abs=0.015)
