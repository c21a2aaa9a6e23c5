"""No hidden group can be worked out from the shown ones, tried by an attacker who shares no code with the rule."""

from __future__ import annotations

import os
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest

from analysis import disclosure
from analysis.disclosure import COMPLEMENTARY, RESPONDENTS, SHOWN, SUPPRESSED

SURVEYS = 2000 if os.environ.get("KYSELY_LONG") else 25


def judged(banners, organisation, *, weights=(), complementary=True, answered=None, least=RESPONDENTS):
    """Return verdicts on the groups of nested or crossing *banners*, each a list of labels, the total first."""
    groups = [np.ones(len(organisation), bool)]
    groups += [np.array(banner) == label for banner in banners for label in sorted(set(banner))]
    member = np.array(groups)
    measures = [np.ones(len(organisation)), *weights]
    both = np.concatenate([member] * len(measures))
    measure = np.repeat(range(len(measures)), len(member))
    judge = disclosure.Judge(both, measure, measures, np.array(organisation), least=least, complementary=complementary)
    answered = np.ones(len(organisation), bool) if answered is None else answered
    return both & answered, measure, measures, judge.verdicts(answered)


# ---- the attacker: exact arithmetic over single respondents -------------------------------------------


def null_space(rows: list[list[Fraction]], width: int) -> list[list[Fraction]]:
    """Return a basis of the vectors that every row is orthogonal to, by elimination over fractions."""
    rows, pivots = [list(row) for row in rows], []
    for column in range(width):
        pivot = next((i for i in range(len(pivots), len(rows)) if rows[i][column]), None)
        if pivot is None:
            continue
        rows[len(pivots)], rows[pivot] = rows[pivot], rows[len(pivots)]
        head = rows[len(pivots)]
        head[:] = [value / head[column] for value in head]
        for i, row in enumerate(rows):
            if i != len(pivots) and row[column]:
                factor = row[column]
                row[:] = [a - factor * b for a, b in zip(row, head, strict=True)]
        pivots.append(column)
    basis = []
    for free in (column for column in range(width) if column not in pivots):
        vector = [Fraction(0)] * width
        vector[free] = Fraction(1)
        for row, column in zip(rows, pivots, strict=False):
            vector[column] = -row[free]
        basis.append(vector)
    return basis


def worked_out(both, measure, measures, verdict, organisation, least=RESPONDENTS) -> set[tuple[int, ...]]:
    """Return the sets of too few respondents, or of too few organisations, whose sum the shown figures determine."""
    n = both.shape[1]
    exact = [[Fraction(value).limit_denominator(100) for value in weights] for weights in measures]
    rows = [
        [exact[measure[g]][i] if both[g, i] else Fraction(0) for i in range(n)]
        for g in np.flatnonzero(verdict == SHOWN)
    ]
    if not rows:
        return set()
    hidden = null_space(rows, n)
    scaled = np.array([[float(value) for value in vector] for vector in hidden]).reshape(-1, n)
    few = [chosen for size in range(1, least) for chosen in combinations(range(n), size)]
    for pair in combinations(sorted(set(organisation)), 2):
        members = [i for i in range(n) if organisation[i] in pair]
        few += [chosen for size in range(least, len(members) + 1) for chosen in combinations(members, size)]
    found = set()
    for weights in exact:
        for chosen in few:
            # A first look in floating point, the verdict over fractions.
            guess = scaled[:, chosen] @ np.array([float(weights[i]) for i in chosen])
            if np.abs(guess).max(initial=0) < 1e-9 and all(
                sum(vector[i] * weights[i] for i in chosen) == 0 for vector in hidden
            ):
                found.add(chosen)
    return found


