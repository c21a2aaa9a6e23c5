"""What a respondent gets back: the own profile, what leading typically goes with it, and how peers answered.

Nothing is shown before the respondent's own answers are in. What peers answered comes from published snapshots:
this page computes nothing from anybody else's answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from flask import Blueprint, abort, request
from werkzeug.wrappers import Response

from kysely import feedback, loading, snapshots
from kysely.codebook import Answer, Missing, Number
from kysely.config import Settings
from kysely.feedback import Feedback, Profile, Reading
from kysely.instrument import Instrument
from kysely.loading import feedback as files
from kysely.questions._base import wording as in_language
from kysely.snapshots import Peers, Share, SnapshotError
from kysely.store import ResponseState, Store
from kysely.store.anonymous import is_anonymous
from kysely.web.contexts import (
    Bar,
    BarRow,
    Change,
    ChangedMode,
    FeatureCard,
    FeedbackPage,
    Link,
    ModeCard,
)
from kysely.web.frames import Frames, language_links
from kysely.web.problems import log
from kysely.web.security import Guard, Passport
from kysely.web.studies import Study
from kysely.web.visits import FEEDBACK, HANDLING, REVIEW, THANKS, Visit, redirect
from kysely.web.wording import Wording, wordings

RESPONDENTS, ORGANISATIONS = 10, 3
"""How many answers a published number rests on at least (TRUST.md, section 5)."""


@dataclass(frozen=True)
class FeedbackPages:
    """The feedback of every study that has a feedback file."""

    studies: Mapping[str, Study]
    feedbacks: Mapping[str, Feedback]
    store: Store
    guard: Guard
    frames: Frames

    def blueprint(self) -> Blueprint:
        blueprint = Blueprint("feedback", __name__)
        blueprint.add_url_rule(f"/<any(fi,sv,en):language>/<study>/{FEEDBACK}", "show", self.show)
        return blueprint

    def show(self, language: str, study: str) -> Response:
        found = self.studies.get(study)
        told = self.feedbacks.get(study)
        if found is None or told is None or language not in found.languages:
            abort(404)
        visit = Visit(found, wordings()[language], self.guard.read_passport(study, request.cookies))
        state = self._sent(visit.passport)
        if state is None:
            return redirect(visit.at())
        if not state.submitted:
            return redirect(visit.at(REVIEW))
        instrument = self.store.instrument(state.version_hash)
        reading = feedback.read(told, instrument, state.answers)
        peers = self._peers(found)
        return self.frames.draw("feedback.html", _page(visit, told, instrument, state, reading, peers, self.frames))

    def _sent(self, passport: Passport | None) -> ResponseState | None:
        """Return the response of this browser, in anonymous mode from where it moved to when it was sent.

        Only the receipt leads there, which its own browser can be shown and nobody else.
        """
        state = self.store.response(passport.response) if passport and passport.response else None
        if state is None or not is_anonymous(state.id):
            return state
        return self.store.response_of_code(self.store.issued_code(state.id))

    def _peers(self, study: Study) -> Peers | None:
        """Return what is published; None where nothing is, or nothing that may stand beside this study's answers."""
        try:
            peers = snapshots.read(self.frames.settings.build / study.id / "public")
        except SnapshotError as error:
            log(error)
            return None
        # In production a respondent is compared with people, never with robots.
        return None if peers and peers.synthetic and self.frames.settings.production else peers


def open_feedback(settings: Settings, studies: Mapping[str, Study]) -> Mapping[str, Feedback]:
    """Return the feedback of each study that has a feedback file; raises AuthorError for a faulty one."""
    found = {}
    for id in studies:
        folder = settings.questionnaires / id
        if (folder / files.FILE).is_file():
            forms = [loading.load(folder, form) for form in loading.forms(folder)]
            found[id] = files.load(folder, forms)
    return {id: told for id, told in found.items() if told is not None}


def _page(
    visit: Visit,
    told: Feedback,
    instrument: Instrument,
    state: ResponseState,
    reading: Reading | None,
    peers: Peers | None,
    frames: Frames,
) -> FeedbackPage:
    say, language = visit.wording, visit.language
    title = say["feedback_title"]
    names = _names(told, instrument, language)
    frame = frames.frame(
        say,
        title,
        brand=visit.title,
        home=visit.at(),
        languages=language_links(language, lambda other: visit.at(FEEDBACK, language=other), visit.study.languages),
        footer=(Link(say["privacy_short"], visit.at(HANDLING)),),
    )
    return FeedbackPage(
        frame=frame,
        heading=title,
        lead=say["feedback_lead"] if reading else say["feedback_nothing"],
        note=say["feedback_changing"] if state.reopened else "",
        profile=_profile(visit, told, instrument, reading, names) if reading else (),
        findings=tuple(_findings(visit, reading, names)) if reading else (),
        modes=tuple(_modes(visit, told, reading, names)) if reading else (),
        changes=tuple(_changes(visit, told, reading, names)) if reading else (),
        peers_text=_peers_text(visit, peers),
        peers=tuple(_peers(visit, told, instrument, state.answers, peers, names)) if peers else (),
        closing=(in_language(told.closing, language), in_language(told.source, language)),
        back=Link(say["feedback_to_review"], visit.at(REVIEW))
        if state.reopened
        else Link(say["feedback_back"], visit.at(THANKS)),
    )


