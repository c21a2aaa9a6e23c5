"""Outcome rates from the cases of an extract: who was invited, at which levels, and cases that don't fit together."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pytest

from analysis import outcome_table
from analysis.estimates import COLUMNS, HIDDEN
from analysis.outcome_rates import OutcomeError
from analysis.study import Study
from tests.analysis import _study


@pytest.fixture
def cases(tmp_path):
    """Make a study of 20 respondents of 15 organisations whose cases have *silent* ones after them."""

    def made(silent=(), **columns) -> Study:
        found = _study.extract(tmp_path, _study.answers(organisations=15, respondents=20))
        rows = found.cases.to_pydict()
        for number, (disposition, organisation) in enumerate(silent):
            silence = {"case": f"silent{number}", "organisation": organisation, "psu": organisation or "alone"}
            silence |= {"response": None, "stratum": None, "design_weight": 1.0, "disposition": disposition}
            for name, value in silence.items():
                rows[name].append(value)
        types = {field.name: field.type for field in found.cases.schema}
        rows |= columns
        return _study.study(replace(found, cases=pa.table({k: pa.array(v, types.get(k)) for k, v in rows.items()})))

    return made


def rows(study):
    (table,) = outcome_table.tables(study)
    assert tuple(table.columns) == COLUMNS
    assert set(table["table"]) == {"outcome_rates"}
    return table.set_index(["variable", "code"])


SILENT = [("NC_nothing_opened", "org0000"), ("R_explicit", "x"), ("U_delivered_nothing_known", "y"), ("NE_left", "y")]


def test_a_wave_in_which_every_case_answered_was_an_open_link_and_has_no_rate(cases):
    assert outcome_table.tables(cases()) == ()
    assert outcome_table.tables(cases(invited=[False] * 20)) == ()


def test_a_case_without_a_response_was_invited_and_so_were_the_others(cases):
    ours = rows(cases(SILENT))
    assert ours.loc[("person", "RR1"), "estimate"] == pytest.approx(20 / 23)
    assert ours.loc[("person", "RR5"), "estimate"] == pytest.approx(20 / 22)
    assert ours.loc[("person", "e"), "estimate"] == pytest.approx(22 / 23)
    assert ours.loc[("person", "cases"), "estimate"] == 24
    assert ours.loc[("organisation", "RR1"), "estimate"] == pytest.approx(15 / 17)
    assert ours.loc[("person", "RR1"), ["base_n", "base_organisations"]].tolist() == [24, 17]
    assert (ours.loc[("person", "silent"), "estimate"], ours.loc[("person", "silent_in_post"), "estimate"]) == (1, 0)
    assert "open_link" not in ours.index.get_level_values("variable")


def test_who_came_by_open_link_beside_the_invited_is_in_no_rate(cases):
    ours = rows(cases(SILENT, invited=[True] * 10 + [False] * 10 + [True] * 4))
    assert ours.loc[("person", "cases"), "estimate"] == 14
    assert ours.loc[("person", "RR1"), "estimate"] == pytest.approx(10 / 13)
    assert ours.loc[("open_link", "complete"), "estimate"] == 10


def test_silence_of_a_person_known_to_be_in_post_is_a_non_contact(cases):
    ours = rows(cases(SILENT, in_post=[False] * 20 + [True] * 4))
    assert (ours.loc[("person", "NC"), "estimate"], ours.loc[("person", "U"), "estimate"]) == (2, 0)
    assert ours.loc[("person", "silent_in_post"), "estimate"] == 1


def test_teams_are_those_of_the_cases_where_they_name_any(cases):
    teams = [f"t{place // 3}" for place in range(18)] + [None, None, "t0", "t0", "t1", None]
    ours = rows(cases(SILENT, team=teams)).loc["team"]
    assert ours.loc["cases", "estimate"] == 6
    assert ours.loc["RR1", "estimate"] == 1  # three of each team answered; one more of some was asked and did not
    assert ours.loc["RR1", ["base_n", "base_organisations"]].tolist() == [21, 6]


def test_a_level_under_the_thresholds_keeps_its_size_and_no_figure(cases):
    ours = rows(cases([("R_explicit", "x")], team=["a"] * 4 + [None] * 17)).loc["team"]
    assert ours["estimate"].isna().all() and ours["flag"].isin(HIDDEN).all()
    assert set(ours["base_n"]) == {4}


def test_a_case_whose_organisation_is_unknown_is_one_of_its_own(cases):
    ours = rows(cases([("R_explicit", None), ("R_explicit", None)]))
    assert ours.loc[("organisation", "cases"), "estimate"] == 17


def test_an_anonymous_wave_has_rates_of_persons_and_takes_no_response_for_one_by_open_link(cases):
    # Twenty responses whose cases nobody invited, and the invitations beside them, without a link between the two.
    used = [("I", None)] * 18 + [("U_delivered_nothing_known", None)] * 12
    ours = cases(used, invited=[False] * 20 + [True] * 30)
    anonymous = {**ours.answers.manifest, "privacy": {"mode": "anonymous", "min_group": 5}}
    table = rows(replace(ours, answers=replace(ours.answers, manifest=anonymous)))
    assert set(table.index.get_level_values("variable")) == {"person"}
    assert table.loc[("person", "RR1"), "estimate"] == pytest.approx(18 / 30)
    with pytest.raises(OutcomeError, match="the disposition I and no response"):
        outcome_table.tables(ours)


def test_what_somebody_told_of_a_person_who_broke_off_may_be_the_outcome_of_the_case(cases):
    ours = cases(SILENT, disposition=["R_explicit"] + ["I"] * 19 + [one for one, _ in SILENT])
    broken = ours.answers.responses
    told = pa.array(["R_breakoff"] + ["I"] * 19)
    broken = broken.set_column(broken.column_names.index("disposition"), "disposition", told)
    table = rows(replace(ours, answers=replace(ours.answers, responses=broken)))
    assert table.loc[("person", "R"), "estimate"] == 2


@pytest.mark.parametrize(
    ("silent", "columns", "said"),
    [
        ([("gone", "x")], {}, "gone are no dispositions; there are: I, P, R_explicit"),
        ([("I", "x")], {}, "the disposition I and no response"),
        (SILENT[:1], {"disposition": ["P"] + ["I"] * 19 + ["R_explicit"]}, "disposition P, its response I"),
        (SILENT[:1], {"response": [f"{0:032x}"] * 20 + [None]}, "a response is in two cases"),
        (SILENT[:1], {"invited": [None] * 21}, "invited is true or false for every case"),
    ],
)
def test_cases_that_do_not_fit_together_are_refused_with_what_to_do(cases, silent, columns, said):
    with pytest.raises(OutcomeError, match=said) as error:
        outcome_table.tables(cases(silent, **columns))
    assert "cases.parquet" in str(error.value) and "Make the extract anew" in str(error.value)


def test_cases_of_which_nothing_is_known_are_refused(cases):
    ours = cases(SILENT)
    bare = replace(ours.answers, cases=ours.answers.cases.drop_columns(["disposition"]))
    with pytest.raises(OutcomeError, match="4 cases without a response and no column disposition"):
        outcome_table.tables(replace(ours, answers=bare))
