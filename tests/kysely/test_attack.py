"""The attack on anonymity finds nothing where there is nothing, and everything in builds that are weakened here."""

from __future__ import annotations

import random
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta

import pytest

from kysely import cli
from kysely import store as stores
from kysely.attack import SHARED, attack
from kysely.outcomes import tell_used
from kysely.store import REAL
from kysely.store.anonymous import Anonymous
from kysely.store.outbox import Outbox
from tests.kysely.harvest import NOW, QUESTIONNAIRE, Respondent
from tests.kysely.store.test_anonymous import ANONYMOUS, written
from tests.kysely.web._invited import invite

PEOPLE = 200
SMALLEST = 5


def fieldwork(store, tmp_path, source, *, people=PEOPLE, days=4, daily=None):
    """Invite, write to and hear from *people* over some days, with a backup of both databases every night.

    They answer in the very order in which they were written to: the order that an operator knows best. Returns the
    wave, the backups, and whose answers are whose, told by a number that nobody else has given.
    """
    instrument = written(tmp_path / "questionnaires", source)
    id = store.open_wave(instrument, name="one", origin=REAL, access="invited", now=NOW)
    wave = next(wave for wave in store.waves() if wave.id == id)
    rows = [f"p{n}@example.fi,Person {n},en" for n in range(people)]
    random.Random(1).shuffle(rows)
    invited = {person.id: person for person in invite(store, wave, tmp_path, *rows)}
    outbox, keys = Outbox(store.identities.database), store.invitations.keys
    outbox.fill(set(invited), 1, NOW)
    codes, order = {}, []
    for number, mail in enumerate(outbox.queued(id)):
        at = NOW + timedelta(minutes=number)
        outbox.claim(mail.id, f"<{mail.id}@example.fi>", at)
        person = invited[mail.invitation]
        anonymous = person.anonymous
        codes[person.id] = store.invitations.new_code(person) if anonymous else keys.code(person.id, 1)
        outbox.sent(mail.id, at)
        order.append(person)
    nights, numbers = [], {}
    for number, person in enumerate(order):
        at = NOW + timedelta(days=1, minutes=number)
        response = store.response(store.invitations.response_of(person, codes[person.id]))
        assert response is None
        begun = store.start(
            id, REAL, instrument.hash, "en", 1, at, invited=store.invitations.response_of(person, codes[person.id])
        )
        respondent = Respondent(store, begun)
        respondent.saves("person", role="OWNER")
        respondent.saves(crop_RYE=1, crop_OATS=0, hectares=number)
        store.submit(begun, 2, at)
        numbers[number] = person.id
        if person.anonymous:
            store.invitations.note_used(keys.completion(person.id), id)
        tell_used(store, wave, at)
        if (number + 1) % (daily or people // days) == 0:
            folder = tmp_path / "nights"
            nights += sorted(stores.backup(store.settings, folder, now=at), key=lambda file: "identity" in file.name)
    truth = {numbers[state.answers["hectares"]]: state.id for state in store.responses(id)}
    return wave, nights[-6:] if daily is None else nights, truth


@pytest.fixture
def store(sqlite_settings):
    opened = stores.open(sqlite_settings)
    yield opened
    opened.close()


def test_of_two_hundred_anonymous_respondents_nobody_is_found_better_than_by_chance(store, tmp_path):
    wave, backups, truth = fieldwork(store, tmp_path, ANONYMOUS)
    assert len(truth) == PEOPLE
    log = tmp_path / "server.log"
    log.write_text("\n".join(f"GET /r/[code] {number}" for number in range(PEOPLE)))
    found = attack(store, wave, backups=backups, logs=[log])
    assert len(found.people) == len(found.responses) == PEOPLE
    assert all(not method.candidates for method in found.certain if "share" in method.name)
    # Three nights with fifty respondents between them: one in fifty at best.
    assert found.rate <= 1 / SMALLEST and found.rate <= 1 / 50 + 1e-9
    right = found.right(truth)
    assert found.orders  # the order of the mails against places in the files, for one
    # A blind pairing of two hundred hits one on average, and nine or more once in a million times (Poisson).
    assert max(right[method.name] for method in found.orders) * PEOPLE < 9


def test_a_backup_after_every_single_response_still_leaves_a_group(store, tmp_path):
    wave, backups, truth = fieldwork(store, tmp_path, ANONYMOUS, people=20, daily=1)
    found = attack(store, wave, backups=backups)
    grown = next(method for method in found.certain if "backup" in method.name)
    assert {len(candidates) for candidates in grown.candidates.values()} == {SMALLEST}
    assert found.rate == pytest.approx(1 / SMALLEST)
    assert found.right(truth)[grown.name] == pytest.approx(1 / SMALLEST)


@dataclass(frozen=True)
class Hasty(Anonymous):
    """Weakened: every response moves on at once."""

    def move(self, wave, *, at_least, unsent=False):
        return super().move(wave, at_least=1, unsent=unsent)


@dataclass(frozen=True)
class Sequential(Anonymous):
    """Weakened: the new ids count up, as those of most programs do."""

    def _move(self, connection, row, answers, id):
        super()._move(connection, row, answers, f"x{self.count(row.wave_id)[0]:031x}")

    def move(self, wave, *, at_least, unsent=False):
        return super().move(wave, at_least=1, unsent=unsent)


def weakened(store, kind):
    anonymous = store.anonymous
    return kind(anonymous.database, anonymous.keys, anonymous.secret)


def test_the_attack_succeeds_on_a_build_that_does_not_wait_for_a_group(sqlite_settings, tmp_path, monkeypatch):
    store = stores.open(sqlite_settings)
    monkeypatch.setitem(vars(store), "anonymous", weakened(store, Hasty))
    monkeypatch.setattr(stores.Store, "smallest_group", lambda self, wave: 1)
    wave, backups, truth = fieldwork(store, tmp_path, ANONYMOUS, people=20, daily=1)
    found = attack(store, wave, backups=backups)
    assert found.rate > 0.9
    assert max(found.right(truth).values()) > 0.9
    store.close()


def test_the_attack_succeeds_on_a_build_whose_ids_count_up(sqlite_settings, tmp_path, monkeypatch):
    store = stores.open(sqlite_settings)
    monkeypatch.setitem(vars(store), "anonymous", weakened(store, Sequential))
    wave, backups, truth = fieldwork(store, tmp_path, ANONYMOUS, people=60)
    found = attack(store, wave, backups=backups)
    assert max(found.right(truth).values()) > 0.9
    store.close()


def test_the_attack_succeeds_on_a_build_that_keeps_times(store, tmp_path):
    # Confidential answers have times, which the mode doesn't deny; a build that kept them in anonymous mode would too.
    source = QUESTIONNAIRE.replace("pages: [farm, person, field]", "pages: [person, field]")
    wave, backups, truth = fieldwork(store, tmp_path, source, people=60)
    right = attack(store, wave, backups=backups).right(truth)
    assert right["people by mail of round 1.settled_at, responses by response.submitted_at"] > 0.9
    assert right["people by mail of round 1.settled_at, responses by response.rowid"] > 0.9


def test_the_attack_finds_a_link_that_is_stored(store, tmp_path):
    source = QUESTIONNAIRE.replace("mode: confidential", "mode: named").replace(
        "pages: [farm, person, field]", "pages: [person, field]"
    )
    wave, backups, truth = fieldwork(store, tmp_path, source, people=30)
    found = attack(store, wave, backups=backups)
    assert found.rate == pytest.approx(1) and found.right(truth)["values that both sides share"] == 1


def test_the_command_tells_the_rate_and_fails_where_a_promise_is_broken(store, tmp_path, monkeypatch, capsys):
    fieldwork(store, tmp_path, ANONYMOUS, people=20)
    settings = store.settings
    for name, value in {
        "KYSELY_INSTANCE": str(settings.instance),
        "KYSELY_SECRET_KEY": settings.secret_key,
    }.items():
        monkeypatch.setenv(name, value)
    assert cli.main(["attack", "harvest", "--backups", str(tmp_path / "nights")]) == 0
    told = capsys.readouterr().out
    assert "20 people are known, 20 responses can be read" in told and "rate 20.0%" in told


def farms(store, tmp_path, *, people, access="invited"):
    """Hear confidentially from *people*, each of a farm of their own; return the wave and whose answers are whose."""
    instrument = written(tmp_path / "questionnaires", QUESTIONNAIRE)
    id = store.open_wave(instrument, name="one", origin=REAL, access=access, now=NOW)
    wave = next(wave for wave in store.waves() if wave.id == id)
    rows = [f"p{n}@example.fi,,en,Farm {n},Salo" for n in range(people)]
    header = "email,name,language,organisation,municipality"
    invited = {}
    if access == "invited":
        for person in invite(store, wave, tmp_path, *rows, header=header):
            invited[int(store.invitations.address(person).partition("@")[0][1:])] = person
    truth = {}
    for number in random.Random(2).sample(range(people), people):
        person = invited.get(number)
        response = store.invitations.response_of(person) if person else ""
        mine = Respondent(store, store.start(id, REAL, instrument.hash, "en", number, NOW, invited=response))
        mine.names(f"Farm {number}", "Salo")
        mine.saves("person", role="WORKER")
        mine.saves(hectares=number)
        store.submit(mine.id, mine.state.revision, NOW)
        truth[person.id if person else number] = mine.id
    return wave, truth


@pytest.mark.parametrize("access", ["invited", "open"])
def test_in_confidential_mode_both_databases_without_the_key_link_nobody(store, tmp_path, access):
    wave, truth = farms(store, tmp_path, people=40, access=access)
    found = attack(store, wave)
    assert len(found.people) == len(found.responses) == 40
    assert all(not method.candidates for method in found.certain)
    assert found.rate == found.chance == 1 / 40
    assert not found.breaks("confidential", 1 / SMALLEST)
    # With the key it is all of them, which reminders and erasing rest on.
    assert found.traced == 40
    # Who was invited and who answered stand in no common order either; a blind pairing of forty hits nine or more
    # once in a million times.
    if access == "invited":
        right = found.right(truth)
        assert max((right[method.name] for method in found.orders), default=0) * 40 < 9


def test_the_attack_succeeds_where_ids_are_the_same_on_both_sides(sqlite_settings, tmp_path, monkeypatch):
    monkeypatch.setattr("kysely.links.Keys.identity_id", lambda self, id: id)
    monkeypatch.setattr("kysely.links.Keys.answers_id", lambda self, id: id)
    with closing(stores.open(sqlite_settings)) as store:
        wave, truth = farms(store, tmp_path, people=40)
        found = attack(store, wave)
    assert found.rate == pytest.approx(1) and found.right(truth)[SHARED] == 1
    assert found.breaks("confidential", 1 / SMALLEST)


def test_an_organisation_of_an_unusual_number_of_respondents_is_seen_to_stand_out(store, tmp_path):
    wave, _ = farms(store, tmp_path, people=6)
    instrument = store.publications(wave=wave.id)[0].hash
    for number in range(2):
        colleague = Respondent(store, store.start(wave.id, REAL, instrument, "en", 1, NOW, invited=f"{number:032x}"))
        colleague.names("Farm 0", "Salo")
    found = attack(store, wave)
    sized = next(method for method in found.certain if "organisation" in method.name)
    assert sorted(map(len, sized.candidates.values())) == [3, 5, 5, 5, 5, 5]
    assert not found.breaks("confidential", 1 / SMALLEST)


def test_what_was_begun_anonymously_and_not_sent_is_all_that_the_key_leads_to(store, tmp_path):
    wave, _, _ = fieldwork(store, tmp_path, ANONYMOUS, people=10)
    assert attack(store, wave).traced == 0
    (person,) = invite(store, wave, tmp_path, "late@example.fi,,en")[-1:]
    code, keys = store.invitations.new_code(person), store.invitations.keys
    version = store.publications(wave=wave.id)[0].hash
    begun = {"invited": store.invitations.response_of(person, code), "withdrawal": keys.withdrawal(person.id)}
    store.start(wave.id, REAL, version, "en", 1, NOW, **begun)
    found = attack(store, wave)
    assert found.traced == 1 and not any(found.certain[0].candidates)


def test_the_command_looks_at_a_confidential_wave_with_an_open_link_too(store, tmp_path, monkeypatch, capsys):
    farms(store, tmp_path, people=6, access="open")
    monkeypatch.setenv("KYSELY_INSTANCE", str(store.settings.instance))
    monkeypatch.setenv("KYSELY_SECRET_KEY", store.settings.secret_key)
    assert cli.main(["attack", "harvest"]) == 0
    told = capsys.readouterr().out
    assert "rate 16.7%, by chance 16.7%" in told and "with the link key, which this attack has not: 6 of 6" in told
