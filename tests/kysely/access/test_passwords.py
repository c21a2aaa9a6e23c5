"""Passwords: which are refused, how the others are kept, and how much memory many at once may take."""

from __future__ import annotations

import subprocess
import sys
import unicodedata

import pytest

from kysely.access import WeakPassword, passwords


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("", "password_short"),
        ("kolme venet", "password_short"),
        ("x" * 1001, "password_long"),
        ("maija@example.fi", "password_name"),
        ("Maija@Example.FI", "password_name"),
        ("maija2026!!!!", "password_name"),
        ("password1234", "password_common"),
        ("Salasana2026!", "password_common"),
        ("Lösenord1234", "password_common"),
        ("!!!Qwertyuiop!!!", "password_common"),
        ("aaaaaaaaaaaa", "password_common"),
        ("abcabcabcabc", "password_common"),
        ("123456789012", "password_common"),
        ("abcdefghijklm", "password_common"),
        ("987654321098", "password_common"),
        ("kyselykysely", "password_common"),
    ],
)
def test_what_everybody_tries_first_is_refused(password, code):
    with pytest.raises(WeakPassword) as refused:
        passwords.refuse_weak(password, "maija@example.fi")
    assert refused.value.code == code and password not in str(refused.value) or not password


@pytest.mark.parametrize(
    "password",
    [
        "kolme venettä",
        "korrektihevosniittipatteri",
        "x7#Q-9pL2!vR",
        "pelkkiä pieniä kirjaimia",
        "🚣🌲🏠🐄🎣🌅🦆🫐🔥🧣🪓🛶",
        "p" + "itkä " * 150,
        "8361294750213358",
    ],
)
def test_no_mixture_of_signs_is_asked_for(password):
    passwords.refuse_weak(password, "maija")


def test_a_password_is_kept_as_argon2id_and_salted():
    one, other = (passwords.hashed("kolme punaista venettä") for _ in range(2))
    assert one.startswith("$argon2id$v=19$m=48128,t=2,p=1$") and one != other
    assert passwords.matches(one, "kolme punaista venettä") and passwords.matches(other, "kolme punaista venettä")


def test_no_sign_of_a_long_password_is_ignored():
    kept = passwords.hashed("p" * 999 + "a")
    assert passwords.matches(kept, "p" * 999 + "a")
    assert not passwords.matches(kept, "p" * 999 + "b")
    assert not passwords.matches(kept, "p" * 999 + "ab")


def test_the_same_letters_are_the_same_password_from_every_keyboard():
    word = "päivänsäde ja menninkäinen"
    kept = passwords.hashed(unicodedata.normalize("NFD", word))
    assert passwords.matches(kept, unicodedata.normalize("NFC", word))


@pytest.mark.parametrize("kept", [None, "", "not a hash", "$argon2id$v=19$m=48128,t=2,p=1$AAAA$AAAA"])
def test_what_was_never_hashed_matches_nothing(kept):
    assert not passwords.matches(kept, "nobody has this password nobody has this password ")
    assert not passwords.matches(kept, "")


def test_text_that_cannot_be_encoded_is_a_wrong_password():
    assert not passwords.matches(passwords.hashed("kolme punaista venettä"), "\ud800kolme\x00")


FIFTY = """
import resource, threading
from kysely.access import passwords
kept = passwords.hashed("kolme punaista venettä")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
threads = [threading.Thread(target=passwords.matches, args=(kept, "väärä salasana")) for _ in range(50)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / passwords.MEMORY)
"""


def test_fifty_logins_at_once_take_the_memory_of_a_few():
    done = subprocess.run([sys.executable, "-c", FIFTY], capture_output=True, text=True, check=True)
    # In units of one password's memory; the first had been given back or not, and threads have stacks.
    assert float(done.stdout) < passwords.AT_ONCE + 1
