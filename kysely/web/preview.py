"""The preview of a questionnaire: an index of its pages, each reached with answers that lead to it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from flask import Blueprint, Response, abort

from kysely import pretest
from kysely.instrument import Page
from kysely.piping import neutral
from kysely.questions._base import wording as in_language
from kysely.store import Store
from kysely.web.contexts import Link, PreviewPage, PreviewStep, given
from kysely.web.frames import Frames, language_links, serve_in_languages
from kysely.web.security import Guard, Passport
from kysely.web.studies import Study
from kysely.web.wording import wordings

ADDRESS = "preview"


@dataclass(frozen=True)
class Preview:
    """The index of the one study that is previewed, and the way to each of its pages."""

    studies: Mapping[str, Study]
    store: Store
    guard: Guard
    frames: Frames
    now: Callable[[], datetime]
    new_seed: Callable[[], int]

    def blueprint(self) -> Blueprint:
        blueprint = Blueprint("preview", __name__)
        serve_in_languages(blueprint, f"/{ADDRESS}/", "index", self.index)
        blueprint.add_url_rule(f"/<any(fi,sv,en):language>/{ADDRESS}/<page>", "go", self.go, methods=["POST"])
        return blueprint

    @cached_property
    def study(self) -> Study:
        return next(iter(self.studies.values()))

    @cached_property
    def ways(self) -> Mapping[str, pretest.Way]:
        """A way to each page that can be met."""
        found: dict[str, pretest.Way] = {}
        for way in pretest.witnesses(pretest.walk(self.study.instrument)):
            for page in way.pages:
                found.setdefault(page, way)
        return found

    def index(self, language: str) -> Response:
        say = wordings()[language]
        instrument = self.study.instrument
        title = in_language(instrument.title, language)
        page = PreviewPage(
            frame=self.frames.frame(
                say,
                say["preview_title"],
                brand=title,
                languages=language_links(language, lambda to: f"/{to}/{ADDRESS}/"),
            ),
            heading=say["preview_title"],
            text=say["preview_text"],
            start=Link(say["preview_start"], f"/{language}/{instrument.id}/"),
            button=say["preview_open"],
            steps=tuple(self._step(language, one) for one in instrument.pages),
        )
        return self.frames.draw("preview.html", page)

    def go(self, language: str, page: str) -> Response:
        """Begin a response, answer everything before *page* as on the way to it, and show the page."""
        study, way = self.study, self.ways.get(page)
        if way is None:
            abort(404)
        wave, hash = study.wave, study.instrument.hash
        id = self.store.start(wave.id, wave.origin, hash, language, self.new_seed(), self.now())
        before = {name: way.answers[name] for name in _before(study, way, page) if name in way.answers}
        if before:
            self.store.save(
                id,
                page=study.instrument.pages[0].id,
                stage="",
                submit_key=secrets.token_hex(16),
                based_on=0,
                answers=before,
                variables=tuple(before),
                language=language,
                now=self.now(),
            )
        answer = Response(status=303)
        first = next(screen for screen, _ in way.screens if screen.page == page)
        answer.headers["Location"] = "/".join(filter(None, (f"/{language}", study.id, page, first.stage)))
        self.guard.give_passport(study.id, Passport(self.guard.new_passport().browser, id), answer)
        return answer

    def _step(self, language: str, page: Page) -> PreviewStep:
        plain = neutral(page)
        return PreviewStep(
            heading=in_language(plain.title, language),
            condition=page.show_if.source if page.show_if else "",
            action=f"/{language}/{ADDRESS}/{page.id}" if page.id in self.ways else "",
            answers=self._chosen(language, page),
            unreachable="" if page.id in self.ways else wordings()[language]["preview_unreachable"],
            settles=wordings()[language]["preview_settles"] if page.settles else "",
        )

    def _chosen(self, language: str, page: Page) -> tuple[str, ...]:
        """Return the answers on the way that the page's condition speaks of, in words."""
        way = self.ways.get(page.id)
        if way is None or page.show_if is None:
            return ()
        instrument = self.study.instrument
        named = {one for name in page.show_if.names for one in instrument.sets.get(name, (name,))}
        told = []
        for screen, shown in way.screens:
            for question, _ in shown:
                if named.intersection(question.names):
                    typed = question.typed(screen.stage, way.answers)
                    control = question.control(
                        screen.stage, language=language, typed=typed, answers=way.answers, errors={}, seed=0
                    )
                    told.append(f"{control.legend} {', '.join(given(control)) or '–'}")
        return tuple(told)


def _before(study: Study, way: pretest.Way, page: str) -> tuple[str, ...]:
    """Return the variables that are asked on *way* before it comes to *page*."""
    names: list[str] = []
    for screen, shown in way.screens:
        if screen.page == page:
            break
        names += [name for question, _ in shown for name in question.names]
    return tuple(dict.fromkeys(names))
