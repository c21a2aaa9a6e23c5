"""Lists of people to invite as Excel workbooks: read like CSV, and harmless whatever somebody has put into them."""

from __future__ import annotations

import io
import re
import resource
import subprocess
import sys
import zipfile
from datetime import date
from pathlib import Path

import openpyxl
import pytest

from kysely import contacts
from kysely.errors import AuthorError

LANGUAGES = ("fi", "sv", "en")
HEADER = ["Email", "Name", "Language", "Organisation", "Business ID", "In post"]


def workbook(*rows, **sheets):
    book = openpyxl.Workbook()
    book.active.title = "List"
    for row in rows:
        book.active.append(row)
    for name, (state, more) in sheets.items():
        other = book.create_sheet(name)
        other.sheet_state = state
        for row in more:
            other.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


@pytest.fixture
def read(tmp_path):
    def read(content, name="people.xlsx"):
        (tmp_path / name).write_bytes(content)
        return contacts.read(tmp_path / name, LANGUAGES)

    return read


@pytest.fixture
def faults(read):
    def faults(content, name="people.xlsx"):
        with pytest.raises(AuthorError) as error:
            read(content, name)
        return [str(problem) for problem in error.value.problems]

    return faults


def with_parts(content, **parts):
    """Return the workbook with parts added, or put in the place of those there."""
    stream = io.BytesIO(content)
    names = {name.replace("__", "/").replace("_dot_", "."): text for name, text in parts.items()}
    out = io.BytesIO()
    with zipfile.ZipFile(stream) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            if part.filename not in names:
                new.writestr(part.filename, old.read(part))
        for name, text in names.items():
            new.writestr(name, text)
    return out.getvalue()


def test_a_workbook_reads_like_the_same_rows_as_csv(read):
    rows = [
        ["maija@esimerkki.fi", "Maija Äijälä-Öhman", "fi", "Åbo Akademi", "2077474-0", "yes"],
        ["sven@esimerkki.fi", "Sven", "sv", "", "", "no"],
        ["ann@esimerkki.fi", "", "", "", "", ""],
    ]
    text = "\r\n".join(";".join(row) for row in [HEADER, *rows])
    assert read(workbook(HEADER, *rows)).contacts == read(text.encode(), "people.csv").contacts


def test_numbers_dates_and_marks_become_what_a_person_reads(read):
    found = read(workbook(["email", "stratum", "psu", "design_weight", "in_post"], ["a@b.fi", 3, 1.5, 2, True]))
    (person,) = found.contacts
    assert (person.stratum, person.psu, person.design_weight, person.in_post) == ("3", "1.5", 2.0, True)
    (person,) = read(workbook(["email", "stratum"], ["a@b.fi", date(2026, 12, 18)])).contacts
    assert person.stratum == "2026-12-18"


def test_a_fault_is_told_with_file_sheet_row_column_and_cure(faults):
    told = faults(workbook(HEADER, ["a@b.fi"], [], ["no address"], ["c@d.fi", "", "de"], ["e@f.fi", "=1+1"]))
    assert told == [
        "people.xlsx (List):4: email: this is no e-mail address: it has no @ between a name and a domain. Correct it.",
        "people.xlsx (List):5: language: the questionnaire isn't asked in it. Use fi, sv, en.",
        "people.xlsx (List):6: Name: it holds a formula. Paste its value.",
    ]


@pytest.mark.parametrize(
    ("content", "name", "told"),
    [
        (b"email\na@b.fi\n", "people.xlsx", "it is no workbook, whatever its name says"),
        (b"<html><table>", "people.xlsx", "it is no workbook"),
        (workbook(HEADER, ["a@b.fi"]), "people.csv", "it is a workbook by another name"),
        (workbook(HEADER, ["a@b.fi"]), "people.xlsm", "it is a workbook by another name"),
        (b"\xd0\xcf\x11\xe0" + bytes(2000), "people.xlsx", "protected by a password, or of Excel before 2007"),
        (b"PK\x03\x04" + bytes(2000), "people.xlsx", "it is no sound workbook"),
        (workbook(HEADER, ["a@b.fi"])[:3000], "people.xlsx", "it is no sound workbook"),
        (workbook(), "people.xlsx", "it is empty"),
        (workbook(HEADER), "people.xlsx", "it names no person"),
        (workbook(["name"], ["Maija"]), "people.xlsx", "there is no column email"),
        (workbook(HEADER, ["a@b.fi"], More=("visible", [["b@c.fi"]])), "people.xlsx", "several sheets hold something"),
        (workbook(HEADER, ["a@b.fi"], More=("hidden", [["b@c.fi"]])), "people.xlsx", "'More' is hidden"),
        (workbook([*HEADER, *[""] * 30, "far"], ["a@b.fi"]), "people.xlsx", "it has more than 26 columns"),
        (workbook(HEADER, ["#REF!"]), "people.xlsx", "it holds the spreadsheet's error #REF!"),
        (with_parts(workbook(HEADER, ["a@b.fi"]), xl__vbaProject_dot_bin=b"x"), "people.xlsx", "it has macros"),
        (
            with_parts(workbook(HEADER, ["a@b.fi"]), xl__externalLinks__externalLink1_dot_xml="<x/>"),
            "people.xlsx",
            "it takes values from other files",
        ),
        (
            with_parts(
                workbook(HEADER, ["a@b.fi"]),
                xl__sharedStrings_dot_xml='<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><sst>&a;</sst>',
            ),
            "people.xlsx",
            "it declares things that no workbook needs",
        ),
    ],
)
def test_what_is_no_plain_list_is_refused_with_a_reason(faults, content, name, told):
    assert told in "\n".join(faults(content, name))


