"""Today, wished for and in the strategy: a row an option, an arrow from the ring of today to the dot of the wish.

Keys of the chart in the plan: `levels`, the set whose members are the rows; `score`, `wished` and (where it is
asked) `strategy`, the scores of the three perspectives. The column at the right is the change from today to the wish
with its interval, which the estimates hold where the plan says `changes_from`. The largest change up comes first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from analysis.charts import _sentences
from analysis.charts import _theme as theme
from analysis.charts._cells import Cell, cells
from analysis.charts._colours import GOAL, GRID, MUTED, PAPER, RULE
from analysis.charts._files import Figure, Picture
from analysis.charts._fonts import POINTS, width
from analysis.charts._labels import key, members, option_label
from analysis.charts._lines import wrapped
from analysis.charts._look import WIDE, Look
from analysis.charts._recipe import fingerprint
from analysis.contrasts import CHANGES
from analysis.estimates import TOTAL, Estimates, Provenance
from analysis.plan import ChartSpec
from analysis.stubs import CENTRAL
from analysis.wording import percent, plain, points, points_range
from kysely.codebook import Codebook
from kysely.errors import AnalystError

ROW, LINE, STUB, CHANGE = 58.0, 16.0, 190.0, 104.0
AXIS, KEY = 26.0, 30.0
RADIUS = 6.0
BELOW = 17.0  # from the line of today and the wish to that of the strategy
ARROW = 0.08  # the least change that gets an arrow's head
TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)
MARKS = ("now", "strategy", "wished")


@dataclass(frozen=True)
class Row:
    """One option: its share from each perspective, and the change from today to the wish."""

    label: str
    shares: Mapping[str, Cell]
    change: Cell

    @property
    def hidden(self) -> bool:
        return self.change.hidden or any(cell.hidden for cell in self.shares.values())


def draw(estimates: Estimates, spec: ChartSpec, codebook: Codebook, language: str, look: Look = WIDE) -> Picture:
    """Return the chart of the central shares from two or three perspectives."""
    rows, provenance = _rows(estimates, spec, codebook, language), estimates.provenance
    layout = _Layout(rows, language, look)
    words = _sentences.words(
        spec,
        provenance,
        language,
        base=_sentences.base_of([cell.n for row in rows for cell in row.shares.values()], provenance, language),
        notes=_notes(rows, provenance, language),
    )
    sheet = theme.sheet(words, layout.body, look)
    layout.draw(sheet)
    return Picture(
        id=spec.id,
        chart=spec.chart,
        language=language,
        sheet=sheet,
        words=words,
        alt=_sentences.alternative(
            spec, provenance, language, findings=_findings(rows, language), flags=_flags(rows, provenance, language)
        ),
        columns=_columns(rows, language),
        rows=[_table_row(row, provenance, language) for row in rows],
        provenance=provenance,
        estimates_sha256=fingerprint(estimates, spec.table),
    )


def _rows(estimates: Estimates, spec: ChartSpec, codebook: Codebook, language: str) -> list[Row]:
    scores = {"now": key(spec, "score"), "wished": key(spec, "wished")}
    if "strategy" in spec.options:
        scores["strategy"] = key(spec, "strategy")
    names = tuple(scores.values())
    shares = cells(
        estimates.select(table=spec.table, variable=names, statistic=CENTRAL, estimand="respondent", banner=TOTAL),
        ("variable", "code"),
    )
    changes = cells(estimates.select(table=CHANGES, variable=scores["wished"], statistic=CENTRAL), ("code",))
    found = []
    for variable in members(spec, codebook):
        code = str(variable.code)
        if (code,) not in changes or any((name, code) not in shares for name in names):
            raise AnalystError(
                f"there are no central shares of {code} from every perspective, or no change; let table {spec.table} "
                f"hold {', '.join(names)}, and write `changes_from: {scores['now']}` in plan.yaml"
            )
        label = option_label(spec, variable, language)
        held = {mark: shares[scores[mark], code] for mark in MARKS if mark in scores}
        found.append(Row(label, held, changes[(code,)]))
    return sorted(found, key=lambda row: (row.hidden, 0.0 if row.hidden else -row.change.share))


@dataclass(frozen=True)
class _Layout:
    """Where everything in the body stands. On a narrow sheet an option's name stands above its marks."""

    rows: Sequence[Row]
    language: str
    look: Look

    def draw(self, sheet: theme.Sheet) -> None:
        top = sheet.top + self.head
        self._key(sheet, sheet.top + 12)
        self._heading(sheet, top)
        bottom = top + sum(self.heights)
        y = top
        for row, lines, height in zip(self.rows, self.labels, self.heights, strict=True):
            sheet.rule((sheet.left, sheet.right), (y, y), RULE if y == top else GRID, zorder=1)
            begin = y + LINE * len(lines) + 6 if self.look.narrow else y
            for tick in TICKS:
                sheet.rule((self._x(tick), self._x(tick)), (begin, y + height), GRID, zorder=1)
            middle = y + 5 + LINE * len(lines) / 2 if self.look.narrow else y + height / 2
            sheet.lines(sheet.left, middle, lines, weight="SemiBold")
            marks = y + LINE * len(lines) + 22 if self.look.narrow else middle - self.below / 2
            if row.hidden:
                sheet.text(self._x(0) + 4, marks, _sign(row), colour=MUTED, clear=True)
            else:
                self._marks(sheet, row, marks)
                self._change(sheet, row, middle)
            y += height
        for tick in TICKS:
            label = percent(tick, self.language, sign=tick == TICKS[-1])
            sheet.text(self._x(tick), bottom + 13, label, size=self.look.axis, colour=MUTED, align="center")

    @property
    def body(self) -> float:
        return self.head + sum(self.heights) + AXIS

    @property
    def head(self) -> float:
        return KEY + LINE * len(self.heading) + 8

    @cached_property
    def heading(self) -> list[str]:
        return wrapped(_sentences.change_heading(self.language), CHANGE, self.look.axis, "SemiBold")

    @cached_property
    def labels(self) -> list[list[str]]:
        room = self.look.inner - CHANGE - 10 if self.look.narrow else STUB - 8
        return [wrapped(row.label, room, self.look.label, "SemiBold") for row in self.rows]

    @cached_property
    def heights(self) -> list[float]:
        if self.look.narrow:
            return [LINE * len(lines) + 42 + self.below for lines in self.labels]
        return [max(ROW, LINE * len(lines) + 14) for lines in self.labels]

    @property
    def below(self) -> float:
        """What a row needs for the strategy's line."""
        return BELOW if "strategy" in self.rows[0].shares else 0.0

    def _x(self, share: float) -> float:
        # A mark at 0 or 100 % reaches out of the panel, and so does its figure.
        left = self.look.left + (26 if self.look.narrow else STUB + 18)
        right = self.look.right - (26 if self.look.narrow else CHANGE + 34)
        return left + share * (right - left)

    def _key(self, sheet: theme.Sheet, y: float) -> None:
        x = sheet.left + RADIUS
        names = _sentences.PERSPECTIVES[self.language]
        for mark in (mark for mark in MARKS if mark in self.rows[0].shares):
            _mark(sheet, mark, x, y)
            sheet.text(x + 12, y, names[mark], size=self.look.small, weight="Medium")
            x += 12 + width(names[mark], self.look.small, "Medium") + 22

    def _heading(self, sheet: theme.Sheet, top: float) -> None:
        for index, line in enumerate(self.heading, start=1):
            y = top - 11 - LINE * (len(self.heading) - index)
            sheet.text(sheet.right, y, line, size=self.look.axis, weight="SemiBold", align="right")

    def _marks(self, sheet: theme.Sheet, row: Row, y: float) -> None:
        now, wished = (self._x(row.shares[mark].share) for mark in ("now", "wished"))
        if abs(wished - now) > 2 * RADIUS:
            _line(sheet, now, wished, y, head=abs(row.shares["wished"].share - row.shares["now"].share) > ARROW)
        for mark in ("now", "wished"):
            _mark(sheet, mark, self._x(row.shares[mark].share), y)
        self._figures(sheet, row, y)
        if strategy := row.shares.get("strategy"):
            # On a line of its own: it mostly lies between the other two, and would be covered by them.
            x, below = self._x(strategy.share), y + BELOW
            _mark(sheet, "strategy", x, below)
            figure = percent(strategy.share, self.language, sign=False)
            sheet.text(x + RADIUS + 5, below, figure, size=self.look.axis, colour=GOAL, clear=True)

    def _figures(self, sheet: theme.Sheet, row: Row, y: float) -> None:
        """Write the shares of today and of the wish, each on the side away from the other."""
        every = [self._x(row.shares[mark].share) for mark in ("now", "wished")]
        ends = {"left": min(every) - RADIUS - 5, "right": max(every) + RADIUS + 5}
        wish_right = row.shares["wished"].share >= row.shares["now"].share
        for mark, side in (("now", "left" if wish_right else "right"), ("wished", "right" if wish_right else "left")):
            figure = percent(row.shares[mark].share, self.language, sign=False)
            align = "right" if side == "left" else "left"
            weight, colour = ("SemiBold", GOAL) if mark == "wished" else ("Medium", MUTED)
            sheet.text(ends[side], y, figure, weight=weight, colour=colour, align=align, clear=True)

    def _change(self, sheet: theme.Sheet, row: Row, y: float) -> None:
        figure = points(row.change.share, self.language, unit=False)
        interval = f"({points_range(row.change.low, row.change.high, self.language)})"
        if self.look.narrow:
            sheet.text(sheet.right, y, f"{figure} {interval}", size=self.look.small, align="right")
            return
        sheet.text(sheet.right, y - 9, figure, size=self.look.subtitle, weight="SemiBold", align="right")
        sheet.text(sheet.right, y + 10, interval, size=self.look.small, colour=MUTED, align="right")


