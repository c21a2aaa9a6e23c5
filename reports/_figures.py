"""Estimates as cells of a table: figures in the language's own writing, and signs where there is none to show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import isfinite
from typing import Any

from analysis import comparisons, wording
from analysis.estimates import COMPLEMENTARY, HIDDEN, NOT_ESTIMABLE, TOTAL
from analysis.letters import ALPHA
from kysely.codebook import Variable
from reports._material import Line, Material
from reports.parts import Cell, Column, Head, Row, Table
from reports.parts.wording import Wording

HIDDEN_SIGN = wording.HIDDEN_SIGN
SHARES = ("share", "selected", "central", "missing")
DECIMALS = {"mean": 2, "mean100": 1, "mean_respondents": 2}
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
        banners: Iterable[str],
        estimand: str,
        *,
        caption: str,
        subtitle: str,
        notes: tuple[str, ...] = (),
        folded: bool = False,
        weighted: bool = False,
    ) -> Table:
        """Return *name* by the groups of *banners*: a row a group with its bases, a column a code."""
        signs = self.signs()
        codes, statistic = self.codes(name), self.statistic(name)
        rows = list(self._rows(signs, table, name, codes, statistic, estimand, banners, weighted=weighted))
        return Table(
            id=f"{table}-{name}-{estimand}{'-weighted' * weighted}",
            caption=caption,
            subtitle=subtitle,
            stub=self.say("table.group"),
            columns=(
                Column(self.say("table.n"), base=True),
                Column(self.say("table.organisations_short"), base=True),
                *(Column(self.label(name, code)) for code in codes),
            ),
            rows=tuple(rows),
            notes=(*notes, *signs.notes()),
            folded=folded,
            narrow=len(codes) >= MANY,
        )

    def tests(self, name: str, banners: Iterable[str], estimand: str, *, folded: bool = False) -> Table | None:
        """Return the test of *name* against each of *banners*, a row each; None if it is tested against none."""
        tests = self.material.tests
        found = [(banner, tests[name, banner, estimand]) for banner in banners if (name, banner, estimand) in tests]
        if not found:
            return None
        say, kind = self.say, str(found[0][1]["test"])
        notes = [say(f"tests.{kind}_note"), say("tests.family_note", **self._family(estimand))]
        if any(test["reason"] for _, test in found):
            notes.append(say("tests.not_tested_note"))
        v = kind == comparisons.RAO_SCOTT
        titles = ("n", "groups", "f", "df", "p", "p_adjusted", *(("v",) if v else ()))
        return Table(
            id=f"tests-{name}-{estimand}",
            caption=say(f"tests.{estimand}_caption"),
            stub=say("tests.banner"),
            columns=tuple(Column(say(f"tests.{title}"), base=title in ("n", "groups")) for title in titles),
            rows=tuple(Row(self.title(banner), self._test(test, v=v)) for banner, test in found),
            notes=tuple(notes),
            folded=folded,
        )

    def _family(self, estimand: str) -> Mapping[str, str]:
        made = [test for (_, _, of), test in self.material.tests.items() if of == estimand and not test["reason"]]
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
        codes: tuple[str, ...],
        statistic: str,
        estimand: str,
        banners: Iterable[str],
        *,
        weighted: bool,
    ) -> Iterator[Row | Head]:
        def row(title: str, group: tuple[str, str], *, letter: str = "", strong: bool = False) -> Row | None:
            lines = [self.find(table, name, code, statistic, estimand, group, weighted=weighted) for code in codes]
            if not any(line is not None and line["base_n"] for line in lines):
                return None
            cells = (signs.base(lines), signs.organisations(lines), *map(signs.cell, lines))
            return Row(title, cells, strong=strong, letter=letter)

        total = row(self.say("table.all"), (TOTAL, TOTAL), strong=True)
        if total is not None:
            yield total
        for banner in banners:
            groups = [
                row(self.label(banner, code), (banner, code), letter=comparisons.letter(place))
                for place, code in enumerate(self.codes(banner))
            ]
            present = [group for group in groups if group is not None]
            if present:
                yield Head(self.title(banner))
                yield from present


def _is(category: Any, code: str) -> bool:
    return bool(category.code == code)
