"""A headline that claims a difference is exported only if the interval of that difference supports it."""

from __future__ import annotations

import os
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analysis import falsification, headlines
from analysis import plan as plans
from analysis.__main__ import main
from analysis.estimates import Estimates, Provenance
from analysis.estimators import mean, share
from analysis.plan import CellSpec, HeadlineClaim
from analysis.study import RESPONDENT, Study
from analysis.tabulate import tabulate
from kysely import falsification as simulated
from kysely import loading
from kysely.errors import AuthorError
from tests.analysis import _claims, _study
from tests.analysis.test_plan import SCORES

REPLICATES = 200 if os.environ.get("KYSELY_LONG") else 20
LANGUAGES = ("fi", "sv", "en")


def cell(code, group=None, *, statistic="central", banner="org3"):
    return CellSpec("OM_B", code, statistic, *((banner, group) if group else ()))


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Study:
    return _study.study(_study.extract(tmp_path_factory.mktemp("extract")))


def claimed(study: Study, *claims: HeadlineClaim) -> tuple[Study, Estimates]:
    """Return the study whose second chart stands in the plan once for each claim, F1, F2 …, and its estimates."""
    chart = study.plan.charts[1]
    charts = tuple(replace(chart, id=f"F{place}", claim=one) for place, one in enumerate(claims, start=1))
    made = Study(study.answers, replace(study.plan, charts=charts))
    return made, tabulate(made, Provenance.of(study.answers, made, "2026-01-01T00:00:00+00:00"))


def refused(estimates: Estimates, study: Study, language="en", place=0) -> str:
    with pytest.raises(AuthorError) as error:
        headlines.check(study.plan.charts[place], estimates, language)
    return str(error.value)


def test_a_headline_that_claims_nothing_passes(study):
    made, estimates = claimed(study)
    for language in LANGUAGES:
        headlines.check(study.plan.charts[0], estimates, language)
    assert estimates.select(table=headlines.TABLE).empty


def test_the_difference_of_two_answers_of_the_same_people_is_paired(study):
    _, estimates = claimed(study, HeadlineClaim(cell("CUST"), (cell("PUB"),)))
    row = estimates.one(table=headlines.TABLE, variable="F1", statistic=headlines.DIFFERENCE)
    central = study.central(study.plan.score("OM_B"))
    both = ~np.isnan(central[:, [2, 3]]).any(axis=1)
    # Who answered both items: a mean of differences of each respondent. The few who answered one change little.
    paired = mean(np.where(both, central[:, 2] - central[:, 3], np.nan), study.designs[RESPONDENT])
    assert row["estimate"] == pytest.approx(paired.value, abs=0.01) and row["se"] == pytest.approx(paired.se, rel=0.02)
    apart = [share(central[:, place], study.designs[RESPONDENT]) for place in (2, 3)]
    assert row["estimate"] == pytest.approx(apart[0].value - apart[1].value, abs=1e-12)
    assert row["se"] != pytest.approx(np.hypot(apart[0].se, apart[1].se), rel=0.02)


def test_the_difference_of_two_groups_without_common_organisations_is_that_of_independent_shares(study):
    claim = HeadlineClaim(cell("CUST", "company"), (cell("CUST", "public"),))
    _, estimates = claimed(study, claim)
    row = estimates.one(table=headlines.TABLE, variable="F1")
    one, other = (
        estimates.one(
            table="OM_TAB05",
            variable="OM_B",
            code="CUST",
            statistic="central",
            banner="org3",
            banner_code=group,
            estimand=RESPONDENT,
        )
        for group in ("company", "public")
    )
    assert row["estimate"] == pytest.approx(one["estimate"] - other["estimate"], abs=1e-12)
    assert row["se"] == pytest.approx(np.hypot(one["se"], other["se"]), rel=1e-9)


def test_a_claim_passes_exactly_if_its_interval_supports_it(study):
    pairs = [(a, b) for a in _study.MODES for b in _study.MODES if a != b]
    made, estimates = claimed(study, *(HeadlineClaim(cell(a), (cell(b),)) for a, b in pairs))
    passed = []
    for place, (spec, (a, b)) in enumerate(zip(made.plan.charts, pairs, strict=True)):
        row = estimates.one(table=headlines.TABLE, variable=spec.id)
        if row["ci_low"] > 0:
            headlines.check(spec, estimates, "fi")
            passed.append((a, b))
        else:
            assert "does not support it" in refused(estimates, made, place=place)
    # The study is made so that customer service leads, and nothing can be more than another both ways.
    assert ("CUST", "PROD") in passed and ("CUST", "PUB") in passed
    assert not {(b, a) for a, b in passed} & {*passed}


