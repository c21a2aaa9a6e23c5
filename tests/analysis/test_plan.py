"""A plan is checked against the codebook, and every fault has its line, cause and cure."""

import pytest

from analysis import plan
from analysis.charts._keys import KEYS
from analysis.conflict import ConflictRules
from kysely import plugins
from kysely.errors import AuthorError
from tests.analysis import _study

BOOK = _study.codebook()
START = "schema: plan/1\ninstrument: operating_mode\nforms: [core2015]\n"


def faults(tmp_path, text: str) -> list[str]:
    path = tmp_path / "plan.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(AuthorError) as error:
        plan.load(path, BOOK)
    return [str(problem) for problem in error.value.problems]


def test_the_shipped_plan_of_the_study_has_no_fault():
    loaded = _study.plan()
    assert [table.id for table in loaded.tables] == [f"OM_TAB0{n}" for n in range(1, 7)]
    assert loaded.banners == ("org3", "BG10", "role2", "BG01", "size4", "BG12")


def test_the_recodes_of_the_study_put_every_code_somewhere():
    for recode in _study.plan().recodes:
        used = [code for category in recode.categories for code in category.codes]
        assert sorted(used) == sorted(category.code for category in BOOK[recode.source].categories)


def test_a_derived_variable_has_labels_in_every_language():
    book = _study.plan().codebook(BOOK)
    for name in ("OM_B_dominant", "OM_B_combination", "OM_B_central_2plus", "org3"):
        for category in book[name].categories:
            assert set(category.label) == {"fi", "sv", "en"}


def test_combinations_stand_in_order_of_size():
    assert plan.combinations(("A", "B", "C")) == ("NONE", "A", "B", "C", "A+B", "A+C", "B+C", "A+B+C")


def test_all_faults_are_told_at_once_with_their_lines(tmp_path):
    found = faults(
        tmp_path,
        START
        + """banners:
  - {variable: BG99}
recodes:
  - name: org3
    from: BG10
    text: {fi: Ryhmä, en: Group}
    categories:
      - {code: company, codes: [COMP, BANK], label: {fi: a, sv: b, en: c}}
      - {code: public, codes: [COMP], label: {fi: a, sv: b, en: c}}
tables:
  - {id: T1, title: {fi: a, sv: b, en: c}, variables: [BG98], stricct: true}
rules: {suppress_respondents: 3}
""",
    )
    assert [fault.split(": ")[0] for fault in found] == [
        f"{tmp_path.name}/plan.yaml:{line}" for line in (5, 9, 11, 12, 14, 14, 15)
    ]
    together = "\n".join(found)
    for said in (
        "'BG99'",
        "no text in 'sv'",
        "no code 'BANK'",
        "'COMP' is in 'company' already",
        "stricct: the key is unknown",
        "Use some of adjust, small_base",
    ):
        assert said in together


def test_a_plan_of_another_form_is_refused(tmp_path):
    (fault,) = faults(tmp_path, START.replace("core2015", "full"))
    assert "the codebook is of the form 'core2015'" in fault


def test_an_entry_for_other_forms_is_left_out_with_what_is_said_of_it(tmp_path):
    text = (
        START.replace("core2015", "core2015, full")
        + """recodes:
  - name: wish
    forms: [full]
    from: OM_B09
    text: {fi: a, sv: b, en: c}
    categories: [{code: yes_, codes: [YES], label: {fi: a, sv: b, en: c}}]
tables:
  - {id: T1, forms: [full], title: {fi: a, sv: b, en: c}, variables: [wish]}
  - {id: T1, forms: [core2015], title: {fi: a, sv: b, en: c}, variables: [BG01]}
  - {id: T2, title: {fi: a, sv: b, en: c}, variables: [BG10]}
labels:
  wish: {yes_: {fi: a, sv: b, en: c}}
"""
    )
    path = tmp_path / "plan.yaml"
    path.write_text(text, encoding="utf-8")
    read = plan.load(path, BOOK)
    assert [(table.id, table.variables) for table in read.tables] == [("T1", ("BG01",)), ("T2", ("BG10",))]
    assert not read.recodes and not read.labels
    (fault,) = faults(tmp_path, text.replace("id: T2,", "id: T2, forms: [short],"))
    assert "the file is not for the form short" in fault and "Name some of core2015, full" in fault


def test_an_unquoted_no_is_told_as_what_it_is(tmp_path):
    found = faults(tmp_path, START + "population: {variable: BG04, codes: [true]}\n")
    assert "quote YES and NO" in found[0]


def test_a_file_that_is_no_yaml_names_the_line(tmp_path):
    (fault,) = faults(tmp_path, START + "tables: [\n")
    assert "plan.yaml:5" in fault and "not readable as YAML" in fault


def test_a_lacking_file_is_told_with_its_name(tmp_path):
    with pytest.raises(AuthorError, match="plan.yaml:1: plan: there is no such file"):
        plan.load(tmp_path / "plan.yaml", BOOK)