def _mark(sheet: theme.Sheet, mark: str, x: float, y: float) -> None:
    """Draw a ring for today, a dot for the wish, a diamond for the strategy: told apart without their colours."""
    area = (2 * RADIUS * POINTS) ** 2
    if mark == "strategy":
        sheet.axes.scatter(
            [x],
            [y],
            s=area / 2,
            marker="D",
            facecolor=PAPER,
            edgecolor=GOAL,
            linewidth=1.6 * POINTS,
            clip_on=False,
            zorder=5,
        )
        return
    fill, edge = (GOAL, GOAL) if mark == "wished" else (PAPER, MUTED)
    sheet.axes.scatter(
        [x], [y], s=area, facecolor=fill, edgecolor=edge, linewidth=2.4 * POINTS, clip_on=False, zorder=6
    )


def _line(sheet: theme.Sheet, start: float, end: float, y: float, *, head: bool) -> None:
    step = RADIUS if end > start else -RADIUS
    sheet.rule((start + step, end - step), (y, y), GOAL, 2.4, zorder=4)
    if head:
        tip = end - 1.3 * step
        sheet.axes.fill([tip, tip - 1.3 * step, tip - 1.3 * step], [y, y - 4.5, y + 4.5], color=GOAL, lw=0, zorder=4)


