"""From stored responses to the columns of an extract: codes and kinds of missing, one row a respondent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kysely import paradata, pooling, routing
from kysely.codebook import MISSING_SUFFIX, Answer, Codebook, Kind, Missing, Value, Variable
from kysely.disposition import disposition
from kysely.instrument import FRAME, Instrument
from kysely.paradata import Visit

CASES = ("case", "organisation", "response", "stratum", "psu", "design_weight", "disposition", "invited")


@dataclass(frozen=True, kw_only=True)
class Response:
    """Everything one respondent gave, as the store keeps it; *version* is the hash it was answered on.

    *response* and *organisation* are keys made for one extract, no keys of the store.
    """

    response: str
    organisation: str | None
    wave: str
    origin: str
    version: str
    language: str
    answers: Mapping[str, Answer]
    mode: str = "web"
    started_at: datetime | None = None
    completed_at: datetime | None = None
    submitted: bool = False
    device: str | None = None
    visits: tuple[Visit, ...] = ()
    changes: int = 0
    """Pages that were changed after everything was sent."""


@dataclass(frozen=True, kw_only=True)
class Invited:
    """Somebody who was invited, answered or not. *response* is the key of the answers, None where there are none."""

    case: str
    organisation: str | None
    response: str | None
    stratum: str | None
    psu: str | None
    design_weight: float
    disposition: str


def extracted(codebook: Codebook) -> tuple[Variable, ...]:
    """Return the variables that an extract holds: open text and identifying matter stay behind."""
    return tuple(variable for variable in codebook.variables if variable.closed)


def columns(
    instrument: Instrument, responses: Iterable[Response], versions: Mapping[str, Instrument] | None = None
) -> dict[str, list[Any]]:
    """Return the extract's `responses` by column: FRAME, then X and X__missing for each variable of any version.

    Exactly one of X and X__missing is None in each row. *instrument* is the newest version, *versions* holds the
    others that were answered, by hash, the newer first; each response is read along the path of its own, and what its
    version did not ask is routed past.
    """
    known = {instrument.hash: instrument, **(versions or {})}
    pool = pooling.pool(tuple(known.values()))
    variables = extracted(pool.codebook)
    table: dict[str, list[Any]] = {name: [] for name in FRAME}
    for variable in variables:
        table[variable.name] = []
        table[variable.name + MISSING_SUFFIX] = []
    for response in responses:
        version = known[response.version]
        for name, value in _frame(version, response).items():
            table[name].append(value)
        placed = pool.placed(version.hash, routing.effective(version, response.answers))
        for variable in variables:
            value, missing = _cell(variable, placed[variable.name])
            table[variable.name].append(value)
            table[variable.name + MISSING_SUFFIX].append(missing)
    return table


def cases(responses: Mapping[str, Sequence[Any]], invited: Sequence[Invited] = ()) -> dict[str, list[Any]]:
    """Return the extract's `cases` for the columns of `responses`: a row an invitation, and one an open-link response.

    On an open link every case answered, so response rates are of the *invited* alone. An organisation that a
    respondent named counts before the one of the list. A case whose organisation is not known is a cluster of its own.
    """
    organisations = dict(zip(responses["response"], responses["organisation"], strict=True))
    answered = {each.response for each in invited}
    rows = [
        (
            each.case,
            (organisations.get(each.response) if each.response else None) or each.organisation,
            each.response,
            each.stratum,
            each.psu,
            each.design_weight,
            each.disposition,
            True,
        )
        for each in invited
    ]
    for key, organisation, outcome in zip(
        responses["response"], responses["organisation"], responses["disposition"], strict=True
    ):
        if key not in answered:
            rows.append((key, organisation, key, None, None, 1.0, outcome, False))
    table = {name: [row[place] for row in rows] for place, name in enumerate(CASES)}
    clusters = zip(table["psu"], table["organisation"], table["case"], strict=True)
    table["psu"] = [psu or organisation or case for psu, organisation, case in clusters]
    return table


def visits(responses: Iterable[Response]) -> dict[str, list[Any]]:
    """Return the extract's `visits` by column: a row a saved form, in the order saved; none where none are kept."""
    names = ("response", "visit", "page", "stage", "shown_at", "saved_at", "seconds")
    table: dict[str, list[Any]] = {name: [] for name in names}
    for response in responses:
        for number, visit in enumerate(response.visits, start=1):
            times = (visit.shown_at, visit.saved_at, visit.duration.total_seconds())
            for name, value in zip(names, (response.response, number, visit.page, visit.stage, *times), strict=True):
                table[name].append(value)
    return table


def about(
    instrument: Instrument, responses: Iterable[Response], versions: Mapping[str, Instrument] | None = None
) -> dict[str, list[Any]]:
    """Return the extract's `paradata` by column: a row a respondent whose instrument keeps visits."""
    known = {**(versions or {}), instrument.hash: instrument}
    names = ("response", "device", "pages", "active_seconds", "break_off_page", "changes")
    table: dict[str, list[Any]] = {name: [] for name in names}
    for response in responses:
        version = known[response.version]
        if not version.keeps_visits:
            continue
        row = (
            response.response,
            response.device,
            len(paradata.page_durations(response.visits)),
            paradata.active_time(response.visits).total_seconds() if response.visits else None,
            paradata.break_off_page(version, response.answers, submitted=response.submitted),
            response.changes,
        )
        for name, value in zip(names, row, strict=True):
            table[name].append(value)
    return table


def _frame(version: Instrument, response: Response) -> dict[str, Any]:
    return {
        "response": response.response,
        "organisation": response.organisation,
        "wave": response.wave,
        "origin": response.origin,
        "form": version.form,
        "version": response.version,
        "language": response.language,
        "mode": response.mode,
        "started_at": response.started_at,
        "completed_at": response.completed_at,
        "disposition": str(disposition(version, response.answers, submitted=response.submitted)),
    }


def _cell(variable: Variable, answer: Answer) -> tuple[Value | None, str | None]:
    """Return the value or None, and the kind of missing or None."""
    if isinstance(answer, Missing):
        return None, str(answer)
    if variable.kind is Kind.NUMBER:
        return float(answer), None
    if variable.kind in (Kind.BINARY, Kind.LEVEL):
        return int(answer), None
    return str(answer), None