@pytest.mark.parametrize("name", ["BG16", "OM_B01", "NOW", "OM_B01_PROD"])
def test_what_allows_several_answers_is_no_banner(tmp_path, name):
    (fault,) = faults(tmp_path, f"{START}{SCORES}banners:\n  - {{variable: {name}}}\n")
    assert f"{name!r} is no single-choice variable or recode" in fault


def test_a_chart_of_an_unknown_table_is_refused(tmp_path):
    words = "{fi: a, sv: b, en: c}"
    drawn = f"chart: diverging_levels, levels: OM_B02, headline: {words}, descriptive: true"
    drawn += f", subtitle: {words}, alt: {words}"
    chart = f"{{id: F1, table: T9, {drawn}}}"
    (fault,) = faults(tmp_path, START + f"charts:\n  - {chart}\n")
    assert "there is no table 'T9'" in fault


def test_a_chart_that_nobody_can_draw_is_refused_before_anything_is_estimated(tmp_path):
    words = "{fi: a, sv: b, en: c}"
    plan_with = f"""tables:
  - {{id: T1, title: {words}, variables: [BG10]}}
charts:
  - {{id: F1, chart: pie, table: T1, headline: {words}, descriptive: true, subtitle: {words}, alt: {words}}}
"""
    (fault,) = faults(tmp_path, START + plan_with)
    assert "plan.yaml:7: charts 'F1' chart: there is no chart 'pie'. Use one of" in fault


CHARTED = """recodes:
  - {name: org3, from: BG10, text: &t {fi: a, sv: b, en: c}, categories: [{code: x, codes: [COMP], label: *t}]}
{scores}tables:
  - {id: T1, title: *t, variables: [NOW, OM_B02], banners: [org3]}
charts:
  - {id: F1, table: T1, headline: *t, descriptive: true, subtitle: *t, alt: *t, {keys}}
"""


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("chart: dots_by_group, levels: OM_B02, score: NOW", "banner: the key is lacking. Add `banner:`, a word"),
        ("chart: dots_by_group, levels: OM_B02, score: LATER, banner: org3", "score: there is no score 'LATER'"),
        (
            "chart: dots_by_group, levels: OM_B01, score: NOW, banner: org3",
            "levels: there is no set of levels 'OM_B01'",
        ),
        ("chart: dots_by_group, levels: OM_B02, score: NOW, banner: BG16", "banner: there is no banner 'BG16'"),
        (
            "chart: dots_by_group, levels: OM_B02, score: NOW, banner: BG01",
            "banner: the table 'T1' has no 'BG01' among its banners. Name one of org3, or another table",
        ),
        ("chart: diverging_levels, levels: OM_B02, colour: red", "colour: the key is unknown. Use some of alt"),
        ("chart: diverging_levels, levels: [OM_B02]", "levels: ['OM_B02'] is not a word"),
    ],
)
def test_the_keys_of_a_chart_are_checked_before_it_is_drawn_with_their_line(tmp_path, keys, said):
    scores = SCORES.replace("&t {fi: a, sv: b, en: c}", "*t")
    text = START + CHARTED.replace("{scores}", scores).replace("{keys}", keys)
    found = [fault for fault in faults(tmp_path, text) if "charts 'F1'" in fault]
    assert any(f"plan.yaml:16: charts 'F1' {said}" in fault for fault in found), found


def test_a_chart_whose_keys_are_in_order_has_no_fault(tmp_path):
    scores = SCORES.replace("&t {fi: a, sv: b, en: c}", "*t")
    dots = "chart: dots_by_group, levels: OM_B02, score: NOW, banner: org3"
    for keys in ("chart: diverging_levels, levels: OM_B02", dots):
        path = tmp_path / "plan.yaml"
        path.write_text(START + CHARTED.replace("{scores}", scores).replace("{keys}", keys), encoding="utf-8")
        assert plan.load(path, BOOK).charts[0].options["levels"] == "OM_B02"


def test_every_chart_says_which_keys_it_has():
    assert set(KEYS) == set(plugins.names("analysis.charts"))


def test_a_key_that_comes_twice_is_told_with_both_lines_and_hides_no_other_fault(tmp_path):
    found = faults(tmp_path, START + "rules: {small_base: 30, small_base: 50}\nrules: {small_base: 20}\nbanner: []\n")
    assert found == [
        f"{tmp_path.name}/plan.yaml:4: plan: the key 'small_base' stands here a second time (first on line 4). "
        "Remove one of them.",
        f"{tmp_path.name}/plan.yaml:5: plan: the key 'rules' stands here a second time (first on line 4). "
        "Remove one of them.",
        f"{tmp_path.name}/plan.yaml:6: plan banner: the key is unknown. Use some of agreement, banners, "
        "changes_from, charts, design, forms, instrument, labels, population, public, recodes, rules, schema, "
        "scores, tables, valid, weighting.",
    ]


SCORES = """scores:
  - &now {name: NOW, kind: weighted_choice, text: &t {fi: a, sv: b, en: c}, chosen: OM_B01, level: OM_B02,
     codes: [PROD], perspective: CUR,
     derived: {dominant: &d {text: *t, labels: {COMBO: *t, NONE: *t, "NO": *t, "YES": *t}},
     combination: *d, n_central: *d, n_selected: *d, central_2plus: *d, selected_2plus: *d}}
  - {<<: *now, name: AGAIN}
  - {<<: *now, name: WISH, perspective: DES, codes: [DEV]}
"""


