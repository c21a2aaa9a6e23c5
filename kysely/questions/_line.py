"""What number and text share: one thing to type, beside it perhaps boxes for not knowing and not being concerned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from kysely.codebook import Answer, Missing
from kysely.errors import InvalidAnswer
from kysely.questions import _options as shared
from kysely.questions._base import RESERVED, Question, Typed, wording
from kysely.questions._control import Control, LineControl
from kysely.questions._fields import CodeField, Fields
from kysely.questions._options import MayDecline
from kysely.questions._text import folded


@dataclass(frozen=True, kw_only=True)
class LineQuestion(MayDecline, Question):
    """One variable that is typed. The form field is the question's id; the boxes are `<id>__missing`."""

    def line_field(self) -> Any:
        """Return the WTForms field that reads the line."""
        raise NotImplementedError

    def line(self, language: str, value: str) -> LineControl:
        """Return the line as drawn."""
        raise NotImplementedError

    def shown(self, answer: Answer) -> str:
        """Return the stored *answer* as one would type it."""
        return str(answer)

    def some_answer(self, rng: Random) -> str:
        """Return something a robot may type."""
        raise NotImplementedError

    def unanswered(self, stage: str, typed: Typed, answers: Mapping[str, Answer]) -> tuple[str, ...]:
        texts = typed.getlist(self.id) + typed.getlist(self._declining)
        return () if any(folded(text) for text in texts) else (self.id,)

    def fields(self, stage: str) -> Fields:
        declining = {self._declining: CodeField(codes=self.declines)} if self.declines else {}
        return {self.id: self.line_field(), **declining}

    def settled(
        self, stage: str, errors: dict[str, InvalidAnswer], given: Mapping[str, Any], answers: Mapping[str, Answer]
    ) -> dict[str, InvalidAnswer]:
        # Either could be the mistake, so the respondent says which; both are shown again.
        if given.get(self._declining) and (given[self.id] is not None or self.id in errors):
            return {self.id: InvalidAnswer("value_and_missing")}
        return errors

    def record(self, stage: str, given: Mapping[str, Any], answers: Mapping[str, Answer], seed: int) -> dict[str, Any]:
        declined = given.get(self._declining)
        value = given[self.id]
        return {self.id: RESERVED[declined] if declined else Missing.NO_ANSWER if value is None else value}

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
        checked = set(typed.get(self._declining, ()))
        return Control(
            template="line",
            name=self._declining,
            legend=wording(self.text, language),
            instruction=wording(self.instruction, language),
            multiple=True,
            lines=(self.line(language, shared.first(typed, self.id)),),
            options=shared.decline_controls(self.declines, self.missing_labels, language, checked, exclusive=True),
            errors=errors,
            required=self.required == "hard",
        )

    def typed(self, stage: str, answers: Mapping[str, Any]) -> dict[str, list[str]]:
        answer = answers.get(self.id)
        if isinstance(answer, Missing):
            codes = [code for code in self.declines if RESERVED[code] is answer]
            return {self._declining: codes} if codes else {}
        return {} if answer is None else {self.id: [self.shown(answer)]}

    def fill(self, stage: str, answers: Mapping[str, Answer], rng: Random, *, seed: int) -> dict[str, str | list[str]]:
        if self.required != "hard" and rng.random() < shared.BLANK:
            return {}
        if self.declines and rng.random() < shared.BLANK:
            return {self._declining: rng.choice(self.declines)}
        return {self.id: self.some_answer(rng)}

    @property
    def _declining(self) -> str:
        return f"{self.id}__missing"
