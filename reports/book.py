"""The cross-tab book as a workbook: an index, a sheet a question, the tests, and how it all was made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from analysis import wording
from analysis.letters import ALPHA
from reports import _agreement_sheet, agreement, methodology, study
from reports._figures import Figures, Kind
from reports._material import Line, Material
from reports._sheet import QuestionSheet, adjusted
from reports.crosstabs import questions
from reports.parts import Bullets, Document, Facts, Formula, Note, Paragraph, Section, Table
from reports.parts.document import Part
from reports.parts.table import Row
from reports.parts.wording import Wording
from reports.parts.workbook import Entry, Look, Sheet, Workbook

MAKES = Workbook

NAME_LIMIT = 31
FORBIDDEN = str.maketrans(dict.fromkeys("[]:*?/\\'", " "))
RESERVED = ("history", "")
"""What the name of a sheet may not be, beside another's in other letters."""

_READER = ("reader-views", "reader-central", "reader-release")
"""Of the report's advice to readers, what holds for the book too."""


def build(material: Material, language: str) -> Workbook:
    """Return the book in one language."""
    figures, about = Figures(material, language), material.estimates.provenance
    say = figures.say
    tabulated = (*questions(material), *_scores(material))
    own = (say("words.contents"), say("book.tests"), say("agreement.sheet"), say("methodology.title"))
    index, tests, alike, methods, *names = sheet_names((*own, *tabulated))
    agreed = (_agreement_sheet.build(figures, alike, index),) if agreement.told(material) else ()
    sheets = [QuestionSheet(figures, name, sheet, index) for name, sheet in zip(tabulated, names, strict=True)]
    banner, banner_text = study.warning(about, say)
    title = say("front.title", title=about.title[language], report=say("reports.crosstabs"))
    return Workbook(
        title=title,
        language=language,
        sheets=(
            _index(figures, index, title, sheets, (tests, *(sheet.name for sheet in agreed), methods)),
            *(sheet.build() for sheet in sheets),
            _tests(figures, tests, index, sheets),
            *agreed,
            _methods(material, say, methods, index),
        ),
        made_at=about.made_at,
        about=banner_text or say("front.subtitle", **_form(material)),
        page=say("words.page"),
        banner=banner,
        banner_text=banner_text,
    )


def sheet_names(wanted: Iterable[str]) -> tuple[str, ...]:
    """Return a name that Excel takes for each of *wanted*: legal characters, at most 31, none like another's."""
    taken = set(RESERVED)
    found = []
    for one in wanted:
        plain = " ".join(wording.plain(one).translate(FORBIDDEN).split())
        name, number = plain[:NAME_LIMIT].strip(), 1
        while name.casefold() in taken:
            number += 1
            ending = f" {number}"
            name = f"{plain[: NAME_LIMIT - len(ending)].strip()}{ending}".strip()
        taken.add(name.casefold())
        found.append(name)
    return tuple(found)


def _scores(material: Material) -> tuple[str, ...]:
    tabulated = set(material.estimates.select(table="book")["variable"])
    return tuple(score.name for score in material.plan.scores if score.name in tabulated)


def _form(material: Material) -> dict[str, str]:
    about = material.estimates.provenance
    return {"form": about.form, "revision": about.revision}


# ---- the index ----------------------------------------------------------------------------------


def _index(figures: Figures, name: str, title: str, sheets: list[QuestionSheet], others: tuple[str, ...]) -> Sheet:
    say, banners = figures.say, figures.material.plan.banners
    firsts = ("book.sheet", "table.question", "book.n", "book.organisations")
    head: tuple[tuple[Entry, ...], ...] = (
        (Entry(title, Look.TITLE),),
        (Entry(say("front.subtitle", **_form(figures.material)), Look.SUBTITLE),),
        (
            *(Entry(None, Look.HEAD) for _ in firsts),
            *(Entry(say(f"book.p_{kind.key}"), Look.HEAD, across=len(banners)) for kind in figures.kinds),
        ),
        (
            *(Entry(say(key), Look.HEAD) for key in firsts),
            *(Entry(figures.title(banner), Look.HEAD) for _ in figures.kinds for banner in banners),
        ),
    )
    rows = [*head, *(_indexed(figures, sheet) for sheet in sheets), ()]
    rows += [(Entry(other, Look.LINK, link=other),) for other in others]
    across = min(4 + len(banners), 9)
    notes = (*say.list("book.index_notes"), _family(figures))
    rows += [(), *((Entry(note, Look.NOTE, across=across),) for note in notes)]
    return Sheet(name, title, tuple(rows), (18, 50, 12, 15, 11), head=len(head))


