"""The tables of a study: bases, estimands, missing answers, flags; every number against plain arithmetic."""

import numpy as np
import pytest

from analysis import estimators
from analysis.estimates import COLUMNS, HIDDEN, Estimates
from analysis.study import ORGANISATION, RESPONDENT, Study
from analysis.tabulate import BOOK, NONRESPONSE
from tests.analysis import _study

FLAGS = {"", "small_base", "not_estimable", "suppressed", "complementary"}  # docs/methods.md, "Estimates"


@pytest.fixture(scope="module")
def extract(tmp_path_factory):
    return _study.extract(tmp_path_factory.mktemp("extract"))


@pytest.fixture(scope="module")
def study(extract):
    return _study.study(extract)


@pytest.fixture(scope="module")
def estimates(extract):
    return _study.estimates(extract)


def made(tmp_path, answers) -> tuple[Study, Estimates]:
    extract = _study.extract(tmp_path, answers)
    return _study.study(extract), _study.estimates(extract)


def plain(organisations: int, respondents: int):
    """Return answers in which every question is answered."""
    answers = _study.answers(organisations=organisations, respondents=respondents)
    for name, column in answers.columns.items():
        answers.columns[name] = [0 if v in ("dont_know", "no_answer") and name[:2] == "OM" else v for v in column]
        answers.columns[name] = ["A" if v == "no_answer" else v for v in answers.columns[name]]
    return answers


def test_every_closed_question_is_crossed_with_type_role_and_size(study, estimates):
    book = estimates.select(table=BOOK)
    asked = {variable.set or variable.name for variable in study.asked()} - {"OM_B02"}
    asked |= {f"OM_B02_{mode}" for mode in _study.MODES}
    banners = {"total", "org3", "BG10", "role2", "BG01", "size4", "BG12"}
    assert asked <= set(book["variable"])
    for name in asked:
        assert set(book[book["variable"] == name]["banner"]) == banners


def test_a_share_is_that_of_those_who_answered_and_its_bases_are_counted(study, estimates):
    industries = study.codes("BG14")
    row = estimates.one(table=BOOK, variable="BG14", code="A", estimand=RESPONDENT, banner="total")
    assert row["base_n"] == (industries >= 0).sum() < len(study)
    assert row["estimate"] == pytest.approx((industries == 0).sum() / row["base_n"])
    assert row["base_organisations"] == len(np.unique(study.organisation[industries >= 0]))


def test_per_organisation_every_organisation_counts_once(study, estimates):
    served = study.numbers("BG16_B2B")
    of_each = [served[study.organisation == o].mean() for o in range(study.organisations)]
    row = estimates.one(table=BOOK, variable="BG16", code="B2B", estimand=ORGANISATION, banner="total")
    assert row["estimate"] == pytest.approx(np.mean(of_each))
    assert row["base_weighted"] == pytest.approx(study.organisations)
    # One number an organisation: the standard error is that of a mean of independent numbers.
    assert row["se"] == pytest.approx(np.std(of_each, ddof=1) / np.sqrt(study.organisations))


def test_a_domain_s_interval_is_that_of_the_public_estimator(study, estimates):
    companies = study.codes("org3") == 0
    central = (study.numbers("OM_B02_CUST") == 3).astype(float)
    central[np.isnan(study.numbers("OM_B02_CUST"))] = np.nan
    ours = estimators.share(np.where(companies, central, np.nan), study.designs[RESPONDENT])
    of = {"variable": "OM_B", "code": "CUST", "statistic": "central", "banner_code": "company"}
    row = estimates.one(table="OM_TAB05", estimand=RESPONDENT, **of)
    found = [row[name] for name in ("estimate", "se", "ci_low", "ci_high", "df", "base_n", "deff")]
    assert found == pytest.approx([ours.value, ours.se, ours.low, ours.high, ours.df, ours.n, ours.deff])


def test_the_levels_of_a_mode_add_up_to_everyone_and_give_its_mean(estimates):
    levels = estimates.select(table="OM_TAB03", variable="OM_B02_CUST", estimand=RESPONDENT).set_index("code")
    shares = levels[levels["statistic"] == "share"]["estimate"]
    assert shares.sum() == pytest.approx(1)
    mean = estimates.one(table="OM_TAB03", variable="OM_B", code="CUST", estimand=RESPONDENT, statistic="mean")
    assert mean["estimate"] == pytest.approx(shares["SOME"] + 2 * shares["CLEAR"] + 3 * shares["CENTRAL"])
    hundred = estimates.one(table="OM_TAB03", variable="OM_B", code="CUST", estimand=RESPONDENT, statistic="mean100")
    assert hundred["estimate"] == pytest.approx(mean["estimate"] / 3 * 100)


