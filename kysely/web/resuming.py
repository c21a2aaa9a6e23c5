"""How a browser comes to a response that it does not have: by a code, or by a personal link."""

from __future__ import annotations

from dataclasses import dataclass, replace

from werkzeug.wrappers import Response

from kysely.web.security import Guard
from kysely.web.visits import REVIEW, Visit, redirect


@dataclass(frozen=True)
class Resuming:
    guard: Guard

    def resume(self, visit: Visit, response: str) -> Response:
        """Give this browser the passport of *response* and lead to where its respondent was.

        For a POST that has shown that the respondent is behind it. The mark is a new one: pages that this browser
        still shows of an earlier response are not this one's.
        """
        # The review sends on to the first gap, and to the thanks once everything was sent.
        answer = redirect(visit.at(REVIEW), 303)
        self.guard.give_passport(visit.study.id, replace(self.guard.new_passport(), response=response), answer)
        return answer