def _indexed(figures: Figures, sheet: QuestionSheet) -> tuple[Entry, ...]:
    found = (
        figures.tests_of(kind).get((sheet.variable, banner))
        for kind in figures.kinds
        for banner in figures.material.plan.banners
    )
    return (
        Entry(sheet.name, Look.LINK, link=sheet.name),
        Entry(figures.title(sheet.variable), Look.STUB),
        Entry(sheet.base("base_n"), Look.COUNT),
        Entry(sheet.base("base_organisations"), Look.COUNT),
        *(adjusted(test) for test in found),
    )


# ---- the tests ----------------------------------------------------------------------------------

_TEST_OF = ("book.sheet", "table.question", "book.counted", "tests.banner", "book.test")
_TESTED = (
    ("n", "tests.n", Look.COUNT),
    ("groups", "tests.groups", Look.COUNT),
    ("f", "tests.f", Look.STATISTIC),
    ("ndf", "book.ndf", Look.DF),
    ("ddf", "book.ddf", Look.DF),
    ("p", "tests.p", Look.PROBABILITY),
    ("p_adjusted", "tests.p_adjusted", Look.PROBABILITY),
    ("cramer_v", "tests.v", Look.STATISTIC),
    ("deff", "book.deff", Look.STATISTIC),
)
"""The columns of a test: of the estimates, their heading, what they are."""

_COUNTS = 2
"""The first columns of a test, which are known also where it could not be made."""


def _tests(figures: Figures, name: str, index: str, sheets: list[QuestionSheet]) -> Sheet:
    say, material = figures.say, figures.material
    head = (
        (Entry(say("book.tests_title"), Look.TITLE),),
        (Entry(say("book.back"), Look.LINK, link=index),),
        tuple(Entry(say(key), Look.HEAD) for key in (*_TEST_OF, *(key for _, key, _ in _TESTED))),
    )
    rows: list[tuple[Entry, ...]] = [*head]
    in_book = {sheet.variable: sheet.name for sheet in sheets}
    others = (variable for variable, _, _ in material.tests if variable not in in_book)
    for variable in dict.fromkeys((*in_book, *others)):
        rows += (
            _tested(figures, in_book.get(variable, ""), kind, test)
            for kind in figures.kinds
            for (tested, _), test in figures.tests_of(kind).items()
            if tested == variable
        )
    explained = ("tests.rao_scott_note", "tests.mmi_note", "book.deff_note", "tests.not_tested_note")
    notes = (_family(figures), *(say(key) for key in explained))
    rows += [(), *((Entry(note, Look.NOTE, across=7),) for note in notes)]
    return Sheet(name, say("book.tests_title"), tuple(rows), (14, 46, 18, 30, 11, 12), head=len(head))


def _tested(figures: Figures, sheet: str, kind: Kind, test: Line) -> tuple[Entry, ...]:
    """Return a row of the tests; *sheet* is that of its question, empty where the book has none of it."""
    say = figures.say
    cells = []
    for place, (column, _, look) in enumerate(_TESTED):
        number = test[column]
        if (test["reason"] and place >= _COUNTS) or number != number:  # NaN: Cramér's V is of cross-tabs only
            cells.append(Entry(wording.EN_DASH, Look.SIGN))
        else:
            strong = column == "p_adjusted" and number < ALPHA
            cells.append(Entry(int(number) if place < _COUNTS else float(number), look, strong=strong))
    return (
        Entry(sheet or None, Look.LINK, link=sheet),
        Entry(figures.title(test["variable"]), Look.STUB),
        Entry(say(f"table.{kind.key}"), Look.STUB),
        Entry(figures.title(test["banner"]), Look.STUB),
        Entry(say(f"book.{test['test']}"), Look.STUB),
        *cells,
    )


