"""What may be shown where only counts are known."""

from __future__ import annotations

import numpy as np

from analysis.disclosure import COMPLEMENTARY, SHOWN, SUPPRESSED
from analysis.disclosure_by_counts import together, verdicts
from analysis.engines import MEMBERS, Bases


def bases(*groups: dict[int, int], rest: dict[int, int] | None = None) -> Bases:
    """Return bases from organisations by their size, group by group: {1: 20, 2: 5} is 30 people of 25 organisations."""
    organisations = np.zeros((len(groups) + 1, MEMBERS), np.int64)
    for row, group in enumerate((*groups, rest or {})):
        for size, count in group.items():
            organisations[row, size - 1] = count
    return Bases(organisations * np.arange(1, MEMBERS + 1), organisations)


def told(found: Bases, estimand: str = "respondent") -> list[int]:
    return verdicts(found, estimand, least=5).tolist()


def test_groups_that_are_large_enough_are_shown():
    assert told(bases({1: 20}, {1: 30})) == told(bases({1: 20}, {1: 30}), "organisation") == [SHOWN, SHOWN]


def test_a_group_too_small_hides_its_whole_banner():
    for small in ({1: 4}, {4: 2}):  # too few people; enough people of too few organisations
        assert told(bases({1: 20}, small, {1: 30})) == [COMPLEMENTARY, SUPPRESSED, COMPLEMENTARY]


def test_where_larger_groups_were_promised_they_are_kept():
    found = bases({1: 20}, {1: 6}, {1: 30})
    assert told(found) == [SHOWN, SHOWN, SHOWN]
    assert verdicts(found, "respondent", least=7).tolist() == [COMPLEMENTARY, SUPPRESSED, COMPLEMENTARY]


def test_an_empty_group_gives_nothing_away():
    assert told(bases({1: 20}, {}, {1: 30})) == [SHOWN, SUPPRESSED, SHOWN]


def test_a_few_people_without_a_group_could_be_subtracted_from_the_total():
    assert told(bases({1: 20}, {1: 30}, rest={1: 2})) == [COMPLEMENTARY, COMPLEMENTARY]
    assert told(bases({1: 20}, {1: 30}, rest={1: 5})) == [SHOWN, SHOWN]


def test_shares_per_organisation_would_give_away_the_one_with_two_respondents():
    # Both shares of 20 lone leaders and of one pair differ by nothing but the pair.
    found = bases({1: 20, 2: 1}, {1: 30})
    assert told(found) == [SHOWN, SHOWN]
    assert told(found, "organisation") == [COMPLEMENTARY, COMPLEMENTARY]
    assert told(bases({1: 20, 2: 3}, {1: 30}), "organisation") == [SHOWN, SHOWN]
    assert told(bases({1: 2, 2: 30}, {1: 30}), "organisation") == [COMPLEMENTARY, COMPLEMENTARY]


def test_what_is_hidden_of_everybody_is_hidden_of_those_who_answered():
    found = together(np.array([SHOWN, SHOWN, SUPPRESSED]), np.array([SHOWN, COMPLEMENTARY, SHOWN]))
    assert found.tolist() == [SHOWN, COMPLEMENTARY, SUPPRESSED]
