"""Finished charts and reports of build/, listed and served to those who work with them. The web computes none.

A build folder holds the researcher's own numbers: an author is shown what was released to the public, and nothing else.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from flask import Blueprint, Response, abort, g, request

from kysely import finished
from kysely.config import Settings
from kysely.finished import KINDS, Chart
from kysely.web.access import ACCOUNT
from kysely.web.contexts import ChartCard, ChartPage, ChartPicture, GalleryPage, GallerySection, Link
from kysely.web.frames import Frames, language_links, serve_in_languages
from kysely.web.permissions import may_see_unpublished
from kysely.web.wording import LANGUAGES, Wording, wordings

WIDTHS = ("wide", "narrow")

BESIDE = ("png", "narrow.png", "csv")
"""What the snippet fetches from the folder of the page it is pasted into."""

_TYPES = {
    "png": "image/png",
    "svg": "image/svg+xml",
    "pdf": "application/pdf",
    "csv": "text/csv; charset=utf-8",
    "html": "text/plain; charset=utf-8",  # to be pasted, not to be a page of this site
}
_SANDBOXED = "default-src 'none'; sandbox"
_OWN_STYLE = "default-src 'none'; style-src 'unsafe-inline'; font-src data:; sandbox"
"""For a picture that is opened as a page: it has its styles and its typeface in itself."""
_REPORT = (
    "default-src 'none'; style-src {styles}; font-src data:; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; sandbox"
)
_STYLE = re.compile(r"<style[^>]*>(.*?)</style>", re.DOTALL)


@dataclass(frozen=True)
class Gallery:
    settings: Settings
    frames: Frames

    def blueprint(self) -> Blueprint:
        blueprint = Blueprint("gallery", __name__)
        serve_in_languages(blueprint, "/charts/", "charts", self.show)
        blueprint.add_url_rule("/<any(fi,sv,en):language>/charts/<instrument>/<id>", "chart", self.chart)
        blueprint.add_url_rule("/charts/<instrument>/<any(fi,sv,en):language>/<name>", "file", self.file)
        blueprint.add_url_rule("/reports/<instrument>/<any(fi,sv,en):language>", "report", self.report)
        return blueprint

    def show(self, language: str) -> Response:
        say = wordings()[language]
        sections = tuple(self._sections(say))
        title = say["charts_title"]
        if sections:
            text = say["charts_text"]
        elif _unpublished_too():
            text = say.say("charts_none", command="make analysis")
        else:
            text = say["charts_none_public"]
        links = language_links(language, lambda other: f"/{other}/charts/")
        page = GalleryPage(self.frames.frame(say, title, languages=links, footer=_footer(say)), title, text, sections)
        return self.frames.draw("gallery.html", page)

    def chart(self, language: str, instrument: str, id: str) -> Response:
        say = wordings()[language]
        chart = self._chart(instrument, language, id)
        width = request.args.get("width", "")
        chosen = f"?width={width}" if width in WIDTHS else ""
        there = tuple(other for other in LANGUAGES if self._seen(instrument, other, id))
        links = language_links(language, lambda other: f"{_address(instrument, other, id)}{chosen}", there)
        frame = self.frames.frame(say, chart.title, say["charts_title"], languages=links, footer=_footer(say))
        files = f"/charts/{instrument}/{language}"
        look = chart.looks["narrow" if width == "narrow" else "wide"]
        page = ChartPage(
            frame=frame,
            chart=chart,
            back=Link(say["charts_all"], f"/{language}/charts/#{instrument}"),
            marks=_marks(say) if not chart.public else (),
            picture=_picture(chart, files, width),
            widths=tuple(_widths(say, chart, _address(instrument, language, id), width)),
            languages=links,
            method=tuple(text for text in (chart.base, look.note, chart.source) if text),
            downloads=tuple(_downloads(say, chart, files)),
            snippet_hint=say.say("chart_snippet_hint", files=", ".join(chart.files[kind].name for kind in BESIDE)),
            snippet=self._text(instrument, chart, "html"),
        )
        return self.frames.draw("gallery_chart.html", page)

    def file(self, instrument: str, language: str, name: str) -> Response:
        id, _, kind = name.partition(".")
        if kind not in KINDS:
            abort(404)
        chart = self._chart(instrument, language, id)
        form = kind.rpartition(".")[2]
        policy = _OWN_STYLE if form == "svg" else _SANDBOXED
        file = self._folder(instrument, language) / chart.files[kind].name
        return _send(file, _TYPES[form], policy, keep=chart.public)

    def report(self, instrument: str, language: str) -> Response:
        file = self._report(instrument, language)
        if not file.is_file():
            abort(404)
        return _send(file, "text/html; charset=utf-8", _report_policy(file, file.stat().st_mtime_ns), keep=False)

    def _sections(self, say: Wording) -> Iterator[GallerySection]:
        for instrument in sorted(folder.name for folder in self.settings.build.glob("*") if folder.is_dir()):
            charts = [chart for chart in finished.charts(self._folder(instrument, say.language)) if _may_be_seen(chart)]
            reports = self._report(instrument, say.language).is_file() and _unpublished_too()
            if not charts and not reports:
                continue
            heading = charts[0].heading if charts else instrument
            report = Link(say.say("report_open", title=heading), f"/reports/{instrument}/{say.language}")
            yield GallerySection(
                id=instrument,
                heading=heading,
                marks=_marks(say) if _unpublished_too() else (),
                reports=(report,) if reports else (),
                charts=tuple(_card(chart, instrument) for chart in charts),
            )

    def _chart(self, instrument: str, language: str, id: str) -> Chart:
        return self._seen(instrument, language, id) or abort(404)

    def _seen(self, instrument: str, language: str, id: str) -> Chart | None:
        """Return the chart if there is one and its release is one that this reader may see."""
        chart = finished.chart(self._folder(instrument, language), id)
        return chart if chart and _may_be_seen(chart) else None

    def _text(self, instrument: str, chart: Chart, kind: str) -> str:
        try:
            return (self._folder(instrument, chart.language) / chart.files[kind].name).read_text(encoding="utf-8")
        except FileNotFoundError:
            abort(404)

    def _folder(self, instrument: str, language: str) -> Path:
        try:
            return finished.folder(self.settings.build, instrument, language)
        except ValueError:
            abort(404)

    def _report(self, instrument: str, language: str) -> Path:
        return self._folder(instrument, language).parent.parent / f"report.{language}.html"


def _may_be_seen(chart: Chart) -> bool:
    return chart.public or _unpublished_too()


def _unpublished_too() -> bool:
    return may_see_unpublished(g.session.account.roles)


def _marks(say: Wording) -> tuple[str, ...]:
    return (say["release_research"],)


def _footer(say: Wording) -> tuple[Link, ...]:
    return (Link(say["account_title"], f"/{say.language}/{ACCOUNT}"),)


def _address(instrument: str, language: str, id: str) -> str:
    return f"/{language}/charts/{instrument}/{id}"


def _card(chart: Chart, instrument: str) -> ChartCard:
    look = chart.looks["wide"]
    return ChartCard(
        kicker=chart.kicker,
        link=Link(chart.title, _address(instrument, chart.language, chart.id)),
        picture=f"/charts/{instrument}/{chart.language}/{chart.files['svg'].name}",
        width=look.width,
        height=look.height,
    )


def _picture(chart: Chart, files: str, width: str) -> ChartPicture:
    """Return the picture in the *width* that was chosen; the one that fits the screen if none was."""
    look = chart.looks["narrow" if width == "narrow" else "wide"]
    narrow = chart.looks["narrow"]
    return ChartPicture(
        address=f"{files}/{chart.files['narrow.svg' if width == 'narrow' else 'svg'].name}",
        width=look.width,
        height=look.height,
        narrow=f"{files}/{chart.files['narrow.svg'].name}" if width not in WIDTHS else "",
        narrow_width=narrow.width,
        narrow_height=narrow.height,
    )


def _widths(say: Wording, chart: Chart, address: str, width: str) -> Iterator[Link]:
    yield Link(say["chart_width.screen"], address, current=width not in WIDTHS)
    for name, look in ((name, chart.looks[name]) for name in WIDTHS):
        text = say.say(f"chart_width.{name}", pixels=look.width)
        yield Link(text, f"{address}?width={name}", current=width == name)


def _downloads(say: Wording, chart: Chart, files: str) -> Iterator[Link]:
    for kind in KINDS:
        file = chart.files[kind]
        kilobytes = max(1, round(file.bytes / 1000))
        form = kind.rpartition(".")[2].upper()
        what = say[f"chart_file.{kind}"]
        yield Link(say.say("chart_download", what=what, format=form, size=kilobytes), f"{files}/{file.name}")


def _send(file: Path, mimetype: str, policy: str, *, keep: bool) -> Response:
    """Return *file*, which a browser may *keep* and ask about again; what was not published it may not."""
    if not file.is_file():
        abort(404)
    response = Response(file.read_bytes(), content_type=mimetype)
    response.add_etag()
    response.make_conditional(request)
    response.headers["Cache-Control"] = "private, no-cache" if keep else "no-store"
    response.headers["Content-Security-Policy"] = policy
    return response


@lru_cache(maxsize=16)
def _report_policy(file: Path, changed: int) -> str:
    """Return the content policy of a report: exactly its own style sheets, and nothing that runs or is fetched."""
    sheets = _STYLE.findall(file.read_text(encoding="utf-8"))
    digests = [f"'sha256-{b64encode(sha256(sheet.encode()).digest()).decode()}'" for sheet in sheets]
    return _REPORT.format(styles=" ".join(digests) or "'none'")
