"""Publishing again from a later extract of the same wave, from the door: who has come and gone decides."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from analysis.__main__ import main as analyse
from kysely import cli, loading, population, pseudonyms, simulate
from kysely import store as stores
from kysely.config import Settings
from kysely.web import create_app

KEY = {pseudonyms.VARIABLE: "the key of the ledger of publications"}
ONE = ("publish", "operating_mode", "--question", "OM_B02_CUST", "--confirm")


class Fieldwork:
    """A wave of real answers by robots, which grows; what the commands say of it."""

    def __init__(self, folder, capsys, monkeypatch):
        self.folder, self.capsys, self.monkeypatch = folder, capsys, monkeypatch
        self.environ = {"KYSELY_INSTANCE": str(folder / "instance"), "KYSELY_BUILD": str(folder / "build")}
        drawn = population.draw(population.REPRODUCTION, np.random.default_rng(7))
        self.people = iter([one for one in drawn if len(one.answers) > 5])
        self.came = 0

    def answer(self, people):
        """Let so many more people answer on the pages."""
        settings, clock = Settings.from_env(self.environ), simulate.Clock(datetime(2026, 11, 23, 9, tzinfo=UTC))
        store = stores.open(settings)
        try:
            app = create_app(settings, store, now=clock)
            begin = clock.now + timedelta(hours=self.came)
            come = [simulate.Study(next(self.people), self.came + n, "fi", begin) for n in range(people)]
            instrument = loading.load(settings.questionnaires / "operating_mode")
            assert [walk.fault for walk in simulate.interviews(app, instrument, come, clock)] == [""] * people
        finally:
            store.close()
        self.came += people

    def erase(self, count):
        store = stores.open(Settings.from_env(self.environ))
        try:
            states = list(store.responses(store.counts("operating_mode")[0].wave.id))[:count]
            for state in states:
                store.erase(state.id, by="respondent", now=datetime(2026, 11, 24, tzinfo=UTC))
        finally:
            store.close()
        return [state.id for state in states]

    def extract(self, to="extract", **environ):
        with self.monkeypatch.context() as patched:
            for name, value in {**self.environ, **environ}.items():
                patched.setenv(name, value)
            assert cli.main(["extract", "operating_mode", "--out", str(self.folder / to)]) == 0
        return self._said()

    def publish(self, to="extract", status=0):
        assert analyse([*ONE, "--extract", str(self.folder / to)], {**self.environ, **KEY}) == status
        return self._said()

    def _said(self):
        told = self.capsys.readouterr()
        return told.out + told.err

    def keys(self, to="extract"):
        from analysis import extract

        return set(extract.read(self.folder / to).column("response"))

    @property
    def books(self):
        return sorted(pseudonyms.books(self.folder / "instance", "operating_mode").glob("*.json"))


@pytest.fixture
def fieldwork(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv(pseudonyms.VARIABLE, raising=False)
    return Fieldwork(tmp_path, capsys, monkeypatch)


def test_a_later_extract_of_a_wave_is_published_once_enough_have_come(fieldwork):
    fieldwork.answer(40)
    assert pseudonyms.VARIABLE not in fieldwork.extract("one", **KEY)
    assert "published as" in fieldwork.publish("one")
    fieldwork.answer(3)
    fieldwork.extract("two", **KEY)
    said = fieldwork.publish("two", status=5)
    assert "refused, rule 11" in said and "has changed by fewer than 10 respondents" in said
    fieldwork.answer(30)
    fieldwork.extract("three", **KEY)
    assert "published as" in fieldwork.publish("three")
    # The extracts themselves can't be laid side by side, and nothing in them leads to the book or to the store.
    keys = [fieldwork.keys(name) for name in ("one", "two", "three")]
    assert not (keys[0] & keys[1] or keys[1] & keys[2]) and [len(some) for some in keys] == [40, 43, 73]
    (book,) = fieldwork.books
    assert book.stat().st_mode & 0o077 == 0
    handed_on = b"".join(file.read_bytes() for file in (fieldwork.folder / "three").iterdir())
    lines = json.loads(book.read_text())["lines"]
    assert not any(one.encode() in handed_on for pair in lines.items() for one in pair)
    assert KEY[pseudonyms.VARIABLE] not in book.read_text()


def test_an_extract_made_without_the_key_links_nobody_and_is_published_alone(fieldwork):
    fieldwork.answer(30)
    assert f"Made without {pseudonyms.VARIABLE}" in fieldwork.extract("one")
    assert fieldwork.books == []
    assert "published as" in fieldwork.publish("one")
    fieldwork.answer(12)
    fieldwork.extract("two", **KEY)
    said = fieldwork.publish("two", status=5)
    assert "refused, rule 11" in said and f"was made without {pseudonyms.VARIABLE}" in said


def test_who_erased_their_answers_is_known_to_no_book_and_no_publication_any_more(fieldwork):
    fieldwork.answer(45)
    fieldwork.extract("one", **KEY)
    assert "published as" in fieldwork.publish("one")
    secret = KEY[pseudonyms.VARIABLE].encode()
    erased = fieldwork.erase(12)
    lines = pseudonyms.keyed(secret, [f"response|{id}" for id in erased])
    before = json.loads(fieldwork.books[0].read_text())["lines"]
    assert set(lines) <= set(before)
    fieldwork.extract("two", **KEY)
    after = json.loads(fieldwork.books[0].read_text())["lines"]
    assert not set(lines) & set(after)
    written = "".join(file.read_text() for file in fieldwork.books[0].parent.parent.glob("*.json*"))
    assert not any(before[line] in fieldwork.books[0].read_text() + written for line in lines)
    # From the extract that still has them nothing more is published. From the new one neither as it is, since nobody
    # can say any more that the twelve who have gone did not all answer alike; once as many have come, it is.
    said = fieldwork.publish("one", status=5)
    assert re.search("of 12 responses of this extract nothing is known any more: they were erased", said)
    assert "refused, rule 10c" in fieldwork.publish("two", status=5)
    fieldwork.answer(12)
    fieldwork.extract("three", **KEY)
    assert "published as" in fieldwork.publish("three")


def test_without_the_book_or_with_a_changed_one_nothing_is_published(fieldwork):
    fieldwork.answer(20)
    fieldwork.extract("one", **KEY)
    (book,) = fieldwork.books
    text = book.read_text()
    book.write_text(text.replace(json.loads(text)["id"], "0" * 16))
    assert "was changed, or written with another key" in fieldwork.publish("one", status=5)
    book.write_text("{")
    assert "is damaged" in fieldwork.publish("one", status=5)
    book.unlink()
    said = fieldwork.publish("one", status=5)
    assert "lacks" in said and "Restore the folder from a backup" in said
