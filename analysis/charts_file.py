"""The key `charts` of plan.yaml: what is drawn of which table, in which words, and what a headline claims."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from analysis.authored import Node, listed, plain
from analysis.charts._keys import KEYS, STATISTICS
from analysis.plan import CellSpec, ChartSpec, HeadlineClaim, Score
from analysis.stubs import CENTRAL, MEAN, MEAN100, SELECTED, SHARE
from analysis.wording import SOFT_HYPHEN
from kysely import plugins
from kysely.codebook import Codebook, Kind, Text

OWN = ("id", "chart", "table", "headline", "claim", "descriptive", "subtitle", "alt", "note", "source")
"""The keys that every chart has; those of its own kind are in charts/_keys.py."""

_COMPARING = {
    "fi": r"kuin|enemmän|eniten|vähemmän|vähiten|useammin|useimmin|useimm\w+|harvemmin|enemmistö\w*|puolet|"
    r"(?:yleis|suur|pien|kork|matal|keskeis|tärke|vahv|heiko|har)(?:emp|imp|imm|in\b|eamp|eimm)\w*",
    "sv": r"än|mer|mest|fler|flest|flesta|färre|mindre|minst|oftare|oftast|majoritet\w*|hälften|"
    r"\w+(?:are|ast|aste) (?:än|av|bland)|vanligast\w*|vanligare|störst\w*|större|högst\w*|högre|lägst\w*|lägre",
    "en": r"than|more|most|fewer|fewest|less|majority|half|twice|higher|highest|lower|lowest|larger|largest|"
    r"smaller|smallest|greater|greatest|stronger|strongest|weaker|weakest|leads?|ahead",
}
"""Words that compare, whole and in any case; there are others, for which the author answers."""

_ADD = "Write `claim:` with the comparison, or `descriptive: true` if it claims none"


class ChartsReader:
    """Reads the charts; *known* are the codes of all names, *labels* the plan's short wordings."""

    def __init__(
        self,
        codebook: Codebook,
        known: Mapping[str, tuple[str, ...]],
        bannerable: Callable[[str], bool],
        scores: Iterable[Score],
        labels: Mapping[str, Mapping[str, Text]],
    ):
        self.codebook, self.known, self.bannerable, self.labels = codebook, known, bannerable, labels
        self.scores = {score.name for score in scores}
        self.kinds = {one.name: one.kind for one in codebook.variables}
        self.sets = {one.set: one.kind for one in codebook.variables if one.set}
        self.set_of = {one.name: one.set for one in codebook.variables}

    def charts(self, plan: Node) -> tuple[ChartSpec, ...]:
        tables = {item.text("id"): item for item in plan.items("tables")}
        charts: dict[str, ChartSpec] = {}
        for item in plan.items("charts"):
            drawn = tables.get(str(item.data.get("table")))
            self._check_keys(item, drawn)
            id, table = item.name("id") or "", item.text("table") or ""
            if id in charts:
                item.fault("id", f"there are two charts {id!r}", "Give each its own id")
            if table and table not in tables:
                item.fault("table", f"there is no table {table!r}", f"Name one of {listed(filter(None, tables))}")
            charts[id] = ChartSpec(
                id=id,
                chart=self._chart(item),
                table=table,
                headline=self._headline(item, drawn),
                subtitle=item.wording("subtitle"),
                alt=item.wording("alt"),
                note=item.wording("note") if "note" in item else None,
                source=item.wording("source") if "source" in item else None,
                labels=self.labels,
                options={str(key): plain(value) for key, value in item.data.items() if key not in OWN},
                claim=self._claim(item, drawn) if "claim" in item else None,
            )
        return tuple(charts.values())

    def _check_keys(self, item: Node, table: Node | None) -> None:
        """Check the keys that only some charts have, so that no fault waits until the chart is drawn."""
        keys = KEYS.get(str(item.data.get("chart")))
        if keys is None:
            return
        item.allow((*OWN, *keys))
        levels = {name for v in self.codebook.variables if v.kind is Kind.LEVEL for name in (v.set, v.name) if name}
        picked = {v.set for v in self.codebook.variables if v.kind is Kind.BINARY and v.set}
        single = {name for name in self.known if self.bannerable(name)}
        there = {
            "levels": (levels, "set of levels", "variables"),
            "score": (self.scores, "score", "variables"),
            "variable": (single | picked, "closed question", "variables"),
            "banner": (single, "banner", "banners"),
            "statistic": (STATISTICS, "statistic", "variables"),
        }
        for name, key in keys.items():
            word = item.text(name, required=key.required)
            known, what, column = there[key.names]
            held = _held(table, column)
            if word and word not in known:
                item.fault(name, f"there is no {what} {word!r}", f"Name one of {listed(known)}")
            elif word and key.tabulated and table is not None and not {word, self.set_of.get(word)} & {*held}:
                cause = f"the table {item.data['table']!r} has no {word!r} among its {column}"
                item.fault(name, cause, f"Name one of {listed(held)}, or another table")

    def _chart(self, item: Node) -> str:
        name, there = item.name("chart") or "", plugins.names("analysis.charts")
        if name and name not in there:
            item.fault("chart", f"there is no chart {name!r}", f"Use one of {listed(there)}")
        return name

    # ---- headlines -------------------------------------------------------------------------------------

    def _headline(self, item: Node, table: Node | None) -> Text:
        """Return the author's headline; without one the title of the table, which claims nothing."""
        if "headline" not in item:
            for key in ("claim", "descriptive"):
                if key in item:
                    item.fault(key, "there is no headline that it is about", "Write `headline:`, or leave it out")
            return dict.fromkeys(self.codebook.languages, "") if table is None else table.wording("title")
        headline, descriptive = item.wording("headline"), item.flag("descriptive")
        if descriptive and "claim" in item:
            item.fault("descriptive", "the headline claims something and is descriptive at once", "Leave out one")
        elif not descriptive and "claim" not in item:
            item.fault("headline", "it is not said whether the headline compares anything", _ADD)
        for language, text in headline.items():
            if descriptive and (word := _comparing(text, language)):
                cause = f"it is called descriptive, and its text in {language!r} compares (“{word}”)"
                item.fault("headline", cause, "State the comparison under `claim:`, or word it without one")
        return headline

    def _claim(self, item: Node, table: Node | None) -> HeadlineClaim | None:
        node, banner = item.child("claim"), item.text("banner", required=False)
        node.allow(["more", "than", "cell", "above", "below"])
        bounds = {key: node.number(key) for key in ("above", "below") if key in node}
        if (
            ("more" in node) == ("cell" in node)
            or ("than" in node) != ("more" in node)
            or len(bounds) != ("cell" in node)
        ):
            cure = "Write `{more: {…}, than: {…}}`, `{cell: {…}, above: 50}` or `{cell: {…}, below: 50}`"
            item.fault("claim", "it is no comparison of two figures, nor of one with a bound", cure)
            return None
        figure = self._cell(node.child("more" if "more" in node else "cell"), item, table, banner)
        others = node.items("than") if isinstance(node.data.get("than"), list) else []
        if "than" in node and not others:
            others = [node.child("than")]
        than = tuple(self._cell(other, item, table, banner) for other in others)
        if figure in than:
            node.fault("than", f"the figure {figure.name} is compared with itself", "Name another")
        for cell in than:
            if cell.statistic != figure.statistic and {cell.statistic, figure.statistic} & {MEAN, MEAN100}:
                node.fault("than", f"{cell.name} is of another unit than {figure.name}", "Compare like with like")
        return HeadlineClaim(figure, than, bounds.get("above"), bounds.get("below"), item.line("claim"))

    def _cell(self, node: Node, chart: Node, table: Node | None, banner: str | None) -> CellSpec:
        """Return a figure of the chart's table; what it doesn't name is the chart's own score and banner."""
        node.allow(["of", "code", "statistic", "banner", "group"])
        held = _held(table, "variables")
        given = node.text("of", required=False) or chart.text("score", required=False)
        variable = given or (held[0] if len(held) == 1 else "")
        if not variable or (table is not None and not {variable, self.set_of.get(variable)} & {*held}):
            cause = f"the table has no {variable!r}" if variable else "it is not said of which variable"
            node.fault("of", cause, f"Write `of:` with one of {listed(held)}")
        allowed = self._statistics(variable)
        statistic = node.text("statistic", required=False) or allowed[0]
        if statistic not in allowed:
            node.fault("statistic", f"{variable} has no {statistic!r}", f"Write one of {listed(allowed)}")
        code = ""
        if statistic not in (MEAN, MEAN100) or variable in self.scores:
            code = node.text("code") or ""
            self._check_code(node, "code", code, variable)
        if "group" not in node:
            return CellSpec(variable, code, statistic)
        by, group = node.text("banner", required=False) or banner or "", node.text("group") or ""
        if table is not None and by not in _held(table, "banners"):
            node.fault("banner", f"the table has no banner {by!r}", f"Name one of {listed(_held(table, 'banners'))}")
        self._check_code(node, "group", group, by)
        return CellSpec(variable, code, statistic, by, group)

    def _statistics(self, variable: str) -> tuple[str, ...]:
        """Return what is estimated of *variable*, what is meant without a word first."""
        if variable in self.scores:
            return CENTRAL, SELECTED, MEAN, MEAN100
        kind = self.kinds.get(variable, self.sets.get(variable))
        if kind is Kind.BINARY:
            return (SELECTED,)
        return (SHARE, MEAN, MEAN100) if kind is Kind.LEVEL else (SHARE,)

    def _check_code(self, node: Node, key: str, code: str, name: str) -> None:
        codes = self.known.get(name, ())
        if code and codes and code not in codes:
            node.fault(key, f"{name} has no code {code!r}", f"Write one of {listed(codes)}")


def _comparing(text: str, language: str) -> str | None:
    """Return a word of *text* by which it compares something, or the figure that it states."""
    words = _COMPARING.get(language, r"(?!)")
    found = re.search(rf"\b(?:{words})\b|\d+(?:[.,]\d+)?\s?%", text.replace(SOFT_HYPHEN, ""), re.IGNORECASE)
    return found.group() if found else None


def _held(table: Node | None, column: str) -> list[str]:
    """Return what stands in the table's rows or columns; nothing where that is no list, which is told elsewhere."""
    found = None if table is None else table.data.get(column)
    return [str(one) for one in found] if isinstance(found, list) else []
