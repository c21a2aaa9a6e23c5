"""Outcome rates of persons, organisations and teams: what each level counts, invariants, bad input."""

import numpy as np
import pytest

from analysis.outcome_rates import DISPOSITIONS, OUTCOMES, RATES, SILENT, Counts, OutcomeError, outcome_rates, rates

ANSWERED = {"C": "I", "P": "P", "r": "R_explicit", "b": "R_breakoff", "n": "NC_nothing_opened", "o": "O_away"}
LETTER = {**ANSWERED, "u": "U_bounce", "s": SILENT, "x": "NE_left"}


def cases(**organisations):
    """Return dispositions and organisations from a letter a person: A="CCn"."""
    disposition = [LETTER[letter] for letters in organisations.values() for letter in letters]
    organisation = [name for name, letters in organisations.items() for _ in letters]
    return disposition, organisation


def counted(counts):
    """Return the counts as letters: {"I": 2, …} without the zeros."""
    values = vars(counts).values()
    return {outcome: count for outcome, count in zip(OUTCOMES, values, strict=True) if count}


def test_every_disposition_has_an_outcome_that_its_name_begins_with():
    assert set(DISPOSITIONS.values()) == set(OUTCOMES)
    assert all(code.split("_")[0] == outcome for code, outcome in DISPOSITIONS.items())


def test_rates_with_partials_are_never_below_those_without_and_grow_as_fewer_unknowns_count():
    rng = np.random.default_rng(6)
    for _ in range(200):
        found = rates(Counts(*rng.integers(1, 50, 7).tolist())).rate
        assert found["RR1"] <= found["RR3"] <= found["RR5"]
        assert found["RR2"] <= found["RR4"] <= found["RR6"]
        assert all(found[f"RR{k}"] <= found[f"RR{k + 1}"] for k in (1, 3, 5))
        assert found["COOP1"] <= found["COOP2"] <= found["COOP4"]
        assert found["CON1"] <= found["CON2"] <= found["CON3"]
        assert found["REF1"] <= found["REF2"] <= found["REF3"]
        assert all(0 <= found[name] <= 1 for name in RATES)


def test_people_who_are_known_to_be_ineligible_change_only_what_is_guessed_of_the_unknown():
    few, many = (rates(Counts(10, 2, 3, 4, 1, 20, ineligible)).rate for ineligible in (0, 40))
    assert few["RR1"] == many["RR1"]
    assert few["RR5"] == many["RR5"]
    assert few["RR3"] < many["RR3"]


def test_an_organisation_is_as_good_as_the_best_known_of_its_people():
    ours = outcome_rates(*cases(A="Cnn", B="Pr", C="rou", D="on", E="nux", F="us", G="xx", H="ux"))
    assert counted(ours.organisation.counts) == {"I": 1, "P": 1, "R": 1, "O": 1, "NC": 1, "U": 2, "NE": 1}
    assert ours.person.counts.total == 19
    assert ours.organisation.rate["RR1"] == 1 / 7
    assert ours.organisation.e == 5 / 6


@pytest.mark.parametrize(
    ("people", "outcome"),
    [
        ("CCC", "I"),
        ("CCCnnx", "I"),
        ("CCP", "P"),
        ("CPP", "P"),
        ("CCr", "R"),
        ("CCb", "R"),
        ("CCno", "O"),
        ("CCn", "NC"),
        ("CCu", "U"),  # whether there was a third leader to ask isn't known
        ("CCux", "U"),
        ("CCx", "NE"),  # there were two leaders
        ("uuu", "U"),
        ("nnn", "NC"),
        ("xxx", "NE"),
        ("CC", None),
        ("n", None),
    ],
)
def test_a_team_is_an_organisation_of_which_three_were_invited(people, outcome):
    ours = outcome_rates(*cases(A=people, B="CCC"))
    expected = {"I": 1} if outcome is None else {"I": 2} if outcome == "I" else {"I": 1, outcome: 1}
    assert counted(ours.team.counts) == expected


