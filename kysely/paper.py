"""A questionnaire on paper: every page, question, row and option in one language, with the routing in words.

Typst sets it. What an author wrote goes in as data and is never read as markup.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kysely import piping, pretest, typesetting
from kysely.codebook import Answer
from kysely.conditions import Comparison, Condition, Name
from kysely.errors import KyselyError
from kysely.instrument import Instrument, Page
from kysely.questions._base import Question, wording
from kysely.questions._control import Control, GroupControl, LineControl, OptionControl
from kysely.spoken import Speaker, Words

TEMPLATE = Path(__file__).with_name("paper.typ")

WAYS = 60
"""How many ways are walked to find the fullest form of each question."""

WIDEST_TABLE = 6
LONGEST_HEADING, LONGEST_WORD = 26, 20
"""Levels of a scale stand as columns where there are few of them and their labels are short."""


class NotPrinted(KyselyError):
    """The questionnaire can't be set; says why."""


def printed(instrument: Instrument, language: str, *, codes: bool = False) -> bytes:
    """Return the PDF of *instrument* in *language*, with what is stored for each option where *codes* says so.

    Raises NotPrinted for a language that the questionnaire doesn't have.
    """
    if language not in instrument.languages:
        raise NotPrinted(f"{instrument.id} has no {language!r}; there are: {', '.join(instrument.languages)}")
    try:
        return typesetting.pdf(TEMPLATE, document(instrument, language, codes=codes))
    except typesetting.NotSet as error:
        raise NotPrinted(f"{instrument.id} can't be set in {language}: {error}") from None


def document(instrument: Instrument, language: str, *, codes: bool = False) -> dict[str, Any]:
    """Return everything that stands on the paper, as data."""
    return _Paper(instrument, language, codes).document()


@dataclass(frozen=True)
class _Asked:
    """A question, or one step of it, in the fullest form that anybody meets."""

    number: str
    question: Question
    stage: str
    control: Control
    answers: Mapping[str, Answer]


class _Paper:
    def __init__(self, instrument: Instrument, language: str, codes: bool):
        self.instrument, self.language, self.codes = instrument, language, codes
        self.words = Words(language)
        self.asked = {(one.question.id, one.stage): one for one in _fullest(instrument, language)}
        self.speaker = Speaker(instrument, _numbers(instrument, self.asked.values()), self.words)

    def document(self) -> dict[str, Any]:
        instrument, say = self.instrument, self.words.say
        return {
            "language": self.language,
            "title": wording(instrument.title, self.language),
            "kind": say("title_note"),
            "purpose": wording(instrument.purpose, self.language),
            "revision": say("revision", revision=instrument.revision, hash=instrument.hash[:12]),
            "page_of": say("page_of", number="{number}", count="{count}"),
            "pages": [self.page(page) for page in instrument.pages],
        }

    def page(self, page: Page) -> dict[str, Any]:
        plain = piping.neutral(page)
        return {
            "heading": wording(plain.title, self.language),
            "text": wording(plain.text, self.language),
            "notes": [note for note in self.page_notes(page) if note],
            "questions": [
                self.one(self.asked[question.id, stage])
                for question in page.questions
                for stage in question.all_stages
                if (question.id, stage) in self.asked
            ],
        }

    def page_notes(self, page: Page) -> Iterator[str]:
        yield self.words.say("page_settles") if page.settles else ""
        yield self.only("page_only", page.show_if)

    def one(self, asked: _Asked) -> dict[str, Any]:
        control = asked.control
        notes = [self.only("question_only", asked.question.show_if), *self.notes(asked)]
        conditions = {} if self.is_shared(asked.question) else self.conditions(asked.question)
        return {
            "number": asked.number if control.fields else "",
            "text": control.legend,
            "instruction": control.instruction or self.how(control),
            "notes": [note for note in notes if note],
            "paragraphs": list(control.paragraphs),
            "table": self.table(control, conditions),
            "groups": [] if self.is_table(control) else [self.group(group, conditions) for group in control.groups],
            "lines": [self.line(line, control.legend) for line in control.lines],
            "options": [self.option(option, control.multiple, conditions) for option in control.options],
        }

    def how(self, control: Control) -> str:
        if control.groups:
            return self.words.say("choose_each")
        if not control.options or control.lines:
            return ""
        return self.words.say("choose_several" if control.multiple else "choose_one")

    def notes(self, asked: _Asked) -> Iterator[str]:
        """Yield what is said once for all rows or options that only some are asked."""
        shared = self.shared_set(asked.question)
        if shared:
            yield self.words.say("members_chosen", number=self.speaker.numbers.get(shared, "?"))
        elif len(asked.question.all_stages) > 1 and asked.stage != asked.question.all_stages[0]:
            first = self.asked.get((asked.question.id, asked.question.all_stages[0]))
            if first is not None:
                yield self.words.say("members_chosen", number=first.number)

    def is_shared(self, question: Question) -> bool:
        return bool(self.shared_set(question))

    def shared_set(self, question: Question) -> str:
        """Return the set from which all conditional rows or options come, each shown if it was chosen there; or ""."""
        sets = set()
        for member in question.conditional:
            tree = member.show_if.tree
            left = tree.left if isinstance(tree, Comparison) else None
            if not isinstance(left, Name):
                return ""
            variable = self.instrument.codebook[left.name]
            sets.add(variable.set if variable.code == member.code else None)
        found = sets.pop() if len(sets) == 1 else None
        return found or ""

    def conditions(self, question: Question) -> dict[str, str]:
        return {member.code: self.only("member_only", member.show_if) for member in question.conditional}

    def only(self, key: str, condition: Condition | None) -> str:
        return self.words.say(key, condition=self.speaker.say(condition)) if condition else ""

    # The parts of a question

    def is_table(self, control: Control) -> bool:
        if not control.groups or any(group.poles for group in control.groups):
            return False
        labels = {tuple(option.label for option in group.options) for group in control.groups}
        columns = next(iter(labels))
        few = len(labels) == 1 and len(columns) <= WIDEST_TABLE
        words = (word for label in columns for word in label.split())
        return (
            few
            and all(len(label) <= LONGEST_HEADING for label in columns)
            and all(len(word) <= LONGEST_WORD for word in words)
        )

    def table(self, control: Control, conditions: Mapping[str, str]) -> dict[str, Any] | None:
        if not self.is_table(control):
            return None
        options = control.groups[0].options
        return {
            "columns": [self.coded(option.label, option.code) for option in options],
            "rows": [self.group(group, conditions) for group in control.groups],
        }

    def group(self, group: GroupControl, conditions: Mapping[str, str]) -> dict[str, Any]:
        return {
            "label": self.coded(group.legend, group.name),
            "within": group.within,
            "note": next((note for code, note in conditions.items() if group.name.endswith(f"_{code}")), ""),
            "poles": list(group.poles) if group.poles else [],
            "options": [self.option(option, False, {}) for option in group.options],
            "detail": self.line(group.detail, "") if group.detail else None,
        }

    def option(self, option: OptionControl, several: bool, conditions: Mapping[str, str]) -> dict[str, Any]:
        alone = self.words.say("exclusive") if several and option.exclusive else ""
        return {
            "label": self.coded(option.label, option.code),
            "several": several,
            "note": " ".join(note for note in (conditions.get(option.code, ""), alone) if note),
            "detail": self.line(option.detail, option.label) if option.detail else None,
        }

    def line(self, line: LineControl, legend: str) -> dict[str, Any]:
        return {
            "label": "" if line.label == legend else line.label,
            "unit": line.unit,
            "lines": line.lines,
            "short": line.inputmode != "text",
            "detail": self.line(line.detail, "") if line.detail else None,
        }

    def coded(self, label: str, code: str) -> str:
        return f"{label} [{code}]" if self.codes and not code.startswith("__") else label


