"""Mail to people invited: what it says, to whom it goes, and that it goes once."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from kysely import cli, loading
from kysely.errors import AuthorError, ConfigurationError
from kysely.mail import bounces
from kysely.mail.composing import DUMMY, INVITATION, REMINDER, letters
from kysely.mail.sending import Sender
from kysely.outcomes import answered, outcomes
from kysely.store.outbox import Outbox
from kysely.web import create_app
from tests.kysely.web._invited import NOW, code_of, invite, open_wave
from tests.kysely.web.test_invitations import Guest

KILLS = 20
LONG = bool(os.environ.get("KYSELY_LONG"))


def letters_of(store, wave, **changes):
    instrument = replace(store.instrument(store.publications(wave=wave.id)[0].hash), **changes)
    return letters(store.settings, instrument, wave, dict.fromkeys(instrument.languages, "Lupaus."))


def site(store, **more):
    """The survey without TLS, so that the visitors of tests keep its cookies."""
    return create_app(replace(store.settings, base_url=""), store, **more)


def send(store, wave, *, round=1, people=None, **more):
    """Queue a round to everybody who may be written to and hasn't answered, and send it."""
    from kysely.mail.sending import may_write

    found = outcomes(store, wave)
    have = frozenset(id for id, disposition in found.items() if answered(disposition))
    wanted = {one.id for one in store.invitations.of_wave(wave.id) if may_write(one)} - have
    Outbox(store.identities.database).fill(wanted if people is None else people, round, NOW)
    sender = Sender(
        store, wave, letters_of(store, wave), lambda: NOW, pause=lambda seconds: None, answered=have, **more
    )
    return sender.run()


@pytest.fixture
def wave(mailing):
    return open_wave(mailing, closes_at=NOW + timedelta(days=20))


def test_an_invitation_reads_well_as_text_and_as_a_page_and_its_link_works(mailing, wave, sink, tmp_path):
    invite(mailing, wave, tmp_path, "maija@example.fi,Maija Mäki,fi", "sven@example.fi,Sven Åberg,sv")
    assert send(mailing, wave).sent == 2
    for mail in sink.mails:
        language = mail["Content-Language"]
        text, html = (mail.get_body((kind,)).get_content() for kind in ("plain", "html"))
        assert {"fi": "Hei Maija Mäki,", "sv": "Hej Sven Åberg,"}[language] in text
        assert "{" not in text and "{" not in html
        link = re.search(r"https://kysely\.example\.fi/(..)/r/(\w+)", text)
        assert link[1] == language and link[0] in html
        app = site(mailing, now=lambda: NOW)
        assert app.test_client().get(f"/{language}/r/{link[2]}").status_code == 200
        assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        stop = re.fullmatch(r"<https://kysely\.example\.fi/stop/(\w+)>", mail["List-Unsubscribe"])[1]
        assert mailing.invitations.find_by_opt_out(stop) is not None
    assert {mail["Subject"].split(":")[0] for mail in sink.mails} == {"Kutsu kyselyyn", "Inbjudan till enkäten"}


def test_reminders_go_to_those_who_have_not_answered_and_can_be_reached(mailing, wave, sink, tmp_path):
    people = invite(mailing, wave, tmp_path, *(f"p{n}@example.fi,,fi" for n in range(10)))
    send(mailing, wave)
    app = site(mailing, now=lambda: NOW)
    for person in people[:3]:
        guest = Guest(app)
        guest.enter(code_of(mailing, person))
        guest.answer()
        guest.send()
    mailing.invitations.opt_out(people[3])
    first = Outbox(mailing.identities.database).first_message(people[4].id)
    assert Outbox(mailing.identities.database).bounced(message_id=first, said="5.1.1", now=NOW)
    sink.taken.clear()
    assert send(mailing, wave, round=2).sent == 5
    expected = sorted(mailing.invitations.address(person) for person in people[5:])
    assert sorted(sink.recipients) == expected
    assert Counter(outcomes(mailing, wave).values()) == {
        "I": 3,
        "R_explicit": 1,
        "U_bounce": 1,
        "U_delivered_nothing_known": 5,
    }


