"""The pages that make promises: who asks, how answers are handled, how accessible the service is."""

from __future__ import annotations

from kysely import clock
from kysely.instrument import Instrument
from kysely.store import Phase, Wave
from kysely.web.contexts import Fact, Frame, StatementPage
from kysely.web.security import COOKIE_DAYS
from kysely.web.studies import Study
from kysely.web.wording import Wording

_ASKING = (
    ("controller", "controller"),
    ("contact", "contact"),
    ("purpose", "study_purpose"),
    ("legal_basis", "legal_basis"),
    ("retention", "retention"),
)


_LINKED = {"named": "link_named", "confidential": "link_confidential", "anonymous": "link_anonymous"}
"""What leads from an invitation to its answers; in open mode nobody is invited."""


def who(wave: Wave, say: Wording) -> tuple[str, ...]:
    """Return who asks, on which grounds and for how long answers are kept; in a demonstration, that nobody does."""
    if wave.asking.unsaid:
        return (say["who_demonstration"],)
    return tuple(say.say(key, name=getattr(wave.asking, name)) for name, key in _ASKING)


def shut(wave: Wave, phase: Phase, say: Wording) -> str:
    """Return why nobody can begin on the open link now, "" where anybody can."""
    if phase is Phase.NOT_YET and wave.opens_at:
        return say.say("not_yet_open", time=clock.said(wave.opens_at, say.language))
    if phase is not Phase.OPEN:
        return say["over"]
    return "" if wave.by_link else say["by_invitation"]


def promise(instrument: Instrument, say: Wording) -> str:
    """Return what the instrument's privacy mode promises."""
    return say.say(f"mode_{instrument.privacy_mode}", respondents=instrument.min_group)


def handling(study: Study, say: Wording, frame: Frame) -> StatementPage:
    """Return how the answers to *study* are handled; its promises follow from the privacy mode."""
    mode = study.instrument.privacy_mode
    more = ["stored_visits"] if study.instrument.keeps_visits else []
    more += ["stored_reply"] if any(each.identity == "address" for each in study.instrument.questions) else []
    invited = _invited(study, say) if study.wave.by_invitation else []
    facts = [
        Fact(say["who"], who(study.wave, say)),
        Fact(say["how_handled"], (promise(study.instrument, say), say["voluntary"])),
        Fact(say["stored_title"], (say[f"stored_{mode}"], *(say[key] for key in more), *invited)),
        Fact(say["not_stored_title"], (say["not_stored"],)),
        Fact(say["changed_title"], _changed(study, say)),
        Fact(say["cookie_title"], (say.say("cookie", days=COOKIE_DAYS),)),
        Fact(say["results_title"], (say.say("results", respondents=study.instrument.min_group),)),
    ]
    return StatementPage(frame, say["privacy_title"], tuple(facts))


def _invited(study: Study, say: Wording) -> list[str]:
    """Return what is known of people who were invited, as the privacy mode has it."""
    group = study.instrument.min_group
    return [say["stored_contact"], say.say(_LINKED[study.instrument.privacy_mode], respondents=group)]


def _changed(study: Study, say: Wording) -> tuple[str, ...]:
    """Return what respondents can change and erase; in anonymous mode what is sent can only be erased."""
    if study.instrument.privacy_mode == "anonymous":
        changed, erased = "changed_anonymous", "receipt_what"
    else:
        changed, erased = "changed_open" if study.instrument.edit_after_submit else "changed", "changed_erase"
    settled = [say["changed_settled"]] if study.instrument.settling else []
    return (say[changed], *settled, say[erased])


def accessibility(contacts: tuple[str, ...], say: Wording, frame: Frame) -> StatementPage:
    """Return the accessibility statement; *contacts* take feedback."""
    feedback = [say.say("contact_where", contact=contact) for contact in contacts] or [say["contact_none"]]
    facts = (
        Fact(say["accessible_title"], (say["accessible"],)),
        Fact(say["tested_title"], (say["tested"],)),
        Fact(say["contact_title"], tuple(feedback)),
    )
    return StatementPage(frame, say["accessibility_title"], facts)
