"""An e-mail address to write to: kept in the identity database, never with the answers or in an extract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, ClassVar

from kysely.codebook import Answer, Kind, Missing, Variable
from kysely.errors import InvalidAnswer
from kysely.questions import _options as shared
from kysely.questions._base import Question, wording
from kysely.questions._control import Control, LineControl
from kysely.questions._fields import Fields, LineField
from kysely.questions._text import email_address

MAXIMUM = 320

EXAMPLE = """
id: reply_to
type: email
text:
  fi: Mihin sähköpostiosoitteeseen haluat palautteen?
  sv: Till vilken e-postadress vill du ha respons?
  en: To which e-mail address would you like the feedback?
instruction:
  fi: Osoite säilytetään erillään vastauksista.
  sv: Adressen sparas åtskilt från svaren.
  en: The address is kept apart from the answers.
required: "no"
"""


@dataclass(frozen=True, kw_only=True)
class EmailAddress(Question):
    """An e-mail address. It goes to the identity database; the answers hold only whether one was given."""

    identity: ClassVar[str] = "address"

    def variables(self) -> tuple[Variable, ...]:
        return (Variable(self._given, Kind.BINARY, self.id, self.text, self.text, closed=False),)

    def fields(self, stage: str) -> Fields:
        return {self.id: _AddressField(maximum=MAXIMUM)}

    def record(self, stage: str, given: Mapping[str, Any], answers: Mapping[str, Answer], seed: int) -> dict[str, Any]:
        address = given[self.id] or ""
        return {self.id: address, self._given: 1 if address else Missing.NO_ANSWER}

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
        line = LineControl(
            name=self.id,
            label=wording(self.text, language),
            value=shared.first(typed, self.id),
            maximum=MAXIMUM,
            inputmode="email",
            autocomplete="email",
        )
        return Control(
            template="line",
            name=self._given,
            legend=wording(self.text, language),
            instruction=wording(self.instruction, language),
            lines=(line,),
            errors=errors,
            required=self.required == "hard",
        )

    def typed(self, stage: str, answers: Mapping[str, Any]) -> dict[str, list[str]]:
        """Return what was typed, if *answers* hold it under the question's id: the store of answers never does."""
        address = answers.get(self.id)
        return {self.id: [address]} if address else {}

    def fill(self, stage: str, answers: Mapping[str, Answer], rng: Random, *, seed: int) -> dict[str, str | list[str]]:
        if self.required != "hard" and rng.random() < shared.BLANK:
            return {}
        # A domain that is kept for examples (RFC 2606): nobody could ever be written to by mistake.
        return {self.id: f"{rng.choice(('eeva', 'olli', 'åsa'))}.{rng.randint(1, 999)}@example.org"}

    @property
    def _given(self) -> str:
        return f"{self.id}_given"


class _AddressField(LineField):
    """An e-mail address as it is written to; None if blank."""

    def read(self, texts: list[str]) -> str | None:
        text = super().read(texts)
        if text is None:
            return None
        try:
            return email_address(text)
        except ValueError:
            raise InvalidAnswer("email") from None


QUESTION = EmailAddress
