"""A study: the valid respondents among some answers with the plan's design, groups and scores, as arrays.

Everything that is estimated reads respondents through a `Study`; it computes no statistic itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from analysis.answers import Answers, Part
from analysis.design import Codes, Design, Floats, Mask
from analysis.disclosure import RESPONDENTS, Limits
from analysis.plan import Plan, Score, combinations
from analysis.population import Lacking, PopulationWeights, weigh
from analysis.weighted_choice import WeightedChoice
from kysely.codebook import Codebook, Variable
from kysely.errors import AnalystError

Estimand = Literal["respondent", "organisation"]
RESPONDENT: Final = "respondent"
ORGANISATION: Final = "organisation"
ESTIMANDS: tuple[Estimand, ...] = (RESPONDENT, ORGANISATION)
"""Per respondent every answer counts 1; per organisation every organisation does: 1 / its valid respondents."""

MISSING_CODE = -1


@dataclass(frozen=True, eq=False)
class Study:
    """The n valid respondents among *answers*, as *plan* says who is valid.

    `codes` and `numbers` know the variables of the codebook, the recodes and what is derived from a
    score; a missing answer is -1 or NaN and out of every base.
    """

    answers: Answers
    plan: Plan

    def take(self, rows: slice) -> Study:
        """Return the study of some of the answers, as a data set of its own."""
        return Study(Part(self.answers, rows), self.plan)

    @cached_property
    def codebook(self) -> Codebook:
        """The answers' codebook with the plan's recodes and derived variables."""
        return self.plan.codebook(self.answers.codebook)

    @cached_property
    def valid(self) -> Mask:
        """(answers,) true for the responses that count. Who does not count is unit nonresponse, no domain."""
        valid = np.ones(len(self.answers), bool)
        for name in self.plan.valid.answered:
            valid &= self._answered(name)
        for name in self.plan.valid.any_answered:
            members = [member.name for member in self.answers.codebook.set(name)]
            valid &= np.any([self._answered(member) for member in members], axis=0)
        return valid

    def __len__(self) -> int:
        return int(self.valid.sum())

    @property
    def limits(self) -> Limits:
        """From how many respondents on a number is shown: as many as were promised, if that is more than the rule."""
        return Limits(max(RESPONDENTS, self.answers.promised), self.plan.rules.small_base)

    @cached_property
    def organisation(self) -> Codes:
        """(n,) organisations as numbers from 0."""
        return np.unique(self.answers.organisation[self.valid], return_inverse=True)[1].astype(np.int64)

    @cached_property
    def organisations(self) -> int:
        return int(self.organisation.max(initial=-1)) + 1

    @cached_property
    def members(self) -> Codes:
        """(n,) how many valid respondents the respondent's organisation has."""
        return np.bincount(self.organisation)[self.organisation] if len(self) else np.zeros(0, np.int64)

    @cached_property
    def designs(self) -> Mapping[str, Design]:
        """The design of each estimand."""
        columns = self.plan.design
        weight = np.ones(len(self)) if columns.weight is None else self.case_column(columns.weight).astype(float)
        stratum = None if columns.stratum is None else self.case_column(columns.stratum).astype(str)
        fpc = None if columns.fpc is None else self.case_column(columns.fpc).astype(float)
        psu = self.organisation if columns.psu == "organisation" else self.case_column(columns.psu).astype(str)
        return {
            RESPONDENT: Design.of(weight, psu=psu, stratum=stratum, fpc=fpc),
            ORGANISATION: Design.of(weight / self.members, psu=psu, stratum=stratum, fpc=fpc),
        }

    @cached_property
    def weighted(self) -> PopulationWeights | None:
        """The weights to the population that the plan names; None where there are none (`unweighted` says why)."""
        return self._weights if isinstance(self._weights, PopulationWeights) else None

    @cached_property
    def unweighted(self) -> tuple[Lacking, ...]:
        """What stands in the way of weights to the population; nothing if they are there, or not asked for."""
        return () if isinstance(self._weights, PopulationWeights) else self._weights

    @cached_property
    def _weights(self) -> PopulationWeights | tuple[Lacking, ...]:
        return weigh(self)

    def codes(self, name: str) -> Codes:
        """Return *name* as positions in its categories, shape (n,); a binary variable as 0 and 1; -1 missing."""
        if name not in self._coded:
            self._coded[name] = self._make_codes(name)
        return self._coded[name]

    def numbers(self, name: str) -> Floats:
        """Return a binary, level or number variable as floats, shape (n,); NaN missing."""
        return self.answers.numbers(name)[self.valid]

    def levels(self, score: Score) -> Floats:
        """Return the levels of the score's codes, shape (n, modes); NaN where missing, 0 where not chosen."""
        return np.stack([self.numbers(f"{score.level}_{code}") for code in score.codes], axis=1)

    def chosen(self, score: Score) -> Floats:
        """Return whether each of the score's codes was chosen, shape (n, modes): 1, 0 or NaN."""
        return np.stack([self.numbers(f"{score.chosen}_{code}") for code in score.codes], axis=1)

    def top(self, score: Score) -> float:
        """Return the value of the scale's highest level, which is what "central" means."""
        return max(float(c.value or 0) for c in self.codebook[f"{score.level}_{score.codes[0]}"].categories)

    def central(self, score: Score) -> Floats:
        """Return whether each of the score's codes is central, shape (n, modes): 1, 0 or NaN."""
        return self._choice(score).central

    def among(self, name: str, codes: Collection[str]) -> Mask:
        """Return who gave one of *codes*, shape (n,). Raises AnalystError for a code that *name* does not have."""
        known = [category.code for category in self.codebook[name].categories]
        if strangers := [code for code in codes if code not in known]:
            raise AnalystError(f"{name} has no code {', '.join(strangers)}; there are: {', '.join(known)}")
        return np.isin(self.codes(name), [known.index(code) for code in codes])

    def column(self, name: str) -> NDArray[Any]:
        """Return what is known of a respondent beside the answers (mode, completed_at …), shape (n,)."""
        return self.answers.column(name)[self.valid]

    def missing(self, name: str) -> Codes:
        """Return the kind of missing as a position in `answers.MISSING`, shape (n,); -1 where there is a value."""
        return self.answers.missing(name)[self.valid]

    def asked(self) -> tuple[Variable, ...]:
        """Return the closed variables among the answers, in the order they were asked."""
        return tuple(variable for variable in self.answers.asked() if variable.closed)

    @cached_property
    def strict(self) -> Mask:
        """(n,) true for the plan's strict population; everybody where it names none."""
        population = self.plan.population
        return np.ones(len(self), bool) if population is None else self.among(population.variable, population.codes)

    @cached_property
    def _coded(self) -> dict[str, Codes]:
        return {}

    def _answered(self, name: str) -> Mask:
        return self.answers.missing(name) == MISSING_CODE

    def _make_codes(self, name: str) -> Codes:
        if name in self.plan.recode:
            return self._recoded(name)
        if name in self.answers.codebook:
            return self.answers.codes(name)[self.valid]
        return self._derived[name]

    def _recoded(self, name: str) -> Codes:
        recode = self.plan.recode[name]
        source = self.answers.codebook[recode.source]
        place = {code: position for position, category in enumerate(recode.categories) for code in category.codes}
        mapped = np.array([place.get(c.code, MISSING_CODE) for c in source.categories] + [MISSING_CODE])
        return mapped[self.codes(recode.source)]

    @cached_property
    def _derived(self) -> Mapping[str, Codes]:
        return {name: codes for score in self.plan.scores for name, codes in self._of_score(score)}

    def _of_score(self, score: Score) -> Iterator[tuple[str, Codes]]:
        """Yield what operating_mode.md §4 derives from a weighted choice; one missing part makes it missing."""
        choice = self._choice(score)
        # Combinations are numbered by their bits; their categories stand in the author's order.
        order = {name: position for position, name in enumerate(combinations(score.codes))}
        sets = [[code for m, code in enumerate(score.codes) if bits >> m & 1] for bits in range(2 ** len(score.codes))]
        place = np.array([order["+".join(codes) or "NONE"] for codes in sets])
        rated, ticked = choice.complete, choice.answered
        yield score.variable("dominant"), choice.dominant
        yield score.variable("combination"), np.where(rated, place[choice.central_set], MISSING_CODE)
        yield score.variable("n_central"), choice.n_central
        yield score.variable("n_selected"), choice.n_selected
        yield score.variable("central_2plus"), np.where(rated, choice.n_central >= 2, MISSING_CODE)
        yield score.variable("selected_2plus"), np.where(ticked, choice.n_selected >= 2, MISSING_CODE)

    def _choice(self, score: Score) -> WeightedChoice:
        # As stored, without the checks of WeightedChoice.of: whether the two fit is what some claims are about.
        return WeightedChoice(self.chosen(score), self.levels(score), self.top(score))

    def case_column(self, name: str) -> np.ndarray:
        """Return a column of the sampled cases, looked up for each valid respondent, shape (n,)."""
        found = self.answers.case_column(name)[self.valid].tolist()
        if lacking := sum(value is None for value in found):
            raise AnalystError(f"{lacking} respondents have no {name!r} in cases.parquet")
        return np.array(found)
