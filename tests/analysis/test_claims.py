"""What makes a claim of the 2015 study come out one way or the other."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from analysis import claims as claims_of
from analysis.claim_tests._finding import Verdict
from analysis.plan import DesignColumns
from kysely.errors import AnalystError, AuthorError
from tests.analysis._claims import codebook, decide, definition, evidence, people, person, plan, study_of_2015

REPRODUCED, CONSISTENT = Verdict.REPRODUCED, Verdict.CONSISTENT
NOT_REPRODUCED, NOT_TESTABLE = Verdict.NOT_REPRODUCED, Verdict.NOT_TESTABLE

# ---- the sample ---------------------------------------------------------------------------------


def test_the_published_counts_reproduce_every_fact_of_the_sample():
    found = decide(evidence(study_of_2015()))
    for claim in ("PC01", "PC02", "PC03", "PC04", "PC05", "PC06", "PC07"):
        assert found[claim].verdict is REPRODUCED, claim
    assert found["PC01"].respondent.value == 360
    assert found["PC02"].organisation.value == 269
    assert found["PC03"].respondent.value == pytest.approx(302 / 360)
    assert found["PC05"].organisation.value == pytest.approx(360 / 269)
    assert found["PC05"].details[0].organisation.value == 42 + 14 + 4 + 1 + 1


def test_splitting_one_organisation_makes_the_number_of_organisations_wrong():
    rows = study_of_2015()
    rows[-1] = {**rows[-1], "organisation": "split off"}
    found = decide(evidence(rows))
    assert found["PC02"].verdict is NOT_REPRODUCED
    assert found["PC02"].organisation.value == 270


def test_merging_two_organisations_makes_the_number_of_organisations_wrong():
    rows = study_of_2015()
    merged = [{**row, "organisation": "o0" if row["organisation"] == "o1" else row["organisation"]} for row in rows]
    found = decide(evidence(merged))
    assert found["PC02"].verdict is NOT_REPRODUCED
    assert found["PC02"].organisation.value == 268


def test_one_respondent_less_is_not_the_published_number():
    assert decide(evidence(study_of_2015()[1:]))["PC01"].verdict is NOT_REPRODUCED


def test_someone_who_gave_no_role_or_named_no_mode_is_no_valid_respondent():
    blank = {"OM_B01_OTHER": float("nan")} | {f"OM_B0{step}_{mode}": float("nan") for step in (1, 2) for mode in
                                              ("PROD", "DEV", "CUST", "PUB")}  # fmt: skip
    rows = [*study_of_2015(), person("x", BG01=None), person("y", **blank)]
    assert decide(evidence(rows))["PC01"].respondent.value == 360


@pytest.mark.parametrize(
    ("top", "verdict"), [(300, CONSISTENT), (301, REPRODUCED), (304, REPRODUCED), (305, CONSISTENT)]
)
def test_84_per_cent_of_360_are_301_to_304_persons(top, verdict):
    rows = people(top, {"CUST": 3}) + people(360 - top, {"CUST": 3}, prefix="m", BG01="MID")
    found = decide(evidence(rows))
    assert found["PC03"].verdict is verdict
    assert found["PC04"].verdict is verdict


def test_half_top_management_is_not_84_per_cent():
    rows = people(180, {"CUST": 3}) + people(180, {"CUST": 3}, prefix="m", BG01="MID")
    assert decide(evidence(rows))["PC03"].verdict is NOT_REPRODUCED


@pytest.mark.parametrize(
    ("last", "verdict"),
    [
        (datetime(2015, 5, 31, 20, 59, tzinfo=UTC), REPRODUCED),  # a minute to midnight in Helsinki
        (datetime(2015, 5, 31, 21, 0, tzinfo=UTC), NOT_REPRODUCED),  # the first of June there
        (datetime(2015, 2, 28, 21, 59, tzinfo=UTC), NOT_REPRODUCED),
        (datetime(2015, 2, 28, 22, 0, tzinfo=UTC), REPRODUCED),
    ],
)
def test_spring_begins_and_ends_at_midnight_in_helsinki(last, verdict):
    inside = datetime(2015, 4, 1, tzinfo=UTC)
    found = decide(evidence(people(10, {"CUST": 3}), completed=[inside] * 9 + [last]))
    assert found["PC06"].verdict is verdict


def test_an_answer_on_paper_is_not_by_web():
    assert decide(evidence(people(10, {"CUST": 3}), mode="paper"))["PC06"].verdict is NOT_REPRODUCED


def test_an_association_is_outside_the_target_group_of_2015():
    public = people(10, {"CUST": 3}, prefix="p", BG10="MUNI")
    both = people(10, {"CUST": 3}) + public
    assert decide(evidence(both))["PC07"].verdict is REPRODUCED
    assert decide(evidence(public))["PC07"].verdict is NOT_REPRODUCED  # no company
    assert decide(evidence([*both, person("n", BG10="NGO")]))["PC07"].verdict is NOT_REPRODUCED


# ---- the questionnaire --------------------------------------------------------------------------


def test_the_questionnaire_as_shipped_is_the_one_of_2015_in_all_that_is_known_of_it():
    found = decide(evidence(people(10, {"CUST": 3, "DEV": 1})))
    for claim in ("PC10", "PC11", "PC12", "PC13", "PC14"):
        assert found[claim].verdict is REPRODUCED, claim
        assert "by_design" in found[claim].basis


def _weighted(asked):
    return next(q for page in asked["pages"] for q in page["questions"] if q["id"] == "OM_B")


def _without_whole(asked):
    _weighted(asked)["choose"]["instruction"]["sv"] = "Du kan välja flera alternativ."


def _with_description(asked):
    _weighted(asked)["options"][0]["description"] = {"fi": "Kustannusjohtajuus", "sv": "…", "en": "…"}


def _with_long_label(asked):
    _weighted(asked)["options"][0]["label"]["fi"] = (
        "Tuotantolähtöinen: tavoitteena on kustannusjohtajuus ja suuret sarjat"
    )


def _with_page_text(asked):
    asked["pages"][-1]["text"] = {"fi": "Toimintatapa tarkoittaa …", "sv": "…", "en": "…"}


def _named_before(asked):
    asked["pages"][0]["title"]["en"] = "Is yours a customer-service-oriented organisation?"


def _with_fifth_mode(asked):
    _weighted(asked)["options"].insert(
        0, {"code": "NET", "label": {"fi": "Verkosto", "sv": "Nätverk", "en": "Network"}}
    )


@pytest.mark.parametrize(
    ("change", "claim"),
    [
        (_without_whole, "PC10"),
        (_with_description, "PC13"),
        (_with_long_label, "PC13"),
        (_with_page_text, "PC13"),
        (_named_before, "PC13"),
        (_with_fifth_mode, "PC14"),
    ],
)
def test_a_changed_questionnaire_is_no_longer_that_of_2015(change, claim):
    asked = definition()
    change(asked)
    found = decide(evidence(people(10, {"CUST": 3, "DEV": 1}), questionnaire=asked))
    assert found[claim].verdict is NOT_REPRODUCED


def test_several_choices_need_someone_who_chose_several():
    assert decide(evidence(people(10, {"CUST": 3})))["PC11"].verdict is NOT_REPRODUCED


def test_a_level_of_a_mode_that_was_not_chosen_breaks_the_rule_of_centrality():
    rows = people(10, {"CUST": 3})
    assert decide(evidence([*rows, person("x", {"CUST": None})]))["PC12"].verdict is REPRODUCED
    assert decide(evidence([*rows, person("x", {"CUST": 3}, OM_B02_DEV=2.0)]))["PC12"].verdict is NOT_REPRODUCED


# ---- the modes ----------------------------------------------------------------------------------


def test_a_lead_is_the_share_calling_the_mode_central_less_that_of_the_next():
    # 30 of 40 call CUST central, 10 DEV, none the others: 75 % - 25 % = 50 points.
    found = decide(evidence(people(30, {"CUST": 3}) + people(10, {"DEV": 3, "CUST": 2}, prefix="d")))["PC20"]
    assert found.verdict is REPRODUCED
    assert found.respondent.value == pytest.approx(0.5)
    assert found.respondent.low > 0
    by_name = {detail.name: detail.respondent.value for detail in found.details}
    assert by_name["selected"] == pytest.approx(40 / 40 - 10 / 40)
    assert by_name["mean100"] == pytest.approx((30 * 3 + 10 * 2) / 3 / 40 - 10 * 3 / 3 / 40)


def test_per_organisation_colleagues_share_one_vote():
    # One organisation of 20 for CUST, 20 of one person each for DEV: even by respondents, not by organisations.
    rows = [person("big", {"CUST": 3}) for _ in range(20)] + people(20, {"DEV": 3}, prefix="d")
    found = decide(evidence(rows))["PC20"]
    assert found.respondent.value == pytest.approx(0)
    assert found.organisation.value == pytest.approx(1 / 21 - 20 / 21)


def test_a_lead_within_chance_or_under_five_points_is_consistent_but_not_clear():
    narrow = people(21, {"CUST": 3}) + people(19, {"DEV": 3}, prefix="d")  # 5 points, far within chance
    assert decide(evidence(narrow))["PC20"].verdict is CONSISTENT
    sure = people(20, {"CUST": 3}) + people(580, {"PROD": 1}, prefix="d")  # 3.3 points, beyond chance
    found = decide(evidence(sure))["PC20"]
    assert found.respondent.low > 0
    assert found.verdict is CONSISTENT


def test_customer_service_behind_another_mode_is_not_first():
    rows = people(10, {"CUST": 3}) + people(30, {"DEV": 3}, prefix="d")
    assert decide(evidence(rows))["PC20"].verdict is NOT_REPRODUCED


@pytest.mark.parametrize(
    ("cust", "dev", "prod", "verdict"),
    [
        (60, 30, 10, REPRODUCED),
        (45, 29, 26, CONSISTENT),  # second, but perhaps by chance
        (70, 20, 10, NOT_REPRODUCED),  # second, but central to 20 % only
        (30, 60, 10, NOT_REPRODUCED),  # first, not second
        (45, 26, 29, NOT_REPRODUCED),  # third
    ],
)
def test_development_is_second_if_surely_ahead_of_the_third_and_central_to_a_quarter(cust, dev, prod, verdict):
    rows = people(cust, {"CUST": 3}) + people(dev, {"DEV": 3}, prefix="d") + people(prod, {"PROD": 3}, prefix="p")
    assert decide(evidence(rows))["PC21"].verdict is verdict


def test_the_claims_are_decided_by_the_weights_of_the_plan():
    rows = people(60, {"CUST": 3}, weight=1.0) + people(40, {"DEV": 3}, prefix="d", weight=3.0)
    unweighted, weighted = decide(evidence(rows)), decide(evidence(rows, design=DesignColumns(weight="weight")))
    assert unweighted["PC20"].respondent.value == pytest.approx(0.2)
    assert weighted["PC20"].respondent.value == pytest.approx((60 - 120) / 180)
    assert weighted["PC21"].respondent.value == pytest.approx(120 / 180)
    assert weighted["PC20"].verdict is NOT_REPRODUCED


def test_the_claims_are_as_sure_as_the_psus_of_the_plan_allow():
    rows = [person(f"o{n}", {"CUST": 3} if n < 60 else {"DEV": 3}, region=f"r{n // 20}") for n in range(100)]
    by_firm, by_region = decide(evidence(rows)), decide(evidence(rows, design=DesignColumns(psu="region")))
    lead, clustered = by_firm["PC20"].respondent, by_region["PC20"].respondent
    assert clustered.value == lead.value == pytest.approx(0.2)
    assert clustered.high - clustered.low > 2 * (lead.high - lead.low)
    assert clustered.base_organisations == 100


def test_a_misspelt_code_of_a_claim_is_told_and_never_counted_as_nobody():
    with pytest.raises(AnalystError, match="BG01 has no code BOSS; there are: TOP"):
        evidence(people(10, {"CUST": 3})).study.among("BG01", ["BOSS"])


@pytest.mark.parametrize(("several", "verdict"), [(65, REPRODUCED), (54, CONSISTENT), (50, NOT_REPRODUCED)])
def test_combinations_are_usual_if_surely_more_than_half_of_the_organisations_have_them(several, verdict):
    rows = people(several, {"CUST": 3, "DEV": 1}) + people(100 - several, {"CUST": 3}, prefix="s")
    found = decide(evidence(rows))["PC22"]
    assert found.organisation.value == pytest.approx(several / 100)
    assert found.verdict is verdict


def test_an_organisation_combines_modes_if_anyone_in_it_does():
    # 20 organisations of three people; in each one of the three chose two modes.
    rows = [person(f"o{o}", {"CUST": 3, "DEV": 1} if one == 0 else {"CUST": 3}) for o in range(20) for one in range(3)]
    found = decide(evidence(rows))["PC22"]
    assert found.organisation.value == 1
    assert found.respondent.value == pytest.approx(1 / 3)
    assert found.details[0].organisation.value == 0  # by majority: in none


@pytest.mark.parametrize(("both", "verdict"), [(15, REPRODUCED), (6, CONSISTENT), (5, NOT_REPRODUCED)])
def test_two_central_modes_are_several_if_surely_more_than_five_per_cent_have_them(both, verdict):
    rows = people(both, {"CUST": 3, "DEV": 3}) + people(100 - both, {"CUST": 3}, prefix="s")
    found = decide(evidence(rows))["PC23"]
    assert found.respondent.value == pytest.approx(both / 100)
    assert found.verdict is verdict
    pair = next(detail for detail in found.details if detail.name == "pair")
    assert pair.label["en"].endswith("Product- or service-development-oriented + Customer-service-oriented")


def test_a_mode_left_unrated_leaves_the_base_only_where_it_could_change_the_answer():
    rows = people(40, {"CUST": 3, "DEV": 3}) + people(40, {"CUST": 3}, prefix="s")
    unrated = [person("x", {"CUST": 3, "DEV": 3, "PUB": None}), person("y", {"CUST": 3, "PUB": None})]
    found = decide(evidence([*rows, *unrated]))["PC23"]
    assert found.respondent.base_n == 81  # x has two central ones whatever PUB is, y may have
    assert found.respondent.value == pytest.approx(41 / 81)


def test_the_modes_are_compared_among_companies_and_public_organisations_only():
    rows = people(40, {"CUST": 3}) + people(40, {"DEV": 3}, prefix="n", BG10="NGO")
    found = decide(evidence(rows))["PC20"]
    assert found.respondent.base_n == 40
    assert found.respondent.value == 1


# ---- what may be shown --------------------------------------------------------------------------


def test_with_few_respondents_no_claim_shows_a_figure_but_the_counts():
    found = decide(evidence(people(4, {"CUST": 3, "DEV": 3})))
    assert found["PC01"].respondent.value == 4
    assert found["PC01"].verdict is NOT_REPRODUCED
    for claim in ("PC03", "PC04", "PC06", "PC07", "PC11", "PC12", "PC20", "PC21", "PC22", "PC23"):
        result = found[claim]
        assert result.verdict is NOT_TESTABLE, claim
        assert result.why == "too_few"
        measures = [result.respondent, result.organisation]
        measures += [measure for one in result.details for measure in (one.respondent, one.organisation)]
        assert all(measure is None or measure.value is None for measure in measures), claim


def test_without_respondents_every_claim_is_open_or_wrong_and_none_fails():
    found = decide(evidence(people(1, {}, BG01=None)))
    assert found["PC01"].verdict is NOT_REPRODUCED
    assert found["PC20"].verdict is NOT_TESTABLE


def test_five_respondents_of_two_organisations_are_too_few():
    rows = [person("a", {"CUST": 3}) for _ in range(3)] + [person("b", {"CUST": 3}) for _ in range(2)]
    assert decide(evidence(rows))["PC03"].why == "too_few"


def test_under_thirty_respondents_a_claim_on_the_modes_is_not_decided():
    found = decide(evidence(people(29, {"CUST": 3})))["PC20"]
    assert (found.verdict, found.why) == (NOT_TESTABLE, "small_base")
    assert found.respondent.value == 1
    assert decide(evidence(people(30, {"CUST": 3})))["PC20"].verdict is REPRODUCED


def test_a_subgroup_is_hidden_if_the_few_left_over_could_be_worked_out():
    rows = people(40, {"CUST": 3}) + people(4, {"DEV": 3}, prefix="m", BG01="MID")
    found = decide(evidence(rows))["PC20"]
    top = next(detail for detail in found.details if detail.name == "top")
    assert found.respondent.value is not None
    assert (top.respondent.value, top.respondent.hidden) == (None, "complement")


# ---- verdict and basis --------------------------------------------------------------------------


def test_simulated_agreement_is_by_construction_and_real_agreement_is_real():
    rows = study_of_2015()
    simulated, real = decide(evidence(rows), "simulated"), decide(evidence(rows), "real")
    for claim in ("PC01", "PC03", "PC20", "PC23"):
        assert simulated[claim].basis == ("by_construction",)
        assert real[claim].basis == ("real",)
    assert simulated["PC02"].basis == ("by_construction", "emergent")
    assert simulated["PC02"].note and not real["PC02"].note


def test_claims_the_form_cannot_reach_are_named_and_have_no_basis():
    found = decide(evidence(study_of_2015()))
    for claim in ("PC08", "PC24", "PC25–PC27", "PC30–PC44", "PC50–PC53", "PC60–PC63"):
        assert found[claim].verdict is NOT_TESTABLE
        assert found[claim].basis == ()
        assert found[claim].note


def test_results_come_back_from_the_file_as_they_went_in(tmp_path):
    results = tuple(decide(evidence(study_of_2015())).values())
    claims_of.write(results, tmp_path / "claims.json", about={"origin": "real"})
    assert claims_of.read(tmp_path / "claims.json") == results


# ---- claims.yaml --------------------------------------------------------------------------------

BROKEN = """\
schema: claims/1
instrument: operating_mode
forms: [core2015]
claims:
  - id: A
    claim: {fi: yksi, sv: ett, en: one}
    expected: {fi: yksi, sv: ett}
    test: {name: respondents, equals: many}
    basis: {simulated: [by_magic], real: [real]}
  - id: A
    claim: {fi: yksi, sv: ett, en: one}
    expected: {fi: yksi, sv: ett, en: one}
    test: {name: guess}
    basis: {simulated: [], real: []}
    colour: red
  - id: B
    claim: {fi: yksi, sv: ett, en: one}
    expected: {fi: yksi, sv: ett, en: one}
    test: {name: reference}
    error_rate: 0.05
    basis: {simulated: []}