def test_a_refusal_names_the_figures_and_the_interval_in_the_charts_language(study):
    made, estimates = claimed(study, HeadlineClaim(cell("PROD"), (cell("CUST"),), line=312))
    row = estimates.one(table=headlines.TABLE, variable="F1")
    points = f"{abs(row['estimate']) * 100:.1f}"
    said = {language: refused(estimates, made, language) for language in LANGUAGES}
    assert said["en"].startswith(
        "operating_mode/plan.yaml:312: charts 'F1' headline [en]: it says that OM_B PROD central ("
    )
    assert f"(−{points} pp)" in said["en"] or f"−{points}\u00a0pp" in said["en"]
    assert f"−{points.replace('.', ',')}\u00a0%-yks." in said["fi"] and "luottamusväli" in said["fi"]
    assert f"−{points.replace('.', ',')}\u00a0%-enh." in said["sv"] and "konfidensintervallet" in said["sv"]


def test_a_claim_of_more_than_all_others_needs_every_difference(study):
    others = tuple(cell(code) for code in ("PROD", "PUB"))
    made, estimates = claimed(
        study, HeadlineClaim(cell("CUST"), others), HeadlineClaim(cell("CUST"), (*others, cell("CUST", "company")))
    )
    headlines.check(made.plan.charts[0], estimates, "sv")
    assert "OM_B CUST central [org3 company]" in refused(estimates, made, place=1)


def test_a_bound_is_claimed_by_the_figures_own_interval(study):
    everybody = _row(study, "CUST")
    low, high = 100 * everybody["ci_low"], 100 * everybody["ci_high"]
    bounds = [{"above": low - 0.1}, {"above": low + 0.1}, {"below": high + 0.1}, {"below": high - 0.1}]
    made, estimates = claimed(study, *(HeadlineClaim(cell("CUST"), **bound) for bound in bounds))
    for place in (0, 2):
        headlines.check(made.plan.charts[place], estimates, "en")
    assert "is above" in refused(estimates, made, place=1) and "is below" in refused(estimates, made, place=3)
    assert "on yli" in refused(estimates, made, "fi", 1) and "central under" in refused(estimates, made, "sv", 3)


def test_means_are_compared_in_points_of_their_scale(study):
    hundred, plain = (cell("PUB", statistic=name) for name in ("mean100", "mean"))
    others = (cell("CUST", statistic="mean100"),), (cell("CUST", statistic="mean"),)
    made, estimates = claimed(study, HeadlineClaim(hundred, others[0]), HeadlineClaim(plain, others[1]))
    apart = estimates.one(table=headlines.TABLE, variable="F1")["estimate"]
    assert f"−{abs(apart):.1f}\u00a0points" in refused(estimates, made)
    assert f"−{abs(apart) * 3 / 100:.2f}" in refused(estimates, made, place=1)


def test_a_hidden_figure_or_a_small_base_supports_nothing_and_is_not_told(tmp_path):
    study = _study.study(_study.extract(tmp_path, _study.answers(organisations=90, respondents=120)))
    rows = _rows(study, "CUST")
    hidden, small = (rows[rows["flag"] == flag].iloc[0]["banner_code"] for flag in ("suppressed", "small_base"))
    claims = [HeadlineClaim(cell("CUST"), (cell("CUST", group, banner="BG10"),)) for group in (hidden, small)]
    claims.append(HeadlineClaim(cell("CUST", small, banner="BG10"), above=0))
    made, estimates = claimed(study, *claims)
    for place in range(3):
        said = refused(estimates, made, place=place)
        assert "rests on too few answers" in said and "interval" not in said
    row = estimates.one(table=headlines.TABLE, variable="F1")
    assert row["flag"] == "suppressed" and np.isnan(row["estimate"]) and np.isnan(row["ci_low"])


def test_estimates_of_another_plan_support_no_claim(study):
    made, estimates = claimed(study, HeadlineClaim(cell("CUST"), (cell("PUB"),)))
    changed = Study(
        made.answers,
        replace(made.plan, charts=(replace(made.plan.charts[0], claim=HeadlineClaim(cell("CUST"), (cell("PROD"),))),)),
    )
    assert "made with another plan" in refused(estimates, changed)
    without = replace(estimates, rows=estimates.rows[estimates.rows["table"] != headlines.TABLE])
    assert "made with another plan" in refused(without, made)
    assert "is not in the chart's table" in refused(
        replace(estimates, rows=estimates.rows[estimates.rows["table"] == headlines.TABLE]), made
    )