def _sign(row: Row) -> str:
    return next(cell.sign for cell in (*row.shares.values(), row.change) if cell.hidden)


def _notes(rows: Sequence[Row], provenance: Provenance, language: str) -> Iterator[str]:
    shown = [row for row in rows if not row.hidden]
    if shown:
        yield _sentences.paired_change(language)
    yield _sentences.hidden(
        [cell.flag for row in rows for cell in (*row.shares.values(), row.change)], provenance, language
    )


def _findings(rows: Sequence[Row], language: str) -> Iterator[str]:
    shown = [row for row in rows if not row.hidden]
    for row in {id(row): row for row in (*shown[:1], *shown[-1:])}.values():
        now, wished = (percent(row.shares[mark].share, language) for mark in ("now", "wished"))
        figures = f"{points(row.change.share, language)} ({points_range(row.change.low, row.change.high, language)})"
        yield _sentences.changed(plain(row.label), now, wished, figures, row.change.n, language)


def _flags(rows: Sequence[Row], provenance: Provenance, language: str) -> Iterator[str]:
    hidden = [row for row in rows if row.hidden]
    if len(hidden) == len(rows):
        yield _sentences.nothing_shown(language)
    elif hidden:
        yield _sentences.hidden_groups(len(hidden), language)


def _columns(rows: Sequence[Row], language: str) -> list[str]:
    names, words = _sentences.PERSPECTIVES[language], _sentences.COLUMNS[language]
    return [
        words["option"],
        *(f"{names[mark]} (%)" for mark in rows[0].shares),
        *(words[name] for name in ("change", "change_low", "change_high", "n", "organisations", "mark", "data")),
    ]


def _table_row(row: Row, provenance: Provenance, language: str) -> list[Figure]:
    return [
        plain(row.label),
        *(100 * cell.share for cell in row.shares.values()),
        *(100 * value for value in (row.change.share, row.change.low, row.change.high)),
        row.change.n,
        row.change.organisations,
        _sentences.mark(hidden=row.hidden, small=row.change.small, language=language),
        _sentences.data(provenance, language),
    ]