def _names(told: Feedback, instrument: Instrument, language: str) -> Mapping[str, str]:
    """Return what each mode is called, in the words of the question."""
    return {
        variable.code: in_language(variable.label, language)
        for variable in instrument.codebook.set(told.perspectives.current.levels)
        if variable.code
    }


def _profile(
    visit: Visit, told: Feedback, instrument: Instrument, reading: Reading, names: Mapping[str, str]
) -> tuple[BarRow, ...]:
    language = visit.language
    scale = {
        one.value: in_language(one.label, language)
        for variable in instrument.codebook.set(told.perspectives.current.levels)
        for one in variable.categories
        if one.value is not None
    }
    unknown = visit.wording["feedback_no_level"]
    return tuple(
        BarRow(name, tuple(_bar(one, mode, scale, unknown, language) for one in reading.profiles))
        for mode, name in names.items()
    )


def _bar(profile: Profile, mode: str, scale: Mapping[Number, str], unknown: str, language: str) -> Bar:
    label, level = in_language(profile.label, language), profile.levels.get(mode)
    if level is None:
        return Bar(label, unknown)
    return Bar(label, scale[level], round(100 * float(level) / float(max(scale)), 1))


def _findings(visit: Visit, reading: Reading, names: Mapping[str, str]) -> Iterator[str]:
    say, top = visit.wording, reading.current.top
    if top is None:
        yield say["feedback_incomplete"]
    elif not top:
        yield say["feedback_none"]
    elif reading.dominant:
        yield say.say("feedback_dominant", mode=_lower(names[reading.dominant]))
    else:
        yield say.say("feedback_tied", modes=_listed(names[mode] for mode in top))
        if reading.combination:
            yield in_language(reading.combination, visit.language)
        if reading.reason:
            yield say.say("feedback_reason", reason=_lower(in_language(reading.reason, visit.language)))


def _modes(visit: Visit, told: Feedback, reading: Reading, names: Mapping[str, str]) -> Iterator[ModeCard]:
    say, language = visit.wording, visit.language
    for mode in (reading.dominant,) if reading.dominant else reading.tied:
        texts = told.modes[mode]
        yield ModeCard(
            heading=names[mode],
            paragraphs=(in_language(texts.summary, language), in_language(texts.short, language)),
            features=tuple(
                FeatureCard(
                    text=in_language(marked.feature.feature, language),
                    sign=str(marked.sign),
                    says=say[f"feedback_sign_{marked.sign}"],
                    supports=in_language(marked.feature.supports, language),
                    watch=in_language(marked.feature.watch, language),
                )
                for marked in reading.features
            ),
        )


def _changes(visit: Visit, told: Feedback, reading: Reading, names: Mapping[str, str]) -> Iterator[Change]:
    say, language = visit.wording, visit.language

    def supports(mode: str) -> tuple[str, ...]:
        return tuple(in_language(feature.supports, language) for feature in told.modes[mode].features[:3])

    for profile, modes in reading.changes:
        yield Change(
            text=say.say(
                "feedback_change",
                perspective=in_language(profile.label, language),
                modes=_listed(names[mode] for mode in modes),
            ),
            modes=tuple(ChangedMode(in_language(told.modes[mode].short, language), supports(mode)) for mode in modes),
        )


def _peers_text(visit: Visit, peers: Peers | None) -> tuple[str, ...]:
    say = visit.wording
    if peers is None:
        return (say.say("feedback_peers_none", respondents=RESPONDENTS, organisations=ORGANISATIONS),)
    text = say.say("feedback_peers_text", date=say.day(peers.published_at))
    return (text, say["feedback_peers_synthetic"]) if peers.synthetic else (text,)


def _peers(
    visit: Visit,
    told: Feedback,
    instrument: Instrument,
    answers: Mapping[str, Answer],
    peers: Peers,
    names: Mapping[str, str],
) -> Iterator[BarRow]:
    """Yield how many call each mode central: among all, and in the respondent's own group where that is shown."""
    say, language = visit.wording, visit.language
    answer = answers.get(peers.classification.variable) if peers.classification else None
    own = answer if isinstance(answer, str) and not isinstance(answer, Missing) else None
    for mode in peers.modes:
        if mode.code not in names:
            continue
        cells = [
            Bar(say["feedback_peers_yours"], _own(instrument, answers, mode.variable, language, say)),
            _share(say["feedback_peers_all"], mode.all, say),
        ]
        found = peers.group(mode, own)
        if found and found[0] in told.groups:
            group = in_language(told.groups[found[0]], language)
            cells.append(_share(say.say("feedback_peers_group", group=group), found[1], say))
        yield BarRow(names[mode.code], tuple(cells))


def _own(instrument: Instrument, answers: Mapping[str, Answer], name: str, language: str, say: Wording) -> str:
    answer = answers.get(name)
    if answer is None or isinstance(answer, Missing) or name not in instrument.codebook:
        return say["feedback_no_level"]
    return in_language(instrument.codebook[name].category(answer).label, language)


def _share(label: str, share: Share, say: Wording) -> Bar:
    key = f"feedback_share_{share.bound}" if share.bound else "feedback_share"
    return Bar(label, say.say(key, percent=share.percent), float(share.percent))


def _listed(names: Iterator[str] | tuple[str, ...]) -> str:
    return ", ".join(_lower(name) for name in names)


def _lower(text: str) -> str:
    """Return *text* as it stands inside a sentence, without its full stop."""
    return f"{text[:1].lower()}{text[1:]}".removesuffix(".")
