"""Who makes the book, each in a process of its own: `python -m benchmarks.book_contenders NAME FILE --questions N`.

Prints one line of JSON: seconds of the whole book (the shortest of the repeats), tables that were made, peak
memory in megabytes, and the version. Imports only what the contender needs.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

BANNERS = {"seg": 20, "role": 6, "size": 4}


def options(question: int) -> int:
    return 3 + question % 5


@dataclass(frozen=True)
class Made:
    """How often which call made how many tables."""

    tables: int
    repeats: int
    version: str
    book: Callable[[], None]


def ours_from_parquet(path: str, questions: int, repeats: int) -> Made:
    """Everything from the file to the last test: the design and one question at a time are in memory."""
    from analysis import engines
    from analysis.significance import rao_scott_of_moments

    columns = engines.DesignColumns("weight", psu="organisation", stratum="stratum")
    banners = [engines.Coded(name, tuple(range(groups))) for name, groups in BANNERS.items()]

    def book() -> None:
        engine = engines.engine("", path, columns)
        for question in range(questions):
            codes = tuple(range(options(question)))
            for moments in engine.crosstabs(engines.Coded(f"q{question:02d}", codes), banners):
                _shares(moments)
                _ = rao_scott_of_moments(moments).second_order

    return Made(questions * len(BANNERS), repeats, "", book)


def ours(path: str, questions: int, repeats: int) -> Made:
    """The same from arrays that are in memory already, as the sums alone have them; labels to design included."""
    return _ours(path, questions, repeats, strata=True)


def ours_without_strata(path: str, questions: int, repeats: int) -> Made:
    """Ours as if all organisations had been drawn from one list."""
    return _ours(path, questions, repeats, strata=False)


def _ours(path: str, questions: int, repeats: int, *, strata: bool) -> Made:
    from analysis.design import Design
    from analysis.engines.memory import Memory
    from analysis.significance import rao_scott_of_moments

    data = _arrays(path, questions)

    def book() -> None:
        stratum = data["stratum"] if strata else None
        engine = Memory(Design.of(data["weight"], psu=data["organisation"], stratum=stratum))
        banners = engine.banners([(data[name], groups) for name, groups in BANNERS.items()])
        for question in range(questions):
            for moments in engine.tables(data[f"q{question:02d}"], options(question), banners):
                _shares(moments)
                _ = rao_scott_of_moments(moments).second_order

    return Made(questions * len(BANNERS), repeats, "", book)


def sums(path: str, questions: int, repeats: int) -> Made:
    """The limit: numpy's weighted sums of every table and nothing else."""
    return _sums(path, questions, repeats, counts=False)


def sums_and_counts(path: str, questions: int, repeats: int) -> Made:
    """The limit with the bases that every table prints: weighted sums and unweighted counts."""
    return _sums(path, questions, repeats, counts=True)


def _sums(path: str, questions: int, repeats: int, *, counts: bool) -> Made:
    import numpy as np

    data = _arrays(path, questions)

    def book() -> None:
        for question in range(questions):
            codes = options(question)
            for name, groups in BANNERS.items():
                cell = data[name].astype(np.int64) * codes + data[f"q{question:02d}"]
                np.bincount(cell, data["weight"], groups * codes)
                if counts:
                    np.bincount(cell, minlength=groups * codes)

    return Made(questions * len(BANNERS), repeats, np.__version__, book)


