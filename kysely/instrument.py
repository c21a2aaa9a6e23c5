"""The questionnaire as a frozen value: one form of an instrument, named by the hash of its canonical JSON.

An Instrument looks up and decides nothing; the verbs are functions on it (routing, dataset, disposition).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import groupby
from typing import Literal, NamedTuple

from kysely import piping
from kysely.codebook import Codebook, Missing, Number, Text
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

OWN_ADDRESSES = frozenset({"accessibility", "charts", "r", "stop", "preview"})
"""Pages of the site beside the studies; no instrument may have such a name."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """What is shown together, and under which condition."""

    id: str = field(metadata={"help": "name of the page, seen in its address", "name": True})
    title: Text
    text: Text | None = field(default=None, metadata={"help": "a paragraph above the questions"})
    show_if: Condition | None = field(default=None, metadata={"help": "condition on earlier answers"})
    settles: bool = field(
        default=False, metadata={"help": "whether answers before it stand once a respondent has come to it"}
    )
    questions: tuple[Question, ...]

    @cached_property
    def piped(self) -> frozenset[str]:
        """The names whose answers its title and text show."""
        return piping.piped(replace(self, questions=()))

    @cached_property
    def plain(self) -> bool:
        """Whether it is the same for all respondents who meet it."""
        return not self.piped and all(question.plain and not question.show_if for question in self.questions)

    @cached_property
    def names(self) -> frozenset[str]:
        """The variables of its questions."""
        return frozenset(name for question in self.questions for name in question.names)

    @cached_property
    def stretch(self) -> Stretch:
        """The page by itself; to be asked of a plain one."""
        return Stretch.of((self,))


class Screen(NamedTuple):
    """What is shown at once: a page, or a stage of the question that is alone on it."""

    page: str
    stage: str = ""


@dataclass(frozen=True)
class Stretch:
    """Pages in a row that all respondents meet as they are: what these ask is known before anything is answered."""

    questions: Mapping[Screen, tuple[Question, ...]]
    asked: Mapping[Screen, frozenset[str]]
    names: frozenset[str]

    @classmethod
    def of(cls, pages: Iterable[Page]) -> Stretch:
        asking = [page for page in pages if page.questions]
        return cls(
            {Screen(page.id): page.questions for page in asking},
            {Screen(page.id): page.names for page in asking},
            frozenset(name for page in asking for name in page.names),
        )


ScoreKind = Literal[
    "sum",
    "mean",
    "weighted_mean",
    "count",
    "minimum",
    "maximum",
    "spread",
    "difference",
    "ratio",
    "product",
    "share_of",
    "herfindahl",
    "dominant",
    "modal",
    "distance",
    "fit",
    "overlap",
]


@dataclass(frozen=True, kw_only=True)
class ScoreRule:
    """A number, or a code, computed from the answers of one respondent; kysely.scores says how."""

    id: str = field(metadata={"help": "name of the score", "name": True})
    kind: ScoreKind = field(metadata={"help": "how it is computed, see the table of kinds"})
    label: Text = field(metadata={"help": "what it is called"})
    items: tuple[str, ...] = field(
        metadata={"help": "variables, sets, questions or other scores; `OM_C1*` stands for all that begin so"}
    )
    others: tuple[str, ...] = field(
        default=(), metadata={"key": "with", "help": "the second composition of `distance`, `fit` and `overlap`"}
    )
    of: str | None = field(default=None, metadata={"help": "the item whose share `share_of` gives"})
    reversed: tuple[str, ...] = field(default=(), metadata={"help": "items that count the other way round"})
    weights: tuple[Number, ...] = field(default=(), metadata={"help": "of `weighted_mean`, one for each item"})
    out_of: Number | None = field(
        default=None, metadata={"help": "brings each item to 0 … this number first, mostly 100"}
    )
    range: tuple[Number, ...] = field(
        default=(), metadata={"help": "lowest and highest value of the items, where their scale doesn't say it"}
    )
    min_valid: Number | None = field(
        default=None,
        metadata={"help": "how many items must be answered, or which share of those that concern the respondent"},
    )
    at_least: Number | None = field(default=None, metadata={"help": "`count` counts items of this value or more"})
    equals: Number | None = field(default=None, metadata={"help": "`count` counts items of this value"})
    cap: Number | None = field(default=None, metadata={"help": "`count` counts no further"})
    floor: Number | None = field(default=None, metadata={"help": "a smaller `difference` is given as this number"})
    margin: Number = field(
        default=0, metadata={"help": "how close to the highest still shares the place of `dominant`"}
    )


@dataclass(frozen=True, kw_only=True)
class Retired:
    """What an earlier version asked and this one doesn't: its answers stay, and stay in every extract."""

    question: str = field(metadata={"help": "id of the question", "name": True})
    code: str | None = field(
        default=None, metadata={"help": "code of its option or row; without it, the whole question", "name": True}
    )
    since: str = field(metadata={"help": "the first `revision` without it"})
    maps_to: str | None = field(
        default=None,
        metadata={
            "help": "what its answers count as in an extra column: another code, or another question",
            "name": True,
        },
    )
    why: str | None = field(default=None, metadata={"help": "a note for readers of the file"})