def survey(seed: int):
    """Return a small random survey: nested organisation types, roles, sizes that follow the type, and organisations."""
    rng = np.random.default_rng(seed)
    sizes = rng.choice([1, 1, 1, 2, 3], rng.integers(6, 13))
    organisation = np.repeat(np.arange(len(sizes)), sizes)
    n = len(organisation)
    fine = rng.choice(5, len(sizes), p=rng.dirichlet(np.ones(5)))[organisation]
    coarse = np.array([0, 0, 1, 1, 2])[fine]
    role = rng.choice(3, n, p=[0.6, 0.25, 0.15])
    size = np.where(rng.random(n) < 0.7, fine // 2, rng.integers(0, 3, n))
    per_organisation = 1 / np.bincount(organisation)[organisation]
    # To the population: organisations of a size stand for half, as or twice as many as there are.
    weighted = np.array([0.5, 1, 2])[size]
    return [coarse, fine, role, size], organisation, [per_organisation, weighted]


@pytest.mark.parametrize("measures", [1, 2, 3])
def test_an_independent_attacker_works_out_no_small_group_of_any_survey(measures):
    for seed in range(SURVEYS):
        banners, organisation, weights = survey(seed)
        found = judged(banners, organisation, weights=weights[: measures - 1])
        assert worked_out(*found, organisation) == set(), f"survey {seed}"


def test_the_attacker_finds_nothing_either_where_some_skipped_the_question():
    for seed in range(SURVEYS):
        banners, organisation, weights = survey(seed)
        answered = np.random.default_rng(seed).random(len(organisation)) < 0.85
        found = judged(banners, organisation, weights=weights, answered=answered)
        assert worked_out(*found, organisation) == set(), f"survey {seed}"


@pytest.mark.parametrize("measures", [1, 2, 3])
def test_without_the_complementary_step_the_attacker_succeeds(measures):
    broken = 0
    for seed in range(SURVEYS):
        banners, organisation, weights = survey(seed)
        found = judged(banners, organisation, weights=weights[: measures - 1], complementary=False)
        broken += bool(worked_out(*found, organisation))
    assert broken > SURVEYS / 4


@pytest.mark.parametrize("measures", [1, 2, 3])
def test_nor_does_he_where_larger_groups_were_promised(measures):
    for seed in range(SURVEYS // 4):
        banners, organisation, weights = survey(seed)
        found = judged(banners, organisation, weights=weights[: measures - 1], least=7)
        n = found[0].sum(axis=1)
        assert (found[3][(n > 0) & (n < 7)] == SUPPRESSED).all()
        assert worked_out(*found, organisation, 7) == set(), f"survey {seed}"


def test_a_search_that_finds_no_end_hides_more_rather_than_less(monkeypatch):
    monkeypatch.setattr(disclosure, "_NODES", 0)
    banners, organisation, weights = survey(3)
    found = judged(banners, organisation, weights=weights, least=7)
    assert worked_out(*found, organisation, 7) == set()


def test_a_hidden_type_takes_the_smallest_type_of_its_main_group_with_it():
    # 2 co-operatives: companies - private - state-owned would give them, so state-owned ones are hidden too.
    fine = ["COMP"] * 20 + ["PUBC"] * 6 + ["COOP"] * 2 + ["MUNI"] * 12
    coarse = ["company"] * 28 + ["public"] * 12
    _, _, _, verdict = judged([coarse, fine], np.arange(40))
    named = dict(zip(["total", "company", "public", "COMP", "COOP", "MUNI", "PUBC"], verdict, strict=True))
    assert named == {
        "total": SHOWN,
        "company": SHOWN,
        "public": SHOWN,
        "COMP": SHOWN,
        "COOP": SUPPRESSED,
        "MUNI": SHOWN,
        "PUBC": COMPLEMENTARY,
    }


def test_two_hidden_groups_that_are_too_small_together_absorb_a_third():
    group = ["A"] * 30 + ["B"] * 8 + ["C"] * 2 + ["D"] * 2
    _, _, _, verdict = judged([group], np.arange(42))
    assert verdict.tolist() == [SHOWN, SHOWN, COMPLEMENTARY, SUPPRESSED, SUPPRESSED]


def test_hidden_groups_that_are_large_enough_together_need_no_company():
    group = ["A"] * 30 + ["B"] * 8 + ["C"] * 3 + ["D"] * 3
    _, _, _, verdict = judged([group], np.arange(44))
    assert verdict.tolist() == [SHOWN, SHOWN, SHOWN, SUPPRESSED, SUPPRESSED]


def test_five_leaders_of_two_organisations_are_too_few_organisations():
    group = ["A"] * 20 + ["B"] * 8 + ["C"] * 5
    organisation = np.concatenate([np.arange(20), np.arange(20, 28), [28, 28, 28, 29, 29]])
    _, _, _, verdict = judged([group], organisation)
    assert verdict.tolist() == [SHOWN, SHOWN, COMPLEMENTARY, SUPPRESSED]


def test_a_share_per_organisation_beside_the_share_per_respondent_gives_away_a_pair_of_colleagues():
    # Five organisations with one leader and one with two: the two shares differ by what the two colleagues said.
    organisation = np.array([0, 1, 2, 3, 4, 5, 5])
    weights = np.array([1, 1, 1, 1, 1, 0.5, 0.5])
    _, measure, _, verdict = judged([], organisation, weights=[weights])
    assert verdict[measure == 0].tolist() == [SHOWN]
    assert verdict[measure == 1].tolist() == [COMPLEMENTARY]


def test_a_single_respondent_is_hidden_everywhere():
    _, _, _, verdict = judged([["company"], ["COMP"], ["TOP"]], np.array([0]), weights=[np.ones(1)])
    assert set(verdict.tolist()) == {SUPPRESSED}


def test_verdicts_do_not_change_from_run_to_run():
    banners, organisation, weights = survey(7)
    first, second = (judged(banners, organisation, weights=weights)[3] for _ in range(2))
    assert np.array_equal(first, second)
