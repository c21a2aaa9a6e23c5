"""The keys of a questionnaire file, as dataclasses: their fields are what an author may write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from kysely.codebook import Text
from kysely.instrument import Changed, Page, Retired, ScoreRule
from kysely.questions._base import Scale

SCHEMA = "questionnaire/1"

PrivacyMode = Literal["open", "anonymous", "confidential", "named"]


@dataclass(frozen=True, kw_only=True)
class Languages:
    """Which languages every text has to have; the base language is the one the study was written in."""

    base: str
    required: tuple[str, ...]

    @property
    def ordered(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((self.base, *self.required)))


@dataclass(frozen=True, kw_only=True)
class Privacy:
    """How answers are handled, and the smallest group of which anything is shown."""

    mode: PrivacyMode = "confidential"
    min_group: int = field(default=5, metadata={"minimum": 2})
    paradata: Literal["page", "none"] = field(
        default="page",
        metadata={"help": "whether it is noted when pages are shown and saved; nothing is in `anonymous` mode"},
    )


@dataclass(frozen=True, kw_only=True)
class MissingLabels:
    """The study's own words for the five kinds of missing."""

    not_reached: Text | None = None
    routed_past: Text | None = None
    does_not_concern: Text | None = None
    dont_know: Text | None = None
    no_answer: Text | None = None


@dataclass(frozen=True, kw_only=True)
class Form:
    """Some of the pages, in the order they are asked."""

    title: Text | None = None
    minutes: int | None = field(
        default=None,
        metadata={"help": "how long it takes, if not as long as the file says", "minimum": 1, "maximum": 240},
    )
    pages: tuple[str, ...] = field(metadata={"help": "ids of pages"})


@dataclass(frozen=True, kw_only=True)
class Identity:
    """What the identity database takes from the answers."""

    role: str = field(metadata={"help": "id of the question whose answer is the respondent's role"})


@dataclass(frozen=True, kw_only=True)
class Document:
    """A questionnaire file."""

    schema: Literal["questionnaire/1"] = field(metadata={"help": "the version of this format"})
    id: str = field(metadata={"help": "name of the instrument, and of its folder", "name": True})
    revision: str = field(metadata={"help": "what you call this version; the engine adds a content hash"})
    languages: Languages
    title: Text
    purpose: Text | None = field(default=None, metadata={"help": "a paragraph for the introduction"})
    minutes: int | None = field(default=None, metadata={"help": "how long it takes", "minimum": 1, "maximum": 240})
    privacy: Privacy = field(default_factory=Privacy)
    edit_after_submit: bool = field(
        default=True, metadata={"help": "whether respondents may change what they sent while the wave is open"}
    )
    missing: MissingLabels = field(default_factory=MissingLabels)
    scales: Mapping[str, Scale] = field(default_factory=dict, metadata={"help": "scales by name"})
    forms: Mapping[str, Form] = field(
        default_factory=dict, metadata={"help": "forms by name; without any, all pages make the form `main`"}
    )
    core: tuple[str, ...] = field(
        default=(), metadata={"help": "ids of the questions without which a response is a break-off"}
    )
    identity: Identity | None = None
    scores: tuple[ScoreRule, ...] = field(
        default=(), metadata={"help": "numbers computed from the answers; they are not stored with them"}
    )
    retired: tuple[Retired, ...] = field(
        default=(), metadata={"help": "questions, options and rows of earlier versions that are not asked any more"}
    )
    changed: tuple[Changed, ...] = field(
        default=(), metadata={"help": "what means something else than in earlier versions, under the same name"}
    )
    pages: tuple[Page, ...]