"""


def test_every_fault_of_a_claims_file_is_told_at_once_with_its_line(tmp_path):
    file = tmp_path / "claims.yaml"
    file.write_text(BROKEN, encoding="utf-8")
    assert told(file) == [
        (7, "claims 'A' expected", "there is no text in 'en'"),
        (8, "claims 'A' test equals", "respondents: 'many' is not a number"),
        (9, "claims 'A' basis simulated", "'by_magic' is no basis"),
        (10, "claims 'A' id", "the id comes twice"),
        (13, "claims 'A' test", "there is no test 'guess'"),
        (15, "claims 'A' colour", "the key is unknown"),
        (20, "claims 'B' error_rate", "this test has no chance in it"),
        (21, "claims 'B' basis", "there is no basis for real answers"),
    ]


def told(file):
    with pytest.raises(AuthorError) as refusal:
        claims_of.load(file, codebook(), plan())
    return [(problem.line, problem.where, problem.cause) for problem in refusal.value.problems]


@pytest.mark.parametrize(
    ("test", "where", "cause"),
    [
        ("{name: several_choices, question: OM_Z}", "question", "there is no question 'OM_Z'"),
        ("{name: combinations, score: OM_Z, more_than: 0.5}", "score", "the plan has no score 'OM_Z'"),
        ("{name: target_group, variable: BG99, codes: [A]}", "variable", "there is no closed variable 'BG99'"),
        ("{name: target_group, variable: org3, codes: [COMP]}", "codes", "org3 has no code 'COMP'"),
        ("{name: first_mode, score: OM_B, mode: CUSTOM, lead: 0.05, top: {variable: BG01, codes: [TOP]}}",
         "mode", "OM_B has no code 'CUSTOM'"),
        ("{name: first_mode, score: OM_B, mode: CUST, lead: 0.05, top: {variable: BG01, codes: [TIP]}}",
         "top codes", "BG01 has no code 'TIP'"),
        ("{name: first_mode, score: OM_B, mode: CUST, lead: 0.05, top: TOP}",
         "top", "first_mode: 'TOP' is not a mapping"),
    ],
)  # fmt: skip
def test_a_claim_about_something_that_is_neither_asked_nor_planned_is_refused_at_its_line(tmp_path, test, where, cause):
    file = tmp_path / "claims.yaml"
    file.write_text(BROKEN[: BROKEN.index("  - id: A")] + CLAIM.format(test=test), encoding="utf-8")
    assert (8, f"claims 'A' test {where}", cause) in told(file)


CLAIM = """\
  - id: A
    claim: {{fi: yksi, sv: ett, en: one}}
    expected: {{fi: yksi, sv: ett, en: one}}
    test: {test}
    basis: {{simulated: [], real: []}}
"""


@pytest.mark.parametrize(
    "text",
    [
        "claims: nothing",
        "claims: [one, {id: B}]",
        "claims: [{id: A, test: reference, basis: [real], details: {x: y}, error_rate: often}]",
        "claims: [{id: [A], test: {name: [x]}, basis: {real: yes}}]",
        "elsewhere: {ids: A}",
    ],
)
def test_whatever_shape_a_claims_file_has_its_faults_are_sentences(tmp_path, text):
    file = tmp_path / "claims.yaml"
    file.write_text(BROKEN[: BROKEN.index("claims:")] + text, encoding="utf-8")
    assert {line for line, _, _ in told(file)} == {4}


def test_a_file_that_is_no_yaml_or_not_there_is_an_authors_error(tmp_path):
    for text in ("claims: [", "just words"):
        (tmp_path / "claims.yaml").write_text(text, encoding="utf-8")
        with pytest.raises(AuthorError):
            claims_of.load(tmp_path / "claims.yaml", codebook(), plan())
    with pytest.raises(AuthorError):
        claims_of.load(tmp_path / "nowhere.yaml", codebook(), plan())