def _rows(study: Study, code: str) -> pd.DataFrame:
    _, estimates = claimed(study)
    found = estimates.select(table="OM_TAB05", variable="OM_B", code=code, statistic="central", estimand=RESPONDENT)
    return found[found["banner"] == "BG10"]


def _row(study: Study, code: str) -> pd.Series:
    _, estimates = claimed(study)
    keys = {"statistic": "central", "estimand": RESPONDENT, "banner": "total"}
    return estimates.one(table="OM_TAB05", variable="OM_B", code=code, **keys)


def test_no_file_of_a_chart_is_written_whose_headline_the_figures_do_not_support(tmp_path, capsys):
    folder, build = tmp_path / "questionnaires" / "operating_mode", tmp_path / "build"
    folder.mkdir(parents=True)
    before, _, charts = _study.PLAN.read_text(encoding="utf-8").partition("\ncharts:")
    (chart,) = re.findall(r"^  - id: OM_FIG02\n(?:    .*\n)+", charts, re.MULTILINE)
    _study.write(_study.answers(), build / "operating_mode" / "extract")
    environ = {"KYSELY_BUILD": str(build), "KYSELY_QUESTIONNAIRES": str(folder.parent)}
    claim = "claim: {more: {code: PROD}, than: {code: CUST}}"
    claiming = chart.replace("descriptive: true", claim).replace("    note: *not_chosen\n", "")
    (folder / "plan.yaml").write_text(f"{before}\ncharts:\n{claiming}", encoding="utf-8")
    assert main(["operating_mode"], environ) == 2
    told = capsys.readouterr().err
    assert "does not support it" in told or "luottamusväli" in told or "konfidensintervall" in told
    assert not any((build / "operating_mode" / "charts").glob("*/OM_FIG02*"))


# ---- where nothing differs ------------------------------------------------------------------------------


def test_where_nothing_differs_no_headline_passes_more_often_than_its_error_rate(tmp_path):
    file = tmp_path / "falsification.parquet"
    simulated.write(loading.load(_claims.FOLDER, "core2015"), 2015, REPLICATES, file)
    plan, book = _claims.plan(), _claims.codebook()
    chart = next(one for one in plan.charts if one.table == "OM_TAB05")
    pairs = [(cell(a), cell(b)) for a in _study.MODES for b in _study.MODES if a != b]
    pairs += [
        (cell(a, one), cell(a, other))
        for a in _study.MODES
        for one, other in (("company", "public"), ("public", "company"))
    ]
    charts = tuple(
        replace(chart, id=f"F{place}", claim=HeadlineClaim(one, (other,))) for place, (one, other) in enumerate(pairs)
    )
    rates = falsification.headlines(pd.read_parquet(file), replace(plan, charts=charts), book)
    assert [rate.id for rate in rates] == [one.id for one in charts]
    assert {rate.world for rate in rates} == {"no_mode_differs"} and {rate.replicates for rate in rates} == {REPLICATES}
    # Each is one side of a 95 % interval, 2.5 %: all together are judged where there are few data sets.
    together = sum(rate.reproduced for rate in rates) / sum(rate.replicates for rate in rates)
    assert together <= 0.05
    if REPLICATES >= 200:
        assert all(rate.kept for rate in rates), rates


def test_a_headline_that_passes_where_nothing_differs_is_found_out(tmp_path):
    # Everybody calls customer service central in this world "without differences".
    data = pd.DataFrame(
        [
            {"world": "no_mode_differs", "replicate": r, **row}
            for r in range(1, 6)
            for row in _claims.people(40, {"CUST": 3, "PROD": 1})
        ]
    )
    plan = _claims.plan()
    chart = replace(plan.charts[1], claim=HeadlineClaim(cell("CUST"), (cell("PROD"),)))
    data.loc[data.index % 7 == 0, "OM_B02_CUST"] = 1
    (rate,) = falsification.headlines(data, replace(plan, charts=(chart,)), _claims.codebook())
    assert (rate.reproduced, rate.kept) == (5, False)


# ---- in plan.yaml ---------------------------------------------------------------------------------------

CHART = """schema: plan/1
instrument: operating_mode
forms: [core2015]
{scores}tables:
  - {{id: T1, title: {{fi: otsikko, sv: rubrik, en: title}}, variables: [NOW, OM_B02, BG04], banners: [BG01]}}
charts:
  - id: F1
    chart: diverging_levels
    table: T1
    levels: OM_B02
    score: NOW
    subtitle: *t
    alt: *t
    {said}
"""
WORDS = "headline: *t | "