@pytest.mark.parametrize(
    ("agreement", "said"),
    [
        ("{scores: [NOW, LATER]}", "agreement scores: there is no score 'LATER'. Name some of AGAIN, NOW, WISH"),
        ("{scores: []}", "agreement scores: no score is named"),
        ("{scores: [NOW, AGAIN]}", "'AGAIN' has the perspective 'CUR' of 'NOW'. Name one score of each perspective"),
        ("{scores: [NOW, WISH]}", "'WISH' has other codes than the scores before it"),
        ("{scores: [NOW], conflict: {low: 2}}", "agreement conflict low: 2 is not a number from 0 to 1"),
        ("{scores: [NOW], conflict: {low: 0.5}}", "a low distance reaches up to a high one"),
        ("{scores: [NOW], conflict: {lowest: 0.1}}", "Use some of aligned, high, low, no_stand"),
        ("{score: [NOW]}", "agreement score: the key is unknown. Use some of conflict, scores"),
    ],
)
def test_what_is_wrong_with_the_plan_of_agreement_is_told_with_its_line(tmp_path, agreement, said):
    found = faults(tmp_path, f"{START}{SCORES}agreement: {agreement}\n")
    ours = [fault for fault in found if "plan.yaml:11: plan agreement" in fault]
    assert any(said in fault for fault in ours), found


def test_the_thresholds_of_the_study_are_those_of_its_specification():
    found = _study.plan().agreement
    assert found is not None and found.scores == ("OM_B",)
    assert ConflictRules(**found.conflict) == ConflictRules()


@pytest.mark.parametrize("content", [b"schema: \xff", b"a: b: c", b"\t- x", b"[" * 5000, b"- a list", b""])
def test_a_file_that_cannot_be_read_is_a_fault_in_a_sentence(tmp_path, content):
    path = tmp_path / "plan.yaml"
    path.write_bytes(content)
    with pytest.raises(AuthorError) as error:
        plan.load(path, BOOK)
    assert str(error.value).startswith(f"{tmp_path.name}/plan.yaml:1: plan: ")


PUBLIC = """public:
  classifications:
    - {variable: BG10}
  questions:
    - variables: [OM_B02]
      by: [BG10]
      coarser:
        - categories:
            - {code: LESS, codes: [NOT, SOME, CLEAR], label: {fi: a, sv: b, en: c}}
            - {code: CENTRAL, codes: [CENTRAL], label: {fi: a, sv: b, en: c}}
    - variables: [BG12]
  feedback: {levels: OM_B02, category: CENTRAL, by: BG10}
"""


def test_a_set_becomes_public_member_by_member_and_feedback_compares_its_coarsest_version(tmp_path):
    path = tmp_path / "plan.yaml"
    path.write_text(START + PUBLIC, encoding="utf-8")
    public = plan.load(path, BOOK).public
    assert public.questions[0].variables == tuple(f"OM_B02_{mode}" for mode in ("PROD", "DEV", "CUST", "PUB"))
    assert public.questions[0].coarser[-1][1].code == public.feedback.category == "CENTRAL"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("{variable: BG10}", "{variable: BG16}", "plan.yaml:6: classifications 'BG16' variable: 'BG16' is no single"),
        ("{variable: BG10}", "{variable: BG10, within: org9}", "'org9' is no recode of BG10"),
        ("[OM_B02]", "[OM_B99]", "there is no 'OM_B99'"),
        ("by: [BG10]\n      coarser", "by: [BG12]\n      coarser", "'BG12' is no classification of `public`"),
        ("codes: [NOT, SOME, CLEAR]", "codes: [NOT, SOME]", "do not part the codes of the question"),
        ("[BG12]", "[BG12, OM_B02]", "OM_B02_CUST, OM_B02_DEV, OM_B02_PROD, OM_B02_PUB is listed before"),
        ("[BG12]", "[BG12]\n      show: median", "BG12 has no median"),
        ("[BG12]", "[BG12]\n      show: sum", "'sum' can't be shown"),
        ("[BG12]", "[BG12]\n      between: [5, 1]", "the ends of the scale are no two numbers"),
        ("[BG12]", "[]", "no question is named"),
        ("category: CENTRAL", "category: MIDDLE", "'MIDDLE' is in no coarsest version of OM_B02"),
        ("levels: OM_B02, cat", "levels: OM_B01, cat", "'OM_B01' is no set among the public questions"),
        ("category: CENTRAL, by: BG10", "category: CENTRAL, by: BG15", "'BG15' is no classification"),
        ("questions:", "question:", "public question: the key is unknown"),
    ],
)
def test_what_may_not_become_public_is_found_in_the_plan(tmp_path, old, new, said):
    assert old in PUBLIC
    assert said in "\n".join(faults(tmp_path, START + PUBLIC.replace(old, new, 1)))
