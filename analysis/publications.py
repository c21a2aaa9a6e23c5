"""`python -m analysis publish <instrument>`: judge what may become public, and publish it.

Without --confirm nothing is published: it only says what would be. What is published stands in the ledger
(instance/ledger/<instrument>/) before any file shows it, so that a crash leaves nothing public that is not in it.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from kysely import paths, pseudonyms
from kysely.errors import AnalystError, KyselyError

if TYPE_CHECKING:
    from analysis.extract import Extract
    from analysis.ledger import DataSet, Entry, Ledger
    from analysis.publishable import Figure, Rules
    from analysis.publishing import Override, Responses, Snapshot
    from analysis.refusals import Refusal, Wording
    from analysis.study import Study

COMMAND = "publish"
REAL, SIMULATED = "real", "simulated"


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog=f"python -m analysis {COMMAND}",
        description="Say what may become public of an instrument's answers, and publish it with --confirm.",
    )
    made.add_argument("instrument", nargs="?", default="operating_mode", help="whose answers (default: operating_mode)")
    what = made.add_mutually_exclusive_group()
    what.add_argument("--question", help="a question or set that the plan's `public` lists")
    what.add_argument("--all", action="store_true", help="everything that the plan's `public` lists (default)")
    what.add_argument("--feedback", action="store_true", help="what respondents may compare their own answers with")
    what.add_argument("--list", action="store_true", help="list what was published, and what was retired")
    what.add_argument("--retire", metavar="ID", help="show a publication no longer; what it told stays known")
    made.add_argument("--by", metavar="CLASSIFICATION", help="break --question down by a registered classification")
    made.add_argument(
        "--merge",
        action="append",
        default=[],
        metavar="GROUP=INTO",
        help="put a group together with another, or with all of its parent; may come several times",
    )
    made.add_argument("--confirm", action="store_true", help="publish; without it nothing is published")
    made.add_argument("--extract", type=Path, help="folder of the extract (default: build/<instrument>/extract)")
    override = made.add_argument_group("lower thresholds for one publication, which two persons answer for")
    override.add_argument("--respondents", type=int, metavar="N", help="least respondents of a group, from 5 on")
    override.add_argument("--category", type=int, metavar="N", help="least answers of a kind in a group, from 2 on")
    override.add_argument("--person", action="append", default=[], metavar="NAME", help="who decides; give it twice")
    override.add_argument("--reason", default="", help="why; it is kept in the ledger")
    return made


def main(arguments: Sequence[str], environ: Mapping[str, str] = os.environ) -> int:
    given = parser().parse_args(arguments)
    try:
        return run(given, environ)
    except KyselyError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(f"{error.filename}: {error.strerror}. Nothing was published beyond what is said above.", file=sys.stderr)
        return AnalystError.exit_code


def run(given: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Do what the command line asks; return 0 unless all that was asked for is refused."""
    from analysis import checking, extract, public
    from analysis.study import Study

    answers = extract.read(given.extract or paths.build(environ) / given.instrument / "extract")
    plan, _ = checking.load(paths.questionnaires(environ) / given.instrument, answers.codebook)
    study = Study(answers, plan)
    desk = Desk.of(given.instrument, answers.origin, environ)
    with desk.alone():
        for line in desk.mend(study):
            print(line, flush=True)
        if given.list:
            print("\n".join(listed(desk.ledger.entries(), public.wording(study))))
            return 0
        if given.retire:
            desk.ledger.retire(given.retire, now())
            desk.mend(study)
            print(
                f"{given.retire} is shown no longer. What it told stays known, so later publications are judged by it."
            )
            return 0
        return publish(desk, study, given)