def _family(figures: Figures) -> str:
    """Return how many tests are adjusted for together, in each way of counting, and how."""
    say, method = figures.say, figures.say(f"tests.{figures.material.plan.rules.adjust}")
    counts = {
        kind.key: wording.number(sum(not test["reason"] for test in figures.tests_of(kind).values()), figures.language)
        for kind in figures.kinds
    }
    told = say(
        "book.family_note", respondents=counts["respondent"], organisations=counts["organisation"], method=method
    )
    if "respondent_weighted" not in counts:
        return told
    return f"{told} {say('tests.family_weighted_note', count=counts['respondent_weighted'], method=method)}"


# ---- the methods --------------------------------------------------------------------------------


def _methods(material: Material, say: Wording, name: str, index: str) -> Sheet:
    """Return the report's own account of its methods and sources, after what is particular to a workbook."""
    document = study.framed(
        material, say.language, report="methodology", chapters=[methodology.build(material, say.language)]
    )
    rows: list[tuple[Entry, ...]] = [
        (Entry(say("methodology.title"), Look.TITLE),),
        (Entry(say("book.back"), Look.LINK, link=index),),
    ]
    beside = ("book.methods_weighted",) if material.weighted else ()
    lacking = ("crosstabs.not_weighted",) if material.estimates.weights.get("lacking") else ()
    about = (*say.list("book.methods"), *(say(key) for key in (*beside, *lacking)))
    rows += [(Entry(text, Look.WORDS, across=2),) for text in about]
    rows += _sample(document, say)
    for part in document.opening:
        if isinstance(part, Note):
            rows += _part(part)
    for section in _chosen(document):
        rows += [(), (Entry(section.title, Look.SECTION, across=2),)]
        for part in section.parts:
            rows += _part(part)
    return Sheet(name, say("methodology.title"), tuple(rows), (44, 76), head=0)


def _sample(document: Document, say: Wording) -> Iterator[tuple[Entry, ...]]:
    """Yield the key facts of the report's first page, named as in a list."""
    period = say("front.period")
    names = (say("table.respondents"), say("table.organisations"), period[:1].upper() + period[1:])
    for part in document.opening:
        if isinstance(part, Facts):
            for name, fact in zip(names, part.facts, strict=True):
                yield (Entry(name, Look.WORDS), Entry(fact.value, Look.WORDS))


def _chosen(document: Document) -> Iterator[Section]:
    for section in document.walk():
        if section.id != "reader" and (not section.id.startswith("reader-") or section.id in _READER):
            yield section


def _part(part: Part) -> Iterator[tuple[Entry, ...]]:
    """Yield the rows of one part of a document; a table of figures and a chart stay in the report."""
    match part:
        case Paragraph(text=text):
            yield (Entry(text, Look.WORDS, across=2),)
        case Note(text=text, title=title):
            yield (Entry(f"{title}. {text}" if title else text, Look.WORDS, across=2, strong=True),)
        case Bullets(items=items):
            yield from ((Entry(f"• {item}", Look.WORDS, across=2),) for item in items)
        case Facts(facts=facts):
            for fact in facts:
                yield (Entry(fact.name, Look.WORDS), Entry(fact.value, Look.CODE if fact.code else Look.WORDS))
        case Formula(text=text, where=where):
            yield (Entry(text, Look.CODE, across=2),)
            yield (Entry(where, Look.WORDS, across=2),)
        case Table(prose=True):
            yield (Entry(part.caption, Look.WORDS, across=2, strong=True),)
            for row in part.rows:
                if isinstance(row, Row):
                    yield (Entry(row.title, Look.WORDS), *(Entry(cell.text, Look.WORDS) for cell in row.cells[:1]))
