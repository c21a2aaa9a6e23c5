"""Lists of people to invite, as spreadsheet programs save them."""

from __future__ import annotations

import unicodedata

import pytest

from kysely import contacts
from kysely.errors import AuthorError

LANGUAGES = ("fi", "sv", "en")


@pytest.fixture
def read(tmp_path):
    def read(content: str | bytes, encoding="utf-8"):
        file = tmp_path / "people.csv"
        file.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return contacts.read(file, LANGUAGES)

    return read


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_list_reads_alike_however_the_spreadsheet_program_saved_it(read, encoding, delimiter):
    rows = [["Email", "Name", "Organisation"], ["maija@esimerkki.fi", "Maija Äijälä-Öhman", "Åbo Akademi"]]
    text = "\r\n".join(delimiter.join(row) for row in rows) + "\r\n"
    (person,) = read(text, encoding).contacts
    assert (person.email, person.name) == ("maija@esimerkki.fi", "Maija Äijälä-Öhman")
    assert person.organisation.name == "Åbo Akademi"


def test_addresses_that_differ_in_case_form_or_blanks_are_one_person(read):
    same = ["Äiti@Esimerkki.FI", unicodedata.normalize("NFD", "äiti@esimerkki.fi"), "  äiti@esimerkki.fi "]
    found = read("email,name\n" + "".join(f'"{address}",A\n' for address in same))
    assert [person.email for person in found.contacts] == ["äiti@esimerkki.fi"]
    assert found.repeated == ("row 3 repeats row 2", "row 4 repeats row 2")


def test_a_domain_of_other_letters_is_written_as_the_network_does(read):
    assert read("email\nposti@ääkköset.fi\n").contacts[0].email.startswith("posti@xn--")


def test_five_hundred_good_rows_and_a_bad_one_are_refused_with_its_number(read):
    rows = "".join(f"p{n}@example.fi\n" for n in range(500))
    with pytest.raises(AuthorError) as error:
        read(f"email\n{rows}no address\n")
    (problem,) = error.value.problems
    assert (problem.line, problem.where) == (502, "email")


def test_every_fault_is_told_at_once(read):
    with pytest.raises(AuthorError) as error:
        read(
            "email,language,business_id,design_weight,in_post\n"
            "a@example.fi,de,,,\n"
            "b@example.fi,,2077474-1,,\n"
            "c@example.fi,,,-1,\n"
            "d@example.fi,,,,perhaps\n"
            "e@example,,,,\n"
        )
    told = [(problem.line, problem.where) for problem in error.value.problems]
    assert told == [(2, "language"), (3, "business_id"), (4, "design_weight"), (5, "in_post"), (6, "email")]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "it is empty"),
        (b"email\n", "it names no person"),
        (b"name\nMaija\n", "there is no column email"),
        (b"email,shoe\na@b.fi,42\n", "'shoe' is unknown"),
        (b"email,email\na@b.fi,a@b.fi\n", "email comes twice"),
        (b"PK\x03\x04....", "it is a workbook"),
        (b"email\na@b.fi\x00\n", "can't be read"),
        (b"email,name\na@b.fi,\x81\x8d\n", "can't be read"),
        ("email,name\na@b.fi,PÃ¤ivi\n".encode(), "encoded twice"),
        (b'email,name\na@b.fi,"x\n', "it is no CSV"),
        (b"email,name\na@b.fi,#REF!\n", "spreadsheet's error"),
        (b'email,name\na@b.fi,"x\r\nBcc: y@z.fi"\n', "a line break"),
        (b"email,name\na@b.fi,x,y,z\n", "it has 4 cells"),
        (b"email,name\na@b.fi,A\nA@B.fi,B\n", "comes again, with other particulars"),
        (b"email\n" + b"x" * 200_000, "no CSV|no e-mail"),
        (b'email\n"a@b.fi\r\nBcc: x@y.fi"\n', "line break|no e-mail"),
        (b"email\n@b.fi\n", "no e-mail"),
        (b"email\na@b@c.fi\n", "no e-mail"),
        (b"email\na..b@c.fi\n", "no e-mail"),
        (b"email\na@127.0.0.1\n", "no e-mail"),
        (b"email\n" + b"a" * 65 + b"@c.fi\n", "no e-mail"),
    ],
)
def test_a_list_that_can_not_be_taken_says_why(read, content, told):
    with pytest.raises(AuthorError, match=told):
        read(content)


def test_a_name_that_looks_like_a_formula_or_a_script_is_a_name(read):
    names = ["=1+1", "@SUM(A1)", "+358", "-5", "<img src=x onerror=alert(1)>"]
    rows = "".join(f'p{n}@example.fi,"{name}"\n' for n, name in enumerate(names))
    assert [person.name for person in read(f"email,name\n{rows}").contacts] == names


def test_a_list_that_is_not_there_or_too_large_is_named(tmp_path, monkeypatch):
    with pytest.raises(AuthorError, match="it can't be read"):
        contacts.read(tmp_path / "nowhere.csv", LANGUAGES)
    file = tmp_path / "large.csv"
    file.write_bytes(b"email\n" + b"a@b.fi\n" * 10)
    monkeypatch.setattr(contacts, "LARGEST", 20)
    with pytest.raises(AuthorError, match="larger than"):
        contacts.read(file, LANGUAGES)
