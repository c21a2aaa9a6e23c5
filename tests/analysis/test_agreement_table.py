"""Agreement inside organisations as rows of the estimates: distributions over organisations, and never one of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from analysis import agreement_table
from analysis.answers import MISSING, Frame
from analysis.estimates import COLUMNS, HIDDEN, NOT_ESTIMABLE
from analysis.plan import DERIVED, AgreementSpec, DerivedWording, DesignColumns, Plan, Rules, Score, Validity
from analysis.study import Study
from kysely.codebook import Category, Codebook, Kind, Missing, Variable

LANGUAGES = ("fi", "sv", "en")
MODES = ("PROD", "DEV", "CUST", "PUB")
SCORES = {"NOW": ("CUR", "C", "L"), "WISH": ("DES", "WC", "WL"), "PLAN": ("STR", "SC", "SL")}


def text(word):
    return dict.fromkeys(LANGUAGES, word)


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def codebook():
    levels = tuple(Category(f"L{value}", text(str(value)), value) for value in range(4))
    variables = []
    for name, (_, chosen, level) in SCORES.items():
        for mode in MODES:
            shared = {"question": name, "text": text(name), "label": text(mode), "code": mode}
            variables.append(Variable(f"{chosen}_{mode}", Kind.BINARY, set=chosen, **shared))
            variables.append(Variable(f"{level}_{mode}", Kind.LEVEL, categories=levels, set=level, **shared))
    return Codebook("operating_mode", "full", "1", LANGUAGES, text("Study"), tuple(variables))


def plan(*names, **conflict):
    labels = dict.fromkeys(("COMBO", "NONE", "NO", "YES"), text("word"))
    derived = dict.fromkeys(DERIVED, DerivedWording(text("word"), labels))
    scores = tuple(
        Score(name, text(name), chosen, level, MODES, perspective, derived)
        for name, (perspective, chosen, level) in SCORES.items()
    )
    spec = AgreementSpec(names, conflict) if names else None
    return Plan("operating_mode", "full", DesignColumns(), Validity(), Rules(), (), (), scores=scores, agreement=spec)


def study(people, ours):
    """Return the study of people given as (organisation, levels today, wished, in the strategy); None: no answer."""
    rows = []
    for organisation, *perspectives in people:
        row = {"organisation": organisation}
        given = [*perspectives, *[None] * (3 - len(perspectives))]
        for (_, chosen, level), levels in zip(SCORES.values(), given, strict=True):
            for place, mode in enumerate(MODES):
                value = np.nan if levels is None else levels[place]
                row[f"{chosen}_{mode}"] = np.nan if np.isnan(value) else float(value > 0)
                row[f"{level}_{mode}"] = value
        rows.append(row)
    return Study(Frame(pd.DataFrame(rows), codebook()), ours)


@dataclass(frozen=True, eq=False)
class Told(Frame):
    """Answers that tell why an item is missing: for respondents in *why*, the whole strategy question is."""

    why: Mapping[int, Missing] = field(default_factory=dict)

    def missing(self, name):
        found = super().missing(name).copy()
        for row, kind in self.why.items():
            if name.startswith("SC_"):
                found[row] = MISSING.index(kind)
        return found


def rows(people, *names, **conflict):
    (table,) = agreement_table.tables(study(people, plan(*(names or ("NOW",)), **conflict)))
    assert tuple(table.columns) == COLUMNS
    return table.set_index(["variable", "code", "statistic"]).sort_index()


def of_prod(*organisations):
    """Return people whose levels of PROD are those of *organisations*, and of CUST always 1."""
    return [(f"o{place}", (level, 0, 1, 0)) for place, levels in enumerate(organisations) for level in levels]


def test_the_average_deviation_is_a_mean_over_organisations_with_two_answers():
    ours = rows(of_prod((3, 3), (3, 1), (0, 0), (2, 1), (0, 3), (2,))).loc["NOW", "PROD"]
    assert ours.loc["ad", "estimate"] == pytest.approx((0 + 1 + 0 + 0.5 + 1.5) / 5)
    # t with four degrees of freedom; the five deviations have the standard deviation √.425.
    half = 2.7764451052 * np.sqrt(0.425 / 5)
    assert ours.loc["ad", ["ci_low", "ci_high"]].tolist() == pytest.approx([max(0.6 - half, 0), 0.6 + half])
    assert ours.loc["ad_acceptable", "estimate"] == pytest.approx(3 / 5)  # up to 4/6 of a level
    assert ours.loc["ad", ["base_n", "base_organisations"]].tolist() == [10, 5]


def test_r_wg_is_of_organisations_with_three_answers_and_cut_at_zero():
    three = [(3, 3, 2)] * 4 + [(3, 2, 0)]  # operating_mode.md, 4: r_wg .7333, and −.8667 cut to 0
    ours = rows(of_prod(*three, (1, 3), (0, 3))).loc["NOW", "PROD"]
    assert ours.loc["rwg", "estimate"] == pytest.approx(4 * 0.733333333 / 5)
    assert ours.loc["rwg_raw", "estimate"] == pytest.approx((4 * 0.733333333 - 0.866666667) / 5)
    assert ours.loc["rwg", ["base_n", "base_organisations"]].tolist() == [15, 5]
    assert ours.loc[["two_or_more", "three_or_more"], "estimate"].tolist() == [7, 5]


def test_an_interval_ends_where_the_measure_does():
    ours = rows(of_prod(*[(0, 0, 0)] * 4, (0, 3, 0))).loc["NOW", "PROD"]
    assert ours.loc["ad", "ci_low"] == 0
    assert ours.loc["rwg", "ci_high"] == 1
    assert ours.loc["rwg_raw", "ci_high"] > 1


def test_the_whole_study_is_told_with_how_many_organisations_have_two_and_three_respondents():
    ours = rows(of_prod((3, 3), (3, 1, 1), (0, 0), (2, 1), (0, 3), (2,))).loc["total", "total"]
    assert ours["estimate"].to_dict() == {"two_or_more": 5, "three_or_more": 1}
    assert set(ours["base_organisations"]) == {6}


def test_nothing_is_told_of_fewer_than_five_organisations_but_how_many_there_are():
    ours = rows(of_prod((3, 3), (3, 1), (0, 0), (2, 1), *[(1,)] * 20)).loc["NOW", "PROD"]
    assert ours.loc[["two_or_more", "three_or_more"], "estimate"].tolist() == [4, 0]
    figures = ours.drop(["two_or_more", "three_or_more"])
    assert set(figures.index) == {"ad", "ad_acceptable", "icc1", "icc2", "rwg", "rwg_raw"}
    assert figures[["estimate", "ci_low", "ci_high", "base_weighted"]].isna().all(axis=None)
    assert figures["flag"].isin(HIDDEN).all()


def test_a_study_of_a_few_people_has_rows_without_a_figure():
    ours = rows(of_prod((3, 3), (2,)))
    assert ours["estimate"].isna().all() and ours["flag"].isin(HIDDEN).all()
    assert agreement_table.tables(study(of_prod((3,)), plan())) == ()  # a plan that asks for no agreement


@pytest.mark.parametrize(
    ("organisations", "told"), [(9, []), (10, ["median"]), (19, ["median"]), (20, ["q1", "median", "q3"])]
)
def test_a_quantile_has_five_organisations_on_either_side(organisations, told):
    ours = rows(of_prod(*[(0, place % 4) for place in range(organisations)])).loc["NOW", "PROD"]
    assert [name for name in ("q1", "median", "q3") if f"ad_{name}" in ours.index] == told
    if told:
        assert ours.loc["ad_median", "estimate"] == np.median([place % 4 / 2 for place in range(organisations)])


def test_no_figure_is_that_of_one_organisation(rng):
    people = [(f"o{place}", rng.integers(0, 4, 4)) for place in range(12) for _ in range(2 + place % 2)]
    ours = rows(people)
    assert len(ours) > 30
    assert ours["base_organisations"].min() >= 5


def test_profiles_are_as_far_apart_as_all_pairs_and_a_random_team_as_all_respondents(rng):
    people = [(f"o{place}", rng.integers(0, 4, 4)) for place in range(30) for _ in range(1 + place % 3)]
    shares = {place: levels / levels.sum() for place, (_, levels) in enumerate(people) if levels.sum()}

    def apart(pairs):
        return np.mean([np.abs(shares[a] - shares[b]).sum() / 2 for a, b in pairs])

    inside = [[p for p in shares if people[p][0] == f"o{place}"] for place in range(30)]
    distances = [apart(combinations(members, 2)) for members in inside if len(members) > 1]
    ours = rows(people).loc["NOW", ""]
    assert ours.loc["profile_distance", "estimate"] == pytest.approx(np.mean(distances))
    assert ours.loc["profile_distance_q3", "estimate"] == pytest.approx(np.quantile(distances, 0.75))
    assert ours.loc["low_conflict", "estimate"] == pytest.approx(np.mean(np.array(distances) <= 0.2))
    assert ours.loc["high_conflict", "estimate"] == pytest.approx(np.mean(np.array(distances) >= 0.4))
    assert ours.loc["profile_distance_random", "estimate"] == pytest.approx(apart(combinations(shares, 2)))
    assert ours.loc["profile_distance_random", "base_n"] == len(shares)
    assert ours.loc["two_or_more", "estimate"] == len(distances)


def test_an_unrated_mode_is_in_no_figure_of_its_own_and_in_no_profile():
    people = of_prod(*[(3, 1)] * 6)
    people[0] = ("o0", (np.nan, 0, 1, 0))
    ours = rows(people)
    assert ours.loc[("NOW", "PROD", "ad"), "base_organisations"] == 5
    assert ours.loc[("NOW", "CUST", "ad"), "base_organisations"] == 6
    assert ours.loc[("NOW", "", "profile_distance"), "base_organisations"] == 5


def test_answers_that_are_all_alike_have_no_icc_and_organisations_of_one_mind_the_highest():
    ours = rows(of_prod(*[(level, level) for level in (0, 0, 1, 2, 3, 3)]))
    same = ours.loc[("NOW", "CUST")]
    assert same.loc[["icc1", "icc2"], "estimate"].isna().all()
    assert (same.loc[["icc1", "icc2", "ad"], "flag"] == NOT_ESTIMABLE).all()
    assert ours.loc[("NOW", "PROD", "icc1"), "estimate"] == 1
    assert ours.loc[("NOW", "PROD", "icc1"), "flag"] == NOT_ESTIMABLE


# ---- conflict classes -----------------------------------------------------------------------------------

PROD, CUST = (3, 0, 0, 0), (0, 0, 3, 0)


def alike(name, *perspectives):
    return [(name, *perspectives)] * 3


def classed():
    """Return five organisations of three: aligned, shift, aligned, blurred today and split on the aim, unclear."""
    split = [("d", PROD, PROD, PROD), ("d", CUST, CUST, PROD), ("d", PROD, PROD, PROD)]
    return [
        *alike("a", PROD, PROD, PROD),
        *alike("b", PROD, CUST, CUST),
        *alike("c", CUST, CUST, CUST),
        *split,
        *[("e", PROD, PROD, PROD), ("e", PROD, PROD, CUST), ("e", PROD, PROD, PROD)],
    ]


def test_classes_are_counted_over_organisations_of_three_and_may_hold_together():
    ours = rows([*classed(), ("f", PROD, PROD, PROD), ("f", CUST, CUST, CUST)], "NOW", "WISH", "PLAN").loc["conflict"]
    counts = ours.xs("organisations", level="statistic")["estimate"].to_dict()
    expected = {"ALIGNED": 2, "SHIFT": 1, "BLURRED_NOW": 1, "SPLIT_DIRECTION": 1, "UNCLEAR_STRATEGY": 1, "MIXED": 0}
    assert counts == expected
    assert ours.xs("share", level="statistic")["estimate"].to_dict() == {name: n / 5 for name, n in expected.items()}
    assert ours.loc[("", "two_or_more"), "estimate"] == 6
    assert ours.loc[("", "three_or_more"), "estimate"] == 5


@pytest.mark.parametrize(
    ("kind", "unclear"), [(Missing.DONT_KNOW, 2), (Missing.DOES_NOT_CONCERN, 2), (Missing.NO_ANSWER, 1)]
)
def test_a_strategy_that_takes_no_stand_or_nobody_can_tell_is_unclear_and_one_not_answered_is_not(kind, unclear):
    people = classed()
    people[0], people[1] = ("a", PROD, PROD, None), ("a", PROD, PROD, None)
    whole = study(people, plan("NOW", "WISH", "PLAN"))
    told = Study(Told(whole.answers.table, whole.answers.codebook, {0: kind, 1: kind}), whole.plan)
    (table,) = agreement_table.tables(told)
    ours = table.set_index(["variable", "code", "statistic"])["estimate"]
    assert ours["conflict", "UNCLEAR_STRATEGY", "organisations"] == unclear


def test_the_plan_sets_what_counts_as_conflict():
    # Two of three alike are 2/3 apart: with that allowed, nobody is in conflict.
    ours = rows(classed(), "NOW", "WISH", "PLAN", low=0.7, high=0.9).loc["conflict"]
    counts = ours.xs("organisations", level="statistic")["estimate"].to_dict()
    assert counts["BLURRED_NOW"] == counts["SPLIT_DIRECTION"] == counts["UNCLEAR_STRATEGY"] == 0


def test_classes_of_fewer_than_five_organisations_are_not_told():
    ours = rows(classed()[:12], "NOW", "WISH", "PLAN").loc["conflict"]
    assert ours.loc[("", "three_or_more"), "estimate"] == 4
    assert ours.drop(("", "two_or_more")).drop(("", "three_or_more"))["flag"].isin(HIDDEN).all()


def test_there_are_no_classes_where_only_today_was_asked():
    assert "conflict" not in rows(classed(), "NOW").index.get_level_values("variable")