def test_teams_are_counted_among_organisations_invited_with_three():
    ours = outcome_rates(*cases(A="CCC", B="CCn", C="nnn", D="C", E="CC"))
    assert ours.team.rate["RR1"] == pytest.approx(1 / 3)
    assert ours.organisation.rate["RR1"] == pytest.approx(4 / 5)
    assert ours.person.rate["RR1"] == pytest.approx(8 / 12)
    pairs = outcome_rates(*cases(A="CCC", B="CCn", C="nnn", D="C", E="CC"), team=2)
    assert pairs.team.rate["RR1"] == pytest.approx(3 / 4)


def test_teams_may_be_named_and_are_then_counted_for_organisations():
    disposition, organisation = cases(A="CCCnn", B="CCn", C="nnn")
    teams = ["a1", "a1", "a1", "a2", None, "b", "b", "b", "c", "c", np.nan]
    ours = outcome_rates(disposition, organisation, teams=teams)
    assert counted(ours.team.counts) == {"I": 1, "NC": 1}  # a1 and b; a2 and c were not invited with three
    assert counted(ours.organisation.counts) == {"I": 2, "NC": 1}
    everybody = outcome_rates(disposition, organisation, teams=organisation)
    assert everybody.team == outcome_rates(disposition, organisation).team


def test_where_no_organisation_was_invited_with_three_there_is_no_rate_of_teams():
    ours = outcome_rates(*cases(A="CC", B="n"))
    assert ours.team.counts.total == 0
    assert set(ours.team.rate.values()) == {None}


def test_silence_of_a_person_in_post_is_a_non_contact_and_otherwise_says_nothing():
    disposition, organisation = cases(A="Css", B="s")
    strict = outcome_rates(disposition, organisation)
    assert counted(strict.person.counts) == {"I": 1, "U": 3}
    assert (strict.silent, strict.silent_in_post) == (3, 0)
    known = outcome_rates(disposition, organisation, in_post=np.array([True, True, False, False]))
    assert counted(known.person.counts) == {"I": 1, "NC": 1, "U": 2}
    assert (known.silent, known.silent_in_post) == (3, 1)


def test_who_came_by_open_link_is_in_no_rate_and_told_apart():
    disposition, organisation = cases(A="Cn", B="CPb")
    invited = np.array([True, True, False, False, False])
    ours = outcome_rates(disposition, organisation, invited=invited)
    assert counted(ours.person.counts) == {"I": 1, "NC": 1}
    assert counted(ours.organisation.counts) == {"I": 1}
    there = ours.participation
    assert (there.complete, there.partial, there.break_off, there.organisations) == (1, 1, 1, 1)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda: rates(Counts()), "no case was eligible"),
        (lambda: rates(Counts(ineligible=5)), "no case was eligible"),
        (lambda: rates(Counts(complete=5), e=1.2), "eligible share of 1.2"),
        (lambda: Counts(complete=-1), "-1 cases are complete"),
        (lambda: Counts(partial=0.5), "0.5 cases are partial"),
        (lambda: outcome_rates(["I", "done"], ["A", "B"]), "done are no dispositions"),
        (lambda: outcome_rates(["I", None], ["A", "B"]), "None are no dispositions"),
        (lambda: outcome_rates(["I", "I"], ["A"]), "organisations have shape"),
        (lambda: outcome_rates(["I", "I"], ["A", None]), "a case has no organisation"),
        (lambda: outcome_rates([["I"]], ["A"]), "dispositions have shape"),
        (lambda: outcome_rates([], []), "nobody was invited"),
        (lambda: outcome_rates(["I"], ["A"], invited=np.array([False])), "nobody was invited"),
        (lambda: outcome_rates(["I"], ["A"], invited=[1]), "invited is true or false"),
        (lambda: outcome_rates(["I"], ["A"], in_post=["yes"]), "in_post is true or false"),
        (lambda: outcome_rates(["I"], ["A"], team=1), "two members at least"),
        (lambda: outcome_rates(["I"], ["A"], teams=["a", "b"]), "teams have shape"),
        (lambda: outcome_rates(["NE_left", "NE_left"], ["A", "B"]), "no case was eligible"),
        (
            lambda: outcome_rates(["I", "U_bounce"], ["A", "B"], invited=np.array([True, False])),
            "not invited has a disposition of an invitation",
        ),
    ],
)
def test_what_is_wrong_is_said(wrong, says):
    with pytest.raises(OutcomeError, match=says):
        wrong()
