"""The key `public` of plan.yaml: what may become public, read and checked like the rest of the plan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from analysis.authored import Node, listed
from analysis.plan import (
    DERIVED,
    PUBLIC_MEASURES,
    Public,
    PublicClassification,
    PublicFeedback,
    PublicMeasure,
    PublicQuestion,
    Recode,
    RecodeCategory,
    Score,
)
from kysely.codebook import Codebook, Kind


class PublicReader:
    """Reads what may become public; *known* are the codes of all names, *unite* the variable of each recode."""

    def __init__(
        self,
        codebook: Codebook,
        known: Mapping[str, tuple[str, ...]],
        recodes: Iterable[Recode],
        scores: Iterable[Score],
    ):
        self.codebook, self.known = codebook, known
        self.unite = {recode.name: recode.source for recode in recodes}
        self.derived = {score.variable(name) for score in scores for name in DERIVED}

    def public(self, plan: Node) -> Public:
        if "public" not in plan:
            return Public()
        node = plan.child("public")
        node.allow(["classifications", "questions", "feedback"])
        registered = [self._classification(item) for item in node.items("classifications")]
        classifications = {one.variable: one for one in registered if one}
        questions = self._questions(node, tuple(classifications))
        feedback = self._feedback(node, questions, tuple(classifications)) if "feedback" in node else None
        return Public(tuple(classifications.values()), questions, feedback)

    def _classification(self, item: Node) -> PublicClassification | None:
        item.allow(["variable", "within"])
        name, within = item.text("variable"), item.text("within", required=False)
        if name and not self._single(name):
            item.fault("variable", f"{name!r} is no single-choice variable or recode", "Name one with codes")
            return None
        if within and self.unite.get(within) != name:
            item.fault("within", f"{within!r} is no recode of {name}", "Name a recode whose `from` is the variable")
            return None
        return PublicClassification(name, within) if name else None

    def _single(self, name: str) -> bool:
        """Return whether a respondent has exactly one code of *name*."""
        if name in self.codebook:
            return self.codebook[name].closed and self.codebook[name].kind in (Kind.NOMINAL, Kind.ORDINAL, Kind.LEVEL)
        return name in self.unite or name in self.derived

    def _questions(self, node: Node, registered: tuple[str, ...]) -> tuple[PublicQuestion, ...]:
        found: list[PublicQuestion] = []
        taken: set[str] = set()
        for item in node.items("questions"):
            item.allow(["variables", "by", "show", "coarser", "between", "sensitive"])
            question = PublicQuestion(
                variables=self._variables(item),
                by=item.texts("by"),
                show=self._measure(item),
                coarser=self._coarser(item),
                between=_between(item),
                sensitive=item.flag("sensitive"),
            )
            self._check_by(item, "by", question.by, registered)
            if again := taken & set(question.variables):
                item.fault("variables", f"{listed(again)} is listed before", "List each once: it is shown one way")
            taken |= set(question.variables)
            self._check_measure(item, question)
            found.append(question)
        return tuple(found)

    def _variables(self, item: Node) -> tuple[str, ...]:
        """Return the variables named, with a set's members in its place."""
        if not item.texts("variables"):
            item.fault("variables", "no question is named", "Write `variables: [NAME, …]`")
        names: list[str] = []
        for name in item.texts("variables"):
            members = [one.name for one in self.codebook.set(name) if one.closed]
            number = name in self.codebook and self.codebook[name].kind is Kind.NUMBER and self.codebook[name].closed
            if members:
                names += members
            elif number or self._single(name) or (name in self.known and name in self.codebook):
                names.append(name)
            else:
                item.fault(
                    "variables", f"there is no {name!r}", "Name a closed variable, set, recode or what is derived"
                )
        return tuple(names)

    def _check_by(self, item: Node, key: str, names: Sequence[str], registered: tuple[str, ...]) -> None:
        for name in names:
            if name not in registered:
                item.fault(key, f"{name!r} is no classification of `public`", f"Use some of {listed(registered)}")

    def _measure(self, item: Node) -> PublicMeasure:
        named = item.text("show", required=False) or "shares"
        found = next((one for one in PUBLIC_MEASURES if one == named), None)
        if found is None:
            item.fault("show", f"{named!r} can't be shown", f"Write one of {listed(PUBLIC_MEASURES)}")
        return found or "shares"

    def _check_measure(self, item: Node, question: PublicQuestion) -> None:
        """Report what a variable can't show: shares need codes, a mean needs a scale, a median needs a number."""
        for name in question.variables:
            variable = self.codebook[name] if name in self.codebook else None
            number = variable is not None and variable.kind is Kind.NUMBER
            scale = variable is not None and all(one.value is not None for one in variable.categories)
            if number == (question.show == "shares"):
                cure = "Write `show: median`, or `show: mean` and `between`" if number else "Write `show: shares`"
                if not (question.show == "mean" and scale and not number):
                    item.fault("show", f"{name} has no {question.show}", cure)
            if number and question.show == "mean" and question.between is None:
                item.fault("between", f"the ends of the scale of {name} are not given", "Write `between: [0, 100]`")
        if (question.coarser or question.sensitive) and question.show != "shares":
            item.fault("show", "coarser versions and masking are of shares", "Leave them out")

    def _coarser(self, item: Node) -> tuple[tuple[RecodeCategory, ...], ...]:
        if "coarser" not in item:
            return ()
        levels: list[tuple[RecodeCategory, ...]] = []
        codes = self._codes(item)
        for version in item.items("coarser"):
            version.allow(["categories"])
            found: list[RecodeCategory] = []
            for one in version.items("categories"):
                one.allow(["code", "codes", "label"])
                found.append(RecodeCategory(one.name("code") or "", one.texts("codes"), one.wording("label")))
            named = [code for category in found for code in category.codes]
            if codes and (sorted(named) != sorted(codes) or len(found) < 2):
                cure = f"Put each of {listed(codes)} into one of two categories or more"
                version.fault("categories", "the categories do not part the codes of the question", cure)
            levels.append(tuple(found))
        return tuple(levels)

    def _codes(self, item: Node) -> tuple[str, ...]:
        """Return the codes that all variables of the question share; a fault if they differ."""
        of = {self._codes_of(name) for name in self._variables(item)}
        if len(of) > 1:
            item.fault(
                "variables", "the variables have different codes", "Give those with coarser versions an entry each"
            )
        return next(iter(of)) if len(of) == 1 else ()

    def _codes_of(self, name: str) -> tuple[str, ...]:
        if name in self.codebook and self.codebook[name].kind is not Kind.BINARY:
            return tuple(one.code for one in self.codebook[name].categories)
        return self.known.get(name, ())

    def _feedback(
        self, node: Node, questions: Sequence[PublicQuestion], registered: tuple[str, ...]
    ) -> PublicFeedback | None:
        child = node.child("feedback")
        child.allow(["levels", "category", "by"])
        levels, category = child.text("levels"), child.text("category")
        by = child.text("by", required=False)
        self._check_by(child, "by", (by,) if by else (), registered)
        if not (levels and category):
            return None
        members = {one.name for one in self.codebook.set(levels)}
        question = next((one for one in questions if members and members <= set(one.variables)), None)
        if question is None:
            child.fault("levels", f"{levels!r} is no set among the public questions", "List the set there too")
        elif not question.coarser or [one.code for one in question.coarser[-1]].count(category) != 1:
            cure = "Add a last version under `coarser` that has only this category and the rest"
            child.fault("category", f"{category!r} is in no coarsest version of {levels}", cure)
        elif len(question.coarser[-1]) != 2:
            child.fault("category", "the coarsest version has more than two categories", "Add one of two categories")
        return PublicFeedback(levels, category, by)


def _between(item: Node) -> tuple[float, float] | None:
    if "between" not in item:
        return None
    value = item.data["between"]
    numbers = isinstance(value, list) and len(value) == 2 and all(type(one) in (int, float) for one in value)
    if not numbers or not value[0] < value[1]:
        item.fault("between", "the ends of the scale are no two numbers", "Write `between: [0, 100]`")
        return None
    return float(value[0]), float(value[1])
