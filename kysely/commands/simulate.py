"""`kysely simulate`: robots answer through the real application, in a wave that is marked as theirs."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from kysely.errors import KyselyError

if TYPE_CHECKING:
    from kysely.config import Settings
    from kysely.instrument import Instrument
    from kysely.simulate import Respondent, Walk
    from kysely.store import Store, Wave

HELP = "let robots answer a questionnaire: the study population of 2015, or anyone at random"

SEED = 2015
REPLICATES = 200
STUDY, ROBOTS = "reproduction of 2015", "robots"
WAVES = {STUDY: "simulated", ROBOTS: "robots"}
"""What their waves are called, with the seed behind: codes, because charts print them in every language."""


ROBOTS_OF_EACH_LANGUAGE = 5
"""How many go through the real application when every branch is walked, beside one for each way that is needed."""


class RobotsFailed(KyselyError):
    """Some robot could not finish its interview; says where."""

    exit_code = 6


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("instrument", help="name of the questionnaire's folder")
    parser.add_argument("--form", help="form of the questionnaire (default: its first)")
    parser.add_argument("--seed", type=int, default=SEED, help="the same seed gives the same answers (default: 2015)")
    parser.add_argument(
        "--respondents",
        type=_positive,
        metavar="N",
        help="a trial: N robots answer at random, in a database that is thrown away, and report what they never met",
    )
    parser.add_argument(
        "--walk",
        action="store_true",
        help="walk every branch: robots in every language, and a search for what they did not meet; "
        "tells what nobody can meet and how long it takes; 1 if a page or question can't be met",
    )
    parser.add_argument("--keep", action="store_true", help="keep a trial's answers, as a simulated wave")
    parser.add_argument("--if-no-responses", action="store_true", help="do nothing where people have answered already")
    parser.add_argument(
        "--falsification",
        nargs="?",
        const="",
        metavar="FILE",
        help="write data sets of worlds in which the claims are not true, instead of answering"
        " (default: falsification.parquet in the instrument's folder of build/)",
    )
    parser.add_argument("--replicates", type=_positive, default=REPLICATES, help="data sets of each such world")


def run(args: argparse.Namespace) -> int:
    """Simulate what *args* ask for and say what was done; 6 if a robot could not finish."""
    import os

    from kysely import loading
    from kysely.config import Settings

    settings = Settings.from_env(os.environ)
    instrument = loading.load(settings.questionnaires / args.instrument, args.form)
    if args.falsification is not None:
        file = Path(args.falsification or settings.build / instrument.id / "falsification.parquet")
        return _falsification(instrument, args.seed, args.replicates, file)
    if settings.production and not args.if_no_responses:
        raise KyselyError(
            "Robots answer in a demonstration only, never beside real answers. "
            "Unset KYSELY_MODE, or name another database with KYSELY_DATABASE_URL."
        )
    if args.walk:
        return _walk(settings, instrument, args)
    if args.respondents is not None:
        return _trial(settings, instrument, args)
    return _study(settings, instrument, args)


def _study(settings: Settings, instrument: Instrument, args: argparse.Namespace) -> int:
    """Let the 360 leaders of the study answer, unless they have already."""
    import numpy as np

    from kysely import population, population_full, simulate, store

    if lacking := population.lacking(instrument.codebook):
        raise KyselyError(
            f"{instrument.id} does not ask what the simulated study answers: {', '.join(lacking)} lacking. "
            "For robots that answer anything at random, add: --respondents 100"
        )
    parameters = population.REPRODUCTION
    people = population.draw(parameters, np.random.default_rng(args.seed))
    note: dict[str, object] = {"name": STUDY, "seed": args.seed, "parameters": parameters.as_note()}
    if population_full.asked(instrument.codebook):
        further = population_full.REPRODUCTION
        people = population_full.complete(people, further, np.random.default_rng([args.seed, 1]))
        note["further"] = further.as_note()
    with _opened(settings) as kept:
        if args.if_no_responses and (real := _answered(kept, instrument, store.REAL)):
            print(f"{real} people have answered {instrument.id}: nothing is simulated.")
            return 0
        if settings.production:
            raise KyselyError(f"Nobody has answered {instrument.id} yet, and in production nothing is simulated.")
        respondents = [simulate.Study.of(person) for person in people]
        _answer(settings, kept, instrument, respondents, note)
    return 0


def _trial(settings: Settings, instrument: Instrument, args: argparse.Namespace) -> int:
    """Let anyone answer at random, and report errors and questions that nobody met."""
    from kysely import simulate

    opens = datetime(2015, 3, 2, 7, tzinfo=UTC)
    respondents = [simulate.anyone(number, instrument, args.seed, opens) for number in range(1, args.respondents + 1)]
    note = {"name": ROBOTS, "seed": args.seed, "parameters": {"respondents": args.respondents}}
    with tempfile.TemporaryDirectory() as folder:
        where = settings if args.keep else _elsewhere(settings, Path(folder))
        with _opened(where) as kept:
            walks = _answer(where, kept, instrument, respondents, note)
    if walks:
        languages = ", ".join(sorted({walk.language for walk in walks}))
        print(f"No page went wrong, in {languages}.")
        if unmet := simulate.never_asked(instrument, walks):
            print(f"Nobody was asked: {', '.join(unmet)}. Send more robots, or look at the conditions.")
        else:
            print("Every question was asked of somebody.")
    return 0


def _walk(settings: Settings, instrument: Instrument, args: argparse.Namespace) -> int:
    """Walk every branch, then through the real application, and tell what can't be met and how long it takes."""
    from kysely import pretest, simulate

    findings = pretest.walk(instrument, args.seed)
    print(f"Walked {len(findings.ways) - findings.directed} ways at random and {findings.directed} on purpose.")
    members = [f"{code} of {question}" for question, code in findings.members if question not in findings.questions]
    for called, unmet in (("page", findings.pages), ("question", findings.questions), ("row or option", members)):
        for name in unmet:
            print(f"Nobody met the {called} {name}: look at the conditions that lead there.")
    if not (findings.pages or findings.questions or members):
        print("Every page, question, row and option was met by somebody.")
    for page in instrument.pages:
        if page.settles:
            print(f"What was answered before the page {page.id} stands once a respondent has come to it (`settles`).")
    print("Estimated length (words to read, and what there is to answer; the figures stand in kysely/pretest.py):")
    for length in pretest.lengths(instrument, findings):
        print(f"  {length.language}: {length.median:.1f} minutes for half of them, {length.longest:.1f} at the longest")
    if instrument.minutes:
        print(f"  respondents are told {instrument.minutes} (`minutes`)")
    opens = datetime(2015, 3, 2, 7, tzinfo=UTC)
    count = args.respondents or ROBOTS_OF_EACH_LANGUAGE * len(instrument.languages)
    respondents: list[Respondent] = [
        simulate.anyone(number, instrument, args.seed, opens) for number in range(1, count + 1)
    ]
    for way in pretest.witnesses(findings):
        for language in instrument.languages:
            respondents.append(simulate.Witness(len(respondents) + 1, language, opens, way.answers))
    note = {"name": ROBOTS, "seed": args.seed, "parameters": {"respondents": len(respondents)}}
    with tempfile.TemporaryDirectory() as folder:
        where = _elsewhere(settings, Path(folder))
        with _opened(where) as kept:
            _answer(where, kept, instrument, respondents, note)
    print(f"No page went wrong, in {', '.join(instrument.languages)}.")
    return 1 if findings.pages or findings.questions else 0


