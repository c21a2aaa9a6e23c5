"""The book of pseudonyms: the same respondents for whoever holds the key, and nothing for anybody else."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from kysely import pseudonyms
from kysely import store as stores
from kysely.attack import attack
from kysely.commands import extract as command
from kysely.errors import ConfigurationError
from kysely.pseudonyms import ORGANISATION, RESPONSE, PseudonymsError
from tests.kysely.harvest import NOW
from tests.kysely.store.test_anonymous import ANONYMOUS
from tests.kysely.test_attack import SMALLEST, fieldwork

SECRET = b"a key of the ledger that is long enough"
PEOPLE = [(RESPONSE, f"r{number}") for number in range(4)] + [(ORGANISATION, "o1")]


def settled(folder, subjects=PEOPLE, wave="w1", secret=SECRET):
    return pseudonyms.settle(folder, wave, subjects, secret)


def test_a_respondent_keeps_the_pseudonym_and_another_wave_gives_another(tmp_path):
    first = settled(tmp_path, PEOPLE[:3])
    again = settled(tmp_path, PEOPLE)
    assert again.id == first.id and first.lines.items() <= again.lines.items() and len(again.lines) == 5
    other = settled(tmp_path, PEOPLE, wave="w2")
    assert other.id != first.id and not set(other.lines.values()) & set(again.lines.values())


def test_each_extract_names_the_same_respondents_anew_and_the_book_knows_them_in_both(tmp_path):
    book = settled(tmp_path)
    one, other = book.keys("salt", PEOPLE), book.keys("another", PEOPLE)
    assert not set(one.values()) & set(other.values())
    read = pseudonyms.read(tmp_path, book.id, SECRET)
    known = [read.names("salt")[one[subject]] for subject in PEOPLE]
    assert known == [read.names("another")[other[subject]] for subject in PEOPLE] and len(set(known)) == len(PEOPLE)


def test_a_line_that_is_gone_comes_back_as_somebody_else(tmp_path):
    before = settled(tmp_path).lines
    settled(tmp_path, PEOPLE[1:])
    after = settled(tmp_path).lines
    changed = {line for line in before if before[line] != after[line]}
    assert changed == set(pseudonyms.keyed(SECRET, ["response|r0"]))


def test_a_book_tells_nothing_of_order_and_holds_no_id_of_the_store(tmp_path):
    book = settled(tmp_path)
    text = (tmp_path / f"{book.id}.json").read_text()
    lines = list(json.loads(text)["lines"])
    assert lines == sorted(lines) and not any(id in text for _, id in PEOPLE)


def test_another_key_opens_no_book(tmp_path):
    book = settled(tmp_path)
    for use in (lambda: settled(tmp_path, secret=SECRET + b"?"), lambda: pseudonyms.read(tmp_path, book.id, b"?")):
        with pytest.raises(PseudonymsError, match=f"written with another key than {pseudonyms.VARIABLE}"):
            use()
    with pytest.raises(PseudonymsError, match="lacks .*0.json, by which the ledger knows"):
        pseudonyms.read(tmp_path, "0", SECRET)


def test_a_key_that_is_too_short_is_refused_and_none_is_none():
    assert pseudonyms.ledger_key({}) is None and pseudonyms.ledger_key({pseudonyms.VARIABLE: " "}) is None
    with pytest.raises(ConfigurationError, match="is too short") as error:
        pseudonyms.ledger_key({pseudonyms.VARIABLE: "brief"})
    assert "brief" not in str(error.value)


def test_extracts_made_at_once_agree_on_one_book(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        books = list(pool.map(lambda number: settled(tmp_path, PEOPLE).id, range(16)))
    assert len(set(books)) == 1 and len(list(tmp_path.glob("*.json"))) == 1


def test_in_anonymous_mode_the_book_leads_to_nobody(sqlite_settings, tmp_path):
    store = stores.open(sqlite_settings)
    try:
        wave, backups, truth = fieldwork(store, tmp_path, ANONYMOUS, people=40)
        before = attack(store, wave, backups=backups)
        count = next(one for one in store.counts() if one.wave.id == wave.id)
        command.write(store, count, tmp_path / "extract", made_at=NOW, ledger_key=SECRET)
        folder = pseudonyms.books(store.settings.instance, wave.instrument)
        (book,) = folder.glob("*.json")
        moved = [state.id for state in store.responses(wave.id)]
        lines = pseudonyms.keyed(SECRET, [f"response|{id}" for id in moved])
        # Only those have a line who can be read, under the random ids that they moved to; no invitation and no draft.
        assert sorted(json.loads(book.read_text())["lines"]) == sorted(lines)
        extract = [file for file in (tmp_path / "extract").iterdir() if file.is_file()]
        after = attack(store, wave, backups=backups, logs=[book, *extract])
        assert after.rate == before.rate <= 1 / SMALLEST  # nightly backups narrow down to a group, the book no further
        assert max(after.right(truth).values()) <= max(before.right(truth).values()) + 1e-9
    finally:
        store.close()
