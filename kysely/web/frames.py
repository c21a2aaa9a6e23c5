"""What surrounds every page: brand, languages, the notice of a demonstration, the footer. And how a page is drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, request
from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PrefixLoader, StrictUndefined
from werkzeug.wrappers import Response as AnyResponse

from kysely import questions
from kysely.config import Settings
from kysely.web.assets import Assets
from kysely.web.contexts import Frame, Link
from kysely.web.wording import LANGUAGES, Wording, wordings

_TEMPLATES = Path(__file__).parent / "templates"
_QUESTIONS = Path(questions.__file__).parent
"""A question type with a look of its own has its template beside it, drawn as controls/<type>.html like the others."""

_PRELOADED = ("Inter-Regular.woff2", "Inter-SemiBold.woff2")


@dataclass(frozen=True)
class Frames:
    """Makes frames and draws pages; one for the whole application."""

    settings: Settings
    assets: Assets
    environment: Environment
    simulation: bool
    preview: bool = False
    alarm: Callable[[], bool] = lambda: False
    """Whether nothing can be saved at the moment."""

    @classmethod
    def of(
        cls, settings: Settings, assets: Assets, *, simulation: bool, preview: bool, alarm: Callable[[], bool]
    ) -> Frames:
        return cls(settings, assets, _environment(), simulation, preview, alarm)

    def frame(
        self,
        wording: Wording,
        *titles: str,
        brand: str = "",
        home: str = "",
        languages: tuple[Link, ...] = (),
        footer: tuple[Link, ...] = (),
    ) -> Frame:
        """Return a frame; *titles* go into the window's title, the most particular first."""
        language = wording.language
        site = brand or wording["site"]
        return Frame(
            language=language,
            title=" – ".join([*(title for title in titles if title), *([] if site in titles else [site])]),
            say=wording.sentences,
            stylesheet=self.assets.url("kysely.css"),
            fonts=tuple(self.assets.url(font) for font in _PRELOADED),
            icon=self.assets.url("icon.svg"),
            home=home or f"/{language}/",
            footer=(
                *footer,
                Link(wording["accessibility_short"], f"/{language}/accessibility"),
                Link(wording["all_studies"], f"/{language}/"),
            ),
            notice=self._notice(wording),
            alarm=wording["nothing_saved"] if self.alarm() else "",
            brand=site,
            languages=languages,
        )

    def draw(self, template: str, page: Any, status: int = 200) -> Response:
        """Return *page* drawn by *template*."""
        text = self.environment.get_template(template).render(page=page)
        return Response(text, status, content_type="text/html; charset=utf-8")

    def _notice(self, wording: Wording) -> str:
        if self.preview:
            return wording["preview"]
        if self.simulation:
            return wording["simulation"]
        return wording["demonstration"] if self.settings.demonstration else ""


@cache
def _environment() -> Environment:
    """Return the templates, compiled now and not for the first respondent: once a process."""
    looks = PrefixLoader({"controls": FileSystemLoader(_QUESTIONS)})
    environment = Environment(
        loader=ChoiceLoader([FileSystemLoader(_TEMPLATES), looks]),
        autoescape=True,
        auto_reload=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name in environment.list_templates(extensions=["html"]):
        environment.get_template(name)
    # Known to all templates: one that imports them itself does so for every page that it draws.
    environment.globals["parts"] = environment.get_template("_parts.html").module
    environment.globals["part"] = environment.get_template("controls/_parts.html").module
    return environment


def language_links(
    language: str, address: Callable[[str], str], languages: tuple[str, ...] = LANGUAGES
) -> tuple[Link, ...]:
    """Return the links of the language menu; *address* is where the same page is in another language."""
    if len(languages) < 2:
        return ()
    return tuple(
        Link(wordings()[other]["language_name"], address(other), language=other, current=other == language)
        for other in languages
    )


def serve_in_languages(blueprint: Blueprint, rule: str, name: str, show: Callable[[str], AnyResponse]) -> None:
    """Serve *show* under each language's own address, and at *rule* in the language that the browser prefers."""

    def choose() -> AnyResponse:
        response = show(preferred_language())
        response.headers["Vary"] = "Accept-Language"
        return response

    blueprint.add_url_rule(rule, f"choose_{name}", choose)
    blueprint.add_url_rule(f"/<any(fi,sv,en):language>{rule}", name, show)


def preferred_language() -> str:
    """Return the language for an address that names none: what the browser prefers, Finnish otherwise."""
    wished = (tag.lower().partition("-")[0] for tag in request.accept_languages.values())
    return next((language for language in wished if language in LANGUAGES), LANGUAGES[0])
