"""`python -m analysis <instrument>`: from the extract to estimates, claims and charts in build/<instrument>/.

With --check it only tells what is wrong with the plans and claims. With KYSELY_ENGINE_URL the tables are summed by
a database or a cluster, where the respondents of the extract are put first, or are already (--respondents).
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from analysis import publications
from kysely import paths
from kysely.errors import AuthorError, KyselyError

if TYPE_CHECKING:
    from analysis.claims import Claims
    from analysis.estimates import Estimates, Provenance
    from analysis.sources import Source
    from analysis.study import Study


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m analysis",
        description="Estimate, test the claims and draw.",
        epilog="What may become public: python -m analysis publish --help",
    )
    made.add_argument("instrument", nargs="?", help="whose answers (default: operating_mode; with --check: all)")
    made.add_argument(
        "--check", action="store_true", help="estimate nothing; report every problem of plan.yaml and claims.yaml"
    )
    made.add_argument("--extract", type=Path, help="folder of the extract (default: build/<instrument>/extract)")
    made.add_argument("--out", type=Path, help="folder to write to (default: build/<instrument>)")
    made.add_argument(
        "--respondents",
        metavar="TABLE",
        help="a table where KYSELY_ENGINE_URL points, or a Parquet file, instead of the extract's respondents; of the "
        "extract its codebook.json is read (docs/methods.md, The respondents table)",
    )
    made.add_argument("--origin", choices=("real", "simulated"), help="with --respondents: whose answers they are")
    made.add_argument("--wave", default="", help="with --respondents: the name of the wave")
    made.add_argument(
        "--min-group",
        type=int,
        default=0,
        metavar="N",
        help="with --respondents: of how many respondents they were told that figures are at least, if over 5",
    )
    made.add_argument("--no-charts", action="store_true", help="draw no charts, and remove those of an earlier run")
    return made


def main(arguments: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> int:
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == [publications.COMMAND]:
        return publications.main(words[1:], environ)
    given = parser().parse_args(words)
    instrument = given.instrument or "operating_mode"
    build, questionnaires = paths.build(environ) / instrument, paths.questionnaires(environ) / instrument
    try:
        if given.check:
            check(environ, given.instrument)
            return 0
        from analysis import engines

        folders = (questionnaires, given.extract or build / "extract", given.out or build)
        place = engines.located(environ)
        if given.respondents is None and engines.in_memory(place):
            analyse(*folders, charts=not given.no_charts)
        else:
            source = source_of(given, *folders[:2])
            analyse_elsewhere(source, place, folders[2], charts=not given.no_charts)
    except KyselyError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def check(environ: Mapping[str, str], instrument: str | None) -> None:
    """Print a line for every plan that is in order, with its claims.

    Raises AuthorError with every problem of all the instruments' files, or of *instrument*'s.
    """
    from analysis import checking

    folder = paths.questionnaires(environ)
    folders = [folder / instrument] if instrument else sorted(one for one in folder.glob("*") if one.is_dir())
    checked = [checking.check(one, paths.codebooks(environ, one.name)) for one in folders]
    for line in (found.sound for found in checked if found.sound):
        print(line, flush=True)
    if problems := [problem for found in checked for problem in found.problems]:
        raise AuthorError(problems)


def analyse(questionnaires: Path, extract_folder: Path, out: Path, *, charts: bool = True) -> None:
    """Write estimates/, claims.json and charts/ into *out*, telling each step on the terminal."""
    with step("reading the extract"):
        from analysis import checking, differences, extract
        from analysis.estimates import Provenance
        from analysis.study import Study
        from analysis.tabulate import tabulate

        answers = extract.read(extract_folder)
        plan, claims = checking.load(questionnaires, answers.codebook)
        study = Study(answers, plan)
    about = Provenance.of(answers, study, datetime.now(UTC).isoformat(timespec="seconds"))
    print(headline(about, len(answers)), flush=True)
    with step("estimating"):
        estimates = tabulate(study, about, pages=pages(study, extract_folder))
        estimates.write(out / "estimates")
    found = differences.told(estimates, [score.name for score in plan.scores], study.codebook)
    for line in (*weighted_beside(estimates), *found):
        print(line, flush=True)
    if claims is not None:
        with step("testing the claims"):
            test_claims(study, estimates, claims, questionnaires / "claims.yaml", extract_folder, out)
    if not len(study):
        print("  no charts: nobody counts yet", flush=True)
    drawn = draw_charts(study, estimates, out / "charts", wanted=charts and len(study) > 0)
    print(where_to_look(estimates, out, charts=bool(drawn)), flush=True)


def analyse_elsewhere(source: Source, place: str, out: Path, *, charts: bool = True) -> None:
    """Write estimates/ and charts/ into *out* from respondents whom the engine at *place* sums."""
    from analysis import elsewhere

    with step("putting the respondents where they are summed"):
        engine = source.engine(place, out)
    with engine:
        about = source.provenance(engine, datetime.now(UTC).isoformat(timespec="seconds"))
        print(headline(about, source.responses(about)), flush=True)
        with step(f"estimating on {engine.place}"):
            estimates = elsewhere.tabulate_from(engine, source.layout, about, source.unanswered(about))
            estimates.write(out / "estimates")
    (out / "claims.json").unlink(missing_ok=True)  # an earlier run's, of other numbers
    print(f"  left out: {elsewhere.refusal(engine, about)}", flush=True)
    drawn = draw_charts(source.layout.study, estimates, out / "charts", wanted=charts and about.responses > 0)
    print(where_to_look(estimates, out, charts=bool(drawn)), flush=True)


def source_of(given: argparse.Namespace, questionnaires: Path, extract_folder: Path) -> Source:
    """Return the extract, or the table named in its place. Raises RespondentsError if it isn't said whose it is."""
    from analysis import sources
    from analysis.respondents import RespondentsError

    if given.respondents is None:
        return sources.OfExtract(questionnaires, extract_folder)
    if given.origin is None:
        raise RespondentsError(
            "--respondents needs --origin real or --origin simulated: whose answers they are stands on every table, "
            "and the table itself doesn't say"
        )
    return sources.OfTable(
        questionnaires, extract_folder, sources.GivenTable(given.respondents, given.origin, given.wave, given.min_group)
    )


