"""The whole report: front matter, main results, the 2015 claims, cross-tabulations, methods, provenance."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from analysis import wording
from analysis.estimates import Provenance
from kysely import plugins
from reports import agreement
from reports._material import Material
from reports.parts import Bullets, Document, Fact, Facts, Note, Paragraph, Part, Section, Table, Words
from reports.parts.table import Cell, Column, Row
from reports.parts.wording import Wording

HELSINKI = ZoneInfo("Europe/Helsinki")

CHAPTERS = ("topline", "reproduction", "agreement", "crosstabs", "methodology")


MAKES = Document


def build(material: Material, language: str) -> Document:
    """Return the report with all its chapters."""
    chapters = [chapter for chapter in CHAPTERS if chapter != "agreement" or agreement.told(material)]
    if "claims" in (material.estimates.provenance.elsewhere or {}).get("left_out", ()):
        chapters.remove("reproduction")  # none was tested; the methods say so
    built = [plugins.load("reports", chapter).build(material, language) for chapter in chapters]
    return framed(material, language, report="study", chapters=built)


def framed(material: Material, language: str, *, report: str, chapters: Iterable[Section]) -> Document:
    """Return *chapters* between what a reader must know before and after: the whole study, or a report of its own."""
    say = Wording(language)
    about = material.estimates.provenance
    sections = [_reader(material, say), *chapters, _provenance(material, say)]
    name = say(f"reports.{report}") if say.has(f"reports.{report}") else sections[1].title
    banner, banner_text = warning(about, say)
    if banner:
        sections = [_with_kicker(section, banner) for section in sections]
    return Document(
        title=say("front.title", title=about.title[language], report=name),
        subtitle=say("front.subtitle", form=about.form, revision=about.revision),
        language=language,
        sections=tuple(sections),
        words=Words(**{name: say(f"words.{name}") for name in ("contents", "skip", "page", "page_of", "lacking")}),
        banner=banner,
        banner_text=banner_text,
        opening=_opening(material, say),
        provenance=_foot(material, say),
    )


def warning(about: Provenance, say: Wording) -> tuple[str, str]:
    """Return what stands on every page of figures that are no result, in few words and in a sentence or two; or ""."""
    why = "synthetic" if about.synthetic else "draft" if about.draft else ""
    return (say(f"{why}.banner"), say(f"{why}.text")) if why else ("", "")


def _with_kicker(section: Section, kicker: str) -> Section:
    """Return *section* with the kicker on it and on every section a reader may jump to."""
    inside = tuple(_with_kicker(inner, kicker) for inner in section.sections)
    return replace(section, kicker=kicker if section.listed else "", sections=inside)


def _foot(material: Material, say: Wording) -> str:
    about = material.estimates.provenance
    return say(
        "front.foot",
        wave=about.wave,
        form=about.form,
        revision=about.revision,
        respondents=_number_of(say, "respondents", about.responses),
        organisations=_number_of(say, "organisations", about.organisations),
        date=_made(material, say),
    )


def _opening(material: Material, say: Wording) -> tuple[Part, ...]:
    about, language = material.estimates.provenance, say.language
    parts: list[Part] = [
        Paragraph(say("front.lead"), lead=True),
        Facts(
            (
                Fact(_counted(say, "respondents", about.responses), wording.number(about.responses, language)),
                Fact(
                    _counted(say, "organisations", about.organisations), wording.number(about.organisations, language)
                ),
                Fact(say("front.period"), _period(about.first_completed, about.last_completed, say)),
            ),
            key=True,
        ),
    ]
    if about.demonstration and not about.synthetic:
        parts.append(Note(say("front.demonstration"), say("front.demonstration_title")))
    if material.few:
        text = say(
            "front.few",
            responses=_number_of(say, "respondents", about.responses),
            organisations=_number_of(say, "organisations", about.organisations),
            respondents_limit=material.limit("suppress_respondents"),
            organisations_limit=material.limit("suppress_organisations"),
        )
        parts.append(Note(text, say("front.few_title"), "caution"))
    return tuple(parts)


def _number_of(say: Wording, what: str, number: int) -> str:
    """Return so many of something, in one piece: `360 respondents`."""
    return f"{wording.number(number, say.language)}{wording.NBSP}{_counted(say, what, number)}"


def _counted(say: Wording, what: str, number: int) -> str:
    """Return the word for so many of something."""
    return say(f"front.{what}_one" if number == 1 else f"front.{what}")


def _made(material: Material, say: Wording) -> str:
    moment = datetime.fromisoformat(material.estimates.provenance.made_at)
    return wording.date(moment.astimezone(HELSINKI).date(), say.language)


def _period(first: str | None, last: str | None, say: Wording) -> str:
    if first is None or last is None:
        return say("front.no_period")
    begun, ended = (datetime.fromisoformat(moment).astimezone(HELSINKI).date() for moment in (first, last))
    return wording.period(begun, ended, say.language)


def _reader(material: Material, say: Wording) -> Section:
    """Return what a reader needs to know before the first table."""
    release = material.estimates.provenance.release
    limits = {
        "respondents": material.limit("suppress_respondents"),
        "organisations": material.limit("suppress_organisations"),
        "small_base": material.limit("small_base"),
    }
    signs = tuple(
        say(f"signs.{name}_note", **limits) for name in ("suppressed", "complementary", "small_base", "not_estimable")
    )
    research = release == "research"
    return Section(
        "reader",
        say("reader.title"),
        (Paragraph(say("reader.intro")),),
        sections=tuple(
            Section(f"reader-{name}", say(f"reader.{name}_title"), parts, listed=False)
            for name, parts in (
                ("views", (Bullets(say.list("reader.views")),)),
                ("interval", (Paragraph(say("reader.interval")),)),
                ("central", (Paragraph(say("reader.central")),)),
                ("signs", (Bullets((say("reader.counts"), *signs, say("reader.rounding"))),)),
                (
                    "release",
                    (Paragraph(say("reader.release") if research else say("reader.release_other", release=release)),),
                ),
            )
        ),
    )


def _provenance(material: Material, say: Wording) -> Section:
    about = material.estimates.provenance
    language = say.language
    facts = [
        Fact(say("closing.instrument"), about.title[language]),
        Fact(say("closing.form"), f"{about.instrument} / {about.form}, {about.revision}"),
        *(Fact(say("closing.version"), version, code=True) for version in about.versions),
        Fact(say("closing.wave"), about.wave),
        Fact(say("closing.origin"), say("closing.simulated" if about.synthetic else "closing.real")),
        Fact(say("closing.release"), say("closing.research") if about.release == "research" else about.release),
        Fact(say("closing.weighting"), say(f"closing.{about.weighting}")),
        Fact(say("closing.made"), _made(material, say)),
        Fact(say("closing.extract"), about.extract_sha256, code=True),
    ]
    parts: list[Part] = [Paragraph(say("closing.intro")), Facts(tuple(facts))]
    if material.files:
        rows = tuple(Row(name, (Cell(digest),)) for name, digest in sorted(material.files.items()))
        parts.append(
            Table(
                "files",
                say("closing.files"),
                say("closing.file"),
                (Column(say("closing.hash"), numeric=False, code=True),),
                rows,
                prose=True,
            )
        )
    return Section("provenance", say("closing.title"), tuple(parts))
