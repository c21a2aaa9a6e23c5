"""Which organisation the respondent speaks for: asked on an open link, kept in the identity database.

The answers themselves hold only whether a name was given; what was typed goes elsewhere, under the question's id.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, ClassVar

from stdnum.exceptions import ValidationError
from stdnum.fi import ytunnus

from kysely.codebook import Answer, Kind, Missing, Text, Variable
from kysely.errors import InvalidAnswer
from kysely.questions import _options as shared
from kysely.questions._base import Question, Typed, wording
from kysely.questions._control import Control, LineControl
from kysely.questions._fields import Fields, LineField
from kysely.questions._text import folded

MAXIMUM = 200

EXAMPLE = """
id: organisation
type: organisation
text:
  fi: Mitä organisaatiota edustat?
  sv: Vilken organisation företräder du?
  en: Which organisation do you represent?
"""

NAME: Text = {"fi": "Organisaation nimi", "sv": "Organisationens namn", "en": "Name of the organisation"}
MUNICIPALITY: Text = {
    "fi": "Päätoimipaikan kunta",
    "sv": "Huvudkontorets kommun",
    "en": "Municipality of the head office",
}
BUSINESS_ID: Text = {
    "fi": "Y-tunnus (vapaaehtoinen)",
    "sv": "FO-nummer (frivilligt)",
    "en": "Finnish business ID (optional)",
}


@dataclass(frozen=True)
class OrganisationTyped:
    """The organisation as the respondent wrote it; *business_id* is a valid one as 1234567-8, or blank.

    Nothing typed is dropped: a municipality alone is kept, though it *named* no organisation. To ask for the name
    once more would press for what a respondent has chosen not to say.
    """

    name: str = ""
    municipality: str = ""
    business_id: str = ""

    def __bool__(self) -> bool:
        return bool(self.name or self.municipality or self.business_id)

    @property
    def named(self) -> bool:
        return bool(self.name or self.business_id)


@dataclass(frozen=True, kw_only=True)
class Organisation(Question):
    """The organisation's name, municipality and business ID. They go to the identity database, not to the answers."""

    name: Text = field(default_factory=lambda: NAME, metadata={"help": "label of the name"})
    municipality: Text = field(default_factory=lambda: MUNICIPALITY, metadata={"help": "label of the municipality"})
    business_id: Text = field(default_factory=lambda: BUSINESS_ID, metadata={"help": "label of the business ID"})

    identity: ClassVar[str] = "organisation"

    def variables(self) -> tuple[Variable, ...]:
        return (Variable(self._given, Kind.BINARY, self.id, self.text, self.text, closed=False),)

    def fields(self, stage: str) -> Fields:
        return {
            self._name: LineField(maximum=MAXIMUM),
            self._municipality: LineField(maximum=MAXIMUM),
            self._business_id: _BusinessIdField(maximum=MAXIMUM),
        }

    def unanswered(self, stage: str, typed: Typed, answers: Mapping[str, Answer]) -> tuple[str, ...]:
        return () if any(folded(text) for text in typed.getlist(self._name)) else (self._name,)

    def record(self, stage: str, given: Mapping[str, Any], answers: Mapping[str, Answer], seed: int) -> dict[str, Any]:
        typed = OrganisationTyped(
            given[self._name] or "", given[self._municipality] or "", given[self._business_id] or ""
        )
        return {self.id: typed, self._given: 1 if typed.named else Missing.NO_ANSWER}

    def control(
        self,
        stage: str,
        *,
        language: str,
        typed: Mapping[str, Sequence[str]],
        answers: Mapping[str, Answer],
        errors: Mapping[str, InvalidAnswer],
        seed: int,
    ) -> Control:
        labels = {
            self._name: (self.name, "organization"),
            self._municipality: (self.municipality, "address-level2"),
            self._business_id: (self.business_id, "off"),
        }
        return Control(
            template="organisation",
            name=self.id,
            legend=wording(self.text, language),
            instruction=wording(self.instruction, language),
            lines=tuple(
                LineControl(
                    name=name,
                    label=wording(label, language),
                    value=shared.first(typed, name),
                    maximum=MAXIMUM,
                    autocomplete=autocomplete,
                )
                for name, (label, autocomplete) in labels.items()
            ),
            errors=errors,
            required=self.required == "hard",
        )

    def typed(self, stage: str, answers: Mapping[str, Any]) -> dict[str, list[str]]:
        """Return what was typed, if *answers* hold it under the question's id: the store of answers never does."""
        typed = answers.get(self.id)
        if not typed:
            return {}
        lines = {
            self._name: typed.name,
            self._municipality: typed.municipality,
            self._business_id: typed.business_id,
        }
        return {name: [text] for name, text in lines.items() if text}

    def fill(self, stage: str, answers: Mapping[str, Answer], rng: Random, *, seed: int) -> dict[str, str | list[str]]:
        if self.required != "hard" and rng.random() < shared.BLANK:
            return {}
        number = rng.randint(1, 999)
        return {
            self._name: f"{rng.choice(('Konepaja', 'Kauppahuone', 'Tietotalo', 'Mäkelä & Åberg'))} {number} Oy",
            self._municipality: rng.choice(("Turku", "Vaasa", "Oulu", "Espoo", "Jyväskylä")),
        }

    @property
    def _given(self) -> str:
        return f"{self.id}_given"

    @property
    def _name(self) -> str:
        return f"{self.id}_name"

    @property
    def _municipality(self) -> str:
        return f"{self.id}_municipality"

    @property
    def _business_id(self) -> str:
        return f"{self.id}_business_id"


_BUSINESS_ID = re.compile(r"(?:FI)?([0-9]{6}(?=-)|[0-9]{7})-?([0-9])")
_HYPHENS = re.compile(r"[\u2010-\u2015\u2212]")


def business_id(text: str) -> str | None:
    """Return the Finnish business ID (Y-tunnus) that *text* writes, as 1234567-8; None if its check digit says no.

    Old ones have six digits before the hyphen and get a leading zero; blanks and a leading FI are overlooked.
    """
    match = _BUSINESS_ID.fullmatch("".join(_HYPHENS.sub("-", text.upper()).split()))
    if match is None:
        return None
    try:
        return str(ytunnus.format(ytunnus.validate(match[1].zfill(7) + match[2])))
    except ValidationError:
        return None


class _BusinessIdField(LineField):
    """A business ID in the form 1234567-8; None if blank."""

    def read(self, texts: list[str]) -> str | None:
        text = super().read(texts)
        if text is None:
            return None
        found = business_id(text)
        if found is None:
            raise InvalidAnswer("business_id")
        return found


QUESTION = Organisation