def test_two_tables_never_differ_in_a_number(estimates):
    keys = ["variable", "code", "statistic", "estimand", "banner", "banner_code"]
    rows = estimates.rows[~estimates.rows["table"].isin([NONRESPONSE, "OM_TAB02"])]
    assert (rows.groupby(keys)["estimate"].nunique() <= 1).all()


# ---- what is valid, and what is missing -----------------------------------------------------------


def test_cannot_say_is_neither_a_respondent_nor_in_a_base(tmp_path):
    answers = plain(20, 30)
    for name in answers.columns:
        if name.startswith("OM_B"):
            answers.columns[name][0] = "dont_know"
    study, estimates = made(tmp_path, answers)
    assert len(study) == 29
    assert estimates.provenance.responses == 29


def test_a_mode_that_was_chosen_and_not_rated_is_selected_and_has_no_level(tmp_path):
    answers = plain(20, 30)
    answers.columns["OM_B01_CUST"][0], answers.columns["OM_B02_CUST"][0] = 1, "no_answer"
    _, estimates = made(tmp_path, answers)
    rows = estimates.select(table="OM_TAB03", variable="OM_B", code="CUST", estimand=RESPONDENT).set_index("statistic")
    assert rows["base_n"].to_dict() == {"selected": 30, "central": 29, "mean": 29, "mean100": 29}
    combination = estimates.select(table="OM_TAB04", variable="OM_B_combination", estimand=RESPONDENT)
    assert set(combination["base_n"]) == {29}


def test_none_of_these_is_four_zeros_and_counts(tmp_path):
    answers = plain(20, 30)
    for mode in _study.MODES:
        answers.columns[f"OM_B01_{mode}"][0] = answers.columns[f"OM_B02_{mode}"][0] = 0
    study, _ = made(tmp_path, answers)
    book = study.codebook
    for name, code in (("OM_B_dominant", "NONE"), ("OM_B_combination", "NONE"), ("OM_B_n_central", "N0")):
        assert book[name].categories[study.codes(name)[0]].code == code


@pytest.mark.parametrize(
    ("levels", "dominant", "combination", "central"),
    [
        ((1, 2, 3, 0), "CUST", "CUST", 1),
        ((0, 3, 3, 1), "COMBO", "DEV+CUST", 2),
        ((2, 2, 0, 0), "COMBO", "NONE", 0),
        ((0, 0, 0, 1), "PUB", "NONE", 0),
        ((3, 3, 3, 3), "COMBO", "PROD+DEV+CUST+PUB", 4),
        ((0, 0, 0, 0), "NONE", "NONE", 0),
    ],
)
def test_the_dominant_mode_is_the_only_highest_one(tmp_path, levels, dominant, combination, central):
    answers = plain(6, 6)
    for mode, level in zip(_study.MODES, levels, strict=True):
        answers.columns[f"OM_B01_{mode}"][0], answers.columns[f"OM_B02_{mode}"][0] = int(level > 0), level
    study = _study.study(_study.extract(tmp_path, answers))

    def first(name):
        return study.codebook[name].categories[study.codes(name)[0]]

    assert (first("OM_B_dominant").code, first("OM_B_combination").code) == (dominant, combination)
    assert first("OM_B_n_central").value == central
    assert first("OM_B_central_2plus").value == (central >= 2)
    assert first("OM_B_n_selected").value == sum(level > 0 for level in levels)


def test_item_nonresponse_is_told_by_kind(study, estimates):
    rows = estimates.select(table=NONRESPONSE, variable="BG14").set_index("code")
    skipped = sum(1 for value in study.missing("BG14") if value >= 0)
    assert rows.loc["no_answer", "estimate"] == pytest.approx(skipped / len(study))
    assert rows.loc["dont_know", "estimate"] == 0


# ---- small bases ----------------------------------------------------------------------------------


def test_a_small_group_keeps_its_base_and_loses_its_numbers(estimates):
    hidden = estimates.rows[estimates.rows["flag"].isin(HIDDEN)]
    assert len(hidden)
    assert hidden[["estimate", "se", "ci_low", "ci_high", "df", "deff", "base_weighted"]].isna().all().all()
    assert hidden[["base_n", "base_organisations"]].notna().all().all()


def test_nothing_shown_has_a_base_under_five_respondents_or_three_organisations(estimates):
    shown = estimates.rows[~estimates.rows["flag"].isin(HIDDEN)]
    assert shown["base_n"].min() >= 5
    assert shown["base_organisations"].min() >= 3
    assert shown["estimate"].notna().all()


def test_where_larger_groups_were_promised_nothing_smaller_is_shown_and_reports_say_so(tmp_path):
    answers = _study.answers()
    answers.manifest = {"privacy": {"mode": "confidential", "min_group": 8}}
    estimates = _study.estimates(_study.extract(tmp_path, answers))
    assert estimates.provenance.rules["suppress_respondents"] == 8
    few = estimates.rows[estimates.rows["base_n"] < 8]
    assert few["flag"].isin(HIDDEN).all() and few["estimate"].isna().all()
    assert few["base_n"].between(5, 7).any() and set(estimates.rows["flag"]) > {"", "small_base"}


