"""Agreement inside organisations as a sheet of the book: a row a measure, exact numbers with their limits."""

from __future__ import annotations

from collections.abc import Iterator

from analysis import wording
from analysis.agreement_table import (
    AD,
    AD_ACCEPTABLE,
    CLASS_SHARE,
    CONFLICT,
    DISTANCE,
    HIGH,
    ICC1,
    ICC2,
    LOW,
    ORGANISATIONS,
    RANDOM,
    RWG,
    RWG_RAW,
)
from analysis.conflict import CLASSES
from analysis.estimates import HIDDEN
from reports import agreement
from reports._figures import HIDDEN_SIGN, Figures
from reports._material import Line
from reports.parts.workbook import Entry, Look, Sheet

OF_PROFILES = (DISTANCE, RANDOM, LOW, HIGH)
OF_MODES = (AD, AD_ACCEPTABLE, ICC1, ICC2, RWG, RWG_RAW)

_HEADS = ("agreement.measured", "agreement.sheet_mode", "agreement.sheet_statistic")
_NUMBERS = ("table.organisations", "table.respondents", *(f"agreement.sheet_{one}" for one in ("value", "low", "high")))
_WIDTHS = (30, 36, 40, 15, 13, 11)


def build(figures: Figures, name: str, index: str) -> Sheet:
    """Return the sheet. Shares are per cent as in the rest of the book, all else as the report has it."""
    say = figures.say
    head = (
        (Entry(say("agreement.title"), Look.TITLE),),
        (Entry(say("book.back"), Look.LINK, link=index),),
        tuple(Entry(say(key), Look.HEAD) for key in (*_HEADS, *_NUMBERS)),
    )
    notes = (say("agreement.sheet_note"), say("agreement.suppressed_note", least=ORGANISATIONS))
    rows = (*head, *_rows(figures), (), *((Entry(note, Look.NOTE, across=4),) for note in notes))
    return Sheet(name, say("agreement.title"), rows, _WIDTHS, head=len(head))


def _rows(figures: Figures) -> Iterator[tuple[Entry, ...]]:
    say = figures.say
    for score in agreement.scores(figures):
        title = figures.title(score.name)
        for statistic in OF_PROFILES:
            words = (title, say("agreement.sheet_all"), say(f"agreement.measure.{statistic}"))
            yield _row(words, agreement.find(figures, score.name, "", statistic))
        for code in score.codes:
            for statistic in OF_MODES:
                words = (title, figures.label(score.name, code), say(f"agreement.measure.{statistic}"))
                yield _row(words, agreement.find(figures, score.name, code, statistic))
    for code in CLASSES:
        if line := agreement.find(figures, CONFLICT, code, CLASS_SHARE):
            words = (say("agreement.classes_title"), say(f"agreement.class_{code}"), say("agreement.class_share"))
            yield _row(words, line)


def _row(words: tuple[str, ...], line: Line | None) -> tuple[Entry, ...]:
    stub = tuple(Entry(wording.plain(word), Look.STUB) for word in words)
    if line is None:
        return stub
    bases = (Entry(int(line[column]), Look.COUNT) for column in ("base_organisations", "base_n"))
    if line["flag"] in HIDDEN:
        return (*stub, *bases, *(Entry(HIDDEN_SIGN, Look.SIGN) for _ in range(3)))
    look = Look.SHARE if line["statistic"] in agreement.SHARES else Look.MEAN
    return (*stub, *bases, *(_number(line[column], look) for column in ("estimate", "ci_low", "ci_high")))


def _number(value: float, look: Look) -> Entry:
    return Entry(float(value), look) if value == value else Entry(wording.EN_DASH, Look.SIGN)
