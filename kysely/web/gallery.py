"""Finished charts and reports of build/, listed and served to those who work with them. The web computes none.

A build folder holds the researcher's own numbers: an author is shown what was released to the public, and nothing else.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, abort, g, request
from werkzeug.security import safe_join

from kysely.config import Settings
from kysely.web.access import ACCOUNT
from kysely.web.contexts import ChartCard, GalleryPage, GallerySection, Link
from kysely.web.frames import Frames, language_links, serve_in_languages
from kysely.web.permissions import may_see_unpublished
from kysely.web.wording import Wording, wordings

PUBLIC = "public"

FORMATS = {
    "png": "image/png",
    "svg": "image/svg+xml",
    "pdf": "application/pdf",
    "csv": "text/csv; charset=utf-8",
}
_SANDBOXED = "default-src 'none'; sandbox"
_REPORT = (
    "default-src 'none'; style-src {styles}; font-src data:; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; sandbox"
)
_STYLE = re.compile(r"<style[^>]*>(.*?)</style>", re.DOTALL)
_NAME = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Chart:
    """One chart in one language, as its manifest tells."""

    instrument: str
    id: str
    language: str
    title: str
    alt: str
    kicker: str
    heading: str
    release: str
    size: tuple[int, int]
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    files: Mapping[str, str]


@dataclass(frozen=True)
class Gallery:
    settings: Settings
    frames: Frames

    def blueprint(self) -> Blueprint:
        blueprint = Blueprint("gallery", __name__)
        serve_in_languages(blueprint, "/charts/", "charts", self.show)
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
        footer = (Link(say["account_title"], f"/{language}/{ACCOUNT}"),)
        page = GalleryPage(self.frames.frame(say, title, languages=links, footer=footer), title, text, sections)
        return self.frames.draw("gallery.html", page)

    def file(self, instrument: str, language: str, name: str) -> Response:
        for chart in self._charts(instrument, language):
            for extension, file in chart.files.items():
                if file == name:
                    folder = self._folder(instrument) / "charts" / language
                    return self._send(folder / name, FORMATS[extension], _SANDBOXED, keep=chart.release == PUBLIC)
        abort(404)

    def report(self, instrument: str, language: str) -> Response:
        if not _NAME.fullmatch(instrument):
            abort(404)
        file = self._folder(instrument) / f"report.{language}.html"
        if not file.is_file():
            abort(404)
        return self._send(file, "text/html; charset=utf-8", _report_policy(file, file.stat().st_mtime_ns), keep=False)

    def _send(self, file: Path, mimetype: str, policy: str, *, keep: bool) -> Response:
        """Return *file*, which a browser may *keep* and ask about again; what was not published it may not."""
        if not file.is_file():
            abort(404)
        response = Response(file.read_bytes(), content_type=mimetype)
        response.add_etag()
        response.make_conditional(request)
        response.headers["Cache-Control"] = "private, no-cache" if keep else "no-store"
        response.headers["Content-Security-Policy"] = policy
        return response

    def _sections(self, say: Wording) -> Iterator[GallerySection]:
        for folder in sorted(self.settings.build.glob("*")):
            charts = self._charts(folder.name, say.language)
            report = folder / f"report.{say.language}.html"
            reports = report.is_file() and _unpublished_too()
            if not charts and not reports:
                continue
            heading = charts[0].heading if charts else folder.name
            yield GallerySection(
                heading=heading,
                marks=(say["release_research"],) if _unpublished_too() else (),
                reports=(Link(say.say("report_open", title=heading), f"/reports/{folder.name}/{say.language}"),)
                if reports
                else (),
                charts=tuple(_card(chart, say) for chart in charts),
            )

    def _charts(self, instrument: str, language: str) -> tuple[Chart, ...]:
        """Return the charts of one instrument whose manifests can be read and whose release this reader may see."""
        if not _NAME.fullmatch(instrument):
            return ()
        folder = self._folder(instrument) / "charts" / language
        found = (_read(file, instrument, language) for file in sorted(folder.glob("*.json")))
        return tuple(chart for chart in found if chart and (chart.release == PUBLIC or _unpublished_too()))

    def _folder(self, instrument: str) -> Path:
        folder = safe_join(str(self.settings.build), instrument)
        if folder is None:
            abort(404)
        return Path(folder)


def _unpublished_too() -> bool:
    return may_see_unpublished(g.session.account.roles)


def _card(chart: Chart, say: Wording) -> ChartCard:
    address = f"/charts/{chart.instrument}/{chart.language}"
    return ChartCard(
        id=chart.id,
        kicker=chart.kicker,
        title=chart.title,
        picture=f"{address}/{chart.files['svg']}",
        alt=chart.alt,
        width=chart.size[0],
        height=chart.size[1],
        columns=chart.columns,
        rows=chart.rows,
        downloads=tuple(
            Link(
                extension.upper(),
                f"{address}/{name}",
                name=say.say("download_as", format=extension.upper(), title=chart.title),
            )
            for extension, name in chart.files.items()
        ),
    )


def _read(file: Path, instrument: str, language: str) -> Chart | None:
    """Return the chart that the manifest *file* tells of; None if it is half-written or none of ours."""
    try:
        manifest: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        names = {extension: manifest["files"][extension]["name"] for extension in FORMATS}
        if not all(_NAME.fullmatch(name.removesuffix(f".{extension}")) for extension, name in names.items()):
            return None
        return Chart(
            instrument=instrument,
            id=str(manifest["id"]),
            language=language,
            title=manifest["title"],
            alt=manifest["alt"],
            kicker=manifest["kicker"],
            heading=manifest["provenance"]["title"][language],
            release=manifest["provenance"]["release"],
            size=(int(manifest["width"]), int(manifest["height"])),
            columns=tuple(manifest["table"]["columns"]),
            rows=tuple(tuple(row) for row in manifest["table"]["rows"]),
            files=names,
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


@lru_cache(maxsize=16)
def _report_policy(file: Path, changed: int) -> str:
    """Return the content policy of a report: exactly its own style sheets, and nothing that runs or is fetched."""
    sheets = _STYLE.findall(file.read_text(encoding="utf-8"))
    digests = [f"'sha256-{b64encode(sha256(sheet.encode()).digest()).decode()}'" for sheet in sheets]
    return _REPORT.format(styles=" ".join(digests) or "'none'")