def test_a_base_under_thirty_is_marked(estimates):
    rows = estimates.rows
    assert (rows["small_base"] == (rows["base_n"] < 30)).all()
    assert (rows[rows["flag"] == "small_base"]["base_n"] < 30).all()
    assert set(rows["flag"]) <= FLAGS


def test_a_share_of_0_or_1_is_not_estimable_and_has_a_bound(estimates):
    rows = estimates.rows
    shares = rows[(rows["statistic"].isin(["share", "selected", "central"])) & ~rows["flag"].isin(HIDDEN)]
    extreme = shares[shares["estimate"].isin([0.0, 1.0])]
    assert len(extreme)
    assert set(extreme["flag"]) == {"not_estimable"}
    assert extreme["se"].isna().all()
    assert ((extreme["ci_low"] == 0) | (extreme["ci_high"] == 1)).all()
    assert (extreme["ci_high"] - extreme["ci_low"]).between(0, 1, inclusive="neither").all()
    inside = shares[~shares["estimate"].isin([0.0, 1.0]) & (shares["flag"] != "not_estimable")]
    assert (inside["ci_low"].between(0, inside["estimate"]) & inside["ci_high"].between(inside["estimate"], 1)).all()


def test_no_interval_of_a_mean_passes_the_ends_of_its_scale(tmp_path):
    answers = _study.answers()
    answers.columns["OM_B02_CUST"] = [
        3 if isinstance(one, int) and one else one for one in answers.columns["OM_B02_CUST"]
    ]
    rows = _study.estimates(_study.extract(tmp_path, answers)).rows
    for statistic, top in (("mean", 3), ("mean100", 100)):
        means = rows[(rows["statistic"] == statistic) & rows["se"].notna()]
        assert means["ci_low"].between(0, means["estimate"], inclusive="neither").all()
        assert means["ci_high"].between(means["estimate"], top, inclusive="neither").all()
        # value ± t·se would pass them in the smaller groups.
        assert (means["estimate"] + 2 * means["se"] > top).any()


def test_one_real_response_shows_its_row_and_no_number(tmp_path):
    answers = plain(1, 1)
    answers.origin = "real"
    _, estimates = made(tmp_path, answers)
    rows = estimates.rows
    assert set(rows["flag"]) == {"suppressed"}
    assert rows["estimate"].isna().all()
    kind = answers.columns["BG10"][0]
    row = estimates.one(
        table="OM_TAB05", variable="OM_B", code="CUST", statistic="central", estimand=RESPONDENT, banner_code=kind
    )
    assert (row["base_n"], row["base_organisations"]) == (1, 1)
    assert not estimates.provenance.synthetic


def test_no_respondent_at_all_gives_empty_bases(tmp_path):
    answers = plain(1, 1)
    answers.columns["BG01"][0] = "no_answer"
    study, estimates = made(tmp_path, answers)
    assert len(study) == 0
    assert set(estimates.rows["base_n"]) == {0}
    assert set(estimates.rows["flag"]) == {"suppressed"}


def test_one_organisation_of_many_leaders_is_no_sample_of_organisations(tmp_path):
    answers = plain(1, 9)
    _, estimates = made(tmp_path, answers)
    assert set(estimates.rows["flag"]) == {"suppressed"}


# ---- organisations, and the way out ---------------------------------------------------------------


def test_the_table_of_organisations_counts_each_once(study, estimates):
    total = estimates.select(table="OM_TAB02", variable="total").set_index("statistic")["estimate"]
    assert total["organisations"] == study.organisations
    assert total["respondents"] == len(study)
    assert total["mean_respondents"] == pytest.approx(len(study) / study.organisations)


def test_counts_stand_beside_the_shares_of_the_respondents_table(study, estimates):
    row = estimates.one(table="OM_TAB01", variable="role2", code="top", statistic="count")
    assert row["estimate"] == (study.codes("role2") == 0).sum()


def test_estimates_come_back_from_disk_as_they_were(tmp_path, estimates):
    estimates.write(tmp_path)
    back = Estimates.read(tmp_path)
    assert back.provenance == estimates.provenance
    assert list(back.rows.columns) == list(COLUMNS)
    assert back.rows["flag"].tolist() == estimates.rows["flag"].tolist()
    assert np.array_equal(back.rows["estimate"], estimates.rows["estimate"], equal_nan=True)


def test_simulated_answers_are_synthetic_whatever_else_is_said(estimates):
    assert estimates.provenance.synthetic
    assert estimates.provenance.simulation is not None