def _answer(
    settings: Settings, store: Store, instrument: Instrument, respondents: Sequence[Respondent], note: dict[str, object]
) -> tuple[Walk, ...]:
    """Let *respondents* answer in a simulated wave of their own and return their walks; () if they have before."""
    from kysely import simulate
    from kysely.store import SIMULATED
    from kysely.web import create_app

    label = f"{note['name']}, seed {note['seed']}"
    name = f"{WAVES[str(note['name'])]}-{note['seed']}"
    whole = {**note, "respondents": len(respondents), "questionnaire": instrument.hash}
    if _before(store, instrument, whole):
        print(f"Simulated before and used again: {label}, {len(respondents)} respondents.")
        return ()
    began = datetime.now(UTC)
    wave = store.open_wave(
        instrument, name=_free_name(store, instrument, name, began), origin=SIMULATED, note=whole, now=began
    )
    clock = simulate.Clock()
    chance = Random(str(note["seed"]))
    app = create_app(settings, store, now=clock, new_seed=lambda: chance.getrandbits(31), origin=SIMULATED)
    print(f"Simulating {label}: {len(respondents)} respondents answer {instrument.id}, form {instrument.form} …")
    walks = tuple(
        _counted(simulate.interviews(app, instrument, respondents, clock, _address(settings)), len(respondents))
    )
    store.close_wave(wave, datetime.now(UTC))
    faults = [walk.fault for walk in walks if walk.fault]
    if faults:
        shown = "\n".join(faults[:10])
        raise RobotsFailed(f"{len(faults)} of {len(walks)} robots could not finish:\n{shown}")
    print(f"{len(walks)} simulated responses, marked as such; they can't be mixed with real ones.")
    return walks


