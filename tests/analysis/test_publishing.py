"""What may become public: each rule by a table that can be followed by hand, and all of them against an attacker."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, replace
from itertools import combinations

import numpy as np
import pytest

from analysis import publishing
from analysis.publishable import (
    Amount,
    Level,
    Participation,
    PublishingError,
    Rules,
    Scale,
    Shares,
    band,
    percent,
    quote,
)
from analysis.publishing import Classification, Override, Responses, Snapshot
from analysis.refusals import OTHER, Refusal
from tests.analysis import _attacker

SURVEYS, PUBLICATIONS = (5000, 20) if os.environ.get("KYSELY_LONG") else (4, 6)


def people(n, dataset="1", begin=0, organisation=None):
    ids = [f"r{i}" for i in range(begin, begin + n)]
    return Responses(dataset, tuple(ids), tuple(organisation or (f"o{i}" for i in ids)))


def by(name, **sizes):
    """Return a classification with groups of these sizes, in this order."""
    return Classification(name, np.repeat(np.arange(len(sizes)), list(sizes.values())), tuple(sizes))


def answers(*counts, name="Q", **more):
    """Return a question that each group answers so often with A, B …: answers([6, 4], [5, 5])."""
    codes = np.concatenate([np.repeat(np.arange(len(group)), group) for group in counts])
    return Shares(name, codes, tuple("ABCDEFG"[: len(counts[0])]), **more)


def published(question, classification=None, earlier=(), responses=None, *, rules=None, override=None):
    """Return the snapshot and its entry in the ledger, or the refusal."""
    responses = responses or people(len(question.valid))
    return publishing.decide(responses, question, classification, list(earlier), rules=rules, override=override)


def shown(question, classification=None, **more):
    decided = published(question, classification, **more)
    assert not isinstance(decided, Refusal), decided
    return decided[0]


# ---- all rules against the attacker ---------------------------------------------------------------------


def survey(seed, publications, rules, *, only=None, like=None):
    """Return what a random survey publishes of one question, and the organisation of everybody.

    The classifications are a fine one, one or two that unite its groups, one that crosses them and one that parts
    a single group from the rest; between publications some respondents come and a few go. In every other survey
    those of a group answer much alike (*like* makes it all). *only* one classification is refreshed again and again.
    """
    rng = np.random.default_rng(seed)
    pool = 400
    firm = [f"o{i}" for i in rng.integers(0, 250, pool)]
    fine = rng.choice(6, pool, p=rng.dirichlet(np.full(6, 2.0)))
    coarse = rng.integers(0, 3, 6)[fine]
    crossing = np.where(rng.random(pool) < 0.85, fine // 2, rng.integers(0, 3, pool))
    single = (fine == rng.integers(0, 6)).astype(int)
    shifted = np.where(rng.random(pool) < 0.97, coarse, 2 - coarse)
    kinds = {"fine": fine, "coarse": coarse, "crossing": crossing, "single": single, "shifted": shifted}
    chances = rng.dirichlet(np.full(4, 0.15 if seed % 2 or like else 1.0), 6)
    codes = np.array([rng.choice(4, p=chances[f]) for f in fine])
    inside = rng.random(pool) < rng.uniform(0.15, 0.5)
    earlier, seen, refused = [], [], []
    for number in range(publications):
        if rng.random() < 0.4:
            inside = inside ^ (rng.random(pool) < rng.choice([0.005, 0.01, 0.1]))
        rows = np.flatnonzero(inside)
        ids = tuple(f"r{i}" for i in rows)
        responses = Responses(f"{number}", ids, tuple(firm[i] for i in rows))
        question = Shares("Q", codes[rows], tuple("ABCD"), (Level(("AB", "CD"), (0, 0, 1, 1)),))
        name = only or rng.choice(list(kinds))
        classification = Classification(name, kinds[name][rows], tuple(f"{name}{g}" for g in range(6)))
        decided = published(question, classification, earlier, responses, rules=rules)
        if isinstance(decided, Refusal):
            refused.append(decided)
            continue
        snapshot, entry = decided
        earlier.append(entry)
        seen += read(snapshot, entry, question)
    return seen, dict(zip((f"r{i}" for i in range(pool)), firm, strict=True)), refused


def read(snapshot, entry, question):
    level = [question.labels(level) for level in range(question.levels)].index(snapshot.categories)
    of = question.of(level)
    categories = {label: [c for c in range(len(of)) if of[c] == at] for at, label in enumerate(snapshot.categories)}
    rows = (snapshot.total, *snapshot.groups)
    return [
        _attacker.Seen(base.members, row.group is not None, row.figures, categories)
        for base, row in zip(entry.bases, rows, strict=True)
    ]


def broken(seen, firm):
    return [
        *_attacker.by_subtraction(seen, firm),
        *_attacker.by_rank(seen, firm),
        *_attacker.by_bounds(seen, firm, 4),
    ]


def test_an_independent_attacker_learns_nothing_about_few_people_from_any_series_of_publications():
    breakdowns = refusals = 0
    for seed in range(SURVEYS):
        seen, firm, refused = survey(seed, PUBLICATIONS, Rules())
        assert not seen or broken(seen, firm) == [], f"survey {seed}"
        breakdowns += sum(row.breakdown for row in seen)
        refusals += len(refused)
    assert breakdowns > 2 * SURVEYS and refusals > 0


@pytest.mark.parametrize(
    ("switch", "seeds", "publications", "more"),
    [
        ("categories", (2, 4), 1, {}),
        ("one_sided", (2, 4), 1, {"like": True}),
        ("differencing", (1, 2), 5, {}),
        ("refresh", (7, 8), 6, {"only": "coarse"}),
    ],
)
def test_without_one_of_the_rules_the_attacker_succeeds(switch, seeds, publications, more):
    for seed in seeds:
        seen, firm, _ = survey(seed, publications, Rules(**{switch: False}), **more)
        assert broken(seen, firm), f"survey {seed}"
        seen, firm, _ = survey(seed, publications, Rules(), **more)
        assert not seen or not broken(seen, firm), f"survey {seed}"


def test_without_pooling_a_single_table_gives_its_hidden_groups_away():
    # The ledger would see this too, so it is switched off on both sides.
    for seed in (6, 7):
        seen, firm, _ = survey(seed, 1, Rules(pooling=False, differencing=False))
        assert broken(seen, firm)
        seen, firm, _ = survey(seed, 1, Rules(differencing=False))
        assert not broken(seen, firm)


# ---- the rules, one by one ------------------------------------------------------------------------------


def test_nine_respondents_are_too_few_and_so_are_ten_of_two_organisations():
    assert published(answers([5, 4])).reasons[0].rule == "2"
    two = people(10, organisation=["a"] * 5 + ["b"] * 5)
    assert published(answers([5, 5]), responses=two).reasons[0].rule == "2"
    assert shown(answers([5, 5])).total.figures[0].value == 50


def test_a_small_group_is_pooled_with_the_smallest_large_ones_until_the_pool_is_large_enough():
    # 4 are too few; with the next smallest, 12, they are 16 others. Nothing is left to subtract.
    snapshot = shown(answers([20, 20], [6, 6], [15, 15], [2, 2]), by("type", A=40, B=12, C=30, D=4))
    assert [(row.group, row.n_low, row.n_high) for row in snapshot.groups] == [
        ("A", 30, 49),
        ("C", 30, 49),
        (OTHER, 10, 19),
    ]
    assert snapshot.notes == ("pooled:OTHER",)


def test_two_groups_of_which_one_is_small_give_no_breakdown():
    snapshot = shown(answers([20, 20], [4, 4]), by("type", A=40, B=8))
    assert snapshot.groups == () and snapshot.notes == ("no_breakdown",) and snapshot.classification is None


def test_respondents_of_no_group_are_pooled_like_a_small_group():
    codes = np.array([0] * 20 + [1] * 20 + [-1] * 5 + [2] * 20)
    snapshot = shown(answers([10, 10], [10, 10], [2, 3], [10, 10]), Classification("type", codes, ("A", "B", "C")))
    assert OTHER in [row.group for row in snapshot.groups]


def test_a_merge_along_the_hierarchy_is_tested_like_any_other_partition():
    fine = replace(by("type", A=20, B=20, C=6, D=20), parents={"C": "company", "D": "company"})
    counts = answers([10, 10], [10, 10], [3, 3], [10, 10])
    assert [row.group for row in shown(counts, fine.merged("C", "D")).groups] == ["A", "B", "D"]
    assert [row.group for row in shown(counts, fine.merged("C", "company")).groups] == ["A", "B", "company"]
    with pytest.raises(PublishingError, match="does not let C be merged into A"):
        fine.merged("C", "A")


def test_a_category_of_two_in_a_group_collapses_the_question_for_all_groups():
    coarse = Level(("AB", "CD"), (0, 0, 1, 1))
    question = answers([8, 2, 5, 5], [5, 5, 5, 5], collapse=(coarse,))
    snapshot = shown(question, by("type", A=20, B=20))
    assert snapshot.categories == ("AB", "CD")
    assert [figure.value for figure in snapshot.groups[0].figures] == [50, 50]


def test_a_group_whose_categories_stay_small_joins_the_pool():
    snapshot = shown(answers([10, 10], [18, 2], [10, 10], [10, 10]), by("type", A=20, B=20, C=20, D=20))
    assert OTHER in [row.group for row in snapshot.groups] and "B" not in [row.group for row in snapshot.groups]


def test_a_unanimous_group_is_shown_as_over_ninety_per_cent_and_nothing_else():
    groups = [[20, 40], [30, 60], [40, 25], [30, 0]]
    snapshot = shown(answers(*groups), by("type", A=60, B=90, C=65, D=30), rules=Rules(differencing=False))
    (figure,) = snapshot.groups[3].figures
    assert (figure.category, figure.bound, figure.value) == ("A", "over", 90)


def test_of_two_groups_a_unanimous_one_is_not_shown_since_the_total_less_the_other_is_it():
    assert shown(answers([10, 10], [12, 0]), by("type", A=20, B=12)).groups == ()


def test_a_sensitive_question_masks_the_total_and_its_zeros_without_saying_anything_untrue():
    assert asdict(shown(answers([12, 0, 8], sensitive=True)).total.figures[1]) == {
        "unit": "percent", "value": 10, "category": "B", "bound": "under",
    }  # fmt: skip
    # 10 of 12 are 83 %: over 80, not over 90.
    assert shown(answers([10, 2], sensitive=True)).total.figures[0].value == 80


@pytest.mark.parametrize(("count", "n", "value"), [(1, 3, 35), (5, 40, 15), (3, 40, 10), (1, 200, 1), (1, 201, 0)])
def test_shares_are_rounded_half_up_to_five_below_a_base_of_fifty_and_to_one_above(count, n, value):
    assert percent(count, n) == value


def test_bases_are_bands_below_fifty_and_rounded_to_five_above():
    assert [band(n) for n in (10, 19, 20, 49, 50, 52, 53)] == [
        (10, 19), (10, 19), (20, 29), (30, 49), (50, 50), (50, 50), (55, 55),
    ]  # fmt: skip


def test_a_snapshot_holds_no_count_but_the_number_of_respondents_of_the_survey():
    snapshot = shown(answers([31, 36], [21, 22]), by("type", A=67, B=43))
    numbers = {number for number in (31, 36, 21, 22, 67, 43) if f" {number}" in json.dumps(asdict(snapshot))}
    assert snapshot.survey_n == 110 and not numbers


def test_a_scale_is_a_mean_with_one_decimal_unless_nearly_all_gave_the_same_answer():
    spread = np.tile([1.0, 2.0, 4.0], 7)
    assert shown(Scale("S", spread, 1, 5)).total.figures[0].value == 2.3
    assert published(Scale("S", np.array([5.0] * 20 + [4.0]), 1, 5)).reasons[0].rule == "7-8"


def test_a_value_outside_the_scale_and_a_negative_amount_are_named():
    with pytest.raises(PublishingError, match="S: a value lies outside the scale from 1 to 5"):
        Scale("S", np.array([1.0, 6.0]), 1, 5)
    with pytest.raises(PublishingError, match="M: an amount is neither"):
        Amount("M", np.array([1.0, -6.0]))


def test_an_amount_is_a_median_of_two_digits_from_twenty_respondents_on():
    assert shown(Amount("M", np.linspace(0.012, 0.0567, 21))).total.figures[0].value == 0.034
    assert shown(Amount("M", np.arange(1230.0, 1255.0))).total.figures[0].value == 1200
    assert isinstance(published(Amount("M", np.arange(19.0))), Refusal)


def test_a_mean_that_one_organisation_dominates_is_not_shown():
    even, dominated = np.arange(100.0, 130.0), np.append(np.arange(100.0, 129.0), 5000.0)
    assert shown(Amount("M", even, mean=True)).total.figures[0].value == 110
    assert isinstance(published(Amount("M", dominated, mean=True)), Refusal)


def test_a_response_rate_needs_ten_on_both_sides():
    def rate(yes, no):
        return Participation("rate", np.repeat([True, False], [yes, no]))

    assert shown(rate(15, 10)).total.figures[0].value == 60
    assert isinstance(published(rate(16, 9)), Refusal) and isinstance(published(rate(9, 91)), Refusal)


def test_a_quote_needs_a_second_person_and_names_only_a_group_of_thirty():
    checked = {"names_checked": True, "companies_checked": True}
    assert quote("Yes.", chosen_by="a", approved_by="b", group="COMP", group_n=29, **checked).group is None
    assert quote("Yes.", chosen_by="a", approved_by="b", group="COMP", group_n=30, **checked).group == "COMP"
    with pytest.raises(PublishingError, match="second person"):
        quote("Yes.", chosen_by="a", approved_by=" A ", **checked)
    with pytest.raises(PublishingError, match="companies"):
        quote("Yes.", chosen_by="a", approved_by="b", names_checked=True, companies_checked=False)


def test_an_override_needs_two_persons_a_reason_and_stays_above_the_floor():
    small = answers([4, 4])
    given = Override(("Aino", "Eino"), "the chair of the board asked", respondents=8, category=3)
    snapshot, entry = published(small, override=given)
    assert snapshot.overridden and entry.overridden["reason"] and isinstance(published(small), Refusal)
    for wrong in ({"persons": ("Aino", "aino ")}, {"reason": " "}, {"respondents": 4}, {"category": 1}):
        with pytest.raises(PublishingError):
            replace(given, **wrong)
    with pytest.raises(PublishingError, match="below 5"):
        Rules(respondents=4)


# ---- beside what was published before -------------------------------------------------------------------


def test_a_new_respondent_or_two_refresh_no_chart():
    _, first = published(answers([30, 30]))
    refused = published(answers([30, 30], [1, 1]), None, [first], people(62, dataset="2"))
    assert "11" in {reason.rule for reason in refused.reasons} and first.id in refused.reasons[0].publications
    assert shown(answers([30, 30], [5, 5]), earlier=[first], responses=people(70, dataset="2"))


def test_ten_new_respondents_who_all_answered_alike_refresh_no_chart_either():
    _, first = published(answers([30, 30]))
    refused = published(answers([30, 30], [10, 0]), None, [first], people(70, dataset="2"))
    assert [reason.rule for reason in refused.reasons] == ["10c"]


def test_two_classifications_that_differ_by_two_people_are_not_both_shown():
    question = answers([10, 10], [10, 10], [10, 10])
    _, first = published(question, by("type", A=20, B=20, C=20))
    near = Classification("size", np.repeat([0, 1, 0, 1, 2], [19, 1, 1, 19, 20]), ("S", "M", "L"))
    refused = published(question, near, [first])
    assert {reason.rule for reason in refused.reasons} == {"10d"}
    assert all(reason.publications == (first.id,) for reason in refused.reasons)


def test_a_group_less_another_inside_it_is_no_way_to_a_few_people_of_many_atoms():
    # Eight people, two in each of four groups of another table: no union of three atoms, and yet a plain subtraction.
    question = answers([20, 20], [4, 4], [20, 20])
    crossing = Classification(
        "d", np.concatenate([np.arange(40) % 4, np.repeat(range(4), 2), np.arange(40) % 4]), tuple("PQRS")
    )
    _, one = published(question, crossing)
    outer = Classification("outer", np.repeat([0, 0, 1], [40, 8, 40]), ("A", "B"))
    inner = Classification("inner", np.repeat([0, 1, 1], [40, 8, 40]), ("C", "D"))
    _, two = published(question, outer, [one])
    refused = published(question, inner, [one, two])
    assert "10b" in {reason.rule for reason in refused.reasons}
    assert two.id in refused.reasons[0].publications


def test_fewer_categories_of_what_is_shown_already_are_no_news():
    # Of all but the first group, nine in ten and more are not D: of 40 people, as the finer table told already.
    fine = answers([10, 10, 10, 10], [12, 12, 13, 3], collapse=(Level(("REST", "D"), (0, 0, 0, 1)),))
    snapshot, first = published(fine, by("type", A=40, B=40))
    assert len(snapshot.groups) == 2
    coarse, second = published(replace(fine, first=1), None, [first])
    assert coarse.categories == ("REST", "D") and second.level == 1
    # A part of them, of which the finer table told nothing, is judged as ever.
    part = replace(fine, codes=np.where(np.arange(80) < 52, fine.codes, -1), first=1)
    assert "10c" in {reason.rule for reason in published(part, None, [first]).reasons}


def test_another_question_is_no_base_to_subtract_from_but_one_of_the_same_variable_is():
    _, first = published(answers([30, 30]))
    assert isinstance(published(answers([32, 30], name="P"), None, [first])[0], Snapshot)
    derived = answers([32, 30], name="P", sources=("Q",))
    assert isinstance(published(derived, None, [first]), Refusal)


def test_every_pair_of_groups_of_a_shown_partition_is_large():
    snapshot, entry = published(answers([10, 10], [3, 3], [9, 9], [2, 2]), by("type", A=20, B=6, C=18, D=4))
    assert all(len(a.members ^ b.members) >= 10 for a, b in combinations(entry.bases, 2))
    assert snapshot.groups


def test_the_data_set_has_a_number_and_every_respondent_an_id_of_their_own():
    with pytest.raises(PublishingError, match="frozen"):
        people(10, dataset="")
    with pytest.raises(PublishingError, match="id of their own"):
        Responses("1", ("a", "a"), ("x", "y"))
    with pytest.raises(PublishingError, match="one answer"):
        published(answers([5, 6]), None, (), people(10))


def test_a_zero_of_one_table_that_fixes_a_small_cell_of_another_is_seen():
    # Nobody of B2 answered A. So the three of A1 who did are among its six in B1, which no subtraction tells.
    question = answers([3, 3, 0], [0, 3, 3], [10, 5, 5], [0, 7, 7])
    first = Classification("A", np.repeat([0, 1], [12, 34]), ("A1", "A2"))
    second = Classification("B", np.repeat([0, 1, 0, 1], [6, 6, 20, 14]), ("B1", "B2"))
    _, entry = published(question, first)
    refused = published(question, second, [entry])
    assert [(reason.rule, reason.publications) for reason in refused.reasons] == [("10", (entry.id,))]


def test_answers_that_were_changed_under_the_same_ids_are_not_published_again():
    _, first = published(answers([30, 30]))
    assert "contradict" in str(published(answers([10, 50]), None, [first]))
