"""Estimates as cells of a table: figures in the language's own writing, and signs where there is none to show."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import isfinite
from typing import Any

from analysis import comparisons, wording
from analysis.estimates import COMPLEMENTARY, HIDDEN, NOT_ESTIMABLE, TOTAL
from analysis.letters import ALPHA
from kysely.codebook import Kind as Scale
from kysely.codebook import Variable
from kysely.errors import AnalystError
from reports._material import Line, Material
from reports.parts import Cell, Column, Head, Row, Table
from reports.parts.wording import Wording

HIDDEN_SIGN = wording.HIDDEN_SIGN
SHARES = ("share", "selected", "central", "missing")
DECIMALS = {"mean": 2, "mean100": 1, "mean_respondents": 2}
BOOK = "book"
"""The table of the estimates that crosses every closed question with every banner of the plan."""

MANY = 9
"""From so many answers on, a table is set narrow when it is printed."""


@dataclass
class Signs:
    """Remembers which signs a table has used, so that it explains these and no others."""

    material: Material
    say: Wording
    used: set[str] = field(default_factory=set)

    def cell(self, line: Line | None) -> Cell:
        """Return the figure of one row of the estimates with its interval, or the sign that stands for it."""
        language = self.say.language
        if line is None:
            self.used.add("dash")
            return Cell(wording.EN_DASH, spoken=self.say("signs.none"), muted=True)
        if line["flag"] in HIDDEN:
            return self._hidden(line)
        statistic = str(line["statistic"])
        if statistic in ("count", "respondents", "organisations"):
            return Cell(wording.number(line["estimate"], language))
        mark = "‡" if line["flag"] == NOT_ESTIMABLE else ""
        if mark:
            self.used.add("not_estimable")
        return Cell(
            self._figure(line["estimate"], statistic),
            detail=self._interval(line, statistic),
            mark=mark,
            letters=self._letters(line),
            muted=bool(line["small_base"]),
        )

    def weighted_base(self, lines: Iterable[Line | None]) -> Cell:
        """Return the sum of the weights of a row; from–to where its figures differ, nothing where all are hidden."""
        found = [float(line["base_weighted"]) for line in lines if line is not None and line["flag"] not in HIDDEN]
        ends = dict.fromkeys(wording.number(pick(found), self.say.language, 1) for pick in (min, max) if found)
        return Cell(wording.EN_DASH.join(ends))

    def base(self, lines: Iterable[Line | None]) -> Cell:
        """Return the number of respondents of a row, marked where it is small; from–to where its figures differ."""
        known = [line for line in lines if line is not None]
        small = any(line["small_base"] and line["flag"] not in HIDDEN for line in known)
        if small:
            self.used.add("small_base")
        return Cell(self._range(known, "base_n"), mark="*" if small else "")

    def organisations(self, lines: Iterable[Line | None]) -> Cell:
        return Cell(self._range([line for line in lines if line is not None], "base_organisations"))

    def _range(self, lines: list[Line], column: str) -> str:
        low, high = (pick(int(line[column]) for line in lines) for pick in (min, max))
        ends = dict.fromkeys(wording.number(end, self.say.language) for end in (low, high))
        return wording.EN_DASH.join(ends)

    def notes(self) -> tuple[str, ...]:
        """Return the explanations of the signs used so far."""
        values = {
            "respondents": self.material.limit("suppress_respondents"),
            "organisations": self.material.limit("suppress_organisations"),
            "small_base": self.material.limit("small_base"),
        }
        order = ("letters", "small_base", "suppressed", "complementary", "not_estimable", "dash")
        return tuple(self.say(f"signs.{name}_note", **values) for name in order if name in self.used)

    def _hidden(self, line: Line) -> Cell:
        kind = "complementary" if line["flag"] == COMPLEMENTARY else "suppressed"
        self.used.add(kind)
        return Cell(HIDDEN_SIGN, mark="t" if kind == "complementary" else "", spoken=self.say(f"signs.{kind}"))

    def _letters(self, line: Line) -> str:
        if line["letters"]:
            self.used.add("letters")
        return str(line["letters"])

    def _figure(self, value: float, statistic: str) -> str:
        if statistic in SHARES:
            return wording.percent(value, self.say.language, 1, sign=False)
        return wording.number(value, self.say.language, DECIMALS.get(statistic, 1))

    def _interval(self, line: Line, statistic: str) -> str:
        low, high = line["ci_low"], line["ci_high"]
        if not (isfinite(low) and isfinite(high)):
            return ""
        return f"{self._figure(low, statistic)}{wording.EN_DASH}{self._figure(high, statistic)}"


@dataclass(frozen=True)
class Kind:
    """A way of counting: an estimand, weighted to the population or not. *key* is its name in the wording."""

    estimand: str
    weighted: bool = False

    @property
    def key(self) -> str:
        return f"{self.estimand}{'_weighted' * self.weighted}"


@dataclass(frozen=True)
class Figures:
    """The estimates of a material in one language, and the names of what they are about."""

    material: Material
    language: str

    @cached_property
    def say(self) -> Wording:
        return Wording(self.language)

    def signs(self) -> Signs:
        return Signs(self.material, self.say)

    def find(
        self,
        table: str,
        variable: str,
        code: str,
        statistic: str,
        estimand: str,
        group: tuple[str, str] = (TOTAL, TOTAL),
        *,
        weighted: bool = False,
    ) -> Line | None:
        """Return a row of the estimates; *weighted* that to the population."""
        lines = self.material.weighted if weighted else self.material.lines
        return lines.get((table, variable, code, statistic, estimand, *group))

    @cached_property
    def kinds(self) -> tuple[Kind, ...]:
        """How figures are counted: per respondent, that weighted where there are weights, per organisation."""
        weighted = (Kind("respondent", weighted=True),) if self.material.weighted else ()
        return (Kind("respondent"), *weighted, Kind("organisation"))

    def of_kind(self, estimand: str) -> tuple[Kind, ...]:
        """Return what stands side by side in one table: an estimand unweighted and, if there is such, weighted."""
        return tuple(kind for kind in self.kinds if kind.estimand == estimand)

    def tests_of(self, kind: Kind) -> Mapping[tuple[str, str], Line]:
        """Return the tests of a kind by question and banner."""
        tests = self.material.weighted_tests if kind.weighted else self.material.tests
        return {(name, banner): test for (name, banner, of), test in tests.items() if of == kind.estimand}

    # ---- names ------------------------------------------------------------------------------------

    def title(self, name: str) -> str:
        """Return the wording of a variable, set or score: the question, or what is derived from it."""
        for score in self.material.plan.scores:
            if name == score.name:
                return score.text[self.language]
        variable = self._variable(name)
        text = variable.text[self.language]
        return f"{text} – {variable.label[self.language]}" if name in self.material.codebook and variable.set else text

    def label(self, name: str, code: str) -> str:
        """Return the label of a code; the plan's short one, with places to break, where there is one."""
        short = self.material.plan.labels.get(name, {}).get(code)
        if short is not None:
            return short[self.language]
        for score in self.material.plan.scores:
            if name == score.name:
                name = score.chosen
        if name in self.material.codebook:
            variable = self.material.codebook[name]
            return next(one.label[self.language] for one in variable.categories if _is(one, code))
        return next(member.label[self.language] for member in self.material.codebook.set(name) if member.code == code)

    def codes(self, name: str) -> tuple[str, ...]:
        """Return the codes of a variable, a set or a score, in the author's order."""
        for score in self.material.plan.scores:
            if name == score.name:
                return score.codes
        if name in self.material.codebook:
            return tuple(category.code for category in self.material.codebook[name].categories)
        return tuple(member.code or "" for member in self.material.codebook.set(name))

    def statistic(self, name: str) -> str:
        """Return what is tabulated of *name*: the share of a code, of those who chose it, or who call it central."""
        if any(name == score.name for score in self.material.plan.scores):
            return "central"
        return "share" if name in self.material.codebook else "selected"

    def _variable(self, name: str) -> Variable:
        if name in self.material.codebook:
            return self.material.codebook[name]
        return next(self.material.codebook.set(name))

    # ---- tables -----------------------------------------------------------------------------------

    def crosstab(
        self,
        table: str,
        name: str,
        banners: Collection[str],
        estimand: str,
        *,
        caption: str,
        subtitle: str,
        notes: tuple[str, ...] = (),
        folded: bool = False,
    ) -> Table:
        """Return *name* by the groups of *banners*: a row a group with its bases, a column a code.

        The mean of a question of levels stands after its shares. Where there are weights every row per respondent
        has the same row weighted under it. Raises AnalystError for what the plan doesn't tabulate.
        """
        self._planned(table, name, banners)
        signs, measures, kinds = self.signs(), self._measures(name), self.of_kind(estimand)
        rows = list(self._rows(signs, table, name, measures, kinds, banners))
        beside = len(kinds) > 1
        weighted = (Column(self.say("table.weighted_n"), base=True),) if beside else ()
        means = any(statistic == "mean100" for statistic, _ in measures)
        own = [key for key, there in (("mean100_note", means), ("weighted_rows_note", beside)) if there]
        return Table(
            id=f"{table}-{name}-{estimand}",
            caption=caption,
            subtitle=subtitle,
            stub=self.say("table.group"),
            columns=(
                Column(self.say("table.n"), base=True),
                *weighted,
                Column(self.say("table.organisations_short"), base=True),
                *(
                    Column(self.label(name, code) if code else self.say(f"table.{statistic}"))
                    for statistic, code in measures
                ),
            ),
            rows=tuple(rows),
            notes=(*notes, *(self.say(f"table.{key}") for key in own), *signs.notes()),
            folded=folded,
            narrow=len(measures) >= MANY,
        )

    def _planned(self, table: str, name: str, banners: Collection[str]) -> None:
        plan = self.material.plan
        tabulated = {spec.id: spec for spec in plan.tables}
        if table != BOOK and table not in tabulated:
            raise AnalystError(f"plan.yaml has no table {table!r}; there are: {', '.join((BOOK, *tabulated))}")
        if table != BOOK and name not in tabulated[table].variables:
            known = ", ".join(tabulated[table].variables)
            raise AnalystError(f"the table {table} of plan.yaml has no variable {name!r}; it has: {known}")
        across = plan.banners if table == BOOK else tabulated[table].banners
        if unknown := [banner for banner in banners if banner not in across]:
            known = ", ".join(across) or "none"
            raise AnalystError(f"the table {table} of plan.yaml has no banner {unknown[0]!r}; it has: {known}")

    def _measures(self, name: str) -> tuple[tuple[str, str], ...]:
        """Return the statistic and code of every column of a cross-tab of *name*."""
        statistic = self.statistic(name)
        shares = tuple((statistic, code) for code in self.codes(name))
        levels = statistic == "share" and self.material.codebook[name].kind is Scale.LEVEL
        return (*shares, ("mean100", "")) if levels else shares

    def tests(self, name: str, banners: Iterable[str], estimand: str, *, folded: bool = False) -> Table | None:
        """Return the test of *name* against each of *banners*, a row each; None if it is tested against none.

        Where there are weights every test per respondent has the same test weighted under it.
        """
        kinds = self.of_kind(estimand)
        tests = {kind: self.tests_of(kind) for kind in kinds}
        found = [
            (banner, kind, tests[kind][name, banner])
            for banner in banners
            for kind in kinds
            if (name, banner) in tests[kind]
        ]
        if not found:
            return None
        say, method = self.say, str(found[0][2]["test"])
        notes = [say(f"tests.{method}_note"), say("tests.family_note", **self._family(kinds[0]))]
        notes += [say("tests.family_weighted_note", **self._family(kind)) for kind in kinds[1:]]
        if any(test["reason"] for _, _, test in found):
            notes.append(say("tests.not_tested_note"))
        v = method == comparisons.RAO_SCOTT
        titles = ("n", "groups", "f", "df", "p", "p_adjusted", *(("v",) if v else ()))
        return Table(
            id=f"tests-{name}-{estimand}",
            caption=say(f"tests.{estimand}_caption"),
            stub=say("tests.banner"),
            columns=tuple(Column(say(f"tests.{title}"), base=title in ("n", "groups")) for title in titles),
            rows=tuple(
                Row(self.title(banner), self._test(test, v=v), detail=self._detail(kind))
                for banner, kind, test in found
            ),
            notes=tuple(notes),
            folded=folded,
        )

    def _detail(self, kind: Kind) -> str:
        """Return what stands under the title of a weighted row."""
        return self.say("table.weighted_row") if kind.weighted else ""

    def _family(self, kind: Kind) -> Mapping[str, str]:
        made = [test for test in self.tests_of(kind).values() if not test["reason"]]
        method = self.say(f"tests.{self.material.plan.rules.adjust}")
        return {"count": wording.number(len(made), self.language), "method": method}

    def _test(self, test: Line, *, v: bool) -> tuple[Cell, ...]:
        def figure(name: str, decimals: int) -> str:
            return wording.number(test[name], self.language, decimals)

        bases = (Cell(wording.number(test["n"], self.language)), Cell(wording.number(test["groups"], self.language)))
        if test["reason"]:
            none = Cell(wording.EN_DASH, spoken=self.say("signs.none"), muted=True)
            return (*bases, *(none,) * (5 if v else 4))
        made = [
            Cell(figure("f", 2)),
            Cell(f"{figure('ndf', 1)}; {figure('ddf', 0)}"),
            Cell(wording.probability(test["p"], self.language)),
            Cell(wording.probability(test["p_adjusted"], self.language), strong=test["p_adjusted"] < ALPHA),
        ]
        return (*bases, *made, *((Cell(figure("cramer_v", 2)),) if v else ()))

    def _rows(
        self,
        signs: Signs,
        table: str,
        name: str,
        measures: tuple[tuple[str, str], ...],
        kinds: tuple[Kind, ...],
        banners: Iterable[str],
    ) -> Iterator[Row | Head]:
        def rows(title: str, group: tuple[str, str], *, letter: str = "", strong: bool = False) -> Iterator[Row]:
            for kind in kinds:
                lines = [
                    self.find(table, name, code, statistic, kind.estimand, group, weighted=kind.weighted)
                    for statistic, code in measures
                ]
                if not any(line is not None and line["base_n"] for line in lines):
                    continue
                weighted = (signs.weighted_base(lines) if kind.weighted else Cell(""),) if len(kinds) > 1 else ()
                cells = (signs.base(lines), *weighted, signs.organisations(lines), *map(signs.cell, lines))
                yield Row(title, cells, strong=strong, letter=letter, detail=self._detail(kind))

        yield from rows(self.say("table.all"), (TOTAL, TOTAL), strong=True)
        for banner in banners:
            present = [
                row
                for place, code in enumerate(self.codes(banner))
                for row in rows(self.label(banner, code), (banner, code), letter=comparisons.letter(place))
            ]
            if present:
                yield Head(self.title(banner))
                yield from present


def _is(category: Any, code: str) -> bool:
    return bool(category.code == code)