def test_three_of_ten_have_answered_and_seven_are_reminded(environment, mailing, wave, sink, tmp_path, capsys):
    people = invite(mailing, wave, tmp_path, *(f"p{n}@example.fi,,fi" for n in range(10)))
    assert cli.main(["mail", "send", "operating_mode", "--per-minute", "6000"]) == 0
    assert "10 sent" in capsys.readouterr().out
    app = site(mailing)
    for person in people[:3]:
        guest = Guest(app)
        guest.enter(code_of(mailing, person))
        guest.answer()
        guest.send()
    assert cli.main(["mail", "send", "operating_mode", "--per-minute", "6000"]) == 0
    assert "0 mails queued" in capsys.readouterr().out
    assert cli.main(["mail", "send", "operating_mode", "--reminder", "--per-minute", "6000"]) == 0
    assert "7 sent" in capsys.readouterr().out
    assert len(sink.taken) == 17
    assert all("p" in mail["To"] for mail in sink.mails)


def test_who_answers_while_a_round_is_sent_is_left_out(mailing, wave, sink, tmp_path):
    people = invite(mailing, wave, tmp_path, *(f"p{n}@example.fi,,fi" for n in range(4)))
    send(mailing, wave)
    Outbox(mailing.identities.database).fill({person.id for person in people}, 2, NOW)
    mailing.invitations.opt_out(people[0])
    done = send(mailing, wave, round=2, people=())
    assert (done.sent, done.left_out) == (3, 1)
    assert list(outcomes(mailing, wave).values()).count("R_explicit") == 1


def test_a_mailbox_that_does_not_exist_is_a_bounce_and_a_full_one_is_tried_again(mailing, wave, sink, tmp_path):
    invite(mailing, wave, tmp_path, "gone@example.fi,,fi", "full@example.fi,,fi", "there@example.fi,,fi")
    sink.answers = {"gone@example.fi": "550 5.1.1 no such user", "full@example.fi": "452 4.2.2 full"}
    done = send(mailing, wave)
    assert (done.sent, done.refused, done.later) == (1, 1, 1)
    assert Counter(outcomes(mailing, wave).values()) == {"U_bounce": 1, "U_delivered_nothing_known": 2}
    sink.answers = {}
    assert send(mailing, wave).sent == 1
    assert sorted(sink.recipients) == ["full@example.fi", "there@example.fi"]


def test_a_server_out_of_reach_loses_nothing(environment, mailing, wave, sink, tmp_path, monkeypatch, capsys):
    invite(mailing, wave, tmp_path, "one@example.fi,,fi")
    monkeypatch.setenv("KYSELY_SMTP_URL", "smtp://127.0.0.1:1?tls=none")
    assert cli.main(["mail", "send", "operating_mode"]) == 6
    assert "what was not sent waits" in capsys.readouterr().err
    monkeypatch.setenv("KYSELY_SMTP_URL", f"smtp://127.0.0.1:{sink.port}?tls=none")
    assert cli.main(["mail", "send", "operating_mode"]) == 0
    assert sink.recipients == ["one@example.fi"]


