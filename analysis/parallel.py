"""Independent work on every processor: charts, and reports in several languages."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")

_work: list[Callable[[Any], Any]] = []
"""In a process of its own: what it does with each task. Inherited and not sent, so it may hold much."""


def each(work: Callable[[Task], Result], tasks: Sequence[Task]) -> Iterator[Result]:
    """Yield *work* of each task in order, done side by side on Linux.

    Tasks and results are sent between processes and must be small. If one fails, those begun are finished before its
    error is raised. Import before what the work needs, or every process imports it again.
    """
    # Elsewhere a new process would have to import everything again, which takes longer than it saves.
    processes = min(len(os.sched_getaffinity(0)), len(tasks)) if sys.platform == "linux" else 1
    if processes < 2:
        yield from map(work, tasks)
        return
    context = get_context("fork")
    with (
        ProcessPoolExecutor(processes, mp_context=context, initializer=_work.append, initargs=(work,)) as pool,
        warnings.catch_warnings(),
    ):
        # Python from 3.12 on warns of threads at a fork. They are numpy's own, which wait for work.
        warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
        yield from pool.map(_do, tasks)


def _do(task: Any) -> Any:
    return _work[-1](task)
