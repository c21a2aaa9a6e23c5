"""What the book compares: the right tests, of shown groups only, in a family declared beforehand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from analysis import comparisons
from analysis.estimates import HIDDEN, Estimates, Provenance
from analysis.letters import compare_columns_of, compare_means_of
from analysis.multiple_response import mmi
from analysis.multiplicity import adjusted
from analysis.significance import rao_scott_of
from analysis.study import ESTIMANDS, ORGANISATION, RESPONDENT, Study
from analysis.tabulate import BOOK, tabulate
from tests.analysis import _study


@pytest.fixture(scope="module")
def extract(tmp_path_factory):
    return _study.extract(tmp_path_factory.mktemp("extract"))


@pytest.fixture(scope="module")
def study(extract):
    return _study.study(extract)


@pytest.fixture(scope="module")
def estimates(extract):
    return _study.estimates(extract)


def the_test(estimates: Estimates, variable: str, banner: str, estimand: str):
    tests = estimates.tests
    (found,) = tests[
        (tests["variable"] == variable) & (tests["banner"] == banner) & (tests["estimand"] == estimand)
    ].itertuples()
    return found


def labels(study: Study, name: str, codes=None) -> np.ndarray:
    """Return each respondent's code of *name*, None where it is missing or not among *codes*."""
    known = [category.code for category in study.codebook[name].categories]
    given = [known[place] if place >= 0 else None for place in study.codes(name)]
    return np.array([code if codes is None or code in codes else None for code in given], object)


def shown(estimates: Estimates, variable: str, banner: str, estimand: str) -> set[str]:
    """Return the groups of *banner* that every figure of *variable* is shown for."""
    rows = estimates.select(table=BOOK, variable=variable, banner=banner, estimand=estimand)
    return set(rows["banner_code"]) - set(rows[rows["flag"].isin(HIDDEN)]["banner_code"])


@pytest.mark.parametrize("estimand", ESTIMANDS)
def test_a_question_is_tested_against_the_shown_groups_of_a_banner(study, estimates, estimand):
    groups = shown(estimates, "BG05", "BG10", estimand)
    assert len(groups) < 10 if estimand == ORGANISATION else len(groups) > 2
    ours = the_test(estimates, "BG05", "BG10", estimand)
    theirs = rao_scott_of(labels(study, "BG05"), labels(study, "BG10", groups), study.designs[estimand])
    expected = theirs.second_order
    assert (ours.f, ours.ndf, ours.ddf) == pytest.approx((expected.statistic, expected.ndf, expected.ddf), rel=1e-9)
    assert ours.p == pytest.approx(expected.p, rel=1e-7)
    assert (ours.cramer_v, ours.deff) == pytest.approx((theirs.cramer_v_corrected, theirs.deff), rel=1e-9)
    assert (ours.n, ours.groups, ours.test) == (theirs.n, theirs.columns, "rao_scott")


def test_picks_are_tested_as_one_set_and_not_option_by_option(study, estimates):
    picks = np.stack([study.numbers(f"BG16_{code}") for code in _study.SERVED], axis=1)
    expected = mmi(picks, labels(study, "role2"), study.designs[RESPONDENT])
    ours = the_test(estimates, "BG16", "role2", RESPONDENT)
    assert (ours.test, ours.f, ours.p) == ("mmi", pytest.approx(expected.f.statistic), pytest.approx(expected.f.p))
    assert not estimates.tests["variable"].isin([f"BG16_{code}" for code in _study.SERVED]).any()


def test_what_is_central_is_tested_for_all_modes_at_once(study, estimates):
    (score,) = study.plan.scores
    expected = mmi(study.central(score), labels(study, "org3", {"company", "public"}), study.designs[ORGANISATION])
    ours = the_test(estimates, score.name, "org3", ORGANISATION)
    if shown(estimates, "OM_B02_CUST", "org3", ORGANISATION) == {"company", "public", "third_sector"}:
        expected = mmi(study.central(score), labels(study, "org3"), study.designs[ORGANISATION])
    assert ours.f == pytest.approx(expected.f.statistic)


def test_a_question_is_not_tested_against_groups_made_of_itself(estimates):
    pairs = set(zip(estimates.tests["variable"], estimates.tests["banner"], strict=True))
    assert ("BG05", "org3") in pairs
    assert not pairs & {("BG10", "org3"), ("BG10", "BG10"), ("BG01", "role2"), ("BG12", "size4")}
    related = estimates.select(variable="BG10", banner="org3")
    assert len(related) and (related["letters"] == "").all()


def test_the_family_of_the_book_is_every_test_of_an_estimand_and_a_weighting(estimates):
    for _, family in estimates.tests.groupby(["estimand", "weighting"]):
        assert len(family) > 100
        made = family[family["reason"] == ""]
        assert made["p_adjusted"].to_numpy() == pytest.approx(adjusted(made["p"].to_numpy(), "holm"))


def test_the_plan_says_how_the_family_is_adjusted(extract, study):
    plan = replace(study.plan, rules=replace(study.plan.rules, adjust="bh"))
    again = Study(extract, plan)
    tests = tabulate(again, Provenance.of(extract, again, "2026-01-01T00:00:00+00:00")).tests
    made = tests[(tests["estimand"] == RESPONDENT) & (tests["reason"] == "")]
    assert made["p_adjusted"].to_numpy() == pytest.approx(adjusted(made["p"].to_numpy(), "bh"))