@dataclass(frozen=True, kw_only=True)
class Changed:
    """What means something else than in earlier versions, under the same name on purpose."""

    question: str | None = field(default=None, metadata={"help": "id of the question", "name": True})
    code: str | None = field(default=None, metadata={"help": "code of its option or row", "name": True})
    page: str | None = field(default=None, metadata={"help": "id of the page", "name": True})
    scale: str | None = field(default=None, metadata={"help": "name of the scale", "name": True})
    score: str | None = field(default=None, metadata={"help": "id of the score", "name": True})
    key: str | None = field(default=None, metadata={"help": "key of the file, such as `core`", "name": True})
    since: str = field(metadata={"help": "the first `revision` in which it means this"})
    was: str = field(metadata={"help": "what it meant before, in a few words; the codebook repeats it"})


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
    edit_after_submit: bool = True
    paradata: str = "page"
    missing: Mapping[Missing, Text]
    scales: Mapping[str, Scale]
    core: tuple[str, ...]
    identity_role: str | None
    pages: tuple[Page, ...]
    canonical: str
    hash: str
    retired: tuple[Retired, ...] = ()
    changed: tuple[Changed, ...] = ()
    scores: tuple[ScoreRule, ...] = ()

    @property
    def keeps_visits(self) -> bool:
        """Whether it is noted when pages are shown and saved, and on what kind of device: never in anonymous mode."""
        return self.paradata == "page" and self.privacy_mode != "anonymous"

    @cached_property
    def codebook(self) -> Codebook:
        return Codebook(
            instrument=self.id,
            form=self.form,
            revision=self.revision,
            languages=self.languages,
            title=self.title,
            variables=tuple(v for question in self.questions for v in piping.neutral(question).variables()),
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

    @cached_property
    def settling(self) -> frozenset[str]:
        """The pages that settle what was answered before them."""
        return frozenset(page.id for page in self.pages if page.settles)

    @cached_property
    def stretches(self) -> tuple[Stretch | Page, ...]:
        """Its pages in the order asked: in stretches those that are the same for all, the others one by one."""
        found: list[Stretch | Page] = []
        for same, pages in groupby(self.pages, key=lambda page: page.plain and not page.show_if):
            together = tuple(pages)
            found += [Stretch.of(together)] if same else together
        return tuple(found)

    @cached_property
    def steering(self) -> frozenset[str]:
        """The variables on whose answers the way through it depends; no other answer changes what is asked, or how."""
        named: set[str] = set()
        for page in self.pages:
            conditions = [page.show_if, *(question.show_if for question in page.questions)]
            conditions += [member.show_if for question in page.questions for member in question.conditional]
            named = named.union(page.piped, *(question.piped for question in page.questions))
            named = named.union(() if page.plain else page.names, *(each.names for each in conditions if each))
        return frozenset(variable for name in named for variable in self.sets.get(name, (name,)))

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