def test_an_empty_sheet_beside_the_list_does_no_harm(read):
    assert len(read(workbook(HEADER, ["a@b.fi"], Sheet2=("visible", []), Old=("hidden", []))).contacts) == 1


def test_merged_cells_are_told(faults):
    book = openpyxl.Workbook()
    book.active.append(HEADER)
    book.active.append(["a@b.fi"])
    book.active.merge_cells("A2:B2")
    stream = io.BytesIO()
    book.save(stream)
    assert "it has merged cells" in faults(stream.getvalue())[0]


def bomb():
    """A small file whose sheet unpacks to 200 MB."""
    return with_parts(workbook(HEADER, ["a@b.fi"]), xl__worksheets__sheet1_dot_xml=b" " * (200 << 20))


def liar():
    """A part that says it is small, and isn't."""
    content = bytearray(with_parts(workbook(HEADER, ["a@b.fi"]), xl__worksheets__sheet1_dot_xml=b" " * (200 << 20)))
    for place in re.finditer(re.escape((200 << 20).to_bytes(4, "little")), bytes(content)):
        content[place.start() : place.start() + 4] = (1000).to_bytes(4, "little")
    return bytes(content)


def million_rows():
    rows = b"".join(b'<row r="%d"><c r="A%d"><v>1</v></c></row>' % (n, n) for n in range(1, 1_000_001))
    return sheet_of(rows)


def sheet_of(rows):
    space = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    sheet = b'<worksheet xmlns="' + space + b'"><sheetData>' + rows + b"</sheetData></worksheet>"
    return with_parts(workbook(HEADER, ["a@b.fi"]), xl__worksheets__sheet1_dot_xml=sheet)


def many_parts():
    return with_parts(workbook(HEADER, ["a@b.fi"]), **{f"xl__media__{n}": b"x" for n in range(10_000)})


def many_strings():
    return with_parts(
        workbook(HEADER, ["a@b.fi"]), xl__sharedStrings_dot_xml=b"<sst>" + b"<si/>" * 5_000_000 + b"</sst>"
    )


def laughs():
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    text = f'<!DOCTYPE x [<!ENTITY l0 "ha">{entities}]><sst><si><t>&l9;</t></si></sst>'
    return with_parts(workbook(HEADER, ["a@b.fi"]), xl__sharedStrings_dot_xml=text)


def hundred_megabytes():
    return b"PK\x03\x04" + bytes(100 << 20)


HOSTILE = (bomb, liar, million_rows, many_parts, many_strings, laughs, hundred_megabytes)
LIMITS = 300 << 20, 2
"""Bytes of memory and seconds of a processor that reading one may take, with starting Python."""


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_hostile_workbook_is_refused_before_it_costs_anything(tmp_path, hostile):
    file = tmp_path / "people.xlsx"
    file.write_bytes(hostile())
    program = (
        "import sys; from pathlib import Path; from kysely import contacts; from kysely.errors import AuthorError\n"
        "try: contacts.read(Path(sys.argv[1]), ('fi',))\n"
        "except AuthorError as error: print(error)"
    )

    def limited():
        resource.setrlimit(resource.RLIMIT_DATA, (LIMITS[0], LIMITS[0]))
        resource.setrlimit(resource.RLIMIT_CPU, (LIMITS[1], LIMITS[1]))

    done = subprocess.run(
        [sys.executable, "-c", program, str(file)],
        capture_output=True,
        text=True,
        preexec_fn=limited,
        cwd=Path(__file__).resolve().parents[2],
    )
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"people\.xlsx.*:1: file: .+\..+\.\n", done.stdout)
