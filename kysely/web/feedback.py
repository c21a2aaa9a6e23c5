"""What a respondent gets back: the own profile, what leading typically goes with it, and how peers answered.

Nothing is shown before the respondent's own answers are in. What peers answered comes from published snapshots:
this page computes nothing from anybody else's answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from flask import Blueprint, abort, request
from werkzeug.wrappers import Response

from kysely import feedback
from kysely.feedback import Feedback, Profile, Reading
from kysely.instrument import Instrument
from kysely.questions._base import wording as in_language
from kysely.store import Store
from kysely.web.contexts import (
    Bar,
    BarRow,
    BarTable,
    Change,
    ChangedMode,
    FeatureCard,
    FeedbackPage,
    Link,
    ModeCard,
)
from kysely.web.frames import Frames, language_links
from kysely.web.interview import redirect
from kysely.web.security import Guard
from kysely.web.studies import Study
from kysely.web.visits import HANDLING, REVIEW, THANKS, Visit
from kysely.web.wording import wordings

FEEDBACK = "your-feedback"
"""Its address within a study; the hyphen keeps it apart from every page."""


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
        passport = visit.passport
        state = self.store.response(passport.response) if passport and passport.response else None
        if state is None:
            return redirect(visit.at())
        if not state.submitted:
            return redirect(visit.at(REVIEW))
        instrument = self.store.instrument(state.version_hash)
        reading = feedback.read(told, instrument, state.answers)
        return self.frames.draw("feedback.html", _page(visit, told, instrument, reading, self.frames))


def _page(
    visit: Visit, told: Feedback, instrument: Instrument, reading: Reading | None, frames: Frames
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
        profile=_profile(visit, told, instrument, reading, names) if reading else None,
        findings=tuple(_findings(visit, reading, names)) if reading else (),
        modes=tuple(_modes(visit, told, reading, names)) if reading else (),
        changes=tuple(_changes(visit, told, reading, names)) if reading else (),
        peers_text=(),
        peers=None,
        closing=(in_language(told.closing, language), in_language(told.source, language)),
        back=Link(say["feedback_back"], visit.at(THANKS)),
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
) -> BarTable:
    say, language = visit.wording, visit.language
    scale = {
        one.value: in_language(one.label, language)
        for variable in instrument.codebook.set(told.perspectives.current.levels)
        for one in variable.categories
    }
    highest = max(float(value) for value in scale if value is not None)
    return BarTable(
        caption=say["feedback_profile_title"],
        columns=(say["feedback_mode"], *(in_language(one.label, language) for one in reading.profiles)),
        rows=tuple(
            BarRow(name, tuple(_bar(one, mode, scale, highest, say["feedback_no_level"]) for one in reading.profiles))
            for mode, name in names.items()
        ),
    )


def _bar(profile: Profile, mode: str, scale: Mapping[object, str], highest: float, unknown: str) -> Bar:
    level = profile.levels.get(mode)
    return Bar(unknown, None) if level is None else Bar(scale[level], round(100 * float(level) / highest, 1))


def _findings(visit: Visit, reading: Reading, names: Mapping[str, str]) -> Iterator[str]:
    say, top = visit.wording, reading.current.top
    if top is None:
        yield say["feedback_incomplete"]
    elif not top:
        yield say["feedback_none"]
    elif reading.dominant:
        yield say.say("feedback_dominant", mode=_lower(names[reading.dominant]))
    else:
        yield say.say("feedback_tied", count=len(top), modes=_listed(names[mode] for mode in top))
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


def _listed(names: Iterator[str] | tuple[str, ...]) -> str:
    return ", ".join(_lower(name) for name in names)


def _lower(text: str) -> str:
    """Return *text* as it stands inside a sentence, without its full stop."""
    return f"{text[:1].lower()}{text[1:]}".removesuffix(".")
