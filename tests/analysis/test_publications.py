"""`python -m analysis publish`: what becomes public from the command line, and what it says and leaves behind."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from analysis import ledger
from analysis.__main__ import main
from kysely import paths, snapshots
from kysely.codebook import Kind
from kysely.pseudonyms import VARIABLE
from tests.analysis import _study

KEY = "a key of the ledger that nobody else knows"


class Press:
    """An instrument's folders, and what publishing from them said."""

    def __init__(self, folder, capsys, answers=None, book=None):
        self.build, self.instance, self.capsys = folder / "build", folder / "instance", capsys
        self.environ = {"KYSELY_BUILD": str(self.build), "KYSELY_INSTANCE": str(self.instance)}
        self.answers = answers or _study.answers()
        self.extract(self.answers, book)

    def extract(self, answers, book=None):
        _study.write(answers, self.build / "operating_mode" / "extract", book)

    def publish(self, *words, status=0, **environ):
        assert main(["publish", "operating_mode", *words], {**self.environ, **environ}) == status
        told = self.capsys.readouterr()
        return told.out + told.err

    def start(self, *words, code=None):
        """Return a process of its own that publishes, by *code* instead of by the command."""
        return subprocess.Popen(
            [sys.executable, *(("-c", code) if code else ("-m", "analysis")), "publish", "operating_mode", *words],
            env={**os.environ, **self.environ, "OPENBLAS_NUM_THREADS": "1"},
            cwd=paths.REPOSITORY,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    @property
    def public(self):
        return self.build / "operating_mode" / "public"

    @property
    def book(self):
        return self.instance / "ledger" / "operating_mode" / self.answers.origin / ledger.FILE

    def snapshots(self):
        return sorted(
            file.name for file in self.public.glob("*.json") if file.name not in ("index.json", "feedback.json")
        )

    def index(self):
        return json.loads((self.public / "index.json").read_text())


@pytest.fixture
def press(tmp_path, capsys):
    return Press(tmp_path, capsys)


@pytest.fixture
def real(tmp_path, capsys):
    answers = _study.answers()
    answers.origin = "real"
    made = Press(tmp_path, capsys, answers)
    made.environ[VARIABLE] = KEY
    return made


ONE = ("--question", "OM_B02_CUST", "--by", "org3")


def test_without_confirmation_nothing_is_published(press):
    said = press.publish(*ONE)
    assert "SIMULATED answers (synthetic data): 357 respondents of 266 organisations, data set 1, new" in said
    assert "by Main group of the organisation [OM_B02_CUST by org3]\n  may be published" in said
    assert "This was a dry run: nothing was published" in said
    assert not press.public.exists() and not press.book.exists()


def test_what_is_published_is_rounded_listed_and_in_the_ledger(press):
    said = press.publish(*ONE, "--confirm")
    (name,) = press.snapshots()
    assert f"published as {name.removesuffix('.json')}" in said
    shown = json.loads((press.public / name).read_text())
    assert (shown["release"], shown["synthetic"], shown["dataset"], shown["survey_n"]) == ("public", True, "1", 357)
    levels = np.array([row if row in range(4) else -1 for row in press.answers.columns["OM_B02_CUST"]])
    valid = np.array([a != "dont_know" and b != "dont_know" for a, b in _both(press.answers)])
    counts = np.bincount(levels[valid & (levels >= 0)], minlength=4)
    assert [figure["value"] for figure in shown["total"]["figures"]] == [
        int(np.floor(100 * count / counts.sum() + 0.5)) for count in counts
    ]
    for row in (shown["total"], *shown["groups"]):
        assert row["n_low"] % 5 == 0 and row["n_low"] != counts.sum()
    (listed,) = press.index()["publications"]
    assert (listed["file"], listed["newest"], listed["classification"]) == (name, True, "org3")
    assert len(press.book.read_text().splitlines()) == 2  # the data set, and what was published of it
    assert press.book.stat().st_mode & 0o077 == 0


def _both(answers):
    return zip(answers.columns["BG01"], answers.columns["OM_B01_PROD"], strict=True)


def test_the_same_again_is_nothing_new(press):
    press.publish(*ONE, "--confirm")
    before = {file: file.read_bytes() for file in (*press.public.iterdir(), press.book)}
    assert "nothing new: it is public already" in press.publish(*ONE, "--confirm")
    assert {file: file.read_bytes() for file in (*press.public.iterdir(), press.book)} == before


def test_all_that_the_plan_lists_is_judged_each_beside_the_others(press):
    said = press.publish("--confirm")
    assert len(press.snapshots()) == said.count("published as") > 10
    assert "put together as others, being small or too much alike (rules 3 to 5): “" in said
    assert "in fewer categories (" in said and "refused, rule 10" in said
    assert said.count("nothing new") == 0


def test_a_table_that_would_give_a_few_away_beside_an_earlier_one_is_refused_in_plain_words(press):
    press.publish(*ONE, "--confirm")
    (first,) = (name.removesuffix(".json") for name in press.snapshots())
    said = press.publish("--question", "OM_B02_CUST", "--by", "BG10", "--confirm", status=5)
    assert re.search(
        r"refused, rule 10b: the group “CHUR.* and the group “Third sector” in the table .* differ by", said
    )
    assert f"publication {first}" in said and "Publish it in total only, by another grouping" in said
    assert len(press.snapshots()) == 1
    press.publish("--retire", first)
    assert press.snapshots() == [] and press.index()["retired"][0]["id"] == first
    assert "refused, rule 10b" in press.publish("--question", "OM_B02_CUST", "--by", "BG10", "--confirm", status=5)
    assert f"{first}" in (listed := press.publish("--list")) and "retired" in listed


def test_groups_of_the_hierarchy_are_put_together_on_request(press):
    words = ("--question", "OM_B02_PUB", "--by", "BG10")
    said = press.publish(*words, "--merge", "WELL=public", "--merge", "NGO=CHUR", "--confirm")
    (name,) = press.snapshots()
    groups = [row["group"] for row in json.loads((press.public / name).read_text())["groups"]]
    assert "public" in groups and "MUNI" not in groups and "“Public organisations”" in said
    assert "does not let NGO be merged into COMP" in press.publish(*words, "--merge", "NGO=COMP", status=5)
    assert "write --merge GROUP=INTO" in press.publish(*words, "--merge", "NGO", status=5)


# ---- crashes, changes, two at once ----------------------------------------------------------------------

KILLED = """
import os, signal, sys
from analysis import public_files
from analysis.__main__ import main
public_files.mirror = lambda *given, **named: os.kill(os.getpid(), signal.SIGKILL) if given[1] else None
sys.exit(main())
"""


def test_a_kill_between_ledger_and_files_is_mended_by_the_next_run(press):
    killed = press.start(*ONE, "--confirm", code=KILLED)
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    assert len(press.book.read_text().splitlines()) == 2 and not press.public.exists()
    said = press.publish(*ONE, "--confirm")
    assert "written: " in said and "nothing new: it is public already" in said
    assert len(press.snapshots()) == len(press.index()["publications"]) == 1


def test_a_file_that_somebody_changed_is_written_as_it_was_published(press):
    press.publish(*ONE, "--confirm")
    (name,) = press.snapshots()
    before = (press.public / name).read_text()
    (press.public / name).write_text(before.replace('"value": 39', '"value": 93'))
    (press.public / "index.json").unlink()
    assert f"written: {name}, index.json" in press.publish("--list")
    assert (press.public / name).read_text() == before


def test_files_that_the_ledger_does_not_know_stop_everything(press):
    press.publish(*ONE, "--confirm")
    for file in press.book.parent.iterdir():
        file.unlink()
    said = press.publish("--question", "OM_B02_PUB", "--confirm", status=5)
    assert "was published, and the ledger does not know it" in said and "Restore the ledger from a backup" in said
    assert not press.book.exists()


def test_a_tampered_ledger_stops_everything(press):
    press.publish(*ONE, "--confirm")
    press.book.write_text(press.book.read_text().replace('"dataset": "1"', '"dataset": "2"', 1))
    said = press.publish("--question", "OM_B02_PUB", "--confirm", status=5)
    assert "line 2: it was changed. Restore the folder from a backup" in said
    press.book.write_text(press.book.read_text().splitlines()[0] + "\n")
    assert "1 lines at its end are lacking" in press.publish("--list", status=5)


def test_two_who_publish_at_once_publish_each_thing_once(press):
    words = ("--question", "OM_B02", "--by", "org3", "--confirm")
    first, second = press.start(*words), press.start(*words)
    said = [process.communicate()[0] for process in (first, second)]
    assert (first.returncode, second.returncode) == (0, 0), said
    published = [re.findall(r"published as (\w+)", text) for text in said]
    assert sorted(map(bool, published)) == [False, True]
    assert sorted(sum(published, [])) == [name.removesuffix(".json") for name in press.snapshots()]
    assert "nothing new" in said[published.index([])]


# ---- keys, and whose answers ----------------------------------------------------------------------------


def test_real_answers_need_a_key_which_is_never_said(real):
    del real.environ[VARIABLE]
    assert f"{VARIABLE} is not set" in real.publish(*ONE, "--confirm", status=3)
    said = real.publish(*ONE, "--confirm", **{VARIABLE: KEY})
    assert said.startswith("real answers: 357 respondents")
    assert "short" in real.publish(*ONE, status=3, **{VARIABLE: "short"})
    written = "".join(file.read_text() for folder in (real.public, real.book.parent) for file in folder.iterdir())
    assert KEY not in written + said and VARIABLE not in written
    assert not any(f"{row:032x}" in written for row in range(360)) and "org00" not in written


def test_with_another_key_nothing_can_be_published(real):
    real.publish(*ONE, "--confirm")
    said = real.publish("--question", "OM_B02_PUB", "--confirm", status=5, **{VARIABLE: KEY + "?"})
    assert "line 1: it was written with another key" in said and KEY not in said


def test_real_answers_take_the_place_of_simulated_ones_and_never_the_other_way_round(press):
    press.publish(*ONE, "--confirm")
    synthetic = press.snapshots()
    real = _study.answers(seed=2)
    real.origin = "real"
    press.extract(real)
    said = press.publish(*ONE, "--confirm", **{VARIABLE: KEY})
    assert "removed: " + synthetic[0] in said
    assert not set(synthetic) & set(press.snapshots()) and press.index()["synthetic"] is False
    press.extract(_study.answers())
    said = press.publish(*ONE, "--confirm", status=5, **{VARIABLE: KEY})
    assert "never shown in one place" in said and press.index()["synthetic"] is False
    # Nor where the ledger of the real ones is lost.
    shutil.rmtree(press.instance / "ledger" / "operating_mode" / "real")
    said = press.publish(*ONE, "--confirm", status=5)
    assert "the ledger does not know it" in said and press.index()["synthetic"] is False


def test_two_extracts_of_the_same_real_respondents_are_not_both_published(real):
    # Each extract names real respondents anew: that two more have come can't be seen, and so it isn't told.
    real.publish(*ONE, "--confirm")
    later = real.answers.take(range(330))
    real.extract(later)
    said = real.publish(*ONE, "--confirm", status=5)
    assert "data set 2, new" in said and "extracts name respondents anew" in said
    assert "refused, rule 11" in said and len(real.snapshots()) == 1
    later.wave = "wave2"
    real.extract(later)
    assert "published as" in real.publish(*ONE, "--confirm")


# ---- feedback -------------------------------------------------------------------------------------------


def test_feedback_compares_with_the_rounded_share_of_whom_a_mode_is_central(press):
    said = press.publish("--feedback", "--confirm")
    assert said.count("published as") == 4
    peers = snapshots.read(press.public)
    assert (peers.instrument, peers.synthetic, peers.dataset, peers.category) == ("operating_mode", True, 1, "CENTRAL")
    assert isinstance(peers.published_at, date)
    assert [mode.code for mode in peers.modes] == list(_study.MODES)
    rows = [
        row for row, (role, chosen) in enumerate(_both(press.answers)) if role != "no_answer" and chosen != "dont_know"
    ]
    for mode in peers.modes:
        given = press.answers.columns[mode.variable]
        answered = [row for row in rows if given[row] in range(4)]
        assert mode.all.percent == _percent(sum(given[row] == 3 for row in answered), len(answered))
        assert mode.all.n_low == mode.all.n_high == 5 * round(len(answered) / 5)
    group, share = peers.group(peers.modes[2], "MUNI")
    assert group == "public" and share.percent % 1 == 0 and peers.classification.of("COOP") == "company"


def _percent(count, n):
    return int(np.floor(100 * count / n + 0.5))


def test_feedback_stands_beside_the_finer_tables_and_follows_the_newest(press):
    press.publish("--question", "OM_B02", "--by", "org3", "--confirm")
    press.publish("--feedback", "--confirm")
    peers = snapshots.read(press.public)
    assert len(peers.modes) == 4
    press.publish("--retire", peers.modes[0].publication)
    assert len(snapshots.read(press.public).modes) == 3


def test_a_mode_that_is_central_to_nearly_nobody_is_said_to_be_under_a_bound(tmp_path, capsys):
    answers = _study.answers()
    answers.columns["OM_B02_PUB"] = [
        min(row, 2) if isinstance(row, int) else row for row in answers.columns["OM_B02_PUB"]
    ]
    answers.columns["OM_B02_PUB"][:5] = [3] * 5
    answers.columns["OM_B01_PUB"][:5] = [1] * 5
    press = Press(tmp_path, capsys, answers)
    press.publish("--feedback", "--confirm")
    (mode,) = [mode for mode in snapshots.read(press.public).modes if mode.code == "PUB"]
    assert {share.bound for share in mode.groups.values()} <= {"under"} and mode.all.percent <= 2


DECIDED = ("--person", "Aino A", "--person", "Eino E", "--reason", "asked by the board")

# ---- what can't be asked for ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--question", "BG01"), "'BG01' is not among the questions of `public` in plan.yaml"),
        (("--question", "OM_B02", "--by", "BG15"), "'BG15' is not among the classifications of `public`"),
        (("--by", "org3"), "--by and --merge are for one --question"),
        (("--retire", "nothing"), "has no publication 'nothing' to retire"),
        (("--question", "OM_B02", *DECIDED), "name one --question, not a set"),
        (("--question", "OM_B02_PUB", "--respondents", "5"), "two different persons: name each with --person"),
        (
            ("--question", "OM_B02_PUB", "--respondents", "4", *DECIDED),
            "respondents is 4; no rule and no override goes below 5",
        ),
    ],
)
def test_what_cannot_be_asked_for_is_said_with_its_cure(press, words, said):
    assert said in press.publish(*words, "--confirm", status=5)
    assert press.snapshots() == []


