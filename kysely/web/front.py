"""What belongs to no study: the front page, the accessibility statement, and whether the service is well."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Blueprint, Response

from kysely.errors import StoreError
from kysely.questions._base import wording as in_language
from kysely.store import Store
from kysely.web import statements
from kysely.web.contexts import FrontPage, Link, StudyCard
from kysely.web.frames import Frames, language_links, serve_in_languages
from kysely.web.problems import RETRY_AFTER
from kysely.web.studies import Study
from kysely.web.wording import Wording, wordings


@dataclass(frozen=True)
class Front:
    studies: Mapping[str, Study]
    store: Store
    frames: Frames

    def blueprint(self) -> Blueprint:
        blueprint = Blueprint("front", __name__)
        serve_in_languages(blueprint, "/", "front", self.show)
        blueprint.add_url_rule("/<any(fi,sv,en):language>/accessibility", "accessibility", self.accessibility)
        blueprint.add_url_rule("/healthz", "health", self.health)
        return blueprint

    def show(self, language: str) -> Response:
        say = wordings()[language]
        page = FrontPage(
            frame=self.frames.frame(say, say["front_title"], languages=language_links(language, lambda to: f"/{to}/")),
            heading=say["front_title"],
            studies=tuple(_card(study, say) for study in self.studies.values()),
            charts=Link(say["to_charts"], f"/{language}/charts/"),
        )
        return self.frames.draw("front.html", page)

    def accessibility(self, language: str) -> Response:
        say = wordings()[language]
        links = language_links(language, lambda to: f"/{to}/accessibility")
        contacts = tuple(dict.fromkeys(study.wave.asking.contact for study in self.studies.values()))
        page = statements.accessibility(
            tuple(contact for contact in contacts if contact),
            say,
            self.frames.frame(say, say["accessibility_title"], languages=links),
        )
        return self.frames.draw("statement.html", page)

    def health(self) -> Response:
        """Say within a second or two whether answers can be saved, and nothing else: no reason, no path."""
        try:
            for database in (self.store.answers.database, self.store.identities.database):
                database.hurried.show_writable()
        except StoreError:
            said = "Answers can't be saved at the moment.\n"
            return Response(said, 503, {"Retry-After": RETRY_AFTER}, content_type="text/plain; charset=utf-8")
        return Response("ok\n", content_type="text/plain; charset=utf-8")


def _card(study: Study, say: Wording) -> StudyCard:
    instrument = study.instrument
    language = say.language if say.language in study.languages else study.languages[0]
    return StudyCard(
        title=in_language(instrument.title, language),
        purpose=in_language(instrument.purpose, language),
        duration=say.count("about_minutes", instrument.minutes) if instrument.minutes else "",
        link=Link(say["to_study"], f"/{language}/{study.id}/"),
    )
