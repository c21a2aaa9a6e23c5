"""The web application: one factory, in the order things happen to a request."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from kysely.access import Access
from kysely.config import Settings
from kysely.store import REAL, Store
from kysely.web.access import LoggingIn, Wall
from kysely.web.account import OwnAccount
from kysely.web.alarm import Alarm
from kysely.web.assets import Assets
from kysely.web.codes import Codes
from kysely.web.feedback import FeedbackPages, open_feedback
from kysely.web.frames import Frames
from kysely.web.front import Front
from kysely.web.gallery import Gallery
from kysely.web.interview import Interview
from kysely.web.interviewer import new_seed
from kysely.web.invitations import PersonalLinks
from kysely.web.pages import Pages
from kysely.web.preview import Preview
from kysely.web.problems import Problems
from kysely.web.saving import Saving
from kysely.web.security import Guard
from kysely.web.sending import Sending
from kysely.web.studies import open_studies
from kysely.web.wording import wordings

MAXIMUM_REQUEST = 256 * 1024
"""Bytes of a form: the longest page of text fits several times over."""

LOOPBACK = ("localhost", "127.0.0.1", "::1", "[::1]")


def utc_now() -> datetime:
    return datetime.now(UTC)


class _Application(Flask):
    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return *func*: none of ours is asynchronous, and Flask would look whether it is at each of its calls."""
        return func


def create_app(
    settings: Settings,
    store: Store,
    *,
    now: Callable[[], datetime] = utc_now,
    new_seed: Callable[[], int] = new_seed,
    origin: str = REAL,
    preview: bool = False,
) -> Flask:
    """Return the application over *store*. Time and chance are arguments; *origin* is "simulated" for robots.

    A *preview* says so on every page and has an index of its pages.
    """
    app = _Application("kysely.web", static_folder=None, template_folder=None)
    app.config.update(
        MAX_CONTENT_LENGTH=MAXIMUM_REQUEST,
        MAX_FORM_MEMORY_SIZE=MAXIMUM_REQUEST,
        TRUSTED_HOSTS=list(settings.trusted_hosts or LOOPBACK),
        PROPAGATE_EXCEPTIONS=False,
    )
    if settings.proxy_hops:
        hops = settings.proxy_hops
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]

    wordings()  # read now, not for the first respondent
    guard = Guard(settings)
    assets = Assets()
    frames = Frames.of(settings, assets, simulation=origin != REAL, preview=preview, alarm=Alarm(store))
    access = Access.of(store.access, settings)
    wall = Wall(access, guard, frames, now)
    studies = open_studies(settings, store, origin, now)

    app.after_request(guard.seal)
    app.register_blueprint(assets.blueprint())
    app.register_blueprint(Front(studies, store, frames).blueprint())
    app.register_blueprint(LoggingIn(access, guard, frames, wall, now).blueprint())
    app.register_blueprint(OwnAccount(access, guard, frames, now).blueprint())
    app.register_blueprint(Gallery(settings, frames).blueprint())
    feedbacks = open_feedback(settings, studies)
    pages = Pages(frames, frozenset(feedbacks))
    for views in (Interview, Saving, Sending):
        app.register_blueprint(views(studies, store, guard, pages, now, new_seed).blueprint())
    app.register_blueprint(FeedbackPages(studies, feedbacks, store, guard, frames).blueprint())
    app.register_blueprint(PersonalLinks(studies, store, guard, frames, now, new_seed).blueprint())
    app.register_blueprint(Codes(studies, store, guard, frames, now, settings.base_url).blueprint())
    if preview:
        app.register_blueprint(Preview(studies, store, guard, frames, now, new_seed).blueprint())
    wall.register(app)
    Problems(frames).register(app)
    return app


def from_environment() -> Flask:
    """Return the application as the environment says: what a WSGI server calls in each of its processes."""
    import os

    from kysely import store
    from kysely.web.serving import WholeRequests, settle, stop_without_parent

    stop_without_parent()
    settings = Settings.from_env(os.environ)
    app = create_app(settings, store.open(settings, upgrade=False))
    app.wsgi_app = WholeRequests(app.wsgi_app, limit=MAXIMUM_REQUEST)  # type: ignore[method-assign]
    settle()
    return app