@dataclass(frozen=True)
class Desk:
    """Where an instrument's real, or its simulated, answers become public."""

    instrument: str
    synthetic: bool
    ledger: Ledger
    folder: Path
    instance: Path

    @classmethod
    def of(cls, instrument: str, origin: str, environ: Mapping[str, str]) -> Desk:
        """Return the desk of the answers' origin.

        Raises AnalystError if simulated answers would take the place of real ones that are public.
        """
        from analysis.ledger import FILE, Ledger, key

        instance = paths.instance(environ)
        synthetic, home = origin == SIMULATED, pseudonyms.ledgers(instance, instrument)
        if synthetic and (home / REAL / FILE).exists():
            raise AnalystError(
                f"{home / REAL} says that real answers of {instrument} are public, and these are simulated: the two "
                "are never shown in one place. Set KYSELY_INSTANCE and KYSELY_BUILD to other folders for these."
            )
        folder = home / (SIMULATED if synthetic else REAL)
        book = Ledger(folder / FILE, key(environ, real=not synthetic))
        return cls(instrument, synthetic, book, paths.build(environ) / instrument / "public", instance)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Let one process publish at a time; another waits for its turn, and then judges beside what the first did."""
        home = self.ledger.path.parent
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (home / "publishing.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print("another publication is under way; waiting for it …", flush=True)
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def mend(self, study: Study) -> Iterator[str]:
        """Let the folder show what the ledger says, and return a line if it did not."""
        from analysis import public_files

        entries = self.ledger.entries()
        if not entries and not self.folder.exists():
            return iter(())
        done = public_files.mirror(
            self.folder,
            entries,
            study.plan,
            study.answers.codebook,
            instrument=self.instrument,
            synthetic=self.synthetic,
        )
        changed = (("written", done.written), ("removed", done.removed))
        return iter([f"{self.folder}: {what}: {', '.join(names)}" for what, names in changed if names])

    def data_set(self, study: Study) -> tuple[DataSet, bool]:
        """Return the data set of the answers, and whether it has its number already."""
        from analysis.extract import Extract
        from analysis.ledger import DataSet

        assert isinstance(study.answers, Extract)
        known = self.ledger.data_sets()
        sha256, wave = study.answers.sha256, str(study.answers.manifest["wave"])
        for one in known:
            if one.sha256 == sha256:
                return one, True
        number, book = str(len(known) + 1), self._named(study.answers).get("book", "")
        return DataSet(number, sha256, wave, len(study), study.organisations, now(), book), False

    def people(self, study: Study, data_set: DataSet) -> Responses:
        """Return the respondents as the ledger knows them.

        Raises PseudonymsError if the book by which it does is lacking, PublishingError if it has lost one of them.
        """
        from analysis import public
        from analysis.extract import Extract

        assert isinstance(study.answers, Extract)
        named, names = self._named(study.answers), None
        if named:
            folder = pseudonyms.books(self.instance, self.instrument)
            names = pseudonyms.read(folder, named["book"], self.ledger.secret).names(named["salt"])
        return public.responses(study, data_set.number, data_set.wave, secret=self.ledger.secret, pseudonyms=names)

    def _named(self, answers: Extract) -> Mapping[str, str]:
        """Return the book and the salt of the extract's names; nothing where it names respondents for itself."""
        return {} if self.synthetic else answers.manifest.get("pseudonyms") or {}


@dataclass(frozen=True)
class Asked:
    """One publication that is asked for: a question with its groups; *coarsest* for the respondents' feedback."""

    question: str
    by: str | None
    coarsest: bool = False


@dataclass(frozen=True)
class Outcome:
    """What became of it: refused, or the rounded numbers with their place in the ledger."""

    asked: Asked
    decided: Snapshot | Refusal
    entry: Entry | None = None
    public_already: bool = False
    coarser: bool = False
    together: tuple[str, ...] = ()


def publish(desk: Desk, study: Study, given: argparse.Namespace) -> int:
    """Judge all that is asked for, each beside those before it, publish it if confirmed, and say what became of it."""
    from analysis import public

    wanted, override = asked(study, given), overriding(given, under(study))
    if override and len(wanted) != 1:
        raise AnalystError("lower thresholds are for one publication: name one --question, not a set of them")
    data_set, frozen = desk.data_set(study)
    if given.confirm and not frozen:
        data_set = desk.ledger.freeze(data_set)
    print(headline(desk, study, data_set, frozen), flush=True)
    people = desk.people(study, data_set)
    say, earlier, refused = public.wording(study), list(desk.ledger.entries()), 0
    for one in wanted:
        outcome = judge(desk, study, people, data_set, one, earlier, given.merge, override, say)
        if outcome.entry and not outcome.public_already:
            entry = outcome.entry
            earlier.append(desk.ledger.record(entry, now(), judged_against=earlier) if given.confirm else entry)
        for line in told(outcome, say, confirmed=given.confirm):
            print(line, flush=True)
        refused += outcome.entry is None
    if given.confirm:
        for line in desk.mend(study):
            print(line, flush=True)
    else:
        print("This was a dry run: nothing was published. Say the same with --confirm to publish it.", flush=True)
    return AnalystError.exit_code if refused == len(wanted) else 0