def _fullest(instrument: Instrument, language: str) -> Iterator[_Asked]:
    """Yield every question and step with all that anybody may be shown of it, in the order of the questionnaire."""
    found = pretest.walk(instrument, ways=WAYS)
    number = 0
    for page in instrument.pages:
        for whole in page.questions:
            question = piping.neutral(whole)
            for stage in question.all_stages:
                best = _best(question, stage, found, language)
                if best is None:
                    continue
                control, answers = _in_the_authors_order(question, best[0]), best[1]
                number += bool(control.fields)
                yield _Asked(str(number), whole, stage, control, answers)


def _best(
    question: Question, stage: str, found: pretest.Findings, language: str
) -> tuple[Control, Mapping[str, Answer]] | None:
    """Return the step with the most to answer, among the ways that come to it; None if none does."""
    best: tuple[Control, Mapping[str, Answer]] | None = None
    most = -1
    for way in found.ways:
        if stage not in question.stages(way.answers):
            continue
        control = pretest.drawn(question, stage, way.answers, language)
        much = len(control.groups) + len(control.options) + len(control.lines)
        if much > most:
            best, most = (control, way.answers), much
        if stage == question.all_stages[0]:
            break  # what comes first doesn't hang on answers to it
    return best


def _in_the_authors_order(question: Question, control: Control) -> Control:
    """Return *control* unshuffled: on paper everybody sees the same order."""
    members = getattr(question, question.members) if question.members else ()
    place = {member.code: at for at, member in enumerate(members)}
    last = len(place)
    ends = sorted(place, key=len, reverse=True)

    def of_group(group: GroupControl) -> int:
        return next((place[code] for code in ends if group.name.endswith(f"_{code}")), last)

    return replace(
        control,
        options=tuple(sorted(control.options, key=lambda option: place.get(option.code, last))),
        groups=tuple(sorted(control.groups, key=of_group)),
    )


def _numbers(instrument: Instrument, asked: Any) -> dict[str, str]:
    """Return the number of the question by which each variable and set is asked."""
    numbers: dict[str, str] = {}
    for one in asked:
        names = set(one.question.asked(one.stage, one.answers)) or set(one.question.names)
        for variable in one.question.variables():
            if variable.name in names or variable.name in one.control.fields:
                numbers.setdefault(variable.name, one.number)
                if variable.set:
                    numbers.setdefault(variable.set, one.number)
    for one in asked:
        for name in (*one.question.names, *one.question.sets(), one.question.id):
            numbers.setdefault(name, one.number)
    return numbers
