"""The ledger only grows, tells nothing without its key, and sees what charts give away together."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from analysis import ledger
from analysis.ledger import Base, DataSet, Ledger, LedgerError
from analysis.publishable import Shares
from analysis.publishing import Responses, Snapshot, decide
from analysis.refusals import Refusal
from kysely.errors import ConfigurationError
from kysely.pseudonyms import VARIABLE, keyed

SECRET = b"a secret that is long enough to be one"


def base(*members, chart="Q", group="G"):
    return Base("x", (chart, "type"), group, frozenset(str(one) for one in members))


def atoms_of(*bases):
    return ledger.atoms(bases, {member: member for one in bases for member in one.members})


def test_a_total_less_its_other_groups_gives_a_small_group_away():
    total, first, second = base(*range(30)), base(*range(12)), base(*range(12, 26))
    found = atoms_of(total, first, second)
    union = ledger.given_away(found, (10, 3))
    assert union is not None and found.n[list(union)].sum() == 4
    assert len(ledger.involved([total, first, second], found, union)) == 3


def test_a_union_that_no_pair_of_charts_gives_away_is_found_from_three():
    # Two overlapping groups of 20 and their union: what both have is the sum less the union, 6 people.
    one, other, both = base(*range(20)), base(*range(14, 34)), base(*range(34))
    assert ledger.given_away(atoms_of(one, other), (10, 3)) is None
    found = atoms_of(one, other, both)
    union = ledger.given_away(found, (10, 3))
    assert union is not None and found.n[list(union)].sum() == 6


def test_ten_people_of_two_organisations_are_as_small_as_nine():
    total, rest = base(*range(40)), base(*range(12, 40))
    firms = {str(i): f"o{i % 2}" if i < 12 else f"o{i}" for i in range(40)}
    assert ledger.given_away(ledger.atoms([total, rest], firms), (10, 3)) is not None
    assert ledger.given_away(atoms_of(total, rest), (10, 3)) is None


def test_what_is_public_already_is_not_given_away_again():
    total, rest, other = base(*range(30)), base(*range(6, 30)), base(*range(15))
    found = atoms_of(total, rest)
    assert ledger.given_away(found, (10, 3)) is not None
    assert ledger.given_away(found, (10, 3), public=found.matrix) is None
    assert ledger.given_away(atoms_of(total, other), (10, 3)) is None


def test_the_rank_is_that_over_fractions():
    rng = np.random.default_rng(1)
    for _ in range(40):
        matrix = rng.integers(0, 2, rng.integers(1, 12, 2))
        assert ledger._span(matrix).rank == rank_over_fractions(matrix)
    # Of an order at which one prime is not enough for Hadamard's bound.
    assert ledger._span(np.tril(np.ones((60, 60), np.int64))).rank == 60


def rank_over_fractions(matrix):
    rows, rank = [[Fraction(int(x)) for x in row] for row in matrix], 0
    for column in range(matrix.shape[1]):
        pivot = next((i for i in range(rank, len(rows)) if rows[i][column]), None)
        if pivot is None:
            continue
        rows[rank], rows[pivot] = rows[pivot], rows[rank]
        for i in range(rank + 1, len(rows)):
            factor = rows[i][column] / rows[rank][column]
            rows[i] = [x - factor * y for x, y in zip(rows[i], rows[rank], strict=True)]
        rank += 1
    return rank


# ---- the file -------------------------------------------------------------------------------------------


def published(book, n, dataset="1"):
    ids = [f"respondent-{i}" for i in range(n)]
    responses = Responses.of(dataset, ids, [f"firm-{i}" for i in ids], secret=SECRET)
    question = Shares("Q", np.arange(n) % 2, ("A", "B"))
    earlier = book.entries()
    decided = decide(responses, question, None, earlier)
    if isinstance(decided, Refusal):
        return decided
    book.record(decided[1], f"2026-01-0{dataset}", judged_against=earlier)
    return decided[0]


def test_a_publication_is_tested_against_those_in_the_file_even_when_they_are_retired(tmp_path):
    book = Ledger(tmp_path / "published" / ledger.FILE, SECRET)
    assert isinstance(published(book, 60), Snapshot)
    (first,) = book.entries()
    book.retire(first.id, "2026-01-02")
    refused = published(book, 63, dataset="3")
    assert isinstance(refused, Refusal) and first.id in str(refused)
    assert isinstance(published(book, 80, dataset="4"), Snapshot)
    assert [entry.retired_at for entry in book.entries()] == ["2026-01-02", None]
    assert book.entries()[0].bases == first.bases


def test_the_file_names_nobody(tmp_path):
    book = Ledger(tmp_path / ledger.FILE, SECRET)
    published(book, 60)
    text = book.path.read_text()
    assert "respondent-" not in text and "firm-" not in text
    assert keyed(SECRET, ["a"]) != keyed(b"another", ["a"])


@pytest.fixture
def book(tmp_path):
    """Return a ledger of three publications."""
    book = Ledger(tmp_path / ledger.FILE, SECRET)
    for dataset, n in (("1", 60), ("2", 80), ("3", 100)):
        published(book, n, dataset=dataset)
    return book


def test_another_key_is_told_from_a_changed_ledger(book):
    with pytest.raises(LedgerError, match="line 1: it was written with another key"):
        Ledger(book.path, b"another").entries()


def sealed_anew(line, **changes):
    """Return the line with a change and the seal that somebody without the key can make for it."""
    content = {**json.loads(line), **changes}
    return json.dumps({**content, "seal": Ledger(Path("x"), b"guessed")._seal(content)})


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda lines: [lines[0], lines[2]], "1 lines at its end are lacking"),
        (lambda lines: lines[:2], "1 lines at its end are lacking"),
        (lambda lines: [lines[0], lines[2], lines[2]], "line 2: a line before it was changed, added or taken out"),
        (lambda lines: [lines[0].replace("2026-01-01", "2026-01-09"), *lines[1:]], "line 1: it was changed"),
        (lambda lines: [*lines[:2], lines[2].replace("2026-01-03", "2026-01-09")], "line 3: it was changed"),
        (lambda lines: [*lines[:2], sealed_anew(lines[2], at="2026-01-09")], "line 3: it is not the one"),
        (lambda lines: [lines[1], lines[0], lines[2]], "line 1: a line before it was"),
        (lambda lines: [lines[0][:50], *lines[1:]], "line 1: it is damaged"),
        (lambda lines: [], "3 lines at its end are lacking"),
    ],
)
def test_a_line_that_was_changed_added_moved_or_taken_out_is_seen_even_at_the_end(book, harm, said):
    lines = book.path.read_text().splitlines()
    book.path.write_text("".join(line + "\n" for line in harm(lines)))
    with pytest.raises(LedgerError, match=said):
        book.entries()


def test_a_line_that_a_crash_cut_short_was_never_published_and_makes_room_for_the_next(book):
    whole = book.path.read_text()
    book.path.write_text(whole + whole.splitlines()[0][:70])
    assert len(book.entries()) == 3
    assert isinstance(published(book, 140, dataset="4"), Snapshot)
    assert len(book.entries()) == 4 and book.path.read_text().startswith(whole)


def test_a_crash_before_the_note_of_the_last_line_loses_nothing(book):
    note = (book.path.parent / "last.json").read_text()
    published(book, 140, dataset="4")
    (book.path.parent / "last.json").write_text(note)
    assert len(book.entries()) == 4
    (book.path.parent / "last.json").unlink()
    with pytest.raises(LedgerError, match="last.json is lacking"):
        book.entries()


def test_a_data_set_keeps_its_number_for_ever(tmp_path):
    book = Ledger(tmp_path / ledger.FILE, SECRET)
    first = DataSet("1", "a" * 64, "wave1", 60, 50, "2026-01-01")
    assert book.freeze(first) == first
    assert book.freeze(replace(first, number="2", frozen_at="2026-02-01")) == first
    assert book.freeze(replace(first, number="2", sha256="b" * 64)).number == "2"
    assert [one.number for one in book.data_sets()] == ["1", "2"]


def test_what_was_judged_before_another_publication_came_is_not_written(tmp_path):
    book = Ledger(tmp_path / ledger.FILE, SECRET)
    published(book, 60)
    (entry,) = book.entries()
    with pytest.raises(LedgerError, match="added meanwhile"):
        book.record(entry, "2026-01-02", judged_against=[])
    assert len(book.path.read_text().splitlines()) == 1
    assert json.loads(book.path.read_text())["before"] == ""


def test_real_answers_need_a_key_of_their_own_and_those_of_robots_none():
    assert ledger.key({}, real=False) == ledger.key({VARIABLE: "k" * 32}, real=False)
    assert ledger.key({VARIABLE: "k" * 32}, real=True) == b"k" * 32
    for environ in ({}, {VARIABLE: "short"}, {VARIABLE: " " * 40}):
        with pytest.raises(ConfigurationError, match=VARIABLE) as error:
            ledger.key(environ, real=True)
        assert "short" not in str(error.value).replace("too short", "")


def test_nothing_is_retired_that_was_not_published(tmp_path):
    with pytest.raises(LedgerError, match="no publication 'x'"):
        Ledger(tmp_path / ledger.FILE, SECRET).retire("x", "2026-01-01")
