"""A questionnaire of 3,000 items beside one of 30: loading, checking, and serving and saving its pages.

`python -m benchmarks.large` writes both, loads and checks them, answers them up to the middle, and asks the
application in this process for the first page, the middle page and the saving of the middle page, in turns.
What is told is the median of each, in milliseconds, and the ratio of the two questionnaires.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from statistics import median

from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict

from benchmarks.machine import heading
from kysely import loading, routing, store
from kysely.config import Settings
from kysely.instrument import Instrument
from kysely.simulate import read
from kysely.web import create_app

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
SMALL, LARGE = 30, 3000
GOALS = {"first page": 30.0, "middle page": 30.0, "save": 30.0}
"""Milliseconds by which a page of the large one may be slower; what takes less than 100 in all, nobody notices."""


@dataclass
class Questionnaire:
    """One of the two, answered up to its middle."""

    items: int
    folder: Path
    instrument: Instrument
    store: store.Store
    client: FlaskClient
    middle: str

    @property
    def address(self) -> str:
        return f"/fi/{self.instrument.id}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=60, help="of each page")
    parser.add_argument("--loads", type=int, default=3, help="of each file")
    parser.add_argument("--items", type=int, default=LARGE)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sizes = (SMALL, args.items)
        files = {items: written(Path(folder) / str(items), items) for items in sizes}
        times = {items: measured_files(files[items], args.loads) for items in sizes}
        made = {items: begun(items, files[items], Path(folder) / str(items)) for items in sizes}
        turns: dict[int, dict[str, list[float]]] = {items: {name: [] for name in GOALS} for items in sizes}
        for _ in range(args.repeats):
            for items, one in made.items():
                turns[items]["first page"].append(seconds(lambda one=one: page(one, first(one))))
                turns[items]["middle page"].append(seconds(lambda one=one: page(one, one.middle)))
                turns[items]["save"].append(saving(one))
        for items in sizes:
            times[items] |= {name: 1000 * median(found) for name, found in turns[items].items()}
    return report(args.items, times)


def report(items: int, times: dict[int, dict[str, float]]) -> int:
    """Print the table, and return 1 if a page of the large one is noticeably slower."""
    print(heading("A large questionnaire"))
    print(f"| milliseconds | {SMALL} items | {items} items | ratio |\n|---|---|---|---|")
    met = True
    for name in times[SMALL]:
        small, large = times[SMALL][name], times[items][name]
        goal = f" (goal: {GOALS[name]:.0f} ms more at most)" if name in GOALS else ""
        met = met and (name not in GOALS or large - small <= GOALS[name])
        print(f"| {name} | {small:.1f} | {large:.1f} | {large / small:.1f}{goal} |")
    return 0 if met else 1


def measured_files(folder: Path, loads: int) -> dict[str, float]:
    stored = loading.load(folder).canonical
    work: dict[str, Callable[[], object]] = {
        "load": lambda: loading.load(folder),
        "check": lambda: check(folder),
        "read back the stored definition": lambda: loading.from_canonical(stored),
    }
    return {name: 1000 * median(seconds(one) for _ in range(loads)) for name, one in work.items()}


def check(folder: Path) -> None:
    fatal = [problem for problem in loading.check(folder) if problem.fatal]
    if fatal:
        sys.exit(str(fatal[0]))


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def written(folder: Path, items: int) -> Path:
    """Write a questionnaire of *items* items: choices, numbers and grids, every tenth page only for some."""
    place = folder / "questionnaires" / f"large_{items}"
    place.mkdir(parents=True)
    lines = [
        "schema: questionnaire/1",
        f"id: large_{items}",
        'revision: "1"',
        "languages: {base: fi, required: [fi, sv, en]}",
        f"title: {text('Laaja', 'Omfattande', 'Large')}",
        "scales:",
        "  AGREE:",
        "    levels:",
        *(
            f"      - {{code: L{n}, value: {n}, label: {text(f'Taso {n}', f'Nivå {n}', f'Level {n}')}}}"
            for n in range(5)
        ),
        "pages:",
    ]
    asked = number = 0
    while asked < items:
        number += 1
        lines += [f"  - id: page{number}", f"    title: {text(f'Sivu {number}', f'Sida {number}', f'Page {number}')}"]
        if number > 2 and number % 10 == 0:
            lines.append(f"    show_if: \"choice{number - 1} in ['A', 'B', 'C'] or count(grid{number - 2}) >= 1\"")
        lines += ["    questions:", *choice(number), *number_question(number), *grid(number)]
        asked += 10
    (place / "questionnaire.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return place


def text(fi: str, sv: str, en: str) -> str:
    return f"{{fi: {fi}, sv: {sv}, en: {en}}}"


def choice(number: int) -> list[str]:
    asks = text(f"Valinta {number}?", f"Val {number}?", f"Choice {number}?")
    return [
        f"      - id: choice{number}",
        "        type: single_choice",
        f"        text: {asks}",
        "        options:",
        *(f"          - {{code: {code}, label: {text(code, code, code)}}}" for code in "ABCDE"),
    ]


def number_question(number: int) -> list[str]:
    asks = text(f"Luku {number}?", f"Tal {number}?", f"Number {number}?")
    return [f"      - {{id: number{number}, type: number, text: {asks}, minimum: 0, maximum: 100}}"]


def grid(number: int) -> list[str]:
    rows = (text(f"Rivi {number}.{row}", f"Rad {number}.{row}", f"Row {number}.{row}") for row in range(8))
    return [
        f"      - id: grid{number}",
        "        type: grid",
        "        scale: AGREE",
        f"        text: {text(f'Taulukko {number}?', f'Tabell {number}?', f'Grid {number}?')}",
        "        rows:",
        *(f"          - {{code: R{row}, label: {label}}}" for row, label in enumerate(rows)),
    ]


def begun(items: int, file: Path, folder: Path) -> Questionnaire:
    """Return the questionnaire as served, with a response that has come to its middle."""
    settings = Settings.from_env(
        {
            "KYSELY_INSTANCE": str(folder / "instance"),
            "KYSELY_BUILD": str(folder / "build"),
            "KYSELY_QUESTIONNAIRES": str(file.parent),
            "KYSELY_SECRET_KEY": "a secret of the benchmark, known to everybody",
        }
    )
    instrument = loading.load(file)
    opened = store.open(settings)
    client = create_app(settings, opened, now=lambda: NOW).test_client()
    address = f"/fi/{instrument.id}"
    _post(client, f"{address}/", {})
    answers: dict[str, object] = {}
    rng = Random(1)
    middle = instrument.pages[len(instrument.pages) // 2].id
    while (screen := routing.position(instrument, answers)) is not None and screen.page != middle:
        typed: dict[str, str | list[str]] = {}
        for question in instrument.page(screen.page).questions:
            hard = question.fill("", answers, rng, seed=0)
            typed |= hard
            answers |= question.parse("", MultiDict(hard), answers)
        _post(client, f"{address}/{screen.page}", {**typed, "skip": "1"})
    return Questionnaire(items, file, instrument, opened, client, middle)


def first(one: Questionnaire) -> str:
    return one.instrument.pages[0].id


def page(one: Questionnaire, id: str) -> None:
    answer = one.client.get(f"{one.address}/{id}")
    assert answer.status_code == 200, (id, answer.status_code)


def saving(one: Questionnaire) -> float:
    """Return how long the middle page takes to be saved, without the reading of its form."""
    address = f"{one.address}/{one.middle}"
    form = read(one.client.get(address).text).form
    assert form is not None
    number = one.middle.removeprefix("page")
    typed = {f"choice{number}": "A", f"number{number}": "7", **{f"grid{number}_R{row}": "L1" for row in range(8)}}
    began = time.perf_counter()
    answer = one.client.post(address, data=MultiDict([*form.hidden, *typed.items()]))
    taken = time.perf_counter() - began
    assert answer.status_code == 303, answer.status_code
    return taken


def _post(client: FlaskClient, address: str, typed: dict[str, str | list[str]]) -> None:
    form = read(client.get(address).text).form
    assert form is not None, address
    fields = MultiDict(form.hidden)
    fields.update(typed)
    answer = client.post(address, data=fields)
    assert answer.status_code == 303, (address, answer.status_code)


if __name__ == "__main__":
    raise SystemExit(main())