def asked(study: Study, given: argparse.Namespace) -> list[Asked]:
    """Return the publications that the command line asks for. Raises AnalystError for what the plan doesn't have."""
    from analysis import public

    plan = study.plan.public
    if given.question:
        return [Asked(name, given.by) for name in public.names(study, given.question)]
    if given.by or given.merge:
        raise AnalystError("--by and --merge are for one --question; all others are broken down as plan.yaml says")
    if given.feedback:
        if plan.feedback is None:
            raise AnalystError("plan.yaml names nothing to compare with: write `public: {feedback: {levels: …}}`")
        return [Asked(name, plan.feedback.by, coarsest=True) for name in public.names(study, plan.feedback.levels)]
    found = [Asked(*one) for question in plan.questions for one in public.planned(question)]
    if not found:
        raise AnalystError("plan.yaml lets nothing become public: list it under `public: {questions: […]}`")
    return found


def overriding(given: argparse.Namespace, rules: Rules) -> Override | None:
    """Return the lower thresholds that two persons answer for, if the command line has any of it."""
    from analysis.publishing import Override

    if not (given.respondents or given.category or given.person or given.reason):
        return None
    persons = (*given.person, "", "")[: max(2, len(given.person))]
    return Override(persons, given.reason, given.respondents or rules.respondents, given.category or rules.category)


def under(study: Study) -> Rules:
    """Return the rules, with groups as large as the respondents were promised if that is more."""
    from analysis.publishable import Rules

    rules = Rules()
    return replace(rules, respondents=max(rules.respondents, study.answers.promised))


def judge(
    desk: Desk,
    study: Study,
    people: Responses,
    data_set: DataSet,
    one: Asked,
    earlier: Sequence[Entry],
    merges: Sequence[str],
    override: Override | None,
    say: Wording,
) -> Outcome:
    """Return what may become public of what is asked for, beside all that did so earlier."""
    from analysis import public, publishing
    from analysis.refusals import Refusal

    question = public.question(study, one.question, coarsest=one.coarsest)
    by = public.classification(study, one.by, [_merge(merge) for merge in merges]) if one.by else None
    if unknown := _strangers(desk, question.sources, data_set, earlier, say):
        return Outcome(one, unknown)
    rules = under(study)
    if override and override.respondents < study.answers.promised:
        raise AnalystError(
            f"the respondents were promised that figures are of at least {study.answers.promised} of them; no two "
            "persons can decide otherwise"
        )
    decided = publishing.decide(people, question, by, earlier, rules=rules, override=override, wording=say)
    if isinstance(decided, Refusal):
        return Outcome(one, decided)
    snapshot, entry = decided
    shown = {row.group for row in snapshot.groups}
    together = tuple(name for name in (by.members(question.valid) if by and shown else ()) if name not in shown)
    public_already = entry.id in {known.id for known in earlier}
    return Outcome(one, snapshot, entry, public_already, entry.level > question.first, together)


def _strangers(
    desk: Desk, sources: Sequence[str], data_set: DataSet, earlier: Sequence[Entry], say: Wording
) -> Refusal | None:
    """Return why real answers of two extracts of a wave can't both be public.

    An extract of real answers names its respondents anew, so that nobody can lay two of them side by side. Nor can
    the ledger, unless both were made with its key: then one book has the pseudonyms of both. Without it nobody can
    see how few have come or gone in between.
    """
    from analysis.refusals import Reason, Refusal

    sets = {one.number: one for one in desk.ledger.data_sets()}
    other = [
        one
        for one in earlier
        if set(one.sources) & set(sources)
        and one.dataset != data_set.number
        and (known := sets.get(one.dataset)) is not None
        and known.wave == data_set.wave
        and not (known.book and known.book == data_set.book)
    ]
    if desk.synthetic or not other:
        return None
    numbers = " and ".join(sorted({f"data set {one.dataset}" for one in other}))
    says = (
        f"the question is public from {numbers}, an earlier extract of the same wave, and extracts name respondents "
        f"anew: one of them was made without {pseudonyms.VARIABLE}, so nobody can see how few have come or gone"
    )
    cure = f"Publish from the extract of {numbers}, or leave it as it is"
    return Refusal((Reason("11", says, cure, tuple(one.id for one in other)),))