@pytest.mark.parametrize("estimand", ESTIMANDS)
def test_letters_name_the_groups_whose_share_is_smaller(study, estimates, estimand):
    groups = shown(estimates, "OM_B02_CUST", "BG10", estimand)
    compared = compare_columns_of(
        labels(study, "OM_B02_CUST"), labels(study, "BG10", groups), study.designs[estimand], small_base=30
    )
    order = [category.code for category in study.codebook["BG10"].categories]
    present = sorted(groups & set(labels(study, "BG10", groups)[labels(study, "OM_B02_CUST") != None]))  # noqa: E711
    # The book's letters go by the banner's own order, which here is not the alphabet's.
    own = {comparisons.letter(place): comparisons.letter(order.index(code)) for place, code in enumerate(present)}
    row = sorted(category.code for category in study.codebook["OM_B02_CUST"].categories).index("CENTRAL")
    for place, code in enumerate(present):
        expected = sorted(own[letter] for letter in compared.letters[row][place].split())
        ours = estimates.one(
            table="OM_TAB05", variable="OM_B", code="CUST", statistic="central", estimand=estimand, banner_code=code
        )
        assert sorted(ours["letters"].split()) == expected


@pytest.mark.parametrize("estimand", ESTIMANDS)
def test_letters_of_a_mean_name_the_groups_whose_mean_is_smaller(study, estimates, estimand):
    groups = shown(estimates, "OM_B02_CUST", "BG10", estimand)
    compared = compare_means_of(
        study.numbers("OM_B02_CUST"), labels(study, "BG10", groups), study.designs[estimand], small_base=30
    )
    order = [category.code for category in study.codebook["BG10"].categories]
    present = sorted(groups & set(labels(study, "BG10", groups)[~np.isnan(study.numbers("OM_B02_CUST"))]))
    own = {comparisons.letter(place): comparisons.letter(order.index(code)) for place, code in enumerate(present)}
    about = {"table": BOOK, "banner": "BG10", "estimand": estimand}
    for place, code in enumerate(present):
        expected = {own[letter] for letter in compared.letters[0][place]}
        for name, statistic in (("OM_B02_CUST", "mean"), ("OM_B02_CUST", "mean100"), ("OM_B", "mean100")):
            of_score = {"code": "CUST"} if name == "OM_B" else {}
            ours = estimates.one(variable=name, statistic=statistic, banner_code=code, **of_score, **about)
            assert set(ours["letters"]) == expected


def test_groups_that_differ_beyond_doubt_get_their_letter_and_hidden_ones_none(tmp_path):
    answers = _study.answers(respondents=300, organisations=300)
    public = [row >= 180 for row in range(300)]
    answers.columns["BG10"] = ["MUNI" if one else "COMP" for one in public]
    answers.columns["OM_B02_PUB"] = [3 * int(one or row % 9 == 0) for row, one in enumerate(public)]
    answers.columns["OM_B01_PUB"] = [int(level > 0) for level in answers.columns["OM_B02_PUB"]]
    public_rows = [row for row, one in enumerate(public) if one][::17]
    for row in public_rows:  # not everybody, or there would be no error to compare with
        answers.columns["OM_B02_PUB"][row] = answers.columns["OM_B01_PUB"][row] = 0
    estimates = _study.estimates(_study.extract(tmp_path, answers))
    found = estimates.select(table="OM_TAB05", variable="OM_B", code="PUB", statistic="central", estimand=RESPONDENT)
    by_group = found[found["banner"] == "org3"].set_index("banner_code")["letters"]
    assert "A" in by_group["public"].split() and by_group["company"] == ""
    means = estimates.select(table=BOOK, variable="OM_B", code="PUB", statistic="mean", estimand=RESPONDENT)
    by_group = means[means["banner"] == "org3"].set_index("banner_code")["letters"]
    assert "A" in by_group["public"].split() and by_group["company"] == ""
    hidden = estimates.rows[estimates.rows["flag"].isin(HIDDEN)]
    assert len(hidden) and (hidden["letters"] == "").all()


def test_a_study_of_one_organisation_is_tabulated_and_nothing_in_it_is_tested(tmp_path):
    answers = _study.answers(organisations=1, respondents=1)
    estimates = _study.estimates(_study.extract(tmp_path, answers))
    assert len(estimates.tests) and (estimates.tests["reason"] == comparisons.NOT_TESTED).all()
    assert estimates.tests[["f", "p", "p_adjusted", "cramer_v", "deff"]].isna().all().all()


def test_what_is_written_is_read_back(estimates, tmp_path):
    estimates.write(tmp_path)
    back = Estimates.read(tmp_path)
    assert list(back.tests.columns) == list(comparisons.COLUMNS)
    assert back.tests["p"].to_numpy() == pytest.approx(estimates.tests["p"].to_numpy(), nan_ok=True)
    assert (back.rows["letters"] == estimates.rows["letters"]).all()