def loaded(tmp_path, said: str) -> plans.ChartSpec:
    path = tmp_path / "plan.yaml"
    path.write_text(CHART.format(scores=SCORES, said=said.replace(" | ", "\n    ")), encoding="utf-8")
    return plans.load(path, _study.codebook()).charts[0]


def test_a_chart_without_a_headline_carries_the_title_of_its_table(tmp_path):
    chart = loaded(tmp_path, "source: *t")
    assert chart.headline == {"fi": "otsikko", "sv": "rubrik", "en": "title"} and chart.claim is None


@pytest.mark.parametrize(
    ("claim", "meant"),
    [
        (
            "{more: {code: PROD}, than: {code: PROD, statistic: selected}}",
            HeadlineClaim(CellSpec("NOW", "PROD", "central"), (CellSpec("NOW", "PROD", "selected"),), line=22),
        ),
        (
            "{cell: {of: OM_B02_CUST, code: CENTRAL, banner: BG01, group: TOP}, above: 50}",
            HeadlineClaim(CellSpec("OM_B02_CUST", "CENTRAL", "share", "BG01", "TOP"), above=50, line=22),
        ),
        (
            "{more: {of: BG04, code: 'YES'}, than: [{of: BG04, code: 'NO'}, {code: PROD}]}",
            HeadlineClaim(
                CellSpec("BG04", "YES", "share"),
                (CellSpec("BG04", "NO", "share"), CellSpec("NOW", "PROD", "central")),
                line=22,
            ),
        ),
    ],
)
def test_a_claim_names_figures_of_the_charts_table(tmp_path, claim, meant):
    assert loaded(tmp_path, f"{WORDS}claim: {claim}").claim == meant


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        (WORDS + "note: *t", "headline: it is not said whether the headline compares anything. Write `claim:`"),
        ("source: *t | claim: {cell: {code: PROD}, above: 5}", "claim: there is no headline that it is about"),
        (
            "headline: {fi: Tuotanto on yleisin, sv: b, en: c} | descriptive: true",
            "headline: it is called descriptive, and its text in 'fi' compares (“yleisin”)",
        ),
        (
            "headline: {fi: a, sv: Produktion är vanligare i företag, en: c} | descriptive: true",
            "its text in 'sv' compares (“vanligare”)",
        ),
        (
            "headline: {fi: a, sv: b, en: 'Production is central to 46% of leaders'} | descriptive: true",
            "its text in 'en' compares (“46%”)",
        ),
        (
            WORDS + "claim: {cell: {code: PROD}, above: 5} | descriptive: true",
            "descriptive: the headline claims something and is descriptive at once",
        ),
        (WORDS + "claim: {more: {code: PROD}}", "claim: it is no comparison of two figures, nor of one with a bound"),
        (WORDS + "claim: {cell: {code: PROD}, above: 5, below: 7}", "claim: it is no comparison"),
        (WORDS + "claim: {more: {code: PROD}, than: {code: PROD}}", "NOW PROD central is compared with itself"),
        (
            WORDS + "claim: {more: {of: OM_B02_PUB, statistic: mean}, than: {code: PROD}}",
            "claim than: NOW PROD central is of another unit than OM_B02_PUB mean",
        ),
        (WORDS + "claim: {cell: {code: CUST}, above: 5}", "claim cell code: NOW has no code 'CUST'. Write one of PROD"),
        (WORDS + "claim: {cell: {of: BG01, code: TOP}, above: 5}", "of: the table has no 'BG01'"),
        (WORDS + "claim: {cell: {code: PROD, statistic: share}, above: 5}", "statistic: NOW has no 'share'"),
        (WORDS + "claim: {cell: {code: PROD, group: TOP}, above: 5}", "banner: the table has no banner ''"),
        (WORDS + "claim: {cell: {code: PROD, banner: BG01, group: X}, above: 5}", "group: BG01 has no code 'X'"),
        (WORDS + "claim: {cell: {code: PROD}, above: many}", "claim above: 'many' is not a number"),
        (WORDS + "claim: {cell: {code: PROD}, over: 5}", "claim over: the key is unknown"),
    ],
)
def test_a_claim_that_cannot_be_looked_up_is_told_before_anything_is_estimated(tmp_path, said, fault):
    with pytest.raises(AuthorError) as error:
        loaded(tmp_path, said)
    assert any(fault in str(problem) for problem in error.value.problems), error.value
