"""A small questionnaire about farms, and somebody who answers it straight into the store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from kysely.store import OrganisationTyped, Store

NOW = datetime(2015, 4, 20, 9, 30, tzinfo=UTC)

QUESTIONNAIRE = """
schema: questionnaire/1
id: harvest
revision: "1"
languages: {base: en, required: [en]}
title: {en: The harvest}
purpose: {en: We ask about the harvest.}
minutes: 1
privacy: {mode: confidential, min_group: 5}
core: [crop]
identity: {role: role}
forms:
  short: {title: {en: Short}, pages: [farm, person, field]}
pages:
  - id: farm
    title: {en: Your farm}
    questions:
      - {id: farm, type: organisation, text: {en: Which farm?}}
  - id: person
    title: {en: You}
    questions:
      - id: role
        type: single_choice
        text: {en: Your role?}
        options:
          - {code: OWNER, label: {en: Owner}}
          - {code: WORKER, label: {en: Worker}}
  - id: field
    title: {en: Your field}
    questions:
      - id: crop
        type: multiple_choice
        text: {en: What grows there?}
        options:
          - {code: RYE, label: {en: Rye}}
          - {code: OATS, label: {en: Oats}}
      - {id: hectares, type: number, text: {en: How many hectares?}, minimum: 0, maximum: 100000}
      - {id: remark, type: text, text: {en: Anything else?}, max_length: 500, lines: 3}
"""


@dataclass
class Respondent:
    """Somebody who answers: each form has a key of its own and is based on what was stored when it was shown."""

    store: Store
    id: str
    forms: int = 0

    def saves(self, page="field", *, key=None, based_on=None, organisation=None, stage="", **answers):
        self.forms += 1
        return self.store.save(
            self.id,
            page=page,
            stage=stage,
            submit_key=key or f"form {self.forms}",
            based_on=self.state.revision if based_on is None else based_on,
            answers=answers,
            variables=tuple(answers),
            identity=organisation,
            language="en",
            now=NOW,
        )

    def names(self, name="", municipality="", business_id="", **form):
        return self.saves("farm", organisation=OrganisationTyped(name, municipality, business_id), **form)

    @property
    def state(self):
        return self.store.response(self.id)

    @property
    def answers(self):
        return self.state.answers

    @property
    def organisation(self):
        return self.state.organisation_key