def test_a_sender_killed_twenty_times_sends_no_mail_twice(environment, mailing, wave, sink, tmp_path):
    count = 1000 if LONG else 200
    invite(mailing, wave, tmp_path, *(f"p{n}@example.fi,,fi" for n in range(count)))
    dice = random.Random(1)
    command = [sys.executable, "-m", "kysely", "mail", "send", "operating_mode", "--per-minute", "6000"]
    kills = 0
    while kills < KILLS:
        # After so many further mails the sender is killed, wherever it is then.
        goal = len(sink.taken) + dice.randint(1, max(2, count // KILLS - 1))
        sender = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        while len(sink.taken) < goal and sender.poll() is None:
            time.sleep(0.001)
        assert sender.poll() is None, "the sender ended before it could be killed"
        sender.send_signal(signal.SIGKILL)
        sender.wait()
        kills += 1
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    assert max(Counter(sink.recipients).values()) == 1
    unsure = Outbox(mailing.identities.database).unsure(wave.id)
    assert len(unsure) <= KILLS
    missing = count - len(sink.taken)
    assert missing <= len(unsure)  # who got none is among those listed
    subprocess.run([*command, "--retry-unsure"], check=True, stdout=subprocess.DEVNULL)
    assert len(set(sink.recipients)) == count
    assert len(sink.taken) - count <= len(unsure)
    assert Outbox(mailing.identities.database).unsure(wave.id) == ()


def test_a_sender_that_is_asked_to_stop_finishes_the_mail_at_hand(mailing, wave, sink, tmp_path):
    invite(mailing, wave, tmp_path, *(f"p{n}@example.fi,,fi" for n in range(5)))
    done = send(mailing, wave, stopping=lambda: len(sink.taken) >= 2)
    assert (done.sent, done.stopped) == (2, True)
    assert send(mailing, wave).sent == 3
    assert len(set(sink.recipients)) == len(sink.taken) == 5


def test_mails_go_at_the_pace_that_was_asked_for(mailing, wave, sink, tmp_path):
    invite(mailing, wave, tmp_path, *(f"p{n}@example.fi,,fi" for n in range(4)))
    Outbox(mailing.identities.database).fill({one.id for one in mailing.invitations.of_wave(wave.id)}, 1, NOW)
    waits: list[float] = []
    Sender(mailing, wave, letters_of(mailing, wave), lambda: NOW, per_minute=30, pause=waits.append).run()
    assert waits == [2.0, 2.0, 2.0]


def test_neither_the_databases_nor_the_outbox_hold_what_was_sent(mailing, wave, sink, tmp_path):
    (person,) = invite(mailing, wave, tmp_path, "maija@example.fi,Maija Mäki,fi")
    send(mailing, wave)
    mailing.close()
    kept = b"".join(file.read_bytes() for file in mailing.settings.instance.glob("*.db*"))
    for secret in (code_of(mailing, person), "maija@example.fi", "Maija"):
        assert secret.encode() not in kept


@pytest.mark.parametrize(
    "name", ["Maija\r\nBcc: evil@example.com", "=HYPERLINK(x)", '"x" <y@z.fi>, evil@example.com', "Ä" * 200, "{link}"]
)
def test_a_name_adds_no_header_and_no_recipient(mailing, wave, sink, name):
    message = letters_of(mailing, wave).message(
        INVITATION, "fi", to="one@example.fi", code=DUMMY, stop=DUMMY, message_id="<1@x.fi>", now=NOW, name="Maija"
    )
    names = set(message.keys())
    try:
        other = letters_of(mailing, wave).message(
            INVITATION, "fi", to="one@example.fi", code=DUMMY, stop=DUMMY, message_id="<1@x.fi>", now=NOW, name=name
        )
    except ValueError:
        assert "\n" in name
        return
    assert set(other.keys()) == names
    assert [str(address.addr_spec) for address in other["To"].addresses] == ["one@example.fi"]
    assert b"\nBcc" not in other.as_bytes()


OWN = """
invitation:
  subject: {{fi: "{title}", sv: "{title}", en: "{title}"}}
  body:
    fi: "{fi}"
    sv: "Hej {{name}} {{link}} {{stop}}"
    en: "Hello {{name}} {{link}} {{stop}}"
"""


@pytest.mark.parametrize(
    ("title", "fi", "told"),
    [
        ("Otsikko", "Hei {nimi} {link} {stop}", "the placeholder {nimi} is unknown"),
        ("Otsikko", "Hei {name} {stop}", "there is no {link}"),
        ("Otsikko", "Hei {link}", "there is no {stop}"),
        ("Otsikko {link}", "Hei {link} {stop}", "a subject is one line without a link"),
        ("Otsikko", "Hei {0.__class__} {link} {stop}", "a brace stands alone"),
        ("Otsikko", "Hei {{7*7}} {link} {stop}", "a brace stands alone"),
    ],
)
def test_a_letter_that_can_not_be_sent_is_refused_before_the_first(mailing, wave, sink, tmp_path, title, fi, told):
    folder = tmp_path / "questionnaires" / "operating_mode"
    folder.mkdir(parents=True)
    (folder / "mail.yaml").write_text(OWN.format(title=title, fi=fi))
    settings = replace(mailing.settings, questionnaires=folder.parent)
    instrument = mailing.instrument(mailing.publications(wave=wave.id)[0].hash)
    with pytest.raises(AuthorError, match=re.escape(told)) as error:
        letters(settings, instrument, wave, {})
    assert all(problem.line > 1 for problem in error.value.problems)
    assert sink.taken == []


def test_the_authors_own_words_are_used_and_template_languages_are_only_letters(mailing, wave, tmp_path):
    folder = tmp_path / "questionnaires" / "operating_mode"
    folder.mkdir(parents=True)
    (folder / "mail.yaml").write_text(OWN.format(title="$x %(x)s", fi="Hei {name} <b> {link} {stop}"))
    settings = replace(mailing.settings, questionnaires=folder.parent)
    instrument = mailing.instrument(mailing.publications(wave=wave.id)[0].hash)
    own = letters(settings, instrument, wave, dict.fromkeys(("fi", "sv", "en"), ""))
    subject, text = own.text(INVITATION, "fi", code=DUMMY, stop=DUMMY, name="{stop}")
    assert "%(x)s" in subject and text.startswith("Hei {stop} <b> https://")
    message = own.message(
        INVITATION, "fi", to="a@example.fi", code=DUMMY, stop=DUMMY, message_id="<1@x.fi>", now=NOW, name="<script>"
    )
    assert "<script>" not in message.get_body(("html",)).get_content()


def test_preview_and_test_letters_open_nothing(environment, mailing, wave, sink, tmp_path, capsys):
    invite(mailing, wave, tmp_path, "maija@example.fi,Maija,fi")
    assert cli.main(["mail", "preview", "operating_mode", "--out", str(tmp_path / "letters")]) == 0
    shown = capsys.readouterr().out
    assert shown.count(f"/r/{DUMMY}") == 6 and len(list((tmp_path / "letters").iterdir())) == 6
    assert cli.main(["mail", "test", "operating_mode", "--to", "me@example.fi"]) == 0
    assert sink.recipients == ["me@example.fi"] * 6
    codes = {code for mail in sink.mails for code in re.findall(r"/r/(\w+)", mail.get_body(("plain",)).get_content())}
    assert codes == {DUMMY} and mailing.invitations.find(DUMMY) is None


def test_an_anonymous_reminder_has_no_link_and_answers_the_invitation(mailing, wave):
    own = letters_of(mailing, wave, privacy_mode="anonymous")
    for language in ("fi", "sv", "en"):
        assert "/r/" not in own.text(REMINDER, language, code="", stop=DUMMY)[1]
    mail = own.message(
        REMINDER, "fi", to="a@x.fi", code="", stop=DUMMY, message_id="<2@x.fi>", now=NOW, answering="<1@x.fi>"
    )
    assert mail["In-Reply-To"] == mail["References"] == "<1@x.fi>"


BOUNCE = """From: mailer-daemon@example.fi
To: tutkimus@example.fi
Subject: Undelivered
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

Sorry.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.fi

Final-Recipient: rfc822; {address}
Action: {action}
Status: {status}

--b
Content-Type: {kind}

Message-ID: {message_id}
Subject: Kutsu

--b--
"""
AWAY = "From: p1@example.fi\nTo: tutkimus@example.fi\nSubject: Poissa\nAuto-Submitted: auto-replied\n\nLomalla.\n"


def test_mail_that_came_back_for_good_is_noted_and_nothing_else(environment, mailing, wave, sink, tmp_path, capsys):
    import mailbox

    people = invite(mailing, wave, tmp_path, *(f"p{n}@example.fi,,fi" for n in range(5)))
    send(mailing, wave)
    first = [Outbox(mailing.identities.database).first_message(person.id) for person in people]
    box = mailbox.mbox(tmp_path / "box")
    for message_id, action, status, kind, address in (
        (first[0], "failed", "5.1.1", "message/rfc822", "x@y.fi"),
        (first[1], "delayed", "4.4.1", "text/rfc822-headers", "x@y.fi"),
        (first[2], "failed", "4.2.2", "text/rfc822-headers", "x@y.fi"),
        (first[3], "failed", "5.2.1", "text/rfc822-headers", "x@y.fi"),
        ("<forged@elsewhere.fi>", "failed", "5.1.1", "message/rfc822", mailing.invitations.address(people[4])),
    ):
        box.add(BOUNCE.format(message_id=message_id, action=action, status=status, kind=kind, address=address))
    box.add(AWAY)
    box.add(b"garbage\n\n\xff")
    box.close()
    assert cli.main(["mail", "bounces", "operating_mode", "--mbox", str(tmp_path / "box")]) == 0
    assert "2 addresses don't exist" in capsys.readouterr().out
    bounced = {person.id for person in mailing.invitations.of_wave(wave.id) if person.bounced}
    assert bounced == {people[0].id, people[3].id}


def test_a_notice_without_the_mail_it_is_about_is_matched_by_the_address():
    from email import message_from_string, policy

    text = BOUNCE.format(message_id="", action="failed", status="5.1.1", kind="text/plain", address="Maija@Example.fi")
    (bounce,) = bounces.bounces(message_from_string(text, policy=policy.default))
    assert (bounce.hard, bounce.message_id, bounce.address) == (True, "", "maija@example.fi")


@pytest.mark.parametrize("missing", ["base_url", "mail_from", "smtp_url"])
def test_without_a_setting_no_mail_is_written_and_the_setting_is_named(mailing, wave, missing):
    settings = replace(mailing.settings, **{missing: ""})
    instrument = loading.load(settings.questionnaires / "operating_mode")
    with pytest.raises(ConfigurationError, match=f"KYSELY_{missing.upper()}"):
        letters(settings, instrument, wave, {})
        from kysely.mail.sending import connect

        connect(settings)
