"""The questionnaire as a frozen value: one form of an instrument, named by the hash of its canonical JSON.

An Instrument looks up and decides nothing; the verbs are functions on it (routing, dataset, disposition).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from kysely.codebook import Codebook, Missing, Text
from kysely.conditions import Condition
from kysely.questions._base import Question, Scale

FRAME = (
    "response",
    "organisation",
    "wave",
    "origin",
    "form",
    "version",
    "language",
    "mode",
    "started_at",
    "completed_at",
    "disposition",
)
"""The columns of an extract that stand before the variables; no variable may have such a name."""

OWN_FIELDS = frozenset({"ticket", "end", "skip", "go", "language"})
"""Fields that the interview adds to each of its forms; nothing that a question posts may have such a name."""

OWN_ADDRESSES = frozenset({"accessibility", "charts"})
"""Pages of the site beside the studies; no instrument may have such a name."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """What is shown together, and under which condition."""

    id: str = field(metadata={"help": "name of the page, seen in its address", "name": True})
    title: Text
    text: Text | None = field(default=None, metadata={"help": "a paragraph above the questions"})
    show_if: Condition | None = field(default=None, metadata={"help": "condition on earlier answers"})
    questions: tuple[Question, ...]


@dataclass(frozen=True, kw_only=True)
class Instrument:
    """One form of an instrument at one version; *languages* begins with the base language.

    *canonical* is its definition as JSON (sorted keys, no spaces), *hash* the SHA-256 of that in hex.
    *core* names the questions without which a response is a break-off, *identity_role* the question whose
    answer is the respondent's role in the identity database.
    """

    id: str
    form: str
    revision: str
    title: Text
    purpose: Text | None
    minutes: int | None
    languages: tuple[str, ...]
    privacy_mode: str
    min_group: int
    missing: Mapping[Missing, Text]
    scales: Mapping[str, Scale]
    core: tuple[str, ...]
    identity_role: str | None
    pages: tuple[Page, ...]
    canonical: str
    hash: str

    @cached_property
    def codebook(self) -> Codebook:
        return Codebook(
            instrument=self.id,
            form=self.form,
            revision=self.revision,
            languages=self.languages,
            title=self.title,
            variables=tuple(variable for question in self.questions for variable in question.variables()),
            missing=self.missing,
        )

    @cached_property
    def questions(self) -> tuple[Question, ...]:
        """Every question in the order asked."""
        return tuple(question for page in self.pages for question in page.questions)

    @cached_property
    def sets(self) -> Mapping[str, tuple[str, ...]]:
        """The variables of each multiple-response set."""
        return {
            name: tuple(variable.name for variable in question.variables() if variable.set == name)
            for question in self.questions
            for name in question.sets()
        }

    def page(self, id: str) -> Page:
        """Return the page *id*; raises KeyError if the form has none."""
        return self._pages[id]

    def question(self, id: str) -> Question:
        """Return the question *id*; raises KeyError if the form has none."""
        return self._questions[id]

    @cached_property
    def _pages(self) -> Mapping[str, Page]:
        return {page.id: page for page in self.pages}

    @cached_property
    def _questions(self) -> Mapping[str, Question]:
        return {question.id: question for question in self.questions}
