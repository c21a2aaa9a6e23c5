"""Where an engine gets its respondents from: an extract, put where it reads them, or a table that is there already."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Literal, Protocol

from analysis import checking, disclosure, elsewhere, engines, extract_batches
from analysis.claims import Claims
from analysis.engines import DesignColumns, Engine
from analysis.estimates import Provenance
from analysis.extract import codebook_in
from analysis.plan import Plan
from analysis.respondents import KEY, Layout, Making, RespondentsError, put
from analysis.study import RESPONDENT
from analysis.tabulate import Unanswered
from kysely.codebook import Codebook


class Source(Protocol):
    """Respondents of one instrument, wherever they are."""

    @property
    def layout(self) -> Layout:
        """What their table holds; known once the engine is."""

    def engine(self, place: str, out: Path) -> Engine:
        """Return the engine of the respondents, per respondent. What has to be put somewhere for it goes to *out*."""

    def provenance(self, engine: Engine, made_at: str) -> Provenance: ...

    def unanswered(self, about: Provenance) -> Unanswered | None:
        """Return the missing answers by kind; None where they were not counted."""

    def responses(self, about: Provenance) -> int:
        """Return how many responded, valid or not."""


@dataclass(frozen=True)
class GivenTable:
    """A respondents table that somebody else made: its name, or a Parquet file, and whose answers they are.

    promised  of how many respondents they were told that figures are at least
    """

    name: str
    origin: Literal["real", "simulated"]
    wave: str = ""
    promised: int = disclosure.RESPONDENTS


@dataclass(eq=False)
class OfExtract:
    """The valid respondents of the extract in *folder*."""

    questionnaires: Path
    folder: Path

    @cached_property
    def _making(self) -> Making:
        stored = extract_batches.stored(self.folder)
        self._claims: Claims | None
        plan, self._claims = checking.load(self.questionnaires, stored.codebook)
        return Making(stored, plan)

    @property
    def layout(self) -> Layout:
        return self._making.layout

    def engine(self, place: str, out: Path) -> Engine:
        name = put(self._making, place, out)
        return engines.engine(place, name, self.layout.design(RESPONDENT))

    def provenance(self, engine: Engine, made_at: str) -> Provenance:
        about = Provenance.of(self._making.extract.empty, self.layout.study, made_at)
        n, organisations = elsewhere.everybody(engine)
        account = elsewhere.Account.of(engine, self.layout.study.plan, claims=self._claims is not None)
        return replace(about, responses=n, organisations=organisations, elsewhere=asdict(account))

    def unanswered(self, about: Provenance) -> Unanswered | None:
        return Unanswered(about.responses, about.organisations, self._making.counts)

    def responses(self, about: Provenance) -> int:
        return int(self._making.extract.manifest["counts"]["responses"])


@dataclass(eq=False)
class OfTable:
    """The respondents of a table; of the extract in *folder* only the codebook is read."""

    questionnaires: Path
    folder: Path
    given: GivenTable
    _layouts: list[Layout] = field(default_factory=list)

    @cached_property
    def _codebook(self) -> Codebook:
        path = self.folder / "codebook.json"
        if not path.is_file():
            raise RespondentsError(
                f"{path} is lacking: it says what the codes of the table mean. Copy the codebook there, or name its "
                "folder with --extract; `kysely check --codebooks` writes one of a questionnaire"
            )
        return codebook_in(path)

    @cached_property
    def _loaded(self) -> tuple[Plan, Claims | None]:
        return checking.load(self.questionnaires, self._codebook)

    @property
    def layout(self) -> Layout:
        return self._layouts[0]

    def engine(self, place: str, out: Path) -> Engine:
        plan, _ = self._loaded

        def design(columns: Sequence[str]) -> DesignColumns:
            self._layouts[:] = [Layout.of(self._codebook, plan, columns, promised=self.given.promised)]
            return self.layout.design(RESPONDENT, told_apart=KEY in columns)

        return engines.engine(place, self.given.name, design)

    def provenance(self, engine: Engine, made_at: str) -> Provenance:
        plan, claims = self._loaded
        n, organisations = elsewhere.everybody(engine)
        described = f"{self.given} {n} {organisations} {self._codebook.to_json()}"
        return Provenance(
            instrument=self._codebook.instrument,
            form=self._codebook.form,
            revision=self._codebook.revision,
            title=self._codebook.title,
            versions=(),
            wave=self.given.wave,
            origin=self.given.origin,
            demonstration=False,
            responses=n,
            organisations=organisations,
            first_completed=None,
            last_completed=None,
            extract_sha256=hashlib.sha256(described.encode()).hexdigest(),
            made_at=made_at,
            rules={
                "suppress_respondents": self.layout.study.limits.least,
                "suppress_organisations": disclosure.ORGANISATIONS,
                "small_base": plan.rules.small_base,
            },
            elsewhere=asdict(elsewhere.Account.of(engine, plan, claims=claims is not None)),
        )

    def unanswered(self, about: Provenance) -> Unanswered | None:
        return None

    def responses(self, about: Provenance) -> int:
        return about.responses