def test_two_persons_with_a_reason_may_lower_the_thresholds_of_one_publication(tmp_path, capsys):
    answers = _study.answers(seed=4, organisations=8, respondents=9)
    for row in range(9):
        answers.columns["OM_B02_CUST"][row], answers.columns["OM_B01_CUST"][row] = row % 2 * 3, row % 2
        answers.columns["BG01"][row] = "TOP"
    press = Press(tmp_path, capsys, answers)
    words = ("--question", "OM_B02_CUST", "--confirm")
    said = press.publish(*words, status=5)
    assert "refused, rule 2: fewer than 10 respondents or 3 organisations answered" in said
    said = press.publish(*words, "--respondents", "8", *DECIDED)
    assert "with lower thresholds" in said and "Aino" not in said
    assert "Aino" not in (press.public / press.snapshots()[0]).read_text() and "Aino A" in press.book.read_text()
    assert "with lower thresholds" in press.publish("--list")


def test_no_group_is_smaller_than_the_respondents_were_promised(tmp_path, capsys):
    answers = _study.answers(organisations=60, respondents=70)
    words = ("--question", "OM_B02_CUST", "--by", "role2")
    bases = {}
    for promised in (5, 25):
        answers.manifest = {"privacy": {"mode": "confidential", "min_group": promised}}
        press = Press(tmp_path / str(promised), capsys, answers)
        press.publish(*words, "--confirm")
        shown = json.loads((press.public / press.snapshots()[0]).read_text())
        bases[promised] = [row["n_high"] for row in shown["groups"]]
        assert shown["threshold"] == max(10, promised)
    assert min(bases[5]) < 25 and bases[25] == []
    said = press.publish(*words, "--respondents", "8", *DECIDED, status=5)
    assert "promised that figures are of at least 25 of them; no two persons can decide otherwise" in said


