"""Rows of ordered statements: which describes us today."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from kysely.questions._base import Fault, Level
from kysely.questions._rows import Item, Row, RowQuestion, level_faults

EXAMPLE = """
id: maturity
type: stage_matrix
text: {fi: Mikä kuvaa teitä parhaiten?, sv: Vad beskriver er bäst?, en: Which describes you best?}
dont_know: true
rows:
  - code: GOALS
    label: {fi: Tavoitteet, sv: Mål, en: Goals}
    stages:
      - {code: S1, value: 1, label: {fi: Elävät puheissa., sv: Finns i samtal., en: They live in conversation.}}
      - {code: S2, value: 2, label: {fi: Kirjataan vuosittain., sv: Skrivs ned varje år., en: They are written down.}}
      - {code: S3, value: 3, label: {fi: Seurataan mittarein., sv: Följs upp med mått., en: They are measured.}}
  - code: PEOPLE
    label: {fi: Henkilöstö, sv: Personal, en: People}
    stages:
      - {code: S1, value: 1, label: {fi: Työt jaetaan lennossa., sv: Arbetet fördelas i farten., en: Ad hoc tasks.}}
      - {code: S2, value: 2, label: {fi: Vastuut on nimetty., sv: Ansvaren är namngivna., en: Duties are named.}}
      - {code: S3, value: 3, label: {fi: Osaaminen kehittyy., sv: Kompetensen växer., en: Skills grow to a plan.}}
"""


@dataclass(frozen=True, kw_only=True)
class StageRow(Row):
    """One line with statements of its own."""

    stages: tuple[Level, ...] = field(metadata={"help": "the statements, from the first stage to the last"})


@dataclass(frozen=True, kw_only=True)
class StageMatrix(RowQuestion):
    """Rows of full sentences, one chosen in each. They are stages of a path, so their order is never random.

    A row's variable `<id>_<code>` holds the number of the stage.
    """

    rows: tuple[StageRow, ...] = field(default=(), metadata={"help": "what is judged"})

    def items(self) -> Iterator[Item]:
        return (Item(row.named(self.id), self.id, row, self.text, row.stages, row.label) for row in self.rows)

    def faults(self) -> Iterator[Fault]:
        yield from super().faults()
        for place, row in enumerate(self.rows):
            yield from level_faults("rows", row.stages, at=("rows", place, "stages"))
            yield from _stage_faults(row, place)
            if row.stages and len(row.stages) != len(self.rows[0].stages):
                yield Fault(
                    "stages_differ",
                    ("rows", place, "stages"),
                    f"row {row.code} has {len(row.stages)} stages and {self.rows[0].code} {len(self.rows[0].stages)}, "
                    "so their numbers can't be compared",
                    "Give each row as many stages, unless that is meant",
                    fatal=False,
                )


QUESTION = StageMatrix


def _stage_faults(row: StageRow, place: int) -> Iterator[Fault]:
    seen: set[str] = set()
    for at, stage in enumerate(row.stages):
        where = ("rows", place, "stages", at)
        if stage.code.lower() in seen:
            cause = f"stage {stage.code} of row {row.code} stands twice"
            yield Fault("duplicate_code", where, cause, "Give each its own code")
        seen.add(stage.code.lower())
        before = row.stages[at - 1] if at else None
        if before is not None and stage.value <= before.value:
            yield Fault(
                "not_monotone",
                where,
                f"the stages of row {row.code} don't rise: {before.value} is followed by {stage.value} at {stage.code}",
                "Number them in rising order",
            )