def _before(store: Store, instrument: Instrument, note: dict[str, object]) -> Wave | None:
    """Return the wave that was filled with the same note to the end: an interrupted one has too few responses."""
    import json

    plain = json.loads(json.dumps(note))
    for count in store.counts(instrument.id, instrument.form):
        if count.wave.note == plain and count.submitted == note["respondents"]:
            return count.wave
    return None


def _free_name(store: Store, instrument: Instrument, name: str, now: datetime) -> str:
    """Return *name* or the next like it that is free, and close simulated waves that an interrupted run left open."""
    from kysely.store import SIMULATED

    waves = [wave for wave in store.waves(instrument.id, instrument.form) if wave.origin == SIMULATED]
    for wave in waves:
        if wave.state == "open":
            store.close_wave(wave.id, now)
    taken = {wave.name for wave in waves}
    names = (name if run == 1 else f"{name}-{run}" for run in range(1, len(taken) + 2))
    return next(free for free in names if free not in taken)


def _answered(store: Store, instrument: Instrument, origin: str) -> int:
    return sum(count.answered for count in store.counts(instrument.id, instrument.form) if count.wave.origin == origin)


def _address(settings: Settings) -> str:
    """Return the address by which the application lets itself be called."""
    return settings.base_url or f"http://{next(iter(settings.trusted_hosts), 'localhost')}"


@contextmanager
def _opened(settings: Settings) -> Iterator[Store]:
    from kysely import store

    opened = store.open(settings)
    try:
        yield opened
    finally:
        opened.close()


def _elsewhere(settings: Settings, folder: Path) -> Settings:
    """Return *settings* with databases of their own in *folder*."""
    return replace(
        settings,
        instance=folder,
        database_url=f"sqlite:///{folder / 'answers.db'}",
        identity_url=f"sqlite:///{folder / 'identity.db'}",
        access_url=f"sqlite:///{folder / 'access.db'}",
    )


def _counted(walks: Iterable[Walk], count: int) -> Iterator[Walk]:
    """Yield *walks* and show how many there are: on a terminal each, otherwise each quarter."""
    live = sys.stdout.isatty()
    for number, walk in enumerate(walks, start=1):
        yield walk
        if live:
            print(f"\r  {number} of {count}", end="" if number < count else "\n", flush=True)
        elif number * 4 // count > (number - 1) * 4 // count:
            print(f"  {number} of {count}", flush=True)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def _falsification(instrument: Instrument, seed: int, replicates: int, file: Path) -> int:
    from kysely import falsification

    if falsification.is_current(file, instrument, seed, replicates):
        print("The data sets of the counter-test were drawn before and are used again.")
        return 0
    print(f"Drawing {replicates} data sets of each world in which the claims are not true …")
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(file.name + ".unfinished")
    rows = falsification.write(instrument, seed, replicates, unfinished)
    unfinished.replace(file)
    print(f"{file}: {rows} invented respondents.")
    return 0