def pairs(path: str, questions: int, repeats: int) -> Made:
    """The prototype's way: four sums and one of pairs of colleagues per table, then Rao-Scott. It knows no strata."""
    import numpy as np
    from scipy.special import fdtrc

    data = _arrays(path, questions)

    def book() -> None:
        weight, psu = data["weight"], data["organisation"]
        psus, first, second = _colleagues(psu)
        both, square = weight[first] * weight[second], weight**2
        of_psu = np.bincount(psu, weight)
        with_all, all_squares = weight * of_psu[psu], float((of_psu**2).sum())
        for question in range(questions):
            codes = options(question)
            for name, groups in BANNERS.items():
                cells = groups * codes
                cell = data[name].astype(np.int64) * codes + data[f"q{question:02d}"]
                n, total = np.bincount(cell, minlength=cells), np.bincount(cell, weight, cells)
                cross = np.bincount(cell[first] * cells + cell[second], both, cells**2).reshape(cells, cells)
                cross = (cross + cross.T + np.diag(np.bincount(cell, square, cells))) * psus / (psus - 1)
                margin = np.bincount(cell, with_all, cells) * psus / (psus - 1)
                size = total.sum()
                share = total / size
                spread = cross - np.outer(share, margin) - np.outer(margin, share)
                spread += all_squares * psus / (psus - 1) * np.outer(share, share)
                _column_errors(cross, total, groups, codes)
                x2, effects = _effects(share.reshape(groups, codes), spread / size**2, int(n.sum()))
                trace = np.trace(effects)
                ndf = trace**2 / (effects * effects.T).sum()
                fdtrc(ndf, ndf * (psus - 1), x2 / trace)

    return Made(questions * len(BANNERS), repeats, "", book)


def _colleagues(psu):
    import numpy as np

    order = np.argsort(psu, kind="stable")
    sizes = np.bincount(psu[order])
    starts = np.cumsum(sizes) - sizes
    first, second = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for size in np.unique(sizes[sizes > 1]):
        i, j = np.triu_indices(size, 1)
        begin = starts[sizes == size][:, None]
        first.append(order[(begin + i).ravel()])
        second.append(order[(begin + j).ravel()])
    return int((sizes > 0).sum()), np.concatenate(first), np.concatenate(second)


def _column_errors(cross, total, groups: int, codes: int):
    import numpy as np

    base = total.reshape(groups, codes).sum(axis=1)[:, None]
    share = total.reshape(groups, codes) / base
    within = cross.reshape(groups, codes, groups, codes)[np.arange(groups), :, np.arange(groups), :]
    rows = within.sum(axis=2)
    variance = np.einsum("bkk->bk", within) - 2 * share * rows + share**2 * rows.sum(axis=1)[:, None]
    return np.sqrt(np.maximum(variance, 0)) / base


def _effects(share, spread, n: int):
    import numpy as np

    expected = np.outer(share.sum(axis=1), share.sum(axis=0))
    x2 = n * ((share - expected) ** 2 / expected).sum()
    contrasts = [np.eye(size)[:, 1:] - 1 / size for size in share.shape]
    basis = np.kron(*contrasts)
    scaled = basis * np.where(share > 0, 1 / np.where(share > 0, share, 1), 0).ravel()[:, None]  # 0 for empty cells
    return x2, np.linalg.solve(basis.T @ scaled / n, scaled.T @ spread @ scaled)


def svy(path: str, questions: int, repeats: int) -> Made:
    """The Python package svy: a table per banner of the first question, and with them the time of the rest."""
    import polars
    import svy as package

    columns = ["weight", "organisation", "stratum", *BANNERS, "q00"]
    frame = polars.read_parquet(path, columns=columns)
    design = package.Design(wgt="weight", psu="organisation", stratum="stratum")
    sample = package.Sample(frame, design)

    def book() -> None:
        for name in BANNERS:
            sample.categorical.tabulate("q00", name, share_of="col", drop_nulls=True)

    return Made(len(BANNERS), 1, package.__version__, book)


def _arrays(path: str, questions: int):
    import pyarrow.parquet as pq

    names = ["weight", "organisation", "stratum", *BANNERS, *(f"q{number:02d}" for number in range(questions))]
    table = pq.read_table(path, columns=names)
    return {name: table.column(name).to_numpy() for name in names}


def _shares(moments) -> None:
    import numpy as np

    moments.averages(np.eye(moments.total.shape[1]))


CONTENDERS = {
    each.__name__: each for each in (ours_from_parquet, ours, ours_without_strata, sums, sums_and_counts, pairs, svy)
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=list(CONTENDERS))
    parser.add_argument("path")
    parser.add_argument("--questions", type=int, default=30)
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    made = CONTENDERS[args.name](args.path, args.questions, args.repeats)
    seconds = []
    for _ in range(made.repeats):
        began = time.perf_counter()
        made.book()
        seconds.append(time.perf_counter() - began)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": min(seconds), "tables": made.tables, "peak": peak, "version": made.version}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