def pages(study: Study, extract_folder: Path) -> Mapping[str, Sequence[str]] | None:
    """Return page → variables of the questionnaire that was asked; None if the extract does not hold it."""
    import json

    from analysis import quality

    definition = extract_folder / "definition.json"
    if not definition.is_file():
        return None
    return quality.pages_of(json.loads(definition.read_text(encoding="utf-8")), study.answers.codebook)


def test_claims(
    study: Study, estimates: Estimates, claimed: Claims, claims_file: Path, extract_folder: Path, out: Path
) -> None:
    import json
    from dataclasses import asdict

    from analysis import claims, falsification
    from analysis.evidence import Evidence

    codebook, plan, about = study.answers.codebook, study.plan, estimates.provenance
    definition = extract_folder / "definition.json"
    asked = json.loads(definition.read_text(encoding="utf-8")) if definition.is_file() else None
    found = claims.decide(claimed, Evidence(study, asked), codebook, about.origin)
    claims.write(found, out / "claims.json", about=asdict(about))
    worlds = out / "falsification.parquet"
    if worlds.is_file():
        falsification.cached(worlds, claims_file, claimed, plan, codebook)


def draw_charts(study: Study, estimates: Estimates, folder: Path, *, wanted: bool) -> list[Path]:
    """Draw the plan's charts, if *wanted*, and return their manifests; no other chart is left in *folder*."""
    from analysis import charts

    drawn: list[Path] = []
    specs, languages = study.plan.charts if wanted else (), study.codebook.languages
    try:
        if count := len(specs) * len(languages):
            with step(f"drawing {count} charts"):
                for manifest in charts.write_all(estimates, specs, study.codebook, folder, languages=languages):
                    drawn.append(manifest)
                    progress(f"drawing {count} charts: {len(drawn)} ({manifest.parent.name}/{manifest.stem})")
    finally:
        charts.remove_others(folder, drawn)
    return drawn


def headline(about: Provenance, responses: int) -> str:
    """Return whose answers these are; the first thing a reader of the terminal must know."""
    whose = "SIMULATED answers (synthetic data)" if about.synthetic else "real answers"
    dropped = responses - about.responses
    aside = f"; not counted, because they lack what the plan calls valid: {dropped}" if dropped else ""
    return f"{whose}: {_of(about.responses, 'respondent')} of {_of(about.organisations, 'organisation')}{aside}"


def _of(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def weighted_beside(estimates: Estimates) -> Iterator[str]:
    """Yield the main shares unweighted and weighted to the population, or why there is no weighted one."""
    told = estimates.weights
    if lacking := told.get("lacking"):
        classes = ", ".join(" ".join(filter(None, (one["part"], one["variable"], one["code"]))) for one in lacking)
        yield f"  not weighted to the population: {lacking[0]['why'].replace('_', ' ')}: {classes}"
    elif told:
        yield (
            f"  weighted to the population: {told['n']} answers tell as much as {told['effective']:.0f} unweighted; "
            "per cent of respondents, with standard errors:"
        )
        for one in told["side_by_side"]:
            shares = (one["unweighted"], one["unweighted_se"], one["weighted"], one["se"])
            figures = "unweighted {:5.1f} ({:.1f})  weighted {:5.1f} ({:.1f})".format(
                *(100 * share for share in shares)
            )
            yield f"    {one['variable']} {one['code']:<8} {one['statistic']:<9} {figures}"


def where_to_look(estimates: Estimates, out: Path, *, charts: bool) -> str:
    from analysis.estimates import HIDDEN

    hidden = int(estimates.rows["flag"].isin(HIDDEN).sum())
    rules = estimates.provenance.rules
    places = [out / "charts"] * charts + [out / "estimates" / "estimates.csv"]
    return "\n".join(
        (
            f"{len(estimates.rows)} estimates, of which {hidden} are not shown: their base has fewer than "
            f"{rules['suppress_respondents']} respondents or {rules['suppress_organisations']} organisations, "
            "or they would give away one that has",
            f"Look at  {'  and  '.join(map(str, places))}",
        )
    )


@contextmanager
def step(what: str) -> Iterator[None]:
    """Say what is being done, and how long it took."""
    begin = time.perf_counter()
    progress(f"{what} …")
    yield
    progress("")
    print(f"  {what}: {time.perf_counter() - begin:.1f} s", flush=True)


def progress(text: str) -> None:
    """Show *text* on the line that the next one overwrites; a log gets only finished steps."""
    if sys.stdout.isatty():
        print(f"\r\033[K  {text}" if text else "\r\033[K", end="", flush=True)


if __name__ == "__main__":
    # The matrices are small: a threaded BLAS would wait more than it works. Before numpy is imported.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.exit(main())