def _merge(text: str) -> tuple[str, str]:
    group, equals, into = text.partition("=")
    if not (group and equals and into):
        raise AnalystError(f"--merge {text!r} names no two groups; write --merge GROUP=INTO")
    return group, into


# ---- what is said -----------------------------------------------------------------------------------------


def headline(desk: Desk, study: Study, data_set: DataSet, frozen: bool) -> str:
    """Return whose answers these are, of which number; the first thing a reader of the terminal must know."""
    whose = "SIMULATED answers (synthetic data)" if desk.synthetic else "real answers"
    new = "" if frozen else ", new"
    return (
        f"{whose}: {len(study)} respondents of {study.organisations} organisations, data set {data_set.number}{new} "
        f"(extract {data_set.sha256[:12]})"
    )


def told(outcome: Outcome, say: Wording, *, confirmed: bool) -> Iterator[str]:
    """Yield in plain words what was published of what was asked for, what was put together or refused, and why."""
    from analysis.refusals import Refusal

    one, decided = outcome.asked, outcome.decided
    yield f"{say.chart(one.question, one.by)} [{one.question}{f' by {one.by}' if one.by else ''}]"
    if isinstance(decided, Refusal):
        yield from (f"  refused, {reason}" for reason in decided.reasons[:_REASONS])
        if (more := len(decided.reasons) - _REASONS) > 0:
            yield f"  and for {more} more reasons like these"
        return
    assert outcome.entry is not None
    if outcome.public_already:
        yield f"  nothing new: it is public already as {outcome.entry.id}"
    else:
        yield f"  published as {outcome.entry.id}" if confirmed else "  may be published"
    if "no_breakdown" in decided.notes:
        yield "  in total only: fewer than two groups are left that may be told apart (rules 3 to 5)"
    if outcome.together:
        groups = ", ".join(say.group(one.by, name) for name in outcome.together)
        yield f"  put together as others, being small or too much alike (rules 3 to 5): {groups}"
    if outcome.coarser:
        yield f"  in fewer categories ({', '.join(decided.categories)}), as few gave a finer one in some group (rule 4)"
    if decided.overridden:
        yield "  with lower thresholds than the rules', as the two persons named in the ledger decided (rule 12)"
    for row in (decided.total, *decided.groups):
        who = "everybody" if row.group is None else say.group(one.by, row.group)
        base = f"about {row.n_low}" if row.n_low == row.n_high else f"{row.n_low}–{row.n_high}"
        yield f"    {who}, {base} respondents: {', '.join(map(_figure, row.figures))}"


_REASONS = 3
"""How many reasons of a refusal are told; the others are of the same kind as a rule."""


def _figure(figure: Figure) -> str:
    bound = f"{figure.bound} " if figure.bound else ""
    unit = " %" if figure.unit == "percent" else ""
    name = f"{figure.category} " if figure.category else f"{figure.unit} "
    return f"{name}{bound}{figure.value:g}{unit}"


def listed(entries: Sequence[Entry], say: Wording) -> Iterator[str]:
    """Yield a line for each publication."""
    if not entries:
        yield "nothing is public"
    for one in entries:
        retired = f", retired {one.retired_at[:10]}" if one.retired_at else ""
        low = ", with lower thresholds" if one.overridden else ""
        yield (
            f"{one.id}  {one.published_at[:10]}  data set {one.dataset}  {say.chart(*one.chart)} "
            f"[{one.question}{f' by {one.classification}' if one.classification else ''}]{low}{retired}"
        )


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
