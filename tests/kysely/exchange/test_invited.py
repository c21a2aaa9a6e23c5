"""The frame of an extract: a row for everybody who was invited, from which response rates are computed."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from analysis import extract as reader
from analysis.outcome_rates import DISPOSITIONS, outcome_rates
from kysely.commands import extract as command
from kysely.store import REAL
from kysely.store.outbox import Outbox
from tests.kysely.harvest import NOW, Respondent
from tests.kysely.web._invited import invite

HEADER = "email,organisation,municipality,stratum,psu,design_weight,in_post"


@pytest.fixture
def wave(store, harvest):
    id = store.open_wave(
        harvest, name="invited", origin=REAL, access="both", closes_at=NOW + timedelta(days=1), now=NOW
    )
    return next(wave for wave in store.waves() if wave.id == id)


def begin(store, harvest, wave, person) -> Respondent:
    id = store.invitations.response_of(person)
    return Respondent(store, store.start(wave.id, REAL, harvest.hash, "en", 1, NOW, invited=id))


@pytest.fixture
def people(store, wave, tmp_path):
    farms = [f"p{n}@example.fi,Farm {n // 2},Salo,north,,{n + 1},{'yes' if n > 5 else ''}" for n in range(10)]
    return invite(store, wave, tmp_path, *farms, header=HEADER)


@pytest.fixture
def extracted(store, harvest, wave, people, tmp_path):
    outbox = Outbox(store.identities.database)
    outbox.fill({person.id for person in people}, 1, NOW)
    for mail in outbox.queued(wave.id):
        assert outbox.claim(mail.id, f"<{mail.id}@example.fi>", NOW)
        outbox.sent(mail.id, NOW)
    whole, half, gone, unwilling, on_leave, *silent = sorted(people, key=lambda person: person.design_weight)
    first = begin(store, harvest, wave, whole)
    first.names("Farm of its own", "Salo", farm_given=1)
    first.saves("person", role="OWNER")
    first.saves(crop_RYE=1, crop_OATS=0, hectares=1)
    store.submit(first.id, first.state.revision, wave.closes_at + timedelta(minutes=10))
    begin(store, harvest, wave, half).names("", "Salo", farm_given=1)
    begin(store, harvest, wave, silent[0])  # pressed start, saved nothing
    outbox.bounced(message_id=outbox.first_message(gone.id), said="5.1.1", now=NOW)
    store.invitations.opt_out(unwilling)
    store.invitations.settle(on_leave, "O_away")
    by_link = Respondent(store, store.start(wave.id, REAL, harvest.hash, "en", 2, NOW))
    by_link.saves(crop_RYE=1, crop_OATS=0, hectares=1)
    count = next(count for count in store.counts() if count.wave.id == wave.id)
    command.write(store, count, tmp_path / "extract", made_at=NOW)
    return reader.read(tmp_path / "extract")


def test_everybody_invited_is_a_case_with_its_outcome(extracted):
    cases = extracted.cases.to_pylist()
    invited = [case for case in cases if case["invited"]]
    assert Counter(case["disposition"] for case in invited) == {
        "I": 1,
        "R_breakoff": 1,
        "U_bounce": 1,
        "R_explicit": 1,
        "O_away": 1,
        "U_delivered_nothing_known": 1,
        "NC_nothing_opened": 4,
    }
    assert {case["disposition"] for case in cases} <= set(DISPOSITIONS)
    assert [case["response"] is not None for case in invited].count(True) == 2
    assert len(extracted) == 3 and len(cases) == 11
    assert extracted.manifest["counts"]["invited"] == 10
    assert extracted.manifest["counts"]["late"] == 1


def test_the_frame_keeps_strata_weights_and_organisations(extracted):
    invited = [case for case in extracted.cases.to_pylist() if case["invited"]]
    assert {case["stratum"] for case in invited} == {"north"}
    assert sorted(case["design_weight"] for case in invited) == [float(n) for n in range(1, 11)]
    # Of five farms that were listed, the two respondents of the first named others.
    assert len({case["organisation"] for case in invited}) == 6
    assert all(case["psu"] == case["organisation"] for case in invited)


def test_rates_can_be_computed_from_the_cases_as_they_are(extracted):
    cases = extracted.cases.to_pylist()
    found = outcome_rates(
        [case["disposition"] for case in cases],
        [case["psu"] for case in cases],
        invited=[case["invited"] for case in cases],
    )
    # By hand: I 1, R 2 (one refused, one broke off), O 1, NC 4, U 2.
    assert found.person.rate["RR1"] == 1 / 10
    assert found.person.rate["RR5"] == 1 / 8
    assert found.person.rate["REF1"] == 2 / 10
    assert found.person.rate["CON1"] == 4 / 10


def test_no_key_of_the_store_and_no_person_is_in_the_files(extracted, store, people, tmp_path):
    written = b"".join(file.read_bytes() for file in (tmp_path / "extract").iterdir())
    for person in people:
        for secret in (person.id, person.contact, store.invitations.response_of(person), person.organisation):
            assert secret.encode() not in written
    assert b"example.fi" not in written