def test_an_amount_is_published_as_its_median_and_a_scale_as_its_mean(tmp_path, capsys):
    answers, book = _study.answers(), _study.codebook()
    answers.columns["BG98"] = [float(100 + row) for row in range(360)]
    asked = replace(book["BG01"], name="BG98", kind=Kind.NUMBER, categories=())
    book = replace(book, variables=(*book.variables, asked))
    press = Press(tmp_path, capsys, answers, book)
    folder = tmp_path / "asked" / "operating_mode"
    folder.mkdir(parents=True)
    plan = _study.PLAN.read_text(encoding="utf-8")
    listed = "    - {variables: [BG98], by: [role2], show: median}\n    - {variables: [OM_B02_PROD], show: mean}\n"
    plan = plan.replace("    - variables: [OM_B02]\n", listed + "    - variables: [OM_B01]\n")
    plan = re.sub(r"      by: \[org3, role2, size4, BG10\]\n(?s:.*?)  feedback: .*\n", "", plan)
    (folder / "plan.yaml").write_text(plan, encoding="utf-8")
    press.environ["KYSELY_QUESTIONNAIRES"] = str(folder.parent)
    said = press.publish("--confirm")
    assert "everybody, about 355 respondents: median 280" in said
    assert re.search(r"everybody, about 355 respondents: mean [01]\.\d", said)
    # A share of the same answers as the mean's is refused: together they tell more than either.
    assert "[OM_B01_PROD]\n  refused, rule 7: shares and another figure of the same answers" in said
    assert "[OM_B01_DEV]\n  published as" in said
